// openssl s_client: a client that shows each octet, and that can be told to do what no careful client does. It proves
// what the gate does below HTTP, and that a CSR can be bound to its connection by a tool that knows nothing of EST.

import assert from 'node:assert/strict';
import { makeRequest, type RequestFiles } from '../certification-requests.ts';
import type { Client, Operation } from '../client.ts';
import { lastLines, output, runCommand } from '../command.ts';
import { estPath, expectIssued, toBase64 } from '../curl/enroll.ts';
import { readAnswers, readLastAnswer } from '../http-answer.ts';
import { openConversation, sendOctets } from '../s-client.ts';
import type { Session } from '../session.ts';

const tls = 'RFC 9325';

/** openssl s_client. */
export const opensslClient: Client = {
  name: 'openssl s_client',
  gate: 'est',
  version: opensslVersion,
  operations: [
    { name: 'cacerts and csrattrs, sent together', section: 'RFC 9112 §9.3.2', run: sendTogether },
    ...['-tls1_2', '-tls1_3'].map((version) => ({
      name: `simpleenroll, octet by octet, ${version}`,
      section: 'RFC 7030 §4.2.1',
      run: (session: Session) => enrollRaw(session, version),
    })),
    { name: 'simpleenroll bound by tls-exporter, TLS 1.3', section: 'RFC 9266 §2', run: enrollBoundByExporter },
    { name: 'simpleenroll bound by tls-unique, TLS 1.2', section: 'RFC 7030 §3.5', run: enrollBoundByUnique },
    { name: 'server certificate: names and purposes', section: 'RFC 7030 §3.6.1', run: checkServerCertificate },
    refusesHandshake('TLS 1.1', ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']),
    refusesHandshake('anonymous key exchange', ['-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0']),
    refusesHandshake('no encryption', ['-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0']),
    refusesHandshake('key exchange without forward secrecy', ['-tls1_2', '-cipher', 'kRSA']),
    refusesHandshake('CBC', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA']),
    { name: 'refuses renegotiation', section: tls, run: renegotiate },
    { name: 'resumes no session', section: 'RFC 5929 §3.1', run: reconnect },
  ],
};

/** Its version in its own words. @throws when it is not there */
export async function opensslVersion(): Promise<string> {
  const said = (await output('openssl', ['version'])).toString('latin1');
  const version = /^OpenSSL (\S+)/.exec(said)?.[1];
  assert(version !== undefined, 'openssl version names no version');
  return version;
}

async function sendTogether(session: Session): Promise<void> {
  const get = (operation: string, ...fields: readonly string[]) =>
    [`GET ${estPath(operation)} HTTP/1.1`, `Host: ${session.authority}`, ...fields, '', ''].join('\r\n');
  const { stdout } = await sendOctets(session, get('cacerts') + get('csrattrs', 'Connection: close'));
  const types = readAnswers(stdout).map(({ status, headers }) => `${status} ${headers.get('content-type')}`);
  assert.match(types[0] ?? '', /^200 application\/pkcs7-mime/);
  assert.equal(types[1], '200 application/csrattrs');
}

async function enrollRaw(session: Session, version: string): Promise<void> {
  const request = await makeRequest(session, 'raw', { subject: ['CN=raw.example.com'] });
  const { stdout } = await sendOctets(session, enrollment(session, request), [version]);
  await expectIssued(session, readLastAnswer(stdout), request.publicKey);
}

async function enrollBoundByExporter(session: Session): Promise<void> {
  const options = ['-tls1_3', '-keymatexport', 'EXPORTER-Channel-Binding', '-keymatexportlen', '32'];
  await enrollBound(session, options, /Keying material: ([0-9A-F]{64})\s/);
}

async function enrollBoundByUnique(session: Session): Promise<void> {
  // RFC 5929 §3.1: the contents of the first Finished, which is the client's. It shows as 14 00 00 0c and 12 octets.
  await enrollBound(
    session,
    ['-tls1_2', '-msg'],
    />>> TLS 1\.2, Handshake [^\n]*Finished\n\s+14 00 00 0c ((?:[0-9a-f]{2}\s+){12})/,
  );
}

/** @param shown where s_client prints the value that both sides know, in hexadecimal */
async function enrollBound(session: Session, options: readonly string[], shown: RegExp): Promise<void> {
  const conversation = openConversation(session, options);
  const value = Buffer.from((await conversation.waitFor(shown)).replaceAll(/\s/g, ''), 'hex');
  const challengePassword = value.toString('base64');
  const request = await makeRequest(session, 'bound', { subject: ['CN=bound.example.com'], challengePassword });
  const said = await conversation.send(enrollment(session, request, 'bound'));
  await expectIssued(session, readLastAnswer(answerWithin(said)), request.publicKey);
}

/** s_client talks before the answer and behind it. */
function answerWithin(said: Buffer): Buffer {
  const octets = said.subarray(said.indexOf('HTTP/1.1 '));
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(octets.toString('latin1'))?.[1];
  return octets.subarray(0, octets.indexOf('\r\n\r\n') + 4 + Number(length));
}

function enrollment(session: Session, { der }: RequestFiles, label?: string): string {
  const { username, password } = session.stack.demoUser;
  const body = toBase64(der);
  return [
    `POST ${estPath('simpleenroll', label)} HTTP/1.1`,
    `Host: ${session.authority}`,
    `Authorization: Basic ${toBase64(Buffer.from(`${username}:${password}`))}`,
    'Content-Type: application/pkcs10',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

async function checkServerCertificate(session: Session): Promise<void> {
  const { stdout } = await runCommand('openssl', [
    's_client',
    '-connect',
    session.authority,
    '-servername',
    'localhost',
  ]);
  const shown = ['x509', '-noout', '-ext', 'subjectAltName,extendedKeyUsage'];
  const extensions = (await output('openssl', shown, { input: stdout })).toString('latin1');
  assert.match(extensions, /DNS:localhost, IP Address:127\.0\.0\.1/);
  assert.match(extensions, /TLS Web Server Authentication/);
  // id-kp-cmcRA: the gate is an RA of this CA, RFC 7030 §3.6.1.
  assert.match(extensions, /1\.3\.6\.1\.5\.5\.7\.3\.28|CMC Registration Authority/);
}

function refusesHandshake(what: string, options: readonly string[]): Operation {
  return {
    name: `refuses ${what}`,
    section: tls,
    run: async (session) => {
      const { status, stderr } = await sendOctets(session, '', options);
      assert.notEqual(status, 0, 'the handshake must fail');
      assert.match(stderr, /alert (handshake failure|protocol version)|insufficient security/, lastLines(stderr));
    },
  };
}

async function renegotiate(session: Session): Promise<void> {
  // A line that is an R alone is a command to s_client.
  const { stderr } = await runCommand('openssl', ['s_client', '-tls1_2', '-connect', session.authority], {
    input: 'R\n',
  });
  assert.match(stderr, /no renegotiation/, lastLines(stderr));
}

async function reconnect(session: Session): Promise<void> {
  for (const version of ['-tls1_2', '-tls1_3']) {
    const parameters = ['s_client', '-connect', session.authority, '-reconnect', version];
    const { stdout } = await runCommand('openssl', parameters, { input: 'Q\n' });
    const said = stdout.toString('latin1');
    assert.match(said, /^New, /m);
    assert.doesNotMatch(said, /^Reused, /m, 'no session may be resumed');
  }
}
