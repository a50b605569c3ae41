//! The sandbox program: hears the panel, answers it, and alone touches the document.
//!
//! Owns the loop, the decision whether Real-Time Sync is on, and what is read from the file for browsing. Must not
//! know sockets, Google or views; Figma itself is behind `figma.rs`.

mod browse;
mod figma;
mod identity;
mod inbox;

use sheetwire_core::flags::Decision;
use sheetwire_core::protocol::panel::{ToPanel, ToSandbox, VERSION};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The panel's size at opening, in CSS pixels.
const PANEL_SIZE: (u32, u32) = (400, 640);
/// Least and greatest width and height that the panel may ask for, in CSS pixels.
const PANEL_SIDE_MIN: u32 = 240;
const PANEL_SIDE_MAX: u32 = 2_000;
/// Most messages that wait while one is handled. The panel sends far fewer; more is a fault.
const EVENTS_MAX: usize = 256;

/// One message of the panel, as it came.
struct Event {
    version: f64,
    body: String,
}

/// Messages that wait, and whether one is being handled.
#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    busy: bool,
}

fn main() {
    std::panic::set_hook(Box::new(|info| {
        // The place is ours and tells no contents; the message of the panic might.
        let place = info.location().map_or(String::new(), |at| {
            format!(" ({}:{})", at.file(), at.line())
        });
        say(&ToPanel::Failed {
            message: format!(
                "Sheetwire stopped unexpectedly{place}. Your variables are as they were last written."
            ),
            fatal: true,
        });
    }));
    let queue = Rc::new(RefCell::new(Queue::default()));
    figma::show_panel(PANEL_SIZE.0, PANEL_SIZE.1);
    let receive = Closure::new(move |version: f64, body: String, _bulk: Option<String>| {
        enqueue(&queue, Event { version, body });
    });
    figma::hear(&receive);
    // The panel is heard for as long as the plugin runs.
    receive.forget();
}

/// Posts one message to the panel.
fn say(message: &ToPanel) {
    match serde_json::to_string(message) {
        Ok(body) => figma::tell(VERSION, &body, None),
        Err(_) => figma::tell(
            VERSION,
            r#"{"type":"failed","message":"An answer could not be written.","fatal":false}"#,
            None,
        ),
    }
}

fn refuse(message: &str, remedy: &str) {
    say(&ToPanel::Refused {
        message: String::from(message),
        remedy: Some(String::from(remedy)),
    });
}

fn enqueue(queue: &Rc<RefCell<Queue>>, event: Event) {
    let start = {
        let mut waiting = queue.borrow_mut();
        if waiting.events.len() >= EVENTS_MAX {
            refuse(
                "Too many messages are waiting; the last one was not taken.",
                "Wait for the current work to end.",
            );
            return;
        }
        waiting.events.push_back(event);
        !std::mem::replace(&mut waiting.busy, true)
    };
    if start {
        let queue = Rc::clone(queue);
        wasm_bindgen_futures::spawn_local(async move {
            loop {
                let next = queue.borrow_mut().events.pop_front();
                match next {
                    Some(event) => handle(event).await,
                    None => break,
                }
            }
            queue.borrow_mut().busy = false;
        });
    }
}

async fn handle(event: Event) {
    if event.version != f64::from(VERSION) {
        refuse(
            "The panel and the plugin are of different versions.",
            "Close the plugin and run it again; if that does not help, update it.",
        );
        return;
    }
    let Some(message) = inbox::read(&event.body) else {
        refuse(
            "A message from the panel could not be read; nothing was done.",
            "Close the plugin and run it again.",
        );
        return;
    };
    match message {
        ToSandbox::Ready { entropy } => {
            let targeting_key = identity::targeting_key(&entropy).await;
            say(&ToPanel::Hello {
                version: String::from(env!("SHEETWIRE_VERSION")),
                file_name: figma::file_name(),
                read_only: !figma::may_edit(),
                targeting_key,
                size: PANEL_SIZE,
            });
        }
        ToSandbox::FlagsEvaluated { .. } => say(&ToPanel::Flags {
            // A program that holds no Real-Time Sync has it off, whatever the relay says.
            realtime_sync: Decision::Unknown,
        }),
        ToSandbox::ListVariables => match browse::collections().await {
            Some(collections) => say(&ToPanel::Variables { collections }),
            None => say(&ToPanel::Failed {
                message: String::from("Figma did not give the file's variables."),
                fatal: false,
            }),
        },
        ToSandbox::Resize { width, height } => figma::resize_panel(
            width.clamp(PANEL_SIDE_MIN, PANEL_SIDE_MAX),
            height.clamp(PANEL_SIDE_MIN, PANEL_SIDE_MAX),
        ),
        ToSandbox::Hide => figma::hide_panel(),
        ToSandbox::Close => figma::close_plugin(),
        ToSandbox::Notify { message } => figma::notify(&message),
        ToSandbox::SaveSession { .. }
        | ToSandbox::Connect { .. }
        | ToSandbox::Snapshot { .. }
        | ToSandbox::Changes { .. }
        | ToSandbox::ConfirmColumns { .. }
        | ToSandbox::Approve { .. }
        | ToSandbox::KeepRemoved { .. }
        | ToSandbox::Cancel
        | ToSandbox::Toggle { .. }
        | ToSandbox::Disconnect
        | ToSandbox::SyncNow => refuse(
            "Real-Time Sync is not switched on for you.",
            "Ask the person who runs your team's relay.",
        ),
    }
}
