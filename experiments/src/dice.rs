//! Seeded random numbers for simulations in tests.

/// Xorshift64* (Vigna 2016): enough for a simulation, the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn roll(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * (1.0 - self.roll()).ln()).sqrt(), std::f64::consts::TAU * self.roll());
        radius * angle.cos()
    }

    /// A basket as shops see it: mostly small, with a heavy tail (log-normal, median 20.00).
    pub fn basket(&mut self) -> i64 {
        (2_000.0 * (0.8 * self.normal()).exp()) as i64
    }
}
