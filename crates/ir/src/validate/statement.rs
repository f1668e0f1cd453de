//! Rules about statements: results and their scope, memory, control, and what threads do together.

use super::{Errors, FunctionInfo, Rule};
use crate::arena::Location;
use crate::expression::Expression;
use crate::function::Function;
use crate::module::Module;
use crate::operation::Constant;
use crate::scope::{Place, ScopeTree};
use crate::statement::{
    Access, AtomicOp, BarrierReduction, BarrierScope, Block, CacheHint, ClockKind, MemoryOrder,
    Statement, StatementKind, SwitchCase, Value, VoteKind,
};
use crate::types::{Fragment, FragmentUse, Scalar, Space, Type};

/// Checks the body of a function, and counts the uses that statements make of expressions.
pub(super) fn check(
    module: &Module,
    function: &Function,
    info: &mut FunctionInfo,
    errors: &mut Errors,
) {
    let Some(body) = &function.body else { return };
    let tree = ScopeTree::of(function);
    if tree.is_too_deep() {
        let location = body.statements.first().map(|statement| statement.location);
        return errors.report(Rule::Depth, location, "blocks are nested too deeply");
    }
    let mut checker = Checker {
        module,
        function,
        errors,
        definitions: vec![None; function.expressions.len()],
        needs: Vec::new(),
        tree,
        info,
    };
    checker.define(body);
    checker.find_needs();
    checker.block(body, Context::default());
}

/// Which results an expression needs.
#[derive(Clone, Copy, Debug)]
enum Need {
    Nothing,
    /// All that it needs is visible where the result defined here is.
    Result(Place),
    /// Results that are never visible together, or one that no statement defines.
    Impossible,
}

/// What is around a block.
#[derive(Clone, Copy, Default)]
struct Context {
    in_loop: bool,
    in_switch: bool,
    /// In the condition or step of a loop.
    in_header: bool,
}

struct Checker<'a> {
    module: &'a Module,
    function: &'a Function,
    info: &'a mut FunctionInfo,
    errors: &'a mut Errors,
    tree: ScopeTree,
    /// Where each result is defined.
    definitions: Vec<Option<Place>>,
    needs: Vec<Need>,
}

impl Checker<'_> {
    fn report(&mut self, rule: Rule, location: Location, message: impl Into<String>) {
        self.errors.report(rule, Some(location), message);
    }

    fn require(&mut self, holds: bool, rule: Rule, location: Location, message: &str) {
        if !holds {
            self.report(rule, location, message);
        }
    }

    fn ty(&self, value: Value) -> Type {
        self.info.types.get(value)
    }

    // Results.

    fn define(&mut self, block: &Block) {
        let Some(scope) = self.tree.scope(block) else { return };
        for (index, statement) in block.statements.iter().enumerate() {
            for result in statement.kind.results() {
                let location = statement.location;
                match self.function.expressions.get(result) {
                    None => self.report(Rule::Handle, location, "a result is not there"),
                    Some(Expression::Result(_)) => {
                        if self.definitions[result.index()].is_some() {
                            let message = "two statements define one result";
                            self.report(Rule::ResultDefinition, location, message);
                        }
                        self.definitions[result.index()] = Some(Place { scope, index });
                    }
                    Some(_) => {
                        let message = "a statement defines what is no result";
                        self.report(Rule::ResultDefinition, location, message);
                    }
                }
            }
            for inner in statement.kind.blocks() {
                self.define(inner);
            }
        }
    }

    fn find_needs(&mut self) {
        for (handle, expression) in self.function.expressions.iter() {
            let mut need = match (expression, self.definitions[handle.index()]) {
                (Expression::Result(_), Some(place)) => Need::Result(place),
                (Expression::Result(_), None) => Need::Impossible,
                _ => Need::Nothing,
            };
            expression.for_each_operand(|operand| {
                // An operand that is out of order has been reported, and needs nothing here.
                let other = self.needs.get(operand.index()).copied().unwrap_or(Need::Nothing);
                need = self.both(need, other);
            });
            self.needs.push(need);
        }
    }

    /// What two operands need together: the later of the two results, if it sees the other.
    fn both(&self, a: Need, b: Need) -> Need {
        match (a, b) {
            (Need::Impossible, _) | (_, Need::Impossible) => Need::Impossible,
            (Need::Nothing, other) | (other, Need::Nothing) => other,
            (Need::Result(a), Need::Result(b)) if a == b => Need::Result(a),
            (Need::Result(a), Need::Result(b)) if self.tree.sees(b, a) => Need::Result(b),
            (Need::Result(a), Need::Result(b)) if self.tree.sees(a, b) => Need::Result(a),
            _ => Need::Impossible,
        }
    }

    fn use_value(&mut self, value: Value, place: Place, location: Location) {
        let Some(need) = self.needs.get(value.index()).copied() else {
            return self.report(Rule::Handle, location, "a value is not there");
        };
        self.info.uses[value.index()] += 1;
        match need {
            Need::Nothing => {}
            Need::Result(definition) => {
                let message = "a result is used where it is not visible";
                self.require(
                    self.tree.sees(place, definition),
                    Rule::ResultScope,
                    location,
                    message,
                );
            }
            Need::Impossible => {
                let message = "a value needs results that are undefined, or never visible together";
                self.report(Rule::ResultScope, location, message);
            }
        }
    }

    // Statements.

    fn block(&mut self, block: &Block, context: Context) {
        let Some(scope) = self.tree.scope(block) else { return };
        for (index, statement) in block.statements.iter().enumerate() {
            let location = statement.location;
            if statement.kind.is_jump() && index + 1 != block.statements.len() {
                self.report(Rule::JumpLast, location, "statements follow a jump");
            }
            let known = statement
                .kind
                .operands()
                .iter()
                .chain(&statement.kind.results())
                .all(|value| self.function.expressions.contains(*value));
            for operand in statement.kind.operands() {
                self.use_value(operand, Place { scope, index }, location);
            }
            // The types of values that are not there would only lead to further reports.
            if known {
                self.statement(statement, context);
            }
            self.inner_blocks(statement, context);
        }
    }

    fn inner_blocks(&mut self, statement: &Statement, context: Context) {
        match &statement.kind {
            StatementKind::Loop(looping) => {
                let header = Context { in_loop: false, in_switch: false, in_header: true };
                let body = Context { in_loop: true, in_switch: false, ..context };
                for inner in statement.kind.blocks() {
                    let is_body = std::ptr::eq(inner, &looping.body);
                    self.block(inner, if is_body { body } else { header });
                }
                if let Some(test) = looping.test
                    && let Some(scope) = self.tree.scope(&looping.condition)
                {
                    let index = looping.condition.statements.len();
                    self.use_value(test, Place { scope, index }, statement.location);
                    let is_truth = self.ty(test) == Type::BOOL;
                    let message = "the test of a loop is no truth value";
                    self.require(is_truth, Rule::Condition, statement.location, message);
                }
                let tested = looping.test.is_some() || looping.condition.statements.is_empty();
                let message = "a loop computes a condition but tests nothing";
                self.require(tested, Rule::Condition, statement.location, message);
            }
            StatementKind::Switch { .. } => {
                let inside = Context { in_switch: true, ..context };
                for inner in statement.kind.blocks() {
                    self.block(inner, inside);
                }
            }
            other => {
                for inner in other.blocks() {
                    self.block(inner, context);
                }
            }
        }
    }

    fn statement(&mut self, statement: &Statement, context: Context) {
        use StatementKind as S;
        let at = statement.location;
        match &statement.kind {
            S::Load { result, pointer, access } => {
                self.place(*pointer, self.ty(*result), false, at);
                self.access(*access, self.ty(*result), false, at);
            }
            S::Store { pointer, value, access } => {
                self.place(*pointer, self.ty(*value), true, at);
                self.access(*access, self.ty(*value), true, at);
            }
            S::Copy { destination, source, bytes } => {
                self.pointer(*destination, true, at);
                self.pointer(*source, false, at);
                self.integer(*bytes, "the number of bytes", at);
            }
            S::Fill { destination, byte, bytes } => {
                self.pointer(*destination, true, at);
                self.integer(*byte, "the byte", at);
                self.integer(*bytes, "the number of bytes", at);
            }
            S::Atomic { result, op, pointer, value, .. } => {
                self.atomic(*op, *pointer, *value, at);
                if let Some(result) = result {
                    self.result_is(*result, self.ty(*value), at);
                }
            }
            S::Fence { ordering } => {
                let orders = ordering.order != MemoryOrder::Relaxed;
                self.require(orders, Rule::FenceOrder, at, "a relaxed fence does nothing");
            }
            S::Prefetch { pointer } => self.pointer(*pointer, false, at),
            S::AsyncCopy(copy) => {
                self.pointer_in(copy.destination, &[Space::Shared, Space::Generic], at);
                self.pointer_in(copy.source, &[Space::Global, Space::Generic], at);
                let fits = matches!(copy.bytes, 4 | 8 | 16);
                let message = "an async copy moves 4, 8 or 16 bytes";
                self.require(fits, Rule::AsyncCopySize, at, message);
                if let Some(bytes) = copy.source_bytes {
                    self.integer(bytes, "the number of bytes read", at);
                }
            }
            S::Call { result, function, arguments } => {
                self.call(*result, *function, arguments, at);
            }
            S::Barrier { scope, mask, named, reduce } => {
                if let Some(mask) = mask {
                    self.mask(Some(*mask), at);
                    let warp = *scope == BarrierScope::Warp;
                    self.require(warp, Rule::BarrierForm, at, "only a warp barrier has a mask");
                }
                let block = *scope == BarrierScope::Block;
                if let Some(named) = named {
                    self.integer(named.index, "the barrier's number", at);
                    if let Some(threads) = named.threads {
                        self.integer(threads, "the number of threads", at);
                    }
                    self.require(block, Rule::BarrierForm, at, "only block barriers are named");
                }
                if let Some(reduce) = reduce {
                    let arrives = named.is_some_and(|named| named.arrive_only);
                    let message = "only a block barrier that waits reduces";
                    self.require(block && !arrives, Rule::BarrierForm, at, message);
                    self.truth(reduce.predicate, at);
                    let ty = match reduce.op {
                        BarrierReduction::Count => Type::I32,
                        BarrierReduction::And | BarrierReduction::Or => Type::BOOL,
                    };
                    self.result_is(reduce.result, ty, at);
                }
            }
            S::Shuffle { result, in_range, mask, value, lane, width, .. } => {
                self.mask(*mask, at);
                let ty = self.ty(*value);
                let message = "only scalars and vectors are shuffled";
                self.require(ty.scalar().is_some(), Rule::OperandType, at, message);
                self.integer(*lane, "the lane", at);
                if let Some(width) = width {
                    self.integer(*width, "the width", at);
                }
                self.result_is(*result, ty, at);
                if let Some(in_range) = in_range {
                    self.result_is(*in_range, Type::BOOL, at);
                }
            }
            S::Vote { result, kind, mask, predicate } => {
                self.mask(*mask, at);
                self.truth(*predicate, at);
                match kind {
                    VoteKind::Ballot => self.result_is_mask(*result, at),
                    _ => self.result_is(*result, Type::BOOL, at),
                }
            }
            S::Match { result, same, all, mask, value } => {
                self.mask(*mask, at);
                let number = matches!(self.ty(*value), Type::Scalar(s) if s != Scalar::Bool);
                self.require(number, Rule::OperandType, at, "only numbers are matched");
                self.result_is_mask(*result, at);
                if let Some(same) = same {
                    self.require(*all, Rule::ResultType, at, "only `match.all` says whether");
                    self.result_is(*same, Type::BOOL, at);
                }
            }
            S::ActiveMask { result } => self.result_is_mask(*result, at),
            S::WarpReduce { result, op, mask, value } => {
                use crate::statement::ReduceOp as R;
                self.mask(*mask, at);
                let bitwise = matches!(op, R::And | R::Or | R::Xor);
                let fits = matches!(self.ty(*value), Type::Scalar(scalar)
                    if scalar.is_integer() || scalar.is_float() && !bitwise);
                self.require(fits, Rule::OperandType, at, "a warp does not reduce this type");
                self.result_is(*result, self.ty(*value), at);
            }
            S::Elect { result, mask } => {
                self.mask(*mask, at);
                self.result_is(*result, Type::BOOL, at);
            }
            S::MatrixLoad { result, pointer, stride, layout } => {
                self.matrix_place(*pointer, *stride, false, at);
                let fits = self.fragment(*result).is_some_and(|fragment| {
                    fragment.layout.is_none_or(|own| own == *layout)
                        && (fragment.operand == FragmentUse::Accumulator
                            || fragment.layout.is_some())
                });
                let message = "the result is no fragment of this layout";
                self.require(fits, Rule::MatrixShape, at, message);
            }
            S::MatrixStore { pointer, value, stride, .. } => {
                self.matrix_place(*pointer, *stride, true, at);
                let fits = self
                    .fragment(*value)
                    .is_some_and(|fragment| fragment.operand == FragmentUse::Accumulator);
                self.require(fits, Rule::MatrixShape, at, "only accumulators are stored");
            }
            S::MatrixMultiply { result, a, b, c, .. } => {
                let shape = |fragment: &Fragment| (fragment.m, fragment.n, fragment.k);
                let operands = [
                    (*a, FragmentUse::A),
                    (*b, FragmentUse::B),
                    (*c, FragmentUse::Accumulator),
                    (*result, FragmentUse::Accumulator),
                ];
                let fragments: Vec<Option<Fragment>> = operands
                    .iter()
                    .map(|(value, operand)| self.fragment(*value).filter(|f| f.operand == *operand))
                    .collect();
                let first = fragments.first().copied().flatten();
                let fits = fragments.iter().all(|fragment| {
                    fragment.is_some() && fragment.as_ref().map(shape) == first.as_ref().map(shape)
                });
                self.require(fits, Rule::MatrixShape, at, "these fragments do not multiply");
            }
            S::Print { result, arguments, .. } => {
                if let Some(result) = result {
                    self.result_is(*result, Type::I32, at);
                }
                let fits = arguments
                    .iter()
                    .all(|value| matches!(self.ty(*value), Type::Scalar(_) | Type::Pointer(_)));
                let message = "only scalars and pointers are printed";
                self.require(fits, Rule::OperandType, at, message);
            }
            S::Assert { condition, .. } | S::If { condition, .. } => self.truth(*condition, at),
            S::Clock { result, kind } => {
                let ty = match kind {
                    ClockKind::Cycles32 => Type::I32,
                    ClockKind::Cycles64 => Type::I64,
                    ClockKind::Nanoseconds => Type::U64,
                };
                self.result_is(*result, ty, at);
            }
            S::Sleep { nanoseconds } => {
                let fits = self.ty(*nanoseconds) == Type::U32;
                self.require(fits, Rule::OperandType, at, "the time is no `u32`");
            }
            S::Switch { selector, cases } => self.switch(*selector, cases, at),
            S::Break => {
                let fits = context.in_loop || context.in_switch;
                self.require(fits, Rule::JumpTarget, at, "`break` has nothing to leave here");
            }
            S::Continue => {
                let message = "`continue` has no loop to go on with here";
                self.require(context.in_loop, Rule::JumpTarget, at, message);
            }
            S::Return { value } => {
                let message = "a loop's condition or step returns";
                self.require(!context.in_header, Rule::JumpTarget, at, message);
                let fits = value.map(|value| self.ty(value)) == self.function.result;
                let message = "the function returns another type";
                self.require(fits, Rule::ReturnType, at, message);
            }
            S::AsyncCommit
            | S::AsyncWait { .. }
            | S::Trap
            | S::Block(_)
            | S::Loop(_)
            | S::Unsupported { .. } => {}
        }
    }

    fn fragment(&self, value: Value) -> Option<Fragment> {
        match self.ty(value) {
            Type::Fragment(fragment) => Some(fragment),
            _ => None,
        }
    }

    fn truth(&mut self, value: Value, at: Location) {
        let fits = self.ty(value) == Type::BOOL;
        self.require(fits, Rule::Condition, at, "the condition is no truth value");
    }

    fn integer(&mut self, value: Value, what: &str, at: Location) {
        let fits = matches!(self.ty(value), Type::Scalar(scalar) if scalar.is_integer());
        self.require(fits, Rule::OperandType, at, &format!("{what} is no integer"));
    }

    fn is_mask(ty: Type) -> bool {
        ty == Type::U32 || ty == Type::U64
    }

    fn mask(&mut self, mask: Option<Value>, at: Location) {
        let fits = mask.is_none_or(|mask| Self::is_mask(self.ty(mask)));
        self.require(fits, Rule::OperandType, at, "the mask is no `u32` or `u64`");
    }

    fn result_is(&mut self, result: Value, ty: Type, at: Location) {
        let fits = self.ty(result) == ty;
        self.require(fits, Rule::ResultType, at, "the result is declared with another type");
    }

    fn result_is_mask(&mut self, result: Value, at: Location) {
        let fits = Self::is_mask(self.ty(result));
        self.require(fits, Rule::ResultType, at, "the result is no `u32` or `u64`");
    }

    // Memory.

    fn pointer(&mut self, pointer: Value, write: bool, at: Location) {
        match self.ty(pointer).space() {
            None => self.report(Rule::PointerSpace, at, "this is no pointer"),
            Some(space) if write && !space.is_writable() => {
                let message = format!("`{}` memory is not writable", space.name());
                self.report(Rule::PointerSpace, at, message);
            }
            Some(_) => {}
        }
    }

    fn pointer_in(&mut self, pointer: Value, spaces: &[Space], at: Location) {
        let fits = self.ty(pointer).space().is_some_and(|space| spaces.contains(&space));
        self.require(fits, Rule::PointerSpace, at, "the pointer is of another space");
    }

    /// The place of a load or store of a whole value.
    fn place(&mut self, pointer: Value, ty: Type, write: bool, at: Location) {
        self.pointer(pointer, write, at);
        let local = matches!(self.ty(pointer).space(), Some(Space::Local | Space::Generic));
        let fits = local || self.module.types.layout(ty).is_some();
        self.require(fits, Rule::PointerSpace, at, "a fragment lies outside local memory");
    }

    fn access(&mut self, access: Access, ty: Type, write: bool, at: Location) {
        use MemoryOrder as O;
        let hint = match access.cache {
            CacheHint::ReadOnly | CacheHint::LastUse => !write,
            _ => true,
        };
        self.require(hint, Rule::AccessKind, at, "a store cannot have this hint");
        if let Some(ordering) = access.atomic {
            let order = match ordering.order {
                O::Relaxed | O::SequentiallyConsistent => true,
                O::Acquire => !write,
                O::Release => write,
                O::AcquireRelease => false,
            };
            self.require(order, Rule::AccessKind, at, "the access cannot have this order");
            let size = self.module.types.layout(ty).map_or(0, |layout| layout.size);
            let fits = matches!(size, 1 | 2 | 4 | 8 | 16);
            self.require(fits, Rule::AccessKind, at, "no atomic access has this size");
        }
    }

    fn atomic(&mut self, op: AtomicOp, pointer: Value, value: Value, at: Location) {
        self.pointer_in(pointer, &[Space::Global, Space::Shared, Space::Generic], at);
        let ty = self.ty(value);
        let scalar = match ty {
            Type::Scalar(scalar) => Some(scalar),
            _ => None,
        };
        let integer = |sizes: &[u64]| {
            scalar.is_some_and(|scalar| scalar.is_integer() && sizes.contains(&scalar.size()))
        };
        let float = scalar.is_some_and(|s| s.is_float() && s.size() >= 2);
        let float_vector = matches!(ty, Type::Vector(s, _) if s.is_float() && s.size() >= 2);
        let fits = match op {
            AtomicOp::Add | AtomicOp::Subtract => integer(&[4, 8]) || float || float_vector,
            AtomicOp::Minimum | AtomicOp::Maximum => integer(&[4, 8]) || float || float_vector,
            AtomicOp::And | AtomicOp::Or | AtomicOp::Xor => integer(&[4, 8]),
            AtomicOp::Exchange => integer(&[4, 8]) || float,
            AtomicOp::CompareExchange { expected } => {
                self.ty(expected) == ty && (integer(&[2, 4, 8]) || float)
            }
            AtomicOp::IncrementWrap | AtomicOp::DecrementWrap => ty == Type::U32,
        };
        self.require(fits, Rule::AtomicType, at, "there is no such atomic operation");
    }

    fn matrix_place(&mut self, pointer: Value, stride: Value, write: bool, at: Location) {
        self.pointer_in(pointer, &[Space::Global, Space::Shared, Space::Generic], at);
        self.pointer(pointer, write, at);
        self.integer(stride, "the stride", at);
    }

    // Calls and switches.

    fn call(
        &mut self,
        result: Option<Value>,
        function: crate::arena::Handle<Function>,
        arguments: &[Value],
        at: Location,
    ) {
        let Some(callee) = self.module.functions.get(function) else {
            return self.report(Rule::Handle, at, "there is no such function");
        };
        if !self.info.callees.contains(&function) {
            self.info.callees.push(function);
        }
        if callee.is_kernel() {
            self.report(Rule::Call, at, format!("`{}` is a kernel", callee.name));
        }
        let fits = arguments.len() == callee.parameters.len()
            && arguments
                .iter()
                .zip(&callee.parameters)
                .all(|(argument, parameter)| self.ty(*argument) == parameter.ty);
        if !fits {
            self.report(Rule::Call, at, format!("`{}` takes other arguments", callee.name));
        }
        if let Some(result) = result {
            match callee.result {
                Some(ty) => self.result_is(result, ty, at),
                None => self.report(Rule::Call, at, format!("`{}` returns nothing", callee.name)),
            }
        }
    }

    fn switch(&mut self, selector: Value, cases: &[SwitchCase], at: Location) {
        let scalar = match self.ty(selector) {
            Type::Scalar(scalar) if scalar.is_integer() => scalar,
            _ => return self.report(Rule::Condition, at, "the selector is no integer"),
        };
        let mut values: Vec<u64> = cases.iter().flat_map(|case| case.values.clone()).collect();
        let fit = values.iter().all(|bits| Constant::from_bits(scalar, *bits).bits == *bits);
        self.require(fit, Rule::SwitchArms, at, "a value does not fit the selector");
        let count = values.len();
        values.sort_unstable();
        values.dedup();
        self.require(values.len() == count, Rule::SwitchArms, at, "two arms have one value");
        let defaults = cases.iter().filter(|case| case.default).count();
        self.require(defaults <= 1, Rule::SwitchArms, at, "two arms are the default");
        let falls = cases.last().is_some_and(|case| case.fallthrough);
        self.require(!falls, Rule::SwitchArms, at, "the last arm falls through");
    }
}
