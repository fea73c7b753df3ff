// `gatehouse perspective check`: what operators are told before certificates are refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkPerspectives } from '../../src/evidence/policies/check-perspectives.ts';
import { callerUri } from '../../src/registry/caller.ts';
import { writePerspectiveCredentialExpiry } from '../../src/store/perspectives.ts';
import { revokeSigningKey } from '../../src/store/signing-keys.ts';
import { openWorkshop, type places, type Workshop } from './workshop.ts';

const hourMs = 3_600_000;
const everybody = ['dublin', 'ohio', 'saopaulo', 'stockholm', 'sydney', 'tokyo'] as const;

type Options = Parameters<typeof openWorkshop>[1];

/** Findings of a policy at the workshop's clock, when all have joined. */
async function findings(
  names: readonly (keyof typeof places)[],
  policy: string,
  options: Options = {},
  arrange: (workshop: Workshop) => Promise<void> = async () => undefined,
): Promise<readonly string[]> {
  const workshop = await openWorkshop(names, options);
  const { keep, clock } = workshop;
  try {
    for (const name of names) await endCredential(workshop, name, new Date(clock.now().getTime() + 24 * hourMs));
    await arrange(workshop);
    keep.registry.reload();
    return checkPerspectives(keep, policy).map(
      ({ policy: of, severity, from, detail }) =>
        `${of} ${severity}${from === undefined ? '' : ` ${from.toISOString()}`}: ${detail}`,
    );
  } finally {
    await workshop.close();
  }
}
async function endCredential({ keep }: Workshop, name: string, at: Date): Promise<void> {
  await keep.store.commit({ operations: [writePerspectiveCredentialExpiry(name, at)], events: [] });
}
const has = (found: readonly string[], text: RegExp): void =>
  assert.ok(
    found.some((each) => text.test(each)),
    `${found.join('\n')} does not match ${text}`,
  );

describe('BR §3.2.2.9: a check of the perspectives', () => {
  it('finds a set in order', async () => {
    assert.deepEqual(await findings(everybody, 'public-br'), [
      'public-br ok: 6 perspectives meet public-br@2026-03-15 and its later rows',
    ]);
  });

  it('tells from which date on the set is too small', async () => {
    has(
      await findings(['dublin', 'ohio', 'tokyo'], 'public-br'),
      /error 2026-06-15T00:00:00.000Z: public-br@2026-06-15 is not satisfied by the 3 registered: .*3 distinct .* demands 4/,
    );
    has(
      await findings(['dublin', 'ohio', 'tokyo', 'saopaulo'], 'public-br'),
      /error 2026-12-15T00:00:00.000Z: public-br@2026-12-15/,
    );
    has(await findings(['dublin'], 'public-br'), /error: public-br@2026-03-15 is not satisfied/);
  });

  it('tells which region is left when one fails', async () => {
    has(
      await findings(['dublin', 'stockholm', 'ohio'], 'public-br'),
      /warning: without ohio only RIPE is left where 2 are needed/,
    );
  });

  const near =
    (latitude: number, longitude: number) =>
    async ({ keep, clock }: Workshop) => {
      await keep.registry.addPerspective(
        { name: 'near', site: 'near', rir: 'RIPE', latitude, longitude, createdAt: clock.now() },
        callerUri('operator', 'admin'),
      );
    };
  it('finds pairs that count as one, and those that nearly do', async () => {
    has(
      await findings(everybody, 'public-br', {}, near(54.6, -5.93)),
      /error: dublin and near are 14\d\.\d km apart: below 500 km/,
    );
    // A degree of latitude is 111.195 km.
    has(
      await findings(everybody, 'public-br', {}, near(53.35 + 502 / 111.195, -6.26)),
      /warning: dublin and near are 502\.0 km apart: another model/,
    );
    has(await findings(everybody, 'public-br', {}, near(50.9, 6.9)), /near and the gate gate are 1\d\d\.\d km apart/);
  });

  it('finds that nobody said where the gate stands', async () => {
    has(
      await findings(everybody, 'public-br', { validation: { primaries: {} } }),
      /error: core\.validation\.primaries does not say/,
    );
  });

  it('finds perspectives without coordinates', async () => {
    const found = await findings(everybody, 'public-br', {}, async ({ keep, clock }) => {
      await keep.registry.addPerspective(
        { name: 'somewhere', site: 's', rir: '', latitude: undefined, longitude: undefined, createdAt: clock.now() },
        callerUri('operator', 'admin'),
      );
    });
    has(found, /error: somewhere has no coordinates and never counts/);
    has(found, /error: somewhere has registered no signing key/);
    has(found, /error: somewhere has not joined yet/);
  });
});

describe('mpic.md §4: a check of private policies', () => {
  it('is about the policies of profiles when none is named', async () => {
    assert.deepEqual(await findings(['dublin', 'ohio', 'tokyo'], ''), [
      'private ok: 3 perspectives meet private and its later rows',
    ]);
    assert.deepEqual(
      await findings(['dublin', 'ohio'], '', {
        validation: {
          profiles: { 'tls-server-validated': { mode: 'off' }, 'tls-server-validated-short-lived': { mode: 'off' } },
        },
      }),
      [],
    );
  });

  it('finds one that nobody satisfies', async () => {
    has(await findings([], 'private'), /private error: private is not satisfied by the 0 registered/);
    has(await findings(['dublin'], 'private'), /used 1 distinct .* demands 2/);
  });

  it('does not count who is disabled', async () => {
    const found = await findings(
      ['dublin', 'ohio'],
      'private',
      {},
      async ({ keep }) => void (await keep.registry.disablePerspective('ohio', callerUri('operator', 'admin'))),
    );
    has(found, /not satisfied by the 1 registered/);
  });

  it('finds sites that nobody or only one stands at', async () => {
    const policies = { plant: { requiredSites: [{ zone: 'plant.example', sites: ['dublin', 'plant-a'] }] } };
    const found = await findings(['dublin', 'ohio', 'tokyo'], 'plant', { validation: { policies } });
    has(found, /error: names below plant\.example must be seen from plant-a, where no perspective stands/);
    has(found, /warning: without dublin no name below plant\.example is certified/);
  });

  it('finds that one more failure would stop everything', async () => {
    const policies = { strict: { remotes: 2, corroborations: 2 } };
    has(
      await findings(['dublin', 'ohio'], 'strict', { validation: { policies } }),
      /warning: without dublin nothing is certified under strict/,
    );
  });

  it('finds keys that are revoked, and credentials that end', async () => {
    const found = await findings(['dublin', 'ohio', 'tokyo'], 'private', {}, async (workshop) => {
      const { keep, clock, perspectives } = workshop;
      await keep.store.commit({
        operations: [revokeSigningKey(perspectives.dublin?.keyId ?? '', clock.now(), 'lost')],
        events: [],
      });
      await endCredential(workshop, 'ohio', new Date(clock.now().getTime() + hourMs));
      await endCredential(workshop, 'tokyo', new Date(clock.now().getTime() - hourMs));
    });
    has(found, /error: dublin has no active signing key: all are retired or revoked/);
    has(found, /warning 2026-06-01T13:00:00.000Z: the credential of ohio ends soon/);
    has(found, /error 2026-06-01T11:00:00.000Z: the credential of tokyo has ended/);
  });

  it('refuses a policy that there is not', async () => {
    await assert.rejects(findings([], 'privat'), { code: 'not-found' });
  });
});
