/**
 * The keep behind the Pebble-compatible server: a core like any other, as a process of its own, on a directory that is made
 * at the start and removed at the end. What is special is in its configuration and its profiles, not in its code.
 */
import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { joinWithToken } from '@gatehouse/ra-client/join';
import { validationMethods } from '@gatehouse/ra-client/perspective-statement';
import type { Logger } from '@gatehouse/runtime/log';
import { readPrivateFile } from '@gatehouse/runtime/private-file';
import { reachableAddress } from '../address.ts';
import { type DataDirectory, dataDirectory } from '../data-directory.ts';
import { withOperator } from '../operator.ts';
import { type Child, startChild } from '../up/child.ts';
import { issuerDomainNames, type PebbleConfiguration, type PebbleProfile } from './configuration.ts';

/** A keep that runs. */
export type PebbleKeep = {
  readonly data: DataDirectory;
  /** `host:port`. */
  readonly address: string;
  readonly passphrases: { readonly issuing: string; readonly root: string };
  stop(): Promise<void>;
};

/** Makes the directory and starts the keep in it. */
export async function startPebbleKeep(
  directory: string,
  configuration: PebbleConfiguration,
  log: Logger,
): Promise<PebbleKeep> {
  const data = dataDirectory(directory);
  const { initialize } = await import('@gatehouse/ca-core/initialize');
  await initialize({
    directory: data.path,
    organization: 'Pebble',
    algorithm: configuration.keyAlgorithm === 'ecdsa' ? 'ecdsa-p256' : 'rsa-2048',
    log,
    progress: () => undefined,
  });
  // JSON is YAML.
  const core = {
    listen: { port: 0 },
    management: { port: 0 },
    validation: { issuerDomainNames: issuerDomainNames(configuration).slice(0, 10) },
  };
  writeFileSync(data.configuration, JSON.stringify({ core }));
  for (const profile of configuration.profiles) {
    writeFileSync(
      join(data.path, `profiles/${coreProfileName(profile.name)}.yaml`),
      writeProfile(profile, configuration),
    );
  }
  const child: Child = startChild({ name: 'core', data, set: [], warn: (text) => log.warn(text) });
  const { address } = await child.ready;
  await register(data, reachableAddress(address), configuration, log);
  const secret = (name: string): string => readPrivateFile(data.secret(name)).toString('utf8').trimEnd();
  return {
    data,
    address: reachableAddress(address),
    passphrases: { issuing: secret('passphrase'), root: secret('root-passphrase') },
    stop: () => child.stop(),
  };
}

/** Name of the keep's profile behind an ACME profile, whose name may have characters that no profile of the keep has. */
export function coreProfileName(name: string): string {
  return `pebble-${hash('sha256', name).slice(0, 32)}`;
}

async function register(
  data: DataDirectory,
  address: string,
  { profiles }: PebbleConfiguration,
  log: Logger,
): Promise<void> {
  const everything = ['*'];
  const { token } = await withOperator(data, address, ({ administration }) =>
    administration.addRegistrationAuthority({
      registrationAuthority: {
        name: 'acme',
        profiles: ['gateway-tls', ...profiles.map(({ name }) => coreProfileName(name))],
        scope: {
          dnsSuffixes: everything,
          ipRanges: everything,
          uriPrefixes: [],
          emailDomains: [],
          subjectAttributes: ['CN=*'],
        },
        maximumValidity: undefined,
        ratePerSecond: 0,
        isDisabled: false,
        createdAt: undefined,
        credentialExpiresAt: undefined,
      },
      tokenLife: { seconds: 300, nanos: 0 },
    }),
  );
  const file = data.registrationAuthorityCredential('acme');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  await joinWithToken({ token, file, log, addresses: [address] });
}

const backdateSeconds = 60;

function writeProfile(
  { name, description, validitySeconds }: PebbleProfile,
  { ocspResponderURL }: PebbleConfiguration,
): string {
  return JSON.stringify({
    name: coreProfileName(name),
    description: description.slice(0, 256),
    subject: { rule: 'from-request', attributes: [{ type: 'CN', presence: 'optional' }], others: 'drop' },
    names: {
      allowed: ['dns', 'ip'],
      atLeastOne: true,
      wildcards: true,
      commonNameAmongNames: true,
      commonNameToName: true,
    },
    keys: [
      { kind: 'ec', curves: ['P-256', 'P-384', 'P-521'] },
      { kind: 'rsa', minimumBits: 2048, maximumBits: 8192 },
      { kind: 'ed25519' },
    ],
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['serverAuth'],
    validity: {
      default: `${validitySeconds}s`,
      maximum: `${validitySeconds + 2 * backdateSeconds}s`,
      backdate: `${backdateSeconds}s`,
    },
    ...(ocspResponderURL === '' ? {} : { authorityInformationAccess: { ocsp: [ocspResponderURL] } }),
    // id-pe-tlsfeature, RFC 7633: suites order certificates that must be stapled.
    requestExtensions: { copy: ['1.3.6.1.5.5.7.1.24'] },
    // Nobody verifies; but without a name for the CA no record of dns-persist-01 could name it.
    validation: { policy: 'private', mode: 'off', methods: [...validationMethods], dnsPersist: 'draft-01' },
    lints: { sets: [] },
  });
}
