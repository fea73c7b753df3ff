import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extendedKeyUsage } from '@gatehouse/pkix/extensions';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { CoreError, type CoreErrorType } from '@gatehouse/proto/core-error';
import type { Evidence } from '@gatehouse/proto/types';
import fc from 'fast-check';
import type { EvidenceAnchors } from '../../src/evidence/anchors.ts';
import { verifyEvidence } from '../../src/evidence/verify-evidence.ts';
import type { EvidenceRule } from '../../src/profiles/profile.ts';
import { authorityExtensions, type Identity, issue, now } from './build-chain.ts';

const manufacturer = issue('CN=Manufacturer', undefined, authorityExtensions);
const plant = issue('CN=Plant 1', manufacturer, authorityExtensions);
const device = issue('serialNumber=4711,CN=Sensor', plant);
const stranger = issue('CN=Stranger', undefined, authorityExtensions);

const anchors: EvidenceAnchors = {
  common: [manufacturer.certificate],
  ofExpired: [],
  byFile: new Map([['anchors/stranger.pem', [stranger.certificate]]]),
};

const chainRule: EvidenceRule = { type: 'client-certificate-chain' };

function chain(end: Identity, ...others: readonly Identity[]): Evidence {
  return {
    type: 'client-certificate-chain',
    payload: Buffer.from(end.certificate.der),
    certificates: others.map(({ certificate }) => Buffer.from(certificate.der)),
    statements: [],
  };
}

function verify(evidence: readonly Evidence[], rules: readonly EvidenceRule[] = [chainRule], by = anchors) {
  return verifyEvidence({ name: 'device-identity', evidence: rules }, evidence, by, now);
}

function refusesWith(code: CoreErrorType, detail: RegExp, act: () => unknown): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof CoreError, String(error));
    assert.equal(error.code, code);
    assert.match(error.detail, detail);
    return true;
  });
}

describe('ARCHITECTURE §1 rule 2: evidence that a profile demands', () => {
  it('is summed up for the audit log when it holds', () => {
    const [summary = '', ...others] = verify([chain(device, plant)]);
    assert.deepEqual(others, []);
    assert.match(
      summary,
      /^client-certificate-chain: .*4711.*Sensor.*, serial number [0-9a-f]+, SHA-256 [0-9a-f]{64}, anchor CN=Manufacturer$/,
    );
  });

  it('is missing when there is none of its type', () => {
    refusesWith('evidence-missing', /device-identity demands evidence of type client-certificate-chain/, () =>
      verify([]),
    );
    refusesWith('evidence-missing', /client-certificate-chain/, () =>
      verify([{ ...chain(device, plant), type: 'other' }]),
    );
  });

  it('holds when one of several pieces does', () => {
    assert.equal(verify([chain(stranger), chain(device, plant)]).length, 1);
  });

  it('is invalid with the first reason when none holds', () => {
    refusesWith('evidence-invalid', /Stranger/, () => verify([chain(stranger), chain(device)]));
  });

  it('is invalid when no verifier knows its type', () => {
    const evidence: Evidence = { type: 'tpm-quote', payload: Buffer.alloc(4), certificates: [], statements: [] };
    refusesWith('evidence-invalid', /tpm-quote cannot be verified/, () => verify([evidence], [{ type: 'tpm-quote' }]));
  });

  it('is judged by the anchors of the rule, not by those of others', () => {
    const rule = { ...chainRule, anchorsFile: 'anchors/stranger.pem' };
    refusesWith('evidence-invalid', /client-certificate-chain/, () => verify([chain(device, plant)], [rule]));
    assert.equal(verify([chain(issue('CN=guest', stranger))], [rule]).length, 1);
    refusesWith('evidence-invalid', /./, () =>
      verify([chain(device, plant)], [{ ...chainRule, anchorsFile: 'gone.pem' }]),
    );
  });

  it('is not looked at when the profile demands none and nothing knows its type', () => {
    assert.deepEqual(
      verify([{ type: 'anything', payload: Buffer.from('junk'), certificates: [], statements: [] }], []),
      [],
    );
  });

  it('has a bounded number of pieces', () => {
    refusesWith('evidence-invalid', /more than 16/, () => verify(Array(17).fill(chain(device, plant))));
  });
});

describe('ARCHITECTURE §1 rule 2: evidence that no profile demands', () => {
  it('is verified by the anchors of the core all the same, and summed up', () => {
    const [summary = '', ...others] = verify([chain(device, plant)], []);
    assert.deepEqual(others, []);
    assert.match(summary, /4711.*anchor CN=Manufacturer$/);
  });

  it('is refused when it does not hold', () => {
    refusesWith('evidence-invalid', /Stranger/, () => verify([chain(stranger)], []));
  });

  it('is not looked at by a core without anchors', () => {
    assert.deepEqual(verify([chain(stranger)], [], { common: [], ofExpired: [], byFile: new Map() }), []);
  });

  it('is not judged twice where a rule has anchors of its own', () => {
    const rule = { ...chainRule, anchorsFile: 'anchors/stranger.pem' };
    assert.equal(verify([chain(issue('CN=guest', stranger))], [rule]).length, 1);
  });
});

describe('RFC 5280 §6: client-certificate-chain', () => {
  it('is refused without the intermediate that leads to the anchor', () => {
    refusesWith('evidence-invalid', /Sensor/, () => verify([chain(device)]));
  });

  it('is refused when the client certificate has expired', () => {
    const expired = issue('CN=Old', plant, [], new Date('2026-05-31T00:00:00Z'));
    refusesWith('evidence-invalid', /Old/, () => verify([chain(expired, plant)]));
  });

  it('RFC 9148 §9.1: counts beyond its end where the anchor allows that', () => {
    const expired = issue('CN=Old', plant, [], new Date('2026-05-31T00:00:00Z'));
    const tolerant = { ...anchors, ofExpired: anchors.common };
    assert.match(verify([chain(expired, plant)], [chainRule], tolerant)[0] ?? '', /CN=Old/);
    refusesWith('evidence-invalid', /./, () =>
      verify([chain(issue('CN=Old', stranger, [], expired.certificate.notAfter))], [chainRule], tolerant),
    );
    // The tolerance is of that anchor, for rules that may use it.
    const rule = { ...chainRule, anchorsFile: 'anchors/stranger.pem' };
    refusesWith('evidence-invalid', /Old/, () => verify([chain(expired, plant)], [rule], tolerant));
  });

  it('is refused when the client certificate is not for clients', () => {
    const server = issue('CN=Server', plant, [extendedKeyUsage([keyPurposes.serverAuth])]);
    refusesWith('evidence-invalid', /Server/, () => verify([chain(server, plant)]));
    const client = issue('CN=Client', plant, [extendedKeyUsage([keyPurposes.clientAuth])]);
    assert.equal(verify([chain(client, plant)]).length, 1);
  });

  it('is refused when an end-entity certificate stands between', () => {
    const forged = issue('CN=Forged', device);
    refusesWith('evidence-invalid', /./, () => verify([chain(forged, device, plant)]));
  });

  it('is refused with more certificates than the contract allows', () => {
    refusesWith('evidence-invalid', /more than 8/, () => verify([chain(device, ...Array<Identity>(9).fill(plant))]));
  });

  it('is refused with its cause when the octets are no certificate', () => {
    const whole = chain(device, plant);
    refusesWith('evidence-invalid', /the client certificate: /, () =>
      verify([{ ...whole, payload: Buffer.from('junk') }]),
    );
    refusesWith('evidence-invalid', /certificate 1 of the chain: /, () =>
      verify([{ ...whole, certificates: [Buffer.alloc(0)] }]),
    );
  });

  it('never raises anything but a refusal, whatever octets come', () => {
    const good = Buffer.from(device.certificate.der);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 64 }), (at, to, junk) => {
        const changed = Buffer.from(good);
        changed[at] = to;
        for (const payload of [changed, Buffer.from(junk)]) {
          try {
            verify([{ ...chain(device, plant), payload }]);
          } catch (error) {
            assert.ok(error instanceof CoreError && error.code === 'evidence-invalid', String(error));
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
