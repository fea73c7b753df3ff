// The state of a gate in a throw-away directory.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import { CrlShelf } from '../../src/state/crl-shelf.ts';
import { openStatusDatabase, type StatusDatabase } from '../../src/state/database.ts';
import { Progress } from '../../src/state/progress.ts';
import { Publication } from '../../src/state/publication.ts';
import { openResponseDisk, type ResponseDisk } from '../../src/state/response-disk.ts';
import { ResponseMemory } from '../../src/state/response-memory.ts';
import { Responses } from '../../src/state/responses.ts';
import { type CrlToMake, responder, type StatusFacts, signedCrl, signedStatus } from './signed.ts';

/** An open state. */
export type TestState = {
  readonly directory: string;
  readonly database: StatusDatabase;
  readonly disk: ResponseDisk;
  readonly memory: ResponseMemory;
  readonly responses: Responses;
  readonly crls: CrlShelf;
  readonly publication: Publication;
  readonly progress: Progress;
  close(): Promise<void>;
};

/** How a state is opened. */
export type StateOptions = {
  readonly clock?: Clock;
  readonly memoryOctets?: number;
  readonly slabOctets?: number;
};

/** Opens the state in a directory, as a gate that starts does. */
export async function openState(directory: string, options: StateOptions = {}): Promise<TestState> {
  const { clock = systemClock, memoryOctets = 16 * 1024 * 1024, slabOctets } = options;
  const database = await openStatusDatabase(join(directory, 'responses.db'), silentLog);
  const disk = openResponseDisk(database);
  const memory = new ResponseMemory(memoryOctets, slabOctets);
  const responses = new Responses({ memory, disk, clock, log: silentLog });
  const crls = new CrlShelf(database, join(directory, 'crl'), silentLog);
  await crls.load();
  return {
    directory,
    database,
    disk,
    memory,
    responses,
    crls,
    publication: new Publication(database, silentLog),
    progress: new Progress(database),
    close: async () => {
      responses.close();
      crls.close();
      await database.close();
    },
  };
}

/** Runs a test in a directory of its own. */
export async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-status-'));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Runs a test with a state of its own. */
export async function withState(body: (state: TestState) => Promise<void>, options?: StateOptions): Promise<void> {
  await withDirectory(async (directory) => {
    const state = await openState(directory, options);
    try {
      await body(state);
    } finally {
      await state.close();
    }
  });
}

/** Takes responses as if the keep had sent them. */
export function take({ responses }: TestState, statuses: readonly StatusFacts[], isInOrder = true): void {
  responses.take({ responders: [responder], responses: statuses.map(signedStatus) }, isInOrder);
}

/** Takes a CRL as if it had been fetched. @returns its octets */
export function putCrl({ crls }: TestState, options?: CrlToMake): Buffer {
  const { facts, octets } = signedCrl(options);
  const file = crls.temporaryFile();
  writeFileSync(file, octets);
  crls.put(facts, file);
  return octets;
}
