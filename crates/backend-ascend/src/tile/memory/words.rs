//! Variables whose bytes are accessed as several types: their words, as they lie in memory.
//!
//! `*(float4*)&bits`, unions, packed halves: what is stored as one type is loaded as another. Such a
//! variable is a vector for each of its words, and a narrower part is cut out of one or put into one.

use super::*;

/// Which word an access touches, and how far into it.
enum Word {
    /// The same for all lanes: the index, and the bits below, as C++.
    Same(String, String),
    /// One for each lane: vectors of byte offsets of the element, and of the bits below.
    Each(String, Option<String>),
}

impl Engine<'_, '_> {
    /// Whether accesses of a variable do not go by the parts of its type.
    pub(super) fn is_punned(&mut self, local: Handle<Local>, leaves: &[Leaf]) -> bool {
        let flow = self.flow;
        let ty = self.function.locals[local].ty;
        let homogeneous = leaves
            .iter()
            .enumerate()
            .all(|(i, l)| l.scalar == leaves[0].scalar && l.offset == i as u64 * l.scalar.size());
        let is_own = |engine: &Self, pointer: Value| match flow.root(pointer) {
            Root::Value(value) => engine.moving_root(value, 0) == Some(Pointee::Local(local)),
            root => root == Root::Local(local),
        };
        for (_, entry) in flow.statements() {
            let (accessed, pointer, is_load) = match &entry.statement.kind {
                port_ir::StatementKind::Load { result, pointer, .. } if is_own(self, *pointer) => {
                    (flow.types.get(*result), *pointer, true)
                }
                port_ir::StatementKind::Store { pointer, value, .. } if is_own(self, *pointer) => {
                    (flow.types.get(*value), *pointer, false)
                }
                port_ir::StatementKind::Copy { destination, source, bytes } => {
                    let is_whole = |engine: &mut Self, pointer: Value| {
                        let size = engine.module.types.layout(ty).map(|l| i128::from(l.size));
                        size.is_some() && engine.affine.integer(*bytes).as_constant() == size && {
                            let address = engine.affine.address(pointer);
                            address.is_some_and(|a| a.offset.as_constant() == Some(0))
                        }
                    };
                    let both = |pointer: &Value| match flow.root(*pointer) {
                        Root::Local(other) => Some(self.function.locals[other].ty),
                        _ => None,
                    };
                    let others = both(destination).zip(both(source));
                    let same = others.is_none_or(|(a, b)| a == b);
                    for pointer in [*destination, *source] {
                        if is_own(self, pointer) && !(same && is_whole(self, pointer)) {
                            return true;
                        }
                    }
                    continue;
                }
                _ => continue,
            };
            let Some(own) = self.leaves(accessed) else { continue };
            let Some(address) = self.affine.address(pointer) else { return true };
            let is_still = address.root == Root::Local(local);
            let fits = match address.offset.as_constant().filter(|_| is_still) {
                Some(offset) => {
                    let offset = u64::try_from(offset).unwrap_or(u64::MAX);
                    let first = leaves.iter().position(|l| l.offset == offset);
                    first.is_some_and(|first| {
                        own.iter().enumerate().all(|(i, leaf)| {
                            leaves.get(first + i).is_some_and(|l| {
                                l.scalar == leaf.scalar && l.offset == offset + leaf.offset
                            })
                        })
                    }) || is_load && self.reads_inside(leaves, offset, &own)
                }
                None => homogeneous && own.iter().all(|l| l.scalar == leaves[0].scalar),
            };
            if !fits {
                return true;
            }
        }
        false
    }

    /// Whether each number lies inside one part of another type, so that it can be cut out.
    fn reads_inside(&self, leaves: &[Leaf], offset: u64, own: &[Leaf]) -> bool {
        own.iter().all(|leaf| {
            let at = offset.saturating_add(leaf.offset);
            let holder = leaves
                .iter()
                .find(|l| l.offset <= at && at + leaf.scalar.size() <= l.offset + l.scalar.size());
            holder.is_some_and(|l| {
                (kind(l.scalar) == Some(Kind::Int) || l.scalar == Scalar::F32)
                    && leaf.scalar.size() <= 4
                    && leaf.scalar != Scalar::Bool
            })
        })
    }

    /// The storage of a variable as words.
    pub(super) fn words_storage(&mut self, local: Handle<Local>, leaves: Vec<Leaf>) -> Storage {
        let declared = &self.function.locals[local];
        let wish = camel(&port_backend::text::names::identifier(&declared.name));
        let size = self.module.types.layout(declared.ty).map_or(4, |l| l.size);
        let bytes = u32::try_from(size.div_ceil(4) * 4).unwrap_or(u32::MAX);
        let name = self.state.names.fresh(&format!("{wish}Words"));
        // A part that is put in keeps the rest of its word, also that of an earlier pass.
        let slot = Slot { element: "int32_t", bytes, variable: true };
        self.state.tile.slots.insert(name.clone(), slot);
        Storage { leaves, names: vec![name], kind: StorageKind::Words }
    }

    /// Where a number of a size lies in the words of a variable.
    fn word(
        &mut self,
        address: &Address,
        plus: u64,
        size: u64,
        location: Location,
    ) -> Result<Word> {
        let unit = size.min(4);
        if let Some(offset) = address.constant() {
            let offset = u64::try_from(offset).unwrap_or(u64::MAX).saturating_add(plus);
            return Ok(Word::Same((offset / 4).to_string(), (offset % 4 * 8).to_string()));
        }
        Ok(match self.place_of(address, plus, unit, location)? {
            Where::Same(at) => {
                let at = self.scalar("part", "int64_t", &format!("({at})"));
                if unit == 4 {
                    Word::Same(at, "0".to_owned())
                } else {
                    let (each, bits) = (4 / unit, unit * 8);
                    Word::Same(format!("({at} / {each})"), format!("({at} % {each} * {bits})"))
                }
            }
            place => {
                let bytes = self.byte_offsets(place, unit);
                let word = self.int_slot("word");
                self.line(format!("lanes.ShiftDown({word}, {bytes}, 2);"));
                let below = (unit < 4).then(|| {
                    let slot = self.int_slot("below");
                    self.line(format!("lanes.Narrow({slot}, {bytes}, 2, false);"));
                    self.line(format!("Muls({slot}, {slot}, 8, lanes.padded);"));
                    slot
                });
                Word::Each(self.variable_offsets(&word), below)
            }
        })
    }

    fn read_word(&mut self, storage: &Storage, word: &Word, next: u32, active: &Active) -> String {
        let name = &storage.names[0];
        match word {
            Word::Same(index, _) => {
                let index = match (index.parse::<u64>(), next) {
                    (Ok(index), next) => (index + u64::from(next)).to_string(),
                    (_, 0) => index.clone(),
                    _ => format!("({index} + {next})"),
                };
                if index == "0" { name.clone() } else { format!("{name}[{index} * lanes.padded]") }
            }
            Word::Each(offsets, _) => {
                let mask = self.active_mask(active);
                let slot = self.int_slot("word");
                let from =
                    if next == 0 { name.clone() } else { format!("{name}[{next} * lanes.padded]") };
                self.line(format!(
                    "lanes.LoadShared<int32_t, 1>({slot}, {from}.ReinterpretCast<uint8_t>(), {offsets}, {mask});"
                ));
                slot
            }
        }
    }

    /// Loads the scalar parts of a type.
    pub(super) fn load_words(
        &mut self,
        storage: &Storage,
        own: &[Leaf],
        address: &Address,
        snapshot: bool,
        active: &Active,
        location: Location,
    ) -> Result<Vec<Val>> {
        let mut vals = Vec::new();
        for leaf in own {
            let size = leaf.scalar.size();
            let word = self.word(address, leaf.offset, size, location)?;
            let text = self.read_word(storage, &word, 0, active);
            if size >= 4 {
                let second = if size == 8 {
                    self.read_word(storage, &word, 1, active)
                } else {
                    String::new()
                };
                let text = match leaf.scalar {
                    Scalar::F32 => format!("{text}.ReinterpretCast<float>()"),
                    _ => text,
                };
                vals.push(self.vector_val(text, second, leaf.scalar, snapshot));
                continue;
            }
            let slot = self.int_slot("bits");
            match &word {
                Word::Same(_, below) => {
                    self.line(format!("lanes.ShiftDown({slot}, {text}, {below});"));
                }
                Word::Each(_, Some(below)) => {
                    self.line(format!("lanes.ShiftEach({slot}, {text}, {below}, 1);"));
                }
                Word::Each(_, None) => {}
            }
            let bits = leaf.scalar.bits();
            let bits = if leaf.scalar == Scalar::Bool { 8 } else { bits };
            let signed = leaf.scalar.is_signed() && leaf.scalar.is_integer();
            self.line(format!("lanes.Narrow({slot}, {slot}, {bits}, {signed});"));
            vals.push(match kind(leaf.scalar) {
                Some(Kind::Float) => {
                    let result = self.float_slot("half");
                    let ty = memory_type(leaf.scalar).unwrap_or("half");
                    self.line(format!("lanes.OfBits<{ty}>({result}, {slot});"));
                    Val::Float(result)
                }
                _ => Val::Int(slot),
            });
        }
        Ok(vals)
    }

    /// Stores the scalar parts of a type.
    #[allow(clippy::too_many_arguments, reason = "what a store is")]
    pub(super) fn store_words(
        &mut self,
        storage: &Storage,
        own: &[Leaf],
        address: &Address,
        vals: Vec<Val>,
        value: Value,
        active: &Active,
        location: Location,
    ) -> Result<()> {
        for (leaf, val) in own.iter().zip(vals) {
            let size = leaf.scalar.size();
            let texts = self.part_texts(Part::Known(val), leaf.scalar, value)?;
            let word = self.word(address, leaf.offset, size, location)?;
            for (next, text) in texts.into_iter().enumerate() {
                let mut bits = match leaf.scalar {
                    Scalar::F32 => format!("{text}.ReinterpretCast<int32_t>()"),
                    Scalar::F16 | Scalar::Bf16 => {
                        let slot = self.int_slot("bits");
                        let ty = memory_type(leaf.scalar).unwrap_or("half");
                        self.line(format!("lanes.BitsOf<{ty}>({slot}, {text});"));
                        slot
                    }
                    _ => text,
                };
                let next = next as u32;
                if size < 4 {
                    let old = self.read_word(storage, &word, 0, active);
                    bits = self.inserted(&old, &bits, size as u32 * 8, &word);
                }
                match &word {
                    Word::Same(..) => {
                        let target = self.read_word(storage, &word, next, active);
                        self.assign(&target, &bits, active);
                    }
                    Word::Each(offsets, _) => {
                        let mask = self.active_mask(active);
                        let to = format!("{}[{next} * lanes.padded]", storage.names[0]);
                        self.line(format!(
                            "lanes.StoreShared<int32_t, 1>({to}.ReinterpretCast<uint8_t>(), {offsets}, {bits}, {mask});"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// A word with some of its bits replaced.
    fn inserted(&mut self, old: &str, bits: &str, width: u32, word: &Word) -> String {
        let all = if width == 8 { "0xffu" } else { "0xffffu" };
        let (part, hole) = (self.int_slot("part"), self.int_slot("hole"));
        self.line(format!("lanes.Narrow({part}, {bits}, {width}, false);"));
        match word {
            Word::Same(_, below) => {
                self.line(format!("lanes.ShiftUp({part}, {part}, {below});"));
                self.line(format!(
                    "Duplicate({hole}, static_cast<int32_t>(~({all} << {below})), lanes.padded);"
                ));
            }
            Word::Each(_, below) => {
                self.line(format!("Duplicate({hole}, static_cast<int32_t>({all}), lanes.padded);"));
                if let Some(below) = below {
                    self.line(format!("lanes.ShiftEach({part}, {part}, {below}, 0);"));
                    self.line(format!("lanes.ShiftEach({hole}, {hole}, {below}, 0);"));
                }
                self.line(format!("lanes.BitNot({hole}, {hole});"));
            }
        }
        self.line(format!("lanes.BitAnd({hole}, {old}, {hole});"));
        self.line(format!("lanes.BitOr({part}, {part}, {hole});"));
        part
    }
}
