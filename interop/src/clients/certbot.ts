// certbot, as Debian brings it and as PyPI has it now: most of the certificates of the public web are asked for by it.
// Between the two lie ARI (RFC 9773), profiles and certificates for addresses.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Accepted,
  acceptIssued,
  directoryOf,
  environmentOf,
  expectStatus,
  hook,
  newExternalAccount,
  newName,
} from '../acme/subject.ts';
import type { Client, Operation } from '../client.ts';
import { type CommandResult, output, runCommand } from '../command.ts';
import type { Session } from '../session.ts';

/** Where interop/install-clients.sh puts the current one. */
export const currentCertbotProgram = fileURLToPath(new URL('../../.work/certbot/bin/certbot', import.meta.url));

/** Debian package certbot. */
export const certbotProgram = 'certbot';

/** certbot of Debian. */
export const certbotClient: Client = {
  name: 'certbot of Debian',
  gate: 'acme',
  version: () => versionOf(certbotProgram),
  operations: onAcmeStack(commonOperations(certbotProgram)),
};

/** The current certbot. */
export const currentCertbotClient: Client = {
  name: 'certbot of PyPI',
  gate: 'acme',
  version: () => versionOf(currentCertbotProgram),
  operations: onAcmeStack([
    ...commonOperations(currentCertbotProgram),
    {
      name: 'renews when the CA says so, naming what is replaced',
      section: 'RFC 9773 §4.2, §5',
      run: (session) => renewByInformation(session, currentCertbotProgram),
    },
    {
      name: 'does not renew before the CA says so',
      section: 'RFC 9773 §4.2',
      run: (session) => stayWithInformation(session, currentCertbotProgram),
    },
    {
      name: 'certonly with a profile',
      section: 'draft-ietf-acme-profiles §4',
      run: (session) => issueByProfile(session, currentCertbotProgram),
    },
    {
      name: 'certonly for an address',
      section: 'RFC 8738 §3',
      run: (session) => issueForAddress(session, currentCertbotProgram),
    },
  ]),
};

function onAcmeStack(operations: readonly Operation[]): readonly Operation[] {
  return operations.map((operation) => ({ ...operation, stack: 'acme' }));
}

function commonOperations(program: string): readonly Operation[] {
  const operation = (name: string, section: string, run: (session: Session, program: string) => Promise<unknown>) => ({
    name,
    section,
    run: async (session: Session) => void (await run(session, program)),
  });
  return [
    operation('certonly, http-01, two names', 'RFC 8555 §8.3', issueTwo),
    operation('certonly, dns-01, a wildcard and its domain', 'RFC 8555 §8.4, §7.1.3', issueWildcard),
    operation('certonly with an RSA key of 3072 bits', 'RFC 8555 §7.4', issueRsa),
    operation('renew', 'RFC 8555 §7.4', renew),
    operation('certonly with an external account', 'RFC 8555 §7.3.4', issueWithExternalAccount),
    operation('revoke with the account', 'RFC 8555 §7.6', revokeByAccount),
    operation('revoke with the key of the certificate', 'RFC 8555 §7.6', revokeByKey),
    operation('revoke a second time', 'RFC 8555 §7.6', revokeTwice),
    operation('update_account', 'RFC 8555 §7.3.2', updateAccount),
    operation('unregister', 'RFC 8555 §7.3.6', unregister),
    operation('a challenge that is not answered', 'RFC 8555 §8.2', failChallenge),
    operation('a name that nobody may have', 'RFC 8555 §7.4', refuseName),
  ];
}

async function issueTwo(session: Session, program: string): Promise<void> {
  const [one, other] = [newName('cb-a'), newName('cb-b')];
  await issue(session, program, [one, other]);
}

async function issueWildcard(session: Session, program: string): Promise<void> {
  const name = newName('cb-w');
  await issue(session, program, [`*.${name}`, name], { method: 'dns' });
}

async function issueRsa(session: Session, program: string): Promise<void> {
  const more = ['--key-type', 'rsa', '--rsa-key-size', '3072'];
  const { certificate } = await issue(session, program, [newName('cb-rsa')], { more });
  assert.equal(certificate.publicKey.asymmetricKeyType, 'rsa');
}

async function renew(session: Session, program: string): Promise<void> {
  const name = newName('cb-r');
  const { certificate } = await issue(session, program, [name]);
  await certbot(session, program, ['renew', '--force-renewal', '--no-random-sleep-on-renew', ...folders(session)]);
  const renewed = await acceptIssued(session, live(session, name), [`DNS:${name}`]);
  assert.notEqual(renewed.certificate.serialNumber, certificate.serialNumber);
}

async function issueWithExternalAccount(session: Session, program: string): Promise<void> {
  const { keyId, hmacKey } = await newExternalAccount(session);
  const more = ['--eab-kid', keyId, '--eab-hmac-key', hmacKey];
  await issue(session, program, [newName('cb-e')], { more });
}

async function revokeByAccount(session: Session, program: string): Promise<void> {
  const name = newName('cb-ra');
  const accepted = await issue(session, program, [name]);
  const what = ['--cert-name', name, '--reason', 'superseded', '--no-delete-after-revoke'];
  await certbot(session, program, ['revoke', ...at(session), ...what]);
  await expectStatus(session, accepted, 'revoked', 'superseded');
}

async function revokeByKey(session: Session, program: string): Promise<void> {
  const accepted = await issue(session, program, [newName('cb-rk')]);
  const files = ['--cert-path', accepted.certificateFile, '--key-path', accepted.keyFile];
  const how = ['--reason', 'keycompromise', '--no-delete-after-revoke'];
  await certbot(session, program, ['revoke', ...at(session), ...files, ...how]);
  await expectStatus(session, accepted, 'revoked', 'keyCompromise');
}

async function revokeTwice(session: Session, program: string): Promise<void> {
  const name = newName('cb-r2');
  const accepted = await issue(session, program, [name]);
  const revoke = ['revoke', ...at(session), '--cert-name', name, '--no-delete-after-revoke'];
  await certbot(session, program, revoke);
  await expectStatus(session, accepted, 'revoked');
  const { status } = await tryCertbot(session, program, revoke);
  assert.notEqual(status, 0, 'it must fail the second time');
  assert.match(readLog(session), /urn:ietf:params:acme:error:alreadyRevoked/);
}

async function updateAccount(session: Session, program: string): Promise<void> {
  await certbot(session, program, ['register', ...at(session), '--agree-tos', '-m', 'a@example.com', '--no-eff-email']);
  await certbot(session, program, ['update_account', ...at(session), '-m', 'z@example.com', '--no-eff-email']);
}

async function unregister(session: Session, program: string): Promise<void> {
  await certbot(session, program, ['register', ...at(session), '--agree-tos', '-m', 'a@example.com', '--no-eff-email']);
  await certbot(session, program, ['unregister', ...at(session)]);
}

async function failChallenge(session: Session, program: string): Promise<void> {
  const name = newName('cb-f');
  const request = ['certonly', ...at(session), ...terms, '--manual', '--preferred-challenges', 'http', '-d', name];
  // It answers that it did something, and did nothing.
  const { status, stdout, stderr } = await tryCertbot(session, program, [...request, '--manual-auth-hook', 'true']);
  assert.notEqual(status, 0, 'it must fail');
  assert.match(`${stdout}${stderr}`, /Type: +(unauthorized|connection|incorrectResponse)/);
  assert.match(`${stdout}${stderr}`, /127\.0\.0\.1/, 'it must be said at which address was looked');
}

async function refuseName(session: Session, program: string): Promise<void> {
  const request = ['certonly', ...at(session), ...terms, ...manual('http'), '-d', 'www.gatehouse.invalid'];
  const { status } = await tryCertbot(session, program, request);
  assert.notEqual(status, 0, 'it must fail');
  assert.match(readLog(session), /urn:ietf:params:acme:error:rejectedIdentifier/);
}

async function renewByInformation(session: Session, program: string): Promise<void> {
  const name = newName('cb-ari');
  const { certificate } = await issue(session, program, [name]);
  await session.stack.operator('acme', 'incident', 'add', '--serial', certificate.serialNumber.toLowerCase());
  await certbot(session, program, ['renew', '--no-random-sleep-on-renew', ...folders(session)]);
  const renewed = await acceptIssued(session, live(session, name), [`DNS:${name}`]);
  assert.notEqual(renewed.certificate.serialNumber, certificate.serialNumber, 'it must renew');
}

async function stayWithInformation(session: Session, program: string): Promise<void> {
  const name = newName('cb-stay');
  const { certificate } = await issue(session, program, [name]);
  await certbot(session, program, ['renew', '--no-random-sleep-on-renew', ...folders(session)]);
  const kept = await acceptIssued(session, live(session, name), [`DNS:${name}`]);
  assert.equal(kept.certificate.serialNumber, certificate.serialNumber, 'it must not renew');
}

async function issueByProfile(session: Session, program: string): Promise<void> {
  const { certificate } = await issue(session, program, [newName('cb-p')], {
    more: ['--required-profile', 'shortlived'],
  });
  const lifeMs = certificate.validToDate.getTime() - certificate.validFromDate.getTime();
  assert(lifeMs < 8 * 86_400_000, 'the profile is for some days');
}

async function issueForAddress(session: Session, program: string): Promise<void> {
  const more = ['--ip-address', '127.0.0.1', '--cert-name', 'address', '--required-profile', 'shortlived'];
  const request = ['certonly', ...at(session), ...terms, ...manual('http'), ...more];
  await certbot(session, program, request);
  await acceptIssued(session, live(session, 'address'), ['IP Address:127.0.0.1']);
}

type Issuance = { readonly method?: 'http' | 'dns'; readonly more?: readonly string[] };

const terms = ['--agree-tos', '-m', 'a@example.com', '--no-eff-email'];

async function issue(
  session: Session,
  program: string,
  names: readonly string[],
  { method = 'http', more = [] }: Issuance = {},
): Promise<Accepted> {
  const domains = names.flatMap((name) => ['-d', name]);
  await certbot(session, program, ['certonly', ...at(session), ...terms, ...manual(method), ...domains, ...more]);
  const [lineage = ''] = names;
  return await acceptIssued(
    session,
    live(session, lineage.replace('*.', '')),
    names.map((name) => `DNS:${name}`),
  );
}

function manual(method: 'http' | 'dns'): readonly string[] {
  const [begin, end] = method === 'http' ? ['add', 'del'] : ['set', 'clear'];
  const script = hook(`certbot-${method}.sh`);
  const hooks = ['--manual-auth-hook', `${script} ${begin}`];
  // A wildcard and its domain have their records under one name: what is taken away for one would be missed by the other.
  if (method === 'http') hooks.push('--manual-cleanup-hook', `${script} ${end}`);
  return ['--manual', '--preferred-challenges', method, ...hooks];
}

function at(session: Session): readonly string[] {
  return ['--server', directoryOf(session), ...folders(session)];
}

function folders(session: Session): readonly string[] {
  const folder = (name: string) => session.file(name);
  return ['--config-dir', folder('c'), '--work-dir', folder('w'), '--logs-dir', folder('l'), '--non-interactive'];
}

function live(session: Session, lineage: string) {
  const folder = session.file(`c/live/${lineage}`);
  return { certificateFile: `${folder}/fullchain.pem`, keyFile: `${folder}/privkey.pem` };
}

async function certbot(session: Session, program: string, parameters: readonly string[]): Promise<void> {
  await output(program, parameters, { environment: environment(session), timeoutMs: 180_000 });
}

function tryCertbot(session: Session, program: string, parameters: readonly string[]): Promise<CommandResult> {
  return runCommand(program, parameters, { environment: environment(session), timeoutMs: 180_000 });
}

/** Its log has each answer as it came; on the terminal it says as much as its version thinks fit. */
function readLog(session: Session): string {
  return readFileSync(session.file('l/letsencrypt.log'), 'utf8');
}

function environment(session: Session): Record<string, string> {
  return environmentOf(session, { REQUESTS_CA_BUNDLE: session.stack.endpoints.trustAnchor });
}

async function versionOf(program: string): Promise<string> {
  const said = (await output(program, ['--version'])).toString('latin1');
  const version = /certbot (\S+)/.exec(said)?.[1];
  assert(version !== undefined, 'certbot --version names no version');
  return version;
}
