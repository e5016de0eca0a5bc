//! `/flagz` and `/metrics` of the API server.

use super::CollectOptions;
use super::get::{Bounds, Failure, Server};
use super::list::KindRead;
use crate::control_plane::{FLAGZ, flagz, read_metric};
use rampart_checklist::inventory::ApiServerMetrics;
use rampart_checklist::{Inventory, Kind};
use rampart_shared::{Gap, GapReason};
use tokio::time::Instant;

/// Flags are some KiB.
const MAX_FLAGZ_BYTES: usize = 1 << 20;
/// A large API server has hundreds of thousands of series. They are read line by line and not held.
const MAX_METRICS_BYTES: usize = 512 << 20;
/// How long an API server may write its metrics.
const METRICS_TIMES: u32 = 2;

/// Reads both where they are asked for; whoever refuses them leaves a gap.
///
/// # Errors
/// When the credentials are no longer accepted.
pub(super) async fn read_control_plane(
    server: &Server,
    inventory: &mut Inventory,
    options: &CollectOptions,
) -> Result<Vec<KindRead>, Failure> {
    if !options.control_plane_metrics {
        for (kind, path) in [(Kind::ApiServerFlagz, "/flagz"), (Kind::ApiServerMetrics, "/metrics")] {
            let detail = format!("reading {path} of the API server is switched off");
            inventory
                .add_gap(kind, Gap::new(kind.name(), GapReason::NotCollected, detail).closed_by(SWITCH_ON));
        }
        return Ok(Vec::new());
    }
    let mut flags = begun(Kind::ApiServerFlagz);
    let started = Instant::now();
    let bounds = Bounds { bytes: MAX_FLAGZ_BYTES, time: options.request_timeout };
    let answer = server.get_as("/flagz", FLAGZ, bounds).await;
    let answer = answer.and_then(|body| {
        flags.bytes = body.len() as u64;
        flagz(&body).map_err(Failure::Malformed)
    });
    match answer {
        Ok(found) => {
            flags.objects = 1;
            inventory.api_server_flags.seen = Some(found);
        }
        Err(failure) => refused(inventory, &mut flags, failure)?,
    }
    flags.milliseconds = milliseconds(started);

    let mut metrics = begun(Kind::ApiServerMetrics);
    let started = Instant::now();
    let bounds = Bounds { bytes: MAX_METRICS_BYTES, time: options.request_timeout * METRICS_TIMES };
    let mut found = ApiServerMetrics::default();
    match server.lines("/metrics", bounds, |line| read_metric(&mut found, line)).await {
        Ok(bytes) => {
            (metrics.objects, metrics.bytes) = (1, bytes);
            inventory.api_server_metrics.seen = Some(found);
        }
        Err(failure) => refused(inventory, &mut metrics, failure)?,
    }
    metrics.milliseconds = milliseconds(started);
    Ok(vec![flags, metrics])
}

const SWITCH_ON: &str = "Evaluate with --control-plane-metrics (control_plane_metrics = true in rampart.toml), with the \
                         grant that `rampart rbac --control-plane-metrics` prints.";

fn refused(inventory: &mut Inventory, read: &mut KindRead, failure: Failure) -> Result<(), Failure> {
    let kind = read.kind;
    read.refused = matches!(failure, Failure::Forbidden(_));
    let gap = match failure {
        Failure::Unauthorized(_) => return Err(failure),
        Failure::NotFound(words) if kind == Kind::ApiServerFlagz => Gap::new(
            kind.name(),
            GapReason::NotServed,
            format!("the API server does not serve /flagz, which Kubernetes 1.36 and newer do: {words}"),
        ),
        failure => failure.gap(kind),
    };
    inventory.add_gap(kind, gap);
    Ok(())
}

fn begun(kind: Kind) -> KindRead {
    let path = if kind == Kind::ApiServerFlagz { "/flagz" } else { "/metrics" };
    KindRead {
        kind,
        verb: "get",
        path: path.to_owned(),
        objects: 0,
        pages: 1,
        bytes: 0,
        milliseconds: 0,
        refused: false,
    }
}

fn milliseconds(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
