/** Starts the keep: configuration → keys → store → authorities → services → listener. Wiring only. */
import { join, resolve } from 'node:path';
import { encodePem } from '@gatehouse/pkix/pem';
import { AdministrationService } from '@gatehouse/proto/administration';
import { CertificateAuthorityService } from '@gatehouse/proto/certificate-authority';
import { CertificateStatusService } from '@gatehouse/proto/certificate-status';
import { DomainValidationService } from '@gatehouse/proto/domain-validation';
import { type Clock, systemClock } from '@gatehouse/runtime/clock';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { type GrpcListener, listenForCallers } from '@gatehouse/runtime/grpc-listener';
import { type ProcessLife, runProcess } from '@gatehouse/runtime/lifecycle';
import { createLog, type Logger } from '@gatehouse/runtime/log';
import { startManagement } from '@gatehouse/runtime/management';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { formatAddress, removeRunFile, writeRunFile } from '@gatehouse/runtime/run-file';
import { readSecret } from '@gatehouse/runtime/secret';
import { Server } from '@grpc/grpc-js';
import { createAuditChain } from './audit/chain.ts';
import { openAuditSeals } from './audit/seal.ts';
import { verifyAudit } from './audit/verify.ts';
import { loadAuthorities } from './authorities/load-authorities.ts';
import { openOcspResponder } from './authorities/ocsp-responder.ts';
import { signersTested } from './authorities/record-hierarchy.ts';
import { type CoreConfiguration, coreConfigurationSchema } from './configuration.ts';
import { ownKeyFingerprints } from './enrollment/forbidden-keys.ts';
import { bindProfiles } from './enrollment/issuing-profile.ts';
import { loadEvidenceAnchors } from './evidence/load-anchors.ts';
import { createValidationSettings } from './evidence/validation.ts';
import { holdDataDirectory } from './hold-data-directory.ts';
import { startEvidenceRetention } from './jobs/evidence-retention.ts';
import { createStatusFeed } from './jobs/status-feed.ts';
import { startStatusPublication } from './jobs/status-publication.ts';
import type { Keep } from './keep.ts';
import { createKeepMetrics, measureState } from './metrics.ts';
import { loadProfiles } from './profiles/load-profiles.ts';
import { recordProfiles } from './profiles/record-profiles.ts';
import { coreReadiness } from './readiness.ts';
import { recordConfiguration } from './record-configuration.ts';
import { refuseLostDatabase } from './refuse-lost-database.ts';
import { type Caller, coreUri, identifyCaller } from './registry/caller.ts';
import { createRegistry } from './registry/registry.ts';
import { warnOfUnvalidatedNames } from './registry/unvalidated-names.ts';
import { createBulkRevocations } from './revocation/bulk-revocation.ts';
import { responderIssuance } from './revocation/issue-responder-certificate.ts';
import { administrationService } from './services/administration.ts';
import { certificateAuthorityService } from './services/certificate-authority.ts';
import { certificateStatusService } from './services/certificate-status.ts';
import { domainValidationService } from './services/domain-validation.ts';
import { createRefusedCallers } from './services/refused-callers.ts';
import { createServerIdentity, serverIdentityRenewalMs } from './services/server-identity.ts';
import { explainStartFailure } from './start-failure.ts';
import { openStore } from './store/open-store.ts';
import { startVerifier } from './verification/verifier.ts';

/** Where the core's things are, and what overrides the file. */
export type RunCoreOptions = {
  /** The data directory: the folder of gatehouse.yaml. */
  readonly directory: string;
  /** `--set` arguments. */
  readonly set: readonly string[];
  /** The machine's clock unless told. */
  readonly clock?: Clock;
};

/** What is written to run/core.json. */
export type RunningCore = {
  readonly pid: number;
  /** `host:port` for gates and operators. */
  readonly address: string;
  /** `host:port` of /livez, /readyz and /metrics. */
  readonly management: string;
};

/** A request for a hundred names with some statements of each fits; what else is in it is bounded by request-size.ts. */
const largestMessage = 16 * 1024 * 1024;
const drainMs = 3_000;

/** Runs the core until it is told to stop. */
export async function runCore(options: RunCoreOptions): Promise<void> {
  const log = createLog({ name: 'core' });
  await runProcess({ name: 'core', log, start: async (life) => void (await startCore(options, log, life)) });
}

/** Brings a core up in this process; `life` is told what to stop, in reverse order. Throws FatalError. */
export async function startCore(
  options: RunCoreOptions,
  log: Logger,
  life: Pick<ProcessLife, 'onShutdown'>,
): Promise<RunningCore> {
  try {
    return await bringUp(options, log, life);
  } catch (error) {
    throw explainStartFailure(error, options.directory);
  }
}

async function bringUp(
  { directory, set, clock = systemClock }: RunCoreOptions,
  log: Logger,
  life: Pick<ProcessLife, 'onShutdown'>,
): Promise<RunningCore> {
  const configuration = loadConfiguration({
    schema: coreConfigurationSchema,
    section: 'core',
    file: join(directory, 'gatehouse.yaml'),
    set,
  });
  const within = (path: string): string => resolve(directory, path);

  const release = await holdDataDirectory(directory);
  life.onShutdown('hold on the data directory', release);
  const passphrase = readSecret(configuration.keys.passphrase, directory, process.env, 'core.keys.passphrase');
  const authorities = loadAuthorities({ directory, passphrase, clock });
  const profiles = loadProfiles({ directory: within(configuration.profiles.directory) });

  const databaseFile = within(configuration.database.file);
  const sealsFile = within('audit/seals.jsonl');
  refuseLostDatabase(databaseFile, sealsFile);
  const store = await openStore({
    file: databaseFile,
    audit: createAuditChain({ key: authorities.auditKey }),
    clock,
    log,
  });
  life.onShutdown('store', () => store.close());
  const seals = await openAuditSeals({ file: sealsFile, key: authorities.auditKey, store, clock, log });
  life.onShutdown('audit seals', () => seals.close());
  const instance = { ...store.instance, uri: coreUri(store.instance.id) };
  await recordConfiguration(store, configuration, instance.uri);
  await recordProfiles(store, profiles, instance.uri);

  const verifier = startVerifier([authorities.issuing.certificate, authorities.service.certificate], (reason) =>
    log.error({ reason }, 'signatures are verified on the main thread until another one is ready'),
  );
  life.onShutdown('verifier', () => verifier.close());
  const validation = createValidationSettings(configuration.validation);
  const metrics = createMetrics();
  const statusFeed = createStatusFeed();
  // The listener needs the keep's handlers, and the keep may have to end the listener's connections.
  const late: { listener?: GrpcListener<Caller> } = {};
  const keep: Keep = {
    instance,
    root: authorities.root,
    issuing: authorities.issuing,
    service: authorities.service,
    profiles: bindProfiles(profiles, authorities, clock.now(), configuration.status, validation),
    evidenceAnchors: loadEvidenceAnchors({
      directory,
      files: configuration.evidence.anchors,
      profiles: profiles.values(),
    }),
    validation,
    registry: createRegistry(store, clock),
    store,
    verifier,
    statusFeed,
    inFlight: new Map(),
    get addresses() {
      return addressesOf(configuration, late.listener);
    },
    disconnect: (uri) => late.listener?.disconnect(uri),
    verifyAudit: () => verifyAudit(store, authorities.auditKey, sealsFile),
    ownKeys: ownKeyFingerprints(authorities),
    clock,
    log,
    metrics: createKeepMetrics(metrics),
  };
  measureState(metrics, keep, seals);
  for (const ra of keep.registry.listRegistrationAuthorities()) if (!ra.isDisabled) warnOfUnvalidatedNames(keep, ra);

  const { ocsp } = configuration.status.issuing;
  const responder = await openOcspResponder({
    directory,
    passphrase,
    issuer: keep.issuing.certificate,
    store,
    responseValidityMs: ocsp.validity,
    issue: responderIssuance(keep, ocsp),
    clock,
    log,
  });
  life.onShutdown('OCSP responder', () => responder.close());
  const status = await startStatusPublication({
    keep,
    feed: statusFeed,
    responder,
    configuration: configuration.status,
    directory,
    databaseFile,
    metrics,
  });
  life.onShutdown('published status', () => status.close());

  const evidenceRetention = startEvidenceRetention(keep);
  life.onShutdown('retention of evidence', () => evidenceRetention.close());

  const server = new Server({
    'grpc.max_receive_message_length': largestMessage,
    'grpc.max_send_message_length': largestMessage,
  });
  const bulkRevocations = createBulkRevocations(keep);
  const handlers = {
    keep,
    bulkRevocations,
    status,
    callerOf: (peer: string) => late.listener?.callerOf(peer),
    refusedCallers: createRefusedCallers(keep),
  };
  server.addService(CertificateAuthorityService, certificateAuthorityService(handlers));
  server.addService(CertificateStatusService, certificateStatusService(handlers));
  server.addService(DomainValidationService, domainValidationService(handlers));
  server.addService(AdministrationService, administrationService(handlers));

  await store.commit({
    operations: [],
    events: [
      { action: 'core-started', actor: instance.uri, outcome: 'success' },
      ...signersTested(authorities, instance.uri),
    ],
  });
  life.onShutdown('last audit event', () =>
    store.commit({ operations: [], events: [{ action: 'core-stopped', actor: instance.uri, outcome: 'success' }] }),
  );

  const listener = await listenForCallers({
    ...configuration.listen,
    setting: 'core.listen.port',
    server,
    identifyCaller,
    identity: createServerIdentity(keep.service, instance, clock),
    clientAnchors: keep.service.chain.map((der) => encodePem('CERTIFICATE', der)).join(''),
    clock,
    log,
  });
  late.listener = listener;
  life.onShutdown('listener', () => listener.close(drainMs));
  // These end before the listener does, whose connections their watchers hold.
  life.onShutdown('publishing of status', () => status.stop());
  life.onShutdown('bulk revocations', () => bulkRevocations.close());
  bulkRevocations.resume();
  const renewal = setInterval(
    () => listener.replaceIdentity(createServerIdentity(keep.service, instance, clock)),
    serverIdentityRenewalMs,
  );
  life.onShutdown('server identity', () => clearInterval(renewal));

  const management = await startManagement({
    ...configuration.management,
    readiness: coreReadiness({
      keep,
      seals,
      status,
      directory,
      reserveMegabytes: configuration.database.reserveMegabytes,
    }),
    metrics,
    log,
    setting: 'core.management.port',
  });
  life.onShutdown('management', () => management.close());

  const running = { address: formatAddress(listener.address), management: formatAddress(management.address) };
  writeRunFile(directory, 'core', running);
  life.onShutdown('run file', () => removeRunFile(directory, 'core'));
  log.info({ ...running, instance: instance.id }, 'core listens');
  return { pid: process.pid, ...running };
}

function addressesOf({ listen }: CoreConfiguration, listener: GrpcListener<Caller> | undefined): readonly string[] {
  if (listen.advertise.length > 0) return listen.advertise;
  return listener === undefined ? [] : [formatAddress(listener.address)];
}
