// What statements tell of DNSSEC (RFC 4035), judged as the keep does: an answer that nobody saw proven means nothing, because
// most zones are not signed; one that somebody saw proven and another did not is a disagreement.

import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { StatementPayload } from '@gatehouse/ra-client/perspective-statement';
import { publicPolicy } from './selection.ts';

/** What a statement is judged by. */
export type ProofRules = Pick<ValidationRules, 'dnssec' | 'policy'>;

type Answer = StatementPayload['dns'][number];

/** Responses on which a finding may stand. */
const substantial: ReadonlySet<string> = new Set(['NOERROR', 'NXDOMAIN']);

/** Whether the zone of the identifier is signed, by the word of one of the statements: then CAA `where-signed` is demanded. */
export function isSignedZone(payloads: readonly StatementPayload[]): boolean {
  return payloads.some(
    ({ identifier, dns }) =>
      identifier.type === 'dns' &&
      dns.some((answer) => {
        const name = plainName(answer);
        return answer.isAuthenticated && (name === identifier.value || name.endsWith(`.${identifier.value}`));
      }),
  );
}

/**
 * Whether a statement of a remote perspective has the proofs that the rules demand. Under the Baseline Requirements the
 * primary has to look for them (BR §3.2.2.4), and remote perspectives may.
 *
 * @param all statements of the check
 */
export function isProven(
  { dnssec, policy }: ProofRules,
  payload: StatementPayload,
  all: readonly StatementPayload[],
): boolean {
  if (policy === publicPolicy || dnssec === 'off' || dnssec === '') return true;
  const needsAll = dnssec === 'on';
  const relied = payload.dns.filter(({ rcode }) => substantial.has(rcode));
  if (needsAll && payload.identifier.type === 'dns' && !relied.some((answer) => answer.isAuthenticated)) return false;
  const proven = new Set(all.flatMap(({ dns }) => dns.filter((answer) => answer.isAuthenticated).map(questionOf)));
  return relied.every((answer) => answer.isAuthenticated || !(needsAll || proven.has(questionOf(answer))));
}

function questionOf(answer: Answer): string {
  return `${plainName(answer)} ${answer.type.toUpperCase()}`;
}

function plainName({ name }: Answer): string {
  return name.toLowerCase().replace(/\.$/, '');
}
