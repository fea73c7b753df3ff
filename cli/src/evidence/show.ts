/**
 * What `gatehouse evidence show` does: it fetches what proved the control of the names in a certificate, verifies each
 * signature here, and shows or exports it. The core's verdict is shown as what it is: a record of what it found then.
 */
import { writeFileSync } from 'node:fs';
import { readCertificate } from '@gatehouse/pkix/certificate';
import type { RecordedEvidence, SigningKey } from '@gatehouse/ra-client/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { pemOf } from '../certificate-view.ts';
import { asOperator, type OperatorOptions } from '../operator.ts';
import { formatFields, formatTable, formatTime, note, print, printable, printJson } from '../output.ts';
import { parseSerialNumber } from '../serial-number.ts';
import { type FinalizeFinding, verifyFinalize } from './verify-finalize.ts';
import { type StatementFinding, verifyStatement } from './verify-statement.ts';

/** Of `evidence show`. */
export type EvidenceOptions = OperatorOptions & { readonly out?: string | undefined };

type Findings = { readonly statements: readonly StatementFinding[]; readonly finalize: readonly FinalizeFinding[] };

/** Shows or exports the evidence of one certificate. */
export async function showEvidence(serial: string, options: EvidenceOptions): Promise<void> {
  const serialNumber = parseSerialNumber(serial);
  const [recorded, record] = await asOperator(options, (core) =>
    Promise.all([core.administration.getEvidence(serialNumber), core.getCertificate({ serialNumber })]),
  );
  const findings = verify(recorded, record.certificate);
  const faults = [...findings.statements, ...findings.finalize].filter(({ fault }) => fault !== undefined);
  if (faults.length > 0) process.exitCode = 1;
  if (options.out !== undefined || options.json === true) {
    const exported = describe(recorded, pemOf(record), findings);
    if (options.out !== undefined) writeExport(options.out, exported);
    if (options.json === true) printJson(exported);
  }
  if (options.json !== true) printEvidence(recorded, findings);
  if (faults.length > 0) note(`warning: ${faults.length} of the signatures do not hold`);
}

function verify({ evidence, keys }: RecordedEvidence, certificate: Uint8Array): Findings {
  return {
    statements: evidence
      .filter(({ type }) => type === 'perspective-results')
      .flatMap(({ statements }) => statements.map((statement) => verifyStatement(statement, keys))),
    finalize: evidence
      .filter(({ type }) => type === 'acme-finalize')
      .map(({ payload }) => verifyFinalize(payload, readCertificate(certificate).subjectPublicKeyInfo)),
  };
}

/** Everything that is needed to verify it elsewhere, and what came of it here. */
function describe(recorded: RecordedEvidence, certificate: string, findings: Findings): unknown {
  const { serialNumber, recordedAt, keptUntil, verdicts, evidence, keys } = recorded;
  const known = ['perspective-results', 'acme-finalize'];
  return {
    serialNumber,
    certificate,
    recordedAt,
    keptUntil,
    verdicts,
    statements: findings.statements.map(({ fault, ...finding }) => ({
      verifies: fault === undefined,
      fault,
      ...finding,
    })),
    finalize: findings.finalize.map(({ text, holder, fault }) => ({
      verifies: fault === undefined,
      fault,
      evidence: text,
      account: holder?.account,
      url: holder?.url,
      thumbprint: holder?.thumbprint,
      formerThumbprints: holder?.formerThumbprints,
    })),
    otherEvidence: evidence
      .filter(({ type }) => !known.includes(type))
      .map(({ type, payload, certificates }) => ({
        type,
        payload: payload.toString('base64'),
        certificates: certificates.map((der) => der.toString('base64')),
      })),
    keys: keys.map((key) => ({ ...key, subjectPublicKeyInfo: key.subjectPublicKeyInfo.toString('base64') })),
  };
}

function writeExport(file: string, exported: unknown): void {
  try {
    writeFileSync(file, `${JSON.stringify(exported, undefined, 2)}\n`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FatalError(`the evidence could not be written: ${reason}`, { cause });
  }
  note(`the evidence is in ${file}`);
}

function printEvidence(recorded: RecordedEvidence, { statements, finalize }: Findings): void {
  const { serialNumber, recordedAt, keptUntil, verdicts, keys } = recorded;
  print(
    formatFields([
      ['Serial number', serialNumber],
      ['Recorded', formatTime(recordedAt)],
      ['Kept until', formatTime(keptUntil)],
    ]),
  );
  if (verdicts.length > 0)
    print(`\nFound by the core at issuance:\n${verdicts.map((line) => `  ${printable(line)}`).join('\n')}`);
  if (statements.length > 0) print(`\n${formatStatements(statements)}`);
  for (const finding of finalize) print(`\n${formatFinalize(finding)}`);
  if (keys.some(({ revokedAt }) => revokedAt !== undefined)) print(`\n${formatRevoked(keys)}`);
}

function formatStatements(findings: readonly StatementFinding[]): string {
  return formatTable(findings, [
    ['statement of', ({ payload }) => holderName(payload?.perspective)],
    ['check', ({ payload }) => payload?.check ?? '-'],
    ['name', ({ payload }) => nameOf(payload)],
    ['method', ({ payload }) => payload?.method ?? '-'],
    ['result', ({ payload }) => payload?.result ?? '-'],
    ['finished', ({ payload }) => (payload === undefined ? '-' : formatTime(new Date(payload.finished)))],
    ['signature', ({ fault }) => fault ?? 'verifies'],
  ]);
}

function formatFinalize({ holder, fault }: FinalizeFinding): string {
  return formatFields([
    ['Finalize request', fault ?? 'verifies, and is for the key in the certificate'],
    ['Account', holder?.account],
    ['URL', holder?.url],
    ['Key of the account', holder?.thumbprint],
    ['Former keys', holder?.formerThumbprints.join(', ')],
  ]);
}

function formatRevoked(keys: readonly SigningKey[]): string {
  const revoked = keys.filter(({ revokedAt }) => revokedAt !== undefined);
  return formatTable(revoked, [
    ['revoked key', ({ keyId }) => keyId],
    ['holder', ({ holder }) => holderName(holder)],
    ['revoked', ({ revokedAt }) => formatTime(revokedAt)],
  ]);
}

/** `dublin`, or `the gate acme` for the perspective inside of a gate. */
function holderName(uri: string | undefined): string {
  const [, kind, name] = /^spiffe:\/\/gatehouse\.internal\/(ra|perspective)\/(.+)$/.exec(uri ?? '') ?? [];
  if (name === undefined) return '-';
  return kind === 'ra' ? `the gate ${name}` : name;
}

function nameOf(payload: StatementFinding['payload']): string {
  if (payload === undefined) return '-';
  return payload.isWildcard ? `*.${payload.identifier.value}` : payload.identifier.value;
}
