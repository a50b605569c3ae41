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
export function hear(receive) {
  figma.ui.onmessage = (message) => {
    const known = typeof message === 'object' && message !== null;
    receive(
      known && typeof message.v === 'number' ? message.v : -1,
      known && typeof message.body === 'string' ? message.body : '',
      known && typeof message.bulk === 'string' ? message.bulk : undefined,
    );
  };
}
export function tell(v, body, bulk) {
  figma.ui.postMessage(bulk === undefined ? { v, body } : { v, body, bulk });
}
export function file_name() { return figma.root.name; }
export function may_edit() { return figma.editorType !== 'dev'; }
export function user_id() { const user = figma.currentUser; return user && user.id ? user.id : undefined; }
export function resize_panel(width, height) { figma.ui.resize(width, height); }
export function hide_panel() { figma.ui.hide(); }
export function close_plugin() { figma.closePlugin(); }
export function notify(text) { figma.notify(text); }
export function now_ms() { return Date.now(); }
export async function stored(key) {
  const value = await figma.clientStorage.getAsync(key);
  return typeof value === 'string' ? value : undefined;
}
export async function store(key, value) { await figma.clientStorage.setAsync(key, value); }

const hex = (channel) => ('0' + Math.round(channel * 255).toString(16)).slice(-2);
function shown(value, names) {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'object') return String(value);
  if (value.type === 'VARIABLE_ALIAS') return names(value.id);
  if ('opacity' in value) {
    const opacity = typeof value.opacity === 'number' ? value.opacity + '%' : names(value.opacity.id);
    return shown(value.color, names) + ' / ' + opacity;
  }
  if ('r' in value) {
    const alpha = value.a === undefined || value.a >= 1 ? '' : hex(value.a);
    return '#' + hex(value.r) + hex(value.g) + hex(value.b) + alpha;
  }
  return value.type === undefined ? '' : String(value.type);
}
export async function browse() {
  const collections = await figma.variables.getLocalVariableCollectionsAsync();
  const variables = await figma.variables.getLocalVariablesAsync();
  const owners = {}, known = {};
  let text = '';
  for (const collection of collections) {
    const { id, name, modes } = collection;
    owners[id] = { name, modes };
    text += 'c' + NEXT + id + NEXT + name;
    for (const mode of modes) text += NEXT + mode.name;
    text += END;
  }
  const read = [];
  for (const variable of variables) {
    try {
      const entry = { id: variable.id, name: variable.name, type: variable.resolvedType,
        owner: variable.variableCollectionId, values: variable.valuesByMode };
      known[entry.id] = entry;
      read.push(entry);
    } catch { /* removed by somebody else since the list was made */ }
  }
  const names = (id) => {
    const target = known[id], owner = target && owners[target.owner];
    return owner ? '{' + owner.name + ':' + target.name + '}' : '{a library}';
  };
  for (const entry of read) {
    const owner = owners[entry.owner];
    if (!owner) continue;
    text += 'v' + NEXT + entry.id + NEXT + entry.owner + NEXT + entry.name + NEXT + entry.type;
    for (const mode of owner.modes) text += NEXT + shown(entry.values[mode.modeId], names).replace(/[\x1e\x1f]/g, ' ');
    text += END;
  }
  return text;
}
"#)]
extern "C" {
    /// Opens the panel, `width` by `height` CSS pixels.
    pub fn show_panel(width: u32, height: u32);
    /// Calls `receive(version, body, bulk)` for every message of the panel; `-1` and empty where it has no envelope.
    pub fn hear(receive: &Closure<dyn FnMut(f64, String, Option<String>)>);
    /// Posts one envelope to the panel.
    pub fn tell(version: u32, body: &str, bulk: Option<&str>);
    /// The file's name.
    pub fn file_name() -> String;
    /// False in Dev Mode. What a viewer may do shows only when a write throws.
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
    /// The file's collections and variables: `c id name mode…` and `v id collection name type value…` records.
    #[wasm_bindgen(catch)]
    pub async fn browse() -> Result<JsValue, JsValue>;
}
