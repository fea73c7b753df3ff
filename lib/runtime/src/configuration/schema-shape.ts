// Looks into a zod schema for the keys that it knows at a given place, through defaults, optionals, unions and
// transforms. It only reads schemas; whether a value is right is zod's to say.

import type { z } from 'zod';

/** Any zod schema. */
export type Schema = z.core.$ZodType;

/** What a schema allows at one place. */
export type Shape =
  | { readonly kind: 'object'; readonly keys: ReadonlyMap<string, readonly Schema[]>; readonly isOpen: boolean }
  | { readonly kind: 'record'; readonly values: Schema }
  | { readonly kind: 'array'; readonly items: Schema }
  | { readonly kind: 'value' };

type Definition = z.core.$ZodTypeDef & Readonly<Record<string, unknown>>;

/** The schemas that a value is checked against in the end: wrappers are taken off, unions spread out. */
export function alternatives(schema: Schema, depth = 0): readonly Schema[] {
  if (depth > 20) return [schema];
  const definition = schema._zod.def as unknown as Definition;
  switch (definition.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return alternatives(definition.innerType as Schema, depth + 1);
    case 'pipe': {
      // A preprocessing step says nothing about what it takes; what comes after it does.
      const input = definition.in as Schema;
      return alternatives(input._zod.def.type === 'transform' ? (definition.out as Schema) : input, depth + 1);
    }
    case 'lazy':
      return alternatives((definition.getter as () => Schema)(), depth + 1);
    case 'union':
      return (definition.options as readonly Schema[]).flatMap((option) => alternatives(option, depth + 1));
    case 'intersection':
      return [definition.left as Schema, definition.right as Schema].flatMap((side) => alternatives(side, depth + 1));
    default:
      return [schema];
  }
}

/**
 * What the schemas allow for `value`: those alternatives count that fit its form and, in a discriminated union, its
 * discriminator.
 */
export function shapeFor(schemas: readonly Schema[], value: unknown): Shape {
  const options = schemas.flatMap((schema) => alternatives(schema));
  if (Array.isArray(value)) {
    for (const option of options) {
      const definition = definitionOf(option);
      if (definition.type === 'array') return { kind: 'array', items: definition.element as Schema };
    }
    return { kind: 'value' };
  }
  const objects = options.filter((option) => definitionOf(option).type === 'object');
  if (objects.length > 0) return objectShape(withFittingLiterals(objects, value));
  for (const option of options) {
    const definition = definitionOf(option);
    if (definition.type === 'record') return { kind: 'record', values: definition.valueType as Schema };
  }
  for (const option of options) {
    const definition = definitionOf(option);
    if (definition.type === 'array') return { kind: 'array', items: definition.element as Schema };
  }
  return { kind: 'value' };
}

function objectShape(objects: readonly Schema[]): Shape {
  const keys = new Map<string, Schema[]>();
  let isOpen = false;
  for (const object of objects) {
    const { shape, catchall } = definitionOf(object) as { shape?: Record<string, Schema>; catchall?: Schema };
    if (catchall !== undefined && catchall._zod.def.type !== 'never') isOpen = true;
    for (const [key, schema] of Object.entries(shape ?? {})) keys.set(key, [...(keys.get(key) ?? []), schema]);
  }
  return { kind: 'object', keys, isOpen };
}

/** Of several object schemas those whose literal members ('kind') agree with the value; all of them when none does. */
function withFittingLiterals(objects: readonly Schema[], value: unknown): readonly Schema[] {
  if (objects.length === 1 || typeof value !== 'object' || value === null) return objects;
  const fitting = objects.filter((object) =>
    Object.entries((definitionOf(object).shape as Record<string, Schema>) ?? {}).every(([key, schema]) => {
      const definition = definitionOf(schema);
      const allowed = literals(definition);
      return (
        allowed === undefined || !Object.hasOwn(value, key) || allowed.includes((value as Record<string, unknown>)[key])
      );
    }),
  );
  return fitting.length > 0 ? fitting : objects;
}

function literals(definition: Definition): readonly unknown[] | undefined {
  if (definition.type === 'literal') return definition.values as readonly unknown[];
  if (definition.type === 'enum') return Object.values(definition.entries as Record<string, unknown>);
  return undefined;
}

function definitionOf(schema: Schema): Definition {
  return schema._zod.def as unknown as Definition;
}
