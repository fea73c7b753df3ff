import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { checkDomainControl } from '../src/check-domain-control.ts';
import type { LookingParts } from '../src/looking.ts';
import { zone } from './support/dns-server.ts';
import { answer, type HttpHandler, type HttpServerOptions, startHttpServer } from './support/http-server.ts';
import { controlRequest, createParts, farDeadline, keyAuthorization, token } from './support/looking.ts';

const here = { 'a.test': { A: ['127.0.0.1'] } };
const serve = () => answer(200, keyAuthorization);

async function look(
  t: TestContext,
  handler: HttpHandler,
  options: HttpServerOptions = {},
  overrides: Partial<LookingParts> = {},
) {
  const server = await startHttpServer(t, handler, options);
  const parts = await createParts(t, zone(here), { httpPort: server.port, ...overrides });
  return { server, parts, finding: await checkDomainControl(parts, controlRequest(), farDeadline()) };
}

async function fails(t: TestContext, response: string, detail: RegExp): Promise<void> {
  const { finding } = await look(t, () => response);
  assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'incorrectResponse'], response.slice(0, 80));
  assert.match(finding.problem?.detail ?? '', detail);
}

describe('RFC 8555 §8.3: http-01', () => {
  it('gets the key authorization from the well-known place, and says where', async (t) => {
    const { server, finding, parts } = await look(t, serve);
    assert.equal(finding.result, 'pass');
    const [request] = server.requests;
    assert.equal(request?.target, `/.well-known/acme-challenge/${token}`);
    assert.equal(request?.host, `a.test:${server.port}`);
    assert.equal(server.requests.length, 1);
    assert.deepEqual(finding.addresses, ['127.0.0.1']);
    assert.equal(finding.used, '127.0.0.1');
    assert.deepEqual(finding.redirects, [
      { url: `http://a.test:${server.port}/.well-known/acme-challenge/${token}`, address: '127.0.0.1', status: 200 },
    ]);
    assert.deepEqual(finding.dns.map(({ type, resolver }) => [type, resolver]).sort(), [
      ['A', parts.resolverId],
      ['AAAA', parts.resolverId],
    ]);
  });

  it('takes white space at the end, and nothing else', async (t) => {
    assert.equal((await look(t, () => answer(200, `${keyAuthorization}\r\n \t\n`))).finding.result, 'pass');
    await fails(t, answer(200, ` ${keyAuthorization}`), /' evaG/);
    await fails(t, answer(200, `${keyAuthorization}x`), /instead of/);
    await fails(t, answer(200, `${keyAuthorization}\u0000`), /instead of/);
    await fails(t, answer(200, keyAuthorization.toLowerCase()), /instead of/);
    await fails(t, answer(200, token), /instead of/);
    await fails(t, answer(200, ''), /: nothing instead of/);
    await fails(t, answer(200, `"${keyAuthorization}"`), /instead of/);
  });

  it('takes status 200 alone', async (t) => {
    for (const status of [201, 206, 300, 303, 304, 401, 404, 500, 503]) {
      await fails(t, answer(status, keyAuthorization), new RegExp(`status ${status} instead of 200`));
    }
  });

  it('takes any transfer of the body', async (t) => {
    const chunked = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n${keyAuthorization.slice(0, 3)}\r\n${(keyAuthorization.length - 3).toString(16)}\r\n${keyAuthorization.slice(3)}\r\n0\r\n\r\n`;
    assert.equal((await look(t, () => chunked)).finding.result, 'pass');
    assert.equal((await look(t, () => `HTTP/1.0 200 OK\r\n\r\n${keyAuthorization}`)).finding.result, 'pass');
    assert.equal(
      (await look(t, () => `HTTP/1.1 103 Early Hints\r\n\r\n${answer(200, keyAuthorization)}`)).finding.result,
      'pass',
    );
  });

  it('says what was seen at which address', async (t) => {
    const { finding, server } = await look(t, () => answer(200, 'hello \u0007<script>'));
    assert.equal(
      finding.problem?.detail,
      `http://a.test:${server.port}/.well-known/acme-challenge/${token} at 127.0.0.1: ` +
        `'hello ?<script>' instead of '${keyAuthorization}'`,
    );
  });

  it('does not listen to proxies of the environment', async (t) => {
    const before = process.env.http_proxy;
    process.env.http_proxy = 'http://127.0.0.1:1';
    t.after(() => {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    });
    assert.equal((await look(t, serve)).finding.result, 'pass');
  });
});

describe('acme.md §2: the address that is connected to', () => {
  const both = { 'a.test': { A: ['127.0.0.1'], AAAA: ['::1'] } };

  it('is the IPv6 one', async (t) => {
    const server = await startHttpServer(t, serve, { hosts: ['127.0.0.1', '::1'] });
    const parts = await createParts(t, zone(both), { httpPort: server.port });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.used, finding.addresses], ['pass', '::1', ['::1', '127.0.0.1']]);
  });

  it('is the IPv4 one after a connection error', async (t) => {
    const server = await startHttpServer(t, serve);
    const parts = await createParts(t, zone(both), { httpPort: server.port });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.used], ['pass', '127.0.0.1']);
  });

  it('is not the IPv4 one after a wrong answer over IPv6', async (t) => {
    const server = await startHttpServer(
      t,
      (_, socket) => answer(200, socket.remoteFamily === 'IPv6' ? 'x' : keyAuthorization),
      {
        hosts: ['127.0.0.1', '::1'],
      },
    );
    const parts = await createParts(t, zone(both), { httpPort: server.port });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.used, server.requests.length], ['fail', '::1', 1]);
  });

  it('is the first one of a family that may be connected to', async (t) => {
    const server = await startHttpServer(t, serve);
    const entries = { 'a.test': { A: ['10.0.0.1', '127.0.0.1'], AAAA: ['fe80::1', '64:ff9b::a00:1'] } };
    const parts = await createParts(t, zone(entries), { httpPort: server.port });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.used, finding.addresses?.length], ['pass', '127.0.0.1', 4]);
  });

  it('is none when none may be, with the reason of each', async (t) => {
    const entries = { 'a.test': { A: ['10.0.0.1'], AAAA: ['::ffff:169.254.169.254'] } };
    const parts = await createParts(t, zone(entries));
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.problem?.type, finding.used], ['fail', 'connection', undefined]);
    assert.match(
      finding.problem?.detail ?? '',
      /169\.254\.169\.254 is a metadata service.*10\.0\.0\.1 is in a special-purpose/,
    );
  });

  it('is told when nobody listens there', async (t) => {
    const closed = await startHttpServer(t, serve, { hosts: ['::1'] });
    const parts = await createParts(t, zone(here), { httpPort: closed.port });
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'connection']);
    assert.equal(finding.problem?.detail, `connection refused connecting to 127.0.0.1:${closed.port}`);
    assert.equal(finding.used, '127.0.0.1');
  });
});

describe('mpic.md §2.4: names that do not resolve', () => {
  it('fail with the RCODE and the resolver', async (t) => {
    const parts = await createParts(t, zone({}));
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'dns']);
    assert.equal(
      finding.problem?.detail,
      `a.test has no A or AAAA record (NXDOMAIN from resolver ${parts.resolverId})`,
    );
  });

  it('cannot be looked at when the resolver fails', async (t) => {
    const parts = await createParts(t, zone({ 'a.test': { rcode: 2 } }));
    const finding = await checkDomainControl(parts, controlRequest(), farDeadline());
    assert.deepEqual([finding.result, finding.problem?.type], ['error', 'dns']);
    assert.match(finding.problem?.detail ?? '', /AAAA of a\.test.*SERVFAIL.*A of a\.test.*SERVFAIL/);
  });

  it('need only one of A and AAAA', async (t) => {
    const server = await startHttpServer(t, serve);
    const respond = zone(here);
    const parts = await createParts(t, (asked) => (asked.type === 'AAAA' ? { rcode: 2 } : respond(asked)), {
      httpPort: server.port,
    });
    assert.equal((await checkDomainControl(parts, controlRequest(), farDeadline())).result, 'pass');
  });
});

describe('RFC 8738 §4: addresses', () => {
  for (const [value, host] of [
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
  ] as const) {
    it(`${value} is connected to without asking, and is the Host`, async (t) => {
      const server = await startHttpServer(t, serve, { hosts: [value] });
      const parts = await createParts(t, zone({}), { httpPort: server.port });
      const request = controlRequest({ identifier: { type: 'ip', value, isWildcard: false } });
      const finding = await checkDomainControl(parts, request, farDeadline());
      assert.deepEqual([finding.result, finding.used, finding.dns], ['pass', value, []]);
      assert.equal(server.requests[0]?.host, `${host}:${server.port}`);
    });
  }

  it('of special-purpose ranges are refused', async (t) => {
    const parts = await createParts(t, zone({}));
    for (const value of ['10.0.0.1', '64:ff9b::a00:1', 'fd00::1']) {
      const request = controlRequest({ identifier: { type: 'ip', value, isWildcard: false } });
      const finding = await checkDomainControl(parts, request, farDeadline());
      assert.deepEqual([finding.result, finding.problem?.type], ['fail', 'connection'], value);
    }
  });
});
