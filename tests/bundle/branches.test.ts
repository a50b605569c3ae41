/** Branches of a file: the plugin in a branch, and in its file after the branch was merged. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { branchOf, merge } from '../figma-host/branch.ts';
import type { FigmaHost } from '../figma-host/host.ts';
import { ClientStorage, FileDocument } from '../figma-host/node.ts';
import type { PanelMessage } from '../figma-host/panel.ts';
import { FLAG_ON, firstRun, handOver, openPanel } from '../journey/scripted-panel.ts';
import type { Frame, SheetRef } from '../journey/relay-client.ts';
import { packRows } from '../sheets/packed.ts';
import type { Typed } from '../sheets/tokens.ts';
import { openPlugin } from './bundle.ts';

const SHEET: SheetRef = { spreadsheet_id: 'sheet-of-the-tests', sheet_id: 7 };
const INFO = { spreadsheet_title: 'Design tokens', sheet_title: 'Tokens', locale: 'en_US' };

let revision = 0;
let opened = 0;
const snapshot = (rows: Typed[][]): Frame => {
  revision += 1;
  return { type: 'snapshot', v: 1, position: { epoch: 'e', revision }, sheet: INFO, cells: packRows(rows) };
};
const SHEET_BEFORE: Typed[][] = [
  ['Collection', 'Name', 'light', 'dark', 'Type'],
  ['Base', { text: 'blue/5' }, '#0969da', '#2f81f7', 'COLOR'],
  ['Base', { text: 'gap' }, 8, 12, 'FLOAT'],
  ['Brand', { text: 'accent' }, '{Base:blue/5}', '{Base:blue/5}', 'COLOR'],
];
/** A value, a new variable in an old collection, a new collection, and a new alias. */
const SHEET_AFTER: Typed[][] = [
  ['Collection', 'Name', 'light', 'dark', 'Type'],
  ['Base', { text: 'blue/5' }, '#0550ae', '#2f81f7', 'COLOR'],
  ['Base', { text: 'gap' }, 8, 12, 'FLOAT'],
  ['Base', { text: 'red/5' }, '#cf222e', '#f85149', 'COLOR'],
  ['Brand', { text: 'accent' }, '{Base:red/5}', '{Base:blue/5}', 'COLOR'],
  ['Motion', { text: 'fast' }, 80, 80, 'FLOAT'],
];

/** The plugin in a file that is connected already; the storage is the person's, in whatever file. */
async function reopened(document: FileDocument, storage: ClientStorage): Promise<{ host: FigmaHost; kept: PanelMessage }> {
  const host = await openPlugin({ plan: 'enterprise', document, clientStorage: storage });
  opened += 1;
  await openPanel(host.ui, FLAG_ON, opened.toString(16).padStart(64, '0'));
  const kept = await host.ui.next('kept');
  return { host, kept };
}

/** One sync of a connected file; the run's report. */
async function sync(host: FigmaHost, rows: Typed[][]): Promise<PanelMessage> {
  handOver(host.ui, SHEET, snapshot(rows));
  const report = await host.ui.next('applied');
  await host.idle();
  assert.deepEqual(host.errors, []);
  return report;
}

const dispose = (...hosts: FigmaHost[]): void => hosts.forEach((host) => host.dispose());

/** A file that was synced once. */
async function file(storage: ClientStorage): Promise<FileDocument> {
  const document = new FileDocument();
  const host = await openPlugin({ plan: 'enterprise', document, clientStorage: storage });
  await openPanel(host.ui);
  await host.ui.next('kept');
  await firstRun(host.ui, SHEET, snapshot(SHEET_BEFORE));
  await host.idle();
  host.dispose();
  return document;
}

/** What a person sees of a file's variables. */
function seen(document: FileDocument): unknown {
  return document.variables.map(({ id, name, collectionId, valuesByMode }) => ({ id, name, collectionId, valuesByMode }));
}

test('what a branch synced comes with its merge, and the file has nothing left to do', async () => {
  const storage = new ClientStorage();
  const original = await file(storage);
  const parted = original.save();
  const branch = branchOf(original, 'New palette');
  const { host: there, kept } = await reopened(branch, storage);
  assert.deepEqual((kept['connection'] as { sheet: SheetRef }).sheet, SHEET);
  const run = await sync(there, SHEET_AFTER);
  assert.equal((run['counts'] as { created: number }).created, 2);
  assert.deepEqual(seen(original), seen(new FileDocument(parted)));

  merge(branch, parted, original);
  const merged = seen(original);
  const { host: here } = await reopened(original, storage);
  const report = await sync(here, SHEET_AFTER);
  assert.deepEqual([report['writes'], report['problems']], [0, []]);
  assert.deepEqual(seen(original), merged);

  // From here on it goes on as in any file: a value follows, a name is kept, nothing is made twice.
  const later = SHEET_AFTER.map((row) => [...row]);
  later[3] = ['Base', { text: 'red/5' }, '#a40e26', '#f85149', 'COLOR'];
  const next = await sync(here, later);
  assert.deepEqual((next['counts'] as { changed: number; created: number }), { ...(next['counts'] as object), changed: 1, created: 0 });
  assert.equal(original.variables.length, 5);
  dispose(there, here);
});

test('names that were changed in a branch, by the sheet or by hand, are no new variables after the merge', async () => {
  const storage = new ClientStorage();
  const original = await file(storage);
  const parted = original.save();
  const ids = original.variables.map((variable) => variable.id);
  const branch = branchOf(original, 'Better names');
  const { host: there } = await reopened(branch, storage);
  const gap = branch.variables.find((variable) => variable.name === 'gap');
  assert.ok(gap);
  branch.set('variable', gap.id, 'name', undefined, 'space');
  const base = branch.collections.find((collection) => collection.name === 'Base');
  assert.ok(base);
  branch.set('collection', base.id, 'name', undefined, 'Primitives');
  await sync(there, SHEET_BEFORE);
  assert.equal(branch.variables.length, 3);

  merge(branch, parted, original);
  const { host: here } = await reopened(original, storage);
  await sync(here, SHEET_BEFORE);
  assert.deepEqual(original.variables.map((variable) => variable.id), ids);
  assert.equal(original.variable(gap.id)?.name, 'space');
  assert.equal(original.collection(base.id)?.name, 'Primitives');
  dispose(there, here);
});

test('a file that was synced beside its branch merges into one of each', async () => {
  const storage = new ClientStorage();
  const original = await file(storage);
  const parted = original.save();
  const branch = branchOf(original, 'Beside');
  const { host: there } = await reopened(branch, storage);
  const { host: here } = await reopened(original, storage);
  // Only values: what both made anew would be two variables in real Figma too.
  const values = SHEET_BEFORE.map((row) => [...row]);
  values[1] = ['Base', { text: 'blue/5' }, '#0550ae', '#2f81f7', 'COLOR'];
  await sync(there, values);
  await sync(here, values);
  merge(branch, parted, original);
  const merged = seen(original);
  const report = await sync(here, values);
  assert.equal(report['writes'], 0);
  assert.deepEqual(seen(original), merged);

  // An update of the branch from its file goes the other way round.
  const between = original.save();
  values[2] = ['Base', { text: 'gap' }, 10, 12, 'FLOAT'];
  await sync(here, values);
  merge(original, between, branch);
  assert.equal((await sync(there, values))['writes'], 0);
  dispose(there, here);
});

test('what is connected, and whose turn it is to write, stays each one\'s own', async () => {
  const storage = new ClientStorage();
  const original = await file(storage);
  const parted = original.save();
  const branch = branchOf(original, 'Elsewhere');
  const { host: there } = await reopened(branch, storage);
  there.ui.send({ type: 'disconnect' });
  await there.ui.next('connection_changed');
  await there.idle();
  merge(branch, parted, original);
  const { host: here, kept } = await reopened(original, storage);
  assert.deepEqual((kept['connection'] as { sheet: SheetRef }).sheet, SHEET);
  assert.equal((await sync(here, SHEET_BEFORE))['writes'], 0);
  dispose(there, here);
});

test('a branch and its file are told apart when both are open', async () => {
  const storage = new ClientStorage();
  const original = await file(storage);
  const { host: here } = await reopened(original, storage);
  here.ui.send({ type: 'writer', yes: true, nonce: 'n1', renew: false });
  const mine = await here.ui.next('file');
  const branch = branchOf(original, 'Beside');
  here.ui.send({ type: 'writer', yes: true, nonce: 'n2', renew: false });
  await here.ui.next('file');
  const { host: there } = await reopened(branch, storage);
  there.ui.send({ type: 'writer', yes: false, nonce: 'n2', renew: false });
  const told = await there.ui.next('file');
  assert.deepEqual([told['id'], told['nonce']], [mine['id'], 'n1']);
  there.ui.send({ type: 'writer', yes: false, nonce: 'n2', renew: true });
  assert.notEqual((await there.ui.next('file'))['id'], mine['id']);
  dispose(here, there);
});

test('what a file and its branch both made is there twice after the merge, and said, not made a third time', async () => {
  const storage = new ClientStorage();
  const original = await file(storage);
  const parted = original.save();
  const branch = branchOf(original, 'Twice');
  const { host: there } = await reopened(branch, storage);
  const { host: here } = await reopened(original, storage);
  await sync(there, SHEET_AFTER);
  await sync(here, SHEET_AFTER);
  merge(branch, parted, original);
  const merged = seen(original);
  assert.equal(original.collections.filter((collection) => collection.name === 'Motion').length, 2);
  const report = await sync(here, SHEET_AFTER);
  assert.equal(report['writes'], 0);
  assert.match(JSON.stringify(report['problems']), /two collections “Motion”/);
  assert.deepEqual(seen(original), merged);

  const second = original.collections.filter((collection) => collection.name === 'Motion')[1];
  assert.ok(second);
  for (const variable of original.variables.filter((each) => each.collectionId === second.id)) original.remove('variable', variable.id);
  original.remove('collection', second.id);
  assert.deepEqual((await sync(here, SHEET_AFTER))['problems'], []);
  dispose(there, here);
});
