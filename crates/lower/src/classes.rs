//! Classes and enumerations with known template arguments: which specialisation is meant, what
//! members there are, and where they lie in memory (the layout of the Itanium C++ ABI, which nvcc
//! shares with GCC; checked against g++ by the tests).

use std::collections::HashMap;
use std::rc::Rc;

use port_diag::Origin;
use port_hir::{Alignment, EnumId, Parent, RecordId, RecordKind, TyKind};

use crate::check::Checker;
use crate::context::{
    BasePart, Class, ClassId, ClassSource, Completion, Enumeration, FieldPart, limits,
};
use crate::findings::{
    LimitExceeded, NotConstant, TemplateArguments, UnknownType, Unreadable, WarpSizeConstant,
};
use crate::intrinsics::Intrinsic;
use crate::lookup::Entity;
use crate::ty::{Kind, Type, builtin_size};
use crate::typed::{Expr, ExprKind};
use crate::value::{Argument, Environment, List, Value};

/// Bytes and alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) size: u64,
    pub(crate) align: u64,
}

impl Checker<'_, '_> {
    pub(crate) fn class_type(&mut self, class: ClassId) -> Type {
        self.cx.types.intern(Kind::Class(class))
    }

    /// Whether instantiations nest too deeply; reports it.
    pub(crate) fn too_deep(&mut self, origin: Origin) -> bool {
        let count = self.cx.classes.len() + self.cx.functions.len() + self.cx.enumerations.len();
        let unit = self.env.unit;
        if self.cx.depth >= limits::DEPTH {
            self.cx.endless(unit, origin, u64::from(limits::DEPTH));
        } else if count >= limits::INSTANCES {
            let what = "instances of templates".to_string();
            self.fail(origin, LimitExceeded { what, limit: limits::INSTANCES as u64 });
        } else {
            return false;
        }
        true
    }

    /// The class that a template gives for these arguments (those without a default at least).
    pub(crate) fn class_from_template(
        &mut self,
        primary: RecordId,
        given: Vec<Argument>,
        outer: &Environment,
        origin: Origin,
    ) -> Type {
        let record = &self.cx.hir(outer.unit).records[primary];
        let Some(parameters) = &record.template_parameters else {
            return match self.at(outer.clone()).plain_class(primary, outer.clone()) {
                Some(class) => self.class_type(class),
                None => Type::UNKNOWN,
            };
        };
        if self.too_deep(origin) {
            return Type::UNKNOWN;
        }
        let list = match self.complete_arguments(parameters, given, outer) {
            Ok(list) => list,
            Err(why) => {
                let name = record.name.as_str().to_string();
                self.fail(origin, TemplateArguments { name, why });
                return Type::UNKNOWN;
            }
        };
        if mentions_unknown(&list) {
            return Type::UNKNOWN;
        }
        if !outer.unit.is_user()
            && let [Argument::Type(ty)] = list[..]
            && let Some(answer) = crate::traits::transform(self, record.name.as_str(), ty)
        {
            return answer;
        }
        let key = (outer.unit, ClassSource::Record(primary), list.clone(), outer.clone());
        if let Some(class) = self.cx.class_ids.get(&key) {
            let class = *class;
            return self.class_type(class);
        }
        let Some((source, environment)) = self.choose_specialisation(primary, &list, outer, origin)
        else {
            return Type::UNKNOWN;
        };
        let class = self.add_class(source, Some(primary), list, environment, outer, key);
        self.class_type(class)
    }

    /// The class of a record that is no template itself.
    pub(crate) fn plain_class(&mut self, record: RecordId, outer: Environment) -> Option<ClassId> {
        let list: List = Rc::from([]);
        let key = (outer.unit, ClassSource::Record(record), list.clone(), outer.clone());
        if let Some(class) = self.cx.class_ids.get(&key) {
            return Some(*class);
        }
        let definition = &self.cx.hir(outer.unit).records[record];
        if self.too_deep(definition.origin) {
            return None;
        }
        let primary = definition.primary;
        // An explicit specialisation is the class that its template gives for its arguments.
        if let (Some(template), Some(specialisation)) = (primary, &definition.specialisation) {
            let origin = definition.origin;
            let given = self
                .attempt(|checker| checker.at(outer.clone()).arguments(&specialisation.arguments));
            let ty = given.map(|given| self.class_from_template(template, given, &outer, origin));
            let class = ty.and_then(|ty| self.cx.types.class(ty));
            if let Some(class) = class
                && self.cx.class(class).source == ClassSource::Record(record)
            {
                return Some(class);
            }
        }
        let environment = outer.clone();
        Some(self.add_class(record, primary, list, environment, &outer, key))
    }

    fn add_class(
        &mut self,
        source: RecordId,
        primary: Option<RecordId>,
        arguments: List,
        mut environment: Environment,
        outer: &Environment,
        key: (crate::context::Unit, ClassSource, List, Environment),
    ) -> ClassId {
        let id = ClassId(self.cx.classes.len() as u32);
        environment.class = Some(id);
        let hir = self.cx.hir(outer.unit);
        let record = &hir.records[source];
        let mut name = match record.parent {
            // A member's name has its class's template arguments.
            Parent::Record(_) => match outer.class {
                Some(around) => format!("{}::{}", self.cx.class(around).name, record.name),
                None => hir.qualified_name(record.parent, record.name.as_str()),
            },
            parent => hir.qualified_name(parent, record.name.as_str()),
        };
        if record.name.as_str().is_empty() {
            match self.typedef_name(source, outer) {
                Some(typedef) => name.push_str(typedef.as_str()),
                None => name.push_str("(anonymous)"),
            }
        }
        if !arguments.is_empty() {
            let text = self.cx.arguments_text(&arguments);
            // What is cut off is told apart by a number.
            let number = if text.ends_with('…') { format!("#{}", id.0) } else { String::new() };
            name = format!("{name}<{text}{number}>");
        }
        self.cx.classes.push(Class {
            source: ClassSource::Record(source),
            primary,
            arguments,
            environment,
            outer: outer.class,
            name,
            completion: Completion::Declared,
            union: record.kind == RecordKind::Union,
            bases: Vec::new(),
            fields: Vec::new(),
            size: 0,
            align: 1,
            captures: Vec::new(),
            visible: Rc::new(HashMap::new()),
        });
        self.cx.class_ids.insert(key, id);
        id
    }

    /// The name that `typedef struct { … } name;` gives a record without one.
    fn typedef_name(&self, record: RecordId, outer: &Environment) -> Option<port_hir::Name> {
        let hir = self.cx.hir(outer.unit);
        let named = |alias: &port_hir::Alias| match &hir.types[alias.ty].kind {
            TyKind::Named(name) => name.resolution == port_hir::Res::Record(record),
            _ => false,
        };
        hir.aliases.iter().find(|(_, alias)| named(alias)).map(|(_, alias)| alias.name)
    }

    /// The specialisation that is meant, and the environment of its members.
    fn choose_specialisation(
        &mut self,
        primary: RecordId,
        list: &List,
        outer: &Environment,
        origin: Origin,
    ) -> Option<(RecordId, Environment)> {
        let hir = self.cx.hir(outer.unit);
        let mut matching: Vec<(RecordId, Environment)> = Vec::new();
        for candidate in &hir.records[primary].specialisations {
            let record = &hir.records[*candidate];
            let Some(specialisation) = &record.specialisation else { continue };
            self.cx.depth += 1;
            match &record.template_parameters {
                None => {
                    let given = self
                        .attempt(|checker| {
                            checker.at(outer.clone()).arguments(&specialisation.arguments)
                        })
                        .and_then(|given| {
                            let parameters = hir.records[primary].template_parameters.as_ref()?;
                            self.attempt(|c| c.complete_arguments(parameters, given, outer))?.ok()
                        });
                    if given.as_ref() == Some(list) {
                        self.cx.depth -= 1;
                        return Some((*candidate, outer.clone()));
                    }
                }
                Some(parameters) => {
                    let deduced = self.deduce_specialisation(
                        parameters,
                        &specialisation.arguments,
                        list,
                        outer,
                    );
                    if let Some(own) = deduced {
                        matching.push((*candidate, outer.with(own)));
                    }
                }
            }
            self.cx.depth -= 1;
        }
        match matching.len() {
            0 => Some((primary, outer.with(list.clone()))),
            1 => matching.pop(),
            _ => {
                let best = (0..matching.len()).find(|candidate| {
                    (0..matching.len()).all(|other| {
                        other == *candidate
                            || self.specialisation_at_least(
                                matching[*candidate].0,
                                matching[other].0,
                                outer,
                            )
                    })
                });
                match best {
                    Some(best) => Some(matching.swap_remove(best)),
                    None => {
                        let name = hir.records[primary].name.as_str().to_string();
                        let why = "several partial specialisations match".to_string();
                        self.fail(origin, TemplateArguments { name, why });
                        None
                    }
                }
            }
        }
    }

    /// Finds bases, fields and layout of a class. `false`, after a finding, if that fails.
    pub(crate) fn complete(&mut self, class: ClassId) -> bool {
        match self.cx.class(class).completion {
            Completion::Complete => return true,
            Completion::InProgress | Completion::Failed(_) => return false,
            Completion::Declared => {}
        }
        let ClassSource::Record(record) = self.cx.class(class).source else { return true };
        let environment = self.cx.class(class).environment.clone();
        let hir = self.cx.hir(environment.unit);
        let definition = &hir.records[record];
        if !definition.defined {
            // Not an error in itself: a pointer to it is fine.
            return false;
        }
        if self.too_deep(definition.origin) {
            return false;
        }
        self.cx.class_mut(class).completion = Completion::InProgress;
        self.cx.depth += 1;
        // What goes wrong inside a class is no matter of the substitution that asked for it.
        let quiet = std::mem::take(&mut self.cx.quiet);
        let done = self.at(environment).complete_record(class, definition);
        self.cx.quiet = quiet;
        self.cx.depth -= 1;
        self.cx.class_mut(class).completion = match done {
            Ok(()) => Completion::Complete,
            Err(code) => Completion::Failed(code),
        };
        done.is_ok()
    }

    fn complete_record(
        &mut self,
        class: ClassId,
        definition: &port_hir::Record,
    ) -> Result<(), &'static str> {
        let unit = self.env.unit;
        if let Some(poison) = &definition.poison {
            let what = format!("`{}`", definition.name);
            return Err(self.cx.report(unit, poison.origin, Unreadable { what }));
        }
        let mut placed = Placement::default();
        for base in &definition.bases {
            let origin = self.hir().types[base.ty].origin;
            if base.is_virtual {
                let what = "a virtual base class".to_string();
                return Err(self.unsupported(origin, what));
            }
            let types = match (base.pack, &self.hir().types[base.ty].kind) {
                (true, TyKind::PackExpansion(_)) => self.types_expanded(&[base.ty]),
                (true, _) => {
                    let count = self.pack_length_of_type(base.ty).unwrap_or(0);
                    (0..count).map(|i| self.with_pack(i, |checker| checker.ty(base.ty))).collect()
                }
                (false, _) => vec![self.ty(base.ty)],
            };
            for ty in types {
                let Some(base) = self.cx.types.class(ty) else {
                    let name = self.cx.type_name(ty);
                    return Err(self.cx.report(unit, origin, UnknownType { name }));
                };
                if !self.complete(base) {
                    return Err(self.incomplete_type(ty, origin));
                }
                let layout =
                    Layout { size: self.cx.class(base).size, align: self.cx.class(base).align };
                let empty = self.is_empty_class(base);
                let offset = if empty { 0 } else { placed.place(layout) };
                placed.align = placed.align.max(layout.align);
                self.cx.class_mut(class).bases.push(BasePart { class: base, offset });
            }
        }
        if definition.methods.iter().any(|id| self.hir().functions[*id].qualifiers.is_virtual) {
            let what = format!("`{}`, a class with virtual functions,", definition.name);
            return Err(self.unsupported(definition.origin, what));
        }
        let union = definition.kind == RecordKind::Union;
        let mut bits = BitCursor::default();
        for (index, field) in definition.fields.iter().enumerate() {
            let ty = self.ty(field.ty);
            let ty = self.field_array_extent(ty, field);
            if ty.is_unknown() {
                return Err(crate::findings::UNKNOWN_TYPE);
            }
            let reference = self.cx.types.is_reference(ty);
            let Some(mut layout) =
                (if reference { Some(Layout { size: 8, align: 8 }) } else { self.layout_of(ty) })
            else {
                return Err(self.incomplete_type(ty, field.origin));
            };
            if definition.packed {
                layout.align = 1;
            }
            layout.align = layout.align.max(self.alignment(&field.storage.alignments)?);
            let width = match field.width {
                None => None,
                Some(width) => {
                    let Some(bits) = self.constant_integer(width, "the width of a bit-field")
                    else {
                        return Err(crate::findings::NOT_CONSTANT);
                    };
                    Some(u32::try_from(bits).unwrap_or(0))
                }
            };
            let (offset, shift) = match width {
                Some(width) if !union => bits.place(&mut placed, layout, width),
                _ if union => {
                    placed.size = placed.size.max(layout.size);
                    placed.align = placed.align.max(layout.align);
                    (0, 0)
                }
                _ => {
                    bits = BitCursor::default();
                    (placed.place(layout), 0)
                }
            };
            if width.is_some() && field.name.as_str().is_empty() {
                continue;
            }
            self.cx.class_mut(class).fields.push(FieldPart {
                name: field.name,
                ty,
                offset,
                source: index as u32,
                bits: width,
                shift,
            });
        }
        let align = placed.align.max(self.alignment(&definition.alignments)?);
        let size = placed.size.max(1).next_multiple_of(align.max(1));
        let class = self.cx.class_mut(class);
        class.size = size;
        class.align = align;
        Ok(())
    }

    /// `T x[] = {…}` in a class is an error and a flexible array member has no elements.
    fn field_array_extent(&mut self, ty: Type, _field: &port_hir::Field) -> Type {
        match *self.cx.types.kind(ty) {
            Kind::Array(element, None) => self.cx.types.array(element, Some(0)),
            _ => ty,
        }
    }

    /// Reports that the size or the members of a type cannot be known; of a class for which that has
    /// been said, gives the code only.
    pub(crate) fn incomplete_type(&mut self, ty: Type, origin: Origin) -> &'static str {
        let mut inner = ty;
        while let Kind::Array(element, _) = *self.cx.types.kind(inner) {
            inner = element;
        }
        if let Some(class) = self.cx.types.class(inner)
            && let Completion::Failed(code) = self.cx.class(class).completion
        {
            self.cx.failures += 1;
            return code;
        }
        let name = self.cx.type_name(ty);
        self.cx.report(self.env.unit, origin, UnknownType { name })
    }

    /// Reports that a constant is needed where there is none.
    pub(crate) fn not_constant(&mut self, value: &Expr, origin: Origin, what: String) -> Expr {
        if mentions_warp_size(value) {
            self.fail(origin, WarpSizeConstant { what })
        } else {
            self.fail(origin, NotConstant { what })
        }
    }

    /// The largest of the alignments asked for; 1 for none.
    pub(crate) fn alignment(&mut self, alignments: &[Alignment]) -> Result<u64, &'static str> {
        let mut align = 1;
        for alignment in alignments {
            let bytes = match alignment {
                Alignment::Value(expr) => {
                    let origin = self.hir().exprs[*expr].origin;
                    match self.constant_integer(*expr, "an alignment") {
                        Some(bytes) if bytes >= 0 => bytes as u64,
                        _ => {
                            let what = "an alignment".to_string();
                            let finding = NotConstant { what };
                            return Err(self.cx.report(self.env.unit, origin, finding));
                        }
                    }
                }
                Alignment::Type(ty) => {
                    let ty = self.ty(*ty);
                    self.layout_of(ty).map_or(1, |layout| layout.align)
                }
            };
            if bytes.is_power_of_two() && bytes <= 1 << 20 {
                align = align.max(bytes);
            }
        }
        Ok(align)
    }

    /// Whether objects of the class hold nothing.
    pub(crate) fn is_empty_class(&self, class: ClassId) -> bool {
        let class = self.cx.class(class);
        class.fields.is_empty() && class.bases.iter().all(|base| self.is_empty_class(base.class))
    }

    /// Size and alignment of an object of the type; `None` if it has none that is known.
    pub(crate) fn layout_of(&mut self, ty: Type) -> Option<Layout> {
        let both = |size: u64| Layout { size, align: size };
        match *self.cx.types.kind(ty) {
            Kind::Builtin(builtin) => Some(both(builtin_size(builtin))),
            Kind::Narrow(scalar) => Some(both(scalar.size())),
            Kind::Vector { element, count, .. } => {
                let element = Type { id: element, constant: false, volatile: false };
                let part = self.layout_of(element)?;
                let size = part.size * u64::from(count);
                // As in CUDA's vector_types.h: of two and four components the whole size, but at
                // most 16; of one and three, a component's.
                let align = if count == 2 || count == 4 { size.min(16) } else { part.align };
                Some(Layout { size, align })
            }
            Kind::Pointer(_) | Kind::LValueReference(_) | Kind::RValueReference(_) => Some(both(8)),
            Kind::MemberPointer(_, pointee) => {
                let function = matches!(self.cx.types.kind(pointee), Kind::Function(_));
                Some(Layout { size: if function { 16 } else { 8 }, align: 8 })
            }
            Kind::Array(element, extent) => {
                let part = self.layout_of(element)?;
                let size = part.size.checked_mul(extent?)?;
                (size < 1 << 48).then_some(Layout { size, align: part.align })
            }
            Kind::Class(class) => {
                self.complete(class);
                let class = self.cx.class(class);
                (class.completion == Completion::Complete)
                    .then_some(Layout { size: class.size, align: class.align })
            }
            Kind::Enum(id) => {
                let underlying = self.cx.enumeration(id).underlying;
                self.layout_of(underlying)
            }
            Kind::Opaque(name) => opaque_layout(name.as_str()),
            Kind::Fragment(_)
            | Kind::Function(_)
            | Kind::Auto
            | Kind::Placeholder(_)
            | Kind::Overload
            | Kind::Unknown => None,
        }
    }

    /// The enumeration type of an `enum`, its values evaluated.
    pub(crate) fn enumeration(&mut self, id: EnumId, mut environment: Environment) -> Type {
        let definition = &self.cx.hir(environment.unit).enums[id];
        // An enumeration outside templates is the same from wherever it is named.
        if let Parent::Namespace(_) = definition.parent {
            environment = Environment::top(environment.unit);
        }
        let key = (id, environment.clone());
        if let Some(known) = self.cx.enumeration_ids.get(&key) {
            let known = *known;
            return self.cx.types.intern(Kind::Enum(known));
        }
        let known = crate::context::EnumerationId(self.cx.enumerations.len() as u32);
        self.cx.enumeration_ids.insert(key, known);
        let hir = self.cx.hir(environment.unit);
        let name = hir.qualified_name(definition.parent, definition.name.as_str());
        let name = if definition.name.as_str().is_empty() {
            format!("{name}(unnamed enumeration)")
        } else {
            name
        };
        self.cx.enumerations.push(Enumeration {
            id,
            name,
            scoped: definition.scoped,
            fixed: definition.scoped || definition.underlying.is_some(),
            underlying: Type::INT,
            values: Vec::new(),
            environment: environment.clone(),
        });
        let mut there = self.at(environment);
        let underlying = definition.underlying.map(|ty| there.ty(ty));
        if let Some(underlying) = underlying {
            there.cx.enumerations[known.index()].underlying = underlying.unqualified();
        }
        let mut next = Some(0i128);
        for constant in &definition.constants {
            // Enumerators may use the ones before them, which are found in `values`.
            let value = match constant.value {
                Some(value) => there.constant_integer(value, "the value of an enumerator"),
                None => next,
            };
            there.cx.enumerations[known.index()].values.push(value);
            next = value.and_then(|value| value.checked_add(1));
        }
        if underlying.is_none() && !definition.scoped {
            let values = &there.cx.enumerations[known.index()].values;
            let low = values.iter().flatten().copied().min().unwrap_or(0);
            let high = values.iter().flatten().copied().max().unwrap_or(0);
            // GCC prefers unsigned int when no value is negative.
            let fits = |low_bound: i128, high_bound: i128| low >= low_bound && high <= high_bound;
            let underlying = if fits(0, i128::from(u32::MAX)) {
                Type::UINT
            } else if fits(i128::from(i32::MIN), i128::from(i32::MAX)) {
                Type::INT
            } else if low >= 0 {
                Type::ULONG
            } else {
                Type::LONG
            };
            there.cx.enumerations[known.index()].underlying = underlying;
        }
        self.cx.types.intern(Kind::Enum(known))
    }

    /// An enumerator as a constant.
    pub(crate) fn enumerator(
        &mut self,
        id: EnumId,
        index: u32,
        environment: Environment,
    ) -> Entity {
        let ty = self.enumeration(id, environment);
        let Kind::Enum(known) = *self.cx.types.kind(ty) else { return Entity::Nothing };
        match self.cx.enumeration(known).values.get(index as usize) {
            Some(Some(value)) => Entity::Constant(Value::Integer(*value), ty),
            _ => Entity::Nothing,
        }
    }
}

/// Where the next member goes.
#[derive(Default)]
struct Placement {
    size: u64,
    align: u64,
}

impl Placement {
    fn place(&mut self, layout: Layout) -> u64 {
        let offset = self.size.next_multiple_of(layout.align.max(1));
        self.size = offset.saturating_add(layout.size);
        self.align = self.align.max(layout.align);
        offset
    }
}

/// Where the next bit-field goes: fields of one unit share its bytes while they fit.
#[derive(Default)]
struct BitCursor {
    /// First free bit, counted from the start of the class; `None` after another member.
    next: Option<u64>,
}

impl BitCursor {
    /// Places a bit-field of `width` bits; gives the byte offset of the unit that holds it, and its
    /// first bit there.
    fn place(&mut self, placed: &mut Placement, layout: Layout, width: u32) -> (u64, u32) {
        let unit = layout.size * 8;
        let first = self.next.unwrap_or(placed.size * 8);
        if width == 0 {
            let aligned = first.next_multiple_of(unit.max(1));
            self.next = Some(aligned);
            placed.size = placed.size.max(aligned / 8);
            return (aligned / 8, 0);
        }
        let width = u64::from(width);
        let start = if first / unit == (first + width - 1) / unit {
            first
        } else {
            first.next_multiple_of(unit)
        };
        self.next = Some(start + width);
        placed.size = placed.size.max((start + width).div_ceil(8));
        placed.align = placed.align.max(layout.align);
        (start / unit * layout.size, (start % unit) as u32)
    }
}

fn mentions_warp_size(expr: &Expr) -> bool {
    let mut found = matches!(
        expr.kind,
        ExprKind::Intrinsic { intrinsic: Intrinsic::Builtin(port_ir::Builtin::WarpSize), .. }
    );
    expr.for_each_part(&mut |part| found = found || mentions_warp_size(part));
    found
}

fn mentions_unknown(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| match argument {
        Argument::Type(ty) => ty.is_unknown(),
        Argument::Value(value, ty) => ty.is_unknown() || matches!(value, Value::Undefined),
        Argument::Template(_) => false,
        Argument::Pack(list) => mentions_unknown(list),
    })
}

/// The layout of a type of CUDA's API that is opaque: handles are pointers or 8-byte integers.
fn opaque_layout(name: &str) -> Option<Layout> {
    match name {
        "cudaTextureObject_t" | "cudaSurfaceObject_t" | "cudaStream_t" | "cudaEvent_t" => {
            Some(Layout { size: 8, align: 8 })
        }
        _ => None,
    }
}
