//! `struct taskstats`.

use core::fmt;
use core::time::Duration;

use netlink_core::layout::{Field, Pad};
use netlink_core::{Str, flags, layout, serialize, values};

use super::Timespec;

flags! {
    /// What happened to a task.
    pub struct AccountFlags: u8 {
        /// It forked and ran no other program.
        0x01 AFORK FORKED,
        /// It used privileges of root.
        0x02 ASU PRIVILEGED,
        /// Never set.
        0x04 ACOMPAT COMPATIBLE,
        /// It dumped core.
        0x08 ACORE DUMPED_CORE,
        /// A signal killed it.
        0x10 AXSIG KILLED,
        /// It was the last of its process. Version 12.
        0x20 AGROUP LAST,
    }
}

values! {
    /// `SCHED_*`: how a task is scheduled.
    pub struct Policy: u8 {
        /// By share, as most are.
        0 SCHED_NORMAL NORMAL "other",
        /// Real time, for as long as it wants.
        1 SCHED_FIFO FIFO "fifo",
        /// Real time, in turns.
        2 SCHED_RR ROUND_ROBIN "rr",
        /// By share, without haste.
        3 SCHED_BATCH BATCH "batch",
        /// When nothing else has to run.
        5 SCHED_IDLE IDLE "idle",
        /// By deadline.
        6 SCHED_DEADLINE DEADLINE "deadline",
        /// By a BPF program. Linux 6.12.
        7 SCHED_EXT EXT "ext",
    }
}

/// Name of a command: 15 bytes at most in today's kernels, in room for 31.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Comm(
    /// The bytes, ended by a NUL.
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

    fn take(cursor: &mut &[u8]) -> Option<Self> {
        Field::take(cursor).map(Self)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.0.store(bytes, at);
    }
}

serialize! { @value Comm, |comm| comm.as_str() }

layout! {
    /// `struct taskstats`: what a task or process used, and what it waited for. See [the module](super) for what is told of
    /// which.
    ///
    /// The methods put numbers and units together: [`cpu`](Self::cpu) has the members that begin with `cpu_`.
    pub struct TaskStats: taskstats = 688 then settle(bytes) {
        /// Version of the struct: that of the kernel, with which it grows. 15, of early Linux 6.14, has another order and
        /// reads as 16.
        version: u16,
        /// Nothing.
        pad_exit: Pad<2>,
        /// How it ended, as wait(2) tells it; see [`exit_status`](Self::exit_status) and [`exit_signal`](Self::exit_signal).
        /// 0 while it runs.
        exit_code: u32,
        /// What happened to it.
        flags: AccountFlags,
        /// Its nice value: -20 to 19.
        nice: i8,
        /// Nothing.
        pad_flags: Pad<6>,
        /// How often it got a CPU it had waited for.
        cpu_count: u64,
        /// Nanoseconds that it waited.
        cpu_delay_total: u64,
        /// How often it waited for block I/O.
        blkio_count: u64,
        /// Nanoseconds.
        blkio_delay_total: u64,
        /// How often it waited for a page to be swapped in.
        swapin_count: u64,
        /// Nanoseconds.
        swapin_delay_total: u64,
        /// Nanoseconds on a CPU, counted as `utime` and `stime` are.
        cpu_run_real_total: u64,
        /// Nanoseconds on a CPU, by the scheduler's clock: the exact one.
        cpu_run_virtual_total: u64,
        /// Name of its command.
        comm: Comm,
        /// How it is scheduled.
        policy: Policy,
        /// Nothing.
        pad_policy: Pad<7>,
        /// Its user, as the user namespace of who asks numbers it.
        uid: u32,
        /// Its group, likewise.
        gid: u32,
        /// Its number.
        pid: u32,
        /// Number of its parent process.
        ppid: u32,
        /// Seconds since 1970 when it began, up to the year 2106.
        btime: u32,
        /// Nothing.
        pad_btime: Pad<4>,
        /// Microseconds since it began.
        etime: u64,
        /// Microseconds on a CPU in user space. Where the kernel samples, these are whole ticks.
        utime: u64,
        /// Microseconds on a CPU in the kernel, likewise.
        stime: u64,
        /// Page faults that took no I/O.
        minflt: u64,
        /// Page faults that did.
        majflt: u64,
        /// Resident memory times system time: MiB by microseconds.
        coremem: u64,
        /// Virtual memory times system time, likewise.
        virtmem: u64,
        /// The most resident memory of the process: KiB.
        hiwater_rss: u64,
        /// The most virtual memory of the process: KiB.
        hiwater_vm: u64,
        /// Bytes read by system calls, rounded down to a multiple of 1024.
        read_char: u64,
        /// Bytes written by system calls, likewise.
        write_char: u64,
        /// System calls that read, and likewise rounded.
        read_syscalls: u64,
        /// System calls that wrote, and likewise rounded.
        write_syscalls: u64,
        /// Bytes read from storage, rounded down to a multiple of 1024.
        read_bytes: u64,
        /// Bytes to be written to storage, likewise.
        write_bytes: u64,
        /// Bytes of those that never will be, as the file was cut, likewise.
        cancelled_write_bytes: u64,
        /// How often it gave up its CPU.
        nvcsw: u64,
        /// How often it lost its CPU.
        nivcsw: u64,
        /// `utime` scaled by the CPU's frequency, on few architectures.
        utimescaled: u64,
        /// `stime`, likewise.
        stimescaled: u64,
        /// `cpu_run_real_total`, likewise.
        cpu_scaled_run_real_total: u64,
        /// How often it waited for memory to be freed.
        freepages_count: u64,
        /// Nanoseconds.
        freepages_delay_total: u64,
        /// How often it waited for a page that had just been dropped. Version 9.
        thrashing_count: Option<u64>,
        /// Nanoseconds. Version 9.
        thrashing_delay_total: Option<u64>,
        /// Seconds since 1970 when it began. Version 10.
        btime64: Option<u64>,
        /// How often it waited for memory to be compacted. Version 11.
        compact_count: Option<u64>,
        /// Nanoseconds. Version 11.
        compact_delay_total: Option<u64>,
        /// Number of its process. Version 12.
        tgid: Option<u32>,
        /// Nothing.
        pad_tgid: Option<Pad<4>>,
        /// Microseconds since the process began. Version 12.
        tgetime: Option<u64>,
        /// Device of its program; see [`exe_device`](Self::exe_device). Version 12.
        exe_dev: Option<u64>,
        /// Inode of its program; 0 for threads of the kernel. Version 12.
        exe_inode: Option<u64>,
        /// How often it waited for a page to be copied before it wrote. Version 13.
        wpcopy_count: Option<u64>,
        /// Nanoseconds. Version 13.
        wpcopy_delay_total: Option<u64>,
        /// How often an interrupt held it up. Version 14.
        irq_count: Option<u64>,
        /// Nanoseconds. Version 14.
        irq_delay_total: Option<u64>,
        /// Nanoseconds of the longest wait for a CPU. Version 16.
        cpu_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        cpu_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for block I/O. Version 16.
        blkio_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        blkio_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for a page to be swapped in. Version 16.
        swapin_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        swapin_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for memory to be freed. Version 16.
        freepages_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        freepages_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for a page that had just been dropped. Version 16.
        thrashing_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        thrashing_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for memory to be compacted. Version 16.
        compact_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        compact_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait for a page to be copied. Version 16.
        wpcopy_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        wpcopy_delay_min: Option<u64>,
        /// Nanoseconds of the longest wait because of an interrupt. Version 16.
        irq_delay_max: Option<u64>,
        /// And of the shortest. Version 16.
        irq_delay_min: Option<u64>,
        /// When the longest wait for a CPU ended. Version 17.
        cpu_delay_max_ts: Option<Timespec>,
        /// When the longest wait for block I/O ended. Version 17.
        blkio_delay_max_ts: Option<Timespec>,
        /// When the longest wait for a page to be swapped in ended. Version 17.
        swapin_delay_max_ts: Option<Timespec>,
        /// When the longest wait for memory to be freed ended. Version 17.
        freepages_delay_max_ts: Option<Timespec>,
        /// When the longest wait for a page that had just been dropped ended. Version 17.
        thrashing_delay_max_ts: Option<Timespec>,
        /// When the longest wait for memory to be compacted ended. Version 17.
        compact_delay_max_ts: Option<Timespec>,
        /// When the longest wait for a page to be copied ended. Version 17.
        wpcopy_delay_max_ts: Option<Timespec>,
        /// When the longest wait because of an interrupt ended. Version 17.
        irq_delay_max_ts: Option<Timespec>,
    }
}

/// One kind of wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delay {
    /// How often it waited.
    pub count: u64,
    /// How long in all. The kernel starts again from 0 when its 64 bits of nanoseconds are full.
    pub total: Duration,
    /// The longest wait; 0 if there was none. Version 16.
    pub max: Option<Duration>,
    /// The shortest one; 0 if there was none. Version 16.
    pub min: Option<Duration>,
    /// When the longest one ended, since 1970. Version 17.
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

    /// How long it waited at a time; `None` if it never did.
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

    /// Waits for block I/O that it asked for and needs the end of.
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

    /// Waits for pages that had just been dropped. Version 9.
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

    /// Waits for pages to be copied before it wrote. Version 13.
    pub fn wpcopy(&self) -> Option<Delay> {
        Delay::of(
            self.wpcopy_count,
            self.wpcopy_delay_total,
            self.wpcopy_delay_max,
            self.wpcopy_delay_min,
            self.wpcopy_delay_max_ts,
        )
    }

    /// Times that interrupts held it up. Version 14.
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

    /// Time on a CPU, by the scheduler's clock: more exact than the sum of the two above.
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

    /// What it ended with, if it ended by itself; 0 while it runs.
    pub fn exit_status(&self) -> Option<u8> {
        let [signal, status, ..] = self.exit_code.to_le_bytes();
        (signal & 0x7f == 0).then_some(status)
    }

    /// The signal that killed it.
    pub fn exit_signal(&self) -> Option<u8> {
        let [signal, ..] = self.exit_code.to_le_bytes();
        Some(signal & 0x7f).filter(|signal| *signal != 0)
    }

    /// Device of its program, major and minor number; 0 and 0 for threads of the kernel. Version 12.
    pub fn exe_device(&self) -> Option<(u32, u32)> {
        let dev = u32::try_from(self.exe_dev?).ok()?;
        Some((dev >> 8 & 0xfff, dev & 0xff | dev >> 12 & 0xf_ff00))
    }

    /// Version 15 has the longest and the shortest wait behind each total. Puts them where version 16 has them, from the
    /// bytes: some of these members stand where the struct has padding.
    fn settle(self, theirs: &[u8]) -> Self {
        /// Where the totals end.
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
