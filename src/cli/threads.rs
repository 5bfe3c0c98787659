//! How many threads work.

use std::num::NonZeroUsize;

use rayon::ThreadPoolBuilder;

use super::discovery::Found;

/// Bytes of input that one thread has judged before others are awake.
const LITTLE: u64 = 32 << 10;

/// Works with so many threads, or with one for each processor. Whoever says it first is heeded; all give the same answers.
pub(crate) fn take(threads: Option<NonZeroUsize>) {
    let _ = ThreadPoolBuilder::new().num_threads(threads.map_or(0, NonZeroUsize::get)).build_global();
}

/// Works with the thread that is there where there is little to do, unless somebody said otherwise before.
pub(crate) fn spare<'f>(files: impl Iterator<Item = &'f Found>) {
    let size = files.map(Found::size).try_fold(0_u64, |sum, size| Some(sum.saturating_add(size?)));
    if size.is_some_and(|size| size <= LITTLE) {
        let _ = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
    }
}
