//! Reads letters as a mail program would.

use std::{fs, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

/// Is a letter with its parts decoded.
#[derive(Clone, Debug)]
pub struct LetterFile {
    /// The head, unfolded, a header a line.
    pub head: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
}

impl LetterFile {
    /// Parses a letter of a text and an HTML part.
    ///
    /// # Panics
    /// Where it is none.
    pub fn parse(eml: &str) -> Self {
        let (head, body) = eml.split_once("\r\n\r\n").expect("a head and a body");
        let head = head.replace("\r\n ", " ");
        let boundary =
            head.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a boundary");
        let parts: Vec<(String, String)> = body
            .split(&format!("--{boundary}"))
            .filter_map(|part| part.trim_start().split_once("\r\n\r\n"))
            .map(decoded)
            .collect();
        let part = |kind: &str| {
            parts
                .iter()
                .find(|(head, _)| head.contains(kind))
                .unwrap_or_else(|| panic!("no {kind} in {eml}"))
                .1
                .clone()
        };
        Self { text: part("text/plain"), html: part("text/html"), head }
    }

    /// Returns a header, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    }
}

fn decoded((head, body): (&str, &str)) -> (String, String) {
    let bytes = if head.contains("base64") {
        STANDARD.decode(body.replace("\r\n", "")).expect("base64")
    } else if head.contains("quoted-printable") {
        quoted_printable(body)
    } else {
        body.as_bytes().to_vec()
    };
    (head.to_owned(), String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n"))
}

fn quoted_printable(body: &str) -> Vec<u8> {
    let joined = body.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).expect("two hexadecimal digits"));
        bytes.extend(&piece.as_bytes()[2..]);
    }
    bytes
}

/// Reads the letters in a folder, once there are as many as wanted.
///
/// # Panics
/// Where they do not come in time.
pub async fn in_folder(folder: &Path, wanted: usize) -> Vec<LetterFile> {
    let mut found = vec![];
    for _ in 0..300 {
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "eml")).collect();
        files.sort();
        found = files
            .iter()
            .map(|path| LetterFile::parse(&fs::read_to_string(path).expect("a letter")))
            .collect();
        if found.len() >= wanted {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} of {wanted} letters are in {}", found.len(), folder.display())
}
