/**
 * What a gate presents to prove the control of names, read in pieces: the finalize request, the statements, and what of them is
 * kept. Whatever is wrong with a piece is said, and nobody is believed because the rest is right.
 */
import { setImmediate } from 'node:timers/promises';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Evidence } from '@gatehouse/proto/types';
import { type AccountHolder, verifyAcmeFinalize } from './acme-finalize.ts';
import type { AcmeUrls } from './acme-urls.ts';
import type { NameVerdict } from './judge-name.ts';
import { readStatement, type Statement } from './statement.ts';
import { causeText } from './verdict-lines.ts';

/** The bound of `Evidence.statements` in the contract. */
export const maximumStatements = 2_048;

/** So many are read before others get their turn. */
const statementsAtOnce = 128;

/** So many different faults of statements are told. */
const mostFaultsTold = 8;

/** What the account holder signed, or why it is not believed. */
export type Finalize = {
  readonly holder: AccountHolder | undefined;
  readonly evidence: Evidence | undefined;
  readonly fault: CoreError | undefined;
};

/** Judges what the account holder signed. Never throws for what a gate sends. */
export function judgeFinalize(
  profile: string,
  request: Pick<EnrollRequest, 'idempotencyKey' | 'subjectKey' | 'evidence'>,
  urls: AcmeUrls,
): Finalize {
  const [evidence] = request.evidence.filter(({ type }) => type === 'acme-finalize');
  const refused = (fault: CoreError): Finalize => ({ holder: undefined, evidence: undefined, fault });
  const form = formFault(request.evidence);
  if (form !== undefined) return refused(new CoreError('evidence-invalid', form));
  if (evidence === undefined) {
    return refused(new CoreError('evidence-missing', `profile ${profile} demands evidence of type acme-finalize`));
  }
  if (!urls.isKnown)
    return refused(
      new CoreError('evidence-invalid', 'acme-finalize: core.validation.acmeBaseUrls names no ACME gate of ours'),
    );
  const { subjectKey, idempotencyKey } = request;
  const certificationRequest = subjectKey?.$case === 'certificationRequest' ? subjectKey.value : undefined;
  try {
    const holder = verifyAcmeFinalize(evidence.payload, { certificationRequest, idempotencyKey, urls });
    return { holder, evidence: { ...evidence, certificates: [], statements: [] }, fault: undefined };
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    return refused(error);
  }
}

/** What no gate sends that means well. */
function formFault(evidence: readonly Evidence[]): string | undefined {
  for (const type of ['acme-finalize', 'perspective-results']) {
    if (evidence.filter((each) => each.type === type).length > 1) return `${type}: there are several`;
  }
  const count = evidence.find(({ type }) => type === 'perspective-results')?.statements.length ?? 0;
  return count > maximumStatements
    ? `perspective-results: there are more than ${maximumStatements} statements`
    : undefined;
}

/** Reads all statements; those that are none are passed over, with what is wrong with them. */
export async function readStatements(
  evidence: readonly Evidence[],
): Promise<{ readonly statements: readonly Statement[]; readonly unreadable: readonly string[] }> {
  const all = evidence.find(({ type }) => type === 'perspective-results')?.statements ?? [];
  const statements: Statement[] = [];
  const faults = new Set<string>();
  const seen = new Set<string>();
  for (const [index, octets] of all.entries()) {
    if (index % statementsAtOnce === statementsAtOnce - 1) await setImmediate();
    // The same statement may be sent for several names; it is still one.
    const text = octets.toString('latin1');
    if (seen.has(text)) continue;
    seen.add(text);
    const statement = readStatement(octets, text);
    if ('fault' in statement) faults.add(statement.fault);
    else statements.push(statement);
  }
  // Each in its own way is still one gate that sends what nobody made.
  return { statements, unreadable: [...faults].slice(0, mostFaultsTold) };
}

/** For the audit log. */
export function finalizeLines({ holder, fault }: Finalize): readonly string[] {
  if (fault !== undefined) return [`acme-finalize verdict=fail cause=${JSON.stringify(causeText(fault.detail))}`];
  if (holder === undefined) return [];
  const { account, orderId, thumbprint } = holder;
  return [`acme-finalize account=${account} order=${orderId} key=${thumbprint} verdict=pass`];
}

/** What is kept with the certificate: the finalize request, and the statements of the sets that decided. */
export function keptEvidence({ evidence }: Finalize, verdicts: readonly NameVerdict[]): readonly Evidence[] {
  const statements = new Set<Uint8Array>();
  for (const { control, caa } of verdicts) {
    for (const verdict of [control, caa]) {
      for (const { octets } of verdict?.judged.genuine ?? []) statements.add(octets);
    }
  }
  return [
    ...(evidence === undefined ? [] : [evidence]),
    ...(statements.size === 0 ? [] : [perspectiveResults([...statements].map((octets) => Buffer.from(octets)))]),
  ];
}

function perspectiveResults(statements: Buffer[]): Evidence {
  return { type: 'perspective-results', payload: Buffer.alloc(0), certificates: [], statements };
}
