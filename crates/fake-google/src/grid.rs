//! The grid page: a spreadsheet to look at and edit in the browser.
//!
//! Owns the page's addresses. Edits go through `/control/edit` and `/control/rows`. Must not know the model's
//! rules.

use std::convert::Infallible;

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::server::Google;
use crate::sheets::reply;
use crate::world::GridEvent;

/// `/grid/…`
pub(crate) fn routes() -> Router<Google> {
    Router::new()
        .route("/grid/{id}", get(page))
        .route("/grid/{id}/", get(page))
        .route("/grid/{id}/sheet", get(sheet))
        .route("/grid/{id}/events", get(events))
        .route(
            "/static/grid.js",
            get(async || script(include_str!("../static/grid.js"))),
        )
        .route(
            "/static/grid.css",
            get(async || style(include_str!("../static/grid.css"))),
        )
}

fn script(text: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
        .into_response()
}

fn style(text: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/css; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
        .into_response()
}

async fn page(State(google): State<Google>, Path(id): Path<String>) -> Response {
    if google.world().files.contains_key(&id) {
        Html(include_str!("../static/grid.html")).into_response()
    } else {
        (
            StatusCode::NOT_FOUND,
            Html("<!doctype html><title>Not found</title><p>There is no such spreadsheet."),
        )
            .into_response()
    }
}

#[derive(Deserialize)]
struct Which {
    gid: Option<i64>,
}

/// One sheet, whole: titles, size, merges and cells.
async fn sheet(
    State(google): State<Google>,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    let world = google.world();
    let Some(file) = world.files.get(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let spreadsheet = &file.spreadsheet;
    let index = match which.gid {
        Some(gid) => spreadsheet.index_of(gid),
        None => Some(0),
    };
    // A sheet that is gone shows the first one.
    let index = index.unwrap_or(0);
    let Some(sheet) = spreadsheet.sheets.get(index) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let rows: Vec<Vec<Value>> = (0..sheet.touched_rows())
        .map(|row| {
            let length = sheet.row_length(row, |cell| !cell.is_empty());
            (0..length)
                .map(|column| reply::grid_cell(spreadsheet, sheet.cell(row, column)))
                .collect()
        })
        .collect();
    let sheets: Vec<Value> = spreadsheet
        .sheets
        .iter()
        .filter(|sheet| !sheet.hidden)
        .map(|sheet| json!({"sheetId": sheet.sheet_id, "title": sheet.title}))
        .collect();
    let merges: Vec<[u32; 4]> = sheet
        .merges
        .iter()
        .map(|m| [m.row, m.column, m.row_end, m.column_end])
        .collect();
    Json(json!({
        "title": spreadsheet.title,
        "locale": spreadsheet.locale.name,
        "sheets": sheets,
        "sheetId": sheet.sheet_id,
        "rowCount": sheet.rows,
        "columnCount": sheet.columns,
        "merges": merges,
        "revision": file.revision,
        "rows": rows,
    }))
    .into_response()
}

/// Changes as they happen (server-sent events).
async fn events(
    State(google): State<Google>,
    Path(id): Path<String>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = google.events();
    let stopping = google.stopping();
    let stream = futures_util::stream::unfold(
        (receiver, stopping, id),
        async |(mut receiver, mut stopping, id)| {
            loop {
                let event = tokio::select! {
                    event = receiver.recv() => event,
                    _ = stopping.wait_for(|stop| *stop) => return None,
                };
                let data = match event {
                    Ok(event) if event.spreadsheet_id() != id => continue,
                    Ok(GridEvent::Cells {
                        sheet_id,
                        revision,
                        cells,
                        ..
                    }) => {
                        json!({"sheetId": sheet_id, "revision": revision, "cells": cells})
                    }
                    Ok(GridEvent::Structure { revision, .. }) => json!({"revision": revision}),
                    // Too slow to follow: read everything again.
                    Err(RecvError::Lagged(_)) => json!({}),
                    Err(RecvError::Closed) => return None,
                };
                return Some((
                    Ok(Event::default().data(data.to_string())),
                    (receiver, stopping, id),
                ));
            }
        },
    );
    Sse::new(stream).keep_alive(KeepAlive::default())
}
