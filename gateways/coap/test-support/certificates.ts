// Manufacturers and their devices, for tests and benchmarks: a root, an intermediate CA and IDevIDs (IEEE 802.1AR §8), good
// and bad ones. Nothing here checks anything: what is wrong with a certificate is what the test wants to be wrong.

import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  bitString,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from '@gatehouse/pkix/der/writer';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyIdentifier,
  keyUsage,
  subjectAlternativeName,
  subjectKeyIdentifier,
  writeExtensions,
} from '@gatehouse/pkix/extensions';
import { type GeneralName, parseGeneralName } from '@gatehouse/pkix/general-names';
import { parseName, writeName } from '@gatehouse/pkix/names';
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';
import { signatureAlgorithmFor } from '@gatehouse/pkix/signature-algorithms';

/** RFC 4108 §5: id-on-hardwareModuleName. */
const hardwareModuleNameId = '1.3.6.1.5.5.7.8.4';
const dayMs = 86_400_000;

/** Kinds of keys that devices have. */
export type KeyKind = 'P-256' | 'P-384' | 'RSA-1024' | 'RSA-2048';

/** A fresh key. */
export function newKey(kind: KeyKind = 'P-256'): KeyObject {
  if (kind === 'P-256' || kind === 'P-384') return generateKeyPairSync('ec', { namedCurve: kind }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(4)) }).privateKey;
}

/** What a certificate says; a day of the past to ten years ahead, for clients, unless told. */
export type CertificateShape = {
  /** RFC 4514. */
  readonly subject: string;
  readonly key: KeyObject;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Key purposes by object identifier; an empty list leaves the extension out. */
  readonly purposes?: readonly string[];
  /** `DNS:a.example`, … */
  readonly names?: readonly string[];
  readonly hardwareModule?: HardwareModule;
  readonly isAuthority?: boolean;
};

/** RFC 4108 §5: who made the module, and its number there. */
export type HardwareModule = { readonly type: string; readonly serialNumber: Uint8Array };

/** A CA. */
export type Authority = {
  /** RFC 4514. */
  readonly name: string;
  readonly key: KeyObject;
  readonly certificate: Uint8Array;
  /** DER. */
  issue(shape: CertificateShape): Uint8Array;
  /** A CA below this one. */
  issueAuthority(name: string): Authority;
};

/** A self-signed CA. */
export function createAuthority(name: string, kind: KeyKind = 'P-256'): Authority {
  const key = newKey(kind);
  return authorityOf(name, key, write({ subject: name, key, isAuthority: true }, name, key));
}

/** What signs as a CA, whether or not its certificate says that it is one. */
export function authorityOf(name: string, key: KeyObject, certificate: Uint8Array): Authority {
  return {
    name,
    key,
    certificate,
    issue: (shape) => write(shape, name, key),
    issueAuthority: (below) => {
      const ownKey = newKey();
      return authorityOf(below, ownKey, write({ subject: below, key: ownKey, isAuthority: true }, name, key));
    },
  };
}

let serialNumber = 1;

function write(shape: CertificateShape, issuer: string, issuerKey: KeyObject): Uint8Array {
  const { identifier, sign } = signatureAlgorithmFor(issuerKey);
  const { notBefore = new Date(Date.now() - dayMs), notAfter = new Date(Date.now() + dayMs * 3650) } = shape;
  const body = sequence(
    explicit(0, integer(2)),
    integer(serialNumber++),
    identifier,
    writeName(parseName(issuer)),
    sequence(time(notBefore), time(notAfter)),
    writeName(parseName(shape.subject)),
    publicKeyOf(shape.key),
    explicit(3, writeExtensions(extensionsOf(shape, issuerKey))),
  );
  return sequence(body, identifier, bitString(sign(body)));
}

function extensionsOf(shape: CertificateShape, issuerKey: KeyObject): Extension[] {
  const identifiers = [
    subjectKeyIdentifier(publicKeyOf(shape.key)),
    authorityKeyIdentifier(keyIdentifier(publicKeyOf(issuerKey))),
  ];
  if (shape.isAuthority === true) {
    return [basicConstraints({ ca: true }), keyUsage(['keyCertSign', 'cRLSign']), ...identifiers];
  }
  const { purposes = [keyPurposes.clientAuth], hardwareModule } = shape;
  const names: GeneralName[] = (shape.names ?? []).map(parseGeneralName);
  if (hardwareModule !== undefined) names.push(hardwareModuleName(hardwareModule));
  return [
    keyUsage(['digitalSignature']),
    ...identifiers,
    ...(purposes.length === 0 ? [] : [extendedKeyUsage(purposes)]),
    ...(names.length === 0 ? [] : [subjectAlternativeName(names)]),
  ];
}

function hardwareModuleName({ type, serialNumber: number }: HardwareModule): GeneralName {
  return { kind: 'other', type: hardwareModuleNameId, value: sequence(objectIdentifier(type), octetString(number)) };
}

function publicKeyOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}

/** What a device was born with: all that `connectDtls` wants beside the trust anchor. */
export type Device = {
  readonly key: KeyObject;
  readonly certificate: Uint8Array;
  /** Up to the root, without it, DER. */
  readonly chain: readonly Uint8Array[];
  /** PKCS#8 DER. */
  readonly privateKey: Uint8Array;
};

/** How a device differs from a good one. */
export type DeviceShape = Partial<Omit<CertificateShape, 'key' | 'isAuthority'>> & { readonly kind?: KeyKind };

/** A manufacturer with a root and an intermediate CA that issues its IDevIDs. */
export type Manufacturer = {
  readonly root: Authority;
  readonly intermediate: Authority;
  /** A device with this serial number in its subject. */
  createDevice(serial: string, shape?: DeviceShape): Device;
};

/** Makes a manufacturer; `name` is its organization. */
export function createManufacturer(name: string): Manufacturer {
  const root = createAuthority(`CN=${name} Root,O=${name}`);
  const intermediate = root.issueAuthority(`CN=${name} Devices,O=${name}`);
  return {
    root,
    intermediate,
    createDevice: (serial, { kind = 'P-256', ...shape } = {}) => {
      const key = newKey(kind);
      return {
        key,
        certificate: intermediate.issue({ subject: `CN=device,O=${name},serialNumber=${serial}`, ...shape, key }),
        chain: [intermediate.certificate],
        privateKey: key.export({ format: 'der', type: 'pkcs8' }),
      };
    },
  };
}

/** Devices that no gate may accept, or only by a rule of its own. */
export const badDevices = {
  /** An IDevID whose time is over (IEEE 802.1AR §8.7 would have it never end). */
  expired: { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') },
  notYetValid: { notBefore: new Date('2090-01-01'), notAfter: new Date('2091-01-01') },
  /** Refused by security level 2. */
  weakKey: { kind: 'RSA-1024' },
  wrongPurpose: { purposes: [keyPurposes.serverAuth] },
} as const satisfies Record<string, DeviceShape>;

/** A server certificate for the loopback, as a gate has one, and its key. */
export function createServer(
  issuer: Authority,
  names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'],
) {
  const key = newKey();
  return {
    key,
    certificate: issuer.issue({ subject: 'CN=localhost', key, names, purposes: [keyPurposes.serverAuth] }),
    privateKey: key.export({ format: 'der', type: 'pkcs8' }),
  };
}
