"""Are the recommended names good? The bars on what parents want, over births x surnames x genders.

    python benchmarks/names.py [--births 200] [--surnames 60] [--model 300] [--rarity balanced] [--json FILE]

Every birth is asked with every surname, for a boy and for a girl: the five names of the default answer by the rule engine; with --model N about
N of them with the model too (N/10 births x ten surnames). About 17 ms an answer: 200 x 60 takes 7 minutes, 10 x 60 twenty seconds.
All counts are of given names as newborns got them (03): today: among the 160 commonest of 2024-25; dated: its share of 2024-25 is under 35% of
that of 2008-10; leaning: more births of the other gender in 2021-25; puns, notorious and public: as puns.py hears them; refused: a character
without a sense of its own or blocked. Frames are counted over the first 1,000 sentences. Distinct names are those of one surname (김) over the
births, boys and girls in turn; those of one gender alone are shown without a bar. A small run has fewer of them: bars are for 200 births.
"""
import argparse
import json
import random
import re
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path

from saju_naming.generate import recommend
from saju_naming.hanja import sense_of, senses, table
from saju_naming.names import commonest, name_use, popularity, surnames
from saju_naming.puns import heard_words, known_person

BARS = {"today": (">=", 0.80), "dated": ("<=", 0.02), "leaning": ("<=", 0.02), "puns": ("<=", 0.01), "refused": ("<=", 0.005),
        "notorious": ("<=", 0.0), "repeated image": ("<=", 0.0), "own images": (">=", 1.0), "frames": (">=", 400), "top ten frames": ("<=", 0.10),
        "distinct names": (">=", 250), "commonest name": ("<=", 0.03)}
OTHER = {"남": "여", "여": "남"}
SHARES = {"today": "요즘 이름(2024~2025년 160위 안)", "dated": "철 지난 이름", "leaning": "다른 성별이 더 받는 이름", "puns": "성과 이어 낱말로 들리는 이름",
          "refused": "권하지 않을 글자", "notorious": "널리 알려진 사건의 성명", "own images": "그림이 모두 제 글자의 것인 문장", "repeated image": "같은 그림이 되풀이된 문장"}
COUNTS = {"frames": "문장의 틀", "distinct names": "서로 다른 이름"}
TOPS = {"top ten frames": "가장 흔한 틀 열 개의 몫", "commonest name": "가장 잦은 이름의 몫"}


def births(n, seed=16):
    "Births of 2024 and 2025 at any hour, some without one."
    rng = random.Random(seed)
    found = []
    for _ in range(n):
        day = f"{rng.randint(2024, 2025)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        found.append(day if rng.random() < 0.15 else f"{day}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}")
    return found


@lru_cache
def today(gender): return frozenset(commonest(gender))


@lru_cache(maxsize=None)
def facts(given, gender):
    "What the counts say of a name: today, dated, leaning."
    return given in today(gender), popularity(given, gender).dated, name_use(given, OTHER[gender]) > name_use(given, gender)


def refused(name):
    "Whether a character of a name has no sense of its own or is blocked."
    return any(c.hanja and (sense_of(c.hanja, c.reading) is None or table()[c.hanja].blocked_as(c.reading)) for c in name.chars)


@lru_cache
def _nouns():
    "Every noun of an image → the characters that it belongs to."
    owners = {}
    for sense in senses().values():
        for image in sense.images: owners.setdefault(image.noun, set()).add(sense.hanja)
    return owners


@lru_cache
def _nouns_by_end():
    "The nouns by their last word: to find them in a sentence."
    ends = {}
    for noun in _nouns(): ends.setdefault(noun.split()[-1], []).append(noun)
    return ends


def images_in(sentence):
    "The nouns of the table that stand in a sentence, the longest where one is inside another."
    words = set(re.split(r"\s+", sentence))
    found = [noun for end, nouns in _nouns_by_end().items() if any(w.startswith(end) for w in words) for noun in nouns if noun in sentence]
    return [n for n in found if not any(n != other and n in other for other in found)]


def frame(name):
    "A sentence without its images, readings and characters: what is left is its frame."
    said = name.meaning
    for c in name.chars:
        sense = sense_of(c.hanja, c.reading) if c.hanja else None
        for image in sense.images if sense else ():
            said = said.replace(image.noun, "[그림]")
            stem = image.rest.split()[-1][:-1]
            said = re.sub(rf"\[그림\]\S*(?: \S+)*? ?{re.escape(stem)}\S*", "[그림과 말]", said) if "[그림]" in said else said
        for word in filter(None, (sense and sense.sense, c.meaning)): said = said.replace(f"{word} {c.reading}", "[훈음]")
        said = said.replace(c.hanja or c.reading, "[자]")
    return re.sub(r"[은는이가을를과와]|으로|로", "~", re.sub(r"\[자\]|'", "", said)).strip()


def measure(answers):
    "Shares over all names of `answers`: (gender, surname, Told) triples."
    seen, frames, total = Counter(), Counter(), 0
    for gender, surname, told in answers:
        for name in told.names:
            total += 1
            tags = dict(zip(("today", "dated", "leaning"), facts(name.given, gender)))
            images = images_in(name.meaning)
            own = all(_nouns()[n] & {c.hanja for c in name.chars} for n in images) and len(images) >= 1
            tags |= {"puns": bool(heard_words(surname, name.given)), "refused": refused(name), "notorious": known_person(surname, name.given) == "refused",
                     "public": known_person(surname, name.given) == "public", "own images": own, "repeated image": any(name.meaning.count(n) > 1 for n in images)}
            seen.update(tag for tag, is_so in tags.items() if is_so)
            if len(frames) < 10**6 and sum(frames.values()) < 1000: frames[frame(name)] += 1
    shares = {tag: seen[tag]/total for tag in ("today", "dated", "leaning", "puns", "refused", "notorious", "public", "own images", "repeated image")}
    return shares | {"names": total, "frames": len(frames), "top ten frames": sum(n for _, n in frames.most_common(10))/max(1, sum(frames.values()))}


def variety(moments, genders, surname):
    "How many distinct names a surname gets over the births, the genders in turn, and the share of the commonest of them."
    turns = [(moment, genders[i % len(genders)]) for i, moment in enumerate(moments)]
    names = Counter(n.given for moment, gender in turns for n in recommend(moment, gender, surname, engine=None).names)
    return {"distinct names": len(names), "commonest name": names.most_common(1)[0][1]/sum(names.values()), "top": names.most_common(3)}


def asked(moments, families, gender, **options):
    "Answers for every birth with every surname."
    for i, moment in enumerate(moments):
        if sys.stderr.isatty(): print(f"\r{gender} {i + 1}/{len(moments)}", end="", file=sys.stderr)
        for surname in families: yield gender, surname, recommend(moment, gender, surname, **options)


def met(key, value):
    "Whether a number meets its bar."
    sign, bar = BARS[key]
    return value >= bar if sign == ">=" else value <= bar


def verdict(key, value):
    "The bar and whether a number meets it, as a mark."
    return f"{BARS[key][0]} {BARS[key][1]:g} {'ok' if met(key, value) else 'MISSED'}" if key in BARS else ""


def row(who, key, value):
    "A line of benchmarks/results.md."
    count = key in COUNTS
    bar = f"{BARS[key][1]:g}개" if count else f"{BARS[key][1]*100:g}%"
    words = {**SHARES, **COUNTS, **TOPS}[key]
    note = f"목표({bar} {'이상' if BARS[key][0] == '>=' else '이하'}) {'이룸' if met(key, value) else '**못 미침**'}"
    return {"what": f"{words}, {who}", "unit": "개" if count else "%", "ours": value if count else value*100, "note": note}


def rows(results):
    "The numbers that have a bar, as lines of benchmarks/results.md."
    return [row(who, key, value) for who, found in results.items() for key, value in found.items() if key in BARS and not isinstance(value, dict)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--births", type=int, default=200)
    parser.add_argument("--surnames", type=int, default=60)
    parser.add_argument("--model", type=int, default=0, help="as many requests also with the model")
    parser.add_argument("--rarity", default="balanced")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    moments, families = births(args.births), list(surnames())[:args.surnames]
    results = {}
    for gender in "남여":
        results[gender] = measure(asked(moments, families, gender, engine=None, rarity=args.rarity))
        results[gender]["one surname"] = variety(moments, gender, "김")
        if args.model:
            few = list(asked(moments[:max(1, args.model//10)], families[:10], gender, rarity=args.rarity))
            results[f"{gender}, model"] = measure(few) | {"by model": sum(told.source == "model" for *_, told in few)/len(few)}
    results["남녀 번갈아"] = {key: value for key, value in variety(moments, "남여", "김").items() if key in BARS}
    for who, found in results.items():
        many = f"{args.surnames} surnames" if "names" in found else "one surname"
        print(f"\n{who}: {args.births} births x {many}, rarity {args.rarity}")
        for key, value in found.items(): print(f"  {key:16}{value if isinstance(value, dict) else format(value, '12.4g')}   {verdict(key, value)}")
    if args.json: args.json.write_text(json.dumps({"results": results, "rows": rows(results)}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
