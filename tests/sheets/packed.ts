/**
 * Rows of a test sheet in the packed form in which the relay sends cells.
 *
 * Owns the packing as tests write it (crates/core/src/sheet.rs has the rules). Must not know what a cell means, and
 * takes texts, numbers and booleans as they are: what Google makes of typed text is fake Google's.
 */

import type { Typed } from './tokens.ts';

const ROW_END = '\x1e';
const CELL_SEPARATOR = '\x1f';

/** One cell. */
export function packCell(cell: Typed): string {
  if (typeof cell === 'number') return `n${String(cell)}`;
  if (typeof cell === 'boolean') return cell ? 'b1' : 'b0';
  const text = typeof cell === 'string' ? cell : cell.text;
  return text === '' ? '' : `t${text.replace(/[\x1c-\x1f]/g, (found) => `\x1c${String.fromCharCode(found.charCodeAt(0) + 0x20)}`)}`;
}

/** A whole sheet. */
export function packRows(rows: readonly Typed[][]): string {
  return rows.map((row) => row.map(packCell).join(CELL_SEPARATOR).replace(/\x1f+$/, '') + ROW_END).join('');
}

/** Changed cells; row and column are zero-based. */
export function packChanges(changes: readonly { row: number; column: number; cell: Typed }[]): string {
  return changes.map(({ row, column, cell }) => [String(row), String(column), packCell(cell)].join(CELL_SEPARATOR) + ROW_END).join('');
}
