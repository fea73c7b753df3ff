/** `gatehouse coap`: what the running CoAP gate keeps in its memory. */
import type { Command } from 'commander';
import type { DropOptions, ListOptions } from '../coap-sessions.ts';
import { addDataOption } from '../data-directory.ts';
import { addJsonOption } from '../options.ts';

const load = () => import('../coap-sessions.ts');

/** Adds the commands. */
export function addCoapCommands(program: Command): void {
  const coap = program.command('coap').description('the CoAP gate');
  const session = coap
    .command('session')
    .description('DTLS sessions of devices with the CoAP gate of this machine')
    .addHelpText(
      'after',
      `
Sessions live in the gate's memory alone: it is asked over DIR/run/control/coap.sock, which its owner can open and nobody
else.

Examples:
  $ gatehouse coap session list
  $ gatehouse coap session drop 6f1d0c2a9be84f37
`,
    );
  addJsonOption(
    addDataOption(
      session
        .command('list')
        .description('list the open sessions, the longest silent first')
        .option('--peer <address>', 'only those of this address'),
    ),
  )
    .addHelpText('after', '\nExample:\n  $ gatehouse coap session list --json\n')
    .action(async (options: ListOptions) => (await load()).listSessions(options));
  addJsonOption(
    addDataOption(
      session
        .command('drop [ids...]')
        .description('end sessions; the device may come back with a new handshake')
        .option('--peer <address>', 'all of this address'),
    ),
  )
    .addHelpText(
      'after',
      `
A device that must not come back is shut out by its certificate: revoke it ('gatehouse cert revoke'), or have its
manufacturer do so. That counts from the next request on, in open sessions too.

Examples:
  $ gatehouse coap session drop 6f1d0c2a9be84f37
  $ gatehouse coap session drop --peer 192.0.2.7
`,
    )
    .action(async (ids: readonly string[], options: DropOptions) => (await load()).dropSessions(ids, options));
}
