/**
 * A profile as gates see it: what a client has to know in order to make a request that is accepted. Rules that only the
 * core enforces (lints, evidence anchors, requesters) stay inside.
 */
import {
  type KeyRule as KeyRuleMessage,
  NameKind as NameKindMessage,
  type Profile as ProfileMessage,
} from '@gatehouse/proto/certificate-authority';
import type { ValidationRules } from '@gatehouse/proto/domain-validation';
import type { AttributeRule, KeyRule, Profile } from './profile.ts';
import type { NameKind } from './vocabulary.ts';

const nameKindMessages: Readonly<Record<NameKind, NameKindMessage>> = {
  dns: NameKindMessage.NAME_KIND_DNS,
  ip: NameKindMessage.NAME_KIND_IP,
  uri: NameKindMessage.NAME_KIND_URI,
  email: NameKindMessage.NAME_KIND_EMAIL,
  directory: NameKindMessage.NAME_KIND_DIRECTORY,
  other: NameKindMessage.NAME_KIND_OTHER,
};

/** What proves the control of names. */
const validationEvidence = ['perspective-results', 'acme-finalize'];

/** The `Profile` message of the contract. `keyUsage` holds what every key gets, not what is added for RSA. @param validation as it is bound */
export function describeProfile(profile: Profile, validation?: ValidationRules): ProfileMessage {
  const { subject, names, validity } = profile;
  return {
    name: profile.name,
    description: profile.description,
    subject: subject.attributes.map((attribute) => ({
      type: attribute.type,
      value: attribute.presence === 'fixed' ? attribute.value : '',
      isRequired: mustBeRequested(attribute),
    })),
    allowedNames: names.allowed.map((kind) => nameKindMessages[kind]),
    requiredNames: names.required.map((kind) => nameKindMessages[kind]),
    keys: profile.keys.map(describeKeyRule),
    keyUsage: [...profile.keyUsage],
    extendedKeyUsage: [...profile.extendedKeyUsage],
    defaultValidity: duration(validity.defaultMs),
    maximumValidity: duration(validity.maximumMs),
    needsApproval: profile.approval === 'required',
    evidence: [
      ...profile.evidence.map(({ type }) => type),
      ...(validation?.mode === 'enforce' ? validationEvidence : []),
    ],
    isCa: profile.basicConstraints.isCa,
    copiedExtensions: [...profile.requestExtensions.copy],
    acceptsStatedPossession: profile.acceptsStatedPossession,
    allowsNameChange: profile.renewal.allowsNameChange,
    status: profile.status,
    needsAnyName: profile.names.atLeastOne,
    validation,
    allowsWildcards: profile.names.wildcards,
  };
}

/** A fixed attribute is always in the certificate, and a template is filled by the core: neither has to be asked for. */
function mustBeRequested(attribute: AttributeRule): boolean {
  return attribute.presence === 'required' || attribute.presence === 'fixed';
}

function describeKeyRule(rule: KeyRule): KeyRuleMessage {
  const { kind } = rule;
  switch (rule.kind) {
    case 'ec':
      return { kind, parameters: [...rule.curves], minimumBits: 0, maximumBits: 0 };
    case 'rsa':
      return { kind, parameters: [], minimumBits: rule.minimumBits, maximumBits: rule.maximumBits };
    case 'ed25519':
      return { kind, parameters: [], minimumBits: 0, maximumBits: 0 };
    case 'ml-dsa':
      return { kind, parameters: [...rule.parameterSets], minimumBits: 0, maximumBits: 0 };
  }
}

function duration(ms: number): { readonly seconds: number; readonly nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: 0 };
}
