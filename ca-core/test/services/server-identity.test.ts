// The core's own certificate is swapped while it runs: new handshakes see the new one, and nobody is disconnected.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { encodePem } from '@gatehouse/pkix/pem';
import { systemClock } from '@gatehouse/runtime/clock';
import { listenForCallers } from '@gatehouse/runtime/grpc-listener';
import { createLog } from '@gatehouse/runtime/log';
import { Server } from '@grpc/grpc-js';
import { callerUri, identifyCaller } from '../../src/registry/caller.ts';
import { createServerIdentity, serverIdentityRenewalMs } from '../../src/services/server-identity.ts';
import { createTestAuthority } from '../registry/test-authority.ts';
import { makeCredential } from '../support/credentials.ts';

const service = createTestAuthority(systemClock);
const instance = { id: 'one', uri: 'spiffe://gatehouse.internal/core/one', serialNumberPrefix: Uint8Array.of(1, 2) };
const listener = await listenForCallers({
  server: new Server(),
  host: '127.0.0.1',
  port: 0,
  setting: 'core.listen.port',
  identifyCaller,
  identity: createServerIdentity(service, instance, systemClock),
  clientAnchors: encodePem('CERTIFICATE', service.certificate.der),
  maximumConnections: 8,
  clock: systemClock,
  log: createLog({ name: 'test', level: 'silent' }),
});
after(() => listener.close(0));

const [key = '', cert = '', ca = ''] =
  makeCredential(service, callerUri('gate', 'gate')).match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];

async function handshake(): Promise<TLSSocket> {
  const { host, port } = listener.address;
  const socket = connect({ host, port, key, cert, ca, servername: 'core.gatehouse.internal', ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  return socket;
}

describe('the server identity of the core', () => {
  it('is replaced for new connections; open ones stay', async () => {
    const before = await handshake();
    await once(before, 'data');
    listener.replaceIdentity(createServerIdentity(service, instance, systemClock));
    const next = await handshake();
    assert.notEqual(next.getPeerCertificate().fingerprint256, before.getPeerCertificate().fingerprint256);
    assert.deepEqual([before.destroyed, before.readyState], [false, 'open']);
    before.destroy();
    next.destroy();
  });

  it('still demands a client certificate after it was replaced', async () => {
    listener.replaceIdentity(createServerIdentity(service, instance, systemClock));
    const { host, port } = listener.address;
    const socket = connect({ host, port, ca, servername: 'core.gatehouse.internal', ALPNProtocols: ['h2'] });
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.once('data', () => resolve('let in')).once('error', () => resolve('refused'));
    socket.once('close', () => resolve('refused'));
    assert.equal(await promise, 'refused');
    socket.destroy();
  });

  it('is renewed before half of its life is over', async () => {
    const socket = await handshake();
    const { valid_from, valid_to } = socket.getPeerCertificate();
    socket.destroy();
    assert.ok(serverIdentityRenewalMs < (Date.parse(valid_to) - Date.parse(valid_from)) / 2);
  });
});
