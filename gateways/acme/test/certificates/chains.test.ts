// Chains of a certificate: the one that the keep gave, and those that were configured for the same key.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { FatalError } from '@gatehouse/runtime/fatal';
import { openChains, storeChain } from '../../src/chains.ts';
import { createIssuer } from '../support/issuer.ts';

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-chains-'));
after(() => rmSync(directory, { recursive: true }));
const file = (name: string, ...ders: readonly Uint8Array[]): string => {
  const path = join(directory, name);
  writeFileSync(path, ders.map((der) => encodePem('CERTIFICATE', der)).join(''));
  return path;
};

const root = createIssuer('CN=Root');
const formerRoot = createIssuer('CN=Former Root');
const issuing = createIssuer('CN=Issuing');
const other = createIssuer('CN=Other');
const intermediate = issuing.crossSign(root, 'CN=Root');
const leaf = issuing.issue();
const stored = {
  id: '',
  accountId: '',
  orderId: '',
  serialNumber: '',
  certId: '',
  certificate: leaf,
  chain: storeChain([intermediate, root.certificate]),
  notBefore: new Date(),
  notAfter: new Date(),
  revokedAt: undefined,
  replacedBy: undefined,
};
const dersOf = (pem: string | undefined) => decodePem(pem ?? '', ['CERTIFICATE']).map(({ der }) => Buffer.from(der));

describe('RFC 8555 §7.4.2: chains of a certificate', () => {
  const alternate = issuing.crossSign(formerRoot, 'CN=Former Root');
  const chains = openChains([
    file('former.pem', alternate, formerRoot.certificate),
    file('foreign.pem', other.crossSign(root, 'CN=Root')),
  ]);

  it('begin with the certificate and leave the trust anchor out', () => {
    assert.deepEqual(
      dersOf(chains.write(stored, 0)),
      [leaf, intermediate].map((der) => Buffer.from(der)),
    );
  });

  it('are as many as there are for the same issuing key', () => {
    assert.equal(chains.countAlternates(stored), 1);
    assert.deepEqual(
      dersOf(chains.write(stored, 1)),
      [leaf, alternate].map((der) => Buffer.from(der)),
    );
    for (const number of [2, -1, 0.5]) assert.equal(chains.write(stored, number), undefined);
  });

  it('have a default that an operator may choose, for the same key', () => {
    const chosen = openChains([], file('chosen.pem', alternate, formerRoot.certificate));
    assert.deepEqual(
      dersOf(chosen.write(stored, 0)),
      [leaf, alternate].map((der) => Buffer.from(der)),
    );
    const foreign = openChains([], file('other.pem', other.crossSign(root, 'CN=Root')));
    assert.deepEqual(
      dersOf(foreign.write(stored, 0)),
      [leaf, intermediate].map((der) => Buffer.from(der)),
    );
  });

  it('must be readable at the start', () => {
    writeFileSync(join(directory, 'none.pem'), 'nothing');
    for (const name of ['none.pem', 'missing.pem']) {
      assert.throws(
        () => openChains([join(directory, name)]),
        (error) => error instanceof FatalError && /chain|holds/.test(error.message),
      );
    }
  });
});
