/** `gatehouse cert`: the certificates that the core issued. */
import { type Command, Option } from 'commander';
import type { RevokeOptions } from '../certificate-status.ts';
import type { FindOptions, ListOptions, ShowOptions } from '../certificates.ts';
import { addDataOption } from '../data-directory.ts';
import type { OperatorOptions } from '../operator.ts';
import { addJsonOption, wholeNumber } from '../options.ts';
import { revocationReasons } from '../revocation-reason.ts';

const load = () => import('../certificates.ts');
const loadStatus = () => import('../certificate-status.ts');

/** States by which a list can be narrowed. */
export const states = ['valid', 'revoked', 'held', 'expired'] as const;

/** Adds the commands. */
export function addCertificateCommands(program: Command): void {
  const cert = program
    .command('cert')
    .description('certificates: list, find, show, revoke, hold, release')
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse cert list --expires-before 30d
  $ gatehouse cert find www.example.com
  $ gatehouse cert show 01f3a9…
`,
    );

  addJsonOption(addDataOption(addConditions(cert.command('list').description('list certificates, newest first'))))
    .addHelpText(
      'after',
      `
Examples:
  $ gatehouse cert list --state valid --expires-before 30d
  $ gatehouse cert list --ra est --profile tls-server --limit 10 --json
`,
    )
    .action(async (options: ListOptions) => (await load()).listCertificates(options));

  const find = cert
    .command('find <what>')
    .description('find certificates by name, serial number, or fingerprint of the key')
    .addHelpText(
      'after',
      `
WHAT is a name as it stands in the certificate (a subject alternative name or the common name), a serial number in
hexadecimal, or the SHA-256 fingerprint of a public key (64 hexadecimal digits, with or without colons).

Examples:
  $ gatehouse cert find www.example.com
  $ gatehouse cert find 192.0.2.1 --expires-before 2030-01-31
  $ gatehouse cert find 9f:86:d0:…
`,
    );
  addJsonOption(addDataOption(addConditions(find))).action(async (what: string, options: FindOptions) =>
    (await load()).findCertificates(what, options),
  );

  addJsonOption(
    addDataOption(cert.command('show <certificate>').description('show one certificate: its fields and its PEM')),
  )
    .option('--pem', 'print the PEM alone')
    .addHelpText(
      'after',
      `
CERTIFICATE is a serial number in hexadecimal, or a file with the certificate.

Examples:
  $ gatehouse cert show 01f3a9…
  $ gatehouse cert show 01f3a9… --pem > certificate.pem
  $ gatehouse cert show certificate.pem
`,
    )
    .action(async (what: string, options: ShowOptions) => (await load()).showCertificate(what, options));

  const revoke = cert
    .command('revoke <certificate>')
    .description('revoke a certificate')
    .addOption(new Option('--reason <reason>', 'why').choices(revocationReasons).default('unspecified'))
    .option('--invalid-since <date>', 'when the key is known or suspected to have been lost')
    .addHelpText(
      'after',
      `
CERTIFICATE is a serial number in hexadecimal, or a file with the certificate.

With 'key-compromise' the key is never certified again. Every reason is for good but 'certificate-hold', which is what
'gatehouse cert hold' does. Many certificates at once are revoked by 'gatehouse revoke'.

Examples:
  $ gatehouse cert revoke certificate.pem --reason superseded
  $ gatehouse cert revoke 01f3a9… --reason key-compromise --invalid-since 2030-01-31
`,
    );
  addJsonOption(addDataOption(revoke)).action(async (what: string, options: RevokeOptions) =>
    (await loadStatus()).revokeCertificate(what, options),
  );

  addJsonOption(
    addDataOption(cert.command('hold <certificate>').description('take a certificate out of use for a while')),
  )
    .addHelpText('after', '\nExamples:\n  $ gatehouse cert hold 01f3a9…\n  $ gatehouse cert hold certificate.pem\n')
    .action(async (what: string, options: OperatorOptions) => (await loadStatus()).holdCertificate(what, options));

  addJsonOption(
    addDataOption(cert.command('release <certificate>').description('bring a certificate on hold back into use')),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ gatehouse cert release 01f3a9…\n  $ gatehouse cert release certificate.pem\n',
    )
    .action(async (what: string, options: OperatorOptions) => (await loadStatus()).releaseCertificate(what, options));
}

function addConditions(command: Command): Command {
  return command
    .option('--profile <name>', 'of this profile')
    .option('--ra <name>', 'enrolled through this RA')
    .option('--requester <id>', 'asked for by this requester')
    .addOption(new Option('--state <state>', 'in this state').choices(states))
    .option('--expires-before <time>', 'that end before a date, or within a duration: 30d')
    .option('--expires-after <time>', 'that end after a date, or later than in a duration')
    .option('--issued-after <time>', 'issued after a date, or within the last duration: 7d')
    .option('--limit <number>', 'at most so many (default: 100)', wholeNumber(1))
    .option('--after <serial>', 'continue after this one');
}
