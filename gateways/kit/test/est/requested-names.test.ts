import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgedNames } from '@gatehouse/gateway-kit/est/requested-names';
import { formatGeneralName, parseGeneralName } from '@gatehouse/pkix/general-names';
import { formatName, parseName } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import type { Profile } from '@gatehouse/ra-client/profile';

/** A profile as far as its names go. */
function profileOf(facts: { readonly needsAnyName: boolean; readonly attributes: readonly string[] }): Profile {
  const subject = facts.attributes.map((type) => ({ type, value: '', isRequired: false }));
  return { needsAnyName: facts.needsAnyName, requiredNames: [], subject } as unknown as Profile;
}

const { CN } = attributeTypes;

function judged(profile: Profile, subject: string, names: readonly string[]): readonly [string, ...string[]] {
  const result = judgedNames(profile, parseName(subject), names.map(parseGeneralName));
  return [formatName(result.subject), ...result.names.map(formatGeneralName)];
}

describe('RFC 7030 §4.2.1: the names by which a request is judged', () => {
  const server = profileOf({ needsAnyName: true, attributes: [CN] });
  const device = profileOf({ needsAnyName: false, attributes: [CN] });

  it('have the host that a profile makes of the common name where it demands an alternative name', () => {
    assert.deepEqual(judged(server, 'CN=Host.example', []), ['CN=Host.example', 'DNS:host.example']);
    assert.deepEqual(judged(server, 'CN=192.0.2.1', []), ['CN=192.0.2.1', 'IP:192.0.2.1']);
    assert.deepEqual(judged(profileOf({ needsAnyName: true, attributes: [] }), 'CN=a.example', []), [
      '',
      'DNS:a.example',
    ]);
  });

  it('are those of the request everywhere else', () => {
    assert.deepEqual(judged(server, 'CN=a,O=x', ['DNS:b.example']), ['CN=a', 'DNS:b.example']);
    assert.deepEqual(judged(device, 'CN=host.example', []), ['CN=host.example']);
  });
});
