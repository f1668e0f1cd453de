//! Where a compiler computes each value: in which stretch of straight code. Pure expressions have no
//! place of their own in the IR; a compiler gives them one, and fuses only what it has put together.
//!
//! A *stretch* is code between branches that stay branches. A value lies where its users lie; of
//! several, in the innermost block around them all; out of every loop that it does not depend on; and
//! (nvcc) before a branch that the source's text has after it. Small conditions without effects become
//! selections and loops of few passes are unrolled: neither ends a stretch.

use port_ir::{
    Block, CompareOp, Expression, Function, Handle, IntegerOp, Local, Location, Loop, LoopTest,
    Statement, StatementKind, Unroll, Value,
};

/// A stretch of straight code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    region: u32,
    stretch: u32,
}

/// A block that control enters as a whole.
struct Region {
    parent: Option<Place>,
    is_loop: bool,
    depth: u32,
    /// The branches that end its stretches. `None` where what follows is reached from one side
    /// only: values are moved past it to where they are used.
    ends: Vec<Option<Location>>,
    /// When each stretch begins, in the order of the text.
    order: Vec<u64>,
}

/// Loops that are unrolled have at most so many passes.
const UNROLLED_PASSES: i128 = 64;

/// Sides of conditions that become selections store at most so many variables.
const SELECTED_STORES: usize = 2;

/// Places of a function's values and what is known on the way.
pub(super) struct Places {
    regions: Vec<Region>,
    places: Vec<Option<Place>>,
    /// For statements' results, the order of the text.
    ranks: Vec<u64>,
    /// Places where statements use values, by value.
    pub statement_uses: Vec<Vec<Place>>,
    next: u64,
}

impl Places {
    /// Finds them. With `keeps_order` values that the text has before a branch stay there, and are
    /// not moved past it to the only place that uses them.
    pub fn of(function: &Function, keeps_order: bool) -> Places {
        let count = function.expressions.len();
        let mut places = Places {
            regions: Vec::new(),
            places: vec![None; count],
            ranks: vec![0; count],
            statement_uses: vec![Vec::new(); count],
            next: 1,
        };
        let root = places.region(None, false);
        if let Some(body) = &function.body {
            places.block(function, body, root, &mut Vec::new());
        }
        places.find(function, keeps_order);
        places
    }

    /// Where a value is computed; `None` if nothing needs it.
    pub fn get(&self, value: Value) -> Option<Place> {
        self.places.get(value.index()).copied().flatten()
    }

    /// The order of a statement's result among all.
    pub fn result_rank(&self, value: Value) -> u64 {
        self.ranks.get(value.index()).copied().unwrap_or(0)
    }

    /// Whether what is computed at `before` is there at `after`.
    pub fn dominates(&self, before: Place, after: Place) -> bool {
        match self.lifted(after, before.region) {
            Some(after) => before.stretch <= after.stretch,
            None => false,
        }
    }

    fn region(&mut self, parent: Option<Place>, is_loop: bool) -> u32 {
        let depth = parent.map_or(0, |place| self.regions[place.region as usize].depth + 1);
        let order = vec![self.tick()];
        self.regions.push(Region { parent, is_loop, depth, ends: Vec::new(), order });
        self.regions.len() as u32 - 1
    }

    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next << 16
    }

    /// The stretch that statements now go to.
    fn current(&self, region: u32) -> Place {
        Place { region, stretch: self.regions[region as usize].ends.len() as u32 }
    }

    fn end_stretch(&mut self, region: u32, branch: Option<Location>) {
        let order = self.tick();
        let region = &mut self.regions[region as usize];
        region.ends.push(branch);
        region.order.push(order);
    }

    fn block(
        &mut self,
        function: &Function,
        block: &Block,
        region: u32,
        constants: &mut Vec<(Handle<Local>, Option<i128>)>,
    ) {
        for statement in &block.statements {
            let place = self.current(region);
            for operand in statement.kind.operands() {
                self.statement_uses[operand.index()].push(place);
            }
            self.results(function, statement, place);
            match &statement.kind {
                StatementKind::Store { pointer, value, .. } => {
                    if let Expression::Local(local) = &function.expressions[*pointer] {
                        constants.push((*local, integer(function, *value)));
                    }
                }
                StatementKind::Block(inner) => self.block(function, inner, region, constants),
                StatementKind::If { accept, reject, .. } => {
                    if is_selection(function, accept) && is_selection(function, reject) {
                        self.block(function, accept, region, constants);
                        self.block(function, reject, region, constants);
                        continue;
                    }
                    for arm in [accept, reject] {
                        let inner = self.region(Some(place), false);
                        self.block(function, arm, inner, constants);
                    }
                    let leaves =
                        |arm: &Block| arm.statements.last().is_some_and(|last| last.kind.is_jump());
                    let joins = !leaves(accept) && !leaves(reject);
                    self.end_stretch(region, joins.then_some(statement.location));
                }
                StatementKind::Switch { cases, .. } => {
                    for case in cases {
                        let inner = self.region(Some(place), false);
                        self.block(function, &case.body, inner, constants);
                    }
                    self.end_stretch(region, Some(statement.location));
                }
                StatementKind::Loop(looping) => {
                    let unrolled = is_unrolled(function, looping, constants);
                    let inner = if unrolled { region } else { self.region(Some(place), true) };
                    for part in statement.kind.blocks() {
                        self.block(function, part, inner, constants);
                    }
                    if let Some(test) = looping.test {
                        let place = self.current(inner);
                        self.statement_uses[test.index()].push(place);
                    }
                    if !unrolled {
                        self.end_stretch(region, Some(statement.location));
                    }
                }
                _ => {}
            }
        }
    }

    fn results(&mut self, function: &Function, statement: &Statement, place: Place) {
        let region = &self.regions[place.region as usize];
        let base = region.order.get(place.stretch as usize).copied().unwrap_or(0);
        // Variables that loops carry are there before anything that the stretch computes.
        let carried = matches!(&statement.kind, StatementKind::Load { pointer, .. }
            if matches!(function.expressions[*pointer], Expression::Local(_)));
        for result in statement.kind.results() {
            self.next += 1;
            self.places[result.index()] = Some(place);
            self.ranks[result.index()] =
                base + (self.next & 0x3fff) + if carried { 0 } else { 0x4000 };
        }
    }

    fn find(&mut self, function: &Function, keeps_order: bool) {
        let count = function.expressions.len();
        // The innermost loop that each value depends on, as a region; regions are numbered outside
        // in, so the deepest is the innermost.
        let mut levels: Vec<Option<u32>> = vec![None; count];
        for (value, expression) in function.expressions.iter() {
            let mut level = match expression {
                Expression::Result(_) => {
                    self.places[value.index()].and_then(|place| self.innermost_loop(place.region))
                }
                _ => None,
            };
            expression.for_each_operand(|operand| {
                let other = levels[operand.index()];
                let depth = |level: Option<u32>| {
                    level.map_or(0, |region| self.regions[region as usize].depth + 1)
                };
                if depth(other) > depth(level) {
                    level = other;
                }
            });
            levels[value.index()] = level;
        }
        let mut wanted: Vec<Option<Place>> = vec![None; count];
        for (value, uses) in self.statement_uses.iter().enumerate() {
            for place in uses {
                wanted[value] = Some(self.joined(wanted[value], *place));
            }
        }
        let available = self.available(function);
        for value in function.expressions.handles().rev() {
            let Some(place) = wanted[value.index()] else { continue };
            let expression = &function.expressions[value];
            if matches!(expression, Expression::Result(_)) {
                continue;
            }
            let place = self.hoisted(place, levels[value.index()]);
            let place = match function.expressions.location(value) {
                Some(location) if keeps_order => {
                    let above = self.moved_up(place, location);
                    let available = available[value.index()]
                        .and_then(|available| self.lifted(available, place.region));
                    let stretch = available.map_or(0, |available| available.stretch);
                    Place { stretch: above.stretch.max(stretch), ..place }
                }
                _ => place,
            };
            self.places[value.index()] = Some(place);
            expression.for_each_operand(|operand| {
                wanted[operand.index()] = Some(self.joined(wanted[operand.index()], place));
            });
        }
    }

    /// Of each value, the place of the latest result that it is made of.
    fn available(&self, function: &Function) -> Vec<Option<Place>> {
        let order = |place: Option<Place>| {
            place.map_or(0, |place| {
                let orders = &self.regions[place.region as usize].order;
                orders.get(place.stretch as usize).copied().unwrap_or(0)
            })
        };
        let mut available: Vec<Option<Place>> = Vec::with_capacity(function.expressions.len());
        for (value, expression) in function.expressions.iter() {
            let mut latest = match expression {
                Expression::Result(_) => self.places[value.index()],
                _ => None,
            };
            expression.for_each_operand(|operand| {
                let other = available.get(operand.index()).copied().flatten();
                if order(other) > order(latest) {
                    latest = other;
                }
            });
            available.push(latest);
        }
        available
    }

    fn innermost_loop(&self, region: u32) -> Option<u32> {
        let mut region = region;
        loop {
            let here = &self.regions[region as usize];
            if here.is_loop {
                return Some(region);
            }
            region = here.parent?.region;
        }
    }

    fn is_inside(&self, region: u32, outer: u32) -> bool {
        let mut region = region;
        loop {
            if region == outer {
                return true;
            }
            match self.regions[region as usize].parent {
                Some(parent) => region = parent.region,
                None => return false,
            }
        }
    }

    /// The place of `region` that `place` is in.
    fn lifted(&self, place: Place, region: u32) -> Option<Place> {
        let mut place = place;
        while place.region != region {
            place = self.regions[place.region as usize].parent?;
        }
        Some(place)
    }

    fn joined(&self, known: Option<Place>, place: Place) -> Place {
        let Some(known) = known else { return place };
        let (mut a, mut b) = (known, place);
        while a.region != b.region {
            let depth = |place: Place| self.regions[place.region as usize].depth;
            let deeper = if depth(a) >= depth(b) { &mut a } else { &mut b };
            match self.regions[deeper.region as usize].parent {
                Some(parent) => *deeper = parent,
                None => return known,
            }
        }
        Place { region: a.region, stretch: a.stretch.min(b.stretch) }
    }

    /// Out of the loops that a value does not depend on.
    fn hoisted(&self, place: Place, level: Option<u32>) -> Place {
        let mut place = place;
        while let Some(looping) = self.innermost_loop(place.region) {
            if level.is_some_and(|level| self.is_inside(level, looping)) {
                break;
            }
            match self.regions[looping as usize].parent {
                Some(parent) => place = parent,
                None => break,
            }
        }
        place
    }

    /// Before the branches of the place's region that the text has after `location`.
    fn moved_up(&self, place: Place, location: Location) -> Place {
        let ends = &self.regions[place.region as usize].ends;
        let before = |end: &Location| {
            let (own, end_origin) = (location.origin, end.origin);
            location.inlined == end.inlined
                && own.expansion.is_none()
                && end_origin.expansion.is_none()
                && own.span.file == end_origin.span.file
                && own.span.end <= end_origin.span.start
        };
        let stretch = ends
            .iter()
            .take(place.stretch as usize)
            .position(|end| end.as_ref().is_some_and(before))
            .map_or(place.stretch, |stretch| stretch as u32);
        Place { stretch, ..place }
    }
}

/// Whether a side of a condition does nothing but choose the values of a few variables.
fn is_selection(function: &Function, block: &Block) -> bool {
    block.statements.len() <= SELECTED_STORES
        && block.statements.iter().all(|statement| match &statement.kind {
            StatementKind::Store { pointer, access, .. } => {
                !access.volatile && matches!(function.expressions[*pointer], Expression::Local(_))
            }
            _ => false,
        })
}

fn integer(function: &Function, value: Value) -> Option<i128> {
    match &function.expressions[value] {
        Expression::Constant(constant) => constant.as_integer(),
        Expression::Zero(_) => Some(0),
        Expression::Convert { value, .. } => match &function.expressions[*value] {
            Expression::Constant(constant) => constant.as_integer(),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a compiler writes the passes of a loop one after the other: it is asked to, or it counts
/// from a constant to a constant in few steps.
fn is_unrolled(
    function: &Function,
    looping: &Loop,
    constants: &[(Handle<Local>, Option<i128>)],
) -> bool {
    match looping.unroll {
        Unroll::Full => return true,
        Unroll::Times(1) => return false,
        _ => {}
    }
    if looping.when != LoopTest::Before {
        return false;
    }
    let counter = |value: Value| {
        looping.condition.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Load { result, pointer, .. } if *result == value => {
                match &function.expressions[*pointer] {
                    Expression::Local(local) => Some(*local),
                    _ => None,
                }
            }
            _ => None,
        })
    };
    let Some(Expression::Compare { op, left, right }) =
        looping.test.map(|test| &function.expressions[test])
    else {
        return false;
    };
    let left = match &function.expressions[*left] {
        Expression::Convert { value, .. } => *value,
        _ => *left,
    };
    let (Some(local), Some(bound)) = (counter(left), integer(function, *right)) else {
        return false;
    };
    let Some((_, Some(start))) = constants.iter().rev().find(|(known, _)| *known == local) else {
        return false;
    };
    let step = looping.step.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Store { pointer, value, .. }
            if matches!(&function.expressions[*pointer], Expression::Local(to) if *to == local) =>
        {
            match &function.expressions[*value] {
                Expression::Integer { op: IntegerOp::Add, right, .. } => integer(function, *right),
                Expression::Integer { op: IntegerOp::Subtract, right, .. } => {
                    integer(function, *right).map(|step| -step)
                }
                _ => None,
            }
        }
        _ => None,
    });
    let ordered = matches!(
        op,
        CompareOp::Less
            | CompareOp::LessEqual
            | CompareOp::Greater
            | CompareOp::GreaterEqual
            | CompareOp::NotEqual
    );
    let Some(step) = step.filter(|step| *step != 0 && ordered) else { return false };
    (0..=UNROLLED_PASSES).contains(&((bound - start) / step))
}
