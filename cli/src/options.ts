/**
 * Options that several commands have. This module is loaded by every command at once, so it must stay light: values that
 * need more than a glance (durations, dates) are read by the command itself, with times.ts.
 */
import { type Command, InvalidArgumentError } from 'commander';

/** `--set path=value`, for the commands that read gatehouse.yaml as a process does. */
export function addSetOption(command: Command): Command {
  return command.option('--set <path=value>', 'override one value of gatehouse.yaml; may be repeated', collect, []);
}

/** `--json`. */
export function addJsonOption(command: Command): Command {
  return command.option('--json', 'print JSON for programs');
}

/** What {@link addNameOptions} yields. */
export type NameOptions = {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
  readonly subject: readonly string[];
};

/** The names that an RA or a user may have certified. */
export function addNameOptions(command: Command): Command {
  return command
    .option('--dns <domains>', 'domains with all below them: example.com', collectSeparated, [])
    .option('--ip <ranges>', 'address ranges: 10.0.0.0/8,2001:db8::/32', collectSeparated, [])
    .option('--uri <prefix>', 'prefix of URIs, scheme and authority complete; may be repeated', collect, [])
    .option('--email <domains>', 'domains of e-mail addresses', collectSeparated, [])
    .option('--subject <type=pattern>', 'attributes of the subject, * matches anything; may be repeated', collect, []);
}

/** The same in the words of the contract and of users.yaml. */
export function toNamePatterns(options: NameOptions): {
  readonly dnsSuffixes: string[];
  readonly ipRanges: string[];
  readonly uriPrefixes: string[];
  readonly emailDomains: string[];
  readonly subjectAttributes: string[];
} {
  return {
    dnsSuffixes: [...options.dns],
    ipRanges: [...options.ip],
    uriPrefixes: [...options.uri],
    emailDomains: [...options.email],
    subjectAttributes: [...options.subject],
  };
}

/** Of options of one kind that may be repeated: all values as they are. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** The same, where one value may also hold several, separated by commas. */
export function collectSeparated(value: string, previous: readonly string[] = []): readonly string[] {
  const parts = value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return [...previous, ...parts];
}

/** A whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= minimum) return number;
    throw new InvalidArgumentError(`It must be a whole number of at least ${minimum}.`);
  };
}

/** A number of things a second. */
export function rate(value: string): number {
  const number = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && number > 0) return number;
  throw new InvalidArgumentError('It must be a number above 0.');
}
