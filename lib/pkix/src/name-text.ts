// Distinguished names as text (RFC 4514), for people, configuration and logs. Text is never what names are compared by;
// areNamesEqual is.
import { attributeSyntax } from './attribute-syntaxes.ts';
import { readOnly, readString } from './der/reader.ts';
import { characterString } from './der/writer.ts';
import { NameError } from './name-error.ts';
import { type AttributeTypeAndValue, attribute, type Name } from './names.ts';

/**
 * Text of a name, the last relative name first (RFC 4514 §2.1). Types without a short name are written as dotted object
 * identifier with the value in hexadecimal DER (§2.4).
 */
export function formatName(name: Name): string {
  return name
    .map((attributes) => attributes.map(formatAttribute).join('+'))
    .reverse()
    .join(',');
}

function formatAttribute({ type, value, tag }: AttributeTypeAndValue): string {
  const syntax = attributeSyntax(type);
  if (syntax === undefined) return `${type}=#${Buffer.from(characterString(tag, value)).toString('hex')}`;
  return `${syntax.shortName}=${escapeValue(value)}`;
}

// RFC 4514 §2.4. Control characters and line separators are escaped too, so that a name cannot start a new line in a log.
function escapeValue(value: string): string {
  return value
    .replace(/[\\",;+<>]/g, '\\$&')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => Buffer.from(character).toString('hex').replace(/../g, '\\$&'))
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
}

/**
 * Reads the text of a name (RFC 4514 §3; white space around separators as RFC 2253 had it). Values get the string types
 * of {@link attribute}.
 *
 * @throws NameError when the text is not a distinguished name
 */
export function parseName(text: string): Name {
  const scanner = new Scanner(text);
  if (scanner.isAtEnd) return [];
  const relativeNames: AttributeTypeAndValue[][] = [[scanner.readAttribute()]];
  while (!scanner.isAtEnd) {
    const separator = scanner.readSeparator();
    if (separator === '+') relativeNames.at(-1)?.push(scanner.readAttribute());
    else relativeNames.push([scanner.readAttribute()]);
  }
  return relativeNames.reverse();
}

class Scanner {
  private readonly text: string;
  private position = 0;

  constructor(text: string) {
    this.text = text.trimStart();
  }

  get isAtEnd(): boolean {
    return this.position >= this.text.length;
  }

  readSeparator(): string {
    const separator = this.text[this.position++] ?? '';
    if (separator !== ',' && separator !== '+' && separator !== ';') throw this.problem('a separator is missing');
    return separator;
  }

  readAttribute(): AttributeTypeAndValue {
    const equals = this.text.indexOf('=', this.position);
    if (equals < 0) throw this.problem("'=' is missing");
    const type = this.text.slice(this.position, equals).trim();
    if (!/^([A-Za-z][A-Za-z0-9-]*|[0-2](\.(0|[1-9][0-9]*))+)$/.test(type))
      throw this.problem('an attribute type is missing');
    this.position = equals + 1;
    while (this.text[this.position] === ' ') this.position++;
    if (this.text[this.position] === '#') return this.readHexadecimal(type);
    return attribute(type, this.text[this.position] === '"' ? this.readQuoted() : this.readPlain());
  }

  private readHexadecimal(type: string): AttributeTypeAndValue {
    const match = /^#((?:[0-9a-fA-F]{2})+) *(?=[,;+]|$)/.exec(this.text.slice(this.position));
    if (match === null) throw this.problem('a hexadecimal value is cut off');
    this.position += match[0].length;
    try {
      const { tag, value } = readString(readOnly(Buffer.from(match[1] ?? '', 'hex')));
      return { ...attribute(type, ''), tag, value };
    } catch (cause) {
      throw new NameError(`${type}: the hexadecimal value is not a character string`, { cause });
    }
  }

  private readQuoted(): string {
    const octets: number[] = [];
    for (this.position++; this.text[this.position] !== '"'; ) this.readCharacter(octets);
    this.position++;
    while (this.text[this.position] === ' ') this.position++;
    return this.decode(octets);
  }

  private readPlain(): string {
    const octets: number[] = [];
    // Spaces at the end belong to the value only when they are escaped.
    let significant = 0;
    while (!this.isAtEnd && !',;+'.includes(this.text[this.position] ?? '')) {
      const isSpace = this.text[this.position] === ' ';
      this.readCharacter(octets);
      if (!isSpace) significant = octets.length;
    }
    return this.decode(octets.slice(0, significant));
  }

  // One character, or an escaped one, as UTF-8: hexadecimal pairs stand for octets, not for characters.
  private readCharacter(octets: number[]): void {
    const point = this.text.codePointAt(this.position);
    if (point === undefined) throw this.problem('the text ends inside of a value');
    if (point !== 0x5c) {
      octets.push(...Buffer.from(String.fromCodePoint(point), 'utf8'));
      this.position += point > 0xffff ? 2 : 1;
      return;
    }
    const pair = /^\\([0-9a-fA-F]{2})/.exec(this.text.slice(this.position, this.position + 3));
    const special = /^\\([\\",;+<>=# ])/.exec(this.text.slice(this.position, this.position + 2));
    if (pair !== null) octets.push(Number.parseInt(pair[1] ?? '', 16));
    else if (special !== null) octets.push((special[1] ?? '').charCodeAt(0));
    else throw this.problem("'\\' stands before a character that needs none");
    this.position += pair !== null ? 3 : 2;
  }

  private decode(octets: readonly number[]): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(octets));
    } catch (cause) {
      throw new NameError('an escaped value is not UTF-8', { cause });
    }
  }

  private problem(what: string): NameError {
    return new NameError(`'${this.text}' is not a distinguished name: ${what} at character ${this.position + 1}`);
  }
}
