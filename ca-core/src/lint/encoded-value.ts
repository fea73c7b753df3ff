// An element inside of a certificate as lints look at it: its identifier octet, its octets, and its octets as text. Views are
// made when asked for and kept, because many lints look at the same few names.
import type { DerElement } from '@gatehouse/pkix/der/reader';
import { latin1 } from './quote.ts';

/** Identifier octet and contents of an element. */
export class EncodedValue {
  readonly tag: number;
  readonly #element: DerElement;
  #text: string | undefined;

  constructor(element: DerElement) {
    this.tag = element.tag;
    this.#element = element;
  }

  get contents(): Uint8Array {
    return this.#element.contents;
  }

  /** The octets as Latin-1, which is the text of every string type that is ASCII by definition. */
  get text(): string {
    this.#text ??= latin1(this.#element.contents);
    return this.#text;
  }
}
