/** The whole house as `gatehouse up` starts it: keep, ACME gate, status gate and two perspectives, each a process. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peakMegabytes } from '../peak-memory.ts';
import { processorSeconds } from '../processor-time.ts';
import { startUp, stopUp } from '../throw-away-stack.ts';
import { familyOf, type RunningServer } from './pebble.ts';
import type { Responder } from './responder.ts';

/** Starts it, with its eyes on the responder. */
export async function startEnforcingGate({ httpPort, resolver }: Responder): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-acme-'));
  const settings = [`acme.validation.httpPort=${httpPort}`, `acme.validation.resolver=${resolver}`];
  const up = await startUp(directory, '--only', 'acme,status', ...settings.flatMap((one) => ['--set', one]));
  const endpoints = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  const processes = () => familyOf(up.pid ?? 0);
  return {
    directory: endpoints.acme.directory,
    trustAnchor: readFileSync(join(directory, endpoints.trustAnchor), 'utf8'),
    peakMegabytes: () => processes().reduce((sum, pid) => sum + peakMegabytes(pid), 0),
    processorSeconds: () => processes().reduce((sum, pid) => sum + processorSeconds(pid), 0),
    stop: async () => {
      await stopUp(up);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
