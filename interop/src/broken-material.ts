// What the broken inputs are made of: a request and certificates that are in order, and the means to spoil them.

import { randomUUID } from 'node:crypto';
import { makeRequest } from './certification-requests.ts';
import { output } from './command.ts';
import { alternativeNameExtension, commonName, craftRequest, extensionRequest } from './crafted-request.ts';
import { enrollNew, toBase64 } from './curl/enroll.ts';
import type { ClientCertificate, CurlRequest } from './curl/request.ts';
import type { Session } from './session.ts';

/** A request that a client certificate alone vouches for, and that would pass for it. */
export type ClientProof = Pick<CurlRequest, 'account' | 'clientCertificate' | 'body'>;

/** Things that are in order. */
export type BrokenMaterial = {
  /** PKCS#10 for broken.example.com, DER. */
  readonly valid: Buffer;
  readonly validPem: string;
  /** The gate's issuing CA, DER and PEM. */
  readonly certificate: Buffer;
  readonly certificatePem: string;
  /** The first lines of an enrollment by HTTP, without a length and without the empty line. */
  readonly head: string;
  /** A certificate of profile tls-client for client.example.com, with its own request. */
  readonly client: ClientProof;
  /** The same of profile tls-server. */
  readonly server: ClientProof;
  /** A certificate that signed itself. */
  readonly stranger: ClientCertificate;
  /** A request with the subject of `client` and this DNS name. */
  clientRequestWith(name: string): Uint8Array;
  /** A certificate like `client`, revoked by the operator. */
  revokedClient(): Promise<ClientProof>;
  /** A request with a key that `openssl genpkey` makes of these parameters, DER. */
  requestWithKey(parameters: readonly string[], digest?: string): Promise<Buffer>;
};

const subject = ['CN=broken.example.com'];
const names = ['DNS:broken.example.com'];

/** Makes the material of one operation. */
export async function makeBrokenMaterial(session: Session): Promise<BrokenMaterial> {
  const { der: valid } = await makeRequest(session, 'valid', { subject, names });
  const validPem = await output('openssl', ['req', '-inform', 'DER', '-outform', 'PEM'], { input: valid });
  const { chain } = session.stack.endpoints;
  const { username, password } = session.stack.demoUser;
  return {
    valid,
    validPem: validPem.toString('latin1'),
    certificate: await output('openssl', ['x509', '-in', chain, '-outform', 'DER']),
    certificatePem: (await output('openssl', ['x509', '-in', chain])).toString('latin1'),
    head: [
      'POST /.well-known/est/simpleenroll HTTP/1.1',
      `Host: ${session.authority}`,
      `Authorization: Basic ${toBase64(Buffer.from(`${username}:${password}`))}`,
      'Content-Type: application/pkcs10',
      '',
    ].join('\r\n'),
    client: await enrolled(session, 'client', 'tls-client'),
    server: await enrolled(session, 'server', 'tls-server'),
    stranger: await makeStranger(session),
    clientRequestWith: (name) =>
      craftRequest({
        subject: commonName('client.example.com'),
        attributes: [extensionRequest(alternativeNameExtension('client.example.com', name))],
      }),
    revokedClient: async () => {
      const proof = await enrolled(session, 'revoked', 'tls-client');
      await session.stack.operator('cert', 'revoke', proof.clientCertificate.serialNumber, '--reason', 'superseded');
      return proof;
    },
    requestWithKey: (parameters, digest) => requestWithKey(session, parameters, digest),
  };
}

async function enrolled(session: Session, name: string, label: string) {
  const own = { subject: [`CN=${name}.example.com`], names: [`DNS:${name}.example.com`] };
  const { request, certificateFile, keyFile, certificate } = await enrollNew(session, name, label, own);
  const clientCertificate = { certificateFile, keyFile, serialNumber: certificate.serialNumber };
  return { account: undefined, clientCertificate, body: toBase64(request.der) };
}

async function makeStranger(session: Session): Promise<ClientCertificate> {
  const { keyFile, file } = await makeRequest(session, 'stranger', { subject, names });
  const pem = await output('openssl', [
    'x509',
    '-req',
    '-in',
    file,
    '-inform',
    'DER',
    '-signkey',
    keyFile,
    '-days',
    '1',
  ]);
  return { certificateFile: session.write('stranger.pem', pem), keyFile };
}

async function requestWithKey(session: Session, keyParameters: readonly string[], digest?: string): Promise<Buffer> {
  // Several of them are made at a time.
  const name = randomUUID();
  const request = await makeRequest(session, name, { subject, names, keyParameters });
  if (digest === undefined) return request.der;
  const signing = ['req', '-new', '-key', request.keyFile, '-config', session.file(`${name}.cnf`), '-outform', 'DER'];
  return await output('openssl', [...signing, `-${digest}`]);
}
