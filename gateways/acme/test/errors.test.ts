import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoreError, type CoreErrorType, coreErrorTypes } from '@gatehouse/ra-client/core-error';
import fc from 'fast-check';
import { coreErrors, isAlarming, notFound, refuseIdentifiers, toAcmeError } from '../src/errors.ts';
import { printable, problemStatuses, problemUrn, writeProblem } from '../src/problem.ts';

describe('RFC 8555 §6.7: problem documents', () => {
  it('have type, detail and status', () => {
    assert.deepEqual(writeProblem({ type: 'badCSR', detail: 'why' }), {
      type: 'urn:ietf:params:acme:error:badCSR',
      detail: 'why',
      status: 400,
    });
    assert.equal(writeProblem(notFound('order').problem).status, 404);
  });

  it('name their types as the registry does, RFC 8555 §9.7.3', () => {
    for (const type of Object.keys(problemStatuses)) assert.match(type, /^[a-zA-Z]+$/);
    assert.equal(problemUrn('caa'), 'urn:ietf:params:acme:error:caa');
  });

  it('repeat what strangers sent in one printable line of bounded length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (text) => {
        const line = printable(text);
        assert.ok(line.length <= 1_025 && line.isWellFormed());
        assert.ok(!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line));
      }),
    );
  });
});

describe('RFC 8555 §6.7.1: subproblems', () => {
  const subproblem = (type: 'rejectedIdentifier' | 'unsupportedIdentifier', value: string) => ({
    type,
    detail: `${value} is refused`,
    identifier: { type: 'dns', value },
  });

  it('carry the identifier, also when there is one alone', () => {
    const error = refuseIdentifiers([subproblem('rejectedIdentifier', 'a.example')]);
    assert.equal(error.type, 'rejectedIdentifier');
    assert.deepEqual(writeProblem(error.problem).subproblems, [
      {
        type: 'urn:ietf:params:acme:error:rejectedIdentifier',
        detail: 'a.example is refused',
        identifier: { type: 'dns', value: 'a.example' },
      },
    ]);
  });

  it('of several types make a compound', () => {
    const same = [subproblem('rejectedIdentifier', 'a'), subproblem('rejectedIdentifier', 'b')];
    assert.equal(refuseIdentifiers(same).type, 'rejectedIdentifier');
    const mixed = refuseIdentifiers([...same, subproblem('unsupportedIdentifier', 'c')]);
    assert.equal(mixed.type, 'compound');
    assert.equal(mixed.status, 400);
    assert.equal(mixed.problem.subproblems?.length, 3);
  });
});

describe('errors of the keep', () => {
  const expected: Readonly<Record<CoreErrorType, [status: number, type: string]>> = {
    malformed: [400, 'malformed'],
    'bad-csr': [400, 'badCSR'],
    'bad-key': [400, 'badCSR'],
    unauthorized: [500, 'serverInternal'],
    'out-of-scope': [400, 'rejectedIdentifier'],
    'rejected-name': [400, 'rejectedIdentifier'],
    'profile-unknown': [400, 'invalidProfile'],
    'profile-refuses': [400, 'invalidProfile'],
    'evidence-missing': [403, 'unauthorized'],
    'evidence-invalid': [403, 'unauthorized'],
    'already-revoked': [400, 'alreadyRevoked'],
    'not-found': [404, 'malformed'],
    conflict: [500, 'serverInternal'],
    'rate-limited': [429, 'rateLimited'],
    unavailable: [503, 'serverInternal'],
    internal: [500, 'serverInternal'],
  };

  it('become problems by one table that knows all of them', () => {
    assert.deepEqual(Object.keys(coreErrors).sort(), Object.keys(coreErrorTypes).sort());
    for (const [code, [status, type]] of Object.entries(expected) as [CoreErrorType, [number, string]][]) {
      const error = toAcmeError(new CoreError(code, 'detail'));
      assert.deepEqual([error.status, error.type], [status, type], code);
    }
  });

  it('alarm the operator when they say that the gate itself is not believed', () => {
    const alarming = Object.keys(expected).filter((code) => isAlarming(new CoreError(code as CoreErrorType, '')));
    assert.deepEqual(alarming.sort(), ['conflict', 'evidence-invalid', 'evidence-missing', 'unauthorized']);
  });

  it('keep the inside of the house inside, and say when to come again', () => {
    assert.ok(!toAcmeError(new CoreError('unauthorized', 'RA acme at 10.0.0.1')).detail.includes('10.0.0.1'));
    assert.equal(toAcmeError(new CoreError('internal', 'x', { incident: 'I1' })).detail, 'internal error, incident I1');
    assert.equal(toAcmeError(new CoreError('unavailable', 'x')).options.retryAfterSeconds, 5);
    assert.equal(
      toAcmeError(new CoreError('rate-limited', 'x', { retryAfterSeconds: 9 })).options.retryAfterSeconds,
      9,
    );
  });

  it('name each refused name as a subproblem', () => {
    const error = toAcmeError(
      new CoreError('rejected-name', 'names are refused', {
        names: [
          { name: { name: { $case: 'dns', value: 'a.example' } }, type: 'out-of-scope', detail: 'not here' },
          { name: { name: { $case: 'uri', value: 'x:y' } }, type: 'rejected-name', detail: 'no' },
        ],
      }),
    );
    assert.deepEqual(error.problem.subproblems, [
      { type: 'rejectedIdentifier', detail: 'not here', identifier: { type: 'dns', value: 'a.example' } },
      { type: 'rejectedIdentifier', detail: 'no', identifier: undefined },
    ]);
  });
});
