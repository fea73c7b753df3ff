// The other forms of a request: CRMF, whose proof the core verifies as well, and a bare key, for which a profile must accept
// its RA's word.
import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { bitString, concat, implicitConstructed, integer, sequence, wrap } from '@gatehouse/pkix/der/writer';
import { subjectAlternativeName, writeExtensions } from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';
import {
  assertAuditHolds,
  assignment,
  enroll,
  enrollRequest,
  issue,
  lastAuditEvent,
  newKey,
  refused,
} from '../../support/enrollment.ts';
import { startTestCore } from '../../support/running-core.ts';

const statingProfile = `
name: stated-key
description: Takes the word of its RA for the proof
subject: { rule: from-request, attributes: [{ type: CN, presence: optional }] }
names: { allowed: [dns] }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [clientAuth]
validity: { default: 1d, maximum: 2d }
acceptsStatedPossession: true
`;

const core = await startTestCore([], { files: { 'profiles/stated-key.yaml': statingProfile } });
after(() => core.stop());
const gate = await core.joinRegistrationAuthority({
  name: 'gate',
  profiles: ['tls-server', 'stated-key'],
  dns: ['example.com'],
  subject: ['*'],
});

const spki = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });
const alternativeName = subjectAlternativeName([parseGeneralName('DNS:a.example.com')]);

/** CertReqMsg of RFC 4211 with a template of subject, key and one DNS name. */
function certificateRequestMessage(key: KeyObject, proof: 'signature' | 'bad-signature' | 'ra-verified'): Buffer {
  const { identifier, sign } = signatureAlgorithmFor(key);
  const template = sequence(
    wrap(0xa5, writeName(parseName('CN=a.example.com'))),
    wrap(0xa6, inner(spki(key))),
    wrap(0xa9, inner(writeExtensions([alternativeName]))),
  );
  const request = sequence(integer(1), template);
  const signature = Buffer.from(sign(request));
  if (proof === 'bad-signature') signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  const popo =
    proof === 'ra-verified' ? wrap(0x80) : implicitConstructed(1, sequence(concat(identifier, bitString(signature))));
  return Buffer.from(sequence(request, popo));
}

/** The contents of an element, without its tag and length. */
function inner(der: Uint8Array): Uint8Array {
  const first = der[1] ?? 0;
  return der.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f));
}

describe('RFC 4211 §4.1: requests in CRMF', () => {
  const request = (key: KeyObject, proof: Parameters<typeof certificateRequestMessage>[1]) =>
    enrollRequest(Buffer.alloc(0), {
      subjectKey: { $case: 'certificateRequestMessage', value: certificateRequestMessage(key, proof) },
    });

  it('a signed one is issued, for its names', async () => {
    const key = newKey();
    const { certificate, serialNumber } = await issue(gate, request(key, 'signature'));
    assert.deepEqual(subjectAlternativeNames(readCertificate(certificate)), [{ kind: 'dns', value: 'a.example.com' }]);
    assert.deepEqual(Buffer.from(readCertificate(certificate).subjectPublicKeyInfo), spki(key));
    const event = await lastAuditEvent(core);
    assert.equal(event.serialNumber, serialNumber);
    assert.match(event.body, /CRMF POPOSigningKey/);
  });

  it('a signature that does not verify is refused', async () => {
    await refused(enroll(gate, request(newKey(), 'bad-signature')), 'bad-csr', /possession/);
  });

  it('raVerified is no proof: the core takes no gate’s word for it', async () => {
    await refused(enroll(gate, request(newKey(), 'ra-verified')), 'bad-csr', /raVerified/);
  });
});

describe('a public key whose possession the RA states', () => {
  const stated = (profile: string, proofOfPossession: string, key: Uint8Array = spki(newKey())) =>
    enrollRequest(Buffer.alloc(0), {
      profile,
      subjectKey: { $case: 'publicKey', value: { subjectPublicKeyInfo: Buffer.from(key), proofOfPossession } },
      names: assignment(['DNS:a.example.com']),
    });

  it('is taken where the profile accepts it, and audited as what it is', async () => {
    await issue(gate, stated('stated-key', 'TLS 1.3 handshake'));
    assert.match((await lastAuditEvent(core)).body, /stated by the RA: TLS 1\.3 handshake/);
  });

  it('is refused everywhere else', async () => {
    await refused(enroll(gate, stated('tls-server', 'TLS 1.3 handshake')), 'profile-refuses', /signed by its key/);
  });

  it('is malformed without a word about the proof', async () => {
    await refused(enroll(gate, stated('stated-key', '')), 'malformed', /possession/);
  });

  it('is bad when it is no key', async () => {
    await refused(enroll(gate, stated('stated-key', 'word', Buffer.from('3000', 'hex'))), 'bad-key', /public key/);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
