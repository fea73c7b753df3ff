/**
 * The ACME gate of the Pebble-compatible server: the real one, on a durable database, with the liberties that test suites of
 * clients count on passed in from here. No code of these is in the gate that others rely on.
 */
import { createPrivateKey } from 'node:crypto';
import { getServers } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type AcmeConfiguration, acmeSchema, challengeTypes } from '@gatehouse/gateway-acme/config';
import { type AcmeSeams, startAcme } from '@gatehouse/gateway-acme/main';
import { insertExternalAccountKey } from '@gatehouse/gateway-acme/state/external-account-keys';
import { openAcmeState } from '@gatehouse/gateway-acme/state/open';
import { createGate, type Gate } from '@gatehouse/gateway-kit/gate-process';
import { type ServerCertificate, startHttpsServer } from '@gatehouse/gateway-kit/https-server';
import { systemClock } from '@gatehouse/runtime/clock';
import { FatalError } from '@gatehouse/runtime/fatal';
import type { ProcessLife } from '@gatehouse/runtime/lifecycle';
import type { ListenAddress } from '@gatehouse/runtime/listen';
import type { Logger } from '@gatehouse/runtime/log';
import { bracketAddress, splitAddress } from '../address.ts';
import { issuerDomainNames, type PebbleBehaviour, type PebbleConfiguration } from './configuration.ts';
import type { Flags } from './flags.ts';
import { behindFront } from './front.ts';
import type { PebbleChains } from './hierarchy.ts';
import { coreProfileName, type PebbleKeep } from './keep.ts';
import { pebblePaths } from './paths.ts';
import { choosePrimary } from './primary.ts';

/** What {@link startPebbleGate} takes. */
export type PebbleGateOptions = {
  readonly configuration: PebbleConfiguration;
  readonly behaviour: PebbleBehaviour;
  readonly flags: Flags;
  readonly keep: PebbleKeep;
  readonly chains: PebbleChains;
  readonly certificate: ServerCertificate | undefined;
  /** Renewal information that a suite has set, by certID. */
  readonly dictated: ReadonlyMap<string, string>;
  readonly log: Logger;
  readonly life: Pick<ProcessLife, 'onShutdown'>;
};

/** A gate that runs. */
export type PebbleGate = { readonly address: ListenAddress; readonly process: Gate<AcmeConfiguration> };

/** Starts the gate. */
export async function startPebbleGate(options: PebbleGateOptions): Promise<PebbleGate> {
  const { behaviour, flags, keep, certificate, dictated, log, life } = options;
  const configuration = await gateConfiguration(options);
  await storeExternalAccounts(options, configuration);
  const gate = await createGate({ name: 'acme', configuration, directory: keep.data.path, log, life });
  const process = certificate === undefined ? gate : { ...gate, serve: serveWith(certificate, gate, life) };
  const chance = (percent: number) => Math.random() * 100 < percent;
  const seams: AcmeSeams = {
    spelling: pebblePaths,
    reflectsOrigin: true,
    createPrimary: choosePrimary({ ...behaviour, asksForLocalhost: flags.dnsServer !== '' }),
    refusesNonce: () => chance(behaviour.nonceRefusalPercent),
    reusesAuthorizations: () => chance(behaviour.reusePercent),
    dictatedInformation: (certId) => dictated.get(certId),
  };
  return { address: await startAcme(process, seams), process };
}

/** The TLS server certificate of the configuration; undefined where it names none. Throws FatalError. */
export function readServerCertificate({ certificate, privateKey }: PebbleConfiguration): ServerCertificate | undefined {
  if (certificate === '' && privateKey === '') return undefined;
  const read = (file: string): Buffer => {
    try {
      return readFileSync(resolve(file));
    } catch (cause) {
      throw new FatalError(`the TLS certificate or its key cannot be read: ${file}`, { cause });
    }
  };
  const key = createPrivateKey(read(privateKey)).export({ type: 'pkcs8', format: 'pem' });
  return { certificateChain: read(certificate).toString('latin1'), privateKey: key.toString() };
}

async function gateConfiguration(options: PebbleGateOptions): Promise<AcmeConfiguration> {
  const { configuration, behaviour, flags, keep, chains } = options;
  const { retryAfter, domainBlocklist } = configuration;
  return acmeSchema.parse({
    listen: behindFront,
    core: { addresses: [keep.address], credential: 'ra/acme/credential.pem' },
    limits: { connectionsPerAddress: 10_000 },
    termsOfService: 'https://localhost/terms',
    caaIdentities: issuerDomainNames(configuration),
    externalAccount: { required: configuration.externalAccountBindingRequired },
    profiles: Object.fromEntries(
      configuration.profiles.map(({ name, description }) => [
        name,
        {
          profile: coreProfileName(name),
          description,
          methods: [...challengeTypes],
          dnsPersist: 'draft-01',
          allowsInternalNames: true,
          authorizationReuse: '1h',
        },
      ]),
    ),
    strict: flags.isStrict,
    ordersPerPage: behaviour.ordersPerPage,
    pollAfter: { authorization: `${retryAfter.authz}s`, order: `${retryAfter.order}s` },
    blockedNames: (domainBlocklist ?? []).map((name) => name.toLowerCase()),
    alternateChains: chains.files,
    defaultChain: chains.defaultFile,
    rates: { enabled: false },
    validation: {
      httpPort: configuration.httpPort,
      tlsPort: configuration.tlsPort,
      resolver: await resolverAddress(flags.dnsServer),
      // Suites answer challenges on loopback and in networks of containers.
      allow: ['0.0.0.0/0', '::/0'],
      issuerDomainNames: issuerDomainNames(configuration).slice(0, 10),
    },
  });
}

/** `:14000` listens on all addresses, as in Go. */
export function listenAddress(text: string): ListenAddress {
  const { host, port } = splitAddress(text.startsWith(':') ? `0.0.0.0${text}` : text);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** `host:port` with an address; that of the machine for an empty text. */
async function resolverAddress(text: string): Promise<string> {
  if (text === '') {
    const [first = '127.0.0.1'] = getServers();
    return /:\d+$/.test(first) && isIP(first) !== 6 ? first : bracketAddress(`${first}:53`);
  }
  const { host, port } = splitAddress(text.startsWith(':') ? `127.0.0.1${text}` : text);
  const bare = host.replace(/^\[|\]$/g, '');
  const address = isIP(bare) === 0 ? (await lookup(bare)).address : bare;
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Keys with the ids that the configuration gives them; they bind any number of accounts. */
async function storeExternalAccounts(
  { configuration: { externalAccountMACKeys }, keep, log }: PebbleGateOptions,
  { database }: AcmeConfiguration,
): Promise<void> {
  const keys = Object.entries(externalAccountMACKeys ?? {});
  if (keys.length === 0) return;
  const directory = keep.data.path;
  const resolvePath = (path: string) => resolve(directory, path);
  const store = await openAcmeState({ database, directory, resolvePath, log, clock: systemClock });
  try {
    await store.commit(
      keys.map(([keyId, secret]) =>
        insertExternalAccountKey({
          keyId,
          secret: Buffer.from(secret, 'base64url'),
          description: 'of the configuration',
          policy: '{}',
          isSingleUse: false,
          maximumAccounts: undefined,
          createdAt: new Date(),
          expiresAt: undefined,
        }),
      ),
    );
  } finally {
    await store.close();
  }
}

/** The certificate of the configuration in place of one of the keep's. */
function serveWith(
  certificate: ServerCertificate,
  { configuration, log }: Gate<AcmeConfiguration>,
  life: Pick<ProcessLife, 'onShutdown'>,
): Gate<AcmeConfiguration>['serve'] {
  return async (app, refusalForm) => {
    const server = await startHttpsServer({
      ...configuration.listen,
      setting: 'pebble.listenAddress',
      app,
      certificate,
      log,
      limits: { connectionsPerAddress: configuration.limits.connectionsPerAddress },
      refusalForm,
    });
    life.onShutdown('listener', () => server.close());
    return server;
  };
}
