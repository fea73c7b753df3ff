// A client of ACME that gives nothing up: whatever happens to the server between two octets, it asks again, as RFC 8555
// lets it, until an order is valid or invalid. It is for drills, in which gates, perspectives and the keep are killed.

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Agent, request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';

/** Where a directory is, in as many copies of the gate as there are. */
export type PatientOptions = {
  /** URLs of the directory; each request goes to any of the copies, under the URL that the directory names. */
  readonly directories: readonly string[];
  /** PEM. */
  readonly trustAnchor: string;
  /** Answers an http-01 challenge. */
  answer(token: string, keyAuthorization: string): Promise<void>;
  /** Is told every answer, also those after which it asks again. */
  observe?(url: string, answer: PatientAnswer): void;
};

/** An order whose names were all validated. */
export type ReadyOrder = { readonly url: string; readonly finalize: string };

/** What became of an order. */
export type OrderEnd =
  | { readonly kind: 'valid'; readonly url: string; readonly certificate: string }
  | { readonly kind: 'invalid'; readonly url: string; readonly why: string };

/** An answer. */
export type PatientAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
};

type Resource = Readonly<Record<string, unknown>>;

const longestWaitMs = 120_000;
/** Before it looks for the second time; twice as long each further time, up to the longest. */
const pauseMs = 50;
const longestPauseMs = 800;

/** One account. */
export class PatientClient {
  readonly #options: PatientOptions;
  readonly #agent: Agent;
  readonly #key: KeyObject;
  readonly #jwk: Resource;
  readonly #thumbprint: string;
  #urls: Resource = {};
  #account = '';
  #nonces: string[] = [];
  #isClosed = false;

  constructor(options: PatientOptions) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
    this.#options = options;
    this.#agent = new Agent({ ca: options.trustAnchor, keepAlive: true });
    this.#key = privateKey;
    this.#jwk = { crv, kty, x, y };
    this.#thumbprint = createHash('sha256').update(JSON.stringify(this.#jwk)).digest('base64url');
  }

  /** Makes the account. */
  async open(): Promise<void> {
    const [directory = ''] = this.#options.directories;
    this.#urls = resource(await this.#again(() => this.#send('GET', directory)));
    const made = await this.post(String(this.#urls.newAccount), { termsOfServiceAgreed: true });
    if (made.status > 201) throw new Error(`newAccount answered ${made.status}: ${made.body}`);
    this.#account = header(made, 'location');
  }

  /** Brings one order to its end. @param csr PKCS#10, DER, for exactly these names */
  async issue(names: readonly string[], csr: Uint8Array): Promise<OrderEnd> {
    const { url, finalize } = await this.prepare(names);
    return await this.finish({ url, finalize }, csr);
  }

  /** Makes an order and has its names validated; a name that fails makes it invalid, which {@link finish} tells. */
  async prepare(names: readonly string[]): Promise<ReadyOrder> {
    const made = await this.post(String(this.#urls.newOrder), {
      identifiers: names.map((value) => ({ type: 'dns', value })),
    });
    if (made.status !== 201) throw new Error(`newOrder answered ${made.status}: ${made.body}`);
    const url = header(made, 'location');
    const order = resource(made);
    for (const authorization of texts(order.authorizations)) await this.#authorize(authorization);
    return { url, finalize: String(order.finalize) };
  }

  /** Finalizes an order, and waits for its end. */
  async finish({ url, finalize }: ReadyOrder, csr: Uint8Array): Promise<OrderEnd> {
    // An answer that was lost is asked for again with the same CSR, RFC 8555 §7.4.
    const ready = await this.#until(url, (status) => status !== 'pending');
    if (ready.status === 'ready') await this.post(finalize, { csr: Buffer.from(csr).toString('base64url') });
    return await this.end(url);
  }

  /** Waits for the end of an order that was finalized. */
  async end(url: string): Promise<OrderEnd> {
    const end = await this.#until(url, (status) => status === 'valid' || status === 'invalid');
    if (end.status === 'invalid') return { kind: 'invalid', url, why: JSON.stringify(end.error) };
    const certificate = await this.post(String(end.certificate));
    return { kind: 'valid', url, certificate: certificate.body };
  }

  /** One signed request; nothing is sent on with `payload` left out (POST-as-GET). Asks again until it is answered. */
  post(url: string, payload?: Resource): Promise<PatientAnswer> {
    return this.#again(async () => {
      const nonce = this.#nonces.pop() ?? (await this.#newNonce());
      const who = this.#account === '' ? { jwk: this.#jwk } : { kid: this.#account };
      const head = encode(JSON.stringify({ alg: 'ES256', ...who, nonce, url }));
      const contents = payload === undefined ? '' : encode(JSON.stringify(payload));
      const signature = sign('sha256', Buffer.from(`${head}.${contents}`), {
        key: this.#key,
        dsaEncoding: 'ieee-p1363',
      }).toString('base64url');
      const answer = await this.#send('POST', url, JSON.stringify({ protected: head, payload: contents, signature }));
      const fresh = answer.headers['replay-nonce'];
      if (typeof fresh === 'string') this.#nonces.push(fresh);
      return answer;
    });
  }

  /** What the directory says. */
  get urls(): Resource {
    return this.#urls;
  }

  /** What is still being asked for fails. */
  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  async #authorize(url: string): Promise<void> {
    const authorization = resource(await this.post(url));
    if (authorization.status !== 'pending') return;
    const challenges = Array.isArray(authorization.challenges) ? authorization.challenges : [];
    const challenge = challenges.map(object).find(({ type }) => type === 'http-01');
    if (challenge === undefined) throw new Error('http-01 is not offered');
    const token = String(challenge.token);
    await this.#options.answer(token, `${token}.${this.#thumbprint}`);
    await this.post(String(challenge.url), {});
    await this.#until(url, (status) => status !== 'pending');
  }

  async #until(url: string, isEnough: (status: unknown) => boolean): Promise<Resource> {
    const deadline = Date.now() + longestWaitMs;
    for (let waitMs = pauseMs; ; waitMs = Math.min(longestPauseMs, 2 * waitMs)) {
      const seen = resource(await this.post(url));
      if (isEnough(seen.status)) return seen;
      if (Date.now() > deadline) throw new Error(`${url} hangs: ${JSON.stringify(seen)}`);
      await pause(waitMs);
    }
  }

  async #newNonce(): Promise<string> {
    return header(await this.#send('HEAD', String(this.#urls.newNonce)), 'replay-nonce');
  }

  // A server that is gone, that is coming back, or that no longer knows a nonce is asked again.
  async #again(attempt: () => Promise<PatientAnswer>): Promise<PatientAnswer> {
    const deadline = Date.now() + longestWaitMs;
    for (let waitMs = pauseMs; ; waitMs = Math.min(longestPauseMs, 2 * waitMs)) {
      const answer = await attempt().catch((error: unknown) => {
        if (this.#isClosed || Date.now() > deadline) throw error;
        return undefined;
      });
      const isFinal = answer !== undefined && answer.status < 500 && !answer.body.includes(':badNonce');
      if (isFinal) return answer;
      if (Date.now() > deadline) throw new Error(`no answer but ${answer?.status}: ${answer?.body}`);
      await pause(waitMs);
    }
  }

  async #send(method: 'GET' | 'HEAD' | 'POST', url: string, body?: string): Promise<PatientAnswer> {
    const answer = await this.#exchange(method, url, body);
    this.#options.observe?.(url, answer);
    return answer;
  }

  #exchange(method: 'GET' | 'HEAD' | 'POST', url: string, body?: string): Promise<PatientAnswer> {
    const { directories } = this.#options;
    const copy = directories[Math.floor(Math.random() * directories.length)] ?? url;
    const { hostname, port } = new URL(copy);
    const named = new URL(url);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          method,
          agent: this.#agent,
          hostname,
          port,
          path: named.pathname,
          timeout: 20_000,
          headers: {
            host: named.host,
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('aborted', () => reject(new Error('the answer was cut off')));
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          );
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer came')));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

function resource({ body }: PatientAnswer): Resource {
  return object(JSON.parse(body));
}

function object(value: unknown): Resource {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function header({ headers, status, body }: PatientAnswer, name: string): string {
  const value = headers[name];
  if (typeof value !== 'string') throw new Error(`an answer with ${status} has no ${name}: ${body}`);
  return value;
}

function encode(value: string): string {
  return Buffer.from(value).toString('base64url');
}
