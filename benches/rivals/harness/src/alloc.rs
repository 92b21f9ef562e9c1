//! A global allocator that counts.
//!
//! Each thread has its own slot, so counting is a plain load, add and store in its own cache line. A shared
//! `fetch_add` would cost contenders with many allocations more. Threads beyond the number of slots share the
//! last slot, with an atomic add.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

const SLOTS: usize = 64;
const UNSET: usize = usize::MAX;

#[repr(align(64))]
struct Slot {
    calls: AtomicU64,
    bytes: AtomicU64,
}

static TABLE: [Slot; SLOTS] = [const { Slot { calls: AtomicU64::new(0), bytes: AtomicU64::new(0) } }; SLOTS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(UNSET) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[inline]
fn note(bytes: usize) {
    let mine = MINE.with(|slot| {
        if slot.get() == UNSET {
            slot.set(NEXT.fetch_add(1, Relaxed).min(SLOTS - 1));
        }
        slot.get()
    });
    let slot = &TABLE[mine];
    if mine == SLOTS - 1 {
        slot.calls.fetch_add(1, Relaxed);
        slot.bytes.fetch_add(bytes as u64, Relaxed);
    } else {
        slot.calls.store(slot.calls.load(Relaxed) + 1, Relaxed);
        slot.bytes.store(slot.bytes.load(Relaxed) + bytes as u64, Relaxed);
    }
}

// SAFETY: every call is passed on to `System` unchanged; `note` neither
// allocates nor unwinds (the thread-local is const-initialised, without a
// destructor).
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size.saturating_sub(layout.size()));
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

/// Calls (`alloc`, `alloc_zeroed` and `realloc`) and bytes (a `realloc` adds its growth) of the whole process
/// so far.
pub fn totals() -> (u64, u64) {
    TABLE.iter().fold((0, 0), |(calls, bytes), slot| {
        (calls + slot.calls.load(Relaxed), bytes + slot.bytes.load(Relaxed))
    })
}
