/** What a gate is told, and the audit log keeps, when the control of a name is not proven. */
import type { GeneralName } from '@gatehouse/pkix/general-names';
import { CoreError, type NameRefusal } from '@gatehouse/proto/core-error';
import { writeGeneralNameMessage } from '../enrollment/general-name-message.ts';
import type { NameVerdict } from './judge-name.ts';
import type { Finalize } from './presented-evidence.ts';
import { causeText, nameText } from './verdict-lines.ts';

/** So many lines of a refusal are kept: whoever is refused must not fill the log. */
const mostLinesTold = 256;

/** The control of a name is not proven. */
export class ValidationRefusal extends CoreError {
  /** What was found, for the audit log. */
  readonly lines: readonly string[];

  constructor(
    code: 'evidence-missing' | 'evidence-invalid',
    detail: string,
    lines: readonly string[],
    names: readonly NameRefusal[],
  ) {
    super(code, detail, { names });
    this.lines = lines.slice(0, mostLinesTold);
  }
}

/** The refusal, with one entry per name; undefined when everything is proven. @param verdicts in the order of `names` */
export function refusalOf(
  names: readonly GeneralName[],
  { fault }: Finalize,
  verdicts: readonly NameVerdict[],
  lines: readonly string[],
): ValidationRefusal | undefined {
  if (fault !== undefined) {
    const code = fault.code === 'evidence-missing' ? 'evidence-missing' : 'evidence-invalid';
    return new ValidationRefusal(code, causeText(fault.detail), lines, []);
  }
  const failed = verdicts.flatMap(({ name, fault: cause }, index) =>
    cause === undefined ? [] : [{ name, index, ...cause }],
  );
  const [first] = failed;
  if (first === undefined) return undefined;
  const code = failed.every(({ kind }) => kind === 'missing') ? 'evidence-missing' : 'evidence-invalid';
  const refusals = failed.flatMap(({ index, kind, cause }): readonly NameRefusal[] => {
    const name = names[index];
    if (name === undefined) return [];
    const type = kind === 'missing' ? 'evidence-missing' : 'evidence-invalid';
    return [{ name: writeGeneralNameMessage(name), type, detail: causeText(cause) }];
  });
  const others = failed.length === 1 ? '' : ` (and ${failed.length - 1} more)`;
  const detail = `perspective-results: ${nameText(first.name)}: ${causeText(first.cause)}${others}`;
  return new ValidationRefusal(code, detail, lines, refusals);
}
