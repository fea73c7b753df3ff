/** `gatehouse revoke`: many certificates at once. One is revoked with `gatehouse cert revoke`. */
import { type Command, Option } from 'commander';
import type { BulkOptions } from '../bulk-revocations.ts';
import { addDataOption } from '../data-directory.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption, collect } from '../options.ts';
import { revocationReasons } from '../revocation-reason.ts';

const load = () => import('../bulk-revocations.ts');

/** Adds the commands. */
export function addRevokeCommands(program: Command): void {
  const revoke = program
    .command('revoke')
    .description('revoke all certificates that fit, put them on hold, or release them')
    // Its subcommands have some of the same options.
    .enablePositionalOptions()
    .option('--where <key=value>', 'a condition; all must hold; may be repeated or separated by commas', collect, [])
    .option('--dry-run', 'count and show some; change nothing')
    .addOption(new Option('--reason <reason>', 'why').choices(revocationReasons).default('unspecified'))
    .option('--invalid-since <date>', 'when the keys are known or suspected to have been lost')
    .option('--yes', 'do not ask');
  addJsonOption(addDataOption(revoke))
    .addHelpText(
      'after',
      `
Conditions: profile, ra, requester, authority (name of the issuing CA), issued-after and issued-before (a date, or a
duration back from now), key-fingerprint (SHA-256, as 'gatehouse cert show' prints it).

It counts first and asks. The job is the core's: it goes on when this command ends or the core is started again.
Certificates that have expired or are revoked already are passed over, and so is what is issued meanwhile; what the CA
issued to itself (credentials of RAs, its OCSP signer) is never meant. The reason 'certificate-hold' can be taken back
with 'remove-from-crl'; every other reason is for good.

Examples:
  $ gatehouse revoke --where profile=tls-server,ra=est-dmz --dry-run
  $ gatehouse revoke --where ra=est-dmz,issued-after=2030-01-31 --reason superseded
  $ gatehouse revoke --where key-fingerprint=9f86d0… --reason key-compromise --invalid-since 2d --yes
`,
    )
    .action(async (options: BulkOptions) => (await load()).revokeMany(options));

  addJsonOption(addDataOption(revoke.command('list').description('list the newest jobs')))
    .addHelpText('after', '\nExample:\n  $ gatehouse revoke list --json\n')
    .action(async (options: OperatorOptions) => (await load()).listBulkRevocations(options));

  addJsonOption(addDataOption(revoke.command('watch <job>').description('follow a job to its end')))
    .addHelpText('after', '\nExample:\n  $ gatehouse revoke watch 01JZ3Q…\n')
    .action(async (job: string, options: OperatorOptions) => (await load()).watchBulkRevocation(job, options));

  addJsonOption(addDataOption(revoke.command('stop <job>').description('stop a job; what it changed stays so')))
    .addHelpText('after', '\nExample:\n  $ gatehouse revoke stop 01JZ3Q…\n')
    .action(async (job: string, options: OperatorOptions) => (await load()).stopBulkRevocation(job, options));
}
