//! Registers of PTX as variables of C++, and values read from and written to them as a type of PTX.

use std::collections::HashMap;

use super::parse::{Operand, integer};
use super::{AsmOperand, Role};

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `h`
    Word16,
    /// `r`
    Word32,
    /// `l`
    Word64,
    /// `f`
    Float,
    /// `d`
    Double,
    /// `b`, and registers of the type `pred`.
    Predicate,
    /// A pointer that stays one, so that it is known what it points into.
    Pointer,
}

impl Kind {
    /// The type of the variable.
    pub fn spelling(self) -> &'static str {
        match self {
            Kind::Word16 => "unsigned short",
            Kind::Word32 => "unsigned",
            Kind::Word64 => "unsigned long long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Predicate => "bool",
            Kind::Pointer => "char *",
        }
    }
}

/// A type of PTX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Unsigned(u32),
    Signed(u32),
    /// Bits without meaning.
    Bits(u32),
    F32,
    F64,
    F16,
    Bf16,
    F16x2,
    Bf16x2,
    Predicate,
}

impl Type {
    pub(super) fn of(suffix: &str) -> Option<Type> {
        let width = |digits: &str| match digits {
            "8" => Some(8),
            "16" => Some(16),
            "32" => Some(32),
            "64" => Some(64),
            _ => None,
        };
        Some(match suffix {
            "f32" => Type::F32,
            "f64" => Type::F64,
            "f16" => Type::F16,
            "bf16" => Type::Bf16,
            "f16x2" => Type::F16x2,
            "bf16x2" => Type::Bf16x2,
            "pred" => Type::Predicate,
            _ => match suffix.split_at_checked(1)? {
                ("u", digits) => Type::Unsigned(width(digits)?),
                ("s", digits) => Type::Signed(width(digits)?),
                ("b", digits) => Type::Bits(width(digits)?),
                _ => return None,
            },
        })
    }

    /// In C++.
    pub(super) fn spelling(self) -> &'static str {
        match self {
            Type::Unsigned(8) | Type::Bits(8) => "unsigned char",
            Type::Unsigned(16) | Type::Bits(16) => "unsigned short",
            Type::Unsigned(64) | Type::Bits(64) => "unsigned long long",
            Type::Unsigned(_) | Type::Bits(_) => "unsigned",
            Type::Signed(8) => "signed char",
            Type::Signed(16) => "short",
            Type::Signed(64) => "long long",
            Type::Signed(_) => "int",
            Type::F32 => "float",
            Type::F64 => "double",
            Type::F16 => "__half",
            Type::Bf16 => "__nv_bfloat16",
            Type::F16x2 => "__half2",
            Type::Bf16x2 => "__nv_bfloat162",
            Type::Predicate => "bool",
        }
    }

    pub(super) fn bits(self) -> u32 {
        match self {
            Type::Unsigned(bits) | Type::Signed(bits) | Type::Bits(bits) => bits,
            Type::F64 => 64,
            Type::F16 | Type::Bf16 => 16,
            Type::F32 | Type::F16x2 | Type::Bf16x2 => 32,
            Type::Predicate => 1,
        }
    }

    pub(super) fn is_integer(self) -> bool {
        matches!(self, Type::Unsigned(_) | Type::Signed(_) | Type::Bits(_))
    }

    pub(super) fn is_signed(self) -> bool {
        matches!(self, Type::Signed(_))
    }

    pub(super) fn is_half(self) -> bool {
        matches!(self, Type::F16 | Type::Bf16)
    }

    pub(super) fn is_pair(self) -> bool {
        matches!(self, Type::F16x2 | Type::Bf16x2)
    }
}

/// The registers of one text.
pub(super) struct Registers<'a> {
    operands: &'a [AsmOperand],
    declared: HashMap<String, Kind>,
    carry: bool,
}

impl<'a> Registers<'a> {
    pub(super) fn new(operands: &'a [AsmOperand]) -> Self {
        Registers { operands, declared: HashMap::new(), carry: false }
    }

    /// The carry flag is read or written.
    pub(super) fn carry(&mut self) -> &'static str {
        self.carry = true;
        "carry"
    }

    pub(super) fn uses_carry(&self) -> bool {
        self.carry
    }

    /// The declaration of a register.
    pub(super) fn declare(&mut self, ty: &str, name: &str) -> Option<String> {
        let kind = match Type::of(ty)? {
            Type::F32 => Kind::Float,
            Type::F64 => Kind::Double,
            Type::Predicate => Kind::Predicate,
            ty => match ty.bits() {
                64 => Kind::Word64,
                32 => Kind::Word32,
                _ => Kind::Word16,
            },
        };
        // The scopes of a text may declare a name again; its old value is not needed then.
        if let Some(known) = self.declared.get(name) {
            return (*known == kind).then(String::new);
        }
        self.declared.insert(name.to_string(), kind);
        Some(format!("  {} {};\n", kind.spelling(), variable(name)))
    }

    /// What a register holds, and the variable that it is.
    pub(super) fn register(&self, operand: &Operand) -> Option<(Kind, String)> {
        match operand {
            Operand::Placeholder(index) => match self.operands.get(*index)?.role {
                Role::Output(kind) | Role::Input(kind) => Some((kind, format!("o{index}"))),
                Role::Constant(_) => None,
            },
            Operand::Name(name) => {
                let kind = self.declared.get(name)?;
                Some((*kind, variable(name)))
            }
            _ => None,
        }
    }

    /// A number in the text.
    pub(super) fn number(&self, operand: &Operand) -> Option<i64> {
        match operand {
            Operand::Placeholder(index) => match self.operands.get(*index)?.role {
                Role::Constant(value) => i64::try_from(value).ok(),
                _ => None,
            },
            Operand::Number(text) => integer(text),
            _ => None,
        }
    }

    /// A small count: a number, or a register that holds a constant.
    pub(super) fn amount(&self, operand: &Operand) -> Option<String> {
        match self.number(operand) {
            Some(count) => (0..=64).contains(&count).then(|| count.to_string()),
            None => self.read(operand, Type::Unsigned(32)),
        }
    }

    /// An operand as a value of a type.
    pub(super) fn read(&self, operand: &Operand, ty: Type) -> Option<String> {
        let to = ty.spelling();
        if let Some((kind, name)) = self.register(operand) {
            return Some(match (kind, ty) {
                (Kind::Predicate, Type::Predicate)
                | (Kind::Float, Type::F32)
                | (Kind::Double, Type::F64) => name,
                (Kind::Predicate, _) | (_, Type::Predicate) => return None,
                (Kind::Pointer, ty) if ty.is_integer() => {
                    format!("({to})(unsigned long long)({name})")
                }
                (Kind::Float | Kind::Double, ty) if ty.is_integer() => {
                    let (word, bits) = if kind == Kind::Float {
                        ("unsigned", 32)
                    } else {
                        ("unsigned long long", 64)
                    };
                    let whole = format!("__builtin_bit_cast({word}, {name})");
                    match ty {
                        Type::Unsigned(width) | Type::Bits(width) if width == bits => whole,
                        _ => format!("({to}){whole}"),
                    }
                }
                (Kind::Word16 | Kind::Word32 | Kind::Word64, ty) if ty.is_integer() => {
                    if kind.spelling() == to { name } else { format!("({to})({name})") }
                }
                (Kind::Word16, Type::F16 | Type::Bf16)
                | (Kind::Word32, Type::F32 | Type::F16x2 | Type::Bf16x2)
                | (Kind::Word64, Type::F64) => format!("__builtin_bit_cast({to}, {name})"),
                (Kind::Word32, Type::F16 | Type::Bf16) => {
                    format!("__builtin_bit_cast({to}, (unsigned short)({name}))")
                }
                (Kind::Float, Type::F16x2 | Type::Bf16x2) => {
                    format!("__builtin_bit_cast({to}, {name})")
                }
                _ => return None,
            });
        }
        match operand {
            Operand::Negated(inner) if ty == Type::Predicate => {
                Some(format!("!{}", self.read(inner, ty)?))
            }
            Operand::Negated(inner) => Some(format!("-({})", self.read(inner, ty)?)),
            Operand::Name(name) => special(name, ty),
            Operand::Number(text) => self.literal(text, ty),
            Operand::Placeholder(_) => {
                let value = self.number(operand)?;
                self.literal(&value.to_string(), ty)
            }
            Operand::Vector(parts) => self.packed(parts, ty),
            _ => None,
        }
    }

    fn literal(&self, text: &str, ty: Type) -> Option<String> {
        let to = ty.spelling();
        if let Some(digits) = text.strip_prefix("0f").or_else(|| text.strip_prefix("0F")) {
            let bits = u32::from_str_radix(digits, 16).ok()?;
            return match ty {
                Type::F32 => Some(format!("__builtin_bit_cast(float, {bits}u)")),
                Type::Bits(32) => Some(format!("{bits}u")),
                _ => None,
            };
        }
        if let Some(digits) = text.strip_prefix("0d").or_else(|| text.strip_prefix("0D")) {
            let bits = u64::from_str_radix(digits, 16).ok()?;
            return match ty {
                Type::F64 => Some(format!("__builtin_bit_cast(double, {bits}ull)")),
                Type::Bits(64) => Some(format!("{bits}ull")),
                _ => None,
            };
        }
        if let Some(value) = integer(text) {
            return match ty {
                ty if ty.is_integer() => match i32::try_from(value) {
                    Ok(_) if value >= 0 => Some(format!("({to})({value}ll)")),
                    _ => Some(format!("({to})({}ull)", value as u64)),
                },
                Type::Predicate => Some((value != 0).to_string()),
                Type::F32 | Type::F64 => Some(format!("({to})({value}.0)")),
                _ => None,
            };
        }
        let value: f64 = text.parse().ok()?;
        match ty {
            Type::F32 | Type::F64 if value.is_finite() => Some(format!("({to})({value:?})")),
            _ => None,
        }
    }

    /// `{low, high}` as one value.
    fn packed(&self, parts: &[Operand], ty: Type) -> Option<String> {
        let count = parts.len() as u32;
        if !matches!(count, 2 | 4) {
            return None;
        }
        let width = ty.bits() / count;
        let whole = Type::Unsigned(ty.bits());
        let mut sum = Vec::new();
        for (index, part) in (0u32..).zip(parts) {
            let value = self.read(part, Type::Unsigned(width))?;
            sum.push(format!("(({})({value}) << {})", whole.spelling(), index * width));
        }
        let bits = format!("({})", sum.join(" | "));
        Some(match ty {
            ty if ty.is_integer() => format!("({}){bits}", ty.spelling()),
            ty => format!("__builtin_bit_cast({}, {bits})", ty.spelling()),
        })
    }

    /// A truth value.
    pub(super) fn predicate(&self, operand: &Operand) -> Option<String> {
        self.read(operand, Type::Predicate)
    }

    /// The statement that writes a value of a type.
    pub(super) fn write(&self, operand: &Operand, ty: Type, value: &str) -> Option<String> {
        match operand {
            Operand::Sink => return Some(format!("(void)({value});")),
            Operand::Vector(parts) => return self.unpack(parts, ty, value),
            _ => {}
        }
        let (kind, name) = self.register(operand)?;
        let word = kind.spelling();
        Some(match (kind, ty) {
            (Kind::Predicate, Type::Predicate)
            | (Kind::Float, Type::F32)
            | (Kind::Double, Type::F64) => format!("{name} = {value};"),
            (Kind::Word16 | Kind::Word32 | Kind::Word64, ty) if ty.is_integer() => {
                if word == ty.spelling() {
                    format!("{name} = {value};")
                } else {
                    format!("{name} = ({word})({value});")
                }
            }
            (Kind::Float, ty) if ty.is_integer() && ty.bits() == 32 => {
                format!("{name} = __builtin_bit_cast(float, (unsigned)({value}));")
            }
            (Kind::Double, ty) if ty.is_integer() && ty.bits() == 64 => {
                format!("{name} = __builtin_bit_cast(double, (unsigned long long)({value}));")
            }
            (Kind::Word16, Type::F16 | Type::Bf16)
            | (Kind::Word32, Type::F32 | Type::F16x2 | Type::Bf16x2)
            | (Kind::Word64, Type::F64)
            | (Kind::Float, Type::F16x2 | Type::Bf16x2) => {
                format!("{name} = __builtin_bit_cast({word}, {value});")
            }
            (Kind::Word32, Type::F16 | Type::Bf16) => {
                format!("{name} = __builtin_bit_cast(unsigned short, {value});")
            }
            _ => return None,
        })
    }

    /// The statements that write the parts of a value, the lowest first.
    fn unpack(&self, parts: &[Operand], ty: Type, value: &str) -> Option<String> {
        let count = parts.len() as u32;
        if !matches!(count, 2 | 4) {
            return None;
        }
        let width = ty.bits() / count;
        let word = Type::Unsigned(ty.bits()).spelling();
        let bits = match ty.is_integer() {
            true => format!("({word})({value})"),
            false => format!("__builtin_bit_cast({word}, {value})"),
        };
        let mut code = format!("{word} whole = {bits};");
        for (index, part) in (0u32..).zip(parts) {
            let shifted = format!("(whole >> {})", index * width);
            let part_type = Type::Unsigned(width);
            let value = format!("({}){shifted}", part_type.spelling());
            code.push(' ');
            code.push_str(&self.write(part, part_type, &value)?);
        }
        Some(code)
    }

    /// The place that an address means, as a pointer to `element` (with its qualifiers).
    pub(super) fn pointer(&self, operand: &Operand, space: Space, element: &str) -> Option<String> {
        let Operand::Address(base, offset) = operand else { return None };
        let offset = match offset {
            0 => String::new(),
            offset => format!(" + ({offset}ll)"),
        };
        let base = match self.register(base) {
            Some((Kind::Pointer, name)) => name,
            _ => match space {
                Space::Shared => {
                    let address = self.read(base, Type::Unsigned(32))?;
                    format!("(char *)__cvta_shared_to_generic({address})")
                }
                Space::Generic => {
                    let address = self.read(base, Type::Unsigned(64))?;
                    format!("(char *)({address})")
                }
            },
        };
        Some(format!("(({element} *)({base}{offset}))"))
    }
}

/// How an address is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// An offset into the block's shared window.
    Shared,
    /// An address.
    Generic,
}

/// The variable that a declared register is.
fn variable(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("r_{plain}")
}

/// A special register.
fn special(name: &str, ty: Type) -> Option<String> {
    let value = match name {
        "laneid" => "__port_lane()",
        "warpid" => "__port_warp()",
        "nwarpid" => "((blockDim.x * blockDim.y * blockDim.z + warpSize - 1) / warpSize)",
        // Blocks may all run on one multiprocessor.
        "smid" | "gridid" => "0u",
        "nsmid" => "1u",
        "WARP_SZ" => "(unsigned)warpSize",
        "lanemask_lt" => "__port_lane_mask_lt()",
        "lanemask_le" => "__port_lane_mask_le()",
        "lanemask_gt" => "__port_lane_mask_gt()",
        "lanemask_ge" => "__port_lane_mask_ge()",
        "lanemask_eq" => "__port_lane_mask_eq()",
        "tid.x" => "threadIdx.x",
        "tid.y" => "threadIdx.y",
        "tid.z" => "threadIdx.z",
        "ntid.x" => "blockDim.x",
        "ntid.y" => "blockDim.y",
        "ntid.z" => "blockDim.z",
        "ctaid.x" => "blockIdx.x",
        "ctaid.y" => "blockIdx.y",
        "ctaid.z" => "blockIdx.z",
        "nctaid.x" => "gridDim.x",
        "nctaid.y" => "gridDim.y",
        "nctaid.z" => "gridDim.z",
        "cluster_ctarank" => "__port_cluster_rank()",
        "cluster_nctarank" => "__port_cluster_size()",
        "dynamic_smem_size" => "__port_dynamic_shared_size()",
        "clock" | "clock_lo" => "(unsigned)clock()",
        "clock64" => "(unsigned long long)clock64()",
        "clock_hi" => "(unsigned)(clock64() >> 32)",
        "globaltimer" => "__port_nanoseconds()",
        "globaltimer_lo" => "(unsigned)__port_nanoseconds()",
        "globaltimer_hi" => "(unsigned)(__port_nanoseconds() >> 32)",
        _ => return None,
    };
    ty.is_integer().then(|| format!("({})({value})", ty.spelling()))
}
