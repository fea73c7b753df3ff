// Status as an operator and a relying party see it, with everything running as `gatehouse up` starts it.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { readCertificateList } from '@gatehouse/pkix/crl/certificate-list';
import { type Ended, runCommand } from './faults/support/command.ts';
import { certificateIn, createEstClient } from './faults/support/est-client.ts';
import { newRequest } from './faults/support/requests.ts';
import { emptyDirectory, processOf, type Stack, startStack } from './support/stack.ts';

const hooks: (() => void)[] = [];
let stack: Stack;

before(async () => {
  stack = await startStack(emptyDirectory({ after: (hook) => hooks.push(hook) }));
});

after(async () => {
  await stack.interrupt();
  for (const hook of hooks) hook();
});

/** Runs a command on the directory of the stack. */
function run(...args: readonly string[]): Promise<Ended> {
  return runCommand([...args, '--data', stack.directory]);
}

/** The same with --json, where it must work. */
async function json<Value>(...args: readonly string[]): Promise<Value> {
  const { exitCode, output, errors } = await run(...args, '--json');
  assert.equal(exitCode, 0, `gatehouse ${args.join(' ')}\n${output}${errors}`);
  return JSON.parse(output);
}

/** Enrols; the certificate is also put into a file. */
async function enroll(): Promise<{
  readonly certificate: X509Certificate;
  readonly file: string;
  readonly serial: string;
}> {
  const client = createEstClient(stack.directory, Number(new URL(stack.endpoints.est.url).port));
  try {
    const certificate = new X509Certificate(certificateIn(await client.enroll(newRequest())));
    const file = join(stack.directory, `${certificate.serialNumber}.pem`);
    writeFileSync(file, certificate.toString());
    return { certificate, file, serial: certificate.serialNumber.toLowerCase() };
  } finally {
    client.close();
  }
}

type Answer = {
  readonly status: string;
  readonly revocation?: { readonly reason: string };
  readonly responder: { readonly isDelegated: boolean };
  readonly nonce: string;
  readonly asked: { readonly url: string; readonly method: string; readonly hash: string };
};

describe('gatehouse up: status', () => {
  test('says where it is, in endpoints.json as the contract has it and in words', async () => {
    const { ocsp, crl } = stack.endpoints.status;
    const { address } = processOf(stack.directory, 'status');
    assert.deepEqual([ocsp, crl], [`http://${address}/ocsp`, `http://${address}/crl`]);
    await stack.command.line(new RegExp(`^status .*${ocsp}`));
    await stack.command.line(new RegExp(`openssl ocsp .* -url ${ocsp}`));
  });

  test('makes certificates that name it, that of the issuing CA among them', async () => {
    const { ocsp, crl } = stack.endpoints.status;
    const { certificate } = await enroll();
    assert.match(certificate.infoAccess ?? '', new RegExp(`OCSP - URI:${ocsp}$`, 'm'));
    assert.ok(Buffer.from(certificate.raw).includes(`${crl}/issuing-1.crl`));
    const issuing = new X509Certificate(readFileSync(join(stack.directory, 'trust/chain.pem')));
    assert.ok(Buffer.from(issuing.raw).includes(`${crl}/root.crl`));
  });

  test('keeps the address of the gate over a restart, for certificates that name it', async () => {
    const { file } = await enroll();
    const { status } = stack.endpoints;
    await stack.interrupt();
    stack = await startStack(stack.directory);
    assert.deepEqual(stack.endpoints.status, status);
    assert.equal((await run('ocsp', 'query', file)).exitCode, 0);
  });

  test('registers an RA for the gate that may enrol nothing', async () => {
    const list = await json<readonly { name: string; profiles: string[] }[]>('ra', 'list');
    assert.deepEqual(list.find(({ name }) => name === 'status')?.profiles, []);
  });
});

describe('gatehouse ocsp query', () => {
  test('finds issuer and responder by itself, and ends with 0 for good', async () => {
    const { file, serial } = await enroll();
    for (const what of [file, serial]) {
      const answer = await json<Answer>('ocsp', 'query', what);
      assert.deepEqual([answer.status, answer.responder.isDelegated], ['good', true]);
      assert.deepEqual(answer.asked, { url: stack.endpoints.status.ocsp, method: 'GET', hash: 'sha256' });
    }
    assert.match((await run('ocsp', 'query', file)).output, /^Status: +good$/m);
  });

  test('needs nothing of the data directory: the certificate names its issuer', async (context) => {
    const { file } = await enroll();
    const { exitCode, errors } = await runCommand(['ocsp', 'query', file, '--data', emptyDirectory(context)]);
    assert.equal(exitCode, 0, errors);
  });

  test('asks as it is told', async () => {
    const { file } = await enroll();
    const issuer = join(stack.directory, 'trust/chain.pem');
    const url = stack.endpoints.status.ocsp;
    const post = await json<Answer>('ocsp', 'query', file, '--post', '--sha1', '--issuer', issuer, '--url', url);
    assert.deepEqual([post.status, post.asked], ['good', { url, method: 'POST', hash: 'sha1' }]);
    assert.equal((await json<Answer>('ocsp', 'query', file, '--nonce')).nonce, 'ignored');
  });

  test('ends with 2 for revoked, with the reason', async () => {
    const { file, serial } = await enroll();
    assert.equal((await run('cert', 'revoke', serial, '--reason', 'superseded')).exitCode, 0);
    const { exitCode, output } = await run('ocsp', 'query', file);
    assert.equal(exitCode, 2);
    assert.match(output, /^Revoked: .* \(superseded\)$/m);
  });

  test('ends with 2 for one on hold, and with 0 once it is released', async () => {
    const { file, serial } = await enroll();
    await run('cert', 'hold', serial);
    const { exitCode, output } = await run('ocsp', 'query', file, '--json');
    assert.deepEqual([exitCode, JSON.parse(output).revocation.reason], [2, 'certificate-hold']);
    await run('cert', 'release', serial);
    assert.equal((await run('ocsp', 'query', file)).exitCode, 0);
  });

  test('ends with 1 when nobody answers, naming the responder', async () => {
    const { file } = await enroll();
    const { exitCode, errors } = await run('ocsp', 'query', file, '--url', 'http://127.0.0.1:9/');
    assert.equal(exitCode, 1);
    assert.match(errors, /^error: cannot fetch http:\/\/127\.0\.0\.1:9\//);
    const page = await run('ocsp', 'query', file, '--url', `${stack.endpoints.status.crl}/issuing.crl`, '--post');
    assert.equal(page.exitCode, 1);
    assert.match(page.errors, /no OCSP response\n.*--url/);
  });
});

type Listed = {
  readonly scope: string;
  readonly isDelta: boolean;
  readonly crlNumber: number;
  readonly entries: number;
};
type Shown = {
  readonly crlNumber: number;
  readonly entries: number;
  readonly signature: { readonly state: string };
  readonly first: readonly { readonly serialNumber: string }[];
  readonly issuingDistributionPoint?: { readonly fullName: readonly string[] };
};

describe('gatehouse crl', () => {
  test('list shows every scope, full and delta', async () => {
    const listed = await json<readonly Listed[]>('crl', 'list');
    const names = listed.map(({ scope, isDelta }) => `${scope}${isDelta ? '-delta' : ''}`);
    for (const name of ['issuing', 'issuing-1', 'issuing-ca', 'root']) assert.ok(names.includes(name), names.join());
    assert.match((await run('crl', 'list')).output, /^SCOPE +KIND +NUMBER .*\n(?:.*\n)*issuing-1 +full +\d+ /);
  });

  test('generate signs one, with a higher number, or all that the core can sign', async () => {
    const numberOf = async (scope: string) =>
      (await json<readonly Listed[]>('crl', 'list')).find((one) => one.scope === scope && !one.isDelta)?.crlNumber ?? 0;
    const before = await numberOf('issuing-1');
    const [made] = await json<readonly Listed[]>('crl', 'generate', 'issuing-1');
    assert.ok(made !== undefined && made.crlNumber > before);
    const all = await json<readonly Listed[]>('crl', 'generate');
    assert.ok(all.some(({ scope }) => scope === 'issuing-ca') && !all.some(({ scope }) => scope === 'root'));
    const [delta] = await json<readonly Listed[]>('crl', 'generate', 'issuing-1', '--delta');
    assert.equal(delta?.isDelta, true);
  });

  test('generate refuses a scope that there is not', async () => {
    const { exitCode, errors } = await run('crl', 'generate', 'issuing-77');
    assert.equal(exitCode, 1);
    assert.match(errors, /not-found/);
  });

  test('show reads a scope from the core and a URL from the gate, and both have what was revoked', async () => {
    const { serial } = await enroll();
    await run('cert', 'revoke', serial);
    await json('crl', 'generate');
    const url = `${stack.endpoints.status.crl}/issuing-1.crl`;
    for (const what of ['issuing-1', 'issuing']) {
      const shown = await json<Shown>('crl', 'show', what, '--limit', '1000');
      assert.ok(
        shown.first.some(({ serialNumber }) => serialNumber === serial),
        what,
      );
      assert.equal(shown.signature.state, 'holds');
    }
    const { issuingDistributionPoint, signature } = await json<Shown>('crl', 'show', url);
    assert.deepEqual([issuingDistributionPoint?.fullName, signature.state], [[url], 'holds']);
    assert.match((await run('crl', 'show', 'issuing-1', '--delta')).output, /^Kind: +delta$/m);
  });

  test('show --der writes the CRL as it is', async () => {
    const file = join(stack.directory, 'issuing.crl');
    writeFileSync(file, Buffer.from((await run('crl', 'show', 'issuing', '--pem')).output));
    assert.equal((await json<Shown>('crl', 'show', file)).signature.state, 'holds');
    rmSync(file);
  });

  test("generate root signs the root's, which the running core publishes by itself", async () => {
    const { crlNumber } = await json<{ crlNumber: number }>('crl', 'generate', 'root');
    const published = async () => {
      const answer = await fetch(`${stack.endpoints.status.crl}/root.crl`);
      return Number(readCertificateList(Buffer.from(await answer.arrayBuffer())).crlNumber);
    };
    const deadline = Date.now() + 30_000;
    while ((await published()) !== crlNumber) {
      assert.ok(Date.now() < deadline, 'it is not published');
      await pause(20);
    }
  });
});
