//! Post-stratification: arms compared within strata that were fixed before exposure (country, device), so that what
//! differs between strata is no noise.

use crate::covariate::Measure;
use crate::effect::{Effect, EffectError, Scale};
use crate::statistic::Statistic;
use crate::sums::Sums;

/// Holds a comparison whose strata are weighted by their share of all units.
///
/// With ν_k = n_k/N, α_k the control's mean and the difference in stratum k, Σ_k/n_k the covariance of these two, and
/// M the matrix of the α_k: α = Σν_kα_k, and its covariance C = M(diag ν − ννᵀ)Mᵀ/N + Σν_kΣ_k/N. The first term is
/// there because the sizes of the strata are a sample, too. Sources: Miratrix, Sekhon and Yu (2013), "Adjusting
/// Treatment Effect Estimates by Post-Stratification", JRSS B 75; growthbook, `gbstats/models/tests.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratified {
    mean: f64,
    difference: f64,
    covariance: [[f64; 2]; 2],
    pooled: [Statistic; 2],
}

/// What one stratum says: the control's mean and the difference, and n_k times their covariance.
struct Stratum {
    units: f64,
    estimates: [f64; 2],
    covariance: [[f64; 2]; 2],
}

impl Stratified {
    /// Compares means or proportions, given the control's and the treatment's sums of each stratum.
    ///
    /// A stratum in which an arm has no spread is added to the largest one.
    ///
    /// ```
    /// use experiments::{covariate::Measure, effect::Scale, strata::Stratified, sums::Sums};
    /// let of = |units, sum| Sums::of(units, [sum], [[sum]]);
    /// let strata = [[of(600, 30)?, of(580, 40)?], [of(400, 70)?, of(420, 80)?]];
    /// let effect = Stratified::of_means(&strata, Measure::Proportion)?.effect(Scale::Absolute)?;
    /// assert!((effect.value - 0.01753489327).abs() < 1e-11);
    /// assert!((effect.standard_error - 0.01372895976).abs() < 1e-11);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError`], when even all strata together cannot be compared.
    pub fn of_means(strata: &[[Sums<1>; 2]], measure: Measure) -> Result<Self, EffectError> {
        let statistic = |sums: &Sums<1>| measured(sums.statistic(0), measure);
        let merged = merge_poor(strata, |arms| arms.iter().all(|arm| statistic(arm).variance > 0.0))?;
        let of = |arms: &[Sums<1>; 2]| {
            let [a, b] = [statistic(&arms[0]), statistic(&arms[1])];
            let units = (a.units + b.units) as f64;
            let (of_a, of_b) = (units * a.variance_of_mean(), units * b.variance_of_mean());
            let estimates = [a.mean, b.mean - a.mean];
            Stratum { units, estimates, covariance: [[of_a, -of_a], [-of_a, of_a + of_b]] }
        };
        let pooled = pool(&merged)?.map(|arm| statistic(&arm));
        Ok(Self::combine(&merged.iter().map(of).collect::<Vec<_>>(), pooled))
    }

    /// Compares means adjusted in each stratum by what units did before exposure; the columns are outcome and past.
    ///
    /// Each stratum is an analysis of covariance with one slope for both arms, its residual variance over n_k − 3.
    ///
    /// # Errors
    /// As [`Stratified::of_means`].
    pub fn of_adjusted_means(strata: &[[Sums<2>; 2]]) -> Result<Self, EffectError> {
        let merged = merge_poor(strata, |arms| {
            let residual = Ancova::of(arms).residual;
            residual > 0.0 && residual.is_finite()
        })?;
        let pooled = pool(&merged)?.map(|arm| arm.statistic(0));
        let strata: Vec<Stratum> = merged.iter().map(|arms| Ancova::of(arms).stratum(arms)).collect();
        Ok(Self::combine(&strata, pooled))
    }

    fn combine(strata: &[Stratum], pooled: [Statistic; 2]) -> Self {
        let all: f64 = strata.iter().map(|stratum| stratum.units).sum();
        let over = |of: &dyn Fn(&Stratum) -> f64| -> f64 {
            strata.iter().map(|stratum| stratum.units / all * of(stratum)).sum()
        };
        let estimates = [0, 1].map(|i| over(&|stratum| stratum.estimates[i]));
        let covariance = [0, 1].map(|i| {
            [0, 1].map(|j| {
                // Σν(x − x̄)(y − ȳ) is x'(diag ν − νν')y, without its cancellation.
                let away = |stratum: &Stratum, i: usize| stratum.estimates[i] - estimates[i];
                let between = over(&|stratum| away(stratum, i) * away(stratum, j));
                (between + over(&|stratum| stratum.covariance[i][j])) / all
            })
        });
        Self { mean: estimates[0], difference: estimates[1], covariance, pooled }
    }

    /// Returns the effect over all strata; degrees of freedom are Welch's of the arms as a whole.
    ///
    /// # Errors
    /// [`EffectError`], as [`Effect::absolute`] and [`Effect::relative`].
    pub fn effect(&self, scale: Scale) -> Result<Effect, EffectError> {
        let [a, b] = &self.pooled;
        let [[of_mean, of_both], [_, of_difference]] = self.covariance;
        if scale == Scale::Absolute {
            return Effect::of(self.difference, of_difference, a, b);
        }
        if self.mean <= 0.0 {
            return Err(EffectError::ControlNotPositive);
        }
        let lift = self.difference / self.mean;
        let variance = (lift * lift * of_mean - 2.0 * lift * of_both + of_difference) / self.mean.powi(2);
        Effect::of(lift, variance, a, b)
    }
}

fn measured(statistic: Statistic, measure: Measure) -> Statistic {
    match measure {
        Measure::Mean => statistic,
        Measure::Proportion => Statistic { variance: statistic.mean * (1.0 - statistic.mean), ..statistic },
    }
}

/// Adds the strata that say nothing alone to the largest one.
fn merge_poor<const D: usize>(
    strata: &[[Sums<D>; 2]],
    is_fit: impl Fn(&[Sums<D>; 2]) -> bool,
) -> Result<Vec<[Sums<D>; 2]>, EffectError> {
    let units = |arms: &[Sums<D>; 2]| arms[0].units().saturating_add(arms[1].units());
    let is_fit = |arms: &[Sums<D>; 2]| arms.iter().all(|arm| arm.units() >= 2) && is_fit(arms);
    let (mut fit, poor): (Vec<_>, Vec<_>) = strata.iter().copied().partition(is_fit);
    fit.sort_by_key(units);
    let mut largest = fit.pop().unwrap_or_default();
    for stratum in poor {
        merge_into(&mut largest, &stratum)?;
    }
    if largest.iter().any(|arm| arm.units() < 2) {
        return Err(EffectError::TooFewUnits);
    }
    if !is_fit(&largest) {
        return Err(EffectError::NoSpread);
    }
    fit.push(largest);
    Ok(fit)
}

fn pool<const D: usize>(strata: &[[Sums<D>; 2]]) -> Result<[Sums<D>; 2], EffectError> {
    let mut pooled = [Sums::default(); 2];
    strata.iter().try_for_each(|stratum| merge_into(&mut pooled, stratum))?;
    Ok(pooled)
}

fn merge_into<const D: usize>(into: &mut [Sums<D>; 2], from: &[Sums<D>; 2]) -> Result<(), EffectError> {
    // Sums that leave 128 bits have no spread that could be told.
    let merged = into.iter_mut().zip(from).try_for_each(|(into, from)| into.merge(from));
    merged.map_err(|_| EffectError::NoSpread)
}

/// The analysis of covariance of one stratum: Y = control + difference·T + slope·(X − X̄).
struct Ancova {
    slope: f64,
    /// The sum of squares of X within arms.
    within: f64,
    /// The residual variance.
    residual: f64,
}

impl Ancova {
    fn of(arms: &[Sums<2>; 2]) -> Self {
        let over = |one: usize, other: usize| -> f64 {
            arms.iter().map(|arm| arm.covariance(one, other) * (arm.units() as f64 - 1.0)).sum()
        };
        let (within, products) = (over(1, 1), over(0, 1));
        let slope = if within > 0.0 { products / within } else { 0.0 };
        let units = (arms[0].units() + arms[1].units()) as f64;
        let residual = (over(0, 0) - slope * products) / (units - 3.0);
        Self { slope, within, residual: if units > 3.0 { residual } else { 0.0 } }
    }

    fn stratum(&self, [a, b]: &[Sums<2>; 2]) -> Stratum {
        let (n_a, n_b) = (a.units() as f64, b.units() as f64);
        let units = n_a + n_b;
        let overall = (n_a * a.mean(1) + n_b * b.mean(1)) / units;
        let (apart, between) = (a.mean(1) - overall, b.mean(1) - a.mean(1));
        let by_slope = |product: f64| {
            if self.within > 0.0 { units * self.residual * product / self.within } else { 0.0 }
        };
        let scale = units * self.residual;
        let of_mean = scale / n_a + by_slope(apart * apart);
        let of_both = -scale / n_a + by_slope(apart * between);
        let of_difference = scale * (1.0 / n_a + 1.0 / n_b) + by_slope(between * between);
        let mean = a.mean(0) - self.slope * apart;
        let difference = b.mean(0) - a.mean(0) - self.slope * between;
        Stratum {
            units,
            estimates: [mean, difference],
            covariance: [[of_mean, of_both], [of_both, of_difference]],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(units: u64, sum: i128) -> Sums<1> {
        Sums::of(units, [sum], [[sum]]).unwrap()
    }

    fn assert_digits(found: f64, printed: f64) {
        assert!((found - printed).abs() <= printed.abs() * 6e-10, "{found} is not {printed}");
    }

    /// Example F of growthbook's gbstats.
    #[test]
    fn lift_over_two_strata_is_as_printed() {
        let strata = [[of(600, 30), of(580, 40)], [of(400, 70), of(420, 80)]];
        let stratified = Stratified::of_means(&strata, Measure::Proportion).unwrap();
        let lift = stratified.effect(Scale::Relative).unwrap();
        assert_digits(lift.value, 0.173184131);
        assert_digits(lift.standard_error, 0.1470796663);
        assert_digits(lift.at_fixed_horizon(0.05).unwrap().p, 0.2391430302);
        let difference = stratified.effect(Scale::Absolute).unwrap();
        assert_digits(difference.at_fixed_horizon(0.05).unwrap().p, 0.2016741548);
    }

    #[test]
    fn one_stratum_is_no_stratum_and_poor_ones_are_merged() {
        let plain = Effect::relative(&Statistic::proportion(1000, 100), &Statistic::proportion(1000, 120));
        let one = [[of(1000, 100), of(1000, 120)]];
        // Nobody converted in one arm of the first: it is added to the second.
        let split = [[of(10, 0), of(8, 3)], [of(990, 100), of(992, 117)]];
        for strata in [&one[..], &split] {
            let found = Stratified::of_means(strata, Measure::Proportion).unwrap().effect(Scale::Relative);
            let (found, plain) = (found.unwrap(), plain.unwrap());
            assert!((found.value - plain.value).abs() < 1e-14);
            assert!((found.standard_error / plain.standard_error - 1.0).abs() < 1e-12);
        }
        let none = Stratified::of_means(&[], Measure::Mean);
        assert_eq!(none, Err(EffectError::TooFewUnits));
        assert_eq!(Stratified::of_means(&[[of(9, 0), of(9, 9)]], Measure::Mean), Err(EffectError::NoSpread));
    }

    /// Least squares by hand: control (x, y) = (0, 1), (1, 2), (2, 4); treatment (0, 3), (1, 4), (3, 8), (4, 8).
    #[test]
    fn an_adjusted_stratum_is_an_analysis_of_covariance() {
        let sums = |points: &[[i64; 2]]| {
            let mut sums = Sums::<2>::default();
            points.iter().for_each(|&[x, y]| sums.add([y, x]).unwrap());
            sums
        };
        let arms = [sums(&[[0, 1], [1, 2], [2, 4]]), sums(&[[0, 3], [1, 4], [3, 8], [4, 8]])];
        // Within arms Sxx = 2 + 10, Sxy = 3 + 14, Syy = 14/3 + 20.75.
        let slope = (3.0 + 14.0) / 12.0;
        let effect = Stratified::of_adjusted_means(&[arms]).unwrap().effect(Scale::Absolute).unwrap();
        let difference = (23.0 / 4.0 - 7.0 / 3.0) - slope * (2.0 - 1.0);
        assert!((effect.value - difference).abs() < 1e-14);
        let within = 14.0 / 3.0 + 20.75;
        let residual = (within - slope * 17.0) / 4.0;
        let variance = residual * (1.0 / 3.0 + 1.0 / 4.0 + 1.0 / 12.0);
        assert!((effect.variance() / variance - 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn any_strata_give_numbers_or_an_error(
            units in proptest::collection::vec((0_usize..3, 0_usize..2, -9_i64..9, -9_i64..9), 0..80),
        ) {
            let mut plain = [[Sums::<1>::default(); 2]; 3];
            let mut paired = [[Sums::<2>::default(); 2]; 3];
            for (stratum, arm, y, x) in units {
                plain[stratum][arm].add([y]).unwrap();
                paired[stratum][arm].add([y, x]).unwrap();
            }
            let found = [Stratified::of_means(&plain, Measure::Mean), Stratified::of_adjusted_means(&paired)];
            for stratified in found.into_iter().flatten() {
                for scale in [Scale::Absolute, Scale::Relative] {
                    if let Ok(effect) = stratified.effect(scale) {
                        prop_assert!(effect.value.is_finite() && effect.standard_error > 0.0);
                    }
                }
            }
        }
    }
}
