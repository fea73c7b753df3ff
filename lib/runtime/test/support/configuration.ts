// A section as gates have it, and how a test loads it.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ConfigurationError, loadConfiguration } from '@gatehouse/runtime/configuration';
import { durationSchema } from '@gatehouse/runtime/duration';
import { secretSchema } from '@gatehouse/runtime/secret';
import { z } from 'zod';
import { temporaryDirectory } from './directory.ts';

/** The section 'est' of these tests. */
export const schema = z.strictObject({
  listen: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: z.int().min(0).max(65535).default(7030),
      maximumConnections: z.int().default(100),
    })
    .prefault({}),
  labels: z
    .record(z.string(), z.strictObject({ profile: z.string(), names: z.array(z.string()).default([]) }))
    .default({}),
  mode: z.enum(['strict', 'lenient']).default('strict'),
  timeout: durationSchema.prefault('10s'),
  realm: z.string().default('gatehouse'),
  passphrase: secretSchema.optional(),
  source: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('file'), path: z.string() }),
      z.strictObject({ kind: z.literal('url'), address: z.string(), interval: durationSchema.optional() }),
    ])
    .optional(),
});

/** What the outside says. */
export type Given = { text?: string; set?: string[]; environment?: Record<string, string>; sections?: string[] };

/** Loads the section. */
export function load(context: TestContext, given: Given) {
  const file = join(temporaryDirectory(context), 'gatehouse.yaml');
  writeFileSync(file, given.text ?? '');
  return loadConfiguration({ schema, section: 'est', file, environment: {}, ...given });
}

/** The messages of a load that fails, without the directory of the file. */
export function problems(context: TestContext, given: Given): readonly string[] {
  try {
    load(context, given);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    assert.equal(error.exitCode, 78);
    return error.message.split('\n').map((line) => line.replace(/^.*\/gatehouse\.yaml/, 'gatehouse.yaml'));
  }
  return [];
}
