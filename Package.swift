// swift-tools-version: 6.2
import PackageDescription

// Settings for all of Skald's own targets. A misspelt upcoming feature is accepted silently by the compiler,
// so `PackageTests` compares this list with what the compiler says it knows.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let deque = product(name: "DequeModule", package: "swift-collections")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let heap = product(name: "HeapModule", package: "swift-collections")
    static let histogram = product(name: "Histogram", package: "hdrhistogram-swift")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdTesting = product(name: "HummingbirdTesting", package: "hummingbird")
    static let lifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let logging = product(name: "Logging", package: "swift-log")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioTLS = product(name: "NIOTLS", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let yams = product(name: "Yams", package: "Yams")
}

func library(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func executable(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
    name: "skald",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "skald", targets: ["skald"]),
        .library(name: "RedisTransport", targets: ["RedisTransport"]),
        .library(name: "SagaCore", targets: ["SagaCore"]),
        .library(name: "SagaClient", targets: ["SagaClient"]),
        .library(name: "SagaParticipant", targets: ["SagaParticipant"]),
        .library(name: "SagaParticipantSQLite", targets: ["SagaParticipantSQLite"]),
        .library(name: "SagaWire", targets: ["SagaWire"]),
        .library(name: "SagaSimulation", targets: ["SagaSimulation"]),
        .library(name: "SagaTesting", targets: ["SagaTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin.git", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),

        // The core: definitions and the machine. Imports nothing.
        library("SagaCore"),
        // Encodings. Knows no Redis.
        library("SagaWire", ["SagaCore", .crypto, .yams]),
        // Definitions tried out: simulated services and time, drills, drawings.
        library("SagaSimulation", ["SagaCore"]),
        // What the orchestrator needs of a store, and the in-memory store.
        library("SagaStore", ["SagaCore", "SagaWire"]),

        // Redis: a transport that knows no word of sagas, the scripts, and the store on top of both.
        library("RedisTransport", ["CHiredis", .crypto, .deque, .logging, .nioCore, .nioPosix, .nioSSL, .nioTLS]),
        .target(
            name: "SagaScripts",
            path: "lua",
            resources: [
                .embedInCode("lib/clock.lua"),
                .embedInCode("lib/fence.lua"),
                .embedInCode("lib/groups.lua"),
                .embedInCode("lib/holder.lua"),
                .embedInCode("lib/identity.lua"),
                .embedInCode("lib/order.lua"),
                .embedInCode("scripts/consumer_remove.lua"),
                .embedInCode("scripts/definition_register.lua"),
                .embedInCode("scripts/inbox_peek.lua"),
                .embedInCode("scripts/member_beat.lua"),
                .embedInCode("scripts/namespace_announce.lua"),
                .embedInCode("scripts/namespace_open.lua"),
                .embedInCode("scripts/partition_commit.lua"),
                .embedInCode("scripts/partition_create.lua"),
                .embedInCode("scripts/partition_look.lua"),
                .embedInCode("scripts/partition_raise.lua"),
                .embedInCode("scripts/partition_release.lua"),
                .embedInCode("scripts/partition_renew.lua"),
                .embedInCode("scripts/partition_retire.lua"),
                .embedInCode("scripts/partition_take.lua"),
                .embedInCode("scripts/partition_trim.lua"),
            ],
            swiftSettings: settings
        ),
        library("SagaRedis", ["RedisTransport", "SagaCore", "SagaScripts", "SagaStore", "SagaWire", .logging]),

        library("SagaOrchestrator", ["SagaCore", "SagaStore", "SagaWire", .crypto, .lifecycle, .logging]),
        library("SagaClient", ["RedisTransport", "SagaCore", "SagaRedis", "SagaStore", "SagaWire", .logging]),
        library(
            "SagaParticipant",
            ["RedisTransport", "SagaCore", "SagaRedis", "SagaWire", .lifecycle, .logging, .nioCore, .nioPosix]),
        library("SagaParticipantSQLite", ["SagaCore", "SagaParticipant", "SagaWire", .grdb]),
        library("SagaHTTP", ["SagaCore", "SagaOrchestrator", "SagaStore", .hummingbird, .lifecycle, .logging]),

        // A redis-server as a child process: for `skald dev`, for tests and for the demo.
        library("LocalRedis", ["RedisTransport", .logging]),
        // For tests, ours and those of users: scenarios on both stores, a model of participants, rewinds.
        library(
            "SagaTesting",
            [
                "LocalRedis", "RedisTransport", "SagaCore", "SagaOrchestrator", "SagaRedis", "SagaSimulation",
                "SagaStore", "SagaWire", .logging, .nioCore, .nioPosix,
            ]),

        library(
            "SagaBench",
            [
                "RedisTransport", "SagaCore", "SagaOrchestrator", "SagaRedis", "SagaStore", "SagaWire", .histogram,
                .logging,
            ]),
        executable(
            "skald",
            [
                "LocalRedis", "RedisTransport", "SagaBench", "SagaClient", "SagaCore", "SagaHTTP", "SagaOrchestrator",
                "SagaRedis", "SagaSimulation", "SagaStore", "SagaWire", .argumentParser, .crypto, .lifecycle, .logging,
                .unixSignals,
            ]),

        // The example: an order shop of three services, each with its own database, and the demo that runs them.
        library(
            "Shop", path: "Sources/Examples/Shop",
            [
                "RedisTransport", "SagaParticipant", "SagaParticipantSQLite", "SagaWire", .argumentParser, .grdb,
                .lifecycle, .logging, .unixSignals,
            ]),
        executable(
            "points-service", path: "Sources/Examples/points-service",
            [
                "RedisTransport", "SagaParticipant", "SagaParticipantSQLite", .grdb, .lifecycle, .logging, .unixSignals,
            ]),
        executable(
            "shop-orders", path: "Sources/Examples/shop-orders",
            ["SagaParticipant", "SagaParticipantSQLite", "Shop", .argumentParser, .grdb]),
        executable(
            "shop-inventory", path: "Sources/Examples/shop-inventory",
            ["SagaParticipant", "SagaParticipantSQLite", "Shop", .argumentParser, .grdb]),
        executable(
            "shop-payments", path: "Sources/Examples/shop-payments",
            ["SagaParticipant", "SagaParticipantSQLite", "Shop", .argumentParser, .grdb]),
        // The shop's programs as processes, what goes wrong with them, and the audit of their databases.
        library("ShopStage", path: "Sources/Examples/ShopStage", ["LocalRedis", "Shop", .grdb]),
        executable(
            "shop-demo", path: "Sources/Examples/shop-demo",
            [
                "LocalRedis", "RedisTransport", "SagaClient", "SagaCore", "SagaRedis", "SagaWire", "Shop", "ShopStage",
                .argumentParser, .logging, .unixSignals,
            ]),
        // The same shop under random faults, for as long as told.
        executable(
            "shop-soak", path: "Tests/shop-soak",
            [
                "LocalRedis", "RedisTransport", "SagaClient", "SagaCore", "SagaWire", "Shop", "ShopStage",
                .argumentParser, .logging,
            ]),

        tests(
            "SagaScriptsTests",
            ["LocalRedis", "RedisTransport", "SagaRedis", "SagaScripts", "SagaStore", "SagaTesting"]),
        tests(
            "SagaStoreTests",
            ["LocalRedis", "RedisTransport", "SagaCore", "SagaRedis", "SagaStore", "SagaTesting", "SagaWire"]),
        tests(
            "SagaOrchestratorTests",
            ["SagaCore", "SagaOrchestrator", "SagaRedis", "SagaStore", "SagaTesting", "SagaWire", "TestSupport"]),
        tests(
            "SagaRedisTests",
            [
                "LocalRedis", "RedisTransport", "SagaCore", "SagaOrchestrator", "SagaRedis", "SagaStore", "SagaTesting",
                "SagaWire", "TestSupport", .logging,
            ]),
        tests(
            "RedisTransportTests",
            ["CHiredis", "LocalRedis", "RedisTransport", "TestSupport", .logging, .nioCore, .nioEmbedded, .nioPosix]),
        tests(
            "SagaParticipantTests",
            [
                "LocalRedis", "RedisTransport", "SagaCore", "SagaParticipant", "SagaParticipantSQLite", "SagaRedis",
                "SagaTesting", "SagaWire", "TestSupport", .grdb, .lifecycle, .logging,
            ]),
        tests("LocalRedisTests", ["LocalRedis", "RedisTransport"]),
        tests("SagaTestingTests", ["LocalRedis", "RedisTransport", "SagaTesting"]),
        // Seeded randomness and random definitions, for the tests of several targets.
        .target(name: "TestSupport", dependencies: ["SagaCore"], path: "Tests/TestSupport", swiftSettings: settings),
        tests(
            "ExamplesTests",
            [
                "LocalRedis", "SagaCore", "SagaParticipant", "SagaWire", "Shop", "ShopStage", "TestSupport",
                "shop-demo", "shop-inventory", "shop-orders", "shop-payments", .grdb,
            ]),
        tests(
            "DeployTests",
            [
                "LocalRedis", "RedisTransport", "SagaClient", "SagaCore", "SagaOrchestrator", "SagaParticipant",
                "SagaRedis", "SagaWire", "TestSupport", .lifecycle, .logging,
            ]),
        tests(
            "EndToEndTests",
            [
                "LocalRedis", "RedisTransport", "SagaClient", "SagaCore", "SagaOrchestrator", "SagaParticipant",
                "SagaRedis", "SagaTesting", "SagaWire", "TestSupport", "shop-inventory", "shop-orders", "shop-payments",
                "shop-soak", "skald", .lifecycle, .logging,
            ]),
        tests(
            "SagaClientTests",
            [
                "LocalRedis", "RedisTransport", "SagaClient", "SagaCore", "SagaOrchestrator", "SagaRedis", "SagaStore",
                "SagaTesting", "SagaWire",
            ]),
        tests(
            "SkaldCommandTests",
            ["LocalRedis", "RedisTransport", "SagaCore", "SagaTesting", "SagaWire", "TestSupport", "skald"]),
        // Random sagas by the hundred thousand. Depends on little, so that it is soon built with optimisation.
        library("SagaProperties", path: "Tests/SagaProperties", ["SagaCore", "TestSupport"]),
        // Every state of small sagas. The participant's rules are compiled once more, from the same files, as the library
        // that they belong to brings a network along.
        library("SagaBarrierRules", path: "Tests/SagaBarrierRules", ["SagaCore", "SagaWire"]),
        library("SagaExplorer", path: "Tests/SagaExplorer", ["SagaBarrierRules", "SagaCore", "SagaWire"]),
        executable("saga-properties", path: "Tests/saga-properties", ["SagaExplorer", "SagaProperties"]),
        // Spoilt input for everything that reads what others write.
        executable(
            "saga-fuzz", path: "Tests/saga-fuzz",
            ["RedisTransport", "SagaCore", "SagaParticipant", "SagaProperties", "SagaRedis", "SagaWire", "TestSupport"]),
        tests("SagaCoreTests", ["SagaCore", "SagaExplorer", "SagaProperties", "TestSupport"]),
        // The whole coordinator over a simulated store, network, clock and services, by the seed.
        library(
            "CoordinatorSimulator", path: "Tests/CoordinatorSimulator",
            [
                "SagaCore", "SagaOrchestrator", "SagaParticipant", "SagaProperties", "SagaStore", "SagaWire",
                "TestSupport", .heap, .logging,
            ]),
        executable(
            "coordinator-simulator", path: "Tests/coordinator-simulator", ["CoordinatorSimulator", "SagaCore"]),
        tests("CoordinatorSimulatorTests", ["CoordinatorSimulator", "SagaCore"]),
        tests("SagaSimulationTests", ["SagaCore", "SagaSimulation", "SagaTesting", "SagaWire", "TestSupport"]),
        tests("SagaWireTests", ["SagaCore", "SagaWire", "TestSupport"]),
    ]
)
