// Sees every CRL that comes into the world, at the gate and in the folder of the core, and compares all of them in the end
// with each other and with what was audited: a number stands for one CRL of its scope, and only rises.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { CoreClient } from '@gatehouse/ra-client/client';
import { z } from 'zod';
import { readVerifiedCrl } from './relying-party.ts';
import type { StatusSite } from './status-site.ts';

/** A CRL that was seen, without its entries. */
export type SeenCrl = {
  /** `issuing-1`, `issuing-1-delta`. */
  readonly name: string;
  readonly number: bigint;
  readonly sha256: string;
  readonly where: 'gate' | 'core';
};

/** Watches. */
export type CrlWitness = {
  /** What was seen so far. */
  seen(): readonly SeenCrl[];
  /** Looks once more, ends, and answers all that was seen in its order. Rejects when something was wrong with a CRL. */
  close(): Promise<readonly SeenCrl[]>;
};

const names = ['issuing', 'issuing-delta', 'issuing-1', 'issuing-1-delta', 'issuing-ca', 'issuing-ca-delta'] as const;
const lookAgainAfterMs = 5;

/** Begins to watch. A gate or a core that is away is no fault. */
export function watchCrls(
  context: Pick<TestContext, 'after'>,
  { directory, relyingParty }: Pick<StatusSite, 'directory' | 'relyingParty'>,
): CrlWitness {
  const seen: SeenCrl[] = [];
  const etags = new Map<string, string>();
  const files = new Map<string, string>();
  let isClosing = false;

  function take(where: SeenCrl['where'], name: string, der: Uint8Array): void {
    const { crlNumber, baseCrlNumber } = readVerifiedCrl(der, relyingParty.issuer);
    assert.ok(crlNumber !== undefined, `${name} has no number`);
    assert.equal(baseCrlNumber !== undefined, name.endsWith('-delta'), `${name} is of the wrong kind`);
    seen.push({ where, name, number: crlNumber, sha256: createHash('sha256').update(der).digest('hex') });
  }

  async function lookAtGate(name: string): Promise<void> {
    const answer = await relyingParty.fetch(`/crl/${name}.crl`, etags.get(name)).catch(() => undefined);
    if (answer?.status !== 200 || answer.etag === undefined) return;
    etags.set(name, answer.etag);
    take('gate', name, answer.body);
  }

  function lookAtCore(): void {
    const folder = join(directory, 'crl');
    for (const file of listFiles(folder)) {
      const name = file.replace(/\.crl$/, '');
      if (!names.some((known) => known === name)) continue;
      const der = readIfChanged(join(folder, file));
      if (der !== undefined) take('core', name, der);
    }
  }

  function readIfChanged(path: string): Buffer | undefined {
    const { ino, mtimeMs } = statSync(path);
    const identity = `${ino} ${mtimeMs}`;
    if (files.get(path) === identity) return undefined;
    files.set(path, identity);
    return readFileSync(path);
  }

  async function look(): Promise<void> {
    lookAtCore();
    for (const name of names) await lookAtGate(name);
  }

  async function watch(): Promise<void> {
    while (!isClosing) {
      await look();
      await pause(lookAgainAfterMs);
    }
    await look();
  }

  const watching = watch();
  watching.catch(() => undefined);
  context.after(() => {
    isClosing = true;
  });
  return {
    seen: () => seen,
    async close() {
      isClosing = true;
      await watching;
      return seen;
    },
  };
}

const generated = z.object({ crl: z.string(), number: z.number(), sha256: z.string() });

/**
 * At the gate and at the core numbers only rise; each stands for one CRL of its scope, full ones and deltas together; and
 * what was seen is what was audited.
 */
export async function assertNumbers(seen: readonly SeenCrl[], operator: CoreClient): Promise<void> {
  const audited = new Map<string, string>();
  const last = new Map<string, number>();
  for await (const { action, body } of operator.administration.listAuditEvents({ isEverything: true })) {
    if (action !== 'crl-generated') continue;
    const { crl, number, sha256 } = generated.parse(JSON.parse(body));
    if (crl === 'root') continue;
    const scope = scopeOf(crl);
    assert.ok(number > 0 && !audited.has(`${scope} ${number}`), `${scope} ${number} was used twice`);
    audited.set(`${scope} ${number}`, `${crl} ${sha256}`);
    // Within a scope, a full CRL and its delta may be finished in the other order.
    assert.ok(number > (last.get(crl) ?? 0), `${crl} ${number} follows ${last.get(crl)}`);
    last.set(crl, number);
  }
  const before = new Map<string, bigint>();
  for (const { where, name, number, sha256 } of seen) {
    const place = `${name} at the ${where}`;
    assert.ok(number > (before.get(place) ?? 0n), `${place}: ${number} follows ${before.get(place)}`);
    before.set(place, number);
    const key = `${scopeOf(name)} ${number}`;
    assert.equal(audited.get(key), `${name} ${sha256}`, `${key} was served and is not the one that was audited`);
  }
  const { firstBreak } = await operator.administration.verifyAudit({ timeoutMs: 60_000 });
  assert.equal(firstBreak, undefined, `the audit chain is broken: ${JSON.stringify(firstBreak)}`);
}

function scopeOf(name: string): string {
  return name.replace(/-delta$/, '');
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.crl') && !file.startsWith('.'));
  } catch {
    return [];
  }
}
