/**
 * How the registered perspectives meet a policy, now and by its later rows, and with any one of them away: for operators, who
 * have to act before certificates are refused. It judges by labels, keys and credentials; it asks nobody.
 */
import type { PerspectiveFinding } from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import { distanceKilometres, type Place } from '@gatehouse/proto/distance';
import type { Keep } from '../../keep.ts';
import type { PerspectiveRecord } from '../../registry/perspectives.ts';
import { judgeQuorum, type Vantage } from '../quorum.ts';
import { allowedFailures, type Policy, type PolicyRow, rowAt } from './policy.ts';

/** BR §3.2.2.9 names no model of the Earth: whoever is so close to the line may be over it by another one. */
const narrowKilometres = 5;

/** A credential that ends within this is not being renewed: they are renewed at half of their life. */
const credentialWarningMs = 6 * 3_600_000;

type Finding = { readonly severity: 'ok' | 'warning' | 'error'; readonly from?: Date; readonly detail: string };

type Checked = {
  readonly policy: Policy;
  readonly now: Date;
  /** That are not disabled. */
  readonly perspectives: readonly PerspectiveRecord[];
  readonly keep: Pick<Keep, 'registry' | 'validation' | 'profiles'>;
};

/**
 * Findings on one policy, or on all that profiles name.
 *
 * @param policyName empty: all policies of profiles whose names are validated
 * @throws {CoreError} `not-found` for a policy that there is not
 */
export function checkPerspectives(
  keep: Pick<Keep, 'registry' | 'validation' | 'profiles' | 'clock'>,
  policyName: string,
): PerspectiveFinding[] {
  const perspectives = keep.registry.listPerspectives().filter(({ isDisabled }) => !isDisabled);
  return policiesFor(keep, policyName).flatMap((policy) => {
    const checked = { policy, now: keep.clock.now(), perspectives, keep };
    const findings = [
      ...rowFindings(checked),
      ...pairFindings(checked),
      ...absenceFindings(checked),
      ...siteFindings(checked),
      ...keyFindings(checked),
      ...credentialFindings(checked),
    ];
    return (findings.length === 0 ? [inOrder(checked)] : findings).map(({ severity, from, detail }) => ({
      policy: policy.name,
      severity,
      from,
      detail,
    }));
  });
}

function policiesFor({ validation, profiles }: Pick<Keep, 'validation' | 'profiles'>, name: string): readonly Policy[] {
  if (name !== '') {
    const policy = validation.policies.get(name);
    if (policy === undefined) throw new CoreError('not-found', `there is no policy ${name.slice(0, 64)}`);
    return [policy];
  }
  const bound = [...profiles.values()].flatMap((profile) =>
    profile.validation === undefined || profile.validation.mode === 'off' ? [] : [profile.validation.policy],
  );
  return [...new Set(bound)];
}

function inOrder({ policy, now, perspectives }: Checked): Finding {
  return {
    severity: 'ok',
    detail: `${perspectives.length} perspectives meet ${rowAt(policy, now).version} and its later rows`,
  };
}

/** The rows that count now and later, each from its date on. */
function rowsToCome({ policy, now }: Checked): readonly { readonly row: PolicyRow; readonly from: Date | undefined }[] {
  const current = rowAt(policy, now);
  const later = policy.rows.filter(({ from }) => from > now.getTime());
  return [{ row: current, from: undefined }, ...later.map((row) => ({ row, from: new Date(row.from) }))];
}

/** From when on the set stops satisfying the policy, although all corroborate. */
function rowFindings(checked: Checked): readonly Finding[] {
  for (const { row, from } of rowsToCome(checked)) {
    for (const [gate, primaryPlace] of placesOfPrimaries(checked, row)) {
      if (row.distinctBy.kind === 'distance' && primaryPlace === undefined) {
        return [
          {
            severity: 'error',
            detail: 'core.validation.primaries does not say where the gates stand, so nobody is 500 km from there',
          },
        ];
      }
      const shortfall = shortfallOf(row, checked.perspectives, primaryPlace);
      if (shortfall === undefined) continue;
      const seenFrom = gate === undefined ? '' : ` (seen from the gate ${gate})`;
      const detail = `${row.version} is not satisfied by the ${checked.perspectives.length} registered: ${shortfall}${seenFrom}`;
      return [{ severity: 'error', ...(from === undefined ? {} : { from }), detail }];
    }
  }
  return [];
}

function placesOfPrimaries(
  { keep }: Checked,
  { distinctBy }: PolicyRow,
): readonly (readonly [string | undefined, Place | undefined])[] {
  const places = [...keep.validation.primaries];
  return distinctBy.kind === 'site' || places.length === 0 ? [[undefined, undefined]] : places;
}

function shortfallOf(
  row: PolicyRow,
  perspectives: readonly PerspectiveRecord[],
  primaryPlace: Place | undefined,
): string | undefined {
  const vantages = perspectives.map(vantageOf);
  return judgeQuorum(row, {
    used: vantages.length,
    vantages,
    corroborations: vantages.map((vantage) => ({ vantage, foreignResolvers: new Set<string>() })),
    requiredSites: new Set(),
    primaryPlace,
  }).shortfall;
}

function vantageOf({ name, site, rir, latitude, longitude }: PerspectiveRecord): Vantage {
  return {
    name,
    site,
    rir,
    place: latitude === undefined || longitude === undefined ? undefined : { latitude, longitude },
  };
}

/** Perspectives that count as one, or nearly. */
function pairFindings({ policy, now, perspectives, keep }: Checked): readonly Finding[] {
  const { distinctBy } = rowAt(policy, now);
  const remotes = perspectives.map(vantageOf);
  if (distinctBy.kind === 'site') {
    return [...Map.groupBy(remotes, ({ site }) => site)].flatMap(([site, same]): readonly Finding[] =>
      same.length < 2
        ? []
        : [
            {
              severity: 'warning',
              detail: `${same.map(({ name }) => name).join(' and ')} are both at ${site} and count as one`,
            },
          ],
    );
  }
  const primaries = [...keep.validation.primaries].map(([name, place]) => ({ name: `the gate ${name}`, place }));
  return [
    ...remotes.flatMap(({ name, place }): readonly Finding[] =>
      place === undefined ? [{ severity: 'error', detail: `${name} has no coordinates and never counts` }] : [],
    ),
    ...remotes.flatMap((a, i) =>
      [...remotes.slice(i + 1), ...primaries].flatMap((b) => nearness(a, b, distinctBy.kilometres)),
    ),
  ];
}

function nearness(
  a: { readonly name: string; readonly place: Place | undefined },
  b: { readonly name: string; readonly place: Place | undefined },
  kilometres: number,
): readonly Finding[] {
  if (a.place === undefined || b.place === undefined) return [];
  const apart = distanceKilometres(a.place, b.place);
  if (apart >= kilometres + narrowKilometres) return [];
  const text = `${a.name} and ${b.name} are ${apart.toFixed(1)} km apart`;
  return apart < kilometres
    ? [{ severity: 'error', detail: `${text}: below ${kilometres} km they do not count as two` }]
    : [{ severity: 'warning', detail: `${text}: another model of the Earth may put them below ${kilometres} km` }];
}

/** What is left when any one of them fails. */
function absenceFindings({ policy, now, perspectives, keep }: Checked): readonly Finding[] {
  const row = rowAt(policy, now);
  return perspectives.flatMap(({ name }): readonly Finding[] => {
    const rest = perspectives.filter((other) => other.name !== name);
    const registries = [...new Set(rest.flatMap(({ rir }) => (rir === '' ? [] : [rir])))].sort();
    if (row.registries > 0 && registries.length < row.registries) {
      const left = registries.length === 0 ? 'no RIR region' : `only ${registries.join(', ')}`;
      return [{ severity: 'warning', detail: `without ${name} ${left} is left where ${row.registries} are needed` }];
    }
    // An attempt that uses all of them may lose one, if the policy allows for a failure.
    const { primaries } = keep.validation;
    const [primaryPlace] = primaries.values();
    const survives =
      shortfallOf(row, rest, primaryPlace) === undefined ||
      (perspectives.length >= row.remotes && allowedFailures(row, perspectives.length) > 0);
    return survives
      ? []
      : [{ severity: 'warning', detail: `without ${name} nothing is certified under ${row.version}` }];
  });
}

function siteFindings({ policy, now, perspectives }: Checked): readonly Finding[] {
  return rowAt(policy, now).requiredSites.flatMap(({ zone, sites }) =>
    sites.flatMap((site): readonly Finding[] => {
      const there = perspectives.filter((perspective) => perspective.site === site);
      if (there.length === 0) {
        return [
          { severity: 'error', detail: `names below ${zone} must be seen from ${site}, where no perspective stands` },
        ];
      }
      if (there.length > 1) return [];
      return [
        {
          severity: 'warning',
          detail: `without ${there[0]?.name} no name below ${zone} is certified: only it stands at ${site}`,
        },
      ];
    }),
  );
}

function keyFindings({ perspectives, keep, now }: Checked): readonly Finding[] {
  return perspectives.flatMap(({ name, uri }): readonly Finding[] => {
    const keys = keep.registry.listSigningKeys(uri);
    const isActive = keys.some(
      ({ activeFrom, retiredAt, revokedAt }) => activeFrom <= now && retiredAt === undefined && revokedAt === undefined,
    );
    if (isActive) return [];
    const why =
      keys.length === 0 ? 'has registered no signing key' : 'has no active signing key: all are retired or revoked';
    return [{ severity: 'error', detail: `${name} ${why}` }];
  });
}

function credentialFindings({ perspectives, now }: Checked): readonly Finding[] {
  return perspectives.flatMap(({ name, credentialExpiresAt }): readonly Finding[] => {
    if (credentialExpiresAt === undefined) return [{ severity: 'error', detail: `${name} has not joined yet` }];
    const leftMs = credentialExpiresAt.getTime() - now.getTime();
    if (leftMs > credentialWarningMs) return [];
    const detail = `the credential of ${name} ${leftMs <= 0 ? 'has ended' : 'ends soon and is not being renewed'}`;
    return [{ severity: leftMs <= 0 ? 'error' : 'warning', from: credentialExpiresAt, detail }];
  });
}
