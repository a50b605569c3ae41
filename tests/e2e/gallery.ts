/**
 * The panel as its tests see it: it draws the states it is posted and posts what is pressed (tests/README.md).
 *
 * Owns the page around it and the search for faults in its accessibility. Must not know the states.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import type { Browser, Frame, Page } from 'playwright-core';

import { ROOT } from '../figma-host/node.ts';
import { type Theme, themeStyle } from '../figma-host/theme.ts';
import { GALLERY } from './chromium.ts';
import { ACCOUNT, type Exhibit } from './views.ts';

/** Rules about whole pages; the panel is a part of Figma's. */
const RULES_OF_PAGES = ['landmark-one-main', 'page-has-heading-one', 'region'];

/** The gallery's panel, drawn by what `show` posts; `told` waits for what was pressed. */
export interface Opened { page: Page; frame: Frame; show: (exhibit: Exhibit) => Promise<void>; told: (actions: unknown[]) => Promise<void> }

/** Opens the gallery's panel; errors of its page fail the test. */
export async function openGallery(t: TestContext, browser: Browser, theme: Theme, size: { width: number; height: number }): Promise<Opened> {
  const page = await browser.newPage({ viewport: size });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  t.after(async () => {
    await page.close();
    assert.deepEqual(errors, []);
  });
  await page.setContent('<!doctype html><html lang="en"><title>Panel</title><body style="margin:0"><script>heard = []; onmessage = (event) => heard.push(event.data)</script>');
  const html = readFileSync(join(GALLERY, 'ui.html'), 'utf8').replace('</head>', () => `<style>${themeStyle(theme)}</style></head>`);
  await page.evaluate(([source, width, height]) => {
    const frame = document.createElement('iframe');
    frame.title = 'Sheetwire';
    Object.assign(frame.style, { border: '0', display: 'block', width: `${String(width)}px`, height: `${String(height)}px` });
    frame.srcdoc = String(source);
    document.body.append(frame);
  }, [html, size.width, size.height]);
  const heard = () => page.evaluate(() => (globalThis as unknown as { heard: Record<string, string>[] }).heard);
  await page.waitForFunction(() => (globalThis as unknown as { heard: unknown[] }).heard.length > 0);
  const frame = await (await page.waitForSelector('iframe')).contentFrame();
  assert.ok(frame);
  return {
    page,
    frame,
    show: async (exhibit) => {
      await page.evaluate((text) => {
        document.querySelector('iframe')?.contentWindow?.postMessage(text, '*');
      }, JSON.stringify({ account: ACCOUNT, notice: null, ...exhibit }));
      // Two frames: one in which the view is drawn, one in which the focus has moved.
      await frame.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)))));
      assert.deepEqual((await heard()).filter((message) => 'unreadable' in message), []);
    },
    // Messages arrive later than the press returns, so as many as are expected are waited for.
    told: async (expected) => {
      const told = async () => (await heard()).flatMap((message) => ('action' in message ? [JSON.parse(String(message['action'])) as unknown] : []));
      const until = Date.now() + 5_000;
      while ((await told()).length < expected.length && Date.now() < until) await page.waitForTimeout(20);
      assert.deepEqual(await told(), expected);
    },
  };
}

const axe = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');

/** What axe-core finds in the panel, a line each. */
export async function findings(frame: Frame): Promise<string[]> {
  if (!(await frame.evaluate(() => 'axe' in globalThis))) await frame.evaluate(axe);
  return frame.evaluate(async (rules) => {
    const { axe: runner } = globalThis as unknown as { axe: { run: (context: Document, options: unknown) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } };
    const disabled = Object.fromEntries(rules.map((rule) => [rule, { enabled: false }]));
    const { violations } = await runner.run(document, { rules: disabled });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`));
  }, RULES_OF_PAGES);
}
