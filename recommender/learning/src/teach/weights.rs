//! Weights of a sum that puts the right candidate first: softmax regression over the candidates of a question.
//!
//! Source of the steps: Kingma and Ba, "Adam: a method for stochastic optimization" (2015).

use super::table::Table;

/// Questions of one step.
const BATCH: usize = 64;

/// Questions that are looked at altogether, over and over where there are fewer, and the most rounds over all.
const LOOKS: usize = 150_000;
const ROUNDS_MAX: usize = 8;

/// The first steps' length in standard deviations of a feature; it halves six times.
const RATE: f32 = 0.02;
const HALVINGS: f32 = 6.0;

/// How strongly weights are drawn to zero.
const DOUBT: f32 = 1e-4;

/// A prime, so that a walk by it over the questions sees every time in each batch.
const STRIDE: usize = 7_919;

/// Learns the weights of the features as they come, from the first `taught` questions.
pub fn learn(table: &Table, taught: usize) -> Vec<f32> {
    let scaled: Vec<Vec<f32>> = table
        .features()
        .iter()
        .map(|feature| {
            feature
                .means
                .iter()
                .map(|mean| if feature.spread > 0.0 { mean / feature.spread } else { 0.0 })
                .collect()
        })
        .collect();
    let mut adam = Adam::new(table.width());
    let rounds = (LOOKS / taught.max(1)).clamp(1, ROUNDS_MAX);
    // Where the prime divides the number of questions, a walk by it sees few of them.
    let stride = if taught.is_multiple_of(STRIDE) { 1 } else { STRIDE };
    for round in 0..rounds {
        for from in (0..taught).step_by(BATCH) {
            let batch = from..(from + BATCH).min(taught);
            let part = batch.len() as f32;
            let mut slope = vec![0.0; table.width()];
            for number in batch {
                add_slope(table, &scaled, &adam.weights, number * stride % taught, &mut slope);
            }
            slope.iter_mut().zip(&adam.weights).for_each(|(s, weight)| *s = *s / part + DOUBT * weight);
            let done = (round * taught + from) as f32 / (rounds * taught) as f32;
            adam.step(&slope, RATE * 0.5_f32.powf(HALVINGS * done));
        }
    }
    let unscaled = |(weight, feature): (&f32, &super::table::Feature)| {
        if feature.spread > 0.0 { weight / feature.spread } else { 0.0 }
    };
    adam.weights.iter().zip(table.features()).map(unscaled).collect()
}

/// Adds what one question says of the weights: per feature, the candidates' by their chance, less the right one's.
fn add_slope(table: &Table, scaled: &[Vec<f32>], weights: &[f32], question: usize, slope: &mut [f32]) {
    let (rows, right) = table.question(question);
    let score = |row: u32| {
        let values = table.row(row).iter().zip(scaled);
        values.zip(weights).map(|((&bin, scaled), weight)| weight * scaled[bin as usize]).sum::<f32>()
    };
    let scores: Vec<f32> = rows.clone().map(score).collect();
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let all: f32 = scores.iter().map(|score| (score - most).exp()).sum();
    for (row, score) in rows.zip(scores) {
        let off = (score - most).exp() / all - f32::from(u8::from(row == right));
        // Candidates without a chance say nothing, and are most of them.
        if off.abs() > 1e-5 {
            for ((sum, scaled), &bin) in slope.iter_mut().zip(scaled).zip(table.row(row)) {
                *sum += off * scaled[bin as usize];
            }
        }
    }
}

struct Adam {
    weights: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
}

impl Adam {
    fn new(width: usize) -> Self {
        Self { weights: vec![0.0; width], first: vec![0.0; width], second: vec![0.0; width], steps: 0 }
    }

    fn step(&mut self, slope: &[f32], rate: f32) {
        const FIRST: f32 = 0.9;
        const SECOND: f32 = 0.999;
        self.steps += 1;
        let (first_part, second_part) = (1.0 - FIRST.powi(self.steps), 1.0 - SECOND.powi(self.steps));
        for (place, &slope) in slope.iter().enumerate() {
            self.first[place] = FIRST * self.first[place] + (1.0 - FIRST) * slope;
            self.second[place] = SECOND * self.second[place] + (1.0 - SECOND) * slope * slope;
            let (first, second) = (self.first[place] / first_part, self.second[place] / second_part);
            self.weights[place] -= rate * first / (second.sqrt() + 1e-8);
        }
    }
}
