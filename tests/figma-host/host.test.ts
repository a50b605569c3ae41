/** The host itself: a plugin's life, messages, tasks, undo, saving. The facts about Figma are in tests/contract. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FileDocument, REPORTED, startHost } from './node.ts';

const ECHO = `
  figma.showUI(__html__, { width: 320, height: 480, themeColors: true });
  figma.ui.onmessage = (message) => figma.ui.postMessage({ v: 1, body: message.body, bulk: message.bulk });
`;

test('a plugin shows its panel and messages go both ways', async () => {
  const host = await startHost({ code: ECHO, html: '<p>panel</p>' });
  assert.equal(host.ui.html, '<p>panel</p>');
  assert.deepEqual(host.ui.options, { visible: true, title: 'Sheetwire', width: 320, height: 480, themeColors: true });
  host.ui.send({ type: 'hello', text: 'naïve 🎨 \u0000 \ud800 end' }, 'bulk \u001e\u001f \u0000 \ud800 end');
  const reply = await host.ui.nextRaw(() => true);
  assert.deepEqual(reply, {
    v: 1,
    body: JSON.stringify({ type: 'hello', text: 'naïve 🎨 \u0000 \ud800 end' }),
    bulk: 'bulk \u001e\u001f \u0000 \ud800 end',
  });
  host.dispose();
});

test('variables are made, read and kept in the document', async () => {
  const host = await startHost({
    code: `
      const collection = figma.variables.createVariableCollection('Colours');
      const variable = figma.variables.createVariable('brand/500', collection, 'COLOR');
      variable.setValueForMode(collection.modes[0].modeId, { r: 0.1, g: 0.2, b: 0.3 });
      figma.showUI('');
      figma.variables.getLocalVariablesAsync('COLOR').then(([first]) =>
        figma.ui.postMessage({ name: first.name, values: first.valuesByMode, ids: collection.variableIds }));
    `,
  });
  const reply = (await host.ui.nextRaw(() => true)) as { name: string };
  assert.equal(reply.name, 'brand/500');
  const saved = host.document.save();
  assert.equal(saved.variables.length, 1);
  const stored = Object.values(saved.variables[0]?.valuesByMode ?? {});
  assert.deepEqual(stored, [{ r: Math.fround(0.1), g: Math.fround(0.2), b: Math.fround(0.3), a: 1 }]);
  assert.deepEqual(new FileDocument(saved).save(), saved);
  assert.deepEqual(
    host.trace.map((call) => call.call).filter((call) => call.startsWith('variables.create')),
    ['variables.createVariableCollection', 'variables.createVariable'],
  );
  host.dispose();
});

test('costs are charged to the clock and make long slices', async () => {
  const host = await startHost({
    code: `
      const collection = figma.variables.createVariableCollection('Numbers');
      const before = Date.now();
      for (let at = 0; at < 200; at += 1) figma.variables.createVariable('number ' + at, collection, 'FLOAT');
      figma.showUI('');
      figma.ui.postMessage(Date.now() - before);
    `,
    costs: REPORTED,
    charge: 'clock',
  });
  const passed_ms = (await host.ui.nextRaw(() => true)) as number;
  assert.ok(passed_ms >= 100, `the sandbox saw ${String(passed_ms)} ms pass`);
  assert.ok(host.slices.longest_ms >= 100);
  assert.equal(host.slices.longest_task, 'start');
  assert.ok(host.memory().used_bytes > 0);
  host.dispose();
});

test('a timer ends a slice, an await of a document call does not', async () => {
  const host = await startHost({
    code: `
      figma.showUI('');
      (async () => {
        for (let at = 0; at < 5; at += 1) await figma.variables.getLocalVariablesAsync();
        await new Promise((resolve) => setTimeout(resolve, 0));
        figma.ui.postMessage('done');
      })();
    `,
  });
  await host.ui.nextRaw((message) => message === 'done');
  assert.equal(host.slices.count, 3, 'start, run, timer');
  host.dispose();
});

test("other people's edits come in between two awaits", async () => {
  const host = await startHost({
    code: `
      figma.showUI('');
      const collection = figma.variables.createVariableCollection('Shared');
      const variable = figma.variables.createVariable('gone', collection, 'FLOAT');
      figma.ui.onmessage = async () => {
        const found = await figma.variables.getVariableByIdAsync(variable.id);
        const again = await figma.variables.getVariableByIdAsync(variable.id);
        let thrown = '';
        try { found.setValueForMode(collection.modes[0].modeId, 1); } catch (error) { thrown = error.message; }
        figma.ui.postMessage({ found: found !== null, again: again !== null, thrown: thrown !== '' });
      };
    `,
  });
  host.atAwait(2, (others) => others.removeVariable(host.document.variables[0]?.id ?? ''));
  host.ui.sendRaw('go');
  assert.deepEqual(await host.ui.nextRaw(() => true), { found: true, again: false, thrown: true });
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('undo takes values and plugin data back together, and redo does them again', async () => {
  const host = await startHost({
    code: `
      figma.showUI('');
      const collection = figma.variables.createVariableCollection('Steps');
      const variable = figma.variables.createVariable('size', collection, 'FLOAT');
      const mode = collection.modes[0].modeId;
      figma.commitUndo();
      variable.setValueForMode(mode, 4);
      variable.setPluginData('base', 'four');
      figma.root.setPluginData('last', 'run 1');
      figma.commitUndo();
    `,
  });
  const value = () => Object.values(host.document.variables[0]?.valuesByMode ?? {})[0];
  assert.equal(value(), 4);
  assert.equal(host.undo(), 3);
  assert.equal(value(), 0);
  assert.deepEqual(host.document.variables[0]?.pluginData, {});
  assert.deepEqual(host.document.rootPluginData, {});
  host.redo();
  assert.equal(value(), 4);
  assert.equal(host.document.variables[0]?.pluginData['base'], 'four');
  host.undo();
  host.undo();
  assert.equal(host.document.variables.length, 0);
  assert.equal(host.document.collections.length, 0);
  host.dispose();
});

test('an error in the plugin is told and the plugin goes on', async () => {
  const host = await startHost({
    code: `
      figma.showUI('');
      figma.ui.onmessage = (message) => { if (message === 'bad') throw new Error('broken'); figma.ui.postMessage(message); };
    `,
  });
  host.ui.sendRaw('bad');
  host.ui.sendRaw('good');
  assert.equal(await host.ui.nextRaw(() => true), 'good');
  assert.match(host.errors[0] ?? '', /broken/);
  host.dispose();
});

test('a manifest that Figma would refuse is refused', async () => {
  const manifest = {
    name: 'Bad',
    api: '1.0.0',
    main: 'code.js',
    editorType: ['figma'],
    networkAccess: { allowedDomains: [], devAllowedDomains: ['ws://127.0.0.1:8787'], reasoning: 'x' },
  };
  await assert.rejects(startHost({ code: '', manifest }), /dynamic-page[^]*\["none"\][^]*IP address/);
});
