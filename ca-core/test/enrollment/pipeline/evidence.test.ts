// A profile that demands evidence gets it verified by the core itself; an RA's word counts for nothing.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { extendedKeyUsage } from '@gatehouse/pkix/extensions';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import type { Evidence } from '@gatehouse/proto/types';
import { authorityExtensions, type Identity, issue as issueAs } from '../../evidence/build-chain.ts';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  refused,
} from '../../support/enrollment.ts';
import { startTestCore } from '../../support/running-core.ts';

const type = 'client-certificate-chain';
const profile = `
name: manufactured-device
description: A device of a known manufacturer
subject: { rule: from-request, attributes: [{ type: serialNumber, presence: required }] }
keys: [{ kind: ec, curves: [P-256] }]
keyUsage: [digitalSignature]
extendedKeyUsage: [clientAuth]
validity: { default: 1y, maximum: 2y }
evidence: [{ type: ${type}, anchorsFile: manufacturer.pem }]
`;

const root = issueAs('CN=Manufacturer root', undefined, authorityExtensions);
const factory = issueAs('CN=Factory', root, authorityExtensions);
const stranger = issueAs('CN=Stranger root', undefined, authorityExtensions);
const clientAuth = extendedKeyUsage([keyPurposes.clientAuth]);
const device = issueAs('serialNumber=4711', factory, [clientAuth]);

const core = await startTestCore([], {
  files: {
    'profiles/manufactured-device.yaml': profile,
    'manufacturer.pem': encodePem('CERTIFICATE', root.certificate.der),
  },
});
after(() => core.stop());
const gate = await core.joinRegistrationAuthority({
  name: 'gate',
  profiles: ['manufactured-device', 'device-identity'],
  subject: ['serialNumber=*'],
});

function chain({ certificate }: Identity, ...intermediates: readonly Identity[]): Evidence {
  return {
    type,
    payload: Buffer.from(certificate.der),
    certificates: intermediates.map((each) => Buffer.from(each.certificate.der)),
    statements: [],
  };
}

const request = (evidence: Evidence[], asked = 'manufactured-device') =>
  enrollRequest(certificationRequest({ subject: 'serialNumber=4711' }), { profile: asked, evidence });

describe('a profile that demands the chain of a client certificate', () => {
  it('issues to a valid one, and says in the audit log what was proved', async () => {
    const { serialNumber } = await issue(gate, request([chain(device, factory)]));
    const [event] = await auditEvents(core, { serialNumber });
    assert.match(event?.body ?? '', /client-certificate-chain: serialNumber=4711.*anchor CN=Manufacturer root/);
  });

  it('refuses without one', async () => {
    await refused(enroll(gate, request([])), 'evidence-missing', /client-certificate-chain/);
    const [event] = await auditEvents(core, { action: 'evidence-refused', limit: 1 });
    assert.equal(event?.outcome, 'evidence-missing');
  });

  it('refuses with evidence of another type only', async () => {
    const word = { ...chain(device, factory), type: 'the-gate-has-seen-it' };
    await refused(enroll(gate, request([word])), 'evidence-missing');
  });

  const outsider = issueAs('serialNumber=4711', stranger, [clientAuth]);
  const server = issueAs('serialNumber=4711', factory, [extendedKeyUsage([keyPurposes.serverAuth])]);
  const expired = issueAs('serialNumber=4711', factory, [clientAuth], new Date('2026-01-02T00:00:00Z'));
  const forged: Evidence = chain(device, factory);
  const octets = Buffer.from(forged.payload);
  octets[octets.length - 1] = (octets.at(-1) ?? 0) ^ 1;
  const invalid: Readonly<Record<string, Evidence>> = {
    'of another manufacturer': chain(outsider, stranger),
    'with a certificate missing': chain(device),
    'of a certificate for servers': chain(server, factory),
    'of a certificate that has ended': chain(expired, factory),
    'with a signature that does not verify': { ...forged, payload: octets },
    'that is no certificate': { ...forged, payload: Buffer.from('nothing') },
    'of more than eight certificates': chain(device, ...Array.from({ length: 9 }, () => factory)),
  };
  for (const [what, evidence] of Object.entries(invalid)) {
    it(`refuses one ${what}`, async () => {
      await refused(enroll(gate, request([evidence])), 'evidence-invalid', /client-certificate-chain/);
      const [event] = await auditEvents(core, { action: 'evidence-refused', limit: 1 });
      assert.equal(event?.outcome, 'evidence-invalid');
    });
  }

  it('takes the one that holds among several', async () => {
    await issue(gate, request([chain(outsider, stranger), chain(device, factory)]));
  });
});

describe('a profile that demands none, in a core without anchors of its own', () => {
  it('looks at none', async () => {
    await issue(
      gate,
      request([{ type, payload: Buffer.from('nothing'), certificates: [], statements: [] }], 'device-identity'),
    );
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
