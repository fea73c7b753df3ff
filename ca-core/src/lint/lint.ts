// Lints a TBSCertificate before it is signed (CA/Browser Forum Baseline Requirements §4.3.1.2): each lint is a row of data
// with its source, section, effective date and severity, and the profile chooses which rows may refuse. A lint reads the
// encoded octets and nothing else; it must never correct them and never depend on how they were made.
import { DerError } from '@gatehouse/pkix/der/reader';
import { CoreError } from '@gatehouse/proto/core-error';
import { allLints } from './all-lints.ts';
import type { LintSubject } from './subject.ts';

export { type LintSubject, readLintSubject } from './subject.ts';

/** The document a lint is taken from, by which a profile chooses sets. */
export type LintSource = 'rfc5280' | 'cabf-br';

/**
 * How much a finding weighs.
 * - `error`: the document says MUST.
 * - `warning`: the document says SHOULD or NOT RECOMMENDED.
 * - `notice`: the document says MUST of publicly trusted certificates only, and private PKIs do otherwise for good
 *   reasons (names without a public suffix, private addresses, no policy identifier). Recorded, never a refusal.
 */
export type LintSeverity = 'error' | 'warning' | 'notice';

/** One rule over an encoded certificate. */
export type Lint = {
  /** Stable and unique; a profile's `except` names it. */
  readonly id: string;
  readonly source: LintSource;
  /** Document and section that demand it. */
  readonly citation: string;
  /** ISO date; certificates issued earlier are not judged by it. */
  readonly effective: string;
  readonly severity: LintSeverity;
  readonly description: string;
  /** Which certificates it concerns: all, those with cA TRUE, or all others. */
  readonly appliesTo: 'all' | 'ca' | 'end-entity';
  /** What is wrong, naming the offender, or undefined. A DerError thrown here is a finding too. */
  check(certificate: LintSubject): string | undefined;
};

/** What a profile says about linting. */
export type LintPolicy = {
  readonly sets: readonly LintSource[];
  /** Lowest severity that refuses the certificate. */
  readonly refuseAt: 'error' | 'warning';
  /** Ids of lints that find, but do not refuse. */
  readonly except: readonly string[];
  /** When the certificate is issued, which decides on the lints that are in force; default: its notBefore. */
  readonly at?: Date;
};

/** A lint that did not hold. */
export type Finding = {
  readonly lint: Lint;
  /** What is wrong with this certificate. */
  readonly detail: string;
  /** Whether the policy refuses certificates with this finding. */
  readonly refuses: boolean;
};

const rank = { notice: 0, warning: 1, error: 2 } as const;

type EffectiveLint = { readonly lint: Lint; readonly effectiveMs: number; readonly refuses: boolean };

type Choice = Pick<LintPolicy, 'refuseAt' | 'except'> & { readonly rows: readonly EffectiveLint[] };

// A profile keeps its list of sets as long as it lives, so the rows are chosen once for each profile.
const choices = new WeakMap<readonly LintSource[], Choice>();

function chooseLints({ sets, refuseAt, except }: LintPolicy): readonly EffectiveLint[] {
  const known = choices.get(sets);
  if (known !== undefined && known.refuseAt === refuseAt && known.except === except) return known.rows;
  const rows = allLints
    .filter((lint) => sets.includes(lint.source))
    .map((lint) => ({
      lint,
      effectiveMs: Date.parse(lint.effective),
      refuses: rank[lint.severity] >= rank[refuseAt] && !except.includes(lint.id),
    }));
  choices.set(sets, { refuseAt, except, rows });
  return rows;
}

/** Ids of all lints, for the validation of a profile's `except`. */
export const lintIds: ReadonlySet<string> = new Set(allLints.map((lint) => lint.id));

/** Findings of all lints that the policy chooses and that are in force when the certificate is issued. */
export function lintCertificate(subject: LintSubject, policy: LintPolicy): readonly Finding[] {
  const findings: Finding[] = [];
  const atMs = policy.at?.getTime() ?? subject.notBeforeMs;
  const isCa = isCertificateAuthority(subject);
  for (const { lint, effectiveMs, refuses } of chooseLints(policy)) {
    if (atMs < effectiveMs || (lint.appliesTo !== 'all' && (lint.appliesTo === 'ca') !== isCa)) continue;
    const detail = runCheck(lint, subject);
    if (detail !== undefined) findings.push({ lint, detail, refuses });
  }
  return findings;
}

// With an unreadable basicConstraints the certificate is taken for an end entity's: the stricter rules are theirs.
function isCertificateAuthority(subject: LintSubject): boolean {
  try {
    return subject.basicConstraints?.isCa === true;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

function runCheck(lint: Lint, subject: LintSubject): string | undefined {
  try {
    return lint.check(subject);
  } catch (error) {
    if (error instanceof DerError) return `cannot be judged: ${error.detail}`;
    throw error;
  }
}

/**
 * Refuses when a finding does; the detail names lint and section.
 *
 * @throws CoreError `profile-refuses`.
 */
export function refuseLinted(findings: readonly Finding[]): void {
  const refusing = findings.filter((finding) => finding.refuses);
  const [first] = refusing;
  if (first === undefined) return;
  const others =
    refusing.length === 1 ? '' : `; and ${refusing.length - 1} more: ${refusing.slice(1, 6).map(idOf).join(', ')}`;
  throw new CoreError('profile-refuses', `lint ${first.lint.id} (${first.lint.citation}): ${first.detail}${others}`);
}

function idOf(finding: Finding): string {
  return finding.lint.id;
}
