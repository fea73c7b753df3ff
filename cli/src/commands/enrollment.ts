/** `gatehouse enrollment`: requests that wait for a person. */
import type { Command } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { DecisionOptions } from '../enrollments.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption } from '../options.ts';

const load = () => import('../enrollments.ts');

/** Adds the commands. */
export function addEnrollmentCommands(program: Command): void {
  const enrollment = program
    .command('enrollment')
    .description('enrollments that wait for approval')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse enrollment list
  $ gatehouse enrollment approve 01JZ3Q… --reason 'ticket 4711'
`,
    );
  addJsonOption(addDataOption(enrollment.command('list').description('list what waits, oldest first')))
    .addHelpText('after', '\nExample:\n  $ gatehouse enrollment list --json\n')
    .action(async (options: OperatorOptions) => (await load()).listEnrollments(options));

  const approve = enrollment
    .command('approve <request>')
    .description('approve: the core judges the request again and issues')
    .option('--reason <text>', 'why; recorded', '');
  addJsonOption(addDataOption(approve))
    .addHelpText('after', "\nExample:\n  $ gatehouse enrollment approve 01JZ3Q… --reason 'ticket 4711'\n")
    .action(async (request: string, options: DecisionOptions) => (await load()).approveEnrollment(request, options));

  const reject = enrollment
    .command('reject <request>')
    .description('reject; the client is told the reason')
    .requiredOption('--reason <text>', 'why; recorded and told to the client');
  addJsonOption(addDataOption(reject))
    .addHelpText('after', "\nExample:\n  $ gatehouse enrollment reject 01JZ3Q… --reason 'unknown device'\n")
    .action(async (request: string, options: DecisionOptions) => (await load()).rejectEnrollment(request, options));
}
