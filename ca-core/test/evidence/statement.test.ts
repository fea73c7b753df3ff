// mpic.md §2: statements are read strictly, and whatever else is sent is refused without harm.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { jwkOfKey, readJwk } from '@gatehouse/pkix/jose/jwk';
import { CoreError } from '@gatehouse/proto/core-error';
import { maximumStatementOctets, statementType } from '@gatehouse/proto/perspective-statement';
import fc from 'fast-check';
import { enroll } from '../../src/enrollment/pipeline.ts';
import { acmeIdempotencyKey, verifyAcmeFinalize } from '../../src/evidence/acme-finalize.ts';
import { createAcmeUrls } from '../../src/evidence/acme-urls.ts';
import { readStatement } from '../../src/evidence/statement.ts';
import { certificationRequest, refused } from '../support/enrollment.ts';
import { contextOf } from '../support/keep.ts';
import {
  baseUrl,
  enrollmentOf,
  evidenceFor,
  finalizeEvidence,
  newAccount,
  openWorkshop,
  perspectiveResults,
  type Signatory,
  signStatement,
  statementPayload,
} from './workshop.ts';

const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signatory: Signatory = {
  uri: 'spiffe://gatehouse.internal/perspective/dublin',
  name: 'dublin',
  site: 'dublin',
  rir: 'RIPE',
  key,
  keyId: jwkOfKey(key).thumbprint,
};
const account = newAccount();
const payload = statementPayload(signatory, {
  account,
  name: 'a.example',
  perspectives: ['dublin', 'ohio'],
  finished: new Date('2026-06-01T00:00:00Z'),
});
const good = signStatement(signatory, payload);
const faultOf = (octets: Uint8Array): string => {
  const read = readStatement(octets);
  return 'fault' in read ? read.fault : assert.fail('it was read');
};
const withText = (text: string) =>
  Buffer.from(
    signCompactJws({ header: { typ: statementType, kid: signatory.keyId }, payload: Buffer.from(text), key }),
  );
const text = canonicalJson(payload);

describe('mpic.md §2: the form of a statement', () => {
  it('is read', () => {
    const read = readStatement(good);
    assert.ok(!('fault' in read));
    assert.deepEqual(read.payload, payload);
    assert.equal(read.keyId, signatory.keyId);
  });

  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
  const refusals: Readonly<Record<string, readonly [() => Uint8Array, RegExp]>> = {
    'more than 16 KiB': [() => Buffer.concat([good, Buffer.alloc(maximumStatementOctets)]), /more than 16384 octets/],
    'another type': [() => signStatement(signatory, payload, { typ: 'JWT' }), /not of type/],
    'a registration of a key': [
      () => signStatement(signatory, payload, { typ: 'gatehouse-signing-key+jws' }),
      /not of type/,
    ],
    'no key id': [() => signStatement(signatory, payload, { kid: 7 }), /header members/],
    'a key of its own': [() => signStatement(signatory, payload, { jwk: { ...jwkOfKey(key).jwk } }), /header members/],
    'a URL of a key': [() => signStatement(signatory, payload, { jku: 'https://x.example/' }), /header members/],
    'critical extensions': [() => signStatement(signatory, payload, { crit: ['exp'] }), /'crit'/],
    EdDSA: [() => signStatement({ ...signatory, key: ed25519 }, payload), /not signed with ES256/],
    ES384: [() => signStatement({ ...signatory, key: p384 }, payload), /not signed with ES256/],
    'no signature': [() => Buffer.from(good.toString().split('.').slice(0, 2).join('.')), /three parts/],
    'alg none': [
      () => Buffer.from(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.toString().split('.')[1]}.`),
      /not signed with ES256/,
    ],
    padding: [() => Buffer.from(`${good}=`), /base64url/],
    'white space in the payload': [() => withText(` ${text}`), /canonical/],
    'a member twice': [() => withText(text.replace('{', '{"result":"fail",')), /canonical/],
    'no JSON': [() => withText('nothing'), /canonical/],
    'a member that is not known': [
      () => withText(text.replace('{"account"', '{"a":1,"account"')),
      /form of a statement/,
    ],
    'a missing member': [() => withText(text.replace('"v":1', '"w":1')), /form of a statement/],
    'another version': [() => withText(text.replace('"v":1', '"v":2')), /form of a statement/],
    'a time without zone': [() => withText(text.replace('.000Z', '.000')), /form of a statement/],
    'a time of seconds': [() => withText(text.replace('.000Z', 'Z')), /form of a statement/],
    'perspectives that are not sorted': [
      () => signStatement(signatory, { ...payload, perspectives: ['ohio', 'dublin'] }),
      /names in order/,
    ],
    'perspectives named twice': [
      () => signStatement(signatory, { ...payload, perspectives: ['dublin', 'dublin'] }),
      /names in order/,
    ],
    'perspectives with names that are none': [
      () => signStatement(signatory, { ...payload, perspectives: ['a verdict=pass'] }),
      /names in order/,
    ],
    'more than 16 perspectives': [
      () => signStatement(signatory, { ...payload, perspectives: Array.from({ length: 17 }, (_, i) => `p${i + 10}`) }),
      /form/,
    ],
  };
  for (const [what, [make, fault]] of Object.entries(refusals)) {
    it(`refuses ${what}`, () => assert.match(faultOf(make()), fault));
  }

  it('never throws, whatever is sent', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => void readStatement(octets)));
    fc.assert(fc.property(fc.string(), (any) => assert.ok('fault' in readStatement(Buffer.from(any)))));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) =>
        assert.ok('fault' in readStatement(withText(JSON.stringify(value)))),
      ),
      { numRuns: 50 },
    );
  });

  it('never reads one of which a character was changed into another statement', () => {
    fc.assert(
      fc.property(fc.nat({ max: good.length - 1 }), fc.integer({ min: 33, max: 126 }), (at, character) => {
        const octets = Buffer.from(good);
        octets[at] = character;
        const read = readStatement(octets);
        // What is still read is judged by its signature, which is over other octets then.
        if (!('fault' in read))
          assert.equal(
            `${read.jws.protectedText}.${read.jws.payloadText}`,
            octets.toString().split('.').slice(0, 2).join('.'),
          );
      }),
      { numRuns: 500 },
    );
  });
});

describe('mpic.md §3, point 4: the finalize request of strangers', () => {
  const csr = certificationRequest({ names: ['DNS:a.example'] });
  const evidence = finalizeEvidence(account, 'order', csr);
  const expected = {
    certificationRequest: csr,
    idempotencyKey: acmeIdempotencyKey('order', csr),
    urls: createAcmeUrls([baseUrl]),
  };
  const isRefused = (octets: Uint8Array): boolean => {
    try {
      verifyAcmeFinalize(octets, expected);
      return false;
    } catch (error) {
      if (error instanceof CoreError && error.code === 'evidence-invalid') return true;
      throw error;
    }
  };

  it('is read as object and as text, and with the padding that clients add to the request', () => {
    const holder = verifyAcmeFinalize(evidence.payload, expected);
    assert.deepEqual(
      [holder.account, holder.orderId, holder.thumbprint],
      [account.url, 'order', account.jwk.thumbprint],
    );
    const parts = JSON.parse(evidence.payload.toString());
    verifyAcmeFinalize(Buffer.from(JSON.stringify({ ...parts, jws: JSON.stringify(parts.jws) })), expected);
    verifyAcmeFinalize(
      finalizeEvidence(account, 'order', csr, { csr: csr.toString('base64').replaceAll('+', '-').replaceAll('/', '_') })
        .payload,
      expected,
    );
  });

  it('is evidence-invalid and nothing else, whatever is sent', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => assert.ok(isRefused(octets))));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => assert.ok(isRefused(Buffer.from(JSON.stringify(value))))),
    );
    const parts = JSON.parse(evidence.payload.toString());
    const member = fc.constantFrom('jws', 'jwk', 'keyChanges');
    fc.assert(
      fc.property(member, fc.jsonValue({ maxDepth: 3 }), (name, value) => {
        // An absent list of changes is an empty one.
        if (name === 'keyChanges' && Array.isArray(value) && value.length === 0) return;
        assert.ok(isRefused(Buffer.from(JSON.stringify({ ...parts, [name]: value }))));
      }),
    );
  });

  it('is refused when any character of it is changed', () => {
    const original = evidence.payload;
    fc.assert(
      fc.property(fc.nat({ max: original.length - 1 }), fc.integer({ min: 32, max: 126 }), (at, character) => {
        const octets = Buffer.from(original);
        if (octets[at] === character) return;
        octets[at] = character;
        // What is still taken says the same: the name of an empty list was changed, or of a member that nobody demands.
        if (isRefused(octets)) return;
        const [was, is] = [JSON.parse(original.toString()), JSON.parse(octets.toString())];
        assert.deepEqual([is.jws, readJwk(is.jwk).thumbprint], [was.jws, account.jwk.thumbprint]);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when it is too large', () => assert.ok(isRefused(Buffer.alloc(128 * 1024 + 1, 0x20))));

  it('has one idempotency key for an order and a request', () => {
    assert.match(acmeIdempotencyKey('order', csr), /^acme:order:[A-Za-z0-9_-]{43}$/);
    assert.equal(acmeIdempotencyKey('x'.repeat(200), csr).length, 128);
  });
});

describe('mpic.md §3: evidence of strangers in the pipeline', async () => {
  const workshop = await openWorkshop(['dublin', 'ohio', 'tokyo']);
  after(() => workshop.close());
  const { keep } = workshop;

  it('beside enough statements does no harm and is named', async () => {
    const junk = [Buffer.from('junk'), Buffer.alloc(0), signStatement(signatory, payload)];
    await enroll(
      keep,
      contextOf(keep),
      enrollmentOf({
        names: ['a.example'],
        account,
        statements: [...junk, ...evidenceFor(workshop, { account, name: 'a.example' })],
      }),
    );
  });

  it('never yields a certificate, whatever stands in it', async () => {
    const statements = evidenceFor(workshop, { account, name: 'a.example' }).map(String);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...statements), fc.nat(), fc.constantFrom('A', '.', '=', ' ', '-')), {
          maxLength: 8,
        }),
        async (changed) => {
          const all = changed.map(([statement, at, character]) => {
            const place = at % statement.length;
            const altered = statement.slice(0, place) + character + statement.slice(place + 1);
            return Buffer.from(altered === statement ? `${statement}x` : altered);
          });
          await refused(
            enroll(keep, contextOf(keep), enrollmentOf({ names: ['a.example'], account, statements: all })),
            all.length === 0 ? 'evidence-missing' : 'evidence-invalid',
          ).catch(async () => {
            await refused(
              enroll(keep, contextOf(keep), enrollmentOf({ names: ['a.example'], account, statements: all })),
              'evidence-missing',
            );
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  const large = (parts: Partial<Parameters<typeof enrollmentOf>[0]>) =>
    enroll(keep, contextOf(keep), enrollmentOf({ names: ['a.example'], account, statements: [], ...parts }));
  it('is malformed with more than 2,048 statements', async () => {
    await refused(
      large({ statements: Array.from({ length: 2049 }, () => Buffer.from('x')) }),
      'malformed',
      /2048 statements/,
    );
  });

  it('is malformed with more than 256 KiB beside them', async () => {
    const evidence = [
      perspectiveResults([]),
      { type: 'other', payload: Buffer.alloc(256 * 1024), certificates: [], statements: [] },
    ];
    await refused(large({ changes: { evidence } }), 'malformed', /octets beside statements/);
  });
});
