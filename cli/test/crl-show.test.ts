import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { encodePem } from '@gatehouse/pkix/pem';
import { runCommand } from './faults/support/command.ts';
import { newDataDirectory } from './faults/support/data-directory.ts';
import { emptyDirectory } from './support/stack.ts';

/** A directory whose root has revoked so many certificates. */
async function withRootCrl(context: TestContext, revoked: number) {
  const directory = await newDataDirectory(context);
  const file = join(directory, 'ca/root.crl');
  if (revoked > 0) {
    const serials = Array.from({ length: revoked }, (_, index) => `01${(1000 + index).toString(16).padStart(6, '0')}`);
    const { exitCode, errors } = await runCommand([
      ...['crl', 'generate', 'root', '--data', directory, '--revoke', serials.join(','), '--reason', 'superseded'],
    ]);
    assert.equal(exitCode, 0, errors);
  }
  return { directory, file, show: (...args: readonly string[]) => runCommand(['crl', 'show', ...args]) };
}

describe('gatehouse crl show', () => {
  test('prints the fields, and says that the signature holds where the issuer is known', async (context) => {
    const { directory, file, show } = await withRootCrl(context, 0);
    const { exitCode, output } = await show(file, '--data', directory);
    assert.equal(exitCode, 0);
    assert.match(output, /^Issuer: +CN=Gatehouse Root CA/m);
    assert.match(output, /^Kind: +full$/m);
    assert.match(output, /^Signature: +ecdsaWithSHA384, which holds$/m);
    assert.match(output, /^Entries: +0$/m);
    const elsewhere = await show(file, '--data', emptyDirectory(context));
    assert.equal(elsewhere.exitCode, 0);
    assert.match(elsewhere.output, /^Signature: .*not checked/m);
  });

  test('shows the first entries, and says how many more there are', async (context) => {
    const { directory, file, show } = await withRootCrl(context, 12);
    const { output, errors } = await show(file, '--data', directory);
    assert.match(output, /^Entries: +12$/m);
    assert.equal(output.match(/^01[0-9a-f]{6} +.* superseded +-$/gm)?.length, 10);
    assert.match(errors, /There are 2 more/);
    const all = await show(file, '--limit', '12', '--data', directory);
    assert.equal(all.output.match(/^01[0-9a-f]{6} /gm)?.length, 12);
    assert.equal(all.errors, '');
    const { entries, first, signature } = JSON.parse((await show(file, '--json', '--limit', '0')).output);
    assert.deepEqual([entries, first, signature.state], [12, [], 'unchecked']);
  });

  test('reads PEM and DER, and writes either', async (context) => {
    const { directory, file, show } = await withRootCrl(context, 0);
    const pem = await show(file, '--pem');
    assert.equal(pem.output, encodePem('X509 CRL', readFileSync(file)));
    const pemFile = join(directory, 'root.pem.crl');
    writeFileSync(pemFile, `a comment\n${pem.output}`);
    const { sha256 } = JSON.parse((await show(file, '--json')).output);
    assert.equal(JSON.parse((await show(pemFile, '--json')).output).sha256, sha256);
    assert.equal((await show(file, '--der')).exitCode, 0);
  });

  test('fetches one from a URL', async (context) => {
    const { directory, file, show } = await withRootCrl(context, 1);
    const server = createServer((_request, response) => void response.end(readFileSync(file)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    context.after(() => server.close());
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const { output } = await show(`http://127.0.0.1:${address.port}/root.crl`, '--json', '--data', directory);
    assert.equal(JSON.parse(output).entries, 1);
  });

  test('ends with 1 when the signature does not hold', async (context) => {
    const { directory, file, show } = await withRootCrl(context, 0);
    const der = readFileSync(file);
    der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    writeFileSync(join(directory, 'altered.crl'), der);
    const { exitCode, output } = await show(join(directory, 'altered.crl'), '--data', directory);
    assert.equal(exitCode, 1);
    assert.match(output, /^Signature: .*which does not hold: the signature does not verify$/m);
  });

  test('refuses what is no CRL, in one line', async (context) => {
    const { directory, show } = await withRootCrl(context, 0);
    const { exitCode, errors } = await show(join(directory, 'trust/root.pem'));
    assert.equal(exitCode, 1);
    assert.match(errors, /^error: .*root\.pem is not a CRL that can be read: /);
    assert.match((await show('/nonexistent/x.crl')).errors, /no file .*neither a scope nor a URL\n.*crl list/);
    assert.match((await show('x', '--pem', '--der')).errors, /cannot be used with/);
  });
});

describe('gatehouse crl generate root', () => {
  test('signs the next one, with a higher number, and keeps what was revoked', async (context) => {
    const { directory, file } = await withRootCrl(context, 1);
    const before = readCertificateList(readFileSync(file));
    const { exitCode, output } = await runCommand(['crl', 'generate', 'root', '--data', directory, '--json']);
    assert.equal(exitCode, 0);
    const after = readCertificateList(readFileSync(file));
    assert.equal(JSON.parse(output).crlNumber, Number(after.crlNumber));
    assert.ok((after.crlNumber ?? 0n) > (before.crlNumber ?? 0n));
    assert.deepEqual([...after.entries()], [...before.entries()]);
  });

  test('warns of a serial number that none of its CAs in use has', async (context) => {
    const { directory } = await withRootCrl(context, 0);
    const issuing = new X509Certificate(readFileSync(join(directory, 'trust/chain.pem'))).serialNumber;
    const revoke = (serial: string) => runCommand(['crl', 'generate', 'root', '--data', directory, '--revoke', serial]);
    assert.match((await revoke('0102')).errors, /warning: no CA in trust\/chain\.pem has serial number 0102/);
    assert.doesNotMatch((await revoke(issuing)).errors, /warning/);
  });

  test('takes the passphrase from the environment, and the key from where it is', async (context) => {
    const { directory } = await withRootCrl(context, 0);
    const run = (passphrase: string, ...more: readonly string[]) =>
      runCommand(['crl', 'generate', 'root', '--data', directory, ...more], {
        environment: { GATEHOUSE_ROOT_PASSPHRASE: passphrase },
      });
    assert.match((await run('wrong')).errors, /the passphrase does not open .*root\.key\.pem|is corrupt/);
    const passphrase = readFileSync(join(directory, 'secrets/root-passphrase'), 'utf8').trim();
    assert.equal((await run(passphrase, '--root-key', join(directory, 'ca/root.key.pem'))).exitCode, 0);
    const other = await run(passphrase, '--root-key', join(directory, 'ca/nowhere.pem'));
    assert.match(other.errors, /the private key .*nowhere\.pem is missing/);
  });

  test('says what is wrong with the options', async (context) => {
    const { directory } = await withRootCrl(context, 0);
    const errorsOf = async (...args: readonly string[]) =>
      (await runCommand(['crl', 'generate', ...args, '--data', directory])).errors;
    assert.match(await errorsOf('root', '--delta'), /no delta of the root's CRL/);
    assert.match(await errorsOf('root', '--reason', 'superseded'), /--revoke SERIAL/);
    assert.match(await errorsOf('issuing', '--revoke', '01'), /--revoke: only for the root's CRL\n.*cert revoke/);
    assert.match(await errorsOf('root', '--revoke', 'x'), /'x' is not a serial number/);
  });

  test('says what it needs where there is no root', async (context) => {
    const { exitCode, errors } = await runCommand(['crl', 'generate', 'root', '--data', emptyDirectory(context)]);
    assert.equal(exitCode, 1);
    assert.match(errors, /there is no ca\/root\.pem\n.*ca\/root\.crl/);
  });
});
