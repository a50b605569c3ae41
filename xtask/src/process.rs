//! Running other programs.
//!
//! Owns how a command is described and how its failure is told. Must not know what the commands are for.

use anyhow::{Context as _, Result, bail};
use std::process::{Command, Stdio};

/// The command as a person would type it, for messages.
pub fn describe(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    const SHOWN_CHARS_MAX: usize = 300;
    if let Some((cut, _)) = text.char_indices().nth(SHOWN_CHARS_MAX) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

/// Runs with this process's output; fails unless the program succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("could not start `{}`", describe(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", describe(command));
    }
    Ok(())
}

/// Runs and returns what the program printed; what it said to stderr is shown only when it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{}`", describe(command)))?;
    if !output.status.success() {
        const SHOWN_BYTES_MAX: usize = 4000;
        let said = if output.stderr.is_empty() {
            &output.stdout
        } else {
            &output.stderr
        };
        let from = said.len().saturating_sub(SHOWN_BYTES_MAX);
        bail!(
            "`{}` failed ({})\n{}",
            describe(command),
            output.status,
            String::from_utf8_lossy(&said[from..])
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something other than UTF-8", describe(command)))
}

/// Runs silently; what the program said is shown only when it fails.
pub fn run_quietly(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Replaces this process by the command, so that a signal meant for one reaches the other. Returns only to say why not.
pub fn become_this(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = command.exec();
    Err(error).with_context(|| format!("could not start `{}`", describe(command)))
}
