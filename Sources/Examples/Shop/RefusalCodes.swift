/// Why the shop's services refuse: stable words, for programs.
public enum RefusalCodes {
    // orders
    public static let orderExists = "order-exists"
    public static let unknownProduct = "unknown-product"
    public static let unknownDay = "unknown-day"
    public static let dayFull = "day-full"
    // inventory
    public static let outOfStock = "out-of-stock"
    // payments
    public static let unknownCustomer = "unknown-customer"
    public static let creditExceeded = "credit-exceeded"
    /// A row is not in the state in which a command makes sense, which is never expected: a person has to look.
    public static let unexpectedState = "unexpected-state"
}
