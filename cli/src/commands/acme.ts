/** `gatehouse acme`: accounts, orders, keys of external accounts and incidents of the ACME gate. */
import type { Command } from 'commander';
import type { ListAccountsOptions, UnpauseOptions } from '../acme/accounts.ts';
import type { AddExternalAccountOptions, ListExternalAccountsOptions } from '../acme/external-accounts.ts';
import type { AddIncidentOptions } from '../acme/incidents.ts';
import type { ListOrdersOptions } from '../acme/orders.ts';
import type { AcmeListOptions, AcmeOptions } from '../acme/state.ts';
import { addDataOption } from '../data-directory.ts';
import { addJsonOption, collect, collectSeparated, wholeNumber } from '../options.ts';

const accounts = () => import('../acme/accounts.ts');
const orders = () => import('../acme/orders.ts');
const externalAccounts = () => import('../acme/external-accounts.ts');
const incidents = () => import('../acme/incidents.ts');

/** Adds the commands. */
export function addAcmeCommands(program: Command): void {
  const acme = program
    .command('acme')
    .description('the ACME gate')
    .addHelpText(
      'after',
      `
They read and change the database of the gate as acme.database in gatehouse.yaml says; the gate may run or not.

Examples:
  $ gatehouse acme account list
  $ gatehouse acme eab add --suffix example.com --wildcards --expires 30d
  $ gatehouse acme incident add --issued-before 2026-11-01 --explanation https://example.com/incident
`,
    );
  addAccountCommands(acme);
  addOrderCommands(acme);
  addExternalAccountCommands(acme);
  addIncidentCommands(acme);
  const unpause = acme
    .command('unpause [account]')
    .description('let an account try names again that failed for days; without an account: list what is paused')
    .option('--name <names>', 'these names', collectSeparated, [])
    .option('--all', 'all names of the account');
  addJsonOption(addDataOption(unpause))
    .addHelpText('after', '\nExample:\n  $ gatehouse acme unpause UBBsRMyWyLXYdWIFTDwEQEjr --name www.example.com\n')
    .action(async (account: string | undefined, options: UnpauseOptions) =>
      (await accounts()).unpauseAcmeNames(account, options),
    );
}

function addLimit(command: Command): Command {
  return addJsonOption(
    addDataOption(command.option('--limit <number>', 'at most so many (default: 100)', wholeNumber(1))),
  );
}

function addAccountCommands(acme: Command): void {
  const account = acme.command('account').description('accounts of clients');
  addLimit(account.command('list').description('list accounts, the newest first'))
    .option('--after <account>', 'go on after this one')
    .addHelpText('after', '\nExample:\n  $ gatehouse acme account list --limit 20\n')
    .action(async (options: ListAccountsOptions) => (await accounts()).listAcmeAccounts(options));
  addJsonOption(addDataOption(account.command('show <account>').description('show an account, by its id or URL')))
    .addHelpText('after', '\nExample:\n  $ gatehouse acme account show UBBsRMyWyLXYdWIFTDwEQEjr\n')
    .action(async (id: string, options: AcmeOptions) => (await accounts()).showAcmeAccount(id, options));
  addJsonOption(
    addDataOption(account.command('deactivate <account>').description('deactivate an account; its certificates stay')),
  )
    .addHelpText('after', '\nExample:\n  $ gatehouse acme account deactivate UBBsRMyWyLXYdWIFTDwEQEjr\n')
    .action(async (id: string, options: AcmeOptions) => (await accounts()).deactivateAcmeAccount(id, options));
}

function addOrderCommands(acme: Command): void {
  const order = acme.command('order').description('orders of clients');
  addLimit(order.command('list').description('list orders, the newest first'))
    .option('--account <account>', 'of this account')
    .option('--before <position>', 'go on before this one', wholeNumber(1))
    .addHelpText('after', '\nExample:\n  $ gatehouse acme order list --account UBBsRMyWyLXYdWIFTDwEQEjr\n')
    .action(async (options: ListOrdersOptions) => (await orders()).listAcmeOrders(options));
  addJsonOption(
    addDataOption(order.command('show <order>').description('show an order and its authorizations, by its id or URL')),
  )
    .addHelpText('after', '\nExample:\n  $ gatehouse acme order show 3Jd0tUoFqXWfCgvLwN2yBoRk\n')
    .action(async (id: string, options: AcmeOptions) => (await orders()).showAcmeOrder(id, options));
}

function addExternalAccountCommands(acme: Command): void {
  const eab = acme.command('eab').description('external accounts (RFC 8555 §7.3.4): keys, with what each allows');
  const add = eab
    .command('add')
    .description('make a key and print its secret, once')
    .option('--name <names>', 'names that its accounts may order', collectSeparated, [])
    .option('--suffix <domains>', 'domains that they may order with all below', collectSeparated, [])
    .option('--ip <ranges>', 'address ranges that they may order: 10.0.0.0/8', collectSeparated, [])
    .option('--wildcards', 'wildcards of these names too')
    .option('--profiles <names>', 'ACME profiles that they may use (default: all)', collectSeparated, [])
    .option('--pre-authorized', 'the names need no challenge, in profiles that demand no validation')
    .option('--single-use', 'one account can be made with it')
    .option('--max-accounts <number>', 'so many accounts can be made with it', wholeNumber(1))
    .option('--expires <time>', 'until when accounts can be made with it: a date, or a duration from now: 30d')
    .option('--description <text>', 'for people', '');
  addJsonOption(addDataOption(add))
    .addHelpText(
      'after',
      `
Without --name, --suffix and --ip its accounts may order whatever the gate lets be ordered. What a key allows is judged
again for each order and each finalization.

Examples:
  $ gatehouse acme eab add --suffix team7.example.com --wildcards --description 'team 7'
  $ gatehouse acme eab add --name www.example.com --single-use --expires 7d
  $ gatehouse acme eab add --ip 10.20.0.0/16 --profiles internal --pre-authorized
`,
    )
    .action(async (options: AddExternalAccountOptions) => (await externalAccounts()).addExternalAccount(options));
  addLimit(eab.command('list').description('list keys; never a secret'))
    .option('--after <key id>', 'go on after this one')
    .addHelpText('after', '\nExample:\n  $ gatehouse acme eab list --json\n')
    .action(async (options: ListExternalAccountsOptions) => (await externalAccounts()).listExternalAccounts(options));
  addJsonOption(addDataOption(eab.command('show <key-id>').description('show what a key allows')))
    .addHelpText('after', '\nExample:\n  $ gatehouse acme eab show 5f0c4ab1c7e2d9a83b61\n')
    .action(async (id: string, options: AcmeOptions) => (await externalAccounts()).showExternalAccount(id, options));
  addJsonOption(
    addDataOption(eab.command('revoke <key-id>').description('revoke a key: its accounts can order no more')),
  )
    .addHelpText('after', '\nExample:\n  $ gatehouse acme eab revoke 5f0c4ab1c7e2d9a83b61\n')
    .action(async (id: string, options: AcmeOptions) => (await externalAccounts()).revokeExternalAccount(id, options));
}

function addIncidentCommands(acme: Command): void {
  const incident = acme
    .command('incident')
    .description('tell clients to renew certificates now (RFC 9773); nothing is revoked by it');
  const add = incident
    .command('add')
    .description('add an incident')
    .option('--serial <numbers>', 'certificates by serial number, hexadecimal', collectSeparated, [])
    .option('--serials-file <file>', "the same from a file ('-': standard input), separated by white space")
    .option('--account <account>', 'certificates of this account; may be repeated', collect, [])
    .option('--issued-from <time>', 'certificates valid from this time on')
    .option('--issued-before <time>', 'certificates valid from before this time')
    .option('--explanation <url>', 'page that explains it, shown by clients')
    .option('--until <time>', 'until when clients should have renewed (default: at once)');
  addJsonOption(addDataOption(add))
    .addHelpText(
      'after',
      `
All conditions that are given must fit.

Examples:
  $ gatehouse acme incident add --issued-from 2026-10-01 --issued-before 2026-10-03 --explanation https://example.com/i7
  $ gatehouse acme incident add --serials-file affected.txt --until 5d
`,
    )
    .action(async (options: AddIncidentOptions) => (await incidents()).addIncident(options));
  addLimit(incident.command('list').description('list incidents, the newest first'))
    .addHelpText('after', '\nExample:\n  $ gatehouse acme incident list\n')
    .action(async (options: AcmeListOptions) => (await incidents()).listAcmeIncidents(options));
  addJsonOption(addDataOption(incident.command('end <incident>').description('end an incident')))
    .addHelpText('after', '\nExample:\n  $ gatehouse acme incident end Yt1kD0aTz8lq2QmXo5rJwE3v\n')
    .action(async (id: string, options: AcmeOptions) => (await incidents()).endAcmeIncident(id, options));
}
