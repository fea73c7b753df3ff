import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { newRequest } from '@gatehouse/gateway-kit/test-support/requests';
import { readCertificate } from '@gatehouse/pkix/certificate';
import { readCertificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { encodePem } from '@gatehouse/pkix/pem';
import { readMultipart } from '../../src/multipart.ts';
import { manufacturer } from '../support/settings.ts';
import type { Stack } from '../support/stack.ts';

const run = promisify(execFile);
const client = 'coap-client-openssl';

/** libcoap's client as it is installed, coaps.md §7. */
export function stockClientTests(stack: Stack): void {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-coap-client-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string) => join(folder, name);
  const device = manufacturer.createDevice('STOCK');
  // It sends the first certificate of the file and no other: the gate must know the intermediate CA.
  writeFileSync(file('client.pem'), encodePem('CERTIFICATE', device.certificate));
  writeFileSync(file('client.key'), encodePem('PRIVATE KEY', device.privateKey), { mode: 0o600 });
  writeFileSync(file('ca.pem'), encodePem('CERTIFICATE', stack.trustAnchor));

  const request = (out: string, path: string, args: readonly string[]): Promise<Buffer> =>
    run(
      client,
      [
        ...args,
        ...['-o', file(out), '-c', file('client.pem'), '-j', file('client.key'), '-C', file('ca.pem'), '-B', '20'],
        `coaps://127.0.0.1:${stack.gate.port}${path}`,
      ],
      { timeout: 30_000 },
    ).then(() => readFileSync(file(out)));

  describe('libcoap: coap-client-openssl', async () => {
    const isInstalled = await run(client, ['-h']).then(
      () => true,
      (error: unknown) => !(error instanceof Error && 'code' in error && error.code === 'ENOENT'),
    );
    const options = isInstalled ? {} : { skip: `${client} is not installed` };

    it('fetches the CA certificates', options, async () => {
      const container = await request('crts.p7', '/.well-known/est/crts', ['-m', 'get', '-A', '281']);
      assert.equal(readCertificatesOnly(container).length, 2);
    });

    it('discovers', options, async () => {
      const links = await request('core.txt', '/.well-known/core?rt=ace.est*', ['-m', 'get']);
      assert.match(links.toString(), /^<\/est\/crts>;rt="ace.est.crts"/);
    });

    for (const blockSize of [64, 256, 1024]) {
      it(`enrols in blocks of ${blockSize} octets`, options, async () => {
        const name = `csr-${blockSize}.der`;
        writeFileSync(file(name), newRequest({ subject: `CN=stock-${blockSize},serialNumber=STOCK` }));
        const post = ['-m', 'post', '-t', '286', '-A', '281', '-b', String(blockSize), '-f', file(name)];
        const [certificate] = readCertificatesOnly(
          await request(`cert-${blockSize}.p7`, '/.well-known/est/sen', post),
        ).map(readCertificate);
        const record = await stack.operator.getCertificate({ serialNumber: certificate?.serialNumber ?? '' });
        assert.equal(record.requester?.id, 'acme-idevid STOCK');
      });
    }

    it('gets a generated key', options, async () => {
      writeFileSync(file('skg.der'), newRequest({ subject: 'CN=stock-skg,serialNumber=STOCK' }));
      const post = ['-m', 'post', '-t', '286', '-A', '62', '-b', '64', '-f', file('skg.der')];
      const parts = readMultipart(await request('skg.bin', '/est/skg', post));
      assert.deepEqual(
        parts.map(({ contentFormat }) => contentFormat),
        [284, 281],
      );
    });
  });
}
