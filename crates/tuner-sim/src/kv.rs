//! The paged key/value cache: blocks with reference counts, found again by the hash of the prompt up to their end,
//! evicted least recently used first.
//!
//! *Invariant*: a block is either referenced or in the eviction list, and at most `capacity` blocks exist.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Block {
    references: u32,
    hash: Option<u64>,
    previous: u32,
    next: u32,
}

/// Keys are mixed already.
#[derive(Clone, Copy, Debug, Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// The blocks of one replica.
#[derive(Clone, Debug)]
pub struct BlockPool {
    capacity: u32,
    blocks: Vec<Block>,
    by_hash: HashMap<u64, u32, BuildHasherDefault<Identity>>,
    oldest: u32,
    newest: u32,
    referenced: u32,
}

impl BlockPool {
    /// An empty pool. Blocks come into being when they are first needed.
    pub fn new(capacity: u32) -> Self {
        Self { capacity, blocks: Vec::new(), by_hash: HashMap::default(), oldest: NONE, newest: NONE, referenced: 0 }
    }

    /// Blocks in all.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Blocks that some sequence holds.
    pub fn referenced(&self) -> u32 {
        self.referenced
    }

    /// Blocks that can be allocated, evicting what is only cached.
    pub fn available(&self) -> u32 {
        self.capacity - self.referenced
    }

    /// A block for one new owner, or `None` when every block is held. What it cached is forgotten.
    pub fn allocate(&mut self) -> Option<u32> {
        if self.referenced == self.capacity {
            return None;
        }
        let id = if (self.blocks.len() as u64) < u64::from(self.capacity) {
            self.blocks.push(Block { references: 0, hash: None, previous: NONE, next: NONE });
            (self.blocks.len() - 1) as u32
        } else {
            let id = self.oldest;
            self.unlink(id);
            if let Some(hash) = self.blocks[id as usize].hash.take() {
                self.by_hash.remove(&hash);
            }
            id
        };
        self.blocks[id as usize].references = 1;
        self.referenced += 1;
        Some(id)
    }

    /// The block that holds this prefix.
    pub fn find(&self, hash: u64) -> Option<u32> {
        self.by_hash.get(&hash).copied()
    }

    /// How many of the leading hashes are cached, and how many of those blocks nobody holds now.
    pub fn match_prefix(&self, hashes: &[u64]) -> (u32, u32) {
        let (mut hits, mut idle) = (0, 0);
        for hash in hashes {
            let Some(id) = self.find(*hash) else { break };
            hits += 1;
            idle += u32::from(self.blocks[id as usize].references == 0);
        }
        (hits, idle)
    }

    /// One more owner of a cached block.
    pub fn acquire(&mut self, id: u32) {
        if self.blocks[id as usize].references == 0 {
            self.unlink(id);
            self.referenced += 1;
        }
        self.blocks[id as usize].references += 1;
    }

    /// One owner less. A block without owners stays cached until it is evicted; one that caches nothing goes first.
    pub fn release(&mut self, id: u32) {
        let block = &mut self.blocks[id as usize];
        block.references -= 1;
        if block.references == 0 {
            self.referenced -= 1;
            self.link(id);
        }
    }

    /// Makes a block findable. The first block of a hash stays; later copies are not cached.
    pub fn register(&mut self, id: u32, hash: u64) {
        if self.blocks[id as usize].hash.is_none() && !self.by_hash.contains_key(&hash) {
            self.blocks[id as usize].hash = Some(hash);
            self.by_hash.insert(hash, id);
        }
    }

    fn link(&mut self, id: u32) {
        let to_front = self.blocks[id as usize].hash.is_none();
        let (previous, next) = if to_front { (NONE, self.oldest) } else { (self.newest, NONE) };
        self.blocks[id as usize].previous = previous;
        self.blocks[id as usize].next = next;
        match previous {
            NONE => self.oldest = id,
            p => self.blocks[p as usize].next = id,
        }
        match next {
            NONE => self.newest = id,
            n => self.blocks[n as usize].previous = id,
        }
    }

    fn unlink(&mut self, id: u32) {
        let Block { previous, next, .. } = self.blocks[id as usize];
        match previous {
            NONE => self.oldest = next,
            p => self.blocks[p as usize].next = next,
        }
        match next {
            NONE => self.newest = previous,
            n => self.blocks[n as usize].previous = previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_released_block_is_found_until_it_is_evicted_oldest_first() {
        let mut pool = BlockPool::new(2);
        let (a, b) = (pool.allocate().unwrap(), pool.allocate().unwrap());
        pool.register(a, 11);
        pool.register(b, 22);
        assert_eq!(pool.allocate(), None);
        pool.release(a);
        pool.release(b);
        assert_eq!(pool.match_prefix(&[11, 22, 33]), (2, 2));
        pool.acquire(a);
        pool.release(a);
        pool.allocate();
        assert_eq!((pool.find(11), pool.find(22)), (Some(a), None));
    }

    #[test]
    fn a_block_that_caches_nothing_is_reused_before_one_that_does() {
        let mut pool = BlockPool::new(2);
        let (a, b) = (pool.allocate().unwrap(), pool.allocate().unwrap());
        pool.register(a, 11);
        pool.release(a);
        pool.release(b);
        assert_eq!(pool.allocate(), Some(b));
    }

    proptest! {
        #[test]
        fn references_and_capacity_always_add_up(moves in proptest::collection::vec((0u8..4, 0u64..12), 1..200)) {
            let mut pool = BlockPool::new(8);
            let mut held: Vec<u32> = Vec::new();
            for (kind, n) in moves {
                match kind {
                    0 => held.extend(pool.allocate()),
                    1 if !held.is_empty() => {
                        let id = held.swap_remove(n as usize % held.len());
                        pool.release(id);
                    }
                    2 if !held.is_empty() => pool.register(held[n as usize % held.len()], n),
                    3 => if let Some(id) = pool.find(n) { pool.acquire(id); held.push(id); },
                    _ => {}
                }
                let mut distinct = held.clone();
                distinct.sort_unstable();
                distinct.dedup();
                prop_assert_eq!(pool.referenced() as usize, distinct.len());
                prop_assert!(pool.referenced() <= pool.capacity());
            }
            for id in held { pool.release(id); }
            prop_assert_eq!(pool.available(), 8);
            let all: Vec<u32> = std::iter::from_fn(|| pool.allocate()).collect();
            prop_assert_eq!(all.len(), 8);
        }
    }
}
