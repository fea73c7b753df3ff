// What a checker prints.

/** The status of a certificate. */
export type Finding = {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** RFC 5280 §5.3.1: `keyCompromise`. */
  readonly reason: string | undefined;
  readonly revokedAt: Date | undefined;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
};

/** It printed something else. */
export class FindingError extends Error {
  override readonly name = 'FindingError';
}

/** Reads it. @throws {FindingError} */
export function readFinding(text: string): Finding {
  const members = membersOf(text);
  const status = members.get('status');
  if (status !== 'good' && status !== 'revoked' && status !== 'unknown') throw new FindingError(`no status in ${text}`);
  const time = (name: string) => parseTime(members.get(name), name);
  const thisUpdate = time('thisUpdate');
  if (thisUpdate === undefined) throw new FindingError(`no thisUpdate in ${text}`);
  const reason = members.get('reason') ?? undefined;
  if (reason !== undefined && typeof reason !== 'string') throw new FindingError(`reason is no text in ${text}`);
  return { status, reason, revokedAt: time('revokedAt'), thisUpdate, nextUpdate: time('nextUpdate') };
}

function membersOf(text: string): ReadonlyMap<string, unknown> {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null) return new Map(Object.entries(document));
  } catch (cause) {
    throw new FindingError(`'${text}' is no JSON`, { cause });
  }
  throw new FindingError(`'${text}' is no object`);
}

function parseTime(value: unknown, name: string): Date | undefined {
  if (value === undefined || value === null) return undefined;
  const time = new Date(typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(time.getTime())) throw new FindingError(`${name} is no time: ${String(value)}`);
  return time;
}
