import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { certificatesOnly } from '@gatehouse/pkix/cms/certificates-only';
import { authorityInformationAccess } from '@gatehouse/pkix/extensions';
import { encodePem } from '@gatehouse/pkix/pem';
import fc from 'fast-check';
import { decodeCertificates, readCertificateFile } from '../src/certificate-file.ts';
import { dataDirectory } from '../src/data-directory.ts';
import { findIssuer, hasIssued, trustedHere } from '../src/issuer.ts';
import { parseSerialNumber } from '../src/serial-number.ts';
import { freePort, newDataDirectory } from './faults/support/data-directory.ts';
import { emptyDirectory } from './support/stack.ts';

/** Root and issuing CA of a directory as `init` makes it. */
async function hierarchy(context: Parameters<typeof newDataDirectory>[0]) {
  const directory = await newDataDirectory(context);
  const [root] = readCertificateFile(join(directory, 'trust/root.pem'));
  const [issuing] = readCertificateFile(join(directory, 'trust/chain.pem'));
  return { directory, root, issuing };
}

describe('a file with certificates', () => {
  test('is PEM, DER or a certs-only message; keys in it are passed over', async (context) => {
    const { root, issuing } = await hierarchy(context);
    const key = encodePem('PRIVATE KEY', Uint8Array.of(0x30, 0x00));
    const pem = `${encodePem('CERTIFICATE', issuing.der)}${key}${encodePem('CERTIFICATE', root.der)}`;
    const serials = (octets: Uint8Array) =>
      decodeCertificates(Buffer.from(octets), 'x').map(({ serialNumber }) => serialNumber);
    assert.deepEqual(serials(Buffer.from(pem)), [issuing.serialNumber, root.serialNumber]);
    assert.deepEqual(serials(issuing.der), [issuing.serialNumber]);
    assert.deepEqual(
      serials(certificatesOnly([issuing.der, root.der])).toSorted(),
      [issuing.serialNumber, root.serialNumber].toSorted(),
    );
  });

  test('that holds none is refused in one line with a hint, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        assert.throws(() => decodeCertificates(Buffer.from(octets), 'x.pem'), /^FatalError: x\.pem /);
      }),
    );
    const key = encodePem('PRIVATE KEY', Uint8Array.of(0x30, 0x00));
    assert.throws(() => decodeCertificates(Buffer.from(key), 'x.pem'), /x\.pem holds no certificate/);
    assert.throws(() => readCertificateFile('/nonexistent/x.pem'), /cannot read \/nonexistent\/x\.pem/);
  });
});

describe('the issuer of a certificate', () => {
  test('is found by name and signature, in the data directory', async (context) => {
    const { directory, root, issuing } = await hierarchy(context);
    assert.ok(hasIssued(root, issuing));
    assert.ok(!hasIssued(issuing, root), 'another name');
    const impostor = { ...root, subjectPublicKeyInfo: issuing.subjectPublicKeyInfo };
    assert.ok(!hasIssued(impostor, issuing), 'another key');
    assert.deepEqual((await findIssuer(issuing, { data: dataDirectory(directory) })).der, root.der);
    assert.deepEqual(trustedHere(dataDirectory(emptyDirectory(context))), []);
  });

  test('is found in the same file, or in the file that is named, and in no other then', async (context) => {
    const { directory, root, issuing } = await hierarchy(context);
    const nowhere = dataDirectory(emptyDirectory(context));
    assert.deepEqual((await findIssuer(issuing, { others: [root], data: nowhere })).der, root.der);
    const file = join(directory, 'trust/root.pem');
    assert.deepEqual((await findIssuer(issuing, { file, data: nowhere })).der, root.der);
    const wrong = join(directory, 'trust/chain.pem');
    await assert.rejects(
      findIssuer(issuing, { file: wrong, others: [root], data: dataDirectory(directory) }),
      /no certificate in .*chain\.pem issued the one/,
    );
  });

  test('is fetched from where the certificate says, as a certificate or a certs-only message', async (context) => {
    const { root } = await hierarchy(context);
    const answers = [Buffer.from(root.der), Buffer.from(certificatesOnly([root.der]))];
    const server = createServer((_request, response) => void response.end(answers.shift() ?? 'nonsense'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.after(() => server.close());
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const { issuing, data } = await withIssuerAt(context, `http://127.0.0.1:${address.port}/root.crt`);
    assert.deepEqual((await findIssuer(issuing, { data })).der, root.der);
    assert.deepEqual((await findIssuer(issuing, { data })).der, root.der);
    await assert.rejects(findIssuer(issuing, { data }), /root\.crt is not a certificate/);
  });

  test('that is nowhere is asked for with --issuer', async (context) => {
    const asks = (what: RegExp) => (error: Error & { hint?: string }) =>
      what.test(error.message) && error.hint === 'name the file with its certificate: --issuer FILE';
    const dead = await withIssuerAt(context, `http://127.0.0.1:${await freePort()}/root.crt`);
    await assert.rejects(
      findIssuer(dead.issuing, { data: dead.data }),
      asks(/the issuer '.*Root CA.*' is not known here: cannot fetch http/),
    );
    await assert.rejects(
      findIssuer({ ...dead.issuing, extensions: [] }, { data: dead.data }),
      asks(/the certificate of the issuer '.*Root CA.*' is not known here/),
    );
  });
});

/** The issuing CA's certificate as if it named another place of its issuer, and a data directory that knows nothing. */
async function withIssuerAt(context: TestContext, url: string) {
  const { issuing } = await hierarchy(context);
  const extensions = [authorityInformationAccess({ caIssuers: [url] })];
  return { issuing: { ...issuing, extensions }, data: dataDirectory(emptyDirectory(context)) };
}

describe('serial numbers', () => {
  test('are read as tools print them', () => {
    assert.equal(parseSerialNumber('01:F3:A9'), '01f3a9');
    assert.equal(parseSerialNumber('0x00a1'), 'a1');
    assert.equal(parseSerialNumber('00'), '00');
  });

  for (const text of ['', 'xyz', '-1', 'a'.repeat(41)]) {
    test(`are refused when they are none: '${text}'`, () => {
      assert.throws(() => parseSerialNumber(text), /is not a serial number/);
    });
  }
});
