// Where gates may be sent: to a host and a port, never to what a gRPC client takes for something else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkBuild, checkPerspectiveAddress } from '../../src/registry/perspective-endpoint.ts';
import { isCoreError } from '../core-error.ts';

describe('an address of a perspective', () => {
  for (const address of [
    '127.0.0.1:5290',
    '203.0.113.7:1',
    'perspective-a:5290',
    'dublin.perspectives.example:65535',
    '_mpic.example:443',
    '[2001:db8::7]:5290',
    '[::1]:5290',
  ]) {
    it(`may be ${address}`, () => checkPerspectiveAddress(address));
  }

  for (const address of [
    '',
    'dublin',
    ':5290',
    'dublin:',
    'dublin:0',
    'dublin:65536',
    'dublin:05290',
    'dublin:+1',
    'dublin: 1',
    'dublin:5290\n',
    ' dublin:5290',
    'dublin:5290,cork:5290',
    'a..b:1',
    '-a:1',
    'a-:1',
    '256.1.1.1:5290',
    '1.2.3:5290',
    '2001:db8::7:5290',
    '[2001:db8::7]',
    '[2001:db8::7%eth0]:5290',
    '[dublin]:5290',
    '0.0.0.0:5290',
    '[::]:5290',
    'unix:1',
    'UNIX:1',
    'dns:1',
    'ipv4:1',
    'unix:///run/core.sock:1',
    'dns:///dublin:5290',
    'https://dublin:5290',
    'user@dublin:5290',
    `${'a'.repeat(64)}:1`,
    `${'a.'.repeat(127)}a:1`,
  ]) {
    it(`may not be ${JSON.stringify(address.slice(0, 70))}`, () =>
      assert.throws(() => checkPerspectiveAddress(address), isCoreError('malformed')));
  }

  it('is judged without anything else going wrong, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.webAuthority({ withPort: true })),
        (address) => {
          try {
            checkPerspectiveAddress(address);
          } catch (error) {
            assert.ok(isCoreError('malformed')(error));
          }
        },
      ),
    );
  });
});

describe('the version of its program', () => {
  it('is a line that a table can show', () => {
    for (const build of ['', '0.1.0', 'gatehouse 0.1.0+4834830', 'x'.repeat(64)]) checkBuild(build);
    for (const build of ['x'.repeat(65), 'a\nb', '\u001b[31m', 'ä', '\u202e']) {
      assert.throws(() => checkBuild(build), isCoreError('malformed'));
    }
  });
});
