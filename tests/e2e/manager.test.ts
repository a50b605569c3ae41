/**
 * The Variables and Export tabs in Chromium: drawn in both themes and three widths, used by keyboard and mouse, and with the
 * built plugin on a file of the fake Figma. Pictures are left in target/js-tests/manager.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { Browser, Frame, Page } from 'playwright-core';

import { FileDocument, ROOT } from '../figma-host/node.ts';
import type { FigmaHost } from '../figma-host/host.ts';
import { VariableModel } from '../figma-host/model.ts';
import { buildPages, launch } from './chromium.ts';
import { findings, openGallery } from './gallery.ts';
import { EMPTY, large, listing } from './listing.ts';
import { openPlugin } from './plugin.ts';

declare global {
  /** Set by panel-page.ts. */
  var host: FigmaHost | undefined;
}

const PICTURES = join(ROOT, 'target/js-tests/manager');
const HEIGHT = 560;

let browser: Browser;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  buildPages();
  browser = await launch();
});
after(() => browser.close());

const VARIABLES = { state: 'signed_out', tab: 'variables', listing: listing() };
const line = (name: string) => `.tree .line:has(.cut:text-is("${name}"))`;

for (const [theme, width] of [['light', 320], ['dark', 320], ['light', 480], ['dark', 480], ['light', 800], ['dark', 800]] as const) {
  test(`every state of the tabs is accessible and stays inside the panel (${theme}, ${String(width)} px)`, async (t) => {
    const { page, frame, show } = await openGallery(t, browser, theme, { width, height: HEIGHT });
    const look = async (name: string) => {
      await page.screenshot({ path: join(PICTURES, `${name}-${String(width)}-${theme}.png`) });
      assert.deepEqual(await findings(frame), [], name);
      const wide = await frame.evaluate(() => [...document.querySelectorAll('body, [role=tabpanel], .view, .detail, .search')]
        .filter((element) => element.scrollWidth > element.clientWidth)
        .map((element) => element.className));
      assert.deepEqual(wide, [], `${name} is wider than the panel`);
    };
    await show({ state: 'signed_out', tab: 'variables', listing: EMPTY });
    assert.match(await frame.innerText('#panel-variables'), /no variables yet/);
    await look('empty');
    await show(VARIABLES);
    await look('list');
    await show({ ...VARIABLES, read_only: true });
    assert.match(await frame.innerText('#panel-variables'), /You can view this file, not edit it/);
    await look('read-only');
    await show(VARIABLES);
    await frame.fill('#panel-variables input[type=search]', 'nothing has this');
    assert.match(await frame.innerText('#panel-variables .empty'), /Nothing in this file has that/);
    await frame.fill('#panel-variables input[type=search]', '');
    await frame.click(line('link'));
    await look('variable');
    await frame.hover(line('Theme'));
    await frame.click(`${line('Theme')} .more`);
    await look('collection');
    await frame.click('.problem-count');
    await look('problems');
    await show({ ...VARIABLES, tab: 'export' });
    await frame.waitForSelector('.written pre');
    await look('export');
    await frame.click('.segments label:has-text("Design tokens")');
    await frame.waitForSelector('text=Download all as one ZIP');
    await look('export-tokens');
  });
}

test('the list by keyboard: one stop, arrows, folding, a closer look, and back', async (t) => {
  const { page, frame, show } = await openGallery(t, browser, 'light', { width: 480, height: HEIGHT });
  await show(VARIABLES);
  await frame.focus('#variable-list');
  const active = () => frame.evaluate(() => {
    const list = document.getElementById('variable-list');
    return document.getElementById(list?.getAttribute('aria-activedescendant') ?? '')?.innerText.split('\n')[0];
  });
  assert.equal(await active(), 'Base');
  await page.keyboard.press('ArrowDown');
  assert.equal(await active(), 'flag');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowDown');
  assert.equal(await active(), 'Theme', 'Base was folded');
  await page.keyboard.press('Enter');
  assert.match(await frame.innerText('.detail'), /5 variables, 4 modes/);
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.match(await frame.innerText('.detail h2'), /flag/);
  await page.keyboard.press('Escape');
  assert.equal(await frame.isVisible('.detail'), false);
});

test('aliases are followed with the way shown, and lead on', async (t) => {
  const { frame, show } = await openGallery(t, browser, 'light', { width: 480, height: HEIGHT });
  await show(VARIABLES);
  await frame.click(line('link'));
  const said = (await frame.innerText('.detail')).replace(/\s+/g, ' ');
  assert.match(said, /Light → blue\/500 in Base, Value #0969da/);
  assert.match(said, /Dark → white in library Acme Core › Core, Dark #f0f0f0/);
  await frame.click('.detail .step button:text-is("blue/500")');
  await frame.waitForFunction(() => document.querySelector('.detail h2')?.textContent === 'blue/500');
  assert.match(await frame.innerText('.detail'), /Code, iOS\s+Color.blue500/);
});

test('problems lead to their variables, wherever these are folded or hidden', async (t) => {
  const { frame, show } = await openGallery(t, browser, 'light', { width: 480, height: HEIGHT });
  await show(VARIABLES);
  await frame.click(line('Theme'));
  assert.equal(await frame.locator(line('bad.name')).count(), 0);
  await frame.selectOption('.search select', { label: 'Base' });
  await frame.click('.problem-count');
  assert.match(await frame.innerText('.wrongs'), /Figma allows no “.” in a name/);
  await frame.click('.wrongs button:text-is("surface/bad.name")');
  await frame.waitForSelector(`${line('bad.name')}.active`);
  assert.equal(await frame.innerText('.detail h2'), 'surface/bad.name');
  assert.equal(await frame.evaluate(() => document.activeElement?.id), 'variable-list');
});

test('five thousand variables: only lines in view are drawn, from the first to the last', async (t) => {
  const { page, frame, show } = await openGallery(t, browser, 'light', { width: 480, height: HEIGHT });
  await show({ state: 'signed_out', tab: 'variables', listing: large(5_000) });
  await frame.focus('#variable-list');
  await page.keyboard.press('End');
  await frame.waitForSelector(line('tone-4999'));
  assert.ok((await frame.locator('.tree .line').count()) < 100);
  await frame.fill('#panel-variables input[type=search]', 'tone-499');
  await frame.waitForFunction(() => document.querySelectorAll('.line.variable').length === 12); // and the one that refers to tone-499
});

/** A file of one collection with two modes and an alias. */
function file(variables: number): FileDocument {
  const document = new FileDocument();
  const model = new VariableModel(document, { plan: 'organization', mayEdit: true, record: () => undefined });
  const brand = model.createCollection('Brand');
  const light = document.collection(brand)?.modes[0]?.modeId ?? '';
  model.renameMode(brand, light, 'Light');
  const dark = model.addMode(brand, 'Dark');
  let before = '';
  for (let at = 0; at < variables; at += 1) {
    const variable = model.createVariable(`color/tone-${String(at)}`, brand, 'COLOR');
    model.setValueForMode(variable, light, { r: at % 2, g: 0.4, b: 1, a: 0.5 });
    model.setValueForMode(variable, dark, at === 0 ? { r: 0, g: 0, b: 0, a: 1 } : { type: 'VARIABLE_ALIAS', id: before });
    before = variable;
  }
  return document;
}

const names = (page: Page) => page.evaluate(() => globalThis.host?.document.collections.map((each) => each.name));

async function choose(frame: Frame, collection: string): Promise<void> {
  await frame.waitForSelector('.line.variable');
  await frame.hover(line(collection));
  await frame.click(`${line(collection)} .more`);
}

test('a collection is duplicated in the built plugin: checked, counted, listed, and one undo step', async (t) => {
  const { page, frame, errors } = await openPlugin(t, browser, { wire: 'down', document: file(200).save() });
  await choose(frame, 'Brand');
  assert.match(await frame.innerText('#copy-said'), /200 variables in 2 modes. 199 aliases will point inside the copy/);
  await frame.fill('#copy-name', 'Brand');
  assert.match(await frame.innerText('#copy-said'), /Another collection has this name/);
  assert.equal(await frame.isDisabled('.copy .primary'), true);
  await frame.fill('#copy-name', 'Brand 2027');
  await frame.press('#copy-name', 'Enter');
  await frame.waitForSelector('text=“Brand 2027” has 200 variables.');
  await frame.waitForSelector('.search option:text-is("Brand 2027")', { state: 'attached' });
  assert.deepEqual(await names(page), ['Brand', 'Brand 2027']);
  await page.evaluate(() => globalThis.host?.undo());
  assert.deepEqual(await names(page), ['Brand']);
  assert.deepEqual(errors, []);
});

test('a copy that is cancelled leaves nothing, and says so', async (t) => {
  const { page, frame } = await openPlugin(t, browser, { wire: 'down', document: file(3_000).save() });
  await choose(frame, 'Brand');
  await frame.press('#copy-name', 'Enter');
  await frame.waitForSelector('.detail .progress:has-text("of 3,000")');
  await frame.click('.detail .progress button');
  await frame.waitForSelector('text=The copying was stopped. Nothing of the copy is left.');
  assert.deepEqual(await names(page), ['Brand']);
});

test('files are downloaded under the Figma file’s name, and copied', async (t) => {
  const figma = file(3);
  const { page, frame, errors } = await openPlugin(t, browser, { wire: 'down', document: figma.save() });
  await frame.waitForSelector('.line.variable');
  await frame.click('#tab-export');
  await frame.waitForSelector('.written pre');
  const download = async (button: string) => {
    const [got] = await Promise.all([page.waitForEvent('download'), frame.click(button)]);
    return { name: got.suggestedFilename(), bytes: readFileSync(await got.path()) };
  };
  const csv = await download('text=Download');
  assert.equal(csv.name, `${figma.name}.csv`);
  assert.equal(csv.bytes.toString('utf8'), [
    '\ufeffCollection,Name,Type,Light,Dark,Description,Scopes,code:web,code:android,code:ios,Hidden',
    'Brand,color/tone-0,COLOR,"rgba(0, 102, 255, 0.5)",#000000,,ALL_SCOPES,,,,FALSE',
    'Brand,color/tone-1,COLOR,"rgba(255, 102, 255, 0.5)",{color/tone-0},,ALL_SCOPES,,,,FALSE',
    'Brand,color/tone-2,COLOR,"rgba(0, 102, 255, 0.5)",{color/tone-1},,ALL_SCOPES,,,,FALSE',
    '',
  ].join('\r\n'));
  await frame.evaluate(() => { document.addEventListener('copy', () => { (globalThis as { copied?: string }).copied = String(getSelection()); }); });
  await frame.click('.written button:has-text("Copy")');
  await frame.waitForSelector('text=Copied.');
  await frame.uncheck('.chosen label:has-text("Dark") input');
  await frame.waitForFunction(() => !document.querySelector('.written pre')?.textContent?.includes('Dark'));
  await frame.check('.chosen label:has-text("Dark") input');
  await frame.click('.segments label:has-text("XLSX")');
  await frame.waitForSelector('h3:text-is("' + figma.name + '.xlsx")');
  const workbook = await download('.written .primary');
  assert.equal(workbook.bytes.subarray(0, 2).toString('latin1'), 'PK');
  await frame.click('.segments label:has-text("CSS")');
  await frame.waitForSelector('.written pre:has-text("--color-tone-0")');
  await frame.click('.segments label:has-text("Design tokens")');
  const tokens = await download('text=Download all as one ZIP');
  assert.equal(tokens.name, `${figma.name}.zip`);
  assert.equal(tokens.bytes.subarray(0, 2).toString('latin1'), 'PK');
  await frame.uncheck('.chosen label:has-text("Brand") input');
  await frame.waitForSelector('text=Nothing is chosen');
  assert.deepEqual(errors, []);
});
