// Settings that change while certificates live: what they say cannot be taken back, so their CRLs go on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import type { Issued } from '@gatehouse/proto/certificate-authority';
import { authoritiesOf } from '../support/credentials.ts';
import { certificationRequest, enrollRequest, issue } from '../support/enrollment.ts';
import { startTestCore } from '../support/running-core.ts';
import { changeStatus, entriesOf, fetchCrl, fetchCrlWhen, followStatus, withFiles } from '../support/status.ts';

const shards = (count: number): string => `core.status.issuing.crl.shards=${count}`;
const baseUrl = (host: string): string => `core.status.baseUrl=http://${host}.example.com`;
const core = await startTestCore([baseUrl('old'), shards(1)]);
after(() => core.stop());
const credential = await core.addRegistrationAuthority({
  name: 'gate',
  profiles: ['tls-server'],
  dns: ['example.com'],
});
const { root, issuing } = authoritiesOf(core.directory);

function connect() {
  const gate = core.connect(credential);
  return { ...gate, follower: followStatus(gate.status) };
}

let gate = connect();

async function restart(...set: readonly string[]): Promise<void> {
  await core.restart(undefined, set);
  gate = connect();
}

async function obtain(): Promise<Issued> {
  return await issue(gate.authority, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })));
}

async function revoke({ serialNumber }: Issued, scope: string): Promise<void> {
  await gate.follower.until(({ crls }) => crls.has(scope));
  await changeStatus(gate.authority, serialNumber);
  await fetchCrlWhen(gate.status, gate.follower, { scope }, (entries) => entries[serialNumber] === 4);
}

/** What openssl says of a certificate with one CRL; nothing when it is good. */
async function judge({ certificate }: Issued, scope: string): Promise<string> {
  const { der } = await fetchCrl(gate.status, scope);
  const files = {
    'root.pem': encodePem('CERTIFICATE', root.der),
    'issuing.pem': encodePem('CERTIFICATE', issuing.certificate.der),
    'a.pem': encodePem('CERTIFICATE', certificate),
    'a.crl': encodePem('X509 CRL', der),
  };
  return withFiles(files, (path) => {
    const anchors = ['-CAfile', path('root.pem'), '-untrusted', path('issuing.pem'), '-CRLfile', path('a.crl')];
    try {
      execFileSync('openssl', ['verify', '-crl_check', '-extended_crl', ...anchors, path('a.pem')], { stdio: 'pipe' });
      return '';
    } catch (error) {
      return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    }
  });
}

/** A certificate that names this CRL. */
async function obtainIn(scope: string): Promise<Issued> {
  for (let tries = 0; tries < 200; tries++) {
    const issued = await obtain();
    if (issued.certificate.includes(`/crl/${scope}.crl`)) return issued;
  }
  return assert.fail(`no certificate names ${scope}`);
}

describe('RFC 5280 §6.3.3: another base URL and more shards', async () => {
  const [old, oldGood] = [await obtain(), await obtain()];
  await revoke(old, 'issuing-1');

  it('leave the CRL of former certificates true to them, and make it that of new ones, too', async () => {
    const before = gate.follower.crls.get('issuing-1')?.crlNumber ?? 0;
    await restart(baseUrl('new'), shards(3));
    await gate.follower.until(({ crls }) => (crls.get('issuing-1')?.crlNumber ?? 0) > before);
    const { crl } = await fetchCrl(gate.status, 'issuing-1');
    assert.deepEqual(crl.issuingDistributionPoint?.fullName, [
      'http://new.example.com/crl/issuing-1.crl',
      'http://old.example.com/crl/issuing-1.crl',
    ]);
    assert.deepEqual(crl.freshestCrl, ['http://new.example.com/crl/issuing-1-delta.crl']);
    assert.match(await judge(old, 'issuing-1'), /certificate revoked/);
    assert.equal(await judge(oldGood, 'issuing-1'), '');
    assert.equal(await judge(await obtainIn('issuing-1'), 'issuing-1'), '');
  });

  it('divide new certificates among the shards, each on its own', async () => {
    const revoked = await obtainIn('issuing-3');
    await revoke(revoked, 'issuing-3');
    assert.match(await judge(revoked, 'issuing-3'), /certificate revoked/);
    assert.equal(entriesOf((await fetchCrl(gate.status, 'issuing-2')).crl)[revoked.serialNumber], undefined);
  });

  it('fewer shards, or no base URL, orphan no certificate', async () => {
    const third = await obtainIn('issuing-3');
    await restart(shards(0));
    await revoke(third, 'issuing-3');
    assert.match(await judge(third, 'issuing-3'), /certificate revoked/);
    assert.match(await judge(old, 'issuing-1'), /certificate revoked/);
    assert.equal(await judge(oldGood, 'issuing-1'), '');
    const unnamed = await obtain();
    await revoke(unnamed, 'issuing');
    assert.equal(entriesOf((await fetchCrl(gate.status, 'issuing')).crl)[unnamed.serialNumber], 4);
  });
});
