// The CRLs of this gate, one of each scope and one delta: facts in the copy's database, octets in files that carry the CRL
// number in their names, so that a crash never leaves facts that belong to other octets. A CRL never takes the place of one
// with a higher number (RFC 5280 §5.2.3).

import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SignedCrl } from '@gatehouse/ra-client/status';
import type { Logger } from '@gatehouse/runtime/log';
import { CrlFile } from './crl-file.ts';
import type { StatusDatabase } from './database.ts';
import { octetsOf } from './response-disk.ts';

/** A CRL that can be served. */
export type HeldCrl = {
  readonly facts: SignedCrl;
  readonly file: CrlFile;
  /** Whether thisUpdate tells it from the CRL before; not when both are of one second. */
  readonly isDateCertain: boolean;
};

/** Names of scopes as they may stand in a path. */
const scopeForm = /^[a-z0-9](?:[a-z0-9-]{0,62})$/;
const deltaEnd = '-delta';

/** File name of a CRL without `.crl`. */
export function crlName({ scope, isDelta }: Pick<SignedCrl, 'scope' | 'isDelta'>): string {
  return isDelta ? scope + deltaEnd : scope;
}

/** Whether the keep's name for a scope can be one: it becomes part of a path. */
export function isScopeName(scope: string): boolean {
  return scopeForm.test(scope) && !scope.endsWith(deltaEnd);
}

/** Holds CRLs. */
export class CrlShelf {
  readonly #database: StatusDatabase;
  readonly #directory: string;
  readonly #log: Logger;
  readonly #held = new Map<string, HeldCrl>();
  #temporaryFiles = 0;

  constructor(database: StatusDatabase, directory: string, log: Logger) {
    this.#database = database;
    this.#directory = directory;
    this.#log = log;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** All of them. */
  get all(): Iterable<HeldCrl> {
    return this.#held.values();
  }

  /** Takes up what is on the disk. What is not what its facts say is thrown away. */
  async load(): Promise<void> {
    const expected = new Set<string>();
    for (const row of this.#database.raw.prepare('select * from crls').all()) {
      const { facts, isDateCertain } = fromRow(row);
      const path = this.#pathOf(facts);
      if (await hasContents(path, facts)) {
        expected.add(path);
        this.#held.set(crlName(facts), { facts, file: new CrlFile(path), isDateCertain });
      } else {
        this.#log.warn({ path }, 'a CRL of the copy is not what it was; it is fetched again');
        this.#deleteRow(facts);
      }
    }
    for (const file of readdirSync(this.#directory)) {
      const path = join(this.#directory, file);
      if (!expected.has(path)) rmSync(path, { force: true });
    }
  }

  /** @param name as {@link crlName} makes it */
  find(name: string): HeldCrl | undefined {
    return this.#held.get(name);
  }

  /** Whether a CRL would take the place of the one that is held. */
  isNewer(facts: SignedCrl): boolean {
    const held = this.#held.get(crlName(facts));
    return held === undefined || facts.crlNumber > held.facts.crlNumber;
  }

  /** A path beside the others, for a CRL that is being fetched. */
  temporaryFile(): string {
    return join(this.#directory, `.${process.pid}.${this.#temporaryFiles++}.tmp`);
  }

  /** Takes a CRL that was fetched into a temporary file; if one is held that is as new, the file is removed. */
  put(facts: SignedCrl, temporaryFile: string): void {
    if (!this.isNewer(facts)) {
      rmSync(temporaryFile, { force: true });
      return;
    }
    const name = crlName(facts);
    const before = this.#held.get(name);
    const path = this.#pathOf(facts);
    renameSync(temporaryFile, path);
    const isDateCertain = before === undefined || toSeconds(facts.thisUpdate) > toSeconds(before.facts.thisUpdate);
    const held: HeldCrl = { facts, file: new CrlFile(path), isDateCertain };
    try {
      this.#writeRow(facts, isDateCertain);
    } catch (error) {
      // It is served all the same; after a restart it is fetched again.
      this.#log.error({ err: error, path }, 'facts about a CRL cannot be written to the copy');
    }
    this.#held.set(name, held);
    this.#discard(before);
  }

  /** Forgets what is not published any more. */
  retain(isPublished: (facts: SignedCrl) => boolean): void {
    for (const [name, held] of this.#held) {
      if (isPublished(held.facts)) continue;
      this.#held.delete(name);
      this.#deleteRow(held.facts);
      this.#discard(held);
    }
  }

  close(): void {
    for (const { file } of this.#held.values()) file.retire();
    this.#held.clear();
  }

  #discard(held: HeldCrl | undefined): void {
    if (held === undefined) return;
    held.file.retire();
    rmSync(held.file.path, { force: true });
  }

  #pathOf(facts: SignedCrl): string {
    return join(this.#directory, `${crlName(facts)}.${facts.crlNumber}.crl`);
  }

  #writeRow(facts: SignedCrl, isDateCertain: boolean): void {
    this.#database.raw
      .prepare(
        `insert or replace into crls (scope, is_delta, authority, crl_number, base_crl_number, this_update, next_update,
         is_date_certain, entries, size, sha256) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        facts.scope,
        facts.isDelta ? 1 : 0,
        facts.authority,
        facts.crlNumber,
        facts.baseCrlNumber ?? null,
        facts.thisUpdate.getTime(),
        facts.nextUpdate.getTime(),
        isDateCertain ? 1 : 0,
        facts.entries,
        facts.size,
        facts.sha256,
      );
  }

  #deleteRow({ scope, isDelta }: SignedCrl): void {
    this.#database.raw.prepare('delete from crls where scope = ? and is_delta = ?').run(scope, isDelta ? 1 : 0);
  }
}

async function hasContents(path: string, { size, sha256 }: SignedCrl): Promise<boolean> {
  const hash = createHash('sha256');
  let length = 0;
  try {
    for await (const chunk of createReadStream(path)) {
      length += chunk.length;
      hash.update(chunk);
    }
  } catch {
    return false;
  }
  return length === size && hash.digest().equals(sha256);
}

function fromRow(row: Readonly<Record<string, unknown>>): {
  readonly facts: SignedCrl;
  readonly isDateCertain: boolean;
} {
  const facts: SignedCrl = {
    scope: String(row.scope),
    isDelta: row.is_delta === 1,
    authority: String(row.authority),
    crlNumber: Number(row.crl_number),
    baseCrlNumber: row.base_crl_number === null ? undefined : Number(row.base_crl_number),
    thisUpdate: new Date(Number(row.this_update)),
    nextUpdate: new Date(Number(row.next_update)),
    entries: Number(row.entries),
    size: Number(row.size),
    sha256: octetsOf(row.sha256),
  };
  return { facts, isDateCertain: row.is_date_certain === 1 };
}

function toSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}
