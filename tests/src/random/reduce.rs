//! Cuts a failing program down: every node that may go or become smaller is tried.

use super::tree::Node;

/// The smallest program found that still fails, within a number of trials.
pub fn reduce(program: &Node, mut trials: usize, fails: &mut dyn FnMut(&Node) -> bool) -> Node {
    let mut best = program.clone();
    loop {
        let before = best.text().len();
        let mut index = 0;
        while index < best.count() {
            let Some(node) = best.get(index) else { break };
            let mut advanced = true;
            for smaller in node.smaller() {
                let candidate = best.with(index, &smaller);
                if candidate.text().len() >= best.text().len() {
                    continue;
                }
                if trials == 0 {
                    return best;
                }
                trials -= 1;
                if fails(&candidate) {
                    best = candidate;
                    advanced = false;
                    break;
                }
            }
            if advanced {
                index += 1;
            }
        }
        if best.text().len() == before {
            return best;
        }
    }
}
