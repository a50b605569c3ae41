/**
 * The plain-JavaScript baseline of the benchmarks: a plugin that does the same work without Sheetwire's engine.
 *
 * Owns one straightforward, competent way of making variables follow a sheet: at every message map the whole sheet,
 * read every local variable, compare, write what differs. It is bundled as a script of its own and run in the same
 * fake host as `dist/code.js`, with the same data and the same charged costs. Must not share code with the product:
 * it is what the product is measured against.
 *
 * In: `{ type: "sync", rows }` with `rows[row][column]` as text, header first, columns
 * Collection, Name, then one column a mode, Type. Out: `{ type: "synced", mapMs, writeMs, created, written }`,
 * both times by the sandbox's own `Date.now`.
 */

type Raw = { kind: "value"; value: VariableValue } | { kind: "alias"; collection: string; name: string; opacity?: number };

interface Desired {
  collection: string;
  name: string;
  type: "COLOR" | "FLOAT" | "STRING" | "BOOLEAN";
  values: Map<string, Raw>;
}

const HEX = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})?$/i;
const RGBA = /^rgba?\(\s*([0-9.]+)[ ,]+([0-9.]+)[ ,]+([0-9.]+)(?:[ ,/]+([0-9.]+))?\s*\)$/;
const ALIAS = /^\{([^:}]+):([^}]+)\}(?:\s*\/\s*([0-9.]+)%)?$/;

function parse(text: string, type: string): Raw | undefined {
  const alias = ALIAS.exec(text);
  if (alias !== null) {
    const target = { kind: "alias" as const, collection: alias[1]!, name: alias[2]! };
    return alias[3] === undefined ? target : { ...target, opacity: Number(alias[3]) };
  }
  switch (type) {
    case "COLOR": {
      const hex = HEX.exec(text);
      if (hex !== null) {
        const channel = (at: number): number => parseInt(hex[at]!, 16) / 255;
        return { kind: "value", value: { r: channel(1), g: channel(2), b: channel(3), a: hex[4] === undefined ? 1 : channel(4) } };
      }
      const rgba = RGBA.exec(text);
      if (rgba === null) return undefined;
      const channel = (at: number): number => Number(rgba[at]) / 255;
      return { kind: "value", value: { r: channel(1), g: channel(2), b: channel(3), a: rgba[4] === undefined ? 1 : Number(rgba[4]) } };
    }
    case "FLOAT": {
      const value = Number(text);
      return Number.isFinite(value) ? { kind: "value", value } : undefined;
    }
    case "BOOLEAN":
      return { kind: "value", value: text === "TRUE" };
    default:
      return { kind: "value", value: text };
  }
}

function map(rows: string[][]): Desired[] {
  const header = rows[0] ?? [];
  const typeColumn = header.indexOf("Type");
  const modes: { name: string; column: number }[] = [];
  for (let column = 2; column < typeColumn; column += 1) modes.push({ name: header[column]!, column });
  const desired: Desired[] = [];
  for (let row = 1; row < rows.length; row += 1) {
    const cells = rows[row]!;
    const type = cells[typeColumn] as Desired["type"];
    const values = new Map<string, Raw>();
    for (const mode of modes) {
      const text = cells[mode.column];
      if (text === undefined || text === "") continue;
      const raw = parse(text, type);
      if (raw !== undefined) values.set(mode.name, raw);
    }
    desired.push({ collection: cells[0]!, name: cells[1]!, type, values });
  }
  return desired;
}

const near = (left: number, right: number): boolean => Math.fround(left) === Math.fround(right);

function same(held: VariableValue | undefined, wanted: VariableValue): boolean {
  if (held === undefined) return false;
  if (typeof held === "number" && typeof wanted === "number") return near(held, wanted);
  if (typeof held !== "object" || typeof wanted !== "object") return held === wanted;
  if ("id" in held && "id" in wanted) return held.id === wanted.id;
  if ("r" in held && "r" in wanted) {
    const alpha = (value: RGB | RGBA): number => ("a" in value ? value.a : 1);
    return near(held.r, wanted.r) && near(held.g, wanted.g) && near(held.b, wanted.b) && near(alpha(held), alpha(wanted));
  }
  if ("opacity" in held && "opacity" in wanted && "id" in held.color && "id" in wanted.color) {
    return held.color.id === wanted.color.id && typeof held.opacity === "number" && typeof wanted.opacity === "number" && near(held.opacity, wanted.opacity);
  }
  return false;
}

/** Longest uninterrupted stretch of work between two yields, in milliseconds. */
const SLICE_MS = 12;
let sliceStart = 0;
async function breathe(): Promise<void> {
  if (Date.now() - sliceStart < SLICE_MS) return;
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  sliceStart = Date.now();
}

async function sync(rows: string[][]): Promise<void> {
  const started = Date.now();
  sliceStart = started;
  const desired = map(rows);
  const collections = new Map<string, VariableCollection>();
  const byId = new Map<string, VariableCollection>();
  for (const collection of await figma.variables.getLocalVariableCollectionsAsync()) {
    collections.set(collection.name, collection);
    byId.set(collection.id, collection);
  }
  const held = new Map<string, Variable>();
  for (const variable of await figma.variables.getLocalVariablesAsync()) {
    const owner = byId.get(variable.variableCollectionId);
    if (owner !== undefined) held.set(`${owner.name}\n${variable.name}`, variable);
  }
  const values = new Map<string, Variable["valuesByMode"]>();
  for (const [key, variable] of held) values.set(key, variable.valuesByMode);
  const mapped = Date.now();

  const modeIds = new Map<string, Map<string, string>>();
  for (const want of desired) {
    let collection = collections.get(want.collection);
    let ids = modeIds.get(want.collection);
    if (collection === undefined) {
      collection = figma.variables.createVariableCollection(want.collection);
      collections.set(want.collection, collection);
      const first = want.values.keys().next().value as string;
      const born = collection.modes[0]!.modeId;
      collection.renameMode(born, first);
      ids = new Map([[first, born]]);
      modeIds.set(want.collection, ids);
    } else if (ids === undefined) {
      ids = new Map(collection.modes.map((mode) => [mode.name, mode.modeId]));
      modeIds.set(want.collection, ids);
    }
    for (const mode of want.values.keys()) if (!ids.has(mode)) ids.set(mode, collection.addMode(mode));
  }
  let created = 0;
  let written = 0;
  for (const want of desired) {
    const key = `${want.collection}\n${want.name}`;
    if (held.has(key)) continue;
    held.set(key, figma.variables.createVariable(want.name, collections.get(want.collection)!, want.type));
    created += 1;
    await breathe();
  }
  for (const want of desired) {
    const key = `${want.collection}\n${want.name}`;
    const variable = held.get(key)!;
    const before = values.get(key);
    for (const [mode, raw] of want.values) {
      const modeId = modeIds.get(want.collection)!.get(mode)!;
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
      written += 1;
      await breathe();
    }
  }
  figma.ui.postMessage({ type: "synced", mapMs: mapped - started, writeMs: Date.now() - mapped, created, written });
}

figma.showUI(__html__, { visible: false });
figma.ui.onmessage = (message: { type: string; rows?: string[][] }) => {
  if (message.type === "sync" && message.rows !== undefined) void sync(message.rows);
};
