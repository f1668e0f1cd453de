//! Constants that split thread numbers into lanes and warps, that are the stride of a lane, guard
//! what one warp does, or size an array by warps.

use super::super::flow::{Root, StatementId};
use super::super::program::Node;
use super::{
    Assumption, AssumptionKind, Certainty, Finder, Reason, comparison, counts_threads, integer,
};
use crate::arena::Handle;
use crate::expression::Expression;
use crate::function::Function;
use crate::module::Extent;
use crate::operation::{Axis, Builtin, CompareOp, IntegerOp};
use crate::statement::{StatementKind, Value};
use crate::types::{Space, Type};

/// Threads of the largest block of the source's model.
const LARGEST_BLOCK: i128 = 1024;

/// What a value counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// The number of a thread in its block or grid.
    Thread,
    /// The number of threads in a block.
    Threads,
    /// Something else.
    Other,
}

impl Finder<'_, '_> {
    /// Looks at all arithmetic.
    pub(super) fn threads(&mut self) {
        let program = self.program;
        for (handle, flow) in program.functions() {
            let near = self.near[handle.index()];
            for (value, _) in flow.function.expressions.iter() {
                let node = (handle, value);
                if near && program.is_used(node) {
                    self.splits(node);
                    self.strides(node);
                    self.last_lane(node);
                    self.extents(node);
                }
            }
            for (id, _) in flow.statements() {
                self.guards(handle, id);
            }
        }
    }

    fn certainty(&self, node: Node) -> Certainty {
        if self.touched.contains(node) { Certainty::Certain } else { Certainty::Likely }
    }

    /// What a value counts: thread numbers may have anything added that does not itself depend on
    /// the thread, and stay thread numbers.
    fn counts(&self, (function, value): Node, depth: u32) -> Counts {
        let flow = self.program.flow(function);
        let value = flow.plain(value);
        match self.program.expression((function, value)) {
            Expression::Builtin(Builtin::ThreadIndex(Axis::X)) => Counts::Thread,
            Expression::Builtin(builtin) if counts_threads(*builtin) => Counts::Threads,
            Expression::Integer { op, left, right } if depth > 0 => {
                let left = self.counts((function, *left), depth - 1);
                let right_value = *right;
                let right = self.counts((function, right_value), depth - 1);
                match (op, left, right) {
                    (IntegerOp::Add, Counts::Thread, Counts::Other | Counts::Threads)
                    | (IntegerOp::Add, Counts::Other | Counts::Threads, Counts::Thread) => {
                        Counts::Thread
                    }
                    (IntegerOp::Multiply, Counts::Threads, Counts::Threads) => Counts::Threads,
                    // Rounded up to whole warps.
                    (IntegerOp::Add, Counts::Threads, Counts::Other)
                        if self
                            .constant((function, right_value))
                            .is_some_and(|(_, value)| value == self.width - 1) =>
                    {
                        Counts::Threads
                    }
                    _ => Counts::Other,
                }
            }
            _ => Counts::Other,
        }
    }

    /// `tid % 32`, `tid & 31`, `tid / 32`, `tid >> 5`: whether it is one, with the constant.
    fn split(&self, node: Node) -> Option<(AssumptionKind, (Node, i128))> {
        let (op, [left, right]) = integer(self.program.expression(node))?;
        let constant = self.constant((node.0, right))?;
        let shift = i128::from(self.width.trailing_zeros());
        let lane = match (op, constant.1) {
            (IntegerOp::Remainder, value) if value == self.width => true,
            (IntegerOp::And, value) if value == self.width - 1 => true,
            (IntegerOp::Divide, value) if value == self.width => false,
            (IntegerOp::ShiftRight, value) if value == shift => false,
            _ => return None,
        };
        let kind = match (self.counts((node.0, left), 8), lane) {
            (Counts::Thread, true) => AssumptionKind::LaneIndex,
            (Counts::Thread, false) => AssumptionKind::WarpIndex,
            (Counts::Threads, false) => AssumptionKind::WarpCount,
            _ => return None,
        };
        Some((kind, constant))
    }

    fn splits(&mut self, node: Node) {
        let Some((kind, constant)) = self.split(node) else { return };
        let Some(location) = self.program.location(node) else { return };
        let certainty = self.certainty(node);
        let text = match kind {
            AssumptionKind::LaneIndex => "gives the lane of a thread",
            AssumptionKind::WarpIndex => "gives the warp of a thread",
            _ => "gives the number of warps",
        };
        self.report(kind, certainty, constant, vec![Reason { location, text }]);
    }

    /// Whether a value is the number of a lane, and how sure that is.
    fn lane(&self, (function, value): Node) -> Option<Certainty> {
        let plain = (function, self.program.flow(function).plain(value));
        match self.program.expression(plain) {
            Expression::Builtin(Builtin::LaneId) => Some(Certainty::Certain),
            _ => match self.split(plain)? {
                (AssumptionKind::LaneIndex, _) => Some(self.certainty(plain)),
                _ => None,
            },
        }
    }

    /// Whether a value is the number of a lane, or that and something else.
    fn starts_at_lane(&self, (function, value): Node) -> Option<Certainty> {
        let plain = (function, self.program.flow(function).plain(value));
        self.lane(plain).or_else(|| match integer(self.program.expression(plain))? {
            (IntegerOp::Add, operands) => {
                operands.into_iter().find_map(|operand| self.lane((function, operand)))
            }
            _ => None,
        })
    }

    /// Whether a value is the number of a warp, and how sure that is.
    fn warp(&self, (function, value): Node) -> Option<Certainty> {
        let plain = (function, self.program.flow(function).plain(value));
        match self.program.expression(plain) {
            Expression::Builtin(Builtin::WarpId) => Some(Certainty::Certain),
            _ => match self.split(plain)? {
                (AssumptionKind::WarpIndex, _) => Some(self.certainty(plain)),
                _ => None,
            },
        }
    }

    /// `i += 32` where `i` began as a lane, and `lane + 32 * k`.
    fn strides(&mut self, node: Node) {
        let Some((IntegerOp::Add, operands)) = integer(self.program.expression(node)) else {
            return;
        };
        let Some(location) = self.program.location(node) else { return };
        let function = node.0;
        for (base, other) in [(operands[0], operands[1]), (operands[1], operands[0])] {
            // A variable that may hold a lane or itself moved on.
            let began = self.program.stored((function, base)).unwrap_or_default();
            let lane = began.iter().find_map(|stored| self.starts_at_lane(*stored));
            if let Some(certainty) = lane
                && let Some(constant) = self.constant((function, other))
                && constant.1 == self.width
            {
                let reason = Reason { location, text: "moves a lane on" };
                self.report(AssumptionKind::LaneStride, certainty, constant, vec![reason]);
            }
            if let Some(certainty) = self.lane((function, base))
                && let Some(constant) = self.multiple((function, other))
            {
                let reason = Reason { location, text: "moves a lane on" };
                self.report(AssumptionKind::LaneStride, certainty, constant, vec![reason]);
            }
        }
    }

    /// The constant of `k * 32` or `k << 5`.
    fn multiple(&self, (function, value): Node) -> Option<(Node, i128)> {
        let plain = self.program.flow(function).plain(value);
        let (op, [left, right]) = integer(self.program.expression((function, plain)))?;
        let shift = i128::from(self.width.trailing_zeros());
        let is = |value: Value, wanted: i128| {
            self.constant((function, value)).filter(|(_, found)| *found == wanted)
        };
        match op {
            IntegerOp::Multiply => is(right, self.width).or_else(|| is(left, self.width)),
            IntegerOp::ShiftLeft => is(right, shift),
            _ => None,
        }
    }

    /// `lane == 31`
    fn last_lane(&mut self, node: Node) {
        let Some((op, [left, right])) = comparison(self.program.expression(node)) else { return };
        if !matches!(op, CompareOp::Equal | CompareOp::NotEqual) {
            return;
        }
        let Some(location) = self.program.location(node) else { return };
        for (lane, other) in [(left, right), (right, left)] {
            if let Some(certainty) = self.lane((node.0, lane))
                && let Some(constant) = self.constant((node.0, other))
                && constant.1 == self.width - 1
            {
                let reason = Reason { location, text: "selects the last lane" };
                self.report(AssumptionKind::LaneNumber, certainty, constant, vec![reason]);
            }
        }
    }

    /// A shared array with a place for each warp or lane.
    fn extents(&mut self, node: Node) {
        let Expression::Element { base, index, .. } = self.program.expression(node) else {
            return;
        };
        let (function, _) = node;
        let Root::Variable(handle) = self.program.flow(function).root(*base) else { return };
        let module = self.program.module;
        let Some(variable) = module.variables.get(handle) else { return };
        let Type::Array(array) = variable.ty else { return };
        let Some(array) = module.types.arrays().get(array) else { return };
        let length = i128::from(array.length);
        let by_warp = self
            .warp((function, *index))
            .filter(|_| length == self.width || length * self.width == LARGEST_BLOCK);
        let by_lane = self.lane((function, *index)).filter(|_| length == self.width);
        let fixed = variable.space == Space::Shared && variable.extent == Extent::Fixed;
        let Some(certainty) = by_warp.or(by_lane).filter(|_| fixed) else { return };
        let Some(location) = module.variables.location(handle) else { return };
        let text = "bounds what is indexed by warp or lane here";
        let reasons = self
            .program
            .location(node)
            .map(|location| Reason { location, text })
            .into_iter()
            .collect();
        self.found.push(Assumption {
            kind: AssumptionKind::ArrayExtent,
            certainty,
            function: None,
            constant: length,
            location,
            reasons,
        });
    }

    /// `if (tid < 32)` around what a warp does.
    fn guards(&mut self, function: Handle<Function>, id: StatementId) {
        let flow = self.program.flow(function);
        let entry = flow.entry(id);
        let StatementKind::If { condition, .. } = &entry.statement.kind else { return };
        let mut conditions = vec![*condition];
        let mut bounds = Vec::new();
        while let Some(condition) = conditions.pop() {
            let plain = flow.plain(condition);
            let expression = self.program.expression((function, plain));
            if let Some((IntegerOp::And | IntegerOp::Or, operands)) = integer(expression) {
                conditions.extend(operands);
            }
            let Some((op, [left, right])) = comparison(expression) else { continue };
            let Some(constant) = self.constant((function, right)) else { continue };
            let bound = match op {
                CompareOp::Less | CompareOp::GreaterEqual => constant.1,
                CompareOp::LessEqual | CompareOp::Greater => constant.1 + 1,
                _ => continue,
            };
            if bound == self.width && self.counts((function, left), 8) == Counts::Thread {
                bounds.push(constant);
            }
        }
        if bounds.is_empty() {
            return;
        }
        let work = self.warp_work(function, id);
        let location = entry.statement.location;
        for constant in bounds {
            let kind = match work {
                Work::Operations => AssumptionKind::WarpGuard,
                Work::Volatile => AssumptionKind::ImplicitSynchrony,
                Work::Other => continue,
            };
            let reason = Reason { location, text: "lets the first warp through" };
            self.report(kind, Certainty::Certain, constant, vec![reason]);
        }
    }

    /// What the statements do that an if lets only some threads reach: those inside, and if it
    /// returns, those after it in the same block.
    fn warp_work(&self, function: Handle<Function>, id: StatementId) -> Work {
        let mut work = Work::Other;
        let flow = self.program.flow(function);
        let returns = matches!(&flow.entry(id).statement.kind, StatementKind::If { accept, .. }
            if matches!(accept.statements.last().map(|last| &last.kind),
                Some(StatementKind::Return { .. })));
        let parent = flow.entry(id).parent;
        let after = flow
            .statements()
            .filter(|(other, entry)| returns && entry.parent == parent && id < *other);
        let after = after
            .flat_map(|(other, entry)| std::iter::once((other, entry)).chain(flow.inside(other)));
        for (_, entry) in flow.inside(id).chain(after) {
            let kind = &entry.statement.kind;
            if matches!(kind, StatementKind::Barrier { .. }) {
                continue;
            }
            if super::is_warp_operation(self.program, kind) {
                return Work::Operations;
            }
            if self.is_volatile_shared(function, kind) {
                work = Work::Volatile;
            }
        }
        work
    }

    /// Whether a statement accesses shared memory as volatile, or calls a function that does.
    fn is_volatile_shared(&self, function: Handle<Function>, kind: &StatementKind) -> bool {
        let shared = |pointer: Value| {
            let space = self.program.info(function).types.get(pointer).space();
            matches!(space, Some(Space::Shared | Space::Generic))
        };
        match kind {
            StatementKind::Load { pointer, access, .. }
            | StatementKind::Store { pointer, access, .. } => access.volatile && shared(*pointer),
            StatementKind::Call { function: callee, .. } if *callee != function => {
                // One level is how the idiom is written; deeper calls are looked at one by one.
                let flow = self.program.flow(*callee);
                flow.statements().any(|(_, entry)| match &entry.statement.kind {
                    StatementKind::Load { pointer, access, .. }
                    | StatementKind::Store { pointer, access, .. } => {
                        let space = self.program.info(*callee).types.get(*pointer).space();
                        access.volatile && matches!(space, Some(Space::Shared | Space::Generic))
                    }
                    _ => false,
                })
            }
            _ => false,
        }
    }
}

/// What a guarded block does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Warp operations.
    Operations,
    /// Accesses to volatile shared memory.
    Volatile,
    /// Neither.
    Other,
}
