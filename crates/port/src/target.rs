//! Targets by name.

use std::fmt;
use std::str::FromStr;

use port_backend::{Architecture, Backend};
use port_backend_ascend::Ascend;
use port_backend_cpu::Cpu;
use port_backend_dialect::Hip;

/// Every back end, in the order in which `port targets` lists them.
pub fn backends() -> &'static [&'static dyn Backend] {
    &[&Hip, &Cpu, &Ascend]
}

/// A target, perhaps with an architecture: `hip`, `hip:gfx90a`.
#[derive(Clone, Copy)]
pub struct Target {
    /// The back end.
    pub backend: &'static dyn Backend,
    /// The architecture, if one was named.
    pub architecture: Option<&'static Architecture>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.architecture {
            Some(architecture) => write!(f, "{}:{}", self.backend.name(), architecture.name),
            None => f.write_str(self.backend.name()),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// A name that is no target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// No back end has this name.
    Unknown(String),
    /// The back end has no such architecture.
    UnknownArchitecture {
        /// The back end.
        target: &'static str,
        /// What was asked for.
        architecture: String,
        /// What there is.
        known: Vec<&'static str>,
    },
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Unknown(name) => {
                let known: Vec<&str> = backends().iter().map(|backend| backend.name()).collect();
                write!(f, "no target `{name}`; there are: {}", known.join(", "))
            }
            TargetError::UnknownArchitecture { target, architecture, known } => write!(
                f,
                "target `{target}` has no architecture `{architecture}`; there are: {}",
                known.join(", ")
            ),
        }
    }
}

impl std::error::Error for TargetError {}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (name, architecture) = match text.split_once(':') {
            Some((name, architecture)) => (name, Some(architecture)),
            None => (text, None),
        };
        let backend = backends().iter().find(|backend| backend.name() == name);
        let backend = *backend.ok_or_else(|| TargetError::Unknown(name.to_owned()))?;
        let Some(architecture) = architecture else {
            return Ok(Target { backend, architecture: None });
        };
        let known = backend.architectures();
        match known.iter().find(|known| known.name == architecture) {
            Some(found) => Ok(Target { backend, architecture: Some(found) }),
            None => Err(TargetError::UnknownArchitecture {
                target: backend.name(),
                architecture: architecture.to_owned(),
                known: known.iter().map(|known| known.name).collect(),
            }),
        }
    }
}

/// HIP's name for a name of CUDA; `None` where that is no such name, or HIP has none.
pub fn hip_name(name: &str) -> Option<&'static str> {
    port_api::find(name).and_then(|row| row.hip_name())
}

/// What a type of CUDA's is called in an Ascend port; `None` where it keeps its name.
pub fn ascend_name(name: &str) -> Option<&'static str> {
    port_backend_ascend::type_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_parse_and_print() {
        for text in ["hip", "hip:gfx90a", "hip:gfx936", "ascend", "ascend:950"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        let error = "hip:gfx1".parse::<Target>().unwrap_err().to_string();
        assert!(error.contains("gfx90a"), "{error}");
        assert!("cuda".parse::<Target>().unwrap_err().to_string().contains("hip"));
    }
}
