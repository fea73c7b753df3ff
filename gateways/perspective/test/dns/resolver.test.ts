import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createDnsResolver, type DnsResolverOptions } from '../../src/dns/resolver.ts';
import { authenticated, type Responder, startDnsServer, writeReply, zone } from '../support/dns-server.ts';
import { addressRecord, aliasRecord, extendedError, flags, txtRecord, typeNumbers } from '../support/dns-wire.ts';

const never = new AbortController().signal;

async function setUp(t: TestContext, respond: Responder, options: Partial<DnsResolverOptions> = {}) {
  const server = await startDnsServer(t, respond);
  return { server, resolver: createDnsResolver({ resolvers: [server.address], tryMs: 2000, ...options }) };
}

describe('mpic.md §2.4: what is asked', () => {
  it('has RD, AD and DO set and CD clear, from another port with another id each time', async (t) => {
    const { server, resolver } = await setUp(t, zone({ 'a.test': { TXT: ['x'] } }));
    for (let i = 0; i < 8; i++) await resolver.query('a.test', 'TXT', never);
    for (const asked of server.asked) {
      const { isRecursionDesired, isAuthenticDataWanted, isDnssecOk, isCheckingDisabled, transport } = asked;
      assert.deepEqual(
        [isRecursionDesired, isAuthenticDataWanted, isDnssecOk, isCheckingDisabled],
        [true, true, true, false],
      );
      assert.equal(transport, 'udp');
    }
    assert.ok(new Set(server.asked.map(({ id }) => id)).size > 1);
    assert.ok(new Set(server.asked.map(({ port }) => port)).size > 1);
  });

  it('is never kept: the same question goes out again', async (t) => {
    let count = 0;
    const { resolver } = await setUp(t, ({ name }) => ({ answers: [txtRecord(name, [`${++count}`])] }));
    for (const expected of ['1', '2']) {
      const answer = await resolver.query('a.test', 'TXT', never);
      assert.deepEqual(answer.outcome === 'found' && answer.values, [expected]);
    }
  });

  it('goes only to the resolvers of the zone that holds the name', async (t) => {
    const inside = await startDnsServer(t, zone({ 'x.corp.test': { A: ['10.0.0.1'] } }));
    const { server, resolver } = await setUp(t, zone({ 'x.corp.test': { A: ['192.0.2.1'] }, 'corp.test': {} }), {
      zones: [{ zone: '*.corp.test', resolvers: [inside.address] }],
    });
    const answer = await resolver.query('x.corp.test', 'A', never);
    assert.deepEqual(answer.outcome === 'found' && answer.values, ['10.0.0.1']);
    assert.equal(answer.lookup.resolver, inside.address);
    assert.equal(server.asked.length, 0);
    await resolver.query('corp.test', 'A', never);
    assert.equal(server.asked.length, 1);
  });

  it('is refused without asking when it is no name', async (t) => {
    const { server, resolver } = await setUp(t, zone({}));
    const answer = await resolver.query('a..test', 'A', never);
    assert.equal(answer.outcome, 'failed');
    assert.equal(server.asked.length, 0);
  });

  it('needs resolvers that can be read', () => {
    assert.throws(() => createDnsResolver({ resolvers: [] }), TypeError);
    assert.throws(() => createDnsResolver({ resolvers: ['dns.example:53'] }), /'dns.example:53' is no resolver/);
  });
});

describe('mpic.md §2.4: what is answered', () => {
  it('is told with RCODE, AD, aliases, the smallest TTL and the resolver', async (t) => {
    const { server, resolver } = await setUp(t, () => ({
      flags: authenticated,
      answers: [aliasRecord('a.test', 'b.test', 30), txtRecord('b.test', ['x'], 60), txtRecord('c.test', ['other'], 1)],
    }));
    assert.deepEqual(await resolver.query('a.test', 'TXT', never), {
      outcome: 'found',
      values: ['x'],
      lookup: {
        name: 'a.test',
        type: 'TXT',
        rcode: 'NOERROR',
        isAuthenticated: true,
        aliases: ['b.test'],
        ttl: 30,
        resolver: server.address,
      },
    });
  });

  it('is none for NXDOMAIN and for no records of the type, with the TTL of RFC 2308 §5', async (t) => {
    const { resolver } = await setUp(t, zone({ 'a.test': { A: ['192.0.2.1'] } }));
    const noName = await resolver.query('b.test', 'A', never);
    assert.deepEqual([noName.outcome, noName.lookup.rcode, noName.lookup.ttl], ['none', 'NXDOMAIN', 30]);
    const noType = await resolver.query('a.test', 'CAA', never);
    assert.deepEqual([noType.outcome, noType.lookup.rcode], ['none', 'NOERROR']);
  });

  it('RFC 8020: is none when NXDOMAIN comes with records', async (t) => {
    const { resolver } = await setUp(t, () => ({ rcode: 3, answers: [txtRecord('a.test', ['x'])] }));
    assert.equal((await resolver.query('a.test', 'TXT', never)).outcome, 'none');
  });

  it('RFC 1034 §3.6.2: has failed when aliases lead in a circle', async (t) => {
    const { resolver } = await setUp(t, () => ({
      answers: [aliasRecord('a.test', 'b.test'), aliasRecord('b.test', 'a.test'), txtRecord('a.test', ['x'])],
    }));
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.match(answer.outcome === 'failed' ? answer.detail : '', /too many aliases/);
    assert.equal(answer.lookup.aliases?.length, 16);
  });
});

describe('mpic.md §2.4: SERVFAIL', () => {
  it('is no answer, is asked again with CD to explain it, and comes with the extended error', async (t) => {
    const { server, resolver } = await setUp(t, ({ isCheckingDisabled, name }) =>
      isCheckingDisabled
        ? { answers: [txtRecord(name, ['x'])] }
        : { rcode: 2, additionals: [extendedError(6, 'signature expired')] },
    );
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.equal(answer.outcome, 'failed');
    assert.equal(
      answer.outcome === 'failed' && answer.detail,
      `TXT of a.test from resolver ${server.address}: SERVFAIL (EDE 6 DNSSEC Bogus: signature expired); ` +
        'without checking signatures it has an answer, so DNSSEC validation fails',
    );
    assert.deepEqual(
      server.asked.map(({ isCheckingDisabled }) => isCheckingDisabled),
      [false, true],
    );
  });

  it('and every other RCODE than NOERROR and NXDOMAIN is a failure', async (t) => {
    for (const [rcode, name] of [
      [2, 'SERVFAIL'],
      [4, 'NOTIMP'],
      [5, 'REFUSED'],
      [9, 'NOTAUTH'],
      [12, 'RCODE12'],
    ] as const) {
      const { resolver } = await setUp(t, () => ({ rcode, answers: [txtRecord('a.test', ['x'])] }));
      const answer = await resolver.query('a.test', 'TXT', never);
      assert.deepEqual([answer.outcome, answer.lookup.rcode], ['failed', name]);
    }
  });
});

describe('RFC 4035 §4.9.3: AD', () => {
  it('is not believed of a resolver that is not on loopback', async (t) => {
    const { parseUpstream } = await import('../../src/dns/upstream.ts');
    for (const [text, isLoopback] of [
      ['127.0.0.1:53', true],
      ['127.8.8.8', true],
      ['[::1]:53', true],
      ['::1', true],
      ['localhost:5353', true],
      ['192.0.2.53:53', false],
      ['[2001:db8::53]:53', false],
      ['[::ffff:127.0.0.1]:53', false],
    ] as const) {
      assert.equal(parseUpstream(text)?.isLoopback, isLoopback, text);
    }
    for (const text of ['', 'dns.example', '127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:x', '[127.0.0.1', ':53']) {
      assert.equal(parseUpstream(text), undefined, text);
    }
    const { resolver } = await setUp(t, () => ({ answers: [addressRecord('a.test', '192.0.2.1')] }));
    assert.equal((await resolver.query('a.test', 'A', never)).lookup.isAuthenticated, false);
  });
});

describe('RFC 7766 §5: a truncated answer', () => {
  it('is asked for again over TCP', async (t) => {
    const long = Array.from({ length: 100 }, (_, i) => txtRecord('a.test', [`${i}`.padStart(200, 'x')]));
    const { server, resolver } = await setUp(t, ({ transport }) =>
      transport === 'udp' ? { flags: flags.response | flags.truncated } : { answers: long },
    );
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.equal(answer.outcome === 'found' && answer.values.length, 100);
    assert.deepEqual(
      server.asked.map(({ transport }) => transport),
      ['udp', 'tcp'],
    );
  });

  it('is a failure when TCP answers another question', async (t) => {
    const { resolver } = await setUp(t, (asked) =>
      asked.transport === 'udp'
        ? { flags: flags.response | flags.truncated }
        : writeReply({ ...asked, name: 'b.test' }, { answers: [txtRecord('a.test', ['x'])] }),
    );
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.deepEqual([answer.outcome, answer.lookup.rcode], ['failed', 'MALFORMED']);
  });
});

describe('RFC 6891 §7: a server without EDNS', () => {
  it('is asked again without', async (t) => {
    const { server, resolver } = await setUp(t, ({ hasEdns, name }) =>
      hasEdns ? { rcode: 1 } : { answers: [txtRecord(name, ['x'])] },
    );
    assert.equal((await resolver.query('a.test', 'TXT', never)).outcome, 'found');
    assert.equal(server.asked.length, 2);
  });
});

describe('mpic.md §2.3: a resolver', () => {
  it('that does not answer is asked once more, then the query has failed', async (t) => {
    const { server, resolver } = await setUp(t, () => [], { tryMs: 30 });
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.deepEqual([answer.outcome, answer.lookup.rcode], ['failed', 'TIMEOUT']);
    assert.equal(server.asked.length, 2);
  });

  it('that does not answer is followed by the next one', async (t) => {
    const silent = await startDnsServer(t, () => []);
    const server = await startDnsServer(t, zone({ 'a.test': { TXT: ['x'] } }));
    const resolver = createDnsResolver({ resolvers: [silent.address, server.address], tryMs: 50 });
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.deepEqual([answer.outcome, answer.lookup.resolver], ['found', server.address]);
  });

  it('that nobody listens at is a failure that says so', async () => {
    const resolver = createDnsResolver({ resolvers: ['127.0.0.1:1'], tryMs: 500 });
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.deepEqual([answer.outcome, answer.lookup.rcode], ['failed', 'UNREACHABLE']);
  });

  it('is not waited for beyond the deadline', async (t) => {
    const { server, resolver } = await setUp(t, () => [], { tryMs: 60_000 });
    const started = performance.now();
    const answer = await resolver.query('a.test', 'TXT', AbortSignal.timeout(50));
    assert.deepEqual([answer.outcome, answer.lookup.rcode], ['failed', 'TIMEOUT']);
    assert.ok(performance.now() - started < 5000);
    assert.equal(server.asked.length, 1);
    assert.equal((await resolver.query('a.test', 'TXT', AbortSignal.abort())).outcome, 'failed');
  });
});

describe('RFC 5452 §9.1: forged answers', () => {
  it('to another question, of another id or without QR are passed over until the right one comes', async (t) => {
    const { resolver } = await setUp(t, (asked) => [
      { id: (asked.id + 1) & 0xffff, answers: [txtRecord('a.test', ['forged'])] },
      { questions: [{ name: 'b.test', type: typeNumbers.TXT }], answers: [txtRecord('a.test', ['forged'])] },
      { flags: 0x0100, answers: [txtRecord('a.test', ['forged'])] },
      Buffer.from('x'),
      { answers: [txtRecord('a.test', ['real'])] },
    ]);
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.deepEqual(answer.outcome === 'found' && answer.values, ['real']);
  });

  it('are told when nothing else came', async (t) => {
    const { resolver } = await setUp(t, () => ({ questions: [{ name: 'b.test', type: typeNumbers.TXT }] }), {
      tryMs: 50,
    });
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.match(answer.outcome === 'failed' ? answer.detail : '', /1 answers to another question were passed over/);
  });

  it('for another name in the answer section prove nothing', async (t) => {
    const { resolver } = await setUp(t, () => ({
      answers: [txtRecord('b.test', ['x']), txtRecord('a\\.test', ['y'])],
    }));
    assert.equal((await resolver.query('a.test', 'TXT', never)).outcome, 'none');
  });

  it('that are malformed are a failure, asked for once more', async (t) => {
    const { server, resolver } = await setUp(t, (asked) =>
      writeReply(asked, { answers: [txtRecord('a.test', ['x'])] }).subarray(0, -1),
    );
    const answer = await resolver.query('a.test', 'TXT', never);
    assert.deepEqual([answer.outcome, answer.lookup.rcode], ['failed', 'MALFORMED']);
    assert.equal(server.asked.length, 2);
  });
});
