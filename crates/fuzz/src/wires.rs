//! Targets of the wires' decoders.
//!
//! Owns the list of messages. Must not know what a message does. What decodes is encoded and decoded to the same, and an
//! error never repeats what it could not read.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sheetwire_core::protocol::{panel, relay};

use crate::{choice, text};

fn round_trip<T: Serialize + DeserializeOwned>(said: &str) {
    if let Ok(message) = serde_json::from_str::<T>(said) {
        let once = serde_json::to_string(&message).expect("messages encode");
        let back: T = serde_json::from_str(&once)
            .unwrap_or_else(|error| panic!("{once} is not read back: {error}"));
        assert_eq!(serde_json::to_string(&back).expect("messages encode"), once);
    }
}

/// Both directions of the panel wire. The sandbox's own writer says what serde says.
pub(crate) fn panel(input: &[u8]) {
    let said = text(input);
    round_trip::<panel::ToSandbox>(&said);
    round_trip::<panel::ToPanel>(&said);
    if let Ok(message) = serde_json::from_str::<panel::ToPanel>(&said) {
        let by_hand = panel::json::message(&message);
        let by_hand: serde_json::Value =
            serde_json::from_str(&by_hand).unwrap_or_else(|error| panic!("{by_hand}: {error}"));
        let by_serde = serde_json::to_value(&message).expect("messages encode");
        assert_eq!(by_hand, by_serde);
    }
}

/// Both directions of the live wire.
pub(crate) fn live(input: &[u8]) {
    fn frame<T: Serialize + DeserializeOwned>(said: &str) {
        match relay::decode::<T>(said) {
            Ok(frame) => {
                let once = relay::encode(&frame);
                let Ok(back) = relay::decode::<T>(&once) else {
                    panic!("{once} is not read back");
                };
                assert_eq!(relay::encode(&back), once);
            }
            Err(error) => {
                let told = error.to_string();
                assert!(
                    said.len() < 8 || !told.contains(said),
                    "an error repeats its input"
                );
            }
        }
    }
    let said = text(input);
    frame::<relay::ClientFrame>(&said);
    frame::<relay::RelayFrame>(&said);
}

/// The bodies of requests and replies.
pub(crate) fn http(input: &[u8]) {
    const BODIES: [fn(&str); 14] = [
        round_trip::<relay::ApiError>,
        round_trip::<relay::SignInRequest>,
        round_trip::<relay::SignInReply>,
        round_trip::<relay::RedeemRequest>,
        round_trip::<relay::SessionReply>,
        round_trip::<relay::SpreadsheetList>,
        round_trip::<relay::Spreadsheet>,
        round_trip::<relay::TicketReply>,
        round_trip::<relay::PollRequest>,
        round_trip::<relay::PollReply>,
        round_trip::<relay::TwoWayRequest>,
        round_trip::<relay::TwoWayReply>,
        round_trip::<relay::WriteRequest>,
        round_trip::<relay::WriteReply>,
    ];
    let (body, rest) = choice(input);
    BODIES[body % BODIES.len()](&text(rest));
}
