/// An error whose description tells a user what is wrong, where, and what to do.
package protocol ReportableError: Error, CustomStringConvertible {
    /// The exit status of a program that ends with it (sysexits): 64 for a wrong command line, 65 for bad data,
    /// 66 for a missing input, 70 for a fault of the program, 74 for I/O.
    var exitCode: Int32 { get }

    /// What a program says, line by line, each behind its name; the description by default.
    var messages: [String] { get }
}

extension ReportableError {
    package var messages: [String] { [description] }
}
