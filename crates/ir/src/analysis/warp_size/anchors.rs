//! Constants that reach the width, lane or mask of a warp operation, or meet a mask of lanes.

use std::collections::HashSet;

use super::super::program::Node;
use super::{
    AssumptionKind, Certainty, Finder, Reason, comparison, integer, is_integer_conversion,
};
use crate::expression::Expression;
use crate::operation::{Builtin, IntegerOp, MathFunction};
use crate::statement::{BarrierScope, ShuffleMode, StatementKind, Value};
use crate::types::Type;

/// How a constant may have been changed on its way to an operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Not at all.
    Unchanged,
    /// It is halved: by shifts, or by a division.
    Halved,
    /// It is part of the arithmetic of a lane's number.
    Lane,
}

/// What a followed constant met last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Met {
    Nothing,
    /// It is the right operand of a remainder.
    Remainder,
    /// It is the right operand of `and`.
    And,
}

impl Finder<'_, '_> {
    /// Looks at every warp operation.
    pub(super) fn anchors(&mut self) {
        let program = self.program;
        for (handle, flow) in program.functions() {
            for (_, entry) in flow.statements() {
                let node = |value: Value| (handle, value);
                let at = entry.statement.location;
                let kind = &entry.statement.kind;
                match kind {
                    StatementKind::Shuffle { mode, mask, lane, width, .. } => {
                        self.mask(mask.map(node), at);
                        self.shuffle(*mode, node(*lane), width.map(node), at);
                    }
                    StatementKind::Vote { mask, .. }
                    | StatementKind::Match { mask, .. }
                    | StatementKind::WarpReduce { mask, .. }
                    | StatementKind::Elect { mask, .. }
                    | StatementKind::Barrier { scope: BarrierScope::Warp, mask, .. } => {
                        self.mask(mask.map(node), at);
                    }
                    _ => {}
                }
                let gives_mask = matches!(
                    kind,
                    StatementKind::Vote { kind: crate::statement::VoteKind::Ballot, .. }
                        | StatementKind::Match { .. }
                        | StatementKind::ActiveMask { .. }
                );
                if gives_mask && let Some(result) = kind.results().first() {
                    self.narrow_mask(node(*result));
                }
            }
            for (value, expression) in flow.function.expressions.iter() {
                if program.is_used((handle, value)) {
                    self.mask_arithmetic((handle, value), expression);
                }
            }
        }
    }

    fn mask(&mut self, mask: Option<Node>, at: crate::Location) {
        let Some(mask) = mask else { return };
        let reason = Reason { location: at, text: "is the mask of this warp operation" };
        for (node, value, _, mut reasons) in self.constants(mask, Way::Unchanged) {
            if self.is_full_mask(value) {
                reasons.push(reason);
                self.report(AssumptionKind::FullMask, Certainty::Certain, (node, value), reasons);
            }
        }
    }

    fn shuffle(&mut self, mode: ShuffleMode, lane: Node, width: Option<Node>, at: crate::Location) {
        let mut segment = self.width;
        if let Some(width) = width {
            let reason = Reason { location: at, text: "is the width of this shuffle" };
            for (node, value, met, mut reasons) in self.constants(width, Way::Unchanged) {
                if met == Met::Nothing && value == self.width {
                    reasons.push(reason);
                    self.report(
                        AssumptionKind::ShuffleWidth,
                        Certainty::Certain,
                        (node, value),
                        reasons,
                    );
                } else {
                    segment = value;
                }
            }
            // Narrower segments are meant as they are, whatever the width of the warp.
            if segment != self.width {
                return;
            }
        }
        let (way, text) = match mode {
            ShuffleMode::Index => (Way::Lane, "counts the lanes of this shuffle"),
            _ => (Way::Halved, "is the distance of this shuffle"),
        };
        let reason = Reason { location: at, text };
        for (node, value, met, mut reasons) in self.constants(lane, way) {
            let kind = match (way, met) {
                (Way::Halved, Met::Nothing) if value == self.width / 2 => {
                    AssumptionKind::ShuffleDistance
                }
                (Way::Lane, Met::Remainder) if value == self.width => AssumptionKind::LaneNumber,
                (Way::Lane, Met::Nothing | Met::And) if value == self.width - 1 => {
                    AssumptionKind::LaneNumber
                }
                _ => continue,
            };
            reasons.push(reason);
            self.report(kind, Certainty::Certain, (node, value), reasons);
        }
    }

    fn narrow_mask(&mut self, result: Node) {
        let bits = match self.program.info(result.0).types.get(result.1) {
            Type::Scalar(scalar) => i128::from(scalar.bits()),
            _ => return,
        };
        if bits == self.width {
            let kind = AssumptionKind::NarrowMask;
            self.report(kind, Certainty::Certain, (result, bits), Vec::new());
        }
    }

    /// Constants that meet a mask of lanes: `mask == 0xffffffff`, `31 - clz(mask)`.
    fn mask_arithmetic(&mut self, node: Node, expression: &Expression) {
        let operands = integer(expression)
            .map(|(_, operands)| operands)
            .or_else(|| comparison(expression).map(|(_, operands)| operands));
        let Some([left, right]) = operands else { return };
        let function = node.0;
        let Some(location) = self.program.location(node) else { return };
        for (mask, other) in [(left, right), (right, left)] {
            if !self.is_lane_mask((function, mask)) {
                continue;
            }
            let Some((constant, value)) = self.constant((function, other)) else { continue };
            if self.is_full_mask(value) {
                let reason = Reason { location, text: "meets a mask of lanes" };
                let kind = AssumptionKind::FullMask;
                self.report(kind, Certainty::Certain, (constant, value), vec![reason]);
            }
        }
        let counts_zeros = |value: Value| {
            let plain = self.program.flow(function).plain(value);
            match self.program.expression((function, plain)) {
                Expression::Math {
                    function: MathFunction::CountLeadingZeros, arguments, ..
                } => arguments.first().is_some_and(|mask| self.is_lane_mask((function, *mask))),
                _ => false,
            }
        };
        if let Some((IntegerOp::Subtract, _)) = integer(expression)
            && counts_zeros(right)
            && let Some((constant, value)) = self.constant((function, left))
            && (value == self.width || value == self.width - 1)
        {
            let reason = Reason { location, text: "counts the bits of a mask of lanes" };
            let kind = AssumptionKind::LaneNumber;
            self.report(kind, Certainty::Certain, (constant, value), vec![reason]);
        }
    }

    /// Whether a value is a mask of lanes that a warp operation gave, or made of one by bits.
    fn is_lane_mask(&self, (function, value): Node) -> bool {
        let flow = self.program.flow(function);
        let mut value = flow.plain(value);
        for _ in 0..16 {
            match self.program.expression((function, value)) {
                Expression::Builtin(Builtin::LaneMask(_)) => return true,
                Expression::Result(_) => {
                    return matches!(
                        self.program.definer((function, value)),
                        Some((
                            _,
                            StatementKind::Vote { kind: crate::statement::VoteKind::Ballot, .. }
                                | StatementKind::Match { .. }
                                | StatementKind::ActiveMask { .. }
                        ))
                    );
                }
                Expression::Integer { op: IntegerOp::And, left, .. } => value = flow.plain(*left),
                _ => return false,
            }
        }
        false
    }

    /// The constants that may reach a value through locals, arguments, choices and the arithmetic
    /// that `way` allows, with what they met and the places on the way.
    fn constants(&self, start: Node, way: Way) -> Vec<(Node, i128, Met, Vec<Reason>)> {
        let mut found = Vec::new();
        let mut seen: HashSet<Node> = HashSet::new();
        // Nodes with what was met on the way and the places passed, nearest to the use first.
        let mut work: Vec<(Node, Met, Vec<Reason>)> = vec![(start, Met::Nothing, Vec::new())];
        while let Some((node, met, path)) = work.pop() {
            if !seen.insert(node) || path.len() > 32 {
                continue;
            }
            let (function, _) = node;
            if let Some((leaf, value)) = self.constant(node) {
                found.push((leaf, value, met, path.iter().rev().copied().collect()));
                continue;
            }
            let mut follow = |value: Value, met: Met| {
                work.push(((function, value), met, path.clone()));
            };
            match self.program.expression(node) {
                Expression::Convert { kind, value, .. } if is_integer_conversion(*kind) => {
                    follow(*value, met);
                }
                Expression::Select { accept, reject, .. } => {
                    follow(*accept, met);
                    follow(*reject, met);
                }
                Expression::Integer { op, left, right } => match (way, op) {
                    (Way::Halved, IntegerOp::ShiftRight | IntegerOp::Divide) => {
                        // A loop's variable is halved again and again; what it was at first is
                        // what counts.
                        let by = self.constant((function, *right)).map(|(_, value)| value);
                        let halves = matches!((op, by), (IntegerOp::Divide, Some(2)))
                            || matches!((op, by), (IntegerOp::ShiftRight, Some(1)));
                        if halves {
                            follow(*left, met);
                        }
                    }
                    (Way::Lane, IntegerOp::Remainder) => {
                        follow(*left, Met::Nothing);
                        follow(*right, Met::Remainder);
                    }
                    (Way::Lane, IntegerOp::And) => {
                        follow(*left, Met::Nothing);
                        follow(*right, Met::And);
                    }
                    (Way::Lane, IntegerOp::Add | IntegerOp::Subtract) => {
                        follow(*left, Met::Nothing);
                        follow(*right, Met::Nothing);
                    }
                    _ => {}
                },
                Expression::Argument(index) => {
                    for passed in self.program.passed(function, *index) {
                        let mut path = path.clone();
                        if let Some(location) = self.program.location(passed) {
                            path.push(Reason { location, text: "is passed to a function" });
                        }
                        work.push((passed, met, path));
                    }
                }
                Expression::Result(_) => {
                    for stored in self.program.stored(node).unwrap_or_default() {
                        let mut path = path.clone();
                        if let Some(location) = self.program.location(node) {
                            path.push(Reason { location, text: "is read from a variable" });
                        }
                        work.push((stored, met, path));
                    }
                }
                _ => {}
            }
        }
        found
    }
}
