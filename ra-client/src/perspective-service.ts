// The service of a perspective in the words of the contract, for the process that serves it. Gates ask through
// `perspective.ts`.

export { toServiceError } from '@gatehouse/proto/core-error';
export {
  type PerspectiveServiceServer,
  PerspectiveServiceService as PerspectiveServiceDefinition,
  type Statement,
} from '@gatehouse/proto/perspective';
