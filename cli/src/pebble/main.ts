/**
 * A server that test suites of ACME clients can start in place of `pebble`: the real gate and the real keep, with keys and
 * data that are thrown away, and the oddities that suites count on. Nothing that it issues is worth anything.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refuseOldNode, runProcess } from '@gatehouse/runtime/lifecycle';
import { createLog } from '@gatehouse/runtime/log';
import { formatAddress } from '@gatehouse/runtime/run-file';
import { endWithParent } from '../parent.ts';
import { readPebbleBehaviour, readPebbleConfiguration } from './configuration.ts';
import { readCommandLine } from './flags.ts';
import { openFront } from './front.ts';
import { listenAddress, readServerCertificate, startPebbleGate } from './gate.ts';
import { openPebbleChains } from './hierarchy.ts';
import { startPebbleKeep } from './keep.ts';
import { startManagementInterface } from './management.ts';

refuseOldNode();
const commandLine = readCommandLine(
  process.argv.slice(2),
  `Pebble version: gatehouse 0.1.0 (Node.js ${process.versions.node})`,
);
if (commandLine.kind === 'say') {
  (commandLine.isError ? process.stderr : process.stdout).write(commandLine.text);
  process.exitCode = commandLine.exitCode;
} else {
  endWithParent();
  // A suite that kills its server closes the pipe as well: what is said then is lost, but the data must still go.
  process.stdout.on('error', () => undefined);
  const { flags } = commandLine;
  const log = createLog({ name: 'pebble', destination: { write: (line) => void process.stdout.write(line) } });
  const say = (text: string): void => void process.stdout.write(`Pebble ${new Date().toISOString()} ${text}\n`);
  await runProcess({
    name: 'pebble',
    log,
    start: async (life) => {
      const configuration = readPebbleConfiguration(flags.config);
      const behaviour = readPebbleBehaviour(process.env);
      const certificate = readServerCertificate(configuration);
      const open = async (text: string, setting: string) => {
        const at = listenAddress(text);
        const front = await openFront(at, `pebble.${setting}`);
        life.onShutdown(setting, () => front.close());
        return { lead: front.lead, at: formatAddress({ host: at.host, port: front.address.port }) };
      };
      const front = await open(configuration.listenAddress, 'listenAddress');
      const managementAddress = configuration.managementListenAddress ?? '';
      const managementFront =
        managementAddress === '' ? undefined : await open(managementAddress, 'managementListenAddress');
      const directory = mkdtempSync(join(tmpdir(), 'gatehouse-pebble-'));
      life.onShutdown('data', () => rmSync(directory, { recursive: true, force: true }));
      const keep = await startPebbleKeep(directory, configuration, log);
      life.onShutdown('keep', () => keep.stop());
      const chains = openPebbleChains(keep.data.path, keep.passphrases, behaviour);
      const dictated = new Map<string, string>();
      const options = { configuration, behaviour, flags, keep, chains, certificate, dictated, log, life };
      const gate = await startPebbleGate(options);
      if (managementFront !== undefined) {
        const management = await startManagementInterface({
          certificate: certificate ?? gate.process.serverCertificate(),
          chains: chains.all,
          core: gate.process.core,
          dictated,
        });
        life.onShutdown('management interface', () => management.close());
        managementFront.lead(management.address);
        const { at } = managementFront;
        say(`Management interface listening on: ${at}`);
        for (const [index] of chains.all.entries()) {
          say(`Root CA certificate available at: https://${at}/roots/${index}`);
        }
      }
      front.lead(gate.address);
      say(`Listening on: ${front.at}`);
      say(`ACME directory available at: https://${front.at}/dir`);
    },
  });
}
