// Keys that the gate makes and encrypts, RFC 9148 §4.8: to a key that the device shares with the operator. What comes is
// opened by openssl cms. A device that asks for encryption which there is not gets no key, above all none in clear.

import assert from 'node:assert/strict';
import { readAsymmetricKeyPackage } from '@gatehouse/pkix/cms/asymmetric-key-package';
import { explicit, objectIdentifier, octetString, sequence, set, wrap } from '@gatehouse/pkix/der/writer';
import { algorithms, attributeTypes, contentTypes, pkcs9Attributes } from '@gatehouse/pkix/object-identifiers';
import { publicKeyOf } from '../certification-requests.ts';
import type { Operation } from '../client.ts';
import { output } from '../command.ts';
import { attribute, craftRequest } from '../crafted-request.ts';
import type { Session } from '../session.ts';
import { sharedKey } from '../stack-configuration.ts';
import { type CoapDriver, describeAnswer } from './driver.ts';
import { estPath, expectIssued, expectRefusal, formats, manufacturersOf, sendEnrollment } from './est.ts';
import type { Device } from './manufacturer.ts';
import { readMultipart } from './multipart.ts';

const section = 'RFC 9148 §4.8, RFC 7030 §4.4.1.1';

/** Operations of devices that have a secret in common with the operator. */
export function keyEncryption(driver: CoapDriver): readonly Operation[] {
  return [
    {
      name: 'skg, key encrypted under a shared key, opened by openssl cms',
      section,
      run: (session) => generateSealed(driver, session),
    },
    {
      name: 'is refused skg for a shared key that nobody has: 4.00, and no key in clear',
      section,
      run: async (session) => {
        const device = await manufacturersOf(session).makeDevice();
        const der = sealedRequest(device, 'nobody');
        expectRefusal(await sendEnrollment(driver, session, { device }, { der }, { path: estPath('skg') }), '4.00');
      },
    },
  ];
}

async function generateSealed(driver: CoapDriver, session: Session): Promise<void> {
  const device = await manufacturersOf(session).makeDevice();
  const { id, key } = sharedKey;
  const der = sealedRequest(device, id);
  const answer = await sendEnrollment(driver, session, { device, blockSize: 128 }, { der }, { path: estPath('skg') });
  assert.equal(answer.code, '2.04', describeAnswer(answer));
  const parts = readMultipart(answer.payload);
  assert.deepEqual(
    new Set(parts.map(({ format }) => format)),
    new Set([formats.serverGeneratedKey, formats.certsOnly]),
  );
  const partOf = (wanted: number) => parts.find(({ format }) => format === wanted)?.body ?? Buffer.alloc(0);
  const sealed = session.write('sealed.der', partOf(formats.serverGeneratedKey));
  const opening = ['-secretkey', key, '-secretkeyid', Buffer.from(id).toString('hex')];
  const content = await output('openssl', ['cms', '-decrypt', '-inform', 'DER', '-in', sealed, '-binary', ...opening]);
  // What is encrypted is SignedData itself (RFC 5652 §6.1), which openssl reads as ContentInfo.
  const signed = session.write('signed.der', sequence(objectIdentifier(contentTypes.signedData), explicit(0, content)));
  const { trustAnchor, chain } = session.stack.endpoints;
  const trust = ['-CAfile', trustAnchor, '-certfile', chain, '-purpose', 'any'];
  const keyPackage = await output('openssl', ['cms', '-verify', '-inform', 'DER', '-in', signed, '-binary', ...trust]);
  const [privateKey, ...others] = readAsymmetricKeyPackage(keyPackage);
  assert(privateKey !== undefined && others.length === 0, 'there must be one key');
  const pem = await output('openssl', ['pkey', '-inform', 'DER'], { input: privateKey });
  const publicKey = await publicKeyOf(session.write('opened.key', pem));
  const certificate = { ...answer, contentFormat: formats.certsOnly, payload: partOf(formats.certsOnly) };
  await expectIssued(session, certificate, publicKey);
}

/** Asks for a key that is encrypted under the shared key of this name. */
function sealedRequest({ serialNumber }: Device, keyName: string): Buffer {
  const relativeName = (type: string, tag: number, text: string) =>
    set(sequence(objectIdentifier(type), wrap(tag, Buffer.from(text))));
  const capabilities = sequence(
    sequence(objectIdentifier(algorithms.aes256Wrap)),
    sequence(objectIdentifier(algorithms.aes256Cbc)),
  );
  return Buffer.from(
    craftRequest({
      subject: sequence(
        relativeName(attributeTypes.CN, 0x0c, `device-${serialNumber}`),
        // X.520: a serialNumber is a PrintableString.
        relativeName(attributeTypes.serialNumber, 0x13, serialNumber),
      ),
      attributes: [
        attribute(pkcs9Attributes.decryptKeyIdentifier, octetString(Buffer.from(keyName))),
        attribute(pkcs9Attributes.smimeCapabilities, capabilities),
      ],
    }),
  );
}
