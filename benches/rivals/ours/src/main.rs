//! Our own stack: blocking (`ours`) and on a current-thread runtime
//! (`ours-ct`). To take part: into `members` of the workspace, out of
//! `exclude`, and the bodies written.

use std::hint::black_box;
use std::process::ExitCode;

use harness::{Fault, Job, LINK_DUMPS, Meter, Outcome, case, measure};

const NAME: &str = "ours";
const TOKIO: &str = "ours-ct";

/// What a body not yet written answers.
fn unwritten<T>() -> Result<T, Fault> {
    Err("not written yet".into())
}

fn main() -> ExitCode {
    harness::main(&[
        case(NAME, "route-add", route_add),
        case(NAME, "route-add-batch", route_add_batch),
        case(NAME, "route-dump", route_dump),
        case(NAME, "route-dump-owned", route_dump_owned),
        case(NAME, "link-dump", link_dump),
        case(NAME, "link-dump-owned", link_dump_owned),
        case(NAME, "link-delete-group", link_delete_group),
        case(NAME, "events", events),
        case(NAME, "decode-route", decode_route),
        case(NAME, "decode-link", decode_link),
        case(NAME, "encode-route", encode_route),
        case(TOKIO, "route-add", |job| on_runtime(tokio_route_add(job))),
        case(TOKIO, "route-add-batch", |job| on_runtime(tokio_route_add_batch(job))),
        case(TOKIO, "route-dump", |job| on_runtime(tokio_route_dump(job))),
        case(TOKIO, "route-dump-owned", |job| on_runtime(tokio_route_dump_owned(job))),
        case(TOKIO, "link-dump", |job| on_runtime(tokio_link_dump(job))),
        case(TOKIO, "link-dump-owned", |job| on_runtime(tokio_link_dump_owned(job))),
        case(TOKIO, "link-delete-group", |job| on_runtime(tokio_link_delete_group(job))),
        case(TOKIO, "events", |job| on_runtime(tokio_events(job))),
    ])
}

fn on_runtime(work: impl Future<Output = Result<Outcome, Fault>>) -> Result<Outcome, Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// /32 routes to `job.destination(n)`: `job.oif`, main table, static, link
/// scope, created exclusively and acknowledged one by one.
fn route_add(job: &Job) -> Result<Outcome, Fault> {
    let (done, cost) = measure(|| -> Result<(), Fault> {
        for n in 0..job.count {
            black_box((job.destination(n), job.oif));
            unwritten::<()>()?;
        }
        Ok(())
    });
    done?;
    // The harness looks for itself what is there afterwards.
    Ok(Outcome::new(cost, 0))
}

/// The same, batched the best way there is.
fn route_add_batch(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

/// One dump of all IPv4 routes, borrowed, every attribute looked at; the sum
/// of `harness::raw::route_sum` over all of them.
fn route_dump(_: &Job) -> Result<Outcome, Fault> {
    let (sum, cost) = measure(|| -> Result<u64, Fault> { unwritten() });
    Ok(Outcome::new(cost, sum?))
}

/// The same, kept until all are there and added up then.
fn route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

/// One dump to warm up, then `LINK_DUMPS` of them; the sum of the indexes of
/// one dump.
fn link_dump(_: &Job) -> Result<Outcome, Fault> {
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        for _ in 0..LINK_DUMPS {
            unwritten::<()>()?;
        }
        Ok(0)
    });
    Ok(Outcome::new(cost, sum?))
}

/// The same, each dump kept until it is complete.
fn link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

/// All links of the group `harness::GROUP`.
fn link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

/// Subscribes, lets the generator go, and counts until all are there or
/// nothing came for `harness::SILENCE`.
fn events(job: &Job) -> Result<Outcome, Fault> {
    let mut generator = job.generator()?;
    let (seen, cost) = measure(|| -> Result<u64, Fault> {
        generator.go()?;
        unwritten()
    });
    generator.finish()?;
    Ok(Outcome::events(cost, job.count, seen?))
}

/// `job.message` with its header, `job.count` times; `route_sum` of it.
fn decode_route(job: &Job) -> Result<Outcome, Fault> {
    let (sum, cost) = measure(|| -> Result<u64, Fault> {
        for _ in 0..job.count {
            black_box(black_box(job.message.as_slice()));
            unwritten::<()>()?;
        }
        Ok(0)
    });
    Ok(Outcome::new(cost, sum?))
}

/// The same with a link; its index.
fn decode_link(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

/// A route with destination, oif and the gateway `harness::GATEWAY` into a
/// buffer that is kept; the length of one message.
fn encode_route(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

async fn tokio_route_add(_: &Job) -> Result<Outcome, Fault> {
    let meter = Meter::start();
    let cost = meter.stop();
    let _ = Outcome::new(cost, 0);
    unwritten()
}

async fn tokio_route_add_batch(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

async fn tokio_route_dump(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

async fn tokio_route_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

async fn tokio_link_dump(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

async fn tokio_link_dump_owned(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

async fn tokio_link_delete_group(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}

async fn tokio_events(_: &Job) -> Result<Outcome, Fault> {
    unwritten()
}
