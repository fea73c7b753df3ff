/**
 * Which ports the processes of the suite want, and which of them somebody else has. It is asked only after a process
 * could not start, so that a start that works waits for nothing.
 */
import { createServer } from 'node:net';
import { FatalError } from '@gatehouse/runtime/fatal';

/** One listener as it is configured. */
export type WantedAddress = {
  readonly host: string;
  readonly port: number;
  /** `est.listen.port`. */
  readonly setting: string;
};

/** `--set` arguments that let the system choose the ports of a process. */
export function automaticPorts(name: string): readonly string[] {
  return [`${name}.listen.port=0`, `${name}.management.port=0`];
}

/** The listeners of a process's section. */
export function wantedAddresses(
  name: string,
  section: Readonly<Record<'listen' | 'management', { readonly host: string; readonly port: number }>>,
): readonly WantedAddress[] {
  return (['listen', 'management'] as const).map((key) => ({ ...section[key], setting: `${name}.${key}.port` }));
}

/** The error that names the ports that are taken; undefined when none is. */
export async function explainTakenPorts(wanted: readonly WantedAddress[]): Promise<FatalError | undefined> {
  const verdicts = await Promise.all(wanted.map(async (one) => ((await isTaken(one)) ? one : undefined)));
  const taken = verdicts.filter((one) => one !== undefined);
  const [first] = taken;
  if (first === undefined) return undefined;
  const list = taken.map(({ host, port, setting }) => `${host}:${port} (${setting})`).join(', ');
  return new FatalError(`another process listens on ${list}`, {
    hint: `stop it, let the system choose free ports with --ports auto, or choose one: --set ${first.setting}=${(first.port + 10_000) % 65_536}`,
  });
}

async function isTaken({ host, port }: WantedAddress): Promise<boolean> {
  if (port === 0) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error) => resolve('code' in error && error.code === 'EADDRINUSE'));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)));
  return await promise;
}
