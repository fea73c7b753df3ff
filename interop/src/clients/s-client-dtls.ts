// openssl s_client over DTLS 1.2: which handshakes the CoAP gate takes, and which it does not, RFC 9148 §3. It also binds a
// request to its session, which no client of CoAP can that does not show its Finished.

import assert from 'node:assert/strict';
import type { Client, Operation } from '../client.ts';
import { block, decode, encode, optionNumbers, pathOptions } from '../coap/datagram.ts';
import { estPath, expectIssued, formats, makeDeviceRequest, manufacturersOf } from '../coap/est.ts';
import type { Device, Manufacturers } from '../coap/manufacturer.ts';
import { mandatorySuite, openDtlsConversation, shakeHands } from '../coap/s-client-dtls.ts';
import { lastLines } from '../command.ts';
import type { Session } from '../session.ts';
import { opensslVersion } from './openssl.ts';

const section = 'RFC 9148 §3, RFC 7925 §4.4';

const suites = [
  ['ECDHE-ECDSA-AES128-CCM8', mandatorySuite],
  ['ECDHE-ECDSA-AES128-CCM', ['-cipher', 'ECDHE-ECDSA-AES128-CCM']],
  ['ECDHE-ECDSA-AES128-GCM-SHA256', ['-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256']],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', ['-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384']],
] as const;

const operations: readonly Operation[] = [
  ...suites.map(
    ([suite, options]): Operation => ({
      name: `handshake with ${suite}`,
      section,
      run: async (session) => {
        const said = await expectSession(session, options);
        assert.match(said, new RegExp(`Cipher is ${suite}$`, 'm'));
      },
    }),
  ),
  ...['P-256', 'P-384'].map(
    (group): Operation => ({
      name: `handshake over ${group}`,
      section,
      run: async (session) => {
        // Both are offered: the client reads the certificates of this house too, RFC 8422 §5.1.1.
        const said = await expectSession(session, ['-groups', group === 'P-256' ? 'P-256:P-384' : 'P-384:P-256']);
        assert.match(
          said,
          group === 'P-256' ? /Server Temp Key: ECDH, prime256v1/ : /Server Temp Key: ECDH, secp384r1/,
        );
      },
    }),
  ),
  {
    // The ClientHello stays whole: without state, fragments of it cannot be put together (RFC 6347 §4.2.1).
    name: 'handshake in fragments that fit into 320 octets',
    section: 'RFC 6347 §4.2.3',
    run: async (session) => {
      await expectSession(session, ['-mtu', '320']);
    },
  },
  {
    name: 'handshake begins with a cookie',
    section: 'RFC 6347 §4.2.1',
    run: async (session) => {
      // Its type is 3, and s_client shows messages of DTLS without their names.
      assert.match(await expectSession(session, ['-msg']), /^<<< [^\n]*\n\s+03 00 /m);
    },
  },
  { name: 'resumes no session', section: 'RFC 5929 §3.1', run: reconnect },
  { name: 'refuses renegotiation', section: 'RFC 9325 §3.5', run: renegotiate },
  refusesHandshake('DTLS 1.0', ['-dtls1', '-cipher', 'ALL:@SECLEVEL=0']),
  refusesHandshake('key exchange without forward secrecy', ['-dtls1_2', '-cipher', 'kRSA']),
  refusesHandshake('CBC', ['-dtls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA']),
  refusesHandshake('anonymous key exchange', ['-dtls1_2', '-cipher', 'aNULL:@SECLEVEL=0']),
  refusesHandshake('shared keys', ['-dtls1_2', '-psk', 'c0ffee', '-cipher', 'PSK:@SECLEVEL=0']),
  refusesHandshake('other groups than P-256 and P-384', ['-dtls1_2', '-groups', 'X25519']),
  refusesPeer('no certificate', /alert handshake failure|certificate required/, () => undefined),
  refusesPeer('an unknown manufacturer', /alert unknown ca/, ({ unknown }) => unknown),
  refusesPeer('an RSA key of 1024 bits', /alert/, ({ makeDevice }) => makeDevice({ rsaBits: 1024 })),
  {
    name: 'sen bound by tls-unique where the label demands it',
    section: 'RFC 9148 §3, RFC 5929 §3',
    run: (session) => enrollBound(session, (finished) => finished.toString('base64')),
  },
  {
    name: 'sen is refused with a wrong binding: 4.00 or 4.03',
    section: 'RFC 9148 §3',
    run: async (session) => {
      const other = () => Buffer.alloc(12, 7).toString('base64');
      await assert.rejects(enrollBound(session, other), /4\.0[03]/);
    },
  },
];

/** openssl s_client over DTLS. */
export const opensslDtlsClient: Client = {
  name: 'openssl s_client -dtls1_2',
  gate: 'coap',
  version: opensslVersion,
  operations: operations.map((operation) => ({ ...operation, stack: 'coap' })),
};

/** Gives what s_client says of a handshake with a known device. */
async function expectSession(session: Session, options: readonly string[], input = ''): Promise<string> {
  const device = await manufacturersOf(session).makeDevice();
  const { stdout, stderr } = await shakeHands(session, device, ['-dtls1_2', ...options], input);
  const said = `${stdout.toString('latin1')}\n${stderr}`;
  assert.match(said, /Verify return code: 0 \(ok\)/, lastLines(stderr));
  assert.match(said, /Extended master secret: yes/, 'RFC 7627');
  assert.match(said, /^\s*Protocol\s*: DTLSv1\.2$/m);
  return said;
}

function refusesHandshake(what: string, options: readonly string[]): Operation {
  return {
    name: `refuses ${what}`,
    section,
    run: async (session) => {
      const device = await manufacturersOf(session).makeDevice();
      const { status, stderr } = await shakeHands(session, device, options);
      assert.notEqual(status, 0, 'the handshake must fail');
      assert.match(stderr, /alert (handshake failure|protocol version|insufficient security)/, lastLines(stderr));
    },
  };
}

type Choose = (known: Manufacturers) => Promise<Device> | Device | undefined;

function refusesPeer(what: string, alert: RegExp, choose: Choose): Operation {
  return {
    name: `refuses ${what}`,
    section: 'RFC 9148 §3',
    run: async (session) => {
      const device = await choose(manufacturersOf(session));
      const options = ['-dtls1_2', '-cipher', 'ALL:@SECLEVEL=0'];
      const { status, stderr } = await shakeHands(session, device, options);
      assert.notEqual(status, 0, 'the handshake must fail');
      assert.match(stderr, alert, lastLines(stderr));
    },
  };
}

async function renegotiate(session: Session): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  // A line that is an R alone is a command to s_client.
  const { stderr } = await shakeHands(session, device, ['-dtls1_2'], 'R\n');
  assert.match(stderr, /no renegotiation/, lastLines(stderr));
}

async function reconnect(session: Session): Promise<void> {
  const said = await expectSession(session, ['-reconnect'], 'Q\n');
  assert.match(said, /^New, /m);
  assert.doesNotMatch(said, /^Reused, /m, 'no session may be resumed');
}

/** @param write what the request is bound by */
async function enrollBound(session: Session, write: (finished: Buffer) => string): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const conversation = openDtlsConversation(session, device);
  try {
    const challengePassword = write(await conversation.finished());
    const request = await makeDeviceRequest(session, device, { challengePassword });
    const sent = encode({
      code: '0.02',
      messageId: 1,
      token: Buffer.of(7),
      options: [
        ...pathOptions(estPath('sen', 'bound')),
        [optionNumbers.contentFormat, formats.pkcs10],
        // All of it in one block.
        [optionNumbers.block2, block(0, false, 6)],
      ],
      payload: request.der,
    });
    const { code, options, payload } = decode(await conversation.exchange(sent));
    const contentFormat = options.get(optionNumbers.contentFormat)?.readUInt16BE(0);
    await expectIssued(session, { code, contentFormat, maxAge: undefined, payload }, request.publicKey);
  } finally {
    await conversation.close();
  }
}
