/**
 * How a long plan scrolls in the panel, in Chromium.
 *
 * Owns the measuring of its frames. Must not know how the tree draws them: it scrolls the view and looks at the clock.
 */

import type { Browser } from 'playwright-core';

import { themeStyle } from '../figma-host/theme.ts';
import { ACCOUNT, preview } from '../e2e/views.ts';

/** Frames that are scrolled, and how far each, in CSS pixels: about two views, which no line outlives. */
const FRAMES = 300;
const STEP_PX = 1_000;
/** Frames after opening that are not counted. */
const SETTLING_FRAMES = 20;

/** What was measured, in milliseconds. */
export interface Scrolled { shown_ms: number; frames_ms: number[] }

/** Opens the gallery's panel with a plan of so many rows and scrolls through it, a step each frame. */
export async function scrollPlan(browser: Browser, html: string, rows: number): Promise<Scrolled> {
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
    const exhibit = JSON.stringify({ account: ACCOUNT, notice: null, state: { previewing: preview(rows, { created: rows }) } });
    const shown_ms = await frame.evaluate(async (text) => {
      const started = performance.now();
      window.postMessage(text, '*');
      while (!document.querySelector('.line')) await new Promise((resolve) => requestAnimationFrame(resolve));
      return performance.now() - started;
    }, exhibit);
    const frames_ms = await frame.evaluate(async ([frames, step, settling]) => {
      const view = document.querySelector('#panel-sync .view');
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
    }, [FRAMES, STEP_PX, SETTLING_FRAMES]);
    return { shown_ms, frames_ms };
  } finally {
    await page.close();
  }
}
