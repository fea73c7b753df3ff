// The database of pre-signed responses: a compacted log whose positions are never given out twice, and a cache that may be
// lost at any time.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { openResponseDatabase } from '../../src/store/responses/database.ts';
import { createResponseLog, type NewResponse, type ResponseBatch } from '../../src/store/responses/response-log.ts';
import { openResponseReader } from '../../src/store/responses/response-reader.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-responses-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

function newFile(): string {
  files += 1;
  return join(directory, `ocsp-${files}.db`);
}

function open(file: string, discarded: string[] = [], now = 0) {
  const database = openResponseDatabase(file, (reason) => discarded.push(reason));
  return { ...database, log: createResponseLog(database, now) };
}

const signed = { responseData: randomBytes(160), signature: randomBytes(70) };

function response(serialNumber: string, changes: Partial<NewResponse> = {}): NewResponse {
  const times = { thisUpdate: 0, nextUpdate: 2000, due: 1000 };
  return { authority: 'issuing', serialNumber, ...times, sha1: signed, sha256: signed, ...changes };
}

const start = {
  certificatePosition: 0,
  certificateSerialNumber: '',
  changePosition: 0,
  changeSerialNumber: '',
  removedAt: 0,
};

function batch(responses: readonly NewResponse[], changes: Partial<ResponseBatch> = {}): ResponseBatch {
  return { responder: 1, responses, removed: [], scopes: new Map(), progress: start, ...changes };
}

function listAll(file: string): readonly { readonly position: number; readonly serialNumber: string }[] {
  const reader = openResponseReader(file);
  const rows = reader.listAfter(0, 1000).map((row) => ({ position: row.position, serialNumber: row.serial_number }));
  void reader.close();
  return rows;
}

describe('the log of responses', () => {
  it('has each certificate once, at the position of its newest response', async () => {
    const file = newFile();
    const { log, close } = open(file);
    await log.write(batch([response('0a'), response('0b')]));
    const first = listAll(file);
    await log.write(batch([response('0a')]));
    const second = listAll(file);
    assert.deepEqual(
      second.map(({ serialNumber }) => serialNumber),
      ['0b', '0a'],
    );
    assert.ok((second[1]?.position ?? 0) > (first[1]?.position ?? 0));
    await close();
  });

  it('never gives a position out twice, whatever a power cut took away since it was opened', async () => {
    const file = newFile();
    const before = open(file);
    await before.log.write(batch([response('0a')]));
    const last = before.log.position();
    await before.close();
    const again = open(file);
    assert.equal(again.log.epoch, before.log.epoch);
    assert.ok(again.log.position() >= last + 2 ** 30);
    await again.close();
  });

  it('never gives a position out twice after a restore: positions follow the time', async () => {
    const file = newFile();
    const now = Date.parse('2026-06-01T12:00:00Z');
    const before = open(file, [], now);
    await before.log.write(batch([response('0a')]));
    await before.close();
    const restored = open(newFile(), [], now + 60_000);
    assert.ok(restored.log.position() > before.log.position());
    assert.ok(Number.isSafeInteger(restored.log.position()));
    await restored.close();
  });

  it('remembers how far core.db was read together with what was signed', async () => {
    const file = newFile();
    const { log, close } = open(file);
    const progress = { ...start, certificatePosition: 7, certificateSerialNumber: '0a', removedAt: 5 };
    await log.write(batch([response('0a')], { progress, scopes: new Map([['issuing-1', 50]]) }));
    await assert.rejects(log.write(batch([response('0b', { thisUpdate: 0.5 })], { progress: start })));
    await close();
    const again = open(file);
    assert.deepEqual(again.log.progress(), progress);
    await again.close();
    const reader = openResponseReader(file);
    assert.deepEqual([...reader.scopes()], [['issuing-1', 50]]);
    await reader.close();
  });

  it('keeps the latest end of the certificates that name a CRL', async () => {
    const file = newFile();
    const { log, close } = open(file);
    for (const end of [50, 70, 60]) await log.write(batch([], { scopes: new Map([['issuing-1', end]]) }));
    const reader = openResponseReader(file);
    assert.equal(reader.scopes().get('issuing-1'), 70);
    await reader.close();
    await close();
  });

  it('lists what is due, the longest first, and then what would be due too late', async () => {
    const { log, close } = open(newFile());
    await log.write(batch([response('0a', { due: 30 }), response('0b', { due: 10 }), response('0c', { due: 900 })]));
    const serials = (now: number, latest: number) => log.listDue(now, latest, 10).map((key) => key.serialNumber);
    assert.deepEqual(serials(40, 100), ['0b', '0a']);
    assert.deepEqual(serials(5, 100), ['0c']);
    assert.deepEqual(serials(5, 1000), []);
    await close();
  });

  it('forgets certificates that have expired', async () => {
    const file = newFile();
    const { log, close } = open(file);
    await log.write(batch([response('0a'), response('0b')]));
    await log.write(batch([], { removed: [{ authority: 'issuing', serialNumber: '0a' }] }));
    assert.deepEqual(
      listAll(file).map(({ serialNumber }) => serialNumber),
      ['0b'],
    );
    await close();
  });
});

describe('responders', () => {
  it('have one number each, and are kept for a while after their end', async () => {
    const { log, close } = open(newFile());
    const responder = (id: number, notAfter: number) => ({
      id: Buffer.alloc(32, id),
      certificate: Buffer.from('certificate'),
      signatureAlgorithm: Buffer.from('algorithm'),
      notAfter: new Date(notAfter),
    });
    const day = 86_400_000;
    const first = log.recordResponder(responder(1, day), 0);
    assert.equal(log.recordResponder(responder(1, day), 0), first);
    const second = log.recordResponder(responder(2, 10 * day), 2 * day);
    assert.notEqual(second, first);
    assert.equal(log.recordResponder(responder(1, day), 2 * day), first);
    log.recordResponder(responder(3, 90 * day), 60 * day);
    assert.notEqual(log.recordResponder(responder(1, day), 0), first);
    await close();
  });
});

describe('a database of responses that cannot be used', () => {
  async function epochAfter(
    spoil: (file: string) => void,
  ): Promise<readonly [before: string, after: string, reasons: string[]]> {
    const file = newFile();
    const before = open(file);
    await before.log.write(batch([response('0a')]));
    await before.close();
    spoil(file);
    const reasons: string[] = [];
    const again = open(file, reasons);
    assert.deepEqual(listAll(file), []);
    await again.close();
    return [before.log.epoch, again.log.epoch, reasons];
  }

  it('that is gone begins another epoch', async () => {
    const [before, after, reasons] = await epochAfter((file) => rmSync(file));
    assert.notEqual(before, after);
    assert.deepEqual(reasons, []);
  });

  it('that is damaged is made anew, and says so', async () => {
    const [before, after, reasons] = await epochAfter((file) => writeFileSync(file, randomBytes(8192)));
    assert.notEqual(before, after);
    assert.match(reasons[0] ?? '', /not a database/);
  });

  it('that has another form is made anew, and says so', async () => {
    const [before, after, reasons] = await epochAfter((file) => {
      const raw = new DatabaseSync(file);
      raw.exec('PRAGMA user_version = 99');
      raw.close();
    });
    assert.notEqual(before, after);
    assert.match(reasons[0] ?? '', /99/);
  });
});
