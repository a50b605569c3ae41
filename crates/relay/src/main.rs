//! The relay's program.
//!
//! Owns the command line, the log's output and the signals that end it. Must not know what is served.

use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sheetwire_relay::config::{Config, help};
use sheetwire_relay::{secret, server};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("key") => {
            println!("{}", STANDARD.encode(secret::random_bytes::<32>()));
            return ExitCode::SUCCESS;
        }
        Some("check") => {
            return match Config::load(std::env::vars()) {
                Ok(config) => {
                    println!("{}", config.describe());
                    ExitCode::SUCCESS
                }
                Err(error) => fail(&error),
            };
        }
        Some("--help" | "-h" | "help") => {
            print!("{}", help());
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!(
                "`{other}` is no command. The commands are key, check and --help; without one the relay runs."
            );
            return ExitCode::FAILURE;
        }
    }
    let config = match Config::load(std::env::vars()) {
        Ok(config) => config,
        Err(error) => return fail(&error),
    };
    if let Err(error) = start_log(&config) {
        return fail(&error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let ended = runtime.block_on(async {
        // Before the first line, since whoever reads it may ask the program to end at once.
        let ending = signalled();
        let listener = TcpListener::bind(config.listen).await?;
        println!(
            "listening on http://localhost:{}",
            listener.local_addr()?.port()
        );
        server::run(listener, config, ending).await
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

fn start_log(config: &Config) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(&config.log)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.log_json {
        log.json().init();
    } else {
        log.with_ansi(false).init();
    }
    Ok(())
}

/// Done when the program is asked to end; it listens for that from the call on.
fn signalled() -> impl Future<Output = ()> + Send + 'static {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind: SignalKind| {
        let signal = signal(kind);
        async {
            match signal {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                // Without the signal the program ends the hard way.
                Err(_) => std::future::pending().await,
            }
        }
    };
    let (terminate, interrupt) = (wait(SignalKind::terminate()), wait(SignalKind::interrupt()));
    async {
        tokio::select! {
            () = terminate => {}
            () = interrupt => {}
        }
    }
}
