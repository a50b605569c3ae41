/**
 * The plain-JavaScript baseline of the benchmarks: a plugin that does the same work without Sheetwire's engine.
 *
 * Owns one straightforward, competent way of making variables follow a sheet: at every message map the whole sheet,
 * read every local variable, compare, write what differs. It is bundled as a script of its own and run in the same
 * fake host as `dist/code.js`, with the same data and the same charged costs. Must not share code with the product:
 * it is what the product is measured against.
 *
 * In: `{ type: "sync", rows }` with `rows[row][column]` as text, header first, columns
 * Collection, Name, then one column a mode, Type. Out: `{ type: "synced" }`.
 */

import { map, same, serve, structure } from "./peers/cells.ts";

/** Longest uninterrupted stretch of work between two yields, in milliseconds. */
const SLICE_MS = 12;
let sliceStart = 0;
async function breathe(): Promise<void> {
  if (Date.now() - sliceStart < SLICE_MS) return;
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  sliceStart = Date.now();
}

serve(async (rows) => {
  sliceStart = Date.now();
  const desired = map(rows);
  const places = structure(desired, await figma.variables.getLocalVariableCollectionsAsync());
  const owners = new Map<string, string>();
  for (const [name, { collection }] of places) owners.set(collection.id, name);
  const held = new Map<string, Variable>();
  for (const variable of await figma.variables.getLocalVariablesAsync()) {
    const owner = owners.get(variable.variableCollectionId);
    if (owner !== undefined) held.set(`${owner}\n${variable.name}`, variable);
  }
  const values = new Map<string, Variable["valuesByMode"]>();
  for (const [key, variable] of held) values.set(key, variable.valuesByMode);
  for (const want of desired) {
    const key = `${want.collection}\n${want.name}`;
    if (held.has(key)) continue;
    held.set(key, figma.variables.createVariable(want.name, places.get(want.collection)!.collection, want.type));
    await breathe();
  }
  for (const want of desired) {
    const key = `${want.collection}\n${want.name}`;
    const variable = held.get(key)!;
    const before = values.get(key);
    for (const [mode, raw] of want.values) {
      const modeId = places.get(want.collection)!.modes.get(mode)!;
      let value: VariableValue;
      if (raw.kind === "value") value = raw.value;
      else {
        const target = held.get(`${raw.collection}\n${raw.name}`);
        if (target === undefined) continue;
        const alias: VariableAlias = { type: "VARIABLE_ALIAS", id: target.id };
        value = raw.opacity === undefined ? alias : { color: alias, opacity: raw.opacity };
      }
      if (before !== undefined && same(before[modeId], value)) continue;
      variable.setValueForMode(modeId, value);
      await breathe();
    }
  }
});
