// The programs of others that the matrix is about. A missing one fails the run: a client that is not there was not tested.

import { basename } from 'node:path';
import { challengeServerProgram } from './acme/challenge-server.ts';
import { acmeTinyProgram } from './clients/acme-tiny.ts';
import { certbotProgram, currentCertbotProgram } from './clients/certbot.ts';
import { dehydratedProgram } from './clients/dehydrated.ts';
import { estclientProgram } from './clients/estclient.ts';
import { goProgram } from './clients/go.ts';
import { legoProgram } from './clients/lego.ts';
import { libcoapGnutlsProgram } from './clients/libcoap-gnutls.ts';
import { libcoapOpensslProgram } from './clients/libcoap-openssl.ts';
import { nginxProgram } from './clients/nginx.ts';
import { pythonProgram } from './clients/python.ts';
import { uacmeProgram } from './clients/uacme.ts';
import { goCoapProgram } from './coap/go-coap.ts';
import { CommandError, runCommand } from './command.ts';

/** Programs, and where they come from. */
export const requiredPrograms = [
  { program: 'pki', parameters: ['--help'], origin: 'Debian package strongswan-pki' },
  { program: 'curl', parameters: ['--version'], origin: 'Debian package curl' },
  { program: 'openssl', parameters: ['version'], origin: 'Debian package openssl' },
  { program: 'ocsptool', parameters: ['--version'], origin: 'Debian package gnutls-bin' },
  { program: 'certtool', parameters: ['--version'], origin: 'Debian package gnutls-bin' },
  { program: 'gnutls-cli', parameters: ['--version'], origin: 'Debian package gnutls-bin' },
  { program: 'ocspclnt', parameters: ['-H'], origin: 'Debian package libnss3-tools' },
  { program: nginxProgram, parameters: ['-v'], origin: 'Debian package nginx' },
  { program: pythonProgram, parameters: ['--version'], origin: 'Debian package python3-cryptography' },
  { program: estclientProgram, parameters: ['version'], origin: 'built from its Go module' },
  { program: certbotProgram, parameters: ['--version'], origin: 'Debian package certbot' },
  { program: currentCertbotProgram, parameters: ['--version'], origin: 'PyPI, by interop/python/requirements.txt' },
  { program: legoProgram, parameters: ['--version'], origin: 'Debian package lego' },
  { program: dehydratedProgram, parameters: ['--help'], origin: 'Debian package dehydrated' },
  { program: uacmeProgram, parameters: ['--version'], origin: 'Debian package uacme' },
  { program: acmeTinyProgram, parameters: ['--help'], origin: 'Debian package acme-tiny' },
  { program: challengeServerProgram, parameters: ['-help'], origin: 'Debian package pebble' },
  { program: goProgram, parameters: [], origin: 'built from interop/go' },
  { program: libcoapOpensslProgram, parameters: [], origin: 'Debian package libcoap3-bin' },
  { program: libcoapGnutlsProgram, parameters: [], origin: 'Debian package libcoap3-bin' },
  { program: goCoapProgram, parameters: ['-help'], origin: 'built from interop/go/coap-client' },
] as const;

/** Those that cannot be started, each with its origin. */
export async function missingPrograms(): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const { program, parameters, origin } of requiredPrograms) {
    try {
      await runCommand(program, parameters);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      missing.push(`${basename(program)} (${origin})`);
    }
  }
  return missing;
}
