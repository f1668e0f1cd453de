//! What each pass takes away, and what it must leave.

use super::*;
use crate::tile::ir::Slot;

fn tile() -> Tile {
    let mut tile = Tile::default();
    for name in ["aLanes", "bLanes", "sumVariable"] {
        let slot = Slot { element: "float", bytes: 4, variable: name.ends_with("Variable") };
        tile.slots.insert(name.to_owned(), slot);
    }
    tile
}

fn lines(text: &[&str]) -> Vec<Node> {
    text.iter().map(|line| Node::Line((*line).to_owned())).collect()
}

fn flat(nodes: &[Node], out: &mut Vec<String>) {
    for node in nodes {
        match node {
            Node::Line(line) => out.push(line.clone()),
            Node::Nest { head, body, .. } => {
                out.push(format!("{head} {{"));
                flat(body, out);
                out.push("}".to_owned());
            }
        }
    }
}

fn tidied(nodes: Vec<Node>) -> Vec<String> {
    tidied_for(nodes, true)
}

fn tidied_for(nodes: Vec<Node>, one_core: bool) -> Vec<String> {
    let fields = [("n", "int64_t"), ("k", "uint32_t")];
    let known = Known::new(
        fields.into_iter(),
        [("xAddress_", "GM_ADDR")].into_iter(),
        [("master", "GM_ADDR"), ("i", "int32_t")].into_iter(),
    );
    let mut out = Vec::new();
    flat(&tidy(&tile(), nodes, &known, one_core), &mut out);
    out
}

#[test]
fn equal_numbers_are_computed_once_and_stand_where_they_are_used() {
    let made = tidied(lines(&[
        "const int64_t base = static_cast<int64_t>(blockY) * static_cast<int64_t>(tiling_.n);",
        "lanes.Load<float, 1>(aLanes, xGm_, lanes::Form{base, {0, 0, 0, 1}}, everyone);",
        "const int64_t base_2 = static_cast<int64_t>(blockY) * static_cast<int64_t>(tiling_.n);",
        "lanes.Store<float, 1>(yGm_, lanes::Form{base_2, {0, 0, 0, 1}}, aLanes, everyone);",
        "const bool value = (tiling_.k) != (3u);",
        "if (value) return;",
    ]));
    let expected = [
        "const int64_t base = blockY * tiling_.n;",
        "lanes.Load<float, 1>(aLanes, xGm_, lanes::Form{base, {0, 0, 0, 1}}, everyone);",
        "lanes.Store<float, 1>(yGm_, lanes::Form{base, {0, 0, 0, 1}}, aLanes, everyone);",
        "if (tiling_.k != 3u) return;",
    ];
    assert_eq!(made, expected);
}

#[test]
fn what_may_change_in_between_stays_where_it_is() {
    let text = [
        "int32_t i = 0;",
        "const int32_t value = i + 1;",
        "i = 5;",
        "const int32_t value_2 = i + 1;",
        "Duplicate(sumVariable, value + value_2, lanes.padded);",
        "lanes.Store<float, 1>(yGm_, sumVariable);",
    ];
    let expected = [
        "int32_t i = 0;",
        "const int32_t value = i + 1;",
        "i = 5;",
        // Nothing stands in between here.
        "Duplicate(sumVariable, value + (i + 1), lanes.padded);",
        "lanes.Store<float, 1>(yGm_, sumVariable);",
    ];
    assert_eq!(tidied(lines(&text)), expected);
}

#[test]
fn pointers_are_read_where_they_are_asked_for() {
    let made = tidied(lines(&[
        "const GM_ADDR pointer = xAddress_ + static_cast<int64_t>(blockY) * 4;",
        "master = pointer;",
        "const GM_ADDR pointer_2 = master;",
        "// a.cu:1",
        "const bool value = (pointer_2) != (nullptr);",
        "if (value) return;",
        "const GM_ADDR pointer_3 = master;",
        "master = nullptr;",
        "lanes.Store<float, 1>(pointer_3);",
    ]));
    let expected = [
        "master = xAddress_ + static_cast<int64_t>(blockY) * 4;",
        "// a.cu:1",
        "if (master != nullptr) return;",
        "const GM_ADDR pointer_3 = master;",
        "master = nullptr;",
        "lanes.Store<float, 1>(pointer_3);",
    ];
    assert_eq!(made, expected);
}

#[test]
fn only_counters_of_loops_are_the_same_in_a_pass() {
    for (name, kept) in [("passes1", 1), ("passes_left", 2)] {
        let made = tidied(lines(&[
            &format!("int64_t {name} = 0;"),
            &format!("const int64_t base = {name} * tiling_.n * 3;"),
            "lanes.Store<float, 1>(base, base);",
            &format!("const int64_t base_2 = {name} * tiling_.n * 3;"),
            "lanes.Store<float, 1>(base_2, base_2);",
        ]));
        assert_eq!(made.iter().filter(|line| line.contains("tiling_.n")).count(), kept);
    }
}

#[test]
fn constants_are_not_moved_into_loops() {
    let mut nodes = lines(&["const int64_t value = tiling_.n * tiling_.n;"]);
    let body = lines(&["passes1 = value;", "lanes.Store<float, 1>(value);"]);
    nodes.push(Node::Nest { head: "while (true)".to_owned(), body, repeats: true });
    assert_eq!(tidied(nodes)[0], "const int64_t value = tiling_.n * tiling_.n;");
}

#[test]
fn results_are_made_where_they_go_and_only_if_somebody_reads_them() {
    let made = tidied(lines(&[
        "Add(aLanes, sumVariable, sumVariable, lanes.padded);",
        "lanes.Move(sumVariable, aLanes);",
        "Muls(bLanes, sumVariable, 2.0f, lanes.padded);",
        "lanes.Store<float, 1>(yGm_, sumVariable);",
    ]));
    let store = "lanes.Store<float, 1>(yGm_, sumVariable);";
    assert_eq!(made, ["Add(sumVariable, sumVariable, sumVariable, lanes.padded);", store]);
    let read_twice = [
        "Add(aLanes, sumVariable, sumVariable, lanes.padded);",
        "lanes.Move(sumVariable, aLanes);",
        "lanes.Store<float, 1>(yGm_, aLanes);",
    ];
    assert_eq!(tidied(lines(&read_twice)), read_twice);
}

#[test]
fn numbers_stand_where_they_are_used_and_vectors_are_changed_on_the_way() {
    let made = tidied(lines(&[
        "const int32_t value = 128;",
        "const bool value_2 = (i) >= ((value) == 0 ? static_cast<int32_t>(0) : 1024 / (value));",
        "if (value_2) return;",
        "Adds(sumVariable, bLanes, 0, lanes.padded);",
        "Muls(sumVariable, sumVariable, 4, lanes.padded);",
        "Adds(sumVariable, bLanes, 0.0f, lanes.padded);",
        "Muls(sumVariable, sumVariable, 4, lanes.padded);",
        "lanes.Store<float, 1>(yGm_, sumVariable);",
    ]));
    let expected = [
        "if (i >= 8) return;",
        "Muls(sumVariable, bLanes, 4, lanes.padded);",
        "Adds(sumVariable, bLanes, 0.0f, lanes.padded);",
        "Muls(sumVariable, sumVariable, 4, lanes.padded);",
        "lanes.Store<float, 1>(yGm_, sumVariable);",
    ];
    assert_eq!(made, expected);
}

#[test]
fn loops_have_their_condition_at_the_head() {
    let body = lines(&[
        "// a.cu:1",
        "const bool value = passes1 < 4;",
        "if (!(value)) break;",
        "lanes.Store<float, 1>(1);",
        "const int32_t value_2 = i + 1;",
        "i = value_2;",
    ]);
    let nodes = vec![Node::Nest { head: "while (true)".to_owned(), body, repeats: true }];
    let expected = ["while (passes1 < 4) {", "// a.cu:1", "lanes.Store<float, 1>(1);", "++i;", "}"];
    assert_eq!(tidied(nodes), expected);
}

#[test]
fn conditions_of_nothing_go() {
    let nest =
        |head: &str, body: Vec<Node>| Node::Nest { head: head.to_owned(), body, repeats: false };
    let unread = || lines(&["Add(aLanes, aLanes, bLanes, lanes.padded);"]);
    let nodes = vec![
        nest("if (lanes.Any(sumVariable))", unread()),
        nest("if (tiling_.k == 1u)", unread()),
        nest("else", lines(&["return;"])),
    ];
    assert_eq!(tidied(nodes), ["if (tiling_.k == 1u) {", "}", "else {", "return;", "}"]);
}

#[test]
fn what_a_vector_still_holds_is_not_made_again() {
    let mask = "lanes.MaskOf(aLanes, everyone);";
    let read = "lanes.Store<float, 1>(yGm_, lanes::Row(0), bLanes, aLanes);";
    let bytes = |name: &str| match name {
        "aLanes" => Some((0, 4)),
        "bLanes" => Some((4, 8)),
        _ => Some((2, 6)),
    };
    let kept = |text: &[&str]| {
        let mut out = Vec::new();
        flat(&unrepeated(&tile(), &bytes, lines(text)), &mut out);
        out.iter().filter(|line| *line == mask).count()
    };
    assert_eq!(kept(&[mask, read, mask]), 1);
    assert_eq!(kept(&[mask, "Add(bLanes, bLanes, bLanes, lanes.padded);", mask]), 1);
    // It, or what overlaps it, is written, or may be.
    assert_eq!(kept(&[mask, "lanes.MaskNot(aLanes, aLanes);", mask]), 2);
    assert_eq!(kept(&[mask, "Duplicate(sumVariable, 0.0f, lanes.padded);", mask]), 2);
    assert_eq!(kept(&[mask, "lanes.Unknown(bLanes, aLanes);", mask]), 2);
}

#[test]
fn stores_are_waited_for_once() {
    let wait = passes_wait();
    let made = tidied(lines(&[wait, wait, "lanes.Store<float, 1>(yGm_, 1);", wait, "// a.cu:1"]));
    assert_eq!(made, [wait, "lanes.Store<float, 1>(yGm_, 1);", wait]);
    let body = lines(&[wait, "lanes.Store<float, 1>(yGm_, 1);"]);
    let mut nodes = lines(&[wait]);
    nodes.push(Node::Nest { head: "while (true)".to_owned(), body, repeats: true });
    assert_eq!(tidied(nodes).iter().filter(|line| *line == wait).count(), 2);
}

#[test]
fn a_block_waits_for_its_own_stores_alone() {
    let wait = passes_wait();
    let store = "lanes.Store<float, 1>(yGm_, 1);";
    let shared = "lanes.StoreShared<float, 1>(shared_, aLanes, bLanes, everyone);";
    let made = |one_core| tidied_for(lines(&[wait, shared, wait, store, wait]), one_core);
    assert_eq!(made(false), [shared, store, wait]);
    assert_eq!(made(true), [wait, shared, store, wait]);
    // What a pass stores the next one may read.
    let body = lines(&[wait, "lanes.Store<float, 1>(yGm_, 1);"]);
    let nodes = vec![Node::Nest { head: "while (true)".to_owned(), body, repeats: true }];
    assert_eq!(tidied_for(nodes, false), ["while (true) {", wait, store, "}"]);
}

fn passes_wait() -> &'static str {
    "lanes::Wait<HardEvent::MTE3_MTE2>();"
}

#[test]
fn comments_stand_once_before_what_they_are_about() {
    let made = tidied(lines(&[
        "// a.cu:1",
        "// a.cu:2",
        "lanes.Store<float, 1>(yGm_, 1);",
        "// a.cu:2",
        "lanes.Store<float, 1>(yGm_, 2);",
        "// a.cu:3",
    ]));
    let expected =
        ["// a.cu:2", "lanes.Store<float, 1>(yGm_, 1);", "lanes.Store<float, 1>(yGm_, 2);"];
    assert_eq!(made, expected);
}
