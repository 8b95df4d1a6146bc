//! Caches answers by question: many checkpoints share family, listed size and stated size, and the answer is computed
//! once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Greatest number of cached answers; when it is reached the cache is emptied, so that memory stays bounded.
const MOST: usize = 1 << 16;

/// A cache for a pure function.
#[derive(Debug)]
pub(crate) struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    /// The cached value for `key`, or the result of `answer`, which is then cached.
    pub(crate) fn get(&self, key: K, answer: impl FnOnce() -> V) -> V {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = held.get(&key) {
            return value.clone();
        }
        drop(held);
        let value = answer();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST {
            held.clear();
        }
        held.insert(key, value.clone());
        value
    }

    /// Empties the cache.
    pub(crate) fn clear(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// At most `most` elements of `all`, evenly spaced; all if there are no more.
pub(crate) fn thin<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let n = all.len();
    if n <= most {
        return all;
    }
    all.into_iter()
        .enumerate()
        .filter(|&(k, _)| k * most / n != (k + 1) * most / n)
        .map(|(_, one)| one)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_evenly_and_never_below_the_bound() {
        assert_eq!(thin(vec![1, 2, 3], 3), [1, 2, 3]);
        assert_eq!(thin((0..10).collect(), 5), [1, 3, 5, 7, 9]);
        assert_eq!(thin((0..1_000_003).collect::<Vec<u32>>(), 1_000).len(), 1_000);
    }

    #[test]
    fn asked_once() {
        let memo = Memo::default();
        assert_eq!(memo.get("a", || 1), 1);
        assert_eq!(memo.get("a", || 2), 1);
        assert_eq!(memo.get("b", || 3), 3);
    }
}
