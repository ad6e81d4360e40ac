//! The mixture sequential probability ratio test (mSPRT), for teams that know how large effects are.

use crate::effect::Effect;
use crate::interval::{Alternative, Estimate};

/// Holds a test that may be looked at any time, mixing over effects N(0, τ²).
///
/// τ is fixed in advance, of about the size of true effects and on the scale on which effects are told. Sources:
/// Johari, Koomen, Pekelis and Walsh (2017), "Peeking at A/B Tests", KDD, and (2022), Operations Research 70; Robbins
/// (1970), Annals of Mathematical Statistics 41. One-sided, the end of the two-sided interval at the same α is given,
/// which is valid and a little wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    alpha: f64,
    alternative: Alternative,
    tau_squared: f64,
}

impl Mixture {
    /// Makes the test that errs with chance `alpha` and expects effects of about `tau`. `None` unless 0 < alpha < 1
    /// and tau is a number above 0.
    pub fn new(alpha: f64, alternative: Alternative, tau: f64) -> Option<Self> {
        let tau_squared = tau * tau;
        let is_fit = alpha > 0.0 && alpha < 1.0 && tau_squared > 0.0 && tau_squared.is_finite() && tau > 0.0;
        is_fit.then_some(Self { alpha, alternative, tau_squared })
    }

    /// Returns the interval's half-width in standard errors at a variance V of the effect: √[(V + τ²)/τ²·(2 ln(1/α) +
    /// ln((V + τ²)/V))].
    pub(crate) fn half_width_at(&self, variance: f64) -> f64 {
        let gain = self.tau_squared / variance;
        ((1.0 + 1.0 / gain) * (gain.ln_1p() - 2.0 * self.alpha.ln())).sqrt()
    }

    /// Returns the p-value of this look, min(1, 1/Λ) with Λ = √(V/(V + τ²))·exp(τ²Δ²/(2V(V + τ²))); the lowest over
    /// all looks is a valid p-value, too.
    pub fn p(&self, effect: &Effect) -> f64 {
        let gain = self.tau_squared / effect.variance();
        let z = effect.z();
        let is_other_side = match self.alternative {
            Alternative::TwoSided => false,
            Alternative::Greater => z <= 0.0,
            Alternative::Less => z >= 0.0,
        };
        if is_other_side {
            return 1.0;
        }
        (0.5 * gain.ln_1p() - z * z / (2.0 * (1.0 + 1.0 / gain))).exp().min(1.0)
    }

    /// Returns the interval and p-value of this look. `None` when numbers leave the range of floating point.
    ///
    /// With τ² = ρ²·N·V it is the confidence sequence tuned by ρ:
    ///
    /// ```
    /// use experiments::interval::Alternative::TwoSided;
    /// use experiments::{effect::Effect, statistic::Statistic, mixture::Mixture};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let effect = Effect::absolute(&a, &b)?;
    /// let tau = 0.03984006677 * (2000.0 * effect.variance()).sqrt();
    /// let estimate = Mixture::new(0.05, TwoSided, tau).expect("in range").estimate(&effect).expect("finite");
    /// assert!((estimate.p - 0.938885604).abs() < 1e-8);
    /// assert!((estimate.upper - 0.06368825908).abs() < 1e-10);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    pub fn estimate(&self, effect: &Effect) -> Option<Estimate> {
        Estimate::around(effect, self.alternative, self.half_width_at(effect.variance()), self.p(effect))
    }
}
