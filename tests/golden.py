"""Golden answers: births x options with the pillars, the plan and the names they get.
A change of one is a decision, shown in the change.

    python tests/golden.py            # what differs from golden.json
    python tests/golden.py --write    # writes golden.json anew

The names are the rule engine's (`rank_names`), so that no model is needed. CHECKS are names that somebody already bears:
they pin what a recommendation never shows (names of another decade or gender, characters that are doubted or warned of).
"""
import json
import sys
from pathlib import Path

from saju_naming.naming import check_name, rank_names

HERE = Path(__file__).parent/"golden.json"
CASES = {  # 이름 → birth, gender, surname, options
    "plain, a girl": ("1990-05-15T14:30", "여자", "김", {}),
    "plain, a boy": ("2024-02-04T18:00", "남자", "이", {"count": 3}),
    "unknown hour": ("1990-05-15", "여자", "박", {"count": 3}),
    "two-syllable surname": ("2001-11-07T09:10", "남자", "남궁", {}),
    "a minute before 입춘": ("2024-02-04T17:26", "여자", "최", {"count": 3}),
    "the year 1912": ("1912-08-30T05:00", "남자", "정", {"count": 3}),
    "summer time": ("1988-07-01T12:00", "여자", "강", {"count": 3}),
    "lunar": ("1990-04-21T14:30", "여자", "조", {"lunar": True, "count": 3}),
    "lunar leap month": ("1966-03-01T08:00", "남자", "윤", {"lunar": True, "leap": True, "count": 3}),
    "a birthplace": ("1988-07-01T12:00", "여자", "강", {"place": "평양", "count": 3}),
    "a zone and a longitude": ("1990-05-15T14:30", "여자", "임", {"tz": "Asia/Shanghai", "longitude": 121.47, "count": 3}),
    "apparent solar time": ("1990-11-03T15:20", "남자", "한", {"solar": "apparent", "count": 3}),
    "clock time": ("1990-05-15T15:10", "여자", "오", {"solar": "clock", "count": 3}),
    "the day turns at 23": ("1990-05-15T23:50", "남자", "서", {"rat": "next", "count": 3}),
    "the day turns at midnight": ("1990-05-15T23:50", "여자", "신", {"rat": "midnight", "count": 3}),
    "Hanja of the surname": ("2015-01-01T00:10", "남자", "정", {"surname_hanja": "丁", "count": 3}),
    "a surname outside the table": ("2005-10-01T21:26", "여자", "학", {"surname_hanja": "郝", "count": 3}),
    "a surname without Hanja": ("2010-10-10T10:10", "남자", "즙", {"count": 3}),
    "a rare surname": ("1977-07-07T07:07", "여자", "황보", {"count": 3}),
    "one syllable": ("1990-05-15T14:30", "남자", "남궁", {"length": 1}),
    "a generation syllable": ("2019-03-03T03:30", "여자", "김", {"fixed_syllable": "린", "position": "second"}),
    "a generation character": ("2024-02-04T18:00", "남자", "박", {"fixed_syllable": "準", "position": "first"}),
    "a rare generation syllable": ("1999-09-09T09:09", "남자", "김", {"fixed_syllable": "률", "count": 8}),
    "a doubtful generation character": ("1995-01-20T06:30", "여자", "류", {"fixed_syllable": "衍", "position": "second", "count": 8}),
    "siblings": ("2024-02-04T18:00", "남자", "이", {"siblings": ["서준", "이서윤"]}),
    "parents": ("1990-05-15T14:30", "여자", "김", {"parents": ["김 하윤", "박유주"], "count": 3}),
    "left out": ("1990-05-15T14:30", "여자", "김", {"exclude": ["윤", "柳", "수빈"], "count": 4}),
    "gender-neutral": ("2021-06-21T12:00", "남자", "홍", {"gender_neutral": True}),
    "common names": ("2024-02-04T18:00", "여자", "김", {"rarity": "common", "count": 4}),
    "rare names": ("2024-02-04T18:00", "남자", "박", {"rarity": "rare", "count": 4}),
    "names of an older era": ("1990-05-15T14:30", "여자", "이", {"era": "2000s", "count": 4}),
    "names of the years before": ("1990-05-15T14:30", "여자", "이", {"era": "2010s", "count": 4}),
    "Hangul only": ("1990-05-15T14:30", "여자", "김", {"hangul_only": True}),
    "Hangul only, the other school": ("1990-05-15T14:30", "여자", "김", {"hangul_only": True, "school": "unhae"}),
    "the other school": ("2008-08-08T20:08", "남자", "문", {"school": "unhae"}),
    "a last 라": ("2012-12-12T12:12", "여자", "김", {"fixed_syllable": "라", "position": "second", "count": 3}),
    "a generation syllable of several elements": ("2006-06-04T11:25", "남자", "김", {"fixed_syllable": "서"}),
    "eight in Hangul": ("1932-02-25T12:00", "남자", "박", {"hangul_only": True, "count": 8}),
    "many in Hangul": ("2006-09-14T08:19", "여자", "최", {"hangul_only": True, "count": 30}),
    "weighted by the season": ("1976-09-08T07:44", "남자", "전", {"mode": "weighted", "count": 3}),
    "weighted by spring": ("2010-02-23T17:04", "여자", "고", {"mode": "weighted", "count": 3}),
    "weighted, a tie": ("2005-10-01T21:26", "여자", "배", {"mode": "weighted", "count": 3}),
    "weighted, another tie": ("2027-11-01T16:16", "남자", "백", {"mode": "weighted", "count": 3}),
    "yongsin": ("1990-05-15T14:30", "여자", "허", {"mode": "yongsin", "count": 3}),
    "yongsin, four helpers against the month": ("1995-03-13T17:55", "남자", "허", {"mode": "yongsin", "count": 3}),
    "yongsin, two helpers with the month": ("1995-04-27T22:57", "여자", "허", {"mode": "yongsin", "count": 3}),
    "yongsin, three helpers, the month helps": ("1995-03-06T21:31", "남자", "허", {"mode": "yongsin", "count": 3}),
    "yongsin, three helpers, the month does not": ("1995-03-02T18:52", "여자", "허", {"mode": "yongsin", "count": 3}),
    "johu": ("1990-12-15T14:30", "남자", "유", {"mode": "johu", "count": 3}),
    "a seed": ("1990-05-15T14:30", "여자", "김", {"seed": 7, "count": 20}),
    "many": ("2024-02-04T18:00", "여자", "김", {"count": 30}),
    "many with a generation syllable": ("2024-02-04T18:00", "여자", "김", {"fixed_syllable": "민", "count": 24}),
    "wanted with its place": ("2024-02-04T18:00", "여자", "김", {"wanted": ["서:첫", "瑞"], "count": 4}),
    "wanted twice": ("2024-02-04T18:00", "여자", "김", {"wanted": ["서", "연:끝"]}),
    "first sounds, ending open": ("2024-02-04T18:00", "남자", "박", {"sounds": ["ㅅ", "ㅈ"], "ending": "open", "count": 4}),
    "sounds to avoid, ending closed": ("1990-05-15T14:30", "여자", "최", {"avoid_sounds": ["ㅎ", "윤"], "ending": "closed", "count": 4}),
    "no finals at all": ("2021-06-21T12:00", "여자", "홍", {"ending": "none", "count": 4}),
    "relatives' syllables": ("2024-02-04T18:00", "여자", "김", {"avoid_relatives": ["김하윤", "이지은(李知恩)", "金永洙"], "count": 4}),
    "a brother without a shared syllable": ("2024-02-04T18:00", "남자", "이", {"siblings": ["하루"], "count": 4}),
    "sisters who have the best names": ("1990-05-15T14:30", "여자", "김", {"siblings": ["김하윤", "유진"], "count": 3}),
}
CHECKS = {  # 성명 → 한자, options
    "김경자": ("金敬子", {"gender": "여자"}),
    "김순호": ("金順浩", {"gender": "남자"}),
    "김영자": ("金英子", {"gender": "여자"}),
    "박철수": ("朴哲洙", {"gender": "남자"}),
    "이정희": ("李貞姬", {"gender": "여자"}),
    "김미경": ("金美京", {"gender": "여자"}),
    "최은정": ("崔恩廷", {"gender": "여자"}),
    "정지훈": ("鄭智勳", {"gender": "남자"}),
    "박서연": ("朴瑞淵", {"gender": "남자"}),
    "이민준": ("李敏俊", {"gender": "여자"}),
    "김도휘": ("金道輝", {"gender": "남자"}),
    "한나희": ("韓娜姬", {"gender": "남자"}),
    "조성우": ("趙成祐", {"gender": "남자"}),
    "김사자": ("金死者", {}),
    "오하늘": (None, {}),
    "김온새미로": (None, {}),
    "윤륵뷁": (None, {}),
    "남궁서연": ("南宮瑞淵", {}),
}


def answer(birth, gender, surname, options):
    "What a case gets: pillars, plan, and names with their scores."
    found = rank_names(birth, gender, surname, **options)
    asked = {"birth": birth, "gender": gender, "surname": surname, **options}
    return {"asked": asked, "pillars": " ".join(found.analysis.pillars), "plan": "·".join(found.analysis.plan),
            "names": [f"{n} {n.score:.2f}" for n in found.names]}


def checked(name, hanja, options):
    "What a name that somebody bears gets: its score and the parts of it."
    found = check_name(name, hanja, **options).name
    return {"asked": {"name": name, "hanja": hanja, **options}, "score": found.score, "parts": found.parts}


def answers():
    "Every golden answer, by the name of its case."
    made = {name: answer(*case) for name, case in CASES.items()}
    made |= {name: checked(name, *case) for name, case in CHECKS.items()}
    return json.loads(json.dumps(made, ensure_ascii=False))


def kept():
    "The golden answers as they were decided."
    return json.loads(HERE.read_text(encoding="utf-8"))


def without(these, those):
    "What of a list another list lacks; anything else as it is."
    if not isinstance(these, list) or not isinstance(those, list): return these
    return [x for x in these if x not in those]


def difference(name, old, new):
    "How an answer differs from the golden one, a line for each thing."
    lines = [f"{name}: {(new or old)['asked']}"]
    for field in dict.fromkeys([*(old or {}), *(new or {})]):
        was, now = (old or {}).get(field), (new or {}).get(field)
        if was == now: continue
        gone, came = without(was, now), without(now, was)
        if gone or came: lines += [f"  - {field}: {gone}", f"  + {field}: {came}"]
        else: lines.append(f"  ~ {field}: {now} (the order was {was})")
    return "\n".join(lines) if len(lines) > 1 else ""


def differences(old, new):
    "Every difference, as text; '' when all answers are the golden ones."
    told = [difference(name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])]
    return "\n".join(filter(None, told))


def main():
    "Shows what differs; with --write keeps the answers of today."
    new = answers()
    print(differences(kept() if HERE.exists() else {}, new) or "모두 같습니다.")
    if "--write" not in sys.argv[1:]: return
    rows = ",\n".join(json.dumps({name: made}, ensure_ascii=False)[1:-1] for name, made in new.items())
    HERE.write_text("{\n" + rows + "\n}\n", encoding="utf-8")


if __name__ == "__main__": main()
