//! The text form: what is read prints as it was, and what is wrong is refused at the right place.

use port_diag::FileId;
use port_ir::{Origins, PrintOptions, parse, print};

fn round_trip(text: &str) {
    let module = parse(text, FileId(0)).unwrap_or_else(|error| panic!("{error}"));
    let printed = print(&module, &PrintOptions::default());
    for (number, (left, right)) in text.lines().zip(printed.lines()).enumerate() {
        assert_eq!(left, right, "line {}", number + 1);
    }
    assert_eq!(text, printed);
}

#[test]
fn every_construct_prints_as_it_was_read() {
    round_trip(include_str!("text/everything.ir"));
}

/// The line, column and message with which the text is refused.
fn refusal(text: &str) -> String {
    match parse(text, FileId(0)) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_point_at_their_place() {
    let cases = [
        ("kernel @k() {\n  store $x, 1i32\n}\n", "2:9: there is no local `x`"),
        ("kernel @k() {\n  %0 = iadd 1i32\n}\n", "2:13: 2 operands were expected, not 1"),
        ("kernel @k() {\n  %0 = iadd %1, 1i32\n}\n", "2:13: `%1` is not defined above"),
        ("kernel @k() {\n  %0 = frobnicate 1i32\n}\n", "2:8: `frobnicate` is not an operation"),
        ("kernel @k() {\n  frobnicate 1i32\n}\n", "2:3: `frobnicate` is not a statement"),
        ("kernel @k() {\n  load 1i32\n}\n", "2:3: this statement needs a result: `%0: type = …`"),
        (
            "kernel @k() {\n  sleep 300u8\n}\n",
            "2:9: a number of a type, and that fits it, was expected",
        ),
        ("kernel @k() {\n  trap", "2:7: `}` expected before the end of the text"),
        (
            "kernel @k() {\n  %0: f32 = load.sometimes $x\n}\n",
            "2:13: `sometimes` does not qualify an access",
        ),
        ("kernel @k(%a: f33) {\n}\n", "1:15: `f33` is not a type"),
        ("kernel @k(%a: #S) {\n}\n", "1:15: there is no struct `S` above"),
        ("kernel @k() {\n}\nkernel @k() {\n}\n", "3:1: a second function `k`"),
        ("variable @x: shared f32 = \"abc\"\n", "1:27: pairs of hexadecimal digits were expected"),
        ("kernel @k() {\n  print \"abc\n}\n", "2:9: this string does not end on its line"),
        ("kernel @k() {\n  é\n}\n", "2:3: this character begins nothing"),
    ];
    for (text, expected) in cases {
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn blocks_that_are_too_deep_are_refused() {
    let mut text = "kernel @k() {\n".to_string();
    text.push_str(&"block {\n".repeat(100_000));
    assert!(refusal(&text).contains("nested deeper"));
}

#[test]
fn what_nobody_uses_is_left_out_and_sharing_is_placed_outermost() {
    // %1 is unused. %2 is used in both arms, so its innermost common block is the body.
    let text = "kernel @k(%c: bool, %n: i32, %p: ptr global) {
  %1 = iadd %n, 1i32
  if %c {
    %2 = imul %n, 2i32
    store %p, %2
  } else {
    store %p, %2
  }
}
";
    let expected = "kernel @k(%c: bool, %n: i32, %p: ptr global) {
  %0 = imul %n, 2i32
  if %c {
    store %p, %0
  } else {
    store %p, %0
  }
}
";
    let module = parse(text, FileId(0)).unwrap();
    assert_eq!(print(&module, &PrintOptions::default()), expected);
}

#[test]
fn origins_are_shown_as_file_and_line() {
    let text = "kernel @k(%p: ptr global) {\n  ; a comment\n  store %p, 1i32\n}\n";
    let mut files = port_diag::SourceMap::new();
    let file = files.add("k.ir", text);
    let module = parse(text, file).unwrap();
    let printed = print(&module, &PrintOptions { origins: Origins::Lines(&files) });
    assert_eq!(printed, "kernel @k(%p: ptr global) {\n  store %p, 1i32 ; k.ir:3\n}\n");
}
