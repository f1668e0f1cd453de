//! Random statements: declarations, assignments, branches, loops, and what threads do together
//! where they are together. Every statement leaves each shared array as it found it, unless threads
//! of the whole block pass a barrier in between.

use super::Generator;
use super::expression::Want;
use super::scope::{Array, Callable, Level, Mask, Place, Position, State, Value};
use super::tree::{Node, Part, Role};
use super::types::Type::{self, *};

/// A statement of these parts.
pub fn statement(parts: Vec<Part>) -> Node {
    Node::new(Role::Statement, parts)
}

/// A statement that must stay.
pub fn fixed(parts: Vec<Part>) -> Node {
    Node::new(Role::Fixed, parts)
}

/// A statement with blocks.
pub fn compound(parts: Vec<Part>) -> Node {
    Node::new(Role::Compound, parts)
}

/// How many names are in scope.
pub struct Mark {
    places: usize,
    arrays: usize,
    callables: usize,
}

impl Generator {
    /// What is in scope now.
    pub fn mark(&self) -> Mark {
        Mark {
            places: self.places.len(),
            arrays: self.arrays.len(),
            callables: self.callables.len(),
        }
    }

    /// Ends the scopes that began after the mark.
    pub fn release(&mut self, mark: &Mark) {
        self.places.truncate(mark.places);
        self.arrays.truncate(mark.arrays);
        self.callables.truncate(mark.callables);
    }

    /// The scalars that came into scope since the mark.
    pub fn places_since(&self, mark: &Mark) -> Vec<Place> {
        self.places[mark.places..].to_vec()
    }

    /// The arrays that came into scope since the mark.
    pub fn arrays_since(&self, mark: &Mark) -> Vec<Array> {
        self.arrays[mark.arrays..].to_vec()
    }

    /// A new name and its variable.
    pub fn fresh(&mut self, stem: &str) -> (String, usize) {
        self.names += 1;
        (format!("{stem}{}", self.names), self.names)
    }

    /// Brings a scalar into scope.
    pub fn declare(&mut self, text: &str, ty: Type, level: Level, writable: bool, variable: usize) {
        let range = if ty.is_integer() { ty.range() } else { (0, 0) };
        self.places.push(Place { text: text.to_owned(), ty, level, writable, variable, range });
    }

    /// Some depth for an expression.
    pub fn want(&mut self, level: Level) -> Want {
        Want { depth: 1 + self.random.below(3) as u32, level }
    }

    /// The type of a new variable.
    pub fn any_type(&mut self) -> Type {
        self.random.pick(&[
            I32, I32, I32, U32, U32, F32, F32, F32, I64, U64, F64, I8, U8, I16, U16, Bool, F16,
            BF16,
        ])
    }

    /// A block of statements at a place, leaving shared arrays as they were.
    pub fn block_at(&mut self, at: Position, count: usize) -> Node {
        let mark = self.mark();
        let states = self.states();
        let mut list = Vec::new();
        for _ in 0..count {
            self.statement_at(at, &mut list);
        }
        if self.states() != states {
            list.push(fixed(vec!["__syncthreads();".into()]));
            self.restore(&states);
        }
        self.release(&mark);
        Node::block(list)
    }

    fn states(&self) -> Vec<State> {
        self.shared.iter().map(|shared| shared.state).collect()
    }

    fn restore(&mut self, states: &[State]) {
        for (shared, state) in self.shared.iter_mut().zip(states) {
            shared.state = *state;
        }
    }

    fn inner_count(&mut self) -> usize {
        1 + self.random.below(4)
    }

    /// One statement, or a few that belong together.
    pub fn statement_at(&mut self, at: Position, list: &mut Vec<Node>) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        let nest = at.depth > 0 && self.budget > 3;
        // What makes convergence hard comes more often where it can.
        if at.around.is_some() && self.random.one_in(8) {
            return self.leave(at, list);
        }
        if at.kernel && at.mask != Mask::Unknown && self.random.one_in(6) {
            return match self.random.below(4) {
                0 | 1 if at.level == Level::Block => self.barrier(at, list),
                2 if at.level == Level::Block => self.shared_write(list),
                _ => self.warp_operation(at, list),
            };
        }
        match self.random.below(40) {
            0..=5 => self.declaration(at, list),
            6..=11 => self.assignment(at, list),
            12..=15 if nest => self.branch(at, list),
            16..=18 if nest && at.loops < 3 => self.loop_at(at, list),
            19 | 20 if nest => self.switch(at, list),
            21 | 22 => self.local_array(at, list),
            23 => self.aggregate(at, list),
            24 => self.pointer(list),
            25 => self.lambda(list),
            26 | 27 => self.sequenced(at, list),
            28 => self.procedure_call(at, list),
            29 => self.leave(at, list),
            30..=32 => self.warp_operation(at, list),
            33 | 34 => self.barrier(at, list),
            35 | 36 => self.shared_write(list),
            37 => self.atomic(list),
            38 => self.vector(list),
            _ if at.kernel && at.level == Level::Block => self.idiom(at, list),
            _ => self.declaration(at, list),
        }
    }

    fn declaration(&mut self, at: Position, list: &mut Vec<Node>) {
        if self.random.one_in(6) {
            let want = self.want(Level::Varying);
            let value = self.number(want);
            let (name, variable) = self.fresh("v");
            let ty = value.ty;
            list.push(statement(vec![format!("auto {name} = ").into(), value.into(), ";".into()]));
            return self.declare(&name, ty, Level::Varying, true, variable);
        }
        let level = if self.random.one_in(3) { at.level } else { Level::Varying };
        let ty = if level > Level::Varying {
            self.random.pick(&[I32, U32, F32, U8, Bool])
        } else {
            self.any_type()
        };
        let want = self.want(level);
        let value = self.assignable(ty, want);
        let (name, variable) = self.fresh("v");
        let (constant, writable) =
            if self.random.one_in(8) { ("const ", false) } else { ("", true) };
        let volatile = if writable && !matches!(ty, F16 | BF16) && self.random.one_in(25) {
            "volatile "
        } else {
            ""
        };
        let spelt = match ty {
            U8 if self.random.one_in(4) => "uint8_t",
            U32 if self.random.one_in(3) => "unsigned int",
            other => other.name(),
        };
        let auto = value.ty == ty && volatile.is_empty() && self.random.one_in(6);
        let spelt = if auto { "auto" } else { spelt };
        // `T name(U(other));` would declare a function.
        let (open, close) =
            if value.precedence < 16 && self.random.one_in(8) { ("(", ");") } else { (" = ", ";") };
        if !volatile.is_empty() {
            self.volatile.push(variable);
        }
        list.push(statement(vec![
            format!("{constant}{volatile}{spelt} {name}{open}").into(),
            value.into(),
            close.into(),
        ]));
        self.declare(&name, ty, level, writable, variable);
    }

    /// A place that may be written here.
    pub fn target(&mut self, at: Position, fits: impl Fn(&Place) -> bool) -> Option<Place> {
        let known: Vec<_> = self
            .places
            .iter()
            .filter(|p| p.writable && p.level <= at.level && fits(p))
            .cloned()
            .collect();
        if known.is_empty() { None } else { Some(self.random.pick(&known)) }
    }

    fn assignment(&mut self, at: Position, list: &mut Vec<Node>) {
        let Some(place) = self.target(at, |_| true) else { return self.declaration(at, list) };
        let want = self.want(place.level);
        let text = place.text.clone();
        let parts: Vec<Part> = match (place.ty, self.random.below(4)) {
            (Bool | F16 | BF16, _) | (_, 0 | 1) => {
                vec![
                    format!("{text} = ").into(),
                    self.assignable(place.ty, want).into(),
                    ";".into(),
                ]
            }
            (F32 | F64, _) => {
                let op = self.random.pick(&["+=", "-=", "*=", "/="]);
                vec![format!("{text} {op} ").into(), self.number(want).into(), ";".into()]
            }
            (ty, 2) => {
                let op = self.random.pick(&["+=", "-=", "*=", "^=", "|=", "&="]);
                let wide = if ty.bits() == 64 { U64 } else { self.random.pick(&[U32, U32, U64]) };
                vec![format!("{text} {op} ").into(), self.exactly(wide, want).into(), ";".into()]
            }
            (ty, _) => match self.random.below(4) {
                0 if !(ty.is_signed() && ty.bits() >= 32) => {
                    let op = self.random.pick(&["++", "--"]);
                    let text = if self.random.one_in(2) {
                        format!("{op}{text};")
                    } else {
                        format!("{text}{op};")
                    };
                    vec![text.into()]
                }
                1 => {
                    let amount = self.random.below(ty.promoted().bits() as usize);
                    vec![format!("{text} >>= {amount};").into()]
                }
                2 if !ty.promoted().is_signed() => {
                    let amount = self.random.below(ty.bits() as usize);
                    vec![format!("{text} <<= {amount};").into()]
                }
                _ => {
                    let op = self.random.pick(&["/=", "%="]);
                    let divisor = self.random.pick(&[3, 7, 16, 100]);
                    vec![format!("{text} {op} {divisor};").into()]
                }
            },
        };
        list.push(statement(parts));
    }

    /// A condition, with its level, that is wanted at some place.
    fn test(&mut self, at: Position) -> Value {
        let level = match self.random.below(4) {
            0 => at.level,
            1 => at.level.min(Level::Warp),
            _ => Level::Varying,
        };
        let want = self.want(level);
        self.condition(want)
    }

    fn branch(&mut self, at: Position, list: &mut Vec<Node>) {
        if at.mask == Mask::Full && at.kernel && self.random.one_in(6) {
            // Half a warp, with the mask that says so.
            let inner =
                Position { level: Level::Varying, mask: Mask::Low16, ..at.under(Level::Varying) };
            let count = self.inner_count();
            let body = self.block_at(inner, count);
            list.push(compound(vec!["if (lane < 16) {".into(), body.into(), "}".into()]));
            return;
        }
        let condition = self.test(at);
        let inner = at.under(condition.level);
        let count = self.inner_count();
        let mut parts: Vec<Part> = vec!["if (".into(), condition.into(), ") {".into()];
        parts.push(self.block_at(inner, count).into());
        if self.random.one_in(2) {
            if self.random.one_in(3) {
                let condition = self.test(at);
                let inner = inner.under(condition.level);
                parts.extend(["} else if (".into(), condition.into(), ") {".into()]);
                let count = self.inner_count();
                parts.push(self.block_at(inner, count).into());
                let count = self.inner_count();
                parts.push("} else {".into());
                parts.push(self.block_at(inner, count).into());
            } else {
                let count = self.inner_count();
                parts.push("} else {".into());
                parts.push(self.block_at(inner, count).into());
            }
        }
        parts.push("}".into());
        list.push(compound(parts));
    }

    fn loop_at(&mut self, at: Position, list: &mut Vec<Node>) {
        let most: i128 = if at.loops > 0 { 3 } else { 6 };
        let level = match self.random.below(3) {
            0 => Level::Varying,
            1 => at.level,
            _ => at.level.min(Level::Warp),
        };
        let (trips, level): (Part, Level) = if self.random.one_in(3) {
            (format!("{}", self.random.within(1, most)).into(), Level::Block)
        } else {
            let value = self.integer(Want { depth: 2, level });
            let own = value.level;
            let value = self.cast(value, U32);
            let text = if self.random.one_in(2) { " & 3)" } else { " % 5)" };
            (
                Node::new(Role::Text, vec!["(int)(".into(), value.at(15).into(), text.into()])
                    .into(),
                own,
            )
        };
        let (name, variable) = self.fresh("i");
        let (bound, _) = self.fresh("n");
        let inner = at.inside(level);
        self.loop_states.push(self.states());
        let mark = self.mark();
        let range = (0, 6);
        let count = self.inner_count();
        let mut place =
            Place { text: name.clone(), ty: I32, level, writable: false, variable, range };
        let unroll = self.random.pick(&[
            "",
            "",
            "",
            "#pragma unroll\n",
            "#pragma unroll 2\n",
            "#pragma unroll 1\n",
        ]);
        let node = match self.random.below(7) {
            0 | 1 => {
                let ty = self.random.pick(&[I32, U32, I64, U64]);
                place.ty = ty;
                self.places.push(place);
                let body = self.block_at(inner, count);
                let step = self.random.pick(&["++{}", "{}++", "{} += 1"]).replace("{}", &name);
                compound(vec![
                    format!("const int {bound} = ").into(),
                    trips,
                    format!(
                        ";\n{unroll}for ({ty} {name} = 0; {name} < {bound}; {step}) {{",
                        ty = ty.name()
                    )
                    .into(),
                    body.into(),
                    "}".into(),
                ])
            }
            2 => {
                place.range = (1, 6);
                self.places.push(place);
                let body = self.block_at(inner, count);
                compound(vec![
                    format!("for (int {name} = ").into(),
                    trips,
                    format!("; {name} > 0; --{name}) {{").into(),
                    body.into(),
                    "}".into(),
                ])
            }
            3 => {
                // The test is evaluated before each pass, with what the body has changed.
                let test = self.condition(Want { depth: 2, level });
                let inner = at.inside(level.min(test.level));
                place.level = level.min(test.level);
                self.places.push(place);
                let body = self.block_at(inner, count);
                compound(vec![
                    format!("int {name} = 0;\nwhile ({name} < ").into(),
                    trips,
                    " && ".into(),
                    test.at(6).into(),
                    format!(") {{\n++{name};").into(),
                    body.into(),
                    "}".into(),
                ])
            }
            4 => {
                self.places.push(place);
                let body = self.block_at(inner, count);
                compound(vec![
                    format!("const int {bound} = ").into(),
                    trips,
                    format!(";\nint {name} = 0;\ndo {{").into(),
                    body.into(),
                    format!("}} while (++{name} < {bound});").into(),
                ])
            }
            5 => {
                self.places.push(place);
                let body = self.block_at(inner, count);
                let (head, post) =
                    self.random.pick(&[("while (true)", ""), ("for (;;)", ""), ("for (;; )", "")]);
                compound(vec![
                    format!("const int {bound} = ").into(),
                    trips,
                    format!(
                        ";\nint {name} = 0;\n{head} {{\nif ({name} >= {bound}) break;\n++{name};"
                    )
                    .into(),
                    body.into(),
                    format!("{post}}}").into(),
                ])
            }
            _ => {
                // Two counters, one of which the trips do not depend on.
                place.range = (0, 12);
                let also =
                    self.target(at.inside(level), |p| p.level == Level::Varying && p.ty == I32);
                let also = also.map(|target| {
                    let want = Want { depth: 2, level: Level::Varying };
                    (target.text, self.assignable(I32, want))
                });
                self.places.push(place);
                let body = self.block_at(inner, count);
                compound(vec![
                    format!("const int {bound} = ").into(),
                    trips,
                    format!(";\nfor (int {name} = 0, e{variable} = {bound}; e{variable} > 0; {name} += 2, --e{variable}")
                        .into(),
                    match also {
                        Some((text, value)) => Node::new(
                            Role::Text,
                            vec![format!(", {text} = ").into(), value.at(3).into()],
                        )
                        .into(),
                        None => "".into(),
                    },
                    ") {".into(),
                    body.into(),
                    "}".into(),
                ])
            }
        };
        self.release(&mark);
        self.loop_states.pop();
        list.push(Node::new(Role::Compound, vec!["{\n".into(), node.into(), "\n}".into()]));
    }

    fn switch(&mut self, at: Position, list: &mut Vec<Node>) {
        let level = if self.random.one_in(2) { at.level } else { Level::Varying };
        let want = self.want(level);
        let ty = self.random.pick(&[I32, U32, U8, I64]);
        let value = self.exactly(ty, want);
        let inner = Position { in_switch: true, ..at.under(value.level) };
        let mut parts: Vec<Part> = vec!["switch (".into(), value.at(9).into(), " & 7) {".into()];
        let default = self.random.below(6);
        for case in 0..2 + self.random.below(4) {
            let label =
                if case == default { "default:".to_owned() } else { format!("case {case}:") };
            let extra =
                if self.random.one_in(4) { format!("\ncase {}:", 7 - case) } else { String::new() };
            let extra = if case < 3 { extra } else { String::new() };
            let count = self.random.below(3);
            parts.push(format!("{label}{extra} {{").into());
            parts.push(self.block_at(inner, count).into());
            parts.push("}\n".into());
            if !self.random.one_in(4) {
                parts.push("break;\n".into());
            }
        }
        parts.push("}".into());
        // Its blocks are no replacement for it.
        list.push(Node::new(Role::Statement, vec![Node::new(Role::Text, parts).into()]));
    }

    fn local_array(&mut self, at: Position, list: &mut Vec<Node>) {
        let known: Vec<Array> = self
            .arrays
            .iter()
            .filter(|a| a.writable && !self.banned.contains(&a.variable))
            .cloned()
            .collect();
        if !known.is_empty() && self.random.below(3) > 0 {
            let array = self.random.pick(&known);
            let mut parts: Vec<Part> = vec![array.text.clone().into()];
            for extent in &array.extents {
                let index = self.index(*extent, Level::Varying);
                parts.extend(["[".into(), index.into(), "]".into()]);
            }
            let want = self.want(Level::Varying);
            let value = self.assignable(array.ty, want);
            parts.extend([" = ".into(), value.into(), ";".into()]);
            list.push(statement(parts));
            return;
        }
        if !at.kernel && self.random.one_in(2) {
            return;
        }
        let ty = self.random.pick(&[I32, U32, F32, F64, U8, I16, U64]);
        let (name, variable) = self.fresh("a");
        let count = 2 + self.random.below(7) as u32;
        let mut extents = vec![count];
        if self.random.one_in(4) {
            extents = vec![2 + self.random.below(2) as u32, 2 + self.random.below(3) as u32];
        }
        let dims: String = extents.iter().map(|extent| format!("[{extent}]")).collect();
        if extents.len() == 2 || self.random.one_in(2) {
            let want = Want { depth: 2, level: Level::Varying };
            let value = self.assignable(ty, want);
            let declared = format!("{} {name}{dims};\n", ty.name());
            let (i, j) = (format!("p{variable}"), format!("q{variable}"));
            let mut text = format!("{declared}for (int {i} = 0; {i} < {}; ++{i}) ", extents[0]);
            let mut indices = format!("[{i}]");
            if let Some(extent) = extents.get(1) {
                text += &format!("for (int {j} = 0; {j} < {extent}; ++{j}) ");
                indices += &format!("[{j}]");
            }
            list.push(statement(vec![
                format!("{text}{name}{indices} = ").into(),
                value.into(),
                ";".into(),
            ]));
        } else {
            let mut parts: Vec<Part> = vec![format!("{} {name}[{count}] = {{", ty.name()).into()];
            // The rest is zero.
            for index in 0..1 + self.random.below(count as usize) {
                let value = self.exactly(ty, Want { depth: 1, level: Level::Varying });
                parts.push(if index > 0 { ", ".into() } else { "".into() });
                parts.push(value.into());
            }
            parts.push("};".into());
            list.push(statement(parts));
        }
        self.arrays.push(Array { text: name, extents, ty, own: true, writable: true, variable });
    }

    /// A structure of the program: declared, copied, changed by a method.
    fn aggregate(&mut self, at: Position, list: &mut Vec<Node>) {
        let Some(structure) = self.structures.first().cloned() else {
            return self.declaration(at, list);
        };
        let structure = if self.structures.len() > 1 {
            self.random.pick(&self.structures.clone())
        } else {
            structure
        };
        let (name, variable) = self.fresh("s");
        let copied = self.objects.iter().rev().find(|(_, of)| *of == structure.name).cloned();
        let copied = copied.filter(|(text, _)| {
            self.places.iter().any(|p| p.text.starts_with(&format!("{text}.")))
        });
        match copied {
            Some((other, _)) if self.random.one_in(2) => {
                let text = if self.random.one_in(2) {
                    format!("{} {name} = {other};", structure.name)
                } else {
                    format!("{} {name} = {other} + {other};", structure.name)
                };
                list.push(statement(vec![text.into()]));
            }
            _ => {
                let mut parts: Vec<Part> = vec![format!("{} {name} = {{", structure.name).into()];
                for (index, (_, ty)) in structure.fields.iter().enumerate() {
                    let value = self.exactly(*ty, Want { depth: 1, level: Level::Varying });
                    parts.push(if index > 0 { ", ".into() } else { "".into() });
                    parts.push(value.into());
                }
                parts.push("};".into());
                list.push(statement(parts));
            }
        }
        for (field, ty) in &structure.fields {
            self.declare(&format!("{name}.{field}"), *ty, Level::Varying, true, variable);
        }
        if structure.array {
            self.arrays.push(Array {
                text: format!("{name}.h"),
                extents: vec![4],
                ty: U32,
                own: true,
                writable: true,
                variable,
            });
        }
        if self.random.one_in(4) {
            let (many, variable) = self.fresh("t");
            let (one, copy) = self.fresh("u");
            let s = &structure.name;
            let index = self.index(2, Level::Varying);
            list.push(statement(vec![
                format!("{s} {many}[2];\n{many}[0] = {name};\n{many}[1] = {name} + {name};\n{s} {one} = {many}[").into(),
                index.into(),
                "];".into(),
            ]));
            for (field, ty) in &structure.fields {
                self.declare(&format!("{one}.{field}"), *ty, Level::Varying, true, copy);
                self.declare(&format!("{many}[1].{field}"), *ty, Level::Varying, true, variable);
            }
        }
        let value = self.exactly(U32, Want { depth: 2, level: Level::Varying });
        list.push(statement(vec![format!("{name}.bump(").into(), value.into(), ");".into()]));
        self.callables.push(Callable {
            text: format!("{name}.value"),
            parameters: vec![I32],
            result: structure.result,
        });
        self.objects.push((name, structure.name.clone()));
    }

    /// A pointer or a reference to something local.
    fn pointer(&mut self, list: &mut Vec<Node>) {
        let known: Vec<Place> = self
            .places
            .iter()
            .filter(|p| {
                p.writable
                    && p.level == Level::Varying
                    && !p.text.contains('*')
                    && !self.volatile.contains(&p.variable)
            })
            .cloned()
            .collect();
        if known.is_empty() {
            return;
        }
        let place = self.random.pick(&known);
        let (name, _) = self.fresh("r");
        let ty = place.ty.name();
        let other =
            known.iter().find(|p| p.ty == place.ty && p.variable != place.variable).cloned();
        match (self.random.below(3), other) {
            (0, _) => {
                list.push(statement(vec![format!("{ty}& {name} = {};", place.text).into()]));
                self.declare(&name, place.ty, Level::Varying, true, place.variable);
            }
            (1, Some(other)) => {
                let want = self.want(Level::Varying);
                let condition = self.condition(want);
                list.push(statement(vec![
                    format!("{ty}* {name} = ").into(),
                    condition.at(4).into(),
                    format!(" ? &{} : &{};", place.text, other.text).into(),
                ]));
                for p in &mut self.places {
                    if p.variable == other.variable {
                        p.variable = place.variable;
                    }
                }
                self.declare(&format!("*{name}"), place.ty, Level::Varying, true, place.variable);
            }
            _ => {
                list.push(statement(vec![format!("{ty}* {name} = &{};", place.text).into()]));
                self.declare(&format!("(*{name})"), place.ty, Level::Varying, true, place.variable);
            }
        }
    }

    /// A closure over what is in scope; shared memory is left out, since the call has its own time.
    fn lambda(&mut self, list: &mut Vec<Node>) {
        let shared = std::mem::take(&mut self.shared);
        let mark = self.mark();
        let (name, _) = self.fresh("f");
        let parameters = [self.random.pick(&[I32, U32, F32]), self.random.pick(&[I32, F64, U8])];
        for (parameter, ty) in ["la", "lb"].into_iter().zip(parameters) {
            let (_, variable) = self.fresh("p");
            self.declare(parameter, ty, Level::Varying, false, variable);
        }
        let result = self.random.pick(&[I32, U32, F32, I64, F64]);
        let value = self.exactly(result, Want { depth: 3, level: Level::Varying });
        let capture = self.random.pick(&["[=]", "[&]"]);
        let [a, b] = parameters.map(Type::name);
        self.release(&mark);
        self.shared = shared;
        list.push(statement(vec![
            format!("auto {name} = {capture}({a} la, {b} lb) {{ return ").into(),
            value.into(),
            "; };".into(),
        ]));
        self.callables.push(Callable { text: name, parameters: parameters.to_vec(), result });
    }

    /// Statements whose expressions change something, in an order that C++17 defines.
    fn sequenced(&mut self, at: Position, list: &mut Vec<Node>) {
        let plain = |p: &Place| p.level == Level::Varying && p.ty.is_integer() && p.ty != Bool;
        let Some(place) = self.target(at, plain) else { return self.declaration(at, list) };
        let counts = !(place.ty.is_signed() && place.ty.bits() >= 32);
        let want = Want { depth: 2, level: Level::Varying };
        let (name, variable) = self.fresh("v");
        let text = place.text.clone();
        let condition = self.condition(want);
        match self.random.below(7) {
            0 => {
                let value = self.assignable(place.ty, want);
                let second = self.condition(want);
                let (op, precedence) = self.random.pick(&[("&&", 6), ("||", 6)]);
                list.push(statement(vec![
                    format!("const bool {name} = ").into(),
                    condition.at(precedence).into(),
                    format!(" {op} ({text} = ").into(),
                    value.into(),
                    ", ".into(),
                    second.into(),
                    ");".into(),
                ]));
                self.declare(&name, Bool, Level::Varying, false, variable);
            }
            1 => {
                let (a, b) = (self.assignable(place.ty, want), self.integer(want));
                list.push(statement(vec![
                    format!("long long {name} = ").into(),
                    condition.at(4).into(),
                    format!(" ? ({text} = ").into(),
                    a.into(),
                    ") : ".into(),
                    b.at(3).into(),
                    ";".into(),
                ]));
                self.declare(&name, I64, Level::Varying, true, variable);
            }
            2 if counts => {
                self.banned.push(place.variable);
                let value = self.exactly(U32, want);
                self.banned.pop();
                let form = self.random.pick(&["{}++", "++{}", "{}--", "--{}"]).replace("{}", &text);
                list.push(statement(vec![
                    format!("unsigned {name} = (unsigned)({form}) * 3u + ").into(),
                    value.at(13).into(),
                    ";".into(),
                ]));
                self.declare(&name, U32, Level::Varying, true, variable);
            }
            3 if counts => {
                let known: Vec<Array> = self
                    .arrays
                    .iter()
                    .filter(|a| a.writable && a.extents.len() == 1)
                    .cloned()
                    .collect();
                if known.is_empty() {
                    return;
                }
                let array = self.random.pick(&known);
                self.banned.extend([place.variable, array.variable]);
                let value = self.assignable(array.ty, want);
                self.banned.truncate(self.banned.len() - 2);
                list.push(statement(vec![
                    format!("{}[(unsigned)({text}++) % {}u] = ", array.text, array.extents[0])
                        .into(),
                    value.into(),
                    ";".into(),
                ]));
            }
            4 => {
                let (a, b) = (self.condition(want), self.assignable(place.ty, want));
                let body = self.under_effect(at);
                list.push(compound(vec![
                    "if (".into(),
                    condition.at(6).into(),
                    " && (".into(),
                    format!("({text} = ").into(),
                    b.into(),
                    ") != 0 || ".into(),
                    a.at(5).into(),
                    ")) {".into(),
                    body.into(),
                    "}".into(),
                ]));
            }
            5 => {
                let (other, ty) = match self.target(at, plain) {
                    Some(other) if other.variable != place.variable => (other.text, other.ty),
                    _ => return,
                };
                let value = self.assignable(ty, want);
                list.push(statement(vec![
                    format!("{text} = {other} = ").into(),
                    value.into(),
                    ";".into(),
                ]));
            }
            _ => {
                // A comma in the head of a loop, and a counter that the test changes.
                let body = if at.depth > 0 && at.loops < 3 {
                    self.loop_states.push(self.states());
                    let count = self.inner_count();
                    let body = self.block_at(at.inside(Level::Varying), count);
                    self.loop_states.pop();
                    body
                } else {
                    Node::block(Vec::new())
                };
                list.push(compound(vec![
                    format!("int {name} = 4;\nwhile ({name}-- > 0 && ").into(),
                    condition.at(6).into(),
                    ") {".into(),
                    body.into(),
                    "}".into(),
                ]));
            }
        }
    }

    fn under_effect(&mut self, at: Position) -> Node {
        let count = self.inner_count();
        self.block_at(at.under(Level::Varying), count)
    }

    fn procedure_call(&mut self, at: Position, list: &mut Vec<Node>) {
        if self.procedures.is_empty() {
            return self.declaration(at, list);
        }
        let procedure = self.random.pick(&self.procedures.clone());
        let mut parts: Vec<Part> = vec![format!("{}(", procedure.text).into()];
        let banned = self.banned.len();
        for (index, (ty, by)) in procedure.parameters.iter().enumerate() {
            parts.push(if index > 0 { ", ".into() } else { "".into() });
            match by {
                None => parts
                    .push(self.assignable(*ty, Want { depth: 2, level: Level::Varying }).into()),
                Some(by) => {
                    let taken = self.banned.clone();
                    let volatile = self.volatile.clone();
                    let fits = |p: &Place| {
                        p.ty == *ty
                            && p.level == Level::Varying
                            && !taken.contains(&p.variable)
                            && !volatile.contains(&p.variable)
                    };
                    let Some(place) = self.target(at, fits) else {
                        self.banned.truncate(banned);
                        return self.declaration(at, list);
                    };
                    self.banned.push(place.variable);
                    let mark = if *by == '*' { "&" } else { "" };
                    parts.push(format!("{mark}{}", place.text).into());
                }
            }
        }
        self.banned.truncate(banned);
        parts.push(");".into());
        list.push(statement(parts));
    }

    /// `break`, `continue` or `return`, under a condition.
    fn leave(&mut self, at: Position, list: &mut Vec<Node>) {
        let condition = self.test(at);
        let inner = at.under(condition.level);
        if let Some(loop_states) = self.loop_states.last().cloned()
            && inner.may_leave()
        {
            let word = if at.in_switch || self.random.one_in(2) { "continue" } else { "break" };
            let barrier = if loop_states != self.states() { "__syncthreads();\n" } else { "" };
            if !barrier.is_empty() && inner.level != Level::Block {
                return;
            }
            list.push(statement(vec![
                "if (".into(),
                condition.into(),
                format!(") {{ {barrier}{word}; }}").into(),
            ]));
            return;
        }
        if at.kernel {
            if inner.level == Level::Block && self.random.one_in(4) {
                list.push(statement(vec!["if (".into(), condition.into(), ") return;".into()]));
            } else if at.may_return && inner.level < Level::Block && self.random.one_in(3) {
                self.exited = true;
                list.push(statement(vec!["if (".into(), condition.into(), ") return;".into()]));
            }
        } else if let Some(ty) = self.returns {
            let value = self.assignable(ty, Want { depth: 2, level: Level::Varying });
            let parts =
                vec!["if (".into(), condition.into(), ") return ".into(), value.into(), ";".into()];
            list.push(statement(parts));
        }
    }

    /// A load or a declaration of a vector; its members come into scope.
    fn vector(&mut self, list: &mut Vec<Node>) {
        let (name, variable) = self.fresh("q");
        let (vector, ty, size) = self.random.pick(&[
            ("float4", F32, 4),
            ("float2", F32, 2),
            ("int4", I32, 4),
            ("int2", I32, 2),
            ("uint2", U32, 2),
            ("uchar4", U8, 4),
            ("short2", I16, 2),
            ("double2", F64, 2),
            ("float3", F32, 3),
        ]);
        let members = &["x", "y", "z", "w"][..size];
        let loaded = self
            .arrays
            .iter()
            .find(|a| a.ty == ty && !a.own && a.extents.len() == 1 && a.text.starts_with("in_"))
            .map(|a| (a.text.clone(), a.extents[0]));
        let mut parts: Vec<Part> = Vec::new();
        match loaded {
            Some((text, extent)) if size != 3 && self.random.below(3) > 0 => {
                let index = self.index(extent / size as u32, Level::Varying);
                if self.random.one_in(2) {
                    parts.push(
                        format!(
                            "const {vector} {name} = reinterpret_cast<const {vector}*>({text})["
                        )
                        .into(),
                    );
                    parts.extend([index.into(), "];".into()]);
                } else {
                    parts.push(
                        format!("{vector} {name} = *(const {vector}*)({text} + {size} * ").into(),
                    );
                    let index = self.cast(index, I32);
                    parts.extend([index.at(14).into(), ");".into()]);
                }
            }
            _ => {
                parts.push(format!("{vector} {name} = make_{vector}(").into());
                for index in 0..size {
                    parts.push(if index > 0 { ", ".into() } else { "".into() });
                    parts.push(self.exactly(ty, Want { depth: 1, level: Level::Varying }).into());
                }
                parts.push(");".into());
            }
        }
        let writable = !matches!(&parts[0], Part::Text(text) if text.starts_with("const"));
        list.push(statement(parts));
        for member in members {
            self.declare(&format!("{name}.{member}"), ty, Level::Varying, writable, variable);
        }
    }
}
