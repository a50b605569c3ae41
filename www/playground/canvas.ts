/**
 * The drawn page of the demo file: a frame for each mode, its shapes painted from the variables they are bound to.
 *
 * Owns the elements of the canvas and their repainting. Must not know the plugin or the sheet: it follows the document.
 */

import type { FileDocument, StoredLayer } from '../../tests/figma-host/document.ts';
import { css, resolve } from './resolve.ts';

/** CSS custom property that a bound property paints. */
const PAINTS: Record<string, string> = { fill: '--fill', stroke: '--stroke', text: '--ink', track: '--track' };

/** The canvas, kept in step with a document. */
export class Canvas {
  readonly #document: FileDocument;
  readonly #painted = new Map<string, { layer: StoredLayer; element: HTMLElement; last: string }>();

  constructor(document: FileDocument, root: HTMLElement) {
    this.#document = document;
    const frames = new Map<string, HTMLElement>();
    for (const layer of document.layers) {
      const mode = String(layer.content['mode'] ?? '');
      const element = draw(layer);
      if (layer.shape === 'frame') {
        const holder = window.document.createElement('section');
        holder.className = 'artboard';
        const title = window.document.createElement('h3');
        title.textContent = mode;
        holder.append(title, element);
        root.append(holder);
        frames.set(mode, element);
      } else {
        frames.get(mode)?.append(element);
      }
      this.#painted.set(layer.id, { layer, element, last: '' });
    }
    this.repaint(false);
  }

  /** Paints every shape anew; a shape whose paint changed is marked for a moment when `cue` is set. */
  repaint(cue: boolean): void {
    for (const entry of this.#painted.values()) {
      const paints = Object.entries(entry.layer.bindings).map(([property, id]) => [
        PAINTS[property] ?? '--fill',
        css(resolve(this.#document, id, entry.layer.modes)),
      ]);
      const now = paints.map((pair) => pair.join(':')).join(';');
      if (now === entry.last) continue;
      for (const [property, value] of paints) entry.element.style.setProperty(property ?? '--fill', value ?? '');
      if (cue && entry.last !== '') {
        entry.element.classList.remove('cue');
        void entry.element.offsetWidth;
        entry.element.classList.add('cue');
      }
      entry.last = now;
    }
  }
}

function draw(layer: StoredLayer): HTMLElement {
  const element = document.createElement(layer.shape === 'frame' ? 'div' : 'span');
  element.className = `shape ${layer.shape}`;
  element.title = layer.name;
  element.dataset['layer'] = layer.id;
  const text = layer.content['text'];
  if (typeof text === 'string') element.textContent = text;
  return element;
}
