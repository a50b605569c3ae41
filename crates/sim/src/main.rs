//! Runs seeds: `sheetwire-sim --seeds N [--from S] [--events E]`. Failing seeds are printed with their last E events, and
//! each with the command that runs it again; the exit code tells whether there was one.

use std::process::ExitCode;
use std::time::Instant;

use sheetwire_sim::{TRACE_EVENTS, Tally, run_traced};

/// Most failing seeds printed with all their events.
const SHOWN_MAX: usize = 3;

fn number(arguments: &[String], name: &str) -> Result<Option<u64>, String> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else {
        return Ok(None);
    };
    let given = arguments.get(at + 1).map(String::as_str);
    match given.and_then(|text| text.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("{name} needs a number")),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = ["--seeds", "--from", "--events"].map(|name| number(&arguments, name));
    let [seeds, from, events] = match given {
        [Ok(seeds), Ok(from), Ok(events)] => [
            seeds.unwrap_or(1_000),
            from.unwrap_or(0),
            events.unwrap_or(TRACE_EVENTS as u64),
        ],
        [Err(message), ..] | [_, Err(message), _] | [.., Err(message)] => {
            eprintln!("{message}\nusage: sheetwire-sim [--seeds N] [--from S] [--events E]");
            return ExitCode::FAILURE;
        }
    };
    // What a world broke is printed with its seed; the panic's own words would only come in between.
    std::panic::set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let mut tally = Tally::default();
    let mut broken = Vec::new();
    for seed in from..from.saturating_add(seeds) {
        match run_traced(seed, events as usize) {
            Ok(of_seed) => tally.add(of_seed),
            Err(failure) => {
                if broken.len() < SHOWN_MAX {
                    println!("{failure}\n");
                }
                eprintln!("failed: {seed}  {}", failure.message);
                broken.push((seed, failure.message));
            }
        }
    }
    println!(
        "{seeds} seeds from {from} in {:.1} s\n{tally}",
        began.elapsed().as_secs_f64()
    );
    for (seed, message) in &broken {
        println!("failed: {seed}  {message}");
    }
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("keep them in crates/sim/seeds.txt");
        ExitCode::FAILURE
    }
}
