//! Gradient boosting of trees that put the right candidate first.
//!
//! The loss of a question is the cross entropy of the softmax over its candidates (ListNet's top-one loss: Cao, Qin,
//! Liu, Tsai and Li, "Learning to rank: from pairwise approach to listwise approach", 2007); the trees grow leaf by leaf
//! over binned features (Ke et al., "LightGBM", 2017), with second-order leaves (Chen and Guestrin, "XGBoost", 2016).

use recommender::forest::{Forest, Node, Tree};

/// Says how trees are grown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// The most trees.
    pub trees: usize,
    /// The leaves of a tree.
    pub leaves: usize,
    /// How much of a tree's correction is taken.
    pub rate: f32,
    /// The part of the questions that one tree sees.
    pub sample: f64,
    /// The weight of doubt of a leaf.
    pub shrink: f64,
    /// The least curvature of a leaf: some questions' worth.
    pub least: f64,
    /// Trees without an improvement on the questions set aside after which growing ends.
    pub patience: usize,
}

impl Default for Growth {
    fn default() -> Self {
        Self { trees: 200, leaves: 31, rate: 0.1, sample: 0.5, shrink: 5.0, least: 5.0, patience: 20 }
    }
}

/// The bins of a feature. Sixty-four keep the sums of all features in the nearest cache.
const BINS: usize = EVEN + 2 * TAIL;
const EVEN: usize = 64;
const TAIL: usize = 16;

/// Holds questions with their candidates' features in bins.
pub struct Table {
    width: usize,
    /// Per feature the largest value of each bin but the last.
    edges: Vec<Vec<f32>>,
    /// Per feature the mean of each bin.
    middles: Vec<Vec<f32>>,
    spread: Vec<f32>,
    bins: Vec<u8>,
    /// `starts[q]..starts[q + 1]` are the rows of question `q`.
    starts: Vec<u32>,
    /// The row of the right candidate, per question.
    right: Vec<u32>,
}

impl Table {
    /// Makes an empty table whose bins split a sample of rows evenly.
    pub fn new(width: usize, sample: &[f32]) -> Self {
        let edges: Vec<Vec<f32>> = (0..width).map(|feature| edges(sample.iter().skip(feature).step_by(width).copied())).collect();
        let (mut middles, mut spread) = (vec![], vec![]);
        for (feature, edges) in edges.iter().enumerate() {
            let mut sums = vec![(0.0_f64, 0.0_f64); edges.len() + 1];
            let (mut mean, mut square, mut count) = (0.0_f64, 0.0_f64, 0.0_f64);
            for &value in sample.iter().skip(feature).step_by(width) {
                let v = f64::from(value);
                let bin = edges.partition_point(|edge| *edge < value);
                sums[bin].0 += v;
                sums[bin].1 += 1.0;
                mean += v; square += v * v; count += 1.0;
            }
            mean /= count.max(1.0);
            spread.push((square / count.max(1.0) - mean * mean).max(1e-12).sqrt() as f32);
            middles.push(sums.iter().enumerate().map(|(bin, s)| if s.1 > 0.0 { (s.0 / s.1) as f32 } else { edges[bin.min(edges.len().saturating_sub(1))] }).collect());
        }
        Self { width, edges, middles, spread, bins: Vec::new(), starts: vec![0], right: Vec::new() }
    }

    /// Adds a question: its candidates' rows, and which of them was right.
    pub fn push(&mut self, rows: &[f32], right: usize) {
        self.right.push(self.starts[self.starts.len() - 1] + right as u32);
        for row in rows.chunks_exact(self.width) {
            for (value, edges) in row.iter().zip(&self.edges) {
                self.bins.push(edges.partition_point(|edge| edge < value) as u8);
            }
        }
        self.starts.push((self.bins.len() / self.width) as u32);
    }

    /// Returns how many questions there are.
    pub fn len(&self) -> usize {
        self.right.len()
    }

    /// Says whether there is no question.
    pub fn is_empty(&self) -> bool {
        self.right.is_empty()
    }

    /// The weighted sum of a row, its features as the middles of their bins.
    fn linear(&self, row: u32, weights: &[f32]) -> f32 {
        self.row(row).iter().zip(weights).enumerate().map(|(f, (&bin, w))| w * self.middles[f][bin as usize]).sum()
    }

    fn row(&self, row: u32) -> &[u8] {
        &self.bins[row as usize * self.width..(row as usize + 1) * self.width]
    }

    fn rows(&self) -> usize {
        self.bins.len() / self.width
    }
}

fn edges(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= BINS {
        distinct.pop();
        return distinct;
    }
    // Evenly, and ever finer towards both ends: what tells the first candidate from the second is far out in a tail.
    let even = (1..EVEN).map(|bin| bin as f64 / EVEN as f64);
    let tail = |step: usize| 0.6_f64.powi(step as i32 + 1) / EVEN as f64;
    let mut parts: Vec<f64> = even.chain((0..TAIL).map(tail)).chain((0..TAIL).map(|step| 1.0 - tail(step))).collect();
    parts.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f32> = parts.iter().map(|part| sorted[(part * sorted.len() as f64) as usize]).collect();
    edges.dedup();
    if edges.last() == sorted.last() {
        edges.pop();
    }
    edges
}

/// Grows a forest; the last `aside` part of the questions is set aside to tell when to stop.
pub fn grow(table: &Table, growth: Growth, aside: f64, linear: &[f32], tell: &mut dyn FnMut(usize, f64)) -> Forest {
    let taught = ((table.len() as f64) * (1.0 - aside)) as usize;
    let mut scores: Vec<f32> = (0..table.rows()).map(|row| table.linear(row as u32, linear)).collect();
    let mut slopes = vec![[0.0_f32; 2]; table.rows()];
    let (mut best, mut best_at) = (f64::INFINITY, 0);
    let mut forest = Forest::default();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for number in 0..growth.trees {
        let mut loss = 0.0;
        for question in 0..table.len() {
            let rows = table.starts[question] as usize..table.starts[question + 1] as usize;
            let right = table.right[question] as usize;
            let most = scores[rows.clone()].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = scores[rows.clone()].iter().map(|s| (s - most).exp()).sum();
            if question >= taught {
                loss -= f64::from(scores[right] - most) - f64::from(sum).ln();
            }
            for row in rows {
                let chance = (scores[row] - most).exp() / sum;
                slopes[row] = [chance - f32::from(u8::from(row == right)), (chance * (1.0 - chance)).max(1e-6)];
            }
        }
        loss /= (table.len() - taught).max(1) as f64;
        tell(number, loss);
        if loss < best {
            (best, best_at) = (loss, number);
        } else if number - best_at >= growth.patience {
            break;
        }
        let mut sample = Vec::new();
        for question in 0..taught {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if (random >> 11) as f64 / (1_u64 << 53) as f64 <= growth.sample {
                sample.extend(table.starts[question]..table.starts[question + 1]);
            }
        }
        let tree = Grower { table, slopes: &slopes, growth }.tree(sample);
        let binned = tree.1;
        for (row, score) in scores.iter_mut().enumerate() {
            *score += binned.value(table.row(row as u32));
        }
        forest.trees.push(tree.0);
    }
    forest.trees.truncate(best_at);
    forest
}

/// Learns weights of a linear score by gradient descent (Adam: Kingma and Ba, 2015).
pub fn linear(table: &Table, aside: f64, epochs: usize, doubt: f32) -> Vec<f32> {
    let width = table.width;
    let taught = ((table.len() as f64) * (1.0 - aside)) as usize;
    let mut weights = vec![0.0_f32; width];
    let (mut first, mut second) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    let scaled: Vec<Vec<f32>> = table.middles.iter().zip(&table.spread).map(|(m, s)| m.iter().map(|x| if *s > 1e-5 { x / s } else { 0.0 }).collect()).collect();
    let batch = 64;
    let mut step = 0;
    for epoch in 0..epochs {
        let mut from = 0;
        while from < taught {
            let mut slope = vec![0.0_f32; width];
            let to = (from + batch).min(taught);
            // A stride walks over all times in every batch.
            for number in from..to {
                let question = (number * 7919) % taught;
                let rows = table.starts[question]..table.starts[question + 1];
                let scores: Vec<f32> = rows.clone().map(|r| table.row(r).iter().enumerate().map(|(f, &b)| weights[f] * scaled[f][b as usize]).sum()).collect();
                let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = scores.iter().map(|s| (s - most).exp()).sum();
                for (r, score) in rows.zip(&scores) {
                    let g = (score - most).exp() / sum - f32::from(u8::from(r == table.right[question]));
                    if g.abs() < 1e-5 { continue; }
                    for (f, &b) in table.row(r).iter().enumerate() { slope[f] += g * scaled[f][b as usize]; }
                }
            }
            step += 1;
            let rate = 0.02 * 0.5_f32.powi(epoch as i32 * 6 / epochs as i32);
            for f in 0..width {
                let g = slope[f] / (to - from) as f32 + doubt * weights[f];
                first[f] = 0.9 * first[f] + 0.1 * g;
                second[f] = 0.999 * second[f] + 0.001 * g * g;
                let (m, v) = (first[f] / (1.0 - 0.9_f32.powi(step)), second[f] / (1.0 - 0.999_f32.powi(step)));
                weights[f] -= rate * m / (v.sqrt() + 1e-8);
            }
            from = to;
        }
    }
    weights.iter().zip(&table.spread).map(|(w, s)| if *s > 1e-5 { w / s } else { 0.0 }).collect()
}

type Sums = Vec<[f64; 2]>;

/// A tree over bins.
struct Binned {
    nodes: Vec<(u16, u8, i16, i16)>,
    leaves: Vec<f32>,
}

impl Binned {
    fn value(&self, row: &[u8]) -> f32 {
        let mut at: i16 = if self.nodes.is_empty() { !0 } else { 0 };
        while at >= 0 {
            let (feature, bin, left, right) = self.nodes[at as usize];
            at = if row[feature as usize] <= bin { left } else { right };
        }
        self.leaves[!at as usize]
    }
}

struct Grower<'a> {
    table: &'a Table,
    slopes: &'a [[f32; 2]],
    growth: Growth,
}

struct Leaf {
    rows: Vec<u32>,
    sums: Sums,
    whole: [f64; 2],
    best: Option<(f64, u16, u8)>,
    /// The node above and whether this is its right child.
    above: Option<(usize, bool)>,
}

/// Rows whose sums are added up in single precision before they go to the double ones.
const BLOCK_ROWS: usize = 1 << 15;

impl Grower<'_> {
    fn tree(&self, rows: Vec<u32>) -> (Tree, Binned) {
        let sums = self.sums(&rows);
        let mut leaves = vec![self.leaf(rows, sums, None)];
        let mut nodes: Vec<(u16, u8, i16, i16)> = Vec::new();
        while leaves.len() < self.growth.leaves {
            let gain = |leaf: &Leaf| leaf.best.map_or(0.0, |(gain, ..)| gain);
            let Some((place, (_, feature, bin))) = leaves
                .iter()
                .enumerate()
                .max_by(|a, b| gain(a.1).total_cmp(&gain(b.1)).then(b.0.cmp(&a.0)))
                .and_then(|(place, leaf)| Some((place, leaf.best?)))
            else {
                break;
            };
            let leaf = leaves.swap_remove(place);
            let (left, right): (Vec<u32>, Vec<u32>) =
                leaf.rows.iter().partition(|&&row| self.table.row(row)[feature as usize] <= bin);
            let (left_sums, right_sums) = if left.len() < right.len() {
                let sums = self.sums(&left);
                let rest = minus(&leaf.sums, &sums);
                (sums, rest)
            } else {
                let sums = self.sums(&right);
                (minus(&leaf.sums, &sums), sums)
            };
            let node = nodes.len();
            nodes.push((feature, bin, 0, 0));
            self.hang(&mut nodes, leaf.above, node as i16);
            leaves.push(self.leaf(left, left_sums, Some((node, false))));
            leaves.push(self.leaf(right, right_sums, Some((node, true))));
        }
        let mut values = Vec::new();
        for leaf in &leaves {
            self.hang(&mut nodes, leaf.above, !(values.len() as i16));
            let [slope, curve] = leaf.whole;
            values.push((-slope / (curve + self.growth.shrink)) as f32 * self.growth.rate);
        }
        let as_node = |&(feature, bin, left, right): &(u16, u8, i16, i16)| Node {
            feature,
            left,
            right,
            threshold: self.table.edges[feature as usize][bin as usize],
        };
        let tree = Tree { nodes: nodes.iter().map(as_node).collect(), leaves: values.clone() };
        (tree, Binned { nodes, leaves: values })
    }

    fn hang(&self, nodes: &mut [(u16, u8, i16, i16)], above: Option<(usize, bool)>, child: i16) {
        if let Some((node, is_right)) = above {
            if is_right { nodes[node].3 = child } else { nodes[node].2 = child }
        }
    }

    fn leaf(&self, rows: Vec<u32>, sums: Sums, above: Option<(usize, bool)>) -> Leaf {
        let whole = sums[..BINS].iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        let best = self.best(&sums, whole);
        Leaf { rows, sums, whole, best, above }
    }

    fn best(&self, sums: &Sums, whole: [f64; 2]) -> Option<(f64, u16, u8)> {
        let Growth { shrink, least, .. } = self.growth;
        let worth = |slope: f64, curve: f64| slope * slope / (curve + shrink);
        let mut best: Option<(f64, u16, u8)> = None;
        for (feature, edges) in self.table.edges.iter().enumerate() {
            let [mut slope, mut curve] = [0.0; 2];
            for bin in 0..edges.len() {
                let [s, c] = sums[feature * BINS + bin];
                slope += s;
                curve += c;
                if curve < least || whole[1] - curve < least {
                    continue;
                }
                let gain = worth(slope, curve) + worth(whole[0] - slope, whole[1] - curve) - worth(whole[0], whole[1]);
                if gain > best.map_or(1e-9, |(best, ..)| best) {
                    best = Some((gain, feature as u16, bin as u8));
                }
            }
        }
        best
    }

    fn sums(&self, rows: &[u32]) -> Sums {
        let width = self.table.width;
        let half = rows.len().div_ceil(2).next_multiple_of(BLOCK_ROWS).min(rows.len());
        let add = |rows: &[u32]| {
            let mut sums: Sums = vec![[0.0; 2]; width * BINS];
            for block in rows.chunks(BLOCK_ROWS) {
                let mut part = vec![[0.0_f32; 2]; width * BINS];
                for &row in block {
                    let [slope, curve] = self.slopes[row as usize];
                    for (feature, &bin) in self.table.row(row).iter().enumerate() {
                        let sum = &mut part[feature * BINS + bin as usize];
                        sum[0] += slope;
                        sum[1] += curve;
                    }
                }
                for (sum, part) in sums.iter_mut().zip(&part) {
                    sum[0] += f64::from(part[0]);
                    sum[1] += f64::from(part[1]);
                }
            }
            sums
        };
        let (first, second) = rows.split_at(half);
        if second.is_empty() {
            return add(first);
        }
        std::thread::scope(|scope| {
            let other = scope.spawn(|| add(second));
            let mut sums = add(first);
            for (sum, more) in sums.iter_mut().zip(other.join().expect("adding does not panic")) {
                sum[0] += more[0];
                sum[1] += more[1];
            }
            sums
        })
    }
}

fn minus(all: &Sums, part: &Sums) -> Sums {
    all.iter().zip(part).map(|(a, b)| [a[0] - b[0], a[1] - b[1]]).collect()
}
