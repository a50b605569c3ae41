/**
 * The fake Figma: runs a plugin's script in QuickJS against a document, as Figma's sandbox runs it, in Node and in
 * the browser alike.
 *
 * Owns the sandbox's life, its tasks, timers and clock, the trace of calls and the lengths of slices. Must not know
 * what the plugin is for, how a panel is drawn (panel.ts, iframe.ts), or Figma's rules (model.ts).
 *
 * A *task* is what runs between two returns to the event loop: a timer, a message, an answer from the disk. A task
 * goes on through every `await` of a document call, because Figma answers those at once; other people's edits may
 * still come in at each of them. The longest task is the longest slice, wall time and charged cost together.
 */

import type { QuickJSContext, QuickJSHandle, QuickJSRuntime, QuickJSWASMModule } from 'quickjs-emscripten';

import { fromJson, toJson } from './clone.ts';
import { type Costs, FREE } from './costs.ts';
import { FileDocument, type StoredDocument } from './document.ts';
import { type Manifest, allowedSources, commands, manifestProblems, reachable } from './manifest.ts';
import { FigmaError, type Plan, VariableModel } from './model.ts';
import type { Crossing, Native } from './native.ts';
import { type Panel, type Receive, ScriptedPanel } from './panel.ts';
import type { Entry } from './prelude.ts';
import { ClientStorage } from './storage.ts';
import { UndoHistory } from './undo.ts';
// The bundler puts the prelude here as one script.
import prelude from 'figma-prelude';

/** Most calls kept in the trace; later ones are counted and dropped. */
const TRACE_CALLS_MAX = 500_000;
/** Longest single task before the sandbox is interrupted, in milliseconds of wall time. */
const TASK_MS_MAX = 120_000;
/** Least width of a panel, in CSS pixels (Figma's typings: "The minimum size is 70x0"). */
const PANEL_WIDTH_MIN = 70;

/** The person who runs the plugin. Figma's id may be null. */
export interface Person {
  id: string | null;
  name: string;
}

/** One call over the border, with the arguments that crossed. */
export interface Call {
  call: string;
  args: Crossing[];
}

/** A clock in milliseconds since 1970. */
export interface Clock {
  now(): number;
}

/** What the host tells whoever draws Figma around it. */
export interface Surroundings {
  notify?: (message: string, options: { error?: boolean; button?: string }) => void;
  openExternal?: (url: string) => void;
  closed?: (message: string | undefined) => void;
  log?: (level: string, text: string) => void;
}

export interface HostOptions {
  /** An instance of its own. */
  quickjs: QuickJSWASMModule;
  /** The plugin's script, `dist/code.js`. */
  code: string;
  /** The panel's page, `dist/ui.html`. */
  html?: string;
  manifest: Manifest;
  /** Copied when it is data; shared when it is a {@link FileDocument}, as by several people in one file. */
  document?: StoredDocument | FileDocument;
  /** `null`: nobody is signed in to Figma. */
  user?: Person | null;
  plan?: Plan;
  /** False for viewers. */
  mayEdit?: boolean;
  /** `dev` is Dev Mode, which is read-only. */
  editorType?: 'figma' | 'dev';
  /** From the menu or a relaunch button. */
  command?: string;
  /** What was given in the quick actions, by the parameters' keys. */
  parameters?: Record<string, string>;
  clientStorage?: ClientStorage | Record<string, unknown>;
  costs?: Costs;
  /** `clock`: costs move the sandbox's clock on; `account`: they are only added up. */
  charge?: 'clock' | 'account';
  clock?: Clock;
  /** Runs from the developer's machine: `devAllowedDomains` count. */
  development?: boolean;
  /** Makes the panel; a {@link ScriptedPanel} unless given. */
  panel?: (receive: Receive) => Panel;
  surroundings?: Surroundings;
  /** Record calls; on unless told otherwise. */
  trace?: boolean;
}

/** The longest and last slices, in milliseconds. */
export interface Slices {
  count: number;
  longest_ms: number;
  /** What started the longest. */
  longest_task: string;
  total_ms: number;
}

interface Timer {
  due: number;
  delay_ms: number;
  repeat: boolean;
}

type NativeTable = { [K in keyof Native]: readonly [signature: string, run: Native[K]] };

/** A running plugin in its file. */
export class FigmaHost {
  readonly document: FileDocument;
  readonly history: UndoHistory;
  readonly clientStorage: ClientStorage;
  readonly trace: Call[] = [];
  /** How often each call was made, whether it is traced or not. */
  readonly calls: Record<string, number> = {};
  readonly panel: Panel;
  /** Uncaught errors of the plugin, as Figma writes them to the console. */
  readonly errors: string[] = [];
  readonly notices: string[] = [];
  readonly openedUrls: string[] = [];
  /** Everything the plugin wrote to the console. */
  readonly logged: string[] = [];
  readonly slices: Slices = { count: 0, longest_ms: 0, longest_task: '', total_ms: 0 };
  relaunchData: Record<string, string> = {};

  readonly #options: HostOptions;
  readonly #model: VariableModel;
  readonly #others: VariableModel;
  readonly #runtime: QuickJSRuntime;
  readonly #vm: QuickJSContext;
  #entry: QuickJSHandle | undefined;
  #tasks: { name: string; run: () => void }[] = [];
  #turns: number[] = [];
  #interventions: { awaits: number; edit: (others: VariableModel) => void }[] = [];
  readonly #timers = new Map<number, Timer>();
  #charged_ms = 0;
  #running = false;
  #closed = false;
  #disposed = false;
  #panelState: 'none' | 'open' = 'none';
  #lastNotice = 0;
  readonly #typed: { turn: number; resolve: (offered: string[]) => void } = { turn: 0, resolve: () => undefined };
  #outstanding = 0;
  #wake: { cancel: () => void } | undefined;
  #deadline = Infinity;

  private constructor(options: HostOptions) {
    const problems = manifestProblems(options.manifest);
    if (problems.length > 0) throw new Error(`Figma would not import this manifest:\n${problems.join('\n')}`);
    this.#options = options;
    this.document = options.document instanceof FileDocument ? options.document : new FileDocument(options.document);
    this.history = new UndoHistory(this.document);
    this.clientStorage =
      options.clientStorage instanceof ClientStorage ? options.clientStorage : new ClientStorage(options.clientStorage);
    const plan = options.plan ?? 'professional';
    const mayEdit = (options.mayEdit ?? true) && options.editorType !== 'dev';
    this.#model = new VariableModel(this.document, { plan, mayEdit, record: (change) => this.history.record(change) });
    this.#others = new VariableModel(this.document, { plan, mayEdit: true, record: () => undefined });
    const receive: Receive = (message, origin) => this.#receive(message, origin);
    this.panel = options.panel ? options.panel(receive) : new ScriptedPanel(receive);
    this.#runtime = options.quickjs.newRuntime();
    this.#runtime.setInterruptHandler(() => performance.now() > this.#deadline);
    this.#vm = this.#runtime.newContext();
  }

  /** Loads the plugin and runs its script to the end of its first task, `run` event included. */
  static async start(options: HostOptions): Promise<FigmaHost> {
    const host = new FigmaHost(options);
    host.#install();
    host.#task('start', () => {
      const result = host.#vm.evalCode(options.code, 'PLUGIN_SOURCE');
      if (result.error) host.#uncaught(result.error);
      else result.value.dispose();
    });
    const command = options.command ?? '';
    const { parameters } = options;
    const known = commands(options.manifest.menu ?? []).find((entry) => entry.command === command)?.parameters ?? [];
    for (const key of Object.keys(parameters ?? {})) {
      if (!known.some((parameter) => parameter.key === key)) throw new Error(`the command "${command}" has no parameter "${key}"`);
    }
    host.#task('run', () => host.#call('event', 'run', JSON.stringify({ command, parameters })));
    await Promise.resolve();
    return host;
  }

  /** The scripted panel. @throws when the host draws a real one. */
  get ui(): ScriptedPanel {
    if (this.panel instanceof ScriptedPanel) return this.panel;
    throw new Error('this host draws a real panel');
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The cost charged so far, in milliseconds. */
  get charged_ms(): number {
    return this.#charged_ms;
  }

  /** What the sandbox takes for the time, in milliseconds since 1970. */
  now(): number {
    const now = this.#options.clock ? this.#options.clock.now() : performance.timeOrigin + performance.now();
    return now + (this.#options.charge === 'clock' ? this.#charged_ms : 0);
  }

  /** Memory of the sandbox's runtime, in bytes: what is in use, and what the interpreter has taken. */
  memory(): { used_bytes: number; module_bytes: number } {
    const handle = this.#runtime.computeMemoryUsage();
    const usage = this.#vm.dump(handle) as { memory_used_size: number };
    handle.dispose();
    return { used_bytes: usage.memory_used_size, module_bytes: this.#options.quickjs.getWasmMemory().buffer.byteLength };
  }

  /** Forgets the trace, the counts and the slices so far, to look at what comes. */
  resetMeasures(): void {
    this.trace.length = 0;
    for (const name of Object.keys(this.calls)) delete this.calls[name];
    Object.assign(this.slices, { count: 0, longest_ms: 0, longest_task: '', total_ms: 0 });
  }

  /** An edit by somebody else in the file, now. It is not in this user's undo. */
  asOther(edit: (others: VariableModel) => void): void {
    edit(this.#others);
  }

  /** An edit by this user in Figma itself, now: one undo step of its own. */
  asUser(edit: (model: VariableModel) => void): void {
    this.history.commit();
    edit(this.#model);
    this.history.commit();
  }

  /** An edit by somebody else that comes in at the plugin's `awaits`-th await of a document call from now. */
  atAwait(awaits: number, edit: (others: VariableModel) => void): void {
    this.#interventions.push({ awaits, edit });
  }

  /** The user presses undo. @returns how many changes were taken back. */
  undo(): number {
    return this.history.undo();
  }

  /** The user presses redo. */
  redo(): number {
    return this.history.redo();
  }

  /** The user presses the button of a notice. */
  pressNotice(notice: number): void {
    this.#enqueue('notice', () => this.#call('event', 'notify.action', JSON.stringify(notice)));
  }

  /** The user types into a parameter in the quick actions, while no panel is open yet. @returns what is offered. */
  async type(key: string, query: string): Promise<string[]> {
    const turn = (this.#typed.turn += 1);
    const offered = new Promise<string[]>((resolve) => (this.#typed.resolve = resolve));
    this.#enqueue('input', () => this.#call('event', 'input', JSON.stringify({ key, query, turn })));
    return offered;
  }

  /** The user closes the plugin's window. */
  close(): void {
    this.#close(undefined);
  }

  /** Runs what is ready, timers that are due included, until nothing is. @returns how many tasks ran. */
  pump(): number {
    let ran = 0;
    while (this.#step()) ran += 1;
    return ran;
  }

  /** Resolves when nothing is ready, no answer is outstanding and no one-shot timer is running. */
  async idle(): Promise<void> {
    for (;;) {
      const timers = [...this.#timers.values()].some((timer) => !timer.repeat);
      if (this.#closed || (this.#tasks.length === 0 && this.#outstanding === 0 && !timers)) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Ends the sandbox. The document and the trace stay readable. The interpreter is not taken apart: it is this
   * host's alone and goes with it, whatever the plugin left behind in it. */
  dispose(): void {
    if (this.#running) throw new Error('the sandbox is running');
    this.#close(undefined);
    this.#disposed = true;
    this.#entry = undefined;
  }

  // Tasks.

  #enqueue(name: string, run: () => void): void {
    if (this.#closed) return;
    this.#tasks.push({ name, run });
    this.#schedule();
  }

  /** Wakes up for the next task or timer. */
  #schedule(): void {
    if (this.#closed || this.#running) return;
    this.#wake?.cancel();
    this.#wake = undefined;
    const wake = () => {
      this.#wake = undefined;
      this.#step();
      this.#schedule();
    };
    if (this.#tasks.length > 0) {
      this.#wake = soon(wake);
      return;
    }
    let next = Infinity;
    for (const timer of this.#timers.values()) next = Math.min(next, timer.due);
    if (next === Infinity) return;
    const timeout = setTimeout(wake, Math.max(0, next - this.now()));
    this.#wake = { cancel: () => clearTimeout(timeout) };
  }

  /** Runs one ready task or due timer. */
  #step(): boolean {
    if (this.#closed || this.#running) return false;
    const task = this.#tasks.shift();
    if (task) {
      this.#task(task.name, task.run);
      return true;
    }
    const now = this.now();
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (entry[1].due <= now && (!first || entry[1].due < first[1].due)) first = entry;
    }
    if (!first) return false;
    const [handle, timer] = first;
    if (timer.repeat) timer.due = now + Math.max(1, timer.delay_ms);
    else this.#timers.delete(handle);
    this.#task('timer', () => this.#call('timer', handle));
    return true;
  }

  #task(name: string, run: () => void): void {
    if (this.#closed) return;
    const started = performance.now();
    const charged = this.#charged_ms;
    this.#running = true;
    this.#deadline = started + TASK_MS_MAX;
    try {
      run();
      this.#drain();
    } finally {
      this.#running = false;
      this.#deadline = Infinity;
    }
    const length_ms = performance.now() - started + (this.#charged_ms - charged);
    this.slices.count += 1;
    this.slices.total_ms += length_ms;
    if (length_ms > this.slices.longest_ms) {
      this.slices.longest_ms = length_ms;
      this.slices.longest_task = name;
    }
    this.#schedule();
  }

  /** Runs promise jobs and answers document calls until the task has nothing more to do. */
  #drain(): void {
    for (;;) {
      // One by one: the job that closes the plugin is the last.
      while (this.#runtime.hasPendingJob()) {
        if (this.#closed) return;
        const job = this.#runtime.executePendingJobs(1);
        if (job.error) this.#uncaught(job.error);
      }
      const token = this.#turns.shift();
      if (this.#closed || token === undefined) return;
      for (const intervention of this.#interventions) intervention.awaits -= 1;
      const due = this.#interventions.filter((intervention) => intervention.awaits <= 0);
      this.#interventions = this.#interventions.filter((intervention) => intervention.awaits > 0);
      for (const intervention of due) intervention.edit(this.#others);
      this.#call('settle', token);
    }
  }

  /** Calls one of the prelude's functions. */
  #call(name: keyof Entry, ...args: Crossing[]): void {
    if (!this.#entry || this.#disposed) return;
    const handles = args.map((arg) => this.#toSandbox(arg));
    this.#callWith(name, handles);
  }

  #callWith(name: keyof Entry, handles: QuickJSHandle[]): void {
    if (!this.#entry) return;
    const run = this.#vm.getProp(this.#entry, name);
    const result = this.#vm.callFunction(run, this.#vm.undefined, ...handles);
    run.dispose();
    for (const handle of handles) handle.dispose();
    if (result.error) this.#uncaught(result.error);
    else result.value.dispose();
  }

  #uncaught(error: QuickJSHandle): void {
    const value: unknown = this.#vm.dump(error);
    error.dispose();
    const text =
      typeof value === 'object' && value !== null && 'message' in value
        ? `${String((value as { name?: unknown }).name)}: ${String(value.message)}\n${String((value as { stack?: unknown }).stack ?? '')}`
        : String(value);
    this.errors.push(text);
    this.#options.surroundings?.log?.('error', text);
  }

  // Messages.

  #receive(message: unknown, origin: string): void {
    if (this.#panelState === 'none') return;
    this.#enqueue('message', () => {
      this.#callWith('deliver', [this.#clone(message), this.#vm.newString(origin)]);
    });
  }

  /** A value inside the sandbox. Flat objects, which all of Sheetwire's are, go over without a detour by JSON. */
  #clone(value: unknown): QuickJSHandle {
    const fields = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
    const flat = (item: unknown) => ['string', 'boolean', 'number', 'undefined'].includes(typeof item);
    const plain = Object.getPrototypeOf(value ?? {}) === Object.prototype;
    if (!fields || !plain || !fields.every(([, item]) => flat(item))) return this.#parse(toJson(value), true);
    const object = this.#vm.newObject();
    for (const [key, item] of fields) {
      const handle = this.#toSandbox(item as Crossing);
      this.#vm.setProp(object, key, handle);
      handle.dispose();
    }
    return object;
  }

  #toSandbox(value: Crossing): QuickJSHandle {
    switch (typeof value) {
      case 'number':
        return this.#vm.newNumber(value);
      case 'boolean':
        return value ? this.#vm.true : this.#vm.false;
      case 'undefined':
        return this.#vm.undefined;
      case 'string':
        // The interpreter's strings come in as C strings in UTF-8, which end at a NUL and have no lone surrogates.
        if (value.includes('\0') || !value.isWellFormed()) return this.#parse(JSON.stringify(value), false);
        return this.#vm.newString(value);
    }
  }

  #parse(json: string, tagged: boolean): QuickJSHandle {
    if (!this.#entry) throw new Error('the sandbox is not ready');
    const run = this.#vm.getProp(this.#entry, tagged ? 'fromJson' : 'parse');
    const text = this.#vm.newString(json);
    const result = this.#vm.callFunction(run, this.#vm.undefined, text);
    run.dispose();
    text.dispose();
    return this.#vm.unwrapResult(result);
  }

  // The sandbox's calls.

  #install(): void {
    const native = this.#vm.newObject();
    const costs = this.#options.costs ?? FREE;
    const traced = this.#options.trace ?? true;
    const untraced = new Set<string>(['turn', 'now', 'alive', 'console.log', 'setTimeout', 'clearTimeout']);
    for (const [name, [signature, run]] of Object.entries(this.#native())) {
      const cost_ms = costs[name] ?? 0;
      const counted = !untraced.has(name);
      const kept = traced && counted;
      const call = run as (...args: Crossing[]) => Crossing;
      const handle = this.#vm.newFunction(name, (...handles) => {
        const args = handles.slice(0, signature.length).map((arg, at) => this.#fromSandbox(arg, signature[at]));
        if (this.#closed && !untraced.has(name)) throw new FigmaError(name, 'The plugin has been closed');
        this.#charged_ms += cost_ms;
        if (counted) this.calls[name] = (this.calls[name] ?? 0) + 1;
        if (kept && this.trace.length < TRACE_CALLS_MAX) this.trace.push({ call: name, args });
        return this.#toSandbox(call(...args));
      });
      this.#vm.setProp(native, name, handle);
      handle.dispose();
    }
    const html = this.#toSandbox(this.#options.html ?? '');
    const loader = this.#vm.unwrapResult(this.#vm.evalCode(prelude, 'figma'));
    this.#entry = this.#vm.unwrapResult(this.#vm.callFunction(loader, this.#vm.undefined, native, html));
    for (const handle of [native, html, loader]) handle.dispose();
  }

  #fromSandbox(handle: QuickJSHandle, kind: string | undefined): Crossing {
    switch (kind) {
      case 's':
        return this.#vm.getString(handle);
      case 'n':
        return this.#vm.getNumber(handle);
      default:
        return this.#vm.dump(handle) as Crossing;
    }
  }

  /** Signatures: `s` a string, `n` a number, `?` whatever it is. */
  #native(): NativeTable {
    const model = this.#model;
    const file = this.document;
    const done = <T>(value: T): T => value;
    return {
      turn: ['ns', (token, when) => this.#turn(token, when)],
      now: ['', () => Math.floor(this.now())],
      setTimeout: [
        'nn?',
        (handle, delay_ms, repeat) => {
          this.#timers.set(handle, { due: this.now() + Math.max(0, delay_ms), delay_ms, repeat });
        },
      ],
      clearTimeout: ['n', (handle) => void this.#timers.delete(handle)],
      'console.log': [
        'ss',
        (level, text) => {
          this.logged.push(text);
          this.#options.surroundings?.log?.(level, text);
        },
      ],
      fetch: ['nss', (token, url, init) => this.#fetch(token, url, init)],

      showUI: ['ss', (html, options) => this.#showUi(html, options)],
      closePlugin: ['?', (message) => this.#close(message)],
      notify: ['ss', (message, options) => this.#notify(message, options)],
      'notify.cancel': ['n', () => undefined],
      openExternal: [
        's',
        (url) => {
          this.openedUrls.push(url);
          this.#options.surroundings?.openExternal?.(url);
        },
      ],
      commitUndo: ['', () => this.history.commit()],
      triggerUndo: ['', () => void this.history.undo()],
      alive: [
        's',
        (call) => {
          if (this.#closed) throw new FigmaError(call, 'The plugin has been closed');
        },
      ],
      get_currentUser: ['', () => this.#currentUser()],
      get_command: ['', () => this.#options.command ?? ''],
      'parameters.suggest': [
        'ns',
        (turn, json) => {
          // What is offered for an older query is not shown.
          if (turn === this.#typed.turn) this.#typed.resolve(JSON.parse(json) as string[]);
        },
      ],
      get_editorType: ['', () => this.#options.editorType ?? 'figma'],
      get_pluginId: ['', () => this.#options.manifest.id ?? ''],
      permission: ['ss', (call, permission) => this.#permission(call, permission)],

      'ui.postMessage': ['ss', (message) => this.#openPanel('postMessage').post(fromJson(message))],
      'ui.resize': [
        'nn',
        (width, height) => this.#openPanel('resize').resize(Math.max(PANEL_WIDTH_MIN, width), Math.max(0, height)),
      ],
      'ui.reposition': ['nn', () => void this.#openPanel('reposition')],
      'ui.show': ['', () => this.#openPanel('show').show()],
      'ui.hide': ['', () => this.#openPanel('hide').hide()],
      'ui.close': [
        '',
        () => {
          this.#openPanel('close').close();
          this.#panelState = 'none';
        },
      ],

      'clientStorage.getAsync': ['s', (key) => this.clientStorage.get(key)],
      'clientStorage.setAsync': ['ss', (key, value) => this.clientStorage.set(key, value)],
      'clientStorage.deleteAsync': ['s', (key) => this.clientStorage.delete(key)],
      'clientStorage.keysAsync': ['', () => JSON.stringify(this.clientStorage.keys())],

      get_name_root: ['', () => file.name],
      get_pages: ['', () => JSON.stringify(file.pages.map((name, at) => ({ id: `0:${String(at + 1)}`, name })))],
      'page.layers': [
        's',
        (id) => {
          const page = file.pages[Number(id.slice(2)) - 1];
          return file.layers.filter((layer) => (layer.page ?? file.pages[0]) === page).map((layer) => layer.id).join('\n');
        },
      ],
      'layer.get': ['ss', (id, field) => JSON.stringify(this.#layerField(id, field))],
      getPluginData: [
        'sss',
        (owner, id, key) => model.pluginData('getPluginData', dataOwner(owner), id)[key] ?? '',
      ],
      setPluginData: [
        'ssss',
        (owner, id, key, value) =>
          model.setPluginData(dataOwner(owner), id, this.#options.manifest.id ?? '', key, String(JSON.parse(value))),
      ],
      getPluginDataKeys: [
        'ss',
        (owner, id) => JSON.stringify(Object.keys(model.pluginData('getPluginDataKeys', dataOwner(owner), id))),
      ],
      setRelaunchData: [
        's',
        (json) => {
          const data = JSON.parse(json) as Record<string, string>;
          const known = (this.#options.manifest.relaunchButtons ?? []).map((button) => button.command);
          for (const command of Object.keys(data)) {
            if (!known.includes(command)) {
              throw new FigmaError('setRelaunchData', `The command "${command}" is not in the manifest's relaunchButtons`);
            }
          }
          this.relaunchData = data;
        },
      ],

      'variables.getVariableByIdAsync': ['s', (id) => file.variable(id) !== undefined],
      'variables.getVariableCollectionByIdAsync': ['s', (id) => file.collection(id) !== undefined],
      'variables.getLocalVariablesAsync': [
        's',
        (type) =>
          file.variables
            .filter((variable) => !variable.remote && (type === '' || variable.resolvedType === type))
            .map((variable) => variable.id)
            .join('\n'),
      ],
      'variables.getLocalVariableCollectionsAsync': [
        '',
        () =>
          file.collections
            .filter((collection) => !collection.remote)
            .map((collection) => collection.id)
            .join('\n'),
      ],
      'variables.createVariable': ['sss', (name, collection, type) => model.createVariable(name, collection, type)],
      'variables.createVariableCollection': ['s', (name) => model.createCollection(name)],
      'variables.createVariableAlias': ['s', (id) => void model.variable('createVariableAlias', id)],
      'variables.importVariableByKeyAsync': ['s', (key) => model.importByKey(key)],
      'teamLibrary.getAvailableLibraryVariableCollectionsAsync': [
        '',
        () =>
          JSON.stringify(
            file.libraries.flatMap((library) =>
              library.collections.map(({ name, key }) => ({ name, key, libraryName: library.name })),
            ),
          ),
      ],
      'teamLibrary.getVariablesInLibraryCollectionAsync': [
        's',
        (key) => {
          for (const library of file.libraries) {
            const collection = library.collections.find((each) => each.key === key);
            if (!collection) continue;
            const own = library.variables.filter((variable) => variable.collectionId === collection.id);
            return JSON.stringify(own.map(({ name, key: own_key, resolvedType }) => ({ name, key: own_key, resolvedType })));
          }
          throw new FigmaError('getVariablesInLibraryCollectionAsync', `There is no library collection "${key}"`);
        },
      ],

      'variable.get': ['ss', (id, field) => JSON.stringify(this.#variableField(id, field))],
      'variable.set_name': ['ss', (id, value) => model.setVariable('set_name', id, 'name', value)],
      'variable.set_description': ['ss', (id, value) => model.setVariable('set_description', id, 'description', value)],
      'variable.set_hiddenFromPublishing': [
        's?',
        (id, value) => model.setVariable('set_hiddenFromPublishing', id, 'hiddenFromPublishing', value),
      ],
      'variable.set_scopes': ['ss', (id, json) => model.setScopes(id, JSON.parse(json) as unknown[])],
      'variable.setValueForMode': ['sss', (id, mode, json) => model.setValueForMode(id, mode, fromJson(json))],
      'variable.setVariableCodeSyntax': ['sss', (id, platform, value) => model.setCodeSyntax(id, platform, value)],
      'variable.removeVariableCodeSyntax': ['ss', (id, platform) => model.removeCodeSyntax(id, platform)],
      'variable.remove': ['s', (id) => model.removeVariable(id)],

      'collection.get': ['ss', (id, field) => JSON.stringify(this.#collectionField(id, field))],
      'collection.set_name': ['ss', (id, value) => model.setCollection('set_name', id, 'name', value)],
      'collection.set_hiddenFromPublishing': [
        's?',
        (id, value) => model.setCollection('set_hiddenFromPublishing', id, 'hiddenFromPublishing', value),
      ],
      'collection.addMode': ['ss', (id, name) => model.addMode(id, name)],
      'collection.renameMode': ['sss', (id, mode, name) => model.renameMode(id, mode, name)],
      'collection.removeMode': ['ss', (id, mode) => model.removeMode(id, mode)],
      'collection.remove': ['s', (id) => done(model.removeCollection(id))],
    };
  }

  #variableField(id: string, field: string): unknown {
    const variable = this.#model.variable(`get_${field}`, id);
    switch (field) {
      case 'variableCollectionId':
        return variable.collectionId;
      case 'name':
      case 'description':
      case 'hiddenFromPublishing':
      case 'remote':
      case 'key':
      case 'resolvedType':
      case 'valuesByMode':
      case 'scopes':
      case 'codeSyntax':
        return variable[field];
      default:
        throw new Error(`a variable has no ${field}`);
    }
  }

  /** What a plugin sees of a layer. A binding stays when its variable is removed, as a tester of the real one reports. */
  #layerField(id: string, field: string): unknown {
    const layer = this.document.layers.find((each) => each.id === id);
    if (!layer) throw new FigmaError(`get_${field}`, `The node with id "${id}" does not exist`);
    if (field === 'name') return layer.name;
    const bound: Record<string, unknown> = {};
    for (const [property, variable] of Object.entries(layer.bindings)) {
      const alias = { type: 'VARIABLE_ALIAS', id: variable };
      if (/^(fill|text|track)$/.test(property)) bound['fills'] = [...((bound['fills'] as unknown[] | undefined) ?? []), alias];
      else if (property === 'stroke') bound['strokes'] = [alias];
      else bound[property] = alias;
    }
    return bound;
  }

  #collectionField(id: string, field: string): unknown {
    const collection = this.#model.collection(`get_${field}`, id);
    switch (field) {
      case 'variableIds':
        return this.document.variables.filter((each) => each.collectionId === id).map((each) => each.id);
      case 'name':
      case 'hiddenFromPublishing':
      case 'remote':
      case 'key':
      case 'modes':
      case 'defaultModeId':
        return collection[field];
      case 'isExtension':
        return collection.isExtension ?? false;
      case 'publishStatus':
        return collection.published === true ? 'CURRENT' : 'UNPUBLISHED';
      default:
        throw new Error(`a collection has no ${field}`);
    }
  }

  #turn(token: number, when: string): void {
    if (when === 'same') {
      this.#turns.push(token);
      return;
    }
    this.#outstanding += 1;
    soon(() => {
      this.#outstanding -= 1;
      this.#enqueue('answer', () => this.#call('settle', token));
    });
  }

  #fetch(token: number, url: string, initJson: string): void {
    const answer = (json: string | undefined, error: string | undefined) => {
      this.#outstanding -= 1;
      this.#enqueue('fetch', () => this.#call('settle', token, json, error));
    };
    this.#outstanding += 1;
    const sources = allowedSources(this.#options.manifest, this.#options.development ?? true);
    if (!URL.canParse(url) || !reachable(sources, url)) {
      soon(() => answer(undefined, `Failed to fetch: the manifest's networkAccess does not allow ${url}`));
      return;
    }
    const init = fromJson(initJson) as { method?: string; headers?: Record<string, string>; body?: string };
    const { method, headers, body } = init;
    fetch(url, { ...(method ? { method } : {}), ...(headers ? { headers } : {}), ...(body ? { body } : {}) })
      .then(async (reply) => {
        const bytes = new Uint8Array(await reply.arrayBuffer());
        answer(
          toJson({
            headersObject: Object.fromEntries(reply.headers),
            ok: reply.ok,
            redirected: reply.redirected,
            status: reply.status,
            statusText: reply.statusText,
            type: 'basic',
            url: reply.url,
            body: bytes,
            text: new TextDecoder().decode(bytes),
          }),
          undefined,
        );
      })
      .catch((error: unknown) => answer(undefined, `Failed to fetch: ${String(error)}`));
  }

  #showUi(html: string, optionsJson: string): void {
    const given = JSON.parse(optionsJson) as { [option: string]: unknown };
    this.panel.open(html, {
      visible: given['visible'] !== false,
      title: typeof given['title'] === 'string' ? given['title'] : this.#options.manifest.name,
      width: Math.max(PANEL_WIDTH_MIN, Number(given['width'] ?? 300)),
      height: Math.max(0, Number(given['height'] ?? 200)),
      themeColors: given['themeColors'] === true,
    });
    this.#panelState = 'open';
  }

  #openPanel(call: string): Panel {
    if (this.#panelState === 'none') throw new FigmaError(call, 'No UI to use. Call figma.showUI first.');
    return this.panel;
  }

  #notify(message: string, optionsJson: string): number {
    this.#lastNotice += 1;
    this.notices.push(message);
    this.#options.surroundings?.notify?.(message, JSON.parse(optionsJson) as { error?: boolean; button?: string });
    return this.#lastNotice;
  }

  #currentUser(): string {
    this.#permission('get_currentUser', 'currentuser');
    const user = this.#options.user;
    if (!user) return 'null';
    return JSON.stringify({ id: user.id, name: user.name, photoUrl: null, color: '#9747ff', sessionId: 1 });
  }

  #permission(call: string, permission: string): void {
    if (!(this.#options.manifest.permissions ?? []).includes(permission)) {
      throw new FigmaError(call, `Please add '${permission}' to the permissions of the manifest`);
    }
  }

  #close(message: string | undefined): void {
    if (this.#closed) return;
    // `close` listeners run now and get no further turn.
    this.#call('event', 'close', '');
    this.#closed = true;
    this.#wake?.cancel();
    this.#wake = undefined;
    this.#tasks = [];
    this.#turns = [];
    this.#timers.clear();
    this.history.commit();
    if (this.#panelState === 'open') this.panel.close();
    this.#options.surroundings?.closed?.(message);
  }
}

function dataOwner(owner: string): 'root' | 'collection' | 'variable' {
  if (owner === 'root' || owner === 'collection' || owner === 'variable') return owner;
  throw new Error(`${owner} has no plugin data`);
}

/** Runs `task` as soon as the event loop comes round, in Node and in browsers, without a timer's minimum delay. */
function soon(task: () => void): { cancel: () => void } {
  let live = true;
  const run = () => {
    if (live) task();
  };
  if (typeof setImmediate === 'function') {
    setImmediate(run);
  } else {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      run();
    };
    channel.port2.postMessage(null);
  }
  return {
    cancel: () => {
      live = false;
    },
  };
}
