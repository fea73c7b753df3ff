/** What `gatehouse perspective` does, but for joining. */
import type { Perspective, PerspectiveFinding, SigningKey } from '@gatehouse/ra-client/administration';
import { FatalError } from '@gatehouse/runtime/fatal';
import { printToken, type TokenOptions, tokenLifeOf } from './join.ts';
import { asOperator, type OperatorOptions } from './operator.ts';
import { formatFields, formatTable, formatTime, note, print, printJson, printTable } from './output.ts';

/** Of `perspective add`. */
export type AddOptions = TokenOptions & {
  readonly site?: string | undefined;
  readonly rir?: string | undefined;
  readonly place?: string | undefined;
};

/** Of `perspective revoke-key`. */
export type RevokeKeyOptions = OperatorOptions & { readonly reason: string };

/** Registers a perspective. */
export async function addPerspective(name: string, options: AddOptions): Promise<void> {
  const request = {
    perspective: {
      name,
      site: options.site ?? name,
      rir: options.rir?.toUpperCase() ?? '',
      ...placeOf(options.place),
      isDisabled: false,
      address: '',
      keys: [],
      createdAt: undefined,
      credentialExpiresAt: undefined,
      build: '',
    },
    tokenLife: tokenLifeOf(options),
  };
  await asOperator(options, async ({ administration }) => {
    printToken('perspective', name, await administration.addPerspective(request), options);
  });
}

/** Makes a further join token. */
export async function createPerspectiveJoinToken(name: string, options: TokenOptions): Promise<void> {
  const tokenLife = tokenLifeOf(options);
  await asOperator(options, async ({ administration }) => {
    printToken('perspective', name, await administration.createPerspectiveJoinToken({ name, tokenLife }), options);
  });
}

/** Lists all perspectives. */
export async function listPerspectives(options: OperatorOptions): Promise<void> {
  const list = await asOperator(options, ({ validation }) => validation.listPerspectives());
  if (options.json === true) {
    printJson(list.map(describe));
    return;
  }
  printTable(
    list,
    [
      ['name', ({ name }) => name],
      ['state', stateOf],
      ['site', ({ site }) => site],
      ['region', ({ rir }) => rir || '-'],
      ['place', (one) => formatPlace(one) ?? '-'],
      ['address', ({ address }) => address || '-'],
      ['keys', ({ keys }) => String(keys.filter((key) => keyState(key) === 'active').length)],
      ['credential until', ({ credentialExpiresAt }) => formatTime(credentialExpiresAt)],
    ],
    "there is no perspective yet; register one with 'gatehouse perspective add'",
  );
}

/** Shows one perspective. */
export async function showPerspective(name: string, options: OperatorOptions): Promise<void> {
  const list = await asOperator(options, ({ validation }) => validation.listPerspectives());
  const perspective = list.find((one) => one.name === name);
  if (perspective === undefined) {
    throw new FatalError(`there is no perspective ${name}`, {
      hint: "see which there are: 'gatehouse perspective list'",
    });
  }
  if (options.json === true) {
    printJson(describe(perspective));
    return;
  }
  const { site, rir, address, build, keys, createdAt, credentialExpiresAt } = perspective;
  print(
    formatFields([
      ['Perspective', name],
      ['State', stateOf(perspective)],
      ['Site', site],
      ['Region', rir],
      ['Place', formatPlace(perspective)],
      ['Address', address],
      ['Build', build],
      ['Registered', formatTime(createdAt)],
      ['Credential until', credentialExpiresAt === undefined ? undefined : formatTime(credentialExpiresAt)],
    ]),
  );
  if (keys.length === 0) note('it has registered no key yet');
  else print(`\n${formatKeys(keys)}`);
}

/** Shuts a perspective out. */
export async function disablePerspective(name: string, options: OperatorOptions): Promise<void> {
  const perspective = await asOperator(options, ({ administration }) => administration.disablePerspective(name));
  if (options.json === true) {
    printJson(describe(perspective));
    return;
  }
  print(`perspective ${name} is shut out, and its keys are retired; what they signed before stays good`);
  note("See what is left: 'gatehouse perspective check'");
}

/** Tells how the perspectives meet a policy. */
export async function checkPerspectives(policy: string, options: OperatorOptions): Promise<void> {
  const findings = await asOperator(options, ({ administration }) => administration.checkPerspectives(policy));
  if (findings.some(isError)) process.exitCode = 1;
  if (options.json === true) {
    printJson(findings);
    return;
  }
  printTable(
    findings,
    [
      ['policy', (finding) => finding.policy],
      ['severity', ({ severity }) => severity],
      ['from', ({ from }) => (from === undefined ? 'now' : formatTime(from).slice(0, 10))],
      ['finding', ({ detail }) => detail],
    ],
    'no profile has names validated by perspectives',
  );
}

/** What counts only later is a warning today. */
function isError({ severity, from }: PerspectiveFinding): boolean {
  return severity === 'error' && (from === undefined || from <= new Date());
}

/** Revokes a key. */
export async function revokeSigningKey(keyId: string, options: RevokeKeyOptions): Promise<void> {
  const key = await asOperator(options, ({ administration }) => administration.revokeSigningKey(keyId, options.reason));
  if (options.json === true) printJson(describeKey(key));
  else print(`the key ${keyId} of ${key.holder} is revoked: nothing that it signed counts any more`);
}

function placeOf(place: string | undefined): Pick<Perspective, 'latitude' | 'longitude'> {
  if (place === undefined) return { latitude: undefined, longitude: undefined };
  const [, latitude, longitude] = /^(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)$/.exec(place.trim()) ?? [];
  if (latitude !== undefined && longitude !== undefined) {
    return { latitude: Number(latitude), longitude: Number(longitude) };
  }
  throw new FatalError(`--place: '${place.slice(0, 64)}' is no place`, {
    hint: 'write latitude and longitude in degrees, with a point: --place 53.35,-6.26',
  });
}

function formatPlace({ latitude, longitude }: Perspective): string | undefined {
  return latitude === undefined || longitude === undefined ? undefined : `${latitude},${longitude}`;
}

function formatKeys(keys: readonly SigningKey[]): string {
  return formatTable(keys, [
    ['key', ({ keyId }) => keyId],
    ['state', keyState],
    ['active from', ({ activeFrom }) => formatTime(activeFrom)],
    ['ended', ({ retiredAt, revokedAt }) => formatTime(revokedAt ?? retiredAt)],
  ]);
}

function keyState({ retiredAt, revokedAt }: SigningKey): string {
  if (revokedAt !== undefined) return 'revoked';
  return retiredAt === undefined ? 'active' : 'retired';
}

function describe({ keys, ...perspective }: Perspective): unknown {
  return { ...perspective, state: stateOf({ ...perspective, keys }), keys: keys.map(describeKey) };
}

function describeKey(key: SigningKey): unknown {
  return { ...key, state: keyState(key), subjectPublicKeyInfo: key.subjectPublicKeyInfo.toString('base64') };
}

function stateOf({ isDisabled, credentialExpiresAt, address }: Perspective): string {
  if (isDisabled) return 'disabled';
  if (credentialExpiresAt === undefined) return 'not joined';
  if (credentialExpiresAt <= new Date()) return 'expired';
  return address === '' ? 'not started' : 'active';
}
