/** `gatehouse init`. */
import type { Command } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { InitOptions } from '../init.ts';
import { addJsonOption } from '../options.ts';

/** Adds the command. */
export function addInitCommand(program: Command): void {
  const command = program
    .command('init')
    .description('make a data directory: CA hierarchy, database, operator credential, configuration')
    .option('--production', 'no demo users, and the passphrases of the keys are kept by you, not beside the keys')
    .option('--organization <name>', "organization in the CA's names")
    .option('--status-url <url>', 'where relying parties will reach the status gate: http://status.example.com')
    .addHelpText(
      'after',
      `
With --production the passphrases come from the environment (GATEHOUSE_PASSPHRASE for the online keys,
GATEHOUSE_ROOT_PASSPHRASE for the root key) or are asked for. What is there already is left as it is.

The status URL is plain http, without a path or with one, and stands in every certificate, that of the issuing CA among
them: choose a name that you can keep. Without one, certificates do not say where their status is.

Examples:
  $ gatehouse init --data /var/lib/gatehouse --production --organization 'Example Inc' \\
      --status-url http://status.example.com
  $ gatehouse init
`,
    );
  addJsonOption(addDataOption(command)).action(async (options: InitOptions) => {
    const { init } = await import('../init.ts');
    await init(options);
  });
}
