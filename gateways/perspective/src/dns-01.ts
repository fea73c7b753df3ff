// dns-01 (RFC 8555 §8.4) and dns-account-01 (draft-ietf-acme-dns-account-label-02): looks for the digest of the key
// authorization in a TXT record below the name. Any record that is the digest proves control; what else stands there is told.
import { createHash } from 'node:crypto';
import type { Look } from './looking.ts';
import { fail, type Outcome, pass, unseen } from './outcome.ts';
import { printable } from './printable.ts';

/** Where dns-01 looks, RFC 8555 §8.4. */
export function challengeRecordName(name: string): string {
  return `_acme-challenge.${name}`;
}

/** Where dns-account-01 looks: below a label of the account, §3.1 of the draft. */
export function accountChallengeRecordName(name: string, accountUri: string): string {
  const digest = createHash('sha256').update(accountUri, 'utf8').digest().subarray(0, 10);
  return `_${base32(digest)}._acme-challenge.${name}`;
}

/** Looks for `digest` (base64url) in the TXT records of `recordName`. Never rejects. */
export async function lookByTxt(look: Look, recordName: string, digest: string): Promise<Outcome> {
  const answer = await look.query(recordName, 'TXT');
  if (answer.outcome === 'failed') return unseen('dns', answer.detail, {});
  const { rcode, resolver, aliases } = answer.lookup;
  const where = aliases === undefined ? recordName : `${recordName} (alias of ${aliases.at(-1)})`;
  if (answer.outcome === 'none') {
    return fail('dns', `${where} has no TXT record (${rcode} from resolver ${resolver})`, {});
  }
  if (answer.values.includes(digest)) return pass({});
  const found = answer.values.slice(0, 4).map((text) => `'${printable(text, 64)}'`);
  const more = answer.values.length > found.length ? ` and ${answer.values.length - found.length} more` : '';
  const detail = `TXT of ${where} is ${found.join(', ')}${more} instead of '${digest}' (resolver ${resolver})`;
  return fail('incorrectResponse', detail, {});
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 §6, lower case; 10 octets need no padding. */
function base32(octets: Uint8Array): string {
  let bits = 0n;
  for (const octet of octets) bits = (bits << 8n) | BigInt(octet);
  return bits
    .toString(32)
    .padStart(16, '0')
    .replace(/[0-9a-v]/g, (digit) => alphabet[Number.parseInt(digit, 32)] ?? '');
}
