// Versions of clients that do not say it themselves: what Debian's package manager has installed.

import assert from 'node:assert/strict';
import { output } from './command.ts';

/** The version of an installed package: `4.9.1-1`. @throws when it is not installed */
export async function packageVersion(name: string): Promise<string> {
  const said = (await output('dpkg-query', ['--status', name])).toString('utf8');
  const version = /^Version: (\S+)$/m.exec(said)?.[1];
  assert(version !== undefined, `dpkg-query names no version of ${name}`);
  return version;
}
