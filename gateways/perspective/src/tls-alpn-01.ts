// tls-alpn-01 (RFC 8737 §3, RFC 8738 §6; BR 3.2.2.4.20): shakes hands for acme-tls/1 with the name, or the reverse name of
// the address, as server name, and looks for the digest of the key authorization in a self-signed certificate that is for
// exactly this one name or address.
import { timingSafeEqual } from 'node:crypto';
import { type Certificate, extensionOf, readCertificate, subjectAlternativeNames } from '@gatehouse/pkix/certificate';
import { readOctetString, readOnly, tags } from '@gatehouse/pkix/der/reader';
import { PkixError } from '@gatehouse/pkix/errors';
import { formatGeneralName } from '@gatehouse/pkix/general-names';
import { parseIpAddress } from '@gatehouse/pkix/ip-address';
import { verifySignature } from '@gatehouse/pkix/signature-algorithms';
import { connectTo, endpoint } from './connect.ts';
import type { Look } from './looking.ts';
import { fail, type Outcome, pass, type Seen, unseen } from './outcome.ts';
import { printable } from './printable.ts';
import type { Identifier } from './request.ts';
import { secure } from './secure.ts';

/** RFC 8737 §6.2. */
const applicationProtocol = 'acme-tls/1';
/** id-pe-acmeIdentifier, RFC 8737 §6.1. */
const acmeIdentifierId = '1.3.6.1.5.5.7.1.31';

/** Looks for `digest`, SHA-256 of the key authorization. Never rejects. */
export async function lookByTls(look: Look, identifier: Identifier, digest: Uint8Array): Promise<Outcome> {
  const port = look.parts.tlsPort;
  const connected = await connectTo(look, identifier.value, port);
  const addresses = [...connected.addresses];
  if (connected.kind === 'failed') {
    const seen: Seen = { addresses, ...(connected.address === undefined ? {} : { used: connected.address }) };
    const { type, detail } = connected.problem;
    return (connected.result === 'fail' ? fail : unseen)(type, detail, seen);
  }
  const seen: Seen = { addresses, used: connected.address };
  const where = endpoint(connected.address, port);
  const servername = serverName(identifier);
  const secured = await secure(connected.socket, { servername, protocol: applicationProtocol }, look.signal);
  if (secured.kind === 'failed') return unseen('tls', `${where}: ${secured.detail} for ${applicationProtocol}`, seen);
  const { alpnProtocol } = secured.socket;
  const raw = secured.socket.getPeerX509Certificate()?.raw;
  secured.socket.destroy();
  connected.socket.destroy();
  // RFC 8737 §3: a server that does not agree on the protocol does not mean this.
  if (alpnProtocol !== applicationProtocol) {
    return fail('tls', `${where} does not agree on the application protocol ${applicationProtocol}`, seen);
  }
  if (raw === undefined) return fail('tls', `${where} has no certificate`, seen);
  const mismatch = whyNoProof(raw, identifier, digest);
  return mismatch === undefined ? pass(seen) : fail('incorrectResponse', `certificate of ${where}: ${mismatch}`, seen);
}

/** RFC 8738 §6: the reverse name of an address. */
export function serverName({ type, value }: Identifier): string {
  const octets = type === 'ip' ? parseIpAddress(value) : undefined;
  if (octets === undefined) return value;
  if (octets.length === 4) return `${[...octets].reverse().join('.')}.in-addr.arpa`;
  return `${[...Buffer.from(octets).toString('hex')].reverse().join('.')}.ip6.arpa`;
}

/** What is wrong with a challenge certificate, RFC 8737 §3; undefined when nothing is. */
export function whyNoProof(der: Uint8Array, identifier: Identifier, digest: Uint8Array): string | undefined {
  try {
    const certificate = readCertificate(der);
    return (
      whyNotSelfSigned(certificate) ?? whyOtherName(certificate, identifier) ?? whyOtherDigest(certificate, digest)
    );
  } catch (cause) {
    if (cause instanceof PkixError) return `cannot be read: ${printable(cause.message, 200)}`;
    throw cause;
  }
}

function whyNotSelfSigned({ issuerDer, subjectDer, ...certificate }: Certificate): string | undefined {
  if (!Buffer.from(issuerDer).equals(subjectDer)) return 'is not self-signed';
  const verified = verifySignature({
    algorithm: certificate.signatureAlgorithm,
    data: certificate.tbs,
    signature: certificate.signature,
    spki: certificate.subjectPublicKeyInfo,
  });
  return verified.ok ? undefined : `is not self-signed: ${printable(verified.reason, 200)}`;
}

function whyOtherName(certificate: Certificate, { type, value }: Identifier): string | undefined {
  const names = subjectAlternativeNames(certificate);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    const found = names.slice(0, 4).map((one) => printable(formatGeneralName(one), 100));
    return `must have exactly one subject alternative name, and has ${names.length}: ${found.join(', ')}`;
  }
  const isEqual =
    type === 'dns'
      ? name.kind === 'dns' && name.value.toLowerCase() === value
      : name.kind === 'ip' && name.value === value;
  return isEqual ? undefined : `is for ${printable(formatGeneralName(name), 256)}, not for ${value}`;
}

function whyOtherDigest(certificate: Certificate, digest: Uint8Array): string | undefined {
  const extension = extensionOf(certificate, acmeIdentifierId);
  if (extension === undefined) return 'has no extension acmeIdentifier';
  if (!extension.isCritical) return 'has an extension acmeIdentifier that is not critical';
  const found = readOctetString(readOnly(extension.value, tags.octetString));
  if (found.length === digest.length && timingSafeEqual(found, digest)) return undefined;
  const [seen, wanted] = [found, digest].map((octets) => Buffer.from(octets).toString('hex'));
  return `acmeIdentifier is ${printable(seen ?? '', 100)} instead of ${wanted}`;
}
