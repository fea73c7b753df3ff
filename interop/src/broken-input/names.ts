// Names that nobody can have, that the profile does not let in, or that are not for the one who asks.

import { alternativeNameExtension, commonName, extensionRequest } from '../crafted-request.ts';
import { estPath } from '../curl/enroll.ts';
import { type BrokenInput, crafted, withNames } from './row.ts';

const alternativeNames = 'RFC 5280 §4.2.1.6';

/** The rows. */
export const names: readonly BrokenInput[] = [
  {
    name: 'a NUL in the common name',
    section: 'RFC 5280 §4.1.2.4',
    status: 400,
    request: crafted({ subject: commonName('broken.example.com\0.example.org') }),
  },
  {
    name: 'a common name that is no UTF-8',
    section: 'RFC 5280 §4.1.2.4',
    status: 400,
    request: crafted({ subject: commonName(Buffer.from('c328', 'hex')) }),
  },
  {
    name: 'a common name of 65 characters',
    section: 'RFC 5280 appendix A.1',
    status: 400,
    request: crafted({ subject: commonName(`${'a'.repeat(53)}.example.com`) }),
  },
  { name: 'an empty alternative name', section: alternativeNames, status: 400, request: withNames('') },
  { name: 'a blank in a DNS name', section: alternativeNames, status: 400, request: withNames('bro ken.example.com') },
  {
    name: 'a NUL in a DNS name',
    section: alternativeNames,
    status: 400,
    request: withNames('broken.example.com\0.example.org'),
  },
  {
    name: 'a DNS name that is not ASCII',
    section: alternativeNames,
    status: 400,
    request: withNames('brökèn.example.com'),
  },
  {
    name: 'a DNS name with a label of 64',
    section: 'RFC 1035 §2.3.4',
    status: 400,
    request: withNames(`${'a'.repeat(64)}.example.com`),
  },
  {
    name: 'a common name that is none of the names',
    section: 'BR §7.1.4.3',
    status: 400,
    request: crafted({ subject: commonName('other.example.com') }),
  },
  {
    name: 'no name at all',
    section: 'RFC 5280 §4.1.2.6',
    status: 400,
    request: crafted({ subject: Buffer.from('3000', 'hex'), attributes: [] }),
  },
  {
    name: 'a wildcard where the profile has none',
    section: alternativeNames,
    status: 400,
    request: () => ({ path: estPath('simpleenroll', 'tls-client'), ...withNames('*.example.com')() }),
  },
  {
    name: 'a name that the user may not enrol',
    section: 'RFC 7030 §4.2.3',
    status: 403,
    request: crafted({
      subject: commonName('www.example.org'),
      attributes: [extensionRequest(alternativeNameExtension('www.example.org'))],
    }),
  },
  {
    name: 'a name that only ends like one that the user may enrol',
    section: 'RFC 7030 §4.2.3',
    status: 403,
    request: crafted({
      subject: commonName('badexample.com'),
      attributes: [extensionRequest(alternativeNameExtension('badexample.com'))],
    }),
  },
];
