//! Reads the title of an HTML page and the first paragraph of a short page. Without them, it reads the heading, and the text after
//! the heading or at the beginning of the body.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::xml::resolved;

/// The longest page, in bytes, whose paragraphs are read. A longer page is not the error page of a server, but a login page or
/// an application.
const MAX_ERROR_PAGE: usize = 8 << 10;

/// How many words a paragraph has at least. A shorter one is a label.
const MIN_WORDS: usize = 4;

/// The texts of a page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) title: Option<String>,
    pub(super) paragraph: Option<String>,
    heading: Option<String>,
    /// The text outside of all blocks.
    bare_text: Option<String>,
}

/// The name for text outside of all blocks.
const NO_BLOCK: &str = "";

/// A block whose text is being read.
struct Block {
    name: String,
    text: String,
}

impl Block {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), text: String::new() }
    }
}

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
    let mut block: Option<Block> = None;
    let is_long = text.len() > MAX_ERROR_PAGE;
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
                page.keep(block.replace(Block::new(&name)));
            }
            Event::Start(_) if name == "body" => block = Some(Block::new(NO_BLOCK)),
            // The text goes on in an unknown element, so the message ends here.
            Event::Start(_) if !is_inline(&name) && block.as_ref().is_some_and(|block| block.name == NO_BLOCK) => {
                page.keep(block.take());
            }
            Event::End(_) if is_block(&name) || name == "body" || name == "div" => {
                page.keep(block.take());
                block = matches!(&*name, "h1" | "h2").then(|| Block::new(NO_BLOCK));
            }
            Event::Text(piece) => append(&mut block, &piece.xml10_content()),
            Event::CData(piece) => append(&mut block, &piece.xml10_content()),
            Event::GeneralRef(reference) => append(&mut block, &resolved(&reference)),
            _ => {}
        }
    }
    page.keep(block);
    page.title = page.title.or(page.heading.take());
    page.paragraph = page.paragraph.or(page.bare_text.take()).filter(|_| !is_long);
    page
}

fn is_inline(name: &str) -> bool {
    matches!(name, "b" | "br" | "code" | "em" | "i" | "strong" | "tt" | "u" | "wbr")
}

fn is_block(name: &str) -> bool {
    matches!(name, "title" | "p" | "pre" | "h1" | "h2" | "hr" | "noscript" | "script" | "style" | "table")
}

fn append(block: &mut Option<Block>, piece: &str) {
    if let Some(block) = block {
        block.text.push_str(piece);
    }
}

impl Page {
    fn keep(&mut self, block: Option<Block>) {
        let Some(Block { name, text }) = block else { return };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let place = match &*name {
            "title" => &mut self.title,
            "h1" => &mut self.heading,
            NO_BLOCK if text.contains(' ') => &mut self.bare_text,
            "p" | "pre" if text.split(' ').count() >= MIN_WORDS => &mut self.paragraph,
            _ => return,
        };
        if place.is_none() && !text.is_empty() {
            *place = Some(text);
        }
    }
}
