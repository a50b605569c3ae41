/**
 * Figma's undo for one user: what a plugin writes is one open step until `commitUndo` closes it; undo reverts the
 * open step, else the last closed one. Other people's edits are in their own histories.
 *
 * Owns the steps. Must not know the plugin API or how changes are made.
 */

import { type Change, type FileDocument, inverse } from './document.ts';

/** Most steps that are kept; the oldest is forgotten. */
const STEPS_MAX = 200;

export class UndoHistory {
  readonly #document: FileDocument;
  #open: Change[] = [];
  #done: Change[][] = [];
  #undone: Change[][] = [];

  constructor(document: FileDocument) {
    this.#document = document;
  }

  /** Adds a change to the open step. */
  record(change: Change): void {
    this.#open.push(change);
    this.#undone = [];
  }

  /** Closes the open step, if there is anything in it. */
  commit(): void {
    if (this.#open.length === 0) return;
    this.#done.push(this.#open);
    this.#open = [];
    if (this.#done.length > STEPS_MAX) this.#done.shift();
  }

  /** @returns how many changes were taken back. */
  undo(): number {
    this.commit();
    const step = this.#done.pop();
    if (!step) return 0;
    for (const change of step.toReversed()) this.#document.apply(inverse(change));
    this.#undone.push(step);
    return step.length;
  }

  /** @returns how many changes were done again. */
  redo(): number {
    const step = this.#undone.pop();
    if (!step) return 0;
    for (const change of step) this.#document.apply(change);
    this.#done.push(step);
    return step.length;
  }

  /** Closed steps, the open one not counted. */
  get steps(): number {
    return this.#done.length;
  }
}
