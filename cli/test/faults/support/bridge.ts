// Clients of the core over the real wire, as gates and operators are.

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CoreClient, connectCore } from '@gatehouse/ra-client/client';
import { loadCredential } from '@gatehouse/ra-client/credential';
import { holdCredential } from '@gatehouse/ra-client/credential-source';
import { joinWithToken } from '@gatehouse/ra-client/join';
import { createLog } from '@gatehouse/runtime/log';

const log = createLog({ name: 'test', level: 'silent' });

/** Connects with the credential in `file` of the data directory. @param retryWindowMs 0: every call is sent once */
export function connectAs(directory: string, file: string, address: string, retryWindowMs?: number): CoreClient {
  const credential = holdCredential(loadCredential(join(directory, file)));
  return connectCore({ addresses: [address], credential, log, retryWindowMs });
}

/** Connects as the operator. */
export function connectOperator(directory: string, address: string): CoreClient {
  return connectAs(directory, 'operators/admin.pem', address);
}

/** What the RAs of these tests may ask for. */
const profiles = ['tls-server', 'gateway-tls'];

/** Registers an RA for names under example.com and loopback, and buys its credential; answers the credential's file. */
export async function joinRegistrationAuthority(directory: string, name: string, address: string): Promise<string> {
  const file = `ra/${name}/credential.pem`;
  mkdirSync(dirname(join(directory, file)), { recursive: true, mode: 0o700 });
  const operator = connectOperator(directory, address);
  try {
    const { token } = await operator.administration.addRegistrationAuthority({
      registrationAuthority: {
        name,
        profiles,
        scope: {
          dnsSuffixes: ['example.com', 'localhost'],
          ipRanges: ['127.0.0.0/8', '::1/128'],
          uriPrefixes: [],
          emailDomains: [],
          subjectAttributes: [],
        },
        maximumValidity: undefined,
        ratePerSecond: 0,
        isDisabled: false,
        createdAt: undefined,
        credentialExpiresAt: undefined,
      },
      tokenLife: undefined,
    });
    await joinWithToken({ token, file: join(directory, file), log, addresses: [address] });
    return file;
  } finally {
    await operator.close();
  }
}
