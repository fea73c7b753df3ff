// The section `acme` of gatehouse.yaml. Every key is explained here, and what is refused here is refused at the start:
// a default profile that is none, a base URL that clients could not use.

import { gateShape } from '@gatehouse/gateway-kit/gate-configuration';
import { validationSchema } from '@gatehouse/gateway-perspective/config';
import { parseIpRange } from '@gatehouse/pkix/ip-address';
import { durationSchema } from '@gatehouse/runtime/duration';
import { secretSchema } from '@gatehouse/runtime/secret';
import { z } from 'zod';

/** How control of a name is shown: RFC 8555 §8, RFC 8737, and the drafts of dns-account-01 and dns-persist-01. */
export const challengeTypes = ['http-01', 'dns-01', 'tls-alpn-01', 'dns-account-01', 'dns-persist-01'] as const;

/** One of them. */
export type ChallengeType = (typeof challengeTypes)[number];

const baseUrlSchema = z
  .string()
  .transform((text) => text.replace(/\/+$/, ''))
  .refine((text) => isBaseUrl(text), 'must be an https URL without query, in lower case and without its default port');

const addressRange = z
  .string()
  .refine((text) => parseIpRange(text) !== undefined, "must be a range like '192.0.2.0/24'");

const urlSchema = z.url({ protocol: /^https?$/ });

const profileSchema = z.strictObject({
  /** Profile of the keep that the certificates are made by. */
  profile: z.string().min(1),
  /** For people: shown in the directory. */
  description: z.string().min(1).max(512),
  /** Challenges that are offered; those that the keep's profile takes unless told, without dns-account-01 and dns-persist-01. */
  methods: z.array(z.enum(challengeTypes)).min(1).optional(),
  /** Draft of dns-persist-01 that is spoken; the two are not compatible. `draft-01` needs the same in the keep's profile. */
  dnsPersist: z.enum(['draft-02', 'draft-01']).default('draft-02'),
  /** Whether names of one label, and names below a suffix that no registry has, may be ordered. */
  allowsInternalNames: z.boolean().default(false),
  /** For how long a valid authorization serves further orders of its account; never longer than the keep's profile lets it. */
  authorizationReuse: durationSchema.prefault('0s'),
  /** Accounts that may use it, by the id at the end of their URL or by the key id of their external account; all unless told. */
  accounts: z.array(z.string().min(1)).optional(),
});

/** A rate as people write it: `{ count: 300, per: 3h }`. */
const orderRateSchema = z.strictObject({
  /** How many at once after a pause. */
  count: z.int().min(1).max(1_000_000),
  /** In which time so many come again. */
  per: durationSchema,
});

const ratesSchema = z.strictObject({
  /** Whether they hold; unless told, they do when the gate listens beyond loopback. */
  enabled: z.boolean().optional(),
  /** New accounts of one address (of a /48 for IPv6). */
  accountsPerAddress: orderRateSchema.prefault({ count: 10, per: '3h' }),
  /** New orders of one account. */
  ordersPerAccount: orderRateSchema.prefault({ count: 300, per: '3h' }),
  /** New orders with names below one registered domain. */
  ordersPerDomain: orderRateSchema.prefault({ count: 50, per: '7d' }),
  /** New orders for exactly the same names. */
  ordersPerNames: orderRateSchema.prefault({ count: 5, per: '7d' }),
  /** Failed validations of one name by one account. */
  failuresPerName: orderRateSchema.prefault({ count: 5, per: '1h' }),
  /** After how many failures on end a name is paused for an account until an operator unpauses it; 0: never. */
  pauseAfter: z.int().min(0).default(1_000),
  /** Page that says more about the limits; sent as `Link rel="help"`. */
  help: urlSchema.optional(),
});

/** Schema of the section. */
export const acmeSchema = z
  .strictObject({
    ...gateShape(8555),
    /**
     * URL that every URL of the directory begins with. It must not change: URLs of accounts stand in CAA records. Unless
     * told, https with the address that is listened on, if it is one of `names`, else the first of `names`, and the port.
     */
    baseUrl: baseUrlSchema.optional(),
    /** Further base URLs; who comes by one of them gets URLs that begin with it. */
    aliases: z.array(baseUrlSchema).default([]),
    /** Proxies whose X-Forwarded-For, -Host and -Proto are believed. */
    trustedProxies: z.array(addressRange).default([]),
    /** Where accounts and orders are kept: a file, or one PostgreSQL for all copies of this gate (its connection string is a secret). */
    database: z
      .union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ postgres: secretSchema })])
      .default({ file: 'acme/acme.db' }),
    /** Terms of service; a new account must agree to them. When they move, accounts that agreed before stay. */
    termsOfService: urlSchema.optional(),
    /** Website of the CA, in the directory. */
    website: urlSchema.optional(),
    /** Names of this CA in CAA records, in the directory; those of the keep's profiles unless told. */
    caaIdentities: z.array(z.string().min(1)).optional(),
    externalAccount: z
      .strictObject({
        /** Whether a new account needs an external account (`gatehouse acme eab add`); without, one only adds rights. */
        required: z.boolean().default(false),
      })
      .prefault({}),
    /** What can be ordered, by the names that clients see. */
    profiles: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/), profileSchema).default({
      tlsserver: profileSchema.parse({
        profile: 'tls-server-validated',
        description: 'Servers: 90 days, for names whose control was validated',
      }),
      shortlived: profileSchema.parse({
        profile: 'tls-server-validated-short-lived',
        description: 'Servers: a few days, for names whose control was validated',
      }),
    }),
    /** Profile of orders that name none; the first one unless told. */
    defaultProfile: z.string().optional(),
    /** Whether authorizations can be made before an order (RFC 8555 §7.4.1). */
    newAuthz: z.boolean().default(true),
    /** Whether clients are told when to renew (RFC 9773). */
    renewalInfo: z.boolean().default(true),
    /** Refuses what is tolerated of old clients: padded base64url in `csr` and `certificate`, key authorizations in challenge requests. */
    strict: z.boolean().default(false),
    /** How long an order may take from its creation to its finalization. */
    orderLife: durationSchema.prefault('7d'),
    authorizationLife: z
      .strictObject({
        /** How long an authorization waits for its validation. */
        pending: durationSchema.prefault('7d'),
      })
      .prefault({}),
    /** How long the token of a challenge may be used. */
    challengeTokenLife: durationSchema.refine((life) => life <= 30 * 86_400_000, 'must be at most 30d').prefault('30d'),
    /** PEM file of the chain that is sent by default, in place of the keep's own: issuing CA first. */
    defaultChain: z.string().min(1).optional(),
    /** PEM files of chains that are offered beside the default one: issuing CA first. */
    alternateChains: z.array(z.string().min(1)).default([]),
    /** Orders on one page of an account's list. */
    ordersPerPage: z.int().min(1).max(1_000).default(50),
    /** After how long clients should look again; whole seconds count. */
    pollAfter: z
      .strictObject({
        /** At an authorization that is being validated. */
        authorization: durationSchema.prefault('1s'),
        /** At an order that is being issued. */
        order: durationSchema.prefault('1s'),
      })
      .prefault({}),
    /** Names that nobody may order, each with all names below it. */
    blockedNames: z
      .array(z.string().regex(/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/, 'must be a name in lower case'))
      .default([]),
    /** Limits by RFC 8555 §6.6. */
    rates: ratesSchema.prefault({}),
    /** How the perspective inside of this gate looks at names. It alone never makes a certificate possible. */
    validation: validationSchema.prefault({}),
    /** File with the key of the statements that this gate signs itself, made at the first start. */
    signingKey: z.string().min(1).default('acme/signing-key.json'),
  })
  .superRefine((section, context) => {
    const names = Object.keys(section.profiles);
    if (names.length === 0) context.addIssue({ code: 'custom', path: ['profiles'], message: 'needs a profile' });
    if (section.defaultProfile !== undefined && !names.includes(section.defaultProfile)) {
      const message = `there is no profile '${section.defaultProfile}'`;
      context.addIssue({ code: 'custom', path: ['defaultProfile'], message });
    }
  });

/** The section as the gate uses it: durations in milliseconds, paths as written. */
export type AcmeConfiguration = z.output<typeof acmeSchema>;

/** Settings of one ACME profile. */
export type ProfileSettings = z.output<typeof profileSchema>;

/** Settings of the limits. */
export type RateSettings = z.output<typeof ratesSchema>;

/** A limit: `count` in `per` milliseconds. */
export type OrderRate = z.output<typeof orderRateSchema>;

/**
 * The base URLs, the canonical one first.
 *
 * @param port that the gate listens on
 */
export function baseUrls(configuration: AcmeConfiguration, port: number): readonly [string, ...string[]] {
  const { baseUrl, aliases, names, listen } = configuration;
  const host = names.includes(listen.host) ? listen.host : (names[0] ?? listen.host);
  const canonical = baseUrl ?? new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`).origin;
  return [canonical, ...aliases.filter((alias) => alias !== canonical)];
}

function isBaseUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:') return false;
  // What is compared byte for byte must have one spelling.
  return text === (url.pathname === '/' ? url.origin : `${url.origin}${url.pathname}`);
}
