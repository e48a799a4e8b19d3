//! Reads the title of an HTML page and the first paragraph of a short page. Without them, it reads the heading, and the text after
//! the heading or at the beginning of the body.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::xml::resolved;

/// A longer page is not the error page of a server, but a login page or an application.
const SHORT: usize = 8 << 10;

/// A shorter paragraph is a label.
const FEW_WORDS: usize = 4;

/// The texts of a page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) title: Option<String>,
    pub(super) paragraph: Option<String>,
    heading: Option<String>,
    loose: Option<String>,
}

/// The name for text outside all blocks.
const LOOSE: &str = "";

/// Whether the text begins like an HTML page.
pub(super) fn is_html(text: &str) -> bool {
    let prolog = text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let text = prolog.map_or(text, |(_, rest)| rest.trim_start());
    let begins = |with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    ["<!doctype html", "<html", "<head", "<title", "<h1", "<p>"].into_iter().any(begins)
}

/// Reads a page, up to the first place that is not valid markup.
pub(super) fn read(text: &str) -> Page {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut page = Page::default();
    // The element whose text is read, and the text so far.
    let mut within: Option<(String, String)> = None;
    let is_long = text.len() > SHORT;
    while let Ok(event) = reader.read_event() {
        if page.title.is_some() && (is_long || page.paragraph.is_some()) {
            break;
        }
        let name = match &event {
            Event::Start(start) => start.local_name().as_ref().to_ascii_lowercase(),
            Event::End(end) => end.local_name().as_ref().to_ascii_lowercase(),
            _ => String::new(),
        };
        match event {
            Event::Eof => break,
            Event::Start(_) if is_block(&name) => {
                page.keep(within.replace((name, String::new())));
            }
            Event::Start(_) if name == "body" => within = Some((LOOSE.to_owned(), String::new())),
            // Text that goes on in another element may be anything.
            Event::Start(_) if !is_inline(&name) && within.as_ref().is_some_and(|(name, _)| name == LOOSE) => {
                page.keep(within.take());
            }
            Event::End(_) if is_block(&name) || name == "body" || name == "div" => {
                page.keep(within.take());
                within = matches!(&*name, "h1" | "h2").then(|| (LOOSE.to_owned(), String::new()));
            }
            Event::Text(piece) => append(&mut within, &piece.xml10_content()),
            Event::CData(piece) => append(&mut within, &piece.xml10_content()),
            Event::GeneralRef(reference) => append(&mut within, &resolved(&reference)),
            _ => {}
        }
    }
    page.keep(within);
    page.title = page.title.or(page.heading.take());
    page.paragraph = page.paragraph.or(page.loose.take()).filter(|_| !is_long);
    page
}

fn is_inline(name: &str) -> bool {
    matches!(name, "b" | "br" | "code" | "em" | "i" | "strong" | "tt" | "u" | "wbr")
}

fn is_block(name: &str) -> bool {
    matches!(name, "title" | "p" | "pre" | "h1" | "h2" | "hr" | "noscript" | "script" | "style" | "table")
}

fn append(within: &mut Option<(String, String)>, piece: &str) {
    if let Some((_, text)) = within {
        text.push_str(piece);
    }
}

impl Page {
    fn keep(&mut self, block: Option<(String, String)>) {
        let Some((name, text)) = block else { return };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let place = match &*name {
            "title" => &mut self.title,
            "h1" => &mut self.heading,
            LOOSE if text.contains(' ') => &mut self.loose,
            "p" | "pre" if text.split(' ').count() >= FEW_WORDS => &mut self.paragraph,
            _ => return,
        };
        if place.is_none() && !text.is_empty() {
            *place = Some(text);
        }
    }
}
