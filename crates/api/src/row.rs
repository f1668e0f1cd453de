//! The shape of one fact: a CUDA name and its form on each target.
//!
//! Only data types live here. The facts are in `tables/*.toml`; this module knows no name of any
//! target and takes no decision about text.

/// What sort of thing a CUDA name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A function, a function template or a member function (`cooperative_groups::thread_block::sync`).
    Function,
    /// A type, a class template or an alias.
    Type,
    /// A data member of a type, keyed by its qualified name (`cudaDeviceProp::major`).
    Field,
    /// An enumerator or a named constant.
    Constant,
    /// A preprocessor macro, or a qualifier that the CUDA headers define as one.
    Macro,
    /// A variable that the toolkit declares (`threadIdx`, `warpSize`).
    Variable,
    /// A namespace.
    Namespace,
}

/// Where a name may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Host code only.
    Host,
    /// Device code only.
    Device,
    /// Host and device code.
    Both,
}

/// A release of HIP whose public headers were read to establish the facts.
///
/// `since` in a [`Mapping`] is the first of these releases that has the native form; the form may
/// have appeared between it and the release before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HipRelease {
    /// HIP 5.2.
    V5_2,
    /// HIP 5.7.
    V5_7,
    /// HIP 6.4.
    V6_4,
    /// HIP 7.1.
    V7_1,
}

impl HipRelease {
    /// The release as users write it, `"5.2"`.
    pub const fn as_str(self) -> &'static str {
        match self {
            HipRelease::V5_2 => "5.2",
            HipRelease::V5_7 => "5.7",
            HipRelease::V6_4 => "6.4",
            HipRelease::V7_1 => "7.1",
        }
    }
}

impl std::fmt::Display for HipRelease {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a port to HIP does with a CUDA name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// HIP spells it the same and it means the same: the text stays.
    Same,
    /// HIP has it under this name, with the same parameters and meaning.
    Renamed(&'static str),
    /// No HIP release, or not every one, has it in the same meaning: the compatibility header
    /// `port_hip_compat.h` defines it under this name.
    Compat(&'static str),
    /// A rename is not enough: the rewrite rule of this name (see [`crate::RULES`]) edits the use.
    Semantic {
        /// The rule, an entry of [`crate::RULES`].
        rule: &'static str,
        /// The name that the edited text uses, where it differs from the CUDA name.
        name: Option<&'static str>,
    },
    /// HIP has no form of it; the text says why.
    Unsupported(&'static str),
}

impl Status {
    /// The status as one word of the support tables: `same`, `renamed`, `compat`, `semantic` or
    /// `unsupported`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Same => "same",
            Status::Renamed(_) => "renamed",
            Status::Compat(_) => "compat",
            Status::Semantic { .. } => "semantic",
            Status::Unsupported(_) => "unsupported",
        }
    }
}

/// The form of a CUDA name on HIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mapping {
    /// What to do with the name.
    pub status: Status,
    /// The first release read that has a native form, for a [`Status::Compat`] name too. `None`:
    /// no release has one.
    pub since: Option<HipRelease>,
    /// The HIP header that declares the native form; `port_hip_compat.h` for a member of a type that
    /// this header defines.
    pub header: Option<&'static str>,
    /// Why a native form of the same name is not used, for a [`Status::Compat`] name.
    pub because: Option<&'static str>,
    /// How the HIP form behaves differently, where that may matter to a user: other bounds, another
    /// clock, another hardware fact.
    pub note: Option<&'static str>,
    /// The overloads that the HIP headers lack in some release read, or declare with another result
    /// type: entries of [`Row::signatures`]. Empty for a name that has no native form at all.
    pub lacks: &'static [&'static str],
}

impl Mapping {
    /// A mapping from its parts; the generated tables are built with it.
    pub const fn new(
        status: Status,
        since: Option<HipRelease>,
        header: Option<&'static str>,
        because: Option<&'static str>,
        note: Option<&'static str>,
        lacks: &'static [&'static str],
    ) -> Mapping {
        Mapping { status, since, header, because, note, lacks }
    }
}

/// One CUDA name with its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// The name, qualified where it lives in a namespace or a type
    /// (`cooperative_groups::tiled_partition`, `cudaDeviceProp::major`). A target name of a member
    /// ([`Row::is_member`]) is the member's own name, without its type.
    pub name: &'static str,
    /// What sort of thing it is.
    pub kind: Kind,
    /// Where it may be used.
    pub side: Side,
    /// The family that the name belongs to, `"runtime/memory"` or `"math/single"`.
    pub family: &'static str,
    /// C++ declarations without attributes, one for each overload; empty where the name is not a
    /// function. Parameter names may be missing. A type row may give what it is an alias of as
    /// `using name = type`.
    pub signatures: &'static [&'static str],
    /// The form on HIP.
    pub hip: Mapping,
    /// The public document that the fact is from.
    pub source: &'static str,
}

impl Row {
    /// A row from its parts; the generated tables are built with it.
    pub const fn new(
        name: &'static str,
        kind: Kind,
        side: Side,
        family: &'static str,
        signatures: &'static [&'static str],
        hip: Mapping,
        source: &'static str,
    ) -> Row {
        Row { name, kind, side, family, signatures, hip, source }
    }

    /// The name that HIP text uses for this one, a member's without its type; `None` where there
    /// is no form.
    pub fn hip_name(&self) -> Option<&'static str> {
        match self.hip.status {
            Status::Same if self.is_member() => {
                Some(self.name.rsplit_once("::").map_or(self.name, |(_, member)| member))
            }
            Status::Same => Some(self.name),
            Status::Renamed(name) | Status::Compat(name) => Some(name),
            Status::Semantic { name, .. } => Some(name.unwrap_or(self.name)),
            Status::Unsupported(_) => None,
        }
    }

    /// Whether the name is a member of a type: it follows `.` or `->` in the text.
    pub fn is_member(&self) -> bool {
        self.kind == Kind::Field
            || self.name.rsplit_once("::").is_some_and(|(owner, _)| {
                crate::find(owner).is_some_and(|row| row.kind == Kind::Type)
            })
    }

    /// Why HIP has no form of this name; `None` where it has one.
    pub fn unsupported_reason(&self) -> Option<&'static str> {
        match self.hip.status {
            Status::Unsupported(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What a port to HIP does with an `#include` of a CUDA header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderStatus {
    /// The include stays as it is.
    Same,
    /// The include becomes includes of these headers, in this order.
    Renamed(&'static [&'static str]),
    /// The include goes away: what the header gives is there without it, for the reason given.
    Removed(&'static str),
    /// The include becomes `port_hip_compat.h`, which defines what is used of it.
    Compat,
    /// HIP has nothing in its place; the text says why.
    Unsupported(&'static str),
}

/// One CUDA header with its facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The header as an include directive names it, `"cuda_runtime.h"`.
    pub name: &'static str,
    /// What to do with an include of it on HIP.
    pub hip: HeaderStatus,
    /// The first release read that has every header of the HIP form.
    pub since: Option<HipRelease>,
    /// Macros to define before the HIP form: they choose the interface that CUDA's names have.
    pub define: &'static [&'static str],
    /// What a user should know.
    pub note: Option<&'static str>,
    /// The public document that the fact is from.
    pub source: &'static str,
}

/// A rewrite rule that rows with [`Status::Semantic`] name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The name of the rule, in kebab case.
    pub id: &'static str,
    /// What the rule does to a use of the name.
    pub summary: &'static str,
}
