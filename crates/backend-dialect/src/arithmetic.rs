//! Arithmetic types of expressions as far as their text tells them: literals, declared variables,
//! built-in indices, casts, and the operators between them by the usual conversions of C++. Nothing
//! is instantiated; what depends on a template argument is known by the parameter's name alone. Must
//! not know any target.

use port_hir::{
    BinaryOperator, Builtin, ExprId, ExprKind, FunctionId, Initializer, LiteralValue, Module, Name,
    RecordId, Res, TemplateParameterKind, TemplateParameterRef, TyId, TyKind, UnaryOperator,
};

use crate::program::Program;

/// How deep an expression, or a chain of aliases and initialisers, is followed.
const MAX_DEPTH: u32 = 32;

/// The type of an arithmetic expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// A fundamental type.
    Known(Builtin),
    /// A type that is a template parameter: the same for all expressions of it in one function.
    Parameter(TemplateParameterRef),
}

impl Arithmetic {
    /// Whether it is `float`, `double` or `long double`.
    pub fn is_floating(self) -> bool {
        let floating = [Builtin::Float, Builtin::Double, Builtin::LongDouble];
        matches!(self, Arithmetic::Known(builtin) if floating.contains(&builtin))
    }
}

/// Reads types of expressions.
#[derive(Clone, Copy, Debug)]
pub struct Typing<'a> {
    module: &'a Module,
    program: &'a Program<'a>,
}

impl<'a> Typing<'a> {
    /// For the expressions of a module.
    pub fn new(module: &'a Module, program: &'a Program<'a>) -> Self {
        Typing { module, program }
    }

    /// The type of an expression; `None` where the text does not tell it.
    pub fn of(&self, expr: ExprId) -> Option<Arithmetic> {
        self.expression(expr, 0)
    }

    fn expression(&self, expr: ExprId, depth: u32) -> Option<Arithmetic> {
        if depth > MAX_DEPTH {
            return None;
        }
        let expression = &self.module.exprs[expr];
        match &expression.kind {
            ExprKind::Literal(literal) => literal_type(&literal.value),
            ExprKind::Name(name) => match &name.resolution {
                Res::Local(local) => {
                    let local = &self.module.locals[*local];
                    self.declared(local.ty, local.initializer.as_ref(), depth)
                }
                Res::Variable(variable) => {
                    let variable = &self.module.variables[*variable];
                    self.declared(variable.ty, variable.initializer.as_ref(), depth)
                }
                Res::Field { record, index } => {
                    let field = self.module.records[*record].fields.get(*index as usize)?;
                    self.written(field.ty, depth)
                }
                Res::TemplateParameter(parameter) => {
                    let holder = self.program.function_at(expression.tokens.start as usize)?;
                    self.written(self.value_parameter(holder, *parameter)?, depth)
                }
                Res::Api(key) if key.as_str() == "warpSize" => {
                    Some(Arithmetic::Known(Builtin::Int))
                }
                _ => None,
            },
            ExprKind::Member { object, member, .. } => {
                let part = member.last()?.name;
                if let ExprKind::Name(name) = &self.module.exprs[*object].kind
                    && let Res::Api(key) = &name.resolution
                    && matches!(key.as_str(), "threadIdx" | "blockIdx" | "blockDim" | "gridDim")
                {
                    return Some(Arithmetic::Known(Builtin::UnsignedInt));
                }
                let owner = self.object(*object, depth + 1)?;
                if let Some(vector) = self.vector(owner, depth) {
                    return component(vector.as_str()).map(Arithmetic::Known);
                }
                let record = self.record(owner, depth)?;
                let fields = &self.module.records[record].fields;
                self.written(fields.iter().find(|field| field.name == part)?.ty, depth)
            }
            ExprKind::Index { .. } => self.written(self.object(expr, depth + 1)?, depth),
            ExprKind::Unary { operator, operand } => match operator {
                UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Complement => {
                    promoted(self.expression(*operand, depth + 1)?)
                }
                UnaryOperator::Not => Some(Arithmetic::Known(Builtin::Bool)),
                UnaryOperator::Increment | UnaryOperator::Decrement => {
                    self.expression(*operand, depth + 1)
                }
                UnaryOperator::Dereference => self.written(self.object(expr, depth + 1)?, depth),
                UnaryOperator::AddressOf | UnaryOperator::Extension => None,
            },
            ExprKind::Postfix { operand, .. } => self.expression(*operand, depth + 1),
            ExprKind::Assign { target, .. } => self.expression(*target, depth + 1),
            ExprKind::Binary { operator, left, right } => {
                self.binary(*operator, *left, *right, depth)
            }
            ExprKind::Conditional { then: Some(then), otherwise, .. } => common(
                self.expression(*then, depth + 1)?,
                self.expression(*otherwise, depth + 1)?,
                false,
            ),
            ExprKind::Cast { ty, .. } => self.written(*ty, depth),
            ExprKind::Construct { ty, .. } => self.written(*ty, depth),
            ExprKind::TypeTrait { .. } | ExprKind::ExprTrait { .. } | ExprKind::SizeofPack(_) => {
                Some(Arithmetic::Known(Builtin::UnsignedLong))
            }
            ExprKind::Call { callee, arguments } => self.call(*callee, arguments, depth),
            _ => None,
        }
    }

    fn binary(
        &self,
        operator: BinaryOperator,
        left: ExprId,
        right: ExprId,
        depth: u32,
    ) -> Option<Arithmetic> {
        use BinaryOperator as Op;
        match operator {
            Op::Less
            | Op::Greater
            | Op::LessEqual
            | Op::GreaterEqual
            | Op::Equal
            | Op::NotEqual
            | Op::LogicalAnd
            | Op::LogicalOr => Some(Arithmetic::Known(Builtin::Bool)),
            Op::ThreeWay => None,
            Op::Comma => self.expression(right, depth + 1),
            Op::ShiftLeft | Op::ShiftRight => promoted(self.expression(left, depth + 1)?),
            _ => {
                common(self.expression(left, depth + 1)?, self.expression(right, depth + 1)?, true)
            }
        }
    }

    /// A call of one function of the user's, or of the API's `min` and `max`, whose result has the
    /// arguments' type where these agree.
    fn call(&self, callee: ExprId, arguments: &[ExprId], depth: u32) -> Option<Arithmetic> {
        let ExprKind::Name(name) = &self.module.exprs[callee].kind else { return None };
        match &name.resolution {
            Res::Functions(functions) => match functions.as_slice() {
                [only] if self.module.functions[*only].template_parameters.is_none() => {
                    self.written(self.module.functions[*only].return_type, depth)
                }
                _ => None,
            },
            Res::Api(key) if matches!(key.as_str(), "min" | "max") => {
                let [left, right] = arguments else { return None };
                let left = self.expression(*left, depth + 1)?;
                common(left, self.expression(*right, depth + 1)?, false)
            }
            _ => None,
        }
    }

    /// The declared type of an object that is no arithmetic value: a pointer, an array, a record.
    fn object(&self, expr: ExprId, depth: u32) -> Option<TyId> {
        if depth > MAX_DEPTH {
            return None;
        }
        match &self.module.exprs[expr].kind {
            ExprKind::Name(name) => match &name.resolution {
                Res::Local(local) => Some(self.module.locals[*local].ty),
                Res::Variable(variable) => Some(self.module.variables[*variable].ty),
                Res::Field { record, index } => {
                    Some(self.module.records[*record].fields.get(*index as usize)?.ty)
                }
                _ => None,
            },
            ExprKind::Index { object, indices } if indices.len() == 1 => {
                self.element(self.object(*object, depth + 1)?, depth)
            }
            ExprKind::Unary { operator: UnaryOperator::Dereference, operand } => {
                self.element(self.object(*operand, depth + 1)?, depth)
            }
            ExprKind::Cast { ty, .. } => Some(*ty),
            ExprKind::Member { object, member, .. } => {
                let record = self.record(self.object(*object, depth + 1)?, depth)?;
                let name = member.last()?.name;
                let fields = &self.module.records[record].fields;
                Some(fields.iter().find(|field| field.name == name)?.ty)
            }
            _ => None,
        }
    }

    /// What an array or a pointer holds.
    fn element(&self, ty: TyId, depth: u32) -> Option<TyId> {
        match &self.module.types[self.unaliased(ty, depth)?].kind {
            TyKind::Array { element, .. } => Some(*element),
            TyKind::Pointer(inner) => Some(*inner),
            _ => None,
        }
    }

    /// The API's type that a type is or points to.
    fn vector(&self, ty: TyId, depth: u32) -> Option<Name> {
        match &self.module.types[self.pointee(ty, depth)?].kind {
            TyKind::Named(name) => match name.resolution {
                Res::Api(key) => Some(key),
                _ => None,
            },
            _ => None,
        }
    }

    /// The type itself, or what it points to.
    fn pointee(&self, ty: TyId, depth: u32) -> Option<TyId> {
        let ty = self.unaliased(ty, depth)?;
        match self.module.types[ty].kind {
            TyKind::Pointer(inner) => self.unaliased(inner, depth),
            _ => Some(ty),
        }
    }

    /// The user's record, no template, that a type is or points to.
    fn record(&self, ty: TyId, depth: u32) -> Option<RecordId> {
        match &self.module.types[self.pointee(ty, depth)?].kind {
            TyKind::Named(name) => match name.resolution {
                Res::Record(id) if self.module.records[id].template_parameters.is_none() => {
                    Some(id)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// A type without references and the names of aliases.
    fn unaliased(&self, ty: TyId, depth: u32) -> Option<TyId> {
        if depth > MAX_DEPTH {
            return None;
        }
        match &self.module.types[ty].kind {
            TyKind::LValueReference(inner) | TyKind::RValueReference(inner) => {
                self.unaliased(*inner, depth + 1)
            }
            TyKind::Named(name) => match &name.resolution {
                Res::Alias(alias) => {
                    let alias = &self.module.aliases[*alias];
                    let plain = alias.template_parameters.is_none();
                    plain.then(|| self.unaliased(alias.ty, depth + 1)).flatten()
                }
                _ => Some(ty),
            },
            _ => Some(ty),
        }
    }

    /// A variable's type; that of its initialiser for `auto x = …`.
    fn declared(
        &self,
        ty: TyId,
        initializer: Option<&Initializer>,
        depth: u32,
    ) -> Option<Arithmetic> {
        match (&self.module.types[ty].kind, initializer) {
            (TyKind::Auto, Some(Initializer::Copy(value))) => self.expression(*value, depth + 1),
            _ => self.written(ty, depth),
        }
    }

    /// A type as written, through references and aliases.
    fn written(&self, ty: TyId, depth: u32) -> Option<Arithmetic> {
        match &self.module.types[self.unaliased(ty, depth)?].kind {
            TyKind::Builtin(Builtin::Void | Builtin::NullPointer) => None,
            TyKind::Builtin(builtin) => Some(Arithmetic::Known(*builtin)),
            TyKind::Named(name) => match name.resolution {
                Res::TemplateParameter(parameter) => Some(Arithmetic::Parameter(parameter)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The type of a template's value parameter, where it is a parameter of the function itself.
    fn value_parameter(
        &self,
        function: FunctionId,
        parameter: TemplateParameterRef,
    ) -> Option<TyId> {
        let list = self.module.functions[function].template_parameters.as_ref()?;
        if list.depth != parameter.depth {
            return None;
        }
        match list.parameters.get(parameter.index as usize)?.kind {
            TemplateParameterKind::Value { ty, .. } => Some(ty),
            _ => None,
        }
    }
}

/// What the components of CUDA's vector types are.
fn component(vector: &str) -> Option<Builtin> {
    Some(match vector.trim_end_matches(['1', '2', '3', '4']) {
        "char" => Builtin::SignedChar,
        "uchar" => Builtin::UnsignedChar,
        "short" => Builtin::Short,
        "ushort" => Builtin::UnsignedShort,
        "int" => Builtin::Int,
        "uint" | "dim" => Builtin::UnsignedInt,
        "long" => Builtin::Long,
        "ulong" => Builtin::UnsignedLong,
        "longlong" => Builtin::LongLong,
        "ulonglong" => Builtin::UnsignedLongLong,
        "float" => Builtin::Float,
        "double" => Builtin::Double,
        _ => return None,
    })
}

/// The type of a literal, on 64-bit Linux.
fn literal_type(literal: &LiteralValue) -> Option<Arithmetic> {
    use port_hir::FloatSuffix;
    let builtin = match literal {
        LiteralValue::Integer { value, base, suffix } => {
            let signed_allowed = !suffix.unsigned;
            let unsigned_allowed = suffix.unsigned || *base != 10;
            let int = suffix.long == 0;
            match *value {
                v if int && signed_allowed && v <= i32::MAX as u64 => Builtin::Int,
                v if int && unsigned_allowed && v <= u64::from(u32::MAX) => Builtin::UnsignedInt,
                v if signed_allowed && v <= i64::MAX as u64 => match suffix.long {
                    2 => Builtin::LongLong,
                    _ => Builtin::Long,
                },
                _ => match suffix.long {
                    2 => Builtin::UnsignedLongLong,
                    _ => Builtin::UnsignedLong,
                },
            }
        }
        LiteralValue::Float { suffix, .. } => match suffix {
            FloatSuffix::None => Builtin::Double,
            FloatSuffix::Float => Builtin::Float,
            FloatSuffix::Long => Builtin::LongDouble,
        },
        LiteralValue::Bool(_) => Builtin::Bool,
        LiteralValue::Char { encoding: port_hir::Encoding::Ordinary, .. } => Builtin::Char,
        _ => return None,
    };
    Some(Arithmetic::Known(builtin))
}

/// Integral promotion.
fn promoted(ty: Arithmetic) -> Option<Arithmetic> {
    let Arithmetic::Known(builtin) = ty else { return None };
    Some(Arithmetic::Known(match builtin {
        Builtin::Bool
        | Builtin::Char
        | Builtin::SignedChar
        | Builtin::UnsignedChar
        | Builtin::Char8
        | Builtin::Char16
        | Builtin::Short
        | Builtin::UnsignedShort
        | Builtin::WideChar => Builtin::Int,
        Builtin::Char32 => Builtin::UnsignedInt,
        other => other,
    }))
}

/// The usual arithmetic conversions. `promote`: whether two operands of one small type are promoted,
/// as an operator does and `?:` does not.
fn common(left: Arithmetic, right: Arithmetic, promote: bool) -> Option<Arithmetic> {
    if left == right && (!promote || promoted(left) == Some(left)) {
        return Some(left);
    }
    let (Arithmetic::Known(left), Arithmetic::Known(right)) = (promoted(left)?, promoted(right)?)
    else {
        return None;
    };
    /// In the order in which one operand's type becomes the other's. A signed type of the same rank
    /// comes before the unsigned one; of two ranks of one size, as `long` and `long long`, the
    /// signed higher one cannot hold the unsigned lower one, so that pair is left out below.
    const ORDER: [Builtin; 11] = [
        Builtin::Int,
        Builtin::UnsignedInt,
        Builtin::Long,
        Builtin::UnsignedLong,
        Builtin::LongLong,
        Builtin::UnsignedLongLong,
        Builtin::Int128,
        Builtin::UnsignedInt128,
        Builtin::Float,
        Builtin::Double,
        Builtin::LongDouble,
    ];
    let rank = |ty: Builtin| ORDER.iter().position(|known| *known == ty);
    let (left_rank, right_rank) = (rank(left)?, rank(right)?);
    let pair = [left, right];
    if pair.contains(&Builtin::UnsignedLong) && pair.contains(&Builtin::LongLong) {
        return Some(Arithmetic::Known(Builtin::UnsignedLongLong));
    }
    ORDER.get(left_rank.max(right_rank)).map(|ty| Arithmetic::Known(*ty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(value: u64, base: u8, unsigned: bool, long: u8) -> Option<Arithmetic> {
        let suffix = port_hir::IntegerSuffix { unsigned, long };
        literal_type(&LiteralValue::Integer { value, base, suffix })
    }

    fn known(builtin: Builtin) -> Option<Arithmetic> {
        Some(Arithmetic::Known(builtin))
    }

    // [lex.icon], table of types of integer literals; `long` has 64 bits.
    #[test]
    fn integer_literals_have_the_first_type_that_holds_them() {
        assert_eq!(integer(5, 10, false, 0), known(Builtin::Int));
        assert_eq!(integer(0xffff_ffff, 16, false, 0), known(Builtin::UnsignedInt));
        assert_eq!(integer(0xffff_ffff, 10, false, 0), known(Builtin::Long));
        assert_eq!(integer(5, 10, true, 0), known(Builtin::UnsignedInt));
        assert_eq!(integer(5, 10, true, 1), known(Builtin::UnsignedLong));
        assert_eq!(integer(u64::MAX, 16, false, 0), known(Builtin::UnsignedLong));
    }

    // [expr.arith.conv]
    #[test]
    fn operands_meet_in_the_usual_type() {
        let of = |left, right| common(Arithmetic::Known(left), Arithmetic::Known(right), true);
        assert_eq!(of(Builtin::Int, Builtin::UnsignedInt), known(Builtin::UnsignedInt));
        assert_eq!(of(Builtin::UnsignedInt, Builtin::Long), known(Builtin::Long));
        assert_eq!(of(Builtin::UnsignedChar, Builtin::UnsignedChar), known(Builtin::Int));
        assert_eq!(of(Builtin::UnsignedLong, Builtin::Int), known(Builtin::UnsignedLong));
        assert_eq!(of(Builtin::UnsignedLong, Builtin::LongLong), known(Builtin::UnsignedLongLong));
        assert_eq!(of(Builtin::UnsignedLong, Builtin::Float), known(Builtin::Float));
    }
}
