// The life of the gate: what becomes of it and of its clients when the keep goes, when it is stopped or killed, and what its
// operator sees of it. It has a stack of its own, whose parts come and go.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { newKey, newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { CertificateState } from '@gatehouse/ra-client/client';
import { localControlSocket } from '@gatehouse/runtime/local-control';
import { callLocalControl } from '@gatehouse/runtime/local-control/client';
import { z } from 'zod';
import { optionNumbers } from '../src/message/option-numbers.ts';
import { controlName, sessionListSchema } from '../src/session-control.ts';
import { uintOption, uriOptions } from '../test-support/coap-client.ts';
import { certificateOf, connectDevice, disconnectAll } from './support/device.ts';
import { createEnroller } from './support/enroller.ts';
import { settings } from './support/settings.ts';
import { startStack } from './support/stack.ts';
import { until } from './support/until.ts';

const stack = await startStack({
  ...settings,
  coap: { echo: { afterIdle: '4s' }, limits: { requester: { perSecond: 1, burst: 20 } } },
});
after(async () => {
  disconnectAll();
  await stack.stop();
});
const { newDevice } = createEnroller(stack);
const management = async (path: string) => {
  const response = await fetch(`http://${stack.gate.management}${path}`);
  return { status: response.status, text: await response.text() };
};
const certificatesOf = async (serial: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const { serialNumber } of stack.operator.findCertificates({
    requesterId: `acme-idevid ${serial}`,
    limit: 50,
  })) {
    found.push(serialNumber);
  }
  return found;
};

describe('what the operator sees', () => {
  it('is ready, and counts sessions, answers and transfers', async () => {
    assert.equal((await management('/readyz')).status, 200);
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity, { coap: { blockSize: 64 } });
    certificateOf(await client.post('/est/sen', newRequest({ subject: `CN=x,serialNumber=${serial}` })));
    const { text } = await management('/metrics');
    assert.match(text, /gatehouse_coap_answers_total\{operation="sen",label="device",code="2\.04"\} [1-9]/);
    assert.match(text, /gatehouse_coap_block_transfers_total\{direction="upload",outcome="complete"\} [1-9]/);
    assert.match(text, /gatehouse_dtls_sessions\{state="established"\} [1-9]/);
    assert.match(text, /gatehouse_coap_requests_in_work 0/);
    client.dtls.close();
  });

  it('gets one line for a session that opens, for each request, and for the end', async () => {
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity);
    const peer = `127.0.0.1:${client.dtls.localPort}`;
    await client.post('/est/sen', newRequest({ subject: `CN=x,serialNumber=${serial}` }));
    const opened = await stack.gate.line((line) => line.msg === 'session opened' && line.peer === peer);
    assert.match(String(opened.subject), new RegExp(`serialNumber=${serial}`));
    const request = await stack.gate.line((line) => line.msg === 'request' && line.session === opened.session);
    assert.deepEqual(
      [request.operation, request.label, request.code, request.outcome],
      ['sen', 'device', '2.04', 'issued'],
    );
    client.dtls.close();
    const closed = await stack.gate.line((line) => line.msg === 'session closed' && line.session === opened.session);
    assert.equal(closed.reason, 'peer');
  });

  it('lists sessions, and drops one', async () => {
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity);
    const ended = Promise.withResolvers<void>();
    client.dtls.onClosed = () => ended.resolve();
    const file = localControlSocket(stack.directory, controlName);
    const { sessions } = await callLocalControl({ file, method: 'GET', path: '/sessions', answer: sessionListSchema });
    const session = sessions.find(({ subject }) => subject.includes(serial));
    assert.ok(session !== undefined);
    await callLocalControl({ file, method: 'DELETE', path: `/sessions/${session.id}`, answer: z.undefined() });
    await ended.promise;
    const closed = await stack.gate.line((line) => line.msg === 'session closed' && line.session === session.id);
    assert.equal(closed.reason, 'operator');
  });
});

describe('RFC 8516: a requester that asks too much', () => {
  it('gets 4.29 with Max-Age, and another one does not', async () => {
    const { identity } = newDevice();
    const client = await connectDevice(stack, identity);
    const codes = new Set<string>();
    for (let i = 0; i < 25; i++) {
      const response = await client.post('/est/sen', Buffer.from('nonsense'));
      codes.add(response.code);
      if (response.code === '4.29') assert.ok((response.maxAge ?? 0) >= 1);
    }
    assert.deepEqual(codes, new Set(['4.00', '4.29']));
    const other = await connectDevice(stack, newDevice().identity);
    assert.equal((await other.post('/est/sen', Buffer.from('nonsense'))).code, '4.00');
  });
});

describe('RFC 7252 §5.9.3.4: while the keep is away', () => {
  it('answers 5.03 with Max-Age, says that it is not ready, gives what it remembers, and recovers', async () => {
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity);
    const request = newRequest({ subject: `CN=away,serialNumber=${serial}` });
    assert.equal((await client.get('/est/att')).code, '2.05');
    await stack.core.stop();
    const response = await client.post('/est/sen', request);
    assert.equal(response.code, '5.03', response.payload.toString());
    assert.ok((response.maxAge ?? 0) >= 1);
    assert.equal((await management('/readyz')).status, 503);
    assert.equal((await client.get('/est/crts')).code, '2.05');
    assert.equal((await client.get('/est/att')).code, '2.05');

    await stack.startCore();
    const deadline = Date.now() + 30_000;
    let again = await client.post('/est/sen', request);
    while (again.code === '5.03' && Date.now() < deadline) again = await client.post('/est/sen', request);
    certificateOf(again);
    assert.equal((await certificatesOf(serial)).length, 1);
  });
});

describe('RFC 9148 §3: a gate that starts while the keep is away', () => {
  it('lets devices of makers in, says that it is not ready, and knows our own certificates when the keep is back', async () => {
    const { enrol, identityOf } = createEnroller(stack);
    const ours = await enrol('named', { subject: 'CN=ours' });
    await stack.core.stop();
    await stack.gate.stop();
    await stack.startGate();
    assert.equal((await management('/readyz')).status, 503);
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity);
    const refused = await client.post('/est/sen', newRequest({ subject: `CN=early,serialNumber=${serial}` }));
    assert.equal(refused.code, '5.03');
    await assert.rejects(connectDevice(stack, identityOf(ours)));

    await stack.startCore();
    await stack.gate.line(({ msg }) => msg === 'the trust anchors of clients changed');
    const again = await connectDevice(stack, identityOf(ours));
    assert.equal((await again.get('/est/named/crts')).code, '2.05');
    assert.equal((await management('/readyz')).status, 200);
  });
});

describe('RFC 7252 §5.9.3.4: while too much is in work', () => {
  it('answers 5.03 with Max-Age beyond what it may have in work, and goes on with that', async () => {
    await stack.gate.stop();
    await stack.startGate({ limits: { requests: 1 } });
    const [one, other] = [newDevice(), newDevice()];
    const request = newRequest({ subject: `CN=busy,serialNumber=${one.serial}` });
    const [first, second] = [await connectDevice(stack, one.identity), await connectDevice(stack, other.identity)];
    assert.equal((await first.get('/est/att')).code, '2.05');
    stack.core.signal('SIGSTOP');
    const { promise: acknowledged, resolve } = Promise.withResolvers<void>();
    first.coap.exchanges.onAnything = ({ ack, code }) => {
      if (ack && code === '0.00') resolve();
    };
    try {
      const answer = first.post('/est/sen', request);
      await acknowledged;
      const refused = await second.get('/est/crts');
      assert.equal(refused.code, '5.03');
      assert.ok((refused.maxAge ?? 0) >= 1);
      stack.core.signal('SIGCONT');
      certificateOf(await answer);
    } finally {
      stack.core.signal('SIGCONT');
    }
    await stack.gate.stop();
    await stack.startGate();
  });
});

describe('RFC 6347 §4.2.8: when the gate is gone', () => {
  it('says close_notify when it is stopped, and is there again for a new handshake', async () => {
    const { identity } = newDevice();
    const client = await connectDevice(stack, identity);
    const ended = Promise.withResolvers<Error | undefined>();
    client.dtls.onClosed = (error) => ended.resolve(error);
    const { port } = stack.gate;
    await stack.gate.stop();
    assert.equal(await ended.promise, undefined);
    await stack.startGate();
    assert.equal(stack.gate.port, port);
    const again = await connectDevice(stack, identity);
    assert.equal((await again.get('/est/crts')).code, '2.05');
  });

  it('answers requests in work before it goes', async () => {
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity);
    assert.equal((await client.get('/est/crts')).code, '2.05');
    stack.core.signal('SIGSTOP');
    const { promise: acknowledged, resolve } = Promise.withResolvers<void>();
    client.coap.exchanges.onAnything = ({ ack, code }) => {
      if (ack && code === '0.00') resolve();
    };
    const answer = client.post('/est/sen', newRequest({ subject: `CN=drained,serialNumber=${serial}` }), 287);
    await acknowledged;
    const stopped = stack.gate.stop();
    await stack.gate.line(({ msg }) => msg === 'coap stops');
    stack.core.signal('SIGCONT');
    assert.equal((await answer).code, '2.04');
    await stopped;
    await stack.startGate();
  });

  it('revokes the certificate of a generated key that it takes with it', async () => {
    const { identity, serial } = newDevice();
    const client = await connectDevice(stack, identity);
    const response = await client.coap.exchanges.exchange({
      code: 'POST',
      options: [...uriOptions('/est/skg'), ...uintOption(optionNumbers.contentFormat, 286)],
      payload: newRequest({ subject: `CN=taken,serialNumber=${serial}` }),
    });
    assert.equal(response.code, '2.04');
    await stack.gate.stop();
    for await (const { state } of stack.operator.findCertificates({
      requesterId: `acme-idevid ${serial}`,
      limit: 1,
    })) {
      assert.equal(state, CertificateState.CERTIFICATE_STATE_REVOKED);
    }
    assert.equal((await certificatesOf(serial)).length, 1);
    await stack.startGate();
  });

  it('loses nothing when it is killed under load: the same requests get one certificate each', async () => {
    const devices = Array.from({ length: 8 }, () => {
      const { identity, serial } = newDevice();
      return { identity, serial, request: newRequest({ subject: `CN=killed,serialNumber=${serial}`, key: newKey() }) };
    });
    const first = devices.map(async ({ identity, request }) => {
      const client = await connectDevice(stack, identity, { coap: { blockSize: 64, responseTimeoutMs: 3_000 } });
      return certificateOf(await client.post('/est/sen', request)).serialNumber;
    });
    await Promise.race(first);
    await stack.gate.stop('SIGKILL');
    const before = await Promise.allSettled(first);
    await stack.startGate();
    for (const [index, { identity, serial, request }] of devices.entries()) {
      const client = await connectDevice(stack, identity);
      const { serialNumber } = certificateOf(await client.post('/est/sen', request));
      assert.deepEqual(await certificatesOf(serial), [serialNumber]);
      const earlier = before[index];
      if (earlier?.status === 'fulfilled') assert.equal(earlier.value, serialNumber);
    }
    assert.equal((await management('/readyz')).status, 200);
  });
});

describe('RFC 9175 §2.3: Echo after a silence', () => {
  it('asks for a proof that the client is there, and takes it', async () => {
    const client = await connectDevice(stack, newDevice().identity);
    assert.equal((await client.get('/est/att')).code, '2.05');
    await until(new Date(Date.now() + 4_000));
    const challenged = await client.get('/est/att');
    assert.equal(challenged.code, '4.01');
    const echo = challenged.options.filter(({ number }) => number === 252);
    assert.equal(echo.length, 1);
    assert.equal((await client.coap.request({ method: 'GET', path: '/est/att', options: echo })).code, '2.05');
    assert.equal((await client.get('/est/att')).code, '2.05');
  });
});
