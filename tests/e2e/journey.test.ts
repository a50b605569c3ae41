/**
 * The whole way as a designer walks it, in Chromium: both programs of the plugin, the relay, fake Google, and the pages of
 * the sign-in in a window of their own. Then what goes wrong on the way, and that it mends itself.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Frame, Page } from 'playwright-core';

import { type StoredDocument, ROOT } from '../figma-host/node.ts';
import { differences } from '../sheets/compare.ts';
import { primer } from '../sheets/primer.ts';
import type { Typed } from '../sheets/tokens.ts';
import { DEMO_ACCOUNT } from '../../www/playground/demo-person.ts';
import { Playground, type PlaygroundOptions } from '../../www/playground/server.ts';
import { DIST, DIST_UI_SCRIPT, PROGRAMS, launch, openPage, panelFrame } from './chromium.ts';

/** Longest wait for anything; only a broken program comes near. */
const PATIENCE_MS = 60_000;
/** The relay asks fake Google so often that no test waits for an interval. */
const QUICK = { SHEETWIRE_POLL_ACTIVE_MS: '300', SHEETWIRE_POLL_REFRESH_MIN_MS: '100', SHEETWIRE_POLL_READS_PER_MINUTE: '6000' };

/** The short code that a person compares. */
const CODE = /[2-9A-Z]{3}-[2-9A-Z]{3}/;

const SMALL: Typed[][] = [
  ['Collection', 'Name', 'light', 'dark', 'Type'],
  ['Base', { text: 'blue/5' }, '#0969da', '#2f81f7', 'COLOR'],
  ['Base', { text: 'gap' }, 8, 12, 'FLOAT'],
  ['Brand', { text: 'accent' }, '{Base:blue/5}', '{Base:blue/5}', 'COLOR'],
];

let browser: Browser;
before(async () => {
  execFileSync(process.execPath, [join(ROOT, 'www/playground/build.mjs')], { cwd: ROOT, stdio: 'inherit' });
  browser = await launch();
});
after(() => browser.close());

/** A playground with its page open. */
async function open(t: TestContext, options: Partial<PlaygroundOptions>): Promise<{ playground: Playground; page: Page; panel: Frame; errors: string[] }> {
  const playground = await Playground.start({
    programs: PROGRAMS,
    dist: DIST,
    assets: join(ROOT, 'target/playground'),
    sheet: { title: 'Tokens', rows: SMALL.map((row) => [...row]) },
    story: false,
    relay: QUICK,
    ...options,
  });
  t.after(() => playground.stop());
  const { page, errors } = await openPage(browser, playground.origin);
  t.after(() => page.close());
  page.setDefaultTimeout(PATIENCE_MS);
  const panel = await panelFrame(page);
  return { playground, page, panel, errors };
}

/** The file as the page holds it. */
async function file(page: Page): Promise<StoredDocument> {
  return page.evaluate(() => (globalThis as unknown as { playground: { file: { save(): StoredDocument } } }).playground.file.save());
}

/** The value of a variable's first mode. */
const value = (document: StoredDocument, name: string): unknown =>
  Object.values(document.variables.find((variable) => variable.name === name)?.valuesByMode ?? {})[0];

async function holds(page: Page, name: string, wanted: unknown): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const held = value(await file(page), name);
    if (JSON.stringify(held) === JSON.stringify(wanted)) return;
    if (Date.now() > until) assert.deepEqual(held, wanted, `${name} never came to hold that`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const openTab = (panel: Frame): Promise<void> => panel.getByRole('tab', { name: 'Real-Time Sync' }).click();
const status = (panel: Frame, word: string): Promise<void> => panel.locator('.link-status b', { hasText: word }).waitFor();

/** Signs in through the relay's and Google's pages and picks the sheet, in the window that the panel opens. */
async function signIn(page: Page, panel: Frame, playground: Playground): Promise<void> {
  await openTab(panel);
  await panel.getByRole('button', { name: 'Sign in with Google' }).click();
  const link = panel.getByRole('button', { name: 'Open the sign-in page' });
  const shown = (await panel.locator('.code', { hasText: CODE }).textContent()) ?? '';
  const [popup] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
  popup.setDefaultTimeout(PATIENCE_MS);
  assert.equal(CODE.exec((await popup.locator('.code').textContent()) ?? '')?.[0], CODE.exec(shown)?.[0]);
  await popup.getByRole('button', { name: /continue/i }).click();
  await popup.getByRole('button', { name: new RegExp(DEMO_ACCOUNT) }).click();
  await popup.getByRole('button', { name: 'Continue' }).click();
  await popup.locator(`input[name="file"][value="${playground.sheet.ref.spreadsheet_id}"]`).check();
  await popup.getByRole('button', { name: 'Select' }).click();
  await popup.getByRole('heading', { name: 'You are signed in' }).waitFor();
  await popup.close();
}

for (const [form, dist, webAssembly] of [['WebAssembly', DIST, 'allowed'], ['a script', DIST_UI_SCRIPT, 'refused']] as const) {
  test(`from nothing to live with Primer, with the panel as ${form}`, async (t) => {
    const set = primer();
    const { playground, page, panel, errors } = await open(t, { prepared: false, sheet: set.sheet, dist, webAssembly });
    await signIn(page, panel, playground);
    await panel.getByRole('button', { name: 'Preview changes' }).click();
    await panel.getByRole('button', { name: /^Create 1.744 variables$/ }).click();
    await status(panel, 'Live');
    await panel.getByText(/just now|s ago/).first().waitFor();
    assert.deepEqual(differences(await file(page), set.expected).slice(0, 10), []);

    const [edited] = set.expected;
    assert.ok(edited);
    await playground.act({ act: 'edit', row: 1, column: set.sheet.rows[1]?.findIndex((cell, column) => column > 1 && cell !== '') ?? 2, value: '#123456' });
    await holds(page, edited.name, { r: Math.fround(0x12 / 255), g: Math.fround(0x34 / 255), b: Math.fround(0x56 / 255), a: 1 });
    assert.deepEqual(errors, []);
  });
}

test('the network goes and comes: the panel says so, and the variables end equal to the sheet', async (t) => {
  const { playground, page, panel } = await open(t, {});
  await openTab(panel);
  await status(panel, 'Live');
  await playground.act({ act: 'network', network: 'down' });
  await status(panel, 'Offline');
  await playground.act({ act: 'edit', row: 2, column: 2, value: '21' });
  await playground.act({ act: 'network', network: 'up' });
  await status(panel, 'Live');
  await holds(page, 'gap', 21);
});

test('the relay is restarted: the panel comes back by itself, and the variables end equal to the sheet', async (t) => {
  const { playground, page, panel } = await open(t, {});
  await openTab(panel);
  await status(panel, 'Live');
  await playground.servers.relay.stop();
  await status(panel, 'Offline');
  await playground.act({ act: 'edit', row: 2, column: 2, value: '34' });
  await playground.servers.restartRelay();
  await status(panel, 'Live');
  await holds(page, 'gap', 34);
  await playground.act({ act: 'edit', row: 2, column: 2, value: '35' });
  await holds(page, 'gap', 35);
});

test('a rollback takes the feature away while it runs, and the variables stay', async (t) => {
  const { playground, page, panel } = await open(t, {});
  await openTab(panel);
  await status(panel, 'Live');
  await playground.act({ act: 'roll_back', rolledBack: true });
  await panel.getByText('switched Real-Time Sync off').waitFor();
  await playground.act({ act: 'edit', row: 2, column: 2, value: '55' });
  assert.equal((await file(page)).variables.length, 3);
  assert.equal(value(await file(page), 'gap'), 8);
  await panel.getByRole('tab', { name: 'Variables' }).click();
  await panel.getByText('gap').waitFor();
});

test('a revoked sign-in is told, and signing in again goes on where it was', async (t) => {
  const { playground, page, panel } = await open(t, {});
  await openTab(panel);
  await status(panel, 'Live');
  await fetch(`${playground.servers.google.origin}/control/revoke`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ account: DEMO_ACCOUNT, client_id: 'sheetwire-demo.apps.example' }),
  });
  await panel.getByRole('button', { name: 'Sign in with Google' }).waitFor();
  await playground.act({ act: 'edit', row: 2, column: 2, value: '13' });
  await signIn(page, panel, playground);
  await status(panel, 'Live');
  await holds(page, 'gap', 13);
});

test('the toggle stops this file, and goes on from what the sheet says then', async (t) => {
  const { playground, page, panel } = await open(t, {});
  await openTab(panel);
  await status(panel, 'Live');
  const toggle = panel.getByRole('switch', { name: 'Sync this file' });
  await toggle.click();
  await status(panel, 'Paused');
  await playground.act({ act: 'edit', row: 2, column: 2, value: '3' });
  await toggle.click();
  await status(panel, 'Live');
  await holds(page, 'gap', 3);
});

/** Asks fake Google about the spreadsheet, as its owner; a body is posted. */
async function google(playground: Playground, path: string, posted?: unknown, method = posted === undefined ? 'GET' : 'POST'): Promise<unknown> {
  const origin = playground.servers.google.origin;
  const headers = { 'content-type': 'application/json' };
  const scopes = ['https://www.googleapis.com/auth/spreadsheets'];
  const body = JSON.stringify({ account: DEMO_ACCOUNT, scopes });
  const { accessToken } = (await (await fetch(`${origin}/control/tokens`, { method: 'POST', headers, body })).json()) as { accessToken: string };
  const { spreadsheet_id } = playground.sheet.ref;
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const reply = await fetch(`${origin}/v4/spreadsheets/${spreadsheet_id}${path}`, {
      method, headers: { ...headers, authorization: `Bearer ${accessToken}` }, ...(posted === undefined ? {} : { body: JSON.stringify(posted) }),
    });
    if (reply.ok) return reply.json();
    // The relay asks in the same person's name, and so often that their quota is used up at times.
    assert.ok(reply.status === 429 && Date.now() < until, `${method} ${path}: ${String(reply.status)}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Types rows into the spreadsheet, from a cell on. */
async function type(playground: Playground, from: string, values: (string | number)[][]): Promise<void> {
  await google(playground, `/values/${encodeURIComponent(from)}?valueInputOption=USER_ENTERED`, { values }, 'PUT');
}

/** What fake Google's sheet holds, as Google's own service tells it. */
async function cell(playground: Playground, range: string): Promise<unknown> {
  const reply = await google(playground, `/values/${encodeURIComponent(range)}?valueRenderOption=FORMULA`);
  return (reply as { values?: unknown[][] }).values?.[0]?.[0];
}

async function says(playground: Playground, range: string, wanted: unknown): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while ((await cell(playground, range)) !== wanted && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(await cell(playground, range), wanted);
}

/** The designer changes a variable's first mode in Figma, and comes back to the panel. */
async function change(page: Page, panel: Frame, name: string, to: unknown): Promise<void> {
  await page.evaluate(([called, held]) => {
    interface Model { setValueForMode(id: string, mode: string, value: unknown): void }
    interface Host { asUser(edit: (model: Model) => void): void }
    const { file, host } = (globalThis as unknown as { playground: { host: Host; file: { save(): StoredDocument } } }).playground;
    const variable = file.save().variables.find((each) => each.name === called);
    const [mode] = Object.keys(variable?.valuesByMode ?? {});
    host.asUser((model) => { model.setValueForMode(variable?.id ?? '', mode ?? '', held); });
  }, [name, to] as const);
  await panel.evaluate(() => window.dispatchEvent(new Event('focus')));
}

test('two-way sync: what is changed in Figma arrives in the sheet, and a formula stays', async (t) => {
  const { playground, page, panel, errors } = await open(t, {});
  await openTab(panel);
  await status(panel, 'Live');
  await playground.act({ act: 'edit', row: 2, column: 2, value: '=4+4' });
  const sends = panel.getByRole('switch', { name: 'Also send changes from Figma to the sheet' });
  await sends.click();
  await panel.locator('.two-way [aria-checked="true"]').waitFor();
  await change(page, panel, 'blue/5', { r: 1, g: 0x88 / 255, b: 0, a: 1 });
  await says(playground, 'Tokens!C2', '#ff8800');
  await holds(page, 'blue/5', { r: 1, g: Math.fround(0x88 / 255), b: 0, a: 1 });
  // The next look is due when the last one is a while ago.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await change(page, panel, 'gap', 10);
  await panel.locator('.differences summary').click({ timeout: PATIENCE_MS });
  await panel.getByText('This cell has a formula. Change the formula, or keep Figma’s value.').waitFor();
  assert.equal(await cell(playground, 'Tokens!C3'), '=4+4');
  assert.equal(value(await file(page), 'gap'), 10);
  assert.deepEqual(errors, []);
});

test('two tabs: connected together, an edit in each, and what changes in Figma goes to the tab that it is of', async (t) => {
  // A person may ask Google 60 times a minute, the relay in their name included.
  const relay = { ...QUICK, SHEETWIRE_POLL_ACTIVE_MS: '2500' };
  const { playground, page, panel, errors } = await open(t, { prepared: false, relay });
  await google(playground, ':batchUpdate', { requests: [{ addSheet: { properties: { title: 'Base spacing' } } }] });
  await type(playground, "'Base spacing'!A1", [['Name', 'mobile', 'desktop'], ['space/1', '4px', '8px'], ['space/2', '=8+8', '16px']]);
  await signIn(page, panel, playground);
  await panel.getByLabel(/Tokens/).check();
  await panel.getByLabel(/Base spacing/).check();
  await panel.getByRole('button', { name: 'Connect 2 tabs' }).click();
  // The columns of one after the other.
  await panel.getByRole('button', { name: 'Preview changes' }).waitFor();
  await panel.getByRole('button', { name: 'Preview changes' }).click();
  await panel.getByRole('button', { name: 'Preview changes' }).click();
  await panel.getByRole('button', { name: 'Create 5 variables' }).click();
  await status(panel, 'Live');
  await holds(page, 'space/1', 4);
  await type(playground, 'Tokens!C3', [[21]]);
  await holds(page, 'gap', 21);
  await type(playground, "'Base spacing'!B2", [['6px']]);
  await holds(page, 'space/1', 6);

  await panel.getByRole('switch', { name: 'Also send changes from Figma to the sheet' }).click();
  await panel.locator('.two-way [aria-checked="true"]').waitFor();
  await change(page, panel, 'space/1', 10);
  await says(playground, "'Base spacing'!B2", '10px');
  await holds(page, 'space/1', 10);
  // The next look is due when the last one is a while ago.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await change(page, panel, 'blue/5', { r: 1, g: 0x88 / 255, b: 0, a: 1 });
  await says(playground, 'Tokens!C2', '#ff8800');
  assert.equal(await cell(playground, "'Base spacing'!B3"), '=8+8');
  assert.deepEqual(errors, []);
});

test('a wrong link is told with where to find the right one', async (t) => {
  const { playground, page, panel } = await open(t, { prepared: false });
  await openTab(panel);
  await signIn(page, panel, playground);
  await panel.getByRole('button', { name: 'Preview changes' }).waitFor();
  await panel.getByRole('button', { name: 'Back' }).click();
  await panel.getByPlaceholder(/docs\.google\.com/).fill('https://example.com/');
  await panel.getByRole('button', { name: 'Connect' }).click();
  await panel.getByText('copy the whole address from the address bar').waitFor();
  assert.equal((await file(page)).variables.length, 0);
});
