/** What a person is shown when a command fails: one sentence and what to do next, never a stack trace. */
import { CoreError } from '@gatehouse/ra-client/core-error';
import { FatalError, formatFatalError } from '@gatehouse/runtime/fatal';

/** The text for standard error. */
export function describeFailure(error: unknown): string {
  if (error instanceof FatalError) return `error: ${formatFatalError(error)}`;
  if (error instanceof CoreError) return `error: ${error.detail} (${error.code})${adviceFor(error)}`;
  if (process.env.GATEHOUSE_LOG_LEVEL === 'debug' && error instanceof Error) return `error: ${error.stack}`;
  const message = error instanceof Error ? error.message : String(error);
  return `error: ${message}\n  set GATEHOUSE_LOG_LEVEL=debug to see where it comes from`;
}

function adviceFor(error: CoreError): string {
  switch (error.code) {
    case 'unavailable':
      return "\n  is the core running? Start it with 'gatehouse up' or 'gatehouse run core', and name its --data directory";
    case 'unauthorized':
      return '\n  the credential in operators/admin.pem is not accepted; was the data directory made anew, or did it expire?';
    case 'internal':
      return `\n  the core's log has the cause under incident ${error.incident ?? '(none)'}`;
    default:
      return '';
  }
}
