// What the tests of CMC share: a client of fullcmc with its builders, and readers of what it answers that fail loudly.

import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { newKey, newRequest, type RequestShape } from '@gatehouse/gateway-kit/test-support/requests';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { subjectKeyIdentifier } from '@gatehouse/pkix/extensions';
import { encodeBody } from '@gatehouse/pkix/transfer-encoding';
import { certificateOf, type EstClient, type EstRequest, type EstResponse } from './client.ts';
import { type FullResponse, publicKeyOf, readFullResponse } from './cmc.ts';
import { password } from './cms-settings.ts';

/** Credentials of two users. */
export const alice = `alice:${password}`;
export const bob = `bob:${password}`;

/** CMCFailInfo, RFC 5272 §6.1.4. */
export const failInfo = {
  badMessageCheck: 1,
  badRequest: 2,
  badCertId: 4,
  badIdentity: 7,
  popRequired: 8,
  popFailed: 9,
} as const;

/** A certificate with its key. */
export type Holder = { readonly key: KeyObject; readonly certificate: Certificate };

/** How a message is sent. */
export type PostOptions = { readonly label?: string } & EstRequest;

/** A client of fullcmc. */
export type CmcClient = {
  /** Sends a message: DER goes out as base64, text as it is. */
  post(message: Uint8Array | string, options?: PostOptions): Promise<EstResponse>;
  /** A name that was not used before. */
  newName(): string;
  /** A request of a new key with its subjectKeyIdentifier, RFC 5272 §3.2; of a new name unless told. */
  newKeyed(shape?: RequestShape): { readonly key: KeyObject; readonly der: Uint8Array };
  /** Enrols a new name, unless told which, by simpleenroll; for alice unless told. */
  enroll(label: string, shape: RequestShape, user?: string): Promise<Holder>;
};

let count = 0;

/** Makes a client. */
export function createCmcClient(send: EstClient): CmcClient {
  const newName = () => `DNS:cmc-${++count}.example.com`;
  const named = (shape: RequestShape): RequestShape =>
    shape.subject === undefined && shape.names === undefined ? { ...shape, names: [newName()] } : shape;
  return {
    post: (message, { label = 'default', ...rest } = {}) =>
      send(`/.well-known/est/${label}/fullcmc`, {
        body: typeof message === 'string' ? message : encodeBody(message),
        headers: { 'content-type': 'application/pkcs7-mime; smime-type=CMC-request' },
        ...rest,
      }),
    newName,
    newKeyed: (shape = {}) => {
      const key = newKey();
      const extensions = [subjectKeyIdentifier(publicKeyOf(key))];
      return { key, der: newRequest({ ...named(shape), key, extensions }) };
    },
    enroll: async (label, shape, user = alice) => {
      const key = newKey();
      const body = newRequest({ ...named(shape), key });
      return { key, certificate: certificateOf(await send(`/.well-known/est/${label}/simpleenroll`, { body, user })) };
    },
  };
}

/** Asserts that a response is a refusal with this HTTP status and CMCFailInfo, of these body parts if they are given. */
export function refused(
  response: EstResponse,
  status: number,
  info: number,
  bodyParts?: readonly number[],
): FullResponse {
  const full = readFullResponse(response);
  const failed = full.statuses.find((one) => one.status !== 0);
  const detail = failed?.statusString ?? '';
  assert.deepEqual([response.status, failed?.status, failed?.failInfo], [status, 2, info], detail);
  assert.notEqual(detail, '');
  if (bodyParts !== undefined) assert.deepEqual(failed?.bodyParts, bodyParts, detail);
  return full;
}

/** Asserts success, whatever its form. */
export function succeeded(response: EstResponse): void {
  assert.equal(response.status, 200, describeResponse(response));
}

/** The certificates of a Simple PKI Response; fails for everything else. */
export function simpleCertificates(response: EstResponse): readonly Certificate[] {
  succeeded(response);
  assert.equal(response.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only');
  return readCertificatesOnly(Buffer.from(response.body, 'base64')).map(readCertificate);
}

/** The certificate of a key, or undefined. */
export function certificateFor(certificates: readonly Certificate[], key: KeyObject): Certificate | undefined {
  return certificates.find((one) => Buffer.compare(one.subjectPublicKeyInfo, publicKeyOf(key)) === 0);
}

/** The certificate of a key; fails when it is not there. */
export function issuedFor(certificates: readonly Certificate[], key: KeyObject): Certificate {
  const certificate = certificateFor(certificates, key);
  assert.ok(certificate !== undefined, 'there is no certificate for the key');
  return certificate;
}

function describeResponse({ status, headers, body }: EstResponse): string {
  if (!String(headers['content-type']).includes('CMC-response')) return body.slice(0, 200);
  const { statuses } = readFullResponse({ status, headers, body });
  return statuses.map(({ statusString }) => statusString).join('; ');
}
