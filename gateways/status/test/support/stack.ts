// A keep and this gate as `gatehouse up` runs them, in a throw-away directory with random ports; endpoints.json is the only
// way in. Certificates are enrolled over the bridge with the credential of the EST gate: how they are asked for is not
// this gate's affair.

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { decodePem } from '@gatehouse/pkix/pem';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { createLog } from '@gatehouse/runtime/log';

/** The command as the root of the repository installs it; a gate's code imports nothing of the command line. */
const command = join(import.meta.dirname, '../../../../cli/bin/gatehouse.js');
const log = createLog({ name: 'test', level: 'silent' });

/** A running stack. */
export type Stack = {
  readonly directory: string;
  /** As in endpoints.json. */
  readonly status: { readonly ocsp: string; readonly crl: string };
  readonly issuing: Certificate;
  readonly root: Certificate;
  /** The keep, as its operator. */
  readonly operator: CoreClient;
  /** Enrolls a certificate for a server. */
  enroll(): Promise<Certificate>;
  /** Ends the core as a crash would; `up` starts it again. */
  killCore(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts a stack; call `stop` at the end. @param set `--set` arguments */
export async function startStack(set: readonly string[] = []): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-status-'));
  const settings = set.flatMap((one) => ['--set', one]);
  const child = spawn(
    process.execPath,
    [command, 'up', '--data', directory, '--ports', 'auto', '--only', 'est,status', ...settings],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  await isReady(child);
  const endpoints = JSON.parse(readFileSync(join(directory, 'endpoints.json'), 'utf8'));
  const addresses = [String(endpoints.core.address)];
  const connect = (file: string): CoreClient =>
    connectCore({
      addresses,
      credential: holdCredential(loadCredential(join(directory, file))),
      log,
      renewsCredential: false,
      retryWindowMs: 20_000,
      timeoutMs: 30_000,
    });
  const operator = connect('operators/admin.pem');
  const registrar = connect('ra/est/credential.pem');
  const read = (file: string): Certificate => {
    const [block] = decodePem(readFileSync(join(directory, file), 'utf8'), ['CERTIFICATE']);
    if (block === undefined) throw new Error(`${file} holds no certificate`);
    return readCertificate(block.der);
  };
  return {
    directory,
    status: endpoints.status,
    issuing: read(endpoints.chain),
    root: read(endpoints.trustAnchor),
    operator,
    enroll: () => enroll(registrar),
    killCore: () => kill(directory, 'core'),
    stop: async () => {
      await Promise.all([operator.close(), registrar.close()]);
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function enroll(registrar: CoreClient): Promise<Certificate> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = [{ kind: 'dns', value: `${randomUUID()}.example.com` }] as const;
  const outcome = await registrar.enroll({
    idempotencyKey: randomUUID(),
    profile: 'tls-server',
    subjectKey: {
      kind: 'certification-request',
      der: createCertificationRequest({ subject: [], key: privateKey, names: [...names] }),
    },
    requester: { kind: 'user', id: 'test' },
  });
  if (outcome.kind !== 'issued') throw new Error('the certificate was not issued');
  return readCertificate(outcome.certificate);
}

async function isReady(child: ChildProcess): Promise<void> {
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  if (child.stdout === null) throw new Error('the command has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.trim() === 'ready') resolve();
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`gatehouse up ended with ${code}: ${errors}`);
  });
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
}

/** SIGKILL; resolves when another process has taken its place and listens. */
async function kill(directory: string, name: string): Promise<void> {
  const read = (): { readonly pid?: number; readonly address?: string } => {
    try {
      return JSON.parse(readFileSync(join(directory, 'run', `${name}.json`), 'utf8'));
    } catch {
      // It is being written.
      return {};
    }
  };
  const { pid } = read();
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  for (let now = read(); now.pid === pid || now.address === undefined; now = read()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
