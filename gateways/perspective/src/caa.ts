// Certification Authority Authorization (RFC 8659) with the parameters of RFC 8657. The tree is climbed label by label and
// the first set that is not empty counts; a failure anywhere below it ends the climb without permission. Which names are
// ours comes from the perspective's own configuration.
import type { ValidationMethod } from '@gatehouse/ra-client/perspective-statement';
import type { CaaRecord } from './dns/message.ts';
import { type IssueValue, parameterValues, readIssueValue } from './issue-value.ts';
import type { Look } from './looking.ts';
import { fail, type Outcome, pass, type Seen, unseen } from './outcome.ts';
import { printable } from './printable.ts';

/** For what permission is looked for. */
export type CaaSubject = {
  /** Without `*.`. */
  readonly name: string;
  readonly isWildcard: boolean;
  readonly method: ValidationMethod;
  readonly accountUri: string;
};

/** RFC 8659 §4.1: issuer critical. RFC 8659 §4.1 has bit 0 of the octet, 128; those who wrote 1 meant it too. */
const criticalFlags = 128 | 1;
/** Tags of properties that mean something here, or that say nothing about issuing a certificate (RFC 8659 §4.2–4.4). */
const knownTags: ReadonlySet<string> = new Set(['issue', 'issuewild', 'iodef']);

/** Climbs from the name to the top-level domain, RFC 8659 §3. Never rejects. */
export async function lookForCaa(look: Look, subject: CaaSubject): Promise<Outcome> {
  const issuerDomainNames = look.parts.issuerDomainNames.slice(0, 10);
  const labels = subject.name.split('.');
  for (let n = 0; n < labels.length; n++) {
    const name = labels.slice(n).join('.');
    const answer = await look.query(name, 'CAA');
    // RFC 8659 §3: that there are no records must be known; a failure is not that.
    if (answer.outcome === 'failed') {
      const caa = { decision: 'error' as const, issuerDomainNames, lookup: 'failed' as const };
      return unseen('dns', `looking for CAA records of ${subject.name}: ${answer.detail}`, { caa });
    }
    if (answer.outcome === 'none') continue;
    const refusal = whyForbidden(answer.values, subject, look.parts.issuerDomainNames);
    const seen: Seen = {
      caa: {
        decision: refusal === undefined ? 'permitted' : 'forbidden',
        foundAt: name,
        records: answer.values.map(present),
        issuerDomainNames,
        lookup: 'found',
      },
    };
    if (refusal === undefined) return pass(seen);
    const records = answer.values.slice(0, 4).map(present).join(', ');
    const at = `${name} (resolver ${answer.lookup.resolver})`;
    return fail('caa', `CAA records at ${at} forbid: ${refusal}. There: ${records}`, seen);
  }
  return pass({ caa: { decision: 'permitted', issuerDomainNames, lookup: 'none' } });
}

/** Why a set that is not empty forbids to issue; undefined when it permits. */
export function whyForbidden(
  records: readonly CaaRecord[],
  subject: CaaSubject,
  issuerDomainNames: readonly string[],
): string | undefined {
  const tagged = records.map((record) => ({ ...record, tag: record.tag.toLowerCase() }));
  const unknown = tagged.find(({ tag, flags }) => (flags & criticalFlags) !== 0 && !knownTags.has(tag));
  if (unknown !== undefined) return `'${printable(unknown.tag, 32)}' is critical and unknown`;
  const issuewild = subject.isWildcard ? tagged.filter(({ tag }) => tag === 'issuewild') : [];
  // RFC 8659 §4.3: issuewild replaces issue for wildcards, and means nothing for other names.
  const properties = issuewild.length > 0 ? issuewild : tagged.filter(({ tag }) => tag === 'issue');
  if (properties.length === 0) return undefined;
  const ours = new Set(issuerDomainNames.map((name) => name.toLowerCase()));
  let closest: string | undefined;
  for (const { value } of properties) {
    const issue = readIssueValue(value);
    // RFC 8659 §4.2: what does not follow the grammar names nobody.
    if (issue === undefined || !ours.has(issue.issuer)) continue;
    const mismatch = whyUnsatisfied(issue, subject);
    if (mismatch === undefined) return undefined;
    closest ??= mismatch;
  }
  const names =
    issuerDomainNames.length === 0
      ? 'this CA has no name in CAA records'
      : `none names ${issuerDomainNames.join(' or ')}`;
  return closest ?? names;
}

function whyUnsatisfied(issue: IssueValue, { accountUri, method }: CaaSubject): string | undefined {
  const accounts = parameterValues(issue, 'accounturi');
  // RFC 8657 §3: exactly this string; a record with two of them is satisfied by nobody.
  if (accounts.length > 1) return 'a record has two parameters accounturi';
  const [account] = accounts;
  if (account !== undefined && account !== accountUri) {
    return `accounturi is '${printable(account, 128)}', not '${accountUri}'`;
  }
  const methods = parameterValues(issue, 'validationmethods');
  if (methods.length > 1) return 'a record has two parameters validationmethods';
  const [list] = methods;
  // RFC 8657 §4: labels separated by commas, compared as they are.
  if (list !== undefined && !list.split(',').includes(method)) {
    return `validationmethods is '${printable(list, 128)}', without ${method}`;
  }
  return undefined;
}

/** Presentation text, RFC 8659 §4.1.1. */
function present({ flags, tag, value }: CaaRecord): string {
  return `${flags} ${printable(tag, 64)} "${printable(value, 440).replace(/[\\"]/g, '\\$&')}"`;
}
