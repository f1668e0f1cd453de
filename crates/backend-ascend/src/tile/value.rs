//! Pure expressions: scalars, forms and vectors.

mod functions;
mod integers;
mod operations;

use port_ir::analysis::affine::{Polynomial, Symbol};
use port_ir::{
    Axis, Builtin, CompareOp, Constant, Conversion, Expression, FloatOp, IntegerOp, MathFunction,
    Rounding, Scalar, Type, UnaryOp, Value,
};

use super::engine::{Engine, Linear, Result, Val, memory_type, scalar_type};
use super::memory::range::Range;
use crate::code::{cpp, float_text};

/// What kind of vector holds a scalar type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Float,
    Int,
    Long,
    Bool,
}

pub(super) fn kind(scalar: Scalar) -> Option<Kind> {
    Some(match scalar {
        Scalar::Bool => Kind::Bool,
        Scalar::F32 | Scalar::F16 | Scalar::Bf16 => Kind::Float,
        // Doubles are only moved: no unit computes with them.
        Scalar::I64 | Scalar::U64 | Scalar::F64 => Kind::Long,
        s if s.is_integer() => Kind::Int,
        _ => return None,
    })
}

impl Engine<'_, '_> {
    /// What a value is.
    pub fn eval(&mut self, value: Value) -> Result<Val> {
        if let Some(known) = self.known(value) {
            return Ok(known);
        }
        let val = self.compute(value)?;
        self.remember(value, &val);
        Ok(val)
    }

    fn compute(&mut self, value: Value) -> Result<Val> {
        let ty = self.type_of(value);
        let is_leaf_or_scalar = matches!(ty, Type::Scalar(_) | Type::Pointer(_));
        if is_leaf_or_scalar && !self.shape.varies(value) {
            // What only the vector unit computes stays there: the scalar unit would wait for it.
            if self.is_rounded(value) {
                return self.compute_vector(value);
            }
            return self.compute_uniform(value).map(Val::Uniform);
        }
        if let Type::Scalar(scalar) = ty
            && scalar.is_integer()
            && let Some(linear) = self.as_linear(value)?
        {
            return Ok(Val::Linear(linear));
        }
        self.compute_vector(value)
    }

    /// An integer as a form, if it is one.
    pub fn as_linear(&mut self, value: Value) -> Result<Option<Linear>> {
        let polynomial = self.affine.integer(value);
        let places = |s: Symbol| {
            matches!(s, Symbol::Builtin(Builtin::ThreadIndex(_)))
                || s == Symbol::Builtin(Builtin::BlockIndex(Axis::X))
        };
        if !polynomial.any_symbol(places)
            && !polynomial.any_symbol(|s| matches!(s, Symbol::Passes(_)))
        {
            return Ok(None);
        }
        if !self.is_tame(value, &polynomial, 0) {
            return Ok(None);
        }
        self.linear(&polynomial, 0, 1)
    }

    /// Whether a polynomial is the value also where unsigned numbers would wrap: it does not go below
    /// zero, or nothing unsigned is in it.
    pub fn is_tame(&mut self, value: Value, polynomial: &Polynomial, depth: u32) -> bool {
        if polynomial.terms().all(|(_, c)| c >= 0) {
            return true;
        }
        if depth > 24 {
            return false;
        }
        let signed = matches!(self.type_of(value), Type::Scalar(s) if s.is_signed());
        if !signed {
            return false;
        }
        let expression = self.expression(value).clone();
        if let Expression::Convert { kind: Conversion::ZeroExtend, value: inner, .. } = expression {
            let inner_polynomial = self.affine.integer(inner);
            return inner_polynomial.terms().all(|(_, c)| c >= 0);
        }
        // A reinterpretation of an unsigned number wraps back.
        let looked = match expression {
            Expression::Convert { kind: Conversion::Bits, .. } => return true,
            other => other.operands(),
        };
        for operand in looked {
            if !matches!(self.type_of(operand), Type::Scalar(s) if s.is_integer()) {
                continue;
            }
            let inner = self.affine.integer(operand);
            if !self.is_tame(operand, &inner, depth + 1) {
                return false;
            }
        }
        true
    }

    /// A value that all lanes share, as C++.
    pub fn uniform(&mut self, value: Value) -> Result<String> {
        match self.eval(value)? {
            Val::Uniform(text) => Ok(text),
            val @ Val::Float(_) if self.is_rounded(value) => self.first_lane(val, value, "float"),
            _ => {
                self.refuse_value("a value that all threads share is not known as a scalar", value)
            }
        }
    }

    fn constant(&self, constant: Constant) -> Option<String> {
        Some(match constant.scalar {
            Scalar::Bool => (constant.bits != 0).to_string(),
            Scalar::F32 | Scalar::F16 | Scalar::Bf16 => float_text(constant.as_float()? as f32),
            Scalar::F64 => format!("static_cast<uint64_t>({:#x}u)", constant.bits),
            Scalar::I64 | Scalar::I32 | Scalar::I16 | Scalar::I8 => {
                let number = constant.as_integer()?;
                if number == i128::from(i64::MIN) {
                    "INT64_MIN".to_owned()
                } else if constant.scalar == Scalar::I32 && number != i128::from(i32::MIN) {
                    number.to_string()
                } else {
                    format!("static_cast<{}>({number})", scalar_type(constant.scalar)?)
                }
            }
            Scalar::U32 => format!("{}u", constant.as_integer()?),
            _ => format!(
                "static_cast<{}>({}u)",
                scalar_type(constant.scalar)?,
                constant.as_integer()?
            ),
        })
    }

    fn compute_uniform(&mut self, value: Value) -> Result<String> {
        if let Type::Pointer(_) = self.type_of(value) {
            return self.uniform_pointer(value);
        }
        let scalar = self.scalar_of(value)?;
        let Some(ty) = scalar_type(scalar) else {
            return self.refuse_value(format!("the vector unit has no {}", scalar.name()), value);
        };
        let expression = self.expression(value).clone();
        if scalar == Scalar::F64 && !is_moved(&expression) {
            return self.refuse_value("the vector unit has no f64", value);
        }
        let cast = |text: String| format!("static_cast<{ty}>({text})");
        let text = match expression {
            Expression::Constant(constant) => match self.constant(constant) {
                Some(text) => return Ok(text),
                None => return self.refuse_value("a constant has no form", value),
            },
            Expression::Zero(_) | Expression::Undefined(_) => {
                return Ok(match scalar {
                    Scalar::Bool => "false".to_owned(),
                    Scalar::F32 | Scalar::F16 | Scalar::Bf16 => "0.0f".to_owned(),
                    Scalar::I32 => "0".to_owned(),
                    Scalar::U32 => "0u".to_owned(),
                    _ => cast("0".to_owned()),
                });
            }
            Expression::Argument(index) => return self.parameter(index, &[], value),
            Expression::Builtin(builtin) => match self.builtin(builtin)? {
                Some(text) => return Ok(text),
                None => {
                    return self.refuse_value(
                        "a thread's own number is used where blocks are merged",
                        value,
                    );
                }
            },
            Expression::Unary { op, value: operand } => {
                let v = self.uniform(operand)?;
                match op {
                    UnaryOp::Negate if scalar.is_float() => format!("-({v})"),
                    UnaryOp::Negate => cast(format!("0 - static_cast<uint64_t>({v})")),
                    UnaryOp::Not if scalar == Scalar::Bool => format!("!({v})"),
                    UnaryOp::Not => cast(format!("~({v})")),
                    UnaryOp::Absolute => format!("(({v}) < 0 ? -({v}) : ({v}))"),
                }
            }
            Expression::Integer { op, left, right } => {
                let (a, b) = (self.uniform(left)?, self.uniform(right)?);
                if matches!(op, IntegerOp::Minimum | IntegerOp::Maximum) && a == b {
                    return Ok(a);
                }
                integer_text(op, scalar, ty, &a, &b)
            }
            Expression::Float { op, left, right, .. } => {
                if scalar != Scalar::F32 {
                    return self.through_vector(value, ty);
                }
                let (a, b) = (self.uniform(left)?, self.uniform(right)?);
                match op {
                    FloatOp::Add => format!("({a}) + ({b})"),
                    FloatOp::Subtract => format!("({a}) - ({b})"),
                    FloatOp::Multiply => format!("({a}) * ({b})"),
                    FloatOp::Divide => format!("({a}) / ({b})"),
                    // A comparison with a NaN is false.
                    FloatOp::Minimum => {
                        format!("(({a}) < ({b}) || ({b}) != ({b})) ? ({a}) : ({b})")
                    }
                    FloatOp::Maximum => {
                        format!("(({a}) > ({b}) || ({b}) != ({b})) ? ({a}) : ({b})")
                    }
                    _ => return self.through_vector(value, ty),
                }
            }
            Expression::Compare { op, left, right } => {
                if self.component_scalar(left) == Some(Scalar::F64) {
                    return self.refuse_value("the vector unit has no f64", value);
                }
                let (a, b) = match (self.pointer_offset(left)?, self.pointer_offset(right)?) {
                    (Some((p, a)), Some((q, b))) if p == q => (a, b),
                    (None, None) => (self.uniform(left)?, self.uniform(right)?),
                    _ => {
                        return self
                            .refuse_value("pointers into different memories are compared", value);
                    }
                };
                let (op, _) = cpp::relation(op);
                format!("({a}) {op} ({b})")
            }
            Expression::Select { condition, accept, reject } => {
                let (c, a, b) =
                    (self.uniform(condition)?, self.uniform(accept)?, self.uniform(reject)?);
                if a == b {
                    return Ok(a);
                }
                format!("({c}) ? ({a}) : ({b})")
            }
            Expression::Convert { kind: Conversion::PointerToInteger, value: inner, .. }
                if self.is_global_pointer(inner) =>
            {
                let pointer = self.uniform_pointer(inner)?;
                cast(format!("reinterpret_cast<uint64_t>({pointer})"))
            }
            Expression::Convert { kind, value: inner, .. } => {
                let Type::Scalar(from) = self.type_of(inner) else {
                    return self.refuse_value("a conversion of this kind has no form", value);
                };
                let is_bits = kind == Conversion::Bits;
                if !is_bits && (from == Scalar::F64 || scalar == Scalar::F64) {
                    return self.refuse_value("the vector unit has no f64", value);
                }
                let v = self.uniform(inner)?;
                match kind {
                    Conversion::Bits if from.bits() == 64 && scalar.bits() == 64 => cast(v),
                    Conversion::ZeroExtend if from.is_signed() => {
                        cast(format!("static_cast<uint{}_t>({v})", from.bits()))
                    }
                    Conversion::ZeroExtend | Conversion::SignExtend | Conversion::Truncate => {
                        cast(v)
                    }
                    Conversion::Bits if from.is_integer() && scalar.is_integer() => cast(v),
                    Conversion::Bits
                        if (from == Scalar::F32 && scalar.is_integer())
                            || (from.is_integer()
                                && from.bits() == 32
                                && scalar == Scalar::F32) =>
                    {
                        let name = self.fresh("bits");
                        let from_ty = scalar_type(from).unwrap_or("uint32_t");
                        self.line(format!("const {from_ty} {name} = {v};"));
                        format!("*reinterpret_cast<const {ty}*>(&{name})")
                    }
                    Conversion::IntegerToFloat(Rounding::NearestEven) if scalar == Scalar::F32 => {
                        cast(v)
                    }
                    _ => return self.through_vector(value, ty),
                }
            }
            Expression::FusedMultiplyAdd { a, b, c, .. } if scalar == Scalar::F32 => {
                let (a, b, c) = (self.uniform(a)?, self.uniform(b)?, self.uniform(c)?);
                format!("({a}) * ({b}) + ({c})")
            }
            Expression::FusedMultiplyAdd { .. } => return self.through_vector(value, ty),
            Expression::Math { function, arguments, .. } => {
                let mut texts = Vec::new();
                for argument in &arguments {
                    texts.push(self.uniform(*argument)?);
                }
                match (function, texts.as_slice()) {
                    (MathFunction::PopulationCount, [v]) => {
                        format!(
                            "static_cast<int32_t>(ScalarGetCountOfValue<1>(static_cast<uint64_t>({v})))"
                        )
                    }
                    _ => return self.through_vector(value, ty),
                }
            }
            Expression::Extract { value: whole, index } => {
                if let Some((argument, mut path)) = self.argument_path(whole) {
                    path.push(index);
                    return self.parameter(argument, &path, value);
                }
                match self.eval(whole)? {
                    Val::Parts(parts) => match parts.get(index as usize) {
                        Some(Val::Uniform(text)) => return Ok(text.clone()),
                        _ => return self.refuse_value("a part of a value is not known", value),
                    },
                    _ => return self.refuse_value("a part of a value is not known", value),
                }
            }
            _ => return self.refuse_value("an expression has no form as a scalar", value),
        };
        let wish = self.wish(value, "value");
        Ok(self.scalar(&wish, ty, &text))
    }

    /// A pointer as bytes from the beginning of what it points into, where that is no global memory.
    fn pointer_offset(&mut self, value: Value) -> Result<Option<(super::engine::Pointee, String)>> {
        match self.type_of(value) {
            Type::Pointer(_) => self.uniform_offset(value),
            _ => Ok(None),
        }
    }

    /// Whether a value is computed in a narrow format or by a function, which the scalar unit lacks, or from
    /// such a value.
    fn is_rounded(&self, value: Value) -> bool {
        self.is_rounded_at(value, 16)
    }

    fn is_rounded_at(&self, value: Value, depth: u32) -> bool {
        let Type::Scalar(scalar @ (Scalar::F16 | Scalar::Bf16 | Scalar::F32)) = self.type_of(value)
        else {
            return false;
        };
        if depth == 0 || self.shape.varies(value) {
            return false;
        }
        let expression = self.expression(value);
        match expression {
            Expression::Float { .. } | Expression::FusedMultiplyAdd { .. }
                if scalar != Scalar::F32 =>
            {
                true
            }
            Expression::Convert { kind: Conversion::FloatToFloat { .. }, .. }
            | Expression::Math { .. } => true,
            Expression::Float { .. }
            | Expression::FusedMultiplyAdd { .. }
            | Expression::Unary { .. } => {
                expression.operands().iter().any(|operand| self.is_rounded_at(*operand, depth - 1))
            }
            _ => false,
        }
    }

    /// A scalar that the scalar unit cannot compute: the vector unit does, and lane 0 gives it.
    fn through_vector(&mut self, value: Value, ty: &str) -> Result<String> {
        let val = self.compute_vector(value)?;
        self.first_lane(val, value, ty)
    }

    fn first_lane(&mut self, val: Val, value: Value, ty: &str) -> Result<String> {
        let name = self.fresh("value");
        self.line("lanes::Wait<HardEvent::V_S>();");
        match val {
            Val::Float(v) | Val::Int(v) => {
                self.line(format!("const {ty} {name} = static_cast<{ty}>({v}.GetValue(0));"));
            }
            Val::Mask(v) => self.line(format!("const {ty} {name} = ({v}.GetValue(0) & 1) != 0;")),
            _ => return self.refuse_value("an expression has no form as a scalar", value),
        }
        Ok(name)
    }

    /// Whether a value is a part of a kernel's parameter: which, and the way there.
    pub fn argument_path(&self, value: Value) -> Option<(u32, Vec<u32>)> {
        let mut path = Vec::new();
        let mut at = value;
        loop {
            match self.expression(at) {
                Expression::Argument(index) => {
                    path.reverse();
                    return Some((*index, path));
                }
                Expression::Extract { value, index } => {
                    path.push(*index);
                    at = *value;
                }
                _ => return None,
            }
        }
    }

    /// A part of a parameter in the host's text, a name for it, and its type.
    pub fn host_path(&self, index: u32, path: &[u32]) -> Option<(String, String, Type)> {
        let parameter = self.function.parameters.get(index as usize)?;
        let mut host = parameter.name.clone();
        if host.is_empty() {
            return None;
        }
        let mut wish = port_backend::text::names::identifier(&host);
        let mut ty = parameter.ty;
        for part in path {
            let (text, name) = match ty {
                Type::Struct(handle) => {
                    let structure = self.module.types.structs().get(handle)?;
                    let member = structure.members.get(*part as usize)?;
                    if member.name.is_empty() {
                        return None;
                    }
                    // What a base has, the whole has.
                    let is_base = matches!(member.ty, Type::Struct(base)
                        if self.module.types.structs().get(base).is_some_and(|b| b.name == member.name));
                    match is_base {
                        true => (String::new(), String::new()),
                        false => (format!(".{}", member.name), member.name.clone()),
                    }
                }
                Type::Array(_) => (format!("[{part}]"), part.to_string()),
                Type::Vector(..) => {
                    let name = ["x", "y", "z", "w"].get(*part as usize)?;
                    (format!(".{name}"), (*name).to_owned())
                }
                _ => return None,
            };
            host.push_str(&text);
            if !name.is_empty() {
                wish.push('_');
                wish.push_str(&name);
            }
            ty = self.module.types.component(ty, *part)?;
        }
        Some((host, wish, ty))
    }

    /// A kernel's parameter, or a part of it, as a field of the tiling.
    pub fn parameter(&mut self, index: u32, path: &[u32], value: Value) -> Result<String> {
        let Some((host, wish, ty)) = self.host_path(index, path) else {
            return self.refuse_value("a part of a parameter has no name", value);
        };
        let Type::Scalar(scalar) = ty else {
            return self.refuse_value("a parameter is not a number", value);
        };
        let Some(cpp) = scalar_type(scalar) else {
            return self.refuse_value(format!("the vector unit has no {}", scalar.name()), value);
        };
        let shown = host.clone();
        let host = match scalar {
            Scalar::F16 | Scalar::Bf16 => format!("static_cast<float>({host})"),
            _ => host,
        };
        let comment = format!("`{}`", port_backend::text::cpp::one_line(&shown));
        Ok(self.field(&camel(&wish), cpp, &host, &comment))
    }

    // Vectors.

    /// The value in every lane, as floats.
    pub fn float_of(&mut self, val: Val, value: Value) -> Result<String> {
        match val {
            Val::Float(v) => Ok(v),
            Val::Uniform(text) => {
                let slot = self.float_slot("splat");
                self.line(format!("Duplicate({slot}, static_cast<float>({text}), lanes.padded);"));
                Ok(slot)
            }
            _ => self.refuse_value("a value is no float", value),
        }
    }

    pub fn int(&mut self, value: Value) -> Result<String> {
        let val = self.eval(value)?;
        self.int_of(val, value)
    }

    pub fn int_of(&mut self, val: Val, value: Value) -> Result<String> {
        match val {
            Val::Int(v) => Ok(v),
            Val::Uniform(text) => {
                let slot = self.int_slot("splat");
                self.line(format!(
                    "Duplicate({slot}, static_cast<int32_t>({text}), lanes.padded);"
                ));
                Ok(slot)
            }
            Val::Linear(form) => {
                let wish = self.wish(value, "index");
                let slot = self.int_slot(&wish);
                self.line(format!("lanes.Spread({slot}, {});", form.text()));
                Ok(slot)
            }
            Val::Long(low, _) => Ok(low),
            Val::Mask(_) | Val::Box(..) => {
                let mask = self.mask_of(val, value)?;
                let slot = self.int_slot("truth");
                self.line(format!("lanes.IntegerOfMask({slot}, {mask});"));
                Ok(slot)
            }
            _ => self.refuse_value("a value is no integer", value),
        }
    }

    /// 64 bits as two halves.
    pub fn long_of(&mut self, val: Val, value: Value) -> Result<(String, String)> {
        match val {
            Val::Long(low, high) => Ok((low, high)),
            Val::Uniform(text) => {
                let text = self.scalar("wide", "int64_t", &format!("static_cast<int64_t>({text})"));
                let low = self.int_slot("low");
                let high = self.int_slot("high");
                self.line(format!("Duplicate({low}, static_cast<int32_t>({text}), lanes.padded);"));
                self.line(format!(
                    "Duplicate({high}, static_cast<int32_t>({text} >> 32), lanes.padded);"
                ));
                Ok((low, high))
            }
            Val::Linear(form) => {
                // The high half is that of all lanes where no carry lies between them.
                let low = self.int_slot("low");
                let high = self.int_slot("high");
                self.line(format!("lanes.SpreadWide({low}, {high}, {});", form.text()));
                Ok((low, high))
            }
            _ => self.refuse_value("a value is no 64-bit integer", value),
        }
    }

    pub fn mask(&mut self, value: Value) -> Result<String> {
        let val = self.eval(value)?;
        self.mask_of(val, value)
    }

    pub fn mask_of(&mut self, val: Val, value: Value) -> Result<String> {
        match val {
            Val::Mask(v) => Ok(v),
            Val::Uniform(text) => {
                let slot = self.mask_slot("same");
                self.line(format!("lanes.MaskSet({slot}, {text});"));
                Ok(slot)
            }
            Val::Box(name, _) => {
                let slot = self.mask_slot("inside");
                self.line(format!("lanes.MaskOf({slot}, {name});"));
                Ok(slot)
            }
            Val::Int(v) => {
                let slot = self.mask_slot("truth");
                self.line(format!("lanes.MaskOfInteger({slot}, {v});"));
                Ok(slot)
            }
            _ => self.refuse_value("a value is no truth value", value),
        }
    }

    /// After an operation on integers narrower than 32 bits: back into their range.
    pub fn normal(&mut self, slot: String, scalar: Scalar) -> Val {
        if scalar.bits() < 32 {
            self.line(format!(
                "lanes.Narrow({slot}, {slot}, {}, {});",
                scalar.bits(),
                scalar.is_signed()
            ));
        }
        Val::Int(slot)
    }

    fn round(&mut self, slot: String, scalar: Scalar) -> Val {
        match scalar {
            Scalar::F16 => self.line(format!("lanes.RoundTo<half>({slot}, {slot});")),
            Scalar::Bf16 => self.line(format!("lanes.RoundTo<bfloat16_t>({slot}, {slot});")),
            _ => {}
        }
        Val::Float(slot)
    }

    fn compute_vector(&mut self, value: Value) -> Result<Val> {
        let ty = self.type_of(value);
        let expression = self.expression(value).clone();
        match (&expression, ty) {
            (Expression::Compose { parts, .. }, _) => {
                let mut vals = Vec::new();
                for part in parts {
                    vals.push(self.eval(*part)?);
                }
                return Ok(Val::Parts(vals));
            }
            (Expression::Splat { value: part, .. }, _) => {
                let val = self.eval(*part)?;
                let count = self.module.types.component_count(ty).unwrap_or(0);
                if count > 256 {
                    return self.refuse_value("an array is too long", value);
                }
                return Ok(Val::Parts((0..count).map(|_| val.clone()).collect()));
            }
            (
                Expression::Zero(_) | Expression::Undefined(_),
                Type::Vector(..) | Type::Array(_) | Type::Struct(_),
            ) => {
                return self.zero_parts(ty, value);
            }
            (Expression::Extract { value: whole, index }, _) => {
                let whole = self.eval(*whole)?;
                if let Val::Parts(parts) = whole
                    && let Some(part) = parts.get(*index as usize)
                {
                    return Ok(part.clone());
                }
                return self.refuse_value("a part of a value is not known", value);
            }
            (Expression::Insert { value: whole, index, part }, _) => {
                let (whole, part) = (self.eval(*whole)?, self.eval(*part)?);
                if let Val::Parts(mut parts) = whole
                    && let Some(place) = parts.get_mut(*index as usize)
                {
                    *place = part;
                    return Ok(Val::Parts(parts));
                }
                return self.refuse_value("a part of a value is not known", value);
            }
            (
                Expression::Select { condition, accept, reject },
                Type::Struct(_) | Type::Array(_),
            ) => {
                let c = self.eval(*condition)?;
                let (a, b) = (self.eval(*accept)?, self.eval(*reject)?);
                return self.select_parts(value, ty, &c, &a, &b);
            }
            (Expression::Argument(index), Type::Struct(_) | Type::Array(_) | Type::Vector(..)) => {
                return self.parameter_parts(*index, &mut Vec::new(), ty, value);
            }
            _ => {}
        }
        if let Type::Vector(scalar, size) = ty {
            return self.by_component(value, &expression, scalar, size.count());
        }
        let Type::Scalar(scalar) = ty else {
            return self.refuse_value("a value of this type has no form as a vector", value);
        };
        let mut operands = Vec::new();
        for operand in expression.operands() {
            operands.push(self.eval(operand)?);
        }
        self.operation(value, &expression, scalar, operands, &expression.operands())
    }

    fn select_parts(&mut self, value: Value, ty: Type, c: &Val, a: &Val, b: &Val) -> Result<Val> {
        if let Type::Scalar(scalar) = ty {
            return self.select(value, scalar, c, a, b);
        }
        let (Val::Parts(x), Val::Parts(y)) = (a, b) else {
            return self.refuse_value("a part of a value is not known", value);
        };
        let mut parts = Vec::new();
        for (index, (x, y)) in x.clone().iter().zip(y.clone().iter()).enumerate() {
            let Some(part) = self.module.types.component(ty, index as u32) else {
                return self.refuse_value("a part of a value is not known", value);
            };
            parts.push(self.select_parts(value, part, c, x, y)?);
        }
        Ok(Val::Parts(parts))
    }

    fn zero_parts(&mut self, ty: Type, value: Value) -> Result<Val> {
        if let Type::Scalar(scalar) = ty {
            return Ok(Val::Uniform(match scalar {
                Scalar::Bool => "false".to_owned(),
                s if s.is_float() => "0.0f".to_owned(),
                s => format!("static_cast<{}>(0)", scalar_type(s).unwrap_or("int32_t")),
            }));
        }
        let Some(count) = self.module.types.component_count(ty).filter(|c| *c <= 256) else {
            return self.refuse_value("a value of this type has no form as a vector", value);
        };
        let mut parts = Vec::new();
        for index in 0..count as u32 {
            let Some(part) = self.module.types.component(ty, index) else {
                return self.refuse_value("a part of a value is not known", value);
            };
            parts.push(self.zero_parts(part, value)?);
        }
        Ok(Val::Parts(parts))
    }

    fn parameter_parts(
        &mut self,
        index: u32,
        path: &mut Vec<u32>,
        ty: Type,
        value: Value,
    ) -> Result<Val> {
        let Some(count) = self.module.types.component_count(ty).filter(|c| *c <= 64) else {
            return Ok(Val::Uniform(self.parameter(index, path, value)?));
        };
        let mut parts = Vec::new();
        for part in 0..count as u32 {
            let Some(inner) = self.module.types.component(ty, part) else {
                return self.refuse_value("a part of a parameter is not known", value);
            };
            path.push(part);
            parts.push(self.parameter_parts(index, path, inner, value)?);
            path.pop();
        }
        Ok(Val::Parts(parts))
    }

    fn by_component(
        &mut self,
        value: Value,
        expression: &Expression,
        scalar: Scalar,
        count: u32,
    ) -> Result<Val> {
        if let Expression::Convert { kind: Conversion::Bits, .. } = expression {
            return self.refuse_value("the bits of a short vector are read as another type", value);
        }
        let handles = expression.operands();
        let mut operands = Vec::new();
        for operand in &handles {
            operands.push(self.eval(*operand)?);
        }
        let mut parts = Vec::new();
        for index in 0..count as usize {
            let mut own = Vec::new();
            for operand in &operands {
                match operand {
                    Val::Parts(parts) => match parts.get(index) {
                        Some(part) => own.push(part.clone()),
                        None => return self.refuse_value("a part of a value is not known", value),
                    },
                    other => own.push(other.clone()),
                }
            }
            parts.push(self.operation(value, expression, scalar, own, &handles)?);
        }
        Ok(Val::Parts(parts))
    }

    /// The scalar of a component of an operand.
    fn component_scalar(&self, handle: Value) -> Option<Scalar> {
        self.type_of(handle).scalar()
    }

    fn operation(
        &mut self,
        value: Value,
        expression: &Expression,
        scalar: Scalar,
        operands: Vec<Val>,
        handles: &[Value],
    ) -> Result<Val> {
        let wish = self.wish(value, "value");
        if let Some(location) = self.function.expressions.location(value) {
            self.source(location);
        }
        let Some(result) = kind(scalar) else {
            return self.refuse_value(format!("the vector unit has no {}", scalar.name()), value);
        };
        let doubles = |engine: &Self, v: &Value| engine.component_scalar(*v) == Some(Scalar::F64);
        let is_double = scalar == Scalar::F64 || handles.iter().any(|v| doubles(self, v));
        if is_double && !is_moved(expression) {
            return self.refuse_value("the vector unit has no f64", value);
        }
        match (expression, operands.as_slice()) {
            (Expression::Unary { op, .. }, [v]) => match (op, result) {
                (UnaryOp::Not, Kind::Bool) => self.not(v.clone(), value),
                (UnaryOp::Negate, Kind::Float) => {
                    let a = self.float_of(v.clone(), value)?;
                    let slot = self.float_slot(&wish);
                    self.line(format!("Muls({slot}, {a}, -1.0f, lanes.padded);"));
                    Ok(Val::Float(slot))
                }
                (UnaryOp::Absolute, Kind::Float) => {
                    let a = self.float_of(v.clone(), value)?;
                    let slot = self.float_slot(&wish);
                    self.line(format!("Abs({slot}, {a}, lanes.padded);"));
                    Ok(Val::Float(slot))
                }
                (UnaryOp::Negate, Kind::Int) => {
                    let a = self.int_of(v.clone(), value)?;
                    let slot = self.int_slot(&wish);
                    self.line(format!("Muls({slot}, {a}, -1, lanes.padded);"));
                    Ok(self.normal(slot, scalar))
                }
                (UnaryOp::Not, Kind::Int) => {
                    let a = self.int_of(v.clone(), value)?;
                    let slot = self.int_slot(&wish);
                    self.line(format!("lanes.BitNot({slot}, {a});"));
                    Ok(self.normal(slot, scalar))
                }
                (UnaryOp::Absolute, Kind::Int) => {
                    let a = self.int_of(v.clone(), value)?;
                    let slot = self.int_slot(&wish);
                    let negative = self.int_slot("negative");
                    self.line(format!("Muls({negative}, {a}, -1, lanes.padded);"));
                    self.line(format!("Max({slot}, {a}, {negative}, lanes.padded);"));
                    Ok(self.normal(slot, scalar))
                }
                (UnaryOp::Negate, Kind::Long) => {
                    let (bl, bh) = self.long_of(v.clone(), value)?;
                    let (al, ah) =
                        self.long_of(Val::Uniform("static_cast<int64_t>(0)".to_owned()), value)?;
                    let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                    self.line(format!("lanes.SubLong({low}, {high}, {al}, {ah}, {bl}, {bh});"));
                    Ok(Val::Long(low, high))
                }
                (UnaryOp::Not, Kind::Long) => {
                    let (al, ah) = self.long_of(v.clone(), value)?;
                    let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                    self.line(format!("lanes.BitNot({low}, {al});"));
                    self.line(format!("lanes.BitNot({high}, {ah});"));
                    Ok(Val::Long(low, high))
                }
                _ => self.refuse_value("64-bit arithmetic has no vector form", value),
            },
            (Expression::Integer { op, .. }, [a, b]) => {
                self.integer(value, *op, scalar, a, b, &wish)
            }
            (Expression::Float { op, .. }, [a, b]) => {
                self.float_binary(value, *op, scalar, a, b, &wish)
            }
            (Expression::FusedMultiplyAdd { .. }, [a, b, c]) => {
                let product =
                    self.float_binary(value, FloatOp::Multiply, Scalar::F32, a, b, "product")?;
                let sum =
                    self.float_binary(value, FloatOp::Add, Scalar::F32, &product, c, &wish)?;
                let Val::Float(slot) = sum else { return Ok(sum) };
                Ok(self.round(slot, scalar))
            }
            (Expression::Compare { op, left, right }, [a, b]) => {
                self.compare(value, *op, (*left, a.clone()), (*right, b.clone()))
            }
            (Expression::Select { .. }, [c, a, b]) => self.select(value, scalar, c, a, b),
            (Expression::Convert { kind: conversion, value: inner, .. }, [v]) => {
                let Some(from) = self.component_scalar(*inner) else {
                    return self.refuse_value("a conversion of this kind has no form", value);
                };
                self.convert(value, *conversion, from, scalar, v, &wish)
            }
            (Expression::Math { function, .. }, vals) => {
                self.math(value, *function, scalar, vals, handles, &wish)
            }
            (Expression::Builtin(builtin), _) => self.place(value, *builtin),
            _ => self.refuse_value("an expression has no vector form", value),
        }
    }

    /// A lane's own numbers.
    fn place(&mut self, value: Value, builtin: Builtin) -> Result<Val> {
        if self.lanes == super::shape::Lanes::Grid {
            return self
                .refuse_value("a thread's own number is used where blocks are merged", value);
        }
        if self.lanes == super::shape::Lanes::Row && builtin != Builtin::LaneId {
            return self.refuse_value("a warp's number is asked for", value);
        }
        match builtin {
            Builtin::LaneId => {
                let slot = self.int_slot("lane");
                self.line(format!("lanes.Narrow({slot}, lanes.number, 5, false);"));
                Ok(Val::Int(slot))
            }
            Builtin::WarpId => {
                let slot = self.int_slot("warp");
                self.line(format!("lanes.ShiftDown({slot}, lanes.number, 5);"));
                Ok(Val::Int(slot))
            }
            _ => self.refuse_value("a thread's own number of this kind has no form", value),
        }
    }

    /// 32 bits that are not negative as 64.
    fn widen(&mut self, val: Val) -> Val {
        let Val::Int(low) = val else { return val };
        let high = self.int_slot("high");
        self.line(format!("Duplicate({high}, 0, lanes.padded);"));
        Val::Long(low, high)
    }

    fn float_binary(
        &mut self,
        value: Value,
        op: FloatOp,
        scalar: Scalar,
        a: &Val,
        b: &Val,
        wish: &str,
    ) -> Result<Val> {
        let scalar_form = match (op, a, b) {
            (FloatOp::Add, v, Val::Uniform(s)) | (FloatOp::Add, Val::Uniform(s), v) => {
                Some(("Adds", v, s.clone()))
            }
            (FloatOp::Multiply, v, Val::Uniform(s)) | (FloatOp::Multiply, Val::Uniform(s), v) => {
                Some(("Muls", v, s.clone()))
            }
            (FloatOp::Subtract, v, Val::Uniform(s)) => Some(("Adds", v, format!("-({s})"))),
            _ => None,
        };
        if let Some((name, v, s)) = scalar_form
            && !matches!(v, Val::Uniform(_))
        {
            let v = self.float_of(v.clone(), value)?;
            let slot = self.float_slot(wish);
            self.line(format!("{name}({slot}, {v}, {s}, lanes.padded);"));
            return Ok(self.round(slot, scalar));
        }
        let left = self.float_of(a.clone(), value)?;
        let right = self.float_of(b.clone(), value)?;
        let slot = self.float_slot(wish);
        let name = match op {
            FloatOp::Add => "Add",
            FloatOp::Subtract => "Sub",
            FloatOp::Multiply => "Mul",
            FloatOp::Divide => "Div",
            FloatOp::Minimum => "lanes.MinimumNumber",
            FloatOp::Maximum => "lanes.MaximumNumber",
            FloatOp::MinimumNan => "Min",
            FloatOp::MaximumNan => "Max",
        };
        let end = if name.starts_with("lanes.") { "" } else { ", lanes.padded" };
        self.line(format!("{name}({slot}, {left}, {right}{end});"));
        Ok(self.round(slot, scalar))
    }

    fn not(&mut self, val: Val, value: Value) -> Result<Val> {
        if let Val::Box(name, Some(complement)) = val {
            return Ok(Val::Box(complement, Some(name)));
        }
        let mask = self.mask_of(val, value)?;
        let slot = self.mask_slot("other");
        self.line(format!("lanes.MaskNot({slot}, {mask});"));
        Ok(Val::Mask(slot))
    }

    fn both(&mut self, a: Val, b: Val, value: Value) -> Result<Val> {
        match (a, b) {
            (Val::Box(x, _), Val::Box(y, _)) => {
                let name = self.fresh("inside");
                self.line(format!("const lanes::Box {name} = lanes::Intersect({x}, {y});"));
                Ok(Val::Box(name, None))
            }
            (Val::Box(x, _), Val::Uniform(u)) | (Val::Uniform(u), Val::Box(x, _)) => {
                let name = self.fresh("inside");
                self.line(format!("const lanes::Box {name} = ({u}) ? {x} : lanes.None();"));
                Ok(Val::Box(name, None))
            }
            (a, b) => {
                let (a, b) = (self.mask_of(a, value)?, self.mask_of(b, value)?);
                let slot = self.mask_slot("both");
                self.line(format!("lanes.MaskAnd({slot}, {a}, {b});"));
                Ok(Val::Mask(slot))
            }
        }
    }
}

/// Whether an expression only moves its operands' bits.
fn is_moved(expression: &Expression) -> bool {
    matches!(
        expression,
        Expression::Constant(_)
            | Expression::Zero(_)
            | Expression::Undefined(_)
            | Expression::Select { .. }
            | Expression::Extract { .. }
            | Expression::Convert { kind: Conversion::Bits, .. }
            | Expression::Result(_)
    )
}

fn integer_text(op: IntegerOp, scalar: Scalar, ty: &str, a: &str, b: &str) -> String {
    let wide = if scalar.bits() == 64 { "uint64_t" } else { "uint32_t" };
    let wrap = |o: &str| {
        format!("static_cast<{ty}>(static_cast<{wide}>({a}) {o} static_cast<{wide}>({b}))")
    };
    let plain = scalar.bits() >= 32;
    match op {
        _ if scalar == Scalar::Bool => match op {
            IntegerOp::And => format!("({a}) && ({b})"),
            IntegerOp::Or => format!("({a}) || ({b})"),
            _ => format!("({a}) != ({b})"),
        },
        // What overflows with a sign is undefined in the source too; narrow numbers wrap.
        IntegerOp::Add if plain => format!("({a}) + ({b})"),
        IntegerOp::Subtract if plain => format!("({a}) - ({b})"),
        IntegerOp::Multiply if plain => format!("({a}) * ({b})"),
        IntegerOp::Add => wrap("+"),
        IntegerOp::Subtract => wrap("-"),
        IntegerOp::Multiply => wrap("*"),
        IntegerOp::And => wrap("&"),
        IntegerOp::Or => wrap("|"),
        IntegerOp::Xor => wrap("^"),
        // What is divided by zero has some value and does not trap.
        IntegerOp::Divide => {
            format!("({b}) == 0 ? static_cast<{ty}>(0) : static_cast<{ty}>(({a}) / ({b}))")
        }
        IntegerOp::Remainder => {
            format!("({b}) == 0 ? static_cast<{ty}>(0) : static_cast<{ty}>(({a}) % ({b}))")
        }
        IntegerOp::Minimum => format!("({a}) < ({b}) ? ({a}) : ({b})"),
        IntegerOp::Maximum => format!("({a}) > ({b}) ? ({a}) : ({b})"),
        IntegerOp::MultiplyHigh if scalar.bits() == 32 => {
            let double = if scalar.is_signed() { "int64_t" } else { "uint64_t" };
            format!(
                "static_cast<{ty}>((static_cast<{double}>({a}) * static_cast<{double}>({b})) >> 32)"
            )
        }
        IntegerOp::MultiplyHigh => {
            format!("static_cast<{ty}>((static_cast<__uint128_t>({a}) * ({b})) >> 64)")
        }
        IntegerOp::ShiftLeft => {
            let bits = scalar.bits();
            format!(
                "static_cast<uint64_t>({b}) >= {bits} ? static_cast<{ty}>(0) : static_cast<{ty}>(static_cast<{wide}>({a}) << ({b}))"
            )
        }
        IntegerOp::ShiftRight => {
            let bits = scalar.bits();
            let beyond =
                if scalar.is_signed() { format!("({a}) >> {}", bits - 1) } else { "0".to_owned() };
            format!(
                "static_cast<uint64_t>({b}) >= {bits} ? static_cast<{ty}>({beyond}) : static_cast<{ty}>(({a}) >> ({b}))"
            )
        }
    }
}

/// For `2^k - 1` the k.
fn low_bits(text: &str) -> Option<u32> {
    let number = number(text)?;
    let next = number.checked_add(1)?;
    (next.is_power_of_two() && number > 0).then(|| next.trailing_zeros())
}

/// For `2^k` the k.
fn power_of_two(text: &str) -> Option<u32> {
    let number = number(text)?;
    number.is_power_of_two().then(|| number.trailing_zeros())
}

fn number(text: &str) -> Option<u64> {
    text.trim_end_matches('u').parse().ok()
}

/// `epsilon_value` as `epsilonValue`.
pub(super) fn camel(name: &str) -> String {
    let mut out = String::new();
    let mut raise = false;
    for c in name.chars() {
        if c == '_' {
            raise = !out.is_empty();
        } else if raise {
            out.extend(c.to_uppercase());
            raise = false;
        } else {
            out.push(c);
        }
    }
    out
}
