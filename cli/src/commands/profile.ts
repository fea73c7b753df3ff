/** `gatehouse profile`: what certificates look like. */
import type { Command } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption } from '../options.ts';

const load = () => import('../profiles.ts');

/** Adds the commands. */
export function addProfileCommands(program: Command): void {
  const profile = program
    .command('profile')
    .description('profiles: what certificates look like, as data')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse profile list
  $ gatehouse profile show tls-server
  $ gatehouse profile validate data/profiles/printer.yaml
`,
    );
  addJsonOption(addDataOption(profile.command('list').description('list the profiles of the running core')))
    .addHelpText('after', '\nExample:\n  $ gatehouse profile list --json\n')
    .action(async (options: OperatorOptions) => (await load()).listProfiles(options));
  addJsonOption(addDataOption(profile.command('show <name>').description('show what one profile asks for and gives')))
    .addHelpText('after', '\nExample:\n  $ gatehouse profile show device-identity\n')
    .action(async (name: string, options: OperatorOptions) => (await load()).showProfile(name, options));
  addJsonOption(profile.command('validate <files...>').description('check profile files; no core is needed'))
    .addHelpText(
      'after',
      `
Each mistake is one line, file:line:column: key: what is wrong; the status is then 1. The core reads DIR/profiles when
it starts.

Example:
  $ gatehouse profile validate printer.yaml
`,
    )
    .action(async (files: readonly string[], options: Pick<OperatorOptions, 'json'>) => {
      const { validateProfiles } = await import('../validate-profiles.ts');
      validateProfiles(files, options);
    });
}
