//! Numbers, ages and scores as text.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use rampart_shared::Score;

/// How long ago something was, or in how long it will be: `4 min ago`, `in 56 min`.
pub(crate) fn age(now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let passed = now - at;
    if passed < TimeDelta::zero() {
        let ahead = -passed;
        return if ahead < TimeDelta::seconds(45) { "now".to_owned() } else { format!("in {}", span(ahead)) };
    }
    if passed < TimeDelta::seconds(45) { "just now".to_owned() } else { format!("{} ago", span(passed)) }
}

/// A length of time in its largest unit: `40 s`, `4 min`, `3 h`, `16 days`, `5 months`, `2 years`.
pub(crate) fn span(time: TimeDelta) -> String {
    // Rounded to the nearest, so that 59 minutes and 50 seconds are an hour.
    let per = |unit: i64| (time.num_seconds() + unit / 2) / unit;
    let (minute, hour, day) = (60, 3_600, 86_400);
    if per(1) < 60 {
        format!("{} s", per(1).max(0))
    } else if per(minute) < 60 {
        format!("{} min", per(minute).max(1))
    } else if per(hour) < 48 {
        format!("{} h", per(hour))
    } else if per(day) < 100 {
        format!("{} days", per(day))
    } else if per(day) < 730 {
        format!("{} months", per(day * 30))
    } else {
        format!("{} years", per(day * 365))
    }
}

/// How long a run took: `460 ms`, `2.4 s`, `12 s`, `3 min 5 s`.
pub(crate) fn took(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    milliseconds((to - from).num_milliseconds().max(0).unsigned_abs())
}

/// A short time: `460 ms`, `2.4 s`, `12 s`, `3 min 5 s`.
pub(crate) fn milliseconds(milliseconds: u64) -> String {
    if milliseconds < 1_000 {
        format!("{milliseconds} ms")
    } else if milliseconds < 10_000 {
        format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100)
    } else if milliseconds < 60_000 {
        format!("{} s", milliseconds / 1_000)
    } else {
        format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000)
    }
}

/// A day as `7 Nov`.
pub(crate) fn day(day: NaiveDate) -> String {
    format!("{} {}", day.day(), month(day))
}

/// A day as `7 Nov 2026`.
pub(crate) fn full_day(date: NaiveDate) -> String {
    format!("{} {}", day(date), date.year())
}

/// The month of a day in three letters.
pub(crate) fn month(day: NaiveDate) -> &'static str {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS[day.month0() as usize]
}

/// A number with separators: `1,204`.
pub(crate) fn number(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount of data: `812 B`, `4.2 kB`, `56 kB`, `1.3 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1_000, "kB"),
        _ => (1_000_000, "MB"),
    };
    match bytes / unit {
        whole @ 0..10 => format!("{whole}.{} {name}", bytes % unit * 10 / unit),
        whole => format!("{whole} {name}"),
    }
}

/// A number in at most four characters, for a cell: `999`, `1.2k`, `35k`.
pub(crate) fn short_number(number: u32) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..10_000 => format!("{}.{}k", number / 1_000, number % 1_000 / 100),
        10_000..1_000_000 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

/// A number with its noun: `1 finding`, `1,204 findings`.
pub(crate) fn count(of: u32, noun: &str) -> String {
    if of == 1 { format!("1 {noun}") } else { format!("{} {}", number(of), plural(noun)) }
}

/// The plural of an English noun that forms it regularly.
pub(crate) fn plural(noun: &str) -> String {
    let consonant_y =
        noun.ends_with('y') && noun.chars().rev().nth(1).is_some_and(|before| !"aeiouAEIOU".contains(before));
    if consonant_y {
        format!("{}ies", &noun[..noun.len() - 1])
    } else if ["s", "x", "ch", "sh"].iter().any(|ending| noun.ends_with(ending)) {
        format!("{noun}es")
    } else {
        format!("{noun}s")
    }
}

/// A score as a range of whole per cent: `61–72 %`, or `78 %` where nothing is unknown.
pub(crate) fn score(score: Option<Score>) -> String {
    match score.map(Score::percent) {
        None => "no score".to_owned(),
        Some((low, high)) if low == high => format!("{low}\u{a0}%"),
        Some((low, high)) => format!("{low}–{high}\u{a0}%"),
    }
}

/// A score in words, for those who hear it.
pub(crate) fn spoken_score(score: Option<Score>) -> String {
    match score.map(Score::percent) {
        None => "no score: nothing applies".to_owned(),
        Some((low, high)) if low == high => format!("{low} per cent"),
        Some((low, high)) => format!("between {low} and {high} per cent"),
    }
}

/// A number of a drawing with one decimal. Not by the standard library: its exact algorithm is larger than a chart.
pub(crate) fn decimal(value: f64) -> String {
    // Drawings are far smaller than an i64.
    let tenths = (value * 10.0).round() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
}

/// A share from 0 to 1 as a length in CSS.
pub(crate) fn css_percent(share: f64) -> String {
    format!("{}%", decimal(share * 100.0))
}

/// The text with its first letter in upper case, where that is an English one.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        std::iter::once(first.to_ascii_uppercase()).chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn ages_are_in_the_largest_unit() {
        let ages: Vec<String> =
            [0, 44, 45, 60, 90, 3_590, 7_200, 3 * 86_400, 99 * 86_400, 150 * 86_400, 900 * 86_400]
                .iter()
                .map(|seconds| age(at(*seconds), at(0)))
                .collect();
        assert_eq!(
            ages,
            [
                "just now",
                "just now",
                "45 s ago",
                "1 min ago",
                "2 min ago",
                "1 h ago",
                "2 h ago",
                "3 days ago",
                "99 days ago",
                "5 months ago",
                "2 years ago"
            ]
        );
    }

    #[test]
    fn what_is_ahead_is_said_so() {
        assert_eq!(age(at(0), at(3_360)), "in 56 min");
        assert_eq!(age(at(0), at(10)), "now");
    }

    #[test]
    fn a_run_shows_parts_of_a_second_only_while_they_matter() {
        assert_eq!(took(at(0), at(0) + TimeDelta::milliseconds(460)), "460 ms");
        assert_eq!(took(at(0), at(0) + TimeDelta::milliseconds(2_460)), "2.4 s");
        assert_eq!(took(at(0), at(12)), "12 s");
        assert_eq!(took(at(0), at(185)), "3 min 5 s");
        assert_eq!(took(at(5), at(0)), "0 ms");
    }

    #[test]
    fn days_are_written_out() {
        let date = NaiveDate::from_ymd_opt(2026, 11, 7).unwrap();
        assert_eq!((day(date).as_str(), full_day(date).as_str()), ("7 Nov", "7 Nov 2026"));
    }

    #[test]
    fn numbers_are_grouped_and_shortened() {
        assert_eq!([number(7), number(1_204), number(1_000_000)], ["7", "1,204", "1,000,000"]);
        assert_eq!(
            [short_number(999), short_number(1_250), short_number(35_999), short_number(2_000_000)],
            ["999", "1.2k", "35k", "2M"]
        );
    }

    #[test]
    fn amounts_of_data_are_in_the_largest_unit() {
        assert_eq!(
            [0, 999, 1_000, 4_299, 56_789, 1_300_000, 2_345_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "4.2 kB", "56 kB", "1.3 MB", "2345 MB"]
        );
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(count(1, "finding"), "1 finding");
        assert_eq!(count(0, "namespace"), "0 namespaces");
        assert_eq!(count(2, "policy"), "2 policies");
        assert_eq!(count(2, "key"), "2 keys");
        assert_eq!(count(1_204, "API server"), "1,204 API servers");
    }

    #[test]
    fn a_score_is_a_range_where_something_is_unknown() {
        assert_eq!(score(Some(Score { low: 0.6111, high: 0.7222 })), "61–72\u{a0}%");
        assert_eq!(score(Some(Score { low: 1.0, high: 1.0 })), "100\u{a0}%");
        assert_eq!(score(None), "no score");
        assert_eq!(spoken_score(Some(Score { low: 0.0, high: 1.0 })), "between 0 and 100 per cent");
    }

    #[test]
    fn drawings_have_one_decimal() {
        assert_eq!(
            [decimal(0.0), decimal(5.25), decimal(-0.04), decimal(-2.36)],
            ["0.0", "5.3", "0.0", "-2.4"]
        );
        assert_eq!(css_percent(0.6111), "61.1%");
    }

    #[test]
    fn the_first_letter_grows() {
        assert_eq!(capitalised("reading pods"), "Reading pods");
        assert_eq!(capitalised(""), "");
    }
}
