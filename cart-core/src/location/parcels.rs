//! The rule of the fewest parcels: which locations to ask, so that as few as possible send something.

/// So many further locations are looked for among all sets of them; beyond, the one that serves most is added, again and
/// again. With [`crate::limits::LOCATIONS_MAX`] locations that makes at most 211 sets.
const EXACT_MAX: usize = 2;

/// Returns the order in which locations are asked, as numbers. `free` holds, for each product that is wanted, the pieces
/// and how many of them each location has; `sends` says which locations send something anyway.
///
/// What all locations together lack is left out: it keeps nobody from sending the rest in few parcels.
///
/// ```text
/// wanted 3 of A and 2 of B; first has 3 A, second 2 B, third 3 A and 2 B: asks third, first, second
/// ```
pub(crate) fn fewest_parcels(wants: &[(i64, Vec<i64>)], sends: &[bool]) -> Vec<usize> {
    let all = 0..sends.len();
    let mut chosen: Vec<usize> = all.clone().filter(|n| sends[*n]).collect();
    let others: Vec<usize> = all.clone().filter(|n| !sends[*n]).collect();
    let further = (0..=EXACT_MAX.min(others.len()))
        .find_map(|size| sets(&others, size).into_iter().find(|set| lacking(wants, &chosen, set) == 0));
    match further {
        Some(set) => chosen.extend(set),
        None => {
            while lacking(wants, &chosen, &[]) > 0 {
                let left = others.iter().copied().filter(|n| !chosen.contains(n));
                let Some(best) = left.min_by_key(|n| (lacking(wants, &chosen, &[*n]), *n)) else { break };
                chosen.push(best);
            }
        }
    }
    let rest: Vec<usize> = all.filter(|n| !chosen.contains(n)).collect();
    chosen.extend(rest);
    chosen
}

/// Counts the pieces that some locations lack and others have.
fn lacking(wants: &[(i64, Vec<i64>)], chosen: &[usize], further: &[usize]) -> i64 {
    let of = |(wanted, free): &(i64, Vec<i64>)| {
        let there: i64 = free.iter().sum();
        let here: i64 = chosen.iter().chain(further).map(|n| free[*n]).sum();
        ((*wanted).min(there) - here).max(0)
    };
    wants.iter().map(of).sum()
}

/// Returns the sets of so many locations, those of the first ones first.
fn sets(of: &[usize], size: usize) -> Vec<Vec<usize>> {
    match size {
        0 => vec![vec![]],
        1 => of.iter().map(|n| vec![*n]).collect(),
        _ => {
            let with = |(at, first): (usize, &usize)| {
                let rest = sets(&of[at + 1..], size - 1);
                rest.into_iter().map(|set| [vec![*first], set].concat()).collect::<Vec<_>>()
            };
            of.iter().enumerate().flat_map(with).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_few_locations_as_possible_are_asked_first() {
        for (wants, sends, order, why) in [
            (vec![(3, vec![3, 0, 3])], [false; 3], [0, 1, 2], "the first of equals"),
            (vec![(3, vec![2, 1, 3])], [false; 3], [2, 0, 1], "one instead of two"),
            (vec![(3, vec![3, 0, 3])], [false, false, true], [2, 0, 1], "who sends something anyway"),
            (vec![(3, vec![3, 0, 0]), (2, vec![0, 2, 0])], [false; 3], [0, 1, 2], "two that have all"),
            (vec![(3, vec![3, 0, 3]), (2, vec![0, 2, 2])], [false; 3], [2, 0, 1], "one that has all"),
            (vec![(9, vec![1, 0, 3])], [false; 3], [0, 2, 1], "all that there is"),
            (vec![(1, vec![0, 0, 0])], [false; 3], [0, 1, 2], "nobody has any"),
            (vec![], [false; 3], [0, 1, 2], "nothing is wanted"),
        ] {
            assert_eq!(fewest_parcels(&wants, &sends), order, "{why}");
        }
    }

    #[test]
    fn beyond_two_parcels_the_one_that_serves_most_is_added() {
        let wants = [(10, vec![1, 2, 3, 4, 3])];
        assert_eq!(fewest_parcels(&wants, &[false; 5]), [3, 2, 4, 0, 1]);
    }
}
