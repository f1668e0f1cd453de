//! Typed handles and the arenas that they index.
//!
//! An arena only grows, so a handle made by an arena stays valid for it. Each item carries a
//! [`Location`]: where in the user's text it comes from and, once calls have been inlined, through
//! which calls it got where it is.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use port_diag::Origin;

/// The index of a `T` in an [`Arena`] of its kind. Handles of one arena order by age.
pub struct Handle<T> {
    index: u32,
    marker: PhantomData<fn() -> T>,
}

impl<T> Handle<T> {
    /// The handle of the item at `index`. It is only meaningful to the arena that has such an item.
    pub fn from_index(index: usize) -> Self {
        Handle { index: u32::try_from(index).unwrap_or(u32::MAX), marker: PhantomData }
    }

    /// The position in the arena, from 0.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

// Written out, because deriving them would ask the same of `T`.
impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Handle<T> {}
impl<T> PartialEq for Handle<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}
impl<T> Eq for Handle<T> {}
impl<T> PartialOrd for Handle<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Handle<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.index.cmp(&other.index)
    }
}
impl<T> Hash for Handle<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}
impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.index)
    }
}

/// Where an item of the IR comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The user's text, with its macro expansions.
    pub origin: Origin,
    /// The call that was replaced by the body which held this item; `None` for code that stands
    /// where it was written.
    pub inlined: Option<Handle<InlineFrame>>,
}

impl From<Origin> for Location {
    fn from(origin: Origin) -> Self {
        Location { origin, inlined: None }
    }
}

/// A call that inlining replaced by the callee's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineFrame {
    /// The callee's name.
    pub callee: String,
    /// The call, itself perhaps inlined from elsewhere.
    pub call: Location,
}

/// A growing list of `T`, each with its [`Location`].
#[derive(Clone, PartialEq, Eq)]
pub struct Arena<T> {
    items: Vec<T>,
    locations: Vec<Location>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { items: Vec::new(), locations: Vec::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Arena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T> Arena<T> {
    /// An empty arena.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an item.
    pub fn append(&mut self, item: T, location: impl Into<Location>) -> Handle<T> {
        self.items.push(item);
        self.locations.push(location.into());
        Handle::from_index(self.items.len() - 1)
    }

    /// The item of a handle, or `None` for a handle of another arena that points past the end.
    pub fn get(&self, handle: Handle<T>) -> Option<&T> {
        self.items.get(handle.index())
    }

    /// The item of a handle, to change it.
    pub fn get_mut(&mut self, handle: Handle<T>) -> Option<&mut T> {
        self.items.get_mut(handle.index())
    }

    /// Where the item comes from; `None` past the end.
    pub fn location(&self, handle: Handle<T>) -> Option<Location> {
        self.locations.get(handle.index()).copied()
    }

    /// The user's text that the item comes from; `None` past the end.
    pub fn origin(&self, handle: Handle<T>) -> Option<Origin> {
        self.location(handle).map(|location| location.origin)
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether `handle` points at an item.
    pub fn contains(&self, handle: Handle<T>) -> bool {
        handle.index() < self.items.len()
    }

    /// All items with their handles, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Handle<T>, &T)> + ExactSizeIterator {
        self.items.iter().enumerate().map(|(index, item)| (Handle::from_index(index), item))
    }

    /// All handles, oldest first.
    pub fn handles(
        &self,
    ) -> impl DoubleEndedIterator<Item = Handle<T>> + ExactSizeIterator + use<T> {
        (0..self.items.len()).map(Handle::from_index)
    }
}

impl<T> std::ops::Index<Handle<T>> for Arena<T> {
    type Output = T;

    /// The item of a handle that this arena made.
    ///
    /// # Panics
    /// For a handle of another arena that points past the end. Code that reads modules nobody has
    /// validated uses [`Arena::get`].
    fn index(&self, handle: Handle<T>) -> &T {
        &self.items[handle.index()]
    }
}

impl<T> std::ops::IndexMut<Handle<T>> for Arena<T> {
    fn index_mut(&mut self, handle: Handle<T>) -> &mut T {
        &mut self.items[handle.index()]
    }
}
