// The URLs of a directory, RFC 8555 §7.1: written for a base, and read back to ids. One base is canonical, others are
// aliases of it; a request says by its Host which of them its client uses. Nothing that a client sends becomes a base.

/** Paths below a base. */
export const paths = {
  directory: '/directory',
  newNonce: '/acme/new-nonce',
  newAccount: '/acme/new-account',
  newOrder: '/acme/new-order',
  newAuthz: '/acme/new-authz',
  revokeCert: '/acme/revoke-cert',
  keyChange: '/acme/key-change',
  renewalInfo: '/acme/renewal-info',
} as const;

/** How paths below a base are written, where they are not to be those of this file, and read back to them. */
export type PathSpelling = { write(path: string): string; read(path: string): string };

const plainly: PathSpelling = { write: (path) => path, read: (path) => path };

/** Writes the URLs of resources. @param base of the request that is answered, or of the account */
export type AcmeUrls = {
  /** The base that URLs begin with where there is no request. */
  readonly canonical: string;
  /** All of them, the canonical one first. */
  readonly bases: readonly string[];
  /**
   * The base that a client used, by the origin it came to; the canonical one for an origin that has none. `path` is what
   * remains of the target.
   *
   * @param origin `https://host:port`
   * @param target path with its query
   * @returns undefined when the target is not below a base of the origin
   */
  locate(origin: string, target: string): { readonly base: string; readonly path: string } | undefined;
  directory(base: string): string;
  /** @param path one of {@link paths} */
  resource(base: string, path: string): string;
  account(base: string, id: string): string;
  orders(base: string, accountId: string): string;
  order(base: string, id: string): string;
  finalize(base: string, orderId: string): string;
  authorization(base: string, id: string): string;
  challenge(base: string, authorizationId: string, type: string): string;
  /** @param alternate 0 is the default chain, RFC 8555 §7.4.2 */
  certificate(base: string, id: string, alternate?: number): string;
  /** The id in the URL of an account under any base. */
  readAccountId(url: string): string | undefined;
  /** The id in a URL of the same kind, whatever its base: for accounts whose base is no longer configured. */
  readAnyAccountId(url: string): string | undefined;
};

/** What {@link createUrls} takes. */
export type AcmeUrlsOptions = {
  /** Without a trailing slash, the canonical one first. */
  readonly bases: readonly [string, ...string[]];
  /** For test suites alone. */
  readonly spelling?: PathSpelling | undefined;
  /** Takes the origin of each request for a base: for test suites alone. */
  readonly reflectsOrigin?: boolean | undefined;
};

const accountForm = /^(https?:\/\/[^/?#]+(?:\/[^?#]*)?)\/acme\/account\/([A-Za-z0-9_-]{1,64})$/;

/** Makes the URLs of a directory. */
export function createUrls({
  bases,
  spelling: { write, read } = plainly,
  reflectsOrigin = false,
}: AcmeUrlsOptions): AcmeUrls {
  const [canonical] = bases;
  const known = new Set(bases);
  const places = bases
    .map((base) => {
      const { origin } = new URL(base);
      return { base, origin, prefix: base.slice(origin.length) };
    })
    // One base may be below another: the longer one is meant.
    .sort((one, other) => other.prefix.length - one.prefix.length);
  const canonicalOrigin = new URL(canonical).origin;
  const plain = (url: string): string => {
    const [origin = ''] = /^https?:\/\/[^/?#]+/.exec(url) ?? [];
    return origin + read(url.slice(origin.length));
  };
  const byOrigin = Map.groupBy(places, ({ origin }) => origin);
  return {
    canonical,
    bases,
    locate: (origin, target) => {
      if (reflectsOrigin) return { base: origin, path: target };
      const candidates = byOrigin.get(origin) ?? byOrigin.get(canonicalOrigin);
      const place = candidates?.find(({ prefix }) => target.startsWith(`${prefix}/`));
      return place === undefined ? undefined : { base: place.base, path: target.slice(place.prefix.length) };
    },
    directory: (base) => base + write(paths.directory),
    resource: (base, path) => base + write(path),
    account: (base, id) => base + write(`/acme/account/${id}`),
    orders: (base, accountId) => base + write(`/acme/account/${accountId}/orders`),
    order: (base, id) => base + write(`/acme/order/${id}`),
    finalize: (base, orderId) => base + write(`/acme/order/${orderId}/finalize`),
    authorization: (base, id) => base + write(`/acme/authz/${id}`),
    challenge: (base, authorizationId, type) => base + write(`/acme/challenge/${authorizationId}/${type}`),
    certificate: (base, id, alternate = 0) =>
      base + write(`/acme/certificate/${id}${alternate === 0 ? '' : `/${alternate}`}`),
    readAccountId: (url) => {
      const [, base = '', id] = accountForm.exec(plain(url)) ?? [];
      return reflectsOrigin || known.has(base) ? id : undefined;
    },
    readAnyAccountId: (url) => accountForm.exec(plain(url))?.[2],
  };
}
