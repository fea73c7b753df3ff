// What the core makes of the requester's part: no proof, no certificate, and bad input named by its offender.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import {
  bitString,
  boolean,
  characterString,
  ia5String,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  set,
  wrap,
} from '@gatehouse/pkix/der/writer';
import { extendedKeyUsage, subjectAlternativeName, writeExtension, writeExtensions } from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { attributeTypes, extensionIds, keyPurposes, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import {
  assertAuditHolds,
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  lastAuditEvent,
  newKey,
  refused,
} from '../../support/enrollment.ts';
import { startTestCore } from '../../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const gate = await core.joinRegistrationAuthority({
  name: 'gate',
  profiles: ['tls-server', 'sub-ca'],
  dns: ['example.com'],
  subject: ['*'],
});

const spki = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' });

/** A request whose parts are given as DER, so that they may be wrong; signed by `signer`. */
function handMade(parts: {
  readonly key?: KeyObject;
  readonly signer?: KeyObject;
  readonly subject?: Uint8Array;
  readonly attributes?: readonly Uint8Array[];
}): Buffer {
  const { key = newKey(), signer = key, subject = writeName([]), attributes = [] } = parts;
  const { identifier, sign } = signatureAlgorithmFor(signer);
  const info = sequence(integer(0), subject, spki(key), wrap(0xa0, ...attributes));
  return Buffer.from(sequence(info, identifier, bitString(sign(info))));
}

const extensionRequest = (...values: readonly Uint8Array[]): Uint8Array =>
  sequence(objectIdentifier(pkcs9Attributes.extensionRequest), set(...values));

const alternativeName = subjectAlternativeName([parseGeneralName('DNS:a.example.com')]);

function subjectOf(type: string, value: Uint8Array): Uint8Array {
  return sequence(set(sequence(objectIdentifier(type), value)));
}

function refusedRequest(csr: Uint8Array, code: Parameters<typeof refused>[1], detail: RegExp, profile = 'tls-server') {
  return refused(enroll(gate, enrollRequest(csr, { profile })), code, detail);
}

describe('RFC 2986 §4.2: who asks holds the private key', () => {
  it('refuses a request whose signature does not verify', async () => {
    const csr = certificationRequest({ names: ['DNS:a.example.com'] });
    csr[csr.length - 1] = (csr.at(-1) ?? 0) ^ 1;
    await refusedRequest(csr, 'bad-csr', /possession/);
    const event = await lastAuditEvent(core);
    assert.deepEqual([event.action, event.outcome], ['possession-refused', 'bad-csr']);
    assert.deepEqual([event.registrationAuthority, event.requester], ['gate', 'user:demo']);
  });

  it('refuses a request that another key has signed', async () => {
    await refusedRequest(handMade({ signer: newKey() }), 'bad-csr', /possession/);
  });

  it('refuses a request of which a name was changed after it was signed', async () => {
    const csr = certificationRequest({ names: ['DNS:aaaa.example.com'] });
    csr.write('bbbb', csr.indexOf('aaaa'));
    await refusedRequest(csr, 'bad-csr', /possession/);
  });

  it('refuses the signature of another kind of key', async () => {
    await refusedRequest(handMade({ signer: generateKeyPairSync('ed25519').privateKey }), 'bad-csr', /possession/);
  });

  it('many at once are judged one by one', async () => {
    const good = Array.from({ length: 12 }, () => certificationRequest({ names: ['DNS:a.example.com'] }));
    const bad = Array.from({ length: 12 }, () => handMade({ signer: newKey() }));
    const outcomes = await Promise.allSettled([...good, ...bad].map((csr) => issue(gate, enrollRequest(csr))));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [...good.map(() => 'fulfilled'), ...bad.map(() => 'rejected')],
    );
  });
});

describe('a request that is none', () => {
  const cases: readonly (readonly [string, EnrollRequest['subjectKey']])[] = [
    ['nothing at all', undefined],
    ['no octets', { $case: 'certificationRequest', value: Buffer.alloc(0) }],
    ['octets that are not DER', { $case: 'certificationRequest', value: Buffer.from('not a request') }],
    ['an indefinite length', { $case: 'certificationRequest', value: Buffer.from('30800000', 'hex') }],
    ['more than 16 KiB', { $case: 'certificationRequest', value: Buffer.alloc(16_385, 0x30) }],
    ['a message of RFC 4211 that is none', { $case: 'certificateRequestMessage', value: Buffer.from('3000', 'hex') }],
  ];
  for (const [what, subjectKey] of cases) {
    it(`${what} is malformed`, async () => {
      await refused(enroll(gate, enrollRequest(Buffer.alloc(0), { subjectKey })), 'malformed');
    });
  }

  it('with octets after it is malformed', async () => {
    const csr = certificationRequest({ names: ['DNS:a.example.com'] });
    await refusedRequest(Buffer.concat([csr, Buffer.from([0])]), 'malformed', /./);
  });

  it('of a requester that the RA does not name is malformed', async () => {
    const csr = certificationRequest({ names: ['DNS:a.example.com'] });
    await refused(enroll(gate, enrollRequest(csr, { requester: undefined })), 'malformed', /who asked/);
  });

  for (const [what, idempotencyKey] of [
    ['short', 'k'.repeat(7)],
    ['long', 'k'.repeat(129)],
    ['not visible ASCII', 'key with spaces'],
  ] as const) {
    it(`with an idempotency key that is ${what} is malformed`, async () => {
      const csr = certificationRequest({ names: ['DNS:a.example.com'] });
      await refused(enroll(gate, enrollRequest(csr, { idempotencyKey })), 'malformed', /idempotency key/);
    });
  }
});

describe('issue 2 §3: what is wrong in a request is named', () => {
  it('an extension that occurs twice', async () => {
    const twice = sequence(writeExtension(alternativeName), writeExtension(alternativeName));
    await refusedRequest(handMade({ attributes: [extensionRequest(twice)] }), 'bad-csr', /2\.5\.29\.17/);
  });

  it('two lists of extensions', async () => {
    const list = writeExtensions([alternativeName]);
    await refusedRequest(handMade({ attributes: [extensionRequest(list, list)] }), 'bad-csr', /extensionRequest/);
  });

  it('an attribute that occurs twice', async () => {
    const attribute = extensionRequest(writeExtensions([alternativeName]));
    const name = new RegExp(pkcs9Attributes.extensionRequest.replaceAll('.', '\\.'));
    await refusedRequest(handMade({ attributes: [attribute, attribute] }), 'bad-csr', name);
  });

  it('a NUL in the subject', async () => {
    const subject = subjectOf(attributeTypes.CN, characterString(0x0c, 'a.example.com\0.evil.test'));
    await refusedRequest(handMade({ subject }), 'bad-csr', /subject.*NUL/i);
  });

  it('octets in the subject that are not UTF-8', async () => {
    const subject = subjectOf(attributeTypes.CN, wrap(0x0c, Buffer.from([0x61, 0xff, 0x62])));
    await refusedRequest(handMade({ subject }), 'bad-csr', /subject/);
  });

  it('a subject field that is longer than RFC 5280 appendix A lets it be', async () => {
    const subject = subjectOf(attributeTypes.CN, characterString(0x0c, 'a'.repeat(65)));
    await refusedRequest(handMade({ subject }), 'bad-csr', /subject.*CN|common/i);
  });

  const names: readonly (readonly [string, Uint8Array])[] = [
    ['a NUL in a DNS name', wrap(0x82, Buffer.from('a.example.com\0.evil.test'))],
    ['a DNS name with a blank', wrap(0x82, Buffer.from('a b.example.com'))],
    ['a DNS name that is not ASCII', wrap(0x82, Buffer.from('ä.example.com'))],
    ['an empty DNS name', wrap(0x82)],
    ['an address of five octets', wrap(0x87, Buffer.from([1, 2, 3, 4, 5]))],
    ['a URI without scheme', wrap(0x86, Buffer.from('//example.com/'))],
    ['an e-mail address without domain', wrap(0x81, Buffer.from('nobody'))],
    ['a name of a kind that does not exist', wrap(0x8e, Buffer.from('x'))],
    ['a name that is a bare string', ia5String('a.example.com')],
  ];
  for (const [what, name] of names) {
    it(`${what} in the alternative names`, async () => {
      const extension = sequence(objectIdentifier(extensionIds.subjectAlternativeName), octetString(sequence(name)));
      const attributes = [extensionRequest(sequence(extension))];
      await refusedRequest(handMade({ attributes }), 'bad-csr', /subjectAltName/);
    });
  }

  it('alternative names that are an empty list', async () => {
    const extension = sequence(objectIdentifier(extensionIds.subjectAlternativeName), octetString(sequence()));
    await refusedRequest(
      handMade({ attributes: [extensionRequest(sequence(extension))] }),
      'bad-csr',
      /subjectAltName/,
    );
  });

  it('a flag in an extension that is not DER', async () => {
    const flag = wrap(0x01, Buffer.from([0x01]));
    const extension = sequence(objectIdentifier(extensionIds.keyUsage), flag, octetString(nullValue()));
    await refusedRequest(handMade({ attributes: [extensionRequest(sequence(extension))] }), 'bad-csr', /./);
  });

  it('an extension that the profile refuses', async () => {
    const extensions = [{ id: extensionIds.nameConstraints, isCritical: true, value: sequence(boolean(true)) }];
    const csr = certificationRequest({ subject: 'CN=Site CA', extensions });
    await refusedRequest(csr, 'bad-csr', /2\.5\.29\.30/, 'sub-ca');
  });
});

describe('nothing of a request reaches the certificate unless the profile says so', () => {
  it('purposes, usages, constraints and unknown extensions are the profile’s to give', async () => {
    const csr = certificationRequest({
      names: ['DNS:a.example.com'],
      extensions: [
        extendedKeyUsage([keyPurposes.codeSigning]),
        { id: extensionIds.basicConstraints, isCritical: true, value: sequence(boolean(true)) },
        { id: '1.2.3.4.5', isCritical: false, value: octetString(Buffer.from('x')) },
      ],
    });
    const { certificate } = await issue(gate, enrollRequest(csr));
    const plain = await issue(gate, enrollRequest(certificationRequest({ names: ['DNS:a.example.com'] })));
    const ids = (der: Uint8Array) => readCertificate(der).extensions.map(({ id }) => id);
    assert.deepEqual(ids(certificate), ids(plain.certificate));
    const purposes = (der: Uint8Array) =>
      readCertificate(der).extensions.find(({ id }) => id === extensionIds.extendedKeyUsage)?.value;
    assert.deepEqual(purposes(certificate), purposes(plain.certificate));
  });

  it('a request without attributes is a request', async () => {
    const key = newKey();
    const { identifier, sign } = signatureAlgorithmFor(key);
    const info = sequence(integer(0), writeName(parseName('CN=a.example.com')), spki(key));
    const csr = sequence(info, identifier, bitString(sign(info)));
    const { certificate } = await issue(gate, enrollRequest(csr));
    assert.deepEqual(subjectAlternativeNames(readCertificate(certificate)), [{ kind: 'dns', value: 'a.example.com' }]);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
