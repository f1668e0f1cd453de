//! The loop over instructions: masks and jumps.
//!
//! Each construct of the source has a slot that holds the lanes which wait for the others. A jump
//! takes lanes out of the mask; when none are left, control goes on at the next place where lanes
//! may have been waiting. Nothing is copied on entering an arm that all active lanes take.

use super::lanes::Kernel;
use super::registers::Mask;
use super::{Inst, Machine, Op, Stop};
use crate::outcome::FaultKind;

/// Leaves those lanes active for which the truth value `a` holds, and notes the others: an instruction of
/// its own, because it is compiled for what the processor has.
pub(crate) struct Split;
impl Kernel for Split {
    const HOT: bool = true;
    #[inline(always)]
    fn run(m: &mut Machine<'_>, i: &Inst) {
        let (unit, fails) = (&mut *m.unit, &mut m.fails);
        let chunks = unit.chunks;
        match unit.b.uniform[i.a as usize] {
            Some(true) => *fails = Mask::default(),
            Some(false) => {
                *fails = unit.mask;
                unit.mask = Mask::default();
            }
            None => {
                let start = i.a as usize * chunks;
                let bits = &unit.b.data[start..start + chunks];
                let mask = &mut unit.mask.bits[..chunks];
                fails.bits[chunks..].fill(0);
                let others = &mut fails.bits[..chunks];
                for k in 0..chunks {
                    others[k] = !bits[k] & mask[k];
                    mask[k] &= bits[k];
                }
                let all = unit.mask.count;
                unit.mask.recount(chunks);
                fails.count = all - unit.mask.count;
            }
        }
    }
}

impl Machine<'_> {
    /// What [`Split`] does, with the form of it that an instruction names.
    fn split(&mut self, i: &Inst) {
        // SAFETY: every `run` comes from `lanes::select`, which chooses a form whose processor features
        // were found to be there.
        #[allow(unsafe_code)]
        unsafe {
            (i.run)(self, i);
        }
    }

    /// Executes the unit until it stops.
    pub(crate) fn run_unit(&mut self) -> Stop {
        let code = self.code;
        let chunks = self.unit.chunks;
        loop {
            let Some(i) = code.instructions.get(self.unit.pc) else { return Stop::Done };
            let mut pc = self.unit.pc + 1;
            match i.op {
                Op::Exec => {
                    // SAFETY: every `run` comes from `lanes::select`, which chooses a form whose
                    // processor features were found to be there.
                    #[allow(unsafe_code)]
                    unsafe {
                        (i.run)(self, i)
                    }
                }
                Op::Checked => {
                    // SAFETY: as above.
                    #[allow(unsafe_code)]
                    unsafe {
                        (i.run)(self, i)
                    }
                    if self.fault.is_some() {
                        return Stop::Fault;
                    }
                }
                Op::If => {
                    let slot = i.slot as usize;
                    match self.unit.b.uniform[i.a as usize] {
                        Some(true) => {
                            self.unit.slots[slot].waiting.clear();
                            self.unit.slots[slot].joined.clear();
                        }
                        Some(false) => {
                            self.unit.slots[slot].joined.clear();
                            self.unit.slots[slot].waiting = self.unit.mask;
                            self.unit.mask.clear();
                            pc = i.target as usize;
                        }
                        None => {
                            self.split(i);
                            self.unit.slots[slot].joined.clear();
                            self.unit.slots[slot].waiting = self.fails;
                            if self.unit.mask.is_empty() {
                                pc = i.target as usize;
                            }
                        }
                    }
                }
                Op::Else => {
                    let unit = &mut self.unit;
                    let slot = &mut unit.slots[i.slot as usize];
                    std::mem::swap(&mut slot.joined, &mut unit.mask);
                    unit.mask.clear();
                    std::mem::swap(&mut slot.waiting, &mut unit.mask);
                    if unit.mask.is_empty() {
                        pc = i.target as usize;
                    }
                }
                Op::EndIf | Op::CallEnd => {
                    let unit = &mut self.unit;
                    let slot = &unit.slots[i.slot as usize];
                    unit.mask.add(&slot.joined, chunks);
                    // An `if` without another arm ends here directly.
                    unit.mask.add(&slot.waiting, chunks);
                    if unit.mask.is_empty() {
                        pc = i.target as usize;
                    }
                }
                Op::LoopBegin | Op::CallBegin => {
                    let slot = &mut self.unit.slots[i.slot as usize];
                    slot.waiting.clear();
                    slot.joined.clear();
                }
                Op::LoopTest => match self.unit.b.uniform[i.a as usize] {
                    Some(true) => {}
                    Some(false) => {
                        let unit = &mut self.unit;
                        unit.slots[i.slot as usize].joined.add(&unit.mask, chunks);
                        unit.mask.clear();
                        pc = i.target as usize;
                    }
                    None => {
                        self.split(i);
                        let unit = &mut *self.unit;
                        unit.slots[i.slot as usize].joined.add(&self.fails, chunks);
                        if unit.mask.is_empty() {
                            pc = i.target as usize;
                        }
                    }
                },
                Op::Break | Op::Return => {
                    let unit = &mut self.unit;
                    unit.slots[i.slot as usize].joined.add(&unit.mask, chunks);
                    unit.mask.clear();
                    pc = i.target as usize;
                }
                Op::Continue => {
                    let unit = &mut self.unit;
                    unit.slots[i.slot as usize].waiting.add(&unit.mask, chunks);
                    unit.mask.clear();
                    pc = i.target as usize;
                }
                Op::Step => {
                    let unit = &mut self.unit;
                    let slot = &mut unit.slots[i.slot as usize];
                    unit.mask.add(&slot.waiting, chunks);
                    slot.waiting.clear();
                    if unit.mask.is_empty() {
                        pc = i.target as usize;
                    }
                }
                Op::Back => {
                    let passed = (self.unit.pc as u64).saturating_sub(u64::from(i.target)) + 1;
                    let passed = passed * super::together::active_blocks(self);
                    self.executed += passed;
                    if self.fuel < passed {
                        let lane = self.unit.mask.lowest();
                        let count = self.unit.mask.count;
                        self.raise(FaultKind::Fuel, i.site, Some(lane), count);
                        return Stop::Fault;
                    }
                    self.fuel -= passed;
                    self.unit.turn += passed;
                    pc = i.target as usize;
                    if self.unit.turn >= self.turn_length {
                        self.unit.turn = 0;
                        self.unit.pc = pc;
                        return Stop::Turn;
                    }
                }
                Op::LoopEnd => {
                    let unit = &mut self.unit;
                    let slot = &mut unit.slots[i.slot as usize];
                    unit.mask.add(&slot.joined, chunks);
                    if unit.mask.is_empty() {
                        pc = i.target as usize;
                    }
                }
                Op::SwitchBegin => {
                    let unit = &mut self.unit;
                    let slot = &mut unit.slots[i.slot as usize];
                    slot.waiting = unit.mask;
                    slot.joined.clear();
                    unit.mask.clear();
                }
                Op::ArmBegin => {
                    // The active lanes fall in; of the waiting, those come whose condition holds.
                    let falling = self.unit.mask;
                    self.unit.mask = self.unit.slots[i.slot as usize].waiting;
                    self.split(i);
                    let unit = &mut self.unit;
                    unit.slots[i.slot as usize].waiting = self.fails;
                    unit.mask.add(&falling, chunks);
                    if unit.mask.is_empty() {
                        pc = i.target as usize;
                    }
                }
                Op::ArmEnd => {
                    let unit = &mut self.unit;
                    unit.slots[i.slot as usize].joined.add(&unit.mask, chunks);
                    unit.mask.clear();
                }
                Op::ArmFall => {}
                Op::SwitchEnd => {
                    let unit = &mut self.unit;
                    let slot = &unit.slots[i.slot as usize];
                    unit.mask.add(&slot.joined, chunks);
                    unit.mask.add(&slot.waiting, chunks);
                    if unit.mask.is_empty() {
                        pc = i.target as usize;
                    }
                }
                Op::Exit => {
                    let unit = &mut self.unit;
                    let leaving = unit.mask;
                    unit.alive.remove(&leaving, chunks);
                    unit.mask.clear();
                    pc = i.target as usize;
                }
                Op::BlockBarrier => {
                    self.unit.pc = pc;
                    return Stop::Block;
                }
                Op::GridBarrier => {
                    self.unit.pc = pc;
                    return Stop::Grid;
                }
                Op::End => return Stop::Done,
            }
            self.unit.pc = pc;
        }
    }
}
