// Where the parts of a running stack are, read from the endpoints.json that `gatehouse up` writes: the only way in for
// everything that tests from outside. What is missing is an error, never a guess.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the clients need; files are absolute paths. */
export type Endpoints = {
  /** The root certificate, PEM. */
  readonly trustAnchor: string;
  /** The issuing CAs, PEM. */
  readonly chain: string;
  readonly est: {
    /** `https://127.0.0.1:7030`, without a path. */
    readonly url: string;
    readonly username: string;
    readonly password: string;
  };
  readonly status: {
    /** `http://127.0.0.1:6960/ocsp`. */
    readonly ocsp: string;
    /** `http://127.0.0.1:6960/crl`; CRLs are below it. */
    readonly crl: string;
  };
  /** Where the stack has an ACME gate. */
  readonly acme?: { readonly directory: string } | undefined;
  /** Where the stack has a CoAP gate: `coaps://127.0.0.1:5684`. */
  readonly coap?: { readonly url: string } | undefined;
};

/** endpoints.json does not say what it must. */
export class EndpointsError extends Error {
  override readonly name = 'EndpointsError';
}

/** Reads DIR/endpoints.json. @throws {EndpointsError} naming what is missing */
export function readEndpoints(directory: string): Endpoints {
  return parseEndpoints(readFileSync(join(directory, 'endpoints.json'), 'utf8'), directory);
}

/** Reads the text of an endpoints.json whose paths are relative to `directory`. @throws {EndpointsError} */
export function parseEndpoints(text: string, directory: string): Endpoints {
  const document: unknown = JSON.parse(text);
  const est = member(document, 'est');
  const status = member(document, 'status');
  return {
    trustAnchor: join(directory, textOf(document, 'trustAnchor')),
    chain: join(directory, textOf(document, 'chain')),
    est: { url: textOf(est, 'url'), username: textOf(est, 'username'), password: textOf(est, 'password') },
    status: { ocsp: textOf(status, 'ocsp'), crl: textOf(status, 'crl') },
    ...(has(document, 'acme') ? { acme: { directory: textOf(member(document, 'acme'), 'directory') } } : {}),
    ...(has(document, 'coap') ? { coap: { url: textOf(member(document, 'coap'), 'url') } } : {}),
  };
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !(key in value)) {
    throw new EndpointsError(`endpoints.json has no '${key}'`);
  }
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}

function textOf(value: unknown, key: string): string {
  const text = member(value, key);
  if (typeof text !== 'string') throw new EndpointsError(`'${key}' in endpoints.json is no text`);
  return text;
}
