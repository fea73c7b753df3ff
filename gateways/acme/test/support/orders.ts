// An order of a client from newOrder to its certificate, step by step, for tests that are about one of the steps.

import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { decodePem } from '@gatehouse/pkix/pem';
import type { AcmeClient, HttpAnswer, Signer } from './client.ts';
import { newKey, newRequest } from './issuer.ts';
import { pollUntil } from './poll.ts';

/** An order as JSON. */
export type OrderJson = Readonly<Record<string, unknown>> & {
  readonly status: string;
  readonly finalize: string;
  readonly authorizations: readonly string[];
  readonly certificate?: string;
};

/** An order with its URL. */
export type MadeOrder = { readonly url: string; readonly json: OrderJson };

/** A certificate with what belongs to it. */
export type Obtained = {
  readonly order: MadeOrder;
  readonly key: KeyObject;
  readonly url: string;
  readonly chain: readonly Certificate[];
  readonly certificate: Certificate;
  /** DER in base64url, for revokeCert. */
  readonly text: string;
};

/** The order in an answer; fails for a refusal. */
export function orderOf(answer: HttpAnswer): OrderJson {
  assert.ok(answer.status === 200 || answer.status === 201, answer.body);
  return JSON.parse(answer.body);
}

/** `csr` of a finalize request. */
export function csrOf(names: readonly string[], key: KeyObject = newKey(), subject = ''): string {
  const alternative = names.map((name) => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`));
  return Buffer.from(newRequest({ names: alternative, key, subject })).toString('base64url');
}

/** The order, or nothing while it has this status. */
async function unless(status: string, reading: Promise<OrderJson>): Promise<OrderJson | undefined> {
  const order = await reading;
  return order.status === status ? undefined : order;
}

/** Steps of one client. */
export function createSteps(client: AcmeClient) {
  const read = async (url: string, signer: Signer): Promise<OrderJson> =>
    orderOf(await client.post(url, undefined, signer));

  /** A new order. */
  const order = async (signer: Signer, names: readonly string[], more: object = {}): Promise<MadeOrder> => {
    const identifiers = names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value }));
    const answer = await client.post(String((await client.directory()).newOrder), { identifiers, ...more }, signer);
    return { url: String(answer.headers.location), json: orderOf(answer) };
  };

  /** The same, with valid authorizations. */
  const ready = async (signer: Signer, names: readonly string[], more: object = {}): Promise<MadeOrder> => {
    const made = await order(signer, names, more);
    for (const url of made.json.authorizations) {
      const authorization = (await client.post(url, undefined, signer)).json();
      if (authorization.status === 'valid') continue;
      const challenges = authorization.challenges;
      assert.ok(Array.isArray(challenges));
      await client.post(String(challenges[0]?.url), {}, signer);
    }
    const json = await pollUntil(() => unless('pending', read(made.url, signer)));
    assert.equal(json.status, 'ready', JSON.stringify(json));
    return { url: made.url, json };
  };

  /** Waits until an order is not processed any more. */
  const finished = async (signer: Signer, url: string): Promise<OrderJson> =>
    await pollUntil(() => unless('processing', read(url, signer)));

  /** A certificate. */
  const obtain = async (signer: Signer, names: readonly string[], more: object = {}): Promise<Obtained> => {
    const made = await ready(signer, names, more);
    const key = newKey();
    const answer = await client.post(made.json.finalize, { csr: csrOf(names, key) }, signer);
    assert.equal(answer.status, 200, answer.body);
    const json = await finished(signer, made.url);
    assert.equal(json.status, 'valid', JSON.stringify(json));
    const url = String(json.certificate);
    const chain = chainOf(await client.post(url, undefined, signer));
    const [certificate] = chain;
    assert.ok(certificate !== undefined);
    const text = Buffer.from(certificate.der).toString('base64url');
    return { order: { url: made.url, json }, key, url, chain, certificate, text };
  };

  return { order, ready, finished, obtain };
}

/** The certificates of a chain. */
export function chainOf(answer: HttpAnswer): readonly Certificate[] {
  assert.equal(answer.status, 200, answer.body);
  assert.equal(answer.headers['content-type'], 'application/pem-certificate-chain');
  return decodePem(answer.body, ['CERTIFICATE']).map(({ der }) => readCertificate(der));
}

/** Asserts a problem document and gives it back. */
export function refused(answer: HttpAnswer, status: number, type: string, detail = /./): Record<string, unknown> {
  assert.equal(answer.status, status, answer.body);
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  const problem = answer.json();
  assert.equal(problem.type, `urn:ietf:params:acme:error:${type}`, answer.body);
  assert.match(String(problem.detail), detail);
  return problem;
}
