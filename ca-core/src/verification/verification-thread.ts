/** The thread that verifies batches; it knows public keys only. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Outcomes, unpackTasks } from './batch.ts';
import { verifyTask } from './verify-task.ts';

/** What the thread is started with: SubjectPublicKeyInfo of each issuer, DER. */
export type VerificationThreadData = { readonly issuers: readonly Uint8Array[] };

function start(port: NonNullable<typeof parentPort>, { issuers }: VerificationThreadData): void {
  const known = issuers.map((subjectPublicKeyInfo) => ({ subjectPublicKeyInfo }));
  port.on('message', (packed: Uint8Array) => {
    const outcomes: Outcomes = unpackTasks(packed).map((task) => verifyTask(task, known));
    port.postMessage(outcomes);
  });
  port.postMessage('ready');
}

if (parentPort !== null) start(parentPort, workerData);
