/**
 * DIR/endpoints.json: where the running gates are, for tests, scripts and people (ARCHITECTURE §5). Whoever finds the
 * file may rely on what stands in it: it is written when everything answers and removed when something ends.
 */
import { rmSync } from 'node:fs';
import { writePrivateFile } from '@gatehouse/runtime/private-file';
import { splitAddress } from '../address.ts';
import type { DataDirectory } from '../data-directory.ts';

/** Paths are relative to the data directory. */
export type Endpoints = {
  /** The root alone. */
  readonly trustAnchor: string;
  /** The issuing CAs, issuer of end-entity certificates first. */
  readonly chain: string;
  readonly core: {
    /** `host:port`. */
    readonly address: string;
  };
  readonly est?: EstEndpoint | undefined;
  readonly coap?: CoapEndpoint | undefined;
  readonly acme?: AcmeEndpoint | undefined;
  readonly status?: StatusEndpoint | undefined;
};

export type EstEndpoint = {
  /** Without a path. */
  readonly url: string;
  /** The user for trying out, where there is one. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
};

export type CoapEndpoint = {
  /** Without a path. */
  readonly url: string;
  /** The device for trying out, where there is one: its IDevID (IEEE 802.1AR). */
  readonly deviceCertificate?: string | undefined;
  readonly deviceKey?: string | undefined;
  /** The root of its manufacturer. */
  readonly manufacturer?: string | undefined;
};

export type AcmeEndpoint = {
  /** URL of the directory, RFC 8555 §7.1.1. */
  readonly directory: string;
};

export type StatusEndpoint = {
  /** URL of the OCSP responder. */
  readonly ocsp: string;
  /** URL below which the CRLs are: `<crl>/<scope>.crl`. */
  readonly crl: string;
};

/** Writes the file; it holds a password. */
export function writeEndpoints(data: DataDirectory, endpoints: Endpoints): void {
  writePrivateFile(data.endpoints, `${JSON.stringify(endpoints, undefined, 2)}\n`);
}

/** Removes the file: nothing answers any more, or not yet. */
export function removeEndpoints(data: DataDirectory): void {
  rmSync(data.endpoints, { force: true });
}

/** The URL of a listener as a client on this machine writes it. */
export function urlOf(scheme: 'http' | 'https' | 'coaps', address: string): string {
  const { host, port } = splitAddress(address);
  const isWildcard = host === '0.0.0.0' || host === '[::]';
  return `${scheme}://${isWildcard ? 'localhost' : host}:${port}`;
}
