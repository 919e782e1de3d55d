import Files
import Foundation

// source-digest generate --output FILE --package FOLDER
//     (--module NAME FILE…)… (--stage NAME MODULE… package:NAME@VERSION…)…
//     writes a Swift file with `sourceDigests`, unless it says so already
// source-digest strip FILE…
//     prints the files as they are hashed: without comments, blank lines and indentation

do {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "generate":
        try Generation(arguments.dropFirst()).run()
    case "strip" where arguments.count > 1:
        for path in arguments.dropFirst() {
            try FileHandle.standardOutput.write(contentsOf: Data(Stripper.strip(file: path)))
        }
    default:
        throw DigestFailure.usage("expected 'generate' or 'strip FILE…'")
    }
} catch {
    try? FileHandle.standardError.write(contentsOf: Data("source-digest: error: \(error)\n".utf8))
    exit(error is DigestFailure ? 64 : (error as? FileError)?.exitCode ?? 74)
}
