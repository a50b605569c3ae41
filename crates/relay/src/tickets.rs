//! Tickets: a short-lived word that stands for a user and a sheet, good for one join.
//!
//! Owns the tickets, in memory and as hashes only, and `POST /v1/tickets`. Must not know sockets. They exist since a
//! browser's WebSocket takes no `Authorization` header, and a session in an address would end up in logs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use sheetwire_core::protocol::relay::{SheetRef, TicketReply};

use crate::error::Refusal;
use crate::google_read::Caller;
use crate::live::Live;
use crate::secret::{Hash, Secret, random_token};

/// Most tickets that are good at a time.
pub const TICKETS_MAX: usize = 20_000;

/// The tickets that are good.
#[derive(Default)]
pub struct Tickets {
    good: Mutex<HashMap<Hash, Ticket>>,
}

struct Ticket {
    caller: Caller,
    sheet: SheetRef,
    until: Instant,
}

impl Tickets {
    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Ticket>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new ticket; `None` when there are too many.
    pub fn issue(
        &self,
        caller: Caller,
        sheet: SheetRef,
        life: Duration,
        now: Instant,
    ) -> Option<Secret> {
        let mut good = self.lock();
        if good.len() >= TICKETS_MAX {
            good.retain(|_, ticket| ticket.until > now);
        }
        if good.len() >= TICKETS_MAX {
            return None;
        }
        let token = random_token();
        let until = now + life;
        good.insert(
            Hash::of(token.expose().as_bytes()),
            Ticket {
                caller,
                sheet,
                until,
            },
        );
        Some(token)
    }

    /// Takes a ticket out of the world; `None` when it is unknown, used or too old.
    pub fn redeem(&self, token: &str, now: Instant) -> Option<(Caller, SheetRef)> {
        let ticket = self.lock().remove(&Hash::of(token.as_bytes()))?;
        (ticket.until > now).then_some((ticket.caller, ticket.sheet))
    }

    /// Ends the tickets of a user who signed out.
    pub fn forget(&self, user: i64) {
        self.lock().retain(|_, ticket| ticket.caller.user != user);
    }

    /// Ends what is too old.
    pub fn sweep(&self, now: Instant) {
        self.lock().retain(|_, ticket| ticket.until > now);
    }
}

/// `POST /v1/tickets`: only for a spreadsheet that Google lets the user read.
pub(crate) async fn issue(
    State(live): State<Arc<Live>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<TicketReply>, Refusal> {
    let caller = live.accounts().authenticate(&headers).await?;
    let sheet: SheetRef = serde_json::from_slice(&body)
        .map_err(|_| Refusal::bad_request("The body is no spreadsheet id and sheet id."))?;
    live.rooms()
        .check_access(caller.user, &sheet.spreadsheet_id)
        .await?;
    let life = live.rooms().limits().ticket_life;
    let ticket = live
        .tickets()
        .issue(caller, sheet, life, Instant::now())
        .ok_or_else(|| Refusal::unavailable("Too many are connecting at once."))?;
    Ok(Json(TicketReply {
        ticket: ticket.expose().to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(user: i64) -> Caller {
        Caller {
            user,
            account: String::new(),
        }
    }

    #[test]
    fn a_ticket_is_good_once_and_for_a_while() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let sheet = SheetRef {
            spreadsheet_id: "s".to_owned(),
            sheet_id: 0,
        };
        let life = Duration::from_secs(60);
        let issue = |user| {
            let ticket = tickets.issue(caller(user), sheet.clone(), life, now);
            ticket.expect("few tickets")
        };
        let ticket = issue(1);
        let redeemed = tickets.redeem(ticket.expose(), now);
        assert_eq!(redeemed, Some((caller(1), sheet.clone())));
        assert_eq!(tickets.redeem(ticket.expose(), now), None);
        assert_eq!(tickets.redeem("", now), None);
        assert_eq!(tickets.redeem(issue(1).expose(), now + life), None);
        let (hers, his) = (issue(1), issue(2));
        tickets.forget(1);
        assert_eq!(tickets.redeem(hers.expose(), now), None);
        assert!(tickets.redeem(his.expose(), now).is_some());
    }

    #[test]
    fn there_is_room_again_when_old_ones_have_ended() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let sheet = SheetRef {
            spreadsheet_id: String::new(),
            sheet_id: 0,
        };
        let life = Duration::from_secs(60);
        for _ in 0..TICKETS_MAX {
            assert!(tickets.issue(caller(1), sheet.clone(), life, now).is_some());
        }
        assert!(tickets.issue(caller(1), sheet.clone(), life, now).is_none());
        assert!(tickets.issue(caller(1), sheet, life, now + life).is_some());
    }
}
