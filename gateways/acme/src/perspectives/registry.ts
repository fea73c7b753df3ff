// Which perspectives may be asked, as the keep lists them, with a connection to each. The list is asked for again after a
// short while; the last known one serves while the keep is away, since the keep judges every statement by its own list.

import type { KeyObject } from 'node:crypto';
import { createPublicKey } from 'node:crypto';
import type { RegisteredPerspective, SigningKey } from '@gatehouse/ra-client/domain-validation';
import type { Perspective } from '@gatehouse/ra-client/perspective';
import type { Clock } from '@gatehouse/runtime/clock';
import type { Logger } from '@gatehouse/runtime/log';

/** A key of a perspective, ready to verify with. */
export type StatementKey = Pick<SigningKey, 'keyId' | 'activeFrom' | 'retiredAt' | 'revokedAt'> & {
  readonly key: KeyObject;
};

/** A remote perspective that can be asked. */
export type RemotePerspective = {
  readonly name: string;
  readonly site: string;
  /** Empty in private networks. */
  readonly rir: string;
  /** Degrees; nothing where the operator gave none. */
  readonly place: { readonly latitude: number; readonly longitude: number } | undefined;
  readonly keys: readonly StatementKey[];
  readonly client: Perspective;
};

/** The perspectives that can be asked now. */
export type PerspectiveRegistry = {
  /** @throws {CoreError} when the keep cannot be asked and never could */
  list(): Promise<readonly RemotePerspective[]>;
  /** Those of the last list; empty before there is one. */
  known(): readonly RemotePerspective[];
  /** One of them did not answer: it may be elsewhere now, so that the keep is asked again sooner. */
  doubt(): void;
  /** Ends all connections. */
  close(): Promise<void>;
};

/** What {@link createPerspectiveRegistry} takes. */
export type PerspectiveRegistryOptions = {
  /** Asks the keep. */
  readonly listPerspectives: () => Promise<readonly RegisteredPerspective[]>;
  /** Connects to one; `address` is `host:port`. */
  readonly connect: (name: string, address: string) => Perspective;
  readonly clock: Clock;
  readonly log: Logger;
};

/** For how long a list is good: a perspective that an operator disables is asked no longer after this. */
const freshMs = 10_000;

/** The keep is not asked more often than this for perspectives that are simply dead. */
const doubtfulMs = 1_000;

type Member = {
  readonly client: Perspective;
  readonly address: string;
};

/** Makes the registry. Nothing is asked before the first list. */
export function createPerspectiveRegistry(options: PerspectiveRegistryOptions): PerspectiveRegistry {
  const { listPerspectives, connect, clock, log } = options;
  const members = new Map<string, Member>();
  const keys = new Map<string, KeyObject>();
  let known: { readonly perspectives: readonly RemotePerspective[]; readonly at: number } | undefined;
  let isDoubted = false;
  let asking: Promise<readonly RemotePerspective[]> | undefined;

  const drop = (name: string, member: Member): void => {
    members.delete(name);
    member.client.close().catch((err: unknown) => log.warn({ err, perspective: name }, 'closing a connection failed'));
  };
  const clientOf = (name: string, address: string): Perspective => {
    const member = members.get(name);
    if (member?.address === address) return member.client;
    if (member !== undefined) drop(name, member);
    const client = connect(name, address);
    members.set(name, { client, address });
    return client;
  };
  const toKey = (key: SigningKey): StatementKey => {
    const held = keys.get(key.keyId) ?? createPublicKey({ key: key.subjectPublicKeyInfo, format: 'der', type: 'spki' });
    keys.set(key.keyId, held);
    const { keyId, activeFrom, retiredAt, revokedAt } = key;
    return { keyId, activeFrom, retiredAt, revokedAt, key: held };
  };
  const refresh = async (): Promise<readonly RemotePerspective[]> => {
    const usable = (await listPerspectives()).filter(
      ({ isDisabled, address, keys }) =>
        !isDisabled && address !== '' && keys.some((key) => key.retiredAt === undefined && key.revokedAt === undefined),
    );
    for (const [name, member] of members) if (!usable.some((one) => one.name === name)) drop(name, member);
    const perspectives = usable.map((one) => ({
      name: one.name,
      site: one.site,
      rir: one.rir,
      place:
        one.latitude === undefined || one.longitude === undefined
          ? undefined
          : { latitude: one.latitude, longitude: one.longitude },
      keys: one.keys.map(toKey),
      client: clientOf(one.name, one.address),
    }));
    known = { perspectives, at: clock.now().getTime() };
    isDoubted = false;
    return perspectives;
  };
  return {
    list: async () => {
      const goodMs = isDoubted ? doubtfulMs : freshMs;
      if (known !== undefined && Math.abs(clock.now().getTime() - known.at) < goodMs) return known.perspectives;
      asking ??= refresh().finally(() => {
        asking = undefined;
      });
      if (known === undefined) return await asking;
      const last = known;
      return await asking.catch((err: unknown) => {
        log.warn({ err }, 'the list of perspectives cannot be read; the last known one is used');
        known = { ...last, at: clock.now().getTime() };
        return last.perspectives;
      });
    },
    known: () => known?.perspectives ?? [],
    doubt: () => {
      isDoubted = true;
    },
    close: async () => {
      for (const [name, member] of members) drop(name, member);
    },
  };
}
