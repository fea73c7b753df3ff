/** The packages of the house: where they are, what they are called and what they say they depend on. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '..');

export type Package = {
  /** Folder relative to the root: `gateways/est`. */
  readonly folder: string;
  /** `@gatehouse/gateway-est`. */
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly developmentDependencies: ReadonlySet<string>;
};

type Manifest = {
  readonly name: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

/** All workspaces of the root package. */
export function readPackages(): readonly Package[] {
  const { workspaces = [] } = readManifest('package.json');
  return workspaces
    .flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
    .map((file) => {
      const manifest = readManifest(file);
      return {
        folder: dirname(file),
        name: manifest.name,
        dependencies: new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })),
        developmentDependencies: new Set(Object.keys(manifest.devDependencies ?? {})),
      };
    });
}

/** TypeScript files of a package, relative to the root, without what is generated or installed. */
export function sourceFiles(folder: string): readonly string[] {
  return globSync(`${folder}/**/*.ts`, {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|generated)(\/|$)/.test(path),
  });
}

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}
