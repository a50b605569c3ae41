/** The built plugin, both programs, opening in Chromium while the flag is off: usable at once, one request, nothing else. */

import assert from 'node:assert/strict';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Frame } from 'playwright-core';

import { FileDocument } from '../figma-host/node.ts';
import { VariableModel } from '../figma-host/model.ts';
import type { Wire } from '../journey/network.ts';
import { DIST, DIST_UI_SCRIPT, buildPages, launch } from './chromium.ts';
import type { PanelPlugin } from './panel-page.ts';
import { openPlugin } from './plugin.ts';

/** Variables of the file that is opened. */
const VARIABLES = 1_000;
/** How long the wire is watched for requests that should not come, in milliseconds. */
const WATCH_MS = 1_500;

let browser: Browser;
before(async () => {
  buildPages();
  browser = await launch();
});
after(() => browser.close());

function file(): FileDocument {
  const document = new FileDocument();
  const model = new VariableModel(document, { plan: 'organization', mayEdit: true, record: () => undefined });
  const brand = model.createCollection('Brand');
  const light = document.collection(brand)?.modes[0]?.modeId ?? '';
  model.renameMode(brand, light, 'Light');
  const dark = model.addMode(brand, 'Dark');
  for (let at = 0; at < VARIABLES; at += 1) {
    const variable = model.createVariable(`color/tone-${String(at)}`, brand, 'COLOR');
    const level = (at % 256) / 255;
    model.setValueForMode(variable, light, { r: level, g: 0.4, b: 1 - level, a: at % 3 === 0 ? 0.4 : 1 });
    model.setValueForMode(variable, dark, { r: 1 - level, g: 0.6, b: level, a: 1 });
  }
  return document;
}

const open = (t: TestContext, wire: Wire, dist = DIST, theme: PanelPlugin['theme'] = 'light') =>
  openPlugin(t, browser, { wire, dist, theme, document: file().save() });

/** The panel is usable: the variables are there and the search answers. */
async function usable(frame: Frame): Promise<void> {
  await frame.waitForSelector('.line.variable');
  await frame.fill('input[type=search]', 'tone-999');
  await frame.waitForFunction(() => document.querySelectorAll('.line.variable').length === 1);
  assert.match(await frame.innerText('.line.variable'), /tone-999/);
  await frame.fill('input[type=search]', '');
}

for (const [kind, dist] of [['WebAssembly', DIST], ['a script, where the host refuses WebAssembly', DIST_UI_SCRIPT]] as const) {
  test(`as ${kind}: the file is listed, the tab says why it is off, and one evaluation is asked for`, async (t) => {
    const { page, frame, errors, network } = await open(t, 'up', dist);
    await usable(frame);
    await frame.click('#tab-sync');
    assert.match(await frame.innerText('#panel-sync'), /Not switched on for you yet/);
    await frame.press('#tab-sync', 'ArrowRight');
    assert.equal(await frame.getAttribute('#tab-variables', 'aria-selected'), 'true');
    assert.equal(await frame.evaluate(() => document.activeElement?.id), 'tab-variables');
    await page.waitForTimeout(WATCH_MS);
    assert.deepEqual(network.requests.filter((line) => !line.startsWith('OPTIONS')), ['POST /ofrep/v1/evaluate/flags']);
    assert.deepEqual(errors, []);
  });
}

for (const wire of ['down', 'stalled', 'nonsense'] as const) {
  test(`a relay that is ${wire} changes nothing in the panel`, async (t) => {
    const { page, frame, errors } = await open(t, wire);
    await usable(frame);
    await page.waitForTimeout(WATCH_MS);
    await usable(frame);
    await frame.click('#tab-sync');
    assert.match(await frame.innerText('#panel-sync'), /Not switched on for you yet/);
    assert.equal(await frame.isHidden('.notice'), true);
    assert.deepEqual(errors, []);
  });
}

test('both themes have their colours, and only the rows in view are drawn', async (t) => {
  const seen: string[] = [];
  for (const theme of ['light', 'dark'] as const) {
    const { frame } = await open(t, 'down', DIST, theme);
    await usable(frame);
    seen.push(await frame.evaluate(() => getComputedStyle(document.body).backgroundColor));
    assert.ok((await frame.locator('.line').count()) < 100);
    await frame.evaluate(() => { const list = document.getElementById('variable-scroller'); if (list) list.scrollTop = list.scrollHeight; });
    await frame.waitForFunction(() => document.body.innerText.includes('tone-999'));
  }
  assert.notEqual(seen[0], seen[1]);
});
