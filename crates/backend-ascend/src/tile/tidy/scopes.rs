//! Names in the text of a function: the number at the end of a name goes where nothing else has the
//! name without it, since the parts of the translation number names for the whole function.

use std::collections::BTreeMap;

/// A word of the text.
struct Word {
    start: usize,
    end: usize,
}

/// The text of a function's body with names as short as they can be; `is_free` says whether a name
/// means nothing outside of the text.
pub(in crate::tile) fn short_names(text: &str, is_free: &dyn Fn(&str) -> bool) -> String {
    let words = words(text);
    let ends = ends_of_blocks(text);
    // Where each name stands, in order; names that are given later are added.
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for word in &words {
        if let Some(name) = text.get(word.start..word.end) {
            places.entry(name.to_owned()).or_default().push(word.start);
        }
    }
    let mut renames: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let Some((name, offset)) = defined(line) else { continue };
        let Some((base, number)) = name.rsplit_once('_') else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        let place = at + offset;
        let end = ends.iter().find(|(from, to)| *from <= place && place < *to).map(|(_, to)| *to);
        let end = end.unwrap_or(text.len());
        let own: Vec<usize> = inside(places.get(name), place, end).to_vec();
        // Used before it is defined: another one of this name.
        if own.first() != Some(&place) || base.is_empty() {
            continue;
        }
        let wishes = std::iter::once(base.to_owned())
            .chain((2..number.min(10)).map(|n| format!("{base}_{n}")));
        for wish in wishes {
            // Anywhere before: it may be in scope here.
            let before = places.get(&wish).is_some_and(|all| {
                all.iter().any(|known| *known < place && in_scope(*known, place, &ends))
            });
            if before || !inside(places.get(&wish), place, end).is_empty() || !is_free(&wish) {
                continue;
            }
            for at in &own {
                renames.insert(*at, (at + name.len(), wish.clone()));
            }
            if let Some(all) = places.get_mut(name) {
                all.retain(|at| !own.contains(at));
            }
            let all = places.entry(wish).or_default();
            all.extend(&own);
            all.sort_unstable();
            break;
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (from, (to, name)) in renames {
        out.push_str(text.get(done..from).unwrap_or(""));
        out.push_str(&name);
        done = to;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

/// The places of a name in a part of the text.
fn inside(places: Option<&Vec<usize>>, from: usize, to: usize) -> &[usize] {
    let Some(places) = places else { return &[] };
    let first = places.partition_point(|place| *place < from);
    let last = places.partition_point(|place| *place < to);
    places.get(first..last).unwrap_or(&[])
}

/// Whether what is defined at one place may be seen at a later one.
fn in_scope(known: usize, place: usize, ends: &[(usize, usize)]) -> bool {
    match ends.iter().find(|(from, to)| *from <= known && known < *to) {
        Some((_, to)) => place < *to,
        None => true,
    }
}

/// The blocks of a text, inner ones first.
fn ends_of_blocks(text: &str) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut blocks = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with("//") {
            // The braces of a list close in their own line.
            let trimmed = line.trim();
            if trimmed.starts_with('}')
                && let Some(from) = open.pop()
            {
                blocks.push((from, start));
            }
            if trimmed.ends_with('{') {
                open.push(start + line.len());
            }
        }
        start += line.len();
    }
    blocks.sort_by_key(|(from, to)| to - from);
    blocks
}

fn words(text: &str) -> Vec<Word> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with("//") {
            let mut at = 0;
            while let Some(found) = line.get(at..).and_then(|rest| rest.find(is_word)) {
                let from = at + found;
                let rest = line.get(from..).unwrap_or("");
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let before = line.get(..from).unwrap_or("");
                let is_member = before.ends_with('.') || before.ends_with("::");
                if !is_member && !rest.starts_with(|c: char| c.is_ascii_digit()) {
                    words.push(Word { start: start + from, end: start + from + length });
                }
                at = from + length;
            }
        }
        start += line.len();
    }
    words
}

/// The name that a line defines, and where it stands in the line.
fn defined(line: &str) -> Option<(&str, usize)> {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") {
        return None;
    }
    let head = match line.split_once(" = ") {
        Some((head, _)) => head,
        None => line.trim_end().strip_suffix(';')?,
    };
    let (ty, name) = head.rsplit_once(' ')?;
    let ty = ty.trim_start();
    let is_type = |c: char| c.is_ascii_alphanumeric() || "_:<> *".contains(c);
    let is_definition = !ty.is_empty()
        && ty.chars().all(is_type)
        && !matches!(ty, "return" | "goto" | "case")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_definition.then_some((name, head.len() - name.len()))
}

#[cfg(test)]
mod tests {
    use super::short_names;

    #[test]
    fn numbers_go_where_the_name_is_free() {
        let text = "\
    const auto x_3 = Lanes<float>(0);
    if (a) {
        const float m_2 = x_3 + tiling_.m;
        // m_2 of the source
        use(m_2);
    } else {
        const float m_4 = x_3;
        const float m_5 = m_4 + lanes.m_5;
    }
    const float taken_2 = 1.0f;
";
        let expected = "\
    const auto x = Lanes<float>(0);
    if (a) {
        const float m = x + tiling_.m;
        // m_2 of the source
        use(m);
    } else {
        const float m = x;
        const float m_2 = m + lanes.m_5;
    }
    const float taken_2 = 1.0f;
";
        assert_eq!(short_names(text, &|name| name != "taken"), expected);
    }

    #[test]
    fn names_that_are_in_use_are_kept() {
        for text in [
            "int m = 0;\nif (a) {\n    const int m_2 = m;\n}\n",
            "const int m_2 = 1;\nuse(m);\n",
            "if (a) {\n    use(m_2);\n}\nconst int k_1x = 1;\n",
            "m_2 = 5;\n",
        ] {
            assert_eq!(short_names(text, &|_| true), text);
        }
    }
}
