/**
 * The CA of the Pebble-compatible server: made anew at each start in a temporary directory, with further roots above the
 * same issuing key where a suite wants alternate chains. Its keys are handed to anybody who asks: they are worth nothing.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, readCertificate } from '@gatehouse/pkix/certificate';
import { basicConstraints, keyUsage } from '@gatehouse/pkix/extensions';
import { parseName } from '@gatehouse/pkix/names';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { makeCertificate, type NamedKey } from '../self-made-certificate.ts';

/** A CA with its key. */
export type PebbleAuthority = { readonly certificate: Uint8Array; readonly key: KeyObject };

/** A root with the intermediate that it signed; all intermediates have one name and one key. */
export type PebbleChain = { readonly root: PebbleAuthority; readonly intermediate: PebbleAuthority };

/** What {@link openChains} yields. */
export type PebbleChains = {
  /** The default one first. */
  readonly all: readonly PebbleChain[];
  /** PEM files of the others, issuing CA first, for the gate. */
  readonly files: readonly string[];
  /** The chain that the gate sends by default where it has more links than the one that the keep knows. */
  readonly defaultFile: string | undefined;
};

/**
 * Reads the hierarchy that was made and adds what a suite wants.
 *
 * @param passphrases of the issuing key and of the root's
 */
export function openPebbleChains(
  directory: string,
  passphrases: { readonly issuing: string; readonly root: string },
  { alternateRoots, chainLength }: { readonly alternateRoots: number; readonly chainLength: number },
): PebbleChains {
  const read = (name: 'root' | 'issuing', passphrase: string): PebbleAuthority => {
    const file = (extension: string) => readFileSync(join(directory, `ca/${name}.${extension}`), 'latin1');
    const [block] = decodePem(file('pem'), ['CERTIFICATE']);
    if (block === undefined) throw new Error(`there is no certificate of the ${name} CA`);
    return { certificate: block.der, key: createPrivateKey({ key: file('key.pem'), passphrase }) };
  };
  const root = read('root', passphrases.root);
  const intermediate = read('issuing', passphrases.issuing);
  const issuing = readCertificate(intermediate.certificate);

  const roots = [root, ...Array.from({ length: alternateRoots }, makeRoot)];
  const longs = roots.map((one, index) => extend(one, index, chainLength - 1));
  const all = roots.map((one, index): PebbleChain => {
    const last = longs[index]?.at(-1);
    const isAsMade = index === 0 && last === undefined;
    return { root: one, intermediate: isAsMade ? intermediate : crossSign(issuing, intermediate.key, last ?? one) };
  });
  const write = (index: number): string => {
    const path = join(directory, `chain-${index}.pem`);
    const chain = [all[index]?.intermediate, ...(longs[index]?.toReversed() ?? [])];
    writeFileSync(path, chain.map((one) => encodePem('CERTIFICATE', one?.certificate ?? new Uint8Array(0))).join(''));
    return path;
  };
  return {
    all,
    files: all.slice(1).map((_, index) => write(index + 1)),
    defaultFile: chainLength > 1 ? write(0) : undefined,
  };
}

function makeRoot(): PebbleAuthority {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = parseName(`CN=Pebble Root CA ${randomBytes(3).toString('hex')}`);
  return { key, certificate: certify({ name, key }, { name, key }) };
}

/** Further CAs below a root, each below the last one. */
function extend(root: PebbleAuthority, index: number, count: number): readonly PebbleAuthority[] {
  const made: PebbleAuthority[] = [];
  for (let i = 0; i < count; i++) {
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const name = parseName(`CN=Pebble Intermediate CA ${index}-${i + 1} ${randomBytes(3).toString('hex')}`);
    made.push({ key, certificate: certify(asSigner(made.at(-1) ?? root), { name, key }) });
  }
  return made;
}

/** The issuing key under its own name, certified by another CA. */
function crossSign({ subject }: Certificate, key: KeyObject, by: PebbleAuthority): PebbleAuthority {
  return { key, certificate: certify(asSigner(by), { name: subject, key }) };
}

function asSigner({ certificate, key }: PebbleAuthority): NamedKey {
  return { name: readCertificate(certificate).subject, key };
}

const yearMs = 365 * 86_400_000;

function certify(issuer: NamedKey, subject: NamedKey): Uint8Array {
  const now = Math.floor(Date.now() / 1000) * 1000;
  return makeCertificate({
    issuer,
    subject,
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + 10 * yearMs),
    extensions: [basicConstraints({ ca: true }), keyUsage(['keyCertSign', 'cRLSign'])],
  });
}
