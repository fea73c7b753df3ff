// What changes only with an authority: the certificates of issuers (AIA caIssuers, RFC 5280 §4.2.2.1) and the chain.

import { createHash } from 'node:crypto';
import { encodePem } from '@gatehouse/pkix/pem';
import { contentHeaders, notModified, refuse, type StatusAnswer } from './answer.ts';
import { judgePreconditions, type Validators } from './conditional.ts';
import { refusals } from './errors.ts';
import { formatHttpDate } from './http-date.ts';
import type { Issuer } from './state/publication.ts';
import type { StatusGate, StatusRequest } from './status-gate.ts';

type Document = Validators & { readonly contentType: string; readonly contents: Buffer };

/** Answers with the certificate of an issuer. @param id its subjectKeyIdentifier in hexadecimal, or its name */
export function answerIssuer(gate: StatusGate, request: StatusRequest, id: string): StatusAnswer {
  const { issuers } = gate.publication;
  const issuer = issuers.find(({ name, keyIdentifier }) => keyIdentifier === id || name === id);
  if (issuer === undefined) return refuse(issuers.length === 0 ? refusals.notLoaded : refusals.notFound);
  const { der, notBefore } = issuer.certificate;
  return answerDocument(gate, request, createDocument('application/pkix-cert', Buffer.from(der), notBefore));
}

/** Answers with the certificates between what is issued and the trust anchor, the issuer of end entities first. */
export function answerChain(gate: StatusGate, request: StatusRequest): StatusAnswer {
  const { issuers } = gate.publication;
  if (issuers.length === 0) return refuse(refusals.notLoaded);
  return answerDocument(gate, request, chainOf(issuers));
}

function answerDocument(gate: StatusGate, { headers }: StatusRequest, document: Document): StatusAnswer {
  const { contentType, contents, etag, lastModified } = document;
  const maximumAge = Math.floor(gate.configuration.caching.certificates / 1000);
  const caching = [
    'Last-Modified',
    formatHttpDate(lastModified),
    'ETag',
    etag,
    'Cache-Control',
    `public, max-age=${maximumAge}, no-transform`,
  ];
  const verdict = judgePreconditions(headers, document, gate.clock.now().getTime());
  if (verdict === 'failed') return refuse(refusals.preconditionFailed);
  if (verdict === 'not-modified') return notModified(caching);
  return {
    status: 200,
    headers: [...contentHeaders(contentType, contents.length), ...caching],
    body: contents,
    outcome: 'sent',
  };
}

function chainOf(issuers: readonly Issuer[]): Document {
  // Whoever trusts the anchor has it already, and must not take it from here.
  const intermediates = issuers.filter(
    ({ certificate }) => Buffer.compare(certificate.subjectDer, certificate.issuerDer) !== 0,
  );
  const text = intermediates.map(({ certificate }) => encodePem('CERTIFICATE', certificate.der)).join('');
  const newest = Math.max(0, ...intermediates.map(({ certificate }) => certificate.notBefore.getTime()));
  return createDocument('application/pem-certificate-chain', Buffer.from(text), new Date(newest));
}

function createDocument(contentType: string, contents: Buffer, since: Date): Document {
  const etag = `"${createHash('sha256').update(contents).digest('base64url').slice(0, 22)}"`;
  // A certificate that is made anew may begin when the one before did.
  return { contentType, contents, etag, lastModified: since.getTime(), isDateCertain: false };
}
