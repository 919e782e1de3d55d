import CYAML

/// What libyaml finds in a text, piece by piece: nothing is composed, so nothing can be expanded.
final class YAMLEvents {
    /// One piece. Keys and values follow each other as events of their own.
    struct Event {
        enum Content {
            case plain(String)
            case quoted(String)
            case listStart
            case mapStart
            /// Of the list or map that began last.
            case end
        }

        var content: Content
        /// `&name`, or an alias, `*name`.
        var hasAnchor: Bool
        var tag: String?
        /// Counted from 1.
        var line: Int
        var column: Int

        var isEnd: Bool { if case .end = content { true } else { false } }
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let file: String
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// - Parameter bytes: UTF-8, to be kept as long as events are asked for.
    init(_ bytes: UnsafeBufferPointer<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else { preconditionFailure("libyaml has no memory") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// The next event; nil at the end of the text.
    ///
    /// - Throws: `ParameterError.syntax` with the line.
    func next() throws -> Event? {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError }
            defer { yaml_event_delete(&event) }
            switch event.type {
            case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return nil
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
            default: return Self.event(event)
            }
        }
    }

    private static func event(_ event: yaml_event_t) -> Event {
        var result = Event(
            content: .end, hasAnchor: false, tag: nil, line: event.start_mark.line + 1,
            column: event.start_mark.column + 1)
        switch event.type {
        case YAML_ALIAS_EVENT:
            result.content = .plain("")
            result.hasAnchor = true
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            result.content = scalar.style == YAML_PLAIN_SCALAR_STYLE ? .plain(text) : .quoted(text)
            result.hasAnchor = scalar.anchor != nil
            result.tag = scalar.tag.map { String(cString: $0) }
        case YAML_SEQUENCE_START_EVENT:
            result.content = .listStart
            result.hasAnchor = event.data.sequence_start.anchor != nil
            result.tag = event.data.sequence_start.tag.map { String(cString: $0) }
        case YAML_MAPPING_START_EVENT:
            result.content = .mapStart
            result.hasAnchor = event.data.mapping_start.anchor != nil
            result.tag = event.data.mapping_start.tag.map { String(cString: $0) }
        default: break
        }
        return result
    }

    // MARK: What is wrong

    private var syntaxError: ParameterError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "this is not YAML"
        if parser.pointee.error == YAML_READER_ERROR {
            let code = UInt32(truncatingIfNeeded: parser.pointee.problem_value)
            let before = bytes.prefix(parser.pointee.problem_offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let name = Unicode.Scalar(code).map { " (\(Lookalike.name($0)))" } ?? ""
            return .syntax(file: file, line: line, problem: problem + name)
        }
        let line = parser.pointee.problem_mark.line + 1
        if problem.contains("nesting level") {
            return .syntax(
                file: file, line: line, problem: "nested deeper than \(Tree.maximumDepth) levels")
        }
        var first = line
        var context = ""
        if let text = parser.pointee.context {
            first = min(parser.pointee.context_mark.line + 1, line)
            context = " \(String(cString: text))" + (first < line ? " that begins in line \(first)" : "")
        }
        // The line before may have become part of this one.
        let hint = Lookalike.hint(in: bytes, lines: max(1, first - 1)...line).map { "; \($0)" } ?? ""
        return .syntax(file: file, line: line, problem: problem + context + hint)
    }
}
