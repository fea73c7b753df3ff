// Starts the status gate: configuration → copy on the disk → listener → the keep. Wiring only. It serves what the copy has
// before the keep can be reached.

import { join } from 'node:path';
import { type PlainGate, runPlainGate } from '@gatehouse/gateway-kit/plain-gate-process';
import { SparingLog } from '@gatehouse/gateway-kit/sparing-log';
import { type StatusConfiguration, statusSchema } from './config.ts';
import { Follower } from './follower.ts';
import { LiveAnswers } from './live-answers.ts';
import { createRequestCounter, registerStateMetrics } from './metrics.ts';
import { describeStatus } from './readiness.ts';
import { createHandler } from './server.ts';
import { CrlShelf } from './state/crl-shelf.ts';
import { openStatusDatabase } from './state/database.ts';
import { Progress } from './state/progress.ts';
import { Publication } from './state/publication.ts';
import { openResponseDisk } from './state/response-disk.ts';
import { ResponseMemory } from './state/response-memory.ts';
import { Responses } from './state/responses.ts';
import type { StatusGate } from './status-gate.ts';

/** Where the gate's configuration is. */
export type RunStatusOptions = {
  /** The data directory: the folder of gatehouse.yaml. */
  readonly directory: string;
  /** `--set` arguments. */
  readonly set?: readonly string[] | undefined;
};

/** Runs the gate until it is told to stop. */
export async function runStatus({ directory, set }: RunStatusOptions): Promise<void> {
  const file = join(directory, 'gatehouse.yaml');
  await runPlainGate({
    name: 'status',
    schema: statusSchema,
    file,
    set,
    start: async (gate) => {
      await startStatus(gate);
    },
  });
}

/** Brings the gate up inside a process that runs already. @returns where it listens */
export async function startStatus(process: PlainGate<StatusConfiguration>) {
  const { configuration, clock, core, log, metrics } = process;
  const folder = process.resolvePath(configuration.copy);
  const database = await openStatusDatabase(join(folder, 'responses.db'), log);
  process.onShutdown('copy', () => database.close());

  const disk = openResponseDisk(database);
  const memory = new ResponseMemory(configuration.memory * 1024 * 1024);
  const responses = new Responses({ memory, disk, clock, log });
  process.onShutdown('responses', () => responses.close());
  const crls = new CrlShelf(database, join(folder, 'crl'), log);
  await crls.load();
  process.onShutdown('CRLs', () => crls.close());
  const publication = new Publication(database, log);
  const progress = new Progress(database);

  const follower = new Follower({
    core: core.status,
    publication,
    responses,
    crls,
    progress,
    from: disk.position(),
    clock,
    log,
  });
  const sparingLog = new SparingLog(log, clock);
  const live = new LiveAnswers({
    core: core.status,
    isReachable: () => follower.isFollowing,
    limits: configuration.live,
    clock,
    log: sparingLog,
  });
  const count = createRequestCounter(metrics);
  registerStateMetrics(metrics, { follower, memory, disk, crls });
  process.addReadinessCheck(() => describeStatus({ follower, progress, crls, disk, responses, clock }));

  const gate: StatusGate = { configuration, publication, responses, crls, live, clock };
  process.onShutdown('follower', () => follower.close());
  const server = await process.serve(
    createHandler({ gate, log: sparingLog, count, rate: configuration.limits.address }),
  );
  follower.start();
  responses.warmUp().catch((error: unknown) => log.error({ err: error }, 'the memory cannot be filled from the copy'));
  return server.address;
}
