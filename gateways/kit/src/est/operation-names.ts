// The operations of EST, RFC 7030 §3.2.2, by the last segment of their paths.

/** All six. A label must not have one of these names, RFC 7030 §3.2.2. */
export const operationNames = [
  'cacerts',
  'csrattrs',
  'simpleenroll',
  'simplereenroll',
  'serverkeygen',
  'fullcmc',
] as const;

/** Name of an operation. */
export type OperationName = (typeof operationNames)[number];

/** Operations that ask for a certificate, and so need a proof of who asks. */
export const enrollmentOperations = ['simpleenroll', 'simplereenroll', 'serverkeygen', 'fullcmc'] as const;

/** Whether the text is the name of an operation. */
export function isOperationName(text: string): text is OperationName {
  return (operationNames as readonly string[]).includes(text);
}
