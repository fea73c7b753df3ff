import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import { saysRevoked } from '../src/state/response-record.ts';
import { responder, signedStatus } from './support/signed.ts';
import { openState, type TestState, take, withDirectory, withState } from './support/state.ts';

const noon = new Date('2026-06-01T12:00:00Z');
const at = (seconds: number): Date => new Date(noon.getTime() + seconds * 1000);
const clock = createManualClock(at(60));

function find({ responses }: TestState, serialNumber = '0a01') {
  return responses.find('issuing', serialNumber, 'sha256');
}

function isRevoked(state: TestState): boolean {
  const held = find(state);
  assert.ok(held !== undefined);
  return saysRevoked(held.responseData);
}

describe('ARCHITECTURE §6: the copy of what was signed', () => {
  it('gives what was taken, for both kinds of CertID, with its responder', async () => {
    await withState(async (state) => {
      const status = signedStatus({ thisUpdate: noon });
      state.responses.take({ responders: [responder], responses: [status] }, true);
      for (const hash of ['sha1', 'sha256'] as const) {
        const held = state.responses.find('issuing', '0a01', hash);
        assert.deepEqual(held?.responseData, status[hash].responseData);
        assert.deepEqual(held?.signature, status[hash].signature);
        assert.deepEqual(held?.responder.certificates, [responder.certificate]);
        assert.equal(held?.thisUpdate, noon.getTime());
      }
      assert.equal(find(state, '0a02'), undefined);
      assert.equal(state.responses.find('root', '0a01', 'sha1'), undefined);
    });
  });

  it('has it after a restart, at once and without the core', async () => {
    await withDirectory(async (directory) => {
      const before = await openState(directory);
      take(before, [{ thisUpdate: noon }, { serialNumber: '0a02' }]);
      before.responses.reach({ epoch: 'e1', position: 12 });
      await before.close();
      const after = await openState(directory);
      assert.equal(find(after)?.thisUpdate, noon.getTime());
      assert.deepEqual(find(after)?.responder.signatureAlgorithm, responder.signatureAlgorithm);
      assert.deepEqual(after.disk.position(), { epoch: 'e1', position: 12 });
      await after.responses.warmUp();
      assert.equal(after.memory.size, 2);
      await after.close();
    });
  });

  it('reads from the disk what does not fit in memory', async () => {
    await withState(
      async (state) => {
        const serialNumbers = Array.from({ length: 200 }, (_, i) => (0x1000 + i).toString(16));
        take(
          state,
          serialNumbers.map((serialNumber) => ({ serialNumber })),
        );
        assert.ok(state.memory.size < 100);
        for (const serialNumber of serialNumbers) assert.ok(find(state, serialNumber) !== undefined, serialNumber);
        await state.responses.warmUp();
        for (const serialNumber of serialNumbers) assert.ok(find(state, serialNumber) !== undefined, serialNumber);
      },
      { memoryOctets: 32 * 1024, slabOctets: 4096 },
    );
  });

  it('begins anew when the copy is damaged', async () => {
    await withDirectory(async (directory) => {
      writeFileSync(
        join(directory, 'responses.db'),
        'this is no database, and it is long enough to be looked at'.repeat(50),
      );
      const state = await openState(directory);
      take(state, [{}]);
      assert.ok(find(state) !== undefined);
      await state.close();
    });
  });

  it('begins anew when the copy was made by a newer version, and leaves one alone that another process holds', async () => {
    await withDirectory(async (directory) => {
      const before = await openState(directory);
      take(before, [{}]);
      before.responses.flush();
      before.database.raw.exec("insert into gatehouseMigration values ('9999-newer', 0)");
      await before.close();
      const after = await openState(directory);
      assert.equal(after.disk.count(), 0);
      take(after, [{}]);
      after.responses.flush();
      after.database.raw.exec('PRAGMA locking_mode = EXCLUSIVE; begin exclusive');
      await assert.rejects(openState(directory), /busy|locked/);
      after.database.raw.exec('commit');
      assert.equal(after.disk.count(), 1);
      await after.close();
    });
  });

  it('holds what the disk does not take, and writes it when it does again', async () => {
    await withDirectory(async (directory) => {
      const state = await openState(directory);
      await state.responses.warmUp();
      state.database.raw.exec('PRAGMA query_only = ON');
      take(state, [{}]);
      state.responses.reach({ epoch: 'e1', position: 5 });
      state.responses.flush();
      assert.match(state.responses.diskFailure ?? '', /readonly/);
      assert.ok(find(state) !== undefined);
      state.database.raw.exec('PRAGMA query_only = OFF');
      state.responses.flush();
      assert.equal(state.responses.diskFailure, undefined);
      assert.equal(state.disk.count(), 1);
      assert.equal(state.disk.position().position, 5);
      await state.close();
    });
  });

  it('passes over a response that no known responder signed, or with a serial number that is none', async () => {
    await withState(async (state) => {
      state.responses.take({ responders: [], responses: [signedStatus()] }, true);
      for (const serialNumber of ['0A01', '0a0', '../x', '']) {
        state.responses.take({ responders: [responder], responses: [{ ...signedStatus(), serialNumber }] }, true);
      }
      assert.equal(state.memory.size, 0);
    });
  });

  it('forgets what has ended, and nothing else', async () => {
    await withState(async (state) => {
      take(state, [
        { serialNumber: '01', nextUpdate: at(100) },
        { serialNumber: '02', nextUpdate: at(200) },
        { serialNumber: '03', nextUpdate: at(300) },
      ]);
      state.responses.flush();
      assert.equal(state.responses.removeEnded(at(250).getTime(), 1), 1);
      assert.equal(state.responses.removeEnded(at(250).getTime(), 10), 1);
      assert.deepEqual(
        ['01', '02', '03'].map((serialNumber) => find(state, serialNumber) !== undefined),
        [false, false, true],
      );
      assert.equal(state.disk.firstEnd(), at(300).getTime());
    });
  });

  it('forgets everything of an authority that has another key', async () => {
    await withState(async (state) => {
      take(state, [{}]);
      state.responses.removeAuthority('issuing');
      assert.equal(find(state), undefined);
      assert.equal(state.disk.count(), 0);
    });
  });
});

describe('RFC 6960 §2.4: the newest is served', () => {
  it('in place of an older one', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(0) }]);
        take(state, [{ thisUpdate: at(10), isRevoked: true }]);
        assert.equal(isRevoked(state), true);
      },
      { clock },
    );
  });

  it('also when both were signed in one second', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(0) }]);
        take(state, [{ thisUpdate: at(0), isRevoked: true }]);
        assert.equal(isRevoked(state), true);
      },
      { clock },
    );
  });

  it('an older one does not take its place when the core begins from the start', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(10), isRevoked: true }]);
        take(state, [{ thisUpdate: at(9) }], false);
        assert.equal(isRevoked(state), true);
      },
      { clock },
    );
  });

  it('nor one that is much older, whatever comes first', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(0), isRevoked: true }]);
        take(state, [{ thisUpdate: at(-3600) }]);
        assert.equal(isRevoked(state), true);
      },
      { clock },
    );
  });

  it('a later one of a core whose clock was set back a little does', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(10), isRevoked: true }]);
        take(state, [{ thisUpdate: at(5) }]);
        assert.equal(isRevoked(state), false);
      },
      { clock },
    );
  });

  it('a revocation always does', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(0) }]);
        take(state, [{ thisUpdate: at(-7200), isRevoked: true }], false);
        assert.equal(isRevoked(state), true);
      },
      { clock },
    );
  });

  it('one of a clock that was far ahead gives way', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(86_400), isRevoked: true }]);
        take(state, [{ thisUpdate: at(30) }]);
        assert.equal(isRevoked(state), false);
      },
      { clock },
    );
  });

  it('is judged by what is on the disk as well', async () => {
    await withDirectory(async (directory) => {
      const before = await openState(directory, { clock });
      take(before, [{ thisUpdate: at(10), isRevoked: true }]);
      await before.close();
      const after = await openState(directory, { clock });
      take(after, [{ thisUpdate: at(9) }], false);
      assert.equal(isRevoked(after), true);
      await after.close();
    });
  });
});

describe('RFC 9110 §8.8.2.2: dates that tell responses apart', () => {
  const isDateCertain = (state: TestState) => find(state)?.isDateCertain;

  it('a first response, one of a later second, and the same one again', async () => {
    await withState(
      async (state) => {
        take(state, [{ thisUpdate: at(0) }]);
        assert.equal(isDateCertain(state), true);
        const status = signedStatus({ thisUpdate: at(1) });
        for (let i = 0; i < 2; i++) {
          state.responses.take({ responders: [responder], responses: [status] }, true);
          assert.equal(isDateCertain(state), true);
        }
      },
      { clock },
    );
  });

  it('not one of the same second, or an earlier one, also after a restart', async () => {
    await withDirectory(async (directory) => {
      const before = await openState(directory, { clock });
      take(before, [{ thisUpdate: at(0) }, { thisUpdate: at(0), isRevoked: true }]);
      assert.equal(isDateCertain(before), false);
      await before.close();
      const after = await openState(directory, { clock });
      assert.equal(isDateCertain(after), false);
      take(after, [{ thisUpdate: at(-1) }]);
      assert.equal(isDateCertain(after), false);
      await after.close();
    });
  });
});
