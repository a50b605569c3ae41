//! The panel's end of the port to the program of files.
//!
//! Owns starting that program when the first file is wanted, in a worker or, where the host refuses one, in this page; and
//! one order at a time. Must not know formats.

use futures_channel::mpsc;
use futures_util::StreamExt as _;
use futures_util::lock::Mutex;
use js_sys::{Array, Object, Reflect, Uint8Array};
use leptos::web_sys::{
    Blob, BlobPropertyBag, Event, MessageChannel, MessageEvent, MessagePort, Url, Worker, window,
};
use sheetwire_files::work::{Order, Reply};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;

/// The element of the page that holds the program as a text (`xtask/src/page.rs`).
const ELEMENT: &str = "files-program";
/// Where a program in this page finds its port (`src/files/main.rs`).
const PORT: &str = "sheetwireFilesPort";

/// Why an order came to nothing without the program having its say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The host lets neither a worker nor a second program start.
    #[error(
        "Files can't be read or written here, because the host refused the program that does it."
    )]
    NotStarted,
    /// The program stopped, most likely for want of memory.
    #[error("Reading or writing the file took more memory than there is.")]
    Stopped,
}

enum Heard {
    Ready,
    Reply(Box<Reply>, Vec<Vec<u8>>),
    Lost,
}

enum Place {
    Worker(Worker),
    Page(MessagePort),
}

struct Program {
    place: Place,
    heard: mpsc::UnboundedReceiver<Heard>,
    /// Heard for as long as the program runs.
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

thread_local! {
    /// The lock makes orders queue; the panel has at most one view open that gives them.
    static PROGRAM: std::rc::Rc<Mutex<Option<Program>>> = std::rc::Rc::default();
}

/// Has an order done. `files` go beside it; the reply's files come back.
///
/// # Errors
/// [`Unanswered`] when the program can't run; the next order starts it anew.
pub async fn perform(
    order: &Order,
    files: &[Vec<u8>],
) -> Result<(Reply, Vec<Vec<u8>>), Unanswered> {
    let shared = PROGRAM.with(std::rc::Rc::clone);
    let mut running = shared.lock().await;
    // Taken out, so that an order whose view was closed half-way leaves no reply behind for the next.
    let mut program = match running.take() {
        Some(program) => program,
        None => start().await?,
    };
    program.place.post(order, files);
    match program.heard.next().await {
        Some(Heard::Reply(reply, files)) => {
            *running = Some(program);
            Ok((*reply, files))
        }
        Some(Heard::Ready | Heard::Lost) | None => Err(Unanswered::Stopped),
    }
}

/// In a worker, else in this page.
async fn start() -> Result<Program, Unanswered> {
    let text = window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id(ELEMENT))
        .and_then(|element| element.text_content())
        .ok_or(Unanswered::NotStarted)?;
    for start in [in_worker, in_page] {
        if let Some(mut program) = start(&text)
            && let Some(Heard::Ready) = program.heard.next().await
        {
            return Ok(program);
        }
    }
    Err(Unanswered::NotStarted)
}

/// The place a program was started in, made with the two listeners.
type Listeners<'a> = (
    &'a Closure<dyn FnMut(MessageEvent)>,
    &'a Closure<dyn FnMut(Event)>,
);

fn begin(start: impl FnOnce(Listeners<'_>) -> Option<Place>) -> Option<Program> {
    let (tell, heard) = mpsc::unbounded();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new({
        let tell = tell.clone();
        move |event: MessageEvent| {
            let _ = tell.unbounded_send(read(&event.data()));
        }
    });
    let on_error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        event.prevent_default();
        let _ = tell.unbounded_send(Heard::Lost);
    });
    let place = start((&on_message, &on_error))?;
    Some(Program {
        place,
        heard,
        _on_message: on_message,
        _on_error: on_error,
    })
}

fn in_worker(text: &str) -> Option<Program> {
    begin(|(on_message, on_error)| {
        let kind = BlobPropertyBag::new();
        kind.set_type("text/javascript");
        let parts = Array::of1(&JsValue::from_str(text));
        let blob = Blob::new_with_str_sequence_and_options(&parts, &kind).ok()?;
        let address = Url::create_object_url_with_blob(&blob).ok()?;
        // The worker has its script by the time that it says it is ready, but not before: the address is let go with the page.
        let worker = Worker::new(&address).ok()?;
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Place::Worker(worker))
    })
}

fn in_page(text: &str) -> Option<Program> {
    begin(|(on_message, on_error)| {
        let window = window()?;
        let channel = MessageChannel::new().ok()?;
        let port = channel.port1();
        port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let listener = on_error.as_ref().unchecked_ref();
        window
            .add_event_listener_with_callback("error", listener)
            .ok()?;
        Reflect::set(&window, &JsValue::from_str(PORT), &channel.port2()).ok()?;
        let document = window.document()?;
        let script = document.create_element("script").ok()?;
        script.set_text_content(Some(text));
        document.body()?.append_child(&script).ok()?;
        Some(Place::Page(port))
    })
}

impl Drop for Program {
    fn drop(&mut self) {
        match &self.place {
            Place::Worker(worker) => worker.terminate(),
            Place::Page(port) => {
                port.close();
                if let Some(window) = window() {
                    let listener = self._on_error.as_ref().unchecked_ref();
                    let _ = window.remove_event_listener_with_callback("error", listener);
                }
            }
        }
    }
}

impl Place {
    fn post(&self, order: &Order, files: &[Vec<u8>]) {
        let text = serde_json::to_string(order).unwrap_or_default();
        let (bytes, transfer) = (Array::new(), Array::new());
        for file in files {
            let file = Uint8Array::from(file.as_slice());
            transfer.push(&file.buffer());
            bytes.push(&file);
        }
        let message = Object::new();
        let _ = Reflect::set(
            &message,
            &JsValue::from_str("text"),
            &JsValue::from_str(&text),
        );
        let _ = Reflect::set(&message, &JsValue::from_str("files"), &bytes);
        let _ = match self {
            Place::Worker(worker) => worker.post_message_with_transfer(&message, &transfer),
            Place::Page(port) => port.post_message_with_transferable(&message, &transfer),
        };
    }
}

fn read(message: &JsValue) -> Heard {
    if message.is_null() {
        return Heard::Ready;
    }
    let field =
        |name| Reflect::get(message, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
    let text = field("text").as_string().unwrap_or_default();
    let files = Array::from(&field("files"));
    let files = files.iter().map(|file| Uint8Array::new(&file).to_vec());
    match serde_json::from_str(&text) {
        Ok(reply) => Heard::Reply(Box::new(reply), files.collect()),
        Err(_) => Heard::Lost,
    }
}
