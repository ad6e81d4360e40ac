//! Where letters leave the shop: a folder, or a mail server.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, transport::smtp};

use super::{
    Letter,
    sink::{MailSink, with_causes},
};
use crate::{config::MailConfig, deliveries::Fate};

/// How long the mail server may take for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Codes of a server that does not let the shop in: the operator mends that, and then the letters go out.
const NOT_LET_IN: [u16; 4] = [530, 534, 535, 538];

/// Is the way out.
#[derive(Debug)]
pub enum Outlet {
    /// A folder.
    Folder(PathBuf),
    /// A mail server.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
}

impl Outlet {
    /// Opens the way that the configuration names; none where letters go nowhere.
    ///
    /// # Errors
    /// Where it is no way.
    pub fn open(config: &MailConfig) -> anyhow::Result<Option<Self>> {
        Ok(match MailSink::parse(&config.sink).map_err(anyhow::Error::msg)? {
            MailSink::None => None,
            MailSink::Folder(folder) => Some(Self::Folder(folder)),
            MailSink::Smtp(url) => {
                let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)?;
                Some(Self::Smtp(Box::new(server.timeout(Some(ANSWER_MAX)).build())))
            }
        })
    }

    /// Sends a letter.
    pub async fn send(&self, letter: &Letter) -> Fate {
        match self {
            Self::Folder(folder) => {
                let written =
                    tokio::task::block_in_place(|| write(folder, &letter.name, &letter.message.formatted()));
                written.map_or_else(
                    |error| Fate::later(error.to_string()),
                    |()| Fate::Delivered { status: None },
                )
            }
            Self::Smtp(server) => {
                match server.send_raw(letter.message.envelope(), &letter.message.formatted()).await {
                    Ok(answer) => Fate::Delivered { status: answer.code().to_string().parse().ok() },
                    Err(error) => fate(&error),
                }
            }
        }
    }
}

/// A server's refusal of this letter is for good; everything else may go better later.
fn fate(error: &smtp::Error) -> Fate {
    let status = error.status().and_then(|code| code.to_string().parse().ok());
    let why = with_causes(error);
    let is_let_in = status.is_none_or(|status| !NOT_LET_IN.contains(&status));
    match error.is_client() || (error.is_permanent() && is_let_in) {
        true => Fate::Never { status, why },
        false => Fate::Later { status, why, not_before: None },
    }
}

/// Writes a file that is there whole or not at all; the same letter again replaces it.
fn write(folder: &Path, name: &str, text: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".{name}.draft"));
    let mut file = File::create(&draft)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(format!("{name}.eml")))?;
    File::open(folder)?.sync_all()
}
