import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Device, type Manufacturers, makeManufacturers } from '../../src/coap/manufacturer.ts';
import { runCommand } from '../../src/command.ts';

describe('manufacturers of devices', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-manufacturers-'));
  let made: Manufacturers;
  before(async () => {
    made = await makeManufacturers(directory, ['default']);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const fileOf = (index: number, key: string) => String(made.trustAnchors[index]?.[key]);
  const verify = async ({ certificateFile }: Device, index: number, ...options: readonly string[]) => {
    const anchor = fileOf(index, 'file');
    const trust = ['-x509_strict', '-CAfile', anchor, '-untrusted', anchor];
    const { status, stderr } = await runCommand('openssl', ['verify', ...trust, ...options, certificateFile]);
    return status === 0 ? 'good' : stderr;
  };
  const withCrl = (index: number) => ['-crl_check', '-CRLfile', fileOf(index, 'revocationList')];

  it('vouch for their devices, each of which has a serial number of its own', async () => {
    const devices = await Promise.all([made.makeDevice(), made.makeDevice({ curve: 'P-384' })]);
    for (const device of devices) {
      assert.equal(await verify(device, 0, ...withCrl(0)), 'good');
      const { subject } = new X509Certificate(readFileSync(device.certificateFile));
      assert(subject.split('\n').includes(`serialNumber=${device.serialNumber}`), subject);
    }
    assert.equal(new Set(devices.map(({ serialNumber }) => serialNumber)).size, 2);
  });

  it('made devices that nobody should believe, or somebody all the same', async () => {
    assert.match(await verify(made.expired, 0), /certificate has expired/);
    assert.match(await verify(made.revoked, 0, ...withCrl(0)), /certificate revoked/);
    assert.match(await verify(made.outlived, 1), /certificate has expired/);
    assert.equal(await verify(made.outlived, 1, '-no_check_time', ...withCrl(1)), 'good');
    assert.match(await verify(made.outlivedRevoked, 1, '-no_check_time', ...withCrl(1)), /certificate revoked/);
    assert.match(await verify(made.unknown, 0), /unable to get local issuer certificate|self-signed/);
    assert.match(await verify(made.forOtherPurposes, 0, '-purpose', 'sslclient'), /purpose/);
  });

  it('know devices by HardwareModuleName, RFC 4108 §5', async () => {
    assert.equal(await verify(made.module, 2), 'good');
    const der = new X509Certificate(readFileSync(made.module.certificateFile)).raw.toString('hex');
    const hardwareModuleName = '06082b06010505070804';
    assert(der.includes(hardwareModuleName) && der.includes(Buffer.from(made.module.serialNumber).toString('hex')));
  });
});
