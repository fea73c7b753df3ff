/**
 * Verifies signatures beside the core's own thread. What arrives while the thread works is its next batch, so that the
 * trip there and back is paid once for many. A lone caller is better served on this thread, and is.
 */
import { Worker } from 'node:worker_threads';
import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import type { Verification } from '@gatehouse/pkix/signature-algorithms';
import { CoreError } from '@gatehouse/proto/core-error';
import type { IssuedFacts } from '../x509/certificate.ts';
import { type Outcomes, packTasks, type Task } from './batch.ts';
import type { VerificationThreadData } from './verification-thread.ts';
import { verifyTask } from './verify-task.ts';

/** Verifies what enrollments need verified. */
export type Verifier = {
  /** RFC 2986 §4.2: the self-signature of a request. `isBusy`: others wait too, so the thread is worth its trip. */
  verifyRequest(request: CertificationRequest, isBusy: boolean): Verification | Promise<Verification>;
  /** CORE.md, step 8. Throws CoreError `internal` when the certificate is not what was intended. */
  checkIssued(facts: IssuedFacts, isBusy: boolean): void | Promise<void>;
  /** Ends the thread. */
  close(): Promise<void>;
};

type Waiting = { readonly task: Task; decide(failure: string | undefined): void };

/** Starts the thread. @param issuers the issuers of which certificates will be checked; the same objects must be asked for */
export function startVerifier(issuers: readonly IssuedFacts['issuer'][], onEnded: (reason: string) => void): Verifier {
  const workerData: VerificationThreadData = { issuers: issuers.map((issuer) => issuer.subjectPublicKeyInfo) };
  let isReady = false;
  let isClosing = false;
  let isScheduled = false;
  let waiting: Waiting[] = [];
  let underWay: readonly Waiting[] = [];

  let worker = start();

  function start(): Worker {
    const thread = new Worker(new URL('./verification-thread.ts', import.meta.url), { workerData, name: 'verifier' });
    thread.unref();
    thread.on('message', (message: 'ready' | Outcomes) => {
      if (message === 'ready') {
        isReady = true;
        return;
      }
      const decided = underWay;
      underWay = [];
      if (waiting.length > 0) send();
      for (const [index, { decide }] of decided.entries()) decide(message[index]);
    });
    let reason = 'the verifier thread ended';
    thread.on('error', (error) => {
      reason = `the verifier thread failed: ${error instanceof Error ? error.message : String(error)}`;
    });
    thread.on('exit', () => {
      const wasReady = isReady;
      isReady = false;
      if (!isClosing) onEnded(reason);
      // Nobody waits for a thread that is gone: this one does its work.
      for (const { task, decide } of [...underWay, ...waiting]) decide(verifyTask(task, issuers));
      underWay = [];
      waiting = [];
      // One that could not even start would not start a second time either.
      if (wasReady && !isClosing) worker = start();
    });
    return thread;
  }

  function send(): void {
    isScheduled = false;
    if (underWay.length > 0 || waiting.length === 0) return;
    underWay = waiting;
    waiting = [];
    const packed = packTasks(underWay.map(({ task }) => task));
    worker.postMessage(packed, [packed.buffer]);
  }

  function verify(task: Task, isBusy: boolean): string | undefined | Promise<string | undefined> {
    if (!isBusy || !isReady) return verifyTask(task, issuers);
    return new Promise((decide) => {
      waiting.push({ task, decide });
      if (isScheduled || underWay.length > 0) return;
      isScheduled = true;
      setImmediate(send);
    });
  }

  return {
    verifyRequest(request, isBusy) {
      const failure = verify({ kind: 'request', certificationRequest: request.der }, isBusy);
      return failure instanceof Promise ? failure.then(toVerification) : toVerification(failure);
    },
    checkIssued({ certificate, tbs, issuer }, isBusy) {
      const number = issuers.indexOf(issuer);
      if (number < 0) return refuse('its issuer is not known');
      const failure = verify({ kind: 'issued', certificate, tbs, issuer: number }, isBusy);
      return failure instanceof Promise ? failure.then(refuse) : refuse(failure);
    },
    async close() {
      isClosing = true;
      await worker.terminate();
    },
  };
}

function toVerification(failure: string | undefined): Verification {
  return failure === undefined ? { ok: true } : { ok: false, reason: failure };
}

function refuse(failure: string | undefined): void {
  if (failure === undefined) return;
  throw new CoreError('internal', 'the certificate that was signed is not the one that was intended', {
    cause: new Error(failure),
  });
}
