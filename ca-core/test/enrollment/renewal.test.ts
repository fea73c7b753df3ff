import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import {
  bitString,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from '@gatehouse/pkix/der/writer';
import { parseGeneralName, writeGeneralNames } from '@gatehouse/pkix/general-names';
import { type Name, parseName, writeName } from '@gatehouse/pkix/names';
import { algorithms, extensionIds } from '@gatehouse/pkix/object-identifiers';
import { checkRenewal } from '../../src/enrollment/renewal.ts';
import { builtin } from '../profiles/profile-file.ts';
import { refusal, rejectedName } from './expect.ts';

const server = builtin('tls-server');
const device = builtin('device-identity');

/** A certificate as old software wrote it: PrintableString for the subject, capitals in the DNS name. */
function certificate(): Certificate {
  const subject = writeName(parseName('CN=a.test,O=Acme').map((rdn) => rdn.map((each) => ({ ...each, tag: 0x13 }))));
  const algorithm = sequence(objectIdentifier(algorithms.ecdsaWithSHA256));
  const tbs = sequence(
    explicit(0, integer(2)),
    integer(1),
    algorithm,
    subject,
    sequence(time(new Date('2026-01-01T00:00:00Z')), time(new Date('2026-02-01T00:00:00Z'))),
    subject,
    generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        sequence(
          objectIdentifier(extensionIds.subjectAlternativeName),
          octetString(writeGeneralNames([parseGeneralName('DNS:A.test'), parseGeneralName('IP:10.0.0.1')])),
        ),
      ),
    ),
  );
  return readCertificate(sequence(tbs, algorithm, bitString(Buffer.alloc(64))));
}

const old = { certificate: certificate() };
const same = [parseGeneralName('IP:10.0.0.1'), parseGeneralName('DNS:a.test')];

describe('RFC 7030 §4.2.2: names of a renewal', () => {
  it('may be spelled otherwise: string type, case and order do not count', () => {
    const subject: Name = parseName('CN=A.TEST,O=acme');
    checkRenewal(server, old, { subject, names: same }, false);
  });

  it('are refused with another subject', () => {
    for (const subject of ['CN=b.test,O=Acme', 'CN=a.test', 'O=Acme,CN=a.test', '']) {
      const names = { subject: parseName(subject), names: same };
      assert.throws(() => checkRenewal(device, old, names, false), rejectedName(/^the subject is not/), subject);
    }
  });

  it('are refused with one alternative name more, less or else', () => {
    const subject = parseName('CN=a.test,O=Acme');
    for (const names of [
      same.slice(1),
      [],
      [...same, parseGeneralName('DNS:b.test')],
      [parseGeneralName('DNS:a.test'), parseGeneralName('IP:10.0.0.2')],
    ]) {
      assert.throws(
        () => checkRenewal(device, old, { subject, names }, false),
        rejectedName(/^the subject alternative name/),
      );
    }
  });
});

describe('RFC 6402 §2.8: change of names', () => {
  const changed = { subject: parseName('CN=b.test,O=Acme'), names: same };

  it('is allowed where both the RA and the profile allow it', () => {
    checkRenewal(device, old, changed, true);
  });

  it('is refused where the profile keeps names', () => {
    assert.throws(
      () => checkRenewal(server, old, changed, true),
      refusal('profile-refuses', /does not allow a renewal/),
    );
  });

  it('is not needed where nothing changes', () => {
    checkRenewal(server, old, { subject: parseName('CN=a.test,O=Acme'), names: same }, true);
  });
});
