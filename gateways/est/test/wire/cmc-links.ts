import assert from 'node:assert/strict';
import { type KeyObject, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { octetString } from '@gatehouse/pkix/der/writer';
import { cmcControls } from '@gatehouse/pkix/object-identifiers';
import type { EstClient } from '../support/client.ts';
import {
  type Control,
  certificateRequestMessage,
  crm,
  identityProof,
  macOf,
  pkiData,
  signedBy,
  signedByRequestKey,
  type Tagged,
  tcr,
  witness,
} from '../support/cmc.ts';
import { alice, bob, createCmcClient, failInfo, refused, succeeded } from '../support/cmc-client.ts';
import { secrets } from '../support/cms-settings.ts';

/** What links requests to who asks, over the wire. */
export function cmcLinkTests(send: EstClient): void {
  const { post, newName, newKeyed, enroll } = createCmcClient(send);

  describe('RFC 5272 §6.3.1: POP link witness', () => {
    const random = randomBytes(64);
    const randomControl: Control = [cmcControls.popLinkRandom, octetString(random)];
    const linked = (value: Uint8Array, type: string = cmcControls.popLinkWitnessV2) => ({ type, values: [value] });
    const ask = (key: KeyObject, requests: readonly Tagged[], controls: readonly Control[], label = 'bound') => {
      const proof = identityProof('alice', secrets.identity, requests);
      return post(signedByRequestKey(key, pkiData(requests, [...proof, ...controls])), { label });
    };

    it('links requests of both forms where a label demands a link', async () => {
      for (const attribute of [
        linked(witness(secrets.identity, random)),
        linked(witness(secrets.identity, random, 'sha1')),
        linked(octetString(macOf(secrets.identity, random, 'sha1')), cmcControls.popLinkWitness),
      ]) {
        const { key, der } = newKeyed({ attributes: [attribute] });
        const message = certificateRequestMessage({ bodyPartId: 2, key, names: [newName()], controls: [attribute] });
        const response = await ask(key, [tcr(1, der), crm(message)], [randomControl]);
        succeeded(response);
      }
    });

    it('is popFailed when a request has none, a wrong one, or one without the random control', async () => {
      const attributes = [linked(witness(secrets.identity, random))];
      const other = [linked(witness('another secret of somebody', random))];
      const [right, wrong, none] = [newKeyed({ attributes }), newKeyed({ attributes: other }), newKeyed()];
      refused(
        await ask(none.key, [tcr(1, right.der), tcr(2, none.der)], [randomControl]),
        400,
        failInfo.popFailed,
        [2],
      );
      refused(await ask(wrong.key, [tcr(3, wrong.der)], [randomControl]), 400, failInfo.popFailed, [3]);
      refused(await ask(right.key, [tcr(4, right.der)], []), 400, failInfo.popFailed, [4]);
      refused(await ask(right.key, [tcr(4, right.der)], [], 'default'), 400, failInfo.popFailed, [4]);
    });

    it('is that of who asks, not of somebody else', async () => {
      const { key, der } = newKeyed({ attributes: [linked(witness(secrets.identity, random))] });
      const message = signedByRequestKey(key, pkiData([tcr(1, der)], [randomControl]));
      assert.equal((await post(message, { user: alice })).status, 200);
      refused(await post(message, { user: bob }), 400, failInfo.popFailed, [1]);
    });
  });

  describe('RFC 7030 §3.5: binding to the connection', () => {
    it('is another way to link, and popFailed when it is missing or wrong', async () => {
      const unbound = newKeyed();
      const body = signedByRequestKey(unbound.key, pkiData([tcr(1, unbound.der)]));
      refused(await post(body, { label: 'bound', user: alice }), 403, failInfo.popFailed, [1]);
      const stray = newKeyed({ challengePassword: 'c3RyYXk=' });
      refused(
        await post(signedByRequestKey(stray.key, pkiData([tcr(1, stray.der)])), { user: alice }),
        403,
        failInfo.popFailed,
        [1],
      );
      const response = await post(body, {
        label: 'bound',
        user: alice,
        bind: (socket) => {
          const exporter = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
          const bound = newKeyed({ challengePassword: exporter.toString('base64') });
          return signedByRequestKey(bound.key, pkiData([tcr(1, bound.der)]));
        },
      });
      succeeded(response);
    });

    it('is not asked of CRMF, which has no place for it: that needs a witness', async () => {
      const key = newKey();
      const message = certificateRequestMessage({ bodyPartId: 3, key, names: [newName()] });
      const body = signedByRequestKey(key, pkiData([crm(message)]));
      refused(await post(body, { label: 'bound', user: alice }), 403, failInfo.popFailed, [3]);
    });

    it('is given by the certificate that is renewed', async () => {
      const names = [newName()];
      const holder = await enroll('default', { names });
      const response = await post(signedBy(holder, pkiData([tcr(1, newRequest({ names }))])), { label: 'bound' });
      succeeded(response);
    });
  });
}
