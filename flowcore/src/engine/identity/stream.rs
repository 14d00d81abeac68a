//! Bytes on their way into a hash.

use blake3::Hasher;

/// Half of a hash: as much as a call's key has.
pub(crate) type Digest = [u8; 16];

/// So many bytes are gathered before the hasher sees them: it is slow with single ones, and fastest with many.
const GATHERED: usize = 16 * 1024;

/// Bytes to be hashed, never kept all at once.
#[derive(Default)]
pub(super) struct Stream {
    gathered: Vec<u8>,
    /// Made only where there are many.
    hasher: Option<Box<Hasher>>,
}

impl Stream {
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.gathered.len() + bytes.len() <= GATHERED {
            self.gathered.extend_from_slice(bytes);
        } else {
            self.pass_on(bytes);
        }
    }

    #[cold]
    fn pass_on(&mut self, bytes: &[u8]) {
        let hasher = self.hasher.get_or_insert_default();
        hasher.update(&self.gathered);
        self.gathered.clear();
        if bytes.len() <= GATHERED {
            self.gathered.extend_from_slice(bytes);
        } else {
            hasher.update(bytes);
        }
    }

    /// The hash of all bytes so far. The stream is empty again.
    pub(super) fn finish(&mut self) -> Digest {
        let hash = match self.hasher.take() {
            None => blake3::hash(&self.gathered),
            Some(mut hasher) => hasher.update(&self.gathered).finalize(),
        };
        self.gathered.clear();
        half(hash)
    }
}

pub(super) fn half(hash: blake3::Hash) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.as_bytes()[..size_of::<Digest>()]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_bytes_arrive_makes_no_difference() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        for size in [1, 1000, GATHERED, GATHERED + 1, 50_000, 100_000] {
            let mut stream = Stream::default();
            for _ in 0..2 {
                bytes.chunks(size).for_each(|chunk| stream.push(chunk));
                assert_eq!(stream.finish(), half(blake3::hash(&bytes)), "{size}");
            }
            assert!(stream.gathered.capacity() <= 2 * GATHERED);
        }
    }
}
