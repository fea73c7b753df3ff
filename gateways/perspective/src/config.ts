// The section `perspective` of gatehouse.yaml, and the part of it that the ACME gate has too, because a perspective runs
// inside of it as its primary. Every key is explained here. Where a perspective stands is not configured: its site and its
// region are the operator's word in the registry of the keep.

import { getServers } from 'node:dns';
import { listenSchema } from '@gatehouse/gateway-kit/gate-configuration';
import { parseIpRange } from '@gatehouse/pkix/ip-address';
import { durationSchema } from '@gatehouse/runtime/duration';
import { z } from 'zod';
import { parseUpstream } from './dns/upstream.ts';

const addressRange = z
  .string()
  .refine((text) => parseIpRange(text) !== undefined, "must be a range like '10.20.0.0/16'");

const upstream = z
  .string()
  .refine((text) => parseUpstream(text) !== undefined, "must be an address like '127.0.0.1:53' or '[::1]:53'");

const mostUpstreams = 8;

/** One resolver, or several in the order in which they are tried. */
const upstreams = z.union([upstream.transform((one) => [one]), z.array(upstream).min(1).max(mostUpstreams)]);

/** Those that this machine uses, when the process starts. */
const systemUpstreams = z.literal('system').transform((_, context) => {
  const usable = getServers().filter((text) => parseUpstream(text) !== undefined);
  if (usable.length > 0) return usable.slice(0, mostUpstreams);
  context.addIssue({ code: 'custom', message: 'this machine has no resolver that could be used; name one' });
  return z.NEVER;
});

const domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/, 'must be a name in lower case, without its last dot');

const zone = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/,
    "must be a zone like 'corp.example', or '*.corp.example' for what is below it",
  );

/** How to look at names: the key `validation` of a perspective and of the ACME gate. */
export const validationSchema = z.strictObject({
  /** Port of http-01 (RFC 8555 §8.3). Certificates that others rely on need 80. */
  httpPort: z.int().min(1).max(65_535).default(80),
  /** Port of tls-alpn-01 (RFC 8737 §3), and of redirects to https. Certificates that others rely on need 443. */
  tlsPort: z.int().min(1).max(65_535).default(443),
  /**
   * Recursive resolvers; one that validates DNSSEC is believed only on a loopback address. `system`: those of this machine,
   * for trying out.
   */
  resolver: z.union([systemUpstreams, upstreams]).prefault('127.0.0.1:53'),
  /** How long one try of a query waits. */
  resolverTimeout: durationSchema.refine((ms) => ms >= 100 && ms <= 30_000, 'must be 100ms to 30s').prefault('3s'),
  /** Zones that are looked at in another way: resolvers of their own, private addresses. The longest that fits a name counts. */
  zones: z
    .array(
      z.strictObject({
        zone,
        /** Resolvers for its names; the general ones unless told. */
        resolver: upstreams.optional(),
        /** Ranges of private addresses that its names may have. */
        allow: z.array(addressRange).default([]),
      }),
    )
    .default([]),
  /** Ranges of private and other special addresses that every name may have. Better opened zone by zone. */
  allow: z.array(addressRange).default([]),
  /** Ranges that are refused whatever else is opened: own networks with public addresses. */
  refuse: z.array(addressRange).default([]),
  /** Names by which CAA records and dns-persist-01 records name this CA (RFC 8659 §4.2); those of the keep's profiles. */
  issuerDomainNames: z.array(domain).max(10).default([]),
  /**
   * What stands before `sha-256/` in the `accounturi` of dns-persist-01 records (draft -02); any https URI unless told,
   * because the digest after it names the whole URL of the account.
   */
  accountHashPrefix: z.url({ protocol: /^https$/ }).optional(),
  /** Whether it is unready while its resolvers do not prove that they validate DNSSEC; needs both names of `selfTest`. */
  requireDnssec: z.boolean().default(false),
  /** Names that show whether the resolvers validate; asked at the start and every five minutes. */
  selfTest: z
    .strictObject({
      /** A name in a signed zone. */
      signed: domain.optional(),
      /** A name whose signature is known to be wrong. */
      bogus: domain.optional(),
    })
    .prefault({}),
});

/** As it is used: durations in milliseconds. */
export type ValidationConfiguration = z.output<typeof validationSchema>;

const label = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be lower-case letters, digits and inner hyphens, 1 to 63');

/** Schema of the section. */
export const perspectiveSchema = z
  .strictObject({
    /** As it is registered ('gatehouse perspective add'). Several on one machine: --set perspective.name=… */
    name: label,
    /** Where gates ask, over mutually authenticated TLS. */
    listen: listenSchema(5290).prefault({}),
    /** `host:port` under which gates reach it, when it is not the address that is listened on. */
    advertise: z
      .string()
      .regex(/^.+:\d{1,5}$/, "must be 'host:port'")
      .optional(),
    /** /livez, /readyz and /metrics. */
    management: listenSchema(0).prefault({}),
    /** How the core is reached. */
    core: z
      .strictObject({
        /** `host:port` of each core, in the order in which they are tried. */
        addresses: z
          .array(z.string().regex(/^.+:\d{1,5}$/, "must be 'host:port'"))
          .min(1)
          .default(['127.0.0.1:5280']),
        /** File with the credential ('gatehouse perspective join'); perspective/<name>/credential.pem unless told. */
        credential: z.string().min(1).optional(),
      })
      .prefault({}),
    /** File with the key of its statements, made at the first start; perspective/<name>/signing-key.json unless told. */
    signingKey: z.string().min(1).optional(),
    /** How long a key of statements is used before the next one takes over. */
    signingKeyLife: durationSchema.refine((ms) => ms >= 86_400_000, 'must be at least 1d').prefault('90d'),
    /** Names of the RAs that may ask. */
    callers: z.array(label).default(['acme']),
    /** How it looks at names. */
    validation: validationSchema.prefault({}),
    /** How much callers may take. */
    limits: z
      .strictObject({
        /** Connections at once, of all callers together. */
        connections: z.int().min(1).max(10_000).default(256),
        /** Checks at once, of all callers together. */
        atOnce: z.int().min(1).max(10_000).default(512),
        /** Checks at once of one caller. */
        atOncePerCaller: z.int().min(1).max(10_000).default(256),
        /** How long one check may take, whatever the caller allows. */
        longest: durationSchema.refine((ms) => ms >= 1_000 && ms <= 300_000, 'must be 1s to 5m').prefault('60s'),
      })
      .prefault({}),
  })
  .transform(({ core, signingKey, ...section }) => ({
    ...section,
    core: { ...core, credential: core.credential ?? `perspective/${section.name}/credential.pem` },
    signingKey: signingKey ?? `perspective/${section.name}/signing-key.json`,
  }));

/** The section as the process uses it: durations in milliseconds, paths as written. */
export type PerspectiveConfiguration = z.output<typeof perspectiveSchema>;
