//! The replacements that let a C++ compiler read CUDA and HIP text, found lexically. This scanner is
//! independent of the front end on purpose, and knows only tokens.
//!
//! - `k<T><<<grid, block>>>(a, b)` becomes a call of the runtime's `launch`.
//! - `alignas(n)` after `__shared__`, where g++ allows no standard attribute, becomes a GNU one.
//! - `__ubuf__ float x[4];`, shared memory of the Ascend 950, becomes a variable of the block's thread.
//! - `cudaLaunchKernel((void*)k, …)` and its kin lose the cast, which hides the types of the
//!   arguments that lie behind pointers.
//!
//! Line breaks are kept, so that compilers report the user's lines; every other byte stays as it is.

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The file's path.
    pub file: String,
    /// Line of its first byte, from 1.
    pub line: usize,
    /// The text replaced.
    pub from: String,
    /// What stands there instead.
    pub to: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// White space, comments and line splices.
    Trivia,
    Identifier,
    /// Numbers, character and string literals.
    Literal,
    /// One byte of punctuation.
    Punctuation,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

/// What a launch becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Launches {
    /// A call of the fiber runtime's `launch`, around a call of the kernel.
    Fibers,
    /// `port_ascend::launch("k<T>", k<T>, blocks, nullptr, stream)(a, b)`.
    Ascend,
}

/// Rewrites a file's text; the replacements are in order of their place.
pub fn rewrite(file: &str, text: &str, launches: Launches) -> (String, Vec<Replacement>) {
    let scanner = Scanner { text, tokens: tokens(text), launches };
    let mut edits = scanner.aligned_shared();
    edits.extend(scanner.untyped_kernels());
    if launches == Launches::Ascend {
        edits.extend(scanner.local_arrays());
    }
    let mut at = 0;
    while at < scanner.tokens.len() {
        match scanner.launch(at) {
            Some((edit, next)) => {
                edits.push(edit);
                at = next;
            }
            None => at += 1,
        }
    }
    edits.sort_by_key(|edit| edit.start);

    let (mut output, mut replacements) = (String::with_capacity(text.len()), Vec::new());
    let mut done = 0;
    for edit in edits {
        // A launch in an argument of another launch is not replaced: it cannot occur in valid text.
        if edit.start < done {
            continue;
        }
        output.push_str(&text[done..edit.start]);
        output.push_str(&edit.to);
        replacements.push(Replacement {
            file: file.to_string(),
            line: text[..edit.start].bytes().filter(|byte| *byte == b'\n').count() + 1,
            from: text[edit.start..edit.end].to_string(),
            to: edit.to,
        });
        done = edit.end;
    }
    output.push_str(&text[done..]);
    (output, replacements)
}

struct Edit {
    start: usize,
    end: usize,
    to: String,
}

fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        let rest = &bytes[at..];
        let kind = if byte.is_ascii_whitespace() {
            at += 1;
            Kind::Trivia
        } else if rest.starts_with(b"\\\n") || rest.starts_with(b"\\\r\n") {
            at += 2;
            Kind::Trivia
        } else if rest.starts_with(b"//") {
            while at < bytes.len() && (bytes[at] != b'\n' || bytes[at - 1] == b'\\') {
                at += 1;
            }
            Kind::Trivia
        } else if rest.starts_with(b"/*") {
            at = text[at + 2..].find("*/").map_or(bytes.len(), |offset| at + 2 + offset + 2);
            Kind::Trivia
        } else if byte.is_ascii_digit()
            || (byte == b'.' && rest.get(1).is_some_and(u8::is_ascii_digit))
        {
            while at < bytes.len() {
                let exponent = matches!(bytes[at], b'e' | b'E' | b'p' | b'P')
                    && matches!(bytes.get(at + 1), Some(b'+' | b'-'));
                let separator =
                    bytes[at] == b'\'' && bytes.get(at + 1).is_some_and(|b| is_identifier_byte(*b));
                if exponent || separator {
                    at += 2;
                } else if is_identifier_byte(bytes[at]) || bytes[at] == b'.' {
                    at += 1;
                } else {
                    break;
                }
            }
            Kind::Literal
        } else if is_identifier_byte(byte) {
            while at < bytes.len() && is_identifier_byte(bytes[at]) {
                at += 1;
            }
            let word = &text[start..at];
            match bytes.get(at) {
                Some(b'"') if matches!(word, "R" | "LR" | "uR" | "UR" | "u8R") => {
                    at = raw_string_end(text, at);
                    Kind::Literal
                }
                Some(quote @ (b'"' | b'\'')) if matches!(word, "L" | "u" | "U" | "u8") => {
                    at = quoted_end(bytes, at, *quote);
                    Kind::Literal
                }
                _ => Kind::Identifier,
            }
        } else if byte == b'"' || byte == b'\'' {
            at = quoted_end(bytes, at, byte);
            Kind::Literal
        } else {
            at += 1;
            Kind::Punctuation
        };
        tokens.push(Token { kind, start, end: at });
    }
    tokens
}

/// The end of a literal that begins at `at`; an unterminated one ends with its line.
fn quoted_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    at += 1;
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn raw_string_end(text: &str, quote: usize) -> usize {
    let rest = &text[quote + 1..];
    let Some(open) = rest.find('(') else { return text.len() };
    let close = format!("){}\"", &rest[..open]);
    rest.find(&close).map_or(text.len(), |offset| quote + 1 + offset + close.len())
}

/// Words that are no operand: a parenthesis after them begins a new expression.
const KEYWORDS: &[&str] = &[
    "if",
    "while",
    "for",
    "switch",
    "return",
    "else",
    "do",
    "case",
    "co_return",
    "throw",
    "new",
    "delete",
    "operator",
    "sizeof",
    "and",
    "or",
    "not",
];

/// Keywords that a parenthesised condition follows.
const CONDITIONS: &[&str] = &["if", "while", "for", "switch", "constexpr"];

struct Scanner<'text> {
    text: &'text str,
    tokens: Vec<Token>,
    launches: Launches,
}

impl Scanner<'_> {
    fn at(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &self.text[token.start..token.end])
    }

    fn kind(&self, index: usize) -> Kind {
        self.tokens.get(index).map_or(Kind::Trivia, |token| token.kind)
    }

    /// The next token from `index` on that is not trivia.
    fn forward(&self, mut index: usize) -> usize {
        while index < self.tokens.len() && self.kind(index) == Kind::Trivia {
            index += 1;
        }
        index
    }

    /// The last token before `index` that is not trivia.
    fn backward(&self, index: usize) -> Option<usize> {
        (0..index).rev().find(|i| self.kind(*i) != Kind::Trivia)
    }

    /// Whether three adjacent bytes of punctuation begin at token `index`.
    fn triple(&self, index: usize, byte: &str) -> bool {
        (0..3).all(|i| self.at(index + i) == byte && self.kind(index + i) == Kind::Punctuation)
    }

    /// The opening bracket of the closing one at `index`.
    fn matching_open(&self, index: usize) -> Option<usize> {
        let mut depth = 0usize;
        for i in (0..=index).rev() {
            if self.kind(i) != Kind::Punctuation {
                continue;
            }
            match self.at(i) {
                ")" | "]" | "}" => depth += 1,
                "(" | "[" | "{" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(i);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The closing bracket of the opening one at `index`.
    fn matching_close(&self, index: usize) -> Option<usize> {
        let mut depth = 0usize;
        for i in index..self.tokens.len() {
            if self.kind(i) != Kind::Punctuation {
                continue;
            }
            match self.at(i) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(i);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The `<` of template arguments that end with the `>` at `index`.
    fn template_open(&self, index: usize) -> Option<usize> {
        let mut depth = 0usize;
        let mut i = index;
        loop {
            if self.kind(i) == Kind::Punctuation {
                match self.at(i) {
                    ">" if i > 0 && self.at(i - 1) == "-" => {}
                    ">" => depth += 1,
                    "<" => {
                        depth = depth.checked_sub(1)?;
                        if depth == 0 {
                            return Some(i);
                        }
                    }
                    ")" | "]" | "}" => i = self.matching_open(i)?,
                    "(" | "[" | "{" | ";" => return None,
                    _ => {}
                }
            }
            i = i.checked_sub(1)?;
        }
    }

    /// The first token of the postfix expression that ends at token `last`.
    fn callee_start(&self, last: usize) -> Option<usize> {
        let mut at = last;
        let mut group = None;
        loop {
            // One primary expression or name, with template arguments, calls and subscripts.
            let start = match (self.kind(at), self.at(at)) {
                (Kind::Identifier, word) if !KEYWORDS.contains(&word) => at,
                (Kind::Punctuation, ">") => {
                    at = self.backward(self.template_open(at)?)?;
                    if self.kind(at) != Kind::Identifier {
                        return None;
                    }
                    continue;
                }
                (Kind::Punctuation, ")" | "]") => {
                    let open = self.matching_open(at)?;
                    let before = self.backward(open);
                    let applied = before.is_some_and(|before| match self.kind(before) {
                        Kind::Identifier => !KEYWORDS.contains(&self.at(before)),
                        _ => matches!(self.at(before), ")" | "]" | ">"),
                    });
                    match before {
                        Some(before) if applied => {
                            group = Some(open);
                            at = before;
                            continue;
                        }
                        // `if (a) (*f)`: the first group is the condition's.
                        Some(before) if CONDITIONS.contains(&self.at(before)) => {
                            return group;
                        }
                        _ => open,
                    }
                }
                _ => return None,
            };
            // Qualifiers and member access go on to the left.
            let Some(mut before) = self.backward(start) else { return Some(start) };
            if self.at(before) == "template" {
                match self.backward(before) {
                    Some(operator) => before = operator,
                    None => return Some(start),
                }
            }
            let pair = |text: &str| {
                before > 0 && self.at(before - 1) == &text[..1] && self.at(before) == &text[1..]
            };
            let (operator, qualifier) = if pair("::") {
                (before - 1, true)
            } else if pair("->") {
                (before - 1, false)
            } else if self.at(before) == "." {
                (before, false)
            } else {
                return Some(start);
            };
            match self.backward(operator) {
                Some(left)
                    if (self.kind(left) == Kind::Identifier
                        && !KEYWORDS.contains(&self.at(left)))
                        || self.at(left) == ">"
                        || (!qualifier && matches!(self.at(left), ")" | "]")) =>
                {
                    at = left;
                }
                // A leading `::`.
                _ => return Some(operator),
            }
        }
    }

    /// The text of tokens `from..to` on one line, without comments.
    fn flat(&self, from: usize, to: usize) -> String {
        let mut flat = String::new();
        for index in from..to {
            if self.kind(index) != Kind::Trivia {
                flat.push_str(self.at(index));
            } else if !flat.ends_with(' ') && !flat.is_empty() {
                flat.push(' ');
            }
        }
        flat.trim_end().to_string()
    }

    /// The line breaks (with their splices) among tokens `from..to`.
    fn breaks(&self, from: usize, to: usize) -> String {
        let (Some(first), Some(last)) = (self.tokens.get(from), self.tokens.get(to)) else {
            return String::new();
        };
        let text = &self.text[first.start..last.start];
        let mut breaks = String::new();
        for line in text.split_inclusive('\n') {
            if let Some(line) = line.strip_suffix('\n') {
                let spliced = line.trim_end_matches('\r').ends_with('\\');
                breaks.push_str(if spliced { "\\\n" } else { "\n" });
            }
        }
        breaks
    }

    /// Whether an argument loses its meaning when it is passed on through a template parameter.
    fn must_stay_in_place(&self, from: usize, to: usize) -> bool {
        let mut depth = 0usize;
        let mut first = true;
        let mut argument = Vec::new();
        for index in from..=to {
            let text = self.at(index);
            let ends = index == to || (depth == 0 && text == ",");
            if ends {
                if matches!(argument.as_slice(), ["0"] | ["NULL"]) {
                    return true;
                }
                argument.clear();
                first = true;
                continue;
            }
            match (self.kind(index), text) {
                (Kind::Trivia, _) => continue,
                (Kind::Punctuation, "{") if first => return true,
                (Kind::Punctuation, "(" | "[" | "{") => depth += 1,
                (Kind::Punctuation, ")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            argument.push(text);
            first = false;
        }
        false
    }

    /// The launch whose `<<<` begins at token `index`: its edit and the token to go on with.
    fn launch(&self, index: usize) -> Option<(Edit, usize)> {
        if !self.triple(index, "<") {
            return None;
        }
        let callee_last = self.backward(index)?;
        let callee = self.callee_start(callee_last)?;
        // `>>>` outside brackets and before the arguments.
        let mut depth = 0usize;
        let mut close = index + 3;
        let open = loop {
            if close >= self.tokens.len() {
                return None;
            }
            if depth == 0 && self.triple(close, ">") {
                let next = self.forward(close + 3);
                if self.at(next) == "(" {
                    break next;
                }
            }
            if self.kind(close) == Kind::Punctuation {
                match self.at(close) {
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" => depth = depth.checked_sub(1)?,
                    ";" if depth == 0 => return None,
                    _ => {}
                }
            }
            close += 1;
        };
        let end = self.matching_close(open)?;

        let name = self.flat(callee, callee_last + 1);
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let slice =
            |from: usize, to: usize| &self.text[self.tokens[from].start..self.tokens[to].start];
        let configuration = slice(index + 3, close);
        let arguments = slice(open + 1, end);
        if self.launches == Launches::Ascend {
            let to = format!(
                "::port_ascend::launch(\"{quoted}\",{}{name},{configuration}){}({arguments})",
                self.breaks(callee, index + 3),
                self.breaks(close, open),
            );
            let edit = Edit { start: self.tokens[callee].start, end: self.tokens[end].end, to };
            return Some((edit, end + 1));
        }
        let mut to = format!(
            "port_oracle::launch(port_oracle::configure(\"{quoted}\",{}{configuration}){}",
            self.breaks(callee, index + 3),
            self.breaks(close, open),
        );
        if self.must_stay_in_place(open + 1, end) {
            to.push_str(&format!(",[&](){{ {name}({arguments}); }})"));
        } else {
            let pass = "port_oracle_arguments";
            to.push_str(&format!(",[&](auto... {pass}){{ {name}({pass}...); }}"));
            let comma = if self.forward(open + 1) == end { "" } else { "," };
            to.push_str(&format!("{comma}{arguments})"));
        }
        let edit = Edit { start: self.tokens[callee].start, end: self.tokens[end].end, to };
        Some((edit, end + 1))
    }

    /// `__shared__ … alignas`: each such `alignas`.
    fn aligned_shared(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for index in 0..self.tokens.len() {
            if self.at(index) != "alignas" {
                continue;
            }
            let shared = self.backward(index).is_some_and(|before| self.at(before) == "__shared__");
            if shared {
                let token = self.tokens[index];
                let to = "PORT_ORACLE_ALIGNAS".to_string();
                edits.push(Edit { start: token.start, end: token.end, to });
            }
        }
        edits
    }
}

impl Scanner<'_> {
    /// `__ubuf__` in declarations of arrays, where it is a storage class; elsewhere it is a part of
    /// pointer types.
    fn local_arrays(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for index in 0..self.tokens.len() {
            if self.at(index) != "__ubuf__" {
                continue;
            }
            let mut next = self.forward(index + 1);
            let mut is_array = false;
            let mut angles = 0usize;
            while next < self.tokens.len()
                && !matches!(self.at(next), ";" | "=" | "(" | ")" | "*")
                && (angles > 0 || self.at(next) != ",")
            {
                match self.at(next) {
                    "<" => angles += 1,
                    ">" => angles = angles.saturating_sub(1),
                    ">>" => angles = angles.saturating_sub(2),
                    "[" => is_array |= angles == 0,
                    _ => {}
                }
                next = self.forward(next + 1);
            }
            if is_array && self.at(next) == ";" {
                let external =
                    self.backward(index).is_some_and(|before| self.at(before) == "extern");
                let to = if external { "thread_local" } else { "static thread_local" };
                let token = self.tokens[index];
                edits.push(Edit { start: token.start, end: token.end, to: to.to_string() });
            }
        }
        edits
    }
}

/// Functions whose first argument is a kernel, often cast to `void*`.
const LAUNCHERS: &[&str] = &[
    "cudaLaunchKernel",
    "cudaLaunchCooperativeKernel",
    "hipLaunchKernel",
    "hipLaunchCooperativeKernel",
];

impl Scanner<'_> {
    /// The casts to `void*` in front of kernels.
    fn untyped_kernels(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for index in 0..self.tokens.len() {
            if self.kind(index) != Kind::Identifier || !LAUNCHERS.contains(&self.at(index)) {
                continue;
            }
            let call = self.forward(index + 1);
            let open = self.forward(call + 1);
            let mut next = self.forward(open + 1);
            if self.at(call) != "(" || self.at(open) != "(" {
                continue;
            }
            if self.at(next) == "const" {
                next = self.forward(next + 1);
            }
            let star = self.forward(next + 1);
            let close = self.forward(star + 1);
            if self.at(next) == "void" && self.at(star) == "*" && self.at(close) == ")" {
                let (start, end) = (self.tokens[open].start, self.tokens[close].end);
                edits.push(Edit { start, end, to: self.breaks(open, close) });
            }
        }
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        let (output, replacements) = rewrite("k.cu", text, Launches::Fibers);
        assert_eq!(replacements.len(), 1, "{text}: {replacements:?}");
        assert_eq!(output.matches('\n').count(), text.matches('\n').count());
        output
    }

    fn launched(callee: &str, configuration: &str, arguments: &str) -> String {
        let pass = "port_oracle_arguments";
        format!(
            "port_oracle::launch(port_oracle::configure(\"{callee}\",{configuration})\
             ,[&](auto... {pass}){{ {callee}({pass}...); }}{arguments})"
        )
    }

    #[test]
    fn launches_become_calls() {
        assert_eq!(one("k<<<g, b>>>(x, n);"), launched("k", "g, b", ",x, n") + ";");
        assert_eq!(one("k<<<1, 2>>>();"), launched("k", "1, 2", "") + ";");
        assert_eq!(
            one("{ ns::k<float, (N > 4)><<<dim3(f<int>(n), 2), b, 0, s>>>(x); }"),
            format!(
                "{{ {}; }}",
                launched("ns::k<float, (N > 4)>", "dim3(f<int>(n), 2), b, 0, s", ",x")
            )
        );
        assert_eq!(one("k<A<B<int>>><<<g,b>>>(x)"), launched("k<A<B<int>>>", "g,b", ",x"));
        assert_eq!(
            one("if (a) ::k<<<g,b>>>(x)"),
            "if (a) ".to_string() + &launched("::k", "g,b", ",x")
        );
        assert_eq!(
            one("if (a) (*f)<<<g,b>>>(x)"),
            "if (a) ".to_string() + &launched("(*f)", "g,b", ",x")
        );
        assert_eq!(one("t[i].f<<<g,b>>>(x)"), launched("t[i].f", "g,b", ",x"));
        assert_eq!(one("p->f<T><<<g,b>>>(x)"), launched("p->f<T>", "g,b", ",x"));
        assert_eq!(one("get(a)<<<g,b>>>(x)"), launched("get(a)", "g,b", ",x"));
        assert_eq!(one("T::template k<V><<<g,b>>>(x)"), launched("T::template k<V>", "g,b", ",x"));
        assert_eq!(one("return k<<<g,b>>>(x);"), format!("return {};", launched("k", "g,b", ",x")));
    }

    #[test]
    fn launches_of_ascend_keep_the_kernel_and_its_arguments() {
        let launch = "k<T><<<blocks, nullptr, stream>>>(x, {1}, 0);";
        let (output, _) = rewrite("k.asc", launch, Launches::Ascend);
        let call = "::port_ascend::launch(\"k<T>\",k<T>,blocks, nullptr, stream)(x, {1}, 0);";
        assert_eq!(output, call);
    }

    #[test]
    fn arrays_of_local_memory_are_variables() {
        let text =
            "alignas(4) __ubuf__ float a[4]; extern __ubuf__ A<B, 3> b[]; f(__ubuf__ float* c);";
        let (output, replacements) = rewrite("k.asc", text, Launches::Ascend);
        let expected = "alignas(4) static thread_local float a[4]; extern thread_local A<B, 3> b[]; \
                        f(__ubuf__ float* c);";
        assert_eq!((output.as_str(), replacements.len()), (expected, 2));
    }

    #[test]
    fn null_and_braces_stay_where_they_are() {
        assert_eq!(
            one("k<<<g,b>>>(NULL, {1, 2});"),
            "port_oracle::launch(port_oracle::configure(\"k\",g,b),[&](){ k(NULL, {1, 2}); });"
        );
        assert!(one("k<<<g,b>>>(x, 0)").contains("[&]()"));
        assert!(one("k<<<g,b>>>(f(0), n)").contains("auto..."));
    }

    #[test]
    fn lines_are_kept() {
        let text = "k<float,\n  4>\n<<<grid, // blocks\n   block>>>\n  (x,\n   n);\n";
        let output = one(text);
        let last = output.lines().position(|line| line.contains("n);")).unwrap();
        assert_eq!(last, text.lines().position(|line| line.contains("n);")).unwrap());
        let text = "#define LAUNCH(k, ...) \\\n  k<<<1, \\\n 2>>>(__VA_ARGS__)\nint x;";
        let output = one(text);
        assert!(output.lines().take(2).all(|line| line.ends_with('\\')), "{output}");
    }

    #[test]
    fn what_is_no_launch_is_left_alone() {
        for text in [
            "// k<<<1,2>>>(x)\n\"k<<<1,2>>>(x)\" R\"(k<<<1,2>>>(x))\" 'a' 1'000",
            "a << b; c >> d; A<B<C<int>>> e; std::cout << 1 << 2;",
            "k<<<1,2",
            "<<<>>>()",
            "k<<<1;2>>>(x)",
            "x = 'k' <<< 2 >>> (y)",
            "/* k<<<1,2>>>(x)",
            "\"k<<<1,2>>>(x)",
            "R\"a(k<<<1,2>>>(x)",
        ] {
            assert_eq!(rewrite("k.cu", text, Launches::Fibers), (text.to_string(), Vec::new()));
        }
    }

    #[test]
    fn alignas_after_shared_becomes_an_attribute() {
        assert_eq!(
            one("extern __shared__ alignas(16) float s[]; alignas(8) int x;"),
            "extern __shared__ PORT_ORACLE_ALIGNAS(16) float s[]; alignas(8) int x;"
        );
    }

    #[test]
    fn kernels_keep_their_types() {
        assert_eq!(
            one("cudaLaunchCooperativeKernel((void*)k<float>, g, b, args);"),
            "cudaLaunchCooperativeKernel(k<float>, g, b, args);"
        );
        assert_eq!(one("cudaLaunchKernel ( ( const void * ) k, g"), "cudaLaunchKernel (  k, g");
        assert!(
            rewrite("k.cu", "cudaLaunchKernel(k, g); f((void*)k)", Launches::Fibers).1.is_empty()
        );
    }

    #[test]
    fn every_prefix_and_deep_nesting_end() {
        let text = "a->b<c(d[e<<<f, g(1)>>>(h, {i}))]> __shared__ alignas cudaLaunchKernel((void*) R\"x( '";
        for end in 0..text.len() {
            rewrite("k.cu", &text[..end], Launches::Fibers);
        }
        rewrite("k.cu", &"k<<<(".repeat(2_000), Launches::Fibers);
        rewrite("k.cu", &"k<".repeat(2_000), Launches::Fibers);
    }
}
