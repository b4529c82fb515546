public import SagaCore

extension Definition {
    /// The definition as a JSON definition file of one line: fixed order of keys, every default written out.
    ///
    /// Equal definitions have equal bytes, whatever file they came from: registering a name and version again compares
    /// these. ``decode(canonical:)`` and ``DefinitionFile`` read it back to an equal definition.
    ///
    /// What a definition doesn't have is left out rather than written as empty, so that keys which later versions add
    /// don't change the bytes of definitions that don't use them.
    public var canonicalJSON: [UInt8] {
        var writer = JSONWriter(reserving: 256 + 384 * steps.count)
        writer.beginObject()
        writer.field("name", name)
        writer.field("version", version)
        if let deadline { writer.field("deadline", span: deadline) }
        writer.field("durability", durability.rawValue)
        writer.beginObject("compensation")
        writer.field("order", order.rawValue)
        writer.field("whenStuck", whenStuck.rawValue)
        writer.endObject()
        if retention != DefinitionLimits.defaultRetention { writer.field("retention", span: retention) }
        if let trigger {
            writer.beginObject("trigger")
            writer.field("event", trigger.event)
            if trigger.isPerEvent { writer.field("each", "event") }
            writer.endObject()
        }
        writer.beginArray("steps")
        for index in steps.indices { writer.step(steps[index], of: self, isPivot: index == pivot) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Reads what ``canonicalJSON`` wrote.
    ///
    /// - Throws: where the bytes are something else, or were written by a version that knows more keys.
    public static func decode(canonical bytes: [UInt8]) throws(DefinitionFileFaults) -> Definition {
        // A hundred steps that name each other, with conditions and codes as long as they may be, take more than a file
        // may have, written out in full.
        let maxSize = 8 * DefinitionFile.maxSize
        // A JSON file has one document, and a file without faults has a definition for each.
        return try DefinitionFile(
            parsing: bytes, name: "stored definition", format: .json, maxSize: maxSize
        ).definitions[0]
    }
}

extension JSONWriter {
    fileprivate mutating func step(_ step: Step, of definition: Definition, isPivot: Bool) {
        beginObject()
        field("name", step.name)
        switch step.kind {
        case .command(let service, let action):
            field("service", service)
            field("action", action)
        case .delay(let span): field("delay", span: span)
        case .until(.at(let instant)): field("until", instant)
        case .until(.path(let path)): field("until", path.description)
        case .signal(let name): field("signal", name)
        case .child(let name, let source):
            field("saga", name)
            if let source { field("inputFrom", definition.steps[source].name) }
        }
        if let when = step.when {
            name("when")
            condition(when)
        }
        additions(of: step)
        if step.compensation != nil || step.isCompensationWaived { field("compensation", step.compensation) }
        if let timeout = step.timeout { field("timeout", span: timeout) }
        if step.service != nil { policy("retry", step.retry) }
        if step.compensation != nil { policy("compensationRetry", step.compensationRetry) }
        codes(step.codes)
        names("after", step.after, definition)
        if step.service != nil { names("uses", step.uses, definition) }
        if isPivot { field("pivot", true) }
        endObject()
    }

    private mutating func additions(of step: Step) {
        if let forEach = step.forEach {
            beginObject("forEach")
            field("items", forEach.items.description)
            field("parallel", forEach.parallel)
            endObject()
        }
        if step.emits != Emits() {
            beginObject("emits")
            if let topic = step.emits.succeeded { field("succeeded", topic) }
            if let topic = step.emits.failed { field("failed", topic) }
            endObject()
        }
    }

    private mutating func codes(_ codes: ErrorCodes) {
        if !codes.noRetry.isEmpty { texts("noRetry", codes.noRetry) }
        if let only = codes.compensateOn { texts("compensateOn", only) }
        if !codes.stopOn.isEmpty { texts("stopOn", codes.stopOn) }
    }

    private mutating func texts(_ name: StaticString, _ texts: [String]) {
        beginArray(name)
        for text in texts { value(text) }
        endArray()
    }

    private mutating func policy(_ name: StaticString, _ policy: RetryPolicy) {
        beginObject(name)
        field("attempts", policy.attempts)
        field("initial", span: policy.initial)
        field("factor", policy.factor)
        field("max", span: policy.max)
        field("jitter", policy.jitter)
        endObject()
    }

    private mutating func names(_ name: StaticString, _ steps: [Int], _ definition: Definition) {
        beginArray(name)
        for step in steps { value(definition.steps[step].name) }
        endArray()
    }

    fileprivate mutating func field(_ name: StaticString, span: Milliseconds) {
        field(name, DurationText.format(span))
    }
}
