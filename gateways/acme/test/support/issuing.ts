// A client's way from an order to a certificate against real responders, for tests of the whole set-up.

import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { decodePem } from '@gatehouse/pkix/pem';
import type { AcmeClient, HttpAnswer, Signer } from './client.ts';
import { newRequest } from './issuer.ts';
import { pollUntil } from './poll.ts';
import type { NameServer, WebServer } from './responders.ts';

/** JSON of an answer. */
export type Json = Readonly<Record<string, unknown>>;

/** A challenge as it is shown. */
export type Challenge = {
  readonly type: string;
  readonly url: string;
  readonly token: string;
  readonly error?: { readonly type: string; readonly detail: string };
};

/** Who orders, and where what is looked at stands. */
export type Applicant = {
  readonly client: AcmeClient;
  readonly account: Signer;
  readonly names: NameServer;
  readonly web: WebServer;
};

/** How control is shown. */
export type Method = 'http-01' | 'dns-01' | 'dns-account-01' | 'dns-persist-01';

/** Identifiers of names. */
export function dns(...values: string[]): readonly { readonly type: string; readonly value: string }[] {
  return values.map((value) => ({ type: 'dns', value }));
}

/** POST-as-GET. */
export async function read({ client, account }: Applicant, url: unknown): Promise<Json> {
  return (await client.post(String(url), undefined, account)).json();
}

/** Makes an order. @param payload members beside the identifiers */
export async function order(
  applicant: Applicant,
  identifiers: readonly object[],
  payload: Json = {},
): Promise<HttpAnswer> {
  const { newOrder = '' } = await applicant.client.directory();
  const made = await applicant.client.post(newOrder, { identifiers, ...payload }, applicant.account);
  assert.equal(made.status, 201, made.body);
  return made;
}

/** URLs of an order's authorizations. */
export function authorizationsOf(made: HttpAnswer): readonly string[] {
  const { authorizations } = made.json();
  assert.ok(Array.isArray(authorizations));
  return authorizations;
}

/** The challenge of an authorization. */
export async function challengeOf(applicant: Applicant, url: string, type: Method): Promise<Challenge> {
  const { challenges } = await read(applicant, url);
  assert.ok(Array.isArray(challenges));
  const found = challenges.find((one) => one.type === type);
  assert.ok(found !== undefined, `there is no ${type}`);
  return found;
}

/** Makes an order and has its authorizations validated. */
export async function validate(
  applicant: Applicant,
  identifiers: readonly object[],
  type: Exclude<Method, 'dns-persist-01'>,
  payload: Json = {},
): Promise<HttpAnswer> {
  const { client, account, names, web } = applicant;
  const made = await order(applicant, identifiers, payload);
  for (const url of authorizationsOf(made)) {
    const { identifier } = (await read(applicant, url)) as { identifier: { value: string } };
    const challenge = await challengeOf(applicant, url, type);
    const keyAuthorization = `${challenge.token}.${account.public.thumbprint}`;
    const digest = createHash('sha256').update(keyAuthorization).digest('base64url');
    if (type === 'http-01') web.set(challenge.token, keyAuthorization);
    else if (type === 'dns-01') names.setText(`_acme-challenge.${identifier.value}`, [digest]);
    else names.setText(`${accountLabel(String(account.kid))}._acme-challenge.${identifier.value}`, [digest]);
    assert.equal((await client.post(challenge.url, {}, account)).status, 200);
  }
  return made;
}

/** Waits until an order or an authorization is decided. */
export async function settled(applicant: Applicant, url: unknown): Promise<Json> {
  return await pollUntil(async () => {
    const seen = await read(applicant, url);
    return seen.status === 'pending' || seen.status === 'processing' ? undefined : seen;
  });
}

/** Finalizes an order, once it is ready. @returns the chain */
export async function issue(
  applicant: Applicant,
  made: HttpAnswer,
  wanted: readonly string[],
): Promise<readonly X509Certificate[]> {
  const { client, account } = applicant;
  const { location } = made.headers;
  const ready = await settled(applicant, location);
  assert.equal(ready.status, 'ready', JSON.stringify(ready));
  const csr = Buffer.from(newRequest({ names: wanted })).toString('base64url');
  const finalized = await client.post(String(ready.finalize), { csr }, account);
  assert.equal(finalized.status, 200, finalized.body);
  const valid = await settled(applicant, location);
  assert.equal(valid.status, 'valid', JSON.stringify(valid));
  const certificate = await client.post(String(valid.certificate), undefined, account);
  return decodePem(certificate.body, ['CERTIFICATE']).map(({ der }) => new X509Certificate(der));
}

/** draft-ietf-acme-dns-account-label-02 §3.1. */
function accountLabel(accountUrl: string): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  const octets = createHash('sha256').update(accountUrl).digest().subarray(0, 10);
  const bits = Array.from(octets, (octet) => octet.toString(2).padStart(8, '0')).join('');
  return `_${(bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)]).join('')}`;
}
