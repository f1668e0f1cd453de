//! Comparisons, choices, conversions and functions.

use super::*;
use crate::code::{cast_mode, compare_mode};

impl Engine<'_, '_> {
    pub(super) fn compare(
        &mut self,
        value: Value,
        op: CompareOp,
        left: (Value, Val),
        right: (Value, Val),
    ) -> Result<Val> {
        let Some(scalar) = self.component_scalar(left.0) else {
            return self.refuse_value("pointers that differ are compared", value);
        };
        let mode = compare_mode(op);
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
    pub(super) fn compare_forms(
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
                        format!("lanes::Bound({text})")
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

    pub(super) fn select(
        &mut self,
        value: Value,
        scalar: Scalar,
        c: &Val,
        a: &Val,
        b: &Val,
    ) -> Result<Val> {
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

    pub(super) fn convert(
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
                let mode = cast_mode(rounding);
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

    pub(super) fn math(
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
            if let Some(slot) = self.angle(function, &a, vals.get(1), value, wish)? {
                return Ok(self.round(slot, scalar));
            }
            if let Some(slot) = self.power(function, &a, (vals, handles), value, wish)? {
                return Ok(self.round(slot, scalar));
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
        if kind(from) == Some(Kind::Int)
            && from.bits() == 32
            && kind(scalar) == Some(Kind::Int)
            && let Some(val) = self.bits(function, vals, handles, value, wish)?
        {
            return Ok(val);
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
