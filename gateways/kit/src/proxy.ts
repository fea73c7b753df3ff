// Client certificates that arrive through a TLS-terminating proxy: the Client-Cert and Client-Cert-Chain fields of RFC 9440, believed only from proxies on a list,
// which prove themselves with a certificate over mutual TLS. From anyone else the fields are ignored, and nothing is ever bound to a proxied connection.

import { createHash } from 'node:crypto';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { z } from 'zod';
import type { PeerFacts } from './peer.ts';

/** Configuration: the proxies that may speak for clients. */
export const proxiesSchema = z
  .array(
    z.strictObject({
      /** SHA-256 of the proxy's certificate (DER), hexadecimal. */
      certificateSha256: z
        .string()
        .regex(
          /^(?:[0-9a-fA-F]{2}:?){31}[0-9a-fA-F]{2}$/,
          'must be the SHA-256 of a certificate, 64 hexadecimal digits',
        )
        .transform((text) => text.replaceAll(':', '').toLowerCase()),
    }),
  )
  .default([]);

/** Proxies that may speak for clients. */
export type Proxies = z.output<typeof proxiesSchema>;

/** The header fields of a request, looked up without regard to case. */
export type HeaderLookup = (name: string) => string | undefined;

/** What a trusted proxy says about its client cannot be read. */
export class ProxyHeaderError extends Error {
  override readonly name = 'ProxyHeaderError';
  readonly code = 'malformed';
}

// A chain of eight ML-DSA certificates.
const longestField = 65_536;
const longestChain = 8;
// RFC 8941 §3.3.5: a Byte Sequence.
const byteSequence = /^:([A-Za-z0-9+/]*={0,2}):$/;

/**
 * The facts about the client of a request: the peer itself, or, when the peer is a listed proxy, the client for which it speaks.
 *
 * @throws {ProxyHeaderError} when a listed proxy sends fields that break RFC 9440
 */
export function resolvePeer(peer: PeerFacts, header: HeaderLookup, proxies: Proxies): PeerFacts {
  if (proxies.length === 0 || peer.certificate === undefined) return peer;
  const fingerprint = createHash('sha256').update(peer.certificate).digest('hex');
  if (!proxies.some(({ certificateSha256 }) => certificateSha256 === fingerprint)) return peer;
  const certificate = header('client-cert');
  const chain = header('client-cert-chain');
  if (certificate === undefined && chain !== undefined) {
    // RFC 9440 §2.3: the chain is never sent without the certificate.
    throw new ProxyHeaderError('Client-Cert-Chain without Client-Cert');
  }
  return {
    remoteAddress: peer.remoteAddress,
    proxyAddress: peer.remoteAddress,
    tlsVersion: peer.tlsVersion,
    cipher: peer.cipher,
    certificate: certificate === undefined ? undefined : readField(certificate, 'Client-Cert'),
    chain: chain === undefined ? [] : readChain(chain),
    // The TLS connection ends at the proxy: RFC 9440 §4 leaves nothing of the client's to bind to.
    channelBinding: { tlsUnique: undefined, exporter: () => undefined },
  };
}

function readChain(field: string): readonly Uint8Array[] {
  const members = field.length > longestField ? [] : field.split(',').map((member) => member.trim());
  if (members.length === 0 || members.length > longestChain)
    throw new ProxyHeaderError('Client-Cert-Chain is too long');
  return members.map((member) => readField(member, 'Client-Cert-Chain'));
}

function readField(value: string, field: string): Uint8Array {
  const [, base64] = value.length > longestField ? [] : (byteSequence.exec(value.trim()) ?? []);
  if (base64 === undefined) throw new ProxyHeaderError(`${field} is not a byte sequence`);
  const der = Buffer.from(base64, 'base64');
  try {
    readCertificate(der);
  } catch {
    throw new ProxyHeaderError(`${field} does not hold a certificate`);
  }
  return der;
}
