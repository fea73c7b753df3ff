// Things that a keep would have signed: issuers, pre-signed responses, CRLs. They are right in form and really signed; what
// they say is what the test says.

import { createHash, createPublicKey, sign } from 'node:crypto';
import { readCertificate } from '@gatehouse/pkix/certificate';
import {
  bitString,
  enumerated,
  explicit,
  generalizedTime,
  implicit,
  implicitConstructed,
  integer,
  nullValue,
  octetString,
  sequence,
  time,
} from '@gatehouse/pkix/der/writer';
import { issuerHashes, type OcspHash, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';
import type {
  OcspResponder,
  SignedCrl,
  SignedResponseData,
  SignedStatus,
  StatusIssuer,
} from '@gatehouse/ra-client/status';
import { createTestAuthority } from '@gatehouse/ra-client/testing/certificate-builder';

/** The trust anchor of a test. */
export const root = createTestAuthority('root');
/** Its issuing CA. */
export const issuing = createTestAuthority('issuing', root);
/** Its certificate. */
export const issuingCertificate = readCertificate(issuing.certificate);
/** Another one, which no gate of a test knows. */
export const strangerCertificate = readCertificate(createTestAuthority('stranger').certificate);

const responderKey = createTestAuthority('responder').key;
const responderCertificate = Buffer.from(
  issuing.issue({
    commonName: 'responder',
    publicKey: createPublicKey(responderKey).export({ format: 'der', type: 'spki' }),
  }),
);

/** The delegated responder of all responses. */
export const responder: OcspResponder = {
  id: createHash('sha256').update(responderCertificate).digest(),
  certificate: responderCertificate,
  signatureAlgorithm: Buffer.from(signatureAlgorithmFor(responderKey).identifier),
};

/** The issuing CA as the keep publishes it. */
export function statusIssuer(overrides: Partial<StatusIssuer> = {}): StatusIssuer {
  return {
    name: 'issuing',
    certificate: Buffer.from(issuing.certificate),
    hasOcsp: true,
    answersNonce: false,
    ...overrides,
  };
}

/** What a response says. */
export type StatusFacts = {
  readonly serialNumber?: string;
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  readonly isRevoked?: boolean;
};

const day = 86_400_000;

/** A pre-signed response, good for a day from a minute ago unless told. */
export function signedStatus({ serialNumber = '0a01', isRevoked = false, ...times }: StatusFacts = {}): SignedStatus {
  const thisUpdate = times.thisUpdate ?? new Date(Math.floor(Date.now() / 1000 - 60) * 1000);
  const nextUpdate = times.nextUpdate ?? new Date(thisUpdate.getTime() + day);
  const make = (hash: OcspHash): SignedResponseData => {
    const responseData = writeResponseData(hash, serialNumber, isRevoked, thisUpdate, nextUpdate);
    return { responseData, signature: sign('sha256', responseData, responderKey) };
  };
  return {
    authority: 'issuing',
    serialNumber,
    responderId: responder.id,
    thisUpdate,
    nextUpdate,
    sha1: make('sha1'),
    sha256: make('sha256'),
  };
}

function writeResponseData(
  hash: OcspHash,
  serialNumber: string,
  isRevoked: boolean,
  thisUpdate: Date,
  nextUpdate: Date,
): Buffer {
  const { key } = issuerHashes('sha1', { ...issuingCertificate });
  const status = isRevoked
    ? implicitConstructed(1, sequence(generalizedTime(thisUpdate), explicit(0, enumerated(1))))
    : implicit(0, nullValue());
  const single = sequence(
    writeCertificateId(hash, issuingCertificate, serialNumber),
    status,
    generalizedTime(thisUpdate),
    explicit(0, generalizedTime(nextUpdate)),
  );
  return Buffer.from(sequence(explicit(2, octetString(key)), generalizedTime(thisUpdate), sequence(single)));
}

/** What a CRL says. */
export type CrlToMake = Partial<Pick<SignedCrl, 'scope' | 'isDelta' | 'crlNumber' | 'thisUpdate' | 'nextUpdate'>> & {
  /** Octets beyond what a CRL needs, to make it large. */
  readonly padding?: number;
};

/** A CRL with its facts. */
export function signedCrl(options: CrlToMake = {}): { readonly facts: SignedCrl; readonly octets: Buffer } {
  const { scope = 'issuing-1', isDelta = false, crlNumber = 7, padding = 0 } = options;
  const thisUpdate = options.thisUpdate ?? new Date(Math.floor(Date.now() / 1000 - 60) * 1000);
  const nextUpdate = options.nextUpdate ?? new Date(thisUpdate.getTime() + 3 * day);
  const { identifier, sign: signTbs } = signatureAlgorithmFor(issuing.key);
  const filling = padding === 0 ? [] : [octetString(Buffer.alloc(padding, 7))];
  const tbs = sequence(
    integer(1),
    identifier,
    issuingCertificate.subjectDer,
    time(thisUpdate),
    time(nextUpdate),
    explicit(0, sequence(integer(crlNumber), ...filling)),
  );
  const octets = Buffer.from(sequence(tbs, identifier, bitString(signTbs(tbs))));
  const facts: SignedCrl = {
    scope,
    isDelta,
    authority: 'issuing',
    crlNumber,
    baseCrlNumber: isDelta ? crlNumber - 1 : undefined,
    thisUpdate,
    nextUpdate,
    entries: 0,
    size: octets.length,
    sha256: createHash('sha256').update(octets).digest(),
  };
  return { facts, octets };
}
