//! What is known beside events: the catalogue's names, and how to learn.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::Context;
use learning::train::Settings;
use serde::Deserialize;

use crate::arguments::Facts;

/// Holds the catalogue's SKUs with their names.
#[derive(Default)]
pub struct Catalogue(Vec<Line>);

#[derive(Deserialize)]
struct Line {
    sku: String,
    name: String,
}

impl Facts {
    /// Returns the catalogue, an empty one where no file is named.
    ///
    /// # Errors
    /// Where the file cannot be read, or a line is no product.
    pub fn catalogue(&self) -> anyhow::Result<Catalogue> {
        self.catalogue.as_deref().map_or(Ok(Catalogue::default()), catalogue)
    }

    /// Returns how to learn: the defaults, but for what the file says.
    ///
    /// # Errors
    /// Where the file cannot be read, or names a setting that there is not.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        let Some(path) = &self.settings else { return Ok(Settings::default()) };
        let text = fs::read(path).with_context(|| path.display().to_string())?;
        let read = || -> serde_json::Result<Settings> {
            let value: serde_json::Value = serde_json::from_slice(&text)?;
            // What `tune` writes has the settings among other things.
            serde_json::from_value(value.get("settings").cloned().unwrap_or(value))
        };
        read().with_context(|| format!("settings in {}", path.display()))
    }
}

impl Catalogue {
    /// Returns the SKUs with their names.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|line| (line.sku.as_str(), line.name.as_str()))
    }
}

fn catalogue(path: &Path) -> anyhow::Result<Catalogue> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let product = |(number, line): (usize, std::io::Result<String>)| {
        let read =
            line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_str::<Line>(&line)?));
        read.with_context(|| format!("{}:{}", path.display(), number + 1))
    };
    BufReader::new(file).lines().enumerate().map(product).collect::<anyhow::Result<_>>().map(Catalogue)
}
