// RFC 6960 §2.5, RFC 5019 §4: responses that are signed in advance, for whom, in which order, and when again.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { composeOcspResponse } from '@gatehouse/pkix/ocsp/response';
import { readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { createPreSigner, type PreSignerParts } from '../../src/jobs/pre-signer.ts';
import { createResponseSigner } from '../../src/jobs/response-signer.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { openResponseDatabase } from '../../src/store/responses/database.ts';
import { createResponseLog } from '../../src/store/responses/response-log.ts';
import { openResponseReader, type StoredResponse } from '../../src/store/responses/response-reader.ts';
import { day, now, openStatusWorkshop } from './status-workshop.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-pre-signer-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = createSoftwareSigner(privateKey);
const subjectPublicKeyInfo = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
const issuer = { subjectDer: Buffer.from('3000', 'hex'), subjectPublicKeyInfo };
let files = 0;

/** A store, a log and a pre-signer between them. */
async function open(changes: Partial<PreSignerParts> & { readonly responderEndsAt?: number } = {}) {
  const { responderEndsAt = now + 14 * day, ...parts } = changes;
  const workshop = await openStatusWorkshop();
  files += 1;
  const file = join(directory, `ocsp-${files}.db`);
  const database = openResponseDatabase(file, assert.fail);
  const log = createResponseLog(database, now);
  const validityMs = day;
  const archiveCutoffMs = parts.archiveCutoffMs;
  const preSigner = createPreSigner({
    store: workshop.store,
    log,
    authority: 'issuing',
    unpublishedProfiles: new Set(['private']),
    validityMs,
    archiveCutoffMs,
    ...parts,
  });
  const responder = { ...issuer, notAfter: new Date(responderEndsAt) };
  const active = {
    number: 1,
    signer: createResponseSigner({ issuer, responder, sign: signer.sign, validityMs, archiveCutoffMs }),
  };
  const reader = openResponseReader(file);
  after(async () => {
    await reader.close();
    await database.close();
    await workshop.remove();
  });
  return {
    ...workshop,
    log,
    preSigner,
    /** Signs everything that there is to sign at a time. */
    async sign(at = now): Promise<number> {
      let signed = 0;
      for (;;) {
        const batch = (await preSigner.signChanges(active, at)) ?? (await preSigner.signOthers(active, at));
        if (batch === undefined) return signed;
        signed += batch.signed;
      }
    },
    signChanges: (at = now) => preSigner.signChanges(active, at),
    rows: (): ReadonlyMap<string, StoredResponse> =>
      new Map(reader.listAfter(0, 10_000).map((row) => [row.serial_number, row])),
  };
}

/** What the response says, for both hashes. */
function statusOf(row: StoredResponse | undefined) {
  assert.ok(row);
  const [sha1, sha256] = [
    [row.data_sha1, row.signature_sha1],
    [row.data_sha256, row.signature_sha256],
  ].map(([responseData = Buffer.alloc(0), signature = Buffer.alloc(0)]) => {
    const { signatureAlgorithm } = signer;
    const read = readOcspResponse(
      composeOcspResponse({ responseData, signatureAlgorithm, signature, certificates: [] }),
    );
    assert.equal(read.status, 'successful');
    const [single] = read.singles;
    assert.ok(single);
    assert.equal(single.certificateId.serialNumber, row.serial_number);
    return single;
  });
  assert.deepEqual([sha1?.certificateId.hash, sha256?.certificateId.hash], ['sha1', 'sha256']);
  assert.deepEqual(sha1?.status, sha256?.status);
  assert.deepEqual(sha1?.thisUpdate.getTime(), row.this_update);
  assert.deepEqual(sha1?.nextUpdate?.getTime(), row.next_update);
  assert.ok(sha1);
  return sha1;
}

describe('certificates that get a response', () => {
  it('are those of the authority that have not ended and whose status is published', async () => {
    const { issue, sign, rows } = await open();
    const good = await issue();
    const unnamed = await issue({ crlScope: '' });
    await issue({ authority: 'service', crlScope: '' });
    await issue({ profile: 'private', crlScope: '' });
    await issue({ notAfter: new Date(now - 1) });
    // It names a CRL: what its profile says today does not change what it says.
    const formerly = await issue({ profile: 'private' });
    assert.equal(await sign(), 3);
    assert.deepEqual([...rows().keys()].sort(), [good, unnamed, formerly].sort());
  });

  it('are told good, revoked with reason and time, or on hold as revoked with certificateHold', async () => {
    const { issue, revoke, hold, sign, rows } = await open();
    const [good, revoked, held] = [await issue(), await issue(), await issue()];
    await revoke(revoked, 1, now - 5000);
    await hold(held);
    await sign();
    assert.deepEqual(statusOf(rows().get(good)).status, { kind: 'good' });
    assert.deepEqual(statusOf(rows().get(revoked)).status, { kind: 'revoked', at: new Date(now - 5000), reason: 1 });
    assert.deepEqual(statusOf(rows().get(held)).status, { kind: 'revoked', at: new Date(now - 1000), reason: 6 });
  });

  it('RFC 6960 §4.4.4: are answered for after their end when so configured, which the response says', async () => {
    const { issue, sign, rows } = await open({ archiveCutoffMs: 2 * day });
    const ended = await issue({ notAfter: new Date(now - day) });
    await issue({ notAfter: new Date(now - 3 * day) });
    await sign();
    assert.deepEqual([...rows().keys()], [ended]);
    assert.deepEqual(statusOf(rows().get(ended)).archiveCutoff, new Date(now - 2 * day));
  });
});

describe('the order of signing', () => {
  it('is changes before new certificates', async () => {
    const { issue, revoke, release, hold, signChanges, sign, rows } = await open();
    await issue();
    const [revoked, released] = [await issue(), await issue()];
    await revoke(revoked);
    await hold(released);
    await release(released);
    assert.deepEqual(await signChanges(), { signed: 2 });
    assert.equal(statusOf(rows().get(revoked)).status.kind, 'revoked');
    assert.equal(statusOf(rows().get(released)).status.kind, 'good');
    assert.equal(rows().size, 2);
    await sign();
    assert.equal(rows().size, 3);
  });

  it('leaves nothing out and signs nothing twice, however much there is', async () => {
    const { issue, sign, rows, preSigner, log } = await open();
    const serials = await Promise.all(Array.from({ length: 700 }, () => issue()));
    assert.equal(preSigner.isCaughtUp(), false);
    assert.equal(await sign(), 700);
    assert.equal(preSigner.isCaughtUp(), true);
    assert.equal(log.progress().certificateSerialNumber, serials.at(-1));
    assert.equal(rows().size, 700);
    assert.equal(await sign(), 0);
  });
});

describe('RFC 6960 §2.4: the life of a response', () => {
  it('begins in a whole second and lasts as configured', async () => {
    const { issue, sign, rows } = await open();
    const serialNumber = await issue();
    await sign(now + 789);
    const row = rows().get(serialNumber);
    assert.deepEqual([row?.this_update, row?.next_update], [now, now + day]);
  });

  it('never goes beyond that of the responder', async () => {
    const { issue, sign, rows } = await open({ responderEndsAt: now + 3_600_999 });
    const serialNumber = await issue();
    await sign();
    assert.equal(rows().get(serialNumber)?.next_update, now + 3_600_000);
  });

  it('is renewed when half of it is over, and no earlier', async () => {
    const { issue, sign, rows } = await open();
    const serialNumber = await issue();
    await sign();
    const first = rows().get(serialNumber);
    assert.equal(await sign(now + day / 2 - 1), 0);
    assert.equal(await sign(now + day / 2), 1);
    const second = rows().get(serialNumber);
    assert.ok((second?.position ?? 0) > (first?.position ?? 0));
    assert.equal(second?.this_update, now + day / 2);
  });

  it('ends with that of the certificate', async () => {
    const { issue, sign, rows } = await open();
    await issue({ notAfter: new Date(now + day / 4) });
    await sign();
    assert.equal(await sign(now + day / 2), 0);
    assert.equal(rows().size, 0);
  });
});

describe('a clock that was wrong', () => {
  it('leaves no response that has not begun: it is signed again', async () => {
    const { issue, sign, rows } = await open();
    const serialNumber = await issue();
    await sign(now + 5 * day);
    assert.equal(await sign(now), 1);
    assert.equal(rows().get(serialNumber)?.this_update, now);
    assert.equal(await sign(now), 0);
  });

  it('loses no certificate that seemed to have ended', async () => {
    const { issue, sign, rows } = await open();
    const serialNumber = await issue();
    await sign();
    await sign(now + 40 * day);
    assert.equal(rows().size, 0);
    await sign(now + day);
    assert.equal(statusOf(rows().get(serialNumber)).status.kind, 'good');
  });
});

describe('CRLs that certificates name', () => {
  it('are noted with the end of the last such certificate', async () => {
    const { issue, sign } = await open();
    const reader = () => openResponseReader(join(directory, `ocsp-${files}.db`));
    await issue({ crlScope: 'issuing-1', notAfter: new Date(now + day) });
    await issue({ crlScope: 'issuing-1', notAfter: new Date(now + 2 * day) });
    await issue({ crlScope: 'issuing-7', notAfter: new Date(now + day) });
    await sign();
    const found = reader();
    assert.deepEqual(
      [...found.scopes()],
      [
        ['issuing-1', now + 2 * day],
        ['issuing-7', now + day],
      ],
    );
    await found.close();
  });
});
