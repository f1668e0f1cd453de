//! Which bytes were written: a bit for each.

/// Bits of a range of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    words: Vec<u64>,
    length: usize,
}

impl Written {
    /// Nothing of so many bytes.
    pub(crate) fn none(length: usize) -> Self {
        Written { words: vec![0; length.div_ceil(64) + 2], length }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.words.fill(0);
    }

    /// The bits of up to 64 bytes.
    #[inline(always)]
    fn window(&self, start: usize) -> u64 {
        let (word, shift) = (start / 64, start % 64);
        let Some([low, high]) = self.words.get(word..word + 2) else { return u64::MAX };
        if shift == 0 { *low } else { low >> shift | high << (64 - shift) }
    }

    /// Whether all of some bytes were written.
    #[inline(always)]
    pub(crate) fn has(&self, start: usize, bytes: usize) -> bool {
        let mut at = 0;
        while at < bytes {
            let here = (bytes - at).min(64);
            let mask = u64::MAX >> (64 - here);
            if self.window(start + at) & mask != mask {
                return false;
            }
            at += 64;
        }
        true
    }

    /// Notes that some bytes were written, or that they are again as if nobody had.
    #[inline(always)]
    pub(crate) fn set(&mut self, start: usize, bytes: usize, value: bool) {
        let end = (start + bytes).min(self.length);
        let mut at = start;
        while at < end {
            let (word, shift) = (at / 64, at % 64);
            let here = (end - at).min(64 - shift);
            let mask = (u64::MAX >> (64 - here)) << shift;
            if let Some(word) = self.words.get_mut(word) {
                *word = if value { *word | mask } else { *word & !mask };
            }
            at += here;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cross_words() {
        let mut written = Written::none(300);
        written.set(60, 200, true);
        assert!(written.has(60, 200));
        assert!(!written.has(59, 2));
        assert!(!written.has(259, 2));
        written.set(128, 1, false);
        assert!(!written.has(60, 200));
        assert!(written.has(60, 68) && written.has(129, 131));
        written.set(290, 100, true);
        assert!(written.has(290, 10));
    }
}
