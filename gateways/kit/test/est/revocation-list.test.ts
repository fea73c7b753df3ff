import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { TrustAnchorSettings } from '@gatehouse/gateway-kit/est/configuration';
import { type ForeignAnchor, openForeignAnchors } from '@gatehouse/gateway-kit/est/foreign-anchors';
import type { FetchLimits } from '@gatehouse/gateway-kit/est/revocation-list';
import { signCertificateList } from '@gatehouse/gateway-kit/test-support/certificate-list';
import { createManufacturer, newKey } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { encodePem } from '@gatehouse/pkix/pem';
import { createManualClock } from '@gatehouse/runtime/clock';
import { createLog } from '@gatehouse/runtime/log';
import { createMetrics } from '@gatehouse/runtime/metrics';

const day = 86_400_000;
const start = Date.now();
const maker = createManufacturer('CN=Maker CA');
const device = readCertificate(maker.issue({ subject: 'serialNumber=1', key: newKey() }));
const directory = mkdtempSync(join(tmpdir(), 'gatehouse-crl-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'maker.pem');
writeFileSync(file, encodePem('CERTIFICATE', maker.certificate));

/** A publisher whose answer a test changes as it goes. */
type Publisher = {
  readonly url: string;
  answer: (response: ServerResponse) => void;
};

let publisher: Publisher;
let stop: () => Promise<void>;
beforeEach(async () => {
  const server = createServer((_: IncomingMessage, response: ServerResponse) => {
    publisher.answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  publisher = { url: `http://127.0.0.1:${address.port}/maker.crl`, answer: (response) => response.end() };
  stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
});
afterEach(async () => await stop());

const send = (octets: Uint8Array | string) => (response: ServerResponse) => {
  response.end(octets);
};
const crl = (shape: Partial<Parameters<typeof signCertificateList>[0]> = {}) =>
  signCertificateList({
    key: maker.key,
    issuer: maker.certificate,
    nextUpdate: new Date(start + day),
    ...shape,
  });

/** Opens an anchor whose CRL is at the publisher; `logged` gives the next line of the log. */
async function open(limits: Partial<FetchLimits> = {}, url = publisher.url) {
  const lines = new PassThrough({ encoding: 'utf8' });
  const written = lines[Symbol.asyncIterator]();
  const log = createLog({ name: 'test', destination: lines });
  const clock = createManualClock(new Date(start));
  const metrics = createMetrics();
  const settings: TrustAnchorSettings = {
    name: 'maker',
    file,
    labels: ['l'],
    operations: ['simpleenroll'],
    acceptsExpired: false,
    revocationList: url,
  };
  const { all, close } = await openForeignAnchors([settings], {
    resolve: (path) => path,
    log,
    clock,
    metrics,
    fetchLimits: { shortestPauseMs: 10, longestPauseMs: 10, firstRetryMs: 10, ...limits },
  });
  after(close);
  const anchor: ForeignAnchor | undefined = all[0];
  assert.ok(anchor !== undefined);
  return {
    clock,
    close,
    /** What the metrics say of the end of the CRL. */
    measured: async (): Promise<string | undefined> =>
      /crl_next_update_timestamp_seconds\{anchor="maker"\} (\S+)/.exec(await metrics.registry.metrics())?.[1],
    status: () => anchor.revocationStatus(device, clock.now()),
    logged: async (form: RegExp): Promise<string> => {
      for (;;) {
        const { value } = await written.next();
        if (form.test(String(value))) return String(value);
      }
    },
  };
}

describe('RFC 5280 §6.3: a CRL of a manufacturer behind a URL', () => {
  it('is fetched before the gate listens, DER or PEM', async () => {
    publisher.answer = send(crl());
    const plain = await open();
    assert.equal(plain.status(), 'good');
    plain.close();
    publisher.answer = send(encodePem('X509 CRL', crl({ revoked: [device.serialNumber] })));
    const armoured = await open();
    assert.equal(armoured.status(), 'revoked');
    armoured.close();
  });

  it('is followed, so that a revocation is heard of without a restart', { timeout: 20_000 }, async () => {
    publisher.answer = send(crl());
    const { status, close } = await open();
    assert.equal(status(), 'good');
    // Who asks again has taken what came before.
    let left = 2;
    await new Promise<void>((resolve) => {
      publisher.answer = (response) => {
        response.end(crl({ thisUpdate: new Date(start), revoked: [device.serialNumber] }));
        if (--left === 0) resolve();
      };
    });
    assert.equal(status(), 'revoked');
    close();
  });

  it('leaves nobody good when it never came, and is tried again', { timeout: 20_000 }, async () => {
    publisher.answer = (response) => response.writeHead(503).end();
    const { status, logged, close } = await open();
    assert.equal(status(), 'unknown');
    assert.match(await logged(/cannot be had/), /the server answers 503/);
    publisher.answer = send(crl());
    await logged(/is taken/);
    assert.equal(status(), 'good');
    close();
  });

  it('stands until its nextUpdate while its publisher is away', { timeout: 20_000 }, async () => {
    publisher.answer = send(crl());
    const { status, logged, clock, close } = await open();
    await stop();
    stop = async () => {};
    assert.match(await logged(/cannot be had/), /ECONNREFUSED|closed|socket/i);
    assert.equal(status(), 'good');
    clock.set(new Date(start + day + 1));
    assert.equal(status(), 'unknown');
    close();
  });

  for (const [what, octets, reason] of [
    ['another CA signed', () => crl({ key: newKey() }), /signed by none/],
    [
      'carries the name of another CA',
      () => crl({ issuer: createManufacturer('CN=Other CA').certificate }),
      /signed by none/,
    ],
    ['is no CRL', () => 'not a list', /no '-----BEGIN X509 CRL/],
    ['is cut off', () => crl().subarray(0, -3), /./],
  ] as const) {
    it(`is refused when it ${what}`, async () => {
      publisher.answer = send(octets());
      const { status, logged, close } = await open();
      assert.equal(status(), 'unknown');
      assert.match(await logged(/cannot be had/), reason);
      close();
    });
  }

  it('is fetched from where the operator says, and from nowhere that its publisher names', async () => {
    let asked = 0;
    publisher.answer = (response) => {
      asked++;
      if (asked === 1) response.writeHead(302, { location: '/elsewhere.crl' }).end();
      else response.end(crl());
    };
    const { status, logged, close } = await open({ firstRetryMs: 60_000, longestPauseMs: 60_000 });
    assert.equal(status(), 'unknown');
    assert.match(await logged(/cannot be had/), /redirect/);
    assert.equal(asked, 1);
    close();
  });

  it('tells by a metric when it ends, and that it is missing', async () => {
    publisher.answer = send('none');
    const missing = await open({ firstRetryMs: 60_000, longestPauseMs: 60_000 });
    assert.equal(await missing.measured(), '0');
    missing.close();
    const nextUpdate = new Date(Math.floor(start / 1_000) * 1_000 + day);
    publisher.answer = send(crl({ nextUpdate }));
    const there = await open();
    assert.equal(Number(await there.measured()), nextUpdate.getTime() / 1_000);
    there.close();
  });

  it('says nothing when it has expired already', async () => {
    publisher.answer = send(crl({ nextUpdate: new Date(start - 1_000) }));
    const { status, close } = await open();
    assert.equal(status(), 'unknown');
    close();
  });

  it('is refused when it is larger than the limit, without being read to its end', { timeout: 20_000 }, async () => {
    const cut = Promise.withResolvers<void>();
    publisher.answer = (response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      response.on('close', () => cut.resolve());
      more();
    };
    const { status, logged, close } = await open({
      maximumOctets: 100_000,
      firstRetryMs: 60_000,
      longestPauseMs: 60_000,
    });
    assert.equal(status(), 'unknown');
    assert.match(await logged(/cannot be had/), /longer than 100000 octets/);
    await cut.promise;
    close();
  });

  it('is given up when it does not come in time', async () => {
    publisher.answer = () => {};
    const { status, logged, close } = await open({ timeoutMs: 50, firstRetryMs: 60_000, longestPauseMs: 60_000 });
    assert.equal(status(), 'unknown');
    assert.match(await logged(/cannot be had/), /time/i);
    close();
  });

  it('never goes back to an older one', { timeout: 20_000 }, async () => {
    publisher.answer = send(crl({ thisUpdate: new Date(start), revoked: [device.serialNumber] }));
    const { status, logged, close } = await open();
    publisher.answer = send(crl({ thisUpdate: new Date(start - 3_600_000) }));
    assert.match(await logged(/cannot be had/), /older than the last one/);
    assert.equal(status(), 'revoked');
    close();
  });

  it('is let go in the middle of a transfer when the gate ends', { timeout: 20_000 }, async () => {
    publisher.answer = send(crl());
    const { close } = await open();
    const asked = Promise.withResolvers<ServerResponse>();
    publisher.answer = (response) => asked.resolve(response);
    const response = await asked.promise;
    close();
    await once(response, 'close');
  });
});
