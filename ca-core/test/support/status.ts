// A reader of WatchStatus as the status gate is one: what it has been told so far, and the moment in which it is told.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { type CertificateList, readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { composeOcspResponse } from '@gatehouse/pkix/ocsp/response';
import { type BasicOcspResponse, readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import type { CertificateAuthorityClient, RevokeResponse } from '@gatehouse/proto/certificate-authority';
import type {
  CertificateStatusClient,
  CrlFacts,
  CrlPart,
  OcspResponder,
  PreSignedResponse,
  StatusChanges,
} from '@gatehouse/proto/certificate-status';
import { RevocationReason } from '@gatehouse/proto/types';
import { collect, requester } from './enrollment.ts';
import { type Connection, type TestCore, unary } from './running-core.ts';

/** What a stream of WatchStatus has told so far. */
export type StatusFollower = {
  readonly responses: ReadonlyMap<string, PreSignedResponse>;
  /** By name: `issuing-1`, `issuing-1-delta`. */
  readonly crls: ReadonlyMap<string, CrlFacts>;
  readonly messages: readonly StatusChanges[];
  /** Where the stream is. */
  position(): { readonly epoch: string; readonly afterPosition: number };
  /** The first thing that `find` finds, now or when more was told. */
  until<Found>(find: (follower: StatusFollower) => Found | undefined | false): Promise<Found>;
  /** The response for a certificate, OCSPResponse as a gate would serve it. */
  ocspResponse(serialNumber: string, hash?: 'sha1' | 'sha256'): Buffer;
  /** Why the stream has ended. */
  readonly ended: Promise<unknown>;
  cancel(): void;
};

/** Follows from a position; from the beginning unless told. */
export function followStatus(
  client: CertificateStatusClient,
  from: { readonly epoch: string; readonly afterPosition: number } = { epoch: '', afterPosition: 0 },
): StatusFollower {
  const stream = client.watchStatus(from);
  const responses = new Map<string, PreSignedResponse>();
  const responders = new Map<string, OcspResponder>();
  const crls = new Map<string, CrlFacts>();
  const messages: StatusChanges[] = [];
  const checks = new Set<() => void>();
  let position = from;
  stream.on('data', (message: StatusChanges) => {
    messages.push(message);
    position = { epoch: message.epoch, afterPosition: message.position };
    for (const responder of message.responders) responders.set(responder.id.toString('hex'), responder);
    for (const response of message.responses) responses.set(response.serialNumber, response);
    for (const crl of message.crls) crls.set(crl.isDelta ? `${crl.scope}-delta` : crl.scope, crl);
    for (const check of checks) check();
  });
  const ended = new Promise<unknown>((resolve) => {
    stream.on('error', resolve);
    stream.on('end', () => resolve(undefined));
  });
  const follower: StatusFollower = {
    responses,
    crls,
    messages,
    position: () => position,
    until: (find) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = find(follower);
          if (found === undefined || found === false) return;
          checks.delete(check);
          resolve(found);
        };
        checks.add(check);
        check();
      }),
    ocspResponse(serialNumber, hash = 'sha1') {
      const response = responses.get(serialNumber);
      const responder = responders.get(response?.responderId.toString('hex') ?? '');
      const signed = response?.[hash];
      assert.ok(responder !== undefined && signed !== undefined, `no response for ${serialNumber}`);
      const { signatureAlgorithm, certificate } = responder;
      return composeOcspResponse({ ...signed, signatureAlgorithm, certificates: [certificate] });
    },
    ended,
    cancel: () => stream.cancel(),
  };
  return follower;
}

/** Registers an RA for tests of status, and connects as it. */
export async function connectStatusGate(core: TestCore, name = 'gate'): Promise<Connection> {
  const registration = { name, profiles: ['tls-server', 'tls-server-short-lived'], dns: ['example.com'] };
  return core.connect(await core.addRegistrationAuthority(registration));
}

/** Revokes, holds or releases. Fails with CoreError. */
export function changeStatus(
  client: CertificateAuthorityClient,
  serialNumber: string,
  reason: RevocationReason = RevocationReason.REVOCATION_REASON_SUPERSEDED,
): Promise<RevokeResponse> {
  return unary((callback) => client.revoke({ serialNumber, reason, invalidityDate: undefined, requester }, callback));
}

/** A CRL as it is served, DER. Fails with CoreError. */
export async function fetchCrl(
  client: CertificateStatusClient,
  scope: string,
  isDelta = false,
): Promise<{ readonly facts: CrlFacts; readonly der: Buffer; readonly crl: CertificateList }> {
  const parts: readonly CrlPart[] = await collect(client.getCrl({ scope, isDelta }));
  const octets: Buffer[] = [];
  let facts: CrlFacts | undefined;
  for (const { part } of parts) {
    if (part?.$case === 'facts') facts = part.value;
    else if (part !== undefined) octets.push(part.value);
  }
  assert.ok(facts);
  const der = Buffer.concat(octets);
  return { facts, der, crl: readCertificateList(der) };
}

/** The first CRL of a scope, from the one that is there on, whose entries are right. */
export async function fetchCrlWhen(
  client: CertificateStatusClient,
  follower: StatusFollower,
  name: { readonly scope: string; readonly isDelta?: boolean },
  isRight: (entries: Readonly<Record<string, number>>) => boolean,
): Promise<Awaited<ReturnType<typeof fetchCrl>>> {
  const { scope, isDelta = false } = name;
  for (;;) {
    const found = await fetchCrl(client, scope, isDelta);
    if (isRight(entriesOf(found.crl))) return found;
    const key = isDelta ? `${scope}-delta` : scope;
    await follower.until(({ crls }) => (crls.get(key)?.crlNumber ?? 0) > found.facts.crlNumber);
  }
}

/** Reason of each entry by serial number. */
export function entriesOf(crl: CertificateList): Readonly<Record<string, number>> {
  return Object.fromEntries([...crl.entries()].map(({ serialNumber, reason }) => [serialNumber, reason]));
}

/** What a successful OCSPResponse says. */
export function readSuccessful(response: Buffer): BasicOcspResponse {
  const contents = readOcspResponse(response);
  assert.equal(contents.status, 'successful');
  return contents;
}

/** Serial number of a certificate, as the core writes it. */
export function serialNumberOf(der: Uint8Array): string {
  return readCertificate(der).serialNumber;
}

/** Files in a directory of their own while `use` runs. */
export function withFiles<Result>(
  files: Readonly<Record<string, Uint8Array | string>>,
  use: (path: (name: string) => string) => Result,
): Result {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-status-'));
  try {
    for (const [name, contents] of Object.entries(files)) writeFileSync(join(directory, name), contents);
    return use((name) => join(directory, name));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
