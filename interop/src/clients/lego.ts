// lego of Debian: the library behind Traefik and many appliances. It answers http-01 and tls-alpn-01 itself, so each of
// its operations listens on a loopback address of its own, where the names of the operation lead.

import assert from 'node:assert/strict';
import {
  type Accepted,
  acceptIssued,
  challengesOf,
  directoryOf,
  environmentOf,
  expectStatus,
  hook,
  newExternalAccount,
  newName,
} from '../acme/subject.ts';
import type { Client, Operation } from '../client.ts';
import { output } from '../command.ts';
import { packageVersion } from '../package-version.ts';
import type { Session } from '../session.ts';

/** Debian package lego. */
export const legoProgram = 'lego';

const operations: readonly Operation[] = [
  { name: 'run, http-01, two names', section: 'RFC 8555 §8.3', run: issueByHttp },
  { name: 'run, tls-alpn-01', section: 'RFC 8737 §3', run: issueByTls },
  { name: 'run, dns-01, a wildcard and its domain', section: 'RFC 8555 §8.4, §7.1.3', run: issueByDns },
  // This version asks for addresses as if they were domains.
  { name: 'run for an address that it calls a domain', section: 'RFC 8555 §7.4', run: refuseAddress },
  ...(['rsa2048', 'rsa4096', 'ec256', 'ec384'] as const).map(issueKeyType),
  { name: 'renew', section: 'RFC 8555 §7.4', run: renew },
  { name: 'run with an external account', section: 'RFC 8555 §7.3.4', run: issueWithExternalAccount },
  { name: 'revoke', section: 'RFC 8555 §7.6', run: revoke },
];

/** lego. */
export const legoClient: Client = {
  name: 'lego',
  gate: 'acme',
  version: () => packageVersion(legoProgram),
  operations: operations.map((operation) => ({ ...operation, stack: 'acme' })),
};

async function issueByHttp(session: Session): Promise<void> {
  const names = [newName('lego-a'), newName('lego-b')];
  await issue(session, names, await http(session, names));
}

async function issueByTls(session: Session): Promise<void> {
  const names = [newName('lego-t')];
  await issue(session, names, await tls(session, names));
}

async function issueByDns(session: Session): Promise<void> {
  const name = newName('lego-w');
  await issue(session, [`*.${name}`, name], dns(session));
}

async function refuseAddress(session: Session): Promise<void> {
  const how = ['--http', '--http.port', `127.0.0.1:${challengesOf(session).httpPort}`];
  await assert.rejects(issue(session, ['127.0.0.1'], how), /(malformed|rejectedIdentifier)/);
}

function issueKeyType(kind: string): Operation {
  return {
    name: `run with a key of type ${kind}`,
    section: 'RFC 8555 §7.4',
    run: async (session) => {
      const names = [newName(`lego-${kind}`)];
      await issue(session, names, [...(await http(session, names)), '--key-type', kind]);
    },
  };
}

async function renew(session: Session): Promise<void> {
  const names = [newName('lego-r')];
  const how = await http(session, names);
  const { certificate } = await issue(session, names, how);
  await lego(session, [...domains(names), ...how, 'renew', '--days', '9999', '--no-random-sleep']);
  const renewed = await accept(session, names);
  assert.notEqual(renewed.certificate.serialNumber, certificate.serialNumber);
}

async function issueWithExternalAccount(session: Session): Promise<void> {
  const { keyId, hmacKey } = await newExternalAccount(session);
  const names = [newName('lego-e')];
  await issue(session, names, [...(await http(session, names)), '--eab', '--kid', keyId, '--hmac', hmacKey]);
}

async function revoke(session: Session): Promise<void> {
  const names = [newName('lego-v')];
  const how = await http(session, names);
  const accepted = await issue(session, names, how);
  await lego(session, [...domains(names), ...how, 'revoke', '--keep', '--reason', '5']);
  await expectStatus(session, accepted, 'revoked', 'cessationOfOperation');
}

async function http(session: Session, names: readonly string[]): Promise<readonly string[]> {
  const address = await lead(session, names);
  return ['--http', '--http.port', `${address}:${challengesOf(session).httpPort}`];
}

async function tls(session: Session, names: readonly string[]): Promise<readonly string[]> {
  const address = await lead(session, names);
  return ['--tls', '--tls.port', `${address}:${challengesOf(session).tlsPort}`];
}

function dns(session: Session): readonly string[] {
  return ['--dns', 'exec', '--dns.disable-cp', '--dns.resolvers', challengesOf(session).resolver];
}

/** Leads the names to an address of this operation alone. */
async function lead(session: Session, names: readonly string[]): Promise<string> {
  const challenges = challengesOf(session);
  const address = challenges.ownAddress();
  for (const host of names) await challenges.tell('add-a', { host, addresses: [address] });
  return address;
}

async function issue(session: Session, names: readonly string[], how: readonly string[]): Promise<Accepted> {
  await lego(session, [...domains(names), ...how, 'run']);
  return await accept(session, names);
}

function accept(session: Session, names: readonly string[]): Promise<Accepted> {
  const [first = ''] = names;
  const folder = session.file(`lego/certificates/${first.replace('*', '_')}`);
  return acceptIssued(
    session,
    { certificateFile: `${folder}.crt`, keyFile: `${folder}.key` },
    names.map((name) => `DNS:${name}`),
  );
}

function domains(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => ['--domains', name]);
}

async function lego(session: Session, parameters: readonly string[]): Promise<void> {
  const account = ['--accept-tos', '--email', 'x@example.com', '--path', session.file('lego')];
  await output(legoProgram, ['--server', directoryOf(session), ...account, ...parameters], {
    timeoutMs: 180_000,
    environment: environmentOf(session, {
      LEGO_CA_CERTIFICATES: session.stack.endpoints.trustAnchor,
      EXEC_PATH: hook('lego-dns.sh'),
      EXEC_SEQUENCE_INTERVAL: '1',
      EXEC_POLLING_INTERVAL: '1',
    }),
  });
}
