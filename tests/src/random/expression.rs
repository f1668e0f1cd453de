//! Random expressions whose value C++ defines: every integer expression knows the values it may
//! have, and what would overflow, divide by zero or leave a type's range is rewritten until it
//! cannot.

use super::Generator;
use super::scope::{Level, State, Value};
use super::tree::{Node, Part, Role};
use super::types::Type::{self, *};

const NONE: (i128, i128) = (0, 0);

/// What an expression is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// Operators that may nest.
    pub depth: u32,
    /// Who must agree on the value.
    pub level: Level,
}

impl Want {
    /// The same for an operand.
    fn less(self) -> Want {
        Want { depth: self.depth.saturating_sub(1), ..self }
    }
}

impl Generator {
    /// A value of any arithmetic type.
    pub fn number(&mut self, want: Want) -> Value {
        if self.random.below(10) < 6 { self.integer(want) } else { self.float(want) }
    }

    /// A value of exactly this type.
    pub fn exactly(&mut self, ty: Type, want: Want) -> Value {
        match ty {
            Bool => self.condition(want),
            F16 | BF16 => self.short_float(ty, want),
            F32 | F64 => {
                let value =
                    if self.random.one_in(6) { self.integer(want) } else { self.float(want) };
                self.cast(value, ty)
            }
            _ => {
                let value = if self.random.one_in(7) {
                    let value = self.float(want.less());
                    self.float_to_integer(value)
                } else {
                    self.integer(want)
                };
                self.cast(value, ty)
            }
        }
    }

    /// A value that converts to this type as it is assigned.
    pub fn assignable(&mut self, ty: Type, want: Want) -> Value {
        match ty {
            F16 | BF16 => self.short_float(ty, want),
            F32 | F64 => self.number(want),
            Bool => self.condition(want),
            _ if self.random.one_in(3) => self.exactly(ty, want),
            _ => self.integer(want),
        }
    }

    /// The value as a value of this type, by a cast in one of its spellings.
    pub fn cast(&mut self, value: Value, ty: Type) -> Value {
        if value.ty == ty {
            return value;
        }
        let from = value.ty;
        if matches!(from, F16 | BF16) {
            let call = if from == F16 { "__half2float(" } else { "__bfloat162float(" };
            let parts = vec![call.into(), value.node.into(), ")".into()];
            let float = Value::new(F32, NONE, value.level, 16, parts);
            return self.cast(float, ty);
        }
        if matches!(ty, F16 | BF16) {
            let float = self.cast(value, F32);
            let call = if ty == F16 { "__float2half(" } else { "__float2bfloat16(" };
            let parts = vec![call.into(), float.node.into(), ")".into()];
            return Value::new(ty, NONE, float.level, 16, parts);
        }
        if from.is_float() && ty.is_integer() && ty != Bool {
            let value = self.float_to_integer(value);
            return self.cast(value, ty);
        }
        let range = if ty.is_integer() && from.is_integer() {
            ty.converted(value.range)
        } else {
            ty_range(ty)
        };
        let name = ty.name();
        let level = value.level;
        match self.random.below(4) {
            0 => {
                let parts =
                    vec![format!("static_cast<{name}>(").into(), value.node.into(), ")".into()];
                Value::new(ty, range, level, 16, parts)
            }
            1 if !name.contains(' ') => {
                let parts = vec![format!("{name}(").into(), value.node.into(), ")".into()];
                Value::new(ty, range, level, 16, parts)
            }
            _ => {
                let parts = vec![format!("({name})").into(), value.at(15).into()];
                Value::new(ty, range, level, 15, parts)
            }
        }
    }

    /// A float as an integer, whatever it holds.
    fn float_to_integer(&mut self, value: Value) -> Value {
        let level = value.level;
        let double = value.ty == F64;
        let (ty, bound) = if double && self.random.one_in(3) {
            (I64, 1_000_000_000_000i128)
        } else {
            (I32, 1_000_000)
        };
        let limit = if double { format!("{bound}.0") } else { format!("{bound}.0f") };
        let (min, max) = if double { ("fmin", "fmax") } else { ("fminf", "fmaxf") };
        let clamped: Vec<Part> = vec![
            format!("{min}({max}(").into(),
            value.node.into(),
            format!(", -{limit}), {limit})").into(),
        ];
        let clamped = Value::new(value.ty, NONE, level, 16, clamped);
        let calls: &[(&str, Type)] = match (double, ty) {
            (false, _) => &[
                ("__float2int_rn", I32),
                ("__float2int_rz", I32),
                ("(int)", I32),
                ("(int)", I32),
                ("__float2int_rd", I32),
            ],
            (true, I64) => &[("__double2ll_rz", I64), ("(long long)", I64), ("llrint", I64)],
            (true, _) => &[("__double2int_rn", I32), ("(int)", I32), ("__double2int_rz", I32)],
        };
        let (call, ty) = self.random.pick(calls);
        Value::new(
            ty,
            (-bound, bound),
            level,
            15,
            vec![format!("{call}(").into(), clamped.node.into(), ")".into()],
        )
    }

    /// A truth value.
    pub fn condition(&mut self, want: Want) -> Value {
        let operand = want.less();
        if want.depth == 0
            && let Some(place) = self.place(|p| p.ty == Bool && p.level >= want.level)
        {
            return place;
        }
        match self.random.below(12) {
            0 if want.depth > 0 => {
                let value = self.condition(operand);
                Value::new(Bool, (0, 1), value.level, 15, vec!["!".into(), value.at(15).into()])
            }
            1 | 2 if want.depth > 0 => self.logic(operand),
            3 if want.depth > 0 => {
                let value = self.integer(operand);
                self.cast(value, Bool)
            }
            4 if want.depth > 0 => {
                let value = self.float(operand);
                let call = self.random.pick(&["isnan(", "isinf(", "isfinite("]);
                // What these give is a truth value, but of `int` for some libraries.
                let parts = vec!["(".into(), call.into(), value.node.into(), ") != 0)".into()];
                Value::new(Bool, (0, 1), value.level, 16, parts)
            }
            5 | 6 => {
                let (a, b) = (self.float(operand), self.number(operand));
                let (a, b) = if self.random.one_in(2) { (a, b) } else { (b, a) };
                self.comparison(a, b)
            }
            _ => {
                let (a, b) = (self.integer(operand), self.integer(operand));
                self.comparison(a, b)
            }
        }
    }

    fn logic(&mut self, operand: Want) -> Value {
        let (a, b) = (self.condition(operand), self.condition(operand));
        let (op, precedence) = self.random.pick(&[("&&", 5), ("||", 4)]);
        let level = a.level.min(b.level);
        let parts = vec![
            a.at(precedence + 1).into(),
            format!(" {op} ").into(),
            b.at(precedence + 1).into(),
        ];
        Value::new(Bool, (0, 1), level, precedence, parts)
    }

    fn comparison(&mut self, a: Value, b: Value) -> Value {
        let (op, precedence) =
            self.random.pick(&[("<", 10), (">", 10), ("<=", 10), (">=", 10), ("==", 9), ("!=", 9)]);
        let level = a.level.min(b.level);
        let parts = vec![a.at(11).into(), format!(" {op} ").into(), b.at(11).into()];
        Value::new(Bool, (0, 1), level, precedence, parts)
    }

    /// A value of any integer type, or a truth value.
    pub fn integer(&mut self, want: Want) -> Value {
        if want.depth == 0 || self.random.one_in(6) {
            return self.integer_leaf(want.level);
        }
        let operand = want.less();
        match self.random.below(25) {
            22 | 23 => {
                // The overload shows which type the operand has.
                let value = self.number(operand);
                let parts = vec!["kind_of(".into(), value.node.into(), ")".into()];
                Value::new(I32, (1, 14), value.level, 16, parts)
            }
            24 => {
                let value = self.integer(operand);
                let parts = vec!["same(".into(), value.node.into(), ")".into()];
                Value::new(value.ty, value.range, value.level, 16, parts)
            }
            0..=5 => {
                let op = self.random.pick(&["+", "-", "*", "+", "-"]);
                let (a, b) = (self.integer(operand), self.integer(operand));
                self.arithmetic(op, a, b)
            }
            6 | 7 => {
                let op = self.random.pick(&["/", "%"]);
                let (a, b) = (self.integer(operand), self.integer(operand));
                self.division(op, a, b)
            }
            8 | 9 => {
                let op = self.random.pick(&["&", "|", "^"]);
                let (a, b) = (self.integer(operand), self.integer(operand));
                self.bitwise(op, a, b)
            }
            10 | 11 => {
                let (a, b) = (self.integer(operand), self.integer(operand));
                self.shift(a, b)
            }
            12 => {
                let value = self.integer(operand);
                let ty = value.ty.promoted();
                let range = ty.converted((!value.range.1, !value.range.0));
                Value::new(ty, range, value.level, 15, vec!["~".into(), value.at(15).into()])
            }
            13 => {
                let value = self.integer(operand);
                let ty = value.ty.promoted();
                if ty.is_signed() && value.range.0 == ty.range().0 {
                    let zero = Value::atom(I32, (0, 0), Level::Block, "0");
                    return self.arithmetic("-", zero, value);
                }
                let range = ty.converted((-value.range.1, -value.range.0));
                // A space, so that no `--` arises.
                Value::new(ty, range, value.level, 15, vec!["- ".into(), value.at(15).into()])
            }
            14 | 15 => {
                let condition = self.condition(operand);
                let (a, b) = (self.integer(operand), self.integer(operand));
                self.choice(condition, a, b)
            }
            16 => {
                let value = self.integer(operand);
                let ty = self.random.pick(&Type::INTEGERS);
                self.cast(value, ty)
            }
            17 => self.condition(want),
            18 => self.intrinsic(operand),
            19 => {
                let ty = self.random.pick(&[I32, U32, I64, U64]);
                let (a, b) = (self.exactly(ty, operand), self.exactly(ty, operand));
                let level = a.level.min(b.level);
                let call = self.random.pick(&["min", "max"]);
                let range = if call == "min" {
                    (a.range.0.min(b.range.0), a.range.1.min(b.range.1))
                } else {
                    (a.range.0.max(b.range.0), a.range.1.max(b.range.1))
                };
                let parts =
                    vec![format!("{call}(").into(), a.into(), ", ".into(), b.into(), ")".into()];
                Value::new(ty, range, level, 16, parts)
            }
            20 => self
                .call(want, |ty| ty.is_integer())
                .unwrap_or_else(|| self.integer_leaf(want.level)),
            _ => {
                let value = self.float(operand);
                self.float_to_integer(value)
            }
        }
    }

    /// `a op b` for `+ - *`.
    pub fn arithmetic(&mut self, op: &str, a: Value, b: Value) -> Value {
        let ty = a.ty.common(b.ty);
        let level = a.level.min(b.level);
        let (ra, rb) = (ty.converted(a.range), ty.converted(b.range));
        let products = [(ra.0, rb.0), (ra.0, rb.1), (ra.1, rb.0), (ra.1, rb.1)]
            .map(|(a, b)| a.saturating_mul(b));
        let range = match op {
            "+" => (ra.0 + rb.0, ra.1 + rb.1),
            "-" => (ra.0 - rb.1, ra.1 - rb.0),
            _ => (products.into_iter().min().unwrap_or(0), products.into_iter().max().unwrap_or(0)),
        };
        let fits = ty.range().0 <= range.0 && range.1 <= ty.range().1;
        if !ty.is_signed() || fits {
            let precedence = if op == "*" { 13 } else { 12 };
            let range = ty.converted(range);
            let parts = vec![
                self.operand(a, precedence).into(),
                format!(" {op} ").into(),
                self.operand(b, precedence + 1).into(),
            ];
            return Value::new(ty, range, level, precedence, parts);
        }
        if self.random.one_in(2) {
            let wide = ty.unsigned();
            let (a, b) = (self.cast(a, wide), self.cast(b, wide));
            let value = self.arithmetic(op, a, b);
            return if self.random.one_in(3) { value } else { self.cast(value, ty) };
        }
        let bits = if op == "*" { ty.bits() / 2 - 1 } else { ty.bits() - 2 };
        let bits = 1 + self.random.below(bits as usize - 1) as u32;
        let (a, b) = (self.small(a, bits), self.small(b, bits));
        self.arithmetic(op, a, b)
    }

    /// An operand, sometimes in parentheses that are not needed.
    fn operand(&mut self, value: Value, precedence: u32) -> Node {
        let precedence = if self.random.one_in(4) { 17 } else { precedence };
        value.at(precedence)
    }

    /// The value cut to some bits, or a remainder.
    fn small(&mut self, value: Value, bits: u32) -> Value {
        let limit = (1i128 << bits) - 1;
        if value.range.0 >= -limit && value.range.1 <= limit {
            return value;
        }
        if self.random.one_in(3) && bits < 31 {
            let level = value.level;
            let ty = value.ty.common(I32);
            let low = if ty.is_signed() { -limit } else { 0 };
            let parts = vec![value.at(13).into(), format!(" % {}", limit + 1).into()];
            return Value::new(ty, (low, limit), level, 13, parts);
        }
        let literal = if bits < 31 { format!("{limit}") } else { format!("0x{limit:x}ll") };
        let ty = if bits < 31 { I32 } else { I64 };
        let mask = Value::atom(ty, (limit, limit), Level::Block, literal);
        self.bitwise("&", value, mask)
    }

    fn bitwise(&mut self, op: &str, a: Value, b: Value) -> Value {
        let ty = a.ty.common(b.ty);
        let level = a.level.min(b.level);
        let (ra, rb) = (ty.converted(a.range), ty.converted(b.range));
        let range = match op {
            "&" if rb.0 >= 0 && ra.0 >= 0 => (0, ra.1.min(rb.1)),
            "&" if rb.0 >= 0 => (0, rb.1),
            "&" if ra.0 >= 0 => (0, ra.1),
            "|" | "^" if ra.0 >= 0 && rb.0 >= 0 => {
                let top = ra.1.max(rb.1);
                (0, (1i128 << (128 - top.leading_zeros())) - 1)
            }
            _ => ty.range(),
        };
        let precedence = match op {
            "&" => 8,
            "^" => 7,
            _ => 6,
        };
        let parts = vec![a.at(11).into(), format!(" {op} ").into(), b.at(11).into()];
        Value::new(ty, range, level, precedence, parts)
    }

    fn division(&mut self, op: &str, a: Value, b: Value) -> Value {
        let ty = a.ty.common(b.ty);
        let level = a.level.min(b.level);
        let (ra, rb) = (ty.converted(a.range), ty.converted(b.range));
        let excludes_zero = rb.0 > 0 || rb.1 < 0;
        let traps = ty.is_signed() && ra.0 == ty.range().0 && rb.0 <= -1 && -1 <= rb.1;
        if excludes_zero && !traps {
            let corners = [ra.0 / rb.0, ra.0 / rb.1, ra.1 / rb.0, ra.1 / rb.1, 0];
            let largest = rb.0.abs().max(rb.1.abs()) - 1;
            let range = match op {
                "/" => {
                    (corners.into_iter().min().unwrap_or(0), corners.into_iter().max().unwrap_or(0))
                }
                _ => (if ra.0 < 0 { -largest } else { 0 }, if ra.1 > 0 { largest } else { 0 }),
            };
            let parts = vec![a.at(13).into(), format!(" {op} ").into(), b.at(14).into()];
            return Value::new(ty, ty.converted(range), level, 13, parts);
        }
        let random = self.random.below(5);
        if random < 2 {
            // A divisor of 1 to 64.
            let divisor = self.small(b, 6);
            let one = Value::atom(I32, (1, 1), Level::Block, "1");
            let magnitude = if divisor.range.0 < 0 {
                let mask = Value::atom(I32, (63, 63), Level::Block, "63");
                self.bitwise("&", divisor, mask)
            } else {
                divisor
            };
            let divisor = self.arithmetic("+", magnitude, one);
            return self.division(op, a, divisor);
        }
        if random == 2 {
            let divisor = self.random.pick(&[3i128, 7, 10, 16, 100, 641, 65_536]);
            let divisor = Value::atom(I32, (divisor, divisor), Level::Block, format!("{divisor}"));
            return self.division(op, a, divisor);
        }
        // The guarded division: only a place can be named twice.
        let Some(divisor) = self.place(|p| {
            p.ty.is_integer() && p.ty != Bool && p.level >= level && {
                let ty = a.ty.common(p.ty);
                !(ty.is_signed() && ty.converted(a.range).0 == ty.range().0 && p.range.0 < 0)
            }
        }) else {
            let divisor = Value::atom(I32, (5, 5), Level::Block, "5");
            return self.division(op, a, divisor);
        };
        let ty = a.ty.common(divisor.ty);
        let level = level.min(divisor.level);
        let test = self.random.pick(&["", " != 0"]);
        let parts = vec![
            divisor.node.clone().into(),
            format!("{test} ? ").into(),
            fixed(a.at(13)).into(),
            format!(" {op} ").into(),
            fixed(divisor.node).into(),
            " : 0".into(),
        ];
        let mut value = Value::new(ty.common(I32), ty.common(I32).range(), level, 2, parts);
        value.node.role = Role::Expression(value.ty, value.range);
        // The divisor's test and use must stay the same.
        freeze(&mut value.node);
        value
    }

    fn shift(&mut self, a: Value, b: Value) -> Value {
        let ty = a.ty.promoted();
        let level = a.level.min(b.level);
        let left = self.random.one_in(2);
        let width = i128::from(ty.bits());
        let (amount, most) = if self.random.one_in(2) {
            let amount = self.random.within(0, width - 1);
            (Value::atom(I32, (amount, amount), Level::Block, format!("{amount}")), amount)
        } else {
            let mask =
                Value::atom(I32, (width - 1, width - 1), Level::Block, format!("{}", width - 1));
            (self.bitwise("&", b, mask), width - 1)
        };
        let least = amount.range.0.max(0);
        if !left {
            let range = (
                (a.range.0 >> least).min(a.range.0 >> most),
                (a.range.1 >> least).max(a.range.1 >> most),
            );
            let parts = vec![self.operand(a, 11).into(), " >> ".into(), amount.at(12).into()];
            return Value::new(ty, range, level, 11, parts);
        }
        let range = (a.range.0, a.range.1.saturating_mul(1 << most));
        let fits = a.range.0 >= 0 && range.1 <= ty.range().1;
        let a = if ty.is_signed() && !fits { self.cast(a, ty.unsigned()) } else { a };
        let ty = a.ty.promoted();
        let range = if fits { (0, range.1) } else { ty.range() };
        let parts = vec![a.at(11).into(), " << ".into(), amount.at(12).into()];
        Value::new(ty, range, level, 11, parts)
    }

    fn choice(&mut self, condition: Value, a: Value, b: Value) -> Value {
        let ty = if a.ty == b.ty { a.ty } else { a.ty.common(b.ty) };
        let level = condition.level.min(a.level).min(b.level);
        let range = if ty.is_integer() {
            let (ra, rb) = (ty.converted(a.range), ty.converted(b.range));
            (ra.0.min(rb.0), ra.1.max(rb.1))
        } else {
            NONE
        };
        let parts = vec![
            condition.at(4).into(),
            " ? ".into(),
            a.at(3).into(),
            " : ".into(),
            b.at(2).into(),
        ];
        Value::new(ty, range, level, 2, parts)
    }

    fn intrinsic(&mut self, operand: Want) -> Value {
        let (name, parameters, result, range): (&str, &[Type], Type, (i128, i128)) =
            self.random.pick(&[
                ("__popc", &[U32][..], I32, (0, 32)),
                ("__popcll", &[U64], I32, (0, 64)),
                ("__clz", &[I32], I32, (0, 32)),
                ("__clzll", &[I64], I32, (0, 64)),
                ("__ffs", &[I32], I32, (0, 32)),
                ("__ffsll", &[I64], I32, (0, 64)),
                ("__brev", &[U32], U32, U32.range()),
                ("__brevll", &[U64], U64, U64.range()),
                ("__mulhi", &[I32, I32], I32, I32.range()),
                ("__umulhi", &[U32, U32], U32, U32.range()),
                ("__umul64hi", &[U64, U64], U64, U64.range()),
                ("__mul24", &[I32, I32], I32, I32.range()),
                ("__umul24", &[U32, U32], U32, U32.range()),
                ("__byte_perm", &[U32, U32, U32], U32, U32.range()),
                ("__funnelshift_l", &[U32, U32, U32], U32, U32.range()),
                ("__funnelshift_r", &[U32, U32, U32], U32, U32.range()),
                ("__sad", &[I32, I32, U32], U32, U32.range()),
                ("__hadd", &[I32, I32], I32, I32.range()),
                ("__uhadd", &[U32, U32], U32, U32.range()),
                ("__rhadd", &[I32, I32], I32, I32.range()),
                ("__usad", &[U32, U32, U32], U32, U32.range()),
            ]);
        let mut level = Level::Block;
        let mut parts: Vec<Part> = vec![format!("{name}(").into()];
        for (index, ty) in parameters.iter().enumerate() {
            let value = self.exactly(*ty, operand);
            level = level.min(value.level);
            parts.push(if index > 0 { ", ".into() } else { "".into() });
            parts.push(value.into());
        }
        parts.push(")".into());
        Value::new(result, range, level, 16, parts)
    }

    /// A call of a device function or lambda whose result is of a wanted type.
    fn call(&mut self, want: Want, wanted: fn(Type) -> bool) -> Option<Value> {
        let known: Vec<_> =
            self.callables.iter().filter(|callable| wanted(callable.result)).cloned().collect();
        if known.is_empty() || want.level > Level::Varying || !self.banned.is_empty() {
            return None;
        }
        let callable = self.random.pick(&known);
        let mut parts: Vec<Part> = vec![format!("{}(", callable.text).into()];
        for (index, ty) in callable.parameters.iter().enumerate() {
            parts.push(if index > 0 { ", ".into() } else { "".into() });
            parts.push(self.assignable(*ty, want.less()).into());
        }
        parts.push(")".into());
        Some(Value::new(callable.result, callable.result.range(), Level::Varying, 16, parts))
    }

    /// A place that is in scope, not banned, and fits.
    pub fn place(&mut self, fits: impl Fn(&super::scope::Place) -> bool) -> Option<Value> {
        let banned = &self.banned;
        let known: Vec<_> =
            self.places.iter().filter(|p| !banned.contains(&p.variable) && fits(p)).collect();
        if known.is_empty() {
            return None;
        }
        // The newest are the likeliest, so that values flow on.
        let index = self.random.below(known.len()).max(self.random.below(known.len()));
        let place = known[index];
        Some(Value::atom(place.ty, place.range, place.level, place.text.clone()))
    }

    fn integer_leaf(&mut self, level: Level) -> Value {
        match self.random.below(10) {
            0..=4 => {
                if let Some(place) = self.place(|p| p.ty.is_integer() && p.level >= level) {
                    return place;
                }
            }
            5 | 6 => {
                if let Some(element) = self.element(level, |ty| ty.is_integer()) {
                    return element;
                }
            }
            7 => return self.index_leaf(level),
            _ => {}
        }
        self.integer_literal()
    }

    /// Thread and block indices.
    fn index_leaf(&mut self, level: Level) -> Value {
        let axis = self.random.below(3);
        let name = ["x", "y", "z"][axis];
        let (block, grid) = (i128::from(self.block[axis]), i128::from(self.grid[axis]));
        // A device function is called by blocks of any size.
        let (least_block, least_grid) = if self.in_kernel { (block, grid) } else { (1, 1) };
        match (level, self.random.below(5)) {
            (_, 0) => Value::atom(U32, (0, grid - 1), Level::Block, format!("blockIdx.{name}")),
            (_, 1) => {
                Value::atom(U32, (least_block, block), Level::Block, format!("blockDim.{name}"))
            }
            (_, 2) => Value::atom(U32, (least_grid, grid), Level::Block, format!("gridDim.{name}")),
            (Level::Varying, _) => {
                Value::atom(U32, (0, block - 1), Level::Varying, format!("threadIdx.{name}"))
            }
            _ => Value::atom(U32, (0, grid - 1), Level::Block, format!("blockIdx.{name}")),
        }
    }

    fn integer_literal(&mut self) -> Value {
        let (ty, value, text) = match self.random.below(12) {
            0..=4 => {
                let value = self.random.within(0, 9);
                (I32, value, format!("{value}"))
            }
            5 => {
                let value = self.random.within(0, 65_535);
                (I32, value, format!("0x{value:x}"))
            }
            6 => {
                let value = i128::from(self.random.bits() as u32);
                (
                    U32,
                    value,
                    if self.random.one_in(2) {
                        format!("{value}u")
                    } else {
                        format!("0x{value:x}u")
                    },
                )
            }
            7 => {
                let value = self.random.pick(&[2_147_483_647i128, 255, 256, 32_767, 65_535, 128]);
                (I32, value, format!("{value}"))
            }
            8 => {
                let value = i128::from(self.random.bits() >> 1);
                (I64, value, format!("{value}ll"))
            }
            9 => {
                let value = i128::from(self.random.bits());
                (U64, value, format!("0x{value:X}ull"))
            }
            10 => {
                // A hexadecimal literal takes the first type that holds it.
                let value = i128::from(self.random.bits() as u32 | 0x8000_0000);
                (U32, value, format!("0x{value:x}"))
            }
            _ => {
                let value = self.random.within(1, 200);
                let text = format!("(-{value})");
                (I32, -value, text)
            }
        };
        Value::atom(ty, (value, value), Level::Block, text)
    }

    /// An index below `extent`.
    pub fn index(&mut self, extent: u32, level: Level) -> Value {
        let last = i128::from(extent) - 1;
        if self.random.one_in(4) {
            let place = self.place(|p| {
                p.ty.is_integer()
                    && p.ty != Bool
                    && p.level >= level
                    && p.range.0 >= 0
                    && p.range.1 <= last
            });
            if let Some(place) = place {
                return place;
            }
        }
        if self.random.one_in(6) {
            let value = self.random.within(0, last);
            return Value::atom(I32, (value, value), Level::Block, format!("{value}"));
        }
        let depth = self.random.below(2) as u32;
        let value = self.integer(Want { depth, level });
        if value.range.0 >= 0 && value.range.1 <= last {
            return value;
        }
        if extent.is_power_of_two() && self.random.one_in(2) {
            let mask = Value::atom(I32, (last, last), Level::Block, format!("{last}"));
            return self.bitwise("&", value, mask);
        }
        let wide = if self.random.one_in(4) { U64 } else { U32 };
        let value = if wide == U64 && self.random.one_in(2) {
            // `size_t` is `unsigned long`, of the same values; an index shows no difference.
            let level = value.level;
            let value = self.cast(value, U64);
            Value::new(U64, value.range, level, 15, vec!["(size_t)".into(), value.at(15).into()])
        } else {
            self.cast(value, wide)
        };
        let extent = Value::atom(U32, (last + 1, last + 1), Level::Block, format!("{extent}u"));
        self.division("%", value, extent)
    }

    /// An element of an array, or of a shared array that may be read now.
    pub fn element(&mut self, level: Level, wanted: fn(Type) -> bool) -> Option<Value> {
        let banned = &self.banned;
        let mut known: Vec<(String, Vec<u32>, Type, bool)> = Vec::new();
        for array in &self.arrays {
            if wanted(array.ty)
                && !banned.contains(&array.variable)
                && !(array.own && level > Level::Varying)
            {
                known.push((array.text.clone(), array.extents.clone(), array.ty, array.own));
            }
        }
        for shared in self
            .shared
            .iter()
            .filter(|shared| wanted(shared.ty) && !banned.contains(&shared.variable))
        {
            match shared.state {
                State::Read => {
                    for _ in 0..3 {
                        known.push((shared.name.clone(), shared.extents.clone(), shared.ty, false));
                    }
                }
                State::Own if level == Level::Varying => {
                    known.push((shared.own.clone(), Vec::new(), shared.ty, true));
                }
                _ => {}
            }
        }
        if known.is_empty() {
            return None;
        }
        let (text, extents, ty, own) = self.random.pick(&known);
        let mut parts: Vec<Part> = vec![text.into()];
        let mut agreed = if own { Level::Varying } else { Level::Block };
        for extent in extents {
            let index = self.index(extent, level);
            agreed = agreed.min(index.level);
            parts.extend(["[".into(), index.into(), "]".into()]);
        }
        Some(Value::new(ty, ty.range(), agreed, 16, parts))
    }

    /// A `float` or `double`.
    pub fn float(&mut self, want: Want) -> Value {
        if want.depth == 0 || self.random.one_in(6) {
            return self.float_leaf(want.level);
        }
        let operand = want.less();
        match self.random.below(16) {
            0..=5 => {
                let (op, precedence) = self.random.pick(&[
                    ("+", 12),
                    ("-", 12),
                    ("*", 13),
                    ("/", 13),
                    ("*", 13),
                    ("+", 12),
                ]);
                let (a, b) = (self.float(operand), self.number(operand));
                let (a, b) = if self.random.one_in(2) { (a, b) } else { (b, a) };
                let ty = a.ty.common(b.ty);
                let level = a.level.min(b.level);
                let parts = vec![
                    self.operand(a, precedence).into(),
                    format!(" {op} ").into(),
                    self.operand(b, precedence + 1).into(),
                ];
                Value::new(ty, NONE, level, precedence, parts)
            }
            6 => {
                let value = self.float(operand);
                Value::new(value.ty, NONE, value.level, 15, vec!["- ".into(), value.at(15).into()])
            }
            7 => {
                let condition = self.condition(operand);
                let (a, b) = (self.float(operand), self.number(operand));
                let (a, b) = if self.random.one_in(2) { (a, b) } else { (b, a) };
                self.choice(condition, a, b)
            }
            8 | 9 => self.fused(operand),
            10..=12 => self.float_function(operand),
            13 => {
                let value = self.number(operand);
                let ty = self.random.pick(&[F32, F64]);
                self.cast(value, ty)
            }
            14 => {
                if let Some(call) = self.call(want, |ty| ty.is_float()) {
                    return call;
                }
                self.float_leaf(want.level)
            }
            _ => {
                let ty = self.random.pick(&[F16, BF16]);
                let value = self.short_float(ty, operand);
                self.cast(value, F32)
            }
        }
    }

    fn fused(&mut self, operand: Want) -> Value {
        let (call, ty) =
            self.random.pick(&[("fmaf", F32), ("fmaf", F32), ("fma", F64), ("__fmaf_rn", F32)]);
        let values =
            [self.exactly(ty, operand), self.exactly(ty, operand), self.exactly(ty, operand)];
        let level = values.iter().map(|value| value.level).min().unwrap_or(Level::Block);
        let mut parts: Vec<Part> = vec![format!("{call}(").into()];
        for (index, value) in values.into_iter().enumerate() {
            parts.push(if index > 0 { ", ".into() } else { "".into() });
            parts.push(value.into());
        }
        parts.push(")".into());
        Value::new(ty, NONE, level, 16, parts)
    }

    fn float_function(&mut self, operand: Want) -> Value {
        let (name, parameters, ty): (&str, usize, Type) = self.random.pick(&[
            ("fabsf", 1, F32),
            ("sqrtf", 1, F32),
            ("floorf", 1, F32),
            ("ceilf", 1, F32),
            ("truncf", 1, F32),
            ("rintf", 1, F32),
            ("roundf", 1, F32),
            ("expf", 1, F32),
            ("sinf", 1, F32),
            ("tanhf", 1, F32),
            ("log1pf", 1, F32),
            ("fminf", 2, F32),
            ("fmaxf", 2, F32),
            ("fmodf", 2, F32),
            ("min", 2, F32),
            ("max", 2, F32),
            ("__fadd_rn", 2, F32),
            ("__fmul_rn", 2, F32),
            ("__fdiv_rn", 2, F32),
            ("__fsqrt_rn", 1, F32),
            ("rsqrtf", 1, F32),
            ("__saturatef", 1, F32),
            ("fabs", 1, F64),
            ("sqrt", 1, F64),
            ("floor", 1, F64),
            ("fmin", 2, F64),
            ("fmax", 2, F64),
            ("exp", 1, F64),
        ]);
        let mut level = Level::Block;
        let mut parts: Vec<Part> = vec![format!("{name}(").into()];
        for index in 0..parameters {
            let value = self.exactly(ty, operand);
            level = level.min(value.level);
            parts.push(if index > 0 { ", ".into() } else { "".into() });
            parts.push(value.into());
        }
        parts.push(")".into());
        Value::new(ty, NONE, level, 16, parts)
    }

    fn float_leaf(&mut self, level: Level) -> Value {
        match self.random.below(10) {
            0..=4 => {
                if let Some(place) = self.place(|p| p.ty.is_float() && p.level >= level) {
                    return place;
                }
            }
            5..=7 => {
                if let Some(element) = self.element(level, |ty| ty.is_float()) {
                    return element;
                }
            }
            _ => {}
        }
        let (ty, text) = self.random.pick(&[
            (F32, "1.5f"),
            (F32, "0.1f"),
            (F32, "3.0f"),
            (F64, "0.3"),
            (F64, "2.0"),
            (F32, "1e-3f"),
            (F32, "0x1.8p3f"),
            (F32, "16777216.f"),
            (F32, ".25f"),
            (F64, "1e10"),
            (F32, "1e-40f"),
        ]);
        Value::atom(ty, NONE, Level::Block, text)
    }

    /// A `__half` or `__nv_bfloat16`.
    pub fn short_float(&mut self, ty: Type, want: Want) -> Value {
        let half = ty == F16;
        if want.depth == 0 || self.random.one_in(5) {
            if let Some(place) = self.place(|p| p.ty == ty && p.level >= want.level) {
                return place;
            }
            let found = if half {
                self.element(want.level, |ty| ty == F16)
            } else {
                self.element(want.level, |ty| ty == BF16)
            };
            if let Some(element) = found {
                return element;
            }
            let value = self.float_leaf(want.level);
            return self.cast(value, ty);
        }
        let operand = want.less();
        match self.random.below(8) {
            0..=2 => {
                let (a, b) = (self.short_float(ty, operand), self.short_float(ty, operand));
                let (op, precedence) =
                    self.random.pick(&[("+", 12), ("-", 12), ("*", 13), ("/", 13)]);
                let level = a.level.min(b.level);
                let parts = vec![
                    a.at(precedence).into(),
                    format!(" {op} ").into(),
                    b.at(precedence + 1).into(),
                ];
                Value::new(ty, NONE, level, precedence, parts)
            }
            3 | 4 => {
                let (a, b) = (self.short_float(ty, operand), self.short_float(ty, operand));
                let call = self.random.pick(&["__hadd", "__hmul", "__hsub", "__hmax", "__hmin"]);
                let level = a.level.min(b.level);
                let parts =
                    vec![format!("{call}(").into(), a.into(), ", ".into(), b.into(), ")".into()];
                Value::new(ty, NONE, level, 16, parts)
            }
            5 => {
                let values = [
                    self.short_float(ty, operand),
                    self.short_float(ty, operand),
                    self.short_float(ty, operand),
                ];
                let level = values.iter().map(|value| value.level).min().unwrap_or(Level::Block);
                let [a, b, c] = values;
                let parts = vec![
                    "__hfma(".into(),
                    a.into(),
                    ", ".into(),
                    b.into(),
                    ", ".into(),
                    c.into(),
                    ")".into(),
                ];
                Value::new(ty, NONE, level, 16, parts)
            }
            _ => {
                let value = self.float(operand);
                self.cast(value, ty)
            }
        }
    }
}

/// The values of a type, of no meaning for floats.
fn ty_range(ty: Type) -> (i128, i128) {
    if ty.is_integer() { ty.range() } else { NONE }
}

/// The node, not to be made smaller at its root.
fn fixed(node: Node) -> Node {
    Node::new(Role::Text, vec![node.into()])
}

/// The node as text.
fn freeze(node: &mut Node) {
    let role = node.role;
    let text = node.text();
    node.parts = vec![Part::Text(text.trim().to_owned())];
    node.role = role;
}
