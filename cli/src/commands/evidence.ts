/** `gatehouse evidence`: what proved the control of the names in a certificate. */
import type { Command } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { EvidenceOptions } from '../evidence/show.ts';
import { addJsonOption } from '../options.ts';

/** Adds the commands. */
export function addEvidenceCommands(program: Command): void {
  const evidence = program
    .command('evidence')
    .description('what proved the control of the names in a certificate')
    .addHelpText('after', '\nExample:\n  $ gatehouse evidence show 1c00d2f4\n');
  const show = evidence
    .command('show <serial>')
    .description('show the evidence of one certificate, each signature verified anew')
    .option('--out <file>', 'also write it to a file as JSON, with all that is needed to verify it elsewhere');
  addJsonOption(addDataOption(show))
    .addHelpText(
      'after',
      `
The signatures of the perspectives and of the account holder are verified here, not by the core; the status is 1 when one
does not hold. What the core found at issuance is shown beside them.

Examples:
  $ gatehouse evidence show 1c00d2f4
  $ gatehouse evidence show 1c00d2f4 --out evidence.json
`,
    )
    .action(async (serial: string, options: EvidenceOptions) =>
      (await import('../evidence/show.ts')).showEvidence(serial, options),
    );
}
