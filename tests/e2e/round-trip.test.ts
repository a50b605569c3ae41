/**
 * Real token sets out of a file and into another: exported by the panel, read by the program of files, taken by the sandbox as the
 * cells of a sheet, and compared with what their sources say.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Page } from 'playwright-core';

import { openPlugin } from '../bundle/bundle.ts';
import type { FigmaHost } from '../figma-host/node.ts';
import { FLAG_ON, firstRun, openPanel } from '../journey/scripted-panel.ts';
import { differences } from '../sheets/compare.ts';
import { openProps } from '../sheets/open-props.ts';
import { packRows } from '../sheets/packed.ts';
import { primer } from '../sheets/primer.ts';
import { GALLERY, launch } from './chromium.ts';
import { openGallery } from './gallery.ts';

const SHEET = { spreadsheet_id: 'sheet-of-the-tests', sheet_id: 7 };
const INFO = { spreadsheet_title: 'Design tokens', sheet_title: 'Tokens', locale: 'en_US' };

let browser: Browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** An empty file into which cells were synced. */
async function synced(cells: string): Promise<FigmaHost> {
  const host = await openPlugin({ plan: 'enterprise' });
  await openPanel(host.ui, FLAG_ON);
  await host.ui.next('kept');
  const { report } = await firstRun(host.ui, SHEET, { type: 'snapshot', v: 1, position: { epoch: 'e', revision: 1 }, sheet: INFO, cells });
  assert.deepEqual(report['problems'], []);
  await host.idle();
  return host;
}

/** The program of files in a page of its own, asked with files as base64. */
async function reader(t: TestContext): Promise<(order: unknown, files: Buffer[]) => Promise<{ Read?: { tables: { cells: string }[]; problems: unknown[] } }>> {
  const found = /<script type="text\/plain" id="files-program">([\s\S]*?)<\/script>/.exec(readFileSync(join(GALLERY, 'ui.html'), 'utf8'));
  assert.ok(found?.[1], 'the page holds the program');
  const page: Page = await browser.newPage();
  t.after(() => page.close());
  await page.setContent(`<script type="text/plain" id="program">${found[1]}</script>`);
  return async (order, files) => JSON.parse(await page.evaluate(async ([text, files]) => {
    const program = document.getElementById('program')?.textContent ?? '';
    const port = new Worker(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })));
    const heard = () => new Promise<{ text: string }>((resolve) => { port.onmessage = ({ data }) => { resolve(data as { text: string }); }; });
    await heard();
    const bytes = (files as string[]).map((file) => Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0)));
    const reply = heard();
    port.postMessage({ text, files: bytes });
    const answer = await reply;
    port.terminate();
    return answer.text;
  }, [JSON.stringify(order), files.map((file) => file.toString('base64'))] as const)) as { Read?: { tables: { cells: string }[]; problems: unknown[] } };
}

/** Which collection and mode a token file is of, by its name. */
const TOKENS = /^(?<collection>.*)\.(?<mode>[^.]*)\.tokens\.json$/;

for (const [name, set] of [['Primer', primer()], ['Open Props', openProps()]] as const) {
  test(`${name} goes out and in again as CSV, XLSX and design tokens`, async (t) => {
    const source = await synced(packRows(set.sheet.rows));
    assert.deepEqual(differences(source.document, set.expected).slice(0, 20), []);
    source.ui.send({ type: 'list_variables' });
    const listing = String((await source.ui.next('variables'))['bulk']);
    source.dispose();

    const read = await reader(t);
    const { page, frame, show } = await openGallery(t, browser, 'light', { width: 480, height: 560 });
    await show({ state: 'signed_out', tab: 'export', listing });
    for (const [format, ending] of [['CSV', 'csv'], ['XLSX', 'xlsx'], ['Design tokens', 'tokens.json']] as const) {
      await frame.click(`.segments label:has-text("${format}")`);
      await frame.waitForSelector(`.written h3:has-text(".${ending}")`);
      const files: { title: string; bytes: Buffer }[] = [];
      for (const button of await frame.locator('.written button:has-text("Download")').all()) {
        const [got] = await Promise.all([page.waitForEvent('download'), button.click()]);
        files.push({ title: got.suggestedFilename(), bytes: readFileSync(await got.path()) });
      }
      const sources = files.map(({ title }) => {
        if (format === 'CSV') return { Separated: 'Tokens' };
        if (format === 'XLSX') return 'Workbook';
        const { collection, mode } = TOKENS.exec(title)?.groups ?? {};
        return { Tokens: { collection: set.expected.find((each) => each.collection.replaceAll('/', '-') === collection)?.collection, mode } };
      });
      const reply = await read({ Read: sources }, files.map(({ bytes }) => bytes));
      assert.deepEqual(reply.Read?.problems, [], format);
      assert.equal(reply.Read.tables.length, 1);
      const target = await synced(reply.Read.tables[0]?.cells ?? '');
      assert.deepEqual(differences(target.document, set.expected).slice(0, 20), [], format);
      target.dispose();
    }
  });
}
