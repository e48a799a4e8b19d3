//! Where servers put the code, the text, the scopes, the link and the waiting time of a refusal.
//!
//! To support another API, add one line to one of these lists. An earlier line takes precedence over a later one.
//!
//! A line names a member of the body (JSON, XML and forms are read alike) or, with [`field`], a header field. Write
//! a member's name in lower case and without separators: `errorcode` matches `errorCode`, `error_code` and `Error-Code`.
//! `parent.name` is a member of an object that is named `parent`; `parent.*` is any member of that object. The field `*-name` is
//! every field whose name ends in `-name`.

use super::rule::Holds::{Any, Digits, Named, Phrase, Plain, Screaming, Sentence, Url, Word};
use super::rule::{Rule, field, member, part};

/// The error code, for programs. The order of the lines decides first, then the depth of the member.
pub(super) const CODES: &[Rule] = &[
    field("*-errortype", Word),
    field("*-error-code", Word),
    member("errorcode", Any),
    member("errcode", Any),
    member("error", Word),
    member("code", Any),
    member("subcode.value", Word),
    member("exceptioncode", Any),
    member("serviceerrorcode", Any),
    member("errno", Any),
    member("errornum", Any),
    member("ecode", Any),
    member("errorid", Digits),
    member("errorname", Any),
    member("retcode", Any),
    member("substatus", Any),
    member("oauthproblem", Word),
    member("scimtype", Word),
    member("category", Word),
    member("errorkey", Word),
    member("errortag", Word),
    member("errortype", Word),
    member("errorclass", Word),
    member("tag", Word),
    member("type", Word),
    member("typekey", Word),
    member("status", Named),
    member("status.value", Digits),
    member("label", Screaming),
    member("reason", Word),
    member("name", Named),
    member("sys.id", Word),
    member("symbol", Word),
    member("exception", Word),
    member("exceptiontype", Word),
    member("exceptionname", Word),
    member("class", Word),
    member("faultcode", Word),
    member("code.value", Word),
    member("issue", Screaming),
    member("id", Plain),
    member("error.id", Digits),
    member("messageid", Phrase),
    member("statuscode", Any),
    field("*-error-code", Phrase),
    field("*-error-info", Word),
    field("*-exception-code", Any),
    field("grpc-status", Any),
    field("x-authentication-denied-reason", Word),
    member("error", Phrase),
    member("reason", Phrase),
    member("error.type", Phrase),
    member("type", Url),
];

/// The text for users. The depth of the member decides first, then the order of the lines.
pub(super) const TEXTS: &[Rule] = &[
    member("detail", Any),
    member("details", Sentence),
    member("errordescription", Any),
    member("faultstring", Any),
    member("message", Any),
    member("errormessage", Any),
    member("errormsg", Any),
    member("errmsg", Any),
    member("msg", Any),
    member("errortext", Any),
    member("errorsummary", Any),
    member("errormessages", Any),
    member("retmsg", Any),
    member("oauthproblemadvice", Any),
    member("messages", Any),
    member("message.value", Any),
    member("reason.text", Any),
    member("details.text", Any),
    member("msg.line", Any),
    member("text", Sentence),
    member("statustext", Sentence),
    member("exceptiontext", Any),
    member("serviceexception", Sentence),
    member("diagnostics", Any),
    member("err", Any),
    member("error", Sentence),
    member("error.text", Any),
    member("errors", Any),
    member("exceptionmessage", Any),
    member("defaultmessage", Any),
    member("displaymessage", Any),
    member("developermessage", Any),
    member("usermessage", Any),
    member("errorusermsg", Any),
    member("longmessage", Any),
    member("errordetail", Any),
    member("errordetails", Sentence),
    member("reason", Sentence),
    member("description", Sentence),
    member("statusmessage", Any),
    member("authenticationerrordetail", Any),
    member("cause", Sentence),
    member("fault", Sentence),
    member("exception", Sentence),
    member("summary", Sentence),
    member("info", Sentence),
    member("errors.*", Sentence),
    member("message.*", Sentence),
    member("messagetranslations.*", Sentence),
    field("grpc-message", Any),
    field("*-error-message", Any),
    field("*-error-description", Any),
    field("*-error", Any),
    part("x-ms-diagnostics", "reason", Any),
];

/// The text for users if no line of [`TEXTS`] matches.
pub(super) const LAST_TEXTS: &[Rule] = &[member("description", Any), member("reason", Any), member("error", Any)];

/// The title.
pub(super) const TITLES: &[Rule] = &[member("title", Any), member("errortitle", Any), member("errorusertitle", Any)];

/// Members that are the title if they are in the same object as the text.
pub(super) const TITLES_BESIDE: &[Rule] = &[member("message", Any), member("msg", Any), member("errormessage", Any)];

/// The missing scopes: separated by spaces or commas, or a list.
pub(super) const SCOPES: &[Rule] = &[
    member("missingscopes", Any),
    member("missingscope", Any),
    member("requiredscopes", Any),
    member("requiredscope", Any),
    member("requiredgranularscopes", Any),
    member("neededscopes", Any),
    member("needed", Any),
    member("detail.required", Any),
    member("details.required", Any),
    member("error.required", Any),
    member("scopesrequired", Any),
    member("scope", Any),
    member("scopes", Any),
];

/// Header fields that list accepted scopes, one of which is enough, each with the field that lists the scopes of the
/// token.
pub(super) const SCOPE_FIELDS: &[[&str; 2]] = &[["x-accepted-oauth-scopes", "x-oauth-scopes"]];

/// Where to read more.
pub(super) const LINKS: &[Rule] = &[
    part("x-github-sso", "url", Url),
    part("x-authentication-denied-reason", "login-url", Url),
    member("documentationurl", Url),
    member("docurl", Url),
    member("docsurl", Url),
    member("docref", Url),
    member("helpurl", Url),
    member("helplink", Url),
    member("helpuri", Url),
    member("consenturi", Url),
    member("moreinfo", Url),
    member("moreinfourl", Url),
    member("infourl", Url),
    member("erroruri", Url),
    member("errorurl", Url),
    member("errorlink", Url),
    member("documentation", Url),
    member("documentationlink", Url),
    member("documentation.href", Url),
    member("docs", Url),
    member("help.href", Url),
    member("about.href", Url),
    member("links.about", Url),
    member("links.help", Url),
    member("links.href", Url),
    member("links.url", Url),
    member("help", Url),
    member("helps.url", Url),
    member("errorinfo", Url),
    member("readmore", Url),
    member("recommend", Url),
    member("seealso", Url),
    member("see", Url),
    member("info", Url),
    member("link", Url),
    member("extendedhelp", Url),
];

/// Where to read more if neither [`LINKS`] nor the `error_uri` of a challenge says so.
pub(super) const LAST_LINKS: &[Rule] = &[member("url", Url), member("links.*", Url), member("type", Url)];

/// How long to wait: the place of a number, and the seconds in its unit.
pub(super) const TIMES: &[(Rule, f64)] = &[
    (member("retryafter", Any), 1.0),
    (member("retryafterseconds", Any), 1.0),
    (member("retrydelay", Any), 1.0),
    (member("retryafterms", Any), 0.001),
    (member("waitseconds", Any), 1.0),
];

/// Objects in which servers wrap an error. Other objects are read for texts and codes only, and count after these.
pub(super) const CONTAINERS: &[&str] = &[
    "about",
    "apierror",
    "body",
    "causedby",
    "causes",
    "code",
    "context",
    "data",
    "detail",
    "details",
    "documentation",
    "envelope",
    "err",
    "error",
    "errorcauses",
    "errordetails",
    "errorresponse",
    "errors",
    "exception",
    "extensions",
    "extra",
    "extras",
    "fault",
    "faults",
    "help",
    "helps",
    "innererror",
    "issue",
    "links",
    "message",
    "messagelist",
    "messages",
    "messagetranslations",
    "meta",
    "moreinfo",
    "odataerror",
    "parameters",
    "problem",
    "problems",
    "reason",
    "reasons",
    "response",
    "responsestatus",
    "result",
    "rootcause",
    "serviceexception",
    "status",
    "subcode",
    "sys",
];

/// Endings of the names of objects in which servers wrap an error.
pub(super) const CONTAINER_ENDS: &[&str] = &["error", "errors", "exception", "fault", "messages", "response"];
