// Asks the configured resolvers and says what they said (mpic.md §2.4): RCODE, AD, EDE, aliases, TTL and by whom. AD is
// believed only from a loopback address; SERVFAIL never is an answer, it is repeated with CD only to explain it; nothing
// is kept between queries, so no perspective ever answers out of another's cache.
import { randomInt } from 'node:crypto';
import type { StatementPayload } from '@gatehouse/ra-client/perspective-statement';
import { printable } from '../printable.ts';
import { extendedErrorName, rcodeName } from './codes.ts';
import type { CaaRecord, DnsMessage, DnsQuery, DnsRecord, QueriedType } from './message.ts';
import { isQueryName } from './name.ts';
import { type Exchanged, exchange } from './transport.ts';
import { closestZone, parseUpstream, type Upstream, type ZoneResolvers } from './upstream.ts';

/** What each type answers with. TXT: strings of one record joined, in Latin-1. */
export type DnsValues = { readonly A: string; readonly AAAA: string; readonly TXT: string; readonly CAA: CaaRecord };

/** One query as a statement reports it. */
export type DnsLookup = StatementPayload['dns'][number];

/** Records, the certainty that there are none, or neither. */
export type DnsAnswer<Value> =
  | { readonly outcome: 'found'; readonly values: readonly Value[]; readonly lookup: DnsLookup }
  | { readonly outcome: 'none'; readonly lookup: DnsLookup }
  | { readonly outcome: 'failed'; readonly detail: string; readonly lookup: DnsLookup };

/** Answers queries; never rejects. */
export type DnsResolver = {
  /** `name`: lower-case A-labels without the last dot. Ends when `signal` does. */
  query<Type extends QueriedType>(name: string, type: Type, signal: AbortSignal): Promise<DnsAnswer<DnsValues[Type]>>;
};

/** What {@link createDnsResolver} takes. */
export type DnsResolverOptions = {
  /** For all names that no zone covers, in the order in which they are tried. */
  readonly resolvers: readonly string[];
  readonly zones?: readonly ZoneResolvers[] | undefined;
  /** How long one try waits; 3 s unless told. */
  readonly tryMs?: number | undefined;
};

/** Aliases that are followed, RFC 1034 §3.6.2 names no number. */
const maximumAliases = 16;
/** The first try and one retry (mpic.md §2.3). */
const tries = 2;

/**
 * Creates a resolver.
 *
 * @throws {TypeError} when there is no resolver, or one that cannot be read
 */
export function createDnsResolver(options: DnsResolverOptions): DnsResolver {
  const { tryMs = 3000 } = options;
  const upstreams = readUpstreams(options.resolvers);
  const zones = (options.zones ?? []).map(({ zone, resolvers }) => ({ zone, upstreams: readUpstreams(resolvers) }));
  return {
    async query<Type extends QueriedType>(name: string, type: Type, signal: AbortSignal) {
      const chosen = closestZone(zones, name)?.upstreams ?? upstreams;
      if (!isQueryName(name)) return unaskable<DnsValues[Type]>(name, type, chosen[0]);
      const asked = await ask(chosen, name, type, tryMs, signal);
      return judge<Type>(name, type, asked, () => explain(asked.upstream, name, type, tryMs, signal));
    },
  };
}

function readUpstreams(texts: readonly string[]): readonly Upstream[] {
  const upstreams = texts.map((text) => {
    const upstream = parseUpstream(text);
    if (upstream === undefined) throw new TypeError(`'${text}' is no resolver; write an address like 127.0.0.1:53`);
    return upstream;
  });
  if (upstreams.length === 0) throw new TypeError('no resolver is configured');
  return upstreams;
}

type Asked = { readonly upstream: Upstream; readonly exchanged: Exchanged };

async function ask(
  upstreams: readonly Upstream[],
  name: string,
  type: QueriedType,
  tryMs: number,
  signal: AbortSignal,
): Promise<Asked> {
  for (let n = 0; ; n++) {
    const upstream = upstreams[n % upstreams.length];
    if (upstream === undefined) throw new TypeError('no resolver is configured');
    const exchanged = await askOnce(upstream, newQuery(name, type), tryMs, signal);
    if (exchanged.kind === 'answered' || n + 1 >= tries || signal.aborted) return { upstream, exchanged };
  }
}

async function askOnce(upstream: Upstream, query: DnsQuery, tryMs: number, signal: AbortSignal): Promise<Exchanged> {
  const exchanged = await exchange(upstream, query, tryMs, signal);
  // RFC 6891 §7: a server that does not know EDNS answers FORMERR without OPT.
  if (exchanged.kind === 'failed' || exchanged.message.rcode !== 1 || exchanged.message.hasEdns) return exchanged;
  return exchange(upstream, { ...query, id: randomInt(65536), hasEdns: false }, tryMs, signal);
}

function newQuery(name: string, type: QueriedType): DnsQuery {
  return { id: randomInt(65536), name, type, isCheckingDisabled: false, hasEdns: true };
}

/** Why a resolver says SERVFAIL: with CD set it answers when only the signatures are wrong, RFC 4035 §3.2.2. */
async function explain(
  upstream: Upstream,
  name: string,
  type: QueriedType,
  tryMs: number,
  signal: AbortSignal,
): Promise<string> {
  const exchanged = await exchange(upstream, { ...newQuery(name, type), isCheckingDisabled: true }, tryMs, signal);
  if (exchanged.kind === 'failed' || exchanged.message.rcode === 2) return '; so it does without checking signatures';
  return '; without checking signatures it has an answer, so DNSSEC validation fails';
}

async function judge<Type extends QueriedType>(
  name: string,
  type: Type,
  { upstream, exchanged }: Asked,
  explainFailure: () => Promise<string>,
): Promise<DnsAnswer<DnsValues[Type]>> {
  const by = upstream.id;
  if (exchanged.kind === 'failed') {
    const lookup = { name: printable(name, 255), type, rcode: exchanged.code, isAuthenticated: false, resolver: by };
    return { outcome: 'failed', detail: `${type} of ${name} from resolver ${by}: ${exchanged.detail}`, lookup };
  }
  const { message } = exchanged;
  const chain = followAliases(name, message.answers);
  const records = message.answers.filter((record) => record.name === chain.at(-1) && record.data.type === type);
  const lookup = describe(name, type, upstream, message, chain, records);
  // RFC 8020: with NXDOMAIN there is nothing at the end of the chain either.
  if (message.rcode !== 0 && message.rcode !== 3) {
    const why = lookup.extendedError === undefined ? '' : ` (${lookup.extendedError})`;
    const more = message.rcode === 2 ? await explainFailure() : '';
    return {
      outcome: 'failed',
      detail: `${type} of ${name} from resolver ${by}: ${lookup.rcode}${why}${more}`,
      lookup,
    };
  }
  if (chain.length > maximumAliases) {
    return { outcome: 'failed', detail: `${type} of ${name} from resolver ${by}: too many aliases`, lookup };
  }
  const values = message.rcode === 0 ? records.flatMap((record) => valuesOfRecord(type, record)) : [];
  return values.length === 0 ? { outcome: 'none', lookup } : { outcome: 'found', values, lookup };
}

/** The name asked for and each alias of it, in order; one more than allowed when there are too many, or a circle. */
function followAliases(name: string, answers: readonly DnsRecord[]): readonly string[] {
  const chain = [name.toLowerCase()];
  while (chain.length <= maximumAliases) {
    const alias = answers.find((record) => record.name === chain.at(-1) && record.data.type === 'CNAME');
    if (alias?.data.type !== 'CNAME') break;
    chain.push(alias.data.target);
  }
  return chain;
}

function valuesOfRecord<Type extends QueriedType>(type: Type, { data }: DnsRecord): readonly DnsValues[Type][] {
  const values: { readonly [T in QueriedType]: readonly DnsValues[T][] } = {
    A: data.type === 'A' ? [data.address] : [],
    AAAA: data.type === 'AAAA' ? [data.address] : [],
    TXT: data.type === 'TXT' ? [data.text] : [],
    CAA: data.type === 'CAA' ? [data.caa] : [],
  };
  return values[type];
}

function describe(
  name: string,
  type: QueriedType,
  upstream: Upstream,
  message: DnsMessage,
  chain: readonly string[],
  records: readonly DnsRecord[],
): DnsLookup {
  const aliases = chain.slice(1, 1 + maximumAliases).map((alias) => printable(alias, 255));
  const ttl = smallestTtl(message, chain, records);
  const [first] = message.extendedErrors;
  return {
    name: printable(name, 255),
    type,
    rcode: rcodeName(message.rcode),
    isAuthenticated: upstream.isLoopback && message.isAuthenticData,
    ...(first === undefined ? {} : { extendedError: describeExtendedError(first) }),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(ttl === undefined ? {} : { ttl }),
    resolver: upstream.id,
  };
}

function describeExtendedError({ code, text }: { readonly code: number; readonly text: string }): string {
  return printable(`EDE ${code} ${extendedErrorName(code)}${text === '' ? '' : `: ${text}`}`, 256);
}

function smallestTtl(message: DnsMessage, chain: readonly string[], records: readonly DnsRecord[]): number | undefined {
  const ttls = [
    ...records,
    ...message.answers.filter(({ name, data }) => data.type === 'CNAME' && chain.includes(name)),
  ].map(({ ttl }) => ttl);
  // RFC 2308 §5: that there is nothing holds as long as the smaller of TTL and MINIMUM of SOA.
  if (records.length === 0) {
    for (const { ttl, data } of message.authorities) if (data.type === 'SOA') ttls.push(Math.min(ttl, data.minimum));
  }
  return ttls.length === 0 ? undefined : Math.min(...ttls);
}

function unaskable<Value>(name: string, type: string, upstream: Upstream | undefined): DnsAnswer<Value> {
  const text = printable(name, 255);
  const lookup = { name: text, type, rcode: 'UNASKABLE', isAuthenticated: false, resolver: upstream?.id ?? '' };
  return { outcome: 'failed', detail: `${type} of ${text}: no name that can be asked for`, lookup };
}
