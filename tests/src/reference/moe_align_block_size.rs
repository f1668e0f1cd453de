//! Pairs sorted by expert, each expert padded to whole blocks. Exact.

use super::{Expected, Inputs};

struct Aligned {
    counts: Vec<i64>,
    /// Where each expert begins, and where the last one ends.
    offsets: Vec<i64>,
    /// Pairs and padding of all experts.
    sorted: Vec<i64>,
    /// The expert of each block in use.
    blocks: Vec<i64>,
}

fn align(ids: &[i64], experts: usize, block_size: usize) -> Aligned {
    let mut aligned =
        Aligned { counts: Vec::new(), offsets: vec![0], sorted: Vec::new(), blocks: Vec::new() };
    for expert in 0..experts {
        let pairs = (0..ids.len()).filter(|pair| ids[*pair] == expert as i64);
        let begin = aligned.sorted.len();
        aligned.sorted.extend(pairs.map(|pair| pair as i64));
        let count = aligned.sorted.len() - begin;
        let blocks = count.div_ceil(block_size);
        aligned.sorted.resize(begin + blocks * block_size, ids.len() as i64);
        aligned.counts.push(count as i64);
        aligned.offsets.push(aligned.sorted.len() as i64);
        aligned.blocks.extend(std::iter::repeat_n(expert as i64, blocks));
    }
    aligned
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (experts, block_size) = (inputs.count("experts"), inputs.count("block_size"));
    let (entries, max_blocks) = (inputs.count("entries"), inputs.count("max_blocks"));
    let map = inputs.integers("expert_map");
    let mut outputs = Vec::new();
    for (form, mapped) in [("i32", false), ("i64", true)] {
        let ids = inputs.integers(&format!("ids_{form}"));
        let Aligned { counts, offsets, sorted, mut blocks } = align(&ids, experts, block_size);
        if mapped {
            blocks = blocks.into_iter().map(|expert| map[expert as usize]).collect();
        }
        blocks.resize(max_blocks, -1);
        for size in ["small", "large"] {
            // The three steps write what is in use, the one block all entries.
            let unused = if size == "small" { ids.len() as i64 } else { -5 };
            let mut sorted = sorted.clone();
            let used = sorted.len() as i64;
            sorted.resize(entries, unused);
            outputs.push(Expected::integers(&format!("sorted_{size}_{form}"), sorted));
            outputs.push(Expected::integers(&format!("blocks_{size}_{form}"), blocks.clone()));
            outputs.push(Expected::integers(&format!("used_{size}_{form}"), [used]));
        }
        outputs.push(Expected::integers(&format!("counts_{form}"), counts));
        outputs.push(Expected::integers(&format!("cumsum_{form}"), offsets));
    }
    outputs
}
