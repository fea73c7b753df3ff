// Which incident a certificate is part of, RFC 9773 §4.2. Operators set incidents in the database; each copy of the gate
// sees a new one with the next request, and reads the list itself only when it has changed.

import type { StateStore } from '@gatehouse/runtime/database/state-store';
import type { StoredCertificate } from './state/certificates.ts';
import { type Incident, type IncidentSelector, readActiveIncidentIds, readActiveIncidents } from './state/incidents.ts';

/** Finds incidents. */
export type Incidents = {
  /** The newest incident that a certificate is part of. */
  find(certificate: StoredCertificate): Promise<Incident | undefined>;
};

type Compiled = { readonly incident: Incident; readonly fits: (certificate: StoredCertificate) => boolean };

/** Makes the look-up. */
export function createIncidents(store: StateStore): Incidents {
  let known: { readonly key: string; readonly compiled: readonly Compiled[] } = { key: '', compiled: [] };
  const current = async (): Promise<readonly Compiled[]> => {
    const key = (await readActiveIncidentIds(store)).join(' ');
    if (key !== known.key) {
      const incidents = await readActiveIncidents(store);
      known = {
        key: incidents.map(({ id }) => id).join(' '),
        compiled: incidents.map((incident) => ({ incident, fits: compileSelector(incident.selector) })),
      };
    }
    return known.compiled;
  };
  return { find: async (certificate) => (await current()).find(({ fits }) => fits(certificate))?.incident };
}

/** Whether a certificate fits all that a selector says; a selector that says nothing fits none. */
export function compileSelector(selector: IncidentSelector): (certificate: StoredCertificate) => boolean {
  const { issuedFrom, issuedBefore } = selector;
  const serialNumbers = selector.serialNumbers === undefined ? undefined : new Set(selector.serialNumbers);
  const accounts = selector.accounts === undefined ? undefined : new Set(selector.accounts);
  const saysSomething = [serialNumbers, accounts, issuedFrom, issuedBefore].some((one) => one !== undefined);
  return ({ serialNumber, accountId, notBefore }) =>
    saysSomething &&
    serialNumbers?.has(serialNumber) !== false &&
    accounts?.has(accountId) !== false &&
    notBefore.getTime() >= (issuedFrom ?? 0) &&
    notBefore.getTime() < (issuedBefore ?? Number.POSITIVE_INFINITY);
}
