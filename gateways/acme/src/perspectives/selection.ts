// Chooses the remote perspectives of an attempt before any of them is asked (BR §3.2.2.9: what is used is fixed beforehand).
// Where more are registered than needed, a keyed hash of the name decides, so that nobody outside can foresee whom to
// deceive; sites that a zone demands come first, and dead perspectives last, but never below the number that is needed.

import { createHmac } from 'node:crypto';
import { distanceKilometres } from '@gatehouse/ra-client/distance';
import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { RemotePerspective } from './registry.ts';

/** BR §3.2.2.9. */
const minimumKilometres = 500;

/** What {@link selectPerspectives} takes. */
export type SelectionOptions = {
  readonly registered: readonly RemotePerspective[];
  readonly rules: Pick<ValidationRules, 'remotes' | 'policy' | 'requiredSites'>;
  /** Canonical, without `*.`. */
  readonly name: string;
  /** Shared by all copies of the gate, known to nobody else. */
  readonly secret: Uint8Array;
  /** Whether a perspective should be left out where others are enough. */
  readonly isOpen: (perspective: string) => boolean;
};

/** Name of the policy whose perspectives must lie apart (BR §3.2.2.9). */
export const publicPolicy = 'public-br';

/** The perspectives of an attempt, sorted by name; fewer than the rules demand when fewer are registered. */
export function selectPerspectives(options: SelectionOptions): readonly RemotePerspective[] {
  const { registered, rules, name, secret, isOpen } = options;
  const ranked = registered
    .map((perspective) => ({
      perspective,
      isOpen: isOpen(perspective.name),
      rank: rank(secret, name, perspective.name),
    }))
    .sort((a, b) => Number(a.isOpen) - Number(b.isOpen) || (a.rank < b.rank ? -1 : 1))
    .map(({ perspective }) => perspective);
  const chosen: RemotePerspective[] = [];
  const sites = requiredSites(rules, name);
  for (const site of sites) {
    const seer = ranked.find((perspective) => perspective.site === site);
    if (seer !== undefined && !chosen.includes(seer)) chosen.push(seer);
  }
  const isPublic = rules.policy === publicPolicy;
  for (const perspective of ranked) {
    if (chosen.length >= rules.remotes) break;
    if (chosen.includes(perspective) || !isDistinct(perspective, chosen, isPublic)) continue;
    chosen.push(perspective);
  }
  if (isPublic) mixRegions(chosen, ranked);
  return chosen.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Sites that must have corroborated a name, by the zones it is in. */
export function requiredSites(rules: Pick<ValidationRules, 'requiredSites'>, name: string): readonly string[] {
  const sites = rules.requiredSites
    .filter(({ zone }) => name === zone || name.endsWith(`.${zone}`))
    .flatMap((zone) => zone.sites);
  return [...new Set(sites)];
}

function rank(secret: Uint8Array, name: string, perspective: string): string {
  return createHmac('sha256', secret).update(`${name}\0${perspective}`).digest('latin1');
}

// Two that count as one would be one too few: by their distance under the public policy, by their sites under others.
function isDistinct(candidate: RemotePerspective, chosen: readonly RemotePerspective[], isPublic: boolean): boolean {
  if (!isPublic) return chosen.every(({ site }) => site !== candidate.site);
  const { place } = candidate;
  return (
    place !== undefined &&
    chosen.every((other) => other.place !== undefined && distanceKilometres(place, other.place) >= minimumKilometres)
  );
}

// BR §3.2.2.9: corroborating perspectives of at least two regions; with three of each kind one may fail.
function mixRegions(chosen: RemotePerspective[], ranked: readonly RemotePerspective[]): void {
  const [first] = chosen;
  if (first === undefined || chosen.some(({ rir }) => rir !== first.rir)) return;
  const others = chosen.slice(0, -1);
  const stranger = ranked.find((one) => one.rir !== first.rir && isDistinct(one, others, true));
  if (stranger !== undefined && chosen.length > 1) chosen[chosen.length - 1] = stranger;
}
