/** The commands as commander knows them. Each group is a file in commands/, which loads what it needs when it is used. */
import { Command } from 'commander';
import { addAcmeCommands } from './commands/acme.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addCertificateCommands } from './commands/cert.ts';
import { addCoapCommands } from './commands/coap.ts';
import { addCrlCommands } from './commands/crl.ts';
import { addEnrollmentCommands } from './commands/enrollment.ts';
import { addEstCommands } from './commands/est.ts';
import { addEvidenceCommands } from './commands/evidence.ts';
import { addInitCommand } from './commands/init.ts';
import { addOcspCommands } from './commands/ocsp.ts';
import { addPerspectiveCommands } from './commands/perspective.ts';
import { addProfileCommands } from './commands/profile.ts';
import { addRegistrationAuthorityCommands } from './commands/ra.ts';
import { addRevokeCommands } from './commands/revoke.ts';
import { addRunCommands } from './commands/run.ts';
import { addUpCommand } from './commands/up.ts';

/** Makes the parser of the command line. */
export function createProgram(): Command {
  const program = new Command('gatehouse')
    .description('One certificate authority, every enrolment protocol, and no key outside the keep.')
    .version(`0.1.0 (Node.js ${process.versions.node})`)
    // What stands behind the name of a command is its own: a command and its subcommands may have the same options.
    .enablePositionalOptions()
    .showHelpAfterError('(run with --help to see what it takes)')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse up                                  start everything on this machine, for trying out
  $ gatehouse init --production --data DIR        begin a CA that others rely on
  $ gatehouse cert list --expires-before 30d      what ends soon
  $ gatehouse ra add --help                       let a gate in
`,
    );

  addUpCommand(program);
  addInitCommand(program);
  addRunCommands(program);
  addRegistrationAuthorityCommands(program);
  addPerspectiveCommands(program);
  addProfileCommands(program);
  addCertificateCommands(program);
  addRevokeCommands(program);
  addCrlCommands(program);
  addOcspCommands(program);
  addEnrollmentCommands(program);
  addAuditCommands(program);
  addEvidenceCommands(program);
  addEstCommands(program);
  addCoapCommands(program);
  addAcmeCommands(program);
  return program;
}
