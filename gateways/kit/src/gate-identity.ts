// The server certificate of a gate that shows one, whatever it speaks: got from the keep, kept in the gate's folder, renewed
// in time, and told of in readiness and metrics. What is done with it is for the gate.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GateBase } from './gate-base.ts';
import type { GateConfiguration } from './gate-configuration.ts';
import { describeIdentity } from './readiness.ts';
import { openServerIdentity, type ServerIdentity } from './server-identity.ts';

/**
 * Opens the identity of a gate; waits for the core when there is no certificate yet, until the process is told to stop.
 *
 * @throws {CoreError} when the core refuses, which waiting would not mend
 * @throws {FatalError} when the file cannot be read or written, or a name is none
 */
export async function openGateIdentity(base: GateBase<Pick<GateConfiguration, 'names'>>): Promise<ServerIdentity> {
  const { name, configuration, directory, core, log, clock, metrics, registrationAuthority } = base;
  mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
  const stopWaiting = new AbortController();
  base.onShutdown('waiting for a certificate', () => stopWaiting.abort());
  const identity = await openServerIdentity({
    file: join(directory, name, 'tls.pem'),
    names: configuration.names,
    core,
    registrationAuthority,
    log,
    clock,
    signal: stopWaiting.signal,
  });
  base.onShutdown('server certificate', () => identity.close());
  base.addReadinessCheck(() => describeIdentity(identity, clock));
  metrics.gauge({
    name: 'server_certificate_expires_timestamp_seconds',
    help: 'When the server certificate of this gate ends.',
    collect: (gauge) => gauge.set(identity.notAfter.getTime() / 1000),
  });
  return identity;
}
