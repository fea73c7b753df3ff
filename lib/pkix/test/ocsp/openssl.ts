// The other implementation of OCSP: `openssl ocsp` writes requests and responses that this package reads, and judges what
// this package wrote. It knows only the clock of the machine, so certificates for it are valid around now.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../src/certificate.ts';
import { basicConstraints, type Extension, extendedKeyUsage, keyUsage } from '../../src/extensions.ts';
import { extensionIds, keyPurposes } from '../../src/object-identifiers.ts';
import { encodePem } from '../../src/pem.ts';
import { type Identity, makeAuthority, makeCertificate } from '../support/certificates.ts';

const day = 24 * 60 * 60 * 1000;
const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 30 * day) };

/** An authority, its delegated responder, and a certificate, all valid at the machine's time. */
export type OcspWorld = { readonly issuer: Identity; readonly responder: Identity; readonly leaf: Identity };

const noCheck: Extension = { id: extensionIds.ocspNoCheck, isCritical: false, value: Uint8Array.of(0x05, 0x00) };

/** Makes an {@link OcspWorld}. */
export function makeOcspWorld(): OcspWorld {
  const issuer = makeAuthority({ subject: 'CN=status authority', ...validity });
  const responder = makeCertificate({
    subject: 'CN=responder',
    issuer,
    ...validity,
    extensions: [
      basicConstraints({ ca: false }),
      keyUsage(['digitalSignature']),
      extendedKeyUsage([keyPurposes.OCSPSigning]),
      noCheck,
    ],
  });
  // A serial number with its highest bit set: its INTEGER has a zero octet in front.
  const leaf = makeCertificate({ subject: 'CN=leaf', issuer, serialNumber: 0xc0ffee_0001n, ...validity });
  return { issuer, responder, leaf };
}

/** An OCSPRequest by `openssl ocsp -reqout`, with these options besides. */
export function opensslRequest(
  issuer: Certificate,
  certificates: readonly Certificate[],
  options: readonly string[],
): Buffer {
  return inDirectory((file, path) => {
    const asked = certificates.flatMap(({ der }, i) => ['-cert', file(`${i}.pem`, encodePem('CERTIFICATE', der))]);
    const issuerFile = file('issuer.pem', encodePem('CERTIFICATE', issuer.der));
    openssl(['ocsp', ...options, '-issuer', issuerFile, ...asked, '-reqout', path('request.der')]);
    return readFileSync(path('request.der'));
  });
}

/** What `openssl ocsp -req_text` says of a request. */
export function opensslRequestText(request: Uint8Array): string {
  return inDirectory((file) => openssl(['ocsp', '-reqin', file('request.der', request), '-req_text']));
}

/** A line of the database of `openssl ca`: state, end, revocation (`YYMMDDHHMMSSZ[,reason]`) and serial number. */
export type IndexLine = {
  readonly state: 'V' | 'R';
  readonly revocation?: string;
  readonly serialNumber: string;
};

/** An OCSPResponse by `openssl ocsp` as responder, for a request and the certificates that it knows. */
export function opensslResponse(
  { issuer, responder }: OcspWorld,
  request: Uint8Array,
  index: readonly IndexLine[],
  options: readonly string[] = [],
): Buffer {
  return inDirectory((file, path) => {
    const lines = index.map(({ state, revocation = '', serialNumber }) =>
      [state, '360101000000Z', revocation, serialNumber.toUpperCase(), 'unknown', '/CN=leaf'].join('\t'),
    );
    openssl([
      'ocsp',
      ...['-index', file('index.txt', lines.map((line) => `${line}\n`).join(''))],
      ...['-CA', file('ca.pem', encodePem('CERTIFICATE', issuer.certificate.der))],
      ...['-rsigner', file('responder.pem', encodePem('CERTIFICATE', responder.certificate.der))],
      ...['-rkey', file('responder.key', responder.key.export({ type: 'pkcs8', format: 'pem' }))],
      ...['-reqin', file('request.der', request), '-respout', path('response.der'), ...options],
    ]);
    return readFileSync(path('response.der'));
  });
}

function openssl(parameters: readonly string[]): string {
  return execFileSync('openssl', parameters, { stdio: 'pipe', encoding: 'utf8', timeout: 60_000 });
}

function inDirectory<T>(
  act: (file: (name: string, content: string | Uint8Array) => string, path: (name: string) => string) => T,
): T {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-openssl-'));
  const path = (name: string) => join(directory, name);
  try {
    return act((name, content) => {
      writeFileSync(path(name), content, { mode: 0o600 });
      return path(name);
    }, path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
