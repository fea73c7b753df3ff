// openssl s_server -status: it asks the responder that its certificate names, by POST, whenever a client wants to know.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Client } from '../client.ts';
import { lastLines, runCommand } from '../command.ts';
import type { Session } from '../session.ts';
import { readStaple } from '../stapling/s-client-status.ts';
import { freePort, withServer } from '../stapling/server.ts';
import { untilStatus } from '../status/expect-ocsp.ts';
import { revoke } from '../status/operator.ts';
import { enrollSubject, type Subject } from '../status/subject.ts';
import { opensslVersion } from './openssl.ts';

const section = 'RFC 6066 §8';

/** openssl s_server. */
export const opensslServerClient: Client = {
  name: 'openssl s_server -status',
  gate: 'status',
  version: opensslVersion,
  operations: [
    { name: 'staples good, then revoked, to openssl s_client -status', section, run: stapleChange },
    { name: 'staples what curl --cert-status verifies, then refuses', section, run: stapleForCurl },
  ],
};

async function stapleChange(session: Session): Promise<void> {
  await withOpensslServer(session, async (authority, subject) => {
    assert.equal((await readStaple(session, authority))?.status, 'good');
    await revokeSubject(session, subject);
    assert.equal((await readStaple(session, authority))?.status, 'revoked');
  });
}

async function stapleForCurl(session: Session): Promise<void> {
  await withOpensslServer(session, async (authority, subject) => {
    const call = () =>
      runCommand('curl', [
        ...['--silent', '--show-error', '--cert-status', '--cacert', session.stack.endpoints.trustAnchor],
        `https://${authority}/`,
      ]);
    const before = await call();
    assert.equal(before.status, 0, lastLines(before.stderr));
    await revokeSubject(session, subject);
    const after = await call();
    // CURLE_SSL_INVALIDCERTSTATUS.
    assert.equal(after.status, 91, lastLines(after.stderr));
    assert.match(after.stderr, /revo/);
  });
}

async function revokeSubject(session: Session, subject: Subject): Promise<void> {
  await revoke(session, subject.serialNumber, 'key-compromise');
  await untilStatus(session, subject, 'revoked');
}

async function withOpensslServer(
  session: Session,
  use: (authority: string, subject: Subject) => Promise<void>,
): Promise<void> {
  const subject = await enrollSubject(session, 'www', { names: ['DNS:www.example.com', 'IP:127.0.0.1'] });
  const authority = `127.0.0.1:${await freePort()}`;
  const { chain, trustAnchor } = session.stack.endpoints;
  const trusted = session.write(
    'trusted.pem',
    `${readFileSync(chain, 'latin1')}\n${readFileSync(trustAnchor, 'latin1')}`,
  );
  const parameters = [
    ...['s_server', '-accept', authority, '-www', '-status', '-status_verbose', '-CAfile', trusted],
    ...['-cert', subject.certificateFile, '-cert_chain', chain, '-key', subject.keyFile],
  ];
  await withServer(
    { program: 'openssl', parameters },
    async () => (await readStaple(session, authority)) !== undefined,
    () => use(authority, subject),
  );
}
