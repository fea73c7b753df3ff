// CORE.md, Audit: a change of the configuration is an event that tells what it was and what it is.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { coreConfigurationSchema } from '../../src/configuration.ts';
import { recordConfiguration } from '../../src/record-configuration.ts';
import { openTestStore } from '../store/test-store.ts';

const test = await openTestStore();
after(() => test.remove());
const actor = 'spiffe://gatehouse.internal/core/test';

const start = (configuration: unknown) =>
  recordConfiguration(test.store, coreConfigurationSchema.parse(configuration), actor);

async function events() {
  return await test.store.kysely
    .selectFrom('audit_events')
    .select(['actor', 'body'])
    .where('action', '=', 'configuration-changed')
    .orderBy('sequence')
    .execute();
}

describe('CORE.md, Audit: configuration changed', () => {
  it('is no event at the first start, nor when everything reads the same', async () => {
    await start({});
    await start({ listen: { port: 5280 } });
    assert.deepEqual(await events(), []);
  });

  it('is one event for a start, with what each setting was and is', async () => {
    await start({ listen: { port: 6000 }, status: { baseUrl: 'http://status.example.com' } });
    const [event, ...others] = await events();
    assert.deepEqual(others, []);
    assert.equal(event?.actor, actor);
    assert.deepEqual(JSON.parse(event?.body ?? ''), {
      'listen.port': { from: 5280, to: 6000 },
      'status.baseUrl': { from: null, to: 'http://status.example.com' },
    });
  });

  it('tells of a setting that is gone, and of a list as a whole', async () => {
    await start({ listen: { port: 6000, advertise: ['core.example.com:5280'] } });
    assert.deepEqual(JSON.parse((await events()).at(-1)?.body ?? ''), {
      'listen.advertise': { from: [], to: ['core.example.com:5280'] },
      'status.baseUrl': { from: 'http://status.example.com', to: null },
    });
  });
});
