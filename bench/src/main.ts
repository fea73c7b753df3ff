/** `npm run bench`: all benchmarks, or those named: core, est, coap, acme, crl, ocsp-presign, ocsp, visible, revocation, start. GATEHOUSE_BENCH_SECONDS sets the length of each run. */
import { cpus } from 'node:os';
import { benchAcme } from './acme.ts';
import { benchCoap } from './coap.ts';
import { benchColdStart } from './cold-start.ts';
import { benchCore } from './core.ts';
import { benchCrl } from './crl.ts';
import { benchEst } from './est.ts';
import { benchOcsp } from './ocsp.ts';
import { benchOcspPresign } from './ocsp-presign.ts';
import { benchRevocation } from './revocation.ts';
import { startStack } from './throw-away-stack.ts';
import { benchVisible } from './visible.ts';

const known = ['core', 'est', 'coap', 'acme', 'crl', 'ocsp-presign', 'ocsp', 'visible', 'revocation', 'start'];
const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !known.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`there is no benchmark ${unknown}; choose from ${known.join(', ')}\n`);
  process.exit(1);
}
const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
const durationMs = Number(process.env.GATEHOUSE_BENCH_SECONDS ?? 6) * 1000;

process.stdout.write(
  `Node.js ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`,
);
if (isChosen('core') || isChosen('est')) {
  const stack = await startStack();
  try {
    if (isChosen('core')) await benchCore(stack, durationMs);
    if (isChosen('est')) await benchEst(stack, durationMs);
  } finally {
    await stack.stop();
  }
}
if (isChosen('coap')) await benchCoap(durationMs);
if (isChosen('acme')) await benchAcme(durationMs);
if (isChosen('crl')) await benchCrl();
if (isChosen('ocsp-presign')) await benchOcspPresign(durationMs);
if (isChosen('ocsp')) await benchOcsp(durationMs);
if (isChosen('visible')) await benchVisible();
if (isChosen('revocation')) await benchRevocation();
if (isChosen('start')) await benchColdStart(3);
