// Counts the connections of each address, so that one client cannot take all of them.
// Above the limit connections are still answered (429), above twice the limit they are closed unread; memory is bounded by the open connections.

/** Counts open connections by address. */
export class ConnectionLimits {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  /** @param limit connections of one address that are served */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A connection opens. @returns what to do with it */
  open(address: string): 'serve' | 'refuse' | 'drop' {
    const key = addressKey(address);
    const count = (this.#open.get(key) ?? 0) + 1;
    if (count > 2 * this.#limit) return 'drop';
    this.#open.set(key, count);
    return count > this.#limit ? 'refuse' : 'serve';
  }

  /** A connection that was not dropped has closed. */
  close(address: string): void {
    const key = addressKey(address);
    const count = (this.#open.get(key) ?? 0) - 1;
    if (count > 0) this.#open.set(key, count);
    else this.#open.delete(key);
  }
}

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 address, of which a client has all the addresses. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')];
  return `${all.slice(0, 4).join(':')}::/64`;
}
