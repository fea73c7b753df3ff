// The memory that block-wise transfers of all sessions take together, RFC 7959 §7.1: every octet kept for a client between
// two of its messages is held here. Room is made by whoever holds most, the longest idle first, so that one client cannot push
// out the others; everybody is forgotten after a time, and nobody may keep anything that is not accounted for. One timer in
// all, and none while nothing is held.

import type { Clock } from '@gatehouse/runtime/clock';
import type { BlockMetrics } from './metrics.ts';

/** Why the budget had an entry forgotten. */
export type ForgetCause = 'expired' | 'evicted';

/** An entry's share of the memory. Every method but release does nothing once the entry was forgotten or released. */
export type BlockHold = {
  /** Whether the entry still has its share. */
  readonly isHeld: boolean;
  /** Changes the share, at the cost of those that are idle longest. @returns false when there is no room: nothing changed */
  resize(octets: number): boolean;
  /** The client made progress: the entry's time begins anew and it goes to the end of the line. */
  touch(): void;
  /** Until the next {@link touch} the entry is neither evicted nor does its time run: somebody works with it. */
  pin(): void;
  /** The entry was forgotten by its owner. */
  release(): void;
};

/** The memory of all sessions. */
export type BlockBudget = {
  /** Octets held now. */
  readonly octets: number;
  /** Entries held now. */
  readonly entries: number;
  /**
   * Holds memory for a new entry.
   *
   * @param forget drops everything the entry keeps; called at most once, and not after release
   * @returns undefined when there is no room even after everything idle is gone
   */
  hold(octets: number, forget: (cause: ForgetCause) => void): BlockHold | undefined;
  /** The same memory for one client: where room is needed, whoever holds most makes it. @param holder its address */
  of(holder: string): BlockBudget;
  /** Forgets what is too old. It is called by a timer and before anything is looked up. */
  sweep(): void;
  /** Stops the timer. The entries are their sessions' to forget. */
  close(): void;
};

/** What a budget is made with. */
export type BlockBudgetOptions = {
  readonly maximumOctets: number;
  /** How long an entry lives without progress: EXCHANGE_LIFETIME, 247 s, RFC 7959 §2.4 and §2.5. */
  readonly entryLifeMs: number;
  readonly clock: Clock;
  readonly metrics: BlockMetrics;
};

/** What an entry costs beside its octets: its key, its maps, its closures. */
export const entryOverheadOctets = 1_024;

type Entry = {
  readonly holder: string;
  octets: number;
  until: number;
  readonly forget: (cause: ForgetCause) => void;
};

/** What one holder has. `idle` is what may be evicted of it, the oldest first. */
type Share = { octets: number; readonly idle: Entry[] };

/** Creates an empty budget. */
export function createBlockBudget(options: BlockBudgetOptions): BlockBudget {
  const { maximumOctets, entryLifeMs, clock, metrics } = options;
  // Sets keep the order of insertion: the first idle entry is the one that was touched longest ago.
  const idle = new Set<Entry>();
  const pinned = new Set<Entry>();
  let total = 0;
  let timer: NodeJS.Timeout | undefined;

  const isHeld = (entry: Entry): boolean => idle.has(entry) || pinned.has(entry);
  const setTotal = (octets: number): void => {
    total = octets;
    metrics.stateOctets(octets);
  };
  const remove = (entry: Entry): boolean => {
    if (!idle.delete(entry) && !pinned.delete(entry)) return false;
    setTotal(total - entry.octets);
    return true;
  };
  const forget = (entry: Entry, cause: ForgetCause): void => {
    if (remove(entry)) entry.forget(cause);
  };
  /**
   * Makes room, at the cost of those who hold most, whose oldest entries go first; nothing is evicted where that would not
   * be enough.
   */
  const makeRoom = (octets: number, holder: string, keep?: Entry): boolean => {
    if (total + octets <= maximumOctets) return true;
    const shares = sharesOf(idle, pinned, keep);
    const asking = shares.get(holder);
    if (asking !== undefined) asking.octets += octets;
    const victims: Entry[] = [];
    for (let freed = 0; total + octets - freed > maximumOctets; ) {
      const largest = largestOf(shares.values());
      const victim = largest?.idle.shift();
      if (largest === undefined || victim === undefined) return false;
      victims.push(victim);
      largest.octets -= victim.octets;
      freed += victim.octets;
    }
    for (const victim of victims) forget(victim, 'evicted');
    return true;
  };
  const arm = (): void => {
    const [first] = idle;
    if (timer !== undefined || first === undefined) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        sweep();
        arm();
      },
      // A clock that is set back makes nobody wait longer.
      Math.min(entryLifeMs, Math.max(1, first.until - clock.now().getTime())),
    );
    timer.unref();
  };
  const sweep = (): void => {
    const now = clock.now().getTime();
    for (const entry of idle) {
      if (entry.until > now) return;
      forget(entry, 'expired');
    }
  };
  const rest = (entry: Entry): void => {
    entry.until = clock.now().getTime() + entryLifeMs;
    idle.add(entry);
    arm();
  };

  const viewFor = (holder: string): BlockBudget => ({
    get octets() {
      return total;
    },
    get entries() {
      return idle.size + pinned.size;
    },
    hold: (octets, onForget) => {
      sweep();
      const cost = octets + entryOverheadOctets;
      if (!makeRoom(cost, holder)) return undefined;
      const entry: Entry = { holder, octets: cost, until: 0, forget: onForget };
      setTotal(total + cost);
      rest(entry);
      return {
        get isHeld() {
          return isHeld(entry);
        },
        resize: (wanted) => {
          if (!isHeld(entry)) return false;
          const more = wanted + entryOverheadOctets - entry.octets;
          if (more > 0 && !makeRoom(more, holder, entry)) return false;
          entry.octets += more;
          setTotal(total + more);
          return true;
        },
        touch: () => {
          if (idle.delete(entry) || pinned.delete(entry)) rest(entry);
        },
        pin: () => {
          if (idle.delete(entry)) pinned.add(entry);
        },
        release: () => {
          remove(entry);
        },
      };
    },
    of: viewFor,
    sweep,
    close: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  });
  return viewFor('');
}

function sharesOf(idle: Iterable<Entry>, pinned: Iterable<Entry>, keep: Entry | undefined): Map<string, Share> {
  const shares = new Map<string, Share>();
  const shareOf = (entry: Entry): Share => {
    let share = shares.get(entry.holder);
    if (share === undefined) {
      share = { octets: 0, idle: [] };
      shares.set(entry.holder, share);
    }
    share.octets += entry.octets;
    return share;
  };
  for (const entry of idle) {
    const share = shareOf(entry);
    if (entry !== keep) share.idle.push(entry);
  }
  for (const entry of pinned) shareOf(entry);
  return shares;
}

/** Of those that have something to give; among equals the one that was idle longest. */
function largestOf(shares: Iterable<Share>): Share | undefined {
  let largest: Share | undefined;
  for (const share of shares) {
    if (share.idle.length > 0 && (largest === undefined || share.octets > largest.octets)) largest = share;
  }
  return largest;
}
