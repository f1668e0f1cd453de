//! The syntax tree with types: one wrapper per kind of node of tree-sitter-cpp, with its fields and
//! children as methods. A wrapper is a node and nothing more; going from one to tokens is
//! [`Parsed`](crate::Parsed)'s business. Every accessor may find nothing, because any text has a
//! tree and broken text a broken one.
//!
//! `generated.rs` comes from the grammar's node types; this module holds what does not depend on
//! them.

use std::marker::PhantomData;

use tree_sitter::{Node, TreeCursor};

/// A wrapper of nodes of one kind, or of one of several kinds.
pub trait AstNode<'tree>: Sized {
    /// Wraps a node if it is of the kind.
    fn cast(node: Node<'tree>) -> Option<Self>;

    /// The node.
    fn node(&self) -> Node<'tree>;
}

/// A token that the grammar gives no name: a keyword or punctuator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token<'tree>(Node<'tree>);

impl<'tree> Token<'tree> {
    /// Its text.
    pub fn text(&self) -> &'static str {
        self.0.kind()
    }
}

impl<'tree> AstNode<'tree> for Token<'tree> {
    fn cast(node: Node<'tree>) -> Option<Self> {
        (!node.is_named() && !node.is_missing()).then_some(Token(node))
    }

    fn node(&self) -> Node<'tree> {
        self.0
    }
}

impl SyntaxKind {
    /// The kind of a node. Constant time, without text.
    pub fn of(node: Node<'_>) -> SyntaxKind {
        if node.is_error() {
            return SyntaxKind::Error;
        }
        generated::KINDS.get(usize::from(node.kind_id())).copied().unwrap_or(SyntaxKind::Error)
    }
}

/// The child in a field.
fn child<'tree, T: AstNode<'tree>>(node: Node<'tree>, field: u16) -> Option<T> {
    T::cast(node.child_by_field_id(field)?)
}

/// Children of one type, in order. Others that stand between them (comments, errors) are passed.
pub struct Children<'tree, T> {
    cursor: TreeCursor<'tree>,
    field: Option<u16>,
    /// The cursor stands on a child that was not looked at yet.
    more: bool,
    of: PhantomData<T>,
}

impl<'tree, T: AstNode<'tree>> Children<'tree, T> {
    fn new(node: Node<'tree>, field: Option<u16>) -> Self {
        let mut cursor = node.walk();
        let more = cursor.goto_first_child();
        Children { cursor, field, more, of: PhantomData }
    }

    fn of_field(node: Node<'tree>, field: u16) -> Self {
        Self::new(node, Some(field))
    }

    fn without_field(node: Node<'tree>) -> Self {
        Self::new(node, None)
    }
}

impl<'tree, T: AstNode<'tree>> Iterator for Children<'tree, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        while self.more {
            let node = self.cursor.node();
            let field = self.cursor.field_id().map(std::num::NonZeroU16::get);
            self.more = self.cursor.goto_next_sibling();
            // What is in no field is a named node; the punctuators around it are not children.
            if field == self.field
                && (field.is_some() || node.is_named())
                && let Some(child) = T::cast(node)
            {
                return Some(child);
            }
        }
        None
    }
}

/// Defines the wrapper of a kind.
macro_rules! node {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'tree>(Node<'tree>);

        impl<'tree> AstNode<'tree> for $name<'tree> {
            fn cast(node: Node<'tree>) -> Option<Self> {
                (SyntaxKind::of(node) == SyntaxKind::$name).then_some($name(node))
            }

            fn node(&self) -> Node<'tree> {
                self.0
            }
        }
    };
}

/// Defines an enum over kinds, groups of kinds and perhaps tokens.
macro_rules! union {
    (
        $(#[$attribute:meta])* $name:ident { $($kind:ident)* } groups { $($group:ident)* }
        $(, $token:ident)?
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name<'tree> {
            $(#[doc = concat!("See [`", stringify!($kind), "`](struct@", stringify!($kind), ").")]
            $kind($kind<'tree>),)*
            $(#[doc = concat!("Any of [`", stringify!($group), "`](enum@", stringify!($group), ").")]
            $group($group<'tree>),)*
            $(#[doc = concat!("A ", stringify!($token), ".")]
            Token(Token<'tree>),)?
        }

        impl<'tree> AstNode<'tree> for $name<'tree> {
            fn cast(node: Node<'tree>) -> Option<Self> {
                match SyntaxKind::of(node) {
                    $(SyntaxKind::$kind => return Some($name::$kind($kind(node))),)*
                    _ => {}
                }
                $(if let Some(group) = $group::cast(node) {
                    return Some($name::$group(group));
                })*
                $(if let Some($token) = Token::cast(node) {
                    return Some($name::Token($token));
                })?
                None
            }

            fn node(&self) -> Node<'tree> {
                match self {
                    $($name::$kind(inner) => inner.node(),)*
                    $($name::$group(inner) => inner.node(),)*
                    $(#[allow(unused_variables)] $name::Token($token) => $token.node(),)?
                }
            }
        }
    };
}

#[rustfmt::skip]
mod generated;

pub use generated::*;

#[cfg(test)]
mod tests {
    use super::*;

    fn language() -> tree_sitter::Language {
        tree_sitter_cpp::LANGUAGE.into()
    }

    fn parse(text: &str) -> tree_sitter::Tree {
        let mut parser = tree_sitter::Parser::new();
        parser.set_language(&language()).unwrap();
        parser.parse(text, None).unwrap()
    }

    #[test]
    fn numbers_are_those_of_the_grammar() {
        let language = language();
        assert_eq!(generated::KINDS.len(), language.node_kind_count());
        for (id, kind) in generated::KINDS.iter().enumerate() {
            if *kind != SyntaxKind::Anonymous {
                assert_eq!(language.node_kind_for_id(id as u16), Some(kind.as_str()));
            }
        }
        for (name, number) in generated::FIELDS {
            assert_eq!(language.field_name_for_id(*number), Some(*name));
        }
        assert_eq!(generated::FIELDS.len(), language.field_count());
    }

    #[test]
    fn fields_and_children_are_typed() {
        let text = "void k(int n) { for (int i = 0; i < n; ++i) x[i] = f<float>(a, b + 1); }";
        let tree = parse(text);
        let unit = TranslationUnit::cast(tree.root_node()).unwrap();
        let function = FunctionDefinition::cast(unit.node().named_child(0).unwrap()).unwrap();
        let body = function.body().unwrap();
        let body = CompoundStatement::cast(body.node()).unwrap();
        let statement = Statement::cast(body.node().named_child(0).unwrap()).unwrap();
        let Statement::ForStatement(statement) = statement else { panic!("{statement:?}") };
        assert!(statement.initializer().is_some());
        let Some(Statement::ExpressionStatement(inner)) = statement.body() else { panic!() };
        let assignment = AssignmentExpression::cast(inner.node().named_child(0).unwrap()).unwrap();
        assert_eq!(assignment.operator().unwrap().text(), "=");
        let call = CallExpression::cast(assignment.right().unwrap().node()).unwrap();
        let arguments = call.arguments().unwrap();
        assert_eq!(arguments.children().count(), 2);
    }

    #[test]
    fn broken_nodes_give_nothing() {
        let tree = parse("void f() { if (; }");
        let mut cursor = tree.walk();
        // Every node answers; none of them panics.
        loop {
            let node = cursor.node();
            assert_eq!(SyntaxKind::of(node) == SyntaxKind::Error, node.is_error());
            if let Some(statement) = IfStatement::cast(node) {
                let _ = (statement.condition(), statement.consequence(), statement.alternative());
            }
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }
}
