// The part of a gate's configuration that all gates share. A gate's schema is `z.strictObject({ ...gateShape, … })`.

import { z } from 'zod';
import { rateSchema } from './rate-limit.ts';

/** Where something listens. */
export const listenSchema = (port: number) =>
  z.strictObject({
    /** Address of this machine; 0.0.0.0 or :: for all. */
    host: z.string().min(1).default('127.0.0.1'),
    /** 0 takes any free port. */
    port: z.number().int().min(0).max(65_535).default(port),
  });

/** Keys of everything that stands in front of the keep. */
const commonShape = (port: number) => ({
  /** The protocol's listener. */
  listen: listenSchema(port).prefault({}),
  /** /livez, /readyz and /metrics. */
  management: listenSchema(0).prefault({}),
  /** How the core is reached. */
  core: z.strictObject({
    /** `host:port` of each core, in the order in which they are tried. */
    addresses: z
      .array(z.string().regex(/^.+:\d{1,5}$/, "must be 'host:port'"))
      .min(1)
      .default(['127.0.0.1:5280']),
    /** File with the credential of this RA, relative to the folder of gatehouse.yaml. */
    credential: z.string().min(1),
  }),
});

/** How much one address may take. */
const addressLimits = {
  /** Open connections of one address. */
  connectionsPerAddress: z.number().int().min(1).default(256),
  /** Requests of one address. */
  address: rateSchema.optional(),
};

/** Keys of the section of every gate over HTTPS. @param port the protocol's default port */
export const gateShape = (port: number) => ({
  ...commonShape(port),
  /** Names and addresses under which clients reach this gate; its server certificate carries them. */
  names: z.array(z.string().min(1)).min(1).default(['localhost', '127.0.0.1', '::1']),
  /** How much one client may take. */
  limits: z
    .strictObject({
      ...addressLimits,
      /** Requests of one requester. */
      requester: rateSchema.optional(),
    })
    .prefault({}),
});

/**
 * Keys of the section of a gate over plain HTTP, which has no certificate and asks nobody who he is.
 *
 * @param port the protocol's default port
 */
export const plainGateShape = (port: number) => ({
  ...commonShape(port),
  /** How much one client may take. */
  limits: z.strictObject(addressLimits).prefault({}),
});

/** What the configuration of every gate has. */
export type CommonGateConfiguration = z.output<z.ZodObject<ReturnType<typeof plainGateShape>>>;

/** What the configuration of every gate over HTTPS has. */
export type GateConfiguration = z.output<z.ZodObject<ReturnType<typeof gateShape>>>;
