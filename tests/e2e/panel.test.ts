/** The panel in a browser as Figma hosts it: no origin, the manifest's policy, messages, theme, windows. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, after, before, test } from 'node:test';

import type { Browser, Frame, Page } from 'playwright-core';

import type { FigmaHost } from '../figma-host/host.ts';
import { ROOT, readManifest } from '../figma-host/node.ts';
import { buildPages, launch, openPage, panelFrame } from './chromium.ts';
import type { PanelPlugin } from './panel-page.ts';

declare global {
  /** Set by panel-page.ts. */
  var host: FigmaHost | undefined;
}

let browser: Browser;
before(async () => {
  buildPages();
  browser = await launch();
});
after(() => browser.close());

const CODE = `
  figma.showUI(__html__, { width: 300, height: 200, themeColors: true });
  figma.ui.postMessage('posted before the page has loaded');
  figma.ui.onmessage = (message, { origin }) => {
    if (message === 'hide') figma.ui.hide();
    if (message === 'resize') figma.ui.resize(420, 333);
    figma.ui.postMessage({ echo: message, origin });
  };
`;

const HTML = `<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body><script>
  window.received = [];
  onmessage = (event) => received.push(event.data.pluginMessage);
  window.send = (message) => parent.postMessage({ pluginMessage: message }, '*');
</script></body></html>`;

interface Opened {
  page: Page;
  frame: Frame;
  errors: string[];
  /** Requests that reached this server, by path. */
  asked: string[];
  origin: string;
}

async function open(t: TestContext, options: Partial<PanelPlugin> & { allow?: boolean } = {}): Promise<Opened> {
  const asked: string[] = [];
  let plugin: PanelPlugin;
  const server = createServer((request: IncomingMessage, reply) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    asked.push(path);
    reply.setHeader('access-control-allow-origin', '*');
    if (path === '/') reply.setHeader('content-type', 'text/html').end('<!doctype html><div id="panel"></div><script type="module" src="main.js"></script>');
    else if (path === '/plugin') reply.end(JSON.stringify(plugin));
    else if (path === '/main.js' || path === '/quickjs.wasm') {
      reply.setHeader('content-type', path.endsWith('js') ? 'text/javascript' : 'application/wasm');
      void readFile(join(ROOT, 'target/js-tests/panel-page', path)).then((bytes) => reply.end(bytes));
    } else reply.end(`origin ${String(request.headers.origin)}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${String((server.address() as AddressInfo).port)}`;
  const manifest = readManifest();
  plugin = {
    code: CODE,
    html: HTML,
    manifest: {
      ...manifest,
      networkAccess: { allowedDomains: ['none'], devAllowedDomains: options.allow ? [origin] : [], reasoning: 'a test' },
    },
    webAssembly: 'allowed',
    theme: 'light',
    ...options,
  };
  t.after(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { page, errors } = await openPage(browser, origin);
  t.after(() => page.close());
  const frame = await panelFrame(page);
  return { page, frame, errors, asked, origin };
}

const received = async (frame: Frame, count: number): Promise<unknown[]> => {
  await frame.waitForFunction((wanted) => (window as unknown as { received: unknown[] }).received.length >= wanted, count, { polling: 20 });
  return frame.evaluate(() => (window as unknown as { received: unknown[] }).received);
};
const send = (frame: Frame, message: unknown) =>
  frame.evaluate((value) => (window as unknown as { send: (message: unknown) => void }).send(value), message);

test('messages go both ways; those posted early wait for the page; the origin is null', async (t) => {
  const opened = await open(t);
  const text = 'naïve 🎨 \u001e\u001f';
  await send(opened.frame, { text, list: [1, { deep: true }] });
  assert.deepEqual(await received(opened.frame, 2), [
    'posted before the page has loaded',
    { echo: { text, list: [1, { deep: true }] }, origin: 'null' },
  ]);
  assert.equal(await opened.frame.evaluate(() => window.origin), 'null');
  assert.equal(await opened.frame.evaluate(() => {
    try { return String(localStorage.length); } catch { return 'refused'; }
  }), 'refused');
  assert.deepEqual(opened.errors, []);
});

test('functions can not be posted, bytes can', async (t) => {
  const opened = await open(t);
  assert.equal(await opened.frame.evaluate(() => {
    try { parent.postMessage({ pluginMessage: () => 1 }, '*'); return 'posted'; } catch { return 'refused'; }
  }), 'refused');
  await opened.frame.evaluate(() => parent.postMessage({ pluginMessage: new Uint8Array([1, 2]) }, '*'));
  await received(opened.frame, 2);
  assert.deepEqual(await opened.frame.evaluate(() => {
    const { echo } = (window as unknown as { received: { echo: unknown }[] }).received[1] ?? {};
    return echo instanceof Uint8Array ? [...echo] : 'no bytes';
  }), [1, 2]);
});

test('the plugin can resize and hide the panel, which goes on running', async (t) => {
  const opened = await open(t);
  await send(opened.frame, 'resize');
  await send(opened.frame, 'hide');
  await received(opened.frame, 3);
  assert.equal(await opened.page.getAttribute('#panel', 'data-size'), '420x333');
  assert.equal(await opened.page.isHidden('#panel'), true);
  await send(opened.frame, 'still here');
  await received(opened.frame, 4);
});

test('requests reach what the manifest allows, with no origin, and nothing else', async (t) => {
  const reach = (frame: Frame, url: string) =>
    frame.evaluate(async (target) => fetch(target).then((reply) => reply.text()).catch(() => 'refused'), url);
  const allowed = await open(t, { allow: true });
  assert.equal(await reach(allowed.frame, `${allowed.origin}/relay`), 'origin null');
  assert.equal(await reach(allowed.frame, 'http://localhost:9/elsewhere'), 'refused');
  const refused = await open(t);
  assert.equal(await reach(refused.frame, `${refused.origin}/relay`), 'refused');
  assert.ok(!refused.asked.includes('/relay'));
});

test('WebAssembly runs where the policy allows it and is refused where it does not', async (t) => {
  const compile = () =>
    WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => 'ran', () => 'refused');
  for (const [webAssembly, outcome] of [['allowed', 'ran'], ['refused', 'refused']] as const) {
    const opened = await open(t, { webAssembly });
    assert.equal(await opened.frame.evaluate(compile), outcome);
  }
});

test('code from text is refused by the policy', async (t) => {
  const opened = await open(t);
  // In a task of the page's own: what the test evaluates is not under the policy.
  await opened.frame.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = `setTimeout(() => { try { new Function('return 1')(); send('ran'); } catch { send('refused'); } })`;
    document.head.append(script);
  });
  const [, reply] = (await received(opened.frame, 2)) as [unknown, { echo: string }];
  assert.equal(reply.echo, 'refused');
});

for (const theme of ['light', 'dark'] as const) {
  test(`the ${theme} theme's class and colours are on the page`, async (t) => {
    const opened = await open(t, { theme });
    const [classed, background] = await opened.frame.evaluate(() => [
      document.documentElement.className,
      getComputedStyle(document.documentElement).getPropertyValue('--figma-color-bg'),
    ]);
    assert.equal(classed, `figma-${theme}`);
    assert.equal(background, theme === 'light' ? '#ffffff' : '#2c2c2c');
  });
}

test('a window that the panel opens has no way back', async (t) => {
  const opened = await open(t);
  const [popup] = await Promise.all([
    opened.page.context().waitForEvent('page'),
    opened.frame.evaluate((url) => String(window.open(url, '_blank')), `${opened.origin}/signin`),
  ]);
  await popup.waitForLoadState();
  assert.equal(await popup.evaluate(() => window.opener === null), true);
  assert.equal(await popup.evaluate(() => location.pathname), '/signin');
});

test('the document is the same in the browser as in Node: values are 32-bit, traces are kept', async (t) => {
  const opened = await open(t, {
    code: `
      const made = figma.variables.createVariableCollection('Numbers');
      figma.variables.createVariable('tenth', made, 'FLOAT').setValueForMode(made.defaultModeId, 0.1);
      figma.showUI(__html__);
    `,
  });
  const [value, call] = await opened.page.evaluate(() => [
    Object.values(globalThis.host?.document.variables[0]?.valuesByMode ?? {})[0],
    globalThis.host?.trace[0]?.call,
  ]);
  assert.equal(value, Math.fround(0.1));
  assert.equal(call, 'variables.createVariableCollection');
});
