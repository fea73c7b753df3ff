/** `gatehouse ocsp`: asks a responder as a relying party does. */
import { type Command, Option } from 'commander';
import { addDataOption } from '../data-directory.ts';
import type { QueryOptions } from '../ocsp.ts';
import { addJsonOption } from '../options.ts';

const load = () => import('../ocsp.ts');

/** Adds the commands. */
export function addOcspCommands(program: Command): void {
  const ocsp = program
    .command('ocsp')
    .description('OCSP: ask for the status of a certificate')
    .addHelpText(
      'after',
      `
Example:
  $ gatehouse ocsp query certificate.pem
`,
    );
  const query = ocsp
    .command('query <certificate>')
    .description('ask an OCSP responder, and verify what it answers')
    .option(
      '--issuer <file>',
      "certificate of the CA that issued it (default: from the file, trust/ or the certificate's URL)",
    )
    .option('--url <url>', 'the responder (default: the one that the certificate names)')
    .option('--nonce', 'ask for an answer that is signed for this request alone')
    .option('--sha1', 'name the issuer by SHA-1, for responders that know nothing else')
    .addOption(new Option('--get', 'ask by GET (default: when the URL stays below 256 characters)').conflicts('post'))
    .addOption(new Option('--post', 'ask by POST').conflicts('get'));
  addJsonOption(addDataOption(query))
    .addHelpText(
      'after',
      `
CERTIFICATE is a file in PEM or DER, in which the certificates of the issuers may follow, or the serial number of a
certificate of this CA.

The signature of the answer, the right of its signer to give it, its times, and whether it is about this certificate are
verified. The status of the command is
  0  good
  2  revoked, or on hold
  3  unknown: the responder does not know the certificate
  1  there is no answer that holds

Examples:
  $ gatehouse ocsp query certificate.pem
  $ gatehouse ocsp query 01f3a9… --nonce --post
  $ gatehouse ocsp query leaf.pem --issuer ca.pem --url http://ocsp.example.com --sha1 --json
`,
    )
    .action(async (certificate: string, options: QueryOptions) => (await load()).queryOcsp(certificate, options));
}
