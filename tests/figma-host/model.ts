/**
 * Figma's rules for variables, collections and plugin data, with Figma's error texts where they are known.
 *
 * Owns what may be written, by whom, and what reading back gives. Must not know QuickJS, promises or the panel.
 * Sources of the rules: the documentation and typings of the plugin API, and reports of others; tests/README.md
 * lists which is which. Where the text of an error is not known, ours says what is wrong, and tests only assert
 * that something is thrown.
 */

import type {
  CodeSyntaxPlatform,
  VariableResolvedDataType,
  VariableScope,
  VariableValue,
} from '@figma/plugin-typings/plugin-api-standalone';

import {
  type Change,
  type FileDocument,
  type StoredCollection,
  type StoredVariable,
  isAlias,
} from './document.ts';

/** Most variables in a collection (Figma's documentation). */
export const VARIABLES_MAX = 5_000;
/** Longest mode name, in characters (Figma's REST documentation). */
export const MODE_NAME_CHARACTERS_MAX = 40;
/** Largest entry of plugin data: plugin id, key and value together, in bytes (Figma's documentation). */
export const PLUGIN_DATA_BYTES_MAX = 100_000;

/** Modes a collection may have, by plan. Reported; Figma's documentation only says that plans differ. */
export const MODES_MAX = { starter: 1, professional: 10, organization: 20, enterprise: 40 } as const;
/** A pricing plan. */
export type Plan = keyof typeof MODES_MAX;

const TYPES: readonly VariableResolvedDataType[] = ['BOOLEAN', 'COLOR', 'EASING', 'FLOAT', 'STRING', 'TIMING'];
const PLATFORMS: readonly CodeSyntaxPlatform[] = ['WEB', 'ANDROID', 'iOS'];
const EASINGS: readonly string[] = [
  'EASE_IN',
  'EASE_OUT',
  'EASE_IN_AND_OUT',
  'LINEAR',
  'EASE_IN_BACK',
  'EASE_OUT_BACK',
  'EASE_IN_AND_OUT_BACK',
  'CUSTOM_CUBIC_BEZIER',
  'GENTLE',
  'QUICK',
  'BOUNCY',
  'SLOW',
  'CUSTOM_SPRING',
  'HOLD',
];
const SCOPES: readonly VariableScope[] = [
  'ALL_SCOPES',
  'TEXT_CONTENT',
  'CORNER_RADIUS',
  'WIDTH_HEIGHT',
  'GAP',
  'ALL_FILLS',
  'FRAME_FILL',
  'SHAPE_FILL',
  'TEXT_FILL',
  'STROKE_COLOR',
  'STROKE_FLOAT',
  'EFFECT_FLOAT',
  'EFFECT_COLOR',
  'OPACITY',
  'COLOR_OPACITY',
  'FONT_FAMILY',
  'FONT_STYLE',
  'FONT_WEIGHT',
  'FONT_SIZE',
  'LINE_HEIGHT',
  'LETTER_SPACING',
  'PARAGRAPH_SPACING',
  'PARAGRAPH_INDENT',
];
/** Scopes that a type can have; a type that is not named has none but ALL_SCOPES. */
const SCOPES_BY_TYPE: Partial<Record<VariableResolvedDataType, readonly VariableScope[]>> = {
  COLOR: ['ALL_SCOPES', 'ALL_FILLS', 'FRAME_FILL', 'SHAPE_FILL', 'TEXT_FILL', 'STROKE_COLOR', 'EFFECT_COLOR'],
  FLOAT: [
    'ALL_SCOPES',
    'TEXT_CONTENT',
    'CORNER_RADIUS',
    'WIDTH_HEIGHT',
    'GAP',
    'STROKE_FLOAT',
    'EFFECT_FLOAT',
    'OPACITY',
    'COLOR_OPACITY',
    'FONT_WEIGHT',
    'FONT_SIZE',
    'LINE_HEIGHT',
    'LETTER_SPACING',
    'PARAGRAPH_SPACING',
    'PARAGRAPH_INDENT',
  ],
  STRING: ['ALL_SCOPES', 'TEXT_CONTENT', 'FONT_FAMILY', 'FONT_STYLE'],
};

/** What the API throws: the message starts with `in <call>:` as Figma's do. */
export class FigmaError extends Error {
  constructor(call: string, text: string) {
    super(call === '' ? text : `in ${call}: ${text}`);
    this.name = 'Error';
  }
}

/** Who is writing. */
export interface Writer {
  plan: Plan;
  /** False in Dev Mode and for viewers. */
  mayEdit: boolean;
  /** Is told every change; the plugin's user keeps them for undo. */
  record: (change: Change) => void;
}

const keyAlphabet = '0123456789abcdef';

/** A 40-digit key as Figma's are, derived from the id: the same file gives the same keys. */
function keyOf(id: string): string {
  let state = 0x811c9dc5;
  let key = '';
  for (let at = 0; at < 40; at += 1) {
    for (const character of `${id}${String(at)}`) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0;
    key += keyAlphabet[(state >>> 13) & 15] ?? '0';
  }
  return key;
}

/** The rules, for one writer on one file. */
export class VariableModel {
  readonly document: FileDocument;
  readonly #writer: Writer;

  constructor(document: FileDocument, writer: Writer) {
    this.document = document;
    this.#writer = writer;
  }

  // Collections.

  createCollection(name: string): string {
    const call = 'createVariableCollection';
    this.#mayEdit(call);
    if (name === '') throw new FigmaError(call, 'Name must not be empty');
    const number = this.document.nextId();
    const id = `VariableCollectionId:1:${String(number)}`;
    const modeId = `1:${String(this.document.nextId())}`;
    const collection: StoredCollection = {
      id,
      key: keyOf(id),
      name,
      hiddenFromPublishing: false,
      remote: false,
      modes: [{ modeId, name: 'Mode 1' }],
      defaultModeId: modeId,
      pluginData: {},
    };
    this.#writer.record(this.document.create('collection', collection));
    return id;
  }

  collection(call: string, id: string): StoredCollection {
    const collection = this.document.collection(id);
    if (!collection) throw new FigmaError(call, `The variable collection with id "${id}" does not exist`);
    return collection;
  }

  setCollection(call: string, id: string, field: 'name' | 'hiddenFromPublishing', value: string | boolean): void {
    this.#writableCollection(call, id);
    if (field === 'name' && value === '') throw new FigmaError(call, 'Name must not be empty');
    this.#set('collection', id, field, undefined, value);
  }

  removeCollection(id: string): void {
    this.#writableCollection('remove', id);
    for (const variable of this.document.variables.filter((each) => each.collectionId === id)) {
      this.#remove('variable', variable.id);
    }
    this.#remove('collection', id);
  }

  addMode(id: string, name: string): string {
    const collection = this.#writableCollection('addMode', id);
    const most = MODES_MAX[this.#writer.plan];
    if (collection.modes.length >= most) throw new FigmaError('addMode', `Limited to ${String(most)} modes only`);
    this.#modeName('addMode', collection, name);
    const modeId = `1:${String(this.document.nextId())}`;
    const variables = this.document.variables.filter((each) => each.collectionId === id);
    this.#set('collection', id, 'modes', undefined, [...collection.modes, { modeId, name }]);
    for (const variable of variables) {
      const value = variable.valuesByMode[collection.defaultModeId];
      this.#set('variable', variable.id, 'valuesByMode', modeId, value);
    }
    return modeId;
  }

  renameMode(id: string, modeId: string, name: string): void {
    const collection = this.#writableCollection('renameMode', id);
    if (!collection.modes.some((mode) => mode.modeId === modeId)) {
      throw new FigmaError('renameMode', `Mode with id "${modeId}" does not exist`);
    }
    this.#modeName('renameMode', collection, name, modeId);
    const modes = collection.modes.map((mode) => (mode.modeId === modeId ? { modeId, name } : mode));
    this.#set('collection', id, 'modes', undefined, modes);
  }

  /** The variables keep their value under the mode's id: a ghost, as found in real files. */
  removeMode(id: string, modeId: string): void {
    const collection = this.#writableCollection('removeMode', id);
    const modes = collection.modes.filter((mode) => mode.modeId !== modeId);
    if (modes.length === collection.modes.length) {
      throw new FigmaError('removeMode', `Mode with id "${modeId}" does not exist`);
    }
    const first = modes[0];
    if (!first) throw new FigmaError('removeMode', 'Cannot remove the last mode of a collection');
    this.#set('collection', id, 'modes', undefined, modes);
    if (collection.defaultModeId === modeId) this.#set('collection', id, 'defaultModeId', undefined, first.modeId);
  }

  // Variables.

  createVariable(name: string, collectionId: string, resolvedType: string): string {
    const call = 'createVariable';
    const collection = this.#writableCollection(call, collectionId);
    // What Figma says here is not known: only that an extended collection takes no variables of its own.
    if (collection.isExtension) throw new FigmaError(call, 'Cannot create variables in an extended collection');
    const type = TYPES.find((each) => each === resolvedType);
    if (!type) {
      const types = TYPES.map((each) => `'${each}'`).join(' | ');
      throw new FigmaError(call, `Expected "resolvedType" to be one of ${types} but got '${resolvedType}' instead`);
    }
    this.#variableName(call, collectionId, name);
    if (this.document.variableCount(collectionId) >= VARIABLES_MAX) {
      throw new FigmaError(call, `Limited to ${String(VARIABLES_MAX)} variables in a collection`);
    }
    const id = `VariableID:1:${String(this.document.nextId())}`;
    const valuesByMode: Record<string, VariableValue> = {};
    for (const mode of collection.modes) valuesByMode[mode.modeId] = initialValue(type);
    const variable: StoredVariable = {
      id,
      key: keyOf(id),
      name,
      description: '',
      hiddenFromPublishing: false,
      remote: false,
      collectionId,
      resolvedType: type,
      scopes: ['ALL_SCOPES'],
      codeSyntax: {},
      valuesByMode,
      pluginData: {},
    };
    this.#writer.record(this.document.create('variable', variable));
    return id;
  }

  variable(call: string, id: string): StoredVariable {
    const variable = this.document.variable(id);
    if (!variable) throw new FigmaError(call, `The variable with id "${id}" does not exist`);
    return variable;
  }

  setVariable(
    call: string,
    id: string,
    field: 'name' | 'description' | 'hiddenFromPublishing',
    value: string | boolean,
  ): void {
    const variable = this.#writableVariable(call, id);
    if (field === 'name' && value !== variable.name) this.#variableName(call, variable.collectionId, String(value));
    this.#set('variable', id, field, undefined, value);
  }

  setScopes(id: string, scopes: readonly unknown[]): void {
    const call = 'set_scopes';
    const variable = this.#writableVariable(call, id);
    const known = SCOPES_BY_TYPE[variable.resolvedType] ?? ['ALL_SCOPES'];
    for (const scope of scopes) {
      if (!SCOPES.some((each) => each === scope)) {
        throw new FigmaError(call, `Expected "scopes" to be a variable scope but got '${String(scope)}' instead`);
      }
      if (!known.some((each) => each === scope)) {
        throw new FigmaError(call, `Invalid scope ${String(scope)} for a variable of type ${variable.resolvedType}`);
      }
    }
    if (scopes.includes('ALL_SCOPES') && scopes.length > 1) {
      throw new FigmaError(call, 'No additional scopes may be set if ALL_SCOPES is set');
    }
    if (scopes.includes('ALL_FILLS') && scopes.some((scope) => /^(FRAME|SHAPE|TEXT)_FILL$/.test(String(scope)))) {
      throw new FigmaError(call, 'No additional fill scopes may be set if ALL_FILLS is set');
    }
    this.#set('variable', id, 'scopes', undefined, [...scopes]);
  }

  setCodeSyntax(id: string, platform: string, value: string): void {
    const call = 'setVariableCodeSyntax';
    this.#writableVariable(call, id);
    if (value === '') throw new FigmaError(call, 'Code syntax must not be empty');
    this.#set('variable', id, 'codeSyntax', this.#platform(call, platform), value);
  }

  removeCodeSyntax(id: string, platform: string): void {
    const call = 'removeVariableCodeSyntax';
    const variable = this.#writableVariable(call, id);
    const known = this.#platform(call, platform);
    if (variable.codeSyntax[known] === undefined) {
      throw new FigmaError(call, `No code syntax is defined for platform ${platform}`);
    }
    this.#set('variable', id, 'codeSyntax', known, undefined);
  }

  setValueForMode(id: string, modeId: string, value: unknown): void {
    const call = 'setValueForMode';
    const variable = this.#writableVariable(call, id);
    const collection = this.collection(call, variable.collectionId);
    const at = collection.modes.findIndex((mode) => mode.modeId === modeId);
    if (at < 0) throw new FigmaError(call, `Mode with id "${modeId}" does not exist`);
    const most = MODES_MAX[this.#writer.plan];
    if (at >= most) throw new FigmaError(call, `cannot modify modes beyond limit of ${String(most)}`);
    this.#set('variable', id, 'valuesByMode', modeId, this.#stored(variable, modeId, value));
  }

  removeVariable(id: string): void {
    this.#writableVariable('remove', id);
    this.#remove('variable', id);
  }

  /** Brings a published variable, with its collection, into this file as a remote one. */
  importByKey(key: string): string {
    const call = 'importVariableByKeyAsync';
    for (const library of this.document.libraries) {
      const variable = library.variables.find((each) => each.key === key);
      const collection = library.collections.find((each) => each.id === variable?.collectionId);
      if (!variable || !collection) continue;
      if (!this.document.collection(collection.id)) {
        this.#writer.record(this.document.create('collection', { ...structuredClone(collection), remote: true }));
      }
      if (!this.document.variable(variable.id)) {
        this.#writer.record(this.document.create('variable', { ...structuredClone(variable), remote: true }));
      }
      return variable.id;
    }
    throw new FigmaError(call, `Could not find a published variable with the key "${key}"`);
  }

  // Plugin data. The root of the document is `root` with an empty id.

  pluginData(call: string, entity: 'root' | 'collection' | 'variable', id: string): Readonly<Record<string, string>> {
    switch (entity) {
      case 'root':
        return this.document.rootPluginData;
      case 'collection':
        return this.collection(call, id).pluginData;
      case 'variable':
        return this.variable(call, id).pluginData;
    }
  }

  setPluginData(
    entity: 'root' | 'collection' | 'variable',
    id: string,
    pluginId: string,
    key: string,
    value: string,
  ): void {
    const call = 'setPluginData';
    this.#mayEdit(call);
    this.pluginData(call, entity, id);
    const bytes = new TextEncoder().encode(pluginId + key + value).length;
    if (bytes > PLUGIN_DATA_BYTES_MAX) {
      throw new FigmaError(call, `Cannot set plugin data: entry size of ${String(bytes)} bytes exceeds 100 kB`);
    }
    const field = entity === 'root' ? 'rootPluginData' : 'pluginData';
    this.#set(entity, id, field, key, value === '' ? undefined : value);
  }

  // Checks.

  #mayEdit(call: string): void {
    if (!this.#writer.mayEdit) throw new FigmaError(call, 'Cannot write to a file that is open read-only');
  }

  #writableCollection(call: string, id: string): StoredCollection {
    this.#mayEdit(call);
    const collection = this.collection(call, id);
    if (collection.remote) throw new FigmaError(call, 'Cannot write to a collection of a library');
    return collection;
  }

  #writableVariable(call: string, id: string): StoredVariable {
    this.#mayEdit(call);
    const variable = this.variable(call, id);
    if (variable.remote) throw new FigmaError(call, 'Cannot write to a variable of a library');
    return variable;
  }

  #modeName(call: string, collection: StoredCollection, name: string, except?: string): void {
    if (name === '') throw new FigmaError(call, 'Name must not be empty');
    if ([...name].length > MODE_NAME_CHARACTERS_MAX) {
      throw new FigmaError(call, `Name cannot exceed ${String(MODE_NAME_CHARACTERS_MAX)} characters`);
    }
    if (collection.modes.some((mode) => mode.name === name && mode.modeId !== except)) {
      throw new FigmaError(call, 'Duplicate mode name');
    }
  }

  #variableName(call: string, collectionId: string, name: string): void {
    if (name === '' || /[.{}]/.test(name)) throw new FigmaError(call, 'invalid variable name');
    if (this.document.variableNamed(collectionId, name) !== undefined) {
      throw new FigmaError(call, 'duplicate variable name');
    }
  }

  #platform(call: string, platform: string): CodeSyntaxPlatform {
    const known = PLATFORMS.find((each) => each === platform);
    if (known) return known;
    throw new FigmaError(call, `Expected "platform" to be one of 'WEB' | 'ANDROID' | 'iOS' but got '${platform}' instead`);
  }

  /** The value as Figma keeps it: 32-bit floats, alpha filled in. */
  #stored(variable: StoredVariable, modeId: string, value: unknown): VariableValue {
    const call = 'setValueForMode';
    const type = variable.resolvedType;
    const mismatch = () =>
      new FigmaError('', `Mismatched variable resolved type for mode ${modeId}: expected a ${type} value`);
    switch (typeof value) {
      case 'boolean':
        if (type !== 'BOOLEAN') throw mismatch();
        return value;
      case 'string':
        if (type !== 'STRING') throw mismatch();
        return value;
      case 'number': {
        if (!Number.isFinite(value)) throw new FigmaError(call, `Expected "newValue" to be finite but got ${String(value)}`);
        if (type !== 'FLOAT' && type !== 'TIMING') throw mismatch();
        const rounded = Math.fround(value);
        if (!Number.isFinite(rounded)) throw new FigmaError(call, `Expected "newValue" to fit in 32 bits`);
        return rounded;
      }
      case 'object':
        break;
      default:
        throw unexpected(call, value);
    }
    if (value === null) throw unexpected(call, value);
    if (isAlias(value)) {
      this.#alias(call, variable, value.id, type, mismatch);
      return { type: 'VARIABLE_ALIAS', id: value.id };
    }
    const fields = value as Record<string, unknown>;
    if ('color' in fields || 'opacity' in fields) {
      if (type !== 'COLOR') throw mismatch();
      return this.#composed(call, variable, fields, mismatch);
    }
    if (typeof fields['type'] === 'string') {
      if (type !== 'EASING') throw mismatch();
      return easing(call, fields);
    }
    if (['r', 'g', 'b'].every((channel) => typeof fields[channel] === 'number')) {
      if (type !== 'COLOR') throw mismatch();
      return colour(call, fields);
    }
    throw unexpected(call, value);
  }

  #composed(
    call: string,
    variable: StoredVariable,
    fields: Record<string, unknown>,
    mismatch: () => FigmaError,
  ): VariableValue {
    const { color, opacity } = fields;
    const aliased = isAlias(color);
    if (isAlias(opacity)) this.#alias(call, variable, opacity.id, 'FLOAT', mismatch);
    // "A separate opacity percentage" (typings): 0 to 100, as the FLOAT variables that an opacity may be bound to.
    else if (typeof opacity !== 'number' || !(opacity >= 0 && opacity <= 100)) {
      throw new FigmaError(call, 'Expected "newValue.opacity" to be a number from 0 to 100 or an alias');
    }
    if (!aliased && !isAlias(opacity)) {
      throw new FigmaError(call, 'Expected "newValue.color" or "newValue.opacity" to be an alias');
    }
    if (aliased) this.#alias(call, variable, color.id, 'COLOR', mismatch);
    const storedOpacity = isAlias(opacity) ? { type: opacity.type, id: opacity.id } : Math.fround(Number(opacity));
    if (aliased) return { color: { type: color.type, id: color.id }, opacity: storedOpacity };
    if (typeof color !== 'object' || color === null) throw unexpected(call, fields);
    return {
      color: colour(call, color as Record<string, unknown>),
      opacity: storedOpacity as { type: 'VARIABLE_ALIAS'; id: string },
    };
  }

  #alias(
    call: string,
    variable: StoredVariable,
    targetId: string,
    type: VariableResolvedDataType,
    mismatch: () => FigmaError,
  ): void {
    const target = this.document.variable(targetId);
    if (!target) throw new FigmaError(call, `The variable with id "${targetId}" does not exist`);
    if (target.resolvedType !== type) throw mismatch();
    if (this.#reaches(target, variable.id, new Set())) {
      throw new FigmaError(call, 'Setting this alias would create a cycle');
    }
  }

  #reaches(from: StoredVariable, id: string, seen: Set<string>): boolean {
    if (from.id === id) return true;
    if (seen.has(from.id)) return false;
    seen.add(from.id);
    return Object.values(from.valuesByMode).some((value) =>
      aliasesIn(value).some((target) => {
        const next = this.document.variable(target);
        return next !== undefined && this.#reaches(next, id, seen);
      }),
    );
  }

  #set(
    entity: 'root' | 'collection' | 'variable',
    id: string,
    field: string,
    key: string | undefined,
    value: unknown,
  ): void {
    this.#writer.record(this.document.set(entity, id, field, key, value));
  }

  #remove(entity: 'collection' | 'variable', id: string): void {
    const change = this.document.remove(entity, id);
    if (change) this.#writer.record(change);
  }
}

/** The ids a value refers to. */
export function aliasesIn(value: VariableValue): string[] {
  if (isAlias(value)) return [value.id];
  if (typeof value !== 'object' || !('color' in value)) return [];
  return [value.color, value.opacity].flatMap((part) => (isAlias(part) ? [part.id] : []));
}

/** What a new variable of a type holds. */
function initialValue(type: VariableResolvedDataType): VariableValue {
  switch (type) {
    case 'BOOLEAN':
      return false;
    case 'COLOR':
      return { r: 1, g: 1, b: 1, a: 1 };
    case 'EASING':
      return { type: 'LINEAR' };
    case 'FLOAT':
    case 'TIMING':
      return 0;
    case 'STRING':
      return '';
  }
}

function unexpected(call: string, value: unknown): FigmaError {
  const got = value === null ? 'null' : typeof value;
  return new FigmaError(
    call,
    `Expected "newValue" to be one of the following, but none matched: \n` +
      `  Expected "newValue" to have type boolean but got ${got} instead\n` +
      `  Expected "newValue" to have type number but got ${got} instead\n` +
      `  Expected "newValue" to have type string but got ${got} instead`,
  );
}

function colour(call: string, fields: Record<string, unknown>): { r: number; g: number; b: number; a: number } {
  const channel = (name: 'r' | 'g' | 'b' | 'a', missing?: number): number => {
    const given = fields[name] ?? missing;
    if (typeof given !== 'number') {
      throw new FigmaError(call, `Expected "newValue.${name}" to have type number but got ${typeof given} instead`);
    }
    if (!(given >= 0 && given <= 1)) {
      throw new FigmaError(call, `Expected "newValue.${name}" to be from 0 to 1 but got ${String(given)}`);
    }
    return Math.fround(given);
  };
  return { r: channel('r'), g: channel('g'), b: channel('b'), a: channel('a', 1) };
}

function easing(call: string, fields: Record<string, unknown>): VariableValue {
  const type = String(fields['type']);
  if (!EASINGS.includes(type)) throw new FigmaError(call, `Unknown easing type '${type}'`);
  const stored: Record<string, unknown> = { type };
  const part = (name: string, keys: readonly string[]): void => {
    const given = fields[name];
    if (typeof given !== 'object' || given === null) throw new FigmaError(call, `Expected "newValue.${name}" to be given`);
    const numbers: Record<string, number> = {};
    for (const key of keys) {
      const number = (given as Record<string, unknown>)[key];
      if (typeof number !== 'number' || !Number.isFinite(number)) {
        throw new FigmaError(call, `Expected "newValue.${name}.${key}" to be a finite number`);
      }
      numbers[key] = Math.fround(number);
    }
    stored[name] = numbers;
  };
  if (type === 'CUSTOM_CUBIC_BEZIER') part('easingFunctionCubicBezier', ['x1', 'y1', 'x2', 'y2']);
  if (type === 'CUSTOM_SPRING') part('easingFunctionSpring', ['bounce']);
  return stored as unknown as VariableValue;
}
