// SPDX-License-Identifier: Apache-2.0
//! "Did you mean": the word among those allowed that a mistyped one resembles most.

/// The nearest candidate, if it is near: at most a third of its letters differ, case aside.
pub(super) fn nearest<'c>(
    word: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let word = lower(word)?;
    candidates
        .filter_map(|candidate| {
            let distance = distance(&word, &lower(candidate)?);
            (distance <= candidate.len().max(3) / 3).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Longer words are not worth the time.
const LONGEST: usize = 64;

fn lower(word: &str) -> Option<Vec<u8>> {
    (word.len() <= LONGEST).then(|| word.to_ascii_lowercase().into_bytes())
}

/// Letters to insert, remove, replace or swap with their neighbour.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let get = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let replaced = get(&last, j) + usize::from(x != y);
            let mut best = replaced.min(get(&last, j + 1) + 1).min(get(&row, j) + 1);
            let swapped = i
                .checked_sub(1)
                .zip(j.checked_sub(1))
                .filter(|&(i, j)| a.get(i) == Some(y) && b.get(j) == Some(x));
            if let Some((_, j)) = swapped {
                best = best.min(get(&before, j) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_not() {
        let words = [
            "addresses",
            "autoAssign",
            "avoidBuggyIPs",
            "serviceAllocation",
            "vrf",
        ];
        let table = [
            ("adresses", Some("addresses")),
            ("address", Some("addresses")),
            ("autoassign", Some("autoAssign")),
            ("atuoAssign", Some("autoAssign")),
            ("avoidBuggyIps", Some("avoidBuggyIPs")),
            ("vfr", Some("vrf")),
            ("protocol", None),
            ("", None),
        ];
        for (word, want) in table {
            assert_eq!(nearest(word, words.into_iter()), want, "{word}");
        }
    }

    #[test]
    fn a_swap_is_one_step() {
        assert_eq!(distance(b"ab", b"ba"), 1);
        assert_eq!(distance(b"kitten", b"sitting"), 3);
    }
}
