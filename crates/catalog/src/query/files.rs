//! Explains why a file named in a statement is not a table: it does not exist, is not in quotes, may not be read, or
//! has an unsupported format.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Extensions of files that can be read as tables.
const READ: [&str; 4] = ["csv", "tsv", "parquet", "json"];
/// The message that lists them.
const KINDS: &str =
    "CSV, TSV, Parquet and JSON lines are read, from files named .csv, .tsv, .parquet and .json";
/// Greatest number of files of a folder that are searched for similar names.
const LOOKED_AT: usize = 1_000;

/// Why the engine found no table `name`, named in the statement `sql`; `None` where this has nothing to do with a file.
pub(super) fn why(name: &str, sql: &str) -> Option<String> {
    // Addresses of object stores are explained elsewhere.
    if name.contains("://") {
        return None;
    }
    if name == "-" {
        return Some(
            "standard input is no table: save it to a file, and name that, as in: from 'FILE.csv'".into(),
        );
    }
    let name = as_typed(name, sql);
    let path = Path::new(name);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Some(of_folder(path, name)),
        Ok(found) if !found.is_file() => Some(format!(
            "`{name}` is no regular file: a table is read more than once, so save it to a file, and name that, as in: from 'FILE.csv'"
        )),
        Ok(_) => of_file(path, name, sql),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some(format!(
            "`{name}` cannot be looked at: its folder may not be entered (permission denied)"
        )),
        Err(_) => looks_like_a_file(name).then(|| missing(path, name)),
    }
}

/// The message for a path without quotes in the statement, which the engine's grammar cannot parse.
pub(super) fn unquoted(sql: &str) -> Option<String> {
    let is_apart = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | ';');
    let word = outside_quotes(sql)
        .split(is_apart)
        .find(|word| is_read(word) && Path::new(word).is_file())?
        .to_owned();
    Some(in_quotes(&word))
}

fn in_quotes(name: &str) -> String {
    format!("`{name}` is a file, and a file is named in quotes: from '{name}'")
}

/// The statement with everything within quotes replaced by blanks.
fn outside_quotes(sql: &str) -> String {
    let mut open: Option<char> = None;
    sql.chars()
        .map(|letter| match open {
            Some(quote) => {
                if letter == quote {
                    open = None;
                }
                ' '
            }
            None if matches!(letter, '\'' | '"') => {
                open = Some(letter);
                ' '
            }
            None => letter,
        })
        .collect()
}

/// The name as the statement spells it: without quotes the engine lower-cases it.
fn as_typed<'a>(name: &'a str, sql: &'a str) -> &'a str {
    if sql.contains(name) {
        return name;
    }
    let place = sql.to_ascii_lowercase().find(&name.to_ascii_lowercase());
    place
        .and_then(|start| sql.get(start..start + name.len()))
        .unwrap_or(name)
}

/// The extension of a name in lower case.
fn ending(name: &str) -> String {
    let end = Path::new(name).extension().unwrap_or_default();
    end.to_string_lossy().to_ascii_lowercase()
}

fn is_read(name: &str) -> bool {
    READ.contains(&ending(name).as_str())
}

fn looks_like_a_file(name: &str) -> bool {
    name.contains(['/', '\\']) || is_read(name) || of_kind(&ending(name)).is_some()
}

/// Advice for a file in an unsupported format, by extension.
fn of_kind(ending: &str) -> Option<&'static str> {
    Some(match ending {
        "xlsx" | "xls" | "xlsm" | "xlsb" | "ods" | "numbers" => {
            "is a spreadsheet workbook, and none is read: save the sheet as CSV UTF-8, and name that file"
        }
        "jsonl" | "ndjson" => "is read where its name ends in .json: rename it, or copy it",
        "txt" | "dat" | "data" | "log" => {
            "is read where its name ends in .csv (or .tsv for tabs): rename it, or copy it"
        }
        "gz" | "bz2" | "xz" | "zst" | "zip" | "7z" | "tar" | "tgz" => "is packed: unpack it first",
        "db" | "sqlite" | "sqlite3" | "duckdb" => "is a database: write its table to a CSV file first",
        "dta" | "sav" | "rds" | "rdata" | "feather" | "arrow" | "pkl" | "pickle" | "h5" | "npy" | "npz"
        | "mat" | "yaml" | "yml" | "xml" | "html" | "pdf" => {
            "is of a kind that is not read: save it as CSV or Parquet"
        }
        _ => return None,
    })
}

fn of_file(path: &Path, name: &str, sql: &str) -> Option<String> {
    match fs::File::open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Some(format!(
                "`{name}` is there, and you may not read it (permission denied): change its permissions, or copy it to where you may"
            ));
        }
        Err(error) => return Some(format!("`{name}` cannot be read: {error}")),
        Ok(_) => {}
    }
    if is_read(name) {
        // A file that is readable and in quotes must have another problem.
        let is_quoted = ['\'', '"']
            .iter()
            .any(|quote| sql.contains(&format!("{quote}{name}{quote}")));
        return (!is_quoted).then(|| in_quotes(name));
    }
    let what = of_kind(&ending(name)).map_or_else(|| "is no table by its name".to_owned(), ToOwned::to_owned);
    Some(format!("`{name}` {what} ({KINDS})"))
}

fn of_folder(path: &Path, name: &str) -> String {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return format!(
                "folder `{name}` is there, and you may not read it (permission denied): change its permissions, or copy it to where \
                 you may"
            );
        }
        Err(error) => return format!("folder `{name}` cannot be read: {error}"),
        Ok(entries) => entries,
    };
    let mut files: Vec<String> = entries
        .take(LOOKED_AT)
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|file| !file.starts_with('.'))
        .collect();
    files.sort();
    let other = files
        .iter()
        .find(|file| files.first().is_some_and(|first| ending(file) != ending(first)));
    let what = match (files.first(), other) {
        (None, _) => "holds no file".to_owned(),
        (Some(first), Some(other)) => format!(
            "holds files of several kinds, as `{first}` and `{other}`, and a folder is one table where all its files are of one kind"
        ),
        (Some(first), None) if is_read(first) && fs::File::open(path.join(first)).is_err() => {
            format!("holds `{first}`, which you may not read")
        }
        (Some(first), None) => format!("holds `{first}`, which is no table"),
    };
    format!("folder `{name}` {what} ({KINDS})")
}

/// The message for a missing file, with a similarly named file of the same folder if there is one.
fn missing(path: &Path, name: &str) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.exists()) {
        return format!(
            "there is no folder `{}` (paths start at the current folder)",
            folder.display()
        );
    }
    let asked = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let entries = fs::read_dir(folder.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten();
    let files = entries
        .take(LOOKED_AT)
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    let near = files
        .map(|file| {
            (
                super::suggest::distance(&asked.to_lowercase(), &file.to_lowercase()),
                file,
            )
        })
        .filter(|(distance, _)| *distance <= 1 + asked.chars().count() / 8)
        .min();
    let near = near.map_or_else(String::new, |(_, file)| format!("; there is `{file}`"));
    format!(
        "there is no file `{name}`{near} (paths start at the current folder, and stand in quotes: from '{name}')"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        for name in ["own.csv", "own.xlsx", "own.jsonl", "own.odd", "Notes.TXT"] {
            fs::write(at(name), "a,b\n1,2\n").expect("a file");
        }
        fs::create_dir(at("mixed")).expect("a folder");
        fs::create_dir(at("empty")).expect("a folder");
        fs::write(at("mixed/a.csv"), "a\n").expect("a file");
        fs::write(at("mixed/b.jsonl"), "{}\n").expect("a file");
        let told = |name: &str| {
            let name = at(name);
            why(&name, &format!("select * from '{name}'"))
        };
        for (name, wanted) in [
            (
                "own.xlsx",
                "is a spreadsheet workbook, and none is read: save the sheet as CSV",
            ),
            ("own.jsonl", "is read where its name ends in .json"),
            ("own.odd", "is no table by its name (CSV, TSV, Parquet"),
            ("Notes.TXT", "is read where its name ends in .csv"),
            ("mixed", "holds files of several kinds, as `a.csv` and `b.jsonl`"),
            ("empty", "holds no file"),
            ("owm.csv", "; there is `own.csv`"),
            ("OWN.CSV", "; there is `own.csv`"),
            ("away/own.csv", "there is no folder"),
            ("zzz.csv", "there is no file"),
        ] {
            let said = told(name).unwrap_or_default();
            assert!(said.contains(wanted), "{name}: {said}");
        }
        assert_eq!(told("own.csv"), None, "in quotes");
        let bare = at("own.csv");
        let said = why(&bare, &format!("select * from {bare}")).unwrap_or_default();
        assert!(said.ends_with(&format!("in quotes: from '{bare}'")), "{said}");
        let said = unquoted(&format!("select 'x.csv' from {bare} where a = 'it')")).unwrap_or_default();
        assert!(said.contains("named in quotes"), "{said}");
        assert_eq!(unquoted(&format!("select * from '{bare}'")), None);
    }

    #[test]
    fn what_is_no_file_is_left_to_others() {
        assert_eq!(why("scores", "select * from scores"), None);
        assert_eq!(why("s3://bucket/x.csv", ""), None);
        assert!(why("-", "").is_some_and(|said| said.contains("standard input is no table")));
        assert_eq!(as_typed("own.csv", "select * from Own.CSV"), "Own.CSV");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_told() {
        let said = why("/dev/null", "select * from '/dev/null'").unwrap_or_default();
        assert!(said.contains("is no regular file"), "{said}");
    }
}
