// What the keep is told about who asked: the kind of proof and an id that is stable within its kind. It is recorded and
// audited and grants nothing, so it must name the asker exactly, and hold no secret.

import { createHash } from 'node:crypto';
import type { Certificate } from '@gatehouse/pkix/certificate';
import { formatHardwareSerialNumber } from '@gatehouse/pkix/hardware-module-name';
import { attributeValues, formatName } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';
import { publicKeyFingerprint } from '@gatehouse/pkix/public-key';
import type { Requester } from '@gatehouse/ra-client/enrollment';
import type { ClientCertificate } from './client-certificate.ts';
import { hardwareModuleOf } from './device-names.ts';

/** Longest id and display of the contract, octets. */
const maximumOctets = 256;

/** The requester that a certificate stands for. */
export function describeCertificate(client: ClientCertificate, address: string): Requester {
  const { certificate } = client;
  const display = requesterDisplay(formatName(certificate.subject));
  if (client.kind === 'own') return { kind: 'certificate', id: ownCertificateId(certificate), display, address };
  const device = deviceId(certificate);
  return { kind: 'device', id: requesterId(`${client.anchor.name} ${device}`), display, address };
}

/**
 * What identifies the holder of a certificate across connections, as part of an idempotency key. Whether serial numbers of
 * devices are all different is their maker's word; an answer may hold a private key, and must go to nobody but who asked.
 */
export function holderKey(client: ClientCertificate, { kind, id }: Requester): string {
  if (client.kind === 'own') return `${kind} ${id}`;
  return `${kind} ${id} ${Buffer.from(publicKeyFingerprint(client.certificate.subjectPublicKeyInfo)).toString('hex')}`;
}

// IEEE 802.1AR §8.6: the serialNumber of the subject is what identifies a device within its manufacturer; RFC 4108 §5: so
// does its HardwareModuleName. Without either, the certificate stands for itself.
function deviceId(certificate: Certificate): string {
  const [serialNumber] = attributeValues(certificate.subject, attributeTypes.serialNumber);
  if (serialNumber !== undefined) return serialNumber;
  const hardware = hardwareModuleOf(certificate);
  if (hardware !== undefined) return `${hardware.type} ${formatHardwareSerialNumber(hardware)}`;
  return `${formatName(certificate.issuer)} ${certificate.serialNumber}`;
}

/** Id of the holder of a certificate of our own CA: issuer and serial number. */
export function ownCertificateId({ issuer, serialNumber }: Certificate): string {
  return requesterId(`${formatName(issuer)} ${serialNumber}`);
}

/** A text as the id of a requester: a longer one becomes its digest, since cutting could make two askers one. */
export function requesterId(text: string): string {
  if (Buffer.byteLength(text) <= maximumOctets) return text;
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** A text as what people are shown of a requester. */
export function requesterDisplay(text: string): string {
  let result = text.slice(0, maximumOctets);
  while (Buffer.byteLength(result) > maximumOctets) result = result.slice(0, -1);
  return result.toWellFormed();
}
