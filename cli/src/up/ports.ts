/**
 * Which ports the processes of the suite want, and which of them somebody else has. It is asked only after a process
 * could not start, so that a start that works waits for nothing.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { FatalError } from '@gatehouse/runtime/fatal';

/** One listener as it is configured. */
export type WantedAddress = {
  readonly host: string;
  readonly port: number;
  /** `est.listen.port`. */
  readonly setting: string;
  /** TCP unless told. */
  readonly transport?: 'udp' | undefined;
};

/** `--set` arguments that let the system choose the ports of a process. */
export function automaticPorts(name: string): readonly string[] {
  return [`${name}.listen.port=0`, `${name}.management.port=0`];
}

/** The listeners of a process's section. @param transport of what it listens on for clients; TCP unless told */
export function wantedAddresses(
  name: string,
  section: Readonly<Record<'listen' | 'management', { readonly host: string; readonly port: number }>>,
  transport?: 'udp',
): readonly WantedAddress[] {
  return [
    { ...section.listen, setting: `${name}.listen.port`, transport },
    { ...section.management, setting: `${name}.management.port` },
  ];
}

/** The error that names the ports that are taken; undefined when none is. */
export async function explainTakenPorts(wanted: readonly WantedAddress[]): Promise<FatalError | undefined> {
  const verdicts = await Promise.all(wanted.map(async (one) => ((await isTaken(one)) ? one : undefined)));
  const taken = verdicts.filter((one) => one !== undefined);
  const [first] = taken;
  if (first === undefined) return undefined;
  const list = taken
    .map(({ host, port, setting, transport }) => `${host}:${port}${transport === 'udp' ? '/udp' : ''} (${setting})`)
    .join(', ');
  return new FatalError(`another process listens on ${list}`, {
    hint: `stop it, let the system choose free ports with --ports auto, or choose one: --set ${first.setting}=${(first.port + 10_000) % 65_536}`,
  });
}

async function isTaken({ host, port, transport }: WantedAddress): Promise<boolean> {
  if (port === 0) return false;
  return transport === 'udp' ? await isTakenForDatagrams(host, port) : await isTakenForConnections(host, port);
}

async function isTakenForDatagrams(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.once('error', (error) => {
    socket.close();
    resolve(isInUse(error));
  });
  socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(false)));
  return await promise;
}

async function isTakenForConnections(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error) => resolve(isInUse(error)));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)));
  return await promise;
}

function isInUse(error: Error): boolean {
  return 'code' in error && error.code === 'EADDRINUSE';
}
