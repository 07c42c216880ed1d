"""The 9B on one GPU: the seed's recipe and the fast one, with random weights (the shape costs what the real weights cost, and nothing is downloaded).

    python benchmarks/train_gpu.py [--recipes gemma2_9b_lora8 gemma2_9b_fast] [--steps 30] [--folder DIR] [--json FILE]

Writes about 19 GB of random weights to a folder once, loads them in 8 bits as the recipe says, and trains some steps on rows of 05 (ids of the
small tokenizer: which ids are asked for does not change the cost). The first five steps are left out. Model FLOP utilisation counts 4 FLOPs for each frozen
parameter and token (forward, and backward to the activations; recomputation is not counted) and 6 for each adapter parameter, against the card's dense bf16 peak.
"""
import argparse, json, logging, sys, tempfile, time, warnings
from pathlib import Path

import torch, transformers

from saju_naming.model import gemma2_config, load_base, load_tokenizer
from saju_naming.prompts import build_dataset
from saju_naming.train import load_recipe, make_trainer, override

RECIPES = Path(__file__).parents[1]/"recipes"
PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "4090": 165e12, "A10": 125e12, "T4": 65e12}  # dense bf16 (T4: fp16), by the makers
SKIP = 5
QUIET = ("Trainer.eval_strategy=no", "Trainer.save_strategy=no", "Trainer.load_best_model_at_end=false", "Trainer.early_stopping_patience=null", "Trainer.disable_tqdm=true",
         "Trainer.logging_strategy=no")


class Clock(transformers.TrainerCallback):
    "When the warm-up ended, and how many tokens it had read."
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == SKIP:
            torch.cuda.synchronize()
            self.at, self.tokens = time.perf_counter(), state.num_input_tokens_seen


def random_base(folder, config):
    "A folder with random weights of that shape, written once."
    if (folder/"config.json").is_file(): return folder
    with torch.device("cuda"): model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    del model
    torch.cuda.empty_cache()
    return folder


def flops_per_token(model):
    "4 for each frozen parameter that multiplies (the embedding once: as the head), 6 for each that learns."
    learns = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return 4*sum(p.numel() for p in model.parameters() if not p.requires_grad) + 6*learns


def measure(name, base, data, steps):
    "One recipe: tokens a second, peak memory, utilisation."
    recipe = override(load_recipe(RECIPES/f"{name}.yaml"), f"Model.base={base}", *QUIET)
    spec = {k: v for k, v in recipe.Model.items() if k not in ("base", "seed")}
    torch.cuda.reset_peak_memory_stats()
    model, tokenizer = load_base(str(base), **spec), load_tokenizer("tiny")
    with tempfile.TemporaryDirectory() as output:
        trainer, clock = make_trainer(recipe, model, tokenizer, data, output, max_steps=steps), Clock()
        trainer.add_callback(clock)
        trainer.train()
    torch.cuda.synchronize()
    speed = (trainer.state.num_input_tokens_seen - clock.tokens)/(time.perf_counter() - clock.at)
    peak = next((p for card, p in PEAK.items() if card in torch.cuda.get_device_name()), None)
    return {"tokens_per_second": round(speed), "peak_gib": round(torch.cuda.max_memory_allocated()/2**30, 1),
            "mfu": round(speed*flops_per_token(trainer.model)/peak, 4) if peak else None}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["gemma2_9b_lora8", "gemma2_9b_fast"], metavar="NAME", help="files of recipes/, without .yaml")
    parser.add_argument("--steps", type=int, default=30, help=f"steps of each, more than {SKIP}")
    parser.add_argument("--folder", type=Path, default=Path("runs/random_9b"), help="where the random weights are, or go")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    if not torch.cuda.is_available(): sys.exit("CUDA GPU가 없습니다. 이 벤치마크는 GPU 한 장(24GB 이상)이 필요합니다. CPU에서는 benchmarks/train.py 를 쓰세요.")
    if args.steps <= SKIP: parser.error(f"--steps는 {SKIP}보다 커야 합니다")
    warnings.filterwarnings("ignore"); logging.disable(logging.WARNING)
    data = build_dataset(5000)
    data["validation"] = data["validation"].select([])
    base = random_base(args.folder, gemma2_config("9b"))
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, transformers {transformers.__version__}\n\n{'':20}{'tokens/s':>10}{'peak GiB':>10}{'MFU':>8}")
    numbers = {}
    for name in args.recipes:
        numbers[name] = m = measure(name, base, data, args.steps)
        print(f"{name:20}{m['tokens_per_second']:>10,}{m['peak_gib']:>10}{'?' if m['mfu'] is None else format(m['mfu'], '.1%'):>8}", flush=True)
        torch.cuda.empty_cache()
    if args.json: Path(args.json).write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__": main()
