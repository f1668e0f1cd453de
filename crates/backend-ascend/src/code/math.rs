//! Named functions: what the device calls them.

use port_ir::{MathFunction, Scalar};

use super::cpp::{Level, Text, binary, call};
use super::printer::Printer;
use super::types::scalar_name;
use super::{Form, refuse};
use crate::kernel::NotTranslated;

type Made = Result<Text, NotTranslated>;

impl Printer<'_, '_, '_> {
    /// `a * b + c` in `float`, rounded once.
    pub(crate) fn fused(&mut self, texts: &[Text]) -> Made {
        Ok(match self.context.form {
            Form::Threads => call("fmaf", texts),
            Form::Scalar => call(self.spelling.helper("FusedMultiplyAdd"), texts),
        })
    }

    /// A named function of scalars. 16-bit floats compute in `float` and round.
    pub(crate) fn math(
        &mut self,
        function: MathFunction,
        from: Scalar,
        to: Scalar,
        texts: &[Text],
    ) -> Made {
        if from == Scalar::F64 {
            return self.double_function(function, texts);
        }
        if let Some(text) = self.bits_function(function, from, to, texts)? {
            return Ok(text);
        }
        let wide: Vec<Text> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let integer = matches!(
                    (function, index),
                    (MathFunction::PowerInteger | MathFunction::ScaleByPowerOfTwo, 1)
                );
                if integer { text.clone() } else { self.widened(from, text) }
            })
            .collect();
        let text = self.float_function(function, &wide)?;
        Ok(self.rounded(to, text))
    }

    /// A function of doubles: integers compute it.
    fn double_function(&mut self, function: MathFunction, texts: &[Text]) -> Made {
        use MathFunction as M;
        let number = |printer: &mut Self, value: f64| {
            printer.constant(port_ir::Constant::from_bits(Scalar::F64, value.to_bits()))
        };
        // Calls with other arguments than the user's.
        let x = texts.first().map_or(String::new(), |text| text.text.clone());
        let turned = |printer: &mut Self, name: &'static str, quarters: u32| {
            let name = printer.spelling.helper(name);
            Text::primary(format!("{name}({x}, {quarters})"))
        };
        match function {
            M::Sin => return Ok(turned(self, "Sine64", 0)),
            M::Cos => return Ok(turned(self, "Sine64", 1)),
            M::SinPi => return Ok(turned(self, "SineOfPi64", 0)),
            M::CosPi => return Ok(turned(self, "SineOfPi64", 1)),
            M::Tan => {
                let (sine, cosine) = (turned(self, "Sine64", 0), turned(self, "Sine64", 1));
                return Ok(binary(Level::Product, "/", &sine, &cosine));
            }
            M::Exp2 | M::Exp10 => {
                let base = number(self, if function == M::Exp2 { 2.0 } else { 10.0 })?;
                return Ok(call(self.spelling.helper("Power64"), &[base, texts[0].clone()]));
            }
            M::PowerInteger => {
                let to = self.spelling.helper("ToFloat64");
                let exponent = format!("{to}(static_cast<int64_t>({}))", texts[1].text);
                let list = [texts[0].clone(), Text::primary(exponent)];
                return Ok(call(self.spelling.helper("Power64"), &list));
            }
            M::ScaleByPowerOfTwo => {
                self.spelling.helper("Float64Functions");
                return Ok(call("Scale64", texts));
            }
            M::ReciprocalSquareRoot => {
                let one = number(self, 1.0)?;
                let root = call(self.spelling.helper("SquareRoot64"), texts);
                return Ok(binary(Level::Product, "/", &one, &root));
            }
            _ => {}
        }
        let name = match function {
            M::Exp => "Exp64",
            M::ExpMinusOne => "ExpMinusOne64",
            M::Log => "Log64",
            M::Log2 => "Log2Of64",
            M::Log10 => "Log10Of64",
            M::LogOnePlus => "LogOnePlus64",
            M::Power => "Power64",
            M::CubeRoot => "CubeRoot64",
            M::Atan => "ArcTangent64",
            M::Atan2 => "ArcTangent2Of64",
            M::Asin => "ArcSine64",
            M::Acos => "ArcCosine64",
            M::Sinh => "HyperbolicSine64",
            M::Cosh => "HyperbolicCosine64",
            M::Tanh => "HyperbolicTangent64",
            M::Hypot => "Hypotenuse64",
            M::FloatModulo => "Modulo64",
            M::SquareRoot => "SquareRoot64",
            M::Floor => "Floor64",
            M::Ceil => "Ceil64",
            M::Trunc => "Truncate64",
            M::Round => "RoundAway64",
            M::RoundEven => "RoundEven64",
            M::CopySign => "CopySign64",
            M::IsNan => "IsNan64",
            M::IsInfinite => "IsInfinite64",
            M::IsFinite => {
                self.spelling.helper("Float64");
                let x = &texts[0].text;
                return Ok(Text::at(format!("!IsNan64({x}) && !IsInfinite64({x})"), Level::And));
            }
            M::SignBit => {
                return Ok(Text::at(
                    format!("({}.bits >> 63) != 0", texts[0].in_level(Level::Primary)),
                    Level::Equality,
                ));
            }
            M::Reciprocal => {
                let one =
                    self.constant(port_ir::Constant::from_bits(Scalar::F64, 1.0f64.to_bits()))?;
                return Ok(binary(Level::Product, "/", &one, &texts[0]));
            }
            _ => {
                return Err(refuse(format!(
                    "it calls `{}` of doubles, which the chip does not have",
                    function.name()
                )));
            }
        };
        if name.starts_with("Is") {
            self.spelling.helper("Float64");
            return Ok(call(name, texts));
        }
        Ok(call(self.spelling.helper(name), texts))
    }

    fn float_function(&mut self, function: MathFunction, texts: &[Text]) -> Made {
        use MathFunction as M;
        let threads = self.context.form == Form::Threads;
        let one = texts.first().cloned().unwrap_or_else(|| Text::primary("0.0f"));
        let over = |text: Text| binary(Level::Product, "/", &Text::primary("1.0f"), &text);
        // What both units compute alike.
        match function {
            M::Reciprocal => return Ok(over(one)),
            M::ReciprocalSquareRoot if !threads => {
                let root = self.scalar_function(M::SquareRoot, &[one])?;
                return Ok(over(root));
            }
            M::Floor => return Ok(self.round_call("Floor", "floorf", &one)),
            M::Ceil => return Ok(self.round_call("Ceil", "ceilf", &one)),
            M::Trunc => return Ok(self.round_call("Truncate", "truncf", &one)),
            M::Round => return Ok(self.round_call("RoundAway", "roundf", &one)),
            M::RoundEven => return Ok(self.round_call("RoundEven", "rintf", &one)),
            M::CopySign => return Ok(call(self.spelling.helper("CopySign"), texts)),
            M::Saturate => {
                let (low, high) = if threads {
                    ("fmaxf", "fminf")
                } else {
                    (self.spelling.helper("MaximumNumber"), self.spelling.helper("MinimumNumber"))
                };
                return Ok(Text::primary(format!("{high}({low}({}, 0.0f), 1.0f)", one.text)));
            }
            _ => {}
        }
        if !threads {
            return self.scalar_function(function, texts);
        }
        let name = match function {
            M::SquareRoot => "sqrtf",
            M::ReciprocalSquareRoot => "rsqrtf",
            M::CubeRoot => "cbrtf",
            M::ReciprocalCubeRoot => "rcbrtf",
            M::Exp => "expf",
            M::Exp2 => "exp2f",
            M::Exp10 => "exp10f",
            M::ExpMinusOne => "expm1f",
            M::Log => "logf",
            M::Log2 => "log2f",
            M::Log10 => "log10f",
            M::LogOnePlus => "log1pf",
            M::LogBinary => "logbf",
            M::Sin => "sinf",
            M::Cos => "cosf",
            M::Tan => "tanf",
            M::SinPi => "sinpif",
            M::CosPi => "cospif",
            M::Asin => "asinf",
            M::Acos => "acosf",
            M::Atan => "atanf",
            M::Atan2 => "atan2f",
            M::Sinh => "sinhf",
            M::Cosh => "coshf",
            M::Tanh => "tanhf",
            M::Asinh => "asinhf",
            M::Acosh => "acoshf",
            M::Atanh => "atanhf",
            M::Erf => "erff",
            M::Erfc => "erfcf",
            M::ErfcScaled => "erfcxf",
            M::ErfInverse => "erfinvf",
            M::ErfcInverse => "erfcinvf",
            M::NormalCdf => "normcdff",
            M::NormalCdfInverse => "normcdfinvf",
            M::Gamma => "tgammaf",
            M::LogGamma => "lgammaf",
            M::BesselJ0 => "j0f",
            M::BesselJ1 => "j1f",
            M::BesselY0 => "y0f",
            M::BesselY1 => "y1f",
            M::BesselI0 => "cyl_bessel_i0f",
            M::BesselI1 => "cyl_bessel_i1f",
            M::Power => "powf",
            M::PowerInteger => {
                let mut texts = texts.to_vec();
                if let Some(exponent) = texts.get_mut(1) {
                    *exponent = Text::primary(format!("static_cast<float>({})", exponent.text));
                }
                return Ok(call("powf", &texts));
            }
            M::ScaleByPowerOfTwo => "ldexpf",
            M::IntegerLogBinary => "ilogbf",
            M::FloatModulo => "fmodf",
            M::FloatRemainder => "remainderf",
            M::Hypot => "hypotf",
            M::ReciprocalHypot => "rhypotf",
            M::Norm3 => "norm3df",
            M::ReciprocalNorm3 => "rnorm3df",
            M::Norm4 => "norm4df",
            M::ReciprocalNorm4 => "rnorm4df",
            M::PositiveDifference => "fdimf",
            M::NextAfter => "nextafterf",
            _ => return Err(no_function(function)),
        };
        Ok(call(name, texts))
    }

    /// What is computed on bits: the same text on both units.
    fn bits_function(
        &mut self,
        function: MathFunction,
        from: Scalar,
        to: Scalar,
        texts: &[Text],
    ) -> Result<Option<Text>, NotTranslated> {
        use MathFunction as M;
        let wide: Vec<Text> = texts.iter().map(|text| self.widened(from, text)).collect();
        let spelled = scalar_name(from)?;
        let threads = self.context.form == Form::Threads;
        Ok(Some(match function {
            M::IsNan => call(self.spelling.helper("IsNan"), &wide),
            M::IsInfinite => call(self.spelling.helper("IsInfinite"), &wide),
            M::IsFinite => call(self.spelling.helper("IsFinite"), &wide),
            M::SignBit => call(self.spelling.helper("IsNegative"), &wide),
            M::PopulationCount | M::CountLeadingZeros | M::FindFirstSet
                if threads && matches!(from, Scalar::I32 | Scalar::U32) =>
            {
                let (name, cast) = match function {
                    M::PopulationCount => ("__popc", "uint32_t"),
                    M::CountLeadingZeros => ("__clz", "int32_t"),
                    _ => ("__ffs", "int32_t"),
                };
                let same = spelled == cast;
                let argument = if same {
                    texts[0].clone()
                } else {
                    Text::primary(format!("{cast}({})", texts[0].text))
                };
                call(name, &[argument])
            }
            M::PopulationCount | M::CountLeadingZeros | M::FindFirstSet => {
                let name = match function {
                    M::PopulationCount => self.spelling.helper("PopulationCount"),
                    M::CountLeadingZeros => self.spelling.helper("LeadingZeros"),
                    _ => self.spelling.helper("FirstSet"),
                };
                // Narrow and signed integers must not bring their sign along.
                let unsigned = unsigned_name(from);
                Text::primary(format!("{name}<{unsigned}>({unsigned}({}))", texts[0].text))
            }
            M::ReverseBits => {
                let unsigned = unsigned_name(from);
                let name = self.spelling.helper("ReverseBits");
                let text = format!("{name}<{unsigned}>({unsigned}({}))", texts[0].text);
                Text::primary(if from.is_signed() { format!("{spelled}({text})") } else { text })
            }
            M::BytePermute => call(self.spelling.helper("BytePermute"), texts),
            M::FunnelShiftLeft => call(self.spelling.helper("FunnelLeft"), texts),
            M::FunnelShiftRight => call(self.spelling.helper("FunnelRight"), texts),
            M::FunnelShiftLeftClamp => call(self.spelling.helper("FunnelLeftClamped"), texts),
            M::FunnelShiftRightClamp => call(self.spelling.helper("FunnelRightClamped"), texts),
            M::DotFourBytes => call(self.spelling.helper("DotFourBytes"), texts),
            M::Multiply24 => {
                let low = |text: &Text| {
                    let text = text.in_level(Level::Unary);
                    if from.is_signed() {
                        format!("(int32_t(uint32_t({text}) << 8) >> 8)")
                    } else {
                        format!("({text} & 0xffffffu)")
                    }
                };
                Text::at(format!("{} * {}", low(&texts[0]), low(&texts[1])), Level::Product)
            }
            M::AverageDown if to.size() <= 4 => Text::primary(format!(
                "{spelled}((int64_t({}) + int64_t({})) >> 1)",
                texts[0].text, texts[1].text
            )),
            M::AverageUp if to.size() <= 4 => Text::primary(format!(
                "{spelled}((int64_t({}) + int64_t({}) + 1) >> 1)",
                texts[0].text, texts[1].text
            )),
            M::SumOfAbsoluteDifference if to.size() <= 4 => {
                let (a, b) =
                    (format!("int64_t({})", texts[0].text), format!("int64_t({})", texts[1].text));
                let name = self.spelling.helper("AbsoluteValue");
                Text::primary(format!(
                    "uint32_t({name}<int64_t>({a} - {b}) + int64_t({}))",
                    texts[2].text
                ))
            }
            _ => return Ok(None),
        }))
    }

    /// A function on the scalar unit of the 910B: its own, or one element through the vector unit.
    fn scalar_function(&mut self, function: MathFunction, texts: &[Text]) -> Made {
        use MathFunction as M;
        let x = texts.first().map_or(String::new(), |text| text.text.clone());
        let y = texts.get(1).map_or(String::new(), |text| text.text.clone());
        let (name, arguments) = match function {
            M::SquareRoot => ("SquareRootOf", format!("scratch, {x}")),
            M::Exp => ("ExpOf", format!("scratch, {x}")),
            M::Exp2 => ("Exp2Of", format!("scratch, {x}")),
            M::Exp10 => ("Exp10Of", format!("scratch, {x}")),
            M::ExpMinusOne => ("ExpMinusOneOf", format!("scratch, {x}")),
            M::Log => ("LogOf", format!("scratch, {x}")),
            M::Log2 => ("Log2Of", format!("scratch, {x}")),
            M::Log10 => ("Log10Of", format!("scratch, {x}")),
            M::LogOnePlus => ("LogOnePlusOf", format!("scratch, {x}")),
            M::Tanh => ("TanhOf", format!("scratch, {x}")),
            M::Erf => ("ErfOf", format!("scratch, {x}")),
            M::Erfc => ("ErfcOf", format!("scratch, {x}")),
            M::Sin => ("SineOf", format!("{x}, 0")),
            M::Cos => ("SineOf", format!("{x}, 1")),
            M::SinPi => ("SineOfPi", format!("{x}, 0")),
            M::CosPi => ("SineOfPi", format!("{x}, 1")),
            M::Tan => {
                let name = self.spelling.helper("SineOf");
                return Ok(Text::at(format!("{name}({x}, 0) / {name}({x}, 1)"), Level::Product));
            }
            M::Atan => ("ArcTangentOf", x),
            M::Power => ("PowerOf", format!("scratch, {x}, {y}")),
            M::PowerInteger => ("PowerOf", format!("scratch, {x}, static_cast<float>({y})")),
            M::ScaleByPowerOfTwo => ("ScaleByTwo", format!("{x}, {y}")),
            M::FloatModulo => ("ModuloOf", format!("{x}, {y}")),
            M::Hypot => ("SquareRootOf", format!("scratch, ({x}) * ({x}) + ({y}) * ({y})")),
            M::PositiveDifference => {
                let name = self.spelling.helper("MaximumOrNan");
                return Ok(Text::primary(format!("{name}(({x}) - ({y}), 0.0f)")));
            }
            _ => return Err(no_function(function)),
        };
        let name = self.spelling.helper(name);
        Ok(Text::primary(format!("{name}({arguments})")))
    }
}

fn unsigned_name(scalar: Scalar) -> &'static str {
    match scalar.size() {
        1 => "uint8_t",
        2 => "uint16_t",
        4 => "uint32_t",
        _ => "uint64_t",
    }
}

fn no_function(function: MathFunction) -> NotTranslated {
    refuse(format!("it calls `{}`, which the chip does not have", function.name()))
}
