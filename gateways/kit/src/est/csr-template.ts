// CertificationRequestInfoTemplate, RFC 9908 §3.4: a CSR without its signature in which the client fills in what is not
// given. An RDN or extension without a value is the client's, one with a value is dictated; no empty value is ever sent.

import { open, tags } from '@gatehouse/pkix/der/reader';
import {
  boolean,
  concat,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  sortForSetOf,
  wrap,
} from '@gatehouse/pkix/der/writer';
import { type Extension, writeExtensions } from '@gatehouse/pkix/extensions';
import { attribute, writeName } from '@gatehouse/pkix/names';
import { extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import type { CsrWishes } from './csr-attributes.ts';
import { preferredKey, publicKeyTemplate } from './key-preference.ts';

/** The attribute id-aa-certificationRequestInfoTemplate with its one value, DER. */
export function writeTemplate(wishes: CsrWishes): Uint8Array {
  const key = preferredKey(wishes.profile);
  const template = sequence(
    // The version is v1 (0).
    integer(0),
    // Absent where the server places no requirement on the subject.
    ...(wishes.subject.length === 0 ? [] : [writeNameTemplate(wishes.subject)]),
    ...(key === undefined ? [] : [wrap(0xa0, publicKeyTemplate(key))]),
    wrap(0xa1, ...sortForSetOf(templateAttributes(wishes))),
  );
  return sequence(objectIdentifier(pkcs9Attributes.certificationRequestInfoTemplate), setOf([template]));
}

// RDNSequenceTemplate: one attribute in each RDN, in the order of the profile.
function writeNameTemplate(subject: CsrWishes['subject']): Uint8Array {
  return sequence(
    ...subject.map(({ type, value }) =>
      value === '' ? setOf([sequence(objectIdentifier(type))]) : onlyRdn(writeName([[attribute(type, value)]])),
    ),
  );
}

function onlyRdn(name: Uint8Array): Uint8Array {
  return open(name, tags.sequence).read(tags.set).raw;
}

function templateAttributes({ extensions, wantsAlternativeName, wantsChannelBinding }: CsrWishes): Uint8Array[] {
  return [
    // The value is the connection's, so there is none to give; RFC 7030 §3.5 wants the attribute asked for.
    ...(wantsChannelBinding ? [sequence(objectIdentifier(pkcs9Attributes.challengePassword), setOf([]))] : []),
    ...extensionAttributes(extensions, wantsAlternativeName),
  ];
}

// id-ExtensionReq when all values are given, id-aa-extensionReqTemplate when one is the client's; never both.
function extensionAttributes(extensions: readonly Extension[], wantsAlternativeName: boolean): Uint8Array[] {
  if (!wantsAlternativeName) {
    if (extensions.length === 0) return [];
    return [sequence(objectIdentifier(pkcs9Attributes.extensionRequest), setOf([writeExtensions(extensions)]))];
  }
  const templates = sequence(
    sequence(objectIdentifier(extensionIds.subjectAlternativeName)),
    ...extensions.map(writeExtensionTemplate),
  );
  return [sequence(objectIdentifier(pkcs9Attributes.extensionRequestTemplate), setOf([templates]))];
}

function writeExtensionTemplate({ id, isCritical, value }: Extension): Uint8Array {
  return sequence(concat(objectIdentifier(id), ...(isCritical ? [boolean(true)] : []), octetString(value)));
}
