/** Real-Time Sync in the sandbox program, in a real QuickJS: real token sets become variables, and edits follow. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type StoredCollection, type StoredVariable, emptyDocument } from '../figma-host/document.ts';
import type { FigmaHost } from '../figma-host/host.ts';
import { FileDocument } from '../figma-host/node.ts';
import { type PanelMessage, readEnvelope } from '../figma-host/panel.ts';
import { firstRun, handOver, openPanel } from '../journey/scripted-panel.ts';
import type { Frame, SheetRef } from '../journey/relay-client.ts';
import { differences } from '../sheets/compare.ts';
import { openProps } from '../sheets/open-props.ts';
import { packChanges, packRows } from '../sheets/packed.ts';
import { primer } from '../sheets/primer.ts';
import type { Typed } from '../sheets/tokens.ts';
import { openPlugin } from './bundle.ts';

const SHEET: SheetRef = { spreadsheet_id: 'sheet-of-the-tests', sheet_id: 7 };
const INFO = { spreadsheet_title: 'Design tokens', sheet_title: 'Tokens', locale: 'en_US' };
/** Longest wait for a large set, in milliseconds. */
const LONG_MS = 120_000;

let revision = 0;
const snapshot = (rows: Typed[][]): Frame => {
  revision += 1;
  return { type: 'snapshot', v: 1, position: { epoch: 'e', revision }, sheet: INFO, cells: packRows(rows) };
};
const changes = (rows: Typed[][], edits: { row: number; column: number; cell: Typed }[]): Frame => {
  revision += 1;
  for (const { row, column, cell } of edits) (rows[row] ?? [])[column] = cell;
  return { type: 'changes', v: 1, since: revision - 1, position: { epoch: 'e', revision }, seen_unix_ms: Date.now(), rows: rows.length, cells: packChanges(edits) };
};

type Counts = Record<'collections' | 'modes' | 'created' | 'changed' | 'unchanged' | 'removed', number>;
const counts = (report: PanelMessage): Counts => report['counts'] as Counts;
const problems = (message: PanelMessage): { address: string; message: string; remedy: string }[] =>
  message['problems'] as { address: string; message: string; remedy: string }[];
const WRITES = /^(variables\.create|variable\.|collection\.)/;
const writes = (host: FigmaHost): string[] => host.trace.map((call) => call.call).filter((call) => WRITES.test(call) && !/\bget|PluginData/.test(call));

/** A file with a sheet synced into it. */
async function synced(rows: Typed[][], options: Parameters<typeof openPlugin>[0] = {}): Promise<{ host: FigmaHost; report: PanelMessage; preview: PanelMessage }> {
  const host = await openPlugin({ plan: 'enterprise', ...options });
  await openPanel(host.ui);
  await host.ui.next('kept');
  const { preview, report } = await firstRun(host.ui, SHEET, snapshot(rows));
  await host.idle();
  return { host, report, preview };
}

for (const [name, set] of [['Primer', primer()], ['Open Props', openProps()]] as const) {
  test(`${name} becomes variables without a loss, and a second sync writes nothing`, async () => {
    const { host, report, preview } = await synced(set.sheet.rows);
    assert.deepEqual(problems(report), []);
    assert.equal(counts(preview).created, set.expected.length);
    assert.equal(counts(report).created, set.expected.length);
    assert.deepEqual(differences(host.document, set.expected).slice(0, 20), []);

    const before = host.document.save();
    host.ui.send({ type: 'sync_now' });
    const again = await host.ui.next('applied', LONG_MS);
    assert.equal(again['writes'], 0);
    assert.equal(counts(again).unchanged, set.expected.length);
    handOver(host.ui, SHEET, snapshot(set.sheet.rows));
    assert.equal((await host.ui.next('applied', LONG_MS))['writes'], 0);
    await host.idle();
    assert.deepEqual(host.document.save(), before);
    assert.deepEqual(host.errors, []);
    host.dispose();
  });
}

const SMALL = (): Typed[][] => [
  ['Collection', 'Name', 'light', 'dark', 'Type', 'Description'],
  ['Base', { text: 'blue/5' }, '#0969da', '#2f81f7', 'COLOR', 'The accent'],
  ['Base', { text: 'gap' }, 8, 12, 'FLOAT', ''],
  ['Brand', { text: 'accent' }, '{Base:blue/5}', '{Base:blue/5}', 'COLOR', ''],
];

test('an edited cell changes one value and nothing else', async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  const before = writes(host).length;
  handOver(host.ui, SHEET, changes(rows, [{ row: 1, column: 3, cell: '#ff0000' }]));
  const report = await host.ui.next('applied');
  // The value, and what file and sheet agree on now.
  assert.equal(report['writes'], 2);
  assert.equal(counts(report).changed, 1);
  await host.idle();
  assert.equal(writes(host).length - before, 1);
  const blue = host.document.variables.find((variable) => variable.name === 'blue/5');
  assert.deepEqual(Object.values(blue?.valuesByMode ?? {})[1], { r: 1, g: 0, b: 0, a: 1 });
  host.dispose();
});

test('an alias may point forward, and follows a new row', async () => {
  const rows: Typed[][] = [
    ['Collection', 'Name', 'default'],
    ['A', { text: 'first' }, '{B:second}'],
    ['B', { text: 'second' }, '#123456'],
  ];
  const { host, report } = await synced(rows);
  assert.deepEqual(problems(report), []);
  const [first, second] = ['first', 'second'].map((name) => host.document.variables.find((variable) => variable.name === name));
  assert.deepEqual(Object.values(first?.valuesByMode ?? {}), [{ type: 'VARIABLE_ALIAS', id: second?.id }]);
  host.dispose();
});

const collection = (id: string, name: string): StoredCollection => ({
  id, key: `key-${id}`, name, hiddenFromPublishing: false, remote: false, modes: [{ modeId: `${id}:0`, name: 'Light' }],
  defaultModeId: `${id}:0`, pluginData: {},
});
const published = (id: string, name: string, owner: string): StoredVariable => ({
  id, key: `key-${id}`, name, description: '', hiddenFromPublishing: false, remote: false, collectionId: owner, resolvedType: 'COLOR',
  scopes: ['ALL_SCOPES'], codeSyntax: {}, valuesByMode: { [`${owner}:0`]: { r: 0, g: 0, b: 1, a: 1 } }, pluginData: {},
});

test('a reference into a library leads to its variable, and what is not there is told', async () => {
  const base = collection('VariableCollectionId:9:1', 'Base');
  const blue = published('VariableID:9:2', 'brand/500', base.id);
  const other = published('VariableID:9:3', 'brand/600', base.id);
  const document = new FileDocument({ ...emptyDocument(), libraries: [{ name: 'Acme Core', collections: [base], variables: [blue, other] }] });
  const rows: Typed[][] = [
    ['Name', 'Light', 'Type'],
    [{ text: 'link' }, '{Acme Core › Base:brand/500}', ''],
    [{ text: 'veil' }, '{Acme Core › Base:brand/500} / 50%', ''],
    [{ text: 'lost' }, '{Acme Core › Base:brand/700}', 'COLOR'],
  ];
  const { host, report } = await synced(rows, { document });
  assert.deepEqual(problems(report).map((problem) => problem.address), ['Tokens!B4']);
  const value = (name: string): unknown => Object.values(document.variables.find((variable) => variable.name === name)?.valuesByMode ?? {})[0];
  const alias = { type: 'VARIABLE_ALIAS', id: blue.id };
  assert.deepEqual(value('link'), alias);
  assert.deepEqual(value('veil'), { color: alias, opacity: 50 });
  // Only what the sheet refers to is brought in, and a second sync finds it as it is.
  assert.ok(!document.variables.some((variable) => variable.id === other.id));
  host.ui.send({ type: 'sync_now' });
  assert.equal((await host.ui.next('applied'))['writes'], 0);
  handOver(host.ui, SHEET, changes(rows, [{ row: 1, column: 1, cell: '{Acme Core › Base:brand.600}' }]));
  await host.ui.next('applied');
  await host.idle();
  assert.deepEqual(value('link'), { type: 'VARIABLE_ALIAS', id: other.id });
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('an extended collection is left alone', async () => {
  const extended = { ...collection('VariableCollectionId:1:5', 'Brand B'), isExtension: true };
  const document = new FileDocument({ ...emptyDocument(), collections: [extended] });
  const { host, report } = await synced([
    ['Collection', 'Name', 'Light'],
    ['Brand A', { text: 'brand' }, '#0052cc'],
    ['Brand B', { text: 'brand' }, '#cc0000'],
  ], { document });
  const [problem] = problems(report);
  assert.equal(problem?.address, 'Tokens!A3');
  assert.match(problem?.message ?? '', /“Brand B” is an extended collection/);
  assert.deepEqual(document.collections.map(({ name }) => name).sort(), ['Brand A', 'Brand B']);
  assert.equal(document.variables.length, 1);
  assert.deepEqual(document.collection(extended.id)?.pluginData, {});
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('a row that can not be read has its address and a remedy, and the others are written', async () => {
  const rows = SMALL();
  rows.push(['Base', { text: 'bad' }, 'no colour', '#000000', 'COLOR', ''], ['Base', { text: 'gap' }, 1, 2, 'FLOAT', '']);
  const { host, report } = await synced(rows);
  const places = problems(report).map((problem) => problem.address);
  assert.ok(places.includes('Tokens!C5'), places.join());
  assert.ok(places.some((place) => /^Tokens!B(3|6)$/.test(place)), `the duplicate has no address: ${places.join()}`);
  for (const problem of problems(report)) assert.notEqual(problem.remedy, '', problem.message);
  const names = host.document.variables.map((variable) => variable.name);
  assert.ok(names.includes('blue/5') && names.includes('accent'));
  assert.ok(!names.includes('gap'), 'one of two rows of the same name was taken');
  host.dispose();
});

test('a sheet without the columns is told as such, and nothing is written', async () => {
  const host = await openPlugin();
  await openPanel(host.ui);
  await host.ui.next('kept');
  host.ui.send({ type: 'connect', sheet: SHEET });
  handOver(host.ui, SHEET, snapshot([['Revenue', 'Quarter'], [12, 'Q1']]));
  const inferred = await host.ui.next('inferred');
  const [problem] = problems(inferred);
  assert.match(problem?.message ?? '', /Name/);
  assert.notEqual(problem?.remedy ?? '', '');
  assert.deepEqual(host.document.variables, []);
  host.dispose();
});

test('a file that can not be written to says so, and nothing begins', async () => {
  const host = await openPlugin({ editorType: 'dev' });
  await openPanel(host.ui);
  await host.ui.next('kept');
  host.ui.send({ type: 'connect', sheet: SHEET });
  assert.equal((await host.ui.next('stopped'))['reason'], 'read_only');
  host.dispose();
});

test("a plan's limit of modes is told, and the modes it allows are written", async () => {
  const { host, report } = await synced(SMALL(), { plan: 'starter' });
  assert.match(JSON.stringify(problems(report)), /plan allows 1 mode in/);
  const base = host.document.collections.find((collection) => collection.name === 'Base');
  assert.equal(base?.modes.length, 1);
  assert.equal(host.document.variables.length, 3);
  host.dispose();
});

test('rows that vanish wait for the designer, who keeps or removes', async () => {
  for (const include_removals of [false, true]) {
    const rows = SMALL();
    const { host } = await synced(rows);
    handOver(host.ui, SHEET, snapshot(rows.filter((row) => (row[1] as { text?: string }).text !== 'gap')));
    const waiting = await host.ui.next('waiting');
    assert.equal(waiting['reason'], 'removes');
    const { plan } = waiting['preview'] as { plan: number };
    assert.ok(host.document.variables.some((variable) => variable.name === 'gap'));
    if (include_removals) host.ui.send({ type: 'approve', plan, include_removals });
    else host.ui.send({ type: 'keep_removed', plan });
    await host.ui.next('applied');
    await host.idle();
    assert.equal(host.document.variables.some((variable) => variable.name === 'gap'), !include_removals);
    host.dispose();
  }
});

test('a connection is kept in the file and taken up again without a question', async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  const saved = host.document.save();
  host.dispose();
  const again = await openPlugin({ plan: 'enterprise', document: saved });
  await openPanel(again.ui);
  const kept = await again.ui.next('kept');
  assert.equal((kept['connection'] as { approved: boolean }).approved, true);
  (rows[2] ?? [])[2] = 16;
  handOver(again.ui, SHEET, snapshot(rows));
  const report = await again.ui.next('applied');
  assert.equal(report['writes'], 2);
  again.dispose();
});

test('the toggle stops and begins again', async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  host.ui.send({ type: 'toggle', on: false });
  assert.equal((await host.ui.next('stopped'))['reason'], 'toggled');
  handOver(host.ui, SHEET, changes(rows, [{ row: 2, column: 2, cell: 99 }]));
  await host.idle();
  const held = (): unknown => Object.values(host.document.variables.find((variable) => variable.name === 'gap')?.valuesByMode ?? {})[0];
  assert.equal(held(), 8);
  host.ui.send({ type: 'toggle', on: true });
  await host.ui.next('applied');
  assert.equal(held(), 99);
  host.dispose();
});

test('the flag going off stops everything, and messages of the feature are refused', async () => {
  const { host } = await synced(SMALL());
  host.ui.send({ type: 'flags_evaluated', body: JSON.stringify({ flags: [{ key: 'realtime-sync', value: false, reason: 'DISABLED' }] }), now_unix_ms: Date.now() });
  assert.equal((await host.ui.next('flags'))['realtime_sync'], 'switched_off');
  assert.equal((await host.ui.next('stopped'))['reason'], 'switched_off');
  host.ui.send({ type: 'sync_now' });
  assert.match(JSON.stringify(await host.ui.nextRaw((message) => readEnvelope(message)?.type === 'refused')), /not switched on/);
  host.dispose();
});

test('cells that are no cells are refused, and the next snapshot is taken', async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  host.ui.send({ type: 'changes', sheet: SHEET, position: { epoch: 'e', revision: 900 }, rows: 4 }, 'nonsense');
  await host.idle();
  assert.equal(host.document.variables.length, 3);
  (rows[2] ?? [])[2] = 17;
  handOver(host.ui, SHEET, snapshot(rows));
  const report = await host.ui.nextRaw((message) => {
    const read = readEnvelope(message);
    return read?.type === 'applied' && Number(read['writes']) === 2;
  });
  assert.ok(report);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test("everybody else's edits between two awaits break nothing", async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  const gap = host.document.variables.find((variable) => variable.name === 'gap');
  host.atAwait(1, (others) => { others.removeVariable(gap?.id ?? ''); });
  handOver(host.ui, SHEET, changes(rows, [{ row: 2, column: 2, cell: 20 }]));
  await host.ui.next('applied');
  await host.idle();
  assert.deepEqual(host.errors, []);
  assert.ok(host.document.variables.some((variable) => variable.name === 'blue/5'));
  host.dispose();
});

/** The value of a variable's first mode. */
const first = (host: FigmaHost, name: string): unknown =>
  Object.values(host.document.variables.find((variable) => variable.name === name)?.valuesByMode ?? {})[0];

test('what a designer changed in Figma is kept, shown, and taken back by a choice', async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  const gap = host.document.variables.find((variable) => variable.name === 'gap');
  const mode = Object.keys(gap?.valuesByMode ?? {})[0] ?? '';
  host.asUser((model) => { model.setValueForMode(gap?.id ?? '', mode, 12); });
  host.ui.send({ type: 'sync_now' });
  const shown = await host.ui.next('differences');
  assert.deepEqual([shown['drifts'], shown['conflicts']], [1, 0]);
  await host.ui.next('applied');
  assert.equal(first(host, 'gap'), 12);
  // Changed in the sheet as well: still nobody's edit is lost.
  handOver(host.ui, SHEET, changes(rows, [{ row: 2, column: 2, cell: 20 }]));
  const both = await host.ui.next('differences');
  assert.deepEqual([both['drifts'], both['conflicts']], [0, 1]);
  await host.ui.next('applied');
  assert.equal(first(host, 'gap'), 12);
  host.ui.send({ type: 'resolve', list: both['list'] as number, items: [0], choice: 'sheet' });
  await host.ui.next('applied');
  assert.equal(first(host, 'gap'), 20);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('with two-way sync on, what a designer changed in Figma goes to the sheet and does not come back', async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  const blue = host.document.variables.find((variable) => variable.name === 'blue/5');
  const mode = Object.keys(blue?.valuesByMode ?? {})[0] ?? '';
  const orange = { r: 1, g: Math.fround(0x88 / 255), b: 0, a: 1 };
  host.ui.send({ type: 'set_two_way', on: true });
  const connection = (await host.ui.next('connection_changed'))['connection'] as Record<string, unknown>;
  assert.deepEqual([connection['two_way'], connection['policy']], [true, { drift: 'push', conflict: 'ask' }]);
  host.asUser((model) => { model.setValueForMode(blue?.id ?? '', mode, orange); });
  // Figma says nothing by itself: the panel has the file looked at.
  host.ui.send({ type: 'look' });
  const push = await host.ui.next('push');
  assert.deepEqual(push['sheet'], SHEET);
  const guards = [{ row: 0, column: 2, holds: `t${String(rows[0]?.[2])}` }, { row: 1, column: 1, holds: 'tblue/5' }];
  assert.deepEqual(push['cells'], [{ row: 1, column: 2, before: 't#0969da', value: { text: '#ff8800' }, guards }]);
  const before = writes(host).length;
  host.ui.send({ type: 'pushed', push: push['push'] as number, results: ['written'] });
  handOver(host.ui, SHEET, changes(rows, [{ row: 1, column: 2, cell: '#ff8800' }]));
  const report = await host.ui.next('applied');
  // What the two sides agree on, and no value.
  assert.equal(report['writes'], 1);
  assert.equal(writes(host).length, before);
  assert.deepEqual(first(host, 'blue/5'), orange);
  // A cell that can't be written stays in Figma, with the reason.
  host.asUser((model) => { model.setValueForMode(blue?.id ?? '', mode, { r: 0, g: 0, b: 0, a: 1 }); });
  host.ui.send({ type: 'look' });
  const again = await host.ui.next('push');
  host.ui.send({ type: 'pushed', push: again['push'] as number, results: ['formula'] });
  const shown = (await host.ui.next('differences'))['items'] as { unsent?: string; address: string }[];
  assert.deepEqual(shown.map(({ unsent, address }) => [unsent, address]), [['formula', 'Tokens!C2']]);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('a run that the designer undid waits instead of being done again, and redo brings it back', async () => {
  const rows = SMALL();
  const { host } = await synced(rows);
  const before = first(host, 'gap');
  handOver(host.ui, SHEET, changes(rows, [{ row: 2, column: 2, cell: 20 }]));
  await host.ui.next('applied');
  await host.idle();
  host.undo();
  assert.equal(first(host, 'gap'), before);
  host.ui.send({ type: 'sync_now' });
  const waiting = await host.ui.next('waiting');
  assert.equal(waiting['reason'], 'undone');
  assert.equal(first(host, 'gap'), before);
  host.redo();
  host.ui.send({ type: 'sync_now' });
  assert.equal((await host.ui.next('applied'))['writes'], 0);
  assert.equal(first(host, 'gap'), 20);
  host.undo();
  host.ui.send({ type: 'sync_now' });
  const again = await host.ui.next('waiting');
  host.ui.send({ type: 'keep_file', plan: (again['preview'] as { plan: number }).plan });
  await host.ui.next('applied');
  assert.equal(first(host, 'gap'), before);
  handOver(host.ui, SHEET, changes(rows, [{ row: 2, column: 2, cell: 24 }]));
  await host.ui.next('applied');
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('the history tells who did what, and going back to before a run is exact', async () => {
  const rows = SMALL();
  const { host } = await synced(rows, { user: { id: '1234567890', name: 'Ana' } });
  const seen = (): unknown => JSON.parse(JSON.stringify({
    collections: host.document.collections.map(({ id, name, modes }) => ({ id, name, modes })),
    variables: host.document.variables.map(({ id, name, description, valuesByMode, scopes, codeSyntax }) => ({ id, name, description, valuesByMode, scopes, codeSyntax })),
  })) as unknown;
  const before = seen();
  // A value, an alias, a name, a header, and a new row in a new collection.
  handOver(host.ui, SHEET, changes(rows, [{ row: 2, column: 2, cell: 20 }, { row: 3, column: 3, cell: '#123456' }, { row: 2, column: 5, cell: 'The gap' }]));
  await host.ui.next('applied');
  handOver(host.ui, SHEET, changes(rows, [{ row: 1, column: 1, cell: { text: 'blue/six' } }]));
  await host.ui.next('applied');
  handOver(host.ui, SHEET, changes(rows, [{ row: 0, column: 3, cell: 'night' }]));
  await host.ui.next('applied');
  rows.push(['Extra', { text: 'edge' }, 1, 2, 'FLOAT', '']);
  handOver(host.ui, SHEET, snapshot(rows));
  await host.ui.next('applied');
  await host.idle();
  assert.notDeepEqual(seen(), before);

  host.ui.send({ type: 'list_runs' });
  const runs = (await host.ui.next('runs'))['runs'] as { run: string; author: string; unix_ms: number; counts: Counts; restorable: boolean }[];
  assert.equal(runs.length, 5);
  assert.equal(runs[0]?.counts.created, 1);
  assert.ok(runs.every((run) => run.author === 'Ana' && run.restorable && Math.abs(run.unix_ms - Date.now()) < 600_000));
  host.ui.send({ type: 'restore', run: runs[3]?.run ?? '' });
  const waiting = await host.ui.next('waiting');
  assert.equal(waiting['reason'], 'restore');
  const { plan, counts: would } = waiting['preview'] as { plan: number; counts: Counts };
  assert.deepEqual([would.changed, would.removed, would.collections], [3, 1, 1]);
  host.ui.send({ type: 'approve', plan, include_removals: true });
  const done = await host.ui.next('applied');
  assert.deepEqual(problems(done), []);
  await host.idle();
  assert.deepEqual(seen(), before);

  // Nothing of it is written again, and one undo takes the going back itself back.
  host.ui.send({ type: 'sync_now' });
  assert.equal((await host.ui.next('applied'))['writes'], 0);
  assert.deepEqual(seen(), before);
  host.undo();
  assert.equal(first(host, 'gap'), 20);
  assert.deepEqual(host.errors, []);
  host.dispose();
});
