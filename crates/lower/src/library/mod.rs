//! What CUDA's and C++'s headers declare, as far as device code needs it: types that are built in,
//! constants, and declarations written in C++ and read by the front end like any other source.
//!
//! Declarations come from three places: the texts beside this file (type traits, cooperative
//! groups …), families of mathematical overloads that are generated here, and the signatures of the
//! API's rows. A function that is only declared is an operation of [`crate::intrinsics`]; one with a
//! body is lowered as the user's own are. Each text is read once in a process, when a name of it is
//! first asked for.

mod names;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use port_diag::{Origin, SourceMap};
use port_hir::{
    AliasId, EnumId, FunctionId, Module, Name, Parent, RecordId, TemplateArgument, VariableId,
};
use port_ir::{Fragment, FragmentElement, FragmentUse, MatrixLayout, Scalar};
use port_syntax::Configuration;

use crate::check::Checker;
use crate::context::Unit;
use crate::lookup::{Entity, VariableName};
use crate::overload::{Candidate, OverloadSet};
use crate::ty::{Kind, Type};
use crate::value::{Argument, Environment, TemplateKind, TemplateName, Value};

/// A text of the library, read.
pub(crate) struct LibraryModule {
    hir: Module,
    items: HashMap<String, Item>,
}

/// What a qualified name of a library text declares.
#[derive(Clone, Debug)]
enum Item {
    Functions(Vec<FunctionId>),
    Record(RecordId),
    Alias(AliasId),
    Variable(VariableId),
    Enum(EnumId),
    EnumConstant(EnumId, u32),
}

/// The texts that one lowering has asked for.
#[derive(Default)]
pub(crate) struct Library {
    units: HashMap<String, Option<Unit>>,
    modules: HashMap<Unit, &'static LibraryModule>,
}

/// What host code keeps its data in.
const HOST: [&str; 12] = [
    "vector",
    "deque",
    "span",
    "unique_ptr",
    "shared_ptr",
    "make_unique",
    "make_shared",
    "device_ptr",
    "device_vector",
    "host_vector",
    "raw_pointer_cast",
    "device_pointer_cast",
];

/// The text that declares a name, and the key under which it is kept.
fn source_of(name: &str) -> Option<(String, String)> {
    let file = |key: &str, text: &str| Some((key.to_string(), text.to_string()));
    if let Some(text) = names::generated(name) {
        return Some((format!("generated {name}"), text));
    }
    if name.strip_prefix("std::").is_some_and(|name| HOST.contains(&name)) {
        return file("host", include_str!("host.cuh"));
    }
    if name.starts_with("std::") || name.starts_with("cuda::std::") || name.starts_with("thrust::")
    {
        return file("std", include_str!("std.cuh"));
    }
    if name.starts_with("cooperative_groups::") {
        let text = concat!(include_str!("shuffle.cuh"), include_str!("cooperative_groups.cuh"));
        return file("cooperative_groups", text);
    }
    if name.starts_with("cuda::") {
        return file("cuda", include_str!("cuda.cuh"));
    }
    if name.starts_with("cub::") {
        return file("cub", concat!(include_str!("shuffle.cuh"), include_str!("cub.cuh")));
    }
    if matches!(name, "cudaGridDependencySynchronize" | "cudaTriggerProgrammaticLaunchCompletion") {
        return file("runtime", include_str!("runtime.cuh"));
    }
    if matches!(name.strip_prefix("std::").unwrap_or(name), "nan" | "nanf") {
        return file("nan", NAN);
    }
    if port_api::find(name).is_some_and(|row| row.family == "complex") {
        return file("complex", include_str!("complex.cuh"));
    }
    if ["__builtin_", "__atomic_", "__ockl_"].iter().any(|prefix| name.starts_with(prefix)) {
        return file("clang", include_str!("clang.cuh"));
    }
    if name.starts_with("__ptx_") || name.starts_with("__port_") {
        return file("ptx", port_api::ptx::FUNCTIONS);
    }
    if port_api::find(name).is_some_and(|row| row.family == "math/simd") {
        return file("simd", include_str!("simd.cuh"));
    }
    None
}

/// The quiet numbers that are none; a tag would be in bits that nothing reads.
const NAN: &str = "\
__device__ inline double nan(const char *) { return __longlong_as_double(0x7ff8000000000000ll); }
__device__ inline float nanf(const char *) { return __int_as_float(0x7fc00000); }
";

/// The text made of an API row's signatures.
fn source_of_row(name: &str) -> Option<(String, String)> {
    let row = port_api::find(name)?;
    let signatures = row.signatures;
    if signatures.is_empty()
        || !matches!(
            row.kind,
            port_api::Kind::Function
                | port_api::Kind::Macro
                | port_api::Kind::Constant
                | port_api::Kind::Variable
        )
    {
        return None;
    }
    let mut text = String::new();
    // Signatures carry the last part of the name only.
    let path: Vec<&str> = name.split("::").collect();
    let (_, namespaces) = path.split_last()?;
    for namespace in namespaces {
        text.push_str(&format!("namespace {namespace} {{\n"));
    }
    for signature in signatures {
        if !signature.contains("__gnu_cxx") {
            text.push_str(signature);
            text.push_str(";\n");
        }
    }
    text.push_str(&"}".repeat(namespaces.len()));
    Some((format!("row {name}"), text))
}

/// Reads a text, once in a process. The modules live as long as it does; there are no more of them
/// than names in the tables.
fn read(key: &str, text: &str) -> &'static LibraryModule {
    static READ: OnceLock<Mutex<HashMap<String, &'static LibraryModule>>> = OnceLock::new();
    let read = READ.get_or_init(Mutex::default);
    if let Some(module) = read.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
        return module;
    }
    let mut sources = SourceMap::new();
    let file = sources.add(key, text);
    let unit = port_syntax::preprocess(&sources, file, &Configuration::cuda(80));
    let hir = port_hir::build(&unit);
    let items = index(&hir);
    let module: &'static LibraryModule = Box::leak(Box::new(LibraryModule { hir, items }));
    // Another thread may have read it meanwhile; then both are equal, and the first is kept.
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    read.entry(key.to_string()).or_insert(module)
}

fn index(hir: &Module) -> HashMap<String, Item> {
    let mut items: HashMap<String, Item> = HashMap::new();
    let outer = |parent: Parent| matches!(parent, Parent::Namespace(_));
    for (id, function) in hir.functions.iter() {
        if !outer(function.parent) || function.specialisation.is_some() {
            continue;
        }
        let name = hir.function_name(id);
        match items.entry(name).or_insert_with(|| Item::Functions(Vec::new())) {
            Item::Functions(list) => list.push(id),
            _ => continue,
        }
    }
    for (id, record) in hir.records.iter() {
        if outer(record.parent) && record.specialisation.is_none() {
            let name = hir.qualified_name(record.parent, record.name.as_str());
            items.insert(name, Item::Record(id));
        }
    }
    for (id, alias) in hir.aliases.iter() {
        if outer(alias.parent) {
            let name = hir.qualified_name(alias.parent, alias.name.as_str());
            items.insert(name, Item::Alias(id));
        }
    }
    for (id, variable) in hir.variables.iter() {
        if outer(variable.parent) && variable.specialisation.is_none() {
            let name = hir.qualified_name(variable.parent, variable.name.as_str());
            items.insert(name, Item::Variable(id));
        }
    }
    for (id, definition) in hir.enums.iter() {
        if outer(definition.parent) {
            let name = hir.qualified_name(definition.parent, definition.name.as_str());
            items.insert(name, Item::Enum(id));
            if !definition.scoped {
                for (index, constant) in definition.constants.iter().enumerate() {
                    let name = hir.qualified_name(definition.parent, constant.name.as_str());
                    items.insert(name, Item::EnumConstant(id, index as u32));
                }
            }
        }
    }
    items
}

/// The name under which the library keeps something that has several.
fn canonical(name: &str) -> String {
    let name = name.strip_prefix("::").unwrap_or(name);
    for prefix in ["cuda::std::", "::std::", "thrust::"] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return format!("std::{rest}");
        }
    }
    name.to_string()
}

/// Rows, columns and depth of the products of fragments that CUDA has ("Element Types and Matrix Sizes" of
/// the CUDA C++ Programming Guide).
const FRAGMENT_SHAPES: [(u16, u16, u16); 7] =
    [(16, 16, 16), (32, 8, 16), (8, 32, 16), (16, 16, 8), (8, 8, 4), (8, 8, 32), (8, 8, 128)];

impl Checker<'_, '_> {
    /// The unit of a text that inline PTX became, and the function in it.
    pub(crate) fn assembly_unit(&mut self, text: &str, name: &str) -> Option<Candidate> {
        let unit = self.library_unit(format!("asm {text}"), text)?;
        let function = *self.cx.hir(unit).functions_named(name).first()?;
        Some(Candidate { function, environment: Environment::top(unit), class: None })
    }

    fn library_unit(&mut self, key: String, text: &str) -> Option<Unit> {
        if let Some(unit) = self.cx.library.units.get(&key) {
            return *unit;
        }
        let module = read(&key, text);
        let unit = Unit(self.cx.units.len() as u32);
        self.cx.units.push(&module.hir);
        self.cx.library.modules.insert(unit, module);
        self.cx.library.units.insert(key, Some(unit));
        Some(unit)
    }

    fn library_item(&mut self, name: &str) -> Option<(Unit, Item)> {
        let name = canonical(name);
        for source in [source_of(&name), source_of_row(&name)] {
            let Some((key, text)) = source else { continue };
            let Some(unit) = self.library_unit(key, &text) else { continue };
            let module = self.cx.library.modules.get(&unit)?;
            let short = name.rsplit("::").next().unwrap_or(&name);
            let item = module.items.get(&name).or_else(|| match name.strip_prefix("std::") {
                // `std::exp` is one of the generated families, which are kept without namespace.
                Some(_) => module.items.get(short),
                None => None,
            });
            if let Some(item) = item {
                return Some((unit, item.clone()));
            }
        }
        None
    }

    /// The library's functions of a name, as candidates.
    pub(crate) fn library_functions(&mut self, name: Name) -> Vec<Candidate> {
        match self.library_item(name.as_str()) {
            Some((unit, Item::Functions(functions))) => functions
                .into_iter()
                .map(|function| Candidate {
                    function,
                    environment: Environment::top(unit),
                    class: None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// What a name of a library means.
    pub(crate) fn library_entity(
        &mut self,
        key: Name,
        explicit: Option<&[TemplateArgument]>,
        origin: Origin,
    ) -> Entity {
        let name = canonical(key.as_str());
        if let Some(ty) = self.builtin_type(&name) {
            return Entity::Type(ty);
        }
        if let Some((value, ty)) = names::constant(&name) {
            return Entity::Constant(value, ty);
        }
        if names::is_builtin_variable(&name) {
            return Entity::Builtin(Name::new(&name));
        }
        if name == "nvcuda::wmma::fragment" {
            let symbol = Name::new(&name);
            let outer = Environment::top(self.env.unit);
            let which = TemplateKind::Library(symbol);
            let Some(explicit) = explicit else {
                return Entity::Template(TemplateName { which, outer });
            };
            let arguments = self.arguments(explicit);
            return match self.library_template(symbol, &arguments, origin) {
                Some(ty) => Entity::Type(ty),
                None => Entity::Nothing,
            };
        }
        if let Some(tag) = names::tag(&name) {
            return Entity::Type(self.cx.types.intern(Kind::Opaque(Name::new(tag))));
        }
        if let Some(ty) = self.framework_type(&name, explicit) {
            return Entity::Type(ty);
        }
        let Some((unit, item)) = self.library_item(&name) else { return Entity::Nothing };
        let outer = Environment::top(unit);
        match item {
            Item::Functions(functions) => {
                let candidates = functions
                    .into_iter()
                    .map(|function| Candidate { function, environment: outer.clone(), class: None })
                    .collect();
                let arguments = explicit.map(|arguments| self.arguments(arguments));
                let name = Name::new(name.rsplit("::").next().unwrap_or(&name));
                Entity::Functions(OverloadSet {
                    name,
                    candidates,
                    arguments,
                    adl: false,
                    object: None,
                })
            }
            Item::Record(record) => {
                let template = self.cx.hir(unit).records[record].template_parameters.is_some();
                match explicit {
                    Some(explicit) => {
                        let arguments = self.arguments(explicit);
                        Entity::Type(self.class_from_template(record, arguments, &outer, origin))
                    }
                    None if template => {
                        let which = TemplateKind::Record(record);
                        Entity::Template(TemplateName { which, outer })
                    }
                    None => match self.at(outer.clone()).plain_class(record, outer) {
                        Some(class) => Entity::Type(self.class_type(class)),
                        None => Entity::Nothing,
                    },
                }
            }
            Item::Alias(alias) => {
                let template = self.cx.hir(unit).aliases[alias].template_parameters.is_some();
                match explicit {
                    None if template => {
                        let which = TemplateKind::Alias(alias);
                        Entity::Template(TemplateName { which, outer })
                    }
                    _ => {
                        let arguments = explicit.map(|e| self.arguments(e)).unwrap_or_default();
                        Entity::Type(self.alias_from_template(alias, arguments, &outer, origin))
                    }
                }
            }
            Item::Variable(id) => {
                let arguments = explicit.map(|arguments| self.arguments(arguments));
                Entity::Variable(VariableName { id, outer, arguments })
            }
            Item::Enum(id) => Entity::Type(self.at(outer.clone()).enumeration(id, outer)),
            Item::EnumConstant(id, index) => self.at(outer.clone()).enumerator(id, index, outer),
        }
    }

    /// A type that is built into lowering.
    fn builtin_type(&mut self, name: &str) -> Option<Type> {
        let types = &mut self.cx.types;
        Some(match names::type_of(name)? {
            names::TypeName::Scalar(ty) => ty,
            names::TypeName::Vector(element, count) => types.vector(element, count),
            names::TypeName::Dim3 => types.dim3(),
        })
    }

    /// Types of machine-learning frameworks that map a tag to a C++ type:
    /// `c10::impl::ScalarTypeToCPPTypeT<at::ScalarType::Half>`.
    fn framework_type(
        &mut self,
        name: &str,
        explicit: Option<&[TemplateArgument]>,
    ) -> Option<Type> {
        if !name.ends_with("ScalarTypeToCPPTypeT") && !name.ends_with("ScalarTypeToCPPType") {
            return None;
        }
        let tag = match explicit? {
            [TemplateArgument::Value(value)] => match &self.hir().exprs[*value].kind {
                port_hir::ExprKind::Name(tag) => tag,
                _ => return None,
            },
            // A name that nobody declares may have been read as a type.
            [TemplateArgument::Type(ty)] => match &self.hir().types[*ty].kind {
                port_hir::TyKind::Named(tag) => tag,
                _ => return None,
            },
            _ => return None,
        };
        names::scalar_type(tag.last()?.name.as_str())
    }

    /// A type of a library's template that is modelled as a type of its own.
    pub(crate) fn library_template(
        &mut self,
        name: Name,
        arguments: &[Argument],
        _origin: Origin,
    ) -> Option<Type> {
        if name.as_str() != "nvcuda::wmma::fragment" {
            return None;
        }
        let mut arguments = arguments.iter();
        let Some(Argument::Type(operand)) = arguments.next() else { return None };
        let operand = match self.opaque_name(*operand)? {
            "matrix_a" => FragmentUse::A,
            "matrix_b" => FragmentUse::B,
            "accumulator" => FragmentUse::Accumulator,
            _ => return None,
        };
        let mut sizes = [0u16; 3];
        for size in &mut sizes {
            let Some(Argument::Value(Value::Integer(value), _)) = arguments.next() else {
                return None;
            };
            *size = u16::try_from(*value).ok()?;
        }
        let Some(Argument::Type(element)) = arguments.next() else { return None };
        let element = match self.opaque_name(*element) {
            Some("tf32") => FragmentElement::Tf32,
            Some("s4") => FragmentElement::I4,
            Some("u4") => FragmentElement::U4,
            Some("b1") => FragmentElement::B1,
            _ => FragmentElement::Scalar(self.cx.types.scalar(*element)?),
        };
        let layout = match arguments.next() {
            Some(Argument::Type(layout)) => match self.opaque_name(*layout) {
                Some("row_major") => Some(MatrixLayout::RowMajor),
                Some("col_major") => Some(MatrixLayout::ColumnMajor),
                _ => None,
            },
            _ => None,
        };
        let [m, n, k] = sizes;
        if !FRAGMENT_SHAPES.contains(&(m, n, k)) {
            return None;
        }
        let fragment = Fragment { operand, m, n, k, element, layout };
        Some(self.cx.types.intern(Kind::Fragment(fragment)))
    }

    fn opaque_name(&self, ty: Type) -> Option<&'static str> {
        match self.cx.types.kind(ty) {
            Kind::Opaque(name) => Some(name.as_str()),
            _ => None,
        }
    }

    /// The template arguments of a type that [`Checker::library_template`] made, for deduction.
    pub(crate) fn library_arguments(&mut self, key: Name, ty: Type) -> Option<Vec<Argument>> {
        let Kind::Fragment(fragment) = *self.cx.types.kind(ty) else { return None };
        if canonical(key.as_str()) != "nvcuda::wmma::fragment" {
            return None;
        }
        let mut opaque =
            |name: &str| Argument::Type(self.cx.types.intern(Kind::Opaque(Name::new(name))));
        let operand = opaque(match fragment.operand {
            FragmentUse::A => "matrix_a",
            FragmentUse::B => "matrix_b",
            FragmentUse::Accumulator => "accumulator",
        });
        let element = match fragment.element {
            FragmentElement::Tf32 => opaque("tf32"),
            FragmentElement::I4 => opaque("s4"),
            FragmentElement::U4 => opaque("u4"),
            FragmentElement::B1 => opaque("b1"),
            FragmentElement::Scalar(scalar) => Argument::Type(element_type(scalar)),
        };
        let size = |value: u16| Argument::Value(Value::Integer(i128::from(value)), Type::INT);
        let mut list = vec![operand, size(fragment.m), size(fragment.n), size(fragment.k), element];
        match fragment.layout {
            Some(MatrixLayout::RowMajor) => list.push(opaque("row_major")),
            Some(MatrixLayout::ColumnMajor) => list.push(opaque("col_major")),
            None => {}
        }
        Some(list)
    }
}

fn element_type(scalar: Scalar) -> Type {
    crate::ty::type_of_scalar(scalar)
}
