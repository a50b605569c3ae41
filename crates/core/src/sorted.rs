//! Small ordered maps and sets in one vector.
//!
//! Owns order and lookup by halving. Must not know what is kept. The standard library's trees are a fifth of the sandbox
//! program's code when every kind of value has its own; here rows come in rising order for the most part, so inserting is
//! nearly always an addition at the end.

/// A map whose keys are in rising order.
#[derive(Debug, Clone)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        SortedMap(Vec::new())
    }
}

impl<K: Copy + Ord, V> SortedMap<K, V> {
    /// The place of `key`, or where it would stand.
    fn find(&self, key: K) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if *last < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(each, _)| each.cmp(&key)),
        }
    }

    /// Puts a value under a key, in place of what was there.
    pub fn put(&mut self, key: K, value: V) {
        match self.find(key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// What is under a key.
    pub fn get(&self, key: K) -> Option<&V> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// What is under a key, made when nothing is.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = match self.find(key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, V::default()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: K) -> bool {
        self.find(key).is_ok()
    }

    /// Takes a key out; whether it was there.
    pub fn remove(&mut self, key: K) -> bool {
        match self.find(key) {
            Ok(at) => {
                self.0.remove(at);
                true
            }
            Err(_) => false,
        }
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys, rising.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = K> + '_ {
        self.0.iter().map(|(key, _)| *key)
    }

    /// The key at a place.
    pub fn key_at(&self, at: usize) -> Option<K> {
        self.0.get(at).map(|(key, _)| *key)
    }

    /// The values, by rising key.
    pub fn values(&self) -> impl Iterator<Item = &V> + '_ {
        self.0.iter().map(|(_, value)| value)
    }

    /// Keys and values, rising.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> + '_ {
        self.0.iter().map(|(key, value)| (*key, value))
    }
}

/// A set of small numbers: one bit each, up to the largest.
#[derive(Debug, Clone, Default)]
pub struct BitSet(Vec<u32>);

impl BitSet {
    /// Puts a number in; whether it is new.
    pub fn insert(&mut self, number: u32) -> bool {
        let (word, bit) = (number as usize / 32, 1 << (number % 32));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Puts many numbers in.
    pub fn extend(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.insert(number);
        }
    }

    /// Takes a number out.
    pub fn remove(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut(number as usize / 32) {
            *word &= !(1 << (number % 32));
        }
    }

    /// Whether a number is in.
    pub fn contains(&self, number: u32) -> bool {
        self.0
            .get(number as usize / 32)
            .is_some_and(|word| word & (1 << (number % 32)) != 0)
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many numbers are in.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// The first number that is not below `from`.
    pub fn next(&self, from: u32) -> Option<u32> {
        let mut at = from as usize / 32;
        let mut word = self.0.get(at)? & (u32::MAX << (from % 32));
        while word == 0 {
            at += 1;
            word = *self.0.get(at)?;
        }
        Some(at as u32 * 32 + word.trailing_zeros())
    }

    /// The numbers, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let mut from = 0;
        std::iter::from_fn(move || {
            let next = self.next(from)?;
            from = next + 1;
            Some(next)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn as_the_standard_map(steps in proptest::collection::vec((0_u32..20, any::<u8>(), any::<bool>()), 0..100)) {
            let mut ours = SortedMap::default();
            let mut theirs = BTreeMap::new();
            for (key, value, put) in steps {
                if put {
                    ours.put(key, value);
                    theirs.insert(key, value);
                } else {
                    prop_assert_eq!(ours.remove(key), theirs.remove(&key).is_some());
                }
                prop_assert_eq!(ours.get(key), theirs.get(&key));
                prop_assert!(ours.iter().eq(theirs.iter().map(|(key, value)| (*key, value))));
            }
        }

        #[test]
        fn as_the_standard_set(steps in proptest::collection::vec((0_u32..100, any::<bool>()), 0..100), from in 0_u32..120) {
            let mut ours = BitSet::default();
            let mut theirs = BTreeSet::new();
            for (number, put) in steps {
                if put {
                    prop_assert_eq!(ours.insert(number), theirs.insert(number));
                } else {
                    ours.remove(number);
                    theirs.remove(&number);
                }
                prop_assert_eq!(ours.contains(number), theirs.contains(&number));
                prop_assert_eq!(ours.len(), theirs.len());
                prop_assert_eq!(ours.is_empty(), theirs.is_empty());
            }
            prop_assert!(ours.iter().eq(theirs.iter().copied()));
            prop_assert_eq!(ours.next(from), theirs.range(from..).next().copied());
        }
    }
}
