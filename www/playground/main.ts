/**
 * The playground's page: runs the plugin in the fake Figma, draws the file beside it, and tells what is happening.
 *
 * Owns the page's wiring and its story. Must not know the plugin's insides: it sees the file, the sheet's events and
 * the messages that pass.
 */

import { loadQuickJs } from '../../tests/figma-host/browser.ts';
import { FileDocument } from '../../tests/figma-host/document.ts';
import { FigmaHost } from '../../tests/figma-host/host.ts';
import { IframePanel } from '../../tests/figma-host/iframe.ts';
import { readEnvelope } from '../../tests/figma-host/panel.ts';
import { ClientStorage } from '../../tests/figma-host/storage.ts';
import { Canvas } from './canvas.ts';
import { withLayers } from './layers.ts';
import { VariablesTable } from './variables.ts';
import type { Act, PageState, World } from './wire.ts';

/** From "live" to the change that comes by itself, in milliseconds. */
const STORY_PAUSE_MS = 2_000;
/** How long the file rests before it is kept, in milliseconds. */
const KEEP_PAUSE_MS = 600;
/** How long a toast stays, in milliseconds. */
const TOAST_MS = 5_000;
/** An edit whose change does not come in this time is not measured any more, in milliseconds. */
const MEASURE_MS_MAX = 20_000;

const REAL_GOOGLE = 'With real Google, add up to 5 s: the relay asks it every 5 s.';

function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no #${id}`);
  return element;
}

const elements = {
  story: find('story', HTMLElement),
  measured: find('measured', HTMLElement),
  network: find('network', HTMLButtonElement),
  rows: find('delete-rows', HTMLButtonElement),
  rollBack: find('roll-back', HTMLButtonElement),
  startOver: find('start-over', HTMLButtonElement),
  fileName: find('file-name', HTMLElement),
  variables: find('variables', HTMLElement),
  canvas: find('canvas', HTMLElement),
  window: find('window', HTMLElement),
  panel: find('panel', HTMLElement),
  reopen: find('reopen', HTMLButtonElement),
  toast: find('toast', HTMLElement),
  sheetName: find('sheet-name', HTMLElement),
  sheet: find('sheet', HTMLIFrameElement),
};

async function act(what: Act): Promise<World> {
  const reply = await fetch('/act', { method: 'POST', body: JSON.stringify(what) });
  if (!reply.ok) throw new Error(await reply.text());
  return (await reply.json()) as World;
}

/** How far the story is. */
type Told = 'opening' | 'waiting' | 'moving' | 'yours';

/** The page, once its state is there. */
class Page {
  readonly #state: PageState;
  readonly #storage: ClientStorage;
  #file: FileDocument;
  #host: FigmaHost | undefined;
  #table: VariablesTable;
  #canvas: Canvas;
  #drawing = false;
  /** Variables that changed since the last drawing. */
  readonly #changed = new Set<string>();
  #keeping: ReturnType<typeof setTimeout> | undefined;
  #toasting: ReturnType<typeof setTimeout> | undefined;
  /** The last edit of the sheet that no variable has followed yet. */
  #edit: { unix_ms: number; cell: string } | undefined;
  /** When the screen last showed a change of the file. */
  #lastChange_ms = 0;
  #told: Told = 'opening';
  #world: World;

  constructor(state: PageState) {
    this.#state = state;
    this.#world = state.world;
    this.#file = new FileDocument(state.file.document);
    this.#storage = new ClientStorage(state.file.clientStorage);
    this.#storage.changed = () => this.#keepSoon();
    this.#table = new VariablesTable(this.#file, elements.variables);
    this.#canvas = new Canvas(this.#file, elements.canvas);
    this.#observe();
    elements.fileName.textContent = this.#file.name;
    elements.sheetName.textContent = `${state.sheet.spreadsheetTitle} › ${state.sheet.sheetTitle}`;
    const range = state.story ? `&highlight=${state.story.address}` : '';
    elements.sheet.src = `${state.addresses.google}/grid/${state.sheet.spreadsheetId}?gid=${String(state.sheet.sheetId)}${range}`;
    elements.network.addEventListener('click', () => {
      void this.#press({ act: 'network', network: this.#world.network === 'up' ? 'down' : 'up' });
    });
    elements.rows.addEventListener('click', () => void this.#press({ act: 'rows', deleted: !this.#world.rowsDeleted }));
    elements.rollBack.addEventListener('click', () => {
      void this.#press({ act: 'roll_back', rolledBack: !this.#world.rolledBack });
    });
    elements.startOver.addEventListener('click', () => void this.#startOver());
    elements.reopen.addEventListener('click', () => void this.run());
    this.#showWorld();
    this.#followSheet();
  }

  /** The running plugin. */
  get host(): FigmaHost | undefined {
    return this.#host;
  }

  get file(): FileDocument {
    return this.#file;
  }

  /** Starts the plugin, or starts it again. */
  async run(): Promise<void> {
    this.#host?.dispose();
    const { code, html, manifest, webAssembly } = this.#state.plugin;
    this.#host = await FigmaHost.start({
      quickjs: await loadQuickJs('quickjs.wasm'),
      code,
      html,
      manifest,
      document: this.#file,
      clientStorage: this.#storage,
      user: this.#state.user,
      plan: 'organization',
      panel: (receive) =>
        new IframePanel(receive, elements.panel, {
          manifest,
          development: true,
          webAssembly,
          theme: 'light',
          frame: ({ options, visible, open }) => {
            elements.window.hidden = open && !visible;
            elements.window.classList.toggle('ended', !open);
            elements.window.style.setProperty('--panel-width', `${String(options.width)}px`);
            elements.window.style.setProperty('--panel-height', `${String(options.height)}px`);
          },
          watch: (direction, message) => {
            if (direction === 'toPanel' && readEnvelope(message)?.type === 'applied') this.#live();
          },
        }),
      surroundings: {
        notify: (message) => this.#toast(message),
        openExternal: (url) => void window.open(url, '_blank', 'noopener'),
        closed: (message) => {
          if (message !== undefined) this.#toast(message);
        },
        log: (level, text) => (level === 'error' ? console.error(text) : console.log(text)),
      },
    });
  }

  // The story.

  /** A run has ended: the file follows its sheet. */
  #live(): void {
    const { story } = this.#state;
    if (this.#told !== 'opening') return;
    if (!story) {
      this.#say('yours', 'Live.');
      return;
    }
    this.#say('waiting', `Live. In a moment, ${story.address} in the sheet below changes by itself.`);
    setTimeout(() => {
      const [value] = story.values;
      if (this.#told !== 'waiting' || value === undefined) return;
      this.#say('moving', `${story.address} becomes ${value}…`);
      this.#edit = { unix_ms: Date.now(), cell: story.address };
      void act({ act: 'edit', row: story.row, column: story.column, value });
    }, STORY_PAUSE_MS);
  }

  #say(told: Told, text: string): void {
    this.#told = told;
    elements.story.textContent = text;
    document.body.dataset['story'] = told;
  }

  /** Hears of every edit a person makes in the sheet, with the time at which it was made. */
  #followSheet(): void {
    const { google } = this.#state.addresses;
    window.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (event.origin !== google || event.source !== elements.sheet.contentWindow) return;
      const { type, cell, unixMs } = event.data as { type?: unknown; cell?: unknown; unixMs?: unknown };
      if (type !== 'edited' || typeof cell !== 'string' || typeof unixMs !== 'number') return;
      // The file may have followed before this message came.
      if (this.#lastChange_ms > unixMs) this.#measured(cell, this.#lastChange_ms - unixMs);
      else this.#edit = { unix_ms: unixMs, cell };
    });
  }

  /** A change of the file is on the screen. */
  #followed(): void {
    this.#lastChange_ms = Date.now();
    const edit = this.#edit;
    if (!edit) return;
    this.#edit = undefined;
    const passed_ms = this.#lastChange_ms - edit.unix_ms;
    if (passed_ms > MEASURE_MS_MAX) return;
    this.#measured(edit.cell, passed_ms);
    if (this.#told === 'moving') {
      this.#say('yours', `Now you: edit ${this.#state.story?.address ?? 'a cell'} in the sheet below.`);
    }
  }

  #measured(cell: string, passed_ms: number): void {
    elements.measured.textContent = `${cell} edited → variable, swatch and shapes changed ${String(passed_ms)} ms later. ${REAL_GOOGLE}`;
    elements.measured.dataset['passed'] = String(passed_ms);
  }

  // The file.

  #observe(): void {
    this.#file.observe((change) => {
      this.#table.note(change);
      if (change.kind === 'set' && change.entity === 'variable' && change.field === 'valuesByMode') this.#changed.add(change.id);
      this.#keepSoon();
      if (this.#drawing) return;
      this.#drawing = true;
      requestAnimationFrame(() => {
        this.#drawing = false;
        this.#draw();
      });
    });
  }

  #draw(): void {
    // The first run of a fresh file: now there is something to bind the shapes to.
    if (this.#file.layers.length === 0 && this.#host && !this.#host.closed) {
      const saved = withLayers(this.#file, this.#file.save());
      if (saved.layers.length > 0) {
        this.#file.addLayers(saved.layers);
        elements.canvas.replaceChildren();
        this.#canvas = new Canvas(this.#file, elements.canvas);
      }
    }
    this.#table.repaint();
    const [only] = this.#changed;
    if (this.#changed.size === 1 && only !== undefined) this.#table.reveal(only);
    this.#changed.clear();
    this.#canvas.repaint(true);
    this.#followed();
  }

  #keepSoon(): void {
    clearTimeout(this.#keeping);
    this.#keeping = setTimeout(() => {
      const kept = { document: this.#file.save(), clientStorage: this.#storage.save() };
      void fetch('/file', { method: 'PUT', body: JSON.stringify(kept) });
    }, KEEP_PAUSE_MS);
  }

  // The buttons.

  async #press(what: Act): Promise<void> {
    try {
      this.#world = await act(what);
    } catch (error) {
      this.#toast(error instanceof Error ? error.message : String(error));
    }
    this.#showWorld();
  }

  async #startOver(): Promise<void> {
    clearTimeout(this.#keeping);
    this.#host?.dispose();
    await act({ act: 'start_over' });
    location.reload();
  }

  #showWorld(): void {
    const { network, rowsDeleted, rolledBack } = this.#world;
    elements.network.setAttribute('aria-pressed', String(network === 'down'));
    elements.network.textContent = network === 'down' ? 'Connect the network' : 'Disconnect the network';
    elements.rows.setAttribute('aria-pressed', String(rowsDeleted));
    elements.rows.textContent = rowsDeleted ? 'Put the 40 rows back' : 'Delete 40 rows';
    elements.rollBack.setAttribute('aria-pressed', String(rolledBack));
    elements.rollBack.textContent = rolledBack ? 'Roll out again' : 'Roll back';
  }

  #toast(message: string): void {
    elements.toast.textContent = message;
    elements.toast.hidden = false;
    clearTimeout(this.#toasting);
    this.#toasting = setTimeout(() => {
      elements.toast.hidden = true;
    }, TOAST_MS);
  }
}

const reply = await fetch('/state');
const state = (await reply.json()) as PageState;
const page = new Page(state);
/** For those who look from outside: the end-to-end tests, a developer's console. */
(globalThis as { playground?: Page }).playground = page;
if (Object.keys(state.file.clientStorage).length === 0 || state.file.document.variables.length === 0) {
  elements.story.textContent = 'A file without variables. Sign in and connect a sheet in the plugin’s panel.';
}
await page.run();
