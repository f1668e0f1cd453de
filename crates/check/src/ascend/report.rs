//! What the model writes down: rules that were broken, and what each launch cost.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::AscendResult;
use crate::oracle::OracleError;

/// A rule of the chip that a kernel broke.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violation {
    /// The rule, `ub-alignment`.
    pub rule: String,
    /// The call that broke it, `DataCopy`.
    pub call: String,
    /// The file and line of the call.
    pub file: String,
    /// The line, from 1; 0 where there is none.
    pub line: u32,
    /// The kernel.
    pub kernel: String,
    /// The core.
    pub core: u32,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { call, file, line, message, kernel, core, .. } = self;
        if file.is_empty() {
            return write!(f, "{call} (kernel `{kernel}`): {message}");
        }
        write!(f, "{call} ({file}:{line}, kernel `{kernel}`, core {core}): {message}")
    }
}

/// A launch of a kernel, with what it cost by the model's counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KernelLaunch {
    /// The kernel.
    pub kernel: String,
    /// Cores.
    pub blocks: u64,
    /// Estimated cycles of the slowest core.
    pub cycles: f64,
    /// Counters by name.
    pub counters: BTreeMap<String, f64>,
}

/// Reads a report; a run that launched nothing has none.
pub fn read(path: &Path) -> Result<AscendResult<()>, OracleError> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(AscendResult::default()) };
    let broken =
        |what: &str| OracleError::Io(format!("the model's report is not readable: {what}"));
    let document: Value = serde_json::from_str(&text).map_err(|e| broken(&e.to_string()))?;
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or(0)).unwrap_or(u32::MAX);
    let errors = list("errors");
    let violations = errors.iter().map(|error| Violation {
        rule: text(&error["rule"]),
        call: text(&error["call"]),
        file: text(&error["file"]),
        line: number(&error["line"]),
        kernel: text(&error["kernel"]),
        core: number(&error["core"]),
        message: text(&error["message"]),
    });
    let launches = list("launches");
    let launches = launches.iter().map(|launch| KernelLaunch {
        kernel: text(&launch["kernel"]),
        blocks: launch["blocks"].as_u64().unwrap_or(0),
        cycles: launch["cycles"].as_f64().unwrap_or(0.0),
        counters: launch["counters"]
            .as_object()
            .map(|all| {
                all.iter().filter_map(|(name, v)| Some((name.clone(), v.as_f64()?))).collect()
            })
            .unwrap_or_default(),
    });
    let digest = document["digest"].as_str().unwrap_or_default().to_owned();
    let (violations, launches) = (violations.collect(), launches.collect());
    Ok(AscendResult { result: (), violations, launches, digest })
}
