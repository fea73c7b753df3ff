// The keep and the CoAP gate as processes that can be killed one by one and come back where they were, and a manufacturer whose
// devices the gate knows.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManufacturer, type Manufacturer } from '@gatehouse/gateway-coap/test-support/certificates';
import { decodePem, encodePem } from '@gatehouse/pkix/pem';
import { CommandError, output } from '../command.ts';
import { askUp, command } from './ask-up.ts';
import { freePort } from './free-port.ts';
import { createResident, type Resident } from './resident.ts';

/** A running house. */
export type CoapHouse = {
  readonly core: Resident;
  readonly gate: Resident;
  /** How long a process takes here and now from its start until it is ready, on average. */
  readonly startMs: number;
  /** The data directory. */
  readonly data: string;
  /** Of the gate, UDP, on 127.0.0.1. */
  readonly port: number;
  /** The root, DER. */
  readonly trustAnchor: Uint8Array;
  /** The gate knows it, and its devices may enrol, and have keys made, for their own serial numbers. */
  readonly manufacturer: Manufacturer;
  /** Runs an operator's command, which must succeed, and gives what it printed as JSON. @throws {CommandError} */
  operator(...parameters: readonly string[]): Promise<unknown>;
  /** Ends everything and removes the directory. */
  leave(): Promise<void>;
};

/** How a house is opened. */
export type CoapHouseOptions = {
  /** Further `--set` arguments. */
  readonly settings?: readonly string[] | undefined;
  /** Text of profiles by name; they take the place of the built-in ones of the same name. */
  readonly profiles?: Readonly<Record<string, string>> | undefined;
  /** Where the gate keeps its server certificate, in place of a folder of the data directory. */
  readonly gateFolder?: string | undefined;
};

const names = { core: 'core', gate: 'coap' } as const;

/** All devices of a drill have one address. */
const manyDevices = [
  'coap.limits.sessionsPerAddress=5000',
  `coap.limits.handshakesPerAddress=${JSON.stringify({ perSecond: 1_000, burst: 1_000 })}`,
] as const;

/** Makes a directory, and starts both processes. @throws {CommandError} when one does not start */
export async function openCoapHouse(options: CoapHouseOptions = {}): Promise<CoapHouse> {
  const { settings = [], profiles = {}, gateFolder } = options;
  const data = mkdtempSync(join(tmpdir(), 'gatehouse-drill-'));
  const residents: Resident[] = [];
  const leave = async (): Promise<void> => {
    await Promise.all(residents.map((resident) => resident.kill()));
    // For whoever looks for a failure.
    if (process.env.DRILL_KEEP === undefined) rmSync(data, { recursive: true, force: true });
  };
  try {
    const manufacturer = createManufacturer('Drill');
    writeProfiles(join(data, 'profiles'), profiles);
    if (gateFolder !== undefined) symlinkSync(gateFolder, join(data, names.gate));
    const port = await freePort();
    const ports = ['core.listen', 'core.management', 'coap.management'];
    const told = await askUp({
      data,
      gate: names.gate,
      processes: Object.values(names),
      settings: [
        `coap.listen.port=${port}`,
        ...(await Promise.all(ports.map(async (setting) => `${setting}.port=${await freePort()}`))),
        `est.trustAnchors=${JSON.stringify([trust(data, manufacturer)])}`,
        ...manyDevices,
        ...settings,
      ],
    });
    const startedAt = performance.now();
    for (const name of Object.values(names)) {
      const resident = createResident({ name, directory: data, parameters: told.arguments.get(name) ?? [] });
      residents.push(resident);
      resident.launch();
      await resident.ready();
    }
    const startMs = (performance.now() - startedAt) / residents.length;
    const [core, gate] = residents;
    const [root] = decodePem(told.trustAnchor, ['CERTIFICATE']);
    if (core === undefined || gate === undefined || root === undefined)
      throw new CommandError('the house is not whole');
    return {
      core,
      gate,
      startMs,
      data,
      port,
      trustAnchor: root.der,
      manufacturer,
      operator: async (...parameters) => {
        const text = await output(process.execPath, [command, ...parameters, '--json', '--data', data]);
        return JSON.parse(text.toString('utf8'));
      },
      leave,
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

function writeProfiles(directory: string, profiles: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { mode: 0o700 });
  for (const [name, text] of Object.entries(profiles)) writeFileSync(join(directory, `${name}.yaml`), text);
}

/** Writes the manufacturer's root down, and gives what `est.trustAnchors` says of it. */
function trust(data: string, { root }: Manufacturer): Readonly<Record<string, unknown>> {
  const file = join(data, 'drill-manufacturer.pem');
  writeFileSync(file, encodePem('CERTIFICATE', root.certificate));
  return {
    name: 'drill',
    file,
    labels: ['device-identity'],
    operations: ['simpleenroll', 'serverkeygen'],
    names: { subjectAttributes: ['serialNumber={serialNumber}', 'CN=device-{serialNumber}'] },
  };
}
