//! Parameter packs: how long a pattern's packs are, and its elements.

use port_hir::{ExprId, ExprKind, LocalId, Res, TyId, TyKind};

use crate::check::{Binding, Checker};
use crate::value::Argument;
use crate::walk::{Node, Walk};

impl<'h> Checker<'_, 'h> {
    /// Runs `work` for one element of the packs.
    pub(crate) fn with_pack<R>(&mut self, index: usize, work: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.pack.replace(index);
        let result = work(self);
        self.pack = outer;
        result
    }

    /// The number of elements of the packs in a pattern; `None` if it has none.
    pub(crate) fn pack_length_of_type(&self, pattern: TyId) -> Option<usize> {
        self.pack_length(|walk| walk.ty(pattern))
    }

    /// The number of elements of the packs in a pattern; `None` if it has none.
    pub(crate) fn pack_length_of_expr(&self, pattern: ExprId) -> Option<usize> {
        self.pack_length(|walk| walk.expr(pattern))
    }

    fn pack_length(&self, start: impl FnOnce(&mut Walk<'h, '_>)) -> Option<usize> {
        let hir = self.hir();
        let mut length = None;
        let mut visit = |node: Node<'h>| {
            match node {
                // The packs of an inner expansion are its own.
                Node::Expr(id) => return !matches!(hir.exprs[id].kind, ExprKind::PackExpansion(_)),
                Node::Ty(id) => {
                    if let TyKind::AbbreviatedParameter(parameter) = hir.types[id].kind
                        && let Some(Argument::Pack(list)) = self.env.get(parameter)
                    {
                        length = length.or(Some(list.len()));
                    }
                    return !matches!(hir.types[id].kind, TyKind::PackExpansion(_));
                }
                Node::Name(name) => {
                    let found = match prefix(&name.resolution) {
                        Res::TemplateParameter(parameter) => match self.env.get(*parameter) {
                            Some(Argument::Pack(list)) => Some(list.len()),
                            _ => None,
                        },
                        Res::Local(local) => self.local_pack_length(*local),
                        _ => None,
                    };
                    length = length.or(found);
                }
                _ => {}
            }
            true
        };
        start(&mut Walk::new(hir, &mut visit));
        length
    }

    fn local_pack_length(&self, local: LocalId) -> Option<usize> {
        match self.body.bindings.get(&local) {
            Some(Binding::Pack(elements)) => Some(elements.len()),
            _ => None,
        }
    }
}

/// What the first part of a name means.
fn prefix(res: &Res) -> &Res {
    match res {
        Res::Member { prefix: inner, .. } => prefix(inner),
        other => other,
    }
}
