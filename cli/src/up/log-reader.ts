/**
 * What a process under `gatehouse up` writes: all of it goes into DIR/log/<process>.log; what a person should see
 * (warnings, errors, and anything that is no log line) is also passed on in one short line.
 */
import { FatalError } from '@gatehouse/runtime/fatal';
import { openLogFile } from './log-file.ts';

export type LogReaderOptions = {
  /** Name of the process. */
  readonly name: string;
  /** File that gets every line. */
  readonly path: string;
  /** Told what a person should see. */
  warn(text: string): void;
};

export type LogReader = {
  /** A new process begins to write. */
  begin(): void;
  follow(stream: NodeJS.ReadableStream): void;
  /** The process is ready: what it says in plain words from now on is passed on as it comes. */
  settle(): void;
  /** Why the process could not start, in its own words where it had any. */
  explainEnd(why: string, exitCode: number): FatalError;
  close(): void;
};

/** Makes the reader of one process's output. */
export function createLogReader({ name, path, warn }: LogReaderOptions): LogReader {
  const file = openLogFile(path);
  /** Plain words before the process is ready: if it does not get there, they say why. */
  let words: string[] = [];
  let trouble: string | undefined;
  let isSettled = false;

  function take(line: string): void {
    file.write(line);
    const said = readLogLine(line);
    if (said.kind === 'words' && !isSettled) words.push(said.text);
    else if (said.kind === 'words') warn(`${name}: ${said.text}`);
    else if (said.isTrouble) {
      trouble = said.text;
      warn(`${name}: ${said.level}: ${said.text}`);
    }
  }

  return {
    begin() {
      words = [];
      trouble = undefined;
      isSettled = false;
    },
    follow: (stream) => forEachLine(stream, take),
    settle() {
      isSettled = true;
      for (const text of words) warn(`${name}: ${text}`);
      words = [];
    },
    explainEnd: (why, exitCode) =>
      words.length > 0
        ? new FatalError(words.join('\n'), { exitCode })
        : new FatalError(`${name} did not start: ${trouble ?? why}`, { hint: `its log is ${path}`, exitCode }),
    close: () => file.close(),
  };
}

type Said =
  | { readonly kind: 'words'; readonly text: string }
  | { readonly kind: 'record'; readonly level: string; readonly text: string; readonly isTrouble: boolean };

/** One line of a process: a record of its log, or plain words. */
export function readLogLine(line: string): Said {
  const record = parseRecord(line);
  if (record === undefined) return { kind: 'words', text: line };
  const { level, msg, err } = record;
  const cause = typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : undefined;
  const text = [msg, cause].filter((part) => part !== undefined && part !== '').join(': ');
  return { kind: 'record', level: String(level), text, isTrouble: ['warn', 'error', 'fatal'].includes(String(level)) };
}

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'level' in value ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function forEachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  stream.on('end', () => {
    if (rest !== '') take(rest);
  });
}
