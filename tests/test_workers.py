"Workers behind a line: time limits, deaths, silence in the middle of an answer, and the end in every state."
import logging, os, signal, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import psutil
import pytest
from jobs import LoadsSlowly, answer

from saju_naming import workers
from saju_naming.errors import Busy, InputError, Unavailable
from saju_naming.workers import Broken, Crew

SAMPLE = ("echo", {})
HERE = Path(__file__).parent
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def until(true, seconds=60):
    "Waits for something to become true."
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def processes():
    "The workers that live, as the system sees them."
    found = psutil.Process().children(recursive=True)
    return {p.pid for p in found if "spawn_main" in " ".join(_command(p))}


def _command(process):
    try: return process.cmdline()
    except psutil.Error: return []


@contextmanager
def crew_of(sample=SAMPLE, do=answer, loaded=1, **options):
    "A crew that has loaded, and leaves nothing behind."
    before = processes()
    crew = Crew(do, sample, **{"limit": 60} | options)
    try:
        until(lambda: len(crew.loaded()) >= loaded)
        yield crew
    finally:
        crew.stop(0)
        until(lambda: processes() <= before, 5)


@pytest.fixture(scope="module")
def crew():
    with crew_of(workers=2, loaded=2) as crew: yield crew


def taken(seconds, crew, job, **asked):
    "What came of a job that is given so many seconds: within those and not many more."
    crew.limit, begun = seconds, time.monotonic()
    try: return crew.run(job, **asked)
    except Exception as e: return e
    finally:
        crew.limit = 60
        assert time.monotonic() - begun < seconds + 10


def well(crew):
    "Everything is as at the beginning: all workers rest, nobody is inside, and they answer."
    until(lambda: crew.resting == 2 and not crew.inside and not crew.queue)
    assert crew.run("echo", number=1) == {"number": 1} and crew.ready


# what comes of a job

def test_answers_and_refusals(crew):
    assert crew.run("echo", birth="1990", 이름="서연") == {"birth": "1990", "이름": "서연"}
    for kind, error in (("input", InputError), ("gone", Unavailable), ("busy", Busy)):
        with pytest.raises(error, match="안 됩니다") as raised: crew.run("refuse", kind=kind, secret="X")
        assert type(raised.value) is error and raised.value.value == "X"
    well(crew)


SECRET = {"words": "1990-05-15"}
UNFORESEEN = [
    ("fail", SECRET, "ValueError jobs.py"), ("leave", SECRET, "SystemExit jobs.py"), ("unpicklable", {}, "workers.py"),
    ("refuse_unpicklable", {}, "workers.py"), ("unreadable", {}, "ValueError workers.py"), ("odd", {}, "workers.py"),
    ("echo", SECRET | {"x": {}.keys()}, "TypeError workers.py"), ("none such", SECRET, "KeyError jobs.py")]


@pytest.mark.parametrize("job, asked, kind", UNFORESEEN)
def test_what_nobody_foresaw_is_told_by_kind_and_place(crew, capfd, caplog, job, asked, kind):
    with caplog.at_level(logging.DEBUG), pytest.raises(Broken, match=kind) as raised: crew.run(job, **asked)
    said = capfd.readouterr()
    assert raised.value.__cause__ is raised.value.__context__ is None
    assert "1990" not in str(raised.value) + caplog.text + said.out + said.err and "Traceback" not in said.err
    well(crew)


def test_many_at_once_get_one_answer(crew):
    def one(number):
        while True:
            try: return crew.run("mark", path=os.devnull, then="echo", same="같은 답")["same"]
            except Busy as e:
                assert e.after >= 1
                time.sleep(0.02)
    with ThreadPoolExecutor(200) as pool: assert set(pool.map(one, range(200))) == {"같은 답"}
    well(crew)


def test_each_gets_its_own_answer(crew):
    with ThreadPoolExecutor(16) as pool: found = list(pool.map(lambda n: crew.run("echo", n=n)["n"], range(200)))
    assert found == [*range(200)]


# the line

def test_a_full_line_turns_away_at_once():
    with crew_of(workers=1, waiting=1) as crew, ThreadPoolExecutor() as pool:
        inside = [pool.submit(crew.run, "nap", long=0.6) for _ in range(2)]
        until(lambda: crew.inside == 2 and not crew.resting)
        assert (crew.size, crew.resting, crew.ready) == (2, 0, False)
        with pytest.raises(Busy, match="줄이 찼습니다") as full: crew.run("echo")
        assert f"{full.value.after}초 뒤에" in full.value.remedy and 1 <= full.value.after <= 60
        assert [f.result() for f in inside] == [{}, {}]
        assert crew.ready and crew.again() == 1


def test_when_to_come_again():
    line = workers.Places(workers=2, waiting=16, limit=30)
    hands = [type("Hand", (), {"loaded": True, "job": None, "kill": lambda self: None})() for _ in range(2)]
    line.workers.update(hands)
    assert line.again() == 1
    line.mean = 0.25
    inside = [line.enter(b"") for _ in range(18)]
    assert line.again() == 3   # 18 jobs of 0.25 s, two at a time
    line.mean = 100
    assert line.again() == 30
    line.mean = 2
    for job in inside: line.leave(job)
    assert line.again() == 1 and line.mean == 2   # who never had a worker says nothing of how long jobs take


# time

SILENT = {"hangs": ("hang", {}), "spins": ("spin", {}), "stopped": ("freeze", {}),
          "hangs in the middle": ("half", {"then": "hang"}), "stopped in the middle": ("half", {"then": "freeze"})}


@posix
@pytest.mark.parametrize("job, asked", SILENT.values(), ids=SILENT)
def test_a_silent_worker_is_given_up(crew, job, asked):
    before = processes()
    late = taken(0.5, crew, job, **asked)
    assert type(late) is Busy and "답을 만들지 못했습니다" in late.reason
    well(crew)
    until(lambda: len(processes()) == 2)
    assert processes() != before


@posix
def test_one_that_is_stopped_in_the_middle_holds_up_nobody(crew):
    with ThreadPoolExecutor() as pool:
        crew.limit = 1.5
        late = pool.submit(crew.run, "half", then="freeze")
        until(lambda: crew.resting == 1)
        assert [crew.run("echo", n=n)["n"] for n in range(20)] == [*range(20)]
        with pytest.raises(Busy): late.result()
        crew.limit = 60
    well(crew)


def test_waiting_counts():
    with crew_of(workers=1) as crew, ThreadPoolExecutor() as pool:
        first = pool.submit(crew.run, "nap", long=0.8)
        until(lambda: crew.inside and not crew.resting)
        late = taken(0.3, crew, "echo")
        assert type(late) is Busy and "차례가 오지 않았습니다" in late.reason and crew.inside == 1
        assert first.result() == {}


def test_a_late_answer_is_for_nobody(crew):
    for n in range(5):
        assert type(taken(0.05, crew, "nap", long=0.05, old=n)) in (Busy, dict)
        assert crew.run("echo", new=n) == {"new": n}
    well(crew)


@posix
def test_a_big_question_to_a_stopped_worker_ends_in_time():
    with crew_of(workers=1) as crew:
        os.kill(crew.run("pid"), signal.SIGSTOP)
        assert type(taken(0.5, crew, "echo", big="x"*10_000_000)) is Busy
        assert crew.run("echo", n=1) == {"n": 1}


# death

def test_a_worker_killed_at_work_loses_nothing(crew, tmp_path):
    assert crew.run("once", path=str(tmp_path/"a"), then="die") == "answered"
    with pytest.raises(Broken): crew.run("die")
    well(crew)


def test_killed_from_outside(crew, tmp_path):
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(crew.run, "once", path=str(tmp_path/"a"), then="hang")
        until(lambda: (tmp_path/"a").exists() and (tmp_path/"a").read_text().strip())
        psutil.Process(int((tmp_path/"a").read_text())).kill()
        assert asked.result() == "answered"
    well(crew)


def test_an_idle_worker_that_died_is_replaced_by_itself(crew):
    before = processes()
    psutil.Process(crew.run("pid")).kill()
    until(lambda: len(processes() - before) == 1)
    well(crew)


@posix
def test_an_idle_worker_that_is_stopped_is_found_out(crew, monkeypatch):
    monkeypatch.setattr(workers, "NOD", 1)
    stopped = crew.run("pid")
    os.kill(stopped, signal.SIGSTOP)
    assert [crew.run("echo", n=n)["n"] for n in range(8)] == [*range(8)]   # another one answers in its place
    until(lambda: stopped not in processes())
    well(crew)


@posix
def test_all_stopped(crew, monkeypatch):
    monkeypatch.setattr(workers, "NOD", 0.5)
    for process in processes(): os.kill(process, signal.SIGSTOP)
    until(lambda: taken(20, crew, "echo", n=1) == {"n": 1})
    well(crew)


@posix
def test_what_a_worker_started_does_not_hold_its_pipe(tmp_path):
    with crew_of(workers=1) as crew:
        with pytest.raises(Busy):
            crew.limit = 0.5
            crew.run("child", path=str(tmp_path/"pid"))
        crew.limit = 60
        assert crew.run("echo", n=1) == {"n": 1}
    psutil.Process(int((tmp_path/"pid").read_text())).kill()


# whether the engine answers

def test_not_ready_before_it_has_loaded():
    with crew_of(do=LoadsSlowly("hang"), loaded=0, workers=1) as crew:
        assert (crew.ready, bool(crew.fault), crew.unfit, crew.wait(0.3), crew.resting) == (False, True, None, False, 0)
        assert "차례가 오지 않았습니다" in taken(0.2, crew, "echo").reason and crew.again() >= 5


CANNOT = [("refuse", {"kind": "gone"}, Unavailable), ("refuse", {"kind": "input"}, InputError),
          ("fail", {"words": "1990"}, Unavailable)]


@pytest.mark.parametrize("job, asked, kind", CANNOT)
def test_an_engine_of_this_machine_that_cannot_begin(job, asked, kind):
    with crew_of((job, asked), workers=1) as crew:
        assert crew.wait(60) and type(crew.unfit) is kind and not crew.ready and "1990" not in str(crew.unfit)
        assert crew.run("echo", n=1) == {"n": 1}   # what needs no engine is still answered


def test_another_server_s_engine_comes_up_later(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "MEND", (0.2, 0.2))
    with crew_of(("gone_while", {"path": str(tmp_path/"up")}), workers=1, lasting=False) as crew:
        assert crew.wait(60) and crew.unfit is None and not crew.ready
        (tmp_path/"up").write_text("")
        until(lambda: crew.ready)
        (tmp_path/"up").unlink()
        with pytest.raises(Unavailable): crew.run("gone_while", path=str(tmp_path/"up"))
        assert not crew.ready
        (tmp_path/"up").write_text("")
        until(lambda: crew.ready)


def test_asking_whether_it_is_ready_starts_nothing(tmp_path):
    sample = ("mark", {"path": str(tmp_path/"asked"), "then": "refuse", "kind": "gone"})
    with crew_of(sample, workers=1, lasting=False) as crew:
        crew.wait(60)
        for _ in range(1000): assert not crew.ready
        time.sleep(0.2)
        assert crew.inside == 0 and len((tmp_path/"asked").read_text().split()) == 1


def test_a_client_s_fault_is_no_fault_of_the_engine(crew):
    with pytest.raises(InputError): crew.run("refuse", kind="input")
    with pytest.raises(Broken): crew.run("fail", words="x")
    assert crew.ready


def test_one_that_dies_while_it_loads_is_tried_again(tmp_path):
    with crew_of(("exits", {"path": str(tmp_path/"x"), "deaths": 1}), workers=1) as crew:
        assert crew.wait(1) and crew.ready and crew.unfit is None


def test_three_deaths_in_a_row_are_enough(tmp_path, caplog):
    sample = ("exits", {"path": str(tmp_path/"x"), "deaths": 99})
    with crew_of(sample, loaded=0, workers=1) as crew, ThreadPoolExecutor() as pool:
        waiting = pool.submit(crew.run, "echo")
        assert crew.wait(60) and "거듭 멈추었습니다" in str(crew.unfit) and not crew.ready
        with pytest.raises(Unavailable, match="거듭 멈추었습니다.*exit 7"): waiting.result()
        with pytest.raises(Unavailable, match="거듭 멈추었습니다"): crew.run("echo")
        assert len((tmp_path/"x").read_text().split()) == 3
    assert caplog.text.count("while it loaded") == 3


def test_an_answer_that_no_process_can_be_given():
    with crew_of(do=lambda job, asked: 1, loaded=0, workers=3) as crew:
        assert crew.wait(60) and "Error reduction.py" in str(crew.unfit)


def test_no_workers_is_an_error():
    with pytest.raises(InputError, match="workers"): Crew(answer, SAMPLE, workers=0)


# the end

LOADS, STOPS = LoadsSlowly("hang"), LoadsSlowly("freeze")
STATES = {"rests": (answer, None), "loads": (LOADS, None), "stopped as it loads": (STOPS, None)}
STATES |= {state: (answer, job) for state, job in SILENT.items()}


@posix
@pytest.mark.parametrize("do, job", STATES.values(), ids=STATES)
def test_stopping(do, job):
    before = processes()
    crew = Crew(do, SAMPLE, workers=1, limit=60)
    until(lambda: crew.resting == 1 if do is answer else processes() - before)
    with ThreadPoolExecutor() as pool:
        late = pool.submit(crew.run, job[0], **job[1]) if job else None
        until(lambda: not job or crew.inside and not crew.resting)
        begun = time.monotonic()
        crew.stop(0.3)
        assert time.monotonic() - begun < 5
        if late:
            with pytest.raises(Busy, match="멈추는 중"): late.result(1)
    assert not crew.ready and crew.inside == 0
    until(lambda: processes() <= before, 5)
    with pytest.raises(Busy, match="멈추는 중"): crew.run("echo")
    crew.stop(0)


def test_stopping_lets_answers_finish():
    with crew_of(workers=1) as crew, ThreadPoolExecutor() as pool:
        inside = [pool.submit(crew.run, "nap", long=0.5, n=n) for n in range(2)]
        until(lambda: crew.inside == 2)
        crew.stop(60)
        assert [f.result(0.5)["n"] for f in inside] == [0, 1]


def test_a_second_stop_is_not_kept_waiting():
    with crew_of(workers=1) as crew, ThreadPoolExecutor() as pool:
        late, first = pool.submit(crew.run, "hang"), pool.submit(crew.stop, 60)
        until(lambda: not crew.open)
        crew.stop(0)
        first.result(5)
        assert type(late.exception(5)) is Busy


def test_stopping_at_every_moment_of_the_beginning():
    before = processes()
    for moment in range(5):
        crew = Crew(answer, SAMPLE, workers=2)
        time.sleep(moment/30)
        crew.stop(0)
    until(lambda: processes() <= before, 5)


def test_stopping_while_a_worker_is_being_started(monkeypatch):
    before, begun, go = processes(), Event(), Event()

    class Late(workers.Worker):
        def __init__(self, *asked):
            super().__init__(*asked)
            begun.set()
            go.wait(60)
    monkeypatch.setattr(workers, "Worker", Late)
    crew = Crew(LOADS, SAMPLE)
    assert begun.wait(60)
    crew.stop(0)
    go.set()
    until(lambda: processes() <= before, 5)


SCRIPT = f"""
import signal, sys, time
sys.path.insert(0, {str(HERE)!r})
from jobs import LoadsSlowly, answer
from threading import Thread
from saju_naming.workers import Crew
if __name__ == "__main__":
    """


@contextmanager
def program(*lines):
    "A program of its own that has a crew; nothing of it is left at the end."
    command = [sys.executable, "-c", SCRIPT + "\n    ".join(lines)]
    both = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    running = subprocess.Popen(command, text=True, start_new_session=True, **both)
    try: yield running
    finally:
        with suppress(ProcessLookupError): os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=60)


def ends(running, words):
    "It ends by itself, well, and said just these words more."
    said, _ = running.communicate(timeout=30)
    assert (running.returncode, said) == (0, words)


@posix
@pytest.mark.parametrize("job, asked", [("pid", {}), ("freeze", {}), ("hang", {}), ("half", {"then": "freeze"})])
def test_a_crew_that_nobody_stops_does_not_hold_up_the_end(job, asked):
    crew = "crew = Crew(answer, ('echo', {}), workers=2)"
    give = f"Thread(target=crew.give, args=({job!r}, {asked!r}), daemon=True).start()"
    with program(crew, "crew.wait(60)", give, "time.sleep(0.2)", "print('end')") as running: ends(running, "end\n")


@posix
def test_a_worker_that_no_kill_ends_does_not_hold_up_the_end():
    "It is inside a call of the system that does not end, as on a disk that is gone: multiprocessing would wait for it."
    deaf = "process.kill = process._popen.terminate = lambda: None"
    give = "Thread(target=crew.give, args=('hang', {}), daemon=True).start()"
    with program("crew = Crew(answer, ('echo', {}))", "crew.wait(60)", "process = next(iter(crew.workers)).process", deaf,
                 give, "time.sleep(0.2)", "crew.stop(0)", "print('end')") as running: ends(running, "end\n")


@posix
def test_a_crew_that_loads_does_not_hold_up_the_end():
    crew = "crew = Crew(LoadsSlowly('freeze'), ('echo', {}), workers=2)"
    with program(crew, "time.sleep(0.2)", "print('end')") as running: ends(running, "end\n")


@posix
@pytest.mark.parametrize("moment", [0, 0.05, 0.15, 0.6])
def test_what_stops_the_whole_group_is_heard_by_the_server_alone(moment):
    "Ctrl-C in a terminal, or a service manager's SIGTERM: while the workers are started, import, load and rest."
    hear = "heard = [signal.signal(n, lambda *_: None) for n in (signal.SIGINT, signal.SIGTERM)]"
    crew, asked = "crew = Crew(answer, ('echo', {}), workers=2)", "print(crew.run('echo', n=1), flush=True)"
    begun, pause = "print('begun', flush=True)", f"time.sleep({moment + 0.2})"
    with program(hear, crew, begun, pause, asked, "crew.stop(5)") as running:
        assert running.stdout.readline() == "begun\n"
        time.sleep(moment)
        for number in (signal.SIGINT, signal.SIGTERM): os.killpg(running.pid, number)
        ends(running, "{'n': 1}\n")


@posix
@pytest.mark.parametrize("job", ["echo", "hang", "spin"])
def test_workers_end_with_the_server(job):
    crew, asked = "crew = Crew(answer, ('echo', {}), workers=1)", f"crew.give({job!r}, {{}})"
    with program(crew, "print(crew.run('pid'), flush=True)", asked, "time.sleep(60)") as running:
        worker = psutil.Process(int(running.stdout.readline()))
        time.sleep(0.2)
        running.kill()
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 10)
