//! How likely a test statistic that is looked at now and then crosses a bound: the numbers behind group-sequential
//! bounds and the power of every test that is looked at more than once.
//!
//! The statistic is a Brownian motion B with drift θ, seen at information fractions t₁ < t₂ < …, where Z = B/√t.
//! The density of B among the runs that have not crossed is carried from look to look by numerical integration
//! (Armitage, McPherson and Rowe 1969, JRSS A 132), here by Gauss–Legendre's rule.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use crate::distribution::normal;

/// Beyond so many standard deviations a normal density counts as 0 (its tail is below 10⁻²⁰).
const REACH: f64 = 9.5;
/// Least nodes of a rule, and how many more for each standard deviation of the narrowest step.
const NODES_MIN: usize = 48;
const NODES_A_DEVIATION: f64 = 4.0;
const NODES_MAX: usize = 2048;

/// Chances to have crossed at one look, and at none before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Crossed {
    pub above: f64,
    pub below: f64,
}

/// The motion among the runs that have not crossed so far.
pub(crate) struct Walk {
    drift: f64,
    time: f64,
    /// Where it is, and with what chance.
    at: Vec<f64>,
    mass: Vec<f64>,
    rules: BTreeMap<usize, Vec<(f64, f64)>>,
}

impl Walk {
    /// Begins at 0, with a drift a unit of information.
    pub(crate) fn new(drift: f64) -> Self {
        Self { drift, time: 0.0, at: vec![0.0], mass: vec![1.0], rules: BTreeMap::new() }
    }

    /// The chance to stand above `z` at a later `time`.
    pub(crate) fn above(&self, time: f64, z: f64) -> f64 {
        self.beyond(time, z * time.sqrt(), 1.0)
    }

    /// The chance to stand below `z` at a later `time`.
    pub(crate) fn below(&self, time: f64, z: f64) -> f64 {
        self.beyond(time, z * time.sqrt(), -1.0)
    }

    fn beyond(&self, time: f64, bound: f64, sign: f64) -> f64 {
        let step = time - self.time;
        let (deviation, shift) = (step.sqrt(), self.drift * step);
        let of =
            |(&x, &mass): (&f64, &f64)| mass * normal::upper_tail(sign * (bound - x - shift) / deviation);
        self.at.iter().zip(&self.mass).map(of).sum()
    }

    /// Goes on to `time` and drops the runs that then stand outside `lower` to `upper` (values of Z). `next_step` is
    /// how much information the look after it adds.
    pub(crate) fn go(&mut self, time: f64, [lower, upper]: [f64; 2], next_step: f64) -> Crossed {
        let crossed = Crossed { above: self.above(time, upper), below: self.below(time, lower) };
        let step = time - self.time;
        let (deviation, shift, root) = (step.sqrt(), self.drift * step, time.sqrt());
        let middle = self.drift * time;
        let from = (lower * root).max(middle - REACH * root);
        let to = (upper * root).min(middle + REACH * root);
        let mut at = Vec::new();
        let mut mass = Vec::new();
        if from < to {
            let narrowest = deviation.min(next_step.sqrt());
            let nodes = NODES_MIN as f64 + NODES_A_DEVIATION * (to - from) / narrowest;
            let nodes = (nodes as usize).min(NODES_MAX).next_multiple_of(32);
            let rule = self.rules.entry(nodes).or_insert_with(|| gauss_legendre(nodes));
            for &(node, weight) in rule.iter() {
                let y = 0.5 * (from + to) + 0.5 * (to - from) * node;
                let density: f64 = self
                    .at
                    .iter()
                    .zip(&self.mass)
                    .map(|(&x, &mass)| ((y - x - shift) / deviation, mass))
                    .filter(|(z, _)| z.abs() < REACH)
                    .map(|(z, mass)| mass * normal::density(z))
                    .sum();
                at.push(y);
                mass.push(0.5 * (to - from) * weight * density / deviation);
            }
        }
        (self.at, self.mass, self.time) = (at, mass, time);
        crossed
    }

    /// The z at a later `time` above which the chance is `mass`; infinite when even 0 is too much.
    pub(crate) fn bound_above(&self, time: f64, mass: f64) -> f64 {
        if mass.is_nan() || mass <= 0.0 {
            return f64::INFINITY;
        }
        let (mut low, mut high) = (-40.0, 40.0);
        // Halving 80 to the last bit.
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.above(time, middle) > mass { low = middle } else { high = middle }
        }
        if high >= 40.0 { f64::INFINITY } else { 0.5 * (low + high) }
    }
}

/// Returns the chances to cross first at each look. Looks that add no information cross nothing.
pub(crate) fn crossings(times: &[f64], bounds: &[[f64; 2]], drift: f64) -> Vec<Crossed> {
    let mut walk = Walk::new(drift);
    let steps = |index: usize, time: f64| {
        times[index + 1..].iter().map(|later| later - time).find(|step| *step > 0.0).unwrap_or(time)
    };
    let mut found = Vec::with_capacity(times.len());
    for (index, (&time, &bounds)) in times.iter().zip(bounds).enumerate() {
        let is_later = time > walk.time;
        found.push(if is_later {
            walk.go(time, bounds, steps(index, time))
        } else {
            Crossed { above: 0.0, below: 0.0 }
        });
    }
    found
}

/// Nodes and weights on −1 to 1: the roots of Legendre's polynomial by Newton's method (Abramowitz and Stegun 1964,
/// 25.4.29).
pub(crate) fn gauss_legendre(nodes: usize) -> Vec<(f64, f64)> {
    let n = nodes as f64;
    let mut rule = Vec::with_capacity(nodes);
    for index in 0..nodes {
        let mut x = -((index as f64 + 0.75) / (n + 0.5) * PI).cos();
        let mut slope = 1.0;
        for _ in 0..10 {
            let (mut before, mut value) = (0.0, 1.0);
            for k in 0..nodes {
                let k = k as f64;
                (before, value) = (value, ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0));
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        rule.push((x, 2.0 / ((1.0 - x * x) * slope * slope)));
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_integrates_polynomials() {
        for nodes in [1, 2, 5, 64, 300] {
            let rule = gauss_legendre(nodes);
            let power = (2 * nodes - 1).min(6) as i32 / 2 * 2;
            let sum: f64 = rule.iter().map(|(x, weight)| weight * x.powi(power)).sum();
            assert!((sum - 2.0 / f64::from(power + 1)).abs() < 1e-13, "{nodes}: {sum}");
        }
    }

    /// Two looks without a bound at the first are one look, with drift or without.
    #[test]
    fn a_look_without_bounds_changes_nothing() {
        let open = [f64::NEG_INFINITY, f64::INFINITY];
        let found = crossings(&[0.3, 1.0], &[open, [-2.0, 1.5]], 0.7);
        assert_eq!(found[0], Crossed { above: 0.0, below: 0.0 });
        assert!((found[1].above - normal::upper_tail(1.5 - 0.7)).abs() < 1e-13);
        assert!((found[1].below - normal::cdf(-2.0 - 0.7)).abs() < 1e-13);
    }

    /// Looking ever more often at one bound nears the reflection principle: P(max B > b) = 2(1 − Φ(b)).
    #[test]
    fn many_looks_near_the_reflection_principle() {
        let times: Vec<f64> = (1..=400).map(|look| f64::from(look) / 400.0).collect();
        let bounds: Vec<[f64; 2]> = times.iter().map(|t| [f64::NEG_INFINITY, 2.0 / t.sqrt()]).collect();
        let sum: f64 = crossings(&times, &bounds, 0.0).iter().map(|crossed| crossed.above).sum();
        // Siegmund's correction (1985): looks in steps of dt see the bound 0.5826·√dt farther off.
        let corrected = 2.0 * normal::upper_tail(2.0 + 0.582_6 / 20.0);
        assert!((sum / corrected - 1.0).abs() < 2e-3, "{sum} {corrected}");
    }
}
