// An ACME client for tests that can do everything right and everything wrong: each part of a request can be replaced before
// it goes out, and nothing of an answer is tidied up.

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { jwkOfKey, type PublicJwk } from '@gatehouse/pkix/jose/jwk';
import { preferredAlgorithms, signatureAlgorithms } from '@gatehouse/pkix/jose/signature';

/** A key that signs requests; with its URL once it is an account's. */
export type Signer = { readonly key: KeyObject; readonly public: PublicJwk; readonly kid?: string };

/** What goes out over HTTP. */
export type HttpRequest = {
  readonly method?: string;
  readonly body?: string | Uint8Array | undefined;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What came back. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Field lines as they came: name in lower case, value. */
  readonly lines: readonly (readonly [string, string])[];
  readonly body: string;
  /** The body as JSON; fails when it is none. */
  json(): Record<string, unknown>;
};

/** How a request departs from a right one. */
export type Changes = {
  /** Changes the protected header; undefined takes a member away. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** The payload as text, in place of its JSON. */
  readonly payloadText?: string;
  readonly nonce?: string;
  /** Changes the flattened JWS. */
  readonly jws?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Signs with another key. */
  readonly signWith?: KeyObject;
};

/** The directory as JSON. */
export type Directory = Readonly<Record<string, string>> & { readonly meta: Readonly<Record<string, unknown>> };

const contentType = { 'content-type': 'application/jose+json' };

/** Makes a key: P-256 unless told. */
export function newSigner(kind: 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | 'RSA' = 'P-256'): Signer {
  const key = generateKey(kind);
  return { key, public: jwkOfKey(key) };
}

function generateKey(kind: 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | 'RSA'): KeyObject {
  if (kind === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  if (kind === 'Ed25519') return generateKeyPairSync('ed25519').privateKey;
  return generateKeyPairSync('ec', { namedCurve: kind }).privateKey;
}

/** Base64url of JSON, of text or of octets. */
export function base64url(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url');
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** The parts of a flattened JWS. */
export function signJws(header: object, payload: string, key: KeyObject): Record<string, unknown> {
  const { digest, input } = signatureAlgorithms[preferredAlgorithms[jwkOfKey(key).kind]];
  const [protectedText, payloadText] = [base64url(header), base64url(payload)];
  const signature = sign(digest, Buffer.from(`${protectedText}.${payloadText}`), { ...input, key });
  return { protected: protectedText, payload: payloadText, signature: base64url(signature) };
}

/** The parts of a flattened JWS with a MAC. */
export function macJws(header: { readonly alg: string }, payload: string, secret: Uint8Array): Record<string, unknown> {
  const [protectedText, payloadText] = [base64url(header), base64url(payload)];
  const mac = createHmac(header.alg.replace('HS', 'sha'), secret).update(`${protectedText}.${payloadText}`).digest();
  return { protected: protectedText, payload: payloadText, signature: base64url(mac) };
}

/** A client of one gate. */
export class AcmeClient {
  readonly directoryUrl: string;
  readonly #agent: Agent;
  #directory: Directory | undefined;
  #nonces: string[] = [];

  constructor({ directory, trustAnchor }: { readonly directory: string; readonly trustAnchor: string }) {
    this.directoryUrl = directory;
    this.#agent = new Agent({ keepAlive: true, ca: trustAnchor, maxSockets: 32 });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sends anything. */
  async send(url: string, { method, body, headers = {} }: HttpRequest = {}): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const { hostname, port, pathname, search } = new URL(url);
    const sent = httpsRequest(
      {
        agent: this.#agent,
        host: hostname.replace(/^\[|\]$/g, ''),
        port,
        path: pathname + search,
        servername: 'localhost',
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { ...length, ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const { rawHeaders } = response;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            lines: rawHeaders.flatMap((name, i) =>
              i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] ?? '']] : [],
            ),
            body: text,
            json: () => JSON.parse(text),
          });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
    const answer = await promise;
    const nonce = answer.headers['replay-nonce'];
    if (typeof nonce === 'string') this.#nonces = [...this.#nonces.slice(-31), nonce];
    return answer;
  }

  /** The directory. */
  async directory(): Promise<Directory> {
    this.#directory ??= JSON.parse((await this.send(this.directoryUrl)).body);
    if (this.#directory === undefined) throw new Error('there is no directory');
    return this.#directory;
  }

  /** A fresh nonce. */
  async nonce(): Promise<string> {
    const held = this.#nonces.pop();
    if (held !== undefined) return held;
    await this.send(String((await this.directory()).newNonce), { method: 'HEAD' });
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new Error('newNonce gave no nonce');
    return nonce;
  }

  /** The body of a signed request. @param payload undefined: POST-as-GET */
  async sign(url: string, payload: unknown, signer: Signer, changes: Changes = {}): Promise<Record<string, unknown>> {
    const header = {
      alg: preferredAlgorithms[signer.public.kind],
      ...(signer.kid === undefined ? { jwk: signer.public.jwk } : { kid: signer.kid }),
      nonce: changes.nonce ?? (await this.nonce()),
      url,
      ...changes.header,
    };
    const text = changes.payloadText ?? (payload === undefined ? '' : JSON.stringify(payload));
    return { ...signJws(header, text, changes.signWith ?? signer.key), ...changes.jws };
  }

  /** A signed request. @param payload undefined: POST-as-GET */
  async post(url: string, payload: unknown, signer: Signer, changes: Changes = {}): Promise<HttpAnswer> {
    const body = JSON.stringify(await this.sign(url, payload, signer, changes));
    return await this.send(url, { method: 'POST', body, headers: { ...contentType, ...changes.headers } });
  }

  /** An account that was made, or found. */
  async account(payload: unknown = { termsOfServiceAgreed: true }, signer: Signer = newSigner()): Promise<Signer> {
    const answer = await this.post(String((await this.directory()).newAccount), payload, signer);
    const kid = answer.headers.location;
    if (kid === undefined) throw new Error(`no account: ${answer.status} ${answer.body}`);
    return { ...signer, kid };
  }
}
