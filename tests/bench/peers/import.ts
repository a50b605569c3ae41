/**
 * A peer of the benchmarks: the algorithm of the common plugin that imports variables from a file.
 *
 * Written for these benchmarks after the description and the algorithm of a sample; no code of it is here. It is
 * Figma's own sample for importing and exporting variables (github.com/figma/plugin-samples,
 * `variables-import-export`, README: tokens of a file become variables of a collection, aliases that can't be
 * followed yet wait until their target is there; to overwrite the variables of a mode its README names a larger
 * sample), and the examples of `figma.variables` in Figma's documentation: list the local variables, find each by
 * name, make what is missing, set the value. Nothing is compared and nothing is remembered, so every run sets every
 * value of every mode, and it gives Figma no turn in between.
 *
 * Owns that algorithm alone; cells.ts has what all baselines share.
 */

import { type Desired, type Raw, map, serve, structure } from "./cells.ts";

serve(async (rows) => {
  const desired = map(rows);
  const places = structure(desired, await figma.variables.getLocalVariableCollectionsAsync());
  const owners = new Map<string, string>();
  for (const [name, { collection }] of places) owners.set(collection.id, name);
  const variables = new Map<string, Variable>();
  for (const variable of await figma.variables.getLocalVariablesAsync()) {
    variables.set(`${owners.get(variable.variableCollectionId) ?? ""}\n${variable.name}`, variable);
  }
  const waiting: { variable: Variable; modeId: string; raw: Raw & { kind: "alias" } }[] = [];
  const setAlias = (variable: Variable, modeId: string, raw: Raw & { kind: "alias" }): boolean => {
    const target = variables.get(`${raw.collection}\n${raw.name}`);
    if (target === undefined) return false;
    const alias = figma.variables.createVariableAlias(target);
    variable.setValueForMode(modeId, raw.opacity === undefined ? alias : { color: alias, opacity: raw.opacity });
    return true;
  };
  const importRow = (want: Desired): void => {
    const key = `${want.collection}\n${want.name}`;
    const place = places.get(want.collection)!;
    let variable = variables.get(key);
    if (variable === undefined) {
      variable = figma.variables.createVariable(want.name, place.collection, want.type);
      variables.set(key, variable);
    }
    for (const [mode, raw] of want.values) {
      const modeId = place.modes.get(mode)!;
      if (raw.kind === "value") variable.setValueForMode(modeId, raw.value);
      else if (!setAlias(variable, modeId, raw)) waiting.push({ variable, modeId, raw });
    }
  };
  for (const want of desired) importRow(want);
  for (const { variable, modeId, raw } of waiting) setAlias(variable, modeId, raw);
});
