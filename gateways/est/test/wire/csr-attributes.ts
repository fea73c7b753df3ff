import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { DerCursor, readBoolean, readObjectIdentifier, readSmallInteger, tags } from '@gatehouse/pkix/der/reader';
import { decodeString } from '@gatehouse/pkix/der/strings';
import type { Extension } from '@gatehouse/pkix/extensions';
import { parseGeneralName } from '@gatehouse/pkix/general-names';
import { attribute } from '@gatehouse/pkix/names';
import { algorithms, attributeTypes, extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { certificateOf, type EstClient } from '../support/client.ts';
import { password } from '../support/settings.ts';

/** What the server wants in a CSR, and CSRs made from it, over the wire. */
export function csrAttributesTests(send: EstClient): void {
  const fetch = async (label: string) => {
    const response = await send(`/.well-known/est/${label}/csrattrs`);
    assert.equal(response.status, 200);
    assert.equal(response.headers['content-type'], 'application/csrattrs');
    return readElements(Buffer.from(response.body, 'base64'));
  };

  describe('RFC 9908 §3.4: a CSR made from the template', () => {
    for (const label of ['default', 'tls-client', 'tls-server-client', 'device-identity', 'strict', 'big', 'agent']) {
      it(`is accepted under the label ${label}`, async () => {
        const body = fillIn(await templateOf(await fetch(label)), `${label}.example.com`);
        certificateOf(await send(`/.well-known/est/${label}/simpleenroll`, { body, user: `alice:${password}` }));
      });
    }

    it('dictates what the profile dictates, and leaves the rest to the client', async () => {
      const { subject, keyAlgorithm, extensions } = await templateOf(await fetch('strict'));
      assert.deepEqual(subject, [
        { type: attributeTypes.O, value: 'Example Inc' },
        { type: attributeTypes.CN, value: undefined },
        { type: attributeTypes.serialNumber, value: undefined },
      ]);
      assert.deepEqual(keyAlgorithm, [algorithms.ecPublicKey, algorithms.secp384r1]);
      assert.equal(extensions.find(({ id }) => id === extensionIds.subjectAlternativeName)?.value, undefined);
      assert.ok(extensions.find(({ id }) => id === extensionIds.extendedKeyUsage)?.value !== undefined);
    });
  });

  describe('RFC 7030 §4.5.2 with RFC 9908 §3.2: classic elements', () => {
    it('name one key type with its curve, and hold one id-ExtensionReq', async () => {
      const elements = await fetch('strict');
      const types = elements.map(({ type }) => type);
      assert.equal(types.filter((type) => type === algorithms.ecPublicKey).length, 1);
      assert.equal(types.filter((type) => type === pkcs9Attributes.extensionRequest).length, 1);
      const key = elements.find(({ type }) => type === algorithms.ecPublicKey)?.values?.[0];
      assert.equal(
        key === undefined ? undefined : readObjectIdentifier(new DerCursor(key).read()),
        algorithms.secp384r1,
      );
      const rsa = (await fetch('big')).find(({ type }) => type === algorithms.rsaEncryption)?.values?.[0];
      assert.equal(rsa === undefined ? undefined : readSmallInteger(new DerCursor(rsa).read()), 3072);
    });

    it('are 204 without a body when the label wants nothing said', async () => {
      const response = await send('/.well-known/est/quiet/csrattrs');
      assert.deepEqual([response.status, response.body], [204, '']);
    });
  });
}

type Element = { readonly type: string; readonly values: readonly Uint8Array[] | undefined };
type ExtensionTemplate = { readonly id: string; readonly isCritical: boolean; readonly value: Uint8Array | undefined };
type Template = {
  readonly subject: readonly { readonly type: string; readonly value: string | undefined }[];
  readonly keyAlgorithm: readonly string[];
  readonly rsaBits: number | undefined;
  readonly extensions: readonly ExtensionTemplate[];
};

function readElements(der: Uint8Array): readonly Element[] {
  const cursor = new DerCursor(der).enter(tags.sequence);
  const elements: Element[] = [];
  while (!cursor.isAtEnd) {
    const oid = cursor.readOptional(tags.objectIdentifier);
    if (oid !== undefined) elements.push({ type: readObjectIdentifier(oid), values: undefined });
    else elements.push(readAttribute(cursor));
  }
  return elements;
}

function readAttribute(cursor: DerCursor): Element {
  const fields = cursor.enter(tags.sequence);
  const type = readObjectIdentifier(fields.read(tags.objectIdentifier));
  const set = fields.enter(tags.set);
  const values: Uint8Array[] = [];
  while (!set.isAtEnd) values.push(set.read().raw);
  return { type, values };
}

async function templateOf(elements: readonly Element[]): Promise<Template> {
  const found = elements.filter(({ type }) => type === pkcs9Attributes.certificationRequestInfoTemplate);
  assert.equal(found.length, 1);
  const value = found[0]?.values?.[0];
  assert.ok(value !== undefined && found[0]?.values?.length === 1);
  const fields = new DerCursor(value).enter(tags.sequence);
  assert.equal(readSmallInteger(fields.read(tags.integer)), 0);
  const subject: Template['subject'][number][] = [];
  const rdns = fields.enterOptional(tags.sequence);
  while (rdns !== undefined && !rdns.isAtEnd) {
    const single = rdns.enter(tags.set).enter(tags.sequence);
    const type = readObjectIdentifier(single.read(tags.objectIdentifier));
    const text = single.isAtEnd ? undefined : single.read();
    subject.push({ type, value: text === undefined ? undefined : decodeString(text.tag, text.contents) });
  }
  const key = fields.enterOptional(0xa0);
  const algorithm = key?.enter(tags.sequence);
  const keyAlgorithm: string[] = [];
  while (algorithm !== undefined && !algorithm.isAtEnd) {
    const element = algorithm.read();
    if (element.tag === tags.objectIdentifier) keyAlgorithm.push(readObjectIdentifier(element));
  }
  const placeholder = key?.readOptional(tags.bitString);
  const modulus =
    placeholder && new DerCursor(placeholder.contents.subarray(1)).enter(tags.sequence).read(tags.integer);
  return {
    subject,
    keyAlgorithm,
    rsaBits: modulus === undefined ? undefined : (modulus.contents.length - 1) * 8,
    extensions: readTemplateExtensions(fields.enter(0xa1)),
  };
}

function readTemplateExtensions(attributes: DerCursor): readonly ExtensionTemplate[] {
  const found: Element[] = [];
  while (!attributes.isAtEnd) found.push(readAttribute(attributes));
  const kinds: readonly string[] = [pkcs9Attributes.extensionRequest, pkcs9Attributes.extensionRequestTemplate];
  const requests = found.filter(({ type }) => kinds.includes(type));
  assert.ok(requests.length <= 1, 'never both kinds of extension request');
  const value = requests[0]?.values?.[0];
  if (value === undefined) return [];
  const list = new DerCursor(value).enter(tags.sequence);
  const extensions: ExtensionTemplate[] = [];
  while (!list.isAtEnd) {
    const fields = list.enter(tags.sequence);
    const id = readObjectIdentifier(fields.read(tags.objectIdentifier));
    const critical = fields.readOptional(tags.boolean);
    const isCritical = critical !== undefined && readBoolean(critical);
    extensions.push({ id, isCritical, value: fields.isAtEnd ? undefined : fields.read(tags.octetString).contents });
  }
  if (requests[0]?.type === pkcs9Attributes.extensionRequest) {
    assert.ok(extensions.every((extension) => extension.value !== undefined));
  }
  return extensions;
}

/** Does what a client that understands templates does. */
function fillIn({ subject, keyAlgorithm, rsaBits, extensions }: Template, host: string): Uint8Array {
  const wantsName = extensions.some(
    ({ id, value }) => id === extensionIds.subjectAlternativeName && value === undefined,
  );
  return createCertificationRequest({
    subject: subject.map(({ type, value }) => [
      attribute(type, value ?? (type === attributeTypes.CN && wantsName ? host : 'dev-1')),
    ]),
    key: makeKey(keyAlgorithm, rsaBits),
    names: wantsName ? [parseGeneralName(`DNS:${host}`)] : [],
    extensions: extensions.flatMap(({ id, isCritical, value }): Extension[] =>
      value === undefined ? [] : [{ id, isCritical, value }],
    ),
  });
}

function makeKey([algorithm, parameters]: readonly string[], rsaBits: number | undefined): KeyObject {
  if (algorithm === algorithms.rsaEncryption) {
    return generateKeyPairSync('rsa', { modulusLength: rsaBits ?? 2048 }).privateKey;
  }
  assert.equal(algorithm, algorithms.ecPublicKey);
  const namedCurve = parameters === algorithms.secp384r1 ? 'P-384' : 'P-256';
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  assert.equal(createPublicKey(privateKey).asymmetricKeyType, 'ec');
  return privateKey;
}
