import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../src/program.ts';
import { type Ended, runCommand } from './faults/support/command.ts';

/** All commands that do something, with their full names. */
function leaves(command: Command, name = ''): readonly (readonly [name: string, command: Command])[] {
  const inner = command.commands.filter((one) => one.name() !== 'help');
  const below = inner.flatMap((one) => leaves(one, `${name} ${one.name()}`.trim()));
  // A group takes no options; one that does is a command of its own, too.
  const isGroup = inner.length > 0 && (name === '' || command.options.length === 0);
  return isGroup ? below : [[name, command], ...below];
}

const commands = leaves(createProgram());

function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part) }).outputHelp();
  return parts.join('');
}

describe('commands', () => {
  test('are those of the issue', () => {
    const names = commands.map(([name]) => name);
    for (const name of [
      'up',
      'init',
      'run core',
      'run est',
      'ra add',
      'ra list',
      'ra disable',
      'ra join',
      'profile list',
      'profile show',
      'profile validate',
      'cert list',
      'cert find',
      'cert show',
      'cert revoke',
      'cert hold',
      'cert release',
      'revoke',
      'revoke list',
      'revoke watch',
      'revoke stop',
      'crl list',
      'crl generate',
      'crl show',
      'ocsp query',
      'enrollment list',
      'enrollment approve',
      'enrollment reject',
      'audit list',
      'audit verify',
      'audit export',
      'est user add',
      'est user list',
      'est user remove',
    ]) {
      assert.ok(names.includes(name), name);
    }
  });

  for (const [name, command] of commands) {
    test(`${name}: the help has an example of the command`, () => {
      assert.match(helpOf(command), new RegExp(`Examples?:\\n  \\$ gatehouse ${name}`));
    });

    // What `run` starts logs JSON lines anyway and answers nothing.
    if (!name.startsWith('run ')) {
      test(`${name}: takes --json`, () => {
        assert.ok(command.options.some(({ long }) => long === '--json'));
      });
    }

    if (name !== 'profile validate') {
      test(`${name}: takes --data`, () => {
        assert.ok(command.options.some(({ long }) => long === '--data'));
      });
    }
  }
});

/** One sentence for people on standard error, and a status that is not 0. */
function assertRefused(ended: Ended, ...forms: readonly RegExp[]): void {
  assert.notEqual(ended.exitCode, 0);
  assert.equal(ended.output, '');
  for (const form of forms) assert.match(ended.errors, form);
  assert.doesNotMatch(ended.errors, /\n\s+at /, 'a stack trace');
}

const rules: readonly (readonly [rule: string, args: readonly string[], ...forms: readonly RegExp[]])[] = [
  ['names the nearest option', ['up', '--onyl', 'est'], /unknown option '--onyl'/, /--only/],
  ['refuses an unknown command', ['upp'], /unknown command 'upp'/, /Did you mean up/],
  ['refuses another way to choose ports', ['up', '--ports', '7030'], /Allowed choices are auto/],
  ['refuses an unknown gate, naming those there are', ['up', '--only', 'scpe'], /no gate 'scpe'/, /gates: est/],
  ['names the nearest section', ['up', '--set', 'ets.listen.port=1'], /no section 'ets'; did you mean 'est'/],
  ['says how --set is written', ['up', '--set', 'est'], /no section|write it as path=value/],
  ['says what makes a data directory', ['cert', 'list', '--data', '/nonexistent'], /gatehouse init --data DIR/],
  ['demands the profiles of an RA', ['ra', 'add', 'x'], /--profiles NAMES\n.*--status-only/],
  [
    'refuses profiles for an RA without any',
    ['ra', 'add', 'x', '--profiles', 'p', '--status-only'],
    /exclude each other/,
  ],
  ['refuses a rate of nothing', ['ra', 'add', 'x', '--profiles', 'p', '--rate', '0'], /must be a number above 0/],
  ['demands a join token', ['ra', 'join'], /a join token is needed/, /gatehouse ra add/],
  ['refuses what is no join token', ['ra', 'join', '--token', 'abc'], /not a join token/],
  ['refuses two join tokens', ['ra', 'join', '--token', 'a', '--token-file', 'b'], /exclude each other/],
  ['refuses to ask in two ways', ['ocsp', 'query', 'x', '--get', '--post'], /'--get' cannot be used with .*'--post'/],
  [
    'refuses what is no certificate',
    ['ocsp', 'query', '/nonexistent.pem'],
    /no file .*no serial number\n.*hexadecimal/,
  ],
  ['demands a reason to reject', ['enrollment', 'reject', 'x'], /--reason <text>' not specified/],
  ['refuses an unknown reason to revoke', ['cert', 'revoke', '01', '--reason', 'x'], /key-compromise/],
  ['demands a condition to revoke many', ['revoke'], /there is no condition\n.*KEY=VALUE/],
  [
    'refuses a condition that is none',
    ['revoke', '--where', 'profil=x', '--dry-run'],
    /'profil=x' is not a condition\n.*profile/,
  ],
  ['refuses a part of a condition', ['revoke', '--where', 'ra=est,foo=1', '--yes'], /'foo=1' is not a condition/],
  ['does not revoke many unasked', ['revoke', '--where', 'ra=est'], /no terminal to ask on\n.*--dry-run.*--yes/],
  ['refuses an unknown reason to revoke many', ['revoke', '--where', 'ra=est', '--reason', 'x'], /key-compromise/],
  ['refuses a limit of nothing', ['cert', 'list', '--limit', '0'], /whole number of at least 1/],
  ['refuses a profile file that is missing', ['profile', 'validate', '/nonexistent'], /it does not exist/],
];

describe('a command line that is not in order', { concurrency: 2 }, () => {
  for (const [rule, args, ...forms] of rules) {
    test(`${rule}: ${args.join(' ')}`, async () => {
      assertRefused(await runCommand(args), ...forms);
    });
  }
});
