import assert from 'node:assert/strict';
import { existsSync, linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { FatalError } from '@gatehouse/runtime/fatal';
import {
  LocalControlError,
  type LocalControlRoute,
  localControlSocket,
  startLocalControl,
} from '@gatehouse/runtime/local-control';
import { callLocalControl } from '@gatehouse/runtime/local-control/client';
import fc from 'fast-check';
import { z } from 'zod';
import { temporaryDirectory } from './support/directory.ts';
import { recordingLog } from './support/log.ts';

const things = new Map([['a b', 1]]);

const routes: readonly LocalControlRoute[] = [
  { method: 'GET', path: '/things', handle: () => ({ things: [...things.keys()] }) },
  {
    method: 'DELETE',
    path: '/things/:name',
    handle: ({ parameters: { name = '' } }) => {
      if (!things.has(name)) throw new LocalControlError('not-found', `there is no thing '${name}'`);
    },
  },
  { method: 'POST', path: '/echo', handle: ({ body }) => ({ body }) },
  { method: 'GET', path: '/failing', handle: () => Promise.reject(new Error('the secret detail')) },
];

async function start(context: TestContext, directory = temporaryDirectory(context)) {
  const { log, lines } = recordingLog();
  const file = localControlSocket(directory, 'gate');
  const control = await startLocalControl({ file, routes, log });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (!isClosed) await control.close();
    isClosed = true;
  };
  context.after(close);
  return { file, lines, log, close };
}

const list = (file: string) =>
  callLocalControl({ file, method: 'GET', path: '/things', answer: z.strictObject({ things: z.array(z.string()) }) });

/** Leaves a socket behind as a process does that is killed: nobody listens on it. */
async function leaveBehind(file: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ path: `${file}.bound` }, resolve));
  linkSync(`${file}.bound`, file);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

describe('local control', () => {
  test('answers a call with JSON', async (context) => {
    const { file } = await start(context);
    assert.deepEqual(await list(file), { things: ['a b'] });
  });

  test('decodes what stands in the path, and answers nothing where there is nothing to say', async (context) => {
    const { file, lines } = await start(context);
    const answer = await callLocalControl({ file, method: 'DELETE', path: '/things/a%20b', answer: z.undefined() });
    assert.equal(answer, undefined);
    assert.ok(lines.some(({ method, status }) => method === 'DELETE' && status === 204));
  });

  test('hands over any JSON as it is', async (context) => {
    const { file } = await start(context);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const answer = z.object({ body: z.unknown() });
        const { body } = await callLocalControl({ file, method: 'POST', path: '/echo', body: { value }, answer });
        assert.equal(JSON.stringify(body), JSON.stringify({ value }));
      }),
      { numRuns: 50 },
    );
  });

  test('refuses with a code and a sentence for the one who asks', async (context) => {
    const { file } = await start(context);
    await assert.rejects(
      callLocalControl({ file, method: 'DELETE', path: '/things/other', answer: z.undefined() }),
      (error) =>
        error instanceof LocalControlError &&
        error.code === 'not-found' &&
        error.message === "there is no thing 'other'",
    );
  });

  test('logs the cause of a failure and does not show it', async (context) => {
    const { file, lines } = await start(context);
    await assert.rejects(
      callLocalControl({ file, method: 'GET', path: '/failing', answer: z.unknown() }),
      (error) => error instanceof LocalControlError && error.code === 'internal' && !error.message.includes('secret'),
    );
    assert.ok(JSON.stringify(lines).includes('the secret detail'));
  });

  test('refuses what it does not have: another path, another method, a body that is no JSON or too large', async (context) => {
    const { file } = await start(context);
    assert.equal(await statusOf(file, 'GET', '/other'), 404);
    assert.equal(await statusOf(file, 'GET', '/things/%ff'), 404);
    assert.equal(await statusOf(file, 'POST', '/things'), 405);
    assert.equal(await statusOf(file, 'POST', '/echo', 'not json'), 400);
    assert.equal(await statusOf(file, 'POST', '/echo', JSON.stringify('x'.repeat(64 * 1024))), 400);
  });

  test('is open to its owner alone, whatever the umask', async (context) => {
    const before = process.umask(0);
    context.after(() => process.umask(before));
    const { file } = await start(context);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(file)).mode & 0o777, 0o700);
  });

  test('closes a folder that others could enter', async (context) => {
    const directory = temporaryDirectory(context);
    const folder = dirname(localControlSocket(directory, 'gate'));
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    await start(context, directory);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  test('removes its socket when it closes', async (context) => {
    const { file, close } = await start(context);
    await close();
    assert.equal(existsSync(file), false);
    await assert.rejects(
      list(file),
      (error) => error instanceof FatalError && /no process answers/.test(error.message),
    );
  });

  test('takes the place of a socket that a killed process left behind', async (context) => {
    const directory = temporaryDirectory(context);
    const file = localControlSocket(directory, 'gate');
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    await leaveBehind(file);
    assert.ok(statSync(file).isSocket());
    await assert.rejects(
      list(file),
      (error) => error instanceof FatalError && /no process answers/.test(error.message),
    );
    await start(context, directory);
    assert.deepEqual(await list(file), { things: ['a b'] });
  });

  test('refuses to start where another process answers', async (context) => {
    const directory = temporaryDirectory(context);
    const { file, log } = await start(context, directory);
    await assert.rejects(
      startLocalControl({ file, routes, log }),
      (error) => error instanceof FatalError && /another process answers/.test(error.message),
    );
    assert.deepEqual(await list(file), { things: ['a b'] });
  });

  test('leaves a file alone that is no socket', async (context) => {
    const directory = temporaryDirectory(context);
    const file = localControlSocket(directory, 'gate');
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, 'somebody needs this');
    await assert.rejects(
      start(context, directory),
      (error) => error instanceof FatalError && /no socket/.test(error.message),
    );
    assert.ok(existsSync(file));
  });

  test('works in a directory whose path is longer than a socket address, or says that it does not', async (context) => {
    const directory = join(temporaryDirectory(context), 'long'.repeat(40));
    mkdirSync(directory);
    // Only Linux reaches a folder through its descriptor.
    if (process.platform !== 'linux') {
      await assert.rejects(start(context, directory), /too long for a socket/);
      return;
    }
    const { file, close } = await start(context, directory);
    assert.deepEqual(await list(file), { things: ['a b'] });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await close();
    assert.equal(existsSync(file), false);
  });

  test('tells when what answers is not understood', async (context) => {
    const { file } = await start(context);
    await assert.rejects(
      callLocalControl({ file, method: 'GET', path: '/things', answer: z.strictObject({ other: z.string() }) }),
      (error) => error instanceof FatalError && /of one version/.test(error.hint ?? ''),
    );
  });
});

async function statusOf(file: string, method: string, path: string, body?: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const outgoing = request({ socketPath: file, method, path, agent: false }, (incoming) => {
    incoming.resume();
    resolve(incoming.statusCode);
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return await promise;
}
