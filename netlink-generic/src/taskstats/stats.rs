//! `struct taskstats`.

use core::fmt;
use core::time::Duration;

use netlink_core::layout::{Field, Pad};
use netlink_core::{Malformed, Str, flags, layout, serialize, values};

use super::Timespec;

flags! {
    /// Accounting flags of a task: `AFORK` and others of `uapi/linux/acct.h`.
    pub struct AccountFlags: u8 {
        /// It forked and did not run another program.
        0x01 AFORK FORKED,
        /// It used root privileges.
        0x02 ASU PRIVILEGED,
        /// Never set.
        0x04 ACOMPAT COMPATIBLE,
        /// It dumped core.
        0x08 ACORE DUMPED_CORE,
        /// A signal killed it.
        0x10 AXSIG KILLED,
        /// It was the last task of its process. Version 12.
        0x20 AGROUP LAST,
    }
}

values! {
    /// `SCHED_*`: scheduling policy of a task.
    pub struct Policy: u8 {
        /// Normal, for most tasks.
        0 SCHED_NORMAL NORMAL "other",
        /// Real time, without time slices.
        1 SCHED_FIFO FIFO "fifo",
        /// Real time, with time slices.
        2 SCHED_RR ROUND_ROBIN "rr",
        /// For batch jobs.
        3 SCHED_BATCH BATCH "batch",
        /// Only when no other task needs the CPU.
        5 SCHED_IDLE IDLE "idle",
        /// With deadlines.
        6 SCHED_DEADLINE DEADLINE "deadline",
        /// By a BPF program. Linux 6.12.
        7 SCHED_EXT EXT "ext",
    }
}

/// Name of a command: at most 15 bytes from today's kernels, with space for 31.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Comm(
    /// The bytes, terminated by NUL.
    pub [u8; 32],
);

impl Comm {
    /// The text.
    pub fn as_str(&self) -> Str<'_> {
        Str::new(self.0.split(|byte| *byte == 0).next().unwrap_or_default())
    }
}

impl fmt::Display for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_str(), f)
    }
}

impl Field for Comm {
    const SIZE: usize = 32;

    fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        Field::take(cursor).map(Self)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.0.store(bytes, at);
    }
}

serialize! { @value Comm, |comm| comm.as_str() }

layout! {
    /// `struct taskstats`: what a task or process used, and its delays. [The module](super) says which fields
    /// are set.
    ///
    /// The methods combine numbers and units: [`cpu`](Self::cpu) returns the fields that begin with `cpu_`.
    pub struct TaskStats: taskstats = 688 then after_read(bytes) {
        /// Version of the struct in the kernel; newer versions have more fields. Version 15, of early Linux
        /// 6.14, has another order; it is read as 16.
        version: u16,
        /// Padding.
        pad_exit: Pad<2>,
        /// How it ended, in the format of wait(2); see [`exit_status`](Self::exit_status) and
        /// [`exit_signal`](Self::exit_signal). 0 while it runs.
        exit_code: u32,
        /// Accounting flags.
        flags: AccountFlags,
        /// Its nice value: -20 to 19.
        nice: i8,
        /// Padding.
        pad_flags: Pad<6>,
        /// Number of waits for a CPU.
        cpu_count: u64,
        /// Nanoseconds of these waits.
        cpu_delay_total: u64,
        /// Number of waits for block I/O.
        blkio_count: u64,
        /// Nanoseconds of these waits.
        blkio_delay_total: u64,
        /// Number of waits for a page to be swapped in.
        swapin_count: u64,
        /// Nanoseconds of these waits.
        swapin_delay_total: u64,
        /// Nanoseconds on a CPU, counted like `utime` and `stime`.
        cpu_run_real_total: u64,
        /// Nanoseconds on a CPU by the scheduler's clock, which is exact.
        cpu_run_virtual_total: u64,
        /// Name of its command.
        comm: Comm,
        /// Scheduling policy.
        policy: Policy,
        /// Padding.
        pad_policy: Pad<7>,
        /// Its user, in the user namespace of the requester.
        uid: u32,
        /// Its group, in the user namespace of the requester.
        gid: u32,
        /// Its number.
        pid: u32,
        /// Number of its parent process.
        ppid: u32,
        /// When it began, in seconds since 1970, up to the year 2106.
        btime: u32,
        /// Padding.
        pad_btime: Pad<4>,
        /// Microseconds since it began.
        etime: u64,
        /// Microseconds on a CPU in user space. Whole ticks if the kernel samples times.
        utime: u64,
        /// Microseconds on a CPU in the kernel. Whole ticks if the kernel samples times.
        stime: u64,
        /// Page faults without I/O.
        minflt: u64,
        /// Page faults with I/O.
        majflt: u64,
        /// Resident memory times system time: MiB by microseconds.
        coremem: u64,
        /// Virtual memory times system time: MiB by microseconds.
        virtmem: u64,
        /// Peak resident memory of the process, in KiB.
        hiwater_rss: u64,
        /// Peak virtual memory of the process, in KiB.
        hiwater_vm: u64,
        /// Bytes read by system calls, rounded down to a multiple of 1024.
        read_char: u64,
        /// Bytes written by system calls, rounded down to a multiple of 1024.
        write_char: u64,
        /// Read system calls, rounded down to a multiple of 1024.
        read_syscalls: u64,
        /// Write system calls, rounded down to a multiple of 1024.
        write_syscalls: u64,
        /// Bytes read from storage, rounded down to a multiple of 1024.
        read_bytes: u64,
        /// Bytes to be written to storage, rounded down to a multiple of 1024.
        write_bytes: u64,
        /// Bytes that were not written because the file was truncated, rounded down to a multiple of 1024.
        cancelled_write_bytes: u64,
        /// Voluntary context switches.
        nvcsw: u64,
        /// Involuntary context switches.
        nivcsw: u64,
        /// `utime` scaled by the CPU's frequency, on a few architectures.
        utimescaled: u64,
        /// `stime` scaled by the CPU's frequency, on a few architectures.
        stimescaled: u64,
        /// `cpu_run_real_total` scaled by the CPU's frequency, on a few architectures.
        cpu_scaled_run_real_total: u64,
        /// Number of waits for memory to be freed.
        freepages_count: u64,
        /// Nanoseconds of these waits.
        freepages_delay_total: u64,
        /// Number of waits for a page that was recently dropped. Version 9.
        thrashing_count: Option<u64>,
        /// Nanoseconds of these waits. Version 9.
        thrashing_delay_total: Option<u64>,
        /// When it began, in seconds since 1970. Version 10.
        btime64: Option<u64>,
        /// Number of waits for memory to be compacted. Version 11.
        compact_count: Option<u64>,
        /// Nanoseconds of these waits. Version 11.
        compact_delay_total: Option<u64>,
        /// Number of its process. Version 12.
        tgid: Option<u32>,
        /// Padding.
        pad_tgid: Option<Pad<4>>,
        /// Microseconds since the process began. Version 12.
        tgetime: Option<u64>,
        /// Device of its program; see [`exe_device`](Self::exe_device). Version 12.
        exe_dev: Option<u64>,
        /// Inode of its program; 0 for threads of the kernel. Version 12.
        exe_inode: Option<u64>,
        /// Number of waits for a page to be copied before a write. Version 13.
        wpcopy_count: Option<u64>,
        /// Nanoseconds of these waits. Version 13.
        wpcopy_delay_total: Option<u64>,
        /// Number of delays by interrupts. Version 14.
        irq_count: Option<u64>,
        /// Nanoseconds of these delays. Version 14.
        irq_delay_total: Option<u64>,
        /// Nanoseconds of the longest wait for a CPU. Version 16.
        cpu_delay_max: Option<u64>,
        /// Nanoseconds of the shortest wait for a CPU. Version 16.
        cpu_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for block I/O. Version 16.
        blkio_delay_max: Option<u64>,
        /// Nanoseconds of the shortest wait for block I/O. Version 16.
        blkio_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for a page to be swapped in. Version 16.
        swapin_delay_max: Option<u64>,
        /// Nanoseconds of the shortest wait for a page to be swapped in. Version 16.
        swapin_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for memory to be freed. Version 16.
        freepages_delay_max: Option<u64>,
        /// Nanoseconds of the shortest wait for memory to be freed. Version 16.
        freepages_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for a page that was recently dropped. Version 16.
        thrashing_delay_max: Option<u64>,
        /// Nanoseconds of the shortest wait for a page that was recently dropped. Version 16.
        thrashing_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for memory to be compacted. Version 16.
        compact_delay_max: Option<u64>,
        /// Nanoseconds of the shortest wait for memory to be compacted. Version 16.
        compact_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for a page to be copied. Version 16.
        wpcopy_delay_max: Option<u64>,
        /// Nanoseconds of the shortest wait for a page to be copied. Version 16.
        wpcopy_delay_min: Option<u64>,
        /// Nanoseconds of the longest delay by an interrupt. Version 16.
        irq_delay_max: Option<u64>,
        /// Nanoseconds of the shortest delay by an interrupt. Version 16.
        irq_delay_min: Option<u64>,
        /// When the longest wait for a CPU ended. Version 17.
        cpu_delay_max_ts: Option<Timespec>,
        /// When the longest wait for block I/O ended. Version 17.
        blkio_delay_max_ts: Option<Timespec>,
        /// When the longest wait for a page to be swapped in ended. Version 17.
        swapin_delay_max_ts: Option<Timespec>,
        /// When the longest wait for memory to be freed ended. Version 17.
        freepages_delay_max_ts: Option<Timespec>,
        /// When the longest wait for a page that was recently dropped ended. Version 17.
        thrashing_delay_max_ts: Option<Timespec>,
        /// When the longest wait for memory to be compacted ended. Version 17.
        compact_delay_max_ts: Option<Timespec>,
        /// When the longest wait for a page to be copied ended. Version 17.
        wpcopy_delay_max_ts: Option<Timespec>,
        /// When the longest delay by an interrupt ended. Version 17.
        irq_delay_max_ts: Option<Timespec>,
    }
}

/// Delays of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delay {
    /// Number of waits.
    pub count: u64,
    /// Total duration. The kernel restarts from 0 when 64 bits of nanoseconds overflow.
    pub total: Duration,
    /// The longest wait; 0 if there was none. Version 16.
    pub max: Option<Duration>,
    /// The shortest wait; 0 if there was none. Version 16.
    pub min: Option<Duration>,
    /// When the longest wait ended, since 1970. Version 17.
    pub max_at: Option<Duration>,
}

impl Delay {
    fn of(
        count: Option<u64>,
        total: Option<u64>,
        max: Option<u64>,
        min: Option<u64>,
        max_at: Option<Timespec>,
    ) -> Option<Self> {
        let nanoseconds = |time: Option<u64>| time.map(Duration::from_nanos);
        Some(Self {
            count: count?,
            total: nanoseconds(total)?,
            max: nanoseconds(max),
            min: nanoseconds(min),
            max_at: max_at.and_then(Timespec::since_1970),
        })
    }

    /// Average wait; `None` without waits.
    pub fn average(&self) -> Option<Duration> {
        let nanoseconds = self.total.as_nanos().checked_div(self.count.into())?;
        u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
    }
}

serialize! { impl [] for Delay, |delay, fields| {
    fields.entry("count", &delay.count)?;
    fields.entry("total", &delay.total.as_secs_f64())?;
    fields.entry("max", &delay.max.map(|time| time.as_secs_f64()))?;
    fields.entry("min", &delay.min.map(|time| time.as_secs_f64()))?;
    fields.entry("max_at", &delay.max_at.map(|time| time.as_secs_f64()))?;
} }

impl TaskStats {
    /// Waits for a CPU.
    pub fn cpu(&self) -> Delay {
        Delay::of(
            Some(self.cpu_count),
            Some(self.cpu_delay_total),
            self.cpu_delay_max,
            self.cpu_delay_min,
            self.cpu_delay_max_ts,
        )
        .unwrap_or_default()
    }

    /// Waits for the end of block I/O that it started.
    pub fn blkio(&self) -> Delay {
        Delay::of(
            Some(self.blkio_count),
            Some(self.blkio_delay_total),
            self.blkio_delay_max,
            self.blkio_delay_min,
            self.blkio_delay_max_ts,
        )
        .unwrap_or_default()
    }

    /// Waits for pages to be swapped in.
    pub fn swapin(&self) -> Delay {
        Delay::of(
            Some(self.swapin_count),
            Some(self.swapin_delay_total),
            self.swapin_delay_max,
            self.swapin_delay_min,
            self.swapin_delay_max_ts,
        )
        .unwrap_or_default()
    }

    /// Waits for memory to be freed.
    pub fn freepages(&self) -> Delay {
        Delay::of(
            Some(self.freepages_count),
            Some(self.freepages_delay_total),
            self.freepages_delay_max,
            self.freepages_delay_min,
            self.freepages_delay_max_ts,
        )
        .unwrap_or_default()
    }

    /// Waits for pages that were recently dropped. Version 9.
    pub fn thrashing(&self) -> Option<Delay> {
        Delay::of(
            self.thrashing_count,
            self.thrashing_delay_total,
            self.thrashing_delay_max,
            self.thrashing_delay_min,
            self.thrashing_delay_max_ts,
        )
    }

    /// Waits for memory to be compacted. Version 11.
    pub fn compact(&self) -> Option<Delay> {
        Delay::of(
            self.compact_count,
            self.compact_delay_total,
            self.compact_delay_max,
            self.compact_delay_min,
            self.compact_delay_max_ts,
        )
    }

    /// Waits for pages to be copied before a write. Version 13.
    pub fn wpcopy(&self) -> Option<Delay> {
        Delay::of(
            self.wpcopy_count,
            self.wpcopy_delay_total,
            self.wpcopy_delay_max,
            self.wpcopy_delay_min,
            self.wpcopy_delay_max_ts,
        )
    }

    /// Delays by interrupts. Version 14.
    pub fn irq(&self) -> Option<Delay> {
        Delay::of(
            self.irq_count,
            self.irq_delay_total,
            self.irq_delay_max,
            self.irq_delay_min,
            self.irq_delay_max_ts,
        )
    }

    /// Time on a CPU in user space.
    pub const fn user_time(&self) -> Duration {
        Duration::from_micros(self.utime)
    }

    /// Time on a CPU in the kernel.
    pub const fn system_time(&self) -> Duration {
        Duration::from_micros(self.stime)
    }

    /// Time on a CPU by the scheduler's clock: more exact than the sum of user and system time.
    pub const fn run_time(&self) -> Duration {
        Duration::from_nanos(self.cpu_run_virtual_total)
    }

    /// Time since it began.
    pub const fn elapsed(&self) -> Duration {
        Duration::from_micros(self.etime)
    }

    /// When it began, since 1970; to the second.
    pub fn began(&self) -> Duration {
        Duration::from_secs(self.btime64.unwrap_or_else(|| self.btime.into()))
    }

    /// Its exit status, if no signal killed it; 0 while it runs.
    pub fn exit_status(&self) -> Option<u8> {
        let [signal, status, ..] = self.exit_code.to_le_bytes();
        (signal & 0x7f == 0).then_some(status)
    }

    /// The signal that killed it.
    pub fn exit_signal(&self) -> Option<u8> {
        let [signal, ..] = self.exit_code.to_le_bytes();
        Some(signal & 0x7f).filter(|signal| *signal != 0)
    }

    /// Major and minor device number of its program; 0 and 0 for kernel threads. Version 12.
    pub fn exe_device(&self) -> Option<(u32, u32)> {
        let dev = u32::try_from(self.exe_dev?).ok()?;
        Some((dev >> 8 & 0xfff, dev & 0xff | dev >> 12 & 0xf_ff00))
    }

    /// Version 15 has the longest and the shortest wait after each total. Moves them to their fields in
    /// version 16. It reads the bytes, because some of these values are in padding of the struct.
    fn after_read(self, theirs: &[u8]) -> Self {
        /// Offsets after the totals.
        const TOTALS: [usize; 8] = [32, 48, 64, 328, 344, 368, 416, 432];
        let Some(mut rest) = theirs.get(..560).filter(|_| self.version == 15) else { return self };
        let mut bytes = [0; 560];
        let (mut front, back) = bytes.split_at_mut(432);
        let mut at = 0;
        for (end, extremes) in TOTALS.into_iter().zip(back.chunks_exact_mut(16)) {
            let (there, behind) = core::mem::take(&mut front).split_at_mut(end - at);
            let (same, moved) = rest.split_at(end - at);
            let (moved, following) = moved.split_at(16);
            there.copy_from_slice(same);
            extremes.copy_from_slice(moved);
            (front, rest, at) = (behind, following, end);
        }
        16_u16.store(&mut bytes, 0);
        Self::take(&mut &bytes[..]).unwrap_or(self)
    }
}
