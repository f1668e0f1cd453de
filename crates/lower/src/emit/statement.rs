//! Statements.

use port_diag::Origin;
use port_ir::{Block, Loop, LoopTest, Scalar, StatementKind, SwitchCase, Type as Ir};

use super::function::{Emitter, Slot};
use crate::ty::Kind;
use crate::typed::{Arm, Expr, ExprKind, Stmt, StmtKind, VariableId};

impl Emitter<'_, '_> {
    pub(crate) fn statements(&mut self, list: &[Stmt]) {
        for statement in list {
            // What follows a jump is never reached.
            if self.dead {
                return;
            }
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        let at = self.at(statement.origin);
        if let Some(code) = statement.poison_code() {
            self.poisoned(statement, code, at);
            return;
        }
        if let Some(code) = self.refused_in(statement) {
            self.poisoned(statement, code, at);
            return;
        }
        match &statement.kind {
            StmtKind::Expr(expr) => {
                self.discard(expr);
                self.dead |= ends_with_trap(expr);
            }
            StmtKind::Declare { variable, initial } => {
                self.declare(*variable, initial.as_ref(), at);
            }
            // Scopes have done their work: names are resolved.
            StmtKind::Block(body) => self.statements(body),
            StmtKind::If { condition, then, otherwise } => {
                let condition = self.value(condition);
                let accept = self.inside(|emitter| emitter.statements(then));
                let reject = self.inside(|emitter| emitter.statements(otherwise));
                self.build.push_if(condition, accept, reject, at);
            }
            StmtKind::Loop { before, condition, step, body, unroll } => {
                self.build.open_block();
                let test = condition.as_ref().map(|condition| self.value(condition));
                let condition = self.build.close_block();
                let body = self.inside(|emitter| emitter.statements(body));
                let step = self.inside(|emitter| {
                    if let Some(step) = step {
                        emitter.discard(step);
                    }
                });
                let when = if *before { LoopTest::Before } else { LoopTest::After };
                let looping = Loop { when, condition, test, body, step, unroll: *unroll };
                self.build.push_loop(looping, at);
            }
            StmtKind::Switch { selector, arms } => self.switch(selector, arms, at),
            StmtKind::Break => self.jump(StatementKind::Break, at),
            StmtKind::Continue => self.jump(StatementKind::Continue, at),
            StmtKind::Return(Some(value)) => {
                self.return_value(value);
                self.dead = true;
            }
            StmtKind::Return(None) => self.jump(StatementKind::Return { value: None }, at),
            StmtKind::Unsupported { code, what } => self.unsupported(code, what.clone(), at),
        }
    }

    fn jump(&mut self, kind: StatementKind, at: Origin) {
        self.build.push(kind, at);
        self.dead = true;
    }

    /// What cannot be emitted: a statement that says so, and variables nobody can use.
    fn poisoned(&mut self, statement: &Stmt, code: &'static str, at: Origin) {
        let what = match &statement.kind {
            StmtKind::Expr(_) => "an expression".to_string(),
            StmtKind::Declare { variable, .. } => {
                self.slots[variable.index()] = Slot::Poison(code);
                let name = &self.body.variables[variable.index()].name;
                format!("the variable {name}")
            }
            StmtKind::If { .. } => "an if".to_string(),
            StmtKind::Loop { .. } => "a loop".to_string(),
            StmtKind::Switch { .. } => "a switch".to_string(),
            StmtKind::Return(_) => "a return".to_string(),
            StmtKind::Unsupported { what, .. } => what.clone(),
            _ => "a statement".to_string(),
        };
        self.unsupported(code, what, at);
    }

    /// The code of a type in a statement's own expressions that has no form in the IR.
    fn refused_in(&mut self, statement: &Stmt) -> Option<&'static str> {
        let mut refused = None;
        statement.for_each_expr(&mut |expr| {
            if refused.is_none() {
                refused = self.refused_type(expr);
            }
        });
        refused
    }

    fn refused_type(&mut self, expr: &Expr) -> Option<&'static str> {
        let sizeless = matches!(
            self.lower.cx.types.kind(expr.ty),
            Kind::Builtin(port_hir::Builtin::Void)
                | Kind::Function(_)
                | Kind::Overload
                | Kind::Array(_, None)
                | Kind::Unknown
        );
        // Only what is a value, or is read, needs a size: `*p` of an unknown class does not.
        let needs = !expr.is_place() || matches!(expr.kind, ExprKind::Variable(_));
        if needs && !sizeless {
            let place = self.at(expr.origin);
            if let Err(code) = self.lower.ir_type(expr.ty, place) {
                return Some(code);
            }
        }
        let mut refused = None;
        expr.for_each_part(&mut |part| {
            if refused.is_none() {
                refused = self.refused_type(part);
            }
        });
        refused
    }

    fn declare(&mut self, id: VariableId, initial: Option<&Expr>, at: Origin) {
        let variable = self.body.variables[id.index()].clone();
        let usage = self.usage[id.index()];
        if variable.constant.is_some()
            && usage.reads == 0
            && !usage.written
            && !usage.addressed
            && !usage.exposed
        {
            // A constant whose value stands wherever it is used.
            return;
        }
        if usage.is_value()
            && variable.align.is_none()
            && let Some(initial) = initial
        {
            let value = self.value(initial);
            if !variable.name.is_empty() && self.may_be_named(value) {
                self.build.name(value, variable.name);
            }
            self.slots[id.index()] = Slot::Value(value);
            return;
        }
        let ty = match self.lower.ir_type(variable.ty, at) {
            Ok(Ir::Pointer(_)) => Ir::Pointer(self.spaces.variable(id)),
            Ok(ty) => ty,
            Err(code) => {
                self.slots[id.index()] = Slot::Poison(code);
                self.unsupported(code, format!("the variable {}", variable.name), at);
                return;
            }
        };
        let name = if variable.name.is_empty() { "variable" } else { &variable.name };
        let natural = self.lower.module.types.layout(ty).map_or(1, |layout| layout.align);
        let local = self.build.add_local(name, ty, at);
        if let Some(align) = variable.align.filter(|align| *align > natural) {
            self.build.set_local_align(local, align);
        }
        let address = self.build.local(local, at);
        self.slots[id.index()] = Slot::Memory(address);
        if let Some(initial) = initial {
            self.initialise(address, initial);
        }
    }

    /// Whether a name belongs to a value: not to a constant or argument, which others share.
    fn may_be_named(&self, value: port_ir::Value) -> bool {
        !self.build.function().names.contains_key(&value)
            && !matches!(
                self.build.expression(value),
                Some(
                    port_ir::Expression::Constant(_)
                        | port_ir::Expression::Argument(_)
                        | port_ir::Expression::Builtin(_)
                        | port_ir::Expression::Local(_)
                        | port_ir::Expression::Variable(_)
                        | port_ir::Expression::Zero(_)
                ) | None
            )
    }

    fn switch(&mut self, selector: &Expr, arms: &[Arm], at: Origin) {
        let selector = self.value(selector);
        let Some(scalar) = self.scalar_of(selector) else { return };
        let selector = if scalar == Scalar::Bool {
            self.convert_number(selector, Scalar::I32, at)
        } else {
            selector
        };
        let bits = self.scalar_of(selector).map_or(32, Scalar::bits);
        let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
        let mut cases = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            let mut body = self.inside(|emitter| emitter.statements(&arm.body));
            let last = index + 1 == arms.len();
            let mut fallthrough = !last;
            if ends_with_jump(&body) {
                fallthrough = false;
                let ends_here = matches!(
                    body.statements.last().map(|statement| &statement.kind),
                    Some(StatementKind::Break)
                );
                if ends_here {
                    body.statements.pop();
                }
            }
            let values = arm.values.iter().map(|value| *value as u64 & mask).collect();
            cases.push(SwitchCase { values, default: arm.default, body, fallthrough });
        }
        self.build.push_switch(selector, cases, at);
    }
}

fn ends_with_jump(block: &Block) -> bool {
    match block.statements.last().map(|statement| &statement.kind) {
        Some(StatementKind::Block(inner)) => ends_with_jump(inner),
        Some(kind) => kind.is_jump(),
        None => false,
    }
}

fn ends_with_trap(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Intrinsic { intrinsic: crate::intrinsics::Intrinsic::Trap, .. })
}
