/** The `core` section of gatehouse.yaml. Paths are relative to the file's folder. */
import { secretSchema } from '@gatehouse/runtime/secret';
import { z } from 'zod';
import { validationConfigurationSchema } from './evidence/validation-configuration.ts';
import { statusConfigurationSchema } from './revocation/status-configuration.ts';

const port = z.int().min(0).max(65_535);

const evidenceAnchorSchema = z.union([
  z.string().transform((file) => ({ file, acceptsExpired: false })),
  z.strictObject({
    file: z.string(),
    acceptsExpired: z
      .boolean()
      .default(false)
      .describe('IEEE 802.1AR: devices’ certificates may outlive their end; the gate looks at the CRL'),
  }),
]);

/** Schema of the section. */
export const coreConfigurationSchema = z.strictObject({
  listen: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('address that gates and operators connect to'),
      port: port.default(5280).describe('port for gates and operators; 0 takes any free one'),
      advertise: z
        .array(z.string())
        .default([])
        .describe('host:port under which gates find the core, for join tokens; empty: where it listens'),
      maximumConnections: z.int().min(1).default(1024).describe('connections at once, of all callers together'),
    })
    .prefault({}),
  management: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('address of /livez, /readyz and /metrics'),
      port: port.default(5281).describe('port of /livez, /readyz and /metrics; 0 takes any free one'),
    })
    .prefault({}),
  keys: z
    .strictObject({
      passphrase: secretSchema
        .prefault({ file: 'secrets/passphrase' })
        .describe('where the passphrase of the online keys is: { file: … } or { environment: … }'),
    })
    .prefault({}),
  database: z
    .strictObject({
      file: z.string().default('core.db').describe('SQLite database'),
      reserveMegabytes: z.int().min(0).default(64).describe('free space below which the core reports not ready'),
    })
    .prefault({}),
  profiles: z
    .strictObject({
      directory: z
        .string()
        .default('profiles')
        .describe("the operator's own profiles, *.yaml, beside the built-in ones"),
    })
    .prefault({}),
  status: statusConfigurationSchema.prefault({}),
  validation: validationConfigurationSchema.prefault({}),
  evidence: z
    .strictObject({
      anchors: z
        .array(evidenceAnchorSchema)
        .default([])
        .describe(
          'PEM files of manufacturers’ trust anchors; with any, each client chain that a gate presents is verified',
        ),
    })
    .prefault({}),
});

/** The section, defaults filled in. */
export type CoreConfiguration = z.infer<typeof coreConfigurationSchema>;
