//! How likely a test statistic that is looked at now and then crosses a bound: the numbers behind group-sequential
//! bounds and the power of every test that is looked at more than once.
//!
//! The statistic is a Brownian motion B with drift θ, seen at information fractions t₁ < t₂ < …, where Z = B/√t.
//! The density of B among the runs that have not crossed is carried from look to look by numerical integration
//! (Armitage, McPherson and Rowe 1969, JRSS A 132), here by Gauss–Legendre's rule in panels.

use std::f64::consts::PI;
use std::sync::LazyLock;

use crate::distribution::normal;

/// Beyond so many standard deviations a normal density counts as 0 (its tail is below 10⁻²⁰).
const REACH: f64 = 9.5;
/// Nodes of a panel, and how many standard deviations of the narrowest step it spans at most: six times as many nodes move
/// the power at 200 looks by less than 10⁻¹².
const NODES: usize = 32;
const PANEL_DEVIATIONS: f64 = 16.0;
const PANELS_MAX: f64 = 64.0;
/// After so small a step of Newton's method another one would change nothing.
const LAST_STEP: f64 = 1e-8;

static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| gauss_legendre(NODES));

/// Chances to have crossed at one look, and at none before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Crossed {
    pub above: f64,
    pub below: f64,
}

/// The motion among the runs that have not crossed so far.
#[derive(Debug)]
pub(crate) struct Walk {
    drift: f64,
    time: f64,
    /// Where it is, ascending, and with what chance.
    runs: Vec<(f64, f64)>,
}

impl Walk {
    /// Begins at 0, with a drift a unit of information.
    pub(crate) fn new(drift: f64) -> Self {
        Self { drift, time: 0.0, runs: vec![(0.0, 1.0)] }
    }

    /// The chances to stand above and below bounds on Z at a later `time`, had all of the walk had a `drift`: each run then
    /// counts by its likelihood ratio, exp((θ − θ₀)B − (θ² − θ₀²)t/2) (Siegmund 1985, "Sequential Analysis").
    fn crossed(&self, time: f64, [lower, upper]: [f64; 2], drift: f64) -> Crossed {
        let step = time - self.time;
        let (deviation, shift, root) = (step.sqrt(), drift * step, time.sqrt());
        let tilt = drift - self.drift;
        let level = 0.5 * (drift * drift - self.drift * self.drift) * self.time;
        let chance = |z: f64| if z < REACH { normal::upper_tail(z) } else { 0.0 };
        let mut crossed = Crossed { above: 0.0, below: 0.0 };
        for &(x, mass) in &self.runs {
            let above = chance((upper * root - x - shift) / deviation);
            let below = chance((x + shift - lower * root) / deviation);
            if above + below > 0.0 {
                let mass = mass * (tilt * x - level).exp();
                crossed.above += mass * above;
                crossed.below += mass * below;
            }
        }
        crossed
    }

    /// The density of B at a later `time`.
    fn density(&self, time: f64, y: f64) -> f64 {
        let step = time - self.time;
        let (deviation, origin) = (step.sqrt(), y - self.drift * step);
        let begin = self.runs.partition_point(|(x, _)| *x < origin - REACH * deviation);
        let near = self.runs[begin..].iter().take_while(|(x, _)| *x < origin + REACH * deviation);
        near.map(|(x, mass)| mass * normal::density((origin - x) / deviation)).sum::<f64>() / deviation
    }

    /// The walk at a later `time` among the runs that then stand within bounds on Z. `next_step` is how much information
    /// the look after it adds.
    pub(crate) fn within(&self, time: f64, [lower, upper]: [f64; 2], next_step: f64) -> Walk {
        let (root, middle) = (time.sqrt(), self.drift * time);
        let from = (lower * root).max(middle - REACH * root);
        let to = (upper * root).min(middle + REACH * root);
        let narrowest = (time - self.time).min(next_step).sqrt();
        // None where the bounds leave no room.
        let panels = ((to - from) / (PANEL_DEVIATIONS * narrowest)).ceil().min(PANELS_MAX);
        let half = 0.5 * (to - from) / panels;
        let runs = (0..panels as usize).flat_map(|panel| {
            let middle = from + half * (2 * panel + 1) as f64;
            RULE.iter().map(move |(node, weight)| {
                let y = middle + half * node;
                (y, half * weight * self.density(time, y))
            })
        });
        Walk { drift: self.drift, time, runs: runs.collect() }
    }

    /// The z at a later `time` above which the chance is `mass`; infinite when even 0 is too much.
    pub(crate) fn bound_above(&self, time: f64, mass: f64) -> f64 {
        if mass.is_nan() || mass <= 0.0 {
            return f64::INFINITY;
        }
        // Without bounds before, it would be the normal distribution's. From there Newton's method on the logarithm of the
        // tail never passes the root, for that is concave (Prékopa 1973); where the tail has no digits left, a halving.
        let (mut low, mut high) = (-REACH, normal::critical(mass));
        let mut z = high;
        let (root, deviation) = (time.sqrt(), (time - self.time).sqrt());
        loop {
            let tail: f64 =
                self.runs.iter().map(|(x, mass)| mass * normal::upper_tail((z * root - x) / deviation)).sum();
            if tail > mass {
                low = z
            } else {
                high = z
            }
            let slope = self.density(time, z * root) * root;
            let step = tail * (tail / mass).ln() / slope;
            if step.abs() < LAST_STEP {
                return z + step;
            }
            if high - low < LAST_STEP {
                return z;
            }
            z = if (low..high).contains(&(z + step)) { z + step } else { 0.5 * (low + high) };
        }
    }
}

/// Holds looks with the bounds at each, and the runs that come to them, from which follows what crosses under any drift.
#[derive(Debug)]
pub(crate) struct Crossings(Vec<(f64, [f64; 2], Walk)>);

impl Crossings {
    /// Walks through looks, with a drift that those asked for later are near. Looks that add no information, or that nothing can
    /// cross at, are left out: they may stand closer together than an integral tells apart.
    pub(crate) fn new(times: &[f64], bounds: &[[f64; 2]], drift: f64) -> Self {
        let mut walk = Walk::new(drift);
        let mut looks = Vec::with_capacity(times.len());
        for (index, (&time, &bounds)) in times.iter().zip(bounds).enumerate() {
            if time > walk.time && bounds.iter().any(|bound| bound.is_finite()) {
                let next = times[index + 1..].iter().find(|later| **later > time);
                let on = walk.within(time, bounds, next.map_or(time, |next| next - time));
                looks.push((time, bounds, std::mem::replace(&mut walk, on)));
            }
        }
        Self(looks)
    }

    /// Returns the chances to cross first at each look, with its time.
    pub(crate) fn with(&self, drift: f64) -> impl Iterator<Item = (f64, Crossed)> {
        self.0.iter().map(move |(time, bounds, walk)| (*time, walk.crossed(*time, *bounds, drift)))
    }
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
        // Walked with the drift itself and with another.
        for walked in [0.7, -1.0] {
            let crossings = Crossings::new(&[0.3, 1.0], &[open, [-2.0, 1.5]], walked);
            let found: Vec<(f64, Crossed)> = crossings.with(0.7).collect();
            assert_eq!((found.len(), found[0].0), (1, 1.0));
            assert!((found[0].1.above - normal::upper_tail(1.5 - 0.7)).abs() < 1e-13);
            assert!((found[0].1.below - normal::cdf(-2.0 - 0.7)).abs() < 1e-13);
        }
    }

    /// Looking ever more often at one bound nears the reflection principle: P(max B > b) = 2(1 − Φ(b)).
    #[test]
    fn many_looks_near_the_reflection_principle() {
        let times: Vec<f64> = (1..=400).map(|look| f64::from(look) / 400.0).collect();
        let bounds: Vec<[f64; 2]> = times.iter().map(|t| [f64::NEG_INFINITY, 2.0 / t.sqrt()]).collect();
        let sum: f64 = Crossings::new(&times, &bounds, 0.0).with(0.0).map(|(_, crossed)| crossed.above).sum();
        // Siegmund's correction (1985): looks in steps of dt see the bound 0.5826·√dt farther off.
        let corrected = 2.0 * normal::upper_tail(2.0 + 0.582_6 / 20.0);
        assert!((sum / corrected - 1.0).abs() < 2e-3, "{sum} {corrected}");
    }
}
