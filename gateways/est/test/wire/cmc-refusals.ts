import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { integer, octetString, sequence, utf8String } from '@gatehouse/pkix/der/writer';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import { encodeBody } from '@gatehouse/pkix/transfer-encoding';
import type { EstClient } from '../support/client.ts';
import {
  type Control,
  certificateRequestMessage,
  crm,
  pkiData,
  readFullResponse,
  signedByRequestKey,
  tcr,
  unsigned,
} from '../support/cmc.ts';
import { alice, certificateFor, createCmcClient, failInfo, issuedFor, refused } from '../support/cmc-client.ts';

/** Full PKI Requests that are refused, over the wire. */
export function cmcRefusalTests(send: EstClient): void {
  const { post, newName, newKeyed } = createCmcClient(send);

  describe('RFC 7030 §4.3.2, RFC 5272 §6.1: what is refused', () => {
    it('is badRequest when it is no Full PKI Request', async () => {
      const { key, der } = newKeyed();
      for (const body of ['not base64!', encodeBody(der), encodeBody(unsigned(Buffer.from('no PKIData')))]) {
        refused(await post(body, { user: alice }), 400, failInfo.badRequest, [0]);
      }
      refused(
        await post(signedByRequestKey(key, pkiData([tcr(1, der), tcr(1, der)])), { user: alice }),
        400,
        failInfo.badRequest,
        [0],
      );
      refused(await post(unsigned(pkiData([])), { user: alice }), 400, failInfo.badRequest, [0]);
    });

    it('is badMessageCheck when the signature is wrong or there is none', async () => {
      const { key, der } = newKeyed();
      const message = Buffer.from(signedByRequestKey(key, pkiData([tcr(1, der)])));
      message[message.length - 1] = (message[message.length - 1] ?? 0) ^ 1;
      refused(await post(message, { user: alice }), 400, failInfo.badMessageCheck, [0]);
      refused(await post(unsigned(pkiData([tcr(1, der)])), { user: alice }), 400, failInfo.badMessageCheck, [0]);
      const other = signedByRequestKey(newKey(), pkiData([tcr(1, der)]));
      refused(await post(other, { user: alice }), 400, failInfo.badMessageCheck, [0]);
    });

    it('is badRequest for each control that is unknown, and still brings the transaction back', async () => {
      const { key, der } = newKeyed();
      const controls: readonly Control[] = [
        ['1.3.6.1.4.1.99999.1', utf8String('unknown')],
        [cmcControls.transactionId, integer(42)],
        [cmcControls.getCert, sequence()],
      ];
      const response = await post(signedByRequestKey(key, pkiData([tcr(1, der)], controls)), { user: alice });
      const { controls: returned } = refused(response, 400, failInfo.badRequest, [100, 102]);
      assert.deepEqual(returned.get(cmcControls.transactionId), integer(42));
    });

    it('is badRequest for controls that are repeated or malformed', async () => {
      const { key, der } = newKeyed();
      const nonce: Control = [cmcControls.senderNonce, octetString(Buffer.from('n'))];
      for (const [controls, parts] of [
        [
          [nonce, nonce],
          [100, 101],
        ],
        [[[cmcControls.senderNonce, integer(1)]], [100]],
        [[[cmcControls.identification, utf8String('')]], [100]],
        [[[cmcControls.dataReturn, octetString(Buffer.alloc(2000))]], [100]],
      ] as readonly (readonly [readonly Control[], readonly number[]])[]) {
        const message = signedByRequestKey(key, pkiData([tcr(1, der)], controls));
        refused(await post(message, { user: alice }), 400, failInfo.badRequest, parts);
      }
    });

    it('is popFailed when a request is not signed by its key, popRequired when by none', async () => {
      const { key, der } = newKeyed();
      const broken = Buffer.from(newRequest({ names: [newName()] }));
      broken[broken.length - 1] = (broken[broken.length - 1] ?? 0) ^ 1;
      const wrong = certificateRequestMessage({ bodyPartId: 3, key, names: [newName()], proof: 'wrong' });
      const none = certificateRequestMessage({ bodyPartId: 4, key, names: [newName()], proof: 'none' });
      const ask = (request: Uint8Array) =>
        post(signedByRequestKey(key, pkiData([tcr(1, der), request])), { user: alice });
      refused(await ask(tcr(2, broken)), 400, failInfo.popFailed, [2]);
      refused(await ask(crm(wrong)), 400, failInfo.popFailed, [3]);
      refused(await ask(crm(none)), 400, failInfo.popRequired, [4]);
    });

    it('is noSupport for a request of another form, and then nothing is enrolled', async () => {
      const { key, der } = newKeyed();
      const other = Buffer.from(sequence(integer(2), Buffer.from('06032a0304', 'hex'), utf8String('?')));
      other[0] = 0xa2;
      const response = await post(signedByRequestKey(key, pkiData([tcr(1, der), other])), { user: alice });
      const { statuses, certificates } = readFullResponse(response);
      assert.deepEqual([statuses[0]?.status, statuses[0]?.bodyParts], [4, [2]]);
      assert.equal(certificateFor(certificates, key), undefined);
    });

    it('names the request that is not allowed, and enrols none of the others', async () => {
      const [good, bad] = [newKeyed(), newKeyed({ names: ['DNS:elsewhere.test'] })];
      const content = pkiData([tcr(5, good.der), tcr(6, bad.der)]);
      const response = await post(signedByRequestKey(good.key, content), { user: alice });
      const { certificates, statuses } = refused(response, 403, failInfo.badRequest, [6]);
      assert.match(statuses[0]?.statusString ?? '', /elsewhere\.test/);
      assert.equal(certificateFor(certificates, good.key), undefined);
    });

    it('tells what was enrolled before a request that the keep refuses', async () => {
      const [good, weak, after] = [newKeyed(), newRequest({ subject: 'CN=dev-1', names: [newName()] }), newKeyed()];
      const content = pkiData([tcr(5, good.der), tcr(6, weak), tcr(7, after.der)]);
      const response = await post(signedByRequestKey(good.key, content), { user: alice });
      const { certificates, statuses } = readFullResponse(response);
      assert.equal(response.status, 400);
      assert.deepEqual(
        statuses.map(({ status, bodyParts }) => [status, bodyParts]),
        [
          [0, [5]],
          [2, [6]],
          [2, [7]],
        ],
      );
      issuedFor(certificates, good.key);
      assert.equal(certificateFor(certificates, after.key), undefined);
    });

    it('is refused as HTTP before it is read: other labels, methods, types and sizes', async () => {
      const { key, der } = newKeyed();
      const message = signedByRequestKey(key, pkiData([tcr(1, der)]));
      assert.equal((await post(message, { label: 'simple', user: alice })).status, 404);
      assert.equal((await send('/.well-known/est/fullcmc')).status, 405);
      assert.equal((await post(message, { headers: { 'content-type': 'application/pkcs10' } })).status, 415);
      assert.equal((await post('A'.repeat(65_537), { user: alice })).status, 413);
    });

    it('is 401 with every challenge when nobody proved anything, as a CMC response', async () => {
      const { key, der } = newKeyed();
      const response = await post(signedByRequestKey(key, pkiData([tcr(1, der)])));
      refused(response, 401, failInfo.badIdentity);
      assert.match(String(response.headers['www-authenticate']), /^Basic realm=/);
      refused(
        await post(signedByRequestKey(key, pkiData([tcr(1, der)])), { user: 'alice:wrong' }),
        401,
        failInfo.badIdentity,
      );
    });
  });
}
