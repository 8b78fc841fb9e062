//! Numbers that a seed decides: the same seed, the same torture, as far as it is not a matter of time.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below a limit that is not 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// True so many times in a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of some things, of which there must be one.
    pub(super) fn one_of<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        &things[self.below(things.len())]
    }

    /// Up to so many different ones of some things, in their order.
    pub(super) fn some_of<T: Clone>(&mut self, things: &[T], most: usize) -> Vec<T> {
        let wanted = self.below(most + 1).min(things.len());
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < wanted {
            let index = self.below(things.len());
            if !chosen.contains(&index) {
                chosen.push(index);
            }
        }
        chosen.sort_unstable();
        chosen.into_iter().map(|index| things[index].clone()).collect()
    }

    /// A number from 0 to 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A time between two, each order of magnitude as likely as the next.
    pub(super) fn time_between(&mut self, least: Duration, most: Duration) -> Duration {
        least.mul_f64((most.as_secs_f64() / least.as_secs_f64()).powf(self.unit()))
    }
}
