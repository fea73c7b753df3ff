/** `gatehouse est`: the users of the EST gate. */
import { type Command, Option } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { AddUserOptions, UserOptions } from '../est-users.ts';
import { addJsonOption, addNameOptions, collectSeparated, wholeNumber } from '../options.ts';

const load = () => import('../est-users.ts');

/** Adds the commands. */
export function addEstCommands(program: Command): void {
  const est = program.command('est').description('the EST gate');
  const user = est
    .command('user')
    .description('users of the EST gate, with what each may enrol')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse est user add router7 --dns router7.example.com --labels tls-server
  $ gatehouse est user list
  $ gatehouse est user remove router7
`,
    );
  const add = user
    .command('add <name>')
    .description('add a user; asks for the password')
    .option('--labels <labels>', 'labels that the user may use (default: all)', collectSeparated, []);
  addNameOptions(add)
    .option('--uses <number>', 'for how many enrollments the password is good', wholeNumber(1))
    .option('--expires <time>', 'until when: a date, or a duration from now: 30d')
    .option('--password-file <file>', "read the password from a file ('-': standard input)")
    .option('--generate', 'make a password and print it, once')
    .option('--digest', 'store what HTTP Digest needs too')
    .addOption(new Option('--hash <function>', 'how the password is stored').choices(['argon2id', 'scrypt']))
    .option('--replace', 'replace the user of this name');
  addJsonOption(addDataOption(add))
    .addHelpText(
      'after',
      `
A kind of name without an option is refused; * allows every name of the kind. What the RA of the gate may not ask for,
its users cannot have either. The running gate takes the change over by itself.

Examples:
  $ gatehouse est user add router7 --dns router7.example.com --labels tls-server
  $ gatehouse est user add line3 --generate --subject 'device-identity:serialNumber=L3-*' --uses 100 --expires 30d
  $ gatehouse est user add ci --password-file - --dns ci.example.com < password
`,
    )
    .action(async (name: string, options: AddUserOptions) => (await load()).addEstUser(name, options));

  addJsonOption(addDataOption(user.command('list').description('list the users')))
    .addHelpText('after', '\nExample:\n  $ gatehouse est user list --json\n')
    .action(async (options: UserOptions) => (await load()).listEstUsers(options));
  addJsonOption(addDataOption(user.command('remove <name>').description('remove a user')))
    .addHelpText('after', '\nExample:\n  $ gatehouse est user remove router7\n')
    .action(async (name: string, options: UserOptions) => (await load()).removeEstUser(name, options));
}
