//! Inputs that a hostile server could send, because one of them could make a parser slow.

/// A name, and a function that makes an input of about that many bytes.
pub(crate) type Shape = (&'static str, fn(usize) -> String);

pub(crate) const SHAPES: [Shape; 33] = [
    ("commas", |size| ",".repeat(size)),
    ("semicolons", |size| ";".repeat(size)),
    ("spaces", |size| format!("A{}b", " ".repeat(size))),
    ("equals signs", |size| format!("A {}", "=".repeat(size))),
    ("quotes", |size| "\"".repeat(size)),
    ("quotes in a value", |size| format!("A b={}", "\"".repeat(size))),
    ("quotes without an end", |size| "=\"a,b\"\",".repeat(size / 8)),
    ("quotes of one octet", |size| "=\",".repeat(size / 3)),
    ("backslashes", |size| "\\\",".repeat(size / 3)),
    ("backslashes in a value", |size| format!("A b=\"{}", "\\".repeat(size))),
    ("control characters", |size| format!("A b=\"{}", "\x01".repeat(size))),
    ("line feeds", |size| "\n".repeat(size)),
    ("folded lines", |size| "\r\n ".repeat(size / 3)),
    ("one long scheme", |size| "a".repeat(size)),
    ("one long value", |size| format!("A b=\"{}\"", "x".repeat(size))),
    ("one long value, no quotes", |size| format!("A b=c/{}", "x".repeat(size))),
    ("one long token68", |size| format!("A {}", "/".repeat(size))),
    ("schemes", |size| "A,".repeat(size / 2)),
    ("schemes with token68", |size| "A b,".repeat(size / 4)),
    ("broken schemes", |size| "a@,".repeat(size / 3)),
    ("junk", |size| "@,".repeat(size / 2)),
    ("junk after a token68", |size| format!("A b= {}", "@ ".repeat(size / 2))),
    ("orphan parameters", |size| "a=b,".repeat(size / 4)),
    ("missing values", |size| format!("A a=b,{}", "a=,".repeat(size / 3))),
    ("missing commas", |size| format!("A {}", "a=b/ ".repeat(size / 5))),
    ("words in a value", |size| format!("A b=c/{}", " d".repeat(size / 2))),
    ("symbols in a value", |size| format!("A b=c/{}", " @".repeat(size / 2))),
    ("semicolons in a value", |size| format!("A b=c/{}", ";d".repeat(size / 2))),
    ("1,024 parameters", |size| parameters(1_024, size, |number| format!("p{number:04}"))),
    ("1,024 equal parameters", |size| parameters(1_024, size, |_| "p".to_owned())),
    ("1,024 similar names", |size| parameters(1_024, size, |number| format!("p{number:04}p"))),
    ("names equal but for the end", |size| long_names(size, |number, text| format!("{text}{number:04}"))),
    ("names equal but for the start", |size| long_names(size, |number, text| format!("{number:04}{text}"))),
];

/// A challenge with that many parameters, and values that fill the size.
fn parameters(count: usize, size: usize, name: impl Fn(usize) -> String) -> String {
    let value = "x".repeat((size / count).saturating_sub(10));
    let params: Vec<_> = (0..count).map(|number| format!("{}=\"{value}\"", name(number))).collect();
    format!("A {}", params.join(","))
}

/// A challenge with 64 parameters whose names fill the size.
fn long_names(size: usize, name: impl Fn(usize, &str) -> String) -> String {
    let text = "x".repeat(size / 64 - 8);
    let params: Vec<_> = (0..64).map(|number| format!("{}=b", name(number, &text))).collect();
    format!("A {}", params.join(","))
}
