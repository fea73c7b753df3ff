import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileDevicePatterns } from '@gatehouse/gateway-kit/est/device-names';
import type { ForeignAnchor } from '@gatehouse/gateway-kit/est/foreign-anchors';
import { namePatternsSchema } from '@gatehouse/gateway-kit/est/name-policy';
import { describeCertificate } from '@gatehouse/gateway-kit/est/requester';
import { createManufacturer, newKey } from '@gatehouse/gateway-kit/test-support/requests';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { nullValue } from '@gatehouse/pkix/der/writer';
import type { Extension } from '@gatehouse/pkix/extensions';
import { type GeneralName, parseGeneralName, writeGeneralNames } from '@gatehouse/pkix/general-names';
import { hardwareModuleName } from '@gatehouse/pkix/hardware-module-name';
import { parseName } from '@gatehouse/pkix/names';
import { extensionIds, otherNameTypes } from '@gatehouse/pkix/object-identifiers';
import { FatalError } from '@gatehouse/runtime/fatal';

const maker = createManufacturer('CN=Maker CA');
const key = newKey();
const hwType = '1.3.6.1.4.1.6715.10.1';
const hardware = (serialNumber: string | Uint8Array) =>
  hardwareModuleName({ type: hwType, serialNumber: Buffer.from(serialNumber) });
const alternativeNames = (value: Uint8Array): Extension => ({
  id: extensionIds.subjectAlternativeName,
  isCritical: false,
  value,
});
const device = (subject: string, ...names: readonly GeneralName[]): Certificate =>
  readCertificate(
    maker.issue({
      subject,
      key,
      extensions: names.length === 0 ? [] : [alternativeNames(writeGeneralNames(names))],
    }),
  );

type Patterns = Parameters<typeof namePatternsSchema.parse>[0];
const policyOf = (patterns: Patterns) => compileDevicePatterns('here', namePatternsSchema.parse(patterns));
const refused = (patterns: Patterns, of: Certificate, subject: string, ...names: readonly string[]) =>
  policyOf(patterns)(of)({ subject: parseName(subject), names: names.map(parseGeneralName) }, 'l');

describe('what the devices of a manufacturer may enrol', () => {
  it('is made of what their own certificates say', () => {
    const patterns = { subjectAttributes: ['CN=device-{serialNumber}'], dnsSuffixes: ['{CN}.devices.example.com'] };
    const one = device('CN=d1,serialNumber=SN1');
    assert.deepEqual(refused(patterns, one, 'CN=device-SN1', 'DNS:d1.devices.example.com'), []);
    assert.deepEqual(refused(patterns, one, 'CN=device-SN2', 'DNS:d2.devices.example.com'), [
      'CN=device-SN2',
      'DNS:d2.devices.example.com',
    ]);
  });

  it('is nothing where a value is missing, stands there twice, or would mean something in a pattern', () => {
    const patterns = { subjectAttributes: ['CN=device-{CN}'], dnsSuffixes: ['example.com'] };
    for (const subject of ['O=d1', 'CN=1,CN=2', 'CN=*', 'CN=a=b', 'CN=a/b']) {
      assert.deepEqual(
        refused(patterns, device(subject), '', 'DNS:example.com'),
        ['anything by the names of its certificate'],
        subject,
      );
    }
  });

  it('is nothing where the value is no domain and the pattern wants one', () => {
    assert.deepEqual(refused({ dnsSuffixes: ['{CN}'] }, device('CN=a b'), '', 'DNS:a.example'), [
      'anything by the names of its certificate',
    ]);
  });

  it('is refused at the start where a pattern means nothing whatever the device', () => {
    assert.throws(() => policyOf({ subjectAttributes: ['nonsense={CN}'] }), FatalError);
  });
});

describe('RFC 4108 §5: devices by their hardware', () => {
  const patterns = { subjectAttributes: ['CN={hwType}.{hwSerialNum}'] };

  it('may enrol names with type and serial number, as text or hexadecimal', () => {
    assert.deepEqual(refused(patterns, device('CN=d', hardware('SN-1')), `CN=${hwType}.SN-1`), []);
    assert.deepEqual(refused(patterns, device('CN=d', hardware(Uint8Array.of(1, 2))), `CN=${hwType}.0x0102`), []);
    assert.deepEqual(refused(patterns, device('CN=d', hardware('*')), 'CN=any'), ['CN=any']);
  });

  it('may enrol nothing by it where they have none, two, or one that cannot be read', () => {
    const broken: GeneralName = { kind: 'other', type: otherNameTypes.hardwareModuleName, value: nullValue() };
    for (const one of [device('CN=d'), device('CN=d', hardware('1'), hardware('2')), device('CN=d', broken)]) {
      assert.deepEqual(refused(patterns, one, `CN=${hwType}.1`), ['anything by the names of its certificate']);
    }
  });

  it('are known by it where their subject has no serialNumber, IEEE 802.1AR §8.6', () => {
    const anchor = { name: 'maker' } as ForeignAnchor;
    const idOf = (certificate: Certificate) =>
      describeCertificate({ kind: 'foreign', certificate, anchor, intermediates: [] }, '192.0.2.1').id;
    assert.equal(idOf(device('CN=d,serialNumber=7', hardware('SN-1'))), 'maker 7');
    assert.equal(idOf(device('CN=d', hardware('SN-1'))), `maker ${hwType} SN-1`);
    const plain = device('CN=d');
    assert.equal(idOf(plain), `maker CN=Maker CA ${plain.serialNumber}`);
  });
});
