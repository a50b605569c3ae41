/** The sandbox program's side of the panel wire, in a real QuickJS: opening, browsing, and what can't be taken. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readEnvelope } from '../figma-host/panel.ts';
import { FLAG_OFF, openPanel } from '../journey/scripted-panel.ts';
import { goldens, openPlugin } from './bundle.ts';

test('opening says who and where, without saying who', async () => {
  const host = await openPlugin({ user: { id: '1234567890', name: 'Ana' } });
  const { hello } = await openPanel(host.ui, FLAG_OFF);
  assert.match(String(hello['targeting_key']), /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(hello).includes('1234567890'));
  assert.equal(hello['file_name'], host.document.name);
  assert.equal(hello['read_only'], false);
  assert.deepEqual(host.errors, []);
  host.dispose();
});

test('one user has one targeting key, and another user another', async () => {
  const keys: unknown[] = [];
  for (const id of ['1', '1', '2']) {
    const host = await openPlugin({ user: { id, name: 'Ana' } });
    keys.push((await openPanel(host.ui, FLAG_OFF)).hello['targeting_key']);
    host.dispose();
  }
  assert.equal(keys[0], keys[1]);
  assert.notEqual(keys[0], keys[2]);
});

test('a user without an id keeps a random one', async () => {
  const storage = {};
  const first = await openPlugin({ user: { id: null, name: 'Ana' }, clientStorage: storage });
  const { hello } = await openPanel(first.ui, FLAG_OFF);
  const again = await openPlugin({ user: { id: null, name: 'Ana' }, clientStorage: first.clientStorage });
  again.ui.send({ type: 'ready', entropy: 'ff'.repeat(32) });
  assert.equal((await again.ui.next('hello'))['targeting_key'], hello['targeting_key']);
  first.dispose();
  again.dispose();
});

test('Dev Mode is told to be read-only', async () => {
  const host = await openPlugin({ editorType: 'dev' });
  const { hello } = await openPanel(host.ui, FLAG_OFF);
  assert.equal(hello['read_only'], true);
  host.dispose();
});

test('with the flag off the calls to Figma are those of a build without the feature', async () => {
  const traces: unknown[] = [];
  for (const variant of ['sync', 'without-sync'] as const) {
    const host = await openPlugin({ user: { id: '7', name: 'Ana' } }, variant);
    const { decision } = await openPanel(host.ui, FLAG_OFF);
    assert.notEqual(decision, 'on');
    host.ui.send({ type: 'list_variables' });
    await host.ui.next('variables');
    await host.idle();
    traces.push(host.trace.filter((call) => call.call !== 'ui.postMessage').map((call) => [call.call, ...call.args.slice(0, 1)]));
    assert.deepEqual(host.clientStorage.keys(), []);
    host.dispose();
  }
  assert.deepEqual(traces[0], traces[1]);
});

test('every golden message is read, and those of the feature are refused while it is off', async () => {
  for (const [name, message] of goldens('to-sandbox.json')) {
    if (message.type === 'close') continue;
    const host = await openPlugin();
    await openPanel(host.ui, FLAG_OFF);
    host.ui.send(message);
    await host.idle();
    const refused = host.ui.messages.map(readEnvelope).filter((answer) => answer?.type === 'refused');
    for (const answer of refused) assert.doesNotMatch(String(answer?.['message']), /could not be read/, name);
    assert.deepEqual(host.errors, [], name);
    host.dispose();
  }
});

test('messages that are none are refused with a remedy, and the next one is taken', async () => {
  const host = await openPlugin();
  await openPanel(host.ui, FLAG_OFF);
  const nonsense: unknown[] = [
    { v: 2, body: '{"type":"list_variables"}' },
    { v: 1, body: 'no JSON' },
    { v: 1, body: '{"type":"dance"}' },
    { v: 1, body: '{"type":"resize","width":-1,"height":"tall"}' },
    { v: 1, body: '[]' },
    { body: '{"type":"list_variables"}' },
    'a text',
    null,
    7,
  ];
  for (const message of nonsense) {
    host.ui.sendRaw(message);
    const answer = await host.ui.next('refused');
    assert.ok(String(answer['remedy']).length > 0, JSON.stringify(message));
  }
  host.ui.send({ type: 'list_variables' });
  await host.ui.next('variables');
  assert.deepEqual(host.errors, []);
  host.dispose();
});
