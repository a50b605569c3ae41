/**
 * Facts that need a situation no plugin can bring about by itself: another plan, Dev Mode, other people, closing.
 * They are proved of the fake host alone.
 */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { type Manifest, FileDocument, type FigmaHost, readManifest, startHost } from '../figma-host/node.ts';

/** Runs statements in the sandbox and gives what they return; what they throw is `thrown: …`. */
const RUNNER = `
  figma.showUI('<p></p>');
  const attempt = (run) => { try { return run(); } catch (error) { return 'thrown: ' + error.message; } };
`;

async function answer(host: FigmaHost): Promise<unknown> {
  return host.ui.nextRaw(() => true);
}

/** A file whose one collection has two modes and a number in each. */
function twoModes(): FileDocument {
  const file = new FileDocument();
  file.create('collection', {
    id: 'VariableCollectionId:1:100',
    key: 'c',
    name: 'Sizes',
    hiddenFromPublishing: false,
    remote: false,
    modes: [
      { modeId: '1:101', name: 'compact' },
      { modeId: '1:102', name: 'wide' },
    ],
    defaultModeId: '1:101',
    pluginData: {},
  });
  file.create('variable', {
    id: 'VariableID:1:103',
    key: 'v',
    name: 'gap',
    description: '',
    hiddenFromPublishing: false,
    remote: false,
    collectionId: 'VariableCollectionId:1:100',
    resolvedType: 'FLOAT',
    scopes: ['ALL_SCOPES'],
    codeSyntax: {},
    valuesByMode: { '1:101': 4, '1:102': 8, '1:99': 12 },
    pluginData: {},
  });
  return file;
}

for (const [plan, limit] of [
  ['starter', 1],
  ['professional', 10],
  ['organization', 20],
  ['enterprise', 40],
] as const) {
  test(`a file on the ${plan} plan has ${String(limit)} modes a collection`, async () => {
    const host = await startHost({
      plan,
      code: `${RUNNER}
        const made = figma.variables.createVariableCollection('Modes');
        let at = 1;
        let text = '';
        while (text === '') text = String(attempt(() => { made.addMode('mode ' + (at += 1)); return ''; }));
        figma.ui.postMessage([made.modes.length, text]);
      `,
    });
    assert.deepEqual(await answer(host), [limit, `thrown: in addMode: Limited to ${String(limit)} modes only`]);
  });
}

test('modes beyond the limit of a smaller plan are read and not written', async () => {
  const host = await startHost({
    plan: 'starter',
    document: twoModes(),
    code: `${RUNNER}
      figma.variables.getVariableByIdAsync('VariableID:1:103').then((gap) => figma.ui.postMessage([
        gap.valuesByMode['1:102'],
        attempt(() => gap.setValueForMode('1:102', 9)),
        attempt(() => gap.setValueForMode('1:101', 5)),
        gap.valuesByMode['1:101'],
      ]));
    `,
  });
  const text = 'thrown: in setValueForMode: cannot modify modes beyond limit of 1';
  assert.deepEqual(await answer(host), [8, text, undefined, 5]);
});

test('valuesByMode has ghosts: modes that the collection no longer has', async () => {
  const host = await startHost({
    document: twoModes(),
    code: `${RUNNER}
      (async () => {
        const [sizes] = await figma.variables.getLocalVariableCollectionsAsync();
        const [gap] = await figma.variables.getLocalVariablesAsync();
        sizes.removeMode('1:101');
        figma.ui.postMessage([sizes.modes.map((mode) => mode.modeId), sizes.defaultModeId, Object.keys(gap.valuesByMode).sort(),
          attempt(() => gap.setValueForMode('1:99', 1)).startsWith('thrown')]);
      })();
    `,
  });
  assert.deepEqual(await answer(host), [['1:102'], '1:102', ['1:101', '1:102', '1:99'], true]);
});

for (const [name, options] of [
  ['Dev Mode', { editorType: 'dev' }],
  ['a viewer', { mayEdit: false }],
] as const) {
  test(`${name} reads and can not write`, async () => {
    const host = await startHost({
      ...options,
      document: twoModes(),
      code: `${RUNNER}
        (async () => {
          const [sizes] = await figma.variables.getLocalVariableCollectionsAsync();
          const [gap] = await figma.variables.getLocalVariablesAsync();
          figma.ui.postMessage([figma.editorType, gap.valuesByMode['1:101'], [
            () => figma.variables.createVariableCollection('x'),
            () => figma.variables.createVariable('x', sizes, 'FLOAT'),
            () => gap.setValueForMode('1:101', 1),
            () => { gap.name = 'x'; },
            () => { gap.scopes = []; },
            () => gap.setPluginData('a', 'b'),
            () => figma.root.setPluginData('a', 'b'),
            () => sizes.addMode('x'),
            () => gap.remove(),
          ].map((run) => String(attempt(run)).startsWith('thrown'))]);
        })();
      `,
    });
    const before = host.document.save();
    const [editor, value, thrown] = (await answer(host)) as [string, number, boolean[]];
    assert.equal(editor, name === 'Dev Mode' ? 'dev' : 'figma');
    assert.equal(value, 4);
    assert.ok(thrown.every(Boolean), thrown.join(' '));
    assert.deepEqual(host.document.save(), before);
  });
}

test('the current user needs its permission, may be nobody, and may have no id', async () => {
  const code = `${RUNNER} figma.ui.postMessage(attempt(() => figma.currentUser && [figma.currentUser.id, figma.currentUser.name]));`;
  const manifest: Manifest = { ...readManifest(), permissions: [] };
  const user = { id: '42', name: 'Ana' };
  assert.match(String(await answer(await startHost({ code, user, manifest }))), /^thrown: in get_currentUser/);
  assert.equal(await answer(await startHost({ code, user: null })), null);
  assert.deepEqual(await answer(await startHost({ code, user: { id: null, name: 'Anonymous' } })), [null, 'Anonymous']);
  assert.deepEqual(await answer(await startHost({ code, user })), ['42', 'Ana']);
});

test('closing runs close listeners and nothing after them, and then the API throws', async () => {
  const host = await startHost({
    document: twoModes(),
    code: `${RUNNER}
      figma.on('close', () => {
        console.log('close');
        Promise.resolve().then(() => console.log('after close'));
        setTimeout(() => console.log('timer after close'), 0);
      });
      figma.ui.onmessage = async () => {
        setTimeout(() => console.log('old timer'), 0);
        const [gap] = await figma.variables.getLocalVariablesAsync();
        figma.closePlugin('Bye');
        console.log(attempt(() => gap.setValueForMode('1:101', 1)).startsWith('thrown'));
        console.log(attempt(() => figma.ui.postMessage(1)).startsWith('thrown'));
        console.log(attempt(() => figma.notify('x')).startsWith('thrown'));
        await figma.variables.getLocalVariablesAsync();
        console.log('went on');
      };
    `,
  });
  host.ui.sendRaw('go');
  await host.idle();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(host.logged, ['close', 'true', 'true', 'true']);
  assert.equal(host.closed, true);
  assert.equal(host.ui.state, 'closed');
  assert.deepEqual(host.document.variables[0]?.valuesByMode['1:101'], 4);
});

test('a hidden panel goes on running', async () => {
  const host = await startHost({
    code: `${RUNNER} figma.ui.hide(); figma.ui.onmessage = (message) => figma.ui.postMessage(message + 1);`,
  });
  assert.equal(host.ui.state, 'hidden');
  host.ui.sendRaw(1);
  assert.equal(await answer(host), 2);
});

test('the panel can not be used before it is shown', async () => {
  const host = await startHost({
    code: `try { figma.ui.postMessage(1); } catch (error) { console.log('thrown'); }`,
  });
  assert.deepEqual(host.logged, ['thrown']);
});

test('the run event brings the command', async () => {
  const host = await startHost({
    command: 'sync-now',
    code: `figma.on('run', ({ command }) => console.log(command + ' ' + figma.command));`,
  });
  assert.deepEqual(host.logged, ['sync-now sync-now']);
});

test('code is never made from text', async () => {
  const host = await startHost({
    code: `${RUNNER} figma.ui.postMessage([
      typeof eval,
      attempt(() => new Function('return 1')()),
      attempt(() => (() => {}).constructor('return 1')()),
      attempt(() => (async () => {}).constructor('return 1')()),
      (() => {}) instanceof Function,
    ]);`,
  });
  const refused = 'thrown: Code generation from strings is not allowed';
  assert.deepEqual(await answer(host), ['undefined', refused, refused, refused, true]);
});

test('a variable of a library is imported by its key and can not be written', async () => {
  const library = twoModes().save();
  const file = new FileDocument().save();
  file.libraries.push({ name: 'Base', collections: library.collections, variables: library.variables });
  const host = await startHost({
    document: file,
    code: `${RUNNER}
      (async () => {
        const gap = await figma.variables.importVariableByKeyAsync('v');
        const local = await figma.variables.getLocalVariablesAsync();
        const [listed] = await figma.teamLibrary.getAvailableLibraryVariableCollectionsAsync();
        const made = figma.variables.createVariableCollection('Own');
        const own = figma.variables.createVariable('own', made, 'FLOAT');
        own.setValueForMode(made.defaultModeId, figma.variables.createVariableAlias(gap));
        figma.ui.postMessage([gap.name, gap.remote, local.length, listed.libraryName,
          String(attempt(() => gap.setValueForMode('1:101', 1))).startsWith('thrown')]);
      })();
    `,
  });
  assert.deepEqual(await answer(host), ['gap', true, 0, 'Base', true]);
});

test('fetch reaches what the manifest allows and nothing else', async () => {
  const server = createServer((request, reply) => reply.end(JSON.stringify({ path: request.url })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${String((server.address() as AddressInfo).port)}`;
  const manifest = readManifest();
  const host = await startHost({
    manifest: {
      ...manifest,
      networkAccess: { allowedDomains: ['none'], devAllowedDomains: [origin], reasoning: 'a test' },
    },
    code: `${RUNNER}
      (async () => {
        const reply = await fetch('${origin}/flags');
        const refused = await fetch('https://example.com/').catch((error) => 'refused');
        figma.ui.postMessage([reply.status, await reply.json(), typeof Response, refused]);
      })();
    `,
  });
  assert.deepEqual(await answer(host), [200, { path: '/flags' }, 'undefined', 'refused']);
  server.close();
});

test('a clientStorage that fails rejects and breaks nothing else', async () => {
  const host = await startHost({
    clientStorage: { kept: { list: [1] } },
    code: `${RUNNER}
      figma.ui.onmessage = async () => figma.ui.postMessage(await figma.clientStorage.getAsync('kept').catch(() => 'rejected'));
    `,
  });
  host.ui.sendRaw(1);
  assert.deepEqual(await answer(host), { list: [1] });
  host.clientStorage.failure = 'The disk is full';
  host.ui.sendRaw(1);
  assert.equal(await answer(host), 'rejected');
});

test("undo is the user's own: other people's edits stay", async () => {
  const host = await startHost({
    document: twoModes(),
    code: `${RUNNER} figma.variables.getLocalVariablesAsync().then(([gap]) => {
      gap.setValueForMode('1:101', 5);
      figma.commitUndo();
      figma.ui.postMessage(1);
    });`,
  });
  await answer(host);
  host.asOther((others) => others.setValueForMode('VariableID:1:103', '1:102', 9));
  host.undo();
  const values = host.document.variables[0]?.valuesByMode;
  assert.deepEqual([values?.['1:101'], values?.['1:102']], [4, 9]);
});

test('layers are seen when their page is loaded, and keep the binding of a removed variable', async () => {
  const document = twoModes();
  const layer = { shape: 'frame', modes: {}, content: {} };
  document.addLayers([
    { ...layer, id: '2:1', name: 'Card', bindings: { width: 'VariableID:1:103' } },
    { ...layer, id: '2:2', name: 'Sheet', page: 'Archive', bindings: { fill: 'VariableID:1:103', stroke: 'VariableID:9:9' } },
  ]);
  const host = await startHost({
    document,
    code: `${RUNNER} (async () => {
      const [first, second] = figma.root.children;
      const early = attempt(() => second.children.length);
      await second.loadAsync();
      const seen = () => [first, second].flatMap((page) => page.children.map((layer) => [page.name, layer.name, layer.boundVariables]));
      const before = seen();
      (await figma.variables.getVariableByIdAsync('VariableID:1:103')).remove();
      figma.ui.postMessage([early, before, JSON.stringify(seen()) === JSON.stringify(before)]);
    })();`,
  });
  const alias = (id: string) => ({ type: 'VARIABLE_ALIAS', id });
  const [early, before, same] = (await answer(host)) as [string, unknown, boolean];
  assert.match(early, /has not been explicitly loaded/);
  assert.deepEqual(before, [
    ['Page 1', 'Card', { width: alias('VariableID:1:103') }],
    ['Archive', 'Sheet', { fills: [alias('VariableID:1:103')], strokes: [alias('VariableID:9:9')] }],
  ]);
  assert.equal(same, true);
});

test('a collection tells whether it is published', async () => {
  const stored = twoModes().save();
  const [first] = stored.collections;
  assert.ok(first);
  stored.collections.push({ ...first, id: 'VariableCollectionId:1:200', published: true });
  const host = await startHost({
    document: new FileDocument(stored),
    code: `${RUNNER} figma.variables.getLocalVariableCollectionsAsync()
      .then((all) => Promise.all(all.map((each) => each.getPublishStatusAsync())))
      .then((all) => figma.ui.postMessage(all));`,
  });
  assert.deepEqual(await answer(host), ['UNPUBLISHED', 'CURRENT']);
});
