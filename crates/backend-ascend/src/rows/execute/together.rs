//! What threads of a warp tell each other.

use port_ir::{Location, ReduceOp, ShuffleMode, Value};

use super::{Executor, Lanes, Result};
use crate::code::refuse;

impl Executor<'_, '_> {
    pub(super) fn shuffle(
        &mut self,
        mode: ShuffleMode,
        value: Value,
        lane: Value,
        width: Option<Value>,
        mask: &[bool],
        location: Location,
    ) -> Result<Lanes> {
        let width = match width {
            None => 32,
            Some(width) => {
                let width = self.eval(width)?;
                let width = self.lane(&width, 0)?;
                match self.graph.as_integer(width) {
                    Some(width @ 1..=32) if width & (width - 1) == 0 => width as usize,
                    _ => return Err(refuse("a shuffle's width is not known")),
                }
            }
        };
        let (value, by) = (self.eval(value)?, self.eval(lane)?);
        let value = self.settle(&value, mask);
        let value = self.gathered(&value, mask, location)?;
        if self.body.is_some() {
            return Err(refuse("threads exchange values in a loop over a row"));
        }
        let mut ids = Vec::with_capacity(mask.len());
        for (thread, active) in mask.iter().enumerate() {
            if !active {
                ids.push(self.graph.undefined());
                continue;
            }
            let Some(by) = self.lane(&by, thread).map(|id| self.graph.as_integer(id))? else {
                return Err(refuse("a shuffle's lane is not known"));
            };
            let start = thread / width * width;
            let own = (thread - start) as i64;
            let wide = width as i64;
            let by = i64::from(by as i32);
            let from = match mode {
                ShuffleMode::Index => by.rem_euclid(wide),
                ShuffleMode::Up => {
                    if own >= by {
                        own - by
                    } else {
                        own
                    }
                }
                ShuffleMode::Down => {
                    if own + by < wide {
                        own + by
                    } else {
                        own
                    }
                }
                ShuffleMode::Xor => {
                    // A lane of an earlier segment is within reach.
                    let other = (thread as i64 % 32) ^ by;
                    if other < start as i64 % 32 + wide && other >= 0 {
                        other - start as i64 % 32
                    } else {
                        own
                    }
                }
            };
            let from = start as i64 + from;
            let source = usize::try_from(from).ok().filter(|f| mask.get(*f) == Some(&true));
            ids.push(match source {
                Some(source) => self.lane(&value, source)?,
                None => self.graph.undefined(),
            });
        }
        Ok(self.each(ids))
    }

    pub(super) fn warp_reduce(
        &mut self,
        op: ReduceOp,
        value: Value,
        mask: &[bool],
        location: Location,
    ) -> Result<Lanes> {
        let value = self.eval(value)?;
        let value = self.settle(&value, mask);
        let value = self.gathered(&value, mask, location)?;
        let scalar = match &value {
            Lanes::Parts(_) => return Err(refuse("a value is no number")),
            other => {
                let id = self.lane(other, 0)?;
                self.graph.node(id).ty
            }
        };
        let op = match op {
            ReduceOp::Add => port_ir::FloatOp::Add,
            ReduceOp::Maximum => port_ir::FloatOp::Maximum,
            ReduceOp::Minimum => port_ir::FloatOp::Minimum,
            _ => return Err(refuse("a warp combines bits")),
        };
        if !scalar.is_float() {
            return Err(refuse("a warp combines integers"));
        }
        let mut ids = vec![self.graph.undefined(); mask.len()];
        for start in (0..mask.len()).step_by(32) {
            let end = (start + 32).min(mask.len());
            let mut reduced = None;
            for thread in (start..end).filter(|t| mask[*t]) {
                let own = self.lane(&value, thread)?;
                reduced = Some(match reduced {
                    None => own,
                    Some(sum) => {
                        let sum = self.graph.float_op(op, scalar, sum, own);
                        self.settle_one(sum)
                    }
                });
            }
            if let Some(reduced) = reduced {
                ids[start..end].fill(reduced);
            }
        }
        Ok(self.each(ids))
    }
}
