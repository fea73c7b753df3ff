import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { CertificateState } from '@gatehouse/ra-client/client';
import type { EstClient } from '../support/client.ts';
import { pkiData, readFullResponse, revokeRequest, signedBy, tcr, unsigned } from '../support/cmc.ts';
import {
  alice,
  bob,
  createCmcClient,
  failInfo,
  type Holder,
  issuedFor,
  type PostOptions,
  refused,
  simpleCertificates,
  succeeded,
} from '../support/cmc-client.ts';
import { secrets } from '../support/cms-settings.ts';
import type { Stack } from '../support/stack.ts';

/** Revocation by CMC, over the wire. */
export function cmcRevocationTests(stack: Stack, send: EstClient): void {
  const { post, newName, enroll } = createCmcClient(send);
  const stateOf = async ({ der }: Certificate) => (await stack.operator.getCertificate({ certificate: der })).state;

  const revokeAs = (
    signer: Holder | undefined,
    certificate: Certificate,
    { reason, secret, ...options }: { reason?: number; secret?: string } & PostOptions = {},
  ) => {
    const why = { ...(reason !== undefined && { reason }), ...(secret !== undefined && { secret }) };
    const content = pkiData([], [revokeRequest(certificate, why)]);
    return post(signer === undefined ? unsigned(content) : signedBy(signer, content), options);
  };

  describe('RFC 5272 §6.11: revokeRequest', () => {
    const revoked = CertificateState.CERTIFICATE_STATE_REVOKED;
    const valid = CertificateState.CERTIFICATE_STATE_VALID;

    it('revokes the certificate that signs it, and says so in a full response', async () => {
      const holder = await enroll('default', {});
      const response = await revokeAs(holder, holder.certificate, { reason: 1 });
      succeeded(response);
      const [status] = readFullResponse(response).statuses;
      assert.deepEqual([status?.status, status?.bodyParts], [0, [100]]);
      const record = await stack.operator.getCertificate({ certificate: holder.certificate.der });
      assert.deepEqual([record.state, record.revocation?.reason], [revoked, 1]);
    });

    it('revokes for another certificate with the same names', async () => {
      const names = [newName()];
      const lost = await enroll('tls-client', { names });
      const signer = await enroll('tls-client', { names }, bob);
      succeeded(await revokeAs(signer, lost.certificate, { label: 'tls-client' }));
      assert.equal(await stateOf(lost.certificate), revoked);
    });

    it('revokes for who enrolled it, and for nobody else', async () => {
      const mine = await enroll('default', {});
      const other = await enroll('tls-client', {}, bob);
      const ask = (options: PostOptions) => revokeAs(other, mine.certificate, { label: 'tls-client', ...options });
      refused(await ask({}), 403, failInfo.badRequest, [100]);
      refused(await ask({ user: bob }), 403, failInfo.badRequest, [100]);
      assert.equal(await stateOf(mine.certificate), valid);
      succeeded(await ask({ user: alice }));
      assert.equal(await stateOf(mine.certificate), revoked);
    });

    it('revokes, holds and releases for an RA within its names', async () => {
      const agent = await enroll('agent', { subject: 'CN=agent-7' });
      const field = await enroll('default', { names: ['DNS:c.field.example.com'] });
      succeeded(await revokeAs(agent, field.certificate, { reason: 6 }));
      assert.equal(await stateOf(field.certificate), CertificateState.CERTIFICATE_STATE_HELD);
      succeeded(await revokeAs(agent, field.certificate, { reason: 8 }));
      assert.equal(await stateOf(field.certificate), valid);
      const elsewhere = await enroll('default', {});
      refused(await revokeAs(agent, elsewhere.certificate), 403, failInfo.badRequest, [100]);
    });

    it('revokes by the secret of who enrolled it, though nobody signs, and after a renewal too', async () => {
      const names = [newName()];
      const first = await enroll('default', { names });
      const key = newKey();
      const renewal = await post(signedBy(first, pkiData([tcr(1, newRequest({ names, key }))])));
      for (const certificate of [first.certificate, issuedFor(simpleCertificates(renewal), key)]) {
        const wrong = await revokeAs(undefined, certificate, { secret: secrets.identity });
        refused(wrong, 403, failInfo.badIdentity, [100]);
        assert.equal(await stateOf(certificate), valid);
        succeeded(await revokeAs(undefined, certificate, { secret: secrets.revocation }));
        assert.equal(await stateOf(certificate), revoked);
      }
    });

    it('is success again for what is revoked already', async () => {
      const { certificate } = await enroll('default', {});
      for (const _ of [1, 2]) succeeded(await revokeAs(undefined, certificate, { secret: secrets.revocation }));
    });

    it('is refused without a signature or secret, for a stranger, and by a secret of somebody else', async () => {
      const mine = await enroll('default', {});
      const { certificate } = await enroll('default', {}, bob);
      refused(await revokeAs(undefined, certificate), 400, failInfo.badMessageCheck, [0]);
      refused(await revokeAs(mine, certificate), 403, failInfo.badRequest);
      refused(await revokeAs(undefined, certificate, { secret: secrets.revocation }), 403, failInfo.badIdentity, [100]);
      assert.equal(await stateOf(certificate), valid);
    });

    it('is badCertId for a certificate that is not there, or is of another issuer', async () => {
      const { certificate, key } = await enroll('default', {});
      const holder = { certificate, key };
      const unknown = { ...certificate, serialNumber: '01020304' };
      refused(await revokeAs(holder, unknown), 404, failInfo.badCertId, [100]);
      const foreign = { ...certificate, issuerDer: certificate.subjectDer };
      refused(await revokeAs(holder, foreign), 400, failInfo.badCertId, [100]);
    });

    it('takes from a holder the reasons that are its to give', async () => {
      const holder = await enroll('default', {});
      for (const reason of [2, 6, 8, 9, 10]) {
        refused(await revokeAs(holder, holder.certificate, { reason }), 403, failInfo.badRequest, [100]);
      }
      refused(await revokeAs(holder, holder.certificate, { reason: 7 }), 400, failInfo.badRequest, [100]);
      assert.equal(await stateOf(holder.certificate), valid);
    });

    it('goes with a new request: first the new certificate, then the end of the old', async () => {
      const names = [newName()];
      const holder = await enroll('default', { names });
      const key = newKey();
      const content = pkiData([tcr(1, newRequest({ names, key }))], [revokeRequest(holder.certificate)]);
      const response = await post(signedBy(holder, content));
      const { statuses, certificates } = readFullResponse(response);
      assert.deepEqual(
        statuses.map(({ status, bodyParts }) => [status, bodyParts]),
        [
          [0, [1]],
          [0, [100]],
        ],
      );
      issuedFor(certificates, key);
      assert.equal(await stateOf(holder.certificate), revoked);
    });
  });

  describe('RFC 5272 §6.2: secrets and the log', () => {
    it('leaves no shared secret in the log', () => {
      const log = stack.gateLog();
      for (const secret of Object.values(secrets)) assert.ok(!log.includes(secret));
      assert.ok(!log.includes(Buffer.from(secrets.revocation).toString('hex')));
    });
  });
}
