// Finalization, download, revocation and renewal over the wire, in front of a real keep; the perspective inside of the gate
// finds whatever it is asked for.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { areNamesEqual } from '@gatehouse/pkix/names';
import { encodePem } from '@gatehouse/pkix/pem';
import { CertificateState } from '@gatehouse/ra-client/client';
import { certificateIdOf } from '../src/certificate-id.ts';
import { AcmeClient, newSigner, type Signer } from './support/client.ts';
import { startCore, type TestCore } from './support/core.ts';
import { startGate, type TestGate } from './support/gate.ts';
import { createIssuer, newKey } from './support/issuer.ts';
import { chainOf, createSteps, csrOf, refused } from './support/orders.ts';
import { createDouble } from './support/perspectives.ts';
import { pollUntil } from './support/poll.ts';
import { type Relay, startRelay } from './support/relay.ts';

let core: TestCore;
let wire: Relay;
let gate: TestGate;
let client: AcmeClient;
let account: Signer;
let steps: ReturnType<typeof createSteps>;
let names = 0;

const newName = () => `n${++names}.example.com`;

before(async () => {
  core = await startCore();
  const primary = createDouble('acme', { site: '', holder: 'spiffe://gatehouse.internal/ra/acme' });
  const { issuingCertificates } = await core.operator.getTrustBundle();
  const [issuing] = issuingCertificates;
  assert.ok(issuing !== undefined);
  // Another CA cannot sign for the same key here; the file holds the very certificate, which is what counts.
  writeFileSync(join(core.directory, 'alternate.pem'), encodePem('CERTIFICATE', issuing));
  wire = await startRelay(core.address);
  gate = await startGate({
    core: { ...core, address: wire.address },
    acme: {
      profiles: {
        plain: { profile: 'tls-server', description: 'Servers', allowsInternalNames: true, authorizationReuse: '10d' },
        closed: { profile: 'tls-server', description: 'For somebody else', accounts: ['somebody'] },
      },
      alternateChains: ['alternate.pem'],
    },
    seams: { createPrimary: () => ({ ...primary.perspective.client, problems: () => [] }) },
  });
  client = new AcmeClient({ directory: gate.directory, trustAnchor: gate.trustAnchor });
  steps = createSteps(client);
});
after(async () => {
  client?.close();
  await gate?.stop();
  await wire?.cut();
  await core?.stop();
});
beforeEach(async () => {
  account = await client.account();
});

const issuedFor = (name: string) =>
  Array.fromAsync(core.operator.findCertificates({ name })).then((records) => records.length);
const stateOf = async (serialNumber: string) => (await core.operator.getCertificate({ serialNumber })).state;

describe('RFC 8555 §7.4: finalize', () => {
  it('makes the order processing at once and valid with a certificate for exactly its names', async () => {
    const wanted = [newName(), `*.${newName()}`, '192.0.2.7'];
    const { json, url } = await steps.ready(account, wanted);
    const answer = await client.post(json.finalize, { csr: csrOf(wanted) }, account);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.location, url);
    assert.ok(['processing', 'valid'].includes(String(answer.json().status)));
    if (answer.json().status === 'processing') assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
    const order = await steps.finished(account, url);
    assert.equal(order.status, 'valid');
    const [leaf] = chainOf(await client.post(String(order.certificate), undefined, account));
    assert.ok(leaf !== undefined);
    assert.deepEqual(new Set(subjectAlternativeNames(leaf).map(({ value }) => value)), new Set(wanted));
  });

  it('takes a common name that is not among the alternative names of the CSR', async () => {
    const [one, two] = [newName(), newName()];
    const { json, url } = await steps.ready(account, [one, two]);
    await client.post(json.finalize, { csr: csrOf([two], newKey(), `CN=${one}`) }, account);
    assert.equal((await steps.finished(account, url)).status, 'valid');
  });

  it('refuses a CSR that is not the right one with badCSR, and the order stays ready', async () => {
    const name = newName();
    const { json, url } = await steps.ready(account, [name]);
    const good = csrOf([name]);
    const bad: readonly (readonly [unknown, string, RegExp])[] = [
      [csrOf([name, newName()]), 'badCSR', /not in the order/],
      [csrOf([newName()]), 'badCSR', /is not in the CSR/],
      [csrOf([name], account.key), 'badCSR', /key of the account/],
      [`${good.slice(0, -6)}AAAAAA`, 'badCSR', /./],
      [
        Buffer.concat([Buffer.from(good, 'base64url'), Buffer.of(0)]).toString('base64url'),
        'badCSR',
        /1 octets behind/,
      ],
      [encodePem('CERTIFICATE REQUEST', Buffer.from(good, 'base64url')), 'badCSR', /PEM/],
      [Buffer.from('hello').toString('base64url'), 'badCSR', /./],
      [`${good} `, 'malformed', /base64url/],
      [undefined, 'malformed', /csr/],
      [17, 'malformed', /csr/],
    ];
    for (const [csr, type, detail] of bad) {
      refused(await client.post(json.finalize, { csr }, account), 400, type, detail);
      const { status } = (await client.post(url, undefined, account)).json();
      assert.equal(status, 'ready');
    }
    await client.post(
      json.finalize,
      { csr: `${good}==`.slice(0, good.length + ((4 - (good.length % 4)) % 4)) },
      account,
    );
    assert.equal((await steps.finished(account, url)).status, 'valid');
  });

  it('of an order that is pending is orderNotReady; of a foreign or unknown one 404', async () => {
    const name = newName();
    const pending = await steps.order(account, [name]);
    const csr = csrOf([name]);
    refused(await client.post(pending.json.finalize, { csr }, account), 403, 'orderNotReady', /pending/);
    const stranger = await client.account();
    refused(await client.post(pending.json.finalize, { csr }, stranger), 404, 'malformed');
    const unknown = pending.json.finalize.replace(/order\/[^/]+/, `order/${'A'.repeat(24)}`);
    refused(await client.post(unknown, { csr }, account), 404, 'malformed');
  });

  it('once more with the same CSR shows the order as it stands; with another one it is orderNotReady', async () => {
    const name = newName();
    const { json, url } = await steps.ready(account, [name]);
    const csr = csrOf([name]);
    await client.post(json.finalize, { csr }, account);
    assert.equal((await client.post(json.finalize, { csr }, account)).status, 200);
    refused(await client.post(json.finalize, { csr: csrOf([name]) }, account), 403, 'orderNotReady', /another CSR/);
    await steps.finished(account, url);
    assert.equal((await client.post(json.finalize, { csr }, account)).json().status, 'valid');
    refused(await client.post(json.finalize, { csr: csrOf([name]) }, account), 403, 'orderNotReady');
    assert.equal(await issuedFor(name), 1);
  });

  it('raced by many requests and many CSRs issues one certificate', async () => {
    const name = newName();
    const { json, url } = await steps.ready(account, [name]);
    const [one, other] = [csrOf([name]), csrOf([name])];
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) => client.post(json.finalize, { csr: i % 2 === 0 ? one : other }, account)),
    );
    const good = answers.filter(({ status }) => status === 200);
    assert.equal(good.length, 8);
    for (const answer of answers) if (answer.status !== 200) refused(answer, 403, 'orderNotReady');
    await steps.finished(account, url);
    assert.equal(await issuedFor(name), 1);
  });

  it('grants notBefore and notAfter exactly', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const period = {
      notBefore: `${new Date(now - 600_000).toISOString().slice(0, 19)}Z`,
      notAfter: `${new Date(now + 7 * 86_400_000).toISOString().slice(0, 19)}Z`,
    };
    const { certificate } = await steps.obtain(account, [newName()], period);
    assert.equal(certificate.notBefore.getTime(), Date.parse(period.notBefore));
    assert.equal(certificate.notAfter.getTime(), Date.parse(period.notAfter));
    const newOrder = String((await client.directory()).newOrder);
    const identifiers = [{ type: 'dns', value: newName() }];
    for (const bad of [{ notAfter: '2099-01-01T00:00:00Z' }, { notBefore: '2000-01-01T00:00:00Z' }]) {
      refused(await client.post(newOrder, { identifiers, ...bad }, account), 400, 'malformed', /at the latest|between/);
    }
  });

  it('of a key that the keep has blocked makes the order invalid, with a problem to act on', async () => {
    const lost = await steps.obtain(account, [newName()]);
    await client.post(String((await client.directory()).revokeCert), { certificate: lost.text, reason: 1 }, account);
    const name = newName();
    const { json, url } = await steps.ready(account, [name]);
    await client.post(json.finalize, { csr: csrOf([name], lost.key) }, account);
    const order = await steps.finished(account, url);
    assert.equal(order.status, 'invalid');
    assert.match(JSON.stringify(order.error), /badCSR/);
  });
});

describe('draft-ietf-acme-profiles: profiles', () => {
  it('are in the directory, and an order shows its own, the default included', async () => {
    assert.deepEqual((await client.directory()).meta.profiles, { plain: 'Servers', closed: 'For somebody else' });
    assert.equal((await steps.order(account, [newName()])).json.profile, 'plain');
    assert.equal((await steps.order(account, [newName()], { profile: 'plain' })).json.profile, 'plain');
  });

  it('that are unknown or not for this account are invalidProfile', async () => {
    const newOrder = String((await client.directory()).newOrder);
    const identifiers = [{ type: 'dns', value: newName() }];
    for (const profile of ['none', 'closed']) {
      refused(await client.post(newOrder, { identifiers, profile }, account), 400, 'invalidProfile', /plain/);
    }
  });
});

describe('RFC 8555 §7.4.2: the certificate', () => {
  it('comes leaf first without the root, verified by its chain, and only to its owner', async () => {
    const { chain, url } = await steps.obtain(account, [newName()]);
    assert.equal(chain.length, 2);
    for (const { subject, issuer } of chain) assert.ok(!areNamesEqual(subject, issuer));
    assert.ok(areNamesEqual(chain[0]?.issuer ?? [], chain[1]?.subject ?? []));
    refused(await client.post(url, undefined, await client.account()), 404, 'malformed');
    refused(await client.post(url.replace(/[^/]+$/, 'A'.repeat(24)), undefined, account), 404, 'malformed');
    refused(await client.send(url), 405, 'malformed');
  });

  it('has alternates by Link, each with a URL of its own', async () => {
    const { url } = await steps.obtain(account, [newName()]);
    const alternates = async (of: string) => {
      const answer = await client.post(of, undefined, account);
      assert.equal(answer.status, 200);
      return answer.lines.flatMap(([name, value]) =>
        name === 'link' ? (/^<([^>]+)>;\s*rel="alternate"$/.exec(value)?.[1] ?? []) : [],
      );
    };
    assert.deepEqual(await alternates(url), [`${url}/1`]);
    assert.deepEqual(await alternates(`${url}/1`), [url]);
    for (const wrong of ['0', '2', '01', '-1', 'x']) {
      refused(await client.post(`${url}/${wrong}`, undefined, account), 404, 'malformed');
    }
  });
});

describe('RFC 8555 §7.6: revocation', () => {
  const revoke = async (payload: object, signer: Signer) =>
    await client.post(String((await client.directory()).revokeCert), payload, signer);

  it('by the account that got the certificate; a second time it is alreadyRevoked', async () => {
    const { text, certificate } = await steps.obtain(account, [newName()]);
    const answer = await revoke({ certificate: text, reason: 4 }, account);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.body, '');
    assert.equal(await stateOf(certificate.serialNumber), CertificateState.CERTIFICATE_STATE_REVOKED);
    refused(await revoke({ certificate: text }, account), 400, 'alreadyRevoked');
  });

  it('by the key of the certificate; reason 1 then blocks the key', async () => {
    const { text, key, certificate } = await steps.obtain(account, [newName()]);
    refused(await revoke({ certificate: text }, newSigner()), 403, 'unauthorized', /key of the certificate/);
    const answer = await revoke({ certificate: text, reason: 1 }, { key, public: jwkOfKey(key) });
    assert.equal(answer.status, 200, answer.body);
    const record = await core.operator.getCertificate({ serialNumber: certificate.serialNumber });
    assert.equal(record.revocation?.reason, 1);
  });

  it('by an account that holds valid authorizations for all of its names, and for no fewer', async () => {
    const [one, two] = [newName(), newName()];
    const { text } = await steps.obtain(account, [one, `*.${two}`]);
    const other = await client.account();
    refused(await revoke({ certificate: text }, other), 403, 'unauthorized');
    await steps.ready(other, [one, two]);
    refused(await revoke({ certificate: text }, other), 403, 'unauthorized');
    await steps.ready(other, [`*.${two}`]);
    assert.equal((await revoke({ certificate: text }, other)).status, 200);
  });

  it('for every reason of RFC 5280 but 7; a hold can be released', async () => {
    for (const reason of [0, 2, 3, 4, 5, 9, 10]) {
      const { text, certificate } = await steps.obtain(account, [newName()]);
      assert.equal((await revoke({ certificate: text, reason }, account)).status, 200);
      const record = await core.operator.getCertificate({ serialNumber: certificate.serialNumber });
      assert.equal(record.revocation?.reason, reason);
    }
    const { text, certificate } = await steps.obtain(account, [newName()]);
    refused(await revoke({ certificate: text, reason: 8 }, account), 400, 'badRevocationReason', /hold/);
    assert.equal((await revoke({ certificate: text, reason: 6 }, account)).status, 200);
    assert.equal(await stateOf(certificate.serialNumber), CertificateState.CERTIFICATE_STATE_HELD);
    assert.equal((await revoke({ certificate: text, reason: 8 }, account)).status, 200);
    assert.equal(await stateOf(certificate.serialNumber), CertificateState.CERTIFICATE_STATE_VALID);
    for (const reason of [7, 11, -1, 1.5, '1', null, {}]) {
      refused(await revoke({ certificate: text, reason }, account), 400, 'badRevocationReason');
    }
  });

  it('of what this CA did not issue is 404, of what is no certificate malformed', async () => {
    const foreign = Buffer.from(createIssuer().issue({ names: ['DNS:x.example'] })).toString('base64url');
    refused(await revoke({ certificate: foreign }, account), 404, 'malformed');
    const { text } = await steps.obtain(account, [newName()]);
    const pem = encodePem('CERTIFICATE', Buffer.from(text, 'base64url'));
    for (const certificate of [undefined, 7, 'AA', pem, `${text}AAAA`, `${text.slice(0, -3)}+/`]) {
      refused(await revoke({ certificate }, account), 400, 'malformed');
    }
  });
});

describe('RFC 9773: renewal information', () => {
  const infoOf = async (certId: string) => await client.send(`${(await client.directory()).renewalInfo}/${certId}`);

  it('is open to anybody, with a window and Retry-After of 6 h ± 20 %', async () => {
    const { certificate } = await steps.obtain(account, [newName()]);
    const answer = await infoOf(certificateIdOf(certificate) ?? '');
    assert.equal(answer.status, 200, answer.body);
    const { suggestedWindow } = JSON.parse(answer.body);
    const life = certificate.notAfter.getTime() + 1000 - certificate.notBefore.getTime();
    const share = (text: string) => (Date.parse(text) - certificate.notBefore.getTime()) / life;
    assert.ok(Math.abs(share(suggestedWindow.start) - (2 / 3 - 0.01)) < 1e-3);
    assert.ok(Math.abs(share(suggestedWindow.end) - (2 / 3 + 0.01)) < 1e-3);
    const seconds = Number(answer.headers['retry-after']);
    assert.ok(seconds >= 17_280 && seconds <= 25_920, String(seconds));
    refused(await infoOf('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'), 404, 'malformed');
    for (const wrong of ['nodot', 'a.b.c', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ=.AIdlQyE=', `${'A'.repeat(300)}.AQ`]) {
      refused(await infoOf(wrong), 400, 'malformed');
    }
  });

  it('tells of a revocation by an operator', async () => {
    const { certificate } = await steps.obtain(account, [newName()]);
    await core.operator.revoke({ serialNumber: certificate.serialNumber, reason: 4 });
    const answer = await infoOf(certificateIdOf(certificate) ?? '');
    assert.ok(Date.parse(JSON.parse(answer.body).suggestedWindow.end) < Date.now());
  });

  it('lets a new order say what it replaces, once', async () => {
    const name = newName();
    const { certificate } = await steps.obtain(account, [name]);
    const replaces = certificateIdOf(certificate) ?? '';
    const newOrder = String((await client.directory()).newOrder);
    const wish = { identifiers: [{ type: 'dns', value: name }], replaces };
    const stranger = await client.account();
    refused(await client.post(newOrder, wish, stranger), 400, 'malformed');
    const answers = await Promise.all(Array.from({ length: 4 }, () => client.post(newOrder, wish, account)));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    for (const answer of answers) {
      if (answer.status === 201) assert.equal(answer.json().replaces, replaces);
      else refused(answer, 409, 'alreadyReplaced');
    }
  });

  it('remembers which certificate came in the place of another', async () => {
    const name = newName();
    const first = await steps.obtain(account, [name]);
    const replaces = certificateIdOf(first.certificate) ?? '';
    const second = await steps.obtain(account, [name], { replaces });
    const [row] = gate.query('select replaced_by from certificates where cert_id = ?', replaces);
    assert.equal(row?.replaced_by, second.url.split('/').at(-1));
    const wish = { identifiers: [{ type: 'dns', value: name }], replaces };
    refused(await client.post(String((await client.directory()).newOrder), wish, account), 409, 'alreadyReplaced');
  });
});

describe('acme.md §2: a keep that is away', () => {
  it('leaves orders processing without an error, and they become valid when it is back', async () => {
    const name = newName();
    const { json, url } = await steps.ready(account, [name]);
    await wire.cut();
    const answer = await client.post(json.finalize, { csr: csrOf([name]) }, account);
    assert.equal(answer.json().status, 'processing', answer.body);
    await pollUntil(async () => (gate.log().includes('an order could not be issued yet') ? true : undefined));
    const waiting = (await client.post(url, undefined, account)).json();
    assert.deepEqual([waiting.status, waiting.error], ['processing', undefined]);
    const { text } = obtained;
    const revokeCert = String((await client.directory()).revokeCert);
    const away = await client.post(revokeCert, { certificate: text }, account);
    refused(away, 503, 'serverInternal');
    assert.match(String(away.headers['retry-after']), /^\d+$/);
    await wire.mend();
    const order = await steps.finished(account, url);
    assert.equal(order.status, 'valid', JSON.stringify(order));
    assert.equal(await issuedFor(name), 1);
  });

  let obtained: Awaited<ReturnType<typeof steps.obtain>>;
  beforeEach(async () => {
    obtained = await steps.obtain(account, [newName()]);
  });
});
