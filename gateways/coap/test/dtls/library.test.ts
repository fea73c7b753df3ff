// How a process comes to OpenSSL, and what an operator reads when it cannot.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

const library = import.meta.resolve('../../src/dtls/openssl-library.ts');
const program = `
  const { openSsl } = await import(${JSON.stringify(library)});
  try { openSsl(); console.log('loaded'); } catch (error) { console.log(error.name, error.message, error.hint); }`;

function run(...flags: string[]): { readonly stdout: string; readonly stderr: string } {
  return spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

describe('coaps.md §8: OpenSSL through node:ffi', () => {
  it('is loaded without a warning for operators', () => {
    const { stdout, stderr } = run();
    assert.equal(stdout, 'loaded\n');
    assert.equal(stderr, '');
  });

  it('says in one line what is missing where it may not be loaded', () => {
    const { stdout } = run('--permission', '--allow-fs-read=*');
    assert.match(stdout, /^FatalError CoAP needs .*--allow-ffi\n$/);
  });
});
