/** `gatehouse perspective`: the places from which names are looked at, and the keys with which they sign what they saw. */
import type { Command } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { JoinOptions, TokenOptions } from '../join.ts';
import { addJoinOptions } from '../join-options.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption } from '../options.ts';
import type { AddOptions, RevokeKeyOptions } from '../perspectives.ts';

const load = () => import('../perspectives.ts');

/** Adds the commands. */
export function addPerspectiveCommands(program: Command): void {
  const perspective = program
    .command('perspective')
    .description('perspectives: from where the names in certificates are looked at')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse perspective add dublin --rir RIPE --place 53.35,-6.26
  $ gatehouse perspective join --token-file - --data /etc/gatehouse-perspective
  $ gatehouse perspective check
`,
    );
  addAdd(perspective);
  addToken(perspective);
  addJoinOptions(
    perspective
      .command('join')
      .description('buy the first credential of a perspective with a join token, on its own machine'),
    { folder: 'perspective', example: '/etc/gatehouse-perspective' },
  ).action(async (options: JoinOptions) => (await import('../join.ts')).join('perspective', options));
  addJsonOption(addDataOption(perspective.command('list').description('list all perspectives with their labels')))
    .addHelpText('after', '\nExample:\n  $ gatehouse perspective list --json\n')
    .action(async (options: OperatorOptions) => (await load()).listPerspectives(options));
  addJsonOption(addDataOption(perspective.command('show <name>').description('show one perspective with its keys')))
    .addHelpText('after', '\nExample:\n  $ gatehouse perspective show dublin\n')
    .action(async (name: string, options: OperatorOptions) => (await load()).showPerspective(name, options));
  addJsonOption(
    addDataOption(
      perspective
        .command('disable <name>')
        .description('shut a perspective out: it is asked no more, and its credentials and keys stop working'),
    ),
  )
    .addHelpText(
      'after',
      `
What it signed before stays good. When that is in doubt, revoke its keys too.

Example:
  $ gatehouse perspective disable dublin
`,
    )
    .action(async (name: string, options: OperatorOptions) => (await load()).disablePerspective(name, options));
  addCheck(perspective);
  addRevokeKey(perspective);
}

function addAdd(perspective: Command): void {
  const add = perspective
    .command('add <name>')
    .description('register a perspective with its labels and print the join token for its first credential')
    .option('--site <site>', 'where it stands, in your words (default: its name)')
    .option('--rir <region>', 'service region: ARIN, RIPE, APNIC, LACNIC or AFRINIC')
    .option('--place <latitude,longitude>', 'degrees, where its traffic meets its provider: 53.35,-6.26')
    .option('--token-life <duration>', 'for how long the join token works (default: 1h)');
  addJsonOption(addDataOption(add))
    .addHelpText(
      'after',
      `
Policies judge by these labels, and nothing that a perspective says about itself changes them: state where its traffic
leaves, which behind a VPN is the VPN's exit. Within a private network a site is enough.

The token is printed alone on standard output. It works once.

Examples:
  $ gatehouse perspective add dublin --rir RIPE --place 53.35,-6.26
  $ gatehouse perspective add plant-a-1 --site plant-a
`,
    )
    .action(async (name: string, options: AddOptions) => (await load()).addPerspective(name, options));
}

function addToken(perspective: Command): void {
  const token = perspective
    .command('token <name>')
    .description('print a further join token, for a perspective that lost its credential')
    .option('--token-life <duration>', 'for how long the join token works (default: 1h)');
  addJsonOption(addDataOption(token))
    .addHelpText('after', '\nExample:\n  $ gatehouse perspective token dublin\n')
    .action(async (name: string, options: TokenOptions) => (await load()).createPerspectiveJoinToken(name, options));
}

function addCheck(perspective: Command): void {
  addJsonOption(
    addDataOption(
      perspective
        .command('check [policy]')
        .description(
          'tell how the perspectives meet a policy, now and by its later rows, and with any one of them away',
        ),
    ),
  )
    .addHelpText(
      'after',
      `
Without a name it looks at all policies that profiles use. The status is 1 when a policy is not met.

Examples:
  $ gatehouse perspective check
  $ gatehouse perspective check public-br
`,
    )
    .action(async (policy: string | undefined, options: OperatorOptions) =>
      (await load()).checkPerspectives(policy ?? '', options),
    );
}

function addRevokeKey(perspective: Command): void {
  const revoke = perspective
    .command('revoke-key <key-id>')
    .description('revoke a key of statements: nothing that it ever signed counts any more')
    .requiredOption('--reason <text>', 'why; it is recorded');
  addJsonOption(addDataOption(revoke))
    .addHelpText(
      'after',
      `
For a key that others may have. It may be a gate's as well. Certificates that were issued by its statements stay valid:
find them in the audit log, and revoke what is in doubt. An id that begins with a hyphen is written last, behind '--'.

Example:
  $ gatehouse perspective revoke-key NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs --reason 'machine was stolen'
`,
    )
    .action(async (keyId: string, options: RevokeKeyOptions) => (await load()).revokeSigningKey(keyId, options));
}
