//! What a launch may give as arrays: nobody promises of pointers without `__restrict__` that they are different
//! memory, and what a row writes through one it may read through another.

use super::{Writer, phase_roots, vectors};
use crate::host::text::has_word;
use crate::rows::graph::{Base, Op};
use crate::rows::phase::Phase;

impl Writer<'_> {
    /// Conditions of the host, and what a launch is given where one does not hold. Elements that a loop over the row
    /// reads and writes may be the same; what an earlier loop has written is read as it was before, or as it is
    /// then, after how long a row is.
    pub(super) fn kept_apart(&mut self, phases: &[&Phase]) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        for (at, phase) in phases.iter().enumerate() {
            for store in &phase.stores {
                for (later, reader) in phases.iter().enumerate().skip(at) {
                    for root in phase_roots(reader, self.reductions) {
                        for id in vectors(self.graph, root) {
                            let node = self.graph.node(id);
                            let (Op::Vector(base, _), Some(place)) = (&node.op, node.args.first())
                            else {
                                continue;
                            };
                            let (base, place, bytes) = (*base, *place, node.ty.size());
                            let (Some(a), Some(b)) =
                                (self.unpromised(store.base), self.unpromised(base))
                            else {
                                continue;
                            };
                            if base == store.base {
                                continue;
                            }
                            // As far as it is the same in all rows.
                            let further =
                                self.graph.terms(store.offset).1 - self.graph.terms(place).1;
                            let length = match self.scalars.text(self.graph, reader.length) {
                                Ok(text) if !has_word(&text, "row") => {
                                    format!("static_cast<uint64_t>(({text}) > 0 ? ({text}) : 0)")
                                }
                                _ => "1".to_owned(),
                            };
                            let (own, may_be_same) = (store.ty.size(), later == at);
                            let condition = format!(
                                "ElementsApart({a}, {own}, {b}, {bytes}, {further}, {own}, {length}, {may_be_same})"
                            );
                            let words = format!("{a} and {b} that overlap");
                            if !found.iter().any(|(known, _)| *known == condition) {
                                found.push((condition, words));
                            }
                        }
                    }
                }
            }
        }
        found
    }

    /// A pointer of which nobody says that it is the only way to its memory.
    fn unpromised(&self, base: Base) -> Option<String> {
        let Base::Argument(index) = base else { return None };
        let parameter = self.function.parameters.get(index as usize)?;
        (!parameter.attributes.restrict).then(|| parameter.name.clone())
    }
}
