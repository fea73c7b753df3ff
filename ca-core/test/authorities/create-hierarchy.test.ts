// The hierarchy of a data directory: what is in it, and that it is there as a whole or not at all.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Certificate, extensionOf, readCertificate } from '@gatehouse/pkix/certificate';
import {
  readAuthorityInformationAccess,
  readBasicConstraints,
  readCrlDistributionPoints,
  readKeyUsage,
} from '@gatehouse/pkix/extensions';
import { formatName } from '@gatehouse/pkix/names';
import { extensionIds } from '@gatehouse/pkix/object-identifiers';
import { decodePem } from '@gatehouse/pkix/pem';
import { describePublicKey } from '@gatehouse/pkix/public-key';
import { createManualClock, systemClock } from '@gatehouse/runtime/clock';
import { createHierarchy } from '../../src/authorities/create-hierarchy.ts';
import { loadAuthorities } from '../../src/authorities/load-authorities.ts';
import { loadRootCrl } from '../../src/authorities/root-crl.ts';
import { loadEncryptedKey } from '../../src/keys/software-key.ts';
import { issuerId } from '../../src/revocation/crl-scope.ts';
import { verifyStrictly } from '../openssl.ts';

const parent = mkdtempSync(join(tmpdir(), 'gatehouse-hierarchy-'));
after(() => rmSync(parent, { recursive: true, force: true }));
let count = 0;
const newDirectory = () => join(parent, `${++count}`);
const passphrases = { passphrase: 'online', rootPassphrase: 'offline' };

async function create(directory: string, organization?: string): Promise<void> {
  await createHierarchy({ directory, ...passphrases, organization, clock: systemClock });
}

function certificate(path: string): Certificate {
  const [block] = decodePem(readFileSync(path, 'latin1'), ['CERTIFICATE']);
  assert.ok(block);
  return readCertificate(block.der);
}

function constraints(ca: Certificate) {
  const extension = extensionOf(ca, extensionIds.basicConstraints);
  assert.ok(extension?.isCritical);
  return readBasicConstraints(extension.value);
}

const directory = newDirectory();
const made = new Date('2026-03-01T10:00:00Z');
await createHierarchy({ directory, ...passphrases, organization: 'Beispiel AG', clock: createManualClock(made) });
const root = certificate(join(directory, 'ca/root.pem'));
const issuing = certificate(join(directory, 'ca/issuing.pem'));
const service = certificate(join(directory, 'ca/service.pem'));

describe('the hierarchy', () => {
  it('has a root on P-384 for 20 years and CAs on P-256 for 10, valid from an hour ago', () => {
    const curve = (ca: Certificate) => {
      const key = describePublicKey(ca.subjectPublicKeyInfo);
      return key.kind === 'ec' ? key.curve : key.kind;
    };
    assert.deepEqual([root, issuing, service].map(curve), ['P-384', 'P-256', 'P-256']);
    assert.deepEqual(
      [root, issuing, service].map(({ notAfter }) => notAfter.toISOString()),
      ['2046-03-01T08:59:59.000Z', '2036-03-01T08:59:59.000Z', '2036-03-01T08:59:59.000Z'],
    );
    for (const ca of [root, issuing, service]) assert.equal(ca.notBefore.toISOString(), '2026-03-01T09:00:00.000Z');
  });

  it('has names with the organization and one random suffix', () => {
    const [, suffix] = formatName(root.subject).match(/^CN=Gatehouse Root CA ([0-9A-F]{8}),O=Beispiel AG$/) ?? [];
    assert.ok(suffix);
    assert.equal(formatName(issuing.subject), `CN=Gatehouse Issuing CA ${suffix},O=Beispiel AG`);
    assert.equal(formatName(service.subject), `CN=Gatehouse Service CA ${suffix},O=Beispiel AG`);
  });

  it('lets the issuing CA certify one more level, the service CA none, and does not limit the root', () => {
    assert.deepEqual(constraints(root), { ca: true });
    assert.deepEqual(constraints(issuing), { ca: true, pathLength: 1 });
    assert.deepEqual(constraints(service), { ca: true, pathLength: 0 });
  });

  it('RFC 5280 §4.2.1.3: its CAs sign certificates and CRLs and nothing else', () => {
    for (const ca of [root, issuing, service]) {
      const usage = extensionOf(ca, extensionIds.keyUsage);
      assert.ok(usage?.isCritical);
      assert.deepEqual(readKeyUsage(usage.value), ['keyCertSign', 'cRLSign']);
    }
  });

  it('passes openssl verify -x509_strict', () => {
    const at = made;
    verifyStrictly({ anchor: root.der, certificate: root.der, at });
    verifyStrictly({ anchor: root.der, certificate: issuing.der, at });
    verifyStrictly({ anchor: service.der, certificate: service.der, at });
    assert.throws(() => verifyStrictly({ anchor: root.der, certificate: service.der, at }));
  });

  it('publishes the root alone as trust anchor and the issuing CA as chain', () => {
    assert.deepEqual(certificate(join(directory, 'trust/root.pem')).der, root.der);
    assert.deepEqual(certificate(join(directory, 'trust/chain.pem')).der, issuing.der);
    assert.deepEqual(readdirSync(join(directory, 'trust')).toSorted(), ['chain.pem', 'root.pem']);
  });

  it('keeps each key encrypted in a file of mode 0600, the root under its own passphrase', () => {
    for (const name of ['root', 'issuing', 'service', 'audit']) {
      const path = join(directory, `ca/${name}.key.pem`);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.ok(loadEncryptedKey(path, name === 'root' ? 'offline' : 'online'));
      assert.throws(() => loadEncryptedKey(path, name === 'root' ? 'online' : 'offline'), { name: 'FatalError' });
    }
    assert.equal(statSync(join(directory, 'ca')).mode & 0o777, 0o700);
    assert.equal(loadEncryptedKey(join(directory, 'ca/audit.key.pem'), 'online').asymmetricKeyType, 'ed25519');
  });

  it('RFC 5280 §5: has a first CRL of the root, which revokes nothing and is valid for a year', () => {
    const crl = loadRootCrl(directory, root);
    assert.ok(crl?.nextUpdate);
    assert.deepEqual([...crl.entries()], []);
    assert.equal(crl.thisUpdate.toISOString(), '2026-03-01T09:00:00.000Z');
    assert.equal(crl.nextUpdate.toISOString(), '2027-03-01T09:00:00.000Z');
    assert.equal(crl.crlNumber, BigInt(made.getTime()));
    assert.equal(crl.issuingDistributionPoint, undefined);
    assert.deepEqual(crl.freshestCrl, []);
  });

  it('names no place where a status would be found, unless it is told one', () => {
    for (const ca of [root, issuing, service]) {
      assert.equal(extensionOf(ca, extensionIds.crlDistributionPoints), undefined);
      assert.equal(extensionOf(ca, extensionIds.authorityInformationAccess), undefined);
    }
  });

  it('is another one in every data directory', async () => {
    const other = newDirectory();
    await create(other, 'Beispiel AG');
    const otherRoot = certificate(join(other, 'ca/root.pem'));
    assert.notEqual(formatName(otherRoot.subject), formatName(root.subject));
    assert.notEqual(otherRoot.serialNumber, root.serialNumber);
  });

  it('refuses an organization that no certificate can hold', async () => {
    for (const organization of ['', 'x'.repeat(65), 'a\0b']) {
      const target = newDirectory();
      await assert.rejects(create(target, organization), { name: 'FatalError', message: /organization/ });
      assert.equal(existsSync(join(target, 'ca')), false);
    }
  });
});

describe('RFC 5280 §4.2.1.13, §4.2.2.1: a hierarchy whose status is published', async () => {
  const target = newDirectory();
  const statusUrl = 'http://status.example.com/pki/';
  await createHierarchy({ directory: target, ...passphrases, statusUrl, clock: createManualClock(made) });
  const [top, below, bridge] = ['root', 'issuing', 'service'].map((name) =>
    certificate(join(target, `ca/${name}.pem`)),
  );
  assert.ok(top && below && bridge);

  it("says in the issuing CA's certificate where the root's CRL and certificate are", () => {
    const points = extensionOf(below, extensionIds.crlDistributionPoints);
    const access = extensionOf(below, extensionIds.authorityInformationAccess);
    assert.ok(points && access);
    assert.deepEqual(readCrlDistributionPoints(points.value), ['http://status.example.com/pki/crl/root.crl']);
    assert.deepEqual(readAuthorityInformationAccess(access.value), {
      ocsp: [],
      caIssuers: [`http://status.example.com/pki/issuer/${issuerId(top)}.crt`],
    });
    verifyStrictly({ anchor: top.der, certificate: below.der, at: made });
  });

  it('says nothing in self-signed certificates: nobody can revoke a trust anchor', () => {
    for (const ca of [top, bridge]) assert.equal(extensionOf(ca, extensionIds.crlDistributionPoints), undefined);
  });

  it('is not made with a status URL that no relying party could use', async () => {
    for (const wrong of ['https://status.example.com', 'status.example.com', 'http://status.example.com/?a', '']) {
      const nowhere = newDirectory();
      await assert.rejects(
        createHierarchy({ directory: nowhere, ...passphrases, statusUrl: wrong, clock: systemClock }),
        { name: 'FatalError', message: /the status URL/ },
      );
      assert.equal(existsSync(nowhere), false);
    }
  });
});

describe('the hierarchy is never overwritten', () => {
  it('refuses a data directory that has one', async () => {
    const before = readFileSync(join(directory, 'ca/root.key.pem'));
    await assert.rejects(create(directory), { name: 'FatalError', message: /exists already/ });
    assert.deepEqual(readFileSync(join(directory, 'ca/root.key.pem')), before);
    assert.deepEqual(certificate(join(directory, 'trust/root.pem')).der, root.der);
  });

  it('refuses a trust anchor whose keys somebody moved away', async () => {
    const target = newDirectory();
    mkdirSync(join(target, 'trust'), { recursive: true });
    writeFileSync(join(target, 'trust/root.pem'), 'that of another hierarchy');
    await assert.rejects(create(target), { name: 'FatalError', message: /trust\/root\.pem exists/ });
    assert.equal(readFileSync(join(target, 'trust/root.pem'), 'latin1'), 'that of another hierarchy');
  });

  it('has one winner when two are made at the same time, with its own trust anchor', async () => {
    const target = newDirectory();
    const results = await Promise.allSettled([create(target), create(target), create(target)]);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    const { root: winner } = loadAuthorities({ directory: target, passphrase: 'online', clock: systemClock });
    assert.deepEqual(certificate(join(target, 'trust/root.pem')).der, winner.der);
    assert.deepEqual(readdirSync(target).toSorted(), ['ca', 'trust']);
  });

  it('leaves nothing behind when it cannot be written', async () => {
    const target = newDirectory();
    mkdirSync(target);
    writeFileSync(join(target, 'trust'), 'a file where a folder must be');
    await assert.rejects(create(target), { name: 'FatalError', message: /cannot make a hierarchy/ });
    assert.deepEqual(readdirSync(target), ['trust']);
  });
});

describe('the hierarchy is there as a whole or not at all', () => {
  /** How many files are renamed into place, the last rename being that of the folder itself. */
  const renames = 11;

  async function createAndStop(target: string, stopBefore: number): Promise<void> {
    const workerData = { options: { directory: target, ...passphrases }, stopBefore };
    const worker = new Worker(new URL('./interrupted-creation.ts', import.meta.url), { workerData });
    const [exitCode] = await once(worker, 'exit');
    assert.equal(exitCode, stopBefore > renames ? 0 : 1);
  }

  for (let stopBefore = 1; stopBefore <= renames; stopBefore++) {
    it(`when the machine stops before file ${stopBefore} of ${renames}`, async () => {
      const target = newDirectory();
      await createAndStop(target, stopBefore);
      assert.ok(readdirSync(target).some((name) => name.startsWith('ca.new.')));
      assert.throws(() => loadAuthorities({ directory: target, passphrase: 'online', clock: systemClock }), {
        name: 'FatalError',
        message: /missing/,
      });

      await create(target);
      const authorities = loadAuthorities({ directory: target, passphrase: 'online', clock: systemClock });
      assert.deepEqual(certificate(join(target, 'trust/root.pem')).der, authorities.root.der);
      assert.deepEqual(certificate(join(target, 'trust/chain.pem')).der, authorities.issuing.certificate.der);
      assert.deepEqual(readdirSync(target).toSorted(), ['ca', 'trust']);
    });
  }

  it('when it does not stop', async () => {
    const target = newDirectory();
    await createAndStop(target, renames + 1);
    loadAuthorities({ directory: target, passphrase: 'online', clock: systemClock });
  });
});
