//! Small parts that several pages are made of.

mod age;
mod changes;
mod cluster_notice;
mod connection_state;
mod copy_button;
mod evaluate_now;
mod export_fields;
mod gaps;
mod loaded;
mod outcome;
mod runs_table;
mod score_bar;
mod scroll_region;
mod theme_select;
mod with_code;

pub(crate) use age::Age;
pub(crate) use changes::ChangeList;
pub(crate) use cluster_notice::ClusterNotice;
pub(crate) use connection_state::ConnectionState;
pub(crate) use copy_button::CopyButton;
pub(crate) use evaluate_now::EvaluateNow;
pub(crate) use export_fields::ExportFields;
pub(crate) use gaps::Gaps;
pub(crate) use loaded::{Loaded, ProblemNotice};
pub(crate) use outcome::{Mark, OutcomeWord};
pub(crate) use runs_table::RunsTable;
pub(crate) use score_bar::ScoreBar;
pub(crate) use scroll_region::ScrollRegion;
pub(crate) use theme_select::ThemeSelect;
pub(crate) use with_code::WithCode;
