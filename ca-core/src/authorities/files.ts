// Where the keys and certificates of the hierarchy stand in a data directory. One table, so that what creates them and
// what loads them cannot disagree.
import { join } from 'node:path';

/** Folder of the hierarchy while it is not complete; its name begins so. */
export const stagingPrefix = 'ca.new.';

/** Names of the hierarchy's keys. The root's is only needed to make another issuing CA and may be kept elsewhere. */
export type HierarchyKeyName = 'root' | 'issuing' | 'service' | 'audit';
/** Names of the hierarchy's certificates. */
export type HierarchyCertificateName = 'root' | 'issuing' | 'service';

/** Folder of keys and certificates in a data directory. */
export function hierarchyFolder(directory: string): string {
  return join(directory, 'ca');
}

/** Encrypted PKCS#8, PEM, mode 0600, in a hierarchy's folder. */
export function keyFile(folder: string, name: HierarchyKeyName): string {
  return join(folder, `${name}.key.pem`);
}

/** One certificate, PEM, in a hierarchy's folder. */
export function certificateFile(folder: string, name: HierarchyCertificateName): string {
  return join(folder, `${name}.pem`);
}

/** The root's own CRL, DER, in a hierarchy's folder: made with the hierarchy, and again whenever the root's key is at hand. */
export function rootCrlFile(folder: string): string {
  return join(folder, 'root.crl');
}

/** What relying parties install: the root alone, PEM. */
export function trustAnchorFile(directory: string): string {
  return join(directory, 'trust', 'root.pem');
}

/** Issuing CAs, issuer of end-entity certificates first, PEM. */
export function trustChainFile(directory: string): string {
  return join(directory, 'trust', 'chain.pem');
}

/** Key and certificate of the delegated OCSP responder, which the running core makes and replaces by itself. */
export function ocspResponderFiles(directory: string): OcspResponderFiles {
  const folder = join(hierarchyFolder(directory), 'ocsp');
  return { folder, key: join(folder, 'responder.key.pem'), certificate: join(folder, 'responder.pem') };
}

/** Paths of {@link ocspResponderFiles}. */
export type OcspResponderFiles = {
  readonly folder: string;
  /** Encrypted PKCS#8, PEM, mode 0600. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
};
