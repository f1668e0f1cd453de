//! From the IR to instructions.
//!
//! Statements become instructions in order; expressions are evaluated where they are first needed
//! and kept for the rest of that block, those that do not change in a loop before it. Calls are
//! expanded in place. Registers are numbered without limit here, and shared by [`allocate`] at the
//! end.

mod allocate;
mod expression;
mod fuse;
mod join;
pub(crate) mod layout;
mod locals;
mod stale;
mod statement;
mod trace;
mod twin;
mod unroll;
pub(crate) mod unset;
pub(crate) mod writes;

use std::collections::HashMap;
use std::rc::Rc;

use port_float::{Nan, Profile};
use port_ir::{
    Constant, ExpressionTypes, Extent, Function, Handle, Local, Location, Module, Scalar, Space,
    Type, Value, Variable,
};

use crate::machine::control::Split;
use crate::machine::lanes::select;
use crate::machine::{Exec, Op};
use crate::memory::{FIRST_BUFFER, WINDOW_BITS, WINDOW_ORIGIN};
use crate::program::{Code, LocalObject, Parameter, Preset, SharedObject, Unsupported};
use layout::Part;
use locals::Prepass;

/// The files of registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Class {
    /// 32 bits and less.
    W,
    /// 64 bits and pointers.
    D,
    /// Truth values.
    B,
}

/// A register before registers are shared.
pub(crate) type V = u32;

/// What a register holds over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// One value, set once in each pass.
    Value,
    /// A local variable.
    Local,
    /// One value for all lanes that is there from the start: by number among the constants.
    Constant(u32),
    /// Values that are there from the start.
    Given,
}

struct Register {
    class: Class,
    usage: Use,
}

/// An instruction before registers are shared.
struct Draft {
    op: Op,
    run: Exec,
    d: Option<V>,
    operands: [Option<V>; 4],
    imm: u64,
    slot: u32,
    target: u32,
    site: u32,
    /// An entry of [`Code::warps`], [`Code::prints`], [`Code::matrices`] or [`Code::joined`] whose
    /// registers it uses.
    table: Option<Table>,
    /// Whether `d` may be one of the operands' registers.
    may_share: bool,
    /// What it is, if it may become one with another.
    mark: Option<fuse::Mark>,
    /// The instructions that make the twins of what it makes.
    twins: Vec<Draft>,
    /// Of an instruction that makes twins: whether it comes before the one that makes the values.
    leads: bool,
}

#[derive(Clone, Copy)]
enum Table {
    Warp(usize),
    Print(usize),
    Matrix(usize),
    Joined(usize),
}

/// Registers of a value, part by part.
type Parts = Rc<[V]>;

/// A construct that jumps leave.
#[derive(Clone, Copy)]
enum Target {
    Loop(u32),
    Switch(u32),
}

/// A function that is being compiled: the kernel, or a callee in its place.
struct Frame<'m> {
    function: &'m Function,
    types: Rc<ExpressionTypes>,
    prepass: Rc<Prepass>,
    known: Vec<Option<Parts>>,
    /// For each open block, what became known in it.
    scopes: Vec<Vec<Value>>,
    /// Counters of loops that are compiled pass by pass.
    counters: Vec<(Handle<Local>, Constant)>,
    /// For each promoted local, its registers by offset.
    locals: Vec<HashMap<u64, V>>,
    /// For each local that is loaded before it is stored to, whether it was.
    unset: Vec<Option<V>>,
    /// For each other local, its object.
    memory: Vec<Option<u32>>,
    arguments: Vec<Parts>,
    position: u32,
    targets: Vec<Target>,
    /// Of a callee: its slot and the registers of its result.
    call: Option<(u32, Parts)>,
    depth: usize,
}

pub(crate) struct Compiler<'m> {
    module: &'m Module,
    profile: &'m Profile,
    canonical: bool,
    /// Whether points are made, and the name of the statement whose results become known.
    traced: bool,
    /// Which registers have twins, where twins are made.
    twinned: Option<twin::Twinned>,
    /// Whether each instruction stays by itself, because it is said what rounding does there.
    one_by_one: bool,
    statement: &'static str,
    code: Code,
    drafts: Vec<Draft>,
    registers: Vec<Register>,
    constants: HashMap<(Class, u64), V>,
    constant_bits: HashMap<V, u64>,
    presets: HashMap<Preset, V>,
    /// For each open place where lanes may meet, the instructions that go there when none are left.
    merges: Vec<Vec<usize>>,
    slots: u32,
    site: u32,
    sites: HashMap<Location, u32>,
    location: Option<Location>,
    frame: Frame<'m>,
    /// Functions that are being expanded.
    calls: Vec<Handle<Function>>,
    types: HashMap<usize, (Rc<ExpressionTypes>, Rc<Prepass>)>,
    shared: HashMap<usize, u64>,
    /// Results by what was computed, and for each open block those of it.
    computed: HashMap<Computation, V>,
    computed_in: Vec<Vec<Computation>>,
}

/// An instruction that computes the same from the same: what it runs, the class of its result, its
/// operands and its number.
type Computation = (usize, Class, [Option<V>; 4], u64);

/// How deep calls are expanded.
const MOST_CALLS: usize = 48;

/// How many instructions a program may have.
const MOST_INSTRUCTIONS: usize = 2_000_000;

type Result<T> = std::result::Result<T, Unsupported>;

/// What is compiled beside the kernel itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    /// Points that note what happens.
    Traced,
    /// Twins of floats, each after the instruction that makes the float.
    Twinned,
    /// Twins of floats; instructions become one with others as in a plain program.
    FastTwins,
}

/// Compiles a kernel.
pub(crate) fn compile(
    module: &Module,
    kernel: Handle<Function>,
    profile: &Profile,
    mode: Mode,
) -> Result<Code> {
    let unsupported = |what: &str| Unsupported {
        code: String::new(),
        location: module.functions.location(kernel),
        what: what.to_owned(),
    };
    let Some(function) = module.functions.get(kernel).filter(|function| function.is_kernel())
    else {
        return Err(unsupported("not a kernel"));
    };
    let mut compiler = Compiler::new(module, profile, function);
    compiler.traced = mode == Mode::Traced;
    if matches!(mode, Mode::Twinned | Mode::FastTwins) {
        compiler.one_by_one = mode == Mode::Twinned;
        compiler.twinned = Some(twin::Twinned::new());
        compiler.code.twinned = true;
        compiler.code.says_errors = compiler.one_by_one;
    }
    compiler.parameters(function)?;
    compiler.variables()?;
    let (types, prepass) = compiler.facts(kernel);
    compiler.frame = compiler.frame_of(function, types, prepass, 0)?;
    compiler.merges.push(Vec::new());
    if let Some(body) = &function.body {
        compiler.block(body)?;
    }
    compiler.code.writes = writes::targets(module, function);
    compiler.meet();
    compiler.control(Op::End, None, 0);
    compiler.finish()
}

impl<'m> Compiler<'m> {
    fn new(module: &'m Module, profile: &'m Profile, function: &'m Function) -> Self {
        Compiler {
            module,
            profile,
            canonical: profile.nan() == Nan::Canonical,
            traced: false,
            twinned: None,
            one_by_one: false,
            statement: "",
            code: Code { warp_width: profile.warp_width() as usize, ..Code::default() },
            drafts: Vec::new(),
            registers: Vec::new(),
            constants: HashMap::new(),
            constant_bits: HashMap::new(),
            presets: HashMap::new(),
            merges: Vec::new(),
            slots: 0,
            site: 0,
            sites: HashMap::new(),
            location: None,
            frame: Frame {
                function,
                types: Rc::default(),
                prepass: Rc::new(Prepass {
                    promoted: Vec::new(),
                    last_use: Vec::new(),
                    loops: Vec::new(),
                    first: Vec::new(),
                    stores: Vec::new(),
                    unmasked: Vec::new(),
                }),
                known: Vec::new(),
                scopes: Vec::new(),
                counters: Vec::new(),
                locals: Vec::new(),
                unset: Vec::new(),
                memory: Vec::new(),
                arguments: Vec::new(),
                position: 0,
                targets: Vec::new(),
                call: None,
                depth: 0,
            },
            calls: Vec::new(),
            types: HashMap::new(),
            shared: HashMap::new(),
            computed: HashMap::new(),
            computed_in: vec![Vec::new()],
        }
    }

    /// Says what the last draft is.
    fn mark(&mut self, mark: fuse::Mark) {
        if let Some(draft) = self.drafts.last_mut() {
            draft.mark = Some(mark);
        }
    }

    fn lanes(&self) -> usize {
        self.code.warp_width
    }

    fn unsupported<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(Unsupported { code: String::new(), location: self.location, what: what.into() })
    }

    fn facts(&mut self, handle: Handle<Function>) -> (Rc<ExpressionTypes>, Rc<Prepass>) {
        let (module, lanes) = (self.module, self.lanes());
        let entry = self.types.entry(handle.index()).or_insert_with(|| {
            let function = &module.functions[handle];
            let types = ExpressionTypes::of(module, function);
            let prepass = Prepass::of(module, function, &types, lanes);
            (Rc::new(types), Rc::new(prepass))
        });
        entry.clone()
    }

    fn frame_of(
        &mut self,
        function: &'m Function,
        types: Rc<ExpressionTypes>,
        prepass: Rc<Prepass>,
        depth: usize,
    ) -> Result<Frame<'m>> {
        self.find_carriers(function);
        let mut locals = Vec::new();
        let mut unset = Vec::new();
        let mut memory = Vec::new();
        for (handle, local) in function.locals.iter() {
            match &prepass.promoted[handle.index()] {
                Some(parts) => {
                    let first = prepass.first.get(handle.index());
                    let (load, store) = first.copied().unwrap_or((u32::MAX, 0));
                    unset.push(self.unset_flag(load, store));
                    let mut registers = HashMap::new();
                    for part in parts.values() {
                        let register = self.register(part.class(), Use::Local);
                        self.twin_local(handle, register, part.scalar);
                        registers.insert(part.offset, register);
                    }
                    locals.push(registers);
                    memory.push(None);
                }
                None => {
                    unset.push(None);
                    let size = layout::size_of(&self.module.types, local.ty, self.lanes());
                    let Some(size) = size.filter(|size| *size < 1 << 24) else {
                        return self
                            .unsupported(format!("local variable `{}` is too large", local.name));
                    };
                    let objects = self.code.first_local() + self.code.locals.len() as u64;
                    if objects + 1 >= FIRST_BUFFER {
                        return self.unsupported("so many local variables in memory");
                    }
                    let rows = size.div_ceil(4) as usize;
                    memory.push(Some(self.code.locals.len() as u32));
                    self.code.locals.push(LocalObject {
                        name: local.name.clone(),
                        size,
                        row: self.code.local_rows,
                    });
                    self.code.local_rows += rows;
                    locals.push(HashMap::new());
                }
            }
        }
        Ok(Frame {
            function,
            types,
            prepass,
            known: vec![None; function.expressions.len()],
            scopes: vec![Vec::new()],
            counters: Vec::new(),
            locals,
            unset,
            memory,
            arguments: Vec::new(),
            position: 0,
            targets: Vec::new(),
            call: None,
            depth,
        })
    }

    /// Lays the parameters out as the launch passes them.
    fn parameters(&mut self, function: &Function) -> Result<()> {
        let mut offset = 0u64;
        for parameter in &function.parameters {
            let Some(layout) = self.module.types.layout(parameter.ty) else {
                return self.unsupported(format!("parameter `{}` has no layout", parameter.name));
            };
            offset = offset.next_multiple_of(layout.align.max(1));
            self.code.parameters.push(Parameter {
                name: parameter.name.clone(),
                ty: parameter.ty,
                size: layout.size,
                offset,
            });
            offset += layout.size;
        }
        self.code.parameter_bytes = offset;
        Ok(())
    }

    /// Places the shared variables.
    fn variables(&mut self) -> Result<()> {
        for (handle, variable) in self.module.variables.iter() {
            if variable.space == Space::Constant {
                self.code.constants.push(variable.name.clone());
            }
            if variable.space != Space::Shared {
                continue;
            }
            let Some(layout) = self.module.types.layout(variable.ty) else { continue };
            let align = variable.align.unwrap_or(layout.align).max(layout.align).max(1);
            let object = self.code.shared.len() as u64;
            self.shared.insert(handle.index(), object);
            let is_dynamic = variable.extent == Extent::Dynamic;
            self.code.shared.push(SharedObject {
                name: variable.name.clone(),
                start: 0,
                size: if is_dynamic { None } else { Some(layout.size) },
                align,
                used: false,
            });
        }
        Ok(())
    }

    // Registers.

    fn register(&mut self, class: Class, usage: Use) -> V {
        self.registers.push(Register { class, usage });
        self.registers.len() as V - 1
    }

    fn value(&mut self, class: Class) -> V {
        self.register(class, Use::Value)
    }

    fn class(&self, register: V) -> Class {
        self.registers[register as usize].class
    }

    fn constant(&mut self, class: Class, bits: u64) -> V {
        if let Some(known) = self.constants.get(&(class, bits)) {
            return *known;
        }
        let list = match class {
            Class::W => &mut self.code.words,
            Class::D => &mut self.code.doubles,
            Class::B => &mut self.code.truths,
        };
        list.push(bits);
        let number = list.len() as u32 - 1;
        let register = self.register(class, Use::Constant(number));
        self.constants.insert((class, bits), register);
        self.constant_bits.insert(register, bits);
        register
    }

    fn preset(&mut self, class: Class, preset: Preset) -> V {
        if let Some(known) = self.presets.get(&preset) {
            return *known;
        }
        let register = if preset.varies() || preset.is_of_block() {
            self.register(class, Use::Given)
        } else {
            let list = match class {
                Class::W => &mut self.code.words,
                Class::D => &mut self.code.doubles,
                Class::B => &mut self.code.truths,
            };
            list.push(0);
            let number = list.len() as u32 - 1;
            self.register(class, Use::Constant(number))
        };
        self.presets.insert(preset, register);
        register
    }

    /// Bits of a constant as registers keep them: narrow signed integers extended.
    fn bits_of(constant: Constant) -> u64 {
        match constant.scalar {
            Scalar::I8 => u64::from(constant.bits as i8 as u32),
            Scalar::I16 => u64::from(constant.bits as i16 as u32),
            _ => constant.bits,
        }
    }

    // Instructions.

    fn draft(&mut self, op: Op, run: Exec) -> &mut Draft {
        let site = self.site;
        self.drafts.push(Draft {
            op,
            run,
            d: None,
            operands: [None; 4],
            imm: 0,
            slot: 0,
            target: 0,
            site,
            table: None,
            may_share: false,
            mark: None,
            twins: Vec::new(),
            leads: false,
        });
        let last = self.drafts.len() - 1;
        &mut self.drafts[last]
    }

    /// `d = run(operands)`, lane by lane.
    fn emit(&mut self, run: Exec, class: Class, operands: &[V], imm: u64) -> V {
        let computation = self.computation(run, class, operands, imm);
        if let Some(known) = computation.and_then(|it| self.computed.get(&it)) {
            return *known;
        }
        let d = self.value(class);
        self.emit_to(run, d, operands, imm);
        if let Some(computation) = computation {
            self.computed.insert(computation, d);
            if let Some(scope) = self.computed_in.last_mut() {
                scope.push(computation);
            }
        }
        d
    }

    /// Whether nothing is said of single instructions.
    fn is_plain(&self) -> bool {
        !self.traced && !self.one_by_one
    }

    /// As [`Compiler::emit`], of something that may become one with another.
    fn emit_marked(
        &mut self,
        run: Exec,
        class: Class,
        operands: &[V],
        imm: u64,
        mark: Option<fuse::Mark>,
    ) -> V {
        let before = self.drafts.len();
        let d = self.emit(run, class, operands, imm);
        // What was computed before is marked already.
        if let (Some(mark), true) = (mark, self.drafts.len() > before) {
            self.mark(mark);
        }
        d
    }

    /// What an instruction computes, if nothing changes its operands: local variables may change, and
    /// points and errors belong to each instruction.
    fn computation(
        &self,
        run: Exec,
        class: Class,
        operands: &[V],
        imm: u64,
    ) -> Option<Computation> {
        let is_fixed = |operand: &V| self.registers[*operand as usize].usage != Use::Local;
        if !self.is_plain() || operands.len() > 4 || !operands.iter().all(is_fixed) {
            return None;
        }
        let mut all = [None; 4];
        for (place, operand) in all.iter_mut().zip(operands) {
            *place = Some(*operand);
        }
        Some((run as usize, class, all, imm))
    }

    fn emit_to(&mut self, run: Exec, d: V, operands: &[V], imm: u64) {
        let draft = self.draft(Op::Exec, run);
        draft.d = Some(d);
        draft.imm = imm;
        draft.may_share = true;
        for (place, operand) in draft.operands.iter_mut().zip(operands) {
            *place = Some(*operand);
        }
    }

    /// An instruction that can fault, or that looks at other lanes.
    fn emit_checked(&mut self, run: Exec, d: Option<V>, operands: &[V], imm: u64) -> &mut Draft {
        let draft = self.draft(Op::Checked, run);
        draft.d = d;
        draft.imm = imm;
        for (place, operand) in draft.operands.iter_mut().zip(operands) {
            *place = Some(*operand);
        }
        draft
    }

    fn control(&mut self, op: Op, condition: Option<V>, slot: u32) -> usize {
        let run = if condition.is_some() { select::<Split>() } else { nothing };
        let draft = self.draft(op, run);
        draft.operands[0] = condition;
        draft.slot = slot;
        self.drafts.len() - 1
    }

    /// A jump that goes to where lanes may meet next.
    fn control_to_merge(&mut self, op: Op, slot: u32) {
        let at = self.control(op, None, slot);
        if let Some(merge) = self.merges.last_mut() {
            merge.push(at);
        }
    }

    /// Lanes may meet at the next instruction.
    fn meet(&mut self) {
        let here = self.drafts.len() as u32;
        for jump in self.merges.pop().unwrap_or_default() {
            self.drafts[jump].target = here;
        }
    }

    fn aim(&mut self, jump: usize) {
        let here = self.drafts.len() as u32;
        self.drafts[jump].target = here;
    }

    fn slot(&mut self) -> u32 {
        self.slots += 1;
        self.code.slots = self.code.slots.max(self.slots);
        self.slots - 1
    }

    fn at(&mut self, location: Location) {
        self.location = Some(location);
        let next = self.sites.len() as u32;
        let code = &mut self.code;
        self.site = *self.sites.entry(location).or_insert_with(|| {
            code.sites.push(location);
            next
        });
    }

    // Scopes.

    fn open(&mut self) {
        self.frame.scopes.push(Vec::new());
        self.computed_in.push(Vec::new());
    }

    fn close(&mut self) {
        for computation in self.computed_in.pop().unwrap_or_default() {
            self.computed.remove(&computation);
        }
        self.forget();
    }

    /// Closes a block of values whose results stay.
    fn forget(&mut self) {
        for value in self.frame.scopes.pop().unwrap_or_default() {
            self.frame.known[value.index()] = None;
        }
    }

    fn know(&mut self, value: Value, parts: Parts) {
        if self.traced {
            self.note_value(value, &parts);
        }
        self.frame.known[value.index()] = Some(parts);
        if let Some(scope) = self.frame.scopes.last_mut() {
            scope.push(value);
        }
    }

    fn know_one(&mut self, value: Value, register: V) {
        self.know(value, Rc::from([register]));
    }

    fn ty(&self, value: Value) -> Type {
        self.frame.types.get(value)
    }

    fn parts_of(&self, ty: Type) -> Result<Vec<Part>> {
        match layout::parts(&self.module.types, ty, self.lanes()) {
            Some(parts) => Ok(parts),
            None => self.unsupported("a value of so many parts"),
        }
    }

    /// The number of an object's address.
    fn object_address(index: u64) -> u64 {
        (index << WINDOW_BITS) + WINDOW_ORIGIN
    }

    fn local_address(&mut self, local: Handle<Local>) -> Result<V> {
        match self.frame.memory.get(local.index()).copied().flatten() {
            Some(object) => {
                let address = Self::object_address(self.code.first_local() + u64::from(object));
                Ok(self.constant(Class::D, address))
            }
            // Only dead values take the address of a local that lives in registers.
            None => Ok(self.constant(Class::D, 0)),
        }
    }

    fn variable_address(&mut self, handle: Handle<Variable>) -> Result<V> {
        if let Some(object) = self.shared.get(&handle.index()).copied() {
            if let Some(shared) = self.code.shared.get_mut(object as usize) {
                shared.used = true;
            }
            return Ok(self.preset(Class::D, Preset::Shared(object as u32)));
        }
        let Some(variable) = self.module.variables.get(handle) else {
            return self.unsupported("a variable that is not there");
        };
        let known = self.code.symbols.iter().position(|symbol| symbol.name == variable.name);
        let index = match known {
            Some(index) => index,
            None => {
                let Some(layout) = self.module.types.layout(variable.ty) else {
                    return self.unsupported(format!("variable `{}` has no layout", variable.name));
                };
                self.code.symbols.push(crate::program::Symbol {
                    name: variable.name.clone(),
                    size: layout.size,
                    initial: variable.initial.clone().unwrap_or_default(),
                });
                self.code.symbols.len() - 1
            }
        };
        Ok(self.preset(Class::D, Preset::Symbol(index as u32)))
    }

    fn finish(mut self) -> Result<Code> {
        if self.drafts.len() > MOST_INSTRUCTIONS {
            return self.unsupported("a kernel of so many instructions");
        }
        // What the kernel does not use takes no room.
        let mut end = 0u64;
        let is_static = |object: &&mut SharedObject| object.used && object.size.is_some();
        for object in self.code.shared.iter_mut().filter(is_static) {
            object.start = end.next_multiple_of(object.align);
            end = object.start + object.size.unwrap_or(0);
        }
        end = end.next_multiple_of(16);
        for object in self.code.shared.iter_mut().filter(|object| object.size.is_none()) {
            object.start = end;
        }
        self.code.static_shared = end;
        self.code.reads_stale = stale::reads_stale(&self.drafts, &self.registers, &self.code);
        if self.is_plain() {
            fuse::fuse(&mut self.drafts, &self.registers, self.canonical, &self.code);
        }
        if self.twinned.is_some() {
            self.drafts = twin::spread(std::mem::take(&mut self.drafts));
        } else if self.is_plain() {
            join::join(&mut self.drafts, &self.registers, self.canonical, &mut self.code);
        }
        let (instructions, counts, presets) = allocate::allocate(
            &self.drafts,
            &self.registers,
            &self.presets,
            &mut allocate::Entries {
                warps: &mut self.code.warps,
                prints: &mut self.code.prints,
                matrices: &mut self.code.matrices,
                joined: &mut self.code.joined,
            },
        );
        self.code.instructions = instructions;
        self.code.counts = counts;
        self.code.presets = presets;
        crate::machine::joined::chain(&mut self.code);
        Ok(self.code)
    }
}

/// What instructions of control run: nothing.
pub(crate) fn nothing(_: &mut crate::machine::Machine<'_>, _: &crate::machine::Inst) {}

/// The instruction that brings a narrow integer back into its range.
fn normaliser(scalar: Scalar) -> Option<Exec> {
    use crate::machine::integer::{SignExtend8, SignExtend16, ZeroExtend8, ZeroExtend16};
    Some(match scalar {
        Scalar::I8 => select::<SignExtend8>(),
        Scalar::U8 | Scalar::F8E4M3 | Scalar::F8E5M2 => select::<ZeroExtend8>(),
        Scalar::I16 => select::<SignExtend16>(),
        Scalar::U16 | Scalar::F16 | Scalar::Bf16 => select::<ZeroExtend16>(),
        _ => return None,
    })
}

/// Names that the other parts of the compiler use.
mod prelude {
    pub(super) use super::fuse::Mark;
    pub(super) use super::{
        Class, Compiler, Draft, Parts, Result, Table, Target, Use, V, normaliser, nothing,
    };
    pub(super) use crate::machine::Op;
    pub(super) use crate::machine::lanes::select;
    pub(super) use crate::machine::warp::NONE;
}
