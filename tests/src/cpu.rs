//! Compilers of ports for the processor, as the tests use them.

use port_backend_cpu::header::{Needs, assemble};
use port_check::cpu::{Compiler, Flavour};
use port_check::oracle::OracleError;

/// The compiler of a flavour. One header stands for those of all ports but the few that use the host's
/// libraries, so that it is compiled once; that each port's own has what the port needs is shown by
/// [`Compiler::new`] of `g++ -O2`, which has no other, and by `port exec`.
pub fn compiler(flavour: Flavour) -> Result<Compiler, OracleError> {
    Ok(Compiler::new(flavour)?.with_header(&assemble(Needs::all().without_libraries())))
}
