/** The baseline for serving status: nginx with one worker and static files, from a directory of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** A running nginx. */
export type Nginx = {
  readonly origin: string;
  /** Of the one worker. */
  readonly pid: number;
  /** How many files it keeps open, as far as the system allows that. */
  readonly openFiles: number;
  stop(): Promise<void>;
};

/** Debian's package puts it where not every user's path leads. */
export const nginxProgram = '/usr/sbin/nginx';

/** Everything that makes it fast: no log, as many open files remembered as the system allows, connections for ever. */
const configuration = (folder: string, port: number, openFiles: number) => `
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
worker_rlimit_nofile ${openFiles + filesOfItsOwn};
events { worker_connections 512; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=${openFiles} inactive=1h;
  open_file_cache_valid 1h;
  types { application/ocsp-response ors; }
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; root ${folder}/files; }
}
`;

/** Writes so many files; answers their paths on the server. */
export function writeStaticFiles(folder: string, names: readonly string[], contents: Uint8Array): readonly string[] {
  const folders = new Set<string>();
  return names.map((name) => {
    const part = name.slice(-2);
    const parent = join(folder, 'files/ocsp', part);
    if (!folders.has(part)) mkdirSync(parent, { recursive: true, mode: 0o755 });
    folders.add(part);
    writeFileSync(join(parent, `${name}.ors`), contents);
    return `/ocsp/${part}/${name}.ors`;
  });
}

/** Connections among them. */
const filesOfItsOwn = 1_000;

/** Starts it on the files below `folder`. Rejects when it does not start. */
export async function startNginx(folder: string, files: number): Promise<Nginx> {
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  const openFiles = Math.min(mostOpenFiles() - filesOfItsOwn, files);
  writeFileSync(file, configuration(folder, port, openFiles));
  // Where it runs as root, it would serve as somebody who cannot read a private directory.
  const user = process.getuid?.() === 0 ? ['-g', 'user root;'] : [];
  const child = spawn(nginxProgram, ['-p', folder, '-c', file, ...user], { stdio: ['ignore', 'ignore', 'inherit'] });
  const origin = `http://127.0.0.1:${port}`;
  await untilServing(origin, child);
  return {
    origin,
    openFiles,
    pid: Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()),
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function mostOpenFiles(): number {
  const limit = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

async function untilServing(origin: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(origin).catch(() => undefined);
    if (answer !== undefined) return;
    await pause(20);
  }
  throw new Error(`nginx ended with ${child.exitCode}`);
}
