//! Pure expressions: scalars, forms and vectors.

use port_ir::analysis::affine::{Polynomial, Symbol};
use port_ir::{
    Axis, Builtin, CompareOp, Constant, Conversion, Expression, FloatOp, IntegerOp, MathFunction,
    Rounding, Scalar, Type, UnaryOp, Value,
};

use super::engine::{Engine, Linear, Result, Val, memory_type, scalar_type};

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
        Scalar::I64 | Scalar::U64 => Kind::Long,
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
            _ => {
                self.refuse_value("a value that all threads share is not known as a scalar", value)
            }
        }
    }

    fn constant(&self, constant: Constant) -> Option<String> {
        Some(match constant.scalar {
            Scalar::Bool => (constant.bits != 0).to_string(),
            Scalar::F32 | Scalar::F16 | Scalar::Bf16 => float_text(constant.as_float()? as f32),
            Scalar::F64 => return None,
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
                let (a, b) = (self.uniform(left)?, self.uniform(right)?);
                let op = match op {
                    CompareOp::Equal => "==",
                    CompareOp::NotEqual => "!=",
                    CompareOp::Less => "<",
                    CompareOp::LessEqual => "<=",
                    CompareOp::Greater => ">",
                    CompareOp::GreaterEqual => ">=",
                };
                format!("({a}) {op} ({b})")
            }
            Expression::Select { condition, accept, reject } => {
                let (c, a, b) =
                    (self.uniform(condition)?, self.uniform(accept)?, self.uniform(reject)?);
                format!("({c}) ? ({a}) : ({b})")
            }
            Expression::Convert { kind, value: inner, .. } => {
                let Type::Scalar(from) = self.type_of(inner) else {
                    return self.refuse_value("a conversion of this kind has no form", value);
                };
                let v = self.uniform(inner)?;
                match kind {
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

    /// A scalar that the scalar unit cannot compute: the vector unit does, and lane 0 gives it.
    fn through_vector(&mut self, value: Value, ty: &str) -> Result<String> {
        let val = self.compute_vector(value)?;
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
                    (format!(".{}", member.name), member.name.clone())
                }
                Type::Array(_) => (format!("[{part}]"), part.to_string()),
                Type::Vector(..) => {
                    let name = ["x", "y", "z", "w"].get(*part as usize)?;
                    (format!(".{name}"), (*name).to_owned())
                }
                _ => return None,
            };
            host.push_str(&text);
            wish.push('_');
            wish.push_str(&name);
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
        let host = match scalar {
            Scalar::F16 | Scalar::Bf16 => format!("static_cast<float>({host})"),
            _ => host,
        };
        Ok(self.field(&camel(&wish), cpp, &host, "the kernel's parameter"))
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
        let Some(result) = kind(scalar) else {
            return self.refuse_value(format!("the vector unit has no {}", scalar.name()), value);
        };
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

    fn integer(
        &mut self,
        value: Value,
        op: IntegerOp,
        scalar: Scalar,
        a: &Val,
        b: &Val,
        wish: &str,
    ) -> Result<Val> {
        if scalar == Scalar::Bool {
            return match op {
                IntegerOp::And => self.both(a.clone(), b.clone(), value),
                IntegerOp::Or | IntegerOp::Xor => {
                    let (a, b) = (self.mask_of(a.clone(), value)?, self.mask_of(b.clone(), value)?);
                    let slot = self.mask_slot("either");
                    let name = if op == IntegerOp::Or { "MaskOr" } else { "MaskXor" };
                    self.line(format!("lanes.{name}({slot}, {a}, {b});"));
                    Ok(Val::Mask(slot))
                }
                _ => self.refuse_value("truth values are not computed with", value),
            };
        }
        if kind(scalar) == Some(Kind::Long) {
            return self.long_integer(value, op, scalar, a, b);
        }
        // An operand that all lanes share.
        if let Val::Uniform(text) = b {
            let simple = match op {
                IntegerOp::Add => Some(("Adds", format!("static_cast<int32_t>({text})"))),
                IntegerOp::Subtract => Some((
                    "Adds",
                    format!("static_cast<int32_t>(0u - static_cast<uint32_t>({text}))"),
                )),
                IntegerOp::Multiply => Some(("Muls", format!("static_cast<int32_t>({text})"))),
                IntegerOp::Minimum if scalar != Scalar::U32 => {
                    Some(("Mins", format!("static_cast<int32_t>({text})")))
                }
                IntegerOp::Maximum if scalar != Scalar::U32 => {
                    Some(("Maxs", format!("static_cast<int32_t>({text})")))
                }
                _ => None,
            };
            if let Some((name, text)) = simple {
                let a = self.int_of(a.clone(), value)?;
                let slot = self.int_slot(wish);
                self.line(format!("{name}({slot}, {a}, {text}, lanes.padded);"));
                return Ok(self.normal(slot, scalar));
            }
            if matches!(op, IntegerOp::ShiftLeft | IntegerOp::ShiftRight) {
                let a = self.int_of(a.clone(), value)?;
                let slot = self.int_slot(wish);
                let name = match op {
                    IntegerOp::ShiftLeft => "ShiftUp",
                    _ if scalar.is_signed() => "ShiftDownSigned",
                    _ => "ShiftDown",
                };
                self.line(format!("lanes.{name}({slot}, {a}, static_cast<uint32_t>({text}));"));
                return Ok(self.normal(slot, scalar));
            }
            if let Some(bits) = low_bits(text)
                && op == IntegerOp::And
            {
                let a = self.int_of(a.clone(), value)?;
                let slot = self.int_slot(wish);
                self.line(format!("lanes.Narrow({slot}, {a}, {bits}, false);"));
                return Ok(Val::Int(slot));
            }
            // Powers of two divide by shifts what is not negative.
            if let Some(power) = power_of_two(text)
                && matches!(op, IntegerOp::Divide | IntegerOp::Remainder)
                && self.not_negative(value)
            {
                let a = self.int_of(a.clone(), value)?;
                let slot = self.int_slot(wish);
                if op == IntegerOp::Divide {
                    self.line(format!("lanes.ShiftDown({slot}, {a}, {power});"));
                } else if power == 0 {
                    self.line(format!("Duplicate({slot}, 0, lanes.padded);"));
                } else {
                    self.line(format!("lanes.Narrow({slot}, {a}, {power}, false);"));
                }
                return Ok(Val::Int(slot));
            }
        }
        if let (Val::Uniform(_), IntegerOp::Add | IntegerOp::Multiply) = (a, op) {
            return self.integer(value, op, scalar, b, a, wish);
        }
        let not_negative = self.not_negative(value);
        let left = self.int_of(a.clone(), value)?;
        let right = self.int_of(b.clone(), value)?;
        let slot = self.int_slot(wish);
        match op {
            IntegerOp::Add => self.line(format!("Add({slot}, {left}, {right}, lanes.padded);")),
            IntegerOp::Subtract => {
                self.line(format!("Sub({slot}, {left}, {right}, lanes.padded);"))
            }
            IntegerOp::Multiply => {
                self.line(format!("Mul({slot}, {left}, {right}, lanes.padded);"))
            }
            IntegerOp::And => self.line(format!("lanes.BitAnd({slot}, {left}, {right});")),
            IntegerOp::Or => self.line(format!("lanes.BitOr({slot}, {left}, {right});")),
            IntegerOp::Xor => self.line(format!("lanes.BitXor({slot}, {left}, {right});")),
            IntegerOp::Minimum | IntegerOp::Maximum if scalar != Scalar::U32 => {
                let name = if op == IntegerOp::Minimum { "Min" } else { "Max" };
                self.line(format!("{name}({slot}, {left}, {right}, lanes.padded);"));
            }
            IntegerOp::Minimum | IntegerOp::Maximum => {
                let mask = self.mask_slot("less");
                self.line(format!("lanes.CompareUnsigned({mask}, {left}, {right}, CMPMODE::LT);"));
                let (x, y) =
                    if op == IntegerOp::Minimum { (&left, &right) } else { (&right, &left) };
                self.line(format!("lanes.Choose({slot}, {mask}, {x}, {y});"));
            }
            IntegerOp::ShiftLeft | IntegerOp::ShiftRight => {
                let how = match op {
                    IntegerOp::ShiftLeft => 0,
                    _ if scalar.is_signed() => 2,
                    _ => 1,
                };
                self.line(format!("lanes.ShiftEach({slot}, {left}, {right}, {how});"));
            }
            IntegerOp::Divide | IntegerOp::Remainder => {
                let other = self.int_slot("rest");
                let (quotient, rest) =
                    if op == IntegerOp::Divide { (&slot, &other) } else { (&other, &slot) };
                if not_negative {
                    self.line(format!(
                        "lanes.DividePositive({quotient}, {rest}, {left}, {right});"
                    ));
                } else if scalar == Scalar::U32 {
                    let temporary = self.int_slot("half");
                    self.line(format!(
                        "lanes.DivideUnsigned({quotient}, {rest}, {left}, {right}, {temporary});"
                    ));
                } else {
                    let (temporary, second) =
                        (self.int_slot("magnitude"), self.int_slot("divisor"));
                    self.line(format!(
                        "lanes.DivideSigned({quotient}, {rest}, {left}, {right}, {temporary}, {second});"
                    ));
                }
            }
            IntegerOp::MultiplyHigh if scalar == Scalar::U32 => {
                let (temporary, second) = (self.int_slot("middle"), self.int_slot("cross"));
                self.line(format!(
                    "lanes.MultiplyHigh({slot}, {left}, {right}, {temporary}, {second});"
                ));
            }
            IntegerOp::MultiplyHigh => {
                return self.refuse_value("the high half of a product has no vector form", value);
            }
        }
        Ok(self.normal(slot, scalar))
    }

    /// Whether both operands of an integer operation are known not to be negative (as signed 32-bit
    /// numbers).
    fn not_negative(&mut self, value: Value) -> bool {
        let operands = self.expression(value).operands();
        operands.into_iter().all(|operand| self.is_small(operand, 0))
    }

    fn is_small(&mut self, value: Value, depth: u32) -> bool {
        if depth > 8 {
            return false;
        }
        match self.expression(value).clone() {
            Expression::Constant(constant) => {
                constant.as_integer().is_some_and(|c| (0..1 << 31).contains(&c))
            }
            Expression::Builtin(_) => true,
            Expression::Convert {
                kind: Conversion::Bits | Conversion::ZeroExtend | Conversion::SignExtend,
                value: inner,
                ..
            } => {
                let narrow = matches!(self.type_of(inner), Type::Scalar(s) if s.is_unsigned() && s.bits() < 32);
                narrow || self.is_small(inner, depth + 1)
            }
            Expression::Integer { op, left, right } => match op {
                IntegerOp::And => self.is_small(left, depth + 1) || self.is_small(right, depth + 1),
                IntegerOp::Divide | IntegerOp::Remainder | IntegerOp::ShiftRight => {
                    self.is_small(left, depth + 1)
                }
                IntegerOp::Add | IntegerOp::Multiply => {
                    // Sums of thread numbers do not reach the sign; of anything else they may.
                    let builtin = |p: &Polynomial| {
                        p.terms().all(|(f, c)| {
                            (0..1 << 16).contains(&c)
                                && f.iter()
                                    .all(|s| matches!(s, Symbol::Builtin(_) | Symbol::Passes(_)))
                        })
                    };
                    let polynomial = self.affine.integer(value);
                    builtin(&polynomial)
                        || matches!(self.type_of(value), Type::Scalar(Scalar::I32)) && {
                            self.is_small(left, depth + 1) && self.is_small(right, depth + 1)
                        }
                }
                _ => false,
            },
            // A signed size or index that a parameter gives: the sign is tested by the user.
            _ => {
                let polynomial = self.affine.integer(value);
                polynomial.terms().all(|(f, c)| {
                    c >= 0 && f.iter().all(|s| matches!(s, Symbol::Builtin(_) | Symbol::Passes(_)))
                })
            }
        }
    }

    fn long_integer(
        &mut self,
        value: Value,
        op: IntegerOp,
        scalar: Scalar,
        a: &Val,
        b: &Val,
    ) -> Result<Val> {
        if matches!(op, IntegerOp::Divide | IntegerOp::Remainder)
            && let (Val::Linear(form), Val::Uniform(divisor)) = (a, b)
        {
            // The base's quotient and rest are scalars; what the lanes add is small.
            let (quotient, rest) = (self.int_slot("quotient"), self.int_slot("rest"));
            let temporary = self.int_slot("offset");
            let base = self.scalar("quotientBase", "int64_t", &format!("lanes.Decompose({quotient}, {rest}, {}, static_cast<int64_t>({divisor}), {temporary})", form.text()));
            if op == IntegerOp::Remainder {
                return Ok(Val::Int(rest)).map(|v| self.widen(v));
            }
            let (low, high) = (self.int_slot("low"), self.int_slot("high"));
            self.line(format!("lanes.AddWide({low}, {high}, {quotient}, {base});"));
            return Ok(Val::Long(low, high));
        }
        let (al, ah) = self.long_of(a.clone(), value)?;
        match op {
            IntegerOp::Add
            | IntegerOp::Subtract
            | IntegerOp::And
            | IntegerOp::Or
            | IntegerOp::Xor
            | IntegerOp::Multiply => {
                let (bl, bh) = self.long_of(b.clone(), value)?;
                let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                match op {
                    IntegerOp::Add | IntegerOp::Subtract => {
                        let name = if op == IntegerOp::Add { "AddLong" } else { "SubLong" };
                        self.line(format!("lanes.{name}({low}, {high}, {al}, {ah}, {bl}, {bh});"));
                    }
                    IntegerOp::Multiply => {
                        let (x, y) = (self.int_slot("middle"), self.int_slot("cross"));
                        self.line(format!("lanes.MultiplyHigh({high}, {al}, {bl}, {x}, {y});"));
                        self.line(format!("Mul({x}, {al}, {bh}, lanes.padded);"));
                        self.line(format!("Add({high}, {high}, {x}, lanes.padded);"));
                        self.line(format!("Mul({x}, {ah}, {bl}, lanes.padded);"));
                        self.line(format!("Add({high}, {high}, {x}, lanes.padded);"));
                        self.line(format!("Mul({low}, {al}, {bl}, lanes.padded);"));
                    }
                    _ => {
                        let name = match op {
                            IntegerOp::And => "BitAnd",
                            IntegerOp::Or => "BitOr",
                            _ => "BitXor",
                        };
                        self.line(format!("lanes.{name}({low}, {al}, {bl});"));
                        self.line(format!("lanes.{name}({high}, {ah}, {bh});"));
                    }
                }
                Ok(Val::Long(low, high))
            }
            IntegerOp::ShiftLeft | IntegerOp::ShiftRight => {
                let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                let how = match op {
                    IntegerOp::ShiftLeft => 0,
                    _ if scalar.is_signed() => 2,
                    _ => 1,
                };
                let Val::Uniform(amount) = b else {
                    let amount = self.int_of(b.clone(), value)?;
                    self.line(format!(
                        "lanes.ShiftLongEach({low}, {high}, {al}, {ah}, {amount}, {how});"
                    ));
                    return Ok(Val::Long(low, high));
                };
                let temporary = self.int_slot("carried");
                self.line(format!("lanes.ShiftLong({low}, {high}, {al}, {ah}, static_cast<uint32_t>({amount}), {how}, {temporary});"));
                Ok(Val::Long(low, high))
            }
            IntegerOp::Divide | IntegerOp::Remainder => {
                let (bl, bh) = self.long_of(b.clone(), value)?;
                let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                let temporary = self.int_slot("rest");
                let remainder = op == IntegerOp::Remainder;
                self.line(format!(
                    "lanes.DivideLong({low}, {high}, {al}, {ah}, {bl}, {bh}, {remainder}, {}, {temporary});",
                    scalar.is_signed()
                ));
                Ok(Val::Long(low, high))
            }
            IntegerOp::Minimum | IntegerOp::Maximum => {
                let (bl, bh) = self.long_of(b.clone(), value)?;
                let (mask, equal) = (self.mask_slot("less"), self.mask_slot("equal"));
                self.line(format!(
                    "lanes.CompareLong({mask}, {al}, {ah}, {bl}, {bh}, CMPMODE::LT, {}, {equal});",
                    scalar.is_signed()
                ));
                let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                let least = op == IntegerOp::Minimum;
                let (xl, yl) = if least { (&al, &bl) } else { (&bl, &al) };
                let (xh, yh) = if least { (&ah, &bh) } else { (&bh, &ah) };
                self.line(format!("lanes.Choose({low}, {mask}, {xl}, {yl});"));
                self.line(format!("lanes.Choose({high}, {mask}, {xh}, {yh});"));
                Ok(Val::Long(low, high))
            }
            _ => self.refuse_value("64-bit arithmetic has no vector form", value),
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

    fn compare(
        &mut self,
        value: Value,
        op: CompareOp,
        left: (Value, Val),
        right: (Value, Val),
    ) -> Result<Val> {
        let Some(scalar) = self.component_scalar(left.0) else {
            return self.refuse_value("pointers that differ are compared", value);
        };
        let mode = match op {
            CompareOp::Equal => "EQ",
            CompareOp::NotEqual => "NE",
            CompareOp::Less => "LT",
            CompareOp::LessEqual => "LE",
            CompareOp::Greater => "GT",
            CompareOp::GreaterEqual => "GE",
        };
        match kind(scalar) {
            Some(Kind::Float) => {
                let slot;
                if let Val::Uniform(text) = &right.1 {
                    let a = self.float_of(left.1, left.0)?;
                    slot = self.mask_slot("holds");
                    self.line(format!(
                        "CompareScalar({slot}, {a}, {text}, CMPMODE::{mode}, lanes.padded);"
                    ));
                } else {
                    let a = self.float_of(left.1, left.0)?;
                    let b = self.float_of(right.1, right.0)?;
                    slot = self.mask_slot("holds");
                    self.line(format!("Compare({slot}, {a}, {b}, CMPMODE::{mode}, lanes.padded);"));
                }
                Ok(Val::Mask(slot))
            }
            Some(Kind::Bool) => {
                let (a, b) = (self.mask_of(left.1, left.0)?, self.mask_of(right.1, right.0)?);
                let slot = self.mask_slot("holds");
                self.line(format!("lanes.MaskXor({slot}, {a}, {b});"));
                if op == CompareOp::Equal {
                    self.line(format!("lanes.MaskNot({slot}, {slot});"));
                }
                Ok(Val::Mask(slot))
            }
            Some(Kind::Int | Kind::Long) => {
                if let Some(found) = self.compare_forms(op, &left, &right)? {
                    return Ok(found);
                }
                if kind(scalar) == Some(Kind::Long) {
                    let (al, ah) = self.long_of(left.1, left.0)?;
                    let (bl, bh) = self.long_of(right.1, right.0)?;
                    let slot = self.mask_slot("holds");
                    let temporary = self.mask_slot("equal");
                    self.line(format!(
                        "lanes.CompareLong({slot}, {al}, {ah}, {bl}, {bh}, CMPMODE::{mode}, {}, {temporary});",
                        scalar.is_signed()
                    ));
                    return Ok(Val::Mask(slot));
                }
                let a = self.int_of(left.1, left.0)?;
                let b = self.int_of(right.1, right.0)?;
                let slot = self.mask_slot("holds");
                let name =
                    if scalar == Scalar::U32 { "CompareUnsigned" } else { "CompareIntegers" };
                self.line(format!("lanes.{name}({slot}, {a}, {b}, CMPMODE::{mode});"));
                Ok(Val::Mask(slot))
            }
            None => self.refuse_value(format!("the vector unit has no {}", scalar.name()), value),
        }
    }

    /// A comparison of forms in one coordinate is a range of lanes.
    fn compare_forms(
        &mut self,
        op: CompareOp,
        left: &(Value, Val),
        right: &(Value, Val),
    ) -> Result<Option<Val>> {
        let form = |engine: &mut Self, (value, val): &(Value, Val)| -> Option<Linear> {
            match val {
                Val::Linear(form) => Some(form.clone()),
                Val::Uniform(text) => {
                    let unsigned = matches!(engine.type_of(*value), Type::Scalar(Scalar::U64));
                    let text = if unsigned {
                        // Beyond 2^63 there is no lane.
                        format!(
                            "static_cast<int64_t>(({text}) >> 63 != 0 ? 0x7fffffffffffffffULL : ({text}))"
                        )
                    } else {
                        format!("static_cast<int64_t>({text})")
                    };
                    Some(Linear { base: text, steps: ["0"; 4].map(str::to_owned) })
                }
                _ => None,
            }
        };
        let (Some(a), Some(b)) = (form(self, left), form(self, right)) else { return Ok(None) };
        let Some(axis) = (0..4).find(|i| a.steps[*i] != "0" || b.steps[*i] != "0") else {
            return Ok(None);
        };
        if (0..4).any(|i| i != axis && (a.steps[i] != "0" || b.steps[i] != "0")) {
            return Ok(None);
        }
        // `difference < 0` in the order (x, y, plus).
        let below = |engine: &mut Self, x: &Linear, y: &Linear, plus: i64| {
            let step = if y.steps[axis] == "0" {
                x.steps[axis].clone()
            } else {
                format!("{} - ({})", x.steps[axis], y.steps[axis])
            };
            let mut steps = ["0"; 4].map(str::to_owned);
            steps[axis] = step;
            let base = format!(
                "{} - ({}){}",
                x.base,
                y.base,
                match plus {
                    0 => String::new(),
                    p => format!(" + ({p})"),
                }
            );
            let name = engine.fresh("inside");
            engine.line(format!(
                "const lanes::Box {name} = lanes.Below({}, {axis});",
                Linear { base, steps }.text()
            ));
            name
        };
        Ok(Some(match op {
            CompareOp::Less | CompareOp::GreaterEqual => {
                let less = below(self, &a, &b, 0);
                // a >= b: b - a - 1 < 0
                let not = below(self, &b, &a, -1);
                if op == CompareOp::Less {
                    Val::Box(less, Some(not))
                } else {
                    Val::Box(not, Some(less))
                }
            }
            CompareOp::LessEqual | CompareOp::Greater => {
                let greater = below(self, &b, &a, 0);
                let not = below(self, &a, &b, -1);
                if op == CompareOp::Greater {
                    Val::Box(greater, Some(not))
                } else {
                    Val::Box(not, Some(greater))
                }
            }
            CompareOp::Equal | CompareOp::NotEqual => {
                let low = below(self, &a, &b, -1);
                let high = below(self, &b, &a, -1);
                let name = self.fresh("equal");
                self.line(format!("const lanes::Box {name} = lanes::Intersect({low}, {high});"));
                if op == CompareOp::Equal {
                    Val::Box(name, None)
                } else {
                    let slot = self.mask_slot("differs");
                    self.line(format!("lanes.MaskOf({slot}, {name});"));
                    self.line(format!("lanes.MaskNot({slot}, {slot});"));
                    Val::Mask(slot)
                }
            }
        }))
    }

    fn select(&mut self, value: Value, scalar: Scalar, c: &Val, a: &Val, b: &Val) -> Result<Val> {
        if let (Val::Parts(x), Val::Parts(y)) = (a, b) {
            let mut parts = Vec::new();
            for (x, y) in x.clone().iter().zip(y.clone().iter()) {
                parts.push(self.select(value, scalar, c, x, y)?);
            }
            return Ok(Val::Parts(parts));
        }
        let mask = self.mask_of(c.clone(), value)?;
        Ok(match kind(scalar) {
            Some(Kind::Float) => {
                let (a, b) = (self.float_of(a.clone(), value)?, self.float_of(b.clone(), value)?);
                let slot = self.float_slot("chosen");
                self.line(format!("lanes.Choose({slot}, {mask}, {a}, {b});"));
                Val::Float(slot)
            }
            Some(Kind::Int) => {
                let (a, b) = (self.int_of(a.clone(), value)?, self.int_of(b.clone(), value)?);
                let slot = self.int_slot("chosen");
                self.line(format!("lanes.Choose({slot}, {mask}, {a}, {b});"));
                Val::Int(slot)
            }
            Some(Kind::Long) => {
                let (al, ah) = self.long_of(a.clone(), value)?;
                let (bl, bh) = self.long_of(b.clone(), value)?;
                let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                self.line(format!("lanes.Choose({low}, {mask}, {al}, {bl});"));
                self.line(format!("lanes.Choose({high}, {mask}, {ah}, {bh});"));
                Val::Long(low, high)
            }
            Some(Kind::Bool) => {
                let (a, b) = (self.mask_of(a.clone(), value)?, self.mask_of(b.clone(), value)?);
                let (taken, slot) = (self.mask_slot("taken"), self.mask_slot("chosen"));
                self.line(format!("lanes.MaskAnd({taken}, {mask}, {a});"));
                self.line(format!("lanes.MaskAndNot({slot}, {b}, {mask});"));
                self.line(format!("lanes.MaskOr({slot}, {slot}, {taken});"));
                Val::Mask(slot)
            }
            None => {
                return self
                    .refuse_value(format!("the vector unit has no {}", scalar.name()), value);
            }
        })
    }

    fn convert(
        &mut self,
        value: Value,
        conversion: Conversion,
        from: Scalar,
        to: Scalar,
        v: &Val,
        wish: &str,
    ) -> Result<Val> {
        let (Some(from_kind), Some(to_kind)) = (kind(from), kind(to)) else {
            return self.refuse_value(format!("the vector unit has no {}", to.name()), value);
        };
        if let Val::Uniform(text) = v {
            // A splat of what the scalar unit cannot convert.
            let splat = match from_kind {
                Kind::Float => Val::Float(self.float_of(Val::Uniform(text.clone()), value)?),
                Kind::Int => Val::Int(self.int_of(Val::Uniform(text.clone()), value)?),
                Kind::Bool => Val::Mask(self.mask_of(Val::Uniform(text.clone()), value)?),
                Kind::Long => {
                    let (low, high) = self.long_of(Val::Uniform(text.clone()), value)?;
                    Val::Long(low, high)
                }
            };
            return self.convert(value, conversion, from, to, &splat, wish);
        }
        match conversion {
            Conversion::ZeroExtend | Conversion::SignExtend => match (from_kind, to_kind) {
                (Kind::Bool, Kind::Int) => Ok(Val::Int(self.int_of(v.clone(), value)?)),
                (Kind::Bool, Kind::Long) => {
                    let low = self.int_of(v.clone(), value)?;
                    Ok(self.widen(Val::Int(low)))
                }
                (Kind::Int, Kind::Int) => {
                    let a = self.int_of(v.clone(), value)?;
                    if conversion == Conversion::ZeroExtend && from.is_signed() {
                        let slot = self.int_slot(wish);
                        self.line(format!("lanes.Narrow({slot}, {a}, {}, false);", from.bits()));
                        return Ok(Val::Int(slot));
                    }
                    Ok(Val::Int(a))
                }
                (Kind::Int, Kind::Long) => {
                    let low = self.int_of(v.clone(), value)?;
                    if conversion == Conversion::SignExtend {
                        let high = self.int_slot("high");
                        self.line(format!("lanes.ShiftDownSigned({high}, {low}, 31);"));
                        Ok(Val::Long(low, high))
                    } else {
                        Ok(self.widen(Val::Int(low)))
                    }
                }
                _ => self.refuse_value("a conversion of this kind has no vector form", value),
            },
            Conversion::Truncate => {
                let low = self.int_of(v.clone(), value)?;
                if to.bits() < 32 {
                    let slot = self.int_slot(wish);
                    self.line(format!(
                        "lanes.Narrow({slot}, {low}, {}, {});",
                        to.bits(),
                        to.is_signed()
                    ));
                    return Ok(Val::Int(slot));
                }
                Ok(Val::Int(low))
            }
            Conversion::Bits => match (from_kind, to_kind) {
                (Kind::Int, Kind::Int) if to.bits() == 32 => Ok(v.clone()),
                (Kind::Int, Kind::Int) => {
                    let a = self.int_of(v.clone(), value)?;
                    let slot = self.int_slot(wish);
                    self.line(format!(
                        "lanes.Narrow({slot}, {a}, {}, {});",
                        to.bits(),
                        to.is_signed()
                    ));
                    Ok(Val::Int(slot))
                }
                (Kind::Long, Kind::Long) => Ok(v.clone()),
                (Kind::Float, Kind::Int) if from == Scalar::F32 => {
                    let a = self.float_of(v.clone(), value)?;
                    let slot = self.int_slot(wish);
                    self.line(format!("lanes.Move({slot}, {a}.ReinterpretCast<int32_t>());"));
                    Ok(Val::Int(slot))
                }
                (Kind::Int, Kind::Float) if to == Scalar::F32 => {
                    let a = self.int_of(v.clone(), value)?;
                    let slot = self.float_slot(wish);
                    self.line(format!("lanes.Move({slot}, {a}.ReinterpretCast<float>());"));
                    Ok(Val::Float(slot))
                }
                (Kind::Float, Kind::Int) => {
                    let a = self.float_of(v.clone(), value)?;
                    let slot = self.int_slot(wish);
                    let ty = memory_type(from).unwrap_or("half");
                    self.line(format!("lanes.BitsOf<{ty}>({slot}, {a});"));
                    self.line(format!("lanes.Narrow({slot}, {slot}, 16, {});", to.is_signed()));
                    Ok(Val::Int(slot))
                }
                (Kind::Int, Kind::Float) => {
                    let a = self.int_of(v.clone(), value)?;
                    let slot = self.float_slot(wish);
                    let ty = memory_type(to).unwrap_or("half");
                    self.line(format!("lanes.OfBits<{ty}>({slot}, {a});"));
                    Ok(Val::Float(slot))
                }
                _ => self.refuse_value("bits of this type have no vector form", value),
            },
            Conversion::IntegerToFloat(rounding) => {
                if rounding != Rounding::NearestEven {
                    return self.refuse_value(
                        "an integer is rounded another way than to the nearest",
                        value,
                    );
                }
                match from_kind {
                    Kind::Int => {
                        let a = self.int_of(v.clone(), value)?;
                        let slot = self.float_slot(wish);
                        if from == Scalar::U32 {
                            self.line(format!("lanes.FloatOfUnsigned({slot}, {a});"));
                        } else {
                            self.line(format!(
                                "Cast({slot}, {a}, RoundMode::CAST_RINT, lanes.padded);"
                            ));
                        }
                        Ok(self.round(slot, to))
                    }
                    Kind::Bool => {
                        let a = self.int_of(v.clone(), value)?;
                        let slot = self.float_slot(wish);
                        self.line(format!(
                            "Cast({slot}, {a}, RoundMode::CAST_RINT, lanes.padded);"
                        ));
                        Ok(Val::Float(slot))
                    }
                    Kind::Long => {
                        let (low, high) = self.long_of(v.clone(), value)?;
                        let slot = self.float_slot(wish);
                        let signed = from.is_signed();
                        self.line(format!("lanes.FloatOfLong({slot}, {low}, {high}, {signed});"));
                        Ok(self.round(slot, to))
                    }
                    Kind::Float => {
                        self.refuse_value("a conversion of this kind has no vector form", value)
                    }
                }
            }
            Conversion::FloatToInteger(rounding) => {
                let mode = match rounding {
                    Rounding::NearestEven => "CAST_RINT",
                    Rounding::TowardZero => "CAST_TRUNC",
                    Rounding::Up => "CAST_CEIL",
                    Rounding::Down => "CAST_FLOOR",
                    Rounding::NearestAway => "CAST_ROUND",
                };
                if to_kind != Kind::Int {
                    return self.refuse_value(
                        "there is no conversion from float to 64-bit integers",
                        value,
                    );
                }
                let a = self.float_of(v.clone(), value)?;
                let slot = self.int_slot(wish);
                let name = if to == Scalar::U32 { "UnsignedOfFloat" } else { "IntegerOfFloat" };
                self.line(format!("lanes.{name}({slot}, {a}, RoundMode::{mode});"));
                if to.bits() < 32 {
                    let (low, high) = if to.is_signed() {
                        (-(1i64 << (to.bits() - 1)), (1i64 << (to.bits() - 1)) - 1)
                    } else {
                        (0, (1i64 << to.bits()) - 1)
                    };
                    self.line(format!("Maxs({slot}, {slot}, {low}, lanes.padded);"));
                    self.line(format!("Mins({slot}, {slot}, {high}, lanes.padded);"));
                }
                Ok(Val::Int(slot))
            }
            Conversion::FloatToFloat { rounding, saturate } => {
                let a = self.float_of(v.clone(), value)?;
                if to == Scalar::F32 {
                    return Ok(Val::Float(a));
                }
                if rounding != Rounding::NearestEven || saturate {
                    return self
                        .refuse_value("a float is rounded another way than to the nearest", value);
                }
                let slot = self.float_slot(wish);
                let ty = memory_type(to).unwrap_or("half");
                self.line(format!("lanes.RoundTo<{ty}>({slot}, {a});"));
                Ok(Val::Float(slot))
            }
            _ => self.refuse_value("a conversion of this kind has no vector form", value),
        }
    }

    fn math(
        &mut self,
        value: Value,
        function: MathFunction,
        scalar: Scalar,
        vals: &[Val],
        handles: &[Value],
        wish: &str,
    ) -> Result<Val> {
        use MathFunction as M;
        let Some(first) = vals.first().cloned() else {
            return self.refuse_value("a function has no operands", value);
        };
        let from = handles.first().and_then(|h| self.component_scalar(*h)).unwrap_or(scalar);
        if kind(from) == Some(Kind::Float) {
            let a = self.float_of(first, value)?;
            if matches!(function, M::IsNan | M::IsInfinite | M::IsFinite | M::SignBit) {
                let slot = self.mask_slot("holds");
                match function {
                    M::IsNan => {
                        self.line(format!("Compare({slot}, {a}, {a}, CMPMODE::NE, lanes.padded);"))
                    }
                    M::SignBit => self.line(format!("lanes.IsNegative({slot}, {a});")),
                    M::IsInfinite => self.line(format!("lanes.IsInfinite({slot}, {a});")),
                    _ => self.line(format!("lanes.IsFinite({slot}, {a});")),
                }
                return Ok(Val::Mask(slot));
            }
            let one = |engine: &mut Self, text: &str| -> Val {
                let slot = engine.float_slot(wish);
                for line in text.split(';').filter(|l| !l.is_empty()) {
                    engine.line(format!(
                        "{};",
                        line.replace("$r", &slot).replace("$a", &a).replace("$n", "lanes.padded")
                    ));
                }
                engine.round(slot, scalar)
            };
            let text = match function {
                M::SquareRoot => "Sqrt($r, $a, $n)",
                M::ReciprocalSquareRoot => "lanes.ReciprocalRoot($r, $a)",
                M::Reciprocal => "lanes.Invert($r, $a)",
                M::Exp => "Exp($r, $a, $n)",
                M::Exp2 => "lanes.PowerOfTwo($r, $a)",
                M::Exp10 => "Muls($r, $a, 2.302585092994046f, $n);Exp($r, $r, $n)",
                M::ExpMinusOne => "lanes.ExpMinusOne($r, $a)",
                M::Log => "Ln($r, $a, $n)",
                M::Log2 => "Ln($r, $a, $n);Muls($r, $r, 1.4426950408889634f, $n)",
                M::Log10 => "Ln($r, $a, $n);Muls($r, $r, 0.4342944819032518f, $n)",
                M::LogOnePlus => "lanes.LogOnePlus($r, $a)",
                M::Tanh => "lanes.HyperbolicTangent($r, $a)",
                M::Erf => "lanes.ErrorFunction($r, $a)",
                M::Sin => "lanes.Sine($r, $a, 0)",
                M::Cos => "lanes.Sine($r, $a, 1)",
                M::Floor => "Cast($r, $a, RoundMode::CAST_FLOOR, $n)",
                M::Ceil => "Cast($r, $a, RoundMode::CAST_CEIL, $n)",
                M::Trunc => "Cast($r, $a, RoundMode::CAST_TRUNC, $n)",
                M::Round => "Cast($r, $a, RoundMode::CAST_ROUND, $n)",
                M::RoundEven => "Cast($r, $a, RoundMode::CAST_RINT, $n)",
                M::Saturate => "lanes.Saturate($r, $a)",
                _ => "",
            };
            if !text.is_empty() {
                return Ok(one(self, text));
            }
            if let (M::CopySign, Some(b)) = (function, vals.get(1).cloned()) {
                let b = self.float_of(b, value)?;
                let slot = self.float_slot(wish);
                self.line(format!("lanes.CopySign({slot}, {a}, {b});"));
                return Ok(Val::Float(slot));
            }
            return self.refuse_value(format!("`{}` has no vector form", function.name()), value);
        }
        if kind(from) == Some(Kind::Int) && from.bits() == 32 && kind(scalar) == Some(Kind::Int) {
            let name = match function {
                M::PopulationCount => "PopulationCount",
                M::CountLeadingZeros => "LeadingZeros",
                M::FindFirstSet => "FirstSet",
                _ => "",
            };
            if !name.is_empty() {
                let a = self.int_of(first, value)?;
                let slot = self.int_slot(wish);
                let temporary = self.int_slot("spread");
                self.line(format!("lanes.{name}({slot}, {a}, {temporary});"));
                return Ok(Val::Int(slot));
            }
        }
        if kind(from) == Some(Kind::Long) && kind(scalar) == Some(Kind::Int) {
            // The halves, and which of them counts.
            let (low, high) = self.long_of(first, value)?;
            let temporary = self.int_slot("spread");
            let (a, b) = (self.int_slot("ofLow"), self.int_slot("ofHigh"));
            let slot = self.int_slot(wish);
            let (name, plus, test) = match function {
                M::PopulationCount => ("PopulationCount", "", ""),
                M::CountLeadingZeros => ("LeadingZeros", &*a, &*high),
                M::FindFirstSet => ("FirstSet", &*b, &*low),
                _ => ("", "", ""),
            };
            if !name.is_empty() {
                self.line(format!("lanes.{name}({a}, {low}, {temporary});"));
                self.line(format!("lanes.{name}({b}, {high}, {temporary});"));
                if plus.is_empty() {
                    self.line(format!("Add({slot}, {a}, {b}, lanes.padded);"));
                    return Ok(Val::Int(slot));
                }
                let first_half = if plus == a { b.clone() } else { a.clone() };
                let (zero, mask) = (self.int_slot("zero"), self.mask_slot("empty"));
                // 32 more, where there is something to count from.
                self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
                self.line(format!("Compare({mask}, {plus}, {zero}, CMPMODE::EQ, lanes.padded);"));
                self.line(format!("Adds({temporary}, {plus}, 32, lanes.padded);"));
                if function == M::FindFirstSet {
                    self.line(format!("lanes.Choose({temporary}, {mask}, {zero}, {temporary});"));
                }
                self.line(format!("Compare({mask}, {test}, {zero}, CMPMODE::EQ, lanes.padded);"));
                self.line(format!("lanes.Choose({slot}, {mask}, {temporary}, {first_half});"));
                return Ok(Val::Int(slot));
            }
        }
        self.refuse_value(format!("`{}` has no vector form", function.name()), value)
    }
}

fn integer_text(op: IntegerOp, scalar: Scalar, ty: &str, a: &str, b: &str) -> String {
    let wide = if scalar.bits() == 64 { "uint64_t" } else { "uint32_t" };
    let wrap = |o: &str| {
        format!("static_cast<{ty}>(static_cast<{wide}>({a}) {o} static_cast<{wide}>({b}))")
    };
    match op {
        _ if scalar == Scalar::Bool => match op {
            IntegerOp::And => format!("({a}) && ({b})"),
            IntegerOp::Or => format!("({a}) || ({b})"),
            _ => format!("({a}) != ({b})"),
        },
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

/// A float as C++ spells it.
fn float_text(value: f32) -> String {
    if value.is_nan() {
        return "__builtin_nanf(\"\")".to_owned();
    }
    if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}__builtin_inff()");
    }
    let text = format!("{value:?}");
    let text = if text.contains(['.', 'e']) { text } else { format!("{text}.0") };
    format!("{text}f")
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
