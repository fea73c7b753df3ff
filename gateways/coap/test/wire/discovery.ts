import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectDevice } from '../support/device.ts';
import { createEnroller } from '../support/enroller.ts';
import { otherManufacturer } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

/** What the gate says of itself, over the wire. */
export function discoveryTests(stack: Stack): void {
  const { newDevice, enrol, identityOf } = createEnroller(stack);
  const discover = async (query = '', identity = newDevice().identity): Promise<readonly string[]> => {
    const client = await connectDevice(stack, identity);
    const response = await client.get(`/.well-known/core${query}`, 40);
    assert.deepEqual([response.code, response.contentFormat], ['2.05', 40]);
    return response.payload.length === 0 ? [] : response.payload.toString().split(',');
  };

  describe('RFC 9148 §4.1: discovery', () => {
    it('names the resources of the default label as the RFC prints them, first and below the short root', async () => {
      const links = await discover('?rt=ace.est*');
      assert.deepEqual(links.slice(0, 6), [
        '</est/crts>;rt="ace.est.crts";ct="281 287"',
        '</est/sen>;rt="ace.est.sen";ct="281 287"',
        '</est/sren>;rt="ace.est.sren";ct="281 287"',
        '</est/att>;rt="ace.est.att";ct=285',
        '</est/skg>;rt="ace.est.skg";ct=62',
        '</est/skc>;rt="ace.est.skc";ct=62',
      ]);
    });

    it('names what is configured for a label, and no att where nothing is asked', async () => {
      const links = await discover();
      const of = (label: string) =>
        links.filter((link) => link.startsWith(`</est/${label}/`)).map((link) => /\/(\w+)>/.exec(link)?.[1]);
      assert.deepEqual(of('renewal-only'), ['crts', 'sren']);
      assert.deepEqual(of('quiet'), ['crts', 'sen', 'sren', 'skg', 'skc']);
    });

    it('leaves out labels that demand a password, and those under which the certificate does not count', async () => {
      const labelsOf = (links: readonly string[]) =>
        new Set(links.map((link) => /^<\/est\/([^/]+)\/\w+>/.exec(link)?.[1] ?? 'default'));
      const byAcme = labelsOf(await discover());
      assert.ok(byAcme.has('default') && !byAcme.has('password') && !byAcme.has('client'));
      assert.deepEqual(labelsOf(await discover('', newDevice(otherManufacturer).identity)), new Set(['client']));
      const ours = await enrol('named', { subject: 'CN=discoverer' });
      const byUs = labelsOf(await discover('', identityOf(ours)));
      assert.ok(byUs.has('client') && !byUs.has('password'));
    });

    it('names resources that are there', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      for (const link of await discover()) {
        const path = /^<([^>]+)>/.exec(link)?.[1] ?? '';
        const { code } = await client.coap.request({ method: 'PUT', path });
        assert.equal(code, '4.05', path);
      }
    });
  });

  describe('RFC 6690 §4.1: filters', () => {
    it('gives the links that match, and an empty document where none does', async () => {
      const first = (links: readonly string[]) => links[0];
      assert.equal(first(await discover('?rt=ace.est.sen')), '</est/sen>;rt="ace.est.sen";ct="281 287"');
      assert.equal(first(await discover('?href=/est/skg')), '</est/skg>;rt="ace.est.skg";ct=62');
      assert.deepEqual(await discover('?rt=ace.est'), []);
      assert.deepEqual(await discover('?rt=core.rd*'), []);
      assert.deepEqual(await discover('?rt='), []);
      assert.deepEqual(await discover('?no-such-attribute=1'), []);
    });

    it('compares each value of a list, and wants all conditions at once', async () => {
      const all = await discover();
      assert.deepEqual(
        await discover('?ct=287'),
        all.filter((link) => link.includes('ct="281 287"')),
      );
      assert.deepEqual(
        await discover('?rt=ace.est.s*&ct=62'),
        all.filter((link) => link.includes('ct=62')),
      );
      assert.deepEqual(await discover('?rt=ace.est.sen&rt=ace.est.crts'), []);
      assert.deepEqual(await discover('?rt'), all);
    });

    it('may be asked for without Accept', async () => {
      const client = await connectDevice(stack, newDevice().identity);
      const response = await client.get('/.well-known/core?href=/est/sen');
      assert.deepEqual([response.code, response.contentFormat], ['2.05', 40]);
    });
  });
}
