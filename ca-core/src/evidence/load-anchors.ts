// Reads the trust anchors of evidence at start, and refuses what would be wrong later: a file that cannot be read, an
// anchor that is none, a profile whose evidence nobody could ever verify. It never falls back to an empty list.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { PkixError } from '@gatehouse/pkix/errors';
import { decodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Profile } from '../profiles/profile.ts';
import type { EvidenceAnchors } from './anchors.ts';
import { anchorsOf, evidenceVerifiers } from './verify-evidence.ts';

/** EX_CONFIG of sysexits.h. */
const configurationExitCode = 78;

/** A file of the core's own list. */
export type AnchorFile = {
  readonly file: string;
  /** Whether its devices count when their certificates have ended. */
  readonly acceptsExpired: boolean;
};

/** Where anchors come from. */
export type EvidenceAnchorSources = {
  /** Folder that relative paths start from. */
  readonly directory: string;
  /** PEM files of the core's own list, `core.evidence.anchors`. */
  readonly files: readonly AnchorFile[];
  /** Profiles whose rules may name files of their own. */
  readonly profiles: Iterable<Pick<Profile, 'name' | 'evidence'>>;
};

/**
 * Loads all anchors that the configuration and the profiles name.
 *
 * @throws FatalError naming the file or the profile that is wrong
 */
export function loadEvidenceAnchors({ directory, files, profiles }: EvidenceAnchorSources): EvidenceAnchors {
  const loaded = files.map(({ file, acceptsExpired }) => ({ anchors: loadFile(directory, file), acceptsExpired }));
  const common = loaded.flatMap(({ anchors }) => anchors);
  const ofExpired = loaded.filter(({ acceptsExpired }) => acceptsExpired).flatMap(({ anchors }) => anchors);
  const byFile = new Map<string, readonly Certificate[]>();
  for (const profile of profiles) {
    for (const { anchorsFile } of profile.evidence) {
      if (anchorsFile !== undefined && !byFile.has(anchorsFile)) {
        byFile.set(anchorsFile, loadFile(directory, anchorsFile));
      }
    }
    checkRules(profile, { common, ofExpired, byFile });
  }
  return { common, ofExpired, byFile };
}

function checkRules(profile: Pick<Profile, 'name' | 'evidence'>, anchors: EvidenceAnchors): void {
  for (const rule of profile.evidence) {
    if (!evidenceVerifiers.has(rule.type)) {
      throw new FatalError(
        `profile ${profile.name} demands evidence of type ${rule.type}, which this core cannot verify`,
        {
          hint: `the types are: ${[...evidenceVerifiers.keys()].join(', ')}`,
          exitCode: configurationExitCode,
        },
      );
    }
    if (anchorsOf(rule, anchors).length === 0) {
      throw new FatalError(
        `profile ${profile.name} demands evidence of type ${rule.type}, but there are no trust anchors for it`,
        {
          hint: 'name a PEM file in core.evidence.anchors, or as anchorsFile in the profile',
          exitCode: configurationExitCode,
        },
      );
    }
  }
}

function loadFile(directory: string, file: string): readonly Certificate[] {
  const path = resolve(directory, file);
  try {
    const certificates = decodePem(readFileSync(path, 'utf8'), ['CERTIFICATE']).map(({ der }) => readCertificate(der));
    if (certificates.length > 0) return certificates;
  } catch (cause) {
    throw new FatalError(`trust anchors for evidence: ${path}: ${describe(cause)}`, {
      hint: 'the file holds one or more PEM blocks labelled CERTIFICATE',
      exitCode: configurationExitCode,
      cause,
    });
  }
  throw new FatalError(`trust anchors for evidence: ${path} holds no certificate`, {
    hint: 'the file holds one or more PEM blocks labelled CERTIFICATE',
    exitCode: configurationExitCode,
  });
}

function describe(cause: unknown): string {
  if (cause instanceof PkixError) return cause.detail;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'cannot be read';
}
