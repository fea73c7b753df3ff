import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { newKey, newRequest, type RequestShape } from '@gatehouse/gateway-kit/test-support/requests';
import { formatName } from '@gatehouse/pkix/names';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { SignJWT } from 'jose';
import { type ClientIdentity, certificateOf, type EstClient, type EstRequest } from '../support/client.ts';
import { manufacturer, password, proxy, stranger, tokenKey } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

const alice = `alice:${password}`;
const exporterLabel = 'EXPORTER-Channel-Binding';

/** Who asks, by which proof, over the wire. */
export function proofTests(stack: Stack, send: EstClient): void {
  const enroll = (label: string, shape: RequestShape, rest: EstRequest) =>
    send(`/.well-known/est/${label}/simpleenroll`, { body: newRequest(shape), ...rest });
  const ownIdentity = async (subject: string, label = 'device-identity'): Promise<ClientIdentity> => {
    const key = newKey();
    const certificate = certificateOf(await enroll(label, { subject, key }, { user: alice }));
    return { key, certificates: [certificate.der] };
  };
  const device = (
    options: Partial<Parameters<typeof manufacturer.issue>[0]> = {},
    maker = manufacturer,
  ): ClientIdentity => {
    const key = newKey();
    return { key, certificates: [maker.issue({ subject: 'CN=acme-sensor,serialNumber=S-1', key, ...options })] };
  };

  describe('RFC 7030 §3.3.2: certificates of foreign anchors', () => {
    it('enrol their own device where the anchor is listed, with the chain as evidence', async () => {
      const certificate = certificateOf(
        await enroll('factory', { subject: 'CN=acme-1,serialNumber=S-1' }, { identity: device() }),
      );
      assert.equal(formatName(certificate.subject), 'CN=acme-1,serialNumber=S-1');
      const record = await stack.operator.getCertificate({ serialNumber: certificate.serialNumber });
      assert.equal(record.requester?.id, 'acme-idevid S-1');
    });

    it('enrol the names of their own certificate where no patterns are given', async () => {
      const identity = device({ subject: 'CN=acme-2,serialNumber=S-2' });
      certificateOf(await enroll('device-identity', { subject: 'CN=acme-2,serialNumber=S-2' }, { identity }));
      assert.equal((await enroll('device-identity', { subject: 'CN=acme-3' }, { identity })).status, 403);
    });

    it('do not enrol another device', async () => {
      assert.equal((await enroll('factory', { subject: 'serialNumber=S-2' }, { identity: device() })).status, 403);
    });

    it('do not widen their own patterns', async () => {
      const subject = 'serialNumber=S-1,O=anything';
      certificateOf(
        await enroll('factory', { subject }, { identity: device({ subject: 'CN=anything,serialNumber=S-1' }) }),
      );
      const identity = device({ subject: 'CN=*,serialNumber=S-1' });
      assert.equal((await enroll('factory', { subject }, { identity })).status, 403);
    });

    for (const [what, label, identity] of [
      ['under labels that are not listed', 'tls-client', device()],
      ['when nobody here knows the CA', 'factory', device({}, stranger)],
      ['when they have expired', 'factory', device({ notAfter: new Date(Date.now() - 1_000) })],
      ['when they are for servers', 'factory', device({ purposes: [keyPurposes.serverAuth] })],
    ] as const) {
      it(`do not count ${what}`, async () => {
        const response = await enroll(label, { subject: 'serialNumber=S-1' }, { identity });
        assert.ok(response.status === 401 || response.status === 403, String(response.status));
      });
    }
  });

  describe('what a label demands', () => {
    it('is a certificate, where it says so', async () => {
      const identity = await ownIdentity('CN=dev-cert', 'tls-client');
      certificateOf(await enroll('certificate-only', { subject: 'CN=dev-cert' }, { identity }));
      const response = await enroll('certificate-only', { subject: 'CN=dev-cert' }, {});
      assert.equal(response.status, 403);
      assert.equal(response.headers['www-authenticate'], undefined);
    });

    it('is a certificate and a password, where it says both', async () => {
      const identity = await ownIdentity('CN=dev-both', 'tls-client');
      const shape = { subject: 'CN=dev-both' };
      certificateOf(await enroll('both', shape, { identity, user: alice }));
      assert.equal((await enroll('both', shape, { identity })).status, 401);
      assert.equal((await enroll('both', shape, { user: alice })).status, 403);
    });

    it('is never outweighed: wrong credentials are refused beside a good certificate', async () => {
      const identity = await ownIdentity('CN=dev-wrong', 'tls-client');
      assert.equal(
        (await enroll('tls-client', { subject: 'CN=dev-wrong' }, { identity, user: 'alice:no' })).status,
        401,
      );
    });

    it('holds for csrattrs where the label says so', async () => {
      assert.equal((await send('/.well-known/est/guarded/csrattrs')).status, 401);
      assert.equal((await send('/.well-known/est/guarded/csrattrs', { user: alice })).status, 200);
    });

    it('lets a certificate of our own CA enrol its own names, under the label of its profile', async () => {
      const identity = await ownIdentity('CN=dev-own');
      certificateOf(await enroll('device-identity', { subject: 'CN=dev-own' }, { identity }));
      assert.equal((await enroll('device-identity', { subject: 'CN=dev-else' }, { identity })).status, 403);
      assert.equal((await enroll('tls-client', { subject: 'CN=dev-own' }, { identity })).status, 403);
    });
  });

  describe('RFC 6750 and RFC 7616: the other schemes of a label', () => {
    it('take a token for this gate, within the names of its issuer', async () => {
      const bearer = await new SignJWT({ sub: 'ci-7' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer('https://id.example.com')
        .setAudience('est')
        .setExpirationTime('5m')
        .sign(tokenKey);
      const headers = { authorization: `Bearer ${bearer}` };
      const certificate = certificateOf(
        await enroll('tls-server', { names: ['DNS:a.tokens.example.com'] }, { headers }),
      );
      const record = await stack.operator.getCertificate({ serialNumber: certificate.serialNumber });
      assert.equal(record.requester?.id, 'https://id.example.com ci-7');
      assert.equal((await enroll('tls-server', { names: ['DNS:a.example.com'] }, { headers })).status, 403);
      assert.equal((await enroll('default', { names: ['DNS:a.tokens.example.com'] }, { headers })).status, 401);
    });

    it('take a Digest response to the challenge of this gate', async () => {
      const target = '/.well-known/est/tls-server/simpleenroll';
      const body = newRequest({ names: ['DNS:digest.example.com'] });
      const challenge = String((await send(target, { body })).headers['www-authenticate']);
      const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1];
      const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
      const secret = sha256(`alice:Gatehouse EST:${password}`);
      const response = sha256(`${secret}:${nonce}:00000001:c:auth:${sha256(`POST:${target}`)}`);
      const authorization = `Digest username="alice", realm="Gatehouse EST", uri="${target}", algorithm=SHA-256, nonce="${nonce}", nc=00000001, cnonce="c", qop=auth, response="${response}"`;
      certificateOf(await send(target, { body, headers: { authorization } }));
      const again = await send(target, { body, headers: { authorization } });
      assert.equal(again.status, 401);
      assert.match(String(again.headers['www-authenticate']), /stale=true/);
    });
  });

  describe('RFC 9440: Client-Cert', () => {
    it('is not believed from a peer that is no listed proxy', async () => {
      const [certificate = new Uint8Array(0)] = device().certificates;
      const headers = { 'client-cert': `:${Buffer.from(certificate).toString('base64')}:` };
      assert.equal((await enroll('factory', { subject: 'serialNumber=S-1' }, { headers })).status, 401);
    });

    it('is believed from a listed proxy, whose connection binds nothing', async () => {
      const [certificate = new Uint8Array(0)] = device().certificates;
      const headers = { 'client-cert': `:${Buffer.from(certificate).toString('base64')}:` };
      const shape = { subject: 'serialNumber=S-1' };
      certificateOf(await enroll('factory', shape, { identity: proxy, headers }));
      assert.equal((await enroll('factory', shape, { identity: proxy })).status, 401, 'the proxy itself is nobody');
      const bound = { ...shape, challengePassword: 'AAAA' };
      assert.equal((await enroll('factory', bound, { identity: proxy, headers })).status, 403);
      const broken = { 'client-cert': 'nonsense' };
      assert.equal((await enroll('factory', shape, { identity: proxy, headers: broken })).status, 400);
    });
  });

  describe('RFC 7030 §3.5 and RFC 9266: channel binding', () => {
    const names = ['DNS:bound.example.com'];
    const bindTo = (value: (socket: Parameters<NonNullable<EstRequest['bind']>>[0]) => Buffer | undefined) => ({
      user: alice,
      bind: (socket: Parameters<NonNullable<EstRequest['bind']>>[0]) =>
        newRequest({ names, challengePassword: value(socket)?.toString('base64') ?? 'none' }),
    });
    const exporter = bindTo((socket) => socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0)));
    const unique = bindTo((socket) => socket.getFinished());
    const post = (label: string, request: EstRequest) => send(`/.well-known/est/${label}/simpleenroll`, request);

    it('accepts tls-unique on TLS 1.2 and tls-exporter on TLS 1.3', async () => {
      certificateOf(await post('bound', { ...unique, tls: 'TLSv1.2' }));
      certificateOf(await post('bound', { ...exporter, tls: 'TLSv1.3' }));
    });

    it('accepts tls-exporter on TLS 1.2 only where the label says so', async () => {
      certificateOf(await post('bound-12', { ...exporter, tls: 'TLSv1.2' }));
      assert.equal((await post('bound', { ...exporter, tls: 'TLSv1.2' })).status, 403);
    });

    it('refuses tls-unique on TLS 1.3, a value of another connection, and none where it is demanded', async () => {
      assert.equal((await post('bound', { ...unique, tls: 'TLSv1.3' })).status, 403);
      assert.equal(
        (
          await post(
            'bound',
            bindTo(() => Buffer.alloc(32, 7)),
          )
        ).status,
        403,
      );
      assert.equal((await post('bound', { user: alice, body: newRequest({ names }) })).status, 403);
    });

    it('judges a binding that is present although nobody demanded it', async () => {
      certificateOf(await post('default', exporter));
      assert.equal(
        (
          await post(
            'default',
            bindTo(() => Buffer.alloc(32, 7)),
          )
        ).status,
        403,
      );
    });

    it('does not look at challengePassword where the label says so', async () => {
      certificateOf(
        await post(
          'unbound',
          bindTo(() => Buffer.from('something else')),
        ),
      );
    });

    it('is asked for in csrattrs where it is demanded', async () => {
      const challengePassword = Buffer.from('06092a864886f70d010907', 'hex');
      const { body } = await send('/.well-known/est/bound/csrattrs');
      assert.ok(Buffer.from(body, 'base64').includes(challengePassword));
    });
  });
}
