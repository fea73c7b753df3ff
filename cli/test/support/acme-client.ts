// A small ACME client for tests of programs that speak ACME: one account, right requests only, badNonce tried again as RFC
// 8555 §6.5 wants it.

import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout } from 'node:timers/promises';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';

/** What came back. */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): Record<string, unknown>;
};

/** Any https request; the server's certificate is not judged. */
export async function fetchInsecurely(
  url: string,
  { method = 'GET', body, headers = {} }: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = httpsRequest(url, { method, headers, rejectUnauthorized: false, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const { statusCode = 0, headers: received } = response;
      resolve({ status: statusCode, headers: received, body: text, json: () => JSON.parse(text) });
    });
  });
  sent.on('error', reject);
  sent.end(body);
  return await promise;
}

/** A certificate with its key. */
export type Obtained = {
  readonly pem: string;
  readonly key: KeyObject;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
};

/** A client with a key of its own. */
export class SmallAcmeClient {
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  readonly #directoryUrl: string;
  #directory: Record<string, unknown> = {};
  #kid: string | undefined;

  constructor(directoryUrl: string) {
    this.#directoryUrl = directoryUrl;
  }

  async directory(): Promise<Record<string, unknown>> {
    if (this.#directory.newNonce === undefined) this.#directory = (await fetchInsecurely(this.#directoryUrl)).json();
    return this.#directory;
  }

  /** A signed request. @param payload undefined: POST-as-GET */
  async post(url: string, payload?: unknown): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const { newNonce } = await this.directory();
      const nonce = (await fetchInsecurely(String(newNonce), { method: 'HEAD' })).headers['replay-nonce'];
      const who = this.#kid === undefined ? { jwk: jwkOfKey(this.#key).jwk } : { kid: this.#kid };
      const body = JSON.stringify(this.#sign({ alg: 'ES256', nonce, url, ...who }, payload));
      const headers = { 'content-type': 'application/jose+json' };
      const answer = await fetchInsecurely(url, { method: 'POST', body, headers });
      if (attempt > 20 || !answer.body.includes('error:badNonce')) return answer;
    }
  }

  /** Makes the account. @param external key id and secret of an external account */
  async register(external?: { readonly keyId: string; readonly secret: string }): Promise<Answer> {
    const { newAccount } = await this.directory();
    const url = String(newAccount);
    const binding = external === undefined ? {} : { externalAccountBinding: this.#bind(url, external) };
    const answer = await this.post(url, { termsOfServiceAgreed: true, ...binding });
    this.#kid = answer.headers.location;
    return answer;
  }

  /** From newOrder to the certificate. */
  async obtain(names: readonly string[], more: object = {}): Promise<Obtained> {
    const { newOrder } = await this.directory();
    const made = await this.post(String(newOrder), {
      identifiers: names.map((value) => ({ type: 'dns', value })),
      ...more,
    });
    assert.equal(made.status, 201, made.body);
    const orderUrl = String(made.headers.location);
    const authorizations = made.json().authorizations;
    assert.ok(Array.isArray(authorizations));
    for (const url of authorizations) {
      const { status, challenges } = (await this.post(String(url))).json();
      assert.ok(Array.isArray(challenges));
      if (status === 'pending') await this.post(String(challenges[0]?.url), {});
    }
    const ready = await this.#until(orderUrl, 'pending');
    assert.equal(ready.status, 'ready', JSON.stringify(ready));
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const csr = createCertificationRequest({ subject: [], key, names: names.map((value) => ({ kind: 'dns', value })) });
    const finalized = await this.post(String(ready.finalize), { csr: Buffer.from(csr).toString('base64url') });
    assert.equal(finalized.status, 200, finalized.body);
    const order = await this.#until(orderUrl, 'processing');
    assert.equal(order.status, 'valid', JSON.stringify(order));
    const url = String(order.certificate);
    const { body: pem, headers } = await this.post(url);
    return { pem, key, url, headers };
  }

  async #until(url: string, status: string): Promise<Record<string, unknown>> {
    for (;;) {
      const order = (await this.post(url)).json();
      if (order.status !== status) return order;
      await setTimeout(50);
    }
  }

  #bind(url: string, { keyId, secret }: { readonly keyId: string; readonly secret: string }) {
    const [header, payload] = [{ alg: 'HS256', kid: keyId, url }, jwkOfKey(this.#key).jwk].map(encode);
    const mac = createHmac('sha256', Buffer.from(secret, 'base64url'))
      .update(`${header}.${payload}`)
      .digest('base64url');
    return { protected: header, payload, signature: mac };
  }

  #sign(header: object, payload: unknown) {
    const [protectedText, payloadText] = [encode(header), payload === undefined ? '' : encode(payload)];
    const input = Buffer.from(`${protectedText}.${payloadText}`);
    const signature = sign('sha256', input, { key: this.#key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    return { protected: protectedText, payload: payloadText, signature };
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
