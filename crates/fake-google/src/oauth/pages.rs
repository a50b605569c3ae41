//! The pages a person sees while signing in: account, scopes, files, errors. Plain forms, no script.
//!
//! Owns the HTML. Must not know the rules.

use super::{ShownError, is_identity};
use crate::world::{Account, Client};

/// Text as it may stand in HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} – Fake Google</title><style>{}</style></head><body><main>\
         <p class=\"brand\">Fake Google <span>for tests and demonstrations</span></p>{body}</main></body></html>\n",
        include_str!("../../static/consent.css")
    )
}

/// The form around a page's choices; it leads to the next step of the same flow.
fn form(flow: &str, inner: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/o/oauth2/v2/auth/continue\">\
         <input type=\"hidden\" name=\"flow\" value=\"{}\">{inner}</form>",
        escaped(flow)
    )
}

/// Which account?
pub(crate) fn account_chooser<'a>(
    flow: &str,
    client: &Client,
    accounts: impl Iterator<Item = &'a Account>,
) -> String {
    let choices: String = accounts
        .map(|account| {
            let (email, name) = (escaped(&account.email), escaped(&account.name));
            let initial = escaped(&account.name.chars().take(1).collect::<String>());
            format!(
                "<button class=\"account\" name=\"account\" value=\"{email}\"><b aria-hidden=\"true\">{initial}</b>\
                 <span>{name}<br><small>{email}</small></span></button>"
            )
        })
        .collect();
    let heading = format!(
        "<h1>Choose an account</h1><p>to continue to <strong>{}</strong></p>",
        escaped(&client.name)
    );
    page("Choose an account", &(heading + &form(flow, &choices)))
}

/// What a scope lets an app do, in Google's words.
fn meaning(scope: &str) -> &str {
    match scope
        .strip_prefix("https://www.googleapis.com/auth/")
        .unwrap_or(scope)
    {
        "drive.file" => {
            "See, edit, create, and delete only the specific Google Drive files you use with this app"
        }
        "spreadsheets" => "See, edit, create, and delete all your Google Sheets spreadsheets",
        "spreadsheets.readonly" => "See all your Google Sheets spreadsheets",
        "drive" => "See, edit, create, and delete all of your Google Drive files",
        "drive.readonly" => "See and download all your Google Drive files",
        "drive.metadata.readonly" => "See information about your Google Drive files",
        "userinfo.email" => "See your primary Google Account email address",
        "userinfo.profile" => {
            "See your personal info, including any personal info you've made publicly available"
        }
        "openid" => "Associate you with your personal info on Google",
        _ => scope,
    }
}

/// Which scopes? Those that only identify have no checkbox.
pub(crate) fn consent(flow: &str, client: &Client, account: &Account, scopes: &[String]) -> String {
    let mut choices = String::from("<ul>");
    for scope in scopes {
        let (value, text) = (escaped(scope), escaped(meaning(scope)));
        if is_identity(scope) {
            choices.push_str(&format!("<li><span class=\"given\">{text}</span></li>"));
        } else {
            choices.push_str(&format!(
                "<li><label><input type=\"checkbox\" name=\"scope\" value=\"{value}\" checked> {text}</label></li>"
            ));
        }
    }
    choices.push_str(
        "</ul><p class=\"actions\"><button name=\"decision\" value=\"deny\" class=\"quiet\">Cancel</button>\
         <button name=\"decision\" value=\"allow\">Continue</button></p>",
    );
    let heading = format!(
        "<h1><strong>{}</strong> wants access to your Google Account</h1><p>{}</p><p>Select what it can access:</p>",
        escaped(&client.name),
        escaped(&account.email)
    );
    page("Access", &(heading + &form(flow, &choices)))
}

/// Which files?
pub(crate) fn picker<'a>(
    flow: &str,
    client: &Client,
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut choices = String::from("<ul>");
    for (id, title) in files {
        choices.push_str(&format!(
            "<li><label><input type=\"checkbox\" name=\"file\" value=\"{}\"> {}</label></li>",
            escaped(id),
            escaped(title)
        ));
    }
    if choices == "<ul>" {
        choices.push_str("<li>There are no spreadsheets in this account.</li>");
    }
    choices.push_str(
        "</ul><p class=\"actions\"><button name=\"decision\" value=\"deny\" class=\"quiet\">Cancel</button>\
         <button name=\"decision\" value=\"pick\">Select</button></p>",
    );
    let heading = format!(
        "<h1>Select spreadsheets</h1><p><strong>{}</strong> can use only what you select.</p>",
        escaped(&client.name)
    );
    page("Select files", &(heading + &form(flow, &choices)))
}

/// An error that is shown here and not told to the app.
pub(crate) fn error(error: &ShownError) -> String {
    page(
        "Access blocked",
        &format!(
            "<h1>Access blocked</h1><p>{}</p><p class=\"code\">Error {}: {}</p>",
            escaped(error.message),
            error.status,
            escaped(error.error)
        ),
    )
}
