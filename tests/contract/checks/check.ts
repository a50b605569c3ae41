/**
 * The form of a check of Figma's behaviour, and the few assertions that checks need.
 *
 * Owns both. Must not know which host runs them: there are no globals here beyond the language's.
 */

/** Where a fact comes from: Figma's documentation or typings, or reports of others. */
export type Source = 'documented' | 'reported';

/** What a check may use besides the global `figma`. */
export interface Bench {
  /** A collection of the check's own; it is removed afterwards. */
  collection: (name?: string) => VariableCollection;
  /** Sends a value to the panel, which sends it back. */
  echo: (value: unknown) => Promise<unknown>;
}

export interface Check {
  /** The fact, as a sentence. */
  name: string;
  source: Source;
  run: (bench: Bench) => void | Promise<void>;
}

/** Equality of plain values, arrays and objects without regard to the order of keys. */
export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const [left, right] = [canonical(actual), canonical(expected)];
  if (left !== right) throw new Error(`${what} is ${left}, expected ${right}`);
}

export function ok(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** That `run` throws, with a message that `pattern` finds where Figma's text is known. */
export function throws(run: () => unknown, pattern?: RegExp): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error ?? new Error('thrown');
  }
  if (thrown === undefined) throw new Error(`nothing was thrown${pattern ? `, expected ${String(pattern)}` : ''}`);
  fits(thrown, pattern);
}

/** As {@link throws}, for a promise. */
export async function rejects(promise: Promise<unknown>, pattern?: RegExp): Promise<void> {
  let rejected: unknown;
  try {
    await promise;
  } catch (error) {
    rejected = error ?? new Error('rejected');
  }
  if (rejected === undefined) throw new Error('the promise was not rejected');
  fits(rejected, pattern);
}

function fits(error: unknown, pattern: RegExp | undefined): void {
  const message = error instanceof Error ? error.message : String(error);
  if (pattern && !pattern.test(message)) throw new Error(`the error says ${JSON.stringify(message)}, expected ${String(pattern)}`);
}

function canonical(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value instanceof Date) return `Date(${String(value.getTime())})`;
  if (value instanceof Uint8Array) return `Uint8Array(${Array.from(value).join(',')})`;
  const fields = value as Record<string, unknown>;
  const keys = Object.keys(fields).sort();
  return `{${keys.map((key) => `${key}:${canonical(fields[key])}`).join(',')}}`;
}
