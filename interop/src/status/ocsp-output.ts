// What `openssl ocsp` prints of the answer to each question.

/** One answer. */
export type OcspStatus = {
  /** The certificate's file, or the serial number, as it was asked for. */
  readonly subject: string;
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** RFC 5280 §5.3.1 as openssl writes it: `keyCompromise`. */
  readonly reason: string | undefined;
  readonly revokedAt: Date | undefined;
};

/** openssl printed something else. */
export class OcspOutputError extends Error {
  override readonly name = 'OcspOutputError';
}

const firstLine = /^(\S.*): (good|revoked|unknown)$/;
const fieldLine = /^\t(This Update|Next Update|Reason|Revocation Time): (.+)$/;

/** Reads it. @throws {OcspOutputError} when a time is missing, or is none */
export function parseOcspOutput(text: string): readonly OcspStatus[] {
  const statuses: OcspStatus[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    const [, subject, word] = firstLine.exec(line) ?? [];
    if (subject === undefined) continue;
    const fields = readFields(lines.slice(index + 1));
    const time = (name: string) => parseTime(subject, fields.get(name));
    const thisUpdate = time('This Update');
    if (thisUpdate === undefined) throw new OcspOutputError(`'${subject}' has no This Update`);
    statuses.push({
      subject,
      status: word === 'good' || word === 'revoked' ? word : 'unknown',
      thisUpdate,
      nextUpdate: time('Next Update'),
      reason: fields.get('Reason'),
      revokedAt: time('Revocation Time'),
    });
  }
  return statuses;
}

function readFields(lines: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = fieldLine.exec(line) ?? [];
    if (name === undefined || value === undefined) break;
    fields.set(name, value);
  }
  return fields;
}

function parseTime(subject: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new OcspOutputError(`'${subject}' has '${text}' for a time`);
  return time;
}
