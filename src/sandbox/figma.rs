//! Figma's plugin API, as much of it as the sandbox program uses: the only file that names it.
//!
//! Owns the bindings and the shape in which values cross. Must not know messages, flags or what is done with
//! variables. The API's reference: `@figma/plugin-typings`.

use wasm_bindgen::prelude::*;

// Objects of the API never become Rust objects: a small script reads what is needed and hands it over as one text,
// because each crossing costs more than the reading. Records end with U+001E, fields with U+001F, as packed sheets do.
#[wasm_bindgen(inline_js = r#"
const END = '\x1e', NEXT = '\x1f';

export function show_panel(width, height) {
  figma.showUI(__html__, { themeColors: true, width, height, title: 'Sheetwire' });
}
export function on_run(run) {
  figma.on('run', ({ command, parameters }) => {
    const name = parameters && parameters.name;
    run(command || '', typeof name === 'string' ? name : '');
  });
}
export function suggest_names(most) {
  let names;
  figma.parameters.on('input', ({ query, key, result }) => {
    if (key !== 'name') return;
    if (!names) {
      result.setLoadingMessage('Reading the variables…');
      names = figma.variables.getLocalVariablesAsync().then((all) => [...new Set(all.map((variable) => variable.name))]);
    }
    const wanted = query.trim().toLowerCase();
    names.then(
      (all) => result.setSuggestions(all.filter((name) => name.toLowerCase().includes(wanted)).slice(0, most)),
      () => result.setSuggestions([]),
    );
  });
}
export function hear(receive) {
  figma.ui.onmessage = (message) => {
    const known = typeof message === 'object' && message !== null;
    receive(
      known && typeof message.v === 'number' ? message.v : -1,
      known && typeof message.body === 'string' ? message.body : '',
      known && typeof message.bulk === 'string' ? message.bulk : '',
    );
  };
}
export function tell(v, body, bulk) {
  figma.ui.postMessage(bulk === undefined ? { v, body } : { v, body, bulk });
}
export function file_name() { return figma.root.name; }
export function may_edit() {
  if (figma.editorType === 'dev') return false;
  try { figma.root.setPluginData('sheetwire.probe', ''); return true; } catch { return false; }
}
export function user_id() { const user = figma.currentUser; return user && user.id ? user.id : undefined; }
export function resize_panel(width, height) { figma.ui.resize(width, height); }
export function hide_panel() { figma.ui.hide(); }
export function close_plugin() { figma.closePlugin(); }
export function notify(text) { figma.notify(text); }
export async function stored(key) {
  const value = await figma.clientStorage.getAsync(key);
  return typeof value === 'string' ? value : undefined;
}
export async function store(key, value) { await figma.clientStorage.setAsync(key, value); }

export async function turn() { await new Promise((resolve) => setTimeout(resolve, 0)); }

export async function list_variables(slice_ms, library_max) {
  const places = {}, collections = [], variables = [], listed = new Set(), wanted = new Set();
  let began = Date.now(), left = library_max, partial = false;
  const look = (value) => {
    if (value === null || typeof value !== 'object') return;
    if (value.type === 'VARIABLE_ALIAS') wanted.add(value.id);
    else for (const key in value) look(value[key]);
  };
  const note_collection = (collection, library) => {
    const { id, name, modes, hiddenFromPublishing: hidden } = collection;
    places[id] = { at: collections.length, modes: modes.map((mode) => mode.modeId) };
    collections.push(JSON.stringify({ id, name, modes: modes.map((mode) => mode.name), hidden,
      extended: !!collection.isExtension, library_key: library ? collection.key : undefined }));
  };
  const note_variable = (variable) => {
    const place = places[variable.variableCollectionId];
    if (!place) return;
    const { id, name, resolvedType: type, valuesByMode, description, scopes, codeSyntax: code, hiddenFromPublishing: hidden } = variable;
    const values = place.modes.map((mode) => valuesByMode[mode] === undefined ? null : valuesByMode[mode]);
    look(values);
    listed.add(id);
    variables.push(JSON.stringify({ id, name, type, collection: place.at, values, description, scopes, code, hidden }));
  };
  for (const collection of await figma.variables.getLocalVariableCollectionsAsync()) {
    try { note_collection(collection, false); } catch { /* removed since the list was made */ }
  }
  for (const variable of await figma.variables.getLocalVariablesAsync()) {
    try { note_variable(variable); } catch { /* removed since the list was made */ }
    if (Date.now() - began >= slice_ms) { await turn(); began = Date.now(); }
  }
  for (const id of wanted) {
    if (listed.has(id)) continue;
    if (left <= 0) { partial = true; break; }
    left -= 1;
    try {
      const variable = await figma.variables.getVariableByIdAsync(id);
      if (!variable) continue;
      const owner = variable.variableCollectionId;
      if (!places[owner]) {
        const collection = await figma.variables.getVariableCollectionByIdAsync(owner);
        if (collection) note_collection(collection, true); else partial = true;
      }
      note_variable(variable);
    } catch { partial = true; }
    if (Date.now() - began >= slice_ms) { await turn(); began = Date.now(); }
  }
  return '{"collections":[' + collections.join() + '],"variables":[' + variables.join() + '],"partial":' + partial + '}';
}
export async function library_names() {
  const listed = await figma.teamLibrary.getAvailableLibraryVariableCollectionsAsync();
  return listed.map(({ key, libraryName }) => key + NEXT + libraryName).join(END);
}

const reason = (error) => String(error && error.message || error);
let copy;
export async function begin_copy(id, name, most) {
  const source = await figma.variables.getVariableCollectionByIdAsync(id);
  if (!source) return -1;
  if (source.isExtension || source.remote) return -2;
  const from = (await figma.variables.getLocalVariablesAsync()).filter((variable) => {
    try { return variable.variableCollectionId === id; } catch { return false; }
  });
  if (from.length > most) return -3;
  try {
    figma.commitUndo();
    const made = figma.variables.createVariableCollection(name);
    copy = { made, from, twins: [], ids: {}, modes: [], at: 0, unset: 0, why: '' };
    for (const mode of source.modes) {
      const first = copy.modes.length === 0, to = first ? made.modes[0].modeId : made.addMode(mode.name);
      if (first) made.renameMode(to, mode.name);
      copy.modes.push([mode.modeId, to]);
    }
    if (source.hiddenFromPublishing) made.hiddenFromPublishing = true;
    return from.length;
  } catch (error) { return reason(error); }
}
// Aliases of the collection's own variables point at their twins.
function inside(value) {
  if (value === null || typeof value !== 'object') return value;
  if (value.type === 'VARIABLE_ALIAS') return { type: value.type, id: copy.ids[value.id] || value.id };
  const twin = {};
  for (const key in value) twin[key] = inside(value[key]);
  return twin;
}
function fill(source, twin) {
  const set = (write) => { try { write(); } catch (error) { copy.unset += 1; copy.why = copy.why || reason(error); } };
  const { valuesByMode, description, scopes, codeSyntax } = source;
  for (const [from, to] of copy.modes) {
    if (valuesByMode[from] !== undefined) set(() => twin.setValueForMode(to, inside(valuesByMode[from])));
  }
  if (description !== '') set(() => { twin.description = description; });
  if (scopes.join() !== 'ALL_SCOPES') set(() => { twin.scopes = scopes; });
  for (const platform in codeSyntax) {
    if (codeSyntax[platform]) set(() => twin.setVariableCodeSyntax(platform, codeSyntax[platform]));
  }
  if (source.hiddenFromPublishing) set(() => { twin.hiddenFromPublishing = true; });
}
export function copy_on(slice_ms) {
  const { made, from, twins, ids } = copy, began = Date.now(), count = from.length;
  try {
    while (copy.at < 2 * count) {
      const source = from[copy.at % count];
      if (copy.at < count) {
        const twin = figma.variables.createVariable(source.name, made, source.resolvedType);
        twins.push(twin);
        ids[source.id] = twin.id;
      } else fill(source, twins[copy.at - count]);
      copy.at += 1;
      if (Date.now() - began >= slice_ms) break;
    }
    return copy.at;
  } catch (error) { return reason(error); }
}
export function copy_unset() { return copy.unset; }
export function copy_why() { return copy.why; }
export function keep_copy() { copy = undefined; figma.commitUndo(); }
export function drop_copy() {
  try { if (copy) copy.made.remove(); copy = undefined; return true; } catch { return false; }
}
"#)]
extern "C" {
    /// Opens the panel, `width` by `height` CSS pixels.
    pub fn show_panel(width: u32, height: u32);
    /// Calls `run(command, name)` when the plugin runs; `name` is the parameter of that key, or empty.
    pub fn on_run(run: &Closure<dyn FnMut(String, String)>);
    /// Offers at most `most` names of variables for the parameter `name` while a designer types in the quick actions.
    pub fn suggest_names(most: u32);
    /// Calls `receive(version, body, bulk)` for every message of the panel; `-1` and empty where it has no envelope.
    /// `bulk` stays a text of the host: bringing megabytes across at once would take too long.
    pub fn hear(receive: &Closure<dyn FnMut(f64, String, JsValue)>);
    /// Posts one envelope to the panel.
    pub fn tell(version: u32, body: &str);
    /// Posts one envelope with a text of the host beside it.
    #[wasm_bindgen(js_name = tell)]
    pub fn tell_with(version: u32, body: &str, bulk: &JsValue);
    /// The file's name.
    pub fn file_name() -> String;
    /// False in Dev Mode, and for a viewer, whose writes throw; the one that is tried changes nothing.
    pub fn may_edit() -> bool;
    /// Figma's id of the user, where there is one.
    pub fn user_id() -> Option<String>;
    /// Sets the panel's size in CSS pixels.
    pub fn resize_panel(width: u32, height: u32);
    /// Hides the panel; the plugin runs on.
    pub fn hide_panel();
    /// Ends the plugin.
    pub fn close_plugin();
    /// Shows Figma's own toast.
    pub fn notify(text: &str);
    /// Reads a text from the user's clientStorage.
    #[wasm_bindgen(catch)]
    pub async fn stored(key: &str) -> Result<JsValue, JsValue>;
    /// Keeps a text in the user's clientStorage.
    #[wasm_bindgen(catch)]
    pub async fn store(key: &str, value: &str) -> Result<JsValue, JsValue>;
    /// Gives the host a turn.
    pub async fn turn();
    /// The file's variables and those of libraries that they refer to, at most `library_max`: the JSON of a listing. It gives the
    /// host a turn after `slice_ms`.
    #[wasm_bindgen(catch)]
    pub async fn list_variables(slice_ms: f64, library_max: u32) -> Result<JsValue, JsValue>;
    /// The collections of the file's libraries: `key library` records.
    #[wasm_bindgen(catch)]
    pub async fn library_names() -> Result<JsValue, JsValue>;
    /// Makes a collection with the modes of another: how many variables are to follow, or the text of Figma's error. -1: there
    /// is none of this id; -2: it is another's; -3: it has more than `most` variables.
    #[wasm_bindgen(catch)]
    pub async fn begin_copy(id: &str, name: &str, most: u32) -> Result<JsValue, JsValue>;
    /// Makes and then fills variables of the copy for `slice_ms`: how many of both are done, or the text of Figma's error.
    pub fn copy_on(slice_ms: f64) -> JsValue;
    /// How many values and fields Figma refused.
    pub fn copy_unset() -> u32;
    /// The text of its first refusal.
    pub fn copy_why() -> String;
    /// Ends the copy's undo step.
    pub fn keep_copy();
    /// Removes what was made of the copy; false where that can't be removed.
    pub fn drop_copy() -> bool;
}

// What engines work with: Real-Time Sync's and an import's. Collections, modes and variables are kept here under the slots that the engine counts
// (crates/core/src/document.rs tells the packing), so that a write crosses as a few numbers and no id ever does.
#[wasm_bindgen(inline_js = r#"
const END = '\x1e', NEXT = '\x1f';
const CONNECTION = 'sheetwire.connection', LINK = 'sheetwire.link', MARK = 'sheetwire.run';
const COLLECTION = 'sheetwire.collection';
const IMPORT = 'sheetwire.import', FILE = 'sheetwire.file', NONCE = 'sheetwire.writer';
const TYPES = ['COLOR', 'FLOAT', 'STRING', 'BOOLEAN', 'EASING', 'TIMING'];
const SCOPES = ['ALL_SCOPES', 'TEXT_CONTENT', 'CORNER_RADIUS', 'WIDTH_HEIGHT', 'GAP', 'ALL_FILLS', 'FRAME_FILL',
  'SHAPE_FILL', 'TEXT_FILL', 'STROKE_COLOR', 'STROKE_FLOAT', 'EFFECT_FLOAT', 'EFFECT_COLOR', 'OPACITY',
  'COLOR_OPACITY', 'FONT_FAMILY', 'FONT_STYLE', 'FONT_WEIGHT', 'FONT_SIZE', 'LINE_HEIGHT', 'LETTER_SPACING',
  'PARAGRAPH_SPACING', 'PARAGRAPH_INDENT'];
const CURVES = { LINEAR: [0, 0, 1, 1] };
let collections = [], names = [], modes = [], places = {};
let variables = [], ids = [], owners = [], slots = new Map();
let prefix = '', numbers = [], parts = [];

const plain = (text) => /[\x1c-\x1f]/.test(text) ? text.replace(/[\x1c-\x1f]/g, ' ') : text;
const why = (error) => String(error && error.message || error);

export function now_ms() { return Date.now(); }
export function length(text) { return text.length; }
export function piece_end(text, from, most) {
  const to = Math.min(text.length, from + most), unit = text.charCodeAt(to - 1);
  return to < text.length && unit >= 0xd800 && unit <= 0xdbff ? to + 1 : to;
}
export function piece(text, from, to) { return text.slice(from, to); }
export function join(left, right) { return left + right; }
export function pause() { return new Promise((resolve) => setTimeout(resolve, 0)); }
export function begin_post() { parts = []; }
export function add_to_post(text) { parts.push(text); }
export function end_post(v) { const body = parts.join(''); parts = []; figma.ui.postMessage({ v, body }); }

export function set_link_prefix(text) { prefix = text; }
let met = '';
export function connection() { met = figma.root.getPluginData(CONNECTION); return met; }
export function is_connected() { return figma.root.getPluginData(CONNECTION) !== ''; }
export function is_connection_known() { return figma.root.getPluginData(CONNECTION) === met; }
let offered;
export function keep_connection(text) {
  try {
    figma.root.setPluginData(CONNECTION, text);
    met = text;
    const offer = text !== '';
    if (offer !== offered) figma.root.setRelaunchData(offer ? { 'sync-now': '', sync: '' } : {});
    offered = offer;
    return true;
  } catch { return false; }
}
export function remembered() { return figma.root.getPluginData(IMPORT); }
export function remember(text) { try { figma.root.setPluginData(IMPORT, text); } catch {} }
export function file_id() { return figma.root.getPluginData(FILE); }
export function keep_file_id(text) { try { figma.root.setPluginData(FILE, text); } catch {} }
export function nonce() { return figma.root.getPluginData(NONCE); }
export function leave_nonce(text) { try { figma.root.setPluginData(NONCE, text); } catch {} }
export function commit_undo() { figma.commitUndo(); }
export function mark() { return figma.root.getPluginData(MARK); }
export function set_mark(text) { try { figma.root.setPluginData(MARK, text); return true; } catch { return false; } }
export function new_mark() { return Date.now().toString(36) + Math.floor(Math.random() * 2 ** 32).toString(36); }

export async function read_document() {
  const all = await figma.variables.getLocalVariableCollectionsAsync();
  const list = await figma.variables.getLocalVariablesAsync();
  collections = []; names = []; modes = []; places = {};
  let text = '';
  for (const collection of all) {
    try {
      const id = collection.id, name = collection.name, own = collection.modes;
      places[id] = collections.length;
      collections.push(collection);
      names.push(name);
      modes.push(own.map((mode) => mode.modeId));
      const link = collection.getPluginData(COLLECTION), told = {};
      let stands = link === '' ? '' : '-';
      if (link !== '' && link.startsWith(prefix)) {
        const parts = link.slice(prefix.length).split(NEXT);
        stands = parts[0];
        for (let at = 1; at + 1 < parts.length; at += 2) told[parts[at]] = parts[at + 1];
      }
      text += (collection.isExtension ? '\x1c' : '') + plain(name) + NEXT + stands;
      for (const mode of own) text += NEXT + plain(mode.name) + NEXT + (told[mode.modeId] || '');
      text += END;
    } catch { /* removed since the list was made */ }
  }
  variables = list; ids = new Array(list.length); owners = new Array(list.length); slots = new Map();
  return text;
}
export function variable_count() { return variables.length; }
export async function is_published(most) {
  const asked = collections.slice(0, most).map(async (collection) => {
    try { return await collection.getPublishStatusAsync() !== 'UNPUBLISHED'; } catch { return false; }
  });
  return (await Promise.all(asked)).includes(true);
}
const brought = new Map();
export async function find_in_libraries(wanted) {
  let text = '', listed;
  const own = {};
  for (const record of wanted.split(END)) {
    const [library, collection, name] = record.split(NEXT);
    if (!name) continue;
    try {
      listed = listed || await figma.teamLibrary.getAvailableLibraryVariableCollectionsAsync();
      const place = listed.find((each) => each.libraryName === library && each.name === collection);
      if (!place) continue;
      own[place.key] = own[place.key] || await figma.teamLibrary.getVariablesInLibraryCollectionAsync(place.key);
      const found = own[place.key].find((each) => each.name === name);
      if (!found) continue;
      let variable = brought.get(found.key);
      if (!variable) brought.set(found.key, variable = await figma.variables.importVariableByKeyAsync(found.key));
      const id = variable.id;
      slots.set(id, variables.length);
      variables.push(variable); ids.push(id); owners.push(-1);
      text += record + NEXT + TYPES.indexOf(found.resolvedType) + END;
    } catch { /* offline, not allowed, or no longer published: the reference leads nowhere, which is said */ }
  }
  return text;
}
export function note_variables(from, to) {
  for (let slot = from; slot < to; slot += 1) {
    try { const id = variables[slot].id; ids[slot] = id; slots.set(id, slot); } catch { ids[slot] = ''; }
  }
}
export async function read_variables(list) {
  for (const slot of list) variables[slot] = await figma.variables.getVariableByIdAsync(ids[slot]);
}

export async function find_uses(list, most, named, slice_ms) {
  const wanted = new Map(Array.from(list, (slot) => [ids[slot], { layers: 0, names: [] }]));
  let left = most, whole = true, began = Date.now();
  const look = (value, found) => {
    if (value === null || typeof value !== 'object') return;
    if (value.type === 'VARIABLE_ALIAS') { if (wanted.has(value.id)) found.add(value.id); return; }
    for (const key in value) look(value[key], found);
  };
  for (const page of figma.root.children) {
    const open = [];
    try { await page.loadAsync(); open.push(...page.children); } catch { whole = false; }
    began = Math.max(began, Date.now() - slice_ms);
    while (open.length > 0 && left > 0) {
      const layer = open.pop();
      left -= 1;
      try {
        const found = new Set();
        look(layer.boundVariables, found);
        for (const id of found) {
          const uses = wanted.get(id);
          uses.layers += 1;
          if (uses.names.length < named) uses.names.push(plain(layer.name));
        }
        if ('children' in layer) open.push(...layer.children);
      } catch { /* removed since its parent told of it */ }
      if (Date.now() - began >= slice_ms) { await pause(); began = Date.now(); }
    }
    if (open.length > 0) { whole = false; break; }
  }
  let text = whole ? '1' : '0';
  for (const slot of list) {
    const { layers, names } = wanted.get(ids[slot]);
    text += [layers, ...names].join(NEXT) + END;
  }
  return text;
}
const slot_of = (id) => { const slot = slots.get(id); return slot === undefined ? -1 : slot; };
function pack_value(value, type, texts) {
  switch (typeof value) {
    case 'undefined': numbers.push(0); return;
    case 'number': numbers.push(type === 5 ? 8 : 2, value); return;
    case 'boolean': numbers.push(3, value ? 1 : 0); return;
    case 'string': numbers.push(6); texts.push(plain(value)); return;
  }
  if (value === null) numbers.push(0);
  else if ('r' in value) numbers.push(1, value.r, value.g, value.b, value.a === undefined ? 1 : value.a);
  else if (value.type === 'VARIABLE_ALIAS') numbers.push(4, slot_of(value.id));
  else if ('color' in value) {
    if (typeof value.opacity === 'number' && value.color.type === 'VARIABLE_ALIAS') numbers.push(5, slot_of(value.color.id), value.opacity);
    else numbers.push(9);
  } else if (value.easingFunctionCubicBezier) {
    const curve = value.easingFunctionCubicBezier;
    numbers.push(7, curve.x1, curve.y1, curve.x2, curve.y2);
  } else if (CURVES[value.type]) numbers.push(7, ...CURVES[value.type]);
  else numbers.push(9);
}
function pack_one(slot, fields) {
  const variable = variables[slot];
  const kept = numbers.length;
  try {
    const place = places[variable.variableCollectionId];
    if (place === undefined) { numbers.push(-1); return END; }
    owners[slot] = place;
    const type = TYPES.indexOf(variable.resolvedType), name = variable.name;
    let link = variable.getPluginData(LINK), base = '';
    const cut = link.lastIndexOf(END);
    if (cut >= 0) { base = link.slice(cut + 1); link = link.slice(0, cut); }
    let scopes = 1, description = '', web = '', android = '', ios = '', key = '', code = 0;
    if (fields & 1) description = plain(variable.description);
    if (fields & 2) {
      scopes = 0;
      for (const scope of variable.scopes) { const bit = SCOPES.indexOf(scope); scopes |= 1 << (bit < 0 ? 31 : bit); }
    }
    if (fields & 4) {
      const syntax = variable.codeSyntax;
      web = plain(syntax.WEB || ''); android = plain(syntax.ANDROID || ''); ios = plain(syntax.iOS || '');
    }
    const hidden = fields & 8 && variable.hiddenFromPublishing ? 1 : 0;
    if (link !== '') {
      if (!link.startsWith(prefix)) { code = 3; base = ''; }
      else if (link[prefix.length] === 'a') { code = 4; key = plain(link.slice(prefix.length + 1)); }
      else if (link === prefix + 'n' + names[place] + '\n' + name) code = 1;
      else { code = 2; key = plain(link.slice(prefix.length)); }
    }
    numbers.push(place, type, scopes >>> 0, hidden, code);
    push_base(base, place);
    const texts = [plain(name), description, web, android, ios, key];
    const values = variable.valuesByMode;
    for (const mode of modes[place]) pack_value(values[mode], type, texts);
    return texts.join(NEXT) + END;
  } catch {
    numbers.length = kept;
    numbers.push(-1);
    return END;
  }
}
export function pack(from, to, fields) {
  numbers = [];
  let text = '';
  for (let slot = from; slot < to; slot += 1) text += pack_one(slot, fields);
  return text;
}
export function pack_some(list, fields) {
  numbers = [];
  let text = '';
  for (const slot of list) text += pack_one(slot, fields);
  return text;
}
export function packed_numbers() { return numbers; }

export function create_collection(name) {
  try {
    const collection = figma.variables.createVariableCollection(name);
    places[collection.id] = collections.length;
    collections.push(collection);
    names.push(name);
    modes.push(collection.modes.map((mode) => mode.modeId));
  } catch (error) { return why(error); }
}
export function rename_collection(collection, name) {
  try { collections[collection].name = name; names[collection] = name; } catch (error) { return why(error); }
}
export function link_collection(collection, text) {
  const [name, ...own] = text.split(NEXT);
  let link = prefix + 'n' + name;
  for (let at = 0; at < own.length; at += 1) if (own[at] !== '') link += NEXT + modes[collection][at] + NEXT + own[at];
  try { collections[collection].setPluginData(COLLECTION, link); } catch (error) { return why(error); }
}
export function rename_mode(collection, mode, name) {
  try { collections[collection].renameMode(modes[collection][mode], name); } catch (error) { return why(error); }
}
export function add_mode(collection, name) {
  try { modes[collection].push(collections[collection].addMode(name)); } catch (error) { return why(error); }
}
const FIELDS = 7, OPACITIES = 2048;
function base_text(variable, base) {
  const own = modes[owners[variable]];
  let text = '';
  for (let at = 0; at < base.length; at += 1) {
    const code = base[at];
    if (at < FIELDS) text += at === 0 ? '' : ',';
    else if (code === 0) continue;
    else text += ';' + own[at - FIELDS] + '=';
    if (code > 0) text += code.toString(36);
    else if (code < 0) text += '@' + (-code % OPACITIES) + ' ' + (ids[Math.floor(-code / OPACITIES) - 2] || '');
  }
  return text;
}
function code_of(text) {
  if (!text) return 0;
  if (text[0] !== '@') return parseInt(text, 36) || 0;
  const cut = text.indexOf(' ');
  return -(OPACITIES * (slot_of(text.slice(cut + 1)) + 2) + Number(text.slice(1, cut)));
}
function push_base(text, place) {
  if (text === '') { numbers.push(0); return; }
  const own = modes[place], parts = text.split(';'), fields = parts[0].split(','), agreed = {};
  for (let at = 1; at < parts.length; at += 1) {
    const cut = parts[at].indexOf('=');
    agreed[parts[at].slice(0, cut)] = parts[at].slice(cut + 1);
  }
  numbers.push(FIELDS + own.length);
  for (let at = 0; at < FIELDS; at += 1) numbers.push(code_of(fields[at]));
  for (const mode of own) numbers.push(code_of(agreed[mode]));
}
export function create_variable(collection, name, type, key) {
  try {
    const variable = figma.variables.createVariable(name, collections[collection], TYPES[type]);
    const slot = variables.length, id = variable.id;
    variables.push(variable); ids.push(id); owners.push(collection); slots.set(id, slot);
    if (key !== '') variable.setPluginData(LINK, prefix + key);
  } catch (error) { return why(error); }
}
function set(variable, mode, value) {
  try { variables[variable].setValueForMode(modes[owners[variable]][mode], value); } catch (error) { return why(error); }
}
export function set_color(variable, mode, r, g, b, a) { return set(variable, mode, { r, g, b, a }); }
export function set_number(variable, mode, value) { return set(variable, mode, value); }
export function set_boolean(variable, mode, value) { return set(variable, mode, value); }
export function set_text(variable, mode, value) { return set(variable, mode, value); }
export function set_easing(variable, mode, x1, y1, x2, y2) {
  return set(variable, mode, { type: 'CUSTOM_CUBIC_BEZIER', easingFunctionCubicBezier: { x1, y1, x2, y2 } });
}
export function set_alias(variable, mode, target, opacity) {
  const color = { type: 'VARIABLE_ALIAS', id: ids[target] };
  return set(variable, mode, opacity < 0 ? color : { color, opacity });
}
export function set_name(variable, name) {
  try { variables[variable].name = name; } catch (error) { return why(error); }
}
export function set_description(variable, text) {
  try { variables[variable].description = text; } catch (error) { return why(error); }
}
export function set_scopes(variable, bits) {
  try { variables[variable].scopes = SCOPES.filter((_, bit) => bits & (1 << bit)); } catch (error) { return why(error); }
}
export function set_code(variable, platform, text) {
  try { variables[variable].setVariableCodeSyntax(['WEB', 'ANDROID', 'iOS'][platform], text); } catch (error) { return why(error); }
}
export function set_hidden(variable, hidden) {
  try { variables[variable].hiddenFromPublishing = hidden; } catch (error) { return why(error); }
}
export function set_link(variable, key, base) {
  const text = prefix + key + (base.length === 0 ? '' : END + base_text(variable, base));
  try { variables[variable].setPluginData(LINK, text); } catch (error) { return why(error); }
}
export function forget_link(variable) {
  try { variables[variable].setPluginData(LINK, ''); } catch (error) { return why(error); }
}
export function remove_mode(collection, mode) {
  try { collections[collection].removeMode(modes[collection][mode]); modes[collection][mode] = ''; } catch (error) { return why(error); }
}
export function remove_collection(collection) {
  try { collections[collection].remove(); } catch (error) { return why(error); }
}
export function collection_id(collection) { return collections[collection] ? collections[collection].id : ''; }
export function mode_id(collection, mode) { return (modes[collection] && modes[collection][mode]) || ''; }
export function variable_id(variable) { return ids[variable] || ''; }
export function variable_of(id) { return slot_of(id); }
export function collection_of(id) { return places[id] === undefined ? -1 : places[id]; }
export function mode_of(collection, id) { return id === '' || !modes[collection] ? -1 : modes[collection].indexOf(id); }
export function user_name() { const user = figma.currentUser; return (user && user.name) || ''; }
const HISTORY = 'sheetwire.history.';
// Names sort by time: eight digits of base 36 hold milliseconds until the year 2059.
export function new_run() { return now_ms().toString(36).padStart(8, '0') + '-' + new_mark(); }
export function keep_past(run, at, text) {
  try { figma.root.setPluginData(HISTORY + run + '.' + at, text); return true; } catch { return false; }
}
function run_keys() { return figma.root.getPluginDataKeys().filter((key) => key.startsWith(HISTORY)); }
export function run_names() {
  const names = run_keys().map((key) => key.slice(HISTORY.length)).filter((name) => name.indexOf('.') < 0);
  return names.sort().reverse();
}
export function keep_run(run, text, most) {
  try {
    figma.root.setPluginData(HISTORY + run, text);
    const old = run_names().slice(most);
    if (old.length > 0) for (const key of run_keys()) {
      if (old.includes(key.slice(HISTORY.length).split('.')[0])) figma.root.setPluginData(key, '');
    }
  } catch { /* a history without it */ }
}
export function run_text(run) { return figma.root.getPluginData(HISTORY + run); }
export function past_text(run, at) { return figma.root.getPluginData(HISTORY + run + '.' + at); }
export function remove_variable(variable) {
  try { variables[variable].remove(); } catch (error) { return why(error); }
}
"#)]
extern "C" {
    /// The host's clock: Unix time in milliseconds.
    pub fn now_ms() -> f64;
    /// Units of a text of the host.
    pub fn length(text: &JsValue) -> u32;
    /// Where a piece of a text of the host ends, one unit after `most` where a character would be cut.
    pub fn piece_end(text: &JsValue, from: u32, most: u32) -> u32;
    /// A piece of a text of the host.
    pub fn piece(text: &JsValue, from: u32, to: u32) -> String;
    /// Two texts of the host as one.
    pub fn join(left: &JsValue, right: &JsValue) -> JsValue;
    /// Gives the host a turn.
    pub async fn pause();
    /// Begins a message that is handed over in parts.
    pub fn begin_post();
    /// Adds a part of its body.
    pub fn add_to_post(text: &str);
    /// Posts it.
    pub fn end_post(version: u32);

    /// What stands before the key in the links of the connected sheet.
    pub fn set_link_prefix(text: &str);
    /// The file's connection as it was kept; empty when there is none.
    pub fn connection() -> String;
    /// Whether a sheet is connected to this file.
    pub fn is_connected() -> bool;
    /// Whether the kept connection is the one that was read or kept here last: another panel may have changed it.
    pub fn is_connection_known() -> bool;
    /// How tables were read that were imported into this file, as it was kept; empty when none were.
    pub fn remembered() -> String;
    /// Keeps that, where the file can be written to.
    pub fn remember(text: &str);
    /// The file's random id; empty when it has none.
    pub fn file_id() -> String;
    /// Keeps the file's random id, where the file can be written to.
    pub fn keep_file_id(text: &str);
    /// What the writer has left in the file; empty when nobody has.
    pub fn nonce() -> String;
    /// Leaves the writer's nonce in the file, where that can be written to.
    pub fn leave_nonce(text: &str);
    /// Keeps the file's connection, and offers the relaunch buttons of a connected file; false when the file can't be
    /// written to.
    pub fn keep_connection(text: &str) -> bool;
    /// Ends the undo step.
    pub fn commit_undo();
    /// The mark of the last run, as the document holds it.
    pub fn mark() -> String;
    /// Marks the document; false when it can't be written to.
    pub fn set_mark(text: &str) -> bool;
    /// A mark that no other run has.
    pub fn new_mark() -> String;

    /// Lists the file's collections and variables: the collections packed.
    #[wasm_bindgen(catch)]
    pub async fn read_document() -> Result<JsValue, JsValue>;
    /// How many variables were listed.
    pub fn variable_count() -> u32;
    /// Counts and names the layers of this file that use variables: `1` where all layers were looked at and `0` where
    /// not, then a record for each variable, `layers name…`, of at most `named` names. It looks at `most` layers and gives
    /// the host a turn after `slice_ms`. Pages that are not loaded yet are loaded for it.
    #[wasm_bindgen(catch)]
    pub async fn find_uses(
        list: Vec<u32>,
        most: u32,
        named: u32,
        slice_ms: f64,
    ) -> Result<JsValue, JsValue>;
    /// Whether one of the first `most` collections is published in a library. One that Figma does not tell of is not.
    #[wasm_bindgen(catch)]
    pub async fn is_published(most: u32) -> Result<JsValue, JsValue>;
    /// Brings library variables into reach of aliases: of `wanted` (`library collection name` records) those that were
    /// found, with their type codes. They get the slots after the listed ones.
    #[wasm_bindgen(catch)]
    pub async fn find_in_libraries(wanted: &str) -> Result<JsValue, JsValue>;
    /// Learns the ids of some; aliases are told by them.
    pub fn note_variables(from: u32, to: u32);
    /// Looks some variables up again.
    #[wasm_bindgen(catch)]
    pub async fn read_variables(slots: Vec<u32>) -> Result<JsValue, JsValue>;
    /// Packs variables `from` to `to`: the texts. Fields: 1 description, 2 scopes, 4 code syntax, 8 hidden.
    pub fn pack(from: u32, to: u32, fields: u32) -> String;
    /// Packs some variables: the texts.
    pub fn pack_some(slots: &[u32], fields: u32) -> String;
    /// The numbers that belong to the last packed texts.
    pub fn packed_numbers() -> Vec<f64>;

    // Writes: `None`, or the text of Figma's error. Numbers are slots.
    pub fn create_collection(name: &str) -> Option<String>;
    pub fn rename_collection(collection: u32, name: &str) -> Option<String>;
    pub fn link_collection(collection: u32, text: &str) -> Option<String>;
    pub fn rename_mode(collection: u32, mode: u32, name: &str) -> Option<String>;
    pub fn add_mode(collection: u32, name: &str) -> Option<String>;
    pub fn create_variable(collection: u32, name: &str, kind: u32, key: &str) -> Option<String>;
    pub fn set_color(variable: u32, mode: u32, r: f64, g: f64, b: f64, a: f64) -> Option<String>;
    pub fn set_number(variable: u32, mode: u32, value: f64) -> Option<String>;
    pub fn set_boolean(variable: u32, mode: u32, value: bool) -> Option<String>;
    pub fn set_text(variable: u32, mode: u32, value: &str) -> Option<String>;
    pub fn set_easing(
        variable: u32,
        mode: u32,
        x1: f64,
        y1: f64,
        x2: f64,
        y2: f64,
    ) -> Option<String>;
    pub fn set_alias(variable: u32, mode: u32, target: u32, opacity: f64) -> Option<String>;
    pub fn set_name(variable: u32, name: &str) -> Option<String>;
    pub fn set_description(variable: u32, text: &str) -> Option<String>;
    pub fn set_scopes(variable: u32, bits: u32) -> Option<String>;
    pub fn set_code(variable: u32, platform: u32, text: &str) -> Option<String>;
    pub fn set_hidden(variable: u32, hidden: bool) -> Option<String>;
    pub fn set_link(variable: u32, key: &str, base: &[f64]) -> Option<String>;
    pub fn forget_link(variable: u32) -> Option<String>;
    pub fn remove_variable(variable: u32) -> Option<String>;
    pub fn remove_mode(collection: u32, mode: u32) -> Option<String>;
    pub fn remove_collection(collection: u32) -> Option<String>;

    /// Figma's ids; empty where there is none.
    pub fn collection_id(collection: u32) -> String;
    pub fn mode_id(collection: u32, mode: u32) -> String;
    pub fn variable_id(variable: u32) -> String;
    /// The slots of ids; -1 where the file has none.
    pub fn variable_of(id: &str) -> i32;
    pub fn collection_of(id: &str) -> i32;
    pub fn mode_of(collection: u32, id: &str) -> i32;

    /// The user's name as Figma shows it; empty where it does not say.
    pub fn user_name() -> String;
    /// A name for a run in the file's history; names sort by time.
    pub fn new_run() -> String;
    /// Keeps a part of a run's past; false where the file did not take it.
    pub fn keep_past(run: &str, at: u32, text: &str) -> bool;
    /// Keeps a run, and forgets the oldest where there are more than `most`.
    pub fn keep_run(run: &str, text: &str, most: u32);
    /// The runs that the file keeps, newest first.
    pub fn run_names() -> Vec<JsValue>;
    /// What is kept of a run.
    pub fn run_text(run: &str) -> String;
    /// A part of a run's past.
    pub fn past_text(run: &str, at: u32) -> String;
}
