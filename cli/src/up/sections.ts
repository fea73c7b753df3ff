/** The sections of gatehouse.yaml. Each process passes over those of the others, so that somebody must know them all. */
import { suggestion } from '@gatehouse/runtime/configuration/nearest';
import { FatalError } from '@gatehouse/runtime/fatal';

/** One section for each kind of process. */
export const sections: readonly string[] = ['core', 'est', 'coap', 'acme', 'perspective', 'status'];

/** Refuses a `--set` argument that is meant for no process. Throws FatalError with the nearest section. */
export function checkSections(set: readonly string[]): void {
  for (const assignment of set) {
    const [name = ''] = assignment.split(/[.=]/, 1);
    if (sections.includes(name)) continue;
    throw new FatalError(`--set ${assignment}: there is no section '${name}'${suggestion(name, sections)}`, {
      hint: "write it as path=value, like 'est.listen.port=7030'",
      exitCode: 78,
    });
  }
}
