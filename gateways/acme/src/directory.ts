// The directory, RFC 8555 §7.1.1: where everything is, and what a client should know before it begins. It offers nothing
// that would be answered with 'not implemented'.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import type { AcmeAnswer } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { paths } from './urls.ts';

/** The directory for clients that came by `base`. */
export function answerDirectory(gate: AcmeGate, base: string): AcmeAnswer {
  const { configuration, urls } = gate;
  const resource = (path: string) => urls.resource(base, path);
  const directory: JsonObject = {
    newNonce: resource(paths.newNonce),
    newAccount: resource(paths.newAccount),
    newOrder: resource(paths.newOrder),
    ...(configuration.newAuthz ? { newAuthz: resource(paths.newAuthz) } : {}),
    revokeCert: resource(paths.revokeCert),
    keyChange: resource(paths.keyChange),
    ...(configuration.renewalInfo ? { renewalInfo: resource(paths.renewalInfo) } : {}),
    meta: describeGate(gate),
  };
  // Some clients read it line by line.
  return { status: 200, body: `${JSON.stringify(directory, undefined, 2)}\n`, cacheControl: 'no-cache' };
}

function describeGate(gate: AcmeGate): JsonObject {
  const { configuration, profiles } = gate;
  const { termsOfService, website, externalAccount } = configuration;
  const caaIdentities = configuration.caaIdentities ?? profiles.issuerDomainNames;
  return {
    ...(termsOfService === undefined ? {} : { termsOfService }),
    ...(website === undefined ? {} : { website }),
    ...(caaIdentities.length === 0 ? {} : { caaIdentities }),
    externalAccountRequired: externalAccount.required,
    profiles: profiles.meta,
    ...describePersistentRecords(gate, caaIdentities),
  };
}

/** draft-ietf-acme-dns-persist-02 §3: only where a profile offers it. */
function describePersistentRecords(
  { configuration, urls }: AcmeGate,
  issuerDomainNames: readonly string[],
): JsonObject {
  const isOffered = Object.values(configuration.profiles).some(
    ({ methods, dnsPersist }) => dnsPersist === 'draft-02' && methods?.includes('dns-persist-01') === true,
  );
  if (!isOffered || issuerDomainNames.length === 0) return {};
  return { issuerDomainNames, accountHashPrefix: `${urls.canonical}/acme/account-hash/` };
}
