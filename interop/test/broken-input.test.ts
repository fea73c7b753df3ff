import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertificationRequestError, readCertificationRequest } from '@gatehouse/pkix/certification-request';
import { brokenInputs } from '../src/broken-input.ts';
import { clients } from '../src/clients.ts';
import { craftRequest, nested, withIndefiniteLength } from '../src/crafted-request.ts';

describe('the table of broken inputs', () => {
  it('has at least twenty rows, each with a name of its own', () => {
    assert(brokenInputs.length >= 20);
    assert.equal(new Set(brokenInputs.map(({ name }) => name)).size, brokenInputs.length);
  });

  it('expects a refusal in every row', () => {
    for (const { name, status } of brokenInputs) assert(status >= 400 && status < 500, name);
  });
});

describe('the clients', () => {
  it('have no two operations of one name', () => {
    for (const { name, operations } of clients) {
      const names = operations.map((operation) => operation.name);
      assert.deepEqual(new Set(names).size, names.length, name);
    }
  });
});

describe('crafted requests', () => {
  it('are in order but for what is crafted', () => {
    assert.equal(readCertificationRequest(craftRequest({})).subject.length, 1);
    assert.throws(() => readCertificationRequest(craftRequest({ version: 1 })), CertificationRequestError);
  });

  it('can be nested and be of indefinite length', () => {
    assert.equal(Buffer.from(nested(2)).toString('hex'), '30023000');
    assert.equal(Buffer.from(withIndefiniteLength(Buffer.from('3003020100', 'hex'))).toString('hex'), '30800201000000');
  });
});
