// The grammar of RFC 8659 §4.2 (`issuer; tag=value; …`), which CAA and dns-persist-01 records share, read from strangers'
// text. What does not follow it is no issue-value; what that means is for the caller.

/** Issuer Domain Name in lower case, empty when none is named, and the parameters in their order, tags in lower case. */
export type IssueValue = {
  readonly issuer: string;
  readonly parameters: readonly { readonly tag: string; readonly value: string }[];
};

const issuerForm = /^[A-Za-z0-9](?:-*[A-Za-z0-9])*(?:\.[A-Za-z0-9](?:-*[A-Za-z0-9])*)*$/;
const tagForm = /^[A-Za-z0-9](?:-*[A-Za-z0-9])*$/;
/** %x21-3A / %x3C-7E: printable, and no semicolon. */
const valueForm = /^[!-:<-~]*$/;

/** Reads one; undefined when it does not follow the grammar. */
export function readIssueValue(text: string): IssueValue | undefined {
  const [head = '', ...rest] = text.split(';');
  const issuer = trim(head);
  if (issuer !== '' && !issuerForm.test(issuer)) return undefined;
  // `issuer;` is the whole grammar's `[";" *WSP [parameters *WSP]]` without parameters.
  if (rest.length === 1 && trim(rest[0] ?? '') === '') return { issuer: issuer.toLowerCase(), parameters: [] };
  const parameters: { tag: string; value: string }[] = [];
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals < 0) return undefined;
    const tag = trim(part.slice(0, equals));
    const value = trim(part.slice(equals + 1));
    if (!tagForm.test(tag) || !valueForm.test(value)) return undefined;
    parameters.push({ tag: tag.toLowerCase(), value });
  }
  return { issuer: issuer.toLowerCase(), parameters };
}

/** Values of all parameters with this tag. */
export function parameterValues(value: IssueValue, tag: string): readonly string[] {
  return value.parameters.flatMap((parameter) => (parameter.tag === tag ? [parameter.value] : []));
}

// WSP of RFC 5234: space and tab.
function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
