/**
 * `gatehouse up`: the keep and the gates on one machine, each a process of its own. It makes what is missing, starts the
 * core, gives each gate its credential, starts the gates, and says where they are. It holds no key and serves nothing.
 */
import { FatalError } from '@gatehouse/runtime/fatal';
import { type ProcessLife, runProcess } from '@gatehouse/runtime/lifecycle';
import { createLog, type Logger } from '@gatehouse/runtime/log';
import { reachableAddress } from '../address.ts';
import { type DataDirectory, dataDirectory, type RunFile, readRunFile } from '../data-directory.ts';
import { note, print } from '../output.ts';
import { type AcmeAddress, settleAcmeAddress } from './acme-address.ts';
import { type Child, startChild } from './child.ts';
import { type CoapSettings, settleCoap } from './coap.ts';
import { isForTryingOut } from './demo-user.ts';
import { type Endpoints, removeEndpoints, writeEndpoints } from './endpoints.ts';
import { gates as allGates, checkOnly, chooseGates, type Gate } from './gates.ts';
import { readLogLine } from './log-reader.ts';
import { ensurePerspective, ownPerspectives, ownSettings } from './perspectives.ts';
import { automaticPorts, explainTakenPorts, type WantedAddress, wantedAddresses } from './ports.ts';
import { prepare } from './prepare.ts';
import { ensureCredential } from './registration-authority.ts';
import { checkSections } from './sections.ts';
import { starterConfiguration } from './starter-configuration.ts';
import { type StatusAddress, settleStatusAddress } from './status-address.ts';
import { welcome } from './welcome.ts';

/** What the command line says. */
export type UpOptions = {
  readonly data?: string | undefined;
  readonly only: readonly string[];
  readonly ports?: 'auto' | undefined;
  readonly set: readonly string[];
  readonly json?: boolean | undefined;
};

/** The gates drain, then the core does; each has ten seconds (runtime/lifecycle) and a little more to be told so. */
const shutdownTimeoutMs = 30_000;

/** Runs everything until it is told to stop. */
export async function up(options: UpOptions): Promise<void> {
  checkOnly(options.only);
  checkSections(options.set);
  const log = createLog({
    name: 'up',
    level: process.env.GATEHOUSE_LOG_LEVEL ?? 'warn',
    destination: { write: (line) => note(`up: ${readLogLine(line.trimEnd()).text}`) },
  });
  // What is started here goes on when nobody reads any more what it prints.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  await runProcess({
    name: 'up',
    log,
    shutdownTimeoutMs,
    start: async (life) => {
      process.on('SIGHUP', () => life.shutdown('SIGHUP'));
      const data = dataDirectory(options.data);
      const gates = chooseGates(options.only, data);
      const settling = (gate: string) => ({
        data,
        isStarted: gates.some(({ name }) => name === gate),
        isAutomatic: options.ports === 'auto',
        set: options.set,
      });
      const status = await settleStatusAddress(settling('status'));
      const acme = await settleAcmeAddress(settling('acme'));
      const isStarted = gates.some(({ name }) => name === 'coap' || name === 'est');
      const coap = settleCoap({ data, isStarted, set: options.set });
      const suite = new Suite(data, { options, log, life, status, acme, coap });
      const endpoints = await suite.start(gates);
      if (options.json === true) print(JSON.stringify(summary(data, endpoints)));
      else {
        const commands = await suite.commands(gates, endpoints);
        print(welcome({ data, endpoints, commands, isForTryingOut: isForTryingOut(data) }));
      }
    },
  });
}

/** What `--json` prints: where things are, without the password in them. */
function summary(data: DataDirectory, { core, est, coap, acme, status }: Endpoints): unknown {
  return {
    ready: true,
    data: data.path,
    endpoints: data.endpoints,
    core,
    ...(est === undefined ? {} : { est: { url: est.url } }),
    ...(coap === undefined ? {} : { coap }),
    ...(acme === undefined ? {} : { acme }),
    ...(status === undefined ? {} : { status }),
  };
}

type SuiteParts = {
  readonly options: UpOptions;
  readonly log: Logger;
  readonly life: ProcessLife;
  readonly status: StatusAddress;
  readonly acme: AcmeAddress;
  readonly coap: CoapSettings;
};

class Suite {
  readonly data: DataDirectory;
  readonly #options: UpOptions;
  readonly #log: Logger;
  readonly #life: ProcessLife;
  readonly #status: StatusAddress;
  readonly #acme: AcmeAddress;
  readonly #coap: CoapSettings;
  #evidence: readonly string[] = [];

  constructor(data: DataDirectory, { options, log, life, status, acme, coap }: SuiteParts) {
    this.data = data;
    this.#options = options;
    this.#log = log;
    this.#life = life;
    this.#status = status;
    this.#acme = acme;
    this.#coap = coap;
  }

  /** Starts everything. Throws FatalError when a part does not start; the life ends what did. */
  async start(gates: readonly Gate[]): Promise<Endpoints> {
    const { data } = this;
    const log = this.#log;
    await refuseSecond(data);
    removeEndpoints(data);
    const { baseUrl: statusUrl } = this.#status;
    const configuration = starterConfiguration('trial');
    await prepare({ data, gates: allGates, statusUrl, configuration, log, progress });
    await this.#coap.prepare(progress);
    this.#evidence = await this.#coap.core();
    this.#status.remember();
    this.#acme.remember();

    const core = await this.#startCore(gates);
    const coreAddress = reachableAddress(core.address);
    const context = { data, coreAddress, log, progress };
    const perspectives = gates.some(({ name }) => name === 'acme') ? ownPerspectives(data) : [];
    for (const gate of gates) await ensureCredential(context, gate);
    for (const name of perspectives) await ensurePerspective(context, name);
    const areLooking = this.#startPerspectives(perspectives, coreAddress);
    const [running] = await Promise.all([this.#startGates(gates, coreAddress), areLooking]);

    const parts = await Promise.all(
      running.map(([gate, facts]) => gate.endpoint(data, facts, this.#settings(gate.name))),
    );
    const endpoints: Endpoints = Object.assign(
      { trustAnchor: 'trust/root.pem', chain: 'trust/chain.pem', core: { address: coreAddress } },
      ...parts,
    );
    writeEndpoints(data, endpoints);
    this.#life.onShutdown('endpoints.json', () => removeEndpoints(data));
    return endpoints;
  }

  /** What people may copy. */
  async commands(gates: readonly Gate[], endpoints: Endpoints): Promise<readonly string[]> {
    const texts = gates.map((gate) => gate.tryThis(this.data, endpoints, this.#settings(gate.name)));
    return (await Promise.all(texts)).filter((text) => text !== undefined);
  }

  async #startCore(gates: readonly Gate[]): Promise<RunFile> {
    const set = this.#settings('core');
    const core = this.#startChild('core', set);
    this.#life.onShutdown('core', () => core.stop());
    return await core.ready.catch(async (error: unknown) => {
      const inGates = await Promise.all(
        gates.map((gate) => gate.wantedAddresses(this.data, this.#settings(gate.name))),
      );
      throw await this.#explain(error, [...(await coreAddresses(this.data, set)), ...inGates.flat()]);
    });
  }

  async #startGates(gates: readonly Gate[], core: string): Promise<readonly (readonly [Gate, RunFile])[]> {
    const started = gates.map((gate) => {
      // `up` runs its own core, wherever that listens.
      const address = `${gate.name}.core.addresses=${JSON.stringify([core])}`;
      return { gate, child: this.#startChild(gate.name, [address, ...this.#settings(gate.name)]) };
    });
    // Before the core: a gate that drains may still have to ask it.
    this.#life.onShutdown('gates', async () => {
      await Promise.all(started.map(({ child }) => child.stop()));
    });
    return await Promise.all(
      started.map(async ({ gate, child }) => {
        const facts = await child.ready.catch(async (error: unknown) => {
          throw await this.#explain(error, await gate.wantedAddresses(this.data, this.#settings(gate.name)));
        });
        return [gate, facts] as const;
      }),
    );
  }

  /** They end after the gates: one that drains may still have to ask them. */
  async #startPerspectives(names: readonly string[], core: string): Promise<void> {
    const section = 'perspective';
    const address = `${section}.core.addresses=${JSON.stringify([core])}`;
    const started = names.map((name) =>
      startChild({
        name: `${section}-${name}`,
        section,
        run: [section, '--name', name],
        data: this.data,
        set: [address, ...this.#acme.perspectives, ...ownSettings(name)],
        warn: note,
      }),
    );
    this.#life.onShutdown('perspectives', async () => {
      await Promise.all(started.map((child) => child.stop()));
    });
    await Promise.all(started.map((child) => child.ready));
  }

  #startChild(name: string, set: readonly string[]): Child {
    return startChild({ name, data: this.data, set, warn: note });
  }

  /** What the command line says comes last: it wins. */
  #settings(name: string): readonly string[] {
    const ports = this.#options.ports === 'auto' ? automaticPorts(name) : [];
    switch (name) {
      case 'core':
        return [...ports, ...this.#evidence, ...this.#acme.core, ...this.#status.core];
      case 'acme':
        return this.#acme.gate;
      case 'status':
        return this.#status.gate;
      case 'coap':
        return [...this.#coap.gate, ...ports, ...this.#options.set];
      case 'est':
        return [...this.#coap.est, ...ports, ...this.#options.set];
      default:
        return [...ports, ...this.#options.set];
    }
  }

  /** A port that is taken is what a start fails of most often: said in terms of `up`, it is mended at once. */
  async #explain(error: unknown, wanted: readonly WantedAddress[]): Promise<unknown> {
    return (await explainTakenPorts(wanted)) ?? error;
  }
}

async function coreAddresses(data: DataDirectory, set: readonly string[]): Promise<readonly WantedAddress[]> {
  const [{ loadConfiguration }, { coreConfigurationSchema }] = await Promise.all([
    import('@gatehouse/runtime/configuration'),
    import('@gatehouse/ca-core/configuration'),
  ]);
  const schema = coreConfigurationSchema;
  return wantedAddresses('core', loadConfiguration({ schema, section: 'core', file: data.configuration, set }));
}

/** A second suite must not take away the first one's endpoints.json, and could not have its database. */
async function refuseSecond(data: DataDirectory): Promise<void> {
  const running = readRunFile(data.runFile('core'));
  if (running === undefined) return;
  const answer = await fetch(`http://${running.management}/livez`).catch(() => undefined);
  if (answer?.ok !== true) return;
  throw new FatalError(`a core is running on ${data.path} already, as process ${running.pid}`, {
    hint: 'stop it first, or choose another directory with --data',
  });
}

function progress(step: string): void {
  note(`${step} …`);
}
