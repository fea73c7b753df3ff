// Manufacturers of devices, and the certificates that devices are born with (IDevID, IEEE 802.1AR): made by the openssl
// command alone, so that nothing of this project vouches for what it reads. One signs devices through a CA below its root and
// keeps a CRL, one makes devices that outlive their certificates, one knows its devices by HardwareModuleName, and one is
// known to nobody.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { output } from '../command.ts';

/** A device with its certificate; files are PEM. */
export type Device = {
  /** Of the device, in the subject of its certificate. */
  readonly serialNumber: string;
  readonly certificateFile: string;
  readonly keyFile: string;
};

/** Manufacturers, and devices that had to be there before the gate was. */
export type Manufacturers = {
  /** What `est.trustAnchors` says of them. */
  readonly trustAnchors: readonly Readonly<Record<string, unknown>>[];
  /** Makes another device of the manufacturer that the gate knows. */
  makeDevice(options?: DeviceOptions): Promise<Device>;
  /** Its time is over, and its manufacturer says that this matters. */
  readonly expired: Device;
  /** On the CRL of its manufacturer. */
  readonly revoked: Device;
  /** Its time is over, and its manufacturer says that this does not matter. */
  readonly outlived: Device;
  /** The same, on the CRL. */
  readonly outlivedRevoked: Device;
  /** Of a manufacturer that the gate was never told of. */
  readonly unknown: Device;
  /** Known by HardwareModuleName alone, RFC 4108 §5. */
  readonly module: Device;
  /** Its certificate is not for authentication: its extended key usage says so. */
  readonly forOtherPurposes: Device;
};

/** What is special about a device. */
export type DeviceOptions = {
  readonly curve?: 'P-256' | 'P-384' | undefined;
  /** Size of an RSA key in its place. */
  readonly rsaBits?: number | undefined;
};

type Authority = { readonly directory: string; readonly chainFile: string };

const past = ['-startdate', '20200101000000Z', '-enddate', '20210101000000Z'];
const current = ['-days', '3650'];
/** CAs were there before their oldest devices. */
const long = ['-startdate', '20190101000000Z', '-enddate', '20491231235959Z'];

/** Makes all of them in `directory`. @param labels of the gate under which their devices may enrol */
export async function makeManufacturers(directory: string, labels: readonly string[]): Promise<Manufacturers> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const make = (name: string) => makeAuthority(join(directory, name), name);
  const [known, longLived, modules, unknown] = await Promise.all([
    make('known'),
    make('long-lived'),
    make('modules'),
    make('unknown'),
  ]);
  const devices = {
    expired: await issueDevice(known, past),
    revoked: await issueDevice(known, current),
    outlived: await issueDevice(longLived, past),
    outlivedRevoked: await issueDevice(longLived, past),
    unknown: await issueDevice(unknown, current),
    module: await issueDevice(modules, current, {}, true),
    forOtherPurposes: await issueDevice(known, [...current, '-extensions', 'timestamping']),
  };
  const anchor = (authority: Authority, name: string, placeholder: string) => ({
    name,
    file: authority.chainFile,
    labels,
    operations: ['simpleenroll', 'serverkeygen', 'csrattrs'],
    // What stands for the device is in its certificate, which it cannot choose.
    names: {
      subjectAttributes: [`serialNumber=${placeholder}`, `CN=device-${placeholder}`],
      dnsSuffixes: [`${placeholder}.example.com`],
    },
  });
  const trustAnchors = [
    {
      ...anchor(known, 'interop-known', '{serialNumber}'),
      revocationList: await makeRevocationList(known, devices.revoked),
    },
    {
      ...anchor(longLived, 'interop-long-lived', '{serialNumber}'),
      revocationList: await makeRevocationList(longLived, devices.outlivedRevoked),
      acceptsExpired: true,
    },
    anchor(modules, 'interop-modules', '{hwSerialNum}'),
  ];
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...devices,
    trustAnchors,
    makeDevice: (options) => {
      // openssl ca has one database: one device after the other.
      const made = last.then(() => issueDevice(known, current, options));
      last = made.catch(() => undefined);
      return made;
    },
  };
}

/** A root, a CA below it that signs devices, and the database of openssl. */
async function makeAuthority(directory: string, name: string): Promise<Authority> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = (base: string) => join(directory, base);
  writeFileSync(file('index.txt'), '');
  writeFileSync(file('crlnumber'), '01\n');
  writeFileSync(file('ca.cnf'), authorityConfiguration(directory));
  const names = { root: 'Device root', ca: 'Device CA' };
  for (const [base, commonName] of Object.entries(names)) {
    const subject = `/O=Interop ${name}/CN=${commonName}`;
    await output('openssl', [
      ...['req', '-new', '-config', file('ca.cnf'), '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', subject, '-keyout', file(`${base}.key`), '-out', file(`${base}.csr`)],
    ]);
  }
  const sign = (base: string, extensions: string, options: readonly string[]) =>
    output('openssl', [
      ...[
        'ca',
        '-batch',
        '-notext',
        '-config',
        file('ca.cnf'),
        '-in',
        file(`${base}.csr`),
        '-out',
        file(`${base}.pem`),
      ],
      ...['-preserveDN', '-extensions', extensions, '-keyfile', file('root.key'), ...options, ...long],
    ]);
  await sign('root', 'root', ['-selfsign']);
  await sign('ca', 'issuing', ['-cert', file('root.pem')]);
  const chainFile = file('anchor.pem');
  writeFileSync(chainFile, Buffer.concat([readFileSync(file('root.pem')), readFileSync(file('ca.pem'))]));
  return { directory, chainFile };
}

async function issueDevice(
  { directory }: Authority,
  validity: readonly string[],
  { curve = 'P-256', rsaBits }: DeviceOptions = {},
  hasModuleName = false,
): Promise<Device> {
  const serialNumber = newSerialNumber();
  const file = (kind: string) => join(directory, `${serialNumber}.${kind}`);
  const newKey =
    rsaBits === undefined ? ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`] : ['-newkey', `rsa:${rsaBits}`];
  const subject = hasModuleName ? '/O=Interop devices' : `/O=Interop devices/serialNumber=${serialNumber}`;
  await output('openssl', [
    ...['req', '-new', '-config', join(directory, 'ca.cnf'), ...newKey, '-nodes', '-subj', subject],
    ...['-keyout', file('key'), '-out', file('csr')],
  ]);
  const extensions = hasModuleName ? ['-extensions', 'module'] : [];
  await output(
    'openssl',
    [
      ...['ca', '-batch', '-notext', '-config', join(directory, 'ca.cnf'), '-in', file('csr'), '-out', file('pem')],
      ...['-preserveDN', ...validity, ...extensions],
    ],
    { environment: { MODULE_SERIAL: serialNumber } },
  );
  // Devices show their whole chain but the root.
  const chained = [readFileSync(file('pem')), readFileSync(join(directory, 'ca.pem'))];
  writeFileSync(file('pem'), Buffer.concat(chained));
  return { serialNumber, certificateFile: file('pem'), keyFile: file('key') };
}

async function makeRevocationList({ directory }: Authority, revoked: Device): Promise<string> {
  const configuration = ['-config', join(directory, 'ca.cnf')];
  const file = join(directory, 'devices.crl');
  await output('openssl', ['ca', ...configuration, '-revoke', revoked.certificateFile, '-crl_reason', 'keyCompromise']);
  await output('openssl', ['ca', ...configuration, '-gencrl', '-crldays', '30', '-out', file]);
  return file;
}

function newSerialNumber(): string {
  return randomBytes(8).toString('hex').toUpperCase();
}

function authorityConfiguration(directory: string): string {
  return `\
MODULE_SERIAL = 00
[ca]
default_ca = devices
[devices]
dir = ${directory}
database = $dir/index.txt
rand_serial = yes
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
policy = policy
x509_extensions = device
unique_subject = no
crl_extensions = crl
[policy]
organizationName = optional
serialNumber = optional
commonName = optional
[req]
prompt = no
distinguished_name = nobody
[nobody]
CN = nobody
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[issuing]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[device]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[timestamping]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
authorityKeyIdentifier = keyid
[module]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
authorityKeyIdentifier = keyid
subjectAltName = critical, otherName:1.3.6.1.5.5.7.8.4;SEQUENCE:module_name
[module_name]
type = OID:1.3.6.1.4.1.6175.10.1
serial = FORMAT:ASCII, OCTETSTRING:$ENV::MODULE_SERIAL
[crl]
authorityKeyIdentifier = keyid
`;
}
