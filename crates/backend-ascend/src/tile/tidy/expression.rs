//! Expressions of C++ as emitted text has them: read, made simpler where nothing changes, and printed
//! with the parentheses that they need. What is no such expression is left as it is.

use std::collections::BTreeMap;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// A literal or a name, with its namespaces and template arguments.
    Atom(String),
    /// `-a`, `!a`, `~a`, `*a`, `&a`.
    Unary(char, Box<Expression>),
    Binary(String, Box<Expression>, Box<Expression>),
    Ternary(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `static_cast<ty>(a)`, `reinterpret_cast<ty>(a)`.
    Cast(String, String, Box<Expression>),
    Call(Box<Expression>, Vec<Expression>),
    Index(Box<Expression>, Box<Expression>),
    /// `a.b`, with template arguments.
    Member(Box<Expression>, String),
    /// `T{a, b}` or `{a, b}`.
    Braces(String, Vec<Expression>),
}

/// Types that arithmetic is done in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    I32,
    U32,
    I64,
    U64,
    F32,
    Address,
}

impl Type {
    pub(super) fn read(text: &str) -> Option<Type> {
        Some(match text {
            "bool" => Type::Bool,
            "int32_t" => Type::I32,
            "uint32_t" => Type::U32,
            "int64_t" => Type::I64,
            "uint64_t" => Type::U64,
            "float" => Type::F32,
            "GM_ADDR" => Type::Address,
            _ => return None,
        })
    }

    fn promoted(self) -> Option<Type> {
        match self {
            Type::Bool => Some(Type::I32),
            Type::Address => None,
            other => Some(other),
        }
    }

    /// The type of arithmetic on both.
    fn common(self, other: Type) -> Option<Type> {
        let (a, b) = (self.promoted()?, other.promoted()?);
        let rank = |ty: Type| match ty {
            Type::I32 => 0,
            Type::U32 => 1,
            Type::I64 => 2,
            Type::U64 => 3,
            _ => 4,
        };
        Some(if rank(a) >= rank(b) { a } else { b })
    }

    fn is_integer(self) -> bool {
        matches!(self, Type::I32 | Type::U32 | Type::I64 | Type::U64)
    }

    fn bits(self) -> u32 {
        if matches!(self, Type::I64 | Type::U64) { 64 } else { 32 }
    }

    /// A number as this type holds it.
    fn wrap(self, value: i128) -> Option<i128> {
        Some(match self {
            Type::Bool => i128::from(value != 0),
            Type::I32 => i128::from(value as i32),
            Type::U32 => i128::from(value as u32),
            Type::I64 => i128::from(value as i64),
            Type::U64 => i128::from(value as u64),
            Type::F32 | Type::Address => return None,
        })
    }
}

/// The types of names.
pub(super) type Types = BTreeMap<String, Type>;

/// Depth of brackets that is read.
const MAX_DEPTH: u32 = 64;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

/// The expression that a text is.
pub(super) fn read(text: &str) -> Option<Expression> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let expression = reader.ternary()?;
    reader.space();
    (reader.at == text.len()).then_some(expression)
}

/// Operators by how they bind, the weakest first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

fn level(operator: &str) -> usize {
    LEVELS.iter().position(|level| level.contains(&operator)).unwrap_or(0)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn ternary(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let condition = self.binary(0)?;
        let result = if self.eat("?") {
            let accept = self.ternary()?;
            if !self.eat(":") {
                return None;
            }
            let reject = self.ternary()?;
            Expression::Ternary(condition.into(), accept.into(), reject.into())
        } else {
            condition
        };
        self.depth -= 1;
        Some(result)
    }

    fn operator(&mut self, level: usize) -> Option<&'static str> {
        self.space();
        let rest = self.rest();
        let found = LEVELS.get(level)?.iter().copied().find(|operator| {
            let after = rest.strip_prefix(operator);
            after.is_some_and(|after| {
                // `a << b` is no `a < …`, `a |= b` no `a | …`.
                let next = after.chars().next().unwrap_or(' ');
                let doubled = operator.len() == 1 && operator.ends_with(next);
                let single = operator.len() == 1 || matches!(*operator, "<<" | ">>");
                !(doubled && matches!(next, '<' | '>' | '&' | '|' | '+' | '-')
                    || single && next == '=')
            })
        })?;
        self.at += found.len();
        Some(found)
    }

    fn binary(&mut self, level: usize) -> Option<Expression> {
        if level == LEVELS.len() {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator.to_owned(), left.into(), right.into());
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expression> {
        self.space();
        let first = self.rest().chars().next()?;
        if matches!(first, '-' | '!' | '~' | '*' | '&') {
            self.at += 1;
            self.depth += 1;
            if self.depth > MAX_DEPTH || self.rest().starts_with(first) {
                return None;
            }
            let operand = self.unary()?;
            self.depth -= 1;
            return Some(Expression::Unary(first, operand.into()));
        }
        self.postfix()
    }

    fn list(&mut self, close: &str) -> Option<Vec<Expression>> {
        let mut list = Vec::new();
        if self.eat(close) {
            return Some(list);
        }
        loop {
            list.push(self.ternary()?);
            if self.eat(close) {
                return Some(list);
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    /// A name or a number, with namespaces and template arguments.
    fn word(&mut self) -> Option<String> {
        let rest = self.rest();
        let mut end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if end == 0 {
            return None;
        }
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            // `1.5e-7f`
            loop {
                let tail = rest.get(end..)?;
                let exponent = rest.get(..end)?.ends_with(['e', 'E']) && !rest.starts_with("0x");
                if tail.starts_with('.') || exponent && tail.starts_with(['-', '+']) {
                    end += 1;
                } else if tail.starts_with(is_word) {
                    end += tail.find(|c| !is_word(c)).unwrap_or(tail.len());
                } else {
                    break;
                }
            }
        } else {
            loop {
                let tail = rest.get(end..)?;
                if let Some(more) = tail.strip_prefix("::") {
                    let length = more.find(|c| !is_word(c)).unwrap_or(more.len());
                    end += 2 + length;
                } else if let Some(length) = arguments(tail) {
                    end += length;
                } else {
                    break;
                }
            }
        }
        let word = rest.get(..end)?.to_owned();
        self.at += end;
        Some(word)
    }

    fn postfix(&mut self) -> Option<Expression> {
        self.space();
        let mut expression = if self.eat("(") {
            let inner = self.ternary()?;
            if !self.eat(")") {
                return None;
            }
            inner
        } else if self.eat("{") {
            Expression::Braces(String::new(), self.list("}")?)
        } else {
            let word = self.word()?;
            let cast = word.split_once('<').filter(|(name, _)| name.ends_with("_cast"));
            match cast {
                Some((name, ty)) if self.eat("(") => {
                    let inner = self.ternary()?;
                    if !self.eat(")") {
                        return None;
                    }
                    Expression::Cast(
                        name.to_owned(),
                        ty.strip_suffix('>')?.to_owned(),
                        inner.into(),
                    )
                }
                _ if self.rest().starts_with('{') => {
                    self.at += 1;
                    Expression::Braces(word, self.list("}")?)
                }
                _ => Expression::Atom(word),
            }
        };
        loop {
            let rest = self.rest();
            if rest.starts_with('(') {
                self.at += 1;
                expression = Expression::Call(expression.into(), self.list(")")?);
            } else if rest.starts_with('[') {
                self.at += 1;
                let index = self.ternary()?;
                if !self.eat("]") {
                    return None;
                }
                expression = Expression::Index(expression.into(), index.into());
            } else if rest.starts_with('.') {
                self.at += 1;
                expression = Expression::Member(expression.into(), self.word()?);
            } else {
                return Some(expression);
            }
        }
    }
}

/// The length of template arguments: emitted text has no space before them, as it has in comparisons.
fn arguments(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if depth == 0 => return None,
            ':' | ',' | '*' | ' ' | '&' => {}
            c if is_word(c) => {}
            _ => return None,
        }
    }
    None
}

impl Expression {
    /// The value of a constant.
    pub(super) fn constant(&self, types: &Types) -> Option<i128> {
        match self {
            Expression::Atom(text) => match text.as_str() {
                "true" => Some(1),
                "false" => Some(0),
                text => {
                    let digits = text.trim_end_matches(['u', 'U', 'l', 'L']);
                    match digits.strip_prefix("0x") {
                        Some(hex) => i128::from_str_radix(hex, 16).ok(),
                        None => digits.parse().ok(),
                    }
                }
            },
            Expression::Unary('-', inner) => {
                let ty = self.ty(types)?;
                ty.wrap(inner.constant(types)?.checked_neg()?)
            }
            Expression::Cast(kind, ty, inner) if kind == "static_cast" => {
                Type::read(ty)?.wrap(inner.constant(types)?)
            }
            _ => None,
        }
    }

    /// Its type, if it is known.
    pub(super) fn ty(&self, types: &Types) -> Option<Type> {
        match self {
            Expression::Atom(text) => literal_type(text).or_else(|| types.get(text).copied()),
            Expression::Member(..) => types.get(&self.to_string()).copied(),
            Expression::Unary('!', _) => Some(Type::Bool),
            Expression::Unary('-' | '~', inner) => inner.ty(types)?.promoted(),
            Expression::Binary(operator, left, right) => match level(operator) {
                0 | 1 | 5 | 6 => Some(Type::Bool),
                7 => left.ty(types)?.promoted(),
                _ => match (left.ty(types)?, right.ty(types)?) {
                    (Type::Address, other) if other != Type::Address => Some(Type::Address),
                    (left, right) => left.common(right),
                },
            },
            Expression::Ternary(_, accept, reject) => {
                let (a, b) = (accept.ty(types)?, reject.ty(types)?);
                if a == b { Some(a) } else { a.common(b) }
            }
            Expression::Cast(_, ty, _) => Type::read(ty),
            _ => None,
        }
    }

    /// Each expression inside, changed first.
    pub(super) fn map(self, change: &dyn Fn(Expression) -> Expression) -> Expression {
        let of = |inner: Box<Expression>| Box::new(inner.map(change));
        let all = |list: Vec<Expression>| list.into_iter().map(|inner| inner.map(change)).collect();
        change(match self {
            Expression::Atom(text) => Expression::Atom(text),
            Expression::Unary(operator, inner) => Expression::Unary(operator, of(inner)),
            Expression::Binary(operator, left, right) => {
                Expression::Binary(operator, of(left), of(right))
            }
            Expression::Ternary(condition, accept, reject) => {
                Expression::Ternary(of(condition), of(accept), of(reject))
            }
            Expression::Cast(kind, ty, inner) => Expression::Cast(kind, ty, of(inner)),
            Expression::Call(callee, list) => Expression::Call(of(callee), all(list)),
            Expression::Index(whole, index) => Expression::Index(of(whole), of(index)),
            Expression::Member(whole, name) => Expression::Member(of(whole), name),
            Expression::Braces(ty, list) => Expression::Braces(ty, all(list)),
        })
    }

    /// Made simpler, with the same value and type.
    pub(super) fn simple(self, types: &Types) -> Expression {
        self.map(&|inner| simpler(inner, types))
    }

    /// Whether it is a number, not a negative one, of a type.
    pub(super) fn is_number_of(&self, ty: Option<Type>) -> bool {
        ty.is_some_and(|ty| {
            ty.is_integer() && self.is_literal() && self.ty(&Types::new()) == Some(ty)
        })
    }

    /// Whether it is made of names and numbers alone.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Expression::Atom(_) => true,
            Expression::Unary(operator, inner) => {
                matches!(operator, '-' | '!' | '~') && inner.is_plain()
            }
            Expression::Member(inner, _) => inner.is_plain(),
            Expression::Cast(kind, _, inner) => kind == "static_cast" && inner.is_plain(),
            Expression::Binary(_, left, right) => left.is_plain() && right.is_plain(),
            Expression::Ternary(condition, accept, reject) => {
                [condition, accept, reject].iter().all(|part| part.is_plain())
            }
            Expression::Call(..) | Expression::Index(..) | Expression::Braces(..) => false,
        }
    }

    fn is_literal(&self) -> bool {
        matches!(self, Expression::Atom(text) if literal_type(text).is_some())
    }

    /// How strongly it holds together: 0 is a ternary.
    fn strength(&self) -> usize {
        match self {
            Expression::Ternary(..) => 0,
            Expression::Binary(operator, ..) => level(operator) + 1,
            Expression::Unary(..) => 20,
            _ => 30,
        }
    }

    fn print(&self, least: usize, out: &mut String) {
        let strength = self.strength();
        if strength < least {
            out.push('(');
            self.print(0, out);
            out.push(')');
            return;
        }
        let list = |list: &[Expression], out: &mut String| {
            for (index, inner) in list.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                inner.print(0, out);
            }
        };
        match self {
            Expression::Atom(text) => out.push_str(text),
            Expression::Unary(operator, inner) => {
                out.push(*operator);
                let is_same = matches!(**inner, Expression::Unary(..));
                inner.print(if is_same { 30 } else { 20 }, out);
            }
            Expression::Binary(operator, left, right) => {
                // Of neighbours that readers mix up, the inner one is set apart.
                let own = level(operator);
                let apart = |inner: &Expression| match inner {
                    Expression::Binary(other, ..) => {
                        let inner = level(other);
                        inner != own
                            && (matches!(own, 2..=4 | 7)
                                || matches!(inner, 2..=4 | 7)
                                || own == 0 && inner == 1
                                || own == 5)
                    }
                    _ => false,
                };
                left.print(if apart(left) { 20 } else { strength }, out);
                out.push(' ');
                out.push_str(operator);
                out.push(' ');
                right.print(if apart(right) { 20 } else { strength + 1 }, out);
            }
            Expression::Ternary(condition, accept, reject) => {
                condition.print(1, out);
                out.push_str(" ? ");
                accept.print(1, out);
                out.push_str(" : ");
                reject.print(0, out);
            }
            Expression::Cast(kind, ty, inner) => {
                out.push_str(&format!("{kind}<{ty}>("));
                inner.print(0, out);
                out.push(')');
            }
            Expression::Call(callee, arguments) => {
                callee.print(30, out);
                out.push('(');
                list(arguments, out);
                out.push(')');
            }
            Expression::Index(whole, index) => {
                whole.print(30, out);
                out.push('[');
                index.print(0, out);
                out.push(']');
            }
            Expression::Member(whole, name) => {
                whole.print(30, out);
                out.push('.');
                out.push_str(name);
            }
            Expression::Braces(ty, inner) => {
                out.push_str(ty);
                out.push('{');
                list(inner, out);
                out.push('}');
            }
        }
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        self.print(0, &mut out);
        f.write_str(&out)
    }
}

/// The type of a literal.
fn literal_type(text: &str) -> Option<Type> {
    if text == "true" || text == "false" {
        return Some(Type::Bool);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if !text.starts_with("0x") && text.ends_with('f') {
        return Some(Type::F32);
    }
    if text.contains('.') {
        return None;
    }
    let digits = text.trim_end_matches(['u', 'U', 'l', 'L']);
    let value: u64 = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let suffix = &text[digits.len()..];
    let is_unsigned = suffix.contains(['u', 'U']);
    let is_long = suffix.contains(['l', 'L']);
    // Numbers in hexadecimal may be unsigned without saying so.
    if text.starts_with("0x") && !is_unsigned {
        return None;
    }
    Some(match (is_unsigned, is_long) {
        (false, false) if i32::try_from(value).is_ok() => Type::I32,
        (false, _) => Type::I64,
        (true, false) if u32::try_from(value).is_ok() => Type::U32,
        (true, _) => Type::U64,
    })
}

fn number(value: i128, ty: Type) -> Option<Expression> {
    let text = match ty {
        Type::Bool => (value != 0).to_string(),
        Type::I32 if value >= 0 => value.to_string(),
        Type::I32 if value > i128::from(i32::MIN) => {
            return Some(Expression::Unary('-', Expression::Atom((-value).to_string()).into()));
        }
        Type::U32 => format!("{value}u"),
        Type::I64 if i32::try_from(value).is_ok() && value != i128::from(i32::MIN) => {
            let small = number(value, Type::I32)?;
            return Some(Expression::Cast("static_cast".into(), "int64_t".into(), small.into()));
        }
        _ => return None,
    };
    Some(Expression::Atom(text))
}

/// A value as a type that is wider, told so.
pub(super) fn widened(value: &Expression, ty: Type, types: &Types) -> Option<Expression> {
    let name = match ty {
        Type::I64 => "int64_t",
        Type::U64 => "uint64_t",
        _ => return None,
    };
    holds(ty, value.ty(types)?)
        .then(|| Expression::Cast("static_cast".to_owned(), name.to_owned(), value.clone().into()))
}

/// Whether each value of a type is one of the other, so that it is converted without being told to.
fn holds(wide: Type, narrow: Type) -> bool {
    matches!((wide, narrow), (Type::I64, Type::I32 | Type::U32) | (Type::U64, Type::U32))
        || wide == narrow
}

fn simpler(expression: Expression, types: &Types) -> Expression {
    match expression {
        Expression::Cast(kind, ty, inner) if kind == "static_cast" => {
            let to = Type::read(&ty);
            let from = inner.ty(types);
            if to.is_some() && to == from {
                return *inner;
            }
            // Twice: the wider type between takes nothing away.
            if let Expression::Cast(again, between, value) = &*inner
                && again == "static_cast"
                && let (Some(to), Some(between), Some(from)) =
                    (to, Type::read(between), value.ty(types))
                && [to, between, from].iter().all(|ty| ty.is_integer())
                && between.bits() >= to.bits()
            {
                return match to == from {
                    true => (**value).clone(),
                    false => Expression::Cast(kind, ty, value.clone()),
                };
            }
            if let (Some(to @ (Type::I32 | Type::U32)), Some(value)) = (to, inner.constant(types))
                && let Some(value) = to.wrap(value)
                && let Some(text) = number(value, to)
            {
                return text;
            }
            Expression::Cast(kind, ty, inner)
        }
        Expression::Binary(operator, left, right) => binary(operator, *left, *right, types),
        // What is given has the type that is asked for.
        Expression::Call(callee, list) if matches!(&*callee, Expression::Atom(name) if name == "lanes::Row") => {
            Expression::Call(callee, list.into_iter().map(|given| as_given(given, types)).collect())
        }
        Expression::Braces(ty, list) if matches!(ty.as_str(), "lanes::Form" | "lanes::Split") => {
            Expression::Braces(ty, list.into_iter().map(|given| as_given(given, types)).collect())
        }
        Expression::Unary('!', inner) => match *inner {
            Expression::Atom(text) if text == "true" => Expression::Atom("false".to_owned()),
            Expression::Atom(text) if text == "false" => Expression::Atom("true".to_owned()),
            Expression::Unary('!', twice) if twice.ty(types) == Some(Type::Bool) => *twice,
            Expression::Binary(operator, left, right) => {
                let integers = [&left, &right].map(|side| side.ty(types));
                let is_exact = integers.iter().all(|ty| ty.is_some_and(|ty| ty != Type::F32));
                let opposite = match operator.as_str() {
                    "==" => Some("!="),
                    "!=" => Some("=="),
                    "<" if is_exact => Some(">="),
                    ">=" if is_exact => Some("<"),
                    ">" if is_exact => Some("<="),
                    "<=" if is_exact => Some(">"),
                    _ => None,
                };
                match opposite {
                    Some(opposite) => Expression::Binary(opposite.to_owned(), left, right),
                    None => {
                        Expression::Unary('!', Expression::Binary(operator, left, right).into())
                    }
                }
            }
            other => Expression::Unary('!', other.into()),
        },
        Expression::Ternary(condition, accept, reject) => match condition.constant(types) {
            Some(value) => {
                let whole = Expression::Ternary(condition, accept, reject);
                let ty = whole.ty(types);
                let Expression::Ternary(_, accept, reject) = whole else { return whole };
                let chosen = if value != 0 { accept } else { reject };
                // The other arm may have been the wider one.
                match (ty, chosen.ty(types)) {
                    (Some(a), Some(b)) if a != b => Expression::Ternary(
                        Expression::Atom((value != 0).to_string()).into(),
                        chosen.clone(),
                        chosen,
                    ),
                    _ => *chosen,
                }
            }
            None => Expression::Ternary(condition, accept, reject),
        },
        other => other,
    }
}

/// A number of 64 bits, without being told to be one.
fn as_given(given: Expression, types: &Types) -> Expression {
    match given {
        Expression::Cast(kind, ty, inner)
            if kind == "static_cast"
                && ty == "int64_t"
                && matches!(inner.ty(types), Some(Type::I32 | Type::U32)) =>
        {
            *inner
        }
        Expression::Braces(ty, list) if ty.is_empty() => {
            Expression::Braces(ty, list.into_iter().map(|given| as_given(given, types)).collect())
        }
        other => other,
    }
}

fn binary(operator: String, left: Expression, right: Expression, types: &Types) -> Expression {
    let (a, b) = (left.ty(types), right.ty(types));
    let constants = (left.constant(types), right.constant(types));
    let arithmetic = matches!(level(&operator), 2..=6 | 8 | 9);
    // Both are numbers.
    if let ((Some(x), Some(y)), Some(x_ty), Some(y_ty)) = (constants, a, b)
        && let Some(common) = x_ty.common(y_ty)
        && let (Some(x), Some(y)) = (common.wrap(x), common.wrap(y))
    {
        let truth = match operator.as_str() {
            "==" => Some(x == y),
            "!=" => Some(x != y),
            "<" => Some(x < y),
            "<=" => Some(x <= y),
            ">" => Some(x > y),
            ">=" => Some(x >= y),
            _ => None,
        };
        if let Some(truth) = truth {
            return Expression::Atom(truth.to_string());
        }
        let value = match operator.as_str() {
            "+" => x.checked_add(y),
            "-" => x.checked_sub(y),
            "*" => x.checked_mul(y),
            "/" if x >= 0 && y > 0 => Some(x / y),
            "%" if x >= 0 && y > 0 => Some(x % y),
            _ => None,
        };
        if let Some(value) = value
            && common.wrap(value) == Some(value)
            && let Some(text) = number(value, common)
        {
            return text;
        }
    }
    let result = match (a, b) {
        (Some(a), Some(b)) => a.common(b),
        _ => None,
    };
    // What changes nothing.
    if let Some(result) = result.filter(|ty| ty.is_integer()) {
        match (operator.as_str(), constants) {
            ("+" | "|" | "^", (Some(0), _)) | ("*", (Some(1), _)) if b == Some(result) => {
                return right;
            }
            ("+" | "-" | "|" | "^", (_, Some(0))) | ("*" | "/", (_, Some(1)))
                if a == Some(result) =>
            {
                return left;
            }
            _ => {}
        }
    }
    match (operator.as_str(), constants) {
        ("&&", (Some(1), _)) if b == Some(Type::Bool) => return right,
        ("&&", (_, Some(1))) if a == Some(Type::Bool) => return left,
        ("||", (Some(0), _)) if b == Some(Type::Bool) => return right,
        ("||", (_, Some(0))) if a == Some(Type::Bool) => return left,
        _ => {}
    }
    // `a + -b`
    if let ("+", Expression::Unary('-', inner)) = (operator.as_str(), &right)
        && (inner.is_literal() || b.is_some_and(Type::is_integer) && inner.ty(types) == b)
    {
        return Expression::Binary("-".to_owned(), left.into(), inner.clone());
    }
    // `a + b * -2`
    if let ("+", Expression::Binary(times, factor, by)) = (operator.as_str(), &right)
        && let ("*", Expression::Unary('-', size)) = (times.as_str(), &**by)
        && size.is_literal()
        && b.is_some_and(Type::is_integer)
        && b == factor.ty(types)
    {
        let product = match size.constant(types) {
            Some(1) => (**factor).clone(),
            _ => Expression::Binary("*".to_owned(), factor.clone(), size.clone()),
        };
        return Expression::Binary("-".to_owned(), left.into(), product.into());
    }
    // The other side's type is given without being asked for.
    let (mut left, mut right) = (left, right);
    if arithmetic {
        if let Some(wide) = a
            && let Some(inner) = implied(&right, wide, types)
        {
            right = inner;
        } else if let Some(wide) = b
            && let Some(inner) = implied(&left, wide, types)
        {
            left = inner;
        }
    }
    Expression::Binary(operator, left.into(), right.into())
}

/// What a conversion to a type converts, if arithmetic with that type would do so by itself.
fn implied(expression: &Expression, wide: Type, types: &Types) -> Option<Expression> {
    let Expression::Cast(kind, ty, inner) = expression else { return None };
    let is_wide = kind == "static_cast" && Type::read(ty) == Some(wide) && wide.is_integer();
    let narrow = inner.ty(types)?;
    let is_number = inner.constant(types).is_some_and(|value| value >= 0);
    (is_wide && (holds(wide, narrow) || is_number && narrow == Type::I32))
        .then(|| (**inner).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Types {
        let known = [
            ("x", Type::I64),
            ("y", Type::I64),
            ("u", Type::U32),
            ("v", Type::U32),
            ("i", Type::I32),
            ("f", Type::F32),
            ("tiling_.n", Type::U64),
            ("p", Type::Address),
        ];
        known.into_iter().map(|(name, ty)| (name.to_owned(), ty)).collect()
    }

    fn simple(text: &str) -> String {
        read(text).map_or_else(|| "?".to_owned(), |e| e.simple(&types()).to_string())
    }

    #[test]
    fn needless_conversions_and_parentheses_go() {
        assert_eq!(simple("static_cast<int64_t>(x) + (y)"), "x + y");
        assert_eq!(
            simple("static_cast<int64_t>(u) * static_cast<int64_t>(v) + x"),
            "static_cast<int64_t>(u) * v + x"
        );
        assert_eq!(
            simple("x + static_cast<int64_t>(u) * static_cast<int64_t>(4)"),
            "x + static_cast<int64_t>(u) * 4"
        );
        assert_eq!(simple("((u) >> 3) + (1)"), "(u >> 3) + 1");
        assert_eq!(simple("(p) != (nullptr)"), "p != nullptr");
        assert_eq!(
            simple("lanes.Below(lanes::Form{x - (1), {0, 0, 0, 1}}, 3)"),
            "lanes.Below(lanes::Form{x - 1, {0, 0, 0, 1}}, 3)"
        );
    }

    #[test]
    fn conversions_that_matter_stay() {
        for text in [
            "static_cast<int64_t>(u) * v",
            "static_cast<uint32_t>(x)",
            "static_cast<uint64_t>(x) * static_cast<uint64_t>(y)",
            "static_cast<float>(i)",
            "static_cast<uint64_t>(i) + tiling_.n",
            "-(-f)",
            "x - (y - 1)",
            "(x + y) * x",
            "f - (f + 1.0f)",
            "(f < 1.0f) == (x < y)",
            "unknown + 0",
        ] {
            assert_eq!(simple(text), text);
        }
        // Not the same for a NaN.
        assert_eq!(simple("!(f < 1.0f)"), "!(f < 1.0f)");
    }

    #[test]
    fn numbers_are_folded() {
        assert_eq!(simple("x * 1 + 0"), "x");
        assert_eq!(simple("static_cast<int32_t>(2 * 3) - i"), "6 - i");
        assert_eq!(simple("(4u) == 0 ? 0u : u / (4u)"), "u / 4u");
        assert_eq!(simple("7 / 0"), "7 / 0");
        assert_eq!(simple("static_cast<uint64_t>(3) >= 32 ? 0u : u << 3"), "u << 3");
        assert_eq!(simple("!(i < 3)"), "i >= 3");
        assert_eq!(simple("0 - static_cast<int64_t>(2) + x"), "-2 + x");
        assert_eq!(simple("128 == 0 ? 0 : 1024 / 128"), "8");
        assert_eq!(simple("5 + x * -1"), "5 - x");
        assert_eq!(simple("5 + x * -36"), "5 - x * 36");
        assert_eq!(simple("static_cast<int32_t>(static_cast<int64_t>(i))"), "i");
        assert_eq!(
            simple("static_cast<uint32_t>(static_cast<int64_t>(i))"),
            "static_cast<uint32_t>(i)"
        );
        assert_eq!(
            simple("static_cast<int64_t>(static_cast<int32_t>(x))"),
            "static_cast<int64_t>(static_cast<int32_t>(x))"
        );
        assert_eq!(
            simple("lanes::Form{0 - static_cast<int64_t>(2), {1, 0, 0, 0}}"),
            "lanes::Form{-2, {1, 0, 0, 0}}"
        );
        // Too large for the type, so that it wraps where it is computed.
        assert_eq!(simple("2147483647 + 1"), "2147483647 + 1");
    }

    #[test]
    fn what_is_no_expression_is_left() {
        for text in ["a b", "f(", "a = b", "x +", "[&] { return 1; }", "a ? b", "1.e", ""] {
            let made = simple(text);
            assert!(made == "?" || made == text, "{text}: {made}");
        }
        assert_eq!(read(&"(".repeat(1000)), None);
        assert_eq!(read(&"-!".repeat(1000)), None);
    }
}
