// A small CoAP client for tests and benchmarks: requests with bodies of any size, block by block both ways (RFC 7959), with
// the habits of the clients of coaps.md §6 to choose from. It believes what the server says about blocks only where it fits.

import { randomBytes } from 'node:crypto';
import { optionNumbers } from '../src/message/option-numbers.ts';
import { CoapExchanges, type CoapLink, type ExchangeTimes, type Option, type Response } from './coap-exchange.ts';

export { encode, type Option, ResetError, type Response } from './coap-exchange.ts';

/** Habits of a client. */
export type CoapClientOptions = Partial<ExchangeTimes> & {
  /** Octets of a block of an upload, 16 to 1024; 512 unless told. */
  readonly blockSize?: number | undefined;
  /** What is asked for in the first request (RFC 7959 §2.4: early negotiation); nothing unless told. */
  readonly responseBlockSize?: number | undefined;
  /** RFC 9175 §3; true unless told. */
  readonly hasRequestTag?: boolean | undefined;
  /** A new token with each block, as libcoap does; false unless told. */
  readonly hasNewTokenPerBlock?: boolean | undefined;
  /** Whether requests for further blocks repeat Content-Format, Size1 and Request-Tag, as libcoap's do; true unless told. */
  readonly repeatsOptions?: boolean | undefined;
};

/** A request with its whole body. */
export type CoapClientRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH';
  /** `/.well-known/est/sen`, with a query behind `?` if there is one. */
  readonly path: string;
  readonly payload?: Uint8Array | undefined;
  readonly contentFormat?: number | undefined;
  readonly accept?: number | undefined;
  /** Beside those that the client writes. */
  readonly options?: readonly Option[] | undefined;
  readonly isConfirmable?: boolean | undefined;
};

/** A response with its whole body. */
export type CoapClientResponse = {
  readonly code: string;
  readonly payload: Buffer;
  readonly contentFormat: number | undefined;
  readonly maxAge: number | undefined;
  /** Of the last message. */
  readonly options: readonly Option[];
  /** Every response message, in order: those of the upload, then those of the download. */
  readonly messages: readonly Response[];
};

/** A Block1 or Block2 option (RFC 7959 §2.2). */
export type Block = { readonly number: number; readonly hasMore: boolean; readonly size: number };

/** A client on one link. */
export class CoapClient {
  readonly exchanges: CoapExchanges;
  readonly #options: CoapClientOptions;

  constructor(link: CoapLink, options: CoapClientOptions = {}) {
    this.exchanges = new CoapExchanges(link, options);
    this.#options = options;
  }

  /**
   * Sends a request and gathers its response. A refusal in the middle of either transfer is the response.
   *
   * @throws ResetError, or Error when the server was silent, or its blocks do not make a body
   */
  async request(request: CoapClientRequest): Promise<CoapClientResponse> {
    const transfer = new Transfer(this.exchanges, this.#options, request);
    const first = await transfer.upload();
    const payload = await transfer.download(first);
    const last = transfer.messages.at(-1) ?? first;
    return {
      code: last.code,
      payload,
      contentFormat: readUint(last.options, optionNumbers.contentFormat),
      maxAge: readUint(last.options, optionNumbers.maxAge),
      options: last.options,
      messages: transfer.messages,
    };
  }
}

class Transfer {
  readonly messages: Response[] = [];
  readonly #exchanges: CoapExchanges;
  readonly #options: CoapClientOptions;
  readonly #request: CoapClientRequest;
  readonly #requestTag: Option | undefined;
  readonly #token = randomBytes(4);
  readonly #body: Uint8Array;

  constructor(exchanges: CoapExchanges, options: CoapClientOptions, request: CoapClientRequest) {
    this.#exchanges = exchanges;
    this.#options = options;
    this.#request = request;
    this.#body = request.payload ?? new Uint8Array();
    const isTagged = (options.hasRequestTag ?? true) && this.#body.length > (options.blockSize ?? 512);
    this.#requestTag = isTagged ? { number: optionNumbers.requestTag, value: randomBytes(4) } : undefined;
  }

  /** The response to the last block. */
  async upload(): Promise<Response> {
    let size = this.#options.blockSize ?? 512;
    const body = this.#body;
    if (body.length <= size) return this.#exchange([...this.#describe(), ...this.#wish()], body);
    for (let at = 0; ; ) {
      const hasMore = at + size < body.length;
      const block = { number: at / size, hasMore, size };
      const options = [...this.#describe(), ...(hasMore ? [] : this.#wish()), blockOption('block1', block)];
      const response = await this.#exchange(options, body.subarray(at, at + size));
      if (!hasMore || response.code !== '2.31') return response;
      at += size;
      // RFC 7959 §2.3: the server may want smaller ones from here on.
      const wanted = readBlock(response.options, optionNumbers.block1);
      if (wanted !== undefined && wanted.size < size) size = wanted.size;
    }
  }

  /** The whole body, of which `first` is the beginning. */
  async download(first: Response): Promise<Buffer> {
    const parts = [first.payload];
    let received = first.payload.length;
    let block = readBlock(first.options, optionNumbers.block2);
    const eTag = readOption(first.options, optionNumbers.eTag);
    while (block?.hasMore === true) {
      const size = Math.min(block.size, this.#options.responseBlockSize ?? block.size);
      const next = blockOption('block2', { number: received / size, hasMore: false, size });
      const response = await this.#exchange([...this.#describeAgain(), next], new Uint8Array());
      if (!response.code.startsWith('2.')) return response.payload;
      block = readBlock(response.options, optionNumbers.block2);
      if (block === undefined || block.number * block.size !== received)
        throw new Error('another block than asked for');
      const tag = readOption(response.options, optionNumbers.eTag);
      // RFC 7959 §2.4: blocks of two representations make neither.
      if (Buffer.compare(tag ?? Buffer.alloc(0), eTag ?? Buffer.alloc(0)) !== 0)
        throw new Error('the ETag has changed');
      parts.push(response.payload);
      received += response.payload.length;
    }
    return Buffer.concat(parts);
  }

  async #exchange(options: readonly Option[], payload: Uint8Array): Promise<Response> {
    const { method, isConfirmable } = this.#request;
    const token = this.#options.hasNewTokenPerBlock === true ? randomBytes(4) : this.#token;
    const response = await this.#exchanges.exchange({ code: method, options, payload, token, isConfirmable });
    this.messages.push(response);
    return response;
  }

  /** The options of a message with a part of the body. */
  #describe(): Option[] {
    const isBlockwise = this.#body.length > (this.#options.blockSize ?? 512);
    return [
      ...this.#target(),
      ...uintOption(optionNumbers.contentFormat, this.#request.contentFormat),
      ...(isBlockwise ? uintOption(optionNumbers.size1, this.#body.length) : []),
      ...(this.#requestTag === undefined ? [] : [this.#requestTag]),
    ];
  }

  /** The options of a request for a further block of the response. */
  #describeAgain(): Option[] {
    return (this.#options.repeatsOptions ?? true) ? this.#describe() : this.#target();
  }

  #target(): Option[] {
    const { path, accept, options = [] } = this.#request;
    return [...uriOptions(path), ...uintOption(optionNumbers.accept, accept), ...options];
  }

  #wish(): Option[] {
    const size = this.#options.responseBlockSize;
    return size === undefined ? [] : [blockOption('block2', { number: 0, hasMore: false, size })];
  }
}

/** Uri-Path and Uri-Query of `/path?query` (RFC 7252 §6.4). */
export function uriOptions(pathAndQuery: string): Option[] {
  const [path = '', query] = pathAndQuery.split('?', 2);
  const text = (number: number, segments: readonly string[]): Option[] =>
    segments.map((segment) => ({ number, value: Buffer.from(decodeURIComponent(segment)) }));
  return [
    ...(path === '/' || path === '' ? [] : text(optionNumbers.uriPath, path.replace(/^\//, '').split('/'))),
    ...(query === undefined ? [] : text(optionNumbers.uriQuery, query.split('&'))),
  ];
}

/** Content-Format, Accept and others (RFC 7252 §3.2): the fewest octets; none for undefined. */
export function uintOption(number: number, value: number | undefined): Option[] {
  if (value === undefined) return [];
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 0x100)) octets.unshift(rest % 0x100);
  return [{ number, value: Buffer.from(octets) }];
}

/** Writes Block1 or Block2 (RFC 7959 §2.2). */
export function blockOption(kind: 'block1' | 'block2', { number, hasMore, size }: Block): Option {
  const exponent = Math.log2(size) - 4;
  const [option] = uintOption(optionNumbers[kind], number * 16 + (hasMore ? 8 : 0) + exponent);
  if (option === undefined || !Number.isInteger(exponent)) throw new Error(`${size} is no size of a block`);
  return option;
}

/** Reads Block1 or Block2, if the option is there. */
export function readBlock(options: readonly Option[], number: number): Block | undefined {
  const value = readUint(options, number);
  if (value === undefined) return undefined;
  return { number: Math.floor(value / 16), hasMore: (value & 8) !== 0, size: 2 ** ((value & 7) + 4) };
}

/** The first option with this number. */
export function readOption(options: readonly Option[], number: number): Uint8Array | undefined {
  return options.find((option) => option.number === number)?.value;
}

/** The first option with this number, as a uint. */
export function readUint(options: readonly Option[], number: number): number | undefined {
  const value = readOption(options, number);
  return value?.reduce((sum, octet) => sum * 0x100 + octet, 0);
}
