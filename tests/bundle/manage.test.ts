/** The variable manager's part of the sandbox, in a real QuickJS: the list of variables, libraries, copies of collections. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { FigmaHost } from '../figma-host/node.ts';
import type { VariableModel } from '../figma-host/model.ts';
import { FLAG_OFF, FLAG_ON, openPanel } from '../journey/scripted-panel.ts';
import { type Variant, openPlugin } from './bundle.ts';

interface Listed {
  collections: { id: string; name: string; modes: string[]; hidden: boolean; extended: boolean; library_key?: string }[];
  variables: { id: string; name: string; type: string; collection: number; values: unknown[]; description: string; scopes: string[]; code: Record<string, string>; hidden: boolean }[];
  partial: boolean;
}

async function list(host: FigmaHost): Promise<Listed> {
  host.ui.send({ type: 'list_variables' });
  return JSON.parse(String((await host.ui.next('variables'))['bulk'])) as Listed;
}

type Told = { told: string } & Record<string, unknown>;

/** What the manager tells until one of these. */
async function until(host: FigmaHost, ends: string[]): Promise<Told[]> {
  const heard: Told[] = [];
  for (;;) {
    const { told } = (await host.ui.next('manage')) as unknown as { told: Told };
    heard.push(told);
    if (ends.includes(told.told)) return heard;
  }
}

/** A collection with every type, references in and out, and every field. */
function theme(host: FigmaHost): string {
  let id = '';
  host.asUser((model: VariableModel) => {
    const base = model.createCollection('Base');
    const own = host.document.collection(base)?.modes[0]?.modeId ?? '';
    const blue = model.createVariable('blue/5', base, 'COLOR');
    model.setValueForMode(blue, own, { r: 9 / 255, g: 105 / 255, b: 218 / 255, a: 0.5 });
    id = model.createCollection('Theme');
    const light = host.document.collection(id)?.modes[0]?.modeId ?? '';
    model.renameMode(id, light, 'Light');
    const dark = model.addMode(id, 'Dark');
    const link = model.createVariable('link', id, 'COLOR');
    model.setValueForMode(link, light, { type: 'VARIABLE_ALIAS', id: blue });
    model.setValueForMode(link, dark, { r: 1, g: 1, b: 1, a: 1 });
    model.setVariable('', link, 'description', 'Links and “buttons”');
    model.setScopes(link, ['TEXT_FILL', 'STROKE_COLOR']);
    model.setCodeSyntax(link, 'WEB', 'var(--link)');
    model.setCodeSyntax(link, 'iOS', 'Color.link');
    model.setVariable('', link, 'hiddenFromPublishing', true);
    const hover = model.createVariable('link/hover', id, 'COLOR');
    model.setValueForMode(hover, light, { color: { type: 'VARIABLE_ALIAS', id: link }, opacity: 50 });
    model.setValueForMode(hover, dark, { type: 'VARIABLE_ALIAS', id: link });
    model.setValueForMode(model.createVariable('gap', id, 'FLOAT'), light, 12.5);
    model.setValueForMode(model.createVariable('label', id, 'STRING'), light, 'Save\u001f"now"');
    model.setValueForMode(model.createVariable('on', id, 'BOOLEAN'), light, true);
    model.setCollection('', id, 'hiddenFromPublishing', true);
  });
  return id;
}

test('the file is listed with modes, values, references, scopes, code syntax, descriptions and hiding', async () => {
  const host = await openPlugin();
  const id = theme(host);
  await openPanel(host.ui, FLAG_OFF);
  const { collections, variables, partial } = await list(host);
  assert.equal(partial, false);
  assert.deepEqual(collections.map(({ name, modes, hidden, extended }) => [name, modes, hidden, extended]), [
    ['Base', ['Mode 1'], false, false],
    ['Theme', ['Light', 'Dark'], true, false],
  ]);
  assert.equal(collections[1]?.id, id);
  const link = variables.find(({ name }) => name === 'link');
  const blue = variables.find(({ name }) => name === 'blue/5');
  assert.deepEqual(link?.values, [{ type: 'VARIABLE_ALIAS', id: blue?.id }, { r: 1, g: 1, b: 1, a: 1 }]);
  assert.deepEqual(
    { ...link, id: '', values: [] },
    {
      id: '', name: 'link', type: 'COLOR', collection: 1, values: [], description: 'Links and “buttons”',
      scopes: ['TEXT_FILL', 'STROKE_COLOR'], code: { WEB: 'var(--link)', iOS: 'Color.link' }, hidden: true,
    },
  );
  assert.deepEqual(variables.find(({ name }) => name === 'label')?.values[0], 'Save\u001f"now"');
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('a variable that somebody removes during the reading is left out, and nothing fails', async () => {
  const host = await openPlugin();
  const made: string[] = [];
  host.asUser((model) => {
    const base = model.createCollection('Base');
    for (const name of ['one', 'two', 'three']) made.push(model.createVariable(name, base, 'FLOAT'));
  });
  await openPanel(host.ui, FLAG_OFF);
  host.atAwait(2, (others) => { others.removeVariable(made[1] ?? ''); });
  assert.deepEqual((await list(host)).variables.map(({ name }) => name), ['one', 'three']);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('a large file is read in slices', async () => {
  const host = await openPlugin();
  host.asUser((model) => {
    const base = model.createCollection('Base');
    for (let at = 0; at < 2_000; at += 1) model.createVariable(`group-${String(at % 40)}/number-${String(at)}`, base, 'FLOAT');
  });
  await openPanel(host.ui, FLAG_OFF);
  const before = host.slices.count;
  assert.equal((await list(host)).variables.length, 2_000);
  assert.ok(host.slices.count - before > 3, `it took ${String(host.slices.count - before)} slices`);
  host.dispose();
});

/** What a collection holds, by names instead of ids. */
function held(host: FigmaHost, name: string): unknown {
  const all = host.document.collections;
  const collection = all.find((each) => each.name === name);
  const named = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const { type, id } = value as { type?: string; id?: string };
    if (type === 'VARIABLE_ALIAS') {
      const target = host.document.variable(String(id));
      return `{${all.find((each) => each.id === target?.collectionId)?.name ?? ''}:${target?.name ?? ''}}`;
    }
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, named(part)]));
  };
  return {
    modes: collection?.modes.map((mode) => mode.name),
    hidden: collection?.hiddenFromPublishing,
    variables: host.document.variables.filter((each) => each.collectionId === collection?.id).map((variable) => ({
      name: variable.name, type: variable.resolvedType, description: variable.description, scopes: variable.scopes,
      code: variable.codeSyntax, hidden: variable.hiddenFromPublishing,
      values: collection?.modes.map((mode) => named(variable.valuesByMode[mode.modeId])),
    })),
  };
}

for (const variant of ['sync', 'without-sync'] as const satisfies readonly Variant[]) {
  test(`a copy has everything, its aliases point inside it, and it is one undo step (${variant})`, async () => {
    const host = await openPlugin({ plan: 'professional' }, variant);
    const id = theme(host);
    await openPanel(host.ui, variant === 'sync' ? FLAG_ON : FLAG_OFF);
    const before = held(host, 'Theme');
    host.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: id, name: 'Theme copy' } });
    const told = await until(host, ['copied', 'not_copied']);
    assert.deepEqual(told.at(-1), { told: 'copied', name: 'Theme copy', variables: 5, unset: 0, why: null });
    assert.ok(told.some((each) => each.told === 'copying' && each['total'] === 10));
    assert.deepEqual(held(host, 'Theme copy'), JSON.parse(JSON.stringify(before).replaceAll('{Theme:', '{Theme copy:')));
    assert.deepEqual(held(host, 'Theme'), before);
    host.undo();
    assert.deepEqual(host.document.collections.map(({ name }) => name), ['Base', 'Theme']);
    assert.equal(host.document.variables.length, 6);
    host.dispose();
  });
}

test('a copy that Figma’s plan does not allow leaves nothing', async () => {
  const host = await openPlugin({ plan: 'professional' });
  const id = theme(host);
  const saved = host.document.save();
  host.dispose();
  const lower = await openPlugin({ plan: 'starter', document: saved });
  await openPanel(lower.ui, FLAG_OFF);
  lower.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: id, name: 'Theme copy' } });
  assert.deepEqual((await until(lower, ['copied', 'not_copied'])).at(-1), {
    told: 'not_copied', why: 'in addMode: Limited to 1 modes only', left: null,
  });
  assert.deepEqual(lower.document.collections.map(({ name }) => name), ['Base', 'Theme']);
  lower.dispose();
});

test('a copy that is stopped leaves nothing, and says so', async () => {
  const host = await openPlugin();
  let id = '';
  host.asUser((model) => {
    id = model.createCollection('Base');
    for (let at = 0; at < 1_000; at += 1) model.createVariable(`number-${String(at)}`, id, 'FLOAT');
  });
  await openPanel(host.ui, FLAG_OFF);
  host.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: id, name: 'Copy' } });
  await until(host, ['copying']);
  host.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: id, name: 'Another' } });
  host.ui.send({ type: 'manage', ask: { ask: 'stop' } });
  assert.equal((await host.ui.next('refused'))['message'], 'A collection is being copied.');
  assert.deepEqual((await until(host, ['copied', 'not_copied'])).at(-1), { told: 'not_copied', why: null, left: null });
  assert.deepEqual(host.document.collections.map(({ name }) => name), ['Base']);
  assert.equal(host.document.variables.length, 1_000);
  // The next copy begins from nothing.
  host.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: id, name: 'Copy' } });
  assert.equal((await until(host, ['copied', 'not_copied'])).at(-1)?.['variables'], 1_000);
  host.dispose();
});

test('a value that Figma refuses is told and costs nothing else', async () => {
  const host = await openPlugin();
  const id = theme(host);
  await openPanel(host.ui, FLAG_OFF);
  const blue = host.document.variables.find(({ name }) => name === 'blue/5')?.id ?? '';
  host.asOther((model) => { model.removeVariable(blue); });
  host.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: id, name: 'Theme copy' } });
  const end = (await until(host, ['copied', 'not_copied'])).at(-1);
  assert.equal(end?.told, 'copied');
  assert.equal(end['unset'], 1);
  assert.match(String(end['why']), /setValueForMode/);
  host.dispose();
});

test('what can’t be copied is refused with the reason: gone, extended, a file for looking', async () => {
  const host = await openPlugin();
  const id = theme(host);
  const saved = host.document.save();
  await openPanel(host.ui, FLAG_OFF);
  host.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: 'VariableCollectionId:9:9', name: 'Copy' } });
  assert.match(String((await until(host, ['not_copied'])).at(-1)?.['why']), /removed/);
  host.dispose();

  const viewer = await openPlugin({ document: saved, mayEdit: false });
  const { hello } = await openPanel(viewer.ui, FLAG_OFF);
  assert.equal(hello['read_only'], true);
  viewer.ui.send({ type: 'manage', ask: { ask: 'duplicate', collection: id, name: 'Copy' } });
  const end = (await until(viewer, ['not_copied'])).at(-1);
  assert.equal(end?.['left'], null);
  assert.equal(viewer.document.collections.length, 2);
  viewer.dispose();
});
