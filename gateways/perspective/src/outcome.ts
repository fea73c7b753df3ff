// What comes of looking at one name by one method: the proof, another answer than the proof ('fail'), or no answer at all
// ('error'). The ACME type (RFC 8555 §6.7) and a detail that a person can act on come with the latter two.
import type { StatementPayload } from '@gatehouse/ra-client/perspective-statement';

/** Types that a perspective gives. */
export type ProblemType =
  | 'dns'
  | 'connection'
  | 'tls'
  | 'incorrectResponse'
  | 'caa'
  | 'unauthorized'
  | 'serverInternal';

/** What happened. */
export type Problem = { readonly type: ProblemType; readonly detail: string };

/** Members of a statement that a method fills. */
export type Seen = Pick<
  StatementPayload,
  'expected' | 'addresses' | 'used' | 'redirects' | 'caa' | 'persistUntil' | 'coversSubdomains'
> & {
  /** Of the key that a persistent record is for, where that may be another one than the account's current key. */
  readonly thumbprint?: string | undefined;
};

/** Of one method. */
export type Outcome = { readonly seen: Seen } & (
  | { readonly result: 'pass' }
  | { readonly result: 'fail' | 'error'; readonly problem: Problem }
);

/** Control was proved. */
export function pass(seen: Seen): Outcome {
  return { result: 'pass', seen };
}

/** Something was seen that is not the proof. */
export function fail(type: ProblemType, detail: string, seen: Seen): Outcome {
  return { result: 'fail', problem: { type, detail }, seen };
}

/** Nothing could be seen. */
export function unseen(type: ProblemType, detail: string, seen: Seen): Outcome {
  return { result: 'error', problem: { type, detail }, seen };
}
