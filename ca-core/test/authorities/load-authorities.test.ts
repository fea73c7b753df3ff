// What the core refuses at start: one clear message and a hint for each fault of the hierarchy.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { encodePem } from '@gatehouse/pkix/pem';
import { createManualClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createHierarchy } from '../../src/authorities/create-hierarchy.ts';
import { loadAuthorities } from '../../src/authorities/load-authorities.ts';
import { generateSoftwareKey, saveEncryptedKey } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { contentsFor, createTestAuthority, issueTestCertificate } from '../x509/builders.ts';

const parent = mkdtempSync(join(tmpdir(), 'gatehouse-load-'));
after(() => rmSync(parent, { recursive: true, force: true }));
const passphrase = 'online';
const made = new Date('2026-03-01T10:00:00Z');
const good = join(parent, 'good');
const other = join(parent, 'other');
for (const directory of [good, other]) {
  const clock = createManualClock(made);
  await createHierarchy({ directory, passphrase, rootPassphrase: 'offline', clock });
}

function load(directory: string, at = made, withPassphrase = passphrase) {
  return loadAuthorities({ directory, passphrase: withPassphrase, clock: createManualClock(at) });
}

let count = 0;
/** A copy of the good hierarchy that `spoil` has spoilt. */
function spoilt(spoil: (folder: string) => void): string {
  const directory = join(parent, `spoilt-${++count}`);
  cpSync(good, directory, { recursive: true });
  spoil(join(directory, 'ca'));
  return directory;
}

function refuses(load: () => unknown, message: RegExp): void {
  assert.throws(load, (error) => {
    assert.ok(error instanceof FatalError);
    assert.match(error.message, message);
    assert.ok(error.hint, 'there is a hint');
    return true;
  });
}

describe('loading the hierarchy', () => {
  it('gives authorities whose signers are those of their certificates', async () => {
    const { issuing, service, root, auditKey } = load(good);
    for (const authority of [issuing, service]) {
      await authority.signer.selfTest();
      assert.deepEqual(
        Buffer.from(authority.signer.subjectPublicKeyInfo),
        Buffer.from(authority.certificate.subjectPublicKeyInfo),
      );
      assert.deepEqual(authority.chain[0], authority.certificate.der);
    }
    assert.deepEqual(issuing.chain, [issuing.certificate.der, root.der]);
    assert.deepEqual(service.chain, [service.certificate.der]);
    assert.equal(auditKey.asymmetricKeyType, 'ed25519');
  });

  it('does not need the key of the root', () => {
    load(spoilt((folder) => rmSync(join(folder, 'root.key.pem'))));
  });

  it('holds until the last second of notAfter', () => {
    load(good, new Date('2036-03-01T08:59:59.999Z'));
  });
});

describe('each fault of the hierarchy has one message', () => {
  for (const name of [
    'root.pem',
    'issuing.pem',
    'service.pem',
    'issuing.key.pem',
    'service.key.pem',
    'audit.key.pem',
  ]) {
    it(`${name} is missing`, () => {
      const directory = spoilt((folder) => rmSync(join(folder, name)));
      refuses(() => load(directory), new RegExp(`${name.replaceAll('.', '\\.')} is missing`));
    });

    it(`${name} is corrupt`, () => {
      const directory = spoilt((folder) => {
        const path = join(folder, name);
        writeFileSync(path, readFileSync(path).subarray(0, 250));
      });
      refuses(() => load(directory), new RegExp(`${name.replaceAll('.', '\\.')} is corrupt`));
    });
  }

  for (const name of ['issuing.key.pem', 'service.key.pem', 'audit.key.pem']) {
    it(`${name} is readable by others`, () => {
      const directory = spoilt((folder) => chmodSync(join(folder, name), 0o644));
      refuses(() => load(directory), new RegExp(`${name.replaceAll('.', '\\.')} .*mode 0644`));
    });
  }

  it('the passphrase is wrong', () => refuses(() => load(good, made, 'guess'), /passphrase/));

  for (const name of ['issuing', 'service']) {
    it(`the key of the ${name} CA is that of another certificate`, () => {
      const directory = spoilt((folder) => cpSync(join(other, `ca/${name}.key.pem`), join(folder, `${name}.key.pem`)));
      refuses(() => load(directory), /does not belong to the certificate/);
    });
  }

  it('the clock is before notBefore: both times are said', () => {
    refuses(
      () => load(good, new Date('2026-03-01T08:59:59Z')),
      /clock shows 2026-03-01T08:59:59\.000Z.*notBefore 2026-03-01T09:00:00\.000Z/,
    );
  });

  it('a certificate has expired', () => {
    refuses(() => load(good, new Date('2036-03-01T09:00:00Z')), /issuing\.pem has expired.*2036-03-01T08:59:59/);
  });

  it('the issuing CA is that of another root', () => {
    const directory = spoilt((folder) => {
      for (const name of ['issuing.pem', 'issuing.key.pem']) cpSync(join(other, 'ca', name), join(folder, name));
    });
    refuses(() => load(directory), /issuing\.pem does not follow from .*root\.pem: its issuer is/);
  });

  it('the signature on a certificate does not verify', () => {
    const directory = spoilt((folder) => {
      const der = Buffer.from(load(good).issuing.certificate.der);
      der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
      writeFileSync(join(folder, 'issuing.pem'), encodePem('CERTIFICATE', der));
    });
    refuses(() => load(directory), /does not follow from .*: the signature does not verify/);
  });

  it('a certificate is not that of a CA', () => {
    const authority = createTestAuthority('ecdsa-p256');
    const { subjectPublicKeyInfo } = createSoftwareSigner(generateSoftwareKey('ecdsa-p256'));
    const { der } = issueTestCertificate(authority, {}, contentsFor(subjectPublicKeyInfo, { notBefore: made }));
    const directory = spoilt((folder) => writeFileSync(join(folder, 'service.pem'), encodePem('CERTIFICATE', der)));
    refuses(() => load(directory), /service\.pem is not that of a CA/);
  });

  it('a file holds two certificates', () => {
    const directory = spoilt((folder) => {
      const text = readFileSync(join(folder, 'root.pem'), 'latin1');
      writeFileSync(join(folder, 'root.pem'), text + text);
    });
    refuses(() => load(directory), /several certificates/);
  });

  it('the audit key is of another kind', () => {
    const directory = spoilt((folder) => {
      rmSync(join(folder, 'audit.key.pem'));
      saveEncryptedKey(join(folder, 'audit.key.pem'), generateSoftwareKey('ecdsa-p256'), passphrase);
    });
    refuses(() => load(directory), /audit key .* is a ec key/);
  });

  it('changes nothing on the disk', () => {
    const directory = spoilt((folder) => rmSync(join(folder, 'issuing.pem')));
    const before = readdirSync(directory, { recursive: true }).toSorted();
    assert.throws(() => load(directory));
    assert.deepEqual(readdirSync(directory, { recursive: true }).toSorted(), before);
  });
});
