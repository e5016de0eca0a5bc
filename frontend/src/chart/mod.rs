//! Charts as SVG: the arithmetic, the paths and the components.

mod history_strip;
mod path;
mod readout;
mod scale;
mod sparkline;
mod summary;
mod trend_chart;

pub(crate) use history_strip::HistoryStrip;
pub(crate) use sparkline::Sparkline;
pub(crate) use summary::score_change;
pub(crate) use trend_chart::{Measure, TrendChart};
