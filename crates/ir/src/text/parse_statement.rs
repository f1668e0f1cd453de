//! Reads statements that hold no blocks.

use super::lex::Token;
use super::parse::{Parser, Result};
use super::parse_function::Scope;
use super::spelling::{
    ATOMICS, BARRIER_REDUCTIONS, BARRIER_SCOPES, CACHE_HINTS, CLOCKS, COMPARE_EXCHANGE,
    MATRIX_LAYOUTS, REDUCTIONS, SHUFFLES, VOTES, access, ordering, value,
};
use crate::statement::{
    AsyncCopy, AtomicOp, BarrierReduce, BarrierScope, CacheHint, NamedBarrier, StatementKind, Value,
};

/// The results that stand before the `=`, taken one after the other.
struct Results {
    values: std::vec::IntoIter<Value>,
    start: u32,
}

impl Results {
    fn one(&mut self, parser: &Parser<'_>) -> Result<Value> {
        match self.values.next() {
            Some(value) => Ok(value),
            None => parser.error_at(self.start, "this statement needs a result: `%0: type = …`"),
        }
    }

    fn maybe(&mut self) -> Option<Value> {
        self.values.next()
    }
}

impl Parser<'_> {
    /// What follows `word`, the first word of a statement.
    pub(super) fn statement(
        &mut self,
        scope: &mut Scope,
        word: &str,
        start: u32,
        results: Vec<Value>,
    ) -> Result<StatementKind> {
        let mut parts = word.split('.');
        let name = parts.next().unwrap_or("");
        let suffixes: Vec<&str> = parts.collect();
        let mut results = Results { values: results.into_iter(), start };
        let kind = match self.memory(scope, name, &suffixes, &mut results)? {
            Some(kind) => Some(kind),
            None => match self.convergent(scope, name, &suffixes, &mut results)? {
                Some(kind) => Some(kind),
                None => self.other(scope, name, &suffixes, &mut results)?,
            },
        };
        let Some(kind) = kind else {
            return self.error_at(start, format!("`{word}` is not a statement"));
        };
        if results.maybe().is_some() {
            return self.error_at(start, "this statement has fewer results");
        }
        Ok(kind)
    }

    fn memory(
        &mut self,
        scope: &mut Scope,
        name: &str,
        suffixes: &[&str],
        results: &mut Results,
    ) -> Result<Option<StatementKind>> {
        use StatementKind as S;
        let kind = match (name, suffixes) {
            ("load", suffixes) => {
                let access = self.access(suffixes, results.start)?;
                let [pointer] = self.exactly(scope)?;
                S::Load { result: results.one(self)?, pointer, access }
            }
            ("store", suffixes) => {
                let access = self.access(suffixes, results.start)?;
                let [pointer, value] = self.exactly(scope)?;
                S::Store { pointer, value, access }
            }
            ("copy", []) => {
                let [destination, source, bytes] = self.exactly(scope)?;
                S::Copy { destination, source, bytes }
            }
            ("fill", []) => {
                let [destination, byte, bytes] = self.exactly(scope)?;
                S::Fill { destination, byte, bytes }
            }
            ("atomic", [op, order, memory_scope]) => {
                let Some(ordering) = ordering(order, memory_scope) else {
                    return Ok(None);
                };
                let (op, pointer, value) = if *op == COMPARE_EXCHANGE {
                    let [pointer, expected, value] = self.exactly(scope)?;
                    (AtomicOp::CompareExchange { expected }, pointer, value)
                } else if let Some(op) = value(ATOMICS, op) {
                    let [pointer, value] = self.exactly(scope)?;
                    (op, pointer, value)
                } else {
                    return Ok(None);
                };
                S::Atomic { result: results.maybe(), op, pointer, value, ordering }
            }
            ("fence", [order, memory_scope]) => match ordering(order, memory_scope) {
                Some(ordering) => S::Fence { ordering },
                None => return Ok(None),
            },
            ("prefetch", []) => {
                let [pointer] = self.exactly(scope)?;
                S::Prefetch { pointer }
            }
            ("async_copy", [] | [_]) => {
                let hint = suffixes.first().map(|suffix| value(CACHE_HINTS, suffix));
                let Some(cache) = hint.unwrap_or(Some(CacheHint::None)) else { return Ok(None) };
                let [destination, source] = self.exactly(scope)?;
                self.expect_word("bytes")?;
                let bytes = self.number()?;
                let source_bytes =
                    if self.take_word("of") { Some(self.operand(scope)?) } else { None };
                S::AsyncCopy(AsyncCopy { destination, source, bytes, source_bytes, cache })
            }
            ("async_commit", []) => S::AsyncCommit,
            ("async_wait", []) => {
                let pending = if matches!(self.peek(), Token::Number(..)) {
                    Some(self.number()?)
                } else {
                    None
                };
                S::AsyncWait { pending }
            }
            _ => return Ok(None),
        };
        Ok(Some(kind))
    }

    fn access(&self, suffixes: &[&str], start: u32) -> Result<crate::statement::Access> {
        match access(suffixes) {
            Ok(access) => Ok(access),
            Err(suffix) => self.error_at(start, format!("`{suffix}` does not qualify an access")),
        }
    }

    /// `word value`, if the word stands here.
    fn optional(&mut self, scope: &mut Scope, word: &str) -> Result<Option<Value>> {
        if self.take_word(word) { self.operand(scope).map(Some) } else { Ok(None) }
    }

    fn convergent(
        &mut self,
        scope: &mut Scope,
        name: &str,
        suffixes: &[&str],
        results: &mut Results,
    ) -> Result<Option<StatementKind>> {
        use StatementKind as S;
        let kind = match (name, suffixes) {
            ("barrier", [suffix]) => match value(BARRIER_SCOPES, suffix) {
                Some(barrier) => self.barrier(scope, barrier, results)?,
                None => return Ok(None),
            },
            ("shuffle", [suffix]) => {
                let Some(mode) = value(SHUFFLES, suffix) else { return Ok(None) };
                let (result, in_range) = (results.one(self)?, results.maybe());
                let [value, lane] = self.exactly(scope)?;
                let mask = self.optional(scope, "mask")?;
                let width = self.optional(scope, "width")?;
                S::Shuffle { result, in_range, mode, mask, value, lane, width }
            }
            ("vote", [suffix]) => {
                let Some(kind) = value(VOTES, suffix) else { return Ok(None) };
                let [predicate] = self.exactly(scope)?;
                let mask = self.optional(scope, "mask")?;
                S::Vote { result: results.one(self)?, kind, mask, predicate }
            }
            ("match", [suffix @ ("any" | "all")]) => {
                let [value] = self.exactly(scope)?;
                let mask = self.optional(scope, "mask")?;
                let (result, same) = (results.one(self)?, results.maybe());
                S::Match { result, same, all: *suffix == "all", mask, value }
            }
            ("active_mask", []) => S::ActiveMask { result: results.one(self)? },
            ("reduce", [suffix]) => {
                let Some(op) = value(REDUCTIONS, suffix) else { return Ok(None) };
                let [value] = self.exactly(scope)?;
                let mask = self.optional(scope, "mask")?;
                S::WarpReduce { result: results.one(self)?, op, mask, value }
            }
            ("elect", []) => {
                let mask = self.optional(scope, "mask")?;
                S::Elect { result: results.one(self)?, mask }
            }
            ("matrix_load", [suffix]) => {
                let Some(layout) = value(MATRIX_LAYOUTS, suffix) else { return Ok(None) };
                let [pointer, stride] = self.exactly(scope)?;
                S::MatrixLoad { result: results.one(self)?, pointer, stride, layout }
            }
            ("matrix_store", [suffix]) => {
                let Some(layout) = value(MATRIX_LAYOUTS, suffix) else { return Ok(None) };
                let [pointer, value, stride] = self.exactly(scope)?;
                S::MatrixStore { pointer, value, stride, layout }
            }
            ("matrix_multiply", [] | ["saturate"]) => {
                let [a, b, c] = self.exactly(scope)?;
                let saturate = !suffixes.is_empty();
                S::MatrixMultiply { result: results.one(self)?, a, b, c, saturate }
            }
            _ => return Ok(None),
        };
        Ok(Some(kind))
    }

    fn barrier(
        &mut self,
        scope: &mut Scope,
        barrier: BarrierScope,
        results: &mut Results,
    ) -> Result<StatementKind> {
        let mask = self.optional(scope, "mask")?;
        let mut named = None;
        if let Some(index) = self.optional(scope, "named")? {
            let threads = self.optional(scope, "threads")?;
            let arrive_only = self.take_word("arrive");
            named = Some(NamedBarrier { index, threads, arrive_only });
        }
        let mut reduce = None;
        if let Token::Word(word) = *self.peek()
            && let Some(op) = value(BARRIER_REDUCTIONS, word)
        {
            self.next();
            let predicate = self.operand(scope)?;
            reduce = Some(BarrierReduce { op, predicate, result: results.one(self)? });
        }
        Ok(StatementKind::Barrier { scope: barrier, mask, named, reduce })
    }

    fn other(
        &mut self,
        scope: &mut Scope,
        name: &str,
        suffixes: &[&str],
        results: &mut Results,
    ) -> Result<Option<StatementKind>> {
        use StatementKind as S;
        let kind = match (name, suffixes) {
            ("call", []) => {
                let start = self.start();
                let key = self.name('@')?;
                let Some(function) = self.functions.get(&key).copied() else {
                    return self.error_at(start, format!("there is no function `{}`", key.0));
                };
                self.expect_symbol('(')?;
                let arguments = self.operands(scope)?;
                self.expect_symbol(')')?;
                S::Call { result: results.maybe(), function, arguments }
            }
            ("print", []) => {
                let format = self.string()?;
                let mut arguments = Vec::new();
                while self.take_symbol(',') {
                    arguments.push(self.operand(scope)?);
                }
                S::Print { result: results.maybe(), format, arguments }
            }
            ("assert", []) => {
                let condition = self.operand(scope)?;
                self.expect_symbol(',')?;
                S::Assert { condition, message: self.string()? }
            }
            ("trap", []) => S::Trap,
            ("clock", [suffix]) => match value(CLOCKS, suffix) {
                Some(kind) => S::Clock { result: results.one(self)?, kind },
                None => return Ok(None),
            },
            ("sleep", []) => {
                let [nanoseconds] = self.exactly(scope)?;
                S::Sleep { nanoseconds }
            }
            ("break", []) => S::Break,
            ("continue", []) => S::Continue,
            ("return", []) => {
                let value = if self.at_operand() { Some(self.operand(scope)?) } else { None };
                S::Return { value }
            }
            ("unsupported", []) => {
                let code = self.string()?;
                self.expect_symbol(',')?;
                S::Unsupported { code, what: self.string()? }
            }
            _ => return Ok(None),
        };
        Ok(Some(kind))
    }
}
