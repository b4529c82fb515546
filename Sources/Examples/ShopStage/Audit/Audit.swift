/// Compares the three databases with each other and with what the coordinator says of its sagas.
///
/// It knows nothing of how the services work, only what must hold in the end: an order is kept by all of them or by none.
package struct Audit: Sendable {
    /// The end of a saga, as far as it has one.
    package enum End: String, Sendable, Hashable {
        case completed, compensated
        /// Waits for an operator.
        case stuck
        case unfinished
    }

    /// What is wrong, a line each; empty where everything adds up.
    package private(set) var findings: [String] = []
    package private(set) var counts = Counts()

    /// How many orders each of them keeps, has undone, and never had.
    package struct Counts: Sendable, Hashable {
        package var started = 0
        package var sagas: [End: Int] = [:]
        package var orders: [String: Int] = [:]
        package var reservations: [String: Int] = [:]
        package var payments: [String: Int] = [:]
        package var stockInitial = 0
        package var stockLeft = 0
        package var stockReserved = 0
        package var moneyOpening = 0
        package var moneyLeft = 0
        package var moneyCaptured = 0
        package var daysBooked = 0
    }

    private let books: ShopBooks

    /// - Parameters:
    ///   - started: the orders that were placed.
    ///   - ends: what the coordinator says of each.
    package init(_ books: ShopBooks, started: [String], ends: [String: End]) {
        self.books = books
        counts.started = started.count
        for order in started { check(order, ends[order]) }
        checkStrangers(Set(started))
        checkStock()
        checkMoney()
        checkDays()
    }

    // MARK: one order

    private mutating func check(_ order: String, _ end: End?) {
        let (row, reservation, payment) = (books.orders[order], books.reservations[order], books.payments[order])
        counts.sagas[end ?? .unfinished, default: 0] += 1
        counts.orders[row?.status ?? "", default: 0] += 1
        counts.reservations[reservation?.status ?? "", default: 0] += 1
        counts.payments[payment?.status ?? "", default: 0] += 1

        switch end {
        case .completed:
            expect(row?.status == "confirmed", order, "completed, but the order is \(row?.status ?? "absent")")
            expect(
                reservation?.status == "reserved", order,
                "completed, but the reservation is \(reservation?.status ?? "absent")")
            expect(payment?.status == "captured", order, "completed, but the payment is \(payment?.status ?? "absent")")
            expect(reservation?.lines == row?.lines, order, "what is reserved is not what was ordered")
            expect(
                payment?.amount == row?.total && payment?.customer == row?.customer, order,
                "what was paid is not what was owed")
        case .compensated:
            expect(isUndone(row?.status, "cancelled"), order, "compensated, but the order is \(row?.status ?? "")")
            expect(
                isUndone(reservation?.status, "released"), order,
                "compensated, but the reservation is \(reservation?.status ?? "")")
            expect(
                isUndone(payment?.status, "refunded"), order, "compensated, but the payment is \(payment?.status ?? "")"
            )
        case .stuck: findings.append("\(order): the saga is stuck")
        case .unfinished, nil: findings.append("\(order): started, and has no end")
        }
    }

    private func isUndone(_ status: String?, _ undone: String) -> Bool { status == nil || status == undone }

    private mutating func expect(_ holds: Bool, _ order: String, _ finding: String) {
        if !holds { findings.append("\(order): \(finding)") }
    }

    // MARK: sums

    private mutating func checkStrangers(_ started: Set<String>) {
        for (place, keys) in [
            ("an order", Array(books.orders.keys)), ("a reservation", Array(books.reservations.keys)),
            ("a payment", Array(books.payments.keys)),
        ] {
            for key in keys.sorted() where !started.contains(key) {
                findings.append("\(key): there is \(place) that nobody placed")
            }
        }
    }

    private mutating func checkStock() {
        var reserved: [String: Int] = [:]
        for reservation in books.reservations.values where reservation.status == "reserved" {
            for (sku, quantity) in reservation.lines { reserved[sku, default: 0] += quantity }
        }
        for (sku, stock) in books.stock.sorted(by: { $0.key < $1.key }) {
            let taken = reserved[sku, default: 0]
            if stock.initial != stock.available + taken {
                findings.append("\(sku): \(stock.initial) at first, but \(stock.available) left and \(taken) reserved")
            }
            counts.stockInitial += stock.initial
            counts.stockLeft += stock.available
            counts.stockReserved += taken
        }
    }

    private mutating func checkMoney() {
        var captured: [String: Int] = [:]
        for payment in books.payments.values where payment.status == "captured" {
            captured[payment.customer, default: 0] += payment.amount
        }
        for (customer, account) in books.accounts.sorted(by: { $0.key < $1.key }) {
            let spent = captured[customer, default: 0]
            if account.opening != account.balance + spent {
                findings.append(
                    "\(customer): \(account.opening) cents at first, but \(account.balance) left and \(spent) captured")
            }
            if account.balance < -account.credit {
                findings.append("\(customer): \(account.balance) cents, beyond a credit of \(account.credit)")
            }
            counts.moneyOpening += account.opening
            counts.moneyLeft += account.balance
            counts.moneyCaptured += spent
        }
    }

    private mutating func checkDays() {
        for (name, day) in books.days.sorted(by: { $0.key < $1.key }) {
            let confirmed = books.orders.values.count { $0.day == name && $0.status == "confirmed" }
            if day.booked != confirmed {
                findings.append("\(name): \(day.booked) deliveries booked, but \(confirmed) orders confirmed")
            }
            counts.daysBooked += day.booked
        }
    }
}
