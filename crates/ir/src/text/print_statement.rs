//! Writes blocks and statements.

use std::fmt::Write;

use super::print::{FunctionPrinter, quoted};
use super::spelling::{
    ATOMICS, BARRIER_REDUCTIONS, BARRIER_SCOPES, CACHE_HINTS, CLOCKS, COMPARE_EXCHANGE,
    MATRIX_LAYOUTS, REDUCTIONS, SHUFFLES, VOTES, access_suffix, constant_text, ordering_suffix,
    word,
};
use crate::MAX_BLOCK_DEPTH;
use crate::operation::Constant;
use crate::statement::{
    AtomicOp, Block, CacheHint, Loop, LoopTest, Statement, StatementKind, SwitchCase, Unroll, Value,
};

impl FunctionPrinter<'_> {
    /// The lines of a block.
    pub(super) fn block(&mut self, block: &Block) {
        if self.indent > MAX_BLOCK_DEPTH + 1 {
            self.begin();
            self.out.push_str("; nested too deeply to print\n");
            return;
        }
        for (index, statement) in block.statements.iter().enumerate() {
            self.definitions(block, index);
            self.statement(statement);
        }
        self.definitions(block, block.statements.len());
    }

    fn definitions(&mut self, block: &Block, index: usize) {
        for handle in self.placement.before(block, index) {
            self.definition(handle);
        }
    }

    /// A block in brackets, the opening one on the current line, the closing one without an end of
    /// line.
    fn bracketed(&mut self, block: &Block) {
        self.out.push_str("{\n");
        self.indent += 1;
        self.block(block);
        self.indent -= 1;
        self.begin();
        self.out.push('}');
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Block(block) => {
                self.begin();
                self.out.push_str("block ");
                self.bracketed(block);
                self.out.push('\n');
            }
            StatementKind::If { condition, accept, reject } => {
                let condition = self.operand(*condition);
                self.begin();
                let _ = write!(self.out, "if {condition} ");
                self.bracketed(accept);
                if !reject.statements.is_empty() {
                    self.out.push_str(" else ");
                    self.bracketed(reject);
                }
                self.end(Some(statement.location));
            }
            StatementKind::Switch { selector, cases } => {
                self.switch(*selector, cases);
                self.end(Some(statement.location));
            }
            StatementKind::Loop(looping) => {
                self.looping(looping);
                self.end(Some(statement.location));
            }
            simple => {
                let text = self.simple(simple);
                let results = simple.results();
                self.begin();
                if !results.is_empty() {
                    let results: Vec<String> = results
                        .into_iter()
                        .map(|result| {
                            let ty = self.names.ty(self.types.get(result));
                            format!("{}: {ty}", self.numbered(result))
                        })
                        .collect();
                    let _ = write!(self.out, "{} = ", results.join(", "));
                }
                self.out.push_str(&text);
                self.end(Some(statement.location));
            }
        }
    }

    fn switch(&mut self, selector: Value, cases: &[SwitchCase]) {
        let scalar = self.types.get(selector).scalar().unwrap_or(crate::Scalar::U64);
        let selector = self.operand(selector);
        self.begin();
        let _ = writeln!(self.out, "switch {selector} {{");
        self.indent += 1;
        for case in cases {
            let mut labels: Vec<String> = case
                .values
                .iter()
                .map(|bits| constant_text(Constant::from_bits(scalar, *bits)))
                .collect();
            if case.default {
                labels.push("default".into());
            }
            self.begin();
            self.out.push_str("case ");
            if !labels.is_empty() {
                let _ = write!(self.out, "{} ", labels.join(", "));
            }
            self.bracketed(&case.body);
            self.out.push_str(if case.fallthrough { " fallthrough\n" } else { "\n" });
        }
        self.indent -= 1;
        self.begin();
        self.out.push('}');
    }

    fn looping(&mut self, looping: &Loop) {
        self.begin();
        self.out.push_str("loop ");
        match looping.unroll {
            Unroll::None => {}
            Unroll::Full => self.out.push_str("unroll "),
            Unroll::Times(times) => {
                let _ = write!(self.out, "unroll {times} ");
            }
        }
        if looping.when == LoopTest::Before && looping.has_condition() {
            self.condition(looping);
            self.out.push(' ');
        }
        self.out.push_str("do ");
        self.bracketed(&looping.body);
        if !looping.step.statements.is_empty() {
            self.out.push_str(" step ");
            self.bracketed(&looping.step);
        }
        if looping.when == LoopTest::After {
            self.out.push(' ');
            self.condition(looping);
        }
    }

    /// `while { … }`, with `test` before the closing bracket.
    fn condition(&mut self, looping: &Loop) {
        self.out.push_str("while {\n");
        self.indent += 1;
        self.block(&looping.condition);
        if let Some(test) = looping.test {
            let test = self.operand(test);
            self.begin();
            let _ = writeln!(self.out, "test {test}");
        }
        self.indent -= 1;
        self.begin();
        self.out.push('}');
    }

    fn masked(&mut self, mut text: String, mask: Option<Value>) -> String {
        if let Some(mask) = mask {
            let _ = write!(text, " mask {}", self.operand(mask));
        }
        text
    }

    /// A statement without inner blocks, less its results.
    fn simple(&mut self, kind: &StatementKind) -> String {
        use StatementKind as S;
        match kind {
            S::Load { pointer, access, .. } => {
                format!("load{} {}", access_suffix(*access), self.operand(*pointer))
            }
            S::Store { pointer, value, access } => {
                let operands = self.operands(&[*pointer, *value]);
                format!("store{} {operands}", access_suffix(*access))
            }
            S::Copy { destination, source, bytes } => {
                format!("copy {}", self.operands(&[*destination, *source, *bytes]))
            }
            S::Fill { destination, byte, bytes } => {
                format!("fill {}", self.operands(&[*destination, *byte, *bytes]))
            }
            S::Atomic { op, pointer, value, ordering, .. } => {
                let suffix = ordering_suffix(*ordering);
                match op {
                    AtomicOp::CompareExchange { expected } => {
                        let operands = self.operands(&[*pointer, *expected, *value]);
                        format!("atomic.{COMPARE_EXCHANGE}{suffix} {operands}")
                    }
                    op => {
                        let operands = self.operands(&[*pointer, *value]);
                        format!("atomic.{}{suffix} {operands}", word(ATOMICS, op))
                    }
                }
            }
            S::Fence { ordering } => format!("fence{}", ordering_suffix(*ordering)),
            S::Prefetch { pointer } => format!("prefetch {}", self.operand(*pointer)),
            S::AsyncCopy(copy) => {
                let mut text = "async_copy".to_string();
                if copy.cache != CacheHint::None {
                    let _ = write!(text, ".{}", word(CACHE_HINTS, &copy.cache));
                }
                let operands = self.operands(&[copy.destination, copy.source]);
                let _ = write!(text, " {operands} bytes {}", copy.bytes);
                if let Some(bytes) = copy.source_bytes {
                    let _ = write!(text, " of {}", self.operand(bytes));
                }
                text
            }
            S::AsyncCommit => "async_commit".into(),
            S::AsyncWait { pending } => match pending {
                Some(pending) => format!("async_wait {pending}"),
                None => "async_wait".into(),
            },
            S::Call { function, arguments, .. } => {
                format!("call {}({})", self.names.function(*function), self.operands(arguments))
            }
            S::Barrier { scope, mask, named, reduce } => {
                let text = format!("barrier.{}", word(BARRIER_SCOPES, scope));
                let mut text = self.masked(text, *mask);
                if let Some(named) = named {
                    let _ = write!(text, " named {}", self.operand(named.index));
                    if let Some(threads) = named.threads {
                        let _ = write!(text, " threads {}", self.operand(threads));
                    }
                    if named.arrive_only {
                        text.push_str(" arrive");
                    }
                }
                if let Some(reduce) = reduce {
                    let name = word(BARRIER_REDUCTIONS, &reduce.op);
                    let _ = write!(text, " {name} {}", self.operand(reduce.predicate));
                }
                text
            }
            S::Shuffle { mode, mask, value, lane, width, .. } => {
                let operands = self.operands(&[*value, *lane]);
                let text = format!("shuffle.{} {operands}", word(SHUFFLES, mode));
                let mut text = self.masked(text, *mask);
                if let Some(width) = width {
                    let _ = write!(text, " width {}", self.operand(*width));
                }
                text
            }
            S::Vote { kind, mask, predicate, .. } => {
                let text = format!("vote.{} {}", word(VOTES, kind), self.operand(*predicate));
                self.masked(text, *mask)
            }
            S::Match { all, mask, value, .. } => {
                let name = if *all { "all" } else { "any" };
                let text = format!("match.{name} {}", self.operand(*value));
                self.masked(text, *mask)
            }
            S::ActiveMask { .. } => "active_mask".into(),
            S::WarpReduce { op, mask, value, .. } => {
                let text = format!("reduce.{} {}", word(REDUCTIONS, op), self.operand(*value));
                self.masked(text, *mask)
            }
            S::Elect { mask, .. } => self.masked("elect".into(), *mask),
            S::MatrixLoad { pointer, stride, layout, .. } => {
                let operands = self.operands(&[*pointer, *stride]);
                format!("matrix_load.{} {operands}", word(MATRIX_LAYOUTS, layout))
            }
            S::MatrixStore { pointer, value, stride, layout } => {
                let operands = self.operands(&[*pointer, *value, *stride]);
                format!("matrix_store.{} {operands}", word(MATRIX_LAYOUTS, layout))
            }
            S::MatrixMultiply { a, b, c, saturate, .. } => {
                let name = if *saturate { "matrix_multiply.saturate" } else { "matrix_multiply" };
                format!("{name} {}", self.operands(&[*a, *b, *c]))
            }
            S::Print { format, arguments, .. } => {
                let mut text = format!("print {}", quoted(format));
                for argument in arguments {
                    let _ = write!(text, ", {}", self.operand(*argument));
                }
                text
            }
            S::Assert { condition, message } => {
                format!("assert {}, {}", self.operand(*condition), quoted(message))
            }
            S::Trap => "trap".into(),
            S::Clock { kind, .. } => format!("clock.{}", word(CLOCKS, kind)),
            S::Sleep { nanoseconds } => format!("sleep {}", self.operand(*nanoseconds)),
            S::Break => "break".into(),
            S::Continue => "continue".into(),
            S::Return { value } => match value {
                Some(value) => format!("return {}", self.operand(*value)),
                None => "return".into(),
            },
            S::Unsupported { code, what } => {
                format!("unsupported {}, {}", quoted(code), quoted(what))
            }
            S::Block(_) | S::If { .. } | S::Switch { .. } | S::Loop(_) => String::new(),
        }
    }
}
