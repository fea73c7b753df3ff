/** What `gatehouse cert list`, `find` and `show` do. */
import { existsSync } from 'node:fs';
import { CertificateState } from '@gatehouse/proto/types';
import type { CertificateRecord, CoreClient } from '@gatehouse/ra-client/client';
import { CoreError } from '@gatehouse/ra-client/core-error';
import { FatalError } from '@gatehouse/runtime/fatal';
import { readCertificateFile } from './certificate-file.ts';
import { describeCertificate, formatCertificate, nameText, pemOf, stateName } from './certificate-view.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { type Column, formatTime, note, print, printJson, printTable } from './output.ts';
import { parseSerialNumber } from './serial-number.ts';
import { futureTime, pastTime } from './times.ts';

/** Conditions of `cert list` and `cert find`. */
export type ListOptions = OperatorOptions & {
  readonly profile?: string | undefined;
  readonly ra?: string | undefined;
  readonly requester?: string | undefined;
  readonly state?: string | undefined;
  readonly expiresBefore?: string | undefined;
  readonly expiresAfter?: string | undefined;
  readonly issuedAfter?: string | undefined;
  readonly limit?: number | undefined;
  readonly after?: string | undefined;
};

export type FindOptions = ListOptions;

export type ShowOptions = OperatorOptions & { readonly pem?: boolean | undefined };

type Conditions = Parameters<CoreClient['findCertificates']>[0];

const columns: readonly Column<CertificateRecord>[] = [
  ['serial number', ({ serialNumber }) => serialNumber],
  ['state', ({ state }) => stateName(state)],
  ['ends', ({ notAfter }) => formatTime(notAfter)],
  ['profile', ({ profile }) => profile],
  ['RA', ({ registrationAuthority }) => registrationAuthority || '-'],
  ['subject', ({ subject }) => subject || '-'],
  ['names', ({ names }) => names.map(nameText).join(' ') || '-'],
];

/** The core's own default; one more is asked for, to tell whether there are more. */
const defaultLimit = 100;
const largestLimit = 10_000;

/** Lists certificates, newest first. */
export async function listCertificates(options: ListOptions): Promise<void> {
  const limit = Math.min(options.limit ?? defaultLimit, largestLimit);
  const conditions = { ...conditionsOf(options), limit: Math.min(limit + 1, largestLimit) };
  const found = await asOperator(options, (core) => Array.fromAsync(core.findCertificates(conditions)));
  printRecords(found.slice(0, limit), options, 'no certificate fits');
  const last = found[limit - 1];
  if (found.length > limit && last !== undefined) {
    note(`There are more; go on with --after ${last.serialNumber}, or raise --limit (at most ${largestLimit}).`);
  }
}

/** Finds certificates by a name, a serial number or the fingerprint of a key. */
export async function findCertificates(what: string, options: FindOptions): Promise<void> {
  const conditions = { ...conditionsOf(options), limit: options.limit ?? defaultLimit };
  const found = await asOperator(options, (core) => find(core, what, conditions));
  printRecords(found, options, `no certificate with '${what}' fits`);
  if (found.length === 0) process.exitCode = 1;
}

/** Shows one certificate. */
export async function showCertificate(what: string, options: ShowOptions): Promise<void> {
  const selector = existsSync(what)
    ? { certificate: readCertificateFile(what)[0].der }
    : { serialNumber: parseSerialNumber(what) };
  const record = await asOperator(options, (core) => core.getCertificate(selector));
  if (options.json === true) printJson(describeCertificate(record));
  else if (options.pem === true) print(pemOf(record));
  else print(`${formatCertificate(record)}\n\n${pemOf(record)}`);
}

async function find(core: CoreClient, what: string, conditions: Conditions): Promise<readonly CertificateRecord[]> {
  const digits = what.replaceAll(/[:\s]/g, '').toLowerCase();
  if (!/^[0-9a-f]+$/.test(digits)) return await Array.fromAsync(core.findCertificates({ ...conditions, name: what }));
  if (digits.length === 64) {
    const keyFingerprint = Buffer.from(digits, 'hex');
    return await Array.fromAsync(core.findCertificates({ ...conditions, keyFingerprint }));
  }
  // A host may be called 'cafe': what is no serial number is a name.
  const byNumber = await getBySerialNumber(core, digits);
  const byName = await Array.fromAsync(core.findCertificates({ ...conditions, name: what }));
  return byNumber === undefined ? byName : [byNumber, ...byName.filter((one) => one.serialNumber !== digits)];
}

async function getBySerialNumber(core: CoreClient, serialNumber: string): Promise<CertificateRecord | undefined> {
  try {
    return await core.getCertificate({ serialNumber });
  } catch (error) {
    if (error instanceof CoreError && (error.code === 'not-found' || error.code === 'malformed')) return undefined;
    throw error;
  }
}

function printRecords(records: readonly CertificateRecord[], { json }: OperatorOptions, none: string): void {
  if (json === true) printJson(records.map(describeCertificate));
  else printTable(records, columns, none);
}

function conditionsOf(options: ListOptions): Conditions {
  const { expiresBefore, expiresAfter, issuedAfter } = options;
  return {
    profile: options.profile ?? '',
    registrationAuthority: options.ra ?? '',
    requesterId: options.requester ?? '',
    state: stateOf(options.state),
    expiresBefore: expiresBefore === undefined ? undefined : futureTime('--expires-before', expiresBefore),
    expiresAfter: expiresAfter === undefined ? undefined : futureTime('--expires-after', expiresAfter),
    issuedAfter: issuedAfter === undefined ? undefined : pastTime('--issued-after', issuedAfter),
    afterSerialNumber: options.after === undefined ? '' : parseSerialNumber(options.after),
  };
}

function stateOf(name: string | undefined): CertificateState {
  if (name === undefined) return CertificateState.CERTIFICATE_STATE_UNSPECIFIED;
  const state = Object.values(CertificateState).find((one) => stateName(one) === name);
  if (state === undefined) throw new FatalError(`'${name}' is not a state`);
  return state;
}
