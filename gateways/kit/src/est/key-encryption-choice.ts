// Which algorithms a generated key is encrypted with, RFC 7030 §4.4.1–2: those that the client listed, in its order, as far
// as they fit the key it named. Where none fits, the request is refused; nothing is ever taken that was not listed.

import type { ContentEncryption } from '@gatehouse/pkix/cms/enveloped-data';
import type { KeyWrap } from '@gatehouse/pkix/cms/recipient';
import { DerCursor, DerError, tags } from '@gatehouse/pkix/der/reader';
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import type { Curve } from '@gatehouse/pkix/public-key';
import { readAlgorithmIdentifier } from '@gatehouse/pkix/signature-algorithms';
import { EstError } from './error.ts';
import type { SmimeCapability } from './smime-capabilities.ts';

const contentEncryptions: ReadonlyMap<string, ContentEncryption> = new Map<string, ContentEncryption>([
  [algorithms.aes128Cbc, 'aes-128-cbc'], // RFC 3565 §4.1
  [algorithms.aes256Cbc, 'aes-256-cbc'], // RFC 3565 §4.1
  [algorithms.aes128Gcm, 'aes-128-gcm'], // RFC 5084 §3.2
  [algorithms.aes256Gcm, 'aes-256-gcm'], // RFC 5084 §3.2
]);

/** Ciphers that clients list and that keys are not encrypted with here. */
const otherContentEncryptions: ReadonlySet<string> = new Set([
  algorithms.aes192Cbc,
  algorithms.aes192Gcm,
  algorithms.desEde3Cbc,
  '1.2.840.113549.3.2', // RC2-CBC, RFC 3370 §5.2
  '1.3.14.3.2.7', // DES-CBC, RFC 2633 §2.7
  '2.16.840.1.101.3.4.1.7', // AES-128-CCM, RFC 5084 §3.1
  '2.16.840.1.101.3.4.1.27', // AES-192-CCM
  '2.16.840.1.101.3.4.1.47', // AES-256-CCM
  '1.2.840.113549.1.9.16.3.18', // ChaCha20-Poly1305, RFC 8103 §3
]);

const keyWraps: ReadonlyMap<string, { readonly name: KeyWrap; readonly keyOctets: number }> = new Map([
  [algorithms.aes128Wrap, { name: 'aes-128-wrap', keyOctets: 16 } as const], // RFC 3565 §4.1
  [algorithms.aes192Wrap, { name: 'aes-192-wrap', keyOctets: 24 } as const],
  [algorithms.aes256Wrap, { name: 'aes-256-wrap', keyOctets: 32 } as const],
]);

/** The scheme of ephemeral-static ECDH that goes with each curve, RFC 5753 §8. */
const agreementSchemes: Readonly<Record<Curve, string>> = {
  'P-256': algorithms.dhSinglePassStdDhSha256Kdf,
  'P-384': algorithms.dhSinglePassStdDhSha384Kdf,
  'P-521': algorithms.dhSinglePassStdDhSha512Kdf,
};
const allAgreementSchemes: ReadonlySet<string> = new Set(Object.values(agreementSchemes));

/**
 * The cipher for the content. A client that lists none at all gets AES-CBC, since RFC 7030 §4.4.1 asks it for its key
 * encipherment algorithms alone and RFC 8551 §2.7 has every recipient know AES-128-CBC.
 *
 * @throws {EstError} `malformed` when it lists ciphers, but none that is used here
 */
export function chooseContentEncryption(capabilities: readonly SmimeCapability[]): ContentEncryption {
  for (const { id } of capabilities) {
    const encryption = contentEncryptions.get(id);
    if (encryption !== undefined) return encryption;
  }
  if (!capabilities.some(({ id }) => otherContentEncryptions.has(id))) return 'aes-128-cbc';
  throw unusable('a content encryption algorithm: AES-128 or AES-256 with CBC or GCM');
}

/** Refuses a shared key whose key wrap is not listed. @throws {EstError} `malformed` */
export function demandKeyWrap(capabilities: readonly SmimeCapability[], keyOctets: number): void {
  if (capabilities.some(({ id }) => keyWraps.get(id)?.keyOctets === keyOctets)) return;
  throw unusable(`the key wrap algorithm of the key: AES-${keyOctets * 8} key wrap`);
}

/** The padding for key transport. @throws {EstError} `malformed` when neither is listed */
export function chooseKeyTransport(capabilities: readonly SmimeCapability[]): 'oaep-sha256' | 'pkcs1' {
  for (const capability of capabilities) {
    if (capability.id === algorithms.rsaesOaep && isSha256Oaep(capability)) return 'oaep-sha256';
    if (capability.id === algorithms.rsaEncryption) return 'pkcs1';
  }
  throw unusable('a key transport algorithm: RSAES-OAEP with SHA-256, or rsaEncryption');
}

/** The key wrap beneath key agreement on this curve. @throws {EstError} `malformed` when none is listed */
export function chooseKeyWrap(capabilities: readonly SmimeCapability[], curve: Curve): KeyWrap {
  const scheme = agreementSchemes[curve];
  const namesSchemes = capabilities.some(({ id }) => allAgreementSchemes.has(id));
  const namesScheme = capabilities.some(({ id }) => id === scheme);
  for (const { id, parameters } of namesSchemes && !namesScheme ? [] : capabilities) {
    // RFC 5753 §7.1.5: a scheme is listed with the key wrap that it is used with.
    const wrap = keyWraps.get(id === scheme ? (algorithmIn(parameters) ?? '') : id);
    if (wrap !== undefined) return wrap.name;
  }
  throw unusable(`a key wrap algorithm for ECDH on ${curve}: AES key wrap`);
}

// RFC 3560 §6, RFC 4055 §4.1: without parameters the hash is left open; empty ones are SHA-1.
function isSha256Oaep({ parameters }: SmimeCapability): boolean {
  if (parameters === undefined) return true;
  try {
    const fields = new DerCursor(parameters).enter(tags.sequence);
    const hash = fields.enterOptional(0xa0);
    return hash !== undefined && readAlgorithmIdentifier(hash).oid === algorithms.sha256;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

function algorithmIn(parameters: Uint8Array | undefined): string | undefined {
  if (parameters === undefined) return undefined;
  try {
    return readAlgorithmIdentifier(new DerCursor(parameters)).oid;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function unusable(what: string): EstError {
  return new EstError('malformed', `SMIMECapabilities: list ${what}`);
}
