// http-01 (RFC 8555 §8.3, RFC 8738 §4; BR 3.2.2.4.19): fetches the key authorization from the well-known place of the name
// or address. Redirects are followed by hand, and each hop is resolved, judged and connected to anew; no hop can lead to
// another port, to another protocol, or to an address that is not looked at.
import { isIPv6 } from 'node:net';
import { connectTo, endpoint } from './connect.ts';
import { getOver, type HttpAnswer, maximumBodyOctets } from './http-exchange.ts';
import type { Look } from './looking.ts';
import { fail, type Outcome, pass, type Seen, unseen } from './outcome.ts';
import { printable } from './printable.ts';

/** BR 3.2.2.4.19: redirects that count; 303 and 300 do not. */
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 307, 308]);
const maximumRedirects = 10;
/** What fits into a statement. */
const maximumUrlLength = 2048;

/** Looks for `keyAuthorization` at `host`: a name, or an address without brackets. Never rejects. */
export async function lookByHttp(look: Look, host: string, token: string, keyAuthorization: string): Promise<Outcome> {
  const trail = createTrail();
  const authority = endpoint(host, look.parts.httpPort);
  let url = new URL(`http://${authority}/.well-known/acme-challenge/${token}`);
  for (let redirects = 0; ; redirects++) {
    const hop = await get(look, url, trail);
    if (hop.kind === 'failed') return hop.outcome;
    const { answer, where } = hop;
    if (!redirectStatuses.has(answer.status)) return judge(answer, where, keyAuthorization, trail.seen());
    if (redirects === maximumRedirects) {
      return fail('connection', `${where}: more than ${maximumRedirects} redirects`, trail.seen());
    }
    const next = readLocation(look, url, answer.location);
    if (typeof next === 'string') return fail('connection', `${where} redirects ${next}`, trail.seen());
    // Whoever has any name at all could have our own servers fetched, with a path of his choice, and read what they answer.
    if (!look.parts.addressPolicy.leadsTo(host, next.hostname)) {
      return fail('connection', `${where} redirects to ${shown(next)}: not followed into that zone`, trail.seen());
    }
    url = next;
  }
}

type Answered = Extract<HttpAnswer, { kind: 'answered' }>;
type Hop =
  | { readonly kind: 'answered'; readonly answer: Answered; readonly where: string }
  | { readonly kind: 'failed'; readonly outcome: Outcome };

async function get(look: Look, url: URL, trail: Trail): Promise<Hop> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const connected = await connectTo(look, host, portOf(look, url));
  trail.resolved(connected.addresses);
  if (connected.kind === 'failed') {
    trail.connecting(connected.address);
    const { type, detail } = connected.problem;
    const by = trail.length === 0 ? '' : `redirected to ${shown(url)}: `;
    const outcome = connected.result === 'fail' ? fail : unseen;
    return { kind: 'failed', outcome: outcome(type, `${by}${detail}`, trail.seen()) };
  }
  const { socket, address } = connected;
  trail.connecting(address);
  const answer = await getOver(socket, url, look.signal);
  const where = `${shown(url)} at ${address}`;
  if (answer.kind === 'answered') {
    trail.answered(url, address, answer.status);
    return { kind: 'answered', answer, where };
  }
  return { kind: 'failed', outcome: unseen(answer.type, `${where}: ${answer.detail}`, trail.seen()) };
}

function judge(answer: Answered, where: string, keyAuthorization: string, seen: Seen): Outcome {
  if (answer.status !== 200) return fail('incorrectResponse', `${where}: status ${answer.status} instead of 200`, seen);
  if (answer.body === undefined) {
    return fail(
      'incorrectResponse',
      `${where}: more than ${maximumBodyOctets} octets instead of the key authorization`,
      seen,
    );
  }
  // RFC 8555 §8.3: white space at the end is ignored.
  const text = answer.body.toString('latin1').replace(/[\t\n\v\f\r ]+$/, '');
  if (text === keyAuthorization) return pass(seen);
  const found = text === '' ? 'nothing' : `'${printable(text, 200)}'`;
  return fail('incorrectResponse', `${where}: ${found} instead of '${keyAuthorization}'`, seen);
}

/** Where a redirect leads, or what is wrong with it. */
function readLocation(look: Look, from: URL, location: string | undefined): URL | string {
  if (location === undefined) return 'without saying where to';
  const url = location.length > maximumUrlLength ? null : URL.parse(location, from);
  if (url === null) return `to '${printable(location, 200)}', which is no URL that can be followed`;
  url.hash = '';
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `to ${shown(url)}: only http and https are followed`;
  if (url.username !== '' || url.password !== '') return `to a URL with a user's name`;
  if (url.href.length > maximumUrlLength) return `to a URL of more than ${maximumUrlLength} characters`;
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  if (!isFollowedPort(look, url)) return `to ${shown(url)}: only ports 80 and 443 are followed`;
  return url;
}

// BR 3.2.2.4.19: Authorized Ports. What stands for 80 and 443 when trying out is reached by those numbers too.
function portOf(look: Look, url: URL): number {
  const port = writtenPort(url);
  if (port === 80) return look.parts.httpPort;
  return port === 443 ? look.parts.tlsPort : port;
}

function isFollowedPort(look: Look, url: URL): boolean {
  return [80, 443, look.parts.httpPort, look.parts.tlsPort].includes(writtenPort(url));
}

function writtenPort(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function shown(url: URL): string {
  return printable(url.href, 300);
}

/** What was seen on the way. */
type Trail = {
  readonly length: number;
  resolved(addresses: readonly string[]): void;
  connecting(address: string | undefined): void;
  answered(url: URL, address: string, status: number): void;
  seen(): Seen;
};

function createTrail(): Trail {
  const addresses = new Set<string>();
  const redirects: { url: string; address: string; status: number }[] = [];
  let used: string | undefined;
  return {
    get length() {
      return redirects.length;
    },
    resolved(more) {
      for (const address of more) addresses.add(address);
    },
    connecting(address) {
      if (address !== undefined) used = address;
    },
    answered(url, address, status) {
      redirects.push({ url: printable(url.href, maximumUrlLength), address, status });
    },
    seen: () => ({
      addresses: [...addresses].sort((a, b) => Number(isIPv6(b)) - Number(isIPv6(a))),
      ...(used === undefined ? {} : { used }),
      ...(redirects.length === 0 ? {} : { redirects }),
    }),
  };
}
