/**
 * What was verified of each name, one line a check, as the audit log holds it and `gatehouse evidence show` prints it (BR §5.4.1
 * items 2.7 and 2.8, mpic.md §4). A line never holds text that a client or a gate chose freely, but in quotes.
 */
import type { NameVerdict } from './judge-name.ts';
import type { SetVerdict } from './judge-set.ts';
import type { CertifiedName } from './name-coverage.ts';

/** Text of causes that a line or an error takes. */
const longestCause = 400;

/** `*.a.example`. */
export function nameText({ value, isWildcard }: CertifiedName): string {
  return isWildcard ? `*.${value}` : value;
}

/** A cause without control characters, not longer than a line bears. */
export function causeText(cause: string): string {
  const plain = cause.replace(/\p{Cc}/gu, ' ');
  return plain.length > longestCause ? `${plain.slice(0, longestCause)}…` : plain;
}

/** The lines of one name. @param version of the policy: `public-br@2026-06-15` */
export function verdictLines({ name, control, caa, fault }: NameVerdict, version: string): readonly string[] {
  const sets = [control, caa].filter((set) => set !== undefined);
  const lines = sets.flatMap((set) => [
    checkLine(name, set, version),
    ...set.judged.lies.map((lie) => `statement refused name=${nameText(name)} cause=${JSON.stringify(causeText(lie))}`),
  ]);
  if (fault === undefined) return lines;
  return [
    ...lines,
    `mpic name=${nameText(name)} verdict=fail policy=${version} cause=${JSON.stringify(causeText(fault.cause))}`,
  ];
}

function checkLine(name: CertifiedName, { judged, quorum, shortfall }: SetVerdict, version: string): string {
  const { check, method, attempt, perspectives } = judged.set;
  const failed = perspectives.filter((each) => !quorum.counted.includes(each));
  return [
    'mpic',
    `name=${nameText(name)}`,
    `method=${method}`,
    `check=${check}`,
    `quorum=${quorum.counted.length}/${perspectives.length}`,
    ...(quorum.registries.length === 0 ? [] : [`rirs=${quorum.registries.join(',')}`]),
    `verdict=${shortfall === undefined ? 'pass' : 'fail'}`,
    `policy=${version}`,
    `attempt=${attempt}`,
    ...(failed.length === 0 ? [] : [`failed=${failed.join(',')}`]),
    // Anybody could have made them: the log must not say that a perspective saw what it did not.
    ...(judged.isVerified ? [] : ['signatures=unverified']),
  ].join(' ');
}
