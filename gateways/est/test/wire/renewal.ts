import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { newKey, newRequest, type RequestShape } from '@gatehouse/gateway-kit/test-support/requests';
import { type Certificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { sequence, wrap } from '@gatehouse/pkix/der/writer';
import { parseGeneralName, writeGeneralNames } from '@gatehouse/pkix/general-names';
import { formatName, parseName, writeName } from '@gatehouse/pkix/names';
import { cmcControls, extensionIds } from '@gatehouse/pkix/object-identifiers';
import { RevocationReason } from '@gatehouse/ra-client/client';
import { type ClientIdentity, certificateOf, type EstClient } from '../support/client.ts';
import { manufacturer, password } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

const alice = `alice:${password}`;

/** Renewing certificates, over the wire. */
export function renewalTests(stack: Stack, send: EstClient): void {
  const enroll = async (
    shape: RequestShape,
    label = 'default',
  ): Promise<ClientIdentity & { certificate: Certificate }> => {
    const key = shape.key ?? newKey();
    const body = newRequest({ ...shape, key });
    const certificate = certificateOf(await send(`/.well-known/est/${label}/simpleenroll`, { body, user: alice }));
    return { key, certificates: [certificate.der], certificate };
  };
  const renew = (identity: ClientIdentity | undefined, shape: RequestShape, label = 'default', user?: string) =>
    send(`/.well-known/est/${label}/simplereenroll`, { body: newRequest(shape), identity, user });
  const recordOf = (certificate: Certificate) =>
    stack.operator.getCertificate({ serialNumber: certificate.serialNumber });

  describe('RFC 7030 §4.2.2: simplereenroll', () => {
    it('renews a certificate by itself, with a new key and with the same', async () => {
      const shape = { subject: 'CN=renew.example.com', names: ['DNS:renew.example.com', 'DNS:b.example.com'] };
      const old = await enroll(shape);
      const key = newKey();
      const next = certificateOf(await renew(old, { ...shape, key }));
      assert.notEqual(next.serialNumber, old.certificate.serialNumber);
      assert.equal((await recordOf(next)).renews, old.certificate.serialNumber);
      const again = certificateOf(await renew({ key, certificates: [next.der] }, { ...shape, key }));
      assert.deepEqual(again.subjectPublicKeyInfo, next.subjectPublicKeyInfo);
    });

    it('gives the same certificate to the same request', async () => {
      const shape = { names: ['DNS:renew-retry.example.com'], key: newKey() };
      const identity = await enroll(shape);
      const body = newRequest(shape);
      const post = () => send('/.well-known/est/simplereenroll', { body, identity });
      assert.equal(certificateOf(await post()).serialNumber, certificateOf(await post()).serialNumber);
    });

    it('renews when the profile made the alternative name of the common name', async () => {
      const shape = { subject: 'CN=cn-only.example.com', key: newKey() };
      const old = await enroll(shape);
      assert.equal(subjectAlternativeNames(old.certificate).length, 1);
      certificateOf(await renew(old, shape));
    });

    it('compares names by RFC 5280 §7.1, not by their octets', async () => {
      const old = await enroll({ subject: 'CN=dev-A Sensor', key: newKey() }, 'device-identity');
      const request = newRequest({ subject: 'CN=dev-a  sensor', key: newKey() });
      certificateOf(await send('/.well-known/est/device-identity/simplereenroll', { body: request, identity: old }));
    });

    it('refuses another subject and another alternative name, and names the field', async () => {
      const old = await enroll({ subject: 'CN=same.example.com', names: ['DNS:same.example.com'] });
      const subject = await renew(old, { subject: 'CN=other.example.com', names: ['DNS:same.example.com'] });
      assert.equal(subject.status, 400);
      assert.match(subject.body, /^subject/);
      for (const names of [['DNS:other.example.com'], ['DNS:same.example.com', 'DNS:more.example.com']]) {
        const response = await renew(old, { subject: 'CN=same.example.com', names });
        assert.equal(response.status, 400);
        assert.match(response.body, /^subjectAltName/);
      }
    });

    it('refuses a name that is none, and names it', async () => {
      const old = await enroll({ names: ['DNS:syntax.example.com'] });
      const value = sequence(wrap(0x82, Buffer.from('not a host')));
      const extensions = [{ id: extensionIds.subjectAlternativeName, isCritical: false, value }];
      const response = await renew(old, { extensions });
      assert.equal(response.status, 400);
      assert.match(response.body, /not a host/);
    });

    it('refuses revoked certificates and those on hold', async () => {
      const shape = { names: ['DNS:revoked.example.com'] };
      const old = await enroll(shape);
      const { serialNumber } = old.certificate;
      await stack.operator.revoke({ serialNumber, reason: RevocationReason.REVOCATION_REASON_CERTIFICATE_HOLD });
      assert.notEqual((await renew(old, shape)).status, 200);
      assert.match((await renew(old, shape)).body, /on hold/);
      await stack.operator.revoke({ serialNumber, reason: RevocationReason.REVOCATION_REASON_KEY_COMPROMISE });
      const response = await renew(old, shape, 'default', alice);
      assert.equal(response.status, 403);
      assert.match((await renew(old, shape)).body, /revoked/);
    });

    it('refuses a certificate whose successor has been renewed in turn', async () => {
      const shape = { names: ['DNS:superseded.example.com'] };
      const first = await enroll(shape);
      const secondKey = newKey();
      const second = certificateOf(await renew(first, { ...shape, key: secondKey }));
      certificateOf(await renew({ key: secondKey, certificates: [second.der] }, shape));
      const response = await renew(first, shape);
      assert.equal(response.status, 403);
      assert.match(response.body, /superseded/);
    });

    it('refuses to turn a certificate into one of another profile', async () => {
      const old = await enroll({ subject: 'CN=dev-1' }, 'device-identity');
      const response = await renew(old, { subject: 'CN=dev-1' }, 'tls-client');
      assert.equal(response.status, 403);
      assert.match(response.body, /device-identity/);
    });

    it('refuses a certificate of another CA', async () => {
      const key = newKey();
      const certificate = manufacturer.issue({ subject: 'CN=acme-1,serialNumber=1', key });
      const identity = { key, certificates: [certificate] };
      const shape = { subject: 'CN=acme-1,serialNumber=1' };
      assert.equal((await renew(identity, shape, 'device-identity')).status, 401);
      assert.equal((await renew(identity, shape, 'device-identity', alice)).status, 403);
    });

    it('renews for a user what that user enrolled, and nothing else', async () => {
      const shape = { names: ['DNS:by-user.example.com'] };
      const old = await enroll(shape);
      const next = certificateOf(await renew(undefined, shape, 'default', alice));
      assert.equal((await recordOf(next)).renews, old.certificate.serialNumber);
      assert.equal((await renew(undefined, shape, 'default', `bob:${password}`)).status, 403);
      assert.equal((await renew(undefined, shape)).status, 401);
    });
  });

  describe('RFC 6402 §2.8: ChangeSubjectName', () => {
    const change = (...parts: readonly Uint8Array[]) => ({
      type: cmcControls.changeSubjectName,
      values: [sequence(...parts)],
    });
    const device = { subject: 'CN=dev-7,serialNumber=7' };

    it('changes the names where the profile allows, within what the holder may enrol', async () => {
      const old = await enroll(device, 'device-identity');
      const attributes = [
        change(
          writeName(parseName('CN=dev-8,serialNumber=8')),
          writeGeneralNames([parseGeneralName('DNS:dev-8.example.com')]),
        ),
      ];
      const byItself = await renew(old, { ...device, attributes }, 'device-identity');
      assert.equal(byItself.status, 403, 'a certificate alone may have the names that it has');
      const next = certificateOf(await renew(undefined, { ...device, attributes }, 'device-identity', alice));
      assert.equal(formatName(next.subject), 'CN=dev-8,serialNumber=8');
      assert.equal(subjectAlternativeNames(next).length, 1);
    });

    it('is refused where the profile does not allow it, and when it says nothing', async () => {
      const shape = { names: ['DNS:fixed.example.com'] };
      const old = await enroll(shape);
      const names = writeGeneralNames([parseGeneralName('DNS:moved.example.com')]);
      assert.equal((await renew(old, { ...shape, attributes: [change(names)] })).status, 403);
      for (const attribute of [
        change(),
        change(names, names),
        { type: cmcControls.changeSubjectName, values: [wrap(0x04)] },
      ]) {
        assert.equal((await renew(old, { ...shape, attributes: [attribute] })).status, 400);
      }
    });
  });

  describe('RFC 7030 §3.7: registration authorities', () => {
    const agentOf = async (name: string) => {
      const key: KeyObject = newKey();
      return await enroll({ subject: `CN=${name}`, key }, 'agent');
    };
    const post = (identity: ClientIdentity, shape: RequestShape, operation: string) =>
      send(`/.well-known/est/default/${operation}`, { body: newRequest(shape), identity });

    it('enrol and renew for others, within the names of their mapping', async () => {
      const agent = await agentOf('agent-7');
      const shape = { names: ['DNS:x.field.example.com'] };
      const first = certificateOf(await post(agent, shape, 'simpleenroll'));
      const next = certificateOf(await post(agent, shape, 'simplereenroll'));
      assert.equal((await recordOf(next)).renews, first.serialNumber);
      assert.equal((await post(agent, { names: ['DNS:x.example.com'] }, 'simpleenroll')).status, 403);
    });

    it('are those alone that a mapping lists', async () => {
      const other = await agentOf('dev-other');
      assert.equal((await post(other, { names: ['DNS:y.field.example.com'] }, 'simpleenroll')).status, 403);
    });
  });
}
