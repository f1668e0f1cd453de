//! Greedy non-maximum suppression in exact integers: coordinates are integers or halves of them, and
//! thresholds are multiples of 1/8, so areas and comparisons are exact in single precision too.

use super::{Expected, Inputs};

/// Left, top, right, bottom, in half units.
type Corners = [i64; 4];

fn area([left, top, right, bottom]: Corners) -> i64 {
    (right - left).max(0) * (bottom - top).max(0)
}

/// Whether intersection over union exceeds `eighths / 8`. Of two empty boxes it does not.
fn overlaps(a: Corners, b: Corners, eighths: i64) -> bool {
    let common = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    8 * common > eighths * (area(a) + area(b) - common)
}

/// `drops[i][j]`: keeping box `i` drops box `j`.
fn dropped_by(boxes: &[Corners], eighths: i64, classes: Option<&[i64]>) -> Vec<Vec<bool>> {
    let same_class = |i: usize, j: usize| classes.is_none_or(|classes| classes[i] == classes[j]);
    let drops = |i, j| j > i && same_class(i, j) && overlaps(boxes[i], boxes[j], eighths);
    (0..boxes.len()).map(|i| (0..boxes.len()).map(|j| drops(i, j)).collect()).collect()
}

/// Bits in groups of 32, whole 64-bit words a row.
fn words(drops: &[Vec<bool>]) -> Vec<i64> {
    let mut result = Vec::new();
    for row in drops {
        for half_word in 0..2 * row.len().div_ceil(64) {
            let bits = row.iter().skip(32 * half_word).take(32).enumerate();
            result.push(bits.map(|(bit, set)| i64::from(*set) << bit).sum());
        }
    }
    result
}

fn kept(drops: &[Vec<bool>]) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    (0..drops.len()).for_each(|candidate| {
        if !kept.iter().any(|before| drops[*before][candidate]) {
            kept.push(candidate);
        }
    });
    kept
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let boxes = |name| -> Vec<Corners> {
        let numbers = inputs.integers(name);
        numbers.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect()
    };
    let corners: Vec<Corners> = boxes("corners").iter().map(|b| b.map(|v| 2 * v)).collect();
    let sized: Vec<Corners> = boxes("sized")
        .iter()
        .map(|[x, y, width, height]| [2 * x - width, 2 * y - height, 2 * x + width, 2 * y + height])
        .collect();
    let classes = inputs.integers("classes");
    let order = inputs.integers("order");

    let mut outputs = Vec::new();
    for (boxes, eighths, by_class, mask, gathered) in [
        (&corners, 2, false, "mask_corners", None),
        (&corners, 2, true, "mask_classes", Some(("keep_corners", "count_corners"))),
        (&sized, 3, false, "mask_sized", Some(("keep_sized", "count_sized"))),
        (&sized, 3, true, "mask_sized_classes", None),
    ] {
        let drops = dropped_by(boxes, eighths, by_class.then_some(&*classes));
        outputs.push(Expected::integers(mask, words(&drops)));
        if let Some((keep, count)) = gathered {
            let kept = kept(&drops);
            let mut positions: Vec<i64> = kept.iter().map(|at| order[*at]).collect();
            positions.resize(boxes.len(), -1);
            outputs.push(Expected::integers(keep, positions));
            outputs.push(Expected::integers(count, [kept.len() as i64]));
        }
    }
    outputs
}
