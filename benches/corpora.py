"""The corpora of styles that come with the program, made from what Debian carries and from this repository.

    python3 benches/corpora.py FOLDER

FOLDER holds, unpacked by `dpkg -x` or `tar`: bible-kjv (its program prints the text of bible-kjv-text), miscfiles, metamath-databases,
r-cran-janeaustenr, the source of snappy (its testdata), and `CC-BY-SA-4.0.txt`, the licence's own text. Each corpus becomes
crates/mechanism/src/corpora/NAME.txt: texts with a line of one % after each; SOURCES.md beside them says what is whose. Texts are
paragraphs taken at even distances, white space made even; nothing is drawn at random.
"""

import gzip
import re
import struct
import subprocess
import sys
import unicodedata
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
OUT = HERE / "crates/mechanism/src/corpora"
# Bytes of a corpus, and of a text.
WANTED = 66_000
SHORTEST, LONGEST = 300, 900


def clean(text):
    """One paragraph on one line, in NFC, with plain quotes and dashes."""
    text = unicodedata.normalize("NFC", text)
    for old, new in [("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"'), ("\u2014", "--"), ("\u00a0", " ")]:
        text = text.replace(old, new)
    return " ".join(text.split())


def joined(paragraphs, shortest=SHORTEST, longest=LONGEST, between=" "):
    """Paragraphs that follow each other, joined until they are long enough; what is too long is passed over."""
    texts, open_text = [], ""
    for paragraph in paragraphs:
        open_text = f"{open_text}{between}{paragraph}" if open_text else paragraph
        if len(open_text) >= shortest:
            if len(open_text) <= longest:
                texts.append(open_text)
            open_text = ""
    return texts


def evenly(texts, wanted):
    """Texts at even distances, about `wanted` bytes of them."""
    mean = sum(len(text.encode()) for text in texts) / len(texts)
    n = min(len(texts), round(wanted / mean))
    return [texts[at * len(texts) // n] for at in range(n)]


def paragraphs(text):
    return [clean(part.replace("_", "")) for part in re.split(r"\n\s*\n", text.replace("\r", ""))]


def plain(folder):
    """Proceedings of a workshop, in the words of the Library of Congress: running prose, no headings, lists or notes."""
    text = next(folder.glob("**/testdata/lcet10.txt")).read_text("latin-1")
    body = text[text.index("WELCOME"):text.index("Appendix I:", len(text) // 2)]
    # Speakers stand in capitals.
    body = re.sub(r"\b[A-Z]{5,}\b", lambda word: word.group().capitalize(), body)
    is_prose = lambda p: p.endswith(".") and " * " not in p and "+++" not in p and p[:1].isupper() and p.count(";") < 6
    return evenly(joined(filter(is_prose, paragraphs(body))), WANTED)


def archaic(folder):
    """The King James Bible, As You Like It and Paradise Lost, a third each."""
    program = next(folder.glob("**/usr/bin/bible"))
    data = next(folder.glob("**/usr/lib/bible.data")).parent
    books = ["Gen1:1-31:55", "Psa1:1-150:6", "Pro1:1-31:31", "Isa1:1-66:24", "Mat1:1-28:20", "Rom1:1-16:27"]
    verses = []
    for book in books:
        done = subprocess.run([program, "-f", "-l1000", "-p", str(data), book], capture_output=True, text=True)
        # "Ge1:1 In the beginning": the place stands before the words.
        verses += [clean(line.split(" ", 1)[1]) for line in done.stdout.splitlines() if " " in line]
    testdata = next(folder.glob("**/testdata/asyoulik.txt")).parent
    play = (testdata / "asyoulik.txt").read_text("latin-1")
    speeches = []
    for part in re.split(r"\n\n+", play[play.index("ACT I"):]):
        found = re.match(r"^([A-Z][A-Z ]+)\t(.*)", part, re.S)
        if found:
            said = re.sub(r"\[[^\]]*\]", "", found.group(2))
            speeches.append(clean(said))
    milton = (testdata / "plrabn12.txt").read_text("latin-1")
    lines = [clean(line) for line in milton.splitlines() if len(line) > 20 and not line.isupper()]
    third = WANTED // 3
    return [text for texts in (joined(verses), joined(speeches), joined(lines[40:])) for text in evenly(texts, third)]


def mathematical(folder):
    """What set.mm says of its definitions and theorems, in words; formulas stand in its own notation."""
    text = next(folder.glob("**/databases/set.mm")).read_text("ascii")
    # From the real numbers on; before them stand logic and how to read the file.
    text = text[text.index("REAL AND COMPLEX NUMBERS"):]
    comments = [clean(found) for found in re.findall(r"\$\(\s(.*?)\s\$\)", text, re.S)]
    texts = []
    for comment in comments:
        comment = re.sub(r"\(Contributed by .*$|\(Proof shortened .*$|\(New usage .*$|\(Revised by .*$", "", comment).strip()
        comment = re.sub(r"\s*~\s+([\w.-]+)", r" \1", comment).replace("` ", "").replace(" `", "").replace("`", "")
        comment = comment.replace("_", "")
        about = re.search(r"theorem|lemma|proof|set|function|group|number|integral|limit|finite|space|order|prime", comment, re.I)
        if SHORTEST <= len(comment) <= LONGEST and about and not re.search(r"http|\[|=-=-|#\*#|-\.-\.|####|metamath|mmj2|set\.mm|deprecated|obsolete|syntax|discourage|todo|dandysum|mathbox", comment, re.I) and comment.endswith((".", ")")):
            texts.append(comment)
    return evenly(texts, WANTED)


def legal(folder):
    """The constitution and the declaration of independence of the United States, and a Creative Commons licence."""
    state = next(folder.glob("**/share/state/us-constitution.gz")).parent
    constitution = gzip.decompress((state / "us-constitution.gz").read_bytes()).decode("latin-1")
    declaration = gzip.decompress((state / "us-declaration.gz").read_bytes()).decode("latin-1")
    licence = (folder / "CC-BY-SA-4.0.txt").read_text("utf-8")
    texts = []
    for source in (constitution, declaration[: declaration.index("our sacred Honor") + 18], licence):
        parts = [part for part in paragraphs(source) if len(part) > 40]
        texts += joined(parts, longest=2000)
    return texts


def dialogue(folder):
    """Talk in novels of Jane Austen: paragraphs that follow each other and are spoken."""
    store = next(folder.glob("**/janeaustenr/data/Rdata.rdb")).read_bytes()
    place, texts = 0, []
    while place < len(store):
        opened = zlib.decompressobj()
        raw = opened.decompress(store[place + 4:])
        place = len(store) - len(opened.unused_data)
        texts += joined_talk(strings(raw))
    return evenly(texts, WANTED)


def strings(raw):
    """The lines of a serialised vector of strings of R."""
    at, lines = raw.index(b"\x00\x04\x00\t"), []
    while at + 8 <= len(raw) and raw[at + 2:at + 4] == b"\x00\t":
        (length,) = struct.unpack(">i", raw[at + 4:at + 8])
        lines.append(raw[at + 8:at + 8 + length].decode("utf-8") if length > 0 else "")
        at += 8 + max(length, 0)
    return lines


def joined_talk(lines):
    texts, open_text = [], []
    for paragraph in paragraphs("\n".join(lines)) + [""]:
        is_said = paragraph.startswith('"') and paragraph.count('"') % 2 == 0 and len(paragraph) < 400
        if is_said:
            open_text.append(paragraph)
        together = "\n".join(open_text)
        if len(together) >= SHORTEST or not is_said:
            if len(open_text) >= 3 and SHORTEST <= len(together) <= LONGEST:
                texts.append(together)
            open_text = []
    return texts


def code(_):
    """Functions of this repository: Rust, Python, CUDA and SQL as they stand in it."""
    files = [*HERE.glob("crates/*/src/**/*.rs"), *HERE.glob("benches/*.py"), *HERE.glob("oracles/*.py"), *HERE.glob("crates/**/*.cu")]
    texts = []
    for path in sorted(files):
        if "corpora" in path.parts or path.name == "corpora.py":
            continue
        text = path.read_text("utf-8")
        parts = [part for part in re.split(r"\n\n+", text) if not part.lstrip().startswith(("//!", '"""', "use "))]
        is_code = lambda part: part.count("\n    ") >= 3 and re.search(r"^(pub |fn |def |impl |struct |for |async |__global__|#\[|///)", part)
        texts += [part for part in map(str.rstrip, parts) if SHORTEST <= len(part) <= LONGEST and part.isascii() and is_code(part)]
    return evenly(texts, WANTED)


def main():
    folder = Path(sys.argv[1])
    for make in (plain, mathematical, archaic, code, legal, dialogue):
        texts = list(dict.fromkeys(make(folder)))
        written = "".join(f"{text}\n%\n" for text in texts)
        (OUT / f"{make.__name__}.txt").write_text(written, "utf-8")
        print(f"{make.__name__}: {len(texts)} texts, {len(written.encode())} bytes")


if __name__ == "__main__":
    main()
