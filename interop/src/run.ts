// Puts every client through its operations, several at a time, and says how each went. A failure never ends the run: the
// matrix is worth most when all of it is there.

import type { Client, Operation } from './client.ts';
import type { MatrixClient, MatrixRow, Outcome } from './matrix.ts';
import type { Session } from './session.ts';

/** What {@link runClients} takes. */
export type RunOptions = {
  readonly clients: readonly Client[];
  /** Makes what one operation works with. */
  readonly openSession: (operation: Operation) => Session;
  /** How many operations run at a time. */
  readonly concurrency: number;
  /** Told of each operation that ended. */
  readonly report: (client: string, row: MatrixRow, durationMs: number) => void;
};

/** Runs all operations of all clients. @throws when a client is not there: a missing client is never passed over */
export async function runClients({ clients, openSession, concurrency, report }: RunOptions): Promise<MatrixClient[]> {
  const versions = await Promise.all(clients.map((client) => client.version()));
  const entries = clients.flatMap((client) => client.operations.map((operation) => ({ client, operation })));
  const rows = new Map<Operation, MatrixRow>();
  const waiting = entries.values();
  const work = async () => {
    for (const { client, operation } of waiting) {
      const startedAt = performance.now();
      const outcome = await attempt(() => operation.run(openSession(operation)));
      const row = { operation: operation.name, section: operation.section, outcome };
      rows.set(operation, row);
      report(client.name, row, performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return clients.map(({ name, gate, operations }, index) => ({
    name,
    gate,
    version: versions[index] ?? '',
    rows: operations.flatMap((operation) => rows.get(operation) ?? []),
  }));
}

/** The clients and operations in whose names one of the words occurs; all of them when there are no words. */
export function chooseOperations(clients: readonly Client[], words: readonly string[]): readonly Client[] {
  if (words.length === 0) return clients;
  const isMeant = (text: string) => words.some((word) => text.includes(word));
  return clients
    .map((client) => ({
      ...client,
      operations: isMeant(client.name) ? client.operations : client.operations.filter(({ name }) => isMeant(name)),
    }))
    .filter(({ operations }) => operations.length > 0);
}

/** Whether something went well, and why not. */
export async function attempt(task: () => Promise<void>): Promise<Outcome> {
  try {
    await task();
    return { passed: true };
  } catch (error) {
    return { passed: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
