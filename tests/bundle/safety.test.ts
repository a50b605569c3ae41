/** A sheet that breaks under the sync, in a real QuickJS: nothing is removed or written over, and mending the sheet is all it takes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { FigmaHost } from '../figma-host/host.ts';
import { REPORTED } from '../figma-host/costs.ts';
import { FileDocument } from '../figma-host/node.ts';
import { type StoredCollection, emptyDocument } from '../figma-host/document.ts';
import type { PanelMessage } from '../figma-host/panel.ts';
import { firstRun, handOver, openPanel } from '../journey/scripted-panel.ts';
import type { Frame, SheetRef } from '../journey/relay-client.ts';
import { packRows } from '../sheets/packed.ts';
import type { Typed } from '../sheets/tokens.ts';
import { openPlugin } from './bundle.ts';

const SHEET: SheetRef = { spreadsheet_id: 'sheet-that-breaks', sheet_id: 3 };
type Rows = Typed[][];

/** A sheet as the relay brings it. */
function sheet(rows: Rows, sheet_title = 'Tokens'): Frame {
  const info = { spreadsheet_title: 'Design tokens', sheet_title, locale: 'en_US' };
  return { type: 'snapshot', v: 1, position: { epoch: 'e', revision: 1 }, sheet: info, cells: packRows(rows) };
}

/** 24 variables in two collections. */
function tokens(): Rows {
  const rows: Rows = [['Collection', 'Name', 'Light', 'Dark', 'Type', 'Description']];
  for (let at = 0; at < 12; at += 1) {
    const digits = (at + 16).toString(16);
    rows.push(['Color', { text: `brand/${String(at)}` }, `#0000${digits}`, `#ff00${digits}`, 'COLOR', 'Brand']);
    rows.push(['Size', { text: `space/${String(at)}` }, at + 1, at + 101, 'FLOAT', 'Spacing']);
  }
  return rows;
}

const below = (rows: Rows, change: (row: Typed[], at: number) => Typed[]): Rows => rows.map((row, at) => (at === 0 ? row : change(row, at)));
const without = (rows: Rows, header: string): Rows => {
  const column = (rows[0] ?? []).indexOf(header);
  return rows.map((row) => row.filter((_, at) => at !== column));
};
const replaced = (row: Typed[], values: Record<number, Typed>): Typed[] => row.map((cell, at) => values[at] ?? cell);

async function following(rows: Rows, document?: FileDocument): Promise<FigmaHost> {
  const host = await openPlugin({ plan: 'enterprise', ...(document && { document }) });
  await openPanel(host.ui);
  await host.ui.next('kept');
  const { report } = await firstRun(host.ui, SHEET, sheet(rows));
  assert.equal(report['problems_total'], 0);
  await host.idle();
  return host;
}

const held = (host: FigmaHost): unknown => [host.document.collections, host.document.variables].map((each) => structuredClone(each));

/** What the plugin says of a broken sheet: that a plan waits, or that a run ended without a write. */
async function told(host: FigmaHost, frame: Frame): Promise<{ reason: string | undefined; problems: { message: string; remedy: string }[]; counts: Record<string, number> }> {
  handOver(host.ui, SHEET, frame);
  const body = await host.ui.next(['waiting', 'applied']);
  await host.idle();
  const preview = (body['preview'] ?? body) as PanelMessage;
  return {
    reason: body['reason'] as string | undefined,
    problems: preview['problems'] as { message: string; remedy: string }[],
    counts: preview['counts'] as Record<string, number>,
  };
}

interface Story {
  name: string;
  broken: Rows;
  /** Why the plan waits; nothing where there is nothing to write. */
  waits?: string;
  /** Words that a designer reads beside it. */
  says?: RegExp;
  removed?: number;
  changed?: number;
}

const STORIES: Story[] = [
  { name: 'the sheet is cleared', broken: [], waits: 'shrunken', says: /The sheet is empty/ },
  { name: 'everything below the header is cleared', broken: tokens().slice(0, 1), waits: 'shrunken', removed: 24 },
  { name: 'a mode column is dropped', broken: without(tokens(), 'Dark'), waits: 'shrunken', says: /no longer has the columns it was connected with: “Dark”/ },
  { name: 'the name column is dropped', broken: without(tokens(), 'Name'), waits: 'shrunken', says: /connected with: “Name”/ },
  {
    name: 'the tab holds what another tab held', waits: 'shrunken', removed: 24,
    broken: below(tokens(), (row, at) => replaced(row, { 1: { text: `legacy/${String(at)}` }, 2: row[4] === 'COLOR' ? '#abcdef' : at + 700, 3: row[4] === 'COLOR' ? '#fedcba' : at + 900 })),
  },
  { name: 'the tab holds the same names with other values', broken: below(tokens(), (row) => replaced(row, { 2: row[3] ?? '', 3: row[2] ?? '' })), waits: 'most', changed: 24 },
  { name: 'a paste is off by a column', broken: below(tokens(), (row) => ['', ...row]), waits: 'shrunken', removed: 24 },
  { name: 'half of the values are in error', broken: below(tokens(), (row, at) => (at % 2 ? replaced(row, { 2: '#REF!', 3: 'Loading…' }) : row)) },
  { name: 'half of the names are in error', broken: below(tokens(), (row, at) => (at % 2 ? replaced(row, { 1: { text: '#REF!' } }) : row)), says: /The sheet shows an error here, or is still loading/ },
  { name: 'the header is another one', broken: [['group', 'token', 'value', 'value 2', 'kind', 'note'], ...tokens().slice(1)], waits: 'shrunken', says: /no longer has the columns/ },
  { name: 'the values are of another type', broken: below(tokens(), (row) => replaced(row, { 2: { text: 'none of these' }, 3: { text: 'nor this' } })), says: /none of these|colou?r|number/ },
];

for (const { name, broken, waits, says, removed, changed } of STORIES) {
  test(`${name}: nothing is written before the designer says so`, async () => {
    const host = await following(tokens());
    const before = held(host);
    const { reason, problems, counts } = await told(host, sheet(broken));
    assert.equal(reason, waits);
    assert.deepEqual(held(host), before);
    if (says) {
      const problem = problems.find((each) => says.test(each.message));
      assert.ok(problem, JSON.stringify(problems));
      assert.notEqual(problem.remedy, '');
    }
    if (removed !== undefined) assert.equal(counts['removed'], removed);
    if (changed !== undefined) assert.equal(counts['changed'], changed);
    // Mended, it goes on by itself.
    const mended = await told(host, sheet(tokens()));
    assert.deepEqual([mended.reason, mended.problems], [undefined, []]);
    assert.deepEqual(held(host), before);
    const edited = await told(host, sheet(below(tokens(), (row, at) => (at === 1 ? replaced(row, { 2: '#123456' }) : row))));
    assert.deepEqual([edited.reason, edited.counts['changed']], [undefined, 1]);
    assert.deepEqual(host.errors, []);
    host.dispose();
  });
}

test("two tabs with each other's titles: a collection takes another one's name only at the designer's word", async () => {
  const spacing: StoredCollection = {
    id: 'VariableCollectionId:9:1', key: 'spacing', name: 'Spacing', hiddenFromPublishing: false, remote: false,
    modes: [{ modeId: '9:0', name: 'Light' }], defaultModeId: '9:0', pluginData: {},
  };
  const document = new FileDocument({ ...emptyDocument(), collections: [spacing] });
  const rows = without(tokens(), 'Collection');
  const host = await following(rows, document);
  const before = held(host);
  const { reason, problems } = await told(host, sheet(rows, 'Spacing'));
  assert.equal(reason, 'renames');
  assert.match(problems[0]?.message ?? '', /This file has another collection “Spacing”. If two tabs or their titles were swapped, swap them back/);
  assert.deepEqual(held(host), before);
  assert.equal((await told(host, sheet(rows))).reason, undefined);
  assert.deepEqual(held(host), before);
  host.dispose();
});

test('in a file that is published every sync waits, and less so when somebody chooses', async () => {
  const host = await following(tokens());
  const color = host.document.collections.find((each) => each.name === 'Color');
  const published = host.document.save();
  const stored = published.collections.find((each) => each.id === color?.id);
  assert.ok(stored);
  stored.published = true;
  host.dispose();
  const again = await openPlugin({ plan: 'enterprise', document: new FileDocument(published) });
  await openPanel(again.ui);
  await again.ui.next('kept');
  const edit = (color: string): Frame => sheet(below(tokens(), (row, at) => (at === 1 ? replaced(row, { 2: color }) : row)));
  assert.equal((await told(again, edit('#123456'))).reason, 'every');
  again.ui.send({ type: 'set_threshold', variables: 50 });
  const applied = await again.ui.next('applied');
  assert.equal((applied['counts'] as Record<string, number>)['changed'], 1);
  assert.equal((await told(again, edit('#654321'))).counts['changed'], 1);
  again.dispose();
});

test('a type changes by confirmation alone, and the layers that lose the variable are named', async () => {
  const host = await following(tokens());
  const find = (name: string) => host.document.variables.find((variable) => variable.name === name);
  const old = find('space/0');
  assert.ok(old);
  const layer = { shape: 'frame', modes: {}, content: {} };
  host.document.addLayers([
    ...Array.from({ length: 6 }, (_, at) => ({ ...layer, id: `7:${String(at)}`, name: `Card ${String(at)}`, bindings: { width: old.id } })),
    { ...layer, id: '8:1', name: 'Old card', page: 'Archive', bindings: { fill: old.id } },
    { ...layer, id: '8:2', name: 'Other', page: 'Archive', bindings: { fill: find('brand/0')?.id ?? '' } },
  ]);
  const rows = below(tokens(), (row, at) => (at === 2 ? replaced(row, { 2: '#ff0000', 3: '#00ff00', 4: 'COLOR' }) : row));
  handOver(host.ui, SHEET, sheet(rows));
  assert.equal((await host.ui.next('applied'))['writes'], 0);
  const waiting = await host.ui.next('waiting');
  assert.equal(waiting['reason'], 'retypes');
  const preview = waiting['preview'] as { plan: number; rows: { kind: string; name: string; uses: { layers: number; names: string[]; partial: boolean } }[] };
  const [row] = preview.rows;
  assert.deepEqual([preview.rows.length, row?.kind, row?.name], [1, 'retype', 'space/0']);
  assert.deepEqual([row?.uses.layers, row?.uses.names.length, row?.uses.partial], [7, 5, false]);
  assert.equal(find('space/0')?.resolvedType, 'FLOAT');
  host.ui.send({ type: 'approve', plan: preview.plan, include_removals: false, retypes: [0] });
  const report = await host.ui.next('applied');
  assert.equal((report['counts'] as Record<string, number>)['retyped'], 1);
  await host.idle();
  const made = find('space/0');
  assert.equal(made?.resolvedType, 'COLOR');
  assert.equal(made.description, 'Spacing');
  assert.deepEqual(Object.values(made.valuesByMode), [{ r: 1, g: 0, b: 0, a: 1 }, { r: 0, g: 1, b: 0, a: 1 }]);
  // One undo step brings the old variable back, and with it what its layers show.
  host.undo();
  assert.deepEqual([find('space/0')?.id, find('space/0')?.resolvedType], [old.id, 'FLOAT']);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('a run that is cut off by closing the plugin is in the history, and the next opening goes on', async () => {
  const rows = [...tokens(), ...Array.from({ length: 300 }, (_, at): Typed[] => ['Size', { text: `more/${String(at)}` }, at, at, 'FLOAT', 'More'])];
  const host = await openPlugin({ plan: 'enterprise', costs: REPORTED, charge: 'clock' });
  await openPanel(host.ui);
  await host.ui.next('kept');
  host.ui.send({ type: 'connect', sheet: SHEET });
  handOver(host.ui, SHEET, sheet(rows));
  const inferred = await host.ui.next('inferred');
  host.ui.send({ type: 'confirm_columns', columns: inferred['columns'], header_row: inferred['header_row'] });
  const preview = await host.ui.next('preview');
  host.ui.send({ type: 'approve', plan: preview['plan'], include_removals: false });
  await host.ui.next('progress');
  await host.ui.next('progress');
  host.close();
  const cut = host.document.variables.length;
  assert.ok(cut > 0 && cut < 324, `${String(cut)} of 324 were made`);
  const document = new FileDocument(host.document.save());
  host.dispose();

  const again = await openPlugin({ plan: 'enterprise', document });
  await openPanel(again.ui);
  await again.ui.next('kept');
  const runs = async (): Promise<{ run: string; restorable: boolean; counts: Record<string, number> }[]> => {
    again.ui.send({ type: 'list_runs' });
    return (await again.ui.next('runs'))['runs'] as { run: string; restorable: boolean; counts: Record<string, number> }[];
  };
  const [entry, ...others] = await runs();
  assert.deepEqual([entry?.restorable, others.length], [true, 0]);
  assert.equal(entry?.counts['created'], cut);
  handOver(again.ui, SHEET, sheet(rows));
  const went = await again.ui.next(['waiting', 'applied']);
  if (went.type === 'waiting') {
    again.ui.send({ type: 'approve', plan: (went['preview'] as { plan: number }).plan, include_removals: false });
    await again.ui.next('applied');
  }
  assert.equal(document.variables.length, 324);
  assert.equal((await runs()).length, 2);
  again.ui.send({ type: 'restore', run: entry.run });
  const back = await again.ui.next('waiting');
  again.ui.send({ type: 'approve', plan: (back['preview'] as { plan: number }).plan, include_removals: true });
  await again.ui.next('applied');
  await again.idle();
  assert.deepEqual([document.collections.length, document.variables.length], [0, 0]);
  assert.deepEqual(again.errors, []);
  again.dispose();
});
