// RFC 7030 §4.2.2: a renewal continues a certificate that this CA issued and that still stands.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { formatName } from '@gatehouse/pkix/names';
import { decodePem } from '@gatehouse/pkix/pem';
import type { CertificateAuthorityClient, Issued, RevokeResponse } from '@gatehouse/proto/certificate-authority';
import { type CertificateRecord, RevocationReason } from '@gatehouse/proto/types';
import { issue as issueForeign } from '../../evidence/build-chain.ts';
import {
  assertAuditHolds,
  certificationRequest,
  enroll,
  enrollRequest,
  issue,
  lastAuditEvent,
  type RequestParts,
  refused,
  requester,
} from '../../support/enrollment.ts';
import { startTestCore, unary } from '../../support/running-core.ts';

const core = await startTestCore();
after(() => core.stop());
const registration = { dns: ['example.com'], subject: ['*'] };
const profiles = ['tls-server', 'tls-client', 'device-identity'];
const credential = await core.addRegistrationAuthority({ name: 'gate', profiles, ...registration });
const gate = core.connect(credential).authority;

const parts = { subject: 'CN=a.example.com', names: ['DNS:a.example.com', 'DNS:b.example.com'] };

function obtain(changes: Parameters<typeof enrollRequest>[1] = {}, asked: RequestParts = parts, client = gate) {
  return issue(client, enrollRequest(certificationRequest(asked), changes));
}

function renew(
  old: Uint8Array,
  changes: Parameters<typeof enrollRequest>[1] = {},
  asked: RequestParts = parts,
  client: CertificateAuthorityClient = gate,
) {
  return enroll(client, enrollRequest(certificationRequest(asked), { renews: Buffer.from(old), ...changes }));
}

function renewed(...parameters: Parameters<typeof renew>): Promise<Issued> {
  return renew(...parameters).then(({ outcome }) =>
    outcome?.$case === 'issued' ? outcome.value : assert.fail('not issued'),
  );
}

const setStatus = (serialNumber: string, reason: RevocationReason) =>
  unary<RevokeResponse>((callback) =>
    gate.revoke({ serialNumber, reason, invalidityDate: undefined, requester }, callback),
  );

const recordOf = (serialNumber: string) =>
  unary<CertificateRecord>((callback) =>
    gate.getCertificate({ selector: { $case: 'serialNumber', value: serialNumber } }, callback),
  );

describe('a renewal under the same names', () => {
  it('is issued, and says which certificate it continues', async () => {
    const old = await obtain();
    const successor = await renewed(old.certificate);
    assert.equal((await recordOf(successor.serialNumber)).renews, old.serialNumber);
    const event = await lastAuditEvent(core);
    assert.ok(event.body.includes(old.serialNumber));
  });

  it('may have its names in another order and another case', async () => {
    const old = await obtain();
    await renewed(
      old.certificate,
      {},
      { subject: 'CN=A.EXAMPLE.COM', names: ['DNS:B.example.com', 'DNS:a.example.com'] },
    );
  });

  it('may be asked for again while nobody has used its successor: an answer may have been lost', async () => {
    const old = await obtain();
    await renewed(old.certificate);
    await renewed(old.certificate);
  });

  it('is refused once its successor was renewed in turn', async () => {
    const old = await obtain();
    const second = await renewed(old.certificate);
    const third = await renewed(second.certificate);
    await refused(renew(old.certificate), 'profile-refuses', /superseded/);
    await renewed(third.certificate);
  });
});

describe('a renewal under other names', () => {
  const cases: Readonly<Record<string, RequestParts>> = {
    'one name more': { ...parts, names: [...parts.names, 'DNS:c.example.com'] },
    'one name less': { ...parts, names: ['DNS:a.example.com'] },
    'another name': { ...parts, names: ['DNS:a.example.com', 'DNS:c.example.com'] },
    'another subject': { ...parts, subject: 'CN=b.example.com' },
    'no subject': { ...parts, subject: '' },
  };
  for (const [what, asked] of Object.entries(cases)) {
    it(`${what} is refused`, async () => {
      const old = await obtain();
      await refused(renew(old.certificate, {}, asked), 'rejected-name', /certificate to be renewed/);
    });
  }

  it('RFC 6402 §2.8: is refused where the profile keeps names, also when the RA would let the client', async () => {
    const old = await obtain();
    const asked = { ...parts, names: ['DNS:a.example.com'] };
    await refused(renew(old.certificate, { changesNames: true }, asked), 'profile-refuses', /change names/);
  });

  it('RFC 6402 §2.8: is issued where the profile and the RA let the client change them', async () => {
    const profile = 'device-identity';
    const old = await obtain({ profile }, { subject: 'CN=old' });
    const changed = await renewed(old.certificate, { profile, changesNames: true }, { subject: 'CN=new' });
    assert.equal(formatName(readCertificate(changed.certificate).subject), 'CN=new');
    await refused(renew(old.certificate, { profile }, { subject: 'CN=new' }), 'rejected-name');
  });
});

describe('what cannot be renewed', () => {
  it('a revoked certificate', async () => {
    const old = await obtain();
    await setStatus(old.serialNumber, RevocationReason.REVOCATION_REASON_SUPERSEDED);
    await refused(renew(old.certificate), 'profile-refuses', /revoked/);
  });

  it('a certificate on hold, until it is released', async () => {
    const old = await obtain();
    await setStatus(old.serialNumber, RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD);
    await refused(renew(old.certificate), 'profile-refuses', /on hold/);
    await setStatus(old.serialNumber, RevocationReason.REVOCATION_REASON_REMOVE_FROM_CRL);
    await renewed(old.certificate);
  });

  it('a certificate of somebody else', async () => {
    const foreign = issueForeign('CN=a.example.com').certificate.der;
    await refused(renew(foreign), 'profile-refuses', /not issued by this CA/);
  });

  it('a certificate with a serial number of ours that is not ours', async () => {
    const old = await obtain();
    const forged = Buffer.from(old.certificate);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    await refused(renew(forged), 'profile-refuses', /not issued by this CA/);
  });

  it('a certificate of the CA itself', async () => {
    for (const name of ['root', 'issuing', 'service']) {
      const [certificate] = decodePem(readFileSync(join(core.directory, `ca/${name}.pem`), 'utf8'), ['CERTIFICATE']);
      await refused(renew(certificate?.der ?? Buffer.alloc(0)), 'profile-refuses', /not issued by this CA/);
    }
  });

  it('a credential of the bridge', async () => {
    const [, certificate] = decodePem(credential, ['PRIVATE KEY', 'CERTIFICATE']);
    await refused(renew(certificate?.der ?? Buffer.alloc(0)), 'profile-refuses', /not issued by this CA/);
  });

  const nonsense: readonly (readonly [string, Uint8Array])[] = [
    ['octets that are no certificate', Buffer.from('no certificate')],
    ['an empty SEQUENCE', Buffer.from('3000', 'hex')],
    ['more than any certificate has', Buffer.alloc(70_000, 0x30)],
  ];
  for (const [what, der] of nonsense) {
    it(`${what}: malformed`, async () => {
      await refused(renew(der), 'malformed', /cannot be read/);
    });
  }

  it('a certificate with octets after it is malformed', async () => {
    const old = await obtain();
    await refused(renew(Buffer.concat([old.certificate, Buffer.alloc(1)])), 'malformed', /cannot be read/);
  });
});

describe('a certificate that another RA enrolled', () => {
  it('may be continued by an RA that may use its profile, under its names', async () => {
    const second = await core.joinRegistrationAuthority({ name: 'second', profiles, ...registration });
    const old = await obtain();
    const successor = await renewed(old.certificate, {}, parts, second);
    assert.notEqual(successor.serialNumber, old.serialNumber);
  });

  it('may not be continued by one that may not use its profile', async () => {
    const narrow = await core.joinRegistrationAuthority({ name: 'narrow', profiles: ['tls-client'], ...registration });
    const old = await obtain();
    await refused(renew(old.certificate, { profile: 'tls-client' }, parts, narrow), 'out-of-scope', /another RA/);
  });

  it('may not be continued under other names: that would supersede what is not its own', async () => {
    const taking = await core.joinRegistrationAuthority({ name: 'taking', profiles, ...registration, dns: [] });
    const profile = 'device-identity';
    const old = await obtain({ profile }, { subject: 'CN=old' });
    const request = { profile, changesNames: true };
    await refused(renew(old.certificate, request, { subject: 'CN=new' }, taking), 'out-of-scope', /another RA/);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
