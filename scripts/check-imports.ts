/**
 * Fails when an import runs against the stream of ARCHITECTURE §2, or when a package imports what its package.json does
 * not name, or names what it does not import.
 */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { type Package, readPackages, root, sourceFiles } from './packages.ts';

/** What each part of the house may import of the others, by folder. `lib/*` may be used by all. */
const mayImport: readonly (readonly [part: RegExp, targets: readonly RegExp[]])[] = [
  [/^lib\//, []],
  [/^proto$/, []],
  [/^ca-core$/, [/^proto$/]],
  [/^ra-client$/, [/^proto$/]],
  [/^gateways\/kit$/, [/^ra-client$/]],
  // ARCHITECTURE §2: a perspective runs inside the ACME gate, as its primary, and remotely.
  [/^gateways\/acme$/, [/^gateways\/kit$/, /^gateways\/perspective$/, /^ra-client$/]],
  [/^gateways\//, [/^gateways\/kit$/, /^ra-client$/]],
  // docs/decisions/0001: the command starts the keep and makes its data directory, and uses nothing else of it.
  [/^cli$/, [/^gateways\//, /^ra-client$/, /^proto$/, /^ca-core$/]],
  [/^(interop|bench)$/, [/^gateways\//, /^ra-client$/, /^proto$/, /^cli$/]],
];

/** The only modules of the keep that the command may import. */
const openedByTheKeep: ReadonlySet<string> = new Set([
  '@gatehouse/ca-core/main',
  '@gatehouse/ca-core/initialize',
  '@gatehouse/ca-core/configuration',
  '@gatehouse/ca-core/authorities/renew-root-crl',
  '@gatehouse/ca-core/profiles/validate-profile',
]);

/** Inside the keep nothing imports the services but what wires them. */
const keepWiring = /^ca-core\/(src\/main\.ts|src\/services\/|test\/)/;

const importForm =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|import\.meta\.resolve\(\s*['"]([^'"]+)['"]\s*\)/g;

const packages = readPackages();
const byName = new Map(packages.map((one) => [one.name, one]));
const problems: string[] = [];
for (const one of packages) checkPackage(one);

if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}
process.stdout.write(`imports of ${packages.length} packages run with the stream\n`);

function checkPackage(one: Package): void {
  const imported = new Set<string>();
  for (const file of sourceFiles(one.folder)) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) {
        checkRelative(one, file, specifier);
        continue;
      }
      const name = packageName(specifier);
      if (specifier.startsWith('node:') || builtinModules.includes(name)) continue;
      imported.add(name);
      checkDeclared(one, file, name);
      const target = byName.get(name);
      if (target !== undefined && target !== one) checkDirection(one, file, target, specifier);
    }
  }
  for (const dependency of [...one.dependencies, ...one.developmentDependencies]) {
    if (!imported.has(dependency) && !isUsedWithoutImport(one, dependency) && !isTypesOf(dependency, imported)) {
      problems.push(`${one.folder}/package.json names ${dependency}, which no file imports`);
    }
  }
}

function checkDeclared(one: Package, file: string, name: string): void {
  if (name === one.name || one.dependencies.has(name)) return;
  if (isTest(one, file) && one.developmentDependencies.has(name)) return;
  problems.push(`${file} imports ${name}, which ${one.folder}/package.json does not name`);
}

function checkDirection(one: Package, file: string, target: Package, specifier: string): void {
  if (target.folder.startsWith('lib/')) return;
  const [, targets = []] = mayImport.find(([part]) => part.test(one.folder)) ?? [];
  // A gate and the bridge are tested against the real keep (ARCHITECTURE §8).
  if (isTest(one, file) && one.developmentDependencies.has(target.name)) return;
  if (!targets.some((allowed) => allowed.test(target.folder))) {
    problems.push(`${file} imports ${specifier}: ${one.folder} may not import ${target.folder} (ARCHITECTURE §2)`);
  }
  if (target.folder === 'ca-core' && one.folder === 'cli' && !openedByTheKeep.has(specifier)) {
    problems.push(`${file} imports ${specifier}, which the keep does not open to the command`);
  }
}

function checkRelative(one: Package, file: string, specifier: string): void {
  const target = join(file, '..', specifier);
  if (!target.startsWith(`${one.folder}/`)) problems.push(`${file} reaches out of its package: ${specifier}`);
  if (target.startsWith('ca-core/src/services/') && !keepWiring.test(file)) {
    problems.push(`${file} imports ${specifier}: nothing imports services (ARCHITECTURE §2)`);
  }
}

/** Packages that are used through their command or their types alone. */
function isUsedWithoutImport(one: Package, dependency: string): boolean {
  return one.folder === 'proto' && ['@bufbuild/buf', 'ts-proto', '@bufbuild/protobuf'].includes(dependency);
}

/** Types of a package that comes without its own; the compiler finds them by the name of that package. */
function isTypesOf(dependency: string, imported: ReadonlySet<string>): boolean {
  return dependency.startsWith('@types/') && imported.has(dependency.slice('@types/'.length));
}

function isTest(one: Package, file: string): boolean {
  return (
    /^test(?:-support)?\//.test(file.slice(one.folder.length + 1)) || one.folder === 'interop' || one.folder === 'bench'
  );
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return (
    [...text.matchAll(importForm)]
      .map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '')
      // Code that a test writes into a file names its modules at run time.
      .filter((specifier) => !specifier.includes('${'))
  );
}

function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
