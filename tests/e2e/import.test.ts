/**
 * The Import tab in Chromium, both programs, without a relay: files of every kind in, and again; cells pasted; columns
 * changed; what is wrong shown where it is.
 *
 * Pictures of its views come to lie in target/js-tests/import.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Frame, Page } from 'playwright-core';

import type { StoredDocument } from '../figma-host/document.ts';
import { ROOT, readManifest } from '../figma-host/node.ts';
import { differences } from '../sheets/compare.ts';
import { openProps } from '../sheets/open-props.ts';
import { primer } from '../sheets/primer.ts';
import type { ExpectedValue, TokenSet } from '../sheets/tokens.ts';
import { DIST, buildPages, launch, openPage, panelFrame } from './chromium.ts';
import type { PanelPlugin } from './panel-page.ts';

const PICTURES = join(ROOT, 'target/js-tests/import');
/** Longest wait for a real token set, in milliseconds. */
const LONG_MS = 120_000;

let browser: Browser;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  buildPages();
  browser = await launch();
});
after(() => browser.close());

interface Opened {
  page: Page;
  frame: Frame;
  errors: string[];
  saved: () => Promise<StoredDocument>;
}

/** Opens the built plugin on an empty file, with a relay that does not answer, and shows the Import tab. */
async function open(t: TestContext, theme: PanelPlugin['theme'] = 'light'): Promise<Opened> {
  const manifest = readManifest();
  const plugin: PanelPlugin = {
    code: await readFile(join(DIST, 'code.js'), 'utf8'),
    html: await readFile(join(DIST, 'ui.html'), 'utf8'),
    manifest: { ...manifest, networkAccess: { allowedDomains: ['none'], devAllowedDomains: [], reasoning: 'a test' } },
    webAssembly: 'allowed',
    theme,
  };
  const server = createServer((request, reply) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/') reply.setHeader('content-type', 'text/html').end('<!doctype html><style>iframe { width: 100%; height: 100%; border: 0; display: block }</style><body style="margin:0"><div id="panel" style="width:400px;height:640px"></div><script type="module" src="main.js"></script>');
    else if (path === '/plugin') reply.end(JSON.stringify(plugin));
    else if (path === '/main.js' || path === '/quickjs.wasm') {
      reply.setHeader('content-type', path.endsWith('js') ? 'text/javascript' : 'application/wasm');
      void readFile(join(ROOT, 'target/js-tests/panel-page', path)).then((bytes) => reply.end(bytes));
    } else reply.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { page, errors } = await openPage(browser, `http://localhost:${String((server.address() as AddressInfo).port)}/`);
  t.after(() => page.close());
  const frame = await panelFrame(page);
  await frame.click('#tab-import');
  const saved = async (): Promise<StoredDocument> =>
    (await page.evaluate(() => (globalThis as unknown as { host: { document: { save: () => unknown } } }).host.document.save())) as StoredDocument;
  return { page, frame, errors, saved };
}

interface Bytes {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

const pascal = (word: string): string => word.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** A token set as the program of files takes variables. */
function variablesOf(set: TokenSet): unknown {
  const assigned = (value: ExpectedValue): unknown => {
    switch (value.kind) {
      case 'color': return { Value: { Color: { r: value.r, g: value.g, b: value.b, a: value.a } } };
      case 'number': return { Value: { Float: value.value } };
      case 'text': return { Value: { String: value.value } };
      case 'easing': return { Value: { Easing: value.points } };
      case 'alias': {
        const alias = { library: null, collection: value.collection, name: value.name };
        return value.opacity === undefined ? { Alias: alias } : { Composed: { alias, opacity: value.opacity } };
      }
    }
  };
  const collections = new Map<string, { name: string; modes: string[]; variables: unknown[] }>();
  for (const { collection } of set.expected) collections.set(collection, { name: collection, modes: [], variables: [] });
  for (const { collection, values } of set.expected) {
    const modes = collections.get(collection)?.modes ?? [];
    for (const mode of Object.keys(values)) if (!modes.includes(mode)) modes.push(mode);
  }
  for (const variable of set.expected) {
    const owner = collections.get(variable.collection);
    owner?.variables.push({
      name: variable.name,
      kind: pascal(variable.type),
      values: owner.modes.map((mode) => {
        const value = variable.values[mode];
        return value === undefined ? null : assigned(value);
      }),
      description: variable.description,
      scopes: variable.scopes.map(pascal),
      code: [variable.web ?? null, null, null],
      hidden: null,
    });
  }
  return { collections: [...collections.values()] };
}

/** Has the panel's program of files write a token set. */
async function written(set: TokenSet, format: 'Separated' | 'Workbook' | 'Tokens'): Promise<Bytes[]> {
  const found = /<script type="text\/plain" id="files-program">([\s\S]*?)<\/script>/.exec(readFileSync(join(DIST, 'ui.html'), 'utf8'));
  const page = await browser.newPage();
  await page.setContent(`<script type="text/plain" id="program">${found?.[1] ?? ''}</script>`);
  const reply = await page.evaluate(async (order) => {
    const text = document.getElementById('program')?.textContent ?? '';
    const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
    const heard = () => new Promise<unknown>((resolve) => { worker.onmessage = ({ data }: MessageEvent) => { resolve(data); }; });
    await heard();
    const answer = heard();
    worker.postMessage({ text: order, files: [] });
    const { text: said, files } = (await answer) as { text: string; files: Uint8Array[] };
    return { said, files: files.map((file) => Array.from(file, (byte) => String.fromCharCode(byte)).join('')) };
  }, JSON.stringify({ Write: { format, variables: variablesOf(set), title: 'Tokens' } }));
  await page.close();
  const { Written } = JSON.parse(reply.said) as { Written: { files: { name: string; media: string }[]; problems: unknown[] } };
  assert.deepEqual(Written.problems, []);
  return Written.files.map(({ name, media }, at) => ({ name, mimeType: media, buffer: Buffer.from(reply.files[at] ?? '', 'latin1') }));
}

const text = (name: string, content: string): Bytes => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) });

async function choose(frame: Frame, files: Bytes[]): Promise<void> {
  await frame.setInputFiles('#import-file', files);
  await frame.waitForSelector('#import-grid', { timeout: LONG_MS });
  await compared(frame);
}

/** The sandbox has compared the table with the file. */
async function compared(frame: Frame): Promise<void> {
  await frame.waitForFunction(() => /new|changed|as they are|has all/.test(document.querySelector('.outlook')?.textContent ?? ''), undefined, { timeout: LONG_MS });
}

const outlook = (frame: Frame): Promise<string> => frame.innerText('.outlook');
const heading = (frame: Frame): Promise<string> => frame.innerText('#import-heading');
const tiles = async (frame: Frame): Promise<string[]> => (await frame.locator('#panel-import .counts > div').allInnerTexts()).map((tile) => tile.replace(/\s+/g, ' '));

async function importAll(frame: Frame): Promise<void> {
  await frame.getByRole('button', { name: 'Review' }).click();
  await frame.getByRole('button', { name: /^Import \d|^Import [\d,]+ variable/ }).click();
  await frame.getByRole('heading', { name: 'Imported' }).waitFor({ timeout: LONG_MS });
}

const axe = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

/** Pictures of the view at every width, and what axe finds serious in it. */
async function look(opened: Opened, name: string, theme: string): Promise<void> {
  const { page, frame } = opened;
  for (const width of [320, 480, 800]) {
    await page.evaluate((px) => {
      const panel = document.getElementById('panel');
      if (panel) panel.style.width = `${String(px)}px`;
    }, width);
    await page.waitForTimeout(60);
    await page.locator('#panel').screenshot({ path: join(PICTURES, `${name}-${theme}-${String(width)}.png`) });
    assert.ok(await frame.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} at ${String(width)} px is wider than the panel`);
  }
  await frame.evaluate(axe);
  const found = await frame.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as { axe: { run: (context: Element, options: unknown) => Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } };
    const result = await runner.run(document.querySelector('#panel-import') ?? document.body, {});
    return result.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html.slice(0, 200))]);
  });
  assert.deepEqual(found, [], `${name}, ${theme}`);
}

for (const [title, set] of [['Primer', primer()], ['Open Props', openProps()]] as const) {
  for (const format of ['Separated', 'Workbook', 'Tokens'] as const) {
    test(`${title} comes in as ${format}, and coming in again changes nothing`, async (t) => {
      const files = await written(set, format);
      const { frame, errors, saved } = await open(t);
      await choose(frame, files);
      await importAll(frame);
      const total = set.expected.length.toLocaleString('en-US');
      assert.equal((await tiles(frame))[0], `${total} Created`);
      const held = await saved();
      assert.deepEqual(differences(held, set.expected).slice(0, 10), []);

      await frame.getByRole('button', { name: 'Import more' }).click();
      await choose(frame, files);
      assert.equal(await outlook(frame), `${total} as they are`);
      await frame.getByRole('button', { name: 'Review' }).click();
      assert.ok(await frame.getByRole('button', { name: 'Import', exact: true }).isDisabled());
      assert.deepEqual(await saved(), held);
      assert.deepEqual(errors, []);
    });
  }
}

const UNTIDY = [
  'Brand colours,,,',
  'Token,Light,Dark,Owner',
  'color/page,#ffffff,#000000,Ana',
  ',,,',
  'color/ink,#111,nonsense,Ben',
  'color/twice,#222,#333,Ben',
  'color/twice,#222,#333,Ben',
  'color/link,{color/page},{color/nobody},Ana',
].join('\n');

for (const theme of ['light', 'dark'] as const) {
  test(`what is wrong is shown where it is, in ${theme}`, async (t) => {
    const opened = await open(t, theme);
    const { frame, errors, saved } = opened;
    await look(opened, 'choosing', theme);
    await choose(frame, [text('brand.csv', UNTIDY)]);
    assert.equal(await heading(frame), 'brand.csv');
    const wrong = await frame.locator('[aria-invalid="true"]').allInnerTexts();
    // A colour and a text in one row, with no type that decides.
    assert.deepEqual(wrong, ['#111', 'color/twice', 'color/twice', '{color/nobody}']);
    assert.equal(await frame.locator('.cells.ignored').count(), 1);
    assert.equal(await frame.locator('.cells.header .number').innerText(), '2');
    await frame.getByRole('button', { name: 'Next problem' }).click();
    await frame.waitForFunction(() => document.activeElement?.id === 'import-grid');
    assert.match(await frame.innerText('.told-of'), /^[A-D]\d/);
    await look(opened, 'mapping', theme);

    await frame.getByRole('button', { name: 'Review' }).click();
    await frame.waitForSelector('#plan-tree');
    await look(opened, 'plan', theme);
    await frame.getByRole('button', { name: /^Import \d/ }).click();
    await frame.getByRole('heading', { name: 'Imported' }).waitFor();
    await look(opened, 'done', theme);
    assert.ok(!(await saved()).collections.some(({ pluginData }) => Object.keys(pluginData).length > 0));
    assert.deepEqual(errors, []);
  });
}

test('a column is taken for another thing, and that is remembered in the file', async (t) => {
  const { frame, saved } = await open(t);
  const file = text('sizes.csv', 'Name,Small,Large\nspace/1,4,8\n');
  await choose(frame, [file]);
  await frame.getByLabel(/^Role of column C|column C/i).first().selectOption({ label: 'Ignore' });
  await frame.waitForFunction(() => document.querySelector('.outlook')?.textContent?.includes('new'));
  await importAll(frame);
  assert.deepEqual((await saved()).collections[0]?.modes.map(({ name }) => name), ['Small']);
  await frame.getByRole('button', { name: 'Import more' }).click();
  await choose(frame, [file]);
  assert.match(await frame.innerText('#panel-import .view'), /read as the last time/);
  assert.equal(await outlook(frame), '1 as they are');
});

test('cells are pasted, and the keyboard moves in the table', async (t) => {
  const { frame, saved } = await open(t);
  await frame.focus('#import-paste');
  await frame.evaluate(() => {
    const data = new DataTransfer();
    data.setData('text/plain', 'Name\tValue\nspace/1\t4\nspace/2\t8\n');
    document.activeElement?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await frame.waitForSelector('#import-grid');
  await compared(frame);
  await frame.focus('#import-grid');
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await frame.press('#import-grid', key);
  assert.equal(await frame.innerText('.told-of'), 'B3: 8');
  assert.equal(await frame.getAttribute('#import-grid', 'aria-activedescendant'), 'import-cell-2-1');
  await importAll(frame);
  assert.equal((await saved()).variables.length, 2);
});

test('files of one collection’s modes are put together, under the collection that has them', async (t) => {
  const { frame, saved } = await open(t);
  const mode = (name: string, value: string): Bytes => text(`${name}.tokens.json`, JSON.stringify({ color: { page: { $type: 'color', $value: { colorSpace: 'srgb', components: value === 'white' ? [1, 1, 1] : [0, 0, 0] } }, ink: { $type: 'color', $value: '{color.page}' } }, $extensions: { 'com.figma.modeName': name } }));
  await choose(frame, [mode('Light', 'white'), mode('Dark', 'black')]);
  await frame.fill('#import-collection', 'Theme');
  await frame.press('#import-collection', 'Tab');
  await frame.waitForFunction(() => !document.querySelector('#import-grid') || document.querySelector('#import-grid')?.textContent?.includes('Theme'));
  await frame.waitForSelector('#import-grid');
  await compared(frame);
  await importAll(frame);
  const held = await saved();
  assert.deepEqual(held.collections.map(({ name, modes }) => [name, ...modes.map((mode) => mode.name).sort()]), [['Theme', 'Dark', 'Light']]);
  assert.equal(held.variables.length, 2);
});

test('a file that can not be read is said so, and nothing is lost', async (t) => {
  const { frame, errors } = await open(t);
  await frame.setInputFiles('#import-file', [text('broken.json', '{"a": ')]);
  await frame.waitForFunction(() => document.querySelector('#panel-import .told')?.textContent?.includes('broken.json'));
  assert.equal(await heading(frame), 'Import variables');
  await frame.setInputFiles('#import-file', [{ name: 'huge.csv', mimeType: 'text/csv', buffer: Buffer.alloc(17 * 1024 * 1024, 'a') }]);
  await frame.waitForFunction(() => document.querySelector('#panel-import .told')?.textContent?.includes('huge.csv'));
  await choose(frame, [text('good.csv', 'Name,Value\nspace/1,4\n')]);
  assert.equal(await outlook(frame), '1 new');
  assert.deepEqual(errors, []);
});
