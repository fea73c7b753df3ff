import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newKey } from '@gatehouse/gateway-kit/test-support/requests';
import { subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { integer, octetString } from '@gatehouse/pkix/der/writer';
import { findExtension, readExtendedKeyUsage } from '@gatehouse/pkix/extensions';
import { cmcControls, extensionIds, keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import type { EstClient } from '../support/client.ts';
import {
  type Control,
  certificateRequestMessage,
  crm,
  identityProof,
  pkiData,
  readFullResponse,
  signedBy,
  signedByRequestKey,
  tcr,
  unsigned,
} from '../support/cmc.ts';
import {
  alice,
  createCmcClient,
  failInfo,
  issuedFor,
  refused,
  simpleCertificates,
  succeeded,
} from '../support/cmc-client.ts';
import { secrets } from '../support/cms-settings.ts';
import type { Stack } from '../support/stack.ts';

/** Full PKI Requests signed by their own key, over the wire. */
export function cmcRequestTests(stack: Stack, send: EstClient): void {
  const { post, newName, newKeyed, enroll } = createCmcClient(send);

  describe('RFC 7030 §4.3, RFC 5272 §3.2: a request signed by its own key', () => {
    it('is answered by the certificates alone when there is no more to say', async () => {
      const { key, der } = newKeyed();
      const response = await post(signedByRequestKey(key, pkiData([tcr(1, der)])), { user: alice });
      succeeded(response);
      assert.equal(response.headers['content-type'], 'application/pkcs7-mime; smime-type=certs-only');
      const certificates = simpleCertificates(response);
      issuedFor(certificates, key);
      // RFC 5272 §4.1: what leads to the trust anchor is there too.
      assert.equal(certificates.length, 2);
    });

    it('may be CRMF', async () => {
      const key = newKey();
      const message = certificateRequestMessage({ bodyPartId: 9, key, names: [newName()] });
      const response = await post(signedByRequestKey(key, pkiData([crm(message)])), { user: alice });
      const certificate = issuedFor(simpleCertificates(response), key);
      assert.equal(subjectAlternativeNames(certificate).length, 1);
    });

    it('may hold several requests, each with its own certificate', async () => {
      const [first, second] = [newKeyed(), newKeyed()];
      const content = pkiData([tcr(1, first.der), tcr(2, second.der)]);
      const certificates = simpleCertificates(await post(signedByRequestKey(first.key, content), { user: alice }));
      for (const { key } of [first, second]) issuedFor(certificates, key);
    });

    it('is the same request when it comes again', async () => {
      const { key, der } = newKeyed();
      const [first, second] = await Promise.all(
        [0, 1].map(() => post(signedByRequestKey(key, pkiData([tcr(1, der)])), { user: alice })),
      );
      assert.ok(first !== undefined && second !== undefined);
      const serials = [first, second].map((each) => issuedFor(simpleCertificates(each), key).serialNumber);
      assert.equal(serials[0], serials[1]);
    });

    it('is taken as DER and in PEM too, as simple requests are', async () => {
      const { key, der } = newKeyed();
      const message = signedByRequestKey(key, pkiData([tcr(1, der)]));
      const headers = { 'content-type': 'application/pkcs7-mime' };
      for (const body of [message, encodePem('CMS', message), encodePem('PKCS7', message)]) {
        const response = await send('/.well-known/est/fullcmc', { body, headers, user: alice });
        succeeded(response);
      }
    });
  });

  describe('RFC 5272 §4.2, §6.6: the full response', () => {
    it('brings transaction, nonce and data back, and a nonce of the gate', async () => {
      const { key, der } = newKeyed();
      const controls: readonly Control[] = [
        [cmcControls.transactionId, integer(123456789)],
        [cmcControls.senderNonce, octetString(Buffer.from('my nonce'))],
        [cmcControls.dataReturn, octetString(Buffer.from('my state'))],
        [cmcControls.regInfo, octetString(Buffer.from('nothing agreed on'))],
      ];
      const response = await post(signedByRequestKey(key, pkiData([tcr(7, der)], controls)), { user: alice });
      assert.equal(response.status, 200);
      const full = readFullResponse(response);
      assert.deepEqual(
        full.statuses.map(({ status, bodyParts }) => [status, bodyParts]),
        [[0, [7]]],
      );
      assert.deepEqual(full.controls.get(cmcControls.transactionId), integer(123456789));
      assert.deepEqual(full.controls.get(cmcControls.recipientNonce), octetString(Buffer.from('my nonce')));
      assert.deepEqual(full.controls.get(cmcControls.dataReturn), octetString(Buffer.from('my state')));
      assert.equal(full.controls.get(cmcControls.senderNonce)?.length, 18);
      issuedFor(full.certificates, key);
    });

    it('is signed by the gate, which is an RA by its certificate', async () => {
      const { signer } = readFullResponse(await post(unsigned(pkiData([]))));
      const purposes = findExtension(signer.extensions, extensionIds.extendedKeyUsage);
      assert.ok(purposes !== undefined && readExtendedKeyUsage(purposes.value).includes(keyPurposes.cmcRA));
    });
  });

  describe('RFC 5272 §6.2: identity by a shared secret', () => {
    it('is enough, without any credentials of HTTP', async () => {
      for (const digest of ['sha1', 'sha256', 'sha512'] as const) {
        const { key, der } = newKeyed();
        const requests = [tcr(1, der)];
        const content = pkiData(requests, identityProof('alice', secrets.identity, requests, digest));
        const response = await post(signedByRequestKey(key, content));
        succeeded(response);
        const certificate = issuedFor(simpleCertificates(response), key);
        const record = await stack.operator.getCertificate({ certificate: certificate.der });
        assert.equal(record.requester?.id, 'alice');
      }
    });

    it('is badIdentity with a wrong secret, a user without one, or no user', async () => {
      for (const [user, secret] of [
        ['alice', 'something that was guessed'],
        ['bob', 'bob has none of these secrets'],
        ['nobody', 'nobody has a user behind it'],
        ['unknown', secrets.identity],
      ] as const) {
        const { key, der } = newKeyed();
        const requests = [tcr(1, der)];
        const content = pkiData(requests, identityProof(user, secret, requests));
        refused(await post(signedByRequestKey(key, content)), 403, failInfo.badIdentity, [101]);
      }
    });

    it('is badIdentity when it is about other requests, or about none', async () => {
      const { key, der } = newKeyed();
      const proof = identityProof('alice', secrets.identity, [tcr(2, der)]);
      refused(await post(signedByRequestKey(key, pkiData([tcr(1, der)], proof))), 403, failInfo.badIdentity, [101]);
      const holder = await enroll('tls-client', { names: [newName()] });
      const query: Control = [cmcControls.queryPending, octetString(Buffer.from('token'))];
      const content = pkiData([], [...identityProof('alice', secrets.identity, []), query]);
      refused(await post(signedBy(holder, content)), 403, failInfo.badIdentity, [101]);
    });

    it('lets the user enrol what it may, under its labels, and no more', async () => {
      for (const [user, secret, names, label] of [
        ['alice', secrets.identity, ['DNS:elsewhere.test'], 'default'],
        ['limited', 'limited shares another secret', [newName()], 'default'],
      ] as const) {
        const { key, der } = newKeyed({ names });
        const requests = [tcr(1, der)];
        const content = pkiData(requests, identityProof(user, secret, requests));
        const response = await post(signedByRequestKey(key, content), { label });
        refused(response, 403, failInfo.badRequest);
      }
    });

    it('spends a use of a counted password', async () => {
      const statuses: number[] = [];
      for (const _ of [1, 2]) {
        const { key, der } = newKeyed();
        const requests = [tcr(1, der)];
        const content = pkiData(requests, identityProof('once', 'once shares another secret', requests));
        statuses.push((await post(signedByRequestKey(key, content))).status);
      }
      assert.deepEqual(statuses, [200, 403]);
    });
  });
}
