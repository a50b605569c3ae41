//! Fake Google over real sockets.

mod app;
mod change_notices;
mod faults;
mod sheets;
mod sign_in;
