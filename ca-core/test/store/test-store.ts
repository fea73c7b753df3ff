// A store in a directory of its own, and the sets that fill it.
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequesterKind } from '@gatehouse/proto/types';
import { createManualClock, type ManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createAuditChain } from '../../src/audit/chain.ts';
import type { AuditEventDraft } from '../../src/audit/event.ts';
import { insertCertificate, type NewCertificate } from '../../src/store/certificates.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { insertIssuedRequest, type NewRequest } from '../../src/store/requests.ts';
import type { WriteSet } from '../../src/store/write-set.ts';

/** What tests open. */
export type TestStore = {
  readonly directory: string;
  readonly file: string;
  readonly sealsFile: string;
  readonly key: KeyObject;
  readonly clock: ManualClock;
  /** What was logged, line by line. */
  readonly logged: string[];
  readonly log: ReturnType<typeof createLog>;
  readonly store: Store;
  /** Closes the store and opens it again. */
  reopen(): Promise<Store>;
  /** Closes the store and removes its directory. */
  remove(): Promise<void>;
};

export const requester = { kind: RequesterKind.REQUESTER_KIND_USER, id: 'demo', address: '192.0.2.1', display: 'Demo' };

/** Opens a new store whose writer thread is ready; in memory there is none. */
export async function openTestStore(place: 'on disk' | 'in memory' = 'on disk'): Promise<TestStore> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-store-'));
  const file = place === 'in memory' ? ':memory:' : join(directory, 'core.db');
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const clock = createManualClock(new Date('2026-05-01T12:00:00.123Z'));
  const logged: string[] = [];
  const log = createLog({ name: 'test', level: 'info', destination: { write: (line) => void logged.push(line) } });
  // Each look at the clock is a millisecond later: what has the same time was written together.
  const ticking = {
    now: () => {
      clock.advance(1);
      return clock.now();
    },
  };
  const open = async (): Promise<Store> => {
    const ready = place === 'on disk' ? writerIsReady() : undefined;
    const store = await openStore({ file, audit: createAuditChain({ key }), clock: ticking, log });
    await ready;
    return store;
  };
  let store = await open();
  return {
    directory,
    file,
    sealsFile: join(directory, 'seals.jsonl'),
    key,
    clock,
    logged,
    log,
    get store() {
      return store;
    },
    reopen: async () => {
      await store.close();
      store = await open();
      return store;
    },
    remove: async () => {
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function writerIsReady(): Promise<void> {
  const [writer] = await once(process, 'worker');
  await once(writer, 'message');
}

/** An event. */
export function event(changes: Partial<AuditEventDraft> = {}): AuditEventDraft {
  return { action: 'certificate-issued', actor: 'spiffe://gatehouse.internal/ra/est', outcome: 'success', ...changes };
}

/** A set that holds nothing but one event. */
export function eventSet(changes: Partial<AuditEventDraft> = {}): WriteSet {
  return { operations: [], events: [event(changes)] };
}

/** A certificate that nobody signed. */
export function certificate(changes: Partial<NewCertificate> = {}): NewCertificate {
  const now = new Date('2026-05-01T12:00:00.123Z');
  return {
    serialNumber: `4a01${randomBytes(16).toString('hex')}`,
    authority: 'issuing',
    profile: 'tls-server',
    registrationAuthority: 'est',
    requester,
    requestId: randomBytes(13).toString('hex'),
    subject: 'CN=a.example.com',
    searchNames: ['a.example.com'],
    keyFingerprint: randomBytes(32),
    certificate: randomBytes(500),
    tbsSha256: randomBytes(32),
    notBefore: now,
    notAfter: new Date(now.getTime() + 90 * 86_400_000),
    issuedAt: now,
    crlScope: '',
    ...changes,
  };
}

/** An enrollment that was issued. */
export function request(changes: Partial<NewRequest> = {}): NewRequest {
  return {
    id: randomBytes(13).toString('hex'),
    registrationAuthority: 'est',
    idempotencyKey: randomBytes(16).toString('hex'),
    contentSha256: randomBytes(32),
    profile: 'tls-server',
    requester,
    requestedAt: new Date('2026-05-01T12:00:00.123Z'),
    ...changes,
  };
}

/** Everything that one issuance writes. */
export function issuance(issued: NewCertificate = certificate(), asked: NewRequest = request()): WriteSet {
  const { serialNumber, profile, registrationAuthority } = issued;
  return {
    operations: [...insertCertificate(issued), insertIssuedRequest({ ...asked, serialNumber })],
    events: [event({ serialNumber, profile, registrationAuthority })],
  };
}
