//! Arithmetic of index polynomials, which the analysis only hands out.

use std::collections::BTreeMap;

use port_ir::Builtin;
use port_ir::analysis::affine::{Monomial, Polynomial, Symbol};

/// A sum of products of symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Poly(pub(super) BTreeMap<Monomial, i128>);

impl Poly {
    pub(super) fn of(polynomial: &Polynomial) -> Self {
        Poly(polynomial.terms().map(|(factors, count)| (factors.to_vec(), count)).collect())
    }

    pub(super) fn symbol(symbol: Symbol) -> Self {
        Poly(BTreeMap::from([(vec![symbol], 1)]))
    }

    pub(super) fn number(value: i128) -> Self {
        Poly(if value == 0 { BTreeMap::new() } else { BTreeMap::from([(Vec::new(), value)]) })
    }

    /// Divided by a number, if it divides all of it.
    pub(super) fn divided(&self, by: i128) -> Option<Poly> {
        let mut result = Poly::default();
        for (factors, count) in &self.0 {
            if by == 0 || count % by != 0 {
                return None;
            }
            result.0.insert(factors.clone(), count / by);
        }
        Some(result)
    }

    fn add_term(&mut self, factors: Monomial, count: i128) -> Option<()> {
        let sum = self.0.get(&factors).copied().unwrap_or(0).checked_add(count)?;
        if sum == 0 {
            self.0.remove(&factors);
        } else {
            self.0.insert(factors, sum);
        }
        Some(())
    }

    pub(super) fn minus(&self, other: &Poly) -> Option<Poly> {
        let mut result = self.clone();
        for (factors, count) in &other.0 {
            result.add_term(factors.clone(), count.checked_neg()?)?;
        }
        Some(result)
    }

    pub(super) fn times(&self, other: &Poly) -> Option<Poly> {
        let mut result = Poly::default();
        for (left, a) in &self.0 {
            for (right, b) in &other.0 {
                let mut factors = left.clone();
                factors.extend(right);
                factors.sort_unstable();
                result.add_term(factors, a.checked_mul(*b)?)?;
            }
        }
        Some(result)
    }

    /// What a symbol is multiplied by; `None` if it is multiplied by itself.
    pub(super) fn factor_of(&self, symbol: Symbol) -> Option<Poly> {
        let mut result = Poly::default();
        for (factors, count) in &self.0 {
            match factors.iter().filter(|factor| **factor == symbol).count() {
                0 => {}
                1 => {
                    let rest: Monomial =
                        factors.iter().filter(|factor| **factor != symbol).copied().collect();
                    result.add_term(rest, *count)?;
                }
                _ => return None,
            }
        }
        Some(result)
    }

    /// Symbols replaced by others, all at once.
    pub(super) fn renamed(&self, names: &BTreeMap<Symbol, Symbol>) -> Option<Poly> {
        let mut result = Poly::default();
        for (factors, count) in &self.0 {
            let mut factors: Monomial = factors
                .iter()
                .map(|symbol| names.get(symbol).copied().unwrap_or(*symbol))
                .collect();
            factors.sort_unstable();
            result.add_term(factors, *count)?;
        }
        Some(result)
    }

    pub(super) fn symbols(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.0.keys().flatten().copied()
    }

    /// Whether it is the same for all threads and passes.
    pub(super) fn is_fixed(&self) -> bool {
        self.symbols().all(|symbol| {
            matches!(
                symbol,
                Symbol::Value(_) | Symbol::Builtin(Builtin::BlockDim(_) | Builtin::GridDim(_))
            )
        })
    }

    /// Its value, if it is a number.
    pub(super) fn constant(&self) -> Option<i128> {
        match self.0.len() {
            0 => Some(0),
            1 => self.0.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    /// How often it is in another, by its first term.
    pub(super) fn count_in(&self, other: &Poly) -> Option<i128> {
        let (factors, own) = self.0.iter().next_back()?;
        let count = other.0.get(factors).copied().unwrap_or(0);
        count.checked_div(*own)
    }

    pub(super) fn is_one(&self) -> bool {
        self.0.len() == 1 && self.0.get(&Vec::new()) == Some(&1)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}
