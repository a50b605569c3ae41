/**
 * Open Props as a sheet: `open-props`, file `open-props.tokens.json`.
 *
 * Owns which of its tokens become rows. Must not know Sheetwire's grammar.
 *
 * Taken are the 18 colour ramps, the plain sizes, radii and border widths, the layers and the cubic easings: what
 * Figma has a variable type for. Left out are gradients, noise, aspect ratios, `linear()` easings, and sizes in
 * `ch` or as `clamp()`, which no Figma variable can hold.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { ExpectedValue, ExpectedVariable, TokenSet, Typed } from "./tokens.ts";

interface PropsToken {
  $value: string | number;
  $type?: string;
}

/** CSS pixels in one rem, as browsers have it by default. */
const REM_PX = 16;
const HEADER: Typed[] = ["collection", "name", "value", "type", "code:web"];

function read(token: PropsToken): { type: ExpectedVariable["type"]; value: ExpectedValue } | undefined {
  if (typeof token.$value === "number") return { type: "FLOAT", value: { kind: "number", value: token.$value } };
  const text = token.$value.trim();
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/.exec(text);
  if (hex !== null) {
    const [r, g, b] = hex.slice(1).map((pair) => Number.parseInt(pair, 16) / 255) as [number, number, number];
    return { type: "COLOR", value: { kind: "color", r, g, b, a: 1 } };
  }
  const size = /^(-?[0-9]*\.?[0-9]+)(px|rem)$/.exec(text);
  if (size !== null) {
    const value = Number(size[1]) * (size[2] === "rem" ? REM_PX : 1);
    return { type: "FLOAT", value: { kind: "number", value } };
  }
  const bezier = /^cubic-bezier\(([^)]*)\)$/.exec(text);
  if (bezier !== null) {
    const points = (bezier[1] ?? "").split(",").map(Number) as [number, number, number, number];
    return { type: "EASING", value: { kind: "easing", points } };
  }
  return undefined;
}

/** Open Props: one tab, one collection with the single mode `value`. */
export function openProps(): TokenSet {
  const require = createRequire(join(process.cwd(), "package.json"));
  const tokens = JSON.parse(readFileSync(require.resolve("open-props/tokens"), "utf8")) as Record<string, PropsToken>;
  const rows: Typed[][] = [HEADER];
  const expected: ExpectedVariable[] = [];
  for (const [property, token] of Object.entries(tokens)) {
    const taken = read(token);
    if (taken === undefined) continue;
    const name = property.replace(/^--/, "").replace("-", "/");
    const web = `var(${property})`;
    rows.push(["Open Props", { text: name }, token.$value, taken.type, web]);
    expected.push({
      collection: "Open Props",
      name,
      type: taken.type,
      values: { value: taken.value },
      description: "",
      scopes: ["ALL_SCOPES"],
      web,
    });
  }
  return { sheet: { title: "Open Props", rows }, expected };
}
