// csrattrs, RFC 7030 §4.5: what a CSR should hold, made from the profile that will judge it, so that the two cannot disagree. The
// elements of RFC 7030 §4.5.2 stand beside a template of RFC 9908 §3.4; a client that knows templates reads that alone.

import { objectIdentifier, sequence, setOf } from '@gatehouse/pkix/der/writer';
import {
  type Extension,
  extendedKeyUsage,
  type KeyUsage,
  keyUsage,
  keyUsageNames,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import { extensionIds, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import type { Profile } from '@gatehouse/ra-client/profile';
import type { Label } from './configuration.ts';
import { writeTemplate } from './csr-template.ts';
import { keyAttribute, preferredKey } from './key-preference.ts';

/** What a CSR for a profile should hold. */
export type CsrWishes = {
  readonly profile: Profile;
  /** Attributes of the subject that the client must fill in, or use with the value given. */
  readonly subject: readonly { readonly type: string; readonly value: string }[];
  /** The client must name itself in subjectAltName. */
  readonly wantsAlternativeName: boolean;
  /** Extensions with the values that the certificate will have. */
  readonly extensions: readonly Extension[];
  readonly wantsChannelBinding: boolean;
};

/**
 * CsrAttrs, DER: `SEQUENCE SIZE (0..MAX) OF AttrOrOID`.
 *
 * @returns undefined when the label wants nothing said
 */
export function writeCsrAttributes(profile: Profile, label: Label): Uint8Array | undefined {
  const wishes = wishesOf(profile, label);
  const { classic, template } = label.csrAttributes;
  const elements = [...(classic ? classicElements(wishes) : []), ...(template ? [writeTemplate(wishes)] : [])];
  // RFC 7030 §3.5: a server that demands the binding asks for it here, whatever else is turned off.
  if (elements.length === 0 && wishes.wantsChannelBinding)
    elements.push(objectIdentifier(pkcs9Attributes.challengePassword));
  return elements.length === 0 ? undefined : sequence(...elements);
}

/** What the profile and the label want of a CSR. */
export function wishesOf(profile: Profile, label: Label): CsrWishes {
  const demanded = profile.subject.filter(({ isRequired, value }) => isRequired || value !== '');
  const wantsAlternativeName = profile.requiredNames.length > 0 || profile.needsAnyName;
  // A certificate must name something: where nothing in particular is demanded, the first attribute is the usual one.
  const usual = demanded.length === 0 && !wantsAlternativeName ? profile.subject.slice(0, 1) : [];
  return {
    profile,
    subject: [...demanded, ...usual].map(({ type, value }) => ({ type, value })),
    wantsAlternativeName,
    extensions: extensionsOf(profile),
    wantsChannelBinding: label.channelBinding.policy === 'required',
  };
}

function extensionsOf(profile: Profile): readonly Extension[] {
  const usages = profile.keyUsage.filter((usage): usage is KeyUsage =>
    (keyUsageNames as readonly string[]).includes(usage),
  );
  return [
    ...(usages.length === 0 ? [] : [keyUsage(usages)]),
    ...(profile.extendedKeyUsage.length === 0 ? [] : [extendedKeyUsage(profile.extendedKeyUsage)]),
  ];
}

// RFC 7030 §4.5.2 as RFC 9908 §3.2 corrects it: object identifiers for what the client fills in, one attribute for the
// key, one id-ExtensionReq with complete extensions.
function classicElements({
  profile,
  subject,
  wantsAlternativeName,
  extensions,
  wantsChannelBinding,
}: CsrWishes): Uint8Array[] {
  const key = preferredKey(profile);
  return [
    ...(wantsChannelBinding ? [objectIdentifier(pkcs9Attributes.challengePassword)] : []),
    ...subject.filter(({ value }) => value === '').map(({ type }) => objectIdentifier(type)),
    ...(wantsAlternativeName ? [objectIdentifier(extensionIds.subjectAlternativeName)] : []),
    ...(key === undefined ? [] : [keyAttribute(key), objectIdentifier(key.signatureAlgorithm)]),
    ...(extensions.length === 0
      ? []
      : [sequence(objectIdentifier(pkcs9Attributes.extensionRequest), setOf([writeExtensions(extensions)]))]),
  ];
}
