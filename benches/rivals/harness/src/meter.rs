//! The cost of measured work.

use std::time::{Duration, Instant};

use crate::alloc;

/// The cost of one measured section.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub user_ns: u64,
    pub sys_ns: u64,
    pub wall_ns: u64,
    pub allocs: u64,
    pub alloc_bytes: u64,
    pub peak_rss_kib: u64,
}

impl Cost {
    /// The sum of two costs.
    pub fn add(&mut self, other: &Cost) {
        self.user_ns += other.user_ns;
        self.sys_ns += other.sys_ns;
        self.wall_ns += other.wall_ns;
        self.allocs += other.allocs;
        self.alloc_bytes += other.alloc_bytes;
        self.peak_rss_kib = self.peak_rss_kib.max(other.peak_rss_kib);
    }
}

/// Started just before the work, stopped just after it.
pub struct Meter {
    cpu: (u64, u64),
    allocs: (u64, u64),
    wall: Instant,
}

impl Meter {
    pub fn start() -> Meter {
        reset_peak();
        let allocs = alloc::totals();
        let wall = Instant::now();
        Meter { allocs, wall, cpu: cpu() }
    }

    pub fn stop(self) -> Cost {
        let cpu = cpu();
        let wall = self.wall.elapsed();
        let allocs = alloc::totals();
        Cost {
            user_ns: cpu.0.saturating_sub(self.cpu.0),
            sys_ns: cpu.1.saturating_sub(self.cpu.1),
            wall_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX),
            allocs: allocs.0 - self.allocs.0,
            alloc_bytes: allocs.1 - self.allocs.1,
            peak_rss_kib: peak_rss_kib(),
        }
    }
}

/// Measures a closure.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let meter = Meter::start();
    let done = work();
    (done, meter.stop())
}

/// User and system time of all threads of this process, in nanoseconds.
fn cpu() -> (u64, u64) {
    // SAFETY: `rusage` is plain integers and the pointer is valid.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0);
        usage
    };
    let ns = |t: libc::timeval| {
        let t = Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
        t.as_nanos() as u64
    };
    (ns(usage.ru_utime), ns(usage.ru_stime))
}

/// Lowers the peak of memory use to the current value, so that preparations do not count. (`ru_maxrss` cannot
/// be reset. It even survives exec, and would show the size of the parent.)
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .unwrap_or(0)
}
