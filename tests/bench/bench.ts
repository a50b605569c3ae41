/**
 * The benchmarks of the plugin: `cargo xtask bench`. Sizes, start-up, the bench table (table.ts), and the way of an
 * edited cell from fake Google through the relay to the variable.
 *
 * Owns what is measured and against which budget of the design. Must not know how the parts work inside: it uses the
 * relay's wire, the panel's wire and the fake host, as the product's own parts do. Every ratio is of two figures of
 * the same run.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { chromium } from 'playwright-core';

import { FREE, emptyDocument, startHost, type FigmaHost } from '../figma-host/node.ts';
import { readEnvelope } from '../figma-host/panel.ts';
import { RelayClient, type Frame, type SheetRef } from '../journey/relay-client.ts';
import { firstRun, handOver, openPanel } from '../journey/scripted-panel.ts';
import { Servers, flagDocument } from '../journey/servers.ts';
import { demoPerson } from '../../www/playground/demo-person.ts';
import { DEMO_USER, control, makeSheet, targetingKey } from '../../www/playground/preparation.ts';
import { figure, median, quantile, section, verdict } from './report.ts';
import { browseVariables, scrollPlan } from './scroll.ts';
import { edit, synthetic } from './synthetic.ts';
import { type Program, type Scenario, table } from './table.ts';

const [scripts = '', programs = '', dist = '', gallery = '', executablePath = '', codeBytes = '', uiBytes = ''] = process.argv.slice(2);
const read = (name: string): string => readFileSync(join(dist, name), 'utf8');
const plugin = { code: read('code.js'), html: read('ui.html'), manifest: JSON.parse(read('manifest.json')) };
const script = (name: string) => ({ code: readFileSync(join(scripts, `${name}.js`), 'utf8'), html: '', manifest: plugin.manifest });
const baseline = script('baseline');
const compared: Program[] = [
  { name: 'Sheetwire', is: 'ours', ...plugin },
  { name: 'plain JavaScript', is: 'plain', ...baseline },
  { name: 'peer: import, sets everything', is: 'peer', ...script('import') },
  { name: 'peer: tokens, mode by mode', is: 'peer', ...script('tokens') },
];

/** What the table is made of. 40,000 variables have one mode each: four would only take four times as long. */
const SCENARIOS: Scenario[] = [
  { variables: 1_000, modes: 4, collections: 1, budgeted: true },
  { variables: 5_000, modes: 4, collections: 1, budgeted: true },
  { variables: 40_000, modes: 1, collections: 8, budgeted: false },
];
/** Variables of the file that is browsed, and how long a search in them may take, in milliseconds. */
const BROWSED = 5_000;
const SEARCH_MS_MAX = 50;
/** Size of the sheet whose edits go all the way, in variables, and its mode columns. */
const VARIABLES = 5_000;
const MODES = 4;
/** How often each thing is measured. */
const STARTS = 5;
const EDITS = 200;
/** From an edit that the relay knows to the variable, in milliseconds. */
const EDIT_P50_MS_MAX = 30;
const EDIT_P99_MS_MAX = 100;
/** From opening to a usable panel, in milliseconds. */
const PANEL_MS_MAX = 300;
/** Rows of the plan that is scrolled, and the longest frame meanwhile, in milliseconds: two of a screen of 60 Hz. */
const SCROLLED_ROWS = 5_000;
const FRAME_MS_MAX = 32;
/** Longest wait for one edit to arrive, in milliseconds. */
const EDIT_MS_MAX = 10_000;

/** A plugin whose flag is on, in an empty file. */
async function openPlugin(costs: typeof FREE): Promise<FigmaHost> {
  const host = await startHost({ ...plugin, document: emptyDocument('Bench'), user: DEMO_USER, plan: 'enterprise', costs, charge: 'clock', trace: false });
  await openPanel(host.ui);
  return host;
}

/** One joined WebSocket; frames that carry cells are handed to the one who waits. */
class Live {
  #waiting: ((frame: Frame) => void) | undefined;
  readonly #early: Frame[] = [];
  private constructor(readonly socket: WebSocket) {
    socket.addEventListener('message', (event: MessageEvent<string>) => {
      const frame = JSON.parse(event.data) as Frame;
      if (frame.type !== 'changes' && frame.type !== 'snapshot') return;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) waiting(frame);
      else this.#early.push(frame);
    });
  }

  static async join(relay: RelayClient, sheet: SheetRef): Promise<Live> {
    const { ticket } = await relay.call<{ ticket: string }>('/v1/tickets', sheet);
    const socket = new WebSocket(`${relay.origin.replace('http', 'ws')}/v1/live`);
    const live = new Live(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    socket.send(JSON.stringify({ type: 'join', v: 1, ticket }));
    return live;
  }

  next(): Promise<Frame> {
    const early = this.#early.shift();
    if (early) return Promise.resolve(early);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no frame came in time')), EDIT_MS_MAX);
      this.#waiting = (frame) => {
        clearTimeout(timer);
        resolve(frame);
      };
    });
  }
}

function sizes(): void {
  section('Sizes');
  // The program of files is started with the first import or export, and is no part of the opening: docs/adr/0005.
  const opening = plugin.html.replace(/<script type="text\/plain" id="files-program">[\s\S]*?<\/script>/, '');
  for (const [name, text, budget] of [['code.js', plugin.code, codeBytes], ['ui.html at opening', opening, uiBytes]] as const) {
    const bytes = Buffer.from(text);
    figure(name, bytes.length, 'bytes', Number(budget));
    figure(`${name}, gzipped`, gzipSync(bytes, { level: 9 }).length, 'bytes');
  }
}

async function startUp(): Promise<void> {
  section('Start-up');
  const times = async (program: typeof plugin): Promise<number[]> => {
    const taken: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      const host = await startHost({ ...program, document: emptyDocument('Bench'), user: DEMO_USER, trace: false });
      taken.push(host.slices.total_ms);
      host.dispose();
    }
    return taken;
  };
  figure('sandbox: code.js read and run in QuickJS, median', median(await times(plugin)), 'ms');
  figure('  plain JavaScript, median', median(await times(baseline)), 'ms');

  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'] });
  try {
    const ready: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      const page = await browser.newPage();
      ready.push(await page.evaluate(async (html) => {
        const started = performance.now();
        const frame = document.createElement('iframe');
        frame.sandbox.add('allow-scripts');
        frame.srcdoc = html;
        const first = new Promise((resolve, reject) => {
          window.addEventListener('message', resolve, { once: true });
          setTimeout(() => { reject(new Error('the panel said nothing in time')); }, 10_000);
        });
        document.body.append(frame);
        await first;
        return performance.now() - started;
      }, plugin.html));
      await page.close();
    }
    figure('panel: ui.html to its first message, in Chromium, median', median(ready), 'ms', PANEL_MS_MAX);

    section(`Scrolling a plan of ${String(SCROLLED_ROWS)} rows in Chromium`);
    const { shown_ms, frames_ms } = await scrollPlan(browser, readFileSync(join(gallery, 'ui.html'), 'utf8'), SCROLLED_ROWS);
    figure('from the message to the first line', shown_ms, 'ms');
    figure(`between two frames, ${String(frames_ms.length)} frames, p50`, quantile(frames_ms, 0.5), 'ms');
    figure('  longest', Math.max(...frames_ms), 'ms', FRAME_MS_MAX);

    section(`Browsing ${String(BROWSED)} variables × 4 modes in Chromium`);
    const browsed = await browseVariables(browser, readFileSync(join(gallery, 'ui.html'), 'utf8'), BROWSED);
    figure('from the message to the first line', browsed.shown_ms, 'ms', PANEL_MS_MAX);
    figure(`between two frames, ${String(browsed.frames_ms.length)} frames, p50`, quantile(browsed.frames_ms, 0.5), 'ms');
    figure('  longest', Math.max(...browsed.frames_ms), 'ms', FRAME_MS_MAX);
    figure('slowest search', Math.max(...browsed.searches_ms), 'ms', SEARCH_MS_MAX);
  } finally {
    await browser.close();
  }
}

async function edits(servers: Servers, variables: number): Promise<void> {
  const rows = synthetic(variables, MODES);
  const google = servers.google.origin;
  const sheet = await makeSheet(google, `Bench ${String(variables)}`, { title: 'Tokens', rows } as Parameters<typeof makeSheet>[2]);
  const relay = new RelayClient(servers.relay.origin);
  await relay.signIn(demoPerson(google, [sheet.ref.spreadsheet_id]));
  const snapshot = await relay.snapshot(sheet.ref);

  section(`One edited cell, ${String(variables)} variables × ${String(MODES)} modes`);
  const host = await openPlugin(FREE);
  await firstRun(host.ui, sheet.ref, snapshot);
  await host.idle();
  const live = await Live.join(relay, sheet.ref);
  await live.next(); // the join's snapshot

  const totals: number[] = [];
  const known: number[] = [];
  for (let step = 0; step < EDITS; step += 1) {
    const { row, column, value } = edit(step, variables, MODES);
    let written = 0;
    const stop = host.document.observe(() => {
      written = performance.now();
    });
    const started = performance.now();
    const arrives = live.next();
    await control(google, 'edit', { spreadsheetId: sheet.ref.spreadsheet_id, sheetId: sheet.ref.sheet_id, cells: [{ row, column, value }] });
    const frame = await arrives;
    if (frame.type !== 'changes') throw new Error(`edit ${String(step)} came as ${frame.type}`);
    handOver(host.ui, sheet.ref, frame);
    await host.ui.nextRaw((message) => readEnvelope(message)?.type === 'applied', EDIT_MS_MAX);
    await host.idle();
    stop();
    if (written === 0) throw new Error(`edit ${String(step)} wrote nothing: ${JSON.stringify(host.ui.messages.at(-1)).slice(0, 400)}`);
    totals.push(written - started);
    known.push(performance.timeOrigin + written - frame.seen_unix_ms);
  }
  live.socket.close();
  figure(`edit at fake Google → variable written, ${String(EDITS)} edits, p50`, quantile(totals, 0.5), 'ms');
  figure('  p99', quantile(totals, 0.99), 'ms');
  figure('edit known to the relay → variable written, p50', quantile(known, 0.5), 'ms', EDIT_P50_MS_MAX);
  figure('  p99', quantile(known, 0.99), 'ms', EDIT_P99_MS_MAX);

  host.dispose();
}

sizes();
await startUp();
for (const scenario of SCENARIOS) await table(compared, scenario);
const { key } = await targetingKey(plugin);
const port = await freePort();
const servers = await Servers.start(programs, {
  SHEETWIRE_LISTEN: `127.0.0.1:${String(port)}`,
  SHEETWIRE_PUBLIC_URL: `http://localhost:${String(port)}`,
  SHEETWIRE_WEBHOOK_URL: `http://localhost:${String(port)}`,
  // Google's quota would let one edit a second through: what is measured is the way, not the waiting for a turn.
  SHEETWIRE_POLL_READS_PER_MINUTE: '60000',
  SHEETWIRE_POLL_ACTIVE_MS: '300',
  SHEETWIRE_POLL_REFRESH_MIN_MS: '100',
});
await control(servers.google.origin, 'settings', {
  quota: { readsPerProject: 1e6, writesPerProject: 1e6, readsPerUser: 1e6, writesPerUser: 1e6 },
  versionDelayMs: 0,
  noticeDelayMs: 0,
});
servers.writeFlags(flagDocument([key]));
try {
  await edits(servers, VARIABLES);
} finally {
  await servers.stop();
}
verdict();

/** A free port, so that Google can be told the relay's address before the relay listens. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return free;
}
