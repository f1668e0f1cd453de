//! How a body uses its variables: which are only read, so that they are values and need no memory.

use crate::typed::{Body, Expr, ExprKind, Stmt, StmtKind, VariableId};

/// What is done with a variable besides its declaration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// How often it, or a part of it, is read.
    pub(crate) reads: u32,
    /// Whether it is stored to.
    pub(crate) written: bool,
    /// Whether its address is taken, to read through it.
    pub(crate) addressed: bool,
    /// Whether its address is taken in a way that may change it.
    pub(crate) exposed: bool,
    /// Whether it is declared with a value.
    pub(crate) initial: bool,
}

impl Usage {
    /// Whether the variable is its first value for as long as it lives, and nobody asks where it is.
    pub(crate) fn is_value(&self) -> bool {
        self.initial && !self.written && !self.addressed && !self.exposed
    }
}

/// The usage of each variable.
pub(crate) fn usage(body: &Body) -> Vec<Usage> {
    let mut usage = vec![Usage::default(); body.variables.len()];
    for parameter in &body.parameters {
        if let Some(variable) = parameter.variable
            && let Some(slot) = usage.get_mut(variable.index())
        {
            slot.initial = true;
        }
    }
    statements(&body.statements, &mut usage);
    usage
}

fn statements(list: &[Stmt], usage: &mut Vec<Usage>) {
    for statement in list {
        if let StmtKind::Declare { variable, initial } = &statement.kind {
            let slot = &mut usage[variable.index()];
            // Declared twice (the body was looked at again): no value.
            slot.written |= slot.initial;
            slot.initial |= initial.is_some();
        }
        statement.for_each_expr(&mut |part| expr(part, usage));
        statement.for_each_block(&mut |block| statements(block, usage));
    }
}

/// The variable that a place is, or is a part of.
pub(crate) fn root(place: &Expr) -> Option<VariableId> {
    match &place.kind {
        ExprKind::Variable(id) => Some(*id),
        ExprKind::Member { object, .. }
        | ExprKind::Base { object, .. }
        | ExprKind::Component { object, .. }
            if object.is_place() =>
        {
            root(object)
        }
        _ => None,
    }
}

fn expr(e: &Expr, usage: &mut Vec<Usage>) {
    match &e.kind {
        ExprKind::Load(place) => match root(place) {
            Some(id) => usage[id.index()].reads += 1,
            None => expr(place, usage),
        },
        ExprKind::AddressOf(place) | ExprKind::Decay(place) => match root(place) {
            Some(id) => {
                // A pointer to const is not used to write: `const_cast` of an object that is a plain
                // variable is the exception that C++ allows and nobody writes in a kernel.
                let constant = place.ty.constant || array_of_constants(place);
                let slot = &mut usage[id.index()];
                if constant {
                    slot.addressed = true;
                } else {
                    slot.exposed = true;
                }
            }
            None => expr(place, usage),
        },
        ExprKind::Assign { target, value } | ExprKind::Initialise { target, value } => {
            write(target, usage);
            expr(value, usage);
        }
        ExprKind::CompoundAssign { target, value, .. } => {
            write(target, usage);
            expr(value, usage);
        }
        ExprKind::Increment { target, .. } => write(target, usage),
        // A place that is used as a place: by its address.
        ExprKind::Variable(id) => usage[id.index()].exposed = true,
        ExprKind::Statements(list, value) => {
            statements(list, usage);
            if let Some(value) = value {
                expr(value, usage);
            }
        }
        _ => e.for_each_part(&mut |part| expr(part, usage)),
    }
}

fn array_of_constants(_place: &Expr) -> bool {
    false
}

fn write(target: &Expr, usage: &mut Vec<Usage>) {
    match root(target) {
        Some(id) => usage[id.index()].written = true,
        None => expr(target, usage),
    }
}
