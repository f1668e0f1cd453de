//! `&&`, `||` and `?:`: as values where nothing happens on the way, else with branches.

use port_diag::Origin;
use port_ir::{
    Access, Block, Constant, Expression, IntegerOp, Space, StatementKind, Type as Ir,
    Value as IrValue,
};

use super::function::Emitter;
use crate::ty::Type;
use crate::typed::Expr;

impl Emitter<'_, '_> {
    pub(crate) fn logical(&mut self, and: bool, left: &Expr, right: &Expr, at: Origin) -> IrValue {
        let left = self.value(left);
        let mut result = None;
        let block = self.inside(|emitter| result = Some(emitter.value(right)));
        let Some(right) = result else { return left };
        if self.is_harmless(&block) {
            self.splice(block);
            let op = if and { IntegerOp::And } else { IntegerOp::Or };
            return self.build.integer(op, left, right, at);
        }
        let address = self.temporary(if and { "and" } else { "or" }, Ir::BOOL, at);
        let evaluate = {
            let mut block = block;
            let store = self.inside(|emitter| {
                emitter.build.store(address, right, Access::PLAIN, at);
            });
            block.statements.extend(store.statements);
            block
        };
        let known = self.inside(|emitter| {
            let value = emitter.build.constant(Constant::bool(!and), at);
            emitter.build.store(address, value, Access::PLAIN, at);
        });
        let (accept, reject) = if and { (evaluate, known) } else { (known, evaluate) };
        self.build.push_if(left, accept, reject, at);
        self.build.load(Ir::BOOL, address, Access::PLAIN, at)
    }

    /// Whether statements may be executed although their values are not needed: they only read
    /// variables of the thread.
    fn is_harmless(&self, block: &Block) -> bool {
        block.statements.iter().all(|statement| match statement.kind {
            StatementKind::Load { pointer, access, .. } => {
                !access.volatile && self.is_local_variable(pointer)
            }
            _ => false,
        })
    }

    /// Whether a pointer is a local variable or a fixed part of one.
    fn is_local_variable(&self, pointer: IrValue) -> bool {
        match self.build.expression(pointer) {
            Some(Expression::Local(_)) => true,
            Some(Expression::Member { base, .. }) => self.is_local_variable(*base),
            _ => false,
        }
    }

    fn splice(&mut self, block: Block) {
        for statement in block.statements {
            self.build.push(statement.kind, statement.location);
        }
    }

    pub(crate) fn conditional(
        &mut self,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
        ty: Type,
        at: Origin,
    ) -> IrValue {
        if self.lower.cx.types.is_void(ty) {
            self.discard_conditional(condition, then, otherwise, at);
            return self.build.zero(Ir::BOOL, at);
        }
        let condition = self.value(condition);
        self.choose(condition, |emitter| emitter.value(then), |e| e.value(otherwise), at)
    }

    /// One of two values: both are computed if that does nothing, else only the one that is needed.
    fn choose(
        &mut self,
        condition: IrValue,
        then: impl FnOnce(&mut Self) -> IrValue,
        otherwise: impl FnOnce(&mut Self) -> IrValue,
        at: Origin,
    ) -> IrValue {
        let mut accept_value = None;
        let mut reject_value = None;
        let mut accept = self.inside(|emitter| accept_value = Some(then(emitter)));
        let mut reject = self.inside(|emitter| reject_value = Some(otherwise(emitter)));
        let (Some(a), Some(b)) = (accept_value, reject_value) else {
            return condition;
        };
        if self.is_harmless(&accept) && self.is_harmless(&reject) {
            self.splice(accept);
            self.splice(reject);
            let (a, b) = self.same_space(a, b, at);
            return self.build.select(condition, a, b, at);
        }
        let ty = match (self.build.type_of(a), self.build.type_of(b)) {
            (Ir::Pointer(x), Ir::Pointer(y)) => {
                Ir::Pointer(if x == y { x } else { Space::Generic })
            }
            (ty, _) => ty,
        };
        let address = self.temporary("choice", ty, at);
        for (block, value) in [(&mut accept, a), (&mut reject, b)] {
            let store = self.inside(|emitter| {
                let value = emitter.as_type(value, ty, at);
                emitter.build.store(address, value, Access::PLAIN, at);
            });
            block.statements.extend(store.statements);
        }
        self.build.push_if(condition, accept, reject, at);
        self.build.load(ty, address, Access::PLAIN, at)
    }

    /// The address of one of two places.
    pub(crate) fn conditional_place(
        &mut self,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
        at: Origin,
    ) -> IrValue {
        let condition = self.value(condition);
        self.choose(condition, |emitter| emitter.place(then), |e| e.place(otherwise), at)
    }

    pub(crate) fn discard_conditional(
        &mut self,
        condition: &Expr,
        then: &Expr,
        otherwise: &Expr,
        at: Origin,
    ) {
        let condition = self.value(condition);
        let accept = self.inside(|emitter| emitter.discard(then));
        let reject = self.inside(|emitter| emitter.discard(otherwise));
        if !accept.statements.is_empty() || !reject.statements.is_empty() {
            self.build.push_if(condition, accept, reject, at);
        }
    }
}
