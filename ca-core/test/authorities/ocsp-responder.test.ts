// The delegated responder: what its certificate says, when it is replaced, and that no damage to its files stops the core.
import assert from 'node:assert/strict';
import { createPublicKey, randomUUID, X509Certificate } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Certificate, extensionOf } from '@gatehouse/pkix/certificate';
import { readExtendedKeyUsage, readKeyUsage } from '@gatehouse/pkix/extensions';
import { attributeValues } from '@gatehouse/pkix/names';
import { attributeTypes, extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import { CoreError } from '@gatehouse/proto/core-error';
import { RevocationReason } from '@gatehouse/proto/types';
import { createLog } from '@gatehouse/runtime/log';
import { ocspResponderFiles } from '../../src/authorities/files.ts';
import {
  type OcspResponderOptions,
  type OcspResponderSource,
  openOcspResponder,
} from '../../src/authorities/ocsp-responder.ts';
import { bindProfiles } from '../../src/enrollment/issuing-profile.ts';
import { enroll } from '../../src/enrollment/pipeline.ts';
import { loadEncryptedKey } from '../../src/keys/software-key.ts';
import { loadProfiles } from '../../src/profiles/load-profiles.ts';
import { callerUri } from '../../src/registry/caller.ts';
import { responderIssuance } from '../../src/revocation/issue-responder-certificate.ts';
import { revoke } from '../../src/revocation/revoke.ts';
import { readAuditRecords } from '../../src/store/audit-events.ts';
import { findCertificate } from '../../src/store/certificates.ts';
import { listOrphanIntents, orphanAgeMs } from '../../src/store/intents.ts';
import { verifyStrictly } from '../openssl.ts';
import { profile } from '../profiles/profile-file.ts';
import { certificationRequest, enrollRequest } from '../support/enrollment.ts';
import { contextOf, openTestKeep, type TestKeep } from '../support/keep.ts';
import { extensionValue } from '../x509/builders.ts';

const dayMs = 86_400_000;
const lives = { keyLife: 14 * dayMs, validity: dayMs };
const parent = mkdtempSync(join(tmpdir(), 'gatehouse-responder-'));
const closing: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closing) await close();
  rmSync(parent, { recursive: true, force: true });
});

async function newKeep(wrap: Parameters<typeof openTestKeep>[0] = (signer) => signer): Promise<TestKeep> {
  const made = await openTestKeep(wrap);
  closing.push(made.close);
  return made;
}

const { keep, clock } = await newKeep();
const start = clock.now();

/** Opens the responder of a directory; `lines` are what it logs. */
async function open(
  directory = join(parent, randomUUID()),
  changes: Partial<OcspResponderOptions> = {},
  at: Pick<TestKeep, 'keep'> = { keep },
) {
  const lines: string[] = [];
  const log = createLog({ name: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const source: OcspResponderSource = await openOcspResponder({
    directory,
    passphrase: 'online',
    issuer: at.keep.issuing.certificate,
    store: at.keep.store,
    responseValidityMs: lives.validity,
    issue: responderIssuance(at.keep, lives),
    clock: at.keep.clock,
    log,
    ...changes,
  });
  closing.unshift(() => source.close());
  return { source, directory, lines };
}

/** Puts the clock back when the test has ended, for the others. */
async function later(ms: number, run: () => Promise<void>): Promise<void> {
  clock.advance(ms);
  try {
    await run();
  } finally {
    clock.set(start);
  }
}

function eventsOf(serialNumber: string) {
  const { instance, sequence } = keep.store.auditHead();
  return readAuditRecords(keep.store, instance, 0, sequence).filter((event) => event.serialNumber === serialNumber);
}

describe('RFC 6960 §4.2.2.2: the certificate of the delegated responder', async () => {
  const { source, directory } = await open();
  const { id, certificate, key, signer } = source.current();

  it('is for signing responses and nothing else, on P-256', () => {
    assert.deepEqual(readExtendedKeyUsage(extensionValue(certificate, extensionIds.extendedKeyUsage)), [
      keyPurposes.OCSPSigning,
    ]);
    assert.deepEqual(readKeyUsage(extensionValue(certificate, extensionIds.keyUsage)), ['digitalSignature']);
    assert.equal(signer.algorithm, 'ECDSA P-256');
  });

  it('§4.2.2.2.1: is trusted as long as it lives, and names no place where its status would be found', () => {
    const noCheck = extensionOf(certificate, extensionIds.ocspNoCheck);
    assert.deepEqual([noCheck?.isCritical, Buffer.from(noCheck?.value ?? []).toString('hex')], [false, '0500']);
    assert.equal(extensionOf(certificate, extensionIds.authorityInformationAccess), undefined);
    assert.equal(extensionOf(certificate, extensionIds.crlDistributionPoints), undefined);
  });

  it('lives as long as the configuration says, from a little before now', () => {
    assert.equal(certificate.notAfter.getTime(), start.getTime() + lives.keyLife - 1000);
    assert.equal(certificate.notBefore.getTime(), start.getTime() - 300_000);
  });

  it('belongs to its key, which signs', async () => {
    assert.deepEqual(
      createPublicKey(key).export({ type: 'spki', format: 'der' }),
      Buffer.from(certificate.subjectPublicKeyInfo),
    );
    await signer.selfTest();
    assert.equal(id, new X509Certificate(certificate.der).fingerprint256.replaceAll(':', '').toLowerCase());
  });

  it('is accepted by openssl as that of an OCSP helper below the issuing CA', () => {
    verifyStrictly({
      anchor: keep.root.der,
      intermediates: [keep.issuing.certificate.der],
      certificate: certificate.der,
      purpose: 'ocsphelper',
      at: start,
    });
  });

  it("has the CA's organization and a name of its own", async () => {
    const other = (await open()).source.current().certificate;
    const name = (one: Certificate) => attributeValues(one.subject, attributeTypes.CN)[0];
    assert.deepEqual(attributeValues(certificate.subject, attributeTypes.O), ['Example']);
    assert.match(name(certificate) ?? '', /^OCSP Responder [0-9A-F]{8}$/);
    assert.notEqual(name(certificate), name(other));
  });

  it('ARCHITECTURE §1.3: is recorded, with an event for the key and one for the certificate', () => {
    const stored = findCertificate(keep.store, certificate.serialNumber);
    assert.ok(stored);
    assert.deepEqual(
      [stored.authority, stored.profile, stored.registrationAuthority, stored.crlScope],
      ['issuing', 'ocsp-signing', '', ''],
    );
    assert.deepEqual(Buffer.from(stored.certificate), Buffer.from(certificate.der));
    assert.equal(Buffer.from(stored.keyFingerprint).toString('hex'), signer.keyFingerprint);
    const events = eventsOf(certificate.serialNumber);
    assert.deepEqual(
      events.map(({ action, actor, outcome }) => [action, actor, outcome]),
      [
        ['ocsp-key-made', keep.instance.uri, 'success'],
        ['certificate-issued', keep.instance.uri, 'success'],
      ],
    );
    assert.match(events[0]?.body ?? '', new RegExp(`"fingerprint":"${signer.keyFingerprint}"`));
  });

  it('has a key that stands encrypted in a file of mode 0600', () => {
    const files = ocspResponderFiles(directory);
    assert.equal(statSync(files.key).mode & 0o777, 0o600);
    assert.equal(statSync(files.folder).mode & 0o777, 0o700);
    assert.ok(loadEncryptedKey(files.key, 'online').equals(key));
    assert.throws(() => loadEncryptedKey(files.key, 'guess'), { name: 'FatalError' });
  });

  it('is found again at the next start', async () => {
    const { sequence } = keep.store.auditHead();
    const again = await open(directory);
    assert.equal(again.source.current().id, id);
    assert.deepEqual(again.lines, []);
    assert.equal(keep.store.auditHead().sequence, sequence);
  });
});

describe('a responder that cannot be used is replaced at start, with a line that says why', async () => {
  const other = await open();
  const foreign = await newKeep();
  const ofAnotherCa = await open(undefined, {}, foreign);
  const server = await enroll(
    keep,
    contextOf(keep),
    enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })),
  );
  if (server.kind !== 'issued') assert.fail('not issued');
  const damages: Readonly<Record<string, readonly [spoil: (directory: string) => void, reason: RegExp]>> = {
    'its key is missing': [(directory) => rmSync(ocspResponderFiles(directory).key), /responder\.key\.pem is missing/],
    'its key is damaged': [
      (directory) => {
        const { key } = ocspResponderFiles(directory);
        writeFileSync(key, readFileSync(key).subarray(0, 200));
      },
      /responder\.key\.pem is corrupt/,
    ],
    'its key may be read by others': [
      (directory) => chmodSync(ocspResponderFiles(directory).key, 0o640),
      /has mode 0640/,
    ],
    'its key is that of another': [
      (directory) => cpSync(ocspResponderFiles(other.directory).key, ocspResponderFiles(directory).key),
      /does not belong to/,
    ],
    'its certificate is missing': [(directory) => rmSync(ocspResponderFiles(directory).certificate), /the first OCSP/],
    'its certificate is damaged': [
      (directory) => writeFileSync(ocspResponderFiles(directory).certificate, 'nothing'),
      /responder\.pem is corrupt/,
    ],
    'it is that of another CA': [
      (directory) =>
        cpSync(ocspResponderFiles(ofAnotherCa.directory).folder, ocspResponderFiles(directory).folder, {
          recursive: true,
        }),
      /does not follow from the issuing CA/,
    ],
    'its certificate is not for OCSP': [
      (directory) =>
        writeFileSync(ocspResponderFiles(directory).certificate, encodePem('CERTIFICATE', server.certificate)),
      /is not for OCSPSigning/,
    ],
  };
  for (const [what, [spoil, reason]] of Object.entries(damages)) {
    it(what, async () => {
      const { source, directory } = await open();
      spoil(directory);
      const { source: next, lines } = await open(directory);
      assert.notEqual(next.current().id, source.current().id);
      assert.equal(lines.length, 1);
      assert.match(lines.join(''), reason);
      assert.deepEqual((await open(directory)).lines, []);
    });
  }

  it('its certificate is not recorded, as after a restore of an older database', async () => {
    const { directory, source } = await open();
    const { source: next, lines } = await open(directory, { store: { one: () => undefined, all: () => [] } });
    assert.notEqual(next.current().id, source.current().id);
    assert.match(lines.join(''), /its certificate is not recorded/);
  });
});

describe('RFC 6960 §4.2.2.2: a responder is replaced while it lives', () => {
  it('at half of its life and not before; whoever signs with it is told', async () => {
    const { source, directory, lines } = await open();
    const first = source.current();
    const told: string[] = [];
    source.onChange(({ id }) => told.push(id));
    await later(lives.keyLife / 2 - 600_000, () => source.renewIfDue());
    assert.equal(source.current(), first);

    await later(lives.keyLife / 2, async () => {
      await Promise.all([source.renewIfDue(), source.renewIfDue(), source.renewIfDue()]);
      const second = source.current();
      assert.notEqual(second.id, first.id);
      assert.deepEqual(told, [second.id]);
      assert.equal(second.certificate.notAfter.getTime(), clock.now().getTime() + lives.keyLife - 1000);
      assert.match(lines.at(-1) ?? '', /half of its life is over/);
      const [keyMade] = eventsOf(second.certificate.serialNumber);
      assert.match(keyMade?.body ?? '', new RegExp(`"replaces":"${first.certificate.serialNumber}"`));
      assert.equal((await open(directory)).source.current().id, second.id);
      // The old one is not revoked: what it signed holds.
      assert.equal(findCertificate(keep.store, first.certificate.serialNumber)?.revocation, undefined);
    });
  });

  it('when what is left is shorter than a response lives', async () => {
    const { source } = await open(undefined, { responseValidityMs: 10 * dayMs });
    const first = source.current();
    await later(5 * dayMs, () => source.renewIfDue());
    assert.notEqual(source.current().id, first.id);
  });

  it('when an operator revoked it', async () => {
    const { source, lines } = await open();
    const { id, certificate } = source.current();
    await revoke(
      keep,
      {
        caller: { kind: 'operator', name: 'admin', uri: callerUri('operator', 'admin'), serialNumber: '01' },
        requestId: 'test',
      },
      {
        serialNumber: certificate.serialNumber,
        reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE,
        invalidityDate: undefined,
        requester: undefined,
      },
    );
    await source.renewIfDue();
    assert.notEqual(source.current().id, id);
    assert.match(lines.at(-1) ?? '', /was revoked/);
  });

  it('at start, when its time is over or has not come', async () => {
    const { directory, source } = await open();
    const { id } = source.current();
    await later(lives.keyLife, async () => {
      const { source: next, lines } = await open(directory);
      assert.notEqual(next.current().id, id);
      assert.match(lines.join(''), /has expired/);
    });
    const { source: earlier, lines } = await open(directory);
    assert.match(lines.join(''), /is not valid yet/);
    assert.ok(earlier.current().certificate.notBefore < start);
  });

  it('at the end of the issuing CA no more often than it helps', async () => {
    const issuerEnd = keep.issuing.certificate.notAfter.getTime();
    await later(issuerEnd - dayMs - start.getTime(), async () => {
      const { source } = await open();
      const { id, certificate } = source.current();
      assert.deepEqual(certificate.notAfter, keep.issuing.certificate.notAfter);
      clock.advance(0.9 * dayMs);
      await source.renewIfDue();
      assert.equal(source.current().id, id);
    });
  });
});

describe('what fails', () => {
  it('leaves the old responder in use, with a line, and is tried again', async () => {
    const attempts = { fail: false };
    const issue = responderIssuance(keep, lives);
    const { source, lines } = await open(undefined, {
      issue: (key, replaces) =>
        attempts.fail ? Promise.reject(new CoreError('unavailable', 'not now')) : issue(key, replaces),
    });
    const { id } = source.current();
    attempts.fail = true;
    await later(8 * dayMs, async () => {
      await source.renewIfDue();
      assert.equal(source.current().id, id);
      assert.match(lines.at(-1) ?? '', /cannot be replaced; the old one goes on/);
      attempts.fail = false;
      await source.renewIfDue();
      assert.notEqual(source.current().id, id);
    });
  });

  it('on the disk costs another responder at the next start and nothing else', async () => {
    const directory = join(parent, randomUUID());
    writeFileSync(directory, 'a file where a folder must be');
    const { source, lines } = await open(directory);
    await source.current().signer.selfTest();
    assert.match(lines.join(''), /cannot be kept on the disk/);
  });

  it('CORE.md, step 7: with a token the intent is on the disk before the signature', async () => {
    let intents = 0;
    const { keep: withToken } = await newKeep((signer) => ({
      ...signer,
      isSynchronous: false,
      sign: async (data) => {
        intents = countIntents();
        return await signer.sign(data);
      },
    }));
    const countIntents = () =>
      listOrphanIntents(withToken.store, new Date(withToken.clock.now().getTime() + orphanAgeMs + 1), 9).length;
    await open(undefined, {}, { keep: withToken });
    assert.equal(intents, 1);
    assert.equal(countIntents(), 0);
  });
});

describe('CORE.md: refused at start', () => {
  const withProfile = (changes: Readonly<Record<string, string>>) => {
    const profiles = new Map([
      ...loadProfiles(),
      ['ocsp-signing', profile({ name: 'ocsp-signing', ...changes })] as const,
    ]);
    return { ...keep, profiles: bindProfiles(profiles, keep, start) };
  };

  it("a profile of the operator's that fits no responder", () => {
    assert.throws(() => responderIssuance(withProfile({ extendedKeyUsage: '[clientAuth]' }), lives), {
      name: 'FatalError',
      message: /lacks OCSPSigning/,
    });
    const onlyRsa = { extendedKeyUsage: '[OCSPSigning]', keys: '[{ kind: rsa }]' };
    assert.throws(() => responderIssuance(withProfile(onlyRsa), lives), { message: /takes no key on P-256/ });
  });

  it('keys that live less than twice as long as responses, by the configuration or by the profile', () => {
    assert.throws(() => responderIssuance(keep, { keyLife: dayMs, validity: dayMs }), {
      name: 'FatalError',
      message: /less than twice as long/,
    });
    // The built-in profile gives 30 days at most.
    assert.throws(() => responderIssuance(keep, { keyLife: 90 * dayMs, validity: 20 * dayMs }), {
      message: /would live 30d/,
    });
  });
});
