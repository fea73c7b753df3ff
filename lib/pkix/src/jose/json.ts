// JSON of strangers (RFC 8259, with the rules of I-JSON, RFC 7493): UTF-8, each member once, no NUL, no half characters,
// a bounded depth. JSON.parse would let the last of two equal members win, and two programs might read two different
// messages from one signature.

import { JoseError } from './error.ts';

/** A value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object; a member that is undefined is left out. */
export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/** Bounds of {@link parseJson}. */
export type JsonLimits = {
  /** Objects and lists within each other; 10 unless told. */
  readonly maximumDepth?: number | undefined;
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads one JSON value.
 *
 * @throws {JoseError} `malformed`, with the position
 */
export function parseJson(input: string | Uint8Array, limits: JsonLimits = {}): JsonValue {
  const text = typeof input === 'string' ? input : decode(input);
  const reader = new JsonReader(text, limits.maximumDepth ?? 10);
  return reader.readDocument();
}

/** Whether the value is an object, not a list. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decode(octets: Uint8Array): string {
  try {
    return decoder.decode(octets);
  } catch (cause) {
    throw new JoseError('malformed', 'the JSON is not UTF-8', { cause });
  }
}

const numberForm = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const words: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
/** What ends a run of plain characters in a string: its end, an escape, or a control character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259 §7: control characters must be escaped
const plainRun = /[^"\\\u0000-\u001f]*/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class JsonReader {
  readonly #text: string;
  readonly #maximumDepth: number;
  #position = 0;

  constructor(text: string, maximumDepth: number) {
    this.#text = text;
    this.#maximumDepth = maximumDepth;
  }

  readDocument(): JsonValue {
    this.#skipSpace();
    const value = this.#readValue(1);
    this.#skipSpace();
    if (this.#position < this.#text.length) throw this.#error('something follows the JSON value');
    return value;
  }

  #readValue(depth: number): JsonValue {
    const character = this.#text[this.#position];
    if (character === '"') return this.#readString();
    if (character === '{' || character === '[') {
      if (depth > this.#maximumDepth) throw this.#error(`more than ${this.#maximumDepth} levels`);
      this.#position += 1;
      return character === '{' ? this.#readObject(depth) : this.#readList(depth);
    }
    const word = this.#readWord();
    return word === undefined ? this.#readNumber() : word;
  }

  #readObject(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#skipSpace();
    if (this.#take('}')) return {};
    do {
      this.#skipSpace();
      const name = this.#readString();
      // RFC 7515 §4 and RFC 7493 §2.3: member names are unique.
      if (members.has(name)) throw this.#error(`the member '${name.slice(0, 64)}' stands there twice`);
      this.#skipSpace();
      if (!this.#take(':')) throw this.#error("':' expected");
      this.#skipSpace();
      members.set(name, this.#readValue(depth + 1));
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#error("',' or '}' expected");
    // Makes members of its own, even one that is called __proto__.
    return Object.fromEntries(members);
  }

  #readList(depth: number): readonly JsonValue[] {
    const values: JsonValue[] = [];
    this.#skipSpace();
    if (this.#take(']')) return values;
    do {
      this.#skipSpace();
      values.push(this.#readValue(depth + 1));
      this.#skipSpace();
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#error("',' or ']' expected");
    return values;
  }

  #readString(): string {
    if (!this.#take('"')) throw this.#error('a string expected');
    let value = this.#readPlainRun();
    while (!this.#take('"')) value += this.#readEscape() + this.#readPlainRun();
    // RFC 7493 §2.1
    if (!value.isWellFormed()) throw this.#error('half of a character');
    return value;
  }

  #readPlainRun(): string {
    plainRun.lastIndex = this.#position;
    const run = plainRun.exec(this.#text)?.[0] ?? '';
    this.#position += run.length;
    return run;
  }

  #readEscape(): string {
    if (!this.#take('\\')) {
      const isOver = this.#position >= this.#text.length;
      throw this.#error(isOver ? 'the string does not end' : 'a control character in a string');
    }
    const letter = this.#text[this.#position] ?? '';
    this.#position += 1;
    if (letter !== 'u') {
      const character = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
      if (character === undefined) throw this.#error('an unknown escape');
      return character;
    }
    const digits = this.#text.slice(this.#position, this.#position + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error('an unknown escape');
    this.#position += 4;
    // Databases and C programs end a text there.
    if (digits === '0000') throw this.#error('NUL in a string');
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #readWord(): boolean | null | undefined {
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#position)) continue;
      this.#position += word.length;
      return value;
    }
    return undefined;
  }

  #readNumber(): number {
    numberForm.lastIndex = this.#position;
    const digits = numberForm.exec(this.#text)?.[0];
    if (digits === undefined) throw this.#error('a JSON value expected');
    const value = Number(digits);
    if (!Number.isFinite(value)) throw this.#error('a number that is too large');
    this.#position += digits.length;
    return value;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#position += 1;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }

  #error(what: string): JoseError {
    return new JoseError('malformed', `JSON: ${what} (at character ${this.#position + 1})`);
  }
}
