//! The relay's program: reads its configuration and says what it would do with it.
//!
//! Owns the command line. Must not know what is served. There is nothing to serve yet.

use sheetwire_relay::config::{Config, help};
use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--help") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    match Config::load(std::env::vars()) {
        Ok(config) => {
            println!("{}", config.describe());
            eprintln!("The configuration is right. This version has no server yet.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
