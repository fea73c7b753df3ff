import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createManualClock } from '@gatehouse/runtime/clock';
import { AcmeClient } from '../support/client.ts';
import type { Front } from '../support/front.ts';
import { startGate } from '../support/gate.ts';
import { assertProblem, assertStatus } from '../support/problem.ts';

/** Nonces over the wire. */
export function describeNonces(front: () => Front): void {
  describe('RFC 8555 §6.5: nonces', () => {
    it('are good once', async () => {
      const { client } = front();
      const account = await client.account();
      const nonce = await client.nonce();
      assertStatus(await client.post(`${account.kid}`, undefined, account, { nonce }), 200);
      assertProblem(await client.post(`${account.kid}`, undefined, account, { nonce }), 400, 'badNonce');
    });

    it('are used up by a signed request that is refused', async () => {
      const { client } = front();
      const account = await client.account();
      const nonce = await client.nonce();
      const wrong = { contact: ['tel:1'] };
      assertProblem(await client.post(`${account.kid}`, wrong, account, { nonce }), 400, 'unsupportedContact');
      assertProblem(await client.post(`${account.kid}`, undefined, account, { nonce }), 400, 'badNonce');
    });

    it('are refused when absent, foreign, cut, changed or no text', async () => {
      const { client } = front();
      const account = await client.account();
      const nonce = await client.nonce();
      const flipped = (nonce[20] === 'A' ? 'B' : 'A').concat(nonce.slice(21));
      const wrong = [
        '',
        'x',
        nonce.slice(0, 43),
        `${nonce}A`,
        nonce.slice(0, 20) + flipped,
        'A'.repeat(44),
        undefined,
        1,
      ];
      for (const header of wrong.map((value) => ({ nonce: value }))) {
        assertProblem(await client.post(`${account.kid}`, undefined, account, { header }), 400, 'badNonce');
      }
      assertStatus(await client.post(`${account.kid}`, undefined, account, { nonce }), 200);
    });

    it('let one of many parallel requests win, and its effect alone happens', async () => {
      const { client, gate } = front();
      for (let round = 0; round < 5; round++) {
        const account = await client.account();
        const nonce = await client.nonce();
        const contacts = Array.from({ length: 24 }, (_, i) => `mailto:race-${i}@example.com`);
        const answers = await Promise.all(
          contacts.map((contact) => client.post(`${account.kid}`, { contact: [contact] }, account, { nonce })),
        );
        const won = answers.filter(({ status }) => status === 200);
        assert.equal(won.length, 1);
        for (const answer of answers) if (answer.status !== 200) assertProblem(answer, 400, 'badNonce');
        const id = `${account.kid}`.split('/').at(-1) ?? '';
        const [row] = gate.query('select contact from accounts where id = ?', id);
        assert.deepEqual(JSON.parse(String(row?.contact)), won[0]?.json().contact);
      }
    });

    it('let one of many parallel reads win too', async () => {
      const { client } = front();
      const account = await client.account();
      const nonce = await client.nonce();
      const answers = await Promise.all(
        Array.from({ length: 24 }, () => client.post(`${account.kid}/orders`, undefined, account, { nonce })),
      );
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    });

    it('stay good across a restart, and used ones stay used', async () => {
      const { core } = front();
      const acme = { database: { file: 'state-nonces/acme.db' } };
      const first = await startGate({ core, acme });
      const before = new AcmeClient(first);
      const account = await before.account();
      const used = await before.nonce();
      // The port changes with the restart, and with it the URL of the gate; the account keeps its own.
      assertStatus(await before.post(`${account.kid}`, undefined, account, { nonce: used }), 200);
      const fresh = await before.nonce();
      before.close();
      await first.stop();
      const second = await startGate({ core, acme });
      const after = new AcmeClient(second);
      const url = `${second.url}${new URL(`${account.kid}`).pathname}`;
      assertProblem(await after.post(url, undefined, account, { nonce: used }), 400, 'badNonce');
      const answer = assertStatus(await after.post(url, undefined, account, { nonce: fresh }), 200);
      assert.equal(answer.headers.location, account.kid, 'the URL of an account never changes');
      after.close();
      await second.stop();
    });

    it('are good for an hour', async () => {
      const { core } = front();
      const clock = createManualClock(new Date());
      const gate = await startGate({ core, clock });
      const client = new AcmeClient(gate);
      const account = await client.account();
      const [first, second] = [await client.nonce(), await client.nonce()];
      clock.advance(3_590_000);
      assertStatus(await client.post(`${account.kid}`, undefined, account, { nonce: first }), 200);
      clock.advance(20_000);
      assertProblem(await client.post(`${account.kid}`, undefined, account, { nonce: second }), 400, 'badNonce');
      client.close();
      await gate.stop();
    });
  });
}
