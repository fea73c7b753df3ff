/**
 * What the core's configuration says, compared with its last start: whoever changed a setting, the log tells which. It
 * holds no secret: those are named by file or environment variable.
 */
import type { JsonObject, JsonValue } from '@gatehouse/pkix/jose/json';
import type { CoreConfiguration } from './configuration.ts';
import { findMeta, writeMeta } from './store/meta.ts';
import type { Store } from './store/open-store.ts';

const metaKey = 'configuration';

/** Records each setting that reads differently from the last start; the first start only remembers. Throws CoreError `unavailable`. */
export async function recordConfiguration(
  store: Store,
  configuration: CoreConfiguration,
  actor: string,
): Promise<void> {
  const before = findMeta(store, metaKey);
  const settings = flatten(configuration);
  const now = JSON.stringify(settings);
  if (now === before) return;
  const changes = before === undefined ? {} : differences(JSON.parse(before), settings);
  const hasChanged = Object.keys(changes).length > 0;
  await store.commit({
    operations: [writeMeta(metaKey, now)],
    events: hasChanged ? [{ action: 'configuration-changed', actor, outcome: 'success', body: changes }] : [],
  });
}

/** `{ 'listen.port': 5280, … }`; lists stay whole. */
function flatten(configuration: CoreConfiguration): Readonly<Record<string, JsonValue>> {
  const settings: Record<string, JsonValue> = {};
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`);
      return;
    }
    if (value !== undefined) settings[path] = JSON.parse(JSON.stringify(value));
  };
  walk(configuration, '');
  return settings;
}

function differences(
  before: Readonly<Record<string, JsonValue>>,
  now: Readonly<Record<string, JsonValue>>,
): JsonObject {
  const changes: Record<string, JsonValue> = {};
  for (const path of [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()) {
    const [from, to] = [before[path] ?? null, now[path] ?? null];
    if (JSON.stringify(from) !== JSON.stringify(to)) changes[path] = { from, to };
  }
  return changes;
}
