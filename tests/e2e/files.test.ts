/** The program that reads and writes files, as it stands in the panel's page: in a worker and without one. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Page } from 'playwright-core';

import { DIST, DIST_UI_SCRIPT, launch } from './chromium.ts';

/** What came of an order. */
interface Answer {
  text: string;
  files: string[];
}

declare global {
  /** Set by the program's page below. */
  var ask: (order: unknown, files: string[]) => Promise<Answer>;
}

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Opens a page whose policy allows the program a worker or not, and starts it there. */
async function started(t: TestContext, dist: string, place: 'worker' | 'page'): Promise<Page> {
  const found = /<script type="text\/plain" id="files-program">([\s\S]*?)<\/script>/.exec(readFileSync(join(dist, 'ui.html'), 'utf8'));
  assert.ok(found?.[1], 'the page holds the program');
  const worker = place === 'worker' ? '; worker-src blob:' : '';
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.setContent(
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'${worker}">` +
      `<script type="text/plain" id="program">${found[1]}</script>`,
  );
  await page.evaluate(async (place) => {
    const text = document.getElementById('program')?.textContent ?? '';
    let port: Worker | MessagePort;
    if (place === 'worker') {
      port = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
    } else {
      const channel = new MessageChannel();
      (globalThis as { sheetwireFilesPort?: MessagePort }).sheetwireFilesPort = channel.port2;
      port = channel.port1;
      const script = document.createElement('script');
      script.textContent = text;
      setTimeout(() => document.body.append(script));
    }
    const heard = () =>
      new Promise<unknown>((resolve, reject) => {
        port.onmessage = (event: MessageEvent) => { resolve(event.data); };
        if ('onerror' in port) port.onerror = () => { reject(new Error('the program failed')); };
      });
    if ((await heard()) !== null) throw new Error('the program did not say that it is ready');
    globalThis.ask = async (order, files) => {
      const bytes = files.map((text) => new TextEncoder().encode(text));
      const reply = heard();
      port.postMessage({ text: JSON.stringify(order), files: bytes }, bytes.map(({ buffer }) => buffer));
      const answer = (await reply) as { text: string; files: Uint8Array[] };
      return { text: answer.text, files: answer.files.map((file) => new TextDecoder().decode(file)) };
    };
  }, place);
  return page;
}

const ask = async (page: Page, order: unknown, files: string[]): Promise<{ reply: unknown; files: string[] }> => {
  const answer = await page.evaluate(([order, files]) => globalThis.ask(order, files as string[]), [order, files] as const);
  return { reply: JSON.parse(answer.text) as unknown, files: answer.files };
};

const VARIABLE = {
  name: 'brand/500',
  kind: 'Color',
  values: [{ Value: { Color: { r: 1, g: 0, b: 0, a: 0.5 } } }, { Alias: { library: null, collection: null, name: 'brand/600' } }],
  description: '',
  scopes: null,
  code: [null, null, null],
  hidden: null,
};

for (const [form, dist] of [['WebAssembly', DIST], ['a script', DIST_UI_SCRIPT]] as const) {
  for (const place of ['worker', 'page'] as const) {
    test(`as ${form} in a ${place} it reads, refuses and writes`, async (t) => {
      const page = await started(t, dist, place);
      const read = await ask(page, { Read: [{ Separated: 'Tokens' }, { Pasted: 'Pasted' }] }, ['Name;Light\nspace/1;1,5\n', 'Name\tLight\r\na\t4/8']);
      assert.deepEqual(read.reply, {
        Read: {
          tables: [
            { title: 'Tokens', locale: 'de_DE', cells: 'tName\u001ftLight\u001etspace/1\u001ft1,5\u001e' },
            { title: 'Pasted', locale: 'en_US', cells: 'tName\u001ftLight\u001eta\u001ft4/8\u001e' },
          ],
          problems: [],
        },
      });
      const tokens = { Tokens: { collection: 'Colours', mode: 'Light' } };
      const bad = await ask(page, { Read: [tokens, tokens] }, ['{"a":{"$type":"number","$value":4}}', '{"a":']);
      assert.deepEqual(Object.keys(bad.reply as object), ['Refused']);
      const variables = { collections: [{ name: 'Colours', modes: ['Light', 'Dark'], variables: [VARIABLE] }] };
      const written = await ask(page, { Write: { format: 'Separated', variables, title: 'My: file' } }, []);
      assert.deepEqual(written.reply, { Written: { files: [{ name: 'My- file.csv', media: 'text/csv' }], problems: [] } });
      assert.deepEqual(written.files, [
        'Collection,Name,Type,Light,Dark,Description,Scopes,code:web,code:android,code:ios,Hidden\r\nColours,brand/500,COLOR,"rgba(255, 0, 0, 0.5)",{brand/600},,,,,,\r\n',
      ]);
      const workbook = await ask(page, { Write: { format: 'Workbook', variables, title: 'File' } }, []);
      assert.ok(workbook.files[0]?.startsWith('PK'), 'an XLSX is a ZIP archive');
    });
  }
}
