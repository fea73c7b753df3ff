// serverkeygen by curl, RFC 7030 §4.4: the key comes from the gate, in clear inside of TLS, or not at all.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readAsymmetricKeyPackage } from '@gatehouse/pkix/cms/asymmetric-key-package';
import { explicit, nullValue, objectIdentifier, octetString, sequence } from '@gatehouse/pkix/der/writer';
import { algorithms, contentTypes, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { makeRequest, publicKeyOf } from '../certification-requests.ts';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import { alternativeNameExtension, attribute, commonName, craftRequest, extensionRequest } from '../crafted-request.ts';
import type { HttpAnswer } from '../http-answer.ts';
import type { Session } from '../session.ts';
import { sharedKey } from '../stack-configuration.ts';
import { enrollNew, estPath, toBase64 } from './enroll.ts';
import { curl, describeAnswer, readCertificatesOnly } from './request.ts';

const section = 'RFC 7030 §4.4';

/** RFC 8017 appendix A.2.1: OAEP with SHA-256 for both of its hashes. */
const sha256 = sequence(objectIdentifier(algorithms.sha256), nullValue());
const oaepWithSha256 = sequence(
  objectIdentifier(algorithms.rsaesOaep),
  sequence(explicit(0, sha256), explicit(1, sequence(objectIdentifier(algorithms.mgf1), sha256))),
);

/** Operations of clients that cannot make keys. */
export const serverKeyGeneration: readonly Operation[] = [
  {
    name: 'serverkeygen, key in clear',
    section,
    run: (session) => generate(session, estPath('serverkeygen'), 'P-256'),
  },
  {
    name: 'serverkeygen with the label before the well-known part, RSA',
    section,
    run: (session) => generate(session, '/tls-server/.well-known/est/serverkeygen', 'RSA-2048'),
  },
  {
    name: 'serverkeygen, key encrypted to a certificate, opened by openssl cms',
    section: 'RFC 7030 §4.4.1.2',
    run: generateForCertificate,
  },
  {
    name: 'serverkeygen, key encrypted under a shared key, opened by openssl cms',
    section: 'RFC 7030 §4.4.1.1',
    run: generateForSharedKey,
  },
];

async function generate(session: Session, path: string, kind: 'P-256' | 'RSA-2048'): Promise<void> {
  const names = ['DNS:generated.example.com'];
  const request = await makeRequest(session, 'wish', { subject: ['CN=generated.example.com'], names, kind });
  const { key, certificates } = await askForKey(session, path, request.der);
  assert.equal(key.contentType, 'application/pkcs8');
  const publicKey = await acceptKey(session, await fromBase64(key.body), certificates);
  assert.notEqual(publicKey, request.publicKey, 'the key must be a new one');
}

async function generateForCertificate(session: Session): Promise<void> {
  // Server certificates of RSA keys are for keyEncipherment too.
  const wanted = { subject: ['CN=recipient.example.com'], kind: 'RSA-2048' } as const;
  const recipient = await enrollNew(session, 'recipient', undefined, wanted);
  const spki = await output('openssl', ['pkey', '-in', recipient.keyFile, '-pubout', '-outform', 'DER']);
  const identifier = createHash('sha256').update(spki).digest();
  const opening = ['-recip', recipient.certificateFile, '-inkey', recipient.keyFile];
  await generateEncrypted(session, pkcs9Attributes.asymmetricDecryptKeyIdentifier, identifier, oaepWithSha256, opening);
}

async function generateForSharedKey(session: Session): Promise<void> {
  const { id, key } = sharedKey;
  const identifier = Buffer.from(id);
  const opening = ['-secretkey', key, '-secretkeyid', identifier.toString('hex')];
  const keyEncipherment = sequence(objectIdentifier(algorithms.aes256Wrap));
  await generateEncrypted(session, pkcs9Attributes.decryptKeyIdentifier, identifier, keyEncipherment, opening);
}

/** @param opening options of `openssl cms -decrypt` */
async function generateEncrypted(
  session: Session,
  attributeType: string,
  identifier: Uint8Array,
  keyEncipherment: Uint8Array,
  opening: readonly string[],
): Promise<void> {
  const capabilities = sequence(keyEncipherment, sequence(objectIdentifier(algorithms.aes256Cbc)));
  const request = craftRequest({
    subject: commonName('sealed.example.com'),
    attributes: [
      extensionRequest(alternativeNameExtension('sealed.example.com')),
      attribute(attributeType, octetString(identifier)),
      attribute(pkcs9Attributes.smimeCapabilities, capabilities),
    ],
  });
  const { key, certificates } = await askForKey(session, estPath('serverkeygen'), request);
  assert.equal(key.contentType, 'application/pkcs7-mime; smime-type=server-generated-key');
  const sealed = session.write('sealed.der', await fromBase64(key.body));
  const content = await output('openssl', ['cms', '-decrypt', '-inform', 'DER', '-in', sealed, '-binary', ...opening]);
  // What is encrypted is SignedData itself (RFC 5652 §6.1), which openssl reads as ContentInfo.
  const signed = session.write('signed.der', sequence(objectIdentifier(contentTypes.signedData), explicit(0, content)));
  const { trustAnchor, chain } = session.stack.endpoints;
  const trust = ['-CAfile', trustAnchor, '-certfile', chain, '-purpose', 'any'];
  const keyPackage = await output('openssl', ['cms', '-verify', '-inform', 'DER', '-in', signed, '-binary', ...trust]);
  const [privateKey, ...others] = readAsymmetricKeyPackage(keyPackage);
  assert(privateKey !== undefined && others.length === 0, 'there must be one key');
  await acceptKey(session, privateKey, certificates);
}

async function askForKey(session: Session, path: string, request: Uint8Array) {
  const answer = await curl(session, { path, body: toBase64(request), account: session.stack.demoUser });
  assert.equal(answer.status, 200, describeAnswer(answer));
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const [key, certificates, ...others] = readParts(answer);
  assert(key !== undefined && certificates !== undefined && others.length === 0, 'there must be two parts');
  assert.equal(certificates.contentType, 'application/pkcs7-mime; smime-type=certs-only');
  return { key, certificates };
}

/** Gives the public key. @param privateKey PKCS #8, DER */
async function acceptKey(session: Session, privateKey: Uint8Array, certificates: Part): Promise<string> {
  const pem = await output('openssl', ['pkey', '-inform', 'DER'], { input: privateKey });
  const publicKey = await publicKeyOf(session.write('generated.key', pem));
  const [certificate, ...others] = await readCertificatesOnly(Buffer.from(certificates.body));
  assert(certificate !== undefined && others.length === 0, 'there must be one certificate');
  await session.certificates.accept(certificate, publicKey);
  return publicKey;
}

function fromBase64(text: string): Promise<Buffer> {
  return output('openssl', ['base64', '-d', '-A'], { input: text });
}

type Part = { readonly contentType: string | undefined; readonly body: string };

/** The parts of a multipart body, RFC 2046 §5.1. */
function readParts({ headers, body }: HttpAnswer): readonly Part[] {
  const contentType = headers.get('content-type') ?? '';
  const boundary = /^multipart\/mixed; ?boundary="?([^";]+)"?$/.exec(contentType)?.[1];
  assert(boundary !== undefined, `'${contentType}' must be multipart/mixed with a boundary`);
  const text = body.toString('latin1');
  assert(text.trimEnd().endsWith(`--${boundary}--`), 'the last boundary must end the body');
  return text
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [head = '', ...rest] = part.split('\r\n\r\n');
      return { contentType: /^content-type: *(.*)$/im.exec(head)?.[1]?.trim(), body: rest.join('\r\n\r\n').trim() };
    });
}
