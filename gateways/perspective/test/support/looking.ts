// What tests of checks have in common: parts that look at servers of the test on loopback, and requests that are right.

import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { CheckCaaRequest, CheckDomainControlRequest } from '@gatehouse/ra-client/perspective';
import { createManualClock, systemClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createAddressPolicy } from '../../src/address-policy.ts';
import { createDnsResolver } from '../../src/dns/resolver.ts';
import type { LookingParts } from '../../src/looking.ts';
import { type Responder, startDnsServer } from './dns-server.ts';

/** A token, the thumbprint of an account's key, and what comes of them. */
export const token = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA';
export const thumbprint = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs';
export const keyAuthorization = `${token}.${thumbprint}`;
export const digest = createHash('sha256').update(keyAuthorization).digest();
export const accountUri = 'https://ca.example/acct/123';

/** Issuer Domain Name of the perspectives of tests. */
export const issuer = 'ca.example';

/** Parts that may reach loopback, and ask a DNS server of the test. */
export async function createParts(
  t: TestContext,
  respond: Responder,
  overrides: Partial<LookingParts> = {},
): Promise<LookingParts & { readonly resolverId: string }> {
  const server = await startDnsServer(t, respond);
  return {
    resolver: createDnsResolver({ resolvers: [server.address], tryMs: 1000 }),
    addressPolicy: createAddressPolicy({ allow: ['127.0.0.0/8', '::1/128'] }),
    httpPort: 80,
    tlsPort: 443,
    issuerDomainNames: [issuer],
    clock: systemClock,
    log: createLog({ name: 'test', level: 'silent' }),
    resolverId: server.address,
    ...overrides,
  };
}

/** A deadline that no test reaches. */
export function farDeadline(): Date {
  return new Date(systemClock.now().getTime() + 30_000);
}

/** A clock that stands at an instant, with a deadline after it. */
export function standingClock(text: string) {
  const clock = createManualClock(new Date(text));
  return { clock, deadline: new Date(clock.now().getTime() + 30_000) };
}

/** A request to validate `a.test` by http-01. */
export function controlRequest(overrides: Partial<CheckDomainControlRequest> = {}): CheckDomainControlRequest {
  return {
    attempt: { id: 'A'.repeat(22), order: 'order-1', authorization: 'authz-1', perspectives: ['dublin', 'plant-a'] },
    identifier: { type: 'dns', value: 'a.test', isWildcard: false },
    method: 'http-01',
    token,
    thumbprints: [thumbprint],
    accountUri,
    variant: '',
    ...overrides,
  };
}

/** A request to look for permission for `a.test`. */
export function caaRequest(overrides: Partial<CheckCaaRequest> = {}): CheckCaaRequest {
  return {
    attempt: { id: 'A'.repeat(22), order: 'order-1', authorization: 'authz-1', perspectives: ['dublin', 'plant-a'] },
    identifier: { type: 'dns', value: 'a.test', isWildcard: false },
    method: 'http-01',
    accountUri,
    thumbprint,
    ...overrides,
  };
}
