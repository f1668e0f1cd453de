//! Pure expressions as C++.

use port_ir::{
    Axis, Builtin, CompareOp, Constant, Conversion, Expression, FloatFlags, FloatOp, IntegerOp,
    MathFunction, Rounding, Scalar, Type, UnaryOp, Value,
};

use super::NotCompiled;
use super::block::Emitter;
use super::facts::Position;
use super::types::{fragment_length, refuse, scalar_name};

pub(super) use port_backend::text::cpp::{Level, Text, binary, call, component, relation};

type Made = Result<Text, NotCompiled>;

/// A constant of its own type.
pub(super) fn constant(constant: Constant) -> Text {
    let bits = constant.bits;
    let integer = constant.as_integer().unwrap_or(0);
    let signed = |text: String| {
        let level = if integer < 0 { Level::Unary } else { Level::Primary };
        Text::at(text, level)
    };
    match constant.scalar {
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
            Text::primary(format!("{}({integer})", scalar_name(small)))
        }
        Scalar::F32 => {
            let value = f32::from_bits(bits as u32);
            if value.is_finite() {
                let level = if value.is_sign_negative() { Level::Unary } else { Level::Primary };
                Text::at(format!("{value:?}f"), level)
            } else if value.is_infinite() {
                let level = if value < 0.0 { Level::Unary } else { Level::Primary };
                Text::at(if value < 0.0 { "-infinity" } else { "infinity" }, level)
            } else {
                Text::primary(format!("bits<float>({bits:#x}u)"))
            }
        }
        Scalar::F64 => {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                let level = if value.is_sign_negative() { Level::Unary } else { Level::Primary };
                Text::at(format!("{value:?}"), level)
            } else {
                Text::primary(format!("bits<double>(uint64_t({bits:#x}u))"))
            }
        }
        narrow => Text::primary(format!("{}{{{bits:#x}}}", scalar_name(narrow))),
    }
}

pub(super) fn rounding(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::NearestEven => "Rounding::nearest",
        Rounding::TowardZero => "Rounding::zero",
        Rounding::Up => "Rounding::up",
        Rounding::Down => "Rounding::down",
        Rounding::NearestAway => "Rounding::away",
    }
}

/// Whether the processor computes in this type as it is.
fn is_plain_float(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::F32 | Scalar::F64)
}

fn is_word(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::I32 | Scalar::U32 | Scalar::I64 | Scalar::U64)
}

impl Emitter<'_, '_, '_> {
    /// A value as C++ of its type.
    pub(super) fn value(&mut self, value: Value) -> Made {
        if let Some(name) = self.known(value) {
            return Ok(name);
        }
        let facts = self.facts;
        if facts.named.contains_key(&value) {
            return self.declare(value);
        }
        self.compute(value)
    }

    /// Gives a value a name here.
    pub(super) fn declare(&mut self, value: Value) -> Made {
        let text = self.compute(value)?;
        if text.level == Level::Primary
            && text.text.chars().all(|c| c.is_alphanumeric() || c == '_')
        {
            return Ok(text);
        }
        let ty = self.facts.ty(value);
        let wish = self.wish(value);
        let name = self.names.fresh(&wish);
        match ty {
            Type::Pointer(_) => {
                let pointee = self.natural(value);
                let spelled = self.pointer_type(pointee)?;
                self.out.line(format!("{spelled} const {name} = {};", text.text));
            }
            ty => {
                let spelled = self.spelling.value(ty)?;
                self.out.line(format!("const {spelled} {name} = {};", text.text));
            }
        }
        self.bind(value, name.clone());
        if self.lane {
            self.pure.push(name.clone());
        }
        Ok(Text::primary(name))
    }

    /// The expression itself.
    fn compute(&mut self, value: Value) -> Made {
        let facts = self.facts;
        let ty = facts.ty(value);
        match facts.expression(value) {
            Expression::Constant(it) => Ok(constant(*it)),
            Expression::Zero(ty) => self.zero(*ty),
            Expression::Undefined(ty) => self.zero(*ty),
            Expression::Argument(index) => self.argument(*index),
            Expression::ArgumentAddress(index) => {
                let name = self.argument(*index)?;
                Ok(Text::at(format!("&{}", name.text), Level::Unary))
            }
            Expression::Local(_) | Expression::Variable(_) => {
                let place = self.address(value)?;
                Ok(place.text)
            }
            Expression::Element { .. }
            | Expression::Member { .. }
            | Expression::FragmentElement { .. } => Ok(self.address(value)?.text),
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
                let pointer = self.value(*value)?;
                Ok(call("to_integer", &[pointer]))
            }
            Expression::Convert { kind: Conversion::IntegerToPointer, value, .. } => {
                let integer = self.value(*value)?;
                Ok(call("to_pointer", &[integer]))
            }
            Expression::Convert { kind: Conversion::SharedOffset, value, .. } => {
                let pointer = self.value(*value)?;
                Ok(call("shared_offset", &[Text::primary(self.block_object()), pointer]))
            }
            Expression::Convert { kind: Conversion::SharedPointer, value, .. } => {
                let offset = self.value(*value)?;
                Ok(call("shared_pointer", &[Text::primary(self.block_object()), offset]))
            }
            Expression::Convert { kind: Conversion::Bits, value, to }
                if matches!(to, Type::Vector(..))
                    || matches!(facts.ty(*value), Type::Vector(..)) =>
            {
                let inner = self.value(*value)?;
                let spelled = self.spelling.value(*to)?;
                Ok(call(&format!("bits<{spelled}>"), &[inner]))
            }
            Expression::Splat { ty: splat, value } => {
                let inner = self.value(*value)?;
                let spelled = self.spelling.value(*splat)?;
                Ok(call(&format!("splat<{spelled}>"), &[inner]))
            }
            Expression::Compose { ty, parts } => self.compose(*ty, parts),
            Expression::Extract { value, index } => self.extract(*value, *index),
            Expression::Insert { value, index, part } => self.insert(*value, *index, *part),
            Expression::Select { condition, accept, reject } => {
                let c = self.value(*condition)?;
                let (a, r) = (self.value(*accept)?, self.value(*reject)?);
                if matches!(facts.ty(*condition), Type::Vector(..)) {
                    return Ok(call("select", &[c, a, r]));
                }
                let (mut a, r) = (a, r);
                if matches!(ty, Type::Pointer(_)) {
                    a = Text::primary(format!("static_cast<void*>({})", a.text));
                }
                let text = format!(
                    "{} ? {} : {}",
                    c.in_level(Level::Or),
                    a.in_level(Level::Or),
                    r.in_level(Level::Or)
                );
                Ok(Text::at(text, Level::Conditional))
            }
            Expression::Compare { left, right, .. }
                if matches!(facts.ty(*left), Type::Pointer(_)) =>
            {
                let Expression::Compare { op, .. } = facts.expression(value) else {
                    return Err(refuse("it compares what cannot be compared"));
                };
                let (l, r) = (self.value(*left)?, self.value(*right)?);
                let (l, r) = (call("to_integer", &[l]), call("to_integer", &[r]));
                Ok(self.comparison(*op, Scalar::U64, &l, &r))
            }
            expression => {
                let operands = expression.operands();
                let mut texts = Vec::new();
                let mut types = Vec::new();
                for operand in operands {
                    texts.push(self.value(operand)?);
                    types.push(facts.ty(operand));
                }
                let is_vector = |ty: &Type| matches!(ty, Type::Vector(..));
                if !is_vector(&ty) && !types.iter().any(is_vector) {
                    let scalars: Vec<Scalar> =
                        types.iter().map(|ty| ty.scalar().unwrap_or(Scalar::U64)).collect();
                    return self.operate(expression, ty, &scalars, &texts);
                }
                // Component by component.
                let letters = ["a", "b", "c"];
                let mut parameters = Vec::new();
                let mut inner = Vec::new();
                let mut outer = Vec::new();
                let mut scalars = Vec::new();
                for (index, (text, ty)) in texts.iter().zip(&types).enumerate() {
                    let scalar = ty.scalar().unwrap_or(Scalar::U64);
                    scalars.push(scalar);
                    if is_vector(ty) {
                        let letter = letters.get(index).copied().unwrap_or("d");
                        parameters.push(format!("{} {letter}", scalar_name(scalar)));
                        inner.push(Text::primary(letter));
                        outer.push(text.text.clone());
                    } else {
                        inner.push(Text::primary(format!("({})", text.text)));
                    }
                }
                let result = ty.scalar().unwrap_or(Scalar::Bool);
                let body = self.operate(expression, Type::Scalar(result), &scalars, &inner)?;
                Ok(Text::primary(format!(
                    "map([=]({}) {{ return {}; }}, {})",
                    parameters.join(", "),
                    body.text,
                    outer.join(", ")
                )))
            }
        }
    }

    fn zero(&mut self, ty: Type) -> Made {
        Ok(match ty {
            Type::Scalar(scalar)
                if is_plain_float(scalar) || scalar == Scalar::Bool || is_word(scalar) =>
            {
                constant(Constant::from_bits(scalar, 0))
            }
            Type::Pointer(_) => Text::primary("static_cast<void*>(nullptr)"),
            other => Text::primary(format!("{}{{}}", self.spelling.value(other)?)),
        })
    }

    fn builtin(&mut self, builtin: Builtin) -> Made {
        let axis = |axis: Axis| axis.name();
        let text = match builtin {
            Builtin::ThreadIndex(Axis::X) => return self.thread_value("tx"),
            Builtin::ThreadIndex(Axis::Y) => return self.thread_value("ty"),
            Builtin::ThreadIndex(Axis::Z) => return self.thread_value("tz"),
            Builtin::LaneId => {
                let t = self.thread_value("t")?;
                return Ok(call("lane_of", &[t]));
            }
            Builtin::WarpId => {
                let t = self.thread_value("t")?;
                return Ok(call("warp_of", &[t]));
            }
            Builtin::LaneMask(op) => {
                let t = self.thread_value("t")?;
                let name = match op {
                    CompareOp::Equal => "lanes_equal",
                    CompareOp::Less => "lanes_below",
                    CompareOp::LessEqual => "lanes_to",
                    CompareOp::Greater => "lanes_above",
                    CompareOp::GreaterEqual => "lanes_from",
                    CompareOp::NotEqual => return Err(refuse("it uses a mask of other lanes")),
                };
                return Ok(call(name, &[t]));
            }
            Builtin::WarpSize => "32u".to_string(),
            Builtin::BlockIndex(a) => format!("block.index.{}", axis(a)),
            Builtin::BlockDim(a) => format!("block.size.{}", axis(a)),
            Builtin::GridDim(a) => format!("block.grid.{}", axis(a)),
            Builtin::DynamicSharedSize => "block.dynamic_bytes".to_string(),
            Builtin::ClusterIndex(a) => format!("block.index.{}", axis(a)),
            Builtin::ClusterGridDim(a) => format!("block.grid.{}", axis(a)),
            Builtin::ClusterDim(_) | Builtin::ClusterSize => "1u".to_string(),
            Builtin::ClusterBlockIndex(_) | Builtin::ClusterRank => "0u".to_string(),
        };
        Ok(Text::primary(self.block_value(&text)))
    }

    fn compose(&mut self, ty: Type, parts: &[Value]) -> Made {
        let mut texts = Vec::new();
        for part in parts {
            let text = self.value(*part)?;
            texts.push(match self.facts.ty(*part) {
                Type::Pointer(_) => format!("static_cast<void*>({})", text.text),
                _ => text.text,
            });
        }
        let spelled = self.spelling.value(ty)?;
        if let Type::Struct(handle) = ty
            && self.spelling.structure(handle)?.members.is_none()
        {
            let structure = &self.facts.module.types.structs()[handle];
            let mut whole = format!("{spelled}{{}}");
            for (member, text) in structure.members.iter().zip(&texts) {
                whole = format!("with_part({whole}, {}, {text})", member.offset);
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
                let member = &self.facts.module.types.structs()[handle].members[index as usize];
                match declared.members {
                    Some(names) => Text::primary(format!("{text}.{}", names[index as usize])),
                    None => {
                        let part = self.spelling.value(member.ty)?;
                        Text::primary(format!("part<{part}>({text}, {})", member.offset))
                    }
                }
            }
            _ => return Err(refuse("it takes a part of what has none")),
        })
    }

    fn insert(&mut self, whole: Value, index: u32, part: Value) -> Made {
        let ty = self.facts.ty(whole);
        let layout = self.facts.module.types.layout(ty);
        let part_ty = self.facts.ty(part);
        let whole = self.value(whole)?;
        let mut text = self.value(part)?;
        if matches!(part_ty, Type::Pointer(_)) {
            text = Text::primary(format!("static_cast<void*>({})", text.text));
        }
        let offset = match ty {
            Type::Vector(scalar, _) => scalar.size() * u64::from(index),
            Type::Array(handle) => {
                let element = self.facts.module.types.arrays()[handle].element;
                let size = self.facts.module.types.layout(element).map_or(0, |layout| layout.size);
                size * u64::from(index)
            }
            Type::Struct(handle) => {
                self.facts.module.types.structs()[handle].members[index as usize].offset
            }
            _ => return Err(refuse("it takes a part of what has none")),
        };
        if layout.is_none() {
            return Err(refuse("it changes a part of a value that holds matrix fragments"));
        }
        Ok(Text::primary(format!("with_part({}, {offset}, {})", whole.text, text.text)))
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
        Ok(match expression {
            Expression::Unary { op, .. } => unary(*op, result, &texts[0]),
            Expression::Integer { op, right, .. } => {
                let constant = match self.facts.expression(*right) {
                    Expression::Constant(it) => it.as_integer(),
                    _ => None,
                };
                integer(*op, result, &texts[0], &texts[1], constant)
            }
            Expression::Float { op, flags, .. } => {
                float(*op, result, &texts[0], &texts[1], *flags)?
            }
            Expression::FusedMultiplyAdd { flags, .. } => {
                check_flush(*flags)?;
                if flags.rounding == Rounding::NearestEven {
                    call("fused", texts)
                } else {
                    call(&format!("fused_to<{}>", rounding(flags.rounding)), texts)
                }
            }
            Expression::Compare { op, .. } => {
                self.comparison(*op, scalars[0], &texts[0], &texts[1])
            }
            Expression::Convert { kind, .. } => convert(*kind, scalars[0], result, &texts[0]),
            Expression::Math { function, flags, .. } => math(*function, *flags, texts)?,
            _ => return Err(refuse("it uses an operation that has no form here")),
        })
    }

    fn comparison(&self, op: CompareOp, scalar: Scalar, left: &Text, right: &Text) -> Text {
        let (left, right) = if scalar.is_float() && !is_plain_float(scalar) {
            (call("widen", std::slice::from_ref(left)), call("widen", std::slice::from_ref(right)))
        } else {
            (left.clone(), right.clone())
        };
        let (operator, level) = relation(op);
        let text =
            format!("{} {operator} {}", left.in_level(Level::Shift), right.in_level(Level::Shift));
        Text::at(text, level)
    }

    /// A name for a value: the user's, or one that says where it comes from.
    pub(super) fn wish(&self, value: Value) -> String {
        let facts = self.facts;
        if let Some(name) = facts.function.names.get(&value) {
            return name.clone();
        }
        match facts.expression(value) {
            Expression::Compare { .. } => "holds".to_string(),
            Expression::Element { .. } | Expression::Member { .. } => "place".to_string(),
            Expression::Math { function, .. } => format!("{}_of", function.name()),
            Expression::Float { op: FloatOp::Multiply, .. }
            | Expression::Integer { op: IntegerOp::Multiply, .. } => "product".to_string(),
            Expression::Float { op: FloatOp::Add, .. }
            | Expression::Integer { op: IntegerOp::Add, .. } => "sum".to_string(),
            Expression::Float { op: FloatOp::Subtract, .. }
            | Expression::Integer { op: IntegerOp::Subtract, .. } => "difference".to_string(),
            Expression::Float { op: FloatOp::Divide, .. }
            | Expression::Integer { op: IntegerOp::Divide, .. } => "quotient".to_string(),
            Expression::Convert { value, .. } => self.wish(*value),
            Expression::Result(_) => self.wish_of_result(value),
            _ => "value".to_string(),
        }
    }

    /// The values that are best declared at a position, for a region that reads them.
    pub(super) fn declare_at(
        &mut self,
        position: Position,
        step: Option<usize>,
    ) -> Result<(), NotCompiled> {
        let facts = self.facts;
        let Some(values) = facts.named_at.get(&position) else { return Ok(()) };
        for value in values {
            if self.known(*value).is_some() {
                continue;
            }
            let read_here = match step {
                None => true,
                Some(step) => facts.uses[value.index()]
                    .iter()
                    .any(|place| self.schedule.step_at(facts, *place) == Some(step)),
            };
            if read_here && (self.lane || self.schedule.is_scalar(facts, *value)) {
                self.declare(*value)?;
            }
        }
        Ok(())
    }
}

fn unary(op: UnaryOp, scalar: Scalar, value: &Text) -> Text {
    let one = std::slice::from_ref(value);
    match op {
        UnaryOp::Negate if is_plain_float(scalar) => {
            let inner = if value.text.starts_with('-') {
                format!("({})", value.text)
            } else {
                value.in_level(Level::Unary)
            };
            Text::at(format!("-{inner}"), Level::Unary)
        }
        UnaryOp::Negate => call("negate", one),
        UnaryOp::Not if scalar == Scalar::Bool => {
            Text::at(format!("!{}", value.in_level(Level::Unary)), Level::Unary)
        }
        UnaryOp::Not if is_word(scalar) => {
            Text::at(format!("~{}", value.in_level(Level::Unary)), Level::Unary)
        }
        UnaryOp::Not => {
            Text::primary(format!("{}(~{})", scalar_name(scalar), value.in_level(Level::Unary)))
        }
        UnaryOp::Absolute => call("absolute", one),
    }
}

fn integer(
    op: IntegerOp,
    scalar: Scalar,
    left: &Text,
    right: &Text,
    constant: Option<i128>,
) -> Text {
    let both = [left.clone(), right.clone()];
    let plain = matches!(scalar, Scalar::U32 | Scalar::U64);
    let cast = |text: Text| {
        if is_word(scalar) || scalar == Scalar::Bool {
            text
        } else {
            Text::primary(format!("{}({})", scalar_name(scalar), text.text))
        }
    };
    match op {
        IntegerOp::Add if plain => binary(Level::Sum, "+", left, right),
        IntegerOp::Subtract if plain => binary(Level::Sum, "-", left, right),
        IntegerOp::Multiply if plain => binary(Level::Product, "*", left, right),
        IntegerOp::Add => call("add", &both),
        IntegerOp::Subtract => call("sub", &both),
        IntegerOp::Multiply => call("mul", &both),
        IntegerOp::MultiplyHigh => call("multiply_high", &both),
        // No division by zero, and none that overflows.
        IntegerOp::Divide if constant.is_some_and(|by| by != 0 && by != -1) => {
            cast(binary(Level::Product, "/", left, right))
        }
        IntegerOp::Remainder if constant.is_some_and(|by| by != 0 && by != -1) => {
            cast(binary(Level::Product, "%", left, right))
        }
        IntegerOp::Divide => call("divide", &both),
        IntegerOp::Remainder => call("remainder", &both),
        IntegerOp::Minimum => call("minimum", &both),
        IntegerOp::Maximum => call("maximum", &both),
        IntegerOp::And if scalar == Scalar::Bool => binary(Level::And, "&&", left, right),
        IntegerOp::Or if scalar == Scalar::Bool => binary(Level::Or, "||", left, right),
        IntegerOp::Xor if scalar == Scalar::Bool => {
            binary(Level::Equality, "!=", &paren(left), &paren(right))
        }
        IntegerOp::And => cast(binary(Level::BitAnd, "&", left, right)),
        IntegerOp::Or => cast(binary(Level::BitOr, "|", left, right)),
        IntegerOp::Xor => cast(binary(Level::BitXor, "^", left, right)),
        IntegerOp::ShiftLeft => {
            let fits = constant.is_some_and(|by| by >= 0 && by < i128::from(scalar.bits()));
            if fits && plain {
                binary(Level::Shift, "<<", left, &small(constant, right))
            } else {
                call("shift_left", &[left.clone(), small(constant, right)])
            }
        }
        IntegerOp::ShiftRight => {
            let fits = constant.is_some_and(|by| by >= 0 && by < i128::from(scalar.bits()));
            if fits {
                cast(binary(Level::Shift, ">>", left, &small(constant, right)))
            } else {
                call("shift_right", &[left.clone(), small(constant, right)])
            }
        }
    }
}

/// A shift's amount: its type does not matter where it is a small constant.
fn small(constant: Option<i128>, text: &Text) -> Text {
    match constant {
        Some(amount) if (0..64).contains(&amount) => Text::primary(amount.to_string()),
        _ => text.clone(),
    }
}

fn paren(text: &Text) -> Text {
    Text::primary(text.in_level(Level::Unary))
}

fn check_flush(flags: FloatFlags) -> Result<(), NotCompiled> {
    if flags.flush {
        return Err(refuse("it asks for subnormal numbers to be flushed to zero"));
    }
    Ok(())
}

fn float(op: FloatOp, scalar: Scalar, left: &Text, right: &Text, flags: FloatFlags) -> Made {
    check_flush(flags)?;
    let both = [left.clone(), right.clone()];
    let (level, operator, name) = match op {
        FloatOp::Add => (Level::Sum, "+", "add"),
        FloatOp::Subtract => (Level::Sum, "-", "sub"),
        FloatOp::Multiply => (Level::Product, "*", "mul"),
        FloatOp::Divide => (Level::Product, "/", "divide"),
        FloatOp::Minimum => return Ok(call("minimum", &both)),
        FloatOp::Maximum => return Ok(call("maximum", &both)),
        FloatOp::MinimumNan => return Ok(call("minimum_or_nan", &both)),
        FloatOp::MaximumNan => return Ok(call("maximum_or_nan", &both)),
    };
    Ok(if flags.rounding != Rounding::NearestEven {
        call(&format!("{name}_to<{}>", rounding(flags.rounding)), &both)
    } else if is_plain_float(scalar) {
        binary(level, operator, left, right)
    } else {
        call(name, &both)
    })
}

fn convert(kind: Conversion, from: Scalar, to: Scalar, value: &Text) -> Text {
    let name = scalar_name(to);
    let one = std::slice::from_ref(value);
    let cast = || Text::primary(format!("{name}({})", value.text));
    match kind {
        Conversion::ZeroExtend => {
            if from.is_signed() {
                let unsigned = match from {
                    Scalar::I8 => "uint8_t",
                    Scalar::I16 => "uint16_t",
                    Scalar::I32 => "uint32_t",
                    _ => "uint64_t",
                };
                return Text::primary(format!("{name}({unsigned}({}))", value.text));
            }
            cast()
        }
        Conversion::SignExtend => {
            let signed = match from {
                Scalar::U8 => "int8_t",
                Scalar::U16 => "int16_t",
                Scalar::U32 => "int32_t",
                _ => return cast(),
            };
            Text::primary(format!("{name}({signed}({}))", value.text))
        }
        Conversion::Truncate => cast(),
        Conversion::Bits => {
            let integers = (from.is_integer() || from == Scalar::Bool)
                && (to.is_integer() || to == Scalar::Bool);
            if integers { cast() } else { call(&format!("bits<{name}>"), one) }
        }
        Conversion::IntegerToFloat(how) => {
            if is_plain_float(to) && how == Rounding::NearestEven {
                cast()
            } else {
                call(&format!("convert<{name}, {}>", rounding(how)), one)
            }
        }
        Conversion::FloatToInteger(how) => {
            call(&format!("convert<{name}, {}>", rounding(how)), one)
        }
        Conversion::FloatToFloat { rounding: how, saturate } => {
            if from == to {
                value.clone()
            } else if is_plain_float(from)
                && is_plain_float(to)
                && how == Rounding::NearestEven
                && !saturate
                || from == Scalar::F32 && to == Scalar::F64
            {
                cast()
            } else if saturate {
                call(&format!("convert_saturated<{name}, {}>", rounding(how)), one)
            } else if to == Scalar::F32 && !is_plain_float(from) {
                call("widen", one)
            } else {
                call(&format!("convert<{name}, {}>", rounding(how)), one)
            }
        }
        Conversion::Space
        | Conversion::PointerToInteger
        | Conversion::IntegerToPointer
        | Conversion::SharedOffset
        | Conversion::SharedPointer => value.clone(),
    }
}

fn math(function: MathFunction, flags: FloatFlags, texts: &[Text]) -> Made {
    use MathFunction as M;
    check_flush(flags)?;
    let directed = flags.rounding != Rounding::NearestEven;
    let name = match function {
        M::SquareRoot if directed => {
            return Ok(call(&format!("square_root_to<{}>", rounding(flags.rounding)), texts));
        }
        M::Reciprocal if directed => {
            return Ok(call(&format!("reciprocal_to<{}>", rounding(flags.rounding)), texts));
        }
        M::SquareRoot => "square_root",
        M::ReciprocalSquareRoot => "reciprocal_square_root",
        M::Reciprocal => "reciprocal",
        M::CubeRoot => "cube_root",
        M::ReciprocalCubeRoot => "reciprocal_cube_root",
        M::Exp => "exponential",
        M::Exp2 => "exponential_2",
        M::Exp10 => "exponential_10",
        M::ExpMinusOne => "exponential_minus_one",
        M::Log => "logarithm",
        M::Log2 => "logarithm_2",
        M::Log10 => "logarithm_10",
        M::LogOnePlus => "logarithm_one_plus",
        M::LogBinary => "logarithm_binary",
        M::Sin => "sine",
        M::Cos => "cosine",
        M::Tan => "tangent",
        M::SinPi => "sine_pi",
        M::CosPi => "cosine_pi",
        M::Asin => "arc_sine",
        M::Acos => "arc_cosine",
        M::Atan => "arc_tangent",
        M::Atan2 => "arc_tangent_2",
        M::Sinh => "hyperbolic_sine",
        M::Cosh => "hyperbolic_cosine",
        M::Tanh => "hyperbolic_tangent",
        M::Asinh => "inverse_hyperbolic_sine",
        M::Acosh => "inverse_hyperbolic_cosine",
        M::Atanh => "inverse_hyperbolic_tangent",
        M::Erf => "error_function",
        M::Erfc => "error_function_complement",
        M::ErfcScaled => "error_function_scaled",
        M::ErfInverse => "error_function_inverse",
        M::ErfcInverse => "error_function_complement_inverse",
        M::NormalCdf => "normal_distribution",
        M::NormalCdfInverse => "normal_distribution_inverse",
        M::Gamma => "gamma_function",
        M::LogGamma => "log_gamma",
        M::BesselJ0 => "bessel_j0",
        M::BesselJ1 => "bessel_j1",
        M::BesselJn => "bessel_jn",
        M::BesselY0 => "bessel_y0",
        M::BesselY1 => "bessel_y1",
        M::BesselYn => "bessel_yn",
        M::BesselI0 => "bessel_i0",
        M::BesselI1 => "bessel_i1",
        M::Power => "power",
        M::PowerInteger => "power_integer",
        M::ScaleByPowerOfTwo => "scale_binary",
        M::FrexpFraction => "fraction_of",
        M::FrexpExponent => "exponent_of",
        M::IntegerLogBinary => "integer_log_binary",
        M::FloatModulo => "modulo",
        M::FloatRemainder => "float_remainder",
        M::Hypot => "hypotenuse",
        M::ReciprocalHypot => "reciprocal_hypotenuse",
        M::Norm3 => "norm_3",
        M::ReciprocalNorm3 => "reciprocal_norm_3",
        M::Norm4 => "norm_4",
        M::ReciprocalNorm4 => "reciprocal_norm_4",
        M::PositiveDifference => "positive_difference",
        M::CopySign => "copy_sign",
        M::NextAfter => "next_after",
        M::Floor => "round_down",
        M::Ceil => "round_up",
        M::Trunc => "round_to_zero",
        M::Round => "round_half_away",
        M::RoundEven => "round_half_even",
        M::Saturate => "saturate",
        M::RoundToTf32 => "round_to_tf32",
        M::IsNan => "is_nan",
        M::IsInfinite => "is_infinite",
        M::IsFinite => "is_finite",
        M::SignBit => "is_negative",
        M::PopulationCount => "population_count",
        M::CountLeadingZeros => "leading_zeros",
        M::FindFirstSet => "first_set",
        M::ReverseBits => "reverse_bits",
        M::AddSaturate => "add_saturated",
        M::SubtractSaturate => "sub_saturated",
        M::AverageDown => "average_down",
        M::AverageUp => "average_up",
        M::Multiply24 => "multiply_24",
        M::SumOfAbsoluteDifference => "absolute_difference_plus",
        M::BytePermute => "byte_permute",
        M::FunnelShiftLeft => "funnel_left",
        M::FunnelShiftRight => "funnel_right",
        M::FunnelShiftLeftClamp => "funnel_left_clamped",
        M::FunnelShiftRightClamp => "funnel_right_clamped",
        M::DotFourBytes => "dot_four_bytes",
        M::DotTwoLow => "dot_two_low",
        M::DotTwoHigh => "dot_two_high",
    };
    Ok(call(name, texts))
}
