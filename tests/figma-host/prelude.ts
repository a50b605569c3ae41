/**
 * What a plugin finds in the sandbox: the global `figma`, timers, console, fetch, as Figma's typings declare them.
 * It runs inside QuickJS before the plugin and gives every call to the host.
 *
 * Owns the shape of the API and the checks of arguments. Must not know the document or its rules (the host does),
 * and leaves nothing but Figma's own globals behind. Every object it hands out is declared to satisfy the typings,
 * so that a new version of them fails the type check and not a plugin.
 */

import type {
  ClientStorageAPI,
  CodeSyntaxPlatform,
  DocumentNode,
  LibraryVariable,
  LibraryVariableCollection,
  MessageEventHandler,
  NotificationHandler,
  NotificationOptions,
  PageNode,
  ParameterInputEvent,
  ParametersAPI,
  PluginAPI,
  PluginDataMixin,
  PublishStatus,
  RectangleNode,
  SceneNode,
  ShowUIOptions,
  SuggestionResults,
  TeamLibraryAPI,
  UIAPI,
  UIPostMessageOptions,
  User,
  Variable,
  VariableAlias,
  VariableCollection,
  VariableResolvedDataType,
  VariableScope,
  VariableValue,
  VariablesAPI,
} from '@figma/plugin-typings/plugin-api-standalone';

import { fromJson, toJson } from './clone.ts';
import type { Native, PluginDataOwner } from './native.ts';

/** What the host calls in return. */
export interface Entry {
  deliver(message: unknown, origin: string): void;
  settle(token: number, json: string | undefined, error: string | undefined): void;
  timer(handle: number): void;
  event(type: string, json: string): void;
  /** A value with what JSON can't carry, as {@link toJson} wrote it. */
  fromJson(json: string): unknown;
  parse(json: string): unknown;
}

/** Replaced by the bundler's wrapper: the host's calls, and the plugin's HTML. */
declare const native: Native;
declare const html: string;

type Callback = (...values: never[]) => unknown;

// Promises, timers, clock.

const waiting = new Map<number, { resolve: (json: string | undefined) => void; reject: (error: Error) => void }>();
let lastToken = 0;

function asked(ask: (token: number) => void): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    lastToken += 1;
    waiting.set(lastToken, { resolve, reject });
    ask(lastToken);
  });
}

/** Answers within the same task, but after other people's edits have come in. */
const sameTask = () => asked((token) => native.turn(token, 'same'));
/** Answers in a task of its own, as the disk and the network do. */
const nextTask = () => asked((token) => native.turn(token, 'next'));

const timers = new Map<number, { callback: Callback; repeat: boolean }>();
let lastTimer = 0;

function startTimer(callback: unknown, delay_ms: unknown, repeat: boolean): number {
  if (typeof callback !== 'function') throw new TypeError('setTimeout: expected a function');
  lastTimer += 1;
  timers.set(lastTimer, { callback: callback as Callback, repeat });
  native.setTimeout(lastTimer, Number(delay_ms) || 0, repeat);
  return lastTimer;
}

function stopTimer(handle: unknown): void {
  if (typeof handle === 'number' && timers.delete(handle)) native.clearTimeout(handle);
}

/** Figma's clock is the machine's; here the host may charge time to it. */
const RealDate = Date;
class HostDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(native.now());
    else super(...(given as [number]));
  }
  static override now(): number {
    return native.now();
  }
}

// Arguments.

function expectType(call: string, name: string, value: unknown, type: 'string' | 'number' | 'boolean'): void {
  if (typeof value !== type) {
    const got = value === null ? 'null' : typeof value;
    throw new Error(`in ${call}: Expected "${name}" to have type ${type} but got ${got} instead`);
  }
}

function dynamicPage(call: string, instead: string): never {
  native.alive(call);
  throw new Error(`in ${call}: Cannot call with documentAccess: dynamic-page. Use ${instead} instead.`);
}

const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'));

// Variables and collections. Handles hold an id and nothing else, so everything they return is a copy.

const idOf = new WeakMap<object, string>();

function requireId(call: string, name: string, value: unknown): string {
  const id = typeof value === 'object' && value !== null ? idOf.get(value) : undefined;
  if (id === undefined) throw new Error(`in ${call}: Expected "${name}" to be a node but got ${typeof value} instead`);
  return id;
}

abstract class WithPluginData implements PluginDataMixin {
  abstract readonly id: string;
  protected abstract readonly owner: PluginDataOwner;

  getPluginData(key: string): string {
    expectType('getPluginData', 'key', key, 'string');
    return native.getPluginData(this.owner, this.id, key);
  }
  setPluginData(key: string, value: string): void {
    expectType('setPluginData', 'key', key, 'string');
    expectType('setPluginData', 'value', value, 'string');
    native.setPluginData(this.owner, this.id, key, JSON.stringify(value));
  }
  getPluginDataKeys(): string[] {
    return JSON.parse(native.getPluginDataKeys(this.owner, this.id)) as string[];
  }
  getSharedPluginData(namespace: string, key: string): string {
    return native.getPluginData(this.owner, this.id, `shared:${namespace}:${key}`);
  }
  setSharedPluginData(namespace: string, key: string, value: string): void {
    expectType('setSharedPluginData', 'value', value, 'string');
    native.setPluginData(this.owner, this.id, `shared:${namespace}:${key}`, JSON.stringify(value));
  }
  getSharedPluginDataKeys(namespace: string): string[] {
    const keys = JSON.parse(native.getPluginDataKeys(this.owner, this.id)) as string[];
    const start = `shared:${namespace}:`;
    return keys.filter((key) => key.startsWith(start)).map((key) => key.slice(start.length));
  }
}

/** What is left out belongs to extended collections (Enterprise) and to drawn nodes. */
type OfferedVariable = Omit<
  Variable,
  'resolveForConsumer' | 'valuesByModeForCollectionAsync' | 'removeOverrideForMode'
>;

class VariableHandle extends WithPluginData implements OfferedVariable {
  protected get owner(): PluginDataOwner {
    return 'variable';
  }
  get id(): string {
    return idOf.get(this) ?? '';
  }
  get name(): string {
    return this.#get('name');
  }
  set name(value: string) {
    expectType('set_name', 'value', value, 'string');
    native['variable.set_name'](this.id, value);
  }
  get description(): string {
    return this.#get('description');
  }
  set description(value: string) {
    expectType('set_description', 'value', value, 'string');
    native['variable.set_description'](this.id, value);
  }
  get hiddenFromPublishing(): boolean {
    return this.#get('hiddenFromPublishing');
  }
  set hiddenFromPublishing(value: boolean) {
    expectType('set_hiddenFromPublishing', 'value', value, 'boolean');
    native['variable.set_hiddenFromPublishing'](this.id, value);
  }
  get remote(): boolean {
    return this.#get('remote');
  }
  get variableCollectionId(): string {
    return this.#get('variableCollectionId');
  }
  get key(): string {
    return this.#get('key');
  }
  get resolvedType(): VariableResolvedDataType {
    return this.#get('resolvedType');
  }
  get valuesByMode(): { [modeId: string]: VariableValue } {
    return this.#get('valuesByMode');
  }
  get scopes(): VariableScope[] {
    return this.#get('scopes');
  }
  set scopes(value: VariableScope[]) {
    if (!Array.isArray(value)) throw new Error('in set_scopes: Expected "value" to be an array');
    native['variable.set_scopes'](this.id, JSON.stringify(value));
  }
  get codeSyntax(): { [platform in CodeSyntaxPlatform]?: string } {
    return this.#get('codeSyntax');
  }
  setValueForMode(modeId: string, newValue: VariableValue): void {
    expectType('setValueForMode', 'modeId', modeId, 'string');
    native['variable.setValueForMode'](this.id, modeId, toJson(newValue));
  }
  setVariableCodeSyntax(platform: CodeSyntaxPlatform, value: string): void {
    expectType('setVariableCodeSyntax', 'value', value, 'string');
    native['variable.setVariableCodeSyntax'](this.id, String(platform), value);
  }
  removeVariableCodeSyntax(platform: CodeSyntaxPlatform): void {
    native['variable.removeVariableCodeSyntax'](this.id, String(platform));
  }
  async getPublishStatusAsync(): Promise<PublishStatus> {
    await nextTask();
    this.#get('name');
    return 'UNPUBLISHED';
  }
  remove(): void {
    native['variable.remove'](this.id);
  }

  #get<T>(field: string): T {
    return JSON.parse(native['variable.get'](this.id, field)) as T;
  }
}

type OfferedCollection = Omit<VariableCollection, 'extend'>;

class CollectionHandle extends WithPluginData implements OfferedCollection {
  protected get owner(): PluginDataOwner {
    return 'collection';
  }
  get id(): string {
    return idOf.get(this) ?? '';
  }
  get name(): string {
    return this.#get('name');
  }
  set name(value: string) {
    expectType('set_name', 'value', value, 'string');
    native['collection.set_name'](this.id, value);
  }
  get hiddenFromPublishing(): boolean {
    return this.#get('hiddenFromPublishing');
  }
  set hiddenFromPublishing(value: boolean) {
    expectType('set_hiddenFromPublishing', 'value', value, 'boolean');
    native['collection.set_hiddenFromPublishing'](this.id, value);
  }
  get remote(): boolean {
    return this.#get('remote');
  }
  get isExtension(): boolean {
    return this.#get('isExtension');
  }
  get key(): string {
    return this.#get('key');
  }
  get modes(): { modeId: string; name: string }[] {
    return this.#get('modes');
  }
  get defaultModeId(): string {
    return this.#get('defaultModeId');
  }
  get variableIds(): string[] {
    return this.#get('variableIds');
  }
  addMode(name: string): string {
    expectType('addMode', 'name', name, 'string');
    return native['collection.addMode'](this.id, name);
  }
  renameMode(modeId: string, newName: string): void {
    expectType('renameMode', 'newName', newName, 'string');
    native['collection.renameMode'](this.id, String(modeId), newName);
  }
  removeMode(modeId: string): void {
    native['collection.removeMode'](this.id, String(modeId));
  }
  async getPublishStatusAsync(): Promise<PublishStatus> {
    await nextTask();
    return this.#get('publishStatus');
  }
  remove(): void {
    native['collection.remove'](this.id);
  }

  #get<T>(field: string): T {
    return JSON.parse(native['collection.get'](this.id, field)) as T;
  }
}

function variableHandle(id: string): Variable {
  const handle = new VariableHandle();
  idOf.set(handle, id);
  return handle as OfferedVariable as Variable;
}

function collectionHandle(id: string): VariableCollection {
  const handle = new CollectionHandle();
  idOf.set(handle, id);
  return handle as OfferedCollection as VariableCollection;
}

const variables: Omit<
  VariablesAPI,
  | 'extendLibraryCollectionByKeyAsync'
  | 'setBoundVariableForPaint'
  | 'setBoundVariableForEffect'
  | 'setBoundVariableForLayoutGrid'
> = {
  async getVariableByIdAsync(id) {
    expectType('getVariableByIdAsync', 'id', id, 'string');
    native.alive('getVariableByIdAsync');
    await sameTask();
    return native['variables.getVariableByIdAsync'](id) ? variableHandle(id) : null;
  },
  getVariableById: () => dynamicPage('getVariableById', 'figma.variables.getVariableByIdAsync'),
  async getVariableCollectionByIdAsync(id) {
    expectType('getVariableCollectionByIdAsync', 'id', id, 'string');
    native.alive('getVariableCollectionByIdAsync');
    await sameTask();
    return native['variables.getVariableCollectionByIdAsync'](id) ? collectionHandle(id) : null;
  },
  getVariableCollectionById: () =>
    dynamicPage('getVariableCollectionById', 'figma.variables.getVariableCollectionByIdAsync'),
  async getLocalVariablesAsync(type) {
    native.alive('getLocalVariablesAsync');
    await sameTask();
    return lines(native['variables.getLocalVariablesAsync'](type ?? '')).map(variableHandle);
  },
  getLocalVariables: () => dynamicPage('getLocalVariables', 'figma.variables.getLocalVariablesAsync'),
  async getLocalVariableCollectionsAsync() {
    native.alive('getLocalVariableCollectionsAsync');
    await sameTask();
    return lines(native['variables.getLocalVariableCollectionsAsync']()).map(collectionHandle);
  },
  getLocalVariableCollections: () =>
    dynamicPage('getLocalVariableCollections', 'figma.variables.getLocalVariableCollectionsAsync'),
  createVariable(name: string, collection: unknown, resolvedType: VariableResolvedDataType): Variable {
    expectType('createVariable', 'name', name, 'string');
    if (typeof collection === 'string') {
      native.alive('createVariable');
      throw new Error(
        'in createVariable: Cannot call with a collection ID with documentAccess: dynamic-page. ' +
          'Pass the collection node instead.',
      );
    }
    const collectionId = requireId('createVariable', 'collection', collection);
    return variableHandle(native['variables.createVariable'](name, collectionId, String(resolvedType)));
  },
  createVariableCollection(name) {
    expectType('createVariableCollection', 'name', name, 'string');
    return collectionHandle(native['variables.createVariableCollection'](name));
  },
  createVariableAlias(variable): VariableAlias {
    const id = requireId('createVariableAlias', 'variable', variable);
    native['variables.createVariableAlias'](id);
    return { type: 'VARIABLE_ALIAS', id };
  },
  async createVariableAliasByIdAsync(id) {
    expectType('createVariableAliasByIdAsync', 'variableId', id, 'string');
    native.alive('createVariableAliasByIdAsync');
    await sameTask();
    native['variables.createVariableAlias'](id);
    return { type: 'VARIABLE_ALIAS', id };
  },
  async importVariableByKeyAsync(key) {
    expectType('importVariableByKeyAsync', 'key', key, 'string');
    native.alive('importVariableByKeyAsync');
    await nextTask();
    return variableHandle(native['variables.importVariableByKeyAsync'](key));
  },
};

const teamLibrary: TeamLibraryAPI = {
  async getAvailableLibraryVariableCollectionsAsync() {
    native.alive('getAvailableLibraryVariableCollectionsAsync');
    await nextTask();
    const json = native['teamLibrary.getAvailableLibraryVariableCollectionsAsync']();
    return JSON.parse(json) as LibraryVariableCollection[];
  },
  async getVariablesInLibraryCollectionAsync(key) {
    native.alive('getVariablesInLibraryCollectionAsync');
    await nextTask();
    return JSON.parse(native['teamLibrary.getVariablesInLibraryCollectionAsync'](key)) as LibraryVariable[];
  },
};

// The panel.

const messageHandlers: { callback: MessageEventHandler; once: boolean }[] = [];
let onmessage: MessageEventHandler | undefined;

const ui: UIAPI = {
  show: () => native['ui.show'](),
  hide: () => native['ui.hide'](),
  resize(width, height) {
    expectType('resize', 'width', width, 'number');
    expectType('resize', 'height', height, 'number');
    native['ui.resize'](width, height);
  },
  reposition: (x, y) => native['ui.reposition'](x, y),
  getPosition() {
    native.alive('getPosition');
    return { windowSpace: { x: 0, y: 0 }, canvasSpace: { x: 0, y: 0 } };
  },
  close: () => native['ui.close'](),
  postMessage(message: unknown, options?: UIPostMessageOptions) {
    native['ui.postMessage'](toJson(message), JSON.stringify(options ?? {}));
  },
  get onmessage() {
    return onmessage;
  },
  set onmessage(callback) {
    native.alive('set_onmessage');
    onmessage = callback;
  },
  on(type, callback) {
    listenForMessages('on', type, callback, false);
  },
  once(type, callback) {
    listenForMessages('once', type, callback, true);
  },
  off(type, callback) {
    native.alive('off');
    const at = messageHandlers.findIndex((handler) => handler.callback === callback);
    if (type === 'message' && at >= 0) messageHandlers.splice(at, 1);
  },
};

function listenForMessages(call: string, type: string, callback: MessageEventHandler, once: boolean): void {
  native.alive(call);
  if (type !== 'message') throw new Error(`in ${call}: Unknown event type "${type}"`);
  messageHandlers.push({ callback, once });
}

// clientStorage.

const clientStorage: ClientStorageAPI = {
  async getAsync(key): Promise<unknown> {
    expectType('getAsync', 'key', key, 'string');
    native.alive('getAsync');
    await nextTask();
    const json = native['clientStorage.getAsync'](key);
    return json === undefined ? undefined : fromJson(json);
  },
  async setAsync(key, value: unknown) {
    expectType('setAsync', 'key', key, 'string');
    native.alive('setAsync');
    const json = toJson(value);
    await nextTask();
    native['clientStorage.setAsync'](key, json);
  },
  async deleteAsync(key) {
    expectType('deleteAsync', 'key', key, 'string');
    native.alive('deleteAsync');
    await nextTask();
    native['clientStorage.deleteAsync'](key);
  },
  async keysAsync() {
    native.alive('keysAsync');
    await nextTask();
    return JSON.parse(native['clientStorage.keysAsync']()) as string[];
  },
};

// Pages and what is drawn on them, as far as variables are bound to it.

class LayerHandle implements Pick<RectangleNode, 'id' | 'name' | 'type' | 'boundVariables'> {
  readonly type = 'RECTANGLE';
  get id(): string {
    return idOf.get(this) ?? '';
  }
  get name(): string {
    return JSON.parse(native['layer.get'](this.id, 'name')) as string;
  }
  get boundVariables(): NonNullable<RectangleNode['boundVariables']> {
    return JSON.parse(native['layer.get'](this.id, 'boundVariables')) as NonNullable<RectangleNode['boundVariables']>;
  }
}

/** Pages whose contents were loaded; the current one, which is the first, is from the beginning. */
const loadedPages = new Set(['0:1']);

class PageHandle implements Pick<PageNode, 'id' | 'name' | 'type' | 'children' | 'loadAsync'> {
  readonly type = 'PAGE';
  readonly id: string;
  readonly name: string;
  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }
  get children(): readonly SceneNode[] {
    native.alive('get_children');
    if (!loadedPages.has(this.id)) {
      throw new Error('in get_children: Cannot access children on a page that has not been explicitly loaded. Call loadAsync() first.');
    }
    return lines(native['page.layers'](this.id)).map((id) => {
      const handle = new LayerHandle();
      idOf.set(handle, id);
      return handle as Pick<RectangleNode, 'boundVariables'> as RectangleNode;
    });
  }
  async loadAsync(): Promise<void> {
    native.alive('loadAsync');
    await nextTask();
    loadedPages.add(this.id);
  }
}

function pageHandle({ id, name }: { id: string; name: string }): PageNode {
  return new PageHandle(id, name) as Pick<PageNode, 'children'> as PageNode;
}

// The document's root.

class Root extends WithPluginData {
  readonly id = '0:0';
  protected get owner(): PluginDataOwner {
    return 'root';
  }
  readonly type = 'DOCUMENT';
  get name(): string {
    return native.get_name_root();
  }
  setRelaunchData(data: { [command: string]: string }): void {
    native.setRelaunchData(JSON.stringify(data));
  }
  get children(): readonly PageNode[] {
    return (JSON.parse(native.get_pages()) as { id: string; name: string }[]).map(pageHandle);
  }
}
const root: Pick<DocumentNode, keyof PluginDataMixin | 'id' | 'name' | 'type' | 'setRelaunchData' | 'children'> =
  new Root();

// Events, notices, the rest of `figma`.

const listeners: { type: string; callback: Callback; once: boolean }[] = [];
const INPUT = 'input';
const EVENTS = ['run', 'close', 'selectionchange', 'currentpagechange', 'documentchange', 'drop', 'stylechange'];
const notices = new Map<number, NotificationOptions>();

function listen(call: string, type: string, callback: Callback, once: boolean): void {
  native.alive(call);
  if (!EVENTS.includes(type)) throw new Error(`in ${call}: Unknown event type "${type}"`);
  if (typeof callback !== 'function') throw new Error(`in ${call}: Expected "callback" to be a function`);
  listeners.push({ type, callback, once });
}

function fire(type: string, value?: unknown): void {
  for (const listener of listeners.filter((each) => each.type === type)) {
    if (listener.once) listeners.splice(listeners.indexOf(listener), 1);
    (listener.callback as (value: unknown) => unknown)(value);
  }
}

const parameters: ParametersAPI = {
  on: (_type, callback) => listeners.push({ type: INPUT, callback, once: false }),
  once: (_type, callback) => listeners.push({ type: INPUT, callback, once: true }),
  off(_type, callback) {
    const at = listeners.findIndex((each) => each.type === INPUT && each.callback === callback);
    if (at >= 0) listeners.splice(at, 1);
  },
};

/** A text typed into a parameter, as the plugin is told of it. */
function typed({ key, query, turn }: { key: string; query: string; turn: number }): ParameterInputEvent {
  const result: SuggestionResults = {
    setSuggestions(suggestions) {
      const names = suggestions.map((suggestion) => (typeof suggestion === 'string' ? suggestion : suggestion.name));
      native['parameters.suggest'](turn, JSON.stringify(names));
    },
    setError() {
      // Shown instead of suggestions; Figma has it for parameters without `allowFreeform` alone.
      native['parameters.suggest'](turn, '[]');
    },
    setLoadingMessage: () => undefined,
  };
  return { key, query, parameters: {}, result };
}

type Offered = Pick<
  PluginAPI,
  | 'apiVersion'
  | 'command'
  | 'editorType'
  | 'mode'
  | 'pluginId'
  | 'fileKey'
  | 'currentUser'
  | 'closePlugin'
  | 'notify'
  | 'commitUndo'
  | 'triggerUndo'
  | 'openExternal'
  | 'showUI'
  | 'clientStorage'
  | 'on'
  | 'once'
  | 'off'
  | 'skipInvisibleInstanceChildren'
> & { ui: UIAPI; parameters: ParametersAPI; variables: typeof variables; root: typeof root; readonly teamLibrary: TeamLibraryAPI };

const figma: Offered = {
  apiVersion: '1.0.0',
  get command() {
    return native.get_command();
  },
  get editorType() {
    return native.get_editorType() as PluginAPI['editorType'];
  },
  get mode(): PluginAPI['mode'] {
    return native.get_editorType() === 'dev' ? 'inspect' : 'default';
  },
  get pluginId() {
    return native.get_pluginId();
  },
  // Only private plugins that ask for it get a key.
  fileKey: undefined,
  skipInvisibleInstanceChildren: false,
  get currentUser() {
    return JSON.parse(native.get_currentUser()) as User | null;
  },
  ui,
  parameters,
  variables,
  clientStorage,
  root,
  get teamLibrary() {
    native.permission('get_teamLibrary', 'teamlibrary');
    return teamLibrary;
  },
  showUI(page: string, options?: ShowUIOptions) {
    expectType('showUI', 'html', page, 'string');
    native.showUI(page, JSON.stringify(options ?? {}));
  },
  closePlugin(message?: string) {
    native.closePlugin(message);
  },
  notify(message: string, options: NotificationOptions = {}): NotificationHandler {
    expectType('notify', 'message', message, 'string');
    const { timeout, error, button } = options;
    const id = native.notify(message, JSON.stringify({ timeout, error, button: button?.text }));
    notices.set(id, options);
    return {
      cancel() {
        native['notify.cancel'](id);
      },
    };
  },
  commitUndo: () => native.commitUndo(),
  triggerUndo: () => native.triggerUndo(),
  openExternal(url: string) {
    expectType('openExternal', 'url', url, 'string');
    native.openExternal(url);
  },
  on(type: string, callback: Callback) {
    listen('on', type, callback, false);
  },
  once(type: string, callback: Callback) {
    listen('once', type, callback, true);
  },
  off(type: string, callback: Callback) {
    native.alive('off');
    const at = listeners.findIndex((each) => each.type === type && each.callback === callback);
    if (at >= 0) listeners.splice(at, 1);
  },
};

// console and fetch.

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack ?? ''}`;
  try {
    return toJson(value);
  } catch {
    return String(value);
  }
}

const logger =
  (level: string) =>
  (...values: unknown[]) =>
    native['console.log'](level, values.map(shown).join(' '));

const console = {
  log: logger('log'),
  info: logger('info'),
  warn: logger('warn'),
  error: logger('error'),
  assert(condition?: boolean, ...values: unknown[]) {
    if (!condition) native['console.log']('error', `Assertion failed: ${values.map(shown).join(' ')}`);
  },
  clear() {
    native['console.log']('clear', '');
  },
};

/** Figma's reduced fetch: plain headers, text and bytes, no Response class. */
async function fetch(url: unknown, init: Record<string, unknown> = {}): Promise<unknown> {
  expectType('fetch', 'url', url, 'string');
  const json = await asked((token) => native.fetch(token, String(url), toJson(init)));
  const { body, ...rest } = fromJson(json ?? '{}') as { body: Uint8Array; text: string };
  const { text, ...reply } = rest;
  return {
    ...reply,
    arrayBuffer: () => Promise.resolve(body.buffer),
    text: () => Promise.resolve(text),
    json: () => Promise.resolve(JSON.parse(text) as unknown),
  };
}

// Globals: Figma's, and nothing that Figma's sandbox does not have.

const globals: Record<string, unknown> = {
  figma,
  __html__: html,
  __uiFiles__: {},
  console,
  fetch,
  setTimeout: (callback: unknown, delay_ms?: unknown) => startTimer(callback, delay_ms, false),
  setInterval: (callback: unknown, delay_ms?: unknown) => startTimer(callback, delay_ms, true),
  clearTimeout: stopTimer,
  clearInterval: stopTimer,
  Date: HostDate,
};
for (const [name, value] of Object.entries(globals)) {
  Object.defineProperty(globalThis, name, { value, writable: name === 'Date', configurable: false, enumerable: false });
}
// A plugin that builds code from text may be refused; here it always is.
const refuse = function refuse(): never {
  throw new EvalError('Code generation from strings is not allowed');
};
for (const kind of [function () {}, async function () {}, function* () {}, async function* () {}]) {
  Object.defineProperty(Object.getPrototypeOf(kind) as object, 'constructor', { value: refuse, configurable: false });
}
Object.defineProperty(globalThis, 'Function', {
  value: Object.assign(refuse, { prototype: Function.prototype }),
  configurable: false,
});
for (const absent of ['eval', 'SharedArrayBuffer', 'Float16Array', 'Iterator', 'WebAssembly', 'performance', 'queueMicrotask']) {
  delete (globalThis as Record<string, unknown>)[absent];
}

const entry: Entry = {
  fromJson,
  parse: (json) => JSON.parse(json) as unknown,
  deliver(message, origin) {
    const props = { origin };
    for (const handler of [...messageHandlers]) {
      if (handler.once) messageHandlers.splice(messageHandlers.indexOf(handler), 1);
      handler.callback(message, props);
    }
    onmessage?.(message, props);
  },
  settle(token, json, error) {
    const waiter = waiting.get(token);
    waiting.delete(token);
    if (error === undefined) waiter?.resolve(json);
    else waiter?.reject(new Error(error));
  },
  timer(handle) {
    const timer = timers.get(handle);
    if (!timer) return;
    if (!timer.repeat) timers.delete(handle);
    timer.callback();
  },
  event(type, json) {
    if (type === 'notify.action') {
      notices.get(Number(JSON.parse(json)))?.button?.action();
      return;
    }
    if (type === INPUT) {
      fire(INPUT, typed(JSON.parse(json) as { key: string; query: string; turn: number }));
      return;
    }
    fire(type, json === '' ? undefined : JSON.parse(json));
  },
};
export default entry;
