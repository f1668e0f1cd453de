//! Statements.

use std::collections::BTreeSet;

use port_diag::Origin;
use port_hir::{
    Condition, ExprId, InlineAssembly, LocalId, Stmt as HirStmt, StmtId, StmtKind as Hir, Unroll,
};

use crate::check::name::local_space;
use crate::check::{Binding, Checker, ResultType};
use crate::context::{Global, GlobalId, GlobalSource, GlobalSpace, limits};
use crate::findings::{InlineAssembly as InlineAssemblyFinding, StaticAssertFails, Unreadable};
use crate::ty::{Kind, Type};
use crate::typed::{Arm, Expr, ExprKind, Stmt, StmtKind, VariableId};

/// The labels of a switch, as they are found.
#[derive(Default)]
struct Arms {
    list: Vec<Arm>,
    values: BTreeSet<i128>,
    has_default: bool,
    /// What stands for labels that are wrong.
    broken: Vec<Stmt>,
}

impl<'h> Checker<'_, 'h> {
    /// A statement; a block's statements are added as one block.
    pub(crate) fn statement(&mut self, id: StmtId, out: &mut Vec<Stmt>) {
        let statement = &self.hir().stmts[id];
        let origin = statement.origin;
        if let Err(code) = self.enter(origin) {
            let what = "deeply nested statements".to_string();
            out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
            return;
        }
        self.statement_kind(statement, out);
        self.leave();
    }

    /// The statements of a block without the block.
    pub(crate) fn statement_list(&mut self, id: StmtId, out: &mut Vec<Stmt>) {
        match &self.hir().stmts[id].kind {
            Hir::Block(statements) => {
                for statement in statements {
                    self.statement(*statement, out);
                }
            }
            _ => self.statement(id, out),
        }
    }

    fn body(&mut self, id: StmtId) -> Vec<Stmt> {
        let mut list = Vec::new();
        self.statement_list(id, &mut list);
        list
    }

    fn statement_kind(&mut self, statement: &'h HirStmt, out: &mut Vec<Stmt>) {
        let origin = statement.origin;
        let mut push = |kind| out.push(Stmt::new(kind, origin));
        match &statement.kind {
            Hir::Empty | Hir::Using(_) | Hir::Function(_) | Hir::Enum(_) | Hir::Record(_) => {}
            Hir::Alias(_) => {}
            Hir::Block(statements) => {
                let mut list = Vec::new();
                for statement in statements {
                    self.statement(*statement, &mut list);
                }
                push(StmtKind::Block(list));
            }
            Hir::Expr(expr) => {
                let expr = self.expr(*expr);
                push(StmtKind::Expr(expr));
            }
            Hir::Locals(locals) => {
                for local in locals {
                    self.declare_local(*local, out);
                }
            }
            Hir::Bindings { whole, names } => self.bindings(*whole, names, out),
            Hir::If { constexpr, init, condition, then, otherwise } => {
                self.if_statement(*constexpr, *init, condition, *then, *otherwise, origin, out);
            }
            Hir::For { init, condition, step, body, unroll } => {
                self.body.loops += 1;
                self.for_statement(*init, condition.as_ref(), *step, *body, unroll, origin, out);
                self.body.loops -= 1;
            }
            Hir::RangeFor { init, variable, range, body, unroll } => {
                self.body.loops += 1;
                self.range_for(*init, *variable, *range, *body, unroll, origin, out);
                self.body.loops -= 1;
            }
            Hir::While { condition, body, unroll } => {
                self.body.loops += 1;
                self.for_statement(None, Some(condition), None, *body, unroll, origin, out);
                self.body.loops -= 1;
            }
            Hir::DoWhile { body, condition, unroll } => {
                self.body.loops += 1;
                let body = self.body(*body);
                self.body.loops -= 1;
                let condition = self.expr(*condition);
                let condition = Some(self.condition(condition));
                let unroll = self.unroll(unroll);
                let kind = StmtKind::Loop { before: false, condition, step: None, body, unroll };
                out.push(Stmt::new(kind, origin));
            }
            Hir::Switch { init, condition, body } => {
                self.body.switches += 1;
                self.switch(*init, condition, *body, origin, out);
                self.body.switches -= 1;
            }
            Hir::Break if self.body.loops + self.body.switches > 0 => push(StmtKind::Break),
            Hir::Continue if self.body.loops > 0 => push(StmtKind::Continue),
            Hir::Break => self.no_form("`break` outside a loop or switch", origin, out),
            Hir::Continue => self.no_form("`continue` outside a loop", origin, out),
            Hir::Return(value) => self.return_statement(*value, origin, out),
            Hir::Case { .. } | Hir::Default => {
                let what = "a case label inside another statement".to_string();
                let code = self.unsupported(origin, what.clone());
                out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
            }
            // A label that nothing jumps to is nothing.
            Hir::Label(_) => {}
            Hir::Goto(_) => self.no_form("`goto`", origin, out),
            Hir::Asm(assembly) => self.assembly(assembly, origin, out),
            Hir::StaticAssert { condition, message } => {
                self.static_assert(*condition, *message, origin, out);
            }
            Hir::Try { body, handlers } => {
                if self.cx.recorder.is_some() {
                    let body = self.body(*body);
                    out.push(Stmt::new(StmtKind::Block(body), origin));
                    for handler in handlers {
                        if let Some(exception) = handler.exception {
                            self.declare_local(exception, out);
                        }
                        let body = self.body(handler.body);
                        out.push(Stmt::new(StmtKind::Block(body), origin));
                    }
                } else {
                    self.no_form("`try`", origin, out);
                }
            }
            Hir::MacroCall { name, parts } => {
                if self.cx.recorder.is_some() {
                    self.dispatch(*name, parts, out);
                    return;
                }
                let what = format!("the macro `{name}`, which is not in view");
                self.no_form(&what, origin, out);
            }
            Hir::Unsupported(what) => self.no_form(what, origin, out),
            Hir::Error => {
                let what = "this statement".to_string();
                let code = self.cx.report(self.env.unit, origin, Unreadable { what: what.clone() });
                out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
            }
        }
    }

    fn no_form(&mut self, what: &str, origin: Origin, out: &mut Vec<Stmt>) {
        let what = what.to_string();
        let code = self.unsupported(origin, what.clone());
        out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
    }

    // Declarations.

    /// A local variable.
    pub(crate) fn declare_local(&mut self, local: LocalId, out: &mut Vec<Stmt>) {
        let definition = &self.hir().locals[local];
        let storage = &definition.storage;
        let origin = definition.origin;
        if let Some(space) = local_space(storage) {
            let binding = match self.local_global(local, space) {
                Ok(global) => Binding::Global(global),
                Err(code) => {
                    let what = format!("the variable `{}`", definition.name);
                    out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
                    Binding::Poison(code)
                }
            };
            self.body.bindings.insert(local, binding);
            return;
        }
        if storage.is_extern {
            self.no_form("a local `extern` declaration", origin, out);
            self.body.bindings.insert(local, Binding::Poison(crate::findings::UNKNOWN_TYPE));
            return;
        }
        let (ty, initial) = self.declared(definition.ty, definition.initializer.as_ref(), origin);
        self.check_destructor(ty, origin);
        let poison = initial.as_ref().and_then(Expr::poison_code);
        if ty.is_unknown() || matches!(self.cx.types.kind(ty), Kind::Opaque(_)) && poison.is_some()
        {
            let code = poison.unwrap_or(crate::findings::UNKNOWN_TYPE);
            let what = format!("the variable `{}`", definition.name);
            out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
            self.body.bindings.insert(local, Binding::Poison(code));
            return;
        }
        let ty = if storage.constexpr { self.cx.types.qualify(ty, true, false) } else { ty };
        let variable = self.add_variable(definition.name.as_str(), ty, origin);
        match self.alignment(&storage.alignments) {
            Ok(align) if align > 1 => self.body.variables[variable.index()].align = Some(align),
            _ => {}
        }
        // A pointer to a function that nobody changes is that function.
        if let Some(initial) = &initial
            && self.cx.recorder.is_none()
            && self.is_function_pointer(ty)
            && !self.is_changed(local)
            && let Some(value @ crate::value::Value::Function(_)) = self.evaluate(initial)
        {
            self.body.bindings.insert(local, Binding::Constant(value, ty.unqualified()));
            return;
        }
        // One of two functions, chosen here once.
        if let Some(initial) = &initial
            && self.cx.recorder.is_none()
            && self.is_function_pointer(ty)
            && let Some(choice) = self.choice_of_functions(initial, out)
            && !self.is_changed(local)
        {
            self.body.bindings.insert(local, Binding::Place(std::rc::Rc::new(choice)));
            return;
        }
        // What is constant may be used where a constant is asked for.
        let constant = self.is_constant_type(ty) && !ty.volatile;
        if constant
            && let Some(initial) = &initial
            && (storage.constexpr || self.is_scalar(ty))
        {
            let value = self.evaluate(initial);
            if storage.constexpr && value.is_none() && poison.is_none() {
                let what = format!("the value of the constexpr variable `{}`", definition.name);
                let failures = self.cx.failures;
                self.not_constant(initial, origin, what);
                self.cx.failures = failures;
            }
            self.body.variables[variable.index()].constant = value;
        }
        self.body.bindings.insert(local, Binding::Variable(variable));
        out.push(Stmt::new(StmtKind::Declare { variable, initial }, origin));
    }

    /// Objects whose destructors do something are reported: nothing runs them.
    fn check_destructor(&mut self, ty: Type, origin: Origin) {
        let Some(class) = self.cx.types.class(ty) else { return };
        let crate::context::ClassSource::Record(record) = self.cx.class(class).source else {
            return;
        };
        let hir = self.cx.hir(self.cx.class(class).environment.unit);
        for id in &hir.records[record].methods {
            let function = &hir.functions[*id];
            let port_hir::Body::Block(body) = function.body else { continue };
            if !matches!(function.kind, port_hir::FunctionKind::Destructor) {
                continue;
            }
            let empty = matches!(&hir.stmts[body].kind, Hir::Block(list) if list.is_empty());
            if !empty && self.cx.recorder.is_some() {
                let candidate = self.method_candidate(*id, class);
                if let Some(function) = self.function_instance(&candidate, None) {
                    self.record_call(function);
                }
            } else if !empty {
                let what =
                    format!("an object of `{}`, which has a destructor", self.cx.class(class).name);
                self.unsupported(origin, what);
            }
        }
    }

    /// A local that outlives its function: `__shared__`, `static`.
    fn local_global(
        &mut self,
        local: LocalId,
        space: GlobalSpace,
    ) -> Result<GlobalId, &'static str> {
        let definition = &self.hir().locals[local];
        let storage = &definition.storage;
        let origin = definition.origin;
        let function = self.body.function.unwrap_or(crate::context::FunctionInstanceId(u32::MAX));
        let source = GlobalSource::Local(local, function);
        let dynamic = space == GlobalSpace::Shared && storage.is_extern;
        let (ty, value) = if space == GlobalSpace::Shared {
            let ty = self.ty(definition.ty);
            if definition.initializer.is_some() && !dynamic {
                return Err(self.unsupported(origin, "an initialised shared variable".to_string()));
            }
            (ty, None)
        } else {
            self.declared_value(
                definition.ty,
                definition.initializer.as_ref(),
                storage.constexpr,
                origin,
            )
        };
        if ty.is_unknown() {
            return Err(crate::findings::UNKNOWN_TYPE);
        }
        if !dynamic && self.layout_of(ty).is_none() {
            return Err(self.incomplete_type(ty, origin));
        }
        let constant = self.is_constant_type(ty) || storage.constexpr;
        let space = match space {
            // A static constant needs no memory that can be written.
            GlobalSpace::Global if constant && value.is_some() => GlobalSpace::Constant,
            space => space,
        };
        let align = self.alignment(&storage.alignments)?;
        let fixed = constant && value.is_some() && space != GlobalSpace::Shared;
        let global = Global {
            name: format!("{}.{}", self.body.name, definition.name),
            ty: if storage.constexpr { self.cx.types.qualify(ty, true, false) } else { ty },
            space,
            dynamic,
            align: (align > 1).then_some(align),
            value,
            fixed,
            origin,
        };
        if let Some(known) = self.cx.global_ids.get(&source) {
            let known = *known;
            self.cx.globals[known.index()] = global;
            return Ok(known);
        }
        let id = GlobalId(self.cx.globals.len() as u32);
        self.cx.globals.push(global);
        self.cx.global_ids.insert(source, id);
        Ok(id)
    }

    // Control.

    /// The condition of a statement; declares its variable if it has one.
    fn condition_of(&mut self, condition: &Condition, out: &mut Vec<Stmt>) -> Expr {
        match condition {
            Condition::Expr(expr) => self.expr(*expr),
            Condition::Local(local) => {
                self.declare_local(*local, out);
                let origin = self.hir().locals[*local].origin;
                self.local(*local, origin)
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the statement")]
    fn if_statement(
        &mut self,
        constexpr: bool,
        init: Option<StmtId>,
        condition: &Condition,
        then: StmtId,
        otherwise: Option<StmtId>,
        origin: Origin,
        out: &mut Vec<Stmt>,
    ) {
        let mut list = Vec::new();
        if let Some(init) = init {
            self.statement(init, &mut list);
        }
        if constexpr && let Condition::Expr(condition) = condition {
            match self.constant_condition(*condition, "the condition of `if constexpr`") {
                Some(true) => {
                    let body = self.body(then);
                    list.push(Stmt::new(StmtKind::Block(body), origin));
                }
                Some(false) => {
                    if let Some(otherwise) = otherwise {
                        let body = self.body(otherwise);
                        list.push(Stmt::new(StmtKind::Block(body), origin));
                    }
                }
                None if self.cx.recorder.is_some() => {
                    // Host code that depends on what is unknown: both sides may launch.
                    let then = self.body(then);
                    list.push(Stmt::new(StmtKind::Block(then), origin));
                    if let Some(otherwise) = otherwise {
                        let body = self.body(otherwise);
                        list.push(Stmt::new(StmtKind::Block(body), origin));
                    }
                }
                None => {
                    let code = crate::findings::NOT_CONSTANT;
                    let what = "if constexpr".to_string();
                    list.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
                }
            }
        } else {
            let condition = self.condition_of(condition, &mut list);
            let condition = self.condition(condition);
            let then = self.body(then);
            let otherwise = otherwise.map(|body| self.body(body)).unwrap_or_default();
            list.push(Stmt::new(StmtKind::If { condition, then, otherwise }, origin));
        }
        push_scope(list, origin, out);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the statement")]
    fn for_statement(
        &mut self,
        init: Option<StmtId>,
        condition: Option<&Condition>,
        step: Option<ExprId>,
        body: StmtId,
        unroll: &Option<Unroll>,
        origin: Origin,
        out: &mut Vec<Stmt>,
    ) {
        let mut list = Vec::new();
        if let Some(init) = init {
            self.statement(init, &mut list);
        }
        if let Some(Condition::Local(local)) = condition {
            // `while (T x = e)`: made anew on each pass.
            let mut inner = Vec::new();
            self.declare_local(*local, &mut inner);
            let place = self.local(*local, origin);
            let condition = self.condition(place);
            let not = ExprKind::Sign(crate::typed::Sign::Not, Box::new(condition));
            let leave = StmtKind::If {
                condition: Expr::value(not, Type::BOOL, origin),
                then: vec![Stmt::new(StmtKind::Break, origin)],
                otherwise: Vec::new(),
            };
            inner.push(Stmt::new(leave, origin));
            self.statement_list(body, &mut inner);
            let step = step.map(|step| self.expr(step));
            let unroll = self.unroll(unroll);
            let kind = StmtKind::Loop { before: true, condition: None, step, body: inner, unroll };
            list.push(Stmt::new(kind, origin));
            return push_scope(list, origin, out);
        }
        let condition = match condition {
            Some(Condition::Expr(expr)) => {
                let expr = self.expr(*expr);
                Some(self.condition(expr))
            }
            _ => None,
        };
        let step = step.map(|step| self.expr(step));
        let body = self.body(body);
        let unroll = self.unroll(unroll);
        let kind = StmtKind::Loop { before: true, condition, step, body, unroll };
        list.push(Stmt::new(kind, origin));
        push_scope(list, origin, out);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of the statement")]
    fn range_for(
        &mut self,
        init: Option<StmtId>,
        variable: StmtId,
        range: ExprId,
        body: StmtId,
        unroll: &Option<Unroll>,
        origin: Origin,
        out: &mut Vec<Stmt>,
    ) {
        let mut list = Vec::new();
        if let Some(init) = init {
            self.statement(init, &mut list);
        }
        let range = match self.braced_range(range) {
            Some(array) => self.hidden_variable("range", array.ty, array, &mut list),
            None => self.expr(range),
        };
        let (first, last) = match self.range_bounds(range, origin, &mut list) {
            Ok(bounds) => bounds,
            Err(code) => {
                let what = "a range-based for".to_string();
                list.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
                // Of a container of the host's nothing is known; its loop may launch kernels.
                if self.cx.recorder.is_some() {
                    let mut inner = Vec::new();
                    self.declare_element(variable, Expr::poison(code, origin), &mut inner);
                    self.statement_list(body, &mut inner);
                    let unroll = port_ir::Unroll::None;
                    let (condition, step) = (None, None);
                    let kind =
                        StmtKind::Loop { before: true, condition, step, body: inner, unroll };
                    list.push(Stmt::new(kind, origin));
                }
                return push_scope(list, origin, out);
            }
        };
        let ty = first.ty;
        let current = self.hidden_variable("position", ty, first, &mut list);
        let last_ty = last.ty;
        let end = self.hidden_variable("end", last_ty.with_const(), last, &mut list);
        let differs = port_hir::BinaryOperator::NotEqual;
        let test = self.binary_of(differs, current.clone(), end, origin);
        let condition = Some(self.condition(test));
        let step = Some(self.advance(current.clone(), origin));
        let element = self.dereference_operator(current, origin);
        let mut inner = Vec::new();
        self.declare_element(variable, element, &mut inner);
        self.statement_list(body, &mut inner);
        let unroll = self.unroll(unroll);
        let kind = StmtKind::Loop { before: true, condition, step, body: inner, unroll };
        list.push(Stmt::new(kind, origin));
        push_scope(list, origin, out);
    }

    /// `{1, 2, 3}` as a range: an array of what its first element is.
    fn braced_range(&mut self, range: ExprId) -> Option<Expr> {
        let port_hir::ExprKind::InitList(items) = &self.hir().exprs[range].kind else {
            return None;
        };
        let first = items.first()?.value;
        let element = self.expr(first);
        let element = self.rvalue(element).ty.unqualified();
        if element.is_unknown() {
            return None;
        }
        let ty = self.cx.types.array(element, Some(items.len() as u64));
        Some(self.initialise_from(range, ty))
    }

    fn range_bounds(
        &mut self,
        range: Expr,
        origin: Origin,
        list: &mut Vec<Stmt>,
    ) -> Result<(Expr, Expr), &'static str> {
        if let Some(code) = range.poison_code() {
            return Err(code);
        }
        if let Kind::Array(_, Some(length)) = *self.cx.types.kind(range.ty) {
            let place = if range.is_place() { range } else { self.materialised(range) };
            let first = self.rvalue(place);
            let length = Expr::integer(i128::from(length), Type::LONG, origin);
            let last = self.pointer_add(first.clone(), length, false, origin);
            return last.map(|last| (first, last)).ok_or(crate::findings::UNKNOWN_TYPE);
        }
        let place = if range.is_place() {
            range
        } else {
            let ty = range.ty;
            self.hidden_variable("range", ty, range, list)
        };
        let begin = self.call_operator("begin", place.clone(), Vec::new(), origin);
        let end = self.call_operator("end", place.clone(), Vec::new(), origin);
        match (begin, end) {
            (Some(begin), Some(end)) => {
                let (begin, end) = (self.rvalue(begin), self.rvalue(end));
                match begin.poison_code().or_else(|| end.poison_code()) {
                    Some(code) => Err(code),
                    None => Ok((begin, end)),
                }
            }
            _ => {
                let what = format!("a range-based for over `{}`", self.cx.type_name(place.ty));
                Err(self.unsupported(origin, what))
            }
        }
    }

    fn advance(&mut self, place: Expr, origin: Origin) -> Expr {
        if self.cx.types.class(place.ty).is_some() {
            return match self.call_operator("operator++", place, Vec::new(), origin) {
                Some(done) => done,
                None => self.unsupported_here(origin, "an iterator without `++`"),
            };
        }
        let ty = place.ty;
        let kind = ExprKind::Increment { target: Box::new(place), decrement: false, prefix: true };
        Expr::place(kind, ty, origin)
    }

    fn dereference_operator(&mut self, place: Expr, origin: Origin) -> Expr {
        if self.cx.types.class(place.ty).is_some() {
            return match self.call_operator("operator*", place, Vec::new(), origin) {
                Some(done) => done,
                None => self.unsupported_here(origin, "an iterator without `*`"),
            };
        }
        self.dereference(place, origin)
    }

    /// The variable of a range-based for, made from the element.
    fn declare_element(&mut self, variable: StmtId, element: Expr, out: &mut Vec<Stmt>) {
        let (local, names) = match &self.hir().stmts[variable].kind {
            Hir::Locals(locals) => match locals.first() {
                Some(local) => (*local, None),
                None => return,
            },
            Hir::Bindings { whole, names } => (*whole, Some(names)),
            _ => return,
        };
        let definition = &self.hir().locals[local];
        let origin = definition.origin;
        let declared = self.ty(definition.ty);
        let ty = if self.cx.types.mentions_auto(declared) {
            self.deduce_auto(declared, &element).unwrap_or(Type::UNKNOWN)
        } else {
            declared
        };
        let value = self.convert(element, ty);
        if ty.is_unknown() {
            let code = value.poison_code().unwrap_or(crate::findings::UNKNOWN_TYPE);
            let what = format!("the variable `{}`", definition.name);
            out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
            self.body.bindings.insert(local, Binding::Poison(code));
            if let Some(names) = names {
                self.bind_parts(Expr::poison(code, origin), names, origin);
            }
            return;
        }
        let id = self.add_variable(definition.name.as_str(), ty, origin);
        self.body.bindings.insert(local, Binding::Variable(id));
        out.push(Stmt::new(StmtKind::Declare { variable: id, initial: Some(value) }, origin));
        if let Some(names) = names {
            let object = self.variable_place(id, origin);
            self.bind_parts(object, names, origin);
        }
    }

    fn unroll(&mut self, unroll: &Option<Unroll>) -> port_ir::Unroll {
        let Some(unroll) = unroll else { return port_ir::Unroll::None };
        match unroll.count {
            None => port_ir::Unroll::Full,
            Some(count) => match self.constant_integer(count, "the count of an unroll pragma") {
                Some(count) if count >= 1 => {
                    port_ir::Unroll::Times(u32::try_from(count).unwrap_or(u32::MAX))
                }
                // nvcc ignores other counts with a warning.
                _ => port_ir::Unroll::None,
            },
        }
    }

    fn switch(
        &mut self,
        init: Option<StmtId>,
        condition: &Condition,
        body: StmtId,
        origin: Origin,
        out: &mut Vec<Stmt>,
    ) {
        let mut list = Vec::new();
        if let Some(init) = init {
            self.statement(init, &mut list);
        }
        let selector = self.condition_of(condition, &mut list);
        let selector = match self.cx.types.class(selector.ty) {
            Some(_) => self.convert(selector, Type::INT),
            None => self.rvalue(selector),
        };
        let promoted = match self.cx.types.kind(selector.ty) {
            Kind::Enum(_) => selector.ty,
            _ => self.promoted(selector.ty),
        };
        let selector = if self.cx.types.is_integral(promoted) {
            self.convert_standard(selector, promoted)
        } else {
            selector
        };
        if selector.poison_code().is_none() && !self.is_selector(promoted) {
            return self.no_form("a switch over what is no integer", origin, out);
        }
        let mut arms = Arms::default();
        self.switch_body(body, promoted, &mut arms);
        list.append(&mut arms.broken);
        list.push(Stmt::new(StmtKind::Switch { selector, arms: arms.list }, origin));
        push_scope(list, origin, out);
    }

    fn is_selector(&self, ty: Type) -> bool {
        self.cx.types.is_integral(ty) || matches!(self.cx.types.kind(ty), Kind::Enum(_))
    }

    fn switch_body(&mut self, body: StmtId, ty: Type, arms: &mut Arms) {
        let Hir::Block(statements) = &self.hir().stmts[body].kind else {
            self.switch_statement(body, ty, arms);
            return;
        };
        for statement in statements {
            self.switch_statement(*statement, ty, arms);
        }
    }

    fn switch_statement(&mut self, id: StmtId, ty: Type, arms: &mut Arms) {
        let origin = self.hir().stmts[id].origin;
        let label = match &self.hir().stmts[id].kind {
            Hir::Case { value, upper } => match self.case_values(*value, *upper, ty, origin) {
                Ok(values) => Some((values, false)),
                Err(poison) => {
                    arms.broken.push(Stmt::new(StmtKind::Expr(poison), origin));
                    return;
                }
            },
            Hir::Default => Some((Vec::new(), true)),
            _ => None,
        };
        match label {
            Some((values, default)) => {
                if default && std::mem::replace(&mut arms.has_default, true) {
                    return self.no_form("a second `default` label", origin, &mut arms.broken);
                }
                if !values.iter().all(|value| arms.values.insert(*value)) {
                    let what = "a `case` label whose value another one has";
                    return self.no_form(what, origin, &mut arms.broken);
                }
                match arms.list.last_mut() {
                    // Several labels of one statement.
                    Some(arm) if arm.body.is_empty() => {
                        arm.values.extend(values);
                        arm.default |= default;
                    }
                    _ => arms.list.push(Arm { values, default, body: Vec::new() }),
                }
            }
            None => {
                let mut list = Vec::new();
                self.statement(id, &mut list);
                // Before the first label nothing is reached.
                if let Some(arm) = arms.list.last_mut() {
                    arm.body.extend(list);
                }
            }
        }
    }

    /// The values of a label, or what was reported instead.
    fn case_values(
        &mut self,
        value: ExprId,
        upper: Option<ExprId>,
        ty: Type,
        origin: Origin,
    ) -> Result<Vec<i128>, Expr> {
        let low = self.case_value(value, ty)?;
        let high = match upper {
            Some(upper) => self.case_value(upper, ty)?,
            None => low,
        };
        if high - low > limits::CASE_RANGE {
            let what = "values of a case range".to_string();
            let limit = limits::CASE_RANGE as u64;
            return Err(self.fail(origin, crate::findings::LimitExceeded { what, limit }));
        }
        Ok((low..=high).collect())
    }

    fn case_value(&mut self, value: ExprId, ty: Type) -> Result<i128, Expr> {
        let expr = self.expr_value(value);
        let origin = expr.origin;
        if let Some(code) = expr.poison_code() {
            return Err(Expr::poison(code, origin));
        }
        match self.evaluate(&expr).map(|value| self.convert_constant(value, expr.ty, ty)) {
            Some(Some(crate::value::Value::Integer(value)))
                if !self.cx.types.is_floating(expr.ty) =>
            {
                Ok(value)
            }
            Some(_) => Err(self.unsupported_here(origin, "a `case` label that is no integer")),
            None => Err(self.not_constant(&expr, origin, "a case label".to_string())),
        }
    }

    fn return_statement(&mut self, value: Option<ExprId>, origin: Origin, out: &mut Vec<Stmt>) {
        let result = self.body.result;
        let known = match result {
            ResultType::Fixed(ty) => Some(ty),
            ResultType::Deduced { found, .. } => found,
        };
        let is_void = known.is_some_and(|ty| self.cx.types.is_void(ty));
        let kind = match (value, result) {
            (None, _) if known.is_some() && !is_void => {
                let what = "a return without a value".to_string();
                let code = self.unsupported(origin, what.clone());
                StmtKind::Unsupported { code, what }
            }
            (None, ResultType::Deduced { pattern, .. }) => {
                self.body.result = ResultType::Deduced { pattern, found: Some(Type::VOID) };
                StmtKind::Return(None)
            }
            (None, ResultType::Fixed(_)) => StmtKind::Return(None),
            (Some(value), ResultType::Fixed(ty)) if self.cx.types.is_void(ty) => {
                // `return f();` of a function without result.
                let value = self.expr(value);
                out.push(Stmt::new(StmtKind::Expr(value), origin));
                StmtKind::Return(None)
            }
            (Some(value), ResultType::Fixed(ty)) => {
                let value = self.initialise_from(value, ty);
                StmtKind::Return(Some(value))
            }
            (Some(value), ResultType::Deduced { pattern, found }) => {
                let value = self.expr(value);
                if self.cx.types.is_void(value.ty) {
                    self.body.result = ResultType::Deduced { pattern, found: Some(Type::VOID) };
                    out.push(Stmt::new(StmtKind::Expr(value), origin));
                    StmtKind::Return(None)
                } else if is_void {
                    let what = "returns with a value and without one".to_string();
                    let code = self.unsupported(origin, what.clone());
                    StmtKind::Unsupported { code, what }
                } else {
                    let ty = match found {
                        Some(ty) => ty,
                        None => self.deduce_auto(pattern, &value).unwrap_or(Type::UNKNOWN),
                    };
                    self.body.result = ResultType::Deduced { pattern, found: Some(ty) };
                    let value = self.convert(value, ty);
                    StmtKind::Return(Some(value))
                }
            }
        };
        out.push(Stmt::new(kind, origin));
    }

    fn static_assert(
        &mut self,
        condition: ExprId,
        message: Option<ExprId>,
        origin: Origin,
        out: &mut Vec<Stmt>,
    ) {
        if self.cx.recorder.is_some() {
            return;
        }
        let holds = self.constant_condition(condition, "the condition of static_assert");
        if holds != Some(false) {
            return;
        }
        let message = message.and_then(|message| match &self.hir().exprs[message].kind {
            port_hir::ExprKind::Literal(literal) => Some(literal.spelling.as_str().to_string()),
            _ => None,
        });
        let message = message.unwrap_or_else(|| "the condition is false".to_string());
        let code = self.cx.report(self.env.unit, origin, StaticAssertFails { message });
        let what = "static_assert".to_string();
        out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
    }

    fn assembly(&mut self, assembly: &InlineAssembly, origin: Origin, out: &mut Vec<Stmt>) {
        let template = match &self.hir().exprs[assembly.template].kind {
            port_hir::ExprKind::Literal(literal) => match &literal.value {
                port_hir::LiteralValue::String { value, .. } => {
                    String::from_utf8_lossy(value).into_owned()
                }
                _ => String::new(),
            },
            _ => String::new(),
        };
        let opcode = match self.translated_assembly(&template, assembly, origin) {
            Ok(statements) => return push_scope(statements, origin, out),
            Err(opcode) => opcode,
        };
        let finding = InlineAssemblyFinding { opcode: opcode.clone() };
        let code = self.cx.report(self.env.unit, origin, finding);
        let what = format!("asm {opcode}");
        out.push(Stmt::new(StmtKind::Unsupported { code, what }, origin));
    }

    pub(crate) fn is_function_pointer(&self, ty: Type) -> bool {
        let pointee = self.cx.types.pointee(ty);
        pointee.is_some_and(|ty| matches!(self.cx.types.kind(ty), Kind::Function(_)))
    }

    /// `condition ? f : g` with the condition kept in a variable.
    fn choice_of_functions(&mut self, initial: &Expr, out: &mut Vec<Stmt>) -> Option<Expr> {
        let ExprKind::Conditional { condition, then, otherwise } = &initial.kind else {
            return None;
        };
        let function = |checker: &mut Self, expr: &Expr| {
            matches!(checker.evaluate(expr), Some(crate::value::Value::Function(_)))
        };
        if !function(self, then) || !function(self, otherwise) {
            return None;
        }
        let origin = initial.origin;
        let variable = self.add_variable("choice", Type::BOOL, origin);
        let kind = StmtKind::Declare { variable, initial: Some((**condition).clone()) };
        out.push(Stmt::new(kind, origin));
        let place = self.variable_place(variable, origin);
        let condition = Box::new(self.rvalue(place));
        let (then, otherwise) = (then.clone(), otherwise.clone());
        let kind = ExprKind::Conditional { condition, then, otherwise };
        Some(Expr::value(kind, initial.ty, origin))
    }

    /// Whether the function around assigns to a local, or takes its address.
    fn is_changed(&self, local: port_hir::LocalId) -> bool {
        self.body.function.is_none_or(|function| self.changes(function, local))
    }

    /// Whether a function assigns to a local of its own, or takes its address.
    pub(crate) fn changes(
        &self,
        function: crate::context::FunctionInstanceId,
        local: port_hir::LocalId,
    ) -> bool {
        let function = self.cx.function(function);
        let hir = self.cx.hir(function.environment.unit);
        let crate::context::FunctionSource::Function(id) = function.source else { return true };
        let port_hir::Body::Block(body) = hir.functions[id].body else { return true };
        let named = |expr: port_hir::ExprId| match &hir.exprs[expr].kind {
            port_hir::ExprKind::Name(name) => name.resolution == port_hir::Res::Local(local),
            _ => false,
        };
        let mut changed = false;
        let mut visit = |node: crate::walk::Node<'_>| {
            if let crate::walk::Node::Expr(expr) = node {
                changed |= match &hir.exprs[expr].kind {
                    port_hir::ExprKind::Assign { target, .. } => named(*target),
                    port_hir::ExprKind::Unary {
                        operator: port_hir::UnaryOperator::AddressOf,
                        operand,
                    } => named(*operand),
                    _ => false,
                };
            }
            !changed
        };
        crate::walk::Walk::new(hir, &mut visit).stmt(body);
        changed
    }

    /// Marks a variable's value as known.
    pub(crate) fn set_constant(&mut self, variable: VariableId, value: crate::value::Value) {
        if let Some(variable) = self.body.variables.get_mut(variable.index()) {
            variable.constant = Some(value);
        }
    }
}

/// Adds statements; more than one are a scope of their own.
fn push_scope(mut list: Vec<Stmt>, origin: Origin, out: &mut Vec<Stmt>) {
    if list.len() == 1 {
        out.append(&mut list);
    } else if !list.is_empty() {
        out.push(Stmt::new(StmtKind::Block(list), origin));
    }
}
