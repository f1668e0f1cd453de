//! The loop whose passes the launch decides, carried out for a pass of any number.
//!
//! What its variables hold when a pass begins is guessed from the first pass: the same as before the loop,
//! or a number that grows by the same amount, or an element of global memory whose place does; what is
//! none of these is a sum that the pass adds to. A pass of any number then has to make of each guess the
//! guess for the next pass.

use std::collections::BTreeMap;
use std::rc::Rc;

use port_ir::analysis::affine::Symbol;
use port_ir::analysis::flow::StatementId;
use port_ir::{Loop, StatementKind};

use super::graph::{Atom, Base, Cond, CondNode, Num, NumNode, Sym, UNKNOWN, Val, ZERO};
use super::{Found, Locals, Threads};
use crate::code::refuse;

/// What a variable adds up over the passes, from zero.
#[derive(Clone, Debug)]
pub(in super::super) struct Sum {
    /// The products that a pass adds, each with the conditions under which it does.
    pub products: Vec<(Num, Num, Vec<Cond>)>,
}

/// What is guessed of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Guess {
    Known(Val),
    /// Sums: a carried number, or a tile of them.
    Sum(Val),
    Lost,
}

/// The guesses for each variable of all threads.
type Guesses = BTreeMap<(u32, i64), Vec<Guess>>;

/// Products that a pass adds to a sum, at most, and that are added up before they are.
const MAX_PRODUCTS: usize = 1 << 14;
const MAX_ADDED: usize = 16;

/// How often a guess may be wrong.
const TRIALS: u32 = 4;

impl Threads<'_, '_> {
    fn test(&mut self, looping: &Loop, mask: &[bool]) -> Found<Cond> {
        self.cache.clear();
        let all = self.block(&looping.condition, mask.to_vec())?;
        let (Some(test), true) = (looping.test, all == mask) else {
            return Err(refuse("a loop's test is not followed"));
        };
        let test = self.eval(test)?;
        let mut found = None;
        for thread in (0..mask.len()).filter(|thread| mask[*thread]) {
            let path = self.paths[thread].clone();
            let val = self.lane(&test, thread);
            let Val::Truth(cond) = self.graph.stripped(val, &path) else {
                return Err(refuse("a loop's test is not followed"));
            };
            if cond == UNKNOWN || *found.get_or_insert(cond) != cond {
                return Err(refuse("threads pass through a loop differently"));
            }
        }
        found.ok_or_else(|| refuse("a loop's test is not followed"))
    }

    fn pass(&mut self, looping: &Loop, mask: &[bool]) -> Found<()> {
        self.jumps.push(super::Jumps::of(&self.paths));
        let stays = self.stays.clone();
        let left = self.block(&looping.body, mask.to_vec())?;
        let left = if left == mask { self.block(&looping.step, left)? } else { left };
        let jumps = self.jumps.pop();
        let jumped = jumps.is_some_and(|j| j.partly.iter().chain(&j.broken).any(|b| *b));
        if left != mask || jumped || stays != self.stays {
            return Err(refuse("it leaves a loop early"));
        }
        self.cache.clear();
        Ok(())
    }

    /// A loop whose passes the launch decides.
    pub(super) fn any_pass(&mut self, looping: &Loop, mask: Vec<bool>) -> Found<Vec<bool>> {
        if self.in_passes || self.passes.is_some() || !self.stored.is_empty() {
            return Err(refuse("its sum is made by several loops"));
        }
        let id = self.flow.statements().find_map(|(id, entry)| match &entry.statement.kind {
            StatementKind::Loop(own) if std::ptr::eq(&raw const **own, looping) => Some(id),
            _ => None,
        });
        let id: StatementId = id.ok_or_else(|| refuse("a loop is not known"))?;
        let symbol = Symbol::Passes(id);
        let lengths: Vec<usize> = self.paths.iter().map(Vec::len).collect();
        self.in_passes = true;
        let (before, shared) = (self.locals.clone(), self.shared.clone());
        let mut keys: Vec<(u32, i64)> = shared.keys().copied().collect();
        keys.sort_unstable();
        let first = self.test(looping, &mask)?;
        self.pass(looping, &mask)?;
        let next = self.test(looping, &mask)?;
        let mut guesses = self.guesses(&before, (first, next), symbol);
        // What lies in shared memory when a pass begins.
        let passes = self.graph.symbol(symbol);
        let mut staged: BTreeMap<(u32, i64), (Val, u64)> = BTreeMap::new();
        for key in keys {
            let (Some((was, size)), Some((is, own))) =
                (shared.get(&key).copied(), self.shared.get(&key).copied())
            else {
                continue;
            };
            let is = self.graph.simplified(is, &[next], 0);
            let was = self.graph.simplified(was, &[first], 0);
            let val = if was == is { Some(was) } else { self.grown(was, is, passes) };
            if let Some(val) = val.filter(|_| own == size) {
                staged.insert(key, (val, size));
            }
        }
        for _ in 0..TRIALS {
            self.locals = Locals::new();
            for (key, own) in &guesses {
                let size = before.get(key).map_or(8, |(size, _)| *size);
                let vals = own
                    .iter()
                    .map(|guess| match guess {
                        Guess::Known(val) | Guess::Sum(val) => *val,
                        Guess::Lost => Val::Unknown,
                    })
                    .collect();
                self.locals.insert(*key, (size, Rc::new(vals)));
            }
            self.shared = staged.iter().map(|(key, val)| (*key, *val)).collect();
            let now = self.test(looping, &mask)?;
            self.pass(looping, &mask)?;
            let next = self.test(looping, &mask)?;
            let after = std::mem::take(&mut self.locals);
            let mut lost = Vec::new();
            for (key, (val, size)) in &staged {
                let (val, size) = (*val, *size);
                let is = self.shared.get(key).filter(|(_, own)| *own == size).map(|(val, _)| *val);
                let is = self.graph.simplified(is.unwrap_or(Val::Unknown), &[next], 0);
                let expected = self.shifted(val, symbol);
                if expected.map(|val| self.graph.simplified(val, &[next], 0)) != Some(is) {
                    lost.push(*key);
                }
            }
            staged.retain(|key, _| !lost.contains(key));
            if self.disproved(&mut guesses, &after, next, symbol) || !lost.is_empty() {
                continue;
            }
            self.passes = Some((symbol, now));
            self.finish(&guesses, &before, &after);
            // Of shared memory only what no pass has written is known now.
            self.shared.retain(|key, val| shared.get(key) == Some(val));
            for (path, length) in self.paths.iter_mut().zip(&lengths) {
                path.truncate(*length);
            }
            self.in_passes = false;
            self.cache.clear();
            return Ok(mask);
        }
        Err(refuse("what its passes make is not followed"))
    }

    /// What the variables may hold when a pass begins.
    fn guesses(&mut self, before: &Locals, (first, next): (Cond, Cond), symbol: Symbol) -> Guesses {
        let passes = self.graph.symbol(symbol);
        let after = std::mem::take(&mut self.locals);
        let mut guesses = BTreeMap::new();
        let mut carried = 0u32;
        for (key, (size, old)) in before {
            let new = after.get(key).filter(|(own, _)| own == size);
            let mut own: Vec<Guess> = Vec::with_capacity(old.len());
            let mut tile = None;
            for (thread, was) in old.iter().enumerate() {
                let is = new.and_then(|(_, vals)| vals.get(thread)).copied();
                let is = self.graph.simplified(is.unwrap_or(Val::Unknown), &[next], 0);
                // A pass begins only where its test holds.
                let was = &self.graph.simplified(*was, &[first], 0);
                // The lanes of a warp hold one tile together.
                let key = (thread / super::WARP, *was, is);
                let guess = match tile {
                    Some((known, guess)) if known == key => guess,
                    _ => self.guess(*was, is, passes, &mut carried),
                };
                tile = matches!(was, Val::Fragment(_)).then_some((key, guess));
                own.push(guess);
            }
            guesses.insert(*key, own);
        }
        guesses
    }

    fn guess(&mut self, was: Val, is: Val, passes: Sym, carried: &mut u32) -> Guess {
        if was == is && was != Val::Unknown {
            return Guess::Known(was);
        }
        let grown = self.grown(was, is, passes);
        if let Some(val) = grown {
            return Guess::Known(val);
        }
        let mut fresh = |own: &mut Self| {
            *carried += 1;
            own.graph.num(NumNode::Carried(*carried))
        };
        match (was, is) {
            (Val::Number(_), _) => Guess::Sum(Val::Number(fresh(self))),
            (Val::Fragment(id), Val::Fragment(_)) => {
                let count = self.graph.fragments.get(id).map_or(0, Vec::len);
                let elements = (0..count).map(|_| fresh(self)).collect();
                Guess::Sum(self.graph.fragment(elements))
            }
            _ => Guess::Lost,
        }
    }

    /// A value that grows by the same amount in each pass.
    fn grown(&mut self, was: Val, is: Val, passes: Sym) -> Option<Val> {
        match (was, is) {
            (Val::Integer(s, x), Val::Integer(t, y)) => {
                let (sym, at) = self.line((s, x), (t, y), passes)?;
                Some(Val::Integer(sym, at))
            }
            (Val::Pointer(base, s, x), Val::Pointer(other, t, y))
                if base == other && !matches!(base, Base::Local(_)) =>
            {
                let (sym, at) = self.line((s, x), (t, y), passes)?;
                Some(Val::Pointer(base, sym, at))
            }
            (Val::Number(was), Val::Number(is)) => {
                self.grown_number(was, is, passes, 0).map(Val::Number)
            }
            _ => None,
        }
    }

    fn line(&mut self, was: (Sym, i64), is: (Sym, i64), passes: Sym) -> Option<(Sym, i64)> {
        let step = self.graph.plus(is, was, -1)?;
        let grown = self.graph.times(step, (passes, 0))?;
        self.graph.plus(was, grown, 1)
    }

    fn grown_number(&mut self, was: Num, is: Num, passes: Sym, depth: u32) -> Option<Num> {
        if was == is {
            return Some(was);
        }
        match (self.graph.num_node(was), self.graph.num_node(is)) {
            (
                NumNode::Load { argument, scalar, sym: s, at: x },
                NumNode::Load { argument: other, scalar: own, sym: t, at: y },
            ) if argument == other && scalar == own => {
                let (sym, at) = self.line((s, x), (t, y), passes)?;
                Some(self.graph.num(NumNode::Load { argument, scalar, sym, at }))
            }
            (NumNode::Choice(a, x, y), NumNode::Choice(b, u, v)) if depth < 8 => {
                let cond = self.grown_condition(a, b, passes)?;
                let yes = self.grown_number(x, u, passes, depth + 1)?;
                let no = self.grown_number(y, v, passes, depth + 1)?;
                match self.graph.choose(cond, Val::Number(yes), Val::Number(no)) {
                    Val::Number(num) => Some(num),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn grown_condition(&mut self, was: Cond, is: Cond, passes: Sym) -> Option<Cond> {
        if was == is {
            return Some(was);
        }
        let (CondNode::All(a), CondNode::All(b)) =
            (self.graph.cond_node(was).clone(), self.graph.cond_node(is).clone())
        else {
            return None;
        };
        if a.len() != b.len() {
            return None;
        }
        // What is in both stays; the others grow, in their order.
        let mut all = super::TRUE;
        let (same, old): (Vec<Atom>, Vec<Atom>) = a.iter().partition(|atom| b.contains(atom));
        let new: Vec<Atom> = b.into_iter().filter(|atom| !a.contains(atom)).collect();
        for atom in same {
            let cond = self.graph.all_of(atom);
            all = self.graph.and(all, cond);
        }
        for pair in old.into_iter().zip(new) {
            let (Atom::Below(s, x), Atom::Below(t, y)) = pair else { return None };
            let grown = self.line((s, x), (t, y), passes)?;
            let cond = self.graph.below(grown);
            all = self.graph.and(all, cond);
        }
        (all != UNKNOWN).then_some(all)
    }

    /// Whether a pass does not make of a guess what is guessed for the next; such a guess is given up.
    fn disproved(
        &mut self,
        guesses: &mut Guesses,
        after: &Locals,
        next: Cond,
        symbol: Symbol,
    ) -> bool {
        let mut wrong = false;
        for (key, own) in guesses.iter_mut() {
            let made = after.get(key).map(|(_, vals)| vals.clone());
            for (thread, guess) in own.iter_mut().enumerate() {
                let Guess::Known(val) = *guess else { continue };
                let is = made.as_ref().and_then(|vals| vals.get(thread)).copied();
                let is = self.graph.simplified(is.unwrap_or(Val::Unknown), &[next], 0);
                let expected = self.shifted(val, symbol);
                // The next pass begins only where its test holds.
                let expected = expected.map(|val| self.graph.simplified(val, &[next], 0));
                if expected != Some(is) {
                    *guess = Guess::Lost;
                    wrong = true;
                }
            }
        }
        wrong
    }

    /// A value with one more pass.
    fn shifted(&mut self, val: Val, symbol: Symbol) -> Option<Val> {
        Some(match val {
            Val::Integer(sym, at) => {
                let (sym, at) = self.graph.next_pass((sym, at), symbol)?;
                Val::Integer(sym, at)
            }
            Val::Pointer(base, sym, at) => {
                let (sym, at) = self.graph.next_pass((sym, at), symbol)?;
                Val::Pointer(base, sym, at)
            }
            Val::Number(num) => Val::Number(self.shifted_number(num, symbol, 0)?),
            other => other,
        })
    }

    fn shifted_number(&mut self, num: Num, symbol: Symbol, depth: u32) -> Option<Num> {
        match self.graph.num_node(num) {
            NumNode::Load { argument, scalar, sym, at } => {
                let (sym, at) = self.graph.next_pass((sym, at), symbol)?;
                Some(self.graph.num(NumNode::Load { argument, scalar, sym, at }))
            }
            NumNode::Choice(cond, yes, no) if depth < 8 => {
                let CondNode::All(atoms) = self.graph.cond_node(cond).clone() else { return None };
                let mut all = super::TRUE;
                for atom in atoms {
                    let own = match atom {
                        Atom::Below(sym, at) => {
                            let moved = self.graph.next_pass((sym, at), symbol)?;
                            self.graph.below(moved)
                        }
                        launch @ Atom::Launch(..) => self.graph.all_of(launch),
                    };
                    all = self.graph.and(all, own);
                }
                let yes = self.shifted_number(yes, symbol, depth + 1)?;
                let no = self.shifted_number(no, symbol, depth + 1)?;
                match self.graph.choose(all, Val::Number(yes), Val::Number(no)) {
                    Val::Number(num) => Some(num),
                    _ => None,
                }
            }
            NumNode::Constant(_) | NumNode::Parameter(_) => Some(num),
            _ => None,
        }
    }

    /// What the variables hold after the loop.
    fn finish(&mut self, guesses: &Guesses, before: &Locals, after: &Locals) {
        self.locals = Locals::new();
        for (key, own) in guesses {
            let Some((size, start)) = before.get(key) else { continue };
            let mut vals = Vec::with_capacity(own.len());
            for (thread, guess) in own.iter().enumerate() {
                let was = start.get(thread).copied().unwrap_or(Val::Unknown);
                vals.push(match guess {
                    Guess::Known(val) if *val == was => was,
                    Guess::Known(_) | Guess::Lost => Val::Unknown,
                    Guess::Sum(carried) => {
                        let is = after.get(key).and_then(|(_, vals)| vals.get(thread)).copied();
                        self.total(was, *carried, is.unwrap_or(Val::Unknown))
                    }
                });
            }
            self.locals.insert(*key, (*size, Rc::new(vals)));
        }
    }

    fn total(&mut self, was: Val, carried: Val, is: Val) -> Val {
        match (was, carried, is) {
            (Val::Number(ZERO), Val::Number(carried), Val::Number(is)) => {
                self.sum(carried, is).map_or(Val::Unknown, Val::Number)
            }
            (Val::Fragment(was), Val::Fragment(carried), Val::Fragment(is)) => {
                let of = |own: &Self, id: u32| own.graph.fragments.get(id).cloned();
                let (Some(was), Some(carried), Some(is)) =
                    (of(self, was), of(self, carried), of(self, is))
                else {
                    return Val::Unknown;
                };
                if was.iter().any(|num| *num != ZERO) || carried.len() != is.len() {
                    return Val::Unknown;
                }
                let mut totals = Vec::with_capacity(is.len());
                for (carried, is) in carried.into_iter().zip(is) {
                    match self.sum(carried, is) {
                        Some(total) => totals.push(total),
                        None => return Val::Unknown,
                    }
                }
                self.graph.fragment(totals)
            }
            _ => Val::Unknown,
        }
    }

    /// The sum of the products that are added to what a variable held.
    fn sum(&mut self, carried: Num, is: Num) -> Option<Num> {
        let mut products = Vec::new();
        let (mut at, mut path, mut stops) = (is, Vec::new(), Vec::new());
        while at != carried || !stops.is_empty() {
            if stops.last() == Some(&at) {
                stops.pop();
                path.pop();
                continue;
            }
            match self.graph.num_node(at) {
                NumNode::MultiplyAdd(a, b, c) => {
                    products.push((a, b, path.clone()));
                    at = c;
                }
                NumNode::Add(a, b) => {
                    let (added, rest) = match self.products(a) {
                        Some(added) => (added, b),
                        None => (self.products(b)?, a),
                    };
                    products.extend(added.into_iter().map(|(a, b)| (a, b, path.clone())));
                    at = rest;
                }
                // What is added on a condition: elsewhere the sum stays. What it was is the older node.
                NumNode::Choice(cond, yes, no) if stops.len() < 8 => {
                    let (cond, made, was) =
                        if no < yes { (cond, yes, no) } else { (self.graph.not(cond), no, yes) };
                    path.push(cond);
                    stops.push(was);
                    at = made;
                }
                _ => return None,
            }
            if products.len() > MAX_PRODUCTS {
                return None;
            }
        }
        if products.is_empty() {
            return None;
        }
        let id = self.sums.len() as u32;
        self.sums.push(Sum { products });
        Some(self.graph.num(NumNode::Total(id)))
    }

    /// The products that are added up, where nothing else is.
    fn products(&self, num: Num) -> Option<Vec<(Num, Num)>> {
        let mut products = Vec::new();
        let mut work = vec![num];
        while let Some(num) = work.pop() {
            match self.graph.num_node(num) {
                NumNode::Multiply(a, b) => products.push((a, b)),
                NumNode::MultiplyAdd(a, b, c) => {
                    products.push((a, b));
                    work.push(c);
                }
                NumNode::Add(a, b) => work.extend([a, b]),
                _ => return None,
            }
            // A chain of sums is looked at again from each of its links.
            if products.len() > MAX_ADDED {
                return None;
            }
        }
        Some(products)
    }
}
