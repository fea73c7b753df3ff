// What an operator may call a perspective and where it may say that it stands. Policies judge by these labels (BR
// §3.2.2.9: distance, service regions), so one that could never match is refused here and not at issuance.

import { CoreError } from '@gatehouse/proto/core-error';
import type { NewPerspective } from '../store/perspectives.ts';
import { callerNameForm } from './caller.ts';

/** Service regions, BR §3.2.2.9; the empty text stands for a private network. */
export const internetRegistries = ['ARIN', 'RIPE', 'APNIC', 'LACNIC', 'AFRINIC'] as const;

/** Refuses labels that are none. Throws CoreError `malformed`. */
export function checkPerspective({ name, site, rir, latitude, longitude }: NewPerspective): void {
  checkForm('name', name);
  checkForm('site', site);
  if (rir !== '' && !internetRegistries.some((known) => known === rir)) {
    throw new CoreError('malformed', `the registry must be one of ${internetRegistries.join(', ')}, or none`);
  }
  if ((latitude === undefined) !== (longitude === undefined)) {
    throw new CoreError('malformed', 'a place needs both its latitude and its longitude');
  }
  checkDegrees('latitude', latitude, 90);
  checkDegrees('longitude', longitude, 180);
}

function checkForm(label: string, text: string): void {
  if (callerNameForm.test(text)) return;
  throw new CoreError('malformed', `a ${label} must be 1 to 63 lower-case letters, digits and inner hyphens`);
}

function checkDegrees(label: string, degrees: number | undefined, most: number): void {
  if (degrees === undefined || (Number.isFinite(degrees) && Math.abs(degrees) <= most)) return;
  throw new CoreError('malformed', `the ${label} must be a number of degrees between -${most} and ${most}`);
}
