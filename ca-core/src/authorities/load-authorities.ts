// Loads the hierarchy of a data directory into the running core and refuses at start what would be wrong later: a key that
// does not belong to its certificate, a chain that does not hold, a clock outside of a validity. The root's key is never
// loaded here.
import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Certificate } from '@gatehouse/pkix/certificate';
import type { CertificateList } from '@gatehouse/pkix/crl/certificate-list';
import type { Clock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import { SignerError } from '../keys/signer.ts';
import { loadEncryptedKey } from '../keys/software-key.ts';
import { createSoftwareSigner, type SynchronousSigner } from '../keys/software-signer.ts';
import type { Authority, AuthorityName } from './authority.ts';
import { checkAuthorityCertificate, checkIssuedBy } from './check-authority.ts';
import { certificateFile, hierarchyFolder, keyFile } from './files.ts';
import { readAuthorityCertificate } from './read-authority-certificate.ts';
import { loadRootCrl } from './root-crl.ts';

/** The hierarchy as the running core needs it. */
export type Authorities = {
  readonly issuing: Authority;
  readonly service: Authority;
  /** The trust anchor of the issuing CA. */
  readonly root: Certificate;
  /** The root's own CRL, whose time may be over; directories that were made before there was one have none. */
  readonly rootCrl: CertificateList | undefined;
  /** Ed25519; seals the audit log. */
  readonly auditKey: KeyObject;
};

/**
 * Loads and checks the hierarchy that {@link createHierarchy} made.
 *
 * @param options.directory the data directory
 * @param options.passphrase opens the keys of the issuing CA, the service CA and the audit log
 * @throws {FatalError} with one message and a hint for each fault: a file missing, corrupt or readable by others, a wrong
 *   passphrase, a key that is not the certificate's, a broken chain, a clock before notBefore, an expired certificate, a CRL
 *   that the root did not sign
 */
export function loadAuthorities(options: {
  readonly directory: string;
  readonly passphrase: string;
  readonly clock: Clock;
}): Authorities {
  const { passphrase } = options;
  const folder = hierarchyFolder(options.directory);
  const now = options.clock.now();
  const rootFile = certificateFile(folder, 'root');
  const root = readAuthorityCertificate(rootFile);
  checkAuthorityCertificate(root, rootFile, now);
  checkIssuedBy(root, rootFile, root, rootFile);

  const issuing = loadAuthority('issuing', root);
  const service = loadAuthority('service', undefined);
  const auditKey = loadAuditKey(keyFile(folder, 'audit'), passphrase);
  return { issuing, service, root, rootCrl: loadRootCrl(options.directory, root), auditKey };

  function loadAuthority(name: AuthorityName, issuer: Certificate | undefined): Authority {
    const file = certificateFile(folder, name);
    const certificate = readAuthorityCertificate(file);
    checkAuthorityCertificate(certificate, file, now);
    checkIssuedBy(certificate, file, issuer ?? certificate, issuer === undefined ? file : rootFile);
    const key = loadMatchingKey(keyFile(folder, name), passphrase, certificate, file);
    const chain = issuer === undefined ? [certificate.der] : [certificate.der, issuer.der];
    return { name, certificate, chain, signer: createTestedSigner(keyFile(folder, name), key) };
  }
}

function loadMatchingKey(
  path: string,
  passphrase: string,
  certificate: Certificate,
  certificatePath: string,
): KeyObject {
  const key = loadEncryptedKey(path, passphrase);
  const subjectPublicKeyInfo = createPublicKey(key).export({ type: 'spki', format: 'der' });
  if (Buffer.compare(subjectPublicKeyInfo, certificate.subjectPublicKeyInfo) !== 0) {
    throw new FatalError(`the private key ${path} does not belong to the certificate ${certificatePath}`, {
      hint: 'restore both files from the same backup',
    });
  }
  return key;
}

// The public half stands beside the private one in the file, so a damaged private half shows only in a signature.
function createTestedSigner(path: string, key: KeyObject): SynchronousSigner {
  try {
    const signer = createSoftwareSigner(key);
    signer.selfTestSync();
    return signer;
  } catch (cause) {
    if (!(cause instanceof SignerError)) throw cause;
    throw new FatalError(`the private key ${path} cannot be used: ${cause.message}`, {
      hint: 'restore it from a backup',
      cause,
    });
  }
}

function loadAuditKey(path: string, passphrase: string): KeyObject {
  const key = loadEncryptedKey(path, passphrase);
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new FatalError(`the audit key ${path} is a ${key.asymmetricKeyType} key where an ed25519 key must be`, {
      hint: 'restore it from a backup; records that it sealed can be verified with no other key',
    });
  }
  createTestedSigner(path, key);
  return key;
}
