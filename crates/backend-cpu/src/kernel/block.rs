//! A whole kernel: its parameters and memory, and the steps that all threads of a block take.

use std::collections::BTreeMap;

use port_diag::Origin;
use port_ir::analysis::flow::StatementId;
use port_ir::{Extent, Function, Handle, Local, Space, StatementKind, Type, Value, Variable};

use super::expression::Text;
use super::facts::Facts;
use super::names::Names;
use super::schedule::{Home, Schedule, StepKind};
use super::types::{Spelling, refuse};
use super::writer::Writer;
use super::{Context, NotCompiled, Request};
use port_backend::text::cpp::{line_at, one_line};

/// What a mask is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The threads that have not returned.
    Kernel,
    /// Those in an arm of an if.
    Arm,
    /// Those in an arm of a switch.
    Switch(StatementId),
    /// Those that have not left a loop.
    Loop(StatementId),
    /// Those that have not gone to the loop's next pass.
    Pass(StatementId),
}

/// Makes the text of one function.
pub(super) struct Emitter<'e, 'c, 'a> {
    pub(super) context: &'e Context<'c, 'a>,
    pub(super) facts: &'e Facts<'c, 'a>,
    pub(super) schedule: &'e Schedule,
    pub(super) spelling: &'e mut Spelling<'a>,
    /// Whether it is a kernel, not a function of one thread.
    pub(super) kernel: bool,
    pub(super) names: Names,
    pub(super) out: Writer,
    pub(super) scopes: Vec<BTreeMap<Value, String>>,
    pub(super) locals: Vec<Option<String>>,
    /// The arrays of values that live between steps.
    pub(super) arrays: BTreeMap<Value, String>,
    /// Before which statements locals are declared.
    pub(super) declared_before: BTreeMap<StatementId, Vec<Handle<Local>>>,
    /// Whether the text is that of one thread.
    pub(super) lane: bool,
    /// The step that is being made.
    pub(super) step: Option<usize>,
    /// The loops and switches of C++ around, inside the region, with the labels of their steps.
    pub(super) targets: Vec<(StatementId, Option<String>)>,
    /// Those around the loops over threads.
    pub(super) block_targets: Vec<(StatementId, Option<String>)>,
    pub(super) masks: Vec<(Frame, String)>,
    /// The label at the end of the region's loop, once something jumps there.
    pub(super) next_label: Option<String>,
    pub(super) uses_t: bool,
    pub(super) uses_x: bool,
    pub(super) uses_y: bool,
    pub(super) uses_z: bool,
    /// The line of the last comment.
    line: Option<(u32, u32)>,
    /// The place of the statement that is being made.
    pub(super) place: Origin,
    /// Constants of the block that the text uses: expression and name.
    block_values: BTreeMap<String, String>,
    variables: BTreeMap<Handle<Variable>, String>,
    arguments: BTreeMap<u32, String>,
    /// Declarations at the start of the function.
    head: Vec<String>,
    /// Bytes of arrays for each thread.
    lane_bytes: u64,
    shared: SharedLayout,
    needs_alive: bool,
    /// Whether indices are split for vectors, here.
    pub(super) affine: bool,
    /// Variables of a loop that grow by the same for all threads.
    pub(super) inductions: BTreeMap<Handle<Local>, super::affine::Linear>,
    /// What indices of the loop over threads start at: text, name, and where it is computed.
    pub(super) starts: Vec<(String, String, super::affine::Reach)>,
    /// The variables of loops by pass, as the first thread of a row has them.
    pub(super) passes: BTreeMap<Handle<Local>, String>,
    /// Conditions under which threads are gone, as bounds of every loop over threads.
    pub(super) guards: Vec<(Value, bool)>,
    /// The text around the loop over threads, and how many scopes it sees.
    pub(super) around: Option<(Writer, usize)>,
    pub(super) clipped: super::affine::Clip,
    /// Whether conditions inside the loop over threads may become intervals of a row.
    pub(super) bounding: bool,
    /// The ends of those that did.
    pub(super) intervals: Vec<super::affine::IntervalEnd>,
    /// The loop of passes that the threads of a row make together.
    pub(super) pass: Option<Passes>,
    /// Variables that a loop of passes keeps elsewhere than in their array.
    pub(super) own: BTreeMap<Handle<Local>, Kept>,
    /// The names of pure values in the loop over threads.
    pub(super) pure: Vec<String>,
}

/// The heads of a loop of passes.
#[derive(Clone, Debug, Default)]
pub(super) struct Passes {
    /// Between the loops over rows and over the threads of one.
    pub(super) outer: Option<String>,
    /// Inside the loop over threads: a few passes that a thread makes at once.
    pub(super) inner: Option<String>,
    /// The end of the loop over threads.
    pub(super) end: Option<String>,
}

/// Where a loop of passes keeps a variable of each thread.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) name: String,
    /// Its array between steps.
    pub(super) array: String,
    /// Whether the name is that of an array for the row.
    pub(super) in_row: bool,
}

/// Where the shared variables of a kernel lie.
#[derive(Clone, Debug, Default)]
struct SharedLayout {
    offsets: BTreeMap<Handle<Variable>, u64>,
    bytes: u64,
}

impl SharedLayout {
    /// Those that called functions use come first, at the same places in every kernel.
    fn of(context: &Context<'_, '_>, kernel: Option<Handle<Function>>) -> Self {
        let mut layout = SharedLayout::default();
        for variable in context.of_called {
            layout.add(context, *variable);
        }
        if let Some(kernel) = kernel {
            for variable in &context.program.info(kernel).variables {
                layout.add(context, *variable);
            }
        }
        layout
    }

    fn add(&mut self, context: &Context<'_, '_>, handle: Handle<Variable>) {
        let module = context.module();
        let variable = &module.variables[handle];
        if variable.space != Space::Shared
            || variable.extent == Extent::Dynamic
            || self.offsets.contains_key(&handle)
        {
            return;
        }
        let Some(layout) = module.types.layout(variable.ty) else { return };
        let align = variable.align.unwrap_or(1).max(layout.align).max(16);
        let offset = self.bytes.div_ceil(align) * align;
        self.offsets.insert(handle, offset);
        self.bytes = offset + layout.size;
    }
}

/// The compiled form of a kernel.
pub(super) fn kernel<'a>(
    context: &Context<'_, 'a>,
    spelling: &mut Spelling<'a>,
    request: &Request,
) -> Result<String, NotCompiled> {
    let facts = Facts::of(context.program, context.uniformity, request.function);
    let schedule = Schedule::of(&facts);
    let mut emitter = Emitter::new(context, &facts, &schedule, spelling, true);
    emitter.shared = SharedLayout::of(context, Some(request.function));
    emitter.kernel_text(&request.name).map_err(|refused| place(refused, emitter.place))
}

/// A refusal with the place where it came up.
fn place(mut refused: NotCompiled, at: Origin) -> NotCompiled {
    if refused.origin.span.is_empty() {
        refused.origin = at;
    }
    refused
}

/// A function that kernels call: its head and its text.
pub(super) fn device_function<'a>(
    context: &Context<'_, 'a>,
    spelling: &mut Spelling<'a>,
    handle: Handle<Function>,
) -> Result<(String, String), NotCompiled> {
    let facts = Facts::of(context.program, context.uniformity, handle);
    let schedule = Schedule::default();
    let mut emitter = Emitter::new(context, &facts, &schedule, spelling, false);
    emitter.shared = SharedLayout::of(context, None);
    emitter.lane = true;
    emitter.function_text().map_err(|refused| place(refused, emitter.place))
}

impl<'e, 'c, 'a> Emitter<'e, 'c, 'a> {
    fn new(
        context: &'e Context<'c, 'a>,
        facts: &'e Facts<'c, 'a>,
        schedule: &'e Schedule,
        spelling: &'e mut Spelling<'a>,
        kernel: bool,
    ) -> Self {
        let nowhere = Origin::plain(port_diag::Span::new(port_diag::FileId(0), 0, 0));
        Emitter {
            context,
            facts,
            schedule,
            spelling,
            kernel,
            names: context.names(),
            out: Writer::at_depth(1),
            scopes: vec![BTreeMap::new()],
            locals: vec![None; facts.function.locals.len()],
            arrays: BTreeMap::new(),
            declared_before: BTreeMap::new(),
            lane: false,
            step: None,
            targets: Vec::new(),
            block_targets: Vec::new(),
            masks: Vec::new(),
            next_label: None,
            uses_t: false,
            uses_x: false,
            uses_y: false,
            uses_z: false,
            line: None,
            place: nowhere,
            block_values: BTreeMap::new(),
            variables: BTreeMap::new(),
            arguments: BTreeMap::new(),
            head: Vec::new(),
            lane_bytes: 0,
            shared: SharedLayout::default(),
            needs_alive: false,
            affine: true,
            inductions: BTreeMap::new(),
            starts: Vec::new(),
            passes: BTreeMap::new(),
            guards: Vec::new(),
            around: None,
            clipped: super::affine::Clip::default(),
            bounding: false,
            intervals: Vec::new(),
            pass: None,
            own: BTreeMap::new(),
            pure: Vec::new(),
        }
    }

    fn kernel_text(&mut self, name: &str) -> Result<String, NotCompiled> {
        let facts = self.facts;
        // Parameters get their names first, so that they are the user's.
        self.name_parameters();
        for (variable, _) in facts.module.variables.iter() {
            if self.context.program.info(facts.handle).variables.contains(&variable) {
                let wish = self.variable_wish(variable);
                let name = self.names.fresh(&wish);
                self.variables.insert(variable, name);
            }
        }
        self.place_arrays()?;
        self.plan_locals();
        self.plan_scalars()?;
        self.find_alive();
        if self.needs_alive {
            let alive = self.lane_array("uint8_t", 1, 1, "alive");
            self.masks.push((Frame::Kernel, alive.clone()));
            self.out.line(format!("fill({alive}, 1, threads);"));
        }
        self.block_steps(0)?;
        let body = std::mem::take(&mut self.out).finish();
        let mut text = Writer::default();
        let title = one_line(&facts.function.name);
        text.line(format!("// {title}{}", self.line_of_kernel()));
        // Rows of a known length are vectors; two-dimensional blocks mostly have such.
        let by_width = has_word(&body, "ty");
        if by_width {
            text.line("template <uint32_t known_width>");
        }
        text.open(format!(
            "static void {name}_block(const Block& block, void* const* arguments) {{"
        ));
        if !by_width && body.contains("PORT_CPU_ROW") {
            text.line("constexpr uint32_t known_width = 0;");
        }
        self.parameter_lines(&mut text, &body)?;
        for (expression, name) in &self.block_values {
            text.line(format!("const uint32_t {name} = {expression};"));
        }
        let word = |name: &str| has_word(&body, name);
        for (name, expression) in
            [("threads", "block.threads"), ("width", "block.size.x"), ("height", "block.size.y")]
        {
            if by_width && name == "width" {
                text.line("const uint32_t width = known_width ? known_width : block.size.x;");
                continue;
            }
            if word(name) && !self.block_values.values().any(|known| known == name) {
                text.line(format!("const uint32_t {name} = {expression};"));
            }
        }
        let variables = self.variables.clone();
        for (variable, name) in &variables {
            if word(name) {
                let line = self.variable_line(*variable, name)?;
                text.line(line);
            }
        }
        for line in &self.head {
            text.line(line);
        }
        if !has_word(&body, "arguments") && !text.clone().finish().contains("(arguments,") {
            text.line("(void)arguments;");
        }
        text.push_text(&body);
        text.close("}");
        text.line("");
        text.open(format!("static void {name}(const Launch& launch, void* const* arguments) {{"));
        let prints = facts
            .flow
            .statements()
            .any(|(_, entry)| matches!(entry.statement.kind, StatementKind::Print { .. }));
        let order = if prints { "Order::ascending" } else { "Order::any" };
        let block = if by_width {
            text.line(format!(
                "const auto block = launch.block[0] == 16 ? {name}_block<16>\n                       : launch.block[0] == 32 ? {name}_block<32> : {name}_block<0>;"
            ));
            "block".to_string()
        } else {
            format!("{name}_block")
        };
        text.line(format!(
            "run_blocks(launch, {block}, arguments, {}, {}, {order});",
            self.shared.bytes, self.lane_bytes
        ));
        text.close("}");
        Ok(text.finish())
    }

    fn function_text(&mut self) -> Result<(String, String), NotCompiled> {
        let facts = self.facts;
        self.name_parameters();
        let name = self.function_name(facts.handle);
        let mut parameters = vec!["const Thread& thread".to_string()];
        for (index, parameter) in facts.function.parameters.iter().enumerate() {
            let ty = match parameter.ty {
                Type::Pointer(_) => {
                    let pointee = parameter.pointee.and_then(|ty| self.usable(ty));
                    self.pointer_type(pointee)?
                }
                ty => self.spelling.value(ty)?,
            };
            let name = self.arguments[&(index as u32)].clone();
            parameters.push(format!("[[maybe_unused]] {ty} const {name}"));
        }
        let result = match facts.function.result {
            Some(ty) => self.spelling.value(ty)?,
            None => "void".to_string(),
        };
        for variable in &self.context.program.info(facts.handle).variables {
            let wish = self.variable_wish(*variable);
            let name = self.names.fresh(&wish);
            self.variables.insert(*variable, name);
        }
        self.plan_locals();
        let root = facts.blocks.first().map(|_| 0);
        if let Some(root) = root {
            self.lane_block(root)?;
        }
        let body = std::mem::take(&mut self.out).finish();
        let head = format!("static {result} {name}({})", parameters.join(", "));
        let mut text = Writer::default();
        text.line(format!("// {}", one_line(&facts.function.name)));
        text.open(format!("{head} {{"));
        text.line("(void)thread;");
        if !self.block_values.is_empty() || !self.variables.is_empty() {
            text.line("[[maybe_unused]] const Block& block = thread.block;");
        }
        for (expression, name) in &self.block_values {
            text.line(format!("const uint32_t {name} = {expression};"));
        }
        for (value, name) in
            [("thread.t", "t"), ("thread.x", "tx"), ("thread.y", "ty"), ("thread.z", "tz")]
        {
            if has_word(&body, name) {
                text.line(format!("const uint32_t {name} = {value};"));
            }
        }
        let variables = self.variables.clone();
        for (variable, name) in &variables {
            if has_word(&body, name) {
                let line = self.variable_line(*variable, name)?;
                text.line(line);
            }
        }
        text.push_text(&body);
        let ends_with_return = body
            .trim_end()
            .lines()
            .last()
            .is_some_and(|line| line.trim_start().starts_with("return"));
        if facts.function.result.is_some() && !ends_with_return {
            text.line(
                format!("return {result}{};", if result.ends_with('*') { "()" } else { "{}" })
                    .replace("void*()", "nullptr"),
            );
        }
        text.close("}");
        Ok((head.replace("[[maybe_unused]] ", ""), text.finish()))
    }

    // Names of what surrounds the body.

    fn name_parameters(&mut self) {
        for (index, parameter) in self.facts.function.parameters.iter().enumerate() {
            let wish = if parameter.name.is_empty() { "parameter" } else { &parameter.name };
            let name = self.names.fresh(wish);
            self.arguments.insert(index as u32, name);
        }
    }

    pub(super) fn argument(&mut self, index: u32) -> Result<Text, NotCompiled> {
        match self.arguments.get(&index) {
            Some(name) => Ok(Text::primary(name.clone())),
            None => Err(refuse("it uses a parameter that is not there")),
        }
    }

    fn parameter_lines(&mut self, text: &mut Writer, body: &str) -> Result<(), NotCompiled> {
        let facts = self.facts;
        for (index, parameter) in facts.function.parameters.iter().enumerate() {
            let name = self.arguments[&(index as u32)].clone();
            if !has_word(body, &name) {
                continue;
            }
            match parameter.ty {
                Type::Pointer(_) => {
                    let pointee = parameter.pointee.and_then(|ty| self.usable(ty));
                    let spelled = self.pointer_type(pointee)?;
                    if pointee.is_some() {
                        text.line(format!(
                            "{spelled} const {name} = static_cast<{spelled}>(argument<void*>(arguments, {index}));"
                        ));
                    } else {
                        text.line(format!(
                            "{spelled} const {name} = argument<void*>(arguments, {index});"
                        ));
                    }
                }
                ty => {
                    let spelled = self.spelling.value(ty)?;
                    text.line(format!(
                        "{spelled} {name} = argument<{spelled}>(arguments, {index});"
                    ));
                }
            }
        }
        Ok(())
    }

    fn variable_wish(&self, variable: Handle<Variable>) -> String {
        let name = &self.facts.module.variables[variable].name;
        name.rsplit(['.', ':']).next().unwrap_or(name).to_string()
    }

    pub(super) fn variable_name(
        &mut self,
        variable: Handle<Variable>,
    ) -> Result<String, NotCompiled> {
        match self.variables.get(&variable) {
            Some(name) => Ok(name.clone()),
            None => {
                let wish = self.variable_wish(variable);
                let name = self.names.fresh(&wish);
                self.variables.insert(variable, name.clone());
                Ok(name)
            }
        }
    }

    fn variable_line(
        &mut self,
        handle: Handle<Variable>,
        name: &str,
    ) -> Result<String, NotCompiled> {
        let variable = &self.facts.module.variables[handle];
        let pointee = self.variable_pointee(handle);
        let spelled = self.pointer_type(Some(pointee))?;
        Ok(match (variable.space, variable.extent) {
            (Space::Shared, Extent::Dynamic) => {
                format!(
                    "{spelled} const {name} = reinterpret_cast<{spelled}>(block.dynamic_shared);"
                )
            }
            (Space::Shared, Extent::Fixed) => {
                let offset = self.shared.offsets.get(&handle).copied().unwrap_or(0);
                format!(
                    "{spelled} const {name} = reinterpret_cast<{spelled}>(block.shared + {offset});"
                )
            }
            _ => match (self.context.options.address)(handle) {
                None if is_literal(self.facts.module, variable) => {
                    let text = variable.initial.as_deref().unwrap_or_default();
                    let text = String::from_utf8_lossy(text).into_owned();
                    let literal = port_backend::text::cpp::quote(&text);
                    format!("{spelled} const {name} = ({spelled})({literal});")
                }
                Some(address) => format!("{spelled} const {name} = ({spelled})({address});"),
                None => {
                    return Err(refuse(format!(
                        "it uses the variable `{}`, which cannot be named there",
                        variable.name
                    )));
                }
            },
        })
    }

    pub(super) fn function_name(&mut self, function: Handle<Function>) -> String {
        let name = super::names::identifier(&self.facts.module.functions[function].name);
        format!("called_{}_{name}", function.index())
    }

    /// What a called function is told of its thread.
    pub(super) fn thread_argument(&mut self) -> Result<String, NotCompiled> {
        if !self.kernel {
            return Ok("thread".to_string());
        }
        for name in ["t", "tx", "ty", "tz"] {
            self.thread_value(name)?;
        }
        Ok("Thread{block, uint32_t(t), tx, ty, tz}".to_string())
    }

    /// A number of the running thread.
    pub(super) fn thread_value(&mut self, name: &str) -> Result<Text, NotCompiled> {
        if !self.lane {
            return Err(refuse("it uses a value of each thread outside of them"));
        }
        match name {
            "tx" => self.uses_x = true,
            "ty" => self.uses_y = true,
            "tz" => self.uses_z = true,
            _ => self.uses_t = true,
        }
        Ok(Text::primary(name))
    }

    /// A number of the block, in a constant of its own: compilers then know that no store changes it.
    pub(super) fn block_value(&mut self, expression: &str) -> String {
        if expression.ends_with('u') {
            return expression.to_string();
        }
        match expression {
            "block.size.x" if self.kernel => return "width".to_string(),
            "block.size.y" if self.kernel => return "height".to_string(),
            _ => {}
        }
        if let Some(name) = self.block_values.get(expression) {
            return name.clone();
        }
        let wish = match expression.split_once('.') {
            Some((_, rest)) => {
                format!("block_{}", rest.replace('.', "_")).replace("block_grid", "grid")
            }
            None => expression.to_string(),
        };
        let name = self.names.fresh(&wish);
        self.block_values.insert(expression.to_string(), name.clone());
        name
    }

    /// The block itself.
    pub(super) fn block_object(&self) -> String {
        if self.kernel { "block".to_string() } else { "thread.block".to_string() }
    }

    /// An array with an element for each thread.
    pub(super) fn lane_array(&mut self, ty: &str, size: u64, align: u64, wish: &str) -> String {
        let name = self.names.fresh(wish);
        let align = align.max(1);
        self.lane_bytes = self.lane_bytes.div_ceil(align) * align;
        self.head.push(format!("{ty}* const {name} = block.lanes<{ty}>({});", self.lane_bytes));
        self.lane_bytes += size;
        name
    }

    fn array_of(&mut self, ty: Type, wish: &str) -> Result<String, NotCompiled> {
        let spelled = self.spelling.value(ty)?;
        let (size, align) = self.size_of(ty)?;
        Ok(self.lane_array(&spelled, size, align, wish))
    }

    /// Size and alignment in C++, of fragments too.
    fn size_of(&self, ty: Type) -> Result<(u64, u64), NotCompiled> {
        let types = &self.facts.module.types;
        if let Some(layout) = types.layout(ty) {
            return Ok((layout.size.max(1), layout.align));
        }
        match ty {
            Type::Fragment(fragment) => {
                let length = super::types::fragment_length(fragment)?;
                let scalar = fragment.element.storage();
                Ok((length * scalar.size(), scalar.size()))
            }
            Type::Array(array) => {
                let array = types.arrays()[array];
                let (size, align) = self.size_of(array.element)?;
                Ok((size * array.length.max(1), align))
            }
            _ => Err(refuse("it uses a type without a size")),
        }
    }

    /// Arrays for locals and values that live between steps.
    fn place_arrays(&mut self) -> Result<(), NotCompiled> {
        let facts = self.facts;
        for (local, data) in facts.function.locals.iter() {
            if self.schedule.home(local) != Home::Array || facts.accesses[local.index()].is_empty()
            {
                continue;
            }
            let name = self.array_of(data.ty, &data.name)?;
            self.locals[local.index()] = Some(name);
        }
        let mut wanted: Vec<Value> = self.schedule.spilled.iter().copied().collect();
        for steps in self.schedule.steps.values() {
            for step in steps {
                if let StepKind::Region(items) = &step.kind {
                    wanted.extend(items.iter().filter_map(|item| match item {
                        super::schedule::Item::Operand(value) => Some(*value),
                        _ => None,
                    }));
                }
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        for value in wanted {
            let wish = self.wish(value);
            let ty = facts.ty(value);
            let wish =
                if facts.function.names.contains_key(&value) { wish } else { format!("{wish}_of") };
            let name = self.array_of(ty, wish.trim_end_matches("_of"))?;
            self.arrays.insert(value, name);
        }
        Ok(())
    }

    /// Where the variables that all threads share are declared.
    fn plan_scalars(&mut self) -> Result<(), NotCompiled> {
        let facts = self.facts;
        for (local, _) in facts.function.locals.iter() {
            if self.schedule.home(local) != Home::Scalar || facts.accesses[local.index()].is_empty()
            {
                continue;
            }
            let first = facts.accesses[local.index()].iter().min().copied();
            match first {
                Some(first)
                    if matches!(facts.kind(first), StatementKind::Store { .. })
                        && facts.accesses[local.index()].iter().all(|access| {
                            facts
                                .within(facts.position(*access), facts.block_of[first.index()])
                                .is_some_and(|key| key >= first.0)
                        })
                        && self.schedule.is_block_level(facts.block_of[first.index()]) =>
                {
                    self.declared_before.entry(first).or_default().push(local);
                }
                _ => {
                    let name = self.name_local(local);
                    let spelled = self.local_type(local)?;
                    self.out.line(format!("{spelled} {name}{{}};"));
                }
            }
        }
        Ok(())
    }

    /// Whether some threads may return while others go on.
    fn find_alive(&mut self) {
        let facts = self.facts;
        let root = self.schedule.steps.get(&0).map_or(&[][..], Vec::as_slice);
        let Some(last) = root.last() else { return };
        for (id, entry) in facts.flow.statements() {
            if !matches!(entry.statement.kind, StatementKind::Return { .. }) {
                continue;
            }
            let block = facts.block_of[id.index()];
            if self.schedule.is_block_level(block) {
                let masked = facts
                    .flow
                    .parents(id)
                    .any(|(parent, _)| self.schedule.masked.contains(&parent));
                self.needs_alive |= masked;
                continue;
            }
            if self
                .schedule
                .guards
                .contains(&facts.flow.parents(id).next().map_or(id, |(parent, _)| parent))
            {
                continue;
            }
            let step = self.schedule.step_at(facts, facts.position(id));
            let at_end = step == Some(last.number) && matches!(last.kind, StepKind::Region(_));
            self.needs_alive |= !at_end;
        }
    }

    // Scopes.

    pub(super) fn push_scope(&mut self) {
        self.scopes.push(BTreeMap::new());
    }

    pub(super) fn pop_scope(&mut self) {
        self.scopes.pop();
    }

    pub(super) fn bind(&mut self, value: Value, name: String) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(value, name);
        }
    }

    /// The name of a value that has one here.
    pub(super) fn known(&mut self, value: Value) -> Option<Text> {
        for scope in self.scopes.iter().rev() {
            if let Some(name) = scope.get(&value) {
                return Some(Text::primary(name.clone()));
            }
        }
        if self.lane
            && self.schedule.spilled.contains(&value)
            && let Some(array) = self.arrays.get(&value)
        {
            self.uses_t = true;
            return Some(Text::primary(format!("{array}[t]")));
        }
        None
    }

    /// The result of a statement that has no name: a load that happens where it is read.
    pub(super) fn result(&mut self, value: Value) -> Result<Text, NotCompiled> {
        let facts = self.facts;
        let Some(definer) = facts.flow.definer(value) else {
            return Err(refuse("it uses a value that nothing computes"));
        };
        if let StatementKind::Load { pointer, .. } = facts.kind(definer) {
            if let Some(local) = facts.variable(*pointer)
                && facts.folded[value.index()]
            {
                return Ok(Text::primary(self.local_name(local)?));
            }
            if self.folds(value) {
                return self.lvalue(*pointer, facts.ty(value));
            }
        }
        Err(refuse("it uses a value where it is not in reach"))
    }

    pub(super) fn wish_of_result(&self, value: Value) -> String {
        let facts = self.facts;
        let Some(definer) = facts.flow.definer(value) else { return "value".to_string() };
        match facts.kind(definer) {
            StatementKind::Load { pointer, .. } => {
                use port_ir::analysis::flow::Root;
                let root = match facts.flow.root(*pointer) {
                    Root::Local(local) => facts.function.locals[local].name.clone(),
                    Root::Variable(variable) => self.variable_wish(variable),
                    Root::Argument(index) | Root::ArgumentAddress(index) => {
                        facts.function.parameters[index as usize].name.clone()
                    }
                    Root::Value(inner) if inner != value => {
                        return facts
                            .function
                            .names
                            .get(&inner)
                            .map_or("loaded".to_string(), |name| format!("{name}_value"));
                    }
                    _ => return "loaded".to_string(),
                };
                format!("{root}_value")
            }
            StatementKind::Shuffle { value, .. } => {
                let name = self.wish(*value);
                format!(
                    "{}_shuffled",
                    name.trim_end_matches("_value").trim_end_matches("_shuffled")
                )
            }
            StatementKind::Vote { .. } => "votes".to_string(),
            StatementKind::Match { .. } => "matching".to_string(),
            StatementKind::ActiveMask { .. } => "active_lanes".to_string(),
            StatementKind::WarpReduce { .. } => "reduced".to_string(),
            StatementKind::Atomic { .. } => "old".to_string(),
            StatementKind::MatrixLoad { .. } => "tile".to_string(),
            StatementKind::MatrixMultiply { .. } => "products".to_string(),
            StatementKind::Barrier { .. } => "counted".to_string(),
            StatementKind::Clock { .. } => "ticks".to_string(),
            _ => "result".to_string(),
        }
    }

    // Comments.

    /// Says which line of the user's text follows, where that changes.
    pub(super) fn comment(&mut self, id: StatementId) {
        let origin = self.facts.statement(id).location.origin;
        if let Some((file, line, text)) = line_at(self.context.options.sources, origin)
            && self.line != Some((file, line))
        {
            self.line = Some((file, line));
            self.out.comment(text);
        }
    }

    fn line_of_kernel(&self) -> String {
        let origin = self.context.module().functions.origin(self.facts.handle);
        match origin.and_then(|origin| line_at(self.context.options.sources, origin)) {
            Some((_, _, text)) => format!("  ({text})"),
            None => String::new(),
        }
    }

    /// The place of the running statement as arguments of a message.
    pub(super) fn place_text(&self) -> String {
        match line_at(self.context.options.sources, self.place) {
            Some((_, line, text)) => {
                let name = text.rsplit_once(':').map_or("", |(name, _)| name);
                format!("{}, {line}", port_backend::text::cpp::quote(name))
            }
            None => "\"\", 0".to_string(),
        }
    }
}

/// Whether a variable holds the characters of a string literal: the user has no name for it.
fn is_literal(module: &port_ir::Module, variable: &Variable) -> bool {
    let Type::Array(array) = variable.ty else { return false };
    variable.space == Space::Constant
        && variable.name.starts_with("string")
        && module.types.arrays()[array].element == Type::Scalar(port_ir::Scalar::I8)
        && variable.initial.as_deref().is_none_or(|bytes| std::str::from_utf8(bytes).is_ok())
}

/// Whether a text has a word.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let mut rest = text;
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(at) = rest.find(word) {
        let before = rest[..at].chars().next_back().filter(|c| *c != '.');
        let member = rest[..at].ends_with('.') || rest[..at].ends_with("->");
        let after = rest[at + word.len()..].chars().next();
        if !member && !before.is_some_and(inside) && !after.is_some_and(inside) {
            return true;
        }
        rest = &rest[at + word.len()..];
    }
    false
}
