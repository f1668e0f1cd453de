//! Whether two types, as written, are the same: to join redeclarations. Template parameters compare
//! by position, expressions by their tokens.

use super::Builder;
use crate::*;

/// Types nested deeper than this are taken to differ.
const DEEPEST: u32 = 64;

impl Builder<'_> {
    pub(super) fn same_type(&self, a: TyId, b: TyId) -> bool {
        self.same_type_at(a, b, true, DEEPEST)
    }

    /// As the types of two parameters: their own `const` does not count.
    pub(super) fn same_parameter_type(&self, a: TyId, b: TyId) -> bool {
        self.same_type_at(a, b, false, DEEPEST)
    }

    pub(super) fn same_arguments(&self, a: &[TemplateArgument], b: &[TemplateArgument]) -> bool {
        self.same_arguments_at(a, b, DEEPEST)
    }

    fn same_arguments_at(
        &self,
        a: &[TemplateArgument],
        b: &[TemplateArgument],
        depth: u32,
    ) -> bool {
        a.len() == b.len()
            && a.iter().zip(b).all(|(a, b)| match (a, b) {
                (TemplateArgument::Type(a), TemplateArgument::Type(b)) => {
                    self.same_type_at(*a, *b, true, depth)
                }
                (TemplateArgument::Value(a), TemplateArgument::Value(b)) => self.same_value(*a, *b),
                _ => false,
            })
    }

    fn same_type_at(&self, a: TyId, b: TyId, qualifiers: bool, depth: u32) -> bool {
        if a == b {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else { return false };
        let (a, b) = (&self.module.types[a], &self.module.types[b]);
        // `__restrict__` is no part of a signature.
        if qualifiers
            && (a.qualifiers.constant, a.qualifiers.volatile)
                != (b.qualifiers.constant, b.qualifiers.volatile)
        {
            return false;
        }
        let same = |a: TyId, b: TyId| self.same_type_at(a, b, true, depth);
        match (&a.kind, &b.kind) {
            (TyKind::Named(a), TyKind::Named(b)) => self.same_name(a, b, depth),
            (TyKind::Pointer(a), TyKind::Pointer(b))
            | (TyKind::LValueReference(a), TyKind::LValueReference(b))
            | (TyKind::RValueReference(a), TyKind::RValueReference(b))
            | (TyKind::PackExpansion(a), TyKind::PackExpansion(b)) => same(*a, *b),
            (TyKind::Array { element: a, extent: x }, TyKind::Array { element: b, extent: y }) => {
                same(*a, *b)
                    && match (x, y) {
                        (Some(x), Some(y)) => self.same_value(*x, *y),
                        (None, None) => true,
                        _ => false,
                    }
            }
            // A parameter of array type is a pointer.
            (TyKind::Array { element: a, .. }, TyKind::Pointer(b))
            | (TyKind::Pointer(a), TyKind::Array { element: b, .. })
                if !qualifiers =>
            {
                same(*a, *b)
            }
            (
                TyKind::Function { parameters: a, variadic: x, result: r },
                TyKind::Function { parameters: b, variadic: y, result: s },
            ) => {
                x == y
                    && a.len() == b.len()
                    && same(*r, *s)
                    && a.iter().zip(b).all(|(a, b)| self.same_type_at(*a, *b, false, depth))
            }
            (
                TyKind::MemberPointer { class: a, pointee: x },
                TyKind::MemberPointer { class: b, pointee: y },
            ) => self.same_name(a, b, depth) && same(*x, *y),
            (TyKind::Decltype(a), TyKind::Decltype(b)) => self.same_value(*a, *b),
            (a, b) => a == b,
        }
    }

    fn same_name(&self, a: &NameRef, b: &NameRef, depth: u32) -> bool {
        // Arguments inside a qualifier count when the name is a member of an instance.
        let member = matches!(a.resolution, Res::Member { .. });
        let unknown = matches!(a.resolution, Res::Unresolved | Res::Dependent);
        if a.resolution != b.resolution {
            return false;
        }
        let no_arguments: &[TemplateArgument] = &[];
        let arguments = |segment: &Segment| segment.arguments.is_some();
        if member || unknown {
            return a.segments.len() == b.segments.len()
                && a.segments.iter().zip(&b.segments).all(|(a, b)| {
                    a.name == b.name
                        && self.same_arguments_at(
                            a.arguments.as_deref().unwrap_or(no_arguments),
                            b.arguments.as_deref().unwrap_or(no_arguments),
                            depth,
                        )
                });
        }
        match (a.last(), b.last()) {
            (Some(x), Some(y)) => {
                // Inside a class its bare name stands for itself with its own parameters.
                if arguments(x) != arguments(y) {
                    return matches!(a.resolution, Res::Record(_));
                }
                self.same_arguments_at(
                    x.arguments.as_deref().unwrap_or(no_arguments),
                    y.arguments.as_deref().unwrap_or(no_arguments),
                    depth,
                )
            }
            _ => false,
        }
    }

    /// By what the names in them mean, else by spelling: `N` and `M` of two headers are the same
    /// parameter.
    pub(super) fn same_value(&self, a: ExprId, b: ExprId) -> bool {
        if a == b {
            return true;
        }
        let (a, b) = (&self.module.exprs[a], &self.module.exprs[b]);
        if let (ExprKind::Name(x), ExprKind::Name(y)) = (&a.kind, &b.kind)
            && !matches!(x.resolution, Res::Unresolved | Res::Dependent | Res::Member { .. })
        {
            return x.resolution == y.resolution;
        }
        if let (ExprKind::Literal(x), ExprKind::Literal(y)) = (&a.kind, &b.kind) {
            return x.value == y.value;
        }
        let tokens = |expr: &Expr| self.unit.tokens.get(expr.tokens.range());
        match (tokens(a), tokens(b)) {
            (Some(x), Some(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(x, y)| x.text == y.text)
            }
            _ => false,
        }
    }
}
