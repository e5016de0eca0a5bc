//! The `d` of SVG paths.

use crate::format::decimal;

/// A place on the chart.
pub(crate) type Point = (f64, f64);

/// A line through the points, broken where there is none. A point alone becomes a short dash.
pub(crate) fn line(points: &[Option<Point>]) -> String {
    let mut path = String::new();
    for run in runs(points) {
        match run.as_slice() {
            [(x, y)] => append(&mut path, &[(x - 2.0, *y), (x + 2.0, *y)]),
            run => append(&mut path, run),
        }
    }
    path
}

/// The area between two lines that have their points at the same places.
pub(crate) fn band(lower: &[Option<Point>], upper: &[Option<Point>]) -> String {
    let mut path = String::new();
    for (lower, upper) in runs(lower).into_iter().zip(runs(upper)) {
        if lower.len() < 2 {
            continue;
        }
        let outline: Vec<Point> = upper.into_iter().chain(lower.into_iter().rev()).collect();
        append(&mut path, &outline);
        path.push('Z');
    }
    path
}

/// A straight line.
pub(crate) fn straight(from: Point, to: Point) -> String {
    let mut path = String::new();
    append(&mut path, &[from, to]);
    path
}

/// The stretches without a hole.
fn runs(points: &[Option<Point>]) -> Vec<Vec<Point>> {
    points
        .split(Option::is_none)
        .map(|run| run.iter().flatten().copied().collect::<Vec<Point>>())
        .filter(|run| !run.is_empty())
        .collect()
}

fn append(path: &mut String, points: &[Point]) {
    for (index, (x, y)) in points.iter().enumerate() {
        path.push(if index == 0 { 'M' } else { 'L' });
        path.push_str(&decimal(*x));
        path.push(' ');
        path.push_str(&decimal(*y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_where_nothing_is_known() {
        let points = [Some((0.0, 1.0)), Some((10.0, 2.0)), None, Some((30.0, 4.0)), Some((40.0, 5.25))];
        assert_eq!(line(&points), "M0.0 1.0L10.0 2.0M30.0 4.0L40.0 5.3");
        assert_eq!(line(&[None, None]), "");
    }

    #[test]
    fn a_single_point_is_seen() {
        assert_eq!(line(&[None, Some((10.0, 3.0)), None]), "M8.0 3.0L12.0 3.0");
    }

    #[test]
    fn a_band_goes_along_the_upper_line_and_back_along_the_lower() {
        let lower = [Some((0.0, 5.0)), Some((10.0, 6.0)), None];
        let upper = [Some((0.0, 1.0)), Some((10.0, 2.0)), None];
        assert_eq!(band(&lower, &upper), "M0.0 1.0L10.0 2.0L10.0 6.0L0.0 5.0Z");
    }
}
