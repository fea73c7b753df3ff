/**
 * The configuration of Pebble: its JSON file, and the variables of the environment by which test suites of ACME clients
 * change how it behaves. Keys that are not known are passed over, since suites carry those of every version.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FatalError } from '@gatehouse/runtime/fatal';
import { z } from 'zod';

const port = z.int().min(1).max(65_535);
const seconds = z.int().min(0);

const profileSchema = z.object({
  description: z.string().default(''),
  /** Seconds. */
  validityPeriod: seconds.default(0),
});

const schema = z.object({
  pebble: z.object({
    listenAddress: z.string().min(1).default('0.0.0.0:14000'),
    /** Empty or null: there is none. */
    managementListenAddress: z.string().nullish(),
    /** PEM files of the TLS server; without them it gets a certificate of its own CA. */
    certificate: z.string().default(''),
    privateKey: z.string().default(''),
    httpPort: port.default(80),
    tlsPort: port.default(443),
    ocspResponderURL: z.string().default(''),
    externalAccountBindingRequired: z.boolean().default(false),
    /** Secrets in base64url by key id. */
    externalAccountMACKeys: z.record(z.string(), z.string()).nullish(),
    domainBlocklist: z.array(z.string()).nullish(),
    retryAfter: z.object({ authz: seconds.default(3), order: seconds.default(5) }).prefault({}),
    keyAlgorithm: z.enum(['rsa', 'ecdsa', '']).default('rsa'),
    profiles: z.record(z.string(), profileSchema).nullish(),
    caaIdentities: z.array(z.string()).nullish(),
    /** Seconds; of profiles that do not say. */
    certificateValidityPeriod: seconds.default(0),
  }),
});

/** Of certificates where nobody says: five years. */
const usualValiditySeconds = 157_766_400;

/** A profile that can be ordered. */
export type PebbleProfile = {
  readonly name: string;
  readonly description: string;
  readonly validitySeconds: number;
};

/** The file, defaults filled in. */
export type PebbleConfiguration = Omit<z.output<typeof schema>['pebble'], 'profiles'> & {
  /** The first one is the default. */
  readonly profiles: readonly PebbleProfile[];
};

/** How it behaves, by the environment. */
export type PebbleBehaviour = {
  /** Longest pause before a validation, milliseconds. */
  readonly sleepMs: number;
  readonly isAlwaysValid: boolean;
  /** How many of a hundred good nonces are refused. */
  readonly nonceRefusalPercent: number;
  readonly ordersPerPage: number;
  /** How many of a hundred new orders may stand on valid authorizations. */
  readonly reusePercent: number;
  readonly alternateRoots: number;
  /** Intermediate certificates between a certificate and the root. */
  readonly chainLength: number;
};

/** Reads the file; its path and those in it are relative to the working directory. Throws FatalError. */
export function readPebbleConfiguration(file: string): PebbleConfiguration {
  const parsed = schema.safeParse(spellKeys(readJson(resolve(file)), schema));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FatalError(`${file}: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const { profiles, ...rest } = parsed.data.pebble;
  const fallbackSeconds = rest.certificateValidityPeriod || usualValiditySeconds;
  const named = Object.entries(profiles ?? {}).map(([name, { description, validityPeriod }]) => ({
    name,
    description: description || `The profile ${name}`,
    validitySeconds: validityPeriod || fallbackSeconds,
  }));
  const usual = { name: 'default', description: 'The default profile', validitySeconds: fallbackSeconds };
  return { ...rest, profiles: named.length === 0 ? [usual] : named };
}

/** Names of the CA, in CAA records and in those of dns-persist-01. */
export function issuerDomainNames({ caaIdentities }: Pick<PebbleConfiguration, 'caaIdentities'>): string[] {
  return [...(caaIdentities ?? ['pebble.letsencrypt.org'])];
}

/** Reads the environment. Throws FatalError for a number that is none. */
export function readPebbleBehaviour(environment: Readonly<Record<string, string | undefined>>): PebbleBehaviour {
  const number = (name: string, byDefault: number, least = 0, most = Number.MAX_SAFE_INTEGER): number => {
    const text = environment[name] ?? '';
    if (text === '') return byDefault;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new FatalError(`${name} is '${text}'; it must be a whole number from ${least}`);
  };
  const isOn = (name: string): boolean => /^(?:1|true)$/i.test(environment[name] ?? '');
  return {
    sleepMs: isOn('PEBBLE_VA_NOSLEEP') ? 0 : number('PEBBLE_VA_SLEEPTIME', 5) * 1_000,
    isAlwaysValid: isOn('PEBBLE_VA_ALWAYS_VALID'),
    nonceRefusalPercent: number('PEBBLE_WFE_NONCEREJECT', 5, 0, 100),
    ordersPerPage: number('PEBBLE_WFE_ORDERS_PER_PAGE', 3, 1),
    reusePercent: number('PEBBLE_AUTHZREUSE', 50, 0, 100),
    alternateRoots: number('PEBBLE_ALTERNATE_ROOTS', 0, 0, 32),
    chainLength: number('PEBBLE_CHAIN_LENGTH', 1, 1, 32),
  };
}

/** Go takes keys in whatever case they are written, and suites count on it: `externalAccountMacKeys`. */
function spellKeys(value: unknown, type: z.ZodType): unknown {
  const inner = type instanceof z.ZodDefault || type instanceof z.ZodPrefault ? type.unwrap() : type;
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null) return value;
  const known = new Map(Object.entries<z.ZodType>(inner.shape).map(([name, of]) => [name.toLowerCase(), { name, of }]));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const { name, of } = known.get(key.toLowerCase()) ?? {};
      return name === undefined || of === undefined ? [] : [[name, spellKeys(member, of)]];
    }),
  );
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FatalError(`the configuration ${file} cannot be read: ${reason}`, {
      hint: 'name it with -config',
      cause,
    });
  }
}
