//! Tasks and processes compared with `/proc`, and tasks that end.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::yield_now;
use std::time::{Duration, Instant, SystemTime};

use netlink_core::testkit::Recorder;
use netlink_generic::taskstats::exit::{self, Listener};
use netlink_generic::taskstats::{self, AccountFlags, Delay, Policy, Record, TaskStats, Taskstats};
use netlink_generic::{
    Client, Connection, Errno, Error, MessageFlags, Namespace, Notice, OpenOptions, Protocol, Resolved,
};
use netlink_testing::{
    Need, Result, file, generic, init_namespace, machine, module, patience, program, skip, suite, when,
};

use crate::golden::taskstats::{read, tell};
use crate::{keep, output};

/// The family, at least in the initial network namespace: Linux 5.10 has it only there.
const FAMILY: Need = when("the kernel has no generic family TASKSTATS", || connect().is_ok());
/// The family in the test's own namespace.
const EVERYWHERE: Need = generic("TASKSTATS");
/// Listeners receive records of the initial PID namespace, and are refused in any other.
const INITIAL: Need = when("not in the initial PID namespace", || {
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == "pid:[4026531836]")
});

suite! {
    a_task_equals_its_files_in_proc: FAMILY, init_namespace(), program("chrt"), program("nice");
    a_thread_and_its_process: FAMILY, init_namespace();
    a_missing_process_is_not_found: FAMILY, init_namespace();
    a_missing_permission_is_explained: EVERYWHERE, init_namespace(), program("unshare");
    tasks_that_end_are_reported: FAMILY, init_namespace(), INITIAL;
    a_process_of_threads_ends_with_its_sums: FAMILY, init_namespace(), INITIAL, program("python3");
    only_tasks_of_registered_cpus_are_reported: FAMILY, init_namespace(), INITIAL, program("taskset");
    masks_that_are_refused: FAMILY, init_namespace(), INITIAL;
    other_namespaces_hear_nothing: EVERYWHERE, init_namespace(), INITIAL;
    a_dropped_listener_deregisters: FAMILY, init_namespace(), INITIAL;
    an_overrun_is_reported_and_listening_continues: FAMILY, init_namespace(), INITIAL;
    a_listener_answers_questions_too: FAMILY, init_namespace(), INITIAL;
    a_listener_on_a_reactor: FAMILY, init_namespace(), INITIAL;
    delays_are_measured_if_enabled: machine(), FAMILY, file("/proc/sys/kernel/task_delayacct"), module("loop"), program("losetup"), program("dd");
    a_cgroup_is_counted: FAMILY, init_namespace(), program("mount");
}

/// The longest wait for a record.
const SOON: Option<Duration> = Some(Duration::from_secs(50));

/// The initial network namespace: the first thread is there.
fn initial() -> Result<Namespace, Error> {
    Namespace::open_path("/proc/self/ns/net")
}

/// A client in the test's own namespace, or in the initial one.
fn connect() -> Result<Client<Taskstats>, Error> {
    taskstats::connect().or_else(|_| {
        initial().and_then(|there| taskstats::connect_with(&OpenOptions::new().namespace(&there)))
    })
}

/// A listener in the initial namespace.
fn listener() -> Result<Listener> {
    let initial = initial()?;
    let mut listener = Listener::open_with(&OpenOptions::new().namespace(&initial))?;
    listener.connection().set_timeout(SOON)?;
    Ok(listener)
}

/// Fields since version 12 of the struct: the process of a task, and whether the task was its last. Linux
/// 5.10 has version 10.
fn since_12<T>(stats: &TaskStats, what: T) -> Option<T> {
    (stats.version >= 12).then_some(what)
}

/// The records of a task: of the task, and of its process if it was the last of several.
fn ending(exits: &mut Listener, pid: u32) -> Result<(TaskStats, Option<TaskStats>)> {
    loop {
        let Notice::Event { event: record, .. } = exits.next()? else { return Err("overrun".into()) };
        let task = record.task().ok_or("no task")?;
        if task.pid() != Some(pid) {
            continue;
        }
        let process = record.process().map(|process| process.stats().ok_or("a process without statistics"));
        return Ok((task.stats().ok_or("a task without statistics")?, process.transpose()?));
    }
}

/// Runs a shell to its end.
fn shell(script: &str) -> Result<u32> {
    let mut child = Command::new("sh").args(["-c", script]).spawn()?;
    child.wait()?;
    Ok(child.id())
}

/// The files of a process in `/proc`.
#[derive(Debug, PartialEq)]
struct Proc {
    /// The fields after the name in `stat`, from the state on.
    stat: Vec<String>,
    /// `status` and `io`.
    named: HashMap<String, String>,
    /// Nanoseconds on a CPU, nanoseconds of waiting for one, number of waits.
    schedstat: Vec<u64>,
}

impl Proc {
    fn read(pid: u32) -> Result<Self> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}"));
        let stat = read("stat")?;
        let (_, stat) = stat.rsplit_once(") ").ok_or("no name in stat")?;
        let named = format!("{}{}", read("status")?, read("io")?);
        let named = named.lines().filter_map(|line| line.split_once(':'));
        Ok(Self {
            stat: stat.split_whitespace().map(str::to_owned).collect(),
            named: named.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
            schedstat: read("schedstat")?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?,
        })
    }

    /// A field of `stat`, with the numbers of proc(5).
    fn stat(&self, number: usize) -> i64 {
        self.stat[number - 3].parse().unwrap()
    }

    /// The first number of a line.
    fn number(&self, name: &str) -> u64 {
        self.named[name].split_whitespace().next().unwrap().parse().unwrap()
    }
}

/// A process and its files in `/proc`, which are equal before and after.
fn at_rest(nl: &mut Client<Taskstats>, child: &Child) -> Result<(TaskStats, TaskStats, Proc)> {
    loop {
        let before = Proc::read(child.id())?;
        let task = nl.call(taskstats::task(child.id()))?;
        let process = nl.call(taskstats::process(child.id()))?;
        assert_eq!(task.task().and_then(|task| task.pid()), Some(child.id()));
        assert_eq!(process.process().and_then(|process| process.tgid()), Some(child.id()));
        let (task, process) = (task.stats().ok_or("no task")?, process.stats().ok_or("no process")?);
        if before.stat[0] == "S" && Proc::read(child.id())? == before {
            return Ok((task, process, before));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn a_task_equals_its_files_in_proc() -> Result {
    // On the test's own file system: the shell's reads have one byte each, its echos are one write.
    const SCRIPT: &str =
        "read line; i=0; while [ $i -lt 1100 ]; do echo $i; i=$((i+1)); done >/run/netns/out; echo; read end";
    let copy = "/run/netns/a child";
    fs::copy("/bin/sh", copy)?;
    let mut command = Command::new("chrt");
    command.args(["-b", "0", "nice", "-n", "5", copy, "-c", SCRIPT]).uid(4711).gid(4712);
    fs::write("/run/netns/out", "")?;
    std::os::unix::fs::chown("/run/netns/out", Some(4711), None)?;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    stdin.write_all(&[&[b'a'; 3000][..], b"\n"].concat())?;
    BufReader::new(child.stdout.take().ok_or("no stdout")?).read_line(&mut String::new())?;

    let mut nl = connect()?;
    let (task, process, proc) = at_rest(&mut nl, &child)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    assert_eq!(task.comm.to_string(), proc.named["Name"]);
    assert_eq!((task.pid, task.tgid), (child.id(), since_12(&task, child.id())));
    assert_eq!((i64::from(task.ppid), i64::from(task.nice)), (proc.stat(4), proc.stat(19)));
    // S-L10: five more than the nice value of this process.
    let nice = (Proc::read(std::process::id())?.stat(19) + 5).min(19);
    assert_eq!((i64::from(task.nice), task.policy), (nice, Policy::BATCH));
    assert_eq!(i64::from(task.policy.0), proc.stat(41));
    assert_eq!((task.uid, task.gid), (4711, 4712));
    assert_eq!((task.minflt as i64, task.majflt as i64), (proc.stat(10), proc.stat(12)));
    assert_eq!(task.nvcsw, proc.number("voluntary_ctxt_switches"));
    assert_eq!(task.nivcsw, proc.number("nonvoluntary_ctxt_switches"));
    assert_eq!((task.exit_code, task.exit_status(), task.exit_signal()), (0, Some(0), None));
    let metadata = fs::metadata(copy)?;
    assert_eq!(task.exe_inode, since_12(&task, metadata.ino()));
    assert_eq!(task.exe_device().is_some(), since_12(&task, ()).is_some());
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo")?;
    if let Some((major, minor)) = task.exe_device() {
        assert!(mounts.lines().any(|line| line.contains(&format!(" {major}:{minor} / /run"))), "{mounts}");
    }

    // The kernel drops the lower ten bits, of counts as of bytes.
    let kilo = |name| proc.number(name) & !1023;
    assert_eq!([task.read_char, task.write_char], [kilo("rchar"), kilo("wchar")]);
    assert_eq!([task.read_syscalls, task.write_syscalls], [kilo("syscr"), kilo("syscw")]);
    assert_eq!([task.read_bytes, task.write_bytes], [kilo("read_bytes"), kilo("write_bytes")]);
    assert_eq!(task.cancelled_write_bytes, kilo("cancelled_write_bytes"));
    assert_eq!([task.read_syscalls, task.write_syscalls], [2048, 1024]);
    assert_eq!(task.hiwater_vm, proc.number("VmPeak"));
    // Each counts what is left in the counters of each CPU.
    assert!(task.hiwater_rss.abs_diff(proc.number("VmHWM")) <= 2048, "{task:?} {proc:?}");

    let [run, wait, times] = proc.schedstat[..] else { return Err("another schedstat".into()) };
    assert_eq!(task.run_time(), Duration::from_nanos(run));
    assert_eq!((task.cpu().total, task.cpu().count), (Duration::from_nanos(wait), times));
    assert_eq!(task.cpu().average(), Some(Duration::from_nanos(wait / times)));
    let sum = task.user_time() + task.system_time();
    assert!(sum.abs_diff(Duration::from_nanos(task.cpu_run_real_total)) <= Duration::from_micros(2));
    // In `/proc`: the scheduler's clock in hundredths of a second, split, and each part rounded down.
    let ticks = Duration::from_millis((proc.stat(14) + proc.stat(15)) as u64 * 10);
    assert!(task.run_time().abs_diff(ticks) <= Duration::from_millis(20), "{task:?} {proc:?}");
    let booted = output("awk", &["/btime/ {print $2}", "/proc/stat"])?.trim().parse::<u64>()?;
    let began = Duration::from_secs(booted + proc.stat(22) as u64 / 100);
    assert!(task.began().abs_diff(began) <= Duration::from_secs(2), "{task:?} {booted}");
    assert_eq!(Some(u64::from(task.btime)), task.btime64);
    assert!((task.began() + task.elapsed()).abs_diff(now) <= Duration::from_secs(2), "{task:?} {now:?}");
    assert_eq!(task.tgetime.is_some(), since_12(&task, ()).is_some());
    let of_process = task.tgetime.map_or_else(|| task.elapsed(), Duration::from_micros);
    assert!(of_process.abs_diff(task.elapsed()) <= Duration::from_millis(1));

    // One task: the sums equal its own values.
    assert_eq!((process.run_time(), process.cpu()), (task.run_time(), task.cpu()));
    assert_eq!([process.nvcsw, process.nivcsw], [task.nvcsw, task.nivcsw]);
    assert_eq!([process.utime, process.stime], [task.utime, task.stime]);
    assert_eq!((process.version, process.pid, process.comm.to_string()), (task.version, 0, String::new()));

    // Versions and lengths match.
    let versions = [(10, 352), (13, 416), (14, 432), (16, 560), (17, 688)];
    let record = nl.call(taskstats::task(child.id()))?.to_request::<()>(&Record::NEW, MessageFlags::empty());
    // Before the struct: two headers, the set, the task's number, and the attribute's own head.
    let length = Resolved::from_id(20).bind(record).to_bytes()?.len() - (16 + 4 + 4 + 8 + 4);
    assert!(versions.contains(&(task.version, length)), "{} has {length}", task.version);
    assert_eq!(task.version >= 14, task.irq().is_some());
    assert_eq!(task.version >= 16, task.cpu().max.is_some());
    assert_eq!(task.version >= 17, task.irq_delay_max_ts.is_some());
    drop(stdin);
    child.wait()?;
    Ok(())
}

fn a_thread_and_its_process() -> Result {
    let mut nl = connect()?;
    let link = fs::read_link("/proc/thread-self")?;
    let own: u32 = link.file_name().and_then(|name| name.to_str()).ok_or("no number")?.parse()?;
    let stats = nl.call(taskstats::task(own))?.stats().ok_or("no statistics")?;
    assert_eq!((stats.pid, stats.tgid), (own, since_12(&stats, std::process::id())));
    assert_eq!(stats.comm.to_string(), fs::read_to_string("/proc/thread-self/comm")?.trim());
    let process = nl.call(taskstats::process(std::process::id()))?;
    assert_eq!(process.process().and_then(|process| process.tgid()), Some(std::process::id()));
    assert!(process.task().is_none());
    let sums = process.stats().ok_or("no sums")?;
    assert!(sums.run_time() > stats.run_time() && sums.cpu().count > stats.cpu().count);
    Ok(())
}

fn a_missing_process_is_not_found() -> Result {
    let mut nl = connect()?;
    for request in [taskstats::task(u32::MAX), taskstats::process(u32::MAX)] {
        let error = nl.call(request).unwrap_err();
        assert!(error.is_not_found() && error.errno() == Some(Errno::ESRCH), "{error}");
    }
    Ok(())
}

/// Set in a process that sends a query and prints the answer, in its own namespaces.
const ELSEWHERE: &str = "NETLINK_TEST_ELSEWHERE";

/// The task of such a process.
pub(crate) fn asked_elsewhere() -> bool {
    if std::env::var_os(ELSEWHERE).is_none() {
        return false;
    }
    let mut nl = taskstats::connect().unwrap();
    match nl.call(taskstats::task(1)) {
        Ok(record) => println!("{}", record.stats().unwrap().comm),
        Err(error) => println!("{error}"),
    }
    println!("{}", Listener::open().unwrap_err());
    true
}

fn a_missing_permission_is_explained() -> Result {
    let ask = |namespaces: &[&str]| -> Result<String> {
        let mut command = Command::new("unshare");
        let output = command.args(namespaces).arg(std::env::current_exe()?).env(ELSEWHERE, "").output()?;
        Ok(String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?)
    };
    let refused = "TASKSTATS_CMD_GET: Operation not permitted (EPERM); it takes CAP_NET_ADMIN in the initial user namespace\n";
    assert_eq!(ask(&["--user", "--map-root-user"])?, refused.repeat(2));
    let text = ask(&["--pid", "--fork"])?;
    let (own, refused) = text.split_once('\n').ok_or("one line")?;
    // Its own first process is itself.
    let name = std::env::current_exe()?.file_name().ok_or("no name")?.to_string_lossy()[..15].to_owned();
    assert_eq!(own, name);
    let cpus = std::fs::read_to_string("/sys/devices/system/cpu/possible")?;
    let asked = format!("sent: TASKSTATS_CMD_ATTR_REGISTER_CPUMASK {:?}\n", cpus.trim());
    let takes =
        "it takes a process in the initial user and PID namespaces, and a list of CPUs that can be there";
    assert_eq!(refused, format!("TASKSTATS_CMD_GET: Invalid argument (EINVAL); {takes}; {asked}"));
    Ok(())
}

fn tasks_that_end_are_reported() -> Result {
    let mut exits = listener()?;
    let pid = shell("(exit 5); exit 6")?;
    let mut forked = None;
    let ended = loop {
        let Notice::Event { event: record, .. } = exits.next()? else { return Err("overrun".into()) };
        let stats = record.stats().ok_or("no statistics")?;
        assert_eq!(record.task().and_then(|task| task.pid()), Some(stats.pid));
        if stats.pid == pid {
            break stats;
        }
        if stats.ppid == pid {
            forked = Some(stats);
        }
    };
    assert_eq!(
        (ended.comm.to_string().as_str(), ended.exit_status(), ended.exit_signal()),
        ("sh", Some(6), None)
    );
    assert_eq!((ended.ppid, ended.tgid, ended.uid), (std::process::id(), since_12(&ended, pid), 0));
    assert_eq!(ended.flags.contains(AccountFlags::LAST), since_12(&ended, ()).is_some());
    assert!(!ended.flags.contains(AccountFlags::FORKED));
    assert!(ended.run_time() > Duration::ZERO && ended.elapsed() >= ended.run_time());
    let forked = forked.ok_or("no word of the subshell")?;
    assert_eq!(forked.exit_status(), Some(5));
    assert!(forked.flags.contains(AccountFlags::FORKED));
    assert_eq!(forked.flags.contains(AccountFlags::LAST), since_12(&forked, ()).is_some());

    let pid = shell("kill -9 $$")?;
    let (killed, process) = ending(&mut exits, pid)?;
    assert_eq!((killed.exit_status(), killed.exit_signal()), (None, Some(9)));
    assert!(killed.flags.contains(AccountFlags::KILLED));
    assert_eq!(process, None);
    record()
}

const THREADS: &str = "
import os, threading
def work():
    print(threading.get_native_id())
    sum(range(100000))
for _ in range(3):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
os._exit(7)
";

/// A process with threads: its number and theirs.
fn threads() -> Result<(u32, Vec<u32>)> {
    let mut command = Command::new("python3");
    let child = command.args(["-u", "-c", THREADS]).stdout(Stdio::piped()).spawn()?;
    let pid = child.id();
    let written = String::from_utf8(child.wait_with_output()?.stdout)?;
    Ok((pid, written.lines().map(str::parse).collect::<Result<_, _>>()?))
}

fn a_process_of_threads_ends_with_its_sums() -> Result {
    let mut exits = listener()?;
    let (pid, mut tasks) = threads()?;
    assert_eq!(tasks.len(), 3);
    tasks.push(pid);
    // A joined thread can still exist when the others end, so any of them can be the last.
    let (mut all, mut sums) = (Vec::new(), Vec::new());
    while all.len() < tasks.len() {
        let Notice::Event { event: record, .. } = exits.next()? else { return Err("overrun".into()) };
        let stats = record.stats().filter(|stats| tasks.contains(&stats.pid));
        let Some(stats) = stats else { continue };
        assert_eq!(stats.tgid, since_12(&stats, pid));
        let last = since_12(&stats, record.process().is_some()).unwrap_or(false);
        assert_eq!(stats.flags.contains(AccountFlags::LAST), last);
        assert!(record.process().is_none_or(|process| process.tgid() == Some(pid)));
        assert!(stats.pid != pid || stats.exit_status() == Some(7));
        sums.extend(record.process().and_then(|process| process.stats()));
        all.push(stats);
    }
    let [sums] = sums[..] else { return Err(format!("sums: {sums:?}").into()) };
    assert_eq!(sums.pid, 0);
    // A task can be interrupted between the sum and its own record.
    let sum = |of: fn(&TaskStats) -> u64| all.iter().map(of).sum::<u64>();
    let missing = |sums, total: u64| total.checked_sub(sums).ok_or_else(|| format!("{sums} of {total}"));
    let few = 4 * u64::from(patience());
    assert!(missing(sums.cpu_count, sum(|stats| stats.cpu_count))? <= few);
    if sums.etime == 0 {
        // Some releases have only delays.
        assert_eq!([sums.nvcsw, sums.nivcsw, sums.utime, sums.stime], [0; 4]);
    } else {
        assert_eq!(sums.version, all[0].version);
        assert!(missing(sums.nvcsw, sum(|stats| stats.nvcsw))? <= few);
        assert!(missing(sums.utime, sum(|stats| stats.utime))? <= 10_000 * few);
    }
    missing(sums.cpu_run_virtual_total, sum(|stats| stats.cpu_run_virtual_total))?;
    assert!(all.iter().all(|stats| stats.cpu_run_virtual_total < sums.cpu_run_virtual_total));
    if all[0].version >= 16 {
        assert!(sums.cpu().max <= all.iter().map(|stats| stats.cpu().max).max().flatten());
    }
    Ok(())
}

fn only_tasks_of_registered_cpus_are_reported() -> Result {
    let online = fs::read_to_string("/sys/devices/system/cpu/online")?;
    if online.trim() == "0" {
        skip("there is one CPU");
    }
    let initial = initial()?;
    let mut exits = Listener::idle(&OpenOptions::new().namespace(&initial))?;
    exits.connection().set_timeout(SOON)?;
    let on = |cpu: &str| -> Result<u32> {
        let mut child = Command::new("taskset").args(["-c", cpu, "true"]).spawn()?;
        child.wait()?;
        Ok(child.id())
    };
    exits.register("0")?;
    // Registered twice, it is reported once.
    exits.register("0-0")?;
    let silent = on("1")?;
    let told = on("0")?;
    exits.deregister("0")?;
    let late = on("0")?;
    exits.register("0,1")?;
    let last = on("1")?;
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        let Notice::Event { event: record, .. } = exits.next()? else { return Err("overrun".into()) };
        let pid = record.task().and_then(|task| task.pid()).ok_or("no number")?;
        if [silent, told, late, last].contains(&pid) {
            heard.push(pid);
        }
    }
    assert_eq!(heard, [told, last]);
    Ok(())
}

fn masks_that_are_refused() -> Result {
    let mut exits = listener()?;
    let error = exits.register(&"0,".repeat(30_000)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "TASKSTATS_CMD_GET: Argument list too long (E2BIG); the list of CPUs is too long; sent: \
             TASKSTATS_CMD_ATTR_REGISTER_CPUMASK \"0,0,"
        ),
        "{text}"
    );
    assert!(text.ends_with('…'), "{text}");
    for (cpus, errno) in [
        ("4000000", Errno::ERANGE),
        ("-1", Errno::EINVAL),
        ("3-1", Errno::EINVAL),
        ("all but 1", Errno::EINVAL),
    ] {
        for (result, prefix) in [(exits.register(cpus), ""), (exits.deregister(cpus), "DE")] {
            let error = result.unwrap_err();
            assert_eq!(error.errno(), Some(errno), "{cpus}: {error}");
            let end = format!(
                "and a list of CPUs that can be there; sent: TASKSTATS_CMD_ATTR_{prefix}REGISTER_CPUMASK {cpus:?}"
            );
            assert!(error.to_string().ends_with(&end), "{error}");
        }
    }
    // An empty list of CPUs is valid; and nothing changed the registration.
    exits.register("")?;
    let pid = shell("exit 3")?;
    assert_eq!(ending(&mut exits, pid)?.0.exit_status(), Some(3));
    Ok(())
}

/// A port for each test, because the kernel identifies listeners only by port.
fn port(number: u32) -> u32 {
    0x4000_0000 | std::process::id() << 4 | number
}

fn other_namespaces_hear_nothing() -> Result {
    let mut here = Listener::open_with(&OpenOptions::new().port(port(1)))?;
    here.connection().set_timeout(Some(Duration::from_millis(100)))?;
    let mut there = listener()?;
    let pid = shell("exit 3")?;
    ending(&mut there, pid)?;
    assert!(matches!(here.next(), Err(Error::Timeout(_))));
    Ok(())
}

fn a_dropped_listener_deregisters() -> Result {
    let initial = initial()?;
    let options = OpenOptions::new().namespace(&initial).port(port(2));
    let mut exits = Listener::open_with(&options)?;
    exits.connection().set_timeout(SOON)?;
    let pid = shell("exit 3")?;
    ending(&mut exits, pid)?;
    drop(exits);
    let end = Instant::now() + SOON.unwrap();
    let mut next = loop {
        match Connection::open_with(Protocol::GENERIC, &options) {
            // A child of another test also holds the closed socket until it executes another program.
            Err(error) if error.errno() == Some(Errno::EADDRINUSE) && Instant::now() < end => yield_now(),
            next => break next?,
        }
    };
    next.listen();
    next.set_timeout(Some(Duration::from_millis(100)))?;
    let mut other = listener()?;
    let pid = shell("exit 3")?;
    ending(&mut other, pid)?;
    assert!(matches!(next.next_event::<Record<'static>>(), Err(Error::Timeout(_))));
    Ok(())
}

fn an_overrun_is_reported_and_listening_continues() -> Result {
    let mut exits = listener()?;
    exits.connection().socket().set_receive_buffer(8 << 10)?;
    let mut before = 0;
    for _ in 0..100 {
        std::thread::spawn(|| {}).join().map_err(|_| "a thread panicked")?;
    }
    while let Notice::Event { .. } = exits.next()? {
        before += 1;
    }
    assert!((1..100).contains(&before), "{before} of 100 found room in 8 KiB");
    let pid = shell("exit 3")?;
    assert_eq!(ending(&mut exits, pid)?.0.exit_status(), Some(3));
    Ok(())
}

/// Answers and records both have small sequence numbers, and must not be confused.
fn a_listener_answers_questions_too() -> Result {
    let mut exits = listener()?;
    let family = connect()?.family().clone();
    let mut pids = Vec::new();
    for _ in 0..50 {
        pids.push(shell("exit 3")?);
        let own = exits.connection().call(family.bind(taskstats::process(std::process::id())))?;
        assert_eq!(own.process().and_then(|process| process.tgid()), Some(std::process::id()));
        exits.register("0")?;
    }
    for pid in pids {
        assert_eq!(ending(&mut exits, pid)?.0.exit_status(), Some(3));
    }
    Ok(())
}

fn a_listener_on_a_reactor() -> Result {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let initial = initial()?;
        let mut exits = exit::tokio::Listener::open_with(&OpenOptions::new().namespace(&initial)).await?;
        exits.register("0").await?;
        let pid = shell("exit 4")?;
        let status = loop {
            let Notice::Event { event: record, .. } = exits.next().await? else {
                return Err("overrun".into());
            };
            if let Some(stats) = record.stats().filter(|stats| stats.pid == pid) {
                break stats.exit_status();
            }
        };
        assert_eq!(status, Some(4));
        exits.deregister("0").await?;
        let error = exits.register("4000000").await.unwrap_err();
        let end =
            "and a list of CPUs that can be there; sent: TASKSTATS_CMD_ATTR_REGISTER_CPUMASK \"4000000\"";
        assert!(error.to_string().ends_with(end), "{error}");
        let mut nl = taskstats::tokio::connect_with(&OpenOptions::new().namespace(&initial)).await?;
        let own = nl.call(taskstats::task(std::process::id())).await?;
        assert_eq!(own.stats().map(|stats| stats.pid), Some(std::process::id()));
        Ok(())
    })
}

fn delays_are_measured_if_enabled() -> Result {
    const SYSCTL: &str = "/proc/sys/kernel/task_delayacct";
    fs::write("/tmp/delays.img", vec![7; 1 << 20])?;
    let device = output("losetup", &["-f", "--show", "/tmp/delays.img"])?;
    let script =
        format!("(exit 5); exec dd if={} of=/dev/null iflag=direct bs=64k status=none", device.trim());
    let mut exits = listener()?;
    let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut measured = Vec::new();
    for on in ["1", "0"] {
        fs::write(SYSCTL, on)?;
        // A read without sleeping was no wait: repeat, within the test's time limit.
        let stats = loop {
            let pid = shell(&script)?;
            let stats = ending(&mut exits, pid)?.0;
            if on == "0" || stats.blkio().count > 0 {
                break stats;
            }
        };
        measured.push(stats);
    }
    output("losetup", &["-d", device.trim()])?;
    let [on, off] = measured[..] else { return Err("two were measured".into()) };
    let end = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let copies = |stats: &TaskStats| stats.wpcopy().ok_or("no copies of pages");
    for delay in [on.blkio(), copies(&on)?] {
        assert!(delay.count > 0 && delay.total > Duration::ZERO, "{on:?}");
        let average = delay.average().ok_or("no average")?;
        if on.version >= 16 {
            assert!(delay.min <= Some(average) && Some(average) <= delay.max, "{delay:?}");
            assert!(delay.min > Some(Duration::ZERO) && delay.max <= Some(delay.total), "{delay:?}");
        }
        if on.version >= 17 {
            let second = Duration::from_secs(1);
            let at = delay.max_at.ok_or("no time of the longest wait")?;
            assert!(start <= at + second && at <= end + second, "{delay:?}");
        }
    }
    assert_eq!(
        [off.blkio(), copies(&off)?].map(|delay| (delay.count, delay.total, delay.max_at)),
        [(0, Duration::ZERO, None); 2]
    );
    assert_eq!(Delay::default().average(), None);
    assert!(off.cpu().count > 0);
    Ok(())
}

fn a_cgroup_is_counted() -> Result {
    let folder = "/run/netns/cgroup";
    fs::create_dir(folder)?;
    let name = format!("none,name=netlink-{}", std::process::id());
    output("mount", &["-t", "cgroup", "-o", &name, "none", folder])?;
    let group = format!("{folder}/group");
    fs::create_dir(&group)?;
    let open = File::open(&group)?;
    let mut children = Vec::new();
    for _ in 0..3 {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn()?;
        fs::write(format!("{group}/tasks"), child.id().to_string())?;
        children.push(child);
    }
    output("kill", &["-STOP", &children[0].id().to_string()])?;
    let mut states = Vec::new();
    while states != ["T", "S", "S"] {
        let state = |child: &Child| Proc::read(child.id()).map(|proc| proc.stat[0].clone());
        states = children.iter().map(state).collect::<Result<_>>()?;
    }
    let mut nl = connect()?;
    let counted = nl.call(taskstats::cgroup(open.as_raw_fd().try_into()?))?.stats().ok_or("no counts")?;
    assert_eq!([counted.sleeping, counted.stopped, counted.running], [2, 1, 0]);
    assert_eq!([counted.uninterruptible, counted.io_wait], [0, 0]);
    for child in &mut children {
        child.kill()?;
        child.wait()?;
    }
    let elsewhere = File::open("/run")?;
    let error = nl.call(taskstats::cgroup(elsewhere.as_raw_fd().try_into()?)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    // Only later kernels, such as 7.3, report it.
    let nothing = nl.call(taskstats::cgroup(1 << 20)).unwrap_err();
    assert!(matches!(nothing, Error::NoReply(_)) || nothing.errno() == Some(Errno::EBADF), "{nothing}");
    // Later calls are answered normally.
    assert!(nl.call(taskstats::task(std::process::id()))?.stats().is_some());
    drop(open);
    fs::remove_dir(group)?;
    output("umount", &[folder])?;
    Ok(())
}

/// The files of `tests/golden/taskstats`.
fn record() -> Result {
    let recorder = Recorder::new();
    let initial = initial()?;
    let mut nl = netlink_generic::connect_with(&OpenOptions::new().namespace(&initial))?;
    nl.set_tracer(Some(recorder.tracer()));
    let mut nl = Client::<Taskstats>::on(nl)?;
    nl.call(taskstats::task(1))?;
    nl.call(taskstats::process(1))?;
    let _ = nl.call(taskstats::task(u32::MAX));
    let mut exits = listener()?;
    exits.connection().set_tracer(Some(recorder.tracer()));
    let (pid, _) = threads()?;
    while !matches!(exits.next()?, Notice::Event { event, .. } if event.process().is_some_and(|whole| whole.tgid() == Some(pid)))
    {
    }
    let recorded = recorder.recording().to_text();
    keep("taskstats/records", &recorded, &tell("records", &recorded)?, read)
}
