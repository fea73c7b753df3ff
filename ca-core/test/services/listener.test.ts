// The only way into the keep: TLS 1.3 with a credential of the service CA that names a caller and has not ended.
import assert from 'node:assert/strict';
import { connect as connectPlain, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import type { RegistrationAuthority } from '@gatehouse/proto/administration';
import type { CertificateAuthorityClient, RevokeResponse, TrustBundle } from '@gatehouse/proto/certificate-authority';
import { RevocationReason } from '@gatehouse/proto/types';
import { createManualClock } from '@gatehouse/runtime/clock';
import { connectivityState } from '@grpc/grpc-js';
import { callerUri, coreUri } from '../../src/registry/caller.ts';
import { authoritiesOf, makeCredential } from '../support/credentials.ts';
import { assertAuditHolds, refused, requester } from '../support/enrollment.ts';
import { startTestCore, unary } from '../support/running-core.ts';

const clock = createManualClock(new Date());
const maximumConnections = 24;
const core = await startTestCore([`core.listen.maximumConnections=${maximumConnections}`], { clock });
after(() => core.stop());
const { service, issuing } = authoritiesOf(core.directory);
const registration = { profiles: ['tls-server'], dns: ['example.com'] };
const credential = await core.addRegistrationAuthority({ name: 'gate', ...registration });
const hourMs = 3_600_000;

const bundleOf = (client: CertificateAuthorityClient) =>
  unary<TrustBundle>((callback) => client.getTrustBundle({}, callback));

function address(): { readonly host: string; readonly port: number } {
  const [host = '', port = ''] = core.running.address.split(':');
  return { host, port: Number(port) };
}

/** Blocks of a credential file: the key, the certificate, the anchors. */
function partsOf(text: string): ConnectionOptions {
  const [key = '', cert = '', ...ca] = text.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];
  return { key, cert, ca };
}

/**
 * Whether the core lets a client in: it does when it begins to speak HTTP/2, for in TLS 1.3 a client believes that it is
 * connected before the server has judged its certificate.
 */
function tryHandshake(options: ConnectionOptions): Promise<'let in' | 'refused'> {
  const { promise, resolve } = Promise.withResolvers<'let in' | 'refused'>();
  const socket = connect({ servername: 'core.gatehouse.internal', ALPNProtocols: ['h2'], ...address(), ...options });
  socket.once('data', () => resolve('let in'));
  socket.once('error', () => resolve('refused'));
  socket.once('close', () => resolve('refused'));
  return promise.finally(() => socket.destroy());
}

describe('the handshake', () => {
  it('lets a credential of an RA in', async () => {
    assert.equal(await tryHandshake(partsOf(credential)), 'let in');
  });

  it('TLS 1.2 is refused', async () => {
    assert.equal(await tryHandshake({ ...partsOf(credential), maxVersion: 'TLSv1.2' }), 'refused');
  });

  it('a client without certificate is refused', async () => {
    const { ca } = partsOf(credential);
    assert.equal(await tryHandshake({ ca }), 'refused');
  });

  it('a client that does not speak TLS is refused', async () => {
    const socket = connectPlain(address());
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once('close', resolve).on('error', () => undefined);
    socket.end('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.resume();
    await promise;
  });

  const uri = callerUri('gate', 'gate');
  const strangers: Readonly<Record<string, () => string>> = {
    'of the issuing CA': () => makeCredential({ ...issuing, name: 'service' }, uri),
    'that has ended': () => makeCredential(service, uri, { now: new Date(Date.now() - 2 * hourMs) }),
    'that has not begun': () => makeCredential(service, uri, { now: new Date(Date.now() + hourMs) }),
    'for servers': () => makeCredential(service, uri, { usage: 'server' }),
    'of a core': () => makeCredential(service, coreUri('other')),
    'of nobody': () => makeCredential(service, 'https://example.com/gate'),
    'of a kind that does not exist': () => makeCredential(service, 'spiffe://gatehouse.internal/admin/gate'),
    'of another trust domain': () => makeCredential(service, 'spiffe://gatehouse.example/ra/gate'),
  };
  for (const [what, make] of Object.entries(strangers)) {
    it(`a certificate ${what} is refused`, async () => {
      const { ca } = partsOf(credential);
      assert.equal(await tryHandshake({ ...partsOf(make()), ca }), 'refused');
    });
  }

  it('the core is known by the name that clients expect, its instance and the service CA', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const socket = connect({ servername: 'core.gatehouse.internal', ...address(), ...partsOf(credential) });
    socket.once('secureConnect', () => resolve(socket.getPeerCertificate().raw)).once('error', reject);
    const names = subjectAlternativeNames(readCertificate(await promise));
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    socket.destroy();
    assert.ok(names.some(({ kind, value }) => kind === 'dns' && value === 'core.gatehouse.internal'));
    assert.ok(names.some(({ kind, value }) => kind === 'uri' && /\/core\/[^/]+$/.test(String(value))));
  });
});

describe('a connection that stays open', () => {
  it('is worth nothing once the credential that opened it has ended', async () => {
    const client = await core.joinRegistrationAuthority({ name: 'ending', ...registration });
    await bundleOf(client);
    clock.advance(24 * hourMs + 1000);
    await refused(bundleOf(client), 'unauthorized');
    clock.advance(-24 * hourMs - 1000);
    await bundleOf(client);
  });

  it('dies with its RA, whose next call is refused', async () => {
    const { authority } = core.connect(await core.addRegistrationAuthority({ name: 'disabled', ...registration }));
    await bundleOf(authority);
    const channel = authority.getChannel();
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const before = channel.getConnectivityState(false);
    assert.equal(before, connectivityState.READY);
    channel.watchConnectivityState(before, Number.POSITIVE_INFINITY, () => resolve());
    await unary<RegistrationAuthority>((callback) =>
      core.operator.administration.disableRegistrationAuthority({ name: 'disabled' }, callback),
    );
    await left;
    await refused(bundleOf(authority), 'unauthorized', /disabled/);
  });

  it('of others goes on', async () => {
    await bundleOf(core.connect(credential).authority);
  });

  it('is refused with the next call once its credential was revoked', async () => {
    const lost = await core.addRegistrationAuthority({ name: 'lost', ...registration });
    const { authority } = core.connect(lost);
    await bundleOf(authority);
    const { cert } = partsOf(lost);
    const der = Buffer.from(String(cert).replace(/-----[^-]+-----|\s/g, ''), 'base64');
    await unary<RevokeResponse>((callback) =>
      core.operator.authority.revoke(
        {
          serialNumber: readCertificate(der).serialNumber,
          reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE,
          invalidityDate: undefined,
          requester,
        },
        callback,
      ),
    );
    await refused(bundleOf(authority), 'unauthorized', /revoked/);
  });
});

describe('a message that is larger than any of the contract', () => {
  it('is refused, and the connection and its other calls go on', async () => {
    const { authority } = core.connect(credential);
    const certificate = Buffer.alloc(300 * 1024, 0x30);
    const [large] = await Promise.allSettled([
      unary((callback) =>
        authority.getCertificate({ selector: { $case: 'certificate', value: certificate } }, callback),
      ),
      bundleOf(authority),
    ]);
    assert.equal(large.status, 'rejected');
    assert.equal(authority.getChannel().getConnectivityState(false), connectivityState.READY);
    await bundleOf(authority);
  });
});

/** Opens connections, and waits until the core has taken each of them or not. */
async function openAll(count: number, open: () => Socket, isOpen: 'connect' | 'data') {
  const sockets = Array.from({ length: count }, open);
  const closed = sockets.map(
    (socket) => new Promise<void>((resolve) => socket.on('error', () => undefined).once('close', () => resolve())),
  );
  const opened = sockets.map((socket) => new Promise((resolve) => socket.once(isOpen, resolve)));
  await Promise.all(sockets.map((_, index) => Promise.race([opened[index], closed[index]])));
  return async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(closed);
  };
}

describe('more connections than the configuration allows', () => {
  it('of callers are turned away until others end', async () => {
    const tls = { servername: 'core.gatehouse.internal', ALPNProtocols: ['h2'], ...address(), ...partsOf(credential) };
    const closeAll = await openAll(maximumConnections, () => connect(tls), 'data');
    assert.equal(await tryHandshake(partsOf(credential)), 'refused');
    await closeAll();
    while ((await tryHandshake(partsOf(credential))) === 'refused');
  });

  it('of one address that say nothing are turned away until others end', async () => {
    const closeAll = await openAll(33, () => connectPlain(address()).resume(), 'connect');
    assert.equal(await tryHandshake(partsOf(credential)), 'refused');
    await closeAll();
    while ((await tryHandshake(partsOf(credential))) === 'refused');
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
