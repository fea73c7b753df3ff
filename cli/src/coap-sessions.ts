/** What `gatehouse coap session` does: asks the running gate, over the socket in the data directory. No core is needed. */
import { controlName, type SessionView, sessionListSchema } from '@gatehouse/gateway-coap/session-control';
import { FatalError } from '@gatehouse/runtime/fatal';
import { LocalControlError, localControlSocket } from '@gatehouse/runtime/local-control';
import { callLocalControl } from '@gatehouse/runtime/local-control/client';
import { z } from 'zod';
import { splitAddress } from './address.ts';
import { existingDataDirectory } from './data-directory.ts';
import { formatTime, print, printJson, printTable, shorten } from './output.ts';

/** Of `coap session list`. */
export type ListOptions = {
  readonly data?: string | undefined;
  readonly json?: boolean | undefined;
  /** Address alone. */
  readonly peer?: string | undefined;
};

/** Of `coap session drop`. */
export type DropOptions = ListOptions;

/** Lists the open sessions. */
export async function listSessions(options: ListOptions): Promise<void> {
  const sessions = await readSessions(socketOf(options), options.peer);
  if (options.json === true) {
    printJson(sessions);
    return;
  }
  const now = Date.now();
  printTable(
    sessions,
    [
      ['id', ({ id }) => id],
      ['peer', ({ peer }) => peer],
      ['since', ({ establishedAt }) => formatTime(new Date(establishedAt))],
      ['silent', ({ lastHeardAt }) => `${Math.max(0, Math.round((now - Date.parse(lastHeardAt)) / 1000))} s`],
      ['suite', ({ cipherSuite }) => cipherSuite.replace(/^TLS_ECDHE_ECDSA_WITH_/, '')],
      ['in', ({ octetsIn }) => String(octetsIn)],
      ['out', ({ octetsOut }) => String(octetsOut)],
      ['certificate', ({ subject }) => shorten(subject === '' ? '-' : subject)],
    ],
    'no session is open',
  );
}

/** Ends sessions. Throws FatalError when one that was named is not open. */
export async function dropSessions(ids: readonly string[], options: DropOptions): Promise<void> {
  const { peer } = options;
  if ((ids.length === 0) === (peer === undefined)) {
    throw new FatalError('name sessions by their ids, or all of one address by --peer', {
      hint: "'gatehouse coap session list' shows both",
    });
  }
  const file = socketOf(options);
  const wanted = peer === undefined ? ids : (await readSessions(file, peer)).map(({ id }) => id);
  const [dropped, missing]: [string[], string[]] = [[], []];
  for (const id of wanted) ((await drop(file, id)) ? dropped : missing).push(id);
  if (options.json === true) printJson({ dropped });
  else print(dropped.length === 1 ? `session ${dropped[0]} is ended` : `${dropped.length} sessions are ended`);
  // One that ended by itself in the meantime is what --peer wanted.
  if (peer === undefined && missing.length > 0) {
    throw new FatalError(`there is no open session ${missing.map((id) => `'${id}'`).join(', ')}`);
  }
}

function socketOf({ data }: ListOptions): string {
  return localControlSocket(existingDataDirectory(data).path, controlName);
}

async function readSessions(file: string, peer: string | undefined): Promise<readonly SessionView[]> {
  const { sessions } = await callLocalControl({ file, method: 'GET', path: '/sessions', answer: sessionListSchema });
  if (peer === undefined) return sessions;
  const address = peer.replace(/^\[(.*)\]$/, '$1');
  return sessions.filter(({ peer: one }) => splitAddress(one).host.replace(/^\[(.*)\]$/, '$1') === address);
}

async function drop(file: string, id: string): Promise<boolean> {
  try {
    const path = `/sessions/${encodeURIComponent(id)}`;
    await callLocalControl({ file, method: 'DELETE', path, answer: z.undefined() });
    return true;
  } catch (error) {
    if (error instanceof LocalControlError && error.code === 'not-found') return false;
    throw error;
  }
}
