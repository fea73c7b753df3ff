// dehydrated: bash, curl and openssl, on many servers of old. It reads JSON by itself and gives up at the first badNonce.

import assert from 'node:assert/strict';
import {
  type Accepted,
  acceptIssued,
  directoryOf,
  type ExternalAccount,
  environmentOf,
  expectStatus,
  hook,
  newExternalAccount,
  newName,
} from '../acme/subject.ts';
import type { Client, Operation } from '../client.ts';
import { output, runCommand } from '../command.ts';
import { packageVersion } from '../package-version.ts';
import type { Session } from '../session.ts';

/** Debian package dehydrated. */
export const dehydratedProgram = 'dehydrated';

const operations: readonly Operation[] = [
  { name: '--register, --account, --deactivate', section: 'RFC 8555 §7.3', run: manageAccount },
  { name: '--cron, dns-01, a wildcard and its domain', section: 'RFC 8555 §8.4, §7.1.3', run: issueByDns },
  { name: '--cron, http-01', section: 'RFC 8555 §8.3', run: issueByHttp },
  { name: '--cron --force: renewal', section: 'RFC 8555 §7.4', run: renew },
  { name: '--register with an external account', section: 'RFC 8555 §7.3.4', run: issueWithExternalAccount },
  { name: '--revoke', section: 'RFC 8555 §7.6', run: revoke },
  { name: '--cron with an RSA key', section: 'RFC 8555 §7.4', run: issueRsa },
];

/** dehydrated. */
export const dehydratedClient: Client = {
  name: 'dehydrated',
  gate: 'acme',
  version: () => packageVersion(dehydratedProgram),
  operations: operations.map((operation) => ({ ...operation, stack: 'acme' })),
};

type Setup = {
  readonly challenge?: 'http-01' | 'dns-01';
  readonly account?: ExternalAccount;
  readonly keyAlgorithm?: 'rsa' | 'secp384r1';
};

async function manageAccount(session: Session): Promise<void> {
  const configuration = configure(session);
  await dehydrated(session, configuration, ['--register', '--accept-terms']);
  await dehydrated(session, configuration, ['--account']);
  await dehydrated(session, configuration, ['--deactivate']);
  const again = ['--cron', '--domain', newName('deh-d')];
  const { status } = await runCommand(dehydratedProgram, ['-f', configuration, ...again], options(session));
  assert.notEqual(status, 0, 'an account that is deactivated must get nothing');
}

async function issueByDns(session: Session): Promise<void> {
  const name = newName('deh-w');
  await issue(session, configure(session, { challenge: 'dns-01' }), [name, `*.${name}`]);
}

async function issueByHttp(session: Session): Promise<void> {
  await issue(session, configure(session), [newName('deh-h'), newName('deh-i')]);
}

async function renew(session: Session): Promise<void> {
  const names = [newName('deh-r')];
  const configuration = configure(session);
  const { certificate } = await issue(session, configuration, names);
  await dehydrated(session, configuration, ['--cron', '--force', '--domain', names.join(' '), '--alias', alias]);
  const renewed = await accept(session, names);
  assert.notEqual(renewed.certificate.serialNumber, certificate.serialNumber);
}

async function issueWithExternalAccount(session: Session): Promise<void> {
  const account = await newExternalAccount(session);
  await issue(session, configure(session, { account }), [newName('deh-e')]);
}

async function revoke(session: Session): Promise<void> {
  const configuration = configure(session);
  const accepted = await issue(session, configuration, [newName('deh-v')]);
  await dehydrated(session, configuration, ['--revoke', session.file(`deh/certs/${alias}/cert.pem`)]);
  await expectStatus(session, accepted, 'revoked');
}

async function issueRsa(session: Session): Promise<void> {
  await issue(session, configure(session, { keyAlgorithm: 'rsa' }), [newName('deh-rsa')]);
}

const alias = 'e';

async function issue(session: Session, configuration: string, names: readonly string[]): Promise<Accepted> {
  await dehydrated(session, configuration, ['--register', '--accept-terms']);
  await dehydrated(session, configuration, ['--cron', '--domain', names.join(' '), '--alias', alias]);
  return await accept(session, names);
}

function accept(session: Session, names: readonly string[]): Promise<Accepted> {
  const folder = session.file(`deh/certs/${alias}`);
  const holding = { certificateFile: `${folder}/fullchain.pem`, keyFile: `${folder}/privkey.pem` };
  return acceptIssued(
    session,
    holding,
    names.map((name) => `DNS:${name}`),
  );
}

function configure(
  session: Session,
  { challenge = 'http-01', account, keyAlgorithm = 'secp384r1' }: Setup = {},
): string {
  const lines = [
    `CA="${directoryOf(session)}"`,
    `CURL_OPTS="--cacert ${session.stack.endpoints.trustAnchor}"`,
    `CHALLENGETYPE="${challenge}"`,
    `HOOK="${hook('dehydrated.sh')}"`,
    `BASEDIR="${session.file('deh')}"`,
    `WELLKNOWN="${session.file('deh')}"`,
    `KEY_ALGO="${keyAlgorithm}"`,
    ...(account === undefined ? [] : [`EAB_KID="${account.keyId}"`, `EAB_HMAC_KEY="${account.hmacKey}"`]),
    `export CHALLENGETYPE`,
  ];
  return session.write('dehydrated.config', `${lines.join('\n')}\n`);
}

async function dehydrated(session: Session, configuration: string, parameters: readonly string[]): Promise<void> {
  await output('mkdir', ['-p', session.file('deh')]);
  await output(dehydratedProgram, ['-f', configuration, ...parameters], options(session));
}

function options(session: Session) {
  return { environment: environmentOf(session), timeoutMs: 180_000 };
}
