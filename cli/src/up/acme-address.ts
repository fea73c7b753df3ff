/**
 * Where the ACME gate that `up` starts is found, and how names are looked at. Clients remember URLs of accounts, and the
 * core accepts only what account holders signed for these URLs, so they are settled before the core starts. Base URLs that
 * the operator chose are never changed.
 */
import { existsSync } from 'node:fs';
import { loadConfiguration } from '@gatehouse/runtime/configuration';
import { formatDuration } from '@gatehouse/runtime/duration';
import type { DataDirectory } from '../data-directory.ts';
import { isForTryingOut } from './demo-user.ts';
import { rememberUrls, withEarlierUrls } from './earlier-urls.ts';
import { isMentioned, trialSettings } from './mentioned.ts';
import { automaticPorts } from './ports.ts';
import { settlePort } from './settled-port.ts';

/** What {@link settleAcmeAddress} takes. */
export type AcmeAddressOptions = {
  readonly data: DataDirectory;
  /** Whether `up` starts the ACME gate. */
  readonly isStarted: boolean;
  /** Whether the system chooses the ports. */
  readonly isAutomatic: boolean;
  /** `--set` arguments of the operator. */
  readonly set: readonly string[];
};

/** What was settled. */
export type AcmeAddress = {
  /** `--set` arguments of the core; the operator's own come after them. */
  readonly core: readonly string[];
  /** `--set` arguments of the gate. */
  readonly gate: readonly string[];
  /** `--set` arguments of the perspectives that look beside it. */
  readonly perspectives: readonly string[];
  /** Keeps the port for the next start, where it was chosen here, and the URLs. */
  remember(): void;
};

/** Where the credential of the gate is kept, for a gatehouse.yaml that says nothing of the gate. */
const credential = 'acme.core.credential=ra/acme/credential.pem';

/** Settles it. Throws FatalError when the configuration is not in order. */
export async function settleAcmeAddress(options: AcmeAddressOptions): Promise<AcmeAddress> {
  const { data, isStarted, isAutomatic, set } = options;
  if (!isStarted) return { core: [], gate: [], perspectives: [], remember: () => undefined };
  const { acmeOf, validationOf, baseUrls } = await readers(data);
  const section = isMentioned(data, 'acme')
    ? []
    : [...(beginsAsTrial(data, 'acme') ? trialSettings('acme') : []), credential];
  const ofCore = beginsAsTrial(data, 'core', 'validation') ? trialSettings('core', 'validation') : [];

  const plain = acmeOf(section);
  const own = baseUrls(plain, plain.listen.port);
  const configured = validationOf(ofCore).acmeBaseUrls;
  const isOwn = configured.length === 0 || configured.every((url) => own.includes(url));

  const gate = [...section, ...(isAutomatic ? automaticPorts('acme') : []), ...set];
  const wanted = acmeOf(gate);
  const settled = wanted.listen.port === 0 ? await settlePort(data, 'acme', wanted.listen.host) : undefined;
  const urls = baseUrls(wanted, settled?.port ?? wanted.listen.port);
  const accepted = withEarlierUrls(data, urls);
  const core = [...ofCore, ...(isOwn ? [`core.validation.acmeBaseUrls=${JSON.stringify(accepted)}`] : [])];
  const { issuerDomainNames } = validationOf([...core, ...set]);
  return {
    core,
    gate: settled === undefined ? gate : [...gate, `acme.listen.port=${settled.port}`],
    perspectives: [`perspective.validation=${validationText(wanted.validation, issuerDomainNames)}`, ...set],
    remember: () => {
      settled?.remember();
      if (isOwn) rememberUrls(data, accepted);
    },
  };
}

/** Whether a part of the configuration is as in a new directory for trying out, because this one was made before it. */
function beginsAsTrial(data: DataDirectory, ...path: readonly string[]): boolean {
  return !isMentioned(data, ...path) && (isForTryingOut(data) || !existsSync(data.configuration));
}

/** How the gate looks at names, as a perspective is told to. */
function validationText(
  validation: { readonly resolverTimeout: number; readonly issuerDomainNames: readonly string[] },
  issuerDomainNames: readonly string[],
): string {
  return JSON.stringify({
    ...validation,
    resolverTimeout: formatDuration(validation.resolverTimeout),
    issuerDomainNames: validation.issuerDomainNames.length > 0 ? validation.issuerDomainNames : issuerDomainNames,
  });
}

/** The sections as their processes read them. */
async function readers(data: DataDirectory) {
  const [{ coreConfigurationSchema }, { acmeSchema, baseUrls }] = await Promise.all([
    import('@gatehouse/ca-core/configuration'),
    import('@gatehouse/gateway-acme/config'),
  ]);
  const file = existsSync(data.configuration) ? data.configuration : undefined;
  return {
    baseUrls,
    acmeOf: (set: readonly string[]) => loadConfiguration({ schema: acmeSchema, section: 'acme', file, set }),
    validationOf: (set: readonly string[]) =>
      loadConfiguration({ schema: coreConfigurationSchema, section: 'core', file, set }).validation,
  };
}
