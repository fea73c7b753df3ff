// The one logger: JSON lines on standard error, one event a line, with the fields that join a request's lines across
// processes. It must never write a secret: fields that hold one are replaced here, whatever the caller passes.

import { type DestinationStream, type Logger as PinoLogger, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { FatalError } from './fatal.ts';
import { type LineWriter, openLineWriter } from './line-writer.ts';

/** The logger that all packages take. Child loggers carry bound fields: `log.child({ requestId })`. */
export type Logger = PinoLogger;

/** What {@link createLog} takes. */
export type LogOptions = {
  /** Name of the process: 'core', 'est', … */
  readonly name: string;
  /** 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'; else $GATEHOUSE_LOG_LEVEL, else 'info'. */
  readonly level?: string | undefined;
  /** Where lines go; standard error unless told. */
  readonly destination?: DestinationStream | undefined;
};

const levels: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Fields whose value is never written: at the top of a record, two levels below it, and bound to a child logger. */
const secretFields: ReadonlySet<string> = new Set([
  'password',
  'passphrase',
  'secret',
  'token',
  'joinToken',
  'challenge',
  'challengePassword',
  'privateKey',
  'authorization',
  'cookie',
]);

const redacted = '[redacted]';

// Serializers also see what is bound to child loggers, which a formatter does not.
const secretSerializers = Object.fromEntries([...secretFields].map((field) => [field, () => redacted]));

/**
 * Creates the process's logger.
 *
 * @throws {FatalError} when the level is not one of pino's
 */
export function createLog(options: LogOptions): Logger {
  const level = options.level ?? process.env.GATEHOUSE_LOG_LEVEL ?? 'info';
  if (!levels.includes(level)) {
    throw new FatalError(`unknown log level '${level}'`, { hint: `use one of: ${levels.join(', ')}`, exitCode: 78 });
  }
  return pino(
    {
      name: options.name,
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (record) => withoutSecrets(record, 1),
      },
      serializers: { ...secretSerializers, err: stdSerializers.err, error: stdSerializers.err },
    },
    options.destination ?? standardError(),
  );
}

// pino's own redaction costs ten times the rest of a line; a look at the names costs next to nothing, and a copy is
// made only when one is found.
function withoutSecrets(record: Record<string, unknown>, level: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const key in record) {
    const value = record[key];
    let replacement: unknown = value;
    if (secretFields.has(key)) replacement = redacted;
    else if (level < 3 && isPlain(value)) replacement = withoutSecrets(value, level + 1);
    if (replacement === value) continue;
    copy ??= { ...record };
    copy[key] = replacement;
  }
  return copy ?? record;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

// One for all logs of the process: two writers would tear each other's lines apart.
let writer: LineWriter | undefined;

function standardError(): LineWriter {
  writer ??= openLineWriter(2);
  return writer;
}
