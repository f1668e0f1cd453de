//! Types of expressions as far as declarations tell them: enough to know that `prop` in
//! `prop.warpSize` is a `cudaDeviceProp`, or that `v[i]` is a `half2`. Nothing is instantiated or
//! deduced; what a declaration does not say is unknown.

use std::collections::HashMap;

use port_diag::Span;
use port_hir::{ExprId, ExprKind, Module, Name, Res, TyId, TyKind, UnaryOperator};

/// How deep a chain of members, indices and aliases is followed.
const MAX_DEPTH: u32 = 32;

/// The members that are read in a module, by the span of the member's name.
pub fn members(module: &Module) -> HashMap<Span, ExprId> {
    let mut members = HashMap::new();
    for (id, expr) in module.exprs.iter() {
        if let ExprKind::Member { member, .. } = &expr.kind
            && let Some(last) = member.last()
        {
            members.entry(last.origin.span).or_insert(id);
        }
    }
    members
}

/// The API type of the object of a member expression, through pointers and references.
pub fn api_type_of_object(module: &Module, member: ExprId) -> Option<Name> {
    let ExprKind::Member { object, .. } = &module.exprs[member].kind else { return None };
    api_type(module, type_of(module, *object, 0)?, 0)
}

/// The API type that a type is, or points or refers to.
fn api_type(module: &Module, ty: TyId, depth: u32) -> Option<Name> {
    if depth > MAX_DEPTH {
        return None;
    }
    match &module.types[ty].kind {
        TyKind::Named(name) => match &name.resolution {
            Res::Api(key) => Some(*key),
            Res::Alias(alias) => api_type(module, module.aliases[*alias].ty, depth + 1),
            _ => None,
        },
        TyKind::Pointer(inner)
        | TyKind::LValueReference(inner)
        | TyKind::RValueReference(inner) => api_type(module, *inner, depth + 1),
        _ => None,
    }
}

/// The declared type of an expression.
fn type_of(module: &Module, expr: ExprId, depth: u32) -> Option<TyId> {
    if depth > MAX_DEPTH {
        return None;
    }
    match &module.exprs[expr].kind {
        ExprKind::Name(name) => match &name.resolution {
            Res::Local(local) => Some(module.locals[*local].ty),
            Res::Variable(variable) => Some(module.variables[*variable].ty),
            Res::Field { record, index } => {
                Some(module.records[*record].fields.get(*index as usize)?.ty)
            }
            _ => None,
        },
        ExprKind::Index { object, .. } => {
            element(module, type_of(module, *object, depth + 1)?, depth)
        }
        ExprKind::Unary { operator: UnaryOperator::Dereference, operand } => {
            element(module, type_of(module, *operand, depth + 1)?, depth)
        }
        ExprKind::Cast { ty, .. } | ExprKind::Construct { ty, .. } => Some(*ty),
        ExprKind::Member { object, member, .. } => {
            let record = record(module, type_of(module, *object, depth + 1)?, depth)?;
            let name = member.last()?.name;
            let field = module.records[record].fields.iter().find(|field| field.name == name)?;
            Some(field.ty)
        }
        ExprKind::Call { callee, .. } => match &module.exprs[*callee].kind {
            ExprKind::Name(name) => match &name.resolution {
                Res::Functions(functions) => match functions.as_slice() {
                    [only] => Some(module.functions[*only].return_type),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// What an array or a pointer holds.
fn element(module: &Module, ty: TyId, depth: u32) -> Option<TyId> {
    if depth > MAX_DEPTH {
        return None;
    }
    match &module.types[ty].kind {
        TyKind::Array { element, .. } => Some(*element),
        TyKind::Pointer(inner) => Some(*inner),
        TyKind::LValueReference(inner) => element(module, *inner, depth + 1),
        TyKind::Named(name) => match &name.resolution {
            Res::Alias(alias) => element(module, module.aliases[*alias].ty, depth + 1),
            _ => None,
        },
        _ => None,
    }
}

/// The user's record that a type is, or points or refers to.
fn record(module: &Module, ty: TyId, depth: u32) -> Option<port_hir::RecordId> {
    if depth > MAX_DEPTH {
        return None;
    }
    match &module.types[ty].kind {
        TyKind::Named(name) => match &name.resolution {
            Res::Record(record) => Some(*record),
            Res::Alias(alias) => record(module, module.aliases[*alias].ty, depth + 1),
            _ => None,
        },
        TyKind::Pointer(inner)
        | TyKind::LValueReference(inner)
        | TyKind::RValueReference(inner) => record(module, *inner, depth + 1),
        _ => None,
    }
}
