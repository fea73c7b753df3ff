// What can be told of a datagram before any key is known: the header of its first DTLS record (RFC 6347 §4.1), and a
// ClientHello in the clear (§4.2.2). It decides whose turn it is, and what a cookie is made of. It must not decide about
// anything else: these octets are anybody's, and OpenSSL reads them again.

/** RFC 5246 §6.2.1. */
export const contentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** What the first record of a datagram is. */
export type FirstRecord = { readonly contentType: number; readonly epoch: number; readonly isClientHello: boolean };

/** The parts of a ClientHello. */
export type ClientHello = {
  /** 32 octets as hexadecimal text: one handshake of a client, however often its flight is sent. */
  readonly random: string;
  readonly hasCookie: boolean;
  /** Version, random, session_id, cipher_suites and compression_methods: RFC 6347 §4.2.1 has them the same in both flights. */
  readonly parameters: readonly Uint8Array[];
};

const recordHeaderOctets = 13;
const handshakeHeaderOctets = 12;
const clientHelloType = 1;
const dtlsMajorVersion = 0xfe;
const randomOctets = 32;

/** @returns undefined when it is no DTLS record that is there whole */
export function readFirstRecord(datagram: Uint8Array): FirstRecord | undefined {
  if (datagram.length < recordHeaderOctets + 1) return undefined;
  const type = datagram[0] ?? 0;
  if (type < contentType.changeCipherSpec || type > contentType.applicationData) return undefined;
  if (datagram[1] !== dtlsMajorVersion) return undefined;
  const length = uint16(datagram, 11);
  if (length === 0 || recordHeaderOctets + length > datagram.length) return undefined;
  const epoch = uint16(datagram, 3);
  const isClientHello =
    epoch === 0 && type === contentType.handshake && datagram[recordHeaderOctets] === clientHelloType;
  return { contentType: type, epoch, isClientHello };
}

/** Explicit nonce and tag, RFC 6655 §3 and §4, RFC 5288 §3: no record of a suite is shorter. */
const shortTagOctets = 8 + 8;
const longTagOctets = 8 + 16;

/** Octets that every encrypted record of a suite has at least. @param cipherSuite IANA's name; undefined while it is not known */
export function leastRecordOctets(cipherSuite?: string): number {
  return cipherSuite === undefined || cipherSuite.endsWith('_CCM_8') ? shortTagOctets : longTagOctets;
}

/**
 * Whether a datagram has an encrypted record that is too short for any content. RFC 6347 §4.1.2.7 has such a record discarded;
 * OpenSSL 3.5 ends the session with internal_error instead, which anybody could cause who writes the peer's address on a
 * datagram.
 */
export function hasShortRecord(datagram: Uint8Array, leastOctets: number): boolean {
  for (let at = 0; at + recordHeaderOctets <= datagram.length; ) {
    const length = uint16(datagram, at + 11);
    if (uint16(datagram, at + 3) > 0 && length < leastOctets) return true;
    at += recordHeaderOctets + length;
  }
  return false;
}

/**
 * Reads the ClientHello that begins a datagram.
 *
 * @param datagram one whose first record is a ClientHello
 * @returns undefined when its parts do not fit into each other, or it is a fragment: to put fragments together, something
 *   would have to be kept for a peer that may not exist
 */
export function readClientHello(datagram: Uint8Array): ClientHello | undefined {
  const start = recordHeaderOctets + handshakeHeaderOctets;
  const end = recordHeaderOctets + uint16(datagram, 11);
  if (end > datagram.length || end < start) return undefined;
  const length = uint24(datagram, recordHeaderOctets + 1);
  const fragmentOffset = uint24(datagram, recordHeaderOctets + 6);
  const fragmentLength = uint24(datagram, recordHeaderOctets + 9);
  if (fragmentOffset !== 0 || fragmentLength !== length || start + length > end) return undefined;
  const hello = datagram.subarray(start, start + length);
  const sessionIdStart = 2 + randomOctets;
  const cookieStart = behindVector(hello, sessionIdStart, 1);
  const suitesStart = cookieStart === undefined ? undefined : behindVector(hello, cookieStart, 1);
  const compressionStart = suitesStart === undefined ? undefined : behindVector(hello, suitesStart, 2);
  const extensionsStart = compressionStart === undefined ? undefined : behindVector(hello, compressionStart, 1);
  if (cookieStart === undefined || suitesStart === undefined || extensionsStart === undefined) return undefined;
  return {
    random: Buffer.from(hello.subarray(2, sessionIdStart)).toString('hex'),
    hasCookie: hello[cookieStart] !== 0,
    parameters: [hello.subarray(0, cookieStart), hello.subarray(suitesStart, extensionsStart)],
  };
}

/** Where a vector ends whose length is in `octets` octets at `at`. */
function behindVector(bytes: Uint8Array, at: number, octets: 1 | 2): number | undefined {
  if (at + octets > bytes.length) return undefined;
  const end = at + octets + (octets === 1 ? (bytes[at] ?? 0) : uint16(bytes, at));
  return end > bytes.length ? undefined : end;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function uint24(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) << 8) | (bytes[at + 2] ?? 0);
}
