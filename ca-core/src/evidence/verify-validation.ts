/**
 * The proof that the asker controls the names of a certificate, verified before it is signed (mpic.md §3): what the account
 * holder signed, and for each name what perspectives signed. A gate carries both and is believed in nothing; a compromised one
 * can deny service, but not invent the control of a domain.
 */
import { setImmediate } from 'node:timers/promises';
import type { GeneralName } from '@gatehouse/pkix/general-names';
import type { EnrollRequest } from '@gatehouse/proto/certificate-authority';
import type { Evidence } from '@gatehouse/proto/types';
import { createAcmeUrls } from './acme-urls.ts';
import { externalAccountLines } from './external-account.ts';
import { createNameJudge, type NameVerdict } from './judge-name.ts';
import type { PerspectiveLookup } from './judge-statement.ts';
import type { CertifiedName } from './name-coverage.ts';
import { rowAt } from './policies/policy.ts';
import { finalizeLines, judgeFinalize, keptEvidence, readStatements } from './presented-evidence.ts';
import { groupStatements } from './statement-set.ts';
import type { ProfileValidation, ValidationSettings } from './validation.ts';
import { refusalOf, type ValidationRefusal } from './validation-refusal.ts';
import { causeText, verdictLines } from './verdict-lines.ts';

/** So many names are judged before others get their turn. */
const namesAtOnce = 4;

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

/**
 * Verifies the evidence of an enrollment by the rule of its profile.
 *
 * @throws {ValidationRefusal} `evidence-missing` or `evidence-invalid`, with one refusal per name, where the rule is enforced
 */
export async function verifyValidation(parts: ValidationParts, asked: ValidationRequest): Promise<ValidationOutcome> {
  const { validation } = asked;
  if (validation === undefined || validation.mode === 'off') {
    const mode = validation === undefined ? [] : ['validation off'];
    const lines = [...mode, ...externalAccountLines(asked.request.evidence)];
    return { lines, evidence: [], alarms: [], verdict: undefined };
  }
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
  const finalize = judgeFinalize(asked.profile, asked.request, urls);
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
      dnsPersist: validation.dnsPersist,
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
    refusal: refusalOf(asked.names, finalize, verdicts, lines),
  };
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
