/**
 * What the cells of the benchmarks' sheet say, read as any plugin in plain JavaScript would read them.
 *
 * Owns the few ways of writing a value that the made sheets use. Must not know what is done with a value, and shares
 * nothing with the product: it is part of what the product is measured against.
 */

export type Type = "COLOR" | "FLOAT" | "STRING" | "BOOLEAN";

/** A value, or a reference to another variable, perhaps with an opacity of its own in percent. */
export type Raw = { kind: "value"; value: VariableValue } | { kind: "alias"; collection: string; name: string; opacity?: number };

/** One row: a variable, and what each mode that has a cell is to hold. */
export interface Desired {
  collection: string;
  name: string;
  type: Type;
  values: Map<string, Raw>;
}

const HEX = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})?$/i;
const RGBA = /^rgba?\(\s*([0-9.]+)[ ,]+([0-9.]+)[ ,]+([0-9.]+)(?:[ ,/]+([0-9.]+))?\s*\)$/;
const ALIAS = /^\{([^:}]+):([^}]+)\}(?:\s*\/\s*([0-9.]+)%)?$/;

function parse(text: string, type: Type): Raw | undefined {
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
    case "STRING":
      return { kind: "value", value: text };
  }
}

/** The whole sheet: a header with the columns Collection, Name, one a mode, Type, and a row for each variable. */
export function map(rows: string[][]): Desired[] {
  const header = rows[0] ?? [];
  const typeColumn = header.indexOf("Type");
  const modes: { name: string; column: number }[] = [];
  for (let column = 2; column < typeColumn; column += 1) modes.push({ name: header[column]!, column });
  const desired: Desired[] = [];
  for (let row = 1; row < rows.length; row += 1) {
    const cells = rows[row]!;
    const type = cells[typeColumn] as Type;
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

/** Whether a variable holds a value already: Figma keeps numbers as 32-bit floats. */
export function same(held: VariableValue | undefined, wanted: VariableValue): boolean {
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

/** Collections by name, made where the sheet names a new one, with the ids of the modes that its rows use. */
export function structure(desired: Desired[], known: readonly VariableCollection[]): Map<string, { collection: VariableCollection; modes: Map<string, string> }> {
  const found = new Map<string, { collection: VariableCollection; modes: Map<string, string> }>();
  for (const collection of known) {
    found.set(collection.name, { collection, modes: new Map(collection.modes.map((mode) => [mode.name, mode.modeId])) });
  }
  for (const want of desired) {
    let place = found.get(want.collection);
    if (place === undefined) {
      const collection = figma.variables.createVariableCollection(want.collection);
      const first = want.values.keys().next().value as string;
      const born = collection.modes[0]!.modeId;
      collection.renameMode(born, first);
      place = { collection, modes: new Map([[first, born]]) };
      found.set(want.collection, place);
    }
    for (const mode of want.values.keys()) if (!place.modes.has(mode)) place.modes.set(mode, place.collection.addMode(mode));
  }
  return found;
}

/** Hears the benchmark: `{ type: "sync", rows }` is answered with `{ type: "synced" }`. */
export function serve(sync: (rows: string[][]) => Promise<void>): void {
  figma.showUI(__html__, { visible: false });
  figma.ui.onmessage = (message: { type: string; rows?: string[][] }) => {
    if (message.type === "sync" && message.rows !== undefined) {
      void sync(message.rows).then(() => {
        figma.ui.postMessage({ type: "synced" });
      });
    }
  };
}
