//! What a run is at, on standard error, for those who wait.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::InputArgs;

/// How long a run may take before it says what it is at.
const PATIENCE: Duration = Duration::from_millis(700);
/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// A spinner that appears on long runs, if standard error is a terminal; gone when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    /// What the run is at
    stage: Arc<Mutex<&'static str>>,
    /// The thread that turns the spinner, and what ends it; `None` where nobody watches
    spinner: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins a run at its first stage.
    pub(crate) fn begin(args: &InputArgs, stage: &'static str) -> Self {
        let stage = Arc::new(Mutex::new(stage));
        if args.quiet || !io::stderr().is_terminal() {
            return Self { stage, spinner: None };
        }
        let (stop, stopped) = mpsc::channel();
        let watched = Arc::clone(&stage);
        let thread = thread::spawn(move || {
            let waits = |time: Duration| stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            if !waits(PATIENCE) {
                return;
            }
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
                bar.set_style(style);
            }
            while waits(TURN) {
                bar.set_message(*watched.lock().unwrap_or_else(PoisonError::into_inner));
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Self { stage, spinner: Some((stop, thread)) }
    }

    /// Says that the run is at another stage.
    pub(crate) fn at(&self, stage: &'static str) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.spinner.take() {
            drop(stop);
            // It only draws: if it broke, there is nothing to clear.
            let _ = thread.join();
        }
    }
}
