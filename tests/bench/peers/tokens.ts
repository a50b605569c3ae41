/**
 * A peer of the benchmarks: the algorithm of a token plugin that exports its tokens to variables.
 *
 * Written from a description, not from its code. The description: Tokens Studio's documentation ("Export to Figma",
 * docs.tokens.studio) and its notes for release 1.37 (github.com/tokens-studio/figma-plugin): themes become
 * collections and modes; every token is resolved; the variables that exist are found by name; missing ones are made,
 * values are updated where they differ; references become aliases afterwards, once every variable is there. It goes
 * mode by mode, as themes are exported one by one, and resolves all tokens of the mode before.
 *
 * Owns that algorithm alone; cells.ts has what all baselines share.
 */

import { type Desired, type Raw, map, same, serve, structure } from "./cells.ts";

/** Longest chain of references that is followed. */
const CHAIN_MAX = 64;

/** What a token comes to in a mode, references followed. */
function resolve(tokens: Map<string, Desired>, want: Desired, mode: string, depth = 0): VariableValue | undefined {
  const raw = want.values.get(mode);
  if (raw === undefined || depth > CHAIN_MAX) return undefined;
  if (raw.kind === "value") return raw.value;
  const target = tokens.get(`${raw.collection}\n${raw.name}`);
  return target === undefined ? undefined : resolve(tokens, target, mode, depth + 1);
}

serve(async (rows) => {
  const desired = map(rows);
  const tokens = new Map(desired.map((want) => [`${want.collection}\n${want.name}`, want]));
  const places = structure(desired, await figma.variables.getLocalVariableCollectionsAsync());
  const variables = new Map<string, Variable>();
  const byCollection = new Map<string, string>();
  for (const [name, { collection }] of places) byCollection.set(collection.id, name);
  for (const variable of await figma.variables.getLocalVariablesAsync()) {
    variables.set(`${byCollection.get(variable.variableCollectionId) ?? ""}\n${variable.name}`, variable);
  }
  const held = new Map<string, Variable["valuesByMode"]>();
  for (const [key, variable] of variables) held.set(key, variable.valuesByMode);
  const references: { key: string; modeId: string; raw: Raw & { kind: "alias" } }[] = [];
  const modes = new Set<string>();
  for (const want of desired) for (const mode of want.values.keys()) modes.add(mode);
  for (const mode of modes) {
    const resolved = desired.map((want) => ({ want, value: resolve(tokens, want, mode) }));
    for (const { want, value } of resolved) {
      if (value === undefined) continue;
      const key = `${want.collection}\n${want.name}`;
      const place = places.get(want.collection)!;
      let variable = variables.get(key);
      if (variable === undefined) {
        variable = figma.variables.createVariable(want.name, place.collection, want.type);
        variables.set(key, variable);
      }
      const modeId = place.modes.get(mode)!;
      const raw = want.values.get(mode)!;
      if (raw.kind === "alias") references.push({ key, modeId, raw });
      else if (!same(held.get(key)?.[modeId], value)) variable.setValueForMode(modeId, value);
    }
    // One turn for Figma between two modes, so that its progress can be shown.
    await new Promise<void>((done) => setTimeout(done, 0));
  }
  for (const { key, modeId, raw } of references) {
    const variable = variables.get(key);
    const target = variables.get(`${raw.collection}\n${raw.name}`);
    if (variable === undefined || target === undefined) continue;
    const alias: VariableAlias = { type: "VARIABLE_ALIAS", id: target.id };
    const value: VariableValue = raw.opacity === undefined ? alias : { color: alias, opacity: raw.opacity };
    if (!same(held.get(key)?.[modeId], value)) variable.setValueForMode(modeId, value);
  }
});
