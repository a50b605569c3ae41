//! The program `fake-google`: fake Google on a loopback port.
//!
//! Owns the command line and the signals. Must not know the service.

use std::process::ExitCode;

use fake_google::{Google, Settings, run};
use tokio::net::TcpListener;

const USAGE: &str = "usage: fake-google [--port N] [--prompt]\n\n  --port N   the port on 127.0.0.1; 0, the default, takes \
                     a free one\n  --prompt   Drive's versions and change notices follow an edit at once instead of \
                     after three minutes";

#[tokio::main]
async fn main() -> ExitCode {
    let mut port = 0_u16;
    let mut settings = Settings::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => match arguments.next().and_then(|value| value.parse().ok()) {
                Some(value) => port = value,
                None => return complain("--port needs a number from 0 to 65535"),
            },
            "--prompt" => {
                settings.version_delay_ms = 0;
                settings.notice_delay_ms = 0;
            }
            "--help" | "-h" => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            other => return complain(&format!("unknown argument {other}\n{USAGE}")),
        }
    }
    let listener = match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => listener,
        Err(error) => return complain(&format!("can't listen on port {port}: {error}")),
    };
    let google = match Google::new(&listener, settings) {
        Ok(google) => google,
        Err(error) => return complain(&format!("can't start: {error}")),
    };
    println!("listening on {}", google.base_url());
    match run(listener, google, stop_asked()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("stopped: {error}")),
    }
}

fn complain(message: &str) -> ExitCode {
    eprintln!("fake-google: {message}");
    ExitCode::FAILURE
}

/// Ready when the process is asked to end.
async fn stop_asked() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}
