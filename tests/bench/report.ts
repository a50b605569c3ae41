/**
 * How benchmarks are told: a line a figure, with its budget where the design has one.
 *
 * Owns the format and the arithmetic of samples. Must not know what was measured.
 */

/** The value below which `share` of the samples lie, by the nearest-rank method. `samples` need not be sorted. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('there are no samples');
  return value;
}

/** The middle sample. */
export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Prints a heading. */
export function section(title: string): void {
  console.log(`\n${title}`);
}

let missed = 0;

/** Prints one figure. `budget` is the most it may be; a figure over it is marked and counted. */
export function figure(name: string, value: number, unit: string, budget?: number): void {
  const digits = unit === 'bytes' ? 0 : value < 0.1 ? 4 : value < 10 ? 2 : 1;
  const over = budget !== undefined && value > budget;
  if (over) missed += 1;
  const verdict = budget === undefined ? '' : `${over ? 'OVER' : 'within'} ${String(budget)} ${unit}`;
  console.log(`  ${name.padEnd(64)} ${value.toFixed(digits).padStart(10)} ${unit.padEnd(6)} ${verdict}`.trimEnd());
}

/** Prints the verdict. Benchmarks inform; they fail nothing, since a busy machine would fail everything. */
export function verdict(): void {
  console.log(missed === 0 ? '\nevery budget is kept' : `\n${String(missed)} figures are over their budget`);
}
