//! Lookup of a row by name: a hash table over the sorted rows, built once on first use.
//!
//! Front ends ask for every identifier of a text, and most are no API names: a miss must not touch
//! the rows. The table keeps a part of the hash beside each position, so that a miss reads one slot.

use std::sync::LazyLock;

use crate::row::Row;

/// A table of positions in a slice of rows, by name.
struct Table {
    /// `fingerprint << 32 | position + 1`; zero is empty. A power of two of them, at most half full.
    slots: Vec<u64>,
}

impl Table {
    fn of(rows: &[&Row]) -> Table {
        let mut slots = vec![0; (rows.len() * 2).next_power_of_two().max(2)];
        let mask = slots.len() - 1;
        for (position, row) in rows.iter().enumerate() {
            let hash = hash(row.name);
            let mut at = hash as usize & mask;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = (hash >> 32 << 32) | (position as u64 + 1);
        }
        Table { slots }
    }

    fn find(&self, rows: &[&'static Row], name: &str) -> Option<&'static Row> {
        let mask = self.slots.len() - 1;
        let hash = hash(name);
        let mut at = hash as usize & mask;
        // The table is half empty, so this ends.
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return None;
            }
            if slot >> 32 == hash >> 32 {
                let position = (slot as u32 - 1) as usize;
                if let Some(row) = rows.get(position).filter(|row| row.name == name) {
                    return Some(row);
                }
            }
            at = (at + 1) & mask;
        }
    }
}

/// The row of a name among the generated ones.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    static TABLE: LazyLock<Table> = LazyLock::new(|| Table::of(crate::generated::index::ROWS));
    TABLE.find(crate::generated::index::ROWS, name)
}

/// Eight bytes at a time, each mixed in by a multiplication; the last step spreads the result over
/// the low bits too. Not for hostile input: the set of keys is fixed.
fn hash(name: &str) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = name.len() as u64;
    for chunk in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = (state.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
    }
    state ^ (state >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_full_slots_are_short() {
        let table = Table::of(crate::generated::index::ROWS);
        let mut longest = 0;
        let mut run = 0;
        for slot in &table.slots {
            run = if *slot == 0 { 0 } else { run + 1 };
            longest = longest.max(run);
        }
        assert!(longest < 64, "a run of {longest} slots");
    }

    #[test]
    fn an_empty_table_finds_nothing() {
        let table = Table::of(&[]);
        assert!(table.find(&[], "").is_none() && table.find(&[], "x").is_none());
    }
}
