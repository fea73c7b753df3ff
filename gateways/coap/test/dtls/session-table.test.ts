// Who goes when room is needed, and that nothing of who is gone stays behind.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Member, SessionTable } from '../../src/dtls/session-table.ts';

type TestSession = Member & { readonly id: string };

function table(limits: { sessions?: number; sessionsPerAddress?: number; halfOpen?: number } = {}) {
  return new SessionTable<TestSession, Member>({ sessions: 3, sessionsPerAddress: 3, halfOpen: 3, ...limits });
}

const session = (id: string, network = 'network'): TestSession => ({ id, peerKey: `peer ${id}`, network });
const handshake = (peer: string, network = 'network'): Member => ({ peerKey: `peer ${peer}`, network });

describe('coaps.md §5: who goes', () => {
  it('is nobody as long as there is room', () => {
    const sessions = table();
    sessions.addSession(session('1'));
    sessions.addSession(session('2'));
    assert.equal(sessions.sessionInTheWay('network'), undefined);
    assert.equal(sessions.handshakeInTheWay('network'), undefined);
  });

  it('is the session that was silent longest', () => {
    const sessions = table();
    const [one, two, three] = [session('1', 'a'), session('2', 'b'), session('3', 'c')];
    for (const each of [one, two, three]) sessions.addSession(each);
    sessions.heardFrom(one);
    assert.equal(sessions.sessionInTheWay('d'), two);
    assert.deepEqual([...sessions.sessions()], [two, three, one]);
  });

  it('is one of the same network when that has too many', () => {
    const sessions = table({ sessions: 100, sessionsPerAddress: 2 });
    const [other, one, two] = [session('0', 'other'), session('1'), session('2')];
    for (const each of [other, one, two]) sessions.addSession(each);
    assert.equal(sessions.sessionInTheWay('network'), one);
    sessions.heardFrom(one);
    assert.equal(sessions.sessionInTheWay('network'), two);
    assert.equal(sessions.sessionInTheWay('other'), undefined);
  });

  it('is the oldest handshake, of the same network when that has too many', () => {
    const sessions = table({ halfOpen: 3, sessionsPerAddress: 2 });
    const [other, one, two] = [handshake('0', 'other'), handshake('1'), handshake('2')];
    for (const each of [other, one]) sessions.addHandshake(each);
    assert.equal(sessions.handshakeInTheWay('network'), undefined);
    sessions.addHandshake(two);
    assert.equal(sessions.handshakeInTheWay('network'), one);
    assert.equal(sessions.handshakeInTheWay('new'), other);
  });

  it('leaves nothing behind', () => {
    const sessions = table();
    const [one, begun] = [session('1'), handshake('2')];
    sessions.addSession(one);
    sessions.addHandshake(begun);
    assert.deepEqual(sessions.counts, { established: 1, halfOpen: 1 });
    assert.equal(sessions.sessionOf('peer 1'), one);
    assert.equal(sessions.handshakeOf('peer 2'), begun);
    sessions.removeSession(one);
    sessions.removeHandshake(begun);
    assert.deepEqual(sessions.counts, { established: 0, halfOpen: 0 });
    assert.equal(sessions.find('1'), undefined);
    assert.equal(sessions.sessionOf('peer 1'), undefined);
    assert.equal(sessions.handshakeOf('peer 2'), undefined);
  });
});
