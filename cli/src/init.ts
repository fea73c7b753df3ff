/**
 * `gatehouse init`: makes a data directory and starts nothing. For production it makes no user, no RA and no passphrase:
 * those are the operator's decisions.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FatalError } from '@gatehouse/runtime/fatal';
import { createLog } from '@gatehouse/runtime/log';
import { writeFileAtomic } from '@gatehouse/runtime/private-file';
import { type DataDirectory, dataDirectory } from './data-directory.ts';
import { note, print, printJson, shellQuote } from './output.ts';
import { askSecret, canAsk } from './prompt.ts';
import { isForTryingOut } from './up/demo-user.ts';
import { gates } from './up/gates.ts';
import { hasKeys, type PrepareOptions, prepare } from './up/prepare.ts';
import { starterConfiguration, trialStatusUrl } from './up/starter-configuration.ts';

/** What the command line says. */
export type InitOptions = {
  readonly data?: string | undefined;
  readonly production?: boolean | undefined;
  readonly organization?: string | undefined;
  readonly statusUrl?: string | undefined;
  readonly json?: boolean | undefined;
};

/** NIST SP 800-63B §3.1.1.2: at least 15 characters for what stands alone. */
const shortestPassphrase = 15;

/** Makes the directory. Throws FatalError with a hint. */
export async function init(options: InitOptions): Promise<void> {
  const data = dataDirectory(options.data);
  const hadKeys = hasKeys(data);
  const hadConfiguration = existsSync(data.configuration);
  const log = createLog({ name: 'init', level: process.env.GATEHOUSE_LOG_LEVEL ?? 'warn' });
  const progress = (step: string): void => note(`${step} …`);
  const { organization } = options;
  const statusUrl = options.statusUrl === undefined ? undefined : await checkedStatusUrl(data, options.statusUrl);
  if (options.production === true) {
    const configuration = starterConfiguration('production', statusUrl);
    await prepareForProduction({ data, gates, organization, statusUrl, configuration, log, progress });
  } else {
    const configuration = starterConfiguration('trial', statusUrl);
    const url = statusUrl ?? trialStatusUrl;
    await prepare({ data, gates, organization, statusUrl: url, configuration, log, progress });
  }
  if (options.json === true) {
    printJson({
      data: data.path,
      isNew: !hadKeys,
      configuration: data.configuration,
      rootCertificate: join(data.path, 'trust/root.pem'),
      rootKey: join(data.path, 'ca/root.key.pem'),
      operatorCredential: data.operatorCredential,
    });
    return;
  }
  print(hadKeys && hadConfiguration ? `${data.path} was made before; nothing was changed` : `made ${data.path}`);
  print(options.production === true ? productionAdvice(data) : trialAdvice(data));
}

async function prepareForProduction(options: PrepareOptions): Promise<void> {
  const { data, organization, statusUrl, log, progress } = options;
  if (isForTryingOut(data)) {
    throw new FatalError(`${data.path} was made for trying out: its passphrases lie beside its keys`, {
      hint: 'begin in a directory of its own: --data DIR',
    });
  }
  if (!hasKeys(data)) {
    const passphrase = await passphraseFrom('GATEHOUSE_PASSPHRASE', 'the online keys (issuing and service CA)');
    // Where a hierarchy stands that was interrupted before the operator's credential, the root key is not touched.
    const rootPassphrase = existsSync(join(data.path, 'ca'))
      ? undefined
      : await passphraseFrom('GATEHOUSE_ROOT_PASSPHRASE', 'the root key');
    if (passphrase === rootPassphrase) {
      throw new FatalError('the two passphrases are the same: whoever runs the core could use the root key', {
        hint: 'choose another one for GATEHOUSE_ROOT_PASSPHRASE',
      });
    }
    const { initialize } = await import('@gatehouse/ca-core/initialize');
    await initialize({ directory: data.path, organization, passphrase, rootPassphrase, statusUrl, log, progress });
  }
  if (!existsSync(data.configuration)) writeFileAtomic(data.configuration, options.configuration);
}

/** The URL as it goes into certificates. A directory that has another one already keeps it, which is said. */
async function checkedStatusUrl(data: DataDirectory, url: string): Promise<string> {
  const [{ loadConfiguration }, { coreConfigurationSchema }] = await Promise.all([
    import('@gatehouse/runtime/configuration'),
    import('@gatehouse/ca-core/configuration'),
  ]);
  const checked = coreConfigurationSchema.shape.status.safeParse({ baseUrl: url });
  const baseUrl = checked.data?.baseUrl;
  if (baseUrl === undefined) {
    throw new FatalError(`--status-url ${url}: ${checked.error?.issues[0]?.message ?? 'it is none'}`, {
      hint: 'plain http, RFC 5280 §8: to fetch a CRL over https would need the status that is being fetched',
    });
  }
  if (!existsSync(data.configuration)) return baseUrl;
  const { status } = loadConfiguration({ schema: coreConfigurationSchema, section: 'core', file: data.configuration });
  if (status.baseUrl === baseUrl) return baseUrl;
  throw new FatalError(`${data.configuration} is there already, with ${status.baseUrl ?? 'no base URL'}`, {
    hint: 'change core.status.baseUrl in it; certificates that are issued from then on name the new one',
  });
}

async function passphraseFrom(variable: string, what: string): Promise<string> {
  const given = process.env[variable];
  if (given !== undefined && given !== '') return checked(given, variable);
  if (!canAsk()) {
    throw new FatalError(`${variable} is not set, and there is no terminal to ask on`, {
      hint: `set ${variable} to the passphrase of ${what}`,
    });
  }
  const passphrase = checked(await askSecret(`Passphrase for ${what}: `), 'the passphrase');
  if ((await askSecret('The same again: ')) !== passphrase) throw new FatalError('the two are not the same');
  return passphrase;
}

function checked(passphrase: string, name: string): string {
  if ([...passphrase].length >= shortestPassphrase) return passphrase;
  throw new FatalError(`${name} is shorter than ${shortestPassphrase} characters`, {
    hint: 'openssl rand -base64 24 makes a good one',
  });
}

function trialAdvice(data: DataDirectory): string {
  return `
It is for trying out: passphrases are kept in ${join(data.path, 'secrets')}, and there are a user 'demo' and a device.
Next:
  gatehouse up --data ${shellQuote(data.path)}`;
}

function productionAdvice(data: DataDirectory): string {
  const option = `--data ${shellQuote(data.path)}`;
  return `
The root key is ${join(data.path, 'ca/root.key.pem')}, encrypted.
Take it offline now: copy it to two media that you lock away, check the copies, and remove it from this machine. The
core runs without it; it is needed only to make another issuing CA, and to renew the root's CRL (ca/root.crl) in time.
Keep its passphrase apart from it.

The operator's credential is ${data.operatorCredential}: whoever holds it administers this CA.

Next:
  edit ${data.configuration}
  GATEHOUSE_PASSPHRASE=… gatehouse run core ${option}
  gatehouse ra add est ${option} --profiles tls-server,gateway-tls --dns example.com
  gatehouse ra join --token-file - ${option}      # paste the token
  gatehouse est user add NAME ${option} --dns host.example.com
  gatehouse run est ${option}
  gatehouse ra add coap ${option} --profiles device-identity,gateway-tls --dns gateway-tls:coap.example.com \\
    --subject 'device-identity:serialNumber=*'      # devices with a certificate of their manufacturer: docs/coap.md
  gatehouse ra join --token-file - ${option}      # paste the token
  gatehouse run coap ${option}
  gatehouse ra add acme ${option} --profiles tls-server-validated,gateway-tls --dns example.com,gateway-tls:acme.example.com
  gatehouse ra join --token-file - ${option}      # paste the token
  gatehouse run acme ${option}
  gatehouse perspective add NAME ${option}      # two or more, each on a machine elsewhere: docs/domain-validation.md
  gatehouse ra add status ${option} --status-only
  gatehouse ra join --token-file - ${option}      # paste the token
  gatehouse run status ${option}`;
}
