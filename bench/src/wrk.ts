/** Load by wrk: requests from a list of paths in random order, over connections that are kept alive. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What wrk measured; milliseconds. */
export type WrkResult = { readonly perSecond: number; readonly p50: number; readonly p99: number };

const connections = 64;

/** The requests are formed once, so that the load costs as little as it can. */
const script = `local requests = {}
function init(arguments)
  for path in io.lines(arguments[1]) do requests[#requests + 1] = wrk.format("GET", path) end
  math.randomseed(tonumber(arguments[2]))
end
function request() return requests[math.random(#requests)] end
`;

const milliseconds: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

/** Sends requests for random ones of these paths. Rejects when an answer is not 2xx. */
export async function runWrk(options: {
  readonly folder: string;
  /** `http://host:port`. */
  readonly origin: string;
  /** A file with a path on each line. */
  readonly pathsFile: string;
  readonly seconds: number;
}): Promise<WrkResult> {
  const file = join(options.folder, 'random.lua');
  writeFileSync(file, script);
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${options.seconds}s`,
    '--timeout',
    '30s',
    '--latency',
    '-s',
    file,
    options.origin,
  ];
  const seed = String(Math.floor(Math.random() * 1e9));
  const { stdout } = await promisify(execFile)('wrk', [...args, '--', options.pathsFile, seed]);
  const failed = /Non-2xx.*|Socket errors.*/.exec(stdout);
  if (failed !== null) throw new Error(`wrk at ${options.origin}: ${failed[0]}`);
  return {
    perSecond: Number(/^Requests\/sec: +([\d.]+)$/m.exec(stdout)?.[1]),
    p50: readLatency(stdout, 50),
    p99: readLatency(stdout, 99),
  };
}

function readLatency(output: string, percent: number): number {
  const [, value, unit = ''] = new RegExp(`^ +${percent}% +([\\d.]+)(us|ms|s)$`, 'm').exec(output) ?? [];
  return Number(value) * (milliseconds[unit] ?? Number.NaN);
}
