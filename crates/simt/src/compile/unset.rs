//! Local variables in registers that may be read before anything was stored to them.
//!
//! Memory has a bit for each byte; registers have none. A variable whose first load comes before
//! every store in the text gets a truth value of its own, set by the stores and tested by the loads,
//! so that a sum which nobody set to zero is found and a loop that remembers its last pass, and asks
//! whether there was one, is not. What is merely copied, chosen between or joined by `&&` is not
//! used yet: conditions are evaluated as a whole.

use port_ir::{
    Block, Expression, ExpressionTypes, Function, Handle, IntegerOp, Local, Scalar, StatementKind,
    Type, Value,
};

use super::prelude::*;
use crate::machine::lanes::Kernel;
use crate::machine::{Inst, Machine};
use crate::outcome::FindingKind;

/// What a load of such a variable is called by, for a finding.
#[derive(Clone, Debug)]
pub(crate) struct Unset {
    name: String,
    offset: u64,
    bytes: u64,
    size: u64,
}

/// Reports lanes whose variable was never set: `a` is its truth value.
struct Check;
impl Kernel for Check {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.checks.initialised {
            check(m, i);
        }
    }
}

fn check(m: &mut Machine<'_>, i: &Inst) {
    if m.unit.b.uniform[i.a as usize] == Some(true) {
        return;
    }
    let unit = &m.unit;
    let mut lanes = unit.mask.lanes(unit.chunks).filter(|lane| !unit.b.get(i.a, *lane));
    let Some(first) = lanes.next() else { return };
    let count = 1 + lanes.count() as u32;
    let code = m.code;
    let Some(unset) = code.unset.get(i.imm as usize) else { return };
    let access = crate::outcome::Access {
        space: "local",
        object: unset.name.clone(),
        offset: unset.offset as i64,
        bytes: unset.bytes,
        size: unset.size,
        address: 0,
        writes: false,
    };
    m.find(FindingKind::Uninitialised(access), i.site, first, count, false, None);
}

impl<'m> Compiler<'m> {
    /// The truth value of a local whose loads come before its stores.
    pub(super) fn unset_flag(&mut self, first_load: u32, first_store: u32) -> Option<V> {
        if first_load >= first_store {
            return None;
        }
        let flag = self.register(Class::B, Use::Local);
        let no = self.constant(Class::B, 0);
        self.emit_move(flag, no, true);
        Some(flag)
    }

    /// Something is stored to a local.
    pub(super) fn note_set(&mut self, local: Handle<Local>) {
        if let Some(Some(flag)) = self.frame.unset.get(local.index()).copied() {
            let yes = self.constant(Class::B, 1);
            self.emit_move(flag, yes, false);
        }
    }

    /// A local is loaded.
    pub(super) fn note_use(&mut self, local: Handle<Local>, offset: u64, result: Value) {
        let Some(Some(flag)) = self.frame.unset.get(local.index()).copied() else { return };
        let (function, types) = (self.frame.function, self.frame.types.clone());
        let Type::Scalar(scalar) = types.get(result) else { return };
        if !is_used(function, &types, result, false, 0) {
            return;
        }
        let Some(known) = function.locals.get(local) else { return };
        let size = super::layout::size_of(&self.module.types, known.ty, self.lanes()).unwrap_or(0);
        let (name, bytes) = (known.name.clone(), scalar.size());
        self.code.unset.push(Unset { name, offset, bytes, size });
        let entry = self.code.unset.len() as u64 - 1;
        let draft = self.draft(Op::Exec, select::<Check>());
        draft.operands[0] = Some(flag);
        draft.imm = entry;
    }
}

/// Whether something depends on a value; `computed` says that it is more than what was loaded.
fn is_used(
    function: &Function,
    types: &ExpressionTypes,
    value: Value,
    computed: bool,
    depth: u32,
) -> bool {
    // Who computes so much does not do it for nothing.
    if depth > 16 {
        return true;
    }
    let used = function.expressions.iter().any(|(user, expression)| {
        let mut among = false;
        expression.for_each_operand(|operand| among |= operand == value);
        if !among {
            return false;
        }
        let is_chosen = match expression {
            Expression::Select { condition, .. } => *condition != value,
            Expression::Integer { op: IntegerOp::And | IntegerOp::Or, .. } => {
                types.get(user) == Type::Scalar(Scalar::Bool)
            }
            _ => false,
        };
        !is_chosen && is_used(function, types, user, true, depth + 1)
    });
    used || function.body.as_ref().is_some_and(|body| is_used_by(function, body, value, computed))
}

fn is_used_by(function: &Function, block: &Block, value: Value, computed: bool) -> bool {
    block.statements.iter().any(|statement| {
        let here = statement.kind.operands().contains(&value)
            && match &statement.kind {
                StatementKind::Store { pointer, value: stored, .. } => {
                    *pointer == value
                        || computed
                        || *stored != value
                        || !is_local(function, *pointer)
                }
                StatementKind::Return { .. } | StatementKind::Call { .. } => computed,
                _ => true,
            };
        let tested = matches!(&statement.kind, StatementKind::Loop(looping)
            if looping.test == Some(value));
        let inside = |block: &&Block| is_used_by(function, block, value, computed);
        here || tested || statement.kind.blocks().iter().any(inside)
    })
}

/// Whether a pointer is one to a local variable.
fn is_local(function: &Function, pointer: Value) -> bool {
    match function.expressions.get(pointer) {
        Some(Expression::Local(_)) => true,
        Some(
            Expression::Member { base, .. }
            | Expression::Element { base, .. }
            | Expression::FragmentElement { base, .. },
        ) => is_local(function, *base),
        _ => false,
    }
}
