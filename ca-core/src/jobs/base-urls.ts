/**
 * The base URLs that certificates of this core have named. A CRL must say the very URL that stands in the certificate (RFC
 * 5280 §6.3.3 step b.2), so one whose place has moved says the former ones, too; a URL is therefore never forgotten.
 */
import { z } from 'zod';
import { findMeta, writeMeta } from '../store/meta.ts';
import type { Store } from '../store/open-store.ts';

/** Where CRLs are, and were. */
export type BaseUrls = {
  /** What new certificates name; undefined: none. */
  readonly current: string | undefined;
  /** All that certificates may name, the current one first. */
  readonly all: readonly string[];
  /** Since when it is so, epoch milliseconds: older CRLs say something else. */
  readonly since: number;
};

const metaKey = 'status-base-urls';

const historySchema = z.array(z.strictObject({ url: z.string(), since: z.number() }));

/** Takes the configured URL into the history. Throws CoreError `unavailable`. */
export async function rememberBaseUrl(store: Store, current: string | undefined, now: number): Promise<BaseUrls> {
  const recorded = historySchema.parse(JSON.parse(findMeta(store, metaKey) ?? '[]'));
  const [newest] = recorded;
  const history =
    current === undefined || newest?.url === current
      ? recorded
      : [{ url: current, since: now }, ...recorded.filter(({ url }) => url !== current)];
  if (history !== recorded) {
    await store.commit({ operations: [writeMeta(metaKey, JSON.stringify(history))], events: [] });
  }
  return { current, all: history.map(({ url }) => url), since: history[0]?.since ?? 0 };
}
