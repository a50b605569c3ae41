/** How the plugin is opened: commands of the menu, quick actions and relaunch buttons, and the size of the panel. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { commands } from '../figma-host/manifest.ts';
import { type Manifest, ROOT } from '../figma-host/node.ts';
import { FLAG_OFF, FLAG_ON, firstRun, openPanel } from '../journey/scripted-panel.ts';
import { packRows } from '../sheets/packed.ts';
import { openPlugin } from './bundle.ts';

const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'manifest.json'), 'utf8')) as Manifest;

test('every command of the manifest opens something, and no command the panel as it is', async () => {
  const opened: Record<string, unknown> = {};
  const named = commands(MANIFEST.menu ?? []).map((entry) => entry.command ?? '');
  const relaunched = (MANIFEST.relaunchButtons ?? []).map((button) => button.command);
  for (const command of ['', ...named]) {
    const host = await openPlugin({ command, ...(command === 'find' ? { parameters: { name: 'brand/' } } : {}) });
    opened[command] = (await openPanel(host.ui, FLAG_OFF)).hello['opening'];
    host.dispose();
  }
  assert.deepEqual(opened, {
    '': undefined,
    variables: { view: 'variables', search: '' },
    find: { view: 'variables', search: 'brand/' },
    import: { view: 'import' },
    export: { view: 'export' },
    sync: { view: 'sync', now: false },
    'sync-now': { view: 'sync', now: true },
  });
  assert.deepEqual(relaunched.filter((command) => !named.includes(command)), []);
});

test('names of variables are offered while one types, and no panel is opened for it', async () => {
  const host = await openPlugin({ command: 'find' });
  host.asUser((model) => {
    const base = model.createCollection('Base');
    for (const name of ['brand/500', 'Brand/600', 'gap']) model.createVariable(name, base, 'FLOAT');
    model.createVariable('gap', model.createCollection('Other'), 'FLOAT');
  });
  assert.deepEqual(await host.type('name', ' BRAND'), ['brand/500', 'Brand/600']);
  assert.deepEqual(await host.type('name', ''), ['brand/500', 'Brand/600', 'gap']);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('a size that the designer has let go of is there at the next opening, within bounds', async () => {
  const first = await openPlugin({ user: { id: '7', name: 'Ana' } });
  await openPanel(first.ui, FLAG_OFF);
  first.ui.send({ type: 'resize', width: 500, height: 700, keep: false });
  await first.idle();
  assert.deepEqual(first.clientStorage.keys(), []);
  first.ui.send({ type: 'resize', width: 9_999, height: 100, keep: true });
  await first.idle();
  assert.deepEqual([first.ui.options?.width, first.ui.options?.height], [2_000, 240]);
  const again = await openPlugin({ clientStorage: first.clientStorage });
  assert.deepEqual([again.ui.options?.width, again.ui.options?.height], [2_000, 240]);
  assert.deepEqual((await openPanel(again.ui, FLAG_OFF)).hello['size'], [2_000, 240]);
  const broken = await openPlugin({ clientStorage: { 'sheetwire.size': '12xtall' } });
  assert.deepEqual([broken.ui.options?.width, broken.ui.options?.height], [400, 640]);
  for (const host of [first, again, broken]) host.dispose();
});

test('a connected file offers its sync beside the canvas, and a disconnected one does not', async () => {
  const host = await openPlugin();
  await openPanel(host.ui, FLAG_ON);
  await host.ui.next('kept');
  assert.deepEqual(host.relaunchData, {});
  await firstRun(host.ui, { spreadsheet_id: 'a', sheet_id: 1 }, {
    type: 'snapshot', v: 1, position: { epoch: 'e', revision: 1 }, sheet: { spreadsheet_title: 'S', sheet_title: 'T', locale: 'en_US' },
    cells: packRows([['Name', 'Light'], ['gap', 8]]),
  });
  await host.idle();
  assert.deepEqual(Object.keys(host.relaunchData), ['sync-now', 'sync']);
  host.ui.send({ type: 'disconnect' });
  await host.idle();
  assert.deepEqual(host.relaunchData, {});
  assert.deepEqual(host.errors, []);
  host.dispose();
});
