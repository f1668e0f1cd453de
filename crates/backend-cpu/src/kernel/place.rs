//! Addresses and what lies there.
//!
//! A pointer of the IR has no type; in C++ it has that of what the IR's expressions say of it, and
//! is converted where an access wants another.

use port_ir::{Conversion, Expression, Extent, Handle, Type, Value, Variable};

use super::NotCompiled;
use super::block::Emitter;
use super::expression::{Level, Text};
use super::schedule::Home;
use super::types::refuse;

/// A pointer, and what its C++ type points at; `None` for `void*`.
pub(super) struct Pointer {
    pub(super) text: Text,
    pub(super) pointee: Option<Type>,
}

impl Emitter<'_, '_, '_> {
    /// What a pointer's C++ type points at.
    pub(super) fn natural(&self, value: Value) -> Option<Type> {
        let facts = self.facts;
        match facts.expression(value) {
            Expression::Element { element, .. } => Some(*element),
            Expression::Member { structure, index, .. } => {
                let structure = &facts.module.types.structs()[*structure];
                Some(structure.members.get(*index as usize)?.ty)
            }
            Expression::Local(local) => Some(facts.function.locals[*local].ty),
            Expression::Variable(variable) => Some(self.variable_pointee(*variable)),
            Expression::Argument(index) => {
                let parameter = facts.function.parameters.get(*index as usize)?;
                self.usable(parameter.pointee?)
            }
            Expression::ArgumentAddress(index) => {
                Some(facts.function.parameters.get(*index as usize)?.ty)
            }
            Expression::Convert { kind: Conversion::Space, value, .. } => self.natural(*value),
            Expression::FragmentElement { fragment, .. } => {
                Some(Type::Scalar(fragment.element.storage()))
            }
            _ => None,
        }
    }

    /// A pointee that has a layout; without one a pointer is `void*`.
    pub(super) fn usable(&self, ty: Type) -> Option<Type> {
        let layout = self.facts.module.types.layout(ty)?;
        (layout.size > 0).then_some(ty)
    }

    /// What the pointer to a module's variable points at: of an array its elements.
    pub(super) fn variable_pointee(&self, variable: Handle<Variable>) -> Type {
        let variable = &self.facts.module.variables[variable];
        match (variable.extent, variable.ty) {
            (Extent::Fixed, Type::Array(array)) => self.facts.module.types.arrays()[array].element,
            (_, ty) => ty,
        }
    }

    /// The C++ type of a pointer.
    pub(super) fn pointer_type(&mut self, pointee: Option<Type>) -> Result<String, NotCompiled> {
        Ok(match pointee {
            Some(ty) => format!("{}*", self.spelling.pointee(ty)?),
            None => "void*".to_string(),
        })
    }

    /// A pointer as it is.
    pub(super) fn pointer(&mut self, value: Value) -> Result<Pointer, NotCompiled> {
        let pointee = self.natural(value);
        if let Some(text) = self.known(value) {
            return Ok(Pointer { text, pointee });
        }
        let facts = self.facts;
        if facts.named.contains_key(&value)
            && !matches!(facts.expression(value), Expression::Result(_))
        {
            let text = self.declare(value)?;
            return Ok(Pointer { text, pointee });
        }
        self.address(value)
    }

    /// A pointer by what computes it.
    pub(super) fn address(&mut self, value: Value) -> Result<Pointer, NotCompiled> {
        let pointee = self.natural(value);
        let facts = self.facts;
        let text = match facts.expression(value) {
            Expression::Element { base, element, index } => {
                let base = self.typed(*base, *element)?;
                let index = self.value(*index)?;
                if index.text == "0" || index.text == "0u" {
                    return Ok(Pointer { text: base, pointee });
                }
                Text::at(
                    format!("{} + {}", base.in_level(Level::Sum), index.in_level(Level::Product)),
                    Level::Sum,
                )
            }
            Expression::Member { structure, index, base } => {
                let declared = self.spelling.structure(*structure)?;
                if declared.members.is_some()
                    && let Some(place) = self.direct(value, pointee.unwrap_or(Type::BOOL))?
                {
                    Text::at(format!("&{}", place.in_level(Level::Primary)), Level::Unary)
                } else {
                    let member = &facts.module.types.structs()[*structure].members[*index as usize];
                    let base = self.value(*base)?;
                    let spelled = self.pointer_type(pointee)?;
                    Text::primary(format!(
                        "reinterpret_cast<{spelled}>(byte_of({}, {}))",
                        base.text, member.offset
                    ))
                }
            }
            Expression::Local(_) | Expression::ArgumentAddress(_) => {
                let ty = pointee.unwrap_or(Type::BOOL);
                let Some(place) = self.direct(value, ty)? else {
                    return Err(refuse("it takes the address of what has none"));
                };
                Text::at(format!("&{}", place.in_level(Level::Primary)), Level::Unary)
            }
            Expression::Variable(variable) => Text::primary(self.variable_name(*variable)?),
            Expression::FragmentElement { base, fragment, index } => {
                let base = self.lvalue(*base, Type::Fragment(*fragment))?;
                let index = self.value(*index)?;
                Text::at(
                    format!("&{}.values[{}]", base.in_level(Level::Primary), index.text),
                    Level::Unary,
                )
            }
            Expression::Convert { kind: Conversion::Space, value, .. } => {
                return self.pointer(*value);
            }
            _ => self.value(value)?,
        };
        Ok(Pointer { text, pointee })
    }

    /// A pointer as one to `ty`.
    pub(super) fn typed(&mut self, value: Value, ty: Type) -> Result<Text, NotCompiled> {
        let natural = self.natural(value);
        if natural == Some(ty) {
            return Ok(self.pointer(value)?.text);
        }
        // An array begins with its first element.
        if let Some(Type::Array(array)) = natural
            && self.facts.module.types.arrays()[array].element == ty
            && self.known(value).is_none()
        {
            let place = self.lvalue(value, Type::Array(array))?;
            return Ok(Text::primary(format!("{}.data()", place.in_level(Level::Primary))));
        }
        let pointer = self.pointer(value)?;
        let spelled = self.spelling.pointee(ty)?;
        let cast = if pointer.pointee.is_none() { "static_cast" } else { "reinterpret_cast" };
        Ok(Text::primary(format!("{cast}<{spelled}*>({})", pointer.text.text)))
    }

    /// What lies at a pointer, read as `ty`.
    pub(super) fn lvalue(&mut self, value: Value, ty: Type) -> Result<Text, NotCompiled> {
        let natural = self.natural(value);
        if natural == Some(ty)
            && self.known(value).is_none()
            && !self.facts.named.contains_key(&value)
            && let Some(place) = self.direct(value, ty)?
        {
            return Ok(place);
        }
        let pointer = self.typed(value, ty)?;
        Ok(Text::at(format!("*{}", pointer.in_level(Level::Unary)), Level::Unary))
    }

    /// What lies at a pointer, by what computes the pointer.
    fn direct(&mut self, value: Value, ty: Type) -> Result<Option<Text>, NotCompiled> {
        let facts = self.facts;
        Ok(Some(match facts.expression(value) {
            Expression::Element { base, element, index } => {
                let base = self.indexed(*base, *element)?;
                let index = self.index(*index)?;
                Text::primary(format!("{}[{}]", base.in_level(Level::Primary), index.text))
            }
            Expression::Member { base, structure, index } => {
                let Some(members) = self.spelling.structure(*structure)?.members else {
                    return Ok(None);
                };
                let whole = self.lvalue(*base, Type::Struct(*structure))?;
                let is_name = |c: char| c.is_alphanumeric() || c == '_';
                let whole = match whole.text.strip_prefix('*') {
                    Some(pointer)
                        if whole.level == Level::Unary && pointer.chars().all(is_name) =>
                    {
                        format!("{pointer}->")
                    }
                    _ => format!("{}.", whole.in_level(Level::Primary)),
                };
                Text::primary(format!("{whole}{}", members[*index as usize]))
            }
            Expression::Local(local) => Text::primary(self.local_name(*local)?),
            Expression::ArgumentAddress(index) => self.argument(*index)?,
            Expression::Convert { kind: Conversion::Space, value, .. } => {
                self.lvalue(*value, ty)?
            }
            Expression::FragmentElement { base, fragment, index } => {
                let base = self.lvalue(*base, Type::Fragment(*fragment))?;
                let index = self.value(*index)?;
                let base = base.in_level(Level::Primary);
                Text::primary(format!("{base}.values[{}]", index.text))
            }
            _ => return Ok(None),
        }))
    }

    /// What stands before `[index]` for elements of a type.
    fn indexed(&mut self, base: Value, element: Type) -> Result<Text, NotCompiled> {
        if let Some(Type::Array(array)) = self.natural(base)
            && self.facts.module.types.arrays()[array].element == element
            && self.known(base).is_none()
            && !matches!(
                self.facts.expression(base),
                Expression::Argument(_) | Expression::Variable(_)
            )
        {
            return self.lvalue(base, Type::Array(array));
        }
        self.typed(base, element)
    }

    /// The name of a local, or of the thread's own one in its array.
    pub(super) fn local_name(
        &mut self,
        local: Handle<port_ir::Local>,
    ) -> Result<String, NotCompiled> {
        let Some(name) = self.locals[local.index()].clone() else {
            return Err(refuse("it uses a variable in a way that is not followed"));
        };
        if self.kernel && self.schedule.home(local) == Home::Array {
            if !self.lane {
                return Err(refuse("it uses a variable of each thread outside of them"));
            }
            if let Some(kept) = self.own.get(&local) {
                if !kept.in_row {
                    return Ok(kept.name.clone());
                }
                self.uses_x = true;
                return Ok(format!("{}[tx]", kept.name));
            }
            self.uses_t = true;
            return Ok(format!("{name}[t]"));
        }
        Ok(name)
    }
}
