internal import ArgumentParser
internal import Foundation
package import HDF5
internal import Parameters
package import Tensors

/// What can be wrong with a stage's command line and inputs.
package enum StageError: ReportableError, Equatable {
    case missingFile(option: String, path: String)
    case invalidSetting(String)
    /// The input is an artifact of another kind.
    case wrongKind(option: String, path: String, found: String, expected: String)
    /// A rerun with equal parameters, inputs and code gave other bytes.
    case notReproducible(output: String, before: String, now: String)
    case cannotWrite(path: String, reason: String)
    /// The output would replace one of the inputs.
    case outputIsInput(option: String, path: String)
    /// An input was made from another file than the one given beside it.
    case otherOrigin(option: String, path: String, name: String, expected: String, found: String)

    package var exitCode: Int32 {
        switch self {
        case .missingFile: 66
        case .invalidSetting, .outputIsInput: 64
        case .wrongKind, .notReproducible, .otherOrigin: 65
        case .cannotWrite: 74
        }
    }

    package var description: String {
        switch self {
        case .missingFile(let option, let path):
            "\(option) \(path): there is no such file; check the path, or make it with an earlier stage"
        case .invalidSetting(let setting):
            "--set \(setting): must be path=value, as in training.epochs=3"
        case .wrongKind(let option, let path, let found, let expected):
            "\(option) \(path): holds a \(found), but a \(expected) is needed here"
        case .notReproducible(let output, let before, let now):
            "\(output): equal parameters, inputs and code gave \(before) before and \(now) now; "
                + "both are in the store: compare them with `artifact diff`, and please report it"
        case .outputIsInput(let option, let path):
            "--output \(path): is the file given with \(option), which it would replace; give another name"
        case .otherOrigin(let option, let path, let name, let expected, let found):
            "\(option) \(path): was made from another \(name) (\(found.prefix(12))…) than the one given with --\(name) "
                + "(\(expected.prefix(12))…); make it again from this one"
        case .cannotWrite(let path, let reason):
            "\(path): cannot be written: \(reason)"
        }
    }
}

extension HDF5Error: ReportableError {}
extension LinearAlgebraError: ReportableError {}
extension Platform.Missing: ReportableError { package var exitCode: Int32 { 69 } }

/// The exit status an error stands for; 70, a fault of the program, for an unknown one.
package func exitStatus(of error: any Error) -> Int32 {
    switch error {
    case let error as any ReportableError: error.exitCode
    case let error as CocoaError: error.isFileError ? 74 : 70
    default: 70
    }
}

/// What is wrong, a line for each thing.
private func messages(of error: any Error) -> [String] {
    switch error {
    case let error as any ReportableError: return error.messages
    case let error as CocoaError where error.isFileError:
        let path = error.userInfo["NSDestinationFilePath"] as? String ?? error.filePath ?? "a file"
        let cause = (error.underlying as? POSIXError)?.code.rawValue
        return ["\(path): \(cause.map { String(cString: strerror($0)) } ?? error.localizedDescription)"]
    default: return ["\(error)"]
    }
}

/// Runs a stage's work; an error goes to stderr as `stage: error: …` and ends the process with its status.
package func reportingErrors<Result>(of stage: String, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as ExitCode {
        throw error
    } catch {
        for message in messages(of: error) { printError("\(stage): error: \(message)") }
        throw ExitCode(exitStatus(of: error))
    }
}
