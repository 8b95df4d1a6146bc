//! Checks a body against the Hub's tag: git's blob hash (SHA-1) for small files, SHA-256 for large ones.
//!
//! SHA-1 (RFC 3174) is used to detect incomplete bodies, not forged ones.

/// Whether `body` hashes to `tag`; `None` where the tag is of neither kind, so that nothing can be checked.
pub(crate) fn agrees(body: &[u8], tag: &str) -> Option<bool> {
    if !tag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match tag.len() {
        40 => Some(git_blob(body).eq_ignore_ascii_case(tag)),
        64 => Some(sha256(body).eq_ignore_ascii_case(tag)),
        _ => None,
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(body: &[u8]) -> String {
    catalog::sha256(body)
}

/// Git's blob hash: SHA-1 of `blob LENGTH\0` followed by the bytes.
pub(crate) fn git_blob(body: &[u8]) -> String {
    let mut whole = format!("blob {}\0", body.len()).into_bytes();
    whole.extend_from_slice(body);
    catalog::hex(&sha1(&whole))
}

fn sha1(message: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    let mut blocks = message.chunks_exact(64);
    for block in &mut blocks {
        mix(&mut state, block);
    }
    let rest = blocks.remainder();
    let mut last = [0_u8; 128];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    let end = if rest.len() < 56 { 64 } else { 128 };
    last[end - 8..end].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    for block in last[..end].chunks_exact(64) {
        mix(&mut state, block);
    }
    let mut out = [0; 20];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// Processes one block of 64 bytes.
fn mix(state: &mut [u32; 5], block: &[u8]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
    }
    for at in 16..80 {
        words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (at, word) in words.into_iter().enumerate() {
        let (choice, constant) = match at {
            0..20 => (b & c | !b & d, 0x5A82_7999),
            20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
            40..60 => (b & c | b & d | c & d, 0x8F1B_BCDC),
            _ => (b ^ c ^ d, 0xCA62_C1D6_u32),
        };
        let next = a
            .rotate_left(5)
            .wrapping_add(choice)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    for (sum, value) in state.iter_mut().zip([a, b, c, d, e]) {
        *sum = sum.wrapping_add(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_of_rfc_3174() {
        assert_eq!(
            catalog::hex(&sha1(b"abc")),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert_eq!(
            catalog::hex(&sha1(b"")),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        );
        let text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(
            catalog::hex(&sha1(text)),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        );
        assert_eq!(
            catalog::hex(&sha1(&vec![b'a'; 1_000_000])),
            "34aa973cd4c4daa4f61eeb2bdbad27316534016f"
        );
    }

    #[test]
    fn the_empty_blob_has_the_name_git_gives_it() {
        assert_eq!(git_blob(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    }

    #[test]
    fn a_cut_body_disagrees() {
        let body = b"{\"hidden_size\": 768}\n";
        let tag = git_blob(body);
        assert_eq!(agrees(body, &tag), Some(true));
        assert_eq!(agrees(&body[..body.len() / 2], &tag), Some(false));
        assert_eq!(agrees(body, &sha256(body)), Some(true));
        assert_eq!(agrees(body, "5-abc"), None);
        assert_eq!(agrees(body, "abc"), None);
    }
}
