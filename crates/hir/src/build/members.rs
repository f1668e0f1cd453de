//! Members of library types: what `prop.warpSize` or `tile.shfl_down` names, where the object's type
//! is written in view.
//!
//! This is no typing: it follows declarations, initialisers and the signatures in the API tables,
//! and gives up where more would be needed. What it can't tell stays a plain member.

use std::collections::HashSet;
use std::sync::LazyLock;

use port_syntax::Symbol;

use super::Builder;
use crate::*;

/// Last parts of the qualified names that have rows: members are few, member accesses many.
static MEMBER_NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    port_api::rows().filter_map(|row| row.name.rsplit_once("::")).map(|(_, last)| last).collect()
});

/// How far types and initialisers are followed.
const LONGEST_PATH: u32 = 12;

impl Builder<'_> {
    /// The key of the row that a member of this object has.
    pub(super) fn library_member(&self, object: ExprId, member: Symbol) -> Option<Symbol> {
        if !MEMBER_NAMES.contains(member.as_str()) {
            return None;
        }
        let ty = self.library_type(object, LONGEST_PATH)?;
        let row = port_api::find(&format!("{ty}::{member}"))?;
        Some(Symbol::new(row.name))
    }

    /// The library type of an expression, of what it points to or of its elements.
    fn library_type(&self, expr: ExprId, depth: u32) -> Option<Symbol> {
        let depth = depth.checked_sub(1)?;
        match &self.module.exprs[expr].kind {
            ExprKind::Name(name) => match &name.resolution {
                Res::Local(id) => {
                    let local = &self.module.locals[*id];
                    self.library_of_type(local.ty, depth).or_else(|| {
                        match (&self.module.types[local.ty].kind, &local.initializer) {
                            (TyKind::Auto, Some(Initializer::Copy(value))) => {
                                self.library_type(*value, depth)
                            }
                            (TyKind::LValueReference(_), Some(Initializer::Copy(value))) => {
                                self.library_type(*value, depth)
                            }
                            (TyKind::Auto, Some(Initializer::Direct(values))) => {
                                self.library_type(*values.first()?, depth)
                            }
                            _ => None,
                        }
                    })
                }
                Res::Variable(id) => self.library_of_type(self.module.variables[*id].ty, depth),
                Res::Field { record, index } => {
                    let field = self.module.records[*record].fields.get(*index as usize)?;
                    self.library_of_type(field.ty, depth)
                }
                _ => None,
            },
            ExprKind::Unary { operand, .. } | ExprKind::Postfix { operand, .. } => {
                self.library_type(*operand, depth)
            }
            ExprKind::Index { object, .. } => self.library_type(*object, depth),
            ExprKind::Cast { ty, .. } | ExprKind::Construct { ty, .. } => {
                self.library_of_type(*ty, depth)
            }
            ExprKind::Call { callee, .. } => match &self.module.exprs[*callee].kind {
                ExprKind::Name(NameRef { resolution: Res::Api(key), .. }) => signature_type(*key),
                ExprKind::Name(NameRef { resolution: Res::Functions(functions), .. }) => {
                    let first = functions.first()?;
                    self.library_of_type(self.module.functions[*first].return_type, depth)
                }
                ExprKind::Member { member, .. } => match member.resolution {
                    Res::Api(key) => signature_type(key),
                    _ => None,
                },
                _ => None,
            },
            ExprKind::Member { object, member, .. } => match &member.resolution {
                Res::Api(key) => signature_type(*key),
                _ => {
                    let record = self.user_record(*object, depth)?;
                    let name = member.unqualified()?.name;
                    self.library_of_type(self.field_type(record, name)?, depth)
                }
            },
            _ => None,
        }
    }

    fn library_of_type(&self, ty: TyId, depth: u32) -> Option<Symbol> {
        let depth = depth.checked_sub(1)?;
        match &self.module.types[ty].kind {
            TyKind::Pointer(inner)
            | TyKind::LValueReference(inner)
            | TyKind::RValueReference(inner)
            | TyKind::Array { element: inner, .. } => self.library_of_type(*inner, depth),
            TyKind::Named(name) => match &name.resolution {
                Res::Api(key) => Some(*key),
                Res::Alias(id) => self.library_of_type(self.module.aliases[*id].ty, depth),
                _ => None,
            },
            _ => None,
        }
    }

    /// The user's record that an expression has, points to, or has as elements.
    fn user_record(&self, expr: ExprId, depth: u32) -> Option<RecordId> {
        let depth = depth.checked_sub(1)?;
        match &self.module.exprs[expr].kind {
            ExprKind::This => self.scopes.innermost_record(),
            ExprKind::Name(name) => {
                let ty = match &name.resolution {
                    Res::Local(id) => self.module.locals[*id].ty,
                    Res::Variable(id) => self.module.variables[*id].ty,
                    Res::Field { record, index } => {
                        self.module.records[*record].fields.get(*index as usize)?.ty
                    }
                    _ => return None,
                };
                self.record_behind(ty, depth)
            }
            ExprKind::Unary { operand, .. } => self.user_record(*operand, depth),
            ExprKind::Index { object, .. } => self.user_record(*object, depth),
            ExprKind::Member { object, member, .. } => {
                let record = self.user_record(*object, depth)?;
                let ty = self.field_type(record, member.unqualified()?.name)?;
                self.record_behind(ty, depth)
            }
            _ => None,
        }
    }

    fn record_behind(&self, ty: TyId, depth: u32) -> Option<RecordId> {
        let depth = depth.checked_sub(1)?;
        match &self.module.types[ty].kind {
            TyKind::Pointer(inner)
            | TyKind::LValueReference(inner)
            | TyKind::RValueReference(inner)
            | TyKind::Array { element: inner, .. } => self.record_behind(*inner, depth),
            _ => self.record_of_type(ty, 0).map(|(record, _)| record),
        }
    }

    fn field_type(&self, record: RecordId, name: Symbol) -> Option<TyId> {
        let (entry, _) = self.scopes.member(record, name)?;
        match self.scopes.entry(entry).value? {
            super::scope::Decl::Field(owner, index) => {
                Some(self.module.records[owner].fields.get(index as usize)?.ty)
            }
            super::scope::Decl::Variable(id) => Some(self.module.variables[id].ty),
            _ => None,
        }
    }
}

/// The library type that a row's first signature gives back: the name before the declared one,
/// looked up in the namespaces around it.
fn signature_type(key: Symbol) -> Option<Symbol> {
    let row = port_api::find(key.as_str())?;
    let mut text = *row.signatures.first()?;
    if let Some(rest) = text.strip_prefix("template") {
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '<') - i32::from(c == '>');
            c == '>' && depth == 0
        })?;
        text = rest.get(end + 1..)?;
    }
    let text = text.trim_start().trim_start_matches("const ");
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    let name = &text[..end];
    let mut scope = row.name;
    while let Some((outer, _)) = scope.rsplit_once("::") {
        scope = outer;
        if let Some(row) = port_api::find(&format!("{scope}::{name}")) {
            return Some(Symbol::new(row.name));
        }
    }
    port_api::find(name).map(|row| Symbol::new(row.name))
}
