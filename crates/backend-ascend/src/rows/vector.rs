//! What a phase does with a piece of a row, as vector instructions: each value of the row's elements
//! is a tensor of `float`, narrower formats are rounded where the program rounds them.

use std::collections::BTreeMap;

use port_ir::{CompareOp, Conversion, FloatOp, IntegerOp, MathFunction, Scalar, UnaryOp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::execute::Result;
use super::graph::{Fold, Graph, Id, Op};
use super::scalars::Scalars;
use crate::code::{cast_mode, compare_mode, refuse};

/// A value in a phase.
#[derive(Clone, Debug)]
enum Held {
    /// A tensor of floats; the number of the slot that it takes.
    Tensor(String, Option<usize>),
    /// A tensor of `int32_t`, with the slot that it takes.
    Whole(String, Option<usize>),
    /// A mask, with its slot.
    Mask(String, usize),
    /// The same for all elements.
    Scalar(String),
}

/// Writes a phase.
pub(super) struct Vectors<'v, 's> {
    pub graph: &'v Graph,
    pub scalars: &'v mut Scalars<'s>,
    /// Tensors that the phase is given, by their node: name and element.
    pub inputs: &'v BTreeMap<Id, (String, Scalar)>,
    pub lines: Vec<String>,
    /// Slots that are used at most.
    pub slots: usize,
    pub masks: usize,
    pub places: bool,
    free: Vec<bool>,
    free_masks: Vec<bool>,
    held: FxHashMap<Id, Held>,
    narrow: FxHashMap<Id, String>,
    uses: FxHashMap<Id, u32>,
    /// Where the value of a node should come to lie.
    wanted: FxHashMap<Id, String>,
    depth: u32,
}

const MAX_DEPTH: u32 = 150;

/// The element's type in C++.
pub(super) fn element_type(scalar: Scalar) -> Result<&'static str> {
    Ok(match scalar {
        Scalar::F32 => "float",
        Scalar::F16 => "half",
        Scalar::Bf16 => "bfloat16_t",
        Scalar::I32 => "int32_t",
        Scalar::I64 => "int64_t",
        Scalar::U32 => "uint32_t",
        Scalar::U8 => "uint8_t",
        Scalar::I8 => "int8_t",
        other => return Err(refuse(format!("rows have elements of {}", other.name()))),
    })
}

impl<'v, 's> Vectors<'v, 's> {
    pub fn new(
        graph: &'v Graph,
        scalars: &'v mut Scalars<'s>,
        inputs: &'v BTreeMap<Id, (String, Scalar)>,
    ) -> Self {
        Vectors {
            graph,
            scalars,
            inputs,
            lines: Vec::new(),
            slots: 0,
            masks: 0,
            places: false,
            free: Vec::new(),
            free_masks: Vec::new(),
            held: FxHashMap::default(),
            narrow: FxHashMap::default(),
            uses: FxHashMap::default(),
            wanted: FxHashMap::default(),
            depth: 0,
        }
    }

    /// Whether elements differ in a value.
    pub fn varies(graph: &Graph, id: Id) -> bool {
        graph.any(id, &|op| matches!(op, Op::Element | Op::Vector(..)))
    }

    /// Counts the uses of what the phase computes from these.
    pub fn count(&mut self, roots: &[Id]) {
        let mut seen = FxHashSet::default();
        let mut open = roots.to_vec();
        for root in roots {
            *self.uses.entry(*root).or_insert(0) += 1;
        }
        while let Some(id) = open.pop() {
            if !seen.insert(id) || !Self::varies(self.graph, id) {
                continue;
            }
            for arg in &self.graph.node(id).args {
                *self.uses.entry(*arg).or_insert(0) += 1;
                open.push(*arg);
            }
        }
    }

    /// Asks for a value to be computed in a tensor.
    pub fn want(&mut self, id: Id, tensor: &str) {
        if !matches!(self.graph.op(id), Op::Vector(..)) && Self::varies(self.graph, id) {
            self.wanted.entry(id).or_insert_with(|| tensor.to_owned());
        }
    }

    fn line(&mut self, text: String) {
        self.lines.push(text);
    }

    /// What lies behind the last element becomes a number, where nothing has made it one since it was written.
    fn fill_tail(&mut self, tensor: &str) {
        let fill = format!("rows::FillTail({tensor}, count);");
        let written = [format!("({tensor}, "), format!("({tensor}.")];
        let last = self.lines.iter().rev().find(|line| {
            **line == fill || written.iter().any(|start| line.contains(start.as_str()))
        });
        if last.is_none_or(|line| *line != fill) {
            self.line(fill);
        }
    }

    fn slot(&mut self) -> (String, usize) {
        let slot = match self.free.iter().position(|free| *free) {
            Some(slot) => slot,
            None => {
                self.free.push(true);
                self.free.len() - 1
            }
        };
        self.free[slot] = false;
        self.slots = self.slots.max(slot + 1);
        (format!("values{slot}"), slot)
    }

    fn mask(&mut self) -> (String, usize) {
        let slot = match self.free_masks.iter().position(|free| *free) {
            Some(slot) => slot,
            None => {
                self.free_masks.push(true);
                self.free_masks.len() - 1
            }
        };
        self.free_masks[slot] = false;
        self.masks = self.masks.max(slot + 1);
        (format!("mask{slot}"), slot)
    }

    fn release(&mut self, held: &Held) {
        match held {
            Held::Tensor(_, Some(slot)) | Held::Whole(_, Some(slot)) => self.free[*slot] = true,
            Held::Mask(_, slot) => self.free_masks[*slot] = true,
            _ => {}
        }
    }

    /// One use of a value less.
    fn used(&mut self, id: Id) {
        let left = self.uses.entry(id).or_insert(1);
        *left = left.saturating_sub(1);
        if *left == 0
            && let Some(held) = self.held.remove(&id)
        {
            self.release(&held);
        }
    }

    /// Where a node is computed: where somebody wants it, else in a slot.
    fn place(&mut self, id: Id) -> Held {
        match self.wanted.get(&id) {
            Some(tensor) => Held::Tensor(tensor.clone(), None),
            None => {
                let (name, slot) = self.slot();
                Held::Tensor(name, Some(slot))
            }
        }
    }

    fn name(held: &Held) -> &str {
        match held {
            Held::Tensor(name, _)
            | Held::Whole(name, _)
            | Held::Mask(name, _)
            | Held::Scalar(name) => name,
        }
    }

    fn value(&mut self, id: Id) -> Result<Held> {
        if let Some(held) = self.held.get(&id) {
            return Ok(held.clone());
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(refuse("an element is computed in too many steps"));
        }
        let held = self.compute(id);
        self.depth -= 1;
        let held = held?;
        self.held.insert(id, held.clone());
        Ok(held)
    }

    fn compute(&mut self, id: Id) -> Result<Held> {
        if !Self::varies(self.graph, id) {
            return Ok(Held::Scalar(self.scalars.operand(self.graph, id)?));
        }
        let node = self.graph.node(id).clone();
        if node.ty.is_float() && node.ty != Scalar::F32 {
            return self.rounded(id);
        }
        if node.ty.is_integer() && node.ty != Scalar::Bool {
            return self.whole(id);
        }
        match &node.op {
            Op::Vector(..) => {
                let Some((name, ty)) = self.inputs.get(&id).cloned() else {
                    return Err(refuse("an input has no tensor"));
                };
                match ty {
                    Scalar::F32 => Ok(Held::Tensor(name, None)),
                    _ => Err(refuse("rows of integers have no form")),
                }
            }
            Op::Float(op) => self.float(id, *op, &node.args),
            Op::Unary(op) if node.ty == Scalar::F32 => {
                let a = self.tensor(node.args[0])?;
                self.used(node.args[0]);
                let to = self.place(id);
                let text = match op {
                    UnaryOp::Negate => format!("Muls({}, {a}, -1.0f, count);", Self::name(&to)),
                    UnaryOp::Absolute => format!("Abs({}, {a}, count);", Self::name(&to)),
                    UnaryOp::Not => return Err(refuse("a float is inverted")),
                };
                self.line(text);
                Ok(to)
            }
            Op::Math(function) => self.math(id, *function, &node.args),
            Op::Convert(Conversion::FloatToFloat { .. }) => {
                let a = self.tensor(node.args[0])?;
                // The same floats: they are wide already.
                if self.wanted.contains_key(&id) {
                    let to = self.place(id);
                    self.line(format!("Adds({}, {a}, 0.0f, count);", Self::name(&to)));
                    self.used(node.args[0]);
                    return Ok(to);
                }
                let held = self.held.get(&node.args[0]).cloned();
                let is_last = self.uses.get(&node.args[0]).copied().unwrap_or(1) <= 1;
                if is_last {
                    self.held.remove(&node.args[0]);
                    return held.ok_or_else(|| refuse("a value is missing"));
                }
                let to = self.place(id);
                self.line(format!("Adds({}, {a}, 0.0f, count);", Self::name(&to)));
                self.used(node.args[0]);
                Ok(to)
            }
            Op::Compare(op) => self.compare(*op, &node.args),
            Op::Integer(op) if node.ty == Scalar::Bool => self.logic(*op, &node.args),
            Op::Unary(UnaryOp::Not) => {
                let Held::Mask(a, _) = self.value(node.args[0])? else {
                    return Err(refuse("a truth value is the same for all"));
                };
                let (to, slot) = self.mask();
                self.line(format!("rows::MaskNot({to}, {a}, count);"));
                self.used(node.args[0]);
                Ok(Held::Mask(to, slot))
            }
            Op::Select => self.select(id, &node.args),
            Op::Convert(Conversion::IntegerToFloat(_)) => {
                let Held::Whole(whole, _) = self.value(node.args[0])? else {
                    return Err(refuse("rows of integers have no form"));
                };
                self.used(node.args[0]);
                let to = self.place(id);
                let name = Self::name(&to).to_owned();
                self.line(format!("Cast({name}, {whole}, RoundMode::CAST_RINT, count);"));
                Ok(to)
            }
            _ => Err(refuse("an element is computed in a way that has no vector form")),
        }
    }

    /// A value as a tensor.
    fn tensor(&mut self, id: Id) -> Result<String> {
        match self.value(id)? {
            Held::Tensor(name, _) => Ok(name),
            Held::Scalar(text) => {
                let (name, slot) = self.slot();
                self.line(format!("Duplicate({name}, {text}, count);"));
                self.held.insert(id, Held::Tensor(name.clone(), Some(slot)));
                Ok(name)
            }
            Held::Whole(..) => Err(refuse("an integer is used as a float")),
            Held::Mask(..) => Err(refuse("a truth value is used as a number")),
        }
    }

    /// A slot for integers.
    fn whole_slot(&mut self) -> (String, usize) {
        let (name, slot) = self.slot();
        (format!("{name}.ReinterpretCast<int32_t>()"), slot)
    }

    /// An integer of each element; sums and products wrap as 32 bits do.
    fn whole(&mut self, id: Id) -> Result<Held> {
        let node = self.graph.node(id).clone();
        match &node.op {
            Op::Vector(..) => match self.inputs.get(&id).cloned() {
                Some((name, Scalar::I32)) => Ok(Held::Whole(name, None)),
                _ => Err(refuse("rows of such integers have no form")),
            },
            Op::Convert(Conversion::FloatToInteger(rounding)) if node.ty == Scalar::I64 => {
                let mode = cast_mode(*rounding);
                // What is rounded before is rounded once.
                let inner = self.graph.node(node.args[0]);
                let before = match &inner.op {
                    Op::Math(MathFunction::RoundEven) => Some("CAST_RINT"),
                    Op::Math(MathFunction::Floor) => Some("CAST_FLOOR"),
                    Op::Math(MathFunction::Ceil) => Some("CAST_CEIL"),
                    Op::Math(MathFunction::Trunc) => Some("CAST_TRUNC"),
                    Op::Math(MathFunction::Round) => Some("CAST_ROUND"),
                    _ => None,
                };
                let is_once = self.uses.get(&node.args[0]).copied().unwrap_or(1) <= 1;
                let (arg, mode) = match (before, inner.args.first()) {
                    (Some(mode), Some(arg)) if is_once => (*arg, mode),
                    _ => (node.args[0], mode),
                };
                let a = self.tensor(arg)?;
                self.used(arg);
                let (to, slot) = self.whole_slot();
                self.line(format!("Cast({to}, {a}, RoundMode::{mode}, count);"));
                Ok(Held::Whole(to, Some(slot)))
            }
            Op::Integer(op @ (IntegerOp::Minimum | IntegerOp::Maximum)) => {
                let [left, right] = node.args[..] else {
                    return Err(refuse("an operand is missing"));
                };
                let name = if *op == IntegerOp::Minimum { "Min" } else { "Max" };
                let (a, b) = (self.value(left)?, self.value(right)?);
                let text = |to: &str| match (&a, &b) {
                    (Held::Whole(a, _), Held::Whole(b, _)) => {
                        Some(format!("{name}({to}, {a}, {b}, count);"))
                    }
                    (Held::Whole(v, _), Held::Scalar(s)) | (Held::Scalar(s), Held::Whole(v, _)) => {
                        let s = whole_text(s);
                        Some(format!("{name}s({to}, {v}, {s}, count);"))
                    }
                    _ => None,
                };
                self.used(left);
                self.used(right);
                let (to, slot) = self.whole_slot();
                let line = text(&to).ok_or_else(|| refuse("integers are computed unusually"))?;
                self.line(line);
                Ok(Held::Whole(to, Some(slot)))
            }
            // One value of each element, and what all share.
            Op::Linear(factors, constant) => {
                let mut varying = None;
                let mut rest = *constant;
                let mut shared = String::new();
                for (arg, factor) in node.args.iter().zip(factors) {
                    if Self::varies(self.graph, *arg) {
                        if varying.replace((*arg, *factor)).is_some() {
                            return Err(refuse("integers of elements are added up"));
                        }
                        continue;
                    }
                    if let Some(value) = self.graph.as_integer(*arg) {
                        rest += value * factor;
                        continue;
                    }
                    let text = self.scalars.operand(self.graph, *arg)?;
                    let sign = if *factor < 0 { "-" } else { "+" };
                    let text = match factor.unsigned_abs() {
                        1 => text,
                        by => format!("{text} * {by}"),
                    };
                    shared = match (shared.is_empty(), *factor < 0) {
                        (true, false) => text,
                        (true, true) => format!("-{text}"),
                        _ => format!("{shared} {sign} {text}"),
                    };
                }
                let Some((arg, factor)) = varying else {
                    return Err(refuse("an integer is the same for all"));
                };
                let Held::Whole(v, _) = self.value(arg)? else {
                    return Err(refuse("places in a row are used as values"));
                };
                self.used(arg);
                let (to, slot) = self.whole_slot();
                let mut from = v;
                if factor != 1 {
                    self.line(format!(
                        "Muls({to}, {from}, {}, count);",
                        whole_text(&factor.to_string())
                    ));
                    from = to.clone();
                }
                let shared = match (shared.is_empty(), rest) {
                    (true, rest) => rest.to_string(),
                    (false, 0) => shared,
                    (false, rest) if rest < 0 => format!("{shared} - {}", rest.unsigned_abs()),
                    (false, rest) => format!("{shared} + {rest}"),
                };
                if shared != "0" {
                    self.line(format!("Adds({to}, {from}, {}, count);", whole_text(&shared)));
                }
                Ok(Held::Whole(to, Some(slot)))
            }
            _ => Err(refuse("an integer of each element is computed in a way that has no form")),
        }
    }

    /// The bounds of an integer, where they are known.
    fn bounds(&self, id: Id, depth: u32) -> (i64, i64) {
        let everything = (i64::from(i32::MIN), i64::from(i32::MAX));
        if let Some(value) = self.graph.as_integer(id) {
            return (value, value);
        }
        let node = self.graph.node(id);
        let (Op::Integer(op), [left, right], true) = (&node.op, &node.args[..], depth < 20) else {
            return everything;
        };
        let (a, b) = (self.bounds(*left, depth + 1), self.bounds(*right, depth + 1));
        match op {
            IntegerOp::Minimum => (a.0.min(b.0), a.1.min(b.1)),
            IntegerOp::Maximum => (a.0.max(b.0), a.1.max(b.1)),
            _ => everything,
        }
    }

    /// Puts bytes into an output tensor: of larger integers the low bits.
    fn store_bytes(&mut self, id: Id, tensor: &str, ty: Scalar) -> Result<()> {
        let node = self.graph.node(id).clone();
        let inner = match (&node.op, &node.args[..]) {
            (Op::Convert(Conversion::Truncate), [inner]) if node.ty == ty => *inner,
            _ => id,
        };
        if !Self::varies(self.graph, inner) {
            return Err(refuse("bytes of a row are all the same"));
        }
        let Held::Whole(mut whole, _) = self.value(inner)? else {
            return Err(refuse("bytes are no integers"));
        };
        let (low, high) = self.bounds(inner, 0);
        let (least, most) = if ty == Scalar::I8 { (-128, 127) } else { (0, 255) };
        let (wide, slot) = self.slot();
        if low < least || high > most {
            let (kind, to) = match ty {
                Scalar::I8 => ("int32_t", format!("{wide}.ReinterpretCast<int32_t>()")),
                _ => ("uint32_t", format!("{wide}.ReinterpretCast<uint32_t>()")),
            };
            let from = match ty {
                Scalar::I8 => whole.clone(),
                _ => format!(
                    "{}.ReinterpretCast<uint32_t>()",
                    whole.trim_end_matches(".ReinterpretCast<int32_t>()")
                ),
            };
            self.line(format!("ShiftLeft({to}, {from}, static_cast<{kind}>(24), count);"));
            self.line(format!("ShiftRight({to}, {to}, static_cast<{kind}>(24), count);"));
            whole = format!("{wide}.ReinterpretCast<int32_t>()");
        }
        self.line(format!("Cast({wide}, {whole}, RoundMode::CAST_RINT, count);"));
        self.line(format!(
            "Cast({wide}.ReinterpretCast<half>(), {wide}, RoundMode::CAST_RINT, count);"
        ));
        self.line(format!(
            "Cast({tensor}, {wide}.ReinterpretCast<half>(), RoundMode::CAST_RINT, count);"
        ));
        self.free[slot] = true;
        self.used(inner);
        Ok(())
    }

    /// A value of a narrow format, as floats.
    fn rounded(&mut self, id: Id) -> Result<Held> {
        let node = self.graph.node(id).clone();
        if let Op::Vector(..) = node.op {
            let Some((name, _)) = self.inputs.get(&id).cloned() else {
                return Err(refuse("an input has no tensor"));
            };
            let (to, slot) = self.slot();
            self.line(format!("Cast({to}, {name}, RoundMode::CAST_NONE, count);"));
            return Ok(Held::Tensor(to, Some(slot)));
        }
        let narrow = self.narrowed(id)?;
        let (to, slot) = self.slot();
        self.line(format!("Cast({to}, {narrow}, RoundMode::CAST_NONE, count);"));
        Ok(Held::Tensor(to, Some(slot)))
    }

    /// A value of a narrow format in that format.
    fn narrowed(&mut self, id: Id) -> Result<String> {
        if let Some(name) = self.narrow.get(&id) {
            return Ok(name.clone());
        }
        let node = self.graph.node(id).clone();
        let wide = match &node.op {
            Op::Convert(Conversion::FloatToFloat { .. }) => {
                let wide = self.tensor(node.args[0])?;
                self.used(node.args[0]);
                wide
            }
            Op::Float(op) => {
                let held = self.float(id, *op, &node.args)?;
                let name = Self::name(&held).to_owned();
                self.release(&held);
                name
            }
            Op::Select => {
                let held = self.select(id, &node.args)?;
                let name = Self::name(&held).to_owned();
                self.release(&held);
                name
            }
            _ => return Err(refuse("half precision is computed in an unusual way")),
        };
        let name = match self.wanted.get(&id) {
            Some(tensor) => tensor.clone(),
            None => {
                // Half of a slot; it stays for the phase.
                let (slot, _) = self.slot();
                format!("{slot}.ReinterpretCast<{}>()", element_type(node.ty)?)
            }
        };
        self.line(format!("Cast({name}, {wide}, RoundMode::CAST_RINT, count);"));
        self.narrow.insert(id, name.clone());
        Ok(name)
    }

    fn float(&mut self, id: Id, op: FloatOp, args: &[Id]) -> Result<Held> {
        let [left, right] = args else { return Err(refuse("an operand is missing")) };
        let (a, b) = (self.value(*left)?, self.value(*right)?);
        let wide = self.graph.node(id).ty == Scalar::F32;
        let finish = |own: &mut Self| {
            own.used(*left);
            own.used(*right);
            if wide {
                own.place(id)
            } else {
                let (name, slot) = own.slot();
                Held::Tensor(name, Some(slot))
            }
        };
        if matches!(op, FloatOp::Maximum | FloatOp::Minimum) {
            let (x, y) = (self.tensor(*left)?, self.tensor(*right)?);
            let ((other, slot), (mask, mask_slot)) = (self.slot(), self.mask());
            let (to, to_slot) = self.slot();
            let name = if op == FloatOp::Maximum { "LargerNumbers" } else { "SmallerNumbers" };
            self.line(format!("rows::{name}({to}, {x}, {y}, {other}, {mask}, count);"));
            self.used(*left);
            self.used(*right);
            self.free[slot] = true;
            self.free_masks[mask_slot] = true;
            let _ = wide;
            return Ok(Held::Tensor(to, Some(to_slot)));
        }
        let with_scalar = match (op, &a, &b) {
            (FloatOp::Add, Held::Tensor(v, _), Held::Scalar(s))
            | (FloatOp::Add, Held::Scalar(s), Held::Tensor(v, _)) => {
                Some(("Adds", v.clone(), s.clone()))
            }
            (FloatOp::Multiply, Held::Tensor(v, _), Held::Scalar(s))
            | (FloatOp::Multiply, Held::Scalar(s), Held::Tensor(v, _)) => {
                Some(("Muls", v.clone(), s.clone()))
            }
            (FloatOp::Subtract, Held::Tensor(v, _), Held::Scalar(s)) => {
                Some(("Adds", v.clone(), negated(s)))
            }
            _ => None,
        };
        if let Some((name, v, s)) = with_scalar {
            let to = finish(self);
            self.line(format!("{name}({}, {v}, {}, count);", Self::name(&to), plain(&s)));
            return Ok(to);
        }
        let (x, y) = (self.tensor(*left)?, self.tensor(*right)?);
        let to = finish(self);
        let name = match op {
            FloatOp::Add => "Add",
            FloatOp::Subtract => "Sub",
            FloatOp::Multiply => "Mul",
            FloatOp::Divide => "Div",
            _ => return Err(refuse("numbers are compared in an unusual way")),
        };
        self.line(format!("{name}({}, {x}, {y}, count);", Self::name(&to)));
        Ok(to)
    }

    fn math(&mut self, id: Id, function: MathFunction, args: &[Id]) -> Result<Held> {
        let [arg] = args else {
            return Err(refuse(format!("`{}` has no form over rows", function.name())));
        };
        let a = self.tensor(*arg)?;
        let direct = match function {
            MathFunction::Exp => Some("Exp"),
            MathFunction::Log => Some("Ln"),
            MathFunction::SquareRoot => Some("Sqrt"),
            _ => None,
        };
        if let Some(name) = direct {
            self.used(*arg);
            let to = self.place(id);
            self.line(format!("{name}({}, {a}, count);", Self::name(&to)));
            return Ok(to);
        }
        let root = match function {
            MathFunction::ReciprocalSquareRoot => true,
            MathFunction::Reciprocal => false,
            _ => return Err(refuse(format!("`{}` has no form over rows", function.name()))),
        };
        let (one, slot) = self.slot();
        self.used(*arg);
        let to = self.place(id);
        self.line(format!("Duplicate({one}, 1.0f, count);"));
        let name = Self::name(&to).to_owned();
        if root {
            self.line(format!("Sqrt({name}, {a}, count);"));
            self.line(format!("Div({name}, {one}, {name}, count);"));
        } else {
            self.line(format!("Div({name}, {one}, {a}, count);"));
        }
        self.free[slot] = true;
        Ok(to)
    }

    fn compare(&mut self, op: CompareOp, args: &[Id]) -> Result<Held> {
        let [left, right] = args else { return Err(refuse("an operand is missing")) };
        if self.graph.node(*left).ty.is_integer() || self.graph.node(*right).ty.is_integer() {
            return self.compare_places(op, *left, *right);
        }
        let (a, b) = (self.value(*left)?, self.value(*right)?);
        let text = match (&a, &b) {
            (Held::Tensor(a, _), Held::Scalar(s)) => {
                let (to, slot) = self.mask();
                self.fill_tail(a);
                self.line(format!(
                    "CompareScalar({to}, {a}, {}, CMPMODE::{}, padded);",
                    plain(s),
                    compare_mode(op)
                ));
                (to, slot)
            }
            _ => {
                let (x, y) = (self.tensor(*left)?, self.tensor(*right)?);
                let (to, slot) = self.mask();
                self.fill_tail(&x);
                self.fill_tail(&y);
                self.line(format!(
                    "Compare({to}, {x}, {y}, CMPMODE::{}, padded);",
                    compare_mode(op)
                ));
                (to, slot)
            }
        };
        self.used(*left);
        self.used(*right);
        Ok(Held::Mask(text.0, text.1))
    }

    /// `place + a < b`: places are small numbers, which floats hold.
    fn compare_places(&mut self, op: CompareOp, left: Id, right: Id) -> Result<Held> {
        let (mut terms, constant) = self.graph.terms(left);
        let (more, rest) = self.graph.terms(right);
        for (id, factor) in more {
            *terms.entry(id).or_insert(0) -= factor;
        }
        let element = terms
            .keys()
            .copied()
            .find(|id| *self.graph.op(*id) == Op::Element)
            .ok_or_else(|| refuse("places in a row are compared in an unusual way"))?;
        let factor = terms.remove(&element).unwrap_or(0);
        if factor.abs() != 1 || terms.keys().any(|id| Self::varies(self.graph, *id)) {
            return Err(refuse("places in a row are compared in an unusual way"));
        }
        // place < bound, or bound < place.
        let mut text = String::new();
        let constant = (constant - rest) * -factor;
        for (id, own) in terms {
            let own = own * -factor;
            let inner = self.scalars.operand(self.graph, id)?;
            let inner = if own.abs() == 1 { inner } else { format!("{inner} * {}", own.abs()) };
            text = match (text.is_empty(), own < 0) {
                (true, false) => inner,
                (true, true) => format!("-{inner}"),
                (false, false) => format!("{text} + {inner}"),
                (false, true) => format!("{text} - {inner}"),
            };
        }
        let bound = match (text.is_empty(), constant) {
            (true, c) => c.to_string(),
            (false, 0) => text,
            (false, c) if c < 0 => format!("{text} - {}", -c),
            (false, c) => format!("{text} + {c}"),
        };
        let mode = match (op, factor > 0) {
            (CompareOp::Equal, _) => "EQ",
            (CompareOp::NotEqual, _) => "NE",
            (CompareOp::Less, true) | (CompareOp::Greater, false) => "LT",
            (CompareOp::LessEqual, true) | (CompareOp::GreaterEqual, false) => "LE",
            (CompareOp::Greater, true) | (CompareOp::Less, false) => "GT",
            (CompareOp::GreaterEqual, true) | (CompareOp::LessEqual, false) => "GE",
        };
        self.places = true;
        let (to, slot) = self.mask();
        self.line(format!(
            "CompareScalar({to}, places, rows::PlaceOf({bound} - start, count), CMPMODE::{mode}, padded);"
        ));
        Ok(Held::Mask(to, slot))
    }

    fn logic(&mut self, op: IntegerOp, args: &[Id]) -> Result<Held> {
        let [left, right] = args else { return Err(refuse("an operand is missing")) };
        let (a, b) = (self.value(*left)?, self.value(*right)?);
        let (Held::Mask(a, _), Held::Mask(b, _)) = (a, b) else {
            return Err(refuse("a truth value is the same for all elements"));
        };
        let name = match op {
            IntegerOp::And => "And",
            IntegerOp::Or => "Or",
            _ => return Err(refuse("truth values are combined in an unusual way")),
        };
        let (to, slot) = self.mask();
        self.line(format!("rows::Mask{name}({to}, {a}, {b}, count);"));
        self.used(*left);
        self.used(*right);
        Ok(Held::Mask(to, slot))
    }

    fn select(&mut self, id: Id, args: &[Id]) -> Result<Held> {
        let [condition, accept, reject] = args else {
            return Err(refuse("an operand is missing"));
        };
        let Held::Mask(mask, _) = self.value(*condition)? else {
            return Err(refuse("a choice is the same for all elements"));
        };
        let a = self.tensor(*accept)?;
        let b = self.value(*reject)?;
        let wide = self.graph.node(id).ty == Scalar::F32;
        let text = |to: &str| match &b {
            Held::Scalar(s) => format!(
                "Select({to}, {mask}, {a}, {}, SELMODE::VSEL_TENSOR_SCALAR_MODE, count);",
                plain(s)
            ),
            other => format!(
                "Select({to}, {mask}, {a}, {}, SELMODE::VSEL_TENSOR_TENSOR_MODE, count);",
                Self::name(other)
            ),
        };
        self.used(*condition);
        self.used(*accept);
        self.used(*reject);
        let to = if wide {
            self.place(id)
        } else {
            let (name, slot) = self.slot();
            Held::Tensor(name, Some(slot))
        };
        let line = text(Self::name(&to));
        self.line(line);
        Ok(to)
    }

    /// Puts a value into an output tensor.
    pub fn store(&mut self, id: Id, tensor: &str, ty: Scalar) -> Result<()> {
        let own = self.graph.node(id).ty;
        if matches!(ty, Scalar::I8 | Scalar::U8) && own.is_integer() {
            return self.store_bytes(id, tensor, ty);
        }
        if own != ty {
            return Err(refuse("elements are stored as another type"));
        }
        if !Self::varies(self.graph, id) {
            let text = self.scalars.operand(self.graph, id)?;
            match ty {
                Scalar::F32 => self.line(format!("Duplicate({tensor}, {}, count);", plain(&text))),
                Scalar::F16 => self.line(format!(
                    "Duplicate({tensor}, static_cast<half>({}), count);",
                    plain(&text)
                )),
                _ => {
                    let (name, slot) = self.slot();
                    self.line(format!("Duplicate({name}, {}, count);", plain(&text)));
                    self.line(format!("Cast({tensor}, {name}, RoundMode::CAST_RINT, count);"));
                    self.free[slot] = true;
                }
            }
            return Ok(());
        }
        if ty == Scalar::F32 {
            let held = self.value(id)?;
            if Self::name(&held) != tensor {
                self.line(format!("Adds({tensor}, {}, 0.0f, count);", Self::name(&held)));
            }
        } else if let Op::Vector(..) = self.graph.op(id) {
            let wide = self.tensor(id)?;
            self.line(format!("Cast({tensor}, {wide}, RoundMode::CAST_RINT, count);"));
        } else {
            let name = self.narrowed(id)?;
            if name != tensor {
                let wide = self.tensor(id)?;
                self.line(format!("Cast({tensor}, {wide}, RoundMode::CAST_RINT, count);"));
            }
        }
        self.used(id);
        Ok(())
    }

    /// Reduces a value into a member.
    pub fn reduce(&mut self, fold: Fold, id: Id, member: &str) -> Result<()> {
        if fold == Fold::First {
            let Held::Mask(mask, _) = self.value(id)? else {
                return Err(refuse("the first of places that are all alike is asked for"));
            };
            self.places = true;
            let (values, slot) = self.slot();
            self.line(format!(
                "{member} = rows::FirstPlace({member}, start, {mask}, places, {values}, work, count);"
            ));
            self.free[slot] = true;
            self.used(id);
            return Ok(());
        }
        if !Self::varies(self.graph, id) {
            let text = self.scalars.operand(self.graph, id)?;
            self.line(match fold {
                Fold::Sum => format!("{member} += {text} * static_cast<float>(count);"),
                Fold::Maximum => {
                    format!("{member} = rows::LargerNumber({member}, {});", plain(&text))
                }
                _ => {
                    format!("{member} = rows::SmallerNumber({member}, {});", plain(&text))
                }
            });
            return Ok(());
        }
        let value = self.tensor(id)?;
        if fold == Fold::Sum {
            self.line(format!("{member} += rows::SumOf({value}, work, count);"));
        } else {
            // As fmaxf and fminf have it, what is no number does not count.
            let ((mask, mask_slot), (numbers, slot)) = (self.mask(), self.slot());
            let (neutral, of, number) = match fold {
                Fold::Minimum => ("__builtin_inff()", "MinimumOf", "SmallerNumber"),
                _ => ("-__builtin_inff()", "MaximumOf", "LargerNumber"),
            };
            self.fill_tail(&value);
            self.line(format!("Compare({mask}, {value}, {value}, CMPMODE::EQ, padded);"));
            self.line(format!(
                "Select({numbers}, {mask}, {value}, {neutral}, SELMODE::VSEL_TENSOR_SCALAR_MODE, count);"
            ));
            self.line(format!(
                "{member} = rows::{number}({member}, rows::{of}({numbers}, work, count));"
            ));
            self.free[slot] = true;
            self.free_masks[mask_slot] = true;
        }
        self.used(id);
        Ok(())
    }
}

/// A shared integer as an operand of 32 bits.
fn whole_text(text: &str) -> String {
    match text.parse::<i32>() {
        Ok(value) if value > i32::MIN => format!("static_cast<int32_t>({value})"),
        _ => format!("static_cast<int32_t>({})", plain(text)),
    }
}

fn negated(text: &str) -> String {
    match text.strip_prefix("(-").and_then(|t| t.strip_suffix(')')) {
        Some(inner) if !inner.contains(' ') => inner.to_owned(),
        _ => format!("-{text}"),
    }
}

/// Without parentheses around the whole, for an argument.
fn plain(text: &str) -> &str {
    match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        Some(inner) if !inner.contains(['(', ')']) => inner,
        _ => text,
    }
}
