// A relying party: it asks for status over plain HTTP, and believes what the issuing CA of the data directory has signed or
// charged somebody with signing, and nothing else. Each request has a connection of its own, so that one to a gate that was
// killed is never taken for an answer.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { type CertificateList, readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { type OcspHash, writeCertificateId } from '@gatehouse/pkix/ocsp/certificate-id';
import { writeOcspRequest } from '@gatehouse/pkix/ocsp/request';
import type { OcspErrorStatus } from '@gatehouse/pkix/ocsp/response';
import { readOcspResponse, type SingleResponse } from '@gatehouse/pkix/ocsp/response-contents';
import { verifyOcspResponse } from '@gatehouse/pkix/ocsp/verify-response';
import { decodePem } from '@gatehouse/pkix/pem';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';

/** What an HTTP server answered. */
export type HttpAnswer = { readonly status: number; readonly etag: string | undefined; readonly body: Buffer };

/** A status that was verified, or that the responder had none. */
export type ReportedStatus =
  | (SingleResponse['status'] & {
      readonly thisUpdate: Date;
      readonly nextUpdate: Date | undefined;
      /** Serial number of the responder's certificate. */
      readonly responder: string;
    })
  | { readonly kind: OcspErrorStatus };

/** Asks one gate. */
export type RelyingParty = {
  readonly issuer: Certificate;
  /** The status of a certificate, by its serial number. Rejects when the answer must not be believed. */
  ocsp(serialNumber: string, hash?: OcspHash): Promise<ReportedStatus>;
  /** A CRL, by its name (`issuing-1`, `issuing-1-delta`), or the HTTP status of a refusal. */
  crl(name: string): Promise<CertificateList | number>;
  /** Anything below the base URL. @param etag asks whether it is still that */
  fetch(path: string, etag?: string): Promise<HttpAnswer>;
};

/** A relying party that trusts the issuing CA of a data directory and asks at a port of loopback. */
export function createRelyingParty(directory: string, port: number): RelyingParty {
  const issuer = readIssuer(directory);
  const fetch = (path: string, etag?: string): Promise<HttpAnswer> => httpGet(`http://127.0.0.1:${port}${path}`, etag);
  return {
    issuer,
    fetch,
    async ocsp(serialNumber, hash = 'sha1') {
      const certificateId = writeCertificateId(hash, issuer, serialNumber);
      const request = Buffer.from(writeOcspRequest({ certificateIds: [certificateId] }));
      const { status, body } = await fetch(`/ocsp/${encodeURIComponent(request.toString('base64'))}`);
      assert.equal(status, 200, body.toString());
      const response = readOcspResponse(body);
      if (response.status !== 'successful') return { kind: response.status };
      const verification = verifyOcspResponse(response, { issuer, now: new Date() });
      assert.ok(verification.ok, verification.ok ? '' : verification.reason);
      const [single] = response.singles;
      assert.ok(single !== undefined && Buffer.compare(single.certificateId.der, certificateId) === 0);
      const { thisUpdate, nextUpdate } = single;
      return { ...single.status, thisUpdate, nextUpdate, responder: verification.responder.serialNumber };
    },
    async crl(name) {
      const { status, body } = await fetch(`/crl/${name}.crl`);
      return status === 200 ? readVerifiedCrl(body, issuer) : status;
    },
  };
}

/** Reads a CRL; fails when the issuer has not signed it. */
export function readVerifiedCrl(der: Uint8Array, issuer: Certificate): CertificateList {
  const list = readCertificateList(der);
  const { signatureAlgorithm: algorithm, tbs: data, signature } = list;
  const result = verifySignature({ algorithm, spki: issuer.subjectPublicKeyInfo, data, signature });
  assert.ok(result.ok, result.ok ? '' : result.reason);
  return list;
}

/** Which of these certificates a CRL does not list. */
export function missingOn(list: CertificateList, serialNumbers: Iterable<string>): readonly string[] {
  const missing = new Set(serialNumbers);
  for (const { serialNumber } of list.entries()) missing.delete(serialNumber);
  return [...missing];
}

function readIssuer(directory: string): Certificate {
  const [first] = decodePem(readFileSync(join(directory, 'trust/chain.pem'), 'utf8'), ['CERTIFICATE']);
  assert.ok(first !== undefined);
  return readCertificate(first.der);
}

function httpGet(url: string, etag: string | undefined): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = etag === undefined ? {} : { 'if-none-match': etag };
    get(url, { agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, etag: response.headers.etag, body: Buffer.concat(chunks) });
      });
    }).on('error', reject);
  });
}
