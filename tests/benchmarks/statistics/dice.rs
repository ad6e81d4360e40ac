//! Random numbers by the thousand million, the same on every machine.

use std::f64::consts::TAU;

/// Xoshiro256++ (Blackman and Vigna 2021), seeded by splitmix64.
pub struct Dice {
    state: [u64; 4],
    spare: Option<f64>,
}

impl Dice {
    /// The dice of one run of one part.
    pub fn new(seed: u64, part: u64, run: u64) -> Self {
        let mut mixed =
            seed ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ run.wrapping_mul(0xA076_1D64_78BD_642F);
        let state = [(); 4].map(|()| {
            mixed = mixed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        });
        Self { state, spare: None }
    }

    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let found = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        found
    }

    /// Uniform on 0 to 1, without 1.
    pub fn roll(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this chance.
    pub fn happens(&mut self, chance: f64) -> bool {
        self.roll() < chance
    }

    /// A heads or tails, by a bit.
    pub fn is_heads(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (radius, angle) = ((-2.0 * (1.0 - self.roll()).ln()).sqrt(), TAU * self.roll());
        let (sine, cosine) = angle.sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// How many of `units` have something that each has with `chance`.
    pub fn binomial(&mut self, units: u64, chance: f64) -> u64 {
        if units > 0 && chance == 0.5 {
            let words = (0..units / 64).map(|_| self.bits().count_ones()).sum::<u32>();
            let rest = self.bits() & ((1_u64 << (units % 64)) - 1);
            return u64::from(words + rest.count_ones());
        }
        (0..units).filter(|_| self.happens(chance)).count() as u64
    }
}
