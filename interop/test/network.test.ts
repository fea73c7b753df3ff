// Domain validation in an internet of its own: what happens in it stands in network/scenes.ts, which runs as root of
// namespaces that this test makes for it and that end with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lastLines, runCommand } from '../src/command.ts';

const scenes = fileURLToPath(new URL('network/scenes.ts', import.meta.url));

test('names are validated in a network where routes and zones lie (BR §3.2.2.9)', { timeout: 600_000 }, async () => {
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  // `ip netns` keeps its names below /run, which must be nobody else's.
  const enter = 'mount -t tmpfs tmpfs /run && exec "$@"';
  const isolated = [...asRoot, '--net', '--mount', '--fork', '--kill-child', 'sh', '-c', enter, 'sh'];
  // The runner of tests would take the inner one for a part of itself.
  const environment = { NODE_TEST_CONTEXT: '' };
  const { status, stdout, stderr } = await runCommand(
    'unshare',
    [...isolated, process.execPath, '--test-reporter=spec', scenes],
    { environment, timeoutMs: 590_000 },
  );
  process.stdout.write(stdout);
  assert.equal(status, 0, lastLines(stderr) || 'a scene failed: see above');
});
