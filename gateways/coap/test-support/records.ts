// Records and handshake messages of DTLS 1.2 (RFC 6347 §4.1, §4.2.2) taken apart and put together by hand, for tests that
// send what no library would.

/** RFC 5246 §6.2.1. */
export const contentTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;
/** RFC 5246 §7.4. */
export const handshakeTypes = {
  clientHello: 1,
  helloVerifyRequest: 3,
  certificate: 11,
  certificateVerify: 15,
  clientKeyExchange: 16,
} as const;

/** One record. */
export type DtlsRecord = {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly fragment: Uint8Array;
};

/** A fragment of a handshake message. */
export type HandshakeFragment = {
  readonly type: number;
  /** Of the whole message. */
  readonly length: number;
  readonly messageSequence: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
};

const headOctets = 13;
const handshakeHeadOctets = 12;

/** The records of a datagram of one's own client, which is well-formed. */
export function readRecords(datagram: Uint8Array): DtlsRecord[] {
  const bytes = Buffer.from(datagram);
  const records: DtlsRecord[] = [];
  for (let at = 0; at + headOctets <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 11);
    records.push({
      type: bytes.readUInt8(at),
      version: bytes.readUInt16BE(at + 1),
      epoch: bytes.readUInt16BE(at + 3),
      sequence: bytes.readUIntBE(at + 5, 6),
      fragment: bytes.subarray(at + headOctets, at + headOctets + length),
    });
    at += headOctets + length;
  }
  return records;
}

/** One record; a `length` of one's own lies about what follows. */
export function writeRecord(record: DtlsRecord, length = record.fragment.length): Buffer {
  const head = Buffer.alloc(headOctets);
  head.writeUInt8(record.type, 0);
  head.writeUInt16BE(record.version, 1);
  head.writeUInt16BE(record.epoch, 3);
  head.writeUIntBE(record.sequence, 5, 6);
  head.writeUInt16BE(length & 0xffff, 11);
  return Buffer.concat([head, record.fragment]);
}

/** A handshake fragment of a record in the clear. */
export function readHandshakeFragment({ fragment }: DtlsRecord): HandshakeFragment {
  const bytes = Buffer.from(fragment);
  return {
    type: bytes.readUInt8(0),
    length: bytes.readUIntBE(1, 3),
    messageSequence: bytes.readUInt16BE(4),
    offset: bytes.readUIntBE(6, 3),
    bytes: bytes.subarray(handshakeHeadOctets, handshakeHeadOctets + bytes.readUIntBE(9, 3)),
  };
}

/** What stands in a record: the head of a fragment and its bytes. `claimed` lies about their number. */
export function writeHandshakeFragment(fragment: HandshakeFragment, claimed = fragment.bytes.length): Buffer {
  const head = Buffer.alloc(handshakeHeadOctets);
  head.writeUInt8(fragment.type, 0);
  head.writeUIntBE(fragment.length & 0xffffff, 1, 3);
  head.writeUInt16BE(fragment.messageSequence, 4);
  head.writeUIntBE(fragment.offset & 0xffffff, 6, 3);
  head.writeUIntBE(claimed & 0xffffff, 9, 3);
  return Buffer.concat([head, fragment.bytes]);
}

/** Whether a record of the handshake is in the clear. */
export function isClearHandshake(record: DtlsRecord): boolean {
  return record.type === contentTypes.handshake && record.epoch === 0;
}
