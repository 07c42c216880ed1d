# make name: 이름 추천. make serve: 브라우저에서 쓰기. make test: 모든 검사. 필요한 것을 .venv 에 스스로 설치합니다.
PYTHON ?= python3
VENV   ?= .venv
BIRTH   ?= 2024-02-04T18:00
GENDER  ?= 여자
SURNAME ?= 김
BIN := $(VENV)/bin
# 기다리는 실(thread)이 일하는 실의 코어를 빼앗지 않게
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 0

.PHONY: name serve test docs readme bench model clean

name: $(VENV)/.base
	@$(BIN)/saju-naming recommend --birth "$(BIRTH)" --gender "$(GENDER)" --surname "$(SURNAME)" $(ARGS)

# 브라우저에서 http://localhost:8000 을 여세요. 옵션: make serve ARGS="--port 8080 --ngrok"
serve: $(VENV)/.base
	@$(BIN)/saju-naming serve $(ARGS)

test: $(VENV)/.train
	$(BIN)/ruff check -q
	$(BIN)/mypy
	$(BIN)/nbdev_test --n_workers 2
	$(BIN)/python -m pytest -q tests

# smalldocs does not know two things that Quarto reads (lang, output-file); anything else that it finds is an error
docs: $(VENV)/.dev
	rm -rf _proc
	$(BIN)/nbdev_proc_nbs
	$(BIN)/smalldocs render _proc --quiet
	$(BIN)/smalldocs check _proc >_proc/check.txt 2>&1 || grep -q 'page(s)' _proc/check.txt
	! grep -vE 'unknown key lang|output-file is not read|page\(s\)' _proc/check.txt

readme: $(VENV)/.dev
	$(BIN)/python tools/readme.py

# 빠르기를 상대와 함께 재어 benchmarks/results.md 에 적습니다 (빈 두 코어에서 32분쯤). 일부만: make bench ARGS="--only manse,prompts"
bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py $(ARGS)

# 표에서 실린 모델까지. 끊기면 다시 부르세요: 끝난 단계는 건너뛰고, 훈련은 마지막 체크포인트에서 이어집니다
model: $(VENV)/.train
	$(BIN)/python tools/make_model.py

$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"Python 3.11 이상이 필요합니다 (지금 {v[0]}.{v[1]}). make PYTHON=python3.11 처럼 적어 주세요.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BIN)/python settings.ini setup.py
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python settings.ini setup.py
	$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@ $(VENV)/.base

$(VENV)/.bench: $(VENV)/.train
	$(BIN)/python -m pip install -q -e '.[dev,train,flutter,bench]'
	@touch $@

$(VENV)/.train: $(VENV)/.dev
	$(BIN)/python -m pip install -q -e '.[dev,train,flutter]'
	@touch $@

clean:
	rm -rf $(VENV) _proc build dist *.egg-info
