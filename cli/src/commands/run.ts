/** `gatehouse run`: one process of the suite, for systemd, containers, and `gatehouse up`. */
import type { Command } from 'commander';
import { addDataOption, existingDataDirectory } from '../data-directory.ts';
import { addSetOption } from '../options.ts';
import { endWithParent } from '../parent.ts';

type RunOptions = { readonly data?: string | undefined; readonly set: readonly string[] };

/** Adds the commands. */
export function addRunCommands(program: Command): void {
  const run = program
    .command('run')
    .description('run one process of the suite in the foreground')
    .addHelpText(
      'after',
      `
Each process reads its own section of DIR/gatehouse.yaml, writes its log to standard error as JSON lines, writes
DIR/run/<process>.json when it listens, and ends in good order on SIGTERM and SIGINT.

Examples:
  $ gatehouse run core --data /var/lib/gatehouse
  $ gatehouse run est --data /etc/gatehouse-est --set est.listen.host=0.0.0.0
`,
    );

  addSetOption(addDataOption(run.command('core').description('run the keep: the only process that signs')))
    .addHelpText('after', '\nExample:\n  $ gatehouse run core --data /var/lib/gatehouse\n')
    .action(async (options: RunOptions) => {
      endWithParent();
      const { runCore } = await import('@gatehouse/ca-core/main');
      await runCore({ directory: existingDataDirectory(options.data).path, set: options.set });
    });

  addSetOption(addDataOption(run.command('est').description('run the EST gate')))
    .addHelpText('after', '\nExample:\n  $ gatehouse run est --data /etc/gatehouse-est\n')
    .action(async (options: RunOptions) => {
      endWithParent();
      const { runEst } = await import('@gatehouse/gateway-est/main');
      await runEst({ directory: existingDataDirectory(options.data).path, set: options.set });
    });

  addSetOption(
    addDataOption(run.command('coap').description('run the CoAP gate: EST for constrained devices, over DTLS')),
  )
    .addHelpText('after', '\nExample:\n  $ gatehouse run coap --data /etc/gatehouse-coap\n')
    .action(async (options: RunOptions) => {
      endWithParent();
      const { runCoap } = await import('@gatehouse/gateway-coap/main');
      await runCoap({ directory: existingDataDirectory(options.data).path, set: options.set });
    });

  addSetOption(addDataOption(run.command('acme').description('run the ACME gate')))
    .addHelpText('after', '\nExample:\n  $ gatehouse run acme --data /etc/gatehouse-acme\n')
    .action(async (options: RunOptions) => {
      endWithParent();
      const { runAcme } = await import('@gatehouse/gateway-acme/main');
      await runAcme({ directory: existingDataDirectory(options.data).path, set: options.set });
    });

  addSetOption(
    addDataOption(
      run
        .command('perspective')
        .description('run a perspective: one place from which names are looked at')
        .option('--name <name>', 'which perspective it is (default: perspective.name in gatehouse.yaml)'),
    ),
  )
    .addHelpText('after', '\nExample:\n  $ gatehouse run perspective --data /etc/gatehouse-perspective\n')
    .action(async (options: RunOptions & { readonly name?: string | undefined }) => {
      endWithParent();
      const { runPerspective } = await import('@gatehouse/gateway-perspective/main');
      const { path } = existingDataDirectory(options.data);
      await runPerspective({ directory: path, set: options.set, name: options.name });
    });

  addSetOption(addDataOption(run.command('status').description('run the status gate: OCSP and CRLs over plain HTTP')))
    .addHelpText('after', '\nExample:\n  $ gatehouse run status --data /etc/gatehouse-status\n')
    .action(async (options: RunOptions) => {
      endWithParent();
      const { runStatus } = await import('@gatehouse/gateway-status/main');
      await runStatus({ directory: existingDataDirectory(options.data).path, set: options.set });
    });
}
