//! Team-draft interleaving: two algorithms fill one shelf by turns, and each is credited with what it chose.
//!
//! F. Radlinski, M. Kurup, T. Joachims, "How does clickthrough data reflect retrieval quality?", CIKM 2008, algorithm 2: as captains
//! choose players. In each round a coin says who chooses first; each takes the best of its own list that nobody has taken. Who sees
//! such a shelf compares the two with the same eyes, so that far fewer visitors decide than where each sees one of them.

/// Interleaves two lists, the best first, until there are `wanted`, and says of each whether the first list chose it. `coins` are
/// the throws, a bit a round, so that the same ones give the same shelf. Once a list is at its end, the other goes on alone.
///
/// ```
/// use web::shelves::interleave::interleave;
/// let shelf = |coins| interleave(vec!['a', 'b', 'c'], vec!['b', 'e', 'f'], 4, coins, |x, y| x == y);
/// assert_eq!(shelf(0b11), [('a', true), ('b', false), ('c', true), ('e', false)]);
/// assert_eq!(shelf(0b00), [('b', false), ('a', true), ('e', false), ('c', true)]);
/// ```
pub fn interleave<T>(
    first: Vec<T>,
    second: Vec<T>,
    wanted: usize,
    coins: u64,
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<(T, bool)> {
    let mut lists = [first.into_iter(), second.into_iter()];
    let mut shelf: Vec<(T, bool)> = vec![];
    let mut choose = |shelf: &mut Vec<(T, bool)>, of: usize| {
        let next = lists[of].find(|it| !shelf.iter().any(|(taken, _)| is_same(taken, it)));
        next.map(|it| shelf.push((it, of == 0))).is_some()
    };
    for round in 0.. {
        let begins = usize::from((coins >> (round % 64)) & 1 == 0);
        let mut has_chosen = false;
        for of in [begins, 1 - begins] {
            if shelf.len() == wanted {
                return shelf;
            }
            has_chosen |= choose(&mut shelf, of);
        }
        if !has_chosen {
            break;
        }
    }
    shelf
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(first: &str, second: &str, wanted: usize, coins: u64) -> (String, String) {
        let lists = [first, second].map(|list| list.chars().collect());
        let [first, second] = lists;
        let shelf = interleave(first, second, wanted, coins, |x: &char, y| x == y);
        shelf.into_iter().map(|(it, is_first)| (it, if is_first { '1' } else { '2' })).unzip()
    }

    #[test]
    fn captains_choose_by_turns() {
        let table = [
            ("abcd", "efgh", 4, 0b01, "aefb", "1221"),
            ("abcd", "abcd", 4, 0b11, "abcd", "1212"),
            ("abcd", "abcd", 4, 0b00, "abcd", "2121"),
            ("abcd", "dcba", 3, 0b11, "adb", "121"),
            ("ab", "", 4, 0, "ab", "11"),
            ("", "ab", 4, 0, "ab", "22"),
            ("a", "bcd", 4, 0b1, "abcd", "1222"),
            ("ab", "cd", 0, 0, "", ""),
        ];
        for (first, second, wanted, coins, items, teams) in table {
            let (found, by) = shelf(first, second, wanted, coins);
            assert_eq!((found.as_str(), by.as_str()), (items, teams), "{first} {second} {coins:b}");
        }
    }

    #[test]
    fn neither_is_favoured_over_all_throws() {
        let first_places = (0..16).filter(|coins| shelf("abc", "def", 1, *coins).1 == "1").count();
        assert_eq!(first_places, 8);
        for coins in 0..16 {
            let (_, teams) = shelf("abcdefgh", "hgfedcba", 6, coins);
            assert_eq!(teams.matches('1').count(), 3, "each chooses as often: {teams}");
        }
    }
}
