"""Native names (순우리말 이름) with surnames: what is heard, and that the table leaves no name that most surnames spoil"""
from saju_naming.names import native, pure_names, surnames
from saju_naming.puns import teasing

COMMON = list(surnames())[:60]

def test_teasing_words_with_a_surname_are_heard():
    told = {full: teasing(full[0], full[1:]) for full in ("노예봄", "피빛나", "안해솔", "방구름", "구라온", "이별하", "조루다")}
    assert all(told.values()), told
    assert all(native(full[1:]) for full in told)

def test_no_native_name_is_spoilt_by_many_surnames():
    spoilt = {n.name: [s for s in COMMON if teasing(s, n.name)] for n in pure_names()}
    assert not {name: by for name, by in spoilt.items() if len(by) > len(COMMON)/5}

def test_native_names_say_what_they_are():
    for n in pure_names():
        found = native(n.name)
        assert found.meaning == n.meaning and len(found.images) >= 2, n.name
        assert "한자" not in found.meaning or n.name == "설", n.name
