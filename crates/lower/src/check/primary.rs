//! Expressions: which rule applies, and those that have no operands.

use port_diag::Origin;
use port_hir::{
    Builtin, Encoding, ExprId, ExprKind as Hir, FloatSuffix, Literal, LiteralValue,
    TemplateArgument, TypeTraitKind, UnaryOperator,
};

use crate::check::Checker;
use crate::findings::{Unreadable, UnsupportedConstruct};
use crate::ty::Type;
use crate::typed::{Expr, ExprKind};
use crate::value::Value;

impl Checker<'_, '_> {
    /// The expression with its type.
    pub(crate) fn expr(&mut self, id: ExprId) -> Expr {
        let origin = self.hir().exprs[id].origin;
        if let Err(code) = self.enter(origin) {
            return Expr::poison(code, origin);
        }
        let expr = self.expr_kind(id, origin);
        self.leave();
        expr
    }

    /// As [`Checker::expr`], as a value.
    pub(crate) fn expr_value(&mut self, id: ExprId) -> Expr {
        let expr = self.expr(id);
        self.rvalue(expr)
    }

    fn expr_kind(&mut self, id: ExprId, origin: Origin) -> Expr {
        match &self.hir().exprs[id].kind {
            Hir::Literal(literal) => self.literal(literal, origin),
            Hir::Name(name) => self.name(name, origin),
            Hir::This => match &self.body.this {
                Some((this, _)) => Expr { origin, ..this.clone() },
                None => self.unsupported_here(origin, "`this` outside a member function"),
            },
            Hir::Unary { operator: UnaryOperator::Extension, operand } => self.expr(*operand),
            Hir::Unary { operator, operand } => self.unary(*operator, *operand, origin),
            Hir::Postfix { operator, operand } => self.postfix(*operator, *operand, origin),
            Hir::Binary { operator, left, right } => self.binary(*operator, *left, *right, origin),
            Hir::Assign { operator, target, value } => {
                self.assignment(*operator, *target, *value, origin)
            }
            Hir::Conditional { condition, then, otherwise } => {
                self.conditional(*condition, *then, *otherwise, origin)
            }
            Hir::Call { callee, arguments } => self.call(*callee, arguments, origin),
            Hir::Launch(launch) => self.launch(*launch, origin),
            Hir::Member { object, arrow, member } => self.member(*object, *arrow, member, origin),
            Hir::MemberPointer { object, arrow, pointer } => {
                self.member_pointer(*object, *arrow, *pointer, origin)
            }
            Hir::Index { object, indices } => self.index(*object, indices, origin),
            Hir::Cast { kind, ty, operand } => self.cast(*kind, *ty, *operand, origin),
            Hir::Construct { ty, arguments, braced } => {
                self.construct(*ty, arguments, *braced, origin)
            }
            Hir::InitList(items) => match &items[..] {
                // `{x}` where nothing asks for a type.
                [only] if only.designators.is_empty() => self.expr(only.value),
                _ => self.unsupported_here(origin, "a braced list without a type"),
            },
            Hir::TypeTrait { kind, ty } => {
                let ty = self.ty(*ty);
                self.type_trait(*kind, ty, origin)
            }
            Hir::ExprTrait { kind, operand } => {
                let operand = self.unevaluated(*operand);
                self.type_trait(*kind, operand.ty, origin)
            }
            Hir::SizeofPack(name) => {
                let mut length = None;
                if let port_hir::Res::TemplateParameter(parameter) = &name.resolution
                    && let Some(crate::value::Argument::Pack(list)) = self.env.get(*parameter)
                {
                    length = Some(list.len());
                }
                if let port_hir::Res::Local(local) = &name.resolution
                    && let Some(crate::check::Binding::Pack(list)) = self.body.bindings.get(local)
                {
                    length = Some(list.len());
                }
                match length {
                    Some(length) => Expr::integer(length as i128, Type::ULONG, origin),
                    None => self.unsupported_here(origin, "`sizeof...` of what is no known pack"),
                }
            }
            Hir::BuiltinTrait { name, arguments } => {
                self.builtin_trait(name.as_str(), arguments, origin)
            }
            Hir::Lambda(lambda) => self.lambda(*lambda, origin),
            Hir::Fold { operator, assign, pattern, initial, left } => {
                self.fold(*operator, *assign, *pattern, *initial, *left, origin)
            }
            Hir::PackExpansion(pattern) => {
                // Where a list is expected its holder expands it.
                self.expr(*pattern)
            }
            Hir::Noexcept(_) => Expr::bool(true, origin),
            Hir::StatementExpression(body) => self.statement_expression(*body, origin),
            Hir::Offsetof { ty, member } => self.offset_of(*ty, *member, origin),
            Hir::New { ty, initializer, .. } if self.cx.recorder.is_some() => {
                self.allocation(*ty, initializer.as_ref(), origin)
            }
            Hir::New { .. } => self.unsupported_here(origin, "`new`"),
            Hir::Delete { .. } => self.unsupported_here(origin, "`delete`"),
            Hir::Throw(_) => self.unsupported_here(origin, "`throw`"),
            Hir::Typeid(_) => self.unsupported_here(origin, "`typeid`"),
            Hir::VaArg { .. } => self.unsupported_here(origin, "`va_arg`"),
            Hir::TypeArgument(_) => {
                self.unsupported_here(origin, "a macro that is not in view, given a type")
            }
            Hir::Unsupported(what) => self.unsupported_here(origin, what),
            Hir::Error => self.fail(origin, Unreadable { what: "this expression".to_string() }),
        }
    }

    /// Reports a construct; gives poison.
    pub(crate) fn unsupported_here(&mut self, origin: Origin, what: &str) -> Expr {
        self.fail(origin, UnsupportedConstruct::new(what.to_string()))
    }

    /// Reports a construct; gives the finding's code.
    pub(crate) fn unsupported(&mut self, origin: Origin, what: String) -> &'static str {
        self.cx.report(self.env.unit, origin, UnsupportedConstruct::new(what))
    }

    /// An operand that is not evaluated: only its type counts.
    pub(crate) fn unevaluated(&mut self, id: ExprId) -> Expr {
        let variables = self.body.variables.len();
        self.body.unevaluated += 1;
        let expr = self.expr(id);
        self.body.unevaluated -= 1;
        self.body.variables.truncate(variables);
        expr
    }

    fn literal(&mut self, literal: &Literal, origin: Origin) -> Expr {
        match &literal.value {
            LiteralValue::Integer { value, base, suffix } => {
                let ty = integer_literal_type(*value, *base != 10, suffix.unsigned, suffix.long);
                Expr::integer(i128::from(*value), Type::builtin(ty), origin)
            }
            LiteralValue::Float { value, single, suffix } => {
                let (value, ty) = match suffix {
                    FloatSuffix::Float => (f64::from(*single), Type::FLOAT),
                    // Device code has no wider type than double.
                    FloatSuffix::None | FloatSuffix::Long => (*value, Type::DOUBLE),
                };
                Expr::value(ExprKind::Constant(Value::Float(value)), ty, origin)
            }
            LiteralValue::Bool(value) => Expr::bool(*value, origin),
            LiteralValue::Char { value, encoding } => {
                let (ty, value) = match encoding {
                    // Plain char is signed; several characters make an int.
                    Encoding::Ordinary if *value <= 0xff => {
                        (Builtin::Char, i128::from(*value as u8 as i8))
                    }
                    Encoding::Ordinary => (Builtin::Int, i128::from(*value as i32)),
                    Encoding::Wide => (Builtin::WideChar, i128::from(*value as i32)),
                    Encoding::Utf8 => (Builtin::Char, i128::from(*value as u8 as i8)),
                    Encoding::Utf16 => (Builtin::Char16, i128::from(*value as u16)),
                    Encoding::Utf32 => (Builtin::Char32, i128::from(*value)),
                };
                Expr::integer(value, Type::builtin(ty), origin)
            }
            LiteralValue::String { value, encoding } => {
                if !matches!(encoding, Encoding::Ordinary | Encoding::Utf8) {
                    return self.unsupported_here(origin, "a string of wide characters");
                }
                let mut bytes = value.to_vec();
                bytes.push(0);
                let element = Type::CHAR.with_const();
                let ty = self.cx.types.array(element, Some(bytes.len() as u64));
                Expr::place(ExprKind::String(bytes.into()), ty, origin)
            }
            LiteralValue::NullPointer => {
                Expr::value(ExprKind::Constant(Value::Null), Type::NULLPTR, origin)
            }
            LiteralValue::User => self.unsupported_here(origin, "a user-defined literal"),
        }
    }

    fn type_trait(&mut self, kind: TypeTraitKind, ty: Type, origin: Origin) -> Expr {
        let ty = self.cx.types.strip_reference(ty);
        if ty.is_unknown() {
            return Expr::poison(crate::findings::UNKNOWN_TYPE, origin);
        }
        match (self.layout_of(ty), kind) {
            (Some(layout), TypeTraitKind::Sizeof) => {
                Expr::integer(i128::from(layout.size), Type::ULONG, origin)
            }
            (Some(layout), TypeTraitKind::Alignof) => {
                Expr::integer(i128::from(layout.align), Type::ULONG, origin)
            }
            (None, _) => Expr::poison(self.incomplete_type(ty, origin), origin),
        }
    }

    fn offset_of(&mut self, ty: port_hir::TyId, member: ExprId, origin: Origin) -> Expr {
        let ty = self.ty(ty);
        let name = match &self.hir().exprs[member].kind {
            Hir::Name(name) => name.unqualified().map(|segment| segment.name),
            _ => None,
        };
        if let (Some(class), Some(name)) = (self.cx.types.class(ty), name)
            && let Some(crate::lookup::Member::Field(steps, owner, index)) =
                self.find_member(class, name)
        {
            let mut offset = 0;
            let mut at = class;
            for step in steps {
                let entry = self.cx.class(at);
                match step {
                    crate::lookup::Step::Base(base) => {
                        let base = entry.bases[base as usize];
                        offset += base.offset;
                        at = base.class;
                    }
                    crate::lookup::Step::Field(field) => {
                        let field = &entry.fields[field as usize];
                        offset += field.offset;
                        at = self.cx.types.class(field.ty).unwrap_or(at);
                    }
                }
            }
            let field = &self.cx.class(owner).fields[index as usize];
            return Expr::integer(i128::from(offset + field.offset), Type::ULONG, origin);
        }
        self.unsupported_here(origin, "this `offsetof`")
    }

    /// The compiler's own predicates about types.
    fn builtin_trait(
        &mut self,
        name: &str,
        arguments: &[TemplateArgument],
        origin: Origin,
    ) -> Expr {
        let mut types = Vec::new();
        for argument in self.arguments(arguments) {
            match argument {
                crate::value::Argument::Type(ty) => types.push(ty),
                _ => return self.unsupported_here(origin, &format!("`{name}` of a value")),
            }
        }
        match crate::traits::builtin(self, name, &types) {
            Some(answer) => Expr::bool(answer, origin),
            None => self.unsupported_here(origin, &format!("`{name}`")),
        }
    }

    /// An integer constant; reports what needs it if it is none.
    pub(crate) fn constant_integer(&mut self, id: ExprId, what: &str) -> Option<i128> {
        let expr = self.expr_value(id);
        let origin = expr.origin;
        if expr.poison_code().is_some() {
            return None;
        }
        let expr = match self.cx.types.class(expr.ty) {
            Some(_) => self.convert(expr, Type::LONG),
            None => expr,
        };
        match self.evaluate(&expr) {
            Some(Value::Integer(value)) => Some(value),
            _ => {
                self.not_constant(&expr, origin, what.to_string());
                None
            }
        }
    }

    /// A condition that must be constant.
    pub(crate) fn constant_condition(&mut self, id: ExprId, what: &str) -> Option<bool> {
        let expr = self.expr(id);
        let origin = expr.origin;
        let condition = self.condition(expr);
        if condition.poison_code().is_some() {
            return None;
        }
        match self.evaluate(&condition).and_then(|value| value.as_bool()) {
            Some(value) => Some(value),
            None => {
                self.not_constant(&condition, origin, what.to_string());
                None
            }
        }
    }
}

/// The type of an integer literal: the first of its list that holds the value ([lex.icon]).
fn integer_literal_type(value: u64, other_base: bool, unsigned: bool, long: u8) -> Builtin {
    use Builtin::{Int, Long, LongLong, UnsignedInt, UnsignedLong, UnsignedLongLong};
    let fits_int = i32::try_from(value).is_ok();
    let fits_uint = u32::try_from(value).is_ok();
    let fits_long = i64::try_from(value).is_ok();
    match (unsigned, long) {
        (true, 0) if fits_uint => UnsignedInt,
        (true, 0 | 1) => UnsignedLong,
        (true, _) => UnsignedLongLong,
        (false, 0) if fits_int => Int,
        (false, 0) if fits_uint && other_base => UnsignedInt,
        (false, 0 | 1) if fits_long => Long,
        (false, 0 | 1) => UnsignedLong,
        (false, _) if fits_long => LongLong,
        (false, _) => UnsignedLongLong,
    }
}
