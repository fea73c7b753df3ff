/** What gatehouse.yaml says something about, and what the starter configuration would have said. */
import { existsSync, readFileSync } from 'node:fs';
import { readYaml } from '@gatehouse/runtime/configuration/document';
import type { DataDirectory } from '../data-directory.ts';
import { starterConfiguration } from './starter-configuration.ts';

type Values = Readonly<Record<string, unknown>>;

/** Whether gatehouse.yaml has something at a place; a file that cannot be read is refused when it is loaded. */
export function isMentioned(data: DataDirectory, ...path: readonly string[]): boolean {
  return mentionedValue(data, ...path) !== undefined;
}

/**
 * What a directory for trying out begins with at a place, as `--set` arguments: for one that was made before there was such
 * a section. How the core is reached is not among it: `up` runs its own core, wherever that listens.
 */
export function trialSettings(...path: readonly string[]): readonly string[] {
  const value = valueAt(starterConfiguration('trial'), path);
  if (!isObject(value)) return [];
  return Object.entries(value)
    .filter(([key]) => key !== 'core')
    .map(([key, inner]) => `${[...path, key].join('.')}=${JSON.stringify(inner)}`);
}

/** What gatehouse.yaml has at a place, whatever it is; undefined: nothing. */
export function mentionedValue({ configuration }: DataDirectory, ...path: readonly string[]): unknown {
  return existsSync(configuration) ? valueAt(readFileSync(configuration, 'utf8'), path) : undefined;
}

function valueAt(text: string, path: readonly string[]): unknown {
  const yaml = readYaml(text);
  let value: unknown = yaml.ok ? yaml.value : undefined;
  for (const key of path) value = isObject(value) ? value[key] : undefined;
  return value;
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
