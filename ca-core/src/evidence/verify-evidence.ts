// Verifies what an RA vouches with (ARCHITECTURE §1 rule 2): a profile demands evidence by type, and each type has one
// verifier in the table below. Evidence that no profile demands grants nothing and is not looked at; an RA's word that it
// has verified something itself is never evidence.
import type { Certificate } from '@gatehouse/pkix/certificate';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Evidence } from '@gatehouse/proto/types';
import type { EvidenceRule, Profile } from '../profiles/profile.ts';
import { verifyClientCertificateChain } from './client-certificate-chain.ts';

/** Trust anchors by which evidence is judged; none of them is an anchor for anything else. */
export type EvidenceAnchors = {
  /** For rules that name no file. */
  readonly common: readonly Certificate[];
  /** By the `anchorsFile` of the rule, as it is written in the profile. */
  readonly byFile: ReadonlyMap<string, readonly Certificate[]>;
};

/**
 * Judges one piece of evidence of its type.
 *
 * @returns one line for the audit log that says what was proved
 * @throws CoreError `evidence-invalid`
 */
export type EvidenceVerifier = (evidence: Evidence, anchors: readonly Certificate[], at: Date) => string;

/** One row a type; the names are those of `Evidence.type` in the contract. */
export const evidenceVerifiers: ReadonlyMap<string, EvidenceVerifier> = new Map([
  ['client-certificate-chain', verifyClientCertificateChain],
]);

/** More pieces of evidence than any protocol sends with one request. */
const maximumEvidence = 16;

/**
 * Verifies all evidence that the profile demands.
 *
 * @returns what each rule of the profile was met with, for the audit log
 * @throws CoreError `evidence-missing` when a demanded type was not sent, `evidence-invalid` when none of it holds
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
  return profile.evidence.map((rule) => {
    const candidates = evidence.filter(({ type }) => type === rule.type);
    if (candidates.length === 0) {
      throw new CoreError('evidence-missing', `profile ${profile.name} demands evidence of type ${rule.type}`);
    }
    return verifyOne(rule, candidates, anchors, at);
  });
}

// A device may have several identities; one that holds is enough. What is told when none does is the first reason.
function verifyOne(rule: EvidenceRule, candidates: readonly Evidence[], anchors: EvidenceAnchors, at: Date): string {
  const verify = evidenceVerifiers.get(rule.type);
  if (verify === undefined) {
    throw new CoreError('evidence-invalid', `evidence of type ${rule.type} cannot be verified by this core`);
  }
  const trusted = anchorsOf(rule, anchors);
  let refusal: CoreError | undefined;
  for (const candidate of candidates) {
    try {
      return verify(candidate, trusted, at);
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
