// What `/.well-known/core` says of this gate, RFC 9148 §4.1 with RFC 7252 §7.2: each resource under each label, with its
// resource type and the content formats of its responses.

import { filterLinks, type Link, writeLinks } from './link-format.ts';
import { type ResourceName, resources } from './resources.ts';

/** What is served under one label. */
export type ServedLabel = {
  /** Undefined for the default label, whose paths have none. */
  readonly label: string | undefined;
  readonly resources: readonly ResourceName[];
};

/**
 * The links of the gate, below the short root: a constrained client need not send `/.well-known/est` each time.
 *
 * @param root segment of the short root: 'est'
 */
export function discoveryLinks(root: string, served: readonly ServedLabel[]): readonly Link[] {
  return served.flatMap(({ label, resources: names }) =>
    names.map((name): Link => {
      const segments = label === undefined ? [root, name] : [root, label, name];
      return {
        href: `/${segments.map(encodeURIComponent).join('/')}`,
        attributes: { rt: `ace.est.${name}`, ct: resources[name].formats },
      };
    }),
  );
}

/** The payload of a discovery, RFC 6690 §4. Where nothing matches it is empty: that is no error, RFC 6690 §4.1. */
export function writeDiscovery(links: readonly Link[], query: readonly string[]): Uint8Array {
  return Buffer.from(writeLinks(filterLinks(links, query)));
}
