// The words of the contract in which a profile is described, for gates that tell their clients what to ask for.
// It adds nothing of its own, so that a gate speaks of profiles as the keep does.

export { type KeyRule, NameKind, type Profile, type SubjectAttribute } from '@gatehouse/proto/certificate-authority';
export type { RequiredSites, ValidationRules } from '@gatehouse/proto/domain-validation';
