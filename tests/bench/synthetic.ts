/**
 * A sheet of any size for the benchmarks: `variables` rows and `modes` mode columns, the mix of a real system.
 *
 * Owns the made data and its edits. Must not know how it is synced. The same arguments give the same sheet.
 */

import type { Typed } from "../sheets/tokens.ts";

/** A small generator of whole numbers (a linear congruence modulo 2³²), so that a run can be repeated. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

const hex = (number: number): string => `#${(number & 0xffffff).toString(16).padStart(6, "0")}`;

/**
 * Rows with the header Collection, Name, one column a mode (`m1`, `m2`, …), Type: six in ten opaque colours, one
 * translucent, two aliases to an earlier colour, one number. 20 names a group; the rows fill `collections` one after
 * the other, and aliases go across them.
 */
export function synthetic(variables: number, modes: number, seed = 1, collections = 1): Typed[][] {
  const next = generator(seed);
  const names = Array.from({ length: modes }, (_, index) => `m${index + 1}`);
  const rows: Typed[][] = [["Collection", "Name", ...names, "Type"]];
  const colors: string[] = [];
  const owner = (index: number): string => (collections === 1 ? "Bench" : `Bench ${Math.floor((index * collections) / variables) + 1}`);
  for (let index = 0; index < variables; index += 1) {
    const name = `group-${Math.floor(index / 20)}/token-${index}`;
    const kind = index % 10;
    const values = names.map((): Typed => {
      const number = next();
      if (kind < 6) return hex(number);
      if (kind < 7) return `rgba(${number & 255}, ${(number >> 8) & 255}, ${(number >> 16) & 255}, 0.${1 + (number % 9)})`;
      if (kind < 9) return `{${colors[number % colors.length]}}`;
      return number % 400;
    });
    if (kind < 7) colors.push(`${owner(index)}:${name}`);
    rows.push([owner(index), { text: name }, ...values, kind === 9 ? "FLOAT" : "COLOR"]);
  }
  return rows;
}

/** One edited cell: a colour that no earlier edit of the same run wrote, into an opaque-colour row. */
export function edit(step: number, variables: number, modes: number): { row: number; column: number; value: string } {
  const index = Math.floor((step * 7919) % variables);
  const color = index - (index % 10) + (step % 6);
  return { row: 1 + Math.min(color, variables - 1), column: 2 + (step % modes), value: hex(0x101010 + step * 4099) };
}
