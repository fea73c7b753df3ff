import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { CoreError, type CoreErrorType, coreErrorTypes, fromServiceError, toServiceError } from '../src/core-error.ts';
import { durationFromMs, durationToMs } from '../src/duration.ts';

function overTheWire(error: CoreError): CoreError {
  const sent = toServiceError(error);
  const { code = status.UNKNOWN, details = '', metadata = new Metadata() } = sent;
  return fromServiceError(Object.assign(new Error(details), { code, details, metadata }));
}

describe('ARCHITECTURE §3: errors cross the bridge as one message', () => {
  const types = Object.keys(coreErrorTypes).filter((type): type is CoreErrorType =>
    Object.hasOwn(coreErrorTypes, type),
  );

  for (const type of types) {
    it(`carries ${type} with its detail, names, time to wait and incident`, () => {
      const names = [
        { name: { name: { $case: 'dns', value: 'a.example' } }, type: 'out-of-scope', detail: 'not below example.com' },
      ] as const;
      const arrived = overTheWire(
        new CoreError(type, 'what is wrong', { names, retryAfterSeconds: 7, incident: '01INCIDENT' }),
      );
      assert.equal(arrived.code, type);
      assert.equal(arrived.detail, 'what is wrong');
      assert.deepEqual(arrived.names, names);
      assert.equal(arrived.retryAfterSeconds, 7);
      assert.equal(arrived.incident, '01INCIDENT');
    });
  }

  it('never carries the cause', () => {
    const sent = toServiceError(new CoreError('internal', 'public', { cause: new Error('secret of the core') }));
    assert.ok(!JSON.stringify([sent.details, sent.metadata?.toJSON()]).includes('secret'));
  });

  const foreign: readonly (readonly [status, CoreErrorType])[] = [
    [status.UNAVAILABLE, 'unavailable'],
    [status.DEADLINE_EXCEEDED, 'unavailable'],
    [status.UNIMPLEMENTED, 'unauthorized'],
    [status.UNAUTHENTICATED, 'unauthorized'],
    [status.RESOURCE_EXHAUSTED, 'rate-limited'],
    [status.UNKNOWN, 'internal'],
  ];
  for (const [code, type] of foreign) {
    it(`judges a failure without a trailer by its status: ${status[code]} is ${type}`, () => {
      const failure: ServiceError = Object.assign(new Error('x'), { code, details: 'x', metadata: new Metadata() });
      assert.equal(fromServiceError(failure).code, type);
    });
  }

  it('takes an unreadable trailer for none', () => {
    const metadata = new Metadata();
    metadata.set('gatehouse-error-bin', Buffer.from([0xff, 0xff, 0xff]));
    const failure = Object.assign(new Error('x'), { code: status.NOT_FOUND, details: 'x', metadata });
    assert.equal(fromServiceError(failure).code, 'not-found');
  });
});

describe('durations of the contract', () => {
  it('are milliseconds on both sides', () => {
    for (const ms of [0, 1, 999, 1_000, 86_400_000, 20 * 365 * 86_400_000]) {
      assert.equal(durationToMs(durationFromMs(ms)), ms);
    }
  });
});
