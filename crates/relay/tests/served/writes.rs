//! Two-way sync: who may write to a sheet, what becomes of each cell, and what Google is asked for it.

use std::time::Duration;

use fake_google::{
    CellInput, Consent, Fault, FaultKind, JournalEntry, NewSpreadsheet, Role, Share,
};
use serde_json::{Value, json};
use sheetwire_core::protocol::relay::{
    Bid, CellGuard, CellWrite, ClientFrame, SheetRef, TwoWayRequest, VERSION, WRITE_BYTES_MAX,
    WriteReply, WriteRequest, WriteResult, WriteValue, encode,
};
use sheetwire_relay::config::Limits;

use crate::world::{ANA, BEN, Socket, World};

const SPREADSHEETS: &str = "https://www.googleapis.com/auth/spreadsheets";

/// Repeats come at once.
fn quick(limits: &mut Limits) {
    limits.retry_min = Duration::from_millis(5);
    limits.retry_max = Duration::from_millis(20);
}

/// Ana's spreadsheet: a text, a number, a percentage, a boolean and a formula.
fn tokens(world: &World) -> SheetRef {
    let rows: &[&[&str]] = &[
        &["name", "light"],
        &["blue", "#0000ff"],
        &["gap", "16"],
        &["fade", "50%"],
        &["wide", "TRUE"],
        &["same", "=B2"],
    ];
    let made = NewSpreadsheet::of_texts("Brand", rows);
    let made = world.google.create_spreadsheet(made).expect("made");
    SheetRef {
        spreadsheet_id: made.spreadsheet_id,
        sheet_id: made.sheets[0].sheet_id,
    }
}

fn share(world: &World, sheet: &SheetRef, account: &str, role: Option<Role>) {
    world
        .google
        .share(Share {
            spreadsheet_id: sheet.spreadsheet_id.clone(),
            account: account.to_owned(),
            role,
        })
        .expect("shared");
}

async fn sign_in(world: &World, account: &str, sheet: &SheetRef) -> String {
    let consent = Consent::by(account).picking(&sheet.spreadsheet_id);
    world.sign_in(&consent).await
}

fn bid(panel: &str) -> Bid {
    Bid {
        file: "file".to_owned(),
        panel: panel.to_owned(),
        take_over: false,
        fence: None,
    }
}

/// A panel that was elected to write.
pub struct Writer {
    session: String,
    socket: Socket,
    request: WriteRequest,
}

impl Writer {
    /// In the room, with the sheet.
    pub async fn join(world: &World, session: &str, sheet: &SheetRef) -> Self {
        let mut writer = Self::elected(world, session, sheet).await;
        writer.socket.snapshot().await;
        writer
    }

    async fn elected(world: &World, session: &str, sheet: &SheetRef) -> Self {
        let bid = bid("panel");
        let mut socket = world
            .join_to_write(session, sheet, None, Some(bid.clone()))
            .await;
        let (you, fence) = socket.writer().await;
        assert!(you);
        Writer {
            session: session.to_owned(),
            socket,
            request: WriteRequest {
                v: VERSION,
                sheet: sheet.clone(),
                file: bid.file,
                panel: bid.panel,
                fence,
                cells: Vec::new(),
            },
        }
    }

    pub async fn write(
        &self,
        world: &World,
        cells: &[CellWrite],
    ) -> Result<Vec<WriteResult>, String> {
        let request = WriteRequest {
            cells: cells.to_vec(),
            ..self.request.clone()
        };
        write(world, &self.session, &request).await
    }
}

/// What became of each cell, or the status and code of the refusal.
async fn write(
    world: &World,
    session: &str,
    request: &WriteRequest,
) -> Result<Vec<WriteResult>, String> {
    let sent = world.request("POST", "/v1/write", session, encode(request));
    match sent.await {
        (200, body) => {
            let reply: WriteReply = serde_json::from_str(&body).expect("results");
            Ok(reply.results)
        }
        refused => Err(code(refused)),
    }
}

pub async fn switch(
    world: &World,
    session: &str,
    sheet: &SheetRef,
    on: bool,
) -> Result<bool, String> {
    let body = encode(&TwoWayRequest {
        v: VERSION,
        sheet: sheet.clone(),
        on,
    });
    match world.request("PUT", "/v1/two-way", session, body).await {
        (200, body) => {
            let reply: Value = serde_json::from_str(&body).expect("JSON");
            Ok(reply["on"] == json!(true))
        }
        refused => Err(code(refused)),
    }
}

fn code((status, body): (u16, String)) -> String {
    let body: Value = serde_json::from_str(&body).expect("JSON");
    format!("{status} {}", body["code"].as_str().unwrap_or_default())
}

fn cell(row: u32, before: &str, value: WriteValue) -> CellWrite {
    CellWrite {
        row,
        column: 1,
        before: before.to_owned(),
        value,
        guards: Vec::new(),
    }
}

/// A write that is guarded by its row's name and its column's header.
fn guarded(row: u32, name: &str, write: CellWrite) -> CellWrite {
    let guard = |row, column, holds: &str| CellGuard {
        row,
        column,
        holds: holds.to_owned(),
    };
    CellWrite {
        guards: vec![guard(0, 1, "tlight"), guard(row, 0, name)],
        ..write
    }
}

pub fn text(row: u32, before: &str, value: &str) -> CellWrite {
    cell(row, before, WriteValue::Text(value.to_owned()))
}

/// What the relay asked the Sheets API for since that entry of the journal: the method, and the status of the answer.
fn asked(world: &World, since: u64) -> Vec<(String, u16)> {
    let is_write = |entry: &JournalEntry| {
        let path = entry.path.as_str();
        path.ends_with(":getByDataFilter") || path.ends_with(":batchUpdate")
    };
    let grid = |entry: &JournalEntry| {
        let mut query = entry.query.iter();
        query.any(|(name, value)| {
            name == "fields" && value.starts_with("sheets(properties(sheetId,grid")
        })
    };
    let verb = |entry: &JournalEntry| {
        let verb = entry.path.rsplit(':').next().unwrap_or_default();
        if is_write(entry) { verb } else { "get" }.to_owned()
    };
    let journal = world.google.journal(since);
    let entries = journal
        .iter()
        .filter(|entry| is_write(entry) || grid(entry));
    entries.map(|entry| (verb(entry), entry.status)).collect()
}

fn now(world: &World) -> u64 {
    world.google.state().next_journal_number
}

/// As Google answers a read of the whole tab.
async fn shown(world: &World, sheet: &SheetRef) -> Value {
    let token = world.google.access_token(ANA, &[SPREADSHEETS]);
    let url = format!(
        "{}/v4/spreadsheets/{}/values/A1:C9",
        world.google.base_url(),
        sheet.spreadsheet_id
    );
    let reply = world
        .http
        .get(url)
        .bearer_auth(token.expect("known"))
        .send()
        .await;
    let reply: Value = reply.expect("sent").json().await.expect("JSON");
    reply["values"].clone()
}

#[tokio::test]
async fn nothing_is_written_until_it_is_switched_on_and_then_in_one_batch() {
    let world = World::start().await;
    let sheet = tokens(&world);
    share(&world, &sheet, BEN, Some(Role::Reader));
    let session = sign_in(&world, ANA, &sheet).await;
    let mut ana = Writer::join(&world, &session, &sheet).await;
    let ben = sign_in(&world, BEN, &sheet).await;
    let mut ben = world.join(&ben, &sheet, None).await;
    ben.snapshot().await;
    let cells = [
        text(1, "t#0000ff", "000000"),
        cell(2, "n16", WriteValue::Number(4.5)),
        cell(3, "p0.5\u{1d}50%", WriteValue::Number(0.25)),
        cell(4, "b1", WriteValue::Boolean(false)),
        text(6, "", "=B2 {brand}"),
    ];
    let since = now(&world);
    let off = Err("403 two_way_off".to_owned());
    assert_eq!(ana.write(&world, &cells).await, off);
    assert_eq!(asked(&world, since), []);
    assert_eq!(world.google.state().quota.writes, 0);

    assert_eq!(switch(&world, &session, &sheet, true).await, Ok(true));
    let written = vec![WriteResult::Written; 5];
    assert_eq!(ana.write(&world, &cells).await, Ok(written.clone()));
    let once = [
        ("getByDataFilter".to_owned(), 200),
        ("batchUpdate".to_owned(), 200),
    ];
    assert_eq!(asked(&world, since), once);
    // Texts are as they were sent, and formats are as they were.
    let expected = json!([
        ["name", "light"],
        ["blue", "000000"],
        ["gap", "4.5"],
        ["fade", "25%"],
        ["wide", "FALSE"],
        ["same", "000000"],
        ["", "=B2 {brand}"],
    ]);
    assert_eq!(shown(&world, &sheet).await, expected);
    // Everybody in the room hears of it as of any edit, the writer too, and the formula's result with it.
    let changes = "1\u{1f}1\u{1f}t000000\u{1e}2\u{1f}1\u{1f}n4.5\u{1e}3\u{1f}1\u{1f}p0.25\u{1d}25%\u{1e}\
                   4\u{1f}1\u{1f}b0\u{1e}5\u{1f}1\u{1f}f=B2\u{1d}t000000\u{1e}6\u{1f}1\u{1f}t=B2 {brand}\u{1e}";
    assert_eq!(ben.changes().await, changes);
    assert_eq!(ana.socket.changes().await, changes);
    // Again, as after an answer that the panel never got: there is nothing to write.
    assert_eq!(ana.write(&world, &cells).await, Ok(written));
    assert_eq!(world.google.state().quota.writes, 1);

    assert_eq!(switch(&world, &session, &sheet, false).await, Ok(false));
    assert_eq!(ana.write(&world, &cells).await, off);
}

#[tokio::test]
async fn each_cell_has_its_own_answer_and_the_others_are_written() {
    let world = World::limited(quick).await;
    let sheet = tokens(&world);
    share(&world, &sheet, BEN, Some(Role::Writer));
    let protect = json!({"requests": [{"addProtectedRange": {"protectedRange": {
        "range": {"sheetId": sheet.sheet_id, "startRowIndex": 4, "endRowIndex": 5},
    }}}]});
    let url = format!(
        "{}/v4/spreadsheets/{}:batchUpdate",
        world.google.base_url(),
        sheet.spreadsheet_id
    );
    let token = world.google.access_token(ANA, &[SPREADSHEETS]);
    let protected = world
        .http
        .post(url)
        .bearer_auth(token.expect("known"))
        .json(&protect)
        .send()
        .await;
    assert_eq!(protected.expect("sent").status(), 200);
    let session = sign_in(&world, BEN, &sheet).await;
    let ben = Writer::join(&world, &session, &sheet).await;
    switch(&world, &session, &sheet, true).await.expect("on");
    // Somebody edits a cell that Ben's panel has not heard of yet.
    world
        .google
        .edit_cell(&sheet.spreadsheet_id, sheet.sheet_id, 2, 1, 24.0)
        .expect("edited");
    let cells = [
        text(1, "t#0000ff", "#00f"),
        cell(2, "n16", WriteValue::Number(20.0)),
        cell(4, "b1", WriteValue::Boolean(false)),
        text(5, "f=B2\u{1d}t#0000ff", "#00f"),
        text(5_000, "", "far"),
    ];
    let since = now(&world);
    let results = ben.write(&world, &cells).await.expect("answered");
    assert_eq!(
        results,
        [
            WriteResult::Written,
            WriteResult::Changed,
            WriteResult::Protected,
            WriteResult::Formula,
            WriteResult::Outside,
        ]
    );
    // A range beyond the grid costs a look at its size.
    let verbs = ["getByDataFilter", "get", "getByDataFilter", "batchUpdate"];
    let statuses = [400, 200, 200, 200];
    let expected = verbs.map(str::to_owned).into_iter().zip(statuses);
    assert_eq!(asked(&world, since), expected.collect::<Vec<_>>());
    let values = shown(&world, &sheet).await;
    let light: Vec<&Value> = (1..6).map(|row| &values[row][1]).collect();
    assert_eq!(light, ["#00f", "24", "50%", "TRUE", "#00f"]);
    // A tab that is gone.
    let gone = SheetRef {
        sheet_id: 77,
        ..sheet.clone()
    };
    let writer = Writer::elected(&world, &session, &gone).await;
    switch(&world, &session, &gone, true).await.expect("on");
    assert_eq!(
        writer.write(&world, &cells[..1]).await,
        Err("404 not_found".to_owned())
    );
}

/// Between the read that the panel knows of and its write, somebody inserts a row above, or a column. What then stands at the
/// cell's place may hold the same text.
#[tokio::test]
async fn a_cell_whose_row_has_moved_is_not_written() {
    let world = World::limited(quick).await;
    let rows: &[&[&str]] = &[
        &["name", "light", "dark"],
        &["blue", "#0000ff", "#0000ff"],
        &["link", "#0000ff", "#0000ff"],
        &["gap", "16", "16"],
    ];
    let made = NewSpreadsheet::of_texts("Brand", rows);
    let made = world.google.create_spreadsheet(made).expect("made");
    let sheet = SheetRef {
        spreadsheet_id: made.spreadsheet_id,
        sheet_id: made.sheets[0].sheet_id,
    };
    let session = sign_in(&world, ANA, &sheet).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    switch(&world, &session, &sheet, true).await.expect("on");
    let insert = async |dimension: &str, at: u32| {
        let range = json!({"sheetId": sheet.sheet_id, "dimension": dimension, "startIndex": at, "endIndex": at + 1});
        let body = json!({"requests": [{"insertDimension": {"range": range}}]});
        let url = format!(
            "{}/v4/spreadsheets/{}:batchUpdate",
            world.google.base_url(),
            sheet.spreadsheet_id
        );
        let token = world.google.access_token(ANA, &[SPREADSHEETS]);
        let sent = world.http.post(url).bearer_auth(token.expect("known"));
        let reply = sent.json(&body).send().await.expect("sent");
        assert_eq!(reply.status(), 200);
    };
    insert("ROWS", 1).await;
    let edit = |row, column, value: &str| {
        let cell = CellInput::from(value);
        world
            .google
            .edit_cell(&sheet.spreadsheet_id, sheet.sheet_id, row, column, cell)
            .expect("edited");
    };
    edit(1, 0, "new");
    edit(1, 1, "#0000ff");
    // The panel means blue and link.
    let cells = [
        guarded(1, "tblue", text(1, "t#0000ff", "#00f")),
        guarded(2, "tlink", text(2, "t#0000ff", "#00f")),
        guarded(3, "tgap", cell(3, "n16", WriteValue::Number(20.0))),
    ];
    let since = now(&world);
    let moved = Ok(vec![WriteResult::Moved; 3]);
    assert_eq!(ana.write(&world, &cells).await, moved);
    // The guards are read with the cells.
    assert_eq!(asked(&world, since), [("getByDataFilter".to_owned(), 200)]);
    let light = |values: &Value| -> Vec<String> {
        let rows = (1..5).map(|row| values[row][1].as_str().unwrap_or_default().to_owned());
        rows.collect()
    };
    let untouched = ["#0000ff", "#0000ff", "#0000ff", "16"];
    assert_eq!(light(&shown(&world, &sheet).await), untouched);
    // Where they are now they are written.
    let cells = [
        guarded(2, "tblue", text(2, "t#0000ff", "#00f")),
        guarded(3, "tlink", text(3, "t#0000ff", "#00f")),
        guarded(4, "tgap", cell(4, "n16", WriteValue::Number(20.0))),
    ];
    let written = Ok(vec![WriteResult::Written; 3]);
    assert_eq!(ana.write(&world, &cells).await, written);
    let now = ["#0000ff", "#00f", "#00f", "20"];
    assert_eq!(light(&shown(&world, &sheet).await), now);
    // A column that came between is known by its header; what was repeated has moved, too.
    insert("COLUMNS", 1).await;
    assert_eq!(ana.write(&world, &cells).await, moved);
    // A guard that is beyond the grid by now.
    let far = CellWrite {
        guards: vec![CellGuard {
            row: 5_000,
            column: 0,
            holds: "tblue".to_owned(),
        }],
        ..text(2, "", "#00f")
    };
    assert_eq!(
        ana.write(&world, &[far]).await,
        Ok(vec![WriteResult::Moved])
    );
}

#[tokio::test]
async fn who_may_only_read_writes_nothing_and_is_told_why() {
    let world = World::limited(quick).await;
    let sheet = tokens(&world);
    share(&world, &sheet, BEN, Some(Role::Reader));
    let ana = sign_in(&world, ANA, &sheet).await;
    let ben = sign_in(&world, BEN, &sheet).await;
    assert_eq!(switch(&world, &ana, &sheet, true).await, Ok(true));
    let no_write = Err("403 no_write".to_owned());
    assert_eq!(switch(&world, &ben, &sheet, true).await, no_write);
    // Ana's switch is not Ben's.
    let writer = Writer::join(&world, &ben, &sheet).await;
    let cells = [text(1, "t#0000ff", "#00f")];
    let off = Err("403 two_way_off".to_owned());
    assert_eq!(writer.write(&world, &cells).await, off);
    // And what he could when he switched it on, he may not be able to do now.
    share(&world, &sheet, BEN, Some(Role::Writer));
    assert_eq!(switch(&world, &ben, &sheet, true).await, Ok(true));
    share(&world, &sheet, BEN, Some(Role::Reader));
    let written = writer.write(&world, &cells).await;
    assert_eq!(written, Err("403 no_write".to_owned()));
    assert_eq!(shown(&world, &sheet).await[1][1], "#0000ff");
}

#[tokio::test]
async fn the_scopes_decide_whether_a_relay_can_write_at_all() {
    let world = World::scoped("https://www.googleapis.com/auth/spreadsheets.readonly").await;
    let sheet = tokens(&world);
    let session = world.sign_in(&Consent::by(ANA)).await;
    let body = encode(&TwoWayRequest {
        v: VERSION,
        sheet: sheet.clone(),
        on: true,
    });
    let (status, refusal) = world.request("PUT", "/v1/two-way", &session, body).await;
    assert_eq!(code((status, refusal.clone())), "403 no_write");
    assert!(refusal.contains("Tell whoever runs the relay"), "{refusal}");

    // Without a scope of Drive's, Google is only asked by writing.
    let world = World::scoped(SPREADSHEETS).await;
    let sheet = tokens(&world);
    share(&world, &sheet, BEN, Some(Role::Reader));
    for (account, expected) in [
        (ANA, Ok(vec![WriteResult::Written])),
        (BEN, Err("403 no_write".to_owned())),
    ] {
        let session = world.sign_in(&Consent::by(account)).await;
        assert_eq!(switch(&world, &session, &sheet, true).await, Ok(true));
        let writer = Writer::join(&world, &session, &sheet).await;
        let cells = [text(1, "t#0000ff", "#00f")];
        assert_eq!(writer.write(&world, &cells).await, expected);
        // The next panel writes.
        world
            .request("DELETE", "/v1/session", &session, String::new())
            .await;
        world.edit(&sheet, "#0000ff");
    }
}

#[tokio::test]
async fn only_the_present_grant_of_the_file_writes() {
    let mut world = World::limited(quick).await;
    let sheet = tokens(&world);
    share(&world, &sheet, BEN, Some(Role::Writer));
    let session = sign_in(&world, ANA, &sheet).await;
    let ben = sign_in(&world, BEN, &sheet).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    for session in [&session, &ben] {
        switch(&world, session, &sheet, true).await.expect("on");
    }
    let cells = vec![text(1, "t#0000ff", "#00f")];
    let right = WriteRequest {
        cells: cells.clone(),
        ..ana.request.clone()
    };
    let not_writer = Err("409 not_writer".to_owned());
    let wrong = |change: fn(&mut WriteRequest)| {
        let mut request = right.clone();
        change(&mut request);
        request
    };
    for request in [
        wrong(|request| request.fence -= 1),
        wrong(|request| request.fence += 1),
        wrong(|request| request.file = "another".to_owned()),
        wrong(|request| request.panel = "another".to_owned()),
    ] {
        assert_eq!(write(&world, &session, &request).await, not_writer);
    }
    // Another user with all of it.
    assert_eq!(write(&world, &ben, &right).await, not_writer);
    // Ben's panel takes over.
    let mut socket = world
        .join_to_write(&ben, &sheet, None, Some(bid("bens")))
        .await;
    assert!(!socket.writer().await.0);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    socket
        .say(&ClientFrame::Bid {
            v: VERSION,
            bid: Bid {
                take_over: true,
                ..bid("bens")
            },
        })
        .await;
    let (you, fence) = socket.writer().await;
    assert!(you);
    assert_eq!(write(&world, &session, &right).await, not_writer);
    let of_ben = WriteRequest {
        panel: "bens".to_owned(),
        fence,
        ..right.clone()
    };
    let written = Ok(vec![WriteResult::Written]);
    assert_eq!(write(&world, &ben, &of_ben).await, written);
    // A relay that has restarted knows no grants, and still knows the switches: bid again, and write again.
    drop((ana, socket));
    world.restart().await;
    assert_eq!(write(&world, &ben, &of_ben).await, not_writer);
    let ana = Writer::join(&world, &session, &sheet).await;
    assert!(ana.request.fence > fence);
    let cells = [text(1, "t#00f", "#0f0")];
    assert_eq!(ana.write(&world, &cells).await, written);
}

/// A file that several tabs feed has one writer, elected in the room of one tab; the switch is each tab's own.
#[tokio::test]
async fn the_writer_of_a_file_writes_to_every_tab_that_feeds_it() {
    let world = World::start().await;
    let (sheet, other) = (tokens(&world), tokens(&world));
    let consent = Consent::by(ANA)
        .picking(&sheet.spreadsheet_id)
        .picking(&other.spreadsheet_id);
    let session = world.sign_in(&consent).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    let request = WriteRequest {
        sheet: other.clone(),
        cells: vec![text(1, "t#0000ff", "#00f")],
        ..ana.request.clone()
    };
    switch(&world, &session, &sheet, true).await.expect("on");
    let off = Err("403 two_way_off".to_owned());
    assert_eq!(write(&world, &session, &request).await, off);
    switch(&world, &session, &other, true).await.expect("on");
    let written = Ok(vec![WriteResult::Written]);
    assert_eq!(write(&world, &session, &request).await, written);
    assert_eq!(shown(&world, &other).await[1][1], "#00f");
}

#[tokio::test]
async fn googles_troubles_are_waited_out_and_nothing_is_written_twice() {
    let world = World::limited(quick).await;
    let sheet = tokens(&world);
    let session = sign_in(&world, ANA, &sheet).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    switch(&world, &session, &sheet, true).await.expect("on");
    let path = format!("/v4/spreadsheets/{}:", sheet.spreadsheet_id);
    let [read, batch] = ["getByDataFilter", "batchUpdate"].map(|verb| format!("{path}{verb}"));
    let status = |status| FaultKind::Status { status };
    let mut before = "#0000ff".to_owned();
    for (number, (at, kind, batches)) in [
        (&batch, status(429), 2),
        (&batch, status(503), 2),
        (&batch, FaultKind::RateLimitExceeded, 2),
        (&batch, FaultKind::Reset, 2),
        (&read, status(500), 1),
        (&read, FaultKind::Nonsense, 1),
        // These took effect: the next look sees it.
        (&batch, FaultKind::Lost, 1),
        (&batch, FaultKind::Truncate, 1),
    ]
    .into_iter()
    .enumerate()
    {
        world
            .google
            .fault(Fault::next(at, kind.clone()))
            .expect("few");
        let (since, after) = (now(&world), format!("#00000{number}"));
        let cells = [text(1, &format!("t{before}"), &after)];
        let results = ana.write(&world, &cells).await;
        assert_eq!(results, Ok(vec![WriteResult::Written]), "{kind:?}");
        let asked = asked(&world, since);
        let sent = asked
            .iter()
            .filter(|(verb, _)| verb == "batchUpdate")
            .count();
        assert_eq!(
            (asked.len() - sent, sent),
            (2, batches),
            "{kind:?} {asked:?}"
        );
        assert_eq!(shown(&world, &sheet).await[1][1], json!(after), "{kind:?}");
        before = after;
    }
    // What does not end is told in Google's words, after a bounded number of attempts.
    for (kind, code) in [
        (status(429), "429 too_many"),
        (status(500), "502 google"),
        (status(403), "403 no_write"),
        (status(401), "401 signed_out"),
    ] {
        world
            .google
            .fault(Fault::next(&batch, kind).times(100))
            .expect("few");
        let since = now(&world);
        let cells = [text(1, &format!("t{before}"), "#fff")];
        assert_eq!(ana.write(&world, &cells).await, Err(code.to_owned()));
        assert!(asked(&world, since).len() <= 8);
        world.google.clear_faults();
    }
}

#[tokio::test]
async fn signing_out_ends_it_and_forgets_the_switch() {
    let world = World::start().await;
    let sheet = tokens(&world);
    let session = sign_in(&world, ANA, &sheet).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    switch(&world, &session, &sheet, true).await.expect("on");
    world
        .request("DELETE", "/v1/session", &session, String::new())
        .await;
    let cells = [text(1, "t#0000ff", "#00f")];
    let signed_out = Err("401 signed_out".to_owned());
    assert_eq!(ana.write(&world, &cells).await, signed_out);
    let switched = switch(&world, &session, &sheet, true).await;
    assert_eq!(switched, Err("401 signed_out".to_owned()));
    let session = sign_in(&world, ANA, &sheet).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    assert_eq!(
        ana.write(&world, &cells).await,
        Err("403 two_way_off".to_owned())
    );
}

#[tokio::test]
async fn writes_to_one_sheet_wait_for_each_other() {
    let world = World::start().await;
    let sheet = tokens(&world);
    let session = sign_in(&world, ANA, &sheet).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    switch(&world, &session, &sheet, true).await.expect("on");
    let slow = FaultKind::Slow { delay_ms: 100 };
    let batch = format!("/v4/spreadsheets/{}:batchUpdate", sheet.spreadsheet_id);
    world
        .google
        .fault(Fault::next(&batch, slow).times(2))
        .expect("few");
    let since = now(&world);
    let first = [text(1, "t#0000ff", "#00f")];
    let second = [text(7, "", "new")];
    let (first, second) = tokio::join!(ana.write(&world, &first), ana.write(&world, &second));
    let written = Ok(vec![WriteResult::Written]);
    assert_eq!((first, second), (written.clone(), written));
    let verbs: Vec<String> = asked(&world, since)
        .into_iter()
        .map(|(verb, _)| verb)
        .collect();
    let one = ["getByDataFilter", "batchUpdate"];
    assert_eq!(verbs, [one, one].concat());
}

#[tokio::test]
async fn writes_are_bounded_in_size_and_number() {
    let world = World::limited(|limits| limits.writes_per_account = 2).await;
    let sheet = tokens(&world);
    let session = sign_in(&world, ANA, &sheet).await;
    let ana = Writer::join(&world, &session, &sheet).await;
    switch(&world, &session, &sheet, true).await.expect("on");
    // A large batch, in one call each way.
    let many =
        |value: &str| -> Vec<CellWrite> { (10..510).map(|row| text(row, "", value)).collect() };
    let since = now(&world);
    let results = ana.write(&world, &many(&"x".repeat(400))).await;
    assert_eq!(results, Ok(vec![WriteResult::Written; 500]));
    assert_eq!(asked(&world, since).len(), 2);
    let too_long = ana
        .write(&world, &many(&"x".repeat(WRITE_BYTES_MAX / 500)))
        .await;
    assert_eq!(too_long, Err("413 sheet_too_large".to_owned()));
    let too_many: Vec<CellWrite> = (0..501).map(|row| text(row, "", "")).collect();
    assert_eq!(
        ana.write(&world, &too_many).await,
        Err("400 bad_request".to_owned())
    );
    let (status, _) = world
        .request("POST", "/v1/write", &session, "{\"v\": 1}".to_owned())
        .await;
    assert_eq!(status, 400);
    let newer = WriteRequest {
        v: 2,
        ..ana.request.clone()
    };
    assert_eq!(
        write(&world, &session, &newer).await,
        Err("426 version".to_owned())
    );
    // Two batches a minute; a write that changes nothing is none.
    let cells = [text(1, "t#0000ff", "#00f")];
    assert_eq!(
        ana.write(&world, &cells).await,
        Ok(vec![WriteResult::Written])
    );
    assert_eq!(
        ana.write(&world, &cells).await,
        Ok(vec![WriteResult::Written])
    );
    let cells = [text(1, "t#00f", "#fff")];
    assert_eq!(
        ana.write(&world, &cells).await,
        Err("429 too_many".to_owned())
    );
}

#[tokio::test]
async fn a_column_of_plain_text_stays_text() {
    let world = World::start().await;
    let sheet = tokens(&world);
    let type_in = |value: CellInput| {
        let edited = world
            .google
            .edit_cell(&sheet.spreadsheet_id, sheet.sheet_id, 6, 1, value);
        edited.expect("edited");
    };
    type_in(CellInput::PlainText {
        text: "#ff0000".to_owned(),
    });
    let session = sign_in(&world, ANA, &sheet).await;
    let mut ana = Writer::join(&world, &session, &sheet).await;
    switch(&world, &session, &sheet, true).await.expect("on");
    let values = [
        "000000", "4/8", "1e5", "TRUE", "=1+1", "'quoted", " spaced ",
    ];
    let mut cells: Vec<CellWrite> = (6..)
        .zip(values)
        .map(|(row, value)| text(row, "", value))
        .collect();
    cells[0].before = "t#ff0000".to_owned();
    let results = ana.write(&world, &cells).await;
    assert_eq!(results, Ok(vec![WriteResult::Written; values.len()]));
    let seen = ana.socket.changes().await;
    for value in values {
        let cell = format!("t{value}\u{1e}");
        assert!(seen.contains(&cell), "{value}: {seen:?}");
    }
    // The format stays: what is typed next is a text as well.
    type_in(CellInput::from("007"));
    ana.socket.refresh().await;
    assert_eq!(ana.socket.changes().await, "6\u{1f}1\u{1f}t007\u{1e}");
}
