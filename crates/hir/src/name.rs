//! Names as written ([`NameRef`]) and what lookup made of them ([`Res`]).
//!
//! Lookup is lexical and happens once, at the place of the name: no overload is chosen, no template
//! argument is substituted, and argument-dependent lookup is left to lowering (which finds the
//! candidates with [`Module::functions_named`](crate::Module::functions_named)).

use port_diag::Origin;

use crate::{
    AliasId, EnumId, ExprId, FunctionId, LocalId, NamespaceId, RecordId, TyId, VariableId,
};

/// An identifier: interned, copyable, compared by identity, ordered by text
/// ([`as_str`](port_syntax::Symbol::as_str) gives the text). Operators are `operator+`, `operator()`, `operator new[]`; a
/// conversion function is `operator T` with its type in
/// [`FunctionKind::Conversion`](crate::FunctionKind::Conversion); a destructor is `~Record`.
pub type Name = port_syntax::Symbol;

/// A possibly qualified name with template arguments: `::a::B<int>::c<3>`.
#[derive(Clone, Debug, PartialEq)]
pub struct NameRef {
    /// Whether it begins with `::`.
    pub global: bool,
    /// Whether `typename` stands before it.
    pub typename: bool,
    /// At least one part.
    pub segments: Vec<Segment>,
    /// What the whole name means.
    pub resolution: Res,
}

impl NameRef {
    /// The last part: the name proper.
    pub fn last(&self) -> Option<&Segment> {
        self.segments.last()
    }

    /// The unqualified name, when there is no qualifier.
    pub fn unqualified(&self) -> Option<&Segment> {
        match &*self.segments {
            [only] if !self.global => Some(only),
            _ => None,
        }
    }

    /// As written, without template arguments: `a::B::c`.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 || self.global {
                path.push_str("::");
            }
            path.push_str(segment.name.as_str());
        }
        path
    }
}

/// One part of a [`NameRef`].
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// The identifier.
    pub name: Name,
    /// Explicit template arguments: `Some` also for an empty `<>`.
    pub arguments: Option<Vec<TemplateArgument>>,
    /// Where the identifier is.
    pub origin: Origin,
}

/// An explicit template argument. A pack expansion is
/// [`TyKind::PackExpansion`](crate::TyKind::PackExpansion) or
/// [`ExprKind::PackExpansion`](crate::ExprKind::PackExpansion). The name of a template that is
/// passed to a template template parameter is a [`TyKind::Named`](crate::TyKind::Named) without
/// arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateArgument {
    /// A type or a template.
    Type(TyId),
    /// A value.
    Value(ExprId),
}

/// A template parameter, by position: `depth` counts the template parameter lists around the place
/// from the outside (a class template 0, its member template 1), `index` the parameter in that list.
/// Redeclarations with other spellings therefore agree. Members of an explicit specialisation do not
/// count its empty `template <>`. An abbreviated parameter (`auto x` of a function or lambda) is a
/// parameter of the innermost list, after the named ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateParameterRef {
    /// Which list, from the outside.
    pub depth: u16,
    /// Which parameter of the list.
    pub index: u16,
}

/// What a name means.
#[derive(Clone, Debug, PartialEq)]
pub enum Res {
    /// A local variable, parameter, structured binding or init-capture of the enclosing functions
    /// and lambdas.
    Local(LocalId),
    /// A template parameter: a type, a value or a template.
    TemplateParameter(TemplateParameterRef),
    /// Functions or function templates visible under the name, in order of declaration. Not empty;
    /// never members that need an object (these are [`Res::Methods`]). A user's functions of the
    /// global namespace stand beside a library's of the same name (`max`, `atomicAdd`): where none
    /// of them fits a call, the library's may.
    Functions(Vec<FunctionId>),
    /// Member functions, static ones included, found in `record` (or in a base of it) from inside a
    /// member function, or by qualification.
    Methods {
        /// Where lookup found them.
        record: RecordId,
        /// The overload set. Not empty.
        functions: Vec<FunctionId>,
    },
    /// A data member found in `record` (or a base): through the implicit `this`, or by
    /// qualification.
    Field {
        /// The record that declares it.
        record: RecordId,
        /// Position in [`Record::fields`](crate::Record::fields).
        index: u32,
    },
    /// A variable of namespace scope, a static data member or a variable template.
    Variable(VariableId),
    /// An enumerator.
    EnumConstant {
        /// Its enumeration.
        enumeration: EnumId,
        /// Position in [`Enum::constants`](crate::Enum::constants).
        index: u32,
    },
    /// A record or class template (the primary one; explicit arguments are in the segment). Also
    /// the injected class name, which without arguments means the record it stands in.
    Record(RecordId),
    /// An enumeration.
    Enum(EnumId),
    /// A `typedef`, `using` or alias template.
    Alias(AliasId),
    /// A namespace.
    Namespace(NamespaceId),
    /// A name of the CUDA API or of another library that the API tables know, by the key of its row
    /// (`threadIdx`, `__shfl_xor_sync`, `float4`, `std::max`, `cooperative_groups::this_grid`).
    /// Not declared by the user's files.
    Api(Name),
    /// A name of the C or C++ library or of another external library that has no row: `std::vector`,
    /// `printf`. The text is qualified where the use was.
    Library(Name),
    /// A member of something that only lowering can look into: the first `resolved` segments mean
    /// `prefix` (a template parameter, a class template with arguments, an alias, a `decltype`
    /// standing as the first segment); the rest are looked up there after substitution.
    Member {
        /// What the resolved part means.
        prefix: Box<Res>,
        /// Number of segments that `prefix` covers.
        resolved: u32,
    },
    /// An unqualified name in a member of a record with dependent or unknown bases, or a function
    /// name in a template with dependent arguments: found, if at all, after substitution (in the
    /// bases, or by the arguments' namespaces).
    Dependent,
    /// Nothing under this name is in view.
    Unresolved,
}

impl Res {
    /// Whether the name denotes a type or a class template.
    pub fn is_type(&self) -> bool {
        matches!(self, Res::Record(_) | Res::Enum(_) | Res::Alias(_))
    }
}
