//! The Sheets API: reading and writing, permissions, and what is refused.

use fake_google::{Edit, NewSpreadsheet, Role, Rows, RowsAt, Share};
use serde_json::{Value, json};

use crate::app::{ANA, BEN, DRIVE_FILE, SPREADSHEETS, ana, call, get, google, spreadsheet};

const TOKENS: &[&[&str]] = &[
    &["name", "light", "dark"],
    &["blue", "#00f", "=B2"],
    &["half", "50%", "=B3"],
    &["third", "4/8", ""],
    &[],
    &["last", "007", "=1/0"],
];

#[tokio::test]
async fn one_masked_read_gives_all_that_a_reader_of_cells_needs() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    let fields = "properties(title,locale),sheets(properties(sheetId,title,index),data(startRow,rowData(values(\
                  userEnteredValue/formulaValue,effectiveValue,formattedValue,effectiveFormat.numberFormat.type))))";
    let (status, reply) = get(
        &google,
        &ana(&google),
        &format!("/v4/spreadsheets/{sheet}?ranges=Tokens!A2:C&fields={fields}"),
    )
    .await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(
        reply["properties"],
        json!({"title": "Tokens", "locale": "en_US"})
    );
    assert_eq!(
        reply["sheets"][0]["properties"],
        json!({"sheetId": 0, "title": "Tokens", "index": 0})
    );
    let data = &reply["sheets"][0]["data"][0];
    assert_eq!(data["startRow"], 1);
    let rows = data["rowData"].as_array().expect("rows");
    assert_eq!(rows.len(), 5, "rows after the last filled one are left out");
    assert_eq!(
        rows[0]["values"][1],
        json!({
            "userEnteredValue": {},
            "effectiveValue": {"stringValue": "#00f"},
            "formattedValue": "#00f",
            "effectiveFormat": {}
        })
    );
    assert_eq!(
        rows[0]["values"][2]["userEnteredValue"],
        json!({"formulaValue": "=B2"})
    );
    assert_eq!(
        rows[0]["values"][2]["effectiveValue"],
        json!({"stringValue": "#00f"})
    );
    assert_eq!(
        rows[1]["values"][2]["effectiveFormat"],
        json!({"numberFormat": {"type": "PERCENT"}})
    );
    assert_eq!(
        rows[2]["values"][1]["effectiveFormat"],
        json!({"numberFormat": {"type": "DATE"}})
    );
    assert_eq!(
        rows[2]["values"].as_array().map(Vec::len),
        Some(2),
        "trailing empty cells are left out"
    );
    assert_eq!(rows[3], json!({}));
    assert_eq!(
        rows[4]["values"][1]["effectiveValue"],
        json!({"numberValue": 7.0})
    );
    assert_eq!(
        rows[4]["values"][2]["effectiveValue"]["errorValue"]["type"],
        "DIVIDE_BY_ZERO"
    );
    // Without a mask there are no cells unless asked for; with one, includeGridData does not matter.
    let bare = get(&google, &ana(&google), &format!("/v4/spreadsheets/{sheet}"))
        .await
        .1;
    assert!(bare["sheets"][0].get("data").is_none());
    let grid = get(
        &google,
        &ana(&google),
        &format!("/v4/spreadsheets/{sheet}?includeGridData=true"),
    )
    .await
    .1;
    assert!(grid["sheets"][0]["data"][0]["rowData"].is_array());
    let masked = format!("/v4/spreadsheets/{sheet}?includeGridData=true&fields=properties.title");
    assert_eq!(
        get(&google, &ana(&google), &masked).await.1,
        json!({"properties": {"title": "Tokens"}})
    );
}

#[tokio::test]
async fn values_are_rendered_as_asked() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    let token = ana(&google);
    for (query, expected) in [
        (
            "",
            json!([
                ["half", "50%", "50%"],
                ["third", "4/8"],
                [],
                ["last", "7", "#DIV/0!"]
            ]),
        ),
        (
            "valueRenderOption=UNFORMATTED_VALUE",
            json!([
                ["half", 0.5, 0.5],
                ["third", "DATE"],
                [],
                ["last", 7.0, "#DIV/0!"]
            ]),
        ),
        (
            "valueRenderOption=UNFORMATTED_VALUE&dateTimeRenderOption=FORMATTED_STRING",
            json!([
                ["half", 0.5, 0.5],
                ["third", "4/8"],
                [],
                ["last", 7.0, "#DIV/0!"]
            ]),
        ),
        (
            "valueRenderOption=FORMULA",
            json!([
                ["half", 0.5, "=B3"],
                ["third", "DATE"],
                [],
                ["last", 7.0, "=1/0"]
            ]),
        ),
        (
            "majorDimension=COLUMNS",
            json!([
                ["half", "third", "", "last"],
                ["50%", "4/8", "", "7"],
                ["50%", "", "", "#DIV/0!"]
            ]),
        ),
    ] {
        let (status, mut reply) = get(
            &google,
            &token,
            &format!("/v4/spreadsheets/{sheet}/values/Tokens!A3:C?{query}"),
        )
        .await;
        assert_eq!(status, 200, "{reply}");
        assert_eq!(reply["range"], "Tokens!A3:C1000");
        if reply["values"][1][1].is_number() {
            // The serial number depends on the year in which it was typed.
            reply["values"][1][1] = json!("DATE");
        }
        assert_eq!(reply["values"], expected, "{query}");
    }
    let empty = get(
        &google,
        &token,
        &format!("/v4/spreadsheets/{sheet}/values/F1:G9"),
    )
    .await
    .1;
    assert_eq!(
        empty,
        json!({"range": "Tokens!F1:G9", "majorDimension": "ROWS"}),
        "no values, no field"
    );
    let batch = get(
        &google,
        &token,
        &format!("/v4/spreadsheets/{sheet}/values:batchGet?ranges=A1&ranges=B2:B3"),
    )
    .await
    .1;
    assert_eq!(
        batch["valueRanges"][1]["values"],
        json!([["#00f"], ["50%"]])
    );
}

#[tokio::test]
async fn writing_types_skips_and_clears() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    let token = ana(&google);
    let path = format!("/v4/spreadsheets/{sheet}/values");
    let body = json!({"values": [["1/2", null, ""], [true, "'05", 1.5]]});
    for (option, expected) in [
        ("RAW", json!([["1/2", "#00f"], ["TRUE", "'05", "1.5"]])),
        (
            "USER_ENTERED",
            json!([["1/2", "#00f"], ["TRUE", "05", "150.00%"]]),
        ),
    ] {
        let url = format!("{path}/A2?valueInputOption={option}&includeValuesInResponse=true");
        if option == "USER_ENTERED" {
            // A typed percentage formats its cell, whatever is written there later.
            google.edit_cell(&sheet, 0, 2, 2, "5.5%").expect("edited");
        } else {
            let plain = json!({"requests": [{"repeatCell": {"range": {"sheetId": 0}, "cell": {}, "fields": "userEnteredFormat.numberFormat"}}]});
            assert_eq!(
                call(
                    &google,
                    &token,
                    "POST",
                    &format!("/v4/spreadsheets/{sheet}:batchUpdate"),
                    Some(plain)
                )
                .await
                .0,
                200
            );
        }
        let (status, reply) = call(&google, &token, "PUT", &url, Some(body.clone())).await;
        assert_eq!(status, 200, "{reply}");
        assert_eq!(reply["updatedRange"], "Tokens!A2:C3");
        assert_eq!(reply["updatedCells"], 5, "null is skipped");
        assert_eq!(reply["updatedData"]["values"], expected, "{option}");
    }
    let appended = json!({"values": [["new", "#fff"]]});
    let (_, reply) = call(
        &google,
        &token,
        "POST",
        &format!("{path}/A1:append?valueInputOption=RAW"),
        Some(appended),
    )
    .await;
    assert_eq!(
        reply["tableRange"], "Tokens!A1:C4",
        "the empty row ends the table"
    );
    assert_eq!(reply["updates"]["updatedRange"], "Tokens!A5:B5");
    let (_, reply) = call(
        &google,
        &token,
        "POST",
        &format!("{path}/B1:B3:clear"),
        Some(json!({})),
    )
    .await;
    assert_eq!(reply["clearedRange"], "Tokens!B1:B3");
    let batch = json!({"valueInputOption": "USER_ENTERED", "data": [
        {"range": "Tokens!A9:B9", "values": [["a", "=A9"]]},
        {"range": "D1:D2", "majorDimension": "COLUMNS", "values": [["x", "y"]]}
    ]});
    let (_, reply) = call(
        &google,
        &token,
        "POST",
        &format!("{path}:batchUpdate"),
        Some(batch),
    )
    .await;
    assert_eq!(
        (&reply["totalUpdatedCells"], &reply["totalUpdatedRows"]),
        (&json!(4), &json!(3))
    );
    let (_, reply) = get(&google, &token, &format!("{path}/B9")).await;
    assert_eq!(reply["values"], json!([["a"]]));
}

#[tokio::test]
async fn what_google_refuses_is_refused() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    let token = ana(&google);
    let path = format!("/v4/spreadsheets/{sheet}");
    let values = |values: Value| Some(json!({"values": values}));
    for (method, path, body, status, sentence) in [
        (
            "GET",
            format!("{path}/values/Nowhere!A1"),
            None,
            400,
            "Unable to parse range: Nowhere!A1",
        ),
        (
            "GET",
            format!("{path}/values/A2000"),
            None,
            400,
            "exceeds grid limits",
        ),
        (
            "GET",
            format!("{path}?fields=nothing"),
            None,
            400,
            "Invalid field selection nothing",
        ),
        (
            "GET",
            format!("{path}?fields=sheets(data"),
            None,
            400,
            "Invalid field selection",
        ),
        (
            "GET",
            format!("{path}?colour=red"),
            None,
            400,
            "Unknown name \"colour\"",
        ),
        (
            "PUT",
            format!("{path}/values/A1"),
            values(json!([[1]])),
            400,
            "'valueInputOption' is required",
        ),
        (
            "PUT",
            format!("{path}/values/A1:B1?valueInputOption=RAW"),
            values(json!([[1], [2]])),
            400,
            "tried writing to row [2]",
        ),
        (
            "PUT",
            format!("{path}/values/A1?valueInputOption=RAW"),
            Some(json!({"valuess": []})),
            400,
            "Unknown name \"valuess\"",
        ),
        (
            "POST",
            format!("{path}:batchUpdate"),
            Some(json!({"requests": []})),
            400,
            "at least one request",
        ),
        (
            "POST",
            format!("{path}:batchUpdate"),
            Some(json!({"requests": [{"deleteSheet": {"sheetId": 0}}]})),
            400,
            "remove all the sheets",
        ),
        (
            "POST",
            format!("{path}:batchUpdate"),
            Some(json!({"requests": [{"deleteSheet": {"sheetId": 9}}]})),
            400,
            "No sheet with id: 9",
        ),
        (
            "GET",
            "/v4/spreadsheets/unknown".to_owned(),
            None,
            404,
            "Requested entity was not found.",
        ),
    ] {
        let (found, reply) = call(&google, &token, method, &path, body).await;
        let message = reply["error"]["message"].as_str().unwrap_or("");
        assert_eq!(found, status, "{method} {path}: {message}");
        assert!(message.contains(sentence), "{method} {path}: {message}");
        assert_eq!(reply["error"]["code"], status);
    }
    let url = format!("{}{path}", google.base_url());
    let anonymous = reqwest::Client::new()
        .get(&url)
        .send()
        .await
        .expect("answered");
    assert_eq!(anonymous.status(), 403);
    let (status, _) = get(&google, "ya29.wrong", &path).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn roles_and_scopes_decide_who_may_do_what() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    let path = format!("/v4/spreadsheets/{sheet}");
    let write = format!("{path}/values/A1?valueInputOption=RAW");
    let body = Some(json!({"values": [["x"]]}));
    let ben = google.access_token(BEN, &[SPREADSHEETS]).expect("known");
    let share = |role| {
        google.share(Share {
            spreadsheet_id: sheet.clone(),
            account: BEN.to_owned(),
            role,
        })
    };
    for (role, reads, writes) in [
        (None, 403, 403),
        (Some(Role::Reader), 200, 403),
        (Some(Role::Writer), 200, 200),
    ] {
        share(role).expect("shared");
        assert_eq!(get(&google, &ben, &path).await.0, reads, "{role:?}");
        assert_eq!(
            call(&google, &ben, "PUT", &write, body.clone()).await.0,
            writes,
            "{role:?}"
        );
    }
    let readonly = google
        .access_token(
            ANA,
            &["https://www.googleapis.com/auth/spreadsheets.readonly"],
        )
        .expect("known");
    assert_eq!(get(&google, &readonly, &path).await.0, 200);
    let (status, reply) = call(&google, &readonly, "PUT", &write, body.clone()).await;
    assert_eq!(
        (status, &reply["error"]["details"][0]["reason"]),
        (403, &json!("ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
    );
    let narrow = google.access_token(ANA, &[DRIVE_FILE]).expect("known");
    assert_eq!(get(&google, &narrow, &path).await.0, 403, "not picked");
    let made = call(
        &google,
        &narrow,
        "POST",
        "/v4/spreadsheets",
        Some(json!({"properties": {"title": "Mine"}})),
    )
    .await
    .1;
    let made = format!(
        "/v4/spreadsheets/{}",
        made["spreadsheetId"].as_str().expect("an id")
    );
    assert_eq!(
        get(&google, &narrow, &made).await.0,
        200,
        "what the app made, it may open"
    );
}

#[tokio::test]
async fn batches_change_tabs_rows_and_formats_or_nothing() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    let token = ana(&google);
    let path = format!("/v4/spreadsheets/{sheet}");
    let batch = json!({"requests": [
        {"addSheet": {"properties": {"title": "My tab", "sheetId": 7, "index": 0}}},
        {"updateCells": {"start": {"sheetId": 7}, "fields": "userEnteredValue", "rows": [{"values": [
            {"userEnteredValue": {"formulaValue": "=Tokens!B2"}}, {"userEnteredValue": {"stringValue": "4/8"}}]}]}},
        {"insertDimension": {"range": {"sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 3}}},
        {"updateSheetProperties": {"properties": {"sheetId": 0, "title": "Renamed"}, "fields": "title"}},
        {"mergeCells": {"range": {"sheetId": 0, "startRowIndex": 0, "endRowIndex": 1, "startColumnIndex": 1, "endColumnIndex": 3}, "mergeType": "MERGE_ALL"}}
    ]});
    let (status, reply) = call(
        &google,
        &token,
        "POST",
        &format!("{path}:batchUpdate"),
        Some(batch),
    )
    .await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(reply["replies"][0]["addSheet"]["properties"]["sheetId"], 7);
    let (_, reply) = get(
        &google,
        &token,
        &format!("{path}/values/'My tab'!A1:B1?valueRenderOption=FORMULA"),
    )
    .await;
    assert_eq!(
        reply["values"],
        json!([["=Renamed!B4", "4/8"]]),
        "the formula followed the rows and the title"
    );
    let (_, reply) = get(
        &google,
        &token,
        &format!("{path}?fields=sheets(properties(title,index),merges)"),
    )
    .await;
    assert_eq!(
        reply["sheets"][0]["properties"],
        json!({"title": "My tab", "index": 0})
    );
    assert_eq!(reply["sheets"][1]["merges"][0]["endColumnIndex"], 3);
    let half = json!({"requests": [{"addSheet": {"properties": {"title": "Half"}}}, {"deleteSheet": {"sheetId": 99}}]});
    assert_eq!(
        call(
            &google,
            &token,
            "POST",
            &format!("{path}:batchUpdate"),
            Some(half)
        )
        .await
        .0,
        400
    );
    let (_, reply) = get(
        &google,
        &token,
        &format!("{path}?fields=sheets.properties.title"),
    )
    .await;
    assert_eq!(
        reply["sheets"].as_array().map(Vec::len),
        Some(2),
        "nothing of a refused batch is done"
    );
}

#[tokio::test]
async fn the_control_edits_as_a_person_does() {
    let google = google().await;
    let german = NewSpreadsheet {
        locale: Some("de_DE".to_owned()),
        ..NewSpreadsheet::of_texts("Farben", &[&["1,5", "50 %", "1.234"]])
    };
    let sheet = google
        .create_spreadsheet(german)
        .expect("made")
        .spreadsheet_id;
    let edit: Edit =
        serde_json::from_value(json!({"spreadsheetId": sheet, "sheetId": 0, "cells": [
            {"row": 1, "column": 0, "value": {"text": "007"}},
            {"row": 1, "column": 1, "value": 2.5},
            {"row": 1, "column": 2, "value": true},
            {"row": 1, "column": 3, "value": "=SUM(A1;B2)"},
            {"row": 0, "column": 2, "value": null}
        ]}))
        .expect("the documented shape");
    google.edit(edit).expect("edited");
    let values = |reply: Value| reply["values"].clone();
    let path = format!("/v4/spreadsheets/{sheet}/values/A1:D5");
    let (_, reply) = get(&google, &ana(&google), &path).await;
    assert_eq!(
        values(reply),
        json!([["1,5", "50%"], ["007", "2,5", "WAHR", "4"]])
    );
    let rows = |insert, delete| Rows {
        spreadsheet_id: sheet.clone(),
        sheet_id: 0,
        insert,
        delete,
    };
    let typed = vec![vec!["neu".into()]];
    google
        .rows(rows(
            Some(RowsAt {
                at: 1,
                count: 0,
                rows: typed,
            }),
            None,
        ))
        .expect("inserted");
    google
        .rows(rows(
            None,
            Some(RowsAt {
                at: 0,
                count: 1,
                rows: Vec::new(),
            }),
        ))
        .expect("deleted");
    let (_, reply) = get(
        &google,
        &ana(&google),
        &format!("{path}?valueRenderOption=FORMULA"),
    )
    .await;
    assert_eq!(
        values(reply),
        json!([["neu"], ["007", 2.5, true, "=SUM(#REF!;B2)"]])
    );
    assert!(google.edit_cell(&sheet, 0, 5_000, 0, "x").is_err());
    assert!(google.edit_cell(&sheet, 4, 0, 0, "x").is_err());
    assert!(google.edit_cell("unknown", 0, 0, 0, "x").is_err());
}

/// Nobody but its editors and the file's owner writes into a protected range, by whatever call, and all of a batch is
/// refused with one of its cells.
#[tokio::test]
async fn protected_ranges_keep_others_out() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    google
        .share(Share {
            spreadsheet_id: sheet.clone(),
            account: BEN.to_owned(),
            role: Some(Role::Writer),
        })
        .expect("shared");
    let (ana, ben) = (
        ana(&google),
        google.access_token(BEN, &[SPREADSHEETS]).expect("known"),
    );
    let path = format!("/v4/spreadsheets/{sheet}");
    let batch = format!("{path}:batchUpdate");
    // B2 and below, but B4.
    let protect = json!({"requests": [
        {"addProtectedRange": {"protectedRange": {
            "range": {"startRowIndex": 1, "startColumnIndex": 1, "endColumnIndex": 2},
            "unprotectedRanges": [{"startRowIndex": 3, "endRowIndex": 4, "startColumnIndex": 1, "endColumnIndex": 2}],
        }}},
        {"addProtectedRange": {"protectedRange": {"range": {}, "warningOnly": true}}},
    ]});
    let (status, reply) = call(&google, &ana, "POST", &batch, Some(protect)).await;
    assert_eq!(status, 200, "{reply}");
    let write = |cells: &[(u32, u32)]| {
        let requests = cells.iter().map(|(row, column)| {
            json!({"updateCells": {
                "start": {"rowIndex": row, "columnIndex": column},
                "rows": [{"values": [{"userEnteredValue": {"stringValue": "new"}}]}],
                "fields": "userEnteredValue",
            }})
        });
        json!({"requests": requests.collect::<Vec<_>>()})
    };
    let (status, error) = call(
        &google,
        &ben,
        "POST",
        &batch,
        Some(write(&[(0, 0), (2, 1)])),
    )
    .await;
    let message = error["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(status, 400);
    assert!(
        message.starts_with(
            "Invalid requests[1].updateCells: You are trying to edit a protected cell"
        ),
        "{message}"
    );
    let value = format!("{path}/values/B3?valueInputOption=RAW");
    let body = json!({"values": [["new"]]});
    assert_eq!(call(&google, &ben, "PUT", &value, Some(body)).await.0, 400);
    let (_, read) = get(&google, &ben, &format!("{path}/values/A1:B3")).await;
    assert_eq!(
        read["values"],
        json!([["name", "light"], ["blue", "#00f"], ["half", "50%"]])
    );
    for (token, cell) in [(&ben, (3, 1)), (&ben, (2, 2)), (&ana, (2, 1))] {
        assert_eq!(
            call(&google, token, "POST", &batch, Some(write(&[cell])))
                .await
                .0,
            200
        );
    }
    // Each is told what concerns it, and the range moves with its rows.
    google
        .rows(Rows {
            spreadsheet_id: sheet.clone(),
            sheet_id: 0,
            insert: Some(RowsAt {
                at: 0,
                count: 2,
                rows: Vec::new(),
            }),
            delete: None,
        })
        .expect("put in");
    let query = "?fields=sheets(protectedRanges(range,unprotectedRanges,requestingUserCanEdit))";
    for (token, may_edit) in [(&ana, json!(true)), (&ben, Value::Null)] {
        let (_, seen) = get(&google, token, &format!("{path}{query}")).await;
        let seen = &seen["sheets"][0]["protectedRanges"][0];
        assert_eq!(
            seen["range"],
            json!({"sheetId": 0, "startRowIndex": 3, "startColumnIndex": 1, "endColumnIndex": 2})
        );
        assert_eq!(seen["unprotectedRanges"][0]["startRowIndex"], 5);
        assert_eq!(seen["requestingUserCanEdit"], may_edit);
    }
}

#[tokio::test]
async fn data_filters_read_ranges_by_the_sheets_id() {
    let google = google().await;
    let sheet = spreadsheet(&google, TOKENS);
    let path = format!(
        "/v4/spreadsheets/{sheet}:getByDataFilter?fields=sheets(properties(sheetId,title),data(startRow,startColumn,rowData(values(formattedValue))))"
    );
    let cell = |row: u32, column: u32| {
        json!({"gridRange": {"sheetId": 0, "startRowIndex": row, "endRowIndex": row + 1,
            "startColumnIndex": column, "endColumnIndex": column + 1}})
    };
    let filters = json!({"dataFilters": [cell(1, 1), cell(4, 1), cell(5, 2)]});
    let (status, reply) = call(&google, &ana(&google), "POST", &path, Some(filters)).await;
    assert_eq!(status, 200, "{reply}");
    let shown = |text: &str| json!([{"values": [{"formattedValue": text}]}]);
    assert_eq!(
        reply["sheets"],
        json!([{
            "properties": {"sheetId": 0, "title": "Tokens"},
            "data": [
                {"startRow": 1, "startColumn": 1, "rowData": shown("#00f")},
                {"startRow": 4, "startColumn": 1},
                {"startRow": 5, "startColumn": 2, "rowData": shown("#DIV/0!")},
            ],
        }])
    );
    for (filter, status) in [
        (cell(1000, 0), 400),
        (cell(0, 26), 400),
        (json!({"gridRange": {"sheetId": 7}}), 400),
        (json!({"developerMetadataLookup": {}}), 501),
    ] {
        let filters = json!({"dataFilters": [filter]});
        let (found, error) = call(&google, &ana(&google), "POST", &path, Some(filters)).await;
        assert_eq!(found, status, "{error}");
    }
    // It is a read of the quota, but needs a scope that may write.
    assert_eq!(google.state().quota.writes, 0);
    let readonly = "https://www.googleapis.com/auth/spreadsheets.readonly";
    let reader = google.access_token(ANA, &[readonly]).expect("known");
    let filters = json!({"dataFilters": [cell(1, 1)]});
    assert_eq!(
        call(&google, &reader, "POST", &path, Some(filters)).await.0,
        403
    );
}
