/** `gatehouse audit`: what happened, and whether the record of it is whole. */
import type { Command } from 'commander';
import type { AuditExportOptions, AuditListOptions } from '../audit.ts';
import { addDataOption } from '../data-directory.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption, wholeNumber } from '../options.ts';

const load = () => import('../audit.ts');

/** Adds the commands. */
export function addAuditCommands(program: Command): void {
  const audit = program
    .command('audit')
    .description('the audit log: list, verify, export')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse audit list --action certificate-issued
  $ gatehouse audit verify
  $ gatehouse audit export --file audit.jsonl
`,
    );
  const list = audit
    .command('list')
    .description('list events, newest first')
    .option('--action <action>', 'of this action: certificate-issued')
    .option('--serial <serial>', 'about this certificate')
    .option('--ra <name>', 'that concern this RA')
    .option('--after <time>', 'after a date, or within the last duration: 1h')
    .option('--before <time>', 'before a date, or longer ago than a duration')
    .option('--limit <number>', 'at most so many (default: 100)', wholeNumber(1));
  addJsonOption(addDataOption(list))
    .addHelpText('after', '\nExample:\n  $ gatehouse audit list --after 1h --ra est\n')
    .action(async (options: AuditListOptions) => (await load()).listAuditEvents(options));

  addJsonOption(addDataOption(audit.command('verify').description('walk the chain and name the first broken record')))
    .addHelpText(
      'after',
      `
The status is 1 when a record was altered, deleted, re-ordered or cut off.

Example:
  $ gatehouse audit verify
`,
    )
    .action(async (options: OperatorOptions) => (await load()).verifyAudit(options));

  const exporting = audit
    .command('export')
    .description('write all events, oldest first, one JSON object a line')
    .option('--file <file>', "where to ('-': standard output)", '-');
  addJsonOption(addDataOption(exporting))
    .addHelpText('after', '\nExample:\n  $ gatehouse audit export --file audit.jsonl\n')
    .action(async (options: AuditExportOptions) => (await load()).exportAudit(options));
}
