//! What makes values cheap to compare and to keep: short lists without memory of their own, sets of
//! threads by number.

use std::hash::{Hash, Hasher};
use std::ops::Deref;

use rustc_hash::FxHashMap;

use crate::interned::Table;

/// Longer lists have memory of their own.
const FEW: usize = 3;

/// A list that is short as a rule.
#[derive(Clone, Debug)]
pub(super) enum Few<T> {
    Here(u8, [T; FEW]),
    There(Box<[T]>),
}

impl<T: Copy + Default> From<&[T]> for Few<T> {
    fn from(items: &[T]) -> Self {
        if items.len() > FEW {
            return Few::There(items.into());
        }
        let mut here = [T::default(); FEW];
        here.iter_mut().zip(items).for_each(|(to, item)| *to = *item);
        Few::Here(items.len() as u8, here)
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Few::Here(length, items) => items.get(..usize::from(*length)).unwrap_or(items),
            Few::There(items) => items,
        }
    }
}

impl<T> AsRef<[T]> for Few<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<'f, T> IntoIterator for &'f Few<T> {
    type Item = &'f T;
    type IntoIter = std::slice::Iter<'f, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T: Hash> Hash for Few<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// A set of threads, by number.
pub(super) type Set = u32;

/// Sets of threads: bits, as many words for each.
pub(super) struct Sets {
    words: usize,
    bits: Vec<u64>,
    table: Table,
    unions: FxHashMap<(Set, Set), Set>,
}

impl Sets {
    /// All threads.
    pub const ALL: Set = 0;
    /// No thread.
    pub const NONE: Set = 1;

    /// Of so many threads.
    pub fn new(threads: usize) -> Self {
        let words = threads.div_ceil(64).max(1);
        let unions = FxHashMap::default();
        let mut sets = Sets { words, bits: Vec::new(), table: Table::default(), unions };
        let mut all = vec![u64::MAX; words];
        if let Some(last) = all.last_mut().filter(|_| !threads.is_multiple_of(64)) {
            *last = (1 << (threads % 64)) - 1;
        }
        sets.of(&all);
        sets.of(&vec![0; words]);
        sets
    }

    /// Words of a set.
    pub fn words(&self) -> usize {
        self.words
    }

    pub fn bits(&self, set: Set) -> &[u64] {
        let start = set as usize * self.words;
        &self.bits[start..start + self.words]
    }

    pub fn of(&mut self, bits: &[u64]) -> Set {
        // Words differ in their uppermost bits alone, which products of words do not spread.
        let hash = bits.iter().fold(0u64, |hash, word| {
            let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed ^ mixed >> 32
        });
        let hash = hash as u32;
        let (words, all) = (self.words, &self.bits);
        let is = |set: Set| all[set as usize * words..].starts_with(bits);
        if let Some(set) = self.table.find(hash, is) {
            return set;
        }
        self.bits.extend(bits.iter().copied().chain(std::iter::repeat(0)).take(words));
        self.table.push(hash)
    }

    pub fn union(&mut self, a: Set, b: Set) -> Set {
        match (a, b) {
            (a, b) if a == b || b == Self::NONE => return a,
            (Self::NONE, b) => return b,
            _ => {}
        }
        let key = (a.min(b), a.max(b));
        if let Some(known) = self.unions.get(&key) {
            return *known;
        }
        let bits: Vec<u64> = self.bits(a).iter().zip(self.bits(b)).map(|(a, b)| a | b).collect();
        let union = self.of(&bits);
        self.unions.insert(key, union);
        union
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_equal_where_their_items_are() {
        for length in 0..8 {
            let items: Vec<u32> = (0..length).collect();
            let few = Few::from(&items[..]);
            assert_eq!(*few, items[..]);
            assert_eq!(Table::hash_of(&few), Table::hash_of(&items));
            assert_ne!(few, Few::from(&[7u32, 7, 7, 7][..]));
        }
    }

    #[test]
    fn sets_have_one_number_each() {
        let mut sets = Sets::new(130);
        assert_eq!(sets.bits(Sets::ALL), [u64::MAX, u64::MAX, 3]);
        let numbers: Vec<Set> = (0..1000u64).map(|n| sets.of(&[n, n % 7, 1])).collect();
        for (n, number) in numbers.iter().enumerate() {
            assert_eq!(*number, n as Set + 2);
            assert_eq!(sets.bits(*number), [n as u64, n as u64 % 7, 1]);
            assert_eq!(sets.of(&[n as u64, n as u64 % 7, 1]), *number);
            assert_eq!(sets.union(*number, Sets::NONE), *number);
        }
        let union = sets.union(numbers[3], numbers[12]);
        assert_eq!(sets.bits(union), [15, 7, 1]);
        assert_eq!(sets.union(numbers[12], numbers[3]), union);
    }
}
