//! What threads compute, as nodes that are equal where values are: index polynomials, conditions on
//! them, and numbers made of elements of global memory.

use port_ir::analysis::affine::Symbol;
use port_ir::{Builtin, Handle, Scalar, Value, Variable};
use rustc_hash::FxHashMap;

use super::super::polynomial::Poly;
use crate::interned::Interned;

/// A polynomial without its constant term, by number; 0 is none.
pub(in super::super) type Sym = u32;
/// A condition, by number.
pub(in super::super) type Cond = u32;
/// A number, by number.
pub(in super::super) type Num = u32;

/// Holds always.
pub(in super::super) const TRUE: Cond = 0;
/// Never holds.
pub(in super::super) const FALSE: Cond = 1;
/// Nobody knows.
pub(in super::super) const UNKNOWN: Cond = 2;
/// The number zero.
pub(in super::super) const ZERO: Num = 0;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in super::super) enum Atom {
    /// The polynomial and the constant together are below zero.
    Below(Sym, i64),
    /// A truth value of the whole launch, or its opposite.
    Launch(Value, bool),
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum CondNode {
    All(Vec<Atom>),
    Any(Vec<Atom>),
    Unknown,
}

/// What a pointer points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Base {
    Argument(u32),
    Local(u32),
    Variable(Handle<Variable>),
}

/// A value of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Val {
    Unknown,
    Integer(Sym, i64),
    Truth(Cond),
    Number(Num),
    /// In bytes.
    Pointer(Base, Sym, i64),
    /// The place of an element of a fragment: the local, its bytes, the element.
    Part(u32, i64, u32),
    /// The tile of a warp.
    Fragment(u32),
    /// One or the other.
    Choice(u32),
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum NumNode {
    /// By its bits as a `double`.
    Constant(u64),
    /// A parameter of the kernel.
    Parameter(u32),
    /// An element of global memory; the place is in bytes.
    Load {
        argument: u32,
        scalar: Scalar,
        sym: Sym,
        at: i64,
    },
    /// What a variable holds when a pass begins.
    Carried(u32),
    /// What a sum has become, by its number.
    Total(u32),
    Add(Num, Num),
    Multiply(Num, Num),
    /// The product and what it is added to.
    MultiplyAdd(Num, Num, Num),
    /// Rounded to a narrower format.
    Rounded(Scalar, Num),
    Choice(Cond, Num, Num),
}

/// The nodes.
pub(in super::super) struct Graph {
    polys: Interned<Poly>,
    sums: FxHashMap<(Sym, Sym), Sym>,
    scaled: FxHashMap<(Sym, i64), Sym>,
    products: FxHashMap<(Sym, Sym), (Sym, i64)>,
    conds: Interned<CondNode>,
    nums: Interned<NumNode>,
    choices: Interned<(Cond, Val, Val)>,
    /// Tiles, by rows.
    pub fragments: Interned<Vec<Num>>,
}

/// Nodes, at most.
const MAX_NODES: usize = 3_000_000;

impl Graph {
    pub fn new() -> Self {
        let mut graph = Graph {
            polys: Interned::default(),
            sums: FxHashMap::default(),
            scaled: FxHashMap::default(),
            products: FxHashMap::default(),
            conds: Interned::default(),
            nums: Interned::default(),
            choices: Interned::default(),
            fragments: Interned::default(),
        };
        graph.intern(Poly::default());
        graph.cond(CondNode::All(Vec::new()));
        graph.cond(CondNode::Any(Vec::new()));
        graph.cond(CondNode::Unknown);
        graph.constant(0.0);
        graph
    }

    pub fn is_full(&self) -> bool {
        let tiles = self.fragments.len().saturating_mul(256);
        self.nums.len() + self.choices.len() + self.polys.len() + tiles > MAX_NODES
    }

    // Integers.

    fn intern(&mut self, poly: Poly) -> Sym {
        self.polys.id(poly)
    }

    /// A polynomial as its part that varies and its constant.
    pub fn split(&mut self, mut poly: Poly) -> Option<(Sym, i64)> {
        let constant = poly.0.remove(&Vec::new()).unwrap_or(0);
        Some((self.intern(poly), i64::try_from(constant).ok()?))
    }

    pub fn symbol(&mut self, symbol: Symbol) -> Sym {
        self.intern(Poly::symbol(symbol))
    }

    /// The whole polynomial.
    pub fn poly(&self, sym: Sym, constant: i64) -> Option<Poly> {
        let poly = self.polys.get(sym)?;
        poly.minus(&Poly::number(-i128::from(constant)))
    }

    pub fn add(&mut self, a: Sym, b: Sym) -> Option<Sym> {
        match (a, b) {
            (0, other) | (other, 0) => return Some(other),
            _ => {}
        }
        if let Some(known) = self.sums.get(&(a, b)) {
            return Some(*known);
        }
        let negated = self.polys.get(b)?.times(&Poly::number(-1))?;
        let sum = self.polys.get(a)?.minus(&negated)?;
        let id = self.intern(sum);
        self.sums.insert((a, b), id);
        Some(id)
    }

    pub fn scale(&mut self, a: Sym, by: i64) -> Option<Sym> {
        match (a, by) {
            (0, _) | (_, 0) => return Some(0),
            (_, 1) => return Some(a),
            _ => {}
        }
        if let Some(known) = self.scaled.get(&(a, by)) {
            return Some(*known);
        }
        let product = self.polys.get(a)?.times(&Poly::number(i128::from(by)))?;
        let id = self.intern(product);
        self.scaled.insert((a, by), id);
        Some(id)
    }

    pub fn plus(&mut self, a: (Sym, i64), b: (Sym, i64), times: i64) -> Option<(Sym, i64)> {
        let scaled = self.scale(b.0, times)?;
        Some((self.add(a.0, scaled)?, a.1.checked_add(b.1.checked_mul(times)?)?))
    }

    pub fn times(&mut self, a: (Sym, i64), b: (Sym, i64)) -> Option<(Sym, i64)> {
        let both = if a.0 == 0 || b.0 == 0 {
            (0, 0)
        } else if let Some(known) = self.products.get(&(a.0, b.0)) {
            *known
        } else {
            let product = self.polys.get(a.0)?.times(self.polys.get(b.0)?)?;
            if product.0.len() > 64 || product.0.keys().any(|factors| factors.len() > 4) {
                return None;
            }
            let split = self.split(product)?;
            self.products.insert((a.0, b.0), split);
            split
        };
        let left = (self.scale(a.0, b.1)?, a.1.checked_mul(b.1)?);
        let right = (self.scale(b.0, a.1)?, 0);
        let sum = self.plus(both, left, 1)?;
        self.plus(sum, right, 1)
    }

    /// Divided by a positive number, with the rest, where the part that varies is a multiple of it and no
    /// sum is below zero.
    pub fn divided(&mut self, a: (Sym, i64), by: i64) -> Option<((Sym, i64), i64)> {
        if by <= 0 || a.0 != 0 && !(a.1 >= 0 && self.is_natural(a.0)) {
            return None;
        }
        if a.0 == 0 {
            return Some(((0, a.1 / by), a.1 % by));
        }
        let divided = self.polys.get(a.0)?.divided(i128::from(by))?;
        Some(((self.intern(divided), a.1 / by), a.1 % by))
    }

    /// Whether a polynomial is never below zero, whatever the launch.
    fn is_natural(&self, sym: Sym) -> bool {
        self.polys.get(sym).is_some_and(|poly| {
            let natural = |s: Symbol| {
                matches!(s, Symbol::Builtin(Builtin::BlockIndex(_)) | Symbol::Passes(_))
            };
            poly.0.values().all(|count| *count > 0) && poly.symbols().all(natural)
        })
    }

    /// With one more pass of a loop.
    pub fn next_pass(&mut self, a: (Sym, i64), passes: Symbol) -> Option<(Sym, i64)> {
        let factor = self.polys.get(a.0)?.factor_of(passes)?;
        let factor = self.split(factor)?;
        self.plus(a, factor, 1)
    }

    // Conditions.

    fn cond(&mut self, node: CondNode) -> Cond {
        self.conds.id(node)
    }

    pub fn cond_node(&self, cond: Cond) -> &CondNode {
        self.conds.get(cond).unwrap_or(&CondNode::Unknown)
    }

    pub fn known(value: bool) -> Cond {
        if value { TRUE } else { FALSE }
    }

    /// Whether a polynomial with its constant is below zero.
    pub fn below(&mut self, (sym, constant): (Sym, i64)) -> Cond {
        if sym == 0 {
            return Self::known(constant < 0);
        }
        if constant >= 0 && self.is_natural(sym) {
            return FALSE;
        }
        self.cond(CondNode::All(vec![Atom::Below(sym, constant)]))
    }

    /// An atom as a condition.
    pub fn all_of(&mut self, atom: Atom) -> Cond {
        self.cond(CondNode::All(vec![atom]))
    }

    pub fn launch(&mut self, value: Value) -> Cond {
        self.cond(CondNode::All(vec![Atom::Launch(value, true)]))
    }

    pub fn opposite(&mut self, atom: Atom) -> Option<Atom> {
        Some(match atom {
            Atom::Below(sym, constant) => {
                Atom::Below(self.scale(sym, -1)?, constant.checked_neg()?.checked_sub(1)?)
            }
            Atom::Launch(value, holds) => Atom::Launch(value, !holds),
        })
    }

    pub fn not(&mut self, cond: Cond) -> Cond {
        match cond {
            TRUE => return FALSE,
            FALSE => return TRUE,
            _ => {}
        }
        let (atoms, all) = match self.cond_node(cond).clone() {
            CondNode::All(atoms) => (atoms, true),
            CondNode::Any(atoms) => (atoms, false),
            CondNode::Unknown => return UNKNOWN,
        };
        let mut opposite = Vec::with_capacity(atoms.len());
        for atom in atoms {
            match self.opposite(atom) {
                Some(atom) => opposite.push(atom),
                None => return UNKNOWN,
            }
        }
        self.made(opposite, !all)
    }

    fn made(&mut self, mut atoms: Vec<Atom>, all: bool) -> Cond {
        atoms.sort_unstable();
        atoms.dedup();
        // One atom is both.
        if all || atoms.len() == 1 {
            self.cond(CondNode::All(atoms))
        } else {
            self.cond(CondNode::Any(atoms))
        }
    }

    pub fn and(&mut self, a: Cond, b: Cond) -> Cond {
        match (a, b) {
            (TRUE, other) | (other, TRUE) => other,
            (FALSE, _) | (_, FALSE) => FALSE,
            (a, b) if a == b => a,
            _ => match (self.cond_node(a), self.cond_node(b)) {
                (CondNode::All(a), CondNode::All(b)) if a.len() + b.len() <= 16 => {
                    let atoms = a.iter().chain(b).copied().collect();
                    self.made(atoms, true)
                }
                _ => UNKNOWN,
            },
        }
    }

    pub fn or(&mut self, a: Cond, b: Cond) -> Cond {
        let (a, b) = (self.not(a), self.not(b));
        let neither = self.and(a, b);
        self.not(neither)
    }

    /// Whether a condition holds where these do.
    pub fn decided(&mut self, cond: Cond, path: &[Cond]) -> Option<bool> {
        match cond {
            TRUE => return Some(true),
            FALSE => return Some(false),
            UNKNOWN => return None,
            _ => {}
        }
        if path.is_empty() {
            return None;
        }
        let opposite = self.not(cond);
        if path.contains(&cond) {
            return Some(true);
        }
        if path.contains(&opposite) {
            return Some(false);
        }
        let atoms_of = |own: &Self, cond: Cond| match own.cond_node(cond) {
            CondNode::All(atoms) => atoms.clone(),
            _ => Vec::new(),
        };
        let known: Vec<Atom> = path.iter().flat_map(|cond| atoms_of(self, *cond)).collect();
        match (self.cond_node(cond).clone(), self.cond_node(opposite).clone()) {
            (CondNode::All(atoms), opposite) => {
                if atoms.iter().all(|atom| follows(*atom, &known)) {
                    return Some(true);
                }
                let opposite = match opposite {
                    CondNode::All(atoms) | CondNode::Any(atoms) => atoms,
                    CondNode::Unknown => return None,
                };
                opposite.iter().any(|atom| follows(*atom, &known)).then_some(false)
            }
            (CondNode::Any(atoms), opposite) => {
                if atoms.iter().any(|atom| follows(*atom, &known)) {
                    return Some(true);
                }
                let CondNode::All(opposite) = opposite else { return None };
                opposite.iter().all(|atom| follows(*atom, &known)).then_some(false)
            }
            (CondNode::Unknown, _) => None,
        }
    }

    // Numbers.

    pub fn num(&mut self, node: NumNode) -> Num {
        self.nums.id(node)
    }

    pub fn num_node(&self, num: Num) -> NumNode {
        self.nums.get(num).copied().unwrap_or(NumNode::Carried(u32::MAX))
    }

    pub fn constant(&mut self, value: f64) -> Num {
        self.num(NumNode::Constant(value.to_bits()))
    }

    pub fn fragment(&mut self, elements: Vec<Num>) -> Val {
        Val::Fragment(self.fragments.id(elements))
    }

    /// A value as a number: zero bits are zero.
    pub fn as_num(&self, val: Val) -> Option<Num> {
        match val {
            Val::Number(num) => Some(num),
            Val::Integer(0, 0) => Some(ZERO),
            _ => None,
        }
    }

    /// One value or the other.
    pub fn choose(&mut self, cond: Cond, yes: Val, no: Val) -> Val {
        if yes == no {
            return yes;
        }
        // Of a condition and its opposite the one that is a conjunction, or the smaller, is written.
        let opposite = self.not(cond);
        let turned = match (self.cond_node(cond), self.cond_node(opposite)) {
            (CondNode::Any(_), CondNode::All(_)) => true,
            (CondNode::All(a), CondNode::All(b)) => b < a,
            _ => false,
        };
        let (cond, opposite, yes, no) =
            if turned { (opposite, cond, no, yes) } else { (cond, opposite, yes, no) };
        let (yes, no) = (self.stripped(yes, &[cond]), self.stripped(no, &[opposite]));
        match (cond, yes, no) {
            (TRUE, yes, _) => yes,
            (FALSE, _, no) => no,
            (_, yes, no) if yes == no => yes,
            (_, Val::Truth(yes), Val::Truth(no)) => Val::Truth(match (yes, no) {
                (yes, FALSE) => self.and(cond, yes),
                (TRUE, no) => self.or(cond, no),
                (FALSE, no) => self.and(opposite, no),
                (yes, TRUE) => self.or(opposite, yes),
                _ => UNKNOWN,
            }),
            (_, Val::Fragment(a), Val::Fragment(b)) => {
                let (Some(a), Some(b)) = (self.fragments.get(a), self.fragments.get(b)) else {
                    return Val::Unknown;
                };
                if a.len() != b.len() {
                    return Val::Unknown;
                }
                let pairs: Vec<(Num, Num)> = a.iter().copied().zip(b.iter().copied()).collect();
                let chosen: Vec<Num> = pairs
                    .into_iter()
                    .map(|(a, b)| if a == b { a } else { self.num(NumNode::Choice(cond, a, b)) })
                    .collect();
                self.fragment(chosen)
            }
            (_, yes, no) => match (self.as_num(yes), self.as_num(no)) {
                (Some(a), Some(b)) => Val::Number(self.num(NumNode::Choice(cond, a, b))),
                _ => Val::Choice(self.choices.id((cond, yes, no))),
            },
        }
    }

    /// A value where these conditions hold.
    pub fn stripped(&mut self, mut val: Val, path: &[Cond]) -> Val {
        if path.is_empty() {
            return val;
        }
        for _ in 0..64 {
            let (cond, yes, no) = match val {
                Val::Choice(id) => match self.choices.get(id) {
                    Some(choice) => *choice,
                    None => return val,
                },
                Val::Number(num) => match self.num_node(num) {
                    NumNode::Choice(cond, yes, no) => (cond, Val::Number(yes), Val::Number(no)),
                    _ => return val,
                },
                _ => return val,
            };
            val = match self.decided(cond, path) {
                Some(true) => yes,
                Some(false) => no,
                None => return val,
            };
        }
        val
    }

    /// A value where these conditions hold, with all that it is chosen from.
    pub fn simplified(&mut self, val: Val, path: &[Cond], depth: u32) -> Val {
        let val = self.stripped(val, path);
        let (cond, yes, no) = match val {
            Val::Number(num) => match self.num_node(num) {
                NumNode::Choice(cond, yes, no) => (cond, Val::Number(yes), Val::Number(no)),
                _ => return val,
            },
            _ => return val,
        };
        if depth > 8 {
            return val;
        }
        let yes = self.simplified(yes, path, depth + 1);
        let no = self.simplified(no, path, depth + 1);
        self.choose(cond, yes, no)
    }
}

/// Whether an atom holds where these do.
pub(in super::super) fn follows(atom: Atom, known: &[Atom]) -> bool {
    known.iter().any(|other| match (atom, *other) {
        (Atom::Below(a, small), Atom::Below(b, large)) => a == b && small <= large,
        (a, b) => a == b,
    })
}
