// What stands on a CRL, page by page, also while certificates are revoked beside it.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { deltaCrlPages, fullCrlPages } from '../../src/jobs/crl-pages.ts';
import { hasChanged } from '../../src/store/crl-entries.ts';
import { lastStatusPosition } from '../../src/store/status-changes.ts';
import { day, now, openStatusWorkshop, readPages } from './status-workshop.ts';

const workshop = await openStatusWorkshop();
after(workshop.remove);
const { store } = workshop;
const complete = { kind: 'authority', authority: 'issuing' } as const;
let scopes = 0;

/** A shard that nothing else names. */
function newShard() {
  scopes += 1;
  const crlScope = `issuing-${100 + scopes}`;
  return { crlScope, coverage: { kind: 'scope', scope: crlScope } as const };
}

const serialsOf = (entries: readonly { readonly serialNumber: string }[]) =>
  entries.map(({ serialNumber }) => serialNumber).sort();
const reasonsOf = (entries: readonly { readonly serialNumber: string; readonly reason: number }[]) =>
  Object.fromEntries(entries.map(({ serialNumber, reason }) => [serialNumber, reason]));

describe('RFC 5280 §5.1: a full CRL', () => {
  it('lists what is revoked or held, and what was released not', async () => {
    const { crlScope, coverage } = newShard();
    const [revoked, held, released, good] = await Promise.all(
      Array.from({ length: 4 }, () => workshop.issue({ crlScope })),
    );
    assert.ok(revoked && held && released && good);
    await workshop.revoke(revoked, 1);
    await workshop.hold(held);
    await workshop.hold(released);
    await workshop.release(released);
    const entries = await readPages(fullCrlPages(store, coverage, 0));
    assert.deepEqual(reasonsOf(entries), { [revoked]: 1, [held]: 6 });
  });

  it('that is complete lists every revoked certificate of the authority, whichever CRL it names', async () => {
    const named = await workshop.issue({ crlScope: newShard().crlScope });
    const unnamed = await workshop.issue({ crlScope: '' });
    const other = await workshop.issue({ crlScope: '', authority: 'service' });
    for (const serialNumber of [named, unnamed, other]) await workshop.revoke(serialNumber);
    const serials = serialsOf(await readPages(fullCrlPages(store, complete, 0)));
    assert.ok(serials.includes(named) && serials.includes(unnamed) && !serials.includes(other));
  });

  it('§3.3: leaves out what had ended before the CRL before, unless it was revoked after it', async () => {
    const { crlScope, coverage } = newShard();
    const ended = { crlScope, notAfter: new Date(now - 10 * day) };
    const [long, late, justEnded] = [
      await workshop.issue(ended),
      await workshop.issue(ended),
      await workshop.issue({ crlScope, notAfter: new Date(now - day) }),
    ];
    await workshop.revoke(long, 4, now - 20 * day);
    await workshop.revoke(late, 4, now - 1000);
    await workshop.revoke(justEnded, 4, now - 20 * day);
    const listed = async (since: number) => serialsOf(await readPages(fullCrlPages(store, coverage, since)));
    assert.deepEqual(await listed(now - 2 * day), [late, justEnded].sort());
    assert.deepEqual(await listed(now - day + 1), [late]);
    assert.deepEqual(await listed(now), []);
  });

  it('of many pages has each certificate once, and misses nothing of before it was begun', async () => {
    const { crlScope, coverage } = newShard();
    const serials = await Promise.all(Array.from({ length: 2500 }, () => workshop.issue({ crlScope })));
    await Promise.all(serials.slice(0, 2300).map((serialNumber) => workshop.revoke(serialNumber)));
    const position = lastStatusPosition(store);
    const beside = serials.slice(2300);
    const entries = await readPages(fullCrlPages(store, coverage, 0), async () => {
      for (const serialNumber of beside.splice(0, 100)) await workshop.revoke(serialNumber);
    });
    assert.equal(new Set(serialsOf(entries)).size, entries.length);
    const listed = new Set(serialsOf(entries));
    assert.ok(serials.slice(0, 2300).every((serialNumber) => listed.has(serialNumber)));
    // What came too late for its page is on the next one, because it stands behind the position.
    assert.ok(hasChanged(store, coverage, position));
    const delta = await readPages(deltaCrlPages(store, coverage, position));
    assert.equal(new Set([...listed, ...serialsOf(delta)]).size, 2500);
  });
});

describe('RFC 5280 §5.2.4: a delta CRL', () => {
  it('has how each certificate stands that changed behind the base, once', async () => {
    const { crlScope, coverage } = newShard();
    const issue = () => workshop.issue({ crlScope });
    const [before, revoked, held, released, heldThenRevoked, again] = [
      await issue(),
      await issue(),
      await issue(),
      await issue(),
      await issue(),
      await issue(),
    ];
    await workshop.revoke(before);
    await workshop.hold(released);
    const base = lastStatusPosition(store);
    await workshop.release(released);
    await workshop.revoke(revoked, 3);
    await workshop.hold(held);
    await workshop.hold(heldThenRevoked);
    await workshop.revoke(heldThenRevoked, 1);
    for (let turn = 0; turn < 3; turn++) {
      await workshop.hold(again);
      await workshop.release(again);
    }
    const entries = await readPages(deltaCrlPages(store, coverage, base));
    assert.equal(entries.length, 5);
    assert.deepEqual(reasonsOf(entries), { [released]: 8, [revoked]: 3, [held]: 6, [heldThenRevoked]: 1, [again]: 8 });
  });

  it('is empty when nothing has changed', async () => {
    const { coverage } = newShard();
    assert.deepEqual(await readPages(deltaCrlPages(store, coverage, 0)), []);
  });

  it('of many pages has each certificate once', async () => {
    const { crlScope, coverage } = newShard();
    const base = lastStatusPosition(store);
    const serials = await Promise.all(Array.from({ length: 1200 }, () => workshop.issue({ crlScope })));
    for (const change of [workshop.hold, workshop.release]) await Promise.all(serials.map((one) => change(one)));
    await Promise.all(serials.slice(0, 600).map((one) => workshop.revoke(one)));
    const entries = await readPages(deltaCrlPages(store, coverage, base));
    assert.deepEqual(serialsOf(entries), serials.sort());
    assert.equal(entries.filter(({ reason }) => reason === 8).length, 600);
  });
});
