/** Key purposes as people know them. */
import { keyPurposes } from '@gatehouse/pkix/object-identifiers';

const names: ReadonlyMap<string, string> = new Map(Object.entries(keyPurposes).map(([name, oid]) => [oid, name]));

/** `serverAuth` for 1.3.6.1.5.5.7.3.1; the object identifier where there is no name. */
export function keyPurposeName(oid: string): string {
  return names.get(oid) ?? oid;
}
