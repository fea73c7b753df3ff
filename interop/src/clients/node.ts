// Node's own TLS, as programs in JavaScript use it: for what neither curl nor s_client can do, which is to bind a CSR to a
// connection that then carries several requests, or to another one.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { utf8String } from '@gatehouse/pkix/der/writer';
import { attribute } from '@gatehouse/pkix/names';
import { pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import type { Client } from '../client.ts';
import { estPath, expectIssued, toBase64 } from '../curl/enroll.ts';
import { describeAnswer } from '../curl/request.ts';
import { type HttpAnswer, readLastAnswer } from '../http-answer.ts';
import type { Session } from '../session.ts';

/** Node.js. */
export const nodeClient: Client = {
  name: 'Node.js tls',
  gate: 'est',
  version: async () => process.versions.node,
  operations: [
    {
      name: 'simpleenroll bound by tls-exporter after 401 on the same connection, TLS 1.3',
      section: 'RFC 9266 §2',
      run: (session) => enrollAfterChallenge(session, 'TLSv1.3', exporter),
    },
    {
      name: 'simpleenroll bound by tls-unique after 401 on the same connection, TLS 1.2',
      section: 'RFC 7030 §3.5',
      run: (session) => enrollAfterChallenge(session, 'TLSv1.2', finished),
    },
    {
      name: 'refuses tls-exporter of another connection: 403',
      section: 'RFC 7030 §3.5',
      run: refuseOtherConnection,
    },
    {
      name: 'refuses tls-exporter on TLS 1.2 where the label does not take it: 403',
      section: 'RFC 9266 §4.2',
      run: refuseExporterOnTls12,
    },
  ],
};

type Binding = (socket: TLSSocket) => Buffer;

/** RFC 9266 §2. */
const exporter: Binding = (socket) => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));

/** RFC 5929 §3.1: the client's Finished, on a full handshake the first one. */
const finished: Binding = (socket) => {
  const octets = socket.getFinished();
  assert(octets !== undefined, 'the handshake must be complete');
  return octets;
};

async function enrollAfterChallenge(session: Session, version: SecureVersion, binding: Binding): Promise<void> {
  const socket = await open(session, version);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const request = makeRequest(privateKey, binding(socket));
  const refused = await send(socket, session, request, false);
  assert.equal(refused.status, 401, describeAnswer(refused));
  const answer = await send(socket, session, request, true);
  socket.end();
  await expectIssued(session, answer, publicKeyOf(privateKey));
}

async function refuseOtherConnection(session: Session): Promise<void> {
  const other = await open(session, 'TLSv1.3');
  const socket = await open(session, 'TLSv1.3');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const answer = await send(socket, session, makeRequest(privateKey, exporter(other)), true);
  for (const each of [other, socket]) each.end();
  assert.equal(answer.status, 403, describeAnswer(answer));
}

async function refuseExporterOnTls12(session: Session): Promise<void> {
  const socket = await open(session, 'TLSv1.2');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const answer = await send(socket, session, makeRequest(privateKey, exporter(socket)), true);
  socket.end();
  assert.equal(answer.status, 403, describeAnswer(answer));
}

async function open({ stack, authority }: Session, version: SecureVersion): Promise<TLSSocket> {
  const { hostname, port } = new URL(`https://${authority}`);
  const ca = readFileSync(stack.endpoints.trustAnchor);
  const socket = connect({ host: hostname, port: Number(port), ca, minVersion: version, maxVersion: version });
  await once(socket, 'secureConnect');
  return socket;
}

function makeRequest(key: KeyObject, binding: Buffer): Uint8Array {
  const name = 'bound.example.com';
  return createCertificationRequest({
    subject: [[attribute('CN', name)]],
    key,
    names: [{ kind: 'dns', value: name }],
    attributes: [{ type: pkcs9Attributes.challengePassword, values: [utf8String(binding.toString('base64'))] }],
  });
}

async function send(
  socket: TLSSocket,
  { stack, authority }: Session,
  request: Uint8Array,
  hasCredentials: boolean,
): Promise<HttpAnswer> {
  const { username, password } = stack.demoUser;
  const credentials = toBase64(Buffer.from(`${username}:${password}`));
  const body = toBase64(request);
  const answered = once(socket, 'data');
  socket.write(
    [
      `POST ${estPath('simpleenroll', 'bound')} HTTP/1.1`,
      `Host: ${authority}`,
      ...(hasCredentials ? [`Authorization: Basic ${credentials}`] : []),
      'Content-Type: application/pkcs10',
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  );
  // Header and body leave the gate in one write, so that clients which read once have all of it.
  const [octets]: readonly Buffer[] = await answered;
  assert(octets !== undefined);
  return readLastAnswer(octets);
}

function publicKeyOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}
