/**
 * The thread that signs OCSP responses in advance and encodes CRLs, so that enrollments never wait for either. It reads
 * core.db through a connection of its own, writes ocsp.db, and holds the key of the OCSP responder; the key of the CA
 * never comes here.
 */

import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { openSqlite, toDatabaseError } from '@gatehouse/runtime/database/sqlite';
import { createSoftwareSigner } from '../keys/software-signer.ts';
import { changedSerialNumberAt, serialNumberAt } from '../store/certificate-status.ts';
import type { Database } from '../store/database.ts';
import { discardResponseDatabase, openResponseDatabase } from '../store/responses/database.ts';
import { createResponseLog, type Progress, type ResponseLog } from '../store/responses/response-log.ts';
import { createStatements, type StoreReader } from '../store/statements.ts';
import { lastStatusPosition } from '../store/status-changes.ts';
import { assembleCrlFile } from '../x509/crl-file.ts';
import { encodeCrl } from './crl-encoding.ts';
import { createPreSigner } from './pre-signer.ts';
import { createPreSigningLoop } from './pre-signing-loop.ts';
import { createResponseSigner } from './response-signer.ts';
import type { FromStatusThread, StatusThreadData, TaskMessage, ToStatusThread } from './status-thread-messages.ts';

type Port = NonNullable<typeof parentPort>;

function start(port: Port, data: StatusThreadData): void {
  const post = (message: FromStatusThread): void => port.postMessage(message);
  const core = openSqlite<Database>({ file: data.coreFile, readOnly: true });
  const store = createStatements(core.raw);
  const { log, close } = openLog(store, data, (reason) => post({ kind: 'discarded', reason }));
  const issuer = readCertificate(data.issuer);
  const tasks = new Set<Promise<void>>();
  let now = data.now;

  const { authority, validityMs, archiveCutoffMs } = data;
  const unpublishedProfiles = new Set(data.unpublishedProfiles);
  const preSigner = createPreSigner({ store, log, authority, unpublishedProfiles, validityMs, archiveCutoffMs });
  const loop = createPreSigningLoop({
    store,
    log,
    authority,
    preSigner,
    crlsDone: () => (tasks.size === 0 ? undefined : Promise.race(tasks)),
    post,
    now,
    onFailure(error) {
      post({ kind: 'trouble', reason: error instanceof Error ? error.message : String(error) });
      if (!isAboutDamage(error) || !log.isDamaged()) return;
      // A thread that starts anew finds nothing, and signs everything again.
      discardResponseDatabase(data.responseFile);
      throw error;
    },
  });

  function setResponder(
    der: Uint8Array,
    sign: (octets: Uint8Array) => Uint8Array,
    signatureAlgorithm: Uint8Array,
  ): void {
    const responder = readCertificate(der);
    const { notAfter } = responder;
    const id = hash('sha256', der, 'buffer');
    const number = log.recordResponder({ id, certificate: der, signatureAlgorithm, notAfter }, now);
    const signer = createResponseSigner({ issuer, responder, sign, validityMs, archiveCutoffMs });
    loop.setResponder({ number, signer });
  }

  async function carryOut({ kind, id, task }: TaskMessage): Promise<void> {
    try {
      const result =
        kind === 'encode'
          ? await encodeCrl(store, { issuer, signatureAlgorithm: data.signatureAlgorithm }, task)
          : await assembleCrlFile(task);
      post({ kind: 'done', id, result });
    } catch (error) {
      post({ kind: 'failed', id, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  port.on('message', async (message: ToStatusThread) => {
    switch (message.kind) {
      case 'time':
        now = message.now;
        loop.wake(now);
        return;
      case 'responder': {
        const { sign, signatureAlgorithm } = createSoftwareSigner(message.key);
        setResponder(message.certificate, sign, signatureAlgorithm);
        return;
      }
      case 'close':
        await loop.close();
        await close();
        await core.close();
        port.close();
        return;
      default: {
        const task = carryOut(message).finally(() => tasks.delete(task));
        tasks.add(task);
      }
    }
  });
  post({ kind: 'ready' });
}

/** The log of responses, made anew when it belongs to another core.db: positions there would mean other certificates. */
function openLog(
  store: StoreReader,
  { responseFile: file, now }: StatusThreadData,
  onDiscarded: (reason: string) => void,
) {
  let database = openResponseDatabase(file, onDiscarded);
  let log: ResponseLog = createResponseLog(database, now);
  if (!belongsTo(store, log.progress())) {
    onDiscarded('it was made beside another core.db, or core.db was restored from a backup');
    database.raw.close();
    discardResponseDatabase(file);
    database = openResponseDatabase(file, onDiscarded);
    log = createResponseLog(database, now);
  }
  return { log, close: database.close };
}

function belongsTo(store: StoreReader, progress: Progress): boolean {
  const { certificatePosition, certificateSerialNumber, changePosition, changeSerialNumber } = progress;
  if (certificatePosition > 0 && serialNumberAt(store, certificatePosition) !== certificateSerialNumber) return false;
  if (changePosition > lastStatusPosition(store)) return false;
  // Changes are pruned when nobody needs them; one that is there must be the same.
  return (changedSerialNumberAt(store, changePosition) ?? changeSerialNumber) === changeSerialNumber;
}

function isAboutDamage(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return toDatabaseError(cause).code === 'corrupt';
}

if (parentPort !== null) start(parentPort, workerData);
