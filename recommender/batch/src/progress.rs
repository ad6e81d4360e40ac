//! Progress of long work, drawn on standard error where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Is one piece of long work under way.
pub struct Bar(ProgressBar);

impl Bar {
    /// Begins work that is measured in bytes.
    pub fn bytes(what: &'static str, total: u64) -> Self {
        Self::new(what, total, "{msg:20} {bar:40} {bytes}/{total_bytes} {eta}")
    }

    /// Begins work that is counted.
    pub fn count(what: &'static str, total: u64) -> Self {
        Self::new(what, total, "{msg:20} {bar:40} {pos}/{len} {eta}")
    }

    fn new(what: &'static str, total: u64, template: &str) -> Self {
        let style = ProgressStyle::with_template(template).expect("the template is one of the two above");
        let bar = ProgressBar::new(total).with_style(style).with_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Notes that so much more is done.
    pub fn advance(&self, done: u64) {
        self.0.inc(done);
    }

    /// Runs something that prints, with the bar out of its way.
    pub fn aside(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }

    /// Takes the bar away.
    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}
