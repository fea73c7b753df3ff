// What an operation of an ACME client works with: names of its own in a world where every name answers, hooks for its
// challenges, and a judge for what it was issued.

import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { publicKeyOf } from '../certification-requests.ts';
import { splitPem } from '../curl/request.ts';
import { eventually } from '../patience.ts';
import type { Session } from '../session.ts';
import { expectCurrent } from '../status/expect-ocsp.ts';
import { askByPost } from '../status/openssl-ocsp.ts';
import { readPointers } from '../status/pointers.ts';
import { only } from '../status/subject.ts';
import type { ChallengeServer } from './challenge-server.ts';

/** A key that binds an account to somebody who is known otherwise, RFC 8555 §7.3.4. */
export type ExternalAccount = { readonly keyId: string; readonly hmacKey: string };

/** URL of the directory. */
export function directoryOf({ stack }: Session): string {
  const { acme } = stack.endpoints;
  assert(acme !== undefined, 'the stack has no ACME gate');
  return acme.directory;
}

/** The world of the stack. */
export function challengesOf({ stack }: Session): ChallengeServer {
  assert(stack.challenges !== undefined, 'the stack has no challenge server');
  return stack.challenges;
}

/** A name that no other operation has. */
export function newName(label: string): string {
  return `${label}-${randomBytes(5).toString('hex')}.test`;
}

/** Path of a hook. */
export function hook(name: string): string {
  return fileURLToPath(new URL(`../../acme-hooks/${name}`, import.meta.url));
}

/** A new key for an external account, made by the operator. */
export async function newExternalAccount({ stack }: Session): Promise<ExternalAccount> {
  const made = await stack.operator('acme', 'eab', 'add', '--description', 'interop');
  assert(typeof made === 'object' && made !== null && 'keyId' in made && 'secret' in made, 'acme eab add --json');
  assert(typeof made.keyId === 'string' && typeof made.secret === 'string');
  return { keyId: made.keyId, hmacKey: made.secret };
}

/** What a client holds: the files that it wrote. */
export type Holding = { readonly certificateFile: string; readonly keyFile: string };

/** What was issued, as the judge found it. */
export type Accepted = Holding & { readonly certificate: X509Certificate };

/**
 * Judges what a client was issued: it verifies, carries the key of the client, and names what was asked for and nothing
 * else.
 *
 * @param names as Node writes them: `DNS:a.test`, `IP Address:127.0.0.1`
 */
export async function acceptIssued(session: Session, holding: Holding, names: readonly string[]): Promise<Accepted> {
  const [end, ...chain] = splitPem(readFileSync(holding.certificateFile, 'latin1'));
  assert(end !== undefined, 'the client holds no certificate');
  const certificate = new X509Certificate(end);
  await session.certificates.accept(certificate, await publicKeyOf(holding.keyFile));
  assert.deepEqual(certificate.subjectAltName?.split(', ').toSorted(), [...names].toSorted());
  // RFC 8555 §7.4.2: the issuing CA follows, the trust anchor is left out (§9.1 of the same).
  const anchors = new Set(splitPem(readFileSync(session.stack.endpoints.trustAnchor, 'latin1')).map(fingerprint));
  for (const block of chain) assert(!anchors.has(fingerprint(block)), 'the trust anchor must be left out');
  return { ...holding, certificate };
}

function fingerprint(block: string): string {
  return new X509Certificate(block).fingerprint256;
}

/** RFC 6960 §2.2: what the responder that the certificate names says of it, until it is `wanted`. @throws when it never is */
export async function expectStatus(
  session: Session,
  { certificate }: Accepted,
  wanted: 'good' | 'revoked',
  reason?: string,
): Promise<void> {
  // The judge's copy: the end-entity certificate alone, as openssl wants it.
  const file = session.certificates.fileOf(certificate.serialNumber.toLowerCase());
  assert(file !== undefined, 'the certificate was never judged');
  const { ocsp } = await readPointers(file);
  const seen = await eventually(
    async () => {
      const question = { certificates: [file], options: ['-no_nonce'] };
      return expectCurrent((await askByPost(session, only(ocsp, 'OCSP responder'), question)).statuses);
    },
    ({ status }) => status === wanted,
  );
  assert.deepEqual([seen.status, seen.reason], [wanted, reason]);
}

/** The environment that hooks and clients need. */
export function environmentOf(session: Session, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { CHALLENGE_SERVER: challengesOf(session).management, ...more };
}
