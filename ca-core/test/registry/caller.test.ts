// Who calls: one URI of ours in the certificate, or nobody.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { createManualClock } from '@gatehouse/runtime/clock';
import { callerUri, coreUri, identifyCaller, parseCallerUri } from '../../src/registry/caller.ts';
import { isCoreError } from '../core-error.ts';
import { certify, createTestAuthority } from './test-authority.ts';

const clock = createManualClock(new Date('2026-05-01T12:00:00Z'));
const service = createTestAuthority(clock);

function identify(...names: GeneralName[]) {
  return identifyCaller(certify(service, names));
}

const uri = (value: string): GeneralName => ({ kind: 'uri', value });

describe('ARCHITECTURE §3: the caller is the URI in its certificate', () => {
  for (const kind of ['gate', 'perspective', 'operator', 'join'] as const) {
    it(`a ${kind} is known by it`, () => {
      const caller = identify(uri(callerUri(kind, 'one-2')));
      assert.deepEqual([caller.kind, caller.name, caller.uri], [kind, 'one-2', callerUri(kind, 'one-2')]);
      assert.match(caller.serialNumber, /^[0-9a-f]{36}$/);
    });
  }

  it('a DNS name beside it does not matter', () => {
    assert.equal(identify({ kind: 'dns', value: 'est.example.com' }, uri(callerUri('gate', 'est'))).name, 'est');
  });

  const nobodies: Record<string, readonly GeneralName[]> = {
    'no name at all': [],
    'only a DNS name': [{ kind: 'dns', value: 'est.example.com' }],
    'two URIs of ours': [uri(callerUri('gate', 'a')), uri(callerUri('operator', 'b'))],
    'a second URI of another trust domain': [uri(callerUri('gate', 'a')), uri('spiffe://example.org/x')],
    'a URI of another trust domain': [uri('spiffe://example.org/ra/est')],
    'a trust domain that begins like ours': [uri('spiffe://gatehouse.internal.example.org/ra/est')],
    "a core's own certificate": [uri(coreUri('0123456789abcdef'))],
  };
  for (const [what, names] of Object.entries(nobodies)) {
    it(`nobody: ${what}`, () => assert.throws(() => identify(...names), isCoreError('unauthorized')));
  }
});

describe('URIs of callers', () => {
  for (const text of [
    'spiffe://gatehouse.internal/ra/',
    'spiffe://gatehouse.internal/ra',
    'spiffe://gatehouse.internal/ra/a/b',
    'spiffe://gatehouse.internal/ra/a/',
    'spiffe://gatehouse.internal//a',
    'spiffe://gatehouse.internal/RA/a',
    'spiffe://gatehouse.internal/ra/A',
    'spiffe://gatehouse.internal/ra/-a',
    'spiffe://gatehouse.internal/ra/a%2f',
    'spiffe://gatehouse.internal/ra/a?b',
    'spiffe://gatehouse.internal/ra/a#b',
    'SPIFFE://gatehouse.internal/ra/a',
    'spiffe://gatehouse.internal/gate/a',
    'spiffe://gatehouse.internal/constructor/a',
    `spiffe://gatehouse.internal/ra/${'a'.repeat(64)}`,
  ]) {
    it(`are taken as they are: ${text} is none`, () => assert.equal(parseCallerUri(text), undefined));
  }
});
