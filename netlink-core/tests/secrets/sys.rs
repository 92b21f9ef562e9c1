//! An allocator that looks at the memory it is given back.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// What no freed memory may hold.
pub(crate) const KEY: [u8; 32] = [0x5a; 32];

/// Blocks that were freed with the key in them.
static LEFT: AtomicUsize = AtomicUsize::new(0);

struct Looking;

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Looking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeros, so that what is freed without ever being written can be looked at.
        // SAFETY: as for the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is still the caller's, of this size, and all of it was written.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        if bytes.windows(KEY.len()).any(|bytes| bytes == KEY) {
            LEFT.fetch_add(1, SeqCst);
        }
        // SAFETY: as for the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Looking = Looking;

/// How many blocks are freed with the key in them by what `work` does, and by dropping its result.
pub(crate) fn left_by<T>(work: impl FnOnce() -> T) -> usize {
    let before = LEFT.load(SeqCst);
    drop(work());
    LEFT.load(SeqCst) - before
}
