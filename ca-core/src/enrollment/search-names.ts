/** By which names a certificate is found again: its alternative names and common names, without their kind. */
import { formatGeneralName, type GeneralName } from '@gatehouse/pkix/general-names';
import { attributeValues, formatName, type Name } from '@gatehouse/pkix/names';
import { attributeTypes } from '@gatehouse/pkix/object-identifiers';

/** Names for exact look-up. */
export function searchNamesOf(subject: Name, names: readonly GeneralName[]): readonly string[] {
  return [...attributeValues(subject, attributeTypes.CN), ...names.map(textOf)];
}

function textOf(name: GeneralName): string {
  switch (name.kind) {
    case 'dns':
    case 'ip':
    case 'uri':
    case 'email':
      return name.value;
    case 'directory':
      return formatName(name.value);
    default:
      return formatGeneralName(name);
  }
}
