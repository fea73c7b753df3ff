// uacme: C and libcurl, made for routers. It stops when an error has no nonce and when a state goes back, and it can
// change the key of its account.

import assert from 'node:assert/strict';
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
import { output } from '../command.ts';
import { packageVersion } from '../package-version.ts';
import type { Session } from '../session.ts';

/** Debian package uacme. */
export const uacmeProgram = 'uacme';

const operations: readonly Operation[] = [
  { name: 'new, update, deactivate', section: 'RFC 8555 §7.3', run: manageAccount },
  { name: 'issue, http-01, two names', section: 'RFC 8555 §8.3', run: issueByHttp },
  { name: 'issue, dns-01, a wildcard', section: 'RFC 8555 §8.4, §7.1.3', run: issueByDns },
  { name: 'newkey: the account goes on with another key', section: 'RFC 8555 §7.3.5', run: changeKey },
  { name: 'issue --force: renewal', section: 'RFC 8555 §7.4', run: renew },
  { name: 'new with an external account', section: 'RFC 8555 §7.3.4', run: issueWithExternalAccount },
  { name: 'revoke', section: 'RFC 8555 §7.6', run: revoke },
];

/** uacme. */
export const uacmeClient: Client = {
  name: 'uacme',
  gate: 'acme',
  version: () => packageVersion(uacmeProgram),
  operations: operations.map((operation) => ({ ...operation, stack: 'acme' })),
};

async function manageAccount(session: Session): Promise<void> {
  await uacme(session, ['new', 'a@example.com']);
  await uacme(session, ['update', 'z@example.com']);
  await uacme(session, ['deactivate']);
}

async function issueByHttp(session: Session): Promise<void> {
  await uacme(session, ['new']);
  await issue(session, [newName('uacme-a'), newName('uacme-b')]);
}

async function issueByDns(session: Session): Promise<void> {
  const name = newName('uacme-w');
  await uacme(session, ['new']);
  await uacme(session, ['issue', `*.${name}`], 'dns-01');
  await accept(session, [`*.${name}`], name);
}

async function changeKey(session: Session): Promise<void> {
  await uacme(session, ['new']);
  await uacme(session, ['newkey']);
  await issue(session, [newName('uacme-k')]);
}

async function renew(session: Session): Promise<void> {
  const names = [newName('uacme-r')];
  await uacme(session, ['new']);
  const { certificate } = await issue(session, names);
  await uacme(session, ['issue', '--force', ...names]);
  const renewed = await accept(session, names);
  assert.notEqual(renewed.certificate.serialNumber, certificate.serialNumber);
}

async function issueWithExternalAccount(session: Session): Promise<void> {
  const { keyId, hmacKey } = await newExternalAccount(session);
  await uacme(session, ['--eab', `${keyId}:${hmacKey}`, 'new']);
  await issue(session, [newName('uacme-e')]);
}

async function revoke(session: Session): Promise<void> {
  const names = [newName('uacme-v')];
  await uacme(session, ['new']);
  const accepted = await issue(session, names);
  await uacme(session, ['revoke', accepted.certificateFile]);
  await expectStatus(session, accepted, 'revoked');
}

async function issue(session: Session, names: readonly string[]): Promise<Accepted> {
  await uacme(session, ['issue', ...names]);
  return await accept(session, names);
}

function accept(session: Session, names: readonly string[], folder = names[0] ?? ''): Promise<Accepted> {
  const holding = {
    certificateFile: session.file(`uacme/${folder}/cert.pem`),
    keyFile: session.file(`uacme/private/${folder}/key.pem`),
  };
  return acceptIssued(
    session,
    holding,
    names.map((name) => `DNS:${name}`),
  );
}

async function uacme(session: Session, parameters: readonly string[], challenge = 'http-01'): Promise<void> {
  const how = ['--acme-url', directoryOf(session), '--confdir', session.file('uacme'), '--hook', hook('uacme.sh')];
  // It believes what the machine believes and cannot be told otherwise: it gets a view of the machine of its own.
  const believe = 'mount --bind "$TRUST_ANCHOR" /etc/ssl/certs/ca-certificates.crt && exec "$@"';
  const inView = ['--map-root-user', '--mount', 'sh', '-c', believe, 'sh', uacmeProgram];
  await output('unshare', [...inView, '--yes', ...how, ...parameters], {
    timeoutMs: 180_000,
    environment: environmentOf(session, {
      CHALLENGETYPE: challenge,
      TRUST_ANCHOR: session.stack.endpoints.trustAnchor,
    }),
  });
}
