//! Whole numbers of 32 and 64 bits.

use super::*;

impl Engine<'_, '_> {
    pub(super) fn integer(
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
        if let Some(same) = unchanged(op, a, b) {
            return Ok(Val::Int(self.int_of(same.clone(), value)?));
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
                let key = self.division(value, scalar);
                if let Some((quotient, rest)) = self.known_pair(&key) {
                    return Ok(if op == IntegerOp::Divide { quotient } else { rest });
                }
                let other = self.int_slot("rest");
                let (quotient, rest) =
                    if op == IntegerOp::Divide { (&slot, &other) } else { (&other, &slot) };
                if scalar.bits() == 32 {
                    let made = (Val::Int(quotient.clone()), Val::Int(rest.clone()));
                    self.remember_pair(key, &made);
                }
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
    pub(super) fn not_negative(&mut self, value: Value) -> bool {
        let operands = self.expression(value).operands();
        operands.into_iter().all(|operand| self.is_small(operand, 0))
    }

    pub(super) fn is_small(&mut self, value: Value, depth: u32) -> bool {
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
                IntegerOp::ShiftRight => self.is_small(left, depth + 1),
                IntegerOp::Divide | IntegerOp::Remainder => {
                    self.is_small(left, depth + 1) && self.is_small(right, depth + 1)
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

    /// What is divided by what, as far as two divisions of one scalar type can be seen to be the same.
    fn division(&mut self, value: Value, scalar: Scalar) -> String {
        let operands = self.expression(value).operands();
        let numbers: Vec<String> =
            operands.iter().map(|own| format!("{:?}", self.affine.integer(*own))).collect();
        format!("{} of {}", numbers.join(" / "), scalar.name())
    }

    /// Quotient or rest of a form, all of whose lanes are near its base, by a number of all lanes.
    fn divide_form(
        &mut self,
        value: Value,
        op: IntegerOp,
        form: &Linear,
        divisor: &str,
    ) -> Result<Val> {
        let operands = self.expression(value).operands();
        let is_word = operands.get(1).and_then(|own| self.bounds(*own, 0));
        let is_word = is_word.is_some_and(|own| own.is_within(Range::of(Scalar::I32)));
        let (form, divisor) = (form.text(), format!("static_cast<int64_t>({divisor})"));
        let key = self.division(value, Scalar::I64);
        let (quotient, rest) = match self.known_pair(&key) {
            Some(known) => known,
            None => {
                let (quotient, rest) = (self.int_slot("quotient"), self.int_slot("rest"));
                let temporary = self.int_slot("offset");
                let made = if is_word {
                    // The base's quotient and rest are scalars; what the lanes add is small.
                    let text = format!(
                        "lanes.Decompose({quotient}, {rest}, {form}, {divisor}, {temporary})"
                    );
                    let base = self.scalar("quotientBase", "int64_t", &text);
                    (Val::Long(quotient, base), Val::Int(rest))
                } else {
                    let (high, rest_high) = (self.int_slot("high"), self.int_slot("high"));
                    self.line(format!(
                        "lanes.DecomposeLong({quotient}, {high}, {rest}, {rest_high}, {form}, {divisor}, {temporary});"
                    ));
                    (Val::Long(quotient, high), Val::Long(rest, rest_high))
                };
                self.remember_pair(key, &made);
                made
            }
        };
        Ok(match (op, quotient, rest) {
            (IntegerOp::Divide, Val::Long(quotient, base), Val::Int(_)) => {
                let (low, high) = (self.int_slot("low"), self.int_slot("high"));
                self.line(format!("lanes.AddWide({low}, {high}, {quotient}, {base});"));
                Val::Long(low, high)
            }
            (IntegerOp::Divide, quotient, _) => quotient,
            (_, _, Val::Int(rest)) => {
                let high = self.int_slot("high");
                self.line(format!("lanes.ShiftDownSigned({high}, {rest}, 31);"));
                Val::Long(rest, high)
            }
            (_, _, rest) => rest,
        })
    }

    pub(super) fn long_integer(
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
            return self.divide_form(value, op, form, divisor);
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
}

/// What an operation gives whose other operand changes nothing.
fn unchanged<'v>(op: IntegerOp, a: &'v Val, b: &'v Val) -> Option<&'v Val> {
    let is = |val: &Val, number: &str| matches!(val, Val::Uniform(text) if text.trim_end_matches('u') == number);
    let (same, other) = match op {
        IntegerOp::Add | IntegerOp::Or | IntegerOp::Xor | IntegerOp::Multiply => {
            let neutral = if op == IntegerOp::Multiply { "1" } else { "0" };
            if is(a, neutral) { (b, is(a, neutral)) } else { (a, is(b, neutral)) }
        }
        IntegerOp::Subtract | IntegerOp::ShiftLeft | IntegerOp::ShiftRight => (a, is(b, "0")),
        IntegerOp::Divide => (a, is(b, "1")),
        _ => return None,
    };
    (other && matches!(same, Val::Int(_) | Val::Linear(_))).then_some(same)
}
