//! Notification channels: `files.watch`, the notices on them, and `channels.stop`.
//!
//! Owns the channels, their lives and the queue of notices. Must not know how notices are sent.
//! Source: <https://developers.google.com/workspace/drive/api/guides/push>.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::{self, DAY_MS};
use crate::error::ApiError;
use crate::sheets::requests::integer;

/// Life of a channel for which none was asked.
pub(crate) const LIFE_MS_DEFAULT: u64 = 3_600_000;
/// The longest life.
pub(crate) const LIFE_MS_MAX: u64 = DAY_MS;
/// The most open channels.
pub(crate) const CHANNELS_MAX: usize = 1_000;
/// The most notices that wait; more are dropped, as Google promises no delivery.
pub(crate) const NOTICES_MAX: usize = 10_000;
/// The most attempts to deliver a notice.
pub(crate) const ATTEMPTS_MAX: u32 = 6;
/// Wait before the second attempt; it doubles with each further one.
pub(crate) const RETRY_MS: u64 = 1_000;

/// An open channel.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) resource_id: String,
    pub(crate) resource_uri: String,
    pub(crate) file_id: String,
    pub(crate) address: String,
    pub(crate) token: Option<String>,
    pub(crate) expires_ms: u64,
    pub(crate) account: String,
    pub(crate) project: String,
    next_number: u64,
}

/// A channel as `GET /control/state` tells it: without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelState {
    /// The id that the watcher gave it.
    pub id: String,
    /// The watched file.
    pub file_id: String,
    /// When it ends; Unix time in milliseconds.
    pub expires_unix_ms: u64,
    /// Notices that were sent on it, retries counted once.
    pub sent: u64,
}

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceState {
    /// The channel is open.
    Sync,
    /// The contents changed.
    Update,
}

/// A notice that waits for its time.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) channel_id: String,
    pub(crate) state: ResourceState,
    pub(crate) due_ms: u64,
    pub(crate) attempt: u32,
    /// Given when first sent.
    number: Option<u64>,
}

/// A notice as it goes out.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) address: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) notice: Notice,
}

/// All channels and waiting notices.
#[derive(Default)]
pub(crate) struct Channels {
    open: BTreeMap<String, (Channel, u64)>,
    waiting: Vec<Notice>,
}

impl Channels {
    /// Opens a channel as the body of `files.watch` asks; its `sync` notice is due at once.
    pub(crate) fn open(
        &mut self,
        body: &Value,
        file_id: &str,
        base_url: &str,
        account: &str,
        project: &str,
        now_ms: u64,
    ) -> Result<Value, ApiError> {
        self.end_expired(now_ms);
        let text = |name: &str| {
            body.get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let id = text("id").ok_or_else(|| ApiError::invalid("Required: Channel ID"))?;
        if id.len() > 64 {
            return Err(ApiError::invalid(
                "Channel id must be at most 64 characters.",
            ));
        }
        if !matches!(text("type"), Some("web_hook" | "webhook")) {
            return Err(ApiError::invalid("Unknown channel type."));
        }
        let address =
            text("address").ok_or_else(|| ApiError::invalid("Required: Channel address"))?;
        let parsed = url::Url::parse(address).map_err(|_| {
            ApiError::channel(
                "webhookUrlUnsupported",
                format!("Invalid WebHook address: {address}"),
            )
        })?;
        // Google takes nothing but HTTPS with a trusted certificate. On this machine there is none, so plain HTTP
        // is taken to loopback, and only there.
        let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && loopback) {
            return Err(ApiError::channel(
                "webhookUrlNotHttps",
                format!("WebHook callback must be HTTPS: {address}"),
            ));
        }
        if text("token").is_some_and(|token| token.len() > 256) {
            return Err(ApiError::invalid(
                "Channel token must be at most 256 characters.",
            ));
        }
        if self.open.contains_key(id) {
            return Err(ApiError::channel(
                "channelIdNotUnique",
                format!("Channel id {id} not unique"),
            ));
        }
        if self.open.len() >= CHANNELS_MAX {
            return Err(ApiError::too_many_requests());
        }
        let expires_ms = match body
            .get("expiration")
            .and_then(integer)
            .and_then(|at| u64::try_from(at).ok())
        {
            Some(at) if at <= now_ms => {
                return Err(ApiError::invalid(
                    "Channel expiration must be in the future.",
                ));
            }
            Some(at) => at.min(now_ms + LIFE_MS_MAX),
            None => now_ms + LIFE_MS_DEFAULT,
        };
        let channel = Channel {
            id: id.to_owned(),
            resource_id: crate::oauth::random_text(27),
            resource_uri: format!("{base_url}/drive/v3/files/{file_id}?alt=json"),
            file_id: file_id.to_owned(),
            address: address.to_owned(),
            token: text("token").map(str::to_owned),
            expires_ms,
            account: account.to_owned(),
            project: project.to_owned(),
            next_number: 1,
        };
        let mut reply = json!({
            "kind": "api#channel",
            "id": channel.id,
            "resourceId": channel.resource_id,
            "resourceUri": channel.resource_uri,
            "expiration": expires_ms.to_string(),
        });
        if let Some(token) = &channel.token {
            reply["token"] = json!(token);
        }
        self.queue(Notice {
            channel_id: id.to_owned(),
            state: ResourceState::Sync,
            due_ms: now_ms,
            attempt: 0,
            number: None,
        });
        self.open.insert(id.to_owned(), (channel, 0));
        Ok(reply)
    }

    /// Ends a channel; both ids must fit, and the caller must be who opened it.
    pub(crate) fn stop(
        &mut self,
        body: &Value,
        account: &str,
        project: &str,
        now_ms: u64,
    ) -> Result<(), ApiError> {
        self.end_expired(now_ms);
        let id = body.get("id").and_then(Value::as_str).unwrap_or("");
        let resource_id = body.get("resourceId").and_then(Value::as_str).unwrap_or("");
        let known = self.open.get(id).is_some_and(|(channel, _)| {
            channel.resource_id == resource_id
                && channel.account == account
                && channel.project == project
        });
        if !known {
            let message = format!("Channel '{id}' not found for project '{project}'");
            return Err(ApiError::channel("channelUnknown", message));
        }
        self.open.remove(id);
        self.waiting.retain(|notice| notice.channel_id != id);
        Ok(())
    }

    fn end_expired(&mut self, now_ms: u64) {
        self.open
            .retain(|_, (channel, _)| channel.expires_ms > now_ms);
        let open = &self.open;
        self.waiting
            .retain(|notice| open.contains_key(&notice.channel_id));
    }

    fn queue(&mut self, notice: Notice) {
        if self.waiting.len() < NOTICES_MAX {
            self.waiting.push(notice);
        }
    }

    /// Queues a notice to every channel of a file; changes that come while one waits are told with it.
    pub(crate) fn file_changed(&mut self, file_id: &str, now_ms: u64, delay_ms: u64) {
        self.end_expired(now_ms);
        let watching: Vec<String> = self
            .open
            .values()
            .filter(|(channel, _)| channel.file_id == file_id)
            .map(|(channel, _)| channel.id.clone())
            .collect();
        for channel_id in watching {
            let waits = self.waiting.iter().any(|notice| {
                notice.channel_id == channel_id
                    && notice.state == ResourceState::Update
                    && notice.attempt == 0
            });
            if !waits {
                let state = ResourceState::Update;
                self.queue(Notice {
                    channel_id,
                    state,
                    due_ms: now_ms + delay_ms,
                    attempt: 0,
                    number: None,
                });
            }
        }
    }

    /// Takes the notices whose time has come.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<Delivery> {
        self.end_expired(now_ms);
        let waiting = std::mem::take(&mut self.waiting);
        let (due, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|notice| notice.due_ms <= now_ms);
        self.waiting = later;
        due.into_iter()
            .filter_map(|notice| self.delivery(notice))
            .collect()
    }

    fn delivery(&mut self, mut notice: Notice) -> Option<Delivery> {
        let (channel, sent) = self.open.get_mut(&notice.channel_id)?;
        let number = *notice.number.get_or_insert_with(|| {
            let number = channel.next_number;
            // `sync` is always 1; later numbers rise, but not by one.
            channel.next_number += 1 + u64::from(rand::random::<u8>() % 8);
            *sent += 1;
            number
        });
        let state = match notice.state {
            ResourceState::Sync => "sync",
            ResourceState::Update => "update",
        };
        let mut headers = vec![
            ("x-goog-channel-id", channel.id.clone()),
            (
                "x-goog-channel-expiration",
                clock::http_date(channel.expires_ms),
            ),
            ("x-goog-message-number", number.to_string()),
            ("x-goog-resource-id", channel.resource_id.clone()),
            ("x-goog-resource-state", state.to_owned()),
            ("x-goog-resource-uri", channel.resource_uri.clone()),
        ];
        if notice.state == ResourceState::Update {
            headers.push(("x-goog-changed", "content,properties".to_owned()));
        }
        if let Some(token) = &channel.token {
            headers.push(("x-goog-channel-token", token.clone()));
        }
        Some(Delivery {
            address: channel.address.clone(),
            headers,
            notice,
        })
    }

    /// Queues a notice again that was answered with 5xx; Google backs off exponentially.
    pub(crate) fn retry(&mut self, mut notice: Notice, now_ms: u64) {
        notice.attempt += 1;
        if notice.attempt < ATTEMPTS_MAX && self.open.contains_key(&notice.channel_id) {
            notice.due_ms = now_ms + (RETRY_MS << (notice.attempt - 1));
            self.queue(notice);
        }
    }

    /// When the next notice is due.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.waiting.iter().map(|notice| notice.due_ms).min()
    }

    /// The open channels.
    pub(crate) fn states(&mut self, now_ms: u64) -> Vec<ChannelState> {
        self.end_expired(now_ms);
        self.open
            .values()
            .map(|(channel, sent)| ChannelState {
                id: channel.id.clone(),
                file_id: channel.file_id.clone(),
                expires_unix_ms: channel.expires_ms,
                sent: *sent,
            })
            .collect()
    }
}
