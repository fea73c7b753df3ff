import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { octetString } from '@gatehouse/pkix/der/writer';
import type { Extension } from '@gatehouse/pkix/extensions';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import fc from 'fast-check';
import { checkDomainControl } from '../src/check-domain-control.ts';
import { serverName, whyNoProof } from '../src/tls-alpn-01.ts';
import {
  acmeIdentifier,
  acmeIdentifierValue,
  alternativeNames,
  type CertificateShape,
  makeCertificate,
  newKey,
} from './support/certificates.ts';
import { zone } from './support/dns-server.ts';
import { controlRequest, createParts, digest, farDeadline } from './support/looking.ts';
import { startTlsServer, type TlsServer } from './support/tls-server.ts';

const here = zone({ 'a.test': { A: ['127.0.0.1'] } });
const dns = (value: string): GeneralName => ({ kind: 'dns', value });
const right = [alternativeNames(dns('a.test')), acmeIdentifier(digest)];
const subject = { type: 'dns', value: 'a.test' } as const;

async function look(t: TestContext, server: Pick<TlsServer, 'port'>, value = 'a.test', type = 'dns') {
  const parts = await createParts(t, here, { tlsPort: server.port, limits: { methodMs: 1500 } });
  const request = controlRequest({ method: 'tls-alpn-01', identifier: { type, value, isWildcard: false } });
  return checkDomainControl(parts, request, farDeadline());
}

function refuses(shape: CertificateShape, why: RegExp): void {
  assert.match(whyNoProof(makeCertificate(shape).der, subject, digest) ?? 'nothing', why);
}

const withExtensions = (...extensions: readonly Extension[]): CertificateShape => ({ extensions });

describe('RFC 8737 §3: tls-alpn-01', () => {
  it('finds the digest in the certificate for acme-tls/1, under the name as SNI', async (t) => {
    const server = await startTlsServer(t, makeCertificate({ extensions: right }));
    const finding = await look(t, server);
    assert.deepEqual([finding.result, finding.problem?.detail], ['pass', undefined]);
    assert.deepEqual([finding.used, finding.addresses], ['127.0.0.1', ['127.0.0.1']]);
    assert.equal(finding.expected, digest.toString('base64url'));
    assert.deepEqual(server.servernames, ['a.test']);
  });

  it('says what the server said in the handshake, and nothing of our own inside', async (t) => {
    const server = await startTlsServer(t, makeCertificate({ extensions: right }), {
      SNICallback: (_name, done) => done(new Error('unknown name')),
    });
    const { problem } = await look(t, server);
    assert.match(String(problem?.detail), /^127\.0\.0\.1:\d+: [a-z0-9 /-]+ in the TLS handshake/);
  });

  it('works with TLS 1.2 and with 1.3, and with nothing older', async (t) => {
    const identity = makeCertificate({ extensions: right });
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const server = await startTlsServer(t, identity, { minVersion: version, maxVersion: version });
      assert.equal((await look(t, server)).result, 'pass', version);
    }
    const old = await startTlsServer(t, identity, {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const finding = await look(t, old);
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'tls']);
  });

  it('is refused when the server does not agree on acme-tls/1', async (t) => {
    const identity = makeCertificate({ extensions: right });
    const other = await look(t, await startTlsServer(t, identity, { ALPNProtocols: ['h2', 'http/1.1'] }));
    assert.deepEqual([other.result, other.problem?.type], ['error', 'tls']);
    const silent = await look(t, await startTlsServer(t, identity, { ALPNProtocols: [] }));
    assert.deepEqual([silent.result, silent.problem?.type], ['fail', 'tls']);
    assert.match(silent.problem?.detail ?? '', /does not agree on the application protocol acme-tls\/1/);
  });

  it('is refused with what is wrong with the certificate, at which address', async (t) => {
    const server = await startTlsServer(
      t,
      makeCertificate(withExtensions(alternativeNames(dns('b.test')), acmeIdentifier(digest))),
    );
    const finding = await look(t, server);
    assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'incorrectResponse']);
    assert.match(
      finding.problem?.detail ?? '',
      new RegExp(`^certificate of 127\\.0\\.0\\.1:${server.port}: is for .*b\\.test, not for a\\.test$`),
    );
  });
});

describe('RFC 8737 §3: the certificate', () => {
  it('is for exactly the one name', () => {
    refuses(withExtensions(acmeIdentifier(digest)), /exactly one .* has 0/);
    refuses(
      withExtensions(alternativeNames(dns('a.test'), dns('b.test')), acmeIdentifier(digest)),
      /exactly one .* has 2: .*a\.test, .*b\.test/,
    );
    refuses(withExtensions(alternativeNames(dns('a.test'), dns('a.test')), acmeIdentifier(digest)), /exactly one/);
    refuses(withExtensions(alternativeNames(dns('*.a.test')), acmeIdentifier(digest)), /is for .*\*\.a\.test/);
    refuses(withExtensions(alternativeNames(dns('x.a.test')), acmeIdentifier(digest)), /not for a\.test/);
    refuses(
      withExtensions(alternativeNames({ kind: 'email', value: 'a@a.test' }), acmeIdentifier(digest)),
      /not for a\.test/,
    );
    refuses(
      withExtensions(alternativeNames({ kind: 'ip', value: '127.0.0.1' }), acmeIdentifier(digest)),
      /not for a\.test/,
    );
    assert.equal(
      whyNoProof(
        makeCertificate(withExtensions(alternativeNames(dns('A.TEST')), acmeIdentifier(digest))).der,
        subject,
        digest,
      ),
      undefined,
    );
  });

  it('has acmeIdentifier, critical, once, an OCTET STRING of the 32 octets', () => {
    const name = alternativeNames(dns('a.test'));
    refuses(withExtensions(name), /has no extension acmeIdentifier/);
    refuses(withExtensions(name, acmeIdentifier(digest, false)), /not critical/);
    refuses(withExtensions(name, acmeIdentifier(digest), acmeIdentifier(digest)), /cannot be read/);
    refuses(withExtensions(name, acmeIdentifier(Buffer.alloc(32))), /acmeIdentifier is 0{64} instead of/);
    refuses(withExtensions(name, acmeIdentifier(digest.subarray(0, 31))), /instead of/);
    refuses(withExtensions(name, acmeIdentifier(Buffer.concat([digest, Buffer.from([0])]))), /instead of/);
    refuses(withExtensions(name, acmeIdentifierValue(digest)), /cannot be read/);
    refuses(
      withExtensions(name, acmeIdentifierValue(Buffer.concat([octetString(digest), Buffer.from([5, 0])]))),
      /cannot be read/,
    );
    refuses(
      withExtensions(name, acmeIdentifierValue(Buffer.concat([Buffer.from([4, 0x81, 32]), digest]))),
      /cannot be read/,
    );
  });

  it('is self-signed', () => {
    refuses({ extensions: right, issuer: 'CN=another' }, /is not self-signed$/);
    refuses({ extensions: right, signer: newKey() }, /is not self-signed: the signature does not verify/);
  });

  it('is refused, whatever its octets are', () => {
    const { der } = makeCertificate({ extensions: right });
    assert.equal(whyNoProof(der, subject, digest), undefined);
    const damage = fc.array(fc.tuple(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, fc.nat(der.length - 1), (changes, length) => {
        const bytes = Uint8Array.from(der);
        for (const [at, value] of changes) bytes[at] = (bytes[at] ?? 0) ^ value;
        if (Buffer.compare(bytes, der) !== 0) assert.equal(typeof whyNoProof(bytes, subject, digest), 'string');
        assert.equal(typeof whyNoProof(der.subarray(0, length), subject, digest), 'string');
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => typeof whyNoProof(bytes, subject, digest) === 'string'),
    );
  });
});

describe('RFC 8738 §6: addresses', () => {
  it('have their reverse name as SNI, and stand in iPAddress', async (t) => {
    assert.equal(serverName({ type: 'ip', value: '192.0.2.1' }), '1.2.0.192.in-addr.arpa');
    assert.equal(
      serverName({ type: 'ip', value: '2001:db8::1' }),
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    );
    for (const [value, reverse] of [
      ['127.0.0.1', '1.0.0.127.in-addr.arpa'],
      ['::1', `1.${'0.'.repeat(31)}ip6.arpa`],
    ] as const) {
      const identity = makeCertificate(withExtensions(alternativeNames({ kind: 'ip', value }), acmeIdentifier(digest)));
      const server = await startTlsServer(t, identity, { host: value });
      const finding = await look(t, server, value, 'ip');
      assert.deepEqual([finding.result, finding.used, server.servernames], ['pass', value, [reverse]]);
    }
  });

  it('are not proved by a dNSName that reads like them', () => {
    const { der } = makeCertificate(
      withExtensions(alternativeNames({ kind: 'dns', value: '1.0.0.127.in-addr.arpa' }), acmeIdentifier(digest)),
    );
    assert.match(whyNoProof(der, { type: 'ip', value: '127.0.0.1' }, digest) ?? '', /not for 127\.0\.0\.1/);
  });
});

describe('mpic.md §6: a hostile TLS server', () => {
  const speak = async (t: TestContext, text: string | undefined) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (text !== undefined) socket.end(Buffer.from(text, 'latin1'));
      t.after(() => socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const address = server.address();
    return look(t, { port: typeof address === 'object' && address !== null ? address.port : 0 });
  };

  it('that says nothing, something else, or hangs up is an error', async (t) => {
    for (const text of [
      undefined,
      '',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      '\u0016\u0003\u0003\u0000\u0005\u0002\u0000\u0000\u0001\u0000',
      '\u0015\u0003\u0003\u0000\u0002\u0002\u0078',
    ]) {
      const finding = await speak(t, text);
      assert.deepEqual([finding.result, finding.problem?.type], ['error', 'tls'], JSON.stringify(text));
      assert.equal(finding.used, '127.0.0.1');
    }
  });

  it('that nobody may connect to is not connected to', async (t) => {
    const finding = await look(t, { port: 443 }, '10.0.0.1', 'ip');
    assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'connection']);
  });

  it('that is not there is a connection error', async (t) => {
    const finding = await look(t, { port: 1 });
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'connection']);
  });
});
