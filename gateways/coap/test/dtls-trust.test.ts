import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ForeignAnchor } from '@gatehouse/gateway-kit/est/foreign-anchors';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { createLog } from '@gatehouse/runtime/log';
import type { DtlsTrust } from '../src/dtls/transport.ts';
import { followTrust } from '../src/dtls-trust.ts';
import { createAuthority, createManufacturer } from '../test-support/certificates.ts';

const log = createLog({ name: 'test', level: 'silent' });
const maker = createManufacturer('Maker');
const foreign: ForeignAnchor = {
  name: 'maker',
  labels: ['device'],
  operations: ['simpleenroll'],
  anchors: [readCertificate(maker.root.certificate)],
  intermediates: [readCertificate(maker.intermediate.certificate)],
  acceptsExpired: false,
  policyFor: () => undefined,
  revocationStatus: () => 'good',
};
const storeOf = (...roots: readonly Uint8Array[]) => ({
  anchors: roots.map(readCertificate),
  intermediates: [],
  certificates: roots,
  certificatesOnly: new Uint8Array(),
});

describe('RFC 9148 §3: whom the handshake lets through', () => {
  it('are holders of our certificates and of those of all makers', async () => {
    const root = createAuthority('CN=Root').certificate;
    const trust = await followTrust({
      caCertificates: { current: async () => storeOf(root) },
      foreignAnchors: [foreign, foreign],
      log,
      onChange: () => assert.fail('nothing changed'),
    });
    assert.deepEqual(trust.current(), {
      anchors: [root, maker.root.certificate],
      intermediates: [maker.intermediate.certificate],
    });
    assert.deepEqual(trust.problems(), []);
    trust.close();
  });

  it('stay as they are while what is new cannot be used, and are tried again', async () => {
    const [old, next] = [createAuthority('CN=Old').certificate, createAuthority('CN=New').certificate];
    let store = storeOf(old);
    const { promise: taken, resolve } = Promise.withResolvers<void>();
    const seen: DtlsTrust[] = [];
    const trust = await followTrust({
      caCertificates: { current: async () => store },
      foreignAnchors: [],
      log,
      onChange: () => {
        seen.push(trust.current());
        if (seen.length < 3) throw new Error('OpenSSL refused a trust anchor');
        resolve();
      },
      intervalMs: 1,
    });
    store = storeOf(next);
    await taken;
    assert.deepEqual(
      seen.map(({ anchors }) => anchors),
      [[next], [next], [next]],
    );
    assert.deepEqual(trust.current().anchors, [next]);
    trust.close();
  });

  it('follow a roll-over of our root', async () => {
    const [old, next] = [createAuthority('CN=Old').certificate, createAuthority('CN=New').certificate];
    let store = storeOf(old);
    const { promise: changed, resolve } = Promise.withResolvers<DtlsTrust>();
    const trust = await followTrust({
      caCertificates: { current: async () => store },
      foreignAnchors: [],
      log,
      onChange: resolve,
      intervalMs: 1,
    });
    store = storeOf(next, old);
    assert.deepEqual((await changed).anchors, [next, old]);
    trust.close();
  });

  it('are the makers alone until the keep was heard of, and the gate says so', async () => {
    const root = createAuthority('CN=Root').certificate;
    let isAway = true;
    const { promise: changed, resolve } = Promise.withResolvers<DtlsTrust>();
    const trust = await followTrust({
      caCertificates: {
        current: async () => {
          if (isAway) throw new CoreError('unavailable', 'away');
          return storeOf(root);
        },
      },
      foreignAnchors: [foreign],
      log,
      onChange: resolve,
      intervalMs: 1,
    });
    assert.deepEqual(trust.current().anchors, [maker.root.certificate]);
    assert.equal(trust.problems()[0]?.check, 'trust');
    isAway = false;
    assert.deepEqual((await changed).anchors, [root, maker.root.certificate]);
    assert.deepEqual(trust.problems(), []);
    trust.close();
  });
});
