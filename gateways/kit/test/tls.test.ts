import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import type { SecureVersion } from 'node:tls';
import { textAnswer } from '@gatehouse/gateway-kit/answer';
import type { PeerFacts } from '@gatehouse/gateway-kit/peer';
import { connectRaw, get, parseAnswer } from './support/raw-client.ts';
import { createClientCertificate, createServerCertificate, startTestServer } from './support/test-server.ts';

const only = (version: SecureVersion) => ({ minVersion: version, maxVersion: version });

async function observePeer(
  options: Parameters<typeof connectRaw>[1],
  look: (peer: PeerFacts, client: Awaited<ReturnType<typeof connectRaw>>) => void,
) {
  const seen = Promise.withResolvers<PeerFacts>();
  const gate = Promise.withResolvers<void>();
  const server = await startTestServer({}, (app) =>
    app.get('/peer', async (c) => {
      seen.resolve(c.env.exchange.peer);
      await gate.promise;
      return textAnswer(200, 'seen');
    }),
  );
  const client = await connectRaw(server.address.port, options);
  client.send(get('/peer'));
  try {
    look(await seen.promise, client);
  } finally {
    gate.resolve();
    await client.read();
    client.destroy();
    await server.close();
  }
}

describe('RFC 7030 §3.3.2: client certificates', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`${version}: are requested but not demanded`, async () => {
      await observePeer(only(version), (peer) => {
        assert.equal(peer.tlsVersion, version);
        assert.equal(peer.certificate, undefined);
        assert.deepEqual(peer.chain, []);
        assert.equal(peer.remoteAddress, '127.0.0.1');
      });
    });

    it(`${version}: arrive with the chain that was sent, whoever issued them`, async () => {
      const { certificate, intermediate, options } = createClientCertificate();
      await observePeer({ ...only(version), ...options }, (peer) => {
        assert.deepEqual(Buffer.from(peer.certificate ?? []), Buffer.from(certificate));
        assert.deepEqual(
          peer.chain.map((der) => Buffer.from(der)),
          [Buffer.from(intermediate)],
        );
      });
    });
  }
});

describe('RFC 9266 §4, RFC 5929 §3: channel bindings', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`${version}: tls-exporter is the same on both sides`, async () => {
      await observePeer(only(version), ({ channelBinding }, { socket }) => {
        const expected = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
        assert.deepEqual(channelBinding.exporter(), expected);
      });
    });
  }

  it('TLSv1.2: tls-unique is the first Finished message of the client', async () => {
    await observePeer(only('TLSv1.2'), ({ channelBinding }, { socket }) => {
      assert.deepEqual(channelBinding.tlsUnique, socket.getFinished());
    });
  });

  it('TLSv1.3: there is no tls-unique', async () => {
    await observePeer(only('TLSv1.3'), ({ channelBinding }) => assert.equal(channelBinding.tlsUnique, undefined));
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`${version}: sessions are not resumed, so that every connection has a handshake of its own`, async () => {
      const server = await startTestServer();
      const first = await connectRaw(server.address.port, only(version));
      let session: Buffer | undefined;
      first.socket.on('session', (ticket) => {
        session = ticket;
      });
      first.send(get('/late'));
      await first.read();
      session ??= first.socket.getSession();
      first.destroy();
      const second = await connectRaw(server.address.port, { ...only(version), session });
      assert.equal(second.socket.isSessionReused(), false);
      second.destroy();
      await server.close();
    });
  }

  it('TLSv1.2: renegotiation is refused', async () => {
    const server = await startTestServer();
    const client = await connectRaw(server.address.port, only('TLSv1.2'));
    const failed = new Promise((resolve) => client.socket.once('error', resolve));
    client.socket.renegotiate({ rejectUnauthorized: false }, () => {});
    assert.match(String(await failed), /no renegotiation/i);
    client.destroy();
    await server.close();
  });
});

describe('RFC 9325 §3, §4: versions and cipher suites', () => {
  for (const [title, options] of [
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['anonymous suites', { maxVersion: 'TLSv1.2', ciphers: 'aNULL:eNULL@SECLEVEL=0' }],
    ['suites without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
    ['suites without authenticated encryption', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }],
  ] as const) {
    it(`refuses ${title}`, async () => {
      const server = await startTestServer();
      await assert.rejects(connectRaw(server.address.port, options));
      await server.close();
    });
  }
});

describe('RFC 7301 §3.2: application protocols', () => {
  for (const [protocol, version] of [
    ['http/1.1', '1.1'],
    ['http/1.0', '1.0'],
  ] as const) {
    it(`answers a client that offers ${protocol} alone`, async () => {
      const server = await startTestServer();
      const client = await connectRaw(server.address.port, { ALPNProtocols: [protocol] });
      assert.equal(client.socket.alpnProtocol, protocol);
      client.send(`GET /late HTTP/${version}\r\nHost: localhost\r\n\r\n`);
      assert.equal(parseAnswer(await client.read()).status, 200);
      client.destroy();
      await server.close();
    });
  }
});

describe('RFC 7030 §3.6.1: the server certificate', () => {
  it('is replaced for new connections while the standing ones go on', async () => {
    const server = await startTestServer({ certificate: createServerCertificate('first') });
    const standing = await connectRaw(server.address.port);
    server.replaceCertificate(createServerCertificate('second'));
    standing.send(get('/late'));
    assert.equal(parseAnswer(await standing.read()).status, 200);
    const next = await connectRaw(server.address.port);
    const shown = (socket: typeof next.socket) => new X509Certificate(socket.getPeerCertificate().raw).subject;
    assert.deepEqual([shown(standing.socket), shown(next.socket)], ['CN=first', 'CN=second']);
    next.send(get('/late'));
    assert.equal(parseAnswer(await next.read()).status, 200);
    // The limits of TLS hold for the replacement as they did for the first.
    await assert.rejects(connectRaw(server.address.port, { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }));
    standing.destroy();
    next.destroy();
    await server.close();
  });
});
