/**
 * Object identifiers and addresses as people write them in a profile: by the standard's name or dotted. A name that is
 * not known is refused with the nearest one; it is never guessed.
 */
import { nearest } from '@gatehouse/runtime/configuration/nearest';
import { z } from 'zod';
import { namedIdentifiers } from './vocabulary.ts';

/** X.660 §7.6: the first arc is 0, 1 or 2, the second below 40 under 0 and 1; no leading zeros. */
const dottedForm = /^(?:[01]\.(?:[0-9]|[1-3][0-9])|2\.(?:0|[1-9][0-9]{0,9}))(?:\.(?:0|[1-9][0-9]{0,38}))+$/;
const maximumDottedLength = 128;

function isDotted(text: string): boolean {
  return text.length <= maximumDottedLength && dottedForm.test(text);
}

function namedIdentifier(known: Readonly<Record<string, string>>, what: string) {
  return z.string().transform((text, context) => {
    if (Object.hasOwn(known, text)) return known[text] as string;
    if (isDotted(text)) return text;
    const match = nearest(text, Object.keys(known));
    context.addIssue({
      code: 'custom',
      message:
        match === undefined
          ? `is not the name of ${what}; write others as a dotted object identifier`
          : `is not the name of ${what}; did you mean '${match}'?`,
    });
    return z.NEVER;
  });
}

/** Type of a subject attribute: `CN`, `serialNumber`, … or dotted. Yields dotted. */
export const attributeType = namedIdentifier(namedIdentifiers.attribute, 'a subject attribute').describe(
  'Short name (CN, O, serialNumber, …) or dotted',
);

/** Key purpose: `serverAuth`, `cmcRA`, … or dotted. Yields dotted. */
export const keyPurpose = namedIdentifier(namedIdentifiers.purpose, 'a key purpose').describe(
  'Name (serverAuth, clientAuth, …) or dotted',
);

/** Extension: `tlsFeature`, … or dotted. Yields dotted. */
export const extensionId = namedIdentifier(namedIdentifiers.extension, 'an extension').describe('Name or dotted');

/** An object identifier, dotted. */
export const objectIdentifier = z
  .string()
  .refine(isDotted, 'must be a dotted object identifier like 1.3.6.1.4.1.99999.1');

/**
 * RFC 5280 §8: CRLs and issuers are fetched over plain http; https would need the very status that is being fetched.
 */
export const httpUrl = z
  .string()
  .refine(isAbsoluteHttp, 'must be an absolute http:// URL in ASCII, without user, password or fragment');

function isAbsoluteHttp(text: string): boolean {
  if (!/^http:\/\/[\x21-\x7e]{1,1024}$/i.test(text) || /["<>\\^`{|}]/.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.hostname !== '' && url.username === '' && url.password === '' && !text.includes('#');
}
