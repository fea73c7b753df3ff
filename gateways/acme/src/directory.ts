// The directory, RFC 8555 §7.1.1: where everything is, and what a client should know before it begins. It offers nothing
// that would be answered with 'not implemented'.

import type { JsonObject } from '@gatehouse/pkix/jose/json';
import type { AcmeAnswer } from './exchange.ts';
import type { AcmeGate } from './gate.ts';
import { paths } from './urls.ts';

/** What it tells about. */
export type DirectoryParts = Pick<AcmeGate, 'configuration' | 'urls'> & {
  readonly profiles: Pick<AcmeGate['profiles'], 'meta' | 'issuerDomainNames'> & {
    find(name: string): { readonly rules: { readonly issuerDomainNames: readonly string[] } | undefined } | undefined;
  };
};

/** The directory for clients that came by `base`. */
export function answerDirectory(gate: DirectoryParts, base: string): AcmeAnswer {
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

function describeGate(gate: DirectoryParts): JsonObject {
  const { configuration, profiles } = gate;
  const { termsOfService, website, externalAccount } = configuration;
  const caaIdentities = configuration.caaIdentities ?? profiles.issuerDomainNames;
  return {
    ...(termsOfService === undefined ? {} : { termsOfService }),
    ...(website === undefined ? {} : { website }),
    ...(caaIdentities.length === 0 ? {} : { caaIdentities }),
    externalAccountRequired: externalAccount.required,
    profiles: profiles.meta,
    ...describePersistentRecords(gate),
  };
}

/** draft-ietf-acme-dns-persist-02 §3: where a profile offers it, what stands in the records, so that they can be made beforehand. */
function describePersistentRecords({ configuration, profiles, urls }: DirectoryParts): JsonObject {
  const offering = Object.entries(configuration.profiles)
    .filter(([, { methods, dnsPersist }]) => dnsPersist === 'draft-02' && methods?.includes('dns-persist-01') === true)
    .flatMap(([name]) => profiles.find(name) ?? []);
  const [first = [], ...others] = offering.map(({ rules }) => rules?.issuerDomainNames ?? []);
  // A name that each of their challenges has: a record with it serves them all.
  const issuerDomainNames = first.filter((name) => others.every((names) => names.includes(name)));
  if (issuerDomainNames.length === 0) return {};
  const prefix = configuration.validation.accountHashPrefix ?? `${urls.canonical}/acme/account-hash/`;
  return { issuerDomainNames, accountHashPrefix: prefix };
}
