//! What threads make of each other's running values: expressions that are the value of all their
//! threads together, found for what they are.
//!
//! Most threads of a tree make nothing of use, and more of it with each step. What has not the value that
//! it would need for some numbers is not looked at any further.

use port_ir::Scalar;
use rustc_hash::FxHashMap;

use super::execute::{Executor, Lanes};
use super::graph::{Id, Op};
use super::intern::{Set, Sets};
use super::state::{Numbers, Part, Random, Sample, State, TRIALS, is_same, number, value_of};

/// Larger expressions join no two threads' values.
const MAX_JOINED: usize = 120;
const MAX_SETS: usize = 12;
/// Larger ones, as trees, are looked at where their number is right.
const SMALL: u32 = 24;

/// What expressions of running values have been found to be.
#[derive(Default)]
pub(super) struct Settled {
    /// By the expression's number, one more than what it is; 0 where that is not known.
    made: Vec<Id>,
    /// Of expressions as they are written in [`Work::key`].
    patterns: FxHashMap<Box<[u32]>, Option<Made>>,
    /// Operations by number.
    ops: FxHashMap<Op, u32>,
    work: Work,
    /// By the expression's number.
    looks: Vec<Look>,
    /// Values of parts of a reduction's state, of these threads about those.
    values: FxHashMap<(u32, Set, Set), Option<f64>>,
}

/// A reduction, its threads and those whose maximum it is about, as atoms.
type Made = (u32, u32, u32);

/// What is known of an expression at first sight.
#[derive(Clone, Copy)]
struct Look {
    /// For some elements of each thread.
    value: f64,
    /// The threads that have a share in it, and those whose exponentials have.
    every: Set,
    summed: Set,
    /// Of the expression as a tree; 0 where it was not seen yet.
    size: u32,
    /// Whose running value it is of.
    state: Owner,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    State(u32),
    /// It has no number, or is of several.
    Mixed,
}

const UNSEEN: Look =
    Look { value: 0.0, every: Sets::NONE, summed: Sets::NONE, size: 0, state: Owner::Nobody };

impl Settled {
    fn get(&self, id: Id) -> Option<Id> {
        self.made.get(id as usize).and_then(|made| made.checked_sub(1))
    }

    fn put(&mut self, id: Id, made: Id) {
        let at = id as usize;
        if self.made.len() <= at {
            self.made.resize(at + 1, 0);
        }
        self.made[at] = made + 1;
    }

    /// What was known of other running values is out of date.
    pub fn clear(&mut self) {
        self.made.clear();
        self.patterns.clear();
        self.looks.clear();
        self.values.clear();
    }
}

/// What is at hand while an expression is looked at.
#[derive(Default)]
struct Work {
    /// Of each node: when it was seen last, and its place in the order.
    numbers: Vec<(u32, u32)>,
    now: u32,
    stack: Vec<(Id, bool)>,
    order: Vec<Id>,
    /// Places in the order, with their reductions and threads.
    leaves: Vec<(usize, u32, Set, Set)>,
    /// Sets of threads, and of which atoms they are made.
    sets: Vec<(Set, u32)>,
    /// Threads that are always seen together: bits, of so many words each.
    atoms: Vec<u64>,
    refined: Vec<u64>,
    words: usize,
    key: Vec<u32>,
}

impl Work {
    fn begin(&mut self, nodes: usize) {
        self.numbers.resize(nodes.max(self.numbers.len()), (0, 0));
        self.now += 1;
        self.order.clear();
        self.leaves.clear();
    }

    fn number(&self, id: Id) -> Option<u32> {
        let (seen, number) = self.numbers[id as usize];
        (seen == self.now).then_some(number)
    }

    fn append(&mut self, id: Id) {
        self.numbers[id as usize] = (self.now, self.order.len() as u32);
        self.order.push(id);
    }

    /// Finds the atoms and how many there are, unless there are too many.
    fn refine(&mut self, sets: &Sets) -> Option<usize> {
        self.words = sets.words();
        self.sets.clear();
        self.atoms.clear();
        for set in self.leaves.iter().flat_map(|(.., own, about)| [*own, *about]) {
            if self.sets.iter().any(|(known, _)| *known == set) {
                continue;
            }
            self.sets.push((set, 0));
            let bits = sets.bits(set);
            let mut rest = bits.to_vec();
            self.refined.clear();
            for atom in self.atoms.chunks(self.words) {
                for inside in [true, false] {
                    let words = atom.iter().zip(bits);
                    let kept = words.map(|(a, b)| if inside { a & b } else { a & !b });
                    if kept.clone().any(|word| word != 0) {
                        self.refined.extend(kept);
                    }
                }
                rest.iter_mut().zip(atom).for_each(|(r, a)| *r &= !a);
            }
            if rest.iter().any(|word| *word != 0) {
                self.refined.extend(rest);
            }
            std::mem::swap(&mut self.atoms, &mut self.refined);
            if self.atoms.len() > MAX_SETS * self.words {
                return None;
            }
        }
        for (set, mask) in &mut self.sets {
            let bits = sets.bits(*set);
            for (index, atom) in self.atoms.chunks(self.words).enumerate() {
                let is_in = atom.iter().zip(bits).any(|(a, b)| a & b != 0);
                *mask |= u32::from(is_in) << index;
            }
        }
        Some(self.atoms.len() / self.words)
    }

    fn mask(&self, set: Set) -> u32 {
        self.sets.iter().find(|(known, _)| *known == set).map_or(0, |(_, mask)| *mask)
    }

    fn union(&self, mask: u32) -> Vec<u64> {
        let mut set = vec![0u64; self.words];
        let atoms = self.atoms.chunks(self.words).enumerate();
        for (_, atom) in atoms.filter(|(index, _)| mask >> index & 1 != 0) {
            set.iter_mut().zip(atom).for_each(|(to, word)| *to |= word);
        }
        set
    }
}

impl Executor<'_, '_> {
    /// The lanes with values of states in their simplest form, those of the mask.
    pub(super) fn settle(&mut self, lanes: &Lanes, mask: &[bool]) -> Lanes {
        if self.states.is_empty() {
            return lanes.clone();
        }
        match lanes {
            Lanes::Same(id) => Lanes::Same(self.settle_one(*id)),
            Lanes::Each(ids) => {
                let ids = ids.iter().zip(mask).map(|(id, active)| match active {
                    true => self.settle_one(*id),
                    false => *id,
                });
                let ids = ids.collect();
                self.each(ids)
            }
            Lanes::Parts(parts) => {
                Lanes::Parts(parts.iter().map(|part| self.settle(part, mask)).collect())
            }
        }
    }

    pub(super) fn settle_one(&mut self, id: Id) -> Id {
        let node = self.graph.node(id);
        // No part of a running value is a truth value.
        let is_candidate = !node.args.is_empty() && node.ty != Scalar::Bool;
        if self.states.is_empty() || !is_candidate || !self.graph.is_of_parts(id) {
            return id;
        }
        if let Some(known) = self.settled.get(id) {
            return known;
        }
        let mut work = std::mem::take(&mut self.settled.work);
        let made = self.joined(id, &mut work).unwrap_or(id);
        self.settled.work = work;
        self.settled.put(id, made);
        made
    }

    /// What an expression is at first sight.
    fn look(&mut self, id: Id) -> Look {
        let mut looks = std::mem::take(&mut self.settled.looks);
        looks.resize(self.graph.len().max(looks.len()), UNSEEN);
        let mut open = vec![id];
        let mut args = Vec::new();
        while let Some(next) = open.last().copied() {
            let unseen = open.len();
            let is_unseen = |arg: &&Id| looks[**arg as usize].size == 0;
            open.extend(self.graph.node(next).args.iter().filter(is_unseen));
            if open.len() == unseen {
                open.pop();
                looks[next as usize] = self.look_at(next, &looks, &mut args);
            }
        }
        let look = looks[id as usize];
        self.settled.looks = looks;
        look
    }

    fn look_at(&mut self, id: Id, looks: &[Look], args: &mut Vec<f64>) -> Look {
        let leaf = match *self.graph.op(id) {
            Op::Partial(reduction, own) => Some((reduction, own, own)),
            Op::Scaled(reduction, own, about) => Some((reduction, own, about)),
            Op::Total(reduction) => Some((reduction, Sets::ALL, Sets::ALL)),
            _ => None,
        };
        let mut look = Look { size: 1, ..UNSEEN };
        if let Some((reduction, own, about)) = leaf {
            let state = self.state_of.get(&reduction).copied();
            let (Some(value), Some(state)) = (self.part_value(reduction, own, about), state) else {
                return Look { state: Owner::Mixed, ..look };
            };
            look.value = value;
            look.state = Owner::State(state as u32);
            look.every = self.graph.sets.union(own, about);
            if self.part_of_state(reduction) == Some(Part::Exponentials) {
                look.summed = own;
            }
            return look;
        }
        args.clear();
        let operands = self.graph.node(id).args.clone();
        for arg in &operands {
            let Some(own) = looks.get(*arg as usize) else { continue };
            args.push(own.value);
            look.size = look.size.saturating_add(own.size);
            look.state = match (look.state, own.state) {
                (one, other) if one == other => one,
                (Owner::Nobody, one) | (one, Owner::Nobody) => one,
                _ => Owner::Mixed,
            };
            look.every = self.graph.sets.union(look.every, own.every);
            look.summed = self.graph.sets.union(look.summed, own.summed);
        }
        match number(&self.graph, id, args, 0) {
            Some(value) => look.value = value,
            None => look.state = Owner::Mixed,
        }
        look
    }

    fn part_of_state(&self, reduction: u32) -> Option<Part> {
        let state = self.states.get(*self.state_of.get(&reduction)?)?;
        state.members.iter().find(|member| member.0 == reduction).map(|member| member.1)
    }

    /// The value of a part for elements of every thread, as different as can be.
    fn part_value(&mut self, reduction: u32, own: Set, about: Set) -> Option<f64> {
        if let Some(known) = self.settled.values.get(&(reduction, own, about)) {
            return *known;
        }
        let value = self.compute_part_value(reduction, own, about);
        self.settled.values.insert((reduction, own, about), value);
        value
    }

    fn compute_part_value(&self, reduction: u32, own: Set, about: Set) -> Option<f64> {
        let part = self.part_of_state(reduction)?;
        let state = self.states.get(*self.state_of.get(&reduction)?)?;
        let mut numbers = Numbers { graph: &self.graph, known: FxHashMap::default(), trial: 0 };
        let mut starts = Vec::new();
        for (_, part, start) in &state.members {
            starts.push((*part, numbers.of(*start, 0)?));
        }
        let start = |part: Part| {
            starts.iter().find(|(own, _)| *own == part).map_or(0.0, |(_, value)| *value)
        };
        let sample = |set: Set| {
            let bits = self.graph.sets.bits(set);
            let mut sample = Sample::new();
            for (index, word) in bits.iter().enumerate() {
                let mut rest = *word;
                while rest != 0 {
                    let thread = index as u64 * 64 + u64::from(rest.trailing_zeros());
                    rest &= rest - 1;
                    let mut random = Random(thread * 7919 + 3);
                    for at in 0..random.next() % 2 + 1 {
                        sample.push((random.float(), (2 * thread + at) as f64));
                    }
                }
            }
            sample
        };
        let elements = sample(own);
        Some(match own == about {
            true => value_of(state.kind, part, &elements, &elements, &start),
            false => value_of(state.kind, part, &elements, &sample(about), &start),
        })
    }

    /// Whether an expression has the value of a part of its threads' elements, for some elements. What is
    /// small may be a part of other threads than those that it names.
    fn is_likely(&mut self, id: Id, look: Look) -> bool {
        let Owner::State(state) = look.state else { return false };
        if look.size <= SMALL {
            return true;
        }
        let is_integer = self.graph.node(id).ty == Scalar::I64;
        let members = self.states.get(state as usize).map_or(Vec::new(), |s| s.members.clone());
        members.into_iter().any(|(reduction, part, start)| {
            if (self.graph.node(start).ty == Scalar::I64) != is_integer {
                return false;
            }
            let own = if part == Part::Exponentials { look.summed } else { look.every };
            let is_it = |own: &mut Self, threads: Set| {
                let value = own.part_value(reduction, threads, look.every);
                value.is_some_and(|value| is_same(look.value, value))
            };
            is_it(self, own) || own != look.every && is_it(self, look.every)
        })
    }

    /// An expression of several threads' values as the value of all these threads.
    fn joined(&mut self, id: Id, work: &mut Work) -> Option<Id> {
        let look = self.look(id);
        if !self.is_likely(id, look) {
            return None;
        }
        // Operands first; what no thread has a share in is one thing.
        work.begin(self.graph.len());
        let mut stack = std::mem::take(&mut work.stack);
        stack.clear();
        stack.push((id, false));
        while let Some((next, ready)) = stack.pop() {
            if work.number(next).is_some() {
                continue;
            }
            if ready || !self.graph.has_part(next) {
                work.append(next);
                continue;
            }
            if work.order.len() + stack.len() > MAX_JOINED {
                work.stack = stack;
                return None;
            }
            stack.push((next, true));
            stack.extend(self.graph.node(next).args.iter().map(|arg| (*arg, false)));
        }
        work.stack = stack;
        let mut state = None;
        for (at, node) in work.order.iter().enumerate() {
            let (reduction, own, about) = match *self.graph.op(*node) {
                Op::Partial(reduction, own) => (reduction, own, own),
                Op::Scaled(reduction, own, about) => (reduction, own, about),
                Op::Total(reduction) => (reduction, Sets::ALL, Sets::ALL),
                _ => continue,
            };
            let own_state = *self.state_of.get(&reduction)?;
            if *state.get_or_insert(own_state) != own_state {
                return None;
            }
            work.leaves.push((at, reduction, own, about));
        }
        let state = self.states.get(state?)?;
        let atoms = work.refine(&self.graph.sets)?;
        // What is made of the same parts in the same way is the same part, of other threads.
        let mut leaves = Vec::with_capacity(work.leaves.len());
        for (at, reduction, own, about) in &work.leaves {
            leaves.push((work.order[*at], *reduction, work.mask(*own), work.mask(*about)));
        }
        work.key.clear();
        let mut next_leaf = work.leaves.iter().map(|leaf| leaf.0).zip(&leaves).peekable();
        for (at, id) in work.order.iter().enumerate() {
            let node = self.graph.node(*id);
            if let Some((_, (_, reduction, own, about))) = next_leaf.next_if(|leaf| leaf.0 == at) {
                work.key.extend([0, *reduction, *own, *about]);
            } else if !self.graph.has_part(*id) {
                work.key.extend([1, *id]);
            } else {
                let ops = &mut self.settled.ops;
                let op = match ops.get(&node.op) {
                    Some(known) => *known,
                    None => {
                        let next = ops.len() as u32 + 2;
                        ops.insert(node.op.clone(), next);
                        next
                    }
                };
                work.key.extend([op, node.ty as u32, node.args.len() as u32]);
                for arg in &node.args {
                    work.key.push(work.numbers[*arg as usize].1);
                }
            }
        }
        let made = match self.settled.patterns.get(&work.key[..]) {
            Some(known) => *known,
            None => {
                let made = self.part_that(id, state, &leaves, atoms);
                self.settled.patterns.insert(work.key.as_slice().into(), made);
                made
            }
        };
        let (reduction, own, about) = made?;
        let (own_set, about_set) = (work.union(own), work.union(about));
        Some(if own == about {
            self.graph.of_threads(reduction, &own_set)
        } else {
            self.graph.scaled(reduction, &own_set, &about_set)
        })
    }

    /// The part of a state that an expression is, and of which sets.
    fn part_that(
        &self,
        id: Id,
        state: &State,
        leaves: &[(Id, u32, u32, u32)],
        atoms: usize,
    ) -> Option<Made> {
        let mut sets: Vec<u32> = Vec::new();
        let every = leaves.iter().fold(0, |mask, (_, _, own, about)| mask | own | about);
        let summed = leaves.iter().filter(|(_, r, ..)| {
            state.members.iter().any(|(m, part, _)| m == r && *part == Part::Exponentials)
        });
        let summed = summed.fold(0, |mask, (_, _, own, _)| mask | own);
        for mask in [every, summed].into_iter().chain(leaves.iter().flat_map(|l| [l.2, l.3])) {
            if mask != 0 && !sets.contains(&mask) {
                sets.push(mask);
            }
        }
        let is_integer = self.graph.node(id).ty == Scalar::I64;
        for (reduction, part, start) in &state.members {
            if (self.graph.node(*start).ty == Scalar::I64) != is_integer {
                continue;
            }
            for own in &sets {
                for about in &sets {
                    if own != about && *part != Part::Exponentials {
                        continue;
                    }
                    if self.has_values(id, state, leaves, atoms, (*part, *own, *about)) {
                        return Some((*reduction, *own, *about));
                    }
                }
            }
        }
        None
    }

    fn has_values(
        &self,
        id: Id,
        state: &State,
        leaves: &[(Id, u32, u32, u32)],
        atoms: usize,
        (part, own, about): (Part, u32, u32),
    ) -> bool {
        let mut compared = 0;
        for trial in 0..TRIALS {
            let mut random = Random(u64::from(trial) * 104_729 + 17);
            let mut place = 0.0;
            let mut samples: Vec<Sample> = Vec::new();
            for _ in 0..atoms {
                // At first every thread has elements.
                let count = random.next() % 4;
                let count = if trial < 3 { count.max(1) } else { count };
                let mut sample = Sample::new();
                for _ in 0..count {
                    place += 1.0;
                    sample.push((random.value(state.kind), place));
                }
                samples.push(sample);
            }
            // Threads do not come in the order of their elements.
            if trial % 2 == 1 {
                for (_, at) in samples.iter_mut().flatten() {
                    *at = 1000.0 - *at;
                }
            }
            let of = |mask: u32| -> Sample {
                let chosen = samples.iter().enumerate().filter(|(i, _)| mask >> i & 1 != 0);
                chosen.flat_map(|(_, sample)| sample.iter().copied()).collect()
            };
            let mut numbers = Numbers { graph: &self.graph, known: FxHashMap::default(), trial };
            let mut starts = Vec::new();
            for (_, part, start) in &state.members {
                let Some(value) = numbers.of(*start, 0) else { return false };
                starts.push((*part, value));
            }
            let start = |part: Part| {
                starts.iter().find(|(own, _)| *own == part).map_or(0.0, |(_, value)| *value)
            };
            for (leaf, reduction, own, about) in leaves {
                let member = state.members.iter().find(|(member, ..)| member == reduction);
                let Some((_, part, _)) = member else { return false };
                let value = value_of(state.kind, *part, &of(*own), &of(*about), &start);
                numbers.known.insert(*leaf, value);
            }
            let Some(got) = numbers.of(id, 0) else { return false };
            let wanted = value_of(state.kind, part, &of(own), &of(about), &start);
            // A program that divides by no elements has no result for such threads.
            if got.is_nan() && !wanted.is_nan() && samples.iter().any(Vec::is_empty) {
                continue;
            }
            if !is_same(got, wanted) {
                return false;
            }
            compared += 1;
        }
        compared >= 3
    }
}
