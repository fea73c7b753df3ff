// Download of a certificate, RFC 8555 §7.4.2: by its owner alone, leaf first and without the trust anchor; other chains
// have URLs of their own, which every answer names.

import { notFound } from './errors.ts';
import type { Link, Operation } from './exchange.ts';
import { readCertificateById } from './state/certificates.ts';

/** RFC 8555 §9.1. */
const mediaType = 'application/pem-certificate-chain';

/** Answers `…/certificate/ID` and `…/certificate/ID/N`. */
export const certificate: Operation = async (gate, exchange, { id = '', alternate }) => {
  const stored = await readCertificateById(gate.store, id);
  // What is not there and what is somebody else's look alike.
  if (stored === undefined || stored.accountId !== exchange.account.id) throw notFound('certificate');
  const { chains } = gate.certificates;
  const wanted = alternate === undefined ? 0 : readAlternate(alternate);
  const text = chains.write(stored, wanted);
  if (text === undefined) throw notFound('certificate');
  exchange.note({ certificate: id, serialNumber: stored.serialNumber });
  const links: Link[] = [];
  for (let other = 0; other <= chains.countAlternates(stored); other++) {
    if (other !== wanted) links.push({ url: gate.urls.certificate(exchange.base, id, other), rel: 'alternate' });
  }
  return { status: 200, content: { type: mediaType, text }, links };
};

/** The number of an alternate chain; the default one has no number, and what is none has no chain. */
function readAlternate(text: string): number {
  return /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : -1;
}
