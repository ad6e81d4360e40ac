//! Forests of regression trees, asked for many rows at once.

use crate::{
    codec::{Reader, Stored, Unreadable, stored},
    invalid::Invalid,
};

/// Is a place in a tree. A leaf's children are itself, so that every row takes as many steps as the tree is deep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// The largest value of the feature that goes to the first child.
    pub threshold: f32,
    /// The number of the feature.
    pub feature: u16,
    /// Where the children stand.
    pub children: [u16; 2],
    /// What a row gets that ends here.
    pub value: f32,
}

stored!(Node { threshold, feature, children, value });

impl Node {
    /// Makes the leaf that stands at `place`.
    pub fn leaf(place: u16, value: f32) -> Self {
        Self { threshold: f32::INFINITY, feature: 0, children: [place, place], value }
    }
}

/// Is one tree, its root first.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// The most steps from the root to a leaf.
    pub depth: u8,
    /// The places.
    pub nodes: Vec<Node>,
}

impl Stored for Tree {
    fn put(&self, out: &mut Vec<u8>) {
        self.depth.put(out);
        self.nodes.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (depth, nodes) = (u8::take(from)?, Vec::<Node>::take(from)?);
        let is_inside = |node: &Node| node.children.iter().all(|child| usize::from(*child) < nodes.len());
        if !nodes.is_empty() && nodes.iter().all(is_inside) {
            Ok(Self { depth, nodes })
        } else {
            Err(Unreadable("a tree leads to places that it does not have".to_owned()))
        }
    }
}

/// How many rows go down a tree side by side: enough to hide the wait for each other's memory.
const ABREAST: usize = 8;

impl Tree {
    /// Returns the value of the leaf that a row falls into.
    pub fn value(&self, row: &[f32]) -> f32 {
        let mut at = 0;
        for _ in 0..self.depth {
            at = self.step(at, row);
        }
        self.nodes[at].value
    }

    #[inline(always)]
    fn step(&self, at: usize, row: &[f32]) -> usize {
        let node = &self.nodes[at];
        // What is not a number goes to the first child, as in learning, where it lies in no bin above.
        usize::from(node.children[usize::from(row[usize::from(node.feature)] > node.threshold)])
    }

    fn add(&self, rows: &[f32], width: usize, sums: &mut [f32]) {
        let together = rows.chunks_exact(width * ABREAST);
        let rest = together.remainder();
        let (many, few) = sums.split_at_mut(sums.len() - sums.len() % ABREAST);
        for (rows, sums) in together.zip(many.chunks_exact_mut(ABREAST)) {
            let mut at = [0; ABREAST];
            for _ in 0..self.depth {
                for (lane, at) in at.iter_mut().enumerate() {
                    *at = self.step(*at, &rows[lane * width..(lane + 1) * width]);
                }
            }
            for (sum, at) in sums.iter_mut().zip(at) {
                *sum += self.nodes[at].value;
            }
        }
        for (row, sum) in rest.chunks_exact(width).zip(few) {
            *sum += self.value(row);
        }
    }
}

/// Is a sum of trees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forest {
    /// The trees.
    pub trees: Vec<Tree>,
}

stored!(Forest { trees });

impl Forest {
    /// Refuses trees that ask for features beyond a row's.
    pub(crate) fn check(&self, width: usize) -> Result<(), Invalid> {
        let mut nodes = self.trees.iter().flat_map(|tree| &tree.nodes);
        if nodes.all(|node| usize::from(node.feature) < width) {
            Ok(())
        } else {
            Err(Invalid("a tree asks for a feature that candidates do not have"))
        }
    }

    /// Adds to `sums`, one per row of `width` features, the values of all trees.
    pub fn add(&self, rows: &[f32], width: usize, sums: &mut [f32]) {
        // A tree at a time: it stays in the nearest cache while the rows, some tens of kilobytes, pass by.
        for tree in &self.trees {
            tree.add(rows, width, sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_side_by_side_fall_into_the_leaves_that_they_fall_into_alone() {
        let inner = |feature, threshold, children| Node { threshold, feature, children, value: 0.0 };
        let nodes = vec![
            inner(0, 0.5, [1, 2]),
            inner(1, 2.0, [3, 4]),
            Node::leaf(2, 30.0),
            Node::leaf(3, 10.0),
            Node::leaf(4, 20.0),
        ];
        let forest = Forest {
            trees: vec![Tree { depth: 2, nodes }, Tree { depth: 0, nodes: vec![Node::leaf(0, 1.0)] }],
        };
        let rows: Vec<f32> = (0..11).flat_map(|n| [n as f32 / 10.0, (n % 4) as f32]).collect();
        let mut sums = vec![0.0; 11];
        forest.add(&rows, 2, &mut sums);
        assert_eq!(sums, [11.0, 11.0, 11.0, 21.0, 11.0, 11.0, 31.0, 31.0, 31.0, 31.0, 31.0]);
        let alone: Vec<f32> =
            rows.chunks(2).map(|row| forest.trees.iter().map(|tree| tree.value(row)).sum()).collect();
        assert_eq!(sums, alone);
    }
}
