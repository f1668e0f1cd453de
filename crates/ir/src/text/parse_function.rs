//! Reads functions: header, locals and blocks.

use std::collections::HashMap;

use super::lex::Token;
use super::parse::{Key, Parser, Result};
use crate::MAX_BLOCK_DEPTH;
use crate::arena::Handle;
use crate::expression::Expression;
use crate::function::{
    Function, FunctionKind, LaunchBounds, Local, Parameter, ParameterAttributes,
};
use crate::statement::{
    Block, Loop, LoopTest, Statement, StatementKind, SwitchCase, Unroll, Value,
};

/// The function that is being read, and what its text has named.
pub(super) struct Scope {
    pub(super) function: Function,
    pub(super) values: HashMap<u32, Value>,
    pub(super) locals: HashMap<Key, Handle<Local>>,
    pub(super) depth: usize,
}

impl Parser<'_> {
    /// What follows the word `kernel` or `function`.
    pub(super) fn function(&mut self, kernel: bool) -> Result<()> {
        let start = self.start();
        let key = self.name('@')?;
        let Some(handle) = self.functions.get(&key).copied() else {
            return self.error_at(start, format!("there is no function `{}`", key.0));
        };
        let mut function = Function::new(key.0, FunctionKind::Device);
        self.expect_symbol('(')?;
        while !self.take_symbol(')') {
            if !function.parameters.is_empty() {
                self.expect_symbol(',')?;
            }
            function.parameters.push(self.parameter()?);
        }
        if *self.peek() == Token::Arrow {
            self.next();
            function.result = Some(self.ty()?);
        }
        if kernel {
            function.kind = FunctionKind::Kernel(self.launch_bounds()?);
        }
        if self.take_symbol('{') {
            self.expect_line()?;
            let mut scope =
                Scope { function, values: HashMap::new(), locals: HashMap::new(), depth: 0 };
            self.locals(&mut scope)?;
            let body = self.block(&mut scope)?;
            function = scope.function;
            function.body = Some(body);
        }
        self.expect_line()?;
        self.module.functions[handle] = function;
        Ok(())
    }

    fn parameter(&mut self) -> Result<Parameter> {
        let start = self.start();
        let (name, _) = self.name('%')?;
        self.expect_symbol(':')?;
        let ty = self.ty()?;
        let pointee = if self.take_word("of") { Some(self.ty()?) } else { None };
        let attributes = ParameterAttributes {
            restrict: self.take_word("restrict"),
            read_only: self.take_word("read_only"),
            grid_constant: self.take_word("grid_constant"),
        };
        Ok(Parameter { name, ty, pointee, attributes, location: self.origin_from(start).into() })
    }

    fn launch_bounds(&mut self) -> Result<LaunchBounds> {
        let mut bounds = LaunchBounds::default();
        if self.take_word("max_threads") {
            bounds.max_threads = Some(self.number()?);
        }
        if self.take_word("min_blocks") {
            bounds.min_blocks = Some(self.number()?);
        }
        if self.take_word("max_cluster_blocks") {
            bounds.max_cluster_blocks = Some(self.number()?);
        }
        if self.take_word("cluster") {
            bounds.cluster = Some([self.number()?, self.number()?, self.number()?]);
        }
        Ok(bounds)
    }

    fn locals(&mut self, scope: &mut Scope) -> Result<()> {
        loop {
            let start = self.start();
            if !self.take_word("local") {
                return Ok(());
            }
            let key = self.name('$')?;
            self.expect_symbol(':')?;
            let ty = self.ty()?;
            let align = if self.take_word("align") { Some(self.number()?) } else { None };
            let local = Local { name: key.0.clone(), ty, align };
            let handle = scope.function.locals.append(local, self.origin_from(start));
            self.expect_line()?;
            if scope.locals.insert(key.clone(), handle).is_some() {
                return self.error_at(start, format!("a second local `{}`", key.0));
            }
        }
    }

    /// Lines up to the closing bracket, which is taken.
    pub(super) fn block(&mut self, scope: &mut Scope) -> Result<Block> {
        let (block, test) = self.block_with_test(scope)?;
        match test {
            None => Ok(block),
            Some(_) => self.error("only a loop's condition has a test"),
        }
    }

    /// As [`Parser::block`], for a loop's condition, which may end with `test value`.
    fn block_with_test(&mut self, scope: &mut Scope) -> Result<(Block, Option<Value>)> {
        scope.depth += 1;
        if scope.depth > MAX_BLOCK_DEPTH {
            return self.error(format!("blocks are nested deeper than {MAX_BLOCK_DEPTH}"));
        }
        let mut block = Block::new();
        let mut test = None;
        while !self.take_symbol('}') {
            if *self.peek() == Token::End {
                return self.error("`}` expected before the end of the text");
            }
            if self.take_word("test") {
                test = Some(self.operand(scope)?);
                self.expect_line()?;
                self.expect_symbol('}')?;
                break;
            }
            self.line(scope, &mut block)?;
        }
        scope.depth -= 1;
        Ok((block, test))
    }

    fn line(&mut self, scope: &mut Scope, block: &mut Block) -> Result<()> {
        let start = self.start();
        if matches!(self.peek(), Token::Value(..)) {
            return self.definition(scope, block);
        }
        let word = self.word()?;
        let kind = match word {
            "block" => {
                self.expect_open()?;
                let block = self.block(scope)?;
                self.expect_line()?;
                Some(StatementKind::Block(block))
            }
            "if" => Some(self.condition(scope)?),
            "switch" => Some(self.switch(scope)?),
            "loop" => Some(self.looping(scope)?),
            _ => None,
        };
        let kind = match kind {
            Some(kind) => kind,
            None => {
                let kind = self.statement(scope, word, start, Vec::new())?;
                self.expect_line()?;
                kind
            }
        };
        block.statements.push(Statement { kind, location: self.line_origin(start).into() });
        Ok(())
    }

    /// The origin of what began at `start`: its first line.
    fn line_origin(&self, start: u32) -> port_diag::Origin {
        let origin = self.origin_from(start);
        let end = self.first_line_end(start).min(origin.span.end).max(start);
        port_diag::Origin::plain(port_diag::Span::new(origin.span.file, start, end))
    }

    /// `%3 = …`, `%3: f32 = …` and `%3: f32, %4: bool = …`
    fn definition(&mut self, scope: &mut Scope, block: &mut Block) -> Result<()> {
        let start = self.start();
        let (number, name) = self.value_name()?;
        if self.take_symbol('=') {
            let expression = self.expression(scope)?;
            let origin = self.origin_from(start);
            let value = scope.function.expressions.append(expression, origin);
            self.expect_line()?;
            return self.define(scope, start, number, name, value);
        }
        let mut results: Vec<Value> = Vec::new();
        let mut named = (number, name);
        loop {
            self.expect_symbol(':')?;
            let ty = self.ty()?;
            let origin = self.origin_from(start);
            let value = scope.function.expressions.append(Expression::Result(ty), origin);
            let (number, name) = named;
            self.define(scope, start, number, name, value)?;
            results.push(value);
            if !self.take_symbol(',') {
                break;
            }
            named = self.value_name()?;
        }
        self.expect_symbol('=')?;
        let word_start = self.start();
        let word = self.word()?;
        let kind = self.statement(scope, word, word_start, results)?;
        self.expect_line()?;
        block.statements.push(Statement { kind, location: self.line_origin(start).into() });
        Ok(())
    }

    fn value_name(&mut self) -> Result<(u32, Option<String>)> {
        match self.peek().clone() {
            Token::Value(number, name) => {
                self.next();
                Ok((number, name))
            }
            _ => self.error("a value such as `%3` was expected"),
        }
    }

    fn define(
        &mut self,
        scope: &mut Scope,
        start: u32,
        number: u32,
        name: Option<String>,
        value: Value,
    ) -> Result<()> {
        if scope.values.insert(number, value).is_some() {
            return self.error_at(start, format!("`%{number}` is defined a second time"));
        }
        if let Some(name) = name {
            scope.function.names.insert(value, name);
        }
        Ok(())
    }

    fn expect_open(&mut self) -> Result<()> {
        self.expect_symbol('{')?;
        self.expect_line()
    }

    fn condition(&mut self, scope: &mut Scope) -> Result<StatementKind> {
        let condition = self.operand(scope)?;
        self.expect_open()?;
        let accept = self.block(scope)?;
        let mut reject = Block::new();
        if self.take_word("else") {
            self.expect_open()?;
            reject = self.block(scope)?;
        }
        self.expect_line()?;
        Ok(StatementKind::If { condition, accept, reject })
    }

    fn switch(&mut self, scope: &mut Scope) -> Result<StatementKind> {
        let selector = self.operand(scope)?;
        self.expect_open()?;
        let mut cases = Vec::new();
        while !self.take_symbol('}') {
            self.expect_word("case")?;
            let mut case = SwitchCase {
                values: Vec::new(),
                default: false,
                body: Block::new(),
                fallthrough: false,
            };
            while *self.peek() != Token::Symbol('{') {
                if self.take_word("default") {
                    case.default = true;
                } else {
                    let start = self.start();
                    match self.leaf(scope)? {
                        Some(Expression::Constant(constant)) => case.values.push(constant.bits),
                        _ => return self.error_at(start, "a constant or `default` was expected"),
                    }
                }
                if !self.take_symbol(',') {
                    break;
                }
            }
            self.expect_open()?;
            case.body = self.block(scope)?;
            case.fallthrough = self.take_word("fallthrough");
            self.expect_line()?;
            cases.push(case);
        }
        self.expect_line()?;
        Ok(StatementKind::Switch { selector, cases })
    }

    fn looping(&mut self, scope: &mut Scope) -> Result<StatementKind> {
        let mut unroll = Unroll::None;
        if self.take_word("unroll") {
            unroll = match self.peek() {
                Token::Number(..) => Unroll::Times(self.number()?),
                _ => Unroll::Full,
            };
        }
        let mut looping = Loop {
            when: LoopTest::Before,
            condition: Block::new(),
            test: None,
            body: Block::new(),
            step: Block::new(),
            unroll,
        };
        let mut tested = self.loop_condition(scope, &mut looping)?;
        self.expect_word("do")?;
        self.expect_open()?;
        looping.body = self.block(scope)?;
        if self.take_word("step") {
            self.expect_open()?;
            looping.step = self.block(scope)?;
        }
        if !tested {
            tested = self.loop_condition(scope, &mut looping)?;
            if tested {
                looping.when = LoopTest::After;
            }
        }
        self.expect_line()?;
        Ok(StatementKind::Loop(Box::new(looping)))
    }

    fn loop_condition(&mut self, scope: &mut Scope, looping: &mut Loop) -> Result<bool> {
        if !self.take_word("while") {
            return Ok(false);
        }
        self.expect_open()?;
        (looping.condition, looping.test) = self.block_with_test(scope)?;
        Ok(true)
    }
}
