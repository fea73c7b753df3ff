// Which resource is at which path and what it takes, RFC 8555 §7.1: the whole surface of the gate as one table.

import { updateAccount } from './account.ts';
import type { SigningRule } from './authenticate.ts';
import { authorization } from './authorization.ts';
import { certificate } from './certificate.ts';
import { challenge } from './challenge.ts';
import { answerDirectory } from './directory.ts';
import type { KeyOperation, OpenOperation, Operation, Parameters } from './exchange.ts';
import { finalize } from './finalize.ts';
import type { AcmeGate } from './gate.ts';
import { changeKey } from './key-change.ts';
import { newAccount } from './new-account.ts';
import { newAuthorization } from './new-authorization.ts';
import { newOrder } from './new-order.ts';
import { getOrder } from './order.ts';
import { listOrders } from './orders-list.ts';
import { renewalInformation } from './renewal-information.ts';
import { revokeCertificate } from './revoke.ts';
import { paths } from './urls.ts';

/** What is signed for a resource, and who answers it. */
export type SignedPart =
  | (SigningRule & { readonly signer: 'account'; readonly run: Operation })
  | (SigningRule & { readonly signer: 'key' | 'either'; readonly run: KeyOperation });

/** A resource. */
export type Route = {
  /** Name for metrics and the log. */
  readonly name: string;
  /** Segments of the path; one that begins with a colon is a parameter. */
  readonly path: string;
  /** Answers GET and HEAD, from anybody. */
  readonly get?: OpenOperation;
  /** Answers POST. */
  readonly post?: SignedPart;
  /** Whether the path may have a query. */
  readonly takesQuery?: boolean;
  /** Whether it is there. */
  readonly isOn?: (gate: AcmeGate) => boolean;
};

/** A resource that was found, with what stood in its path. */
export type RouteMatch = { readonly route: Route; readonly parameters: Parameters };

const read = { signer: 'account', payload: 'none' } as const;
const write = { signer: 'account', payload: 'object' } as const;
const both = { signer: 'account', payload: 'any' } as const;

const directory: OpenOperation = (gate, { base }) => Promise.resolve(answerDirectory(gate, base));
// RFC 8555 §7.2: the nonce is added to every answer of this path.
const newNonce: OpenOperation = () => Promise.resolve({ status: 204, cacheControl: 'no-store' });

/** All of them. */
export function routes(): readonly Route[] {
  return [
    { name: 'directory', path: paths.directory, get: directory, post: { ...read, run: directory } },
    { name: 'newNonce', path: paths.newNonce, get: newNonce, post: { ...read, run: newNonce } },
    { name: 'newAccount', path: paths.newAccount, post: { signer: 'key', payload: 'object', run: newAccount } },
    { name: 'account', path: '/acme/account/:id', post: { ...both, run: updateAccount } },
    { name: 'orders', path: '/acme/account/:id/orders', takesQuery: true, post: { ...read, run: listOrders } },
    {
      name: 'newAuthz',
      path: paths.newAuthz,
      post: { ...write, run: newAuthorization },
      isOn: ({ configuration }) => configuration.newAuthz,
    },
    { name: 'newOrder', path: paths.newOrder, post: { ...write, run: newOrder } },
    { name: 'order', path: '/acme/order/:id', post: { ...read, run: getOrder } },
    { name: 'finalize', path: '/acme/order/:id/finalize', post: { ...write, run: finalize } },
    { name: 'authz', path: '/acme/authz/:id', post: { ...both, run: authorization } },
    { name: 'challenge', path: '/acme/challenge/:id/:type', post: { ...both, run: challenge } },
    { name: 'certificate', path: '/acme/certificate/:id', post: { ...read, run: certificate } },
    { name: 'certificate', path: '/acme/certificate/:id/:alternate', post: { ...read, run: certificate } },
    {
      name: 'revokeCert',
      path: paths.revokeCert,
      post: { signer: 'either', payload: 'object', run: revokeCertificate },
    },
    {
      name: 'renewalInfo',
      path: `${paths.renewalInfo}/:certId`,
      get: renewalInformation,
      isOn: ({ configuration }) => configuration.renewalInfo,
    },
    { name: 'keyChange', path: paths.keyChange, post: { ...write, run: changeKey } },
  ];
}

/** Finds the route of a path. */
export type Router = (path: string) => RouteMatch | undefined;

/** A certID of a hundred octets is a long one; what is longer than this is no resource. */
const longestPath = 2_048;

/** Creates the router of a table. */
export function createRouter(table: readonly Route[]): Router {
  const fixed = new Map<string, RouteMatch>();
  const variable = new Map<number, { readonly route: Route; readonly segments: readonly string[] }[]>();
  for (const route of table) {
    if (!route.path.includes(':')) {
      fixed.set(route.path, { route, parameters: {} });
      continue;
    }
    const segments = route.path.split('/');
    const alike = variable.get(segments.length) ?? [];
    variable.set(segments.length, [...alike, { route, segments }]);
  }
  return (path) => {
    if (path.length > longestPath) return undefined;
    const known = fixed.get(path);
    if (known !== undefined) return known;
    const segments = path.split('/');
    for (const { route, segments: pattern } of variable.get(segments.length) ?? []) {
      const parameters = matchSegments(pattern, segments);
      if (parameters !== undefined) return { route, parameters };
    }
    return undefined;
  };
}

/** What may stand in the variable part of a path: ids, challenge types, certIDs. Nothing that needs an escape. */
const parameterForm = /^[A-Za-z0-9._~=+-]+$/;

/** @param segments as many as the pattern has */
function matchSegments(pattern: readonly string[], segments: readonly string[]): Parameters | undefined {
  const parameters: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const expected = pattern[i] ?? '';
    const actual = segments[i] ?? '';
    if (!expected.startsWith(':')) {
      if (expected !== actual) return undefined;
    } else if (parameterForm.test(actual)) {
      parameters[expected.slice(1)] = actual;
    } else {
      return undefined;
    }
  }
  return parameters;
}
