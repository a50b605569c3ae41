//! The sandbox program: hears the panel, answers it, and alone touches the document.
//!
//! Owns the loop and the decision whether Real-Time Sync is on. Must not know sockets, Google or views; Figma itself is
//! behind `figma.rs`.

mod figma;
mod identity;
mod import;
mod inbox;
mod manage;
mod opening;
#[cfg(feature = "sync")]
mod sync;
mod work;

use sheetwire_core::flags::{self, Decision};
use sheetwire_core::protocol::panel::manage::Ask;
use sheetwire_core::protocol::panel::{Opening, ToPanel, ToSandbox, VERSION, json};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Most messages that wait while one is handled. The panel sends far fewer; more is a fault.
const EVENTS_MAX: usize = 256;

/// Most names that are offered in Figma's quick actions.
const SUGGESTIONS_MAX: u32 = 50;

/// One message of the panel, as it came.
struct Event {
    version: f64,
    body: String,
    bulk: JsValue,
}

/// Messages that wait, and whether one is being handled.
#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    busy: bool,
    /// What the panel was opened for.
    opening: Option<Opening>,
    /// The size it was given.
    size: (u32, u32),
    /// Who may work with the document.
    turns: work::Turns,
    import: import::Import,
    /// While a collection is copied: set to stop it.
    copying: Option<Rc<Cell<bool>>>,
    /// Real-Time Sync, for as long as its flag is on.
    #[cfg(feature = "sync")]
    sync: Option<sync::Handle>,
    /// When the relay last said that it is on, in Unix milliseconds.
    #[cfg(feature = "sync")]
    said_on_unix_ms: Option<u64>,
    /// The panel's random bytes, as hex.
    #[cfg(feature = "sync")]
    entropy: String,
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
    figma::suggest_names(SUGGESTIONS_MAX);
    let run = Closure::new(|command: String, name: String| {
        wasm_bindgen_futures::spawn_local(begin(opening::of(&command, name)));
    });
    // Figma runs a plugin once, after the parameters of its command were given.
    figma::on_run(&run);
    run.forget();
}

/// Opens the panel and hears it.
async fn begin(opening: Option<Opening>) {
    let size = opening::size().await;
    let queue = Rc::new(RefCell::new(Queue {
        opening,
        size,
        ..Queue::default()
    }));
    figma::show_panel(size.0, size.1);
    let receive = Closure::new(move |version: f64, body: String, bulk: JsValue| {
        enqueue(
            &queue,
            Event {
                version,
                body,
                bulk,
            },
        );
    });
    figma::hear(&receive);
    // The panel is heard for as long as the plugin runs.
    receive.forget();
}

/// Posts one message to the panel.
fn say(message: &ToPanel) {
    figma::tell(VERSION, &json::message(message));
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
                    Some(event) => handle(&queue, event).await,
                    None => break,
                }
            }
            queue.borrow_mut().busy = false;
        });
    }
}

async fn handle(queue: &Rc<RefCell<Queue>>, event: Event) {
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
            #[cfg(feature = "sync")]
            {
                queue.borrow_mut().entropy = entropy;
            }
            let (size, opening) = {
                let mut queue = queue.borrow_mut();
                (queue.size, queue.opening.take())
            };
            say(&ToPanel::Hello {
                version: String::from(env!("SHEETWIRE_VERSION")),
                file_name: figma::file_name(),
                read_only: !figma::may_edit(),
                targeting_key,
                size,
                opening,
            });
        }
        ToSandbox::FlagsEvaluated { body, now_unix_ms } => {
            decide(queue, body.as_deref(), now_unix_ms).await;
        }
        ToSandbox::ListVariables => manage::list().await,
        ToSandbox::Manage { ask } => to_manager(queue, ask).await,
        ToSandbox::Resize {
            width,
            height,
            keep,
        } => {
            queue.borrow_mut().size = (width, height);
            opening::resize(width, height, keep).await;
        }
        ToSandbox::Hide => figma::hide_panel(),
        ToSandbox::Close => figma::close_plugin(),
        ToSandbox::Notify { message } => figma::notify(&message),
        ToSandbox::Import(word) => {
            let turns = queue.borrow().turns.clone();
            let mut import = std::mem::take(&mut queue.borrow_mut().import);
            import.take(word, event.bulk, &turns);
            queue.borrow_mut().import = import;
        }
        ToSandbox::SaveSession { .. }
        | ToSandbox::Connect { .. }
        | ToSandbox::AddSource { .. }
        | ToSandbox::RemoveSource { .. }
        | ToSandbox::Snapshot { .. }
        | ToSandbox::Changes { .. }
        | ToSandbox::ConfirmColumns { .. }
        | ToSandbox::Approve { .. }
        | ToSandbox::KeepRemoved { .. }
        | ToSandbox::KeepFile { .. }
        | ToSandbox::KeepApart { .. }
        | ToSandbox::Writer { .. }
        | ToSandbox::LeaveOut { .. }
        | ToSandbox::TakeIn { .. }
        | ToSandbox::ListRuns
        | ToSandbox::Restore { .. }
        | ToSandbox::Resolve { .. }
        | ToSandbox::SetPolicy { .. }
        | ToSandbox::SetThreshold { .. }
        | ToSandbox::Cancel
        | ToSandbox::SetTwoWay { .. }
        | ToSandbox::Look
        | ToSandbox::Pushed { .. }
        | ToSandbox::Toggle { .. }
        | ToSandbox::Disconnect
        | ToSandbox::SyncNow => to_sync(queue, message, event.bulk).await,
    }
}

/// Does what the manager asks for. A copy goes on beside the queue, so that it can be stopped.
async fn to_manager(queue: &Rc<RefCell<Queue>>, ask: Ask) {
    match ask {
        Ask::Libraries => manage::libraries().await,
        Ask::Stop => {
            if let Some(stop) = &queue.borrow().copying {
                stop.set(true);
            }
        }
        Ask::Duplicate { collection, name } => {
            if queue.borrow().copying.is_some() {
                refuse("A collection is being copied.", "Wait for it to end.");
                return;
            }
            let stop = Rc::new(Cell::new(false));
            queue.borrow_mut().copying = Some(Rc::clone(&stop));
            let queue = Rc::clone(queue);
            wasm_bindgen_futures::spawn_local(async move {
                manage::duplicate(&collection, &name, stop).await;
                queue.borrow_mut().copying = None;
            });
        }
    }
}

/// Hands a message of the tab over, if there is a tab.
async fn to_sync(queue: &Rc<RefCell<Queue>>, message: ToSandbox, bulk: JsValue) {
    #[cfg(feature = "sync")]
    {
        let sync = queue.borrow().sync.clone();
        if let Some(sync) = sync {
            match message {
                ToSandbox::SaveSession { session } => sync::save_session(session).await,
                message => sync.take(message, bulk),
            }
            return;
        }
    }
    #[cfg(not(feature = "sync"))]
    let _ = (queue, message, bulk);
    refuse(
        "Real-Time Sync is not switched on for you.",
        "Ask the person who runs your team's relay.",
    );
}

/// Decides whether Real-Time Sync is on, tells the panel, and begins or ends it.
async fn decide(queue: &Rc<RefCell<Queue>>, body: Option<&str>, now_unix_ms: u64) {
    let said = inbox::evaluation(body, flags::REALTIME_SYNC, flags::decide);
    #[cfg(not(feature = "sync"))]
    {
        let _ = (queue, now_unix_ms);
        // A program that holds no Real-Time Sync never has it on, whatever the relay says.
        let decision = if said == Decision::On {
            Decision::Unknown
        } else {
            said
        };
        say(&ToPanel::Flags {
            realtime_sync: decision,
        });
    }
    #[cfg(feature = "sync")]
    {
        let said_on = queue.borrow().said_on_unix_ms;
        // Without an answer, what the relay last said holds for a while.
        let holds =
            said_on.is_some_and(|at| now_unix_ms.saturating_sub(at) < flags::CACHED_ON_LIFE_MS);
        let decision = if said == Decision::Unknown && holds {
            Decision::On
        } else {
            said
        };
        if said == Decision::On {
            queue.borrow_mut().said_on_unix_ms = Some(now_unix_ms);
        }
        say(&ToPanel::Flags {
            realtime_sync: decision,
        });
        let running = queue.borrow().sync.is_some();
        match (decision, running) {
            (Decision::On, false) => {
                let entropy = queue.borrow().entropy.clone();
                let turns = queue.borrow().turns.clone();
                let sync = sync::Handle::begin(entropy, &turns).await;
                queue.borrow_mut().sync = Some(sync);
            }
            (Decision::NotYet | Decision::SwitchedOff | Decision::Unknown, true) => {
                let sync = {
                    let mut queue = queue.borrow_mut();
                    queue.said_on_unix_ms = None;
                    queue.sync.take()
                };
                if let Some(sync) = sync {
                    sync.end();
                }
            }
            (Decision::On, true)
            | (Decision::NotYet | Decision::SwitchedOff | Decision::Unknown, false) => {}
        }
    }
}
