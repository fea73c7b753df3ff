// Whether this gate should get traffic. It goes on alone while the keep is away, and is degraded then; it is unready when it
// has to say 'later' about something that it is there for: nothing was ever loaded, or something that it holds has ended.

import type { Clock } from '@gatehouse/runtime/clock';
import type { ReadinessProblem } from '@gatehouse/runtime/management';
import type { Follower } from './follower.ts';
import type { CrlShelf } from './state/crl-shelf.ts';
import type { Progress } from './state/progress.ts';
import type { ResponseDisk } from './state/response-disk.ts';
import type { Responses } from './state/responses.ts';

/** What is looked at. */
export type ReadinessSources = {
  readonly follower: Pick<Follower, 'isFollowing' | 'missingCrls'>;
  readonly progress: Progress;
  readonly crls: CrlShelf;
  readonly disk: Pick<ResponseDisk, 'countEnded' | 'firstEnd'>;
  readonly responses: Pick<Responses, 'diskFailure'>;
  readonly clock: Clock;
};

/** Looks. */
export function describeStatus(sources: ReadinessSources): readonly ReadinessProblem[] {
  const { progress, responses } = sources;
  if (!progress.wasLoaded) return [{ check: 'status', detail: 'nothing has been loaded from the CA core yet' }];
  const now = sources.clock.now().getTime();
  const problems: ReadinessProblem[] = [...describeCrls(sources, now), ...describeStream(sources, now)];
  if (responses.diskFailure !== undefined) {
    const detail = `the copy on the disk falls behind: ${responses.diskFailure}`;
    problems.push({ check: 'copy', detail, isTolerable: true });
  }
  return problems;
}

function describeCrls({ crls, follower }: ReadinessSources, now: number): readonly ReadinessProblem[] {
  const problems: ReadinessProblem[] = [];
  for (const { facts } of crls.all) {
    if (facts.nextUpdate.getTime() > now) continue;
    const what = `${facts.isDelta ? 'delta CRL' : 'CRL'} '${facts.scope}'`;
    problems.push({
      check: 'crl',
      detail: `the ${what} ended at ${facts.nextUpdate.toISOString()}`,
      // RFC 5280 §5.2.4: who finds no delta goes by the complete CRL, which lives longer.
      isTolerable: facts.isDelta,
    });
  }
  const missing = follower.missingCrls.filter((name) => crls.find(name) === undefined);
  if (missing.length > 0) {
    problems.push({ check: 'crl', detail: `not fetched yet: ${missing.slice(0, 10).join(', ')}` });
  }
  return problems;
}

function describeStream(
  { follower, progress, disk, crls }: ReadinessSources,
  now: number,
): readonly ReadinessProblem[] {
  if (follower.isFollowing) return [];
  const since = new Date(progress.currentAt).toISOString();
  const ended = disk.countEnded(progress.currentAt, now);
  if (ended > 0) {
    return [{ check: 'stream', detail: `${ended} OCSP responses have ended since the CA core was followed, ${since}` }];
  }
  const ends = [disk.firstEnd(), ...[...crls.all].map(({ facts }) => facts.nextUpdate.getTime())].filter(
    (end) => end !== undefined && end > now,
  );
  const first =
    ends.length === 0 ? '' : `; the first of it ends at ${new Date(Math.min(...ends.map(Number))).toISOString()}`;
  return [
    {
      check: 'stream',
      detail: `the CA core was followed until ${since}; what is held is served on${first}`,
      isTolerable: true,
    },
  ];
}
