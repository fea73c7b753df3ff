/** `gatehouse crl`: the CRLs of this CA, and a look into any CRL. */
import { type Command, Option } from 'commander';
import type { GenerateOptions } from '../crl-generate.ts';
import type { ShowCrlOptions } from '../crl-show.ts';
import { addDataOption } from '../data-directory.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption, collectSeparated, wholeNumber } from '../options.ts';
import { revocationReasons } from '../revocation-reason.ts';

/** Adds the commands. */
export function addCrlCommands(program: Command): void {
  const crl = program
    .command('crl')
    .description('CRLs: list, generate, show')
    .addHelpText(
      'after',
      `
A scope is the name of a CRL's file without .crl: 'issuing' is complete, 'issuing-3' a shard of it, 'issuing-ca' has the
certificates of CAs, 'root' is the root's own.

Examples:
  $ gatehouse crl list
  $ gatehouse crl generate
  $ gatehouse crl show issuing-1
`,
    );
  addJsonOption(addDataOption(crl.command('list').description('list the CRLs as they stand')))
    .addHelpText('after', '\nExample:\n  $ gatehouse crl list --json\n')
    .action(async (options: OperatorOptions) => (await import('../crl-list.ts')).listCrls(options));
  addGenerate(crl);
  addShow(crl);
}

function addGenerate(crl: Command): void {
  const generate = crl
    .command('generate [scope]')
    .description('sign CRLs now: one, or without a scope all that the core can sign')
    .option('--delta', 'sign the delta CRL')
    .option('--revoke <serials>', "root only: revoke these of the root's certificates", collectSeparated, [])
    .addOption(new Option('--reason <reason>', 'why').choices(reasonsForGood))
    .option('--root-key <file>', "root only: the root's key (default: ca/root.key.pem)");
  addJsonOption(addDataOption(generate))
    .addHelpText(
      'after',
      `
CRLs are signed by themselves, when something is revoked and in time before the last one ends; this is for whoever does
not want to wait.

The root's CRL is signed here and not by the core, which does not have the root's key. The passphrase of that key is read
from GATEHOUSE_ROOT_PASSPHRASE or asked for. A running core publishes the new CRL by itself.

Examples:
  $ gatehouse crl generate
  $ gatehouse crl generate issuing-1 --delta
  $ gatehouse crl generate root --root-key /media/root/root.key.pem
  $ gatehouse crl generate root --revoke 01f3a9… --reason ca-compromise
`,
    )
    .action(async (scope: string | undefined, options: GenerateOptions) =>
      (await import('../crl-generate.ts')).generateCrls(scope, options),
    );
}

/** What the root revokes cannot be released: there is no delta of its CRL. */
const reasonsForGood = revocationReasons.filter(
  (reason) => reason !== 'certificate-hold' && reason !== 'remove-from-crl',
);

function addShow(crl: Command): void {
  const show = crl
    .command('show <crl>')
    .description('show a CRL: its fields, its extensions and its first entries')
    .option('--delta', 'of a scope: the delta CRL')
    .option('--limit <number>', 'so many entries (default: 10)', wholeNumber(0))
    .addOption(new Option('--pem', 'print the CRL itself in PEM').conflicts('der'))
    .addOption(new Option('--der', 'write the CRL itself to standard output').conflicts('pem'));
  addJsonOption(addDataOption(show))
    .addHelpText(
      'after',
      `
CRL is a scope of the running core, a file in PEM or DER, or a URL. Whether the signature holds is said where the issuer
is known: in DIR/trust.

Examples:
  $ gatehouse crl show issuing
  $ gatehouse crl show issuing-1 --delta --limit 100
  $ gatehouse crl show http://status.example.com/crl/root.crl --json
  $ gatehouse crl show issuing --der > issuing.crl
`,
    )
    .action(async (crl: string, options: ShowCrlOptions) => (await import('../crl-show.ts')).showCrl(crl, options));
}
