//! High precision: f32 computed in f64, for a profile that asks what the program means and not what
//! a chip makes of it.
//!
//! Sums, products, quotients and functions of f32 become those of f64, and so do the locals and
//! shuffles that carry them, arrays of accumulators too. Values are rounded to f32 where the program
//! sees their bits or decides by them: where they go to memory that others see, in comparisons and
//! conversions to integers, in functions that jump (`floor`, `fmod` …), and where it asks for a
//! rounding (`__fadd_rz`, a cast to a half type). So the reference takes the branches that f32 takes,
//! as far as it can, and its results are nearest to the exact ones.

use port_ir::{
    Block, Constant, Conversion, Expression, ExpressionTypes, FloatFlags, Function, Handle, Local,
    Location, MathClass, MathFunction, Rounding, Scalar, StatementKind, Type, Types, UnaryOp,
    Value,
};

/// The function with its f32 arithmetic in f64. `ty` are the types of its expressions; arrays of f64
/// are added to `types`.
pub(super) fn widen(function: &Function, ty: &ExpressionTypes, types: &mut Types) -> Function {
    let locals = carriers(function, ty, types);
    let mut widener = Widener {
        source: function,
        ty,
        target: Function { expressions: Default::default(), ..function.clone() },
        narrow: vec![None; function.expressions.len()],
        wide: vec![None; function.expressions.len()],
        results: vec![false; function.expressions.len()],
        roots: locals.roots,
    };
    for (local, wide) in locals.types {
        let local = &mut widener.target.locals[local];
        local.ty = wide;
        local.align = local.align.map(|align| align.max(8));
    }
    if let Some(body) = &function.body {
        widener.find_results(body);
    }
    for (value, expression) in function.expressions.iter() {
        widener.expression(types, value, expression);
    }
    if let Some(mut body) = widener.target.body.take() {
        widener.block(&mut body);
        widener.target.body = Some(body);
    }
    widener.target.names.clear();
    for (value, name) in &function.names {
        let index = value.index();
        if let Some(new) = widener.narrow[index].or(widener.wide[index]) {
            widener.target.names.insert(new, name.clone());
        }
    }
    widener.target
}

/// The locals that hold nothing but f32 which are loaded and stored one by one.
struct Carriers {
    types: Vec<(Handle<Local>, Type)>,
    /// Pointers into them.
    roots: Vec<bool>,
}

fn carriers(function: &Function, ty: &ExpressionTypes, types: &mut Types) -> Carriers {
    let mut wide: Vec<Option<Type>> =
        function.locals.iter().map(|(_, local)| widened(types, local.ty)).collect();
    let mut roots: Vec<Option<Handle<Local>>> = vec![None; function.expressions.len()];
    for (value, expression) in function.expressions.iter() {
        match expression {
            Expression::Local(local) => roots[value.index()] = Some(*local),
            Expression::Element { base, element, index } => {
                // An index is no pointer, so only the base can be one.
                let root = roots[base.index()];
                if let Some(local) = root
                    && widened(types, *element).is_none()
                {
                    wide[local.index()] = None;
                }
                if let Some(local) = roots[index.index()] {
                    wide[local.index()] = None;
                }
                roots[value.index()] = root;
            }
            other => other.for_each_operand(|operand| {
                if let Some(local) = roots[operand.index()] {
                    wide[local.index()] = None;
                }
            }),
        }
    }
    let mut blocks: Vec<&Block> = function.body.iter().collect();
    while let Some(block) = blocks.pop() {
        for statement in &block.statements {
            blocks.extend(statement.kind.blocks());
            // The one pointer that may reach a local, if it is f32 that is loaded or stored there.
            let reached = match &statement.kind {
                StatementKind::Load { result, pointer, access }
                    if ty.get(*result) == Type::F32 && !access.volatile =>
                {
                    Some(*pointer)
                }
                StatementKind::Store { pointer, value, access }
                    if ty.get(*value) == Type::F32 && !access.volatile =>
                {
                    Some(*pointer)
                }
                _ => None,
            };
            for operand in statement.kind.operands() {
                if Some(operand) != reached
                    && let Some(local) = roots[operand.index()]
                {
                    wide[local.index()] = None;
                }
            }
        }
    }
    let is_wide = |local: Handle<Local>| wide[local.index()].is_some();
    Carriers {
        roots: roots.iter().map(|root| root.is_some_and(is_wide)).collect(),
        types: function
            .locals
            .handles()
            .zip(&wide)
            .filter_map(|(local, wide)| Some((local, (*wide)?)))
            .collect(),
    }
}

/// f64 for f32, in nested arrays too; `None` for what holds something else.
fn widened(types: &mut Types, ty: Type) -> Option<Type> {
    let mut lengths = Vec::new();
    let mut inner = ty;
    // Arrays are made of what was there before them, so this ends.
    while let Type::Array(handle) = inner {
        let origin = types.arrays().origin(handle)?;
        let array = types.arrays().get(handle)?;
        lengths.push((array.length, origin));
        inner = array.element;
    }
    if inner != Type::F32 {
        return None;
    }
    let array = |element, (length, origin)| types.array(element, length, origin);
    Some(lengths.into_iter().rev().fold(Type::F64, array))
}

struct Widener<'a> {
    source: &'a Function,
    ty: &'a ExpressionTypes,
    target: Function,
    /// The new value of an old one's own type.
    narrow: Vec<Option<Value>>,
    /// The f64 of which that is the rounding.
    wide: Vec<Option<Value>>,
    /// Results that become f64.
    results: Vec<bool>,
    /// Pointers into locals that become f64.
    roots: Vec<bool>,
}

/// Whether a small change of the operands can make a large one of the result.
fn jumps(function: MathFunction) -> bool {
    use MathFunction as M;
    matches!(
        function,
        M::Floor
            | M::Ceil
            | M::Trunc
            | M::Round
            | M::RoundEven
            | M::FloatModulo
            | M::FloatRemainder
            | M::NextAfter
            | M::LogBinary
            | M::FrexpFraction
            | M::RoundToTf32
    )
}

impl Widener<'_> {
    fn find_results(&mut self, body: &Block) {
        let mut blocks = vec![body];
        while let Some(block) = blocks.pop() {
            for statement in &block.statements {
                blocks.extend(statement.kind.blocks());
                let result = match &statement.kind {
                    StatementKind::Load { result, pointer, .. } if self.roots[pointer.index()] => {
                        *result
                    }
                    StatementKind::Shuffle { result, value, .. }
                        if self.ty.get(*value) == Type::F32 =>
                    {
                        *result
                    }
                    _ => continue,
                };
                self.results[result.index()] = true;
            }
        }
    }

    fn append(&mut self, expression: Expression, at: Value) -> Value {
        match self.source.expressions.location(at) {
            Some(location) => self.append_at(expression, location),
            None => at,
        }
    }

    fn append_at(&mut self, expression: Expression, location: Location) -> Value {
        self.target.expressions.append(expression, location)
    }

    /// The value in its own type.
    fn narrow(&mut self, value: Value) -> Value {
        if let Some(known) = self.narrow[value.index()] {
            return known;
        }
        let Some(wide) = self.wide[value.index()] else { return value };
        let kind = conversion();
        let narrow = self.append(Expression::Convert { kind, value: wide, to: Type::F32 }, value);
        self.narrow[value.index()] = Some(narrow);
        narrow
    }

    /// An f32 in f64.
    fn wide(&mut self, value: Value) -> Value {
        if let Some(known) = self.wide[value.index()] {
            return known;
        }
        let narrow = self.narrow(value);
        let expression = match &self.source.expressions[value] {
            Expression::Constant(Constant { scalar: Scalar::F32, bits }) => {
                Expression::Constant(Constant::f64(f32::from_bits(*bits as u32).into()))
            }
            _ => Expression::Convert { kind: conversion(), value: narrow, to: Type::F64 },
        };
        let wide = self.append(expression, value);
        self.wide[value.index()] = Some(wide);
        wide
    }

    /// The f64 that an f32 expression is computed in; `None` if it is not.
    fn widened(&mut self, value: Value, expression: &Expression) -> Option<Expression> {
        let nearest = |flags: &FloatFlags| flags.rounding == Rounding::NearestEven;
        Some(match expression {
            Expression::Result(_) if self.results[value.index()] => Expression::Result(Type::F64),
            Expression::Float { op, left, right, flags } if nearest(flags) => {
                let (op, left, right) = (*op, self.wide(*left), self.wide(*right));
                Expression::Float { op, left, right, flags: FloatFlags::STRICT }
            }
            Expression::FusedMultiplyAdd { a, b, c, flags } if nearest(flags) => {
                let (a, b, c) = (self.wide(*a), self.wide(*b), self.wide(*c));
                Expression::FusedMultiplyAdd { a, b, c, flags: FloatFlags::STRICT }
            }
            Expression::Unary {
                op: op @ (UnaryOp::Negate | UnaryOp::Absolute),
                value: operand,
            } if self.wide[operand.index()].is_some() => {
                Expression::Unary { op: *op, value: self.wide(*operand) }
            }
            Expression::Select { condition, accept, reject }
                if self.wide[accept.index()].is_some() || self.wide[reject.index()].is_some() =>
            {
                let condition = self.narrow(*condition);
                let (accept, reject) = (self.wide(*accept), self.wide(*reject));
                Expression::Select { condition, accept, reject }
            }
            Expression::Convert {
                kind: kind @ Conversion::IntegerToFloat(Rounding::NearestEven),
                value: operand,
                ..
            } => Expression::Convert { kind: *kind, value: self.narrow(*operand), to: Type::F64 },
            Expression::Math { function, arguments, flags }
                if nearest(flags)
                    && !jumps(*function)
                    && matches!(
                        function.class(),
                        MathClass::Float | MathClass::FloatWithI32 | MathClass::I32WithFloat
                    ) =>
            {
                let arguments = arguments
                    .iter()
                    .map(|argument| match self.ty.get(*argument) {
                        Type::F32 => self.wide(*argument),
                        _ => self.narrow(*argument),
                    })
                    .collect();
                Expression::Math { function: *function, arguments, flags: FloatFlags::STRICT }
            }
            _ => return None,
        })
    }

    fn expression(&mut self, types: &mut Types, value: Value, expression: &Expression) {
        if self.ty.get(value) == Type::F32
            && let Some(wide) = self.widened(value, expression)
        {
            self.wide[value.index()] = Some(self.append(wide, value));
            return;
        }
        let mut new = expression.clone();
        match &mut new {
            Expression::Convert { kind: Conversion::FloatToFloat { .. }, value: operand, to }
                if self.wide[operand.index()].is_some() =>
            {
                let wide = self.wide(*operand);
                if *to == Type::F64 {
                    self.narrow[value.index()] = Some(wide);
                    return;
                }
                // To any other float from more precision than f32 has, once.
                *operand = wide;
            }
            other => {
                let operands = expression.operands();
                let mut news = Vec::with_capacity(operands.len());
                for operand in operands {
                    news.push(self.narrow(operand));
                }
                let mut news = news.into_iter();
                other.for_each_operand_mut(|operand| {
                    if let Some(new) = news.next() {
                        *operand = new;
                    }
                });
                if let Expression::Element { element, .. } = other
                    && self.roots[value.index()]
                    && let Some(wide) = widened(types, *element)
                {
                    *element = wide;
                }
            }
        }
        let new = self.append(new, value);
        self.narrow[value.index()] = Some(new);
    }

    fn block(&mut self, block: &mut Block) {
        // Blocks nest to a bounded depth.
        for statement in &mut block.statements {
            self.statement(&mut statement.kind);
            for inner in statement.kind.blocks_mut() {
                self.block(inner);
            }
        }
    }

    fn statement(&mut self, kind: &mut StatementKind) {
        let carried = match kind {
            StatementKind::Store { pointer, value, .. } if self.roots[pointer.index()] => {
                Some(*value)
            }
            StatementKind::Shuffle { result, value, .. } if self.results[result.index()] => {
                Some(*value)
            }
            _ => None,
        };
        let results = kind.results();
        kind.for_each_value_mut(|value| {
            let index = value.index();
            *value = if results.contains(value) {
                self.wide[index]
                    .filter(|_| self.results[index])
                    .or(self.narrow[index])
                    .unwrap_or(*value)
            } else if Some(*value) == carried {
                self.wide(*value)
            } else {
                self.narrow(*value)
            };
        });
    }
}

fn conversion() -> Conversion {
    Conversion::FloatToFloat { rounding: Rounding::NearestEven, saturate: false }
}
