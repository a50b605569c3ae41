//! MurmurHash3, x86, 32 bits, seed 0: the hash by which flagd puts a user into a bucket.
//!
//! Owns the hash. Must not know flags. Source: Austin Appleby, <https://github.com/aappleby/smhasher>, public
//! domain. It is written out here because the crates that hold it are unkept and the algorithm will not change.

/// The hash of some bytes.
pub fn murmur3_32(bytes: &[u8]) -> u32 {
    fn scrambled(block: u32) -> u32 {
        block
            .wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593)
    }
    let mut hash = 0_u32;
    let mut blocks = bytes.chunks_exact(4);
    for block in &mut blocks {
        let block = u32::from_le_bytes([block[0], block[1], block[2], block[3]]);
        hash = (hash ^ scrambled(block))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64);
    }
    let tail = blocks
        .remainder()
        .iter()
        .rev()
        .fold(0_u32, |tail, byte| (tail << 8) | u32::from(*byte));
    hash ^= scrambled(tail);
    // Only the low 32 bits of the length take part.
    hash ^= bytes.len() as u32;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}
