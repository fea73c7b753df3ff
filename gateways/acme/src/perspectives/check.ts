// One check of one attempt (BR §3.2.2.9): what is asked of every perspective, and what came back from each. All of them are
// told the same, and nobody is told what to find.

import type {
  Attempt,
  CheckCaaRequest,
  CheckDomainControlRequest,
  Perspective,
} from '@gatehouse/ra-client/perspective';
import type { StatementPayload, ValidationMethod } from '@gatehouse/ra-client/perspective-statement';
import type { AuthorizedIdentifier } from '../identifier.ts';
import type { Problem, ProblemType } from '../problem.ts';

/** What is looked for: control of the name, or permission to issue. */
export type CheckKind = 'dcv' | 'caa';

/** What a validation is about. */
export type ValidationSubject = {
  /** Empty for a pre-authorization. */
  readonly orderId: string;
  readonly authorizationId: string;
  readonly identifier: AuthorizedIdentifier;
  readonly method: ValidationMethod;
  /** Of the challenge. */
  readonly token: string;
  /** RFC 7638: that of the key that signed the challenge request; for dns-persist-01 then those that the account had before. */
  readonly thumbprints: readonly [string, ...string[]];
  readonly accountUrl: string;
  /** Draft of dns-persist-01. */
  readonly variant: 'draft-01' | 'draft-02';
};

/** What became of asking one perspective. */
export type Finding =
  /** It answered, and the gate believes that it was the one. */
  | { readonly kind: 'stated'; readonly name: string; readonly statement: string; readonly payload: StatementPayload }
  /** It answered with something that is not its statement about this. */
  | { readonly kind: 'unbelievable'; readonly name: string; readonly statement: string; readonly cause: string }
  /** No answer came in time. */
  | { readonly kind: 'silent'; readonly name: string; readonly cause: string };

/** Whether a perspective found what it was asked for. */
export function passes(finding: Finding): boolean {
  return finding.kind === 'stated' && finding.payload.result === 'pass';
}

/** The problem that a statement tells of. */
export function problemOf(payload: StatementPayload): Problem {
  const { type, detail } = payload.problem ?? { type: 'serverInternal', detail: 'the perspective gave no reason' };
  return { type: isStatedType(type) ? type : 'serverInternal', detail };
}

const statedTypes = [
  'caa',
  'connection',
  'dns',
  'incorrectResponse',
  'malformed',
  'rejectedIdentifier',
  'tls',
  'unauthorized',
] as const;

function isStatedType(type: string): type is ProblemType & (typeof statedTypes)[number] {
  return statedTypes.some((known) => known === type);
}

/** Asks one perspective. Fails as its calls do. */
export async function ask(
  perspective: Perspective,
  check: CheckKind,
  attempt: Attempt,
  subject: ValidationSubject,
  deadline: Date,
): Promise<string> {
  return check === 'dcv'
    ? await perspective.checkDomainControl(toControlRequest(attempt, subject), deadline)
    : await perspective.checkCaa(toCaaRequest(attempt, subject), deadline);
}

function toControlRequest(attempt: Attempt, subject: ValidationSubject): CheckDomainControlRequest {
  const { identifier, method, token, thumbprints, accountUrl, variant } = subject;
  const isPersistent = method === 'dns-persist-01';
  return {
    attempt,
    identifier,
    method,
    token: isPersistent ? '' : token,
    thumbprints: isPersistent ? [...thumbprints] : [thumbprints[0]],
    accountUri: accountUrl,
    variant: isPersistent ? variant : '',
  };
}

function toCaaRequest(attempt: Attempt, subject: ValidationSubject): CheckCaaRequest {
  const { identifier, method, accountUrl, thumbprints } = subject;
  return { attempt, identifier, method, accountUri: accountUrl, thumbprint: thumbprints[0] };
}
