"""Tokens a second of 8-bit LoRA tuning: `recipes/tiny_lora8.yaml` beside the seed's settings, same model, same rows, same machine.

    python benchmarks/train.py [--base tiny] [--rows 512] [--held 150] [--json FILE]

seed         batch 1, accumulation 4, every row padded to 512 tokens, r 16, alpha 8, dropout 0.1, learning rate 2e-4 falling to 0
seed, bare   the same without the padding (a batch of one row needs none)
recipe       the recipe, one pass over the same rows

Only real tokens are counted, never padding, and the first step of each (where the recipe's is translated) is left out of the speed but in the
seconds. All three learn the answers only, in bfloat16, on the same int8 base. The losses are those of the answers of rows that nobody learnt from.
"""
import argparse, json, logging, os, platform, tempfile, time, warnings
from pathlib import Path

os.environ.update({"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"} | os.environ)  # threads that wait must not take the cores of those that work

import datasets, torch, transformers
from datasets import DatasetDict

from saju_naming.prompts import build_dataset
from saju_naming.train import keep_memory, load_recipe, make_trainer, override, start_model, tokenize

RECIPE = Path(__file__).parents[1]/"recipes"/"tiny_lora8.yaml"
QUIET = ("Trainer.eval_strategy=no", "Trainer.save_strategy=no", "Trainer.load_best_model_at_end=false", "Trainer.early_stopping_patience=null", "Trainer.disable_tqdm=true",
         "Trainer.logging_strategy=no")
SEED = ("LoRA.lora_alpha=8", "LoRA.lora_dropout=0.1", "Trainer.packing=false", "Trainer.pad_to_multiple_of=512", "Trainer.per_device_train_batch_size=1",
        "Trainer.gradient_accumulation_steps=4", "Trainer.learning_rate=2e-4", "Trainer.lr_scheduler_type=linear", "Trainer.warmup_steps=1", "Trainer.torch_compile=false")
SETTINGS = {"seed": SEED, "seed, bare": (*SEED, "Trainer.pad_to_multiple_of=1"), "recipe": ("Trainer.dataloader_drop_last=false",)}


class Clock(transformers.TrainerCallback):
    "When the first step ended, and how many tokens it had read."
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 1: self.at, self.tokens = time.perf_counter(), state.num_input_tokens_seen


def held_loss(model, tokenizer, rows):
    "Mean loss of an answer's token over held-out rows."
    model.eval()
    total = count = 0
    for row in tokenize(rows, tokenizer):
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor([row["labels"]])
        n = int((labels[:, 1:] != -100).sum())
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16): total += float(model(input_ids=ids, labels=labels).loss)*n
        count += n
    return total/count


def measure(name, base, data, output):
    "One run: speed, seconds, steps, losses before and after."
    recipe = override(load_recipe(RECIPE), f"Model.base={base}", "Model.device=cpu", "Trainer.use_cpu=true", *SETTINGS[name], *QUIET)
    model, tokenizer = start_model(recipe, output)
    trainer, clock = make_trainer(recipe, model, tokenizer, data, output), Clock()
    trainer.add_callback(clock)
    before, began = held_loss(trainer.model, tokenizer, data["held"]), time.perf_counter()
    trainer.train()
    ended, seen = time.perf_counter(), trainer.state.num_input_tokens_seen
    return {"tokens_per_second": round((seen - clock.tokens)/(ended - clock.at)), "seconds": round(ended - began), "tokens": seen, "steps": trainer.state.global_step,
            "loss_before": round(before, 4), "loss_after": round(held_loss(trainer.model, tokenizer, data["held"]), 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="tiny", help="a folder of a Gemma 2, or tiny")
    parser.add_argument("--rows", type=int, default=512, help="rows that each learns from")
    parser.add_argument("--held", type=int, default=150, help="rows to measure the loss on")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers to this file")
    args = parser.parse_args()
    warnings.filterwarnings("ignore"); logging.disable(logging.WARNING)
    datasets.disable_progress_bars(); transformers.utils.logging.disable_progress_bar(); keep_memory()
    made = build_dataset(50*args.held + args.rows)
    data = DatasetDict(train=made["train"].select(range(args.rows)), validation=made["validation"].select([]), held=made["validation"].select(range(args.held)))
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {torch.get_num_threads()} threads, {args.rows} rows\n")
    print(f"{'':12}{'tokens/s':>10}{'seconds':>9}{'steps':>7}{'loss before':>13}{'after':>9}")
    numbers = {}
    for name in SETTINGS:
        with tempfile.TemporaryDirectory() as output: numbers[name] = m = measure(name, args.base, data, output)
        print(f"{name:12}{m['tokens_per_second']:>10,}{m['seconds']:>9}{m['steps']:>7}{m['loss_before']:>13.4f}{m['loss_after']:>9.4f}", flush=True)
    seed, ours = numbers["seed"], numbers["recipe"]
    print(f"\nrecipe: {ours['tokens_per_second']/seed['tokens_per_second']:.1f} times the seed's tokens a second, loss {ours['loss_after'] - seed['loss_after']:+.4f}")
    rows = [{"what": "8비트 LoRA", "unit": "토큰/초", "ours": ours["tokens_per_second"], "peer": peer, "theirs": numbers[name]["tokens_per_second"],
             "note": f"손실: 우리 {ours['loss_after']:.4f}, 상대 {numbers[name]['loss_after']:.4f}"} for name, peer in {"seed": "시드의 설정", "seed, bare": "시드의 설정, 채움 없이"}.items()]
    if args.json: args.json.write_text(json.dumps({"runs": numbers, "rows": rows}, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__": main()
