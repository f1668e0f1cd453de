//! The memory that launches share: buffers by name, and the module's variables.
//!
//! An address is 64 bits: the number of an object above [`WINDOW_BITS`], and below it a place in the
//! object, counted from the middle of the window so that arithmetic that leaves the object on either
//! side does not reach another. Zero is the null pointer; object 0 is never used.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use port_ir::Scalar;

use crate::check::screen::Spare;
use crate::check::written::Written;
use crate::machine::twin::Kind;
use crate::machine::twin::memory::Tables;

/// Bits of an address that count bytes in the window of an object.
pub const WINDOW_BITS: u32 = 36;

/// Where an object's first byte lies in its window.
pub const WINDOW_ORIGIN: u64 = 1 << (WINDOW_BITS - 1);

/// The number of the first object that is a buffer; smaller ones belong to the running program.
pub(crate) const FIRST_BUFFER: u64 = 1 << 14;

/// A buffer of a [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub(crate) u32);

/// Bytes that begin with a line of the cache, if they are many: then no chunk of neighbours is read as two
/// halves.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    bytes: Vec<u8>,
    /// Bytes before the first.
    skip: usize,
}

impl Aligned {
    /// A line of the cache.
    const LINE: usize = 64;
    /// Fewer bytes, or more, stay where they are.
    const MANY: std::ops::Range<usize> = 1 << 10..1 << 26;

    pub(crate) fn zeros(size: usize) -> Self {
        let mut bytes = vec![0; size.saturating_add(Self::LINE)];
        let skip = bytes.as_ptr().align_offset(Self::LINE).min(Self::LINE);
        bytes.truncate(skip + size);
        Aligned { bytes, skip }
    }

    fn resize(&mut self, size: usize) {
        self.bytes.resize(self.skip + size, 0);
    }
}

impl From<Vec<u8>> for Aligned {
    fn from(bytes: Vec<u8>) -> Self {
        if !Self::MANY.contains(&bytes.len()) || bytes.as_ptr().align_offset(Self::LINE) == 0 {
            return Aligned { bytes, skip: 0 };
        }
        let mut aligned = Aligned::zeros(bytes.len());
        aligned.copy_from_slice(&bytes);
        aligned
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        self.to_vec().into()
    }
}

impl Deref for Aligned {
    type Target = [u8];
    #[inline(always)]
    fn deref(&self) -> &[u8] {
        &self.bytes[self.skip..]
    }
}

impl DerefMut for Aligned {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.skip..]
    }
}

/// The bytes of a buffer: its own, or ones that several threads of the host read, until one writes
/// and has its own from then on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bytes {
    own: Aligned,
    lent: Option<Arc<Aligned>>,
    pages: Option<Pages>,
}

/// What a copy that is made page by page is of, and a bit for each page that it has.
#[derive(Clone, Debug)]
struct Pages {
    base: Arc<Aligned>,
    present: Vec<u64>,
    /// A bit for each page that the system has given.
    given: Vec<u64>,
}

/// Bytes that are copied at once.
const PAGE: usize = 1 << 12;

/// Copies a page but for the bytes that were written: each bit stands for so many, as a power of two.
#[cold]
fn copy_unwritten(to: &mut [u8], from: &[u8], written: &[u64], shift: u32) {
    if written.iter().all(|word| *word == 0) {
        return to.copy_from_slice(from);
    }
    let words = written.iter().copied().chain(std::iter::repeat(0));
    for ((to, from), word) in to.chunks_mut(64 << shift).zip(from.chunks(64 << shift)).zip(words) {
        match word {
            0 => to.copy_from_slice(from),
            u64::MAX => {}
            word => {
                let bytes = to.iter_mut().zip(from).enumerate();
                let unwritten = bytes.filter(|(byte, _)| word >> (byte >> shift) & 1 == 0);
                unwritten.for_each(|(_, (to, from))| *to = *from);
            }
        }
    }
}

impl Bytes {
    /// Makes them such that a clone costs nothing.
    fn lend(&mut self) {
        if self.lent.is_none() {
            self.lent = Some(Arc::new(std::mem::take(&mut self.own)));
        }
    }

    /// Makes them its own again: without a copy, if nobody else has them any more.
    #[cold]
    pub(crate) fn reclaim(&mut self) {
        if let Some(lent) = self.lent.take() {
            self.own = Arc::try_unwrap(lent).unwrap_or_else(|lent| (*lent).clone());
        }
    }

    /// Instead of what is lent, a copy of it that is made page by page: whoever reads it asks for the
    /// bytes first.
    pub(crate) fn copy_by_pages(&mut self, stash: &mut Stash) {
        if let Some(base) = self.lent.take() {
            let words = base.len().div_ceil(PAGE * 64);
            let given;
            // What it holds does not matter.
            (self.own, given) = match stash.bytes(base.len()) {
                Some(bytes) => (bytes, u64::MAX),
                // The system gives zeros where they are first touched.
                None => (Aligned::zeros(base.len()), 0),
            };
            let (present, given) = (vec![0; words], vec![given; words]);
            self.pages = Some(Pages { base, present, given });
        }
    }

    /// Has the system give the pages that are to be written: one that is read first, as a store of some
    /// lanes does, is given twice, and the second time all processors have to know.
    #[inline(always)]
    pub(crate) fn touch(&mut self, start: usize, end: usize) {
        let Some(pages) = &mut self.pages else { return };
        for page in start / PAGE..end.min(self.own.len()).div_ceil(PAGE) {
            if let Some(word) = pages.given.get_mut(page / 64)
                && *word >> (page % 64) & 1 == 0
            {
                *word |= 1 << (page % 64);
                // The system's pages may begin elsewhere.
                let last = ((page + 1) * PAGE).min(self.own.len()) - 1;
                self.own[page * PAGE] = 0;
                self.own[last] = 0;
            }
        }
    }

    /// Copies what is not there yet of some bytes, but those that were written meanwhile: words of bits,
    /// each for so many bytes of the buffer, as a power of two. Who only writes needs no copy.
    #[inline(always)]
    pub(crate) fn fetch(&mut self, start: usize, end: usize, (written, shift): (&[u64], u32)) {
        let Some(pages) = &mut self.pages else { return };
        for page in start / PAGE..end.min(self.own.len()).div_ceil(PAGE) {
            let Some(word) = pages.present.get_mut(page / 64) else { return };
            if *word >> (page % 64) & 1 == 0 {
                *word |= 1 << (page % 64);
                if let Some(given) = pages.given.get_mut(page / 64) {
                    *given |= 1 << (page % 64);
                }
                let range = page * PAGE..((page + 1) * PAGE).min(self.own.len());
                if let (Some(to), Some(from)) =
                    (self.own.get_mut(range.clone()), pages.base.get(range))
                {
                    let words = (page * (PAGE / 64)) >> shift..((page + 1) * (PAGE / 64)) >> shift;
                    let last = words.end.min(written.len());
                    let written = written.get(words.start..last).unwrap_or_default();
                    copy_unwritten(to, from, written, shift);
                }
            }
        }
    }

    /// Exchanges what is its own for a copy of as many bytes.
    pub(crate) fn swap(&mut self, copy: &mut Aligned) {
        std::mem::swap(&mut self.own, copy);
    }

    /// What was made of a copy: only bytes that were asked for or written count.
    pub(crate) fn copied(self) -> Aligned {
        self.own
    }

    fn resize(&mut self, size: usize) {
        self.reclaim();
        self.own.resize(size);
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(own: Vec<u8>) -> Self {
        Bytes { own: own.into(), lent: None, pages: None }
    }
}

impl Deref for Bytes {
    type Target = [u8];
    #[inline(always)]
    fn deref(&self) -> &[u8] {
        match &self.lent {
            None => &self.own,
            Some(lent) => lent,
        }
    }
}

impl DerefMut for Bytes {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [u8] {
        if self.lent.is_some() {
            self.reclaim();
        }
        &mut self.own
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Buffer {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
    /// Which bytes were ever written; `None` if all were.
    pub(crate) written: Option<Written>,
}

/// Buffers that outlive launches: what the host allocated, and the module's global and constant
/// variables.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub(crate) buffers: Vec<Buffer>,
    symbols: BTreeMap<String, BufferId>,
    /// By buffer.
    pub(crate) twins: Vec<Tables>,
    /// Of launches that were looked at quickly.
    pub(crate) spare: Spare,
    /// Of the last launch on several threads of the host, one for each.
    pub(crate) stashes: Vec<Stash>,
}

/// Room for copies of buffers, and for notes about them, that the last launch had: pages that the system
/// gives anew cost more than blocks that write them.
#[derive(Debug, Default)]
pub(crate) struct Stash {
    bytes: Vec<Aligned>,
    words: Vec<Vec<u64>>,
}

/// A copy of a memory has room of its own.
impl Clone for Stash {
    fn clone(&self) -> Self {
        Stash::default()
    }
}

impl Stash {
    /// Room for so many bytes, whatever they are.
    fn bytes(&mut self, size: usize) -> Option<Aligned> {
        let at = self.bytes.iter().position(|bytes| bytes.len() == size)?;
        Some(self.bytes.swap_remove(at))
    }

    /// So many words, all zero.
    pub(crate) fn words(&mut self, count: usize) -> Vec<u64> {
        let at = self.words.iter().position(|words| words.len() == count);
        at.map_or_else(|| vec![0; count], |at| self.words.swap_remove(at))
    }

    pub(crate) fn keep_bytes(&mut self, bytes: Aligned) {
        if !bytes.is_empty() {
            self.bytes.push(bytes);
        }
    }

    /// The words are all zero.
    pub(crate) fn keep_words(&mut self, words: Vec<u64>) {
        if !words.is_empty() {
            self.words.push(words);
        }
    }

    /// Keeps what is left of another, as long as all bytes are not more than `most`.
    pub(crate) fn keep_rest(&mut self, other: Stash, most: usize) {
        let mut sum: usize = self.bytes.iter().map(|bytes| bytes.len()).sum();
        sum += self.words.iter().map(|words| 8 * words.len()).sum::<usize>();
        for bytes in other.bytes {
            sum += bytes.len();
            if sum > most {
                return;
            }
            self.bytes.push(bytes);
        }
        for words in other.words {
            sum += 8 * words.len();
            if sum > most {
                return;
            }
            self.words.push(words);
        }
    }
}

/// Twins are no part of what a memory holds: they may be kept or not.
impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        self.buffers == other.buffers && self.symbols == other.symbols
    }
}

impl Eq for Memory {}

impl Memory {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a buffer with its content. The name is for findings; it need not be unique.
    pub fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>) -> BufferId {
        self.buffers.push(Buffer { name: name.into(), bytes: bytes.into(), written: None });
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// Adds a buffer whose bytes nobody has written: zero, but a finding for
    /// [`Checks::initialised`](crate::Checks) if they are loaded.
    pub fn add_uninitialised(&mut self, name: impl Into<String>, size: usize) -> BufferId {
        let written = Some(Written::none(size));
        self.buffers.push(Buffer { name: name.into(), bytes: vec![0; size].into(), written });
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// The name that a buffer was added with; empty for an unknown one.
    pub fn name(&self, id: BufferId) -> &str {
        self.buffers.get(id.0 as usize).map_or("", |buffer| &buffer.name)
    }

    /// A buffer's content; empty for an unknown one.
    pub fn bytes(&self, id: BufferId) -> &[u8] {
        self.buffers.get(id.0 as usize).map_or(&[], |buffer| &buffer.bytes)
    }

    /// A buffer's content, to change it; empty for an unknown one. All of it counts as written.
    pub fn bytes_mut(&mut self, id: BufferId) -> &mut [u8] {
        self.buffers.get_mut(id.0 as usize).map_or(&mut [], |buffer| {
            buffer.written = None;
            &mut buffer.bytes
        })
    }

    /// What a buffer's floats of this type would be if nothing were rounded, each as a sum of two
    /// numbers, after runs of [`Program::twinned`](crate::Program::twinned). A float that no such
    /// program stored is itself. `None` for a type that has no twins.
    pub fn twins(&self, id: BufferId, scalar: Scalar) -> Option<Vec<(f64, f64)>> {
        let kind = Kind::of(scalar).filter(|_| scalar.is_float())?;
        let size = kind.size() as usize;
        let tables = self.twins.get(id.0 as usize);
        let elements = self.bytes(id).chunks_exact(size).enumerate();
        let twin = |(index, bytes): (usize, &[u8])| {
            let mut word = [0; 8];
            word[..size].copy_from_slice(bytes);
            let bits = u64::from_le_bytes(word);
            let twin = tables.and_then(|tables| tables.twin(size as u64, index, bits));
            let twin = twin.unwrap_or_else(|| kind.value(bits));
            (twin.hi, twin.lo)
        };
        Some(elements.map(twin).collect())
    }

    /// A copy that shares the bytes of every buffer until one of the two writes to it.
    pub(crate) fn lend(&mut self) -> Memory {
        for buffer in &mut self.buffers {
            buffer.bytes.lend();
        }
        self.clone()
    }

    /// No copy is left: all bytes are its own again.
    pub(crate) fn reclaim(&mut self) {
        for buffer in &mut self.buffers {
            buffer.bytes.reclaim();
        }
    }

    /// Makes a buffer larger.
    pub(crate) fn extend(&mut self, id: BufferId, size: u64) {
        if let Some(buffer) = self.buffers.get_mut(id.0 as usize)
            && (buffer.bytes.len() as u64) < size
        {
            buffer.bytes.resize(size as usize);
        }
    }

    /// A launch wrote without noting where.
    pub(crate) fn forget_unwritten(&mut self) {
        for buffer in &mut self.buffers {
            buffer.written = None;
        }
    }

    /// The address that a kernel sees for a byte of a buffer: for pointers that lie in structs or in
    /// other buffers.
    pub fn address(&self, id: BufferId, offset: u64) -> u64 {
        ((FIRST_BUFFER + u64::from(id.0)) << WINDOW_BITS)
            .wrapping_add(WINDOW_ORIGIN)
            .wrapping_add(offset)
    }

    /// The buffer and offset of an address, if it points into or just behind one.
    pub fn place(&self, address: u64) -> Option<(BufferId, u64)> {
        let index = (address >> WINDOW_BITS).checked_sub(FIRST_BUFFER)?;
        let buffer = self.buffers.get(usize::try_from(index).ok()?)?;
        let offset = (address & ((1 << WINDOW_BITS) - 1)).checked_sub(WINDOW_ORIGIN)?;
        (offset <= buffer.bytes.len() as u64).then_some((BufferId(index as u32), offset))
    }

    /// The buffer of a module's `__device__` or `__constant__` variable, once it was set or a
    /// program that uses it has run.
    pub fn symbol(&self, name: &str) -> Option<BufferId> {
        self.symbols.get(name).copied()
    }

    /// Sets a module's variable. A program that runs later finds it instead of the variable's
    /// initial value; missing bytes are zero.
    pub fn set_symbol(&mut self, name: impl Into<String>, bytes: Vec<u8>) -> BufferId {
        let name = name.into();
        if let Some(id) = self.symbol(&name) {
            if let Some(buffer) = self.buffers.get_mut(id.0 as usize) {
                buffer.bytes = bytes.into();
            }
            return id;
        }
        let id = self.add(name.clone(), bytes);
        self.symbols.insert(name, id);
        id
    }

    /// All symbols, by name.
    pub fn symbols(&self) -> impl Iterator<Item = (&str, BufferId)> {
        self.symbols.iter().map(|(name, id)| (name.as_str(), *id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_their_buffer_on_both_sides_of_it() {
        let mut memory = Memory::new();
        let first = memory.add("x", vec![0; 16]);
        let second = memory.add("y", vec![0; 16]);
        let address = memory.address(second, 4);
        assert_eq!(memory.place(address), Some((second, 4)));
        assert_eq!(memory.place(memory.address(first, 16)), Some((first, 16)));
        assert_eq!(memory.place(memory.address(first, 17)), None);
        let below = memory.address(second, 0).wrapping_sub(8);
        assert_eq!(memory.place(below), None);
        assert_eq!(below >> WINDOW_BITS, address >> WINDOW_BITS);
        assert_eq!(memory.address(first, 0) % 256, 0);
    }
}
