/**
 * The drawn part of the demo file: one small screen, shown in each mode, whose paints are bound to Primer's variables.
 *
 * Owns which shapes there are and what each is bound to. Must not know how shapes are drawn (canvas.ts).
 */

import type { FileDocument, StoredDocument, StoredLayer } from '../../tests/figma-host/document.ts';

/** The collection the shapes are bound to, and the modes that get a frame each. */
const COLLECTION = 'mode';

/** Property of the shape → variable name in {@link COLLECTION}. */
type Bindings = Record<string, string>;

const SHAPES: { shape: string; name: string; bindings: Bindings; content: Record<string, string> }[] = [
  { shape: 'frame', name: 'Screen', bindings: { fill: 'bgColor/default', stroke: 'borderColor/default', text: 'fgColor/default' }, content: {} },
  { shape: 'topbar', name: 'Top bar', bindings: { fill: 'bgColor/inset', stroke: 'borderColor/muted', text: 'fgColor/default' }, content: { text: 'Release 24.11' } },
  { shape: 'text', name: 'Lead', bindings: { text: 'fgColor/muted' }, content: { text: 'Three checks passed, one needs a look.' } },
  { shape: 'badge', name: 'Badge success', bindings: { fill: 'bgColor/success-emphasis', text: 'fgColor/onEmphasis' }, content: { text: 'Passed' } },
  { shape: 'badge', name: 'Badge attention', bindings: { fill: 'bgColor/attention-emphasis', text: 'fgColor/onEmphasis' }, content: { text: 'Waiting' } },
  { shape: 'badge', name: 'Badge danger', bindings: { fill: 'bgColor/danger-emphasis', text: 'fgColor/onEmphasis' }, content: { text: 'Failed' } },
  { shape: 'badge', name: 'Badge done', bindings: { fill: 'bgColor/done-emphasis', text: 'fgColor/onEmphasis' }, content: { text: 'Merged' } },
  { shape: 'note', name: 'Note', bindings: { fill: 'bgColor/accent-muted', stroke: 'borderColor/accent-muted', text: 'fgColor/accent' }, content: { text: 'A new version of the tokens is live.' } },
  { shape: 'progress', name: 'Progress', bindings: { fill: 'bgColor/accent-emphasis', track: 'bgColor/neutral-muted' }, content: {} },
  { shape: 'button', name: 'Button accent', bindings: { fill: 'bgColor/accent-emphasis', text: 'fgColor/onEmphasis' }, content: { text: 'Publish' } },
  { shape: 'button', name: 'Button success', bindings: { fill: 'bgColor/success-emphasis', text: 'fgColor/onEmphasis' }, content: { text: 'Approve' } },
  { shape: 'button', name: 'Button quiet', bindings: { fill: 'bgColor/muted', stroke: 'borderColor/default', text: 'fgColor/default' }, content: { text: 'Later' } },
];

/**
 * Adds the screen once for each mode of the collection `mode`. A shape whose variable the file does not hold is
 * left out, so that any file can be opened.
 */
export function withLayers(document: FileDocument, saved: StoredDocument): StoredDocument {
  const collection = document.collections.find((candidate) => candidate.name === COLLECTION);
  if (collection === undefined) return saved;
  const layers: StoredLayer[] = [];
  for (const mode of collection.modes) {
    for (const shape of SHAPES) {
      const bindings: Record<string, string> = {};
      for (const [property, name] of Object.entries(shape.bindings)) {
        const id = document.variableNamed(collection.id, name);
        if (id !== undefined) bindings[property] = id;
      }
      if (Object.keys(bindings).length === 0) continue;
      layers.push({
        id: `layer:${mode.name}:${shape.name}`,
        name: shape.name,
        shape: shape.shape,
        modes: { [collection.id]: mode.modeId },
        bindings,
        content: { ...shape.content, mode: mode.name },
      });
    }
  }
  return { ...saved, layers };
}
