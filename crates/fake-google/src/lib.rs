//! Fake Google: a stand-in for Google's OAuth, Sheets v4 and Drive v3 on one loopback origin, with an editable
//! grid page, a clock that tests set, and faults that tests ask for.
//!
//! Owns the service and its control. Must not know Sheetwire: what it answers is what Google's documents and
//! discovery documents say, and `tests/python` holds it to them.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use fake_google::{FakeGoogle, NewSpreadsheet};
//!
//! let google = FakeGoogle::start().await?;
//! let made = google.create_spreadsheet(NewSpreadsheet::of_texts("Tokens", &[&["name", "light"], &["blue", "#00f"]]))?;
//! google.edit_cell(&made.spreadsheet_id, made.sheets[0].sheet_id, 1, 1, "#0000ff")?;
//! let token = google.access_token("ana@example.com", &["https://www.googleapis.com/auth/spreadsheets"])?;
//! // GET {google.base_url()}/v4/spreadsheets/{made.spreadsheet_id} with `Authorization: Bearer {token}`
//! # Ok(())
//! # }
//! ```

mod clock;
mod control;
mod discovery;
mod drive;
mod error;
mod fault;
mod field_mask;
mod grid;
mod journal;
mod oauth;
mod quota;
mod server;
mod sheets;
mod sign_in;
mod watch;
mod world;

pub use control::{
    CellEdit, CellInput, ClockChange, ControlError, CreatedSheet, CreatedSpreadsheet, Edit,
    NewSheet, NewSpreadsheet, Rows, RowsAt, Share, State,
};
pub use fault::{Fault, FaultKind};
pub use journal::JournalEntry;
pub use quota::{QuotaCounts, QuotaLimits};
pub use server::{FakeGoogle, Google, run};
pub use sheets::a1::normalised;
pub use sign_in::{Consent, SignInError};
pub use watch::ChannelState;
pub use world::{Account, Client, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Role, Settings};
