import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createAddressPolicy } from '../src/address-policy.ts';
import { checkDomainControl } from '../src/check-domain-control.ts';
import { alternativeNames, makeCertificate } from './support/certificates.ts';
import { type Responder, zone } from './support/dns-server.ts';
import { addressRecord } from './support/dns-wire.ts';
import { answer, type HttpHandler, redirect, startHttpServer } from './support/http-server.ts';
import { controlRequest, createParts, farDeadline, keyAuthorization } from './support/looking.ts';

const loopback = { A: ['127.0.0.1'] };
const entries = { 'a.test': loopback, 'b.test': loopback, 'inside.test': { A: ['10.0.0.1'] } };

/** A server whose first answer redirects, and whose next ones are the key authorization. */
async function follow(
  t: TestContext,
  location: string | ((port: number) => string),
  status = 302,
  respond: Responder = zone(entries),
) {
  let port = 0;
  const server = await startHttpServer(t, ({ target }) =>
    target.startsWith('/.well-known/')
      ? redirect(typeof location === 'string' ? location : location(port), status)
      : answer(200, keyAuthorization),
  );
  port = server.port;
  const parts = await createParts(t, respond, { httpPort: port });
  return { server, finding: await checkDomainControl(parts, controlRequest(), farDeadline()) };
}

async function refuses(t: TestContext, location: string, detail: RegExp, respond?: Responder): Promise<void> {
  const { server, finding } = await follow(t, location, 302, respond);
  assert.equal(finding.result, 'fail', location);
  assert.equal(finding.problem?.type, 'connection', location);
  assert.match(finding.problem?.detail ?? '', detail, location);
  assert.equal(server.requests.length, 1, location);
}

describe('BR 3.2.2.4.19: redirects', () => {
  it('by 301, 302, 307 and 308 are followed, each hop being told', async (t) => {
    for (const status of [301, 302, 307, 308]) {
      const { server, finding } = await follow(t, 'http://b.test/elsewhere?x=1#part', status);
      assert.equal(finding.result, 'pass');
      assert.deepEqual(
        finding.redirects?.map((hop) => [new URL(hop.url).host, hop.address, hop.status]),
        [
          [`a.test:${server.port}`, '127.0.0.1', status],
          ['b.test', '127.0.0.1', 200],
        ],
      );
      assert.equal(server.requests[1]?.target, '/elsewhere?x=1');
      assert.equal(server.requests[1]?.host, 'b.test');
      assert.deepEqual(finding.dns.map(({ name }) => name).sort(), ['a.test', 'a.test', 'b.test', 'b.test']);
    }
  });

  it('lead into a zone that is looked at in its own way only from there', async (t) => {
    const server = await startHttpServer(t, ({ target }) =>
      target.startsWith('/.well-known/') ? redirect('http://router.corp.test/reboot?now', 302) : answer(200, 'secret'),
    );
    const names = zone({ 'a.test': loopback, 'a.corp.test': loopback, 'router.corp.test': loopback });
    const zones = [{ zone: 'corp.test', allow: ['127.0.0.0/8'] }];
    const addressPolicy = createAddressPolicy({ allow: ['127.0.0.1/32'], zones });
    const parts = await createParts(t, names, { httpPort: server.port, addressPolicy });
    const outside = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([outside.result, outside.problem?.type, server.requests.length], ['fail', 'connection', 1]);
    assert.match(
      outside.problem?.detail ?? '',
      /redirects to http:\/\/router\.corp\.test.*not followed into that zone/,
    );
    assert.ok(
      outside.dns.every(({ name }) => name === 'a.test'),
      'its address is not looked up either',
    );
    const identifier = { type: 'dns', value: 'a.corp.test', isWildcard: false };
    const inside = await checkDomainControl(parts, controlRequest({ identifier }), farDeadline());
    assert.match(inside.problem?.detail ?? '', /'secret' instead of/);
  });

  it('may be relative, or name the port that stands for 80', async (t) => {
    assert.equal((await follow(t, '/elsewhere')).finding.result, 'pass');
    assert.equal((await follow(t, (port) => `http://b.test:${port}/elsewhere`)).finding.result, 'pass');
    assert.equal((await follow(t, 'http://b.test:80/elsewhere')).finding.result, 'pass');
    assert.equal((await follow(t, 'http://b.test./elsewhere')).finding.result, 'pass');
    assert.equal((await follow(t, 'http://B.TEST/elsewhere')).finding.result, 'pass');
  });

  it('to https are followed without looking at the certificate', async (t) => {
    const tls = makeCertificate({ extensions: [alternativeNames({ kind: 'dns', value: 'other.example' })] });
    const secure = await startHttpServer(t, () => answer(200, keyAuthorization), { tls });
    const plain = await startHttpServer(t, () => redirect('https://b.test/secure'));
    const parts = await createParts(t, zone(entries), { httpPort: plain.port, tlsPort: secure.port });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.problem?.detail], ['pass', undefined]);
    assert.equal(finding.redirects?.[1]?.url, 'https://b.test/secure');
  });

  it('to https that does not speak TLS end with tls', async (t) => {
    const deaf = await startHttpServer(t, () => undefined);
    const plain = await startHttpServer(t, () => redirect('https://b.test/secure'));
    const parts = await createParts(t, zone(entries), {
      httpPort: plain.port,
      tlsPort: deaf.port,
      limits: { methodMs: 300 },
    });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'tls']);
  });

  it('are followed ten times, not eleven', async (t) => {
    for (const [count, result] of [
      [10, 'pass'],
      [11, 'fail'],
    ] as const) {
      const handler: HttpHandler = ({ target }) => {
        const n = Number(/(\d+)$/.exec(target)?.[1] ?? 0);
        return n === count
          ? answer(200, keyAuthorization)
          : redirect(`/hop/${(target.startsWith('/hop') ? n : 0) + 1}`);
      };
      const server = await startHttpServer(t, (request, socket) =>
        request.target.startsWith('/hop') ? handler(request, socket) : redirect('/hop/1'),
      );
      const parts = await createParts(t, zone(entries), { httpPort: server.port });
      const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
      assert.equal(finding.result, result);
      assert.equal(finding.redirects?.length, 11);
      if (result === 'fail') assert.match(finding.problem?.detail ?? '', /more than 10 redirects/);
    }
  });

  it('in a circle come to an end', async (t) => {
    const { finding } = await follow(t, '/.well-known/again');
    assert.match(finding.problem?.detail ?? '', /more than 10 redirects/);
  });

  it('to other ports than 80 and 443 are refused', async (t) => {
    for (const location of ['http://b.test:22/', 'https://b.test:8443/', 'http://b.test:8080/']) {
      await refuses(t, location, /only ports 80 and 443 are followed/);
    }
  });

  it('to other protocols, to users, and to nowhere are refused', async (t) => {
    for (const location of [
      'ftp://b.test/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'gopher://b.test/',
      'data:,x',
    ]) {
      await refuses(t, location, /only http and https/);
    }
    await refuses(t, 'http://user:secret@b.test/', /user's name/);
    for (const location of ['http://', 'http://[::1', 'http://b test/', `http://b.test/${'x'.repeat(3000)}`]) {
      await refuses(t, location, /no URL that can be followed/);
    }
    const server = await startHttpServer(t, () => answer(302));
    const parts = await createParts(t, zone(entries), { httpPort: server.port });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.match(finding.problem?.detail ?? '', /redirects without saying where to/);
  });
});

describe('mpic.md §6: SSRF', () => {
  it('by a redirect to an address that is not looked at is refused at that hop', async (t) => {
    for (const [location, reason] of [
      ['http://169.254.169.254/latest/meta-data/', /169\.254\.169\.254 is a metadata service/],
      ['http://[::ffff:10.0.0.1]/', /10\.0\.0\.1 is in a special-purpose range \(private use/],
      ['http://[64:ff9b::a9fe:a9fe]/', /holds 169\.254\.169\.254, which is a metadata service/],
      ['http://[64:ff9b:1::10.0.0.1]/', /holds 10\.0\.0\.1|local-use/],
      ['http://[2002:a00:1::]/', /holds 10\.0\.0\.1|6to4/],
      ['http://10.0.0.1/', /private use/],
      ['http://0xa000001/', /10\.0\.0\.1 is in/],
      ['http://167772161/', /10\.0\.0\.1 is in/],
      ['http://10.1/', /10\.0\.0\.1 is in/],
      ['http://[fd00::1]/', /unique local/],
      ['http://[fe80::1]/', /link local/],
      ['http://0/', /'this network'/],
      ['http://inside.test/', /no address of inside\.test may be connected to: 10\.0\.0\.1/],
    ] as const) {
      await refuses(t, location, reason);
    }
  });

  it('says where the redirect led', async (t) => {
    const { finding } = await follow(t, 'http://inside.test/x');
    assert.match(finding.problem?.detail ?? '', /^redirected to http:\/\/inside\.test\/x: no address/);
    assert.deepEqual(finding.addresses, ['127.0.0.1', '10.0.0.1']);
    assert.equal(finding.used, '127.0.0.1');
  });

  it('by a name that changes its address between two hops is refused at the second', async (t) => {
    let count = 0;
    const rebinding: Responder = ({ name, type }) => {
      if (type !== 'A') return {};
      return { answers: [addressRecord(name, count++ === 0 ? '127.0.0.1' : '10.0.0.1', 0)] };
    };
    await refuses(t, 'http://a.test/again', /no address of a\.test may be connected to: 10\.0\.0\.1/, rebinding);
    assert.equal(count, 2);
  });

  it('by a name that changes its address after it was judged has no effect: nobody asks again', async (t) => {
    let count = 0;
    const rebinding: Responder = ({ name, type }) => {
      if (type !== 'A') return {};
      return { answers: [addressRecord(name, count++ === 0 ? '127.0.0.1' : '10.0.0.1', 0)] };
    };
    const server = await startHttpServer(t, () => answer(200, keyAuthorization));
    const parts = await createParts(t, rebinding, { httpPort: server.port });
    assert.equal((await checkDomainControl(parts, controlRequest(), farDeadline())).result, 'pass');
    assert.equal(count, 1);
  });
});
