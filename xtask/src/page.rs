//! The panel's one HTML file.
//!
//! Owns inlining styles, icons and the program, and the meta tag that carries the relay's origin. Must not know how
//! the program was built.

use crate::address::RELAY_META_NAME;
use anyhow::{Context as _, Result, bail};
use std::path::Path;

/// The element that holds the program of files as text, until the panel starts it.
const FILES_ELEMENT: &str = "files-program";

/// Builds the page from `ui/index.html`, the panel's script and that of the program which reads and writes files. The
/// latter stands in the page as a text: a browser neither parses nor compiles it before a designer wants a file.
///
/// `<link rel="stylesheet" href="FILE">` becomes a `<style>`, `url("FILE.svg")` in a style and `<img src="FILE.svg">` in the page
/// become data URIs, and the script goes in before `</body>`. Files are looked up beside the page.
pub fn build(folder: &Path, script: &str, files: &str, origin: &str) -> Result<String> {
    let page = read(&folder.join("index.html"))?;
    let page = inline_styles(folder, &page)?;
    let page = inline_images(folder, &page, "src=\"")?;
    let script = harmless_in_html(script)?;
    let files = harmless_in_html(files)?;
    let Some(end) = page.rfind("</body>") else {
        bail!("ui/index.html has no </body> to put the program before");
    };
    let page = format!(
        "{}<script type=\"text/plain\" id=\"{FILES_ELEMENT}\">{files}</script>\n<script>{script}</script>\n{}",
        &page[..end],
        &page[end..]
    );
    with_origin(&page, origin)
}

/// The page with another relay in its meta tag, which must stand in it exactly once.
pub fn with_origin(page: &str, origin: &str) -> Result<String> {
    let opening = format!("<meta name=\"{RELAY_META_NAME}\" content=\"");
    let mut places = page.match_indices(&opening);
    let (Some((at, _)), None) = (places.next(), places.next()) else {
        bail!("the page must hold exactly one {opening}…\">");
    };
    let value = at + opening.len();
    let length = page[value..]
        .find('"')
        .context("the relay's meta tag does not end")?;
    Ok(format!(
        "{}{origin}{}",
        &page[..value],
        &page[value + length..]
    ))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))
}

fn inline_styles(folder: &Path, page: &str) -> Result<String> {
    const OPENING: &str = "<link rel=\"stylesheet\" href=\"";
    let mut inlined = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(OPENING) {
        inlined.push_str(&rest[..at]);
        let after = &rest[at + OPENING.len()..];
        let (name, after) = after
            .split_once('"')
            .context("a stylesheet's address does not end")?;
        let (_, after) = after
            .split_once('>')
            .context("a stylesheet's tag does not end")?;
        let style = inline_images(folder, &read(&folder.join(name))?, "url(\"")?;
        if style.to_ascii_lowercase().contains("</style") {
            bail!("ui/{name} holds </style, which would end the style it is inlined in");
        }
        inlined.push_str("<style>\n");
        inlined.push_str(&style);
        inlined.push_str("</style>");
        rest = after;
    }
    inlined.push_str(rest);
    Ok(inlined)
}

/// Replaces the SVG files named after each `opening` by data URIs.
fn inline_images(folder: &Path, text: &str, opening: &str) -> Result<String> {
    let mut inlined = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(opening) {
        let (before, after) = rest.split_at(at + opening.len());
        inlined.push_str(before);
        let (name, after) = after
            .split_once('"')
            .context("the address of an image does not end")?;
        if name.starts_with("data:") || name.starts_with('#') {
            inlined.push_str(name);
        } else if name.ends_with(".svg") {
            inlined.push_str(&svg_data_uri(&read(&folder.join(name))?));
        } else {
            bail!("ui: {name} can't be inlined; icons are SVG files");
        }
        rest = after;
        inlined.push('"');
    }
    inlined.push_str(rest);
    Ok(inlined)
}

/// An SVG as a data URI that may stand between double quotes in HTML and CSS.
fn svg_data_uri(svg: &str) -> String {
    let mut uri = String::from("data:image/svg+xml,");
    for part in svg.trim().split_inclusive(|_| true) {
        match part {
            "\"" => uri.push('\''),
            "%" => uri.push_str("%25"),
            "#" => uri.push_str("%23"),
            "<" => uri.push_str("%3C"),
            ">" => uri.push_str("%3E"),
            "&" => uri.push_str("%26"),
            "\n" | "\r" => uri.push(' '),
            plain => uri.push_str(plain),
        }
    }
    uri
}

/// Makes a script safe between `<script>` and `</script>`.
///
/// Both sequences can stand only in strings, templates and regular expressions of a minified script, where the added
/// backslash changes nothing. See https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements.
fn harmless_in_html(script: &str) -> Result<String> {
    let script = script
        .replace("</script", "<\\/script")
        .replace("<!--", "<\\!--");
    if script.to_ascii_lowercase().contains("</script") {
        bail!("the program's script holds </script in capitals, which would end it early");
    }
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder with the files of a small page, in this test's own place under the system's.
    fn folder(name: &str, page: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-page-{}-{name}", std::process::id()));
        let written = fs::create_dir_all(folder.join("icons"))
            .and_then(|()| fs::write(folder.join("index.html"), page))
            .and_then(|()| {
                fs::write(
                    folder.join("a.css"),
                    "a { background: url(\"icons/x.svg\") }",
                )
            })
            .and_then(|()| fs::write(folder.join("icons/x.svg"), "<svg fill=\"#fff\"/>\n"));
        assert!(written.is_ok(), "{written:?}");
        folder
    }

    const PAGE: &str = "<head><meta name=\"sheetwire-relay\" content=\"x\">\
        <link rel=\"stylesheet\" href=\"a.css\"></head><body><img src=\"icons/x.svg\"></body>";

    #[test]
    fn everything_is_inlined() {
        let folder = folder("inlined", PAGE);
        let page = build(
            &folder,
            "let a = '</script><!--';",
            "'</script>'",
            "http://localhost:1",
        )
        .ok();
        let svg = "data:image/svg+xml,%3Csvg fill='%23fff'/%3E";
        let expected = format!(
            "<head><meta name=\"sheetwire-relay\" content=\"http://localhost:1\">\
             <style>\na {{ background: url(\"{svg}\") }}</style></head><body><img src=\"{svg}\">\
             <script type=\"text/plain\" id=\"files-program\">'<\\/script>'</script>\n<script>let a = '<\\/script><\\!--';</script>\n</body>"
        );
        assert_eq!(page, Some(expected));
        assert!(fs::remove_dir_all(folder).is_ok());
    }

    #[test]
    fn a_page_that_cant_be_right_is_refused() {
        assert!(with_origin("<head></head>", "x").is_err());
        assert!(with_origin(&format!("{PAGE}{PAGE}"), "x").is_err());
        let folder = folder("refused", "<img src=\"a.png\"></body>");
        assert!(build(&folder, "", "", "x").is_err());
        assert!(fs::remove_dir_all(folder).is_ok());
        assert!(harmless_in_html("'</SCRIPT>'").is_err());
    }
}
