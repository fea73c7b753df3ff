/**
 * An ACME client that does nothing but load: one account with a P-256 key, one connection that stays open, one order after
 * the other. It verifies nothing of what it gets beyond what it needs for the next step.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';

/** Where a server is. */
export type AcmeServer = {
  readonly directory: string;
  /** PEM; what the server's certificate is verified with. */
  readonly trustAnchor: string;
};

type Answer = { readonly status: number; readonly headers: Record<string, unknown>; readonly body: string };
type Resource = Readonly<Record<string, unknown>>;

type Urls = { readonly newNonce: string; readonly newAccount: string; readonly newOrder: string };

/** Pauses between polls, milliseconds: as short as they can be without being the load themselves. */
const pollMs = [1, 2, 4, 8, 10];
const patienceMs = 5_000;

/** An account at a server. */
export class LoadAccount {
  /** RFC 7638. */
  readonly thumbprint: string;
  readonly #key: KeyObject;
  readonly #jwk: Resource;
  readonly #http: Client;
  readonly #urls: Urls;
  #url = '';
  #nonce = '';

  private constructor(http: Client, urls: Urls) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
    this.#key = privateKey;
    this.#jwk = { crv, kty, x, y };
    this.thumbprint = createHash('sha256').update(JSON.stringify(this.#jwk)).digest('base64url');
    this.#http = http;
    this.#urls = urls;
  }

  /** Makes one. Rejects when the server refuses. */
  static async create({ directory, trustAnchor }: AcmeServer): Promise<LoadAccount> {
    const http = new Client(new URL(directory).origin, {
      connect: { ca: trustAnchor },
      pipelining: 1,
      // A server that does not answer any more ends the run instead of holding it.
      headersTimeout: patienceMs,
    });
    const answer = await call(http, 'GET', directory);
    const { newNonce, newAccount, newOrder } = read(answer);
    const account = new LoadAccount(http, {
      newNonce: text(newNonce),
      newAccount: text(newAccount),
      newOrder: text(newOrder),
    });
    account.#remember(await call(http, 'HEAD', account.#urls.newNonce));
    const made = await account.#post(account.#urls.newAccount, { termsOfServiceAgreed: true });
    account.#url = text(made.headers.location);
    return account;
  }

  /** From newOrder to the certificate. @param csr PKCS#10, DER, for this name alone */
  async issue(name: string, csr: Uint8Array): Promise<void> {
    const made = await this.#post(this.#urls.newOrder, { identifiers: [{ type: 'dns', value: name }] });
    const orderUrl = text(made.headers.location);
    const order = read(made);
    const authorizationUrl = text(first(order.authorizations));
    const authorization = read(await this.#post(authorizationUrl));
    const challenge = list(authorization.challenges).find((one) => field(one, 'type') === 'http-01');
    await this.#post(text(field(challenge, 'url')), {});
    await this.#until(authorizationUrl, 'valid');
    const finalized = await this.#post(text(order.finalize), { csr: Buffer.from(csr).toString('base64url') });
    const done = read(finalized).status === 'valid' ? read(finalized) : await this.#until(orderUrl, 'valid');
    const certificate = await this.#post(text(done.certificate));
    if (!certificate.body.startsWith('-----BEGIN CERTIFICATE-----')) throw new Error('no certificate came');
  }

  close(): Promise<void> {
    return this.#http.destroy();
  }

  async #until(url: string, wanted: string): Promise<Resource> {
    const deadline = performance.now() + patienceMs;
    for (let round = 0; performance.now() < deadline; round++) {
      const seen = read(await this.#post(url));
      if (seen.status === wanted) return seen;
      if (seen.status === 'invalid') throw new Error(`${url} is invalid: ${JSON.stringify(seen)}`);
      await pause(pollMs[Math.min(round, pollMs.length - 1)]);
    }
    throw new Error(`${url} did not become ${wanted}`);
  }

  async #post(url: string, payload?: Resource): Promise<Answer> {
    const who = this.#url === '' ? { jwk: this.#jwk } : { kid: this.#url };
    const header = encode(JSON.stringify({ alg: 'ES256', ...who, nonce: this.#nonce, url }));
    const contents = payload === undefined ? '' : encode(JSON.stringify(payload));
    const signature = sign('sha256', Buffer.from(`${header}.${contents}`), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    }).toString('base64url');
    const body = JSON.stringify({ protected: header, payload: contents, signature });
    const answer = await call(this.#http, 'POST', url, body);
    this.#remember(answer);
    if (answer.status >= 400) throw new Error(`${url} answered ${answer.status}: ${answer.body}`);
    return answer;
  }

  #remember({ headers }: Answer): void {
    this.#nonce = text(headers['replay-nonce']);
  }
}

async function call(http: Client, method: 'GET' | 'HEAD' | 'POST', url: string, body?: string): Promise<Answer> {
  const { pathname } = new URL(url);
  const answer = await http.request({
    path: pathname,
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/jose+json' },
    body: body ?? null,
  });
  return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
}

function read({ body }: Answer): Resource {
  const value: unknown = JSON.parse(body);
  if (typeof value !== 'object' || value === null) throw new TypeError('the answer is no object');
  return Object.fromEntries(Object.entries(value));
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('the answer has no such list');
  return value;
}

function first(value: unknown): unknown {
  return list(value)[0];
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('the answer lacks a text that it must have');
  return value;
}

function encode(value: string): string {
  return Buffer.from(value).toString('base64url');
}
