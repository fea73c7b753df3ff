// From a host to a connection: resolve, have each address judged, connect to the very address that was judged (RFC 8555
// §8.3, §10.4.1). IPv6 first, IPv4 after a connection error; one more try when the only address timed out. Nothing else
// ever chooses an address.
import { isIP, isIPv6, type Socket, connect as tcpConnect } from 'node:net';
import type { AddressVerdict } from './address-policy.ts';
import type { DnsAnswer } from './dns/resolver.ts';
import type { Look } from './looking.ts';
import type { Problem } from './outcome.ts';

/** A connection, or why there is none. `addresses`: all that the host has. */
export type Connected = { readonly addresses: readonly string[] } & (
  | { readonly kind: 'connected'; readonly socket: Socket; readonly address: string }
  | { readonly kind: 'failed'; readonly result: 'fail' | 'error'; readonly problem: Problem; readonly address?: string }
);

/** Connects to a port of a host: a name, or an address without brackets. Never rejects; the caller destroys the socket. */
export async function connectTo(look: Look, host: string, port: number): Promise<Connected> {
  const found = await addressesOf(look, host);
  if (found.kind === 'failed') return { ...found, addresses: [] };
  const { addresses } = found;
  const verdicts = addresses.map((address) => look.parts.addressPolicy.judge(address, host));
  const candidates = choose(verdicts);
  if (candidates.length === 0) return { kind: 'failed', result: 'fail', addresses, problem: refused(host, verdicts) };
  // mpic.md §2.3: one retry after a time-out.
  const attempts = candidates.length === 1 ? [...candidates, ...candidates] : candidates;
  const failures: string[] = [];
  let address = candidates[0] ?? '';
  for (const candidate of attempts) {
    if (look.signal.aborted) break;
    address = candidate;
    const opened = await open(candidate, port, look.limits.connectMs, look.signal);
    if (opened.kind === 'open') return { kind: 'connected', socket: opened.socket, address, addresses };
    failures.push(`${opened.detail} connecting to ${endpoint(candidate, port)}`);
    if (opened.isFinal && candidates.length === 1) break;
  }
  const detail =
    failures.length === 0 ? `time-out before connecting to ${endpoint(address, port)}` : failures.join('; ');
  return { kind: 'failed', result: 'error', addresses, address, problem: { type: 'connection', detail } };
}

/** `address:port`, IPv6 in brackets. */
export function endpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

type Found =
  | { readonly kind: 'found'; readonly addresses: readonly string[] }
  | { readonly kind: 'failed'; readonly result: 'fail' | 'error'; readonly problem: Problem };

async function addressesOf(look: Look, host: string): Promise<Found> {
  if (isIP(host) !== 0) return { kind: 'found', addresses: [host] };
  const [six, four] = await Promise.all([look.query(host, 'AAAA'), look.query(host, 'A')]);
  const addresses = [...valuesOf(six), ...valuesOf(four)];
  if (addresses.length > 0) return { kind: 'found', addresses };
  const details = [six, four].flatMap((answer) => (answer.outcome === 'failed' ? [answer.detail] : []));
  if (details.length > 0) {
    return { kind: 'failed', result: 'error', problem: { type: 'dns', detail: details.join('; ') } };
  }
  const detail = `${host} has no A or AAAA record (${four.lookup.rcode} from resolver ${four.lookup.resolver})`;
  return { kind: 'failed', result: 'fail', problem: { type: 'dns', detail } };
}

function valuesOf(answer: DnsAnswer<string>): readonly string[] {
  return answer.outcome === 'found' ? answer.values : [];
}

/** The first address of each family that may be connected to, IPv6 first. */
function choose(verdicts: readonly AddressVerdict[]): readonly string[] {
  const allowed = verdicts.filter((verdict) => verdict.isAllowed).map(({ address }) => address);
  const six = allowed.find(isIPv6);
  const four = allowed.find((address) => !isIPv6(address));
  return [six, four].filter((address) => address !== undefined);
}

function refused(host: string, verdicts: readonly AddressVerdict[]): Problem {
  const reasons = verdicts.flatMap((verdict) => (verdict.isAllowed ? [] : [`${verdict.address} ${verdict.reason}`]));
  const of = isIP(host) === 0 ? ` of ${host}` : '';
  return { type: 'connection', detail: `no address${of} may be connected to: ${reasons.slice(0, 4).join('; ')}` };
}

type Opened =
  | { readonly kind: 'open'; readonly socket: Socket }
  | { readonly kind: 'closed'; readonly detail: string; readonly isFinal: boolean };

function open(address: string, port: number, ms: number, signal: AbortSignal): Promise<Opened> {
  return new Promise((resolve) => {
    // An address, so that nothing is looked up: this is the one that was judged.
    const socket = tcpConnect({ host: address, port });
    const settle = (opened: Opened) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.off('connect', connected);
      socket.off('error', failed);
      // From here on errors belong to whoever uses the socket; until then they must not end the process.
      socket.on('error', () => undefined);
      if (opened.kind === 'closed') socket.destroy();
      resolve(opened);
    };
    const connected = () => settle({ kind: 'open', socket });
    const giveUp = () => settle({ kind: 'closed', detail: 'time-out', isFinal: false });
    const failed = (error: NodeJS.ErrnoException) => {
      settle({ kind: 'closed', detail: describeError(error), isFinal: error.code !== 'ETIMEDOUT' });
    };
    const timer = setTimeout(giveUp, ms);
    signal.addEventListener('abort', giveUp);
    socket.once('connect', connected);
    socket.once('error', failed);
  });
}

const words: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['EPIPE', 'connection reset'],
  ['EHOSTUNREACH', 'host unreachable'],
  ['ENETUNREACH', 'network unreachable'],
  ['ETIMEDOUT', 'time-out'],
]);

/** An error of the operating system, or of TLS, in words. */
export function describeError(error: Error & { readonly code?: unknown; readonly reason?: unknown }): string {
  const known = typeof error.code === 'string' ? words.get(error.code) : undefined;
  // OpenSSL's own words; the message has the place in its sources too.
  const reason = typeof error.reason === 'string' && error.reason !== '' ? error.reason : undefined;
  return known ?? reason ?? error.message;
}
