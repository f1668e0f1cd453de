//! A kernel that is ready to run.

use port_float::Profile;
use port_ir::{Function, Handle, Location, Module, Type};

use crate::launch::{Launch, Options};
use crate::memory::Memory;
use crate::outcome::{Fault, FaultKind, Outcome};

/// Why a kernel cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The code of the finding that the front end reported, or empty.
    pub code: String,
    /// The place.
    pub location: Option<Location>,
    /// What is not supported.
    pub what: String,
}

/// A parameter of a kernel, as the launch passes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The user's name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Bytes of its value.
    pub size: u64,
    /// Bytes from the start of the parameters.
    pub offset: u64,
}

/// A kernel with what it calls, compiled for the machine.
#[derive(Clone, Debug)]
pub struct Program {
    name: String,
    parameters: Vec<Parameter>,
}

impl Program {
    /// Compiles a kernel. The module is valid, flattened and resolved for the profile.
    pub fn new(
        module: &Module,
        kernel: Handle<Function>,
        profile: &Profile,
    ) -> Result<Program, Unsupported> {
        let _ = (module, kernel, profile);
        Err(Unsupported {
            code: String::new(),
            location: None,
            what: "the machine is being built".into(),
        })
    }

    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kernel's parameters.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Runs a launch.
    pub fn run(
        &self,
        memory: &mut Memory,
        launch: &Launch,
        options: &Options,
    ) -> Result<Outcome, Fault> {
        let _ = (memory, launch, options);
        Err(Fault {
            kind: FaultKind::Unsupported("the machine is being built".into()),
            location: None,
            block: None,
            thread: None,
            threads: 0,
            outcome: Outcome::default(),
        })
    }
}
