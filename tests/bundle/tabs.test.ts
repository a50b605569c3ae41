/** Several tabs that feed one file, in the sandbox program in a real QuickJS. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileDocument } from '../figma-host/node.ts';
import { type PanelMessage } from '../figma-host/panel.ts';
import type { FigmaHost } from '../figma-host/host.ts';
import { handOver, openPanel } from '../journey/scripted-panel.ts';
import type { Frame, SheetRef } from '../journey/relay-client.ts';
import { packChanges, packRows } from '../sheets/packed.ts';
import type { Typed } from '../sheets/tokens.ts';
import { openPlugin } from './bundle.ts';

const tab = (sheet_id: number, spreadsheet_id = 'sheet-of-the-tests'): SheetRef => ({ spreadsheet_id, sheet_id });
const snapshot = (sheet_title: string, rows: Typed[][], locale = 'en_US'): Frame => ({
  type: 'snapshot', v: 1, position: { epoch: sheet_title, revision: 1 },
  sheet: { spreadsheet_title: 'Design tokens', sheet_title, locale }, cells: packRows(rows),
});
const change = (sheet_title: string, rows: number, row: number, column: number, cell: Typed): Frame => ({
  type: 'changes', v: 1, since: 1, position: { epoch: sheet_title, revision: 2 }, seen_unix_ms: Date.now(), rows,
  cells: packChanges([{ row, column, cell }]),
});

/** Takes the columns of every tab as they were inferred. */
async function confirm(host: FigmaHost, tabs: SheetRef[]): Promise<void> {
  const inferred = new Map<number, PanelMessage>();
  while (inferred.size < tabs.length) {
    const told = await host.ui.next('inferred');
    inferred.set((told['sheet'] as SheetRef).sheet_id, told);
  }
  for (const sheet of tabs) {
    const told = inferred.get(sheet.sheet_id);
    host.ui.send({ type: 'confirm_columns', columns: told?.['columns'], header_row: told?.['header_row'], ...(told?.['layout'] ? { layout: told['layout'] } : {}), sheet });
  }
}

async function fed(tabs: [SheetRef, Frame][]): Promise<{ host: FigmaHost; report: PanelMessage }> {
  const host = await openPlugin({ plan: 'enterprise' });
  await openPanel(host.ui);
  await host.ui.next('kept');
  for (const [at, [sheet]] of tabs.entries()) host.ui.send({ type: at === 0 ? 'connect' : 'add_source', sheet });
  for (const [sheet, frame] of tabs) handOver(host.ui, sheet, frame);
  await confirm(host, tabs.map(([sheet]) => sheet));
  const preview = await host.ui.next('preview');
  host.ui.send({ type: 'approve', plan: preview['plan'], include_removals: false });
  const report = await host.ui.next('applied');
  await host.idle();
  return { host, report };
}

const named = (host: FigmaHost, name: string) => host.document.variables.find((variable) => variable.name === name);

test('two tabs, aliases both ways, an edit in each, and the first taken away', async () => {
  const [one, two] = [tab(1), tab(2)];
  const { host, report } = await fed([
    [one, snapshot('Primitives', [['Name', 'Value'], ['blue', '#0052cc'], ['accent', '{Semantic:link}']])],
    [two, snapshot('Semantic', [['Name', 'Light', 'Dark'], ['link', '{blue}', '{blue}'], ['text', '#111111', '#eeeeee']])],
  ]);
  assert.deepEqual(report['problems'], []);
  const alias = (name: string) => ({ type: 'VARIABLE_ALIAS', id: named(host, name)?.id });
  assert.deepEqual(Object.values(named(host, 'accent')?.valuesByMode ?? {}), [alias('link')]);
  assert.deepEqual(Object.values(named(host, 'link')?.valuesByMode ?? {}), [alias('blue'), alias('blue')]);

  handOver(host.ui, two, change('Semantic', 3, 2, 1, '#ff0000'));
  assert.equal((await host.ui.next('applied'))['writes'], 2);
  handOver(host.ui, one, change('Primitives', 3, 1, 1, '#00ff00'));
  assert.equal((await host.ui.next('applied'))['writes'], 2);
  assert.deepEqual(Object.values(named(host, 'text')?.valuesByMode ?? {})[0], { r: 1, g: 0, b: 0, a: 1 });
  assert.deepEqual(Object.values(named(host, 'blue')?.valuesByMode ?? {}), [{ r: 0, g: 1, b: 0, a: 1 }]);

  // Its variables are asked about, and the links of the others stand: nothing is made again.
  host.ui.send({ type: 'remove_source', sheet: one });
  const waiting = await host.ui.next('waiting');
  host.ui.send({ type: 'keep_removed', plan: (waiting['preview'] as PanelMessage)['plan'] });
  await host.ui.next('applied');
  await host.idle();
  assert.equal(host.document.variables.length, 4);
  const saved = host.document.save();
  host.dispose();

  const again = await openPlugin({ plan: 'enterprise', document: new FileDocument(saved) });
  await openPanel(again.ui);
  const kept = (await again.ui.next('kept'))['connection'] as { sheet: SheetRef; origin: SheetRef; more?: unknown };
  assert.deepEqual([kept.sheet, kept.origin, kept.more], [two, one, undefined]);
  handOver(again.ui, two, snapshot('Semantic', [['Name', 'Light', 'Dark'], ['link', '{blue}', '{blue}'], ['text', '#ff0000', '#eeeeee']]));
  const report2 = await again.ui.next('applied');
  assert.deepEqual([report2['writes'], report2['problems']], [0, []]);
  again.dispose();
});

test('changes made in Figma go to the tab that each is of, one tab after the other', async () => {
  const [one, two] = [tab(1), tab(2, 'another-sheet')];
  const { host } = await fed([
    [one, snapshot('Primitives', [['Name', 'Value'], ['blue', '#0052cc']])],
    [two, snapshot('Semantic', [['Name', 'Light', 'Dark'], ['link', '{blue}', '{blue}'], ['text', '#111111', '#eeeeee']])],
  ]);
  host.ui.send({ type: 'set_two_way', on: true });
  await host.ui.next('connection_changed');
  const set = (name: string, mode: number, value: unknown) => {
    const variable = named(host, name);
    host.asUser((model) => { model.setValueForMode(variable?.id ?? '', Object.keys(variable?.valuesByMode ?? {})[mode] ?? '', value as never); });
  };
  const orange = { r: 1, g: Math.fround(0x88 / 255), b: 0, a: 1 };
  set('blue', 0, orange);
  set('text', 1, orange);
  host.ui.send({ type: 'look' });
  const sent = async (sheet: SheetRef, row: number, column: number, text: string) => {
    const push = await host.ui.next('push');
    const [cell] = push['cells'] as { row: number; column: number; value: unknown }[];
    assert.deepEqual([push['sheet'], cell?.row, cell?.column, cell?.value], [sheet, row, column, { text }]);
    host.ui.send({ type: 'pushed', push: push['push'] as number, results: ['written'] });
  };
  await sent(one, 1, 1, '#ff8800');
  await sent(two, 2, 2, '#ff8800');
  handOver(host.ui, two, change('Semantic', 3, 2, 2, '#ff8800'));
  assert.equal((await host.ui.next('applied'))['writes'], 1);
  handOver(host.ui, one, change('Primitives', 2, 1, 1, '#ff8800'));
  assert.equal((await host.ui.next('applied'))['writes'], 1);
  assert.deepEqual(Object.values(named(host, 'text')?.valuesByMode ?? {})[1], orange);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('a tab for each mode, in the locale of its own spreadsheet', async () => {
  const { host, report } = await fed([
    [tab(1), snapshot('Mobile', [['Name', 'Value'], ['space/half', 0.5], ['space/one', { text: '1.5' }]])],
    [tab(2), snapshot('Desktop', [['Name', 'Value'], ['space/one', { text: '2,5' }], ['space/half', 1]], 'de_DE')],
  ]);
  assert.deepEqual(report['problems'], []);
  assert.deepEqual(host.document.collections.map(({ name, modes }) => [name, modes.map((mode) => mode.name)]), [['Design tokens', ['Mobile', 'Desktop']]]);
  assert.deepEqual(Object.values(named(host, 'space/one')?.valuesByMode ?? {}), [1.5, 2.5]);
  assert.deepEqual(Object.values(named(host, 'space/half')?.valuesByMode ?? {}), [0.5, 1]);
  host.dispose();
});

test('a tab that cannot be read is not missed', async () => {
  const [one, two] = [tab(1), tab(2)];
  const rows: Typed[][] = [['Name', 'Value'], ['a', '#111111'], ['b', '#222222']];
  const { host } = await fed([[one, snapshot('One', rows)], [two, snapshot('Two', [['Name', 'Value'], ['c', '#333333'], ['d', '{One:a}']])]]);
  const saved = host.document.save();
  host.dispose();
  const again = await openPlugin({ plan: 'enterprise', document: new FileDocument(saved) });
  await openPanel(again.ui);
  await again.ui.next('kept');
  handOver(again.ui, one, snapshot('One', [['Name', 'Value'], ['a', '#ff0000'], ['new', '#222222']]));
  const report = await again.ui.next('applied');
  await again.idle();
  assert.equal((report['counts'] as Record<string, number>)['changed'], 1);
  assert.equal(again.document.variables.length, 4);
  assert.match((report['problems'] as { message: string }[])[0]?.message ?? '', /Not read yet: “Two”/);
  again.dispose();
});
