# make name: 이름 추천. make serve: 브라우저에서 쓰기. make quick: 엔진만 빨리 검사. make test: 모든 검사. 필요한 것을 .venv 에 스스로 설치합니다.
PYTHON ?= python3
VENV   ?= .venv
BIRTH   ?= 2024-02-04T18:00
GENDER  ?= 여자
SURNAME ?= 김
BIN := $(VENV)/bin
# 기다리는 실(thread)이 일하는 실의 코어를 빼앗지 않게
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 0

.PHONY: name serve quick test docs readme bench model lock clean

name: $(VENV)/.base
	@$(BIN)/saju-naming recommend --birth "$(BIRTH)" --gender "$(GENDER)" --surname "$(SURNAME)" $(ARGS)

# 브라우저에서 http://localhost:8000 을 여세요. 옵션: make serve ARGS="--port 8080". 밖에 열려면: ARGS="--key-file key.txt --ngrok"
serve: $(VENV)/.serve
	@$(BIN)/saju-naming serve $(ARGS)

# 엔진의 노트북(00~05)과 부품, 엔진의 시험: torch 없이 2분 안에. 시험 파일은 아래에 적은 것만 빠집니다(서버, 브라우저, 훈련, 모든 노트북, 휠)
FULL := attacks bench flutter front merge notebooks package page private serve train workers
quick: $(VENV)/.dev
	$(BIN)/ruff check -q
	$(BIN)/mypy
	$(BIN)/nbdev_test --n_workers 2 --file_re '0[0-5]_.*'
	$(BIN)/nbdev_test --n_workers 2 --path nbs/lib
	$(BIN)/python -m pytest -q tests $(FULL:%=--ignore=tests/test_%.py)

# 모두: 노트북은 tests/test_notebooks.py가 하나씩 한 번 돌립니다
test: $(VENV)/.train
	$(BIN)/ruff check -q
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests

# nbdev imports what a page documents, so all that the notebooks need is installed.
# smalldocs does not know two things that Quarto reads (lang, output-file); anything else that it finds is an error
docs: $(VENV)/.train
	rm -rf _proc
	$(BIN)/python tools/docs.py
	$(BIN)/smalldocs render _proc --quiet
	$(BIN)/smalldocs check _proc >_proc/check.txt 2>&1 || grep -q 'page(s)' _proc/check.txt
	! grep -vE 'unknown key lang|output-file is not read|page\(s\)' _proc/check.txt

readme: $(VENV)/.dev
	$(BIN)/python tools/readme.py

# 빠르기를 상대와 함께 재어 benchmarks/results.md 에 적습니다 (빈 두 코어에서 한 시간쯤). 일부만: make bench ARGS="--only manse,prompts"
bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py $(ARGS)

# 표에서 실린 모델까지. 끊기면 다시 부르세요: 끝난 단계는 건너뛰고, 훈련은 마지막 체크포인트에서 이어집니다
model: $(VENV)/.train
	$(BIN)/python tools/make_model.py

# 배포에 쓰는 것을 판과 해시로 잠급니다 (tools/locks). settings.ini의 범위를 바꾸면 다시 부르세요. 모두 새 판으로: make lock ARGS=--upgrade
lock: $(VENV)/.lock
	$(BIN)/python tools/lock.py $(ARGS)

$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"Python 3.11 이상이 필요합니다 (지금 {v[0]}.{v[1]}). make PYTHON=python3.11 처럼 적어 주세요.")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BIN)/python settings.ini setup.py
	$(BIN)/python -m pip install -q -e .
	@touch $@

$(VENV)/.serve: $(BIN)/python settings.ini setup.py
	$(BIN)/python -m pip install -q -e '.[serve]'
	@touch $@ $(VENV)/.base

$(VENV)/.dev: $(BIN)/python settings.ini setup.py
	$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@ $(VENV)/.base $(VENV)/.serve

$(VENV)/.bench: $(VENV)/.train
	$(BIN)/python -m pip install -q -e '.[dev,train,flutter,bench]'
	@touch $@

$(VENV)/.train: $(VENV)/.dev
	$(BIN)/python -m pip install -q -e '.[dev,train,flutter]'
	@touch $@

$(VENV)/.lock: $(BIN)/python
	$(BIN)/python -m pip install -q 'pip-tools>=7.6,<8'
	@touch $@

clean:
	rm -rf $(VENV) _proc build dist *.egg-info
