//! What a row has once, as C++ of the scalar unit: places, lengths, results of reductions and what is
//! computed from them.

use std::collections::{BTreeMap, BTreeSet};

use port_backend::text::names::Names;
use port_ir::{
    Axis, Builtin, Conversion, FloatOp, Function, IntegerOp, MathFunction, Module, Scalar, Type,
    UnaryOp,
};

use super::execute::Result;
use super::graph::{Base, Graph, Id, Op};
use crate::code::{cast_mode, cpp, float_text, refuse};
use crate::host::text::camel_case;
use crate::kernel::TilingField;

/// Names and texts of what a kernel has once for each row, or once.
pub(super) struct Scalars<'s> {
    pub module: &'s Module,
    pub function: &'s Function,
    pub names: Names,
    pub tiling: Vec<TilingField>,
    /// Members that hold a value.
    pub members: BTreeMap<Id, String>,
    /// Members of reductions.
    pub totals: BTreeMap<u32, String>,
    /// Tensors of global memory, by base and element.
    pub tensors: BTreeMap<(Base, Scalar), String>,
    /// The first use of each builtin, as a text.
    pub is_host: bool,
    /// Whether work space for a function is needed.
    pub functions: bool,
    pub builtins: BTreeSet<Builtin>,
    /// Whether warps are groups.
    pub has_warps: bool,
}

/// Deeper texts are not written.
const MAX_DEPTH: u32 = 48;

impl Scalars<'_> {
    fn field(&mut self, wish: &str, ty: &str, value: &str, comment: &str) -> String {
        if let Some(known) = self.tiling.iter().find(|f| f.value == value && f.ty == ty) {
            return format!("tiling_.{}", known.name);
        }
        let name = self.names.fresh(wish);
        self.tiling.push(TilingField {
            ty: ty.to_owned(),
            name: name.clone(),
            value: value.to_owned(),
            comment: comment.to_owned(),
        });
        format!("tiling_.{name}")
    }

    /// A value as C++; integers are `int64_t`.
    pub fn text(&mut self, graph: &Graph, id: Id) -> Result<String> {
        self.deep(graph, id, 0)
    }

    /// As a factor or operand.
    pub fn operand(&mut self, graph: &Graph, id: Id) -> Result<String> {
        let text = self.deep(graph, id, 0)?;
        Ok(wrapped(&text))
    }

    fn deep(&mut self, graph: &Graph, id: Id, depth: u32) -> Result<String> {
        if depth > MAX_DEPTH {
            return Err(refuse("a scalar is computed in too many steps"));
        }
        if !self.is_host
            && let Some(member) = self.members.get(&id)
        {
            return Ok(member.clone());
        }
        let node = graph.node(id).clone();
        let mut args = Vec::new();
        if !matches!(node.op, Op::Load(..)) {
            for arg in &node.args {
                args.push(wrapped(&self.deep(graph, *arg, depth + 1)?));
            }
        }
        let is_float = node.ty.is_float();
        if is_float && node.ty != Scalar::F32 && !matches!(node.op, Op::Load(..) | Op::Constant(_))
        {
            return Err(refuse("a scalar of half precision is computed"));
        }
        Ok(match (&node.op, args.as_slice()) {
            (Op::Constant(constant), _) => match (constant.as_integer(), constant.as_float()) {
                (Some(value), _) if constant.scalar == Scalar::Bool => {
                    if value != 0 {
                        "true".to_owned()
                    } else {
                        "false".to_owned()
                    }
                }
                (Some(value), _) => value.to_string(),
                (_, Some(value)) => float_text(value as f32),
                _ => return Err(refuse("a constant has no text")),
            },
            (Op::Parameter(index, path), _) => self.parameter(*index, path)?,
            (Op::Builtin(builtin), _) => self.builtin(*builtin)?,
            (Op::Present(index), _) => {
                let parameter = self.function.parameters.get(*index as usize);
                let name = parameter.map(|p| p.name.clone()).filter(|name| !name.is_empty());
                let name = name.ok_or_else(|| refuse("a pointer has no name"))?;
                let value = format!("{name} != nullptr");
                if self.is_host {
                    return Ok(value);
                }
                let wish = format!("has{}", camel_case(&name));
                self.field(&wish, "bool", &value, "whether it is there")
            }
            (Op::Row, _) => "row".to_owned(),
            (Op::Warp, _) if !self.is_host => {
                let warps = self.warps();
                format!("row % {warps}")
            }
            (Op::Warps, _) => self.warps(),
            (Op::Linear(factors, constant), _) => {
                let mut text = String::new();
                for (arg, factor) in args.iter().zip(factors) {
                    let sign = if *factor < 0 { "-" } else { "+" };
                    let size = factor.unsigned_abs();
                    let term = if size == 1 { arg.clone() } else { format!("{arg} * {size}") };
                    match (text.is_empty(), *factor < 0) {
                        (true, false) => text = term,
                        (true, true) => text = format!("-{term}"),
                        _ => text = format!("{text} {sign} {term}"),
                    }
                }
                match *constant {
                    0 => text,
                    c if c < 0 => format!("{text} - {}", c.unsigned_abs()),
                    c => format!("{text} + {c}"),
                }
            }
            (Op::Product, _) => args.join(" * "),
            (Op::Integer(op), [a, b]) if node.ty == Scalar::Bool => match op {
                IntegerOp::And => format!("{a} && {b}"),
                IntegerOp::Or => format!("{a} || {b}"),
                IntegerOp::Xor => format!("{a} != {b}"),
                _ => return Err(refuse("a truth value is computed with")),
            },
            (Op::Integer(op), [a, b]) => match op {
                IntegerOp::Divide => format!("{a} / {b}"),
                IntegerOp::Remainder => format!("{a} % {b}"),
                IntegerOp::And => format!("{a} & {b}"),
                IntegerOp::Or => format!("{a} | {b}"),
                IntegerOp::Xor => format!("{a} ^ {b}"),
                IntegerOp::ShiftRight => format!("{a} >> {b}"),
                IntegerOp::Minimum => format!("{a} < {b} ? {a} : {b}"),
                IntegerOp::Maximum => format!("{a} > {b} ? {a} : {b}"),
                _ => return Err(refuse("an integer is computed in an unusual way")),
            },
            (Op::Unary(op), [a]) => match op {
                UnaryOp::Negate => format!("-{a}"),
                UnaryOp::Not if node.ty == Scalar::Bool => format!("!{a}"),
                UnaryOp::Absolute if is_float => format!("{a} < 0.0f ? -{a} : {a}"),
                _ => return Err(refuse("a scalar is computed in an unusual way")),
            },
            (Op::Float(op), [a, b]) => match op {
                FloatOp::Add => format!("{a} + {b}"),
                FloatOp::Subtract => format!("{a} - {b}"),
                FloatOp::Multiply => format!("{a} * {b}"),
                FloatOp::Divide => format!("{a} / {b}"),
                FloatOp::Maximum => format!("rows::LargerNumber({}, {})", bare(a), bare(b)),
                FloatOp::Minimum => format!("rows::SmallerNumber({}, {})", bare(a), bare(b)),
                _ => return Err(refuse("a scalar is computed in an unusual way")),
            },
            (Op::Compare(op), [a, b]) => format!("{a} {} {b}", cpp::relation(*op).0),
            (Op::Select, [c, a, b]) => format!("{c} ? {a} : {b}"),
            (Op::Convert(kind), [a]) => match kind {
                Conversion::IntegerToFloat(_) => format!("static_cast<float>({})", bare(a)),
                Conversion::FloatToFloat { .. } if node.ty == Scalar::F32 => a.clone(),
                Conversion::FloatToInteger(rounding) if node.ty == Scalar::I64 => {
                    let mode = cast_mode(*rounding);
                    self.functions = true;
                    format!("rows::IntegerOf<RoundMode::{mode}>(work, {})", bare(a))
                }
                _ => return Err(refuse("a scalar is converted in an unusual way")),
            },
            (Op::Math(function), [a]) => {
                self.functions = true;
                let a = bare(a);
                match function {
                    MathFunction::SquareRoot => format!("rows::SquareRootOf(work, {a})"),
                    MathFunction::ReciprocalSquareRoot => {
                        format!("1.0f / rows::SquareRootOf(work, {a})")
                    }
                    MathFunction::Reciprocal => format!("1.0f / {}", wrapped(a)),
                    MathFunction::Exp => format!("rows::ExponentialOf(work, {a})"),
                    MathFunction::Log => format!("rows::LogarithmOf(work, {a})"),
                    _ => return Err(refuse("a function of a scalar has no form")),
                }
            }
            (Op::Load(base, _), _) if !self.is_host => {
                let offset = node.args.first().copied().unwrap_or(id);
                let place = self.element(graph, offset, node.ty)?;
                let tensor = self.tensor(*base, node.ty)?;
                let mut conditions = Vec::new();
                for condition in node.args.iter().skip(1) {
                    conditions.push(self.operand(graph, *condition)?);
                }
                let loaded = match node.ty {
                    Scalar::F16 => format!("static_cast<float>({tensor}.GetValue({place}))"),
                    Scalar::Bf16 => format!("ToFloat({tensor}.GetValue({place}))"),
                    Scalar::F32 => format!("{tensor}.GetValue({place})"),
                    Scalar::I32 | Scalar::I64 | Scalar::U32 | Scalar::U8 | Scalar::I8 => {
                        format!("static_cast<int64_t>({tensor}.GetValue({place}))")
                    }
                    _ => return Err(refuse("a scalar of this type is loaded")),
                };
                let none = if is_float { "0.0f" } else { "0" };
                match conditions.is_empty() {
                    true => loaded,
                    false => format!("{} ? {loaded} : {none}", conditions.join(" && ")),
                }
            }
            (Op::Total(reduction), _) if !self.is_host => self
                .totals
                .get(reduction)
                .cloned()
                .ok_or_else(|| refuse("a reduction is used before it is there"))?,
            _ => return Err(refuse("a scalar has no form")),
        })
    }

    /// A byte offset in elements.
    pub fn element(&mut self, graph: &Graph, offset: Id, ty: Scalar) -> Result<String> {
        let size = ty.size() as i64;
        let (terms, constant) = graph.terms(offset);
        if constant % size != 0 || terms.values().any(|factor| factor % size != 0) {
            return Err(refuse("an address lies between elements"));
        }
        let mut text = String::new();
        for (id, factor) in terms {
            let factor = factor / size;
            let inner = self.operand(graph, id)?;
            let term = match factor.abs() {
                1 => inner,
                by => format!("{inner} * {by}"),
            };
            text = match (text.is_empty(), factor < 0) {
                (true, false) => term,
                (true, true) => format!("-{term}"),
                (false, false) => format!("{text} + {term}"),
                (false, true) => format!("{text} - {term}"),
            };
        }
        Ok(match (text.is_empty(), constant / size) {
            (true, c) => c.to_string(),
            (false, 0) => text,
            (false, c) if c < 0 => format!("{text} - {}", -c),
            (false, c) => format!("{text} + {c}"),
        })
    }

    /// The tensor of global memory at a base.
    pub fn tensor(&mut self, base: Base, ty: Scalar) -> Result<String> {
        if let Some(known) = self.tensors.get(&(base, ty)) {
            return Ok(known.clone());
        }
        let Base::Argument(index) = base else {
            return Err(refuse("it reads variables of the device"));
        };
        let parameter = self.function.parameters.get(index as usize);
        let name = parameter.map_or("data", |p| p.name.as_str());
        let name = self.names.fresh(&format!("{}Gm", camel(name)));
        self.tensors.insert((base, ty), name.clone());
        Ok(name)
    }

    fn warps(&mut self) -> String {
        let value = "block.x * block.y * block.z / 32";
        if self.is_host {
            return format!("static_cast<int64_t>({value})");
        }
        self.field("warpsOfBlock", "uint32_t", value, "warps of a block")
    }

    fn builtin(&mut self, builtin: Builtin) -> Result<String> {
        let letter = |axis: Axis| axis.name();
        if self.is_host {
            return match builtin {
                Builtin::GridDim(axis) => {
                    Ok(format!("static_cast<int64_t>(grid.{})", letter(axis)))
                }
                _ => Err(refuse("the host does not know a size")),
            };
        }
        self.builtins.insert(builtin);
        let mut extent = |axis: Axis| {
            let upper = letter(axis).to_uppercase();
            self.field(
                &format!("blocks{upper}"),
                "uint32_t",
                &format!("grid.{}", letter(axis)),
                "blocks of the grid",
            )
        };
        Ok(match builtin {
            Builtin::GridDim(axis) => extent(axis),
            Builtin::BlockIndex(axis) => {
                let (x, y) = (Axis::X, Axis::Y);
                let block = if self.has_warps {
                    let warps = self.warps();
                    format!("row / {warps}")
                } else {
                    "row".to_owned()
                };
                // Blocks of a grid that has one dimension are rows.
                match axis {
                    Axis::X if !self.is_flat() => {
                        let x = self.builtin(Builtin::GridDim(x))?;
                        format!("{} % {x}", wrapped_product(&block))
                    }
                    Axis::X => block,
                    Axis::Y => {
                        let (x, y) = (
                            self.builtin(Builtin::GridDim(x))?,
                            self.builtin(Builtin::GridDim(y))?,
                        );
                        format!("{block} / {x} % {y}")
                    }
                    Axis::Z => {
                        let (x, y) = (
                            self.builtin(Builtin::GridDim(x))?,
                            self.builtin(Builtin::GridDim(y))?,
                        );
                        format!("{block} / {x} / {y}")
                    }
                }
            }
            _ => return Err(refuse("a thread asks for its place in another way")),
        })
    }

    /// Whether the kernel asks for one dimension of the grid only.
    fn is_flat(&self) -> bool {
        !self.function.expressions.iter().any(|(_, e)| {
            matches!(e, port_ir::Expression::Builtin(Builtin::BlockIndex(Axis::Y | Axis::Z)))
        })
    }

    /// The rows of the grid, on the host.
    pub fn groups(&self) -> String {
        let blocks = if self.is_flat() {
            "static_cast<int64_t>(grid.x)".to_owned()
        } else {
            "static_cast<int64_t>(grid.x) * grid.y * grid.z".to_owned()
        };
        match self.has_warps {
            true => format!("{blocks} * (block.x * block.y * block.z / 32)"),
            false => blocks,
        }
    }

    fn parameter(&mut self, index: u32, path: &[u32]) -> Result<String> {
        let unknown = || refuse("a part of a parameter has no name");
        let parameter = self.function.parameters.get(index as usize).ok_or_else(unknown)?;
        let (mut host, mut wish, mut ty) =
            (parameter.name.clone(), parameter.name.clone(), parameter.ty);
        for part in path {
            let member = match ty {
                Type::Struct(handle) => self
                    .module
                    .types
                    .structs()
                    .get(handle)
                    .and_then(|s| s.members.get(*part as usize))
                    .map(|m| m.name.clone())
                    .filter(|name| !name.is_empty()),
                _ => None,
            };
            let member = member.ok_or_else(unknown)?;
            host = format!("{host}.{member}");
            wish = member;
            ty = self.module.types.component(ty, *part).ok_or_else(unknown)?;
        }
        let Type::Scalar(scalar) = ty else { return Err(unknown()) };
        let cpp = match scalar {
            Scalar::Bool => "bool",
            Scalar::I8 | Scalar::I16 | Scalar::I32 => "int32_t",
            Scalar::U8 | Scalar::U16 | Scalar::U32 => "uint32_t",
            Scalar::I64 => "int64_t",
            Scalar::U64 => "uint64_t",
            Scalar::F32 => "float",
            _ => return Err(refuse("a parameter has a type that the scalar unit lacks")),
        };
        if host.is_empty() {
            return Err(unknown());
        }
        if self.is_host {
            return Ok(match cpp {
                "bool" | "float" => host,
                _ => format!("static_cast<int64_t>({host})"),
            });
        }
        let own = camel(&wish);
        let wish = if own == host { format!("{own}Value") } else { own };
        let comment = format!("`{host}`");
        let name = self.field(&wish, cpp, &host, &comment);
        Ok(match cpp {
            "bool" | "float" | "int64_t" => name,
            _ => format!("static_cast<int64_t>({name})"),
        })
    }
}

/// `a.b` and calls stand as they are, everything else in parentheses.
pub(super) fn wrapped(text: &str) -> String {
    let mut depth = 0i32;
    let mut is_plain = true;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '<'
                if c == '('
                    || text[at..].starts_with("<int64_t>")
                    || text[at..].starts_with("<float>") =>
            {
                depth += 1
            }
            ')' => depth -= 1,
            '>' if depth > 0 && text[..at].ends_with("int64_t")
                || text[..at].ends_with("<float") =>
            {
                depth -= 1
            }
            ' ' if depth == 0 => is_plain = false,
            '-' if at == 0 => is_plain = false,
            _ => {}
        }
    }
    if is_plain { text.to_owned() } else { format!("({text})") }
}

fn wrapped_product(text: &str) -> String {
    if text.contains(' ') { format!("({text})") } else { text.to_owned() }
}

/// Without the parentheses around the whole.
fn bare(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) else {
        return text;
    };
    let mut depth = 0i32;
    for c in inner.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return text;
        }
    }
    inner
}

/// `epsilon_value` as `epsilonValue`.
pub(super) fn camel(name: &str) -> String {
    let upper = camel_case(name);
    let mut chars = upper.chars();
    chars.next().map_or(String::new(), |c| c.to_lowercase().collect::<String>() + chars.as_str())
}
