// Every rpc of the contract has a row; what has none is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AdministrationService } from '@gatehouse/proto/administration';
import { CertificateAuthorityService } from '@gatehouse/proto/certificate-authority';
import { CertificateStatusService } from '@gatehouse/proto/certificate-status';
import { DomainValidationService } from '@gatehouse/proto/domain-validation';
import { authorize, authorizedKinds } from '../../src/registry/authorization.ts';
import { type CallerKind, callerKinds, callerUri } from '../../src/registry/caller.ts';
import { isCoreError } from '../core-error.ts';

const services = [
  CertificateAuthorityService,
  CertificateStatusService,
  DomainValidationService,
  AdministrationService,
];
const paths = services.flatMap((service) => Object.values(service).map(({ path }) => path)).sort();

function caller(kind: CallerKind) {
  return { kind, name: 'one', uri: callerUri(kind, 'one'), serialNumber: '4a01' };
}

describe('issue 2 §3: each rpc has a row that says who may use it', () => {
  it('every rpc of the four services, and no other', () =>
    assert.deepEqual(Object.keys(authorizedKinds).sort(), paths));

  for (const path of paths) {
    for (const kind of callerKinds) {
      const isAllowed = authorizedKinds[path]?.includes(kind) === true;
      it(`${path}: ${kind} ${isAllowed ? 'may' : 'may not'}`, () => {
        if (isAllowed) authorize(path, caller(kind));
        else assert.throws(() => authorize(path, caller(kind)), isCoreError('unauthorized'));
      });
    }
  }

  for (const path of [
    '/gatehouse.ca.v1.CertificateAuthority/Sign',
    '',
    'Enroll',
    'constructor',
    '__proto__',
    'toString',
  ]) {
    it(`an unknown rpc is refused to everybody: ${JSON.stringify(path)}`, () => {
      for (const kind of callerKinds) assert.throws(() => authorize(path, caller(kind)), isCoreError('unauthorized'));
    });
  }
});

describe('ARCHITECTURE §3: Administration is for operators only', () => {
  for (const { path } of Object.values(AdministrationService)) {
    it(path, () => assert.deepEqual(authorizedKinds[path], ['operator']));
  }
});

describe('ARCHITECTURE §3: a join token buys a credential and nothing else', () => {
  it('may call Join alone', () => {
    const allowed = paths.filter((path) => authorizedKinds[path]?.includes('join'));
    assert.deepEqual(allowed, ['/gatehouse.ca.v1.CertificateAuthority/Join']);
    assert.deepEqual(authorizedKinds['/gatehouse.ca.v1.CertificateAuthority/Join'], ['join']);
  });
});
