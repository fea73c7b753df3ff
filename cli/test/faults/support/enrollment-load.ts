// Enrollment load over the bridge: several connections of one RA, each with several requests under way, each request
// repeated with its idempotency key until it is answered. What was received is kept, to be compared with what is stored.

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { IssuedEnrollment } from '@gatehouse/ra-client/enrollment';
import { newRequest } from './requests.ts';

/** A request that was sent at least once. */
export type SentRequest = {
  readonly idempotencyKey: string;
  readonly certificationRequest: Uint8Array;
  /** The first answer, once there is one. */
  received?: IssuedEnrollment;
};

/** Load on a core. */
export type EnrollmentLoad = {
  readonly sent: readonly SentRequest[];
  /** What clients hold. */
  certificates(): readonly { readonly serialNumber: string; readonly der: Uint8Array }[];
  /** How often a request was repeated because no core answered within the client's own retries. */
  repetitions(): number;
  /** Resolves when `count` more requests are answered. */
  receive(count: number): Promise<void>;
  /** Begins no new request and waits until those under way are answered. Rejects when one was refused or answered twice differently. */
  finish(): Promise<void>;
};

const requestsPerConnection = 6;
/** One in so many answered requests is sent again at once, over another connection. */
const repeatEvery = 4;

/** Starts the load. */
export function startLoad(connections: readonly CoreClient[]): EnrollmentLoad {
  const sent: SentRequest[] = [];
  const waiting: { readonly count: number; resolve(): void }[] = [];
  let received = 0;
  let repetitions = 0;
  let isFinishing = false;

  const answered = (): void => {
    received += 1;
    while ((waiting[0]?.count ?? Number.POSITIVE_INFINITY) <= received) waiting.shift()?.resolve();
  };

  async function work(connection: number): Promise<void> {
    while (!isFinishing) {
      const number = sent.length;
      const request = newSentRequest();
      sent.push(request);
      request.received = await untilAnswered(at(connections, connection), request, () => {
        repetitions += 1;
      });
      answered();
      if (number % repeatEvery === 0) {
        assertSame(request, await untilAnswered(at(connections, connection + 1), request));
      }
    }
  }

  const workers = Promise.all(
    connections.flatMap((_, connection) => Array.from({ length: requestsPerConnection }, () => work(connection))),
  );
  // Whoever waits for more must hear of a failure too.
  const failed = new Promise<never>((_, reject) => workers.catch(reject));
  failed.catch(() => undefined);

  return {
    sent,
    certificates: () =>
      sent.flatMap(({ received: answer }) =>
        answer === undefined ? [] : [{ serialNumber: answer.serialNumber, der: answer.certificate }],
      ),
    repetitions: () => repetitions,
    receive: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count: received + count, resolve });
      return Promise.race([promise, failed]);
    },
    finish: async () => {
      isFinishing = true;
      await workers;
    },
  };
}

let count = 0;

/** A request that no other is like. */
export function newSentRequest(): SentRequest {
  count += 1;
  return { idempotencyKey: `load-${process.pid}-${count}`, certificationRequest: newRequest() };
}

/** Sends a request. Rejects with CoreError when it is refused. */
export async function send(core: CoreClient, request: SentRequest): Promise<IssuedEnrollment> {
  const outcome = await core.enroll({
    idempotencyKey: request.idempotencyKey,
    profile: 'tls-server',
    subjectKey: { kind: 'certification-request', der: request.certificationRequest },
    requester: { kind: 'user', id: 'load' },
  });
  if (outcome.kind === 'issued') return outcome;
  throw new TypeError('the profile needs no approval');
}

/** Sends a request until it is answered. Rejects with CoreError when it is refused. */
export async function untilAnswered(
  core: CoreClient,
  request: SentRequest,
  onRepetition: () => void = () => undefined,
): Promise<IssuedEnrollment> {
  for (;;) {
    try {
      return await send(core, request);
    } catch (error) {
      if (!(error instanceof CoreError) || error.code !== 'unavailable') throw error;
      onRepetition();
      await turn();
    }
  }
}

/** The answer is the one that was received first. */
export function assertSame({ idempotencyKey, received }: SentRequest, again: IssuedEnrollment): void {
  assert.equal(again.serialNumber, received?.serialNumber, `${idempotencyKey} was answered with two certificates`);
  assert.ok(Buffer.from(again.certificate).equals(Buffer.from(received?.certificate ?? [])));
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError('no connections');
  return item;
}
