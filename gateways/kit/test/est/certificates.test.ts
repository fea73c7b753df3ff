import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createCaCertificates, onlyAnchor } from '@gatehouse/gateway-kit/est/ca-certificates';
import { type JudgedExchange, judgeClientCertificate } from '@gatehouse/gateway-kit/est/client-certificate';
import { estPolicyShape, type TrustAnchorSettings } from '@gatehouse/gateway-kit/est/configuration';
import { openForeignAnchors } from '@gatehouse/gateway-kit/est/foreign-anchors';
import { collectLabels } from '@gatehouse/gateway-kit/est/labels';
import type { OperationName } from '@gatehouse/gateway-kit/est/operation-names';
import { signCertificateList } from '@gatehouse/gateway-kit/test-support/certificate-list';
import { createManufacturer, type DeviceShape, newKey } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { crlNumber, deltaCrlIndicator, issuingDistributionPoint } from '@gatehouse/pkix/crl/extensions';
import { integer } from '@gatehouse/pkix/der/writer';
import { basicConstraints, type Extension } from '@gatehouse/pkix/extensions';
import { extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import { type CertificateRecord, CertificateState, type CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { createManualClock, systemClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics } from '@gatehouse/runtime/metrics';
import { z } from 'zod';

const day = 86_400_000;
const log = createLog({ name: 'test', level: 'silent' });
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-anchors-'));
after(() => rmSync(directory, { recursive: true }));

const configuration = z.strictObject(estPolicyShape).parse({
  labels: { l: { profile: 'p', renewal: { expiredGrace: '10d' } } },
});

function exchange(
  certificate: Uint8Array | undefined,
  operation: OperationName | undefined,
  chain: readonly Uint8Array[] = [],
): JudgedExchange {
  const label = collectLabels(configuration).find('l');
  assert.ok(label !== undefined);
  return {
    requestId: 'r',
    operation,
    label,
    peer: { certificate, chain },
  };
}

describe('RFC 7030 §3.6: certificates of our own CA', () => {
  const ca = createManufacturer('CN=Own CA');
  const key = newKey();
  const start = Date.now();
  const certificate = ca.issue({ subject: 'CN=a', key, notAfter: new Date(start + 30 * day) });

  function setUp(state: CertificateState = CertificateState.CERTIFICATE_STATE_VALID) {
    const clock = createManualClock(new Date(start));
    const known = { state, profile: 'p' } as CertificateRecord;
    let isKnown = true;
    const core = {
      getTrustBundle: async () => ({
        trustAnchors: [Buffer.from(ca.certificate)],
        issuingCertificates: [],
        linkCertificates: [],
      }),
      getCertificate: async () => {
        if (!isKnown) throw new CoreError('not-found', 'not ours');
        return known;
      },
    } as unknown as CoreClient;
    const judge = { core, clock, caCertificates: createCaCertificates(core, clock), foreignAnchors: [] };
    return {
      clock,
      forget: () => {
        isKnown = false;
      },
      verdict: async (operation: OperationName, der: Uint8Array | undefined = certificate) => {
        const result = await judgeClientCertificate(judge, exchange(der, operation));
        return result.kind === 'refused' ? result.reason : result.kind;
      },
    };
  }

  it('are accepted while the keep vouches for them', async () => {
    const { verdict, forget } = setUp();
    assert.equal(await verdict('simpleenroll'), 'accepted');
    assert.equal(await verdict('simpleenroll', undefined), 'accepted');
    forget();
    assert.match(await verdict('simpleenroll'), /not known here/);
  });

  it('are refused when they are revoked or on hold', async () => {
    assert.match(await setUp(CertificateState.CERTIFICATE_STATE_REVOKED).verdict('simplereenroll'), /revoked/);
    assert.match(await setUp(CertificateState.CERTIFICATE_STATE_HELD).verdict('simplereenroll'), /on hold/);
  });

  it('may renew themselves after their end within the grace of the label, and do nothing else', async () => {
    const { verdict, clock } = setUp(CertificateState.CERTIFICATE_STATE_EXPIRED);
    clock.set(new Date(start + 35 * day));
    assert.equal(await verdict('simplereenroll'), 'accepted');
    assert.match(await verdict('simpleenroll'), /expired/);
    clock.set(new Date(start + 41 * day));
    assert.match(await verdict('simplereenroll'), /expired/);
  });

  it('are told from octets that are no certificate', async () => {
    assert.match(await setUp().verdict('simpleenroll', Uint8Array.of(0x30, 0x00)), /cannot be read/);
  });
});

describe('RFC 9148 §4.3: the one trust anchor', () => {
  const now = new Date();
  const { certificate } = createManufacturer('CN=Root');
  const anchor = readCertificate(certificate);
  const other = readCertificate(createManufacturer('CN=Next root').certificate);

  it('is there when one is valid, and not while there are two or none', () => {
    const ended = { ...other, notAfter: new Date(now.getTime() - day) };
    const toCome = { ...other, notBefore: new Date(now.getTime() + day) };
    assert.equal(onlyAnchor({ anchors: [anchor] }, now), anchor);
    assert.equal(onlyAnchor({ anchors: [ended, anchor, toCome] }, now), anchor);
    assert.equal(onlyAnchor({ anchors: [anchor, other] }, now), undefined);
    assert.equal(onlyAnchor({ anchors: [ended] }, now), undefined);
  });
});

describe('IEEE 802.1AR: device certificates that outlived their end', () => {
  const maker = createManufacturer('CN=Maker CA');
  const key = newKey();
  const past = new Date(Date.now() - day / 2);
  const expired = readCertificate(maker.issue({ subject: 'serialNumber=1', key, notAfter: past }));
  const file = join(directory, 'maker.pem');
  writeFileSync(file, encodePem('CERTIFICATE', maker.certificate));

  const list = (
    nextUpdate: Date,
    revoked: readonly string[],
    signer = maker,
    extensions: readonly Extension[] = [],
  ) => {
    const path = join(directory, `${Math.random()}.crl`);
    writeFileSync(
      path,
      signCertificateList({ key: signer.key, issuer: maker.certificate, nextUpdate, revoked, extensions }),
    );
    return path;
  };
  const anchor = async (revocationList: string) => {
    const settings: TrustAnchorSettings = {
      name: 'maker',
      file,
      labels: ['l'],
      operations: ['simpleenroll'],
      acceptsExpired: true,
      revocationList,
    };
    const { all } = await openForeignAnchors([settings], {
      resolve: (path) => path,
      log,
      clock: systemClock,
      metrics: createMetrics(),
    });
    const [opened] = all;
    assert.ok(opened !== undefined);
    return opened;
  };
  const status = async (path: string) => (await anchor(path)).revocationStatus(expired, new Date());

  it('are accepted when a current CRL does not list them', async () => {
    const path = list(new Date(Date.now() + day), ['7777']);
    assert.equal(await status(path), 'good');
    const caCertificates = {
      current: async () => ({
        anchors: [],
        intermediates: [],
        certificates: [],
        certificatesOnly: Buffer.alloc(0),
      }),
    };
    const judge = {
      core: {} as CoreClient,
      clock: createManualClock(new Date()),
      caCertificates,
      foreignAnchors: [await anchor(path)],
    };
    assert.equal((await judgeClientCertificate(judge, exchange(expired.der, 'simpleenroll'))).kind, 'accepted');
    assert.equal((await judgeClientCertificate(judge, exchange(expired.der, 'simplereenroll'))).kind, 'refused');
  });

  it('are refused when the CRL lists them, or is out of date', async () => {
    assert.equal(await status(list(new Date(Date.now() + day), [expired.serialNumber])), 'revoked');
    assert.equal(await status(list(new Date(Date.now() - 1), [])), 'unknown');
  });

  it('need a CRL that their CA signed', async () => {
    const path = list(new Date(Date.now() + day), [], createManufacturer('CN=Maker CA'));
    await assert.rejects(anchor(path), FatalError);
  });

  it('need a CRL that covers all of them, RFC 5280 §5.2.4 and §5.2.5', async () => {
    const tomorrow = new Date(Date.now() + day);
    const load = (...extensions: readonly Extension[]) =>
      anchor(list(tomorrow, [], maker, [crlNumber(7), ...extensions]));
    assert.ok(await load());
    assert.ok(await load(issuingDistributionPoint({ onlyContains: 'user-certificates' })));
    await assert.rejects(load(deltaCrlIndicator(6)), /is a delta/);
    const partial = /covers only a part/;
    await assert.rejects(load(issuingDistributionPoint({ fullName: ['http://crl.example.com/3.crl'] })), partial);
    await assert.rejects(load(issuingDistributionPoint({ onlyContains: 'ca-certificates' })), partial);
  });
});

describe('RFC 9148 §3: certificates of devices that only look', () => {
  const maker = createManufacturer('CN=Maker CA');
  const file = join(directory, 'looking.pem');
  writeFileSync(file, encodePem('CERTIFICATE', maker.certificate));
  const verdict = async (
    der: Uint8Array,
    operation: OperationName | undefined,
    labels = ['l'],
    chain: Uint8Array[] = [],
  ) => {
    const settings: TrustAnchorSettings = {
      name: 'maker',
      file,
      labels,
      operations: ['simpleenroll'],
      acceptsExpired: false,
    };
    const options = { resolve: (path: string) => path, log, clock: systemClock, metrics: createMetrics() };
    const { all } = await openForeignAnchors([settings], options);
    const none = { anchors: [], intermediates: [], certificates: [], certificatesOnly: Buffer.alloc(0) };
    const judge = {
      core: {} as CoreClient,
      clock: systemClock,
      caCertificates: { current: async () => none },
      foreignAnchors: all,
    };
    const result = await judgeClientCertificate(judge, exchange(der, operation, chain));
    return result.kind === 'refused' ? result.reason : result.kind;
  };

  it('count under the labels of their anchor, whatever the operations it is listed for', async () => {
    const device = maker.issue({ subject: 'serialNumber=1', key: newKey() });
    assert.equal(await verdict(device, undefined), 'accepted');
    assert.equal(await verdict(device, 'simpleenroll'), 'accepted');
    assert.equal(await verdict(device, 'csrattrs'), 'certificates of maker do not count for csrattrs here');
    assert.equal(await verdict(device, undefined, ['other']), 'certificates of maker do not count here');
  });

  it('are refused when they are not for clients or not for signatures, RFC 5280 §4.2.1.3 and §4.2.1.12', async () => {
    const verdictOn = (shape: Partial<DeviceShape>) =>
      verdict(maker.issue({ subject: 'serialNumber=1', key: newKey(), ...shape }), undefined);
    assert.equal(await verdictOn({ purposes: [], usages: [] }), 'accepted');
    assert.equal(await verdictOn({ purposes: [keyPurposes.anyExtendedKeyUsage] }), 'accepted');
    assert.equal(await verdictOn({ usages: ['digitalSignature', 'keyEncipherment'] }), 'accepted');
    assert.match(await verdictOn({ purposes: [keyPurposes.serverAuth] }), /not for clients/);
    assert.match(await verdictOn({ usages: ['keyEncipherment'] }), /not for signatures/);
    assert.match(await verdict(maker.certificate, undefined), /not for signatures/);
  });

  it('are refused when a CA above them is bound to other purposes, RFC 5280 §4.2.1.12', async () => {
    const below = createManufacturer('CN=Below');
    const device = below.issue({ subject: 'serialNumber=1', key: newKey() });
    const chainBy = (purposes: readonly string[]) => [
      maker.issue({
        subject: 'CN=Below',
        key: below.key,
        usages: ['keyCertSign'],
        purposes,
        extensions: [basicConstraints({ ca: true })],
      }),
    ];
    assert.equal(await verdict(device, 'simpleenroll', ['l'], chainBy([])), 'accepted');
    assert.equal(await verdict(device, 'simpleenroll', ['l'], chainBy([keyPurposes.clientAuth])), 'accepted');
    for (const operation of ['simpleenroll', undefined] as const) {
      assert.match(
        await verdict(device, operation, ['l'], chainBy([keyPurposes.codeSigning])),
        /'CN=Below' is not for/,
      );
    }
  });

  it('are refused when what they say of themselves cannot be read', async () => {
    for (const id of [extensionIds.subjectAlternativeName, extensionIds.extendedKeyUsage]) {
      const extensions = [{ id, isCritical: false, value: integer(1) }];
      const device = maker.issue({ subject: 'serialNumber=1', key: newKey(), purposes: [], extensions });
      assert.match(await verdict(device, 'simpleenroll'), /cannot be read/);
    }
  });
});
