// Certification path validation: the part of RFC 5280 §6 that the house needs. Paths are built from what the peer sent
// and end at an anchor of ours; policies are not processed and revocation is the caller's question. It must never say yes
// because it ran out of candidates, time or knowledge of an extension.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Certificate, extensionOf, subjectAlternativeNames } from './certificate.ts';
import { PkixError } from './errors.ts';
import {
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readKeyUsage,
  readNameConstraints,
  readSubjectKeyIdentifier,
} from './extensions.ts';
import { shorten } from './general-name-syntax.ts';
import type { GeneralName } from './general-names.ts';
import { findForbiddenName } from './name-constraints.ts';
import { areNamesEqual, attributeValues, formatName } from './names.ts';
import { attributeTypes, extensionIds, keyPurposes } from './object-identifiers.ts';
import { describePublicKey } from './public-key.ts';
import { verifySignature } from './signature-algorithms.ts';

/** What is validated. `anchors` are trusted for their name and key, and held to their own validity and extensions. */
export type PathInput = {
  readonly certificate: Certificate;
  /** Certificates that may help to build the path, in any order; none of them is trusted. */
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  /** The instant the path must be valid at. */
  readonly at: Date;
  /** Key purpose (dotted object identifier) that every certificate with an extendedKeyUsage must allow. */
  readonly purpose?: string;
  /** Most certificates between the end entity and the anchor; 6 unless told. */
  readonly maximumDepth?: number;
};

/** `path` runs from the certificate to the anchor, both included. `reason` is one line that names the certificate at fault. */
export type PathResult =
  | { readonly ok: true; readonly path: readonly Certificate[] }
  | { readonly ok: false; readonly reason: string };

/** Signatures that one validation may check, so that many look-alike intermediates cost a bounded time. */
const maximumSignatures = 48;
const minimumRsaBits = 2048;

// RFC 5280 §6.1.4 o and §6.1.5 f. Policy extensions but policyConstraints cannot change the outcome when no policy is asked for.
const processedExtensions = new Set<string>([
  extensionIds.basicConstraints,
  extensionIds.keyUsage,
  extensionIds.extendedKeyUsage,
  extensionIds.subjectAlternativeName,
  extensionIds.nameConstraints,
  extensionIds.certificatePolicies,
  extensionIds.policyMappings,
  extensionIds.inhibitAnyPolicy,
]);

class Refused extends Error {}

/** Builds and validates a path; never throws for what is in the certificates. */
export function validatePath(input: PathInput): PathResult {
  const search: Search = { input, signaturesLeft: maximumSignatures, reason: undefined };
  const path = extend(search, [input.certificate]);
  if (path !== undefined) return { ok: true, path };
  return { ok: false, reason: search.reason ?? `no anchor issued ${describe(input.certificate)}` };
}

type Search = { readonly input: PathInput; signaturesLeft: number; reason: string | undefined };

// Depth first, anchors before intermediates. The first reason found is kept: it belongs to the shortest path.
function extend(search: Search, path: readonly Certificate[]): readonly Certificate[] | undefined {
  const last = path[path.length - 1];
  if (last === undefined) return undefined;
  const { anchors, intermediates, maximumDepth = 6 } = search.input;
  for (const anchor of anchors) {
    if (!mayHaveIssued(anchor, last)) continue;
    const whole = [...path, anchor];
    if (
      attempt(search, () => checkSignature(search, last, anchor)) &&
      attempt(search, () => checkPath(search.input, whole))
    ) {
      return whole;
    }
  }
  if (path.length > maximumDepth) {
    search.reason ??= `more than ${maximumDepth} certificates between ${describe(search.input.certificate)} and an anchor`;
    return undefined;
  }
  for (const candidate of intermediates) {
    if (!mayHaveIssued(candidate, last) || path.some((used) => isSame(used, candidate))) continue;
    if (!attempt(search, () => checkSignature(search, last, candidate))) continue;
    const whole = extend(search, [...path, candidate]);
    if (whole !== undefined) return whole;
  }
  return undefined;
}

function attempt(search: Search, check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    // A PkixError is an extension or a name in one of the certificates that cannot be read.
    if (error instanceof Refused) search.reason ??= error.message;
    else if (error instanceof PkixError) search.reason ??= error.detail;
    else throw error;
    return false;
  }
}

function isSame(a: Certificate, b: Certificate): boolean {
  return Buffer.compare(a.der, b.der) === 0;
}

function describe(certificate: Certificate): string {
  return `'${shorten(formatName(certificate.subject))}' (serial ${shorten(certificate.serialNumber)})`;
}

// RFC 4158 §3.5.12: key identifiers choose between issuers of one name; they prove nothing.
function mayHaveIssued(issuer: Certificate, certificate: Certificate): boolean {
  if (!areNamesEqual(issuer.subject, certificate.issuer)) return false;
  try {
    const authority = extensionOf(certificate, extensionIds.authorityKeyIdentifier);
    const subject = extensionOf(issuer, extensionIds.subjectKeyIdentifier);
    if (authority === undefined || subject === undefined) return true;
    const wanted = readAuthorityKeyIdentifier(authority.value);
    return wanted === undefined || Buffer.compare(wanted, readSubjectKeyIdentifier(subject.value)) === 0;
  } catch (error) {
    if (error instanceof PkixError) return false;
    throw error;
  }
}

// Anchors and intermediates are used again and again; making a key object costs a good part of a verification.
const keyObjects = new WeakMap<Certificate, KeyObject>();

function keyObjectOf(issuer: Certificate): KeyObject | undefined {
  const known = keyObjects.get(issuer);
  if (known !== undefined) return known;
  try {
    const key = createPublicKey({ key: Buffer.from(issuer.subjectPublicKeyInfo), format: 'der', type: 'spki' });
    keyObjects.set(issuer, key);
    return key;
  } catch {
    // verifySignature meets the same refusal and gives the reason.
    return undefined;
  }
}

function checkSignature(search: Search, certificate: Certificate, issuer: Certificate): void {
  if (search.signaturesLeft-- <= 0) throw new Refused('too many certificates could be part of the path');
  const key = keyObjectOf(issuer);
  const result = verifySignature({
    algorithm: certificate.signatureAlgorithm,
    spki: issuer.subjectPublicKeyInfo,
    data: certificate.tbs,
    signature: certificate.signature,
    ...(key === undefined ? {} : { key }),
  });
  if (!result.ok) throw new Refused(`${describe(certificate)}: ${result.reason}`);
}

// RFC 5280 §6.1.3 to §6.1.5 over a path whose signatures and names are known to chain; path[0] is the end entity.
function checkPath({ at, purpose }: PathInput, path: readonly Certificate[]): void {
  let intermediatesBelow = 0;
  path.forEach((certificate, position) => {
    const refuse = (what: string) => new Refused(`${describe(certificate)}: ${what}`);
    if (at < certificate.notBefore) throw refuse(`not valid before ${certificate.notBefore.toISOString()}`);
    if (at > certificate.notAfter) throw refuse(`not valid after ${certificate.notAfter.toISOString()}`);
    const unknown = certificate.extensions.find(({ id, isCritical }) => isCritical && !processedExtensions.has(id));
    if (unknown !== undefined) throw refuse(`critical extension ${unknown.id} is not processed`);
    checkPurpose(certificate, purpose, refuse);
    if (position === 0) return;
    checkIssuer(certificate, position === path.length - 1, intermediatesBelow, refuse);
    checkNames(certificate, path.slice(0, position), refuse);
    // RFC 5280 §4.2.1.9: self-issued certificates do not count.
    if (!isSelfIssued(certificate)) intermediatesBelow++;
  });
}

type Refuse = (what: string) => Refused;

function isSelfIssued(certificate: Certificate): boolean {
  return areNamesEqual(certificate.subject, certificate.issuer);
}

function checkPurpose(certificate: Certificate, purpose: string | undefined, refuse: Refuse): void {
  const extension = extensionOf(certificate, extensionIds.extendedKeyUsage);
  if (extension === undefined) return;
  const purposes = readExtendedKeyUsage(extension.value);
  if (purpose === undefined || purposes.includes(purpose) || purposes.includes(keyPurposes.anyExtendedKeyUsage)) return;
  throw refuse(`not for key purpose ${purpose}`);
}

function checkIssuer(issuer: Certificate, isAnchor: boolean, intermediatesBelow: number, refuse: Refuse): void {
  const key = describePublicKey(issuer.subjectPublicKeyInfo);
  if (key.kind === 'rsa' && key.bits < minimumRsaBits)
    throw refuse(`an RSA key of ${key.bits} bits signs nothing we trust`);
  const constraints = extensionOf(issuer, extensionIds.basicConstraints);
  // RFC 5280 §6.1.4 k. An anchor is one because we say so; old roots of version 1 have no extensions (RFC 5280 §6.1.1 d).
  if (constraints === undefined) {
    if (!(isAnchor && issuer.version === 1)) throw refuse('not a CA: it has no basicConstraints');
  } else {
    const { ca, pathLength } = readBasicConstraints(constraints.value);
    if (!ca) throw refuse('not a CA');
    if (pathLength !== undefined && intermediatesBelow > pathLength) {
      throw refuse(`${intermediatesBelow} CAs below where ${pathLength} are allowed`);
    }
  }
  const usage = extensionOf(issuer, extensionIds.keyUsage);
  if (usage !== undefined && !readKeyUsage(usage.value).includes('keyCertSign'))
    throw refuse('may not sign certificates');
}

// RFC 5280 §6.1.4 g: the constraints of an issuer bind everything below it, but for self-issued intermediates.
function checkNames(issuer: Certificate, below: readonly Certificate[], refuse: Refuse): void {
  const extension = extensionOf(issuer, extensionIds.nameConstraints);
  if (extension === undefined) return;
  const constraints = readNameConstraints(extension.value);
  below.forEach((certificate, position) => {
    if (position > 0 && isSelfIssued(certificate)) return;
    const forbidden = findForbiddenName(constraints, namesOf(certificate));
    if (forbidden !== undefined) throw refuse(`forbids a name below it: ${shorten(forbidden)}`);
  });
}

function namesOf(certificate: Certificate): GeneralName[] {
  const names = subjectAlternativeNames(certificate);
  // RFC 5280 §4.2.1.10: without an alternative name, e-mail constraints bind the subject's emailAddress.
  const isOnlySubject = extensionOf(certificate, extensionIds.subjectAlternativeName) === undefined;
  const addresses = isOnlySubject ? attributeValues(certificate.subject, attributeTypes.emailAddress) : [];
  const subject: GeneralName[] =
    certificate.subject.length > 0 ? [{ kind: 'directory', value: certificate.subject }] : [];
  return [...subject, ...names, ...addresses.map((value): GeneralName => ({ kind: 'email', value }))];
}
