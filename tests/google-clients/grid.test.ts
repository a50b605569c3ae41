/**
 * The grid page in a real browser: what it shows, editing by mouse and keys, and following other people's edits.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { violations } from './axe.ts';
import { type Browser, type Page, chromium } from 'playwright-core';

import { FakeGoogle, type Made } from './server.ts';

let google: FakeGoogle;
let browser: Browser;
let made: Made;
let page: Page;

/** A sheet as large as those that the page is made for. */
const ROWS = 2_000;

before(async () => {
  google = await FakeGoogle.start();
  const header = ['collection', 'name', 'type', 'light', 'dark', 'description', 'scopes', 'code:web', 'code:ios', 'id'];
  const rows = Array.from({ length: ROWS }, (_, row) => [
    'base', `color/token/${String(row)}`, 'COLOR', '#0969da', 'rgb(9 105 218 / 50%)', `Token ${String(row)}`, 'ALL_SCOPES', `--t-${String(row)}`, `t${String(row)}`, String(row),
  ]);
  const other = [['50%', '4/8', "'007", '007', '=A1', '=1/0', '{base/color/blue}', 'TRUE', '1.5']];
  made = await google.control<Made>('spreadsheets', { title: 'Primer', sheets: [{ title: 'Tokens', rows: [header, ...rows] }, { title: 'Other tab', rows: other }] });
  browser = await chromium.launch({
    executablePath: process.env['SHEETWIRE_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  page = await browser.newPage({ viewport: { width: 1200, height: 720 } });
});

after(async () => {
  await browser.close();
  await google.stop();
});

const open = async (query = ''): Promise<void> => {
  await page.goto(`${google.origin}/grid/${made.spreadsheetId}${query}`);
  await page.locator('.row').first().waitFor();
};
const cell = (a1: string) => {
  const [, letter = '', row = ''] = /^([A-Z])(\d+)$/.exec(a1) ?? [];
  return page.locator(`#cell-${String(Number(row) - 1)}-${String(letter.charCodeAt(0) - 65)}`);
};
/** What the Sheets API says of a cell. */
const stored = async (a1: string): Promise<unknown> => {
  const token = await google.token('ana@example.com', 'spreadsheets.readonly');
  const url = `${google.origin}/v4/spreadsheets/${made.spreadsheetId}/values/${encodeURIComponent(a1)}?valueRenderOption=FORMULA`;
  const reply = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  return ((await reply.json()) as { values?: unknown[][] }).values?.[0]?.[0];
};

test('shows what the cells show, with a swatch beside a colour', async () => {
  await open();
  assert.equal(await page.title(), 'Primer – Fake Google');
  assert.equal(await cell('D2').textContent(), '#0969da');
  assert.equal(await cell('D2').locator('.chip').count(), 1);
  assert.equal(await cell('A2').locator('.chip').count(), 0);
  assert.ok((await page.locator('.row').count()) < 100, 'only the rows in sight are drawn');
  await page.locator('#tabs a', { hasText: 'Other tab' }).click();
  await page.locator('#tabs a[aria-current]', { hasText: 'Other tab' }).waitFor();
  await cell('A1').filter({ hasText: '50%' }).waitFor();
  assert.deepEqual(await page.locator('.row').first().locator('.cell').allTextContents().then((texts) => texts.slice(0, 9)), [
    '50%', '4/8', '007', '7', '50%', '#DIV/0!', '{base/color/blue}', 'TRUE', '1.5',
  ]);
});

test('edits by double click, Enter, Tab and Escape', async () => {
  await open();
  await cell('D3').dblclick();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('#ff0000');
  await page.keyboard.press('Enter');
  await cell('D3').filter({ hasText: '#ff0000' }).waitFor();
  assert.equal(await stored('Tokens!D3'), '#ff0000');
  assert.match((await cell('D4').getAttribute('class')) ?? '', /\bon\b/);
  await page.keyboard.type('=D3');
  await page.keyboard.press('Tab');
  await cell('D4').filter({ hasText: '#ff0000' }).waitFor();
  assert.equal(await stored('Tokens!D4'), '=D3');
  await cell('D3').click();
  await page.keyboard.press('Enter');
  await page.keyboard.type('nothing');
  await page.keyboard.press('Escape');
  assert.equal(await cell('D3').textContent(), '#ff0000');
  await page.keyboard.press('Delete');
  await cell('D3').filter({ hasText: /^$/ }).waitFor();
  assert.equal(await stored('Tokens!D3'), undefined);
});

test('follows an edit that someone else makes, formulas too', async () => {
  await open();
  await google.control('edit', { spreadsheetId: made.spreadsheetId, sheetId: 0, cells: [{ row: 2, column: 3, value: '#00ff00' }] });
  await cell('D3').filter({ hasText: '#00ff00' }).waitFor();
  await cell('D4').filter({ hasText: '#00ff00' }).waitFor();
});

test('puts rows in and takes them out', async () => {
  await open();
  await cell('B6').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Insert row above' }).click();
  await cell('B7').filter({ hasText: 'color/token/4' }).waitFor();
  await cell('B6').click();
  await page.getByRole('button', { name: 'Delete row' }).first().click();
  await cell('B6').filter({ hasText: 'color/token/4' }).waitFor();
});

test('marks a cell of the address or of a message, wherever it is', async () => {
  await open('?highlight=C1014');
  await page.locator('.cell.marked').waitFor();
  assert.equal(await page.locator('.cell.marked').getAttribute('id'), 'cell-1013-2');
  await page.evaluate(() => { window.postMessage({ type: 'highlight', cell: 'C14' }, '*'); });
  await page.locator('#cell-13-2.marked').waitFor();
  await page.evaluate(() => { window.postMessage({ type: 'highlight' }, '*'); });
  await page.locator('.cell.marked').waitFor({ state: 'detached' });
});

test('tells a page around it what was edited', async () => {
  const outer = await browser.newPage();
  await outer.setContent(`<iframe src="${google.origin}/grid/${made.spreadsheetId}" width="900" height="500"></iframe>`);
  const told = outer.evaluate(() => new Promise<{ cell: string }>((resolve) => {
    addEventListener('message', (event: MessageEvent<{ type: string; cell: string }>) => { if (event.data.type === 'edited') resolve(event.data); });
  }));
  const frame = outer.frameLocator('iframe');
  await frame.locator('#cell-9-5').dblclick();
  await outer.keyboard.type('!');
  await outer.keyboard.press('Enter');
  assert.equal((await told).cell, 'F10');
  await outer.close();
});

test('stays usable without a mouse and has no fault that axe finds', async () => {
  await open();
  await cell('A1').click();
  await page.keyboard.press('PageDown');
  await page.keyboard.press('Control+Home');
  assert.equal(await page.locator('#address').textContent(), 'A1');
  assert.deepEqual(await violations(page), []);
});
