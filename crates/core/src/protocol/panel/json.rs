//! Writing the sandbox's messages as JSON.
//!
//! Owns the text form of [`ToPanel`] and of what the sandbox keeps. Must not know how the text travels. It says what the
//! derived serializers say, which the wire's goldens and a property hold it to; those made the sandbox program a quarter
//! larger, because every type brings a serializer of its own.

use super::manage::Told;
use super::{
    Brands, Column, ConflictPolicy, Connection, Counts, DifferenceKind, Differences, DriftPolicy,
    FieldChange, MergePolicy, Names, Opening, Preview, PreviewKind, PreviewRow, Problem, Role,
    RowRule, RunEntry, RunReport, SavedSession, Sections, Shape, SheetLayout, ToPanel, Unsent,
    WaitReason, import,
};
use crate::decimal;
use crate::flags::Decision;
use crate::protocol::relay::{CellWrite, Position, SheetRef, WriteValue};
use crate::session::StopReason;

/// The JSON of a message.
pub fn message(message: &ToPanel) -> String {
    let mut json = Json::default();
    json.message(message);
    json.0
}

/// The JSON of rows of a preview, with commas between them.
pub fn preview_rows(rows: impl IntoIterator<Item = PreviewRow>) -> String {
    let mut json = Json::default();
    for row in rows {
        json.preview_row(&row);
    }
    json.0
}

/// The JSON of a sign-in, as it is kept with the user.
pub fn session(session: &SavedSession) -> String {
    let mut json = Json::default();
    json.session(session);
    json.0
}

/// The JSON of a connection, as it is kept in the file.
pub fn connection(connection: &Connection) -> String {
    let mut json = Json::default();
    json.connection(connection);
    json.0
}

/// The JSON of how tables are read, as it is kept in the file.
pub fn readings(readings: &[import::Reading]) -> String {
    let mut json = Json::default();
    json.open();
    json.begin_list("tables");
    for reading in readings {
        json.reading(reading);
    }
    json.end_list();
    json.close();
    json.0
}

/// A text that grows. A comma is put before a key or an item unless it is the first.
#[derive(Default)]
struct Json(String);

impl Json {
    fn comma(&mut self) {
        match self.0.as_bytes().last() {
            None | Some(b'{' | b'[' | b':') => {}
            Some(_) => self.0.push(','),
        }
    }

    fn open(&mut self) {
        self.comma();
        self.0.push('{');
    }

    fn close(&mut self) {
        self.0.push('}');
    }

    fn key(&mut self, key: &str) {
        self.comma();
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    fn string(&mut self, text: &str) {
        self.comma();
        self.0.push('"');
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            // Two comparisons for nearly every byte: the interpreter goes through the arms one by one.
            if byte > b'\\' || (byte > b'"' && byte != b'\\') {
                continue;
            }
            let escape = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                0..=0x1f => "",
                _ => continue,
            };
            self.0.push_str(&text[plain..at]);
            plain = at + 1;
            if escape.is_empty() {
                self.0.push_str("\\u00");
                for nibble in [byte >> 4, byte & 15] {
                    self.0
                        .push(char::from(b"0123456789abcdef"[nibble as usize]));
                }
            } else {
                self.0.push_str(escape);
            }
        }
        self.0.push_str(&text[plain..]);
        self.0.push('"');
    }

    fn number(&mut self, number: u64) {
        self.comma();
        let digits = number.to_string();
        self.0.push_str(&digits);
    }

    fn signed(&mut self, number: i64) {
        self.comma();
        let digits = number.to_string();
        self.0.push_str(&digits);
    }

    fn null(&mut self) {
        self.comma();
        self.0.push_str("null");
    }

    fn text_field(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    fn number_field(&mut self, key: &str, number: u64) {
        self.key(key);
        self.number(number);
    }

    fn count(&mut self, key: &str, number: u32) {
        self.number_field(key, u64::from(number));
    }

    fn truth(&mut self, key: &str, value: bool) {
        self.key(key);
        self.0.push_str(if value { "true" } else { "false" });
    }

    fn optional_text(&mut self, key: &str, text: Option<&str>) {
        self.key(key);
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    fn begin_list(&mut self, key: &str) {
        self.key(key);
        self.0.push('[');
    }

    fn end_list(&mut self) {
        self.0.push(']');
    }

    fn texts(&mut self, key: &str, texts: &[String]) {
        self.begin_list(key);
        for text in texts {
            self.string(text);
        }
        self.end_list();
    }

    fn begin(&mut self, kind: &str) {
        self.open();
        self.text_field("type", kind);
    }

    fn message(&mut self, message: &ToPanel) {
        match message {
            ToPanel::Hello {
                version,
                file_name,
                read_only,
                targeting_key,
                size,
                opening,
            } => {
                self.begin("hello");
                self.text_field("version", version);
                self.text_field("file_name", file_name);
                self.truth("read_only", *read_only);
                self.text_field("targeting_key", targeting_key);
                self.begin_list("size");
                self.number(u64::from(size.0));
                self.number(u64::from(size.1));
                self.end_list();
                if let Some(opening) = opening {
                    self.key("opening");
                    self.open();
                    match opening {
                        Opening::Variables { search } => {
                            self.text_field("view", "variables");
                            self.text_field("search", search);
                        }
                        Opening::Import => self.text_field("view", "import"),
                        Opening::Export => self.text_field("view", "export"),
                        Opening::Sync { now } => {
                            self.text_field("view", "sync");
                            self.truth("now", *now);
                        }
                    }
                    self.close();
                }
            }
            ToPanel::Flags { realtime_sync } => {
                self.begin("flags");
                self.text_field("realtime_sync", decision(*realtime_sync));
            }
            ToPanel::Kept {
                session,
                connection,
            } => {
                self.begin("kept");
                self.key("session");
                match session {
                    Some(session) => self.session(session),
                    None => self.null(),
                }
                self.optional_connection(connection.as_deref());
            }
            ToPanel::File { id, panel, nonce } => {
                self.begin("file");
                self.text_field("id", id);
                self.text_field("panel", panel);
                self.text_field("nonce", nonce);
            }
            ToPanel::Push { push, sheet, cells } => {
                self.begin("push");
                self.count("push", *push);
                self.sheet("sheet", sheet);
                self.begin_list("cells");
                for cell in cells {
                    self.cell_write(cell);
                }
                self.end_list();
            }
            ToPanel::Taken { position, more } => {
                self.begin("taken");
                self.position(position);
                self.more_positions(more);
            }
            ToPanel::Variables => self.begin("variables"),
            ToPanel::Manage { told } => {
                self.begin("manage");
                self.key("told");
                self.told(told);
            }
            ToPanel::Inferred {
                columns,
                header_row,
                sample,
                problems,
                layout,
                sheet,
            } => {
                self.begin("inferred");
                self.columns(columns);
                self.count("header_row", *header_row);
                self.begin_list("sample");
                for row in sample {
                    self.comma();
                    self.0.push('[');
                    for text in row {
                        self.string(text);
                    }
                    self.end_list();
                }
                self.end_list();
                self.problems("problems", problems);
                self.layout(layout.as_ref());
                if let Some(sheet) = sheet {
                    self.sheet("sheet", sheet);
                }
            }
            ToPanel::Preview(preview) => {
                self.begin("preview");
                self.preview(preview);
            }
            ToPanel::Waiting { reason, preview } => {
                self.begin("waiting");
                self.text_field("reason", wait_reason(*reason));
                self.key("preview");
                self.0.push('{');
                self.preview(preview);
                self.close();
            }
            ToPanel::Differences(differences) => {
                self.begin("differences");
                self.differences(differences);
            }
            ToPanel::Runs { runs } => {
                self.begin("runs");
                self.begin_list("runs");
                for run in runs {
                    self.run(run);
                }
                self.end_list();
            }
            ToPanel::Progress { done, total } => {
                self.begin("progress");
                self.count("done", *done);
                self.count("total", *total);
            }
            ToPanel::Applied(report) => {
                self.begin("applied");
                self.report(report);
            }
            ToPanel::ConnectionChanged { connection } => {
                self.begin("connection_changed");
                self.optional_connection(connection.as_deref());
            }
            ToPanel::Refused { message, remedy } => {
                self.begin("refused");
                self.text_field("message", message);
                self.optional_text("remedy", remedy.as_deref());
            }
            ToPanel::Failed { message, fatal } => {
                self.begin("failed");
                self.text_field("message", message);
                self.truth("fatal", *fatal);
            }
            ToPanel::Import(word) => {
                self.begin("import");
                self.import(word);
            }
            ToPanel::Stopped { reason } => {
                self.begin("stopped");
                self.text_field("reason", stop_reason(*reason));
            }
        }
        self.close();
    }

    fn import(&mut self, word: &import::ToPanel) {
        match word {
            import::ToPanel::Inferred {
                at,
                reading,
                problems,
                remembered,
            } => {
                self.text_field("word", "inferred");
                self.count("at", *at);
                self.key("reading");
                self.reading(reading);
                self.problems("problems", problems);
                self.truth("remembered", *remembered);
            }
            import::ToPanel::Preview {
                preview,
                unread,
                left_out,
            } => {
                self.text_field("word", "preview");
                self.key("preview");
                self.0.push('{');
                self.preview(preview);
                self.close();
                self.begin_list("unread");
                for rows in unread {
                    self.open();
                    self.count("at", rows.at);
                    self.count("from", rows.from);
                    self.count("to", rows.to);
                    self.close();
                }
                self.end_list();
                self.texts("left_out", left_out);
            }
            import::ToPanel::Progress { done, total } => {
                self.text_field("word", "progress");
                self.count("done", *done);
                self.count("total", *total);
            }
            import::ToPanel::Done { report, connected } => {
                self.text_field("word", "done");
                self.key("report");
                self.0.push('{');
                self.report(report);
                self.close();
                self.truth("connected", *connected);
            }
            import::ToPanel::Refused { message, remedy } => {
                self.text_field("word", "refused");
                self.text_field("message", message);
                self.optional_text("remedy", remedy.as_deref());
            }
        }
    }

    fn reading(&mut self, reading: &import::Reading) {
        self.open();
        self.columns(&reading.columns);
        self.count("header_row", reading.header_row);
        self.layout(reading.layout.as_ref());
        self.close();
    }

    fn run(&mut self, run: &RunEntry) {
        self.open();
        self.text_field("run", &run.run);
        self.text_field("author", &run.author);
        self.number_field("unix_ms", run.unix_ms);
        self.counts(&run.counts);
        if run.restores {
            self.truth("restores", true);
        }
        self.truth("restorable", run.restorable);
        self.close();
    }

    fn session(&mut self, session: &SavedSession) {
        self.open();
        self.text_field("token", &session.token);
        self.text_field("account", &session.account);
        self.close();
    }

    fn optional_connection(&mut self, connection: Option<&Connection>) {
        self.key("connection");
        match connection {
            Some(connection) => self.connection(connection),
            None => self.null(),
        }
    }

    fn cell_write(&mut self, cell: &CellWrite) {
        self.open();
        self.count("row", cell.row);
        self.count("column", cell.column);
        self.text_field("before", &cell.before);
        self.key("value");
        self.open();
        match &cell.value {
            WriteValue::Text(text) => self.text_field("text", text),
            WriteValue::Number(number) => {
                self.key("number");
                self.0.push_str(&decimal::write(*number));
            }
            WriteValue::Boolean(value) => self.truth("boolean", *value),
        }
        self.close();
        if !cell.guards.is_empty() {
            self.begin_list("guards");
            for guard in &cell.guards {
                self.open();
                self.count("row", guard.row);
                self.count("column", guard.column);
                self.text_field("holds", &guard.holds);
                self.close();
            }
            self.end_list();
        }
        self.close();
    }

    fn connection(&mut self, connection: &Connection) {
        self.open();
        self.sheet("sheet", &connection.sheet);
        self.text_field("spreadsheet_title", &connection.spreadsheet_title);
        self.text_field("sheet_title", &connection.sheet_title);
        self.truth("on", connection.on);
        self.columns(&connection.columns);
        self.count("header_row", connection.header_row);
        self.truth("approved", connection.approved);
        self.layout(connection.layout.as_ref());
        if !connection.policy.is_default() {
            self.policy(connection.policy);
        }
        if !connection.left_out.is_empty() {
            self.texts("left_out", &connection.left_out);
        }
        if !connection.renamed_modes.is_empty() {
            self.texts("renamed_modes", &connection.renamed_modes);
        }
        if let Some(threshold) = connection.threshold {
            self.count("threshold", threshold);
        }
        if connection.published {
            self.truth("published", true);
        }
        if let Some(limit) = connection.mode_limit {
            self.count("mode_limit", limit);
        }
        if !connection.more.is_empty() {
            self.begin_list("more");
            for source in &connection.more {
                self.open();
                self.sheet("sheet", &source.sheet);
                self.text_field("spreadsheet_title", &source.spreadsheet_title);
                self.text_field("sheet_title", &source.sheet_title);
                self.columns(&source.columns);
                self.count("header_row", source.header_row);
                self.layout(source.layout.as_ref());
                self.close();
            }
            self.end_list();
        }
        if let Some(origin) = &connection.origin {
            self.sheet("origin", origin);
        }
        if connection.two_way {
            self.truth("two_way", true);
        }
        self.close();
    }

    fn sheet(&mut self, key: &str, sheet: &SheetRef) {
        self.key(key);
        self.open();
        self.text_field("spreadsheet_id", &sheet.spreadsheet_id);
        self.key("sheet_id");
        self.signed(sheet.sheet_id);
        self.close();
    }

    fn policy(&mut self, policy: MergePolicy) {
        self.key("policy");
        self.open();
        let drift = match policy.drift {
            DriftPolicy::Keep => "keep",
            DriftPolicy::Overwrite => "overwrite",
            DriftPolicy::Push => "push",
        };
        self.text_field("drift", drift);
        let conflict = match policy.conflict {
            ConflictPolicy::Ask => "ask",
            ConflictPolicy::Sheet => "sheet",
            ConflictPolicy::Figma => "figma",
        };
        self.text_field("conflict", conflict);
        self.close();
    }

    fn differences(&mut self, differences: &Differences) {
        self.count("list", differences.list);
        self.begin_list("items");
        for item in &differences.items {
            self.open();
            let kind = match item.kind {
                DifferenceKind::Drift => "drift",
                DifferenceKind::Conflict => "conflict",
            };
            self.text_field("kind", kind);
            self.text_field("collection", &item.collection);
            self.text_field("name", &item.name);
            self.text_field("address", &item.address);
            self.key("values");
            self.field_change(&item.values);
            if let Some(unsent) = item.unsent {
                self.text_field("unsent", unsent_word(unsent));
            }
            self.close();
        }
        self.end_list();
        self.count("drifts", differences.drifts);
        self.count("conflicts", differences.conflicts);
    }

    /// Left out where the sheet lies plainly, so that older kept connections stay as they are.
    fn layout(&mut self, layout: Option<&SheetLayout>) {
        let Some(layout) = layout else { return };
        self.key("layout");
        self.open();
        let shape = match layout.shape {
            Shape::Tokens => "tokens",
            Shape::Records => "records",
            Shape::Long => "long",
        };
        self.text_field("shape", shape);
        let brands = match layout.brands {
            Brands::None => "none",
            Brands::Modes => "modes",
            Brands::Collections => "collections",
        };
        self.text_field("brands", brands);
        let sections = match layout.sections {
            Sections::Ignore => "ignore",
            Sections::Groups => "groups",
            Sections::Collections => "collections",
        };
        self.text_field("sections", sections);
        let names = match layout.names {
            Names::Keep => "keep",
            Names::Groups => "groups",
            Names::Ask => "ask",
        };
        self.text_field("names", names);
        self.truth("same_collection", layout.same_collection);
        self.count("skip_rows", layout.skip_rows);
        self.rule("only", layout.only.as_ref());
        self.rule("ignore", layout.ignore.as_ref());
        self.begin_list("rem");
        for base in &layout.rem {
            self.open();
            self.text_field("mode", &base.mode);
            self.count("px", base.px);
            self.close();
        }
        self.end_list();
        if let Some(tab) = &layout.tab_mode {
            self.key("tab_mode");
            self.open();
            self.text_field("collection", &tab.collection);
            self.text_field("mode", &tab.mode);
            self.close();
        }
        if layout.formulas {
            self.truth("formulas", true);
        }
        self.close();
    }

    fn rule(&mut self, key: &str, rule: Option<&RowRule>) {
        self.key(key);
        let Some(rule) = rule else {
            self.null();
            return;
        };
        self.open();
        self.text_field("header", &rule.header);
        self.begin_list("words");
        for word in &rule.words {
            self.string(word);
        }
        self.end_list();
        self.close();
    }

    fn columns(&mut self, columns: &[Column]) {
        self.begin_list("columns");
        for column in columns {
            self.open();
            self.count("index", column.index);
            self.text_field("header", &column.header);
            self.key("role");
            self.open();
            self.text_field("role", role(&column.role));
            if let Role::Mode { name } = &column.role {
                self.text_field("name", name);
            }
            self.close();
            self.close();
        }
        self.end_list();
    }

    fn problems(&mut self, key: &str, problems: &[Problem]) {
        self.begin_list(key);
        for problem in problems {
            self.open();
            self.text_field("address", &problem.address);
            self.text_field("message", &problem.message);
            self.text_field("remedy", &problem.remedy);
            self.close();
        }
        self.end_list();
    }

    fn counts(&mut self, counts: &Counts) {
        self.key("counts");
        self.open();
        self.count("collections", counts.collections);
        self.count("modes", counts.modes);
        self.count("created", counts.created);
        self.count("changed", counts.changed);
        self.count("unchanged", counts.unchanged);
        self.count("removed", counts.removed);
        if counts.retyped > 0 {
            self.count("retyped", counts.retyped);
        }
        self.close();
    }

    fn preview(&mut self, preview: &Preview) {
        self.count("plan", preview.plan);
        self.counts(&preview.counts);
        self.begin_list("rows");
        for row in &preview.rows {
            self.preview_row(row);
        }
        self.end_list();
        self.problems("problems", &preview.problems);
        self.count("problems_total", preview.problems_total);
        if !preview.needs.is_empty() {
            self.problems("needs", &preview.needs);
        }
    }

    fn preview_row(&mut self, row: &PreviewRow) {
        self.open();
        self.text_field(
            "kind",
            match row.kind {
                PreviewKind::Create => "create",
                PreviewKind::Change => "change",
                PreviewKind::Rename => "rename",
                PreviewKind::Remove => "remove",
                PreviewKind::Retype => "retype",
            },
        );
        self.text_field("collection", &row.collection);
        self.text_field("name", &row.name);
        self.text_field("address", &row.address);
        self.begin_list("fields");
        for change in &row.fields {
            self.field_change(change);
        }
        self.end_list();
        if let Some(uses) = &row.uses {
            self.key("uses");
            self.open();
            self.count("layers", uses.layers);
            self.texts("names", &uses.names);
            self.truth("partial", uses.partial);
            self.close();
        }
        self.close();
    }

    fn field_change(&mut self, change: &FieldChange) {
        self.open();
        self.text_field("field", &change.field);
        self.optional_text("before", change.before.as_deref());
        self.text_field("after", &change.after);
        self.close();
    }

    fn report(&mut self, report: &RunReport) {
        self.counts(&report.counts);
        self.count("writes", report.writes);
        self.truth("cancelled", report.cancelled);
        self.position(&report.position);
        self.more_positions(&report.more);
        self.number_field("ended_unix_ms", report.ended_unix_ms);
        self.count("duration_ms", report.duration_ms);
        self.count("slice_ms_max", report.slice_ms_max);
        self.problems("problems", &report.problems);
        self.count("problems_total", report.problems_total);
    }

    fn position(&mut self, position: &Position) {
        self.key("position");
        self.open();
        self.text_field("epoch", &position.epoch);
        self.number_field("revision", position.revision);
        self.close();
    }

    fn more_positions(&mut self, more: &[Position]) {
        if more.is_empty() {
            return;
        }
        self.begin_list("more");
        for position in more {
            self.open();
            self.text_field("epoch", &position.epoch);
            self.number_field("revision", position.revision);
            self.close();
        }
        self.end_list();
    }

    fn told(&mut self, told: &Told) {
        self.open();
        match told {
            Told::Libraries { names } => {
                self.text_field("told", "libraries");
                self.begin_list("names");
                for (key, library) in names {
                    self.comma();
                    self.0.push('[');
                    self.string(key);
                    self.string(library);
                    self.end_list();
                }
                self.end_list();
            }
            Told::Copying { done, total } => {
                self.text_field("told", "copying");
                self.count("done", *done);
                self.count("total", *total);
            }
            Told::Copied {
                name,
                variables,
                unset,
                why,
            } => {
                self.text_field("told", "copied");
                self.text_field("name", name);
                self.count("variables", *variables);
                self.count("unset", *unset);
                self.optional_text("why", why.as_deref());
            }
            Told::NotCopied { why, left } => {
                self.text_field("told", "not_copied");
                self.optional_text("why", why.as_deref());
                self.optional_text("left", left.as_deref());
            }
        }
        self.close();
    }
}

fn unsent_word(unsent: Unsent) -> &'static str {
    match unsent {
        Unsent::Name => "name",
        Unsent::Formula => "formula",
        Unsent::Protected => "protected",
        Unsent::Changed => "changed",
        Unsent::Outside => "outside",
        Unsent::Empty => "empty",
        Unsent::Spaces => "spaces",
        Unsent::Foreign => "foreign",
        Unsent::Unwritable => "unwritable",
        Unsent::Shared => "shared",
        Unsent::Long => "long",
    }
}

fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::On => "on",
        Decision::NotYet => "not_yet",
        Decision::SwitchedOff => "switched_off",
        Decision::Unknown => "unknown",
    }
}

fn stop_reason(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Toggled => "toggled",
        StopReason::Disconnected => "disconnected",
        StopReason::SignedOut => "signed_out",
        StopReason::SwitchedOff => "switched_off",
        StopReason::Breaker => "breaker",
        StopReason::ReadOnly => "read_only",
    }
}

fn wait_reason(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Removes => "removes",
        WaitReason::Retypes => "retypes",
        WaitReason::Large => "large",
        WaitReason::Most => "most",
        WaitReason::Every => "every",
        WaitReason::Limits => "limits",
        WaitReason::Shrunken => "shrunken",
        WaitReason::Undone => "undone",
        WaitReason::Renames => "renames",
        WaitReason::Restore => "restore",
    }
}

/// The name of a role on the wire; [`Role::Mode`] has the mode's name beside it.
pub fn role(role: &Role) -> &'static str {
    match role {
        Role::Ignore => "ignore",
        Role::Collection => "collection",
        Role::Group => "group",
        Role::Name => "name",
        Role::Type => "type",
        Role::Mode { .. } => "mode",
        Role::ModeName => "mode_name",
        Role::Variable => "variable",
        Role::Description => "description",
        Role::Scopes => "scopes",
        Role::CodeWeb => "code_web",
        Role::CodeAndroid => "code_android",
        Role::CodeIos => "code_ios",
        Role::Hidden => "hidden",
        Role::Id => "id",
    }
}
