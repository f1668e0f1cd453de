//! What no form of threads holds, on neither chip: said before any text is made.

use port_diag::Origin;
use port_ir::analysis::program::Program;
use port_ir::{BarrierScope, Function, Handle, StatementKind};

use super::refuse;
use crate::kernel::NotTranslated;

/// Kernels of more statements are not translated: the text would be of tens of thousands of lines.
const MAX_STATEMENTS: usize = 10_000;

/// Refuses what could not be lowered, and barriers that reach beyond a block.
pub(crate) fn admit(program: &Program<'_>, kernel: Handle<Function>) -> Result<(), NotTranslated> {
    let refuse_at =
        |reason: &str, origin: Origin| Err(NotTranslated { reason: reason.to_owned(), origin });
    let info = program.info(kernel);
    if let Some(poison) = info.poison.first() {
        let reason = format!("it uses what could not be translated ({})", poison.code);
        return refuse_at(&reason, poison.location.origin);
    }
    if program.module.functions[kernel].body.is_none() {
        return Err(refuse("its definition is not in view"));
    }
    for (count, (_, entry)) in program.flow(kernel).statements().enumerate() {
        let origin = entry.statement.location.origin;
        if count > MAX_STATEMENTS {
            return refuse_at("it has more than 10000 statements", origin);
        }
        match &entry.statement.kind {
            StatementKind::Barrier { scope: BarrierScope::Grid, .. } => {
                return refuse_at("it waits for all blocks of the grid", origin);
            }
            StatementKind::Barrier { scope: BarrierScope::Cluster, .. } => {
                return refuse_at("it waits for the blocks of a cluster", origin);
            }
            StatementKind::Barrier { named: Some(_), .. } => {
                return refuse_at("it uses one of several barriers of a block", origin);
            }
            StatementKind::Unsupported { what, .. } => {
                let reason = format!("it uses what could not be translated: {what}");
                return refuse_at(&reason, origin);
            }
            _ => {}
        }
    }
    Ok(())
}
