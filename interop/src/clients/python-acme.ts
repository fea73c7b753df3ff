// python3-acme: the library under certbot, driven by a script as administrators write them; it shows what happens when a
// client asks for what it must not.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { acceptIssued, directoryOf, environmentOf, expectStatus, newName } from '../acme/subject.ts';
import type { Client, Operation } from '../client.ts';
import { output } from '../command.ts';
import type { Session } from '../session.ts';
import { pythonProgram } from './python.ts';

const script = fileURLToPath(new URL('../../python/acme_client.py', import.meta.url));

const operations: readonly Operation[] = [
  { name: 'a certificate for two names', section: 'RFC 8555 §7.4', run: (session) => issue(session, 'issue-once') },
  {
    name: 'a certificate, with an account of RSA',
    section: 'RFC 8555 §6.2',
    run: (session) => issue(session, 'issue-with-rsa-account'),
  },
  { name: 'a certificate for a wildcard and its domain, dns-01', section: 'RFC 8555 §8.4', run: issueByDns },
  { name: 'a certificate, tls-alpn-01', section: 'RFC 8737 §3', run: (session) => issue(session, 'issue-by-tls') },
  { name: 'a certificate for an address, http-01', section: 'RFC 8738 §5', run: issueForAddress },
  { name: 'an account is found again, another is not', section: 'RFC 8555 §7.3.1', run: returnExisting },
  { name: 'a second revocation is refused', section: 'RFC 8555 §7.6', run: revokeTwice },
  { name: 'revocation by an account that controls the names', section: 'RFC 8555 §7.6', run: revokeByOther },
  { name: 'reasons that there are not', section: 'RFC 8555 §7.6', run: refuseReasons },
  { name: 'a deactivated account gets nothing', section: 'RFC 8555 §7.3.6', run: deactivate },
  { name: 'an authorization is deactivated', section: 'RFC 8555 §7.5.2', run: deactivateAuthorization },
  { name: 'finalize before the order is ready', section: 'RFC 8555 §7.4', run: finalizeEarly },
];

/** python3-acme. */
export const pythonAcmeClient: Client = {
  name: 'python3-acme',
  gate: 'acme',
  version: async () => {
    const question = 'from importlib.metadata import version; print(version("acme"))';
    return (await output(pythonProgram, ['-c', question])).toString('latin1').trim();
  },
  operations: operations.map((operation) => ({ ...operation, stack: 'acme' })),
};

async function issue(session: Session, operation: string): Promise<void> {
  const names = [newName('py-a'), newName('py-b')];
  await call(session, operation, names);
  await accept(session, names);
}

async function issueByDns(session: Session): Promise<void> {
  const name = newName('py-w');
  await call(session, 'issue-by-dns', [`*.${name}`, name]);
  await accept(session, [`*.${name}`, name]);
}

async function issueForAddress(session: Session): Promise<void> {
  await call(session, 'issue-once', ['127.0.0.1']);
  await accept(session, ['127.0.0.1'], 'python', 'IP Address');
}

async function returnExisting(session: Session): Promise<void> {
  assert.deepEqual(await call(session, 'return-existing', []), ['same', 'accountDoesNotExist']);
}

async function revokeTwice(session: Session): Promise<void> {
  const names = [newName('py-r')];
  assert.deepEqual(await call(session, 'revoke-twice', names), ['alreadyRevoked']);
  await expectStatus(session, await accept(session, names), 'revoked', 'superseded');
}

async function revokeByOther(session: Session): Promise<void> {
  const names = [newName('py-o')];
  assert.deepEqual(await call(session, 'revoke-by-other', names), ['unauthorized']);
  await expectStatus(session, await accept(session, names), 'revoked', 'cessationOfOperation');
  await expectStatus(session, await accept(session, names, 'python/other'), 'good');
}

async function refuseReasons(session: Session): Promise<void> {
  const names = [newName('py-b')];
  assert.deepEqual(await call(session, 'bad-reason', names), ['badRevocationReason', 'badRevocationReason']);
  await expectStatus(session, await accept(session, names), 'good');
}

async function deactivate(session: Session): Promise<void> {
  assert.deepEqual(await call(session, 'deactivate', [newName('py-d')]), ['unauthorized']);
}

async function deactivateAuthorization(session: Session): Promise<void> {
  assert.deepEqual(await call(session, 'deactivate-authorization', [newName('py-z')]), ['deactivated']);
}

async function finalizeEarly(session: Session): Promise<void> {
  assert.deepEqual(await call(session, 'finalize-early', [newName('py-f')]), ['orderNotReady']);
}

function accept(session: Session, names: readonly string[], folder = 'python', kind = 'DNS') {
  const holding = { certificateFile: session.file(`${folder}/cert.pem`), keyFile: session.file(`${folder}/key.pem`) };
  return acceptIssued(
    session,
    holding,
    names.map((name) => `${kind}:${name}`),
  );
}

async function call(session: Session, operation: string, names: readonly string[]): Promise<readonly string[]> {
  const parameters = [script, operation, directoryOf(session), session.file('python'), ...names];
  const said = await output(pythonProgram, parameters, {
    environment: environmentOf(session, { REQUESTS_CA_BUNDLE: session.stack.endpoints.trustAnchor }),
    timeoutMs: 180_000,
  });
  return said
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}
