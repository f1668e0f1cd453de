//! The [`Module`]: everything known of one translation unit under one configuration.

use port_diag::{Diagnostic, Expansions};
use port_syntax::SymbolMap;

use crate::*;

/// A half-open range of tokens of `Preprocessed::tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TokenRange {
    /// First token.
    pub start: u32,
    /// One past the last token.
    pub end: u32,
}

impl TokenRange {
    /// As a range for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One translation unit under one configuration.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Functions, in order of first declaration.
    pub functions: Arena<Function>,
    /// Records, in order of first declaration.
    pub records: Arena<Record>,
    /// Variables outside functions, in order of first declaration.
    pub variables: Arena<Variable>,
    /// Aliases, local ones included.
    pub aliases: Arena<Alias>,
    /// Enumerations, local ones included.
    pub enums: Arena<Enum>,
    /// Namespaces; the first is the global one.
    pub namespaces: Arena<Namespace>,
    /// Parameters and local variables of all functions and lambdas.
    pub locals: Arena<Local>,
    /// Lambdas.
    pub lambdas: Arena<Lambda>,
    /// Launches, in order of the text.
    pub launches: Arena<Launch>,
    /// All types.
    pub types: Arena<Ty>,
    /// All expressions.
    pub exprs: Arena<Expr>,
    /// All statements.
    pub stmts: Arena<Stmt>,
    /// Explicit instantiations, in order.
    pub instantiations: Vec<ExplicitInstantiation>,
    /// Kernels named without a launch, in order.
    pub kernel_uses: Vec<KernelUse>,
    /// Other things of namespace scope, in order.
    pub others: Vec<OtherItem>,
    /// What the identifiers of the user's text mean.
    pub meanings: Meanings,
    /// The expansion frames that origins refer to.
    pub expansions: Expansions,
    /// Findings, in order.
    pub diagnostics: Vec<Diagnostic>,
    pub(crate) function_names: SymbolMap<Vec<FunctionId>>,
    pub(crate) declared_names: SymbolMap<()>,
}

impl Module {
    /// The global namespace.
    pub fn global(&self) -> NamespaceId {
        NamespaceId::from_index(0)
    }

    /// Kernels, in order of first declaration.
    pub fn kernels(&self) -> impl Iterator<Item = (FunctionId, &Function)> {
        self.functions.iter().filter(|(_, function)| function.is_kernel())
    }

    /// All functions of this unqualified name, members and friends included, in order: the
    /// candidates from which argument-dependent lookup picks by namespace.
    pub fn functions_named(&self, name: impl Into<Name>) -> &[FunctionId] {
        self.function_names.get(&name.into()).map_or(&[], |list| list)
    }

    /// Whether the user's files declare anything under this unqualified name, in any scope.
    pub fn declares(&self, name: impl Into<Name>) -> bool {
        self.declared_names.contains_key(&name.into())
    }

    /// The qualified name of something declared in `parent`: `a::B::c`. Anonymous parts are left
    /// out.
    pub fn qualified_name(&self, parent: Parent, name: &str) -> String {
        let mut parts = vec![name.to_string()];
        let mut next = Some(parent);
        while let Some(parent) = next {
            let name = match parent {
                Parent::Namespace(id) => {
                    let namespace = &self.namespaces[id];
                    next = namespace.parent.map(Parent::Namespace);
                    namespace.name
                }
                Parent::Record(id) => {
                    next = Some(self.records[id].parent);
                    self.records[id].name
                }
                Parent::Function(id) => {
                    next = Some(self.functions[id].parent);
                    self.functions[id].name
                }
            };
            if !name.as_str().is_empty() {
                parts.push(name.to_string());
            }
        }
        parts.reverse();
        parts.join("::")
    }

    /// The qualified name of a function.
    pub fn function_name(&self, id: FunctionId) -> String {
        let function = &self.functions[id];
        self.qualified_name(function.parent, function.name.as_str())
    }
}
