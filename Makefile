# The daily tasks, one word each. CI says the same words (.ci/run).

# An import of something that a target has not declared is an error, so that arrows point one way.
build := swift build --explicit-target-dependency-import-check error

# Tests that hang end with a word from timeout, rather than never. SIGINT, because `swift test` passes that one on to the tests.
# An hour is far more than any of them takes, on a slow machine too.
bounded := timeout --foreground --verbose --signal INT --kill-after 60 3600

# The end-to-end tests that print figures which we promise.
timed := A changed name|A server in another region|The channel over TCP|Events|Fallbacks|IPv6

.PHONY: help run build test test-release game-day lint format bench proto clean

help:
	@echo "make run     a whole fleet on this machine, until Ctrl-C: what to try is printed"
	@echo "make test    all tests, with what they need installed first"
	@echo "make test-release  the end-to-end tests again, with the release build"
	@echo "make game-day  failover with everything that can go wrong, with the release build; prints what it took"
	@echo "make build   the three executables, in .build/release"
	@echo "make lint    format, words and arrows that this code keeps to; shell scripts"
	@echo "make format  the code, formatted in place"
	@echo "make bench   side by side with HAProxy, nginx and sniproxy; holds the figures of the tests"
	@echo "make proto   Channel.pb.swift, from Channel.proto"
	@echo "make clean   nothing that was built"

run:
	@deploy/quickstart/run

build:
	@deploy/check-toolchain
	@deploy/install-packages build
	$(build) --configuration release --product ddirect-control
	$(build) --configuration release --product ddirect-proxy
	$(build) --configuration release --product ddirect

test:
	@deploy/check-toolchain
	@deploy/install-packages build test
	@deploy/install-moto
	$(build) --build-tests
	$(bounded) swift test --skip-build --disable-xctest --parallel --skip EndToEndTests --skip DNSTests
	# A process of its own: the data plane's threads block signals, and whoever waits for child processes needs those.
	$(bounded) swift test --skip-build --disable-xctest --parallel --filter DNSTests
	$(bounded) swift test --skip-build --disable-xctest --parallel --filter EndToEndTests
	Tests/Fuzz/run 10

# What is released is optimised, and the optimiser has been wrong before.
test-release: build
	@deploy/install-packages build test
	$(build) --build-tests
	DDIRECT_BINARIES=.build/release $(bounded) swift test --skip-build --disable-xctest --parallel --filter EndToEndTests

# A quarter of an hour: the cases that `make test` plays, and those that it leaves out. The table in the end is Markdown.
game-day: build
	@deploy/install-packages build test
	$(build) --build-tests
	DDIRECT_FIGURES=held DDIRECT_GAME_DAY=all DDIRECT_BINARIES=.build/release $(bounded) swift test --skip-build \
	    --disable-xctest --filter 'EndToEndTests.*A game day'

lint:
	@deploy/check-toolchain
	@deploy/install-packages lint
	@deploy/lint

format:
	@deploy/swift-sources | xargs -0 swift format --in-place --parallel

# No test fails because a machine is slow. What they take is held to what we promise here, on a machine that does nothing
# else.
bench: build
	@deploy/install-packages bench test
	Benchmarks/run
	$(build) --build-tests
	DDIRECT_FIGURES=held DDIRECT_BINARIES=.build/release $(bounded) swift test --skip-build --disable-xctest --no-parallel \
	    --filter 'EndToEndTests.*($(timed))'

proto:
	@deploy/install-packages proto
	swift build --configuration release --product protoc-gen-swift
	protoc --plugin=.build/release/protoc-gen-swift --proto_path=Sources/Shared/Wire --swift_out=Sources/Shared/Wire \
	    --swift_opt=Visibility=Public --swift_opt=UseAccessLevelOnImports=true Channel.proto

clean:
	rm -rf .build .run
