//! Where a port parts from its reference: both are traced on the machine under one arithmetic, and
//! what they did is compared in order. The first value, store or barrier that differs names a line.
//!
//! What a header of the port does counts as done by the line that calls it ([`crate::lines`]).
//!
//! Where a value first differs is not always where the port is made otherwise: a condition shows in what
//! it guards, a constant where it is used. So the kernels are compared as they stand, too
//! ([`crate::structure`]): a line that the difference comes from and that is made otherwise is the one.

use std::collections::{BTreeMap, BTreeSet};

use port::DeviceCode;
use port_diag::{FileId, Finding as _, SourceMap, Span};
use port_float::Profile;
use port_ir::{Block, Expression, Function, Handle, Location, StatementKind, Value};
use port_simt::{Point, TraceRequest};

use crate::attribution::Cause;
use crate::judge::{Comparison, Report};
use crate::lines::Lines;
use crate::machine::{self, LaunchTrace, Machine, MachineRun, Options};
use crate::machine_findings::DataRace;
use crate::spec::Case;
use crate::structure::{Line, Standing, Structure, Unlike};
use crate::verdict::Verdict;

/// Most events of a block that are compared.
const MOST_EVENTS: usize = 1 << 21;

/// How far on, after a difference in what is done, it is looked for where both agree again.
const WINDOW: usize = 4096;

/// One side: kernels with the files that they come from.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The kernels.
    pub code: &'a DeviceCode,
    /// Their files.
    pub sources: &'a SourceMap,
    /// The arithmetic; the same on both sides but for the width of a warp.
    pub profile: &'a Profile,
}

/// What is different at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Another value.
    Value,
    /// The port does not do it.
    Missing,
    /// Only the port does it.
    Added,
    /// The port ends there with an error.
    Stopped,
}

/// Where port and reference part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The launch, by its place among the case's.
    pub launch: usize,
    /// The block, by its number.
    pub block: u64,
    /// What is different.
    pub difference: Difference,
    /// What is done there: `addition`, `store`, `barrier` …
    pub what: &'static str,
    /// The place in the reference's text: for what only the port does, the line that it stands for.
    pub place: Span,
    /// The line there, from 1.
    pub line: u32,
    /// The port's file and line, where the place has one of its own.
    pub port: Option<(String, u32)>,
    /// The side, point and digest of the event that differs.
    event: Option<(usize, u32, u64)>,
}

impl Parting {
    /// The cause, in a few words.
    pub fn cause(&self) -> String {
        cause(self.difference, self.what)
    }
}

fn cause(difference: Difference, what: &str) -> String {
    match difference {
        Difference::Missing if what.ends_with("barrier") => "barrier missing".to_owned(),
        Difference::Missing => format!("{what} missing"),
        Difference::Added => format!("{what} added"),
        Difference::Stopped => "only the port stops".to_owned(),
        Difference::Value => match what {
            "constant" => "another constant".to_owned(),
            what => format!("{what} differs"),
        },
    }
}

/// Adds to each kernel that a port bug was found in where it parts from its reference. Nothing is added
/// where the machine's runs agree: then only other evidence shows the bug.
pub fn explain(
    comparison: &Comparison<'_>,
    sources: &SourceMap,
    port_sources: &SourceMap,
    report: &mut Report,
) {
    let Some(port) = comparison.port else { return };
    let is_wrong = report.kernels.iter().any(|kernel| kernel.verdict == Verdict::PortBug);
    if !is_wrong && !report.findings.iter().any(|finding| finding.code == DataRace::METADATA.code) {
        return;
    }
    let width = comparison.target_profile.warp_width();
    let profile = &comparison.reference_profile;
    let port_profile = profile.with_warp_width(width);
    let reference = Side { code: comparison.reference, sources, profile };
    let port = Side { code: port, sources: port_sources, profile: &port_profile };
    let Some(parting) = first_difference(reference, port, comparison.case, &comparison.options)
    else {
        return;
    };
    let kernel = comparison.case.launches.get(parting.launch).map(|launch| &launch.kernel);
    // A kernel that only passes wrong values on is none of the causes; one without outputs of its
    // own may be.
    let named = report.kernels.iter_mut().find(|known| Some(&known.name) == kernel);
    if let Some(named) = named {
        let cause = Cause { name: parting.cause(), share: 1.0, places: vec![parting.place] };
        named.causes.insert(0, cause);
    }
}

/// The line of the reference's text that a line of the port's, from 1, is or stands for.
pub fn reference_line(
    reference: &SourceMap,
    port: &SourceMap,
    path: &str,
    line: u32,
) -> Option<(FileId, u32)> {
    let file = port.ids().find(|id| *port.file(*id).path == *path)?;
    Lines::new(reference, port).reference(file, line)
}

/// Traces both sides, and says where they part first; `None` where they do the same.
pub fn first_difference(
    reference: Side<'_>,
    port: Side<'_>,
    case: &Case,
    options: &Options,
) -> Option<Parting> {
    let sides = [reference, port];
    let machines = sides.map(|side| Machine::new(side.code, side.profile));
    // What blocks write says which of them to look at.
    let glance = TraceRequest { block: None, thread: 0, limit: 0 };
    let glances =
        machines.each_ref().map(|machine| machine.run_traced(case, options, |_| Some(glance)));
    // How the kernels of the launches stand.
    let standing = || {
        let [first, second] = glances.each_ref().map(|run| &run.traces);
        first.iter().find_map(|first| {
            let second = second.iter().find(|other| other.launch == first.launch)?;
            let aligned = Aligned::new(sides, &machines, [first, second]);
            let (found, _) = aligned.unlike_lines();
            let found = found.iter().find(|unlike| unlike.idle.is_none())?;
            Some(Parting { launch: first.launch, ..aligned.standing(found) })
        })
    };
    let [reference, port] = glances.each_ref().map(|run| &run.traces);
    let is_same =
        reference.iter().zip(port).all(|(a, b)| (a.launch, a.memory) == (b.launch, b.memory));
    // Where no memory tells, as with a race that happens to do no harm, values do not either.
    if is_same && let Some(found) = standing() {
        return Some(found);
    }
    for (launch, block) in suspects(&glances) {
        let request = TraceRequest { block: Some(block), thread: 0, limit: MOST_EVENTS };
        let runs = machines.each_ref().map(|machine| {
            machine.run_traced(case, options, |index| (index == launch).then_some(request))
        });
        let [Some(first), Some(second)] = runs.each_ref().map(|run| run.traces.first()) else {
            continue;
        };
        let aligned = Aligned::new(sides, &machines, [first, second]);
        if let Some(found) = aligned.first_difference() {
            let (unlike, helped) = aligned.unlike_lines();
            // What a port that stops does not come to is not missing.
            let stop = match found.difference {
                Difference::Missing => aligned.stop(&runs),
                _ => None,
            };
            let source = aligned.source(&unlike, &helped, &found);
            let found = source.or(stop).unwrap_or(found);
            return Some(Parting { launch, block, ..found });
        }
    }
    // What the blocks that were looked at do not show may still stand there.
    standing()
}

/// Launches and blocks to look at: of the first launch that leaves other memory, the blocks that write
/// something else; where no launch does, the first block of each.
fn suspects(runs: &[MachineRun; 2]) -> Vec<(usize, u64)> {
    let mut found = Vec::new();
    let [reference, port] = runs;
    let mut pairs = Vec::new();
    for trace in &reference.traces {
        if let Some(other) = port.traces.iter().find(|other| other.launch == trace.launch) {
            pairs.push((trace, other));
        }
    }
    let differs = pairs.iter().find(|(trace, other)| trace.memory != other.memory);
    if let Some((trace, other)) = differs {
        // Two ways of writing the same may look unlike, so several are tried.
        let blocks = trace.trace.writes.iter().zip(&other.trace.writes).enumerate();
        let unequal = blocks.filter(|(_, (a, b))| a != b).map(|(block, _)| block as u64);
        let mut unequal: Vec<u64> = unequal.collect();
        let last = unequal.last().copied();
        unequal.truncate(MOST_BLOCKS);
        unequal.extend(last);
        unequal.push(0);
        found.extend(unequal.into_iter().map(|block| (trace.launch, block)));
    } else {
        found.extend(pairs.iter().map(|(trace, _)| (trace.launch, 0)));
        found.truncate(2 * MOST_BLOCKS);
    }
    let mut seen = BTreeSet::new();
    found.retain(|suspect| seen.insert(*suspect));
    found
}

/// Most blocks of a launch that are looked at.
const MOST_BLOCKS: usize = 6;

/// What is done at a line: the reference's file and line, and what.
type Key = (u32, u32, &'static str);

/// An event that has a counterpart, or should have.
#[derive(Clone, Copy)]
struct Step {
    key: Key,
    digest: u64,
    threads: u32,
    sample: Option<u64>,
    /// The point, for the place and operands.
    point: u32,
}

/// A line of the reference's text, and whether what is done there stands in a header of the port that
/// the line calls.
#[derive(Clone, Copy)]
struct At {
    file: FileId,
    line: u32,
    called: bool,
}

/// The line of the reference's text that a place in a function belongs to, and whether it is only one
/// that calls it.
fn resolve(
    sides: [Side<'_>; 2],
    side: usize,
    lines: &Lines,
    function: &Function,
    location: Location,
) -> Option<At> {
    let Side { code, sources, .. } = sides[side];
    let mut location = location;
    let mut called = false;
    // Longer chains of calls are not made by hand.
    for _ in 0..64 {
        let span = code.expansions.outermost(location.origin);
        let line = sources.file(span.file).line_column(span.start).line;
        match side {
            0 => return Some(At { file: span.file, line, called }),
            _ => {
                if let Some((file, line)) = lines.reference(span.file, line) {
                    return Some(At { file, line, called });
                }
            }
        }
        called = true;
        location = function.inlined.get(location.inlined?)?.call;
    }
    None
}

/// The lines that the port's function makes otherwise than the reference's, in the order of the
/// reference's text; and those that it does in part in a header, of which that is not known.
fn unlike_lines(
    sides: [Side<'_>; 2],
    functions: [Handle<Function>; 2],
    lines: &Lines,
) -> (Vec<Unlike>, BTreeSet<Line>) {
    // Before it is resolved for an arithmetic: what may be fused still stands there.
    let function = |side: usize| sides[side].code.module.functions.get(functions[side]);
    let (Some(reference), Some(port)) = (function(0), function(1)) else {
        return Default::default();
    };
    let standing = |side: usize, function: &Function, location: Location| {
        let at = resolve(sides, side, lines, function, location)?;
        Some(Standing { line: (at.file.0, at.line), called: at.called })
    };
    let mut helped = Structure::helped(port, |location| standing(1, port, location));
    let fragments = Structure::fragments(port, |location| standing(1, port, location));
    let own = Structure::fragments(reference, |location| standing(0, reference, location));
    helped.extend(own.difference(&fragments));
    let of = |side: usize, function: &Function| {
        Structure::of(sides[side].code, function, &helped, |at| standing(side, function, at))
    };
    (of(0, reference).unlike(&of(1, port), &helped), helped)
}

/// The lines of the reference's text on which a kernel of the port is made otherwise, each with how;
/// lines that a header of the port does part of are not among them.
pub fn made_otherwise(
    reference: Side<'_>,
    port: Side<'_>,
    kernel: &str,
) -> Vec<(FileId, u32, String)> {
    let sides = [reference, port];
    let handle = |side: Side<'_>| Some(machine::find_kernel(side.code, kernel).ok()?.1);
    let lines = Lines::new(reference.sources, port.sources);
    let (Some(first), Some(second)) = (handle(reference), handle(port)) else { return Vec::new() };
    let (found, _) = unlike_lines(sides, [first, second], &lines);
    let text = |unlike: Unlike| {
        let cause = cause(unlike.difference, unlike.what);
        (FileId(unlike.line.0), unlike.line.1, cause)
    };
    found.into_iter().map(text).collect()
}

/// Two traces in the terms of the reference's lines.
struct Aligned<'a> {
    sides: [Side<'a>; 2],
    functions: [Option<&'a Function>; 2],
    traces: [&'a LaunchTrace; 2],
    steps: [Vec<Step>; 2],
    /// Constants of the reference: line and bits.
    constants: BTreeSet<((FileId, u32), u64)>,
    /// What the reference's events give; and by line, those that have no counterpart.
    digests: BTreeSet<u64>,
    unpaired: BTreeSet<((FileId, u32), u64)>,
    /// Points of the port in its headers.
    called: Vec<bool>,
    /// Lines where a side writes memory.
    writes: [BTreeMap<(FileId, u32), u32>; 2],
    /// For each point of the port whether its counterpart is known.
    compared: Vec<bool>,
    /// For each point where it is in the reference's text.
    places: [Vec<Option<(FileId, u32)>>; 2],
    lines: Lines,
}

impl<'a> Aligned<'a> {
    fn new(
        sides: [Side<'a>; 2],
        machines: &'a [Machine<'_>; 2],
        traces: [&'a LaunchTrace; 2],
    ) -> Aligned<'a> {
        let lines = Lines::new(sides[0].sources, sides[1].sources);
        let mut aligned = Aligned {
            sides,
            functions: [0, 1].map(|side| machines[side].function(traces[side].function)),
            traces,
            steps: Default::default(),
            constants: Default::default(),
            digests: Default::default(),
            unpaired: Default::default(),
            called: Vec::new(),
            writes: Default::default(),
            compared: Vec::new(),
            places: Default::default(),
            lines,
        };
        aligned.read();
        aligned
    }

    fn read(&mut self) {
        let resolved = [0, 1].map(|side| {
            let points = self.traces[side].points.iter();
            points.map(|point| self.resolve(side, point.location)).collect::<Vec<_>>()
        });
        // How often each line does what. Where the sides do something unequally often, by another
        // header, another type or a fault, it has no counterpart to be compared with.
        let own = |at: &At, what: &str| !at.called || is_shared_effect(what);
        let mut counts: BTreeMap<Key, [u32; 2]> = BTreeMap::new();
        for (side, places) in resolved.iter().enumerate() {
            for (point, at) in self.traces[side].points.iter().zip(places) {
                if let Some(at) = at.as_ref().filter(|at| own(at, point.what)) {
                    counts.entry((at.file.0, at.line, point.what)).or_default()[side] += 1;
                }
            }
        }
        let called = resolved[1].iter().flatten().filter(|at| at.called);
        let helped: BTreeSet<(FileId, u32)> = called.map(|at| (at.file, at.line)).collect();
        for (side, places) in resolved.iter().enumerate() {
            let trace = self.traces[side];
            for event in &trace.trace.events {
                let Some(point) = trace.points.get(event.point as usize) else { continue };
                let Some(Some(at)) = places.get(event.point as usize) else { continue };
                if side == 0 {
                    self.digests.insert(event.digest);
                }
                if is_write(point.what) {
                    self.writes[side].entry((at.file, at.line)).or_insert(event.point);
                }
                if point.what == "constant" {
                    if let (0, Some(constant)) = (side, self.constant(0, point)) {
                        self.constants.insert(((at.file, at.line), constant));
                    }
                    continue;
                }
                let key = (at.file.0, at.line, point.what);
                let paired = counts.get(&key).is_some_and(|[first, second]| first == second);
                if side == 0 && !paired {
                    self.unpaired.insert(((at.file, at.line), event.digest));
                }
                // What only one side does is not lost on lines that have no part in a header.
                let plain = !helped.contains(&(at.file, at.line)) && is_write(point.what);
                if own(at, point.what) && (paired || plain || point.what == "barrier") {
                    let (threads, sample) = (event.threads, event.sample);
                    let digest = event.digest;
                    let step = Step { key, digest, threads, sample, point: event.point };
                    self.steps[side].push(step);
                }
            }
        }
        let is_called = |at: &Option<At>| at.as_ref().is_some_and(|at| at.called);
        self.called = resolved[1].iter().map(is_called).collect();
        let port = self.traces[1].points.iter().zip(&resolved[1]);
        self.compared = port
            .map(|(point, at)| {
                at.as_ref().is_some_and(|at| {
                    let key = (at.file.0, at.line, point.what);
                    let count = counts.get(&key);
                    own(at, point.what) && count.is_some_and(|[first, second]| first == second)
                })
            })
            .collect();
        self.places = resolved
            .map(|points| points.iter().map(|at| at.map(|at| (at.file, at.line))).collect());
    }

    /// The bits of a noted constant.
    fn constant(&self, side: usize, point: &Point) -> Option<u64> {
        match self.functions[side]?.expressions.get(point.value?)? {
            Expression::Constant(constant) => Some(constant.bits),
            Expression::Zero(_) => Some(0),
            _ => None,
        }
    }

    fn resolve(&self, side: usize, location: Location) -> Option<At> {
        resolve(self.sides, side, &self.lines, self.functions[side]?, location)
    }

    /// See [`unlike_lines`].
    fn unlike_lines(&self) -> (Vec<Unlike>, BTreeSet<Line>) {
        let functions = self.traces.map(|trace| trace.function);
        unlike_lines(self.sides, functions, &self.lines)
    }

    /// The line that is made otherwise and that a difference comes from; `None` where the difference
    /// stands for itself.
    fn source(
        &self,
        unlike: &[Unlike],
        helped: &BTreeSet<Line>,
        parting: &Parting,
    ) -> Option<Parting> {
        let own = (parting.place.file.0, parting.line);
        let used: Vec<&Unlike> = unlike.iter().filter(|unlike| unlike.idle.is_none()).collect();
        let used = match used.is_empty() {
            true => {
                let feeds =
                    |unlike: &&Unlike| unlike.idle.as_ref().is_some_and(|u| u.contains(&own));
                unlike.iter().filter(feeds).collect()
            }
            false => used,
        };
        if used.iter().any(|unlike| unlike.line == own) {
            return None;
        }
        // Of several the last that is reached before the values part.
        let mut reached: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        let mut end = usize::MAX;
        for (index, event) in self.traces[1].trace.events.iter().enumerate() {
            let place = self.places[1].get(event.point as usize).copied().flatten();
            let Some((file, line)) = place else { continue };
            let line = (file.0, line);
            if line == own && parting.event == Some((1, event.point, event.digest)) {
                end = index;
                break;
            }
            reached.entry(line).or_insert(index);
        }
        let before = |unlike: &&&Unlike| reached.get(&unlike.line).is_some_and(|at| *at < end);
        let last = used.iter().filter(before).max_by_key(|unlike| reached.get(&unlike.line));
        if let Some(found) = last.or(used.first()) {
            return Some(self.standing(found));
        }
        // What stands there is the same, so the cause is before it: in what a header does.
        if helped.contains(&own) { None } else { self.header_value(helped, end) }
    }

    /// The first value that a line gets from a header of the port, among so many events, and that the
    /// reference has nowhere.
    fn header_value(&self, helped: &BTreeSet<Line>, end: usize) -> Option<Parting> {
        let given = self.given_by_headers();
        let trace = self.traces[1];
        trace.trace.events.iter().take(end).find_map(|event| {
            let (file, line) = self.places[1].get(event.point as usize).copied().flatten()?;
            let point = trace.points.get(event.point as usize)?;
            let compared = self.compared.get(event.point as usize).copied().unwrap_or(true);
            let is_given = point.value.is_some_and(|value| given.contains(&value));
            let is_known = self.digests.contains(&event.digest);
            if !helped.contains(&(file.0, line)) || compared || !is_given || is_known {
                return None;
            }
            let (difference, what) = (Difference::Value, point.what);
            let unlike = Unlike { line: (file.0, line), difference, what, idle: None };
            Some(self.standing(&unlike))
        })
    }

    /// Values of the port's headers that the user's own text uses.
    fn given_by_headers(&self) -> BTreeSet<Value> {
        let mut given = BTreeSet::new();
        let Some(function) = self.functions[1] else { return given };
        let is_called = |at: Location| self.resolve(1, at).is_none_or(|at| at.called);
        let is_own = |at: Option<Location>| at.is_some_and(|at| !is_called(at));
        for (value, expression) in function.expressions.iter() {
            if is_own(function.expressions.location(value)) {
                given.extend(expression.operands());
            }
        }
        let mut blocks: Vec<&Block> = function.body.iter().collect();
        while let Some(block) = blocks.pop() {
            for statement in &block.statements {
                if is_own(Some(statement.location)) {
                    given.extend(statement.kind.operands());
                    if let StatementKind::Loop(looping) = &statement.kind {
                        given.extend(looping.test);
                    }
                }
                blocks.extend(statement.kind.blocks());
            }
        }
        given
    }

    /// Where the port stops and the reference does not.
    fn stop(&self, runs: &[MachineRun; 2]) -> Option<Parting> {
        let known = |code: &str| runs[0].findings.iter().any(|finding| finding.code == code);
        let finding = runs[1].findings.iter().find(|finding| !known(finding.code))?;
        // The calls that lead there come after it; a header of the port has no line of its own.
        let labels = finding.primary.iter().chain(&finding.secondary);
        let (file, line) = labels.map(|label| label.span).find_map(|span| {
            let line = self.sides[1].sources.file(span.file).line_column(span.start).line;
            self.lines.reference(span.file, line)
        })?;
        let place = self.line_span(file, line);
        let (difference, what) = (Difference::Stopped, "end");
        Some(Parting {
            launch: 0,
            block: 0,
            difference,
            what,
            place,
            line,
            port: None,
            event: None,
        })
    }

    fn standing(&self, unlike: &Unlike) -> Parting {
        let (file, line) = (FileId(unlike.line.0), unlike.line.1);
        let place = self.line_span(file, line);
        let (difference, what) = (unlike.difference, unlike.what);
        Parting { launch: 0, block: 0, difference, what, place, line, port: None, event: None }
    }

    fn first_difference(&self) -> Option<Parting> {
        let [reference, port] = &self.steps;
        let (mut i, mut j) = (0, 0);
        loop {
            let same = |(a, b): &(&Step, &Step)| (a.key, a.digest) == (b.key, b.digest);
            let pairs = reference[i..].iter().zip(&port[j..]);
            let equal = pairs.take_while(same).count();
            (i, j) = (i + equal, j + equal);
            if i == reference.len() && j == port.len() {
                return self.missing_write();
            }
            // Something else is done, or another value made, or the same in another order.
            let ends = [(i + WINDOW).min(reference.len()), (j + WINDOW).min(port.len())];
            let windows = [&reference[i..ends[0]], &port[j..ends[1]]];
            let missing = unmatched(windows[0], windows[1]);
            let added = unmatched(windows[1], windows[0]);
            // What only serves something that is gone is gone too; an effect is not.
            let is_gone = |at: &&usize| {
                let key = windows[0][**at].key;
                (is_write(key.2) || key.2 == "barrier")
                    && windows[1].iter().all(|other| other.key != key)
            };
            let effect = missing.iter().find(is_gone).copied();
            match (effect, added.first().copied(), missing.first().copied()) {
                (Some(a), b, _) if b.is_none_or(|b| a <= b) => {
                    return Some(self.unlike(windows, a, 0));
                }
                (_, Some(b), _) => return Some(self.unlike(windows, b, 1)),
                (_, None, Some(a)) => return Some(self.unlike(windows, a, 0)),
                (_, None, None) => {
                    let done = (WINDOW / 2).min(windows[0].len()).min(windows[1].len());
                    if done < WINDOW / 2 {
                        return self.missing_write();
                    }
                    (i, j) = (i + done, j + done);
                }
            }
        }
    }

    /// A line where the reference writes memory and the port does not.
    fn missing_write(&self) -> Option<Parting> {
        let [reference, port] = &self.writes;
        let ((file, line), point) = reference.iter().find(|(line, _)| !port.contains_key(line))?;
        let what = self.traces[0].points.get(*point as usize)?.what;
        let key = (file.0, *line, what);
        let step = Step { key, digest: 0, threads: 0, sample: None, point: *point };
        Some(self.parting(0, &step, Difference::Missing))
    }

    /// The difference that a step of one side without a counterpart is.
    fn unlike(&self, windows: [&[Step]; 2], at: usize, side: usize) -> Parting {
        let step = windows[side][at];
        let other = 1 - side;
        let near = windows[other].iter().take(at + WINDOW / 8).find(|known| known.key == step.key);
        match (near, side) {
            // The same is done there, with another value.
            (Some(port), 0) => self.parting(1, port, Difference::Value),
            (Some(_), _) => self.parting(1, &step, Difference::Value),
            (None, 0) => self.parting(0, &step, Difference::Missing),
            (None, _) => self.parting(1, &step, Difference::Added),
        }
    }

    fn parting(&self, side: usize, step: &Step, difference: Difference) -> Parting {
        let (mut what, mut at) = (step.key.2, step.point);
        let event = Some((side, step.point, step.digest));
        // A value may differ because of one under it that has no counterpart to be compared with.
        if side == 1
            && difference != Difference::Missing
            && let Some((name, point)) = self.culprit(step)
        {
            (what, at) = (name, point);
        }
        let place = self.places[side].get(at as usize).copied().flatten();
        let (file, line) = place.unwrap_or((FileId(step.key.0), step.key.1));
        let point = self.traces[side].points.get(at as usize);
        let own = point.map(|point| self.span(side, point));
        let port = own.filter(|_| side == 1).map(|span| {
            let file = self.sides[1].sources.file(span.file);
            (file.path.to_string(), file.line_column(span.start).line)
        });
        let place = match own.filter(|_| side == 0) {
            Some(span) => span,
            None => self.line_span(file, line),
        };
        Parting { launch: 0, block: 0, difference, what, place, line, port, event }
    }

    fn span(&self, side: usize, point: &Point) -> Span {
        self.sides[side].code.expansions.outermost(point.location.origin)
    }

    /// The text of a line of the reference, without the space around it.
    fn line_span(&self, file: FileId, line: u32) -> Span {
        let source = self.sides[0].sources.file(file);
        let text = source.line_text(line);
        let start = text.as_ptr() as usize - source.text.as_ptr() as usize;
        let blank = text.len() - text.trim_start().len();
        let start = (start + blank) as u32;
        Span { file, start, end: start + text.trim().len() as u32 }
    }

    /// What under a step's value the reference does not have: a constant of that line, or a value that
    /// was not compared and that none of the reference's is equal to. The oldest.
    fn culprit(&self, step: &Step) -> Option<(&'static str, u32)> {
        let points = &self.traces[1].points;
        let function = self.functions[1]?;
        let point = points.get(step.point as usize)?;
        let mut pending: Vec<Value> = point.pointer.into_iter().collect();
        match (is_effect(point.what), point.value) {
            (true, value) => pending.extend(value),
            (false, Some(value)) => pending.extend(function.expressions.get(value)?.operands()),
            (false, None) => {}
        }
        let noted: BTreeMap<Value, u32> = (0u32..)
            .zip(points)
            .filter(|(_, point)| !is_effect(point.what))
            .filter_map(|(index, point)| Some((point.value?, index)))
            .collect();
        let mut seen = BTreeSet::new();
        let mut found: Option<(Value, &'static str, u32)> = None;
        while let Some(next) = pending.pop() {
            if !seen.insert(next) || seen.len() > 512 {
                continue;
            }
            let Some(expression) = function.expressions.get(next) else { continue };
            if let Some(index) = noted.get(&next).copied()
                && let Some(point) = points.get(index as usize)
            {
                let place = self.places[1].get(index as usize).copied().flatten();
                let is_known = match (self.constant(1, point), place) {
                    (_, None) => true,
                    (Some(bits), Some(place)) => self.constants.contains(&(place, bits)),
                    (None, Some(_)) => {
                        self.compared.get(index as usize).copied().unwrap_or(true)
                            || self.is_known(index)
                    }
                };
                if is_known {
                    continue;
                }
                if found.is_none_or(|(known, ..)| next < known) {
                    found = Some((next, point.what, index));
                }
            }
            pending.extend(expression.operands());
        }
        found.map(|(_, what, index)| (what, index))
    }

    /// Whether the reference has, somewhere, each value that a point of the port gave.
    fn is_known(&self, point: u32) -> bool {
        let called = self.called.get(point as usize).copied().unwrap_or(true);
        let place = self.places[1].get(point as usize).copied().flatten();
        let mut events = self.traces[1].trace.events.iter().filter(|event| event.point == point);
        events.all(|event| match place.filter(|_| !called) {
            // Small truths are alike everywhere: on the line itself.
            Some(place) => self.unpaired.contains(&(place, event.digest)),
            None => self.digests.contains(&event.digest),
        })
    }
}

/// Whether something is done for what it does, not for its value.
fn is_effect(what: &str) -> bool {
    is_write(what) || matches!(what, "assignment" | "barrier")
}

/// Whether memory is written.
fn is_write(what: &str) -> bool {
    matches!(what, "store" | "atomic update" | "copy" | "async copy" | "matrix store")
}

/// Whether an effect is the calling line's own, wherever it is spelled.
fn is_shared_effect(what: &str) -> bool {
    matches!(
        what,
        "shuffle"
            | "vote"
            | "match"
            | "warp reduction"
            | "store"
            | "atomic"
            | "atomic update"
            | "barrier"
            | "matrix load"
            | "matrix store"
            | "matrix multiplication"
    )
}

/// The steps of the first half that have no equal in the other window, in order.
fn unmatched(steps: &[Step], others: &[Step]) -> Vec<usize> {
    let mut counts: BTreeMap<(Key, u64), usize> = BTreeMap::new();
    let mut by_key: BTreeMap<Key, Vec<&Step>> = BTreeMap::new();
    for other in others {
        *counts.entry((other.key, other.digest)).or_insert(0) += 1;
        by_key.entry(other.key).or_default().push(other);
    }
    let half = if steps.len() < WINDOW { steps.len() } else { WINDOW / 2 };
    // Values are made where they are first needed, so perhaps for more threads on one side. Those of
    // loops are many.
    let mut own: BTreeMap<Key, usize> = BTreeMap::new();
    steps.iter().for_each(|step| *own.entry(step.key).or_insert(0) += 1);
    let elsewhere = |step: &Step| match by_key.get(&step.key).map(Vec::as_slice) {
        Some([other]) if !is_effect(step.key.2) && own.get(&step.key) == Some(&1) => {
            let unlike = |(a, b)| a != b;
            other.threads != step.threads && !step.sample.zip(other.sample).is_some_and(unlike)
        }
        _ => false,
    };
    let alone = |step: &Step| match counts.get_mut(&(step.key, step.digest)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => !elsewhere(step),
    };
    let mut alone = alone;
    (0..half).filter(|at| alone(&steps[*at])).collect()
}

impl Machine<'_> {
    /// A function as it is run.
    fn function(&self, handle: Handle<Function>) -> Option<&Function> {
        self.module().functions.get(handle)
    }
}
