//! The effect of a treatment: how far it is from the control, and how well that is known.

use crate::statistic::Statistic;

/// Says in what an effect is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// As a share of the control's mean: 0.1 is 10 % more.
    #[default]
    Relative,
    /// In the unit of the metric.
    Absolute,
}

/// Holds a difference between two arms, before any interval is drawn around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The estimated effect; the treatment's minus the control's.
    pub value: f64,
    /// Its standard error, above zero.
    pub standard_error: f64,
    /// Units of both arms together.
    pub units: u64,
    /// Welch's degrees of freedom, always of the absolute difference.
    pub degrees_of_freedom: f64,
}

/// Says why two arms cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// An arm has fewer than two units.
    #[error("an arm has fewer than two units")]
    TooFewUnits,
    /// An arm's units are all alike.
    #[error("an arm has no spread: all its units did the same")]
    NoSpread,
    /// The control's mean is not above zero, so no relative change can be told.
    #[error("the control's mean is not above zero")]
    ControlNotPositive,
}

impl Effect {
    /// Returns the effect on either scale.
    ///
    /// # Errors
    /// As [`Effect::absolute`] and [`Effect::relative`].
    pub fn on(scale: Scale, control: &Statistic, treatment: &Statistic) -> Result<Effect, EffectError> {
        match scale {
            Scale::Absolute => Effect::absolute(control, treatment),
            Scale::Relative => Effect::relative(control, treatment),
        }
    }

    /// Returns the absolute difference: Δ = m_b − m_a, variance s_b²/n_b + s_a²/n_a.
    ///
    /// Degrees of freedom are Welch's (1947). Source: gbstats 0.8.0, `frequentist/tests.py`.
    ///
    /// ```
    /// use experiments::{effect::Effect, statistic::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let effect = Effect::absolute(&a, &b)?;
    /// assert!((effect.value - 0.02).abs() < 1e-15);
    /// assert!((effect.standard_error - 0.01398570699).abs() < 1e-11);
    /// assert!((effect.degrees_of_freedom - 1985.371456).abs() < 1e-6);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError::TooFewUnits`] and [`EffectError::NoSpread`].
    pub fn absolute(control: &Statistic, treatment: &Statistic) -> Result<Effect, EffectError> {
        check_spread(control, treatment)?;
        let variance = control.variance_of_mean() + treatment.variance_of_mean();
        Effect::of(treatment.mean - control.mean, variance, control, treatment)
    }

    /// Returns the relative lift: δ = (m_b − m_a)/m_a, variance s_b²/(m_a²n_b) + s_a²m_b²/(m_a⁴n_a) by the
    /// delta method.
    ///
    /// A good approximation only where the control's mean is known well. Sources: Deng, Knoblich and Lu
    /// (2018), "Applying the Delta Method in Metric Analytics"; gbstats 0.8.0, `frequentist/tests.py`.
    ///
    /// ```
    /// use experiments::{effect::Effect, statistic::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let lift = Effect::relative(&a, &b)?;
    /// assert!((lift.value - 0.2).abs() < 1e-14);
    /// assert!((lift.standard_error - 0.1533623161).abs() < 1e-10);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError`]: as [`Effect::absolute`], and when the control's mean is zero or below.
    pub fn relative(control: &Statistic, treatment: &Statistic) -> Result<Effect, EffectError> {
        check_spread(control, treatment)?;
        if control.mean <= 0.0 {
            return Err(EffectError::ControlNotPositive);
        }
        let ratio = treatment.mean / control.mean;
        let variance = (treatment.variance_of_mean() + control.variance_of_mean() * ratio * ratio)
            / (control.mean * control.mean);
        Effect::of((treatment.mean - control.mean) / control.mean, variance, control, treatment)
    }

    /// Returns treatment − ratio·control with one variance for both arms, that of all their units together: a test also where
    /// all units of an arm did the same, which tells nothing of how far they would spread.
    ///
    /// If both arms were alike, a control of few units without any error would say little; its own variance of 0 would say
    /// all. s² = (n_a·s_a² + n_b·s_b²)/N + n_a·n_b·(m_b − m_a)²/N², which for proportions is p(1 − p) of the pooled share
    /// (the score test; Agresti 2013, "Categorical Data Analysis", section 3.2), and V = s²(1/n_b + ratio²/n_a).
    ///
    /// ```
    /// use experiments::{effect::Effect, statistic::Statistic};
    /// // No error of 5,000 against 16: p = 0.0016.
    /// let effect = Effect::pooled(&Statistic::proportion(5000, 0), &Statistic::proportion(5000, 16), 1.0)?;
    /// assert!((effect.z() - 0.0032 / (0.0016_f64 * 0.9984 * 2.0 / 5000.0).sqrt()).abs() < 1e-9);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError::TooFewUnits`]; [`EffectError::NoSpread`] where all units of both arms did the same.
    pub fn pooled(control: &Statistic, treatment: &Statistic, ratio: f64) -> Result<Effect, EffectError> {
        if control.units < 2 || treatment.units < 2 {
            return Err(EffectError::TooFewUnits);
        }
        let (n_a, n_b) = (control.units as f64, treatment.units as f64);
        let share = n_a / (n_a + n_b);
        let apart = treatment.mean - control.mean;
        let within = share * control.variance + (1.0 - share) * treatment.variance;
        let variance = within + share * (1.0 - share) * apart * apart;
        let effect = Effect {
            value: treatment.mean - ratio * control.mean,
            standard_error: (variance * (1.0 / n_b + ratio * ratio / n_a)).sqrt(),
            units: control.units.saturating_add(treatment.units),
            degrees_of_freedom: n_a + n_b - 2.0,
        };
        if effect.is_sound() { Ok(effect) } else { Err(EffectError::NoSpread) }
    }

    /// An effect whose degrees of freedom are those of the absolute difference of two arms.
    pub(crate) fn of(
        value: f64,
        variance: f64,
        control: &Statistic,
        treatment: &Statistic,
    ) -> Result<Effect, EffectError> {
        check_spread(control, treatment)?;
        let (a, b) = (control.variance_of_mean(), treatment.variance_of_mean());
        // As shares of their sum, so that squares of tiny variances do not vanish.
        let (share_a, share_b) = (a / (a + b), b / (a + b));
        let degrees_of_freedom = 1.0
            / (share_b * share_b / (treatment.units - 1) as f64
                + share_a * share_a / (control.units - 1) as f64);
        let effect = Effect {
            value,
            standard_error: variance.sqrt(),
            units: control.units.saturating_add(treatment.units),
            degrees_of_freedom,
        };
        if effect.is_sound() { Ok(effect) } else { Err(EffectError::NoSpread) }
    }

    /// Returns the effect less what it is tested against: a lift of 0.05 tested against 0.02 is one of 0.03.
    pub fn minus(self, test_value: f64) -> Effect {
        Effect { value: self.value - test_value, ..self }
    }

    /// Returns the variance of the estimated effect, the square of its standard error.
    pub fn variance(&self) -> f64 {
        self.standard_error * self.standard_error
    }

    /// Returns the effect in standard errors.
    pub fn z(&self) -> f64 {
        self.value / self.standard_error
    }

    fn is_sound(&self) -> bool {
        self.value.is_finite() && self.standard_error.is_finite() && self.standard_error > 0.0
    }
}

pub(crate) fn check_spread(control: &Statistic, treatment: &Statistic) -> Result<(), EffectError> {
    if control.units < 2 || treatment.units < 2 {
        return Err(EffectError::TooFewUnits);
    }
    let has_spread = |arm: &Statistic| arm.variance > 0.0 && arm.variance.is_finite();
    if has_spread(control) && has_spread(treatment) { Ok(()) } else { Err(EffectError::NoSpread) }
}
