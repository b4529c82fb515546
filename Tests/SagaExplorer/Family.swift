import SagaBarrierRules
import SagaCore
import SagaWire

/// What does not change while a model is explored: its sagas' places, and every message that there can be, by number.
package struct Family: Sendable {
    /// Where a saga can be: the first is the one that was started, the others are its children.
    struct Slot: Sendable {
        let parent: (slot: Int, step: Int)?
        /// A saga of which nothing is known but how it was started.
        let blank: Saga
    }

    /// Where a participant's record belongs.
    struct Place: Sendable {
        let slot: Int
        let branch: Branch
        /// Number of the participant that has it.
        let service: Int
        let canRefuse: Bool
    }

    let model: ExploredModel
    let slots: [Slot]
    let places: [Place]
    let services: [String]
    let eras: Int
    let commands: [Command]
    let replies: [Reply]

    /// - Precondition: the model has few enough steps and rewinds for its messages to be the bits of one word.
    package init(_ model: ExploredModel) {
        self.model = model
        eras = model.rewinds + 1
        slots = Self.slots(of: model)
        var services: [String] = []
        var places: [Place] = []
        for (number, slot) in slots.enumerated() {
            for (index, step) in slot.blank.definition.steps.enumerated() {
                guard let service = step.service else { continue }
                if !services.contains(service) { services.append(service) }
                for item in step.forEach == nil ? [nil] : ExploredModel.items.indices.map({ Int?($0) }) {
                    places.append(
                        Place(
                            slot: number, branch: Branch(step: index, item: item),
                            service: services.firstIndex(of: service) ?? 0,
                            canRefuse: model.canRefuse && !step.isAfterPivot))
                }
            }
        }
        (self.places, self.services) = (places, services)
        let count = places.count * 4 * eras
        precondition(count <= 64, "\(model.name) has \(count) messages, which is more than 64")
        var commands: [Command] = []
        var replies: [Reply] = []
        for number in 0..<count {
            let message = Message(number, eras: eras)
            let (place, saga) = (places[message.place], slots[places[message.place].slot].blank)
            let step = saga.definition.steps[place.branch.step]
            commands.append(
                Command(
                    saga: saga.id, definition: saga.definition.name, version: 1, step: step.name,
                    item: place.branch.item,
                    phase: message.phase, operation: "", isEffectKnown: message.flag, attempt: 1,
                    era: Int64(message.era), token: "", input: [], deadline: 0))
            replies.append(
                Reply(
                    step: step.name, item: place.branch.item, phase: message.phase, attempt: 1,
                    outcome: message.flag ? .failed : .succeeded))
        }
        (self.commands, self.replies) = (commands, replies)
    }

    private static func slots(of model: ExploredModel) -> [Slot] {
        let root = blank("saga", model.definition, isChild: false, model.safeguards)
        var slots = [Slot(parent: nil, blank: root)]
        for step in model.definition.steps.indices {
            guard case .child(let name, _) = model.definition.steps[step].kind,
                let definition = model.children.first(where: { $0.name == name })
            else { continue }
            slots.append(
                Slot(
                    parent: (0, step), blank: blank(root.childID(of: step), definition, isChild: true, model.safeguards)
                ))
        }
        return slots
    }

    private static func blank(
        _ id: String, _ definition: Definition, isChild: Bool, _ safeguards: Safeguards
    ) -> Saga {
        let started = Started(
            definition: definition.name, version: 1, era: 1, isChild: isChild, input: ExploredModel.input)
        var directives: [Directive] = []
        var saga = Saga(
            id: id, definition: definition, started: started, safeguards: safeguards, at: 0, directives: &directives)
        saga.steps = Array(repeating: StepState(), count: saga.steps.count)
        return saga
    }

    /// The slot of a step's child saga.
    func child(of slot: Int, step: Int) -> Int? {
        slots.firstIndex { $0.parent.map { $0 == (slot, step) } ?? false }
    }

    func place(_ slot: Int, _ branch: Branch) -> Int {
        places.firstIndex { $0.slot == slot && $0.branch == branch } ?? 0
    }

    /// How a trace names a place.
    func name(of place: Int) -> String {
        slots[places[place].slot].blank.name(of: places[place].branch)
    }
}

/// A message as a number. How often it was sent does not matter, nor which attempt it belongs to: a command can be
/// delivered any number of times, and the first success or refusal of any attempt counts.
///
/// An answer `retry` is left out. It does to a saga what the end of the attempt's time does.
struct Message {
    var place: Int
    var phase: Phase
    /// From 1.
    var era: Int
    /// Of a command: its action's effect is known. Of an answer: a refusal.
    var flag: Bool

    init(_ place: Int, _ phase: Phase, era: Int, flag: Bool) {
        (self.place, self.phase, self.era, self.flag) = (place, phase, era, flag)
    }

    init(_ number: Int, eras: Int) {
        let half = number / 2
        let (rest, era) = half.quotientAndRemainder(dividingBy: eras)
        self.init(rest / 2, rest % 2 == 0 ? .action : .compensation, era: era + 1, flag: number % 2 == 1)
    }

    func number(eras: Int) -> Int {
        (((place * 2 + (phase == .action ? 0 : 1)) * eras) + era - 1) * 2 + (flag ? 1 : 0)
    }
}

/// A set of messages under way.
struct MessageSet: Equatable {
    var bits: UInt64 = 0

    func contains(_ number: Int) -> Bool { bits & 1 << UInt64(number) != 0 }
    mutating func insert(_ number: Int) { bits |= 1 << UInt64(number) }
    mutating func remove(_ number: Int) { bits &= ~(1 << UInt64(number)) }

    /// In ascending order.
    var numbers: [Int] {
        var (rest, numbers) = (bits, [Int]())
        while rest != 0 {
            numbers.append(rest.trailingZeroBitCount)
            rest &= rest - 1
        }
        return numbers
    }
}
