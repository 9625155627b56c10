// SPDX-License-Identifier: Apache-2.0
//! Waiting for a condition, bounded in time, with the time it took.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// The pause between two looks at a condition. A look at a router costs a few milliseconds itself.
pub const STEP: Duration = Duration::from_millis(5);

/// Looks until `seen` gives a value; returns it with the time from the call until that look ended.
///
/// Errors of a look count as "not yet": a daemon that starts refuses its command line for a while.
///
/// # Errors
/// Nothing seen within `patience`; the message holds `what` and the last error.
pub fn arrival<T>(
    what: &str,
    patience: Duration,
    mut seen: impl FnMut() -> Result<Option<T>>,
) -> Result<(T, Duration)> {
    let begun = Instant::now();
    loop {
        let last = match seen() {
            Ok(Some(value)) => return Ok((value, begun.elapsed())),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if begun.elapsed() > patience {
            match last {
                Some(error) => {
                    return Err(error.context(format!("not within {patience:?}: {what}")));
                }
                None => bail!("not within {patience:?}: {what}"),
            }
        }
        thread::sleep(STEP);
    }
}

/// Looks until the condition holds; returns the time it took.
///
/// # Errors
/// As [`arrival`].
pub fn until(
    what: &str,
    patience: Duration,
    mut holds: impl FnMut() -> Result<bool>,
) -> Result<Duration> {
    arrival(what, patience, || Ok(holds()?.then_some(()))).map(|((), took)| took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_first_value_seen() {
        let mut looks = 0;
        let (value, _) = arrival("third look", Duration::from_secs(5), || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        })
        .unwrap();
        assert_eq!(value, 3);
    }

    #[test]
    fn says_what_was_missing_and_why() {
        let error = until("the impossible", Duration::from_millis(10), || {
            bail!("no such thing")
        })
        .unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("the impossible") && text.contains("no such thing"));
    }
}
