/** What `gatehouse crl show` does. A CRL may have millions of entries: they are counted, and only the first ones kept. */
import { createHash } from 'node:crypto';
import {
  type CertificateList,
  type CertificateListEntry,
  readCertificateList,
} from '@gatehouse/pkix/crl/certificate-list';
import { PkixError } from '@gatehouse/pkix/errors';
import { areNamesEqual, formatName, type Name, readName } from '@gatehouse/pkix/names';
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import { encodePem } from '@gatehouse/pkix/pem';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { FatalError } from '@gatehouse/runtime/fatal';
import { crlReasonName } from './crl-reason.ts';
import { readCrl } from './crl-source.ts';
import { dataDirectory } from './data-directory.ts';
import { trustedHere } from './issuer.ts';
import type { OperatorOptions } from './operator.ts';
import { formatFields, formatTable, formatTime, note, print, printJson } from './output.ts';

/** What the command line says. */
export type ShowCrlOptions = OperatorOptions & {
  readonly delta?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly pem?: boolean | undefined;
  readonly der?: boolean | undefined;
};

const defaultLimit = 10;

type Signature =
  | { readonly state: 'holds'; readonly issuer: Name }
  | { readonly state: 'wrong'; readonly reason: string }
  /** No certificate of the issuer is at hand. */
  | { readonly state: 'unchecked' };

/** A CRL, looked through to its end. */
type ReadCrl = {
  readonly list: CertificateList;
  readonly issuer: Name;
  readonly signature: Signature;
  readonly entries: number;
  /** As many of them as are shown. */
  readonly first: readonly CertificateListEntry[];
};

/** Shows one CRL; sets exit status 1 when its signature does not hold. */
export async function showCrl(name: string, options: ShowCrlOptions): Promise<void> {
  const der = await readCrl({ name, isDelta: options.delta === true }, options);
  if (options.der === true) {
    process.stdout.write(der);
    return;
  }
  if (options.pem === true) {
    print(encodePem('X509 CRL', der).trimEnd());
    return;
  }
  const crl = examine(name, der, options);
  if (crl.signature.state === 'wrong') process.exitCode = 1;
  if (options.json === true) printJson(describe(crl));
  else printForPeople(crl);
}

function examine(name: string, der: Uint8Array, { data, limit = defaultLimit }: ShowCrlOptions): ReadCrl {
  try {
    const list = readCertificateList(der);
    const issuer = readName(list.issuerDer);
    const first: CertificateListEntry[] = [];
    let entries = 0;
    for (const entry of list.entries()) if (entries++ < limit) first.push(entry);
    return { list, issuer, signature: checkSignature(list, issuer, data), entries, first };
  } catch (cause) {
    if (!(cause instanceof PkixError)) throw cause;
    throw new FatalError(`${name} is not a CRL that can be read: ${cause.detail}`, { cause });
  }
}

function checkSignature(list: CertificateList, issuer: Name, data: string | undefined): Signature {
  const candidates = trustedHere(dataDirectory(data)).filter(({ subject }) => areNamesEqual(subject, issuer));
  let signature: Signature = { state: 'unchecked' };
  for (const { subject, subjectPublicKeyInfo: spki } of candidates) {
    const { signatureAlgorithm: algorithm, tbs, signature: octets } = list;
    const result = verifySignature({ algorithm, spki, data: tbs, signature: octets });
    if (result.ok) return { state: 'holds', issuer: subject };
    signature = { state: 'wrong', reason: result.reason };
  }
  return signature;
}

function printForPeople({ list, issuer, signature, entries, first }: ReadCrl): void {
  const { crlNumber, baseCrlNumber, issuingDistributionPoint: point, nextUpdate } = list;
  print(
    formatFields([
      ['Issuer', formatName(issuer)],
      ['Kind', baseCrlNumber === undefined ? 'full' : 'delta'],
      ['Number', crlNumber?.toString()],
      ['Base', baseCrlNumber?.toString()],
      ['This update', formatTime(list.thisUpdate)],
      ['Next update', nextUpdate === undefined ? 'none' : withLapse(nextUpdate)],
      ['Covers', coverage(list)],
      ['Distribution point', point?.fullName?.join(', ')],
      ['Freshest CRL', list.freshestCrl.join(', ')],
      ['Authority key', list.authorityKeyIdentifier && Buffer.from(list.authorityKeyIdentifier).toString('hex')],
      ['Signature', `${algorithmName(list.signatureAlgorithm.oid)}, ${signatureText(signature)}`],
      ['Octets', String(list.der.length)],
      ['SHA-256', digestOf(list)],
      ['Entries', String(entries)],
    ]),
  );
  if (first.length === 0) return;
  print('');
  print(
    formatTable(first, [
      ['serial number', ({ serialNumber }) => serialNumber],
      ['revoked', ({ revocationDate }) => formatTime(revocationDate)],
      ['reason', ({ reason }) => crlReasonName(reason)],
      ['key lost', ({ invalidityDate }) => formatTime(invalidityDate)],
    ]),
  );
  if (entries > first.length) note(`There are ${entries - first.length} more; raise --limit to see them.`);
}

function withLapse(nextUpdate: Date): string {
  return `${formatTime(nextUpdate)}${nextUpdate < new Date() ? ' (over)' : ''}`;
}

/** RFC 5280 §5.2.5. */
function coverage({ issuingDistributionPoint: point }: CertificateList): string | undefined {
  switch (point?.onlyContains) {
    case 'user-certificates':
      return 'end entities';
    case 'ca-certificates':
      return 'CAs';
    case 'attribute-certificates':
      return 'attribute certificates';
    case undefined:
      return point?.hasOnlySomeReasons === true ? 'some reasons only' : undefined;
  }
}

function signatureText(signature: Signature): string {
  switch (signature.state) {
    case 'holds':
      return 'which holds';
    case 'wrong':
      return `which does not hold: ${signature.reason}`;
    case 'unchecked':
      return 'not checked: no certificate of the issuer is in the data directory';
  }
}

/** The shape of `--json`. */
function describe({ list, issuer, signature, entries, first }: ReadCrl): unknown {
  const { baseCrlNumber, crlNumber, issuingDistributionPoint } = list;
  return {
    issuer: formatName(issuer),
    isDelta: baseCrlNumber !== undefined,
    crlNumber: numberOf(crlNumber),
    baseCrlNumber: numberOf(baseCrlNumber),
    thisUpdate: list.thisUpdate,
    nextUpdate: list.nextUpdate,
    issuingDistributionPoint,
    freshestCrl: list.freshestCrl,
    authorityKeyIdentifier: list.authorityKeyIdentifier && Buffer.from(list.authorityKeyIdentifier).toString('hex'),
    signature: {
      algorithm: algorithmName(list.signatureAlgorithm.oid),
      state: signature.state,
      ...(signature.state === 'wrong' ? { reason: signature.reason } : {}),
    },
    size: list.der.length,
    sha256: digestOf(list),
    entries,
    first: first.map(({ reason, ...entry }) => ({ ...entry, reason: crlReasonName(reason) })),
  };
}

/** JSON has no large integers: what does not fit is a text. */
function numberOf(number: bigint | undefined): number | string | undefined {
  if (number === undefined) return undefined;
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : number.toString();
}

function digestOf({ der }: CertificateList): string {
  return createHash('sha256').update(der).digest('hex');
}

const algorithmNames: ReadonlyMap<string, string> = new Map(
  Object.entries(algorithms).map(([name, oid]) => [oid, name]),
);

function algorithmName(oid: string): string {
  return algorithmNames.get(oid) ?? oid;
}
