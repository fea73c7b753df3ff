import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { type AcmeClient, base64url, macJws, newSigner, signJws } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

const jose = { 'content-type': 'application/jose+json' };

/** What a signed request must be. */
export function describeSignatures(front: () => Front): void {
  const post = (client: AcmeClient, url: string, jws: unknown) =>
    client.send(url, { body: typeof jws === 'string' ? jws : JSON.stringify(jws), headers: jose });

  describe('RFC 8555 §6.2: form of the JWS', () => {
    it('takes exactly protected, payload and signature', async () => {
      const { client } = front();
      const account = await client.account();
      const url = `${account.kid}`;
      assertStatus(await client.post(url, undefined, account), 200);
      const changes: Record<string, unknown>[] = [
        { header: { alg: 'ES256' } },
        { header: {} },
        { signatures: [] },
        { protected: undefined },
        { payload: undefined },
        { signature: undefined },
        { payload: null },
        { payload: {} },
        { signature: 1 },
        { protected: '' },
        { protected: base64url('[]') },
        { protected: base64url('"x"') },
        { protected: base64url('{"alg":"ES256","alg":"ES256"}') },
        { protected: `${base64url('{}')}=` },
        { signature: '' },
        { extra: 1 },
      ];
      for (const jws of changes) assertProblem(await client.post(url, undefined, account, { jws }), 400, 'malformed');
      const bodies = [
        '',
        'null',
        '[]',
        '"x"',
        '{',
        '{}',
        '{"protected":',
        'a.b.c',
        '\u0000',
        '{"a":1,"a":2}',
        '[[[[[[[[[[[[]]]]]]]]]]]]',
      ];
      for (const body of bodies) assertProblem(await post(client, url, body), 400, 'malformed');
    });

    it('takes base64url without padding, white space, + and /, and without stray bits', async () => {
      const { client } = front();
      const account = await client.account();
      const url = `${account.kid}`;
      const right = await client.sign(url, { contact: ['mailto:~~~???>>>@example.com'] }, account);
      for (const member of ['protected', 'payload', 'signature']) {
        const text = String(right[member]);
        const wrong = [
          `${text}=`,
          `${text}==`,
          ` ${text}`,
          `${text}\n`,
          `${text.slice(0, 5)}+${text.slice(6)}`,
          `${text}/`,
        ];
        for (const value of wrong) {
          assertProblem(await post(client, url, { ...right, [member]: value }), 400, 'malformed');
        }
      }
    });

    it('refuses crit and b64 in the protected header', async () => {
      const { client } = front();
      const account = await client.account();
      for (const header of [{ crit: ['exp'], exp: 1 }, { crit: [] }, { b64: true }, { b64: false, crit: ['b64'] }]) {
        assertProblem(await client.post(`${account.kid}`, undefined, account, { header }), 400, 'malformed');
      }
    });

    it('takes exactly one of jwk and kid, as the resource wants it', async () => {
      const { client, directory } = front();
      const account = await client.account();
      const { jwk } = account.public;
      const url = `${account.kid}`;
      const newAccount = directory.newAccount ?? '';
      const changes = [{ jwk }, { kid: undefined }, { kid: undefined, jwk }, { kid: 1 }, { kid: '' }, { kid: 'abc' }];
      for (const header of changes) {
        assertProblem(await client.post(url, undefined, account, { header }), 400, 'malformed');
      }
      assertProblem(await client.post(newAccount, {}, account), 400, 'malformed');
      const key = newSigner();
      assertProblem(await client.post(newAccount, {}, key, { header: { kid: url } }), 400, 'malformed');
      for (const wrong of ['x', null, [], {}, 1]) {
        const answer = await client.post(newAccount, {}, key, { header: { jwk: wrong } });
        assert.ok([400].includes(answer.status), answer.body);
      }
    });

    it('knows accounts by a URL of its own alone', async () => {
      const { client, gate } = front();
      const account = await client.account();
      const url = `${account.kid}`;
      const kids = [
        `${gate.url}/acme/account/AAAAAAAAAAAAAAAAAAAAAAAA`,
        `https://elsewhere.example${new URL(url).pathname}`,
        `${url}/`,
        `${url}?x`,
        url.replace('/account/', '/order/'),
        'urn:x:y',
      ];
      for (const kid of kids) {
        const answer = await client.post(url, undefined, account, { header: { kid } });
        assertProblem(answer, 400, 'accountDoesNotExist');
      }
    });
  });

  describe('RFC 8555 §6.2: algorithms and keys', () => {
    for (const kind of ['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA'] as const) {
      it(`takes accounts with ${kind} keys`, async () => {
        const { client } = front();
        const account = await client.account(undefined, newSigner(kind));
        assertStatus(await client.post(`${account.kid}`, undefined, account), 200);
      });
    }

    it('takes Ed25519 by its newer name too, RFC 9864', async () => {
      const { client } = front();
      const account = await client.account(undefined, newSigner('Ed25519'));
      assertStatus(await client.post(`${account.kid}`, undefined, account, { header: { alg: 'Ed25519' } }), 200);
    });

    it('refuses none, MACs, and algorithms that do not fit the key, and lists those it takes', async () => {
      const { client, directory } = front();
      const account = await client.account();
      for (const alg of ['none', 'HS256', 'RS1', 'RSA1_5', 'PS256', 'ES384', 'RS256', 'EdDSA', 'es256', 'toString']) {
        const answer = await client.post(`${account.kid}`, undefined, account, { header: { alg } });
        const { algorithms } = assertProblem(answer, 400, 'badSignatureAlgorithm');
        assert.deepEqual(algorithms, ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256']);
      }
      for (const alg of [undefined, null, 1, {}]) {
        assertProblem(await client.post(`${account.kid}`, undefined, account, { header: { alg } }), 400, 'malformed');
      }
      // RFC 7515 §10.7: the public key must not do as the secret of a MAC.
      const secret = account.public.key.export({ format: 'der', type: 'spki' });
      const url = directory.newAccount ?? '';
      const mac = macJws(
        { alg: 'HS256', ...{ jwk: account.public.jwk, url, nonce: await client.nonce() } },
        '{}',
        secret,
      );
      assertProblem(await post(client, url, mac), 400, 'badSignatureAlgorithm');
    });

    it('refuses weak keys, kinds it does not know, and what is no key: badPublicKey', async () => {
      const { client, directory } = front();
      const url = directory.newAccount ?? '';
      const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
      const small = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
      const p256 = newSigner().public.jwk;
      const keys: [alg: string, jwk: object][] = [
        ['RS256', weak.publicKey.export({ format: 'jwk' })],
        ['RS256', small.publicKey.export({ format: 'jwk' })],
        ['ES256', { ...p256, crv: 'secp256k1' }],
        ['ES256', { ...p256, y: base64url(Buffer.alloc(32, 1)) }],
        ['ES256', { kty: 'oct', x: 'AAAA' }],
        ['ES256', { kty: 'EC' }],
      ];
      for (const [alg, jwk] of keys) {
        const header = { alg, jwk, url, nonce: await client.nonce() };
        const jws = signJws(header, '{"termsOfServiceAgreed":true}', newSigner().key);
        assertProblem(await post(client, url, jws), 400, 'badPublicKey');
      }
    });

    it('refuses a private key by name, and tells the operator', async () => {
      const { client, directory, gate } = front();
      const signer = newSigner();
      const header = { jwk: signer.key.export({ format: 'jwk' }) };
      const answer = await client.post(directory.newAccount ?? '', {}, signer, { header });
      assertProblem(answer, 400, 'badPublicKey');
      assert.match(gate.log(), /"level":"error".*sent the private part of its account key/);
      assert.ok(!gate.log().includes(String(header.jwk.d)), 'the key itself is not logged');
    });

    it('refuses wrong signatures', async () => {
      const { client } = front();
      const account = await client.account();
      const url = `${account.kid}`;
      const right = await client.sign(url, undefined, account);
      const other = newSigner();
      const der = createSign('sha256').update(`${right.protected}.${right.payload}`).sign(account.key);
      const wrong = [
        base64url(Buffer.alloc(64)),
        base64url(Buffer.alloc(63)),
        base64url(der),
        base64url(Buffer.concat([Buffer.from(String(right.signature), 'base64url'), Buffer.alloc(1)])),
      ];
      for (const signature of wrong) assertProblem(await post(client, url, { ...right, signature }), 400, 'malformed');
      assertProblem(await client.post(url, undefined, account, { signWith: other.key }), 400, 'malformed');
      // Nothing was redeemed by what did not verify.
      assertStatus(await post(client, url, right), 200);
    });
  });

  describe('RFC 8555 §6.4: url', () => {
    it('equals the request URL byte for byte', async () => {
      const { client, gate } = front();
      const account = await client.account();
      const url = `${account.kid}`;
      const urls = [`${url}/`, url.toUpperCase(), url.replace('https', 'http'), `${gate.url}//acme`, `${url}#x`, ''];
      for (const wrong of urls) {
        assertProblem(await client.post(url, undefined, account, { header: { url: wrong } }), 403, 'unauthorized');
      }
      for (const wrong of [undefined, 1, null]) {
        assertProblem(await client.post(url, undefined, account, { header: { url: wrong } }), 400, 'malformed');
      }
    });
  });

  describe('RFC 8555 §6.3: payloads', () => {
    it('reads by an empty payload alone', async () => {
      const { client, directory } = front();
      const account = await client.account();
      const list = `${account.kid}/orders`;
      for (const payloadText of ['{}', '""', 'null', ' ']) {
        assertProblem(await client.post(list, undefined, account, { payloadText }), 400, 'malformed');
      }
      assertProblem(await client.post(directory.newOrder ?? '', undefined, account), 400, 'malformed');
      assertProblem(await client.post(directory.newAccount ?? '', undefined, newSigner()), 400, 'malformed');
    });

    it('takes JSON objects that every program reads alike', async () => {
      const { client, directory } = front();
      const account = await client.account();
      const deep = `{"contact":${'['.repeat(12)}${']'.repeat(12)}}`;
      const wrong = [
        'x',
        '[]',
        '"x"',
        '1',
        'null',
        '{"a":1,"a":1}',
        '{"a":"\\u0000"}',
        '{"a":"\\ud800"}',
        deep,
        '{}{}',
      ];
      for (const payloadText of wrong) {
        for (const url of [directory.newOrder ?? '', `${account.kid}`]) {
          assertProblem(await client.post(url, undefined, account, { payloadText }), 400, 'malformed');
        }
      }
    });
  });
}
