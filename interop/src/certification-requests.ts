// Certification requests as people make them: with openssl, from a key of each kind that the profiles accept. Nothing of
// this project takes part, so that a mistake in its own writer cannot hide one in its reader.

import { output } from './command.ts';
import type { Session } from './session.ts';

/** Kinds of keys by the name that the matrix shows, with the parameters of `openssl genpkey`. */
export const keyKinds = {
  'RSA-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA-3072': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  'RSA-4096': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
  'P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'P-521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
  Ed25519: ['-algorithm', 'ED25519'],
} as const;

/** A kind of key. */
export type KeyKind = keyof typeof keyKinds;

/** What a request asks for. */
export type RequestOptions = {
  /** File of a private key that is there already. */
  readonly keyFile?: string | undefined;
  /** Kind of the key that is made otherwise; P-256 unless told. */
  readonly kind?: KeyKind | undefined;
  /** Parameters of `openssl genpkey` for a key of no acceptable kind. */
  readonly keyParameters?: readonly string[] | undefined;
  /** Attributes of the subject in order: `CN=www.example.com`. */
  readonly subject: readonly string[];
  /** Alternative names as openssl writes them: `DNS:www.example.com`. */
  readonly names?: readonly string[] | undefined;
  readonly challengePassword?: string | undefined;
  /** String types of the subject as openssl calls them; UTF8String alone unless told, `pkix` prefers PrintableString. */
  readonly stringMask?: 'utf8only' | 'pkix' | undefined;
};

/** A request and its key, in files. */
export type RequestFiles = {
  readonly keyFile: string;
  /** PKCS#10, DER. */
  readonly file: string;
  readonly der: Buffer;
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKey: string;
};

/** Makes a request in the files `name`.key and `name`.csr. @throws {CommandError} when openssl does not */
export async function makeRequest(session: Session, name: string, options: RequestOptions): Promise<RequestFiles> {
  const keyFile = options.keyFile ?? (await makeKey(session, name, options));
  const configuration = session.write(`${name}.cnf`, requestConfiguration(options));
  const file = session.file(`${name}.csr`);
  const der = await output('openssl', ['req', '-new', '-key', keyFile, '-config', configuration, '-outform', 'DER']);
  session.write(`${name}.csr`, der);
  return { keyFile, file, der, publicKey: await publicKeyOf(keyFile) };
}

/** The public key of a private one in a file, PEM. @throws {CommandError} */
export async function publicKeyOf(keyFile: string): Promise<string> {
  return (await output('openssl', ['pkey', '-in', keyFile, '-pubout'])).toString('latin1');
}

async function makeKey(session: Session, name: string, { kind, keyParameters }: RequestOptions): Promise<string> {
  const file = session.file(`${name}.key`);
  await output('openssl', ['genpkey', ...(keyParameters ?? keyKinds[kind ?? 'P-256']), '-out', file]);
  return file;
}

function requestConfiguration(options: RequestOptions): string {
  const { subject, names = [], challengePassword, stringMask = 'utf8only' } = options;
  const attributes = challengePassword === undefined ? [] : [`challengePassword = ${challengePassword}`];
  return [
    '[req]',
    'prompt = no',
    'utf8 = yes',
    `string_mask = ${stringMask}`,
    'distinguished_name = subject',
    ...(attributes.length > 0 ? ['attributes = attributes'] : []),
    ...(names.length > 0 ? ['req_extensions = extensions'] : []),
    '[subject]',
    // The number keeps attributes of one type apart.
    ...subject.map((attribute, index) => `${index}.${attribute.replace('=', ' = ')}`),
    '[attributes]',
    ...attributes,
    '[extensions]',
    ...(names.length > 0 ? [`subjectAltName = ${names.join(',')}`] : []),
    '',
  ].join('\n');
}
