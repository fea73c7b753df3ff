import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { loadEvidenceAnchors } from '../../src/evidence/load-anchors.ts';
import { authorityExtensions, issue } from './build-chain.ts';

const first = issue('CN=First', undefined, authorityExtensions);
const second = issue('CN=Second', undefined, authorityExtensions);

let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'gatehouse-anchors-'));
  const pem = [first, second].map(({ certificate }) => encodePem('CERTIFICATE', certificate.der));
  writeFileSync(join(directory, 'both.pem'), pem.join(''));
  writeFileSync(join(directory, 'second.pem'), pem[1] ?? '');
  writeFileSync(join(directory, 'junk.pem'), encodePem('CERTIFICATE', Buffer.from('junk')));
  writeFileSync(join(directory, 'key.pem'), encodePem('PRIVATE KEY', Buffer.from('junk')));
  writeFileSync(join(directory, 'empty.pem'), '');
});
after(() => rmSync(directory, { recursive: true, force: true }));

const type = 'client-certificate-chain';

function refuses(
  sentence: RegExp,
  files: readonly string[],
  evidence: readonly { type: string; anchorsFile?: string }[] = [],
) {
  const profiles = [{ name: 'devices', evidence }];
  assert.throws(
    () => loadEvidenceAnchors({ directory, files: files.map((file) => ({ file, acceptsExpired: false })), profiles }),
    (error: unknown) => {
      assert.ok(error instanceof FatalError, String(error));
      assert.match(error.message, sentence);
      assert.ok(error.hint);
      return true;
    },
  );
}

describe('CORE.md: refuse at start what would be wrong later, evidence', () => {
  it('loads the list of the core and the files of the profiles', () => {
    const profiles = [
      { name: 'one', evidence: [{ type }, { type, anchorsFile: 'second.pem' }] },
      { name: 'two', evidence: [{ type, anchorsFile: 'second.pem' }] },
    ];
    const anchors = loadEvidenceAnchors({ directory, files: [{ file: 'both.pem', acceptsExpired: false }], profiles });
    assert.deepEqual(
      anchors.common.map(({ serialNumber }) => serialNumber),
      [first, second].map((one) => one.certificate.serialNumber),
    );
    assert.equal(anchors.byFile.get('second.pem')?.[0]?.serialNumber, second.certificate.serialNumber);
    assert.equal(anchors.byFile.size, 1);
  });

  it('tells apart whose devices count when their certificates have ended', () => {
    const files = [
      { file: 'both.pem', acceptsExpired: false },
      { file: 'second.pem', acceptsExpired: true },
    ];
    const { common, ofExpired } = loadEvidenceAnchors({ directory, files, profiles: [] });
    assert.equal(common.length, 3);
    assert.deepEqual(
      ofExpired.map(({ serialNumber }) => serialNumber),
      [second.certificate.serialNumber],
    );
  });

  it('needs no anchors when no profile demands evidence', () => {
    assert.deepEqual(loadEvidenceAnchors({ directory, files: [], profiles: [] }), {
      common: [],
      ofExpired: [],
      byFile: new Map(),
    });
  });

  it('refuses a file that is missing, empty, or holds no certificate', () => {
    refuses(/gone\.pem: ENOENT/, ['gone.pem']);
    refuses(/empty\.pem/, ['empty.pem']);
    refuses(/junk\.pem/, ['junk.pem']);
    refuses(/key\.pem/, ['key.pem']);
  });

  it('refuses a profile whose evidence has no anchors, and one whose evidence nobody can verify', () => {
    refuses(
      /profile devices demands evidence of type client-certificate-chain, but there are no trust anchors/,
      [],
      [{ type }],
    );
    refuses(
      /profile devices demands evidence of type tpm-quote, which this core cannot verify/,
      ['both.pem'],
      [{ type: 'tpm-quote' }],
    );
  });
});
