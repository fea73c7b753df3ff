// acme-client of npm: what servers of Node get their certificates with. It answers all three kinds of challenge through
// the challenge server, changes the key of its account, and revokes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import acme from 'acme-client';
import {
  type Accepted,
  acceptIssued,
  challengesOf,
  directoryOf,
  expectStatus,
  newExternalAccount,
  newName,
} from '../acme/subject.ts';
import type { Client, Operation } from '../client.ts';
import type { Session } from '../session.ts';

type ChallengeType = 'http-01' | 'dns-01' | 'tls-alpn-01';

const operations: readonly Operation[] = [
  ...(['http-01', 'dns-01', 'tls-alpn-01'] as const).map(issueByType),
  { name: 'auto, dns-01, a wildcard and its domain', section: 'RFC 8555 §7.1.3', run: issueWildcard },
  { name: 'auto with RSA keys of account and certificate', section: 'RFC 8555 §6.2', run: issueRsa },
  { name: 'updateAccountKey, and a certificate with the new key', section: 'RFC 8555 §7.3.5', run: changeKey },
  { name: 'updateAccountKey to a key that is in use', section: 'RFC 8555 §7.3.5', run: changeKeyToUsed },
  { name: 'createAccount with an external account', section: 'RFC 8555 §7.3.4', run: issueWithExternalAccount },
  { name: 'revokeCertificate', section: 'RFC 8555 §7.6', run: revoke },
  { name: 'updateAccount: contacts, then deactivated', section: 'RFC 8555 §7.3.2, §7.3.6', run: updateAccount },
  { name: 'deactivateAuthorization', section: 'RFC 8555 §7.5.2', run: deactivateAuthorization },
  { name: 'six orders at once', section: 'RFC 8555 §6.5', run: issueManyAtOnce },
];

/** acme-client. */
export const acmeClient: Client = {
  name: 'npm acme-client',
  gate: 'acme',
  version: () => {
    const document: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    assert(typeof document === 'object' && document !== null && 'dependencies' in document);
    const { dependencies } = document;
    assert(typeof dependencies === 'object' && dependencies !== null && 'acme-client' in dependencies);
    return Promise.resolve(String(dependencies['acme-client']));
  },
  operations: operations.map((operation) => ({ ...operation, stack: 'acme' })),
};

function issueByType(type: ChallengeType): Operation {
  return {
    name: `auto, ${type}`,
    section: type === 'tls-alpn-01' ? 'RFC 8737 §3' : 'RFC 8555 §8',
    run: async (session) => {
      await issue(session, await newClient(session), [newName(`node-${type}`)], type);
    },
  };
}

async function issueWildcard(session: Session): Promise<void> {
  const name = newName('node-w');
  await issue(session, await newClient(session), [`*.${name}`, name], 'dns-01');
}

async function issueRsa(session: Session): Promise<void> {
  const client = await newClient(session, { accountKey: await acme.crypto.createPrivateRsaKey(2048) });
  const { certificate } = await issue(session, client, [newName('node-rsa')], 'http-01', 'rsa');
  assert.equal(certificate.publicKey.asymmetricKeyType, 'rsa');
}

async function changeKey(session: Session): Promise<void> {
  const client = await newClient(session);
  await client.createAccount({ termsOfServiceAgreed: true });
  const url = client.getAccountUrl();
  await client.updateAccountKey(await acme.crypto.createPrivateEcdsaKey());
  assert.equal(client.getAccountUrl(), url, 'the URL of an account never changes');
  await issue(session, client, [newName('node-k')]);
}

async function changeKeyToUsed(session: Session): Promise<void> {
  const usedKey = await acme.crypto.createPrivateEcdsaKey();
  const other = await newClient(session, { accountKey: usedKey });
  await other.createAccount({ termsOfServiceAgreed: true });
  const client = await newClient(session);
  await client.createAccount({ termsOfServiceAgreed: true });
  await assert.rejects(client.updateAccountKey(usedKey));
  await client.updateAccount({ contact: ['mailto:still@example.com'] });
}

async function issueWithExternalAccount(session: Session): Promise<void> {
  const { keyId, hmacKey } = await newExternalAccount(session);
  const client = await newClient(session, { externalAccountBinding: { kid: keyId, hmacKey } });
  await issue(session, client, [newName('node-e')]);
}

async function revoke(session: Session): Promise<void> {
  const client = await newClient(session);
  const accepted = await issue(session, client, [newName('node-v')]);
  await client.revokeCertificate(accepted.certificate.toString(), { reason: 3 });
  await expectStatus(session, accepted, 'revoked', 'affiliationChanged');
}

async function updateAccount(session: Session): Promise<void> {
  const client = await newClient(session);
  await client.createAccount({ termsOfServiceAgreed: true, contact: ['mailto:a@example.com'] });
  const { contact } = await client.updateAccount({ contact: ['mailto:z@example.com'] });
  assert.deepEqual(contact, ['mailto:z@example.com']);
  const { status } = await client.updateAccount({ status: 'deactivated' });
  assert.equal(status, 'deactivated');
  await assert.rejects(client.createOrder({ identifiers: [{ type: 'dns', value: newName('node-d') }] }));
}

async function deactivateAuthorization(session: Session): Promise<void> {
  const client = await newClient(session);
  await client.createAccount({ termsOfServiceAgreed: true });
  const order = await client.createOrder({ identifiers: [{ type: 'dns', value: newName('node-z') }] });
  const [authorization] = await client.getAuthorizations(order);
  assert(authorization !== undefined);
  const { status } = await client.deactivateAuthorization(authorization);
  assert.equal(status, 'deactivated');
  // RFC 8555 §7.1.6: an order whose authorization is gone is invalid.
  const { status: left } = await client.getOrder(order);
  assert.equal(left, 'invalid');
}

async function issueManyAtOnce(session: Session): Promise<void> {
  const client = await newClient(session);
  await client.createAccount({ termsOfServiceAgreed: true });
  await Promise.all(Array.from({ length: 6 }, (_, index) => issue(session, client, [newName(`node-m${index}`)])));
}

async function newClient(
  session: Session,
  options: Partial<ConstructorParameters<typeof acme.Client>[0]> = {},
): Promise<InstanceType<typeof acme.Client>> {
  // One stack, one trust anchor, for all of its requests.
  acme.axios.defaults.httpsAgent ??= new Agent({ ca: readFileSync(session.stack.endpoints.trustAnchor) });
  acme.axios.defaults.proxy = false;
  const accountKey = options.accountKey ?? (await acme.crypto.createPrivateEcdsaKey());
  const patience = { backoffMin: 200, backoffMax: 2_000, backoffAttempts: 30 };
  return new acme.Client({ directoryUrl: directoryOf(session), ...patience, ...options, accountKey });
}

async function issue(
  session: Session,
  client: InstanceType<typeof acme.Client>,
  names: readonly string[],
  type: ChallengeType = 'http-01',
  kind: 'ec' | 'rsa' = 'ec',
): Promise<Accepted> {
  const key = kind === 'rsa' ? await acme.crypto.createPrivateRsaKey(2048) : await acme.crypto.createPrivateEcdsaKey();
  const [, csr] = await acme.crypto.createCsr({ altNames: [...names] }, key);
  const pem = await client.auto({
    csr,
    email: 'a@example.com',
    termsOfServiceAgreed: true,
    skipChallengeVerification: true,
    challengePriority: [type],
    challengeCreateFn: (authorization, challenge, keyAuthorization) =>
      answer(session, authorization.identifier.value, challenge, keyAuthorization),
    challengeRemoveFn: () => Promise.resolve(),
  });
  const [name = ''] = names;
  const holding = {
    certificateFile: session.write(`${name.replace('*', '_')}.pem`, pem),
    keyFile: session.write(`${name.replace('*', '_')}.key`, key),
  };
  return await acceptIssued(
    session,
    holding,
    names.map((one) => `DNS:${one}`),
  );
}

async function answer(
  session: Session,
  host: string,
  challenge: { readonly type: string; readonly token: string },
  keyAuthorization: string,
): Promise<void> {
  const challenges = challengesOf(session);
  switch (challenge.type) {
    case 'http-01':
      return await challenges.tell('add-http01', { token: challenge.token, content: keyAuthorization });
    case 'dns-01':
      return await challenges.tell('set-txt', { host: `_acme-challenge.${host}.`, value: keyAuthorization });
    case 'tls-alpn-01':
      return await challenges.tell('add-tlsalpn01', { host, content: keyAuthorization });
    default:
      throw new TypeError(`there is no answer to ${challenge.type}`);
  }
}
