/**
 * clientStorage: what a plugin keeps on one person's machine, 5 MB in all, outside the document and its undo.
 *
 * Owns the entries and the limit. Must not know the sandbox. Values are kept as JSON, so every read is a copy.
 */

import { fromJson, toJson } from './clone.ts';
import { FigmaError } from './model.ts';

/** All keys and values of a plugin together, in bytes (Figma's documentation: 5 MB). */
export const CLIENT_STORAGE_BYTES_MAX = 5_000_000;

export class ClientStorage {
  readonly #entries = new Map<string, string>();
  /** When set, every call fails with it: a full disk, a browser that refuses storage. */
  failure: string | undefined;
  /** Is called after every change. */
  changed: (() => void) | undefined;

  constructor(saved: Readonly<Record<string, unknown>> = {}) {
    for (const [key, value] of Object.entries(saved)) this.#entries.set(key, toJson(value));
  }

  /** Everything, by key. */
  save(): Record<string, unknown> {
    return Object.fromEntries([...this.#entries].map(([key, json]) => [key, fromJson(json)]));
  }

  get(key: string): string | undefined {
    this.#check('getAsync');
    return this.#entries.get(key);
  }

  set(key: string, json: string): void {
    this.#check('setAsync');
    const encoder = new TextEncoder();
    let bytes = encoder.encode(key + json).length;
    for (const [otherKey, other] of this.#entries) {
      if (otherKey !== key) bytes += encoder.encode(otherKey + other).length;
    }
    if (bytes > CLIENT_STORAGE_BYTES_MAX) {
      throw new FigmaError('setAsync', `The quota of ${String(CLIENT_STORAGE_BYTES_MAX)} bytes has been exceeded`);
    }
    this.#entries.set(key, json);
    this.changed?.();
  }

  delete(key: string): void {
    this.#check('deleteAsync');
    this.#entries.delete(key);
    this.changed?.();
  }

  keys(): string[] {
    this.#check('keysAsync');
    return [...this.#entries.keys()];
  }

  #check(call: string): void {
    if (this.failure !== undefined) throw new FigmaError(call, this.failure);
  }
}
