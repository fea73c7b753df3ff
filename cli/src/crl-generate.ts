/** What `gatehouse crl generate` does: asks the core to sign, or signs the root's CRL here, where its key is. */
import type { Administration, CrlFacts } from '@gatehouse/ra-client/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { crlColumns, describeCrlFacts } from './crl-list.ts';
import { asOperator } from './operator.ts';
import { printJson, printTable } from './output.ts';
import { type RootCrlOptions, signRootCrl } from './root-crl.ts';

/** What the command line says. */
export type GenerateOptions = RootCrlOptions & { readonly delta?: boolean | undefined };

/** A CRL of a million entries takes a minute where others work too. */
const timeoutMs = 10 * 60_000;

const root = 'root';

/** Signs the CRL of a scope, or without one all that the core can sign. */
export async function generateCrls(scope: string | undefined, options: GenerateOptions): Promise<void> {
  if (scope === root) {
    if (options.delta === true) throw new FatalError("there is no delta of the root's CRL");
    await signRootCrl(options);
    return;
  }
  refuseRootOptions(options);
  const isDelta = options.delta === true;
  const made = await asOperator(options, async ({ administration }) => {
    const scopes = scope === undefined ? await scopesOf(administration, isDelta) : [scope];
    const crls: CrlFacts[] = [];
    for (const each of scopes) crls.push(await administration.generateCrl(each, isDelta, { timeoutMs }));
    return crls;
  });
  if (options.json === true) printJson(made.map(describeCrlFacts));
  else printTable(made, crlColumns, isDelta ? 'there is no delta CRL' : 'there is no CRL');
}

/** The root's is not the core's to sign. */
async function scopesOf(administration: Administration, isDelta: boolean): Promise<readonly string[]> {
  const crls = await administration.listCrls();
  return crls.filter((crl) => crl.isDelta === isDelta && crl.authority !== root).map((crl) => crl.scope);
}

function refuseRootOptions({ revoke, reason, rootKey }: GenerateOptions): void {
  const given = [
    ...(revoke.length > 0 ? ['--revoke'] : []),
    ...(reason === undefined ? [] : ['--reason']),
    ...(rootKey === undefined ? [] : ['--root-key']),
  ];
  if (given.length === 0) return;
  throw new FatalError(`${given.join(', ')}: only for the root's CRL`, {
    hint: "write 'gatehouse crl generate root …'; certificates of the issuing CA are revoked with 'gatehouse cert revoke'",
  });
}
