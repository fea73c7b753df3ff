// Requests that are in order and about certificates of others: `unauthorized`, RFC 6960 §2.3 and RFC 5019 §2.2.3.

import { octetString } from '@gatehouse/pkix/der/writer';
import { algorithms } from '@gatehouse/pkix/object-identifiers';
import { type CertIdFields, craftCertId, hashAlgorithm, spoilHash } from '../crafted-ocsp-request.ts';
import { type BrokenStatusInput, crafted } from './row.ts';

const section = 'RFC 6960 §2.3';

function foreign(name: string, change: (fields: CertIdFields) => Partial<CertIdFields>): BrokenStatusInput {
  return {
    name,
    section,
    refusal: { ocsp: 'unauthorized' },
    request: crafted(({ fields }) => ({ certificateIds: [craftCertId({ ...fields, ...change(fields) })] })),
  };
}

/** The rows. */
export const issuers: readonly BrokenStatusInput[] = [
  foreign('an issuer of another name', ({ issuerNameHash }) => ({ issuerNameHash: spoilHash(issuerNameHash) })),
  foreign('an issuer with another key', ({ issuerKeyHash }) => ({ issuerKeyHash: spoilHash(issuerKeyHash) })),
  foreign('a hash of another length', () => ({ issuerNameHash: octetString(Buffer.alloc(32, 7)) })),
  foreign('a hash that the gate does not make', () => ({
    hashAlgorithm: hashAlgorithm(algorithms.sha512),
    issuerNameHash: octetString(Buffer.alloc(64, 7)),
    issuerKeyHash: octetString(Buffer.alloc(64, 7)),
  })),
  {
    name: 'its own issuer beside another one',
    section,
    refusal: { ocsp: 'unauthorized' },
    request: crafted(({ certificateId, fields }) => ({
      certificateIds: [certificateId, craftCertId({ ...fields, issuerKeyHash: spoilHash(fields.issuerKeyHash) })],
    })),
  },
];
