// dns-persist-01 (draft-ietf-acme-dns-persist-02, and -01 by choice; BR 3.2.2.4.22): looks below `_validation-persist` for a
// record that names this CA and this account. There is no token: the record stays, and so does what it says about until when
// and how far it holds.
import { createHash } from 'node:crypto';
import { type IssueValue, parameterValues, readIssueValue } from './issue-value.ts';
import type { Look } from './looking.ts';
import { fail, type Outcome, pass, unseen } from './outcome.ts';
import { printable } from './printable.ts';
import type { PersistVariant } from './request.ts';

/** What proves control. */
export type PersistSubject = {
  /** Without `*.`. */
  readonly name: string;
  readonly isWildcard: boolean;
  readonly accountUri: string;
  /** Of the account's key and of its former ones. */
  readonly thumbprints: readonly string[];
  readonly variant: PersistVariant;
};

/** What is known besides. */
export type PersistRules = {
  readonly issuerDomainNames: readonly string[];
  readonly accountHashPrefix: string | undefined;
  readonly now: Date;
};

/** Of one record: it proves control, it is for another CA, or why it does not. */
export type PersistVerdict =
  | {
      readonly kind: 'proof';
      readonly until: Date | undefined;
      readonly coversSubdomains: boolean;
      /** Of the key that the record is for. */
      readonly thumbprint: string;
    }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'void'; readonly reason: string };

/** The last second that RFC 3339 can write. */
const latest = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Where the records are. */
export function persistRecordName(name: string): string {
  return `_validation-persist.${name}`;
}

/** Looks for a record that proves control. Aliases of the record's name may lead elsewhere, BR 3.2.2.4.22. Never rejects. */
export async function lookByPersistentTxt(look: Look, subject: PersistSubject): Promise<Outcome> {
  const recordName = persistRecordName(subject.name);
  const answer = await look.query(recordName, 'TXT');
  if (answer.outcome === 'failed') return unseen('dns', answer.detail, {});
  const { rcode, resolver } = answer.lookup;
  if (answer.outcome === 'none') {
    return fail('dns', `${recordName} has no TXT record (${rcode} from resolver ${resolver})`, {});
  }
  const { issuerDomainNames, accountHashPrefix, clock } = look.parts;
  const rules = { issuerDomainNames, accountHashPrefix, now: clock.now() };
  const judged = answer.values.map((text) => ({ text, verdict: judgePersistentRecord(text, subject, rules) }));
  const proofs = judged.flatMap(({ text, verdict }) => (verdict.kind === 'proof' ? [{ text, ...verdict }] : []));
  // The one that holds longest; of several the one for the newest key, whatever their order in the answer: all perspectives choose alike.
  const rank = ({ thumbprint }: (typeof proofs)[number]) => subject.thumbprints.indexOf(thumbprint);
  const end = ({ until }: (typeof proofs)[number]) => until?.getTime() ?? latest + 1;
  const [best] = proofs.sort((a, b) => end(b) - end(a) || rank(a) - rank(b) || (a.text < b.text ? -1 : 1));
  if (best !== undefined) {
    const until = best.until === undefined ? {} : { persistUntil: best.until.toISOString() };
    // The statement is for the key that the record names: a gate that asks about several keys must not choose another one.
    const { text: expected, coversSubdomains, thumbprint } = best;
    return pass({ expected, coversSubdomains, thumbprint, ...until });
  }
  const reasons = judged.flatMap(({ text, verdict }) =>
    verdict.kind === 'void' ? [`'${printable(text, 300)}' ${verdict.reason}`] : [],
  );
  const why =
    reasons.length === 0 ? `none of ${judged.length} records names ${issuerDomainNames.join(' or ')}` : reasons[0];
  return fail('incorrectResponse', `TXT of ${recordName} (resolver ${resolver}): ${why}`, {});
}

/** Judges one record. */
export function judgePersistentRecord(text: string, subject: PersistSubject, rules: PersistRules): PersistVerdict {
  const record = readIssueValue(text);
  const ours = rules.issuerDomainNames.map((name) => name.toLowerCase());
  // Records of other CAs stand side by side with ours, and are theirs to judge.
  if (record === undefined || !ours.includes(record.issuer)) return { kind: 'foreign' };
  const seen = new Set<string>();
  for (const { tag } of record.parameters) {
    if (seen.has(tag)) return { kind: 'void', reason: `has two parameters ${printable(tag, 32)}` };
    seen.add(tag);
  }
  const [account] = parameterValues(record, 'accounturi');
  if (account === undefined) return { kind: 'void', reason: 'has no parameter accounturi' };
  const thumbprint = keyOfAccount(account, subject, rules.accountHashPrefix);
  if (thumbprint === undefined) {
    return { kind: 'void', reason: `is for another account than ${subject.accountUri}` };
  }
  const coversSubdomains = parameterValues(record, 'policy').some((value) => value.toLowerCase() === 'wildcard');
  if (subject.isWildcard && !coversSubdomains) return { kind: 'void', reason: 'has no policy=wildcard' };
  const until = readPersistUntil(record);
  if (until === 'malformed') return { kind: 'void', reason: 'has a persistUntil that is no number of seconds' };
  if (until !== undefined && until.getTime() < rules.now.getTime()) {
    return { kind: 'void', reason: `held until ${until.toISOString()}` };
  }
  return { kind: 'proof', until, coversSubdomains, thumbprint };
}

/** Thumbprint of the key that `accounturi` is for; undefined when it is not for the account. -01 names no key. */
function keyOfAccount(account: string, subject: PersistSubject, prefix: string | undefined): string | undefined {
  if (subject.variant === 'draft-01') return account === subject.accountUri ? subject.thumbprints[0] : undefined;
  const match = /^(.*)sha-256\/([A-Za-z0-9_-]{43})$/.exec(account);
  const [, head = '', digest] = match ?? [];
  const isPrefixed = prefix === undefined ? /^https:\/\/\S+\/$/.test(head) : head === prefix;
  if (!isPrefixed) return undefined;
  return subject.thumbprints.find((thumbprint) =>
    [subject.name, '*'].some((domain) => accountHash(domain, thumbprint, subject.accountUri) === digest),
  );
}

/** -02: base64url(SHA-256(one octet of length ‖ domain ‖ thumbprint ‖ account URL)); `domain`: of the record, or `*`. */
export function accountHash(domain: string, thumbprint: string, accountUri: string): string {
  const hash = createHash('sha256').update(Uint8Array.of(Buffer.byteLength(domain)));
  return hash.update(domain).update(thumbprint).update(accountUri).digest('base64url');
}

/** Seconds since 1970. */
function readPersistUntil(record: IssueValue): Date | 'malformed' | undefined {
  const [text] = parameterValues(record, 'persistuntil');
  if (text === undefined) return undefined;
  if (!/^\d{1,20}$/.test(text)) return 'malformed';
  return new Date(Math.min(Number(text) * 1000, latest));
}
