// What may change between an order and its finalization, over the wire: external accounts, accounts that are given up, and
// incidents that an operator sets beside the running gate.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '@gatehouse/runtime/clock';
import { openStateStore, type StateStore } from '@gatehouse/runtime/database/state-store';
import { newUnguessableId } from '@gatehouse/runtime/identifiers';
import { createLog } from '@gatehouse/runtime/log';
import { certificateIdOf } from '../src/certificate-id.ts';
import { insertExternalAccountKey, revokeExternalAccountKey } from '../src/state/external-account-keys.ts';
import { endIncident, insertIncident } from '../src/state/incidents.ts';
import { migrations } from '../src/state/open.ts';
import { AcmeClient, macJws, newSigner, type Signer } from './support/client.ts';
import { startCore, type TestCore } from './support/core.ts';
import { startGate, type TestGate } from './support/gate.ts';
import { createSteps, csrOf, refused } from './support/orders.ts';
import { createDouble } from './support/perspectives.ts';
import { pollUntil } from './support/poll.ts';
import { type Relay, startRelay } from './support/relay.ts';

const file = 'state-finalize-policy/acme.db';
const secret = randomBytes(32);

let core: TestCore;
let wire: Relay;
let gate: TestGate;
let client: AcmeClient;
let store: StateStore;
let steps: ReturnType<typeof createSteps>;

before(async () => {
  core = await startCore();
  wire = await startRelay(core.address);
  const primary = createDouble('acme', { site: '', holder: 'spiffe://gatehouse.internal/ra/acme' });
  gate = await startGate({
    core: { ...core, address: wire.address },
    acme: { database: { file }, strict: true },
    seams: { createPrimary: () => ({ ...primary.perspective.client, problems: () => [] }) },
  });
  client = new AcmeClient(gate);
  steps = createSteps(client);
  const log = createLog({ name: 'test', level: 'silent' });
  store = await openStateStore({ database: { file: join(core.directory, file) }, migrations, log, clock: systemClock });
});
after(async () => {
  await store?.close();
  client?.close();
  await gate?.stop();
  await wire?.cut();
  await core?.stop();
});

/** An account of an external one that may order names below a suffix. */
async function boundAccount(keyId: string, suffix: string): Promise<Signer> {
  const names = { exact: [], suffixes: [suffix], wildcards: false, ipRanges: [] };
  const policy = JSON.stringify({ names });
  const facts = { description: '', isSingleUse: false, maximumAccounts: undefined, expiresAt: undefined };
  await store.commit([insertExternalAccountKey({ keyId, secret, policy, createdAt: new Date(), ...facts })]);
  const signer = newSigner();
  const url = String((await client.directory()).newAccount);
  const header = { alg: 'HS256', kid: keyId, url };
  const binding = macJws(header, JSON.stringify(signer.public.jwk), secret);
  return await client.account({ termsOfServiceAgreed: true, externalAccountBinding: binding }, signer);
}

describe('acme.md §2: the policy of an external account at finalize', () => {
  it('is that of this moment: a name that it does not allow any more is rejectedIdentifier, the order stays ready', async () => {
    const account = await boundAccount('narrowed', 'team.example.com');
    const name = 'a.team.example.com';
    const { json, url } = await steps.ready(account, [name]);
    const narrow = JSON.stringify({ names: { exact: ['b.team.example.com'] } });
    const sql = 'update "external_account_keys" set "policy" = ? where "key_id" = ?';
    await store.commit([{ sql, parameters: [narrow, 'narrowed'] }]);
    const answer = refused(
      await client.post(json.finalize, { csr: csrOf([name]) }, account),
      400,
      'rejectedIdentifier',
    );
    assert.match(JSON.stringify(answer.subproblems ?? answer), /a\.team\.example\.com/);
    assert.equal((await client.post(url, undefined, account)).json().status, 'ready');
  });

  it('and a key that was revoked allows nothing', async () => {
    const account = await boundAccount('revoked', 'team.example.com');
    const name = 'c.team.example.com';
    const { json } = await steps.ready(account, [name]);
    await store.commit([revokeExternalAccountKey('revoked', new Date(), () => new Error('there is none'))]);
    refused(await client.post(json.finalize, { csr: csrOf([name]) }, account), 403, 'unauthorized', /revoked/);
  });
});

describe('RFC 8555 §7.3.6: an account that is deactivated while its order is processing', () => {
  it('gets nothing any more', async () => {
    const account = await client.account();
    const name = 'late.example.com';
    const { json } = await steps.ready(account, [name]);
    await wire.cut();
    await client.post(json.finalize, { csr: csrOf([name]) }, account);
    await pollUntil(async () => (gate.log().includes('an order could not be issued yet') ? true : undefined));
    assert.equal((await client.post(String(account.kid), { status: 'deactivated' }, account)).status, 200);
    await wire.mend();
    const status = await pollUntil(async () => {
      const [row] = gate.query('select status from orders where identifiers like ?', '%late.example.com%');
      return row?.status === 'processing' ? undefined : row?.status;
    });
    assert.equal(status, 'invalid');
    assert.equal((await Array.fromAsync(core.operator.findCertificates({ name }))).length, 0);
  });
});

describe('acme.md §6: strict', () => {
  it('refuses padding in csr and certificate', async () => {
    const account = await client.account();
    const { json } = await steps.ready(account, ['strict.example.com']);
    refused(await client.post(json.finalize, { csr: `${csrOf(['strict.example.com'])}=` }, account), 400, 'malformed');
    const { text } = await steps.obtain(account, ['strict2.example.com']);
    const revokeCert = String((await client.directory()).revokeCert);
    refused(await client.post(revokeCert, { certificate: `${text}=` }, account), 400, 'malformed', /padding/);
  });
});

describe('RFC 9773 §4.2: an incident that an operator sets', () => {
  it('is told to clients with the next request, and not any more after its end', async () => {
    const account = await client.account();
    const { certificate } = await steps.obtain(account, ['incident.example.com']);
    const url = `${(await client.directory()).renewalInfo}/${certificateIdOf(certificate)}`;
    const usual = (await client.send(url)).body;
    const now = Date.now();
    const id = newUnguessableId();
    await store.commit([
      insertIncident({
        id,
        selector: { issuedFrom: now - 86_400_000, issuedBefore: now + 1_000 },
        explanationUrl: 'https://ca.example/why',
        windowStart: new Date(now - 7_200_000),
        windowEnd: new Date(now - 3_600_000),
        createdAt: new Date(now),
      }),
    ]);
    const told = (await client.send(url)).json();
    assert.equal(told.explanationURL, 'https://ca.example/why');
    assert.ok(Date.parse(Object(told.suggestedWindow).end) < now);
    await endIncident(store, id, new Date());
    assert.equal((await client.send(url)).body, usual);
  });
});
