/** `gatehouse ra`: registration authorities, and their first credentials. */
import type { Command } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { JoinOptions, TokenOptions } from '../join.ts';
import { addJoinOptions } from '../join-options.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption, addNameOptions, collectSeparated, rate } from '../options.ts';
import type { AddOptions } from '../registration-authorities.ts';

const load = () => import('../registration-authorities.ts');

/** Adds the commands. */
export function addRegistrationAuthorityCommands(program: Command): void {
  const ra = program
    .command('ra')
    .description('registration authorities: what each gate may ask of the core')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse ra add est-dmz --profiles tls-server,gateway-tls --dns example.com
  $ gatehouse ra join --token-file - --data /etc/gatehouse-est
  $ gatehouse ra list
`,
    );
  addAdd(ra);
  addToken(ra);
  addJoinOptions(
    ra.command('join').description('buy the first credential of an RA with a join token, on the machine of the gate'),
    { folder: 'ra', example: '/etc/gatehouse-est' },
  ).action(async (options: JoinOptions) => (await import('../join.ts')).join('ra', options));
  addJsonOption(addDataOption(ra.command('list').description('list all RAs with what they may ask for')))
    .addHelpText('after', '\nExample:\n  $ gatehouse ra list --json\n')
    .action(async (options: OperatorOptions) => (await load()).listRegistrationAuthorities(options));
  addJsonOption(addDataOption(ra.command('show <name>').description('show what one RA may ask for')))
    .addHelpText('after', '\nExample:\n  $ gatehouse ra show est-dmz\n')
    .action(async (name: string, options: OperatorOptions) => (await load()).showRegistrationAuthority(name, options));
  addJsonOption(addDataOption(ra.command('disable <name>').description('shut an RA out: its credentials stop working')))
    .addHelpText('after', '\nExample:\n  $ gatehouse ra disable est-dmz\n')
    .action(async (name: string, options: OperatorOptions) =>
      (await load()).disableRegistrationAuthority(name, options),
    );
}

function addAdd(ra: Command): void {
  const add = ra
    .command('add <name>')
    .description('register an RA and print the join token for its first credential')
    .option('--profiles <names>', 'profiles that it may use', collectSeparated, [])
    .option('--status-only', 'it enrols nothing, and only reads what is published: for a status gate');
  addNameOptions(add)
    .option('--max-validity <duration>', 'longest validity that it may ask for: 90d')
    .option('--rate <number>', 'enrollments per second', rate)
    .option('--token-life <duration>', 'for how long the join token works (default: 1h)');
  addJsonOption(addDataOption(add))
    .addHelpText(
      'after',
      `
A kind of name without an option is refused; * allows every name of the kind. DNS names, addresses and subject attributes
may be bound to one profile: 'device-identity:CN=*'. A gate with TLS needs the profile gateway-tls and the names of its own
certificate; bind them to it ('gateway-tls:acme.example.com'), or an ACME gate that is taken over could use gateway-tls for
names that nobody validated. The status gate needs nothing of all that.

The token is printed alone on standard output. It works once.

Examples:
  $ gatehouse ra add est-dmz --profiles tls-server,gateway-tls --dns example.com --ip 10.0.0.0/8
  $ gatehouse ra add est-dmz --profiles device-identity,gateway-tls --dns example.com --uri https://devices.example.com/ \\
      --email example.com --subject 'device-identity:CN=*' --max-validity 90d --rate 50 --token-life 1h
  $ gatehouse ra add acme --profiles tls-server-validated,gateway-tls --dns '*,gateway-tls:acme.example.com'
  $ gatehouse ra add status --status-only
`,
    )
    .action(async (name: string, options: AddOptions) => (await load()).addRegistrationAuthority(name, options));
}

function addToken(ra: Command): void {
  const token = ra
    .command('token <name>')
    .description('print a further join token, for an RA that lost its credential')
    .option('--token-life <duration>', 'for how long the join token works (default: 1h)');
  addJsonOption(addDataOption(token))
    .addHelpText('after', '\nExample:\n  $ gatehouse ra token est-dmz\n')
    .action(async (name: string, options: TokenOptions) => (await load()).createJoinToken(name, options));
}
