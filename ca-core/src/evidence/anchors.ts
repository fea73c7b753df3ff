// Trust anchors by which the keep judges what gates vouch with. None of them is an anchor for anything else.
import type { Certificate } from '@gatehouse/pkix/certificate';

/** All of them. */
export type EvidenceAnchors = {
  /** `core.evidence.anchors`: for rules that name no file, and for what no rule demands. */
  readonly common: readonly Certificate[];
  /** Those of them whose devices count when their certificates have ended. */
  readonly ofExpired: readonly Certificate[];
  /** By the `anchorsFile` of the rule, as it is written in the profile. */
  readonly byFile: ReadonlyMap<string, readonly Certificate[]>;
};

/** Those by which one piece of evidence is judged. */
export type Anchors = {
  readonly all: readonly Certificate[];
  /** Those of them whose devices count when their certificates have ended. */
  readonly ofExpired: readonly Certificate[];
};
