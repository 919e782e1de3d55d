internal import Foundation

/// What the machine and its user say about where data is: nothing of it changes a result.
package struct DataEnvironment: Sendable {
    /// `$DATA_MIRROR`: a folder with the files of datasets, in folders by name or all in one.
    package var mirror: String?
    /// `$OFFLINE`: set to anything but nothing and 0, nothing is downloaded.
    package var offline: Bool
    /// Takes one line about what is being done.
    package var log: @Sendable (String) -> Void

    package init(
        mirror: String? = nil, offline: Bool = true, log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.mirror = mirror
        self.offline = offline
        self.log = log
    }

    /// Reads `DATA_MIRROR` and `OFFLINE` from the process's environment.
    package static func process(
        _ variables: [String: String] = ProcessInfo.processInfo.environment,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) -> DataEnvironment {
        DataEnvironment(
            mirror: variables["DATA_MIRROR"].flatMap { $0.isEmpty ? nil : $0 },
            offline: !["", "0"].contains(variables["OFFLINE"] ?? ""), log: log)
    }
}
