// A caller renews its own credential: who it is stays, the key and the period are new.
import assert from 'node:assert/strict';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import type {
  CertificateAuthorityClient,
  Credential,
  RevokeResponse,
  TrustBundle,
} from '@gatehouse/proto/certificate-authority';
import { RevocationReason } from '@gatehouse/proto/types';
import { createManualClock } from '@gatehouse/runtime/clock';
import { callerUri } from '../../src/registry/caller.ts';
import { authoritiesOf, makeCredential } from '../support/credentials.ts';
import {
  assertAuditHolds,
  auditEvents,
  certificationRequest,
  newKey,
  refused,
  requester,
} from '../support/enrollment.ts';
import { addPerspective, listPerspectives } from '../support/perspectives.ts';
import { startTestCore, unary } from '../support/running-core.ts';

const clock = createManualClock(new Date());
const core = await startTestCore([], { clock });
after(() => core.stop());
const hourMs = 3_600_000;
const credential = await core.addRegistrationAuthority({ name: 'gate', profiles: ['tls-server'] });
const gate = core.connect(credential).authority;

function renew(client: CertificateAuthorityClient, csr = certificationRequest()): Promise<Credential> {
  return unary((callback) => client.renewCredential({ certificationRequest: csr }, callback));
}

const toText = (key: KeyObject, { certificate, trustAnchors }: Credential): string =>
  [
    key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...[certificate, ...trustAnchors].map((der) => encodePem('CERTIFICATE', der)),
  ].join('');

const bundleOf = (client: CertificateAuthorityClient) =>
  unary<TrustBundle>((callback) => client.getTrustBundle({}, callback));

const nameOf = (der: Uint8Array) => subjectAlternativeNames(readCertificate(der)).map((name) => name.value);

describe('a renewed credential', () => {
  it('names whoever asked, whatever the request says', async () => {
    const csr = certificationRequest({
      subject: 'CN=admin',
      names: ['URI:spiffe://gatehouse.internal/operator/admin'],
    });
    const renewed = await renew(gate, csr);
    assert.equal(renewed.name, 'gate');
    assert.deepEqual(nameOf(renewed.certificate), ['spiffe://gatehouse.internal/ra/gate']);
  });

  it('works, beside the old one until that ends', async () => {
    const key = newKey();
    const text = toText(key, await renew(gate, certificationRequest({ key })));
    await bundleOf(core.connect(text).authority);
    await bundleOf(gate);
  });

  it('lives on from now, and says which credential it renews', async () => {
    const first = await renew(gate);
    clock.advance(hourMs);
    const second = await renew(gate);
    clock.advance(-hourMs);
    assert.equal((second.notAfter?.getTime() ?? 0) - (first.notAfter?.getTime() ?? 0), hourMs);
    const { serialNumber } = readCertificate(second.certificate);
    const [event] = await auditEvents(core, { serialNumber });
    assert.deepEqual([event?.action, event?.actor], ['ra-renewed', 'spiffe://gatehouse.internal/ra/gate']);
    assert.match(JSON.parse(event?.body ?? '{}').renews, /^[0-9a-f]{36}$/);
  });

  it('of an operator is an operator’s, and lives for a quarter', async () => {
    const renewed = await renew(core.operator.authority);
    assert.deepEqual(nameOf(renewed.certificate), ['spiffe://gatehouse.internal/operator/admin']);
    const days = ((renewed.notAfter?.getTime() ?? 0) - clock.now().getTime()) / (24 * hourMs);
    assert.ok(days > 89 && days <= 90);
  });

  it('of a perspective is a perspective’s, and belongs to no RA of the same name', async () => {
    await addPerspective(core, 'gate');
    const { service } = authoritiesOf(core.directory);
    const { authority } = core.connect(makeCredential(service, callerUri('perspective', 'gate')));
    const renewed = await renew(authority);
    assert.deepEqual(nameOf(renewed.certificate), ['spiffe://gatehouse.internal/perspective/gate']);
    const { keyUsage } = new X509Certificate(renewed.certificate);
    assert.deepEqual(keyUsage, [keyPurposes.serverAuth, keyPurposes.clientAuth]);
    const [perspective] = await listPerspectives(core.operator);
    assert.deepEqual(perspective?.credentialExpiresAt, renewed.notAfter);
    const { serialNumber } = readCertificate(renewed.certificate);
    const revocation = {
      serialNumber,
      reason: RevocationReason.REVOCATION_REASON_SUPERSEDED,
      invalidityDate: undefined,
      requester,
    };
    await refused(
      unary<RevokeResponse>((callback) => gate.revoke(revocation, callback)),
      'out-of-scope',
    );
  });
});

describe('the key of a renewed credential', () => {
  it('must be new: neither the one in use nor one that was', async () => {
    const old = certificationRequest({ key: createPrivateKey(credential) });
    await refused(renew(gate, old), 'bad-key', /registration authority/);
    const operator = createPrivateKey(readFileSync(join(core.directory, 'operators/admin.pem'), 'utf8'));
    await refused(renew(gate, certificationRequest({ key: operator })), 'bad-key', /operator/);
  });

  it('must be proved', async () => {
    const csr = certificationRequest();
    csr[csr.length - 1] = (csr.at(-1) ?? 0) ^ 1;
    await refused(renew(gate, csr), 'bad-csr', /possession/);
    await refused(renew(gate, Buffer.alloc(0)), 'malformed');
  });
});

describe('a credential that does not stand', () => {
  it('cannot be renewed once it was revoked', async () => {
    const text = await core.addRegistrationAuthority({ name: 'revoked', profiles: [] });
    const { authority } = core.connect(text);
    const key = newKey();
    const renewed = await renew(authority, certificationRequest({ key }));
    const { serialNumber } = readCertificate(renewed.certificate);
    const revocation = {
      serialNumber,
      reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE,
      invalidityDate: undefined,
      requester,
    };
    await unary<RevokeResponse>((callback) => core.operator.authority.revoke(revocation, callback));
    await refused(renew(core.connect(toText(key, renewed)).authority), 'unauthorized', /revoked/);
    await renew(authority);
  });
});

it('the audit chain holds', () => assertAuditHolds(core));
