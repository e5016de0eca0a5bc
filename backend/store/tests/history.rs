//! What every implementation of [`History`] promises, run on each of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, stop at what they do not expect"
)]

mod common;
mod contract {
    pub(crate) mod exports;
    pub(crate) mod findings;
    pub(crate) mod reading;
    pub(crate) mod runs;
    pub(crate) mod states;
    pub(crate) mod trend;
}

use rampart_store::{History, Store};

/// A history of its own for each test.
async fn sqlite() -> (impl History, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Store::open(&folder.path().join("rampart.db")).await.unwrap(), folder)
}

macro_rules! contract {
    ($($subject:ident: $($promise:ident),+;)+) => {
        mod on_sqlite {
            $(mod $subject {
                $(#[tokio::test]
                async fn $promise() {
                    let (history, _folder) = crate::sqlite().await;
                    crate::contract::$subject::$promise(&history).await;
                })+
            })+
        }
    };
}

contract! {
    findings:
        lives_from_opening_to_reopening,
        is_not_resolved_while_pods_cannot_be_listed,
        is_left_alone_by_an_unreachable_run,
        of_a_kubelet_is_resolved_when_its_node_was_read,
        of_a_kubelet_is_resolved_when_its_node_is_gone,
        with_other_content_is_the_same_finding,
        with_another_note_is_updated_without_an_event,
        twice_in_one_result_counts_once,
        in_system_namespaces_are_counted_apart,
        are_filtered_and_paged;
    states:
        regress_and_are_fixed,
        stay_when_an_item_is_missing_from_the_run,
        change_with_the_objects_of_a_gap_but_not_with_its_words,
        under_another_measure_are_annotated,
        of_one_outcome_are_one_interval,
        are_unknown_when_stale;
    runs:
        of_another_cluster_behind_the_name_record_nothing,
        are_recorded_once,
        with_two_results_for_one_item_are_refused,
        of_unknown_clusters_are_refused,
        without_change_change_nothing,
        keep_details_of_the_last_fifty_and_of_changes,
        dropped_in_the_middle_leave_nothing_or_all,
        are_paged_and_followed,
        are_ordered_by_sequence_and_not_by_time;
    exports:
        are_listed_and_are_changes,
        are_verified_by_the_run_that_followed,
        of_unknown_clusters_are_refused;
    reading:
        is_confined_to_visible_clusters,
        shows_only_configured_clusters,
        reports_names_of_one_cluster,
        sums_up_the_fleet,
        gives_the_last_remediation,
        refuses_an_interval_of_nothing;
    trend:
        shows_each_day_as_its_last_run_left_it,
        counts_clusters_of_an_item,
        counts_a_silent_cluster_as_unknown,
        is_annotated_where_the_measure_changed;
}
