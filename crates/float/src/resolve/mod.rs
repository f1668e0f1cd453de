//! Makes of a module what one side's compiler makes of it.
//!
//! Four steps for each function: [`fold`] computes what the compiler computes, [`prepare`] writes
//! operations as the compiler has them before it fuses (a division by four is a product, under fast
//! math every division is), [`contract`] says which sums take a product in, and [`settle`] writes the
//! result, each operation with its flags. For mathematics [`widen`] then computes f32 in f64.

mod contract;
mod fold;
mod place;
mod prepare;
mod rewrite;
mod settle;
mod widen;

use port_ir::{ExpressionTypes, Module};

use crate::profile::{Profile, Side};

/// The module as `profile`'s compiler leaves it: no operation says `contract` any more, what is
/// fused is [`Expression::FusedMultiplyAdd`](port_ir::Expression::FusedMultiplyAdd), and the other
/// flags say exactly what each operation does. A valid flattened module gives a valid one, with the
/// same handles of functions and variables.
pub fn resolve(module: &Module, profile: &Profile) -> Module {
    let mut resolved = module.clone();
    for handle in module.functions.handles() {
        let types = |function: &port_ir::Function| ExpressionTypes::of(module, function);
        let source = &module.functions[handle];
        let folded = fold::fold(source, &types(source), profile);
        let prepared = prepare::prepare(&folded, &types(&folded), profile);
        let prepared_types = types(&prepared);
        let fusions = contract::find(&prepared, &prepared_types, profile);
        let settled = settle::settle(&prepared, &prepared_types, profile, &fusions);
        resolved.functions[handle] = match profile.side() {
            Side::Exact => widen::widen(&settled, &types(&settled), &mut resolved.types),
            _ => settled,
        };
    }
    resolved
}
