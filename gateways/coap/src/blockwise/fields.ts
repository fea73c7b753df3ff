// What the block-wise layer reads in a request, RFC 7959 and RFC 9175 §3: the parts that say which transfer it belongs to.
// The token is not among them: it names a message exchange, and stock clients take a new one for every block.

import { hash } from 'node:crypto';
import { methods } from '../message/codes.ts';
import type { CoapOption, RequestMessage } from '../message/message.ts';
import { optionNumbers } from '../message/option-numbers.ts';
import { optionOf, optionsOf, readString, uintOptionOf } from '../message/options.ts';
import { type Block, decodeBlock } from './block.ts';

/** A request, taken apart. */
export type RequestFields = {
  readonly method: number;
  readonly path: readonly string[];
  readonly query: readonly string[];
  readonly contentFormat: number | undefined;
  readonly accept: number | undefined;
  readonly block1: Block | undefined;
  readonly block2: Block | undefined;
  /** Size of the request's body as the client says. */
  readonly size1: number | undefined;
  /** The client wants to know the size of the response's body, RFC 7959 §4. */
  readonly asksForSize2: boolean;
  /** Method and path: what a transfer without Request-Tag is known by. */
  readonly resourceKey: string;
  /** Method, path, query and Request-Tag, of which absent and empty are not the same, RFC 9175 §3.2.1. */
  readonly transferKey: string;
  readonly hasRequestTag: boolean;
  readonly payload: Uint8Array;
  readonly options: readonly CoapOption[];
};

/**
 * Takes a request apart.
 *
 * @returns what is wrong with it, for a 4.00
 */
export function readFields(message: RequestMessage): RequestFields | { readonly defect: string } {
  const { options, method, payload } = message;
  const pathValues = optionsOf(message, optionNumbers.uriPath);
  const queryValues = optionsOf(message, optionNumbers.uriQuery);
  const tags = optionsOf(message, optionNumbers.requestTag);
  const path = readStrings(pathValues);
  const query = readStrings(queryValues);
  if (path === undefined || query === undefined) return { defect: 'Uri-Path or Uri-Query is not UTF-8' };
  const block1 = blockOf(message, optionNumbers.block1);
  const block2 = blockOf(message, optionNumbers.block2);
  if (block1 === 'reserved' || block2 === 'reserved') return { defect: 'SZX 7 is reserved' };
  // RFC 7959 §2.1: Block1 is about a request's payload, and a GET has none.
  if (method === methods.get && block1 !== undefined) return { defect: 'Block1 in a GET' };
  const resource = `${method} ${keyOf(pathValues)}`;
  return {
    method,
    path,
    query,
    contentFormat: uintOptionOf(message, optionNumbers.contentFormat),
    accept: uintOptionOf(message, optionNumbers.accept),
    block1,
    block2,
    size1: uintOptionOf(message, optionNumbers.size1),
    asksForSize2: optionsOf(message, optionNumbers.size2).length > 0,
    resourceKey: digestOf(resource),
    transferKey: digestOf(`${resource} ? ${keyOf(queryValues)} # ${keyOf(tags)}`),
    hasRequestTag: tags.length > 0,
    payload,
    options,
  };
}

function blockOf(message: RequestMessage, number: number): Block | 'reserved' | undefined {
  const value = optionOf(message, number);
  return value === undefined ? undefined : (decodeBlock(value) ?? 'reserved');
}

function readStrings(values: readonly Uint8Array[]): readonly string[] | undefined {
  const strings = values.map(readString);
  return strings.every((string) => string !== undefined) ? strings : undefined;
}

/** What is kept of a key has one size, whatever a client makes of its path and query. */
function digestOf(key: string): string {
  return hash('sha256', key, 'base64');
}

/** One text for one list of values: lengths and separators cannot be confused with what a client sends. */
function keyOf(values: readonly Uint8Array[]): string {
  return values.map((value) => `/${Buffer.from(value).toString('hex')}`).join('');
}
