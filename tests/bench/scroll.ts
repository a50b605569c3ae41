/**
 * How long lists behave in the panel, in Chromium: a plan's and the file's variables.
 *
 * Owns the measuring of frames and of a search. Must not know how lines are drawn: it scrolls a view, types, and looks at
 * the clock.
 */

import type { Browser, Frame } from 'playwright-core';

import { themeStyle } from '../figma-host/theme.ts';
import { large } from '../e2e/listing.ts';
import { ACCOUNT, type Exhibit, preview } from '../e2e/views.ts';

/** Frames that are scrolled, and how far each, in CSS pixels: about two views, which no line outlives. */
const FRAMES = 300;
const STEP_PX = 1_000;
/** Frames after opening that are not counted. */
const SETTLING_FRAMES = 20;
/** What is searched for, one after the other: much, little, a group, nothing, everything. */
const SEARCHES = ['tone-4', 'tone-499', 'group-7/', 'nothing has this', ''];

/** What was measured, in milliseconds. */
export interface Scrolled { shown_ms: number; frames_ms: number[] }

/** Opens the gallery's panel with an exhibit, waits for its first line, and goes on. */
async function inPanel<T>(browser: Browser, html: string, exhibit: Exhibit, go: (frame: Frame, shown_ms: number) => Promise<T>): Promise<T> {
  const page = await browser.newPage({ viewport: { width: 480, height: 640 } });
  try {
    await page.setContent('<!doctype html><body style="margin:0">');
    await page.evaluate(async ([source]) => {
      const frame = document.createElement('iframe');
      Object.assign(frame.style, { border: '0', width: '480px', height: '640px' });
      frame.srcdoc = String(source);
      const open = new Promise((resolve) => { window.addEventListener('message', resolve, { once: true }); });
      document.body.append(frame);
      await open;
    }, [html.replace('</head>', () => `<style>${themeStyle('light')}</style></head>`)]);
    const frame = await (await page.waitForSelector('iframe')).contentFrame();
    if (!frame) throw new Error('the panel has no frame');
    const shown_ms = await frame.evaluate(async (text) => {
      const started = performance.now();
      window.postMessage(text, '*');
      while (!document.querySelector('.line')) await new Promise((resolve) => requestAnimationFrame(resolve));
      return performance.now() - started;
    }, JSON.stringify({ account: ACCOUNT, notice: null, ...exhibit }));
    return await go(frame, shown_ms);
  } finally {
    await page.close();
  }
}

/** Scrolls a view, a step each frame. */
const scroll = (frame: Frame, view: string): Promise<number[]> => frame.evaluate(async ([selector, frames, step, settling]) => {
  const view = document.querySelector(String(selector));
  if (!view) throw new Error('there is no view');
  const taken: number[] = [];
  const next = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
  let before = await next();
  for (let at = 0; at < Number(frames) + Number(settling); at += 1) {
    const counted = at >= Number(settling);
    if (counted) view.scrollTop += Number(step);
    const now = await next();
    if (counted) taken.push(now - before);
    before = now;
  }
  return taken;
}, [view, FRAMES, STEP_PX, SETTLING_FRAMES]);

/** Scrolls through a plan of so many rows. */
export function scrollPlan(browser: Browser, html: string, rows: number): Promise<Scrolled> {
  return inPanel(browser, html, { state: { previewing: preview(rows, { created: rows }) } }, async (frame, shown_ms) => ({
    shown_ms, frames_ms: await scroll(frame, '#panel-sync .view'),
  }));
}

/** Scrolls and searches so many variables; a search ends with the frame that shows what was found. */
export function browseVariables(browser: Browser, html: string, variables: number): Promise<Scrolled & { searches_ms: number[] }> {
  return inPanel(browser, html, { state: 'signed_out', tab: 'variables', listing: large(variables) }, async (frame, shown_ms) => {
    const frames_ms = await scroll(frame, '#variable-scroller');
    const searches_ms = await frame.evaluate(async (searches) => {
      const field = document.querySelector<HTMLInputElement>('#panel-variables input[type=search]');
      if (!field) throw new Error('there is no search');
      const taken: number[] = [];
      for (const search of searches) {
        const started = performance.now();
        field.value = search;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        taken.push(performance.now() - started);
      }
      return taken;
    }, SEARCHES);
    return { shown_ms, frames_ms, searches_ms };
  });
}
