/** Fails when an export of the contract, the bridge or a library has no doc comment (STYLE, 'jose'). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPackages, root, sourceFiles } from './packages.ts';

const documented = /^(proto|ra-client|gateways\/kit|lib\/.*)$/;
const exportForm = /^export (?:async )?(?:abstract )?(?:function\*?|const|class|type|interface) (\w+)/;

const problems: string[] = [];
for (const { folder } of readPackages()) {
  if (!documented.test(folder)) continue;
  for (const file of sourceFiles(`${folder}/src`)) {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    lines.forEach((line, index) => {
      const name = exportForm.exec(line)?.[1];
      if (name !== undefined && !isDocumented(lines, index, name)) {
        problems.push(`${file}:${index + 1} exports ${name} without a doc comment`);
      }
    });
  }
}
if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}
process.stdout.write('every export has a doc comment\n');

/** Overloads share the comment of the first; a type may share the name of the value it is made from. */
function isDocumented(lines: readonly string[], index: number, name: string): boolean {
  const before = lines[index - 1]?.trim() ?? '';
  if (before.endsWith('*/')) return true;
  return lines.slice(0, index).some((line) => exportForm.exec(line)?.[1] === name);
}
