// Feeds spoilt input of every kind to its reader: saga-fuzz [TARGET…] [--seed SEED] [--count N | --case N]

/// More than this was never needed: something grows with the cases.
let mostMemory = 256

let arguments = Arguments(CommandLine.arguments.dropFirst())
Watch.catchCrashes()
for target in arguments.targets {
    let start = ContinuousClock.now
    let cases = arguments.cases(of: target)
    let result = await Campaign(target: target, seed: arguments.seed, cases: cases).run()
    if let (number, property, input) = result.finding {
        fail(
            "\(target.name): not so: \(property)\n\(input)\nsaga-fuzz \(target.name) --seed \(arguments.seed) --case \(number) repeats it",
            code: 1)
    }
    let time = ContinuousClock.now - start
    let seconds = max(0.001, Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
    print(
        """
        \(target.name): \(cases.count) cases, \(result.accepted) accepted, \(Int(Double(cases.count) / seconds)) a second, \
        seed \(arguments.seed), at most \(Memory.peak) MiB
        """)
    guard Memory.peak <= mostMemory else { fail("more than \(mostMemory) MiB were needed", code: 1) }
}
