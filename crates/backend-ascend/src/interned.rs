//! Values that are the same where their numbers are.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

/// Finds numbers by the hashes of what they stand for, which lies elsewhere, once.
#[derive(Default)]
pub(crate) struct Table {
    /// One more than the number; 0 is free.
    slots: Vec<u32>,
    /// Of each number.
    hashes: Vec<u32>,
}

impl Table {
    pub fn hash_of(value: &impl Hash) -> u32 {
        let mut hasher = FxHasher::default();
        value.hash(&mut hasher);
        let hash = hasher.finish();
        (hash ^ hash >> 32) as u32
    }

    /// The number of what has this hash and `is` it.
    pub fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        let last = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & last;
        // A quarter of the slots is free.
        loop {
            let number = self.slots[at].checked_sub(1)?;
            if self.hashes[number as usize] == hash && is(number) {
                return Some(number);
            }
            at = (at + 1) & last;
        }
    }

    /// The next number, for what has this hash.
    pub fn push(&mut self, hash: u32) -> u32 {
        if (self.hashes.len() + 1) * 4 > self.slots.len() * 3 {
            let slots = (self.slots.len() * 2).max(64);
            self.slots.clear();
            self.slots.resize(slots, 0);
            for number in 0..self.hashes.len() {
                self.place(number as u32);
            }
        }
        let number = self.hashes.len() as u32;
        self.hashes.push(hash);
        self.place(number);
        number
    }

    fn place(&mut self, number: u32) {
        let last = self.slots.len() - 1;
        let mut at = self.hashes[number as usize] as usize & last;
        while self.slots[at] != 0 {
            at = (at + 1) & last;
        }
        self.slots[at] = number + 1;
    }
}

/// Values by number, each once.
pub(crate) struct Interned<T> {
    values: Vec<T>,
    table: Table,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { values: Vec::new(), table: Table::default() }
    }
}

impl<T: Eq + Hash> Interned<T> {
    pub fn id(&mut self, value: T) -> u32 {
        let hash = Table::hash_of(&value);
        let values = &self.values;
        if let Some(known) = self.table.find(hash, |id| values[id as usize] == value) {
            return known;
        }
        self.values.push(value);
        self.table.push(hash)
    }

    pub fn get(&self, id: u32) -> Option<&T> {
        self.values.get(id as usize)
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number() {
        let mut values = Interned::default();
        let numbers: Vec<u32> = (0..5000u64).map(|n| values.id((n % 1000) << 54)).collect();
        for (n, number) in numbers.iter().enumerate() {
            assert_eq!(*number, n as u32 % 1000);
            assert_eq!(values.get(*number), Some(&((n as u64 % 1000) << 54)));
        }
        assert_eq!(values.len(), 1000);
    }
}
