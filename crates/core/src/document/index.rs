//! A table from 32-bit hashes to small numbers, for rows and variables.
//!
//! Owns the table and its hash (FNV-1a, 32 bits). Must not know what the numbers stand for: who looks something up
//! compares the texts behind the candidates. A `HashMap` with its 64-bit arithmetic costs several times as much in
//! the sandbox, where the program runs as interpreted JavaScript without 64-bit integers.

const NONE: u32 = u32::MAX;

/// FNV-1a over the bytes of `text` (Fowler, Noll and Vo; offset basis 2166136261, prime 16777619).
pub fn hash(text: &str) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    for &byte in text.as_bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash
}

#[derive(Debug, Clone, Copy)]
struct Link {
    hash: u32,
    next: u32,
    present: bool,
}

/// Items (dense numbers, such as rows) chained by the hash of their name.
#[derive(Debug, Clone, Default)]
pub struct Index {
    heads: Vec<u32>,
    links: Vec<Link>,
    len: usize,
}

impl Index {
    /// Forgets everything and makes room for `items`.
    pub fn reset(&mut self, items: usize) {
        let buckets = (items * 2).next_power_of_two().max(16);
        self.heads.clear();
        self.heads.resize(buckets, NONE);
        self.links.clear();
        self.links.reserve(items);
        self.len = 0;
    }

    fn bucket(&self, hash: u32) -> usize {
        // FNV's low bits are good; the high bits are folded in for short names.
        ((hash ^ (hash >> 15)) as usize) & (self.heads.len() - 1)
    }

    /// Puts `item` under `hash`; an item that is already there is moved.
    pub fn insert(&mut self, item: u32, hash: u32) {
        self.remove(item);
        if self.heads.is_empty() || self.len >= self.heads.len() {
            self.grow();
        }
        let bucket = self.bucket(hash);
        if self.links.len() <= item as usize {
            self.links.resize(
                item as usize + 1,
                Link {
                    hash: 0,
                    next: NONE,
                    present: false,
                },
            );
        }
        self.links[item as usize] = Link {
            hash,
            next: self.heads[bucket],
            present: true,
        };
        self.heads[bucket] = item;
        self.len += 1;
    }

    /// Takes `item` out; nothing happens when it is not there.
    pub fn remove(&mut self, item: u32) {
        let Some(&Link {
            hash,
            next,
            present: true,
        }) = self.links.get(item as usize)
        else {
            return;
        };
        let bucket = self.bucket(hash);
        let mut at = self.heads[bucket];
        if at == item {
            self.heads[bucket] = next;
        } else {
            while self.links[at as usize].next != item {
                at = self.links[at as usize].next;
            }
            self.links[at as usize].next = next;
        }
        self.links[item as usize].present = false;
        self.len -= 1;
    }

    /// The hash under which `item` stands.
    pub fn hash_of(&self, item: u32) -> Option<u32> {
        self.links
            .get(item as usize)
            .filter(|link| link.present)
            .map(|link| link.hash)
    }

    /// All items under exactly `hash`.
    pub fn under(&self, hash: u32) -> Under<'_> {
        let at = if self.heads.is_empty() {
            NONE
        } else {
            self.heads[self.bucket(hash)]
        };
        Under {
            index: self,
            hash,
            at,
        }
    }

    fn grow(&mut self) {
        let buckets = (self.heads.len() * 2).max(16);
        self.heads.clear();
        self.heads.resize(buckets, NONE);
        for item in 0..self.links.len() {
            if self.links[item].present {
                let bucket = self.bucket(self.links[item].hash);
                self.links[item].next = self.heads[bucket];
                self.heads[bucket] = item as u32;
            }
        }
    }
}

/// See [`Index::under`].
pub struct Under<'a> {
    index: &'a Index,
    hash: u32,
    at: u32,
}

impl Iterator for Under<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        while self.at != NONE {
            let item = self.at;
            let link = self.index.links[item as usize];
            self.at = link.next;
            if link.hash == self.hash {
                return Some(item);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Index, hash};

    #[test]
    fn items_are_found_moved_and_removed() {
        let mut index = Index::default();
        for item in 0..100 {
            index.insert(item, hash(&format!("name/{}", item % 40)));
        }
        let mut found: Vec<u32> = index.under(hash("name/7")).collect();
        found.sort_unstable();
        assert_eq!(found, [7, 47, 87]);
        index.remove(47);
        index.insert(7, hash("other"));
        assert_eq!(index.under(hash("name/7")).collect::<Vec<_>>(), [87]);
        assert_eq!(index.under(hash("other")).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn hash_is_fnv_1a() {
        // Vectors published with the algorithm.
        assert_eq!(hash(""), 0x811c_9dc5);
        assert_eq!(hash("a"), 0xe40c_292c);
        assert_eq!(hash("foobar"), 0xbf9c_f968);
    }
}
