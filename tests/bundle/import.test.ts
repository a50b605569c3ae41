/** The Import tab's part of the sandbox program, in a real QuickJS: with Real-Time Sync compiled out, off, on, and beside it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { FigmaHost } from '../figma-host/host.ts';
import { type PanelMessage, readEnvelope } from '../figma-host/panel.ts';
import { FLAG_OFF, FLAG_ON, firstRun, openPanel } from '../journey/scripted-panel.ts';
import type { Frame, SheetRef } from '../journey/relay-client.ts';
import { differences } from '../sheets/compare.ts';
import { openProps } from '../sheets/open-props.ts';
import { packRows } from '../sheets/packed.ts';
import { primer } from '../sheets/primer.ts';
import type { Typed } from '../sheets/tokens.ts';
import { type Variant, openPlugin } from './bundle.ts';

/** Longest wait for a large set, in milliseconds. */
const LONG_MS = 120_000;
const TABLE: Typed[][] = [
  ['Collection', 'Name', 'Light', 'Dark', 'Type'],
  ['Theme', 'color/page', '#ffffff', '#000000', 'COLOR'],
  ['Theme', 'color/ink', '{color/page}', 'nonsense', 'COLOR'],
  [],
  ['Sizes', 'space/small', 4, '', 'FLOAT'],
];

interface Word extends PanelMessage {
  word: string;
}
interface Counts {
  created: number;
  changed: number;
  unchanged: number;
  removed: number;
}
interface Plan {
  plan: number;
  counts: Counts;
  rows: { name: string }[];
  problems: { address: string }[];
}
interface Report {
  counts: Counts;
  cancelled: boolean;
  writes: number;
  problems_total: number;
}

/** The next word of the tab; one that was refused ends the wait. */
async function next(host: FigmaHost, wanted: string, wait_ms = LONG_MS): Promise<Word> {
  const message = await host.ui.nextRaw((raw) => {
    const read = readEnvelope(raw);
    return read?.type === 'import' && [wanted, 'refused'].includes(String(read['word']));
  }, wait_ms);
  const word = readEnvelope(message) as Word;
  assert.equal(word.word, wanted, JSON.stringify(word));
  return word;
}

const say = (host: FigmaHost, word: string, fields: object = {}, bulk?: string): void => {
  host.ui.send({ type: 'import', word, ...fields }, bulk);
};

/** Hands tables over, takes them as they seem to be meant, and resolves with the plan. */
async function planned(host: FigmaHost, tables: Typed[][][], existing = 'update'): Promise<{ plan: Plan; word: Word; readings: unknown[] }> {
  say(host, 'begin', { tables: tables.length });
  const readings: unknown[] = [];
  for (const [at, rows] of tables.entries()) {
    say(host, 'table', { at, info: { spreadsheet_title: 'tokens.csv', sheet_title: `tokens${String(at)}`, locale: 'en_US' } }, packRows(rows));
  }
  for (const _ of tables) {
    const told = await next(host, 'inferred');
    readings[Number(told['at'])] = told['reading'];
  }
  say(host, 'read', { tables: readings, existing });
  const word = await next(host, 'preview');
  return { plan: word['preview'] as Plan, word, readings };
}

async function imported(host: FigmaHost, tables: Typed[][][]): Promise<Report> {
  const { plan } = await planned(host, tables);
  say(host, 'approve', { plan: plan.plan });
  const done = await next(host, 'done');
  await host.idle();
  return done['report'] as Report;
}

const opened = async (variant: Variant, flags: string | null, options: Parameters<typeof openPlugin>[0] = {}): Promise<FigmaHost> => {
  const host = await openPlugin({ plan: 'enterprise', ...options }, variant);
  await openPanel(host.ui, flags);
  return host;
};

test('the same is imported with Real-Time Sync compiled out, off, on, and without a relay', async () => {
  const seen: { calls: unknown; document: unknown; words: unknown }[] = [];
  for (const [variant, flags] of [['without-sync', FLAG_OFF], ['sync', FLAG_OFF], ['sync', FLAG_ON], ['sync', null], ['without-sync', null]] as const) {
    const host = await opened(variant, flags);
    if (flags === FLAG_ON) await host.ui.next('kept');
    const from = { calls: host.trace.length, words: host.ui.messages.length };
    const report = await imported(host, [TABLE]);
    assert.equal(report.counts.created, 3);
    assert.equal(report.problems_total, 1);
    assert.deepEqual(host.errors, []);
    const random = /"(ended_unix_ms|duration_ms|slice_ms_max)":\d+/g;
    const plain = (value: unknown): string => JSON.stringify(value).replace(random, '');
    seen.push({
      // Where a slice ends, and with it what is kept of the run so far, hangs on the clock.
      calls: host.trace.slice(from.calls).map(({ call }) => call).filter((call) => /^(variables\.create|variable\.|collection\.|commitUndo)/.test(call) && call !== 'collection.get'),
      document: host.document.variables.map(({ name, valuesByMode, resolvedType }) => [name, resolvedType, valuesByMode]),
      words: host.ui.messages.slice(from.words).map(readEnvelope).filter((word) => word?.['word'] !== 'progress').map(plain),
    });
    host.dispose();
  }
  for (const other of seen.slice(1)) assert.deepEqual(other, seen[0]);
});

for (const [name, set] of [['Primer', primer()], ['Open Props', openProps()]] as const) {
  test(`${name} is imported without a loss, and importing it again changes nothing`, async () => {
    const host = await opened('without-sync', null);
    const report = await imported(host, [set.sheet.rows]);
    assert.equal(report.problems_total, 0);
    assert.equal(report.counts.created, set.expected.length);
    assert.deepEqual(differences(host.document, set.expected).slice(0, 20), []);
    const before = host.document.save();
    const again = await imported(host, [set.sheet.rows]);
    assert.deepEqual([again.writes, again.counts.created, again.counts.changed], [0, 0, 0]);
    assert.equal(again.counts.unchanged, set.expected.length);
    assert.deepEqual(host.document.save(), before);
    assert.deepEqual(host.errors, []);
    host.dispose();
  });
}

test('what is imported is one step of undo and leaves no trace on variables', async () => {
  const host = await opened('without-sync', null);
  const { plan, word } = await planned(host, [TABLE]);
  assert.deepEqual(plan.problems.map(({ address }) => address), ["tokens0!D3"]);
  assert.deepEqual(word['unread'], [{ at: 0, from: 3, to: 4 }]);
  assert.equal(host.document.variables.length, 0);
  say(host, 'approve', { plan: plan.plan });
  await next(host, 'done');
  await host.idle();
  assert.equal(host.document.variables.length, 3);
  for (const variable of host.document.variables) assert.deepEqual(variable.pluginData, {});
  host.undo();
  assert.equal(host.document.variables.length, 0);
  host.dispose();
});

test('a file that may only be looked at is told so', async () => {
  const host = await openPlugin({ editorType: 'dev' }, 'without-sync');
  await openPanel(host.ui, null);
  say(host, 'begin', { tables: 1 });
  assert.match(String((await next(host, 'refused'))['message']), /can’t be edited/);
  host.dispose();
});

test('how the designer read a table is remembered in the file', async () => {
  const host = await opened('without-sync', null);
  const { readings } = await planned(host, [TABLE]);
  const reading = readings[0] as { columns: { role: object }[] };
  (reading.columns[3] as { role: object }).role = { role: 'ignore' };
  say(host, 'read', { tables: [reading], existing: 'update' });
  const plan = (await next(host, 'preview'))['preview'] as Plan;
  say(host, 'approve', { plan: plan.plan });
  await next(host, 'done');
  await host.idle();
  assert.deepEqual(host.document.collections[0]?.modes.map((mode) => mode.name), ['Light']);
  say(host, 'begin', { tables: 1 });
  say(host, 'table', { at: 0, info: { spreadsheet_title: 'other.csv', sheet_title: 'other', locale: 'en_US' } }, packRows(TABLE));
  const told = await next(host, 'inferred');
  assert.equal(told['remembered'], true);
  assert.deepEqual(told['reading'], reading);
  host.dispose();
});

test('an import that is called off stops, and says what it did', async () => {
  const host = await opened('without-sync', null);
  const rows: Typed[][] = [['Name', 'Value'], ...Array.from({ length: 2_000 }, (_, at): Typed[] => [`size/${String(at)}`, at])];
  const { plan } = await planned(host, [rows]);
  say(host, 'approve', { plan: plan.plan });
  while (host.document.variables.length === 0) await next(host, 'progress');
  say(host, 'cancel');
  const done = (await next(host, 'done'))['report'] as Report;
  assert.equal(done.cancelled, true);
  assert.ok(done.counts.created > 0 && done.counts.created < 2_000, String(done.counts.created));
  assert.equal(host.document.variables.length, done.counts.created);
  host.dispose();
});

const SHEET: SheetRef = { spreadsheet_id: 'sheet-of-the-tests', sheet_id: 7 };
const snapshot = (rows: Typed[][], revision: number): Frame => ({
  type: 'snapshot', v: 1, position: { epoch: 'e', revision }, sheet: { spreadsheet_title: 'Design', sheet_title: 'Tokens', locale: 'en_US' }, cells: packRows(rows),
});

test('beside a sync an import is an edit by hand, and the sync goes on', async () => {
  const host = await opened('sync', FLAG_ON);
  await host.ui.next('kept');
  const rows: Typed[][] = [
    ['Collection', 'Name', 'Light', 'Dark', 'Type'],
    ['Theme', 'color/page', '#111111', '#222222', 'COLOR'],
    ['Theme', 'color/other', '#333333', '#444444', 'COLOR'],
  ];
  await firstRun(host.ui, SHEET, snapshot(rows, 1));
  await host.idle();
  const { plan } = await planned(host, [TABLE]);
  assert.deepEqual([plan.counts.created, plan.counts.changed, plan.counts.removed], [2, 1, 0]);
  // An edit comes while the import waits; its slots are those of another listing.
  (rows[2] as Typed[])[2] = '#555555';
  host.ui.send({ type: 'changes', sheet: SHEET, position: { epoch: 'e', revision: 2 }, rows: rows.length }, `2\x1f2\x1ft#555555\x1e`);
  await host.ui.next('applied');
  say(host, 'approve', { plan: plan.plan });
  const done = await next(host, 'done');
  assert.equal(done['connected'], true);
  await host.idle();
  const held = (name: string): unknown => host.document.variables.find((variable) => variable.name === name)?.valuesByMode;
  assert.match(JSON.stringify(held('color/page')), /"r":1,"g":1,"b":1/);
  host.ui.send({ type: 'sync_now' });
  const list = await host.ui.next('differences');
  assert.equal(list['drifts'], 2);
  await host.idle();
  assert.match(JSON.stringify(held('color/page')), /"r":1,"g":1,"b":1/);
  assert.match(JSON.stringify(held('color/other')), /0\.333/);
  assert.deepEqual(host.errors, []);
  host.dispose();
});
