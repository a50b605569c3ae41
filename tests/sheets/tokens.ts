/**
 * The shape in which real token sets become sheets for the tests, the demo and the benchmarks.
 *
 * Owns the row and expectation types, and how a token is written in a cell. Must not know the plugin, the relay
 * or how a sheet reaches the fake Google.
 */

/** One cell as a user types it. A string is typed; `{ text }` is a cell formatted as plain text. */
export type Typed = string | number | boolean | { text: string };

/** One tab of a spreadsheet in the tokens layout, header row first. */
export interface TokenSheet {
  /** The tab's title. */
  title: string;
  /** `rows[row][column]`, zero-based. */
  rows: Typed[][];
}

/** A value as the source says it, to be compared with what a document holds. */
export type ExpectedValue =
  | { kind: "color"; r: number; g: number; b: number; a: number }
  | { kind: "number"; value: number }
  | { kind: "text"; value: string }
  | { kind: "easing"; points: [number, number, number, number] }
  | { kind: "alias"; collection: string; name: string; opacity?: number };

/** A variable as the source says it. Made from the source alone, never through Sheetwire's own grammar. */
export interface ExpectedVariable {
  collection: string;
  name: string;
  type: "COLOR" | "FLOAT" | "STRING" | "EASING";
  /** By mode name. */
  values: Record<string, ExpectedValue>;
  description: string;
  /** Sorted; `["ALL_SCOPES"]` when unrestricted. */
  scopes: string[];
  /** Code syntax for the web, where the source has one. */
  web?: string;
}

/** A sheet together with the variables it must become. */
export interface TokenSet {
  sheet: TokenSheet;
  expected: ExpectedVariable[];
}

const byte = (channel: number): number => Math.round(channel * 255);

/**
 * Writes a colour without losing its alpha: `#rrggbb` when opaque, otherwise `rgba()`, because an alpha such as
 * 0.1 is no multiple of 1/255 and would be changed by `#rrggbbaa`. Channels are 0 to 1 and must be whole bytes.
 */
export function colorText(color: { r: number; g: number; b: number; a?: number }): string {
  const channels = [color.r, color.g, color.b];
  for (const channel of channels) {
    if (Math.abs(channel * 255 - byte(channel)) > 1e-6) throw new Error(`channel ${channel} is no whole byte`);
  }
  const bytes = channels.map(byte);
  const alpha = color.a ?? 1;
  return alpha === 1
    ? `#${bytes.map((value) => value.toString(16).padStart(2, "0")).join("")}`
    : `rgba(${bytes.join(", ")}, ${alpha})`;
}
