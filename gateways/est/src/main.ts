// Starts the EST gate: configuration → users, anchors, schemes → operations → listener. Wiring only.

import { join } from 'node:path';
import { createCaCertificates } from '@gatehouse/gateway-kit/est/ca-certificates';
import { compileCertificateRights } from '@gatehouse/gateway-kit/est/certificate-rights';
import { openForeignAnchors } from '@gatehouse/gateway-kit/est/foreign-anchors';
import { createHeldKeys } from '@gatehouse/gateway-kit/est/held-keys';
import { loadKeyEncryptionKeys } from '@gatehouse/gateway-kit/est/key-encryption-keys';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import { createProfiles } from '@gatehouse/gateway-kit/est/profiles';
import { createSigningIdentity } from '@gatehouse/gateway-kit/est/signing-identity';
import { warmUp } from '@gatehouse/gateway-kit/est/warm-up';
import { type Gate, runGate } from '@gatehouse/gateway-kit/gate-process';
import { createGateRateLimits } from '@gatehouse/gateway-kit/rate-limit';
import type { Authentication } from './authenticate.ts';
import { BackOff } from './back-off.ts';
import { createBasicScheme } from './basic.ts';
import { createBearerScheme } from './bearer.ts';
import { createSharedSecretJudge, type SharedSecretJudge } from './cmc/shared-secret-judge.ts';
import { type EstConfiguration, estSchema } from './config.ts';
import { type AuthenticationScheme, createGuard, type SchemeName } from './credentials.ts';
import { createDigestScheme } from './digest.ts';
import type { EstGate } from './gate.ts';
import { createApp } from './server.ts';
import { noSharedSecrets, openSharedSecrets } from './shared-secrets.ts';
import { openSpentUses } from './spent-uses.ts';
import { holdUsers, openUsers } from './users.ts';

/** Where the gate's configuration is. */
export type RunEstOptions = {
  /** The data directory: the folder of gatehouse.yaml. */
  readonly directory: string;
  /** `--set` arguments. */
  readonly set?: readonly string[] | undefined;
};

/** Runs the gate until it is told to stop. */
export async function runEst({ directory, set }: RunEstOptions): Promise<void> {
  await runGate({ name: 'est', schema: estSchema, file: join(directory, 'gatehouse.yaml'), set, start: startEst });
}

async function startEst(process: Gate<EstConfiguration>): Promise<void> {
  const { configuration, clock, core, log } = process;
  const caCertificates = createCaCertificates(core, clock);
  const { authentication, sharedSecrets } = await createAuthentication(process, caCertificates);
  const gate: EstGate = {
    protocol: 'est',
    windows: configuration,
    configuration,
    labels: collectLabels(configuration),
    core,
    clock,
    authentication,
    caCertificates,
    profiles: createProfiles(core, clock),
    heldKeys: createHeldKeys(clock, configuration.collectWindow),
    keyEncryptionKeys: loadKeyEncryptionKeys(configuration.keyEncryption, (path) => process.resolvePath(path)),
    signingIdentity: createSigningIdentity(() => process.serverCertificate()),
    sharedSecrets,
    limits: createGateRateLimits(configuration.limits, clock),
  };
  const answers = process.metrics.counter({
    name: 'est_answers_total',
    help: 'Answers by operation, label and status.',
    labels: ['operation', 'label', 'status'],
  });
  await process.serve(
    createApp(gate, log, (operation, label, status) => answers.labels(operation, label, String(status)).inc()),
  );
  await warmUp(gate, log);
}

async function createAuthentication(
  process: Gate<EstConfiguration>,
  caCertificates: EstGate['caCertificates'],
): Promise<{ readonly authentication: Authentication; readonly sharedSecrets: SharedSecretJudge }> {
  const { configuration, clock, core, log } = process;
  const { realm, backOff } = configuration;
  const resolve = (path: string): string => process.resolvePath(path);
  const users = configuration.users === undefined ? holdUsers([]) : openUsers(resolve(configuration.users), log);
  process.onShutdown('users', () => users.close());
  const times = {
    firstDelayMs: backOff.firstDelay,
    maximumDelayMs: backOff.maximumDelay,
    forgetAfterMs: backOff.forgetAfter,
    clock,
  };
  const guard = createGuard(
    new BackOff({ freeFailures: backOff.userFailures, ...times }),
    new BackOff({ freeFailures: backOff.addressFailures, ...times }),
  );
  const issuers = configuration.tokenIssuers.map((issuer) => ({
    ...issuer,
    keys: issuer.keys.includes('://') ? issuer.keys : resolve(issuer.keys),
  }));
  const schemes: readonly AuthenticationScheme[] = [
    await createBasicScheme({ realm, users, guard, clock }),
    createDigestScheme({ realm, users, guard, clock }),
    createBearerScheme({ realm, issuers, clock }),
  ];
  const secrets =
    configuration.sharedSecrets === undefined
      ? noSharedSecrets
      : openSharedSecrets(resolve(configuration.sharedSecrets), log);
  process.onShutdown('shared secrets', () => secrets.close());
  const foreignAnchors = await openForeignAnchors(configuration.trustAnchors, {
    resolve,
    log,
    clock,
    metrics: process.metrics,
  });
  process.onShutdown('revocation lists', () => foreignAnchors.close());
  const authentication: Authentication = {
    schemes: new Map<SchemeName, AuthenticationScheme>(schemes.map((scheme) => [scheme.name, scheme])),
    certificates: {
      core,
      caCertificates,
      clock,
      foreignAnchors: foreignAnchors.all,
    },
    certificateRights: compileCertificateRights(configuration.certificates),
    spentUses: openSpentUses(resolve(configuration.spentUses)),
  };
  return { authentication, sharedSecrets: createSharedSecretJudge({ secrets, users, guard, clock }) };
}
