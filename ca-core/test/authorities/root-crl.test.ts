// The root's own CRL: what the core takes for it at start, and how the next one is made where the root's key is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import type { CertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { crlReasons } from '@gatehouse/pkix/crl/extensions';
import { decodePem } from '@gatehouse/pkix/pem';
import { createManualClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createHierarchy } from '../../src/authorities/create-hierarchy.ts';
import { loadAuthorities } from '../../src/authorities/load-authorities.ts';
import { type RenewRootCrlOptions, renewRootCrl } from '../../src/authorities/renew-root-crl.ts';
import { loadRootCrl } from '../../src/authorities/root-crl.ts';
import { loadEncryptedKey } from '../../src/keys/software-key.ts';
import { createSoftwareSigner } from '../../src/keys/software-signer.ts';
import { assembleCrlFile } from '../../src/x509/crl-file.ts';
import { type CrlFactsToWrite, writeTbsCertList } from '../../src/x509/tbs-cert-list.ts';

const parent = mkdtempSync(join(tmpdir(), 'gatehouse-root-crl-'));
after(() => rmSync(parent, { recursive: true, force: true }));
const made = new Date('2026-03-01T10:00:00Z');
const later = new Date('2026-09-01T10:00:00Z');
const good = join(parent, 'good');
const other = join(parent, 'other');
for (const directory of [good, other]) {
  await createHierarchy({ directory, passphrase: 'online', rootPassphrase: 'offline', clock: createManualClock(made) });
}

function certificateOf(directory: string, name: string): Certificate {
  const [block] = decodePem(readFileSync(join(directory, `ca/${name}.pem`), 'latin1'), ['CERTIFICATE']);
  assert.ok(block);
  return readCertificate(block.der);
}

const root = certificateOf(good, 'root');
const issuing = certificateOf(good, 'issuing');

let count = 0;
/** A copy of the good data directory. */
function copy(): string {
  const directory = join(parent, `copy-${++count}`);
  cpSync(good, directory, { recursive: true });
  return directory;
}

function renew(directory: string, changes: Partial<RenewRootCrlOptions> = {}): Promise<CertificateList> {
  return renewRootCrl({ directory, rootPassphrase: 'offline', clock: createManualClock(later), ...changes });
}

const entriesOf = (crl: CertificateList | undefined) =>
  [...(crl?.entries() ?? [])].map(({ serialNumber, reason, revocationDate }) => [
    serialNumber,
    reason,
    revocationDate.toISOString(),
  ]);

function refusal(message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof FatalError, String(error));
    assert.match(error.message, message);
    return true;
  };
}

/** What openssl thinks of the issuing CA's certificate with this CRL. */
function verifyWithOpenssl(directory: string, at: Date): void {
  const crl = join(directory, 'crl.pem');
  execFileSync('openssl', ['crl', '-inform', 'DER', '-in', join(directory, 'ca/root.crl'), '-out', crl]);
  const seconds = String(Math.floor(at.getTime() / 1000));
  execFileSync(
    'openssl',
    [
      ...['verify', '-x509_strict', '-crl_check', '-CRLfile', crl, '-attime', seconds],
      ...['-CAfile', join(directory, 'ca/root.pem'), join(directory, 'ca/issuing.pem')],
    ],
    { stdio: 'pipe' },
  );
}

/** Puts a CRL that some key signed in the place of the root's. */
async function plant(
  directory: string,
  { facts = {}, from = directory }: { readonly facts?: Partial<CrlFactsToWrite>; readonly from?: string },
): Promise<void> {
  const signer = createSoftwareSigner(loadEncryptedKey(join(from, 'ca/root.key.pem'), 'offline'));
  const { signatureAlgorithm } = signer;
  const tbsFile = join(directory, 'planted.tbs');
  const nextUpdate = new Date('2027-03-01T10:00:00Z');
  await writeTbsCertList(
    tbsFile,
    { issuer: root, signatureAlgorithm, thisUpdate: made, nextUpdate, crlNumber: 7, ...facts },
    [],
  );
  const signature = signer.sign(readFileSync(tbsFile));
  await assembleCrlFile({ tbsFile, signatureAlgorithm, signature, file: join(directory, 'ca/root.crl') });
}

describe("RFC 5280 §5: the root's CRL at start", () => {
  it('is loaded with the hierarchy, and believed by openssl', () => {
    const options = { directory: good, passphrase: 'online', clock: createManualClock(made) };
    assert.ok(loadAuthorities(options).rootCrl);
    verifyWithOpenssl(copy(), made);
  });

  it('may be missing, as in directories that were made before there was one', () => {
    const directory = copy();
    rmSync(join(directory, 'ca/root.crl'));
    assert.equal(loadRootCrl(directory, root), undefined);
  });

  it('may be old: an old one says more than none', () => {
    const clock = createManualClock(new Date('2030-01-01T00:00:00Z'));
    assert.ok(loadAuthorities({ directory: good, passphrase: 'online', clock }).rootCrl);
  });

  it('is refused when another root signed it', () => {
    const directory = copy();
    cpSync(join(other, 'ca/root.crl'), join(directory, 'ca/root.crl'));
    const load = () => loadAuthorities({ directory, passphrase: 'online', clock: createManualClock(made) });
    assert.throws(load, refusal(/root\.crl is not the one of the root: its issuer is not the root/));
  });

  it('is refused when another key signed it in the name of the root', async () => {
    const directory = copy();
    await plant(directory, { from: other });
    assert.throws(() => loadRootCrl(directory, root), refusal(/does not verify/));
  });

  it('§5.2.4, §5.2.5: is refused when it is a delta, or covers only a part', async () => {
    const directory = copy();
    await plant(directory, { facts: { baseCrlNumber: 3 } });
    assert.throws(() => loadRootCrl(directory, root), refusal(/it is not complete/));
    await plant(directory, { facts: { issuingDistributionPoint: { onlyContains: 'ca-certificates' } } });
    assert.throws(() => loadRootCrl(directory, root), refusal(/it is not complete/));
  });

  it('is refused when it is damaged', () => {
    const directory = copy();
    const file = join(directory, 'ca/root.crl');
    const octets = readFileSync(file);
    for (const damaged of [Buffer.alloc(0), octets.subarray(0, 100), Buffer.from('nothing')]) {
      writeFileSync(file, damaged);
      assert.throws(() => loadRootCrl(directory, root), refusal(/root\.crl is corrupt/));
    }
    writeFileSync(file, octets.with(octets.length - 1, (octets.at(-1) ?? 0) ^ 1));
    assert.throws(() => loadRootCrl(directory, root), FatalError);
  });
});

describe("the root's next CRL", () => {
  it('is valid for another year, under a higher number, and nothing else has changed', async () => {
    const directory = copy();
    const before = loadRootCrl(directory, root);
    const files = readdirSync(join(directory, 'ca'));
    const crl = await renew(directory);
    assert.equal(crl.thisUpdate.toISOString(), '2026-09-01T10:00:00.000Z');
    assert.equal(crl.nextUpdate?.toISOString(), '2027-09-01T10:00:00.000Z');
    assert.ok((crl.crlNumber ?? 0n) > (before?.crlNumber ?? 0n));
    assert.deepEqual(Buffer.from(loadRootCrl(directory, root)?.der ?? []), Buffer.from(crl.der));
    assert.deepEqual(readdirSync(join(directory, 'ca')), files);
    assert.equal(statSync(join(directory, 'ca/root.crl')).mode & 0o444, 0o444);
    verifyWithOpenssl(directory, later);
  });

  it('revokes a CA, so that openssl does not believe it any more, and keeps what was revoked', async () => {
    const directory = copy();
    const reason = crlReasons.cACompromise;
    await renew(directory, { revoke: [{ serialNumber: issuing.serialNumber.toUpperCase(), reason }] });
    const revoked = [issuing.serialNumber, reason, later.toISOString()];
    assert.deepEqual(entriesOf(loadRootCrl(directory, root)), [revoked]);
    assert.throws(() => verifyWithOpenssl(directory, later), /certificate revoked/);

    const clock = createManualClock(new Date('2026-10-01T00:00:00Z'));
    await renew(directory, { clock, revoke: [{ serialNumber: '00:AB:cd', reason: crlReasons.superseded }] });
    assert.deepEqual(entriesOf(loadRootCrl(directory, root)), [
      revoked,
      ['abcd', crlReasons.superseded, '2026-10-01T00:00:00.000Z'],
    ]);
  });

  it('§5.2.3: has a higher number and no earlier time when the clock was set back', async () => {
    const directory = copy();
    const first = await renew(directory);
    const second = await renew(directory, { clock: createManualClock(made) });
    assert.equal(second.crlNumber, (first.crlNumber ?? 0n) + 1n);
    assert.deepEqual(second.thisUpdate, first.thisUpdate);
  });

  it('is the first one where there was none', async () => {
    const directory = copy();
    rmSync(join(directory, 'ca/root.crl'));
    assert.deepEqual(entriesOf(await renew(directory)), []);
    assert.ok(loadRootCrl(directory, root));
  });

  it('never outlives the root', async () => {
    const crl = await renew(copy(), { clock: createManualClock(new Date('2046-01-01T00:00:00Z')) });
    assert.deepEqual(crl.nextUpdate, root.notAfter);
  });

  it('is signed with a key that is kept elsewhere', async () => {
    const directory = copy();
    const rootKeyFile = join(parent, 'root-on-a-stick.pem');
    renameSync(join(directory, 'ca/root.key.pem'), rootKeyFile);
    await assert.rejects(renew(directory), refusal(/root\.key\.pem is missing/));
    await renew(directory, { rootKeyFile });
  });
});

describe("what cannot be done leaves the root's CRL as it was", () => {
  const serialNumber = 'abcd';
  const reason = crlReasons.keyCompromise;
  const refused: Readonly<Record<string, readonly [Partial<RenewRootCrlOptions>, RegExp]>> = {
    'a wrong passphrase': [{ rootPassphrase: 'guess' }, /passphrase/],
    "another root's key": [{ rootKeyFile: join(other, 'ca/root.key.pem') }, /is not that of/],
    'what is no serial number': [{ revoke: [{ serialNumber: 'issuing', reason }] }, /is not a serial number/],
    'the serial number zero': [{ revoke: [{ serialNumber: '00', reason }] }, /is not a serial number/],
    'a certificate twice': [
      {
        revoke: [
          { serialNumber, reason },
          { serialNumber, reason },
        ],
      },
      /is on the CRL already/,
    ],
    'a CA on hold': [{ revoke: [{ serialNumber, reason: crlReasons.certificateHold }] }, /is not a reason/],
    'a release': [{ revoke: [{ serialNumber, reason: crlReasons.removeFromCRL }] }, /is not a reason/],
    'reason 7, which is not used': [{ revoke: [{ serialNumber, reason: 7 }] }, /is not a reason/],
    'a root that has ended': [{ clock: createManualClock(new Date('2047-01-01T00:00:00Z')) }, /has expired/],
  };
  for (const [what, [changes, message]] of Object.entries(refused)) {
    it(what, async () => {
      const directory = copy();
      const before = readFileSync(join(directory, 'ca/root.crl'));
      await assert.rejects(renew(directory, changes), refusal(message));
      assert.deepEqual(readFileSync(join(directory, 'ca/root.crl')), before);
      assert.deepEqual(readdirSync(join(directory, 'ca')), readdirSync(join(good, 'ca')));
    });
  }

  it('a CRL before it that is not the root’s: nothing of it is carried over', async () => {
    const directory = copy();
    cpSync(join(other, 'ca/root.crl'), join(directory, 'ca/root.crl'));
    await assert.rejects(renew(directory), refusal(/is not the one of the root/));
  });
});
