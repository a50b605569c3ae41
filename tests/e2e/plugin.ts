/**
 * The built plugin, both programs, in Chromium, with a relay that answers the flag evaluation alone.
 *
 * Owns the page's servers. Must not know what is tested.
 */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { Browser, Frame, Page } from 'playwright-core';

import type { StoredDocument } from '../figma-host/document.ts';
import { ROOT, readManifest } from '../figma-host/node.ts';
import { Network, type Wire } from '../journey/network.ts';
import { DIST, openPage, panelFrame } from './chromium.ts';
import type { PanelPlugin } from './panel-page.ts';

/** An answer as the relay would give it: this user is not in the rollout. */
const NOT_YET = JSON.stringify({ flags: [{ key: 'realtime-sync', value: false, reason: 'SPLIT', variant: 'off' }] });

/** What is opened, and how. */
export interface Opening {
  wire: Wire;
  document: StoredDocument;
  dist?: string;
  theme?: PanelPlugin['theme'];
}

/** Opens the built plugin as Figma would, 400 by 640 pixels, with a relay that keeps its user out of the rollout. */
export async function openPlugin(t: TestContext, browser: Browser, { wire, document, dist = DIST, theme = 'light' }: Opening): Promise<{ page: Page; frame: Frame; errors: string[]; network: Network }> {
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
    document,
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
