//! A small language for kernels, so that tests say what a compiler was given in the words it was
//! given: `T t=a*b; o[0]=t+c;`. Values `a` to `h` are loaded from memory in that order.

// Each test file uses a part of it.
#![allow(dead_code)]

use port_diag::{FileId, Origin, Span};
use port_ir::{
    Access, CompareOp, Constant, Expression, FloatFlags, FloatOp, Function, FunctionBuilder,
    FunctionKind, Handle, IntegerOp, LaunchBounds, Local, Loop, LoopTest, MathFunction, Module,
    ParameterAttributes, Scalar, Space, StatementKind, Type, UnaryOp, Unroll, Value,
};

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    build: FunctionBuilder,
    ty: Type,
    names: Vec<(String, Named)>,
}

#[derive(Clone, Copy)]
enum Named {
    Value(Value),
    Variable(Handle<Local>),
}

/// The module of one kernel with this body, whose type `T` is `scalar`.
pub fn module(text: &str, scalar: Scalar) -> Module {
    let kind = FunctionKind::Kernel(LaunchBounds::default());
    let build = FunctionBuilder::new("kernel", kind);
    let mut reader =
        Reader { text: text.as_bytes(), at: 0, build, ty: Type::Scalar(scalar), names: Vec::new() };
    reader.kernel();
    let mut module = Module::new();
    module.functions.append(reader.build.finish(), Origin::plain(Span::new(FileId(0), 0, 0)));
    port_ir::validate(&module).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    module
}

impl Reader<'_> {
    fn origin(&self) -> Origin {
        Origin::plain(Span::new(FileId(0), self.at as u32, self.at as u32))
    }

    fn kernel(&mut self) {
        let at = self.origin();
        let attributes = ParameterAttributes::default();
        let output = self.build.parameter("o", Type::Pointer(Space::Global), attributes, at);
        let input = self.build.parameter("p", Type::Pointer(Space::Global), attributes, at);
        let count = self.build.parameter("n", Type::I32, attributes, at);
        let [output, input, count] = [output, input, count].map(|p| self.build.argument(p, at));
        self.names.push(("o".into(), Named::Value(output)));
        self.names.push(("p".into(), Named::Value(input)));
        self.names.push(("n".into(), Named::Value(count)));
        for (index, name) in "abcdefgh".chars().enumerate() {
            let index = self.build.constant(Constant::i32(index as i32), at);
            let address = self.build.element(input, self.ty, index, at);
            let value = self.build.load(self.ty, address, Access::PLAIN, at);
            self.names.push((name.to_string(), Named::Value(value)));
        }
        while self.peek() != 0 {
            self.statement();
        }
    }

    fn peek(&mut self) -> u8 {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn eat(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.text[self.at..].starts_with(word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn expect(&mut self, word: &str) {
        let rest = String::from_utf8_lossy(&self.text[self.at..]).into_owned();
        assert!(self.eat(word), "`{word}` expected before `{rest}`");
    }

    fn word(&mut self) -> String {
        self.peek();
        let start = self.at;
        while self.text.get(self.at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_') {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.text[start..self.at]).into_owned()
    }

    fn block(&mut self) -> port_ir::Block {
        self.build.open_block();
        self.expect("{");
        while !self.eat("}") {
            self.statement();
        }
        self.build.close_block()
    }

    /// `T x=e;` a value, `V x=e;` a variable, `x=e;`, `o[i]=e;`, `if{…}` or `if{…}else{…}` on
    /// `n > 3`, `for{…}` while a counter is below `n`, `times 6{…}`.
    fn statement(&mut self) {
        let at = self.origin();
        if self.eat("T ") {
            let name = self.word();
            self.expect("=");
            let value = self.sum();
            self.names.push((name, Named::Value(value)));
        } else if self.eat("V ") {
            let name = self.word();
            let local = self.build.add_local(&name, self.ty, at);
            self.expect("=");
            let value = self.sum();
            let address = self.build.local(local, at);
            self.build.store(address, value, Access::PLAIN, at);
            self.names.push((name, Named::Variable(local)));
        } else if self.eat("if") {
            let three = self.build.constant(Constant::i32(3), at);
            let count = self.named("n");
            let condition = self.build.compare(CompareOp::Greater, count, three, at);
            let accept = self.block();
            let reject = if self.eat("else") { self.block() } else { port_ir::Block::new() };
            self.build.push_if(condition, accept, reject, at);
            return;
        } else if self.eat("for") {
            let count = self.named("n");
            return self.looping(count, at);
        } else if self.eat("times") {
            let passes: i32 = self.word().parse().unwrap();
            let count = self.build.constant(Constant::i32(passes), at);
            return self.looping(count, at);
        } else if self.eat("o[") {
            let index: i32 = self.word().parse().unwrap();
            self.expect("]=");
            let value = self.sum();
            let base = self.named("o");
            let index = self.build.constant(Constant::i32(index), at);
            let address = self.build.element(base, self.ty, index, at);
            self.build.store(address, value, Access::PLAIN, at);
        } else {
            let name = self.word();
            self.expect("=");
            let value = self.sum();
            let Some(Named::Variable(local)) = self.find(&name) else { panic!("`{name}`") };
            let address = self.build.local(local, at);
            self.build.store(address, value, Access::PLAIN, at);
        }
        self.expect(";");
    }

    fn looping(&mut self, count: Value, at: Origin) {
        let counter = self.build.add_local("i", Type::I32, at);
        let address = self.build.local(counter, at);
        let zero = self.build.constant(Constant::i32(0), at);
        self.build.store(address, zero, Access::PLAIN, at);
        self.build.open_block();
        let now = self.build.load(Type::I32, address, Access::PLAIN, at);
        let test = self.build.compare(CompareOp::Less, now, count, at);
        let condition = self.build.close_block();
        let body = self.block();
        self.build.open_block();
        let now = self.build.load(Type::I32, address, Access::PLAIN, at);
        let one = self.build.constant(Constant::i32(1), at);
        let next = self.build.integer(IntegerOp::Add, now, one, at);
        self.build.store(address, next, Access::PLAIN, at);
        let step = self.build.close_block();
        self.build.push_loop(
            Loop {
                when: LoopTest::Before,
                condition,
                test: Some(test),
                body,
                step,
                unroll: Unroll::None,
            },
            at,
        );
    }

    fn find(&self, name: &str) -> Option<Named> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, named)| *named)
    }

    fn named(&mut self, name: &str) -> Value {
        let at = self.origin();
        match self.find(name) {
            Some(Named::Value(value)) => value,
            Some(Named::Variable(local)) => {
                let address = self.build.local(local, at);
                self.build.load(self.ty, address, Access::PLAIN, at)
            }
            None => panic!("`{name}` is not known"),
        }
    }

    fn float(&mut self, op: FloatOp, left: Value, right: Value) -> Value {
        let flags = if op == FloatOp::Divide { FloatFlags::STRICT } else { FloatFlags::SOURCE };
        let at = self.origin();
        self.build.float(op, left, right, flags, at)
    }

    fn sum(&mut self) -> Value {
        let mut value = self.product();
        loop {
            if self.eat("+") {
                let right = self.product();
                value = self.float(FloatOp::Add, value, right);
            } else if self.eat("-") {
                let right = self.product();
                value = self.float(FloatOp::Subtract, value, right);
            } else {
                return value;
            }
        }
    }

    fn product(&mut self) -> Value {
        let mut value = self.unary();
        loop {
            if self.eat("*") {
                let right = self.unary();
                value = self.float(FloatOp::Multiply, value, right);
            } else if self.eat("/") {
                let right = self.unary();
                value = self.float(FloatOp::Divide, value, right);
            } else {
                return value;
            }
        }
    }

    fn unary(&mut self) -> Value {
        let at = self.origin();
        if self.eat("-") {
            let value = self.unary();
            return self.build.unary(UnaryOp::Negate, value, at);
        }
        if self.eat("(") {
            let value = self.sum();
            self.expect(")");
            return value;
        }
        // A column of memory that the loop's pass does not share with others.
        if self.eat("p[i]") {
            let base = self.named("p");
            let index = self.build.constant(Constant::i32(9), at);
            let address = self.build.element(base, self.ty, index, at);
            return self.build.load(self.ty, address, Access::PLAIN, at);
        }
        let word = self.word();
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let fraction = if self.eat(".") { self.word() } else { "0".into() };
            let digits = format!("{word}.{}", fraction.trim_end_matches('f'));
            let Type::Scalar(scalar) = self.ty else { panic!("a scalar") };
            let constant = Constant::float(scalar, digits.parse().unwrap()).unwrap();
            return self.build.constant(constant, at);
        }
        if !self.eat("(") {
            return self.named(&word);
        }
        let mut arguments = vec![self.sum()];
        while self.eat(",") {
            arguments.push(self.sum());
        }
        self.expect(")");
        let strict = FloatFlags::STRICT;
        match (word.as_str(), arguments.as_slice()) {
            ("fma", [a, b, c]) => self.build.fused_multiply_add([*a, *b, *c], strict, at),
            ("fabs", [a]) => self.build.unary(UnaryOp::Absolute, *a, at),
            ("__fmul_rn", [a, b]) => self.build.float(FloatOp::Multiply, *a, *b, strict, at),
            ("__fadd_rn", [a, b]) => self.build.float(FloatOp::Add, *a, *b, strict, at),
            ("max", [a, b]) => self.build.float(FloatOp::Maximum, *a, *b, strict, at),
            ("select", [a, b]) => {
                let three = self.build.constant(Constant::i32(3), at);
                let count = self.named("n");
                let condition = self.build.compare(CompareOp::Greater, count, three, at);
                self.build.select(condition, *a, *b, at)
            }
            ("__logf", [a]) => {
                self.build.math(MathFunction::Log, vec![*a], FloatFlags::APPROXIMATE, at)
            }
            (name, _) => {
                let function =
                    MathFunction::ALL.iter().find(|function| function.name() == name).unwrap();
                self.build.math(*function, arguments, strict, at)
            }
        }
    }
}

/// What a kernel stores, in the order of the text, in the words of [`module`]: `fma(a,b,c)` is fused.
pub fn stores(module: &Module) -> String {
    let function = module.functions.iter().next().unwrap().1;
    let mut names = Vec::new();
    let mut texts = Vec::new();
    walk(function, function.body.as_ref().unwrap(), &mut names, &mut texts);
    texts.join("; ")
}

fn walk(
    function: &Function,
    block: &port_ir::Block,
    names: &mut Vec<(Value, String)>,
    texts: &mut Vec<String>,
) {
    for statement in &block.statements {
        match &statement.kind {
            StatementKind::Load { result, pointer, .. } => {
                let name = match &function.expressions[*pointer] {
                    Expression::Local(local) => function.locals[*local].name.clone(),
                    Expression::Element { index, .. } => match &function.expressions[*index] {
                        Expression::Constant(constant) if constant.bits < 8 => {
                            char::from(b'a' + constant.bits as u8).to_string()
                        }
                        _ => "p".to_string(),
                    },
                    _ => "?".to_string(),
                };
                names.push((*result, name));
            }
            StatementKind::Store { value, .. } => {
                let text = text(function, names, *value);
                if !text.starts_with('i') && text != "0i" {
                    texts.push(text);
                }
            }
            _ => {}
        }
        for inner in statement.kind.blocks() {
            walk(function, inner, names, texts);
        }
    }
}

fn text(function: &Function, names: &[(Value, String)], value: Value) -> String {
    let of = |value: &Value| text(function, names, *value);
    match &function.expressions[value] {
        Expression::Constant(constant) => match constant.as_float() {
            Some(number) => format!("{number}"),
            None => format!("{}i", constant.bits),
        },
        Expression::Result(_) => {
            names.iter().find(|(known, _)| *known == value).map_or("?", |(_, n)| n).to_string()
        }
        Expression::Unary { op: UnaryOp::Negate, value } => format!("-{}", of(value)),
        Expression::Unary { value, .. } => format!("|{}|", of(value)),
        Expression::Float { op, left, right, flags } => {
            assert!(!flags.contract, "`contract` is left");
            let name = match op {
                FloatOp::Add => "+",
                FloatOp::Subtract => "-",
                FloatOp::Multiply => "*",
                FloatOp::Divide => "/",
                FloatOp::Maximum => "max",
                _ => "?",
            };
            format!("({}{name}{})", of(left), of(right))
        }
        Expression::FusedMultiplyAdd { a, b, c, .. } => {
            format!("fma({},{},{})", of(a), of(b), of(c))
        }
        Expression::Select { accept, reject, .. } => format!("[{}:{}]", of(accept), of(reject)),
        Expression::Math { function, arguments, flags } => {
            let arguments: Vec<String> = arguments.iter().map(of).collect();
            let mark = if flags.approximate { "~" } else { "" };
            format!("{mark}{}({})", function.name(), arguments.join(","))
        }
        Expression::Integer { .. } => "i".to_string(),
        other => format!("{other:?}"),
    }
}
