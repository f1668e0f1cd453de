//! Makes of a module what one side's compiler makes of it.

use port_ir::{Expression, Module, Scalar, Type};

use crate::profile::Profile;

/// The module as `profile`'s compiler leaves it: no operation says `contract` any more, what is
/// fused is [`Expression::FusedMultiplyAdd`], and the other flags say exactly what each operation
/// does. A valid flattened module gives a valid one, with the same handles of functions and
/// variables.
pub fn resolve(module: &Module, profile: &Profile) -> Module {
    let mut resolved = module.clone();
    for handle in resolved.functions.handles() {
        let types = port_ir::ExpressionTypes::of(module, &module.functions[handle]);
        let function = &mut resolved.functions[handle];
        for value in function.expressions.handles() {
            let is_f32 = |value| {
                matches!(types.get(value), Type::Scalar(Scalar::F32) | Type::Vector(Scalar::F32, _))
            };
            match &mut function.expressions[value] {
                Expression::Float { op, flags, left, .. } => {
                    flags.contract = false;
                    if is_f32(*left) {
                        *flags = profile.operation_flags(*op, *flags);
                    }
                }
                Expression::FusedMultiplyAdd { flags, a, .. } => {
                    flags.contract = false;
                    if is_f32(*a) {
                        *flags = profile.operation_flags(port_ir::FloatOp::Add, *flags);
                    }
                }
                Expression::Math { function, flags, arguments }
                    if arguments.iter().any(|argument| is_f32(*argument)) =>
                {
                    *flags = profile.function_flags(*function, *flags);
                }
                _ => {}
            }
        }
    }
    resolved
}
