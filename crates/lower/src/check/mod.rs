//! Checking: from the tree as written to the typed tree, under known template arguments.
//!
//! A [`Checker`] looks at one place (a function's body, a class's members, a template argument); it
//! makes another for each thing that it has to instantiate on the way. What it cannot understand it
//! reports once and leaves behind as poison. It emits nothing.

mod assembly;
mod binding;
mod call;
mod cast;
mod function;
mod initialise;
mod lambda;
mod member;
mod name;
mod operator;
mod pack;
mod primary;
mod statement;

use std::collections::HashMap;
use std::rc::Rc;

use port_diag::{Finding, Origin};
use port_hir::{LocalId, Module};

use crate::context::{Context, FunctionInstanceId, GlobalId};
use crate::ty::Type;
use crate::typed::{Expr, ExprKind, Variable, VariableId};
use crate::value::{Environment, Value};

/// What a local name of the source means in the body that is checked.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    Variable(VariableId),
    /// A structured binding, or what a closure captured.
    Place(Rc<Expr>),
    Constant(Value, Type),
    Global(GlobalId),
    /// The elements of a parameter pack.
    Pack(Vec<Binding>),
    /// Only its type may be asked for.
    TypeOnly(Type),
    Poison(&'static str),
}

/// What is known of a function's result.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ResultType {
    Fixed(Type),
    /// `auto`, and what the return statements so far gave.
    Deduced {
        pattern: Type,
        found: Option<Type>,
    },
}

/// What belongs to the body that is checked.
pub(crate) struct BodyContext {
    pub(crate) bindings: HashMap<LocalId, Binding>,
    pub(crate) variables: Vec<Variable>,
    /// The object's pointer, and its class with the qualifiers of the function.
    pub(crate) this: Option<(Expr, Type)>,
    pub(crate) result: ResultType,
    pub(crate) function: Option<FunctionInstanceId>,
    /// Names what is made for the body: its shared variables.
    pub(crate) name: String,
    /// How many elements of a pack in a braced list were taken.
    pub(crate) list_pack: HashMap<port_hir::ExprId, usize>,
    /// Loops around, and switches.
    pub(crate) loops: u32,
    pub(crate) switches: u32,
    /// Operands around that are not evaluated.
    pub(crate) unevaluated: u32,
}

impl Default for BodyContext {
    fn default() -> Self {
        BodyContext {
            bindings: HashMap::new(),
            variables: Vec::new(),
            this: None,
            result: ResultType::Fixed(Type::VOID),
            function: None,
            name: String::new(),
            list_pack: HashMap::new(),
            loops: 0,
            switches: 0,
            unevaluated: 0,
        }
    }
}

/// See the module.
pub(crate) struct Checker<'c, 'h> {
    pub(crate) cx: &'c mut Context<'h>,
    pub(crate) env: Environment,
    /// Which element of the packs is meant, inside a pack expansion.
    pub(crate) pack: Option<usize>,
    /// Nested expressions, statements and types that are open.
    pub(crate) nesting: u32,
    pub(crate) body: BodyContext,
}

/// Expressions, statements and types nested deeper than this are not looked at.
const NESTING: u32 = 400;
/// With this many instantiations open, nesting is theirs.
const TEMPLATES: usize = 50;

impl<'c, 'h> Checker<'c, 'h> {
    /// For a place outside function bodies.
    pub(crate) fn new(cx: &'c mut Context<'h>, env: Environment) -> Self {
        Checker { cx, env, pack: None, nesting: 0, body: BodyContext::default() }
    }

    /// The module that the place is in.
    pub(crate) fn hir(&self) -> &'h Module {
        self.cx.hir(self.env.unit)
    }

    /// A checker for another place, outside bodies.
    pub(crate) fn at<'n>(&'n mut self, env: Environment) -> Checker<'n, 'h> {
        Checker {
            cx: self.cx,
            env,
            pack: None,
            nesting: self.nesting,
            body: BodyContext::default(),
        }
    }

    /// Reports, and gives poison.
    pub(crate) fn fail<F: Finding>(&mut self, origin: Origin, finding: F) -> Expr {
        let code = self.cx.report(self.env.unit, origin, finding);
        Expr::poison(code, origin)
    }

    /// Runs `work` without reporting; gives its result, or `None` if it found something wrong.
    pub(crate) fn attempt<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> Option<R> {
        let before = self.cx.failures;
        self.cx.quiet += 1;
        let result = work(self);
        self.cx.quiet -= 1;
        let failed = self.cx.failures != before;
        self.cx.failures = before;
        (!failed).then_some(result)
    }

    /// Enters a nested node; `None`, with a finding, if that is too deep.
    pub(crate) fn enter(&mut self, origin: Origin) -> Result<(), &'static str> {
        if self.nesting >= NESTING {
            // No one writes this much; templates inside each other do.
            let open = self.cx.depth as usize + self.cx.evaluating.len();
            if open >= TEMPLATES {
                let unit = self.env.unit;
                return Err(self.cx.endless(unit, origin, open as u64));
            }
            let what = "nested expressions, statements and types".to_string();
            return Err(self.cx.report(
                self.env.unit,
                origin,
                crate::findings::LimitExceeded { what, limit: u64::from(NESTING) },
            ));
        }
        self.nesting += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.nesting = self.nesting.saturating_sub(1);
    }

    /// Adds a variable to the body.
    pub(crate) fn add_variable(&mut self, name: &str, ty: Type, origin: Origin) -> VariableId {
        let id = VariableId(self.body.variables.len() as u32);
        self.body.variables.push(Variable {
            name: name.to_string(),
            ty,
            constant: None,
            align: None,
            origin,
        });
        id
    }

    /// The place that a variable of the body is, or refers to.
    pub(crate) fn variable_place(&mut self, id: VariableId, origin: Origin) -> Expr {
        let ty = self.body.variables.get(id.index()).map_or(Type::UNKNOWN, |v| v.ty);
        let referee = self.cx.types.strip_reference(ty);
        if referee == ty {
            return Expr::place(ExprKind::Variable(id), ty, origin);
        }
        // A reference is a pointer that is followed wherever it is named.
        let pointer_type = self.cx.types.pointer(referee);
        let variable = Expr::place(ExprKind::Variable(id), pointer_type, origin);
        let pointer = Expr::value(ExprKind::Load(Box::new(variable)), pointer_type, origin);
        Expr::place(ExprKind::Deref(Box::new(pointer)), referee, origin)
    }
}

impl VariableId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
