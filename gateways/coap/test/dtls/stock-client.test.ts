// The DTLS server with a client that everybody has.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { authorityOf, badDevices, createManufacturer, type Device, newKey } from '../../test-support/certificates.ts';
import { hasComeTo } from '../dtls-hostile/conversation.ts';
import { sClient } from './support/s-client.ts';
import { manufacturer, type TestServer, withServer } from './support/server.ts';

const device = manufacturer.createDevice('77');

/** What a device shows that was certified by another device. */
function deviceOfDevice(serial: string, purposes: readonly string[]): Device {
  const subject = `CN=issuer,serialNumber=${serial}`;
  const issuer = manufacturer.createDevice(serial, { subject, purposes });
  const key = newKey();
  return {
    key,
    certificate: authorityOf(subject, issuer.key, issuer.certificate).issue({ subject: 'serialNumber=1', key }),
    chain: [issuer.certificate, ...issuer.chain],
    privateKey: key.export({ format: 'der', type: 'pkcs8' }),
  };
}

const failed = 'a DTLS handshake failed';

function failure({ lines }: TestServer): Record<string, unknown> {
  const line = lines.find(({ msg }) => msg === failed);
  assert.ok(line, 'one log line');
  return line;
}

describe('RFC 9148 §3: suites and curves', () => {
  for (const [ciphers, name] of [
    ['ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0', 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'],
    ['ECDHE-ECDSA-AES128-CCM:@SECLEVEL=0', 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM'],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
    ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
  ] as const) {
    it(`speaks ${name}`, () =>
      withServer({}, async (server) => {
        const { isEchoed, output } = await sClient(server.port, device, { ciphers });
        assert.ok(isEchoed, output);
        assert.equal(server.opened[0]?.cipherSuite, name);
      }));
  }

  it('speaks P-384, with a P-384 certificate', () =>
    withServer({}, async (server) => {
      const large = manufacturer.createDevice('384', { kind: 'P-384' });
      const { isEchoed, output } = await sClient(server.port, large, { more: ['-groups', 'P-384:P-256'] });
      assert.ok(isEchoed, output);
      assert.match(output, /P-384|secp384r1/);
    }));

  it('believes an RSA-2048 certificate (IEEE 802.1AR §6.2)', () =>
    withServer({}, async (server) => {
      const { isEchoed, output } = await sClient(server.port, manufacturer.createDevice('rsa', { kind: 'RSA-2048' }));
      assert.ok(isEchoed, output);
    }));

  it('speaks no suite but those, and no other curve', () =>
    withServer({}, async (server) => {
      for (const options of [{ ciphers: 'ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0' }, { more: ['-groups', 'X25519'] }]) {
        assert.ok(!(await sClient(server.port, device, options)).isEchoed);
      }
      assert.match(String(failure(server).reason), /no shared cipher/);
      assert.equal(server.opened.length, 0);
    }));
});

describe('RFC 9148 §3: who is let in', () => {
  it('tells what a device is: its certificate, its chain, its Finished', () =>
    withServer({}, async (server) => {
      await sClient(server.port, device);
      const [session] = server.opened;
      assert.deepEqual(Buffer.from(session?.certificate ?? []), Buffer.from(device.certificate));
      assert.deepEqual(
        session?.chain.map((der) => Buffer.from(der)),
        [Buffer.from(manufacturer.intermediate.certificate)],
      );
      assert.equal(session?.clientFinished.length, 12);
      assert.equal(session?.hasExtendedMasterSecret, true);
      assert.equal(session?.peer.address, '127.0.0.1');
    }));

  for (const [what, shown, reason] of [
    ['no certificate', undefined, /peer did not return a certificate/],
    ['a certificate of an unknown issuer', createManufacturer('Nobody').createDevice('1'), /unable to get|self-signed/],
    ['an RSA-1024 certificate', manufacturer.createDevice('weak', badDevices.weakKey), /key too (weak|small)/],
    ['a certificate that a device issued', deviceOfDevice('issuer', []), /invalid CA certificate/],
    [
      'one that a device for servers issued',
      deviceOfDevice('server', [keyPurposes.serverAuth]),
      /invalid CA certificate/,
    ],
  ] as const) {
    it(`refuses ${what} with an alert and one log line that says why`, () =>
      withServer({}, async (server) => {
        const { isEchoed, output } = await sClient(server.port, shown);
        assert.ok(!isEchoed);
        assert.match(output, /alert/);
        const line = failure(server);
        assert.match(String(line.reason), reason);
        assert.match(String(line.peer), /^127\.0\.0\.1:\d+$/);
        if (shown !== undefined) assert.match(String(line.subject), /serialNumber=/);
        assert.equal(server.opened.length, 0);
        assert.deepEqual(server.transport.counts, { established: 0, halfOpen: 0 });
      }));
  }

  it('lets an expired certificate through to be judged above, coaps.md §4', () =>
    withServer({}, async (server) => {
      assert.ok((await sClient(server.port, manufacturer.createDevice('old', badDevices.expired))).isEchoed);
    }));

  it('lets a certificate for servers through to be judged above: one of our own CA may renew itself', () =>
    withServer({}, async (server) => {
      assert.ok((await sClient(server.port, manufacturer.createDevice('purpose', badDevices.wrongPurpose))).isEchoed);
    }));
});

describe('RFC 6347: what DTLS 1.2 does', () => {
  it('refuses DTLS 1.0', () =>
    withServer({}, async (server) => {
      const { isEchoed, output } = await sClient(server.port, device, { version: '-dtls1' });
      assert.ok(!isEchoed);
      assert.match(output, /protocol version|wrong version|unsupported protocol/);
      assert.equal(server.opened.length, 0);
    }));

  it('refuses to renegotiate (RFC 5746 §4.5, RFC 7925 §17)', () =>
    withServer({}, async (server) => {
      const { output } = await sClient(server.port, device, { line: 'R' });
      assert.match(output, /RENEGOTIATING/);
      assert.match(output, /no renegotiation/i);
      assert.equal(server.opened.length, 1);
    }));

  it('ends a session when the peer says close_notify', () =>
    withServer({}, async (server) => {
      await sClient(server.port, device);
      await hasComeTo(() => server.closed.length === 1);
      assert.equal(server.closed[0]?.reason, 'peer');
      assert.equal(server.transport.counts.established, 0);
    }));
});
