/**
 * Speaks to the running core as the operator whose credential is in the data directory. It never looks into the core's
 * database or keys: what the core does not answer, a command does not know.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createCertificationRequest } from '@gatehouse/pkix/certification-request';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { type Credential, createCredential, loadCredential, saveCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { generateCredentialKey } from '@gatehouse/ra-client/renew-credential';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { reachableAddress } from './address.ts';
import { type DataDirectory, existingDataDirectory, readRunFile } from './data-directory.ts';
import { note } from './output.ts';

/** What every operator's command knows of its options. */
export type OperatorOptions = { readonly data?: string | undefined; readonly json?: boolean | undefined };

/** Runs `use` with a client of the running core and ends the connection afterwards. */
export async function asOperator<Result>(
  options: Pick<OperatorOptions, 'data'>,
  use: (core: CoreClient, data: DataDirectory) => Promise<Result>,
): Promise<Result> {
  const data = existingDataDirectory(options.data);
  return await withOperator(data, await findCore(data), (core) => use(core, data));
}

/** The same, where the address of the core is known. */
export async function withOperator<Result>(
  data: DataDirectory,
  address: string,
  use: (core: CoreClient) => Promise<Result>,
): Promise<Result> {
  const credential = loadOperatorCredential(data);
  const core = connectCore({
    addresses: [address],
    credential: holdCredential(credential),
    // The command itself says what went wrong; the client's own log is for those who look for the cause.
    log: createLog({ name: 'gatehouse', level: process.env.GATEHOUSE_LOG_LEVEL ?? 'silent' }),
    retryWindowMs: 500,
  });
  try {
    const result = await use(core);
    await renewInTime(core, credential, data);
    return result;
  } finally {
    await core.close(1_000);
  }
}

/** Where the core listens: as it says itself, else as `up` said, else as it is configured. Throws FatalError. */
export async function findCore(data: DataDirectory): Promise<string> {
  const address = readRunFile(data.runFile('core'))?.address ?? readEndpoint(data) ?? (await configuredAddress(data));
  return reachableAddress(address);
}

function readEndpoint({ endpoints }: DataDirectory): string | undefined {
  try {
    const { core } = JSON.parse(readFileSync(endpoints, 'utf8')) as { readonly core?: { readonly address?: unknown } };
    return typeof core?.address === 'string' ? core.address : undefined;
  } catch {
    return undefined;
  }
}

async function configuredAddress({ configuration: file }: DataDirectory): Promise<string> {
  const [{ loadConfiguration }, { coreConfigurationSchema }] = await Promise.all([
    import('@gatehouse/runtime/configuration'),
    import('@gatehouse/ca-core/configuration'),
  ]);
  const { listen } = loadConfiguration({ schema: coreConfigurationSchema, section: 'core', file });
  if (listen.port !== 0) return `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`;
  throw new FatalError('the core is not running', {
    hint: "start it with 'gatehouse up' or 'gatehouse run core', with the same --data directory",
  });
}

function loadOperatorCredential(data: DataDirectory): Credential {
  if (!existsSync(data.operatorCredential)) {
    throw new FatalError(`there is no operator's credential: ${data.operatorCredential} does not exist`, {
      hint: `operators' commands run where the core was made; if the file is lost: stop the core, run 'gatehouse init --data ${data.path}'`,
    });
  }
  const credential = loadCredential(data.operatorCredential);
  if (credential.notAfter > new Date()) return credential;
  throw new FatalError(
    `the operator's credential ${data.operatorCredential} ended at ${credential.notAfter.toISOString()}`,
    {
      hint: `stop the core, remove the file, and run 'gatehouse init --data ${data.path}': it makes a new one`,
    },
  );
}

/** An operator's credential is renewed by use: a command that runs in the second half of its life gets the next one. */
async function renewInTime(core: CoreClient, current: Credential, data: DataDirectory): Promise<void> {
  const { notBefore, notAfter } = current;
  if (Date.now() < (notBefore.getTime() + notAfter.getTime()) / 2) return;
  try {
    const privateKey = generateCredentialKey();
    const answer = await core.renewCredential(createCertificationRequest({ subject: [], key: privateKey }));
    const { certificate, trustAnchors } = answer;
    saveCredential(data.operatorCredential, createCredential({ privateKey, certificate, trustAnchors }));
  } catch (error) {
    // What was asked for is done; the old credential goes on working.
    note(`warning: the operator's credential could not be renewed: ${error instanceof Error ? error.message : error}`);
    note(`  it works until ${notAfter.toISOString()}; the next command tries again`);
  }
}
