//! The program that reads and writes files, started when a designer imports or exports.
//!
//! Owns its end of the port to the panel. Must not know the document or the panel: it gets orders and bytes, and answers
//! with replies and bytes. In a worker the port is the worker itself; where the host refuses workers, the panel runs the
//! program in its own page and leaves a port for it.

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use sheetwire_files::work::{self, Order, Reply};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A `MessagePort`, or a worker's global object.
    type Port;
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &Port, receive: &Function);
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post_message(this: &Port, message: &JsValue, transfer: &Array);
}

/// Where the panel leaves a port, as a property of the global object.
const PORT: &str = "sheetwireFilesPort";

fn main() {
    let global = js_sys::global();
    let left = Reflect::get(&global, &JsValue::from_str(PORT)).ok();
    let port: Port = left
        .filter(|port| !port.is_undefined())
        .unwrap_or_else(|| global.into())
        .unchecked_into();
    let receive = Closure::<dyn FnMut(JsValue)>::new({
        let port = port.clone().unchecked_into::<Port>();
        move |event: JsValue| {
            let message = field(&event, "data");
            let (reply, files) = answer(&message);
            post(&port, &reply, files);
        }
    });
    port.set_onmessage(receive.as_ref().unchecked_ref());
    // Orders are heard for as long as the program runs.
    receive.forget();
    // An empty message says that orders are heard.
    port.post_message(&JsValue::NULL, &Array::new());
}

fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn answer(message: &JsValue) -> (Reply, Vec<Vec<u8>>) {
    let order = field(message, "text").as_string().unwrap_or_default();
    let bytes = Array::from(&field(message, "files"));
    let bytes: Vec<Vec<u8>> = bytes
        .iter()
        .map(|file| Uint8Array::new(&file).to_vec())
        .collect();
    match serde_json::from_str::<Order>(&order) {
        Ok(order) => work::perform(&order, &bytes),
        Err(_) => (
            Reply::Refused {
                file: 0,
                message: String::from(
                    "The panel and its reader of files are of different versions.",
                ),
                remedy: String::from("Close the plugin and run it again."),
            },
            Vec::new(),
        ),
    }
}

fn post(port: &Port, reply: &Reply, files: Vec<Vec<u8>>) {
    let message = Object::new();
    let transfer = Array::new();
    let bytes = Array::new();
    for file in files {
        let file = Uint8Array::from(file.as_slice());
        transfer.push(&file.buffer());
        bytes.push(&file);
    }
    let text = serde_json::to_string(reply).unwrap_or_default();
    let written = Reflect::set(
        &message,
        &JsValue::from_str("text"),
        &JsValue::from_str(&text),
    )
    .is_ok()
        && Reflect::set(&message, &JsValue::from_str("files"), &bytes).is_ok();
    if written {
        port.post_message(&message, &transfer);
    }
}
