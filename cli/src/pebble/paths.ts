/**
 * The paths of Pebble in place of those of the gate. No client should care, but suites compare: they look for `/certZ/` in the
 * URL of a certificate, and for nothing but word characters behind it.
 */
import type { PathSpelling } from '@gatehouse/gateway-acme/urls';

/** Ours, theirs; ID is an id, REST anything without a slash. */
const pairs: readonly (readonly [string, string])[] = [
  ['/directory', '/dir'],
  ['/acme/new-nonce', '/nonce-plz'],
  ['/acme/new-account', '/sign-me-up'],
  ['/acme/new-order', '/order-plz'],
  ['/acme/revoke-cert', '/revoke-cert'],
  ['/acme/key-change', '/rollover-account-key'],
  ['/acme/renewal-info', '/draft-ietf-acme-ari-03/renewalInfo'],
  ['/acme/renewal-info/REST', '/draft-ietf-acme-ari-03/renewalInfo/REST'],
  ['/acme/account/ID', '/my-account/ID'],
  ['/acme/account/ID/orders', '/list-orderz/ID'],
  ['/acme/order/ID', '/my-order/ID'],
  ['/acme/order/ID/finalize', '/finalize-order/ID'],
  ['/acme/authz/ID', '/authZ/ID'],
  ['/acme/challenge/ID/REST', '/chalZ/ID/REST'],
  ['/acme/certificate/ID', '/certZ/ID'],
  ['/acme/certificate/ID/REST', '/certZ/ID/alternate/REST'],
];

const form = (template: string, id: string): RegExp =>
  new RegExp(`^${template.replace('ID', `(?<id>${id})`).replace('REST', '(?<rest>[^/]+)')}$`);

const rules = pairs.map(([ours, theirs]) => ({
  ours,
  theirs,
  isOurs: form(ours, '[A-Za-z0-9_-]+'),
  isTheirs: form(theirs, '(?:[0-9a-f]{2})+'),
}));

/** A path that is in no table stands as it is. */
export const pebblePaths: PathSpelling = {
  write: (path) => {
    for (const { isOurs, theirs } of rules) {
      const { groups = {} } = isOurs.exec(path) ?? {};
      if (isOurs.test(path)) return fill(theirs, Buffer.from(groups.id ?? '', 'latin1').toString('hex'), groups.rest);
    }
    return path;
  },
  read: (path) => {
    for (const { isTheirs, ours } of rules) {
      const { groups = {} } = isTheirs.exec(path) ?? {};
      if (isTheirs.test(path)) return fill(ours, Buffer.from(groups.id ?? '', 'hex').toString('latin1'), groups.rest);
    }
    return path;
  },
};

function fill(template: string, id: string, rest = ''): string {
  return template.replace('ID', () => id).replace('REST', () => rest);
}
