"""Prose of the docs has one sentence a line, so that a change of one sentence is a change of one line.

``python tools/check_sentences.py FILES`` prints the lines with more, or with less, and fails.
Left out: code, tables, HTML, headings, and what a changelog says of versions that are out.
"""

import re
import sys
from pathlib import Path

# A sentence ends with a mark, perhaps in brackets or emphasis, and another begins.
END = re.compile(r"(?<=[.!?])[)\"*]*\s+(?=[(\"*`\[]*[A-Z0-9`(\[–-])")
# What ends with a point and is no sentence: abbreviations, initials, the number of an item, the name of a paragraph.
NO_END = re.compile(r"(\b(e\.g|i\.e|cf|vs|al|Fig|No|pp?|[A-Z])\.|^\s*\d+\.|^\*\*[^*]*\.\*\*)$")
NO_PROSE = re.compile(r"^(#|\||<|!\[| {4,}|\t)")
ITEM = re.compile(r"^\s*([-*]|\d+\.) ")
RELEASED = re.compile(r"^## \d")


def prose(text):
    """Number and text of every line of prose, and whether it goes on from the line before."""
    is_code, goes_on = False, False
    for number, line in enumerate(text.splitlines(), 1):
        if RELEASED.match(line):
            return
        is_code ^= line.startswith("```")
        if is_code or line.startswith("```") or not line.strip() or NO_PROSE.match(line):
            goes_on = False
            continue
        yield number, line, goes_on and not ITEM.match(line)
        goes_on = True


def sentences(line):
    """The sentences of a line of prose."""
    found, start = [], 0
    for match in END.finditer(line):
        sentence = line[start : match.end()].rstrip()
        is_code = line[: match.start()].count("`") % 2 == 1
        if not is_code and not NO_END.search(sentence):
            found.append(sentence)
            start = match.end()
    return [*found, line[start:]]


def is_whole(line):
    """Whether a line ends as a sentence, or with what leads to a list, does."""
    return bool(re.search(r"[.!?:][)\"*`]*$", line.rstrip()))


def check(name):
    """What is wrong with a file, one text a line."""
    wrong, before = [], ""
    for number, line, goes_on in prose(Path(name).read_text(encoding="utf-8")):
        if goes_on and not is_whole(before):
            wrong.append(f"{name}:{number}: goes on with the sentence of the line before")
        if len(sentences(line)) > 1:
            wrong.append(f"{name}:{number}: {len(sentences(line))} sentences; one a line would be right")
        before = line
    return wrong


def main(names):
    """Check files."""
    wrong = [text for name in names for text in check(name)]
    sys.stdout.write("".join(f"{text}\n" for text in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
