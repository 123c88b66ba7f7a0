//! A list of a few values, most often one: that one takes no memory of its own. A million seats have a component and another
//! address each.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// A list that takes no allocation for one value, and one of just its size for more.
#[derive(Clone, Eq, PartialEq)]
pub struct Few<T>(Kept<T>);

/// One value is always kept as `One`, so that equal lists are kept alike.
#[derive(Clone, Eq, PartialEq)]
enum Kept<T> {
    One(T),
    Others(Box<[T]>),
}

impl<T> Few<T> {
    /// Puts a value before the one at `at`, or behind all of them.
    ///
    /// # Panics
    /// There are fewer than `at`.
    pub fn insert(&mut self, at: usize, value: T) {
        let mut values = std::mem::take(self).into_vec();
        // Few are added to a list, and many lists are kept.
        values.reserve_exact(1);
        values.insert(at, value);
        *self = values.into();
    }

    /// Takes the value at `at` out.
    ///
    /// # Panics
    /// There is none.
    pub fn remove(&mut self, at: usize) -> T {
        let mut values = std::mem::take(self).into_vec();
        let value = values.remove(at);
        *self = values.into();
        value
    }

    /// The values as a list that grows.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        match self.0 {
            Kept::One(value) => vec![value],
            Kept::Others(values) => values.into_vec(),
        }
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Kept::Others(Box::default()))
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Kept::One(value) => std::slice::from_ref(value),
            Kept::Others(values) => values,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Kept::One(value) => std::slice::from_mut(value),
            Kept::Others(values) => values,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(values: Vec<T>) -> Self {
        match <[T; 1]>::try_from(values) {
            Ok([value]) => Self(Kept::One(value)),
            Err(values) => Self(Kept::Others(values.into())),
        }
    }
}

impl<T, const N: usize> From<[T; N]> for Few<T> {
    fn from(values: [T; N]) -> Self {
        values.into_iter().collect()
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (None, _) => Self::default(),
            (Some(only), None) => Self(Kept::One(only)),
            (Some(first), Some(second)) => [first, second].into_iter().chain(values).collect::<Vec<_>>().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_takes_no_more_room_than_itself_where_it_leaves_any() {
        assert_eq!(size_of::<Few<[u8; 6]>>(), size_of::<Box<[u8]>>());
        assert_eq!(size_of::<Few<(Option<u64>, u64)>>(), size_of::<(Option<u64>, u64)>());
    }

    proptest! {
        #[test]
        fn it_is_a_list(steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<u16>()), 0..40)) {
            let (mut few, mut list) = (Few::default(), Vec::new());
            for (adds, at, value) in steps {
                if adds || list.is_empty() {
                    let at = at.index(list.len() + 1);
                    few.insert(at, value);
                    list.insert(at, value);
                } else {
                    let at = at.index(list.len());
                    prop_assert_eq!(few.remove(at), list.remove(at));
                }
                prop_assert_eq!(&*few, &list[..]);
                prop_assert_eq!(format!("{few:?}"), format!("{list:?}"));
                prop_assert_eq!(&few, &Few::from(list.clone()));
                prop_assert_eq!(&few, &list.iter().copied().collect::<Few<_>>());
                for value in few.iter_mut().chain(&mut list) {
                    *value = value.wrapping_add(1);
                }
                prop_assert_eq!(&*few.clone(), &list[..]);
            }
        }
    }
}
