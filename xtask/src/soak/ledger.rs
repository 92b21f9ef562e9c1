//! The counters of a case, and the watchdog for its calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use netlink_route::{Errno, Error};
use serde_json::{Value, json};

use crate::command::text;

/// Time limit of each call.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);

/// Extra time, because four senders share the machine's processors.
const GRACE: Duration = Duration::from_secs(2);

/// With a receive buffer of this size, reading up to the answer can take longer than the limit of a call.
const MUCH: usize = 64 << 20;

/// Time to read what remains after the flood.
const END: Duration = Duration::from_secs(30);

/// The result of a case.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    /// Events or packets that the senders made.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Number of losses, found by the numbers of events or packets.
    pub(super) lost: u64,
    /// Number of `Overrun`, or the sum of the losses that packets report.
    pub(super) reported: u64,
    pub(super) calls: u64,
    /// Calls that ended with an error that reports the result.
    pub(super) failed: u64,
    pub(super) longest: Duration,
    pub(super) longest_of: String,
    /// Datagrams from other processes: sent, and refused by the kernel.
    pub(super) garbage: (u64, u64),
    pub(super) violations: Vec<String>,
}

impl Summary {
    pub(super) const HEAD: &str = concat!(
        "case                            sent  received      lost  reported     calls    failed   longest\n",
        "------------------------ ----------- --------- --------- --------- --------- --------- ---------"
    );

    pub(super) fn row(&self, name: &str) -> String {
        let Self { sent, received, lost, reported, calls, failed, .. } = self;
        let milliseconds = self.longest.as_millis();
        let mut row = format!(
            "{name:24} {sent:11} {received:9} {lost:9} {reported:9} {calls:9} {failed:9} {milliseconds:6} ms {}",
            self.longest_of
        );
        if self.garbage.0 > 0 {
            row.push_str(&format!(
                "; datagrams of other processes: {} sent, {} refused",
                self.garbage.0, self.garbage.1
            ));
        }
        row
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "numbers": [
                self.sent, self.received, self.lost, self.reported, self.calls, self.failed,
                u64::try_from(self.longest.as_micros()).unwrap_or(u64::MAX), self.garbage.0, self.garbage.1
            ],
            "longest_of": self.longest_of,
            "violations": self.violations,
        })
    }

    pub(super) fn from_json(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let numbers: Vec<u64> = value["numbers"].as_array()?.iter().filter_map(Value::as_u64).collect();
        let &[sent, received, lost, reported, calls, failed, longest, garbage, refused] = numbers.as_slice()
        else {
            return None;
        };
        let violations = value["violations"].as_array()?;
        Some(Self {
            sent,
            received,
            lost,
            reported,
            calls,
            failed,
            longest: Duration::from_micros(longest),
            longest_of: text(&value["longest_of"]).to_owned(),
            garbage: (garbage, refused),
            violations: violations.iter().map(|violation| text(violation).to_owned()).collect(),
        })
    }
}

#[derive(Default)]
struct Book {
    summary: Summary,
    violations: BTreeMap<String, u64>,
    /// The receive buffer holds more than can be read within the limit of a call.
    holds_much: bool,
    /// The current call.
    call: Option<(&'static str, Instant)>,
}

impl Book {
    fn conclude(&mut self) -> Summary {
        let counted = std::mem::take(&mut self.violations).into_iter();
        self.summary.violations.extend(counted.map(|(what, times)| format!("{what} ({times} times)")));
        self.summary.clone()
    }
}

/// The growing summary, shared by all threads of the case.
#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<Book>>);

impl Ledger {
    /// With a watchdog that ends the process if a call does not return, or the case does not end.
    pub(super) fn watched(flood: Duration, buffer: usize) -> Self {
        let ledger = Self::default();
        ledger.book().holds_much = buffer >= MUCH;
        let watch = ledger.clone();
        let end = Instant::now() + flood + END;
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(50));
                let mut book = watch.book();
                let text = match book.call {
                    Some((what, since)) if since.elapsed() > DEADLINE + GRACE => {
                        (book.summary.longest, book.summary.longest_of) = (since.elapsed(), what.to_owned());
                        format!("{what}: has not returned, its limit is {DEADLINE:?}")
                    }
                    _ if Instant::now() > end => format!("the case has not ended {END:?} after its flood"),
                    _ => continue,
                };
                *book.violations.entry(text).or_default() += 1;
                println!("{}", book.conclude().to_json());
                std::process::exit(0);
            }
        });
        ledger
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn violation(&self, what: impl Into<String>) {
        *self.book().violations.entry(what.into()).or_default() += 1;
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Summary)) {
        change(&mut self.book().summary);
    }

    /// Measures the time of a call.
    pub(super) fn timed<T>(&self, what: &'static str, call: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        self.book().call = Some((what, start));
        let result = call();
        let took = start.elapsed();
        let mut book = self.book();
        book.call = None;
        book.summary.calls += 1;
        if took > book.summary.longest {
            (book.summary.longest, book.summary.longest_of) = (took, what.to_owned());
        }
        drop(book);
        if took > DEADLINE + GRACE {
            self.violation(format!("{what}: took longer than its limit of {DEADLINE:?}"));
        }
        result
    }

    /// Whether a call succeeded. It may fail with an error that reports a loss. A missing answer is a
    /// violation, because the kernel answers before the send returns.
    pub(super) fn judge<T>(&self, what: &'static str, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(Error::Overrun | Error::Interrupted | Error::Unanswered | Error::NotSent) => {
                self.count(|summary| summary.failed += 1);
            }
            // A dump that finds the receive buffer full.
            Err(Error::Kernel(refusal)) if refusal.errno() == Errno::ENOBUFS => {
                self.count(|summary| summary.failed += 1);
            }
            // The answer comes after everything that waits.
            Err(Error::Timeout(_)) if self.book().holds_much => self.count(|summary| summary.failed += 1),
            // Without bytes and durations, equal violations are counted together.
            Err(Error::Timeout(_)) => self.violation(format!("{what}: no answer within its limit")),
            Err(Error::Decode(_)) => {
                self.violation(format!("{what}: accepted an invalid message as an answer"))
            }
            Err(error) => self.violation(format!("{what}: {error}")),
        }
        None
    }

    pub(super) fn so_far(&self) -> Summary {
        self.book().summary.clone()
    }

    pub(super) fn conclude(&self) -> Summary {
        self.book().conclude()
    }
}
