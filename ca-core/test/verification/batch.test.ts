// What travels to the verifier's thread arrives as it left.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { packTasks, type Task, unpackTasks } from '../../src/verification/batch.ts';

const octets = fc.uint8Array({ maxLength: 300 });
const task: fc.Arbitrary<Task> = fc.oneof(
  octets.map((certificationRequest): Task => ({ kind: 'request', certificationRequest })),
  fc
    .tuple(octets, octets, fc.nat(0xfe))
    .map(([certificate, tbs, issuer]): Task => ({ kind: 'issued', certificate, tbs, issuer })),
);

describe('a batch of verifications', () => {
  it('unpacks to what was packed', () => {
    fc.assert(
      fc.property(fc.array(task, { maxLength: 40 }), (tasks) => assert.deepEqual(unpackTasks(packTasks(tasks)), tasks)),
    );
  });

  it('copies: what is packed may be overwritten afterwards', () => {
    const certificationRequest = Uint8Array.of(1, 2, 3);
    const packed = packTasks([{ kind: 'request', certificationRequest }]);
    certificationRequest.fill(0);
    assert.deepEqual(unpackTasks(packed), [{ kind: 'request', certificationRequest: Uint8Array.of(1, 2, 3) }]);
  });

  it('has a buffer of its own, so that it can be handed over', () => {
    const packed = packTasks([{ kind: 'request', certificationRequest: Buffer.from('request') }]);
    assert.deepEqual([packed.byteOffset, packed.buffer.byteLength], [0, packed.length]);
    structuredClone(packed, { transfer: [packed.buffer] });
  });

  it('unpacks from the middle of a buffer', () => {
    const tasks: readonly Task[] = [
      { kind: 'issued', certificate: Uint8Array.of(1), tbs: Uint8Array.of(2, 3), issuer: 1 },
      { kind: 'request', certificationRequest: Uint8Array.of() },
    ];
    const packed = packTasks(tasks);
    const whole = new Uint8Array(packed.length + 7);
    whole.set(packed, 5);
    assert.deepEqual(unpackTasks(whole.subarray(5, 5 + packed.length)), tasks);
  });
});
