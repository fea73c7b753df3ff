import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StatusChanges, WatchStatusRequest } from '@gatehouse/proto/certificate-status';
import { connectCore } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import type { WatchOptions } from '@gatehouse/ra-client/status';
import { statusChanges } from './support/status-messages.ts';
import { createServiceAuthority, silentLog, startTestCore } from './support/test-core.ts';

const authority = createServiceAuthority();

type Events = {
  /** What happened, in order: `position N`, `connected`, `disconnected`. */
  readonly seen: readonly string[];
  /** Resolves when the watch has seen this. */
  until(event: string): Promise<void>;
};

type Script = (request: WatchStatusRequest, call: number) => AsyncIterable<StatusChanges> | Iterable<StatusChanges>;

/** A stream that says this and then nothing more, without ending. */
async function* open(...messages: readonly StatusChanges[]): AsyncGenerator<StatusChanges> {
  yield* messages;
  await new Promise<never>(() => {});
}

async function withWatch(
  script: Script,
  body: (events: Events, requests: readonly WatchStatusRequest[], restart: () => Promise<void>) => Promise<void>,
  overrides: Partial<WatchOptions> = {},
): Promise<void> {
  const requests: WatchStatusRequest[] = [];
  const answers = { watchStatus: (request: WatchStatusRequest) => script(request, requests.push(request)) };
  let core = await startTestCore(authority, answers);
  const client = connectCore({
    addresses: [core.address],
    credential: holdCredential(authority.credential('ra/status')),
    log: silentLog,
    renewsCredential: false,
  });
  const seen: string[] = [];
  const waiting = new Map<string, () => void>();
  const see = (event: string): void => {
    seen.push(event);
    waiting.get(event)?.();
  };
  const until = (event: string): Promise<void> => {
    if (seen.includes(event)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.set(event, resolve);
    return promise;
  };
  const watch = client.status.watch({
    from: { epoch: '', position: 0 },
    connected: () => see('connected'),
    disconnected: () => see('disconnected'),
    ...overrides,
    changed: async (changes) => {
      await overrides.changed?.(changes);
      see(`position ${changes.position}`);
    },
  });
  const restart = async (): Promise<void> => {
    core.stop();
    core = await startTestCore(authority, answers, { port: core.port });
  };
  try {
    await body({ seen, until }, requests, restart);
  } finally {
    await watch.close();
    await client.close(0);
    core.stop();
  }
}

describe('ARCHITECTURE §3: WatchStatus', () => {
  it('begins where it is told, and takes every message in order', async () => {
    const script: Script = () => open(statusChanges({ position: 3 }), statusChanges({ position: 5 }));
    await withWatch(
      script,
      async ({ seen, until }, requests) => {
        await until('position 5');
        assert.deepEqual(requests, [{ epoch: 'e1', afterPosition: 2 }]);
        assert.deepEqual(seen, ['connected', 'position 3', 'position 5']);
      },
      { from: { epoch: 'e1', position: 2 } },
    );
  });

  it('goes on where it was when the core comes back', async () => {
    const script: Script = (_, call) => open(statusChanges({ position: call * 10 }));
    await withWatch(script, async ({ seen, until }, requests, restart) => {
      await until('position 10');
      await restart();
      await until('position 20');
      assert.deepEqual(requests.at(-1), { epoch: 'e1', afterPosition: 10 });
      assert.ok(seen.includes('disconnected'));
    });
  });

  it('takes the epoch of the core for its own', async () => {
    const script: Script = (_, call) =>
      call === 1 ? [statusChanges({ position: 9 })] : open(statusChanges({ epoch: 'e2', position: call }));
    await withWatch(script, async ({ until }, requests, restart) => {
      await until('position 2');
      await restart();
      await until('position 3');
      assert.deepEqual(requests.slice(0, 3), [
        { epoch: '', afterPosition: 0 },
        { epoch: 'e1', afterPosition: 9 },
        { epoch: 'e2', afterPosition: 2 },
      ]);
    });
  });

  it('starts over when the core was set back to before its position', async () => {
    const script: Script = (_, call) => open(statusChanges({ position: call === 1 ? 4 : 7 }));
    await withWatch(
      script,
      async ({ seen, until }, requests) => {
        await until('position 7');
        assert.deepEqual(requests, [
          { epoch: 'e1', afterPosition: 9 },
          { epoch: 'e1', afterPosition: 0 },
        ]);
        assert.equal(seen.includes('position 4'), false);
      },
      { from: { epoch: 'e1', position: 9 } },
    );
  });

  it('gets again what its reader could not take', async () => {
    let calls = 0;
    await withWatch(
      ({ afterPosition }) => open(statusChanges({ position: afterPosition + 1 })),
      async ({ seen, until }, requests) => {
        await until('position 1');
        assert.deepEqual(seen, ['connected', 'disconnected', 'connected', 'position 1']);
        assert.equal(requests.length, 2);
      },
      {
        changed: () => {
          if (++calls === 1) throw new Error('the disk is full');
        },
      },
    );
  });

  it('takes a silent stream for dead', async () => {
    const script: Script = (_, call) => (call === 1 ? open() : open(statusChanges({ position: call })));
    await withWatch(
      script,
      async ({ seen, until }) => {
        await until('position 2');
        assert.deepEqual(seen.slice(0, 3), ['disconnected', 'connected', 'position 2']);
      },
      { silenceMs: 200 },
    );
  });

  it('does not count the time that the reader takes as silence', async () => {
    const script: Script = () => open(statusChanges({ position: 1 }), statusChanges({ position: 2 }));
    const taken = Promise.withResolvers<void>();
    await withWatch(
      script,
      async ({ seen, until }) => {
        setTimeout(() => taken.resolve(), 600);
        await until('position 2');
        assert.deepEqual(seen, ['connected', 'position 1', 'position 2']);
      },
      { silenceMs: 300, changed: ({ position }) => (position === 1 ? taken.promise : undefined) },
    );
  });

  it('begins a stream anew when it has stood long, without telling of a trouble', async () => {
    const script: Script = (_, call) => open(statusChanges({ position: call }));
    await withWatch(
      script,
      async ({ seen, until }, requests) => {
        await until('position 2');
        assert.equal(seen.includes('disconnected'), false);
        assert.deepEqual(requests[1], { epoch: 'e1', afterPosition: 1 });
      },
      { longestMs: 200 },
    );
  });

  it('tries again after an error of the core, an early end, and a message without an epoch', async () => {
    const script: Script = (_, call) => {
      if (call === 1) throw new CoreError('unauthorized', 'not yet');
      if (call === 2) return [];
      if (call === 3) return [statusChanges({ epoch: '' })];
      return open(statusChanges({ position: call }));
    };
    await withWatch(script, async ({ seen, until }) => {
      await until('position 4');
      assert.equal(seen.filter((event) => event === 'disconnected').length, 3);
    });
  });

  it('ends at once when it is closed, also while nothing answers', async () => {
    const client = connectCore({
      addresses: ['127.0.0.1:1'],
      credential: holdCredential(authority.credential('ra/status')),
      log: silentLog,
      renewsCredential: false,
    });
    const failed = Promise.withResolvers<void>();
    const watch = client.status.watch({
      from: { epoch: '', position: 0 },
      changed: () => {},
      connected: () => {},
      disconnected: () => failed.resolve(),
    });
    await failed.promise;
    await watch.close();
    await client.close(0);
  });
});
