/**
 * The Figma file as plain data: collections, modes, variables, layers, plugin data; saved and loaded as JSON.
 *
 * Owns the records, their indexes, and the log of changes that undo and the playground follow. Must not know the
 * plugin API, its rules and error texts (model.ts), QuickJS, or a browser.
 */

import type {
  CodeSyntaxPlatform,
  VariableAlias,
  VariableResolvedDataType,
  VariableScope,
  VariableValue,
} from '@figma/plugin-typings/plugin-api-standalone';

/** One mode of a collection. */
export interface StoredMode {
  modeId: string;
  name: string;
}

/** One collection. Its variables are those that name it, in the order of {@link StoredDocument.variables}. */
export interface StoredCollection {
  id: string;
  key: string;
  name: string;
  hiddenFromPublishing: boolean;
  /** Imported from a library: readable, never writable. */
  remote: boolean;
  /** Extends another collection (Enterprise): it has modes of its own, and variables only of the other's. */
  isExtension?: boolean;
  /** Published in a library, as its owner sees it. */
  published?: boolean;
  modes: StoredMode[];
  defaultModeId: string;
  pluginData: Record<string, string>;
}

/** One variable. `valuesByMode` may hold modes that the collection no longer has, as Figma's files do. */
export interface StoredVariable {
  id: string;
  key: string;
  name: string;
  description: string;
  hiddenFromPublishing: boolean;
  /** Imported from a library: readable, never writable. */
  remote: boolean;
  collectionId: string;
  resolvedType: VariableResolvedDataType;
  scopes: VariableScope[];
  codeSyntax: Partial<Record<CodeSyntaxPlatform, string>>;
  valuesByMode: Record<string, VariableValue>;
  pluginData: Record<string, string>;
}

/** A drawn thing of a page. A plugin sees its name and its bindings, a person all of it. Bindings follow variables. */
export interface StoredLayer {
  id: string;
  name: string;
  /** The page's name; the first page where it is absent. */
  page?: string;
  /** What draws it; the playground knows the shapes. */
  shape: string;
  /** Collection id → mode id; a collection that is not named shows its default mode. */
  modes: Record<string, string>;
  /** Property of the shape → variable id. */
  bindings: Record<string, string>;
  /** Fixed texts and measures of the shape. */
  content: Record<string, string | number>;
}

/** A variable of another file that is published as a library; `importVariableByKeyAsync` brings it in. */
export interface StoredLibrary {
  name: string;
  collections: StoredCollection[];
  variables: StoredVariable[];
}

/** A whole file. */
export interface StoredDocument {
  version: 1;
  name: string;
  /** Last number given to an id of this file. */
  lastId: number;
  rootPluginData: Record<string, string>;
  collections: StoredCollection[];
  variables: StoredVariable[];
  layers: StoredLayer[];
  libraries: StoredLibrary[];
}

/** The kinds of record that have a name of their own. */
export type EntityKind = 'collection' | 'variable' | 'layer';

/** One change, complete enough to be undone and done again. */
export type Change =
  | { kind: 'create' | 'remove'; entity: 'collection'; record: StoredCollection; index: number }
  | { kind: 'create' | 'remove'; entity: 'variable'; record: StoredVariable; index: number }
  | {
      kind: 'set';
      entity: EntityKind | 'root';
      id: string;
      /** Field of the record, such as `valuesByMode`. */
      field: string;
      /** Key inside the field where it is a map, such as a mode id. */
      key?: string;
      /** `undefined`: was, or becomes, absent. */
      before: unknown;
      after: unknown;
    };

/** Is told every change, in order. */
export type Observer = (change: Change) => void;

/** An empty file. */
export function emptyDocument(name = 'Untitled'): StoredDocument {
  return {
    version: 1,
    name,
    lastId: 1,
    rootPluginData: {},
    collections: [],
    variables: [],
    layers: [],
    libraries: [],
  };
}

/** Whether a value is an alias. */
export function isAlias(value: unknown): value is VariableAlias {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'VARIABLE_ALIAS';
}

/** `structuredClone`, without its cost for what can't be shared anyway. */
function copy<T>(value: T): T {
  return typeof value === 'object' && value !== null ? structuredClone(value) : value;
}

/** A loaded file: records by id, and every change in one place. */
export class FileDocument {
  readonly #data: StoredDocument;
  readonly #collections = new Map<string, StoredCollection>();
  readonly #variables = new Map<string, StoredVariable>();
  readonly #names = new Map<string, Map<string, string>>();
  readonly #observers = new Set<Observer>();

  /** @param data taken as it is and copied; @throws when it is of another version. */
  constructor(data: StoredDocument = emptyDocument()) {
    if (data.version !== 1) throw new Error(`a saved document of version ${String(data.version)} can't be loaded`);
    this.#data = structuredClone(data);
    for (const collection of this.#data.collections) this.#index({ entity: 'collection', record: collection });
    for (const variable of this.#data.variables) this.#index({ entity: 'variable', record: variable });
  }

  /** The file as JSON-able data; a copy. */
  save(): StoredDocument {
    return structuredClone(this.#data);
  }

  get name(): string {
    return this.#data.name;
  }

  get rootPluginData(): Readonly<Record<string, string>> {
    return this.#data.rootPluginData;
  }

  get collections(): readonly StoredCollection[] {
    return this.#data.collections;
  }

  get variables(): readonly StoredVariable[] {
    return this.#data.variables;
  }

  /** Names of the pages, the current one first. */
  get pages(): readonly string[] {
    const named = this.#data.layers.flatMap((layer) => layer.page ?? []);
    return [...new Set(['Page 1', ...named])];
  }
  get layers(): readonly StoredLayer[] {
    return this.#data.layers;
  }

  get libraries(): readonly StoredLibrary[] {
    return this.#data.libraries;
  }

  collection(id: string): StoredCollection | undefined {
    return this.#collections.get(id);
  }

  variable(id: string): StoredVariable | undefined {
    return this.#variables.get(id);
  }

  /** The id of the variable of that name in that collection. */
  variableNamed(collectionId: string, name: string): string | undefined {
    return this.#names.get(collectionId)?.get(name);
  }

  /** How many variables a collection has. */
  variableCount(collectionId: string): number {
    return this.#names.get(collectionId)?.size ?? 0;
  }

  /** Puts drawn things on the page; a person's work in Figma, so no change is told. */
  addLayers(layers: readonly StoredLayer[]): void {
    this.#data.layers.push(...structuredClone(layers as StoredLayer[]));
  }

  /** A number no id of this file has had. */
  nextId(): number {
    this.#data.lastId += 1;
    return this.#data.lastId;
  }

  /** @returns a function that ends the observing. */
  observe(observer: Observer): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  create(entity: 'collection', record: StoredCollection): Change;
  create(entity: 'variable', record: StoredVariable): Change;
  create(entity: 'collection' | 'variable', record: StoredCollection | StoredVariable): Change {
    const change = (
      entity === 'collection'
        ? { kind: 'create', entity, record, index: this.#data.collections.length }
        : { kind: 'create', entity, record, index: this.#data.variables.length }
    ) as Change;
    this.apply(change);
    return change;
  }

  remove(entity: 'collection' | 'variable', id: string): Change | undefined {
    const list: readonly { id: string }[] = entity === 'collection' ? this.collections : this.variables;
    const index = list.findIndex((record) => record.id === id);
    if (index < 0) return undefined;
    const change = { kind: 'remove', entity, record: list[index], index } as Change;
    this.apply(change);
    return change;
  }

  /** Writes one field, or one key of a field that is a map; `undefined` takes a key away. */
  set(entity: EntityKind | 'root', id: string, field: string, key: string | undefined, after: unknown): Change {
    const holder = this.#holder(entity, id);
    if (!holder) throw new Error(`there is no ${entity} ${id}`);
    const before = key === undefined ? holder[field] : (holder[field] as Record<string, unknown>)[key];
    const change: Change = {
      kind: 'set',
      entity,
      id,
      field,
      ...(key === undefined ? {} : { key }),
      before: copy(before),
      after: copy(after),
    };
    this.apply(change);
    return change;
  }

  /** Does a change (again). What it names may be gone: then nothing happens. */
  apply(change: Change): void {
    switch (change.kind) {
      case 'create':
        if (this.#holder(change.entity, change.record.id)) return;
        if (change.entity === 'collection') this.#insert(this.#data.collections, change.record, change.index);
        else this.#insert(this.#data.variables, change.record, change.index);
        this.#index(change);
        break;
      case 'remove': {
        const list: { id: string }[] = change.entity === 'collection' ? this.#data.collections : this.#data.variables;
        const index = list.findIndex((record) => record.id === change.record.id);
        if (index < 0) return;
        list.splice(index, 1);
        if (change.entity === 'collection') {
          this.#collections.delete(change.record.id);
        } else {
          this.#variables.delete(change.record.id);
          this.#names.get(change.record.collectionId)?.delete(change.record.name);
        }
        break;
      }
      case 'set': {
        const holder = this.#holder(change.entity, change.id);
        if (!holder) return;
        if (change.entity === 'variable' && change.field === 'name') {
          const names = this.#names.get(String(holder['collectionId']));
          if (names?.get(String(holder['name'])) === change.id) names.delete(String(holder['name']));
          names?.set(String(change.after), change.id);
        }
        const after = copy(change.after);
        if (change.key === undefined) holder[change.field] = after;
        else if (after === undefined) delete (holder[change.field] as Record<string, unknown>)[change.key];
        else (holder[change.field] as Record<string, unknown>)[change.key] = after;
        break;
      }
    }
    for (const observer of this.#observers) observer(change);
  }

  #insert<T extends { id: string }>(list: T[], record: T, index: number): void {
    if (index >= list.length) list.push(record);
    else list.splice(index, 0, record);
  }

  #index(found: { entity: 'collection' | 'variable'; record: StoredCollection | StoredVariable }): void {
    if (found.entity === 'collection') {
      this.#collections.set(found.record.id, found.record as StoredCollection);
    } else {
      const variable = found.record as StoredVariable;
      this.#variables.set(variable.id, variable);
      let names = this.#names.get(variable.collectionId);
      if (!names) this.#names.set(variable.collectionId, (names = new Map()));
      names.set(variable.name, variable.id);
    }
  }

  #holder(entity: EntityKind | 'root', id: string): Record<string, unknown> | undefined {
    switch (entity) {
      case 'collection':
        return this.#collections.get(id) as Record<string, unknown> | undefined;
      case 'variable':
        return this.#variables.get(id) as Record<string, unknown> | undefined;
      case 'layer':
        return this.#data.layers.find((layer) => layer.id === id) as Record<string, unknown> | undefined;
      case 'root':
        return this.#data as unknown as Record<string, unknown>;
    }
  }
}

/** The change that takes `change` back. */
export function inverse(change: Change): Change {
  switch (change.kind) {
    case 'create':
      return { ...change, kind: 'remove' };
    case 'remove':
      return { ...change, kind: 'create' };
    case 'set':
      return { ...change, before: change.after, after: change.before };
  }
}
