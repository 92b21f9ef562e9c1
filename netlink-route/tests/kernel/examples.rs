//! The programs of `examples/`, run.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use netlink_route::link::{self, Bridge, Veth};
use netlink_route::{Connection, Namespace, OpenOptions};
use netlink_testing::{Result, ipv6, kind, suite};
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, Receiver};

use crate::cni_bridge::{Failure, run};
use crate::{connect, monitor};

suite! {
    a_container_is_added_to_a_bridge_and_removed: kind("veth"), kind("bridge");
    a_container_with_ipv6: kind("veth"), kind("bridge"), ipv6();
    nothing_half_built_is_left: kind("veth"), kind("bridge");
    only_links_of_the_plugin_are_removed: kind("bridge");
    errors_are_named: kind("bridge");
    the_agent_writes_existing_objects_and_changes: kind("bridge");
    the_agent_makes_up_for_lost_events: kind("bridge");
}

/// Runs the plugin for `eth0` in the namespace `pod`.
fn cni(command: &str, config: &Value) -> Result<Value, Failure> {
    let variable = |name: &str| match name {
        "CNI_COMMAND" => Some(command.to_owned()),
        "CNI_NETNS" => Some("/run/netns/pod".to_owned()),
        "CNI_IFNAME" => Some("eth0".to_owned()),
        _ => None,
    };
    run(variable, &config.to_string())
}

fn refused(command: &str, config: &Value) -> (u32, String) {
    let failure = cni(command, config).expect_err("a failure");
    (failure.code, failure.message)
}

fn pod() -> Result<(Namespace, Connection)> {
    let pod = Namespace::create("pod")?;
    let inside = netlink_route::connect_with(&OpenOptions::new().namespace(&pod))?;
    Ok((pod, inside))
}

fn lab() -> Value {
    json!({"cniVersion": "0.4.0", "bridge": "lab0", "isGateway": true, "mtu": 1400, "ipam": {
        "addresses": [{"address": "10.1.0.2/24", "gateway": "10.1.0.1"}],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}],
    }})
}

fn ports(nl: &mut Connection) -> Result<usize> {
    let bridge = nl.call(link::get("lab0"))?.index();
    Ok(nl.dump(link::list().master(bridge))?.to_vec()?.len())
}

/// Sends a byte from the container to a listener here.
fn talk(pod: &Namespace, here: &str) -> Result {
    let listener = TcpListener::bind((here, 0))?;
    let address = listener.local_addr()?;
    let sent = pod.run(|| TcpStream::connect(address)?.write_all(b"!"))?;
    sent?;
    let mut byte = [0];
    listener.accept()?.0.read_exact(&mut byte)?;
    assert_eq!(&byte, b"!");
    Ok(())
}

fn a_container_is_added_to_a_bridge_and_removed() -> Result {
    let mut nl = connect()?;
    let (pod, mut inside) = pod()?;
    let answer = cni("ADD", &lab()).unwrap();
    assert_eq!(answer["cniVersion"], "0.4.0");
    assert_eq!(answer["ips"], json!([{"address": "10.1.0.2/24", "gateway": "10.1.0.1", "interface": 2}]));
    assert_eq!(answer["routes"], json!([{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}]));
    let end = inside.call(link::get("eth0"))?;
    let port = nl.call(link::get(answer["interfaces"][1]["name"].as_str().unwrap()))?;
    assert_eq!((end.mtu(), port.mtu(), end.link()), (Some(1400), Some(1400), Some(port.index())));
    assert_eq!(answer["interfaces"][2]["mac"], end.address().unwrap().to_string());
    assert_eq!(answer["interfaces"][2]["sandbox"], "/run/netns/pod");
    assert_eq!(cni("CHECK", &lab()).unwrap(), Value::Null);
    talk(&pod, "10.1.0.1")?;

    // The network has changed.
    let mut other = lab();
    other["ipam"]["addresses"][0]["address"] = "10.1.0.3/24".into();
    assert_eq!(refused("CHECK", &other), (101, "10.1.0.3/24 is missing in /run/netns/pod".to_owned()));
    let mut other = lab();
    other["ipam"]["routes"][0]["dst"] = "10.2.0.0/16".into();
    assert_eq!(
        refused("CHECK", &other),
        (101, "a route to 10.2.0.0/16 is missing in /run/netns/pod".to_owned())
    );
    nl.call(link::set(port.index()).no_master())?;
    assert_eq!(refused("CHECK", &lab()), (101, "eth0 of /run/netns/pod is not on lab0".to_owned()));

    for _ in 0..2 {
        assert_eq!(cni("DEL", &lab()).unwrap(), Value::Null);
        assert!(inside.call(link::get("eth0")).unwrap_err().is_not_found());
        assert!(nl.call(link::get(port.index())).unwrap_err().is_not_found());
    }
    // A second container uses the existing bridge with its address.
    cni("ADD", &lab()).unwrap();
    assert_eq!(ports(&mut nl)?, 1);
    Namespace::delete("pod")?;
    assert_eq!(cni("DEL", &lab()).unwrap(), Value::Null);
    Ok(())
}

fn a_container_with_ipv6() -> Result {
    connect()?;
    let (pod, _) = pod()?;
    let config = json!({"bridge": "lab0", "isGateway": true, "ipam": {
        "addresses": [{"address": "fd00::2/64", "gateway": "fd00::1"}],
        "routes": [{"dst": "::/0", "gw": "fd00::1"}],
    }});
    cni("ADD", &config).unwrap();
    cni("CHECK", &config).unwrap();
    let inside = pod.run(|| std::net::UdpSocket::bind("[fd00::2]:0").map(drop))?;
    Ok(inside?)
}

fn nothing_half_built_is_left() -> Result {
    let mut nl = connect()?;
    let (_pod, mut inside) = pod()?;
    let mut config = lab();
    config["ipam"]["routes"][0]["gw"] = "192.0.2.1".into();
    let (code, message) = refused("ADD", &config);
    assert!(code == 100 && message.starts_with("RTM_NEWROUTE default via 192.0.2.1"), "{message}");
    assert!(inside.call(link::get("eth0")).unwrap_err().is_not_found());
    assert_eq!(ports(&mut nl)?, 0);

    // The state from before remains.
    inside.call(link::create("eth0").kind(Veth::new().peer(link::peer("eth1"))))?;
    let (code, message) = refused("ADD", &lab());
    assert!(code == 100 && message.contains("File exists"), "{message}");
    assert!(inside.call(link::get("eth0")).is_ok());
    assert_eq!(ports(&mut nl)?, 0);
    Ok(())
}

fn only_links_of_the_plugin_are_removed() -> Result {
    let (_pod, mut inside) = pod()?;
    inside.call(link::create("eth0").kind(Bridge::new()))?;
    assert_eq!(refused("DEL", &lab()), (101, "eth0 of /run/netns/pod is no veth: it stays".to_owned()));
    assert!(inside.call(link::get("eth0")).is_ok());
    Ok(())
}

fn errors_are_named() -> Result {
    let no_namespace = refused("ADD", &lab());
    assert_eq!(no_namespace, (100, "open /run/netns/pod: No such file or directory (ENOENT)".to_owned()));
    let _pod = pod()?;
    let with = |name: &str, value: Value| {
        let mut config = lab();
        config[name] = value;
        refused("ADD", &config)
    };
    assert_eq!(with("mtu", json!("big")), (7, "mtu can't be \"big\"".to_owned()));
    assert_eq!(with("bridge", json!(5)), (7, "bridge can't be 5".to_owned()));
    assert_eq!(with("bridge", json!("lo")), (7, "lo is no bridge".to_owned()));
    assert_eq!(with("ipam", json!({"addresses": {}})), (7, "addresses can't be {}".to_owned()));
    assert_eq!(with("ipam", json!({"addresses": [{}]})), (7, "addresses can't be {}".to_owned()));
    let (code, message) = with("ipam", json!({"routes": [{"dst": "10.0.0.0/33"}]}));
    assert!(code == 7 && message.starts_with("dst: ") && message.contains("33"), "{message}");
    assert_eq!(run(|_| None, "").unwrap_err().message, "CNI_COMMAND is not set");
    let add = |name: &str| (name == "CNI_COMMAND").then(|| "ADD".to_owned());
    assert_eq!(run(add, "{").unwrap_err().code, 6);
    assert_eq!(run(add, "{}").unwrap_err().message, "CNI_NETNS is not set");
    assert_eq!(refused("GC", &lab()).0, 4);
    assert_eq!(cni("VERSION", &Value::Null).unwrap()["supportedVersions"][1], "1.0.0");
    Ok(())
}

/// A line of the agent: `Link` or `Address`, the change, and the link.
type Line = (String, String, u64);

async fn line(lines: &mut Receiver<String>) -> Result<Line> {
    let json: Value = serde_json::from_str(&lines.recv().await.ok_or("the agent ended")?)?;
    let (what, event) = json.as_object().and_then(|object| object.iter().next()).ok_or("no event")?;
    let index = event["object"]["index"].as_u64().ok_or("no index")?;
    Ok((what.clone(), event["change"].as_str().ok_or("no change")?.to_owned(), index))
}

/// Runs the agent with this buffer for its events, together with a test of its lines.
fn with_agent(room: usize, test: impl AsyncFnOnce(Receiver<String>) -> Result) -> Result {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let events = netlink_route::tokio::subscribe(&monitor::GROUPS)?;
        events.socket().set_receive_buffer(room)?;
        let (sender, lines) = mpsc::channel(64);
        let agent = tokio::spawn(monitor::agent(netlink_route::tokio::connect()?, events, sender));
        test(lines).await?;
        // It ends at the next change because its output is closed.
        netlink_route::connect()?.call(link::create("last").kind(Bridge::new()))?;
        Ok(agent.await??)
    })
}

fn the_agent_writes_existing_objects_and_changes() -> Result {
    let mut nl = netlink_route::connect()?;
    with_agent(1 << 20, async |mut lines| {
        let of = |what: &str, change: &str, index: u32| (what.to_owned(), change.to_owned(), index.into());
        assert_eq!(line(&mut lines).await?, of("Link", "new", 1));
        nl.call(link::create("br0").kind(Bridge::new()))?;
        let br0 = nl.call(link::get("br0"))?.index();
        assert_eq!(line(&mut lines).await?, of("Link", "new", br0));
        nl.call(netlink_route::addr::add(br0, "192.0.2.1/24".parse()?))?;
        assert_eq!(line(&mut lines).await?, of("Address", "new", br0));
        nl.call(link::set(br0).mtu(1400))?;
        assert_eq!(line(&mut lines).await?, of("Link", "changed", br0));
        nl.call(link::delete(br0))?;
        let mut gone = BTreeSet::new();
        while gone.len() < 2 {
            let (what, change, index) = line(&mut lines).await?;
            assert_eq!(index, u64::from(br0));
            if change == "deleted" {
                gone.insert(what);
            }
        }
        Ok(())
    })
}

fn the_agent_makes_up_for_lost_events() -> Result {
    let mut nl = netlink_route::connect()?;
    nl.call(link::create("goes").kind(Bridge::new()))?;
    let goes: u64 = nl.call(link::get("goes"))?.index().into();
    with_agent(4096, async |mut lines| {
        let mut there = BTreeSet::new();
        while there.len() < 2 {
            there.insert(line(&mut lines).await?.2);
        }
        assert_eq!(there, BTreeSet::from([1, goes]));
        // No task runs meanwhile, so that no events are read.
        for number in 0..50 {
            nl.call(link::create(&format!("br{number}")).kind(Bridge::new()))?;
        }
        nl.call(link::delete("goes"))?;
        let (mut new, mut changed, mut deleted) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        // The loopback link did not change: only a list reports it.
        while new.len() < 50 || !changed.contains(&1) || !deleted.contains(&goes) {
            let (what, change, index) = line(&mut lines).await?;
            assert_eq!(what, "Link");
            match change.as_str() {
                "new" => assert!(new.insert(index)),
                "changed" => drop(changed.insert(index)),
                _ => assert!(deleted.insert(index)),
            }
        }
        assert_eq!(deleted, BTreeSet::from([goes]));
        Ok(())
    })
}
