//! Interned spellings. A [`Symbol`] is a copyable handle to one spelling: equal spellings are the
//! same symbol, and comparing, hashing and reading one touches no lock.
//!
//! The table is shared by the process and only grows (by distinct spellings, not by tokens), which
//! is what lets a symbol be read anywhere without a context. It knows nothing of what a spelling
//! means, except that the words of [`Keyword`] are recognised once, when they are interned.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::keyword::Keyword;

/// An interned spelling.
///
/// Ordering is that of the text, so sorted output does not depend on what was interned first.
#[derive(Clone, Copy)]
pub struct Symbol(&'static Entry);

struct Entry {
    text: &'static str,
    keyword: Option<Keyword>,
    upper_case: bool,
    /// Position in the table: a ready hash.
    index: u32,
}

impl Symbol {
    /// The symbol of a spelling.
    pub fn new(text: &str) -> Self {
        Interner::lock().intern(text)
    }

    /// The spelling.
    pub fn as_str(self) -> &'static str {
        self.0.text
    }

    /// The keyword that the spelling is, if it is one.
    pub fn keyword(self) -> Option<Keyword> {
        self.0.keyword
    }

    /// Whether it is spelled as macros are: capitals, digits and underscores, at least two of them
    /// and the first no digit.
    pub fn is_upper_case(self) -> bool {
        self.0.upper_case
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Symbol {}

impl PartialEq<str> for Symbol {
    fn eq(&self, other: &str) -> bool {
        self.0.text == other
    }
}

impl PartialEq<&str> for Symbol {
    fn eq(&self, other: &&str) -> bool {
        self.0.text == *other
    }
}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.text.cmp(other.0.text)
    }
}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.0.index);
    }
}

impl AsRef<str> for Symbol {
    fn as_ref(&self) -> &str {
        self.0.text
    }
}

impl From<&str> for Symbol {
    fn from(text: &str) -> Self {
        Symbol::new(text)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.text, f)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.text)
    }
}

/// A map keyed by symbols (or other small integers that are well spread already). Its iteration
/// order depends on what the process interned before: never iterate one into output.
pub type SymbolMap<V> = HashMap<Symbol, V, BuildHasherDefault<MixHasher>>;

/// A fast hash for trusted, short keys: multiply and rotate.
#[derive(Clone, Copy, Default)]
pub struct MixHasher(u64);

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 / golden ratio, odd

impl MixHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    }
}

impl Hasher for MixHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.add(chunk.try_into().map_or(0, u64::from_le_bytes));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.add(u64::from_le_bytes(word) ^ ((rest.len() as u64) << 56));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.add(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.add(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.add(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// The table. Held locked while a whole file is lexed, so that a token costs no lock of its own.
pub(crate) struct Interner {
    entries: HashMap<&'static str, Symbol, BuildHasherDefault<MixHasher>>,
}

impl Interner {
    /// Waits for the table. Do not call [`Symbol::new`] while the guard lives.
    pub(crate) fn lock() -> MutexGuard<'static, Interner> {
        static TABLE: LazyLock<Mutex<Interner>> = LazyLock::new(|| Mutex::new(Interner::new()));
        // An insertion is one step: a thread that died holding the lock left the table whole.
        TABLE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new() -> Self {
        let mut interner = Interner { entries: HashMap::default() };
        for keyword in Keyword::ALL {
            interner.insert(keyword.as_str(), Some(*keyword));
        }
        interner
    }

    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        match self.entries.get(text) {
            Some(symbol) => *symbol,
            None => self.insert(text, None),
        }
    }

    fn insert(&mut self, text: &str, keyword: Option<Keyword>) -> Symbol {
        let text: &'static str = Box::leak(text.into());
        let index = self.entries.len() as u32;
        let upper_case = text.len() > 1
            && text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && text.bytes().any(|b| b.is_ascii_uppercase());
        let symbol = Symbol(Box::leak(Box::new(Entry { text, keyword, upper_case, index })));
        self.entries.insert(text, symbol);
        symbol
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_spellings_are_one_symbol() {
        assert_eq!(Symbol::new("threadIdx"), Symbol::new("threadIdx"));
        assert_ne!(Symbol::new("threadIdx"), Symbol::new("threadIdy"));
        assert_eq!(Symbol::new("warp").as_str(), "warp");
    }

    #[test]
    fn symbols_sort_by_text_whatever_came_first() {
        let (z, a) = (Symbol::new("sort_z"), Symbol::new("sort_a"));
        assert!(a < z);
    }

    #[test]
    fn keywords_are_known() {
        assert_eq!(Symbol::new("__global__").keyword(), Some(Keyword::Global));
        assert_eq!(Symbol::new("global").keyword(), None);
    }
}
