//! What a device is called in the list of devices.

/// The longest name of a device in bytes.
pub const DEVICE_BYTES_MAX: usize = 80;

/// Names a device after its `User-Agent`: browser and system where they are known, else the program's own name.
pub fn name(user_agent: &str) -> String {
    let first = |names: &[(&str, &str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| (*name).to_owned())
    };
    // The order matters: browsers name those that they descend from.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ]);
    let text = match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => user_agent.split(['/', ' ', ';']).next().unwrap_or_default().to_owned(),
    };
    label(&text).unwrap_or_else(|| "Unknown device".into())
}

/// Returns a name that is fit to be shown; `None` where nothing is left of it.
pub fn label(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let text = text.trim();
    let end = (0..=text.len().min(DEVICE_BYTES_MAX)).rev().find(|at| text.is_char_boundary(*at))?;
    Some(text[..end].trim_end().to_owned()).filter(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_what_its_owner_would_call_it() {
        for (agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl"),
            ("", "Unknown device"),
            ("\u{7}\n", "Unknown device"),
        ] {
            assert_eq!(name(agent), expected, "{agent}");
        }
        assert_eq!(label(&"é".repeat(60)).unwrap().len(), 80);
    }
}
