/**
 * Branches of a file: a branch is a copy with the same ids, and a merge takes over what changed in one since they parted.
 *
 * Owns what a branch begins with, what a merge carries and what it leaves. Must not know the plugin API or a plugin.
 *
 * Where the facts come from: that ids, links between variables and the plugin data of variables and collections live on
 * in a branch and come back with a merge follows from branches being copies whose changes are merged; that the plugin
 * data of the file's root is not merged is reported by others. How Figma settles a record that both sides changed is
 * the person's choice in its dialogue; here it is one choice for the whole merge. Numbers of a branch's new records
 * begin far from the original's, as Figma's ids name the session that made them.
 */

import { FileDocument, type StoredCollection, type StoredDocument, type StoredLayer, type StoredVariable } from './document.ts';

/** How far apart the numbers of a file's branches are; no test makes as many records. */
const NUMBERS_OF_A_BRANCH = 1_000_000;

/** Which side's record stands where both changed it. */
export type Standing = 'source' | 'target';

/** A branch of a file, as a document of its own. `branches` counts those that the file had before. */
export function branchOf(file: FileDocument, name: string, branches = 0): FileDocument {
  const copy: StoredDocument = file.save();
  return new FileDocument({ ...copy, name, lastId: copy.lastId + NUMBERS_OF_A_BRANCH * (branches + 1) });
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

/**
 * Takes what changed in `source` since `parted` over into `target`: a branch into its file, or the file into its branch.
 * The root's plugin data stays the target's own.
 *
 * @param parted what both were when the branch was made, or at the last merge.
 */
export function merge(source: FileDocument, parted: StoredDocument, target: FileDocument, conflicts: Standing = 'source'): void {
  const from = source.save();
  mergeRecords('collection', from.collections, parted.collections, target, conflicts);
  mergeRecords('variable', from.variables, parted.variables, target, conflicts);
  const known = new Set(target.layers.map((layer) => layer.id));
  const before = new Map(parted.layers.map((layer): [string, StoredLayer] => [layer.id, layer]));
  target.addLayers(from.layers.filter((layer) => !known.has(layer.id) && !before.has(layer.id)));
  for (const layer of from.layers) {
    const was = before.get(layer.id);
    if (was && known.has(layer.id) && !same(was, layer)) setFields('layer', layer.id, was, layer, target);
  }
}

function mergeRecords(
  entity: 'collection' | 'variable',
  source: readonly (StoredCollection | StoredVariable)[],
  parted: readonly (StoredCollection | StoredVariable)[],
  target: FileDocument,
  conflicts: Standing,
): void {
  const before = new Map(parted.map((record) => [record.id, record]));
  const after = new Map(source.map((record) => [record.id, record]));
  const standing = (id: string) => (entity === 'collection' ? target.collection(id) : target.variable(id));
  for (const record of source) {
    const was = before.get(record.id);
    const there = standing(record.id);
    if (!was && !there) {
      if (entity === 'collection') target.create(entity, record as StoredCollection);
      else target.create(entity, record as StoredVariable);
    } else if (was && there && !same(was, record)) {
      if (conflicts === 'target' && !same(was, there)) continue;
      setFields(entity, record.id, there, record, target);
    }
  }
  for (const was of parted) {
    const there = standing(was.id);
    if (after.has(was.id) || !there) continue;
    if (conflicts === 'source' || same(was, there)) target.remove(entity, was.id);
  }
}

/** Makes a record of the target equal, field by field, so that whoever observes the target sees what changed. */
function setFields(entity: 'collection' | 'variable' | 'layer', id: string, was: object, is: object, target: FileDocument): void {
  for (const [field, value] of Object.entries(is)) {
    if (!same((was as Record<string, unknown>)[field], value)) target.set(entity, id, field, undefined, value);
  }
}
