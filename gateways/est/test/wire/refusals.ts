import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { sequence } from '@gatehouse/pkix/der/writer';
import type { EstClient, EstRequest } from '../support/client.ts';
import { password } from '../support/settings.ts';

const alice = `alice:${password}`;
const path = '/.well-known/est/simpleenroll';

/** What the README's table of refusals says, row by row, over the wire. */
export function refusalTests(send: EstClient): void {
  const good = newRequest({ names: ['DNS:good.example.com'] });
  const tampered = Buffer.from(good);
  tampered.writeUInt8(tampered.readUInt8(tampered.length - 1) ^ 1, tampered.length - 1);
  const weak = newRequest({
    names: ['DNS:weak.example.com'],
    key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey,
  });
  const post = (body: Uint8Array | string, rest: Partial<EstRequest> = {}): EstRequest => ({
    body,
    user: alice,
    ...rest,
  });

  const cases: readonly (readonly [string, string, EstRequest, number, RegExp?])[] = [
    ['a body that is nothing', path, post('hello, world'), 400],
    ['an empty body', path, post(''), 400],
    ['base64 of no CSR', path, post(Buffer.from('hello').toString('base64')), 400],
    ['a CSR with octets after it', path, post(Buffer.concat([good, Buffer.alloc(2)])), 400],
    ['half a CSR', path, post(good.subarray(0, 100)), 400],
    [
      'a certificate in place of a CSR',
      path,
      post('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'),
      400,
    ],
    ['an indefinite length', path, post(Uint8Array.of(0x30, 0x80, 0x00, 0x00)), 400],
    [
      'nesting without end',
      path,
      post(Array.from({ length: 60 }).reduce<Uint8Array>((inner) => sequence(inner), sequence())),
      400,
    ],
    ['a CSR whose signature is wrong', path, post(tampered), 400],
    ['a weak key', path, post(weak), 400, /1024/],
    ['a CSR without names', path, post(newRequest({})), 400],
    [
      'the wrong media type',
      path,
      post(good, { headers: { 'content-type': 'text/plain' } }),
      415,
      /application\/pkcs10/,
    ],
    ['GET where POST is meant', path, { method: 'GET', user: alice }, 405],
    ['POST where GET is meant', '/.well-known/est/cacerts', post(good), 405],
    ['an unknown operation', '/.well-known/est/simpleenrol', post(good), 404],
    ['an unknown label', '/.well-known/est/nothing/simpleenroll', post(good), 404],
    ['an operation that the label does not have', '/.well-known/est/renewal-only/simpleenroll', post(good), 404],
    ['a dotted path', '/.well-known/est/x/../simpleenroll', post(good), 404],
    ['an escaped slash', '/.well-known/est/x%2fsimpleenroll', post(good), 404],
    ['an empty segment', '/.well-known/est//simpleenroll', post(good), 404],
    ['no credentials', path, { body: good }, 401],
    ['a wrong password', path, { body: good, user: 'alice:wrong' }, 401],
    ['an unknown user', path, { body: good, user: `nobody:${password}` }, 401],
    ['a malformed Authorization field', path, { body: good, headers: { authorization: 'Basic ???' } }, 401],
    ['a scheme that the label does not offer', path, { body: good, headers: { authorization: 'Bearer a.b.c' } }, 401],
    [
      'a label that is not the user’s',
      '/.well-known/est/tls-client/simpleenroll',
      { body: good, user: `bob:${password}` },
      403,
    ],
    [
      'a name outside of the user’s patterns',
      path,
      post(newRequest({ names: ['DNS:good.example.org'] })),
      403,
      /DNS:good\.example\.org/,
    ],
    ['a user that may enrol nothing', path, { body: good, user: `nothing:${password}` }, 403, /good\.example\.com/],
    ['a name of a kind that the profile has not', path, post(newRequest({ names: ['email:a@example.com'] })), 403],
    [
      'a CSR above 16 KiB',
      path,
      post(newRequest({ names: Array.from({ length: 900 }, (_, i) => `DNS:${i}.good.example.com`) })),
      413,
    ],
    ['a body above 32 KiB', path, post('A'.repeat(40_000)), 413],
  ];

  describe('bad input', () => {
    for (const [what, target, request, status, body] of cases) {
      it(`refuses ${what} with ${status}`, async () => {
        const response = await send(target, request);
        assert.equal(response.status, status, response.body);
        assert.match(String(response.headers['content-type']), /^text\/plain/);
        assert.match(response.body, /^[^\n]+\n$/, 'one line');
        assert.equal(Number(response.headers['content-length']), Buffer.byteLength(response.body));
        assert.doesNotMatch(response.body, /Error|\bat \/|node:/);
        if (body !== undefined) assert.match(response.body, body);
        if (status === 401) assert.match(String(response.headers['www-authenticate']), /^Basic realm=/);
        if (status === 405) assert.equal(response.headers.allow, target.endsWith('cacerts') ? 'GET' : 'POST');
        if (status === 413) assert.equal(response.headers.connection, 'close');
      });
    }

    it('offers every scheme of the label with a 401', async () => {
      const response = await send('/.well-known/est/tls-server/simpleenroll', { body: good });
      assert.match(String(response.headers['www-authenticate']), /Basic .*Digest .*SHA-256.*Bearer /);
    });

    it('slows down who guesses a password, with 429 and seconds to wait', async () => {
      const statuses = [];
      for (let i = 0; i < 12; i++) statuses.push((await send(path, { body: good, user: `guessed:${i}` })).status);
      assert.deepEqual(statuses.slice(0, 11), Array(11).fill(401));
      const response = await send(path, { body: good, user: 'guessed:x' });
      assert.equal(response.status, 429);
      assert.match(String(response.headers['retry-after']), /^[1-9]\d*$/);
    });
  });
}
