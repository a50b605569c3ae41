/**
 * The file's variables as Figma's own panel lists them: a collection, its groups, a swatch and a value per mode.
 *
 * Owns the table and its repainting. Must not know the plugin or the sheet. Rows are drawn when they come into view,
 * so that thousands cost nothing.
 */

import type { Change, FileDocument } from '../../tests/figma-host/document.ts';
import { css, label, resolve } from './resolve.ts';

/** Height of a row in CSS pixels; the style sheet uses the same. */
const ROW_PX = 28;
/** Rows drawn beyond the edges of the view. */
const OVERSCAN = 8;

/** The variables table, kept in step with a document. */
export class VariablesTable {
  readonly #document: FileDocument;
  readonly #select: HTMLSelectElement;
  readonly #head: HTMLElement;
  readonly #view: HTMLElement;
  readonly #rows: HTMLElement;
  #collectionId = '';
  readonly #changed = new Map<string, number>();

  constructor(file: FileDocument, root: HTMLElement) {
    this.#document = file;
    this.#select = document.createElement('select');
    this.#select.setAttribute('aria-label', 'Collection');
    this.#head = document.createElement('div');
    this.#head.className = 'variables-head';
    this.#view = document.createElement('div');
    this.#view.className = 'variables-view';
    this.#view.tabIndex = 0;
    this.#view.setAttribute('aria-label', 'Variables');
    this.#rows = document.createElement('div');
    this.#rows.className = 'variables-rows';
    this.#view.append(this.#rows);
    root.append(this.#select, this.#head, this.#view);
    this.#select.addEventListener('change', () => {
      this.#collectionId = this.#select.value;
      this.#view.scrollTop = 0;
      this.repaint();
    });
    this.#view.addEventListener('scroll', () => { this.#draw(); });
    new ResizeObserver(() => { this.#draw(); }).observe(this.#view);
    this.repaint();
  }

  /** Takes note of a change, for the cue beside its row. */
  note(change: Change): void {
    if (change.kind === 'set' && change.entity === 'variable') this.#changed.set(change.id, Date.now());
    if (change.kind === 'create' && change.entity === 'variable') this.#changed.set(change.record.id, Date.now());
  }

  /** Shows a variable's row, in whichever collection it is. */
  reveal(id: string): void {
    const variable = this.#document.variable(id);
    if (variable === undefined) return;
    this.#collectionId = variable.collectionId;
    const at = this.#document.variables.filter((each) => each.collectionId === variable.collectionId).indexOf(variable);
    const [top, height] = [at * ROW_PX, this.#view.clientHeight];
    if (top < this.#view.scrollTop || top + ROW_PX > this.#view.scrollTop + height) {
      this.#view.scrollTop = Math.max(0, top - Math.floor(height / 2 / ROW_PX) * ROW_PX);
    }
    this.repaint();
  }

  /** Draws everything anew. */
  repaint(): void {
    const collections = this.#document.collections;
    if (!collections.some((collection) => collection.id === this.#collectionId)) {
      this.#collectionId = (collections.find((collection) => collection.name === 'mode') ?? collections[0])?.id ?? '';
    }
    this.#select.replaceChildren(
      ...collections.map((collection) => {
        const option = document.createElement('option');
        option.value = collection.id;
        option.textContent = `${collection.name} · ${String(this.#document.variableCount(collection.id))}`;
        option.selected = collection.id === this.#collectionId;
        return option;
      }),
    );
    const modes = this.#document.collection(this.#collectionId)?.modes ?? [];
    this.#head.style.setProperty('--modes', String(modes.length));
    this.#rows.style.setProperty('--modes', String(modes.length));
    this.#head.replaceChildren(...['Name', ...modes.map((mode) => mode.name)].map((text) => span(text)));
    this.#draw();
  }

  #draw(): void {
    const collection = this.#document.collection(this.#collectionId);
    const variables = this.#document.variables.filter((variable) => variable.collectionId === this.#collectionId);
    this.#rows.style.height = `${String(variables.length * ROW_PX)}px`;
    const first = Math.max(0, Math.floor(this.#view.scrollTop / ROW_PX) - OVERSCAN);
    const last = Math.min(variables.length, Math.ceil((this.#view.scrollTop + this.#view.clientHeight) / ROW_PX) + OVERSCAN);
    const now = Date.now();
    this.#rows.replaceChildren(
      ...variables.slice(first, last).map((variable, index) => {
        const row = document.createElement('div');
        row.className = 'variables-row';
        row.dataset['variable'] = variable.name;
        row.style.top = `${String((first + index) * ROW_PX)}px`;
        if (now - (this.#changed.get(variable.id) ?? 0) < 4_000) row.classList.add('cue');
        const name = span(variable.name);
        name.title = variable.description;
        row.append(name);
        for (const mode of collection?.modes ?? []) {
          const plain = resolve(this.#document, variable.id, { [variable.collectionId]: mode.modeId });
          const value = span(label(plain));
          value.className = 'value';
          value.dataset['mode'] = mode.name;
          if (plain.kind === 'color') {
            const swatch = document.createElement('i');
            swatch.className = 'swatch';
            swatch.style.setProperty('--fill', css(plain));
            value.prepend(swatch);
          }
          row.append(value);
        }
        return row;
      }),
    );
  }
}

function span(text: string): HTMLElement {
  const element = document.createElement('span');
  element.textContent = text;
  return element;
}
