/**
 * What statements tell of DNSSEC (RFC 4035): whether an answer was proven, as far as a resolver beside the perspective said
 * so. That an answer was not proven means nothing by itself, because most zones are not signed; that others saw the proof does.
 */
import type { PolicyRow } from './policies/policy.ts';
import type { Statement } from './statement.ts';

type Answer = Statement['payload']['dns'][number];

/** Responses that carry something to prove; whoever got another one has relied on nothing. */
const answers: ReadonlySet<string> = new Set(['NOERROR', 'NXDOMAIN']);

/** The questions that at least one of the statements has a proven answer to, with who says so first: it may be the liar. */
export function provenQuestions(statements: readonly Statement[]): ReadonlyMap<string, string> {
  const proven = new Map<string, string>();
  for (const { payload } of statements) {
    const witness = payload.perspective.slice(payload.perspective.lastIndexOf('/') + 1);
    for (const answer of payload.dns) {
      const question = questionOf(answer);
      if (answer.isAuthenticated && !proven.has(question)) proven.set(question, witness);
    }
  }
  return proven;
}

/** Why a statement does not meet the demand of DNSSEC; undefined when it does. @param proven by {@link provenQuestions} */
export function proofFault(
  { dnssec, dnssecOf }: Pick<PolicyRow, 'dnssec' | 'dnssecOf'>,
  { payload }: Statement,
  proven: ReadonlyMap<string, string>,
): string | undefined {
  // Of the primary it is demanded that it looks (BR §3.2.2.4), not that every zone be signed.
  const isEach = dnssec === 'on' && dnssecOf === 'remotes';
  const unproven = payload.dns.find(
    (answer) => !answer.isAuthenticated && answers.has(answer.rcode) && (isEach || proven.has(questionOf(answer))),
  );
  if (unproven !== undefined) {
    const witness = proven.get(questionOf(unproven));
    const contrast = witness === undefined ? '' : `, as ${witness} says that it did`;
    return `it did not validate the answer for ${unproven.name.slice(0, 128)} ${unproven.type}${contrast}`;
  }
  const isSilent = isEach && payload.identifier.type === 'dns' && !payload.dns.some((answer) => answer.isAuthenticated);
  return isSilent ? 'it shows no validated answer' : undefined;
}

/** Whether the identifier's own zone is signed, as one of the statements saw it. */
export function isSignedZone(statements: readonly Statement[]): boolean {
  return statements.some(({ payload }) => {
    const { type, value } = payload.identifier;
    if (type !== 'dns') return false;
    return payload.dns.some(({ name, isAuthenticated }) => {
      const plain = plainName(name);
      return isAuthenticated && (plain === value || plain.endsWith(`.${value}`));
    });
  });
}

/** A domain name as identifiers are written: lower case, no final dot. */
export function plainName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function questionOf({ name, type }: Answer): string {
  return `${plainName(name)} ${type.toUpperCase()}`;
}
