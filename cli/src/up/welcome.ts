/** What `up` prints once everything answers. The first line is `ready`, alone: scripts wait for it. */
import type { DataDirectory } from '../data-directory.ts';
import type { Endpoints } from './endpoints.ts';

/** What {@link welcome} takes. */
export type WelcomeOptions = {
  readonly data: DataDirectory;
  readonly endpoints: Endpoints;
  /** Commands to copy, one part for each gate. */
  readonly commands: readonly string[];
  readonly isForTryingOut: boolean;
};

/** The text. */
export function welcome({ data, endpoints, commands, isForTryingOut }: WelcomeOptions): string {
  return [
    'ready',
    '',
    ...(endpoints.est === undefined ? [] : [`EST gate   ${endpoints.est.url}/.well-known/est/`]),
    ...(endpoints.coap === undefined ? [] : [`CoAP gate  ${endpoints.coap.url}/.well-known/est/`]),
    ...(endpoints.acme === undefined ? [] : [`ACME gate  ${endpoints.acme.directory}`]),
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
This is for trying out, on this machine alone: the user 'demo', the device in demo/ and the names that they may enrol were
made up for this directory, and names are looked at from this machine alone. A CA that others rely on begins with
'gatehouse init --production'.`;
