//! Threads of a warp that work together: shuffles, votes, reductions, matches.

use port_ir::{Location, ReduceOp, Scalar, ShuffleMode, Value, VoteKind};

use super::engine::{Active, Engine, Result, Val};
use super::value::{Kind, kind};

impl Engine<'_, '_> {
    /// The lanes that a mask names, as a vector; `None` if it names all.
    fn named(&mut self, mask: Option<Value>) -> Result<Option<String>> {
        let Some(mask) = mask else { return Ok(None) };
        let constant = self.flow.constant(mask, &mut Vec::new());
        if constant.is_some_and(|c| c & 0xffff_ffff == 0xffff_ffff) {
            return Ok(None);
        }
        self.int(mask).map(Some)
    }

    /// The bits of the own warp's lanes in a mask of lanes, among those that are named.
    fn ballot(&mut self, mask: &str, named: Option<&str>) -> String {
        let slot = self.int_slot("ballot");
        self.line(format!("lanes.Ballot({slot}, {mask});"));
        if let Some(named) = named {
            self.line(format!("lanes.BitAnd({slot}, {slot}, {named});"));
        }
        slot
    }

    pub(super) fn shuffle(
        &mut self,
        result: Value,
        mode: ShuffleMode,
        value: Value,
        lane: Value,
        width: Option<Value>,
        location: Location,
    ) -> Result<()> {
        if self.lanes != super::shape::Lanes::Block {
            return self.refuse("the threads of a warp work together", location);
        }
        if !self.shape.varies(value) {
            let val = self.eval(value)?;
            self.remember(result, &val);
            return Ok(());
        }
        let mode = match mode {
            ShuffleMode::Index => 0,
            ShuffleMode::Up => 1,
            ShuffleMode::Down => 2,
            ShuffleMode::Xor => 3,
        };
        let width = match width {
            None => "32".to_owned(),
            Some(width) => {
                if self.shape.varies(width) {
                    return self.refuse("shuffles of different widths", location);
                }
                let text = self.uniform(width)?;
                format!("static_cast<int32_t>({text})")
            }
        };
        let lane = if self.shape.varies(lane) {
            self.int(lane)?
        } else {
            let text = self.uniform(lane)?;
            format!("static_cast<int32_t>({text})")
        };
        let scalar = self.scalar_of(value)?;
        let val = self.eval(value)?;
        let val = match kind(scalar) {
            Some(Kind::Float) => {
                let from = self.float_of(val, value)?;
                let slot = self.float_slot("shuffled");
                self.line(format!("lanes.Shuffle({slot}, {from}, {mode}, {lane}, {width});"));
                Val::Float(slot)
            }
            Some(Kind::Long) => {
                let (low, high) = self.long_of(val, value)?;
                let (a, b) = (self.int_slot("shuffled"), self.int_slot("shuffled"));
                self.line(format!("lanes.Shuffle({a}, {low}, {mode}, {lane}, {width});"));
                self.line(format!("lanes.Shuffle({b}, {high}, {mode}, {lane}, {width});"));
                Val::Long(a, b)
            }
            Some(_) => {
                let from = self.int_of(val, value)?;
                let slot = self.int_slot("shuffled");
                self.line(format!("lanes.Shuffle({slot}, {from}, {mode}, {lane}, {width});"));
                Val::Int(slot)
            }
            None => {
                return self.refuse(format!("the vector unit has no {}", scalar.name()), location);
            }
        };
        self.remember(result, &val);
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "what a vote is")]
    pub(super) fn vote(
        &mut self,
        result: Value,
        vote: VoteKind,
        mask: Option<Value>,
        predicate: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        if self.lanes != super::shape::Lanes::Block {
            return self.refuse("the threads of a warp work together", location);
        }
        if !self.shape.varies(result) {
            let text = self.uniform(predicate)?;
            self.remember(
                result,
                &Val::Uniform(if vote == VoteKind::Uniform { "true".to_owned() } else { text }),
            );
            return Ok(());
        }
        let named = self.named(mask)?;
        let holds = self.taking_part(predicate, active)?;
        let slot = self.ballot(&holds, named.as_deref());
        let val = match vote {
            VoteKind::Ballot => Val::Int(slot),
            VoteKind::Any => Val::Mask(self.mask_of(Val::Int(slot), result)?),
            VoteKind::All | VoteKind::Uniform => {
                let own = self.active_mask(active);
                let all = self.ballot(&own, named.as_deref());
                let mask = self.mask_slot("agreed");
                self.line(format!("Compare({mask}, {slot}, {all}, CMPMODE::EQ, lanes.padded);"));
                if vote == VoteKind::Uniform {
                    let some = self.mask_of(Val::Int(slot), result)?;
                    self.line(format!("lanes.MaskNot({some}, {some});"));
                    self.line(format!("lanes.MaskOr({mask}, {mask}, {some});"));
                }
                Val::Mask(mask)
            }
        };
        self.remember(result, &val);
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "what a reduction is")]
    pub(super) fn warp_reduce(
        &mut self,
        result: Value,
        op: ReduceOp,
        mask: Option<Value>,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        if self.lanes != super::shape::Lanes::Block {
            return self.refuse("the threads of a warp work together", location);
        }
        let scalar = self.scalar_of(value)?;
        let neutral = match (op, scalar) {
            (ReduceOp::And, Scalar::I32 | Scalar::U32) | (ReduceOp::Minimum, Scalar::U32) => "-1",
            (ReduceOp::Minimum, Scalar::I32) => "0x7fffffff",
            (ReduceOp::Maximum, Scalar::I32) => "static_cast<int32_t>(0x80000000u)",
            (_, Scalar::I32 | Scalar::U32) => "0",
            _ => {
                return self
                    .refuse("a reduction over the warp of this kind has no vector form", location);
            }
        };
        let named = self.named(mask)?;
        let from = self.int(value)?;
        let mask = self.active_mask(active);
        let (own, other) = (self.int_slot("own"), self.int_slot("neutral"));
        self.line(format!("Duplicate({other}, {neutral}, lanes.padded);"));
        self.line(format!("lanes.Choose({own}, {mask}, {from}, {other});"));
        let Some(named) = named else {
            for step in [16, 8, 4, 2, 1] {
                self.line(format!("lanes.Shuffle({other}, {own}, 3, {step}, 32);"));
                self.combine(op, scalar, &own, &other);
            }
            self.remember(result, &Val::Int(own));
            return Ok(());
        };
        // Groups of a warp may reduce at once: each lane takes what its own mask names.
        let (sum, bit) = (self.int_slot("reduced"), self.int_slot("bit"));
        let taken = self.mask_slot("taken");
        let index = self.fresh("lane");
        self.line(format!("Duplicate({sum}, {neutral}, lanes.padded);"));
        self.open();
        self.line(format!("lanes.ShiftDown({bit}, {named}, {index});"));
        self.line(format!("lanes.Narrow({bit}, {bit}, 1, false);"));
        self.line(format!("lanes.MaskOfInteger({taken}, {bit});"));
        self.line(format!("Duplicate({bit}, {neutral}, lanes.padded);"));
        self.line(format!("lanes.Shuffle({other}, {own}, 0, {index}, 32);"));
        self.line(format!("lanes.Choose({other}, {taken}, {other}, {bit});"));
        self.combine(op, scalar, &sum, &other);
        let body = self.close();
        self.nest(format!("for (int32_t {index} = 0; {index} < 32; ++{index})"), body, true);
        self.remember(result, &Val::Int(sum));
        Ok(())
    }

    /// `left = left op right` of whole numbers.
    fn combine(&mut self, op: ReduceOp, scalar: Scalar, left: &str, right: &str) {
        let unsigned = scalar == Scalar::U32;
        match op {
            ReduceOp::Add => self.line(format!("Add({left}, {left}, {right}, lanes.padded);")),
            ReduceOp::And => self.line(format!("lanes.BitAnd({left}, {left}, {right});")),
            ReduceOp::Or => self.line(format!("lanes.BitOr({left}, {left}, {right});")),
            ReduceOp::Xor => self.line(format!("lanes.BitXor({left}, {left}, {right});")),
            ReduceOp::Minimum | ReduceOp::Maximum if unsigned => {
                let less = self.mask_slot("less");
                self.line(format!("lanes.CompareUnsigned({less}, {left}, {right}, CMPMODE::LT);"));
                let (a, b) = if op == ReduceOp::Minimum { (left, right) } else { (right, left) };
                self.line(format!("lanes.Choose({left}, {less}, {a}, {b});"));
            }
            ReduceOp::Minimum => self.line(format!("Min({left}, {left}, {right}, lanes.padded);")),
            ReduceOp::Maximum => self.line(format!("Max({left}, {left}, {right}, lanes.padded);")),
        }
    }

    /// Which lanes of the warp have the same value.
    #[allow(clippy::too_many_arguments, reason = "what a match is")]
    pub(super) fn matching(
        &mut self,
        result: Value,
        agree: Option<Value>,
        all: bool,
        mask: Option<Value>,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        if self.lanes != super::shape::Lanes::Block {
            return self.refuse("the threads of a warp work together", location);
        }
        let scalar = self.scalar_of(value)?;
        let val = self.eval(value)?;
        let words = match kind(scalar) {
            Some(Kind::Float) => {
                vec![format!("{}.ReinterpretCast<int32_t>()", self.float_of(val, value)?)]
            }
            Some(Kind::Long) => {
                let (low, high) = self.long_of(val, value)?;
                vec![low, high]
            }
            _ => vec![self.int_of(val, value)?],
        };
        let named = self.named(mask)?;
        let own = self.active_mask(active);
        let taking_part = self.ballot(&own, named.as_deref());
        let (found, other) = (self.int_slot("same"), self.int_slot("other"));
        let (bit, zero) = (self.int_slot("bit"), self.int_slot("zero"));
        let (equal, also) = (self.mask_slot("equal"), self.mask_slot("also"));
        let index = self.fresh("lane");
        self.line(format!("Duplicate({found}, 0, lanes.padded);"));
        self.line(format!("Duplicate({zero}, 0, lanes.padded);"));
        self.open();
        for (number, word) in words.iter().enumerate() {
            let target = if number == 0 { &equal } else { &also };
            self.line(format!("lanes.Shuffle({other}, {word}, 0, {index}, 32);"));
            self.line(format!("Compare({target}, {other}, {word}, CMPMODE::EQ, lanes.padded);"));
            if number > 0 {
                self.line(format!("lanes.MaskAnd({equal}, {equal}, {also});"));
            }
        }
        self.line(format!("Duplicate({bit}, static_cast<int32_t>(1u << {index}), lanes.padded);"));
        self.line(format!("lanes.Choose({bit}, {equal}, {bit}, {zero});"));
        self.line(format!("lanes.BitOr({found}, {found}, {bit});"));
        let body = self.close();
        self.nest(format!("for (int32_t {index} = 0; {index} < 32; ++{index})"), body, true);
        self.line(format!("lanes.BitAnd({found}, {found}, {taking_part});"));
        if all {
            self.line(format!(
                "Compare({equal}, {found}, {taking_part}, CMPMODE::EQ, lanes.padded);"
            ));
            self.line(format!("lanes.Choose({found}, {equal}, {found}, {zero});"));
            if let Some(agree) = agree {
                self.remember(agree, &Val::Mask(equal));
            }
        }
        self.remember(result, &Val::Int(found));
        Ok(())
    }
}
