/**
 * A program with pebble's command line, configuration and environment: Debian's own, which keeps everything in memory, or
 * the launcher of this house, which keeps everything on the disk. Both are started alike.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { peakMegabytes } from '../peak-memory.ts';
import { processorSeconds } from '../processor-time.ts';
import type { AcmeServer } from './account.ts';
import type { Responder } from './responder.ts';

/** A running server, and what it costs. */
export type RunningServer = AcmeServer & {
  /** The most memory of all its processes together, MB. */
  peakMegabytes(): number;
  /** Processor time of all its processes so far, seconds. */
  processorSeconds(): number;
  stop(): Promise<void>;
};

/** How it is started. */
export type PebbleOptions = {
  /** Program with its first parameters. */
  readonly command: readonly [program: string, ...parameters: string[]];
  readonly responder: Responder;
  /** PEBBLE_VA_ALWAYS_VALID: nobody looks at challenges. */
  readonly isAlwaysValid: boolean;
};

/** Starts one and waits until its directory answers. */
export async function startPebble({ command, responder, isAlwaysValid }: PebbleOptions): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-acme-'));
  const [port, management] = [await freePort(), await freePort()];
  const certificate = join(folder, 'tls.pem');
  const privateKey = join(folder, 'tls.key');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', privateKey];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', certificate, '-days', '2', ...subject], { stdio: 'ignore' });
  const configuration = join(folder, 'pebble.json');
  writeFileSync(
    configuration,
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate,
        privateKey,
        httpPort: responder.httpPort,
        tlsPort: 1,
        ocspResponderURL: '',
        externalAccountBindingRequired: false,
      },
    }),
  );
  const [program, ...parameters] = command;
  const child = spawn(program, [...parameters, '-config', configuration, '-dnsserver', responder.resolver], {
    stdio: 'ignore',
    env: {
      ...process.env,
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_WFE_NONCEREJECT: '0',
      PEBBLE_AUTHZREUSE: '0',
      ...(isAlwaysValid ? { PEBBLE_VA_ALWAYS_VALID: '1' } : {}),
    },
  });
  const server = { directory: `https://127.0.0.1:${port}/dir`, trustAnchor: readFileSync(certificate, 'utf8') };
  await untilAnswering(server, child);
  const processes = () => familyOf(child.pid ?? 0);
  return {
    ...server,
    peakMegabytes: () => processes().reduce((sum, pid) => sum + peakMegabytes(pid), 0),
    processorSeconds: () => processes().reduce((sum, pid) => sum + processorSeconds(pid), 0),
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      // One that has locked itself up ends by nothing else.
      const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(impatience);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A process and everything that it started. */
export function familyOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .map(Number)
    .filter((child) => child > 0);
  return [pid, ...children.flatMap(familyOf)];
}

async function untilAnswering({ directory, trustAnchor }: AcmeServer, child: ChildProcess): Promise<void> {
  const { Client } = await import('undici');
  const { origin, pathname } = new URL(directory);
  const deadline = performance.now() + 60_000;
  while (child.exitCode === null && performance.now() < deadline) {
    const http = new Client(origin, { connect: { ca: trustAnchor } });
    const answer = await http.request({ path: pathname, method: 'GET' }).catch(() => undefined);
    await answer?.body.dump();
    await http.close();
    if (answer?.statusCode === 200) return;
    await pause(50);
  }
  throw new Error(`${child.spawnfile} does not answer (${child.exitCode})`);
}
