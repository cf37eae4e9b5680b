# Thin front of scripts/ and CMake. `make` alone lists the targets.
# WERROR=ON makes the compiler's warnings errors.
WERROR ?= OFF
# Of `make fuzz`, for each reader.
FUZZ_SECONDS ?= 60
CODE = '*.cpp' '*.h'
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup configure build demo test nightly mutations fuzz format check-format lint clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup:  ## install what is missing: Debian packages, LibTorch and ONNX Runtime in .venv
	@scripts/setup.sh

configure: setup
	@cmake --preset release -DCRRM_WERROR=$(WERROR)

build: configure  ## build the program, build/crrm
	@ninja -C build crrm_cli

demo: build  ## compress a small network and say where its report lies
	@scripts/demo.sh

test: configure  ## build everything and run the tests
	@ninja -C build
	@ctest --test-dir build -j2 --output-on-failure --no-label-summary

nightly: configure  ## check the couplings of 2,000 random networks (minutes)
	@ninja -C build test_properties
	@RC_PARAMS="max_success=2000" build/test_properties

mutations: configure  ## break coupling rules on purpose: the random networks must show it
	@ninja -C build test_properties
	@scripts/mutation_test.sh

fuzz:  ## read damaged files under sanitizers, FUZZ_SECONDS (60) for each reader
	@scripts/setup.sh clang libclang-rt-dev
	@cmake --preset fuzz -DCRRM_WERROR=$(WERROR)
	@ninja -C build-fuzz fuzz
	@scripts/fuzz.sh $(FUZZ_SECONDS)

format:  ## format the C++ files that the last commit or you changed
	@scripts/changed.sh $(CODE) | xargs -r clang-format -i

check-format:  ## fail where one of these files is not formatted
	@scripts/changed.sh $(CODE) | xargs -r clang-format --dry-run -Werror

lint: configure  ## run clang-tidy on their sources (half a minute each)
	@scripts/lint.sh

clean:  ## remove the build folders; .venv stays
	@rm -rf build build-debug build-asan build-fuzz
