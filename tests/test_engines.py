"Engines that break: damaged folders, servers that are silent or say no, and what an evaluation makes of it."
import json, os, pickle, shutil, socket, subprocess, sys
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest
from saju_naming import generate
from saju_naming.errors import InputError, Unavailable
from saju_naming.evaluation import OUTAGES, collect, evaluate_engine, load_benchmark
from saju_naming.generate import SHIPPED, EmbeddedEngine, OpenAIEngine, ask, grammar, literal, load_engine, recommend

PERSON = ("1990-05-15T14:30", "여자", "김")
ASKED = ("--birth", PERSON[0], "--gender", PERSON[1], "--surname", PERSON[2])
NAMES = "한국 여자 이름 지어줘"
BROKEN = "모델 폴더가 망가졌습니다("


def copied(source, folder):
    "A model folder whose files may be replaced; large ones are shared."
    folder.mkdir()
    for file in source.iterdir():
        try: os.link(file, folder/file.name)
        except OSError: shutil.copy(file, folder)
    return folder


def put(folder, name, data):
    "Replaces a file, never through the link to the shipped one."
    (folder/name).unlink()
    if data is not None: (folder/name).write_bytes(data)


def cut(name, share): return lambda folder: put(folder, name, (folder/name).read_bytes()[:int((folder/name).stat().st_size*share)])


def gone(name): return lambda folder: put(folder, name, None)


def filled(name, data): return lambda folder: put(folder, name, data)


def edited(name, change):
    def damage(folder):
        settings = json.loads((folder/name).read_text(encoding="utf-8"))
        change(settings)
        put(folder, name, json.dumps(settings).encode())
    return damage


def genai(*path, value=None):
    "genai_config.json with one value changed, or taken out."
    def change(settings):
        *way, last = path
        for key in way: settings = settings[key]
        settings.pop(last) if value is None else settings.update({last: value})
    return edited("genai_config.json", change)


def smaller(settings): settings["model"].update(vocab=dict(list(settings["model"]["vocab"].items())[:5000]), merges=[])


def larger(settings): settings["model"]["vocab"].update({f"zz{i}": 20_000 + i for i in range(9)})


def without_turns(settings): settings["added_tokens"] = [t for t in settings["added_tokens"] if "turn" not in t["content"]]


DAMAGE = {
    "graph cut": cut("model.onnx", 0.4), "graph empty": filled("model.onnx", b""), "graph of another kind": filled("model.onnx", b"hello"*99), "graph gone": gone("model.onnx"),
    "weights cut": cut("model.onnx.data", 0.5), "weights a little cut": cut("model.onnx.data", 0.999), "weights gone": gone("model.onnx.data"),
    "settings gone": gone("genai_config.json"), "settings cut": cut("genai_config.json", 0.5), "settings no text": filled("genai_config.json", b"\xff\xfe\0"),
    "settings a list": filled("genai_config.json", b"[]"), "settings empty": filled("genai_config.json", b"{}"), "settings deep": filled("genai_config.json", b"["*200_000),
    "no model": filled("genai_config.json", b'{"model": null}'), "no end": genai("model", "eos_token_id"), "no size": genai("model", "vocab_size"), "no context": genai("model", "context_length"),
    "no decoder": genai("model", "decoder"), "end a word": genai("model", "eos_token_id", value="x"), "end beyond": genai("model", "eos_token_id", value=[99_999]),
    "size small": genai("model", "vocab_size", value=100), "size large": genai("model", "vocab_size", value=50_000), "context 0": genai("model", "context_length", value=0),
    "context short": genai("model", "context_length", value=100), "kind": genai("model", "type", value="zzz"),
    "input": genai("model", "decoder", "inputs", "input_ids", value="x"), "output": genai("model", "decoder", "outputs", "logits", value="x"),
    "tokenizer gone": gone("tokenizer.json"), "tokenizer cut": cut("tokenizer.json", 0.3), "tokenizer a word": filled("tokenizer.json", b"hello"), "tokenizer empty": filled("tokenizer.json", b"{}"),
    "tokenizer no text": filled("tokenizer.json", b"\xff\xfe\0"), "tokenizer small": edited("tokenizer.json", smaller), "tokenizer large": edited("tokenizer.json", larger),
    "tokenizer without turns": edited("tokenizer.json", without_turns)}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_is_one_sentence(tmp_path, damage, capfd):
    damage(copied(SHIPPED, tmp_path/"model"))
    with pytest.raises(Unavailable) as said: EmbeddedEngine(tmp_path/"model")
    assert said.value.field == "model" and said.value.reason.startswith(BROKEN) and "\n" not in str(said.value)
    assert str(tmp_path) not in said.value.reason, "a reason may be shown to strangers"
    assert capfd.readouterr() == ("", ""), "the runtime says nothing of its own"


def test_a_whole_copy_answers(tmp_path): assert EmbeddedEngine(copied(SHIPPED, tmp_path/"model")).generate(NAMES, max_tokens=8)


@pytest.fixture
def damaged(tmp_path):
    "A damaged copy of the shipped model."
    DAMAGE["graph cut"](copied(SHIPPED, tmp_path/"model"))
    return str(tmp_path/"model")


def command(capsys, *words, typed=""):
    "(exit status, stdout, stderr) of a command."
    from saju_naming.cli import main
    with pytest.MonkeyPatch.context() as patch:
        stdin = StringIO(typed)
        stdin.reconfigure = lambda **_: None
        patch.setattr(sys, "stdin", stdin)
        with pytest.raises(SystemExit) as end: main(list(words))
    return (end.value.code, *capsys.readouterr())


@pytest.mark.parametrize("words", [["recommend", *ASKED], ["ask", NAMES], ["interactive"], ["evaluate", "--limit", "2", "--out", "OUT"], ["serve", "--port", "0"]], ids=lambda w: w[0])
def test_every_command_says_what_is_damaged(damaged, capsys, tmp_path, words):
    typed = "\n".join(("1990-05-15 14:30", "여자", "김", "1", "")) + "\n"
    code, _, said = command(capsys, *(str(tmp_path/"out") if w == "OUT" else w for w in words), "--model", damaged, typed=typed)
    assert code == 2 and BROKEN in said and "Traceback" not in said and len(said.strip().splitlines()) == 1


def test_the_command_says_it_as_json(damaged, capsys):
    code, _, said = command(capsys, "recommend", *ASKED, "--model", damaged, "--json")
    error = json.loads(said)["error"]
    assert code == 2 and error["field"] == "model" and error["reason"].startswith(BROKEN)


TORCH = {"weights cut": cut("model.safetensors", 0.5), "weights gone": gone("model.safetensors"), "settings gone": gone("config.json"), "settings cut": cut("config.json", 0.5),
         "another size": edited("config.json", lambda c: c.update(hidden_size=128)), "a layer more": edited("config.json", lambda c: c.update(num_hidden_layers=7, layer_types=None)),
         "an unknown word": edited("config.json", lambda c: c.update(hidden_activation="zzz")), "a word for a number": edited("config.json", lambda c: c.update(hidden_size="x")),
         "tokenizer cut": cut("tokenizer.json", 0.3), "tokenizer gone": gone("tokenizer.json"), "tokenizer empty": filled("tokenizer.json", b"{}"),
         "tokenizer settings a list": filled("tokenizer_config.json", b"[]"), "chat form cut": filled("chat_template.jinja", b"{% if")}


@pytest.fixture(scope="module")
def torch_base():
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    from saju_naming.model import TINY
    return TINY


@pytest.mark.parametrize("damage", TORCH.values(), ids=TORCH)
def test_a_damaged_folder_for_torch(torch_base, tmp_path, damage):
    damage(copied(torch_base, tmp_path/"model"))
    with pytest.raises(Unavailable) as said: load_engine("transformers", str(tmp_path/"model"))
    assert said.value.reason.startswith(BROKEN) and "\n" not in str(said.value)


def test_a_tokenizer_of_another_size(torch_base, tmp_path):
    edited("tokenizer.json", smaller)(copied(torch_base, tmp_path/"model"))
    with pytest.raises(Unavailable, match="5,000개인데 모델의 어휘는 13,053개"): load_engine("transformers", str(tmp_path/"model"))


ADAPTER = {"settings cut": cut("adapter_config.json", 0.5), "settings gone": gone("adapter_config.json"), "settings empty": filled("adapter_config.json", b"{}"),
           "no base": edited("adapter_config.json", lambda c: c.update(base_model_name_or_path=None)), "a word for a number": edited("adapter_config.json", lambda c: c.update(r="x")),
           "weights cut": cut("adapter_model.safetensors", 0.5), "weights gone": gone("adapter_model.safetensors")}


@pytest.mark.parametrize("damage", ADAPTER.values(), ids=ADAPTER)
def test_a_damaged_adapter(torch_base, tmp_path, damage):
    folder = copied(torch_base.parent/"adapter", tmp_path/"adapter")
    edited("adapter_config.json", lambda c: c.update(base_model_name_or_path="tiny"))(folder)
    damage(folder)
    with pytest.raises(Unavailable) as said: load_engine("transformers", str(folder))
    assert said.value.reason.startswith(BROKEN)


def test_training_says_what_is_damaged(torch_base, tmp_path, capsys):
    TORCH["weights cut"](copied(torch_base, tmp_path/"model"))
    code, _, said = command(capsys, "train", "recipes/tiny_lora8.yaml", "--set", f"Model.base={tmp_path/'model'}", "--output", str(tmp_path/"run"))
    assert code == 2 and BROKEN in said and "Traceback" not in said


# --- folders that run code ---

def native(path, proof):
    "A shared library that writes a file when it is loaded; where there is no compiler, bytes that are none."
    compiler = shutil.which("cc") or shutil.which("gcc")
    source = path.with_suffix(".c")
    source.write_text('#include <stdio.h>\n__attribute__((constructor)) static void run(void) { FILE *f = fopen("%s", "w"); if (f) fclose(f); }\n' % proof)
    made = compiler and subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source], capture_output=True).returncode == 0
    if not made: path.write_bytes(b"no library")
    return bool(made)


def session(**options): return edited("genai_config.json", lambda c: c["model"]["decoder"]["session_options"].update(options))


def device(**options): return session(provider_options=[{"QNN": options}])


def twice(folder):
    "A key that comes once more, with nothing in it: JSON of Python keeps the second, onnxruntime-genai reads both."
    text = (folder/"genai_config.json").read_text().replace('"session_options": {', '"session_options": {"custom_ops_library": "evil.so"}, "session_options": {', 1)
    put(folder, "genai_config.json", text.encode())


NATIVE = {
    "library": session(custom_ops_library="evil.so"), "nothing in it": session(custom_ops_library=""), "null": session(custom_ops_library=None),
    "other letters": session(CUSTOM_Ops_Library="evil"), "hidden by a second": twice, "of the root": genai("custom_ops_library", value="evil.so"),
    "of another part": genai("model", "vision", value={"session_options": {"custom_ops_library": "evil.so"}}),
    "of a pipeline": genai("model", "decoder", "pipeline", value=[{"one": {"session_options": {"custom_ops_library": "evil.so"}}}]),
    "of a profile": genai("runtime_profiles", value=[{"overlay": {"model": {"decoder": {"session_options": {"custom_ops_library": "evil.so"}}}}}]),
    "backend": device(backend_path="evil"), "packages": device(op_packages="Op:evil:Provider"), "plugins": device(nv_extra_plugin_lib_paths="evil"),
    "library_path": device(library_path="evil"), "ep_library": device(ep_library="evil"), "external_ep_libray": device(external_ep_libray="evil"),
    "file of settings": device(config_file="evil.json"), "load_config": device(load_config="evil"), "cache": device(cacheDir="/tmp"),
    "a value": device(word="./evil.so"), "a file that is written": session(enable_profiling="/tmp/x"), "a context": session(**{"ep.context_file_path": "x"}),
    "a list": genai("a", value=[[["libevil.so.1"]]])}


@pytest.mark.parametrize("change", NATIVE.values(), ids=NATIVE)
def test_a_folder_that_names_code_is_refused(tmp_path, change, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime_genai", None)  # whatever is refused is refused before the runtime is there
    folder = copied(SHIPPED, tmp_path/"model")
    change(folder)
    for look in (generate.look, load_engine):
        with pytest.raises(InputError, match="genai_config.json의 .*--trust-model") as said: look("embedded", str(folder))
        assert (said.value.field, said.value.value) == ("model", str(folder)) and "\n" not in str(said.value)


def test_native_code_runs_only_where_its_maker_is_trusted(tmp_path, capsys):
    proof, folder = tmp_path/"proof", copied(SHIPPED, tmp_path/"model")
    made = native(folder/"evil.so", proof)
    session(custom_ops_library="evil.so")(folder)
    asked = dict(model=str(folder))
    for ask_it in (lambda: EmbeddedEngine(folder), lambda: recommend(*PERSON, **asked), lambda: ask(NAMES, **asked)):
        with pytest.raises(InputError, match="custom_ops_library"): ask_it()
    for words in (["recommend", *ASKED], ["ask", NAMES], ["evaluate", "--limit", "2", "--out", str(tmp_path/"out")]):
        code, _, said = command(capsys, *words, "--model", str(folder))
        assert code == 2 and "custom_ops_library" in said and "--trust-model" in said
    assert not proof.exists()
    for trusting in (lambda: load_engine("embedded", str(folder), True), lambda: recommend(*PERSON, **asked, trust_model=True),
                     lambda: ask(NAMES, **asked, trust_model=True)):
        with pytest.raises(Unavailable): trusting()  # it is loaded, and has no operators to register
    assert proof.exists() == made
    code, _, said = command(capsys, "recommend", *ASKED, "--model", str(folder), "--trust-model")
    assert code == 2 and BROKEN in said, "the option reaches the engine: this is what the runtime says of that library"


def test_trust_changes_nothing_of_a_plain_folder(tmp_path):
    folder = str(copied(SHIPPED, tmp_path/"model"))
    assert recommend(*PERSON, count=1, model=folder, trust_model=True).names == recommend(*PERSON, count=1).names


def evil(path, proof):
    "A pickle that writes a file when it is read."
    class Run:
        def __reduce__(self): return Path.touch, (Path(proof),)
    path.write_bytes(pickle.dumps({"weight": Run()}))


def bare(folder): (folder/"model.safetensors").unlink()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.bin", "model.pt", "model.pth", "model.ckpt", "model.PKL", "weights.pickle"])
def test_weights_are_safetensors_or_nothing(torch_base, tmp_path, name):
    from saju_naming.model import load_base, load_tokenizer
    folder = copied(torch_base, tmp_path/"model")
    evil(folder/name, tmp_path/"proof")
    load_base(folder, device="cpu")  # what lies beside the weights is not read
    bare(folder)
    for load in (load_base, load_tokenizer, lambda f: load_engine("transformers", str(f)), lambda f: generate.look("transformers", str(f))):
        with pytest.raises(InputError, match=f"safetensors가 아닙니다.{name}.*save_pretrained"): load(folder)
    assert not (tmp_path/"proof").exists()


def test_an_export_reads_safetensors_only(torch_base, tmp_path):
    from saju_naming.merge import export_onnx
    folder = copied(torch_base, tmp_path/"model")
    evil(folder/"pytorch_model.bin", tmp_path/"proof")
    bare(folder)
    (tmp_path/"out").mkdir()
    with pytest.raises(InputError, match="safetensors가 아닙니다"): export_onnx(folder, tmp_path/"out")
    assert not (tmp_path/"proof").exists() and (tmp_path/"out").is_dir(), "what was there before is kept"


def shards(*names):
    def change(folder):
        bare(folder)
        (folder/"model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": {f"a{i}": n for i, n in enumerate(names)}}))
    return change


PYTHON = {
    "auto_map": edited("config.json", lambda c: c.update(auto_map={"AutoModelForCausalLM": "evil.Model", "AutoConfig": "evil.Config"})),
    "auto_map of the tokenizer": edited("tokenizer_config.json", lambda c: c.update(auto_map={"AutoTokenizer": ["evil.Tokenizer", None]})),
    "weights of another kind": edited("config.json", lambda c: c.update(transformers_weights="adapter_model.bin")),
    "weights elsewhere": edited("config.json", lambda c: c.update(transformers_weights="../model.safetensors")),
    "a kernel of the hub": edited("config.json", lambda c: c.update(attn_implementation="someone/kernel")),
    "pickled shards": shards("model-1.safetensors", "model-2.bin"), "shards elsewhere": shards("../model.safetensors"),
    "an adapter inside": lambda folder: (folder/"adapter_config.json").write_text('{"peft_type": "LORA"}')}


@pytest.mark.parametrize("change", PYTHON.values(), ids=PYTHON)
def test_a_base_that_names_code_is_refused(torch_base, tmp_path, change):
    from saju_naming.model import base_config
    change(copied(torch_base, tmp_path/"model"))
    (tmp_path/"model"/"evil.py").write_text(f"open({str(tmp_path/'proof')!r}, 'w')")
    with pytest.raises(InputError, match="model"): base_config(tmp_path/"model")
    with pytest.raises((InputError, Unavailable)): generate.look("transformers", str(tmp_path/"model"))
    assert not (tmp_path/"proof").exists()


CODED = {"its own library": lambda c: c.update(auto_mapping={"base_model_class": "Model", "parent_library": "evil"}), "megatron": lambda c: c.update(megatron_config={"a": 1}, megatron_core="evil"),
         "another kind": lambda c: c.update(peft_type="XLORA", adapters={"a": "b"})}


@pytest.mark.parametrize("change", CODED.values(), ids=CODED)
def test_an_adapter_that_names_code_is_refused(torch_base, tmp_path, change):
    edited("adapter_config.json", change)(copied(torch_base.parent/"adapter", tmp_path/"adapter"))
    for load in (load_engine, generate.look):
        with pytest.raises(InputError): load("transformers", str(tmp_path/"adapter"))


def test_an_adapter_of_pickles(torch_base, tmp_path):
    from saju_naming.merge import attach_adapter, merge_adapter
    folder = copied(torch_base.parent/"adapter", tmp_path/"adapter")
    evil(folder/"adapter_model.bin", tmp_path/"proof")
    (folder/"adapter_model.safetensors").unlink()
    for load in (lambda: load_engine("transformers", str(folder)), lambda: attach_adapter(None, folder), lambda: merge_adapter(folder, out=tmp_path/"out")):
        with pytest.raises(InputError, match="safetensors가 아닙니다"): load()
    assert not (tmp_path/"proof").exists()


def test_a_checkpoint_whose_optimizer_runs_code(torch_base, tmp_path):
    from saju_naming.model import new_model, tiny_config
    from saju_naming.train import run_trainer
    transformers = pytest.importorskip("transformers")
    model = new_model(tiny_config(300, hidden_size=64, head_dim=16, intermediate_size=96, num_hidden_layers=1))
    args = transformers.TrainingArguments(str(tmp_path/"run"), max_steps=2, use_cpu=True, report_to=[], disable_tqdm=True)
    data = [{"input_ids": [2, 5], "labels": [2, 5]}]
    checkpoint = tmp_path/"run"/"checkpoint-1"
    model.save_pretrained(checkpoint)
    state = transformers.TrainerState(global_step=1, max_steps=2, train_batch_size=1)
    state.save_to_json(str(checkpoint/"trainer_state.json"))
    evil(checkpoint/"optimizer.pt", tmp_path/"proof")
    evil(checkpoint/"scheduler.pt", tmp_path/"proof")
    with pytest.raises(Unavailable, match="망가졌습니다"): run_trainer(transformers.Trainer(model, args, train_dataset=data), str(checkpoint))
    assert not (tmp_path/"proof").exists()


# --- looking without opening ---

SEEN = ["graph cut", "graph empty", "graph of another kind", "graph gone", "weights cut", "weights a little cut", "weights gone", "settings gone", "settings cut", "settings empty",
        "no model", "no size", "tokenizer gone", "tokenizer cut", "tokenizer a word"]


@pytest.mark.parametrize("name", SEEN)
def test_damage_that_shows_without_opening(tmp_path, name, monkeypatch):
    for heavy in ("onnxruntime_genai", "onnxruntime", "torch", "transformers"): monkeypatch.setitem(sys.modules, heavy, None)
    DAMAGE[name](copied(SHIPPED, tmp_path/"model"))
    with pytest.raises(Unavailable) as said: generate.look("embedded", str(tmp_path/"model"))
    assert said.value.plain == "모델 폴더가 망가졌습니다" and str(tmp_path) not in said.value.reason


@pytest.mark.parametrize("name", [b"model\0onnx.data", b"odel.onnx.data2", b"\xff"*15, b"/no/such/folder"], ids=["no name", "another", "no text", "elsewhere"])
def test_weights_that_are_named_wrongly(tmp_path, name):
    folder = copied(SHIPPED, tmp_path/"model")
    put(folder, "model.onnx", (folder/"model.onnx").read_bytes().replace(b"model.onnx.data", name))
    with pytest.raises(Unavailable, match="망가졌습니다"): generate.look("embedded", str(folder))


@pytest.mark.parametrize("name", ["weights cut", "weights gone", "settings gone", "settings cut", "tokenizer cut", "tokenizer gone"])
def test_damage_for_torch_that_shows_without_opening(torch_base, tmp_path, name):
    TORCH[name](copied(torch_base, tmp_path/"model"))
    with pytest.raises(Unavailable) as said: generate.look("transformers", str(tmp_path/"model"))
    assert said.value.plain == "모델 폴더가 망가졌습니다"
    adapter = copied(torch_base.parent/"adapter", tmp_path/"adapter")
    edited("adapter_config.json", lambda c: c.update(base_model_name_or_path=str(tmp_path/"model")))(adapter)
    with pytest.raises(Unavailable): generate.look("transformers", str(adapter))


def test_looking_imports_nothing_heavy():
    code = "import sys; from saju_naming.generate import look; look(); look('transformers', 'tiny'); print(*sorted({'torch', 'transformers', 'onnxruntime', 'onnxruntime_genai', 'peft'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == ""


def test_looking_says_what_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(Unavailable, match="saju-naming.train"): generate.look("transformers", "tiny")
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(Unavailable, match="llguidance"): generate.look()


# --- a model that breaks while it writes ---

class Breaking(EmbeddedEngine):
    "The shipped weights, which run so many steps and then fail as onnxruntime does."
    def __init__(self, folder=None, steps=0):
        super().__init__(folder)
        self.left = steps

    def start(self, length):
        run = super().start(length)
        outer = self
        class Run:
            def append_tokens(self, tokens): run.append_tokens(tokens)
            def get_logits(self):
                outer.left = getattr(outer, "left", 1) - 1
                if outer.left < 0: raise RuntimeError("Non-zero status code returned while running Add node.\nStatus Message: gone")
                return run.get_logits()
        return Run()


def test_the_shipped_model_that_breaks_is_noted():
    told = recommend(*PERSON, engine=Breaking(steps=3), count=2)
    assert (told.source, len(told)) == ("engine", 2)
    assert told.source_reason.startswith("규칙 엔진이 썼습니다: 모델이 답하다 멈추었습니다(Non-zero status code returned while running Add node. Status")
    reply = ask(NAMES, Breaking())
    assert reply.source == "engine" and "모델이 답하다 멈추었습니다" in reply.source_reason


def test_a_model_that_somebody_named_is_an_error(tmp_path):
    engine = Breaking(copied(SHIPPED, tmp_path/"model"), steps=3)
    for asked in (lambda: recommend(*PERSON, engine=engine, count=2), lambda: ask(NAMES, engine), lambda: engine.generate(NAMES)):
        with pytest.raises(Unavailable, match="모델이 답하다 멈추었습니다"): asked()


def test_numbers_that_are_none_are_no_answer(monkeypatch):
    engine = EmbeddedEngine()
    start = engine.start
    class Run:
        def __init__(self, run): self.append_tokens, self.run = run.append_tokens, run
        def get_logits(self): return self.run.get_logits()*float("nan")
    monkeypatch.setattr(engine, "start", lambda length: Run(start(length)))
    with pytest.raises(Unavailable, match="점수가 수가 아님"): engine.generate(NAMES)


def test_a_background_failure_is_raised_where_it_is_wanted(monkeypatch):
    monkeypatch.setattr(generate, "load_engine", lambda *_: 1/0)
    with pytest.raises(ZeroDivisionError): recommend(*PERSON)


# --- servers ---

class Server(BaseHTTPRequestHandler):
    "An OpenAI-compatible server; `says` makes (status, body) of a request."
    says, seen = None, []
    def log_message(self, *_): pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append(body)
        status, reply = self.says(body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(reply if isinstance(reply, bytes) else json.dumps(reply).encode())


def chat(text): return 200, {"choices": [{"message": {"content": text}}]}


@pytest.fixture
def remote(monkeypatch):
    "An engine of a fake server, and how to tell that server what to say."
    for key in ("SAJU_NAMING_API_KEY", "OPENAI_API_KEY"): monkeypatch.delenv(key, raising=False)
    kind = type("Own", (Server,), {"seen": [], "says": staticmethod(lambda body: chat("서연, 지우"))})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    engine = OpenAIEngine(f"http://127.0.0.1:{server.server_port}/v1#one", timeout=20)
    engine.server = kind
    yield engine
    server.shutdown()


def grammars(engine): return [body.get("grammar") for body in engine.server.seen]


def test_one_refusal_does_not_turn_the_grammar_off(remote):
    once = iter([(400, {"error": "busy with something else"})])
    remote.server.says = staticmethod(lambda body: next(once, chat("서연, 지우")))
    first, second = ask(NAMES, remote), ask(NAMES, remote)
    asked = grammars(remote)
    assert asked[0] and asked[1] is None and asked[-1] == asked[0], "refused, without it, a probe, and then with it again"
    assert remote.note == "" and "문법" not in first.source_reason + second.source_reason


def test_a_server_that_takes_no_grammar_is_remembered_and_noted(remote):
    remote.server.says = staticmethod(lambda body: (400, {"error": "unknown field"}) if "grammar" in body else chat("서연, 지우"))
    replies = [ask(NAMES, remote) for _ in range(2)]
    assert [bool(g) for g in grammars(remote)] == [True, False, True, False]
    assert all(r.source == "model" and "서버가 문법을 받지 않아" in r.source_reason for r in replies)
    remote.server.says = staticmethod(lambda body: chat("엉뚱한 답"))
    assert "서버가 문법을 받지 않아" in ask(NAMES, remote).source_reason, "whoever wrote it in the end"


def test_a_server_that_refuses_everything(remote):
    remote.server.says = staticmethod(lambda body: (400, {"error": "too long"}))
    with pytest.raises(Unavailable, match="400.*too long"): ask(NAMES, remote)
    assert remote.guided and len(remote.server.seen) == 2


def test_an_outage_at_the_probe_tells_nothing(remote):
    said = iter([(400, {}), chat("서연, 지우"), (500, {})])
    remote.server.says = staticmethod(lambda body: next(said))
    assert ask(NAMES, remote).source == "model" and remote.guided


@pytest.mark.parametrize("reply", [[], {}, {"choices": []}, {"choices": {}}, {"choices": "one"}, {"choices": [{"message": {"content": None}}]}, {"choices": [{"message": {"content": ["a"]}}]},
                                   b"", b"<p>", b"["*300_000, b"\xff", b'{"choices": [{"message": {"content": "' + b"a"*9_000_000 + b'"}}]}'], ids=lambda r: str(r)[:24])
def test_a_reply_of_another_form_is_an_outage(remote, reply):
    remote.server.says = staticmethod(lambda body: (200, reply))
    with pytest.raises(Unavailable): ask(NAMES, remote)


def test_another_server_is_not_told_the_birth(remote):
    "Nor where it was said in a question: what goes there is counts, gender and surname."
    for asked in (lambda: recommend("1987-03-09T05:43", "여자", "제갈", engine=remote), lambda: ask("1987년 3월 9일 05:43에 태어난 제갈씨 여자 아이 이름 지어줘", remote)):
        remote.server.seen.clear()
        asked()
        sent = json.dumps(remote.server.seen, ensure_ascii=False)
        assert "제갈" in sent and not [word for word in ("1987", "87-03", "3월", "9일", "05:43", "5시") if word in sent]


def test_half_a_letter_can_be_written_to_a_file(remote):
    remote.server.says = staticmethod(lambda body: (200, b'{"choices": [{"message": {"content": "\\ud800 a"}}]}'))
    assert remote.generate(NAMES) == "\ufffd a"


def test_a_server_elsewhere_gets_no_key_in_the_clear(monkeypatch):
    monkeypatch.setenv("SAJU_NAMING_API_KEY", "secret")
    with pytest.raises(InputError, match="SAJU_NAMING_API_KEY") as said: OpenAIEngine("http://192.0.2.1:8000/v1#one")
    assert "secret" not in str(said.value)
    monkeypatch.setenv("SAJU_NAMING_API_KEY", "")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert OpenAIEngine("http://192.0.2.1:8000/v1#one").model == "one"


def test_a_reason_that_a_client_sees_can_leave_out_what_the_runtime_wrote():
    told = recommend(*PERSON, engine=Breaking(steps=3), count=7)
    for why in (told.source_reason, asdict(told)["source_reason"], pickle.loads(pickle.dumps(told)).source_reason, ask(NAMES, Breaking()).source_reason):
        assert "Non-zero status" in why and "Non-zero status" not in why.plain and why.plain.endswith("규칙 엔진이 썼습니다: 모델이 답하다 멈추었습니다")


def test_a_reason_that_a_client_sees_can_leave_out_what_a_model_wrote(remote):
    remote.server.says = staticmethod(lambda body: chat("비밀, 지우"))
    why = ask("이름 서연(瑞淵)의 뜻을 알려줘", remote).source_reason
    assert why.detail and why.detail in why and why.plain.endswith("3번 확인했으나 잘못이 있었습니다")


def test_what_another_program_wrote_is_apart(tmp_path, remote):
    "A server that answers strangers shows `plain` and logs `detail`."
    remote.server.says = staticmethod(lambda body: (500, {"error": "1990-05-15 김서연"}))
    with pytest.raises(Unavailable) as said: remote.generate(NAMES)
    assert (said.value.plain, "1990-05-15" in said.value.reason) == ("서버가 500로 답했습니다", True)
    with pytest.raises(Unavailable) as broke: Breaking(copied(SHIPPED, tmp_path/"model"), steps=0).generate(NAMES)
    assert broke.value.plain == "모델이 답하다 멈추었습니다" and broke.value.detail.startswith("Non-zero status")
    for error in (said.value, broke.value):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.plain, again.detail, str(again)) == (type(error), error.plain, error.detail, str(error))


# --- evaluation ---

FAULTY = [i for i in load_benchmark() if i["kind"] in ("malformed", "adversarial")]


class Silent:
    "An engine that only times out."
    name = "silent"
    def generate(self, *args, **kwargs): raise Unavailable("model", "http://localhost:8000/v1", "60초 안에 답이 없습니다", "다시 불러 주세요")


def scores(folder, way): return json.loads((folder/"scores.json").read_text(encoding="utf-8"))[way]


def test_an_engine_that_only_times_out_has_no_score(tmp_path):
    with pytest.raises(Unavailable, match=f"잇달아 {OUTAGES}번 답하지 못해"): evaluate_engine(Silent(), tmp_path, FAULTY, ("free",), "silent")
    assert scores(tmp_path, "혼자서") == {"items": len(FAULTY), "unanswered": len(FAULTY), "sources": {}}
    assert f"(답하지 못함 {len(FAULTY)}/{len(FAULTY)})" in (tmp_path/"scores.md").read_text(encoding="utf-8")
    assert not (tmp_path/"answers-free.jsonl").exists()


def test_with_the_grammar_only_what_reached_no_engine_is_scored(tmp_path):
    "Of malformed requests many are refused before any model is asked: these count, the outages do not."
    with pytest.raises(Unavailable, match="잇달아"): evaluate_engine(Silent(), tmp_path, FAULTY, ("held",), "silent")
    said = scores(tmp_path, "문법과 함께")
    assert set(said["sources"]) <= {"refused", "engine"} and said["unanswered"] + sum(said["sources"].values()) == said["items"] and said["unanswered"] >= OUTAGES
    assert said["correct"]["n"] <= sum(said["sources"].values())


def test_a_real_time_out_is_no_answer(tmp_path):
    quiet = socket.create_server(("127.0.0.1", 0))
    engine = OpenAIEngine(f"http://127.0.0.1:{quiet.getsockname()[1]}/v1#one", timeout=0.05)
    assert evaluate_engine(engine, tmp_path, FAULTY[:3], ("free",), "quiet") == {"혼자서 (답하지 못함 3/3)": {}}
    quiet.close()


def test_a_run_that_was_cut_in_a_line_goes_on(tmp_path, caplog):
    items = load_benchmark(kinds="malformed")[:4]
    evaluate_engine(None, tmp_path, items, label="rules")
    file = tmp_path/"answers-held.jsonl"
    whole, report = file.read_bytes(), (tmp_path/"scores.json").read_bytes()
    file.write_bytes(whole[:-25])
    evaluate_engine(None, tmp_path, items, label="rules")
    kept = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(a["id"], a["text"]) for a in kept] == [(a["id"], a["text"]) for a in map(json.loads, whole.splitlines())]
    assert (tmp_path/"scores.json").read_bytes() == report and "끊긴 마지막 줄" in caplog.text
    file.write_bytes(whole[:30] + whole[50:])
    with pytest.raises(Unavailable, match="answers-held.jsonl의 1번째 줄이 망가졌습니다"): evaluate_engine(None, tmp_path, items, label="rules")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answers-held.jsonl", "run.json", "scores.json", "scores.md", "scores.png"], "nothing half-written stays"


def test_a_folder_that_cannot_be_used(tmp_path):
    items = load_benchmark(kinds="malformed")[:1]
    (tmp_path/"file").touch()
    with pytest.raises(Unavailable, match="폴더에 쓸 수 없습니다"): evaluate_engine(None, tmp_path/"file", items, label="rules")
    for was in ("", "{", "[]", '{"model": "other"}'):
        (tmp_path/"run.json").write_text(was)
        with pytest.raises((InputError, Unavailable), match="다른 폴더를"): evaluate_engine(None, tmp_path, items, label="rules")
    assert not (tmp_path/"answers-held.jsonl").exists()


def test_a_disk_that_is_full_keeps_what_was_written(tmp_path, monkeypatch):
    from saju_naming import evaluation
    items, file = load_benchmark(kinds="malformed")[:3], tmp_path/"answers.jsonl"
    list(collect(items[:1], file=file))
    before = file.read_bytes()
    class Full(StringIO):
        def write(self, text): raise OSError(28, "No space left on device")
    whole = evaluation.Path.open
    with monkeypatch.context() as patch:
        patch.setattr(evaluation.Path, "open", lambda path, mode="r", *a, **k: Full() if mode == "a" else whole(path, mode, *a, **k))
        with pytest.raises(Unavailable, match="No space left on device"): list(collect(items, file=file))
    assert file.read_bytes() == before


def test_a_tiny_grammar_is_what_the_probe_says():
    "The probe's grammar is one that the embedded engine itself takes."
    assert EmbeddedEngine().generate(NAMES, grammar(literal("예"))) == "예"
