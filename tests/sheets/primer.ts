/**
 * GitHub's Primer as a sheet: `@primer/primitives`, folder `dist/figma`, themes light and dark with every scale,
 * dimension and type size they refer to.
 *
 * Owns how Primer's export becomes rows and expectations. Must not know Sheetwire's grammar: expectations are made
 * from the source's own numbers.
 *
 * Two oddities of the source are left out on purpose. `scales/light.json` holds one entry of the dark collection
 * (`base/color/inset`) that `scales/dark.json` holds as well; the latter is taken. `typography.json` holds 15
 * fragments without a collection (four of them called `lineHeight`), which Primer's own `figma.json` lists in none.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { colorText, type ExpectedValue, type ExpectedVariable, type TokenSet, type Typed } from "./tokens.ts";

interface PrimerToken {
  name: string;
  value: number | string | { r: number; g: number; b: number; a: number };
  type: "COLOR" | "FLOAT" | "STRING";
  alpha?: number;
  description?: string;
  refId?: string;
  reference?: string;
  collection?: string;
  mode?: string;
  group?: string;
  scopes?: string[];
  codeSyntax?: { web?: string };
}

/** Columns of the sheet, in order. The value columns stand early so that the first screen shows them. */
const MODES = ["light", "dark", "default"] as const;
const HEADER: Typed[] = ["Collection", "Name", ...MODES, "Type", "Description", "Scopes", "code:web"];

const FILES = [
  "themes/light.json",
  "themes/dark.json",
  "scales/light.json",
  "scales/dark.json",
  "dimension/dimension.json",
  "typography/typography.json",
];

function source(): PrimerToken[] {
  const require = createRequire(join(process.cwd(), "package.json"));
  const root = join(dirname(require.resolve("@primer/primitives/package.json")), "dist", "figma");
  return FILES.flatMap((file) => {
    const tokens = JSON.parse(readFileSync(join(root, file), "utf8")) as PrimerToken[];
    return tokens.filter(
      (token) =>
        token.collection !== undefined &&
        !(file === "scales/light.json" && token.collection === "base/color/dark"),
    );
  });
}

function split(refId: string, owners: Map<string, PrimerToken>): { collection: string; name: string } {
  const owner = owners.get(refId);
  if (owner?.collection === undefined) throw new Error(`Primer refers to ${refId}, which it does not hold`);
  return { collection: owner.collection, name: owner.name };
}

function expectedValue(token: PrimerToken, owners: Map<string, PrimerToken>): ExpectedValue {
  if (token.reference !== undefined) {
    const target = split(token.reference, owners);
    return token.alpha === undefined || token.alpha === 1
      ? { kind: "alias", ...target }
      : { kind: "alias", ...target, opacity: token.alpha };
  }
  if (typeof token.value === "number") return { kind: "number", value: token.value };
  if (typeof token.value === "string") return { kind: "text", value: token.value };
  return { kind: "color", ...token.value };
}

function cell(value: ExpectedValue, token: PrimerToken): Typed {
  switch (value.kind) {
    case "alias": {
      const reference = `{${value.collection}:${value.name}}`;
      return value.opacity === undefined ? reference : `${reference} / ${Number((value.opacity * 100).toFixed(6))}%`;
    }
    case "number":
      return value.value;
    case "text":
      return value.value;
    case "color":
      return colorText(token.value as { r: number; g: number; b: number; a: number });
    case "easing":
      throw new Error("Primer's Figma export has no easings");
  }
}

/** Primer's two themes: one tab, 1,744 variables in eight collections. Semantic colours come first. */
export function primer(): TokenSet {
  const tokens = source();
  const owners = new Map<string, PrimerToken>();
  for (const token of tokens) owners.set(token.refId ?? `${token.collection}/${token.name}`, token);

  const variables = new Map<string, { expected: ExpectedVariable; cells: Map<string, Typed>; group: string }>();
  for (const token of tokens) {
    const collection = token.collection ?? "";
    const key = `${collection}\n${token.name}`;
    const value = expectedValue(token, owners);
    let variable = variables.get(key);
    if (variable === undefined) {
      variable = {
        group: token.group ?? "",
        cells: new Map(),
        expected: {
          collection,
          name: token.name,
          type: token.type,
          values: {},
          description: token.description ?? "",
          scopes: [...(token.scopes ?? ["ALL_SCOPES"])].sort(),
          ...(token.codeSyntax?.web === undefined ? {} : { web: token.codeSyntax.web }),
        },
      };
      variables.set(key, variable);
    }
    const mode = token.mode ?? "default";
    variable.expected.values[mode] = value;
    variable.cells.set(mode, cell(value, token));
  }

  const ordered = [...variables.values()];
  const rank = (group: string): number => (group === "semantic" ? 0 : 1);
  ordered.sort((left, right) => rank(left.group) - rank(right.group));
  return {
    sheet: {
      title: "Tokens",
      rows: [
        HEADER,
        ...ordered.map(({ expected, cells }): Typed[] => [
          expected.collection,
          { text: expected.name },
          ...MODES.map((mode) => cells.get(mode) ?? ""),
          expected.type,
          expected.description,
          expected.scopes.join(", "),
          expected.web ?? "",
        ]),
      ],
    },
    expected: ordered.map(({ expected }) => expected),
  };
}
