import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectCore } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import type { Enrollment } from '@gatehouse/ra-client/enrollment';
import {
  type Answer,
  createServiceAuthority,
  issued,
  onEnroll,
  perspectiveNames,
  silentLog,
  startTestCore,
  startTlsServer,
} from './support/test-core.ts';

const authority = createServiceAuthority();

const enrollment: Enrollment = {
  idempotencyKey: 'key-00001',
  profile: 'tls-server',
  subjectKey: { kind: 'certification-request', der: Buffer.from('csr') },
  requester: { kind: 'user', id: 'alice', address: '192.0.2.1' },
};

type Fixture = { readonly cores: number; readonly answers: (core: number) => Readonly<Record<string, Answer>> };

async function withCores(
  { cores: count, answers }: Fixture,
  body: (
    client: ReturnType<typeof connectCore>,
    cores: readonly Awaited<ReturnType<typeof startTestCore>>[],
  ) => Promise<void>,
  options: Partial<Parameters<typeof connectCore>[0]> = {},
): Promise<void> {
  const cores = await Promise.all(
    Array.from({ length: count }, (_, index) => startTestCore(authority, answers(index))),
  );
  const client = connectCore({
    addresses: cores.map(({ address }) => address),
    credential: holdCredential(authority.credential('ra/est')),
    log: silentLog,
    renewsCredential: false,
    // A machine that is busy with other tests must not make these fail.
    timeoutMs: 60_000,
    retryWindowMs: 30_000,
    ...options,
  });
  try {
    await body(client, cores);
  } finally {
    await client.close(0);
    for (const core of cores) core.stop();
  }
}

const one = (answers: Readonly<Record<string, Answer>>): Fixture => ({ cores: 1, answers: () => answers });

describe('ARCHITECTURE §3: calls over the bridge', () => {
  it('gives an issued certificate with its chain as a typed outcome', async () => {
    await withCores(one({ enroll: onEnroll(() => issued()) }), async (client) => {
      const outcome = await client.enroll(enrollment);
      assert.equal(outcome.kind, 'issued');
      assert.equal(outcome.kind === 'issued' && outcome.serialNumber, '01ab');
      assert.equal(outcome.kind === 'issued' && outcome.chain.length, 2);
    });
  });

  it('gives a pending enrollment with the time to wait', async () => {
    const pending = issued({ outcome: { $case: 'pending', value: { retryAfterSeconds: 30 } } });
    await withCores(one({ enroll: onEnroll(() => pending) }), async (client) => {
      assert.deepEqual(await client.enroll(enrollment), {
        kind: 'pending',
        requestId: 'request-1',
        retryAfterSeconds: 30,
      });
    });
  });

  it('refuses an answer without an outcome as internal', async () => {
    await withCores(one({ enroll: onEnroll(() => issued({ outcome: undefined })) }), async (client) => {
      await assert.rejects(client.enroll(enrollment), { name: 'CoreError', code: 'internal' });
    });
  });

  it('carries every part of an enrollment, and the request id as metadata', async () => {
    let seen: unknown;
    let requestId: unknown;
    const answer = onEnroll((request, metadata) => {
      seen = request;
      [requestId] = metadata.get('gatehouse-request-id');
      return issued();
    });
    await withCores(one({ enroll: answer }), async (client) => {
      await client.enroll(
        {
          ...enrollment,
          names: {
            subject: 'CN=a.example',
            subjectAlternativeNames: [
              { kind: 'dns', value: 'a.example' },
              { kind: 'registered-id', value: '1.2.3' },
            ],
            replacesRequested: true,
          },
          validityMs: 90_000_500,
          renews: Buffer.from('old'),
          evidence: [{ type: 'client-certificate-chain', payload: Buffer.from('leaf') }],
          changesNames: true,
          notAfter: new Date('2030-01-31T00:00:00Z'),
        },
        { requestId: '01HZZZZZZZZZZZZZZZZZZZZZZZ' },
      );
    });
    assert.equal(requestId, '01HZZZZZZZZZZZZZZZZZZZZZZZ');
    assert.deepEqual(seen, {
      idempotencyKey: 'key-00001',
      profile: 'tls-server',
      subjectKey: { $case: 'certificationRequest', value: Buffer.from('csr') },
      names: {
        subject: 'CN=a.example',
        subjectAlternativeNames: [
          { name: { $case: 'dns', value: 'a.example' } },
          { name: { $case: 'der', value: Buffer.from([0x88, 0x02, 0x2a, 0x03]) } },
        ],
        replacesRequested: true,
      },
      validity: { seconds: 90_000, nanos: 0 },
      requester: { kind: 1, id: 'alice', address: '192.0.2.1', display: '' },
      renews: Buffer.from('old'),
      evidence: [{ type: 'client-certificate-chain', payload: Buffer.from('leaf'), certificates: [], statements: [] }],
      changesNames: true,
      notBefore: undefined,
      notAfter: new Date('2030-01-31T00:00:00Z'),
    });
  });

  it('throws the error of the core with its type, detail and names', async () => {
    const refusal = new CoreError('rejected-name', 'one name is refused', {
      names: [{ name: { name: { $case: 'dns', value: 'b.example' } }, type: 'out-of-scope', detail: 'b.example' }],
    });
    await withCores(
      one({
        enroll: () => {
          throw refusal;
        },
      }),
      async (client) => {
        await assert.rejects(client.enroll(enrollment), (error: CoreError) => {
          assert.equal(error.code, 'rejected-name');
          assert.equal(error.detail, 'one name is refused');
          assert.deepEqual(error.names, refusal.names);
          return true;
        });
      },
    );
  });

  it('streams certificates, and ends the call when the iteration ends', async () => {
    const records = Array.from({ length: 5 }, (_, index) => ({ serialNumber: `0${index}` }));
    await withCores(one({ findCertificates: () => records.map(record) }), async (client) => {
      const all: string[] = [];
      for await (const { serialNumber } of client.findCertificates({ profile: 'tls-server' })) all.push(serialNumber);
      assert.deepEqual(all, ['00', '01', '02', '03', '04']);
      for await (const { serialNumber } of client.findCertificates({})) {
        assert.equal(serialNumber, '00');
        break;
      }
    });
  });

  it('throws the error of a stream from its iteration', async () => {
    const answer = () => {
      throw new CoreError('not-found', 'no such RA');
    };
    await withCores(one({ findCertificates: answer }), async (client) => {
      await assert.rejects(
        async () => {
          for await (const _ of client.findCertificates({})) assert.fail('no record was sent');
        },
        { code: 'not-found' },
      );
    });
  });
});

describe('ARCHITECTURE §3: fail-over and retries', () => {
  it('connects to one address only, as long as it answers', async () => {
    const calls = [0, 0];
    const answers = (core: number) => ({
      enroll: onEnroll(() => {
        calls[core] = (calls[core] ?? 0) + 1;
        return issued();
      }),
    });
    await withCores({ cores: 2, answers }, async (client) => {
      for (let i = 0; i < 5; i++) await client.enroll(enrollment);
      assert.deepEqual(calls, [5, 0]);
      assert.deepEqual(
        client.health().endpoints.map(({ state }) => state),
        ['ready', 'idle'],
      );
    });
  });

  it('moves on to the next address when one is gone, without failing a call', async () => {
    await withCores({ cores: 2, answers: () => ({ enroll: onEnroll(() => issued()) }) }, async (client, [first]) => {
      await client.enroll(enrollment);
      first?.stop();
      for (let i = 0; i < 5; i++) assert.equal((await client.enroll(enrollment)).kind, 'issued');
      assert.equal(client.health().isReachable, true);
    });
  });

  it('repeats an enrollment that was cut off in the middle, with the same idempotency key', async () => {
    const keys: string[] = [];
    let cut = (): void => {};
    const answers = (core: number) => ({
      enroll: onEnroll((request) => {
        keys.push(request.idempotencyKey);
        if (core === 1) return issued({ isRepeated: true });
        cut();
        return new Promise(() => {});
      }),
    });
    await withCores({ cores: 2, answers }, async (client, [first]) => {
      cut = () => first?.stop();
      const outcome = await client.enroll(enrollment);
      assert.equal(outcome.kind === 'issued' && outcome.isRepeated, true);
      assert.deepEqual(keys, ['key-00001', 'key-00001']);
    });
  });

  it('moves on when the core itself says unavailable', async () => {
    const answers = (core: number) => ({
      enroll: onEnroll(() => {
        if (core === 0) throw new CoreError('unavailable', 'the disk is full');
        return issued();
      }),
    });
    await withCores({ cores: 2, answers }, async (client) => {
      assert.equal((await client.enroll(enrollment)).kind, 'issued');
    });
  });

  it('rides through a restart of the only core', async () => {
    const answers = { enroll: onEnroll(() => issued()) };
    await withCores(one(answers), async (client, [first]) => {
      await client.enroll(enrollment);
      first?.stop();
      const call = client.enroll(enrollment);
      const second = await startTestCore(authority, answers, { port: first?.port });
      assert.equal((await call).kind, 'issued');
      second.stop();
    });
  });

  it('gives up within the window when no core answers, as unavailable', async () => {
    await withCores(
      one({}),
      async (client, [first]) => {
        first?.stop();
        await assert.rejects(client.enroll(enrollment), { name: 'CoreError', code: 'unavailable' });
        const health = client.health();
        assert.equal(health.isReachable, false);
        assert.notEqual(health.endpoints[0]?.lastFailure, undefined);
      },
      { retryWindowMs: 100 },
    );
  });

  it('never sends a call twice that is not idempotent', async () => {
    let calls = 0;
    const answers = () => ({
      createJoinToken: () => {
        calls++;
        throw new CoreError('unavailable', 'the disk is full');
      },
    });
    await withCores({ cores: 2, answers }, async (client) => {
      await assert.rejects(client.administration.createJoinToken({ name: 'est', tokenLife: undefined }), {
        code: 'unavailable',
      });
      assert.equal(calls, 1);
    });
  });

  it('never repeats a refusal', async () => {
    let calls = 0;
    const answers = () => ({
      enroll: onEnroll(() => {
        calls++;
        throw new CoreError('out-of-scope', 'a.example is not yours');
      }),
    });
    await withCores({ cores: 2, answers }, async (client) => {
      await assert.rejects(client.enroll(enrollment), { code: 'out-of-scope' });
      assert.equal(calls, 1);
    });
  });

  it('ends a call at its deadline, as unavailable', async () => {
    await withCores(one({ enroll: onEnroll(() => new Promise(() => {})) }), async (client) => {
      await assert.rejects(client.enroll(enrollment, { timeoutMs: 50 }), { code: 'unavailable' });
    });
  });

  it('refuses calls after it was closed, also those that wait for their next attempt', async () => {
    await withCores(one({}), async (client, [first]) => {
      first?.stop();
      const waiting = client.enroll(enrollment);
      await client.close(0);
      await assert.rejects(waiting, { code: 'unavailable' });
      await assert.rejects(client.enroll(enrollment), {
        code: 'unavailable',
        detail: 'the client of the CA core was closed',
      });
    });
  });

  it('lets calls in flight end when it is closed', async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const answer = onEnroll(async () => {
      started.resolve();
      await gate.promise;
      return issued();
    });
    await withCores(one({ enroll: answer }), async (client) => {
      const call = client.enroll(enrollment);
      await started.promise;
      const closed = client.close();
      gate.resolve();
      assert.equal((await call).kind, 'issued');
      await closed;
    });
  });

  it('leaves half of the deadline for another address when one is silent', async () => {
    const answers = (core: number) => ({ enroll: onEnroll(() => (core === 0 ? new Promise(() => {}) : issued())) });
    await withCores({ cores: 2, answers }, async (client) => {
      assert.equal((await client.enroll(enrollment, { timeoutMs: 6_000 })).kind, 'issued');
    });
  });
});

describe('ARCHITECTURE §3: who is believed', () => {
  const cases = [
    { title: 'refuses a core whose certificate is of another CA', server: createServiceAuthority(), names: undefined },
    {
      title: 'refuses a server with a certificate of the service CA that does not name the core',
      server: authority,
      names: [{ kind: 'uri', value: 'spiffe://gatehouse.internal/ra/scep' }] as const,
    },
    // A perspective holds a certificate of the service CA for servers: it must not pass for the core.
    { title: 'refuses a perspective that plays the core', server: authority, names: perspectiveNames('dublin') },
  ];
  for (const { title, server, names } of cases) {
    it(title, async () => {
      const core = await startTestCore(
        server,
        { enroll: onEnroll(() => issued()) },
        names === undefined ? {} : { names },
      );
      const client = connectCore({
        addresses: [core.address],
        credential: holdCredential(authority.credential('ra/est')),
        log: silentLog,
        renewsCredential: false,
        retryWindowMs: 0,
      });
      await assert.rejects(client.enroll(enrollment), { code: 'unavailable' });
      await client.close(0);
      core.stop();
    });
  }

  it('refuses a core that speaks TLS 1.2 only', async () => {
    const core = await startTlsServer(authority, 'TLSv1.2');
    const client = connectCore({
      addresses: [core.address],
      credential: holdCredential(authority.credential('ra/est')),
      log: silentLog,
      renewsCredential: false,
      retryWindowMs: 0,
    });
    await assert.rejects(client.enroll(enrollment), { code: 'unavailable' });
    assert.match(client.health().endpoints[0]?.lastFailure ?? '', /protocol version/);
    await client.close(0);
    core.stop();
  });
});

function record({ serialNumber }: { readonly serialNumber: string }) {
  const nothing = Buffer.alloc(0);
  return {
    serialNumber,
    certificate: nothing,
    authority: 'issuing',
    profile: 'tls-server',
    registrationAuthority: 'est',
    requester: undefined,
    subject: '',
    names: [],
    notBefore: undefined,
    notAfter: undefined,
    issuedAt: undefined,
    state: 1,
    revocation: undefined,
    keyFingerprint: nothing,
    renews: '',
    requestId: '',
  };
}
