import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foreignBytes } from '@gatehouse/gateway-kit/test-support/foreign-bytes';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { DerCursor, DerError } from '@gatehouse/pkix/der/reader';
import {
  explicit,
  generalizedTime,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  utf8String,
  wrap,
} from '@gatehouse/pkix/der/writer';
import { PkixError } from '@gatehouse/pkix/errors';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import fc from 'fast-check';
import { readCrmfControls } from '../../src/cmc/certification-requests.ts';
import { readControls, readReturnedControls } from '../../src/cmc/controls.ts';
import { CmcFailure } from '../../src/cmc/failure.ts';
import { readPkiData } from '../../src/cmc/pki-data.ts';
import { readRevokeRequest } from '../../src/cmc/revoke-request.ts';
import { certificateRequestMessage, crm, pkiData, requestSequence, tcr, witness } from '../support/cmc.ts';

const key = newKey();
const request = newRequest({ names: ['DNS:a.example.com'], key });
const message = certificateRequestMessage({
  bodyPartId: 4_294_967_295,
  key,
  controls: [{ type: cmcControls.popLinkWitness, values: [octetString(Buffer.from('w'))] }],
});
const revocation = sequence(
  writeName(parseName('CN=issuer')),
  integer(0x80),
  wrap(0x0a, Buffer.of(1)),
  generalizedTime(new Date('2026-01-02T03:04:05Z')),
  octetString(Buffer.from('secret')),
  utf8String('lost'),
);
const controls = [
  [cmcControls.transactionId, integer(-5)],
  [cmcControls.senderNonce, octetString(Buffer.from('nonce'))],
  [cmcControls.identification, utf8String('alice')],
  [cmcControls.identityProofV2, witness('secret', Buffer.from('message'))],
  [cmcControls.popLinkRandom, octetString(Buffer.alloc(64, 1))],
  [cmcControls.queryPending, octetString(Buffer.from('token'))],
  [cmcControls.revokeRequest, revocation],
] as const;
const data = pkiData([tcr(1, request), crm(message)], controls);

describe('RFC 5272 §3.2.1: PKIData', () => {
  it('is read part by part, each with its identifier', () => {
    const read = readPkiData(data);
    assert.deepEqual(
      read.requests.map(({ kind, bodyPartId }) => [kind, bodyPartId]),
      [
        ['certification-request', 1],
        ['certificate-request-message', 4_294_967_295],
      ],
    );
    assert.deepEqual(
      read.controls.map(({ bodyPartId, type }) => [bodyPartId, type]),
      controls.map(([type], index) => [100 + index, type]),
    );
    assert.deepEqual(
      read.requests.map((one) => Buffer.from('der' in one ? one.der : '')),
      [request, message].map((der) => Buffer.from(der)),
    );
  });

  it('gives the requests as they stand there, for what is proved about them', () => {
    const expected = requestSequence([tcr(1, request), crm(message)]);
    assert.deepEqual(Buffer.from(readPkiData(data).requestSequence), Buffer.from(expected));
  });

  it('passes over what no control refers to, if it has identifiers of its own', () => {
    const other = sequence(integer(70), objectIdentifier('1.2.3'), utf8String('anything'));
    const write = (id: number) =>
      sequence(sequence(), sequence(tcr(1, request)), sequence(sequence(integer(id), sequence())), sequence(other));
    assert.equal(readPkiData(write(71)).requests.length, 1);
    for (const taken of [1, 70]) assert.throws(() => readPkiData(write(taken)), /occurs twice/);
  });

  it('is refused with identifiers that are 0, negative, too big, or used twice', () => {
    for (const id of [0, -1, 4_294_967_296, 2 ** 40]) {
      assert.throws(() => readPkiData(pkiData([tcr(id, request)])), /is no body part identifier|too big/);
    }
    assert.throws(() => readPkiData(pkiData([tcr(100, request)], [controls[0]])), /body part 100 occurs twice/);
  });

  it('is refused with more parts than any client sends', () => {
    const requests = Array.from({ length: 9 }, (_, index) => tcr(index + 1, request));
    assert.throws(() => readPkiData(pkiData(requests)), /more than 8 parts/);
    const many = Array.from({ length: 65 }, () => controls[0]);
    assert.throws(() => readPkiData(pkiData([], many)), /more than 64 parts/);
  });

  it('is refused with lengths that are indefinite or too long, nested too deep, or with octets after it', () => {
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), data.subarray(4), Buffer.of(0, 0)]);
    let deep: Uint8Array = sequence();
    for (let i = 0; i < 40; i++) deep = sequence(deep);
    const nested = sequence(sequence(), sequence(), sequence(sequence(integer(1), deep)), sequence());
    for (const bytes of [indefinite, nested, Buffer.concat([data, Buffer.of(0)]), data.subarray(0, -1), sequence()]) {
      assert.throws(() => readPkiData(bytes), DerError);
    }
  });

  it('is read or refused by DerError, whatever the octets', () => {
    onlyThrows((bytes) => readPkiData(bytes), [DerError], foreignBytes(data));
  });
});

describe('RFC 5272 §6: controls', () => {
  const read = (bytes: Uint8Array) => readControls(readPkiData(bytes).controls);

  it('are read into their values', () => {
    const values = read(data);
    assert.equal(values.identification, 'alice');
    assert.deepEqual(values.identityProof?.digest, { hash: 'sha256', mac: 'sha256' });
    assert.deepEqual(
      values.queryPending.map(({ bodyPartId }) => bodyPartId),
      [105],
    );
    const [revoke] = values.revokeRequests;
    assert.deepEqual(
      [revoke?.serialNumber, revoke?.reason, revoke?.comment, revoke?.invalidityDate?.toISOString()],
      ['80', 1, 'lost', '2026-01-02T03:04:05.000Z'],
    );
    assert.deepEqual(Buffer.from(revoke?.sharedSecret ?? ''), Buffer.from('secret'));
  });

  it('come back as they came, though others cannot be read', () => {
    const broken = readPkiData(pkiData([], [...controls, [cmcControls.dataReturn, integer(1)], ['1.2.3', integer(1)]]));
    const returned = readReturnedControls(broken.controls);
    assert.deepEqual(Buffer.from(returned.transactionId ?? ''), Buffer.from(integer(-5)));
    assert.equal(returned.dataReturn, undefined);
  });

  it('are badAlg with an algorithm that is not accepted', () => {
    const wrong = [
      sequence(
        sequence(objectIdentifier('1.2.840.113549.2.5')),
        sequence(objectIdentifier('1.2.840.113549.2.9')),
        octetString(Buffer.of(1)),
      ),
      sequence(
        sequence(objectIdentifier('2.16.840.1.101.3.4.2.1'), integer(1)),
        sequence(objectIdentifier('1.2.840.113549.2.9')),
        octetString(Buffer.of(1)),
      ),
    ];
    for (const value of wrong) {
      assert.throws(() => read(pkiData([], [[cmcControls.identityProofV2, value]])), { failInfo: 'badAlg' });
    }
  });

  it('are refused when a proof comes in both versions, or a value is not alone', () => {
    const old = [cmcControls.identityProof, octetString(Buffer.alloc(20))] as const;
    assert.throws(() => read(pkiData([], [controls[3], old])), { failInfo: 'badRequest', bodyParts: [100, 101] });
    const two = sequence(
      integer(5),
      objectIdentifier(cmcControls.senderNonce),
      setOf([octetString(Buffer.of(1)), octetString(Buffer.of(2))]),
    );
    assert.throws(() => read(sequence(sequence(two), sequence(), sequence(), sequence())), { bodyParts: [5] });
  });

  it('are read or refused by CmcFailure or DerError, whatever the octets', () => {
    onlyThrows((bytes) => read(bytes), [CmcFailure, DerError], foreignBytes(data));
    onlyThrows((bytes) => readReturnedControls(readPkiData(bytes).controls), [DerError], foreignBytes(data));
  });

  it('are read or refused by CmcFailure, whatever their values', () => {
    const type = fc.constantFrom(...Object.values(cmcControls));
    const tags = fc.constantFrom(0x02, 0x04, 0x0c, 0x30);
    const value = fc.tuple(tags, fc.uint8Array({ maxLength: 20 })).map(([tag, contents]) => wrap(tag, contents));
    fc.assert(
      fc.property(
        fc.array(fc.record({ type, values: fc.array(value, { maxLength: 2 }) }), { maxLength: 4 }),
        (list) => {
          const tagged = list.map((control, index) => ({ bodyPartId: index + 1, ...control }));
          try {
            readControls(tagged);
          } catch (error) {
            assert.ok(error instanceof CmcFailure, String(error));
            assert.ok(error.bodyParts.every((id) => id >= 1 && id <= list.length) && error.bodyParts.length > 0);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('RFC 5272 §6.11: RevokeRequest', () => {
  const read = (bytes: Uint8Array) => readRevokeRequest(new DerCursor(bytes));

  it('is refused with a serial number that is negative or too long, or a reason that is none', () => {
    const write = (serial: Uint8Array, reason: number) =>
      sequence(writeName(parseName('CN=i')), serial, wrap(0x0a, Buffer.of(reason)));
    for (const bytes of [
      write(integer(-1), 0),
      write(integer(Buffer.alloc(22, 1)), 0),
      write(integer(1), 7),
      write(integer(1), 11),
    ]) {
      assert.throws(() => read(bytes), DerError);
    }
    assert.equal(read(write(integer(Buffer.alloc(20, 0xff)), 10)).serialNumber, 'ff'.repeat(20));
  });

  it('is read or refused by a typed error, whatever the octets', () => {
    onlyThrows(read, [PkixError], foreignBytes(revocation));
  });
});

describe('RFC 4211 §6: controls of a CRMF request', () => {
  const [certRequest = new Uint8Array(0)] = [new DerCursor(message).enter(0x30).read(0x30).raw];

  it('are read with their one value each', () => {
    assert.deepEqual(
      readCrmfControls(certRequest).map(({ type, values }) => [type, values.length]),
      [[cmcControls.popLinkWitness, 1]],
    );
    const twice = sequence(
      integer(1),
      sequence(),
      sequence(...[1, 2].map(() => sequence(objectIdentifier('1.2.3'), integer(1)))),
    );
    assert.throws(() => readCrmfControls(twice), /occurs twice/);
    assert.deepEqual(readCrmfControls(sequence(integer(1), sequence(explicit(5, sequence())))), []);
  });

  it('are read or refused by DerError, whatever the octets', () => {
    onlyThrows(readCrmfControls, [DerError], foreignBytes(certRequest));
  });
});

type ErrorClass = abstract new (...parameters: never[]) => Error;

function onlyThrows(
  read: (bytes: Uint8Array) => unknown,
  errors: readonly ErrorClass[],
  bytes: fc.Arbitrary<Uint8Array>,
): void {
  fc.assert(
    fc.property(bytes, (input) => {
      try {
        read(input);
      } catch (error) {
        assert.ok(
          errors.some((type) => error instanceof type),
          `threw ${String(error)}`,
        );
      }
    }),
    { numRuns: 1500 },
  );
}
