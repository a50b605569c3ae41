//! Reading the panel's messages inside the sandbox.
//!
//! Owns turning a message's JSON into [`ToSandbox`]. Must not know what a message does. JSON is parsed by the engine
//! that runs the script, and fields are picked from the result: the same through serde's derived readers made the
//! bundle 180 kB larger, past its budget. `tests/bundle` holds this reader to the wire's goldens.

use js_sys::{Array, JSON, Reflect};
use sheetwire_core::flags::Evaluation;
use sheetwire_core::protocol::panel::manage::Ask;
use sheetwire_core::protocol::panel::{
    Brands, Choice, Column, ConflictPolicy, DriftPolicy, MergePolicy, Names, RemBase, Role,
    RowRule, SavedSession, Sections, Shape, SheetLayout, TabMode, ToSandbox, import,
};
#[cfg(feature = "sync")]
use sheetwire_core::protocol::panel::{Connection, SOURCES_MAX, Source};
use sheetwire_core::protocol::relay::{Position, SheetInfo, SheetRef, WriteResult};
use wasm_bindgen::prelude::*;

/// An object of the message.
struct Fields(JsValue);

impl Fields {
    fn get(&self, name: &str) -> Option<JsValue> {
        let value = Reflect::get(&self.0, &JsValue::from_str(name)).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    fn object(&self, name: &str) -> Option<Fields> {
        self.get(name).filter(JsValue::is_object).map(Fields)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_string()
    }

    fn truth(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_f64()
    }

    /// A whole number from 0 to 2³² − 1.
    fn count(&self, name: &str) -> Option<u32> {
        let number = self.number(name)?;
        let count = number as u32;
        (f64::from(count) == number).then_some(count)
    }

    /// A list of texts.
    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = Array::from(&self.get(name).filter(Array::is_array)?);
        list.iter().map(|text| text.as_string()).collect()
    }

    /// A list of whole numbers.
    fn counts(&self, name: &str) -> Option<Vec<u32>> {
        let list = Array::from(&self.get(name).filter(Array::is_array)?);
        let count = |number: JsValue| number.as_f64().map(|number| number as u32);
        list.iter().map(count).collect()
    }

    /// A whole number that a double holds exactly.
    fn whole(&self, name: &str) -> Option<i64> {
        let number = self.number(name)?;
        const EXACT_MAX: f64 = 9_007_199_254_740_991.0;
        (number.abs() <= EXACT_MAX && number as i64 as f64 == number).then_some(number as i64)
    }

    fn unsigned(&self, name: &str) -> Option<u64> {
        u64::try_from(self.whole(name)?).ok()
    }
}

/// Reads one message; `None` when it is none of this version.
pub fn read(body: &str) -> Option<ToSandbox> {
    let fields = Fields(JSON::parse(body).ok().filter(JsValue::is_object)?);
    Some(match fields.text("type")?.as_str() {
        "ready" => ToSandbox::Ready {
            entropy: fields.text("entropy")?,
        },
        "flags_evaluated" => ToSandbox::FlagsEvaluated {
            body: fields.text("body"),
            now_unix_ms: fields.unsigned("now_unix_ms")?,
        },
        "list_variables" => ToSandbox::ListVariables,
        "manage" => ToSandbox::Manage {
            ask: ask(&fields.object("ask")?)?,
        },
        "save_session" => ToSandbox::SaveSession {
            session: match fields.object("session") {
                Some(session) => Some(SavedSession {
                    token: session.text("token")?,
                    account: session.text("account")?,
                }),
                None => None,
            },
        },
        "connect" => ToSandbox::Connect {
            sheet: sheet(&fields)?,
        },
        "add_source" => ToSandbox::AddSource {
            sheet: sheet(&fields)?,
        },
        "remove_source" => ToSandbox::RemoveSource {
            sheet: sheet(&fields)?,
        },
        "snapshot" => ToSandbox::Snapshot {
            sheet: sheet(&fields)?,
            position: position(&fields)?,
            info: info(&fields)?,
        },
        "import" => ToSandbox::Import(import(&fields)?),
        "changes" => ToSandbox::Changes {
            sheet: sheet(&fields)?,
            position: position(&fields)?,
            rows: fields.count("rows")?,
        },
        "confirm_columns" => ToSandbox::ConfirmColumns {
            columns: columns(&fields)?,
            header_row: fields.count("header_row")?,
            layout: layout(&fields)?,
            sheet: sheet(&fields),
        },
        "writer" => ToSandbox::Writer {
            yes: fields.truth("yes")?,
            nonce: fields.text("nonce")?,
            renew: fields.truth("renew")?,
        },
        "approve" => ToSandbox::Approve {
            plan: fields.count("plan")?,
            include_removals: fields.truth("include_removals")?,
            retypes: fields.counts("retypes").unwrap_or_default(),
        },
        "keep_removed" => ToSandbox::KeepRemoved {
            plan: fields.count("plan")?,
        },
        "resolve" => ToSandbox::Resolve {
            list: fields.count("list")?,
            items: fields.counts("items")?,
            choice: match fields.text("choice")?.as_str() {
                "sheet" => Choice::Sheet,
                "figma" => Choice::Figma,
                "send" => Choice::Send,
                _ => return None,
            },
        },
        "set_two_way" => ToSandbox::SetTwoWay {
            on: fields.truth("on")?,
        },
        "look" => ToSandbox::Look,
        "pushed" => ToSandbox::Pushed {
            push: fields.count("push")?,
            results: results(&fields)?,
        },
        "set_policy" => ToSandbox::SetPolicy {
            policy: policy(&fields.object("policy")?)?,
        },
        "set_threshold" => ToSandbox::SetThreshold {
            variables: fields.count("variables"),
        },
        "keep_file" => ToSandbox::KeepFile {
            plan: fields.count("plan")?,
        },
        "keep_apart" => ToSandbox::KeepApart {
            plan: fields.count("plan")?,
        },
        "leave_out" => ToSandbox::LeaveOut {
            plan: fields.count("plan")?,
            rows: fields.counts("rows")?,
        },
        "take_in" => ToSandbox::TakeIn {
            keys: fields.texts("keys")?,
        },
        "list_runs" => ToSandbox::ListRuns,
        "restore" => ToSandbox::Restore {
            run: fields.text("run")?,
        },
        "cancel" => ToSandbox::Cancel,
        "toggle" => ToSandbox::Toggle {
            on: fields.truth("on")?,
        },
        "disconnect" => ToSandbox::Disconnect,
        "sync_now" => ToSandbox::SyncNow,
        "resize" => ToSandbox::Resize {
            width: fields.count("width")?,
            height: fields.count("height")?,
            keep: fields.truth("keep")?,
        },
        "hide" => ToSandbox::Hide,
        "close" => ToSandbox::Close,
        "notify" => ToSandbox::Notify {
            message: fields.text("message")?,
        },
        _ => return None,
    })
}

fn ask(fields: &Fields) -> Option<Ask> {
    Some(match fields.text("ask")?.as_str() {
        "libraries" => Ask::Libraries,
        "duplicate" => Ask::Duplicate {
            collection: fields.text("collection")?,
            name: fields.text("name")?,
        },
        "stop" => Ask::Stop,
        _ => return None,
    })
}

/// Reads the entry of the flag `key` in an OFREP bulk reply and hands it to `decide`; `None` when there is none.
pub fn evaluation<T>(body: Option<&str>, key: &str, decide: fn(Option<Evaluation<'_>>) -> T) -> T {
    let found = body.and_then(|body| {
        let reply = Fields(JSON::parse(body).ok().filter(JsValue::is_object)?);
        let flags = reply.get("flags").filter(Array::is_array)?;
        Array::from(&flags)
            .iter()
            .map(Fields)
            .find(|flag| flag.text("key").is_some_and(|found| found == key))
    });
    match found {
        Some(flag) => decide(Some(Evaluation {
            value: flag.truth("value"),
            reason: &flag.text("reason").unwrap_or_default(),
            failed: flag.get("errorCode").is_some(),
        })),
        None => decide(None),
    }
}

/// Reads a sign-in as it was kept.
#[cfg(feature = "sync")]
pub fn session(text: &str) -> Option<SavedSession> {
    let session = Fields(JSON::parse(text).ok().filter(JsValue::is_object)?);
    Some(SavedSession {
        token: session.text("token")?,
        account: session.text("account")?,
    })
}

/// Reads how tables were read, as it was kept; `None` when that can't be read.
pub fn readings(text: &str) -> Option<Vec<import::Reading>> {
    readings_in(&Fields(JSON::parse(text).ok().filter(JsValue::is_object)?))
}

fn readings_in(fields: &Fields) -> Option<Vec<import::Reading>> {
    let list = Array::from(&fields.get("tables").filter(Array::is_array)?);
    list.iter()
        .map(|reading| {
            let reading = Fields(reading);
            Some(import::Reading {
                columns: columns(&reading)?,
                header_row: reading.count("header_row")?,
                layout: layout(&reading)?,
            })
        })
        .collect()
}

fn import(fields: &Fields) -> Option<import::ToSandbox> {
    Some(match fields.text("word")?.as_str() {
        "begin" => import::ToSandbox::Begin {
            tables: fields.count("tables")?,
        },
        "table" => import::ToSandbox::Table {
            at: fields.count("at")?,
            info: info(fields)?,
        },
        "read" => import::ToSandbox::Read {
            tables: readings_in(fields)?,
            existing: match fields.text("existing")?.as_str() {
                "update" => import::Existing::Update,
                "leave" => import::Existing::Leave,
                _ => return None,
            },
        },
        "leave_out" => import::ToSandbox::LeaveOut {
            plan: fields.count("plan")?,
            rows: fields.counts("rows")?,
        },
        "take_in" => import::ToSandbox::TakeIn {
            keys: fields.texts("keys")?,
        },
        "approve" => import::ToSandbox::Approve {
            plan: fields.count("plan")?,
        },
        "cancel" => import::ToSandbox::Cancel,
        "end" => import::ToSandbox::End,
        _ => return None,
    })
}

/// Reads a file's connection as it was kept; one that can't be read is none.
#[cfg(feature = "sync")]
pub fn connection(text: &str) -> Option<Connection> {
    let kept = Fields(JSON::parse(text).ok().filter(JsValue::is_object)?);
    Some(Connection {
        sheet: sheet(&kept)?,
        spreadsheet_title: kept.text("spreadsheet_title")?,
        sheet_title: kept.text("sheet_title")?,
        on: kept.truth("on")?,
        columns: columns(&kept)?,
        header_row: kept.count("header_row")?,
        approved: kept.truth("approved")?,
        layout: layout(&kept)?,
        policy: match kept.object("policy") {
            Some(kept) => policy(&kept)?,
            None => MergePolicy::default(),
        },
        left_out: kept.texts("left_out").unwrap_or_default(),
        renamed_modes: kept.texts("renamed_modes").unwrap_or_default(),
        threshold: kept.count("threshold"),
        published: kept.truth("published").unwrap_or_default(),
        mode_limit: kept.count("mode_limit"),
        more: match kept.get("more").filter(Array::is_array) {
            Some(list) => Array::from(&list)
                .iter()
                .take(SOURCES_MAX - 1)
                .map(|kept| source(&Fields(kept)))
                .collect::<Option<_>>()?,
            None => Vec::new(),
        },
        origin: sheet_in(&kept, "origin"),
        two_way: kept.truth("two_way").unwrap_or_default(),
    })
}

#[cfg(feature = "sync")]
fn source(kept: &Fields) -> Option<Source> {
    Some(Source {
        sheet: sheet(kept)?,
        spreadsheet_title: kept.text("spreadsheet_title")?,
        sheet_title: kept.text("sheet_title")?,
        columns: columns(kept)?,
        header_row: kept.count("header_row")?,
        layout: layout(kept)?,
    })
}

fn results(fields: &Fields) -> Option<Vec<WriteResult>> {
    let words = fields.texts("results")?;
    let results = words.iter().map(|word| {
        Some(match word.as_str() {
            "written" => WriteResult::Written,
            "formula" => WriteResult::Formula,
            "changed" => WriteResult::Changed,
            "protected" => WriteResult::Protected,
            "outside" => WriteResult::Outside,
            "moved" => WriteResult::Moved,
            _ => return None,
        })
    });
    results.collect()
}

fn policy(fields: &Fields) -> Option<MergePolicy> {
    Some(MergePolicy {
        drift: match fields.text("drift")?.as_str() {
            "keep" => DriftPolicy::Keep,
            "overwrite" => DriftPolicy::Overwrite,
            "push" => DriftPolicy::Push,
            _ => return None,
        },
        conflict: match fields.text("conflict")?.as_str() {
            "ask" => ConflictPolicy::Ask,
            "sheet" => ConflictPolicy::Sheet,
            "figma" => ConflictPolicy::Figma,
            _ => return None,
        },
    })
}

/// How a sheet lies; `Some(None)` where nothing is said, `None` for what this version does not know.
fn layout(fields: &Fields) -> Option<Option<SheetLayout>> {
    let Some(lies) = fields.object("layout") else {
        return Some(None);
    };
    let rem = lies
        .get("rem")
        .filter(Array::is_array)
        .map(|list| Array::from(&list))?;
    Some(Some(SheetLayout {
        shape: match lies.text("shape")?.as_str() {
            "tokens" => Shape::Tokens,
            "records" => Shape::Records,
            "long" => Shape::Long,
            _ => return None,
        },
        brands: match lies.text("brands")?.as_str() {
            "none" => Brands::None,
            "modes" => Brands::Modes,
            "collections" => Brands::Collections,
            _ => return None,
        },
        sections: match lies.text("sections")?.as_str() {
            "ignore" => Sections::Ignore,
            "groups" => Sections::Groups,
            "collections" => Sections::Collections,
            _ => return None,
        },
        names: match lies.text("names")?.as_str() {
            "keep" => Names::Keep,
            "groups" => Names::Groups,
            "ask" => Names::Ask,
            _ => return None,
        },
        same_collection: lies.truth("same_collection")?,
        skip_rows: lies.count("skip_rows")?,
        only: rule(&lies, "only")?,
        ignore: rule(&lies, "ignore")?,
        rem: rem
            .iter()
            .map(|base| {
                let base = Fields(base);
                Some(RemBase {
                    mode: base.text("mode")?,
                    px: base.count("px")?,
                })
            })
            .collect::<Option<_>>()?,
        tab_mode: match lies.object("tab_mode") {
            Some(tab) => Some(TabMode {
                collection: tab.text("collection")?,
                mode: tab.text("mode")?,
            }),
            None => None,
        },
        formulas: lies.truth("formulas").unwrap_or_default(),
    }))
}

fn rule(lies: &Fields, key: &str) -> Option<Option<RowRule>> {
    let Some(rule) = lies.object(key) else {
        return Some(None);
    };
    let words = Array::from(&rule.get("words").filter(Array::is_array)?);
    Some(Some(RowRule {
        header: rule.text("header")?,
        words: words
            .iter()
            .map(|word| word.as_string())
            .collect::<Option<_>>()?,
    }))
}

fn info(fields: &Fields) -> Option<SheetInfo> {
    let info = fields.object("info")?;
    Some(SheetInfo {
        spreadsheet_title: info.text("spreadsheet_title")?,
        sheet_title: info.text("sheet_title")?,
        locale: info.text("locale")?,
    })
}

fn sheet(fields: &Fields) -> Option<SheetRef> {
    sheet_in(fields, "sheet")
}

fn sheet_in(fields: &Fields, key: &str) -> Option<SheetRef> {
    let sheet = fields.object(key)?;
    Some(SheetRef {
        spreadsheet_id: sheet.text("spreadsheet_id")?,
        sheet_id: sheet.whole("sheet_id")?,
    })
}

fn position(fields: &Fields) -> Option<Position> {
    let position = fields.object("position")?;
    Some(Position {
        epoch: position.text("epoch")?,
        revision: position.unsigned("revision")?,
    })
}

fn columns(fields: &Fields) -> Option<Vec<Column>> {
    let list = fields
        .get("columns")
        .filter(Array::is_array)
        .map(|list| Array::from(&list))?;
    list.iter()
        .map(|column| {
            let column = Fields(column);
            let role = column.object("role")?;
            Some(Column {
                index: column.count("index")?,
                header: column.text("header")?,
                role: match role.text("role")?.as_str() {
                    "ignore" => Role::Ignore,
                    "collection" => Role::Collection,
                    "group" => Role::Group,
                    "name" => Role::Name,
                    "mode_name" => Role::ModeName,
                    "variable" => Role::Variable,
                    "type" => Role::Type,
                    "mode" => Role::Mode {
                        name: role.text("name")?,
                    },
                    "description" => Role::Description,
                    "scopes" => Role::Scopes,
                    "code_web" => Role::CodeWeb,
                    "code_android" => Role::CodeAndroid,
                    "code_ios" => Role::CodeIos,
                    "hidden" => Role::Hidden,
                    "id" => Role::Id,
                    _ => return None,
                },
            })
        })
        .collect()
}
