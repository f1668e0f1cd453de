//! Structured bindings: `auto [a, b] = e;`

use std::rc::Rc;

use port_diag::Origin;
use port_hir::LocalId;

use crate::check::{Binding, Checker};
use crate::ty::{Kind, Type};
use crate::typed::{Expr, Stmt};

impl Checker<'_, '_> {
    /// Declares the hidden variable and binds the names to its parts.
    pub(crate) fn bindings(&mut self, whole: LocalId, names: &[LocalId], out: &mut Vec<Stmt>) {
        self.declare_local(whole, out);
        let origin = self.hir().locals[whole].origin;
        let object = self.local(whole, origin);
        self.bind_parts(object, names, origin);
    }

    /// Binds names to the parts of an object.
    pub(crate) fn bind_parts(&mut self, object: Expr, names: &[LocalId], origin: Origin) {
        let parts = match object.poison_code() {
            Some(code) => Err(code),
            None => self.parts(&object, names.len(), origin),
        };
        for (index, name) in names.iter().enumerate() {
            let binding = match &parts {
                Ok(parts) => match parts.get(index) {
                    Some(part) => Binding::Place(Rc::new(part.clone())),
                    None => Binding::Poison(crate::findings::UNKNOWN_TYPE),
                },
                Err(code) => Binding::Poison(code),
            };
            self.body.bindings.insert(*name, binding);
        }
    }

    fn parts(
        &mut self,
        object: &Expr,
        count: usize,
        origin: Origin,
    ) -> Result<Vec<Expr>, &'static str> {
        let mut parts = Vec::new();
        match *self.cx.types.kind(object.ty) {
            Kind::Array(_, Some(length)) if length == count as u64 => {
                for index in 0..count {
                    let index = Expr::integer(index as i128, Type::INT, origin);
                    parts.push(self.subscript(object.clone(), index, origin));
                }
            }
            Kind::Vector { count: length, .. } if usize::from(length) == count => {
                for index in 0..count {
                    parts.push(self.component(object.clone(), index as u32, origin));
                }
            }
            Kind::Class(class) => {
                self.complete(class);
                // All members are of one class: this one, or a base.
                let mut owner = class;
                while self.cx.class(owner).fields.is_empty() {
                    match self.cx.class(owner).bases.first() {
                        Some(base) => owner = base.class,
                        None => break,
                    }
                }
                if self.cx.class(owner).fields.len() == count {
                    let ty = self.class_type(owner);
                    let object = self.base_part(object.clone(), ty);
                    for index in 0..count {
                        parts.push(self.field(object.clone(), owner, index as u32, origin));
                    }
                }
            }
            _ => {}
        }
        if parts.len() == count {
            return Ok(parts);
        }
        let what = format!("a structured binding of `{}`", self.cx.type_name(object.ty));
        Err(self.unsupported(origin, what))
    }

    /// A temporary variable that holds a value, and the statement that declares it.
    pub(crate) fn hidden_variable(
        &mut self,
        name: &str,
        ty: Type,
        value: Expr,
        out: &mut Vec<Stmt>,
    ) -> Expr {
        let origin = value.origin;
        let variable = self.add_variable(name, ty, origin);
        let kind = crate::typed::StmtKind::Declare { variable, initial: Some(value) };
        out.push(Stmt::new(kind, origin));
        self.variable_place(variable, origin)
    }
}
