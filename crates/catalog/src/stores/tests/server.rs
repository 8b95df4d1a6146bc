//! A server that implements as much of S3 and of the Hub's API as the clients use, and fails as its buckets specify.
//!
//! `flaky` answers every fourth request with 503 and truncates every seventh response; `refusing` answers 403 and
//! echoes the request; any bucket can be set to refuse writes after a number of requests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;

/// Key and token of the clients.
pub(super) const SECRET: &str = "a-secret-of-some-length";

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    requests: u64,
    faults: u64,
    /// Number of write requests that are still accepted.
    writes_left: Option<u64>,
    sent: BTreeMap<String, u64>,
}

/// The server; one for all tests of the process, which use separate buckets.
pub(super) struct Server {
    /// Where it listens.
    pub(super) address: String,
    elsewhere: String,
    buckets: Mutex<BTreeMap<String, Bucket>>,
    authorized: AtomicU64,
    leaked: AtomicU64,
}

/// The server, started on first use.
pub(super) fn server() -> &'static Server {
    static SERVER: LazyLock<&'static Server> = LazyLock::new(|| {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let [address, elsewhere] = listeners
            .each_ref()
            .map(|listener| format!("http://{}", listener.local_addr().expect("an address")));
        let server: &'static Server = Box::leak(Box::new(Server {
            address,
            elsewhere,
            buckets: Mutex::default(),
            authorized: AtomicU64::new(0),
            leaked: AtomicU64::new(0),
        }));
        for (place, listener) in listeners.into_iter().enumerate() {
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    thread::spawn(move || serve(server, place == 1, stream));
                }
            });
        }
        server
    });
    *SERVER
}

impl Server {
    fn bucket<T>(&self, name: &str, with: impl FnOnce(&mut Bucket) -> T) -> T {
        with(
            self.buckets
                .lock()
                .expect("a server")
                .entry(name.to_owned())
                .or_default(),
        )
    }

    pub(super) fn faults(&self, bucket: &str) -> u64 {
        self.bucket(bucket, |bucket| bucket.faults)
    }

    pub(super) fn uploads(&self, bucket: &str) -> usize {
        self.bucket(bucket, |bucket| bucket.uploads.len())
    }

    pub(super) fn refuse_after(&self, bucket: &str, writes: u64) {
        self.bucket(bucket, |bucket| bucket.writes_left = Some(writes));
    }

    pub(super) fn sent(&self, bucket: &str, key: &str) -> u64 {
        self.bucket(bucket, |bucket| bucket.sent.get(key).copied().unwrap_or(0))
    }

    /// Puts a file into a dataset of the Hub.
    pub(super) fn publish(&self, dataset: &str, revision: &str, path: &str, bytes: &[u8]) {
        let key = format!("{dataset}@{revision}/{path}");
        self.bucket("hub", |bucket| bucket.objects.insert(key, bytes.to_vec()));
    }

    pub(super) fn authorized(&self) -> u64 {
        self.authorized.load(Ordering::Relaxed)
    }

    pub(super) fn leaked(&self) -> u64 {
        self.leaked.load(Ordering::Relaxed)
    }
}

struct Asked {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut: bool,
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
        cut: false,
    }
}

fn serve(server: &Server, elsewhere: bool, stream: TcpStream) -> Option<()> {
    let mut writing = stream.try_clone().ok()?;
    let mut reading = BufReader::new(stream);
    loop {
        let asked = receive(&mut reading)?;
        let answer = if elsewhere {
            if asked.headers.contains_key("authorization") {
                server.leaked.fetch_add(1, Ordering::Relaxed);
            }
            server.bucket("hub", |bucket| {
                object(bucket, asked.path.trim_start_matches('/'), &asked)
            })
        } else if asked.path.starts_with("/api/datasets/") || asked.path.starts_with("/datasets/") {
            hub(server, &asked)
        } else {
            let (name, key) = asked.path[1..].split_once('/').unwrap_or((&asked.path[1..], ""));
            server.bucket(name, |bucket| store(name, bucket, key, &asked))
        };
        let mut head = format!("HTTP/1.1 {} Said\r\n", answer.status);
        let length = match answer.headers.iter().find(|(name, _)| name == "length") {
            Some((_, length)) => length.clone(),
            None => answer.body.len().to_string(),
        };
        head += &["content-length: ", &length, "\r\n"].concat();
        for (name, value) in answer.headers.iter().filter(|(name, _)| name != "length") {
            head += &[name, ": ", value, "\r\n"].concat();
        }
        writing.write_all((head + "\r\n").as_bytes()).ok()?;
        if answer.cut {
            writing.write_all(&answer.body[..answer.body.len() / 2]).ok()?;
            return None;
        }
        if asked.method != "HEAD" {
            writing.write_all(&answer.body).ok()?;
        }
    }
}

fn receive(reading: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reading.read_line(&mut line).ok().filter(|&read| read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reading.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reading.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    // Other escapes, such as encoded slashes, are kept: a revision may contain them.
    let decoded = path.replace("%3D", "=").replace("%40", "@").replace("%20", " ");
    Some(Asked {
        method,
        path: decoded,
        query,
        headers,
        body,
    })
}

fn store(name: &str, bucket: &mut Bucket, key: &str, asked: &Asked) -> Answer {
    bucket.requests += 1;
    if name == "refusing" {
        let told = asked.headers.get("authorization").cloned().unwrap_or_default();
        return answer(
            403,
            format!("<Error><Code>AccessDenied</Code><Message>{told}</Message></Error>"),
        );
    }
    let is_write = matches!(asked.method.as_str(), "PUT" | "POST");
    if is_write && let Some(left) = &mut bucket.writes_left {
        if *left == 0 {
            return answer(403, "<Error><Code>AccessDenied</Code></Error>");
        }
        *left -= 1;
    }
    if name == "flaky" && bucket.requests.is_multiple_of(4) {
        bucket.faults += 1;
        return answer(503, "<Error><Code>SlowDown</Code></Error>");
    }
    let mut said = match (asked.method.as_str(), asked.query.get("uploadId")) {
        ("GET", _) if asked.query.contains_key("list-type") => listing(bucket, asked),
        ("GET" | "HEAD", _) => object(bucket, key, asked),
        ("POST", None) => {
            let id = format!("upload-{}", bucket.requests);
            bucket.uploads.insert(id.clone(), BTreeMap::new());
            answer(
                200,
                format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ),
            )
        }
        ("PUT", Some(id)) => {
            let part = asked.query["partNumber"].parse().expect("a number");
            if let Some(upload) = bucket.uploads.get_mut(id) {
                upload.insert(part, asked.body.clone());
            }
            tagged(answer(200, ""))
        }
        ("POST", Some(id)) => {
            let parts = bucket.uploads.remove(id).unwrap_or_default();
            bucket
                .objects
                .insert(key.to_owned(), parts.into_values().flatten().collect());
            answer(
                200,
                "<CompleteMultipartUploadResult><ETag>\"tag\"</ETag></CompleteMultipartUploadResult>",
            )
        }
        ("DELETE", Some(id)) => {
            bucket.uploads.remove(id);
            answer(204, "")
        }
        ("PUT", None) => {
            bucket.objects.insert(key.to_owned(), asked.body.clone());
            tagged(answer(200, ""))
        }
        _ => answer(501, ""),
    };
    if name == "flaky" && bucket.requests.is_multiple_of(7) && asked.method == "GET" && said.body.len() > 1 {
        bucket.faults += 1;
        said.cut = true;
    }
    said
}

fn tagged(mut answer: Answer) -> Answer {
    answer.headers.push(("etag".into(), "\"tag\"".into()));
    answer
        .headers
        .push(("last-modified".into(), "Wed, 12 Jun 2024 01:02:03 GMT".into()));
    answer
}

fn object(bucket: &mut Bucket, key: &str, asked: &Asked) -> Answer {
    let Some(bytes) = bucket.objects.get(key) else {
        return answer(404, "<Error><Code>NoSuchKey</Code></Error>");
    };
    let range = asked
        .headers
        .get("range")
        .and_then(|range| range.strip_prefix("bytes="));
    let mut said = match range.and_then(|range| range.split_once('-')) {
        Some((start, end)) => {
            let size = bytes.len();
            let end = end.parse::<usize>().ok();
            // A range without a start means the last bytes.
            let (first, last) = match start.parse::<usize>() {
                Ok(first) => (first, end.map_or(size, |end| (end + 1).min(size))),
                Err(_) => (size.saturating_sub(end.unwrap_or(0)), size),
            };
            let mut said = tagged(answer(206, bytes[first..last.max(first)].to_vec()));
            let told = format!("bytes {first}-{}/{size}", last - 1);
            said.headers.push(("content-range".into(), told));
            said
        }
        None => tagged(answer(200, bytes.clone())),
    };
    if asked.method == "HEAD" {
        said.headers.push(("length".into(), bytes.len().to_string()));
        said.body.clear();
    }
    *bucket.sent.entry(key.to_owned()).or_default() += said.body.len() as u64;
    said
}

fn listing(bucket: &Bucket, asked: &Asked) -> Answer {
    let prefix = asked.query.get("prefix").map_or("", String::as_str);
    let mut text = String::from("<ListBucketResult><IsTruncated>false</IsTruncated>");
    let mut folders = std::collections::BTreeSet::new();
    for (key, bytes) in bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        if asked.query.contains_key("delimiter")
            && let Some((folder, _)) = key[prefix.len()..].split_once('/')
        {
            folders.insert(format!("{prefix}{folder}/"));
            continue;
        }
        let size = bytes.len();
        let entry = format!(
            "<Contents><Key>{key}</Key><LastModified>2024-06-12T01:02:03.000Z</LastModified><Size>{size}</Size><ETag>\"tag\"</ETag></Contents>"
        );
        text += &entry;
    }
    for folder in folders {
        text += &["<CommonPrefixes><Prefix>", &folder, "</Prefix></CommonPrefixes>"].concat();
    }
    answer(200, text + "</ListBucketResult>")
}

/// Files are redirected to the other listener; folders are listed with one file per page.
fn hub(server: &Server, asked: &Asked) -> Answer {
    if asked
        .headers
        .get("authorization")
        .is_some_and(|told| *told == format!("Bearer {SECRET}"))
    {
        server.authorized.fetch_add(1, Ordering::Relaxed);
    }
    let path = asked
        .path
        .trim_start_matches("/api")
        .trim_start_matches("/datasets/");
    let parts: Vec<&str> = path.splitn(5, '/').collect();
    let (dataset, revision) = (format!("{}/{}", parts[0], parts[1]), parts[3].replace("%2F", "/"));
    let prefix = format!("{dataset}@{revision}/");
    let within = parts.get(4).copied().unwrap_or("");
    let keys: Vec<(String, usize)> = server.bucket("hub", |bucket| {
        let own = bucket.objects.iter().filter(|(key, _)| key.starts_with(&prefix));
        own.map(|(key, bytes)| (key[prefix.len()..].to_owned(), bytes.len()))
            .collect()
    });
    if keys.is_empty() {
        let mut said = answer(401, "");
        said.headers.push(("x-error-code".into(), "RepoNotFound".into()));
        return said;
    }
    if parts[2] == "resolve" {
        if !keys.iter().any(|(key, _)| key == within) {
            return answer(404, "");
        }
        let mut said = answer(302, "");
        said.headers.push((
            "location".into(),
            format!("{}/{prefix}{within}", server.elsewhere),
        ));
        return said;
    }
    let found: Vec<_> = keys
        .into_iter()
        .filter(|(key, _)| key.starts_with(&format!("{within}/")) || within.is_empty())
        .collect();
    let at: usize = asked
        .query
        .get("cursor")
        .and_then(|at| at.parse().ok())
        .unwrap_or(0);
    let Some((key, size)) = found.get(at) else {
        return answer(404, "");
    };
    let mut said = answer(
        200,
        format!(
            r#"[{{"type":"directory","path":"{within}"}},{{"type":"file","oid":"x","size":{size},"path":"{key}"}}]"#
        ),
    );
    if at + 1 < found.len() {
        let next = format!(
            "<{}{}?recursive=true&cursor={}>; rel=\"next\"",
            server.address,
            asked.path,
            at + 1
        );
        said.headers.push(("link".into(), next));
    }
    said
}
