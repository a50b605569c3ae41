//! What one client follows: a place in the room of each of its tabs, heard as one.
//!
//! Owns which tab the frames are of that were sent last, and telling when that changes. Must not know sockets or polls.

use std::pin::pin;

use axum::extract::ws::Utf8Bytes;
use futures_util::future::select_all;
use sheetwire_core::protocol::relay::{RelayFrame, VERSION, encode};

use crate::room::Delivery;
use crate::watch::Membership;

/// At least one place; the first is where the writer is elected.
pub struct Followed {
    places: Vec<Membership>,
    /// Whose frames come at present.
    at: usize,
}

impl Followed {
    /// Of at least one place.
    pub fn new(places: Vec<Membership>) -> Followed {
        assert!(!places.is_empty(), "who follows, follows something");
        Followed { places, at: 0 }
    }

    /// The place in whose room the writer is elected.
    pub fn writing(&self) -> &Membership {
        &self.places[0]
    }

    /// All places.
    pub fn places_mut(&mut self) -> &mut [Membership] {
        &mut self.places
    }

    /// Asks for a read of every tab now.
    pub fn refresh(&self) {
        for place in &self.places {
            place.refresh();
        }
    }

    /// What to take first, tab after tab.
    pub fn first(&mut self) -> Vec<Utf8Bytes> {
        let mut frames = Vec::new();
        for at in 0..self.places.len() {
            let first = std::mem::take(&mut self.places[at].first);
            if !first.is_empty() {
                frames.extend(self.turn_to(at));
                frames.extend(first);
            }
        }
        frames
    }

    /// The frame that says whose frames follow, where these are not of the tab of the last ones.
    pub fn turn_to(&mut self, at: usize) -> Option<Utf8Bytes> {
        let turns = std::mem::replace(&mut self.at, at) != at;
        turns.then(|| Utf8Bytes::from(encode(&RelayFrame::Source { v: VERSION, at })))
    }

    /// Waits for the next delivery, and tells of which tab it is. Cancelling loses nothing.
    pub async fn next(&mut self) -> (usize, Delivery) {
        if let [only] = &mut self.places[..] {
            return (0, only.next().await);
        }
        let places = self.places.iter_mut();
        let waits = places.map(|place| Box::pin(place.next()));
        let (delivery, at, _) = pin!(select_all(waits)).await;
        (at, delivery)
    }
}
