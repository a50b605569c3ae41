/** Several designers in one file: two sandbox programs over one document, of which one is the writer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { FigmaHost } from '../figma-host/host.ts';
import { FileDocument } from '../figma-host/node.ts';
import { type PanelMessage, readEnvelope } from '../figma-host/panel.ts';
import { FLAG_ON, firstRun, handOver, openPanel } from '../journey/scripted-panel.ts';
import type { Frame, SheetRef } from '../journey/relay-client.ts';
import { packRows } from '../sheets/packed.ts';
import type { Typed } from '../sheets/tokens.ts';
import { openPlugin } from './bundle.ts';

const SHEET: SheetRef = { spreadsheet_id: 'sheet-of-the-tests', sheet_id: 7 };
const INFO = { spreadsheet_title: 'Design tokens', sheet_title: 'Tokens', locale: 'en_US' };

let revision = 0;
const snapshot = (rows: Typed[][]): Frame => {
  revision += 1;
  return { type: 'snapshot', v: 1, position: { epoch: 'e', revision }, sheet: INFO, cells: packRows(rows) };
};
const rows = (count: number): Typed[][] => [
  ['Collection', 'Name', 'light', 'Type'],
  ...Array.from({ length: count }, (_, at): Typed[] => ['Base', { text: `gap/${String(at)}` }, at, 'FLOAT']),
];

/** Tells a sandbox whether it writes, and gives what stands in the file. */
async function elect(host: FigmaHost, yes: boolean, nonce: string, renew = false): Promise<PanelMessage> {
  host.ui.send({ type: 'writer', yes, nonce, renew });
  return host.ui.next('file');
}
const created = (host: FigmaHost): number => host.trace.filter((call) => call.call === 'variables.createVariable').length;
/** Ends the run under way, with the designer's word where the plan waits for it. */
async function ended(host: FigmaHost): Promise<void> {
  const message = await host.ui.nextRaw((raw) => ['waiting', 'applied'].includes(readEnvelope(raw)?.type ?? ''));
  const told = readEnvelope(message);
  if (told?.type !== 'waiting') return;
  host.ui.send({ type: 'approve', plan: (told['preview'] as { plan: number }).plan, include_removals: false });
  await host.ui.next('applied');
}
const names = (document: FileDocument): string[] => document.variables.map((variable) => variable.name).sort();

/** Two designers with one file that was synced before. */
async function together(): Promise<{ document: FileDocument; ana: FigmaHost; ben: FigmaHost }> {
  const document = new FileDocument();
  const ana = await openPlugin({ plan: 'enterprise', document, user: { id: '1', name: 'Ana' } });
  await openPanel(ana.ui, FLAG_ON, 'a1'.repeat(32));
  await ana.ui.next('kept');
  await firstRun(ana.ui, SHEET, snapshot(rows(2)));
  await ana.idle();
  const ben = await openPlugin({ plan: 'enterprise', document, user: { id: '2', name: 'Ben' } });
  await openPanel(ben.ui, FLAG_ON, 'b2'.repeat(32));
  const kept = await ben.ui.next('kept');
  assert.equal((kept['connection'] as { approved: boolean }).approved, true);
  return { document, ana, ben };
}

test('with one writer nothing is made twice, and whoever takes over goes on from there', async () => {
  const { document, ana, ben } = await together();
  await elect(ana, true, 'n1');
  await elect(ben, false, 'n1');

  let sheet = snapshot(rows(40));
  for (const host of [ben, ana]) handOver(host.ui, SHEET, sheet);
  assert.deepEqual((await ben.ui.next('taken'))['position'], (sheet as { position: unknown }).position);
  await ended(ana);
  await Promise.all([ana.idle(), ben.idle()]);
  assert.deepEqual([created(ana), created(ben)], [40, 0]);
  assert.deepEqual(names(document), rows(40).slice(1).map((row) => (row[1] as { text: string }).text).sort());

  // Ana is gone before she has seen the next rows.
  sheet = snapshot(rows(60));
  handOver(ben.ui, SHEET, sheet);
  await ben.ui.next('taken');
  assert.equal(document.variables.length, 40);
  await elect(ben, true, 'n2');
  await ended(ben);
  await ben.idle();

  // She comes back, follows, and writes nothing.
  await elect(ana, false, 'n2');
  handOver(ana.ui, SHEET, sheet);
  await ana.ui.next('taken');
  await ana.idle();
  assert.deepEqual([created(ana), created(ben)], [40, 20]);
  assert.equal(document.variables.length, 60);
  assert.equal(new Set(names(document)).size, 60);
  assert.deepEqual([...ana.errors, ...ben.errors], []);
  ana.dispose();
  ben.dispose();
});

test('a writer that is taken over in the middle of a run stops, and the next one ends it', async () => {
  const { document, ana, ben } = await together();
  await elect(ana, true, 'n1');
  await elect(ben, false, 'n1');
  const sheet = snapshot(rows(600));
  handOver(ben.ui, SHEET, sheet);
  await ben.ui.next('taken');
  handOver(ana.ui, SHEET, sheet);
  const { plan } = (await ana.ui.next('waiting'))['preview'] as { plan: number };
  ana.ui.send({ type: 'approve', plan, include_removals: false });
  await ana.ui.next('progress');
  const last = elect(ana, false, 'n2');
  await ana.ui.next('applied');
  await last;
  await ana.idle();
  const before = document.variables.length;
  assert.ok(before < 602, 'the run was over before it could be stopped');
  await elect(ben, true, 'n2');
  await ended(ben);
  await Promise.all([ana.idle(), ben.idle()]);
  assert.equal(document.variables.length, 600);
  assert.equal(new Set(names(document)).size, 600);
  assert.equal(created(ana) + created(ben), 600);
  ana.dispose();
  ben.dispose();
});

test('the file has one id for all who have it open, and the nonce tells its copy', async () => {
  const { document, ana, ben } = await together();
  const hers = await elect(ana, true, 'n1');
  const his = await elect(ben, false, 'n1');
  assert.equal(his['id'], hers['id']);
  assert.notEqual(his['panel'], hers['panel']);
  assert.equal(his['nonce'], 'n1');

  const copy = await openPlugin({ plan: 'enterprise', document: document.save() });
  await openPanel(copy.ui, FLAG_ON, 'c3'.repeat(32));
  await copy.ui.next('kept');
  await elect(ana, true, 'n2');
  const told = await elect(copy, false, 'n2');
  assert.deepEqual([told['id'], told['nonce']], [hers['id'], 'n1']);
  assert.equal((await elect(ben, false, 'n2'))['nonce'], 'n2');
  const renewed = await elect(copy, false, 'n2', true);
  assert.notEqual(renewed['id'], hers['id']);
  for (const host of [ana, ben, copy]) host.dispose();
});

test('before its first run is approved, a follower may look but not apply', async () => {
  const host = await openPlugin({ plan: 'enterprise' });
  await openPanel(host.ui);
  await host.ui.next('kept');
  await elect(host, false, 'n1');
  host.ui.send({ type: 'connect', sheet: SHEET });
  handOver(host.ui, SHEET, snapshot(rows(3)));
  const inferred = await host.ui.next('inferred');
  host.ui.send({ type: 'confirm_columns', columns: inferred['columns'], header_row: inferred['header_row'] });
  const preview = await host.ui.next('preview');
  host.ui.send({ type: 'approve', plan: preview['plan'], include_removals: false });
  assert.match(JSON.stringify(await host.ui.next('refused')), /Take over/);
  await host.idle();
  assert.deepEqual(host.document.variables, []);
  host.dispose();
});

test('what one panel changes of the connection the other sees, and does not write over', async () => {
  const { document, ana, ben } = await together();
  await elect(ana, true, 'n1');
  await elect(ben, false, 'n1');
  const policy = { drift: 'overwrite', conflict: 'ask' };
  ben.ui.send({ type: 'set_policy', policy });
  await ben.ui.next('connection_changed');
  ana.ui.send({ type: 'set_threshold', variables: 7 });
  const seen = (await ana.ui.next('connection_changed'))['connection'] as Record<string, unknown>;
  assert.deepEqual([seen['policy'], seen['threshold']], [policy, undefined]);
  const own = (await ana.ui.next('connection_changed'))['connection'] as Record<string, unknown>;
  assert.deepEqual([own['policy'], own['threshold']], [policy, 7]);
  ana.dispose();
  ben.dispose();

  const later = await openPlugin({ plan: 'enterprise', document, user: { id: '3', name: 'Cleo' } });
  await openPanel(later.ui, FLAG_ON, 'c3'.repeat(32));
  const kept = (await later.ui.next('kept'))['connection'] as Record<string, unknown>;
  assert.deepEqual([kept['policy'], kept['threshold']], [policy, 7]);
  later.dispose();
});
