// RFC 5280 §5: the CRLs that a core publishes, over the wire, as time goes by; openssl is the judge.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import type { ListCrlsResponse } from '@gatehouse/proto/administration';
import type { CrlFacts } from '@gatehouse/proto/certificate-status';
import { durationFromMs } from '@gatehouse/proto/duration';
import { RevocationReason } from '@gatehouse/proto/types';
import { createManualClock } from '@gatehouse/runtime/clock';
import { authoritiesOf } from '../support/credentials.ts';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enrollRequest,
  issue,
  refused,
} from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';
import {
  changeStatus,
  connectStatusGate,
  entriesOf,
  fetchCrl,
  fetchCrlWhen,
  followStatus,
  withFiles,
} from '../support/status.ts';

const clock = createManualClock(new Date());
const minute = 60_000;
// Short, so that the test ends before its credentials do.
const rhythms = ['full', 'shard', 'ca'].flatMap((kind) => [`${kind}.period=60m`, `${kind}.overlap=120m`]);
const settings = [...rhythms, 'delta.period=10m', 'delta.overlap=10m'].map((one) => `core.status.issuing.crl.${one}`);
const core = await startTestCore(['core.status.baseUrl=http://status.example.com', ...settings], { clock });
after(() => core.stop());
const gate = await connectStatusGate(core);
const follower = followStatus(gate.status);
const { issuing, root } = authoritiesOf(core.directory);
const names = ['issuing', 'issuing-ca', 'issuing-1'];
await follower.until(({ crls }) => names.every((name) => crls.has(name) && crls.has(`${name}-delta`)));

async function obtain(validityMs?: number) {
  const validity = validityMs === undefined ? undefined : durationFromMs(validityMs);
  return await issue(
    gate.authority,
    enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] }), { validity }),
  );
}

function numberOf(name: string): number {
  return follower.crls.get(name)?.crlNumber ?? assert.fail(`there is no CRL ${name}`);
}

/** Runs, and answers when the CRLs of these names are newer than before, and show it. */
async function publish(run: () => Promise<unknown>, ...crls: readonly string[]): Promise<void> {
  const before = crls.map(numberOf);
  await run();
  await follower.until(() => crls.every((name, index) => numberOf(name) > (before[index] ?? 0)));
}

function generate(scope: string, isDelta = false): Promise<CrlFacts> {
  return unary((callback) => core.operator.administration.generateCrl({ scope, isDelta }, callback));
}

const both = ['issuing-1', 'issuing-1-delta', 'issuing', 'issuing-delta'];
const hold = RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD;
const release = RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL;

/** The CRL as soon as it says this of a certificate. */
function fetchWhen(scope: string, isDelta: boolean, serialNumber: string, reason: number | undefined) {
  return fetchCrlWhen(gate.status, follower, { scope, isDelta }, (entries) => entries[serialNumber] === reason);
}

describe('a revocation', () => {
  it('is on the shard that the certificate names, on the complete CRL, and on their deltas', async () => {
    const { serialNumber } = await obtain();
    await changeStatus(gate.authority, serialNumber);
    for (const scope of ['issuing-1', 'issuing']) {
      for (const isDelta of [false, true]) await fetchWhen(scope, isDelta, serialNumber, 4);
    }
    assert.deepEqual(entriesOf((await fetchCrl(gate.status, 'issuing-ca')).crl), {});
  });

  it('that is a hold is released on the full CRL, and said to be in the delta (removeFromCRL)', async () => {
    const { serialNumber } = await obtain();
    await changeStatus(gate.authority, serialNumber, hold);
    for (const isDelta of [false, true]) await fetchWhen('issuing-1', isDelta, serialNumber, hold);
    await changeStatus(gate.authority, serialNumber, release);
    await fetchWhen('issuing-1', false, serialNumber, undefined);
    await fetchWhen('issuing-1', true, serialNumber, release);
  });
});

describe('RFC 5280 §5.2: what CRLs say of themselves', () => {
  it('§5.2.4: a delta has scope, issuer and key identifier of its base, and a higher number', async () => {
    for (const scope of names) {
      const [full, delta] = [await fetchCrl(gate.status, scope), await fetchCrl(gate.status, scope, true)];
      assert.deepEqual(delta.crl.issuingDistributionPoint, full.crl.issuingDistributionPoint);
      assert.deepEqual(delta.crl.authorityKeyIdentifier, full.crl.authorityKeyIdentifier);
      assert.deepEqual(delta.crl.issuerDer, full.crl.issuerDer);
      assert.ok(delta.facts.baseCrlNumber <= full.facts.crlNumber);
      assert.ok(delta.facts.baseCrlNumber < delta.facts.crlNumber);
      assert.deepEqual(full.crl.freshestCrl, [`http://status.example.com/crl/${scope}-delta.crl`]);
      assert.deepEqual(delta.crl.freshestCrl, []);
    }
  });

  it('§5.2.5: shards and the CRL of CAs name their place and what they contain', async () => {
    const point = async (scope: string) => (await fetchCrl(gate.status, scope)).crl.issuingDistributionPoint;
    const [shard, ca] = [await point('issuing-1'), await point('issuing-ca')];
    assert.deepEqual(
      [shard?.fullName, shard?.onlyContains],
      [['http://status.example.com/crl/issuing-1.crl'], 'user-certificates'],
    );
    assert.deepEqual(
      [ca?.fullName, ca?.onlyContains],
      [['http://status.example.com/crl/issuing-ca.crl'], 'ca-certificates'],
    );
    assert.equal(await point('issuing'), undefined);
  });

  it('§5.2.3: each number is taken once in a scope, and they rise', async () => {
    const events = await auditEvents(core, { action: 'crl-generated', limit: 1000 });
    const taken = new Map<string, number[]>();
    for (const { body } of events.toReversed()) {
      const { crl, number } = JSON.parse(body);
      const scope = crl.replace(/-delta$/, '');
      taken.set(scope, [...(taken.get(scope) ?? []), number]);
    }
    assert.deepEqual([...taken.keys()].sort(), [...names, 'root'].sort());
    for (const numbers of taken.values()) assert.equal(new Set(numbers).size, numbers.length);
  });
});

describe('openssl', () => {
  const pem = (der: Uint8Array) => encodePem('CERTIFICATE', der);
  const openssl = (...parameters: readonly string[]): string =>
    execFileSync('openssl', [...parameters], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

  it('verifies the signature of every CRL', async () => {
    const { crls } = await unary<ListCrlsResponse>((callback) => core.operator.administration.listCrls({}, callback));
    assert.equal(crls.length, 7);
    for (const { scope, isDelta, authority } of crls) {
      const { der } = await fetchCrl(gate.status, scope, isDelta);
      const issuer = authority === 'root' ? root.der : issuing.certificate.der;
      withFiles({ 'a.crl': der, 'issuer.pem': pem(issuer) }, (path) =>
        openssl('crl', '-inform', 'DER', '-in', path('a.crl'), '-CAfile', path('issuer.pem'), '-noout'),
      );
    }
  });

  it('finds in the shard and its delta what was revoked, and nothing else', async () => {
    const [good, revoked] = [await obtain(), await obtain()];
    const full = await fetchCrl(gate.status, 'issuing-1');
    await changeStatus(gate.authority, revoked.serialNumber);
    const delta = await fetchWhen('issuing-1', true, revoked.serialNumber, 4);
    const files = {
      'root.pem': pem(root.der),
      'issuing.pem': pem(issuing.certificate.der),
      'good.pem': pem(good.certificate),
      'revoked.pem': pem(revoked.certificate),
      'crls.pem': encodePem('X509 CRL', full.der) + encodePem('X509 CRL', delta.der),
    };
    withFiles(files, (path) => {
      const verify = (certificate: string, ...more: readonly string[]) =>
        openssl(
          ...['verify', '-crl_check', '-extended_crl', '-CAfile', path('root.pem'), '-untrusted', path('issuing.pem')],
          ...['-CRLfile', path('crls.pem'), ...more, path(certificate)],
        );
      assert.match(verify('good.pem', '-use_deltas'), /OK/);
      assert.match(verify('revoked.pem'), /OK/);
      assert.throws(() => verify('revoked.pem', '-use_deltas'), /certificate revoked/);
    });
  });
});

describe('an operator', () => {
  it('sees all CRLs, a full one before its delta', async () => {
    const { crls } = await unary<ListCrlsResponse>((callback) => core.operator.administration.listCrls({}, callback));
    assert.deepEqual(
      crls.map(({ scope, isDelta }) => (isDelta ? `${scope}-delta` : scope)),
      ['issuing', 'issuing-delta', 'issuing-1', 'issuing-1-delta', 'issuing-ca', 'issuing-ca-delta', 'root'],
    );
  });

  it('has one made at once, which the audit log tells', async () => {
    const before = numberOf('issuing-ca');
    const facts = await generate('issuing-ca');
    assert.ok(facts.crlNumber > before);
    const [event] = await auditEvents(core, { action: 'crl-generated', limit: 1 });
    assert.match(event?.actor ?? '', /operator\/admin$/);
    assert.equal(JSON.parse(event?.body ?? '{}').number, facts.crlNumber);
  });

  it('is told what cannot be made', async () => {
    await refused(generate('issuing-77'), 'not-found');
    await refused(generate('issuing-1-delta'), 'not-found');
    await refused(generate('root'), 'conflict', /root/);
  });
});

describe('as time goes by', () => {
  it('a CRL is replaced after its period, and a delta after its own', async () => {
    await publish(async () => clock.advance(10 * minute), 'issuing-1-delta');
    await publish(async () => clock.advance(60 * minute), 'issuing', 'issuing-1', 'issuing-ca');
    const { thisUpdate, nextUpdate } = await generate('issuing-1');
    assert.equal((nextUpdate?.getTime() ?? 0) - (thisUpdate?.getTime() ?? 0), 180 * minute);
  });

  it('a delta starts from the oldest CRL that relying parties may still hold', async () => {
    const { baseCrlNumber: before } = await generate('issuing-1', true);
    const oldest = await generate('issuing-1');
    await publish(async () => clock.advance(120 * minute), 'issuing-1');
    assert.ok((await generate('issuing-1', true)).baseCrlNumber <= oldest.crlNumber);
    await publish(async () => clock.advance(61 * minute), 'issuing-1');
    const { baseCrlNumber } = await generate('issuing-1', true);
    assert.ok(baseCrlNumber > oldest.crlNumber && baseCrlNumber > before);
  });

  it('§3.3: an expired certificate leaves after one more CRL', async () => {
    const { serialNumber } = await obtain(40 * minute);
    await changeStatus(gate.authority, serialNumber);
    for (const scope of ['issuing-1', 'issuing']) await fetchWhen(scope, false, serialNumber, 4);
    clock.advance(41 * minute);
    for (const scope of ['issuing-1', 'issuing']) {
      await generate(scope);
      assert.equal(entriesOf((await fetchCrl(gate.status, scope)).crl)[serialNumber], 4);
      await generate(scope);
      assert.equal(entriesOf((await fetchCrl(gate.status, scope)).crl)[serialNumber], undefined);
    }
  });

  it('a clock that is set back a little does not set thisUpdate back, and numbers rise', async () => {
    const before = await generate('issuing-1');
    clock.advance(-minute);
    const after = await generate('issuing-1');
    assert.deepEqual(after.thisUpdate, before.thisUpdate);
    assert.ok(after.crlNumber > before.crlNumber);
  });

  it('a clock that was far ahead leaves no CRL that has not begun', async () => {
    await publish(async () => clock.advance(240 * minute), ...both);
    const future = numberOf('issuing-1');
    await publish(async () => clock.advance(-240 * minute), ...both);
    const { facts } = await fetchCrl(gate.status, 'issuing-1');
    assert.ok(facts.crlNumber > future);
    assert.ok((facts.thisUpdate?.getTime() ?? 0) <= clock.now().getTime());
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
