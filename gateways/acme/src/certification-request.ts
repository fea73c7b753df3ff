// The CSR of a finalize request, RFC 8555 §7.4: read from what clients really send, and judged by the order that it is for.
// All that a client can mend is found here, before the order leaves `ready`; nothing in a request is ever repaired.

import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  type CertificationRequest,
  CertificationRequestError,
  maximumRequestOctets,
  readCertificationRequest,
  requestedNames,
} from '@gatehouse/pkix/certification-request';
import { DerCursor, DerError } from '@gatehouse/pkix/der/reader';
import { isHostName } from '@gatehouse/pkix/general-name-syntax';
import { formatGeneralName } from '@gatehouse/pkix/general-names';
import { formatIpAddress, parseIpAddress } from '@gatehouse/pkix/ip-address';
import { decodeBase64url } from '@gatehouse/pkix/jose/base64url';
import type { JsonValue } from '@gatehouse/pkix/jose/json';
import { attributeValues } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { describePublicKey, PublicKeyError } from '@gatehouse/pkix/public-key';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import type { KeyRule } from '@gatehouse/ra-client/profile';
import { AcmeError } from './errors.ts';
import type { Identifier } from './identifier.ts';
import { judgeKey } from './key-rules.ts';
import type { Subproblem } from './problem.ts';

/** What a request is judged by. */
export type OrderFacts = {
  readonly identifiers: readonly Identifier[];
  readonly keys: readonly KeyRule[];
  /** The account's own key, RFC 8555 §11.1. */
  readonly accountKey: KeyObject;
};

/**
 * The octets of DER in base64url, as `csr` and `certificate` have them.
 *
 * @param isStrict whether `=` at the end is refused; many clients pad (RFC 8555 §6.1 forbids it)
 * @throws {AcmeError} `malformed`; `type` when it is PEM or holds more than one structure
 */
export function readDer(
  member: 'csr' | 'certificate',
  value: JsonValue | undefined,
  { isStrict, type, maximumOctets }: { isStrict: boolean; type: 'badCSR' | 'malformed'; maximumOctets: number },
): Uint8Array {
  if (typeof value !== 'string' || value === '')
    throw new AcmeError('malformed', `there is no '${member}' that is text`);
  if (value.startsWith('-----BEGIN')) throw new AcmeError(type, `'${member}' is PEM; send base64url of the DER`);
  const text = isStrict ? value : value.replace(/={1,2}$/, '');
  const der = decodeBase64url(text);
  if (der === undefined) {
    const hint = /[+/]/.test(text) ? ", but base64: '-' and '_' stand for '+' and '/'" : '';
    throw new AcmeError('malformed', `'${member}' is not base64url without padding${hint}`);
  }
  if (der.subarray(0, 10).toString('latin1') === '-----BEGIN') {
    throw new AcmeError(type, `'${member}' is base64url of PEM; send base64url of the DER`);
  }
  if (der.length > maximumOctets) {
    throw new AcmeError(type, `'${member}' has ${der.length} octets; at most ${maximumOctets} are read`);
  }
  const extra = octetsBehind(der);
  if (extra > 0) throw new AcmeError(type, `'${member}' has ${extra} octets behind the end of its DER`);
  return der;
}

/** How many octets follow the first element; 0 when there is none that could be read. */
function octetsBehind(der: Uint8Array): number {
  try {
    return der.length - new DerCursor(der).read().raw.length;
  } catch (error) {
    if (error instanceof DerError) return 0;
    throw error;
  }
}

/**
 * Reads the `csr` of a finalize request.
 *
 * @throws {AcmeError} `malformed` when it is not base64url, `badCSR` for all that is wrong inside
 */
export function readCsr(value: JsonValue | undefined, isStrict: boolean): CertificationRequest {
  const der = readDer('csr', value, { isStrict, type: 'badCSR', maximumOctets: maximumRequestOctets });
  try {
    return readCertificationRequest(der);
  } catch (cause) {
    if (cause instanceof CertificationRequestError) throw new AcmeError('badCSR', cause.detail, { cause });
    throw cause;
  }
}

/**
 * Judges a request by its order: proof of possession, key, names.
 *
 * @throws {AcmeError} `badCSR` that says what to mend; for names with a subproblem each
 */
export function judgeCertificationRequest(request: CertificationRequest, order: OrderFacts): void {
  const refuse = (detail: string, subproblems?: readonly Subproblem[]) =>
    new AcmeError('badCSR', detail, subproblems === undefined ? {} : { subproblems });
  // The names cost the least, and are what is wrong most often.
  const wrong = compareNames(request, order.identifiers);
  if (wrong.length > 0) {
    throw refuse(`the CSR is not for the names of the order: ${wrong.map(({ detail }) => detail).join('; ')}`, wrong);
  }
  const fault = judgeSubjectKey(request, order.keys);
  if (fault !== undefined) throw refuse(fault);
  const { info: data, signature, signatureAlgorithm: algorithm, subjectPublicKeyInfo: spki } = request;
  const verification = verifySignature({ algorithm, spki, data, signature });
  if (!verification.ok) throw refuse(`the CSR does not prove possession of its key: ${verification.reason}`);
  // RFC 8555 §11.1: whoever has the key of the certificate would have the account.
  if (isSameKey(spki, order.accountKey)) throw refuse('the CSR has the key of the account; make a key of its own');
}

/** Common names of a subject that are no host names; those that are, in the form of identifiers. */
export function hostsOfSubject({ subject }: CertificationRequest): {
  readonly hosts: readonly Identifier[];
  readonly others: readonly string[];
} {
  const hosts: Identifier[] = [];
  const others: string[] = [];
  for (const value of attributeValues(subject, attributeTypes.CN)) {
    const address = parseIpAddress(value);
    if (address !== undefined) hosts.push({ type: 'ip', value: formatIpAddress(address) ?? value });
    else if (isHostName(value.startsWith('*.') ? value.slice(2) : value)) {
      hosts.push({ type: 'dns', value: value.toLowerCase() });
    } else others.push(value);
  }
  return { hosts, others };
}

/** RFC 8555 §7.4: the names of the CSR are exactly those of the order, in the common name or the alternative names. */
function compareNames(request: CertificationRequest, identifiers: readonly Identifier[]): readonly Subproblem[] {
  const missing = new Map(identifiers.map((identifier) => [keyOf(identifier), identifier]));
  const ordered = new Set(missing.keys());
  const problems: Subproblem[] = [];
  const see = (identifier: Identifier, where: string): void => {
    missing.delete(keyOf(identifier));
    if (ordered.has(keyOf(identifier))) return;
    problems.push({ type: 'badCSR', detail: `'${identifier.value}' (${where}) is not in the order`, identifier });
  };
  for (const name of readNames(request)) {
    if (name.kind === 'dns') see({ type: 'dns', value: name.value.toLowerCase() }, 'alternative name');
    else if (name.kind === 'ip') see({ type: 'ip', value: name.value }, 'alternative name');
    else problems.push({ type: 'badCSR', detail: `${formatGeneralName(name)} is neither a DNS name nor an address` });
  }
  const { hosts, others } = hostsOfSubject(request);
  for (const host of hosts) see(host, 'common name');
  for (const other of others) {
    problems.push({ type: 'badCSR', detail: `the common name '${other}' is neither a DNS name nor an address` });
  }
  for (const identifier of missing.values()) {
    problems.push({ type: 'badCSR', detail: `'${identifier.value}' of the order is not in the CSR`, identifier });
  }
  return problems;
}

function readNames(request: CertificationRequest) {
  try {
    return requestedNames(request);
  } catch (cause) {
    if (cause instanceof CertificationRequestError) throw new AcmeError('badCSR', cause.detail, { cause });
    throw cause;
  }
}

function keyOf({ type, value }: Identifier): string {
  return `${type}:${value}`;
}

function judgeSubjectKey(
  { subjectPublicKeyInfo }: CertificationRequest,
  rules: readonly KeyRule[],
): string | undefined {
  try {
    return judgeKey(describePublicKey(subjectPublicKeyInfo), rules);
  } catch (error) {
    if (error instanceof PublicKeyError) return error.detail;
    throw error;
  }
}

/** Whether a SubjectPublicKeyInfo holds this very key, in whichever form its point is written. */
export function isSameKey(subjectPublicKeyInfo: Uint8Array, key: KeyObject): boolean {
  try {
    const other = createPublicKey({ key: Buffer.from(subjectPublicKeyInfo), format: 'der', type: 'spki' });
    // OpenSSL takes keys of two kinds for a fault, which it leaves behind for the next TLS record that is written.
    return isSameKind(other, key) && other.equals(key);
  } catch {
    // A key that node:crypto does not know is no account's key.
    return false;
  }
}

function isSameKind(one: KeyObject, other: KeyObject): boolean {
  return (
    one.asymmetricKeyType === other.asymmetricKeyType &&
    one.asymmetricKeyDetails?.namedCurve === other.asymmetricKeyDetails?.namedCurve
  );
}
