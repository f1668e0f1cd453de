//! Addresses and what lies there.
//!
//! A pointer of the IR has no type; in C++ it has an address space, and points at what the IR's
//! expressions say of it; it is converted where an access wants another type.

use port_ir::analysis::flow::Root;
use port_ir::{Conversion, Expression, Space, Type, Value};

use super::cpp::{Level, Text};
use super::printer::Printer;
use super::refuse;
use crate::kernel::NotTranslated;

/// A pointer, and what its C++ type points at; `None` for bytes.
pub(crate) struct Pointer {
    text: Text,
    pointee: Option<Type>,
}

impl Printer<'_, '_, '_> {
    /// What a pointer's C++ type points at.
    fn natural(&self, value: Value) -> Option<Type> {
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

    /// A pointee that can be spelled; without one a pointer is one to bytes.
    pub(crate) fn usable(&self, ty: Type) -> Option<Type> {
        let layout = self.facts.module.types.layout(ty)?;
        let spelled = match ty {
            Type::Scalar(scalar) | Type::Vector(scalar, _) => {
                super::types::scalar_name(scalar).is_ok()
            }
            Type::Pointer(_) => true,
            _ => false,
        };
        (layout.size > 0 && spelled).then_some(ty)
    }

    /// The memory that a pointer points into; generic means global memory.
    pub(crate) fn space(&self, value: Value) -> Space {
        // A local of which each thread has an element lies where its array lies.
        if let Root::Local(local) = self.facts.flow.root(value)
            && self.kept_locals.contains(&local)
            && let Some(name) = &self.locals[local.index()]
        {
            return self.array_spaces.get(name).copied().unwrap_or(Space::Local);
        }
        self.spaces.space(self.facts, self.argument_spaces.as_deref(), value)
    }

    /// Whether a pointer's text is an integer: a generic one that was kept in memory.
    pub(super) fn is_integer(&self, value: Value) -> bool {
        let mut at = value;
        while let Expression::Convert { kind: Conversion::Space, value, .. } =
            self.facts.expression(at)
        {
            at = *value;
        }
        matches!(self.facts.ty(at), Type::Pointer(Space::Generic | Space::Local))
            && matches!(
                self.facts.expression(at),
                Expression::Result(_)
                    | Expression::Extract { .. }
                    | Expression::Select { .. }
                    | Expression::Convert { .. }
            )
    }

    /// A pointer as it is.
    fn pointer(&mut self, value: Value) -> Result<Pointer, NotTranslated> {
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

    /// A pointer by what computes it, as text alone.
    pub(crate) fn address_text(&mut self, value: Value) -> Result<Text, NotTranslated> {
        Ok(self.address(value)?.text)
    }

    /// What a pointer that gets a name points at.
    pub(crate) fn pointee(&self, value: Value) -> Option<Type> {
        self.natural(value)
    }

    fn address(&mut self, value: Value) -> Result<Pointer, NotTranslated> {
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
                    let Some(member) =
                        facts.module.types.structs()[*structure].members.get(*index as usize)
                    else {
                        return Err(refuse("it uses a member that is not there"));
                    };
                    let space = self.space(value);
                    let bytes = self.spelling.pointer(space, None)?;
                    let base = self.value(*base)?;
                    let spelled = self.spelling.pointer(space, pointee)?;
                    Text::primary(format!(
                        "reinterpret_cast<{spelled}>(reinterpret_cast<{bytes}>({}) + {})",
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
            Expression::Variable(variable) => self.variable_name(*variable)?,
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
    pub(crate) fn typed(&mut self, value: Value, ty: Type) -> Result<Text, NotTranslated> {
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
            return Ok(Text::primary(format!("{}.values", place.in_level(Level::Primary))));
        }
        let pointer = self.pointer(value)?;
        let space = self.space(value);
        let spelled = self.spelling.pointer(space, Some(ty))?;
        if pointer.pointee.is_none()
            && ty == Type::Scalar(port_ir::Scalar::U8)
            && !self.is_integer(value)
        {
            return Ok(pointer.text);
        }
        Ok(recast(&spelled, &pointer.text))
    }

    /// A pointer as one to bytes.
    pub(crate) fn bytes(&mut self, value: Value) -> Result<Text, NotTranslated> {
        let pointer = self.pointer(value)?;
        if pointer.pointee.is_none() && !self.is_integer(value) {
            return Ok(pointer.text);
        }
        let space = self.space(value);
        let spelled = self.spelling.pointer(space, None)?;
        Ok(recast(&spelled, &pointer.text))
    }

    /// What lies at a pointer, read as `ty`.
    pub(crate) fn lvalue(&mut self, value: Value, ty: Type) -> Result<Text, NotTranslated> {
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
    fn direct(&mut self, value: Value, ty: Type) -> Result<Option<Text>, NotTranslated> {
        let facts = self.facts;
        Ok(Some(match facts.expression(value) {
            Expression::Element { base, element, index } => {
                let base = self.indexed(*base, *element)?;
                let index = self.value(*index)?;
                Text::primary(format!("{}[{}]", base.in_level(Level::Primary), index.text))
            }
            Expression::Member { base, structure, index } => {
                let Some(members) = self.spelling.structure(*structure)?.members else {
                    return Ok(None);
                };
                let Some(member) = members.get(*index as usize) else { return Ok(None) };
                let whole = self.lvalue(*base, Type::Struct(*structure))?;
                let is_name = |c: char| c.is_alphanumeric() || c == '_';
                let whole = match whole.text.strip_prefix('*') {
                    Some(pointer)
                        if whole.level == Level::Unary
                            && (pointer.chars().all(is_name)
                                || pointer.starts_with("reinterpret_cast<")) =>
                    {
                        format!("{pointer}->")
                    }
                    _ => format!("{}.", whole.in_level(Level::Primary)),
                };
                Text::primary(format!("{whole}{member}"))
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
    fn indexed(&mut self, base: Value, element: Type) -> Result<Text, NotTranslated> {
        if let Some(Type::Array(array)) = self.natural(base)
            && self.facts.module.types.arrays()[array].element == element
            && self.known(base).is_none()
            && !matches!(
                self.facts.expression(base),
                Expression::Argument(_) | Expression::Variable(_)
            )
        {
            let place = self.lvalue(base, Type::Array(array))?;
            return Ok(Text::primary(format!("{}.values", place.in_level(Level::Primary))));
        }
        self.typed(base, element)
    }

    /// The value that lies at a pointer: several words at once are copied by a function, because
    /// the members of a struct are copied one address space at a time.
    pub(crate) fn loaded(&mut self, pointer: Value, ty: Type) -> Result<Text, NotTranslated> {
        let space = self.space(pointer);
        let whole = crate::scalar::is_copied(ty);
        let helper = match space {
            Space::Global | Space::Constant | Space::Generic if whole => "LoadGm",
            Space::Shared if whole => "LoadUb",
            _ => return self.lvalue(pointer, ty),
        };
        let place = self.typed(pointer, ty)?;
        self.spelling.helper(helper);
        Ok(Text::primary(format!("{helper}({})", place.text)))
    }

    /// The statement that stores a value at a pointer.
    pub(crate) fn stored(
        &mut self,
        pointer: Value,
        ty: Type,
        value: &Text,
    ) -> Result<String, NotTranslated> {
        let space = self.space(pointer);
        let whole = crate::scalar::is_copied(ty);
        let helper = match space {
            Space::Global | Space::Constant | Space::Generic if whole => "StoreGm",
            Space::Shared if whole => "StoreUb",
            _ => {
                let place = self.lvalue(pointer, ty)?;
                return Ok(format!("{} = {};", place.text, value.text));
            }
        };
        let place = self.typed(pointer, ty)?;
        self.spelling.helper(helper);
        Ok(format!("{helper}({}, {});", place.text, value.text))
    }
}

/// A pointer as one of another type; nothing else than a cast of C++'s own converts `nullptr`.
fn recast(spelled: &str, pointer: &Text) -> Text {
    let cast = if pointer.text == "nullptr" { "static_cast" } else { "reinterpret_cast" };
    Text::primary(format!("{cast}<{spelled}>({})", pointer.text))
}
