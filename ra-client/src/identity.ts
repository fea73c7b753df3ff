// Who is who on the bridge: every party is the URI in its certificate, and the keep's own name is fixed.
// This module only reads names; what a caller may do is decided in the keep.

import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';

/** The name that the keep's server certificate carries; clients expect it whatever address they dial. */
export const coreServerName = 'core.gatehouse.internal';

/** Kinds of parties that hold a certificate of the service CA. `ra` is a gate. */
export type PartyKind = 'ra' | 'perspective' | 'operator' | 'join' | 'core';

/** A party on the bridge. */
export type Party = {
  readonly kind: PartyKind;
  /** Name of the RA, perspective or operator; id of the join token; instance of the core. */
  readonly name: string;
  /** `spiffe://gatehouse.internal/<kind>/<name>`. */
  readonly uri: string;
};

/** The name that a handshake with a perspective asks for; which one it is stands in the URI of its certificate. */
export const perspectiveServerName = 'perspective.gatehouse.internal';

const trustDomain = 'spiffe://gatehouse.internal';
const partyUri = /^spiffe:\/\/gatehouse\.internal\/([a-z]+)\/([A-Za-z0-9._-]{1,128})$/;

/** The URI of a party. */
export function formatPartyUri(kind: PartyKind, name: string): string {
  return `${trustDomain}/${kind}/${name}`;
}

/** The party that a certificate (DER) of the service CA names, or undefined when it names none. */
export function readParty(certificate: Uint8Array): Party | undefined {
  return readParties(certificate)[0];
}

/** All parties that a certificate (DER) names; one of the service CA names one. */
export function readParties(certificate: Uint8Array): readonly Party[] {
  const parties: Party[] = [];
  for (const name of subjectAlternativeNames(readCertificate(certificate))) {
    if (name.kind !== 'uri') continue;
    const [, kind, partyName] = partyUri.exec(name.value) ?? [];
    if (partyName !== undefined && isPartyKind(kind)) parties.push({ kind, name: partyName, uri: name.value });
  }
  return parties;
}

function isPartyKind(kind: string | undefined): kind is PartyKind {
  return kind === 'ra' || kind === 'perspective' || kind === 'operator' || kind === 'join' || kind === 'core';
}
