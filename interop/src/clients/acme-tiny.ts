// acme-tiny: two hundred lines of Python that people read before they trust them. It begins with GET for a nonce, signs by
// RS256, and leaves the challenge in a folder for a web server.

import { once } from 'node:events';
import { createReadStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { acceptIssued, challengesOf, directoryOf, environmentOf, newName } from '../acme/subject.ts';
import { makeRequest } from '../certification-requests.ts';
import type { Client, Operation } from '../client.ts';
import { output } from '../command.ts';
import { packageVersion } from '../package-version.ts';
import type { Session } from '../session.ts';

/** Debian package acme-tiny. */
export const acmeTinyProgram = 'acme-tiny';

const operations: readonly Operation[] = [
  {
    name: 'a certificate, http-01 from a folder',
    section: 'RFC 8555 §8.3, §7.2',
    run: (session) => issue(session, []),
  },
  {
    name: 'a certificate, with contacts that are updated',
    section: 'RFC 8555 §7.3.2',
    run: (session) => issue(session, ['--contact', 'mailto:a@example.com', 'mailto:b@example.com']),
  },
];

/** acme-tiny. */
export const acmeTinyClient: Client = {
  name: 'acme-tiny',
  gate: 'acme',
  version: () => packageVersion(acmeTinyProgram),
  operations: operations.map((operation) => ({ ...operation, stack: 'acme' })),
};

async function issue(session: Session, more: readonly string[]): Promise<void> {
  const names = [newName('tiny-a'), newName('tiny-b')];
  const server = await serveFolder(session, names);
  try {
    const accountKey = session.file('account.key');
    await output('openssl', ['genrsa', '-out', accountKey, '2048']);
    const request = await makeRequest(session, 'tiny', {
      subject: [`CN=${names[0]}`],
      names: names.map((name) => `DNS:${name}`),
      kind: 'RSA-2048',
    });
    const csr = session.write(
      'tiny.pem',
      await output('openssl', ['req', '-inform', 'DER', '-in', request.file, '-outform', 'PEM']),
    );
    const files = ['--account-key', accountKey, '--csr', csr, '--acme-dir', server.folder];
    const where = ['--directory-url', directoryOf(session), '--disable-check'];
    const pem = await output(acmeTinyProgram, [...files, ...where, ...more], {
      environment: environmentOf(session, { SSL_CERT_FILE: session.stack.endpoints.trustAnchor }),
      timeoutMs: 180_000,
    });
    const certificateFile = session.write('tiny.crt', pem);
    const wanted = names.map((name) => `DNS:${name}`);
    await acceptIssued(session, { certificateFile, keyFile: request.keyFile }, wanted);
  } finally {
    await server.stop();
  }
}

/** A web server with nothing but a folder, at an address to which the names lead. */
async function serveFolder(session: Session, names: readonly string[]) {
  const challenges = challengesOf(session);
  const address = challenges.ownAddress();
  for (const host of names) await challenges.tell('add-a', { host, addresses: [address] });
  const folder = session.file('challenges');
  mkdirSync(folder);
  const server = createServer((request, response) => {
    const file = createReadStream(join(folder, basename(request.url ?? '')));
    file.on('error', () => {
      response.statusCode = 404;
      response.end();
    });
    file.pipe(response);
  });
  server.listen(challenges.httpPort, address);
  await once(server, 'listening');
  return {
    folder,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
