/** The built plugin, both programs, opening in Chromium while the flag is off: usable at once, one request, nothing else. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Frame, Page } from 'playwright-core';

import { FileDocument, ROOT, readManifest } from '../figma-host/node.ts';
import { VariableModel } from '../figma-host/model.ts';
import { Network, type Wire } from '../journey/network.ts';
import { DIST, DIST_UI_SCRIPT, buildPages, launch, openPage, panelFrame } from './chromium.ts';
import type { PanelPlugin } from './panel-page.ts';

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

/** An answer as the relay would give it: this user is not in the rollout. */
const NOT_YET = JSON.stringify({ flags: [{ key: 'realtime-sync', value: false, reason: 'SPLIT', variant: 'off' }] });

async function open(t: TestContext, wire: Wire, dist = DIST, theme: PanelPlugin['theme'] = 'light'): Promise<{ page: Page; frame: Frame; errors: string[]; network: Network }> {
  const relay = createServer((request, reply) => {
    reply.setHeader('access-control-allow-origin', '*');
    reply.setHeader('access-control-allow-headers', '*');
    if (request.method === 'OPTIONS') { reply.writeHead(204).end(); return; }
    reply.setHeader('content-type', 'application/json');
    reply.end(NOT_YET);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const network = await Network.start(() => `http://localhost:${String((relay.address() as AddressInfo).port)}`);
  network.set(wire);
  const manifest = readManifest();
  const from = 'http://localhost:8787';
  const html = (await readFile(join(dist, 'ui.html'), 'utf8')).replace(`content="${from}"`, `content="${network.origin}"`);
  const plugin: PanelPlugin = {
    code: await readFile(join(dist, 'code.js'), 'utf8'),
    html,
    manifest: { ...manifest, networkAccess: { allowedDomains: ['none'], devAllowedDomains: [network.origin, network.origin.replace('http', 'ws')], reasoning: 'a test' } },
    webAssembly: dist === DIST ? 'allowed' : 'refused',
    theme,
    document: file().save(),
  };
  const server = createServer((request, reply) => {
    void (async () => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      if (path === '/') {
        // As wide and high as the panel asks to be, so that pictures show what a designer sees.
        const page = '<!doctype html><body style="margin:0"><div id="panel" style="width:400px;height:640px"></div><script type="module" src="main.js"></script>';
        reply.setHeader('content-type', 'text/html').end(page);
      } else if (path === '/plugin') {
        reply.setHeader('content-type', 'application/json').end(JSON.stringify(plugin));
      } else if (path === '/main.js' || path === '/quickjs.wasm') {
        reply.setHeader('content-type', path.endsWith('js') ? 'text/javascript' : 'application/wasm');
        reply.end(await readFile(join(ROOT, 'target/js-tests/panel-page', path)));
      } else {
        reply.writeHead(404).end();
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    relay.closeAllConnections();
    server.close();
    relay.close();
    await network.stop();
  });
  const { page, errors } = await openPage(browser, `http://localhost:${String((server.address() as AddressInfo).port)}/`);
  t.after(() => page.close());
  return { page, frame: await panelFrame(page), errors, network };
}

/** The panel is usable: the variables are there and the search answers. */
async function usable(frame: Frame): Promise<void> {
  await frame.waitForSelector('.row:not(.collection)');
  await frame.fill('input[type=search]', 'tone-999');
  await frame.waitForFunction(() => document.querySelectorAll('.row:not(.collection)').length === 1);
  assert.match(await frame.innerText('.row:not(.collection)'), /color\/tone-999/);
  await frame.fill('input[type=search]', '');
}

for (const [kind, dist] of [['WebAssembly', DIST], ['a script, where the host refuses WebAssembly', DIST_UI_SCRIPT]] as const) {
  test(`as ${kind}: the file is listed, the tab says why it is off, and one evaluation is asked for`, async (t) => {
    const { page, frame, errors, network } = await open(t, 'up', dist);
    await usable(frame);
    await frame.click('#tab-sync');
    assert.match(await frame.innerText('#panel-sync'), /Not switched on for you yet/);
    await frame.press('#tab-sync', 'ArrowLeft');
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
    assert.ok((await frame.locator('.row').count()) < 100);
    await frame.evaluate(() => { const list = document.querySelector('.list'); if (list) list.scrollTop = list.scrollHeight; });
    await frame.waitForFunction(() => document.body.innerText.includes('tone-999'));
  }
  assert.notEqual(seen[0], seen[1]);
});
