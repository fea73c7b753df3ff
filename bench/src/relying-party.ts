/** What a relying party does: it asks for the status of a certificate over plain HTTP, and verifies what it is told. */
import { readFileSync } from 'node:fs';
import { type Agent, get } from 'node:http';
import { join } from 'node:path';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import { readOcspResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { verifyOcspResponse } from '@gatehouse/pkix/ocsp/verify-response';
import { decodePem } from '@gatehouse/pkix/pem';

/** The issuing CA of a data directory. */
export function readIssuer(directory: string): Certificate {
  const [first] = decodePem(readFileSync(join(directory, 'trust/chain.pem'), 'utf8'), ['CERTIFICATE']);
  if (first === undefined) throw new Error('trust/chain.pem is empty');
  return readCertificate(first.der);
}

/** An OCSP request as clients put it behind the URL: CertID with SHA-1, RFC 6960 appendix A.1. */
export function encodeRequest(issuer: Certificate, serialNumber: string): string {
  const request = writeOcspRequest({ certificateIds: [writeCertificateId('sha1', issuer, serialNumber)] });
  return encodeURIComponent(Buffer.from(request).toString('base64'));
}

/** What a response says of its one certificate; undefined when it says nothing. Throws when it must not be believed. */
export function readStatus(octets: Uint8Array, issuer: Certificate): 'good' | 'revoked' | 'unknown' | undefined {
  const response = readOcspResponse(octets);
  if (response.status !== 'successful') return undefined;
  const verification = verifyOcspResponse(response, { issuer, now: new Date() });
  if (!verification.ok) throw new Error(`the response does not hold: ${verification.reason}`);
  return response.singles[0]?.status.kind;
}

/** Fetches over a connection that is kept alive. Rejects when the answer is not 200. */
export function fetchOctets(url: string, agent: Agent): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        answer.statusCode === 200
          ? resolve(Buffer.concat(chunks))
          : reject(new Error(`${url} answered ${answer.statusCode}`)),
      );
    }).on('error', reject);
  });
}
