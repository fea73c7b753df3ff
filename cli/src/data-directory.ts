/** The data directory: where it is, and the names of what is in it (ARCHITECTURE §5). */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { Command } from 'commander';
import { bracketAddress, reachableAddress } from './address.ts';

/** Absolute paths in a data directory. */
export type DataDirectory = {
  readonly path: string;
  readonly configuration: string;
  readonly endpoints: string;
  readonly operatorCredential: string;
  /** What the process `name` wrote about itself when it began to listen. */
  runFile(name: string): string;
  registrationAuthorityCredential(name: string): string;
  perspectiveCredential(name: string): string;
  secret(name: string): string;
  logFile(name: string): string;
};

/** `--data DIR`, for every command that works with one. */
export function addDataOption(command: Command): Command {
  return command.option('--data <dir>', 'data directory (default: $GATEHOUSE_DATA, else ./data)');
}

/** The directory that the option, the environment or the default names. */
export function dataDirectory(option: string | undefined): DataDirectory {
  const path = resolve(option ?? process.env.GATEHOUSE_DATA ?? 'data');
  return {
    path,
    configuration: join(path, 'gatehouse.yaml'),
    endpoints: join(path, 'endpoints.json'),
    operatorCredential: join(path, 'operators/admin.pem'),
    runFile: (name) => join(path, 'run', `${name}.json`),
    registrationAuthorityCredential: (name) => join(path, 'ra', name, 'credential.pem'),
    perspectiveCredential: (name) => join(path, 'perspective', name, 'credential.pem'),
    secret: (name) => join(path, 'secrets', name),
    logFile: (name) => join(path, 'log', `${name}.log`),
  };
}

/** The same, for commands that need one that was made before. Throws FatalError. */
export function existingDataDirectory(option: string | undefined): DataDirectory {
  const directory = dataDirectory(option);
  if (!existsSync(directory.configuration)) {
    throw new FatalError(`${directory.path} is not a data directory: it has no gatehouse.yaml`, {
      hint: "name it with --data DIR, or make it with 'gatehouse init --data DIR' or 'gatehouse up --data DIR'",
    });
  }
  return directory;
}

/** What a process wrote when it began to listen. */
export type RunFile = {
  readonly pid: number;
  /** `host:port`. */
  readonly address: string;
  /** `host:port` of /livez, /readyz and /metrics, as it is reached from here. */
  readonly management: string;
};

/** Reads a run file; undefined when there is none, or when it is being written. */
export function readRunFile(file: string): RunFile | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (!isRunFile(value)) return undefined;
    const { pid, address, management } = value;
    return { pid, address: bracketAddress(address), management: reachableAddress(bracketAddress(management)) };
  } catch {
    return undefined;
  }
}

function isRunFile(value: unknown): value is RunFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'address' in value &&
    typeof value.address === 'string' &&
    'management' in value &&
    typeof value.management === 'string'
  );
}
