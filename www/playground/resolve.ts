/**
 * What a variable looks like in a mode: aliases and composed colours followed to a plain value.
 *
 * Owns following, with a bound on its depth, and the text forms the page shows. Must not know the page's elements.
 */

import type { FileDocument, StoredVariable } from '../../tests/figma-host/document.ts';
import { isAlias } from '../../tests/figma-host/document.ts';

/** Longest chain of aliases that is followed; Figma refuses cycles, another user's half-done edit may show one. */
export const ALIAS_DEPTH_MAX = 16;

/** A plain value. Channels and opacity are 0 to 1. */
export type Plain =
  | { kind: 'color'; r: number; g: number; b: number; a: number }
  | { kind: 'other'; text: string }
  | { kind: 'nothing' };

/** Mode ids by collection id; a collection that is not named shows its default mode. */
export type Modes = Record<string, string>;

/** The mode that a collection shows. */
function modeOf(document: FileDocument, variable: StoredVariable, modes: Modes): string {
  const collection = document.collection(variable.collectionId);
  return modes[variable.collectionId] ?? collection?.defaultModeId ?? '';
}

/** Follows a variable to its plain value, as the layer that shows `modes` would see it. */
export function resolve(document: FileDocument, id: string, modes: Modes, depth = 0): Plain {
  const variable = document.variable(id);
  if (variable === undefined || depth > ALIAS_DEPTH_MAX) return { kind: 'nothing' };
  const value = variable.valuesByMode[modeOf(document, variable, modes)];
  if (value === undefined) return { kind: 'nothing' };
  if (isAlias(value)) return resolve(document, value.id, modes, depth + 1);
  if (typeof value !== 'object') return { kind: 'other', text: String(value) };
  if ('opacity' in value) {
    const color = isAlias(value.color)
      ? resolve(document, value.color.id, modes, depth + 1)
      : ({ kind: 'color', a: 1, ...value.color } as const);
    const opacity = isAlias(value.opacity)
      ? Number((resolve(document, value.opacity.id, modes, depth + 1) as { text?: string }).text ?? 100)
      : value.opacity;
    return color.kind === 'color' ? { ...color, a: opacity / 100 } : color;
  }
  if ('r' in value) return { kind: 'color', r: value.r, g: value.g, b: value.b, a: 'a' in value ? value.a : 1 };
  const bezier = 'easingFunctionCubicBezier' in value ? value.easingFunctionCubicBezier : undefined;
  return {
    kind: 'other',
    text: bezier === undefined ? 'easing' : `cubic-bezier(${[bezier.x1, bezier.y1, bezier.x2, bezier.y2].map((at) => Number(at.toFixed(3))).join(', ')})`,
  };
}

/** A plain value as CSS; empty for what is no colour. */
export function css(plain: Plain): string {
  if (plain.kind !== 'color') return '';
  const byte = (channel: number): number => Math.round(channel * 255);
  return `rgb(${String(byte(plain.r))} ${String(byte(plain.g))} ${String(byte(plain.b))} / ${String(Number(plain.a.toFixed(4)))})`;
}

/** A plain value for people: `1F883D`, `1F883D 40%`, `16`. */
export function label(plain: Plain): string {
  switch (plain.kind) {
    case 'color': {
      const hex = [plain.r, plain.g, plain.b]
        .map((channel) => Math.round(channel * 255).toString(16).padStart(2, '0'))
        .join('')
        .toUpperCase();
      return plain.a >= 1 ? hex : `${hex} ${String(Math.round(plain.a * 100))}%`;
    }
    case 'other':
      return plain.text;
    case 'nothing':
      return '–';
  }
}
