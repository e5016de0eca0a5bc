//! That the queries which run often do not walk the tables that grow.

use super::{Store, days, exports, findings, read_runs, record};
use sqlx::{AssertSqlSafe, Row};

/// Tables that grow with time; `cluster` and `item_latest` do not.
const GROWING: [&str; 8] =
    ["run", "run_detail", "item_state", "finding", "change", "cluster_day", "cause", "export"];

/// SQLite's words for how it will read each table, such as `SEARCH d USING PRIMARY KEY (cluster=? AND day>?)`.
async fn plan(sql: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("rampart.db")).await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(&store.writer).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert!(!plan.is_empty());
    plan
}

async fn assert_searched_by_index(sql: &str, aliases: &[&str]) {
    let plan = plan(sql).await;
    for step in &plan {
        let mut words = step.split(' ');
        let (how, what) = (words.next().unwrap(), words.next().unwrap_or_default());
        let grows = GROWING.contains(&what) || aliases.contains(&what);
        assert!(!(how == "SCAN" && grows), "{plan:#?}");
    }
    for alias in aliases {
        let searched = format!("SEARCH {alias} USING ");
        assert!(plan.iter().any(|step| step.starts_with(&searched)), "{alias} in {plan:#?}");
    }
}

#[tokio::test]
async fn a_trend_reads_a_range_of_days_a_cluster() {
    for days in [days::DAYS, days::DAYS_BY_ITEM] {
        assert_searched_by_index(days, &["d", "b"]).await;
        let plan = plan(days).await;
        let range = |step: &String| step.contains("SEARCH d ") && step.contains("day>? AND day<?");
        assert!(plan.iter().any(range), "{plan:#?}");
        for table in ["run", "finding", "change", "item_state"] {
            assert!(!days.contains(&format!(" {table} ")), "{table}");
        }
    }
    assert_searched_by_index(days::ANNOTATIONS, &["h"]).await;
    let plan = plan(days::ANNOTATIONS).await;
    assert!(plan.iter().any(|step| step.contains("change_measure")), "{plan:#?}");
}

#[tokio::test]
async fn pages_of_runs_are_read_in_the_order_of_the_runs() {
    for sql in [read_runs::RUNS_OF_ALL, read_runs::RUNS_OF_CLUSTER, read_runs::RUNS_AFTER] {
        assert_searched_by_index(sql, &["r", "k"]).await;
        let plan = plan(sql).await;
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:#?}");
    }
}

#[tokio::test]
async fn exports_are_read_from_the_last() {
    assert_searched_by_index(exports::EXPORTS, &["export"]).await;
    assert_searched_by_index(exports::BEGAN_TO_HOLD, &["s", "p", "r"]).await;
    let plan = plan(exports::EXPORTS).await;
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:#?}");
}

#[tokio::test]
async fn recording_finds_by_index_what_stands() {
    assert_searched_by_index(findings::STANDING, &["finding"]).await;
    assert_searched_by_index(findings::CONTINUE, &["finding"]).await;
    assert_searched_by_index(record::PRUNE, &["run_detail", "run"]).await;
}
