/**
 * Conditions of `gatehouse revoke --where`: KEY=VALUE, separated by commas or given one by one. What is not understood is
 * an error, never a condition less: that would revoke more than was meant.
 */
import { BulkRevocationQuery } from '@gatehouse/proto/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { formatTime } from './output.ts';
import { pastTime } from './times.ts';

const keys = ['profile', 'ra', 'requester', 'authority', 'issued-after', 'issued-before', 'key-fingerprint'] as const;

type Key = (typeof keys)[number];

const hint = `write KEY=VALUE with one of ${keys.join(', ')}`;

/** Reads the conditions of all `--where` options, which must all hold. Throws FatalError. */
export function parseWhere(texts: readonly string[]): BulkRevocationQuery {
  const query = BulkRevocationQuery.create();
  const given = new Set<Key>();
  for (const text of texts.flatMap(splitConditions)) {
    const [key, value] = readCondition(text);
    if (given.has(key)) throw new FatalError(`--where: there are two conditions for '${key}'`, { hint });
    given.add(key);
    set(query, key, value);
  }
  if (given.size === 0) throw new FatalError('--where: there is no condition', { hint });
  return query;
}

/** The conditions in the form in which they are given. */
export function formatWhere(query: BulkRevocationQuery | undefined): string {
  const time = (date: Date | undefined) => (date === undefined ? '' : formatTime(date).replace(' ', 'T'));
  const values: Record<Key, string> = {
    profile: query?.profile ?? '',
    ra: query?.registrationAuthority ?? '',
    requester: query?.requesterId ?? '',
    authority: query?.authority ?? '',
    'issued-after': time(query?.issuedAfter),
    'issued-before': time(query?.issuedBefore),
    'key-fingerprint': query?.keyFingerprint.toString('hex') ?? '',
  };
  return keys.flatMap((key) => (values[key] === '' ? [] : `${key}=${values[key]}`)).join(',');
}

/** A comma separates where a known key follows: the id of a requester may hold some. */
function splitConditions(text: string): readonly string[] {
  return text.split(new RegExp(`,(?=(?:${keys.join('|')})=)`));
}

function readCondition(text: string): readonly [key: Key, value: string] {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).trim();
  const key = keys.find((one) => one === name);
  const value = text.slice(equals + 1).trim();
  if (equals < 0 || key === undefined) throw new FatalError(`--where: '${text}' is not a condition`, { hint });
  if (value === '') throw new FatalError(`--where: '${key}' has no value`, { hint });
  // No name of a profile or an RA has a comma: what follows it was meant as a condition.
  if (key !== 'requester' && value.includes(',')) {
    throw new FatalError(`--where: '${value.slice(value.indexOf(',') + 1)}' is not a condition`, { hint });
  }
  return [key, value];
}

function set(query: BulkRevocationQuery, key: Key, value: string): void {
  switch (key) {
    case 'profile':
      query.profile = value;
      break;
    case 'ra':
      query.registrationAuthority = value;
      break;
    case 'requester':
      query.requesterId = value;
      break;
    case 'authority':
      query.authority = value;
      break;
    case 'issued-after':
      query.issuedAfter = pastTime('--where issued-after', value);
      break;
    case 'issued-before':
      query.issuedBefore = pastTime('--where issued-before', value);
      break;
    case 'key-fingerprint':
      query.keyFingerprint = fingerprint(value);
      break;
  }
}

function fingerprint(value: string): Buffer {
  const digits = value.replaceAll(':', '');
  if (/^[0-9a-f]{64}$/i.test(digits)) return Buffer.from(digits, 'hex');
  throw new FatalError(`--where: '${value}' is not the SHA-256 fingerprint of a key`, {
    hint: "it has 64 hexadecimal digits; 'gatehouse cert show' prints it as Key SHA-256",
  });
}
