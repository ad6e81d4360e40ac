//! Where letters go and who sends them, as the configuration says it.

use std::path::PathBuf;

use lettre::{AsyncSmtpTransport, Tokio1Executor, message::Mailbox};

/// Names where letters go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailSink {
    /// Nowhere.
    None,
    /// Into a folder, a file each.
    Folder(PathBuf),
    /// To a mail server, by its address.
    Smtp(String),
}

impl MailSink {
    /// Reads `none`, `file:<folder>`, `smtps://user:password@host` or `smtp://host`.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        if let Some(folder) = text.strip_prefix("file:").filter(|folder| !folder.is_empty()) {
            return Ok(Self::Folder(folder.into()));
        }
        let rest = text.strip_prefix("smtp://").or_else(|| text.strip_prefix("smtps://")).ok_or(
            "mail.sink must be \"none\", \"file:<folder>\", \"smtps://user:password@host\" or \"smtp://host\"",
        )?;
        AsyncSmtpTransport::<Tokio1Executor>::from_url(text)
            .map_err(|error| format!("mail.sink is no address of a mail server: {}", with_causes(&error)))?;
        let is_encrypted = text.starts_with("smtps:") || text.contains("tls=required");
        let host = rest.rsplit('@').next().unwrap_or_default();
        let is_here = ["localhost", "127.", "[::1]"].iter().any(|here| host.starts_with(here));
        if rest.contains('@') && !is_encrypted && !is_here {
            return Err(
                "mail.sink would send its password in the clear; use smtps:// or add ?tls=required".into()
            );
        }
        Ok(Self::Smtp(text.to_owned()))
    }
}

/// Parses the sender of all letters.
///
/// # Errors
/// Where it is none.
pub fn sender(text: &str) -> anyhow::Result<Mailbox> {
    text.parse().map_err(|error| anyhow::anyhow!("mail.from must look like Shop <shop@example.org>: {error}"))
}

/// Returns an error with all that led to it.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |e| e.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_is_read_or_refused_with_the_way_out() {
        assert_eq!(MailSink::parse("none"), Ok(MailSink::None));
        assert_eq!(MailSink::parse("file:/var/mail/shop"), Ok(MailSink::Folder("/var/mail/shop".into())));
        for good in [
            "smtp://localhost:2525",
            "smtp://ada:secret@127.0.0.1:2525",
            "smtps://ada:secret@mail.example.org",
            "smtp://ada:secret@mail.example.org?tls=required",
        ] {
            assert_eq!(MailSink::parse(good), Ok(MailSink::Smtp(good.into())));
        }
        for (bad, why) in [
            ("", "must be"),
            ("file:", "must be"),
            ("pigeon", "must be"),
            ("smtp://", "no address"),
            ("smtp://ada:secret@mail.example.org", "in the clear"),
            ("smtp://ada:secret@mail.example.org?tls=opportunistic", "in the clear"),
        ] {
            let said = MailSink::parse(bad).unwrap_err();
            assert!(said.contains(why), "{bad}: {said}");
        }
    }
}
