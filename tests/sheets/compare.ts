/**
 * What a file holds against what a token set's source says, variable by variable.
 *
 * Owns the comparison: every difference is a line of text, none is a pass. Must not know how the variables got there.
 */

import type { StoredCollection, StoredVariable } from '../figma-host/document.ts';
import type { ExpectedValue, ExpectedVariable } from './tokens.ts';

const same = (held: unknown, wanted: number): boolean => typeof held === 'number' && held === Math.fround(wanted);

/** Every difference between the file's variables and `expected`; extra variables are differences too. */
export function differences(file: { readonly collections: readonly StoredCollection[]; readonly variables: readonly StoredVariable[] }, expected: readonly ExpectedVariable[]): string[] {
  const found: string[] = [];
  const collections = new Map(file.collections.map((collection) => [collection.id, collection]));
  const named = (variable: StoredVariable | undefined): string =>
    variable === undefined ? '' : `${collections.get(variable.collectionId)?.name ?? '?'}:${variable.name}`;
  const byId = new Map(file.variables.map((variable) => [variable.id, variable]));
  const byName = new Map(file.variables.map((variable) => [named(variable), variable]));

  const holds = (held: unknown, wanted: ExpectedValue): boolean => {
    const fields = (typeof held === 'object' && held !== null ? held : {}) as Record<string, unknown>;
    switch (wanted.kind) {
      case 'color':
        return same(fields['r'], wanted.r) && same(fields['g'], wanted.g) && same(fields['b'], wanted.b) && same(fields['a'], wanted.a ?? 1);
      case 'number':
        return same(held, wanted.value);
      case 'text':
        return held === wanted.value;
      case 'easing': {
        const curve = (fields['easingFunctionCubicBezier'] ?? {}) as Record<string, unknown>;
        return ['x1', 'y1', 'x2', 'y2'].every((key, index) => same(curve[key], wanted.points[index] ?? NaN));
      }
      case 'alias': {
        const target = `${wanted.collection}:${wanted.name}`;
        if (wanted.opacity === undefined) return fields['type'] === 'VARIABLE_ALIAS' && named(byId.get(String(fields['id']))) === target;
        const color = (fields['color'] ?? {}) as Record<string, unknown>;
        return named(byId.get(String(color['id']))) === target && same(fields['opacity'], wanted.opacity * 100);
      }
    }
  };

  for (const wanted of expected) {
    const key = `${wanted.collection}:${wanted.name}`;
    const held = byName.get(key);
    if (held === undefined) {
      found.push(`${key} is missing`);
      continue;
    }
    byName.delete(key);
    if (held.resolvedType !== wanted.type) found.push(`${key} is a ${held.resolvedType}, not a ${wanted.type}`);
    if (held.description !== wanted.description) found.push(`${key} has another description`);
    if (JSON.stringify([...held.scopes].sort()) !== JSON.stringify(wanted.scopes)) found.push(`${key} has the scopes ${held.scopes.join()}, not ${wanted.scopes.join()}`);
    if ((held.codeSyntax.WEB ?? '') !== (wanted.web ?? '')) found.push(`${key} has the code syntax ${held.codeSyntax.WEB ?? ''}`);
    const modes = collections.get(held.collectionId)?.modes ?? [];
    for (const mode of modes) {
      const value = wanted.values[mode.name];
      if (value === undefined) found.push(`${key} has the mode ${mode.name}, which its source has not`);
      else if (!holds(held.valuesByMode[mode.modeId], value)) found.push(`${key} in ${mode.name} is ${JSON.stringify(held.valuesByMode[mode.modeId])}, not ${JSON.stringify(value)}`);
    }
    for (const name of Object.keys(wanted.values)) {
      if (!modes.some((mode) => mode.name === name)) found.push(`${key} lacks the mode ${name}`);
    }
  }
  for (const key of byName.keys()) found.push(`${key} is more than was asked for`);
  return found;
}
