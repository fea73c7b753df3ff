/** What `up` prints once everything answers. The first line is `ready`, alone: scripts wait for it. */
import type { DataDirectory } from '../data-directory.ts';
import type { Endpoints } from './endpoints.ts';
import type { Gate } from './gates.ts';

/** What {@link welcome} takes. */
export type WelcomeOptions = {
  readonly data: DataDirectory;
  readonly endpoints: Endpoints;
  readonly gates: readonly Gate[];
  readonly isForTryingOut: boolean;
};

/** The text. */
export function welcome({ data, endpoints, gates, isForTryingOut }: WelcomeOptions): string {
  const commands = gates.map((gate) => gate.tryThis(data, endpoints)).filter((text) => text !== undefined);
  return [
    'ready',
    '',
    ...(endpoints.est === undefined ? [] : [`EST gate   ${endpoints.est.url}/.well-known/est/`]),
    ...(endpoints.status === undefined
      ? []
      : [`status     ${endpoints.status.ocsp}  ${endpoints.status.crl}/issuing.crl`]),
    `core       ${endpoints.core.address}`,
    `addresses  ${data.endpoints}`,
    ...(commands.length === 0 ? [] : ['', 'Try this in another terminal:', '', commands.join('\n\n')]),
    ...(isForTryingOut ? ['', banner] : []),
    '',
    'Ctrl-C stops everything.',
  ].join('\n');
}

const banner = `\
This is for trying out, on this machine alone: the user 'demo' and the names that it may enrol were made up for this
directory. A CA that others rely on begins with 'gatehouse init --production'.`;
