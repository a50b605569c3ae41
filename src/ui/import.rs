//! The Import tab.
//!
//! Owns the tables that were read, how the designer wants them read, and which view is drawn. Must not know formats (the
//! program of files reads them) or what a cell means (the sandbox says). It works without Real-Time Sync.

mod choose;
mod grid;
mod mapping;
mod outcome;
mod source;

use crate::sync::tree::Tree;
use crate::sync::types::Chosen;
use crate::{Acts, Panel, Tab, sandbox, words};
use leptos::prelude::*;
use sheetwire_core::mapping::Layout;
use sheetwire_core::mapping::grid::Grid;
use sheetwire_core::protocol::panel::import::{
    Existing, Reading, ToPanel as Told, ToSandbox as Word, Unread,
};
use sheetwire_core::protocol::panel::{Preview, Problem, RunReport, ToSandbox};
use sheetwire_core::protocol::relay::SheetInfo;
use sheetwire_core::session::Action;
use std::sync::Arc;
use std::time::Duration;

/// Where the focus goes when the view changes.
pub const HEADING: &str = "import-heading";
/// How long the sandbox is not asked after the last change of a column, in milliseconds.
const SETTLE_MS: u64 = 200;

/// Which view is drawn.
#[derive(Clone, PartialEq)]
enum Stage {
    Choosing,
    /// A file is being read.
    Reading,
    /// The table, and what its columns are for.
    Mapping,
    /// What would be done.
    Planning,
    Running {
        done: u32,
        total: u32,
        stopping: bool,
    },
    Done {
        report: Box<RunReport>,
        connected: bool,
    },
}

/// A table that was read.
struct Table {
    title: String,
    locale: String,
    /// As the sandbox gets it.
    cells: String,
    grid: Grid,
    columns: u32,
}

/// How a table is to be read, and what is known about that.
#[derive(Clone, Default)]
struct Draft {
    is_included: bool,
    /// `None` until the sandbox has told.
    reading: Option<Reading>,
    problems: Vec<Problem>,
    remembered: bool,
}

/// What the sandbox says of the tables as they are read now.
#[derive(Clone)]
struct Outlook {
    preview: Preview,
    unread: Vec<Unread>,
}

/// What the tab shows. All of it is one import; another begins with nothing.
#[derive(Clone, Copy)]
pub struct Import {
    stage: RwSignal<Stage>,
    /// What was wrong with a file, or refused.
    notice: RwSignal<Option<(String, String)>>,
    /// The file's name.
    name: RwSignal<String>,
    /// What the files were, to read them again under another collection.
    files: RwSignal<Arc<Vec<source::File>>>,
    collection: RwSignal<Option<String>>,
    tables: RwSignal<Arc<Vec<Table>>>,
    /// What the readers could not read.
    unreadable: RwSignal<Vec<Problem>>,
    drafts: RwSignal<Vec<Draft>>,
    existing: RwSignal<Existing>,
    /// The table that is shown.
    shown: RwSignal<usize>,
    outlook: RwSignal<Option<Arc<Outlook>>>,
    left_out: RwSignal<Vec<String>>,
    busy: RwSignal<bool>,
    /// Counts what was asked, so that only the last change of several is compared.
    turn: StoredValue<u32>,
    grid: grid::View,
    tree: Tree,
}

impl Import {
    /// Nothing was chosen yet.
    pub fn new() -> Import {
        Import {
            stage: RwSignal::new(Stage::Choosing),
            notice: RwSignal::new(None),
            name: RwSignal::new(String::new()),
            files: RwSignal::new(Arc::default()),
            collection: RwSignal::new(None),
            tables: RwSignal::new(Arc::default()),
            unreadable: RwSignal::new(Vec::new()),
            drafts: RwSignal::new(Vec::new()),
            existing: RwSignal::new(Existing::Update),
            shown: RwSignal::new(0),
            outlook: RwSignal::new(None),
            left_out: RwSignal::new(Vec::new()),
            busy: RwSignal::new(false),
            turn: StoredValue::new(0),
            grid: grid::View::new(),
            tree: Tree::new(),
        }
    }

    fn refuse(self, message: &str, remedy: &str) {
        self.notice
            .set(Some((String::from(message), String::from(remedy))));
    }

    /// Back to choosing; the sandbox forgets the tables.
    fn begin_again(self) {
        say(Word::End);
        self.turn.update_value(|turn| *turn += 1);
        self.notice.set(None);
        self.files.set(Arc::default());
        self.collection.set(None);
        self.tables.set(Arc::default());
        self.unreadable.set(Vec::new());
        self.drafts.set(Vec::new());
        self.existing.set(Existing::Update);
        self.outlook.set(None);
        self.left_out.set(Vec::new());
        self.busy.set(false);
        self.stage.set(Stage::Choosing);
    }

    /// Takes what was read from files.
    fn take_tables(self, tables: Vec<Table>, problems: Vec<Problem>) {
        let drafts = tables.iter().map(|_| Draft {
            is_included: true,
            ..Draft::default()
        });
        self.drafts.set(drafts.collect());
        self.tables.set(Arc::new(tables));
        self.unreadable.set(problems);
        self.shown.set(0);
        self.hand_over();
    }

    /// The places of the tables that are to be imported.
    fn included(self) -> Vec<usize> {
        let drafts = self.drafts.read_untracked();
        let drafts = drafts.iter().enumerate();
        drafts
            .filter(|(_, draft)| draft.is_included)
            .map(|(at, _)| at)
            .collect()
    }

    /// Gives the sandbox the tables that are to be imported.
    fn hand_over(self) {
        let included = self.included();
        self.outlook.set(None);
        if included.is_empty() {
            say(Word::End);
            return;
        }
        self.busy.set(true);
        say(Word::Begin {
            tables: u32::try_from(included.len()).unwrap_or(u32::MAX),
        });
        let tables = self.tables.get_untracked();
        for (at, place) in (0..).zip(included) {
            let table = &tables[place];
            let info = SheetInfo {
                spreadsheet_title: self.name.get_untracked(),
                sheet_title: table.title.clone(),
                locale: table.locale.clone(),
            };
            let word = ToSandbox::Import(Word::Table { at, info });
            sandbox::say_with(&word, Some(&table.cells));
        }
    }

    /// A column, a row or a choice was changed: the sandbox compares again, once nothing changes any more.
    fn changed(self) {
        self.turn.update_value(|turn| *turn += 1);
        let turn = self.turn.get_value();
        self.busy.set(true);
        set_timeout(
            move || {
                if self.turn.get_value() == turn {
                    self.read();
                }
            },
            Duration::from_millis(SETTLE_MS),
        );
    }

    /// How all tables are read, where every one can be.
    fn readings(self) -> Option<Vec<Reading>> {
        let drafts = self.drafts.read_untracked();
        let included = drafts.iter().filter(|draft| draft.is_included);
        let readings: Option<Vec<Reading>> = included.map(|draft| draft.reading.clone()).collect();
        readings.filter(|readings| {
            !readings.is_empty() && readings.iter().all(|reading| lacking(reading).is_empty())
        })
    }

    /// Has the tables read as the designer wants it.
    fn read(self) {
        match self.readings() {
            Some(tables) => {
                self.busy.set(true);
                say(Word::Read {
                    tables,
                    existing: self.existing.get_untracked(),
                });
            }
            None => {
                self.busy.set(false);
                self.outlook.set(None);
            }
        }
    }

    /// Takes what the sandbox says.
    pub fn hear(self, panel: Panel, told: &Told) {
        match told {
            Told::Inferred {
                at,
                reading,
                problems,
                remembered,
            } => {
                let Some(place) = self.included().get(*at as usize).copied() else {
                    return;
                };
                self.drafts.update(|drafts| {
                    if let Some(draft) = drafts.get_mut(place)
                        && draft.reading.is_none()
                    {
                        draft.reading = Some(reading.clone());
                        draft.problems = problems.clone();
                        draft.remembered = *remembered;
                    }
                });
                let is_last = *at as usize + 1 == self.included().len();
                if is_last {
                    if self.stage.get_untracked() == Stage::Reading {
                        self.grid.reset();
                        self.stage.set(Stage::Mapping);
                    }
                    self.read();
                }
            }
            Told::Preview {
                preview,
                unread,
                left_out,
            } => {
                self.busy.set(false);
                self.left_out.set(left_out.clone());
                self.outlook.set(Some(Arc::new(Outlook {
                    preview: preview.clone(),
                    unread: unread.clone(),
                })));
                if matches!(self.stage.get_untracked(), Stage::Running { .. }) {
                    // The file has changed meanwhile, and what would be done is more than was seen.
                    self.stage.set(Stage::Planning);
                }
            }
            Told::Progress { done, total } => {
                if let Stage::Running { stopping, .. } = self.stage.get_untracked() {
                    self.stage.set(Stage::Running {
                        done: *done,
                        total: *total,
                        stopping,
                    });
                }
            }
            Told::Done { report, connected } => {
                if report.writes > 0 {
                    panel.is_stale.set_value(true);
                }
                self.stage.set(Stage::Done {
                    report: Box::new(report.clone()),
                    connected: *connected,
                });
            }
            Told::Refused { message, remedy } => {
                self.busy.set(false);
                self.refuse(message, remedy.as_deref().unwrap_or_default());
                match self.stage.get_untracked() {
                    Stage::Reading => self.stage.set(Stage::Choosing),
                    Stage::Running { .. } => self.stage.set(Stage::Planning),
                    Stage::Choosing | Stage::Mapping | Stage::Planning | Stage::Done { .. } => {}
                }
            }
        }
    }

    /// Does what the designer asked for in the plan, whose view is Real-Time Sync's.
    pub fn act(self, action: Action) {
        // The plan's view asks for nothing else.
        if let Action::LeaveOut { plan, rows } = action {
            say(Word::LeaveOut { plan, rows });
        } else if let Action::TakeIn { keys } = action {
            say(Word::TakeIn { keys });
        } else if let Action::OpenCell { address } = action {
            self.stage.set(Stage::Mapping);
            grid::show(self, &address);
        }
    }

    fn approve(self) {
        let Some(outlook) = self.outlook.get_untracked() else {
            return;
        };
        self.notice.set(None);
        self.stage.set(Stage::Running {
            done: 0,
            total: 0,
            stopping: false,
        });
        say(Word::Approve {
            plan: outlook.preview.plan,
        });
    }

    fn stop(self) {
        if let Stage::Running { done, total, .. } = self.stage.get_untracked() {
            self.stage.set(Stage::Running {
                done,
                total,
                stopping: true,
            });
            say(Word::Cancel);
        }
    }
}

fn say(word: Word) {
    sandbox::say(&ToSandbox::Import(word));
}

/// What keeps a table from being read so.
fn lacking(reading: &Reading) -> Vec<String> {
    let layout = reading.layout.clone().unwrap_or_default();
    let lacks = Layout::of(&reading.columns, reading.header_row, &layout).err();
    let lacks = lacks.unwrap_or_default().into_iter();
    lacks
        .map(|lack| {
            let place = lack.column.map_or_else(String::new, |column| {
                ["Column ", &grid::letters(column), ": "].concat()
            });
            [&place, lack.message.as_str(), " ", &lack.remedy].concat()
        })
        .collect()
}

/// The kind of a stage: what changes within one leaves the view and its focus alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    ReadOnly,
    Choosing,
    Reading,
    Mapping,
    Planning,
    Running,
    Done,
}

/// The tab's contents.
#[component]
pub fn ImportTab(panel: Panel) -> impl IntoView {
    let import = panel.import;
    // The plan's view is Real-Time Sync's; here it acts on the import.
    let panel = Panel {
        acts: Acts::Import,
        left_out: import.left_out,
        ..panel
    };
    let shown = Memo::new(move |_| match &*import.stage.read() {
        _ if panel.read_only.get() => Shown::ReadOnly,
        Stage::Choosing => Shown::Choosing,
        Stage::Reading => Shown::Reading,
        Stage::Mapping => Shown::Mapping,
        Stage::Planning => Shown::Planning,
        Stage::Running { .. } => Shown::Running,
        Stage::Done { .. } => Shown::Done,
    });
    Effect::new(move |before: Option<Shown>| {
        let now = shown.get();
        if before.is_some_and(|before| before != now) && panel.tab.get_untracked() == Tab::Import {
            request_animation_frame(|| sandbox::focus(HEADING));
        }
        now
    });
    let chosen = Chosen::new();
    view! {
        <div role="status">{move || import.notice.get().map(|(message, remedy)| view! {
            <div class="told">
                <p>{message}" "{remedy}</p>
                <button type="button" class="quiet" on:click=move |_| import.notice.set(None)>{words::DISMISS}</button>
            </div>
        })}</div>
        {move || match shown.get() {
            Shown::ReadOnly => outcome::read_only(),
            Shown::Choosing => choose::view(panel, import),
            Shown::Reading => outcome::reading(import),
            Shown::Mapping => mapping::view(panel, import),
            Shown::Planning => outcome::plan(panel, import, chosen),
            Shown::Running => outcome::running(import),
            Shown::Done => outcome::done(panel, import),
        }}
    }
}

/// The heading of a view, which takes the focus when the view comes.
fn heading(title: impl Into<Signal<String>>) -> AnyView {
    let title = title.into();
    view! { <h2 id=HEADING tabindex="-1">{move || title.get()}</h2> }.into_any()
}
