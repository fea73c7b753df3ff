/**
 * The command line of Pebble, in the syntax of Go's flag package: one hyphen or two, `-name value` or `-name=value`, and
 * for what is yes or no `-name` or `-name=value` alone. Test suites of ACME clients write it so.
 */

/** What the command line says. */
export type Flags = {
  /** Path of the configuration. */
  readonly config: string;
  /** `host:port` of the resolver; empty: that of the machine. */
  readonly dnsServer: string;
  readonly isStrict: boolean;
};

/** What is to be done: run, or say something and end. */
export type CommandLine =
  | { readonly kind: 'run'; readonly flags: Flags }
  | { readonly kind: 'say'; readonly text: string; readonly isError: boolean; readonly exitCode: number };

/** Help, as it is printed for flags that nobody knows. */
export const usage = `Usage of pebble:
  -config string
    	File path to the Pebble configuration file (default "test/config/pebble-config.json")
  -dnsserver string
    	Define a custom DNS server address (ex: 192.168.0.56:5053 or 8.8.8.8:53).
  -strict
    	Enable strict mode to test upcoming API breaking changes
  -version
    	Print the software version
`;

/** What Go takes for yes and no. */
const truths: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false] as const),
]);

/** Reads the command line. @param version what `-version` prints */
export function readCommandLine(args: readonly string[], version: string): CommandLine {
  const texts = new Map([
    ['config', 'test/config/pebble-config.json'],
    ['dnsserver', ''],
  ]);
  const switches = new Map([
    ['strict', false],
    ['version', false],
  ]);
  let at = 0;
  for (; at < args.length; at++) {
    const argument = args[at] ?? '';
    if (argument === '--') {
      at++;
      break;
    }
    const [, name, , value] = /^--?([^-=][^=]*)(=(.*))?$/s.exec(argument) ?? [];
    // The first argument that is no flag ends them.
    if (name === undefined) break;
    if (name === 'h' || name === 'help') return { kind: 'say', text: usage, isError: true, exitCode: 0 };
    if (switches.has(name)) {
      const truth = value === undefined ? true : truths.get(value);
      if (truth === undefined) return wrong(`invalid boolean value "${value}" for -${name}`);
      switches.set(name, truth);
    } else if (texts.has(name)) {
      const text = value ?? args[++at];
      if (text === undefined) return wrong(`flag needs an argument: -${name}`);
      texts.set(name, text);
    } else {
      return wrong(`flag provided but not defined: -${name}`);
    }
  }
  if (switches.get('version') === true) {
    return { kind: 'say', text: `${version}\n`, isError: false, exitCode: 0 };
  }
  if (at < args.length) {
    const text = `invalid argument: '${args[at]}' is no flag\n${usage}`;
    return { kind: 'say', text, isError: true, exitCode: 1 };
  }
  return {
    kind: 'run',
    flags: {
      config: texts.get('config') ?? '',
      dnsServer: texts.get('dnsserver') ?? '',
      isStrict: switches.get('strict') ?? false,
    },
  };
}

function wrong(what: string): CommandLine {
  return { kind: 'say', text: `${what}\n${usage}`, isError: true, exitCode: 2 };
}
