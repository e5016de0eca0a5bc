//! Lists within a sentence.

/// The first ten, and how many more there are.
pub(super) fn some_of<'t>(texts: impl ExactSizeIterator<Item = &'t str>) -> String {
    const SHOWN: usize = 10;
    let more = texts.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = texts.take(SHOWN).collect();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_are_shown() {
        let words: Vec<String> = (1..=12).map(|number| number.to_string()).collect();
        let of = |count: usize| some_of(words.iter().take(count).map(String::as_str));
        assert_eq!(of(0), "");
        assert_eq!(of(2), "1, 2");
        assert_eq!(of(10), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        assert_eq!(of(12), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
    }
}
