//! Which products and sums a compiler makes one operation.
//!
//! The rules were read off the output of the compilers: of nvcc 13 with ptxas (sm_70 to sm_100, which
//! agree), and of clang 19 for AMD's chips. `a`, `b` … are any values, "sum" is `+` or `−`.
//!
//! Of random programs without branches, with shared and negated products, the number of fused and
//! other operations is the compilers' own in 99 of 100 for nvcc and for clang's gfx906, gfx1030 and
//! gfx1100, and in 91 of 100 for gfx90a.
//!
//! # Of both
//!
//! * Only what the source leaves open is fused: its own `*`, `+`, `−`, not `__fmul_rn` and its kin.
//! * Product and sum must lie in one stretch of code without branches (the module `place` says
//!   which): not a product before a loop and a sum inside, nor one before a branch and one after.
//! * A negation between the two does not hinder; an absolute value, a selection, a minimum or a
//!   conversion does.
//! * A product of two constants is a constant. A division by a constant power of two is a product.
//! * Of `p + q`, the operand that was known first is on the left: parameters in their order, then
//!   values in the order in which they are loaded or functions called, and what is computed from
//!   several counts as the latest of them and one step more. (Both compilers bring `+` and `*` into this order.)
//!
//! # nvcc
//!
//! Two programs fuse, one after the other.
//!
//! 1. The compiler proper takes sums `+` from the last to the first. Left operand before right, it
//!    fuses a product that has fewer than five users, all of them such `+` that are not fused yet.
//!    `x - c*y` with a constant `c` other than 2 is such a `+` too, with `-c`, if nobody else uses the
//!    product. Quotients of fast math are not yet products.
//! 2. ptxas takes what is left. It fuses a product whose users are all sums, none of which adds it to
//!    itself. Of two candidates in one sum it takes the one with fewer users, else the left one, and
//!    the other is then computed for itself, so that no other sum fuses it either; this is settled
//!    from the last sum to the first.
//!
//! Before either, of `c ? x + p : x + q` is made `x + (c ? p : q)`, also where the two sides of a branch
//! end with such sums for one variable: then neither `p` nor `q` is fused.
//!
//! So `a*b + c*d` is `fma(a, b, c*d)`; a product that is also stored, or multiplied again, is never
//! fused; one in two sums is fused with both. Half types know the second program only.
//!
//! Not modelled: a product with which both sides of a branch begin is moved before the branch, and
//! then fused on neither side.
//!
//! `expf` ends with a product, by a power of two. To fuse it changes nothing, but it takes the place
//! of another product in the same sum.
//!
//! # clang
//!
//! From the last sum to the first, each fuses a product of its stretch, whatever else uses the
//! product; of two the one that fewer others still use, else the left; a product that is doubled is
//! not. Where the chip has packed f32 additions (gfx90a, gfx942), two sums of one product that a third
//! operation combines, or that are stored to neighbouring places, become one packed addition and are
//! not fused. Not modelled: there, factors that are loaded from neighbouring places can make the
//! right product of two the one that is fused.

use std::collections::{HashMap, HashSet};

use port_ir::{
    Block, Expression, ExpressionTypes, FloatOp, Function, Handle, Local, MathFunction, Rounding,
    Scalar, Statement, StatementKind, Type, UnaryOp, Value,
};

use super::place::{Place, Places};
use crate::profile::{Contraction, Profile};

/// A sum that takes a product in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fusion {
    /// The product, a multiplication.
    pub product: Value,
    /// Whether the product is subtracted.
    pub negative_product: bool,
    /// The other operand.
    pub addend: Value,
    /// Whether it is subtracted.
    pub negative_addend: bool,
}

/// An operand of a sum.
#[derive(Clone, Copy)]
struct Operand {
    /// The value itself, below negations.
    value: Value,
    negative: bool,
    /// Whether the sign becomes that of a constant factor.
    absorbed: bool,
}

struct Sum {
    value: Value,
    place: Place,
    operands: [Operand; 2],
    /// Half types, whose operations the compiler proper does not see through.
    narrow: bool,
    fused: Option<usize>,
}

impl Sum {
    /// Whether nothing is subtracted.
    fn is_plain(&self) -> bool {
        self.operands.iter().all(|operand| !operand.negative || operand.absorbed)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    Sum(usize),
    Other,
}

struct Work<'a> {
    function: &'a Function,
    places: &'a Places,
    sums: Vec<Sum>,
    /// Of each product, who uses it.
    users: HashMap<Value, Vec<User>>,
    ranks: Vec<u64>,
}

/// Finds the sums that take a product in, by sum.
pub(super) fn find(
    function: &Function,
    types: &ExpressionTypes,
    profile: &Profile,
) -> HashMap<Value, Fusion> {
    let contraction = profile.contraction();
    if contraction == Contraction::Never {
        return HashMap::new();
    }
    let places = Places::of(function, contraction == Contraction::Nvcc);
    let same = same_values(function, &places);
    let mut work = Work {
        function,
        places: &places,
        sums: Vec::new(),
        users: HashMap::new(),
        ranks: ranks(function, &places),
    };
    work.collect(types, profile, &same);
    match contraction {
        Contraction::Never => {}
        Contraction::Nvcc => {
            work.fuse_plain();
            work.fuse_rest();
        }
        Contraction::Clang { packed } => work.fuse_all(packed),
    }
    work.result(&same)
}

/// For each value the first one that is certain to be equal to it and there before it.
fn same_values(function: &Function, places: &Places) -> Vec<Value> {
    let mut same: Vec<Value> = function.expressions.handles().collect();
    let mut known: HashMap<Expression, Vec<Value>> = HashMap::new();
    for (value, expression) in function.expressions.iter() {
        let Some(place) = places.get(value) else { continue };
        if matches!(
            expression,
            Expression::Result(_) | Expression::Undefined(_) | Expression::Poison { .. }
        ) {
            continue;
        }
        let mut key = expression.clone();
        key.for_each_operand_mut(|operand| *operand = same[operand.index()]);
        if let Expression::Float { op: FloatOp::Add | FloatOp::Multiply, left, right, .. } =
            &mut key
            && right < left
        {
            std::mem::swap(left, right);
        }
        let entry = known.entry(key).or_default();
        let first = entry.iter().find(|first| {
            places.get(**first).is_some_and(|before| places.dominates(before, place))
        });
        match first {
            Some(first) => same[value.index()] = *first,
            None => entry.push(value),
        }
    }
    same
}

/// The order in which compilers bring operands.
fn ranks(function: &Function, places: &Places) -> Vec<u64> {
    let mut ranks: Vec<u64> = Vec::with_capacity(function.expressions.len());
    // Of what was loaded so far: a function is called after that.
    let mut latest = 0;
    for (value, expression) in function.expressions.iter() {
        let mut rank = match expression {
            Expression::Argument(index) => 3 + u64::from(*index),
            Expression::Result(_) => places.result_rank(value),
            Expression::Math { .. } => latest,
            Expression::Float { op: FloatOp::Multiply, flags, .. } if flags.approximate => latest,
            _ => 0,
        };
        if matches!(expression, Expression::Result(_)) {
            latest = latest.max(rank);
        }
        let mut has_operands = false;
        expression.for_each_operand(|operand| {
            has_operands = true;
            rank = rank.max(ranks.get(operand.index()).copied().unwrap_or(0));
        });
        ranks.push(match expression {
            Expression::Unary { op: UnaryOp::Negate | UnaryOp::Not, .. } => rank,
            _ => rank + u64::from(has_operands),
        });
    }
    ranks
}

fn is_constant(function: &Function, value: Value) -> bool {
    match &function.expressions[value] {
        Expression::Constant(_) | Expression::Zero(_) => true,
        Expression::Unary { value, .. } => is_leaf_constant(function, *value),
        Expression::Float { left, right, .. } => {
            is_leaf_constant(function, *left) && is_leaf_constant(function, *right)
        }
        Expression::Splat { value, .. } => is_leaf_constant(function, *value),
        Expression::Convert { value, .. } => is_leaf_constant(function, *value),
        _ => false,
    }
}

fn is_leaf_constant(function: &Function, value: Value) -> bool {
    matches!(function.expressions[value], Expression::Constant(_) | Expression::Zero(_))
}

/// Whether it is a product of a value and a constant, which is not 2.
fn has_constant_factor(function: &Function, value: Value) -> bool {
    match &function.expressions[value] {
        Expression::Float { op: FloatOp::Multiply, left, right, flags } => {
            let factor =
                |value| is_leaf_constant(function, value) && !is_exactly(function, value, 2.0);
            flags.contract && !flags.approximate && (factor(*left) || factor(*right))
        }
        _ => false,
    }
}

fn is_exactly(function: &Function, value: Value, number: f64) -> bool {
    match &function.expressions[value] {
        Expression::Constant(constant) => constant.as_float() == Some(number),
        _ => false,
    }
}

impl Work<'_> {
    /// The value under negations of it.
    fn operand(&self, same: &[Value], value: Value, negative: bool) -> Operand {
        let (mut value, mut negative) = (same[value.index()], negative);
        // Operands are older than their users, so this ends.
        while let Expression::Unary { op: UnaryOp::Negate, value: inner } =
            &self.function.expressions[value]
        {
            value = same[inner.index()];
            negative = !negative;
        }
        Operand { value, negative, absorbed: false }
    }

    fn is_product(&self, value: Value) -> bool {
        match &self.function.expressions[value] {
            Expression::Float { op: FloatOp::Multiply, left, right, flags } => {
                let unit = |value| {
                    is_exactly(self.function, value, 1.0) || is_exactly(self.function, value, -1.0)
                };
                flags.contract
                    && flags.rounding == Rounding::NearestEven
                    && !(is_constant(self.function, *left) && is_constant(self.function, *right))
                    && !unit(*left)
                    && !unit(*right)
            }
            _ => false,
        }
    }

    /// Whether only ptxas sees the product: that of a quotient.
    fn is_late(&self, value: Value) -> bool {
        matches!(
            &self.function.expressions[value],
            Expression::Float { op: FloatOp::Multiply, flags, .. } if flags.approximate
        )
    }

    /// Whether it ends with a product that changes nothing.
    fn ends_with_scaling(&self, value: Value) -> bool {
        match &self.function.expressions[value] {
            Expression::Math { function, flags, .. } => {
                matches!(function, MathFunction::Exp | MathFunction::Exp10) && !flags.approximate
            }
            _ => false,
        }
    }

    /// Whether it is doubled, which is done by an addition.
    fn is_doubling(&self, value: Value) -> bool {
        match &self.function.expressions[value] {
            Expression::Float { left, right, .. } => {
                is_exactly(self.function, *left, 2.0) || is_exactly(self.function, *right, 2.0)
            }
            _ => false,
        }
    }

    fn collect(&mut self, types: &ExpressionTypes, profile: &Profile, same: &[Value]) {
        let function = self.function;
        let scaled = profile.contraction() == Contraction::Nvcc;
        let chosen = if scaled { self.chosen(same) } else { HashMap::new() };
        let mut uses: HashMap<Value, Vec<User>> = HashMap::new();
        for (value, expression) in function.expressions.iter() {
            let Some(place) = self.places.get(value) else { continue };
            if same[value.index()] != value {
                continue;
            }
            let scalar = types.get(value).scalar();
            let allowed = match scalar {
                Some(Scalar::F32 | Scalar::F64) => true,
                Some(Scalar::F16) => profile.fuses_narrow(Scalar::F16),
                Some(Scalar::Bf16) => profile.fuses_narrow(Scalar::Bf16),
                _ => false,
            };
            let sum = match expression {
                Expression::Float { op, left, right, flags }
                    if allowed
                        && flags.contract
                        && flags.rounding == Rounding::NearestEven
                        && matches!(op, FloatOp::Add | FloatOp::Subtract) =>
                {
                    Some((*left, *right, *op == FloatOp::Subtract))
                }
                _ => None,
            };
            let Some((left, right, subtracts)) = sum else {
                // A negation is looked through; who uses it uses what is under it.
                if !matches!(expression, Expression::Unary { op: UnaryOp::Negate, .. }) {
                    expression.for_each_operand(|operand| {
                        let under = self.operand(same, operand, false).value;
                        uses.entry(under).or_default().push(User::Other);
                    });
                }
                continue;
            };
            let index = self.sums.len();
            let mut operands =
                [self.operand(same, left, false), self.operand(same, right, subtracts)];
            // A constant that is subtracted is added, negated; −p + q is q − p.
            if operands[1].negative && is_constant(function, operands[1].value) {
                operands[1].negative = false;
            }
            if operands[0].negative && !operands[1].negative {
                operands.swap(0, 1);
            }
            let narrow = !matches!(types.get(value), Type::Scalar(Scalar::F32 | Scalar::F64));
            if !narrow && operands.iter().all(|operand| !operand.negative) {
                let rank = |operand: &Operand| self.ranks[operand.value.index()];
                if rank(&operands[1]) < rank(&operands[0]) {
                    operands.swap(0, 1);
                }
            }
            let shared = chosen.get(&value).copied();
            for operand in &operands {
                // What is chosen before it is added is used by the choice.
                let free = shared
                    .is_none_or(|shared| operand.value == self.operand(same, shared, false).value);
                let user = if free { User::Sum(index) } else { User::Other };
                uses.entry(operand.value).or_default().push(user);
            }
            self.sums.push(Sum { value, place, operands, narrow, fused: None });
        }
        for (value, places) in self.places.statement_uses.iter().enumerate() {
            if places.is_empty() {
                continue;
            }
            if let Some(value) = same.get(value) {
                let under = self.operand(same, *value, false).value;
                uses.entry(under).or_default().push(User::Other);
            }
        }
        // The sign of a subtracted product that has a constant factor and no other user becomes the
        // constant's; doubling is no product by then.
        for sum in &mut self.sums {
            let operand = &mut sum.operands[1];
            let single = uses.get(&operand.value).is_some_and(|users| users.len() == 1);
            operand.absorbed = scaled
                && operand.negative
                && single
                && !sum.narrow
                && has_constant_factor(function, operand.value);
        }
        for (value, users) in uses {
            if self.is_product(value) || scaled && self.ends_with_scaling(value) {
                self.users.insert(value, users);
            }
        }
    }

    /// Sums of which one or the other is taken, and that share an operand: the compiler adds to that
    /// what it chooses of their other operands. Gives the shared operand by sum.
    fn chosen(&self, same: &[Value]) -> HashMap<Value, Value> {
        let function = self.function;
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        let mut users = vec![0u32; function.expressions.len()];
        for (_, expression) in function.expressions.iter() {
            if let Expression::Select { accept, reject, .. } = expression {
                pairs.push((*accept, *reject));
            }
            expression.for_each_operand(|operand| users[operand.index()] += 1);
        }
        // Loads of one variable on both sides, before either changes it, give one value.
        let mut loads: HashMap<Value, Handle<Local>> = HashMap::new();
        if let Some(body) = &function.body {
            alternatives(function, body, &mut pairs, &mut loads);
        }
        let mut chosen = HashMap::new();
        for (first, second) in pairs {
            let used_once = |value: Value| {
                users[value.index()] as usize + self.places.statement_uses[value.index()].len() == 1
            };
            let sum = |value: Value| match &function.expressions[value] {
                Expression::Float { op, left, right, flags }
                    if flags.contract && matches!(op, FloatOp::Add | FloatOp::Subtract) =>
                {
                    let equal = |value: &Value| same[value.index()];
                    Some((*op == FloatOp::Add, equal(left), equal(right)))
                }
                _ => None,
            };
            let (Some((adds, a, b)), Some((also, c, d))) = (sum(first), sum(second)) else {
                continue;
            };
            if first == second || !used_once(first) || !used_once(second) {
                continue;
            }
            let equal = |x: Value, y: Value| {
                x == y || loads.contains_key(&x) && loads.get(&x) == loads.get(&y)
            };
            // Of a difference the shared operand is on the same side, or on the left beside a sum.
            let shared = if equal(a, c) {
                (a, c)
            } else if adds == also && equal(b, d) {
                (b, d)
            } else if adds && equal(b, c) {
                (b, c)
            } else if also && equal(a, d) {
                (a, d)
            } else {
                continue;
            };
            chosen.insert(first, shared.0);
            chosen.insert(second, shared.1);
        }
        chosen
    }

    /// Whether the sum and the product that it uses lie together.
    fn is_near(&self, sum: usize, product: Value) -> bool {
        self.places.get(product) == Some(self.sums[sum].place)
    }

    /// The sum takes its operand of this number in.
    fn fuse(&mut self, sum: usize, number: usize) {
        self.sums[sum].fused = Some(number);
        let [product, other] = {
            let operands = &self.sums[sum].operands;
            [operands[number].value, operands[1 - number].value]
        };
        if let Some(users) = self.users.get_mut(&product)
            && let Some(position) = users.iter().position(|user| *user == User::Sum(sum))
        {
            users.remove(position);
        }
        if let Some(users) = self.users.get_mut(&other) {
            for user in users.iter_mut().filter(|user| **user == User::Sum(sum)) {
                *user = User::Other;
            }
        }
    }

    /// nvcc's first program.
    fn fuse_plain(&mut self) {
        for sum in (0..self.sums.len()).rev() {
            if !self.sums[sum].is_plain() || self.sums[sum].narrow {
                continue;
            }
            for number in 0..2 {
                let product = self.sums[sum].operands[number].value;
                let Some(users) = self.users.get(&product) else { continue };
                if users.len() >= 5 || self.is_late(product) {
                    continue;
                }
                let all_plain = users.iter().all(|user| match user {
                    User::Sum(user) => {
                        let user_sum = &self.sums[*user];
                        user_sum.is_plain()
                            && user_sum.fused.is_none()
                            && self.is_near(*user, product)
                    }
                    User::Other => false,
                });
                if all_plain {
                    self.fuse(sum, number);
                    break;
                }
            }
        }
    }

    /// nvcc's second program, ptxas.
    fn fuse_rest(&mut self) {
        // Products whose every user is a sum that could take them in, but for those that another
        // product of one of the sums keeps out: these are computed for themselves.
        let mut candidates: HashSet<Value> = self
            .users
            .iter()
            .filter(|(product, users)| self.is_candidate(**product, users))
            .map(|(product, _)| *product)
            .collect();
        for sum in self.sums.iter().rev().filter(|sum| sum.fused.is_none()) {
            let [left, right] = sum.operands.map(|operand| operand.value);
            if left != right && candidates.contains(&left) && candidates.contains(&right) {
                let count = |product| self.users.get(&product).map_or(0, Vec::len);
                let loser = if count(left) > count(right) { left } else { right };
                candidates.remove(&loser);
            }
        }
        for sum in 0..self.sums.len() {
            if self.sums[sum].fused.is_some() {
                continue;
            }
            let operands = self.sums[sum].operands.map(|operand| operand.value);
            if let Some(number) = operands.iter().position(|value| candidates.contains(value)) {
                self.fuse(sum, number);
            }
        }
    }

    /// Whether every user of a product is a sum that could take it in.
    fn is_candidate(&self, product: Value, users: &[User]) -> bool {
        !users.is_empty()
            && !self.is_doubling(product)
            && users.iter().all(|user| match user {
                User::Sum(user) => {
                    let sum = &self.sums[*user];
                    // A product that is added to itself is needed for itself.
                    let [left, right] = sum.operands.map(|operand| operand.value);
                    sum.fused.is_none() && left != right && self.is_near(*user, product)
                }
                User::Other => false,
            })
    }

    /// clang's rule.
    fn fuse_all(&mut self, packed: bool) {
        let together = if packed { self.packed() } else { HashSet::new() };
        for sum in (0..self.sums.len()).rev() {
            let [left, right] = self.sums[sum].operands.map(|operand| operand.value);
            let doubled = left == right && self.sums[sum].is_plain();
            if together.contains(&sum) || doubled {
                continue;
            }
            let count = |number: usize| {
                let product = self.sums[sum].operands[number].value;
                let near = self.is_product(product) && self.is_near(sum, product);
                near.then(|| self.users.get(&product).map_or(0, Vec::len))
            };
            let number = match (count(0), count(1)) {
                (Some(left), Some(right)) => usize::from(left > right),
                (Some(_), None) => 0,
                (None, Some(_)) => 1,
                (None, None) => continue,
            };
            self.fuse(sum, number);
        }
    }

    /// The sums that become halves of packed additions.
    fn packed(&self) -> HashSet<usize> {
        let function = self.function;
        let sums: HashMap<Value, usize> =
            self.sums.iter().enumerate().map(|(index, sum)| (sum.value, index)).collect();
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        for (_, expression) in function.expressions.iter() {
            if let Expression::Float { left, right, .. } = expression {
                pairs.push((*left, *right));
            }
        }
        if let Some(body) = &function.body {
            neighbours(function, body, &mut pairs);
        }
        let mut together = HashSet::new();
        for (left, right) in pairs {
            let (Some(left), Some(right)) = (sums.get(&left), sums.get(&right)) else { continue };
            if left == right || self.sums[*left].is_plain() != self.sums[*right].is_plain() {
                continue;
            }
            let shared = self.sums[*left].operands.iter().any(|operand| {
                self.is_product(operand.value)
                    && self.sums[*right].operands.iter().any(|other| other.value == operand.value)
            });
            if shared {
                together.extend([*left, *right]);
            }
        }
        together
    }

    fn result(&self, same: &[Value]) -> HashMap<Value, Fusion> {
        let mut fusions = HashMap::new();
        for sum in &self.sums {
            let Some(number) = sum.fused else { continue };
            let (product, addend) = (sum.operands[number], sum.operands[1 - number]);
            if !self.is_product(product.value) {
                continue;
            }
            // The constant that was brought to the other sign is found by the source's operation.
            let negative_addend = match &self.function.expressions[sum.value] {
                Expression::Float { op: FloatOp::Subtract, right, .. }
                    if self.operand(same, *right, true).value == addend.value
                        && is_constant(self.function, addend.value) =>
                {
                    self.operand(same, *right, true).negative
                }
                _ => addend.negative,
            };
            fusions.insert(
                sum.value,
                Fusion {
                    product: product.value,
                    negative_product: product.negative,
                    addend: addend.value,
                    negative_addend,
                },
            );
        }
        for (value, first) in self.function.expressions.handles().zip(same) {
            if let Some(fusion) = fusions.get(first).copied() {
                fusions.insert(value, fusion);
            }
        }
        fusions
    }
}

/// Values that statements one after the other store to places one after the other.
fn neighbours(function: &Function, block: &Block, pairs: &mut Vec<(Value, Value)>) {
    let stored = |statement: &Statement| match &statement.kind {
        StatementKind::Store { pointer, value, .. } => match &function.expressions[*pointer] {
            Expression::Element { base, index, .. } => match &function.expressions[*index] {
                Expression::Constant(index) => Some((*base, index.as_integer()?, *value)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    let mut last = None;
    for statement in &block.statements {
        for inner in statement.kind.blocks() {
            neighbours(function, inner, pairs);
        }
        let Some((base, index, value)) = stored(statement) else { continue };
        if let Some((other, before, first)) = last
            && other == base
            && index == before + 1
        {
            pairs.push((first, value));
        }
        last = Some((base, index, value));
    }
}

/// What the two sides of a branch store last to one variable; and what each side loads from variables
/// that it has not changed yet.
fn alternatives(
    function: &Function,
    block: &Block,
    pairs: &mut Vec<(Value, Value)>,
    loads: &mut HashMap<Value, Handle<Local>>,
) {
    let local = |pointer: Value| match &function.expressions[pointer] {
        Expression::Local(local) => Some(*local),
        _ => None,
    };
    let mut stored = |block: &Block| -> Vec<(Handle<Local>, Value)> {
        let mut last: Vec<(Handle<Local>, Value)> = Vec::new();
        for statement in &block.statements {
            match &statement.kind {
                StatementKind::Load { result, pointer, .. } => {
                    if let Some(local) = local(*pointer)
                        && last.iter().all(|(known, _)| *known != local)
                    {
                        loads.insert(*result, local);
                    }
                }
                StatementKind::Store { pointer, value, .. } => {
                    if let Some(local) = local(*pointer) {
                        last.retain(|(known, _)| *known != local);
                        last.push((local, *value));
                    }
                }
                // What else is stored in there is not followed.
                kind if !kind.blocks().is_empty() => return Vec::new(),
                _ => {}
            }
        }
        last
    };
    for statement in &block.statements {
        if let StatementKind::If { accept, reject, .. } = &statement.kind {
            let (accepted, rejected) = (stored(accept), stored(reject));
            for (local, first) in &accepted {
                let other = rejected.iter().find(|(other, _)| other == local);
                pairs.extend(other.map(|(_, second)| (*first, *second)));
            }
        }
    }
    for statement in &block.statements {
        for inner in statement.kind.blocks() {
            alternatives(function, inner, pairs, loads);
        }
    }
}
