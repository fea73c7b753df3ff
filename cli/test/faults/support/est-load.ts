// Enrollment load on an EST gate: several clients, each of which sends one request after the other, and each request
// again until it is answered with 200.

import { readCertificate } from '@gatehouse/pkix/certificate';
import { certificateIn, createEstClient, type EstAnswer, type EstClient } from './est-client.ts';
import { newRequest } from './requests.ts';

/** What {@link startEstLoad} takes. */
export type EstLoadOptions = {
  readonly directory: string;
  readonly port: number;
  readonly clients: number;
  /** What a client waits for when its connection fails. */
  reachable(): Promise<unknown>;
};

/** Load on a gate. */
export type EstLoad = {
  /** Resolves when so many more answers with this status have come. */
  answered(status: number, count: number): Promise<void>;
  /** Begins no new request and waits until those under way are answered with 200. */
  finish(): Promise<EstLoadResult>;
};

/** What came of it. */
export type EstLoadResult = {
  /** One for each request that was sent. */
  readonly received: readonly { readonly serialNumber: string; readonly der: Uint8Array }[];
  /** All answers but 200. */
  readonly refusals: readonly EstAnswer[];
  /** How often a connection failed with a request on it. */
  readonly failures: number;
};

/** Starts the load. */
export function startEstLoad({ directory, port, clients: count, reachable }: EstLoadOptions): EstLoad {
  const clients = Array.from({ length: count }, () => createEstClient(directory, port));
  const received: { serialNumber: string; der: Uint8Array }[] = [];
  const refusals: EstAnswer[] = [];
  let failures = 0;
  let isFinishing = false;
  let awaited: { readonly status: number; count: number; resolve(): void } | undefined;

  function note({ status }: EstAnswer): void {
    if (awaited?.status !== status) return;
    awaited.count -= 1;
    if (awaited.count === 0) awaited.resolve();
  }

  async function tryOnce(client: EstClient, certificationRequest: Uint8Array): Promise<EstAnswer | undefined> {
    try {
      return await client.enroll(certificationRequest);
    } catch {
      failures += 1;
      await reachable();
      return undefined;
    }
  }

  async function work(client: EstClient): Promise<void> {
    while (!isFinishing) {
      const certificationRequest = newRequest();
      let answer: EstAnswer | undefined;
      while (answer?.status !== 200) {
        answer = await tryOnce(client, certificationRequest);
        if (answer === undefined) continue;
        if (answer.status !== 200) refusals.push(answer);
        note(answer);
      }
      const der = certificateIn(answer);
      received.push({ serialNumber: readCertificate(der).serialNumber, der });
    }
  }

  const workers = Promise.all(clients.map(work));
  const failed = new Promise<never>((_, reject) => workers.catch(reject));
  failed.catch(() => undefined);
  return {
    answered: (status, expected) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      awaited = { status, count: expected, resolve };
      return Promise.race([promise, failed]);
    },
    finish: async () => {
      isFinishing = true;
      await workers;
      for (const client of clients) client.close();
      return { received, refusals, failures };
    },
  };
}
