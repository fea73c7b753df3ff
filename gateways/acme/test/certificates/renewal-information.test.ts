// When a certificate should be renewed, and which certificate an order may say that it replaces.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { CertificateState, type CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { createManualClock } from '@gatehouse/runtime/clock';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { certificateIdOf } from '../../src/certificate-id.ts';
import { createCertificateParts } from '../../src/certificate-parts.ts';
import { storeChain } from '../../src/chains.ts';
import { AcmeError } from '../../src/errors.ts';
import type { Identifier } from '../../src/identifier.ts';
import type { ProblemType } from '../../src/problem.ts';
import { checkReplaces, suggestWindow, usualWindow } from '../../src/renewal-information.ts';
import type { Account } from '../../src/state/accounts.ts';
import {
  insertCertificate,
  markReplaced,
  markRevoked,
  readCertificateByCertId,
  type StoredCertificate,
} from '../../src/state/certificates.ts';
import { endIncident, type IncidentSelector, insertIncident } from '../../src/state/incidents.ts';
import { invalidateOrder } from '../../src/state/orders.ts';
import { createIssuer, read } from '../support/issuer.ts';
import { openMemoryState, storeAccount, storeOrder } from '../support/memory-state.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const issuer = createIssuer();
const store = await openMemoryState();
after(() => store.close());
const clock = createManualClock(new Date());
const keep: { answer: () => Date | undefined; asked: number } = { answer: () => undefined, asked: 0 };
const core: Pick<CoreClient, 'getCertificate'> = {
  getCertificate: (selector) => {
    keep.asked++;
    const revokedAt = keep.answer();
    const serialNumber = 'serialNumber' in selector ? selector.serialNumber : '';
    const state =
      revokedAt === undefined ? CertificateState.CERTIFICATE_STATE_VALID : CertificateState.CERTIFICATE_STATE_REVOKED;
    return Promise.resolve({
      ...emptyRecord,
      serialNumber,
      state,
      revocation: revokedAt === undefined ? undefined : { revokedAt, reason: 0, invalidityDate: undefined, actor: '' },
    });
  },
};
const emptyRecord = {
  certificate: Buffer.alloc(0),
  authority: '',
  profile: '',
  registrationAuthority: '',
  requester: undefined,
  subject: '',
  names: [],
  notBefore: undefined,
  notAfter: undefined,
  issuedAt: undefined,
  keyFingerprint: Buffer.alloc(0),
  renews: '',
  requestId: '',
};
const gate = { store, clock, certificates: createCertificateParts({ store, core, clock, alternateChains: [] }) };

async function storeCertificate(
  account: Account,
  names: readonly string[],
  lifeMs = 90 * dayMs,
): Promise<StoredCertificate> {
  const start = Math.floor(Date.now() / 1000) * 1000;
  const period = { notBefore: new Date(start), notAfter: new Date(start + lifeMs - 1000) };
  const certificate = read(issuer.issue({ names, ...period }));
  const certId = certificateIdOf(certificate) ?? '';
  await store.commit([
    insertCertificate({
      id: newUnguessableId(),
      accountId: account.id,
      orderId: newUnguessableId(),
      serialNumber: certificate.serialNumber,
      certId,
      certificate: certificate.der,
      chain: storeChain([issuer.certificate]),
      ...period,
    }),
  ]);
  const stored = await readCertificateByCertId(store, certId);
  assert.ok(stored !== undefined);
  return stored;
}

async function addIncident(selector: IncidentSelector, explanationUrl?: string): Promise<string> {
  const id = newUnguessableId();
  const now = clock.now().getTime();
  const window = { windowStart: new Date(now - 2 * hourMs), windowEnd: new Date(now - hourMs) };
  await store.commit([insertIncident({ id, selector, explanationUrl, ...window, createdAt: clock.now() })]);
  return id;
}

describe('RFC 9773 §4.2: the suggested window', () => {
  it('is 2 % of the life around two thirds of it, around half of it below ten days', () => {
    const notBefore = new Date('2026-01-01T00:00:00Z');
    for (const [days, at] of [
      [90, 60],
      [10, 20 / 3],
      [9, 4.5],
      [6, 3],
    ] as const) {
      const { start, end } = usualWindow({ notBefore, notAfter: new Date(notBefore.getTime() + days * dayMs - 1000) });
      const from = (time: Date) => (time.getTime() - notBefore.getTime()) / dayMs;
      assert.ok(Math.abs(from(start) - (at - days / 100)) < 1e-6, `${days}: ${from(start)}`);
      assert.ok(Math.abs(from(end) - (at + days / 100)) < 1e-6);
    }
  });

  it('lies in the past once the certificate is revoked, through this gate or elsewhere', async () => {
    const account = await storeAccount(store);
    const here = await storeCertificate(account, ['DNS:here.example']);
    await store.commit([markRevoked(here.serialNumber, clock.now())]);
    const revoked = await readCertificateByCertId(store, here.certId);
    assert.ok(revoked !== undefined && (await suggestWindow(gate, revoked)).end < clock.now());

    const elsewhere = await storeCertificate(account, ['DNS:elsewhere.example']);
    keep.answer = () => clock.now();
    assert.ok((await suggestWindow(gate, elsewhere)).end < clock.now());
    keep.answer = () => undefined;
  });

  it('does not ask the keep for each request, and lives with a keep that is away', async () => {
    const stored = await storeCertificate(await storeAccount(store), ['DNS:often.example']);
    const before = keep.asked;
    for (let i = 0; i < 5; i++) await suggestWindow(gate, stored);
    assert.equal(keep.asked, before + 1);
    clock.advance(61_000);
    keep.answer = () => {
      throw new CoreError('unavailable', 'away');
    };
    assert.deepEqual(await suggestWindow(gate, stored), usualWindow(stored));
    keep.answer = () => undefined;
  });

  it('is that of an incident, with its explanation, as long as that lasts', async () => {
    const account = await storeAccount(store);
    const [one, other] = [
      await storeCertificate(account, ['DNS:one.example']),
      await storeCertificate(account, ['DNS:other.example']),
    ];
    const explanation = 'https://ca.example/incident';
    const selectors: readonly IncidentSelector[] = [
      { serialNumbers: [one.serialNumber] },
      { accounts: [account.id], serialNumbers: [one.serialNumber] },
      {
        accounts: [account.id],
        issuedFrom: one.notBefore.getTime(),
        issuedBefore: one.notBefore.getTime() + 1,
        serialNumbers: [one.serialNumber],
      },
    ];
    for (const selector of selectors) {
      const id = await addIncident(selector, explanation);
      const { end, explanationUrl } = await suggestWindow(gate, one);
      assert.ok(end < clock.now());
      assert.equal(explanationUrl, explanation);
      assert.deepEqual(await suggestWindow(gate, other), usualWindow(other));
      assert.equal(await endIncident(store, id, clock.now()), true);
      assert.equal(await endIncident(store, id, clock.now()), false);
      assert.deepEqual(await suggestWindow(gate, one), usualWindow(one));
    }
    const unfitting = await addIncident({ accounts: ['nobody'], serialNumbers: [one.serialNumber] });
    assert.deepEqual(await suggestWindow(gate, one), usualWindow(one));
    await endIncident(store, unfitting, clock.now());
  });
});

describe('RFC 9773 §5: the certificate that an order replaces', () => {
  const dns = (value: string): Identifier => ({ type: 'dns', value });
  const refused = async (work: Promise<unknown>, type: ProblemType, detail: RegExp) =>
    await assert.rejects(work, (error) => {
      assert.ok(error instanceof AcmeError, String(error));
      assert.equal(error.type, type);
      assert.match(error.detail, detail);
      return true;
    });

  it('is one of the same account, with a name in common; unknown and foreign ones look alike', async () => {
    const [account, stranger] = [await storeAccount(store), await storeAccount(store)];
    const { certId } = await storeCertificate(account, ['DNS:r.example', 'DNS:s.example']);
    const good = await checkReplaces(gate, account, [dns('r.example'), dns('new.example')], certId);
    assert.deepEqual(good, { certId, isDue: false, expired: [] });
    const unknown = /no certificate of this account/;
    await refused(checkReplaces(gate, stranger, [dns('r.example')], certId), 'malformed', unknown);
    await refused(checkReplaces(gate, account, [dns('r.example')], `${certId.split('.')[0]}.AQ`), 'malformed', unknown);
    await refused(checkReplaces(gate, account, [dns('r.example')], `${certId}=`), 'malformed', /not the identifier/);
    await refused(checkReplaces(gate, account, [dns('t.example')], certId), 'malformed', /no name in common/);
  });

  it('is replaced by one order that is not invalid: 409 alreadyReplaced', async () => {
    const account = await storeAccount(store);
    const { certId } = await storeCertificate(account, ['DNS:once.example']);
    const names = [dns('once.example')];
    const first = await storeOrder(store, account, ['once.example'], { replaces: certId, status: 'pending' });
    await refused(checkReplaces(gate, account, names, certId), 'alreadyReplaced', /another order/);
    await store.commit([invalidateOrder(first, '{}')]);
    assert.deepEqual((await checkReplaces(gate, account, names, certId)).expired, []);

    const expired = await storeOrder(store, account, ['once.example'], { replaces: certId, expiresAt: new Date(0) });
    assert.deepEqual((await checkReplaces(gate, account, names, certId)).expired, [expired]);
    await store.commit([markReplaced(certId, account.id, 'another')]);
    await refused(checkReplaces(gate, account, names, certId), 'alreadyReplaced', /another order/);
  });

  it('is due from the beginning of its window on', async () => {
    const account = await storeAccount(store);
    const { certId, notBefore } = await storeCertificate(account, ['DNS:due.example']);
    const now = clock.now();
    clock.set(new Date(notBefore.getTime() + 60 * dayMs));
    assert.equal((await checkReplaces(gate, account, [dns('due.example')], certId)).isDue, true);
    clock.set(now);
  });
});
