import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OcspOutputError, parseOcspOutput } from '../src/status/ocsp-output.ts';

const times = ['\tThis Update: Nov 21 12:49:25 2026 GMT', '\tNext Update: Nov  2 12:49:25 2026 GMT'];

describe('what openssl ocsp prints', () => {
  it('is read answer by answer, with reason and time', () => {
    const lines = [
      'a.pem: good',
      ...times,
      '/tmp/b: revoked.pem: revoked',
      ...times,
      '\tReason: keyCompromise',
      '\tRevocation Time: Nov 21 12:49:24 2026 GMT',
      '0x4711: unknown',
      ...times,
      '',
    ];
    const [good, revoked, unknown, ...others] = parseOcspOutput(lines.join('\n'));
    assert.deepEqual(others, []);
    assert.deepEqual(good, {
      subject: 'a.pem',
      status: 'good',
      thisUpdate: new Date('2026-11-21T12:49:25Z'),
      nextUpdate: new Date('2026-11-02T12:49:25Z'),
      reason: undefined,
      revokedAt: undefined,
    });
    assert.equal(revoked?.subject, '/tmp/b: revoked.pem');
    assert.equal(revoked?.reason, 'keyCompromise');
    assert.deepEqual(revoked?.revokedAt, new Date('2026-11-21T12:49:24Z'));
    assert.deepEqual([unknown?.subject, unknown?.status], ['0x4711', 'unknown']);
  });

  it('may lack nextUpdate, and may not lack thisUpdate', () => {
    assert.equal(parseOcspOutput(`a: good\n${times[0]}\n`)[0]?.nextUpdate, undefined);
    assert.throws(() => parseOcspOutput('a: good\n'), OcspOutputError);
    assert.throws(() => parseOcspOutput('a: good\n\tThis Update: soon\n'), OcspOutputError);
  });

  it('is no answer where openssl says something else', () => {
    assert.deepEqual(parseOcspOutput('Responder Error: unauthorized (6)\n    Cert Status: good\n'), []);
  });

  it('is read or refused by OcspOutputError, whatever the text', () => {
    const line = fc.oneof(fc.constantFrom('a: good', '\tThis Update: x', ...times), fc.string());
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          parseOcspOutput(lines.join('\n'));
        } catch (error) {
          assert(error instanceof OcspOutputError);
        }
      }),
    );
  });
});
