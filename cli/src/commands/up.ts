/** `gatehouse up`. */
import { type Command, Option } from 'commander';
import { addDataOption } from '../data-directory.ts';
import { addJsonOption, addSetOption, collectSeparated } from '../options.ts';
import { endWithParent } from '../parent.ts';
import type { UpOptions } from '../up/up.ts';

/** Adds the command. */
export function addUpCommand(program: Command): void {
  const command = program
    .command('up')
    .description('start the keep and the gates on this machine, and make what is missing')
    .option('--only <gates>', 'start these gates only: est, acme, status', collectSeparated, [])
    .addOption(new Option('--ports <how>', 'auto: let the system choose free ports').choices(['auto']))
    .addHelpText(
      'after',
      `
Once everything answers it writes DIR/endpoints.json and prints 'ready'. Ctrl-C stops everything.
A second start finds what the first made. Logs are in DIR/log. The ACME gate brings two perspectives with it, here-a and
here-b, which look at names from this machine.

Examples:
  $ gatehouse up
  $ gatehouse up --data /tmp/ca --ports auto
  $ gatehouse up --only acme --set acme.validation.httpPort=8080 --set acme.validation.resolver=127.0.0.1:8053
  $ gatehouse up --only est --set est.listen.port=7443 --set est.listen.host=0.0.0.0
`,
    );
  addJsonOption(addSetOption(addDataOption(command))).action(async (options: UpOptions) => {
    endWithParent();
    const { up } = await import('../up/up.ts');
    await up(options);
  });
}
