//! Links to spreadsheets, as people paste them.
//!
//! Owns the forms a link can have and what is wrong with one. Must not know whether the spreadsheet exists.

/// Longest id that is taken for one; Google's own have 44 characters.
const ID_CHARACTERS_MAX: usize = 128;
/// Shortest id that is taken for one, so that a word is not.
const ID_CHARACTERS_MIN: usize = 16;

/// A spreadsheet, and the tab where the link names one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetLink {
    /// Google's spreadsheet id.
    pub spreadsheet_id: String,
    /// Google's `sheetId`, from the link's `gid`.
    pub sheet_id: Option<i64>,
}

/// A pasted text that names no spreadsheet Sheetwire can read. Its display says what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nothing was pasted.
    #[error("There is no link.")]
    Empty,
    /// Neither a link nor an id.
    #[error("This is neither a link to a spreadsheet nor a spreadsheet's id.")]
    NotALink,
    /// A link to another site.
    #[error("This link does not lead to Google Sheets.")]
    OtherSite,
    /// A document, presentation, form, drawing or folder.
    #[error("This link leads to another kind of file than a spreadsheet.")]
    OtherFile,
    /// A published copy (`/d/e/2PACX-…`), which Google's interface can't read.
    #[error("This link leads to a published copy, which can't be read as a spreadsheet.")]
    Published,
    /// An Excel file kept in Drive (`rtpof=true`), which Google's interface can't read.
    #[error("This link leads to an Excel file in Drive, not to a Google spreadsheet.")]
    OfficeFile,
    /// The id is missing or cut off.
    #[error("The spreadsheet's id in this link is missing or cut off.")]
    Id,
    /// The `gid` is no number.
    #[error("The tab in this link (gid) is not a number.")]
    Gid,
}

impl LinkError {
    /// What the designer can do about it, one sentence.
    pub fn remedy(self) -> &'static str {
        match self {
            LinkError::Empty
            | LinkError::NotALink
            | LinkError::OtherSite
            | LinkError::OtherFile
            | LinkError::Id
            | LinkError::Gid => {
                "Open the spreadsheet in the browser and copy the whole address from the address bar."
            }
            LinkError::Published => {
                "Open the spreadsheet itself, not its published page, and copy the address from the address bar."
            }
            LinkError::OfficeFile => {
                "In Google Sheets choose File → Save as Google Sheets, and paste the link of the new spreadsheet."
            }
        }
    }
}

/// Reads a pasted link or a bare id: `https://docs.google.com/spreadsheets/d/ID/edit?gid=12#gid=12`, with `/u/1/` or
/// `/a/example.com/` in it or not, `https://drive.google.com/open?id=ID`, `https://drive.google.com/file/d/ID/view`, or
/// `ID`.
///
/// # Errors
/// [`LinkError`], with what is wrong and what to do.
pub fn parse_link(pasted: &str) -> Result<SheetLink, LinkError> {
    let text = pasted.trim().trim_matches(['<', '>', '"']).trim();
    if text.is_empty() {
        return Err(LinkError::Empty);
    }
    if text.contains(char::is_whitespace) {
        return Err(LinkError::NotALink);
    }
    let Some(after_scheme) = strip_scheme(text) else {
        if text.contains(['/', '.', '?', '#', ':']) {
            return Err(if text.contains('.') {
                LinkError::OtherSite
            } else {
                LinkError::NotALink
            });
        }
        return match spreadsheet_id(text) {
            Some(id) => Ok(link(id, None)),
            None => Err(LinkError::NotALink),
        };
    };
    let (host, rest) = match after_scheme.find(['/', '?', '#']) {
        Some(at) => after_scheme.split_at(at),
        None => (after_scheme, ""),
    };
    let (before_fragment, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = before_fragment
        .split_once('?')
        .unwrap_or((before_fragment, ""));
    let drive = host.eq_ignore_ascii_case("drive.google.com");
    if !drive && !host.eq_ignore_ascii_case("docs.google.com") {
        return Err(LinkError::OtherSite);
    }
    let of = |name: &str| {
        fragment
            .split('&')
            .chain(query.split('&'))
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    if of("rtpof") == Some("true") {
        return Err(LinkError::OfficeFile);
    }
    let sheet_id = match of("gid") {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<i64>().map_err(|_| LinkError::Gid)?)
        }
        Some(_) => return Err(LinkError::Gid),
    };
    let segments = || path.split('/').filter(|segment| !segment.is_empty());
    let spreadsheets = segments().any(|segment| segment == "spreadsheets");
    if !drive && !spreadsheets || segments().any(|segment| segment == "folders") {
        return Err(LinkError::OtherFile);
    }
    let mut after_d = segments().skip_while(|segment| *segment != "d").skip(1);
    let id = match after_d.next() {
        Some("e") if spreadsheets => return Err(LinkError::Published),
        Some(id) => id,
        None => of("id").or_else(|| of("key")).unwrap_or_default(),
    };
    spreadsheet_id(id)
        .map(|id| link(id, sheet_id))
        .ok_or(LinkError::Id)
}

fn link(id: &str, sheet_id: Option<i64>) -> SheetLink {
    SheetLink {
        spreadsheet_id: String::from(id),
        sheet_id,
    }
}

fn strip_scheme(text: &str) -> Option<&str> {
    for scheme in ["https://", "http://"] {
        if let Some(start) = text.get(..scheme.len())
            && start.eq_ignore_ascii_case(scheme)
        {
            return text.get(scheme.len()..);
        }
    }
    // An address copied without its scheme.
    text.get(..16)
        .filter(|host| {
            host.eq_ignore_ascii_case("docs.google.com/")
                || host.eq_ignore_ascii_case("drive.google.com")
        })
        .map(|_| text)
}

fn spreadsheet_id(text: &str) -> Option<&str> {
    ((ID_CHARACTERS_MIN..=ID_CHARACTERS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'))
    .then_some(text)
}
