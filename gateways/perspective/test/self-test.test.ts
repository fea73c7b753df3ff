import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { validationSchema } from '@gatehouse/gateway-perspective/config';
import { startSelfTest } from '@gatehouse/gateway-perspective/self-test';
import { silentLog } from '@gatehouse/ra-client/testing/test-core';
import type { z } from 'zod';
import { authenticated, type Responder, startDnsServer } from './support/dns-server.ts';
import { addressRecord } from './support/dns-wire.ts';

const names = { signed: 'signed.example', bogus: 'bogus.example' };

/** A resolver that validates, or only passes on. */
function resolverThat(isValidating: boolean): Responder {
  return ({ name }) => {
    if (name === names.bogus && isValidating) return { rcode: 2 };
    const answers = [addressRecord(name, '192.0.2.1')];
    return name === names.signed && isValidating ? { flags: authenticated, answers } : { answers };
  };
}

async function testAgainst(t: TestContext, settings: Partial<z.input<typeof validationSchema>>) {
  const selfTest = startSelfTest({ validation: validationSchema.parse(settings), log: silentLog });
  t.after(() => selfTest.close());
  await selfTest.run();
  return { problems: selfTest.problems(), validatesDnssec: selfTest.validatesDnssec() };
}

describe('mpic.md §2.4: before ready, the resolvers prove that they validate DNSSEC', () => {
  it('by AD for a signed name, and SERVFAIL for one whose signature is wrong', async (t) => {
    const { address: resolver } = await startDnsServer(t, resolverThat(true));
    const found = await testAgainst(t, { resolver, selfTest: names, requireDnssec: true });
    assert.deepEqual(found, { problems: [], validatesDnssec: true });
  });

  it('each of them', async (t) => {
    const { address: good } = await startDnsServer(t, resolverThat(true));
    const { address: bad } = await startDnsServer(t, resolverThat(false));
    const { problems, validatesDnssec } = await testAgainst(t, { resolver: [good, bad], selfTest: names });
    assert.equal(validatesDnssec, false);
    assert.deepEqual(problems, [
      `resolver ${bad} does not validate DNSSEC: its answer for signed.example, which is signed, comes without AD`,
      `resolver ${bad} does not validate DNSSEC: bogus.example, whose signature is wrong, gives NOERROR instead of SERVFAIL`,
    ]);
  });

  it('and one that says nothing proves nothing', async (t) => {
    const { address: resolver } = await startDnsServer(t, () => []);
    const settings = { resolver, resolverTimeout: '100ms', selfTest: names };
    const { problems, validatesDnssec } = await testAgainst(t, settings);
    assert.equal(validatesDnssec, false);
    assert.match(problems.join('\n'), /signed\.example .*no answer in time\n.*bogus\.example.* gives TIMEOUT/);
  });

  it('and one beyond loopback cannot: its word could be anybody’s', async (t) => {
    const settings = { resolver: '192.0.2.53:53', resolverTimeout: '100ms', requireDnssec: true };
    const { problems } = await testAgainst(t, settings);
    assert.match(problems.join('\n'), /192\.0\.2\.53:53 is not on a loopback address/);
    assert.match(problems.join('\n'), /needs both names of selfTest/);
  });

  it('is not asked for where no names are configured', async (t) => {
    const server = await startDnsServer(t, resolverThat(true));
    assert.deepEqual(await testAgainst(t, { resolver: server.address }), { problems: [], validatesDnssec: false });
    assert.deepEqual(server.asked, []);
  });

  it('counts as found last', async (t) => {
    let isValidating = false;
    const { address: resolver } = await startDnsServer(t, (asked) => resolverThat(isValidating)(asked));
    const validation = validationSchema.parse({ resolver, selfTest: names });
    const selfTest = startSelfTest({ validation, log: silentLog });
    t.after(() => selfTest.close());
    assert.deepEqual(selfTest.problems(), ['the resolvers have not been tested yet']);
    await selfTest.run();
    assert.equal(selfTest.problems().length, 2);
    isValidating = true;
    await selfTest.run();
    assert.deepEqual([selfTest.problems(), selfTest.validatesDnssec()], [[], true]);
  });
});
