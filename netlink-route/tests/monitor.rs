//! The agent of `examples/monitor.rs` without a kernel: with scripted lists and events, and a loss.
#![cfg(all(feature = "tokio", feature = "serde", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

#[path = "../examples/monitor.rs"]
#[allow(dead_code)] // its main
mod monitor;

use netlink_core::testkit::{Recording, Replies};
use netlink_route::event::Group;
use netlink_route::{Error, addr, link};
use serde_json::Value;
use tokio::sync::mpsc;

fn links(recording: Recording, names: &[(u32, &str)]) -> Recording {
    let names = names.iter().map(|(index, name)| link::create(name).index(*index));
    let links = names.fold(Replies::new(), |replies, link| replies.part(&link));
    recording.exchange(&link::list(), &links.done(0))
}

fn addresses(recording: Recording, of: &[u32]) -> Recording {
    let addresses = of.iter().map(|link| addr::add(*link, "192.0.2.1/24".parse().unwrap()));
    let addresses = addresses.fold(Replies::new(), |replies, address| replies.part(&address));
    recording.exchange(&addr::list(), &addresses.done(0))
}

#[test]
fn lists_and_events_make_lines_and_a_loss_makes_a_new_list() {
    let before = addresses(links(Recording::new(), &[(1, "lo"), (2, "goes")]), &[2]);
    let nl = addresses(links(before, &[(1, "lo"), (3, "comes"), (4, "stays")]), &[4]);
    let comes = link::create("comes").index(3);
    // The last is about a link that was in no list.
    let told = Replies::new().message(&comes).message(&comes).message(&link::delete(9));
    let events = Recording::new().events_of(Group::LINK.0, &told).overrun();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lines = runtime.block_on(async {
        let (sender, mut receiver) = mpsc::channel(64);
        let agent = monitor::agent(nl.connection().unwrap(), events.events().unwrap(), sender);
        // The script ends.
        assert!(matches!(agent.await, Err(Error::Timeout(_))));
        let mut lines = Vec::new();
        while let Some(line) = receiver.recv().await {
            let json: Value = serde_json::from_str(&line).unwrap();
            let (what, event) = json.as_object().unwrap().iter().next().unwrap();
            lines.push(format!("{what} {} {}", event["change"], event["object"]["index"]));
        }
        lines
    });
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines.join(", ")
    };
    assert_eq!(lines.len(), 11, "{lines:?}");
    assert_eq!(sorted(&lines[..3]), r#"Address "new" 2, Link "new" 1, Link "new" 2"#);
    assert_eq!(lines[3..5], [r#"Link "new" 3"#, r#"Link "changed" 3"#]);
    // After the loss, removed objects come first.
    assert_eq!(sorted(&lines[5..7]), r#"Address "deleted" 2, Link "deleted" 2"#);
    let there = r#"Address "new" 4, Link "changed" 1, Link "changed" 3, Link "new" 4"#;
    assert_eq!(sorted(&lines[7..]), there);
}
