// An internet in one machine: hosts in network namespaces, each with a link of its own to a hub that forwards. It is made
// inside a namespace of its own (see enter.ts), so that nothing of it is left when the process ends, however it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { output, runCommand } from '../command.ts';

/** A machine of this internet. */
export type Host = {
  readonly name: string;
  /** Its address on the link to the hub. */
  readonly address: string;
  /** Both ends of the link: `10.77.3.0/30`. */
  readonly link: string;
  /** Runs a program on it to its end, which must be a good one; gives what it printed. */
  run(program: string, ...parameters: readonly string[]): Promise<string>;
  /** Starts a program on it. It ends with the world. */
  start(program: string, parameters: readonly string[], options?: StartOptions): Running;
};

/** How a program is started. */
export type StartOptions = {
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Told of every line that it writes on standard output or standard error. */
  readonly onLine?: ((line: string) => void) | undefined;
};

/** A program on a host. */
export type Running = {
  readonly pid: number;
  /** Kills it and waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
};

/** All of it. */
export type World = {
  /** Adds a machine. */
  addHost(name: string): Promise<Host>;
  /** Gives a machine an address of the internet, and leads everybody there. */
  give(host: Host, address: string): Promise<void>;
  /** Lets a machine claim an address that is another's: it answers whoever comes, and nobody comes yet. */
  claim(host: Host, address: string): Promise<void>;
  /** Leads the packets of `victims` for `address` to whoever claims it, as a false route does (RFC 7132 §3). */
  divert(victims: readonly Host[], address: string, to: Host): Promise<void>;
  /** Takes all false routes back. */
  restore(): Promise<void>;
  close(): Promise<void>;
};

/** The table of false routes; one for each address is enough here. */
const falseTable = '66';

/** Makes the hub. The process must be alone in its network namespace, as root of it. */
export async function createWorld(): Promise<World> {
  const running = new Set<ChildProcess>();
  let hosts = 0;
  await ip('link', 'set', 'lo', 'up');
  await ip('netns', 'add', 'hub');
  await inside('hub', 'ip', 'link', 'set', 'lo', 'up');
  await inside('hub', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  // Answers come back another way than questions go where a route is false.
  await inside('hub', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0');
  // The process itself is a host, so that it can ask what the others serve.
  await link(undefined, 0);

  return {
    addHost: async (name) => {
      const index = ++hosts;
      await ip('netns', 'add', name);
      await inside(name, 'ip', 'link', 'set', 'lo', 'up');
      await link(name, index);
      return {
        name,
        address: `10.77.${index}.2`,
        link: `10.77.${index}.0/30`,
        run: (program, ...parameters) => inside(name, program, ...parameters),
        start: (program, parameters, options) => start(running, name, program, parameters, options),
      };
    },
    give: async (host, address) => {
      await host.run('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo');
      await inside('hub', 'ip', 'route', 'replace', `${address}/32`, 'via', host.address);
    },
    claim: async (host, address) => void (await host.run('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo')),
    divert: async (victims, address, to) => {
      await inside('hub', 'ip', 'route', 'replace', `${address}/32`, 'via', to.address, 'table', falseTable);
      for (const { link: from } of victims) {
        await inside('hub', 'ip', 'rule', 'add', 'from', from, 'to', `${address}/32`, 'table', falseTable);
      }
      await inside('hub', 'ip', 'route', 'flush', 'cache');
    },
    restore: async () => {
      // One rule goes with each call, until there is none left to go.
      while ((await runCommand('ip', ['netns', 'exec', 'hub', 'ip', 'rule', 'del', 'table', falseTable])).status === 0);
      await inside('hub', 'ip', 'route', 'flush', 'cache');
    },
    close: async () => {
      await Promise.all([...running].map((child) => end(child, 'SIGKILL')));
    },
  };
}

async function link(name: string | undefined, index: number): Promise<void> {
  const [near, far] = [`h${index}`, `e${index}`];
  await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
  await ip('link', 'set', near, 'netns', 'hub');
  await inside('hub', 'ip', 'addr', 'add', `10.77.${index}.1/30`, 'dev', near);
  await inside('hub', 'ip', 'link', 'set', near, 'up');
  if (name !== undefined) await ip('link', 'set', far, 'netns', name);
  const own = name === undefined ? ip : (...parameters: readonly string[]) => inside(name, 'ip', ...parameters);
  await own('addr', 'add', `10.77.${index}.2/30`, 'dev', far);
  await own('link', 'set', far, 'up');
  await own('route', 'add', 'default', 'via', `10.77.${index}.1`);
}

function start(
  running: Set<ChildProcess>,
  name: string,
  program: string,
  parameters: readonly string[],
  { environment, onLine }: StartOptions = {},
): Running {
  const child = spawn('ip', ['netns', 'exec', name, program, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString('utf8')}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    });
  }
  // `ip netns exec` becomes the program.
  return { pid: child.pid ?? 0, kill: (signal = 'SIGKILL') => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

async function inside(name: string, program: string, ...parameters: readonly string[]): Promise<string> {
  return (await output('ip', ['netns', 'exec', name, program, ...parameters])).toString('utf8');
}

async function ip(...parameters: readonly string[]): Promise<void> {
  await output('ip', parameters);
}
