// nginx with ssl_stapling: it finds the responder in its certificate, asks by GET, verifies what it gets and hands it to
// every client that asks. It runs from a directory of its own, as an ordinary process.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import type { Client } from '../client.ts';
import { lastLines, runCommand } from '../command.ts';
import { eventually } from '../patience.ts';
import type { Session } from '../session.ts';
import { readStaple } from '../stapling/s-client-status.ts';
import { freePort, withServer } from '../stapling/server.ts';
import { untilStatus } from '../status/expect-ocsp.ts';
import { revoke } from '../status/operator.ts';
import { enrollSubject, type Subject } from '../status/subject.ts';

/** nginx. */
export const nginxClient: Client = {
  name: 'nginx ssl_stapling',
  gate: 'status',
  version: async () => {
    const version = /nginx\/(\S+)/.exec((await runCommand(nginxProgram, ['-v'])).stderr)?.[1];
    assert(version !== undefined, 'nginx -v names no version');
    return version;
  },
  operations: [
    { name: 'staples good to openssl s_client -status', section: 'RFC 6066 §8', run: stapleGood },
    { name: 'staples what curl --cert-status verifies', section: 'RFC 6066 §8', run: stapleForCurl },
    { name: 'staples what gnutls-cli verifies', section: 'RFC 6066 §8', run: stapleForGnutls },
    { name: 'staples nothing good for what is revoked', section: 'RFC 6066 §8', run: stapleNothingGood },
  ],
};

/** Debian's package puts it where not every user's path leads. */
export const nginxProgram = '/usr/sbin/nginx';

async function stapleGood(session: Session): Promise<void> {
  await withNginx(session, await enrollServer(session), async (authority) => await untilGood(session, authority));
}

async function stapleForCurl(session: Session): Promise<void> {
  await withNginx(session, await enrollServer(session), async (authority) => {
    await untilGood(session, authority);
    const { status, stderr } = await runCommand('curl', [
      ...['--silent', '--show-error', '--cert-status', '--cacert', session.stack.endpoints.trustAnchor],
      `https://${authority}/`,
    ]);
    assert.equal(status, 0, lastLines(stderr));
  });
}

async function stapleForGnutls(session: Session): Promise<void> {
  await withNginx(session, await enrollServer(session), async (authority) => {
    await untilGood(session, authority);
    const { hostname, port } = new URL(`https://${authority}`);
    const { status, stdout } = await runCommand('gnutls-cli', [
      ...['--x509cafile', session.stack.endpoints.trustAnchor, '--port', port, hostname],
    ]);
    const said = stdout.toString('latin1');
    assert.equal(status, 0, lastLines(said));
    assert.match(said, /^- Status: The certificate is trusted\.\s*$/m);
    assert.match(said, /^- Options: .*OCSP status request[^\n]*$/m);
  });
}

async function stapleNothingGood(session: Session): Promise<void> {
  const subject = await enrollServer(session);
  await revoke(session, subject.serialNumber, 'superseded');
  await untilStatus(session, subject, 'revoked');
  await withNginx(session, subject, async (authority) => {
    // It says in its log what it was told.
    const log = session.file('nginx/error.log');
    const seen = await eventually(
      async () => ({ staple: await readStaple(session, authority), log: readFileSync(log, 'latin1') }),
      ({ staple, log: text }) => staple?.status === 'revoked' || /certificate status "revoked"/.test(text),
    );
    assert.notEqual(seen.staple?.status, 'good');
    assert(
      seen.staple?.status === 'revoked' || /certificate status "revoked"/.test(seen.log),
      `nginx must learn it: ${lastLines(seen.log)}`,
    );
  });
}

function enrollServer(session: Session): Promise<Subject> {
  return enrollSubject(session, 'www', { names: ['DNS:www.example.com', 'IP:127.0.0.1'] });
}

/** It asks when the first client has come, so that the first one is told nothing. */
async function untilGood(session: Session, authority: string): Promise<void> {
  const staple = await eventually(
    () => readStaple(session, authority),
    (seen) => seen?.status === 'good',
  );
  assert.equal(staple?.status, 'good', lastLines(readFileSync(session.file('nginx/error.log'), 'latin1')));
}

async function withNginx(session: Session, subject: Subject, use: (authority: string) => Promise<void>): Promise<void> {
  const prefix = session.file('nginx');
  mkdirSync(prefix);
  const authority = `127.0.0.1:${await freePort()}`;
  const { chain, trustAnchor } = session.stack.endpoints;
  const bundle = (name: string, ...files: readonly string[]) =>
    session.write(name, files.map((file) => readFileSync(file, 'latin1').trimEnd()).join('\n'));
  const configuration = nginxConfiguration({
    authority,
    prefix,
    certificate: bundle('server.pem', subject.certificateFile, chain),
    key: subject.keyFile,
    trusted: bundle('trusted.pem', chain, trustAnchor),
  });
  const file = session.write('nginx.conf', configuration);
  await withServer(
    { program: nginxProgram, parameters: ['-p', prefix, '-c', file, '-e', `${prefix}/error.log`] },
    async () => (await readStaple(session, authority)) !== undefined,
    () => use(authority),
  );
}

type NginxOptions = {
  readonly authority: string;
  readonly prefix: string;
  readonly certificate: string;
  readonly key: string;
  readonly trusted: string;
};

function nginxConfiguration({ authority, prefix, certificate, key, trusted }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `\
daemon off;
master_process off;
pid ${prefix}/nginx.pid;
error_log ${prefix}/error.log info;
events {}
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${prefix}/${name};`).join('\n')}
  server {
    listen ${authority} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    ssl_stapling on;
    ssl_stapling_verify on;
    ssl_trusted_certificate ${trusted};
    return 200;
  }
}
`;
}
