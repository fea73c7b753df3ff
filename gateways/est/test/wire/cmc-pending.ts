import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { octetString } from '@gatehouse/pkix/der/writer';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import type { EstClient } from '../support/client.ts';
import { pkiData, publicKeyOf, readFullResponse, signedBy, signedByRequestKey, tcr } from '../support/cmc.ts';
import { alice, bob, createCmcClient, failInfo, refused, succeeded } from '../support/cmc-client.ts';
import type { Stack } from '../support/stack.ts';

/** Requests that wait for approval, over the wire. */
export function cmcPendingTests(stack: Stack, send: EstClient): void {
  const { post, newName, newKeyed, enroll } = createCmcClient(send);

  describe('RFC 5272 §6.13, RFC 7030 §4.2.3: what waits for approval', () => {
    it('is pending with 202, a token and a time; then it is there for who asked', async () => {
      const names = [newName()];
      const { key, der } = newKeyed({ names });
      const message = signedByRequestKey(key, pkiData([tcr(4, der)]));
      const response = await post(message, { label: 'approved', user: alice });
      assert.equal(response.status, 202);
      assert.match(String(response.headers['retry-after']), /^\d+$/);
      const [status] = readFullResponse(response).statuses;
      assert.deepEqual([status?.status, status?.bodyParts], [3, [4]]);
      const { pendToken = Buffer.alloc(0), pendTime = new Date(0) } = status?.pendInfo ?? {};
      assert.ok(pendToken.length > 8 && pendTime.getTime() > Date.now() - 1_000);

      const holder = await enroll('tls-client', { names });
      const query = (user: string) =>
        post(signedBy(holder, pkiData([], [[cmcControls.queryPending, octetString(pendToken)]])), {
          label: 'tls-client',
          user,
        });
      const waiting = await query(alice);
      assert.equal(waiting.status, 202);
      // RFC 5272 §6.13: left out, since it would have to be the first one again.
      assert.equal(readFullResponse(waiting).statuses[0]?.pendInfo, undefined);

      await stack.operator.administration.approveEnrollment(pendToken.toString(), 'ok');
      refused(await query(bob), 400, failInfo.badRequest, [100]);
      const [byQuery, again] = [await query(alice), await post(message, { label: 'approved', user: alice })];
      for (const answer of [byQuery, again]) {
        succeeded(answer);
        const certificates = readCertificatesOnly(Buffer.from(answer.body, 'base64')).map(readCertificate);
        const isTheirs = ({ subjectPublicKeyInfo }: Certificate) =>
          Buffer.compare(subjectPublicKeyInfo, publicKeyOf(key)) === 0;
        assert.ok(certificates.some(isTheirs));
      }
    });

    it('is refused as it was rejected, and a token that nobody gave is none', async () => {
      const { key, der } = newKeyed();
      const message = signedByRequestKey(key, pkiData([tcr(4, der)]));
      const response = await post(message, { label: 'approved', user: alice });
      const token = readFullResponse(response).statuses[0]?.pendInfo?.pendToken ?? Buffer.alloc(0);
      await stack.operator.administration.rejectEnrollment(token.toString(), 'not this one');
      const holder = await enroll('tls-client', { names: [newName()] });
      const query = (pendToken: Uint8Array) =>
        post(signedBy(holder, pkiData([], [[cmcControls.queryPending, octetString(pendToken)]])), {
          label: 'tls-client',
        });
      const { statuses } = refused(await query(token), 403, failInfo.badRequest, [100]);
      assert.match(statuses[0]?.statusString ?? '', /not this one/);
      for (const wrong of [Buffer.from('01JD000000000000000000000X'), Buffer.alloc(0), Buffer.alloc(9000, 0x41)]) {
        refused(await query(wrong), 400, failInfo.badRequest, [100]);
      }
    });
  });
}
