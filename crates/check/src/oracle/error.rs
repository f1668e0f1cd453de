//! What can go wrong when a text is compiled or run.

use std::fmt;

use port_diag::{Diagnostic, Finding};

use super::Language;
use crate::findings::{NoCompiler, ReferenceCompile, ReferenceRun};

/// Why a text could not be compiled or run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OracleError {
    /// There is no C++ compiler.
    NoCompiler {
        /// What was looked for.
        tried: String,
    },
    /// The compiler rejects the text.
    Compile {
        /// The text's language.
        language: Language,
        /// All that the compiler said.
        output: String,
    },
    /// The run ended with an error.
    Run {
        /// `divergent-barrier`, `mask-violation`, `deadlock`, `illegal-address`, `shared-overflow`,
        /// `stack-overflow`, `abort`, `trap`, `arithmetic`, `time-limit`, `memory-limit`,
        /// `invalid-launch`, `argument`, `unsupported`, `crash` …
        kind: String,
        /// The runtime's message.
        message: String,
    },
    /// A file could not be written or a process not started.
    Io(String),
}

impl OracleError {
    /// `no-compiler`, `compile`, `io`, or the kind of a failed run.
    pub fn kind(&self) -> &str {
        match self {
            OracleError::NoCompiler { .. } => "no-compiler",
            OracleError::Compile { .. } => "compile",
            OracleError::Run { kind, .. } => kind,
            OracleError::Io(_) => "io",
        }
    }

    /// The error as a finding without a place.
    pub fn finding(&self) -> Diagnostic {
        match self {
            OracleError::NoCompiler { tried } => NoCompiler { tried: tried.clone() }.nowhere(),
            OracleError::Compile { language, output } => ReferenceCompile {
                language: language.name().into(),
                first_error: first_error(output).into(),
            }
            .nowhere(),
            OracleError::Run { kind, message } => {
                ReferenceRun { kind: kind.clone(), reason: message.clone() }.nowhere()
            }
            OracleError::Io(message) => {
                ReferenceRun { kind: "io".into(), reason: message.clone() }.nowhere()
            }
        }
    }
}

/// The first line of a compiler's output that is an error.
fn first_error(output: &str) -> &str {
    output
        .lines()
        .find(|line| line.contains("error:") || line.contains("undefined reference"))
        .or_else(|| output.lines().next())
        .unwrap_or("the compiler failed")
        .trim()
}

impl fmt::Display for OracleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OracleError::NoCompiler { tried } => write!(formatter, "no C++ compiler ({tried})"),
            OracleError::Compile { language, output } => {
                write!(formatter, "{} text does not compile:\n{output}", language.name())
            }
            OracleError::Run { kind, message } => write!(formatter, "{kind}: {message}"),
            OracleError::Io(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for OracleError {}

impl From<std::io::Error> for OracleError {
    fn from(error: std::io::Error) -> OracleError {
        OracleError::Io(error.to_string())
    }
}
