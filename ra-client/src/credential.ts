// The credential of one party on the bridge: a private key, its certificate, and the service CA's anchors, kept together in one file that only its owner may read.
// The key leaves this process only into that file; it is never logged and never sent.

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { decodePem, encodePem, type PemBlock } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';
import { type Party, readParty } from './identity.ts';

/** A credential for the contract between the gates and the keep. */
export type Credential = {
  readonly party: Party;
  readonly privateKey: KeyObject;
  /** Own certificate, DER. */
  readonly certificate: Uint8Array;
  /** Certificates of the service CA that the keep is verified with, DER; at least one. */
  readonly trustAnchors: readonly Uint8Array[];
  readonly notBefore: Date;
  readonly notAfter: Date;
};

/** What a {@link Credential} is put together from. */
export type CredentialParts = {
  readonly privateKey: KeyObject;
  readonly certificate: Uint8Array;
  readonly trustAnchors: readonly Uint8Array[];
};

/** A set of parts that do not make a credential; the message says why. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
  readonly code = 'credential';
}

/**
 * Puts a credential together.
 *
 * @throws {CredentialError} when the key is not the certificate's, the certificate names no party, or there is no anchor
 */
export function createCredential(parts: CredentialParts): Credential {
  const certificate = readX509(parts.certificate);
  if (!certificate.checkPrivateKey(parts.privateKey))
    throw new CredentialError('the key does not belong to the certificate');
  const party = readNamedParty(parts.certificate);
  if (parts.trustAnchors.length === 0) throw new CredentialError('the certificate of the service CA is missing');
  for (const anchor of parts.trustAnchors) readX509(anchor);
  return {
    party,
    privateKey: parts.privateKey,
    certificate: parts.certificate,
    trustAnchors: parts.trustAnchors,
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
  };
}

/**
 * Reads a credential file: PRIVATE KEY (PKCS#8), own CERTIFICATE, then the CERTIFICATE of each anchor.
 *
 * @throws {CredentialError} when the text is anything else
 */
export function parseCredential(text: string): Credential {
  const blocks = readBlocks(text);
  const [key, ...otherKeys] = blocks.filter(({ label }) => label === 'PRIVATE KEY');
  const [certificate, ...anchors] = blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (key === undefined || otherKeys.length > 0) throw new CredentialError('it must hold one PRIVATE KEY');
  if (certificate === undefined) throw new CredentialError('it holds no CERTIFICATE');
  return createCredential({
    privateKey: readKey(key.der),
    certificate: certificate.der,
    trustAnchors: anchors.map(({ der }) => der),
  });
}

/** Writes a credential in the form that {@link parseCredential} reads. The text holds the private key. */
export function formatCredential({ privateKey, certificate, trustAnchors }: CredentialParts): string {
  const certificates = [certificate, ...trustAnchors].map((der) => encodePem('CERTIFICATE', der));
  return `${privateKey.export({ type: 'pkcs8', format: 'pem' })}${certificates.join('')}`;
}

/**
 * Loads a credential file.
 *
 * @throws {FatalError} when it is missing, readable by others, or not a credential
 */
export function loadCredential(file: string): Credential {
  if (!existsSync(file)) {
    throw new FatalError(`there is no credential: ${file} does not exist`, {
      hint: "the first one is bought with a join token: 'gatehouse ra join' (or 'gatehouse perspective join'), after the operator's 'gatehouse ra add' (or 'gatehouse perspective add')",
    });
  }
  const text = readPrivateFile(file).toString('latin1');
  try {
    return parseCredential(text);
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    throw new FatalError(`${file} is not a credential: ${error.message}`, {
      hint: "get a new one: 'gatehouse ra join --token …' with a join token from the operator",
      cause: error,
    });
  }
}

/**
 * Saves a credential: mode 0600, durably, the old file or the new one at every instant.
 *
 * @throws {FatalError} when the file cannot be written
 */
export function saveCredential(file: string, credential: CredentialParts): void {
  writePrivateFile(file, formatCredential(credential));
}

function readBlocks(text: string): readonly PemBlock[] {
  try {
    return decodePem(text, ['PRIVATE KEY', 'CERTIFICATE']);
  } catch (cause) {
    throw new CredentialError(cause instanceof Error ? cause.message : 'it is not PEM', { cause });
  }
}

function readX509(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (cause) {
    throw new CredentialError('a certificate in it cannot be read', { cause });
  }
}

function readNamedParty(certificate: Uint8Array): Party {
  let party: Party | undefined;
  try {
    party = readParty(certificate);
  } catch (cause) {
    throw new CredentialError('its certificate cannot be read', { cause });
  }
  if (party === undefined) throw new CredentialError('its certificate names no party of Gatehouse');
  return party;
}

function readKey(der: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw new CredentialError('its private key cannot be read', { cause });
  }
}
