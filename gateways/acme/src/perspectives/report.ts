// Who saw what (mpic.md §4): for the operator in full, and short for the client in the problem of the challenge. A person
// should be able to tell from it which path or which name server is wrong.

import type { StatementPayload } from '@gatehouse/ra-client/perspective-statement';
import type { Problem, ProblemType } from '../problem.ts';
import { type Finding, passes, problemOf } from './check.ts';
import type { Quorum } from './quorum.ts';

/** One perspective in a report. */
export type Sight = { readonly perspective: string; readonly result: string; readonly saw: string };

/** Each perspective with what it saw. */
export function describeFindings(findings: readonly Finding[]): readonly Sight[] {
  return findings.map(describeFinding);
}

function describeFinding(finding: Finding): Sight {
  const perspective = finding.name;
  switch (finding.kind) {
    case 'stated':
      return { perspective, result: finding.payload.result, saw: describeStatement(finding.payload) };
    case 'unbelievable':
      return { perspective, result: 'unbelievable', saw: `its statement is not believed: ${finding.cause}` };
    case 'silent':
      return { perspective, result: 'silent', saw: `no answer: ${finding.cause}` };
  }
}

/** The report on one line. */
export function formatReport(sights: readonly Sight[]): string {
  return sights.map(({ perspective, saw }) => `${perspective}: ${saw}`).join(' · ');
}

/**
 * The problem of a check on which too few remote perspectives agree, while the primary passed it: the most frequent of
 * their problems, `serverInternal` when none of them saw anything wrong.
 */
export function remoteProblem(findings: readonly Finding[], { used, shortfall }: Quorum): Problem {
  // What all of them found, some found without the proofs that are demanded.
  if (findings.every(passes))
    return { type: 'dns', detail: `without the proof by DNSSEC that is needed, ${shortfall}` };
  const failed = findings.filter((finding) => !passes(finding));
  const counts = new Map<ProblemType, number>();
  for (const finding of failed) {
    if (finding.kind !== 'stated') continue;
    const { type } = problemOf(finding.payload);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  const [frequent] = [...counts].sort(([, a], [, b]) => b - a);
  const type = frequent?.[0] ?? 'serverInternal';
  // What a perspective that is ours could not do is no business of the client's in detail.
  const seen = describeFindings(findings).map((sight) =>
    sight.result === 'silent' || sight.result === 'unbelievable' ? { ...sight, saw: 'no usable answer' } : sight,
  );
  const places = used === 1 ? 'perspective' : 'perspectives';
  return { type, detail: `at ${failed.length} of ${used} remote ${places}: ${formatReport(seen)}` };
}

function describeStatement(payload: StatementPayload): string {
  if (payload.result !== 'pass') return problemOf(payload).detail;
  if (payload.check === 'caa') return payload.caa?.lookup === 'none' ? 'no CAA records' : 'CAA permits';
  const what = payload.method === 'dns-persist-01' ? 'record matches' : 'token matches';
  return payload.used === undefined ? what : `${payload.used}, ${what}`;
}
