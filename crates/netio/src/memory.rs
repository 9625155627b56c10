// SPDX-License-Identifier: Apache-2.0
//! Memory that is freed goes back to the kernel.

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// The number of `mi_option_purge_delay` in `mimalloc.h`, which the crate has no name for: milliseconds
/// for which free memory is kept in case it is needed again.
const PURGE_DELAY: mi_option_t = 15;

/// From now on what is freed goes back to the kernel at once, where the program's allocator is mimalloc.
///
/// Lists of an API server and manifests come in bursts, and for hours nothing happens in between: without this
/// what a burst took stays with a process that does nothing.
pub fn return_at_once() {
    // SAFETY: the option is a number of this version of the library, as the test shows, and takes any
    // value from 0; it may be set at any time.
    unsafe { mi_option_set(PURGE_DELAY, 0) };
}

#[cfg(test)]
mod tests {
    use libmimalloc_sys::mi_option_get;

    use super::*;

    #[test]
    fn the_option_is_the_one_meant() {
        // SAFETY: reads a number.
        let delay = || unsafe { mi_option_get(PURGE_DELAY) };
        assert_eq!(delay(), 1000, "the default of mimalloc 3");
        return_at_once();
        assert_eq!(delay(), 0);
    }
}
