// Messages that no client of CoAP sends, octet by octet, over the DTLS client of the gate's own tests: what is answered is
// answered by the code of the table, what is not is dropped without a word, and the session goes on either way.

import assert from 'node:assert/strict';
import { createPrivateKey, randomInt, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectDtls, type DtlsClient } from '@gatehouse/gateway-coap/test-support/dtls-client';
import type { Client, Operation } from '../client.ts';
import type { BrokenMessage } from '../coap/broken/row.ts';
import { brokenMessages } from '../coap/broken-messages.ts';
import { block, decode, encode, optionNumbers, pathOptions, type ReadMessage } from '../coap/datagram.ts';
import { coapPort } from '../coap/driver.ts';
import { countIssued, estPath, expectIssued, formats, makeDeviceRequest, manufacturersOf } from '../coap/est.ts';
import type { Device } from '../coap/manufacturer.ts';
import { createRandom } from '../drills/random.ts';
import { eventually } from '../patience.ts';
import type { Session } from '../session.ts';

/** Broken CoAP. */
export const brokenCoapClient: Client = {
  name: 'broken CoAP over the DTLS of Node.js',
  gate: 'coap',
  version: () => Promise.resolve(`${process.version.slice(1)}, OpenSSL ${process.versions.openssl}`),
  operations: [
    ...brokenMessages.map(answersBroken),
    { name: 'the same message twice: handled once', section: 'RFC 7252 §4.5', run: sendTwice },
    { name: '500 random messages, and an enrollment behind them', section: 'RFC 7252 §3', run: sendNoise },
  ].map((operation: Operation) => ({ ...operation, stack: 'coap' })),
};

function answersBroken({ name, section, steps }: BrokenMessage): Operation {
  return {
    name: `answers ${name}`,
    section,
    run: (session) =>
      converse(session, async (device, speak) => {
        const { der } = await makeDeviceRequest(session, device);
        for (const [datagram, expected] of steps(der)) {
          const answers = (await speak(datagram)).map(nameOf);
          assert.deepEqual(answers, expected === 'nothing' ? [] : [expected]);
        }
      }),
  };
}

async function sendTwice(session: Session): Promise<void> {
  await converse(session, async (device, speak) => {
    const request = await makeDeviceRequest(session, device);
    const datagram = enrollment(request.der, 0x7abc);
    const [first] = await speak(datagram);
    const [second] = await speak(datagram);
    assert(first !== undefined && second !== undefined, 'both must be answered');
    assert.deepEqual(second, first);
    await accept(session, first, request.publicKey);
    assert.deepEqual(await countIssued(session, [device]), [1]);
  });
}

async function sendNoise(session: Session): Promise<void> {
  await converse(session, async (device, speak, client) => {
    const random = createRandom(9148);
    for (let count = 0; count < 500; count += 1) {
      const noise = Buffer.from(
        Array.from({ length: 1 + Math.floor(random() * 80) }, () => Math.floor(random() * 256)),
      );
      client.send(noise);
    }
    await speak(encode({ code: '0.00', messageId: 0x7ffe }));
    const request = await makeDeviceRequest(session, device);
    const answers = await speak(enrollment(request.der, 0x7abd));
    const answer = answers.find(({ messageId }) => messageId === 0x7abd);
    assert(answer !== undefined, 'the enrollment must be answered');
    await accept(session, answer, request.publicKey);
  });
}

function enrollment(request: Buffer, messageId: number): Buffer {
  return encode({
    code: '0.02',
    messageId,
    token: Buffer.of(7),
    options: [
      ...pathOptions(estPath('sen')),
      [optionNumbers.contentFormat, formats.pkcs10],
      // All of it in one block.
      [optionNumbers.block2, block(0, false, 6)],
    ],
    payload: request,
  });
}

async function accept(session: Session, { code, payload }: ReadMessage, publicKey: string): Promise<void> {
  await expectIssued(session, { code, contentFormat: formats.certsOnly, maxAge: undefined, payload }, publicKey);
}

function nameOf({ type, code }: ReadMessage): string {
  return type === 'rst' ? 'rst' : code;
}

/** Sends a datagram, and gives all that it was answered with. */
type Speak = (datagram: Uint8Array) => Promise<readonly ReadMessage[]>;

async function converse(
  session: Session,
  talk: (device: Device, speak: Speak, client: DtlsClient) => Promise<void>,
): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const client = await connect(session, device);
  let heard: ReadMessage[] = [];
  client.onMessage = (octets) => {
    const message = decode(octets);
    // RFC 7252 §5.2.2: what is sent separately is acknowledged, and stands for itself.
    if (message.type === 'con') client.send(encode({ type: 'ack', code: '0.00', messageId: message.messageId }));
    if (message.type !== 'ack' || message.code !== '0.00') heard.push(message);
  };
  const isAnswered = (id: number) => heard.some(({ type, messageId }) => type === 'rst' && messageId === id);
  const speak: Speak = async (datagram) => {
    heard = [];
    client.send(datagram);
    // A ping behind it, RFC 7252 §4.3: when its reset is there, what is answered at once was. Requests may take longer.
    const ping = 0x8000 + randomInt(0x7fff);
    client.send(encode({ code: '0.00', messageId: ping }));
    await eventually(() => Promise.resolve(isAnswered(ping) && (!isRequest(datagram) || heard.length > 1)), Boolean);
    assert(!client.isClosed && isAnswered(ping), 'the session must go on');
    return heard.filter(({ messageId }) => messageId !== ping);
  };
  try {
    await talk(device, speak, client);
  } finally {
    client.close();
  }
}

/** Whether a datagram is a confirmable request that is in order in form, so that it has an answer. */
function isRequest(datagram: Uint8Array): boolean {
  try {
    const { type, code } = decode(Buffer.from(datagram));
    return type === 'con' && /^0\.(?!00)/.test(code);
  } catch {
    return false;
  }
}

function connect(session: Session, { certificateFile, keyFile }: Device): Promise<DtlsClient> {
  const derOf = (file: string) => new X509Certificate(readFileSync(file)).raw;
  return connectDtls({
    address: '127.0.0.1',
    port: coapPort(session),
    certificate: derOf(certificateFile),
    privateKey: createPrivateKey(readFileSync(keyFile)).export({ type: 'pkcs8', format: 'der' }),
    trustAnchor: derOf(session.stack.endpoints.trustAnchor),
  });
}
