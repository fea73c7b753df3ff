// Verifies what an RA vouches with (ARCHITECTURE §1 rule 2): a profile demands evidence by type, and each type has one
// verifier in the table below. Evidence that no profile demands grants nothing, yet where the core has anchors of its own it
// is verified all the same: a gate that presents what does not hold is refused. Without anchors it is not looked at. An RA's
// word that it has verified something itself is never evidence.
import type { Certificate } from '@gatehouse/pkix/certificate';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Evidence } from '@gatehouse/proto/types';
import type { EvidenceRule, Profile } from '../profiles/profile.ts';
import type { Anchors, EvidenceAnchors } from './anchors.ts';
import { verifyClientCertificateChain } from './client-certificate-chain.ts';

/**
 * Judges one piece of evidence of its type.
 *
 * @returns one line for the audit log that says what was proved
 * @throws CoreError `evidence-invalid`
 */
export type EvidenceVerifier = (evidence: Evidence, anchors: Anchors, at: Date) => string;

/** One row a type; the names are those of `Evidence.type` in the contract. */
export const evidenceVerifiers: ReadonlyMap<string, EvidenceVerifier> = new Map([
  ['client-certificate-chain', verifyClientCertificateChain],
]);

/** More pieces of evidence than any protocol sends with one request. */
const maximumEvidence = 16;

/**
 * Verifies all evidence that the profile demands, and what was presented unasked.
 *
 * @returns what each rule of the profile was met with, and what else holds, for the audit log
 * @throws CoreError `evidence-missing` when a demanded type was not sent, `evidence-invalid` when none of a type holds
 */
export function verifyEvidence(
  profile: Pick<Profile, 'name' | 'evidence'>,
  evidence: readonly Evidence[],
  anchors: EvidenceAnchors,
  at: Date,
): readonly string[] {
  if (evidence.length > maximumEvidence) {
    throw new CoreError('evidence-invalid', `more than ${maximumEvidence} pieces of evidence`);
  }
  const demanded = profile.evidence.map((rule) => {
    const candidates = evidence.filter(({ type }) => type === rule.type);
    if (candidates.length === 0) {
      throw new CoreError('evidence-missing', `profile ${profile.name} demands evidence of type ${rule.type}`);
    }
    return verifyOne(rule, candidates, anchors, at);
  });
  return [...demanded, ...verifyUnasked(profile, evidence, anchors, at)];
}

function verifyUnasked(
  profile: Pick<Profile, 'evidence'>,
  evidence: readonly Evidence[],
  anchors: EvidenceAnchors,
  at: Date,
): readonly string[] {
  if (anchors.common.length === 0) return [];
  return [...evidenceVerifiers.keys()]
    .filter((type) => !profile.evidence.some((rule) => rule.type === type))
    .flatMap((type) => {
      const candidates = evidence.filter((each) => each.type === type);
      return candidates.length === 0 ? [] : [verifyOne({ type }, candidates, anchors, at)];
    });
}

// A device may have several identities; one that holds is enough. What is told when none does is the first reason.
function verifyOne(rule: EvidenceRule, candidates: readonly Evidence[], anchors: EvidenceAnchors, at: Date): string {
  const verify = evidenceVerifiers.get(rule.type);
  if (verify === undefined) {
    throw new CoreError('evidence-invalid', `evidence of type ${rule.type} cannot be verified by this core`);
  }
  const all = anchorsOf(rule, anchors);
  const ofExpired = anchors.ofExpired.filter((anchor) => all.includes(anchor));
  let refusal: CoreError | undefined;
  for (const candidate of candidates) {
    try {
      return verify(candidate, { all, ofExpired }, at);
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new CoreError('evidence-missing', `no evidence of type ${rule.type}`);
}

/** The anchors that a rule names; empty when their file was not loaded. */
export function anchorsOf(rule: EvidenceRule, anchors: EvidenceAnchors): readonly Certificate[] {
  return rule.anchorsFile === undefined ? anchors.common : (anchors.byFile.get(rule.anchorsFile) ?? []);
}
