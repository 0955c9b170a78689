# Everything from a fresh machine with Python 3.11, make and a package index. `make` lists the targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
FEUD := $(VENV)/bin/feud
export Q

.DEFAULT_GOAL := help
.PHONY: help setup native models index serve ask asked docs test torture fuzz clients sbom licences audit lint eval browser pictures pace lock clean servers growth cluster ray demo-news

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

serve: index ## answer questions on a page at 127.0.0.1:7860, or PORT=7861
	$(FEUD) serve --port $(or $(PORT),7860)

ask: asked index ## answer one question here: make ask Q="Who sued OpenAI?"
	@$(FEUD) ask -- "$$Q"

asked:
	@test -n "$$Q" || { echo 'error: no question. Write: make ask Q="Who sued OpenAI?"' >&2; exit 1; }

demo-news: models ## the page over other documents, news in six languages: make demo-news SAMPLE=24, or Q="…" for one answer
	@FEUD_MODELS="$$($(VENV)/bin/python -c 'from rag.settings import Settings; print(Settings.from_env().models)')" && \
	  export FEUD_MODELS FEUD_HOME="$(abspath $(VENV))/news" FEUD_DOCUMENTS= && \
	  $(FEUD) eval news --sample $(or $(SAMPLE),0) && $(FEUD) index && \
	  if test -n "$$Q"; then $(FEUD) ask -- "$$Q"; else $(FEUD) serve; fi

index: models
	$(FEUD) index

models: setup
	$(FEUD) models pull

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than Python 3.11. Name another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "== Python environment in $(VENV): about 2 GB, some minutes the first time"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

native: setup ## compile the engine for this processor: minutes, once; it then reads prompts faster
	@command -v cmake >/dev/null && command -v c++ >/dev/null || \
	  { echo "error: compiling needs cmake and a C++ compiler. Install them (Debian: apt-get install cmake g++), then run make native again." >&2; exit 1; }
	CMAKE_ARGS="-DLLAMA_BUILD_BORINGSSL=OFF -DLLAMA_LLGUIDANCE=OFF" $(VENV)/bin/pip install --disable-pip-version-check \
	  --constraint constraints.txt --no-deps --force-reinstall --no-binary xllamacpp xllamacpp
	@$(VENV)/bin/python -c 'import xllamacpp; print("== the engine uses:", xllamacpp.get_system_info())'

test: lint browser models $(VENV)/servers/.emulator ## lint, types, a short eval on the real models, all tests
	$(FEUD) models pull qwen2.5-coder-0.5b-instruct
	@# The models are the user's, the home is the tests' own: documents and index of the user stay untouched.
	FEUD_MODELS="$$($(VENV)/bin/python -c 'from rag.settings import Settings; print(Settings.from_env().models)')" && \
	  export FEUD_MODELS FEUD_HOME="$(abspath $(VENV))/home" FEUD_DOCUMENTS= HF_HUB_OFFLINE=1 && \
	  $(FEUD) index && $(FEUD) eval --split dev --sample 12 && $(VENV)/bin/pytest

torture: $(VENV)/.dev ## faults and attacks, all rounds of them: under an hour
	$(VENV)/bin/pytest tests/torture --torture --seed=$(or $(SEED),1) --timeout=3600

FUZZED := words markdown html mail saved_page epub feed batch front_matter question stream pdf text docx descriptions headers

fuzz: $(VENV)/.dev ## feed what reads documents, questions and replies, led by the code that is reached: make fuzz MINUTES=60
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	@mkdir -p $(VENV)/fuzz && for target in $(FUZZED); do \
	  echo "== $$target" && (cd $(VENV)/fuzz && HF_HUB_OFFLINE=1 PYTHONPATH="$(CURDIR)" "$(abspath $(VENV))/bin/python" -m tests.fuzz $$target \
	    $$(( $(or $(MINUTES),12) * 60 / $(words $(FUZZED)) )) $$target > $$target.log 2>&1) || { tail -n 40 $(VENV)/fuzz/$$target.log; exit 1; }; \
	  grep -a "^Done\|slowest" $(VENV)/fuzz/$$target.log; done

clients: index ## what other people's clients get: LangChain, LlamaIndex, openai, Open WebUI's requests
	$(PYTHON) -m venv $(VENV)/clients
	$(VENV)/clients/bin/pip install --quiet --disable-pip-version-check openai langchain-openai llama-index-llms-openai-like httpx
	$(FEUD) serve --extractive --port 7899 & server=$$!; trap "kill $$server" EXIT; \
	  for n in $$(seq 120); do $(VENV)/clients/bin/python -c 'import httpx; httpx.get("http://127.0.0.1:7899/v1/models")' 2>/dev/null && break; sleep 1; done; \
	  $(VENV)/clients/bin/python tests/clients.py http://127.0.0.1:7899/v1

sbom: $(VENV)/.supply ## what is installed, as CycloneDX: sbom.json
	$(VENV)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-format JSON --output-file sbom.json

licences: $(VENV)/.supply ## the licence of everything that is installed
	@$(VENV)/bin/pip-licenses --from=mixed --order=license

audit: $(VENV)/.supply ## known holes of what is pinned, where the database of the package index answers
	@$(VENV)/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --progress-spinner off

$(VENV)/.supply: $(VENV)/.dev
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[supply]'
	@touch $@

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/.dev: $(VENV)/.installed
	@echo "== tools for the tests"
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,docs]'
	@touch $@

servers: $(VENV)/.dev $(VENV)/servers/.installed ## the contract of the stores on Milvus servers: 1 GB, some minutes
	$(VENV)/bin/pytest tests/test_index_stores.py tests/test_index_servers.py tests/test_ui_store.py tests/test_eval_store.py

ROWS ?= 3000,10000,30000
ALONE := unshare -pfn --mount-proc bash -c 'ip link set lo up && exec "$$@"' _ $(VENV)/servers/bin/python -m tests.milvus_servers

growth: $(VENV)/servers/.installed $(VENV)/.dev index ## the same found on the disk and by a Milvus server, how soon, at which size: make growth ROWS=3000,30000
	$(FEUD) eval retrieval --sample 1 --extractive
	$(ALONE) standalone $(VENV)/servers $(FEUD) eval store milvus://127.0.0.1:19530 --rows $(ROWS)

cluster: $(VENV)/servers/.installed $(VENV)/.dev index ## two servers of feud on a Milvus cluster lose a query node under load: make cluster PASSAGES=100000
	$(FEUD) eval retrieval --sample 1 --extractive
	$(ALONE) cluster $(VENV)/servers $(VENV)/bin/python -m tests.milvus_run $(or $(PASSAGES),3000)

$(VENV)/servers/.emulator: tests/servers.txt
	@echo "== Milvus' emulator for the tests in $(VENV)/servers"
	$(PYTHON) -m venv $(VENV)/servers
	$(VENV)/servers/bin/pip install --quiet --disable-pip-version-check --constraint tests/servers.txt milvus-lite pymilvus
	@touch $@

$(VENV)/servers/.installed: $(VENV)/servers/.emulator
	@echo "== Milvus servers for the tests in $(VENV)/servers"
	$(VENV)/servers/bin/pip install --quiet --disable-pip-version-check --requirement tests/servers.txt
	@cd $(VENV)/servers && { apt-get update -qq && apt-get download -qq etcd-server && dpkg -x etcd-server_*.deb etcd; } || \
	  echo "note: no etcd could be had; the tests of real Milvus servers are skipped"
	@touch $@

ray: $(VENV)/.dev $(VENV)/ray/.installed ## ingestion on two nodes of Ray, one of which is killed: 0.4 GB, some minutes
	HF_HUB_OFFLINE=1 $(VENV)/ray/bin/python -m pytest tests/test_index_nodes.py tests/test_index_ingest.py tests/test_corpus_items.py

$(VENV)/ray/.installed: pyproject.toml constraints.txt
	@echo "== Ray for the tests in $(VENV)/ray, over what is in $(VENV)"
	$(PYTHON) -m venv $(VENV)/ray
	$(VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])' > \
	  "$$($(VENV)/ray/bin/python -c 'import site; print(site.getsitepackages()[0])')/feud.pth"
	$(VENV)/ray/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[ingest,ray]'
	@touch $@

browser: ## Debian's Chromium for the tests of the page
	@command -v chromium >/dev/null || { echo "== Chromium"; apt-get update -qq && apt-get install -y -qq chromium; } || \
	  { echo "error: the tests need Chromium. Install the package chromium, then run make test again." >&2; exit 1; }

eval: index ## the whole eval, development and test cases: about half an hour
	$(FEUD) eval --split dev
	$(FEUD) eval --split test

docs: $(VENV)/.dev ## build the manual: site/index.html, which needs no server
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --config-file ui/manual/mkdocs.yml
	@echo "The manual is in site/index.html"

pictures: index browser $(VENV)/.dev ## take the pictures of the page anew
	@fc-list :lang=zh | grep -q . || apt-get install -y -qq fonts-noto-cjk
	$(VENV)/bin/python -m tests.pictures

pace: browser $(VENV)/.dev ## measure how fast the page is
	$(VENV)/bin/python -m tests.pace

lock: $(VENV)/.supply ## pin what is installed now
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz,ingest,ray]'
	$(VENV)/bin/pip freeze --all --exclude pip --exclude-editable | sed 's/+cpu//' > constraints.txt

clean: ## remove the environment; models and index stay
	rm -rf $(VENV)
