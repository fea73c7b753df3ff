/** The options of `join`, which RAs and perspectives have in common. */
import type { Command } from 'commander';
import { addDataOption } from './data-directory.ts';
import { addJsonOption, collectSeparated } from './options.ts';

/** Adds them. @param where the folder below DIR where its credential goes, and a data directory for the examples */
export function addJoinOptions(
  join: Command,
  where: { readonly folder: 'ra' | 'perspective'; readonly example: string },
): Command {
  const { folder, example } = where;
  join
    .option('--token <token>', "the token; '-' reads it from standard input")
    .option('--token-file <file>', 'file with the token')
    .option('--file <file>', `where the credential goes (default: DIR/${folder}/<name>/credential.pem)`)
    .option(
      '--core <address>',
      'host:port of the core, when the one in the token cannot be reached from here',
      collectSeparated,
      [],
    );
  return addJsonOption(addDataOption(join)).addHelpText(
    'after',
    `
A token on the command line can be seen by other users of the machine and stays in the shell's history.

Examples:
  $ gatehouse ${folder} join --token - --data ${example} < token
  $ gatehouse ${folder} join --token-file token --file ${example}/credential.pem
`,
  );
}
