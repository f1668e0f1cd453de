//! `port`: the command line. The only room with a screen: it reads files, calls the pure pipeline,
//! writes outputs and prints.

#![allow(clippy::disallowed_methods, reason = "the outermost crate reads, writes and prints")]

mod arguments;
mod check;
mod check_html;
mod exec;
mod explain;
mod findings;
mod html;
mod layout;
mod load;
mod parallel;
mod pipeline;
mod port_command;
mod proposals;
mod report;
mod run;
mod scan;
mod snapshot;
mod subject;
mod text;
mod write;

use std::io::Write;
use std::process::ExitCode;

use arguments::{Command, CommandLine};
use clap::{CommandFactory, Parser};

/// Nothing to say, or nothing that needs a person.
const CLEAN: u8 = 0;
/// Findings that need a person.
const FINDINGS: u8 = 1;
/// Wrong usage, or a file that cannot be read or written.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let common = &command_line.common;
    let result = match &command_line.command {
        Some(Command::Scan(arguments)) => scan::run(arguments, common),
        Some(Command::Snapshot(arguments)) => snapshot::run(arguments, common),
        Some(Command::Run(arguments)) => run::run(arguments, common),
        Some(Command::Check(arguments)) => check::run(arguments, common),
        Some(Command::Exec(arguments)) => exec::run(arguments, common),
        Some(Command::Explain { code }) => explain::explain(code.as_deref()),
        Some(Command::Targets) => explain::targets(),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut CommandLine::command(), "port", &mut script);
            print(&script).map(|()| CLEAN)
        }
        None => port_command::run(&command_line.port, common),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            print_error(&format!("port: {message}\n"));
            ExitCode::from(USAGE)
        }
    }
}

/// Prints to standard output; a reader that closed it (`port … | head`) is no error.
fn print(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Prints to standard error. Where that is closed or full there is nobody to tell.
fn print_error(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
