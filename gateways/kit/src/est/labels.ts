// Labels, RFC 7030 §3.2.2: each is a name in a path that selects a profile and a policy. What a label says stands in
// configuration.ts; here is how one is found.

import type { Label, LabelSettings } from './configuration.ts';

/** Labels as they may be configured: visible ASCII that needs no quoting in a path; `:` as in `ca:7` is fine. */
export const labelForm = /^[A-Za-z0-9][A-Za-z0-9._~:@!$&'()*+,;=-]{0,63}$/;

/** The labels by name, and the one that is meant when a path names none. */
export type Labels = {
  /** The label of this name (exactly, else without case if that is unambiguous), or undefined. */
  find(name: string | undefined): Label | undefined;
  readonly all: readonly Label[];
};

/** What {@link collectLabels} takes: the part of the configuration that speaks of labels. */
export type LabelsSection = {
  readonly labels: Readonly<Record<string, LabelSettings>>;
  readonly defaultLabel?: string | undefined;
};

/** Makes the look-up of labels. */
export function collectLabels({ labels, defaultLabel }: LabelsSection): Labels {
  const all = Object.entries(labels).map(([name, label]) => ({ ...label, name }));
  const byName = new Map(all.map((label) => [label.name, label]));
  return {
    all,
    find: (given) => {
      const name = given ?? defaultLabel;
      if (name === undefined) return undefined;
      const exact = byName.get(name);
      if (exact !== undefined) return exact;
      const similar = all.filter((label) => label.name.toLowerCase() === name.toLowerCase());
      return similar.length === 1 ? similar[0] : undefined;
    },
  };
}
