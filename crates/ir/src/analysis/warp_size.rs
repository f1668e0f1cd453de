//! Constants that stand for the number of lanes in a warp.
//!
//! A program that says 32 where it means the width of a warp is right only for warps of 32 lanes.
//! Most 32s mean something else. So a constant is reported for what the program does with it: it
//! reaches the width, lane or mask of a warp operation, it splits thread numbers into lanes and
//! warps, it is the stride of a lane, it guards what one warp does for its block.
//!
//! The source's width is an argument. [`Certainty::Certain`] is for constants that reach a warp
//! operation, guard one, or place what one has computed; [`Certainty::Likely`] for constants that
//! split thread numbers in a kernel that has warp operations elsewhere. What could be a tile as well
//! as a warp is not reported: a missing report is better than a wrong one.

mod anchors;
mod threads;

use super::program::{Node, NodeSet, Program};
use crate::arena::{Handle, Location};
use crate::expression::Expression;
use crate::function::Function;
use crate::operation::{Builtin, CompareOp, Conversion, IntegerOp};
use crate::statement::StatementKind;

/// What a constant is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AssumptionKind {
    /// The width of a shuffle is the width of a warp.
    ShuffleWidth,
    /// A shuffle reaches half a warp far: the first step of an exchange over the warp.
    ShuffleDistance,
    /// The number of the last lane, or of a lane modulo the width.
    LaneNumber,
    /// A mask of all lanes.
    FullMask,
    /// A mask of lanes is kept in as many bits as the source's warps have lanes. There is no
    /// constant.
    NarrowMask,
    /// A thread number is taken modulo the width: a lane.
    LaneIndex,
    /// A thread number is divided by the width: a warp.
    WarpIndex,
    /// A number of threads is divided by the width: a number of warps.
    WarpCount,
    /// Each lane goes on by the width of a warp.
    LaneStride,
    /// The threads of the first warp are told apart by their number.
    WarpGuard,
    /// As [`AssumptionKind::WarpGuard`], and they work on volatile shared memory without barriers:
    /// they also rely on advancing together.
    ImplicitSynchrony,
    /// A shared array has a place for each lane, or for each warp of the largest block.
    ArrayExtent,
}

impl AssumptionKind {
    /// A few words that complete "the constant is …".
    pub fn description(self) -> &'static str {
        match self {
            AssumptionKind::ShuffleWidth => "the width of a shuffle over the whole warp",
            AssumptionKind::ShuffleDistance => {
                "the first distance of a shuffle over the whole warp"
            }
            AssumptionKind::LaneNumber => "a lane's number counted from the width of the warp",
            AssumptionKind::FullMask => "the mask of all lanes",
            AssumptionKind::NarrowMask => "a mask of lanes with as many bits",
            AssumptionKind::LaneIndex => "the divisor that gives a thread's lane",
            AssumptionKind::WarpIndex => "the divisor that gives a thread's warp",
            AssumptionKind::WarpCount => "the divisor that gives the number of warps",
            AssumptionKind::LaneStride => "the stride of a lane",
            AssumptionKind::WarpGuard => "the bound that selects the first warp",
            AssumptionKind::ImplicitSynchrony => {
                "the bound that selects the first warp, whose lanes go on without a barrier"
            }
            AssumptionKind::ArrayExtent => {
                "the extent of an array with a place for each warp or lane"
            }
        }
    }
}

/// How sure it is that the width of a warp is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// It reaches a warp operation.
    Certain,
    /// It looks like it, in a kernel that has warp operations.
    Likely,
}

/// A step from the constant to what it is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    /// The place.
    pub location: Location,
    /// What happens there: completes "the constant …".
    pub text: &'static str,
}

/// A constant that stands for the width of a warp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// What it is used as.
    pub kind: AssumptionKind,
    /// How sure that is.
    pub certainty: Certainty,
    /// The function that it is in; `None` for the extent of a variable.
    pub function: Option<Handle<Function>>,
    /// Its value; for [`AssumptionKind::NarrowMask`] the number of bits.
    pub constant: i128,
    /// Its place.
    pub location: Location,
    /// From the constant to its use.
    pub reasons: Vec<Reason>,
}

/// All constants of a program that stand for `width`, a power of two, in the order of their places.
pub fn find(program: &Program<'_>, width: u32) -> Vec<Assumption> {
    if !width.is_power_of_two() || width < 2 {
        return Vec::new();
    }
    let mut finder = Finder {
        program,
        width: i128::from(width),
        touched: touched(program),
        near: near_warp_operations(program),
        found: Vec::new(),
    };
    finder.anchors();
    finder.threads();
    let mut found = finder.found;
    let function = |a: &Assumption| a.function.map(Handle::index);
    found.sort_by_key(|a| (order(&a.location), a.kind, function(a), a.certainty, a.constant));
    // A constant may reach one use on several ways; the first, surest one stands for all. Each
    // function that holds it is told of.
    found.dedup_by_key(|a| (order(&a.location), a.kind, function(a)));
    found
}

fn order(location: &Location) -> (u32, u32, u32, u32) {
    let span = location.origin.span;
    let expansion = location.origin.expansion.map_or(0, |expansion| expansion.0 + 1);
    (span.file.0, span.start, span.end, expansion)
}

struct Finder<'p, 'a> {
    program: &'p Program<'a>,
    /// Lanes of the source's warps.
    width: i128,
    /// What reaches a warp operation, guards one, or places what one has computed.
    touched: NodeSet,
    /// For each function, whether a kernel that reaches it has warp operations.
    near: Vec<bool>,
    found: Vec<Assumption>,
}

impl Finder<'_, '_> {
    fn report(
        &mut self,
        kind: AssumptionKind,
        certainty: Certainty,
        constant: (Node, i128),
        reasons: Vec<Reason>,
    ) {
        let (node, value) = constant;
        let Some(location) = self.program.location(node) else { return };
        self.found.push(Assumption {
            kind,
            certainty,
            function: Some(node.0),
            constant: value,
            location,
            reasons,
        });
    }

    /// The integer that a node is, seen through conversions, arithmetic on constants, and locals
    /// that hold only one value; with the constant in it that says the most: the width if it is
    /// there.
    fn constant(&self, (function, value): Node) -> Option<(Node, i128)> {
        let flow = self.program.flow(function);
        let mut leaves = Vec::new();
        let folded = flow.constant(value, &mut leaves)?;
        let is = |leaf: &&crate::statement::Value, wanted: i128| match self
            .program
            .expression((function, **leaf))
        {
            Expression::Constant(constant) => constant.as_integer() == Some(wanted),
            _ => false,
        };
        let width = leaves.iter().find(|leaf| is(leaf, self.width));
        let leaf = width.or_else(|| leaves.iter().find(|leaf| is(leaf, folded)));
        let leaf = leaf.or(leaves.first())?;
        Some(((function, *leaf), folded))
    }

    /// The mask with a bit for each lane.
    fn full_mask(&self) -> i128 {
        if self.width >= 64 { i128::from(u64::MAX) } else { (1 << self.width) - 1 }
    }

    /// Whether these bits are the mask of all lanes; written as a signed number it is −1.
    fn is_full_mask(&self, value: i128) -> bool {
        value == self.full_mask() || value == -1
    }
}

/// For each function, whether a kernel that reaches it executes warp operations. A function that no
/// kernel reaches counts by itself.
fn near_warp_operations(program: &Program<'_>) -> Vec<bool> {
    let mut near: Vec<bool> = program
        .functions()
        .map(|(handle, _)| {
            let convergent = program.info(handle).convergent;
            convergent.warp_operations || convergent.matrices
        })
        .collect();
    // Down from each function that has them to what it calls.
    let mut work: Vec<usize> = (0..near.len()).filter(|index| near[*index]).collect();
    while let Some(index) = work.pop() {
        for callee in &program.info(Handle::from_index(index)).callees {
            if !near[callee.index()] {
                near[callee.index()] = true;
                work.push(callee.index());
            }
        }
    }
    near
}

/// Whether a statement is a warp operation, or calls a function that executes some.
fn is_warp_operation(program: &Program<'_>, kind: &StatementKind) -> bool {
    match kind {
        StatementKind::Barrier { mask, .. } => mask.is_some(),
        StatementKind::Call { function, .. } => program.info(*function).convergent.warp_operations,
        StatementKind::MatrixLoad { .. }
        | StatementKind::MatrixStore { .. }
        | StatementKind::MatrixMultiply { .. } => false,
        kind => kind.is_convergent(),
    }
}

/// What reaches a warp operation, guards one, or places what one has computed.
fn touched(program: &Program<'_>) -> NodeSet {
    let computed = computed_by_warps(program);
    let mut start: Vec<Node> = Vec::new();
    for (handle, flow) in program.functions() {
        for (id, entry) in flow.statements() {
            let kind = &entry.statement.kind;
            let operates = is_warp_operation(program, kind);
            if operates {
                start.extend(kind.operands().into_iter().map(|value| (handle, value)));
            }
            let places = match kind {
                StatementKind::Store { pointer, value, .. }
                | StatementKind::Atomic { pointer, value, .. }
                    if computed.contains((handle, *value)) =>
                {
                    start.push((handle, *pointer));
                    true
                }
                _ => false,
            };
            if operates || places {
                for (parent, _) in flow.parents(id) {
                    start.extend(guard(&flow.entry(parent).statement.kind).map(|v| (handle, v)));
                }
            }
        }
    }
    let mut touched = NodeSet::new(program);
    while let Some(node) = start.pop() {
        if !touched.insert(node) {
            continue;
        }
        start.extend(program.dependencies(node));
        // What decides whether a local was stored to also decides what is read from it.
        let (function, value) = node;
        let flow = program.flow(function);
        for definition in flow.definitions(value).unwrap_or_default() {
            let Some(store) = definition.statement() else { continue };
            for (parent, _) in flow.parents(store) {
                start.extend(guard(&flow.entry(parent).statement.kind).map(|v| (function, v)));
            }
        }
    }
    touched
}

/// The value that decides whether, or how often, the blocks of a statement are executed.
fn guard(kind: &StatementKind) -> Option<crate::statement::Value> {
    match kind {
        StatementKind::If { condition, .. } => Some(*condition),
        StatementKind::Switch { selector, .. } => Some(*selector),
        StatementKind::Loop(looping) => looping.test,
        _ => None,
    }
}

/// The values that depend on the result of a warp operation through arithmetic and locals.
fn computed_by_warps(program: &Program<'_>) -> NodeSet {
    let mut computed = NodeSet::new(program);
    for (handle, flow) in program.functions() {
        for (_, entry) in flow.statements() {
            if is_warp_operation(program, &entry.statement.kind) {
                for result in entry.statement.kind.results() {
                    computed.insert((handle, result));
                }
            }
        }
        // Locals can carry a value backwards in the arena, so this is repeated until nothing is
        // new; each round follows at least one more local.
        let mut changed = true;
        while changed {
            changed = false;
            for (value, expression) in flow.function.expressions.iter() {
                let node = (handle, value);
                if computed.contains(node) {
                    continue;
                }
                let mut depends = false;
                expression.for_each_operand(|o| depends |= computed.contains((handle, o)));
                if let Expression::Result(_) = expression {
                    let stored = program.stored(node).unwrap_or_default();
                    depends |= stored.iter().any(|stored| computed.contains(*stored));
                }
                if depends {
                    changed |= computed.insert(node);
                }
            }
        }
    }
    computed
}

/// Whether an expression is a conversion between integers.
fn is_integer_conversion(kind: Conversion) -> bool {
    matches!(
        kind,
        Conversion::ZeroExtend | Conversion::SignExtend | Conversion::Truncate | Conversion::Bits
    )
}

/// The operands of an integer operation.
fn integer(expression: &Expression) -> Option<(IntegerOp, [crate::statement::Value; 2])> {
    match expression {
        Expression::Integer { op, left, right } => Some((*op, [*left, *right])),
        _ => None,
    }
}

/// The operands of a comparison.
fn comparison(expression: &Expression) -> Option<(CompareOp, [crate::statement::Value; 2])> {
    match expression {
        Expression::Compare { op, left, right } => Some((*op, [*left, *right])),
        _ => None,
    }
}

/// Whether a built-in value counts threads of a block.
fn counts_threads(builtin: Builtin) -> bool {
    matches!(builtin, Builtin::BlockDim(_))
}
