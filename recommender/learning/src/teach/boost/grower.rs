//! One tree: the leaf whose split helps most is split, until there are enough.

use recommender::forest::{Node, Tree};

use super::{
    super::table::{BINS, Table},
    Growth, Slope,
};

/// Per feature and bin, the sums of slope and curvature.
type Sums = Vec<[f64; 2]>;

/// Rows whose sums are added up in single precision before they go to the double ones.
const BLOCK_ROWS: usize = 1 << 15;

/// The least that a split must gain.
const GAIN_MIN: f64 = 1e-9;

/// Grows one tree on the slopes of a table's rows.
pub struct Grower<'a> {
    table: &'a Table,
    slopes: &'a [Slope],
    growth: Growth,
}

/// A tree over bins, quicker to ask for rows of a table.
pub struct Binned {
    /// Feature, bin, children and value; a leaf's children are itself.
    nodes: Vec<(u16, u8, [u16; 2], f32)>,
    depth: u8,
}

impl Binned {
    /// Returns the value of the leaf that a row falls into.
    pub fn value(&self, row: &[u8]) -> f32 {
        let mut at = 0;
        for _ in 0..self.depth {
            let (feature, bin, children, _) = self.nodes[at];
            at = usize::from(children[usize::from(row[usize::from(feature)] > bin)]);
        }
        self.nodes[at].3
    }
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    feature: u16,
    bin: u8,
}

struct Leaf {
    place: u16,
    depth: u8,
    rows: Vec<u32>,
    sums: Sums,
    whole: [f64; 2],
    split: Option<Split>,
}

impl<'a> Grower<'a> {
    /// Prepares to grow.
    pub fn new(table: &'a Table, slopes: &'a [Slope], growth: Growth) -> Self {
        Self { table, slopes, growth }
    }

    /// Grows a tree on some of the rows.
    pub fn tree(&self, rows: Vec<u32>) -> (Tree, Binned) {
        let sums = self.sums(&rows);
        let mut leaves = vec![self.leaf(0, 0, rows, sums)];
        let mut nodes: Vec<(u16, u8, [u16; 2], f32)> = vec![(0, u8::MAX, [0, 0], 0.0)];
        while leaves.len() < self.growth.leaves {
            let Some((at, split)) = most_gaining(&leaves) else { break };
            let leaf = leaves.swap_remove(at);
            let children = [nodes.len() as u16, nodes.len() as u16 + 1];
            nodes[usize::from(leaf.place)] = (split.feature, split.bin, children, 0.0);
            nodes.extend(children.map(|child| (0, u8::MAX, [child, child], 0.0)));
            leaves.extend(self.halves(leaf, split, children));
        }
        for leaf in &leaves {
            let [slope, curve] = leaf.whole;
            nodes[usize::from(leaf.place)].3 =
                (-slope / (curve + self.growth.shrink)) as f32 * self.growth.rate;
        }
        let depth = leaves.iter().map(|leaf| leaf.depth).max().unwrap_or(0);
        let node = |(place, &(feature, bin, children, value)): (usize, &(u16, u8, [u16; 2], f32))| {
            if usize::from(children[0]) == place {
                Node::leaf(place as u16, value)
            } else {
                let threshold = self.table.features()[usize::from(feature)].edges[usize::from(bin)];
                Node { threshold, feature, children, value }
            }
        };
        (Tree { depth, nodes: nodes.iter().enumerate().map(node).collect() }, Binned { nodes, depth })
    }

    fn halves(&self, leaf: Leaf, split: Split, [left, right]: [u16; 2]) -> [Leaf; 2] {
        let goes_left = |row: &u32| self.table.row(*row)[usize::from(split.feature)] <= split.bin;
        let (left_rows, right_rows): (Vec<u32>, Vec<u32>) = leaf.rows.iter().partition(|row| goes_left(row));
        // The sums of the larger half are those of the whole less those of the smaller.
        let (left_sums, right_sums) = if left_rows.len() < right_rows.len() {
            let sums = self.sums(&left_rows);
            let rest = minus(&leaf.sums, &sums);
            (sums, rest)
        } else {
            let sums = self.sums(&right_rows);
            (minus(&leaf.sums, &sums), sums)
        };
        let depth = leaf.depth + 1;
        [self.leaf(left, depth, left_rows, left_sums), self.leaf(right, depth, right_rows, right_sums)]
    }

    fn leaf(&self, place: u16, depth: u8, rows: Vec<u32>, sums: Sums) -> Leaf {
        let whole = sums[..BINS].iter().fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        let split = if depth < self.growth.depth { self.split(&sums, whole) } else { None };
        Leaf { place, depth, rows, sums, whole, split }
    }

    /// Returns the split that lowers the loss most, by its second-order approximation.
    fn split(&self, sums: &Sums, whole: [f64; 2]) -> Option<Split> {
        let Growth { shrink, least, .. } = self.growth;
        let worth = |slope: f64, curve: f64| slope * slope / (curve + shrink);
        let unsplit = worth(whole[0], whole[1]);
        let mut best: Option<Split> = None;
        for (number, feature) in self.table.features().iter().enumerate() {
            let [mut slope, mut curve] = [0.0; 2];
            for bin in 0..feature.edges.len() {
                let [more_slope, more_curve] = sums[number * BINS + bin];
                slope += more_slope;
                curve += more_curve;
                if curve < least || whole[1] - curve < least {
                    continue;
                }
                let gain = worth(slope, curve) + worth(whole[0] - slope, whole[1] - curve) - unsplit;
                if gain > best.map_or(GAIN_MIN, |best| best.gain) {
                    best = Some(Split { gain, feature: number as u16, bin: bin as u8 });
                }
            }
        }
        best
    }

    fn sums(&self, rows: &[u32]) -> Sums {
        let blocks: Vec<&[u32]> = rows.chunks(BLOCK_ROWS).collect();
        let half = blocks.len().div_ceil(2);
        let add =
            |blocks: &[&[u32]]| -> Vec<Vec<Slope>> { blocks.iter().map(|rows| self.block(rows)).collect() };
        // Two halves, each block by itself and added up in order: the same sums whatever the number of cores.
        let parts = std::thread::scope(|scope| {
            let later = (blocks.len() > 1).then(|| scope.spawn(|| add(&blocks[half..])));
            let mut parts = add(&blocks[..half]);
            parts.extend(later.into_iter().flat_map(|later| later.join().expect("adding does not panic")));
            parts
        });
        let mut sums: Sums = vec![[0.0; 2]; self.table.width() * BINS];
        for part in parts {
            for (sum, part) in sums.iter_mut().zip(part) {
                sum[0] += f64::from(part[0]);
                sum[1] += f64::from(part[1]);
            }
        }
        sums
    }

    fn block(&self, rows: &[u32]) -> Vec<Slope> {
        let mut sums: Vec<Slope> = vec![[0.0; 2]; self.table.width() * BINS];
        for &row in rows {
            let [slope, curve] = self.slopes[row as usize];
            for (sums, &bin) in sums.chunks_exact_mut(BINS).zip(self.table.row(row)) {
                let sum = &mut sums[usize::from(bin)];
                sum[0] += slope;
                sum[1] += curve;
            }
        }
        sums
    }
}

fn most_gaining(leaves: &[Leaf]) -> Option<(usize, Split)> {
    let splits = leaves.iter().enumerate().filter_map(|(at, leaf)| Some((at, leaf.split?)));
    splits.max_by(|a, b| a.1.gain.total_cmp(&b.1.gain).then(b.0.cmp(&a.0)))
}

fn minus(all: &Sums, part: &Sums) -> Sums {
    all.iter().zip(part).map(|(all, part)| [all[0] - part[0], all[1] - part[1]]).collect()
}
