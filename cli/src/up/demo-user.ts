/**
 * The user of the EST gate for trying things out: random password per data directory, and only the names that nobody
 * owns. It is made together with the configuration for trying out, and with no other.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '@gatehouse/runtime/private-file';
import type { DataDirectory } from '../data-directory.ts';

const username = 'demo';

/** Names that the demo gate and its user may have certified: RFC 2606 domains and loopback. */
export const demoNames = {
  dnsSuffixes: ['example.com', 'example.test', 'localhost'],
  ipRanges: ['127.0.0.0/8', '::1/128'],
  uriPrefixes: [],
  emailDomains: [],
};

/**
 * The subject attributes of the demo gate and its user: a device may call itself what it likes, and no more than that;
 * elsewhere a common name must be one of the names.
 */
export const demoSubjectAttributes = ['CN', 'serialNumber'].map((type) => `device-identity:${type}=*`);

/** Where its password is kept; the file says that the directory is for trying out. */
export function demoPasswordFile(data: DataDirectory): string {
  return data.secret('est-demo-password');
}

/** Whether the directory was made for trying out. */
export function isForTryingOut(data: DataDirectory): boolean {
  return existsSync(demoPasswordFile(data));
}

/** Makes the user, its password and users.yaml; a second run leaves them as they are. */
export async function makeDemoUser(data: DataDirectory): Promise<void> {
  const { addUser, listUsers } = await import('@gatehouse/gateway-est/users-file');
  const file = usersFile(data);
  const passwordFile = demoPasswordFile(data);
  const isKnown = listUsers(file).some(({ name }) => name === username);
  if (isKnown && existsSync(passwordFile)) return;
  const password = randomBytes(15).toString('base64url');
  await addUser(file, {
    name: username,
    password,
    labels: ['*'],
    names: { ...demoNames, subjectAttributes: demoSubjectAttributes },
    replaces: true,
  });
  writePrivateFile(passwordFile, `${password}\n`);
}

/** The user with its password, as long as an operator has removed neither. */
export async function findDemoUser(
  data: DataDirectory,
): Promise<{ readonly username: string; readonly password: string } | undefined> {
  if (!isForTryingOut(data)) return undefined;
  const { listUsers } = await import('@gatehouse/gateway-est/users-file');
  if (!listUsers(usersFile(data)).some(({ name, isDisabled }) => name === username && !isDisabled)) return undefined;
  return { username, password: readPrivateFile(demoPasswordFile(data)).toString('utf8').trimEnd() };
}

function usersFile(data: DataDirectory): string {
  return join(data.path, 'est/users.yaml');
}
