//! Where declarations begin and end: the outline of a file, from the tree alone.

use std::ops::Range;

use super::Parsed;
use crate::ast::SyntaxKind;

impl Parsed {
    /// The tokens of the declaration of namespace scope that holds a token, its qualifiers and
    /// template header included; `None` where the grammar made nothing of the text around it.
    pub fn declaration_around(&self, token: usize) -> Option<Range<usize>> {
        let start = *self.starts.get(token)? as usize;
        let mut cursor = self.tree().walk();
        let mut declaration = None;
        // Down to the token, because every step up would begin at the root again.
        loop {
            let scope = matches!(
                SyntaxKind::of(cursor.node()),
                SyntaxKind::TranslationUnit | SyntaxKind::DeclarationList
            );
            if cursor.goto_first_child_for_byte(start).is_none() {
                break;
            }
            let node = cursor.node();
            if scope {
                declaration = Some(node);
            }
            if node.is_error() {
                declaration = None;
            }
        }
        let mut tokens = self.tokens_in(declaration?);
        if let Some(first) = self.hidden_before(tokens.start).first() {
            tokens.start = first.tokens.start;
        }
        tokens.contains(&token).then_some(tokens)
    }
}

#[cfg(test)]
mod tests {
    use port_diag::SourceMap;

    use crate::{Configuration, parse, preprocess};

    #[test]
    fn the_declaration_around_a_token_has_its_qualifiers_and_header() {
        let mut sources = SourceMap::new();
        let text =
            "int a;\nnamespace n {\ntemplate <class T>\n__global__ void k(T *x) { x[0] = 1; }\n}\n";
        let root = sources.add("k.cu", text);
        let parsed = parse(preprocess(&sources, root, &Configuration::cuda(80)));
        let one = parsed.tokens().iter().position(|t| t.text == "1").expect("it is there");
        let around = parsed.declaration_around(one).expect("a declaration");
        let words: Vec<_> = parsed.tokens()[around].iter().map(|t| t.text.as_str()).collect();
        assert_eq!(words.first(), Some(&"template"));
        assert_eq!(words.last(), Some(&"}"));
        let a = parsed.declaration_around(1).expect("a declaration");
        assert_eq!(a, 0..3);
    }
}
