//! Blocks and their units in turn: who runs, who waits, and how a run ends.

use port_ir::{Axis, Builtin, CompareOp, Scalar};

use super::lanes::Kernel;
use super::registers::{Bits, File, Mask, progression};
use super::twin::Twins;
use super::{CHUNK, Inst, Machine, Object, Place, Slot, Stop, Unit, together};
use crate::check::screen;
use crate::compile::Class;
use crate::launch::{Argument, Launch, Options, Schedule};
use crate::memory::{Aligned, Memory, WINDOW_BITS, WINDOW_ORIGIN};
use crate::outcome::{Fault, FaultKind, Outcome};
use crate::program::{Code, Preset};

/// What arrived at a barrier of the block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Barrier {
    arrived: u32,
    holds: u32,
}

/// A unit reports at a barrier: how many lanes, and in how many the predicate holds.
pub(crate) struct Arrive;
impl Kernel for Arrive {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let (arrived, expected) = (m.unit.mask.count, m.unit.alive.count);
        if m.screening && arrived != expected {
            return crate::check::screen::doubt(m);
        }
        if arrived < expected && m.may_restart && !super::together::whole_blocks(m) {
            m.restart = true;
            return m.raise(FaultKind::Deadlock("restart".into()), i.site, None, 0);
        }
        if m.watch.is_some() {
            crate::check::arrive(m, i.site);
        }
        m.barrier.arrived += arrived;
        if i.imm != 0 {
            let unit = &m.unit;
            let holds =
                (0..unit.chunks).map(|k| (unit.b.chunk(i.a, k) & unit.mask.bits[k]).count_ones());
            m.barrier.holds += holds.sum::<u32>();
        }
    }
}

/// What a unit gets from the barrier that it has passed.
pub(crate) struct Leave;
impl Kernel for Leave {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let Barrier { arrived, holds } = m.passed;
        match i.imm {
            1 => m.unit.w.set_uniform(i.d, holds),
            2 => m.unit.b.set_uniform(i.d, holds == arrived),
            _ => m.unit.b.set_uniform(i.d, holds != 0),
        }
    }
}

/// Stops the launch where the condition does not hold.
pub(crate) struct Assert;
impl Kernel for Assert {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        if m.unit.b.uniform[i.a as usize] == Some(true) {
            return;
        }
        let unit = &m.unit;
        let lanes = unit.mask.lanes(unit.chunks).filter(|lane| !unit.b.get(i.a, *lane));
        let failed: Vec<usize> = lanes.collect();
        if let Some(first) = failed.first() {
            let message = m.code.messages.get(i.imm as usize).cloned().unwrap_or_default();
            m.raise(FaultKind::Assertion(message), i.site, Some(*first), failed.len() as u32);
        }
    }
}

/// Stops the launch.
pub(crate) struct Trap;
impl Kernel for Trap {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let (lane, count) = (m.unit.mask.lowest(), m.unit.mask.count);
        m.raise(FaultKind::Trap, i.site, Some(lane), count);
    }
}

/// Time passes with every look at it.
fn tick(m: &mut Machine<'_>) -> u64 {
    super::parallel::depends_on_order(m);
    m.executed += 16;
    m.executed
}

/// A clock of 32 bits.
pub(crate) struct Clock32;
impl Kernel for Clock32 {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let now = tick(m) as u32;
        m.unit.w.set_uniform(i.d, now);
    }
}

/// A clock of 64 bits.
pub(crate) struct Clock64;
impl Kernel for Clock64 {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let now = tick(m);
        m.unit.d.set_uniform(i.d, now);
    }
}

/// Lets time pass, and others have their turn.
pub(crate) struct Sleep;
impl Kernel for Sleep {
    #[inline(always)]
    fn run(m: &mut Machine<'_>, _: &Inst) {
        m.executed += 64;
        m.unit.turn = m.unit.turn.saturating_add(m.turn_length / 4);
    }
}

/// A block that is resident.
pub(crate) struct Block {
    number: u64,
    place: [u32; 3],
    shared: Aligned,
    shared_twins: super::twin::memory::Tables,
    /// In boxes, because they change places with the machine's.
    #[allow(clippy::vec_box, reason = "boxes are what changes places")]
    units: Vec<Box<Unit>>,
    stops: Vec<Option<Stop>>,
    barrier: Barrier,
    passed: Barrier,
    done: bool,
}

/// How threads are grouped in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// A unit is a block.
    Block,
    /// A unit is a warp.
    Warp,
    /// A unit is a thread: for locks that lanes of one warp take from each other.
    Lane,
}

/// Why a run under one grouping ended.
pub(crate) enum Ending {
    Finished(Outcome),
    Faulted(Box<Fault>),
    /// Threads of a block have to go separate ways.
    Restart,
}

/// Instructions that a warp counts before the next has its turn.
const TURN: u64 = 4096;

/// Blocks that take turns where threads wait for other blocks.
const RESIDENT: u64 = 64;

/// Turns that a block's units get before the next block's.
const ROUNDS: u32 = 16;

/// A launch that was looked at: what its blocks take.
pub(crate) struct Setup {
    parameters: Vec<u8>,
    cluster: [u32; 3],
    symbols: Vec<u64>,
    threads: usize,
    /// Lanes and chunks of a unit, units of a block.
    lanes: usize,
    pub(super) chunks: usize,
    unit_count: usize,
    shared_bytes: u64,
    /// Blocks of the launch, and those that take turns.
    pub(super) blocks: u64,
    pub(super) resident: u64,
    /// Bytes of the resident blocks.
    pub(super) needed: u64,
    grouping: Grouping,
}

/// Blocks one after the other, as many at once as one unit takes.
pub(crate) struct Line {
    block: Block,
    /// Blocks that a unit takes, and those that it has now.
    pub(crate) size: usize,
    count: usize,
}

impl Line {
    pub(crate) fn new(setup: &Setup, machine: &Machine<'_>) -> Self {
        let size = match setup.grouping {
            Grouping::Block => {
                let block_bytes = setup.needed.saturating_add(together::pitch(setup.shared_bytes));
                together::size(machine, setup.chunks, setup.blocks, block_bytes)
            }
            _ => 1,
        };
        Line { block: setup.block(machine), size, count: 1 }
    }

    /// Runs blocks, at most as many as a unit takes; `false` if a fault was raised.
    pub(crate) fn run(&mut self, setup: &Setup, m: &mut Machine<'_>, numbers: &[u64]) -> bool {
        let Some(first) = numbers.first() else { return true };
        if numbers.len() != self.count {
            let (count, chunks) = (numbers.len(), setup.chunks);
            self.count = count;
            together::prepare(m, count, chunks, setup.shared_bytes);
            self.block.units = match count {
                1 => setup.block(m).units,
                _ => vec![new_unit(m, 0, setup.threads, chunks, count)],
            };
            self.block.stops = vec![None; self.block.units.len()];
            let shared = together::pitch(setup.shared_bytes) as usize;
            self.block.shared = Aligned::zeros(if count > 1 {
                count * shared
            } else {
                setup.shared_bytes as usize
            });
            self.block.shared_twins = Default::default();
        }
        start(m, &mut self.block, *first);
        if self.count > 1 {
            together::start(m, &mut self.block.units, numbers);
        }
        run_block(m, &mut self.block, u32::MAX)
    }
}

fn fail(kind: FaultKind) -> Ending {
    Ending::Faulted(Box::new(Fault {
        kind,
        location: None,
        block: None,
        thread: None,
        threads: 0,
        outcome: Outcome::default(),
    }))
}

/// Checks a launch.
pub(super) fn prepare(
    code: &Code,
    memory: &mut Memory,
    launch: &Launch,
    options: &Options,
    grouping: Grouping,
) -> Result<Setup, Box<Ending>> {
    let invalid = |what: String| Err(Box::new(fail(FaultKind::InvalidLaunch(what))));
    let count = |extent: [u32; 3]| {
        extent.iter().try_fold(1u64, |product, extent| product.checked_mul(u64::from(*extent)))
    };
    let threads = match count(launch.block) {
        Some(threads @ 1..=1024) => threads as usize,
        _ => return invalid(format!("a block of {:?} threads", launch.block)),
    };
    let blocks = match count(launch.grid) {
        Some(0) | None => return invalid(format!("a grid of {:?} blocks", launch.grid)),
        Some(blocks) => blocks,
    };
    let parameters = match parameters(code, memory, launch) {
        Ok(parameters) => parameters,
        Err(what) => return invalid(what),
    };
    let cluster = launch.cluster.or(code.cluster).unwrap_or([1; 3]);
    if cluster.contains(&0)
        || launch.grid.iter().zip(cluster).any(|(grid, cluster)| grid % cluster != 0)
    {
        return invalid(format!("a grid of {:?} blocks in clusters of {cluster:?}", launch.grid));
    }
    let lanes = match grouping {
        Grouping::Block => threads,
        Grouping::Warp => code.warp_width.min(threads.next_multiple_of(CHUNK)),
        Grouping::Lane => 1,
    };
    let unit_count = threads.div_ceil(lanes);
    let shared_bytes = code.static_shared.saturating_add(launch.dynamic_shared);
    let chunks = lanes.div_ceil(CHUNK);
    let unit_bytes = unit_bytes(code, chunks);
    let waits = code.needs_warps && blocks > 1;
    let resident = match (code.has_grid_barrier, waits) {
        (true, _) => blocks,
        (false, true) => blocks.min(RESIDENT),
        _ => 1,
    };
    let needed = unit_bytes
        .saturating_mul(unit_count as u64)
        .saturating_add(shared_bytes)
        .saturating_mul(resident);
    if needed > options.memory_limit {
        return Err(Box::new(fail(FaultKind::MemoryLimit(needed))));
    }
    let of_symbols = code.symbols.iter().fold(0_u64, |sum, s| sum.saturating_add(s.size));
    if of_symbols > options.memory_limit {
        return Err(Box::new(fail(FaultKind::MemoryLimit(of_symbols))));
    }
    let symbols = symbols(code, memory);
    Ok(Setup {
        parameters,
        cluster,
        symbols,
        threads,
        lanes,
        chunks,
        unit_count,
        shared_bytes,
        blocks,
        resident,
        needed,
        grouping,
    })
}

impl Setup {
    /// Whether each block is a unit, and runs to its end before the next.
    pub(crate) fn is_of_blocks(&self) -> bool {
        self.grouping == Grouping::Block && self.resident == 1
    }

    /// A machine for blocks of the launch.
    pub(crate) fn machine<'r>(
        &self,
        code: &'r Code,
        memory: &'r mut Memory,
        launch: &Launch,
        options: &'r Options,
        may_restart: bool,
    ) -> Machine<'r> {
        let mut machine = Machine {
            unit: Box::default(),
            code,
            shared: Aligned::default(),
            parameters: self.parameters.clone(),
            objects: objects(code, launch),
            options,
            checks: options.checks,
            schedule: options.schedule,
            grid: launch.grid,
            block_dim: launch.block,
            block: [0; 3],
            outcome: Outcome::default(),
            fuel: options.fuel,
            warp_width: code.warp_width,
            fails: Mask::default(),
            fault: None,
            executed: 0,
            turn_length: if self.unit_count > 1 || self.resident > 1 { TURN } else { u64::MAX },
            trace: options.trace.map(|request| crate::trace::Tracer::new(request, self.blocks)),
            shared_twins: Default::default(),
            has_twins: !memory.twins.is_empty(),
            noted: code.twinned.then(Box::default),
            twin_room: options.memory_limit.saturating_mul(4),
            errors: (options.errors && code.says_errors).then(Vec::new),
            hooked: options.checks.any(),
            tracker: None,
            watch: None,
            screen: None,
            sources: Some(Box::default()),
            screening: false,
            reported: Default::default(),
            barrier: Barrier::default(),
            passed: Barrier::default(),
            may_restart,
            restart: false,
            cluster: self.cluster,
            dynamic_shared: launch.dynamic_shared,
            symbols: self.symbols.clone(),
            group: together::Group::default(),
            memory,
        };
        machine.watch = crate::check::Watch::new(&machine);
        machine
    }

    /// A block that can be started.
    pub(super) fn block(&self, machine: &Machine<'_>) -> Block {
        let units = (0..self.unit_count)
            .map(|number| {
                let first = number * self.lanes;
                let lanes = (self.threads - first).min(self.lanes);
                new_unit(machine, first, lanes, self.chunks, 1)
            })
            .collect();
        Block {
            number: 0,
            place: [0; 3],
            shared: Aligned::zeros(self.shared_bytes as usize),
            shared_twins: Default::default(),
            units,
            stops: vec![None; self.unit_count],
            barrier: Barrier::default(),
            passed: Barrier::default(),
            done: false,
        }
    }
}

/// Checks a launch, and runs it under a grouping.
pub(crate) fn run(
    code: &Code,
    memory: &mut Memory,
    launch: &Launch,
    options: &Options,
    grouping: Grouping,
    may_restart: bool,
) -> Ending {
    let setup = match prepare(code, memory, launch, options, grouping) {
        Ok(setup) => setup,
        Err(ending) => return *ending,
    };
    let order = order(setup.blocks, options.schedule);
    if let Some(ending) =
        super::parallel::run(code, memory, launch, options, may_restart, &setup, &order)
    {
        return ending;
    }
    if let Some(ending) = screen::run(code, memory, launch, options, &setup, &order) {
        return ending;
    }
    let mut machine = setup.machine(code, memory, launch, options, may_restart);
    let resident = setup.resident;
    let finished = if resident > 1 {
        let mut resident_blocks: Vec<Block> = Vec::new();
        let mut waiting = order.iter();
        for number in waiting.by_ref().take(resident as usize) {
            let mut block = setup.block(&machine);
            start(&mut machine, &mut block, *number);
            resident_blocks.push(block);
        }
        let resident = &mut resident_blocks;
        loop {
            let mut spins = false;
            for block in resident.iter_mut() {
                if block.done {
                    let Some(next) = waiting.next() else { continue };
                    start(&mut machine, block, *next);
                }
                if !run_block(&mut machine, block, ROUNDS) {
                    break;
                }
                spins |= !block.done && block.stops.contains(&Some(Stop::Turn));
            }
            if machine.fault.is_some() {
                break false;
            }
            if resident.iter().all(|block| block.done) {
                if waiting.len() == 0 {
                    break true;
                }
                continue;
            }
            if spins {
                continue;
            }
            // All that are left wait for the grid.
            crate::check::grid_barrier(&mut machine);
            for block in resident.iter_mut() {
                for stop in &mut block.stops {
                    if *stop == Some(Stop::Grid) {
                        *stop = None;
                    }
                }
            }
        }
    } else {
        let mut line = Line::new(&setup, &machine);
        order.chunks(line.size).all(|numbers| line.run(&setup, &mut machine, numbers))
    };
    ending(&mut machine, code, options, finished)
}

/// How a run ended.
pub(crate) fn ending(
    machine: &mut Machine<'_>,
    code: &Code,
    options: &Options,
    finished: bool,
) -> Ending {
    if machine.restart {
        return Ending::Restart;
    }
    let instructions = options.fuel - machine.fuel;
    let mut outcome = std::mem::take(&mut machine.outcome);
    outcome.counters.instructions = instructions;
    outcome.threads = 1;
    outcome.errors = machine.site_errors();
    outcome.trace = machine.trace.take().map(|tracer| tracer.trace);
    if finished {
        return Ending::Finished(outcome);
    }
    let Some((kind, site, thread, count)) = machine.fault.take() else {
        return Ending::Finished(outcome);
    };
    Ending::Faulted(Box::new(Fault {
        kind,
        location: code.sites.get(site as usize).copied(),
        block: Some(machine.block),
        thread: thread.map(|thread| machine.thread(thread)),
        threads: count,
        outcome,
    }))
}

/// Bytes of a unit's registers and local memory.
fn unit_bytes(code: &Code, chunks: usize) -> u64 {
    let counts = code.counts;
    let chunk = (chunks * CHUNK) as u64;
    let words = u64::from(counts.words) + code.local_rows as u64 + 4;
    let doubles = u64::from(counts.doubles) + 4;
    chunk
        .saturating_mul(4 * words + 8 * doubles)
        .saturating_add(if code.twinned { 16 * chunk * (words + doubles) } else { 0 })
        .saturating_add(u64::from(counts.truths) * chunk / 8)
        .saturating_add(u64::from(code.slots) * std::mem::size_of::<Slot>() as u64)
}

/// The bytes of the parameters.
fn parameters(code: &Code, memory: &Memory, launch: &Launch) -> Result<Vec<u8>, String> {
    if launch.arguments.len() != code.parameters.len() {
        return Err(format!(
            "{} arguments for {} parameters",
            launch.arguments.len(),
            code.parameters.len()
        ));
    }
    let mut bytes = vec![0; code.parameter_bytes as usize];
    for (parameter, argument) in code.parameters.iter().zip(&launch.arguments) {
        let value = match argument {
            Argument::Bytes(value) => value.clone(),
            Argument::Buffer { id, offset } => {
                if memory.buffers.len() <= id.0 as usize {
                    return Err(format!("no buffer for `{}`", parameter.name));
                }
                memory.address(*id, *offset).to_le_bytes().to_vec()
            }
        };
        if value.len() as u64 != parameter.size {
            return Err(format!(
                "{} bytes for `{}`, which has {}",
                value.len(),
                parameter.name,
                parameter.size
            ));
        }
        let start = parameter.offset as usize;
        if let Some(place) = bytes.get_mut(start..start + value.len()) {
            place.copy_from_slice(&value);
        }
    }
    Ok(bytes)
}

/// The addresses of the module's variables, which are added to the memory if they are not there.
fn symbols(code: &Code, memory: &mut Memory) -> Vec<u64> {
    let mut addresses = Vec::new();
    for symbol in &code.symbols {
        let id = match memory.symbol(&symbol.name) {
            Some(id) => id,
            None => memory.set_symbol(symbol.name.clone(), symbol.initial.clone()),
        };
        memory.extend(id, symbol.size);
        addresses.push(memory.address(id, 0));
    }
    addresses
}

fn objects(code: &Code, launch: &Launch) -> Vec<Option<Object>> {
    let base = |index: u64| (index << WINDOW_BITS) + WINDOW_ORIGIN;
    let count = code.first_local() + code.locals.len() as u64;
    let mut objects = vec![None; count as usize];
    let mut set = |index: u64, place: Place, size: u64| {
        if let Some(object) = objects.get_mut(index as usize) {
            *object = Some(Object { place, base: base(index), size });
        }
    };
    set(Code::PARAMETERS, Place::Parameters, code.parameter_bytes);
    for (number, shared) in code.shared.iter().enumerate() {
        let size = shared.size.unwrap_or(launch.dynamic_shared);
        set(Code::FIRST_SHARED + number as u64, Place::Shared(shared.start as usize), size);
    }
    for (number, local) in code.locals.iter().enumerate() {
        set(code.first_local() + number as u64, Place::Local(local.row), local.size);
    }
    objects
}

fn order(blocks: u64, schedule: Schedule) -> Vec<u64> {
    let mut order: Vec<u64> = (0..blocks).collect();
    match schedule {
        Schedule::InOrder => {}
        Schedule::Reversed => order.reverse(),
        Schedule::Seeded(seed) => {
            let salt = super::atomic::mix(seed);
            order.sort_by_key(|block| super::atomic::mix(salt ^ *block));
        }
    }
    order
}

/// A unit of threads from `first`, with what stays the same for all blocks.
fn new_unit(
    m: &Machine<'_>,
    first: usize,
    lanes: usize,
    block_chunks: usize,
    blocks: usize,
) -> Box<Unit> {
    let code = m.code;
    let chunks = block_chunks * blocks;
    let counts = code.counts;
    let mut unit = Box::new(Unit {
        w: File::new(counts.words as usize, &code.words, chunks),
        d: File::new(counts.doubles as usize, &code.doubles, chunks),
        b: Bits::new(counts.truths as usize, &code.truths, chunks),
        mask: Mask::default(),
        all: together::lanes(blocks, block_chunks, lanes),
        alive: Mask::default(),
        slots: vec![Slot::default(); code.slots as usize],
        pc: 0,
        chunks,
        first: first as u32,
        local: vec![[0; CHUNK]; code.local_rows * chunks],
        word_twins: Twins::new(if code.twinned { counts.words as usize } else { 0 }, chunks),
        double_twins: Twins::new(if code.twinned { counts.doubles as usize } else { 0 }, chunks),
        local_twins: Default::default(),
        local_written: Vec::new(),
        turn: 0,
        block_chunks,
    });
    for (preset, class, register) in &code.presets {
        match preset {
            Preset::Argument { offset, scalar } => {
                let bytes = m.parameters.get(*offset as usize..).unwrap_or(&[]);
                let mut word = [0; 8];
                let size = (scalar.size() as usize).min(bytes.len());
                word[..size].copy_from_slice(&bytes[..size]);
                let bits = u64::from_le_bytes(word);
                match class {
                    Class::B => unit.b.set_uniform(*register, bits & 0xff != 0),
                    Class::D => unit.d.set_uniform(*register, bits),
                    Class::W => unit.w.set_uniform(*register, extended(*scalar, bits)),
                }
            }
            Preset::Symbol(index) => {
                let address = m.symbols.get(*index as usize).copied().unwrap_or(0);
                unit.d.set_uniform(*register, address);
            }
            Preset::Shared(index) => {
                let address =
                    ((Code::FIRST_SHARED + u64::from(*index)) << WINDOW_BITS) + WINDOW_ORIGIN;
                unit.d.set_uniform(*register, address);
            }
            Preset::Builtin(builtin) if preset.varies() => {
                set_lanes(m, &mut unit, *builtin, *register);
            }
            Preset::Builtin(builtin) => {
                unit.w.set_uniform(*register, block_value(m, m.block, *builtin));
            }
        }
    }
    unit
}

fn extended(scalar: Scalar, bits: u64) -> u32 {
    match scalar {
        Scalar::I8 => bits as i8 as u32,
        Scalar::I16 => bits as i16 as u32,
        _ => bits as u32,
    }
}

/// Sets a built-in value that lanes differ in: as progressions where they are.
fn set_lanes(m: &Machine<'_>, unit: &mut Unit, builtin: Builtin, register: u32) {
    let width = m.warp_width as u32;
    let value = |thread: u32| {
        let lane = thread % width;
        match builtin {
            Builtin::ThreadIndex(axis) => m.thread(thread)[axis_index(axis)],
            Builtin::LaneId => lane,
            Builtin::WarpId => thread / width,
            Builtin::LaneMask(op) => {
                let bit = 1u64 << lane;
                (match op {
                    CompareOp::Equal => bit,
                    CompareOp::NotEqual => !bit,
                    CompareOp::Less => bit - 1,
                    CompareOp::LessEqual => bit | (bit - 1),
                    CompareOp::Greater => !(bit | (bit - 1)),
                    CompareOp::GreaterEqual => !(bit - 1),
                }) as u32
            }
            _ => 0,
        }
    };
    let chunks = unit.chunks;
    let mut values = vec![[0u32; CHUNK]; chunks];
    for (k, chunk) in values.iter_mut().enumerate() {
        for (l, place) in chunk.iter_mut().enumerate() {
            let k = k % unit.block_chunks;
            *place = value(unit.first + (k * CHUNK + l) as u32);
        }
    }
    // Lanes that do not exist may continue a progression.
    let stride = values.first().map_or(0, |chunk| chunk[1].wrapping_sub(chunk[0]));
    let exists = |k: usize, l: usize| unit.all.contains(k * CHUNK + l);
    let affine = values.iter().enumerate().all(|(k, chunk)| {
        let expected = progression(chunk[0], stride);
        (0..CHUNK).all(|l| chunk[l] == expected[l] || !exists(k, l))
    });
    let start = unit.w.start(register);
    if affine {
        for (k, chunk) in values.iter().enumerate() {
            unit.w.set_base(register, k, chunk[0]);
        }
        unit.w.set_affine(register, stride);
    } else {
        unit.w.data[start..start + chunks].copy_from_slice(&values);
        unit.w.set_vector(register);
    }
}

fn axis_index(axis: Axis) -> usize {
    match axis {
        Axis::X => 0,
        Axis::Y => 1,
        Axis::Z => 2,
    }
}

/// Makes a block ready to run as the one of this number.
pub(super) fn start(m: &mut Machine<'_>, block: &mut Block, number: u64) {
    block.number = number;
    block.place = place(m, number);
    if !block.shared.is_empty() {
        block.shared.fill(0);
    }
    block.stops.fill(None);
    block.barrier = Barrier::default();
    block.done = false;
    m.outcome.counters.blocks += 1;
    let code = m.code;
    for unit in &mut block.units {
        unit.mask = unit.all;
        unit.alive = unit.all;
        if m.checks.initialised {
            unit.local_written.clear();
            unit.local_written.resize(unit.local.len(), 0);
        }
        // A variable that nobody set holds the same, whichever block ran here before.
        unit.local.fill([0; CHUNK]);
        unit.pc = 0;
        unit.turn = 0;
        if m.group.is_several() {
            // Blocks that share a unit have values of their own.
            continue;
        }
        for (preset, _, register) in &code.presets {
            if let Preset::Builtin(builtin) = preset
                && preset.is_of_block()
            {
                let value = block_value(m, block.place, *builtin);
                unit.w.set_uniform(*register, value);
            }
        }
    }
}

/// A block's place in the grid.
pub(super) fn place(m: &Machine<'_>, number: u64) -> [u32; 3] {
    let (x, y) = (u64::from(m.grid[0].max(1)), u64::from(m.grid[1].max(1)));
    [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32]
}

/// A built-in value that is the same for all threads of a block.
pub(super) fn block_value(m: &Machine<'_>, block: [u32; 3], builtin: Builtin) -> u32 {
    let cluster = m.cluster;
    let inside = |axis: usize| block[axis] % cluster[axis];
    match builtin {
        Builtin::BlockIndex(axis) => block[axis_index(axis)],
        Builtin::BlockDim(axis) => m.block_dim[axis_index(axis)],
        Builtin::GridDim(axis) => m.grid[axis_index(axis)],
        Builtin::ClusterIndex(axis) => block[axis_index(axis)] / cluster[axis_index(axis)],
        Builtin::ClusterDim(axis) => cluster[axis_index(axis)],
        Builtin::ClusterGridDim(axis) => m.grid[axis_index(axis)] / cluster[axis_index(axis)],
        Builtin::ClusterBlockIndex(axis) => inside(axis_index(axis)),
        Builtin::ClusterRank => inside(0) + cluster[0] * (inside(1) + cluster[1] * inside(2)),
        Builtin::ClusterSize => cluster.iter().product(),
        Builtin::WarpSize => m.warp_width as u32,
        Builtin::DynamicSharedSize => m.dynamic_shared as u32,
        _ => 0,
    }
}

/// Runs a block until it has ended or waits for the grid, or its units have had so many turns;
/// `false` if a fault was raised.
pub(super) fn run_block(m: &mut Machine<'_>, block: &mut Block, rounds: u32) -> bool {
    m.block = block.place;
    std::mem::swap(&mut m.shared, &mut block.shared);
    std::mem::swap(&mut m.shared_twins, &mut block.shared_twins);
    m.barrier = block.barrier;
    m.passed = block.passed;
    let chunks = block.units.first().map_or(1, |unit| unit.block_chunks);
    crate::check::enter(m, block.number, chunks, m.code.has_grid_barrier);
    let fine = run_units(m, block, rounds);
    block.barrier = m.barrier;
    block.passed = m.passed;
    std::mem::swap(&mut m.shared, &mut block.shared);
    std::mem::swap(&mut m.shared_twins, &mut block.shared_twins);
    fine
}

fn run_units(m: &mut Machine<'_>, block: &mut Block, rounds: u32) -> bool {
    // A block that is one unit stays with the machine from barrier to barrier.
    if block.units.len() == 1 && matches!(block.stops[0], None | Some(Stop::Turn)) {
        std::mem::swap(&mut m.unit, &mut block.units[0]);
        let fine = run_alone(m, block, rounds);
        std::mem::swap(&mut m.unit, &mut block.units[0]);
        return fine;
    }
    let mut round = 0;
    loop {
        for number in 0..block.units.len() {
            if matches!(block.stops[number], None | Some(Stop::Turn)) {
                std::mem::swap(&mut m.unit, &mut block.units[number]);
                let stop = m.run_unit();
                std::mem::swap(&mut m.unit, &mut block.units[number]);
                if stop == Stop::Fault {
                    // Whoever describes the fault asks the unit for its threads.
                    return false;
                }
                block.stops[number] = Some(stop);
            }
        }
        let any = |wanted: Stop| block.stops.contains(&Some(wanted));
        if any(Stop::Turn) {
            round += 1;
            if round >= rounds {
                return true;
            }
            continue;
        }
        match (any(Stop::Block), any(Stop::Grid)) {
            (false, false) => {
                let units = block.units.len().max(m.group.places.len()) as u64;
                let spent = m.code.instructions.len() as u64 * units;
                m.fuel = m.fuel.saturating_sub(spent);
                block.done = true;
                return true;
            }
            (false, true) => return true,
            (true, true) => {
                let what = "some threads of a block wait at a barrier of the block, others at \
                            one of the grid";
                m.raise(FaultKind::Deadlock(what.into()), 0, None, 0);
                return false;
            }
            (true, false) => {
                m.passed = std::mem::take(&mut m.barrier);
                crate::check::barrier(m, waiting(&block.units));
                for stop in &mut block.stops {
                    if *stop == Some(Stop::Block) {
                        *stop = None;
                    }
                }
            }
        }
    }
}

/// Lanes of units that wait at a barrier; those that have ended wait for nothing.
#[allow(clippy::vec_box, reason = "boxes are what changes places")]
fn waiting(units: &[Box<Unit>]) -> u32 {
    let units = units.iter().filter(|unit| !unit.mask.is_empty());
    units.map(|unit| unit.alive.count).sum()
}

/// As [`run_units`] for a block whose only unit the machine has.
fn run_alone(m: &mut Machine<'_>, block: &mut Block, rounds: u32) -> bool {
    let mut round = 0;
    loop {
        let stop = m.run_unit();
        if stop == Stop::Fault {
            return false;
        }
        block.stops[0] = Some(stop);
        match stop {
            Stop::Turn => {
                round += 1;
                if round >= rounds {
                    return true;
                }
            }
            Stop::Block => {
                m.passed = std::mem::take(&mut m.barrier);
                let expected = waiting(std::slice::from_ref(&m.unit));
                crate::check::barrier(m, expected);
                block.stops[0] = None;
            }
            Stop::Grid => return true,
            Stop::Done | Stop::Fault => {
                let spent = m.code.instructions.len() as u64 * m.group.places.len().max(1) as u64;
                m.fuel = m.fuel.saturating_sub(spent);
                block.done = true;
                return true;
            }
        }
    }
}
