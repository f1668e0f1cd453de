//! Pure expressions as C++.

use port_ir::{
    Axis, Builtin, CompareOp, Constant, Conversion, Expression, FloatFlags, FloatOp, IntegerOp,
    Rounding, Scalar, Space, StatementKind, Type, UnaryOp, Value,
};

use super::cpp::{Level, Text, binary, call, component, relation};
use super::facts::Position;
use super::printer::Printer;
use super::types::{fragment_length, scalar_name};
use super::{Form, refuse};
use crate::kernel::NotTranslated;

type Made = Result<Text, NotTranslated>;

fn is_word(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::I32 | Scalar::U32 | Scalar::I64 | Scalar::U64)
}

fn is_narrow_float(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::F16 | Scalar::Bf16)
}

impl Printer<'_, '_, '_> {
    /// A value as C++ of its type; a pointer as one to what its expression says.
    pub(crate) fn value(&mut self, value: Value) -> Made {
        if let Some(name) = self.known(value) {
            return Ok(name);
        }
        let facts = self.facts;
        if facts.named.contains_key(&value) {
            return self.declare(value);
        }
        self.compute(value)
    }

    /// A value as it is kept in memory: pointers are pointers to bytes.
    pub(crate) fn kept_value(&mut self, value: Value) -> Made {
        let ty = self.facts.ty(value);
        let Type::Pointer(space) = ty else { return self.value(value) };
        if let Expression::Zero(_) | Expression::Undefined(_) = self.facts.expression(value) {
            return self.zero(ty);
        }
        let pointer = self.bytes(value)?;
        if matches!(space, Space::Generic | Space::Local) {
            return Ok(Text::primary(format!("reinterpret_cast<uint64_t>({})", pointer.text)));
        }
        Ok(pointer)
    }

    /// Gives a value a name here.
    pub(crate) fn declare(&mut self, value: Value) -> Made {
        let text = self.compute(value)?;
        if text.level == Level::Primary
            && text.text.chars().all(|c| c.is_alphanumeric() || c == '_')
        {
            return Ok(text);
        }
        let ty = self.facts.ty(value);
        let wish = self.wish(value);
        let name = self.names.fresh(&wish);
        let spelled = match ty {
            Type::Pointer(_) if self.is_integer(value) => "const uint64_t".to_owned(),
            Type::Pointer(_) => {
                let (space, pointee) = (self.space(value), self.pointee(value));
                self.spelling.pointer(space, pointee)?
            }
            ty => format!("const {}", self.spelling.value(ty)?),
        };
        self.out.line(format!("{spelled} {name} = {};", text.text));
        self.bind(value, name.clone());
        Ok(Text::primary(name))
    }

    /// The values that are best declared at a position; `wanted` tells which of them.
    pub(crate) fn declare_at(
        &mut self,
        position: Position,
        wanted: &dyn Fn(Value) -> bool,
    ) -> Result<(), NotTranslated> {
        let facts = self.facts;
        let Some(values) = facts.named_at.get(&position) else { return Ok(()) };
        for value in values {
            let here = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(value));
            if self.known(*value).is_none() && here && wanted(*value) {
                self.declare(*value)?;
            }
        }
        Ok(())
    }

    /// The expression itself.
    pub(crate) fn compute(&mut self, value: Value) -> Made {
        let facts = self.facts;
        let ty = facts.ty(value);
        match facts.expression(value) {
            Expression::Constant(it) => self.constant(*it),
            Expression::Zero(ty) | Expression::Undefined(ty) => self.zero(*ty),
            Expression::Argument(index) => self.argument(*index),
            Expression::Local(_)
            | Expression::Variable(_)
            | Expression::ArgumentAddress(_)
            | Expression::Element { .. }
            | Expression::Member { .. }
            | Expression::FragmentElement { .. } => self.address_text(value),
            Expression::Builtin(builtin) => self.builtin(*builtin),
            Expression::FragmentLength(fragment) => {
                Ok(Text::primary(fragment_length(*fragment)?.to_string()))
            }
            Expression::Result(_) => self.result(value),
            Expression::Poison { code, .. } => {
                Err(refuse(format!("it uses what could not be translated ({code})")))
            }
            Expression::Convert { kind: Conversion::Space, value, .. } => self.value(*value),
            Expression::Convert { kind: Conversion::PointerToInteger, value, .. } => {
                let pointer = self.bytes(*value)?;
                Ok(Text::primary(format!("reinterpret_cast<uint64_t>({})", pointer.text)))
            }
            Expression::Convert { kind: Conversion::IntegerToPointer, value, to } => {
                let integer = self.value(*value)?;
                let Type::Pointer(space) = to else {
                    return Err(refuse("it makes something else than a pointer of an integer"));
                };
                // A generic pointer is an integer until it is used.
                if *space == Space::Generic {
                    return Ok(integer);
                }
                let spelled = self.spelling.pointer(*space, None)?;
                Ok(Text::primary(format!("reinterpret_cast<{spelled}>({})", integer.text)))
            }
            Expression::Convert {
                kind: Conversion::SharedOffset | Conversion::SharedPointer,
                ..
            } => Err(refuse("it computes with the offsets of shared memory")),
            Expression::Convert { kind: Conversion::Bits, value, to }
                if matches!(to, Type::Vector(..))
                    || matches!(facts.ty(*value), Type::Vector(..)) =>
            {
                let inner = self.value(*value)?;
                let spelled = self.spelling.value(*to)?;
                Ok(call(&self.bit_cast(&spelled), &[inner]))
            }
            Expression::Splat { ty: splat, value } => {
                let inner = self.value(*value)?;
                match splat {
                    Type::Vector(_, size) => {
                        let spelled = self.spelling.value(*splat)?;
                        let parts = vec![inner.text; size.count() as usize];
                        Ok(Text::primary(format!("{spelled}{{{}}}", parts.join(", "))))
                    }
                    Type::Fragment(fragment) => {
                        let scalar = scalar_name(fragment.element.storage())?;
                        let length = fragment_length(*fragment)?;
                        let name = self.spelling.helper("SplatFragment");
                        Ok(call(&format!("{name}<{scalar}, {length}>"), &[inner]))
                    }
                    _ => Err(refuse("it fills an array with a value")),
                }
            }
            Expression::Compose { ty, parts } => self.compose(*ty, parts),
            Expression::Extract { value, index } => self.extract(*value, *index),
            Expression::Insert { value, index, part } => self.insert(*value, *index, *part),
            Expression::Select { condition, accept, reject } => {
                if let Type::Vector(_, size) = facts.ty(*condition) {
                    return self.select_vector(ty, size.count(), [*condition, *accept, *reject]);
                }
                let c = self.value(*condition)?;
                let (a, r) = (self.kept_value(*accept)?, self.kept_value(*reject)?);
                let text = format!(
                    "{} ? {} : {}",
                    c.in_level(Level::Or),
                    a.in_level(Level::Or),
                    r.in_level(Level::Or)
                );
                Ok(Text::at(text, Level::Conditional))
            }
            Expression::Compare { op, left, right }
                if matches!(facts.ty(*left), Type::Pointer(_)) =>
            {
                let (l, r) = (self.kept_value(*left)?, self.kept_value(*right)?);
                self.comparison(*op, Scalar::U64, &l, &r)
            }
            expression => {
                let operands = expression.operands();
                let mut texts = Vec::new();
                let mut types = Vec::new();
                for operand in operands {
                    texts.push(self.value(operand)?);
                    types.push(facts.ty(operand));
                }
                let size = std::iter::once(&ty).chain(&types).find_map(|ty| match ty {
                    Type::Vector(_, size) => Some(size.count()),
                    _ => None,
                });
                let scalars: Vec<Scalar> =
                    types.iter().map(|ty| ty.scalar().unwrap_or(Scalar::U64)).collect();
                let Some(size) = size else {
                    return self.operate(expression, ty, &scalars, &texts);
                };
                // Component by component.
                for (text, ty) in texts.iter_mut().zip(&types) {
                    if matches!(ty, Type::Vector(..)) {
                        *text = self.held(text.clone(), *ty)?;
                    }
                }
                let result = Type::Scalar(ty.scalar().unwrap_or(Scalar::Bool));
                let mut parts = Vec::new();
                for index in 0..size {
                    let mut inner = Vec::new();
                    for (text, ty) in texts.iter().zip(&types) {
                        inner.push(match ty {
                            Type::Vector(..) => Text::primary(format!(
                                "{}.{}",
                                text.in_level(Level::Primary),
                                component(index)
                            )),
                            _ => text.clone(),
                        });
                    }
                    parts.push(self.operate(expression, result, &scalars, &inner)?.text);
                }
                let spelled = self.spelling.value(ty)?;
                Ok(Text::primary(format!("{spelled}{{{}}}", parts.join(", "))))
            }
        }
    }

    /// A text that may be repeated: a name, or one is declared for it.
    fn held(&mut self, text: Text, ty: Type) -> Made {
        if text
            .text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '.' || c == '[' || c == ']')
        {
            return Ok(text);
        }
        let name = self.names.fresh("whole");
        let spelled = self.spelling.value(ty)?;
        self.out.line(format!("const {spelled} {name} = {};", text.text));
        Ok(Text::primary(name))
    }

    fn select_vector(&mut self, ty: Type, size: u32, operands: [Value; 3]) -> Made {
        let mut texts = Vec::new();
        for operand in operands {
            let text = self.value(operand)?;
            let ty = self.facts.ty(operand);
            texts.push(self.held(text, ty)?);
        }
        let parts: Vec<String> = (0..size)
            .map(|index| {
                let x = component(index);
                format!("{}.{x} ? {}.{x} : {}.{x}", texts[0].text, texts[1].text, texts[2].text)
            })
            .collect();
        let spelled = self.spelling.value(ty)?;
        Ok(Text::primary(format!("{spelled}{{{}}}", parts.join(", "))))
    }

    /// `BitCast<To>`
    pub(crate) fn bit_cast(&mut self, to: &str) -> String {
        format!("{}<{to}>", self.spelling.helper("BitCast"))
    }

    /// A constant of its own type.
    pub(crate) fn constant(&mut self, constant: Constant) -> Made {
        let bits = constant.bits;
        let integer = constant.as_integer().unwrap_or(0);
        let signed = |text: String| {
            let level = if integer < 0 { Level::Unary } else { Level::Primary };
            Text::at(text, level)
        };
        Ok(match constant.scalar {
            Scalar::Bool => Text::primary(if bits == 0 { "false" } else { "true" }),
            Scalar::I32 if integer == i128::from(i32::MIN) => Text::primary("INT32_MIN"),
            Scalar::I32 => signed(integer.to_string()),
            Scalar::U32 if integer > 0xffff => Text::primary(format!("{integer:#x}u")),
            Scalar::U32 => Text::primary(format!("{integer}u")),
            Scalar::I64 if integer == i128::from(i64::MIN) => Text::primary("INT64_MIN"),
            Scalar::I64 => Text::primary(format!("int64_t({integer})")),
            Scalar::U64 if integer > 0xffff => Text::primary(format!("uint64_t({integer:#x}u)")),
            Scalar::U64 => Text::primary(format!("uint64_t({integer})")),
            small @ (Scalar::I8 | Scalar::I16 | Scalar::U8 | Scalar::U16) => {
                Text::primary(format!("{}({integer})", scalar_name(small)?))
            }
            Scalar::F32 => self.float_literal(f32::from_bits(bits as u32)),
            narrow @ (Scalar::F16 | Scalar::Bf16) => match constant.as_float() {
                Some(value) if value.is_finite() => {
                    let literal = self.float_literal(value as f32);
                    self.rounded(narrow, literal)
                }
                _ => {
                    let cast = self.bit_cast(scalar_name(narrow)?);
                    Text::primary(format!("{cast}(uint16_t({bits:#x}))"))
                }
            },
            Scalar::F64 => {
                self.spelling.helper("Float64");
                let value = f64::from_bits(bits);
                Text::primary(format!("Float64{{{bits:#x}u /* {value:?} */}}"))
            }
            other => Text::primary(scalar_name(other)?),
        })
    }

    fn float_literal(&mut self, value: f32) -> Text {
        if value.is_finite() {
            let level = if value.is_sign_negative() { Level::Unary } else { Level::Primary };
            Text::at(format!("{value:?}f"), level)
        } else {
            let cast = self.bit_cast("float");
            Text::primary(format!("{cast}({:#x}u)", value.to_bits()))
        }
    }

    pub(crate) fn zero(&mut self, ty: Type) -> Made {
        Ok(match ty {
            Type::Scalar(scalar)
                if scalar == Scalar::F32 || scalar == Scalar::Bool || is_word(scalar) =>
            {
                self.constant(Constant::from_bits(scalar, 0))?
            }
            Type::Pointer(Space::Generic | Space::Local) => Text::primary("0"),
            Type::Pointer(_) => Text::primary("nullptr"),
            other => Text::primary(format!("{}{{}}", self.spelling.value(other)?)),
        })
    }

    fn builtin(&mut self, builtin: Builtin) -> Made {
        let axis = |axis: Axis| axis.name();
        let threads = self.context.form == Form::Threads;
        let text = match builtin {
            Builtin::ThreadIndex(a) if threads => format!("threadIdx.{}", axis(a)),
            Builtin::BlockDim(a) if threads => format!("blockDim.{}", axis(a)),
            Builtin::ThreadIndex(a) => format!("thread{}", axis(a).to_uppercase()),
            Builtin::BlockDim(a) => format!("blockDim{}", axis(a).to_uppercase()),
            Builtin::BlockIndex(a) | Builtin::ClusterIndex(a) => {
                format!("block{}", axis(a).to_uppercase())
            }
            Builtin::GridDim(a) | Builtin::ClusterGridDim(a) => {
                format!("gridDim{}", axis(a).to_uppercase())
            }
            Builtin::LaneId if threads => format!("{}()", self.spelling.helper("LaneId")),
            Builtin::WarpId if threads => format!("{}()", self.spelling.helper("WarpId")),
            Builtin::LaneId => return Ok(Text::at("t % 32u", Level::Product)),
            Builtin::WarpId => return Ok(Text::at("t / 32u", Level::Product)),
            Builtin::LaneMask(op) => {
                let lane = if threads {
                    format!("{}()", self.spelling.helper("LaneId"))
                } else {
                    "(t % 32u)".to_string()
                };
                let text = match op {
                    CompareOp::Equal => format!("1u << {lane}"),
                    CompareOp::Less => format!("(1u << {lane}) - 1u"),
                    CompareOp::LessEqual => format!("(2u << {lane}) - 1u"),
                    CompareOp::Greater => format!("~((2u << {lane}) - 1u)"),
                    CompareOp::GreaterEqual => format!("~((1u << {lane}) - 1u)"),
                    CompareOp::NotEqual => format!("~(1u << {lane})"),
                };
                return Ok(Text::at(text, Level::Conditional));
            }
            Builtin::WarpSize => "32u".to_string(),
            Builtin::DynamicSharedSize => "dynamicBytes".to_string(),
            Builtin::ClusterDim(_) | Builtin::ClusterSize => "1u".to_string(),
            Builtin::ClusterBlockIndex(_) | Builtin::ClusterRank => "0u".to_string(),
        };
        Ok(Text::primary(text))
    }

    /// The result of a statement that has no name: a load that happens where it is read.
    fn result(&mut self, value: Value) -> Made {
        let facts = self.facts;
        let Some(definer) = facts.flow.definer(value) else {
            return Err(refuse("it uses a value that nothing computes"));
        };
        if let StatementKind::Load { pointer, .. } = facts.kind(definer) {
            if let Some(local) = facts.variable(*pointer)
                && facts.folded[value.index()]
            {
                return self.local_value(local);
            }
            if self.folds(value) {
                return self.loaded(*pointer, facts.ty(value));
            }
        }
        Err(refuse("it uses a value where it is not in reach"))
    }

    /// Whether a load of memory happens where its reader stands.
    pub(crate) fn folds(&self, result: Value) -> bool {
        self.facts.folded_memory[result.index()]
            && !self.kept.contains_key(&result)
            && !self.unfolded.contains(&result)
    }

    fn compose(&mut self, ty: Type, parts: &[Value]) -> Made {
        let mut texts = Vec::new();
        for part in parts {
            texts.push(self.kept_value(*part)?.text);
        }
        let spelled = self.spelling.value(ty)?;
        if let Type::Struct(handle) = ty
            && self.spelling.structure(handle)?.members.is_none()
        {
            let structure = &self.facts.module.types.structs()[handle];
            let name = self.spelling.helper("WithPart");
            let mut whole = format!("{spelled}{{}}");
            for (member, text) in structure.members.iter().zip(&texts) {
                whole = format!("{name}({whole}, {}, {text})", member.offset);
            }
            return Ok(Text::primary(whole));
        }
        let inner = texts.join(", ");
        Ok(Text::primary(match ty {
            Type::Array(_) => format!("{spelled}{{{{{inner}}}}}"),
            _ => format!("{spelled}{{{inner}}}"),
        }))
    }

    fn extract(&mut self, whole: Value, index: u32) -> Made {
        let ty = self.facts.ty(whole);
        let text = self.value(whole)?;
        let text = text.in_level(Level::Primary);
        Ok(match ty {
            Type::Vector(..) => Text::primary(format!("{text}.{}", component(index))),
            Type::Array(_) => Text::primary(format!("{text}.values[{index}]")),
            Type::Struct(handle) => {
                let declared = self.spelling.structure(handle)?;
                let structure = &self.facts.module.types.structs()[handle];
                let Some(member) = structure.members.get(index as usize) else {
                    return Err(refuse("it takes a member that is not there"));
                };
                match declared.members {
                    Some(names) => Text::primary(format!("{text}.{}", names[index as usize])),
                    None => {
                        let part = self.spelling.value(member.ty)?;
                        let name = self.spelling.helper("ReadPart");
                        Text::primary(format!("{name}<{part}>({text}, {})", member.offset))
                    }
                }
            }
            _ => return Err(refuse("it takes a part of what has none")),
        })
    }

    fn insert(&mut self, whole: Value, index: u32, part: Value) -> Made {
        let ty = self.facts.ty(whole);
        let types = &self.facts.module.types;
        let offset = match ty {
            Type::Vector(scalar, _) => scalar.size() * u64::from(index),
            Type::Array(handle) => {
                let element = types.arrays()[handle].element;
                let size = types.layout(element).map_or(0, |layout| layout.size);
                size * u64::from(index)
            }
            Type::Struct(handle) => match types.structs()[handle].members.get(index as usize) {
                Some(member) => member.offset,
                None => return Err(refuse("it takes a member that is not there")),
            },
            _ => return Err(refuse("it takes a part of what has none")),
        };
        if types.layout(ty).is_none() {
            return Err(refuse("it changes a part of a value that holds matrix fragments"));
        }
        let spelled = self.spelling.value(self.facts.ty(part))?;
        let whole = self.value(whole)?;
        let text = self.kept_value(part)?;
        let name = self.spelling.helper("WithPart");
        Ok(Text::primary(format!("{name}({}, {offset}, {spelled}({}))", whole.text, text.text)))
    }

    /// An operation on scalars.
    fn operate(
        &mut self,
        expression: &Expression,
        ty: Type,
        scalars: &[Scalar],
        texts: &[Text],
    ) -> Made {
        let result = ty.scalar().unwrap_or(Scalar::U64);
        for scalar in scalars.iter().chain([&result]) {
            self.spelling.scalar(*scalar)?;
        }
        match expression {
            Expression::Unary { op, .. } => self.unary(*op, result, &texts[0]),
            Expression::Integer { op, right, .. } => {
                let constant = match self.facts.expression(*right) {
                    Expression::Constant(it) => it.as_integer(),
                    _ => None,
                };
                let bounded = self.is_below_width(*right, result);
                self.integer(*op, result, &texts[0], &texts[1], constant, bounded)
            }
            Expression::Float { op, flags, .. } => {
                self.float(*op, result, &texts[0], &texts[1], *flags)
            }
            Expression::FusedMultiplyAdd { flags, .. } => {
                check(*flags)?;
                if result == Scalar::F64 {
                    return Ok(call(self.spelling.helper("FusedMultiplyAdd64"), texts));
                }
                if is_narrow_float(result) {
                    let widened: Vec<Text> =
                        texts.iter().map(|text| self.widened(result, text)).collect();
                    let name = self.spelling.helper("FusedToOdd");
                    return Ok(self.rounded(result, call(name, &widened)));
                }
                self.fused(texts)
            }
            Expression::Compare { op, .. } => {
                self.comparison(*op, scalars[0], &texts[0], &texts[1])
            }
            Expression::Convert { kind, .. } => {
                self.conversion(*kind, scalars[0], result, &texts[0])
            }
            Expression::Math { function, flags, .. } => {
                check(*flags)?;
                self.math(*function, scalars[0], result, texts)
            }
            _ => Err(refuse("it uses an operation that has no form here")),
        }
    }

    /// Whether a shift's amount is certainly below the width of what is shifted.
    fn is_below_width(&self, amount: Value, scalar: Scalar) -> bool {
        let bits = u64::from(scalar.bits());
        let facts = self.facts;
        let constant = |value: Value| match facts.expression(value) {
            Expression::Constant(it) => it.as_integer(),
            _ => None,
        };
        match facts.expression(amount) {
            Expression::Constant(it) => {
                it.as_integer().is_some_and(|by| by >= 0 && by < i128::from(bits))
            }
            Expression::Builtin(Builtin::LaneId) => bits >= 32,
            Expression::Convert {
                kind: Conversion::Bits | Conversion::ZeroExtend | Conversion::SignExtend,
                value,
                ..
            } => self.is_below_width(*value, scalar),
            Expression::Integer { op: IntegerOp::And, left, right } => {
                [*left, *right].into_iter().any(|side| {
                    constant(side).is_some_and(|mask| mask >= 0 && mask < i128::from(bits))
                })
            }
            Expression::Integer { op: IntegerOp::Remainder, right, .. } => {
                facts.ty(amount).scalar().is_some_and(Scalar::is_unsigned)
                    && constant(*right).is_some_and(|by| by > 0 && by <= i128::from(bits))
            }
            _ => false,
        }
    }

    pub(crate) fn comparison(
        &mut self,
        op: CompareOp,
        scalar: Scalar,
        left: &Text,
        right: &Text,
    ) -> Made {
        let (left, right) = (self.widened(scalar, left), self.widened(scalar, right));
        let (operator, level) = relation(op);
        let text =
            format!("{} {operator} {}", left.in_level(Level::Shift), right.in_level(Level::Shift));
        Ok(Text::at(text, level))
    }

    /// A 16-bit float as `float`; others as they are.
    pub(crate) fn widened(&mut self, scalar: Scalar, text: &Text) -> Text {
        if is_narrow_float(scalar) {
            let name = self.spelling.helper("ToFloat");
            call(name, std::slice::from_ref(text))
        } else {
            text.clone()
        }
    }

    /// A `float` rounded to a scalar.
    pub(crate) fn rounded(&mut self, scalar: Scalar, text: Text) -> Text {
        let name = match scalar {
            Scalar::F16 => "ToHalf",
            Scalar::Bf16 => "ToBfloat16",
            _ => return text,
        };
        let name = self.spelling.helper(name);
        call(name, &[text])
    }

    fn unary(&mut self, op: UnaryOp, scalar: Scalar, value: &Text) -> Made {
        let negated = |value: &Text| {
            let inner = if value.text.starts_with('-') {
                format!("({})", value.text)
            } else {
                value.in_level(Level::Unary)
            };
            Text::at(format!("-{inner}"), Level::Unary)
        };
        Ok(match op {
            UnaryOp::Negate if is_narrow_float(scalar) => {
                let wide = negated(&self.widened(scalar, value));
                self.rounded(scalar, wide)
            }
            UnaryOp::Negate if scalar.is_float() || is_word(scalar) => negated(value),
            UnaryOp::Negate => {
                Text::primary(format!("{}({})", scalar_name(scalar)?, negated(value).text))
            }
            UnaryOp::Not if scalar == Scalar::Bool => {
                Text::at(format!("!{}", value.in_level(Level::Unary)), Level::Unary)
            }
            UnaryOp::Not if is_word(scalar) => {
                Text::at(format!("~{}", value.in_level(Level::Unary)), Level::Unary)
            }
            UnaryOp::Not => Text::primary(format!(
                "{}(~{})",
                scalar_name(scalar)?,
                value.in_level(Level::Unary)
            )),
            UnaryOp::Absolute if scalar == Scalar::F64 => {
                call(self.spelling.helper("AbsoluteValue64"), std::slice::from_ref(value))
            }
            UnaryOp::Absolute => {
                let name = if self.context.form == Form::Threads && scalar.is_float() {
                    "fabsf"
                } else {
                    self.spelling.helper("AbsoluteValue")
                };
                let wide = self.widened(scalar, value);
                self.rounded(scalar, call(name, &[wide]))
            }
        })
    }

    fn integer(
        &mut self,
        op: IntegerOp,
        scalar: Scalar,
        left: &Text,
        right: &Text,
        constant: Option<i128>,
        bounded: bool,
    ) -> Made {
        let both = [left.clone(), right.clone()];
        let spelled = scalar_name(scalar)?;
        let cast = |text: Text| {
            if is_word(scalar) || scalar == Scalar::Bool {
                text
            } else {
                Text::primary(format!("{spelled}({})", text.text))
            }
        };
        let plain = |level, operator| cast(binary(level, operator, left, right));
        Ok(match op {
            IntegerOp::Add => plain(Level::Sum, "+"),
            IntegerOp::Subtract => plain(Level::Sum, "-"),
            IntegerOp::Multiply => plain(Level::Product, "*"),
            IntegerOp::MultiplyHigh if is_word(scalar) => {
                call(self.spelling.helper("MultiplyHigh"), &both)
            }
            IntegerOp::MultiplyHigh => {
                return Err(refuse("it takes the high half of a product of small integers"));
            }
            IntegerOp::Divide => plain(Level::Product, "/"),
            IntegerOp::Remainder => plain(Level::Product, "%"),
            IntegerOp::Minimum => {
                call(&format!("{}<{spelled}>", self.spelling.helper("Minimum")), &both)
            }
            IntegerOp::Maximum => {
                call(&format!("{}<{spelled}>", self.spelling.helper("Maximum")), &both)
            }
            IntegerOp::And if scalar == Scalar::Bool => binary(Level::And, "&&", left, right),
            IntegerOp::Or if scalar == Scalar::Bool => binary(Level::Or, "||", left, right),
            IntegerOp::Xor if scalar == Scalar::Bool => {
                let paren = |text: &Text| Text::primary(text.in_level(Level::Unary));
                binary(Level::Equality, "!=", &paren(left), &paren(right))
            }
            IntegerOp::And => plain(Level::BitAnd, "&"),
            IntegerOp::Or => plain(Level::BitOr, "|"),
            IntegerOp::Xor => plain(Level::BitXor, "^"),
            IntegerOp::ShiftLeft | IntegerOp::ShiftRight => {
                let amount = match constant {
                    Some(amount) if (0..64).contains(&amount) => Text::primary(amount.to_string()),
                    _ => right.clone(),
                };
                let is_left = op == IntegerOp::ShiftLeft;
                if bounded {
                    let operator = if is_left { "<<" } else { ">>" };
                    cast(binary(Level::Shift, operator, left, &amount))
                } else {
                    let name = if is_left { "ShiftLeft" } else { "ShiftRight" };
                    let name = self.spelling.helper(name);
                    call(&format!("{name}<{spelled}>"), &[left.clone(), amount])
                }
            }
        })
    }

    /// An operation on floats by text.
    pub(crate) fn float_text(
        &mut self,
        op: FloatOp,
        scalar: Scalar,
        left: &Text,
        right: &Text,
        flags: FloatFlags,
    ) -> Made {
        self.float(op, scalar, left, right, flags)
    }

    /// An operation on integers, no shift, by text.
    pub(crate) fn integer_text(
        &mut self,
        op: IntegerOp,
        scalar: Scalar,
        left: &Text,
        right: &Text,
    ) -> Made {
        self.integer(op, scalar, left, right, None, false)
    }

    fn float(
        &mut self,
        op: FloatOp,
        scalar: Scalar,
        left: &Text,
        right: &Text,
        flags: FloatFlags,
    ) -> Made {
        check(flags)?;
        let (left, right) = (self.widened(scalar, left), self.widened(scalar, right));
        let threads = self.context.form == Form::Threads;
        let (level, operator) = match op {
            FloatOp::Add => (Level::Sum, "+"),
            FloatOp::Subtract => (Level::Sum, "-"),
            FloatOp::Multiply => (Level::Product, "*"),
            FloatOp::Divide => (Level::Product, "/"),
            FloatOp::Minimum | FloatOp::Maximum | FloatOp::MinimumNan | FloatOp::MaximumNan => {
                let double = scalar == Scalar::F64;
                let name = match op {
                    FloatOp::Minimum if double => self.spelling.helper("MinimumNumber64"),
                    FloatOp::Maximum if double => self.spelling.helper("MaximumNumber64"),
                    _ if double => return Err(refuse("it takes the smaller of doubles, or NaN")),
                    FloatOp::Minimum if threads => "fminf",
                    FloatOp::Maximum if threads => "fmaxf",
                    FloatOp::Minimum => self.spelling.helper("MinimumNumber"),
                    FloatOp::Maximum => self.spelling.helper("MaximumNumber"),
                    FloatOp::MinimumNan => self.spelling.helper("MinimumOrNan"),
                    _ => self.spelling.helper("MaximumOrNan"),
                };
                return Ok(self.rounded(scalar, call(name, &[left, right])));
            }
        };
        Ok(self.rounded(scalar, binary(level, operator, &left, &right)))
    }

    fn conversion(&mut self, kind: Conversion, from: Scalar, to: Scalar, value: &Text) -> Made {
        let name = scalar_name(to)?;
        let one = std::slice::from_ref(value);
        let cast = || Text::primary(format!("{name}({})", value.text));
        Ok(match kind {
            Conversion::ZeroExtend if from.is_signed() => {
                let unsigned = match from {
                    Scalar::I8 => "uint8_t",
                    Scalar::I16 => "uint16_t",
                    Scalar::I32 => "uint32_t",
                    _ => "uint64_t",
                };
                Text::primary(format!("{name}({unsigned}({}))", value.text))
            }
            Conversion::SignExtend if from.is_unsigned() => {
                let signed = match from {
                    Scalar::U8 => "int8_t",
                    Scalar::U16 => "int16_t",
                    Scalar::U32 => "int32_t",
                    _ => "int64_t",
                };
                Text::primary(format!("{name}({signed}({}))", value.text))
            }
            Conversion::ZeroExtend | Conversion::SignExtend | Conversion::Truncate => cast(),
            Conversion::Bits => {
                let integers = (from.is_integer() || from == Scalar::Bool)
                    && (to.is_integer() || to == Scalar::Bool);
                if integers { cast() } else { call(&self.bit_cast(name), one) }
            }
            Conversion::IntegerToFloat(how) => {
                if how != Rounding::NearestEven {
                    return Err(refuse("it asks for another rounding than to the nearest"));
                }
                if to == Scalar::F64 {
                    let helper = self.spelling.helper("ToFloat64");
                    let wide = if from.is_signed() { "int64_t" } else { "uint64_t" };
                    Text::primary(format!("{helper}({wide}({}))", value.text))
                } else if to == Scalar::F32 {
                    cast()
                } else if matches!(from, Scalar::I32 | Scalar::U32 | Scalar::I64 | Scalar::U64) {
                    // Exact below 2^24; what lies above is infinite in half. In bfloat16 it is
                    // rounded to odd first.
                    if to != Scalar::F16 {
                        let double = self.spelling.helper("ToFloat64");
                        let narrow = self.spelling.helper("NarrowFloat64");
                        let wide = if from.is_signed() { "int64_t" } else { "uint64_t" };
                        let text = format!("{narrow}({double}({wide}({})), true)", value.text);
                        return Ok(self.rounded(to, Text::primary(text)));
                    }
                    let wide = Text::primary(format!("static_cast<float>({})", value.text));
                    self.rounded(to, wide)
                } else {
                    let wide = Text::primary(format!("static_cast<float>({})", value.text));
                    self.rounded(to, wide)
                }
            }
            Conversion::FloatToInteger(how) => {
                if from == Scalar::F64 {
                    let whole = match how {
                        Rounding::TowardZero => value.clone(),
                        Rounding::NearestEven => call(self.spelling.helper("RoundEven64"), one),
                        Rounding::Down => call(self.spelling.helper("Floor64"), one),
                        Rounding::Up => call(self.spelling.helper("Ceil64"), one),
                        Rounding::NearestAway => call(self.spelling.helper("RoundAway64"), one),
                    };
                    let helper = self.spelling.helper("ToInteger64");
                    return Ok(call(&format!("{helper}<{name}>"), &[whole]));
                }
                let wide = self.widened(from, value);
                let whole = match how {
                    Rounding::TowardZero => wide,
                    Rounding::NearestEven => self.round_call("RoundEven", "rintf", &wide),
                    Rounding::Down => self.round_call("Floor", "floorf", &wide),
                    Rounding::Up => self.round_call("Ceil", "ceilf", &wide),
                    Rounding::NearestAway => self.round_call("RoundAway", "roundf", &wide),
                };
                let helper = self.spelling.helper("ToInteger");
                call(&format!("{helper}<{name}>"), &[whole])
            }
            Conversion::FloatToFloat { rounding, saturate } => {
                if from == to {
                    return Ok(value.clone());
                }
                if rounding != Rounding::NearestEven && to != Scalar::F32 || saturate {
                    return Err(refuse("it asks for another rounding than to the nearest"));
                }
                if from == Scalar::F64 {
                    // What is rounded again is rounded to odd first.
                    let helper = self.spelling.helper("NarrowFloat64");
                    let odd = to != Scalar::F32;
                    let narrow = Text::primary(format!("{helper}({}, {odd})", value.text));
                    return Ok(self.rounded(to, narrow));
                }
                let wide = self.widened(from, value);
                if to == Scalar::F64 {
                    return Ok(call(self.spelling.helper("ToFloat64"), &[wide]));
                }
                self.rounded(to, wide)
            }
            Conversion::Space
            | Conversion::PointerToInteger
            | Conversion::IntegerToPointer
            | Conversion::SharedOffset
            | Conversion::SharedPointer => value.clone(),
        })
    }

    /// A rounding to an integer: the 950's function, or ours.
    pub(crate) fn round_call(&mut self, ours: &'static str, theirs: &str, value: &Text) -> Text {
        let one = std::slice::from_ref(value);
        if self.context.form == Form::Threads {
            call(theirs, one)
        } else {
            call(self.spelling.helper(ours), one)
        }
    }
}

fn check(flags: FloatFlags) -> Result<(), NotTranslated> {
    if flags.flush {
        return Err(refuse("it asks for subnormal numbers to be flushed to zero"));
    }
    if flags.rounding != Rounding::NearestEven {
        return Err(refuse("it asks for another rounding than to the nearest"));
    }
    Ok(())
}
