import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CheckCaaRequest, CheckDomainControlRequest } from '@gatehouse/proto/perspective';
import { maximumStatementOctets } from '@gatehouse/proto/perspective-statement';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { connectPerspective, type PerspectiveClient } from '@gatehouse/ra-client/perspective';
import {
  type Answer,
  createServiceAuthority,
  perspectiveNames,
  silentLog,
  startTestCore,
} from './support/test-core.ts';

const authority = createServiceAuthority();
const attempt = { id: 'attempt-1', order: 'order-1', authorization: 'authz-1', perspectives: ['dublin'] };
const identifier = { type: 'dns', value: 'www.example.com', isWildcard: false };
const question: CheckDomainControlRequest = {
  attempt,
  identifier,
  method: 'http-01',
  token: 'token',
  thumbprints: ['thumbprint'],
  accountUri: 'https://ca.example/acme/account/1',
  variant: '',
};
const caaQuestion: CheckCaaRequest = {
  attempt,
  identifier,
  method: 'http-01',
  accountUri: 'https://ca.example/acme/account/1',
  thumbprint: 'thumbprint',
};

function soon(ms = 60_000): Date {
  return new Date(Date.now() + ms);
}

async function withPerspective(
  answers: Readonly<Record<string, Answer>>,
  body: (client: PerspectiveClient) => Promise<void>,
  names = perspectiveNames('dublin'),
): Promise<void> {
  const server = await startTestCore(authority, answers, { names });
  const client = connectPerspective({
    address: server.address,
    name: 'dublin',
    credential: holdCredential(authority.credential('ra/acme')),
    log: silentLog,
  });
  try {
    await body(client);
  } finally {
    await client.close();
    server.stop();
  }
}

describe('mpic.md §2: a gate asks a perspective', () => {
  it('passes both questions on as they are, and gives the statements', async () => {
    const asked: unknown[] = [];
    const answer = (jws: string) => (request: unknown) => {
      asked.push(request);
      return { jws };
    };
    const answers = { checkDomainControl: answer('a.b.c'), checkCaa: answer('d.e.f') };
    await withPerspective(answers, async (client) => {
      assert.equal(await client.checkDomainControl(question, soon()), 'a.b.c');
      assert.equal(await client.checkCaa(caaQuestion, soon()), 'd.e.f');
      assert.deepEqual(asked, [question, caaQuestion]);
      assert.equal(client.isConnected(), true);
    });
  });

  it('asks what it says about itself', async () => {
    const description = {
      name: 'dublin',
      site: 'dublin',
      rir: 'RIPE',
      build: '1',
      keyId: 'kid',
      now: new Date('2026-11-21T12:00:00Z'),
      problems: ['the clock is off'],
      validatesDnssec: true,
    };
    await withPerspective({ describe: () => description }, async (client) => {
      assert.deepEqual(await client.describe(soon()), description);
    });
  });

  it('gives up at the deadline', async () => {
    const { promise: hanging, resolve: release } = Promise.withResolvers<unknown>();
    await withPerspective({ checkDomainControl: () => hanging }, async (client) => {
      await assert.rejects(client.checkDomainControl(question, soon(300)), {
        code: 'unavailable',
        detail: 'the perspective dublin cannot be reached',
      });
      release({ jws: 'a.b.c' });
    });
  });

  it('never asks twice', async () => {
    let count = 0;
    const checkCaa = () => {
      count++;
      throw new CoreError('unavailable', 'too much to do', { retryAfterSeconds: 1 });
    };
    await withPerspective({ checkCaa }, async (client) => {
      await assert.rejects(client.checkCaa(caaQuestion, soon()), { code: 'unavailable', detail: 'too much to do' });
      assert.equal(count, 1);
    });
  });

  it('passes on its refusals', async () => {
    const checkDomainControl = () => {
      throw new CoreError('unauthorized', 'not on the list');
    };
    await withPerspective({ checkDomainControl }, async (client) => {
      await assert.rejects(client.checkDomainControl(question, soon()), {
        name: 'CoreError',
        code: 'unauthorized',
        detail: 'not on the list',
      });
    });
  });

  for (const [what, jws] of [
    ['empty', ''],
    ['too large', 'a'.repeat(maximumStatementOctets + 1)],
  ] as const) {
    it(`refuses a statement that is ${what}`, async () => {
      await withPerspective({ checkDomainControl: () => ({ jws }) }, async (client) => {
        await assert.rejects(client.checkDomainControl(question, soon()), { code: 'internal' });
      });
    });
  }

  it('does not listen to one that sends without end', async () => {
    const jws = 'a'.repeat(128 * 1024);
    await withPerspective({ checkDomainControl: () => ({ jws }) }, async (client) => {
      await assert.rejects(client.checkDomainControl(question, soon()), { name: 'CoreError' });
    });
  });
});

describe('mpic.md §1: the channel is authenticated', () => {
  const answers = { checkDomainControl: () => ({ jws: 'a.b.c' }) };

  for (const [who, names] of [
    ['another perspective', perspectiveNames('saopaulo')],
    ['a gate of that name', [{ kind: 'uri', value: 'spiffe://gatehouse.internal/ra/dublin' }]],
    ['the core', [{ kind: 'dns', value: 'core.gatehouse.internal' }]],
    ['a server with its name for the handshake alone', [{ kind: 'dns', value: 'perspective.gatehouse.internal' }]],
  ] as const) {
    it(`tells ${who} nothing`, async () => {
      await withPerspective(
        answers,
        async (client) => {
          await assert.rejects(client.checkDomainControl(question, soon()), { code: 'unavailable' });
          assert.equal(client.isConnected(), false);
        },
        names,
      );
    });
  }

  it('tells a server whose certificate is of another CA nothing', async () => {
    const stranger = await startTestCore(createServiceAuthority(), answers, { names: perspectiveNames('dublin') });
    const credential = holdCredential(authority.credential('ra/acme'));
    const client = connectPerspective({ address: stranger.address, name: 'dublin', credential, log: silentLog });
    await assert.rejects(client.checkDomainControl(question, soon()), { code: 'unavailable' });
    await client.close();
    stranger.stop();
  });

  it('uses a renewed credential for what is asked from then on', async () => {
    const credential = holdCredential(authority.credential('ra/acme'));
    const server = await startTestCore(authority, answers, { names: perspectiveNames('dublin') });
    const client = connectPerspective({ address: server.address, name: 'dublin', credential, log: silentLog });
    assert.equal(await client.checkDomainControl(question, soon()), 'a.b.c');
    credential.replace(authority.credential('ra/acme'));
    assert.equal(await client.checkDomainControl(question, soon()), 'a.b.c');
    await client.close();
    await assert.rejects(client.checkDomainControl(question, soon()), { code: 'unavailable' });
    server.stop();
  });
});
