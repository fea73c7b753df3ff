/**
 * The gatehouse.yaml that a new data directory gets. It holds what people change first, with a comment each; everything
 * that it leaves out has a default.
 */

import { demoTrustAnchor } from './demo-device.ts';

/** Who the configuration is for: somebody who tries things out on one machine, or a CA that others rely on. */
export type StarterKind = 'trial' | 'production';

/** Where the ACME gate is found that a directory for trying out begins with. */
const trialAcmeUrl = 'https://127.0.0.1:8555';

/** Where the status gate is found that a directory for trying out begins with. */
export const trialStatusUrl = 'http://127.0.0.1:6960';

/**
 * The text of the file.
 *
 * @param statusUrl what certificates name as the place of their status
 */
export function starterConfiguration(kind: StarterKind, statusUrl = defaultStatusUrls[kind]): string {
  return [
    introduction[kind],
    usage,
    core(kind, statusUrl),
    est(kind),
    coap(kind),
    acme(kind),
    perspective(kind),
    status(kind),
  ].join('\n');
}

const defaultStatusUrls: Readonly<Record<StarterKind, string | undefined>> = {
  trial: trialStatusUrl,
  production: undefined,
};

const introduction: Readonly<Record<StarterKind, string>> = {
  trial: `\
# Configuration of Gatehouse, made for trying things out on this one machine: everything listens on loopback, the user
# 'demo' and the device in demo/ may enrol names under example.com, example.test and localhost over EST and CoAP, and whoever
# shows control of a name under example.com, test or localhost gets a certificate over ACME. For a CA that others rely on, begin with
# 'gatehouse init --production' in a directory of its own.`,
  production: `\
# Configuration of Gatehouse. Nothing in here is a secret: a secret is named by the file or the environment variable that
# holds it.`,
};

const usage = `\
#
# Paths are relative to this file. One value can be changed for one start: --set est.listen.port=7443, or
# GATEHOUSE_EST_LISTEN_PORT=7443 in the environment. A process reads its own section, when it starts.
`;

const core = (kind: StarterKind, statusUrl: string | undefined): string => `\
# The keep: the only process that holds keys and signs.
core:
  # Where gates and operators connect, over mutually authenticated TLS.
  listen: { host: 127.0.0.1, port: 5280 }
  # /livez, /readyz and /metrics.
  management: { host: 127.0.0.1, port: 5281 }
  # What opens the keys of the issuing and the service CA. The root key is not needed to run, and is not loaded.
  keys:
    passphrase: ${kind === 'production' ? '{ environment: GATEHOUSE_PASSPHRASE }' : '{ file: secrets/passphrase }'}
  # Your own profiles, *.yaml, beside the built-in ones ('gatehouse profile list').
  profiles: { directory: profiles }
  # Whose word on the control of names counts: docs/domain-validation.md.
  validation:
    # Names by which CAA records may name this CA, RFC 8659.
    issuerDomainNames: [${kind === 'production' ? 'ca.example.com' : 'gatehouse.test'}]${kind === 'production' ? ' # change this' : ''}
    # What the URLs of the ACME gate begin with: a request of an account holder that was meant for another CA is refused.
    acmeBaseUrls: ['${kind === 'production' ? 'https://acme.example.com' : trialAcmeUrl}']${kind === 'production' ? ' # change this' : ''}
  # How revocation becomes visible: docs/revocation.md.
  status:
    # Where relying parties reach the status gate, plain http. It is written into certificates from then on and must stay
    # good for as long as they live; without it they name no status.
    baseUrl: ${statusUrl === undefined ? '# http://status.example.com' : JSON.stringify(statusUrl)}
`;

const est = (kind: StarterKind): string => `\
# The EST gate, RFC 7030.
est:
  listen: { host: ${kind === 'production' ? '0.0.0.0' : '127.0.0.1'}, port: 7030 }
  # Names and addresses under which clients reach the gate: they stand in its certificate, which the gate gets and renews
  # by itself.
  names: ${kind === 'production' ? '[est.example.com] # change this' : "[localhost, 127.0.0.1, '::1']"}
  core:
    addresses: ['127.0.0.1:5280']
    # Bought with a join token ('gatehouse ra add', 'gatehouse ra join'); renews itself.
    credential: ra/est/credential.pem
  # Who may enrol what, with hashed passwords. Edit it with 'gatehouse est user add|list|remove'.
  users: est/users.yaml
  # /.well-known/est/<label>/simpleenroll and so on: a label is a door to one profile.
  labels:
    default: { profile: tls-server }
    tls-server: { profile: tls-server }
    tls-client: { profile: tls-client }
    tls-server-client: { profile: tls-server-client }
    device-identity: { profile: device-identity }
  # The label of clients that name none: /.well-known/est/simpleenroll.
  defaultLabel: default
  # Manufacturers whose devices may enrol with the certificate that they were born with (IEEE 802.1AR): docs/coap.md.
${kind === 'production' ? trustAnchorExample : trialTrustAnchor}`;

const { names: demoDeviceNames, ...demoManufacturer } = demoTrustAnchor;
const flow = (values: readonly string[]): string =>
  `[${values.map((value) => (/[:*{]/.test(value) ? `'${value}'` : value)).join(', ')}]`;

const trialTrustAnchor = `\
  trustAnchors:
    # Made for this directory, with one device: demo/device.pem and demo/device.key.
    - name: ${demoManufacturer.name}
      file: ${demoManufacturer.file}
      labels: ${flow(demoManufacturer.labels)}
      operations: ${flow(demoManufacturer.operations)}
      # {serialNumber} stands for that of the device's own certificate.
      names:
        dnsSuffixes: ${flow(demoDeviceNames.dnsSuffixes)}
        ipRanges: ${flow(demoDeviceNames.ipRanges)}
        subjectAttributes: ${flow(demoDeviceNames.subjectAttributes)}
`;

const trustAnchorExample = `\
  # trustAnchors:
  #   - name: acme-sensors
  #     file: est/acme-sensors.pem
  #     labels: [device-identity]
  #     # {serialNumber} stands for that of the device's own certificate.
  #     names: { subjectAttributes: ['serialNumber={serialNumber}'] }
`;

const coap = (kind: StarterKind): string => `\
# The CoAP gate, EST for constrained devices over DTLS, RFC 9148. Labels, trust anchors and the rest of the policy are those
# of the section est; what stands here too takes their place.
coap:
  # UDP.
  listen: { host: ${kind === 'production' ? '0.0.0.0' : '127.0.0.1'}, port: 5684 }
  names: ${kind === 'production' ? '[coap.example.com] # change this' : "[localhost, 127.0.0.1, '::1']"}
  core:
    addresses: ['127.0.0.1:5280']
    credential: ra/coap/credential.pem
  # The label of devices that name none: what is issued under it is good for DTLS clients, so that they can renew it.
  defaultLabel: device-identity
`;

const acme = (kind: StarterKind): string =>
  kind === 'production'
    ? `\
# The ACME gate, RFC 8555.
acme:
  listen: { host: 0.0.0.0, port: 8555 }
  # Names and addresses under which clients reach the gate: they stand in its certificate.
  names: [acme.example.com] # change this
  # What every URL begins with. It must not change: URLs of accounts stand in CAA records.
  baseUrl: https://acme.example.com # change this
  core:
    addresses: ['127.0.0.1:5280']
    credential: ra/acme/credential.pem
  # How the perspective inside of the gate looks at names; remote ones have the same key in their own configuration.
  validation:
    # A validating resolver on this machine: gateways/perspective/unbound.conf.
    resolver: 127.0.0.1:53
`
    : `\
# The ACME gate, RFC 8555.
acme:
  listen: { host: 127.0.0.1, port: 8555 }
  names: [localhost, 127.0.0.1, '::1']
  core:
    addresses: ['127.0.0.1:5280']
    credential: ra/acme/credential.pem
  # What clients can order, and by which profile of the keep it is issued.
  profiles:
    tlsserver:
      profile: tls-server-validated
      description: 'Servers: 90 days, for names whose control was validated'
      # Names that no registry knows: localhost, example.test.
      allowsInternalNames: true
    shortlived:
      profile: tls-server-validated-short-lived
      description: 'Servers: a few days, for names whose control was validated'
      allowsInternalNames: true
  defaultProfile: tlsserver
  # How names are looked at, by the gate and by the two perspectives that 'gatehouse up' starts.
  validation:
    # In place of 80 and 443, which only root may listen on.
    httpPort: 5002
    tlsPort: 5001
    # Those of this machine. One to try DNS challenges with: --set acme.validation.resolver=127.0.0.1:8053
    resolver: system
    # Without this, nothing on this machine is looked at.
    allow: [127.0.0.0/8, '::1/128']
`;

const perspective = (kind: StarterKind): string => `\
${
  kind === 'production'
    ? `\
# A perspective: looks at names from one place of the network and signs what it saw. Each stands on a machine of its own,
# far from the others, with this section in its gatehouse.yaml: docs/domain-validation.md.
perspective:
  name: dublin # change this: as in 'gatehouse perspective add'
  listen: { host: 0.0.0.0, port: 5290 }
  # Where the ACME gate reaches it.
  advertise: dublin.example.com:5290 # change this`
    : `\
# A perspective: looks at names from one place of the network and signs what it saw. 'gatehouse up' starts two of its own,
# here-a and here-b, which look as the gate does ('acme.validation'); this section is for one that runs alone.
perspective:
  name: here-a
  listen: { host: 127.0.0.1, port: 5290 }`
}
  core:
    addresses: ['127.0.0.1:5280']
  # The RAs that may ask.
  callers: [acme]
  validation:
    resolver: ${kind === 'production' ? '127.0.0.1:53' : 'system'}
    issuerDomainNames: [${kind === 'production' ? 'ca.example.com' : 'gatehouse.test'}]${kind === 'production' ? ' # change this' : ''}
`;

const status = (kind: StarterKind): string => `\
# The status gate: OCSP and CRLs over plain HTTP.
status:
  listen: { host: ${kind === 'production' ? '0.0.0.0' : '127.0.0.1'}, port: 6960 }
  core:
    addresses: ['127.0.0.1:5280']
    credential: ra/status/credential.pem
`;
