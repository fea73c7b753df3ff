/**
 * The proof that the asker controls the names of a certificate, verified before it is signed (mpic.md §3): what the account
 * holder signed, and for each name what perspectives signed. A gate carries both and is believed in nothing; a compromised one
 * can deny service, but not invent the control of a domain.
 */
import { setImmediate } from 'node:timers/promises';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import { CoreError, type NameRefusal } from '@gatehouse/proto/core-error';
import type { Evidence } from '@gatehouse/proto/types';
import { writeGeneralNameMessage } from '../enrollment/general-name-message.ts';
import { type AccountHolder, verifyAcmeFinalize } from './acme-finalize.ts';
import { type AcmeUrls, createAcmeUrls } from './acme-urls.ts';
import { createNameJudge, type NameVerdict } from './judge-name.ts';
import type { PerspectiveLookup } from './judge-statement.ts';
import type { CertifiedName } from './name-coverage.ts';
import { rowAt } from './policies/policy.ts';
import { readStatement, type Statement } from './statement.ts';
import { groupStatements } from './statement-set.ts';
import type { ProfileValidation, ValidationSettings } from './validation.ts';
import { causeText, nameText, verdictLines } from './verdict-lines.ts';

/** The bound of `Evidence.statements` in the contract. */
export const maximumStatements = 2_048;

/** So many names or statements are judged before others get their turn. */
const namesAtOnce = 4;
const statementsAtOnce = 128;

/** So many different faults of statements are told, and lines of a refusal. */
const mostFaultsTold = 8;
const mostLinesTold = 256;

/** What is judged. */
export type ValidationRequest = {
  readonly profile: string;
  readonly validation: ProfileValidation | undefined;
  readonly registrationAuthority: string;
  readonly request: Pick<EnrollRequest, 'idempotencyKey' | 'subjectKey' | 'evidence'>;
  /** Names of the certificate. */
  readonly names: readonly GeneralName[];
  /** Names in the request that the account holder signed, common names included. */
  readonly requestedNames: readonly GeneralName[];
  readonly now: Date;
};

/** What it is judged by. */
export type ValidationParts = {
  readonly registry: PerspectiveLookup;
  readonly validation: ValidationSettings;
};

/** What was found, when the certificate may be issued. */
export type ValidationOutcome = {
  /** For the audit log. */
  readonly lines: readonly string[];
  /** What is kept with the certificate. */
  readonly evidence: readonly Evidence[];
  /** Statements that were not what they claimed to be, although there were enough others. */
  readonly alarms: readonly string[];
  /** `fail` only where failures are recorded; nothing where nobody looked. */
  readonly verdict: 'pass' | 'fail' | undefined;
};

/** The control of a name is not proven. */
export class ValidationRefusal extends CoreError {
  /** What was found, for the audit log. */
  readonly lines: readonly string[];

  constructor(
    code: 'evidence-missing' | 'evidence-invalid',
    detail: string,
    lines: readonly string[],
    names: readonly NameRefusal[],
  ) {
    super(code, detail, { names });
    this.lines = lines.slice(0, mostLinesTold);
  }
}

/**
 * Verifies the evidence of an enrollment by the rule of its profile.
 *
 * @throws {ValidationRefusal} `evidence-missing` or `evidence-invalid`, with one refusal per name, where the rule is enforced
 */
export async function verifyValidation(parts: ValidationParts, asked: ValidationRequest): Promise<ValidationOutcome> {
  const { validation } = asked;
  if (validation === undefined) return { lines: [], evidence: [], alarms: [], verdict: undefined };
  if (validation.mode === 'off') return { lines: ['validation off'], evidence: [], alarms: [], verdict: undefined };
  const found = await judge(parts, asked, validation);
  const { refusal, lines, evidence, alarms } = found;
  if (refusal === undefined) return { lines, evidence, alarms, verdict: 'pass' };
  if (validation.mode === 'enforce') throw refusal;
  return { lines, evidence, alarms, verdict: 'fail' };
}

type Finding = Pick<ValidationOutcome, 'lines' | 'evidence' | 'alarms'> & {
  readonly refusal: ValidationRefusal | undefined;
};

async function judge(
  { registry, validation: settings }: ValidationParts,
  asked: ValidationRequest,
  validation: Exclude<ProfileValidation, { readonly mode: 'off' }>,
): Promise<Finding> {
  const { policy, mode } = validation;
  const row = rowAt(policy, asked.now);
  const urls = createAcmeUrls(settings.acmeBaseUrls);
  const finalize = judgeFinalize(asked, urls);
  const { statements, unreadable } = await readStatements(asked.request.evidence);
  const judgeName = createNameJudge(
    {
      registry,
      registrationAuthority: asked.registrationAuthority,
      row,
      primaryPlace: settings.primaries.get(asked.registrationAuthority),
      issuerDomainNames: new Set(settings.issuerDomainNames),
      methods: validation.methods,
      reuseMs: validation.reuseMs,
      urls,
      holder: finalize.holder,
      now: asked.now,
    },
    groupStatements(statements),
  );
  const verdicts: NameVerdict[] = [];
  // RFC 8555 §7.4: an account that may not finalize this request has no names to be judged.
  const isPointless = finalize.fault !== undefined && mode === 'enforce';
  for (const [index, name] of (isPointless ? [] : asked.names).entries()) {
    if (index % namesAtOnce === namesAtOnce - 1) await setImmediate();
    verdicts.push(nameFault(asked, name) ?? judgeName(certifiedName(name)));
  }
  const rules = policy.rules === undefined ? '' : ` rules=${policy.rules}`;
  const lines = [
    `validation mode=${mode} policy=${row.version}${rules}`,
    ...finalizeLines(finalize),
    ...unreadable.map((fault) => `statement refused cause=${JSON.stringify(causeText(fault))}`),
    ...verdicts.flatMap((verdict) => verdictLines(verdict, row.version)),
  ];
  const lies = verdicts.flatMap(({ control, caa }) => [...(control?.judged.lies ?? []), ...(caa?.judged.lies ?? [])]);
  return {
    lines,
    evidence: keptEvidence(finalize, verdicts),
    alarms: [...new Set([...unreadable, ...lies])],
    refusal: refusalOf(asked, finalize, verdicts, lines),
  };
}

type Finalize = {
  readonly holder: AccountHolder | undefined;
  readonly evidence: Evidence | undefined;
  readonly fault: CoreError | undefined;
};

function judgeFinalize({ profile, request }: ValidationRequest, urls: AcmeUrls): Finalize {
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

async function readStatements(
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

function certifiedName(name: GeneralName): CertifiedName {
  if (name.kind === 'dns') {
    const isWildcard = name.value.startsWith('*.');
    return { type: 'dns', value: isWildcard ? name.value.slice(2) : name.value, isWildcard };
  }
  return { type: 'ip', value: name.kind === 'ip' ? name.value : '', isWildcard: false };
}

/** A name that cannot be validated, or that the account holder has not asked for. */
function nameFault({ requestedNames }: ValidationRequest, name: GeneralName): NameVerdict | undefined {
  const invalid = (cause: string): NameVerdict => ({
    name: certifiedName(name),
    control: undefined,
    caa: undefined,
    fault: { kind: 'invalid', cause },
  });
  if (name.kind !== 'dns' && name.kind !== 'ip') return invalid(`names of kind ${name.kind} are not validated`);
  const isRequested = requestedNames.some((each) => each.kind === name.kind && each.value.toLowerCase() === name.value);
  return isRequested ? undefined : invalid('it is not in the request that the account holder signed');
}

function finalizeLines({ holder, fault }: Finalize): readonly string[] {
  if (fault !== undefined) return [`acme-finalize verdict=fail cause=${JSON.stringify(causeText(fault.detail))}`];
  if (holder === undefined) return [];
  const { account, orderId, thumbprint } = holder;
  return [`acme-finalize account=${account} order=${orderId} key=${thumbprint} verdict=pass`];
}

/** The finalize request, and the statements of the sets that decided. */
function keptEvidence({ evidence }: Finalize, verdicts: readonly NameVerdict[]): readonly Evidence[] {
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

function refusalOf(
  { names }: ValidationRequest,
  { fault }: Finalize,
  verdicts: readonly NameVerdict[],
  lines: readonly string[],
): ValidationRefusal | undefined {
  if (fault !== undefined) {
    const code = fault.code === 'evidence-missing' ? 'evidence-missing' : 'evidence-invalid';
    return new ValidationRefusal(code, causeText(fault.detail), lines, []);
  }
  const failed = verdicts.flatMap(({ name, fault: cause }, index) =>
    cause === undefined ? [] : [{ name, index, ...cause }],
  );
  const [first] = failed;
  if (first === undefined) return undefined;
  const code = failed.every(({ kind }) => kind === 'missing') ? 'evidence-missing' : 'evidence-invalid';
  const refusals = failed.flatMap(({ index, kind, cause }): readonly NameRefusal[] => {
    const name = names[index];
    if (name === undefined) return [];
    const type = kind === 'missing' ? 'evidence-missing' : 'evidence-invalid';
    return [{ name: writeGeneralNameMessage(name), type, detail: causeText(cause) }];
  });
  const others = failed.length === 1 ? '' : ` (and ${failed.length - 1} more)`;
  const detail = `perspective-results: ${nameText(first.name)}: ${causeText(first.cause)}${others}`;
  return new ValidationRefusal(code, detail, lines, refusals);
}
