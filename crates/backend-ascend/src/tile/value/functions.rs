//! Named functions that no instruction computes: of angles, and on the bits of whole numbers.

use super::*;

impl Engine<'_, '_> {
    /// A function of floats from `angles.h`; `None` if it has none.
    pub(super) fn angle(
        &mut self,
        function: MathFunction,
        a: &str,
        second: Option<&Val>,
        value: Value,
        wish: &str,
    ) -> Result<Option<String>> {
        use MathFunction as M;
        let (name, pair) = match function {
            M::Tan => ("Tangent", false),
            M::Asin => ("ArcSine", false),
            M::Acos => ("ArcCosine", false),
            M::Atan => ("ArcTangent", false),
            M::Atan2 => ("ArcTangent2", true),
            M::Sinh => ("HyperbolicSine", false),
            M::Cosh => ("HyperbolicCosine", false),
            M::Hypot => ("Hypotenuse", true),
            M::CubeRoot => ("CubeRoot", false),
            _ => return Ok(None),
        };
        let other = match (pair, second) {
            (true, Some(val)) => format!(", {}", self.float_of(val.clone(), value)?),
            (false, _) => String::new(),
            (true, None) => return Ok(None),
        };
        let slot = self.float_slot(wish);
        self.line(format!("lanes::{name}(lanes, {slot}, {a}{other});"));
        self.state.uses_angles = true;
        Ok(Some(slot))
    }

    /// A function of floats from `powers.h`; `None` if it has none.
    pub(super) fn power(
        &mut self,
        function: MathFunction,
        a: &str,
        operands: (&[Val], &[Value]),
        value: Value,
        wish: &str,
    ) -> Result<Option<String>> {
        use MathFunction as M;
        let (vals, handles) = operands;
        let arguments = match (function, vals.get(1)) {
            (M::SinPi, _) => format!("SineOfHalfTurns(lanes, $r, {a}, 0)"),
            (M::CosPi, _) => format!("SineOfHalfTurns(lanes, $r, {a}, 1)"),
            (M::Asinh, _) => format!("InverseHyperbolicSine(lanes, $r, {a})"),
            (M::Acosh, _) => format!("InverseHyperbolicCosine(lanes, $r, {a})"),
            (M::Atanh, _) => format!("InverseHyperbolicTangent(lanes, $r, {a})"),
            (M::Power | M::PowerInteger, Some(exponent)) => {
                match handles.get(1).and_then(|handle| self.small_whole(*handle)) {
                    Some(whole) => format!("WholePower(lanes, $r, {a}, {whole})"),
                    None => {
                        let b = match function {
                            M::Power => self.float_of(exponent.clone(), value)?,
                            _ => {
                                let whole = self.int_of(exponent.clone(), value)?;
                                let slot = self.float_slot("exponent");
                                self.line(format!(
                                    "Cast({slot}, {whole}, RoundMode::CAST_NONE, lanes.padded);"
                                ));
                                slot
                            }
                        };
                        format!("Power(lanes, $r, {a}, {b})")
                    }
                }
            }
            _ => return Ok(None),
        };
        let slot = self.float_slot(wish);
        self.line(format!("lanes::{};", arguments.replace("$r", &slot)));
        self.state.uses_powers = true;
        Ok(Some(slot))
    }

    /// A constant exponent that a few products make.
    fn small_whole(&self, value: Value) -> Option<u32> {
        const MOST: u32 = 16;
        let Expression::Constant(constant) = self.expression(value) else { return None };
        let number = match constant.scalar {
            Scalar::F32 => f32::from_bits(u32::try_from(constant.bits).ok()?),
            Scalar::I32 => f32::from(i16::try_from(constant.bits as u32 as i32).ok()?),
            _ => return None,
        };
        (1..=MOST).find(|whole| f64::from(*whole) == f64::from(number))
    }

    /// A function on the bits of 32-bit numbers; `None` if it has no form.
    pub(super) fn bits(
        &mut self,
        function: MathFunction,
        vals: &[Val],
        handles: &[Value],
        value: Value,
        wish: &str,
    ) -> Result<Option<Val>> {
        use MathFunction as M;
        let signed = |engine: &Self, at: usize| {
            let scalar = handles.get(at).and_then(|h| engine.component_scalar(*h));
            scalar.is_some_and(|s| s.is_signed())
        };
        let mut texts = Vec::new();
        let known = matches!(
            function,
            M::DotFourBytes
                | M::Multiply24
                | M::BytePermute
                | M::ReverseBits
                | M::FunnelShiftLeft
                | M::FunnelShiftRight
                | M::FunnelShiftLeftClamp
                | M::FunnelShiftRightClamp
        );
        if !known {
            return Ok(None);
        }
        for val in vals {
            texts.push(self.int_of(val.clone(), value)?);
        }
        let slot = self.int_slot(wish);
        match (function, texts.as_slice()) {
            (M::DotFourBytes, [a, b, c]) => {
                let (x, y) = (self.int_slot("left"), self.int_slot("right"));
                self.line(format!("lanes.Move({slot}, {c});"));
                for byte in 0..4 {
                    for (to, from, at) in [(&x, a, 0), (&y, b, 1)] {
                        self.line(format!("lanes.ShiftDown({to}, {from}, {});", byte * 8));
                        let signed = signed(self, at);
                        self.line(format!("lanes.Narrow({to}, {to}, 8, {signed});"));
                    }
                    self.line(format!("Mul({x}, {x}, {y}, lanes.padded);"));
                    self.line(format!("Add({slot}, {slot}, {x}, lanes.padded);"));
                }
            }
            (M::Multiply24, [a, b]) => {
                let other = self.int_slot("right");
                let (left, right) = (signed(self, 0), signed(self, 1));
                self.line(format!("lanes.Narrow({slot}, {a}, 24, {left});"));
                self.line(format!("lanes.Narrow({other}, {b}, 24, {right});"));
                self.line(format!("Mul({slot}, {slot}, {other}, lanes.padded);"));
            }
            (M::ReverseBits, [a]) => {
                let (part, pattern) = (self.int_slot("part"), self.int_slot("pattern"));
                self.line(format!("lanes.Move({slot}, {a});"));
                let steps = [
                    (1, "0x55555555"),
                    (2, "0x33333333"),
                    (4, "0x0f0f0f0f"),
                    (8, "0x00ff00ff"),
                    (16, "0x0000ffff"),
                ];
                for (by, mask) in steps {
                    self.line(format!("Duplicate({pattern}, {mask}, lanes.padded);"));
                    self.line(format!("lanes.ShiftDown({part}, {slot}, {by});"));
                    self.line(format!("lanes.BitAnd({part}, {part}, {pattern});"));
                    self.line(format!("lanes.BitAnd({slot}, {slot}, {pattern});"));
                    self.line(format!("lanes.ShiftUp({slot}, {slot}, {by});"));
                    self.line(format!("lanes.BitOr({slot}, {slot}, {part});"));
                }
            }
            (M::BytePermute, [a, b, selector]) => {
                let (from, other) = (self.int_slot("from"), self.int_slot("other"));
                let (code, by) = (self.int_slot("code"), self.int_slot("by"));
                let (test, zero) = (self.mask_slot("test"), self.int_slot("zero"));
                self.line(format!("Duplicate({slot}, 0, lanes.padded);"));
                self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
                for byte in 0..4 {
                    // Two bits for the byte, one for the operand, one that asks for its sign.
                    self.line(format!("lanes.ShiftDown({code}, {selector}, {});", byte * 4));
                    self.line(format!("lanes.Narrow({by}, {code}, 2, false);"));
                    self.line(format!("Muls({by}, {by}, 8, lanes.padded);"));
                    self.line(format!("lanes.ShiftEach({from}, {a}, {by}, 1);"));
                    self.line(format!("lanes.ShiftEach({other}, {b}, {by}, 1);"));
                    self.line(format!("lanes.ShiftDown({by}, {code}, 2);"));
                    self.line(format!("lanes.Narrow({by}, {by}, 1, false);"));
                    self.line(format!("lanes.MaskOfInteger({test}, {by});"));
                    self.line(format!("lanes.Choose({from}, {test}, {other}, {from});"));
                    self.line(format!("lanes.Narrow({other}, {from}, 8, true);"));
                    self.line(format!("lanes.ShiftDownSigned({other}, {other}, 31);"));
                    self.line(format!("lanes.ShiftDown({by}, {code}, 3);"));
                    self.line(format!("lanes.Narrow({by}, {by}, 1, false);"));
                    self.line(format!("lanes.MaskOfInteger({test}, {by});"));
                    self.line(format!("lanes.Choose({from}, {test}, {other}, {from});"));
                    self.line(format!("lanes.Narrow({from}, {from}, 8, false);"));
                    self.line(format!("lanes.ShiftUp({from}, {from}, {});", byte * 8));
                    self.line(format!("lanes.BitOr({slot}, {slot}, {from});"));
                }
            }
            (_, [low, high, amount]) => {
                let clamps = matches!(function, M::FunnelShiftLeftClamp | M::FunnelShiftRightClamp);
                let left = matches!(function, M::FunnelShiftLeft | M::FunnelShiftLeftClamp);
                let (by, back, other) =
                    (self.int_slot("by"), self.int_slot("back"), self.int_slot("other"));
                if clamps {
                    let (most, less) = (self.int_slot("most"), self.mask_slot("less"));
                    self.line(format!("Duplicate({most}, 32, lanes.padded);"));
                    self.line(format!(
                        "lanes.CompareUnsigned({less}, {amount}, {most}, CMPMODE::LT);"
                    ));
                    self.line(format!("lanes.Choose({by}, {less}, {amount}, {most});"));
                } else {
                    self.line(format!("lanes.Narrow({by}, {amount}, 5, false);"));
                }
                self.line(format!("Muls({back}, {by}, -1, lanes.padded);"));
                self.line(format!("Adds({back}, {back}, 32, lanes.padded);"));
                let (main, rest) = if left { (high, low) } else { (low, high) };
                let (there, here) = if left { (0, 1) } else { (1, 0) };
                // Shifts by 32 give nothing.
                self.line(format!("lanes.ShiftEach({slot}, {main}, {by}, {there});"));
                self.line(format!("lanes.ShiftEach({other}, {rest}, {back}, {here});"));
                self.line(format!("lanes.BitOr({slot}, {slot}, {other});"));
            }
            _ => return Ok(None),
        }
        Ok(Some(Val::Int(slot)))
    }
}
