/**
 * The demo without a screen: `node xtask/js/demo-check.mjs CHROMIUM PICTURE SERVE [argument…]`.
 * Starts the playground's server, opens its page in Chromium, and succeeds when the cell that changes by itself has
 * changed a variable to that cell's colour. PICTURE, when not empty, is where the page is then drawn, with the tab open.
 *
 * Owns the watching from outside. Must not know how the page or the plugin does it. Ends what it started, and nothing
 * else.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

/** Longest wait for the server's address, and for the change to reach the variable, in milliseconds. */
const SERVER_MS_MAX = 120_000;
const STORY_MS_MAX = 120_000;
/** Lines of the page's console that are kept for a failure's message. */
const LINES_MAX = 40;

const [executablePath, picture, ...serve] = process.argv.slice(2);
// The kernel ends the server, and the server its own, when this process is killed; see tests/journey/servers.ts.
const guard = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'] : [];
const [command, ...before] = [...guard, process.execPath];
const server = spawn(command, [...before, ...serve], { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise((resolve) => server.once('exit', resolve));
const lines = [];
let browser;

try {
  const address = await serverAddress();
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.on('console', (message) => keep(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => keep(`error: ${error.message}`));
  await page.goto(address);
  const { story } = await (await fetch(new URL('/state', address))).json();
  const wanted = story.values[0];
  const before = await page.evaluate(colours);
  await page.waitForFunction(() => document.body.dataset.story === 'yours', undefined, { timeout: STORY_MS_MAX });
  const after = await page.evaluate(colours);
  const changed = Object.keys(after).filter((place) => before[place] !== after[place]);
  if (!changed.some((place) => after[place] === wanted.toLowerCase())) {
    throw new Error(`${story.address} became ${wanted}, and no variable did; changed: ${changed.join(', ') || 'none'}`);
  }
  console.log(`${story.address} became ${wanted} in the sheet, and so did ${changed.join(', ')}.`);
  console.log(await page.textContent('#measured'));
  if (picture !== '') {
    const panel = await (await page.waitForSelector('#panel iframe')).contentFrame();
    await panel.getByRole('tab', { name: 'Real-Time Sync' }).click();
    await panel.locator('.link-status').waitFor();
    await page.screenshot({ path: picture });
    console.log(`drawn in ${picture}`);
  }
} catch (error) {
  console.error(`the demo did not come to its point: ${error.message}`);
  for (const line of lines) console.error(`  ${line}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  server.kill('SIGTERM');
  await ended;
}

function keep(line) {
  lines.push(line);
  if (lines.length > LINES_MAX) lines.shift();
}

/** Passes on what the server prints, and gives the address when it says one. */
function serverAddress() {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server did not say its address in time')), SERVER_MS_MAX);
    createInterface({ input: server.stdout }).on('line', (line) => {
      console.log(line);
      const found = /^playground on (http:\/\/\S+)$/.exec(line);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    });
    server.once('exit', (status) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with ${status}`));
    });
  });
}

/** In the page: every opaque colour of the file as hex, by variable and mode. */
function colours() {
  const hex = ({ r, g, b }) => `#${[r, g, b].map((part) => Math.round(part * 255).toString(16).padStart(2, '0')).join('')}`;
  const found = {};
  for (const variable of globalThis.playground.file.save().variables) {
    for (const [mode, value] of Object.entries(variable.valuesByMode)) {
      if (typeof value === 'object' && 'r' in value) found[`${variable.name} (${mode})`] = hex(value);
    }
  }
  return found;
}
