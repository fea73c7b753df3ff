// Starts the CoAP gate: configuration → policy of EST → trust, limits, operations → DTLS listener. Wiring only.

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createCaCertificates } from '@gatehouse/gateway-kit/est/ca-certificates';
import { compileCertificateRights } from '@gatehouse/gateway-kit/est/certificate-rights';
import type { EstPolicy } from '@gatehouse/gateway-kit/est/configuration';
import { type ForeignAnchors, openForeignAnchors } from '@gatehouse/gateway-kit/est/foreign-anchors';
import { createHeldKeys } from '@gatehouse/gateway-kit/est/held-keys';
import { loadKeyEncryptionKeys } from '@gatehouse/gateway-kit/est/key-encryption-keys';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import { createProfiles } from '@gatehouse/gateway-kit/est/profiles';
import { loadSharedEstPolicy } from '@gatehouse/gateway-kit/est/shared-policy';
import { createSigningIdentity } from '@gatehouse/gateway-kit/est/signing-identity';
import { warmUp } from '@gatehouse/gateway-kit/est/warm-up';
import { type GateBase, type GateListener, openGateBase, runGateProcess } from '@gatehouse/gateway-kit/gate-base';
import { openGateIdentity } from '@gatehouse/gateway-kit/gate-identity';
import type { ServerIdentity } from '@gatehouse/gateway-kit/server-identity';
import { localControlSocket, startLocalControl } from '@gatehouse/runtime/local-control';
import { formatAddress } from '@gatehouse/runtime/run-file';
import { createAnswerRecorder } from './answer-records.ts';
import { createBlockBudget } from './blockwise/budget.ts';
import { createBlockMetrics } from './blockwise/metrics.ts';
import { createCleanUps } from './clean-ups.ts';
import { type CoapConfiguration, coapSchema } from './config.ts';
import { startDtls } from './dtls/start-dtls.ts';
import type { DtlsTransport } from './dtls/transport.ts';
import { toDtlsCredentials } from './dtls-credentials.ts';
import { followTrust } from './dtls-trust.ts';
import { createEchoValues } from './echo.ts';
import type { CoapGate } from './gate.ts';
import { createMessageMetrics } from './message/metrics.ts';
import { createRequestLimits } from './request-limits.ts';
import { createResourceHandler } from './server.ts';
import { controlName, sessionRoutes } from './session-control.ts';
import { createSessions } from './sessions.ts';

/** Where the gate's configuration is. */
export type RunCoapOptions = {
  /** The data directory: the folder of gatehouse.yaml. */
  readonly directory: string;
  /** `--set` arguments. */
  readonly set?: readonly string[] | undefined;
};

/** How long requests in work may take to end when the process does. */
const drainTimeoutMs = 6_000;
/** How long what they leave to be done may take. */
const cleanUpTimeoutMs = 2_000;

/** Runs the gate until it is told to stop. */
export async function runCoap({ directory, set }: RunCoapOptions): Promise<void> {
  const file = join(directory, 'gatehouse.yaml');
  await runGateProcess({ name: 'coap', schema: coapSchema, file, set }, async (parts) => {
    const policy = loadSharedEstPolicy({ file, set, section: 'coap' });
    const { base, listens } = await openGateBase(parts, { core: false, credential: false });
    await startCoap(base, policy, listens);
  });
}

async function startCoap(
  base: GateBase<CoapConfiguration>,
  policy: EstPolicy,
  listens: (listener: GateListener) => void,
): Promise<void> {
  const { configuration, clock, log, metrics } = base;
  const identity = await openGateIdentity(base);
  const foreignAnchors = await openForeignAnchors(policy.trustAnchors, {
    resolve: base.resolvePath,
    log,
    clock,
    metrics,
  });
  base.onShutdown('foreign anchors', () => foreignAnchors.close());
  const gate = createGate(base, policy, identity, foreignAnchors);
  const blockMetrics = createBlockMetrics(metrics);
  const blockBudget = createBlockBudget({
    maximumOctets: configuration.blockMemory,
    entryLifeMs: configuration.blockLife,
    clock,
    metrics: blockMetrics,
  });
  base.onShutdown('block-wise transfers', () => blockBudget.close());
  const record = createAnswerRecorder(metrics, log);
  metrics.gauge({
    name: 'coap_requests_in_work',
    help: 'Requests whose answers are under way.',
    collect: (gauge) => gauge.set(gate.limits.inWork),
  });

  let transport: DtlsTransport | undefined;
  const replaceCredentials = (): void => {
    transport?.replaceCredentials(toDtlsCredentials(identity.current()), trust.current());
  };
  const trust = await followTrust({ ...gate.certificates, log, onChange: replaceCredentials });
  base.onShutdown('trust anchors', () => trust.close());
  base.addReadinessCheck(() => trust.problems());
  const { sessions, sessionsPerAddress, halfOpen, handshakesPerAddress, handshakeTimeout, idleTimeout } =
    configuration.limits;
  const started = await startDtls({
    listen: { ...configuration.listen, setting: 'coap.listen.port' },
    credentials: toDtlsCredentials(identity.current()),
    trust: trust.current(),
    limits: {
      sessions,
      sessionsPerAddress,
      halfOpen,
      handshakesPerAddress,
      handshakeTimeoutMs: handshakeTimeout,
      idleTimeoutMs: idleTimeout,
    },
    mtu: configuration.mtu,
    log,
    clock,
    metrics,
    events: createSessions({
      configuration,
      createHandler: (client) => createResourceHandler(gate, client, { log, record }),
      log,
      clock,
      messageMetrics: createMessageMetrics(metrics),
      blockMetrics,
      blockBudget,
      echoValues: createEchoValues(clock),
    }),
  });
  transport = started;
  identity.onChange(replaceCredentials);

  const control = await startLocalControl({
    file: localControlSocket(base.directory, controlName),
    routes: sessionRoutes(started),
    log,
  });
  base.onShutdown('local control', () => control.close());
  listens({
    address: started.address,
    close: async () => {
      await gate.limits.drain(drainTimeoutMs);
      // The answers that were made last are on their way down to the socket.
      await setImmediate();
      await started.close();
      await gate.cleanUps.settled(cleanUpTimeoutMs);
    },
  });
  log.info({ address: formatAddress(started.address), names: configuration.names }, 'listening');
  await warmUp(gate, log);
}

function createGate(
  base: GateBase<CoapConfiguration>,
  policy: EstPolicy,
  identity: ServerIdentity,
  foreignAnchors: ForeignAnchors,
): CoapGate {
  const { configuration, clock, core, resolvePath } = base;
  const caCertificates = createCaCertificates(core, clock);
  const { retryWindow, collectWindow } = policy;
  return {
    protocol: 'coap',
    windows: { retryWindow, collectWindow },
    configuration,
    labels: collectLabels(policy),
    core,
    clock,
    profiles: createProfiles(core, clock),
    caCertificates,
    heldKeys: createHeldKeys(clock, collectWindow),
    keyEncryptionKeys: loadKeyEncryptionKeys(policy.keyEncryption, resolvePath),
    signingIdentity: createSigningIdentity(() => identity.current()),
    certificates: { core, caCertificates, clock, foreignAnchors: foreignAnchors.all },
    certificateRights: compileCertificateRights(policy.certificates),
    limits: createRequestLimits({ ...configuration.limits, clock }),
    cleanUps: createCleanUps(),
  };
}
