/**
 * Every view of the Real-Time Sync tab, in both themes: accessible, inside its panel, and doing what is pressed.
 *
 * The panel is the gallery's (tests/README.md): it draws the session state it is posted and posts what is pressed.
 * Pictures of all views are left in target/js-tests/views.
 */

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Frame } from 'playwright-core';

import { ROOT } from '../figma-host/node.ts';
import type { Theme } from '../figma-host/theme.ts';
import { launch } from './chromium.ts';
import { findings, openGallery } from './gallery.ts';
import { EXHIBITS, type Exhibit, columns, connected, differences, preview, problems, twoWay, twoWayTabs, unsent } from './views.ts';

/** The smallest panel the views are made for, in CSS pixels. */
const SIZE = { width: 400, height: 560 };
const PICTURES = join(ROOT, 'target/js-tests/views');

let browser: Browser;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  browser = await launch();
});
after(() => browser.close());

const open = (t: TestContext, theme: Theme = 'light') => openGallery(t, browser, theme, SIZE);

for (const theme of ['light', 'dark'] as const) {
  test(`every view is accessible and stays inside the panel (${theme})`, async (t) => {
    const { page, frame, show } = await open(t, theme);
    for (const [name, exhibit] of Object.entries(EXHIBITS)) {
      await show(exhibit);
      await page.screenshot({ path: join(PICTURES, `${name}-${theme}.png`) });
      await frame.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = true; });
      assert.deepEqual(await findings(frame), [], name);
      const wide = await frame.evaluate(() => [...document.querySelectorAll('body, #panel-sync, .view, .actions')]
        .filter((element) => element.scrollWidth > element.clientWidth)
        .map((element) => element.className));
      assert.deepEqual(wide, [], `${name} is wider than the panel`);
      const small = await frame.evaluate(() => [...document.querySelectorAll('#panel-sync button:not([hidden])')]
        .filter((button) => button.getClientRects().length > 0 && button.getBoundingClientRect().height < 16)
        .map((button) => button.outerHTML));
      assert.deepEqual(small, [], name);
    }
  });
}

const focused = (frame: Frame) => frame.evaluate(() => document.activeElement?.id ?? '');

test('the focus moves to the heading of a new view, and stays when only the state of a view changes', async (t) => {
  const { frame, show } = await open(t);
  await show({ state: 'signed_out' });
  await show({ state: { choosing_spreadsheet: { entries: null } } });
  assert.equal(await focused(frame), 'sync-heading');
  await frame.fill('#panel-sync input[type=search]', 'brand');
  const entries = ['Brand tokens', 'Prices'].map((title, at) => ({ id: String(at), title, modified: '2026-11-03T10:00:00.000Z' }));
  await show({ state: { choosing_spreadsheet: { entries } } });
  assert.equal(await frame.inputValue('#panel-sync input[type=search]'), 'brand');
  assert.deepEqual(await frame.locator('.choice').allInnerTexts(), ['Brand tokens\n3 Nov 2026']);
  assert.equal(await frame.evaluate(() => document.activeElement?.getAttribute('type')), 'search');
});

test('signing in and choosing: what is pressed is told', async (t) => {
  const { frame, show, told } = await open(t);
  await show({ state: 'signed_out' });
  await frame.click('text=Sign in with Google');
  await show({ state: { signing_in: { code: '', url: '' } } });
  assert.equal(await frame.isDisabled('text=Open the sign-in page'), true);
  await show({ state: { signing_in: { code: 'KQ4-7TM', url: 'http://localhost:1/signin' } } });
  assert.match(await frame.innerText('.code'), /KQ4-7TM/);
  await frame.click('text=Open the sign-in page');
  await frame.click('text=Cancel');
  await show(EXHIBITS['choosing-spreadsheet'] as Exhibit);
  await frame.click('.choice >> nth=1');
  await frame.fill('#sync-link', 'https://docs.google.com/spreadsheets/d/abc/edit');
  await frame.press('#sync-link', 'Enter');
  await frame.click('text=Dismiss');
  await show(EXHIBITS['choosing-sheet'] as Exhibit);
  await frame.click('.choice >> nth=1');
  await frame.click('text=Back');
  await told([
    'sign_in', 'open_sign_in', 'cancel_sign_in',
    { choose_spreadsheet: { id: 'spreadsheet-1' } },
    { paste_link: { link: 'https://docs.google.com/spreadsheets/d/abc/edit' } },
    'dismiss_notice',
    { choose_sheets: { sheet_ids: [7] } },
    'back',
  ]);
});

test('several tabs: ticked, marked as modes, listed, added and removed', async (t) => {
  const { frame, show, told } = await open(t);
  await show(EXHIBITS['choosing-sheet'] as Exhibit);
  assert.equal(await frame.isVisible('text=Connect 1 tab'), false);
  await frame.check('[aria-label="Connect “Tokens” with others"]');
  await frame.check('[aria-label="Connect “Archive” with others"]');
  await frame.click('text=Connect 2 tabs');
  await show(EXHIBITS['choosing-spreadsheet-adding'] as Exhibit);
  await frame.click('text=Back');
  const shown = EXHIBITS['confirming-columns-tab'] as Exhibit & { state: { confirming_columns: { columns: unknown } } };
  await show(shown);
  assert.equal(await frame.isVisible('text=Brand › Tokens'), true);
  await frame.fill('.lies input[maxlength="40"]', 'Night');
  await frame.click('text=Preview changes');
  await show(EXHIBITS['connected-sources'] as Exhibit);
  assert.equal(await frame.isVisible('text=This tab no longer exists in the spreadsheet.'), true);
  await frame.click('[aria-label="Remove “Dark”"]');
  await frame.click('text=Add a tab');
  await told([
    { choose_sheets: { sheet_ids: [0, 7] } },
    'back',
    { confirm_columns: { columns: shown.state.confirming_columns.columns, header_row: 0, layout: {
      shape: 'tokens', brands: 'none', sections: 'ignore', names: 'keep', same_collection: false, skip_rows: 0, only: null, ignore: null,
      rem: [], tab_mode: { collection: 'Theme', mode: 'Night' },
    } } },
    { remove_source: { sheet: { spreadsheet_id: 'spreadsheet-1', sheet_id: 7 } } },
    'add_source',
  ]);
});

test('columns: what is missing is said, and the draft is what is confirmed', async (t) => {
  const { frame, show, told } = await open(t);
  const confirming = (busy: boolean): Exhibit => ({
    state: { confirming_columns: { columns: columns(), header_row: 0, sample: [['base', 'Token', 'Tag', 'Nacht'], ['base', 'color/red', '#f00', '#900']], problems: [], busy } },
  });
  await show(confirming(false));
  const role = (letter: string) => frame.locator(`select[aria-label^="What column ${letter} "]`);
  await role('B').selectOption({ label: 'Ignore' });
  await frame.click('text=Preview changes');
  assert.equal(await focused(frame), 'columns-lacking');
  assert.match(await frame.innerText('#columns-lacking'), /No column holds the variables' names/);
  await told([]);
  await role('B').selectOption({ label: 'Name' });
  await frame.fill('input[aria-label="Mode name of column C"]', 'Day');
  // The second row is the header after all: an untouched mode follows it, an edited one does not.
  await frame.fill('input[type=number]', '2');
  await frame.press('input[type=number]', 'Tab');
  await show(confirming(true));
  assert.equal(await frame.isDisabled('text=Comparing with this file'), true);
  await show(confirming(false));
  assert.equal(await frame.inputValue('input[aria-label="Mode name of column C"]'), 'Day');
  await frame.click('text=Preview changes');
  await told([{ confirm_columns: { header_row: 1, columns: [
    { index: 0, header: 'base', role: { role: 'collection' } },
    { index: 1, header: 'Token', role: { role: 'name' } },
    { index: 2, header: 'Tag', role: { role: 'mode', name: 'Day' } },
    { index: 3, header: 'Nacht', role: { role: 'mode', name: 'Nacht' } },
  ] } }]);
});

test('columns: how the sheet is laid out is asked and chosen', async (t) => {
  const { frame, show, told } = await open(t);
  const sample = [['', '', 'Light', 'Dark'], ['base', 'color.red', '#f00', '#900']];
  const layout = { shape: 'tokens', brands: 'none', sections: 'ignore', names: 'ask', same_collection: false, skip_rows: 0, only: null, ignore: null, rem: [] };
  const named = [
    { index: 0, header: 'Collection', role: { role: 'collection' } },
    { index: 1, header: 'Name', role: { role: 'name' } },
    { index: 2, header: 'Acme', role: { role: 'mode', name: 'Acme' } },
    { index: 3, header: '', role: { role: 'ignore' } },
  ];
  await show({ state: { confirming_columns: { columns: named, header_row: 0, sample, problems: [], layout, busy: false } } });
  await frame.click('text=Preview changes');
  assert.equal(await focused(frame), 'columns-lacking');
  assert.match(await frame.innerText('#columns-lacking'), /Choose whether these stand for groups/);
  await frame.getByLabel('These signs').selectOption({ label: 'make groups, as / does' });
  await frame.getByLabel('Headings between the rows').selectOption({ label: 'are the group of the rows below' });
  const formulas = frame.getByLabel('A formula that points at another variable’s value, such as =B4, is an alias to it');
  assert.equal(await formulas.isChecked(), false);
  await formulas.check();
  await frame.getByLabel('Rows to skip under the header').fill('1');
  await frame.getByLabel('Rows to skip under the header').press('Tab');
  await frame.getByLabel('Sync only rows where, column').selectOption({ label: 'Acme' });
  await frame.getByLabel('Sync only rows where, words').fill('Approved, ready');
  await frame.getByLabel('Pixels in 1 rem', { exact: true }).fill('10');
  await frame.getByLabel('Pixels in 1 rem, Acme').fill('14');
  // Two header rows: what stands above joins the headers and the modes' names.
  await frame.getByLabel('Above the header row').selectOption({ label: 'stands a brand; it is part of the mode' });
  await frame.fill('.title input[type=number]', '2');
  await frame.press('.title input[type=number]', 'Tab');
  assert.equal(await frame.inputValue('input[aria-label="Mode name of column C"]'), 'Acme / Light');
  // The column that the rule was about has another header now.
  assert.match(await frame.innerText('#columns-lacking'), /No column is called “Acme”/);
  await frame.getByLabel('Sync only rows where, column').selectOption({ label: 'no rule' });
  await frame.click('text=Preview changes');
  await told([{ confirm_columns: { header_row: 1, columns: [
    { index: 0, header: 'Collection', role: { role: 'collection' } },
    { index: 1, header: 'Name', role: { role: 'name' } },
    { index: 2, header: 'Acme / Light', role: { role: 'mode', name: 'Acme / Light' } },
    { index: 3, header: 'Acme / Dark', role: { role: 'ignore' } },
  ], layout: { ...layout, brands: 'modes', sections: 'groups', names: 'groups', skip_rows: 1, rem: [{ mode: '', px: 10 }], formulas: true } } }]);
});

test('a long plan draws what is in the view, and approves the plan that is shown', async (t) => {
  const { frame, show, told } = await open(t);
  await show({ state: { previewing: preview(5_000, { created: 6_744 }) } });
  const drawn = () => frame.locator('.line').count();
  assert.ok((await drawn()) < 120);
  assert.match(await frame.innerText('#panel-sync'), /The first 5,000 of 6,744 are listed/);
  // What is in the middle of the view is drawn wherever it is scrolled to.
  for (const part of [0.25, 0.5, 0.99, 0.1]) {
    await frame.evaluate((to) => {
      const view = document.querySelector('#panel-sync .view');
      if (view) view.scrollTop = view.scrollHeight * to;
    }, part);
    await frame.waitForFunction(() => {
      const view = document.querySelector('#panel-sync .view')?.getBoundingClientRect();
      if (!view) return false;
      return document.elementFromPoint(view.left + 60, view.top + view.height / 2)?.closest('.line') !== null;
    });
    assert.ok((await drawn()) < 120);
  }
  await frame.click('text=Create 6,744 variables');
  await frame.click('text=Edit columns');
  await told([{ approve: { plan: 3, include_removals: false } }, 'edit_columns']);
});

test('a plan is a tree: searched, filtered, folded, and walked with the keyboard', async (t) => {
  const { frame, show, told } = await open(t);
  await show({ state: { previewing: preview(60, { created: 40, changed: 20 }) } });
  const tree = frame.getByRole('tree', { name: 'What the plan does' });
  const active = () => frame.evaluate(() => {
    const tree = document.activeElement;
    const line = document.getElementById(tree?.getAttribute('aria-activedescendant') ?? '');
    const said = (name: string) => line?.getAttribute(name) ?? '-';
    return `${said('aria-level')}: ${said('aria-posinset')} of ${said('aria-setsize')}, ${said('aria-expanded')}: ${line?.querySelector('.name, .field-name')?.textContent ?? ''}`;
  });
  const press = async (...keys: string[]) => {
    for (const key of keys) await tree.press(key);
    return active();
  };
  await tree.focus();
  assert.equal(await active(), '1: 1 of 2, true: base/color');
  assert.equal(await press('ArrowRight'), '2: 1 of 3, true: color/scale/gray');
  assert.equal(await press('ArrowLeft'), '2: 1 of 3, false: color/scale/gray');
  assert.equal(await press('ArrowDown'), '2: 2 of 3, true: color/scale/blue');
  assert.equal(await press('ArrowDown', 'ArrowDown'), '4: 1 of 2, -: light');
  assert.equal(await press('ArrowLeft'), '3: 1 of 10, true: 5');
  assert.equal(await press('ArrowUp', 'ArrowUp', 'ArrowRight', 'ArrowRight'), '3: 1 of 10, true: 0');
  assert.equal(await press('End'), '4: 2 of 2, -: dark high contrast');
  assert.ok(await frame.evaluate(() => {
    const line = document.querySelector('.line.active')?.getBoundingClientRect();
    const view = document.querySelector('#panel-sync .view')?.getBoundingClientRect();
    return line && view && line.top >= view.top && line.bottom <= view.bottom;
  }), 'the active line is in the view');
  assert.equal(await press('Home', 'ArrowLeft', 'ArrowDown'), '1: 2 of 2, true: mode');
  // A search finds names, values and addresses, and unfolds nothing.
  await frame.fill('input[aria-label="Search names and values"]', 'TOKENS!A61');
  assert.deepEqual(await frame.locator('.line .name').allInnerTexts(), ['mode', 'color/surface', '59']);
  await tree.focus();
  assert.equal(await press('End', 'ArrowLeft', 'Enter', 'Delete'), '3: 1 of 1, true: 59');
  await frame.fill('input[aria-label="Search names and values"]', 'nowhere');
  assert.equal(await tree.isVisible(), false);
  assert.match(await frame.innerText('#panel-sync'), /Nothing in this plan has that/);
  await frame.fill('input[aria-label="Search names and values"]', '');
  const listed = frame.getByLabel('What is listed');
  assert.deepEqual(await listed.locator('option').allInnerTexts(), ['All (60)', 'New (40)', 'Changes (20)', 'Problems (3)']);
  await frame.click('text=3 problems');
  assert.deepEqual(await frame.locator('.problem-list .cell').allInnerTexts(), ['Tokens!C14', 'Tokens!D20']);
  await frame.click('.problem-list .cell >> nth=1');
  await listed.selectOption({ label: 'Changes (20)' });
  await tree.focus();
  await press('Home');
  assert.equal(await frame.locator('.badge.create').count(), 0);
  // A plan that is made anew keeps the search, the filter and what is folded.
  await show({ state: { previewing: preview(60, { created: 40, changed: 19 }) } });
  assert.equal(await listed.inputValue(), 'change');
  await told([{ open_cell: { address: 'Tokens!A61' } }, { leave_out: { plan: 3, rows: [59] } }, { open_cell: { address: 'Tokens!D20' } }]);
});

test('a connected file: every way out is there and does what it says', async (t) => {
  const { frame, show, told } = await open(t);
  await show({ state: connected({}) });
  const toggle = frame.getByRole('switch', { name: 'Sync this file' });
  assert.equal(await toggle.getAttribute('aria-checked'), 'true');
  await toggle.press('Space');
  await frame.click('text=Sync now');
  await frame.click('text=Keep running in the background');
  await frame.click('#sync-disconnect');
  assert.match(await frame.innerText('[role=group]:has(#sync-keep)'), /Your variables stay as they are/);
  await frame.waitForFunction(() => document.activeElement?.id === 'sync-keep');
  await frame.press('#sync-keep', 'Enter');
  await frame.waitForFunction(() => document.activeElement?.id === 'sync-disconnect');
  await frame.click('#sync-disconnect');
  await frame.click('.danger');
  await frame.click('text=Sign out');
  await show({ state: connected({ progress: [340, 1_744] }) });
  assert.match(await frame.innerText('.run'), /Writing 340 of 1,744/);
  await frame.click('.run >> text=Cancel');
  await show({ state: connected({ link: { offline: { attempt: 3, retry_unix_ms: Date.now() + 12_000 } } }) });
  assert.match(await frame.innerText('.link-status'), /Trying again in 1[0-3] s/);
  await frame.click('text=Retry now');
  await show({ state: connected({ waiting: ['removes', preview(3, { removed: 3 })] }) });
  await frame.click('text=Remove 3 variables');
  await frame.click('text=Keep them');
  await show({ state: connected({ waiting: ['large', preview(40, { changed: 1_200 })] }) });
  await frame.click('text=Change 1,200 variables');
  for (const [stopped, way] of [['breaker', 'Sync now'], ['signed_out', 'Sign in'], ['toggled', 'Switch on']]) {
    await show({ state: connected({ link: 'down', stopped: String(stopped), last: { ...connectedLast(), problems: problems(), problems_total: 3 } }) });
    await frame.click(`.card >> text="${String(way)}"`);
  }
  await told([
    { toggle: { on: false } }, 'sync_now', 'hide', 'disconnect', 'sign_out', 'cancel', 'retry_now',
    { approve: { plan: 3, include_removals: true } }, { keep_removed: { plan: 3 } },
    { approve: { plan: 3, include_removals: false } },
    'sync_now', 'sign_in', { toggle: { on: true } },
  ]);
});

test('types change one by one, and only those that are ticked', async (t) => {
  const { frame, show, told } = await open(t);
  await show(EXHIBITS['connected-retypes'] as Exhibit);
  assert.match(await frame.innerText('.types'), /Other files that use this variable can’t be checked/);
  assert.match(await frame.innerText('.types'), /12 layers of this file use it: Card, .* and others\./);
  assert.match(await frame.innerText('.types'), /1 layer of this file uses it: Label\. Not all of its layers could be looked at/);
  assert.equal(await frame.isDisabled('text=Change types'), true);
  await frame.getByRole('checkbox', { name: 'surface/page' }).check();
  await frame.getByRole('checkbox', { name: 'label/weight' }).check();
  await frame.getByRole('checkbox', { name: 'surface/page' }).uncheck();
  await frame.click('text=Change 1 type');
  await frame.click('text=Keep the types');
  await show(EXHIBITS['previewing-retypes'] as Exhibit);
  await frame.getByRole('checkbox', { name: 'surface/page' }).check();
  await frame.click('text=Create 12 variables');
  await told([
    { approve: { plan: 3, include_removals: false, retypes: [2] } }, { keep_file: { plan: 3 } },
    { approve: { plan: 3, include_removals: false, retypes: [1] } },
  ]);
});

test('how much a sync may touch is chosen, and a published file says who else gets it', async (t) => {
  const { frame, show, told } = await open(t);
  await show({ state: connected({}) });
  const choice = frame.getByLabel('Wait for me when a sync touches');
  assert.equal(await choice.evaluate((select) => (select as HTMLSelectElement).selectedOptions[0]?.text), 'more than 250 variables');
  assert.doesNotMatch(await frame.innerText('.run'), /library/);
  await choice.selectOption({ label: 'more than 10 variables' });
  await show(EXHIBITS['connected-every'] as Exhibit);
  assert.equal(await choice.evaluate((select) => (select as HTMLSelectElement).selectedOptions[0]?.text), 'anything at all');
  assert.match(await frame.innerText('.run'), /Other files get what is synced here when somebody publishes it/);
  assert.match(await frame.innerText('.plan-card'), /In this file every sync waits for you. This one touches 4 variables/);
  await show(EXHIBITS['previewing-needs'] as Exhibit);
  assert.match(await frame.innerText('.needs'), /needs 12 modes. Figma's Starter plan allows 1 mode in a collection, Professional 10, Organization 20/);
  await told([{ set_threshold: { variables: 10 } }]);
});

function connectedLast(): Record<string, unknown> {
  return (connected({}) as { connected: { last: Record<string, unknown> } }).connected.last;
}

test('two-way sync: switched on and off, chosen as the policy, and sent one by one or all at once', async (t) => {
  const { frame, show, told } = await open(t);
  await show({ state: connected({ differences: differences(0, 2) }) });
  const sends = frame.getByRole('switch', { name: 'Also send changes from Figma to the sheet' });
  const policy = frame.getByLabel('When only Figma changed');
  assert.equal(await sends.getAttribute('aria-checked'), 'false');
  assert.deepEqual(await policy.locator('option').allInnerTexts(), ['keep Figma’s and show it', 'write the sheet’s again']);
  assert.equal(await frame.getByText('Send to sheet').count(), 0);
  await sends.press('Space');
  await show({ state: connected({ sending: 'switching' }) });
  assert.equal(await sends.isDisabled(), true);
  await show({ state: twoWay({ sending: { cells: 3 } }) });
  assert.equal(await sends.getAttribute('aria-checked'), 'true');
  await frame.getByText('Sending 3 cells…').waitFor();
  assert.equal(await policy.locator('option:checked').innerText(), 'send Figma’s to the sheet');
  await policy.selectOption({ label: 'keep Figma’s and show it' });
  await show({ state: twoWay({ differences: unsent() }) });
  await frame.click('summary');
  assert.match(await frame.innerText('.differences'), /This cell has a formula. Change the formula, or keep Figma’s value./);
  // Of the reasons, three may pass: the cell can be sent again.
  assert.equal(await frame.getByRole('button', { name: 'Send to sheet', exact: true }).count(), 4);
  await frame.getByRole('button', { name: 'Send to sheet', exact: true }).nth(1).click();
  await frame.click('text=Send all to sheet');
  await show({ state: twoWayTabs() });
  await frame.getByText('You may only read “Dark”, “Spacing”.').waitFor();
  const held = (why: string): unknown => twoWay({ held: [[{ spreadsheet_id: 'spreadsheet-1', sheet_id: 0 }, why]] });
  await show({ state: held('not_allowed') });
  await frame.click('text=Allow sending');
  await show({ state: held('failed') });
  await frame.click('.card >> text=Sync now');
  await sends.click();
  await told([
    { set_two_way: { on: true } },
    { set_policy: { policy: { drift: 'keep', conflict: 'ask' } } },
    { resolve: { list: 3, items: [3], choice: 'send' } },
    { resolve: { list: 3, items: [], choice: 'send' } },
    { set_two_way: { on: true } }, 'sync_now', { set_two_way: { on: false } },
  ]);
});
