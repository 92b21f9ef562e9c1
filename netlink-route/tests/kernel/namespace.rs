//! Network namespaces.

use netlink_core::{Connection, Namespace, OpenOptions, Protocol};
use netlink_route::link::Bridge;
use netlink_route::{link, nsid};
use netlink_testing::{Result, suite};

suite! {
    a_named_one_is_made_listed_opened_and_deleted;
    an_invalid_name_is_refused;
    many_are_made_at_once;
    a_link_in_the_place_of_a_name_is_removed_and_not_followed;
    other_files_than_network_namespaces_are_refused;
    names_of_any_bytes_are_listed_and_leftovers_apart;
    a_namespace_that_can_not_be_made_leaves_no_name;
    a_socket_opens_elsewhere_and_the_thread_stays;
    a_closure_runs_elsewhere;
    ids_are_set_listed_and_queried;
    a_link_is_queried_through_the_id_of_its_namespace;
}

fn names(nl: &mut Connection) -> Result<Vec<String>> {
    let links = nl.dump(link::list())?.collect()?;
    let mut names = Vec::new();
    for link in &links {
        names.push(link.view()?.name().unwrap_or_default().to_string());
    }
    names.sort();
    Ok(names)
}

fn a_named_one_is_made_listed_opened_and_deleted() -> Result {
    assert!(Namespace::open("blue").unwrap_err().is_not_found());
    let made = Namespace::create("blue")?;
    assert!(Namespace::create("blue").unwrap_err().is_exists());
    Namespace::create("red")?;
    assert_eq!(Namespace::names()?, ["blue", "red"]);
    let opened = Namespace::open("blue")?;
    assert!(opened.is_same(&made)?);
    assert!(!opened.is_same(&Namespace::current()?)?);
    assert!(!opened.is_same(&Namespace::open("red")?)?);
    Namespace::delete("blue")?;
    assert!(Namespace::delete("blue").unwrap_err().is_not_found());
    assert_eq!(Namespace::names()?, ["red"]);
    // It exists while it is open.
    assert!(opened.run(|| Namespace::current()?.is_same(&made))??);
    Ok(())
}

fn an_invalid_name_is_refused() {
    for name in ["", ".", "..", "a/b", "../escape", "nul\0"] {
        assert!(Namespace::create(name).is_err(), "{name:?}");
        assert!(Namespace::open(name).is_err(), "{name:?}");
        assert!(Namespace::delete(name).is_err(), "{name:?}");
    }
}

fn command(program: &str, arguments: &[&str]) -> Result {
    let status = std::process::Command::new(program).args(arguments).status()?;
    assert!(status.success(), "{program} {arguments:?}: {status}");
    Ok(())
}

/// An empty `/run`.
fn empty_run() -> Result {
    command("mount", &["-t", "tmpfs", "none", "/run"])
}

/// F10
fn many_are_made_at_once() -> Result {
    empty_run()?;
    const THREADS: usize = 8;
    for _ in 0..40 {
        std::thread::scope(|scope| {
            let make = |n: usize| move || Namespace::create(format!("n{n}")).map(|_| ());
            let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(make(n))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<std::result::Result<Vec<_>, _>>()
        })?;
        let mounts = std::fs::read_to_string("/proc/thread-self/mountinfo")?;
        // The harness has mounted one below, which is hidden and not shared.
        let is_named = |line: &&str| line.contains(" /run/netns") && line.contains(" shared:");
        let named = mounts.lines().filter(is_named).count();
        assert_eq!(named, THREADS + 1, "{mounts}");
        for n in 0..THREADS {
            Namespace::delete(format!("n{n}"))?;
        }
        command("umount", &["/run/netns"])?;
    }
    Ok(())
}

/// F13
fn a_link_in_the_place_of_a_name_is_removed_and_not_followed() -> Result {
    empty_run()?;
    let kept = Namespace::create("kept")?;
    std::fs::create_dir("/run/elsewhere")?;
    std::fs::write("/run/elsewhere/net", "")?;
    command("mount", &["--bind", "/run/netns/kept", "/run/elsewhere/net"])?;
    std::os::unix::fs::symlink("/run/elsewhere/net", "/run/netns/sym")?;
    assert!(Namespace::open("sym")?.is_same(&kept)?);
    assert_eq!(Namespace::names()?, ["kept", "sym"]);
    Namespace::delete("sym")?;
    assert_eq!(Namespace::names()?, ["kept"]);
    assert!(Namespace::open_path("/run/elsewhere/net")?.is_same(&kept)?);
    Ok(())
}

/// F13
fn other_files_than_network_namespaces_are_refused() -> Result {
    empty_run()?;
    std::fs::write("/run/file", "")?;
    command("mkfifo", &["/run/fifo"])?;
    for path in ["/run/file", "/run/fifo", "/run", "/dev/null", "/proc/thread-self/ns/uts"] {
        let error = Namespace::open_path(path).unwrap_err();
        assert_eq!(error.errno(), Some(netlink_core::Errno::EINVAL), "{path}");
        assert!(error.to_string().contains(path), "{error}");
    }
    assert!(Namespace::open_path("/run/none").unwrap_err().to_string().contains("/run/none"));
    Ok(())
}

/// F13
fn names_of_any_bytes_are_listed_and_leftovers_apart() -> Result {
    empty_run()?;
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    let odd = OsStr::from_bytes(b"n\xff");
    let made = Namespace::create(odd)?;
    assert!(Namespace::open(odd)?.is_same(&made)?);
    std::fs::write("/run/netns/left", "")?;
    std::os::unix::fs::symlink("/nowhere", "/run/netns/lost")?;
    assert_eq!(Namespace::names()?, [odd]);
    assert_eq!(Namespace::leftovers()?, ["left", "lost"]);
    assert!(Namespace::create("left").unwrap_err().is_exists());
    // Like after a reboot.
    Namespace::delete("left")?;
    Namespace::delete("lost")?;
    assert_eq!(Namespace::leftovers()?, [""; 0]);
    assert_eq!(Namespace::names()?, [odd]);
    Namespace::delete(odd)?;
    assert_eq!(Namespace::names()?, Vec::<OsString>::new());
    Ok(())
}

fn a_namespace_that_can_not_be_made_leaves_no_name() -> Result {
    Namespace::create("before")?;
    // Without /proc a new namespace can't be opened.
    command("mount", &["-t", "tmpfs", "none", "/proc"])?;
    let made = Namespace::create("after");
    let entries = std::fs::read_dir("/run/netns")?.count();
    assert!(made.unwrap_err().is_not_found());
    assert_eq!(entries, 1);
    Ok(())
}

fn a_socket_opens_elsewhere_and_the_thread_stays() -> Result {
    let home = Namespace::current()?;
    let mut here = Connection::open(Protocol::ROUTE)?;
    here.call(link::create("here").kind(Bridge::new()))?;
    let other = Namespace::create("other")?;
    let mut there = Connection::open_with(Protocol::ROUTE, &OpenOptions::new().namespace(&other))?;
    assert_eq!(names(&mut there)?, ["lo"]);
    there.call(link::create("there").kind(Bridge::new()))?;
    assert_eq!(names(&mut here)?, ["here", "lo"]);
    assert!(home.is_same(&Namespace::current()?)?);
    let by_path = Namespace::open_path("/run/netns/other")?;
    let mut again = Connection::open_with(Protocol::ROUTE, &OpenOptions::new().namespace(&by_path))?;
    assert_eq!(names(&mut again)?, ["lo", "there"]);
    let mut child = other.run(|| std::process::Command::new("sleep").arg("60").spawn())??;
    let by_pid = Namespace::of_process(child.id());
    let same = by_pid.and_then(|namespace| namespace.is_same(&other));
    child.kill()?;
    child.wait()?;
    assert!(same?);
    Ok(())
}

fn a_closure_runs_elsewhere() -> Result {
    let other = Namespace::anonymous()?;
    let count = other.run(|| {
        Connection::open(Protocol::ROUTE)?
            .dump(link::list())?
            .collect()
            .map(|all| all.len())
            .map_err(netlink_core::Error::from)
    })??;
    assert_eq!(count, 1);
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| other.run(|| std::panic::panic_any(7u8))));
    assert_eq!(panicked.unwrap_err().downcast_ref::<u8>(), Some(&7));
    Ok(())
}

/// vishvananda 45
fn ids_are_set_listed_and_queried() -> Result {
    use std::os::fd::AsRawFd;
    let mut nl = Connection::open(Protocol::ROUTE)?;
    let other = Namespace::anonymous()?;
    let fd = other.as_raw_fd();
    assert_eq!(nl.call(nsid::get(nsid::Peer::Fd(fd)))?.id(), None);
    nl.call(nsid::set(nsid::Peer::Fd(fd), 17))?;
    assert_eq!(nl.call(nsid::get(nsid::Peer::Fd(fd)))?.id(), Some(17));
    assert!(nl.call(nsid::set(nsid::Peer::Fd(fd), 18)).unwrap_err().is_exists());
    let all = nl.dump(nsid::list())?.collect()?;
    let ids: Vec<_> = all.iter().filter_map(|id| id.view().ok()?.id()).collect();
    assert_eq!(ids, [17]);
    Ok(())
}

/// `IFLA_TARGET_NETNSID`
fn a_link_is_queried_through_the_id_of_its_namespace() -> Result {
    use std::os::fd::AsRawFd;
    let mut nl = Connection::open(Protocol::ROUTE)?;
    let other = Namespace::anonymous()?;
    Connection::open_with(Protocol::ROUTE, &OpenOptions::new().namespace(&other))?
        .call(link::create("far").kind(Bridge::new()))?;
    nl.call(nsid::set(nsid::Peer::Fd(other.as_raw_fd()), 5))?;
    let far = nl.call(link::get("far").target_netnsid(5))?;
    assert_eq!(far.name(), Some("far".into()));
    assert!(nl.call(link::get("far")).unwrap_err().is_not_found());
    let all = nl.dump(link::list().target_netnsid(5))?.collect()?;
    assert_eq!(all.len(), 2);
    Ok(())
}
