// The launchers, as a shell starts them that knows nothing of the Node.js that npm installed. Which versions a machine has
// besides is its own affair: each one on the PATH is tried, and an old one is played where there is none.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../bin/gatehouse.js', import.meta.url));
const nodeLauncher = fileURLToPath(new URL('../bin/gatehouse-node', import.meta.url));

/** Says on standard error which Node.js each process is, the launcher as well as the one that it hands over to. */
const telling = "--import=data:text/javascript,console.error('node',process.version)";
/** Takes the launcher in: it believes that it runs on Node.js 20, and what it starts believes nothing of the kind. */
const ageing =
  '--import=data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.19.0"}})';

function nodesOnPath(): readonly string[] {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'node'))
    .filter(existsSync);
  return [...new Set([process.execPath, ...found].map((file) => realpathSync(file)))];
}

function run(node: string, parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return spawnSync(node, parameters, { encoding: 'utf8', env: { ...process.env, ...environment } });
}

describe('gatehouse: started by whatever Node.js the shell finds', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatehouse-launcher-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  for (const node of nodesOnPath()) {
    const version = run(node, ['--version']).stdout.trim();
    it(`runs on Node.js 26 when ${version} starts it`, () => {
      const { status, stdout, stderr } = run(node, [launcher, 'profile', '--help'], { NODE_OPTIONS: telling });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /gatehouse profile/);
      assert.match(stderr.trim().split('\n').at(-1) ?? '', /^node v26\./);
    });
  }

  it('hands over from an old Node.js, with arguments and exit status', () => {
    const { status, stderr } = run(process.execPath, [ageing, launcher, 'no-such-command'], { NODE_OPTIONS: telling });
    assert.equal(stderr.match(/^node v/gm)?.length, 2, 'there must be two processes');
    assert.match(stderr, /no-such-command/);
    assert.notEqual(status, 0);
  });

  it('passes a signal on to the process that took over, and ends with it', async () => {
    const data = join(directory, 'data');
    const parameters = [ageing, launcher, 'up', '--data', data, '--ports', 'auto', '--only', 'core'];
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'ignore'] });
    for await (const chunk of child.stdout) {
      if (String(chunk).includes('ready')) break;
    }
    child.kill('SIGTERM');
    const [status] = await once(child, 'exit');
    assert.equal(status, 0);
    assert(!existsSync(join(data, 'endpoints.json')), 'what took over must have stopped in good order');
  });

  it('says in one line what to do where npm has installed no Node.js', () => {
    const bin = join(directory, 'bare/cli/bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, '../package.json'), '{ "type": "module" }');
    copyFileSync(launcher, join(bin, 'gatehouse.js'));
    const { status, stdout, stderr } = run(process.execPath, [ageing, join(bin, 'gatehouse.js')]);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^Gatehouse needs Node\.js 26 or newer, but this is 20\.19\.0\.\n {2}Run 'npm ci'/);
  });
});

describe("gatehouse-node: the Node.js of the project's scripts", () => {
  it('is Node.js 26, and what it starts finds the same one', () => {
    const script = "require('node:child_process').spawnSync('node', ['--version'], { stdio: 'inherit' })";
    const { status, stdout } = run(nodeLauncher, ['--eval', script], { PATH: '/usr/bin:/bin' });
    assert.equal(status, 0);
    assert.match(stdout, /^v26\./);
  });

  it('is what the scripts of every package say, and never node', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const manifests = globSync(
      ['.', ...workspaces].map((folder) => join(folder, 'package.json')),
      { cwd: root },
    );
    assert(manifests.length > 5);
    for (const manifest of manifests) {
      const { scripts = {} } = JSON.parse(readFileSync(join(root, manifest), 'utf8'));
      for (const [name, command] of Object.entries(scripts)) {
        assert.doesNotMatch(String(command), /(^|[\s;&|])(node|npx)\s/, `${manifest}: ${name}`);
      }
    }
  });

  it('says what to do where npm has installed no Node.js', () => {
    const bin = mkdtempSync(join(tmpdir(), 'gatehouse-launcher-'));
    copyFileSync(nodeLauncher, join(bin, 'gatehouse-node'));
    const { status, stderr } = run(join(bin, 'gatehouse-node'), ['--version']);
    rmSync(bin, { recursive: true });
    assert.equal(status, 1);
    assert.match(stderr, /run 'npm ci' in the project/);
  });
});
