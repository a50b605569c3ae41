/**
 * Chromium for the end-to-end tests, and where the things under test are.
 *
 * Owns the browser's start and its flags. Must not know what is tested. A missing browser or program fails.
 */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, type Frame, type Page, chromium } from 'playwright-core';

import { ROOT } from '../figma-host/node.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A path from the environment, else one in the repository. */
function place(variable: string, otherwise: string): string {
  return process.env[variable] ?? join(ROOT, otherwise);
}

/** The built plugin, as tests/README.md tells. */
export const DIST = place('SHEETWIRE_TEST_DIST', 'dist');
/** The same with the panel as a script. */
export const DIST_UI_SCRIPT = place('SHEETWIRE_TEST_DIST_UI_SCRIPT', 'target/dist/ui-script');
/** A panel that draws the session states it is posted. */
export const GALLERY = place('SHEETWIRE_TEST_GALLERY', 'target/dist/gallery');
/** Folder of the servers' programs. */
export const PROGRAMS = join(place('SHEETWIRE_TEST_RELAY', 'target/debug/sheetwire-relay'), '..');

/** Bundles the pages once for a test file. */
export function buildPages(): void {
  execFileSync(process.execPath, [join(ROOT, 'tests/e2e/build.mjs')], { cwd: ROOT, stdio: 'inherit' });
}

/** A browser with a new profile. */
export async function launch(): Promise<Browser> {
  const executablePath = process.env['SHEETWIRE_TEST_CHROMIUM'] ?? process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) throw new Error(`there is no Chromium at ${executablePath}; set SHEETWIRE_TEST_CHROMIUM`);
  return chromium.launch({ executablePath, args: FLAGS });
}

/** A page of a desktop's size; what goes wrong in it is kept. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  return { page, errors };
}

/** The frame of the plugin's panel. */
export async function panelFrame(page: Page, holder = '#panel'): Promise<Frame> {
  const element = await page.waitForSelector(`${holder} iframe`);
  const frame = await element.contentFrame();
  if (!frame) throw new Error('the panel has no frame');
  await frame.waitForLoadState();
  return frame;
}
