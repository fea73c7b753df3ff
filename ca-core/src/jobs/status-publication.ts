/**
 * Everything that publishes the status of certificates, put together: the status thread, the CRLs, the root's CRL, and what
 * follows them. It is woken by commits and by a heartbeat that also tells the thread the time.
 */
import { join } from 'node:path';
import { CoreError } from '@gatehouse/proto/core-error';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import type { Metrics } from '@gatehouse/runtime/metrics';
import type { OcspResponderSource } from '../authorities/ocsp-responder.ts';
import type { Keep } from '../keep.ts';
import { createOcspAnswers, type OcspAnswers } from '../revocation/ocsp-answer.ts';
import type { StatusConfiguration } from '../revocation/status-configuration.ts';
import { listSignedScopes } from '../store/crls.ts';
import { openResponseReader, type ResponseReader } from '../store/responses/response-reader.ts';
import { rememberBaseUrl } from './base-urls.ts';
import { openCrlFolder, publishedCrlFile } from './crl-files.ts';
import { type CrlPlan, configuredScopes, planScope } from './crl-plan.ts';
import { type CrlPublisher, createCrlPublisher, type PublishedCrl } from './crl-publisher.ts';
import { createNotifier } from './notifier.ts';
import { createRootCrlImport, rootScope } from './root-crl-import.ts';
import { doStatusChores } from './status-chores.ts';
import type { StatusFeed } from './status-feed.ts';
import { createStatusMetrics } from './status-metrics.ts';
import { statusProblems } from './status-problems.ts';
import type { StatusSource } from './status-watch.ts';
import { startStatusWorker } from './status-worker.ts';

/** What {@link startStatusPublication} takes. */
export type StatusPublicationOptions = {
  readonly keep: Pick<Keep, 'store' | 'clock' | 'log' | 'issuing' | 'root' | 'profiles' | 'instance'>;
  readonly feed: Pick<StatusFeed, 'onWake'>;
  readonly responder: OcspResponderSource;
  readonly configuration: StatusConfiguration;
  /** The data directory. */
  readonly directory: string;
  /** Path of core.db. */
  readonly databaseFile: string;
  readonly metrics: Metrics;
};

/** What is published, and what publishes it. */
export type StatusPublication = StatusSource & {
  readonly ocsp: OcspAnswers;
  readonly answersNonce: boolean;
  /** Scopes that there are, also those of which no CRL is there yet. */
  scopes(): readonly { readonly name: string; readonly authority: string; readonly hasDelta: boolean }[];
  /** A published CRL and its file. The two belong together until the caller lets others have their turn. */
  find(scope: string, isDelta: boolean): (PublishedCrl & { readonly file: string }) | undefined;
  /** The file that {@link StatusPublication.find} named is not there: it is made again. */
  noteLost(scope: string, isDelta: boolean): void;
  /** Makes a CRL now. Rejects with CoreError. */
  generate(scope: string, isDelta: boolean, actor: string): Promise<PublishedCrl>;
  problems(): readonly ReadinessProblem[];
  /** Ends what follows, and begins nothing more; to be called while callers are still connected. */
  stop(): void;
  /** Resolves when nothing of it runs any more. */
  close(): Promise<void>;
};

/** So often it is looked whether something is due, and the thread is told the time. */
const heartbeatMs = 250;

const readAgainMs = 1_000;
const choresEveryMs = 60_000;

/** Nothing is known of what the thread has seen. */
const notIdle = { isCaughtUp: false, changePosition: 0 };

/** Starts publishing; CRLs are made and responses signed from now on, in the background. Throws CoreError `unavailable`. */
export async function startStatusPublication(options: StatusPublicationOptions): Promise<StatusPublication> {
  const { keep, configuration, responder, directory } = options;
  const { store, clock, log, issuing } = keep;
  const { crl: crlConfiguration, ocsp: ocspConfiguration } = configuration.issuing;
  const actor = keep.instance.uri;
  const folder = openCrlFolder(directory);
  const responseFile = join(directory, 'ocsp.db');
  const baseUrls = await rememberBaseUrl(store, configuration.baseUrl, clock.now().getTime());
  const configured = new Set(configuredScopes(issuing.name, crlConfiguration.shards, baseUrls.current !== undefined));
  const notifier = createNotifier();
  let reader: ResponseReader | undefined;
  let isClosing = false;
  let idle = notIdle;

  const metrics = createStatusMetrics(options.metrics, {
    clock,
    crls: listCrls,
    oldestThisUpdate: () => reader?.oldestThisUpdate(),
  });
  const worker = startStatusWorker({
    data: {
      coreFile: options.databaseFile,
      responseFile,
      authority: issuing.name,
      issuer: issuing.certificate.der,
      signatureAlgorithm: issuing.signer.signatureAlgorithm,
      unpublishedProfiles: [...keep.profiles.values()]
        .filter(({ profile }) => profile.status !== 'published')
        .map(({ profile }) => profile.name),
      validityMs: ocspConfiguration.validity,
      archiveCutoffMs: ocspConfiguration.archiveCutoff,
    },
    responder: responder.current(),
    clock,
    log,
    events: {
      onReady: tryReady,
      onSigned(certificates) {
        metrics.responsesSigned.inc({ kind: 'advance' }, certificates);
        notifier.notify();
      },
      onChanged: (scopes, position) => publisher.noteChanges(scopes, position),
      onIdle(state) {
        const isNews = state.isCaughtUp && !idle.isCaughtUp;
        idle = state;
        if (isNews) void doChores();
      },
      onRestart: () => metrics.threadRestarts.inc(),
    },
  });
  const publisher: CrlPublisher = createCrlPublisher({
    store,
    worker,
    signer: issuing.signer,
    folder,
    clock,
    log,
    actor,
    plansSince: baseUrls.since,
    onPublished(plan, durationMs) {
      metrics.crlDuration.observe({ kind: plan.isDelta ? 'delta' : plan.kind }, durationMs / 1000);
      notifier.notify();
    },
  });
  const rootCrl = createRootCrlImport({
    directory,
    root: keep.root,
    store,
    folder,
    actor,
    clock,
    log,
    onPublished: notifier.notify,
  });

  /** What cannot be read now must not end the core: whoever asks waits, and it is tried again. */
  function tryReady(): void {
    try {
      ready();
    } catch (error) {
      log.error({ err: error }, 'what is signed in advance cannot be read; it will be tried again');
      if (!isClosing) setTimeout(tryReady, readAgainMs).unref();
    }
  }

  function ready(): void {
    const former = reader;
    idle = notIdle;
    reader = openResponseReader(responseFile);
    void former?.close();
    worker.wake();
    // What changed while no thread was there to tell.
    publisher.compare();
    notifier.notify();
  }

  function listCrls(): readonly PublishedCrl[] {
    const root = rootCrl.published();
    return root === undefined ? publisher.list() : [...publisher.list(), root];
  }

  function plansOf(scopes: Iterable<string>): readonly CrlPlan[] {
    return [...scopes].flatMap((scope) => planScope(scope, crlConfiguration, baseUrls));
  }

  async function doChores(): Promise<void> {
    if (!idle.isCaughtUp || reader === undefined || isClosing) return;
    const parts = { store, clock, log, folder, publisher, configured, plansOf };
    await doStatusChores(parts, reader.scopes, idle.changePosition);
  }

  responder.onChange(worker.setResponder);
  options.feed.onWake(worker.wake);
  // What earlier settings have named and what certificates name may be more than what is configured now.
  void publisher.add(plansOf(new Set([...configured, ...listSignedScopes(store)])));
  void rootCrl.look();
  const heartbeat = setInterval(() => {
    worker.wake();
    publisher.look();
    void rootCrl.look();
  }, heartbeatMs);
  const chores = setInterval(() => void doChores(), choresEveryMs);
  for (const timer of [heartbeat, chores]) timer.unref();

  function stop(): void {
    isClosing = true;
    clearInterval(heartbeat);
    clearInterval(chores);
    publisher.stop();
    notifier.notify();
  }

  const ocsp = createOcspAnswers({ store, clock, issuing, responder, configuration: ocspConfiguration });
  return {
    ocsp: {
      async answer(queries, caller) {
        const responses = await ocsp.answer(queries, caller);
        metrics.responsesSigned.inc(
          { kind: 'request' },
          responses.filter(({ thisUpdate }) => thisUpdate !== undefined).length,
        );
        return responses;
      },
    },
    answersNonce: ocspConfiguration.nonce === 'sign',
    responses: () => reader,
    crls: listCrls,
    crlVersion: () => publisher.version() + (rootCrl.published()?.crl.number ?? 0),
    wait: notifier.wait,
    isClosing: () => isClosing,
    scopes() {
      const scopes = [...publisher.scopes()].map((name) => ({ name, authority: issuing.name, hasDelta: true }));
      return rootCrl.published() === undefined
        ? scopes
        : [...scopes, { name: rootScope, authority: rootScope, hasDelta: false }];
    },
    find(scope, isDelta) {
      const published = scope === rootScope && !isDelta ? rootCrl.published() : publisher.find(scope, isDelta);
      return published && { ...published, file: publishedCrlFile(folder, scope, isDelta) };
    },
    noteLost(scope, isDelta) {
      if (scope === rootScope) rootCrl.noteLost();
      else publisher.noteLost(scope, isDelta);
    },
    async generate(scope, isDelta, wisher) {
      if (scope === rootScope) {
        throw new CoreError('conflict', 'the CRL of the root is made where its key is, which is not here');
      }
      return await publisher.generate(scope, isDelta, wisher);
    },
    problems: () =>
      statusProblems({
        thread: worker.problem(),
        lateCrls: publisher.late(),
        isRootCrlOver: rootCrl.isOver(),
        isResponderOver: responder.current().certificate.notAfter <= clock.now(),
      }),
    stop,
    async close() {
      stop();
      const ended = publisher.close();
      // Before the writer does: whoever closes last puts the log of the database away.
      await reader?.close();
      await worker.close();
      await ended;
      await rootCrl.look();
    },
  };
}
