"The recipes, the keywords that reach the libraries, and two processes on a CPU."
import ast, importlib, inspect, json, os, re, subprocess, sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("trl")
from saju_naming.train import load_recipe, override, trainer_config  # noqa: E402

ROOT = Path(__file__).parents[1]
RECIPES = sorted(p for p in (ROOT/"recipes").glob("*.yaml") if not p.name.startswith("accelerate"))
MODULES = [p for p in (ROOT/"saju_naming"/f"{name}.py" for name in ("prompts", "model", "train", "merge", "generate", "evaluation")) if p.exists()]
LIBRARIES = ("trl", "peft", "transformers", "bitsandbytes", "datasets", "accelerate")
GPU_ONLY = ("fp16", "tf32")


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_recipe_is_understood(path, tmp_path):
    recipe = load_recipe(path)
    args = trainer_config(override(recipe, *(f"Trainer.{k}=null" for k in GPU_ONLY if k in recipe.Trainer)), tmp_path)
    for key, value in recipe.Trainer.items():
        if key in GPU_ONLY + ("output_dir", "report_to", "early_stopping_patience"): continue
        found = getattr(args, key)
        assert getattr(found, "value", found) == value, key
    if recipe.LoRA:
        from peft import LoraConfig
        lora = LoraConfig(**recipe.LoRA)
        assert lora.target_modules == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_seed_recipe_is_the_seeds():
    recipe = load_recipe(ROOT/"recipes"/"gemma2_9b_lora8.yaml")
    assert (recipe.LoRA["r"], recipe.LoRA["lora_alpha"], recipe.LoRA["lora_dropout"]) == (16, 8, 0.1)
    said = {k: recipe.Trainer[k] for k in ("per_device_train_batch_size", "gradient_accumulation_steps", "max_length", "max_steps", "learning_rate", "warmup_steps", "optim", "packing")}
    assert said == {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4, "max_length": 512, "max_steps": 3000, "learning_rate": 2e-4,
                    "warmup_steps": 1, "optim": "paged_adamw_8bit", "packing": False}


def test_fsdp_recipe_and_accelerate_config_agree():
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import FullyShardedDataParallelPlugin
    from transformers.models.gemma2 import modeling_gemma2
    config = load_config_from_file(str(ROOT/"recipes"/"accelerate_fsdp.yaml"))
    fsdp = config.fsdp_config
    known = inspect.signature(FullyShardedDataParallelPlugin).parameters
    renamed = {"fsdp_transformer_layer_cls_to_wrap": "transformer_cls_names_to_wrap", "fsdp_offload_params": "cpu_offload", "fsdp_version": "fsdp_version"}
    assert {renamed.get(k, k.removeprefix("fsdp_")) for k in fsdp} <= set(known)
    assert hasattr(modeling_gemma2, fsdp["fsdp_transformer_layer_cls_to_wrap"])
    recipe = load_recipe(ROOT/"recipes"/"gemma2_9b_fsdp.yaml")
    assert not recipe.Trainer["activation_checkpointing"] and fsdp["fsdp_activation_checkpointing"] and "quantization" not in recipe.Model


# --- keywords in the code ---

def calls(source):
    "(library object, keywords) of each call to something imported from one of `LIBRARIES`."
    tree, names = ast.parse(source), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            module = importlib.import_module(node.module)
            for a in node.names: names[a.asname or a.name] = getattr(module, a.name)
        if isinstance(node, ast.Import):
            for a in node.names:
                if a.name.split(".")[0] in LIBRARIES: names[a.asname or a.name] = importlib.import_module(a.name)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not (given := [k.arg for k in node.keywords if k.arg]): continue
        path, f = [], node.func
        while isinstance(f, ast.Attribute): path.insert(0, f.attr); f = f.value
        if not isinstance(f, ast.Name) or f.id not in names: continue
        target = names[f.id]
        for step in path: target = getattr(target, step)
        yield target, given


def unknown(target, given):
    "Keywords that a callable neither lists nor, where it takes any, reads by name in its own source or a base's."
    parameters = inspect.signature(target).parameters
    missing = [k for k in given if k not in parameters]
    if not missing or not any(p.kind is p.VAR_KEYWORD for p in parameters.values()): return missing
    source = "".join(inspect.getsource(inspect.getmodule(c)) for c in getattr(target, "__mro__", (target,)) if c.__module__.split(".")[0] in LIBRARIES)
    if target.__name__ in ("from_pretrained", "from_config"):
        from transformers import modeling_utils
        source += inspect.getsource(modeling_utils)
    return [k for k in missing if not re.search(rf"\b{k}\b", source)]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_keywords_exist_in_the_installed_libraries(path):
    for target, given in calls(path.read_text(encoding="utf-8")):
        assert not unknown(target, given), f"{path.name}: {target} does not take {unknown(target, given)}"


def test_keyword_check_can_fail():
    found = list(calls("from trl import SFTConfig, pack_dataset\nfrom transformers import AutoModelForCausalLM\n"
                       "SFTConfig(max_seq_length=1)\npack_dataset(d, seq_length=2)\nAutoModelForCausalLM.from_pretrained('x', dtype=1, no_such_word=2)"))
    assert [unknown(*f) for f in found] == [["max_seq_length"], [], ["no_such_word"]]


def test_trainers_take_what_we_pass():
    "SFTTrainer, of which we make a subclass, and DPOTrainer."
    import trl
    tree = ast.parse((ROOT/"saju_naming"/"train.py").read_text(encoding="utf-8"))
    made = {ast.unparse(n.func): [k.arg for k in n.keywords] for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) in ("trainer_class()", "DPOTrainer")}
    assert set(made) == {"trainer_class()", "DPOTrainer"}
    for name, given in made.items(): assert given and not unknown(getattr(trl, {"trainer_class()": "SFTTrainer"}.get(name, name)), given), name


# --- two processes ---

@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    "A two-layer base, rows and a recipe, in a folder."
    from saju_naming.model import build_tokenizer, new_model, tiny_config
    from saju_naming.prompts import build_dataset, save_dataset
    folder = tmp_path_factory.mktemp("toy")
    data = build_dataset(400)
    save_dataset(data, folder/"rows")
    texts = [m["content"] for r in data["train"] for m in r["prompt"] + r["completion"]]
    tokenizer = build_tokenizer(texts, hanja={c for t in texts for c in t if "一" <= c <= "鿿"})
    model = new_model(tiny_config(len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=32))
    for part in (model, tokenizer): part.save_pretrained(folder/"base")
    recipe = {"Model": {"base": str(folder/"base"), "device": "cpu"}, "LoRA": {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"},
              "Data": {"source": str(folder/"rows"), "validation_rows": 8},
              "Trainer": {"max_length": 128, "packing": True, "per_device_train_batch_size": 2, "per_device_eval_batch_size": 2, "bf16": False, "activation_checkpointing": False,
                          "learning_rate": 1e-2, "max_steps": 4, "logging_steps": 1, "eval_strategy": "steps", "eval_steps": 2, "save_strategy": "steps", "save_steps": 2,
                          "disable_tqdm": True, "seed": 0}}
    (folder/"toy.yaml").write_text(yaml.safe_dump(recipe))
    (folder/"run.py").write_text("import os, sys, torch\nfrom saju_naming.train import train_from_file\ntorch.set_num_threads(1)\n"
                                 "train_from_file(sys.argv[1], output=sys.argv[2])\nsys.stdout.write(f\"world {os.environ.get('WORLD_SIZE')}\\n\")\n")
    return folder


def launch(toy, output, *options):
    "Trains the toy by `accelerate launch`; returns the log."
    command = [sys.executable, "-m", "accelerate.commands.launch", *options, str(toy/"run.py"), str(toy/"toy.yaml"), str(toy/output)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, cwd=toy, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("world 2") == 2
    return [h for h in json.loads((toy/output/"log.json").read_text()) if "loss" in h]


TWO = ("--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no")  # without a GPU: gloo between CPU processes


def test_two_processes_share_one_run(toy):
    "Two processes of two rows each make the steps that one process makes of four."
    from saju_naming.train import train
    log = launch(toy, "ddp", *TWO)
    alone = train(override(load_recipe(toy/"toy.yaml"), "Trainer.per_device_train_batch_size=4"), output=toy/"alone")
    one = [h for h in json.loads((alone/"log.json").read_text()) if "loss" in h]
    assert [h["step"] for h in log] == [1, 2, 3, 4]
    assert float(log[-1]["loss"]) < float(log[0]["loss"])
    assert float(log[0]["loss"]) == pytest.approx(float(one[0]["loss"]), rel=0.05)
    assert (toy/"ddp"/"adapter_model.safetensors").exists() and (toy/"ddp"/"checkpoint-4"/"trainer_state.json").exists()


# --- the step beyond SFT ---

def test_a_model_learns_from_its_own_mistakes_and_goes_on(toy):
    "An adapter of SFT goes on by DPO, and again from a checkpoint; one adapter comes of it, and TRL's copy of the start does not."
    from saju_naming.train import train
    blocks = yaml.safe_load((toy/"toy.yaml").read_text())
    adapter = train(load_recipe(toy/"toy.yaml"), max_steps=1, output=toy/"sft")
    blocks |= {"Model": {**blocks["Model"], "adapter": str(adapter)}, "LoRA": None, "Data": {"source": "mistakes", "rows": 100, "mix": {"male": 1, "female": 1}},
               "Trainer": {"per_device_train_batch_size": 4, "loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 1.0], "beta": 0.2, "max_length": 512, "activation_checkpointing": False, "learning_rate": 1e-2,
                           "max_steps": 2, "logging_steps": 1, "save_strategy": "steps", "save_steps": 1, "disable_tqdm": True, "bf16": False, "seed": 0}}
    (toy/"mistakes.yaml").write_text(yaml.safe_dump(blocks))
    for steps in (2, 3): train(load_recipe(toy/"mistakes.yaml"), max_steps=steps, output=toy/"dpo")
    log = [h for h in json.loads((toy/"dpo"/"log.json").read_text()) if "rewards/margins" in h]
    assert [h["step"] for h in log] == [1, 2, 3]
    assert float(log[0]["rewards/margins"]) == pytest.approx(0, abs=1e-4) and float(log[-1]["rewards/margins"]) > 0
    assert (toy/"dpo"/"adapter_model.safetensors").exists() and not (toy/"dpo"/"ref").exists()
    assert (toy/"dpo"/"adapter_model.safetensors").read_bytes() != (adapter/"adapter_model.safetensors").read_bytes()
