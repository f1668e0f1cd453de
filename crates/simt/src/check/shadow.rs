//! Who accessed what last: the memory of the race detector.
//!
//! An object's bytes are cut in granules (4 bytes; less where smaller values are accessed), and
//! those in lines of 16. Neighbouring lanes mostly access neighbouring places, so a line notes whole
//! patterns: which granules, by threads that count up with them. What has no such form is noted for
//! each granule in *cells*, which a page of lines gets when it first needs them.

use super::order::Segment;

/// Granules of a line.
pub(super) const LINE: usize = 16;

/// Lines of a page.
const PAGE: usize = 64;

/// The access is atomic.
pub(super) const ATOMIC: u8 = 1;
/// The access is volatile.
pub(super) const VOLATILE: u8 = 2;
/// Many threads read each granule, or write one value there: from `base + (g >> shift)` to
/// `other + (g >> shift)`.
const MANY: u8 = 4;
/// What of the flags says what an access is; the rest counts instructions.
const KIND: u8 = 7;

/// A pattern of accesses to a line: granule `g` of the mask by thread `base + (g >> shift)`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pattern {
    pub(super) segment: Segment,
    pub(super) site: u32,
    pub(super) mask: u16,
    pub(super) base: i16,
    pub(super) other: i16,
    pub(super) shift: u8,
    pub(super) flags: u8,
}

impl Pattern {
    /// All lanes between two threads access the granules of the mask.
    pub(super) fn many(mut self, base: i16, other: i16) -> Self {
        (self.base, self.other, self.shift) = (base, other, 4);
        self.flags |= MANY;
        self
    }

    /// Rows of threads read the granules: the first row and the last are given by the threads of
    /// the line's first granule.
    pub(super) fn rows(mut self, base: i16, other: i16) -> Self {
        (self.base, self.other, self.shift) = (base, other, 0);
        self.flags |= MANY;
        self
    }

    /// The pattern of one half of the line, in granules of half the size.
    fn half(mut self, half: usize) -> Self {
        self.mask = pairs(self.mask >> (8 * half) & 0xff);
        let by = ((8 * half) >> self.shift.min(15)) as i16;
        self.base += by;
        if self.flags & MANY != 0 {
            self.other += by;
        }
        self.shift += 1;
        self
    }

    #[inline(always)]
    fn thread(&self, granule: u32) -> u16 {
        (i32::from(self.base) + (granule >> self.shift) as i32) as u16
    }

    /// Of many threads, the last.
    #[inline(always)]
    fn last(&self, granule: u32) -> u16 {
        (i32::from(self.other) + (granule >> self.shift) as i32) as u16
    }

    /// Whether the same threads access the same granules, where masks agree.
    #[inline(always)]
    fn is_alike(&self, new: &Pattern) -> bool {
        self.base == new.base
            && self.shift == new.shift
            && (self.flags ^ new.flags) & KIND == 0
            && self.other == new.other
    }
}

/// What is noted of a line beside the last writes and reads: other threads' reads before them, and
/// another block's.
#[derive(Clone, Copy, Debug, Default)]
struct More {
    before: Pattern,
    foreign: Pattern,
    cells_written: Last,
    cells_read: Last,
}

/// When something was last noted in the cells of a line, by the block that did and by one before.
/// (What a block did before its barrier is past, what others did earlier may not be.)
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    own: Segment,
    foreign: Segment,
}

impl Last {
    #[inline(always)]
    fn is_past(&self, window: &Window) -> bool {
        window.is_past(self.own) && window.is_past(self.foreign)
    }

    #[inline(always)]
    fn note(&mut self, segment: Segment, window: &Window) {
        if window.is_foreign(self.own) {
            self.foreign = self.own;
        }
        if window.is_foreign(segment) {
            self.foreign = self.foreign.max(segment);
        } else {
            self.own = segment;
        }
    }
}

/// The same of a granule; each is a [`Cell`], or 0.
#[derive(Clone, Copy, Debug, Default)]
struct Cells {
    write: u64,
    read: u64,
    before: u64,
    foreign: u64,
}

/// One access: segment (32 bits), site (16), flags (6), thread (10).
fn cell(segment: Segment, site: u32, flags: u8, thread: u16) -> u64 {
    u64::from(segment) << 32
        | u64::from(site.min(0xffff)) << 16
        | u64::from((flags & 3) | (flags >> 4) << 2) << 10
        | u64::from(thread & 0x3ff)
}

fn segment_of(cell: u64) -> Segment {
    (cell >> 32) as u32
}

fn thread_of(cell: u64) -> u16 {
    (cell & 0x3ff) as u16
}

/// Lines. Most never have more than the last writes and reads.
#[derive(Clone)]
struct Page {
    writes: [Pattern; PAGE],
    reads: [Pattern; PAGE],
    more: Option<Box<[More; PAGE]>>,
    cells: Option<Box<[Cells; PAGE * LINE]>>,
}

/// Two accesses of which one writes, by threads that differ. What orders them is looked up later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clash {
    /// The granule, from the object's start.
    pub(super) granule: u64,
    pub(super) thread: u16,
    pub(super) earlier: u16,
    pub(super) segment: Segment,
    pub(super) site: u32,
    pub(super) flags: u8,
    pub(super) earlier_writes: bool,
}

/// Which segments lie before the last barrier.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Everything before is ordered.
    pub(super) first: Segment,
    /// The block's own accesses from here until `epoch` are ordered.
    pub(super) block: Segment,
    pub(super) epoch: Segment,
}

impl Window {
    #[inline(always)]
    fn is_past(&self, segment: Segment) -> bool {
        segment < self.first || segment.wrapping_sub(self.block) < self.epoch - self.block
    }

    #[inline(always)]
    fn is_foreign(&self, segment: Segment) -> bool {
        segment < self.block
    }
}

/// The shadow of an object.
pub(super) struct Shadow {
    /// Bytes of a granule, as a power of two.
    pub(super) granule: u32,
    size: u64,
    pages: Vec<Option<Box<Page>>>,
    /// Bytes that may still be taken; beyond, accesses are not noted.
    left: u64,
    /// Reads since the block's last barrier that are not noted yet: in most intervals between
    /// barriers nobody writes to what is read, and then nobody ever asks.
    late: Vec<Late>,
    /// The interval that those are of, and the last one in which something was written.
    read_in: Segment,
    written_in: Segment,
}

/// A read of neighbouring granules: first and count.
#[derive(Clone, Copy)]
struct Late {
    range: [u64; 2],
    pattern: Pattern,
}

/// How many reads wait to be noted.
const MOST_LATE: usize = 1 << 12;

impl Shadow {
    pub(super) fn new(size: u64, granule: u32, left: u64) -> Self {
        let lines = (size >> granule).div_ceil(LINE as u64) as usize + 1;
        Shadow {
            granule,
            size,
            pages: vec![None; lines.div_ceil(PAGE)],
            left,
            late: Vec::new(),
            read_in: 0,
            written_in: 0,
        }
    }

    /// Notes a read as [`Shadow::run`] does, of an object that each block has for itself, but not before
    /// somebody writes to it: what was read before the block's last barrier is past.
    #[inline(always)]
    pub(super) fn read_late(
        &mut self,
        range: [u64; 2],
        pattern: Pattern,
        window: &Window,
        out: &mut Vec<Clash>,
    ) {
        if self.written_in == window.epoch {
            return self.run(range, pattern, false, window, out);
        }
        if self.read_in != window.epoch {
            self.late.clear();
            self.read_in = window.epoch;
        }
        if self.late.len() >= MOST_LATE {
            self.catch_up(window, out);
        }
        self.late.push(Late { range, pattern });
    }

    /// Notes the reads that wait.
    #[cold]
    #[inline(never)]
    fn catch_up(&mut self, window: &Window, out: &mut Vec<Clash>) {
        let mut late = std::mem::take(&mut self.late);
        if self.read_in == window.epoch {
            for read in &late {
                self.run(read.range, read.pattern, false, window, out);
            }
        }
        late.clear();
        self.late = late;
    }

    /// Makes granules smaller.
    #[cold]
    pub(super) fn refine(&mut self, granule: u32, window: &Window) {
        self.catch_up(window, &mut Vec::new());
        let (read_in, written_in) = (self.read_in, self.written_in);
        while granule < self.granule {
            let fine = Shadow::new(self.size, self.granule - 1, self.left);
            let coarse = std::mem::replace(self, fine);
            for (number, page) in coarse.pages.into_iter().enumerate() {
                for l in 0..page.as_ref().map_or(0, |_| PAGE) {
                    if let Some(page) = &page {
                        self.halve(page, l, number * PAGE + l);
                    }
                }
            }
        }
        (self.read_in, self.written_in) = (read_in, written_in);
    }

    /// Notes what a line of twice the size knew.
    fn halve(&mut self, from: &Page, line: usize, number: usize) {
        for half in 0..2 {
            let number = 2 * number + half;
            let Some(page) = self.page(number) else { return };
            let l = number % PAGE;
            page.writes[l] = from.writes[line].half(half);
            page.reads[l] = from.reads[line].half(half);
            if let Some(more) = &from.more {
                let known = more[line];
                let more = page.more.get_or_insert_with(|| Box::new([More::default(); PAGE]));
                more[l] = More {
                    before: known.before.half(half),
                    foreign: known.foreign.half(half),
                    ..known
                };
            }
            if let Some(cells) = &from.cells {
                let target = page.cells.get_or_insert_with(none_of_cells);
                for granule in 0..LINE {
                    let known = line * LINE + half * LINE / 2 + granule / 2;
                    target[l * LINE + granule] = cells[known];
                }
            }
        }
    }

    #[inline(always)]
    fn page(&mut self, line: usize) -> Option<&mut Page> {
        let page = self.pages.get_mut(line / PAGE)?;
        if page.is_none() {
            // As if each page had cells.
            let cost = std::mem::size_of::<[Cells; PAGE * LINE]>() as u64;
            self.left = self.left.checked_sub(cost)?;
        }
        Some(page.get_or_insert_with(|| {
            let none = [Pattern::default(); PAGE];
            Box::new(Page { writes: none, reads: none, more: None, cells: None })
        }))
    }

    /// Notes an access to neighbouring granules. The pattern's threads are those of the first.
    #[inline(always)]
    pub(super) fn run(
        &mut self,
        [first, count]: [u64; 2],
        pattern: Pattern,
        writes: bool,
        window: &Window,
        out: &mut Vec<Clash>,
    ) {
        let (line, last) = (LINE as u64, first + count - 1);
        for number in first / line..=last / line {
            let start = number * line;
            let (from, to) = (first.max(start) - start, last.min(start + line - 1) - start);
            let mut new = pattern;
            new.mask = ((2u32 << to) - (1 << from)) as u16;
            if pattern.shift == 0 {
                let by = start.wrapping_sub(first) as i16;
                new.base = new.base.wrapping_add(by);
                if new.flags & MANY != 0 {
                    new.other = new.other.wrapping_add(by);
                }
            }
            if writes {
                self.write(number as usize, new, window, out);
            } else {
                self.read(number as usize, new, window, out);
            }
        }
    }

    /// Notes a read of a line.
    #[inline(always)]
    pub(super) fn read(
        &mut self,
        number: usize,
        new: Pattern,
        window: &Window,
        out: &mut Vec<Clash>,
    ) {
        if !self.late.is_empty() {
            self.catch_up(window, out);
        }
        let Some(page) = self.page(number) else { return };
        let l = number % PAGE;
        let write = &page.writes[l];
        if !window.is_past(write.segment) && write.mask & new.mask != 0 {
            compare(number, write, &new, window, [true, false], out);
        }
        if let Some(more) = &page.more
            && !more[l].cells_written.is_past(window)
        {
            compare_cells(page, number, &new, window, false, out);
        }
        let old = page.reads[l];
        if window.is_past(old.segment)
            || (old.is_alike(&new) && !window.is_foreign(old.segment) && old.mask & !new.mask == 0)
        {
            page.reads[l] = new;
        } else {
            page.read_more(l, new, window);
        }
    }

    /// Notes a write of a line.
    #[inline(always)]
    pub(super) fn write(
        &mut self,
        number: usize,
        new: Pattern,
        window: &Window,
        out: &mut Vec<Clash>,
    ) {
        if !self.late.is_empty() {
            self.catch_up(window, out);
        }
        self.written_in = window.epoch;
        let Some(page) = self.page(number) else { return };
        let l = number % PAGE;
        let past = |segment| window.is_past(segment);
        let (write, read) = (&page.writes[l], &mut page.reads[l]);
        if !past(write.segment) && write.mask & new.mask != 0 {
            compare(number, write, &new, window, [true, true], out);
        }
        if !past(read.segment) && read.mask & new.mask != 0 {
            compare(number, read, &new, window, [false, true], out);
        }
        read.mask &= !new.mask;
        if let Some(more) = &mut page.more {
            let more = &mut more[l];
            for read in [&mut more.before, &mut more.foreign] {
                if !past(read.segment) && read.mask & new.mask != 0 {
                    compare(number, read, &new, window, [false, true], out);
                }
                read.mask &= !new.mask;
            }
            if !more.cells_written.is_past(window) || !more.cells_read.is_past(window) {
                compare_cells(page, number, &new, window, true, out);
            }
        }
        let old = page.writes[l];
        if past(old.segment) || old.mask & !new.mask == 0 {
            page.writes[l] = new;
        } else {
            page.write_more(l, new, window);
        }
    }

    /// Notes an atomic access to a granule that only such accesses know; whether that was so.
    #[inline(always)]
    pub(super) fn again(
        &mut self,
        granule: u64,
        thread: u16,
        new: &Pattern,
        window: &Window,
    ) -> bool {
        if !self.late.is_empty() {
            return false;
        }
        self.written_in = window.epoch;
        let number = (granule / LINE as u64) as usize;
        let (l, bit) = (number % PAGE, 1 << (granule % LINE as u64));
        let Some(Some(page)) = self.pages.get_mut(number / PAGE) else { return false };
        let (Some(more), Some(cells)) = (&mut page.more, &mut page.cells) else { return false };
        let more = &mut more[l];
        let known = page.writes[l].mask | page.reads[l].mask | more.before.mask | more.foreign.mask;
        let cells = &mut cells[l * LINE + (granule as usize % LINE)];
        let atomic = cells.write >> 10 & u64::from(ATOMIC) != 0;
        if known & bit != 0 || !atomic || cells.read | cells.before | cells.foreign != 0 {
            return false;
        }
        if more.cells_written.own != new.segment {
            more.cells_written.note(new.segment, window);
        }
        cells.write = cell(new.segment, new.site, new.flags, thread);
        true
    }

    /// Notes an access of one thread to one granule. An atomic one reads and writes.
    #[inline(always)]
    pub(super) fn one(
        &mut self,
        granule: u64,
        thread: u16,
        new: &Pattern,
        writes: bool,
        window: &Window,
        out: &mut Vec<Clash>,
    ) {
        if !self.late.is_empty() {
            self.catch_up(window, out);
        }
        if writes {
            self.written_in = window.epoch;
        }
        let number = (granule / LINE as u64) as usize;
        let bit = 1 << (granule % LINE as u64);
        let now = new.segment;
        let new_cell = cell(now, new.site, new.flags, thread);
        let Some(page) = self.page(number) else { return };
        let l = number % PAGE;
        let single = Pattern {
            mask: bit,
            base: thread as i16,
            other: 0,
            shift: 4,
            flags: new.flags,
            ..*new
        };
        let past = |segment| window.is_past(segment);
        let write = &mut page.writes[l];
        if write.mask & bit != 0 && !past(write.segment) {
            compare(number, write, &single, window, [true, writes], out);
        }
        let more = page.more.get_or_insert_with(|| Box::new([More::default(); PAGE]));
        let more = &mut more[l];
        if writes {
            for read in [&mut page.reads[l], &mut more.before, &mut more.foreign] {
                if read.mask & bit != 0 && !past(read.segment) {
                    compare(number, read, &single, window, [false, true], out);
                }
                read.mask &= !bit;
            }
            write.mask &= !bit;
            more.cells_written.note(now, window);
        } else {
            more.cells_read.note(now, window);
        }
        let at = (number % PAGE) * LINE + (granule as usize % LINE);
        let cells = page.cells.get_or_insert_with(none_of_cells);
        let cells = &mut cells[at];
        let clashes = |old: u64| {
            !past(segment_of(old))
                && (thread_of(old) != thread || window.is_foreign(segment_of(old)))
        };
        if clashes(cells.write) {
            out.push(clash(granule, thread, cells.write, true));
        }
        if writes {
            for old in [cells.read, cells.before, cells.foreign] {
                if clashes(old) {
                    out.push(clash(granule, thread, old, false));
                }
            }
            *cells = Cells { write: new_cell, ..Cells::default() };
            return;
        }
        let old = cells.read;
        if clashes(old) {
            if window.is_foreign(segment_of(old)) {
                cells.foreign = old;
            } else {
                cells.before = old;
            }
        }
        cells.read = new_cell;
    }
}

fn none_of_cells() -> Box<[Cells; PAGE * LINE]> {
    Box::new([Cells::default(); PAGE * LINE])
}

impl Page {
    /// A read by other threads than the last.
    fn read_more(&mut self, l: usize, new: Pattern, window: &Window) {
        let old = self.reads[l];
        let foreign = window.is_foreign(old.segment);
        if old.is_alike(&new) && !foreign && old.site == new.site && old.segment == new.segment {
            self.reads[l].mask |= new.mask;
            return;
        }
        self.reads[l] = new;
        let more = self.more.get_or_insert_with(|| Box::new([More::default(); PAGE]));
        let place = if foreign { &mut more[l].foreign } else { &mut more[l].before };
        if window.is_past(place.segment) || old.mask.count_ones() >= place.mask.count_ones() {
            *place = old;
        }
    }

    /// A write beside granules that another one wrote.
    fn write_more(&mut self, l: usize, new: Pattern, window: &Window) {
        let old = self.writes[l];
        let alike = old.is_alike(&new) && !window.is_foreign(old.segment);
        if alike && old.site == new.site && old.segment == new.segment {
            self.writes[l].mask |= new.mask;
            return;
        }
        self.writes[l] = new;
        let more = self.more.get_or_insert_with(|| Box::new([More::default(); PAGE]));
        more[l].cells_written.note(old.segment, window);
        let cells = self.cells.get_or_insert_with(none_of_cells);
        for granule in granules(old.mask & !new.mask) {
            let value = cell(old.segment, old.site, old.flags, old.thread(granule));
            cells[l * LINE + granule as usize] = Cells { write: value, ..Cells::default() };
        }
    }
}

/// Each of eight bits twice.
fn pairs(bits: u16) -> u16 {
    let x = (bits | bits << 4) & 0x0f0f;
    let x = (x | x << 2) & 0x3333;
    let x = (x | x << 1) & 0x5555;
    x | x << 1
}

fn granules(mask: u16) -> impl Iterator<Item = u32> {
    (0..16).filter(move |granule| mask >> granule & 1 == 1)
}

fn clash(granule: u64, thread: u16, old: u64, earlier_writes: bool) -> Clash {
    let bits = (old >> 10 & 0x3f) as u8;
    Clash {
        granule,
        thread,
        earlier: thread_of(old),
        segment: segment_of(old),
        site: (old >> 16 & 0xffff) as u32,
        flags: bits & 3 | (bits >> 2) << 4,
        earlier_writes,
    }
}

/// Clashes of two patterns on a line.
fn compare(
    number: usize,
    old: &Pattern,
    new: &Pattern,
    window: &Window,
    [earlier_writes, writes]: [bool; 2],
    out: &mut Vec<Clash>,
) {
    let foreign = window.is_foreign(old.segment);
    let many = (old.flags | new.flags) & MANY != 0;
    if !foreign && !many && old.base == new.base && old.shift == new.shift {
        return;
    }
    for granule in granules(old.mask & new.mask) {
        let (mut earlier, mut thread) = (old.thread(granule), new.thread(granule));
        // Who wrote the same value itself reads that one, whichever write landed.
        if old.flags & MANY != 0 && earlier_writes && !writes && !foreign {
            let range = old.thread(granule)..=old.last(granule);
            let all = new.flags & MANY == 0 || range.contains(&new.last(granule));
            if all && range.contains(&thread) {
                continue;
            }
            if range.contains(&thread) {
                thread = new.last(granule);
            }
        }
        if earlier == thread && !foreign {
            if old.flags & MANY != 0 {
                earlier = old.last(granule);
            } else if new.flags & MANY != 0 {
                thread = new.last(granule);
            }
            if earlier == thread {
                continue;
            }
        }
        out.push(Clash {
            granule: (number * LINE) as u64 + u64::from(granule),
            thread,
            earlier,
            segment: old.segment,
            site: old.site,
            flags: old.flags & !MANY,
            earlier_writes,
        });
    }
}

/// Clashes of a pattern with a line's cells.
#[cold]
#[inline(never)]
fn compare_cells(
    page: &mut Page,
    number: usize,
    new: &Pattern,
    window: &Window,
    writes: bool,
    out: &mut Vec<Clash>,
) {
    let first = (number % PAGE) * LINE;
    let Some(cells) = page.cells.as_mut() else { return };
    for granule in granules(new.mask) {
        let cells = &mut cells[first + granule as usize];
        let thread = new.thread(granule);
        let mut look = |old: u64, earlier_writes: bool| {
            if window.is_past(segment_of(old)) {
                return;
            }
            let mut thread = thread;
            if thread_of(old) == thread && !window.is_foreign(segment_of(old)) {
                if new.flags & MANY == 0 {
                    return;
                }
                thread = new.last(granule);
            }
            let granule = (number * LINE) as u64 + u64::from(granule);
            out.push(clash(granule, thread, old, earlier_writes));
        };
        look(cells.write, true);
        if writes {
            look(cells.read, false);
            look(cells.before, false);
            look(cells.foreign, false);
            *cells = Cells::default();
        }
    }
}
